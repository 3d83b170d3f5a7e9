/* transcript.h — which stretch of a page's transcript stands in each of its printed lines.
 *
 * What an engine read of a line, mistakes and all, is looked for in the whole transcript
 * (approximate substring matching: Sellers 1980), so that missing, additional and reordered
 * lines do no harm; a stretch belongs to one line only. It may begin and end anywhere, but
 * dearly inside a word, and for nothing at a line break of the transcript, which is most often
 * one of the page. A line keeps its stretch only when it is sure where it begins and ends. */
#ifndef VL_DATASET_TRANSCRIPT_H
#define VL_DATASET_TRANSCRIPT_H

#include <vislang/text.h>

typedef struct transcript_line {
    const char *reading; /* UTF-8, NFC */
    const char *text;    /* out: what the transcript has there, one space between words, the
                            hyphen of a word cut at the line's end included; NULL: not sure */
    double cer;          /* out: of the reading, against `text` */
} transcript_line;

typedef struct transcript_rules {
    double most_wrong; /* a reading with a higher CER is no evidence */
    bool has_case;     /* false: the transcript is in capitals whatever the page has; letters
                          take the case of the reading */
} transcript_rules;
transcript_rules transcript_rules_default(void); /* 0.35, true */

/* Fills `text` (in the arena) and `cer` of `lines`. VL_ERR_MEMORY. */
vl_status transcript_place(vl_arena *arena, const char *transcript,
                           const transcript_rules *rules, transcript_line *lines, size_t count,
                           vl_error *error);

#endif
