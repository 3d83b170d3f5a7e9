/* samples.h — pictures and what is known of them, from a folder or from tar shards.
 *
 * A folder is a HuggingFace imagefolder: pictures and a metadata.jsonl, a line a picture with
 * "file_name". A tar is WebDataset: `key.jpg` (png, webp) and `key.json` beside each other; a
 * path that ends in .tar, or a folder that holds tars. Keys read, all optional:
 *   "captions": {"en": ["…"], …}          "labels": {"scene": "fire", …}
 *   "qa": [{"question", "answer": ["…"]}]  "statements": [{"statement", "true"}]
 *   "derived_qa", "derived_statements": the same, made by templates.
 *   "text": what a picture of a line says; "script", "language", "font" beside it are labels.
 *
 * Ownership: everything lives in the set until samples_free. Thread-safety: read-only once
 * opened. */
#ifndef TRAIN_SAMPLES_H
#define TRAIN_SAMPLES_H

#include <vislang/base.h>

typedef struct sample_text {
    const char *language; /* captions */
    const char *text;     /* caption, question or statement */
    const char *answer;   /* questions */
    bool truth;           /* statements */
} sample_text;

typedef struct sample_texts {
    sample_text *items;
    size_t count;
} sample_texts;

typedef struct sample_label {
    const char *set, *label;
} sample_label;

typedef struct sample {
    const char *name;            /* for messages: file name or tar key */
    size_t shard, offset, bytes; /* in a tar; bytes 0: a file of its own */
    sample_texts captions, questions, statements, derived_questions, derived_statements;
    const char *text; /* of a line; NULL: none */
    sample_label *labels;
    size_t label_count;
} sample;

typedef struct samples samples;
/* VL_ERR_MISSING: nothing there; VL_ERR_INPUT: metadata that cannot be read (with its line). A
 * picture that is named and not there is counted in `missing` and left out. */
vl_status samples_open(const char *path, samples **set, vl_error *error);
void samples_free(samples *set);
size_t samples_count(const samples *set);
size_t samples_missing(const samples *set);
/* The label that a sample has of a set, or NULL. */
const char *samples_label(const sample *sample, const char *set);
const sample *samples_at(const samples *set, size_t index);
/* The picture's bytes; the caller inits and deinits `bytes`. */
vl_status samples_read(const samples *set, size_t index, vl_buf *bytes, vl_error *error);

#endif
