/* scans.c — the manifest of a folder of scans, its two halves, and how texts are compared.
 *
 *   vl_scans_parse      columns by name, a line an item
 *   split_halves        documents of a set, or lines of its only document
 *   vl_scans_load       transcripts beside pictures; sets that keep no case
 *   vl_scan_comparable */
#include "ocr/scans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { MANIFEST_MAX = 32 << 20, SCANS_MAX = 100000, COLUMNS_MAX = 64, TRUTH_MAX = 1 << 20 };

/* ---- the manifest --------------------------------------------------------------------- */

typedef enum column { SET, ID, IMAGE, DOCUMENT, LANGUAGES, UNIT, COLUMN_COUNT } column;

static const struct {
    const char *name;
    column column;
} names[] = {
    {"set", SET},
    {"id", ID},
    {"image", IMAGE},
    {"doc", DOCUMENT},
    {"document", DOCUMENT},
    {"tesseract_lang", LANGUAGES},
    {"language", LANGUAGES},
    {"unit", UNIT},
};

/* One line of `*text`, cut into fields in place (a copy in the arena); moves `*text` on. */
static size_t take_line(vl_arena *arena, const char **text, const char *end,
                        const char *fields[COLUMNS_MAX]) {
    const char *stop = memchr(*text, '\n', (size_t)(end - *text));
    size_t bytes = (size_t)((stop ? stop : end) - *text), count = 0;
    char *line = vl_arena_strndup(arena, *text, bytes);
    *text = stop ? stop + 1 : end;
    if (!line)
        return SIZE_MAX;
    line[strcspn(line, "\r")] = '\0';
    for (char *at = line; at && *line && count < COLUMNS_MAX;) {
        fields[count++] = at;
        if ((at = strchr(at, '\t')))
            *at++ = '\0';
    }
    return count;
}

static vl_status read_header(vl_arena *arena, const char **text, const char *end,
                             size_t where[COLUMN_COUNT], vl_error *error) {
    const char *fields[COLUMNS_MAX];
    size_t count = take_line(arena, text, end, fields);
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        where[c] = SIZE_MAX;
    for (size_t i = 0; count != SIZE_MAX && i < count; i++)
        for (size_t n = 0; n < sizeof names / sizeof *names; n++)
            if (!strcmp(fields[i], names[n].name))
                where[names[n].column] = i;
    if (where[SET] == SIZE_MAX || where[ID] == SIZE_MAX || where[IMAGE] == SIZE_MAX)
        return vl_fail(error, VL_ERR_INPUT,
                       "the manifest's first line must name the columns set, id and image, "
                       "with tabs between");
    return VL_OK;
}

static const char *field_of(const char *const *fields, size_t count, size_t at) {
    return at < count ? fields[at] : "";
}

static bool leaves_folder(const char *path) {
    return *path == '/' || !strncmp(path, "../", 3) || strstr(path, "/../");
}

static void fill_scan(vl_arena *arena, const char *const *fields, size_t count,
                      const size_t where[COLUMN_COUNT], size_t line, vl_scan *scan) {
    scan->set = field_of(fields, count, where[SET]);
    scan->id = field_of(fields, count, where[ID]);
    scan->image = field_of(fields, count, where[IMAGE]);
    scan->document = field_of(fields, count, where[DOCUMENT]);
    scan->languages = field_of(fields, count, where[LANGUAGES]);
    scan->unit = field_of(fields, count, where[UNIT]);
    if (!*scan->document)
        scan->document = scan->id;
    if (!*scan->set || !*scan->id || !*scan->image)
        scan->broken =
            vl_arena_printf(arena, "line %zu of the manifest lacks its set, id or image", line);
    else if (leaves_folder(scan->image))
        scan->broken = "its picture lies outside the folder";
}

/* ---- halves --------------------------------------------------------------------------- */

typedef struct member {
    vl_scan *scan;
    char document[VL_SHA256_HEX_SIZE], item[VL_SHA256_HEX_SIZE];
} member;

static int by_document(const void *a, const void *b) {
    const member *x = a, *y = b;
    int order = strcmp(x->scan->set, y->scan->set);
    return order ? order : strcmp(x->document, y->document);
}

static int by_item(const void *a, const void *b) {
    return strcmp(((const member *)a)->item, ((const member *)b)->item);
}

static void hash_names(const char *set, const char *name, char out[VL_SHA256_HEX_SIZE]) {
    char text[1024];
    snprintf(text, sizeof text, "%s\t%s", set, name);
    vl_sha256_hex(text, strlen(text), out);
}

/* Every other document of a set, in the order of their hashes, is for the score; of a set that
 * has one document only, every other item. */
static void split_set(member *members, size_t count) {
    bool one = !strcmp(members[0].document, members[count - 1].document);
    if (one)
        qsort(members, count, sizeof *members, by_item);
    size_t rank = 0;
    for (size_t i = 0; i < count; i++) {
        if (i && (one || strcmp(members[i].document, members[i - 1].document) != 0))
            rank++;
        members[i].scan->for_score = rank % 2 == 0;
    }
}

static vl_status split_halves(vl_scan *scans, size_t count, vl_error *error) {
    member *members = calloc(count + 1, sizeof *members);
    if (!members)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu scans", count);
    for (size_t i = 0; i < count; i++) {
        members[i].scan = &scans[i];
        hash_names(scans[i].set, scans[i].document, members[i].document);
        hash_names(scans[i].set, scans[i].id, members[i].item);
    }
    qsort(members, count, sizeof *members, by_document);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count; to++)
            if (strcmp(members[to].scan->set, members[from].scan->set) != 0)
                break;
        split_set(members + from, to - from);
    }
    free(members);
    return VL_OK;
}

vl_status vl_scans_parse(vl_arena *arena, const char *manifest, size_t bytes, vl_scan **out,
                         size_t *out_count, vl_error *error) {
    const char *text = manifest, *end = manifest + bytes, *fields[COLUMNS_MAX];
    size_t where[COLUMN_COUNT], count = 0, cap = 0;
    vl_scan *scans = NULL;
    vl_status status = read_header(arena, &text, end, where, error);
    for (size_t line = 2; !status && text < end; line++) {
        size_t field_count = take_line(arena, &text, end, fields);
        if (field_count == 0)
            continue;
        if (count == SCANS_MAX)
            return vl_fail(error, VL_ERR_LIMIT, "the manifest has more than %d items",
                           SCANS_MAX);
        if (count == cap) {
            cap = cap ? cap * 2 : 64;
            scans = vl_arena_grow(arena, scans, count * sizeof *scans, cap * sizeof *scans);
        }
        if (!scans || field_count == SIZE_MAX)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for the manifest");
        scans[count] = (vl_scan){0};
        fill_scan(arena, fields, field_count, where, line, &scans[count++]);
    }
    if (!status && !count)
        status = vl_fail(error, VL_ERR_INPUT, "the manifest names no item");
    if (!status)
        status = split_halves(scans, count, error);
    *out = scans;
    *out_count = count;
    return status;
}

/* ---- transcripts ------------------------------------------------------------------------ */

static void load_truth(vl_arena *arena, const char *folder, vl_scan *scan) {
    vl_buf text;
    vl_error reason = {.message = "it cannot be read"};
    const char *slash = strrchr(scan->image, '/');
    const char *dot = strrchr(slash ? slash : scan->image, '.');
    size_t stem = dot ? (size_t)(dot - scan->image) : strlen(scan->image);
    char *path = vl_arena_printf(arena, "%s/%.*s.gt.txt", folder, (int)stem, scan->image);
    vl_buf_init(&text, TRUTH_MAX);
    if (path && !vl_file_read(path, TRUTH_MAX, &text, &reason))
        scan->truth = vl_arena_strndup(arena, text.data ? text.data : "", text.len);
    const char *compared = scan->truth ? vl_scan_comparable(arena, scan, scan->truth) : NULL;
    if (path && !scan->truth)
        scan->broken = vl_arena_strdup(arena, reason.message);
    else if (!compared)
        scan->broken = "there is no memory for its transcript";
    else if (!*compared)
        scan->broken = "its transcript is empty";
    vl_buf_deinit(&text);
}

static void count_case(const char *text, size_t *upper, size_t *lower) {
    int32_t bytes = (int32_t)strlen(text);
    for (int32_t at = 0; at < bytes;) {
        UChar32 c;
        U8_NEXT((const uint8_t *)text, at, bytes, c);
        *upper += c > 0 && u_isUUppercase(c);
        *lower += c > 0 && u_isULowercase(c);
    }
}

static bool set_keeps_case(const vl_scan *scans, size_t count, const char *set) {
    size_t upper = 0, lower = 0;
    for (size_t i = 0; i < count; i++)
        if (scans[i].truth && !strcmp(scans[i].set, set))
            count_case(scans[i].truth, &upper, &lower);
    return !upper || lower;
}

/* Words cut out of photographs are compared without case, as scene text is everywhere, and so
 * are sets whose transcripts are in capitals throughout. */
static void find_case_rules(vl_scan *scans, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i && !strcmp(scans[i].set, scans[i - 1].set) &&
            !strcmp(scans[i].unit, scans[i - 1].unit))
            scans[i].fold_case = scans[i - 1].fold_case;
        else
            scans[i].fold_case = !strncmp(scans[i].unit, "word", 4) ||
                                 !set_keeps_case(scans, count, scans[i].set);
    }
}

vl_status vl_scans_load(vl_arena *arena, const char *folder, vl_scan **scans, size_t *count,
                        vl_error *error) {
    vl_buf manifest;
    vl_buf_init(&manifest, MANIFEST_MAX);
    char *path = vl_arena_printf(arena, "%s/MANIFEST.tsv", folder);
    vl_status status = path ? vl_file_read(path, MANIFEST_MAX, &manifest, error)
                            : vl_fail(error, VL_ERR_MEMORY, "no memory for the manifest");
    if (!status)
        status = vl_scans_parse(arena, manifest.data ? manifest.data : "", manifest.len, scans,
                                count, error);
    if (status && path)
        vl_error_prefix(error, "%s", path);
    for (size_t i = 0; !status && i < *count; i++)
        if (!(*scans)[i].broken)
            load_truth(arena, folder, &(*scans)[i]);
    if (!status)
        find_case_rules(*scans, *count);
    vl_buf_deinit(&manifest);
    return status;
}

/* ---- comparing ----------------------------------------------------------------------------
 */

static bool is_arabic_mark(UChar32 c) {
    return (c >= 0x064B && c <= 0x0652) || c == 0x0670 || c == 0x0640;
}

static void strip_arabic_marks(char *text) {
    int32_t bytes = (int32_t)strlen(text), at = 0;
    char *to = text;
    while (at < bytes) {
        int32_t start = at;
        UChar32 c;
        U8_NEXT((const uint8_t *)text, at, bytes, c);
        if (is_arabic_mark(c))
            continue;
        memmove(to, text + start, (size_t)(at - start));
        to += at - start;
    }
    *to = '\0';
}

char *vl_scan_comparable(vl_arena *arena, const vl_scan *scan, const char *text) {
    char *copy = vl_text_nfc(arena, text);
    if (!copy)
        return NULL;
    strip_arabic_marks(copy);
    if (scan->fold_case && !(copy = vl_text_casefold(arena, copy)))
        return NULL;
    return vl_text_squeeze(arena, copy);
}

bool vl_scans_listed(const char *list, const char *name) {
    size_t length = strlen(name);
    for (const char *at = list; *at; at += strspn(at, ", ")) {
        size_t own = strcspn(at, ", ");
        if (own == length && !memcmp(at, name, length))
            return true;
        at += own;
    }
    return false;
}
