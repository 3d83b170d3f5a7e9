/* record_shared.c — the track record as a program has it: one for all its readers, over what
 * ships (models/voices.json), kept in the store from time to time.
 *
 * Pages never wait for the database: whoever has a thread to spare calls vl_ocr_record_tend. */
#include "ocr/record_table.h"
#include "ocr/voices.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const int64_t SECOND = 1000000000, LOOK = SECOND, FLUSH = 10 * SECOND, REST = 5 * SECOND;

struct vl_ocr_record {
    vl_record *record;
    vl_voices voices;
    atomic_int_fast64_t next_ns; /* when it is due */
    atomic_bool tended;          /* by some thread, now */
    int64_t flush_ns;            /* of whoever tends it */
    bool waits;                  /* for the database, and it was said */
};

vl_status vl_ocr_record_setting(const vl_config *config, bool *kept, vl_error *error) {
    const char *text = vl_config_string(config, "ocr_record");
    *kept = !strcmp(text, "store");
    if (*kept || !strcmp(text, "none"))
        return VL_OK;
    if (!*text)
        return vl_fail(error, VL_ERR_USAGE, "ocr_record is store or none");
    return vl_fail(
        error, VL_ERR_USAGE,
        "ocr_record is store or none, and no file: with store, `vislang ocr --record "
        "import %s` takes over what an old file knows",
        text);
}

vl_status vl_ocr_record_open(vl_db *db, vl_ocr_record **record, vl_error *error) {
    vl_error none;
    *record = NULL;
    vl_ocr_record *r = calloc(1, sizeof *r);
    if (!r)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the track record");
    vl_status status = vl_record_open(db, NULL, &r->record, error);
    if (status) {
        free(r);
        return status;
    }
    /* Whoever votes says that there is none. */
    if (!vl_voices_open(NULL, &r->voices, &none))
        vl_record_set_base(r->record, r->voices.record);
    int64_t now = vl_clock_ns();
    atomic_init(&r->next_ns, now + LOOK);
    r->flush_ns = now + FLUSH;
    *record = r;
    return VL_OK;
}

vl_record *vl_ocr_record_inside(vl_ocr_record *record) {
    return record->record;
}

void vl_ocr_record_close(vl_ocr_record *record) {
    vl_error error;
    if (!record)
        return;
    if (vl_record_flush(record->record, &error))
        vl_log(VL_LOG_WARN, "what was learned of the engines is not kept",
               VL_F_STR("reason", error.message));
    vl_record_free(record->record);
    vl_voices_deinit(&record->voices);
    free(record);
}

/* ---- from time to time ------------------------------------------------------------------ */

bool vl_ocr_record_is_due(vl_ocr_record *record) {
    return vl_clock_ns() >= atomic_load(&record->next_ns);
}

/* Once when the database goes, once when it is back. */
static void tell(vl_ocr_record *r, vl_status status, const vl_error *error) {
    if (status && !r->waits)
        vl_log(VL_LOG_WARN, "what is learned of the engines waits in memory for the database",
               VL_F_STR("reason", error->message));
    else if (!status && r->waits)
        vl_log(VL_LOG_INFO, "what was learned of the engines is in the database",
               VL_F_STR("kind", vl_db_kind(r->record->db)));
    r->waits = status != VL_OK;
}

void vl_ocr_record_tend(vl_ocr_record *record) {
    vl_error error;
    if (!vl_ocr_record_is_due(record) || atomic_exchange(&record->tended, true))
        return;
    bool flushes = vl_clock_ns() >= record->flush_ns;
    vl_status status = flushes ? vl_record_flush(record->record, &error)
                               : vl_record_refresh(record->record, &error);
    tell(record, status, &error);
    int64_t now = vl_clock_ns();
    if (status)
        record->flush_ns = now; /* the next try is one */
    else if (flushes)
        record->flush_ns = now + FLUSH;
    atomic_store(&record->next_ns, now + (status ? REST : LOOK));
    atomic_store(&record->tended, false);
}

/* ---- what people do with it ------------------------------------------------------------- */

/* What others learned is shown if it can be had. */
vl_status vl_ocr_record_show(vl_ocr_record *record, vl_buf *table, vl_error *error) {
    vl_record_refresh(record->record, NULL);
    vl_record_show(record->record, table);
    return vl_buf_status(table, "the track record", error);
}

vl_status vl_ocr_record_export(vl_ocr_record *record, vl_buf *json, vl_error *error) {
    vl_record_refresh(record->record, NULL);
    return vl_record_export(record->record, json, error);
}

vl_status vl_ocr_record_reset(vl_ocr_record *record, const char *engine, size_t *removed,
                              vl_error *error) {
    vl_record_key key = {.voice = engine};
    vl_status status = engine ? vl_record_key_check(&key, error) : VL_OK;
    return status ? status : vl_record_reset(record->record, engine, removed, error);
}

vl_status vl_ocr_record_flush(vl_ocr_record *record, vl_error *error) {
    return vl_record_flush(record->record, error);
}

void vl_ocr_record_forget(vl_ocr_record *record, const char *engine) {
    vl_record_forget(record->record, engine);
}

vl_status vl_ocr_record_import(vl_ocr_record *record, const void *json, size_t bytes,
                               vl_error *error) {
    return vl_record_import(record->record, json, bytes, error);
}

/* By a record of its own, so that all of it is kept or nothing learned. */
vl_status vl_ocr_record_correct(vl_ocr_record *record, const void *json, size_t bytes,
                                vl_buf *report, vl_error *error) {
    vl_record *own;
    if (!record->record->db)
        return vl_record_correct_document(record->record, json, bytes, report, error);
    vl_status status = vl_record_open(record->record->db, NULL, &own, error);
    if (status)
        return status;
    status = vl_record_correct_document(own, json, bytes, report, error);
    if (!status)
        status = vl_record_flush(own, error);
    vl_record_free(own);
    if (!status)
        vl_record_refresh(record->record, NULL);
    return status;
}
