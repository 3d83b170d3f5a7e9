/* ngram_model.h — the file of the character models, shared by its reader (ngram.c) and its
 * trainer (src/train/chars.c).
 *
 * A header, a directory sorted by code, then each language's block, 4-byte aligned, all little
 * endian. Symbols are numbered: 0 any unknown one, 1 the end (and beginning) of a line, then
 * the language's code points in their order. N-grams are a trie, as KenLM keeps it (Heafield
 * 2011): the n-grams of one length lie in the order of their symbols, so those that continue
 * one (n-1)-gram lie side by side and need only their last symbol. A block is
 *
 *     uint32 points[symbols - 2]         ascending
 *     for each length n from 1 to order - 1:
 *         uint32 base[counts[n-1] / 64 + 1], uint16 low[counts[n-1] + 1], padded to 4:
 *             the n+1-grams that continue n-gram i are begin(i) … begin(i+1) - 1, where
 *             begin(i) = base[i / 64] + low[i]
 *     for each length n from 1 to order:
 *         uint8 or uint16 (id_bytes) last[counts[n-1]] (not for n = 1, where it is the index)
 *         uint8 p[counts[n-1]]           log P = -p · p_scale
 *         uint8 backoff[counts[n-1]]     log = backoff_least + backoff · backoff_scale; n <
 * order
 *
 * with the 16-bit arrays of `last` padded to begin at an even byte, and the block to 4. */
#ifndef VL_TEXT_NGRAM_MODEL_H
#define VL_TEXT_NGRAM_MODEL_H

#include <vislang/text.h>

enum {
    VL_NGRAM_VERSION = 1,
    VL_NGRAM_MAX_LANGUAGES = 256,
    VL_NGRAM_MAX_SYMBOLS = 1000, /* 64 n-grams have fewer continuations than 16 bits count */
    VL_NGRAM_UNKNOWN = 0,
    VL_NGRAM_EDGE = 1,
    VL_NGRAM_GROUP = 64,
};

typedef struct vl_ngram_header {
    char magic[8]; /* "VLCHARLM" */
    uint32_t version, languages;
    uint64_t bytes; /* of the file */
} vl_ngram_header;

typedef struct vl_ngram_entry {
    char code[VL_LANG_SIZE];
    uint32_t order, symbols, id_bytes;
    uint32_t counts[VL_NGRAM_MAX_ORDER];
    float p_scale, backoff_least, backoff_scale;
    uint64_t offset, bytes; /* of the block, from the file's beginning */
} vl_ngram_entry;

_Static_assert(sizeof(vl_ngram_header) == 24 && sizeof(vl_ngram_entry) == 80, "file layout");

/* Where the parts of a block lie, in bytes from its beginning; returns the block's size. */
typedef struct vl_ngram_layout {
    size_t points, base[VL_NGRAM_MAX_ORDER], low[VL_NGRAM_MAX_ORDER];
    size_t last[VL_NGRAM_MAX_ORDER], p[VL_NGRAM_MAX_ORDER], backoff[VL_NGRAM_MAX_ORDER];
} vl_ngram_layout;
size_t vl_ngram_lay_out(const vl_ngram_entry *entry, vl_ngram_layout *layout);

#endif
