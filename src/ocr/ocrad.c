/* ocrad.c — GNU Ocrad as an engine: Latin letters by their features, in some ten milliseconds
 * a page. The program runs in the sandbox and prints an ORF file (program.h). */
#include "ocr/packs.h"
#include "ocr/program.h"
#include "ocr/reading.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUT_MAX = 64 << 20, CHOICE_BYTES = 16 };

/* ---- ORF -------------------------------------------------------------------------------- */

/* Reads one guess "'c'" at `*at`, whose character may itself be a quote, and moves on. */
static bool take_guess(const char **at, char out[CHOICE_BYTES]) {
    const char *from = strchr(*at, '\'');
    const char *to = from && from[1] ? strchr(from + 2, '\'') : NULL;
    if (!to || to - from - 1 >= CHOICE_BYTES)
        return false;
    snprintf(out, CHOICE_BYTES, "%.*s", (int)(to - from - 1), from + 1);
    *at = to + 1 + strspn(to + 1, "-0123456789"); /* its rank, which the order says too */
    return true;
}

static bool is_blank(const char *text) {
    return text[strspn(text, " \t")] == '\0';
}

/* "x y w h; G, 'c'v, …" without its box. */
static void add_character(vl_reading_builder *b, vl_box box, const char *guesses) {
    char texts[VL_READING_CHOICES_MAX][CHOICE_BYTES];
    vl_engine_choice choices[VL_READING_CHOICES_MAX];
    long claimed = strtol(guesses, NULL, 10);
    size_t count = 0;
    while (count < VL_READING_CHOICES_MAX && (long)count < claimed &&
           take_guess(&guesses, texts[count]))
        count++;
    for (size_t i = 0; i < count; i++)
        choices[i] = (vl_engine_choice){texts[i], 1 / (double)count};
    if (count && is_blank(texts[0]))
        vl_reading_gap(b);
    else
        vl_reading_symbol(b, count ? texts[0] : "_", box, count ? 1 / (double)count : 0,
                          choices, count);
}

vl_status vl_ocrad_parse(const char *text, size_t bytes, vl_arena *arena, bool symbols,
                         vl_engine_reading *reading, vl_error *error) {
    vl_reading_builder b;
    vl_reading_init(&b, arena, symbols, reading);
    if (!bytes || !strstr(text, "Ocr Results File"))
        return vl_fail(error, VL_ERR_INPUT, "ocrad did not print an ORF file");
    while (text && *text) {
        const char *end = strchr(text, '\n');
        char *line = vl_arena_strndup(arena, text, end ? (size_t)(end - text) : strlen(text));
        int x, y, width, height, after = 0;
        unsigned number, characters;
        if (!line)
            return vl_fail(error, VL_ERR_MEMORY, "the page holds more text than its limit");
        if (sscanf(line, "%d %d %d %d;%n", &x, &y, &width, &height, &after) == 4 && after)
            add_character(&b, (vl_box){x, y, width, height}, line + after);
        else if (sscanf(line, "line %u chars %u", &number, &characters) == 2)
            characters ? vl_reading_line(&b) : vl_reading_paragraph(&b);
        else if (!strncmp(line, "text block ", 11))
            vl_reading_block(&b);
        text = end ? end + 1 : NULL;
    }
    return vl_reading_finish(&b, error);
}

/* ---- the engine ----------------------------------------------------------------------------
 */

static char version_text[32];

static void find_version(void) {
    vl_program_version("ocrad", "--version", version_text);
}

static const char *version(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_version);
    return version_text;
}

static vl_status engine_open(const char *where, void **state, vl_error *error) {
    (void)where;
    *state = NULL;
    return *version() ? VL_OK
                      : vl_fail(error, VL_ERR_MISSING,
                                "ocrad is not installed: apt-get install ocrad");
}

static void engine_close(void *state) {
    (void)state;
}

static bool can_read(void *state, const char *pack) {
    (void)state;
    return vl_program_reads_latin(pack);
}

static vl_status read_page(void *state, const vl_engine_request *request,
                           vl_engine_reading *reading, vl_error *error) {
    (void)state;
    bool columns = request->mode == VL_ENGINE_PAGE;
    const char *const argv[] = {"ocrad",
                                "--quiet",
                                "--format=utf8",
                                "--export=-",
                                columns ? "--layout" : "-",
                                columns ? "-" : NULL,
                                NULL};
    vl_buf out;
    vl_buf_init(&out, OUTPUT_MAX);
    vl_status status = vl_program_read(argv, request, &out, error);
    if (!status)
        status = vl_ocrad_parse(out.data ? out.data : "", out.len, request->arena,
                                request->symbols, reading, error);
    vl_buf_deinit(&out);
    return status;
}

const vl_engine vl_engine_ocrad = {
    .name = "ocrad",
    .family = "shapes",
    .scripts = "Latn",
    .thread_safe = true,
    .outside = true,
    .cost =
        0.05, /* 0.02 s beside tesseract's 0.37 s on samples/notice-eng, -fra and form-eng */
    .version = version,
    .open = engine_open,
    .close = engine_close,
    .can_read = can_read,
    .read = read_page,
};
