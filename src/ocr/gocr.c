/* gocr.c — GOCR as an engine: Latin letters by rules. The program runs in the sandbox and
 * prints XML (program.h), which is taken apart tag by tag: it need not be well formed. */
#include "ocr/packs.h"
#include "ocr/program.h"
#include "ocr/reading.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUT_MAX = 64 << 20, TAG_MAX = 2048, VALUE_MAX = 512, CHOICE_BYTES = 64 };

/* ---- XML -----------------------------------------------------------------------------------
 */

static size_t put_utf8(unsigned long c, char out[4]) {
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        return 0;
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char heads[] = {0, 0xC0, 0xE0, 0xF0};
    for (size_t i = more; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(heads[more] | c);
    return more + 1;
}

/* Decodes the entity at `text` ("&lt;", "&#x20ac;"); returns its length, 0 when it is none. */
static size_t take_entity(const char *text, char out[4], size_t *bytes) {
    static const struct {
        const char *name;
        char c;
    } named[] = {
        {"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (!strncmp(text, named[i].name, strlen(named[i].name))) {
            out[0] = named[i].c;
            *bytes = 1;
            return strlen(named[i].name);
        }
    if (strncmp(text, "&#", 2) != 0)
        return 0;
    char *end = NULL;
    bool hex = text[2] == 'x';
    *bytes = put_utf8(strtoul(text + (hex ? 3 : 2), &end, hex ? 16 : 10), out);
    return *bytes && *end == ';' ? (size_t)(end + 1 - text) : 0;
}

static void decode(const char *text, size_t count, char out[VALUE_MAX]) {
    size_t used = 0;
    char c[4];
    while (count && used + sizeof c < VALUE_MAX) {
        size_t bytes = 0, taken = *text == '&' ? take_entity(text, c, &bytes) : 0;
        if (!taken || taken > count) {
            c[0] = *text;
            bytes = taken = 1;
        }
        memcpy(out + used, c, bytes);
        used += bytes;
        text += taken;
        count -= taken;
    }
    out[used] = '\0';
}

/* The attribute's value, still with its entities; NULL: it has none. */
static const char *raw_attribute(const char *tag, const char *name, size_t *count) {
    char head[24];
    snprintf(head, sizeof head, " %s=\"", name);
    const char *at = strstr(tag, head);
    const char *end = at ? strchr(at + strlen(head), '"') : NULL;
    if (!end)
        return NULL;
    at += strlen(head);
    *count = (size_t)(end - at);
    return at;
}

static bool attribute(const char *tag, const char *name, char out[VALUE_MAX]) {
    size_t count;
    const char *raw = raw_attribute(tag, name, &count);
    out[0] = '\0';
    if (raw)
        decode(raw, count, out);
    return raw;
}

static int32_t number(const char *tag, const char *name) {
    size_t count;
    const char *raw = raw_attribute(tag, name, &count);
    long value = raw ? strtol(raw, NULL, 10) : 0;
    return value > 1000000 ? 1000000 : value < -1000000 ? -1000000 : (int32_t)value;
}

/* The next of "a,b,,": characters apart by commas, one of which may be a comma itself. */
static bool take_choice(const char **at, char out[CHOICE_BYTES]) {
    if (!**at)
        return false;
    size_t length = 1 + strcspn(*at + 1, ",");
    snprintf(out, CHOICE_BYTES, "%.*s", (int)length, *at);
    *at += length;
    *at += **at == ',';
    return true;
}

static void add_box(vl_reading_builder *b, const char *tag) {
    char value[VALUE_MAX], list[VALUE_MAX], weights[VALUE_MAX];
    char texts[VL_READING_CHOICES_MAX][CHOICE_BYTES];
    vl_engine_choice choices[VL_READING_CHOICES_MAX];
    vl_box box = {number(tag, "x"), number(tag, "y"), number(tag, "dx"), number(tag, "dy")};
    size_t count = 0;
    attribute(tag, "value", value);
    if (!strcmp(value, "(PICTURE)"))
        return; /* its word for what is too large to be a letter */
    attribute(tag, "achars", list);
    attribute(tag, "weights", weights);
    const char *at = list;
    char *weight = weights;
    while (count < VL_READING_CHOICES_MAX && take_choice(&at, texts[count])) {
        choices[count] =
            (vl_engine_choice){texts[count], (double)strtol(weight, &weight, 10) / 100};
        weight += *weight == ',';
        count++;
    }
    bool below = !strcmp(value, "_") && count;
    vl_reading_symbol(b, below ? texts[0] : value, box, count ? choices[0].confidence : 0,
                      choices, count);
}

static void take_tag(vl_reading_builder *b, const char *tag) {
    if (!strncmp(tag, "box ", 4))
        add_box(b, tag);
    else if (!strncmp(tag, "space ", 6))
        vl_reading_gap(b);
    else if (!strncmp(tag, "line ", 5))
        vl_reading_line(b);
    else if (!strncmp(tag, "block", 5))
        vl_reading_block(b);
}

vl_status vl_gocr_parse(const char *text, size_t bytes, vl_arena *arena, bool symbols,
                        vl_engine_reading *reading, vl_error *error) {
    vl_reading_builder b;
    char tag[TAG_MAX];
    vl_reading_init(&b, arena, symbols, reading);
    if (!bytes || !strstr(text, "<page"))
        return vl_fail(error, VL_ERR_INPUT, "gocr did not print its XML");
    while ((text = strchr(text, '<'))) {
        const char *end = strchr(text, '>');
        if (!end)
            break;
        size_t length = (size_t)(end - text - 1);
        if (length < sizeof tag) {
            snprintf(tag, sizeof tag, "%.*s", (int)length, text + 1);
            take_tag(&b, tag);
        }
        text = end;
    }
    return vl_reading_finish(&b, error);
}

/* ---- the engine ----------------------------------------------------------------------------
 */

static char version_text[32];

static void find_version(void) {
    vl_program_version("gocr", "-V", version_text);
}

static const char *version(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_version);
    return version_text;
}

static vl_status engine_open(const char *where, void **state, vl_error *error) {
    (void)where;
    *state = NULL;
    return *version()
               ? VL_OK
               : vl_fail(error, VL_ERR_MISSING, "gocr is not installed: apt-get install gocr");
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
    enum { FIND_COLUMNS = 4 };
    char operation[16];
    snprintf(operation, sizeof operation, "%d",
             request->mode == VL_ENGINE_PAGE ? FIND_COLUMNS : 0);
    const char *const argv[] = {"gocr", "-f", "XML", "-m", operation, "-", NULL};
    vl_buf out;
    vl_buf_init(&out, OUTPUT_MAX);
    vl_status status = vl_program_read(argv, request, &out, error);
    if (!status)
        status = vl_gocr_parse(out.data ? out.data : "", out.len, request->arena,
                               request->symbols, reading, error);
    vl_buf_deinit(&out);
    return status;
}

const vl_engine vl_engine_gocr = {
    .name = "gocr",
    .family = "shapes",
    .scripts = "Latn",
    .thread_safe = true,
    .outside = true,
    .cost =
        0.25, /* 0.09 s beside tesseract's 0.37 s on samples/notice-eng, -fra and form-eng */
    .version = version,
    .open = engine_open,
    .close = engine_close,
    .can_read = can_read,
    .read = read_page,
};
