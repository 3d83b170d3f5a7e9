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

enum { TESSERACT, READER, ENGINES };

typedef struct line {
    vl_ocr_picture picture;
    double best[ENGINES]; /* milliseconds */
} line;

typedef struct voice {
    const vl_engine *engine;
    const char *where;
    void *state;
    size_t characters; /* read in the last pass */
} voice;

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

static vl_status voice_open(voice *v, const char *pack, vl_error *error) {
    vl_status status = v->engine->open(v->where, &v->state, error);
    if (!status && !v->engine->can_read(v->state, pack))
        status =
            vl_fail(error, VL_ERR_UNSUPPORTED, "%s does not read %s", v->engine->name, pack);
    return status;
}

static vl_status read_once(voice *v, const char *pack, const line *l, vl_arena *arena,
                           double *best, vl_error *error) {
    vl_engine_reading reading;
    vl_engine_request request = {.picture = l->picture.work,
                                 .dpi = l->picture.work_dpi,
                                 .packs = pack,
                                 .mode = VL_ENGINE_LINE,
                                 .dark_on_light = true,
                                 .arena = arena};
    vl_arena_reset(arena);
    double start = processor_ms();
    vl_status status = v->engine->read(v->state, &request, &reading, error);
    double took = processor_ms() - start;
    *best = took < *best ? took : *best;
    v->characters += status ? 0 : reading.characters;
    return status;
}

/* The best of several passes over each line, both engines in turn: what slows the machine
 * down slows both. */
static vl_status measure(voice voices[ENGINES], const char *pack, line *lines, size_t count,
                         vl_error *error) {
    vl_arena *arena = vl_arena_new(ARENA);
    vl_status status = arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory");
    for (size_t i = 0; i < count; i++)
        lines[i].best[TESSERACT] = lines[i].best[READER] = 1e30;
    for (size_t pass = 0; pass < PASSES && !status; pass++) {
        for (size_t e = 0; e < ENGINES; e++) {
            voices[e].characters = 0;
            for (size_t i = 0; i < count && !status; i++)
                status =
                    read_once(&voices[e], pack, &lines[i], arena, &lines[i].best[e], error);
        }
    }
    vl_arena_free(arena);
    return status;
}

static double sum_of(const line *lines, size_t count, size_t engine) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += lines[i].best[engine];
    return sum;
}

static vl_status run(const char *model, const char *pack, line *lines, size_t count,
                     vl_error *error) {
    voice voices[ENGINES] = {
        {&vl_engine_tesseract, "/usr/share/tesseract-ocr/5/tessdata", 0, 0},
        {&vl_engine_reader, model, 0, 0}};
    double took[ENGINES];
    vl_status status = VL_OK;
    for (size_t e = 0; e < ENGINES && !status; e++)
        status = voice_open(&voices[e], pack, error);
    if (!status)
        status = measure(voices, pack, lines, count, error);
    for (size_t e = 0; e < ENGINES; e++) {
        took[e] = sum_of(lines, count, e);
        if (!status)
            printf("%-10s %-4s %4zu lines %6zu characters %9.2f ms a line %8.1f lines/s\n",
                   voices[e].engine->name, pack, count, voices[e].characters,
                   took[e] / (double)count, 1000 * (double)count / took[e]);
        voices[e].engine->close(voices[e].state);
    }
    if (!status)
        printf("reader reads %.1f times as many\n", took[TESSERACT] / took[READER]);
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
