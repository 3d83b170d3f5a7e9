/* check_named.c — pictures that rows name: where they are, each noted to be decoded, and those
 * that no row names. */
#include "dataset/check.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

void check_clean_path(char *path) {
    char *to = path;
    for (const char *from = path; *from;) {
        size_t length = strcspn(from, "/");
        bool is_here = !length || (length == 1 && *from == '.');
        if (!is_here) {
            memmove(to, from, length);
            to += length;
        }
        from += length;
        if (*from == '/') {
            from++;
            if (!is_here && *from)
                *to++ = '/';
        }
    }
    *to = '\0';
}

static bool join(const char *base, const char *name, char path[FOLDER_PATH_SIZE]) {
    int length = snprintf(path, FOLDER_PATH_SIZE, "%s%s%s", base, *base ? "/" : "", name);
    check_clean_path(path);
    return length < FOLDER_PATH_SIZE;
}

static bool is_file(const check *c, const char *path) {
    char full[FOLDER_PATH_SIZE];
    struct stat info;
    return !folder_path(c->root, path, full, NULL) && !stat(full, &info) &&
           S_ISREG(info.st_mode);
}

bool check_resolve(check *c, const check_row *row, const char *const *bases, size_t count,
                   const char *name, char path[FOLDER_PATH_SIZE]) {
    if (!check_is_inside(name)) {
        check_found(c, FINDING_PATH_OUTSIDE, row->place, "'%.200s' leads out of the dataset",
                    name);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        if (join(bases[i], name, path) && is_file(c, path))
            return true;
    if (join(bases[0], name, path))
        return true;
    check_found(c, FINDING_PICTURE_MISSING, row->place, "its path is too long");
    return false;
}

static bool is_remote(const char *name) {
    return !strncasecmp(name, "http://", 7) || !strncasecmp(name, "https://", 8) ||
           !strncasecmp(name, "s3://", 5) || !strncasecmp(name, "gs://", 5) ||
           !strncasecmp(name, "hf://", 5);
}

static check_relation relation(const check *c) {
    return c->layout == VL_LAYOUT_IMAGEFOLDER ? RELATION_METADATA : RELATION_FILE;
}

static vl_status refer(check *c, const check_row *row, const char *path, vl_error *error) {
    check_statement s = {.key = path, .tag = TAG_REFERS, .place = row->place, .order = c->rows};
    return check_index_add(c->index, relation(c), &s, error);
}

vl_status check_row_picture(check *c, check_row *row, const char *const *bases, size_t count,
                            const char *name, vl_error *error) {
    char path[FOLDER_PATH_SIZE];
    if (!strncasecmp(name, "data:", 5))
        return VL_OK;
    if (is_remote(name)) {
        check_found(c, FINDING_PICTURE_REMOTE, row->place, "%.200s", name);
        return VL_OK;
    }
    if (!check_resolve(c, row, bases, count, name, path))
        return VL_OK;
    const char *kept = vl_arena_strdup(c->arena, path);
    if (!kept)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a row");
    row->picture = *row->picture ? row->picture : kept;
    if (row->split == CHECK_NO_SPLIT && c->layout == VL_LAYOUT_IMAGEFOLDER)
        row->split = check_split_of_path(kept);
    if (!c->looks)
        return VL_OK;
    vl_status status = refer(c, row, kept, error);
    return status ? status : check_picture_named(c, row, kept, error);
}

static vl_status define(const char *path, void *to, vl_error *error) {
    check *c = to;
    check_statement s = {.key = path, .tag = TAG_DEFINES, .place = path, .order = c->rows};
    return check_index_add(c->index, relation(c), &s, error);
}

vl_status check_unused_pictures(check *c, vl_error *error) {
    return c->looks && !*c->only ? check_each_file(c, CHECK_PICTURES, define, c, error) : VL_OK;
}
