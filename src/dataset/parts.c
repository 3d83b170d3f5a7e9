/* parts.c — a document to its parts: which format it is, what all readers share, and the
 * picture of a part.
 *
 *   parts_add, parts_text, parts_table_*   what readers add
 *   vl_parts_read, vl_parts_picture        the contract */
#include "dataset/encoding.h"
#include "dataset/package.h"
#include "dataset/parts.h"
#include "media/decode.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

static const char *const kind_names[VL_PART_KIND_COUNT] = {
    "heading", "paragraph", "list",       "table",   "figure",
    "chart",   "map",       "photograph", "caption", "running"};

const char *vl_part_kind_name(vl_part_kind kind) {
    return (unsigned)kind < VL_PART_KIND_COUNT ? kind_names[kind] : "unknown";
}

bool vl_part_is_picture(vl_part_kind kind) {
    return kind == VL_PART_FIGURE || kind == VL_PART_CHART || kind == VL_PART_MAP ||
           kind == VL_PART_PHOTOGRAPH;
}

vl_parts_options vl_parts_options_default(void) {
    return (vl_parts_options){.limits = vl_media_limits_default(),
                              .max_bytes = (size_t)64 << 20,
                              .max_parts = 200000};
}

/* ---- what readers add -------------------------------------------------------------------- */

vl_part parts_blank(vl_part_kind kind) {
    return (vl_part){.kind = kind,
                     .text = "",
                     .language = "und",
                     .script = "Zyyy",
                     .confidence = 1,
                     .caption = VL_PART_NONE};
}

static vl_status out_of_arena(parts_builder *b) {
    return b->status = vl_fail(b->error, VL_ERR_MEMORY,
                               "the document's parts are larger than the memory for them");
}

/* White space to one space, or to one line end where `lines`, none at the ends; in place. */
static void squeeze(char *text, bool lines) {
    char *to = text, gap = 0;
    int32_t bytes = (int32_t)strlen(text);
    for (int32_t at = 0, start = 0; at < bytes; start = at) {
        UChar32 c = (unsigned char)text[at];
        if (c < 0x80)
            at++;
        else
            U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        if (c <= ' ' || (c >= 0x7F && u_isUWhiteSpace(c))) {
            gap = lines && c == '\n' ? '\n' : gap ? gap : ' ';
            continue;
        }
        if (gap && to != text)
            *to++ = gap;
        gap = 0;
        memmove(to, text + start, (size_t)(at - start));
        to += at - start;
    }
    *to = '\0';
}

const char *parts_text(parts_builder *b, const char *text, bool lines) {
    if (b->status)
        return NULL;
    char *clean = strlen(text) < INT32_MAX ? vl_text_nfc(b->arena, text) : NULL;
    if (clean)
        squeeze(clean, lines);
    else
        out_of_arena(b);
    return clean;
}

static bool is_east_asian(UChar32 c, UScriptCode script) {
    return script == USCRIPT_HAN || script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA ||
           (c >= 0x3000 && c <= 0x303F) || (c >= 0xFF00 && c <= 0xFFEF);
}

static bool is_unspaced(UChar32 c) {
    static const UScriptCode scripts[] = {USCRIPT_THAI, USCRIPT_LAO, USCRIPT_KHMER,
                                          USCRIPT_MYANMAR, USCRIPT_TIBETAN};
    UErrorCode code = U_ZERO_ERROR;
    UScriptCode script = uscript_getScript(c, &code);
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        if (script == scripts[i] && !u_hasBinaryProperty(c, UCHAR_S_TERM))
            return true;
    return is_east_asian(c, script);
}

bool parts_join_closely(const char *before, size_t bytes, const char *after) {
    int32_t end = bytes < INT32_MAX ? (int32_t)bytes : 0, start = 0;
    int32_t count = (int32_t)strnlen(after, U8_MAX_LENGTH);
    UChar32 last, first;
    if (!end || !count || (unsigned char)before[end - 1] < 0x80)
        return false;
    U8_PREV_OR_FFFD((const uint8_t *)before, 0, end, last);
    U8_NEXT_OR_FFFD((const uint8_t *)after, start, count, first);
    return is_unspaced(last) && is_unspaced(first);
}

static bool make_room(parts_builder *b) {
    if (b->out->part_count < b->capacity)
        return true;
    size_t more = b->capacity ? b->capacity * 2 : 64;
    vl_part *parts = vl_arena_grow(b->arena, b->out->parts, b->capacity * sizeof *parts,
                                   more * sizeof *parts);
    if (!parts)
        return false;
    b->out->parts = parts;
    b->capacity = more;
    return true;
}

static vl_status too_many(parts_builder *b) {
    return b->status = vl_fail(b->error, VL_ERR_LIMIT,
                               "the document has more than %zu parts and cells of tables",
                               b->options->max_parts);
}

vl_status parts_add(parts_builder *b, const vl_part *part, size_t *index) {
    if (index)
        *index = VL_PART_NONE;
    if (b->status)
        return b->status;
    if (!vl_part_is_picture(part->kind) && !part->cell_count && !*part->text)
        return VL_OK;
    if (b->out->part_count + b->cells >= b->options->max_parts)
        return too_many(b);
    if (!make_room(b))
        return out_of_arena(b);
    if (index)
        *index = b->out->part_count;
    b->out->parts[b->out->part_count++] = *part;
    return VL_OK;
}

/* ---- tables ------------------------------------------------------------------------------ */

parts_table *parts_table_new(parts_builder *b) {
    parts_table *table = vl_arena_alloc(b->arena, sizeof *table);
    if (table)
        table->builder = b;
    else
        out_of_arena(b);
    return table;
}

static void skip_busy(parts_table *table) {
    while (table->column < PARTS_COLUMNS_MAX && table->busy[table->column])
        table->column++;
}

void parts_table_row_end(parts_table *table) {
    for (size_t i = 0; i < table->columns; i++)
        if (table->busy[i])
            table->busy[i]--;
    table->row++;
    table->column = 0;
}

static vl_part_cell *next_cell(parts_table *table) {
    parts_builder *b = table->builder;
    if (b->out->part_count + b->cells >= b->options->max_parts) {
        too_many(b);
        return NULL;
    }
    if (table->count == table->capacity) {
        size_t more = table->capacity ? table->capacity * 2 : 16;
        vl_part_cell *cells = vl_arena_grow(b->arena, table->cells,
                                            table->count * sizeof *cells, more * sizeof *cells);
        if (!cells) {
            out_of_arena(b);
            return NULL;
        }
        table->cells = cells;
        table->capacity = more;
    }
    b->cells++;
    return &table->cells[table->count++];
}

static uint32_t within(uint32_t value, uint32_t low, uint32_t high) {
    return value < low ? low : value > high ? high : value;
}

vl_status parts_table_cell_at(parts_table *table, vl_part_cell at) {
    const char *clean = parts_text(table->builder, at.text, true);
    if (!clean || at.column >= PARTS_COLUMNS_MAX || at.row >= PARTS_ROWS_MAX ||
        at.row < table->row)
        return table->builder->status;
    vl_part_cell *cell = next_cell(table);
    if (!cell)
        return table->builder->status;
    *cell = at;
    cell->text = clean;
    cell->column_span = within(at.column_span, 1, PARTS_COLUMNS_MAX - at.column);
    cell->row_span = within(at.row_span, 1, PARTS_ROWS_MAX - at.row);
    table->row = at.row;
    table->columns = within(table->columns, at.column + cell->column_span, PARTS_COLUMNS_MAX);
    return VL_OK;
}

vl_status parts_table_cell(parts_table *table, uint32_t row_span, uint32_t column_span,
                           bool heading, const char *text) {
    skip_busy(table);
    size_t before = table->count;
    vl_part_cell at = {table->row, table->column, row_span, column_span, heading, text};
    vl_status status = parts_table_cell_at(table, at);
    if (status || table->count == before)
        return status;
    const vl_part_cell *cell = &table->cells[before];
    for (uint32_t i = 0; i < cell->column_span; i++)
        table->busy[cell->column + i] = cell->row_span;
    table->column += cell->column_span;
    return VL_OK;
}

static const char *table_text(parts_table *table) {
    vl_buf out;
    vl_buf_init(&out, (size_t)256 << 20);
    for (size_t i = 0; i < table->count; i++) {
        const vl_part_cell *cell = &table->cells[i];
        if (i)
            vl_buf_puts(&out, cell->row == cell[-1].row ? "\t" : "\n");
        for (const char *at = cell->text; *at; at++)
            vl_buf_append(&out, *at == '\n' ? " " : at, 1);
    }
    char *text =
        out.failed ? NULL
                   : vl_arena_strndup(table->builder->arena, out.data ? out.data : "", out.len);
    vl_buf_deinit(&out);
    return text;
}

bool parts_table_finish(parts_table *table, vl_part *part) {
    if (!table->count || table->builder->status)
        return false;
    uint32_t rows = table->cells[table->count - 1].row + 1;
    bool any = false;
    for (size_t i = 0; i < table->count; i++) {
        table->cells[i].row_span =
            within(table->cells[i].row_span, 1, rows - table->cells[i].row);
        any = any || *table->cells[i].text;
    }
    if (!any)
        return false;
    part->cells = table->cells;
    part->cell_count = table->count;
    part->row_count = rows;
    part->column_count = table->columns;
    part->text = table_text(table);
    if (!part->text)
        out_of_arena(table->builder);
    return part->text != NULL;
}

/* ---- formats ----------------------------------------------------------------------------- */

static bool has_type(const char *type, const char *name) {
    size_t length = strlen(name);
    return type && !strncasecmp(type, name, length) && !strchr("+-./", type[length] ?: ' ');
}

/* Markup that begins as pages do (`whole`: as nothing else does), in any encoding whose ASCII
 * is ASCII, or in UTF-16. */
static bool looks_like_html(const unsigned char *bytes, size_t count, bool whole) {
    static const char *const openings[] = {"<!doctype html", "<html",  "<head", "<body",
                                           "<meta",          "<title", "<div",  "<p>",
                                           "<!--",           "<?xml",  "<h1",   "<article"};
    char head[512];
    size_t length = 0;
    for (size_t i = 0; i < count && i < 1024 && length + 1 < sizeof head; i++)
        if (bytes[i] && bytes[i] < 128 && (length || bytes[i] > ' '))
            head[length++] = (char)bytes[i];
    head[length] = '\0';
    for (size_t i = 0; i < (whole ? 2 : sizeof openings / sizeof *openings); i++)
        if (!strncasecmp(head, openings[i], strlen(openings[i])))
            return strncasecmp(head, "<?xml", 5) != 0 || strcasestr(head, "<html");
    return false;
}

/* Plain text is what nothing says to be something else, as formats of text do by how they
 * begin. */
static bool looks_like_plain_text(const void *bytes, size_t count, const char *type) {
    static const char *const others[] = {"{\\rtf", "%!PS", "<?xml", "<svg", "<!", "{\"", "[{"};
    const char *text = bytes, *end = text + count;
    bool plain = !type || !*type || has_type(type, "text/plain") ||
                 has_type(type, "text/markdown") || has_type(type, "application/octet-stream");
    if (count >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3))
        text += 3;
    while (text < end && *text && strchr(" \t\r\n", *text))
        text++;
    for (size_t i = 0; plain && i < sizeof others / sizeof *others; i++) {
        size_t length = strlen(others[i]);
        plain = (size_t)(end - text) < length || strncasecmp(text, others[i], length) != 0;
    }
    return plain && encoding_is_text(bytes, count, type);
}

/* OpenDocument says what it is; for the rest the reader of DOCX does. NULL: another kind of
 * OpenDocument, or an EPUB book. */
static parts_reader reader_of_package(const void *bytes, size_t count, const char **name) {
    static const char text[] = "application/vnd.oasis.opendocument.text";
    vl_buf type;
    vl_buf_init(&type, 200);
    bool says = !package_read(bytes, count, "mimetype", &type, NULL) && type.len;
    bool odt = says && !strncmp(type.data, text, sizeof text - 1);
    vl_buf_deinit(&type);
    *name = odt ? "odt" : "docx";
    return odt ? parts_odt_read : says ? NULL : parts_docx_read;
}

static parts_reader reader_of(const void *bytes, size_t count, const char *type,
                              const char **name) {
    bool html = has_type(type, "text/html") || has_type(type, "application/xhtml+xml");
    vl_media_kind kind = vl_media_sniff(bytes, count);
    if (kind != VL_MEDIA_UNKNOWN) {
        *name = vl_media_kind_name(kind);
        return parts_pages_read;
    }
    if (package_is(bytes, count))
        return reader_of_package(bytes, count, name);
    *name = "html";
    if (html || looks_like_html(bytes, count, has_type(type, "text/plain")))
        return parts_html_read;
    *name = "text";
    return looks_like_plain_text(bytes, count, type) ? parts_plain_read : NULL;
}

static vl_status prepare(parts_builder *b, const void *bytes, size_t count,
                         const char *format) {
    struct vl_parts_source *from = vl_arena_alloc(b->arena, sizeof *from);
    b->out = vl_arena_alloc(b->arena, sizeof *b->out);
    if (!from || !b->out)
        return out_of_arena(b);
    *from = (struct vl_parts_source){
        .bytes = bytes, .count = count, .options = *b->options, .arena = b->arena};
    *b->out = (vl_parts){.format = format, .title = "", .from = from};
    b->out->pages = vl_arena_alloc(b->arena, sizeof *b->out->pages);
    b->out->page_count = 1;
    return b->out->pages ? VL_OK : out_of_arena(b);
}

vl_status vl_parts_read(const void *bytes, size_t count, const vl_parts_options *options,
                        vl_arena *arena, vl_parts **parts, vl_error *error) {
    vl_parts_options usual = vl_parts_options_default();
    vl_error local;
    parts_builder b = {
        .arena = arena, .options = options ? options : &usual, .error = error ? error : &local};
    const char *format = NULL;
    *parts = NULL;
    if (!count)
        return vl_fail(error, VL_ERR_INPUT, "the document is empty");
    if (count > b.options->max_bytes)
        return vl_fail(error, VL_ERR_LIMIT, "the document has %zu bytes; the limit is %zu",
                       count, b.options->max_bytes);
    parts_reader reader = reader_of(bytes, count, b.options->type, &format);
    if (!reader)
        return vl_fail(
            error, VL_ERR_UNSUPPORTED,
            "this looks like %s, which is not taken apart; HTML, plain text, DOCX, ODT, PDF "
            "and pictures of pages are",
            vl_media_looks_like(bytes, count));
    vl_status status = prepare(&b, bytes, count, format);
    if (!status)
        status = reader(&b, bytes, count);
    if (!status)
        status = parts_finish(&b);
    if (!status)
        *parts = b.out;
    return status;
}

/* ---- over pages ---------------------------------------------------------------------------
 */

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

const char *vl_parts_whole_text(const vl_parts *parts, size_t index, vl_arena *arena) {
    const char *text = parts->parts[index].text;
    while (text && parts->parts[index].goes_on > index) {
        index = parts->parts[index].goes_on;
        const char *next = parts->parts[index].text;
        size_t length = strlen(text);
        bool parted = length > 1 && text[length - 1] == '-' &&
                      (is_lower(text[length - 2]) || (unsigned char)text[length - 2] >= 0x80) &&
                      !(*next >= 'A' && *next <= 'Z');
        bool close = parted || parts_join_closely(text, length, next);
        text = vl_arena_printf(arena, "%.*s%s%s", (int)(parted ? length - 1 : length), text,
                               close ? "" : " ", next);
    }
    return text;
}

/* ---- pictures ---------------------------------------------------------------------------- */

/* "data:image/png;base64,…" (RFC 2397); white space within is allowed there. */
static vl_status picture_of_data(const char *source, const vl_media_limits *limits,
                                 vl_image **image, vl_error *error) {
    const char *comma = strchr(source, ',');
    if (!comma || comma - source < 7 || strncasecmp(comma - 7, ";base64", 7) != 0)
        return vl_fail(error, VL_ERR_UNSUPPORTED, "the picture's data: address is not base64");
    size_t length = 0, count = 0, most = strlen(comma + 1);
    char *text = malloc(most + 4);
    unsigned char *bytes = malloc(most + 4);
    vl_status status = text && bytes ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (const char *at = comma + 1; !status && *at; at++)
        if (!strchr(" \t\r\n", *at))
            text[length++] = *at;
    if (!status && !vl_base64_decode(text, length, false, bytes, &count))
        status = vl_fail(error, VL_ERR_INPUT, "the picture's data: address is broken base64");
    if (!status)
        status = vl_document_first(bytes, count, limits, image, error);
    free(text);
    free(bytes);
    return status;
}

static vl_status picture_of_package(const struct vl_parts_source *from, const char *source,
                                    const vl_media_limits *limits, vl_image **image,
                                    vl_error *error) {
    vl_buf bytes;
    vl_buf_init(&bytes, limits->max_bytes);
    vl_status status = package_read(from->bytes, from->count, source, &bytes, error);
    if (!status)
        status = vl_document_first(bytes.data, bytes.len, limits, image, error);
    vl_buf_deinit(&bytes);
    return status;
}

vl_status vl_parts_picture(const vl_parts *parts, size_t index, const vl_media_limits *limits,
                           vl_image **image, vl_error *error) {
    vl_media_limits usual = vl_media_limits_default();
    *image = NULL;
    const vl_part *part = index < parts->part_count ? &parts->parts[index] : NULL;
    bool table = part && part->kind == VL_PART_TABLE && part->has_box;
    if (!part || (!table && !vl_part_is_picture(part->kind)))
        return vl_fail(error, VL_ERR_USAGE, "part %zu is no picture", index);
    if (parts->from->pages)
        return parts_pages_picture(parts, index, limits, image, error);
    if (parts->from->package && part->source && !strstr(part->source, "://"))
        return picture_of_package(parts->from, part->source, limits ? limits : &usual, image,
                                  error);
    if (part->source && !strncasecmp(part->source, "data:", 5))
        return picture_of_data(part->source, limits ? limits : &usual, image, error);
    return vl_fail(error, VL_ERR_MISSING, "the picture of part %zu stands elsewhere: %s", index,
                   part->source ? part->source : "no address");
}

vl_status vl_parts_page_picture(const vl_parts *parts, uint32_t page,
                                const vl_media_limits *limits, vl_image **image,
                                vl_error *error) {
    *image = NULL;
    if (page >= parts->page_count || !parts->from->pages || !parts->pages[page].width)
        return vl_fail(error, VL_ERR_USAGE, "page %u has no picture", page + 1);
    return parts_pages_whole(parts, page, limits, image, error);
}
