/* instruct.h — instructions and responses made of one base item.
 *
 * A response is words of the document, of its counterpart in another language, or a label that
 * the document or its record is certain of; words of ours only stand around them. Nothing is
 * made up and nothing is translated. The instruction is in the language of the text where there
 * are phrases in it (phrases.h), and in target languages where the response is in that language
 * too or in none (numbers, text that is read out, names that CLDR has in every language).
 *
 * Thread-safe. */
#ifndef VL_DATASET_INSTRUCT_H
#define VL_DATASET_INSTRUCT_H

#include "dataset/phrases.h"

struct pair; /* pairs.h; its origin says what the text is to the picture */

/* What examples are made of: one base item. */
typedef struct instruct_subject {
    const vl_parts *parts;
    size_t part;             /* picture, or the first part of the passage; VL_PART_NONE: none */
    size_t end;              /* behind the passage's last part; 0: it has one */
    const struct pair *pair; /* NULL: a passage */
    const char *text, *language, *script;
    /* The same text in other languages, where it exists: [aligned_count] each. */
    const char *const *aligned, *const *aligned_languages, *const *aligned_origins;
    size_t aligned_count;
    bool has_region;
    vl_box region;         /* of the page's picture the passage stands in */
    const vl_parts *older; /* an older state of the document, or NULL */
    const char *crisis; /* as the record's own metadata says: "flood", "FL-2024-…"; or NULL */
    bool has_picture;   /* else the instruction brings the text that it is about */
} instruct_subject;

typedef struct instruct_options {
    const char *style; /* "natural" (NULL too), "terse", "form" */
    unsigned kinds;    /* 1 << vl_item_kind */
    const char *const *target_languages;
    size_t target_count;
    unsigned most; /* examples of one subject */
    uint64_t seed;
} instruct_options;
/* Natural, of all kinds, no target languages, at most 8, seed 0. */
instruct_options instruct_options_default(void);

typedef struct example {
    vl_item_kind kind;
    const char *instruction, *text; /* and the response */
    const char *instruction_language, *language;
    const char *origin; /* as vl_item's */
    const char *phrase; /* "eng.question.cell.natural.2" */
    bool has_region;
    vl_box region;
} example;

/* At most `options->most` examples, evenly of all kinds and topics that the subject has
 * something for. The same for the same subject and options; in the arena, as far as they are
 * not the subject's own. VL_ERR_USAGE: an unknown style; VL_ERR_MEMORY. */
vl_status instruct_examples(const phrases *served, const instruct_subject *subject,
                            const instruct_options *options, vl_arena *arena,
                            example **examples, size_t *count, vl_error *error);

#endif
