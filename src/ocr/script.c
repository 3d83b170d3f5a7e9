/* script.c — script and turn of a page from the shapes of its marks.
 *
 *   vl_script_model_open, _parse, _free
 *   vl_script_anchors, _window, _features   a page as windows, a window as numbers
 *   vl_script_score                         the network on one window
 *   vl_script_judge                         what the windows say together */
#include "ocr/script.h"

#include <leptonica/allheaders.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_BYTES = 8 << 20, OUTPUTS_MAX = VL_SCRIPT_LABELS_MAX * VL_SCRIPT_TURNS };
static const double SIDE_IN_MARKS = 3.0; /* a window's side, in usual sizes of a mark */
static const double PI = 3.14159265358979323846;

struct vl_script_model {
    vl_script_header header;
    size_t outputs;
    char (*labels)[4];
    float *scales1, *biases1, *scales2, *biases2;
    int8_t *weights1, *weights2;
};

/* ---- the model's file ---------------------------------------------------------------------
 */

static bool are_sane(const float *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(values[i]) < 1e6f))
            return false;
    return true;
}

static bool are_codes(const char (*labels)[4], size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < 4; c++)
            if (c ? labels[i][c] < 'a' || labels[i][c] > 'z'
                  : labels[i][c] < 'A' || labels[i][c] > 'Z')
                return false;
    return true;
}

/* A copy of the next `count` bytes at `*at`; NULL: no memory. */
static void *take(const char **at, size_t count) {
    void *copy = malloc(count ? count : 1);
    if (copy)
        memcpy(copy, *at, count);
    *at += count;
    return copy;
}

static vl_status parse_into(vl_script_model *m, const char *bytes, size_t count,
                            vl_error *error) {
    vl_script_header *h = &m->header;
    if (count < sizeof *h)
        return vl_fail(error, VL_ERR_INPUT, "it ends in its header");
    memcpy(h, bytes, sizeof *h);
    if (memcmp(h->magic, "VLSCRIPT", 8) != 0)
        return vl_fail(error, VL_ERR_INPUT, "it is no model of scripts");
    if (h->version != VL_SCRIPT_VERSION)
        return vl_fail(error, VL_ERR_UNSUPPORTED, "it has version %u; this program reads %d",
                       h->version, VL_SCRIPT_VERSION);
    if (!h->labels || h->labels > VL_SCRIPT_LABELS_MAX || !h->hidden ||
        h->hidden > VL_SCRIPT_HIDDEN_MAX || !(h->trust >= 0 && h->trust <= 1))
        return vl_fail(error, VL_ERR_INPUT, "it claims %u scripts and %u hidden units",
                       h->labels, h->hidden);
    size_t hidden = h->hidden, outputs = (size_t)h->labels * VL_SCRIPT_TURNS;
    size_t want = sizeof *h + (size_t)h->labels * 4 + 2 * hidden * sizeof(float) +
                  hidden * VL_SCRIPT_FEATURES + 2 * outputs * sizeof(float) + outputs * hidden;
    if (count != want)
        return vl_fail(error, VL_ERR_INPUT, "it has %zu bytes and should have %zu", count,
                       want);
    const char *at = bytes + sizeof *h;
    m->outputs = outputs;
    m->labels = take(&at, (size_t)h->labels * 4);
    m->scales1 = take(&at, hidden * sizeof(float));
    m->biases1 = take(&at, hidden * sizeof(float));
    m->weights1 = take(&at, hidden * VL_SCRIPT_FEATURES);
    m->scales2 = take(&at, outputs * sizeof(float));
    m->biases2 = take(&at, outputs * sizeof(float));
    m->weights2 = take(&at, outputs * hidden);
    if (!m->labels || !m->scales1 || !m->biases1 || !m->weights1 || !m->scales2 ||
        !m->biases2 || !m->weights2)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!are_codes((const char(*)[4])m->labels, h->labels) || !are_sane(m->scales1, hidden) ||
        !are_sane(m->biases1, hidden) || !are_sane(m->scales2, outputs) ||
        !are_sane(m->biases2, outputs))
        return vl_fail(error, VL_ERR_INPUT, "a label or a number in it is out of range");
    return VL_OK;
}

vl_status vl_script_model_parse(const void *bytes, size_t count, vl_script_model **model,
                                vl_error *error) {
    *model = NULL;
    vl_script_model *m = calloc(1, sizeof *m);
    if (!m)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_status status = parse_into(m, bytes, count, error);
    if (status)
        vl_script_model_free(m);
    else
        *model = m;
    return status;
}

vl_status vl_script_model_open(const char *path, vl_script_model **model, vl_error *error) {
    char bundled[4096];
    vl_buf file;
    *model = NULL;
    if (!path) {
        snprintf(bundled, sizeof bundled, "%s/models/script.bin", vl_data_dir());
        path = bundled;
    }
    vl_buf_init(&file, MAX_FILE_BYTES);
    vl_status status = vl_file_read(path, MAX_FILE_BYTES, &file, error);
    if (!status && (status = vl_script_model_parse(file.data, file.len, model, error)))
        vl_error_prefix(error, "%s", path);
    vl_buf_deinit(&file);
    return status;
}

void vl_script_model_free(vl_script_model *m) {
    if (!m)
        return;
    free(m->labels);
    free(m->scales1);
    free(m->biases1);
    free(m->weights1);
    free(m->scales2);
    free(m->biases2);
    free(m->weights2);
    free(m);
}

/* ---- windows ------------------------------------------------------------------------------
 */

static int32_t shorter(vl_box mark) {
    return mark.width < mark.height ? mark.width : mark.height;
}

static int32_t longer(vl_box mark) {
    return mark.width > mark.height ? mark.width : mark.height;
}

/* Of the page's marks, not of its rules, frames and specks. */
static bool is_shape(const vl_ocr_picture *picture, vl_box mark) {
    int32_t width = pixGetWidth(picture->upright), height = pixGetHeight(picture->upright);
    int32_t page = width < height ? width : height;
    return longer(mark) >= 4 && shorter(mark) >= 2 && longer(mark) <= 40 * shorter(mark) &&
           (shorter(mark) * 3 < page || shorter(mark) < 150);
}

static int by_number(const void *a, const void *b) {
    return *(const int32_t *)a - *(const int32_t *)b;
}

/* The median of the marks' shorter sides, each weighing itself: it is the same however the page
 * is turned, for letters that stand alone and for words written in one go. */
static double usual_size(const vl_ocr_picture *picture) {
    const vl_ocr_survey *survey = &picture->survey;
    int32_t *sizes = malloc((survey->mark_count + 1) * sizeof *sizes);
    double total = 0, run = 0, usual = 0;
    size_t n = 0;
    for (size_t i = 0; sizes && i < survey->mark_count; i++)
        if (is_shape(picture, survey->marks[i]))
            total += sizes[n++] = shorter(survey->marks[i]);
    if (n)
        qsort(sizes, n, sizeof *sizes, by_number);
    for (size_t i = 0; i < n && usual == 0; i++)
        if ((run += sizes[i]) * 2 >= total)
            usual = sizes[i];
    free(sizes);
    return usual;
}

static size_t windows_of(vl_box mark, double usual) {
    if (shorter(mark) < 0.3 * usual || shorter(mark) > 3 * usual ||
        longer(mark) < 0.6 * usual || longer(mark) > 40 * usual)
        return 0;
    return 1 + (size_t)(longer(mark) / (2 * usual));
}

size_t vl_script_anchors(const vl_ocr_picture *picture, vl_script_anchor *anchors, size_t max,
                         double *side) {
    const vl_ocr_survey *survey = &picture->survey;
    double usual = usual_size(picture);
    size_t all = 0, seen = 0, n = 0;
    *side = usual * SIDE_IN_MARKS * picture->scale;
    for (size_t i = 0; usual > 0 && i < survey->mark_count; i++)
        if (is_shape(picture, survey->marks[i]))
            all += windows_of(survey->marks[i], usual);
    for (size_t i = 0; all && i < survey->mark_count; i++) {
        vl_box m = survey->marks[i];
        size_t here = is_shape(picture, m) ? windows_of(m, usual) : 0;
        for (size_t k = 0; k < here; k++, seen++) {
            if (all > max && seen * max / all == (seen + 1) * max / all)
                continue;
            double share = ((double)k + 0.5) / (double)here;
            bool wide = m.width >= m.height;
            double x = m.x + m.width * (wide ? share : 0.5);
            double y = m.y + m.height * (wide ? 0.5 : share);
            if (n < max)
                anchors[n++] = (vl_script_anchor){(float)(x * picture->scale),
                                                  (float)(y * picture->scale)};
        }
    }
    return n;
}

static double point_at(l_uint32 *data, size_t words, int32_t width, int32_t height, double x,
                       double y) {
    int32_t column = (int32_t)floor(x), row = (int32_t)floor(y);
    column = column < 0 ? 0 : column >= width ? width - 1 : column;
    row = row < 0 ? 0 : row >= height ? height - 1 : row;
    return GET_DATA_BYTE(data + (size_t)row * words, column);
}

void vl_script_window(const vl_ocr_picture *picture, vl_script_anchor anchor, double side,
                      size_t cells, uint8_t *window) {
    enum { POINTS_MAX = 4 };
    PIX *work = picture->work;
    l_uint32 *data = pixGetData(work);
    size_t words = (size_t)pixGetWpl(work);
    int32_t width = pixGetWidth(work), height = pixGetHeight(work);
    double cell = side / (double)cells;
    size_t points = cell < 1 ? 1 : cell > POINTS_MAX ? POINTS_MAX : (size_t)ceil(cell);
    double left = (double)anchor.x - side / 2, top = (double)anchor.y - side / 2;
    for (size_t r = 0; r < cells; r++)
        for (size_t c = 0; c < cells; c++) {
            double sum = 0;
            for (size_t p = 0; p < points * points; p++) {
                double dx = ((double)(p % points) + 0.5) / (double)points;
                double dy = ((double)(p / points) + 0.5) / (double)points;
                sum += point_at(data, words, width, height, left + cell * ((double)c + dx),
                                top + cell * ((double)r + dy));
            }
            window[r * cells + c] = (uint8_t)(sum / (double)(points * points) + 0.5);
        }
}

/* ---- features -----------------------------------------------------------------------------
 */

/* Ink 0 … 1 from tones; false: the window has no contrast. */
static bool to_ink(const uint8_t *window, float ink[VL_SCRIPT_SIDE * VL_SCRIPT_SIDE]) {
    enum { CONTRAST = 32 };
    int low = 255, high = 0;
    for (size_t i = 0; i < VL_SCRIPT_SIDE * VL_SCRIPT_SIDE; i++) {
        low = window[i] < low ? window[i] : low;
        high = window[i] > high ? window[i] : high;
    }
    if (high - low < CONTRAST)
        return false;
    for (size_t i = 0; i < VL_SCRIPT_SIDE * VL_SCRIPT_SIDE; i++)
        ink[i] = (float)(high - window[i]) / (float)(high - low);
    return true;
}

/* One point's gradient into the two nearest directions of its cell. */
static void add_direction(float *cell, float dx, float dy) {
    float strength = sqrtf(dx * dx + dy * dy);
    float at = atan2f(dy, dx) / (float)(2 * PI) * VL_SCRIPT_DIRECTIONS + VL_SCRIPT_DIRECTIONS;
    float first = floorf(at), rest = at - first;
    cell[(size_t)first % VL_SCRIPT_DIRECTIONS] += strength * (1 - rest);
    cell[((size_t)first + 1) % VL_SCRIPT_DIRECTIONS] += strength * rest;
}

/* Square roots of shares (large counts say less: Hellinger's distance), around their mean. */
static void level(float *values, size_t count) {
    float sum = 1e-6f, mean = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    float scale = (float)count / sum;
    for (size_t i = 0; i < count; i++)
        mean += values[i] = sqrtf(values[i] * scale);
    mean /= (float)count;
    for (size_t i = 0; i < count; i++)
        values[i] -= mean;
}

bool vl_script_features(const uint8_t *window, float features[VL_SCRIPT_FEATURES]) {
    enum {
        SIDE = VL_SCRIPT_SIDE,
        EDGES = VL_SCRIPT_CELLS * VL_SCRIPT_CELLS * VL_SCRIPT_DIRECTIONS
    };
    float ink[SIDE * SIDE];
    memset(features, 0, VL_SCRIPT_FEATURES * sizeof *features);
    if (!to_ink(window, ink))
        return false;
    for (size_t y = 1; y + 1 < SIDE; y++)
        for (size_t x = 1; x + 1 < SIDE; x++) {
            const float *p = ink + y * SIDE + x;
            float dx = p[1] - p[-1], dy = p[SIDE] - p[-SIDE];
            size_t cell =
                y * VL_SCRIPT_CELLS / SIDE * VL_SCRIPT_CELLS + x * VL_SCRIPT_CELLS / SIDE;
            if (dx != 0 || dy != 0)
                add_direction(features + cell * VL_SCRIPT_DIRECTIONS, dx, dy);
        }
    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++)
            features[EDGES + y * VL_SCRIPT_INK / SIDE * VL_SCRIPT_INK +
                     x * VL_SCRIPT_INK / SIDE] += ink[y * SIDE + x];
    level(features, EDGES);
    level(features + EDGES, VL_SCRIPT_INK * VL_SCRIPT_INK);
    return true;
}

/* ---- the network --------------------------------------------------------------------------
 */

/* In lanes, which the compiler keeps in one register. */
static float product(const float *values, const int8_t *weights, size_t count) {
    enum { LANES = 8 };
    float sums[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            sums[k] += values[i + k] * weights[i + k];
    for (; i < count; i++)
        sum += values[i] * weights[i];
    for (size_t k = 0; k < LANES; k++)
        sum += sums[k];
    return sum;
}

void vl_script_score(const vl_script_model *m, const float features[VL_SCRIPT_FEATURES],
                     float *outputs) {
    float hidden[VL_SCRIPT_HIDDEN_MAX], top = -1e30f;
    double sum = 0;
    for (size_t j = 0; j < m->header.hidden; j++) {
        const int8_t *w = m->weights1 + j * VL_SCRIPT_FEATURES;
        float x = product(features, w, VL_SCRIPT_FEATURES);
        x = x * m->scales1[j] + m->biases1[j];
        hidden[j] = x > 0 ? x : 0;
    }
    for (size_t k = 0; k < m->outputs; k++) {
        const int8_t *w = m->weights2 + k * m->header.hidden;
        float x = product(hidden, w, m->header.hidden);
        outputs[k] = x * m->scales2[k] + m->biases2[k];
        top = outputs[k] > top ? outputs[k] : top;
    }
    for (size_t k = 0; k < m->outputs; k++)
        sum += exp((double)(outputs[k] - top));
    for (size_t k = 0; k < m->outputs; k++)
        outputs[k] -= top + (float)log(sum);
}

/* ---- the verdict --------------------------------------------------------------------------
 */

static void to_probabilities(double *values, size_t count) {
    double top = values[0], sum = 0;
    for (size_t i = 1; i < count; i++)
        top = values[i] > top ? values[i] : top;
    for (size_t i = 0; i < count; i++)
        sum += values[i] = exp(values[i] - top);
    for (size_t i = 0; i < count; i++)
        values[i] /= sum;
}

static void rank(const vl_script_model *m, const double *joint, vl_script_verdict *verdict) {
    double scripts[VL_SCRIPT_LABELS_MAX] = {0}, turns[VL_SCRIPT_TURNS] = {0};
    for (size_t k = 0; k < m->outputs; k++) {
        scripts[k / VL_SCRIPT_TURNS] += joint[k];
        turns[k % VL_SCRIPT_TURNS] += joint[k];
    }
    for (size_t t = 0; t < VL_SCRIPT_TURNS; t++)
        if (turns[t] > verdict->rotation_probability) {
            verdict->rotation_probability = turns[t];
            verdict->rotation = (int)t * 90;
        }
    size_t most = sizeof verdict->guesses / sizeof *verdict->guesses;
    for (; verdict->count < most && verdict->count < m->header.labels; verdict->count++) {
        size_t best = 0, turn = 0;
        for (size_t s = 1; s < m->header.labels; s++)
            best = scripts[s] > scripts[best] ? s : best;
        for (size_t t = 1; t < VL_SCRIPT_TURNS; t++)
            if (joint[best * VL_SCRIPT_TURNS + t] > joint[best * VL_SCRIPT_TURNS + turn])
                turn = t;
        vl_script_guess *guess = &verdict->guesses[verdict->count];
        snprintf(guess->script, sizeof guess->script, "%.4s", m->labels[best]);
        guess->probability = scripts[best];
        guess->rotation = (int)turn * 90;
        scripts[best] = -1;
    }
}

/* Windows share their page's font and paper, so that they say less together than apart: their
 * logarithms count in full up to UNSHARED of them, and by `trust` beyond. */
void vl_script_judge(const vl_script_model *m, const vl_ocr_picture *picture,
                     vl_script_verdict *verdict) {
    enum { UNSHARED = 4 };
    static const double FLOOR = 1e-4; /* no one window rules a script out */
    vl_script_anchor anchors[VL_SCRIPT_WINDOWS_MAX];
    uint8_t window[VL_SCRIPT_SIDE * VL_SCRIPT_SIDE];
    float features[VL_SCRIPT_FEATURES], outputs[OUTPUTS_MAX];
    double joint[OUTPUTS_MAX] = {0}, side = 0;
    memset(verdict, 0, sizeof *verdict);
    size_t count = vl_script_anchors(picture, anchors, VL_SCRIPT_WINDOWS_MAX, &side);
    for (size_t i = 0; i < count; i++) {
        vl_script_window(picture, anchors[i], side, VL_SCRIPT_SIDE, window);
        if (!vl_script_features(window, features))
            continue;
        vl_script_score(m, features, outputs);
        for (size_t k = 0; k < m->outputs; k++)
            joint[k] += log(exp((double)outputs[k]) + FLOOR);
        verdict->windows++;
    }
    if (!verdict->windows)
        return;
    double n = (double)verdict->windows;
    double count_as = n <= UNSHARED ? n : UNSHARED + (n - UNSHARED) * (double)m->header.trust;
    for (size_t k = 0; k < m->outputs; k++)
        joint[k] *= count_as / n;
    to_probabilities(joint, m->outputs);
    rank(m, joint, verdict);
}
