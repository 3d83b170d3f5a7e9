/* layers.c — the table of layers. Shapes are small and odd on purpose; those named "…_large"
 * are beyond the size from which products go to oneDNN. */
#include "layers.h"

#include <stdio.h>

static size_t bias_of(const layer_case *c) {
    return c->params[1][0] ? 1 : VL_NONE;
}

static vl_var *linear(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_linear(graph, leaf[0], 0, bias_of(c));
}

static vl_var *conv2d(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_conv2d(graph, leaf[0], 0, bias_of(c), c->a, c->b);
}

static vl_var *depthwise(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_depthwise(graph, leaf[0], 0, 1, c->a, c->b);
}

static vl_var *depthwise_packed(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_depthwise_packed(graph, leaf[0], 0, 1, c->a, c->b, c->ints, 4);
}

static vl_var *filter_packed(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_filter_packed(graph, leaf[0], 0, 1, c->a, c->ints, 4);
}

static vl_var *conv_window(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_conv2d_window(graph, leaf[0], 0, bias_of(c), &c->window);
}

static vl_var *depthwise_window(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_depthwise_window(graph, leaf[0], 0, 1, &c->window);
}

static vl_var *layernorm(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    (void)c;
    return vl_nn_layernorm(graph, leaf[0], 0, 1);
}

static vl_var *rmsnorm(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    (void)c;
    return vl_nn_rmsnorm(graph, leaf[0], 0);
}

static vl_var *gelu(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    (void)c;
    return vl_nn_gelu(graph, leaf[0]);
}

static vl_var *silu(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    (void)c;
    return vl_nn_silu(graph, leaf[0]);
}

static vl_var *self_attention(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_self_attention(graph, leaf[0], c->a, c->causal, c->lengths);
}

static vl_var *cross_attention(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_cross_attention(graph, leaf[0], leaf[1], c->a, c->ints);
}

static vl_var *self_packed(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_self_attention_packed(graph, leaf[0], c->a, c->causal, c->lengths, c->b);
}

static vl_var *cross_packed(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_cross_attention_packed(graph, leaf[0], leaf[1], c->a, c->ints, c->lengths,
                                        c->b);
}

static vl_var *embedding(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    (void)leaf;
    return vl_nn_embedding(graph, 0, c->ints, c->a);
}

static vl_var *gather(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_gather(graph, leaf[0], c->ints, c->a);
}

static vl_var *add(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    (void)c;
    return vl_nn_add(graph, leaf[0], leaf[1]);
}

static vl_var *add_itself(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    (void)c;
    return vl_nn_add(graph, leaf[0], vl_nn_silu(graph, leaf[0]));
}

static vl_var *add_broadcast(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_add_broadcast(graph, leaf[0],
                               c->params[0][0] ? vl_nn_param(graph, 0) : leaf[1]);
}

static vl_var *scale_channels(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    (void)c;
    return vl_nn_scale_channels(graph, leaf[0], 0);
}

static vl_var *dropout(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_dropout(graph, leaf[0], c->number);
}

static vl_var *drop_path(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_drop_path(graph, leaf[0], c->number);
}

static vl_var *mean_pool(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    (void)c;
    return vl_nn_mean_pool(graph, leaf[0]);
}

static vl_var *normalize(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    (void)c;
    return vl_nn_normalize(graph, leaf[0]);
}

static vl_var *resize_grid(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    (void)leaf;
    size_t grid = 1;
    while (grid * grid < c->params[0][0])
        grid++;
    return vl_nn_resize_grid(graph, 0, grid, c->a, c->b);
}

static vl_var *reshape(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    (void)c;
    vl_var *flat = vl_nn_reshape(graph, leaf[0], 2, (size_t[]){4, 6});
    return vl_nn_reshape(graph, vl_nn_silu(graph, flat), 3, (size_t[]){2, 3, 4});
}

static vl_var *cross_entropy(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_cross_entropy(graph, leaf[0], c->ints, c->weights, c->number, NULL);
}

static vl_var *ctc(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_ctc(graph, leaf[0], c->lengths, c->ints, c->starts, NULL);
}

/* Rows as long as `lengths` says where they begin. */
static vl_var *ctc_packed(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    return vl_nn_ctc_packed(graph, leaf[0], c->lengths, 4, c->ints, c->starts, NULL);
}

/* A transformer block and a head: what one layer hands to the next. */
static vl_var *block(vl_graph *graph, const layer_case *c, vl_var **leaf) {
    vl_var *x = vl_nn_linear(graph, vl_nn_rmsnorm(graph, leaf[0], 2), 0, VL_NONE);
    x = vl_nn_add(graph, leaf[0],
                  vl_nn_dropout(graph, vl_nn_self_attention(graph, x, c->a, true, c->lengths),
                                c->number));
    x = vl_nn_add(graph, x, vl_nn_linear(graph, vl_nn_gelu(graph, x), 1, VL_NONE));
    x = vl_nn_reshape(graph, x, 2, (size_t[]){8, 6});
    return vl_nn_cross_entropy(graph, vl_nn_gather(graph, x, c->ints, 3), c->ints + 3, NULL, 0,
                               NULL);
}

/* Four sequences behind each other, one of them empty. */
static const int32_t packed_starts[] = {0, 4, 4, 9, 11}, sources_packed[] = {1, 0, 1, 0};
static const int32_t even_starts[] = {0, 4, 4, 10, 12}, ctc_starts[] = {0, 6, 6, 12, 14};
static const int32_t ids[] = {1, 4, 1, 0, 4}, rows[] = {4, 0, 4, 2}, sources[] = {1, 0, 1},
                     block_ints[] = {2, 7, 2, 5, 0, 3}, targets[] = {2, 5, -1, 0},
                     lengths[] = {3, 5, 1}, lengths_large[] = {13, 20}, lengths_zero[] = {0, 4},
                     block_lengths[] = {4, 3};
/* Rows of labels: with a repeat; shorter than its row; none; a repeat that does not fit; as
 * long as its row; longer than its row. */
static const int32_t labels[] = {1, 1, 2, 3, 1, 2, 2, 1, 2, 3, 3, 2, 1, 3, 2, 1},
                     label_lengths[] = {6, 4, 6, 2, 3, 5};
static const size_t starts[] = {0, 3, 5, 5, 7, 10, 16};
static const int32_t labels_large[] = {7, 7, 7, 30, 2, 36, 1, 1, 9, 30, 2, 11, 12, 13, 14},
                     label_lengths_large[] = {40, 17};
static const size_t starts_large[] = {0, 10, 15};
static const vl_real weights[] = {1, (vl_real)0.5, 0, 2};

const layer_case layer_cases[] = {
    {"linear", linear, .leaves = {{2, 3, 5}}, {{4, 5}, {4}}},
    {"linear_no_bias", linear, .leaves = {{2, 3, 5}}, {{7, 5}}},
    {"linear_one_row", linear, .leaves = {{1, 9}}, {{3, 9}, {3}}},
    {"linear_large", linear, .leaves = {{19, 23}}, {{21, 23}, {21}}},
    {"conv_3x3", conv2d, .leaves = {{2, 4, 6, 3}}, {{5, 3, 3, 3}, {5}}, 3, 1},
    {"conv_3x3_stride_2", conv2d, .leaves = {{2, 4, 6, 3}}, {{5, 3, 3, 3}, {5}}, 3, 2},
    {"conv_3x3_one_pixel", conv2d, .leaves = {{2, 1, 1, 3}}, {{2, 3, 3, 3}, {2}}, 3, 1},
    {"conv_5x5_no_bias", conv2d, .leaves = {{1, 3, 4, 1}}, {{2, 5, 5, 1}}, 5, 1},
    {"conv_patch", conv2d, .leaves = {{2, 8, 4, 3}}, {{5, 4, 4, 3}, {5}}, 4, 4},
    {"conv_1x1", conv2d, .leaves = {{1, 2, 3, 4}}, {{3, 1, 1, 4}, {3}}, 1, 1},
    {"conv_large", conv2d, .leaves = {{1, 8, 6, 7}}, {{9, 3, 3, 7}, {9}}, 3, 2},
    {"depthwise_3", depthwise, .leaves = {{2, 5, 7, 3}}, {{3, 3, 3}, {3}}, 3, 1},
    {"depthwise_3_stride_2", depthwise, .leaves = {{2, 5, 8, 3}}, {{3, 3, 3}, {3}}, 3, 2},
    {"depthwise_5", depthwise, .leaves = {{1, 4, 7, 2}}, {{5, 5, 2}, {2}}, 5, 1},
    {"depthwise_5_stride_2", depthwise, .leaves = {{2, 6, 7, 3}}, {{5, 5, 3}, {3}}, 5, 2},
    {"depthwise_7", depthwise, .leaves = {{1, 8, 3, 2}}, {{7, 7, 2}, {2}}, 7, 1},
    {"depthwise_7_stride_2", depthwise, .leaves = {{1, 2, 9, 3}}, {{7, 7, 3}, {3}}, 7, 2},
    {"depthwise_large", depthwise, .leaves = {{1, 4, 3, 37}}, {{3, 3, 37}, {37}}, 3, 1},
    {"depthwise_packed",
     depthwise_packed,
     .leaves = {{11, 4, 3}},
     {{3, 3, 3}, {3}},
     3,
     1,
     .ints = packed_starts,
     .alone = true},
    {"depthwise_packed_stride_2",
     depthwise_packed,
     .leaves = {{12, 5, 3}},
     {{3, 3, 3}, {3}},
     3,
     2,
     .ints = even_starts,
     .alone = true},
    {"filter_packed",
     filter_packed,
     .leaves = {{11, 5}},
     {{5, 5}, {5}},
     5,
     .ints = packed_starts,
     .alone = true},
    {"conv_stride_2_1",
     conv_window,
     .leaves = {{2, 5, 4, 3}},
     {{4, 3, 3, 3}, {4}},
     .window = {3, 3, 2, 1, 1, 1}},
    {"conv_2x5",
     conv_window,
     .leaves = {{1, 4, 7, 2}},
     {{3, 2, 5, 2}, {3}},
     .window = {2, 5, 1, 2, 0, 2}},
    {"conv_wide_padding",
     conv_window,
     .leaves = {{1, 2, 3, 2}},
     {{3, 1, 2, 2}},
     .window = {1, 2, 1, 2, 2, 3}},
    {"conv_patch_2x1",
     conv_window,
     .leaves = {{2, 4, 3, 3}},
     {{4, 2, 1, 3}, {4}},
     .window = {2, 1, 2, 1, 0, 0}},
    {"conv_patch_left_over",
     conv_window,
     .leaves = {{1, 5, 4, 2}},
     {{3, 2, 2, 2}, {3}},
     .window = {2, 2, 3, 2, 1, 0}},
    {"conv_groups",
     conv_window,
     .leaves = {{2, 4, 5, 6}},
     {{9, 3, 3, 2}, {9}},
     .window = {3, 3, 1, 2, 1, 1}},
    {"conv_groups_patch",
     conv_window,
     .leaves = {{1, 4, 4, 4}},
     {{4, 2, 2, 2}},
     .window = {2, 2, 2, 2, 0, 0}},
    {"conv_window_large",
     conv_window,
     .leaves = {{1, 5, 7, 5}},
     {{7, 3, 5, 5}, {7}},
     .window = {3, 5, 2, 1, 1, 2}},
    {"conv_groups_large",
     conv_window,
     .leaves = {{1, 5, 4, 6}},
     {{9, 3, 3, 2}, {9}},
     .window = {3, 3, 1, 1, 1, 1}},
    {"depthwise_stride_2_1",
     depthwise_window,
     .leaves = {{2, 5, 4, 3}},
     {{3, 3, 3}, {3}},
     .window = {3, 3, 2, 1, 1, 1}},
    {"depthwise_2x5",
     depthwise_window,
     .leaves = {{1, 4, 7, 2}},
     {{2, 5, 2}, {2}},
     .window = {2, 5, 1, 2, 0, 2}},
    {"depthwise_window_large",
     depthwise_window,
     .leaves = {{1, 5, 7, 19}},
     {{3, 5, 19}, {19}},
     .window = {3, 5, 2, 1, 1, 2}},
    {"layernorm", layernorm, .leaves = {{2, 3, 7}}, {{7}, {7}}},
    {"layernorm_large", layernorm, .leaves = {{5, 67}}, {{67}, {67}}},
    {"layernorm_offset", layernorm, .leaves = {{3, 16}}, {{16}, {16}}},
    {"rmsnorm", rmsnorm, .leaves = {{2, 3, 7}}, {{7}}},
    {"rmsnorm_large", rmsnorm, .leaves = {{5, 67}}, {{67}}},
    {"gelu", gelu, .leaves = {{3, 47}}},
    {"silu", silu, .leaves = {{3, 47}}},
    {"attention", self_attention, .leaves = {{2, 5, 18}}, .a = 2},
    {"attention_causal", self_attention, .leaves = {{2, 5, 18}}, .a = 3, .causal = true},
    {"attention_lengths", self_attention, .leaves = {{3, 5, 12}}, .a = 2, .lengths = lengths},
    {"attention_causal_lengths", self_attention, .leaves = {{3, 5, 12}}, .a = 1, .causal = true,
     .lengths = lengths},
    {"attention_empty_row", self_attention, .leaves = {{2, 4, 12}}, .a = 2,
     .lengths = lengths_zero, .alone = true},
    {"attention_large", self_attention, .leaves = {{2, 20, 48}}, .a = 2, .causal = true,
     .lengths = lengths_large},
    {"cross", cross_attention, .leaves = {{2, 4, 6}, {2, 5, 12}}, .a = 3},
    {"cross_source", cross_attention, .leaves = {{3, 4, 6}, {2, 5, 12}}, .a = 2,
     .ints = sources},
    {"cross_large", cross_attention, .leaves = {{3, 17, 16}, {2, 19, 32}}, .a = 2,
     .ints = sources},
    {"attention_packed", self_packed, .leaves = {{11, 18}}, .a = 2, .b = 4,
     .lengths = packed_starts, .alone = true},
    {"attention_packed_causal", self_packed, .leaves = {{11, 18}}, .a = 3, .b = 4,
     .causal = true, .lengths = packed_starts, .alone = true},
    {"cross_packed", cross_packed, .leaves = {{11, 6}, {2, 5, 12}}, .a = 3, .b = 4,
     .ints = sources_packed, .lengths = packed_starts, .alone = true},
    {"embedding", embedding, .params = {{6, 5}}, .a = 5, .ints = ids},
    {"gather", gather, .leaves = {{5, 3}}, .a = 4, .ints = rows},
    {"add", add, .leaves = {{2, 3, 5}, {2, 3, 5}}},
    {"add_itself", add_itself, .leaves = {{2, 3, 5}}},
    {"add_broadcast", add_broadcast, .leaves = {{3, 2, 5}, {2, 5}}},
    {"add_broadcast_param", add_broadcast, .leaves = {{3, 2, 5}}, {{2, 5}}},
    {"scale_channels", scale_channels, .leaves = {{2, 3, 5}}, {{5}}},
    {"dropout", dropout, .leaves = {{4, 7}}, .number = 0.3, .alone = true},
    {"drop_path", drop_path, .leaves = {{7, 2, 3}}, .number = 0.5, .alone = true},
    {"mean_pool", mean_pool, .leaves = {{2, 3, 5}}},
    {"normalize", normalize, .leaves = {{4, 9}}},
    {"resize_grid_up", resize_grid, .params = {{9, 3}}, .a = 5, .b = 7},
    {"resize_grid_down", resize_grid, .params = {{25, 2}}, .a = 2, .b = 3},
    {"resize_grid_mixed", resize_grid, .params = {{16, 2}}, .a = 1, .b = 6},
    {"resize_grid_same", resize_grid, .params = {{9, 3}}, .a = 3, .b = 3},
    {"reshape", reshape, .leaves = {{2, 2, 2, 3}}, .alone = true},
    {"cross_entropy", cross_entropy, .leaves = {{4, 6}}, .ints = targets, .weights = weights},
    {"cross_entropy_smooth", cross_entropy, .leaves = {{4, 6}}, .ints = targets,
     .weights = weights, .number = 0.1},
    {"cross_entropy_plain", cross_entropy, .leaves = {{3, 37}}, .ints = ids, .number = 0.2},
    {"ctc", ctc, .leaves = {{6, 6, 4}}, .ints = labels, .starts = starts,
     .lengths = label_lengths},
    {"ctc_full", ctc, .leaves = {{3, 5, 4}}, .ints = labels, .starts = starts},
    {"ctc_large", ctc, .leaves = {{2, 40, 37}}, .ints = labels_large, .starts = starts_large,
     .lengths = label_lengths_large},
    {"ctc_packed", ctc_packed, .leaves = {{15, 4}}, .ints = labels, .starts = starts,
     .lengths = ctc_starts, .alone = true},
    {"block",
     block,
     .leaves = {{2, 4, 6}},
     {{18, 6}, {6, 6}, {6}},
     .a = 2,
     .number = 0.25,
     .ints = block_ints,
     .lengths = block_lengths,
     .alone = true},
};
const size_t layer_case_count = sizeof layer_cases / sizeof *layer_cases;

vl_params *layer_params(const layer_case *c) {
    vl_params *params = vl_params_new();
    for (size_t i = 0; params && i < shapes_listed(c->params, MAX_PARAMS); i++) {
        char name[VL_PARAM_NAME_SIZE];
        snprintf(name, sizeof name, "p%zu", i);
        vl_params_add(params, name, VL_INIT_ZERO, 0, shape_rank(c->params[i]), c->params[i]);
    }
    if (params && vl_params_allocate(params, 1, NULL) != VL_OK) {
        vl_params_free(params);
        return NULL;
    }
    return params;
}
