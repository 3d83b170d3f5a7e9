/* record.c — questions to the track record, and learning. What it keeps in the store is
 * record_store.c's. */
#include "ocr/record_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

vl_record_options vl_record_options_default(void) {
    return (vl_record_options){.prior = 0.8,
                               .strength = 40,
                               .half_life = 20000,
                               .human = 10,
                               .witness = 0.3,
                               .character = 0.8};
}

vl_status vl_record_key_check(const vl_record_key *key, vl_error *error) {
    char text[RECORD_KEY_BYTES];
    return record_key_make(key, RECORD_FIELDS, text, error);
}

/* ---- asking and counting ---------------------------------------------------------------- */

/* Fills the key of the row `fields` deep; false where that field is not known, so that the row
 * would be the one above. */
static bool row_key(const vl_record_key *key, size_t fields, char out[RECORD_KEY_BYTES]) {
    const char *const values[RECORD_FIELDS] = {key->voice, key->script, key->language,
                                               key->degradation, key->source};
    if (!values[fields - 1] || !*values[fields - 1] || record_key_make(key, fields, out, NULL))
        return false;
    for (size_t i = fields; i < RECORD_FIELDS; i++) /* as rows are kept: all fields */
        strcat(out, "\t");
    return true;
}

void vl_record_set_base(vl_record *record, const vl_record *base) {
    record->base = base;
}

double vl_record_accuracy(vl_record *record, const vl_record_key *key, double *clusters) {
    char text[RECORD_KEY_BYTES];
    double accuracy = record->options.prior, evidence = 0;
    pthread_mutex_lock(&record->mutex);
    for (size_t fields = 1; fields <= RECORD_FIELDS; fields++) {
        if (!row_key(key, fields, text))
            continue;
        const record_row *own = record_find(&record->table, text);
        const record_row *base = record->base ? record_find(&record->base->table, text) : NULL;
        if (!own && !base)
            continue;
        double right = (own ? own->all.right : 0) + (base ? base->all.right : 0);
        double wrong = (own ? own->all.wrong : 0) + (base ? base->all.wrong : 0);
        double n = right + wrong, s = record->options.strength;
        accuracy = (right + s * accuracy) / (n + s);
        evidence = n > 0 ? n : evidence;
    }
    pthread_mutex_unlock(&record->mutex);
    if (clusters)
        *clusters = evidence;
    return accuracy;
}

double vl_record_corrected(vl_record *record, const vl_record_key *key) {
    char text[RECORD_KEY_BYTES];
    double share = 0;
    pthread_mutex_lock(&record->mutex);
    for (size_t fields = 1; fields <= RECORD_FIELDS; fields++) {
        const record_row *own =
            row_key(key, fields, text) ? record_find(&record->table, text) : NULL;
        if (own && own->all.right + own->all.wrong > 0)
            share = fmin(1, own->all.human / (own->all.right + own->all.wrong));
    }
    pthread_mutex_unlock(&record->mutex);
    return share;
}

/* With the lock held. */
static vl_status count(vl_record *record, const vl_record_key *key, const record_counts *more,
                       vl_error *error) {
    char text[RECORD_KEY_BYTES];
    vl_status status = record_key_make(key, RECORD_FIELDS, text, error);
    if (status)
        return status;
    double fade = exp2(-(more->right + more->wrong) / record->options.half_life);
    for (size_t fields = 1; fields <= RECORD_FIELDS; fields++) {
        if (!row_key(key, fields, text))
            continue;
        record_row *row = record_touch(&record->table, text);
        if (!row)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for the track record");
        record_counts_add(&row->all, more, fade);
        record_counts_add(&row->fresh, more, fade);
        row->fade *= fade;
    }
    return VL_OK;
}

vl_status vl_record_add(vl_record *record, const vl_record_key *key, double right, double wrong,
                        vl_error *error) {
    if (!(right >= 0 && right <= 1e9 && wrong >= 0 && wrong <= 1e9))
        return vl_fail(error, VL_ERR_INPUT, "counts of %g right and %g wrong", right, wrong);
    record_counts more = {right, wrong, 0};
    pthread_mutex_lock(&record->mutex);
    vl_status status = count(record, key, &more, error);
    pthread_mutex_unlock(&record->mutex);
    return status;
}

/* ---- learning --------------------------------------------------------------------------- */

static vl_status count_voices(vl_record *record, const vl_vote_voice *voices, size_t n,
                              const vl_record_key *where, const record_counts *counts,
                              vl_error *error) {
    vl_status status = VL_OK;
    pthread_mutex_lock(&record->mutex);
    for (size_t v = 0; v < n && !status; v++) {
        vl_record_key key = *where;
        key.voice = voices[v].name;
        if (counts[v].right + counts[v].wrong > 0)
            status = count(record, &key, &counts[v], error);
    }
    pthread_mutex_unlock(&record->mutex);
    return status;
}

/* The probability that a reading is right which the others give `p`, for a voice of which
 * nothing is known but `prior`: Dawid and Skene's (1979) responsibility with the voice's own
 * accuracy left out, so that no record feeds itself. */
static double responsibility(double p, double prior, double spread) {
    double right = prior * p, wrong = (1 - prior) / spread * (1 - p);
    return right + wrong > 0 ? right / (right + wrong) : 0;
}

vl_status vl_record_learn(vl_record *record, const vl_vote_result *result,
                          const vl_record_key *where, vl_error *error) {
    record_counts counts[VL_VOTE_MAX_VOICES] = {{0}};
    for (size_t v = 0; v < result->voice_count; v++) {
        const char *family;
        size_t bytes;
        vl_vote_family(&result->voices[v], &family, &bytes);
        for (size_t s = 0; s < result->slot_count; s++) {
            const char *read = result->slots[s].read[v];
            double p = vl_vote_without(result, s, family, bytes, read);
            if (!(p > 0))
                continue;
            double right = responsibility(p, record->options.prior, result->options.spread);
            counts[v].right += right;
            counts[v].wrong += 1 - right;
        }
    }
    return count_voices(record, result->voices, result->voice_count, where, counts, error);
}

/* ---- two families ----------------------------------------------------------------------- */

/* The voice with most evidence of those that are not of the family of `voice`; a voice of a
 * third family makes it SIZE_MAX, and so does there being none. */
static size_t opponent_of(const vl_vote_result *r, size_t voice) {
    size_t best = SIZE_MAX;
    for (size_t k = 0; k < r->voice_count; k++) {
        size_t i = r->order[k];
        if (vl_vote_related(&r->voices[i], &r->voices[voice]))
            continue;
        if (best != SIZE_MAX && !vl_vote_related(&r->voices[i], &r->voices[best]))
            return SIZE_MAX;
        if (best == SIZE_MAX || r->evidence[i] > r->evidence[best])
            best = i;
    }
    return best;
}

static double count_characters(const char *text) {
    double count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

/* The probability that `a` is right where its opponent reads `b`: both, one, or neither of them
 * is (Dawid and Skene 1979, the expectation step with the accuracies as they are known now),
 * and where they differ the model favours one by exp(favour). As the model's word does not
 * depend on the record, the likelihood has one maximum, wherever the record begins. */
static double right_of_two(double own, double other, bool same, double favour,
                           const vl_vote_options *o) {
    double alike = o->correlation + (1 - o->correlation) / o->spread; /* of two mistakes */
    double neither = (1 - own) * (1 - other);
    if (same)
        return own * other / (own * other + neither * alike);
    double it = own * (1 - other) * exp(favour / 2);
    return it / (it + (1 - own) * other * exp(-favour / 2) + neither * (1 - alike));
}

static double clamp_accuracy(double accuracy) {
    return fmin(0.99, fmax(0.05, accuracy));
}

vl_status vl_record_learn_two(vl_record *record, const vl_vote_result *r, const double *witness,
                              const vl_record_key *where, vl_error *error) {
    record_counts counts[VL_VOTE_MAX_VOICES] = {{0}};
    double accuracy[VL_VOTE_MAX_VOICES];
    for (size_t v = 0; v < r->voice_count; v++) {
        vl_record_key key = *where;
        key.voice = r->voices[v].name;
        accuracy[v] = clamp_accuracy(vl_record_accuracy(record, &key, NULL));
    }
    for (size_t v = 0; v < r->voice_count; v++) {
        size_t u = opponent_of(r, v);
        for (size_t s = 0; u != SIZE_MAX && s < r->slot_count; s++) {
            const char *a = r->slots[s].read[v], *b = r->slots[s].read[u];
            const double *says = witness + s * r->voice_count;
            double favour =
                record->options.witness * (says[v] - says[u]) +
                record->options.character * (count_characters(a) - count_characters(b));
            if (!*a && !*b) /* what only others of its family read */
                continue;
            double right = right_of_two(accuracy[v], accuracy[u], !strcmp(a, b),
                                        fmin(30, fmax(-30, favour)), &r->options);
            counts[v].right += right;
            counts[v].wrong += 1 - right;
        }
    }
    return count_voices(record, r->voices, r->voice_count, where, counts, error);
}

vl_status vl_record_correct(vl_record *record, const vl_vote_voice *voices, size_t n,
                            const char *truth, const vl_record_key *where, vl_error *error) {
    record_counts counts[VL_VOTE_MAX_VOICES] = {{0}};
    vl_vote_voice all[VL_VOTE_MAX_VOICES];
    vl_vote_options options = vl_vote_options_default();
    vl_vote_result *result;
    if (n >= VL_VOTE_MAX_VOICES)
        return vl_fail(error, VL_ERR_LIMIT, "%zu readings; at most %d can be corrected", n,
                       VL_VOTE_MAX_VOICES - 1);
    vl_arena *arena = vl_arena_new((size_t)256 << 20);
    if (!arena)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (size_t v = 0; v < n; v++)
        all[v] = voices[v];
    all[n] =
        (vl_vote_voice){.name = "truth", .accuracy = 1, .calibration = vl_calibration_none()};
    vl_status status =
        vl_vote_clusters_of(arena, truth, 1, &all[n].clusters, &all[n].count, error);
    if (!status)
        status = vl_vote(arena, all, n + 1, &options, &result, error);
    for (size_t s = 0; !status && s < result->slot_count; s++)
        for (size_t v = 0; v < n; v++) {
            const char *const *read = result->slots[s].read;
            bool right = !strcmp(read[v], read[n]);
            /* Slots that only other voices filled say nothing of those that left them empty. */
            if (right && !*read[v])
                continue;
            counts[v].right += right ? record->options.human : 0;
            counts[v].wrong += right ? 0 : record->options.human;
            counts[v].human += record->options.human;
        }
    if (!status)
        status = count_voices(record, voices, n, where, counts, error);
    vl_arena_free(arena);
    return status;
}

static void limit(record_counts *counts, double clusters) {
    double all = counts->right + counts->wrong, share = all > clusters ? clusters / all : 1;
    counts->right *= share;
    counts->wrong *= share;
    counts->human *= share;
}

void vl_record_limit(vl_record *record, double clusters) {
    pthread_mutex_lock(&record->mutex);
    for (size_t i = 0; i < record->table.row_count; i++)
        limit(&record->table.rows[i].all, clusters);
    pthread_mutex_unlock(&record->mutex);
}

/* ---- calibrations ----------------------------------------------------------------------- */

vl_vote_calibration vl_record_calibration(vl_record *record, const char *voice) {
    pthread_mutex_lock(&record->mutex);
    const record_voice *there = record_find_voice(&record->table, voice);
    if (!there && record->base)
        there = record_find_voice(&record->base->table, voice);
    vl_vote_calibration calibration = there ? there->calibration : vl_calibration_none();
    pthread_mutex_unlock(&record->mutex);
    return calibration;
}

vl_status vl_record_calibrate(vl_record *record, const char *voice,
                              const vl_vote_calibration *calibration, vl_error *error) {
    vl_status status = record_calibration_check(voice, calibration, error);
    if (status)
        return status;
    pthread_mutex_lock(&record->mutex);
    record_voice *to = record_touch_voice(&record->table, voice);
    if (to) {
        to->calibration = *calibration;
        to->fresh = true;
    }
    pthread_mutex_unlock(&record->mutex);
    return to ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for the track record");
}

/* ---- in and out ------------------------------------------------------------------------- */

void vl_record_free(vl_record *record) {
    if (!record)
        return;
    pthread_mutex_destroy(&record->store_mutex);
    pthread_mutex_destroy(&record->mutex);
    record_table_free(&record->table);
    free(record);
}

vl_status vl_record_export(vl_record *record, vl_buf *out, vl_error *error) {
    pthread_mutex_lock(&record->mutex);
    vl_status status = record_table_write(&record->table, out, error);
    pthread_mutex_unlock(&record->mutex);
    return status;
}

static int compare_shown(const void *a, const void *b) {
    const record_row *r = *(const record_row *const *)a, *s = *(const record_row *const *)b;
    size_t r_bytes = strcspn(r->key, "\t"), s_bytes = strcspn(s->key, "\t");
    int order = memcmp(r->key, s->key, r_bytes < s_bytes ? r_bytes : s_bytes);
    if (order || r_bytes != s_bytes)
        return order ? order : r_bytes < s_bytes ? -1 : 1;
    double r_sum = r->all.right + r->all.wrong, s_sum = s->all.right + s->all.wrong;
    return r_sum != s_sum ? (r_sum > s_sum ? -1 : 1) : strcmp(r->key, s->key);
}

static void show_row(const record_row *row, vl_buf *out) {
    static const int widths[RECORD_FIELDS] = {20, 11, 11, 14, 11};
    const char *at = row->key;
    double n = row->all.right + row->all.wrong;
    for (size_t i = 0; i < RECORD_FIELDS; i++) {
        size_t bytes = strcspn(at, "\t");
        vl_buf_printf(out, "%-*.*s ", widths[i], bytes ? (int)bytes : 1, bytes ? at : "-");
        at += bytes + (at[bytes] == '\t');
    }
    vl_buf_printf(out, "%7.2f%% %10.0f %10.0f\n", n > 0 ? 100 * row->all.right / n : 0, n,
                  row->all.human);
}

void vl_record_show(vl_record *record, vl_buf *out) {
    pthread_mutex_lock(&record->mutex);
    size_t n = record->table.row_count;
    const record_row **rows = calloc(n + 1, sizeof *rows);
    for (size_t i = 0; rows && i < n; i++)
        rows[i] = &record->table.rows[i];
    if (rows && n)
        qsort(rows, n, sizeof *rows, compare_shown);
    vl_buf_printf(out, "%-20s %-11s %-11s %-14s %-11s %8s %10s %10s\n", "voice", "script",
                  "language", "degradation", "source", "right", "characters", "corrected");
    for (size_t i = 0; rows && i < n; i++)
        show_row(rows[i], out);
    free(rows);
    pthread_mutex_unlock(&record->mutex);
}
