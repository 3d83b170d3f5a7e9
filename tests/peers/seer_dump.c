/* seer_dump.c — our side of test_seer.py: what the network `seer` says of a small batch, how
 * its loss leans on every weight, and which ids texts become.
 *
 *   seer_dump net OUT.checkpoint OUT.dump    a small network, every weight away from its start,
 *                                            as a checkpoint; and one batch through it: inputs
 *                                            as "in/…", results as "out/…", gradients as
 *                                            "grad/PARAMETER", all f32 but the ids
 *   seer_dump ids TOKENIZER <TEXT            the ids of each line of the input, a line each */
#include <vislang/model.h>
#include <vislang/tensor.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICTURES = 3, HEIGHT = 32, WIDTH = 48, ROWS = 5, LENGTH = 12, HEADS = 2, WORDS = 300 };
enum { MAX_TARGETS = ROWS * LENGTH, MAX_LINE = 1 << 16 };

static const char recipe_text[] =
    "model: seer\n"
    "architecture: {picture: 48, widths: [16, 32, 64], blocks: [1, 2], kernel: 5, layers: 2,\n"
    "  heads: 2, grid: 4, vocabulary: 300, max_text: 16, text_layers: 1, mixed_layers: 2,\n"
    "  text_heads: 4, vector: 32}\n"
    "labels: {scene: [a, b, c, d], kind: [e, f, g]}\n"
    "training: {smoothing: 0.1}\n";

static void require(vl_status status, const vl_error *error) {
    if (status == VL_OK)
        return;
    fprintf(stderr, "seer_dump: %s\n", error->message);
    exit(1);
}

static void require_memory(const void *memory) {
    if (memory)
        return;
    fprintf(stderr, "seer_dump: no memory\n");
    exit(1);
}

/* ---- the network -------------------------------------------------------------------- */

static vl_seer_config small_config(void) {
    vl_seer_config c = {.picture = 48,
                        .widths = {16, 32, 64},
                        .blocks = {1, 2},
                        .kernel = 5,
                        .layers = 2,
                        .heads = 2,
                        .grid = 4,
                        .vocabulary = WORDS,
                        .max_text = 16,
                        .text_layers = 1,
                        .mixed_layers = 2,
                        .text_heads = 4,
                        .vector = 32,
                        .head_count = HEADS};
    const char *labels[HEADS][4] = {{"a", "b", "c", "d"}, {"e", "f", "g", NULL}};
    strcpy(c.label_heads[0].name, "scene");
    strcpy(c.label_heads[1].name, "kind");
    for (size_t h = 0; h < HEADS; h++)
        for (size_t i = 0; i < 4 && labels[h][i]; i++)
            if (!vl_seer_head_add(&c.label_heads[h], labels[h][i]))
                exit(1);
    return c;
}

/* A number in −1 … 1 for every place. */
static float wave(size_t i) {
    return (float)((i * 7919 + i / 13 * 104729 + 17) % 2003) / 1001.0f - 1.0f;
}

/* Biases begin at zero and gains at one; moved, a mistake in one of them shows. */
static void stir(vl_params *params) {
    for (size_t p = 0; p < vl_params_count(params); p++) {
        const vl_param *item = vl_params_at(params, p);
        for (size_t i = 0; i < item->count; i++)
            vl_params_values(params)[item->offset + i] += 0.05f * wave(i + 31 * p);
    }
}

/* ---- the batch ---------------------------------------------------------------------- */

typedef struct batch {
    float pixels[PICTURES * HEIGHT * WIDTH * 3];
    int32_t ids[ROWS * LENGTH], lengths[ROWS], owner[ROWS];
    int32_t at[MAX_TARGETS], target[MAX_TARGETS];
    float weight[MAX_TARGETS];
    size_t targets;
    int32_t vector_at[ROWS], vector_owner[ROWS];
    int32_t labels[HEADS][PICTURES];
    float label_weights[HEADS][PICTURES];
} batch;

/* Texts of several lengths, two of one picture; a label unknown. Every token is to be predicted
 * but the first two of its text; every text has a vector, at its end. */
static void batch_fill(batch *b) {
    static const int32_t lengths[ROWS] = {LENGTH, 5, 9, 3, 7}, owner[ROWS] = {0, 1, 0, 2, 1};
    static const int32_t labels[HEADS][PICTURES] = {{0, 3, 1}, {2, -1, 0}};
    *b = (batch){0};
    for (size_t i = 0; i < sizeof b->pixels / sizeof *b->pixels; i++)
        b->pixels[i] = 2 * wave(i);
    for (size_t r = 0; r < ROWS; r++) {
        b->lengths[r] = lengths[r];
        b->owner[r] = b->vector_owner[r] = owner[r];
        b->vector_at[r] = (int32_t)(r * LENGTH) + lengths[r] - 1;
        for (size_t t = 0; t < (size_t)lengths[r]; t++) {
            size_t place = r * LENGTH + t;
            b->ids[place] = (int32_t)((place * 37 + 5) % WORDS);
            if (t < 2)
                continue;
            b->at[b->targets] = (int32_t)place - 1;
            b->target[b->targets] = b->ids[place];
            b->weight[b->targets] = 0.02f * (float)(1 + b->targets % 5);
            b->targets++;
        }
    }
    for (size_t h = 0; h < HEADS; h++)
        for (size_t p = 0; p < PICTURES; p++) { /* unknown: label 0, weighing nothing */
            b->labels[h][p] = labels[h][p] < 0 ? 0 : labels[h][p];
            b->label_weights[h][p] = labels[h][p] < 0 ? 0.0f : 0.3f * (float)(h + 1);
        }
}

/* ---- writing ------------------------------------------------------------------------ */

static void put(vl_safetensors_writer *writer, const char *prefix, const char *name,
                vl_dtype dtype, size_t rank, const size_t *dims, const void *data) {
    char full[VL_PARAM_NAME_SIZE + 16];
    vl_tensor tensor;
    vl_error error = {0};
    snprintf(full, sizeof full, "%s%s", prefix, name);
    require(vl_tensor_init(&tensor, full, dtype, rank, dims, (void *)(uintptr_t)data, &error),
            &error);
    vl_safetensors_add(writer, &tensor);
}

static void put_var(vl_safetensors_writer *writer, const char *name, const vl_var *var) {
    require_memory(var);
    put(writer, "out/", name, VL_F32, var->rank, var->dims, var->value);
}

static void put_ints(vl_safetensors_writer *writer, const char *name, size_t rows,
                     size_t columns, const int32_t *data) {
    put(writer, "in/", name, VL_I32, columns ? 2 : 1, (size_t[]){rows, columns}, data);
}

static void put_inputs(vl_safetensors_writer *writer, const batch *b) {
    put(writer, "in/", "pixels", VL_F32, 4, (size_t[]){PICTURES, HEIGHT, WIDTH, 3}, b->pixels);
    put_ints(writer, "ids", ROWS, LENGTH, b->ids);
    put_ints(writer, "lengths", ROWS, 0, b->lengths);
    put_ints(writer, "owner", ROWS, 0, b->owner);
    put_ints(writer, "at", b->targets, 0, b->at);
    put_ints(writer, "target", b->targets, 0, b->target);
    put(writer, "in/", "weight", VL_F32, 1, (size_t[]){b->targets}, b->weight);
    put_ints(writer, "vector_at", ROWS, 0, b->vector_at);
    put_ints(writer, "vector_owner", ROWS, 0, b->vector_owner);
    put_ints(writer, "labels", HEADS, PICTURES, b->labels[0]);
    put(writer, "in/", "label_weights", VL_F32, 2, (size_t[]){HEADS, PICTURES},
        b->label_weights[0]);
}

static void finish(vl_safetensors_writer *writer, const char *path) {
    vl_error error = {0};
    require(vl_safetensors_write(writer, path, &error), &error);
    vl_safetensors_writer_free(writer);
}

static void write_checkpoint(const char *path, const vl_params *params) {
    vl_safetensors_writer *writer = vl_safetensors_writer_new();
    require_memory(writer);
    vl_safetensors_set(writer, "format", "vislang seer checkpoint 1");
    vl_safetensors_set(writer, "step", "0");
    vl_safetensors_set(writer, "recipe", recipe_text);
    for (size_t i = 0; i < vl_params_count(params); i++) {
        const vl_param *p = vl_params_at(params, i);
        put(writer, "", p->name, VL_F32, p->rank, p->dims,
            vl_params_values(params) + p->offset);
    }
    finish(writer, path);
}

/* ---- one pass ----------------------------------------------------------------------- */

/* The batch's texts behind each other, as the network takes them: the file has them padded. */
typedef struct packed {
    int32_t ids[ROWS * LENGTH], starts[ROWS + 1], at[MAX_TARGETS], vector_at[ROWS];
} packed;

static int32_t packed_place(const packed *p, int32_t padded) {
    return p->starts[padded / LENGTH] + padded % LENGTH;
}

static void pack(const batch *b, packed *p) {
    p->starts[0] = 0;
    for (size_t r = 0; r < ROWS; r++) {
        p->starts[r + 1] = p->starts[r] + b->lengths[r];
        memcpy(p->ids + p->starts[r], b->ids + r * LENGTH,
               (size_t)b->lengths[r] * sizeof *p->ids);
    }
    for (size_t i = 0; i < b->targets; i++)
        p->at[i] = packed_place(p, b->at[i]);
    for (size_t r = 0; r < ROWS; r++)
        p->vector_at[r] = packed_place(p, b->vector_at[r]);
}

/* Words, labels and matching, all of weight 1; gradients are added to `gradients`. */
static double pass(const vl_seer_net *net, const vl_params *params, vl_graph *graph, batch *b,
                   float *gradients, vl_safetensors_writer *writer) {
    vl_seer_rates rates = {0};
    vl_error error = {0};
    vl_var *x = vl_nn_input(graph, b->pixels, 4, (size_t[]){PICTURES, HEIGHT, WIDTH, 3});
    vl_var *places = vl_seer_look(net, graph, x, rates);
    vl_var *pooled = vl_seer_pool(net, graph, places);
    vl_var *pictures = vl_seer_picture_vector(net, graph, pooled);
    packed texts_in;
    pack(b, &texts_in);
    const int32_t *starts = texts_in.starts;
    vl_var *read = vl_seer_read(net, graph, texts_in.ids, starts, ROWS, rates);
    vl_var *texts = vl_seer_text_vector(net, graph, read, texts_in.vector_at, ROWS);
    vl_var *mixed = vl_seer_mix(net, graph, read, places, b->owner, starts, ROWS, rates);
    vl_var *words = vl_seer_words(net, graph, mixed, texts_in.at, b->targets);
    put_var(writer, "places", places);
    put_var(writer, "pictures", pictures);
    put_var(writer, "texts", texts);
    put_var(writer, "words", words);
    vl_var *loss = vl_nn_cross_entropy(graph, words, b->target, b->weight, 0.1, NULL);
    for (size_t h = 0; h < HEADS; h++) {
        vl_var *labels = vl_seer_label(net, graph, pooled, h);
        put_var(writer, h ? "labels.1" : "labels.0", labels);
        loss = vl_nn_add(
            graph, loss,
            vl_nn_cross_entropy(graph, labels, b->labels[h], b->label_weights[h], 0.1, NULL));
    }
    require(vl_graph_status(graph, &error), &error);
    size_t scale = vl_params_at(params, vl_seer_log_scale(net))->offset;
    double matching;
    require(vl_nn_infonce(pictures->value, texts->value, b->vector_owner, PICTURES, ROWS,
                          pictures->dims[1], vl_params_values(params)[scale],
                          vl_var_grad(graph, pictures), vl_var_grad(graph, texts),
                          &gradients[scale], &matching, &error),
            &error);
    vl_graph_backward(graph, loss, 1);
    require(vl_graph_status(graph, &error), &error);
    return (double)loss->value[0] + matching;
}

static void dump_net(const char *checkpoint_path, const char *dump_path) {
    static batch b;
    vl_seer_config config = small_config();
    vl_params *params = vl_params_new();
    vl_seer_net *net = NULL;
    vl_error error = {0};
    require_memory(params);
    require(vl_seer_net_new(&config, params, &net, &error), &error);
    require(vl_params_allocate(params, 7, &error), &error);
    vl_safetensors_writer *writer = vl_safetensors_writer_new();
    require_memory(writer);
    /* As drawn from the seed: the peer draws the same. */
    size_t bytes = vl_params_total(params) * sizeof(float);
    float *drawn = malloc(bytes);
    require_memory(drawn);
    memcpy(drawn, vl_params_values(params), bytes);
    for (size_t i = 0; i < vl_params_count(params); i++) {
        const vl_param *p = vl_params_at(params, i);
        put(writer, "seed7/", p->name, VL_F32, p->rank, p->dims, drawn + p->offset);
    }
    stir(params);
    write_checkpoint(checkpoint_path, params);

    batch_fill(&b);
    put_inputs(writer, &b);
    float *gradients = calloc(vl_params_total(params), sizeof *gradients);
    vl_graph_options options = {
        .max_bytes = (size_t)256 << 20, .training = true, .precision = VL_PRECISION_F32};
    vl_graph *graph = vl_graph_new(params, &options);
    require_memory(gradients);
    require_memory(graph);
    vl_graph_set_gradients(graph, gradients);
    float loss = (float)pass(net, params, graph, &b, gradients, writer);
    put(writer, "out/", "loss", VL_F32, 1, (size_t[]){1}, &loss);
    for (size_t i = 0; i < vl_params_count(params); i++) {
        const vl_param *p = vl_params_at(params, i);
        put(writer, "grad/", p->name, VL_F32, p->rank, p->dims, gradients + p->offset);
    }
    finish(writer, dump_path);
    vl_graph_free(graph);
    free(gradients);
    free(drawn);
    vl_seer_net_free(net);
    vl_params_free(params);
}

/* ---- ids ---------------------------------------------------------------------------- */

static void dump_ids(const char *path) {
    static char line[MAX_LINE];
    static int32_t ids[MAX_LINE];
    vl_bpe *bpe = NULL;
    vl_error error = {0};
    require(vl_bpe_open(path, &bpe, &error), &error);
    while (fgets(line, sizeof line, stdin)) {
        size_t bytes = strcspn(line, "\n"), count = 0;
        require(vl_bpe_encode(bpe, line, bytes, ids, MAX_LINE, &count, &error), &error);
        for (size_t i = 0; i < count; i++)
            printf("%s%" PRId32, i ? " " : "", ids[i]);
        putchar('\n');
    }
    vl_bpe_free(bpe);
}

int main(int argc, char **argv) {
    if (argc == 4 && !strcmp(argv[1], "net"))
        dump_net(argv[2], argv[3]);
    else if (argc == 3 && !strcmp(argv[1], "ids"))
        dump_ids(argv[2]);
    else {
        fprintf(stderr, "usage: seer_dump net OUT.checkpoint OUT.dump | ids TOKENIZER\n");
        return 2;
    }
    return 0;
}
