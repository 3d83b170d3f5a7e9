/* Any bytes as the file of a space: what opens is asked for meanings, vectors, rows of
 * sentences and searches. */
#include <vislang/align.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const sentences[] = {"maji nyumbani 12", "water for schools", "ቤት", ""};
enum { SENTENCES = sizeof sentences / sizeof *sentences };

static void search(const vl_space *space, const char *language) {
    vl_bank *bank;
    vl_bank_hit hits[2];
    size_t count;
    if (vl_bank_new(space, language, sentences, SENTENCES, &bank, NULL))
        abort();
    if (vl_bank_search(bank, vl_space_language(space, 0), sentences[1], 2, hits, &count,
                       NULL) ||
        count > 2)
        abort();
    for (size_t i = 0; i < count; i++)
        if (hits[i].sentence >= SENTENCES || !(hits[i].score > 0))
            abort();
    vl_bank_free(bank);
}

static void ask(const vl_space *space, const char *language) {
    vl_embeddings *e;
    vl_gloss gloss[4];
    vl_space_gloss(space, language, "maji", gloss, 4);
    vl_space_gloss(space, language, "nyumbani", gloss, 4);
    if (vl_space_vectors(space, language, &e, NULL))
        return;
    for (size_t i = 0; i < vl_embeddings_count(e) * vl_embeddings_dim(e); i++)
        if (!isfinite(vl_embeddings_row(e, 0)[i]))
            abort();
    vl_embeddings_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[32];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    vl_space *space;
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!vl_space_open(path, &space, NULL)) {
        for (size_t i = 0; i < vl_space_count(space) && i < 4; i++)
            ask(space, vl_space_language(space, i));
        search(space, vl_space_language(space, vl_space_count(space) - 1));
        vl_space_free(space);
    }
    close(fd);
    return 0;
}
