/* romanise.h — a word in plain Latin letters, so that names written in different scripts look
 * alike, and its character n-grams. */
#ifndef VL_ALIGN_ROMANISE_H
#define VL_ALIGN_ROMANISE_H

#include <vislang/base.h>

enum { ALIGN_ROMAN_SIZE = 160 };
/* Reads rules of ICU: one of them for many words. One thread at a time. */
typedef struct align_romaniser align_romaniser;
vl_status align_romaniser_new(align_romaniser **romaniser, vl_error *error);
void align_romaniser_free(align_romaniser *romaniser);
/* `word` is folded (align_tokens). ICU's Any-Latin, then letters without their marks, and of
 * letters only a-z and digits; a long one is cut. Its length; 0 when nothing is left. */
size_t align_romanise(align_romaniser *romaniser, const char *word, char out[ALIGN_ROMAN_SIZE]);

/* Hashes of what a romanised word is made of, each with a weight: n-grams of 2 to 4 characters
 * of the word between two boundary marks; a number is one feature of its own. */
enum { ALIGN_GRAMS_MAX = 3 * ALIGN_ROMAN_SIZE };
size_t align_grams(const char *roman, size_t length, uint64_t grams[ALIGN_GRAMS_MAX]);

#endif
