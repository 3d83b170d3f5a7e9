/* engines.c — how fast Tesseract and reader read the same lines, on one thread:
 * `bench_reader_engines PACK PICTURE…`, each picture one line. With `--model FILE` before them
 * that model instead of models/reader.gguf.
 *
 * Both get the picture that `vislang ocr` would give them, one line at a time. Times are of the
 * process's own processor time, the sum over lines of the best of several passes. */
#include "ocr/packs.h"
#include "ocr/picture.h"

#include <leptonica/allheaders.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PASSES = 5, LINES_MAX = 64, ARENA = 256 << 20 };

typedef struct line {
    vl_ocr_picture picture;
    double best; /* milliseconds */
} line;

static double processor_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static vl_status load(const char *path, vl_arena *arena, line *out, vl_error *error) {
    vl_media_limits limits = vl_media_limits_default();
    vl_image *image = NULL;
    vl_buf bytes;
    vl_buf_init(&bytes, limits.max_bytes);
    vl_status status = vl_file_read(path, limits.max_bytes, &bytes, error);
    if (!status)
        status = vl_document_first(bytes.data, bytes.len, &limits, &image, error);
    if (!status)
        status = vl_ocr_picture_init(&out->picture, image, 0, true, 0, arena, error);
    vl_image_free(image);
    vl_buf_deinit(&bytes);
    return status;
}

/* The best of several passes over each line; `characters` receives how many were read. */
static vl_status measure(const vl_engine *engine, void *state, const char *pack, line *lines,
                         size_t count, size_t *characters, vl_error *error) {
    vl_arena *arena = vl_arena_new(ARENA);
    vl_status status = arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory");
    for (size_t i = 0; i < count; i++)
        lines[i].best = 1e30;
    for (size_t pass = 0; pass < PASSES && !status; pass++) {
        *characters = 0;
        for (size_t i = 0; i < count && !status; i++) {
            vl_engine_reading reading;
            vl_engine_request request = {.picture = lines[i].picture.work,
                                         .dpi = lines[i].picture.work_dpi,
                                         .packs = pack,
                                         .mode = VL_ENGINE_LINE,
                                         .dark_on_light = true,
                                         .arena = arena};
            vl_arena_reset(arena);
            double start = processor_ms();
            status = engine->read(state, &request, &reading, error);
            double took = processor_ms() - start;
            lines[i].best = took < lines[i].best ? took : lines[i].best;
            *characters += status ? 0 : reading.characters;
        }
    }
    vl_arena_free(arena);
    return status;
}

static double sum_of(const line *lines, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += lines[i].best;
    return sum;
}

static vl_status run(const char *model, const char *pack, line *lines, size_t count,
                     vl_error *error) {
    const char *const where[] = {"/usr/share/tesseract-ocr/5/tessdata", model};
    const vl_engine *const engines[] = {&vl_engine_tesseract, &vl_engine_reader};
    double took[2] = {0};
    vl_status status = VL_OK;
    for (size_t e = 0; e < 2 && !status; e++) {
        void *state = NULL;
        size_t characters = 0;
        status = engines[e]->open(where[e], &state, error);
        if (!status && !engines[e]->can_read(state, pack))
            status = vl_fail(error, VL_ERR_UNSUPPORTED, "%s does not read %s", engines[e]->name,
                             pack);
        if (!status)
            status = measure(engines[e], state, pack, lines, count, &characters, error);
        took[e] = sum_of(lines, count);
        if (!status)
            printf("%-10s %-4s %4zu lines %6zu characters %9.2f ms a line %8.1f lines/s\n",
                   engines[e]->name, pack, count, characters, took[e] / (double)count,
                   1000 * (double)count / took[e]);
        engines[e]->close(state);
    }
    if (!status)
        printf("reader reads %.1f times as many\n", took[0] / took[1]);
    return status;
}

int main(int argc, char **argv) {
    static line lines[LINES_MAX];
    const char *model = NULL;
    vl_error error = {0};
    if (argc > 2 && !strcmp(argv[1], "--model")) {
        model = argv[2];
        argc -= 2;
        argv += 2;
    }
    if (argc < 3) {
        fprintf(stderr, "bench_reader_engines [--model FILE] PACK PICTURE…\n");
        return vl_status_exit_code(VL_ERR_USAGE);
    }
    vl_arena *arena = vl_arena_new(ARENA);
    vl_status status = arena ? VL_OK : vl_fail(&error, VL_ERR_MEMORY, "no memory");
    size_t count = 0;
    for (int i = 2; i < argc && count < LINES_MAX && !status; i++)
        status = load(argv[i], arena, &lines[count++], &error);
    if (!status)
        status = run(model, argv[1], lines, count, &error);
    if (status)
        fprintf(stderr, "%s\n", error.message);
    for (size_t i = 0; i < count; i++)
        vl_ocr_picture_deinit(&lines[i].picture);
    vl_arena_free(arena);
    return status ? vl_status_exit_code(status) : 0;
}
