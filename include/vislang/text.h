/* text.h — Unicode, scripts, language identification, and the field's error rates.
 *
 * Strings are UTF-8. Thread-safety: everything here is read-only after loading. */
#ifndef VISLANG_TEXT_H
#define VISLANG_TEXT_H

#include <vislang/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Unicode -------------------------------------------------------------------- */

/* NFC, in the arena. Invalid UTF-8 becomes U+FFFD. NULL: arena full. */
char *vl_text_nfc(vl_arena *arena, const char *text);
/* NFC, runs of white space to one space, trimmed. */
char *vl_text_squeeze(vl_arena *arena, const char *text);
/* ISO 15924 code ("Latn", "Arab", "Ethi", …) of the script most letters belong to; "Zyyy"
 * when there is no letter. `share` (may be NULL): its part of the letters. Static storage. */
const char *vl_text_script(const char *text, double *share);
/* True when the first strong character runs from right to left (UAX #9, P2–P3). */
bool vl_text_is_rtl(const char *text);
/* Number of extended grapheme clusters (UAX #29). */
size_t vl_text_grapheme_count(const char *text);
/* Visual order (left to right, as an engine read the glyphs) to logical order, by UAX #9. */
char *vl_text_visual_to_logical(vl_arena *arena, const char *visual);

/* ---- metrics -------------------------------------------------------------------- */

/* Levenshtein distance over code points / over white-space separated words, after
 * vl_text_squeeze on both sides, and the reference's length: CER = edits / length. */
typedef struct vl_edit_count {
    uint64_t edits, length;
} vl_edit_count;
vl_status vl_text_cer(const char *hypothesis, const char *reference, vl_edit_count *count,
                      vl_error *error);
vl_status vl_text_wer(const char *hypothesis, const char *reference, vl_edit_count *count,
                      vl_error *error);

/* ---- language identification ------------------------------------------------------ */

#define VL_LANG_SIZE 12 /* ISO 639-3 code, "und" for unknown, NUL included */
typedef struct vl_lang_guess {
    char code[VL_LANG_SIZE];
    double probability; /* calibrated, over the languages of the model plus "und" */
} vl_lang_guess;
typedef struct vl_langid vl_langid;
/* `path` NULL: the bundled model (models/langid.bin under vl_data_dir()). */
vl_status vl_langid_open(const char *path, vl_langid **langid, vl_error *error);
void vl_langid_free(vl_langid *langid);
/* The `max` likeliest languages of `text`, best first; returns how many. Text without
 * letters, or too strange for every language, gives "und". */
size_t vl_langid_guess(const vl_langid *langid, const char *text, size_t max,
                       vl_lang_guess *guesses);
/* English name of an ISO 639-3 code ("Swahili"), or the code itself. Static storage. */
const char *vl_lang_name(const char *code);
/* Two-letter ISO 639-1 code where there is one ("sw"), else the code itself. */
const char *vl_lang_short(const char *code);

#ifdef __cplusplus
}
#endif
#endif
