/* check_schema.c — whether each column stays of one type, as those who load a dataset into
 * typed columns (Arrow, and so `datasets`) want it. Columns are paths: "source.url",
 * "conversations[].from". */
#include "dataset/check.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 2000, SLOTS = 4096, PATH_MOST = 256, FIRST_MOST = 200, LEVELS = 8 };

typedef struct column {
    char *path, *first;  /* `first`: the place of the first value that is not null */
    int type;            /* cJSON's; 0: only null so far */
    size_t seen, filled; /* the last file that has it; … that has a value in it */
    bool before;         /* a file before this one has a value in it */
} column;

struct check_schema {
    column columns[COLUMNS_MAX];
    uint16_t slots[SLOTS]; /* 1 + index; 0: free */
    size_t count;
    char file[FIRST_MOST]; /* of the row before */
    size_t files;
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

/* Files are loaded one by one, and their columns cast to those of the first. */
static bool has_files(const check *c) {
    return c->layout != VL_LAYOUT_WEBDATASET;
}

/* Elements of lists that were empty before are nothing new. */
static bool is_filled_before(check_schema *s, const char *path) {
    const column *above = parent(s, path);
    size_t length = strlen(path);
    bool is_element = length > 2 && !strcmp(path + length - 2, "[]");
    return !is_element && (!above || (above->before && above->type == cJSON_Object));
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
    at->seen = s->files;
    if (is_new && s->files > 1 && has_files(c) && is_filled_before(s, path))
        check_found(c, FINDING_COLUMN_NEW, place, "the files before have no column \"%.80s\"",
                    path);
    if (type == cJSON_NULL)
        return;
    at->filled = s->files;
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

/* What the file that ends lacks. */
static void end_file(check *c) {
    check_schema *s = c->schema;
    for (size_t i = 0; i < s->count; i++) {
        column *at = &s->columns[i];
        const column *above = at->seen != s->files ? parent(s, at->path) : NULL;
        size_t length = strlen(at->path);
        bool is_element = length > 2 && !strcmp(at->path + length - 2, "[]");
        if (at->seen != s->files && !is_element && has_files(c) &&
            (!above || (above->filled == s->files && above->type == cJSON_Object)))
            check_found(c, FINDING_COLUMN_MISSING, s->file,
                        "it has no column \"%.80s\", as the files before", at->path);
        at->before = at->before || at->filled == s->files;
    }
}

void check_schema_end(check *c) {
    if (c->schema->files)
        end_file(c);
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
    if (strncmp(s->file, place, length) != 0 || s->file[length] || !s->files) {
        check_schema_end(c);
        memcpy(s->file, place, length);
        s->file[length] = '\0';
        s->files++;
    }
    look_inside(c, place, root, "", 0);
}
