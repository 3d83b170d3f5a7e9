/* read.c — how fast a reader reads lines of 48×800 pixels on one thread, by products of
 * floats or of 8-bit numbers, lines at once and beams: `bench_reader [MODEL.gguf]`. Without a
 * model, one of the default shape and random weights (q8_0, 1500 characters) is made; it says a
 * character at nearly every position, about twice as many as a line of print has, so what comes
 * after the network costs more than it would.
 *
 * Times are of the process's own processor time, the best of several passes. */
#include <vislang/model.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 800, LINES = 16, PASSES = 8, CHARACTERS = 1500 };

static double processor_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* A reader nobody trained, written to `path`. */
static vl_status make_model(const char *path, vl_error *error) {
    char text[CHARACTERS * 3];
    for (unsigned i = 0; i < CHARACTERS; i++) { /* from U+4E00: three bytes each */
        unsigned c = 0x4E00 + i;
        text[3 * i] = (char)(0xE0 | c >> 12);
        text[3 * i + 1] = (char)(0x80 | (c >> 6 & 0x3F));
        text[3 * i + 2] = (char)(0x80 | (c & 0x3F));
    }
    vl_reader_alphabet *alphabet = NULL;
    vl_reader_net *net = NULL;
    vl_params *params = vl_params_new();
    vl_reader_config config = vl_reader_config_default();
    vl_reader_facts facts = {"0", "none"};
    vl_status status = params ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory");
    if (!status)
        status = vl_reader_alphabet_new(text, sizeof text, &alphabet, error);
    if (!status) {
        config.symbols = (uint32_t)vl_reader_alphabet_size(alphabet);
        status = vl_reader_net_new(&config, params, &net, error);
    }
    if (!status)
        status = vl_params_allocate(params, 1, error);
    if (!status)
        status = vl_reader_write(path, net, params, alphabet, &facts, VL_Q8_0, error);
    vl_reader_alphabet_free(alphabet);
    vl_reader_net_free(net);
    vl_params_free(params);
    return status;
}

static vl_image *draw_line(unsigned seed) {
    vl_image *image = NULL;
    if (vl_image_new(WIDTH, VL_READER_HEIGHT, 1, &image, NULL))
        return NULL;
    memset(image->pixels, 240, image->stride * VL_READER_HEIGHT);
    for (unsigned i = 0; i < 3000; i++) {
        seed = seed * 1664525 + 1013904223;
        image->pixels[seed / 64 % (image->stride * VL_READER_HEIGHT)] = 20;
    }
    return image;
}

static vl_status measure(vl_reader_session *session, const vl_image *const *images,
                         size_t lines, uint32_t beams, bool exact, vl_error *error) {
    vl_reader_line out[LINES];
    vl_reader_how how = {.beams = beams, .alternatives = 3};
    vl_arena *arena = vl_arena_new((size_t)256 << 20);
    double best = 1e30;
    vl_reader_session_exact(session, exact);
    vl_status status = arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory");
    for (size_t pass = 0; pass < PASSES && !status; pass++) {
        vl_arena_reset(arena);
        double start = processor_ms();
        status = vl_reader_read(session, images, lines, &how, arena, out, error);
        double each = (processor_ms() - start) / (double)lines;
        best = each < best ? each : best;
    }
    if (!status)
        printf("%8s %7zu %6u %12.2f %12.1f %12zu\n", exact ? "floats" : "8 bits", lines, beams,
               best, 1000 / best, out[0].count);
    if (arena)
        vl_arena_free(arena);
    return status;
}

int main(int argc, char **argv) {
    char made[64];
    snprintf(made, sizeof made, "/tmp/vislang-bench-reader-%d.gguf", (int)getpid());
    vl_error error = {0};
    vl_reader *reader = NULL;
    vl_reader_session *session = NULL;
    vl_image *images[LINES] = {0};
    vl_status status = argc > 1 ? VL_OK : make_model(made, &error);
    if (!status)
        status = vl_reader_open(argc > 1 ? argv[1] : made, &reader, &error);
    unlink(made);
    if (!status && !(session = vl_reader_session_new(reader)))
        status = vl_fail(&error, VL_ERR_MEMORY, "no memory for a session");
    for (unsigned i = 0; i < LINES && !status; i++)
        if (!(images[i] = draw_line(i)))
            status = vl_fail(&error, VL_ERR_MEMORY, "no memory for a line");
    if (!status)
        printf("lines of 48x%d, %s, %s\n%8s %7s %6s %12s %12s %12s\n", WIDTH,
               vl_reader_format(reader), vl_kernels_get()->name, "products", "at once", "beams",
               "ms a line", "lines/s", "characters");
    static const struct {
        size_t at_once;
        uint32_t beams;
        bool exact;
    } rows[] = {{1, 1, true},  {16, 1, true},  {16, 8, true},
                {1, 1, false}, {16, 1, false}, {16, 8, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !status; i++)
        status = measure(session, (const vl_image *const *)images, rows[i].at_once,
                         rows[i].beams, rows[i].exact, &error);
    if (status)
        fprintf(stderr, "%s\n", error.message);
    for (unsigned i = 0; i < LINES; i++)
        vl_image_free(images[i]);
    vl_reader_session_free(session);
    vl_reader_free(reader);
    return status ? vl_status_exit_code(status) : 0;
}
