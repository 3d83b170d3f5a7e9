/* train.h — training of the weights that are bundled. */
#ifndef VISLANG_TRAIN_H
#define VISLANG_TRAIN_H

#include <vislang/model.h>
#include <vislang/tensor.h>
#include <vislang/text.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Language identification from plain text (models/recipes/langid.yaml). Deterministic for the
 * recipe's seed. `progress` (may be NULL) is called after every epoch. */
typedef struct vl_langid_training {
    const char *recipe;   /* YAML file */
    const char *data_dir; /* the recipe's files are relative to it */
    void (*progress)(unsigned epoch, unsigned epochs, double loss, void *user);
    void *user;
} vl_langid_training;
/* VL_ERR_INPUT: a recipe that cannot be read; VL_ERR_MISSING: no text for a language in it. */
vl_status vl_langid_train(const vl_langid_training *training, const char *out_path,
                          vl_error *error);

/* Scores on held-out text, as accuracy over lines cut to about 20, 50 and 100 letters (and
 * whole). */
typedef struct vl_langid_score {
    char code[VL_LANG_SIZE]; /* "und": languages the model was never shown */
    uint32_t right[4], count[4];
    char mostly[VL_LANG_SIZE]; /* what wrong answers most often said; "" when none */
} vl_langid_score;
/* `scores` has room for `max`; `count` receives how many there are. */
vl_status vl_langid_evaluate(const vl_langid_training *training, const vl_langid *langid,
                             vl_langid_score *scores, size_t max, size_t *count,
                             vl_error *error);
/* The very texts that those scores are over, for other programs to be scored on: a line a text
 * of code, file of the recipe, about how many characters it was cut to, and the text, with
 * tabs between. */
vl_status vl_langid_write_held_out(const vl_langid_training *training, const char *out_path,
                                   vl_error *error);

/* ---- tokenizer -------------------------------------------------------------------- */

/* The merges of a vl_bpe, learned from the words of a recipe's text
 * (models/recipes/seer-tokenizer.yaml): the commonest neighbours become one, again and again
 * (Sennrich, Haddow and Birch 2016, algorithm 1). Every source of the recipe counts for as much
 * as its weight says, however long it is. Nothing is drawn by chance: the same text gives the
 * same file. `progress` (may be NULL) is called after every 512 merges. */
typedef struct vl_bpe_training {
    const char *recipe;   /* YAML file */
    const char *data_dir; /* the recipe's files are relative to it */
    void (*progress)(size_t tokens, size_t vocabulary, void *user);
    void *user;
} vl_bpe_training;
/* VL_ERR_INPUT: a recipe that cannot be followed, or text too short for its vocabulary;
 * VL_ERR_MISSING: a file that is not there, or has nothing in it. */
vl_status vl_bpe_train(const vl_bpe_training *training, const char *out_path, vl_error *error);

/* How short held-out text becomes: one line in ten of the recipe's plain text (which is not
 * trained on), and the files under its `held`, by language and kind of text. */
typedef struct vl_bpe_score {
    char label[32];                       /* "en captions" */
    uint64_t lines, words, bytes, tokens; /* words: between white space */
} vl_bpe_score;
/* `scores` has room for `max`; `count` receives how many there are. */
vl_status vl_bpe_evaluate(const vl_bpe_training *training, const vl_bpe *bpe,
                          vl_bpe_score *scores, size_t max, size_t *count, vl_error *error);

/* ---- character n-grams --------------------------------------------------------------- */

/* The models of a vl_ngram, counted from the text of a recipe (models/recipes/chars.yaml):
 * modified interpolated Kneser-Ney (Chen and Goodman 1999), then the n-grams whose loss costs
 * the least are left out (Seymore and Rosenfeld 1996) until each language fits its bytes, and
 * the weights of what is shorter are made to sum to one again. Lines are broken between words
 * where a printed line would be. Nothing is drawn by chance. `progress` (may be NULL) is called
 * after every language. */
typedef struct vl_chars_training {
    const char *recipe;   /* YAML file */
    const char *data_dir; /* the recipe's files are relative to it */
    void (*progress)(const char *code, size_t language, size_t languages, size_t bytes,
                     void *user);
    void *user;
} vl_chars_training;
/* VL_ERR_USAGE: a recipe that cannot be followed; VL_ERR_MISSING: a file that is not there, or
 * a language without text. */
vl_status vl_chars_train(const vl_chars_training *training, const char *out_path,
                         vl_error *error);

/* How well held-out lines are foretold: one line in ten of every file, and the files that are
 * `held`. */
typedef struct vl_chars_score {
    char code[VL_LANG_SIZE];
    uint64_t lines, symbols;   /* ends of lines are symbols too */
    double bits, unigram_bits; /* per symbol: the model's, and by frequencies alone */
    size_t bytes;              /* of the language in the file */
} vl_chars_score;
/* `scores` has room for `max`; `count` receives how many there are. A language of the recipe
 * that the file does not have is VL_ERR_INPUT. */
vl_status vl_chars_evaluate(const vl_chars_training *training, const vl_ngram *ngram,
                            vl_chars_score *scores, size_t max, size_t *count, vl_error *error);

/* ---- voices -------------------------------------------------------------------------- */

/* What the engines that read text are worth, fitted on lines with their true text (`vislang
 * dataset scan-lines`): models/voices.json, from a recipe (models/recipes/voices.yaml) that
 * names the engines and the lines. docs/consensus.md has the method. Nothing is drawn by
 * chance. `progress` (may be NULL) is called after every line that was read. */
typedef struct vl_voices_training {
    const char *recipe;   /* YAML file */
    const char *data_dir; /* the recipe's lines are relative to it */
    void (*progress)(size_t line, size_t lines, void *user);
    void *user;
} vl_voices_training;

enum { VL_VOICES_ENGINES = 16, VL_VOICES_THRESHOLDS = 6 };
typedef struct vl_voices_engine {
    char name[32];
    uint64_t errors, characters; /* code points of the lines that are in its languages */
} vl_voices_engine;
typedef struct vl_voices_threshold {
    double threshold; /* of confidence_threshold */
    double voices;    /* asked for a line, on average */
    uint64_t errors;
} vl_voices_threshold;
/* On the lines it was fitted on. */
typedef struct vl_voices_score {
    size_t lines, words;
    uint64_t characters, errors; /* errors when everybody votes on everything */
    vl_voices_engine engines[VL_VOICES_ENGINES];
    size_t engine_count;
    vl_voices_threshold thresholds[VL_VOICES_THRESHOLDS];
    /* Expected calibration error of a word's confidence (Naeini et al. 2015, ten bins). */
    double calibration_error_before, calibration_error;
} vl_voices_score;
/* VL_ERR_USAGE: a recipe that cannot be followed; VL_ERR_MISSING: no lines, or no engine;
 * VL_ERR_INPUT: not one line that an engine reads. */
vl_status vl_voices_train(const vl_voices_training *training, const char *out_path,
                          vl_voices_score *score, vl_error *error);

/* ---- networks ---------------------------------------------------------------------- */

/* Losses are reported by task; these are seer's, and those of reader's lines: -log p of a line,
 * and the character error rate of its best path. */
enum { VL_TRAIN_TASKS = 5, VL_TRAIN_READER_TASKS = 2 };
extern const char *const vl_train_task_names[VL_TRAIN_TASKS];
extern const char *const vl_train_reader_task_names[VL_TRAIN_READER_TASKS];

typedef struct vl_train_progress {
    uint64_t step, steps;
    const char *const *tasks; /* names of the losses */
    size_t task_count;
    double loss[VL_TRAIN_TASKS]; /* mean since the last line; NaN: the task was not there */
    double rate, gradient_norm;
    double pictures_per_second, seconds_left; /* a picture of a line is one, too */
    const char *event;                        /* NULL, or what happened: "held out: …" */
    bool line; /* the recipe's log_every steps are full: what stands here is logged */
} vl_train_progress;

/* A network from a recipe (models/recipes/seer-*.yaml, reader-*.yaml; docs/train.md). A run
 * lives in `out_dir`: recipe.yaml, checkpoint.safetensors, best.safetensors (lowest held-out
 * loss; of reader, error rate), log.jsonl, and of reader alphabet.txt. A run that is there
 * already goes on from its checkpoint, bit for bit as if it had never stopped (in f32); its
 * recipe must then be the same. SIGINT, SIGTERM and SIGUSR1: a checkpoint, then
 * VL_ERR_CANCELLED.
 *
 * Started by mpirun, all its processes train one network together, each on its share of every
 * step; what is in `out_dir` is read and written by the first of them. */
typedef struct vl_training {
    const char *recipe;   /* YAML file */
    const char *data_dir; /* the recipe's paths are relative to it */
    const char *out_dir;
    uint64_t max_steps;  /* stop (with a checkpoint) after this many in this process; 0: no */
    size_t feed_threads; /* that decode pictures; 0: one a processor. Results are the same. */
    /* After every step and event, on the thread that trains; of several processes, the first.
     */
    void (*progress)(const vl_train_progress *progress, void *user);
    void *user;
} vl_training;
/* VL_ERR_USAGE: a recipe that cannot be followed; VL_ERR_MISSING: no data; VL_ERR_INPUT: broken
 * data past the recipe's share, a checkpoint of another network, or a loss that is no number
 * any more (the last good checkpoint stays). */
vl_status vl_train(const vl_training *training, vl_error *error);

/* ---- recipes and runs --------------------------------------------------------------- */

enum { VL_TRAIN_MODEL_SIZE = 32 };
/* What a recipe's `model:` says ("seer"). VL_ERR_USAGE: it says nothing. */
vl_status vl_train_model_of(const char *recipe, char model[VL_TRAIN_MODEL_SIZE],
                            vl_error *error);

enum { VL_TRAIN_MAX_PLOTTED = 6 };
/* Draws the curves of runs (their folders' log.jsonl) over each other: losses by task, what is
 * held out, recall, and the rate. `out_path` ends in .png or .svg. Torn and doubled lines of a
 * log are passed over. VL_ERR_MISSING: no log; VL_ERR_INPUT: nothing in it to draw. */
vl_status vl_train_plot(const char *const *out_dirs, size_t count, const char *out_path,
                        vl_error *error);

/* From a run's folder to a model file. */
typedef struct vl_seer_exporting {
    const char *run_dir;
    bool best;           /* best.safetensors instead of the last checkpoint */
    const char *without; /* a label set that is left out (one of pretraining); NULL: none */
    const char *facts;   /* JSON over the defaults: version, languages, calibration; NULL */
    uint32_t picture;    /* side pictures are looked at with; 0: the recipe's */
    vl_dtype dtype;
} vl_seer_exporting;
vl_status vl_seer_export(const vl_seer_exporting *what, const char *out_path, vl_error *error);
/* The same for a reader. */
typedef struct vl_reader_exporting {
    const char *run_dir;
    bool best;
    const char *facts; /* JSON: version, licence; NULL: none */
    vl_dtype dtype;
} vl_reader_exporting;
vl_status vl_reader_export(const vl_reader_exporting *what, const char *out_path,
                           vl_error *error);
/* A model file in another format; `facts_path` (may be NULL) as above. What was lost by fewer
 * bits does not come back. */
vl_status vl_seer_quantize(const char *in_path, const char *facts_path, vl_dtype dtype,
                           const char *out_path, vl_error *error);

/* ---- scoring seer ------------------------------------------------------------------- */

/* What may be scored; a set of them. */
enum {
    VL_EVAL_CAPTION = 1,    /* BLEU-4, CIDEr-D, in each language it writes */
    VL_EVAL_RETRIEVAL = 2,  /* recall of pictures by captions and back */
    VL_EVAL_VQA = 4,        /* exact answers */
    VL_EVAL_STATEMENTS = 8, /* true or false */
    VL_EVAL_SCENE = 16,     /* the label set "scene" */
    VL_EVAL_LABELS = 32,    /* every label set, "scene" too */
};
/* One of the above by name ("caption", …, "labels"); 0 and VL_ERR_USAGE for another name. */
unsigned vl_eval_task(const char *name, vl_error *error);

typedef struct vl_seer_evaluation {
    const char *const *paths; /* folders, tars and metadata files (docs/eval.md) */
    size_t path_count;
    const char *model; /* NULL: the bundled one */
    unsigned tasks;    /* 0: all that the metadata supports */
    size_t limit;      /* only the first pictures that the tasks concern; 0: all */
    /* Where to write what was said of each picture, a line of JSON each; NULL: nowhere. */
    const char *details;
    bool baselines;
    const char *const *train_paths; /* what baselines are learned from; may be none */
    size_t train_count;
    size_t threads; /* 0: vl_cpu_count() */
    /* May be NULL. Called by one thread at a time, from any. */
    void (*progress)(size_t done, size_t pictures, void *user);
    void *user;
} vl_seer_evaluation;
/* Scores a model file; appends one JSON object (docs/eval.md) to `json`, which the caller
 * inits and deinits. The same numbers on every run, on any number of threads. Pictures that
 * are missing or cannot be decoded are counted, named and left out of every score; a text that
 * the model refuses (too long) counts as answered wrongly.
 * VL_ERR_MISSING: no such folder or model, nothing in it for a task that was asked for, or a
 * model that lacks it; VL_ERR_INPUT: metadata that cannot be read, or not one picture that can
 * be decoded. */
vl_status vl_seer_evaluate(const vl_seer_evaluation *evaluation, vl_buf *json, vl_error *error);
/* Fits what turns the scores of this model into probabilities on the same data: temperatures of
 * label sets, calibrations of captions, answers and statements. What the data says nothing of
 * stays as it is in `facts` (begin with *vl_seer_facts_of). Scores are taken back from the
 * calibration that the file holds, so fitting again gives the same. Thresholds become 0.5.
 * `json` (may be NULL) receives what was fitted and how well. VL_ERR_MISSING: nothing could be
 * fitted. */
vl_status vl_seer_calibrate(const vl_seer_evaluation *evaluation, vl_seer_facts *facts,
                            vl_buf *json, vl_error *error);

#ifdef __cplusplus
}
#endif
#endif
