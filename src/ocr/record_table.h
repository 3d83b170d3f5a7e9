/* record_table.h — the inside of a track record: its rows, and how they are written down. */
#ifndef VL_OCR_RECORD_TABLE_H
#define VL_OCR_RECORD_TABLE_H

#include "ocr/record.h"

#include <pthread.h>

enum { RECORD_FIELDS = 5, RECORD_KEY_BYTES = RECORD_FIELDS * VL_RECORD_MAX_FIELD + 1 };
extern const char *const record_field_names[RECORD_FIELDS]; /* "voice", "script", … */

/* Clusters; `human`: how many of them by correction. */
typedef struct record_counts {
    double right, wrong, human;
} record_counts;
/* `to` fades, and `more` comes to it. */
void record_counts_add(record_counts *to, const record_counts *more, double fade);

typedef struct record_row {
    char *key;           /* the fields with '\t' after each */
    record_counts all;   /* what is known, with what was learned since the last flush */
    record_counts fresh; /* what was learned since */
    double fade;         /* what the counts of the last flush were multiplied by since */
} record_row;

typedef struct record_voice {
    char name[VL_RECORD_MAX_FIELD];
    vl_vote_calibration calibration;
    bool fresh;
} record_voice;

/* Both sorted by name; heap memory. */
typedef struct record_table {
    record_row *rows;
    size_t row_count, row_capacity;
    record_voice *voices;
    size_t voice_count, voice_capacity;
} record_table;

void record_table_free(record_table *table);
/* The row of `key`, or NULL. */
record_row *record_find(const record_table *table, const char *key);
/* As record_find, made empty when it is not there: of a full table the row with the least
 * evidence goes. NULL: no memory. */
record_row *record_touch(record_table *table, const char *key);
record_voice *record_find_voice(const record_table *table, const char *name);
record_voice *record_touch_voice(record_table *table, const char *name);
/* VL_ERR_INPUT: a field that may not stand in a key. `out`: the first `fields` of them. */
vl_status record_key_make(const vl_record_key *key, size_t fields, char out[RECORD_KEY_BYTES],
                          vl_error *error);

/* VL_ERR_INPUT: no name of a voice, or out of range. */
vl_status record_calibration_check(const char *voice, const vl_vote_calibration *calibration,
                                   vl_error *error);

struct vl_record {
    vl_record_options options;
    pthread_mutex_t mutex; /* over `table` */
    record_table table;
    const vl_record *base;
    /* Held by whoever talks to the database, which may take long; taken before `mutex`, which
     * is not held meanwhile. */
    pthread_mutex_t store_mutex;
    vl_db *db;    /* NULL: in memory only */
    int64_t mark; /* of what `table` was last read from; under store_mutex */
};

vl_status record_table_parse(const void *json, size_t bytes, record_table *table,
                             vl_error *error);
vl_status record_table_write(const record_table *table, vl_buf *out, vl_error *error);

#endif
