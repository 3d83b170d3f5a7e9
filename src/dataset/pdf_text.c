/* pdf_text.c — poppler's words: pdftotext says where they are, pdfimages which pages are
 * pictures. What they print comes from the document, so it is as little trusted. */
#include "dataset/pdf_text.h"

#include "media/pdf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 200000, OUTPUT_MAX = 96 << 20, WORD_BYTES_MAX = 1000 };

/* ---- what pdftotext prints -----------------------------------------------------------------
 */

/* name="123.4" within the tag that begins at `tag`; 0 where it is not. */
static double number_in(const char *tag, const char *end, const char *name) {
    size_t length = strlen(name);
    const char *at = memmem(tag, (size_t)(end - tag), name, length);
    double value = at ? strtod(at + length, NULL) : 0;
    return isfinite(value) && fabs(value) < 1e9 ? value : 0;
}

static size_t put_entity(const char *at, vl_buf *out) {
    static const char *const entities[][2] = {
        {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}, {"&apos;", "'"}};
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        size_t length = strlen(entities[i][0]);
        if (!strncmp(at, entities[i][0], length)) {
            vl_buf_puts(out, entities[i][1]);
            return length;
        }
    }
    vl_buf_puts(out, "&");
    return 1;
}

static const char *word_text(vl_arena *arena, const char *from, const char *end) {
    vl_buf out;
    vl_buf_init(&out, 4 * WORD_BYTES_MAX);
    if (end - from > WORD_BYTES_MAX)
        end = from + vl_utf8_valid_prefix(from, WORD_BYTES_MAX);
    while (from < end) {
        if (*from == '&') {
            from += put_entity(from, &out);
            continue;
        }
        bool control = (unsigned char)*from < 0x20 || *from == 0x7F;
        vl_buf_append(&out, control ? "\xEF\xBF\xBD" : from, control ? 3 : 1);
        from++;
    }
    const char *text = vl_text_nfc(arena, out.data ? out.data : "");
    vl_buf_deinit(&out);
    return text;
}

typedef struct reader {
    vl_arena *arena;
    pdf_page_text *page; /* NULL before the first */
    size_t capacity, block, line;
} reader;

static bool add_word(reader *r, const char *tag, const char *end) {
    const char *close = strstr(end, "</word>");
    if (!r->page || !close || r->page->count >= WORDS_MAX)
        return true;
    if (r->page->count == r->capacity) {
        size_t more = r->capacity ? r->capacity * 2 : 256;
        pdf_word *words = vl_arena_grow(r->arena, r->page->words, r->capacity * sizeof *words,
                                        more * sizeof *words);
        if (!words)
            return false;
        r->page->words = words;
        r->capacity = more;
    }
    pdf_word word = {.text = word_text(r->arena, end + 1, close),
                     .x0 = number_in(tag, end, "xMin=\""),
                     .y0 = number_in(tag, end, "yMin=\""),
                     .x1 = number_in(tag, end, "xMax=\""),
                     .y1 = number_in(tag, end, "yMax=\""),
                     .block = r->block,
                     .line = r->line};
    if (word.text && *word.text)
        r->page->words[r->page->count++] = word;
    return word.text != NULL;
}

static bool starts(const char *tag, const char *name) {
    return !strncmp(tag, name, strlen(name));
}

bool pdf_text_parse(const char *printed, size_t page_count, vl_arena *arena,
                    pdf_page_text *pages) {
    reader r = {.arena = arena};
    size_t count = 0;
    for (const char *tag = strchr(printed, '<'); tag; tag = strchr(tag + 1, '<')) {
        const char *end = starts(tag, "<page") || starts(tag, "<word") ? strchr(tag, '>') : tag;
        if (!end)
            break;
        if (starts(tag, "<page ")) {
            if (count == page_count)
                break;
            r = (reader){.arena = arena, .page = &pages[count++]};
            r.page->width = number_in(tag, end, "width=\"");
            r.page->height = number_in(tag, end, "height=\"");
        } else if (starts(tag, "<block ")) {
            r.block++;
        } else if (starts(tag, "<line ")) {
            r.line++;
        } else if (starts(tag, "<word ") && !add_word(&r, tag, end)) {
            return false;
        }
    }
    return true;
}

/* ---- what pdfimages prints -----------------------------------------------------------------
 */

/* "   1     0 image     155   130  rgb     3   8  jpeg   yes       28  0   199   199 9006B":
 * the picture's size in points is its pixels over its resolution on the page. */
static void read_image(const char *line, uint32_t first, size_t page_count,
                       pdf_page_text *pages) {
    char copy[256], *save = NULL, *fields[16] = {0};
    size_t length = strcspn(line, "\n"), count = 0;
    snprintf(copy, sizeof copy, "%.*s", (int)(length < 255 ? length : 255), line);
    for (char *at = strtok_r(copy, " ", &save); at && count < 16;
         at = strtok_r(NULL, " ", &save))
        fields[count++] = at;
    if (count < 14 || strcmp(fields[2], "image") != 0)
        return;
    unsigned long page = strtoul(fields[0], NULL, 10);
    double width = 72 * strtod(fields[3], NULL) / strtod(fields[12], NULL);
    double height = 72 * strtod(fields[4], NULL) / strtod(fields[13], NULL);
    if (page <= first || page > first + page_count || !isfinite(width) || !isfinite(height))
        return;
    pdf_page_text *on = &pages[page - 1 - first];
    double area = on->width * on->height;
    double share = area > 0 ? fmin(1, width * height / area) : 0;
    on->scanned = fmax(on->scanned, share);
}

void pdf_images_parse(const char *printed, uint32_t first, size_t page_count,
                      pdf_page_text *pages) {
    for (const char *line = printed; *line; line += strcspn(line, "\n") + 1) {
        read_image(line, first, page_count, pages);
        if (!line[strcspn(line, "\n")])
            return;
    }
}

/* ---- running them --------------------------------------------------------------------------
 */

vl_status pdf_text_read(const void *bytes, size_t count, uint32_t first, uint32_t last,
                        const vl_media_limits *limits, vl_arena *arena, pdf_page_text **pages,
                        vl_error *error) {
    char from[16], to[16];
    size_t page_count = last - first + 1;
    snprintf(from, sizeof from, "%u", first + 1);
    snprintf(to, sizeof to, "%u", last + 1);
    const char *const text[] = {"pdftotext", "-bbox-layout", "-cropbox", "-q", "-f", from, "-l",
                                to,          VL_PDF_FILE,    "-",        NULL};
    const char *const images[] = {"pdfimages", "-list", "-f",        from,
                                  "-l",        to,      VL_PDF_FILE, NULL};
    vl_buf out;
    vl_buf_init(&out, OUTPUT_MAX);
    *pages = vl_arena_array(arena, page_count, sizeof **pages);
    vl_status status = *pages ? vl_pdf_run(text, bytes, count, limits, &out, error)
                              : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status && !pdf_text_parse(out.data ? out.data : "", page_count, arena, *pages))
        status = vl_fail(error, VL_ERR_MEMORY, "the PDF's text is larger than its limit");
    for (size_t i = 0; !status && i < page_count; i++)
        if (!pdf_text_order(&(*pages)[i], arena))
            status = vl_fail(error, VL_ERR_MEMORY, "the PDF's text is larger than its limit");
    vl_buf_clear(&out);
    if (!status)
        status = vl_pdf_run(images, bytes, count, limits, &out, error);
    if (!status)
        pdf_images_parse(out.data ? out.data : "", first, page_count, *pages);
    vl_buf_deinit(&out);
    return status;
}
