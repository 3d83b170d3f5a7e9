/* export_rows.c — items as rows of JSON whose types every reader finds the same. */
#include "dataset/export.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- values --------------------------------------------------------------------------------
 */

static bool digits(const char **at, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!isdigit((unsigned char)(*at)[i]))
            return false;
    *at += count;
    return true;
}

static bool take(const char **at, const char *any) {
    if (!**at || !strchr(any, **at))
        return false;
    (*at)++;
    return true;
}

/* Up to seconds, then Z or an offset: what Arrow's JSON reader takes for a time (its inference
 * knows no fractions of seconds). */
static bool is_time(const char *text) {
    const char *at = text;
    if (!digits(&at, 4) || !take(&at, "-") || !digits(&at, 2) || !take(&at, "-") ||
        !digits(&at, 2))
        return false;
    if (take(&at, "T ")) {
        if (!digits(&at, 2))
            return false;
        for (int i = 0; i < 2 && *at == ':'; i++)
            if (!take(&at, ":") || !digits(&at, 2))
                return false;
    }
    if (take(&at, "+-")) {
        if (!digits(&at, 2))
            return false;
        take(&at, ":");
        return !*at || (digits(&at, 2) && !*at);
    }
    take(&at, "Z");
    return !*at;
}

/* The escape of the character at `text`, with how many bytes it is of; 0: it has none. */
static size_t escape(const char *text, size_t bytes, char code[8]) {
    static const char plain[] = "\"\\\n\r\t", named[] = "\"\\nrt", hex[] = "0123456789abcdef";
    unsigned char c = (unsigned char)*text;
    const char *at = c ? strchr(plain, c) : NULL;
    /* Line ends to readers that cut at every line end that Unicode has. */
    bool separator =
        bytes > 2 && !memcmp(text, "\xE2\x80", 2) && (text[2] == '\xA8' || text[2] == '\xA9');
    if (at)
        snprintf(code, 8, "\\%c", named[at - plain]);
    else if (separator)
        snprintf(code, 8, "\\u202%c", text[2] == '\xA8' ? '8' : '9');
    else if (bytes > 1 && !memcmp(text, "\xC2\x85", 2))
        snprintf(code, 8, "\\u0085");
    else if (c < 0x20 || c == 0x7F)
        snprintf(code, 8, "\\u00%c%c", hex[c >> 4], hex[c & 15]);
    else
        return 0;
    return separator ? 3 : c == 0xC2 ? 2 : 1;
}

static void put_escaped(vl_buf *out, const char *text, size_t bytes) {
    size_t from = 0;
    char code[8];
    for (size_t i = 0; i < bytes; i++) {
        size_t length = escape(text + i, bytes - i, code);
        if (!length)
            continue;
        vl_buf_append(out, text + from, i - from);
        vl_buf_puts(out, code);
        i += length - 1;
        from = i + 1;
    }
    vl_buf_append(out, text + from, bytes - from);
}

void export_put_text(vl_buf *out, const char *text) {
    vl_buf_puts(out, "\"");
    put_escaped(out, text, strlen(text));
    /* A file in which all values are times would have a column of times. */
    vl_buf_puts(out, is_time(text) ? " \"" : "\"");
}

/* A time that stays a string: with milliseconds, or as a date of XML Schema ("2025-01-31Z"). */
static void put_time(vl_buf *out, const char *text) {
    size_t length = strlen(text);
    if (!is_time(text)) {
        export_put_text(out, text);
    } else if (length == 10) {
        vl_buf_printf(out, "\"%sZ\"", text);
    } else if (length >= 19 && text[16] == ':') {
        vl_buf_printf(out, "\"%.19s.000%s\"", text, text + 19);
    } else {
        export_put_text(out, text);
    }
}

void export_put_real(vl_buf *out, double value) {
    char text[32];
    snprintf(text, sizeof text, "%.6g", isfinite(value) ? value : 0);
    vl_buf_printf(out, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

static void put_box(vl_buf *out, bool there, vl_box box) {
    if (there)
        vl_buf_printf(out, "[%lld, %lld, %lld, %lld]", (long long)box.x, (long long)box.y,
                      (long long)box.width, (long long)box.height);
    else
        vl_buf_puts(out, "[0, 0, 0, 0]");
}

static void put_quality(vl_buf *out, const vl_item *item) {
    for (vl_quality_part i = 0; i < VL_QUALITY_PART_COUNT; i++) {
        vl_buf_printf(out, "%s\"%s\": ", i ? ", " : "{", vl_quality_part_name(i));
        export_put_real(out, item->quality[i]);
    }
    vl_buf_puts(out, "}");
}

static void put_personal(vl_buf *out, const vl_item *item) {
    for (size_t i = 0; i < VL_ITEM_PERSONAL; i++)
        vl_buf_printf(out, "%s\"%s\": %u", i ? ", " : "{", vl_item_personal_name(i),
                      item->personal[i]);
    vl_buf_puts(out, "}");
}

/* ---- columns -------------------------------------------------------------------------------
 */

typedef enum column_id {
    ID,
    BASE,
    KIND,
    SPLIT,
    PICTURE,
    PICTURE_SHA256,
    WIDTH,
    HEIGHT,
    PICTURE_KIND,
    PHASH,
    INSTRUCTION,
    TEXT,
    INSTRUCTION_LANGUAGE,
    LANGUAGE,
    SCRIPT,
    ORIGIN,
    PHRASE,
    REGION,
    SCORE,
    REVIEW,
    DOCUMENT,
    RECORD,
    URL,
    TITLE,
    LICENCE,
    PUBLISHER,
    PUBLISHED,
    FETCHED,
    PAGE,
    PART,
    TEXT_PART,
    BOX,
    DPI,
    OCR,
    QUALITY,
    PERSONAL,
    COLUMNS
} column_id;

const export_column export_columns[] = {
    [ID] = {"id", EXPORT_TEXT, "Identifier, 16 hexadecimal digits", true, true},
    [BASE] = {"base", EXPORT_TEXT, "Of an example: id of the base item it is made of", false,
              false},
    [KIND] = {"kind", EXPORT_TEXT,
              "pair, text (base items); describe, question, read, language, change, crisis "
              "(examples)",
              true, true},
    [SPLIT] = {"split", EXPORT_TEXT, "train, validation or test", false, true},
    [PICTURE] = {"picture", EXPORT_TEXT, "Path of the picture; empty: none", false, false},
    [PICTURE_SHA256] = {"picture_sha256", EXPORT_TEXT, "SHA-256 of the picture's file", false,
                        true},
    [WIDTH] = {"width", EXPORT_COUNT, "Width of the picture, pixels", false, true},
    [HEIGHT] = {"height", EXPORT_COUNT, "Height of the picture, pixels", false, true},
    [PICTURE_KIND] = {"picture_kind", EXPORT_TEXT,
                      "page, figure, chart, map, photograph or table", false, true},
    [PHASH] = {"phash", EXPORT_TEXT, "Perceptual hash of the picture, 16 hexadecimal digits",
               false, true},
    [INSTRUCTION] = {"instruction", EXPORT_TEXT, "Instruction; empty for base items", true,
                     false},
    [TEXT] = {"text", EXPORT_TEXT, "Caption or passage; of an example the response", true,
              true},
    [INSTRUCTION_LANGUAGE] = {"instruction_language", EXPORT_TEXT,
                              "Language of the instruction, ISO 639-3", true, false},
    [LANGUAGE] = {"language", EXPORT_TEXT, "Language of the text, ISO 639-3", true, true},
    [SCRIPT] = {"script", EXPORT_TEXT, "Script of the text, ISO 15924", true, true},
    [ORIGIN] = {"origin", EXPORT_TEXT,
                "Where the words of the text are from: document, aligned:NAME, "
                "alignment:CONFIDENCE, template, label",
                true, true},
    [PHRASE] = {"phrase", EXPORT_TEXT, "Template of the example", true, false},
    [REGION] = {"region", EXPORT_BOX,
                "Region of the picture that is spoken of: x, y, width, height in pixels; "
                "zeros: none",
                true, true},
    [SCORE] = {"score", EXPORT_REAL, "Quality, 0 to 1", false, true},
    [REVIEW] = {"review", EXPORT_TEXT, "accepted, corrected, or empty: not reviewed", true,
                true},
    [DOCUMENT] = {"document", EXPORT_TEXT, "SHA-256 of the document it is from", false, true},
    [RECORD] = {"record", EXPORT_TEXT, "SOURCE/KEY of the record the document belongs to",
                false, true},
    [URL] = {"url", EXPORT_TEXT, "Address of the document", false, true},
    [TITLE] = {"title", EXPORT_TEXT, "Title of the document", false, true},
    [LICENCE] = {"licence", EXPORT_TEXT, "Licence of the document, as its source says it",
                 false, true},
    [PUBLISHER] = {"publisher", EXPORT_TEXT, "Publisher of the document", false, true},
    [PUBLISHED] = {"published", EXPORT_TEXT, "When it was published", false, true},
    [FETCHED] = {"fetched", EXPORT_TEXT, "When it was fetched", false, true},
    [PAGE] = {"page", EXPORT_COUNT, "Page of the document, from 1", false, true},
    [PART] = {"part", EXPORT_COUNT, "Part of the document, from 0: picture or passage", false,
              true},
    [TEXT_PART] = {"text_part", EXPORT_COUNT, "Part that the text is from, from 0", false,
                   true},
    [BOX] = {"box", EXPORT_BOX,
             "Where the part stands on the page: x, y, width, height in pixels at dpi; zeros: "
             "not known",
             false, true},
    [DPI] = {"dpi", EXPORT_REAL, "Resolution of the page that box refers to", false, true},
    [OCR] = {"ocr", EXPORT_TRUTH, "Whether the text was read off a picture", false, true},
    [QUALITY] = {"quality", EXPORT_QUALITY, "Parts of the quality, 0 to 1 each", false, true},
    [PERSONAL] = {"personal", EXPORT_PERSONAL, "Personal data that was replaced, by kind",
                  false, true},
};
const size_t export_column_count = COLUMNS;
_Static_assert(sizeof export_columns / sizeof *export_columns == COLUMNS,
               "a column is described");

static const char *text_of(const vl_item *item, column_id column, const char *picture,
                           char scratch[VL_SHA256_HEX_SIZE]) {
    switch (column) {
    case ID:
        return item->id;
    case BASE:
        return item->base;
    case KIND:
        return *item->id ? vl_item_kind_name(item->kind) : "";
    case SPLIT:
        return vl_split_name(item->split);
    case PICTURE:
        return picture;
    case PICTURE_SHA256:
        folder_picture_hash(item->picture, scratch);
        return scratch;
    case PICTURE_KIND:
        return item->picture_kind;
    case PHASH:
        *scratch = '\0';
        if (item->has_phash)
            snprintf(scratch, VL_SHA256_HEX_SIZE, "%016llx", (unsigned long long)item->phash);
        return scratch;
    case INSTRUCTION:
        return item->instruction;
    case TEXT:
        return item->text;
    case INSTRUCTION_LANGUAGE:
        return item->instruction_language;
    case LANGUAGE:
        return item->language;
    case SCRIPT:
        return item->script;
    case ORIGIN:
        return item->origin;
    case PHRASE:
        return item->phrase;
    case REVIEW:
        return item->review;
    case DOCUMENT:
        return item->source.document;
    case RECORD:
        return item->source.record;
    case URL:
        return item->source.url;
    case TITLE:
        return item->source.title;
    case LICENCE:
        return item->source.licence;
    case PUBLISHER:
        return item->source.publisher;
    default:
        return "";
    }
}

static void put_column(vl_buf *out, const vl_item *item, column_id column,
                       const char *picture) {
    char scratch[VL_SHA256_HEX_SIZE];
    switch (column) {
    case WIDTH:
        vl_buf_printf(out, "%u", item->width);
        break;
    case HEIGHT:
        vl_buf_printf(out, "%u", item->height);
        break;
    case PAGE:
        vl_buf_printf(out, "%llu", (unsigned long long)item->source.page + 1);
        break;
    case PART:
        vl_buf_printf(out, "%u", item->source.part);
        break;
    case TEXT_PART:
        vl_buf_printf(out, "%u", item->source.text_part);
        break;
    case SCORE:
        export_put_real(out, item->score);
        break;
    case DPI:
        export_put_real(out, item->source.dpi);
        break;
    case OCR:
        vl_buf_puts(out, item->source.ocr ? "true" : "false");
        break;
    case REGION:
        put_box(out, item->has_region, item->region);
        break;
    case BOX:
        put_box(out, item->source.has_box, item->source.box);
        break;
    case QUALITY:
        put_quality(out, item);
        break;
    case PERSONAL:
        put_personal(out, item);
        break;
    case PUBLISHED:
        put_time(out, item->source.published);
        break;
    case FETCHED:
        put_time(out, item->source.fetched);
        break;
    default:
        export_put_text(out, text_of(item, column, picture, scratch));
        break;
    }
}

void export_put_columns(vl_buf *out, const vl_item *item, const char *picture,
                        export_which which) {
    bool first = true;
    for (column_id i = 0; i < COLUMNS; i++) {
        if ((which == EXPORT_BASE && !export_columns[i].base) ||
            (which == EXPORT_OWN && !export_columns[i].own))
            continue;
        vl_buf_printf(out, "%s\"%s\": ", first ? "" : ", ", export_columns[i].name);
        put_column(out, item, i, picture);
        first = false;
    }
}

/* Without an id, and so without a kind. */
static const vl_item no_example = {.picture = "",
                                   .picture_kind = "",
                                   .instruction = "",
                                   .text = "",
                                   .origin = "",
                                   .phrase = "",
                                   .review = ""};

void export_put_examples(vl_buf *out, const export_group *group) {
    size_t count = group->count ? group->count : 1;
    vl_buf_printf(out, "\"example_count\": %zu, \"examples\": [", group->count);
    for (size_t i = 0; i < count; i++) {
        vl_buf_puts(out, i ? ", {" : "{");
        export_put_columns(out, group->count ? &group->examples[i] : &no_example, "",
                           EXPORT_OWN);
        vl_buf_puts(out, "}");
    }
    vl_buf_puts(out, "]");
}

void export_put_region(vl_buf *out, const vl_item *item, const vl_item *base) {
    double width = base->width, height = base->height;
    const vl_box *r = &item->region;
    if (!item->has_region || width < 1 || height < 1)
        return;
    vl_buf_printf(out, " [%.2f, %.2f, %.2f, %.2f]", r->x / width, r->y / height,
                  (r->x + r->width) / width, (r->y + r->height) / height);
}

vl_status export_flush(export *e, vl_file_writer *file, vl_error *error) {
    vl_status status = vl_buf_status(&e->line, "a row of the export", error);
    if (!status)
        status = vl_file_writer_put(file, e->line.data, e->line.len, error);
    vl_buf_clear(&e->line);
    return status;
}
