/* reader.c — the network `reader` as layers (model.h says what it is).
 *
 * Lines lie behind each other, column after column, so that none is padded and none sees
 * another. Lying so, two rows of a column are neighbours in memory: to halve the height is to
 * read two places of C channels as one of 2C, and the linear layer after it is a convolution of
 * two rows with a stride of two. */
#include "model/reader_net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATCH = 4 }; /* side of the first filters, which lie at every second pixel */

vl_reader_config vl_reader_config_default(void) {
    return (vl_reader_config){.stem = {32, 64, 128, 256},
                              .width = 256,
                              .blocks = 4,
                              .layers = 2,
                              .heads = 4,
                              .kernel = 11,
                              .expand = 4,
                              .squeeze = 100};
}

vl_status vl_reader_config_check(const vl_reader_config *c, vl_error *error) {
    for (size_t i = 0; i < VL_READER_STAGES; i++)
        if (c->stem[i] < 16 || c->stem[i] > 1024 || c->stem[i] % 16)
            return vl_fail(error, VL_ERR_INPUT,
                           "reader: stem[%zu] is %u; a multiple of 16 up to 1024 is needed", i,
                           c->stem[i]);
    if (c->width < 32 || c->width > 2048 || c->width % 32)
        return vl_fail(error, VL_ERR_INPUT,
                       "reader: a width of %u; a multiple of 32 up to 2048 is needed",
                       c->width);
    if (c->blocks > READER_MAX_LAYERS || c->layers > READER_MAX_LAYERS ||
        c->blocks + c->layers == 0)
        return vl_fail(error, VL_ERR_INPUT, "reader: more than %d blocks or layers, or none",
                       READER_MAX_LAYERS);
    if (!c->heads || c->width % c->heads)
        return vl_fail(error, VL_ERR_INPUT, "reader: width %u does not divide by %u heads",
                       c->width, c->heads);
    if (c->kernel % 2 == 0 || c->kernel > 63 || !c->expand || c->expand > 8)
        return vl_fail(error, VL_ERR_INPUT,
                       "reader: kernel is odd and up to 63, expand is 1 to 8; not %u and %u",
                       c->kernel, c->expand);
    if (c->squeeze < 25 || c->squeeze > 100)
        return vl_fail(error, VL_ERR_INPUT,
                       "reader: a line squeezed to %u hundredths; 25 to 100 are possible",
                       c->squeeze);
    if (!c->symbols || c->symbols > VL_READER_MAX_SYMBOLS)
        return vl_fail(error, VL_ERR_INPUT,
                       "reader: an alphabet of %u characters; 1 to %d is possible", c->symbols,
                       VL_READER_MAX_SYMBOLS);
    return VL_OK;
}

/* ---- parameters --------------------------------------------------------------------- */

typedef struct declare {
    vl_params *params;
    bool failed;
} declare;

static size_t add(declare *d, const char *prefix, const char *name, vl_param_init init,
                  double spread, size_t rank, const size_t *dims) {
    char full[VL_PARAM_NAME_SIZE];
    snprintf(full, sizeof full, "%s.%s", prefix, name);
    size_t index = vl_params_add(d->params, full, init, spread, rank, dims);
    d->failed |= index == SIZE_MAX;
    return index;
}

/* `gain` is what the layer's inputs are multiplied by, as standard deviations. */
static reader_affine add_linear(declare *d, const char *prefix, size_t out, size_t in,
                                double gain) {
    return (reader_affine){
        add(d, prefix, "weight", VL_INIT_NORMAL, gain * sqrt(1.0 / (double)in), 2,
            (size_t[]){out, in}),
        add(d, prefix, "bias", VL_INIT_ZERO, 0, 1, (size_t[]){out}),
    };
}

static reader_affine add_norm(declare *d, const char *prefix, size_t n) {
    return (reader_affine){add(d, prefix, "gain", VL_INIT_ONE, 0, 1, (size_t[]){n}),
                           add(d, prefix, "bias", VL_INIT_ZERO, 0, 1, (size_t[]){n})};
}

static const char *name_of(char *buffer, const char *prefix, size_t index, const char *name) {
    snprintf(buffer, VL_PARAM_NAME_SIZE, "%s.%zu.%s", prefix, index, name);
    return buffer;
}

static reader_separable add_separable(declare *d, size_t index, size_t in, size_t seen,
                                      size_t out) {
    char name[VL_PARAM_NAME_SIZE];
    reader_separable s;
    name_of(name, "stem", index, "filter");
    s.filter.weight = add(d, name, "weight", VL_INIT_NORMAL, 1.0 / 3, 3, (size_t[]){3, 3, in});
    s.filter.bias = add(d, name, "bias", VL_INIT_ZERO, 0, 1, (size_t[]){in});
    s.norm = add_norm(d, name_of(name, "stem", index, "norm"), in);
    s.mix = add_linear(d, name_of(name, "stem", index, "mix"), out, seen, sqrt(2));
    return s;
}

static reader_block add_block(declare *d, size_t index, const vl_reader_config *c,
                              double share) {
    char name[VL_PARAM_NAME_SIZE];
    size_t width = c->width, inner = c->expand * width;
    reader_block b;
    name_of(name, "block", index, "filter");
    b.filter.weight = add(d, name, "weight", VL_INIT_NORMAL, 1 / sqrt((double)c->kernel), 2,
                          (size_t[]){c->kernel, width});
    b.filter.bias = add(d, name, "bias", VL_INIT_ZERO, 0, 1, (size_t[]){width});
    b.norm = add_norm(d, name_of(name, "block", index, "norm"), width);
    b.up = add_linear(d, name_of(name, "block", index, "up"), inner, width, 1);
    b.down = add_linear(d, name_of(name, "block", index, "down"), width, inner, share);
    return b;
}

static reader_layer add_layer(declare *d, size_t index, const vl_reader_config *c,
                              double share) {
    char name[VL_PARAM_NAME_SIZE];
    size_t width = c->width, inner = c->expand * width;
    reader_layer l;
    l.norm1 = add_norm(d, name_of(name, "layer", index, "norm1"), width);
    l.qkv = add_linear(d, name_of(name, "layer", index, "qkv"), 3 * width, width, 1);
    l.out = add_linear(d, name_of(name, "layer", index, "out"), width, width, share);
    l.norm2 = add_norm(d, name_of(name, "layer", index, "norm2"), width);
    l.up = add_linear(d, name_of(name, "layer", index, "up"), inner, width, 1);
    l.down = add_linear(d, name_of(name, "layer", index, "down"), width, inner, share);
    return l;
}

static void declare_all(declare *d, vl_reader_net *net) {
    const vl_reader_config *c = &net->config;
    double share = 1 / sqrt((double)(c->blocks + 2 * c->layers));
    net->first = add_linear(d, "stem.first", c->stem[0], PATCH * PATCH, sqrt(2));
    for (size_t i = 0; i + 1 < VL_READER_STAGES; i++) /* all but the first read two rows */
        net->stem[i] =
            add_separable(d, i, c->stem[i], (i ? 2 : 1) * (size_t)c->stem[i], c->stem[i + 1]);
    net->project =
        add_linear(d, "stem.project", c->width, 3 * (size_t)c->stem[VL_READER_STAGES - 1], 1);
    net->project_norm = add_norm(d, "stem.norm", c->width);
    for (size_t i = 0; i < c->blocks; i++)
        net->block[i] = add_block(d, i, c, share);
    for (size_t i = 0; i < c->layers; i++)
        net->layer[i] = add_layer(d, i, c, share);
    net->last_norm = add_norm(d, "last.norm", c->width);
    net->symbols = add_linear(d, "symbols", c->symbols + 1, c->width, 0.5);
}

vl_status vl_reader_net_new(const vl_reader_config *config, vl_params *params,
                            vl_reader_net **out, vl_error *error) {
    *out = NULL;
    vl_status status = vl_reader_config_check(config, error);
    if (status)
        return status;
    vl_reader_net *net = calloc(1, sizeof *net);
    if (!net)
        return vl_fail(error, VL_ERR_MEMORY, "reader: no memory");
    net->config = *config;
    declare d = {.params = params};
    declare_all(&d, net);
    if (d.failed) {
        vl_reader_net_free(net);
        return vl_fail(error, VL_ERR_MEMORY, "reader: its parameters could not be declared");
    }
    *out = net;
    return VL_OK;
}

void vl_reader_net_free(vl_reader_net *net) {
    free(net);
}

const vl_reader_config *vl_reader_net_config(const vl_reader_net *net) {
    return &net->config;
}

/* ---- layers ------------------------------------------------------------------------- */

static vl_var *linear(vl_graph *graph, vl_var *x, reader_affine a) {
    return vl_nn_linear(graph, x, a.weight, a.bias);
}

static vl_var *norm(vl_graph *graph, vl_var *x, reader_affine a) {
    return vl_nn_layernorm(graph, x, a.weight, a.bias);
}

static vl_var *perceptron(vl_graph *graph, vl_var *x, reader_affine up, reader_affine down) {
    return linear(graph, vl_nn_gelu(graph, linear(graph, x, up)), down);
}

/* What all layers of a pass share. */
typedef struct pass {
    const vl_reader_net *net;
    vl_graph *graph;
    const int32_t *starts, *half; /* of lines, in positions, and in columns of half the width */
    size_t count;
    double dropout;
} pass;

static vl_var *residual(const pass *p, vl_var *x, vl_var *branch) {
    return vl_nn_add(p->graph, x, vl_nn_dropout(p->graph, branch, p->dropout));
}

/* One line's patches of 4 × 4 pixels at every second pixel, one pixel of paper around it; a
 * patch is [column,row]. */
static void cut_patches(const float *pixels, size_t width, vl_real *out) {
    enum { HIGH = VL_READER_HEIGHT, ROW = PATCH * PATCH };
    for (size_t x = 0; x < width; x += 2, out += HIGH / 2 * ROW)
        for (size_t dx = 0; dx < PATCH; dx++) {
            vl_real column[HIGH + 2] = {0};
            size_t px = x + dx - 1; /* below zero wraps */
            for (size_t y = 0; px < width && y < HIGH; y++)
                column[y + 1] = (vl_real)pixels[px * HIGH + y];
            for (size_t y = 0; y < HIGH; y += 2)
                memcpy(out + y / 2 * ROW + dx * PATCH, column + y, PATCH * sizeof *column);
        }
}

static vl_var *patches(const pass *p, const float *pixels) {
    size_t columns = 2 * (size_t)p->starts[p->count], rows = VL_READER_HEIGHT / 2;
    size_t each = rows * PATCH * PATCH;
    vl_real *out = vl_graph_keep(p->graph, NULL, columns * each * sizeof *out);
    for (size_t b = 0; out && b < p->count; b++) {
        size_t first = (size_t)p->starts[b], width = (size_t)p->starts[b + 1] - first;
        cut_patches(pixels + first * VL_READER_STRIDE * VL_READER_HEIGHT,
                    width * VL_READER_STRIDE, out + 2 * first * each);
    }
    return out ? vl_nn_input(p->graph, out, 3, (size_t[]){columns, rows, PATCH * PATCH}) : NULL;
}

/* [N,H,C] → [N,H/2,2C]: two rows of a column become one. */
static vl_var *pair_rows(vl_graph *graph, vl_var *x) {
    return x ? vl_nn_reshape(graph, x, 3,
                             (size_t[]){x->dims[0], x->dims[1] / 2, 2 * x->dims[2]})
             : NULL;
}

static vl_var *separable(const pass *p, vl_var *x, size_t index) {
    const reader_separable *s = &p->net->stem[index];
    bool halves = index == 0; /* the width too */
    x = vl_nn_depthwise_packed(p->graph, x, s->filter.weight, s->filter.bias, 3, halves ? 2 : 1,
                               halves ? p->half : p->starts, p->count);
    x = norm(p->graph, x, s->norm);
    return vl_nn_gelu(p->graph, linear(p->graph, halves ? x : pair_rows(p->graph, x), s->mix));
}

static vl_var *stem(const pass *p, const float *pixels, size_t mark) {
    vl_graph *graph = p->graph;
    vl_var *x = vl_nn_gelu(graph, linear(graph, patches(p, pixels), p->net->first));
    for (size_t i = 0; i + 1 < VL_READER_STAGES; i++)
        x = vl_graph_settle(graph, mark, separable(p, x, i));
    if (!x)
        return NULL;
    x = vl_nn_reshape(graph, x, 2, (size_t[]){x->dims[0], x->dims[1] * x->dims[2]});
    x = norm(graph, linear(graph, x, p->net->project), p->net->project_norm);
    return vl_graph_settle(graph, mark, x);
}

static vl_var *run_block(const pass *p, vl_var *x, const reader_block *b) {
    vl_var *y = vl_nn_filter_packed(p->graph, x, b->filter.weight, b->filter.bias,
                                    p->net->config.kernel, p->starts, p->count);
    y = perceptron(p->graph, norm(p->graph, y, b->norm), b->up, b->down);
    return residual(p, x, y);
}

static vl_var *run_layer(const pass *p, vl_var *x, const reader_layer *l) {
    vl_var *qkv = linear(p->graph, norm(p->graph, x, l->norm1), l->qkv);
    vl_var *y = vl_nn_self_attention_packed(p->graph, qkv, p->net->config.heads, false,
                                            p->starts, p->count);
    x = residual(p, x, linear(p->graph, y, l->out));
    return residual(p, x, perceptron(p->graph, norm(p->graph, x, l->norm2), l->up, l->down));
}

vl_var *vl_reader_look(const vl_reader_net *net, vl_graph *graph, const float *pixels,
                       const int32_t *starts, size_t count, double dropout) {
    const vl_reader_config *c = &net->config;
    int32_t *half = vl_graph_keep(graph, NULL, (count + 1) * sizeof *half);
    for (size_t b = 0; half && b <= count; b++)
        half[b] = 2 * starts[b];
    if (!half)
        return NULL;
    pass p = {.net = net,
              .graph = graph,
              .starts = starts,
              .half = half,
              .count = count,
              .dropout = dropout};
    size_t mark = vl_graph_mark(graph), layers = 0;
    vl_var *x = stem(&p, pixels, mark);
    /* Layers of attention stand evenly among the blocks, the last at the end. */
    for (size_t i = 0; i < c->blocks || layers < c->layers; i++) {
        if (i < c->blocks)
            x = vl_graph_settle(graph, mark, run_block(&p, x, &net->block[i]));
        for (; layers < c->layers && (layers + 1) * c->blocks <= (i + 1) * c->layers; layers++)
            x = vl_graph_settle(graph, mark, run_layer(&p, x, &net->layer[layers]));
    }
    return linear(graph, norm(graph, x, net->last_norm), net->symbols);
}
