/* seer_session.c — looks at one picture: places, labels, vectors. */
#include "model/seer_use.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRAPH_BYTES = 1 << 30, ROWS = 6 };

static void free_beams(vl_seer_session *s) {
    free(s->logits);
    free(s->rounded);
    for (size_t i = 0; i < ROWS; i++)
        free(s->row[i]);
    for (size_t i = 0; i < SEER_MAX_LAYERS; i++) {
        free(s->text[i].kv);
        free(s->mixed[i].kv);
    }
}

vl_status seer_session_reserve(vl_seer_session *s, size_t beams, vl_error *error) {
    if (beams <= s->beams)
        return VL_OK;
    const vl_seer_config *c = &s->seer->config;
    size_t width = c->widths[2], cache = 2 * beams * c->max_text * 2 * width;
    vl_seer_session grown = *s; /* all but what is made here is shared */
    grown.beams = beams;
    grown.logits = calloc(beams * c->vocabulary, sizeof(float));
    grown.rounded = aligned_alloc(64, vl_quant_input_bytes(beams, 4 * width));
    bool ok = grown.logits && grown.rounded;
    for (size_t i = 0; i < ROWS; i++)
        ok = (grown.row[i] = calloc(beams * 4 * width, sizeof(float))) && ok;
    for (size_t i = 0; i < c->text_layers; i++)
        ok = (grown.text[i].kv = calloc(cache, sizeof(float))) && ok;
    for (size_t i = 0; i < c->mixed_layers; i++)
        ok = (grown.mixed[i].kv = calloc(cache, sizeof(float))) && ok;
    free_beams(ok ? s : &grown);
    if (!ok)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to write with %zu beams", beams);
    *s = grown;
    return VL_OK;
}

vl_seer_session *vl_seer_session_new(const vl_seer *seer) {
    vl_seer_session *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    const vl_seer_config *c = &seer->config;
    size_t width = c->widths[2], side = c->picture;
    vl_graph_options options = {.max_bytes = GRAPH_BYTES,
                                .precision =
                                    vl_cpu_has_bf16() ? VL_PRECISION_BF16 : VL_PRECISION_F32};
    s->seer = seer;
    s->places = (size_t)(side / 16) * (side / 16);
    s->graph = vl_graph_new(seer->params, &options);
    s->place = calloc(s->places * width, sizeof(float));
    s->pooled = calloc(width, sizeof(float));
    s->picture = calloc(c->vector, sizeof(float));
    s->pixels = calloc(side * side * 3, sizeof(float));
    bool ok = s->graph && s->place && s->pooled && s->picture && s->pixels;
    for (size_t i = 0; i < c->mixed_layers; i++)
        ok = (s->cross[i] = calloc(s->places * 2 * width, sizeof(float))) && ok;
    if (ok && !seer_session_reserve(s, 1, NULL))
        return s;
    vl_seer_session_free(s);
    return NULL;
}

void vl_seer_session_free(vl_seer_session *s) {
    if (!s)
        return;
    vl_graph_free(s->graph);
    free(s->place);
    free(s->pooled);
    free(s->picture);
    free(s->pixels);
    for (size_t i = 0; i < SEER_MAX_LAYERS; i++)
        free(s->cross[i]);
    free_beams(s);
    free(s);
}

/* The whole picture at the network's size, as training squashed it. */
static vl_status read_pixels(vl_seer_session *s, const vl_image *image, vl_error *error) {
    uint32_t side = s->seer->config.picture;
    vl_image *sized = vl_image_resize(image, side, side);
    if (!sized)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a picture of %u pixels", side);
    float *out = s->pixels;
    for (size_t y = 0; y < side; y++)
        for (size_t x = 0; x < side; x++)
            for (size_t c = 0; c < 3; c++) {
                uint8_t value = sized->pixels[y * sized->stride + x * sized->channels +
                                              (sized->channels == 3 ? c : 0)];
                *out++ = ((float)value / 255.0f - 0.5f) / 0.25f;
            }
    vl_image_free(sized);
    return VL_OK;
}

vl_status vl_seer_session_look(vl_seer_session *s, const vl_image *image, vl_error *error) {
    const vl_seer *seer = s->seer;
    size_t side = seer->config.picture, width = seer->config.widths[2];
    s->looked = s->crossed = false;
    vl_status status = read_pixels(s, image, error);
    if (status)
        return status;
    vl_graph_reset(s->graph, 0);
    vl_var *x = vl_nn_input(s->graph, s->pixels, 4, (size_t[]){1, side, side, 3});
    vl_var *places = vl_seer_look(seer->net, s->graph, x, (vl_seer_rates){0});
    vl_var *pooled = vl_seer_pool(seer->net, s->graph, places);
    vl_var *vector = vl_seer_picture_vector(seer->net, s->graph, pooled);
    status = vl_graph_status(s->graph, error);
    if (status)
        return status;
    memcpy(s->place, places->value, s->places * width * sizeof(float));
    memcpy(s->pooled, pooled->value, width * sizeof(float));
    memcpy(s->picture, vector->value, seer->config.vector * sizeof(float));
    s->looked = true;
    return VL_OK;
}

/* ---- labels ------------------------------------------------------------------------- */

static int by_probability(const void *a, const void *b) {
    double x = ((const vl_seer_guess *)a)->probability,
           y = ((const vl_seer_guess *)b)->probability;
    return x < y ? 1 : x > y ? -1 : 0;
}

size_t vl_seer_labels(vl_seer_session *s, const char *set, vl_seer_guess *guesses, size_t max) {
    const vl_seer *seer = s->seer;
    size_t h = 0, count = 0;
    while (h < seer->config.head_count && strcmp(seer->config.label_heads[h].name, set) != 0)
        h++;
    if (!s->looked || h == seer->config.head_count)
        return 0;
    vl_graph_reset(s->graph, 0);
    vl_var *pooled = vl_nn_input(s->graph, s->pooled, 2, (size_t[]){1, seer->config.widths[2]});
    vl_var *logits = vl_seer_label(seer->net, s->graph, pooled, h);
    if (!logits)
        return 0;
    const vl_seer_head *head = &seer->config.label_heads[h];
    vl_seer_guess all[VL_SEER_MAX_LABELS];
    double sum = 0, most = -INFINITY;
    for (size_t i = 0; i < head->labels; i++)
        if (seer->facts.trained[h][i] && logits->value[i] > most)
            most = logits->value[i];
    for (size_t i = 0; i < head->labels; i++)
        if (seer->facts.trained[h][i]) {
            double p = exp((logits->value[i] - most) / seer->facts.temperature[h]);
            all[count++] = (vl_seer_guess){.label = head->label[i], .probability = p};
            sum += p;
        }
    for (size_t i = 0; i < count; i++) {
        all[i].probability /= sum;
        all[i].sure = all[i].probability >= seer->facts.labels.threshold;
    }
    qsort(all, count, sizeof *all, by_probability);
    count = count < max ? count : max;
    memcpy(guesses, all, count * sizeof *all);
    return count;
}

void vl_seer_picture_embedding(vl_seer_session *s, float *vector) {
    memcpy(vector, s->picture, s->seer->config.vector * sizeof *vector);
}
