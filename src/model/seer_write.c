/* seer_write.c — texts about the picture: captions, answers, true or false.
 *
 * A prompt is run through the decoder, then tokens are chosen by beam search (log-probability
 * over length^penalty, Wu et al. 2016, section 7, with their lp replaced by the plain power) or
 * by sampling from the nucleus (Holtzman et al. 2020). Special tokens but <eos> are never
 * written.
 *
 * Of the captions a search finishes, the one is taken whose log-probability and whose likeness
 * to the picture are highest together: its vector costs one more token through the text layers,
 * since their keys and values are there. */
#include "model/seer_use.h"

#include <vislang/text.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 4096 };

vl_seer_writing vl_seer_writing_default(void) {
    return (vl_seer_writing){.beams = 12,
                             .max_tokens = 32,
                             .length_penalty = 0.7,
                             .no_repeat = 2,
                             .match = 5,
                             .temperature = 0.8,
                             .top_p = 0.95,
                             .seed = 1};
}

typedef struct beam {
    int32_t ids[MAX_TEXT];
    size_t count;
    double log_probability;
    size_t parent; /* the beam of the step before that it continues */
} beam;

typedef struct candidate {
    size_t beam;
    int32_t id;
    double log_probability;
} candidate;

/* Everything a text being written needs. */
typedef struct writing {
    vl_seer_session *session;
    vl_seer_writing how;
    size_t start; /* positions of the prompt */
    size_t most;  /* tokens that may be written */
    beam *beams, *next;
    double match; /* weight of the likeness of picture and text */
    beam best;
    double best_score;
    size_t finished;
} writing;

static double score_of(const writing *w, double log_probability, size_t count) {
    return log_probability / pow((double)(count ? count : 1), w->how.length_penalty);
}

/* Logits → log-probabilities, specials but <eos> shut out. */
static void to_log_probabilities(const vl_seer *seer, float *logits) {
    size_t count = vl_bpe_size(seer->bpe), specials = vl_bpe_special_count(seer->bpe);
    for (size_t i = 0; i < specials; i++)
        if ((int32_t)i != seer->tokens.eos)
            logits[i] = -1e9f;
    float sum = vl_kernels_get()->log_sum_exp(logits, count);
    for (size_t i = 0; i < count; i++)
        logits[i] -= sum;
}

/* Whether `id` after the beam's tokens would make a row of `n` that is there already. */
static bool repeats(const beam *b, int32_t id, size_t n) {
    if (!n || b->count + 1 < n)
        return false;
    const int32_t *last = b->ids + b->count - (n - 1);
    for (size_t i = 0; i + n <= b->count; i++)
        if (!memcmp(b->ids + i, last, (n - 1) * sizeof *last) && b->ids[i + n - 1] == id)
            return true;
    return false;
}

/* Keeps the `room` best, best first. Returns how many there are. */
static size_t offer(candidate *best, size_t count, size_t room, candidate c) {
    if (count == room && c.log_probability <= best[count - 1].log_probability)
        return count;
    size_t at = count < room ? count++ : count - 1;
    for (; at > 0 && best[at - 1].log_probability < c.log_probability; at--)
        best[at] = best[at - 1];
    best[at] = c;
    return count;
}

/* `likeness`: of the beam's text to the picture. */
static void finish(writing *w, const beam *b, double log_probability, size_t count,
                   double likeness) {
    double score = score_of(w, log_probability, count) + w->match * likeness;
    w->finished++;
    if (score > w->best_score) {
        w->best_score = score;
        w->best = *b;
        w->best.log_probability = log_probability;
    }
}

/* From logits of `live` beams to the next ones; returns how many live on. */
static size_t choose(writing *w, size_t live) {
    const vl_seer *seer = w->session->seer;
    size_t vocabulary = seer->config.vocabulary, width = w->how.beams, count = 0;
    candidate best[2 * SEER_MAX_BEAMS];
    for (size_t b = 0; b < live; b++) {
        float *row = w->session->logits + b * vocabulary;
        to_log_probabilities(seer, row);
        double floor = -INFINITY;
        for (size_t i = 0; i < vl_bpe_size(seer->bpe); i++) {
            double p = w->beams[b].log_probability + row[i];
            if (p > floor && !repeats(&w->beams[b], (int32_t)i, w->how.no_repeat)) {
                count = offer(best, count, 2 * width, (candidate){b, (int32_t)i, p});
                if (count == 2 * width)
                    floor = best[count - 1].log_probability;
            }
        }
    }
    size_t kept = 0;
    float likeness[SEER_MAX_BEAMS] = {0};
    bool compared = w->match == 0;
    for (size_t i = 0; i < count && kept < width; i++) {
        const beam *from = &w->beams[best[i].beam];
        if (best[i].id == seer->tokens.eos) {
            if (!compared)
                seer_decode_likeness(w->session, live, w->start + from->count, likeness);
            compared = true;
            finish(w, from, best[i].log_probability, from->count + 1, likeness[best[i].beam]);
            continue;
        }
        beam *to = &w->next[kept++];
        memcpy(to->ids, from->ids, from->count * sizeof *to->ids);
        to->ids[from->count] = best[i].id;
        to->count = from->count + 1;
        to->log_probability = best[i].log_probability;
        to->parent = best[i].beam;
    }
    return kept;
}

/* The caches follow the beams that go on: copied aside first, since beams may swap. */
static void move_caches(vl_seer_session *session, const beam *beams, size_t kept,
                        size_t length) {
    bool same = true;
    for (size_t i = 0; i < kept; i++)
        same &= beams[i].parent == i;
    if (same)
        return;
    for (size_t i = 0; i < kept; i++)
        seer_decode_copy(session, beams[i].parent, session->beams + i, length);
    for (size_t i = 0; i < kept; i++)
        seer_decode_copy(session, session->beams + i, i, length);
}

static void search(writing *w) {
    size_t live = 1;
    w->beams[0].count = 0;
    w->beams[0].log_probability = 0;
    for (size_t step = 0; step < w->most; step++) {
        size_t kept = choose(w, live);
        beam *swap = w->beams;
        w->beams = w->next;
        w->next = swap;
        if (!kept || step + 1 == w->most)
            break;
        if (w->finished >= w->how.beams)
            return;
        move_caches(w->session, w->beams, kept, w->start + step);
        int32_t ids[SEER_MAX_BEAMS];
        for (size_t i = 0; i < kept; i++)
            ids[i] = w->beams[i].ids[step];
        seer_decode(w->session, ids, kept, w->start + step, true);
        live = kept;
    }
    if (!isfinite(w->best_score)) /* nothing ended in time: the best as far as it came */
        finish(w, &w->beams[0], w->beams[0].log_probability, w->beams[0].count, 0);
}

/* ---- sampling ----------------------------------------------------------------------- */

static int by_log_probability(const void *a, const void *b) {
    double x = ((const candidate *)a)->log_probability;
    double y = ((const candidate *)b)->log_probability;
    return x < y ? 1 : x > y ? -1 : 0;
}

static int32_t draw(const writing *w, candidate *all, uint64_t *random,
                    double *log_probability) {
    const vl_seer *seer = w->session->seer;
    float *row = w->session->logits;
    size_t count = vl_bpe_size(seer->bpe), kept = 0;
    to_log_probabilities(seer, row);
    for (size_t i = 0; i < count; i++) {
        bool again = repeats(&w->beams[0], (int32_t)i, w->how.no_repeat);
        all[i] = (candidate){0, (int32_t)i, again ? -1e9 : row[i]};
    }
    qsort(all, count, sizeof *all, by_log_probability);
    double temperature = w->how.temperature > 0.01 ? w->how.temperature : 0.01, mass = 0,
           sum = 0;
    for (; kept < count && mass < w->how.top_p; kept++)
        mass += exp(all[kept].log_probability);
    for (size_t i = 0; i < kept; i++)
        sum += exp((all[i].log_probability - all[0].log_probability) / temperature);
    double at = vl_random_uniform(random) * sum;
    size_t chosen = 0;
    for (; chosen + 1 < kept; chosen++) {
        at -= exp((all[chosen].log_probability - all[0].log_probability) / temperature);
        if (at < 0)
            break;
    }
    *log_probability += all[chosen].log_probability;
    return all[chosen].id;
}

static vl_status sample(writing *w, vl_error *error) {
    const vl_seer *seer = w->session->seer;
    candidate *all = calloc(vl_bpe_size(seer->bpe), sizeof *all);
    if (!all)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to write a text");
    uint64_t random = w->how.seed;
    beam *b = &w->beams[0];
    b->count = 0;
    b->log_probability = 0;
    while (b->count < w->most) {
        int32_t id = draw(w, all, &random, &b->log_probability);
        if (id == seer->tokens.eos)
            break;
        b->ids[b->count] = id;
        seer_decode(w->session, &id, 1, w->start + b->count++, true);
    }
    free(all);
    finish(w, b, b->log_probability, b->count + 1, 0);
    return VL_OK;
}

/* ---- texts -------------------------------------------------------------------------- */

static double calibrated(vl_calibration c, double score) {
    return c.slope != 0 ? 1 / (1 + exp(-(c.slope * score + c.offset))) : exp(score);
}

/* `match`: the prompt is that of a caption, so the text can be compared with the picture. */
static vl_status write_text(vl_seer_session *s, const int32_t *prompt, size_t count,
                            const vl_seer_writing *how, bool match, writing *w,
                            vl_error *error) {
    if (!s->looked)
        return vl_fail(error, VL_ERR_USAGE, "no picture was looked at");
    size_t room = s->seer->config.max_text - count;
    *w = (writing){.session = s,
                   .how = *how,
                   .start = count,
                   .match = match ? how->match : 0,
                   .best_score = -INFINITY};
    w->most = how->max_tokens && how->max_tokens < room ? how->max_tokens : room;
    if (w->how.beams > SEER_MAX_BEAMS)
        w->how.beams = SEER_MAX_BEAMS;
    size_t beams = w->how.beams ? w->how.beams : 1;
    w->beams = calloc(beams, sizeof *w->beams);
    w->next = calloc(beams, sizeof *w->next);
    vl_status status = w->beams && w->next
                           ? seer_session_reserve(s, beams, error)
                           : vl_fail(error, VL_ERR_MEMORY, "no memory to write a text");
    for (size_t t = 0; t < count && !status; t++)
        seer_decode(s, &prompt[t], 1, t, true);
    if (!status && w->how.beams)
        search(w);
    else if (!status)
        status = sample(w, error);
    free(w->beams);
    free(w->next);
    return status;
}

static vl_status to_text(const vl_seer *seer, const beam *b, vl_arena *arena, const char **text,
                         vl_error *error) {
    vl_buf bytes;
    vl_buf_init(&bytes, 1 << 20);
    vl_status status = vl_bpe_decode(seer->bpe, b->ids, b->count, &bytes, error);
    if (!status)
        status = vl_buf_status(&bytes, "text", error);
    const char *from = bytes.data ? bytes.data : "";
    while (*from == ' ')
        from++;
    size_t length = vl_utf8_valid_prefix(from, strlen(from));
    while (length && from[length - 1] == ' ')
        length--;
    if (!status && !(*text = vl_arena_strndup(arena, from, length)))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a text");
    vl_buf_deinit(&bytes);
    return status;
}

/* "A dog runs ." → "A dog runs." */
static void close_up(char *text) {
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (strchr(".,!?;:", *from) && to > text && to[-1] == ' ')
            to--;
        *to++ = *from;
    }
    *to = '\0';
}

/* The language, by any of its codes, as the model names it. NULL: it does not write it. */
static const char *own_name(const vl_seer *seer, const char *language) {
    for (size_t i = 0; i < seer->facts.language_count; i++)
        if (!strcmp(vl_lang_code(seer->facts.languages[i]), vl_lang_code(language)))
            return seer->facts.languages[i];
    return NULL;
}

vl_status vl_seer_caption(vl_seer_session *s, const char *language, const vl_seer_writing *how,
                          vl_arena *arena, vl_seer_text *out, vl_error *error) {
    const vl_seer *seer = s->seer;
    char name[16], known[128] = "";
    const char *own = own_name(seer, language);
    snprintf(name, sizeof name, "<%s>", own ? own : "");
    int32_t spoken = own ? vl_bpe_special(seer->bpe, name) : -1;
    if (spoken < 0) {
        for (size_t i = 0; i < seer->facts.language_count; i++)
            snprintf(known + strlen(known), sizeof known - strlen(known), " %s",
                     seer->facts.languages[i]);
        return vl_fail(error, VL_ERR_USAGE, "captions are not written in '%s', but in:%s",
                       language, known);
    }
    writing *w = calloc(1, sizeof *w);
    if (!w)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to write a text");
    vl_status status =
        write_text(s, (int32_t[]){seer->tokens.caption, spoken}, 2, how, true, w, error);
    if (!status)
        status = to_text(seer, &w->best, arena, &out->text, error);
    if (!status) {
        close_up((char *)(uintptr_t)out->text);
        out->tokens = w->best.count;
        double mean = w->best.log_probability / (double)(w->best.count + 1);
        out->confidence = calibrated(seer->facts.caption, mean);
        out->sure = out->confidence >= seer->facts.caption.threshold;
    }
    free(w);
    return status;
}

static vl_status make_prompt(const vl_seer *seer, int32_t first, const char *text, int32_t *ids,
                             size_t room, size_t *count, vl_error *error) {
    size_t used = 0;
    ids[0] = first;
    vl_status status =
        vl_bpe_encode(seer->bpe, text, strlen(text), ids + 1, room - 2, &used, error);
    if (status == VL_ERR_LIMIT)
        return vl_fail(error, VL_ERR_LIMIT,
                       "the text is longer than the %zu tokens this model reads", room - 2);
    if (!status && !used)
        status = vl_fail(error, VL_ERR_USAGE, "an empty question");
    ids[1 + used] = seer->tokens.answer;
    *count = used + 2;
    return status;
}

vl_status vl_seer_ask(vl_seer_session *s, const char *question, const vl_seer_writing *how,
                      vl_arena *arena, vl_seer_text *out, vl_error *error) {
    const vl_seer *seer = s->seer;
    int32_t ids[MAX_TEXT];
    size_t count = 0;
    writing *w = calloc(1, sizeof *w);
    vl_status status = w ? make_prompt(seer, seer->tokens.ask, question, ids,
                                       seer->config.max_text - 6, &count, error)
                         : vl_fail(error, VL_ERR_MEMORY, "no memory to write a text");
    if (!status)
        status = write_text(s, ids, count, how, false, w, error);
    if (!status)
        status = to_text(seer, &w->best, arena, &out->text, error);
    if (!status) {
        out->tokens = w->best.count;
        out->confidence = calibrated(seer->facts.ask, w->best.log_probability);
        out->sure = out->confidence >= seer->facts.ask.threshold;
    }
    free(w);
    return status;
}

vl_status vl_seer_judge(vl_seer_session *s, const char *statement, double *probability,
                        vl_error *error) {
    const vl_seer *seer = s->seer;
    int32_t ids[MAX_TEXT];
    size_t count = 0;
    if (!s->looked)
        return vl_fail(error, VL_ERR_USAGE, "no picture was looked at");
    vl_status status = make_prompt(seer, seer->tokens.statement, statement, ids,
                                   seer->config.max_text, &count, error);
    for (size_t t = 0; t < count && !status; t++)
        seer_decode(s, &ids[t], 1, t, true);
    if (!status)
        *probability = calibrated(seer->facts.statement,
                                  s->logits[seer->tokens.yes] - s->logits[seer->tokens.no]);
    return status;
}
