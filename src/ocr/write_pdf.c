/* write_pdf.c — searchable PDF (ISO 32000-1): each page is its picture, with the text drawn
 * invisibly under it, word for word in the places where the words are.
 *
 * The text's font has one empty glyph and is made here; a code (CID) is given to each character
 * when it first comes, and the font's ToUnicode map, written last, says which character it is.
 * Words are stretched to their boxes, so that a viewer marks exactly the word. Right-to-left
 * words are drawn from their right edge with a mirrored matrix, which is how readers know the
 * order. */
#include "ocr/writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ubidi.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>
#include <zlib.h>

enum {
    OBJ_CATALOG = 1,
    OBJ_PAGES,
    OBJ_FONT,
    OBJ_CID_FONT,
    OBJ_DESCRIPTOR,
    OBJ_FONT_FILE,
    OBJ_GLYPH_MAP,
    OBJ_TO_UNICODE,
    OBJ_INFO,
    OBJ_FIRST_PAGE,

    OBJECTS_PER_PAGE = 3, /* page, content, picture */
    JPEG_QUALITY = 78,
    MAX_CODES = 65535,
    CODE_SLOTS = 1 << 17,
    /* Thousandths of the font size. A line's box, from its tallest letter to its lowest, is
     * REACH of it, as in type: readers judge by it which lines and words belong together. */
    ASCENT = 680,
    DESCENT = -170,
    REACH = ASCENT - DESCENT,
    GLYPH_WIDTH = 500,
    RIGHT_TO_LEFT_MARK = 0x200F,
};
/* Of a line's size: the narrowest gap in which poppler sees a space, and a little more. */
#define MIN_SPACE 0.11

typedef struct pdf_state {
    uint64_t *offsets; /* of objects, from 1 */
    size_t offset_count, offset_capacity;
    uint32_t *code_points; /* by CID; 0 is not used */
    uint32_t code_count;
    uint16_t *slots; /* hash of code point → CID */
    char lang[VL_LANG_SIZE];
} pdf_state;

static void pdf_release(void *state) {
    pdf_state *s = state;
    free(s->offsets);
    free(s->code_points);
    free(s->slots);
}

/* ---- objects
 * ---------------------------------------------------------------------------------- */

static vl_status begin_object(vl_ocr_writer *w, uint32_t number, vl_error *error) {
    pdf_state *s = w->state;
    if (number >= s->offset_capacity) {
        size_t capacity = number * 2u + 64;
        uint64_t *grown = realloc(s->offsets, capacity * sizeof *grown);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "out of memory after %u pages", w->pages);
        memset(grown + s->offset_capacity, 0, (capacity - s->offset_capacity) * sizeof *grown);
        s->offsets = grown;
        s->offset_capacity = capacity;
    }
    s->offsets[number] = w->bytes + w->buf.len;
    if (number >= s->offset_count)
        s->offset_count = number + 1;
    vl_buf_printf(&w->buf, "%u 0 obj\n", number);
    return VL_OK;
}

static void put_stream(vl_buf *out, const char *dictionary, const void *bytes, size_t count) {
    vl_buf_printf(out, "<< %s /Length %zu >>\nstream\n", dictionary, count);
    vl_buf_append(out, bytes, count);
    vl_buf_puts(out, "\nendstream\nendobj\n");
}

static vl_status put_deflated(vl_ocr_writer *w, const char *dictionary, const void *bytes,
                              size_t count, vl_error *error) {
    uLongf length = compressBound(count);
    unsigned char *packed = malloc(length);
    if (!packed || compress2(packed, &length, bytes, count, 6) != Z_OK) {
        free(packed);
        return vl_fail(error, VL_ERR_MEMORY, "no memory to compress %zu bytes", count);
    }
    vl_buf full;
    vl_buf_init(&full, 1024);
    vl_buf_printf(&full, "%s /Filter /FlateDecode", dictionary);
    put_stream(&w->buf, full.data, packed, length);
    vl_buf_deinit(&full);
    free(packed);
    return VL_OK;
}

/* ---- text
 * ------------------------------------------------------------------------------------- */

static uint32_t code_of(pdf_state *s, uint32_t point) {
    uint32_t slot = (point * 2654435761u) >> 15;
    for (;; slot = (slot + 1) % CODE_SLOTS) {
        uint32_t code = s->slots[slot % CODE_SLOTS];
        if (code && s->code_points[code] == point)
            return code;
        if (!code)
            break;
    }
    if (s->code_count == MAX_CODES)
        return 1;
    uint32_t code = ++s->code_count;
    s->code_points[code] = point;
    s->slots[slot % CODE_SLOTS] = (uint16_t)code;
    return code;
}

typedef struct placement { /* of a page, in points */
    double scale, height;
} placement;

static void put_codes(vl_ocr_writer *w, const char *text, int32_t bytes) {
    for (int32_t at = 0; at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        vl_buf_printf(&w->buf, "%04X", code_of(w->state, (uint32_t)c));
    }
}

/* In the order glyphs lie on the page (UAX #9): letters from the right, numbers from the left.
 */
static void put_visual(vl_ocr_writer *w, const char *text, int32_t bytes) {
    enum { LONGEST_WORD = 256 };
    UChar wide[LONGEST_WORD];
    int32_t length = 0, order[LONGEST_WORD];
    UErrorCode code = U_ZERO_ERROR;
    u_strFromUTF8WithSub(wide, LONGEST_WORD, &length, text, bytes, 0xFFFD, NULL, &code);
    UBiDi *bidi = U_SUCCESS(code) ? ubidi_open() : NULL;
    if (bidi) {
        ubidi_setPara(bidi, wide, length, UBIDI_RTL, NULL, &code);
        ubidi_getVisualMap(bidi, order, &code);
        ubidi_close(bidi);
    }
    if (!bidi || U_FAILURE(code)) { /* no word is that long */
        put_codes(w, text, bytes);
        return;
    }
    for (int32_t i = 0; i < length; i++) {
        UChar unit = wide[order[i]], next = i + 1 < length ? wide[order[i + 1]] : 0;
        uint32_t point = unit;
        if (U16_IS_TRAIL(unit) && U16_IS_LEAD(next)) /* a pair in a right-to-left run */
            point = (uint32_t)U16_GET_SUPPLEMENTARY(next, unit);
        else if (U16_IS_LEAD(unit) && U16_IS_TRAIL(next))
            point = (uint32_t)U16_GET_SUPPLEMENTARY(unit, next);
        i += point > 0xFFFF;
        vl_buf_printf(&w->buf, "%04X", code_of(w->state, point));
    }
}

/* A stretch of a line with something to draw in it, in pixels. */
typedef struct span {
    double left, right;
    const char *text;
    size_t order; /* of reading */
    bool mark;    /* a right-to-left mark stands at its left end */
} span;

/* How a line is set: its letters reach from ASCENT above to DESCENT below the baseline. */
typedef struct setting {
    double size;                  /* of the font, in pixels */
    double baseline, slope, left; /* y at x = left, and its change by pixel to the right */
} setting;

static int by_height(const void *a, const void *b) {
    const int32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The height of a block's lines, in pixels: the median. A line's own height says
 * whether letters with tails happen to be in it, and readers take lines of different sizes for
 * paragraphs of their own. */
static double block_height(const vl_block *block) {
    int32_t *heights = calloc(block->line_count + 1, sizeof *heights);
    if (!heights)
        return 0; /* then each line has its own size */
    for (size_t i = 0; i < block->line_count; i++)
        heights[i] = block->lines[i].box.height;
    qsort(heights, block->line_count, sizeof *heights, by_height);
    double median = heights[block->line_count / 2];
    free(heights);
    return median;
}

static setting set_line(const vl_line *line, double block) {
    const vl_box *box = &line->box;
    double height = box->height > 0 ? box->height : 1;
    double run = box->width > 1 ? box->width : 1;
    setting t = {.left = box->x, .slope = (line->baseline_y1 - line->baseline_y0) / run};
    double tallest = height > block * 0.6 && height < block * 1.25 ? block : height;
    t.size = tallest * 1000 / REACH;
    /* On its baseline, but so that the letters' reach holds the whole box. */
    double lowest = box->y + t.size * ASCENT / 1000;
    double highest = box->y + height + t.size * DESCENT / 1000;
    double middle = (line->baseline_y0 + line->baseline_y1) / 2.0;
    if (lowest < highest)
        middle = (lowest + highest) / 2;
    else
        middle = fmin(fmax(middle, highest), lowest);
    t.baseline = middle - t.slope * box->width / 2;
    return t;
}

static void put_span(vl_ocr_writer *w, const placement *p, const setting *t, const span *s) {
    int32_t bytes = (int32_t)strlen(s->text);
    size_t count = s->mark;
    for (int32_t at = 0; at < bytes; count++)
        U8_FWD_1((const uint8_t *)s->text, at, bytes);
    if (!count)
        return;
    double size = t->size * p->scale, width = fmax(s->right - s->left, 0.1) * p->scale;
    double stretch = width / ((double)count * GLYPH_WIDTH / 1000 * size);
    double base = t->baseline + t->slope * (s->left - t->left);
    vl_buf_printf(&w->buf, "/F %.2f Tf %.4f 0 0 1 %.2f %.2f Tm <", size, stretch,
                  s->left * p->scale, p->height - base * p->scale);
    if (s->mark)
        vl_buf_printf(&w->buf, "%04X", code_of(w->state, RIGHT_TO_LEFT_MARK));
    if (vl_text_is_rtl(s->text))
        put_visual(w, s->text, bytes);
    else
        put_codes(w, s->text, bytes);
    vl_buf_puts(&w->buf, "> Tj\n");
}

static int from_left(const void *a, const void *b) {
    const span *x = a, *y = b;
    return (x->left > y->left) - (x->left < y->left);
}

/* Whether a word of a right-to-left line shows that it is one at its left end. */
static bool ends_right_to_left(const char *word) {
    int32_t at = (int32_t)strlen(word);
    UChar32 c = -1;
    if (at)
        U8_PREV((const uint8_t *)word, 0, at, c);
    UCharDirection direction = c < 0 ? U_OTHER_NEUTRAL : u_charDirection(c);
    return direction == U_RIGHT_TO_LEFT || direction == U_RIGHT_TO_LEFT_ARABIC ||
           direction == U_DIR_NON_SPACING_MARK ||
           (direction == U_OTHER_NEUTRAL && vl_text_is_rtl(word));
}

/* Neighbours in the order they lie on the page. Between them readers see a space only where
 * there is room for one. And they take a number, or a mark at a word's end, to run on to the
 * left with whatever is there, unless a mark says that the line goes from right to left. */
static void part_neighbours(const vl_line *line, double size, span *a, span *b) {
    double room = MIN_SPACE * size, gap = b->left - a->right;
    if (gap < room) {
        a->right -= (room - gap) / 2;
        b->left += (room - gap) / 2;
    }
    b->mark = line->rtl && a->order > b->order && !ends_right_to_left(b->text);
}

static vl_status put_text_line(vl_ocr_writer *w, const placement *p, const vl_line *line,
                               double block, vl_error *error) {
    size_t count = line->word_count;
    setting t = set_line(line, block);
    span *spans = calloc(count + 1, sizeof *spans), *reading = calloc(count + 1, sizeof *spans);
    if (!spans || !reading) {
        free(spans);
        free(reading);
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        const vl_word *word = &line->words[i];
        spans[i] = (span){word->box.x, word->box.x + word->box.width, word->text, i, false};
    }
    qsort(spans, count, sizeof *spans, from_left);
    for (size_t i = 1; i < count; i++)
        part_neighbours(line, t.size, &spans[i - 1], &spans[i]);
    for (size_t i = 0; i < count; i++)
        reading[spans[i].order] = spans[i];
    for (size_t i = 0; i < count; i++)
        put_span(w, p, &t, &reading[i]);
    for (size_t i = 1; i < count; i++)
        put_span(w, p, &t, &(span){spans[i - 1].right, spans[i].left, " ", 0, false});
    free(spans);
    free(reading);
    return VL_OK;
}

/* ---- picture
 * ---------------------------------------------------------------------------------- */

static bool is_bilevel(const vl_image *image) {
    if (image->channels != 1)
        return false;
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++) {
            uint8_t tone = image->pixels[y * image->stride + x];
            if (tone != 0 && tone != 255)
                return false;
        }
    return true;
}

static vl_status put_bilevel(vl_ocr_writer *w, const vl_image *image, const char *dictionary,
                             vl_error *error) {
    size_t row_bytes = (image->width + 7u) / 8;
    uint8_t *bits = calloc(image->height, row_bytes);
    if (!bits)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++)
            if (image->pixels[y * image->stride + x])
                bits[y * row_bytes + x / 8] |= (uint8_t)(0x80 >> x % 8);
    vl_buf full;
    vl_buf_init(&full, 1024);
    vl_buf_printf(&full, "%s /ColorSpace /DeviceGray /BitsPerComponent 1", dictionary);
    vl_status status = put_deflated(w, full.data, bits, row_bytes * image->height, error);
    vl_buf_deinit(&full);
    free(bits);
    return status;
}

static vl_status put_picture(vl_ocr_writer *w, const vl_image *image, vl_error *error) {
    vl_buf dictionary, jpeg;
    vl_buf_init(&dictionary, 1024);
    vl_buf_init(&jpeg, w->buf.max);
    vl_buf_printf(&dictionary, "/Type /XObject /Subtype /Image /Width %u /Height %u",
                  image->width, image->height);
    vl_status status;
    if (is_bilevel(image)) {
        status = put_bilevel(w, image, dictionary.data, error);
    } else if (!(status = vl_image_encode_jpeg(image, JPEG_QUALITY, &jpeg, error))) {
        vl_buf_printf(&dictionary,
                      " /ColorSpace /Device%s /BitsPerComponent 8 /Filter /DCTDecode",
                      image->channels == 1 ? "Gray" : "RGB");
        put_stream(&w->buf, dictionary.data, jpeg.data, jpeg.len);
    }
    vl_buf_deinit(&jpeg);
    vl_buf_deinit(&dictionary);
    return status;
}

/* ---- pages
 * ------------------------------------------------------------------------------------ */

static vl_status pdf_begin(vl_ocr_writer *w, vl_error *error) {
    pdf_state *s = w->state;
    s->code_points = calloc(MAX_CODES + 1, sizeof *s->code_points);
    s->slots = calloc(CODE_SLOTS, sizeof *s->slots);
    if (!s->code_points || !s->slots)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_buf_puts(&w->buf, "%PDF-1.7\n%\xE2\xE3\xCF\xD3\n");
    return VL_OK;
}

static uint32_t page_object(uint32_t page) {
    return OBJ_FIRST_PAGE + page * OBJECTS_PER_PAGE;
}

/* Pixels to points. A picture that does not say its resolution is taken to be A4 wide. */
static placement place(const vl_page *page) {
    double dpi = page->dpi >= 30 && page->dpi <= 2400 ? page->dpi : page->width / 8.27;
    if (dpi < 30)
        dpi = 30;
    return (placement){.scale = 72 / dpi, .height = page->height * 72 / dpi};
}

static vl_status put_content(vl_ocr_writer *w, uint32_t number, const vl_page *page,
                             const placement *p, vl_error *error) {
    vl_buf object = w->buf; /* the content is put together apart, then packed */
    vl_buf_init(&w->buf, object.max);
    vl_buf_puts(&w->buf, "BT 3 Tr\n");
    vl_status status = VL_OK;
    for (size_t b = 0; b < page->block_count; b++) {
        const vl_block *block = &page->blocks[b];
        double height = block_height(block);
        for (size_t l = 0; l < block->line_count && !status; l++)
            status = put_text_line(w, p, &block->lines[l], height, error);
    }
    vl_buf_printf(&w->buf, "ET\nq %.3f 0 0 %.3f 0 0 cm /P Do Q\n", page->width * p->scale,
                  p->height);
    vl_buf content = w->buf;
    w->buf = object;
    if (!status)
        status = vl_buf_status(&content, "a page", error);
    if (!status)
        status = begin_object(w, number, error);
    if (!status)
        status = put_deflated(w, "", content.data, content.len, error);
    vl_buf_deinit(&content);
    return status;
}

static vl_status pdf_page(vl_ocr_writer *w, const vl_page *page, const vl_image *picture,
                          vl_error *error) {
    if (!picture)
        return vl_fail(error, VL_ERR_INTERNAL, "a searchable PDF needs the page's picture");
    uint32_t number = page_object(w->pages);
    pdf_state *s = w->state;
    if (!s->lang[0] && page->language_count)
        snprintf(s->lang, sizeof s->lang, "%s", vl_page_lang(page));
    placement p = place(page);
    vl_status status = begin_object(w, number, error);
    if (status)
        return status;
    vl_buf_printf(
        &w->buf,
        "<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %.3f %.3f] /Contents %u 0 R\n"
        "/Resources << /Font << /F %d 0 R >> /XObject << /P %u 0 R >> >> >>\nendobj\n",
        OBJ_PAGES, page->width * p.scale, p.height, number + 1, OBJ_FONT, number + 2);
    status = put_content(w, number + 1, page, &p, error);
    if (!status)
        status = begin_object(w, number + 2, error);
    return status ? status : put_picture(w, picture, error);
}

/* An empty A4 page keeps the numbers of the others right. */
static vl_status pdf_bad_page(vl_ocr_writer *w, const vl_error *reason, vl_error *error) {
    (void)reason;
    vl_status status = begin_object(w, page_object(w->pages), error);
    if (!status)
        vl_buf_printf(
            &w->buf,
            "<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Resources << >> >>\n"
            "endobj\n",
            OBJ_PAGES);
    return status;
}

/* ---- the font
 * --------------------------------------------------------------------------------- */

static void be16(vl_buf *out, unsigned value) {
    unsigned char bytes[2] = {(unsigned char)(value >> 8), (unsigned char)value};
    vl_buf_append(out, bytes, 2);
}

static void be32(vl_buf *out, uint32_t value) {
    be16(out, value >> 16);
    be16(out, value & 0xFFFF);
}

typedef struct sfnt_table {
    const char *tag;
    vl_buf bytes;
} sfnt_table;

static uint32_t sfnt_checksum(const vl_buf *bytes) {
    uint32_t sum = 0;
    for (size_t i = 0; i < bytes->len; i++)
        sum += (uint32_t)(unsigned char)bytes->data[i] << (24 - 8 * (i % 4));
    return sum;
}

static void words(vl_buf *out, const int *values, size_t count) {
    vl_buf_init(out, 256);
    for (size_t i = 0; i < count; i++)
        be16(out, (unsigned)values[i] & 0xFFFF);
}

/* A TrueType font (OpenType 1.9, "glyf" flavour) of one glyph without an outline. */
static void make_font(vl_buf *font) {
    static const int head[] = {1, 0, 1, 0, 0, 0,       0x5F0F,      0x3CF5, 0, 1000, 0, 0, 0, 0,
                               0, 0, 0, 0, 0, DESCENT, GLYPH_WIDTH, ASCENT, 0, 8,    2, 0, 0};
    static const int hhea[] = {1, 0, ASCENT, DESCENT, 0, GLYPH_WIDTH, 0, 0, 0,
                               1, 0, 0,      0,       0, 0,           0, 0, 1};
    static const int hmtx[] = {GLYPH_WIDTH, 0}, loca[] = {0, 0}, glyf[] = {0};
    static const int maxp[] = {1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    /* Format 4 with the one closing segment. */
    static const int cmap[] = {0, 1, 3, 1, 0,      12, 4,      24, 0,
                               2, 2, 0, 0, 0xFFFF, 0,  0xFFFF, 1,  0};
#define WORDS(name) name, sizeof name / sizeof *name
    sfnt_table tables[] = {{"cmap", {0}}, {"glyf", {0}}, {"head", {0}}, {"hhea", {0}},
                           {"hmtx", {0}}, {"loca", {0}}, {"maxp", {0}}};
    words(&tables[0].bytes, WORDS(cmap));
    words(&tables[1].bytes, WORDS(glyf));
    words(&tables[2].bytes, WORDS(head));
    words(&tables[3].bytes, WORDS(hhea));
    words(&tables[4].bytes, WORDS(hmtx));
    words(&tables[5].bytes, WORDS(loca));
    words(&tables[6].bytes, WORDS(maxp));
#undef WORDS
    enum { COUNT = sizeof tables / sizeof *tables };
    vl_buf_init(font, 4096);
    be32(font, 0x00010000);
    be16(font, COUNT);
    be16(font, 64); /* (largest power of two ≤ COUNT) × 16, its log, the rest */
    be16(font, 2);
    be16(font, COUNT * 16 - 64);
    uint32_t offset = 12 + COUNT * 16;
    for (size_t i = 0; i < COUNT; i++) {
        uint32_t length = (uint32_t)tables[i].bytes.len;
        vl_buf_puts(font, tables[i].tag);
        be32(font, sfnt_checksum(&tables[i].bytes));
        be32(font, offset);
        be32(font, length);
        offset += (length + 3) & ~3u;
    }
    for (size_t i = 0; i < COUNT; i++) {
        vl_buf_append(font, tables[i].bytes.data, tables[i].bytes.len);
        vl_buf_append(font, "\0\0\0", (4 - tables[i].bytes.len % 4) % 4);
        vl_buf_deinit(&tables[i].bytes);
    }
}

static vl_status put_to_unicode(vl_ocr_writer *w, vl_error *error) {
    enum { ENTRIES_PER_LIST = 100 }; /* the CMap format's limit */
    const pdf_state *s = w->state;
    vl_buf map;
    vl_buf_init(&map, 8 << 20);
    vl_buf_puts(&map,
                "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
                "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
                "/CMapName /VisLang-UCS def\n/CMapType 2 def\n"
                "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n");
    for (uint32_t code = 1; code <= s->code_count; code++) {
        uint32_t left = s->code_count - code + 1, point = s->code_points[code];
        if ((code - 1) % ENTRIES_PER_LIST == 0)
            vl_buf_printf(&map, "%u beginbfchar\n",
                          left < ENTRIES_PER_LIST ? left : ENTRIES_PER_LIST);
        if (point > 0xFFFF)
            vl_buf_printf(&map, "<%04X> <%04X%04X>\n", code, 0xD7C0 + (point >> 10),
                          0xDC00 + (point & 0x3FF));
        else
            vl_buf_printf(&map, "<%04X> <%04X>\n", code, point);
        if (code % ENTRIES_PER_LIST == 0 || code == s->code_count)
            vl_buf_puts(&map, "endbfchar\n");
    }
    vl_buf_puts(&map, "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
    vl_status status = vl_buf_status(&map, "the character map", error);
    if (!status)
        status = put_deflated(w, "", map.data, map.len, error);
    vl_buf_deinit(&map);
    return status;
}

static vl_status put_font(vl_ocr_writer *w, vl_error *error) {
    static const unsigned char no_glyphs[2 * (MAX_CODES + 1)];
    vl_status status = begin_object(w, OBJ_FONT, error);
    if (status)
        return status;
    vl_buf_printf(
        &w->buf,
        "<< /Type /Font /Subtype /Type0 /BaseFont /VisLangInvisible /Encoding /Identity-H "
        "/DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>\nendobj\n",
        OBJ_CID_FONT, OBJ_TO_UNICODE);
    begin_object(w, OBJ_CID_FONT, error);
    vl_buf_printf(&w->buf,
                  "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /VisLangInvisible "
                  "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
                  "/FontDescriptor %d 0 R /DW %d /CIDToGIDMap %d 0 R >>\nendobj\n",
                  OBJ_DESCRIPTOR, GLYPH_WIDTH, OBJ_GLYPH_MAP);
    begin_object(w, OBJ_DESCRIPTOR, error);
    vl_buf_printf(&w->buf,
                  "<< /Type /FontDescriptor /FontName /VisLangInvisible /Flags 4 "
                  "/FontBBox [0 %d %d %d] /ItalicAngle 0 /Ascent %d /Descent %d /CapHeight %d "
                  "/StemV 80 /FontFile2 %d 0 R >>\nendobj\n",
                  DESCENT, GLYPH_WIDTH, ASCENT, ASCENT, DESCENT, ASCENT, OBJ_FONT_FILE);
    begin_object(w, OBJ_FONT_FILE, error);
    vl_buf font, dictionary;
    make_font(&font);
    vl_buf_init(&dictionary, 64);
    vl_buf_printf(&dictionary, "/Length1 %zu", font.len);
    status = put_deflated(w, dictionary.data, font.data, font.len, error);
    vl_buf_deinit(&dictionary);
    vl_buf_deinit(&font);
    if (!status && !(status = begin_object(w, OBJ_GLYPH_MAP, error)))
        status = put_deflated(w, "", no_glyphs, sizeof no_glyphs, error);
    if (!status && !(status = begin_object(w, OBJ_TO_UNICODE, error)))
        status = put_to_unicode(w, error);
    return status;
}

/* ---- the end
 * ---------------------------------------------------------------------------------- */

/* A PDF text string in UTF-16BE with byte order mark (7.9.2.2), as hexadecimal. */
static void put_string(vl_buf *out, const char *text) {
    int32_t bytes = (int32_t)strlen(text);
    vl_buf_puts(out, "<FEFF");
    for (int32_t at = 0; at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        if (c > 0xFFFF)
            vl_buf_printf(out, "%04X%04X", (unsigned)(0xD7C0 + (c >> 10)),
                          (unsigned)(0xDC00 + (c & 0x3FF)));
        else
            vl_buf_printf(out, "%04X", (unsigned)c);
    }
    vl_buf_puts(out, ">");
}

static void put_xref(vl_ocr_writer *w) {
    const pdf_state *s = w->state;
    uint64_t start = w->bytes + w->buf.len;
    vl_buf_printf(&w->buf, "xref\n0 %zu\n0000000000 65535 f \n", s->offset_count);
    for (size_t i = 1; i < s->offset_count; i++) /* a page that was not read leaves holes */
        vl_buf_printf(&w->buf, s->offsets[i] ? "%010llu 00000 n \n" : "%010llu 65535 f \n",
                      (unsigned long long)s->offsets[i]);
    vl_buf_printf(
        &w->buf,
        "trailer\n<< /Size %zu /Root %d 0 R /Info %d 0 R >>\nstartxref\n%llu\n%%%%EOF\n",
        s->offset_count, OBJ_CATALOG, OBJ_INFO, (unsigned long long)start);
}

static vl_status pdf_end(vl_ocr_writer *w, vl_error *error) {
    vl_status status = put_font(w, error);
    if (status)
        return status;
    begin_object(w, OBJ_CATALOG, error);
    const pdf_state *s = w->state;
    vl_buf_printf(&w->buf, "<< /Type /Catalog /Pages %d 0 R /Lang (%s) >>\nendobj\n", OBJ_PAGES,
                  s->lang[0] ? s->lang : "und");
    begin_object(w, OBJ_PAGES, error);
    vl_buf_printf(&w->buf, "<< /Type /Pages /Count %u /Kids [", w->pages);
    for (uint32_t i = 0; i < w->pages; i++)
        vl_buf_printf(&w->buf, "%s%u 0 R", i % 12 ? " " : "\n", page_object(i));
    vl_buf_puts(&w->buf, "] >>\nendobj\n");
    begin_object(w, OBJ_INFO, error);
    vl_buf_puts(&w->buf, "<< /Producer (vislang " VL_VERSION ") /Title ");
    put_string(&w->buf, w->source);
    vl_buf_puts(&w->buf, " >>\nendobj\n");
    put_xref(w);
    return VL_OK;
}

const vl_format_ops vl_format_pdf = {.name = "pdf",
                                     .extension = ".pdf",
                                     .state_bytes = sizeof(pdf_state),
                                     .begin = pdf_begin,
                                     .page = pdf_page,
                                     .bad_page = pdf_bad_page,
                                     .end = pdf_end,
                                     .release = pdf_release};
