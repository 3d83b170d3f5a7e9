/* parts_pages.c — documents that are pages: PDF, and pictures of pages.
 *
 * A page's words are those that the PDF holds, where it holds some that are text (pdf_rubbish);
 * else OCR's. Either way the page is drawn and laid out by the same code (ocr/layout.h), so
 * that tables, figures and captions are found by what is seen.
 *
 *   parts_pages_read     chunk by chunk, page by page
 *   read_embedded        words of a PDF → lines → layout
 *   read_by_ocr          …
 *   add_page             blocks of a laid out page → parts */
#include "dataset/parts.h"
#include "dataset/pdf_text.h"
#include "dataset/picture_kind.h"
#include "ocr/layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_PAGES = 8, SCAN_WORDS_MIN = 10 };
static const size_t PAGE_BYTES = (size_t)512 << 20;
static const double SCANNED = 0.8; /* of a page under a picture: its text came from OCR once */
static const double AGREEMENT = 0.5; /* words that OCR reads too */

typedef struct pages {
    parts_builder *b;
    const void *bytes;
    size_t count;
    vl_document *document;
    vl_ocr *ocr;            /* NULL: not needed yet, or there is none */
    vl_arena *chunk, *page; /* reset for each */
    pdf_page_text *texts;   /* of the chunk; NULL: no PDF */
} pages;

/* ---- blocks to parts -----------------------------------------------------------------------
 */

static bool is_lower(const char *text) {
    return (*text >= 'a' && *text <= 'z') || (unsigned char)*text >= 0x80;
}

/* Lines of a paragraph as one, words that were parted at a line's end joined. */
static void join_lines(vl_buf *out, const vl_block *block, vl_arena *arena) {
    for (size_t i = 0; i < block->line_count; i++) {
        const char *line = vl_line_text(arena, &block->lines[i]);
        if (!line || !*line)
            continue;
        bool soft = out->len > 2 && !memcmp(out->data + out->len - 2, "\xC2\xAD", 2);
        bool hyphen = out->len > 2 && out->data[out->len - 1] == '-' &&
                      out->data[out->len - 2] >= 'a' && out->data[out->len - 2] <= 'z' &&
                      is_lower(line);
        if (soft || hyphen)
            out->data[out->len -= soft ? 2 : 1] = '\0';
        else if (out->len && !parts_join_closely(out->data, out->len, line))
            vl_buf_puts(out, " ");
        vl_buf_puts(out, line);
    }
}

static bool is_bullet(const vl_line *line) {
    static const char *const bullets[] = {"•", "●", "○", "▪", "■",
                                          "·", "‣", "-", "–", "\xEF\x82\xB7"};
    for (size_t i = 0; line->word_count > 1 && i < sizeof bullets / sizeof *bullets; i++)
        if (!strcmp(line->words[0].text, bullets[i]))
            return true;
    return false;
}

/* Every line begins an item, or goes on with one. */
static bool is_list(const vl_block *block) {
    return block->line_count && is_bullet(&block->lines[0]);
}

static void join_items(vl_buf *out, const vl_block *block, vl_arena *arena) {
    for (size_t i = 0; i < block->line_count; i++) {
        const char *line = vl_line_text(arena, &block->lines[i]);
        if (out->len)
            vl_buf_puts(out, is_bullet(&block->lines[i]) ? "\n" : " ");
        vl_buf_puts(out, line ? line : "");
    }
}

static const char *block_text(parts_builder *b, const vl_block *block, vl_arena *arena) {
    vl_buf out;
    vl_buf_init(&out, (size_t)16 << 20);
    if (is_list(block))
        join_items(&out, block, arena);
    else
        join_lines(&out, block, arena);
    const char *text = parts_text(b, out.data ? out.data : "", true);
    vl_buf_deinit(&out);
    return text;
}

static vl_part from_block(vl_part_kind kind, uint32_t page, const vl_block *block, bool ocr) {
    vl_part part = parts_blank(kind);
    part.page = page;
    part.has_box = true;
    part.box = block->box;
    part.ocr = ocr;
    part.confidence = ocr ? block->confidence : 1;
    return part;
}

/* Without memory for them a part has none; the next that is added says that there is none. */
static void set_words(parts_builder *b, vl_part *part, const vl_block *block) {
    size_t count = 0;
    for (size_t i = 0; i < block->line_count; i++)
        count += block->lines[i].word_count;
    part->words = count ? vl_arena_array(b->arena, count, sizeof *part->words) : NULL;
    for (size_t i = 0; part->words && i < block->line_count; i++)
        for (size_t k = 0; k < block->lines[i].word_count; k++) {
            const vl_word *word = &block->lines[i].words[k];
            const char *text = vl_text_nfc(b->arena, word->text);
            part->words[part->word_count++] = (vl_part_word){word->box, text ? text : ""};
        }
}

static void add_table(parts_builder *b, vl_part part, const vl_block *block) {
    set_words(b, &part, block);
    parts_table *table = parts_table_new(b);
    for (size_t i = 0; table && i < block->cell_count; i++) {
        const vl_cell *cell = &block->cells[i];
        parts_table_cell_at(table, (vl_part_cell){(uint32_t)cell->row, (uint32_t)cell->column,
                                                  (uint32_t)cell->row_span,
                                                  (uint32_t)cell->column_span, false,
                                                  cell->text ? cell->text : ""});
    }
    if (table && parts_table_finish(table, &part))
        parts_add(b, &part, NULL);
}

static vl_box box_of_lines(const vl_block *block) {
    vl_box all = block->lines[0].box;
    for (size_t i = 1; i < block->line_count; i++) {
        vl_box box = block->lines[i].box;
        int32_t x0 = all.x < box.x ? all.x : box.x, y0 = all.y < box.y ? all.y : box.y;
        int32_t x1 = all.x + all.width, y1 = all.y + all.height;
        x1 = x1 > box.x + box.width ? x1 : box.x + box.width;
        y1 = y1 > box.y + box.height ? y1 : box.y + box.height;
        all = (vl_box){x0, y0, x1 - x0, y1 - y0};
    }
    return all;
}

static vl_status cut_out(const vl_image *from, vl_box box, vl_image **image, vl_error *error) {
    int32_t x0 = box.x > 0 ? box.x : 0, y0 = box.y > 0 ? box.y : 0;
    int64_t x1 = (int64_t)box.x + box.width, y1 = (int64_t)box.y + box.height;
    x1 = x1 < from->width ? x1 : from->width;
    y1 = y1 < from->height ? y1 : from->height;
    *image = NULL;
    if (x1 <= x0 || y1 <= y0)
        return vl_fail(error, VL_ERR_INPUT, "the picture lies outside of its page");
    vl_status status =
        vl_image_new((uint32_t)(x1 - x0), (uint32_t)(y1 - y0), from->channels, image, error);
    for (uint32_t y = 0; !status && y < (*image)->height; y++)
        memcpy((*image)->pixels + y * (*image)->stride,
               from->pixels + ((size_t)y0 + y) * from->stride + (size_t)x0 * from->channels,
               (size_t)(*image)->width * from->channels);
    if (!status)
        (*image)->dpi = from->dpi;
    return status;
}

static vl_part_kind look_of(const vl_image *upright, vl_box box) {
    vl_image *image = NULL;
    vl_part_kind kind = VL_PART_FIGURE;
    if (upright && !cut_out(upright, box, &image, NULL))
        kind = picture_kind_of(image, kind);
    vl_image_free(image);
    return kind;
}

/* The figure, and its caption behind it. */
static void add_figure(pages *p, vl_part part, const vl_block *block, const vl_image *upright) {
    parts_builder *b = p->b;
    size_t figure, caption = VL_PART_NONE;
    part.kind = look_of(upright, part.box);
    part.confidence = 1;
    parts_add(b, &part, &figure);
    if (b->status || !block->line_count)
        return;
    vl_part text = from_block(VL_PART_CAPTION, part.page, block, part.ocr);
    text.box = box_of_lines(block);
    text.text = block_text(b, block, p->page);
    if (text.text)
        parts_add(b, &text, &caption);
    if (!b->status)
        b->out->parts[figure].caption = caption;
}

static int by_size(const void *x, const void *y) {
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static double size_of(const vl_block *block) {
    return block->line_count ? block->lines[0].x_height : 0;
}

/* x-height of the page's paragraphs, 0: not known. */
static double usual_size(const vl_page *page, vl_arena *arena) {
    double *sizes = vl_arena_array(arena, page->block_count + 1, sizeof *sizes);
    size_t count = 0;
    for (size_t i = 0; sizes && i < page->block_count; i++)
        if (page->blocks[i].kind == VL_BLOCK_PARAGRAPH && size_of(&page->blocks[i]) > 0)
            sizes[count++] = size_of(&page->blocks[i]);
    if (!count)
        return 0;
    qsort(sizes, count, sizeof *sizes, by_size);
    return sizes[count / 2];
}

static uint32_t level_of(double size, double usual) {
    double ratio = usual > 0 ? size / usual : 1;
    return ratio >= 1.8 ? 1 : ratio >= 1.35 ? 2 : 3;
}

static void add_block(pages *p, uint32_t index, const vl_block *block, bool ocr, double usual,
                      const vl_image *upright) {
    parts_builder *b = p->b;
    vl_part part = from_block(VL_PART_PARAGRAPH, index, block, ocr);
    if (block->kind == VL_BLOCK_FIGURE) {
        add_figure(p, part, block, upright);
        return;
    }
    if (block->kind == VL_BLOCK_TABLE) {
        part.kind = VL_PART_TABLE;
        add_table(b, part, block);
        return;
    }
    if (block->kind == VL_BLOCK_TITLE) {
        part.kind = VL_PART_HEADING;
        part.level = level_of(size_of(block), usual);
    } else if (is_list(block)) {
        part.kind = VL_PART_LIST;
    }
    part.text = block_text(b, block, p->page);
    set_words(b, &part, block);
    if (part.text)
        parts_add(b, &part, NULL);
}

static void add_page(pages *p, uint32_t index, const vl_page *page, bool ocr,
                     const vl_image *upright) {
    vl_parts_page *out = &p->b->out->pages[index];
    double usual = usual_size(page, p->page);
    out->width = page->width;
    out->height = page->height;
    out->dpi = page->dpi;
    out->ocr = ocr;
    p->b->out->from->turns[index] = (struct parts_turn){page->rotation, page->skew != 0};
    for (size_t i = 0; i < page->block_count && !p->b->status; i++)
        add_block(p, index, &page->blocks[i], ocr, usual, upright);
}

/* ---- embedded text -------------------------------------------------------------------------
 */

static vl_box scaled_box(const pdf_word *word, double scale) {
    int32_t x0 = (int32_t)floor(word->x0 * scale), y0 = (int32_t)floor(word->y0 * scale);
    int32_t x1 = (int32_t)ceil(word->x1 * scale), y1 = (int32_t)ceil(word->y1 * scale);
    return (vl_box){x0, y0, x1 > x0 ? x1 - x0 : 1, y1 > y0 ? y1 - y0 : 1};
}

static bool on_page(const pdf_page_text *page, const pdf_word *word) {
    double x = (word->x0 + word->x1) / 2, y = (word->y0 + word->y1) / 2;
    return x >= 0 && y >= 0 && x <= page->width && y <= page->height;
}

static void finish_line(vl_engine_line *line) {
    vl_box first = line->words[0].box;
    int32_t x0 = first.x, y0 = first.y, x1 = x0, y1 = y0;
    for (size_t i = 0; i < line->word_count; i++) {
        vl_box box = line->words[i].box;
        x0 = box.x < x0 ? box.x : x0;
        y0 = box.y < y0 ? box.y : y0;
        x1 = box.x + box.width > x1 ? box.x + box.width : x1;
        y1 = box.y + box.height > y1 ? box.y + box.height : y1;
    }
    line->box = (vl_box){x0, y0, x1 - x0, y1 - y0};
    line->baseline_y0 = line->baseline_y1 = y0 + (y1 - y0) * 4 / 5;
    line->confidence = 1;
}

/* The page's words as an engine would say them, in pixels of `picture`'s work. */
static bool to_reading(const pdf_page_text *text, double scale, vl_arena *arena,
                       vl_engine_reading *reading) {
    vl_word *words = vl_arena_array(arena, text->count + 1, sizeof *words);
    reading->lines = vl_arena_array(arena, text->count + 1, sizeof *reading->lines);
    if (!words || !reading->lines)
        return false;
    size_t before = SIZE_MAX;
    vl_engine_line *line = NULL;
    for (size_t i = 0; i < text->count; i++) {
        const pdf_word *word = &text->words[i];
        if (!on_page(text, word))
            continue;
        if (!line || word->line != before) {
            line = &reading->lines[reading->line_count++];
            *line = (vl_engine_line){
                .words = &words[i], .block = word->block, .paragraph = word->block};
            before = word->line;
        }
        line->words[line->word_count++] =
            (vl_word){.text = word->text, .box = scaled_box(word, scale), .confidence = 1};
        reading->characters += strlen(word->text);
    }
    for (size_t i = 0; i < reading->line_count; i++)
        finish_line(&reading->lines[i]);
    reading->confidence = 1;
    return true;
}

static vl_status read_embedded(pages *p, uint32_t index, const pdf_page_text *text,
                               const vl_image *image, vl_error *error) {
    vl_ocr_picture picture;
    vl_engine_reading reading = {0};
    vl_page page = {.width = image->width, .height = image->height, .dpi = image->dpi};
    vl_status status = vl_ocr_picture_init(&picture, image, 0, false, 0, p->page, error);
    if (status)
        return status;
    if (to_reading(text, picture.scale * image->dpi / 72, p->page, &reading))
        status = vl_ocr_layout(&picture, &reading, p->page, &page, error);
    else
        status = vl_fail(error, VL_ERR_MEMORY, "the page holds more text than its limit");
    vl_ocr_picture_deinit(&picture);
    if (!status)
        add_page(p, index, &page, false, image);
    return status;
}

/* ---- OCR -----------------------------------------------------------------------------------
 */

static int by_text(const void *x, const void *y) {
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Share of the embedded words that OCR reads somewhere on the page. */
static double agreement(const pdf_page_text *text, const vl_page *page, vl_arena *arena) {
    size_t count = vl_page_word_count(page), used = 0, same = 0, asked = 0;
    const char **read = vl_arena_array(arena, count + 1, sizeof *read);
    for (size_t i = 0; read && i < page->block_count; i++)
        for (size_t j = 0; j < page->blocks[i].line_count; j++)
            for (size_t k = 0; k < page->blocks[i].lines[j].word_count; k++)
                read[used++] = page->blocks[i].lines[j].words[k].text;
    if (!read)
        return 1;
    qsort(read, used, sizeof *read, by_text);
    for (size_t i = 0; i < text->count; i++) {
        if (strlen(text->words[i].text) < 4)
            continue;
        asked++;
        same += bsearch(&text->words[i].text, read, used, sizeof *read, by_text) != NULL;
    }
    return asked < SCAN_WORDS_MIN ? 1 : (double)same / (double)asked;
}

/* Reads the page, and uses that unless `text`, which lies over a scan, is the same. */
static vl_status read_by_ocr(pages *p, uint32_t index, const pdf_page_text *text,
                             const vl_image *image, vl_error *error) {
    vl_parts_page *out = &p->b->out->pages[index];
    const vl_parts_options *options = p->b->options;
    vl_image *upright = NULL;
    vl_page *page = NULL;
    vl_status status = p->ocr ? VL_OK : options->open_ocr(options->user, &p->ocr, error);
    if (!status)
        status = vl_ocr_read(p->ocr, image, NULL, p->page, &page, &upright, error);
    if (status)
        return status;
    if (text && agreement(text, page, p->page) >= AGREEMENT) {
        vl_image_free(upright);
        return read_embedded(p, index, text, image, error);
    }
    if (text)
        out->reason = "its text is not what the scan under it says";
    if (page->unread)
        out->reason = vl_arena_strdup(p->b->arena, page->unread->message);
    add_page(p, index, page, true, upright);
    vl_image_free(upright);
    return VL_OK;
}

/* ---- pages ---------------------------------------------------------------------------------
 */

/* Whether one bad page leaves the others to be read. */
static bool goes_on(vl_status status) {
    return status == VL_ERR_INPUT || status == VL_ERR_LIMIT || status == VL_ERR_TIMEOUT ||
           status == VL_ERR_UNSUPPORTED;
}

static vl_status read_image(pages *p, uint32_t index, const pdf_page_text *text, bool good,
                            const vl_image *image, vl_error *error) {
    vl_parts_page *out = &p->b->out->pages[index];
    bool ocr = p->ocr || p->b->options->open_ocr;
    bool overlay = good && text->scanned >= SCANNED;
    out->width = image->width;
    out->height = image->height;
    out->dpi = image->dpi;
    if (good && !(overlay && ocr))
        return read_embedded(p, index, text, image, error);
    return ocr ? read_by_ocr(p, index, overlay ? text : NULL, image, error) : VL_OK;
}

static vl_status read_page(pages *p, uint32_t index, const pdf_page_text *text,
                           vl_error *error) {
    vl_parts_page *out = &p->b->out->pages[index];
    pdf_rubbish measured = {0};
    vl_image *image = NULL;
    vl_arena_reset(p->page);
    if (text && !pdf_rubbish_measure(text, p->b->options->langid, p->b->options->ngram, p->page,
                                     &measured))
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    bool good = text && text->count && measured.score < PDF_RUBBISH;
    out->rubbish = measured.score;
    out->reason = text && !text->count ? "it has no text" : measured.reason;
    vl_status status = vl_document_page(p->document, index, &image, error);
    if (!status)
        status = read_image(p, index, text, good, image, error);
    vl_image_free(image);
    if (!goes_on(status))
        return status;
    out->reason = vl_arena_strdup(p->b->arena, error->message);
    return VL_OK;
}

static vl_status read_texts(pages *p, uint32_t first, uint32_t last, vl_error *error) {
    vl_arena_reset(p->chunk);
    p->texts = NULL;
    if (vl_document_kind(p->document) != VL_MEDIA_PDF)
        return VL_OK;
    vl_status status = pdf_text_read(p->bytes, p->count, first, last, &p->b->options->limits,
                                     p->chunk, &p->texts, error);
    if (goes_on(status)) {
        p->texts = NULL; /* OCR may still read them */
        status = VL_OK;
    }
    return status;
}

static vl_status read_all(pages *p, vl_error *error) {
    uint32_t count = vl_document_page_count(p->document);
    vl_status status = VL_OK;
    for (uint32_t i = 0; i < count && !status && !p->b->status; i++) {
        uint32_t last = i + CHUNK_PAGES < count ? i + CHUNK_PAGES - 1 : count - 1;
        if (i % CHUNK_PAGES == 0)
            status = read_texts(p, i, last, error);
        if (!status)
            status = vl_stop_check(error);
        if (!status)
            status = read_page(p, i, p->texts ? &p->texts[i % CHUNK_PAGES] : NULL, error);
    }
    return status ? status : p->b->status;
}

static vl_status make_pages(pages *p, vl_error *error) {
    parts_builder *b = p->b;
    size_t count = vl_document_page_count(p->document);
    b->out->from->pages = true;
    b->out->from->turns = vl_arena_array(b->arena, count, sizeof *b->out->from->turns);
    b->out->pages = vl_arena_array(b->arena, count, sizeof *b->out->pages);
    b->out->page_count = count;
    p->chunk = vl_arena_new(PAGE_BYTES);
    p->page = vl_arena_new(PAGE_BYTES);
    return b->out->pages && b->out->from->turns && p->chunk && p->page
               ? VL_OK
               : vl_fail(error, VL_ERR_MEMORY, "out of memory");
}

vl_status parts_pages_read(parts_builder *b, const void *bytes, size_t count) {
    pages p = {.b = b, .bytes = bytes, .count = count, .ocr = b->options->ocr};
    vl_status status =
        vl_document_open(bytes, count, &b->options->limits, &p.document, b->error);
    if (!status)
        status = make_pages(&p, b->error);
    if (!status)
        status = read_all(&p, b->error);
    if (!status)
        status = parts_heads(b);
    vl_arena_free(p.chunk);
    vl_arena_free(p.page);
    vl_document_free(p.document);
    return b->status = b->status ? b->status : status;
}

/* ---- pictures ------------------------------------------------------------------------------
 */

/* The page as the boxes of its parts mean it. */
static vl_status draw(const vl_parts *parts, uint32_t index, const vl_media_limits *limits,
                      vl_image **image, vl_error *error) {
    const struct vl_parts_source *from = parts->from;
    struct parts_turn turn = from->turns[index];
    vl_document *document = NULL;
    vl_image *drawn = NULL;
    vl_arena *arena = NULL;
    vl_ocr_picture picture;
    vl_status status = vl_document_open(from->bytes, from->count, limits, &document, error);
    if (!status)
        status = vl_document_page(document, index, &drawn, error);
    vl_document_free(document);
    if (status || (!turn.rotation && !turn.deskewed)) {
        *image = drawn;
        return status;
    }
    arena = vl_arena_new(PAGE_BYTES);
    status = arena ? vl_ocr_picture_init(&picture, drawn, turn.rotation, turn.deskewed, 0,
                                         arena, error)
                   : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status) {
        status = vl_ocr_picture_image(&picture, drawn, image, error);
        vl_ocr_picture_deinit(&picture);
    }
    vl_arena_free(arena);
    vl_image_free(drawn);
    return status;
}

/* A copy in the document's arena, over the one before. Where that has no room, none is kept. */
static void keep(struct vl_parts_source *from, uint32_t index, const vl_image *image) {
    size_t bytes = image->stride * image->height;
    uint8_t *pixels = bytes <= from->drawn_room ? from->drawn_pixels : NULL;
    if (!pixels) {
        pixels = vl_arena_alloc(from->arena, bytes);
        from->drawn_pixels = pixels;
        from->drawn_room = pixels ? bytes : 0;
    }
    from->drawn = *image;
    from->drawn.pixels = pixels;
    from->drawn_page = index;
    if (pixels)
        memcpy(pixels, image->pixels, bytes);
}

/* The page, drawn unless it was the last one; *own must be freed by the caller, *page not. */
static vl_status page_of(const vl_parts *parts, uint32_t index, const vl_media_limits *limits,
                         const vl_image **page, vl_image **own, vl_error *error) {
    struct vl_parts_source *from = parts->from;
    vl_media_limits at = limits ? *limits : from->options.limits;
    const vl_parts_page *read = &parts->pages[index];
    at.pdf_dpi = from->options.limits.pdf_dpi;
    *own = NULL;
    *page = &from->drawn;
    if (from->drawn.pixels && from->drawn_page == index)
        return VL_OK;
    vl_status status = draw(parts, index, &at, own, error);
    if (!status && ((*own)->width != read->width || (*own)->height != read->height))
        status = vl_fail(error, VL_ERR_LIMIT,
                         "page %u was read at %u×%u pixels, which is more than the limits of "
                         "pictures allow",
                         index + 1, read->width, read->height);
    if (!status)
        keep(from, index, *own);
    *page = *own;
    return status;
}

vl_status parts_pages_whole(const vl_parts *parts, uint32_t index,
                            const vl_media_limits *limits, vl_image **image, vl_error *error) {
    const vl_image *page;
    vl_image *own;
    vl_status status = page_of(parts, index, limits, &page, &own, error);
    if (!status && !own && !(own = vl_image_copy(page)))
        status = vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (status)
        vl_image_free(own);
    else
        *image = own;
    return status;
}

vl_status parts_pages_picture(const vl_parts *parts, size_t index,
                              const vl_media_limits *limits, vl_image **image,
                              vl_error *error) {
    const vl_part *part = &parts->parts[index];
    const vl_image *page;
    vl_image *own;
    vl_status status = page_of(parts, part->page, limits, &page, &own, error);
    if (!status)
        status = cut_out(page, part->box, image, error);
    vl_image_free(own);
    return status;
}
