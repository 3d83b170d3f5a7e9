/* vote.c — from aligned readings to one text with posteriors. The method stands in
 * docs/consensus.md; alignment is vote_align.c, the language model's part vote_search.c.
 *
 * In reading order: the order and weights of voices, what a voice gives to each candidate of a
 * slot, the pool, slots from the network, words. */
#include "ocr/vote_net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CANDIDATES = 64, MAX_MERGED = 4, MAX_READING = 4096 };

static const double least_mass = 1e-6, least_unexplained = 0.2;
static const double most_sure = 0.998; /* as no calibration is surer */

typedef struct voting {
    vl_arena *arena;
    vl_vote_result *result;
    const vl_vote_voice *ordered[VL_VOTE_MAX_VOICES]; /* as in `order` */
    size_t order[VL_VOTE_MAX_VOICES];                 /* index of the input's voice */
    double *right[VL_VOTE_MAX_VOICES]; /* [clusters + 1] of input voice: calibrated */
    vote_net net;
    vl_error *error;
} voting;

vl_vote_options vl_vote_options_default(void) {
    return (vl_vote_options){.spread = 4,
                             .family_correlation = 0.6,
                             .correlation = 0.15,
                             .record = 0.3,
                             .lead = 3,
                             .language_weight = 0.4,
                             .language_bonus = 8,
                             .close = 0.98,
                             .beam = 24,
                             .words = vl_calibration_none(),
                             .alone = vl_calibration_none()};
}

/* ---- voices ----------------------------------------------------------------------------- */

void vl_vote_family(const vl_vote_voice *voice, const char **family, size_t *bytes) {
    *family = voice->family ? voice->family : voice->name;
    *bytes = voice->family ? strlen(*family) : strcspn(*family, "/");
}

static bool is_family(const vl_vote_voice *voice, const char *family, size_t bytes) {
    const char *own;
    size_t own_bytes;
    vl_vote_family(voice, &own, &own_bytes);
    return family && own_bytes == bytes && !memcmp(own, family, bytes);
}

bool vl_vote_related(const vl_vote_voice *a, const vl_vote_voice *b) {
    const char *family;
    size_t bytes;
    vl_vote_family(a, &family, &bytes);
    return is_family(b, family, bytes);
}

static int compare_readings(const vl_vote_voice *a, const vl_vote_voice *b) {
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        int order = strcmp(a->clusters[i].text, b->clusters[i].text);
        if (order)
            return order;
    }
    return a->count < b->count ? -1 : a->count > b->count;
}

/* The best first, then by what they read: never by their place in the input. */
static int compare_voices(const void *a, const void *b) {
    const vl_vote_voice *v = *(const vl_vote_voice *const *)a,
                        *w = *(const vl_vote_voice *const *)b;
    if (v->accuracy != w->accuracy)
        return v->accuracy > w->accuracy ? -1 : 1;
    int order = compare_readings(v, w);
    return order ? order : strcmp(v->name, w->name);
}

/* How good it is on this line: the mean of its clusters' probabilities. Where no calibration
 * ties those to its record, the record. */
static double line_accuracy(const voting *v, size_t voice) {
    const vl_vote_voice *one = &v->result->voices[voice];
    double sum = 0, mean = 0.5;
    for (size_t i = 0; i < one->count; i++)
        sum += v->right[voice][i];
    if (one->accuracy > 0 && !(one->calibration.base > 0))
        mean = one->accuracy;
    else if (one->count)
        mean = sum / (double)one->count;
    return fmin(most_sure, fmax(1 - most_sure, mean));
}

/* Of what its record says beside what it was calibrated on, the share that its confidences do
 * not say already. One without confidences has nothing but its record. */
static double accuracy_for(const vl_vote_voice *voice, const vl_vote_options *o) {
    const vl_vote_calibration *c = &voice->calibration;
    if (!(voice->accuracy > 0) || !(c->base > 0) || c->slope == 0)
        return voice->accuracy;
    double a = fmin(most_sure, fmax(1 - most_sure, voice->accuracy));
    double b = fmin(most_sure, fmax(1 - most_sure, c->base));
    double share = o->record + (1 - o->record) * voice->corrected;
    double odds = (1 - share) * log(b / (1 - b)) + share * log(a / (1 - a));
    return 1 / (1 + exp(-odds));
}

/* Exponents of votes: a vote's evidence is ln(a·K / (1 - a)); of what voices with correlated
 * mistakes say only a part is news (the design effect, Kish 1965). `left_out`: voices that do
 * not vote. */
static void weigh_voices(const vl_vote_result *r, const bool *left_out, double *weights) {
    for (size_t v = 0; v < r->voice_count; v++) {
        double own = r->evidence[v], shared = 0;
        for (size_t i = 0; i < r->voice_count; i++) {
            size_t w = r->order[i];
            if (w == v || left_out[w])
                continue;
            double rho = vl_vote_related(&r->voices[v], &r->voices[w])
                             ? r->options.family_correlation
                             : r->options.correlation;
            shared += own > 0 ? rho * fmin(1, fmax(0, r->evidence[w]) / own) : 0;
        }
        weights[v] = own > 0 && !left_out[v] ? 1 / (1 + shared) : 0;
    }
}

static vl_status take_voices(voting *v) {
    vl_vote_result *r = v->result;
    bool nobody[VL_VOTE_MAX_VOICES] = {false};
    for (size_t i = 0; i < r->voice_count; i++) {
        const vl_vote_voice *one = &r->voices[i];
        v->ordered[i] = one;
        if (!(v->right[i] = vl_arena_array(v->arena, one->count + 1, sizeof(double))))
            return vl_fail(v->error, VL_ERR_MEMORY, "no memory to vote");
        double accuracy = accuracy_for(one, &r->options);
        for (size_t c = 0; c < one->count; c++)
            v->right[i][c] =
                vl_calibration_apply(&one->calibration, one->clusters[c].confidence, accuracy);
    }
    qsort(v->ordered, r->voice_count, sizeof *v->ordered, compare_voices);
    for (size_t i = 0; i < r->voice_count; i++) {
        double a = line_accuracy(v, i);
        r->order[i] = v->order[i] = (size_t)(v->ordered[i] - r->voices);
        r->evidence[i] = log(a * r->options.spread / (1 - a));
    }
    weigh_voices(r, nobody, r->weights);
    return VL_OK;
}

/* ---- one slot --------------------------------------------------------------------------- */

/* Columns of the network that are voted on together. */
typedef struct segment {
    size_t first, count;
} segment;

static int32_t at(const voting *v, size_t slot, size_t i) {
    return v->net.at[slot * v->net.voice_count + i];
}

static const char *text_at(const voting *v, size_t slot, size_t i) {
    int32_t cluster = at(v, slot, i);
    return cluster < 0 ? "" : v->ordered[i]->clusters[cluster].text;
}

/* What voice `i` (ordered) read in the segment. */
static const char *reading_of(voting *v, const segment *s, size_t i) {
    if (s->count == 1)
        return text_at(v, s->first, i);
    size_t bytes = 1;
    for (size_t k = 0; k < s->count; k++)
        bytes += strlen(text_at(v, s->first + k, i));
    char *text = vl_arena_alloc(v->arena, bytes), *to = text;
    for (size_t k = 0; k < s->count && text; k++)
        to = stpcpy(to, text_at(v, s->first + k, i));
    return text;
}

/* That it is right in one column. Where it read nothing, the mean of its clusters left and
 * right of that place. */
static double column_right(const voting *v, size_t column, size_t i) {
    const double *right = v->right[v->order[i]];
    int32_t cluster = at(v, column, i);
    if (cluster >= 0)
        return right[cluster];
    size_t after = 0;
    for (size_t slot = column; slot-- > 0;)
        if (at(v, slot, i) >= 0) {
            after = (size_t)at(v, slot, i) + 1;
            break;
        }
    double sum = 0, n = 0;
    if (after > 0) {
        sum += right[after - 1];
        n++;
    }
    if (after < v->ordered[i]->count) {
        sum += right[after];
        n++;
    }
    return n > 0 ? sum / n : 0.5;
}

/* That it is right: the geometric mean over its columns, so that of readings of different
 * length none is the likelier because it is short. */
static double right_of(const voting *v, const segment *s, size_t i) {
    double sum = 0;
    for (size_t k = 0; k < s->count; k++)
        sum += log(fmax(1 - most_sure, column_right(v, s->first + k, i)));
    return exp(sum / (double)s->count);
}

/* The one cluster that voice `i` read in the segment, or NULL. */
static const vl_vote_cluster *single(const voting *v, const segment *s, size_t i) {
    const vl_vote_cluster *found = NULL;
    for (size_t k = 0; k < s->count; k++) {
        int32_t cluster = at(v, s->first + k, i);
        if (cluster < 0)
            continue;
        if (found)
            return NULL;
        found = &v->ordered[i]->clusters[cluster];
    }
    return found;
}

static size_t find(const vl_vote_slot *slot, const char *text) {
    size_t c = 0;
    while (c < slot->count && strcmp(slot->candidates[c].text, text))
        c++;
    return c;
}

static void add(vl_vote_slot *slot, const char *text, uint32_t voices) {
    size_t c = find(slot, text);
    if (c == slot->count && c == MAX_CANDIDATES)
        return;
    if (c == slot->count)
        slot->candidates[slot->count++] = (vl_vote_candidate){.text = text};
    slot->candidates[c].voices |= voices;
}

/* Readings first, so that alternatives never take their room. */
static bool collect(voting *v, const segment *s, vl_vote_slot *slot) {
    size_t n = v->net.voice_count;
    if (!(slot->read = vl_arena_array(v->arena, n, sizeof *slot->read)))
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *text = reading_of(v, s, i);
        if (!(slot->read[v->order[i]] = text))
            return false;
        add(slot, text, (uint32_t)1 << v->order[i]);
    }
    for (size_t i = 0; i < n; i++) {
        const vl_vote_cluster *one = single(v, s, i);
        for (size_t a = 0; one && strcmp(one->text, " ") && a < one->alternative_count; a++)
            add(slot, one->alternatives[a].text, 0);
    }
    return true;
}

/* Its own reading gets its calibrated probability; the rest goes to its alternatives as it
 * weighs them itself, and what they do not explain is spread evenly over everything else. */
static void give(const voting *v, const segment *s, size_t i, vl_vote_slot *slot) {
    const vl_vote_cluster *one = single(v, s, i);
    double a = right_of(v, s, i), named = 0, spread = v->result->options.spread;
    double *mass = slot->mass + v->order[i] * (slot->count + 1);
    size_t own = find(slot, slot->read[v->order[i]]);
    bool space = one && !strcmp(one->text, " ");
    for (size_t k = 0; one && !space && k < one->alternative_count; k++)
        named += one->alternatives[k].confidence;
    double left = one ? fmax(0, 1 - one->confidence - named) : 1;
    left = named > 0 ? fmax(left, least_unexplained * named) : 1;
    for (size_t c = 0; c <= slot->count; c++)
        mass[c] = fmax(least_mass, (1 - a) * left / ((left + named) * spread));
    for (size_t k = 0; one && !space && k < one->alternative_count; k++) {
        size_t c = find(slot, one->alternatives[k].text);
        if (c < slot->count && c != own)
            mass[c] += (1 - a) * one->alternatives[k].confidence / (left + named);
    }
    mass[own] = a;
}

/* Log-linear pool: p(c) ∝ Π mass_v(c) ^ weight_v, over the candidates and the readings that
 * nobody said (of which there are `spread` less the wrong ones that were). */
static void pool(const vl_vote_result *r, const vl_vote_slot *slot, const double *weights,
                 double *out) {
    double top = -INFINITY, sum = 0;
    for (size_t c = 0; c <= slot->count; c++) {
        out[c] = 0;
        for (size_t i = 0; i < r->voice_count; i++) {
            size_t voice = r->order[i];
            out[c] += weights[voice] * log(slot->mass[voice * (slot->count + 1) + c]);
        }
        top = fmax(top, out[c]);
    }
    double unseen = fmax(1, r->options.spread + 1 - (double)slot->count);
    for (size_t c = 0; c <= slot->count; c++)
        sum += out[c] = exp(out[c] - top) * (c == slot->count ? unseen : 1);
    for (size_t c = 0; c <= slot->count; c++)
        out[c] /= sum;
}

static int compare_candidates(const void *a, const void *b) {
    const vl_vote_candidate *c = a, *d = b;
    if (fabs(c->pooled - d->pooled) > 1e-12)
        return c->pooled > d->pooled ? -1 : 1;
    return strcmp(c->text, d->text);
}

static vl_status vote_slot(voting *v, const segment *s, vl_vote_slot *slot) {
    double pooled[MAX_CANDIDATES + 1];
    vl_vote_candidate room[MAX_CANDIDATES];
    size_t n = v->net.voice_count;
    *slot = (vl_vote_slot){.candidates = room};
    if (!collect(v, s, slot))
        return vl_fail(v->error, VL_ERR_MEMORY, "no memory to vote");
    slot->candidates = vl_arena_array(v->arena, slot->count, sizeof *slot->candidates);
    slot->mass = vl_arena_array(v->arena, n * (slot->count + 1), sizeof *slot->mass);
    if (!slot->candidates || !slot->mass)
        return vl_fail(v->error, VL_ERR_MEMORY, "no memory to vote");
    memcpy(slot->candidates, room, slot->count * sizeof *room);
    for (size_t i = 0; i < n; i++)
        give(v, s, i, slot);
    pool(v->result, slot, v->result->weights, pooled);
    for (size_t c = 0; c < slot->count; c++)
        slot->candidates[c].pooled = slot->candidates[c].posterior = pooled[c];
    slot->unseen = pooled[slot->count];
    qsort(slot->candidates, slot->count, sizeof *slot->candidates, compare_candidates);
    for (size_t i = 0; i < n; i++) /* in the new order */
        give(v, s, i, slot);
    return VL_OK;
}

double vl_vote_without(const vl_vote_result *r, size_t slot, const char *family,
                       size_t family_bytes, const char *text) {
    bool left_out[VL_VOTE_MAX_VOICES];
    double weights[VL_VOTE_MAX_VOICES], pooled[MAX_CANDIDATES + 1];
    const vl_vote_slot *s = &r->slots[slot];
    bool any = false;
    for (size_t i = 0; i < r->voice_count; i++) {
        left_out[i] = is_family(&r->voices[i], family, family_bytes);
        any |= !left_out[i];
    }
    size_t c = find(s, text);
    if (!any || c == s->count)
        return 0;
    weigh_voices(r, left_out, weights);
    pool(r, s, weights, pooled);
    return pooled[c];
}

/* ---- unlike readings -------------------------------------------------------------------- */

/* The share of their clusters that two voices (ordered) read differently. */
static double difference(const voting *v, size_t i, size_t k) {
    double all = 1, same = 0.5; /* of few clusters nothing is sure */
    for (size_t slot = 0; slot < v->net.slot_count; slot++) {
        const char *a = text_at(v, slot, i), *b = text_at(v, slot, k);
        all += *a || *b;
        same += *a && !strcmp(a, b);
    }
    return 1 - same / all;
}

/* Two readings that have little in common are right and wrong line by line: a mixture of both
 * is worse than either. The more a voice differs from the surest, the less of its vote is
 * left. */
static void fade_unlike(voting *v) {
    vl_vote_result *r = v->result;
    size_t lead = 0;
    for (size_t i = 1; i < r->voice_count; i++)
        if (r->evidence[r->order[i]] > r->evidence[r->order[lead]])
            lead = i;
    for (size_t i = 0; i < r->voice_count; i++) {
        double behind = r->evidence[r->order[lead]] - r->evidence[r->order[i]];
        if (behind > 0)
            r->weights[r->order[i]] *= exp(-r->options.lead * difference(v, i, lead) * behind);
    }
}

/* ---- slots from the network ------------------------------------------------------------- */

static bool is_space_slot(const voting *v, size_t slot) {
    for (size_t i = 0; i < v->net.voice_count; i++)
        if (!strcmp(text_at(v, slot, i), " "))
            return true;
    return false;
}

/* What most voices with (or without) a cluster in `gaps` read in `slot`; of equally many the
 * first by its bytes. NULL: there is no such voice. */
static const char *most_read(const voting *v, size_t slot, size_t gaps, bool empty) {
    const char *best = NULL;
    size_t most = 0;
    for (size_t i = 0; i < v->net.voice_count; i++) {
        const char *text = text_at(v, slot, i);
        size_t count = 0;
        if ((at(v, gaps, i) < 0) != empty)
            continue;
        for (size_t k = 0; k < v->net.voice_count; k++)
            count += (at(v, gaps, k) < 0) == empty && !strcmp(text_at(v, slot, k), text);
        if (count > most || (count == most && strcmp(text, best) < 0)) {
            best = text;
            most = count;
        }
    }
    return best;
}

/* Voices that leave `gaps` empty read something else in `slot` than those that do not: the two
 * are one place, read as a different number of clusters. */
static bool is_one_place(const voting *v, size_t gaps, size_t slot) {
    const char *without = most_read(v, slot, gaps, true),
               *with = most_read(v, slot, gaps, false);
    return without && with && strcmp(without, with) != 0;
}

static segment next_segment(const voting *v, size_t first) {
    segment s = {first, 1};
    while (s.count < MAX_MERGED && first + s.count < v->net.slot_count) {
        size_t a = first + s.count - 1, b = a + 1;
        if (is_space_slot(v, a) || is_space_slot(v, b) ||
            !(is_one_place(v, a, b) || is_one_place(v, b, a)))
            break;
        s.count++;
    }
    return s;
}

static vl_status vote_slots(voting *v) {
    vl_vote_result *r = v->result;
    r->slots = vl_arena_array(v->arena, v->net.slot_count + 1, sizeof *r->slots);
    vl_status status = r->slots ? VL_OK : vl_fail(v->error, VL_ERR_MEMORY, "no memory to vote");
    for (size_t from = 0; from < v->net.slot_count && !status;) {
        segment s = next_segment(v, from);
        vl_vote_slot *slot = &r->slots[r->slot_count++];
        status = vote_slot(v, &s, slot);
        slot->first_column = s.first;
        slot->columns = s.count;
        from += s.count;
    }
    return status;
}

/* ---- words ------------------------------------------------------------------------------ */

static const char *winner_text(const vl_vote_slot *slot) {
    return slot->candidates[slot->winner].text;
}

static double winner_posterior(const vl_vote_slot *slot) {
    return slot->candidates[slot->winner].posterior;
}

static bool is_space(const vl_vote_slot *slot) {
    return !strcmp(winner_text(slot), " ");
}

/* Texts of the slots from `first` on, each as `text_of` gives it. */
static const char *concatenate(vl_arena *arena, const vl_vote_result *r, size_t first,
                               size_t count, size_t voice, bool winners) {
    size_t bytes = 1;
    for (size_t i = first; i < first + count; i++)
        bytes += strlen(winners ? winner_text(&r->slots[i]) : r->slots[i].read[voice]);
    char *text = vl_arena_alloc(arena, bytes), *to = text;
    for (size_t i = first; i < first + count && text; i++)
        to = stpcpy(to, winners ? winner_text(&r->slots[i]) : r->slots[i].read[voice]);
    return text;
}

static void place_word(const voting *v, vl_vote_word *word) {
    const vl_vote_slot *a = &v->result->slots[word->first_slot],
                       *b = &v->result->slots[word->first_slot + word->slot_count - 1];
    for (size_t slot = a->first_column; slot < b->first_column + b->columns; slot++)
        for (size_t i = 0; i < v->net.voice_count; i++) {
            int32_t cluster = at(v, slot, i);
            if (cluster < 0)
                continue;
            const vl_vote_cluster *c = &v->ordered[i]->clusters[cluster];
            if (!(c->x1 > c->x0))
                continue;
            bool known = word->x1 > word->x0;
            word->x0 = known ? fminf(word->x0, c->x0) : c->x0;
            word->x1 = known ? fmaxf(word->x1, c->x1) : c->x1;
        }
}

static bool who_said(voting *v, vl_vote_word *word) {
    vl_vote_result *r = v->result;
    word->said = vl_arena_array(v->arena, r->voice_count, sizeof *word->said);
    for (size_t i = 0; word->said && i < r->voice_count; i++) {
        vl_vote_said *said = &word->said[i];
        *said = (vl_vote_said){.voice = i, .weight = r->weights[i], .probability = 1};
        said->text = concatenate(v->arena, r, word->first_slot, word->slot_count, i, false);
        if (!said->text)
            return false;
        for (size_t s = word->first_slot; s < word->first_slot + word->slot_count; s++) {
            const vl_vote_slot *slot = &r->slots[s];
            said->probability *= slot->mass[i * (slot->count + 1) + find(slot, slot->read[i])];
        }
    }
    return word->said != NULL;
}

/* `from` … `to`: slots without a space between them. A word is right when its clusters are and
 * it begins and ends where it does. */
static bool add_word(voting *v, size_t from, size_t to) {
    vl_vote_result *r = v->result;
    vl_vote_word *word = &r->words[r->word_count];
    *word = (vl_vote_word){.posterior = 1, .first_slot = from, .slot_count = to - from};
    word->text = concatenate(v->arena, r, from, to - from, 0, true);
    if (!word->text || !*word->text)
        return word->text != NULL;
    for (size_t i = from ? from - 1 : 0; i <= to && i < r->slot_count; i++)
        word->posterior *= winner_posterior(&r->slots[i]);
    const vl_vote_calibration *c = r->voice_count > 1 ? &r->options.words : &r->options.alone;
    bool as_it_is = c->slope == 1 && c->offset == 0;
    word->confidence = as_it_is ? word->posterior : vl_calibration_apply(c, word->posterior, 0);
    place_word(v, word);
    r->word_count++;
    return who_said(v, word);
}

static vl_status make_words(voting *v) {
    vl_vote_result *r = v->result;
    double sum = 0;
    r->words = vl_arena_array(v->arena, r->slot_count + 1, sizeof *r->words);
    bool ok = r->words != NULL;
    for (size_t from = 0, to; from < r->slot_count && ok; from = to + 1) {
        for (to = from; to < r->slot_count && !is_space(&r->slots[to]);)
            to++;
        ok = to == from || add_word(v, from, to);
    }
    vl_buf text;
    vl_buf_init(&text, SIZE_MAX);
    for (size_t i = 0; i < r->word_count && ok; i++) {
        vl_buf_puts(&text, i ? " " : "");
        vl_buf_puts(&text, r->words[i].text);
        sum += r->words[i].posterior;
    }
    r->posterior = r->word_count ? sum / (double)r->word_count : 1;
    r->text = text.failed ? NULL : vl_arena_strdup(v->arena, text.len ? text.data : "");
    vl_buf_deinit(&text);
    return ok && r->text ? VL_OK : vl_fail(v->error, VL_ERR_MEMORY, "no memory to vote");
}

/* ---- the vote --------------------------------------------------------------------------- */

static vl_status check_cluster(const vl_vote_cluster *c, const char *name, size_t i,
                               vl_error *error) {
    size_t bytes = c->text ? strnlen(c->text, VL_VOTE_MAX_CLUSTER_BYTES + 1) : 0;
    if (!bytes)
        return vl_fail(error, VL_ERR_INPUT, "%s: character %zu is empty", name, i);
    if (bytes > VL_VOTE_MAX_CLUSTER_BYTES || c->alternative_count > VL_VOTE_MAX_ALTERNATIVES)
        return vl_fail(error, VL_ERR_LIMIT, "%s: character %zu is too long", name, i);
    bool sound = c->confidence >= 0 && c->confidence <= 1;
    for (size_t a = 0; a < c->alternative_count && sound; a++) {
        const vl_vote_choice *choice = &c->alternatives[a];
        sound =
            choice->text && !strchr(choice->text, ' ') && choice->confidence >= 0 &&
            choice->confidence <= 1 &&
            strnlen(choice->text, VL_VOTE_MAX_CLUSTER_BYTES + 1) <= VL_VOTE_MAX_CLUSTER_BYTES;
    }
    if (!sound)
        return vl_fail(error, VL_ERR_INPUT,
                       "%s: character %zu has a confidence that is not within 0 and 1, or an "
                       "alternative that is none",
                       name, i);
    return VL_OK;
}

static vl_status check(const vl_vote_voice *voices, size_t count, const vl_vote_options *o,
                       vl_error *error) {
    if (!count || count > VL_VOTE_MAX_VOICES)
        return vl_fail(error, count ? VL_ERR_LIMIT : VL_ERR_INPUT,
                       "%zu readings of a line; 1 to %d can vote", count, VL_VOTE_MAX_VOICES);
    if (!(o->spread >= 1) || (o->language && o->language->state_bytes > VL_VOTE_MAX_STATE))
        return vl_fail(error, VL_ERR_INPUT, "the options of the vote are out of range");
    vl_status status = VL_OK;
    for (size_t v = 0; v < count && !status; v++) {
        if (voices[v].count > VL_VOTE_MAX_CLUSTERS)
            return vl_fail(error, VL_ERR_LIMIT, "%s: a line of %zu characters; at most %d",
                           voices[v].name, voices[v].count, VL_VOTE_MAX_CLUSTERS);
        if (!(voices[v].accuracy >= 0 && voices[v].accuracy <= 1 && voices[v].corrected >= 0 &&
              voices[v].corrected <= 1))
            return vl_fail(error, VL_ERR_INPUT, "%s: accuracy %g is not within 0 and 1",
                           voices[v].name, voices[v].accuracy);
        for (size_t i = 0; i < voices[v].count && !status; i++)
            status = check_cluster(&voices[v].clusters[i], voices[v].name, i, error);
    }
    return status;
}

vl_status vl_vote(vl_arena *arena, const vl_vote_voice *voices, size_t count,
                  const vl_vote_options *options, vl_vote_result **result, vl_error *error) {
    *result = NULL;
    vl_status status = check(voices, count, options, error);
    if (status)
        return status;
    vl_vote_result *r = vl_arena_alloc(arena, sizeof *r);
    if (!r)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to vote");
    *r = (vl_vote_result){.voices = voices, .voice_count = count, .options = *options};
    r->weights = vl_arena_array(arena, count, sizeof *r->weights);
    r->evidence = vl_arena_array(arena, count, sizeof *r->evidence);
    r->order = vl_arena_array(arena, count, sizeof *r->order);
    if (!r->weights || !r->evidence || !r->order)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to vote");
    voting v = {.arena = arena, .result = r, .error = error};
    status = take_voices(&v);
    if (!status)
        status = vote_align(v.ordered, count, &v.net, error);
    if (!status) {
        fade_unlike(&v);
        status = vote_slots(&v);
    }
    if (!status && options->language)
        status = vote_search(arena, r, error);
    if (!status)
        status = make_words(&v);
    vote_net_free(&v.net);
    if (!status)
        *result = r;
    return status;
}

bool vl_vote_settled(const vl_vote_result *r, double threshold, double *weakest) {
    double least = 1;
    for (size_t i = 0; i < r->word_count; i++)
        least = fmin(least, r->words[i].confidence);
    bool empty_twice = false;
    for (size_t i = 1; i < r->voice_count && !r->word_count; i++)
        empty_twice |= !vl_vote_related(&r->voices[0], &r->voices[i]);
    if (weakest)
        *weakest = r->word_count || empty_twice ? least : 0;
    return r->word_count ? least >= threshold : empty_twice;
}
