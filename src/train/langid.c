/* langid.c — trains and scores language identification (text/langid_model.h has the model).
 *
 * Multinomial logistic regression by stochastic gradient descent: a random language, a random
 * line of it cut to a random length, sometimes with the mistakes OCR makes, one step. Then the
 * weights go to int8 and a temperature for each length of text is fitted, on lines that are
 * neither trained nor scored on. */
#include "text/langid_model.h"
#include "train/langid_data.h"

#include <vislang/kernel.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/utf8.h>

enum { CUTS = 4, MAX_TEXT = 2048, CALIBRATION_LINES = 60, MAX_HELD_BYTES = 256 << 20 };
/* Keeps the first steps of Adagrad from being huge. */
#define FIRST_SQUARE 1e-3f
static const size_t cut_letters[CUTS] = {20, 50, 100, 400};

/* xorshift64*: Vigna 2016. */
static uint64_t next_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static uint32_t below(uint64_t *state, size_t limit) {
    return limit ? (uint32_t)((next_random(state) >> 32) % limit) : 0;
}

/* ---- cutting texts --------------------------------------------------------------------------
 */

static size_t skip_points(const char *text, size_t bytes, size_t at, size_t points) {
    while (at < bytes && points--) {
        at++;
        while (at < bytes && ((unsigned char)text[at] & 0xC0) == 0x80)
            at++;
    }
    return at;
}

/* About `points` characters from a random place, beginning at a word where there are words. */
static void cut(const char *text, size_t points, uint64_t *state, char out[MAX_TEXT]) {
    size_t bytes = strlen(text), start = 0;
    size_t total = 0;
    for (size_t i = 0; i < bytes; i++)
        total += ((unsigned char)text[i] & 0xC0) != 0x80;
    if (total > points) {
        start = skip_points(text, bytes, 0, below(state, total - points));
        const char *space = strchr(text + start, ' ');
        if (start && space && (size_t)(space - text) < start + 24)
            start = (size_t)(space - text) + 1;
    }
    size_t end = skip_points(text, bytes, start, points);
    if (end - start >= MAX_TEXT)
        end = start + vl_utf8_valid_prefix(text + start, MAX_TEXT - 1);
    memcpy(out, text + start, end - start);
    out[end - start] = '\0';
}

/* Drops, doubles and swaps characters, about one in `one_in`. */
static void add_noise(char text[MAX_TEXT], unsigned one_in, uint64_t *state) {
    char noisy[MAX_TEXT];
    size_t used = 0, bytes = strlen(text);
    for (size_t at = 0; at < bytes && used + 8 < MAX_TEXT;) {
        size_t next = skip_points(text, bytes, at, 1);
        unsigned kind = below(state, one_in) ? 3 : below(state, 3);
        for (unsigned copies = kind == 0 ? 0 : kind == 1 ? 2 : 1; copies; copies--) {
            memcpy(noisy + used, text + at, next - at);
            used += next - at;
        }
        if (kind == 2)
            noisy[used++] = " .,'il1-"[below(state, 8)];
        at = next;
    }
    noisy[used] = '\0';
    memcpy(text, noisy, used + 1);
}

/* ---- training -------------------------------------------------------------------------------
 */

typedef struct net {
    size_t labels, width;
    uint32_t buckets;
    float *rows;    /* [buckets][width] */
    float *columns; /* [width][labels] */
    float *bias;    /* [labels] */
    /* Adagrad's sums of squared gradients, one a row and one a label. */
    float *row_squares, *label_squares;
    const vl_kernels *kernels;
} net;

/* `hidden` [width]: the sum of the features' rows over the root of how many they are. */
static void logits(const net *n, const uint32_t *features, size_t count, float *hidden,
                   float *out) {
    memset(hidden, 0, n->width * sizeof *hidden);
    for (size_t f = 0; f < count; f++)
        n->kernels->add(hidden, n->rows + (size_t)features[f] * n->width, n->width);
    float shrink = 1 / sqrtf((float)(count ? count : 1));
    memcpy(out, n->bias, n->labels * sizeof *out);
    for (size_t d = 0; d < n->width; d++) {
        hidden[d] *= shrink;
        n->kernels->axpy(out, hidden[d], n->columns + d * n->labels, n->labels);
    }
}

/* In place; returns -log of the target's probability. */
static double softmax_loss(float *values, size_t count, float temperature, size_t target) {
    float top = values[0];
    double sum = 0;
    for (size_t i = 1; i < count; i++)
        top = fmaxf(top, values[i]);
    for (size_t i = 0; i < count; i++)
        sum += (double)(values[i] = expf((values[i] - top) / temperature));
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(values[i] / sum);
    return -log(fmax(1e-12, (double)values[target]));
}

/* One step of Adagrad (Duchi, Hazan and Singer 2011), with one rate for a whole row or label: a
 * rare n-gram moves far when it is seen, a common one little. */
static double step(net *n, const uint32_t *features, size_t count, size_t target, float rate) {
    float error[VL_LANGID_MAX_LABELS], hidden[VL_LANGID_MAX_WIDTH], back[VL_LANGID_MAX_WIDTH];
    const vl_kernels *k = n->kernels;
    logits(n, features, count, hidden, error);
    double loss = softmax_loss(error, n->labels, 1, target);
    error[target] -= 1;
    for (size_t d = 0; d < n->width; d++)
        back[d] = k->dot(n->columns + d * n->labels, error, n->labels) / sqrtf((float)count);
    float length = k->dot(hidden, hidden, n->width) / (float)n->width;
    for (size_t i = 0; i < n->labels; i++) {
        n->label_squares[i] += error[i] * error[i] * length;
        error[i] *= -rate / sqrtf(n->label_squares[i]);
    }
    k->axpy(n->bias, 0.1f, error, n->labels);
    for (size_t d = 0; d < n->width; d++)
        k->axpy(n->columns + d * n->labels, hidden[d], error, n->labels);
    float square = k->dot(back, back, n->width) / (float)n->width;
    for (size_t f = 0; f < count; f++) {
        float *squares = &n->row_squares[features[f]];
        *squares += square;
        k->axpy(n->rows + (size_t)features[f] * n->width, -rate / sqrtf(*squares), back,
                n->width);
    }
    return loss;
}

/* A language, each as often as another, or one time in `unknown_share` a line of any of the
 * unknown ones. */
static const char *draw_line(const langid_recipe *r, uint64_t *state, size_t *target) {
    size_t known = r->language_count - r->unknown_groups, all = 0;
    if (below(state, 1000000) >= r->unknown_share * 1e6) {
        *target = below(state, known);
        const langid_lines *from = &r->languages[*target].train;
        return from->items[below(state, from->count)];
    }
    for (size_t i = known; i < r->language_count; i++)
        all += r->languages[i].train.count;
    size_t line = below(state, all);
    for (*target = known; line >= r->languages[*target].train.count; ++*target)
        line -= r->languages[*target].train.count;
    return r->languages[*target].train.items[line];
}

/* Forgets a share of the features, so that none is leaned on alone; returns how many stay. */
static size_t drop(uint32_t *features, size_t count, double share, uint64_t *state) {
    size_t kept = 0;
    for (size_t f = 0; f < count; f++)
        if (below(state, 1000000) >= share * 1e6)
            features[kept++] = features[f];
    return kept;
}

static void train_epochs(const langid_recipe *r, const vl_langid_training *t, net *n) {
    static const size_t lengths[] = {12, 20, 35, 50, 80, 120, 200};
    uint32_t features[VL_LANGID_MAX_FEATURES];
    char text[MAX_TEXT];
    uint64_t state = r->seed * 2 + 1;
    size_t known = r->language_count - r->unknown_groups;
    size_t per_epoch =
        (size_t)((double)(r->samples_per_language * known) / (1 - r->unknown_share));
    size_t done = 0;
    size_t total = per_epoch * r->epochs;
    for (unsigned epoch = 1; epoch <= r->epochs; epoch++) {
        double loss = 0;
        for (size_t s = 0; s < per_epoch; s++, done++) {
            size_t target;
            const char *line = draw_line(r, &state, &target);
            cut(line, lengths[below(&state, sizeof lengths / sizeof *lengths)], &state, text);
            if (below(&state, 3) == 0)
                add_noise(text, 8 + below(&state, 20), &state);
            size_t count = vl_langid_features(text, r->buckets, features, NULL);
            count = drop(features, count, r->dropout, &state);
            float rate = (float)(r->learning_rate * (1 - (double)done / (double)total));
            if (count)
                loss += step(n, features, count, target, rate);
        }
        if (t->progress)
            t->progress(epoch, r->epochs, loss / (double)per_epoch, t->user);
    }
}

/* ---- to a file ------------------------------------------------------------------------------
 */

/* To int8, one scale for each of the `width`, which goes into the columns: the net then
 * computes what the file will. */
static void quantise(net *n, int8_t *out) {
    for (size_t d = 0; d < n->width; d++) {
        float largest = 1e-6f;
        for (size_t b = 0; b < n->buckets; b++)
            largest = fmaxf(largest, fabsf(n->rows[b * n->width + d]));
        float scale = largest / 127;
        for (size_t b = 0; b < n->buckets; b++) {
            float *row = &n->rows[b * n->width + d];
            *row = rintf(*row / scale);
            out[b * n->width + d] = (int8_t)*row;
        }
        for (size_t i = 0; i < n->labels; i++)
            n->columns[d * n->labels + i] *= scale;
    }
}

/* The scripts of at least one line in twenty, most of it written in them. */
static void find_scripts(const langid_lines *from, vl_langid_label *label) {
    enum { LOOKED_AT = 1000, MAX_SEEN = 32 };
    struct {
        const char *name;
        size_t lines;
    } seen[MAX_SEEN] = {{0}};
    size_t stride = from->count / LOOKED_AT + 1, looked = 0, used = 0;
    for (size_t i = 0; i < from->count; i += stride, looked++) {
        const char *name = vl_text_script(from->items[i], NULL);
        size_t s = 0;
        while (s < MAX_SEEN - 1 && seen[s].name && strcmp(seen[s].name, name))
            s++;
        seen[s].name = name;
        seen[s].lines++;
    }
    for (size_t s = 0; s < MAX_SEEN && used < VL_LANGID_SCRIPTS; s++)
        if (seen[s].lines * 20 >= looked && seen[s].name && strcmp(seen[s].name, "Zyyy"))
            memcpy(label->scripts[used++], seen[s].name, 4);
}

/* Logits of a line kept for calibration, cut to so many characters, of label `target`. */
typedef void (*calibrate_fn)(const langid_recipe *r, float *values, size_t target, void *user);

/* At most CALIBRATION_LINES of each label. */
static void each_calibration_line(const langid_recipe *r, const net *n, size_t points,
                                  calibrate_fn look, void *user) {
    uint32_t features[VL_LANGID_MAX_FEATURES];
    float values[VL_LANGID_MAX_LABELS], hidden[VL_LANGID_MAX_WIDTH];
    char text[MAX_TEXT];
    uint64_t state = 7;
    for (size_t i = 0; i < r->language_count; i++) {
        const langid_lines *from = &r->languages[i].calibrate;
        size_t stride = from->count / CALIBRATION_LINES + 1;
        for (size_t j = 0; j < from->count; j += stride) {
            cut(from->items[j], points, &state, text);
            logits(n, features, vl_langid_features(text, r->buckets, features, NULL), hidden,
                   values);
            look(r, values, i, user);
        }
    }
}

typedef struct calibration {
    float temperature, unknown; /* as in vl_langid_header, of one length */
    double loss;                /* sum of -log of the probability of what it is */
    float *margins;             /* by how much "und" would have to gain to be said */
    size_t count;
} calibration;

/* Which labels are "und": the last ones. */
static size_t first_unknown(const langid_recipe *r) {
    return r->language_count - r->unknown_groups;
}

static void add_loss(const langid_recipe *r, float *values, size_t target, void *user) {
    calibration *c = user;
    size_t unknown = first_unknown(r);
    double own = 0;
    for (size_t i = unknown; i < r->language_count; i++)
        values[i] += c->unknown;
    softmax_loss(values, r->language_count, c->temperature, target);
    if (target < unknown)
        own = (double)values[target];
    else
        for (size_t i = unknown; i < r->language_count; i++)
            own += (double)values[i];
    c->loss -= log(fmax(1e-12, own));
}

static void add_margin(const langid_recipe *r, float *values, size_t target, void *user) {
    calibration *c = user;
    size_t unknown = first_unknown(r);
    float best = values[0];
    double sum = 0;
    for (size_t i = 1; i < unknown; i++)
        best = fmaxf(best, values[i]);
    for (size_t i = unknown; i < r->language_count; i++)
        sum += exp((double)((values[i] - best) / c->temperature));
    if (target < unknown)
        c->margins[c->count++] = -c->temperature * (float)log(fmax(1e-300, sum));
}

static void fit_temperature(const langid_recipe *r, const net *n, size_t points,
                            calibration *c) {
    calibration best = {.loss = HUGE_VAL};
    for (c->temperature = 0.4f; c->temperature < 4; c->temperature *= 1.15f) {
        c->loss = 0;
        each_calibration_line(r, n, points, add_loss, c);
        if (c->loss < best.loss)
            best = *c;
    }
    c->temperature = best.temperature;
}

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* So much that this share of texts in known languages is taken for unknown, within bounds that
 * matter only where there are few lines to tell by. */
#define UNKNOWN_MOST 2.0f
static void fit_unknown(const langid_recipe *r, const net *n, size_t points, double wrong,
                        calibration *c) {
    c->count = 0;
    each_calibration_line(r, n, points, add_margin, c);
    qsort(c->margins, c->count, sizeof *c->margins, by_size);
    c->unknown = c->count ? c->margins[(size_t)(wrong * (double)c->count)] : 0;
    c->unknown = fmaxf(-UNKNOWN_MOST, fminf(UNKNOWN_MOST, c->unknown));
}

static vl_status calibrate(const langid_recipe *r, const net *n, vl_langid_header *header,
                           vl_error *error) {
    calibration c = {0};
    c.margins = calloc(r->language_count * CALIBRATION_LINES, sizeof *c.margins);
    if (!c.margins)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    double wrong = r->unknown_wrong;
    for (size_t length = 0; length < CUTS; length++, wrong /= 2) {
        c.unknown = 0;
        fit_temperature(r, n, cut_letters[length], &c);
        fit_unknown(r, n, cut_letters[length], wrong, &c);
        fit_temperature(r, n, cut_letters[length], &c);
        header->temperatures[length] = c.temperature;
        header->unknown[length] = c.unknown;
    }
    free(c.margins);
    return VL_OK;
}

static void describe_labels(const langid_recipe *r, const net *n, vl_langid_label *labels) {
    for (size_t i = 0; i < n->labels; i++) {
        labels[i].bias = n->bias[i];
        memcpy(labels[i].code, r->languages[i].code, VL_LANG_SIZE);
        if (i + r->unknown_groups < n->labels)
            find_scripts(&r->languages[i].train, &labels[i]);
    }
}

static vl_status write_model(const langid_recipe *r, net *n, const char *path,
                             vl_error *error) {
    vl_langid_header header = {.magic = {'V', 'L', 'L', 'A', 'N', 'G', 'I', 'D'},
                               .version = VL_LANGID_VERSION,
                               .labels = (uint32_t)n->labels,
                               .buckets = n->buckets,
                               .width = (uint32_t)n->width};
    size_t row_bytes = n->buckets * n->width, column_bytes = n->labels * sizeof *n->columns;
    vl_langid_label *labels = calloc(n->labels, sizeof *labels);
    int8_t *rows = malloc(row_bytes);
    vl_buf file;
    vl_buf_init(&file, sizeof header + n->labels * sizeof *labels + n->width * column_bytes +
                           row_bytes);
    vl_status status = VL_OK;
    if (!labels || !rows)
        status = vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status) {
        quantise(n, rows);
        status = calibrate(r, n, &header, error);
    }
    if (!status) {
        describe_labels(r, n, labels);
        vl_buf_append(&file, &header, sizeof header);
        vl_buf_append(&file, labels, n->labels * sizeof *labels);
        for (size_t d = 0; d < n->width; d++)
            vl_buf_append(&file, n->columns + d * n->labels, column_bytes);
        vl_buf_append(&file, rows, row_bytes);
        status = vl_buf_status(&file, "the model", error);
    }
    if (!status)
        status = vl_file_write(path, file.data, file.len, error);
    vl_buf_deinit(&file);
    free(labels);
    free(rows);
    return status;
}

/* Rows begin as small random numbers, all else as 0. */
static vl_status make_net(const langid_recipe *r, net *n, vl_error *error) {
    *n = (net){.labels = r->language_count,
               .buckets = r->buckets,
               .width = r->width,
               .kernels = vl_kernels_get()};
    n->rows = calloc((size_t)n->buckets * n->width, sizeof *n->rows);
    n->columns = calloc(n->width * n->labels, sizeof *n->columns);
    n->bias = calloc(n->labels, sizeof *n->bias);
    n->row_squares = calloc(n->buckets, sizeof *n->row_squares);
    n->label_squares = calloc(n->labels, sizeof *n->label_squares);
    if (!n->rows || !n->columns || !n->bias || !n->row_squares || !n->label_squares)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the weights");
    uint64_t state = r->seed * 2 + 1;
    for (size_t i = 0; i < (size_t)n->buckets * n->width; i++)
        n->rows[i] = ((float)below(&state, 2001) / 1000 - 1) / (float)n->width;
    for (size_t i = 0; i < n->buckets; i++)
        n->row_squares[i] = FIRST_SQUARE;
    for (size_t i = 0; i < n->labels; i++)
        n->label_squares[i] = FIRST_SQUARE;
    return VL_OK;
}

vl_status vl_langid_train(const vl_langid_training *training, const char *out_path,
                          vl_error *error) {
    langid_recipe recipe;
    net n = {0};
    vl_status status = langid_recipe_load(training->recipe, training->data_dir, &recipe, error);
    if (status)
        goto out;
    status = make_net(&recipe, &n, error);
    if (status)
        goto out;
    train_epochs(&recipe, training, &n);
    status = write_model(&recipe, &n, out_path, error);
out:
    free(n.rows);
    free(n.columns);
    free(n.bias);
    free(n.row_squares);
    free(n.label_squares);
    langid_recipe_free(&recipe);
    return status;
}

/* ---- scoring --------------------------------------------------------------------------------
 */

typedef struct confusion {
    char code[VL_LANG_SIZE];
    uint32_t count;
} confusion;

static void count_wrong(confusion *wrong, size_t max, const char *said) {
    for (size_t i = 0; i < max; i++)
        if (!wrong[i].count || !strcmp(wrong[i].code, said)) {
            snprintf(wrong[i].code, sizeof wrong[i].code, "%s", said);
            wrong[i].count++;
            return;
        }
}

/* One held-out line, cut to about cut_letters[length] characters. */
typedef void (*cut_fn)(const lang_data *from, size_t line, size_t length, const char *text,
                       void *user);

/* The cuts that scores are over, the same ones every time. */
static void each_held_cut(const lang_data *from, cut_fn look, void *user) {
    enum { MAX_SCORED = 500 };
    char text[MAX_TEXT];
    uint64_t state = 11;
    size_t stride = from->held.count / MAX_SCORED + 1;
    for (size_t j = 0; j < from->held.count; j += stride)
        for (size_t c = 0; c < CUTS; c++) {
            cut(from->held.items[j], cut_letters[c], &state, text);
            look(from, j, c, text, user);
        }
}

enum { MAX_CONFUSIONS = 32 };
typedef struct scoring {
    const vl_langid *langid;
    vl_langid_score *score;
    confusion wrong[MAX_CONFUSIONS];
} scoring;

static void score_cut(const lang_data *from, size_t line, size_t length, const char *text,
                      void *user) {
    scoring *s = user;
    vl_lang_guess guess = {.code = ""};
    (void)line;
    vl_langid_guess(s->langid, text, 1, &guess);
    bool right = !strcmp(guess.code, from->code);
    s->score->count[length]++;
    s->score->right[length] += right;
    if (!right)
        count_wrong(s->wrong, MAX_CONFUSIONS, guess.code);
}

static void score_language(const lang_data *from, const vl_langid *langid,
                           vl_langid_score *score) {
    scoring s = {.langid = langid, .score = score};
    *score = (vl_langid_score){0};
    snprintf(score->code, sizeof score->code, "%s", from->code);
    each_held_cut(from, score_cut, &s);
    for (size_t i = 0, most = 0; i < MAX_CONFUSIONS; i++)
        if (s.wrong[i].count > most) {
            most = s.wrong[i].count;
            snprintf(score->mostly, sizeof score->mostly, "%s", s.wrong[i].code);
        }
}

/* The languages, and all of "und" as one. */
static size_t scored_labels(const langid_recipe *r) {
    return r->language_count - r->unknown_groups + 1;
}

vl_status vl_langid_evaluate(const vl_langid_training *training, const vl_langid *langid,
                             vl_langid_score *scores, size_t max, size_t *count,
                             vl_error *error) {
    langid_recipe recipe;
    *count = 0;
    vl_status status = langid_recipe_load(training->recipe, training->data_dir, &recipe, error);
    for (size_t i = 0; !status && i < scored_labels(&recipe) && i < max; i++)
        score_language(&recipe.languages[i], langid, &scores[(*count)++]);
    langid_recipe_free(&recipe);
    return status;
}

static void write_cut(const lang_data *from, size_t line, size_t length, const char *text,
                      void *user) {
    vl_buf *out = user;
    vl_buf_printf(out, "%s\t%s\t%zu\t", from->code, from->held.files[line],
                  cut_letters[length]);
    for (const char *c = text; *c; c++)
        vl_buf_append(out, *c == '\t' ? " " : c, 1);
    vl_buf_append(out, "\n", 1);
}

vl_status vl_langid_write_held_out(const vl_langid_training *training, const char *out_path,
                                   vl_error *error) {
    langid_recipe recipe;
    vl_buf out;
    vl_buf_init(&out, MAX_HELD_BYTES);
    vl_status status = langid_recipe_load(training->recipe, training->data_dir, &recipe, error);
    for (size_t i = 0; !status && i < scored_labels(&recipe); i++)
        each_held_cut(&recipe.languages[i], write_cut, &out);
    if (!status)
        status = vl_buf_status(&out, "the held-out text", error);
    if (!status)
        status = vl_file_write(out_path, out.data, out.len, error);
    vl_buf_deinit(&out);
    langid_recipe_free(&recipe);
    return status;
}
