/* privacy.c — how long it takes to look for personal data and to take it out.
 *
 * bench_privacy FILE…: of each text, gzipped or not, the first 3 MB in pieces of a kilobyte.
 * One line a file: pieces, and milliseconds of processor time a piece for the finder of
 * personal data, the finder of coordinates, and a document of one paragraph cleaned by
 * replacing and by removing; how many pieces were changed. */
#include "dataset/privacy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

enum { BYTES_MAX = 3000000, PIECE = 1024, ARENA_MAX = 256 << 20 };

static _Noreturn void give_up(const char *what) {
    fprintf(stderr, "bench_privacy: %s\n", what);
    exit(1);
}

static double cpu_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

typedef size_t (*look_fn)(vl_arena *arena, const char *text);

static size_t find_personal(vl_arena *arena, const char *text) {
    vl_personal *found;
    size_t count = 0;
    if (vl_personal_find(arena, text, &found, &count, NULL))
        give_up("the finder failed");
    return count;
}

static size_t find_coordinates(vl_arena *arena, const char *text) {
    coordinate *found;
    size_t count = 0;
    if (coordinates_find(arena, text, &found, &count, NULL))
        give_up("the finder failed");
    return count;
}

static size_t clean(vl_arena *arena, const char *text, privacy_action action) {
    vl_part part = {.kind = VL_PART_PARAGRAPH, .text = text, .language = "und"};
    vl_parts parts = {.title = "", .parts = &part, .part_count = 1};
    privacy_options options = {action, 2};
    privacy_found *found;
    if (privacy_clean_parts(&parts, &options, NULL, arena, &found, NULL))
        give_up("cleaning failed");
    return found->changed;
}

static size_t replace(vl_arena *arena, const char *text) {
    return clean(arena, text, PRIVACY_REPLACE);
}

static size_t remove_all(vl_arena *arena, const char *text) {
    return clean(arena, text, PRIVACY_REMOVE);
}

/* Milliseconds a piece; *sum: what `look` returned, of all. */
static double measure(const vl_buf *text, look_fn look, vl_arena *arena, size_t *pieces,
                      size_t *sum) {
    double ms = 0;
    *pieces = *sum = 0;
    for (size_t at = 0, bytes; at < text->len; at += bytes, ++*pieces) {
        vl_arena_reset(arena);
        bytes = text->len - at < PIECE ? text->len - at : PIECE;
        while (at + bytes < text->len && ((unsigned char)text->data[at + bytes] & 0xC0) == 0x80)
            bytes--;
        const char *piece = vl_arena_strndup(arena, text->data + at, bytes);
        if (!piece)
            give_up("no memory");
        double start = cpu_ms();
        *sum += look(arena, piece);
        ms += cpu_ms() - start;
    }
    return *pieces ? ms / (double)*pieces : 0;
}

static void read_text(const char *path, vl_buf *text) {
    char chunk[1 << 16];
    int count = 0;
    gzFile file = gzopen(path, "rb");
    while (file && text->len < BYTES_MAX && (count = gzread(file, chunk, sizeof chunk)) > 0)
        vl_buf_append(text, chunk, (size_t)count);
    if (!file || count < 0 || !text->len)
        give_up(path);
    gzclose(file);
}

int main(int argc, char **argv) {
    static const look_fn looks[] = {find_personal, find_coordinates, replace, remove_all};
    vl_arena *arena = vl_arena_new(ARENA_MAX);
    if (argc < 2 || !arena)
        give_up("usage: bench_privacy FILE…");
    puts("file                              pieces  personal  coordinates  replace  remove  "
         "changed");
    for (int i = 1; i < argc; i++) {
        vl_buf text;
        size_t pieces, sum;
        double ms[4];
        vl_buf_init(&text, 2 * BYTES_MAX);
        read_text(argv[i], &text);
        for (size_t k = 0; k < 4; k++)
            ms[k] = measure(&text, looks[k], arena, &pieces, &sum);
        const char *name = strrchr(argv[i], '/');
        printf("%-32s %7zu    %.4f       %.4f   %.4f  %.4f  %7zu\n", name ? name + 1 : argv[i],
               pieces, ms[0], ms[1], ms[2], ms[3], sum);
        vl_buf_deinit(&text);
    }
    vl_arena_free(arena);
    return 0;
}
