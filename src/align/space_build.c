/* space_build.c — from vectors and lists of words to a space: the hub's units, then one
 * language after the other (space_build.h). */
#include "align/space_build.h"

#include "align/rows.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vislang/text.h>

enum { PATH_BYTES = 4096 };

typedef struct builder {
    const vl_space_plan *plan;
    vl_arena *arena;
    space_units units;
    vl_embeddings *hub;
    space_draft_language languages[ALIGN_SPACE_LANGUAGES];
    size_t language_count;
    cJSON *card;
} builder;

/* ---- a language's vocabulary ----------------------------------------------------------------
 */

typedef struct candidate {
    const char *word;
    uint64_t times;
    double rank; /* words with a listed meaning before others as frequent */
} candidate;

static int by_rank(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank > y->rank ? -1 : 1;
    return strcmp(x->word, y->word);
}

static uint64_t all_tokens(const vl_embeddings *own) {
    uint64_t all = 0;
    for (size_t i = 0; i < vl_embeddings_count(own); i++)
        all += vl_embeddings_frequency(own, i);
    return all;
}

/* A word of the text that a list has counts as if it came so much more often. */
static const double LISTED_BONUS = 4;

/* The `most` best words of the text and of the list (NULL: no list), best first. */
static vl_status choose_words(const vl_embeddings *own, const space_meanings *meanings,
                              size_t most, candidate **out, size_t *count, vl_error *error) {
    size_t listed = meanings ? meanings->words.count : 0, seen = vl_embeddings_count(own);
    candidate *all = malloc((listed + seen + 1) * sizeof *all);
    size_t n = 0;
    if (!all)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu words", listed + seen);
    for (size_t i = 0; i < seen; i++) {
        const char *word = vl_embeddings_word(own, i);
        uint64_t times = vl_embeddings_frequency(own, i);
        bool has = meanings && word_set_find(&meanings->words, word) != UINT32_MAX;
        all[n++] = (candidate){word, times, (double)times + (has ? LISTED_BONUS : 0)};
    }
    for (size_t i = 0; i < listed; i++)
        if (vl_embeddings_find(own, meanings->words.words[i]) == SIZE_MAX)
            all[n++] = (candidate){meanings->words.words[i], 0, LISTED_BONUS};
    qsort(all, n, sizeof *all, by_rank);
    *out = all;
    *count = n < most ? n : most;
    return VL_OK;
}

/* ---- codes into bytes ----------------------------------------------------------------------
 */

static space_draft_code pack(const align_meaning *code) {
    space_draft_code packed = {0};
    for (size_t k = 0; k < ALIGN_CODE_MAX && code[k].weight > 0; k++) {
        long weight = lroundf(255 * fminf(code[k].weight, 1));
        if (!weight)
            break;
        packed.unit[k] = code[k].unit;
        packed.weight[k] = (uint8_t)weight;
    }
    return packed;
}

static int by_word(const void *a, const void *b) {
    const space_word *x = a, *y = b;
    return strcmp(x->word, y->word);
}

/* Words that mean nothing are left out. */
static vl_status add_language(builder *b, const char *language, const candidate *chosen,
                              size_t count, align_meaning (*codes)[ALIGN_CODE_MAX],
                              uint64_t tokens, vl_error *error) {
    space_draft_language *l = &b->languages[b->language_count++];
    snprintf(l->code, sizeof l->code, "%s", language);
    l->words = malloc((count + 1) * sizeof *l->words);
    if (!l->words)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu words", count);
    for (size_t i = 0; i < count; i++) {
        space_draft_code code = pack(codes[i]);
        if (!code.weight[0])
            continue;
        char *word = vl_arena_strdup(b->arena, chosen[i].word);
        if (!word)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for words");
        l->words[l->count++] =
            (space_word){word, code, align_frequency_code(chosen[i].times, tokens)};
    }
    qsort(l->words, l->count, sizeof *l->words, by_word);
    return VL_OK;
}

/* ---- the hub ------------------------------------------------------------------------------
 */

static vl_status add_hub(builder *b, vl_error *error) {
    candidate *chosen;
    size_t count;
    vl_status status = choose_words(b->hub, NULL, b->plan->hub_words, &chosen, &count, error);
    if (status)
        return status;
    align_meaning(*codes)[ALIGN_CODE_MAX] = calloc(count + 1, sizeof *codes);
    for (size_t i = 0; codes && i < count; i++) {
        uint32_t unit = space_units_of(&b->units, chosen[i].word, chosen[i].times, true);
        if (unit != UINT32_MAX)
            codes[i][0] = (align_meaning){unit, 1};
    }
    status = codes ? add_language(b, vl_lang_code(b->plan->hub), chosen, count, codes,
                                  all_tokens(b->hub), error)
                   : vl_fail(error, VL_ERR_MEMORY, "no memory for the hub");
    free(codes);
    free(chosen);
    return status;
}

/* Each unit's row: the mean of its forms' unit vectors, by how often they come. */
static vl_status make_unit_rows(builder *b, float **out, vl_error *error) {
    size_t dim = vl_embeddings_dim(b->hub), count = b->units.stems.count;
    float *rows = calloc(count * dim + 1, sizeof *rows), *one = malloc(dim * sizeof *one);
    if (!rows || !one) {
        free(rows);
        free(one);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu rows", count);
    }
    for (size_t i = 0; i < vl_embeddings_count(b->hub); i++) {
        uint32_t unit = space_units_of(&b->units, vl_embeddings_word(b->hub, i), 0, false);
        if (unit == UINT32_MAX)
            continue;
        memcpy(one, vl_embeddings_row(b->hub, i), dim * sizeof *one);
        align_rows_unit(one, 1, dim);
        for (size_t d = 0; d < dim; d++)
            rows[unit * dim + d] += (float)vl_embeddings_frequency(b->hub, i) * one[d];
    }
    for (size_t unit = 0; unit < count; unit++) {
        float *row = rows + unit * dim, square = 0;
        for (size_t d = 0; d < dim; d++)
            square += row[d] * row[d];
        if (square <= 0 && vl_embeddings_of(b->hub, b->units.name[unit], row, NULL))
            memset(row, 0, dim * sizeof *row);
    }
    align_rows_unit(rows, count, dim);
    free(one);
    *out = rows;
    return VL_OK;
}

/* ---- the other languages -------------------------------------------------------------------
 */

static vl_status read_dictionary(const char *path, vl_lexicon **out, vl_error *error) {
    vl_lexicon *read;
    vl_status status = vl_lexicon_read(path, &read, error);
    if (status)
        return status;
    status = vl_lexicon_new(out, error);
    for (size_t i = 0; !status && i < vl_lexicon_count(read); i++) {
        const vl_lexicon_pair *pair = vl_lexicon_pair_at(read, i);
        status = vl_lexicon_add(
            *out,
            &(vl_lexicon_pair){.source = pair->target, .target = pair->source, .confidence = 1},
            error);
    }
    vl_lexicon_free(read);
    return status;
}

static void note(builder *b, const char *language, const vl_embeddings *own,
                 const space_meanings *meanings, const vl_map_report *report) {
    cJSON *one = cJSON_CreateObject();
    cJSON_AddNumberToObject(one, "text_words", (double)all_tokens(own));
    cJSON_AddNumberToObject(one, "listed_pairs", (double)meanings->pairs);
    cJSON_AddNumberToObject(one, "listed_words", (double)meanings->words.count);
    cJSON_AddStringToObject(one, "rung", vl_rung_name(report->rung));
    cJSON_AddBoolToObject(one, "mapped", report->better_than_chance);
    cJSON_AddNumberToObject(one, "held_out_at10", report->rungs[report->rung].held_out_at10);
    cJSON_AddNumberToObject(one, "words", (double)b->languages[b->language_count - 1].count);
    cJSON_AddItemToObject(cJSON_GetObjectItem(b->card, "languages"), language, one);
}

/* What is read of one language while it is coded. */
typedef struct reading {
    vl_embeddings *own, *inhub, *hub;
    vl_lexicon *dictionary;
    vl_map *map;
    vl_map_report report;
    space_meanings meanings;
    space_meanings relatives[VL_SPACE_RELATIVES];
    size_t relative_count;
    candidate *chosen;
    size_t chosen_count;
    align_meaning (*codes)[ALIGN_CODE_MAX];
} reading;

static void reading_deinit(reading *r) {
    vl_embeddings_free(r->own);
    vl_embeddings_free(r->inhub);
    vl_embeddings_free(r->hub);
    vl_lexicon_free(r->dictionary);
    vl_map_free(r->map);
    space_meanings_deinit(&r->meanings);
    for (size_t i = 0; i < r->relative_count; i++)
        space_meanings_deinit(&r->relatives[i]);
    free(r->chosen);
    free(r->codes);
}

static const char *file_of(const char *folder, const char *language, const char *ending,
                           char path[PATH_BYTES]) {
    snprintf(path, PATH_BYTES, "%s/%s.%s", folder, language, ending);
    return path;
}

/* Into the hub's coordinates, where that is better than chance. */
static vl_status map_language(const builder *b, reading *r, const char *path, vl_error *error) {
    vl_map_options options = vl_map_options_default();
    vl_status status = read_dictionary(path, &r->dictionary, error);
    options.dictionary = r->dictionary;
    options.keep_target = true;
    options.rung = VL_RUNG_DICTIONARY;
    options.refine = false;
    if (!status)
        status = vl_map_learn(r->own, b->hub, &options, &r->map, &r->report, error);
    if (!status && r->report.better_than_chance) {
        status = vl_map_embeddings(r->map, VL_SOURCE, r->own, &r->inhub, error);
        if (!status)
            status = vl_map_embeddings(r->map, VL_TARGET, b->hub, &r->hub, error);
    }
    return status;
}

static vl_status read_relatives(builder *b, const char *language, reading *r, vl_error *error) {
    char path[PATH_BYTES];
    vl_status status = VL_OK;
    for (size_t i = 0; !status && i < b->plan->relative_count; i++) {
        const vl_space_relative *relative = &b->plan->relatives[i];
        if (strcmp(relative->language, language) != 0 ||
            r->relative_count == VL_SPACE_RELATIVES)
            continue;
        status =
            space_meanings_read(file_of(b->plan->lexicons, relative->relative, "tsv", path),
                                &b->units, b->arena, &r->relatives[r->relative_count++], error);
    }
    return status;
}

/* Words with a listed meaning have that; the others are put together and coded at once. */
static vl_status code_words(builder *b, reading *r, vl_error *error) {
    const char **words = malloc((r->chosen_count + 1) * sizeof *words);
    size_t *which = malloc((r->chosen_count + 1) * sizeof *which), count = 0;
    align_meaning(*codes)[ALIGN_CODE_MAX] = calloc(r->chosen_count + 1, sizeof *codes);
    r->codes = calloc(r->chosen_count + 1, sizeof *r->codes);
    vl_status status = words && which && codes && r->codes
                           ? VL_OK
                           : vl_fail(error, VL_ERR_MEMORY, "no memory for codes");
    for (size_t i = 0; !status && i < r->chosen_count; i++) {
        uint32_t at = word_set_find(&r->meanings.words, r->chosen[i].word);
        if (at != UINT32_MAX) {
            memcpy(r->codes[i], r->meanings.code[at], sizeof *codes);
            continue;
        }
        words[count] = r->chosen[i].word;
        which[count++] = i;
    }
    space_extend with = {.own = r->own,
                         .inhub = r->inhub,
                         .hub = r->hub,
                         .units = &b->units,
                         .relatives = r->relatives,
                         .relative_count = r->relative_count};
    if (!status)
        status = space_extend_codes(&with, &r->meanings, words, count, codes, error);
    for (size_t i = 0; !status && i < count; i++)
        memcpy(r->codes[which[i]], codes[i], sizeof *codes);
    free(words);
    free(which);
    free(codes);
    return status;
}

static vl_status build_language(builder *b, const char *language, vl_error *error) {
    char path[PATH_BYTES];
    reading r = {0};
    vl_status status =
        vl_embeddings_read(file_of(b->plan->vectors, language, "bin", path), 0, &r.own, error);
    if (!status)
        status = space_meanings_read(file_of(b->plan->lexicons, language, "tsv", path),
                                     &b->units, b->arena, &r.meanings, error);
    if (!status)
        status = map_language(b, &r, path, error);
    if (!status)
        status = read_relatives(b, language, &r, error);
    if (!status)
        status =
            choose_words(r.own, &r.meanings, b->plan->words, &r.chosen, &r.chosen_count, error);
    if (!status)
        status = code_words(b, &r, error);
    if (!status)
        status = add_language(b, vl_lang_code(language), r.chosen, r.chosen_count, r.codes,
                              all_tokens(r.own), error);
    if (!status)
        note(b, language, r.own, &r.meanings, &r.report);
    else
        vl_error_prefix(error, "%s: ", language);
    reading_deinit(&r);
    return status;
}

/* ---- units that some word means ------------------------------------------------------------
 */

/* Renames the units of all codes so that those that no word means are gone. Returns the old
 * name of each: [*count]. NULL: no memory. */
static uint32_t *keep_used_units(builder *b, size_t *count) {
    size_t all = b->units.stems.count;
    uint32_t *now = malloc((all + 1) * sizeof *now),
             *before = malloc((all + 1) * sizeof *before);
    *count = 0;
    if (!now || !before) {
        free(now);
        free(before);
        return NULL;
    }
    memset(now, 0xFF, (all + 1) * sizeof *now);
    for (size_t l = 0; l < b->language_count; l++)
        for (size_t i = 0; i < b->languages[l].count; i++) {
            space_draft_code *code = &b->languages[l].words[i].code;
            for (size_t k = 0; k < ALIGN_CODE_MAX && code->weight[k]; k++) {
                uint32_t unit = code->unit[k];
                if (now[unit] == UINT32_MAX) {
                    before[*count] = unit;
                    now[unit] = (uint32_t)(*count)++;
                }
                code->unit[k] = now[unit];
            }
        }
    free(now);
    return before;
}

/* ---- all of it -----------------------------------------------------------------------------
 */

static vl_status take_units(builder *b, const uint32_t *kept, size_t count, space_unit *units,
                            float *kept_rows, vl_error *error) {
    uint64_t tokens = all_tokens(b->hub);
    size_t dim = vl_embeddings_dim(b->hub);
    float *rows = NULL;
    vl_status status = make_unit_rows(b, &rows, error);
    if (status)
        return status;
    for (size_t i = 0; i < count; i++) {
        units[i] = (space_unit){b->units.name[kept[i]],
                                align_frequency_code(b->units.tokens[kept[i]], tokens)};
        memcpy(kept_rows + i * dim, rows + kept[i] * dim, dim * sizeof *rows);
    }
    free(rows);
    return VL_OK;
}

static vl_status write_out(builder *b, const char *out, vl_error *error) {
    size_t count, dim = vl_embeddings_dim(b->hub);
    uint32_t *kept = keep_used_units(b, &count);
    space_unit *units = kept ? malloc((count + 1) * sizeof *units) : NULL;
    float *rows = kept ? malloc((count * dim + 1) * sizeof *rows) : NULL;
    char *card = cJSON_PrintUnformatted(b->card);
    vl_status status = units && rows && card
                           ? take_units(b, kept, count, units, rows, error)
                           : vl_fail(error, VL_ERR_MEMORY, "no memory for units");
    if (!status) {
        space_draft draft = {.card = card,
                             .units = units,
                             .rows = rows,
                             .unit_count = count,
                             .dim = dim,
                             .languages = b->languages,
                             .language_count = b->language_count};
        snprintf(draft.hub, sizeof draft.hub, "%s", vl_lang_code(b->plan->hub));
        status = align_space_write(&draft, out, error);
    }
    free(rows);
    free(units);
    free(kept);
    free(card);
    return status;
}

vl_space_plan vl_space_plan_default(void) {
    return (vl_space_plan){.hub = "en", .hub_words = 30000, .words = 12000};
}

/* Each once, and not the hub's. */
static vl_status check_plan(const vl_space_plan *plan, vl_error *error) {
    if (plan->language_count >= ALIGN_SPACE_LANGUAGES)
        return vl_fail(error, VL_ERR_LIMIT, "at most %d languages", ALIGN_SPACE_LANGUAGES - 1);
    for (size_t i = 0; i < plan->language_count; i++) {
        const char *code = vl_lang_code(plan->languages[i]);
        bool again = !strcmp(code, vl_lang_code(plan->hub));
        for (size_t k = 0; k < i; k++)
            again = again || !strcmp(code, vl_lang_code(plan->languages[k]));
        if (again)
            return vl_fail(error, VL_ERR_USAGE, "'%s' is in the space once already",
                           plan->languages[i]);
    }
    return VL_OK;
}

vl_status vl_space_build(const vl_space_plan *plan, const char *out, vl_error *error) {
    enum { ARENA_BYTES = 1 << 30 };
    char path[PATH_BYTES];
    vl_status status = check_plan(plan, error);
    if (status)
        return status;
    builder b = {
        .plan = plan, .arena = vl_arena_new(ARENA_BYTES), .card = cJSON_CreateObject()};
    status = b.arena && b.card && cJSON_AddObjectToObject(b.card, "languages")
                 ? vl_embeddings_read(file_of(plan->vectors, plan->hub, "bin", path), 0, &b.hub,
                                      error)
                 : vl_fail(error, VL_ERR_MEMORY, "no memory for a space");
    if (!status)
        status = space_units_init(&b.units, plan->hub, b.arena, error);
    if (!status)
        status = add_hub(&b, error);
    for (size_t i = 0; !status && i < plan->language_count; i++) {
        if (plan->progress)
            plan->progress(plan->languages[i], plan->user);
        status = build_language(&b, plan->languages[i], error);
        if (!status)
            status = vl_stop_check(error);
    }
    if (!status)
        status = write_out(&b, out, error);
    for (size_t i = 0; i < b.language_count; i++)
        free(b.languages[i].words);
    space_units_deinit(&b.units);
    vl_embeddings_free(b.hub);
    vl_arena_free(b.arena);
    cJSON_Delete(b.card);
    return status;
}
