/* subwords.h — the character n-grams of a word as fastText sees them (Bojanowski et al. 2017,
 * section 3.2): of '<' + word + '>', those of minn to maxn code points, the ends alone left
 * out, each hashed to one of `buckets` by FNV-1a of 32 bits over signed bytes. */
#ifndef ALIGN_SUBWORDS_H
#define ALIGN_SUBWORDS_H

#include <stddef.h>
#include <stdint.h>

enum { ALIGN_SUBWORDS_MAX_N = 64 };

typedef struct align_subwords {
    uint32_t minn, maxn, buckets; /* none where maxn or buckets is 0 */
} align_subwords;
typedef void (*align_subword_fn)(uint32_t bucket, void *user);
/* Calls `visit` for each, the same bucket as often as it comes; returns how many. `word` is
 * valid UTF-8; fastText's mark for the end of a line, "</s>", has none. */
size_t align_subwords_each(const align_subwords *how, const char *word, size_t bytes,
                           align_subword_fn visit, void *user);

#endif
