/* driver.c — replays a fuzz corpus, and cheap mutations of it, where libFuzzer is not there.
 *
 * usage: fuzz_X CORPUS_DIR; every file is run whole, truncated at several lengths, and with
 * single bytes flipped from a fixed seed, so a run always does the same work. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TRUNCATIONS = 16, FLIPS = 64, MAX_FILE = 1 << 20 };

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* A heap copy of exactly `size` bytes, so that a sanitizer sees every over-read. */
static void run_copy(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_mutations(uint8_t *data, size_t size, uint32_t seed) {
    run_copy(data, size);
    for (size_t i = 0; i < TRUNCATIONS; i++)
        run_copy(data, size * i / TRUNCATIONS);
    for (size_t i = 0; size && i < FLIPS; i++) {
        size_t at = next_random(&seed) % size;
        uint8_t old = data[at];
        data[at] = (uint8_t)next_random(&seed);
        run_copy(data, size);
        data[at] = old;
    }
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS_DIR\n", argv[0]);
        return 2;
    }
    DIR *dir = opendir(argv[1]);
    if (!dir) {
        fprintf(stderr, "%s: no corpus at %s\n", argv[0], argv[1]);
        return 1;
    }
    static uint8_t data[MAX_FILE];
    size_t files = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        FILE *file = fopen(path, "rb");
        if (!file)
            continue;
        size_t size = fread(data, 1, sizeof data, file);
        fclose(file);
        run_mutations(data, size, (uint32_t)size);
        files++;
    }
    closedir(dir);
    printf("%zu corpus files\n", files);
    return files ? 0 : 1;
}
