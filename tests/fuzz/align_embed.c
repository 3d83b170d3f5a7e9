/* Any bytes as text to train on, the first one choosing how words are cut: what is counted adds
 * up, and every sentence and chunk ends where it should. */
#include "align/embed.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds)
        abort();
}

static void check(const embed_corpus *c) {
    uint64_t kept = 0, counted = 0;
    size_t sentence = 0, words = vl_embeddings_count(c->words);
    for (size_t i = 0; i < c->count; i++) {
        if (c->ids[i] != EMBED_END) {
            must(c->ids[i] < words && ++sentence <= EMBED_MAX_SENTENCE);
            continue;
        }
        must(sentence >= 2);
        kept += sentence;
        sentence = 0;
    }
    for (size_t i = 0; i < words; i++)
        counted += vl_embeddings_frequency(c->words, i);
    must(!sentence && kept == c->kept && kept <= counted && counted <= c->seen);
    must(c->chunks[0] == 0 && c->chunks[c->chunk_count] == c->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[32];
    const char *const paths[] = {path};
    vl_embed_options options = vl_embed_options_default();
    embed_corpus corpus;
    if (!size)
        return 0;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)(size - 1));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    options.tokens = data[0] & 1 ? VL_EMBED_SPACES : VL_EMBED_WORDS;
    options.min_count = 1 + (data[0] >> 1) % 3;
    if (!embed_corpus_read(&options, paths, 1, 16 + (data[0] >> 4), &corpus, NULL)) {
        check(&corpus);
        embed_corpus_deinit(&corpus);
    }
    close(fd);
    return 0;
}
