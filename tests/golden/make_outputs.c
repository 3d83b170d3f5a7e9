/* make_outputs.c — writes a known document in every format, for test_golden.py to compare and
 * read back. usage: make_outputs DIR
 *
 * Latin with a title, markup and a table; a page that could not be read; Arabic, Amharic and
 * Burmese lines; an empty page; Arabic with numbers and marks between its words; and what
 * engines give at their worst: words that touch and overlap, a line without height, one without
 * words, letters outside the basic plane; and two columns. */
#include <vislang/ocr.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static vl_arena *arena;

static void *need(void *memory) {
    if (!memory)
        abort();
    return memory;
}

/* A line of words, each 12 pixels a byte wide and `gap` apart, from `x` on; a right-to-left
 * line from `x` to the left. */
static vl_line make_spaced_line(const char *text, int32_t x, int32_t y, int32_t gap,
                                double confidence) {
    char *copy = need(vl_arena_strdup(arena, text)), *save = NULL;
    vl_line line = {.confidence = confidence, .x_height = 14, .rtl = vl_text_is_rtl(text)};
    line.words = need(vl_arena_array(arena, 32, sizeof *line.words));
    int32_t at = x;
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        int32_t width = 12 * (int32_t)strlen(word);
        vl_box box = {line.rtl ? at - width : at, y, width, 28};
        line.words[line.word_count++] =
            (vl_word){.text = word,
                      .box = box,
                      .confidence = confidence - 0.01 * (double)line.word_count};
        at += line.rtl ? -width - gap : width + gap;
    }
    int32_t left = line.rtl ? at + gap : x, right = line.rtl ? x : at - gap;
    line.box = (vl_box){left, y, right - left, 28};
    line.baseline_y0 = y + 22;
    line.baseline_y1 = y + 23;
    return line;
}

static vl_line make_line(const char *text, int32_t x, int32_t y, double confidence) {
    return make_spaced_line(text, x, y, 14, confidence);
}

static vl_block make_block(vl_block_kind kind, const char *const *lines, size_t count,
                           int32_t x, int32_t y) {
    vl_block block = {.kind = kind, .confidence = 0.9, .line_count = count};
    block.lines = need(vl_arena_array(arena, count + 1, sizeof *block.lines));
    int32_t right = 0, left = 10000;
    for (size_t i = 0; i < count; i++) {
        block.lines[i] = make_line(lines[i], x, y + 40 * (int32_t)i, 0.95);
        vl_box b = block.lines[i].box;
        left = b.x < left ? b.x : left;
        right = b.x + b.width > right ? b.x + b.width : right;
    }
    block.box = (vl_box){left, y, right - left, 40 * (int32_t)count - 12};
    return block;
}

static vl_page make_page(const char *script, const char *language) {
    vl_page page = {.width = 1000,
                    .height = 800,
                    .dpi = 150,
                    .confidence = 0.93,
                    .engine = "tesseract 5.3.0 (test)",
                    .milliseconds = 12.5};
    snprintf(page.script, sizeof page.script, "%s", script);
    snprintf(page.languages[0].code, VL_LANG_SIZE, "%s", language);
    page.languages[0].probability = 0.98765;
    page.language_count = 1;
    page.blocks = need(vl_arena_array(arena, 8, sizeof *page.blocks));
    return page;
}

static vl_page latin_page(void) {
    static const char *const title[] = {"TANGAZO LA MAJI"};
    static const char *const text[] = {"Tarehe: 14 Machi 2026 <b>", "1. Piga & \"simu\" *sasa*",
                                       "# Él dijo: ɓ ɗ ƙ \x01 _hapa_"};
    static const char *const rows[] = {"Jina Umri", "Asha|Ali 34"};
    vl_page page = make_page("Latn", "swh");
    page.blocks[page.block_count++] = make_block(VL_BLOCK_TITLE, title, 1, 60, 40);
    page.blocks[page.block_count++] = make_block(VL_BLOCK_PARAGRAPH, text, 3, 60, 120);
    vl_block table = make_block(VL_BLOCK_TABLE, rows, 2, 60, 320);
    table.cells = need(vl_arena_array(arena, 4, sizeof *table.cells));
    static const char *const cells[] = {"Jina", "Umri", "Asha|Ali", "34"};
    for (size_t i = 0; i < 4; i++)
        table.cells[table.cell_count++] =
            (vl_cell){i / 2, i % 2, table.lines[i / 2].words[i % 2].box, cells[i], 1, 1};
    table.row_count = table.column_count = 2;
    page.blocks[page.block_count++] = table;
    page.blocks[page.block_count++] =
        (vl_block){.kind = VL_BLOCK_FIGURE, .box = {500, 500, 300, 200}, .confidence = 1};
    return page;
}

static vl_page mixed_page(void) {
    static const char *const arabic[] = {"إعلان عن توزيع المساعدات", "الهاتف 00963944555017"};
    static const char *const amharic[] = {"የክትባት ዘመቻ ማስታወቂያ።"};
    static const char *const burmese[] = {"ရေဘေး သတိပေးချက်", "ထုတ်ပြန်သည်"};
    vl_page page = make_page("Arab", "ara");
    page.dpi = 0;
    page.rotation = 180;
    page.skew = -0.75;
    page.blocks[page.block_count++] = make_block(VL_BLOCK_PARAGRAPH, arabic, 2, 940, 60);
    page.blocks[page.block_count++] = make_block(VL_BLOCK_PARAGRAPH, amharic, 1, 20, 200);
    page.blocks[page.block_count++] = make_block(VL_BLOCK_PARAGRAPH, burmese, 2, 20, 300);
    return page;
}

static vl_page arabic_page(void) {
    static const char *const lines[] = {
        "السعر: 250 ل.س. للكيلو",
        "الهاتف 00963944555017 أو البريد",
        "مَدْرَسَةُ الأَمَلِ (مرحبا) في 14/03/2026",
        "برنامج WFP ثم [الأحد] 50%",
        "12 آذار 2026",
    };
    vl_page page = make_page("Arab", "ara");
    page.blocks[page.block_count++] = make_block(VL_BLOCK_PARAGRAPH, lines, 5, 940, 60);
    return page;
}

static vl_page awkward_page(void) {
    vl_page page = make_page("Latn", "eng");
    vl_block *block = &page.blocks[page.block_count++];
    block->box = (vl_box){60, 60, 800, 300};
    block->lines = need(vl_arena_array(arena, 6, sizeof *block->lines));
    block->lines[0] = make_spaced_line("these words touch", 60, 60, 0, 0.9);
    block->lines[1] = make_spaced_line("these overlap", 60, 120, -3, 0.9);
    block->lines[2] = make_line("e\xCC\x81l &amp; \xF0\x9F\x98\x80 ~x~", 60, 180, 0.9);
    block->lines[3] = make_line("flat", 60, 240, 0.9);
    block->lines[3].box.height = block->lines[3].words[0].box.height = 0;
    block->lines[4] = (vl_line){.box = {60, 300, 5, 5}}; /* no words */
    block->line_count = 5;
    vl_block *empty = &page.blocks[page.block_count++];
    *empty = (vl_block){.kind = VL_BLOCK_TITLE, .box = {60, 400, 9, 9}};
    empty->lines = &block->lines[4];
    empty->line_count = 1;
    return page;
}

/* Lines 45 pixels apart whose boxes end where their own letters do. */
static void set_column(vl_block *block, const char *const *text, size_t count, int32_t x) {
    *block = make_block(VL_BLOCK_PARAGRAPH, text, count, x, 60);
    for (size_t i = 0; i < count; i++) {
        vl_line *line = &block->lines[i];
        int32_t top = 60 + 45 * (int32_t)i, height = i % 2 ? 22 : 28;
        line->box.y = top;
        line->box.height = height;
        line->baseline_y0 = line->baseline_y1 = top + 22;
        for (size_t w = 0; w < line->word_count; w++) {
            line->words[w].box.y = top;
            line->words[w].box.height = height;
        }
    }
    block->box.height = 45 * (int32_t)count - 17;
}

static vl_page column_page(void) {
    static const char *const left[] = {"Heavy monsoon rain has flooded",
                                       "four districts in the east",
                                       "and people have left home", "since the end of June"};
    static const char *const right[] = {"Boats are needed to reach",
                                        "villages that are still cut",
                                        "off by the rising water", "and to carry clean water"};
    vl_page page = make_page("Latn", "eng");
    set_column(&page.blocks[page.block_count++], left, 4, 40);
    set_column(&page.blocks[page.block_count++], right, 4, 540);
    return page;
}

static vl_status to_file(void *file, const void *bytes, size_t count, vl_error *error) {
    if (fwrite(bytes, 1, count, file) == count)
        return VL_OK;
    return vl_fail(error, VL_ERR_IO, "cannot write");
}

static void check(vl_status status, const vl_error *error) {
    if (!status)
        return;
    fprintf(stderr, "make_outputs: %s\n", error->message);
    exit(1);
}

static void write_document(vl_ocr_format format, const char *folder) {
    char path[4096];
    vl_error error, bad = {.status = VL_ERR_INPUT, .message = "broken <page> & more"};
    vl_ocr_writer *writer;
    vl_image *picture;
    snprintf(path, sizeof path, "%s/document%s", folder, vl_ocr_format_extension(format));
    FILE *file = fopen(path, "wb");
    if (!file)
        exit(1);
    check(vl_image_new(1000, 800, 1, &picture, &error), &error);
    memset(picture->pixels, 255, (size_t)1000 * 800);
    for (size_t x = 100; x < 200; x++) /* something to see, of two tones */
        picture->pixels[400 * 1000 + x] = 0;
    vl_page latin = latin_page(), mixed = mixed_page(), empty = make_page("Zyyy", "und");
    vl_page arabic = arabic_page(), awkward = awkward_page(), columns = column_page();
    empty.language_count = 0;
    check(vl_ocr_writer_new(format, "scan \"1\" & <2>.png", to_file, file, &writer, &error),
          &error);
    check(vl_ocr_writer_page(writer, &latin, picture, &error), &error);
    check(vl_ocr_writer_bad_page(writer, &bad, &error), &error);
    memset(picture->pixels + 300 * 1000, 128,
           1000); /* grey from here on: JPEG inside the PDF */
    check(vl_ocr_writer_page(writer, &mixed, picture, &error), &error);
    check(vl_ocr_writer_page(writer, &empty, picture, &error), &error);
    check(vl_ocr_writer_page(writer, &arabic, picture, &error), &error);
    check(vl_ocr_writer_page(writer, &awkward, picture, &error), &error);
    check(vl_ocr_writer_page(writer, &columns, picture, &error), &error);
    check(vl_ocr_writer_finish(writer, &error), &error);
    vl_ocr_writer_free(writer);
    vl_image_free(picture);
    fclose(file);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    arena = need(vl_arena_new(16 << 20));
    for (int format = 0; format <= VL_OCR_PDF; format++) /* a PNG is one page */
        write_document((vl_ocr_format)format, argv[1]);
    vl_arena_free(arena);
    return 0;
}
