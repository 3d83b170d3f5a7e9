/* seer.c — the network `seer` as layers (model.h says what it is).
 *
 * Read vl_seer_look (picture → places), vl_seer_read (text alone), vl_seer_mix (text beside
 * places); everything else declares parameters or is one projection. */
#include "model/seer_net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

vl_seer_config vl_seer_config_default(void) {
    return (vl_seer_config){.picture = 192,
                            .widths = {64, 128, 256},
                            .blocks = {2, 2},
                            .kernel = 5,
                            .layers = 6,
                            .heads = 4,
                            .grid = 12,
                            .vocabulary = 8192,
                            .max_text = 64,
                            .text_layers = 2,
                            .mixed_layers = 3,
                            .text_heads = 4,
                            .vector = 256};
}

bool vl_seer_head_add(vl_seer_head *head, const char *label) {
    if (head->labels == VL_SEER_MAX_LABELS || strlen(label) >= VL_LABEL_SIZE ||
        vl_seer_head_find(head, label) >= 0)
        return false;
    strcpy(head->label[head->labels++], label);
    return true;
}

int32_t vl_seer_head_find(const vl_seer_head *head, const char *label) {
    for (uint32_t i = 0; i < head->labels; i++)
        if (strcmp(head->label[i], label) == 0)
            return (int32_t)i;
    return -1;
}

vl_status vl_seer_config_check(const vl_seer_config *c, vl_error *error) {
    uint32_t width = c->widths[2];
    for (size_t i = 0; i < VL_SEER_MAX_STAGES; i++)
        if (c->widths[i] < 16 || c->widths[i] > 2048 || c->widths[i] % 16)
            return vl_fail(error, VL_ERR_INPUT,
                           "seer: widths[%zu] is %u; a multiple of 16 up to 2048 is needed", i,
                           c->widths[i]);
    if (c->picture < 32 || c->picture > 1024 || c->picture % 16)
        return vl_fail(error, VL_ERR_INPUT,
                       "seer: a picture side of %u; a multiple of 16 in 32 … 1024 is needed",
                       c->picture);
    if (c->blocks[0] > SEER_MAX_LAYERS || c->blocks[1] > SEER_MAX_LAYERS ||
        c->layers > SEER_MAX_LAYERS || c->text_layers > SEER_MAX_LAYERS ||
        c->mixed_layers > SEER_MAX_LAYERS || !c->mixed_layers)
        return vl_fail(error, VL_ERR_INPUT, "seer: more than %d layers of a kind, or none",
                       SEER_MAX_LAYERS);
    if (!c->heads || !c->text_heads || width % c->heads || width % c->text_heads)
        return vl_fail(error, VL_ERR_INPUT, "seer: width %u does not divide by its heads",
                       width);
    if (c->kernel % 2 == 0 || c->kernel > 15)
        return vl_fail(error, VL_ERR_INPUT, "seer: kernel %u; odd and up to 15 is needed",
                       c->kernel);
    if (!c->grid || c->grid > 64 || c->vocabulary < 300 || c->vocabulary > 1000000 ||
        c->max_text < 8 || c->max_text > 4096 || c->vector < 16 || c->vector > SEER_MAX_VECTOR)
        return vl_fail(error, VL_ERR_INPUT,
                       "seer: grid, vocabulary, max_text or vector is out "
                       "of range");
    if (c->head_count > VL_SEER_MAX_HEADS)
        return vl_fail(error, VL_ERR_INPUT, "seer: more than %d label heads",
                       VL_SEER_MAX_HEADS);
    for (size_t i = 0; i < c->head_count; i++)
        if (c->label_heads[i].labels < 2 || c->label_heads[i].labels > VL_SEER_MAX_LABELS)
            return vl_fail(error, VL_ERR_INPUT, "seer: head %s has %u labels",
                           c->label_heads[i].name, c->label_heads[i].labels);
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

/* `share` scales the spread: outputs of residual branches begin small. */
static seer_affine add_linear(declare *d, const char *prefix, size_t out, size_t in,
                              double share) {
    return (seer_affine){
        add(d, prefix, "weight", VL_INIT_NORMAL, share * sqrt(1.0 / (double)in), 2,
            (size_t[]){out, in}),
        add(d, prefix, "bias", VL_INIT_ZERO, 0, 1, (size_t[]){out}),
    };
}

static seer_affine add_conv(declare *d, const char *prefix, size_t out, size_t size,
                            size_t in) {
    return (seer_affine){
        add(d, prefix, "weight", VL_INIT_NORMAL, sqrt(2.0 / (double)(size * size * in)), 4,
            (size_t[]){out, size, size, in}),
        add(d, prefix, "bias", VL_INIT_ZERO, 0, 1, (size_t[]){out}),
    };
}

static seer_affine add_norm(declare *d, const char *prefix, size_t n) {
    return (seer_affine){add(d, prefix, "gain", VL_INIT_ONE, 0, 1, (size_t[]){n}),
                         add(d, prefix, "bias", VL_INIT_ZERO, 0, 1, (size_t[]){n})};
}

static const char *name_of(char *buffer, const char *prefix, size_t index, const char *name) {
    snprintf(buffer, VL_PARAM_NAME_SIZE, "%s.%zu.%s", prefix, index, name);
    return buffer;
}

static seer_block add_block(declare *d, size_t stage, size_t index, size_t width, size_t kernel,
                            double share) {
    char name[VL_PARAM_NAME_SIZE], stage_name[16];
    snprintf(stage_name, sizeof stage_name, "conv%zu", stage);
    seer_block b;
    name_of(name, stage_name, index, "filter");
    b.filter.weight = add(d, name, "weight", VL_INIT_NORMAL, 1.0 / (double)kernel, 3,
                          (size_t[]){kernel, kernel, width});
    b.filter.bias = add(d, name, "bias", VL_INIT_ZERO, 0, 1, (size_t[]){width});
    b.norm = add_norm(d, name_of(name, stage_name, index, "norm"), width);
    b.up = add_linear(d, name_of(name, stage_name, index, "up"), 4 * width, width, 1);
    b.down = add_linear(d, name_of(name, stage_name, index, "down"), width, 4 * width, share);
    return b;
}

static seer_layer add_layer(declare *d, const char *stack, size_t index, size_t width,
                            bool cross, double share) {
    char name[VL_PARAM_NAME_SIZE];
    seer_layer l = {0};
    l.norm1 = add_norm(d, name_of(name, stack, index, "norm1"), width);
    l.qkv = add_linear(d, name_of(name, stack, index, "qkv"), 3 * width, width, 1);
    l.out = add_linear(d, name_of(name, stack, index, "out"), width, width, share);
    if (cross) {
        l.norm2 = add_norm(d, name_of(name, stack, index, "norm2"), width);
        l.query = add_linear(d, name_of(name, stack, index, "query"), width, width, 1);
        l.kv = add_linear(d, name_of(name, stack, index, "kv"), 2 * width, width, 1);
        l.cross_out =
            add_linear(d, name_of(name, stack, index, "cross_out"), width, width, share);
    }
    l.norm3 = add_norm(d, name_of(name, stack, index, "norm3"), width);
    l.up = add_linear(d, name_of(name, stack, index, "up"), 4 * width, width, 1);
    l.down = add_linear(d, name_of(name, stack, index, "down"), width, 4 * width, share);
    return l;
}

static void declare_vision(declare *d, vl_seer_net *net) {
    const vl_seer_config *c = &net->config;
    double share = 1 / sqrt((double)(c->blocks[0] + c->blocks[1] + 2 * c->layers));
    net->stem1 = add_conv(d, "stem.1", c->widths[0] / 2, 3, 3);
    net->stem2 = add_conv(d, "stem.2", c->widths[0], 3, c->widths[0] / 2);
    net->stem_norm = add_norm(d, "stem.norm", c->widths[0]);
    for (size_t s = 0; s < 2; s++) {
        char name[VL_PARAM_NAME_SIZE];
        for (size_t i = 0; i < c->blocks[s]; i++)
            net->block[s][i] = add_block(d, s, i, c->widths[s], c->kernel, share);
        net->shrink_norm[s] = add_norm(d, name_of(name, "shrink", s, "norm"), c->widths[s]);
        net->shrink[s] =
            add_conv(d, name_of(name, "shrink", s, "conv"), c->widths[s + 1], 2, c->widths[s]);
    }
    size_t width = c->widths[2];
    net->position = add(d, "vision", "position", VL_INIT_NORMAL, 0.02, 2,
                        (size_t[]){(size_t)c->grid * c->grid, width});
    for (size_t i = 0; i < c->layers; i++)
        net->vision[i] = add_layer(d, "vision", i, width, false, share);
    net->vision_norm = add_norm(d, "vision.norm", width);
    for (size_t h = 0; h < c->head_count; h++) {
        char name[VL_PARAM_NAME_SIZE];
        snprintf(name, sizeof name, "head.%s", c->label_heads[h].name);
        net->heads[h] = add_linear(d, name, c->label_heads[h].labels, width, 1);
    }
}

static void declare_text(declare *d, vl_seer_net *net) {
    const vl_seer_config *c = &net->config;
    size_t width = c->widths[2];
    double share = 1 / sqrt((double)(2 * c->text_layers + 3 * c->mixed_layers));
    net->words =
        add(d, "text", "words", VL_INIT_NORMAL, 0.05, 2, (size_t[]){c->vocabulary, width});
    net->text_position =
        add(d, "text", "position", VL_INIT_NORMAL, 0.02, 2, (size_t[]){c->max_text, width});
    for (size_t i = 0; i < c->text_layers; i++)
        net->text[i] = add_layer(d, "text", i, width, false, share);
    net->text_norm = add_norm(d, "text.norm", width);
    for (size_t i = 0; i < c->mixed_layers; i++)
        net->mixed[i] = add_layer(d, "mixed", i, width, true, share);
    net->mixed_norm = add_norm(d, "mixed.norm", width);
    double spread = sqrt(1.0 / (double)width);
    net->picture_vector =
        add(d, "vector", "picture", VL_INIT_NORMAL, spread, 2, (size_t[]){c->vector, width});
    net->text_vector =
        add(d, "vector", "text", VL_INIT_NORMAL, spread, 2, (size_t[]){c->vector, width});
    net->log_scale =
        add(d, "vector", "log_scale", VL_INIT_CONSTANT, log(1 / 0.07), 1, (size_t[]){1});
}

vl_status vl_seer_net_new(const vl_seer_config *config, vl_params *params, vl_seer_net **out,
                          vl_error *error) {
    *out = NULL;
    vl_status status = vl_seer_config_check(config, error);
    if (status)
        return status;
    vl_seer_net *net = calloc(1, sizeof *net);
    if (!net)
        return vl_fail(error, VL_ERR_MEMORY, "seer: no memory");
    net->config = *config;
    declare d = {.params = params};
    declare_vision(&d, net);
    declare_text(&d, net);
    if (d.failed) {
        vl_seer_net_free(net);
        return vl_fail(error, VL_ERR_MEMORY, "seer: its parameters could not be declared");
    }
    *out = net;
    return VL_OK;
}

void vl_seer_net_free(vl_seer_net *net) {
    free(net);
}

const vl_seer_config *vl_seer_net_config(const vl_seer_net *net) {
    return &net->config;
}

size_t vl_seer_log_scale(const vl_seer_net *net) {
    return net->log_scale;
}

/* ---- blocks ------------------------------------------------------------------------- */

static vl_var *linear(vl_graph *graph, vl_var *x, seer_affine a) {
    return vl_nn_linear(graph, x, a.weight, a.bias);
}

static vl_var *norm(vl_graph *graph, vl_var *x, seer_affine a) {
    return vl_nn_layernorm(graph, x, a.weight, a.bias);
}

static vl_var *perceptron(vl_graph *graph, vl_var *x, seer_affine up, seer_affine down) {
    return linear(graph, vl_nn_gelu(graph, linear(graph, x, up)), down);
}

/* What a stack of layers runs over. */
typedef struct stack {
    size_t heads;
    vl_seer_rates rates;
    /* texts behind each other, each place seeing itself and those before; NULL: pictures */
    const int32_t *starts;
    size_t rows;
    vl_var *places; /* that mixed layers look at, row r at picture source[r]; NULL: none */
    const int32_t *source;
} stack;

/* Texts lose single numbers in training, pictures whole branches. */
static vl_var *residual(vl_graph *graph, vl_var *x, vl_var *branch, const stack *s) {
    branch = s->starts ? vl_nn_dropout(graph, branch, s->rates.dropout)
                       : vl_nn_drop_path(graph, branch, s->rates.drop_path);
    return vl_nn_add(graph, x, branch);
}

static vl_var *run_block(vl_graph *graph, vl_var *x, const seer_block *b, size_t kernel,
                         vl_seer_rates rates) {
    vl_var *y = vl_nn_depthwise(graph, x, b->filter.weight, b->filter.bias, kernel, 1);
    y = perceptron(graph, norm(graph, y, b->norm), b->up, b->down);
    return vl_nn_add(graph, x, vl_nn_drop_path(graph, y, rates.drop_path));
}

static vl_var *attend_self(vl_graph *graph, vl_var *qkv, const stack *s) {
    if (s->starts)
        return vl_nn_self_attention_packed(graph, qkv, s->heads, true, s->starts, s->rows);
    return vl_nn_self_attention(graph, qkv, s->heads, false, NULL);
}

static vl_var *run_layer(vl_graph *graph, vl_var *x, const seer_layer *l, const stack *s) {
    vl_var *y = attend_self(graph, linear(graph, norm(graph, x, l->norm1), l->qkv), s);
    x = residual(graph, x, linear(graph, y, l->out), s);
    if (s->places) {
        vl_var *q = linear(graph, norm(graph, x, l->norm2), l->query);
        y = vl_nn_cross_attention_packed(graph, q, linear(graph, s->places, l->kv), s->heads,
                                         s->source, s->starts, s->rows);
        x = residual(graph, x, linear(graph, y, l->cross_out), s);
    }
    return residual(graph, x, perceptron(graph, norm(graph, x, l->norm3), l->up, l->down), s);
}

/* ---- picture ------------------------------------------------------------------------ */

vl_var *vl_seer_look(const vl_seer_net *net, vl_graph *graph, vl_var *pictures,
                     vl_seer_rates rates) {
    const vl_seer_config *c = &net->config;
    size_t mark = vl_graph_mark(graph);
    vl_var *x = vl_nn_conv2d(graph, pictures, net->stem1.weight, net->stem1.bias, 3, 2);
    x = vl_nn_conv2d(graph, vl_nn_gelu(graph, x), net->stem2.weight, net->stem2.bias, 3, 2);
    x = vl_graph_settle(graph, mark, norm(graph, x, net->stem_norm));
    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; i < c->blocks[s]; i++)
            x = vl_graph_settle(graph, mark,
                                run_block(graph, x, &net->block[s][i], c->kernel, rates));
        x = norm(graph, x, net->shrink_norm[s]);
        x = vl_nn_conv2d(graph, x, net->shrink[s].weight, net->shrink[s].bias, 2, 2);
        x = vl_graph_settle(graph, mark, x);
    }
    if (!x)
        return NULL;
    size_t height = x->dims[1], width = x->dims[2];
    x = vl_nn_reshape(graph, x, 3, (size_t[]){x->dims[0], height * width, x->dims[3]});
    x = vl_nn_add_broadcast(graph, x,
                            vl_nn_resize_grid(graph, net->position, c->grid, height, width));
    stack whole = {.heads = c->heads, .rates = rates};
    for (size_t i = 0; i < c->layers; i++)
        x = vl_graph_settle(graph, mark, run_layer(graph, x, &net->vision[i], &whole));
    return vl_graph_settle(graph, mark, norm(graph, x, net->vision_norm));
}

vl_var *vl_seer_pool(const vl_seer_net *net, vl_graph *graph, vl_var *places) {
    (void)net;
    return vl_nn_mean_pool(graph, places);
}

vl_var *vl_seer_picture_vector(const vl_seer_net *net, vl_graph *graph, vl_var *pooled) {
    return vl_nn_normalize(graph, vl_nn_linear(graph, pooled, net->picture_vector, VL_NONE));
}

vl_var *vl_seer_label(const vl_seer_net *net, vl_graph *graph, vl_var *pooled, size_t head) {
    return linear(graph, pooled, net->heads[head]);
}

/* ---- text --------------------------------------------------------------------------- */

/* Where each token stands in its text; NULL without memory. */
static int32_t *count_positions(vl_graph *graph, const int32_t *starts, size_t rows) {
    int32_t *at = vl_graph_keep(graph, NULL, (size_t)starts[rows] * sizeof *at);
    for (size_t r = 0; at && r < rows; r++)
        for (int32_t t = starts[r]; t < starts[r + 1]; t++)
            at[t] = t - starts[r];
    return at;
}

vl_var *vl_seer_read(const vl_seer_net *net, vl_graph *graph, const int32_t *ids,
                     const int32_t *starts, size_t rows, vl_seer_rates rates) {
    const vl_seer_config *c = &net->config;
    size_t count = (size_t)starts[rows];
    int32_t *positions = count_positions(graph, starts, rows);
    if (!positions)
        return NULL;
    vl_var *x = vl_nn_add(graph, vl_nn_embedding(graph, net->words, ids, count),
                          vl_nn_embedding(graph, net->text_position, positions, count));
    x = vl_nn_dropout(graph, x, rates.dropout);
    stack alone = {.heads = c->text_heads, .rates = rates, .starts = starts, .rows = rows};
    for (size_t i = 0; i < c->text_layers; i++)
        x = run_layer(graph, x, &net->text[i], &alone);
    return x;
}

vl_var *vl_seer_text_vector(const vl_seer_net *net, vl_graph *graph, vl_var *text,
                            const int32_t *at, size_t count) {
    vl_var *x = vl_nn_gather(graph, text, at, count);
    x = vl_nn_linear(graph, norm(graph, x, net->text_norm), net->text_vector, VL_NONE);
    return vl_nn_normalize(graph, x);
}

vl_var *vl_seer_mix(const vl_seer_net *net, vl_graph *graph, vl_var *text, vl_var *places,
                    const int32_t *source, const int32_t *starts, size_t rows,
                    vl_seer_rates rates) {
    const vl_seer_config *c = &net->config;
    stack beside = {.heads = c->text_heads,
                    .rates = rates,
                    .starts = starts,
                    .rows = rows,
                    .places = places,
                    .source = source};
    vl_var *x = places ? text : NULL;
    for (size_t i = 0; i < c->mixed_layers; i++)
        x = run_layer(graph, x, &net->mixed[i], &beside);
    return x;
}

vl_var *vl_seer_words(const vl_seer_net *net, vl_graph *graph, vl_var *mixed, const int32_t *at,
                      size_t count) {
    vl_var *x = norm(graph, vl_nn_gather(graph, mixed, at, count), net->mixed_norm);
    return vl_nn_linear(graph, x, net->words, VL_NONE);
}
