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

#include <vislang/media.h>
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
    double dropout;   /* of texts, in training */
    double drop_path; /* of pictures, in training */
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
/* Texts lie behind each other: row r is ids[starts[r]] … ids[starts[r+1]], starts [rows+1]; N
 * is starts[rows]. → [N,D], each place seeing itself and those before in its row. */
vl_var *vl_seer_read(const vl_seer_net *net, vl_graph *graph, const int32_t *ids,
                     const int32_t *starts, size_t rows, vl_seer_rates rates);
/* Places `at` [count] of the N → unit vectors. */
vl_var *vl_seer_text_vector(const vl_seer_net *net, vl_graph *graph, vl_var *text,
                            const int32_t *at, size_t count);
/* text [N,D] beside places, row r with picture source[r] (NULL: r) → [N,D]. */
vl_var *vl_seer_mix(const vl_seer_net *net, vl_graph *graph, vl_var *text, vl_var *places,
                    const int32_t *source, const int32_t *starts, size_t rows,
                    vl_seer_rates rates);
/* Rows `at` of mixed text → logits [count,vocabulary]. */
vl_var *vl_seer_words(const vl_seer_net *net, vl_graph *graph, vl_var *mixed, const int32_t *at,
                      size_t count);
/* Index of the scalar parameter log(1/temperature) of the contrastive loss. */
size_t vl_seer_log_scale(const vl_seer_net *net);

/* ---- seer, ready to use ------------------------------------------------------------- */

/* Weights, labels, tokenizer and calibration of one file. Read-only, so thread-safe. */
typedef struct vl_seer vl_seer;
/* `path` NULL: the bundled one (models/seer.gguf under vl_data_dir()). VL_ERR_MISSING: no such
 * file; VL_ERR_UNSUPPORTED: a GGUF of another architecture or of a later version; VL_ERR_INPUT:
 * a file that contradicts itself. */
vl_status vl_seer_open(const char *path, vl_seer **seer, vl_error *error);
void vl_seer_free(vl_seer *seer);
const vl_seer_config *vl_seer_config_of(const vl_seer *seer);
const char *vl_seer_name(const vl_seer *seer);    /* "seer" */
const char *vl_seer_version(const vl_seer *seer); /* as its file says */
const char *vl_seer_format(const vl_seer *seer);  /* dtype of most of its weights: "q8_0" */

/* The working memory of one thread, and the picture it looks at. */
typedef struct vl_seer_session vl_seer_session;
vl_seer_session *vl_seer_session_new(const vl_seer *seer); /* NULL: no memory */
void vl_seer_session_free(vl_seer_session *session);
/* Everything below is asked of the last picture looked at. The picture is not kept. */
vl_status vl_seer_session_look(vl_seer_session *session, const vl_image *image,
                               vl_error *error);

typedef struct vl_seer_writing {
    uint32_t beams;        /* beam search of this width, at most 16; 1: greedy; 0: sampling */
    uint32_t max_tokens;   /* longest text, at most the network's */
    double length_penalty; /* log-probability / length^this, Wu et al. 2016 */
    uint32_t no_repeat; /* no row of so many tokens comes twice (Paulus et al. 2018); 0: off */
    double match;       /* captions: what the cosine of picture and text adds to the score */
    double temperature, top_p; /* of sampling (Holtzman et al. 2020) */
    uint64_t seed;
} vl_seer_writing;
vl_seer_writing
vl_seer_writing_default(void); /* 12 beams, 32 tokens, 0.7, 2, 5, 0.8, 0.95, 1 */

/* A text it wrote; lives in the arena it was asked for with. */
typedef struct vl_seer_text {
    const char *text;
    double confidence; /* calibrated where the file holds a calibration: the probability that
                          it is right (answers), or good (captions) */
    bool sure;         /* confidence reaches the file's threshold for this task */
    size_t tokens;
} vl_seer_text;
/* `language`: ISO 639-1 code ("en"). VL_ERR_USAGE: a language it was not trained to write (the
 * message lists those it was). */
vl_status vl_seer_caption(vl_seer_session *session, const char *language,
                          const vl_seer_writing *how, vl_arena *arena, vl_seer_text *out,
                          vl_error *error);
vl_status vl_seer_ask(vl_seer_session *session, const char *question,
                      const vl_seer_writing *how, vl_arena *arena, vl_seer_text *out,
                      vl_error *error);
/* Probability that a statement about the picture is true. */
vl_status vl_seer_judge(vl_seer_session *session, const char *statement, double *probability,
                        vl_error *error);

typedef struct vl_seer_guess {
    const char *label; /* of the seer */
    double probability;
    bool sure;
} vl_seer_guess;
/* Labels of one set ("scene"), best first, into `guesses` [max]; labels that no data taught are
 * not among them. Returns how many; 0 for a set it has not. */
size_t vl_seer_labels(vl_seer_session *session, const char *set, vl_seer_guess *guesses,
                      size_t max);

size_t vl_seer_vector_size(const vl_seer *seer);
/* Unit vectors; pictures and texts that belong together lie close (dot product). */
void vl_seer_picture_embedding(vl_seer_session *session, float *vector);
/* `language` NULL: not said. No picture is needed. */
vl_status vl_seer_text_embedding(vl_seer_session *session, const char *text,
                                 const char *language, float *vector, vl_error *error);

/* ---- making model files ------------------------------------------------------------- */

/* How a score becomes a probability: sigmoid(slope · score + offset) (Platt 1999). */
typedef struct vl_calibration {
    double slope, offset, threshold;
} vl_calibration;
enum { VL_SEER_MAX_LANGUAGES = 16 };
/* What a file holds beside weights. */
typedef struct vl_seer_facts {
    char version[32], licence[64];
    char languages[VL_SEER_MAX_LANGUAGES][8]; /* it writes captions in */
    size_t language_count;
    double temperature[VL_SEER_MAX_HEADS]; /* of each label head (Guo et al. 2017) */
    bool trained[VL_SEER_MAX_HEADS][VL_SEER_MAX_LABELS];
    vl_calibration caption, ask, statement, labels;
} vl_seer_facts;
vl_seer_facts vl_seer_facts_default(void);
const vl_seer_facts *vl_seer_facts_of(const vl_seer *seer);
/* Writes a GGUF of `dtype` (VL_F32, VL_F16, VL_Q8_0, VL_Q4_0, VL_Q2_0): matrices in it, as far
 * as their rows fill blocks; the rest in f16, vectors in f32. Word embeddings of q2_0 files are
 * q4_0. */
vl_status vl_seer_write(const char *path, const vl_seer_net *net, const vl_params *params,
                        const vl_bpe *bpe, const vl_seer_facts *facts, vl_dtype dtype,
                        vl_error *error);
/* The type a parameter is kept in, in a file of `wanted`. */
vl_dtype vl_seer_dtype_of(const vl_param *param, vl_dtype wanted);
/* The weights of an open model as f32, in a store of their own that the caller frees; for
 * quantising and for training on. */
vl_status vl_seer_unpack(const vl_seer *seer, vl_seer_net **net, vl_params **params,
                         vl_error *error);
const vl_bpe *vl_seer_tokenizer(const vl_seer *seer);

/* ---- reader: a line of text to characters --------------------------------------------- */

/* `reader` reads the picture of one line. Depthwise-separable convolutions (Howard et al. 2017)
 * bring it to a quarter of its width and a height of one; filters along the line (ConvNeXt
 * blocks, Liu et al. 2022) and a few layers of self-attention relate its columns; each column
 * then says a character or nothing (connectionist temporal classification, Graves et al. 2006).
 * One network reads all scripts of its alphabet, from left to right as pixels lie; the Unicode
 * bidirectional algorithm puts what it read into logical order (vl_text_to_logical).
 *
 * Lines of a batch lie behind each other (nn.h), so nothing is padded and a line reads the
 * same in any company, but for the rounding of sums. */
enum {
    VL_READER_HEIGHT = 48, /* pixels of a line, once scaled */
    VL_READER_STRIDE = 4,  /* pixels a position */
    VL_READER_STAGES = 4,
    VL_READER_MAX_SYMBOLS = 20000,
    VL_READER_MAX_WIDTH = 8192, /* pixels of a scaled line */
    VL_READER_MAX_BEAMS = 64,
    VL_READER_MAX_ALTERNATIVES = 8,
    VL_READER_MAX_CONTEXT = 32
};

typedef struct vl_reader_config {
    uint32_t stem[VL_READER_STAGES]; /* channels at heights of 24, 12, 6 and 3 */
    uint32_t width;                  /* channels of a column */
    uint32_t blocks, kernel; /* filters along the line; their length in positions, odd */
    uint32_t layers, heads;  /* of self-attention, evenly among the blocks */
    uint32_t expand;         /* perceptrons are so many times as wide */
    uint32_t squeeze; /* hundredths of its width that a scaled line gets; 100 all of it */
    uint32_t symbols; /* characters of the alphabet */
} vl_reader_config;
/* 4.2 M parameters and 257 a character of the alphabet, which is empty. */
vl_reader_config vl_reader_config_default(void);
/* VL_ERR_INPUT with what is wrong: sizes that do not divide, zero, or past any use. */
vl_status vl_reader_config_check(const vl_reader_config *config, vl_error *error);

/* As vl_seer_net: immutable after creation, then thread-safe. */
typedef struct vl_reader_net vl_reader_net;
vl_status vl_reader_net_new(const vl_reader_config *config, vl_params *params,
                            vl_reader_net **net, vl_error *error);
void vl_reader_net_free(vl_reader_net *net);
const vl_reader_config *vl_reader_net_config(const vl_reader_net *net);
/* `pixels` [4·N,48]: columns of all lines, 0 paper and 1 ink, each from top to bottom; line b
 * is positions starts[b] … starts[b+1] of 4 columns, starts[count] = N. → logits
 * [N,symbols + 1], 0 the blank. Dropout (in training) is of residual branches. */
vl_var *vl_reader_look(const vl_reader_net *net, vl_graph *graph, const float *pixels,
                       const int32_t *starts, size_t count, double dropout);

/* The picture of a line as the network wants it. */
typedef struct vl_reader_pixels {
    float *columns;   /* [width,48] */
    size_t width;     /* a multiple of 4, filled up with paper */
    double scale;     /* pixels of the given picture a pixel of these, from left to right */
    size_t positions; /* width / 4 */
} vl_reader_pixels;
/* Grey, scaled to the height and squeezed to `squeeze` hundredths, and stretched so that paper
 * is 0 and ink is 1 whichever of them is dark; in the arena. VL_ERR_LIMIT: wider than
 * VL_READER_MAX_WIDTH after scaling. */
vl_status vl_reader_prepare(const vl_image *line, uint32_t squeeze, vl_arena *arena,
                            vl_reader_pixels *out, vl_error *error);

/* ---- its alphabet --------------------------------------------------------------------- */

/* Characters as code points; labels of the network are 1 … count, in their order. */
typedef struct vl_reader_alphabet vl_reader_alphabet;
/* From UTF-8 text: each character once, in the order of their numbers. Line ends, control
 * characters and what only steers direction are left out; the space is always in it.
 * VL_ERR_LIMIT: more than VL_READER_MAX_SYMBOLS. */
vl_status vl_reader_alphabet_new(const char *text, size_t bytes, vl_reader_alphabet **alphabet,
                                 vl_error *error);
void vl_reader_alphabet_free(vl_reader_alphabet *alphabet);
/* Appends its characters as UTF-8, for vl_reader_alphabet_new. Check the buffer after. */
void vl_reader_alphabet_write(const vl_reader_alphabet *alphabet, vl_buf *out);
size_t vl_reader_alphabet_size(const vl_reader_alphabet *alphabet);
uint32_t vl_reader_alphabet_at(const vl_reader_alphabet *alphabet, size_t label); /* from 1 */
/* 0: it is not in it. */
int32_t vl_reader_alphabet_label(const vl_reader_alphabet *alphabet, uint32_t character);
/* What the network is to say of a line with this text: NFC, white space squeezed, visual order.
 * `labels` (in the arena) [count]; `unknown` receives how many characters are not in the
 * alphabet (they are left out). VL_ERR_LIMIT: the arena is full. */
vl_status vl_reader_targets(const vl_reader_alphabet *alphabet, const char *text,
                            vl_arena *arena, int32_t **labels, size_t *count, size_t *unknown,
                            vl_error *error);

/* ---- reader, ready to use --------------------------------------------------------------- */

/* Weights and alphabet of one file. Read-only, so thread-safe. */
typedef struct vl_reader vl_reader;
/* `path` NULL: the bundled one (models/reader.gguf under vl_data_dir()). Errors as of
 * vl_seer_open. */
vl_status vl_reader_open(const char *path, vl_reader **reader, vl_error *error);
/* From a file's bytes, which must outlive the call only. */
vl_status vl_reader_parse(const void *bytes, size_t count, vl_reader **reader, vl_error *error);
void vl_reader_free(vl_reader *reader);
const vl_reader_config *vl_reader_config_of(const vl_reader *reader);
const vl_reader_alphabet *vl_reader_alphabet_of(const vl_reader *reader);
const char *vl_reader_version(const vl_reader *reader); /* as its file says */
const char *vl_reader_format(const vl_reader *reader);  /* dtype of most of its weights */

/* How likely a character is after others, for the search to lean on. `before` [count] are the
 * last characters in the order of reading (logical order, in a line of one direction), at most
 * `context` of them; → the natural logarithm. */
typedef struct vl_reader_language {
    double (*next)(void *user, const uint32_t *before, size_t count, uint32_t character);
    void *user;
    size_t context; /* at most VL_READER_MAX_CONTEXT */
    double weight;  /* α: of its logarithms beside the network's */
    double bonus;   /* β: for every character, since longer texts are less likely */
} vl_reader_language;

typedef struct vl_reader_how {
    uint32_t beams;                     /* prefixes kept; 1: the best path, without search */
    uint32_t alternatives;              /* other characters a place is told, at most */
    vl_direction direction;             /* of the page, where it is known */
    const vl_reader_language *language; /* NULL: none; needs beams */
    /* [symbols + 1], label 0 first: what a character's probability is multiplied by before all
     * are made to sum to one again, 0 to 1; NULL: nothing. */
    const float *prior;
} vl_reader_how;
vl_reader_how vl_reader_how_default(void); /* 1 beam, 3 alternatives, from the text */

/* Another character in a place: its probability, given all others of the line. */
typedef struct vl_reader_alternative {
    uint32_t character; /* 0: none at all */
    double probability;
} vl_reader_alternative;
typedef struct vl_reader_character {
    uint32_t character;
    double confidence;  /* its probability, given all others; with `others` at most 1 */
    float left, right;  /* pixels of the given picture */
    size_t other_count; /* likeliest first */
    vl_reader_alternative *others;
} vl_reader_character;
/* All in the arena of the call. */
typedef struct vl_reader_line {
    const char *text; /* UTF-8, logical order */
    size_t count;     /* characters of it */
    vl_reader_character *characters;
    double log_probability; /* natural logarithm of p(text | picture), by the network alone */
    double confidence;      /* geometric mean of the characters'; 0 without any */
    bool rtl;               /* most of its letters run from right to left */
} vl_reader_line;

/* The working memory of one thread. */
typedef struct vl_reader_session vl_reader_session;
vl_reader_session *vl_reader_session_new(const vl_reader *reader); /* NULL: no memory */
void vl_reader_session_free(vl_reader_session *session);
/* Where the processor is fast at them, products are of 8-bit numbers (kernel.h); `exact` keeps
 * to the network's floats, to compare. */
void vl_reader_session_exact(vl_reader_session *session, bool exact);
/* Reads `count` lines, best several at once; `out` [count]. VL_ERR_LIMIT: a line that is too
 * long (the message says which), a full arena. VL_ERR_USAGE: options that have no meaning. */
vl_status vl_reader_read(vl_reader_session *session, const vl_image *const *lines, size_t count,
                         const vl_reader_how *how, vl_arena *arena, vl_reader_line *out,
                         vl_error *error);

/* What a file says of itself beside its weights. */
typedef struct vl_reader_facts {
    char version[32], licence[64];
} vl_reader_facts;
/* Writes a GGUF: matrices in `dtype` as far as their rows fill blocks, the rest in f16, vectors
 * in f32. */
vl_status vl_reader_write(const char *path, const vl_reader_net *net, const vl_params *params,
                          const vl_reader_alphabet *alphabet, const vl_reader_facts *facts,
                          vl_dtype dtype, vl_error *error);
/* The type a parameter is kept in, in a file of `wanted`. */
vl_dtype vl_reader_dtype_of(const vl_param *param, vl_dtype wanted);

/* ---- vectors of pictures, to search -------------------------------------------------- */

/* An index is one file: for each picture of a folder its vector, its name relative to the
 * folder, and what it was made from, so that only what changed is looked at again. A vector is
 * kept as 8-bit blocks (q8_0) of its values and, beside them, of what their rounding left out.
 * A search multiplies the first with the query, and then, exactly, the few that the bound of
 * the rounding error cannot rule out: so the hits are those of a search without rounding, and
 * scores of unit vectors differ by less than 1e-5. docs/search.md describes the file.
 *
 * Files are replaced by renaming, never written in place; an open index goes on with what it
 * mapped. Thread-safety: an open index is read-only and may be searched from many threads; a
 * writer belongs to one. */
enum {
    VL_VECTORS_MAX_SIZE = 4096, /* values of a vector */
    VL_VECTORS_MODEL_SIZE = 128,
    VL_VECTORS_HASH_SIZE = 32, /* SHA-256 */
    VL_VECTORS_MAX_NAME = 4095
};
#define VL_VECTORS_MAX_COUNT (1u << 24)

/* What a vector was made from. */
typedef struct vl_vectors_picture {
    const char *name; /* relative to the folder, '/' between parts; bytes as the folder has
                         them; never absolute, never with a part ".." */
    uint64_t bytes;
    int64_t mtime_ns;
    uint8_t hash[VL_VECTORS_HASH_SIZE]; /* of the file's bytes */
} vl_vectors_picture;

typedef struct vl_vectors vl_vectors;
/* VL_ERR_INPUT: no such file, or one that contradicts itself (the message says what and at
 * which byte); VL_ERR_UNSUPPORTED: a later version's. */
vl_status vl_vectors_open(const char *path, vl_vectors **vectors, vl_error *error);
/* `bytes` must outlive the object and lie at a multiple of 32 (VL_ERR_USAGE). */
vl_status vl_vectors_parse(const void *bytes, size_t count, vl_vectors **vectors,
                           vl_error *error);
void vl_vectors_free(vl_vectors *vectors);
size_t vl_vectors_count(const vl_vectors *vectors);
size_t vl_vectors_size(const vl_vectors *vectors); /* values of a vector */
/* What the writer was told: vectors of different models do not compare. */
const char *vl_vectors_model(const vl_vectors *vectors);
/* What an index of this seer's pictures says: name, version, dtype, and a hash that changes
 * with the weights ("seer 1 q8_0 3fa9c2d1e0b1a2c3"). Can't fail. */
void vl_vectors_model_of(const vl_seer *seer, char out[VL_VECTORS_MODEL_SIZE]);
/* Pictures are in the order of their names (strcmp). NULL past the last. */
const char *vl_vectors_name(const vl_vectors *vectors, size_t index);
/* `name` points into the index. false past the last. */
bool vl_vectors_at(const vl_vectors *vectors, size_t index, vl_vectors_picture *picture);
size_t vl_vectors_find(const vl_vectors *vectors, const char *name); /* SIZE_MAX: not there */
/* Vector `index`, which must be there, into `vector` [size]. */
void vl_vectors_get(const vl_vectors *vectors, size_t index, float *vector);

typedef struct vl_vectors_hit {
    size_t index;
    float score; /* dot product: the cosine, for unit vectors */
} vl_vectors_hit;
/* The `k` vectors nearest to `query` [size], best first, equal ones by name, into `hits` [k];
 * `count` is how many there are (k, or all). VL_ERR_USAGE: a query that is not finite. */
vl_status vl_vectors_search(const vl_vectors *vectors, const float *query, size_t k,
                            vl_vectors_hit *hits, size_t *count, vl_error *error);

typedef struct vl_vectors_writer vl_vectors_writer;
/* VL_ERR_USAGE: a size of 0 or past VL_VECTORS_MAX_SIZE, a model's name that is empty, too long
 * or no plain text. */
vl_status vl_vectors_writer_new(const char *model, size_t size, vl_vectors_writer **writer,
                                vl_error *error);
void vl_vectors_writer_free(vl_vectors_writer *writer);
size_t vl_vectors_writer_count(const vl_vectors_writer *writer);
/* `vector` [size] and `picture` are copied. VL_ERR_USAGE: a name that an index cannot hold;
 * VL_ERR_INPUT: a vector that is not finite, or longer than 1e3. A name that came before is
 * only seen when the index is written. */
vl_status vl_vectors_add(vl_vectors_writer *writer, const vl_vectors_picture *picture,
                         const float *vector, vl_error *error);
/* Takes vector `index` of an open index of the same size as it is, without rounding it again;
 * `from` must stay open until the writer is freed. */
vl_status vl_vectors_keep(vl_vectors_writer *writer, const vl_vectors_picture *picture,
                          const vl_vectors *from, size_t index, vl_error *error);
/* Written beside, fsynced, renamed over `path`: the old index or the new. The writer may be
 * added to and written again. VL_ERR_USAGE: a name came twice. */
vl_status vl_vectors_write(vl_vectors_writer *writer, const char *path, vl_error *error);

/* ---- the index of a folder ------------------------------------------------------------ */

/* How far a refresh is, and what it found. */
typedef struct vl_vectors_report {
    size_t pictures; /* of the folder, by content: the first picture of JPEG, PNG, WebP, TIFF */
    size_t kept;     /* as they were: same name, size and time */
    size_t known;    /* touched, moved or copied: same content as one the index had */
    size_t embedded; /* looked at */
    size_t removed;  /* not in the folder any more */
    size_t broken;   /* could not be read; not in the index, tried again next time */
    size_t left_out; /* files that are no pictures, PDF documents among them */
    bool rebuilt;    /* there was an index, and it was not used: */
    char was[VL_VECTORS_MODEL_SIZE]; /* the model it was of */
    bool written;                    /* the file changed */
    double seconds;
} vl_vectors_report;

typedef struct vl_vectors_folder {
    const char *folder, *index; /* the index's path: need not be in the folder */
    const char *model;
    size_t size;
    size_t threads;
    bool rebuild; /* look at everything again; also where the index there is broken */
    vl_media_limits limits;
    size_t save_every; /* pictures; what is done is also saved every 20 s, as long as saving
                          takes less than a twentieth of the time */
    /* The vector of a picture; called by `threads` threads, `worker` is 0 … threads - 1. */
    vl_status (*embed)(void *user, size_t worker, const vl_image *image, float *vector,
                       vl_error *error);
    /* May be NULL. Called by one thread at a time. */
    void (*progress)(void *user, const vl_vectors_report *report);
    void (*broken)(void *user, const char *name, const vl_error *why);
    bool (*stopped)(void *user); /* true: save and return VL_ERR_CANCELLED; from any thread */
    void *user;
} vl_vectors_folder;
vl_vectors_folder vl_vectors_folder_default(void); /* a thread per processor, 1000 pictures */

/* Brings the index of a folder up to date and opens it. Hidden files and folders are passed
 * over, symbolic links to files followed, links to folders not. A file at `index` that is no
 * index is never written over; one that is broken only with `rebuild`. VL_ERR_INPUT: no such
 * folder, an index that is broken; VL_ERR_IO: the index cannot be written. */
vl_status vl_vectors_refresh(const vl_vectors_folder *how, vl_vectors_report *report,
                             vl_vectors **vectors, vl_error *error);

#ifdef __cplusplus
}
#endif
#endif
