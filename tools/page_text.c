/* page_text.c — see page_text.h. */
#include "page_text.h"

#include <vislang/text.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uscript.h>

enum { MAX_KEPT = 600 };
static const size_t MAX_TEXT = (size_t)1 << 30;

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

static vl_status take_file(const char *path, void *user, vl_error *error) {
    page_text *text = user;
    const corpus_limits limits = {.max_lines = PAGE_MAX_LINES, .max_bytes = MAX_KEPT};
    if (strstr(path, "/lexicon/") || strstr(path, ".defr."))
        return VL_OK;
    const char *name = path + strlen(text->folder);
    page_file file = {.order = dice_hash(name), .name = vl_arena_strdup(text->arena, name)};
    vl_status status = corpus_read(text->arena, path, &limits, &file.text, error);
    const char *code = status ? "" : corpus_script(&file.text);
    if (status || file.text.count < 12 || !*code || !strcmp(code, "Zyyy"))
        return status;
    page_script *script = script_slot(text, code, vl_text_is_rtl(file.text.items[0]));
    if (!script)
        return VL_OK;
    page_file *grown = realloc(script->files, (script->file_count + 1) * sizeof *script->files);
    if (grown)
        script->files = grown;
    if (!grown || !file.name)
        return vl_fail(error, VL_ERR_MEMORY, "%s: no memory", path);
    script->files[script->file_count++] = file;
    return VL_OK;
}

static int by_order(const void *a, const void *b) {
    const page_file *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

vl_status page_text_open(const char *folder, page_text *text, vl_error *error) {
    *text = (page_text){.folder = folder, .arena = vl_arena_new(MAX_TEXT)};
    if (!text->arena)
        return vl_fail(error, VL_ERR_MEMORY, "%s: no memory", folder);
    vl_status status = corpus_walk(folder, ".gz", take_file, text, error);
    if (!status && !text->script_count)
        status = vl_fail(error, VL_ERR_INPUT, "%s: no .gz text in it", folder);
    for (size_t s = 0; s < text->script_count; s++) {
        page_script *script = &text->scripts[s];
        qsort(script->files, script->file_count, sizeof *script->files, by_order);
        size_t dev = script->file_count < 2 ? 0 : (script->file_count + 6) / 7;
        for (size_t i = 0; i < dev; i++)
            script->files[i].dev = true;
    }
    if (status)
        page_text_deinit(text);
    return status;
}

void page_text_deinit(page_text *text) {
    for (size_t s = 0; s < text->script_count; s++)
        free(text->scripts[s].files);
    vl_arena_free(text->arena);
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
