/* model.h — the networks: what they are built of, and what they say of a picture.
 *
 * `seer` looks at a picture and has words, vectors and labels for it. A convolutional stem
 * (ConvNeXt blocks, Liu et al. 2022) brings the picture to a sixteenth of its size, transformer
 * layers (pre-norm, Xiong et al. 2020) relate its places, and a text decoder reads them: its
 * lower layers see text alone, and the vector of a text is taken there; its upper layers also
 * see the picture, and write (CoCa, Yu et al. 2022). Prompts say what to write:
 *   <caption> <language> words… <eos>
 *   <ask> question… <answer> words… <eos>
 *   <statement> words… <answer> <yes>|<no> */
#ifndef VISLANG_MODEL_H
#define VISLANG_MODEL_H

#include <vislang/nn.h>
#include <vislang/text.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    VL_SEER_MAX_STAGES = 3,
    VL_SEER_MAX_HEADS = 6,
    VL_SEER_MAX_LABELS = 256,
    VL_HEAD_NAME_SIZE = 24,
    VL_LABEL_SIZE = 32
};

/* A set of labels that pictures are sorted by. */
typedef struct vl_seer_head {
    char name[VL_HEAD_NAME_SIZE];
    uint32_t labels;
    char label[VL_SEER_MAX_LABELS][VL_LABEL_SIZE];
} vl_seer_head;
/* false: full, too long, or there already. */
bool vl_seer_head_add(vl_seer_head *head, const char *label);
/* Index of a label, or -1. */
int32_t vl_seer_head_find(const vl_seer_head *head, const char *label);

typedef struct vl_seer_config {
    uint32_t picture;                    /* side, pixels, the network was last trained at */
    uint32_t widths[VL_SEER_MAX_STAGES]; /* channels at 1/4, 1/8, 1/16; the last is D */
    uint32_t blocks[2];                  /* convolutional blocks at 1/4, 1/8 */
    uint32_t kernel;                     /* of depthwise filters, odd */
    uint32_t layers, heads;              /* transformer over the picture's places */
    uint32_t grid;                       /* position embeddings are kept for grid × grid */
    uint32_t vocabulary, max_text;       /* tokens known; longest text */
    uint32_t text_layers, mixed_layers, text_heads;
    uint32_t vector; /* retrieval: length of the vectors */
    uint32_t head_count;
    vl_seer_head label_heads[VL_SEER_MAX_HEADS];
} vl_seer_config;
vl_seer_config vl_seer_config_default(void);
/* VL_ERR_INPUT with what is wrong: sizes that do not divide, zero, or past any use. */
vl_status vl_seer_config_check(const vl_seer_config *config, vl_error *error);

/* The network's shape: names and places of its parameters. Immutable after creation, then
 * thread-safe; the numbers are in the store. */
typedef struct vl_seer_net vl_seer_net;
/* Declares the parameters in `params` (which it does not own). */
vl_status vl_seer_net_new(const vl_seer_config *config, vl_params *params, vl_seer_net **net,
                          vl_error *error);
void vl_seer_net_free(vl_seer_net *net);
const vl_seer_config *vl_seer_net_config(const vl_seer_net *net);

typedef struct vl_seer_rates {
    double dropout, drop_path; /* in training */
} vl_seer_rates;

/* pictures [B,S,S',3], (value/255 − 0.5)/0.25, sides multiples of 16 → places [B,T,D]. */
vl_var *vl_seer_look(const vl_seer_net *net, vl_graph *graph, vl_var *pictures,
                     vl_seer_rates rates);
/* places → [B,D]: the whole picture. */
vl_var *vl_seer_pool(const vl_seer_net *net, vl_graph *graph, vl_var *places);
/* pooled → unit vectors [B,vector]. */
vl_var *vl_seer_picture_vector(const vl_seer_net *net, vl_graph *graph, vl_var *pooled);
/* pooled → logits [B,labels]; `head` indexes the configuration's heads. */
vl_var *vl_seer_label(const vl_seer_net *net, vl_graph *graph, vl_var *pooled, size_t head);
/* ids [rows,length] → [rows,length,D], each place seeing itself and those before. */
vl_var *vl_seer_read(const vl_seer_net *net, vl_graph *graph, const int32_t *ids, size_t rows,
                     size_t length, const int32_t *lengths, vl_seer_rates rates);
/* Rows `at` [count] of a text's places ([rows·length] counted through) → unit vectors. */
vl_var *vl_seer_text_vector(const vl_seer_net *net, vl_graph *graph, vl_var *text,
                            const int32_t *at, size_t count);
/* text [R,length,D] beside places, row r with picture source[r] → [R,length,D]. */
vl_var *vl_seer_mix(const vl_seer_net *net, vl_graph *graph, vl_var *text, vl_var *places,
                    const int32_t *source, const int32_t *lengths, vl_seer_rates rates);
/* Rows `at` of mixed text → logits [count,vocabulary]. */
vl_var *vl_seer_words(const vl_seer_net *net, vl_graph *graph, vl_var *mixed, const int32_t *at,
                      size_t count);
/* Index of the scalar parameter log(1/temperature) of the contrastive loss. */
size_t vl_seer_log_scale(const vl_seer_net *net);

#ifdef __cplusplus
}
#endif
#endif
