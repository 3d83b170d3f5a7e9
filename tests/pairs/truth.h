/* truth.h — the labelled pages beside it, for the test that holds pairs_find to them and the
 * tool that fits its model (README.md says what the labels mean). */
#ifndef VL_TESTS_PAIRS_TRUTH_H
#define VL_TESTS_PAIRS_TRUTH_H

#include "dataset/pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct truth {
    char page[64];
    size_t picture;    /* part */
    bool decoration;   /* it must make no pair */
    const char *right; /* beginnings of texts that are right, '|' between them; "" none */
    const vl_parts *parts;
} truth;

/* Whether `text` begins as one of them. */
static inline bool truth_is_right(const truth *t, const char *text) {
    for (const char *at = t->right; *at;) {
        size_t length = strcspn(at, "|");
        if (!strncmp(text, at, length))
            return true;
        at += length + (at[length] == '|');
    }
    return false;
}

static inline const vl_parts *truth_page(const char *folder, const char *page,
                                         const vl_langid *langid, vl_arena *arena) {
    char path[4096];
    vl_buf *content = vl_arena_alloc(arena, sizeof *content); /* parts keep its bytes */
    vl_parts *parts = NULL;
    vl_error error;
    vl_parts_options options = vl_parts_options_default();
    options.type = "text/html; charset=utf-8";
    options.langid = langid;
    snprintf(path, sizeof path, "%s/pages/%s.html", folder, page);
    vl_buf_init(content, 1 << 20);
    if (!vl_file_read(path, 1 << 20, content, &error)) {
        char *bytes = vl_arena_strndup(arena, content->data, content->len);
        if (bytes && vl_parts_read(bytes, content->len, &options, arena, &parts, &error))
            fprintf(stderr, "%s: %s\n", path, error.message);
    }
    vl_buf_deinit(content);
    return parts;
}

/* The picture whose address ends so; VL_PART_NONE: the page has none. */
static inline size_t truth_picture(const vl_parts *parts, const char *end) {
    for (size_t i = 0; i < parts->part_count; i++) {
        const char *source = parts->parts[i].source;
        size_t length = source ? strlen(source) : 0, wanted = strlen(end);
        if (length >= wanted && !strcmp(source + length - wanted, end))
            return i;
    }
    return VL_PART_NONE;
}

/* Every labelled picture of `folder`, into `out` [most]; a page without one of them, or one
 * that cannot be read, ends it with 0. Pictures that reading leaves out are not given. */
static inline size_t truth_read(const char *folder, const vl_langid *langid, vl_arena *arena,
                                truth *out, size_t most) {
    char path[4096];
    vl_buf table;
    size_t count = 0;
    vl_error error;
    const vl_parts *parts = NULL;
    snprintf(path, sizeof path, "%s/truth.tsv", folder);
    vl_buf_init(&table, 1 << 20);
    if (vl_file_read(path, 1 << 20, &table, &error))
        return 0;
    char *rest = vl_arena_strndup(arena, table.data, table.len);
    vl_buf_deinit(&table);
    for (char *line; (line = strsep(&rest, "\n")) && *line && count < most;) {
        const char *page = strsep(&line, "\t"), *source = strsep(&line, "\t");
        truth *t = &out[count];
        if (!source || !line)
            return 0;
        if (!count || strcmp(out[count - 1].page, page) != 0)
            parts = truth_page(folder, page, langid, arena);
        if (!parts)
            return 0;
        *t = (truth){.picture = truth_picture(parts, source), .parts = parts};
        snprintf(t->page, sizeof t->page, "%s", page);
        t->decoration = !strcmp(line, "-");
        t->right = t->decoration ? "" : line;
        count += t->picture != VL_PART_NONE;
    }
    return count;
}

#endif
