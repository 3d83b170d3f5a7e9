/* check_schema.c — whether each column stays of one type, as those who load a dataset into
 * typed columns (Arrow, and so `datasets`) want it. Columns are paths: "source.url",
 * "conversations[].from".
 *
 * Rows are loaded in pieces, a file each, of JSON lines every 10 MB, and what the first piece
 * says of a column holds for all: where it has only nulls, only empty lists, or only strings
 * that look like times, others cannot follow; and all pieces have the same columns. */
#include "dataset/check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMNS_MAX = 2000,
    SLOTS = 4096,
    PATH_MOST = 256,
    FIRST_MOST = 200,
    LEVELS = 8,
    PIECE_BYTES = 10 << 20 /* `chunksize` of the reader of JSON lines in `datasets` */
};

/* How much a piece tells of a column's type. */
typedef enum width { WIDTH_NULL, WIDTH_TIMES, WIDTH_FULL } width;
typedef struct column {
    char *path, *first;  /* `first`: the place of the first value that is not null */
    int type;            /* cJSON's; 0: only null so far */
    size_t seen, filled; /* the last piece that has it; … that has a value in it */
    bool before;         /* a piece before this one has a value in it */
    bool is_settled;
    width settled, now; /* in the first piece that has it; in this one */
} column;

struct check_schema {
    column columns[COLUMNS_MAX];
    uint16_t slots[SLOTS]; /* 1 + index; 0: free */
    size_t count;
    char file[FIRST_MOST];  /* of the row before */
    char first[FIRST_MOST]; /* place of the piece's first row */
    size_t pieces;
    uint64_t bytes; /* of the piece */
    bool is_full;
};

check_schema *check_schema_new(void) {
    return calloc(1, sizeof(check_schema));
}

static void forget(check_schema *s) {
    for (size_t i = 0; i < s->count; i++) {
        free(s->columns[i].path);
        free(s->columns[i].first);
    }
    *s = (check_schema){0};
}

void check_schema_free(check_schema *s) {
    if (s)
        forget(s);
    free(s);
}

static const char *type_name(int type) {
    switch (type) {
    case cJSON_True:
        return "a truth value";
    case cJSON_Number:
        return "a number";
    case cJSON_String:
        return "a string";
    case cJSON_Array:
        return "a list";
    default:
        return "an object";
    }
}

/* `is_new` NULL: only what is there already. */
static column *find(check_schema *s, const char *path, bool *is_new) {
    uint32_t hash = 2166136261u;
    for (const char *c = path; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    size_t slot = hash % SLOTS;
    for (; s->slots[slot]; slot = (slot + 1) % SLOTS)
        if (!strcmp(s->columns[s->slots[slot] - 1].path, path))
            return &s->columns[s->slots[slot] - 1];
    if (!is_new || s->count == COLUMNS_MAX)
        return NULL;
    column *made = &s->columns[s->count];
    made->path = strdup(path);
    if (!made->path)
        return NULL;
    s->slots[slot] = (uint16_t)++s->count;
    *is_new = true;
    return made;
}

/* The column that `path` is a part of; NULL: it is a column of the row. */
static const column *parent(check_schema *s, const char *path) {
    char above[PATH_MOST];
    size_t length = strlen(path);
    if (length > 2 && !strcmp(path + length - 2, "[]")) {
        length -= 2;
    } else {
        const char *dot = strrchr(path, '.');
        length = dot ? (size_t)(dot - path) : 0;
    }
    memcpy(above, path, length);
    above[length] = '\0';
    return length ? find(s, above, NULL) : NULL;
}

/* Others are not loaded piece by piece. */
static bool has_pieces(const check *c) {
    return c->layout == VL_LAYOUT_IMAGEFOLDER || c->layout == VL_LAYOUT_JSONL ||
           c->layout == VL_LAYOUT_LLAVA;
}

static bool is_element(const char *path) {
    size_t length = strlen(path);
    return length > 2 && !strcmp(path + length - 2, "[]");
}

/* "2025-01-31", "2025-01-31T12:00:00Z", …: what Arrow reads as times. */
static bool is_time(const char *text) {
    static const char *const shapes[] = {"0000-00-00", "0000-00-00T00", "0000-00-00T00:00",
                                         "0000-00-00T00:00:00"};
    for (size_t i = 4; i-- > 0;) {
        size_t at = 0;
        for (; shapes[i][at]; at++)
            if (shapes[i][at] == '0'   ? !isdigit((unsigned char)text[at])
                : shapes[i][at] == 'T' ? text[at] != 'T' && text[at] != ' '
                                       : text[at] != shapes[i][at])
                break;
        if (!shapes[i][at])
            return !text[at] || !strcmp(text + at, "Z") ||
                   ((text[at] == '+' || text[at] == '-') &&
                    strspn(text + at + 1, "0123456789:") == strlen(text + at + 1));
    }
    return false;
}

static width width_of(const cJSON *value) {
    if (cJSON_IsNull(value))
        return WIDTH_NULL;
    return cJSON_IsString(value) && is_time(value->valuestring) ? WIDTH_TIMES : WIDTH_FULL;
}

static const char *only(width w) {
    return w == WIDTH_NULL ? "nulls" : "strings that are read as times";
}

/* A column that the pieces before do not have, or had no elements in. */
static void look_at_new(check *c, const char *place, const char *path) {
    check_schema *s = c->schema;
    const column *above = parent(s, path);
    if (s->pieces < 2 || !has_pieces(c) || (above && !above->before))
        return;
    if (is_element(path))
        check_found(c, FINDING_SCHEMA_DRIFT, place,
                    "\"%.80s\" is a list with something in it; before it was always empty",
                    path);
    else
        check_found(c, FINDING_COLUMN_NEW, place, "what is before has no column \"%.80s\"",
                    path);
}

static void look_at_width(check *c, const char *place, column *at, const cJSON *value) {
    width w = width_of(value);
    at->now = w > at->now ? w : at->now;
    if (at->is_settled && w > at->settled && has_pieces(c))
        check_found(c, FINDING_SCHEMA_DRIFT, place,
                    "column \"%.80s\" has another value here than before, where it is only %s",
                    at->path, only(at->settled));
}

static void look(check *c, const char *place, const cJSON *value, const char *path, int level);

static void look_inside(check *c, const char *place, const cJSON *value, const char *path,
                        int level) {
    char inside[PATH_MOST];
    const cJSON *one;
    if (level >= LEVELS)
        return;
    cJSON_ArrayForEach(one, value) {
        bool is_object = cJSON_IsObject(value);
        size_t used = strlen(path);
        size_t more = is_object ? strlen(one->string) + 1 : 2;
        if (used + more + 1 > sizeof inside)
            continue;
        memcpy(inside, path, used);
        if (is_object) {
            if (used)
                inside[used++] = '.';
            memcpy(inside + used, one->string, strlen(one->string) + 1);
        } else {
            memcpy(inside + used, "[]", 3);
        }
        look(c, place, one, inside, level + 1);
    }
}

static void look(check *c, const char *place, const cJSON *value, const char *path, int level) {
    check_schema *s = c->schema;
    bool is_new = false;
    column *at = find(s, path, &is_new);
    int type = value->type & 0xFF;
    if (!at) {
        if (!s->is_full)
            check_found(c, FINDING_COLUMNS_MANY, place, "over %d columns, with \"%.80s\"",
                        COLUMNS_MAX, path);
        s->is_full = true;
        return;
    }
    at->seen = s->pieces;
    if (is_new)
        look_at_new(c, place, path);
    else
        look_at_width(c, place, at, value);
    at->now = is_new ? width_of(value) : at->now;
    if (type == cJSON_NULL)
        return;
    at->filled = s->pieces;
    type = type == cJSON_False ? cJSON_True : type;
    if (!at->type) {
        at->type = type;
        at->first = strndup(place, FIRST_MOST);
    } else if (at->type != type) {
        check_found(c, FINDING_SCHEMA_DRIFT, place,
                    "column \"%.80s\" is %s here; it is %s at %s", path, type_name(type),
                    type_name(at->type), at->first ? at->first : "?");
        return;
    }
    look_inside(c, place, value, path, level);
}

/* What the piece that ends lacks, or has less of: metadata of an imagefolder is compared whole,
 * and not cast. */
static void end_column(check *c, column *at) {
    check_schema *s = c->schema;
    const column *above = parent(s, at->path);
    bool is_seen = at->seen == s->pieces, is_strict = c->layout == VL_LAYOUT_IMAGEFOLDER;
    bool could_be =
        !above || (above->filled == s->pieces &&
                   above->type == (is_element(at->path) ? cJSON_Array : cJSON_Object));
    if (!is_seen && could_be && !is_element(at->path))
        check_found(c, FINDING_COLUMN_MISSING, s->first,
                    "from here on there is no column \"%.80s\", as there is before", at->path);
    else if (!is_seen && could_be && is_strict)
        check_found(c, FINDING_SCHEMA_DRIFT, s->first,
                    "from here on the lists of \"%.80s\" are empty, and before they are not",
                    at->path);
    else if (is_seen && is_strict && at->is_settled && at->now < at->settled)
        check_found(c, FINDING_SCHEMA_DRIFT, s->first,
                    "from here on \"%.80s\" is only %s, and before it is not", at->path,
                    only(at->now));
}

static void end_piece(check *c) {
    check_schema *s = c->schema;
    for (size_t i = 0; i < s->count; i++)
        if (has_pieces(c))
            end_column(c, &s->columns[i]);
    for (size_t i = 0; i < s->count; i++) {
        column *at = &s->columns[i];
        at->before = at->before || at->filled == s->pieces;
        if (!at->is_settled)
            at->settled = at->now;
        at->is_settled = true;
        at->now = WIDTH_NULL;
    }
}

void check_schema_end(check *c) {
    if (c->schema->pieces)
        end_piece(c);
}

void check_schema_begin(check *c) {
    if (!c->schema)
        return;
    check_schema_end(c);
    forget(c->schema);
}

void check_schema_row(check *c, const char *place, const cJSON *root) {
    check_schema *s = c->schema;
    const char *end = strrchr(place, ':');
    size_t length = end ? (size_t)(end - place) : 0;
    length = length < sizeof s->file - 1 ? length : sizeof s->file - 1;
    bool is_other = strncmp(s->file, place, length) != 0 || s->file[length];
    if (is_other || !s->pieces || s->bytes > PIECE_BYTES) {
        check_schema_end(c);
        memcpy(s->file, place, length);
        s->file[length] = '\0';
        snprintf(s->first, sizeof s->first, "%s", place);
        s->pieces++;
        s->bytes = 0;
    }
    s->bytes += c->layout == VL_LAYOUT_JSONL ? c->row_bytes : 0;
    look_inside(c, place, root, "", 0);
}
