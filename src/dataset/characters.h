/* characters.h — what single characters and runs of them tell about a text being text; shared
 * by those who judge PDF files (pdf_rubbish.c) and passages (readability.c). Thread-safe. */
#ifndef VL_DATASET_CHARACTERS_H
#define VL_DATASET_CHARACTERS_H

#include <vislang/text.h>

#include <unicode/uchar.h>
#include <unicode/uscript.h>

/* None that a text has: private use, unassigned, control, U+FFFD, half a surrogate. */
bool character_is_impossible(UChar32 c);
/* Its script, where those that are written in one word are one: Japanese and Korean are Han,
 * and what takes the script of its neighbours is Common. */
UScriptCode character_script(UChar32 c);
/* Nats a symbol, as a line of `language`; 0 for an empty text. `text` is NFC. */
double characters_surprise(const vl_ngram_language *language, const char *text);
/* The model of a language by the code that it goes by here (vl_lang_code); NULL: there is none,
 * or no `ngram`. */
const vl_ngram_language *characters_language(const vl_ngram *ngram, const char *code);

#endif
