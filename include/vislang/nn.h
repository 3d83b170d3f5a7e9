/* nn.h — layers of networks as forward/backward pairs, and what trains them.
 *
 * A graph is one forward pass: every layer takes variables, computes its output at once, and
 * (in training) notes how to carry gradients back; vl_graph_backward walks the notes from the
 * last to the first. Parameters live outside of graphs in one flat store, so that an optimiser,
 * a checkpoint and a sum over machines each see a single array.
 *
 * Shapes are written [A,B,C], row-major; the last dimension is the feature. A layer that works
 * on rows takes any leading dimensions.
 *
 * Memory: variables live in their graph until vl_graph_reset or _free; a graph that runs out
 * of memory marks itself failed, its layers then return NULL, and layers accept NULL and return
 * NULL: a model is written without checks and vl_graph_status is asked once at the end.
 *
 * Thread-safety: a graph belongs to one thread at a time; many graphs may read one store. */
#ifndef VISLANG_NN_H
#define VISLANG_NN_H

#include <vislang/kernel.h>
#include <vislang/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- parameters --------------------------------------------------------------------- */

enum { VL_PARAM_NAME_SIZE = 64 };

typedef enum vl_param_init {
    VL_INIT_ZERO,
    VL_INIT_ONE,
    VL_INIT_CONSTANT, /* `spread` */
    VL_INIT_NORMAL,   /* standard deviation `spread`, cut at two of them */
} vl_param_init;

typedef struct vl_param {
    char name[VL_PARAM_NAME_SIZE];
    size_t rank, dims[VL_MAX_RANK];
    size_t offset, count; /* in the store's array */
    vl_param_init init;
    double spread;
    bool decay; /* weight decay applies: matrices, not gains and biases */
} vl_param;

typedef struct vl_params vl_params;
vl_params *vl_params_new(void);
void vl_params_free(vl_params *params);
/* Declares a parameter; returns its index, or SIZE_MAX when there is no memory or the name is
 * taken. All are declared before vl_params_allocate. */
size_t vl_params_add(vl_params *params, const char *name, vl_param_init init, double spread,
                     size_t rank, const size_t *dims);
/* Memory for the values, once: zeros, of which pages never written cost nothing. */
vl_status vl_params_reserve(vl_params *params, vl_error *error);
/* As vl_params_reserve, then filled as declared from `seed` (the same for the same names, in
 * any order of declaration). */
vl_status vl_params_allocate(vl_params *params, uint64_t seed, vl_error *error);
size_t vl_params_count(const vl_params *params); /* parameters */
size_t vl_params_total(const vl_params *params); /* numbers in all of them */
const vl_param *vl_params_at(const vl_params *params, size_t index);
const vl_param *vl_params_find(const vl_params *params, const char *name); /* NULL: none */
vl_real *vl_params_values(const vl_params *params);                        /* [total] */

/* ---- graphs ------------------------------------------------------------------------- */

typedef struct vl_var {
    size_t rank, dims[VL_MAX_RANK];
    size_t count;
    vl_real *value;
    vl_real *grad; /* zero until something is added; NULL when nothing upstream learns */
    bool learns;   /* a gradient is wanted here */
} vl_var;

typedef struct vl_graph vl_graph;
typedef struct vl_graph_options {
    size_t max_bytes;
    bool training; /* keep what backward needs; dropout is on */
    vl_precision precision;
    uint64_t seed; /* of dropout */
} vl_graph_options;
vl_graph *vl_graph_new(const vl_params *params, const vl_graph_options *options);
void vl_graph_free(vl_graph *graph);
/* Forgets all variables, keeps the memory. */
void vl_graph_reset(vl_graph *graph, uint64_t seed);
vl_status vl_graph_status(const vl_graph *graph, vl_error *error);
/* Gradients of parameters are added to this array [vl_params_total]; NULL: parameters are
 * constants. */
void vl_graph_set_gradients(vl_graph *graph, vl_real *gradients);
/* From `loss` (a scalar whose gradient is `seed`), or from gradients the caller has put
 * into variables when `loss` is NULL. */
void vl_graph_backward(vl_graph *graph, vl_var *loss, vl_real seed);
/* The gradient array of a variable, zeroed at first use; NULL: out of memory, or not wanted. */
vl_real *vl_var_grad(vl_graph *graph, vl_var *var);
/* The kind of the first layer since the last reset whose output holds a NaN or an infinity, or
 * NULL. Walks the notes of training: for error messages. */
const char *vl_graph_find_nonfinite(const vl_graph *graph);
/* A copy in the graph's memory (`bytes` NULL: memory that is not filled); NULL without. For
 * what a layer reads on its way back. */
void *vl_graph_keep(vl_graph *graph, const void *bytes, size_t count);
/* In inference: memory taken after a mark is given back by rewinding to it. */
size_t vl_graph_mark(const vl_graph *graph);
void vl_graph_rewind(vl_graph *graph, size_t mark);
/* In inference: moves x, which was made after the mark, down to it and gives back the rest.
 * Returns its new place; in training x itself. */
vl_var *vl_graph_settle(vl_graph *graph, size_t mark, vl_var *x);

/* ---- sources ------------------------------------------------------------------------ */

/* A variable over the caller's numbers (not copied; they outlive the graph's pass). */
vl_var *vl_nn_input(vl_graph *graph, vl_real *value, size_t rank, const size_t *dims);
/* As vl_nn_input for numbers a gradient is wanted of. */
vl_var *vl_nn_leaf(vl_graph *graph, vl_real *value, size_t rank, const size_t *dims);
/* A parameter as a variable. */
vl_var *vl_nn_param(vl_graph *graph, size_t param);
/* The same numbers under another shape. */
vl_var *vl_nn_reshape(vl_graph *graph, vl_var *x, size_t rank, const size_t *dims);

/* ---- layers ------------------------------------------------------------------------- */

#define VL_NONE SIZE_MAX /* in place of the index of a parameter that is not used */

/* y[…,N] = x[…,K] · wᵀ + b, w [N,K], b [N] or VL_NONE. */
vl_var *vl_nn_linear(vl_graph *graph, vl_var *x, size_t weight, size_t bias);
/* x [B,H,W,C] → [B,places_y,places_x,N]: what the window (kernel.h) sees at each of its places;
 * weight [N,size_y,size_x,C/groups], bias [N] or VL_NONE. Output n sees the channels of group
 * n / (N/groups); groups follows from the weight's shape. A window larger than the padded
 * picture has no places: y is empty. Stride (2,1) halves the height and keeps the width.
 * Windows that overlap (size above stride on either axis) and groups go to oneDNN's convolution
 * primitives; patches that do not overlap become one product of matrices, which is faster. */
vl_var *vl_nn_conv2d_window(vl_graph *graph, vl_var *x, size_t weight, size_t bias,
                            const vl_window *window);
/* The square one: zero padding of size/2, none where size equals stride. An odd size gives
 * [B,⌈H/s⌉,⌈W/s⌉,N]. */
vl_var *vl_nn_conv2d(vl_graph *graph, vl_var *x, size_t weight, size_t bias, size_t size,
                     size_t stride);
/* One filter a channel: weight [size_y,size_x,C], bias [C] (needed). Always in vl_real's
 * precision. */
vl_var *vl_nn_depthwise_window(vl_graph *graph, vl_var *x, size_t weight, size_t bias,
                               const vl_window *window);
/* The square one: zero padding of size/2; size is odd. */
vl_var *vl_nn_depthwise(vl_graph *graph, vl_var *x, size_t weight, size_t bias, size_t size,
                        size_t stride);
/* The same for pictures of one height and any widths that lie behind each other, each from its
 * left column to its right and each column from top to bottom: x [N,H,C], picture b in columns
 * starts[b] … starts[b+1], `count` of them, starts [count+1], multiples of the stride, the last
 * one N. No picture sees another. → [N/s,⌈H/s⌉,C] */
vl_var *vl_nn_depthwise_packed(vl_graph *graph, vl_var *x, size_t weight, size_t bias,
                               size_t size, size_t stride, const int32_t *starts, size_t count);
/* One filter a channel along sequences that lie behind each other: x [N,C], weight [size,C],
 * bias [C] (needed); size is odd, starts[count] is N. → [N,C] */
vl_var *vl_nn_filter_packed(vl_graph *graph, vl_var *x, size_t weight, size_t bias, size_t size,
                            const int32_t *starts, size_t count);
/* gain [N], bias [N]: both needed. */
vl_var *vl_nn_layernorm(vl_graph *graph, vl_var *x, size_t gain, size_t bias);
vl_var *vl_nn_rmsnorm(vl_graph *graph, vl_var *x, size_t gain);
vl_var *vl_nn_gelu(vl_graph *graph, vl_var *x);
vl_var *vl_nn_silu(vl_graph *graph, vl_var *x);
/* Scaled dot-product attention (Vaswani et al. 2017, eq. 1) with `heads` heads.
 * Self: qkv [B,T,3D]. `lengths` [B] (NULL: all T) says how many positions of each row are
 * there. → [B,T,D] */
vl_var *vl_nn_self_attention(vl_graph *graph, vl_var *qkv, size_t heads, bool causal,
                             const int32_t *lengths);
/* q [B,Tq,D], kv [P,Tk,2D]; row b looks at picture source[b] of kv (NULL: b). → [B,Tq,D] */
vl_var *vl_nn_cross_attention(vl_graph *graph, vl_var *q, vl_var *kv, size_t heads,
                              const int32_t *source);
/* The same for sequences that lie behind each other without padding: [N,…] instead of [B,T,…],
 * sequence b in rows starts[b] … starts[b+1], `count` sequences, starts [count+1]. */
vl_var *vl_nn_self_attention_packed(vl_graph *graph, vl_var *qkv, size_t heads, bool causal,
                                    const int32_t *starts, size_t count);
vl_var *vl_nn_cross_attention_packed(vl_graph *graph, vl_var *q, vl_var *kv, size_t heads,
                                     const int32_t *source, const int32_t *starts,
                                     size_t count);
/* ids [count] into table [V,D] → [count,D]; ids stay the caller's. */
vl_var *vl_nn_embedding(vl_graph *graph, size_t table, const int32_t *ids, size_t count);
/* x + y, same shape. */
vl_var *vl_nn_add(vl_graph *graph, vl_var *x, vl_var *y);
/* x [B,…] + y […] for every b. */
vl_var *vl_nn_add_broadcast(vl_graph *graph, vl_var *x, vl_var *y);
/* x · gain[N] on the last dimension (layer scale, Touvron et al. 2021). */
vl_var *vl_nn_scale_channels(vl_graph *graph, vl_var *x, size_t gain);
/* Srivastava et al. 2014; identity outside training. */
vl_var *vl_nn_dropout(vl_graph *graph, vl_var *x, double probability);
/* Drops x for a whole sample (the first dimension): stochastic depth, Huang et al. 2016. */
vl_var *vl_nn_drop_path(vl_graph *graph, vl_var *x, double probability);
/* x [B,T,D] → [B,D]: mean over the T positions. */
vl_var *vl_nn_mean_pool(vl_graph *graph, vl_var *x);
/* Rows of x [R,D] → [count,D]. */
vl_var *vl_nn_gather(vl_graph *graph, vl_var *x, const int32_t *rows, size_t count);
/* Rows to length 1. */
vl_var *vl_nn_normalize(vl_graph *graph, vl_var *x);
/* Position embeddings [grid²,D] → [H·W,D], bilinear (align corners off). */
vl_var *vl_nn_resize_grid(vl_graph *graph, size_t param, size_t grid, size_t height,
                          size_t width);

/* ---- losses (scalars) --------------------------------------------------------------- */

/* Σ weight_i · CE(logits_i, target_i), logits [R,V], label smoothing ε (Szegedy et al. 2016):
 * the target gets 1 − ε + ε/V. weights NULL: 1. `losses` (may be NULL) receives each row's. */
vl_var *vl_nn_cross_entropy(vl_graph *graph, vl_var *logits, const int32_t *targets,
                            const vl_real *weights, double smoothing, vl_real *losses);
/* Symmetric InfoNCE of a batch (Radford et al. 2021) outside of graphs, since its batch is
 * larger than one: x [n,d] and y [m,d] unit rows, owner[j] the row of x that y_j belongs to;
 * logits = exp(log_scale) · x·yᵀ. Several y may belong to one x: they share its probability
 * (the mean of their log-likelihoods). Adds to dx, dy, dlog_scale; returns the mean loss. */
vl_status vl_nn_infonce(const vl_real *x, const vl_real *y, const int32_t *owner, size_t n,
                        size_t m, size_t d, vl_real log_scale, vl_real *dx, vl_real *dy,
                        vl_real *dlog_scale, double *loss, vl_error *error);
/* Connectionist temporal classification (Graves et al. 2006): −log p(labels | logits), logits
 * [B,T,V], blank is 0; labels of row b are labels[starts[b] … starts[b+1]); lengths [B] as for
 * attention. A row whose labels do not fit its length adds nothing. → sum over rows */
vl_var *vl_nn_ctc(vl_graph *graph, vl_var *logits, const int32_t *lengths,
                  const int32_t *labels, const size_t *starts, vl_real *losses);
/* The same for rows that lie behind each other: logits [N,V], row b in positions at[b] …
 * at[b+1], `count` rows, at [count+1]; positions past the last row count for nothing. */
vl_var *vl_nn_ctc_packed(vl_graph *graph, vl_var *logits, const int32_t *at, size_t count,
                         const int32_t *labels, const size_t *starts, vl_real *losses);

/* ---- optimiser ---------------------------------------------------------------------- */

typedef struct vl_schedule {
    double rate, final_rate;
    uint64_t warmup, steps;
} vl_schedule;
/* Linear warm-up, then half a cosine to final_rate (Loshchilov and Hutter 2017). */
double vl_schedule_rate(const vl_schedule *schedule, uint64_t step);
/* sqrt(Σ g²), summed in double. */
double vl_gradient_norm(const vl_real *gradient, size_t count);

#ifdef __cplusplus
}
#endif
#endif
