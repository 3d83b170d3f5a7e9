/* hub.c — many languages in one space, each joining with seeds to all that are there.
 *
 * The frame is that of the hub's language, prepared. A language that joins has two matrices
 * into it: a rotation, which pivots of later languages are measured in, and the rotation with
 * directions weighed, which is what is handed out. Re-weighting would weigh the hub's side too,
 * differently for each language, so the hub's own matrix is the mean of those. */
#include "align/ladder.h"
#include "align/lookup.h"
#include "align/rows.h"

#include <stdlib.h>
#include <string.h>

enum { HUB_MAX = 256, PIVOT_WORDS = 50000, NAME_SIZE = 64 };

typedef struct member {
    char name[NAME_SIZE];
    const vl_embeddings *embeddings;
    float *mean, *rotation; /* NULL rotation: the hub's own language */
    vl_map *map;            /* as it is handed out, VL_SOURCE side */
} member;

struct vl_hub {
    size_t dim, count;
    member members[HUB_MAX];
    float *weights; /* [dim][dim]: sum of the hub's side of every language */
};

static member *find(const vl_hub *hub, const char *language) {
    for (size_t i = 0; i < hub->count; i++)
        if (!strcmp(hub->members[i].name, language))
            return (member *)&hub->members[i];
    return NULL;
}

static void member_deinit(member *m) {
    free(m->mean);
    free(m->rotation);
    vl_map_free(m->map);
}

void vl_hub_free(vl_hub *hub) {
    if (!hub)
        return;
    for (size_t i = 0; i < hub->count; i++)
        member_deinit(&hub->members[i]);
    free(hub->weights);
    free(hub);
}

static vl_status check_name(const char *language, vl_error *error) {
    if (!*language || strlen(language) >= NAME_SIZE)
        return vl_fail(error, VL_ERR_INPUT, "a language's name has 1 to %d bytes",
                       NAME_SIZE - 1);
    return VL_OK;
}

vl_status vl_hub_new(const char *language, const vl_embeddings *embeddings, vl_hub **hub,
                     vl_error *error) {
    align_prepared prepared = {0};
    *hub = NULL;
    vl_status status = check_name(language, error);
    if (status)
        return status;
    vl_hub *made = calloc(1, sizeof *made);
    if (!made)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a hub");
    made->dim = vl_embeddings_dim(embeddings);
    made->weights = calloc(made->dim * made->dim + 1, sizeof *made->weights);
    if (!made->weights)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a hub");
    if (!status)
        status = align_prepare(embeddings, &prepared, error);
    if (!status) {
        member *own = &made->members[made->count++];
        strcpy(own->name, language);
        own->embeddings = embeddings;
        own->mean = prepared.mean;
        prepared.mean = NULL;
        status = align_map_new(made->dim, own->mean, NULL, own->mean, NULL, &own->map, error);
    }
    align_prepared_deinit(&prepared);
    if (status)
        vl_hub_free(made);
    else
        *hub = made;
    return status;
}

/* ---- pivots ---------------------------------------------------------------------------------
 */

/* A word's row in the hub's frame. */
static void hub_row(const vl_hub *hub, const member *m, size_t word, float *row,
                    float *scratch) {
    memcpy(scratch, vl_embeddings_row(m->embeddings, word), hub->dim * sizeof *scratch);
    align_prepare_rows(scratch, 1, hub->dim, m->mean);
    align_rows_turn(scratch, 1, hub->dim, m->rotation, row);
}

/* `seeds` are of the language that joins (source) and of `m` (target). */
static vl_status add_pivots(const vl_hub *hub, const member *m, const align_prepared *joining,
                            const align_seeds *seeds, align_rows_pair *rows, vl_error *error) {
    size_t at, dim = hub->dim;
    rows->dim = dim;
    float *scratch = malloc(sizeof *scratch * (dim + 1));
    vl_status status = scratch ? align_rows_pair_grow(rows, seeds->count, &at, error)
                               : vl_fail(error, VL_ERR_MEMORY, "no memory for a vector");
    for (size_t i = 0; i < seeds->count && !status; i++, at++) {
        memcpy(rows->left + at * dim, joining->rows.data + seeds->items[i].source * dim,
               dim * sizeof(float));
        hub_row(hub, m, seeds->items[i].target, rows->right + at * dim, scratch);
    }
    free(scratch);
    return status;
}

/* Dictionaries are written from the language in the hub to the one that joins. */
static vl_status dictionary_seeds(const vl_embeddings *joining, const member *m,
                                  const vl_hub_dictionary *dictionaries, size_t count,
                                  align_seeds *seeds, vl_error *error) {
    align_seeds turned = {0};
    vl_status status = VL_OK;
    for (size_t i = 0; i < count && !status; i++)
        if (!strcmp(dictionaries[i].with, m->name))
            status = align_seeds_dictionary(m->embeddings, joining, dictionaries[i].pairs,
                                            &turned, error);
    for (size_t i = 0; i < turned.count && !status; i++)
        status = align_seeds_add(seeds, turned.items[i].target, turned.items[i].source, error);
    align_seeds_deinit(&turned);
    return status;
}

typedef struct joining {
    const vl_embeddings *embeddings;
    const vl_map_options *options;
    const vl_hub_dictionary *dictionaries;
    size_t dictionary_count;
    align_prepared prepared;
} joining;

static vl_status pivot_seeds(const joining *j, const member *m, vl_rung rung,
                             align_seeds *seeds, vl_error *error) {
    if (rung == VL_RUNG_IDENTICAL)
        return align_seeds_identical(j->embeddings, m->embeddings, PIVOT_WORDS, seeds, error);
    if (rung == VL_RUNG_COGNATES)
        return align_seeds_cognates(j->embeddings, m->embeddings, PIVOT_WORDS, seeds, error);
    return dictionary_seeds(j->embeddings, m, j->dictionaries, j->dictionary_count, seeds,
                            error);
}

/* Seeds to every language but the hub's own, whose seeds the ladder finds. */
static vl_status find_pivots(const vl_hub *hub, const joining *j, align_pivots *pivots,
                             vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 1; i < hub->count; i++)
        for (vl_rung rung = VL_RUNG_IDENTICAL; rung < VL_RUNG_COUNT && !status; rung++) {
            align_seeds seeds = {0};
            status = pivot_seeds(j, &hub->members[i], rung, &seeds, error);
            align_seeds_settle(&seeds);
            if (!status)
                status = add_pivots(hub, &hub->members[i], &j->prepared, &seeds,
                                    &pivots->rows[rung], error);
            align_seeds_deinit(&seeds);
        }
    return status;
}

/* ---- joining
 * ---------------------------------------------------------------------------------
 */

/* The hub's own map again, with the mean of all weights. */
static vl_status settle_hub(vl_hub *hub, vl_error *error) {
    size_t cells = hub->dim * hub->dim;
    member *own = &hub->members[0];
    vl_map *map;
    float *mean = malloc(sizeof *mean * (cells + 1));
    if (!mean)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a matrix");
    for (size_t i = 0; i < cells; i++)
        mean[i] = hub->weights[i] / (float)(hub->count - 1);
    vl_status status = align_map_new(hub->dim, own->mean, mean, own->mean, NULL, &map, error);
    free(mean);
    if (status)
        return status;
    vl_map_free(own->map);
    own->map = map;
    return VL_OK;
}

static vl_status take_in(vl_hub *hub, const char *language, const joining *j, align_fit *fit,
                         vl_error *error) {
    size_t cells = hub->dim * hub->dim;
    member m = {.embeddings = j->embeddings};
    strcpy(m.name, language);
    m.mean = malloc(sizeof *m.mean * (hub->dim + 1));
    m.rotation = malloc(sizeof *m.rotation * (cells + 1));
    vl_status status =
        m.mean && m.rotation ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for a matrix");
    if (!status) {
        memcpy(m.mean, j->prepared.mean, hub->dim * sizeof *m.mean);
        memcpy(m.rotation, fit->rotation, cells * sizeof *m.rotation);
        status = align_map_new(hub->dim, m.mean,
                               j->options->keep_target ? fit->rotation : fit->x_map,
                               hub->members[0].mean, NULL, &m.map, error);
    }
    if (status) {
        member_deinit(&m);
        return status;
    }
    hub->members[hub->count++] = m;
    bool weighed = !j->options->keep_target;
    for (size_t i = 0; i < cells; i++)
        hub->weights[i] += weighed ? fit->z_map[i] : i % (hub->dim + 1) ? 0 : 1;
    return settle_hub(hub, error);
}

static vl_status join(vl_hub *hub, const char *language, joining *j, vl_map_report *report,
                      vl_error *error) {
    align_pivots pivots = {0};
    align_ladder ladder = {0};
    align_fit fit = {0};
    vl_status status = align_prepare(j->embeddings, &j->prepared, error);
    if (!status)
        status = find_pivots(hub, j, &pivots, error);
    if (!status)
        status = align_ladder_init(&ladder, j->embeddings, hub->members[0].embeddings,
                                   j->options, &pivots, error);
    if (!status)
        status = align_fit_init(&fit, hub->dim, error);
    if (!status)
        status = align_ladder_climb(&ladder, &fit, report, error);
    if (!status && report->better_than_chance)
        status = take_in(hub, language, j, &fit, error);
    align_fit_deinit(&fit);
    align_ladder_deinit(&ladder);
    align_pivots_deinit(&pivots);
    align_prepared_deinit(&j->prepared);
    return status;
}

/* The dictionary with the hub's own language the other way round, as the ladder wants it. */
static vl_status turn_dictionary(const vl_lexicon *from, vl_lexicon **to, vl_error *error) {
    vl_status status = vl_lexicon_new(to, error);
    for (size_t i = 0; i < vl_lexicon_count(from) && !status; i++) {
        vl_lexicon_pair pair = *vl_lexicon_pair_at(from, i);
        const char *source = pair.source;
        pair.source = pair.target;
        pair.target = source;
        status = vl_lexicon_add(*to, &pair, error);
    }
    return status;
}

vl_status vl_hub_add(vl_hub *hub, const char *language, const vl_embeddings *embeddings,
                     const vl_map_options *options, const vl_hub_dictionary *dictionaries,
                     size_t count, vl_map_report *report, vl_error *error) {
    *report = (vl_map_report){0};
    vl_status status = check_name(language, error);
    if (!status)
        status = align_map_check(embeddings, hub->members[0].embeddings, options, error);
    if (status)
        return status;
    if (find(hub, language))
        return vl_fail(error, VL_ERR_INPUT, "'%s' is in the hub already", language);
    if (hub->count == HUB_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "a hub of more than %d languages", HUB_MAX);
    vl_lexicon *turned = NULL;
    vl_map_options own = *options;
    if (options->dictionary && !(status = turn_dictionary(options->dictionary, &turned, error)))
        own.dictionary = turned;
    joining j = {.embeddings = embeddings,
                 .options = &own,
                 .dictionaries = dictionaries,
                 .dictionary_count = count};
    if (!status)
        status = join(hub, language, &j, report, error);
    vl_lexicon_free(turned);
    return status;
}

const vl_map *vl_hub_map(const vl_hub *hub, const char *language) {
    const member *m = find(hub, language);
    return m ? m->map : NULL;
}

vl_status vl_hub_embeddings(const vl_hub *hub, const char *language, vl_embeddings **out,
                            vl_error *error) {
    const member *m = find(hub, language);
    *out = NULL;
    if (!m)
        return vl_fail(error, VL_ERR_MISSING, "'%s' is not in the hub", language);
    return vl_map_embeddings(m->map, VL_SOURCE, m->embeddings, out, error);
}
