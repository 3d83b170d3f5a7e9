/* styles.c — see styles.h. */
#include "dataset/styles.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHAIN_MAX = 50 };

/* ---- languages --------------------------------------------------------------------------- */

static void put(char to[VL_LANG_SIZE], const char from[VL_LANG_SIZE]) {
    if (*from)
        memcpy(to, from, VL_LANG_SIZE);
}

void style_languages_put(style_languages *languages, const style_languages *over) {
    put(languages->western, over->western);
    put(languages->asian, over->asian);
    put(languages->complex, over->complex);
}

static bool is_one_of(const char *script, const char *list) {
    const char *at = strstr(list, script);
    return at && (at - list) % 4 == 0;
}

const char *style_language_of(const style_languages *languages, const char *text, bool rtl) {
    const char *script = vl_text_script(text, NULL);
    if (is_one_of(script, "HaniHiraKanaHangBopoJpanKore"))
        return languages->asian;
    if (rtl || is_one_of(script, "ArabHebrSyrcThaaNkooDevaBengGuruGujrOryaTamlTeluKndaMlymSinh"
                                 "ThaiLaooTibtMymrKhmr"))
        return languages->complex;
    return languages->western;
}

/* ---- kinds ------------------------------------------------------------------------------- */

style_kind style_kind_of(const char *name) {
    static const struct {
        const char *begin;
        style_kind kind;
    } kinds[] = {{"toc ", STYLE_INDEX},
                 {"table of figures", STYLE_INDEX},
                 {"table of authorities", STYLE_INDEX},
                 {"index ", STYLE_INDEX},
                 {"contents ", STYLE_INDEX},
                 {"subtitle", STYLE_SUBTITLE},
                 {"title", STYLE_TITLE},
                 {"caption", STYLE_CAPTION}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = strlen(kinds[i].begin);
        bool whole = kinds[i].begin[length - 1] != ' ';
        if (!strncasecmp(name, kinds[i].begin, length) && (!whole || !name[length]))
            return kinds[i].kind;
    }
    return STYLE_PLAIN;
}

/* ---- the table --------------------------------------------------------------------------- */

vl_status styles_add(styles *all, const style *item, vl_error *error) {
    if (all->count == STYLES_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "the document has more than %d styles", STYLES_MAX);
    if (all->count == all->capacity) {
        size_t more = all->capacity ? all->capacity * 2 : 64;
        style *items = vl_arena_grow(all->arena, all->items, all->count * sizeof *items,
                                     more * sizeof *items);
        if (!items)
            return vl_fail(error, VL_ERR_MEMORY, "out of memory");
        all->items = items;
        all->capacity = more;
    }
    all->items[all->count] = *item;
    all->items[all->count++].order = ++all->order;
    return VL_OK;
}

static int by_id(const void *x, const void *y) {
    return strcmp(((const style *)x)->id, ((const style *)y)->id);
}

static int by_id_and_order(const void *x, const void *y) {
    const style *a = x, *b = y;
    int order = by_id(a, b);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

const style *styles_find(const styles *all, const char *id) {
    style key = {.id = id};
    return all->count ? bsearch(&key, all->items, all->count, sizeof key, by_id) : NULL;
}

static void settle(const styles *all, style *item) {
    style whole = *item;
    style_languages languages[CHAIN_MAX];
    size_t count = 0;
    const style *at = item;
    for (; at && count < CHAIN_MAX; at = *at->parent ? styles_find(all, at->parent) : NULL) {
        if (whole.kind == STYLE_PLAIN)
            whole.kind = at->kind;
        if (whole.outline == STYLE_OUTLINE_UNKNOWN)
            whole.outline = at->outline;
        if (whole.list == STYLE_LIST_UNKNOWN)
            whole.list = at->list;
        whole.hidden |= at->hidden;
        languages[count++] = at->languages;
    }
    while (count-- > 0)
        style_languages_put(&whole.languages, &languages[count]);
    *item = whole;
}

void styles_settle(styles *all) {
    size_t count = all->count;
    if (count)
        qsort(all->items, count, sizeof *all->items, by_id_and_order);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept && !by_id(&all->items[kept - 1], &all->items[i]))
            kept--;
        all->items[kept++] = all->items[i];
    }
    all->count = kept;
    for (size_t i = 0; i < kept; i++)
        settle(all, &all->items[i]);
}
