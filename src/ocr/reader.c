/* reader.c — `reader`, our own network (model.h), as an engine.
 *
 * It reads lines. Of a page the lines are given (request.layout: panel.c has Tesseract find
 * them, which costs tens of milliseconds), each is cut out along its baseline (strip.h), and
 * all of them go through the network together, some at a time.
 *
 * A model file is opened once and shared by all states that name it; a state has a session of
 * its own.
 *
 *   share_get, share_put        open models
 *   engine_open, can_read       states
 *   put_cluster, put_strip      what the network said, as symbols
 *   put_line                    the strips of a line in logical order
 *   read_lines                  a request */
#include "ocr/coverage.h"
#include "ocr/reading.h"
#include "ocr/strip.h"

#include <leptonica/allheaders.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>

enum {
    STRIPS_AT_ONCE = 32, /* past it, those of one more line: enough to fill products */
    STRIPS_MAX = STRIPS_AT_ONCE + VL_STRIPS_MAX,
    ALTERNATIVES = 5,
    CLUSTER_BYTES = 64,
    CLUSTER_MAX = 12, /* code points under one base */
};
/* Width of a strip by its height: training lines are at most 1,600 pixels at a height of 48. */
static const double LONGEST = 1600.0 / VL_READER_HEIGHT;

/* ---- open models ------------------------------------------------------------------------ */

typedef struct share {
    char *path;
    vl_reader *reader;
    size_t users;
    struct share *next;
} share;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all below */
static share *shares;
static char version_text[32];

static share *share_find(const char *path) {
    for (share *s = shares; s; s = s->next)
        if (!strcmp(s->path, path))
            return s;
    return NULL;
}

static vl_status share_add(const char *path, share **out, vl_error *error) {
    share *s = calloc(1, sizeof *s);
    vl_status status = VL_OK;
    if (!s || !(s->path = strdup(path)))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for the reader");
    if (!status)
        status = vl_reader_open(path, &s->reader, error);
    if (status == VL_ERR_MISSING)
        vl_fail(error, status,
                "%s is not there: `vislang train reader --recipe models/recipes/reader-1.yaml "
                "--data DIR --out RUN` and `vislang export RUN --best --out %s` make it",
                path, path);
    if (status) {
        if (s)
            free(s->path);
        free(s);
        return status;
    }
    snprintf(version_text, sizeof version_text, "%s", vl_reader_version(s->reader));
    s->next = shares;
    shares = s;
    *out = s;
    return VL_OK;
}

static vl_status share_get(const char *path, share **out, vl_error *error) {
    char bundled[4096];
    if (!path || !*path) {
        snprintf(bundled, sizeof bundled, "%s/models/reader.gguf", vl_data_dir());
        path = bundled;
    }
    pthread_mutex_lock(&lock);
    *out = share_find(path);
    vl_status status = *out ? VL_OK : share_add(path, out, error);
    if (!status)
        (*out)->users++;
    pthread_mutex_unlock(&lock);
    return status;
}

static void share_put(share *s) {
    pthread_mutex_lock(&lock);
    if (!--s->users) {
        share **at = &shares;
        while (*at != s)
            at = &(*at)->next;
        *at = s->next;
        vl_reader_free(s->reader);
        free(s->path);
        free(s);
    }
    pthread_mutex_unlock(&lock);
}

/* Of the model that was opened last; of the bundled one where none was. "": it is not there. */
static const char *version(void) {
    share *s;
    vl_error missing;
    pthread_mutex_lock(&lock);
    bool known = *version_text;
    pthread_mutex_unlock(&lock);
    if (!known && !share_get(NULL, &s, &missing))
        share_put(s);
    return version_text;
}

/* ---- states ----------------------------------------------------------------------------- */

typedef enum known { NOT_ASKED, READS, READS_NOT } known;

typedef struct state {
    share *model;
    vl_reader_session *session;
    known *packs;       /* by their places in the table */
    char prior_of[128]; /* the packs that `prior` is for */
    float *prior;       /* [symbols + 1] */
} state;

static void engine_close(void *opaque) {
    state *s = opaque;
    if (!s)
        return;
    vl_reader_session_free(s->session);
    if (s->model)
        share_put(s->model);
    free(s->packs);
    free(s->prior);
    free(s);
}

static vl_status engine_open(const char *where, void **out, vl_error *error) {
    size_t packs;
    vl_ocr_pack_table(&packs);
    state *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s || !(s->packs = calloc(packs, sizeof *s->packs))) {
        free(s);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the reader");
    }
    vl_status status = share_get(where, &s->model, error);
    if (!status) {
        size_t symbols = vl_reader_alphabet_size(vl_reader_alphabet_of(s->model->reader));
        s->session = vl_reader_session_new(s->model->reader);
        s->prior = calloc(symbols + 1, sizeof *s->prior);
        if (!s->session || !s->prior)
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for the reader");
    }
    if (status)
        engine_close(s);
    else
        *out = s;
    return status;
}

static bool can_read(void *opaque, const char *name) {
    state *s = opaque;
    size_t count;
    const vl_ocr_pack *table = vl_ocr_pack_table(&count), *pack = vl_ocr_pack_find(name);
    if (!pack)
        return false;
    known *k = &s->packs[pack - table];
    if (*k == NOT_ASKED)
        *k = vl_alphabet_covers(vl_reader_alphabet_of(s->model->reader), pack) ? READS
                                                                               : READS_NOT;
    return *k == READS;
}

/* ---- what the network said, as symbols ----------------------------------------------------
 */

static size_t put_utf8(uint32_t c, char *out) {
    size_t bytes = 0;
    U8_APPEND_UNSAFE((uint8_t *)out, bytes, c);
    out[bytes] = '\0';
    return bytes;
}

/* Belongs to the character before it (UAX #29, GB9 and GB9a). */
static bool extends(uint32_t c) {
    int32_t kind = u_getIntPropertyValue((UChar32)c, UCHAR_GRAPHEME_CLUSTER_BREAK);
    return kind == U_GCB_EXTEND || kind == U_GCB_SPACING_MARK || kind == U_GCB_ZWJ;
}

/* The cluster with character `at` replaced (0: left out), or as it is (at = count). */
static void spell(const vl_reader_character *c, size_t count, size_t at, uint32_t other,
                  char out[CLUSTER_BYTES]) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        uint32_t one = i == at ? other : c[i].character;
        if (one)
            used += put_utf8(one, out + used);
    }
}

static int surest_first(const void *a, const void *b) {
    const vl_engine_choice *x = a, *y = b;
    return (x->confidence < y->confidence) - (x->confidence > y->confidence);
}

/* A character with its marks. What else it may be: any of them another. */
static void put_cluster(vl_reading_builder *b, const vl_reader_character *c, size_t count,
                        vl_box box) {
    char texts[VL_READING_CHOICES_MAX][CLUSTER_BYTES];
    vl_engine_choice choices[VL_READING_CHOICES_MAX];
    size_t used = 1;
    double all = 1;
    for (size_t i = 0; i < count; i++)
        all *= c[i].confidence;
    spell(c, count, count, 0, texts[0]);
    choices[0] = (vl_engine_choice){texts[0], all};
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < c[i].other_count && used < VL_READING_CHOICES_MAX; k++) {
            spell(c, count, i, c[i].others[k].character, texts[used]);
            double rest = c[i].confidence > 0 ? all / c[i].confidence : 0;
            choices[used] = (vl_engine_choice){texts[used], rest * c[i].others[k].probability};
            used += *texts[used] && *texts[used] != ' ';
        }
    qsort(choices + 1, used - 1, sizeof *choices, surest_first);
    vl_reading_symbol(b, texts[0], box, all, choices, used > 1 ? used : 0);
}

/* A strip that was cut out, of which line, and what was read in it. */
typedef struct piece {
    vl_strip strip;
    size_t line;
    vl_reader_line read;
} piece;

static void put_strip(vl_reading_builder *b, const piece *p, const vl_band *band) {
    const vl_reader_line *line = &p->read;
    for (size_t i = 0; i < line->count;) {
        const vl_reader_character *c = &line->characters[i];
        double left = c->left, right = c->right;
        size_t count = 1;
        if (u_isUWhiteSpace((UChar32)c->character)) {
            vl_reading_gap(b);
            i++;
            continue;
        }
        for (; i + count < line->count && count < CLUSTER_MAX && extends(c[count].character);
             count++) {
            left = fmin(left, (double)c[count].left);
            right = fmax(right, (double)c[count].right);
        }
        put_cluster(b, c, count,
                    vl_band_box(band, p->strip.x + left, p->strip.x + fmax(right, left + 1)));
        i += count;
    }
}

/* Strips lie from left to right; most of their characters say in which order they are read. */
static void put_line(vl_reading_builder *b, const piece *pieces, size_t count,
                     const vl_band *band) {
    size_t rtl = 0, all = 0;
    for (size_t i = 0; i < count; i++) {
        rtl += pieces[i].read.rtl ? pieces[i].read.count : 0;
        all += pieces[i].read.count;
    }
    bool backwards = 2 * rtl > all;
    for (size_t i = 0; i < count; i++) {
        size_t at = backwards ? count - 1 - i : i;
        if (i && pieces[backwards ? at + 1 : at].strip.after_gap)
            vl_reading_gap(b);
        put_strip(b, &pieces[at], band);
    }
}

/* ---- a request -------------------------------------------------------------------------- */

typedef struct page {
    state *s;
    const vl_engine_request *request;
    PIX *grey;
    const vl_engine_line *lines; /* NULL: the picture is one */
    size_t line_count;
    size_t block, paragraph; /* of the last line */
    vl_band *bands;          /* [line_count] */
    size_t *origin; /* [line_count]: which line each of the reading is; blank ones are none */
    vl_reader_how how;
    vl_reading_builder builder;
    piece pieces[STRIPS_MAX];
    size_t piece_count;
} page;

/* Strips of line after line from `*next` on, until there are enough for one go. */
static vl_status cut_lines(page *p, size_t *next, vl_error *error) {
    vl_strip strips[VL_STRIPS_MAX];
    size_t count = 0;
    vl_status status = VL_OK;
    for (; !status && *next < p->line_count && p->piece_count < STRIPS_AT_ONCE; ++*next) {
        vl_band *band = &p->bands[*next];
        bool there = p->lines ? vl_band_of_line(&p->lines[*next], band)
                              : vl_band_of_picture(p->grey, band);
        if (!there)
            continue;
        status = vl_strips_cut(p->grey, band, LONGEST, strips, &count, error);
        for (size_t i = 0; i < count; i++)
            p->pieces[p->piece_count++] = (piece){.strip = strips[i], .line = *next};
        if (status == VL_ERR_LIMIT) /* a rule across the page, or the like */
            status = VL_OK;
    }
    return status;
}

static void begin_line(page *p, size_t line) {
    if (p->lines) {
        const vl_engine_line *from = &p->lines[line];
        if (p->builder.reading->line_count && from->block != p->block)
            vl_reading_block(&p->builder);
        else if (p->builder.reading->line_count && from->paragraph != p->paragraph)
            vl_reading_paragraph(&p->builder);
        p->block = from->block;
        p->paragraph = from->paragraph;
    }
    vl_reading_line(&p->builder);
    if (p->builder.in_line)
        p->origin[p->builder.reading->line_count - 1] = line;
}

static vl_status read_pieces(page *p, vl_error *error) {
    const vl_image *images[STRIPS_MAX];
    vl_reader_line read[STRIPS_MAX];
    for (size_t i = 0; i < p->piece_count; i++)
        images[i] = p->pieces[i].strip.image;
    vl_status status = vl_reader_read(p->s->session, images, p->piece_count, &p->how,
                                      p->request->arena, read, error);
    for (size_t i = 0; !status && i < p->piece_count; i++)
        p->pieces[i].read = read[i];
    for (size_t i = 0, of_line; !status && i < p->piece_count; i += of_line) {
        size_t line = p->pieces[i].line;
        for (of_line = 1; i + of_line < p->piece_count && p->pieces[i + of_line].line == line;)
            of_line++;
        begin_line(p, line);
        put_line(&p->builder, &p->pieces[i], of_line, &p->bands[line]);
    }
    return status;
}

static void free_pieces(page *p) {
    for (size_t i = 0; i < p->piece_count; i++)
        vl_image_free(p->pieces[i].strip.image);
    p->piece_count = 0;
}

/* The places of lines are those they were found at. */
static void place_lines(const page *p) {
    vl_engine_reading *reading = p->builder.reading;
    for (size_t i = 0; i < reading->line_count; i++) {
        const vl_band *band = &p->bands[p->origin[i]];
        vl_engine_line *line = &reading->lines[i];
        if (!p->lines)
            continue;
        const vl_engine_line *from = &p->lines[p->origin[i]];
        double slope = (double)(from->baseline_y1 - from->baseline_y0) /
                       (from->box.width > 0 ? from->box.width : 1);
        line->baseline_y0 =
            from->baseline_y0 + (int32_t)lround(slope * (line->box.x - band->left));
        line->baseline_y1 =
            from->baseline_y0 +
            (int32_t)lround(slope * (line->box.x + line->box.width - band->left));
    }
}

static vl_status check_time(const vl_engine_request *request, vl_error *error) {
    if (request->deadline_ns > 0 && vl_clock_ns() > request->deadline_ns)
        return vl_fail(error, VL_ERR_TIMEOUT, "reading the page took longer than its limit");
    return vl_stop_check(error);
}

/* What is in Arabic script alone runs from right to left, even where a line holds a number. */
static vl_direction direction_of(const char *packs) {
    const vl_ocr_pack *pack = vl_ocr_pack_find(packs);
    return pack && !strcmp(pack->script, "Arab") ? VL_DIRECTION_RTL : VL_DIRECTION_TEXT;
}

/* What the packs' text can hold; a page's lines, and mostly its neighbours', share it. */
static const float *prior_for(state *s, const char *packs) {
    if (strlen(packs) >= sizeof s->prior_of)
        return NULL;
    if (strcmp(packs, s->prior_of) != 0) {
        vl_alphabet_prior(vl_reader_alphabet_of(s->model->reader), packs, s->prior);
        strcpy(s->prior_of, packs);
    }
    return s->prior;
}

static PIX *grey_of(PIX *picture) {
    bool grey = pixGetDepth(picture) == 8 && !pixGetColormap(picture);
    return grey ? pixClone(picture) : pixConvertTo8(picture, 0);
}

static vl_status read_lines(void *opaque, const vl_engine_request *request,
                            vl_engine_reading *reading, vl_error *error) {
    page *p = vl_arena_alloc(request->arena, sizeof *p);
    if (!p)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the lines of a page");
    *p = (page){.s = opaque, .request = request, .line_count = 1};
    if (request->layout) {
        p->lines = request->layout->lines;
        p->line_count = request->layout->line_count;
    }
    p->how = vl_reader_how_default();
    p->how.alternatives = request->symbols ? ALTERNATIVES : 0;
    p->how.direction = direction_of(request->packs);
    p->how.prior = prior_for(p->s, request->packs);
    p->bands = vl_arena_array(request->arena, p->line_count + 1, sizeof *p->bands);
    p->origin = vl_arena_array(request->arena, p->line_count + 1, sizeof *p->origin);
    p->grey = grey_of(request->picture);
    vl_status status = p->bands && p->origin && p->grey
                           ? VL_OK
                           : vl_fail(error, VL_ERR_MEMORY, "no memory for the lines of a page");
    vl_reading_init(&p->builder, request->arena, request->symbols, reading);
    for (size_t next = 0; !status && next < p->line_count;) {
        status = check_time(request, error);
        if (!status)
            status = cut_lines(p, &next, error);
        if (!status)
            status = read_pieces(p, error);
        free_pieces(p);
    }
    pixDestroy(&p->grey);
    if (!status)
        status = vl_reading_finish(&p->builder, error);
    if (status)
        return status;
    place_lines(p);
    if (request->layout) {
        reading->figures = request->layout->figures;
        reading->figure_count = request->layout->figure_count;
    }
    return VL_OK;
}

const vl_engine vl_engine_reader = {
    .name = "reader",
    .scripts = "Latn Arab Ethi Cyrl Deva Beng Mymr Khmr Taml",
    .knows_confidence = true,
    .needs_lines = true,
    .cost = 0.1,
    .version = version,
    .open = engine_open,
    .close = engine_close,
    .can_read = can_read,
    .read = read_lines,
};
