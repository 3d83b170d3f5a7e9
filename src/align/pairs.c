/* pairs.c — see pairs.h.
 *
 * Whether a table has ids is told over the whole file: three columns of which the last is not
 * empty, against two (a third that is empty does not count). Tables made by spreadsheets end
 * some lines with tabs, and translations that hold line breaks leave pieces of lines; neither
 * may turn the columns of the others. */
#include "align/pairs.h"
#include "align/edit_distance.h"

#include <vislang/text.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/uchar.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK = 64 * 1024, MAX_CELLS = 8 };

/* ---- bytes ------------------------------------------------------------------------------- */

static vl_status inflate_all(gzFile in, const char *path, vl_buf *out, vl_error *error) {
    char chunk[CHUNK];
    int got;
    while ((got = gzread(in, chunk, sizeof chunk)) > 0) {
        vl_buf_append(out, chunk, (size_t)got);
        if (out->failed)
            return vl_fail(error, VL_ERR_LIMIT, "%s is larger than %zu bytes", path, out->max);
    }
    if (got < 0) {
        int code = 0;
        const char *why = gzerror(in, &code);
        return vl_fail(error, code == Z_ERRNO && errno != EISDIR ? VL_ERR_IO : VL_ERR_INPUT,
                       "cannot read %s: %s", path, code == Z_ERRNO ? strerror(errno) : why);
    }
    return VL_OK;
}

vl_status align_file_read(const char *path, vl_buf *out, vl_error *error) {
    bool standard = !strcmp(path, "-");
    int fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return vl_fail(error,
                       errno == ENOENT || errno == ENOTDIR || errno == EISDIR ? VL_ERR_INPUT
                                                                              : VL_ERR_IO,
                       "cannot read %s: %s", path, strerror(errno));
    gzFile in = gzdopen(fd, "rb");
    if (!in) {
        close(fd);
        return vl_fail(error, VL_ERR_MEMORY, "cannot read %s: no memory", path);
    }
    const char *name = standard ? "standard input" : path;
    vl_status status = inflate_all(in, name, out, error);
    int closed = gzclose(in);
    if (!status && closed == Z_BUF_ERROR)
        status = vl_fail(error, VL_ERR_INPUT, "%s: the compressed data ends too early", name);
    return status;
}

/* ---- lines ------------------------------------------------------------------------------- */

/* What is left of a buffer; a line is cut out of it in place. */
typedef struct reader {
    const char *name;
    char *at, *end;
    size_t line;
} reader;

static reader reader_of(const char *name, vl_buf *bytes) {
    reader r = {name, bytes->data, bytes->data ? bytes->data + bytes->len : NULL, 0};
    if (bytes->len >= 3 && !memcmp(r.at, "\xEF\xBB\xBF", 3))
        r.at += 3;
    return r;
}

/* The next line, NUL-terminated without its end, or NULL; `length` counts NULs inside. */
static char *next_line(reader *r, size_t *length) {
    if (!r->at || r->at >= r->end)
        return NULL;
    char *line = r->at, *stop = memchr(line, '\n', (size_t)(r->end - line));
    if (!stop)
        stop = r->end; /* vl_buf ends with a NUL of its own */
    r->at = stop + 1;
    r->line++;
    *length = (size_t)(stop - line);
    if (*length && line[*length - 1] == '\r')
        --*length;
    line[*length] = '\0';
    return line;
}

/* Bytes of the white space that `text` begins with: ASCII's, no-break space, byte order mark.
 */
static size_t space_at(const char *text) {
    if (*text && strchr(" \t\r\v\f", *text))
        return 1;
    if (!strncmp(text, "\xC2\xA0", 2))
        return 2;
    return strncmp(text, "\xEF\xBB\xBF", 3) ? 0 : 3;
}

static char *trim(char *text) {
    for (size_t n; (n = space_at(text)) > 0;)
        text += n;
    size_t length = strlen(text);
    for (bool cut = true; cut;) {
        cut = false;
        for (size_t n = 1; n <= 3 && n <= length && !cut; n++)
            if (space_at(text + length - n) == n) {
                length -= n;
                text[length] = '\0';
                cut = true;
            }
    }
    return text;
}

/* ---- cells ------------------------------------------------------------------------------- */

/* Whether there is a letter or digit: a quotation mark alone, as broken cells leave, is no
 * text.
 */
static bool says_something(const char *cell) {
    while (*cell)
        if (u_isalnum((UChar32)align_next_point(&cell)))
            return true;
    return false;
}

/* Cuts a line at its tabs and trims the cells; those from `MAX_CELLS` on are only counted.
 * Cells at the end that say nothing do not count, but for the first three. */
static size_t cut_cells(char *line, char *cells[MAX_CELLS]) {
    size_t count = 0, used = 0;
    for (char *next = line; next;) {
        char *cell = next;
        if ((next = strchr(cell, '\t')))
            *next++ = '\0';
        cell = trim(cell);
        if (count < MAX_CELLS)
            cells[count] = cell;
        count++;
        used = says_something(cell) ? count : used;
    }
    size_t least = count < 3 ? count : 3;
    return used > least ? used : least;
}

static bool is_one_of(const char *cell, const char *const *words) {
    for (; *words; words++)
        if (!strcasecmp(cell, *words))
            return true;
    return false;
}

static bool names_language(const char *cell, const char *language) {
    return language && *language &&
           (!strcasecmp(cell, language) || !strcasecmp(cell, vl_lang_short(language)) ||
            !strcasecmp(cell, vl_lang_code(language)) ||
            !strcasecmp(cell, vl_lang_name(vl_lang_code(language))));
}

/* Both names of columns: `source` and `target`, or the two languages. */
static bool is_header(const char *a, const char *b, const align_pairs_options *options) {
    static const char *const first[] = {"source",   "src",         "sentence",
                                        "text",     "source_text", "sourceString",
                                        "headword", "word",        NULL};
    static const char *const second[] = {"target",      "tgt",          "trg", "translation",
                                         "target_text", "targetString", NULL};
    return (is_one_of(a, first) || names_language(a, options->src)) &&
           (is_one_of(b, second) || names_language(b, options->tgt));
}

/* ---- what is left out -------------------------------------------------------------------- */

const char *align_pair_fault_name(align_pair_fault fault) {
    static const char *const names[] = {"columns", "empty", "utf8"};
    return names[fault];
}

size_t align_pairs_left_out(const align_pairs *pairs) {
    size_t sum = 0;
    for (size_t i = 0; i < ALIGN_PAIR_FAULTS; i++)
        sum += pairs->left_out[i];
    return sum;
}

typedef struct building {
    align_pairs *pairs;
    const align_pairs_options *options;
    size_t room;
    vl_error *error;
} building;

static vl_status leave_out(building *b, align_pair_fault fault, const char *name, size_t line,
                           const char *why) {
    align_pairs *p = b->pairs;
    if (b->options->strict)
        return vl_fail(b->error, VL_ERR_INPUT, "%s: line %zu: %s", name, line, why);
    if (!p->left_out[fault]++ && !*p->first_left_out)
        snprintf(p->first_left_out, sizeof p->first_left_out, "%s: line %zu: %s", name, line,
                 why);
    return VL_OK;
}

static vl_status keep(building *b, const char *id, const char *src, const char *tgt,
                      size_t line) {
    align_pairs *p = b->pairs;
    if (p->count == b->room) {
        size_t more = b->room ? b->room * 2 : 1024;
        align_pair *grown =
            p->count < ALIGN_PAIRS_MAX ? realloc(p->items, more * sizeof *grown) : NULL;
        if (!grown)
            return p->count < ALIGN_PAIRS_MAX
                       ? vl_fail(b->error, VL_ERR_MEMORY, "no memory for the pairs")
                       : vl_fail(b->error, VL_ERR_LIMIT,
                                 "more than %d pairs; --limit takes "
                                 "the first ones",
                                 ALIGN_PAIRS_MAX);
        p->items = grown;
        b->room = more;
    }
    p->items[p->count++] = (align_pair){id, src, tgt, line};
    return VL_OK;
}

static bool is_full(const building *b) {
    return b->options->limit && b->pairs->count >= b->options->limit;
}

/* ---- a table ----------------------------------------------------------------------------- */

/* Whether the lines have ids; how many of them say so, and how many say the other. The cells
 * are looked at without cutting them: a line is cut when it is read. */
static bool has_ids(const char *at, const char *end) {
    size_t three = 0, two = 0;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        size_t column = 0, last = 0;
        for (const char *c = at; c < stop; c++) {
            if (*c == '\t')
                column++;
            else if (!strchr(" \r\v\f", *c))
                last = column;
        }
        three += last == 2;
        two += last == 1;
        at = stop + 1;
    }
    return three > two;
}

static vl_status take_cells(building *b, reader *r, char **cells, size_t count) {
    size_t wanted = b->pairs->with_id ? 3 : 2;
    char why[96];
    if (count == 3 && wanted == 2 && !says_something(cells[2]))
        count = 2;
    if (count != wanted) {
        snprintf(why, sizeof why, "%zu column%s where %s", count, count == 1 ? "" : "s",
                 wanted == 3 ? "an id and two columns are expected" : "two are expected");
        return leave_out(b, ALIGN_PAIR_COLUMNS, r->name, r->line, why);
    }
    const char *src = cells[wanted - 2], *tgt = cells[wanted - 1];
    bool says_src = says_something(src), says_tgt = says_something(tgt);
    if (!says_src || !says_tgt)
        return leave_out(b, ALIGN_PAIR_EMPTY, r->name, r->line,
                         says_src   ? "the second side is empty"
                         : says_tgt ? "the first side is empty"
                                    : "both sides are empty");
    if (r->line == 1 && is_header(src, tgt, b->options)) {
        b->pairs->header = true;
        return VL_OK;
    }
    return keep(b, wanted == 3 ? cells[0] : "", src, tgt, r->line);
}

static vl_status read_table(building *b, reader *r) {
    vl_status status = VL_OK;
    size_t length;
    b->pairs->with_id = r->at && has_ids(r->at, r->end);
    for (char *line; !status && !is_full(b) && (line = next_line(r, &length));) {
        char *cells[MAX_CELLS] = {line, line, line};
        if (vl_utf8_valid_prefix(line, length) != length || memchr(line, 0, length)) {
            status = leave_out(b, ALIGN_PAIR_UTF8, r->name, r->line, "not UTF-8");
            continue;
        }
        size_t count = cut_cells(line, cells);
        if (count > 1 || *cells[0])
            status = take_cells(b, r, cells, count);
    }
    return status;
}

/* ---- two files --------------------------------------------------------------------------- */

static vl_status take_lines(building *b, reader *r, char *lines[2], const size_t lengths[2],
                            const char *other_name) {
    for (size_t i = 0; i < 2; i++)
        if (vl_utf8_valid_prefix(lines[i], lengths[i]) != lengths[i] ||
            memchr(lines[i], 0, lengths[i]))
            return leave_out(b, ALIGN_PAIR_UTF8, i ? other_name : r->name, r->line,
                             "not UTF-8");
    const char *src = trim(lines[0]), *tgt = trim(lines[1]);
    if (!*src && !*tgt)
        return VL_OK;
    bool says_src = says_something(src);
    if (!says_src || !says_something(tgt))
        return leave_out(b, ALIGN_PAIR_EMPTY, says_src ? other_name : r->name, r->line,
                         "this side is empty");
    return keep(b, "", src, tgt, r->line);
}

static vl_status read_two(building *b, reader *r, reader *other) {
    vl_status status = VL_OK;
    while (!status && !is_full(b)) {
        size_t lengths[2] = {0};
        char *lines[2] = {next_line(r, &lengths[0]), next_line(other, &lengths[1])};
        if (!lines[0] && !lines[1])
            break;
        if (!lines[0] || !lines[1]) {
            const reader *shorter = lines[0] ? other : r, *longer = lines[0] ? r : other;
            return vl_fail(b->error, VL_ERR_INPUT,
                           "%s has %zu lines and %s has more; two files are read line by line",
                           shorter->name, shorter->line, longer->name);
        }
        status = take_lines(b, r, lines, lengths, other->name);
    }
    return status;
}

/* ---- the whole --------------------------------------------------------------------------- */

static vl_status judge(building *b, const char *name) {
    const align_pairs *p = b->pairs;
    size_t out = align_pairs_left_out(p);
    if (!p->count && !out)
        return vl_fail(b->error, VL_ERR_INPUT, "%s holds no pairs", name);
    if (out > p->count)
        return vl_fail(b->error, VL_ERR_INPUT,
                       "%s: only %zu of %zu lines can be used; the first that cannot: %s", name,
                       p->count, p->count + out, p->first_left_out);
    return VL_OK;
}

static vl_status read_pairs(const char *name, const char *other_name,
                            const align_pairs_options *options, align_pairs *pairs,
                            vl_error *error) {
    building b = {.pairs = pairs, .options = options, .error = error};
    reader r = reader_of(name, &pairs->bytes);
    if (pairs->bytes.len >= 2 && (!memcmp(pairs->bytes.data, "\xFF\xFE", 2) ||
                                  !memcmp(pairs->bytes.data, "\xFE\xFF", 2)))
        return vl_fail(error, VL_ERR_INPUT, "%s is UTF-16; write it as UTF-8", name);
    vl_status status = VL_OK;
    if (other_name) {
        reader other = reader_of(other_name, &pairs->other_bytes);
        status = read_two(&b, &r, &other);
    } else {
        status = read_table(&b, &r);
    }
    return status ? status : judge(&b, name);
}

static void pairs_init(align_pairs *pairs) {
    *pairs = (align_pairs){0};
    vl_buf_init(&pairs->bytes, ALIGN_PAIRS_MAX_BYTES);
    vl_buf_init(&pairs->other_bytes, ALIGN_PAIRS_MAX_BYTES);
}

vl_status align_pairs_read(const char *path, const char *other,
                           const align_pairs_options *options, align_pairs *pairs,
                           vl_error *error) {
    pairs_init(pairs);
    vl_status status = align_file_read(path, &pairs->bytes, error);
    if (!status && other)
        status = align_file_read(other, &pairs->other_bytes, error);
    if (!status)
        status = read_pairs(path, other, options, pairs, error);
    if (status)
        align_pairs_deinit(pairs);
    return status;
}

vl_status align_pairs_parse(const char *name, const vl_buf *bytes, const char *other_name,
                            const vl_buf *other, const align_pairs_options *options,
                            align_pairs *pairs, vl_error *error) {
    pairs_init(pairs);
    vl_buf_append(&pairs->bytes, bytes->data ? bytes->data : "", bytes->len);
    if (other)
        vl_buf_append(&pairs->other_bytes, other->data ? other->data : "", other->len);
    vl_status status = vl_buf_status(&pairs->bytes, name, error);
    if (!status)
        status = vl_buf_status(&pairs->other_bytes, name, error);
    if (!status)
        status = read_pairs(name, other_name, options, pairs, error);
    if (status)
        align_pairs_deinit(pairs);
    return status;
}

void align_pairs_deinit(align_pairs *pairs) {
    free(pairs->items);
    vl_buf_deinit(&pairs->bytes);
    vl_buf_deinit(&pairs->other_bytes);
    *pairs = (align_pairs){0};
}
