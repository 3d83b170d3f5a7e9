/* record_store.c — the track record and the store: opening, taking over what others learned,
 * adding what was learned here.
 *
 * Flushing: what is fresh is taken out of the table (a row's counts, and the fading that it
 * saw), added to the store in one transaction, and put back if that fails. Fading and adding
 * commute well enough between processes: both are small between flushes. */
#include "ocr/record_table.h"

#include <stdlib.h>
#include <string.h>

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "no memory for the track record");
}

/* ---- from the store --------------------------------------------------------------------- */

static void begin_reading(void *to) {
    record_table_free(to);
}

static vl_status read_row(const vl_weight *row, void *to, vl_error *error) {
    char text[RECORD_KEY_BYTES];
    vl_record_key key = {row->key[0], row->key[1], row->key[2], row->key[3], row->key[4]};
    vl_status status = record_key_make(&key, RECORD_FIELDS, text, error);
    if (!status && !(row->right >= 0 && row->wrong >= 0 && row->human >= 0))
        status = vl_fail(error, VL_ERR_INPUT, "a count below 0");
    if (status)
        return error ? vl_error_prefix(error, "the table ocr_weights") : status;
    record_row *made = record_touch(to, text);
    if (!made)
        return no_memory(error);
    made->all = (record_counts){row->right, row->wrong, row->human};
    return VL_OK;
}

static vl_status read_calibration(const vl_weight_calibration *from, void *to,
                                  vl_error *error) {
    vl_vote_calibration calibration = {
        .slope = from->slope, .offset = from->offset, .base = from->base};
    vl_status status = record_calibration_check(from->voice, &calibration, error);
    if (status)
        return error ? vl_error_prefix(error, "the table ocr_calibrations") : status;
    record_voice *made = record_touch_voice(to, from->voice);
    if (!made)
        return no_memory(error);
    made->calibration = calibration;
    return VL_OK;
}

/* Adds to `table` what `own` learned and has not flushed, which stays to be flushed. */
static bool keep_fresh(const record_table *own, record_table *table) {
    for (size_t i = 0; i < own->row_count; i++) {
        const record_row *from = &own->rows[i];
        if (!(from->fresh.right + from->fresh.wrong > 0))
            continue;
        record_row *to = record_touch(table, from->key);
        if (!to)
            return false;
        record_counts_add(&to->all, &from->fresh, from->fade);
        to->fresh = from->fresh;
        to->fade = from->fade;
    }
    for (size_t i = 0; i < own->voice_count; i++) {
        if (!own->voices[i].fresh)
            continue;
        record_voice *to = record_touch_voice(table, own->voices[i].name);
        if (!to)
            return false;
        to->calibration = own->voices[i].calibration;
        to->fresh = true;
    }
    return true;
}

/* With store_mutex held. */
static vl_status take_over(vl_record *record, vl_error *error) {
    record_table table = {0};
    int64_t mark;
    vl_weights_reader reader = {begin_reading, read_row, read_calibration, &table};
    vl_status status = vl_weights_read(record->db, &reader, &mark, error);
    if (!status) {
        pthread_mutex_lock(&record->mutex);
        if (keep_fresh(&record->table, &table)) {
            record_table before = record->table;
            record->table = table;
            record->mark = mark;
            table = before;
        } else {
            status = no_memory(error);
        }
        pthread_mutex_unlock(&record->mutex);
    }
    record_table_free(&table);
    return status;
}

/* With store_mutex held. */
static vl_status look(vl_record *record, vl_error *error) {
    int64_t mark;
    vl_status status = vl_weights_mark(record->db, &mark, error);
    return status || mark == record->mark ? status : take_over(record, error);
}

vl_status vl_record_open(vl_db *db, const vl_record_options *options, vl_record **record,
                         vl_error *error) {
    *record = NULL;
    vl_record *r = calloc(1, sizeof *r);
    if (!r)
        return no_memory(error);
    r->options = options ? *options : vl_record_options_default();
    r->db = db;
    pthread_mutex_init(&r->mutex, NULL);
    pthread_mutex_init(&r->store_mutex, NULL);
    vl_status status = db ? take_over(r, error) : VL_OK;
    if (status)
        vl_record_free(r);
    else
        *record = r;
    return status;
}

vl_status vl_record_refresh(vl_record *record, vl_error *error) {
    if (!record->db)
        return VL_OK;
    pthread_mutex_lock(&record->store_mutex);
    vl_status status = look(record, error);
    pthread_mutex_unlock(&record->store_mutex);
    return status;
}

/* ---- to the store ----------------------------------------------------------------------- */

/* Moves what is fresh to `taken`; without memory, part of it. */
static void take_fresh(record_table *own, record_table *taken) {
    for (size_t i = 0; i < own->row_count; i++) {
        record_row *from = &own->rows[i];
        if (!(from->fresh.right + from->fresh.wrong > 0))
            continue;
        record_row *to = record_touch(taken, from->key);
        if (!to)
            return;
        to->all = to->fresh = from->fresh;
        to->fade = from->fade;
        from->fresh = (record_counts){0};
        from->fade = 1;
    }
    for (size_t i = 0; i < own->voice_count; i++) {
        record_voice *to =
            own->voices[i].fresh ? record_touch_voice(taken, own->voices[i].name) : NULL;
        if (!to)
            continue;
        to->calibration = own->voices[i].calibration;
        own->voices[i].fresh = false;
    }
}

/* Undoes take_fresh, whatever was learned meanwhile. */
static void give_back(const record_table *taken, record_table *own) {
    for (size_t i = 0; i < taken->row_count; i++) {
        const record_row *from = &taken->rows[i];
        bool was_there = record_find(own, from->key);
        record_row *to = record_touch(own, from->key);
        if (!to)
            continue;
        record_counts since = to->fresh;
        to->fresh = from->fresh;
        record_counts_add(&to->fresh, &since, to->fade);
        to->fade *= from->fade;
        if (!was_there)
            to->all = to->fresh;
    }
    for (size_t i = 0; i < taken->voice_count; i++) {
        record_voice *to = record_touch_voice(own, taken->voices[i].name);
        if (!to || to->fresh)
            continue;
        to->calibration = taken->voices[i].calibration;
        to->fresh = true;
    }
}

typedef struct written { /* a table as the store takes it */
    vl_weight *rows;
    vl_weight_calibration *calibrations;
    char *keys; /* of all rows, with ends instead of tabs */
} written;

static void written_free(written *w) {
    free(w->rows);
    free(w->calibrations);
    free(w->keys);
}

/* `table` must live as long. */
static vl_status write_down(const record_table *table, written *w, vl_weights *weights,
                            vl_error *error) {
    w->rows = calloc(table->row_count + 1, sizeof *w->rows);
    w->calibrations = calloc(table->voice_count + 1, sizeof *w->calibrations);
    w->keys = calloc(table->row_count + 1, RECORD_KEY_BYTES);
    if (!w->rows || !w->calibrations || !w->keys)
        return no_memory(error);
    for (size_t i = 0; i < table->row_count; i++) {
        const record_row *from = &table->rows[i];
        char *at = strcpy(w->keys + i * RECORD_KEY_BYTES, from->key);
        w->rows[i] = (vl_weight){.right = from->all.right,
                                 .wrong = from->all.wrong,
                                 .human = from->all.human,
                                 .fade = from->fade};
        for (size_t f = 0; f < RECORD_FIELDS; f++) {
            w->rows[i].key[f] = at;
            at += strcspn(at, "\t");
            *at++ = '\0';
        }
    }
    for (size_t i = 0; i < table->voice_count; i++) {
        const vl_vote_calibration *c = &table->voices[i].calibration;
        w->calibrations[i] =
            (vl_weight_calibration){table->voices[i].name, c->slope, c->offset, c->base};
    }
    *weights = (vl_weights){w->rows, table->row_count, w->calibrations, table->voice_count};
    return VL_OK;
}

typedef vl_status (*store_change)(vl_db *db, const vl_weights *weights,
                                  vl_weights_change *change, vl_error *error);

static vl_status send(vl_db *db, const record_table *table, store_change send_to,
                      vl_weights_change *change, vl_error *error) {
    written w = {0};
    vl_weights weights;
    vl_status status = write_down(table, &w, &weights, error);
    if (!status)
        status = send_to(db, &weights, change, error);
    written_free(&w);
    return status;
}

/* With store_mutex held. Nobody else's change: memory is as the store is. */
static void note_change(vl_record *record, const vl_weights_change *change) {
    if (change->before == record->mark)
        record->mark = change->after;
}

/* With store_mutex held. */
static vl_status add_taken(vl_record *record, const record_table *taken, vl_error *error) {
    vl_weights_change change;
    if (!taken->row_count && !taken->voice_count)
        return VL_OK;
    vl_status status = send(record->db, taken, vl_weights_merge, &change, error);
    if (!status) {
        note_change(record, &change);
        return VL_OK;
    }
    pthread_mutex_lock(&record->mutex);
    give_back(taken, &record->table);
    pthread_mutex_unlock(&record->mutex);
    return status;
}

vl_status vl_record_flush(vl_record *record, vl_error *error) {
    record_table taken = {0};
    if (!record->db)
        return VL_OK;
    pthread_mutex_lock(&record->store_mutex);
    pthread_mutex_lock(&record->mutex);
    take_fresh(&record->table, &taken);
    pthread_mutex_unlock(&record->mutex);
    vl_status status = add_taken(record, &taken, error);
    vl_status seen = status ? VL_OK : look(record, error);
    if (!taken.row_count && !taken.voice_count) /* else it is flushed, whatever was seen */
        status = seen;
    pthread_mutex_unlock(&record->store_mutex);
    record_table_free(&taken);
    return status;
}

/* ---- forgetting and replacing ----------------------------------------------------------- */

/* "tesseract" and "tesseract/…" are the voice "tesseract". */
static bool is_voice(const char *key, const char *voice) {
    size_t bytes = voice ? strlen(voice) : 0;
    return !voice ||
           (!strncmp(key, voice, bytes) && strchr("/\t", key[bytes])); /* or the end */
}

/* Returns how many rows and calibrations went. */
static size_t forget(record_table *table, const char *voice) {
    size_t before = table->row_count + table->voice_count, kept = 0;
    for (size_t i = 0; i < table->row_count; i++)
        if (is_voice(table->rows[i].key, voice))
            free(table->rows[i].key);
        else
            table->rows[kept++] = table->rows[i];
    table->row_count = kept;
    kept = 0;
    for (size_t i = 0; i < table->voice_count; i++)
        if (!is_voice(table->voices[i].name, voice))
            table->voices[kept++] = table->voices[i];
    table->voice_count = kept;
    return before - table->row_count - table->voice_count;
}

size_t vl_record_forget(vl_record *record, const char *voice) {
    pthread_mutex_lock(&record->store_mutex);
    pthread_mutex_lock(&record->mutex);
    size_t removed = forget(&record->table, voice);
    pthread_mutex_unlock(&record->mutex);
    if (record->db)
        look(record, NULL); /* or the next look does */
    pthread_mutex_unlock(&record->store_mutex);
    return removed;
}

vl_status vl_record_reset(vl_record *record, const char *voice, size_t *removed,
                          vl_error *error) {
    vl_weights_change change = {0};
    vl_status status = vl_record_flush(record, error); /* so that all of it is counted */
    if (!status && record->db)
        status = vl_weights_reset(record->db, voice, &change, error);
    if (status)
        return status;
    size_t here = vl_record_forget(record, voice);
    if (removed)
        *removed = record->db ? (size_t)change.removed : here;
    return VL_OK;
}

vl_status vl_record_import(vl_record *record, const void *json, size_t bytes, vl_error *error) {
    record_table table;
    vl_weights_change change = {0};
    vl_status status = record_table_parse(json, bytes, &table, error);
    if (status)
        return status;
    pthread_mutex_lock(&record->store_mutex);
    if (record->db)
        status = send(record->db, &table, vl_weights_replace, &change, error);
    if (!status) {
        pthread_mutex_lock(&record->mutex);
        record_table before = record->table;
        record->table = table;
        record->mark = change.after;
        table = before;
        pthread_mutex_unlock(&record->mutex);
    }
    pthread_mutex_unlock(&record->store_mutex);
    record_table_free(&table);
    return status;
}
