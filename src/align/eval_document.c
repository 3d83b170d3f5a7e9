/* eval_document.c — are the sentences of two documents set beside each other as a person did:
 * by all that is known, and by vectors, lengths or shared words alone. */
#include "align/bleu_path.h"
#include "align/eval.h"
#include "align/gloss.h"
#include "align/identical.h"

#include <stdlib.h>
#include <string.h>

enum { SCRATCH_BYTES = 1 << 30 };

typedef struct document {
    align_eval *eval;
    vl_arena *arena;
    vl_sentences sides[2];
    float *rows[2]; /* NULL: no vectors */
    align_bead *gold;
    size_t gold_count;
} document;

/* ---- reading ----------------------------------------------------------------------------- */

/* A line is a sentence, an empty one too: gold counts them all. */
static vl_status split_lines(document *d, vl_buf *bytes, vl_sentences *side) {
    size_t count = 0, lines = 0;
    char *at = bytes->data ? bytes->data : "";
    const char *end = at + bytes->len;
    if (bytes->len >= 3 && !memcmp(at, "\xEF\xBB\xBF", 3))
        at += 3;
    for (const char *c = at; c < end; c++)
        lines += *c == '\n';
    const char **texts = vl_arena_array(d->arena, lines + 1, sizeof *texts);
    if (!texts)
        return vl_fail(d->eval->error, VL_ERR_MEMORY, "no memory for %zu sentences", lines);
    while (at < end) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);
        length -= length && at[length - 1] == '\r';
        if (!(texts[count++] = vl_arena_strndup(d->arena, at, length)))
            return vl_fail(d->eval->error, VL_ERR_MEMORY, "no memory for the sentences");
        at = stop ? stop + 1 : (char *)(uintptr_t)end;
    }
    *side = (vl_sentences){.texts = texts, .count = count};
    return VL_OK;
}

static vl_status read_side(document *d, size_t side) {
    vl_buf bytes;
    vl_buf_init(&bytes, ALIGN_PAIRS_MAX_BYTES);
    vl_status status = align_file_read(d->eval->how->paths[side], &bytes, d->eval->error);
    if (!status)
        status = split_lines(d, &bytes, &d->sides[side]);
    vl_buf_deinit(&bytes);
    return status;
}

static vl_status check_extent(const document *d, const char *path, const align_bead *beads,
                              size_t count) {
    size_t extent[2];
    align_beads_extent(beads, count, &extent[0], &extent[1]);
    for (size_t i = 0; i < 2; i++)
        if (extent[i] > d->sides[i].count)
            return vl_fail(d->eval->error, VL_ERR_INPUT,
                           "%s names sentence %zu of %s, which has %zu (counted from 0)", path,
                           extent[i] - 1, d->eval->how->paths[i], d->sides[i].count);
    return VL_OK;
}

static vl_status read_beads(document *d, const char *path, align_bead **beads, size_t *count) {
    vl_buf bytes;
    vl_buf_init(&bytes, ALIGN_PAIRS_MAX_BYTES);
    vl_status status = align_file_read(path, &bytes, d->eval->error);
    if (!status)
        status = align_beads_parse(d->arena, path, bytes.data ? bytes.data : "", beads, count,
                                   d->eval->error);
    vl_buf_deinit(&bytes);
    return status ? status : check_extent(d, path, *beads, *count);
}

static vl_status encode_side(document *d, size_t side) {
    const align_source *source = d->eval->source;
    size_t count = d->sides[side].count;
    d->rows[side] = malloc((count * align_source_width(source) + 1) * sizeof(float));
    if (!d->rows[side])
        return vl_fail(d->eval->error, VL_ERR_MEMORY, "no memory for %zu sentences", count);
    d->sides[side].rows = d->rows[side];
    return align_source_encode(source, side, d->sides[side].texts, count, d->rows[side],
                               d->eval->error);
}

/* ---- scoring ----------------------------------------------------------------------------- */

static void add_agreement(cJSON *object, const char *name, const align_agreement *a) {
    cJSON *out = cJSON_AddObjectToObject(object, name);
    cJSON_AddNumberToObject(out, "precision", a->precision);
    cJSON_AddNumberToObject(out, "recall", a->recall);
    cJSON_AddNumberToObject(out, "f1", a->f1);
}

static vl_status score_beads(document *d, const align_bead *found, size_t count, cJSON *out) {
    align_agreement strict, lax;
    vl_status status =
        align_beads_score(d->gold, d->gold_count, found, count, &strict, &lax, d->eval->error);
    if (status)
        return status;
    add_agreement(out, "strict", &strict);
    add_agreement(out, "lax", &lax);
    cJSON_AddNumberToObject(out, "found", (double)count);
    return VL_OK;
}

static uint32_t *row_of_numbers(vl_arena *arena, size_t from, size_t count) {
    uint32_t *numbers = vl_arena_array(arena, count + 1, sizeof *numbers);
    for (size_t i = 0; numbers && i < count; i++)
        numbers[i] = (uint32_t)(from + i);
    return numbers;
}

/* vl_bead and align_step alike: where the spans begin, and how long they are. */
static bool put_bead(vl_arena *arena, align_bead *bead, const size_t from[2],
                     const size_t count[2]) {
    *bead = (align_bead){row_of_numbers(arena, from[0], count[0]),
                         row_of_numbers(arena, from[1], count[1]), count[0], count[1]};
    return bead->src && bead->tgt;
}

static vl_status score_alignment(document *d, vl_alignment_method method, cJSON *out) {
    vl_alignment *alignment = NULL;
    vl_alignment_options options = vl_alignment_options_default();
    options.method = method;
    options.width = d->rows[0] ? (uint32_t)align_source_width(d->eval->source) : 0;
    vl_status status =
        vl_alignment_new(&d->sides[0], &d->sides[1], &options, &alignment, d->eval->error);
    if (status)
        return status;
    size_t count;
    const vl_bead *beads = vl_alignment_beads(alignment, &count);
    align_bead *found = vl_arena_array(d->arena, count + 1, sizeof *found);
    bool fits = found;
    for (size_t i = 0; fits && i < count; i++)
        fits = put_bead(d->arena, &found[i], (size_t[]){beads[i].source, beads[i].target},
                        (size_t[]){beads[i].source_count, beads[i].target_count});
    status = fits ? score_beads(d, found, count, out)
                  : vl_fail(d->eval->error, VL_ERR_MEMORY, "no memory for %zu beads", count);
    vl_alignment_free(alignment);
    return status;
}

static vl_status score_steps(document *d, const align_step *steps, size_t count, cJSON *out) {
    align_bead *found = vl_arena_array(d->arena, count + 1, sizeof *found);
    bool fits = found;
    for (size_t i = 0; fits && i < count; i++)
        fits = put_bead(d->arena, &found[i], (size_t[]){steps[i].a_from, steps[i].b_from},
                        (size_t[]){steps[i].a_count, steps[i].b_count});
    return fits ? score_beads(d, found, count, out)
                : vl_fail(d->eval->error, VL_ERR_MEMORY, "no memory for %zu beads", count);
}

static vl_status score_identical(document *d, cJSON *out) {
    align_step *steps;
    size_t count;
    vl_status status = align_identical_path(d->arena, &d->sides[0], &d->sides[1], &steps,
                                            &count, d->eval->error);
    return status ? status : score_steps(d, steps, count, out);
}

/* By a translation word for word where there are vectors, else by the text as it is. */
static vl_status score_bleu(document *d, cJSON *out) {
    align_step *steps;
    size_t count;
    const char *const *translated = d->sides[0].texts;
    vl_status status = VL_OK;
    cJSON_AddBoolToObject(out, "translated", d->eval->source != NULL);
    const vl_embeddings *words[2];
    for (size_t i = 0; i < 2 && d->eval->source && !status; i++)
        status = align_source_words(d->eval->source, i, &words[i], d->eval->error);
    if (!status && d->eval->source)
        status = align_gloss(d->arena, words[0], words[1], d->sides[0].texts, d->sides[0].count,
                             &translated, d->eval->error);
    if (!status)
        status = align_bleu_path(d->arena, translated, &d->sides[0], &d->sides[1], &steps,
                                 &count, d->eval->error);
    return status ? status : score_steps(d, steps, count, out);
}

/* What other programs found of the same documents. */
static vl_status score_others(document *d) {
    const vl_align_evaluation *how = d->eval->how;
    cJSON *others =
        how->path_count > 3 ? cJSON_AddObjectToObject(d->eval->root, "others") : NULL;
    vl_status status = VL_OK;
    for (size_t i = 3; i < how->path_count && !status; i++) {
        align_bead *found;
        size_t count;
        status = read_beads(d, how->paths[i], &found, &count);
        if (!status)
            status =
                score_beads(d, found, count, cJSON_AddObjectToObject(others, how->paths[i]));
    }
    return status;
}

static vl_status score_all(document *d) {
    cJSON *root = d->eval->root, *methods = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "beads", (double)d->gold_count);
    cJSON_AddNumberToObject(root, "sentences", (double)d->sides[0].count);
    cJSON_AddNumberToObject(root, "sentences_reverse", (double)d->sides[1].count);
    cJSON_AddStringToObject(root, "method", "all");
    vl_status status = score_alignment(d, VL_ALIGNMENT_ALL, root);
    if (!status && d->rows[0])
        status = score_alignment(d, VL_ALIGNMENT_VECTORS,
                                 cJSON_AddObjectToObject(methods, "vectors"));
    cJSON_AddItemToObject(root, "methods", methods);
    cJSON *baselines = cJSON_AddObjectToObject(root, "baselines");
    if (!status)
        status = score_alignment(d, VL_ALIGNMENT_LENGTHS,
                                 cJSON_AddObjectToObject(baselines, "gale_church"));
    if (!status)
        status = score_bleu(d, cJSON_AddObjectToObject(baselines, "bleualign_like"));
    if (!status)
        status = score_identical(d, cJSON_AddObjectToObject(baselines, "identical_strings"));
    return status ? status : score_others(d);
}

vl_status align_eval_document(align_eval *eval) {
    document d = {.eval = eval, .arena = vl_arena_new(SCRATCH_BYTES)};
    vl_status status =
        d.arena ? VL_OK : vl_fail(eval->error, VL_ERR_MEMORY, "no memory for the documents");
    for (size_t i = 0; i < 2 && !status; i++)
        status = read_side(&d, i);
    if (!status)
        status = read_beads(&d, eval->how->paths[2], &d.gold, &d.gold_count);
    const vl_space *space = eval->source ? align_source_space(eval->source) : NULL;
    for (size_t i = 0; i < 2 && space; i++) {
        d.sides[i].space = space;
        d.sides[i].language = i ? eval->how->tgt : eval->how->src;
    }
    for (size_t i = 0; i < 2 && !status && eval->source && !space; i++)
        status = encode_side(&d, i);
    if (!status)
        status = score_all(&d);
    free(d.rows[0]);
    free(d.rows[1]);
    vl_arena_free(d.arena);
    return status;
}
