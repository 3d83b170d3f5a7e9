/* export.c — one pass over a dataset: which items are asked for, gathered to groups, counted,
 * and given to the layout that was chosen. */
#include "dataset/export.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_EXAMPLES = 4096, MAX_CODES = 64, SHOWN = 1000 };
static const size_t GROUP_ARENA = (size_t)256 << 20, LINE_MAX_BYTES = (size_t)256 << 20;
static const uint64_t SHARD_BYTES = (uint64_t)1 << 30, SHARD_ITEMS = 10000;

static const char *const format_names[VL_EXPORT_FORMAT_COUNT] = {"imagefolder", "jsonl",
                                                                 "webdataset", "coco", "llava"};
static const export_layout *const layouts[VL_EXPORT_FORMAT_COUNT] = {
    &export_imagefolder, &export_jsonl, &export_webdataset, &export_coco, &export_llava};

const char *vl_export_format_name(vl_export_format format) {
    return format_names[format];
}

vl_export_options vl_export_options_default(void) {
    return (vl_export_options){.shard_bytes = SHARD_BYTES, .shard_items = SHARD_ITEMS};
}

/* ---- what is asked for ---------------------------------------------------------------------
 */

typedef struct wanted {
    bool splits[VL_SPLIT_COUNT], kinds[VL_ITEM_KIND_COUNT];
    char codes[MAX_CODES][VL_LANG_SIZE]; /* none: all */
    size_t code_count;
    double score;
} wanted;

typedef const char *(*name_fn)(size_t index);
static const char *split_name(size_t i) {
    return vl_split_name((vl_split)i);
}
static const char *kind_name(size_t i) {
    return vl_item_kind_name((vl_item_kind)i);
}

/* The next name of a comma list, into `out`; false: there is none. */
static bool next_name(const char **list, char *out, size_t size) {
    *list += strspn(*list, " ");
    size_t length = strcspn(*list, ",");
    if (!**list)
        return false;
    size_t kept = length < size ? length : size - 1;
    memcpy(out, *list, kept);
    out[kept] = '\0';
    *list += length + ((*list)[length] == ',');
    return true;
}

static vl_status read_names(const char *list, const char *what, name_fn name, size_t count,
                            bool *out, vl_error *error) {
    char one[32], all[256] = "";
    for (size_t i = 0; i < count; i++)
        out[i] = !list;
    for (size_t i = 0; i < count; i++) {
        strncat(all, i ? ", " : "", sizeof all - strlen(all) - 1);
        strncat(all, name(i), sizeof all - strlen(all) - 1);
    }
    while (list && next_name(&list, one, sizeof one)) {
        size_t i = 0;
        while (i < count && strcmp(one, name(i)) != 0)
            i++;
        if (i == count)
            return vl_fail(error, VL_ERR_USAGE, "no %s '%s'; there are %s", what, one, all);
        out[i] = true;
    }
    return VL_OK;
}

static vl_status read_wanted(const vl_export_options *options, wanted *w, vl_error *error) {
    const char *list = options->languages;
    char code[VL_LANG_SIZE];
    *w = (wanted){.score = options->min_score};
    if (!(options->min_score >= 0 && options->min_score <= 1))
        return vl_fail(error, VL_ERR_USAGE, "the least quality score is a number from 0 to 1");
    vl_status status =
        read_names(options->splits, "split", split_name, VL_SPLIT_COUNT, w->splits, error);
    if (!status)
        status = read_names(options->kinds, "kind of items", kind_name, VL_ITEM_KIND_COUNT,
                            w->kinds, error);
    while (!status && list && next_name(&list, code, sizeof code)) {
        if (w->code_count == MAX_CODES)
            return vl_fail(error, VL_ERR_USAGE, "more than %d languages", MAX_CODES);
        strcpy(w->codes[w->code_count++], vl_lang_code(code));
    }
    return status;
}

static bool is_wanted(const wanted *w, const vl_item *item) {
    bool language = !w->code_count;
    for (size_t i = 0; i < w->code_count && !language; i++)
        language = !strcmp(w->codes[i], vl_lang_code(item->language));
    return language && w->splits[item->split] && w->kinds[item->kind] &&
           item->score >= w->score;
}

/* ---- counting ------------------------------------------------------------------------------
 */

vl_status tally_add(tally *t, const char *name, size_t *index, vl_error *error) {
    size_t i = 0;
    while (i < t->count && strcmp(t->names[i], name) != 0)
        i++;
    if (index)
        *index = i;
    if (i == TALLY_NAMES) {
        t->others++;
        return VL_OK;
    }
    if (i == t->count && !(t->names[t->count++] = strdup(name))) {
        t->count--;
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an export");
    }
    t->counts[i]++;
    return VL_OK;
}

void tally_sort(tally *t) {
    for (size_t i = 1; i < t->count; i++)
        for (size_t k = i; k > 0; k--) {
            uint64_t count = t->counts[k], before = t->counts[k - 1];
            char *name = t->names[k];
            if (before > count || (before == count && strcmp(t->names[k - 1], name) <= 0))
                break;
            t->counts[k] = before;
            t->counts[k - 1] = count;
            t->names[k] = t->names[k - 1];
            t->names[k - 1] = name;
        }
}

void tally_deinit(tally *t) {
    for (size_t i = 0; i < t->count; i++)
        free(t->names[i]);
    t->count = 0;
}

/* What `text` has before the first `end`, in whole characters, as far as there is room. */
static void copy_until(const char *text, const char *end, char *out, size_t size) {
    size_t length = strcspn(text, end);
    length = length < size ? length : size - 1;
    length = vl_utf8_valid_prefix(text, length);
    memcpy(out, text, length);
    out[length] = '\0';
}

static bool is_date(const char *text) {
    return strspn(text, "0123456789") == 4 && text[4] == '-' &&
           strspn(text + 5, "0123456789") == 2 && text[7] == '-' &&
           strspn(text + 8, "0123456789") == 2;
}

static vl_status count_source(export_counts *c, const vl_item *item, vl_error *error) {
    const char *fetched = item->source.fetched;
    char source[64];
    copy_until(item->source.record, "/", source, sizeof source);
    vl_status status = tally_add(&c->sources, source, NULL, error);
    if (!status)
        status = tally_add(&c->licences, item->source.licence, NULL, error);
    if (!status)
        status = tally_add(&c->publishers, item->source.publisher, NULL, error);
    if (is_date(fetched) && strncmp(fetched, c->newest, sizeof c->newest - 1) > 0)
        snprintf(c->newest, sizeof c->newest, "%s", fetched);
    return status;
}

static void count_base(export_counts *c, const vl_item *item) {
    double bin = fmin(fmax(floor(item->score * EXPORT_BINS), 0), EXPORT_BINS - 1);
    c->bases++;
    c->ocr += item->source.ocr;
    c->bins[(size_t)bin]++;
    for (size_t i = 0; i < VL_QUALITY_PART_COUNT; i++)
        c->quality[i] += item->quality[i];
    for (size_t i = 0; i < VL_ITEM_PERSONAL; i++)
        c->personal[i] += item->personal[i];
}

static vl_status count_item(export_counts *c, const vl_item *item, vl_error *error) {
    char origin[16];
    c->kinds[item->kind][item->split]++;
    c->with_picture += *item->picture != '\0';
    c->reviewed += *item->review != '\0';
    c->corrected += !strcmp(item->review, "corrected");
    copy_until(item->origin, ":", origin, sizeof origin);
    vl_status status = tally_add(&c->languages, item->language, NULL, error);
    if (!status)
        status = tally_add(&c->scripts, item->script, NULL, error);
    return status ? status : tally_add(&c->origins, origin, NULL, error);
}

static vl_status count_group(export_counts *c, const export_group *group, vl_error *error) {
    vl_status status = count_source(c, group->base, error);
    count_base(c, group->base);
    if (!status && group->base_asked)
        status = count_item(c, group->base, error);
    for (size_t i = 0; i < group->count && !status; i++)
        status = count_item(c, &group->examples[i], error);
    return status;
}

/* ---- groups --------------------------------------------------------------------------------
 */

typedef struct gathering {
    export *e;
    const export_layout *layout;
    wanted wanted;
    vl_arena *arena; /* of the group */
    bool has_base, base_rejected;
    vl_item base, *examples; /* [MAX_EXAMPLES] */
    uint64_t seen;           /* items */
    export_group group;
} gathering;

/* JSON has no infinity: a number that is too large for it was read as that. */
static bool is_finite(const vl_item *item) {
    bool finite = isfinite(item->score) && isfinite(item->source.dpi);
    for (size_t i = 0; i < VL_QUALITY_PART_COUNT; i++)
        finite = finite && isfinite(item->quality[i]);
    return finite;
}

/* What names files, and what names of files are made of, must not lead out of the folder. */
static vl_status check_item(const vl_item *item, vl_error *error) {
    size_t digits = strspn(item->id, "0123456789abcdef");
    const char *p = item->picture;
    if (digits != VL_ITEM_ID_SIZE - 1 || item->id[digits])
        return vl_fail(error, VL_ERR_INPUT,
                       "the id '%s' of an item is not 16 hexadecimal digits", item->id);
    if (*p == '/' || !strncmp(p, "../", 3) || strstr(p, "/../"))
        return vl_fail(error, VL_ERR_INPUT, "item %s: its picture leaves the dataset's folder",
                       item->id);
    return is_finite(item) ? VL_OK
                           : vl_fail(error, VL_ERR_INPUT,
                                     "item %s has a number that is infinite", item->id);
}

static vl_status keep_text(vl_arena *arena, const char **text, vl_error *error) {
    *text = **text ? vl_arena_strdup(arena, *text) : "";
    return *text ? VL_OK
                 : vl_fail(error, VL_ERR_LIMIT, "an item and its examples are over %zu MB",
                           GROUP_ARENA >> 20);
}

static vl_status keep_item(vl_arena *arena, const vl_item *item, vl_item *out,
                           vl_error *error) {
    *out = *item;
    const char **texts[] = {&out->picture,          &out->picture_kind,
                            &out->instruction,      &out->text,
                            &out->origin,           &out->phrase,
                            &out->review,           &out->source.document,
                            &out->source.record,    &out->source.url,
                            &out->source.title,     &out->source.licence,
                            &out->source.publisher, &out->source.published,
                            &out->source.fetched};
    vl_status status = VL_OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && !status; i++)
        status = keep_text(arena, texts[i], error);
    return status;
}

static vl_status end_group(gathering *g, vl_error *error) {
    export_group *group = &g->group;
    if (!g->has_base || (!group->base_asked && !group->count))
        return VL_OK;
    g->e->report->items += group->base_asked + group->count;
    vl_status status = count_group(&g->e->counts, group, error);
    return status ? status : g->layout->put(g->e, group, error);
}

static vl_status begin_group(gathering *g, const vl_item *item, bool asked, vl_error *error) {
    vl_status status = end_group(g, error);
    vl_arena_reset(g->arena);
    if (!status)
        status = keep_item(g->arena, item, &g->base, error);
    g->has_base = true;
    g->base_rejected = !strcmp(item->review, "rejected");
    g->group = (export_group){
        .base = &g->base, .base_asked = asked && !g->base_rejected, .examples = g->examples};
    return status;
}

static vl_status add_example(gathering *g, const vl_item *item, vl_error *error) {
    if (*item->picture && strcmp(item->picture, g->base.picture) != 0)
        return vl_fail(error, VL_ERR_INPUT,
                       "item %s is about another picture than its base item %s", item->id,
                       g->base.id);
    if (g->group.count == MAX_EXAMPLES)
        return vl_fail(error, VL_ERR_LIMIT, "item %s has more than %d examples", g->base.id,
                       MAX_EXAMPLES);
    return keep_item(g->arena, item, &g->examples[g->group.count++], error);
}

static vl_status gather(const vl_item *item, void *to, vl_error *error) {
    gathering *g = to;
    bool is_base = vl_item_is_base(item->kind), asked = is_wanted(&g->wanted, item);
    vl_status status = vl_stop_check(error);
    if (!status)
        status = check_item(item, error);
    if (g->e->options->progress && ++g->seen % SHOWN == 0)
        g->e->options->progress(g->seen, g->e->options->user);
    if (!status && is_base)
        status = begin_group(g, item, asked, error);
    else if (!status && (!g->has_base || strcmp(item->base, g->base.id) != 0))
        status = vl_fail(error, VL_ERR_INPUT, "item %s does not follow its base item '%s'",
                         item->id, item->base);
    if (status)
        return status;
    if (g->base_rejected || !strcmp(item->review, "rejected"))
        g->e->report->rejected++;
    else if (!asked)
        g->e->report->not_asked++;
    else if (!is_base)
        status = add_example(g, item, error);
    return status;
}

/* ---- the export ----------------------------------------------------------------------------
 */

static vl_status write_rows(export *e, const export_layout *layout, vl_error *error) {
    gathering g = {.e = e, .layout = layout};
    vl_status status = read_wanted(e->options, &g.wanted, error);
    if (status)
        return status;
    g.arena = vl_arena_new(GROUP_ARENA);
    g.examples = calloc(MAX_EXAMPLES, sizeof *g.examples);
    if (!g.arena || !g.examples)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for an export");
    if (!status)
        status = layout->open(e, error);
    if (!status)
        status = vl_dataset_items(e->dataset, gather, &g, error);
    if (!status)
        status = end_group(&g, error);
    if (!status)
        status = layout->close(e, error);
    layout->free(e);
    vl_arena_free(g.arena);
    free(g.examples);
    return status;
}

static vl_status check_rows(const vl_export_report *r, vl_error *error) {
    uint64_t rows = r->text_rows;
    for (size_t i = 0; i < VL_SPLIT_COUNT; i++)
        rows += r->rows[i];
    return rows
               ? VL_OK
               : vl_fail(error, VL_ERR_INPUT,
                         "nothing to export: %llu items are not asked for, %llu were rejected, "
                         "for %llu the layout has no place",
                         (unsigned long long)r->not_asked, (unsigned long long)r->rejected,
                         (unsigned long long)r->no_place);
}

static void deinit(export *e) {
    tally *const all[] = {&e->counts.languages, &e->counts.scripts,    &e->counts.sources,
                          &e->counts.licences,  &e->counts.publishers, &e->counts.origins};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tally_deinit(all[i]);
    for (size_t i = 0; i < e->file_count; i++)
        free(e->files[i].name);
    free(e->files);
    vl_buf_deinit(&e->line);
    vl_dataset_close(e->dataset);
    free(e);
}

vl_status vl_dataset_export(const vl_export_options *options, vl_export_report *report,
                            vl_error *error) {
    const export_layout *layout = layouts[options->format];
    export *e = calloc(1, sizeof *e);
    *report = (vl_export_report){0};
    if (!e)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an export");
    e->options = options;
    e->report = report;
    e->out = options->out;
    e->lock = -1;
    vl_buf_init(&e->line, LINE_MAX_BYTES);
    vl_status status = vl_dataset_open(options->dataset, &e->dataset, error);
    if (!status)
        status = export_begin(e, error);
    if (!status)
        status = write_rows(e, layout, error);
    if (!status)
        status = check_rows(report, error);
    if (!status)
        status = export_write_card(e, layout, error);
    if (!status)
        status = export_write_croissant(e, layout, error);
    if (!status)
        status = export_finish(e, error);
    export_abandon(e);
    deinit(e);
    return status;
}
