/* Any bytes behind the magic number of a .bin file: what is read can be asked, written, and
 * read back. */
#include <vislang/align.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const vl_embeddings *e) {
    for (size_t i = 0; i < vl_embeddings_count(e); i++) {
        if (vl_embeddings_find(e, vl_embeddings_word(e, i)) != i)
            abort();
        for (uint32_t d = 0; d < vl_embeddings_dim(e); d++)
            if (!isfinite(vl_embeddings_row(e, i)[d]))
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[32], written[] = "/tmp/vislang-fuzz-XXXXXX";
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    vl_embeddings *e, *back;
    if (fd < 0 || write(fd, "\xBA\x16\x4F\x2F", 4) != 4 ||
        write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!vl_embeddings_read(path, 0, &e, NULL)) {
        ask(e);
        float *row = malloc(vl_embeddings_dim(e) * sizeof *row);
        vl_embeddings_of(e, "unknown", row, NULL);
        free(row);
        close(mkstemp(written));
        if (vl_embeddings_write_bin(e, written, NULL) ||
            vl_embeddings_read(written, 0, &back, NULL))
            abort();
        unlink(written);
        if (vl_embeddings_count(back) != vl_embeddings_count(e))
            abort();
        vl_embeddings_free(back);
        vl_embeddings_free(e);
    }
    close(fd);
    return 0;
}
