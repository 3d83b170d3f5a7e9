/* bpe_words.h — what the tokenizer and its trainer share: how text is cut into words, and how
 * a tokenizer is put together (include/vislang/text.h says what a word is). */
#ifndef VL_TEXT_BPE_WORDS_H
#define VL_TEXT_BPE_WORDS_H

#include <vislang/text.h>

/* Length of the first word of `text[0..bytes)`: 1 … VL_BPE_WORD_BYTES, or 0 when `bytes` is 0.
 */
size_t vl_bpe_word(const char *text, size_t bytes);

/* One merge: these two ids, side by side in a word, become the merge's own. */
typedef struct vl_bpe_merge {
    uint16_t left, right;
} vl_bpe_merge;

/* An empty tokenizer of `specials` names; `error` says which name cannot be. */
vl_status vl_bpe_new(const char *const *specials, size_t count, vl_bpe **bpe, vl_error *error);
/* May `left` and `right` become a token? VL_ERR_INPUT: an id that there is not, a special, a
 * text that another id stands for, or one longer than a word. VL_ERR_LIMIT: VL_BPE_MAX_TOKENS
 * ids are there. */
vl_status vl_bpe_check(const vl_bpe *bpe, uint32_t left, uint32_t right, vl_error *error);
/* Makes them one, its id the next. Fails as vl_bpe_check does, or for want of memory. */
vl_status vl_bpe_add(vl_bpe *bpe, uint32_t left, uint32_t right, vl_error *error);

#endif
