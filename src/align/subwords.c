/* subwords.c — the character n-grams of a word (subwords.h). */
#include "align/subwords.h"

#include <string.h>

/* fastText hashes chars as they come, and those of its platforms are signed. */
static uint32_t hash_byte(uint32_t hash, char byte) {
    int32_t extended = (int8_t)byte;
    return (hash ^ (uint32_t)extended) * 16777619u;
}

/* Byte `at` of '<' + word + '>'. */
static char padded(const char *word, size_t bytes, size_t at) {
    return !at ? '<' : at <= bytes ? word[at - 1] : '>';
}

static int is_inside(char byte) { /* a character, that is not its first byte */
    return (byte & 0xC0) == 0x80;
}

size_t align_subwords_each(const align_subwords *how, const char *word, size_t bytes,
                           align_subword_fn visit, void *user) {
    size_t end = bytes + 2, count = 0;
    if (!how->buckets || (bytes == 4 && !memcmp(word, "</s>", 4)))
        return 0;
    for (size_t from = 0; from < end; from++) {
        if (is_inside(padded(word, bytes, from)))
            continue;
        uint32_t hash = 2166136261u;
        for (size_t at = from, n = 1; at < end && n <= how->maxn; n++) {
            do
                hash = hash_byte(hash, padded(word, bytes, at++));
            while (at < end && is_inside(padded(word, bytes, at)));
            if (n < how->minn || (n == 1 && (!from || at == end)))
                continue;
            visit(hash % how->buckets, user);
            count++;
        }
    }
    return count;
}
