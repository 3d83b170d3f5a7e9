/* page_text.c — see page_text.h. */
#include "page_text.h"

#include <vislang/text.h>

#include <ctype.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uscript.h>
#include <zlib.h>

enum { MAX_FILES = 4096, MAX_LINE = 1 << 16, MAX_KEPT = 600 };

/* ---- draws
 * ------------------------------------------------------------------------------------ */

dice dice_of(uint64_t seed, uint64_t picture) {
    dice d = {seed * UINT64_C(0xD1342543DE82EF95) + picture};
    d.state = vl_random_next(&d.state);
    return d;
}

double dice_unit(dice *d) {
    return vl_random_uniform(&d->state);
}

double dice_between(dice *d, double least, double most) {
    return least + (most - least) * dice_unit(d);
}

int dice_below(dice *d, int count) {
    return (int)(dice_unit(d) * count);
}

bool dice_chance(dice *d, double probability) {
    return dice_unit(d) < probability;
}

/* ---- reading
 * ---------------------------------------------------------------------------------- */

typedef struct path_list {
    char *paths[MAX_FILES];
    size_t count;
} path_list;

static path_list *found; /* nftw hands no context to its callback */

static int note_path(const char *path, const struct stat *info, int type, struct FTW *where) {
    (void)info;
    (void)where;
    size_t length = strlen(path);
    if (type == FTW_F && length > 3 && !strcmp(path + length - 3, ".gz") &&
        !strstr(path, "/lexicon/") && !strstr(path, ".defr.") && found->count < MAX_FILES) {
        char *copy = strdup(path);
        if (!copy)
            return -1;
        found->paths[found->count++] = copy;
    }
    return 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Cuts in place at a character, and at a space when one is near. */
static void cut(char *line, size_t max) {
    if (strlen(line) <= max)
        return;
    size_t end = max;
    while (end > 0 && ((unsigned char)line[end] & 0xC0) == 0x80)
        end--;
    for (size_t i = end; i > end - end / 4; i--)
        if (line[i] == ' ') {
            end = i;
            break;
        }
    line[end] = '\0';
}

static char *last_column(char *line) {
    line[strcspn(line, "\r\n")] = '\0';
    char *tab = strrchr(line, '\t');
    char *text = tab ? tab + 1 : line;
    while (*text == ' ')
        text++;
    return text;
}

static vl_status read_lines(const char *path, page_file *file, vl_error *error) {
    vl_status status = VL_OK;
    char *line = malloc(MAX_LINE);
    gzFile in = gzopen(path, "rb");
    if (!line || !in) {
        status = vl_fail(error, VL_ERR_INPUT, "%s: cannot be opened", path);
        goto out;
    }
    while (file->line_count < PAGE_MAX_LINES && gzgets(in, line, MAX_LINE)) {
        char *text = last_column(line);
        if (strlen(text) < 6 || strpbrk(text, "<>{}"))
            continue;
        cut(text, MAX_KEPT);
        if (!(file->lines[file->line_count] = strdup(text))) {
            status = vl_fail(error, VL_ERR_MEMORY, "%s: no memory", path);
            goto out;
        }
        file->line_count++;
    }
out:
    if (in)
        gzclose(in);
    free(line);
    return status;
}

static void file_deinit(page_file *file) {
    for (size_t i = 0; i < file->line_count; i++)
        free(file->lines[i]);
    free(file->name);
    *file = (page_file){0};
}

/* The script of most lines of a file, "" when fewer than three in four agree. */
static const char *script_of(const page_file *file) {
    enum { SAMPLE = 40 };
    const char *codes[SAMPLE];
    size_t count = file->line_count < SAMPLE ? file->line_count : SAMPLE;
    for (size_t i = 0; i < count; i++)
        codes[i] = vl_text_script(file->lines[i], NULL);
    for (size_t i = 0; i < count; i++) {
        size_t same = 0;
        for (size_t k = 0; k < count; k++)
            same += !strcmp(codes[i], codes[k]);
        if (same * 4 >= count * 3)
            return codes[i];
    }
    return "";
}

static const struct {
    const char *code;
    double weight;
} weights[] = {{"Latn", 8},   {"Arab", 4},   {"Cyrl", 3},  {"Deva", 3}, {"Ethi", 3},
               {"Beng", 2},   {"Mymr", 2},   {"Khmr", 2},  {"Taml", 2}, {"Hani", 2},
               {"Hans", 1.5}, {"Jpan", 1.5}, {"Hang", 1},  {"Grek", 1}, {"Hebr", 1},
               {"Thai", 1},   {"Geor", 1},   {"Armn", 1},  {"Gujr", 1}, {"Telu", 1},
               {"Knda", 1},   {"Mlym", 1},   {"Guru", 1},  {"Sinh", 1}, {"Laoo", 1},
               {"Tibt", 0.5}, {"Kana", 0.5}, {"Hira", 0.5}};

static page_script *script_slot(page_text *text, const char *code, bool rtl) {
    for (size_t i = 0; i < text->script_count; i++)
        if (!strcmp(text->scripts[i].code, code))
            return &text->scripts[i];
    if (text->script_count == PAGE_MAX_SCRIPTS)
        return NULL;
    page_script *script = &text->scripts[text->script_count++];
    *script = (page_script){.rtl = rtl, .weight = 0.2};
    snprintf(script->code, sizeof script->code, "%s", code);
    UErrorCode status = U_ZERO_ERROR;
    UScriptCode number = USCRIPT_INVALID_CODE;
    uscript_getCode(code, &number, 1, &status);
    const char *name = U_SUCCESS(status) ? uscript_getName(number) : NULL;
    snprintf(script->name, sizeof script->name, "%s", name ? name : code);
    for (char *c = script->name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        if (!strcmp(weights[i].code, code))
            script->weight = weights[i].weight;
    return script;
}

static uint64_t hash_name(const char *name) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a, then mixed */
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001B3);
    return vl_random_next(&hash);
}

static vl_status take_file(page_text *text, const char *folder, const char *path,
                           vl_error *error) {
    page_file file = {.order = hash_name(path + strlen(folder))};
    vl_status status = read_lines(path, &file, error);
    const char *code = status ? "" : script_of(&file);
    if (status || file.line_count < 12 || !*code || !strcmp(code, "Zyyy"))
        goto out;
    page_script *script = script_slot(text, code, vl_text_is_rtl(file.lines[0]));
    if (!script)
        goto out;
    page_file *grown = realloc(script->files, (script->file_count + 1) * sizeof *script->files);
    file.name = strdup(path + strlen(folder));
    if (grown)
        script->files = grown;
    if (!grown || !file.name) {
        status = vl_fail(error, VL_ERR_MEMORY, "%s: no memory", path);
        goto out;
    }
    script->files[script->file_count++] = file;
    return VL_OK;
out:
    file_deinit(&file);
    return status;
}

static int by_order(const void *a, const void *b) {
    const page_file *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

vl_status page_text_open(const char *folder, page_text *text, vl_error *error) {
    vl_status status = VL_OK;
    *text = (page_text){0};
    found = calloc(1, sizeof *found);
    if (!found || nftw(folder, note_path, 16, FTW_PHYS)) {
        status = vl_fail(error, VL_ERR_INPUT, "%s: cannot be read", folder);
        goto out;
    }
    qsort(found->paths, found->count, sizeof *found->paths, by_name);
    for (size_t i = 0; i < found->count && !status; i++)
        status = take_file(text, folder, found->paths[i], error);
    if (!status && !text->script_count)
        status = vl_fail(error, VL_ERR_INPUT, "%s: no .gz text in it", folder);
    for (size_t s = 0; s < text->script_count; s++) {
        page_script *script = &text->scripts[s];
        qsort(script->files, script->file_count, sizeof *script->files, by_order);
        size_t dev = script->file_count < 2 ? 0 : (script->file_count + 6) / 7;
        for (size_t i = 0; i < dev; i++)
            script->files[i].dev = true;
    }
out:
    for (size_t i = 0; found && i < found->count; i++)
        free(found->paths[i]);
    free(found);
    found = NULL;
    if (status)
        page_text_deinit(text);
    return status;
}

void page_text_deinit(page_text *text) {
    for (size_t s = 0; s < text->script_count; s++) {
        for (size_t i = 0; i < text->scripts[s].file_count; i++)
            file_deinit(&text->scripts[s].files[i]);
        free(text->scripts[s].files);
    }
    *text = (page_text){0};
}

static bool has_part(const page_script *script, bool dev) {
    for (size_t i = 0; i < script->file_count; i++)
        if (script->files[i].dev == dev)
            return true;
    return false;
}

const page_script *page_text_draw(const page_text *text, bool dev, dice *d) {
    double sum = 0;
    for (size_t i = 0; i < text->script_count; i++)
        sum += has_part(&text->scripts[i], dev) ? text->scripts[i].weight : 0;
    double at = dice_unit(d) * sum;
    const page_script *last = NULL;
    for (size_t i = 0; i < text->script_count; i++) {
        if (!has_part(&text->scripts[i], dev))
            continue;
        last = &text->scripts[i];
        at -= last->weight;
        if (at < 0)
            break;
    }
    return last;
}

const page_file *page_script_draw(const page_script *script, bool dev, dice *d) {
    int count = 0;
    for (size_t i = 0; i < script->file_count; i++)
        count += script->files[i].dev == dev;
    if (!count)
        return NULL;
    int wanted = dice_below(d, count);
    for (size_t i = 0; i < script->file_count; i++)
        if (script->files[i].dev == dev && wanted-- == 0)
            return &script->files[i];
    return NULL;
}
