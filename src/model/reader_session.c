/* reader_session.c — lines read by an open reader: batches through the network, what their
 * columns say, and the text of it in logical order.
 *
 * Lines of a batch lie behind each other; a line of paper fills it up to a multiple of ROUND
 * positions, so that products come in few shapes (making one costs more than running it). */
#include "model/reader_use.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND = 64, BATCH_POSITIONS = 1024, BATCH_LINES = 64 };
/* Positions that a character reaches to either side of where it was read, at most. */
static const double reach = 6;
#define GRAPH_BYTES ((size_t)8 << 30) /* addresses, not memory */
#define SCRATCH_BYTES ((size_t)1 << 30)

struct vl_reader_session {
    const vl_reader *reader;
    bool exact;
    reader_choice choice;
    vl_graph *graph;      /* for layers of floats; NULL: not needed yet */
    reader_memory memory; /* for those of 8-bit numbers */
    vl_arena *scratch;    /* of one batch */
};

vl_reader_how vl_reader_how_default(void) {
    return (vl_reader_how){.beams = 1, .alternatives = 3};
}

vl_reader_session *vl_reader_session_new(const vl_reader *reader) {
    vl_reader_session *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->reader = reader;
    s->exact = !reader->matrix;
    s->scratch = vl_arena_new(SCRATCH_BYTES);
    if (s->scratch)
        return s;
    vl_reader_session_free(s);
    return NULL;
}

void vl_reader_session_exact(vl_reader_session *s, bool exact) {
    s->exact = exact || !s->reader->matrix;
}

/* Makes the choice that `prior` (NULL: none) asks for, if it is not the one there is. */
static vl_status choose(vl_reader_session *s, const float *prior, vl_error *error) {
    size_t bytes = ((size_t)s->reader->config.symbols + 1) * sizeof *prior;
    if (prior ? s->choice.prior && !memcmp(prior, s->choice.prior, bytes) : !s->choice.prior)
        return VL_OK;
    reader_choice_free(&s->choice);
    return prior ? reader_choice_make(s->reader, prior, &s->choice, error) : VL_OK;
}

void vl_reader_session_free(vl_reader_session *s) {
    if (!s)
        return;
    reader_choice_free(&s->choice);
    vl_graph_free(s->graph);
    free(s->memory.bytes);
    vl_arena_free(s->scratch);
    free(s);
}

/* ---- what columns say, as characters ------------------------------------------------- */

/* A line on its way to its text; arrays are [count], in visual order but for `logical`. */
typedef struct reading {
    const vl_reader_alphabet *alphabet;
    const vl_reader_how *how;
    reader_columns columns;
    double scale; /* pixels of the given picture a position */
    uint32_t width;
    int32_t *labels;
    size_t count;
    uint32_t *visual, *logical;
    size_t *from;
    reader_place *places;
    bool rtl;
} reading;

static bool reading_init(reading *r, vl_arena *scratch) {
    size_t steps = r->columns.steps + 1;
    r->labels = vl_arena_array(scratch, steps, sizeof *r->labels);
    r->visual = vl_arena_array(scratch, steps, sizeof *r->visual);
    r->logical = vl_arena_array(scratch, steps, sizeof *r->logical);
    r->from = vl_arena_array(scratch, steps, sizeof *r->from);
    r->places = vl_arena_array(scratch, steps, sizeof *r->places);
    return r->labels && r->visual && r->logical && r->from && r->places;
}

static void take_labels(reading *r) {
    for (size_t i = 0; i < r->count; i++)
        r->visual[i] = vl_reader_alphabet_at(r->alphabet, (size_t)r->labels[i]);
    r->rtl = r->how->direction == VL_DIRECTION_TEXT ? vl_text_mostly_rtl(r->visual, r->count)
                                                    : r->how->direction == VL_DIRECTION_RTL;
}

static vl_status find_labels(reading *r, vl_error *error) {
    r->count = reader_best_path(&r->columns, r->labels);
    take_labels(r);
    if (r->how->beams == 1)
        return VL_OK;
    reader_search search = {.beams = r->how->beams,
                            .language = r->how->language,
                            .alphabet = r->alphabet,
                            .backwards = r->rtl};
    vl_status status =
        reader_search_labels(&r->columns, &search, r->labels, &r->count, NULL, error);
    take_labels(r);
    return status;
}

static float edge(const reading *r, double position) {
    double x = (position + 0.5) * r->scale;
    return (float)(x < 0 ? 0 : x > r->width ? r->width : x);
}

/* From halfway to the neighbour on the left to halfway to that on the right. */
static void find_extent(const reading *r, size_t i, vl_reader_character *out) {
    const reader_place *p = &r->places[i];
    double left = p->first - reach, right = p->last + reach;
    if (i)
        left = fmax(left, (r->places[i - 1].last + p->first) / 2);
    if (i + 1 < r->count)
        right = fmin(right, (r->places[i + 1].first + p->last) / 2);
    out->left = edge(r, left);
    out->right = fmaxf(out->left, edge(r, right));
}

/* A bracket in a right-to-left run is its own mirror image. */
static uint32_t mirrored(uint32_t character) {
    uint32_t out;
    size_t from;
    return vl_text_to_logical(&character, 1, VL_DIRECTION_RTL, &out, &from, NULL) ? character
                                                                                  : out;
}

static bool fill_character(const reading *r, size_t i, vl_arena *arena,
                           vl_reader_character *out) {
    size_t at = r->from[i];
    const reader_place *p = &r->places[at];
    bool turned = r->logical[i] != r->visual[at];
    *out = (vl_reader_character){
        .character = r->logical[i], .confidence = p->share, .other_count = p->other_count};
    find_extent(r, at, out);
    out->others = vl_arena_array(arena, p->other_count, sizeof *out->others);
    for (size_t k = 0; out->others && k < p->other_count; k++) {
        uint32_t c = vl_reader_alphabet_at(r->alphabet, (size_t)p->other[k].label);
        out->others[k] =
            (vl_reader_alternative){turned && c ? mirrored(c) : c, p->other[k].share};
    }
    return out->others || !p->other_count;
}

static vl_status write_line(reading *r, vl_arena *arena, vl_reader_line *out, vl_error *error) {
    vl_direction direction = r->rtl ? VL_DIRECTION_RTL : VL_DIRECTION_LTR;
    vl_status status =
        vl_text_to_logical(r->visual, r->count, direction, r->logical, r->from, error);
    if (!status)
        status = reader_find_places(&r->columns, r->labels, r->count, r->how->alternatives,
                                    r->places, &out->log_probability, error);
    if (status)
        return status;
    out->characters = vl_arena_array(arena, r->count + 1, sizeof *out->characters);
    char *text = vl_arena_alloc(arena, 4 * r->count + 1), *end = text;
    double sum = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (!text || !out->characters || !fill_character(r, i, arena, &out->characters[i]))
            return vl_fail(error, VL_ERR_LIMIT, "no room in the arena for what was read");
        end = reader_put_utf8(end, r->logical[i]);
        sum += log(fmax(out->characters[i].confidence, 1e-30));
    }
    out->text = text ? text : "";
    out->count = r->count;
    out->rtl = r->rtl;
    out->confidence = r->count ? exp(sum / (double)r->count) : 0;
    return VL_OK;
}

/* ---- batches ------------------------------------------------------------------------ */

typedef struct batch {
    float *pixels;
    int32_t starts[BATCH_LINES + 2]; /* a line of paper may be the last */
    vl_reader_pixels line[BATCH_LINES];
    size_t count, positions;
} batch;

/* As many of the lines as belong together. */
static vl_status collect(vl_reader_session *s, const vl_image *const *lines, size_t first,
                         size_t count, batch *b, vl_error *error) {
    vl_status status = VL_OK;
    while (!status && first + b->count < count && b->count < BATCH_LINES &&
           b->positions < BATCH_POSITIONS) {
        status = vl_reader_prepare(lines[first + b->count], s->reader->config.squeeze,
                                   s->scratch, &b->line[b->count], error);
        if (status)
            return error ? vl_error_prefix(error, "line %zu", first + b->count) : status;
        b->starts[b->count] = (int32_t)b->positions;
        b->positions += b->line[b->count++].positions;
    }
    size_t all = (b->positions + ROUND - 1) / ROUND * ROUND,
           per_position = VL_READER_STRIDE * VL_READER_HEIGHT;
    b->starts[b->count] = (int32_t)b->positions;
    b->starts[b->count + 1] = (int32_t)all;
    if (b->count == 1 && !s->exact) { /* no line of paper behind it */
        b->pixels = b->line[0].columns;
        return VL_OK;
    }
    b->pixels = vl_arena_array(s->scratch, all * per_position, sizeof *b->pixels);
    if (!b->pixels)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for lines of %zu positions", all);
    for (size_t i = 0; i < b->count; i++)
        memcpy(b->pixels + (size_t)b->starts[i] * per_position, b->line[i].columns,
               b->line[i].positions * per_position * sizeof *b->pixels);
    return VL_OK;
}

/* Rows of all logits become rows of those that are asked for, in place: labels rise, so that
 * nothing is written over before it was read. */
static void keep_chosen(const reader_choice *choice, float *logits, size_t rows,
                        size_t symbols) {
    float *out = logits;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < choice->matrix.n; i++)
            *out++ = logits[r * symbols + (size_t)choice->from[i]] + choice->shift[i];
}

/* Logits of the layers as reader.c has them, [positions,symbols + 1]. */
static vl_status look(vl_reader_session *s, const batch *b, float **logits, vl_error *error) {
    vl_graph_options options = {.max_bytes = GRAPH_BYTES,
                                .precision =
                                    vl_cpu_has_bf16() ? VL_PRECISION_BF16 : VL_PRECISION_F32};
    if (!s->graph && !(s->graph = vl_graph_new(s->reader->params, &options)))
        return vl_fail(error, VL_ERR_MEMORY, "no memory to read lines");
    vl_graph_reset(s->graph, 0);
    bool filled = b->starts[b->count + 1] > b->starts[b->count];
    vl_var *out =
        vl_reader_look(s->reader->net, s->graph, b->pixels, b->starts, b->count + filled, 0);
    *logits = out ? out->value : NULL;
    if (out && s->choice.alphabet)
        keep_chosen(&s->choice, out->value, b->positions, out->dims[1]);
    return vl_graph_status(s->graph, error);
}

static vl_status read_batch(vl_reader_session *s, const vl_image *const *lines, const batch *b,
                            const vl_reader_how *how, vl_arena *arena, vl_reader_line *out,
                            vl_error *error) {
    float *logits = NULL;
    vl_status status = choose(s, how->prior, error);
    if (status)
        return status;
    if (s->exact)
        status = look(s, b, &logits, error);
    else if (!(logits = reader_forward(s->reader, &s->choice, &s->memory, b->pixels, b->starts,
                                       b->count)))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory to read lines");
    if (status)
        return status;
    const vl_reader_alphabet *alphabet =
        s->choice.alphabet ? s->choice.alphabet : s->reader->alphabet;
    size_t symbols = vl_reader_alphabet_size(alphabet) + 1;
    vl_kernels_get()->softmax(logits, 1, b->positions, symbols);
    for (size_t i = 0; i < b->count && !status; i++) {
        reading r = {
            .alphabet = alphabet,
            .how = how,
            .columns = {logits + (size_t)b->starts[i] * symbols, b->line[i].positions, symbols},
            .scale = b->line[i].scale * VL_READER_STRIDE,
            .width = lines[i]->width};
        if (!reading_init(&r, s->scratch))
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for what a line says");
        if (!status)
            status = find_labels(&r, error);
        if (!status)
            status = write_line(&r, arena, &out[i], error);
    }
    return status;
}

static vl_status check_how(const vl_reader_how *how, vl_error *error) {
    if (!how->beams || how->beams > VL_READER_MAX_BEAMS)
        return vl_fail(error, VL_ERR_USAGE, "1 to %d beams, not %u", VL_READER_MAX_BEAMS,
                       how->beams);
    if (how->alternatives > VL_READER_MAX_ALTERNATIVES)
        return vl_fail(error, VL_ERR_USAGE, "at most %d alternatives, not %u",
                       VL_READER_MAX_ALTERNATIVES, how->alternatives);
    if (how->language && (how->beams == 1 || how->language->context > VL_READER_MAX_CONTEXT))
        return vl_fail(error, VL_ERR_USAGE,
                       "a language needs more than one beam, and a context of at most %d",
                       VL_READER_MAX_CONTEXT);
    return VL_OK;
}

vl_status vl_reader_read(vl_reader_session *s, const vl_image *const *lines, size_t count,
                         const vl_reader_how *how, vl_arena *arena, vl_reader_line *out,
                         vl_error *error) {
    vl_reader_how plain = vl_reader_how_default();
    if (!how)
        how = &plain;
    vl_status status = check_how(how, error);
    if (count)
        memset(out, 0, count * sizeof *out);
    for (size_t first = 0; first < count && !status;) {
        batch b = {0};
        vl_arena_reset(s->scratch);
        status = collect(s, lines, first, count, &b, error);
        if (!status)
            status = read_batch(s, lines + first, &b, how, arena, out + first, error);
        first += b.count;
    }
    return status;
}
