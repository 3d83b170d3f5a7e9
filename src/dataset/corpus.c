/* corpus.c — see corpus.h. */
#include "dataset/corpus.h"

#include <ctype.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- files -------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

static int by_entry(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Paths into `paths` [CORPUS_MAX_FILES], sorted; the caller frees each. */
static vl_status find_files(const char *folder, const char *suffix, char **paths, size_t *count,
                            vl_error *error) {
    char *const roots[] = {(char *)(uintptr_t)folder, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_entry);
    vl_status status = VL_OK;
    *count = 0;
    for (FTSENT *entry; walk && !status && (entry = fts_read(walk));) {
        if (entry->fts_level == 0 && (entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR))
            status = vl_fail(error, VL_ERR_INPUT, "%s: %s", folder, strerror(entry->fts_errno));
        if (entry->fts_info != FTS_F || !ends_with(entry->fts_name, suffix))
            continue;
        if (*count == CORPUS_MAX_FILES)
            break;
        if (!(paths[(*count)++] = strdup(entry->fts_path))) {
            (*count)--;
            status = vl_fail(error, VL_ERR_MEMORY, "%s: no memory for its files", folder);
        }
    }
    if (!walk)
        status = vl_fail(error, VL_ERR_INPUT, "%s: %s", folder, strerror(errno));
    else
        fts_close(walk);
    qsort(paths, *count, sizeof *paths, by_name);
    return status;
}

vl_status corpus_walk(const char *folder, const char *suffix, corpus_file_fn give, void *user,
                      vl_error *error) {
    char **paths = calloc(CORPUS_MAX_FILES, sizeof *paths);
    size_t count = 0;
    if (!paths)
        return vl_fail(error, VL_ERR_MEMORY, "%s: no memory for its files", folder);
    vl_status status = find_files(folder, suffix, paths, &count, error);
    for (size_t i = 0; i < count && !status; i++)
        status = give(paths[i], user, error);
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
    return status;
}

/* ---- lines -------------------------------------------------------------------------- */

/* How much of `line` fits into `max` bytes: up to a character, at a space when one is near. */
static size_t fitting(const char *line, size_t max) {
    if (strlen(line) <= max)
        return strlen(line);
    size_t end = max;
    while (end > 0 && ((unsigned char)line[end] & 0xC0) == 0x80)
        end--;
    for (size_t i = end; i > end - end / 4; i--)
        if (line[i] == ' ')
            return i;
    return end;
}

static char *last_column(char *line) {
    line[strcspn(line, "\r\n")] = '\0';
    char *tab = strrchr(line, '\t');
    char *text = tab ? tab + 1 : line;
    while (*text == ' ')
        text++;
    return text;
}

typedef struct taking {
    vl_arena *arena;
    const corpus_limits *limits;
    corpus_lines *lines;
    size_t room;
} taking;

static bool keep(taking *t, const char *text, size_t bytes) {
    corpus_lines *lines = t->lines;
    if (lines->count == t->room) {
        size_t more = t->room ? t->room * 2 : 64;
        void *grown = vl_arena_grow(t->arena, lines->items, t->room * sizeof *lines->items,
                                    more * sizeof *lines->items);
        if (!grown)
            return false;
        lines->items = grown;
        t->room = more;
    }
    lines->items[lines->count] = vl_arena_strndup(t->arena, text, bytes);
    return lines->items[lines->count++] != NULL;
}

static bool take(taking *t, const char *text) {
    while (strlen(text) >= 6 && t->lines->count < t->limits->max_lines) {
        size_t bytes = fitting(text, t->limits->max_bytes);
        if (!bytes || !keep(t, text, bytes))
            return bytes == 0;
        if (!t->limits->split)
            break;
        text += bytes;
        while (*text == ' ')
            text++;
    }
    return true;
}

vl_status corpus_read(vl_arena *arena, const char *path, const corpus_limits *limits,
                      corpus_lines *lines, vl_error *error) {
    vl_status status = VL_OK;
    taking t = {arena, limits, lines, 0};
    *lines = (corpus_lines){0};
    char *line = malloc(CORPUS_MAX_LINE);
    gzFile in = gzopen(path, "rb");
    if (!line || !in) {
        status = vl_fail(error, VL_ERR_INPUT, "%s: cannot be opened", path);
        goto out;
    }
    while (lines->count < limits->max_lines && gzgets(in, line, CORPUS_MAX_LINE)) {
        char *text = last_column(line);
        if (!strpbrk(text, "<>{}") && !take(&t, text)) {
            status = vl_fail(error, VL_ERR_MEMORY, "%s: no memory for its lines", path);
            goto out;
        }
    }
out:
    if (in)
        gzclose(in);
    free(line);
    return status;
}

/* ---- what a file is ----------------------------------------------------------------- */

const char *corpus_script(const corpus_lines *lines) {
    enum { SAMPLE = 40 };
    const char *codes[SAMPLE];
    size_t count = lines->count < SAMPLE ? lines->count : SAMPLE;
    for (size_t i = 0; i < count; i++)
        codes[i] = vl_text_script(lines->items[i], NULL);
    for (size_t i = 0; i < count; i++) {
        size_t same = 0;
        for (size_t k = 0; k < count; k++)
            same += !strcmp(codes[i], codes[k]);
        if (same * 4 >= count * 3)
            return codes[i];
    }
    return "";
}

/* The part of a name, without its endings, that is the language's code. */
static const char *code_in(const char *path, char *name) {
    char *part;
    if (!strncmp(name, "tatoeba.", 8) || !strncmp(name, "dev.", 4))
        return strrchr(name, '.') + 1;
    for (part = name + strlen(name); part > name && part[-1] != '.'; part--)
        ; /* en-hau.train: what a file is for stands last */
    if (part > name)
        part[-1] = '\0';
    if (!strncmp(name, "gamayun_", 8))
        return strrchr(name, '_') + 1;
    part = strchr(name, '-');
    return part && !strstr(path, "/mono/") ? part + 1 : name;
}

void corpus_language(const char *path, char language[VL_LANG_SIZE]) {
    static const char *const endings[] = {".gz", ".txt", ".tsv"};
    char name[256], code[VL_LANG_SIZE];
    const char *slash = strrchr(path, '/');
    snprintf(name, sizeof name, "%s", slash ? slash + 1 : path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_with(name, endings[i]))
            name[strlen(name) - strlen(endings[i])] = '\0';
    const char *from = code_in(path, name);
    size_t bytes = strcspn(from, "-_.");
    snprintf(code, sizeof code, "%.*s", (int)bytes, from);
    for (char *c = code; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    bool letters = bytes == 2 || bytes == 3;
    for (const char *c = code; *c; c++)
        letters = letters && islower((unsigned char)*c);
    snprintf(language, VL_LANG_SIZE, "%s", letters ? vl_lang_short(code) : "und");
}
