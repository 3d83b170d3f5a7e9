/* voices.h — what is known of the engines before a machine has read its first page: how sure
 * each is of itself, how often right for a script and a language, and the constants of the
 * vote, fitted on transcribed lines by `vislang train voices` (docs/consensus.md).
 *
 * The file is JSON: {"format": "vislang voices", "version": 1, "options": {…}, "record": {…}},
 * the record as record.h writes it. */
#ifndef VL_OCR_VOICES_H
#define VL_OCR_VOICES_H

#include "ocr/record.h"

typedef struct vl_voices {
    vl_vote_options options; /* without a language model: that is a page's */
    vl_record *record;
} vl_voices;

/* `path` NULL: the bundled models/voices.json under vl_data_dir(). The caller calls
 * vl_voices_deinit, also after a failure. VL_ERR_MISSING: no such file; VL_ERR_INPUT: what is
 * wrong with it. `voices` holds the defaults and no record after either. */
vl_status vl_voices_open(const char *path, vl_voices *voices, vl_error *error);
vl_status vl_voices_parse(const char *json, size_t bytes, vl_voices *voices, vl_error *error);
vl_status vl_voices_write(const vl_voices *voices, vl_buf *out, vl_error *error);
void vl_voices_deinit(vl_voices *voices);

#endif
