/* vote_search.c — close calls settled by a language model.
 *
 * Viterbi over the slots with a beam: a path's score is the sum over slots of
 *     log pooled(c) + w · (log P(c | path) + bonus · characters of c)
 * and two paths of equal state are one, the better. Afterwards each close slot's candidates are
 * scored again with everything else as it was decided; normalised together with what no voice
 * said, that is the posterior. Slots that are not close have one way to go, so an easy line
 * costs little more than one pass of the model. */
#include "ocr/vote_net.h"

#include <math.h>
#include <string.h>

enum { AFTER = 8 }; /* slots after a candidate whose probability it changes */

static const double worth_trying = 0.02; /* of the best candidate's posterior */

/* ---- the character model ---------------------------------------------------------------- */

static void begin_line(void *user, void *state) {
    vl_ngram_begin(user, state);
}

static double extend_line(void *user, const void *from, const char *text, void *to) {
    return text ? vl_ngram_extend(user, from, text, to) : vl_ngram_end(user, from);
}

vl_vote_language vl_vote_language_of(const vl_ngram_language *language) {
    return (vl_vote_language){.user = (void *)(uintptr_t)language,
                              .state_bytes = sizeof(vl_ngram_state),
                              .begin = begin_line,
                              .extend = extend_line};
}

_Static_assert(sizeof(vl_ngram_state) <= VL_VOTE_MAX_STATE, "a state fits in a path");

/* ---- the search ------------------------------------------------------------------------- */

typedef struct path {
    double score;
    size_t parent, candidate; /* parent: index in the beam of the slot before */
    _Alignas(8) unsigned char state[VL_VOTE_MAX_STATE];
} path;

typedef struct search {
    const vl_vote_result *result;
    const vl_vote_language *language;
    double weight, bonus;
    size_t beam;
    path **beams; /* [slots + 1] */
    size_t *counts;
} search;

static size_t characters(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static double model(const search *s, const void *from, const char *text, void *to) {
    double log_p = s->language->extend(s->language->user, from, text, to);
    return s->weight * (log_p + s->bonus * (double)(text ? characters(text) : 0));
}

static double voices(const vl_vote_candidate *c) {
    return log(fmax(c->pooled, 1e-300));
}

/* The candidates that may win a slot are its first ones. */
static size_t ways(const search *s, const vl_vote_slot *slot) {
    if (slot->candidates[0].pooled >= s->result->options.close)
        return 1;
    size_t count = 1;
    while (count < slot->count &&
           slot->candidates[count].pooled >= worth_trying * slot->candidates[0].pooled)
        count++;
    return count;
}

static bool is_better(const path *a, const path *b) {
    if (a->score != b->score)
        return a->score > b->score;
    return a->candidate != b->candidate ? a->candidate < b->candidate : a->parent < b->parent;
}

/* Keeps the best `beam` paths, one a state; sorted, best first. */
static void offer(const search *s, path *beam, size_t *count, const path *p) {
    size_t at = *count;
    for (size_t i = 0; i < *count; i++)
        if (!memcmp(beam[i].state, p->state, s->language->state_bytes)) {
            if (!is_better(p, &beam[i]))
                return;
            memmove(beam + i, beam + i + 1, (--*count - i) * sizeof *beam);
            break;
        }
    for (at = *count; at && is_better(p, &beam[at - 1]);)
        at--;
    if (at == s->beam)
        return;
    if (*count == s->beam)
        --*count;
    memmove(beam + at + 1, beam + at, (*count - at) * sizeof *beam);
    beam[at] = *p;
    ++*count;
}

static void extend_slot(search *s, size_t at) {
    const vl_vote_slot *slot = &s->result->slots[at];
    size_t tried = ways(s, slot);
    for (size_t i = 0; i < s->counts[at]; i++) {
        const path *from = &s->beams[at][i];
        for (size_t c = 0; c < tried; c++) {
            path to = {.parent = i, .candidate = c, .score = from->score};
            memcpy(to.state, from->state, sizeof to.state);
            to.score += voices(&slot->candidates[c]);
            if (*slot->candidates[c].text)
                to.score += model(s, from->state, slot->candidates[c].text, to.state);
            offer(s, s->beams[at + 1], &s->counts[at + 1], &to);
        }
    }
}

static void choose(search *s) {
    size_t slots = s->result->slot_count, best = 0;
    double top = -INFINITY;
    for (size_t i = 0; i < s->counts[slots]; i++) {
        path *p = &s->beams[slots][i];
        double score = p->score + model(s, p->state, NULL, p->state);
        if (score > top) {
            top = score;
            best = i;
        }
    }
    for (size_t at = slots; at; at--) {
        const path *p = &s->beams[at][best];
        s->result->slots[at - 1].winner = p->candidate;
        best = p->parent;
    }
}

/* What the model gives a text in a slot and the winners after it. */
static double in_place(const search *s, size_t at, const char *instead, const void *before) {
    const vl_vote_result *r = s->result;
    _Alignas(8) unsigned char state[VL_VOTE_MAX_STATE];
    memcpy(state, before, sizeof state);
    double score = 0;
    for (size_t i = at; i < r->slot_count && i <= at + AFTER; i++) {
        const vl_vote_slot *slot = &r->slots[i];
        const char *text = i == at ? instead : slot->candidates[slot->winner].text;
        if (*text)
            score += model(s, state, text, state);
    }
    if (at + AFTER >= r->slot_count)
        score += model(s, state, NULL, state);
    return score;
}

/* A candidate that was not worth trying keeps its share beside the others. */
static void weigh(const search *s, size_t at, const void *before) {
    vl_vote_slot *slot = &s->result->slots[at];
    size_t tried = ways(s, slot);
    if (tried < 2)
        return;
    double top = in_place(s, at, slot->candidates[slot->winner].text, before);
    double sum = 0, mass = 0;
    for (size_t c = 0; c < tried; c++) {
        vl_vote_candidate *one = &slot->candidates[c];
        double shift = c == slot->winner ? 0 : in_place(s, at, one->text, before) - top;
        one->posterior = one->pooled * exp(fmin(shift, 50));
        sum += one->posterior;
        mass += one->pooled;
    }
    for (size_t c = 0; c < tried; c++)
        slot->candidates[c].posterior *= mass / sum;
}

static bool make_beams(vl_arena *arena, search *s) {
    size_t slots = s->result->slot_count;
    s->beams = vl_arena_array(arena, slots + 1, sizeof *s->beams);
    s->counts = vl_arena_array(arena, slots + 1, sizeof *s->counts);
    for (size_t i = 0; s->beams && s->counts && i <= slots; i++) {
        size_t room = i ? ways(s, &s->result->slots[i - 1]) * s->counts[i - 1] : 1;
        s->counts[i] = room < s->beam ? room : s->beam;
        if (!(s->beams[i] = vl_arena_array(arena, s->counts[i] + 1, sizeof **s->beams)))
            return false;
    }
    for (size_t i = 0; s->counts && i <= slots; i++)
        s->counts[i] = 0;
    return s->beams && s->counts;
}

vl_status vote_search(vl_arena *arena, vl_vote_result *result, vl_error *error) {
    const vl_vote_options *o = &result->options;
    search s = {.result = result,
                .language = o->language,
                .weight = o->language_weight,
                .bonus = o->language_bonus,
                .beam = o->beam ? o->beam : 1};
    bool open = false;
    for (size_t i = 0; i < result->slot_count && !open; i++)
        open = ways(&s, &result->slots[i]) > 1;
    if (!open)
        return VL_OK;
    if (!make_beams(arena, &s))
        return vl_fail(error, VL_ERR_MEMORY, "no memory to settle a line");
    s.language->begin(s.language->user, s.beams[0][0].state);
    s.counts[0] = 1;
    for (size_t i = 0; i < result->slot_count; i++)
        extend_slot(&s, i);
    choose(&s);
    _Alignas(8) unsigned char state[VL_VOTE_MAX_STATE] = {0};
    s.language->begin(s.language->user, state);
    for (size_t i = 0; i < result->slot_count; i++) {
        const vl_vote_slot *slot = &result->slots[i];
        weigh(&s, i, state);
        if (*slot->candidates[slot->winner].text)
            model(&s, state, slot->candidates[slot->winner].text, state);
    }
    return VL_OK;
}

/* ---- the model as a witness ---------------------------------------------------------------
 */

static bool is_disputed(const vl_vote_result *r, const vl_vote_slot *slot) {
    for (size_t i = 1; i < r->voice_count; i++)
        if (strcmp(slot->read[i], slot->read[0]) != 0)
            return true;
    return false;
}

double *vl_vote_witness(vl_arena *arena, const vl_vote_result *result,
                        const vl_vote_language *language) {
    search s = {.result = result, .language = language, .weight = 1};
    double *out =
        vl_arena_array(arena, result->slot_count * result->voice_count + 1, sizeof *out);
    _Alignas(8) unsigned char state[VL_VOTE_MAX_STATE] = {0};
    language->begin(language->user, state);
    for (size_t i = 0; out && i < result->slot_count; i++) {
        const vl_vote_slot *slot = &result->slots[i];
        bool disputed = is_disputed(result, slot);
        for (size_t v = 0; disputed && v < result->voice_count; v++)
            out[i * result->voice_count + v] = in_place(&s, i, slot->read[v], state);
        if (*slot->candidates[slot->winner].text)
            model(&s, state, slot->candidates[slot->winner].text, state);
    }
    return out;
}
