/* reader_forward.c — the network as it is used: the layers of reader.c on 8-bit numbers.
 *
 * Every linear layer multiplies whole numbers: its weights were rounded once, a scale a row,
 * and its inputs are rounded row by row as they come (kernel.h, vl_int8_packed_product).
 * Between products, rows go through norms and activations some at a time, while they lie in the
 * processor's cache. Filters, norms and what is added up stay floats. A test holds this to
 * the layers as reader.c has them.
 *
 * Workload: a line of 48×800 pixels is 460 million products of two numbers, nine in ten of them
 * in linear layers, a third in the perceptrons of the blocks. */
#include "model/reader_use.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PATCH = 4, ROWS = VL_READER_HEIGHT / 2 };
enum { CHUNK = 192, GROUP = 16 };       /* rows at once: of first filters, through a product */
enum { PADDED = VL_READER_HEIGHT + 2 }; /* a column of pixels between paper */
static const float MOST_INK = 1.25f;    /* vl_reader_prepare cuts there */

/* ---- weights ------------------------------------------------------------------------------
 */

/* All linear layers of the network: matrices with rows of inputs. */
static bool is_matrix(const vl_param *p) {
    size_t length = strlen(p->name);
    return p->rank == 2 && length > 7 && !strcmp(p->name + length - 7, ".weight") &&
           !strstr(p->name, ".filter.");
}

bool reader_matrix_init(reader_matrix *m, size_t n, size_t k) {
    *m = (reader_matrix){.n = n, .k = k};
    m->q = malloc(n * k);
    m->scale = malloc(n * sizeof *m->scale);
    m->packed = aligned_alloc(64, (vl_int8_packed_bytes(n, k) + 63) / 64 * 64);
    return m->q && m->scale && m->packed;
}

void reader_matrix_deinit(reader_matrix *m) {
    free(m->q);
    free(m->scale);
    free(m->packed);
}

vl_status reader_round_weights(vl_reader *reader, vl_error *error) {
    size_t count = vl_params_count(reader->params);
    reader->matrix = calloc(count, sizeof *reader->matrix);
    bool room = reader->matrix != NULL;
    for (size_t i = 0; i < count && room; i++) {
        const vl_param *p = vl_params_at(reader->params, i);
        reader_matrix *m = &reader->matrix[i];
        if (!is_matrix(p))
            continue;
        room = reader_matrix_init(m, p->dims[0], p->dims[1]);
        if (!room)
            continue;
        vl_int8_round(m->q, m->scale, vl_params_values(reader->params) + p->offset, m->n, m->k);
        vl_int8_pack(m->packed, m->q, m->n, m->k);
    }
    return room ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for the reader's weights");
}

void reader_free_weights(vl_reader *reader) {
    for (size_t i = 0; reader->matrix && i < vl_params_count(reader->params); i++)
        reader_matrix_deinit(&reader->matrix[i]);
    free(reader->matrix);
}

/* ---- rows ---------------------------------------------------------------------------------
 */

/* Rows of 8-bit numbers and the scale of each. */
typedef struct rounded {
    int8_t *q;
    float *scale;
} rounded;

/* A pass: what is being read, and room for what is in work. */
typedef struct forward {
    const vl_reader *reader;
    const vl_kernels *kernels;
    const int32_t *starts;
    size_t lines, positions;
    char *memory;
    size_t used;
    int8_t *q;           /* [CHUNK,widest row]: on its way into a product */
    float *scale;        /* [CHUNK] */
    float *out, *normed; /* [CHUNK,widest row] */
    float *mean, *rstd;  /* [CHUNK · norms of a row] */
    int8_t *pixels;      /* [4·positions,PADDED] */
    float *large, *small,
        *filtered; /* of the stem; of layers: queries, keys, values; …; mixed */
    rounded queries, keys, turned_values; /* of one head of one line */
    void *packed_keys, *packed_values;
    float *turned;  /* [GROUP,width of a head] */
    float *scores;  /* [GROUP,longest line] */
    int8_t *shares; /* of the same, rounded */
    float *x;       /* [positions,width] */
    float *logits;
} forward;

static const float *values(const forward *f, size_t param) {
    return vl_params_values(f->reader->params) + vl_params_at(f->reader->params, param)->offset;
}

static size_t outputs(const forward *f, reader_affine a) {
    return f->reader->matrix[a.weight].n;
}

static size_t at_most(size_t left, size_t most) {
    return left < most ? left : most;
}

/* Sums of at most GROUP rows that lie rounded in f->q. */
static float *product(const forward *f, const reader_matrix *m, const int8_t *q, size_t rows) {
    vl_int8_packed_product((int32_t *)(void *)f->out, q, rows, m->packed, m->n, m->k);
    return f->out;
}

/* y = gelu(x · Wᵀ + bias) of rows that lie rounded in f->q. */
static void linear_gelu(const forward *f, reader_affine a, size_t rows, float *y) {
    const reader_matrix *m = &f->reader->matrix[a.weight];
    for (size_t r = 0; r < rows; r += GROUP) {
        size_t some = at_most(rows - r, GROUP);
        const float *sums = product(f, m, f->q + r * m->k, some);
        f->kernels->int8_scale_gelu(y + r * m->n, sums, f->scale + r, m->scale,
                                    values(f, a.bias), some, m->n);
    }
}

static void norm(const forward *f, reader_affine a, const float *x, size_t rows, size_t n,
                 float *y) {
    f->kernels->layernorm(y, f->mean, f->rstd, x, values(f, a.weight), values(f, a.bias), rows,
                          n);
}

/* norm(x), rounded into f->q; `together` rows of x make one. */
static void norm_round(const forward *f, reader_affine a, const float *x, size_t rows, size_t n,
                       size_t together) {
    f->kernels->int8_layernorm_round(f->q, f->scale, f->normed, x, values(f, a.weight),
                                     values(f, a.bias), rows, n, together);
}

/* x += down(gelu(up(norm(from)))), some rows at a time. */
static void add_perceptron(const forward *f, const float *from, reader_affine before,
                           reader_affine up, reader_affine down) {
    const reader_matrix *first = &f->reader->matrix[up.weight],
                        *second = &f->reader->matrix[down.weight];
    size_t width = first->k;
    for (size_t r = 0; r < f->positions; r += GROUP) {
        size_t rows = at_most(f->positions - r, GROUP);
        norm_round(f, before, from + r * width, rows, width, 1);
        float *sums = product(f, first, f->q, rows);
        f->kernels->int8_gelu_round(f->q, f->scale, sums, first->scale, values(f, up.bias),
                                    rows, first->n);
        sums = product(f, second, f->q, rows);
        f->kernels->int8_scale_add(f->x + r * width, sums, f->scale, second->scale,
                                   values(f, down.bias), rows, width);
    }
}

/* y = linear(norm(x)), or of x as it is (`before` NULL). */
static void normed_linear(const forward *f, const float *x, const reader_affine *before,
                          const reader_matrix *m, const float *bias, float *y) {
    for (size_t r = 0; r < f->positions; r += GROUP) {
        size_t rows = at_most(f->positions - r, GROUP);
        if (before)
            norm_round(f, *before, x + r * m->k, rows, m->k, 1);
        else
            f->kernels->int8_round(f->q, f->scale, x + r * m->k, rows, m->k);
        float *to = y + r * m->n;
        vl_int8_packed_product((int32_t *)(void *)to, f->q, rows, m->packed, m->n, m->k);
        f->kernels->int8_scale(to, f->scale, m->scale, bias, rows, m->n);
    }
}

/* ---- the stem -----------------------------------------------------------------------------
 */

/* Pixels as whole numbers of one scale, each column between two pixels of paper. */
static void round_pixels(const float *pixels, size_t columns, int8_t *to) {
    for (size_t x = 0; x < columns; x++, pixels += VL_READER_HEIGHT, to += PADDED) {
        to[0] = to[PADDED - 1] = 0;
        for (size_t y = 0; y < VL_READER_HEIGHT; y++) {
            float ink = pixels[y] < -MOST_INK ? -MOST_INK : pixels[y];
            ink = ink > MOST_INK ? MOST_INK : ink;
            to[y + 1] = (int8_t)((int)(ink * (127 / MOST_INK) + 127.5f) - 127);
        }
    }
}

/* The patches of the column at pixel `x` of a line, [ROWS,PATCH·PATCH]. */
static void cut_patches(const int8_t *line, size_t width, size_t x, int8_t *out) {
    for (size_t dx = 0; dx < PATCH; dx++) {
        size_t from = x + dx - 1; /* below zero wraps */
        static const int8_t paper[PADDED];
        const int8_t *column = from < width ? line + from * PADDED : paper;
        for (size_t row = 0; row < ROWS; row++)
            memcpy(out + (row * PATCH + dx) * PATCH, column + 2 * row, PATCH);
    }
}

/* pixels → y [2·positions,ROWS,stem[0]] */
static void first_filters(const forward *f, const int8_t *pixels, float *y) {
    enum { AT_ONCE = CHUNK / ROWS };
    const reader_affine first = f->reader->net->first;
    size_t out = f->reader->config.stem[0];
    for (size_t r = 0; r < CHUNK; r++)
        f->scale[r] = MOST_INK / 127;
    for (size_t b = 0; b < f->lines; b++) {
        size_t start = (size_t)f->starts[b], columns = 2 * ((size_t)f->starts[b + 1] - start);
        const int8_t *line = pixels + start * VL_READER_STRIDE * PADDED;
        for (size_t c = 0; c < columns; c += AT_ONCE) {
            size_t some = at_most(columns - c, AT_ONCE);
            for (size_t i = 0; i < some; i++)
                cut_patches(line, columns * 2, 2 * (c + i), f->q + i * ROWS * PATCH * PATCH);
            linear_gelu(f, first, some * ROWS, y + (2 * start + c) * ROWS * out);
        }
    }
}

/* One filter a channel over each line: x [columns,rows,channels]. */
static void filter(const forward *f, reader_affine a, const float *x, size_t rows,
                   size_t channels, size_t columns, const vl_window *window, float *y) {
    size_t rows_out = vl_window_places(rows, window->size_x, window->stride_x, window->pad_x);
    for (size_t b = 0; b < f->lines; b++) {
        size_t first = (size_t)f->starts[b] * columns,
               count = (size_t)f->starts[b + 1] * columns - first;
        if (count)
            f->kernels->depthwise(y + first / window->stride_y * rows_out * channels,
                                  x + first * rows * channels, values(f, a.weight),
                                  values(f, a.bias), count, rows, channels, window);
    }
}

/* x [·,rows,channels] → y; both are [positions, …] but for the first stage's x. */
static void separable(const forward *f, size_t stage, const float *x, float *filtered,
                      float *y) {
    const reader_separable *s = &f->reader->net->stem[stage];
    size_t channels = f->reader->config.stem[stage], rows = ROWS >> stage;
    vl_window window = vl_window_square(3, stage ? 1 : 2, 1);
    filter(f, s->filter, x, rows, channels, stage ? 1 : 2, &window, filtered);
    rows = stage ? rows : rows / 2;
    size_t in = f->reader->matrix[s->mix.weight].k, out = outputs(f, s->mix);
    size_t all = f->positions * rows * channels / in, pairs = in / channels;
    for (size_t r = 0; r < all; r += CHUNK) {
        size_t some = at_most(all - r, CHUNK);
        norm_round(f, s->norm, filtered + r * in, some * pairs, channels, pairs);
        linear_gelu(f, s->mix, some, y + r * out);
    }
}

/* → x [positions,width] */
static void stem(const forward *f, const float *pixels) {
    const vl_reader_net *net = f->reader->net;
    size_t width = f->reader->config.width;
    float *from = f->large, *to = f->small;
    round_pixels(pixels, f->positions * VL_READER_STRIDE, f->pixels);
    first_filters(f, f->pixels, from);
    for (size_t i = 0; i + 1 < VL_READER_STAGES; i++) {
        separable(f, i, from, f->filtered, to);
        float *swap = from;
        from = to;
        to = swap;
    }
    normed_linear(f, from, NULL, &f->reader->matrix[net->project.weight],
                  values(f, net->project.bias), to);
    for (size_t r = 0; r < f->positions; r += CHUNK) {
        size_t rows = at_most(f->positions - r, CHUNK);
        norm(f, net->project_norm, to + r * width, rows, width, f->x + r * width);
    }
}

/* ---- layers -------------------------------------------------------------------------------
 */

/* Rounds `count` rows of one head, which lie `step` numbers apart. */
static void round_head(const forward *f, const float *x, size_t count, size_t step,
                       size_t width, rounded *to) {
    for (size_t t = 0; t < count; t++)
        f->kernels->int8_round(to->q + t * width, to->scale + t, x + t * step, 1, width);
}

static size_t whole_registers(size_t count) {
    return (count + 15) / 16 * 16;
}

/* One head of one line: y = softmax(q kᵀ / √width) v. Rows of scores are filled up to whole
 * registers with the first one, whose values there are zero. */
static void attend(forward *f, const float *qkv, size_t columns, size_t width, float *y) {
    size_t depth = f->reader->config.width, step = 3 * depth, full = whole_registers(columns);
    float by = 1 / sqrtf((float)width);
    round_head(f, qkv, columns, step, width, &f->queries);
    round_head(f, qkv + depth, columns, step, width, &f->keys);
    for (size_t t = columns; t < full; t++) {
        memcpy(f->keys.q + t * width, f->keys.q, width);
        f->keys.scale[t] = f->keys.scale[0];
    }
    f->kernels->int8_round_turned(f->turned_values.q, f->turned_values.scale, f->turned,
                                  qkv + 2 * depth, columns, step, width, full);
    vl_int8_pack(f->packed_keys, f->keys.q, full, width);
    vl_int8_pack(f->packed_values, f->turned_values.q, width, full);
    for (size_t r = 0; r < columns; r += GROUP) {
        size_t rows = at_most(columns - r, GROUP);
        float *scale = f->queries.scale + r;
        vl_int8_packed_product((int32_t *)(void *)f->scores, f->queries.q + r * width, rows,
                               f->packed_keys, full, width);
        f->kernels->int8_softmax_round(f->shares, scale, f->scores, f->keys.scale, by, rows,
                                       columns, full);
        vl_int8_packed_product((int32_t *)(void *)f->turned, f->shares, rows, f->packed_values,
                               width, full);
        f->kernels->int8_scale(f->turned, scale, f->turned_values.scale, NULL, rows, width);
        for (size_t t = 0; t < rows; t++)
            memcpy(y + (r + t) * depth, f->turned + t * width, width * sizeof *y);
    }
}

static void add_attention(forward *f, const reader_layer *l) {
    size_t depth = f->reader->config.width, heads = f->reader->config.heads;
    size_t width = depth / heads;
    float *qkv = f->large, *mixed = f->filtered;
    normed_linear(f, f->x, &l->norm1, &f->reader->matrix[l->qkv.weight], values(f, l->qkv.bias),
                  qkv);
    for (size_t b = 0; b < f->lines; b++) {
        size_t first = (size_t)f->starts[b], columns = (size_t)f->starts[b + 1] - first;
        for (size_t h = 0; h < heads && columns; h++)
            attend(f, qkv + first * 3 * depth + h * width, columns, width,
                   mixed + first * depth + h * width);
    }
    const reader_matrix *out = &f->reader->matrix[l->out.weight];
    for (size_t r = 0; r < f->positions; r += GROUP) {
        size_t rows = at_most(f->positions - r, GROUP);
        f->kernels->int8_round(f->q, f->scale, mixed + r * depth, rows, depth);
        const float *sums = product(f, out, f->q, rows);
        f->kernels->int8_scale_add(f->x + r * depth, sums, f->scale, out->scale,
                                   values(f, l->out.bias), rows, depth);
    }
}

static void run_layers(forward *f) {
    const vl_reader_config *c = &f->reader->config;
    const vl_reader_net *net = f->reader->net;
    vl_window along = {c->kernel, 1, 1, 1, c->kernel / 2, 0};
    size_t layers = 0;
    for (size_t i = 0; i < c->blocks || layers < c->layers; i++) {
        if (i < c->blocks) {
            const reader_block *b = &net->block[i];
            filter(f, b->filter, f->x, 1, c->width, 1, &along, f->filtered);
            add_perceptron(f, f->filtered, b->norm, b->up, b->down);
        }
        for (; layers < c->layers && (layers + 1) * c->blocks <= (i + 1) * c->layers;
             layers++) {
            const reader_layer *l = &net->layer[layers];
            add_attention(f, l);
            add_perceptron(f, f->x, l->norm2, l->up, l->down);
        }
    }
}

/* ---- all of it ----------------------------------------------------------------------------
 */

/* Numbers of the widest row that goes into or comes out of a product or a norm. */
static size_t widest_row(const vl_reader *reader) {
    size_t widest = PATCH * PATCH;
    for (size_t i = 0; i < vl_params_count(reader->params); i++) {
        const reader_matrix *m = &reader->matrix[i];
        widest = m->n > widest ? m->n : widest;
        widest = m->k > widest ? m->k : widest;
    }
    return widest;
}

/* Numbers a position of what a stage of the stem gives (stage 0: the first filters), and of the
 * columns after it. */
static size_t stage_numbers(const vl_reader_config *c, size_t stage) {
    size_t rows = stage ? ROWS >> stage : 2 * ROWS;
    return rows * c->stem[stage];
}

static void *take(forward *f, size_t count, size_t size) {
    size_t at = f->used;
    f->used += (count * size + 63) / 64 * 64;
    return f->memory ? f->memory + at : NULL;
}

static rounded take_rounded(forward *f, size_t rows, size_t k) {
    int8_t *q = take(f, rows, k);
    return (rounded){q, take(f, rows, sizeof(float))};
}

/* Gives everything its place in `memory`; without, only counts. */
static void lay_out(forward *f) {
    const vl_reader_config *c = &f->reader->config;
    size_t widest = widest_row(f->reader), longest = 0, pairs = widest / 16;
    size_t large = 3 * (size_t)c->width, small = c->width, filtered = c->width;
    for (size_t i = 0; i < VL_READER_STAGES; i++) {
        size_t numbers = stage_numbers(c, i);
        size_t after = i + 1 < VL_READER_STAGES ? (ROWS >> (i ? i : 1)) * c->stem[i] : 0;
        large = numbers > large ? numbers : large;
        small = i && numbers > small ? numbers : small;
        filtered = after > filtered ? after : filtered;
    }
    for (size_t b = 0; b < f->lines; b++) {
        size_t columns = (size_t)(f->starts[b + 1] - f->starts[b]);
        longest = columns > longest ? columns : longest;
    }
    f->used = 0;
    f->q = take(f, CHUNK, widest);
    f->scale = take(f, CHUNK, sizeof *f->scale);
    f->out = take(f, CHUNK, widest * sizeof *f->out);
    f->normed = take(f, CHUNK, widest * sizeof *f->normed);
    f->mean = take(f, CHUNK * pairs, sizeof *f->mean);
    f->rstd = take(f, CHUNK * pairs, sizeof *f->rstd);
    f->pixels = take(f, f->positions * VL_READER_STRIDE, PADDED);
    f->large = take(f, f->positions, large * sizeof *f->large);
    f->small = take(f, f->positions, small * sizeof *f->small);
    f->filtered = take(f, f->positions, filtered * sizeof *f->filtered);
    size_t head = c->width / c->heads;
    longest = whole_registers(longest);
    f->queries = take_rounded(f, longest, head);
    f->keys = take_rounded(f, longest, head);
    f->turned_values = take_rounded(f, head, longest);
    f->packed_keys = take(f, 1, vl_int8_packed_bytes(longest, head));
    f->packed_values = take(f, 1, vl_int8_packed_bytes(head, longest));
    f->turned = take(f, GROUP, head * sizeof *f->turned);
    f->scores = take(f, GROUP * longest, sizeof *f->scores);
    f->shares = take(f, GROUP, longest);
    f->x = take(f, f->positions, c->width * sizeof *f->x);
    f->logits = take(f, f->positions, ((size_t)c->symbols + 1) * sizeof *f->logits);
}

/* What each position says of the characters that are asked for. */
static void tell_symbols(const forward *f, const reader_choice *choice) {
    const vl_reader_net *net = f->reader->net;
    const reader_matrix *m =
        choice->alphabet ? &choice->matrix : &f->reader->matrix[net->symbols.weight];
    const float *bias = choice->alphabet ? choice->bias : values(f, net->symbols.bias);
    normed_linear(f, f->x, &net->last_norm, m, bias, f->logits);
}

float *reader_forward(const vl_reader *reader, const reader_choice *choice,
                      reader_memory *memory, const float *pixels, const int32_t *starts,
                      size_t lines) {
    forward f = {.reader = reader,
                 .kernels = vl_kernels_get(),
                 .starts = starts,
                 .lines = lines,
                 .positions = (size_t)starts[lines]};
    lay_out(&f);
    if (f.used > memory->size) {
        free(memory->bytes);
        *memory = (reader_memory){.bytes = aligned_alloc(64, f.used), .size = f.used};
        if (!memory->bytes) {
            memory->size = 0;
            return NULL;
        }
    }
    f.memory = memory->bytes;
    lay_out(&f);
    stem(&f, pixels);
    run_layers(&f);
    tell_symbols(&f, choice);
    return f.logits;
}
