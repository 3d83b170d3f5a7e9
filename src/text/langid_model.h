/* langid_model.h — the shape of models/langid.bin, and the features it weighs.
 *
 * A linear classifier over hashed character n-grams: the text's letters in NFC and lower case,
 * words apart by one space, every run of 1 to 4 characters and every word hashed into
 * `buckets`. The matrix of n-grams by labels is the product of two (Joulin et al. 2017, "Bag of
 * tricks for efficient text classification"): each bucket has a row of `width` numbers, and
 * each label a column of as many. The logit of a label is (sum of the rows of all n-grams) ·
 * its column / sqrt(number of n-grams)
 * + bias, and the probabilities are softmax(logit / temperature of the text's length) over the
 * labels whose scripts the text has. Several labels may have one code, whose probability is
 * their sum: "und" is a group of labels, each for some languages that the model does not tell
 * apart, and what is added to their logits says, for each length, how soon a text is "und".
 *
 * File, little endian: vl_langid_header, `labels` × vl_langid_label, float columns
 * [width][labels], then int8 rows [buckets][width]. */
#ifndef VISLANG_TEXT_LANGID_MODEL_H
#define VISLANG_TEXT_LANGID_MODEL_H

#include <vislang/text.h>

enum {
    VL_LANGID_VERSION = 3,
    VL_LANGID_MAX_LABELS = 512,
    VL_LANGID_MAX_BUCKETS = 1 << 18,
    VL_LANGID_MAX_WIDTH = 256,
    VL_LANGID_STEP = 16, /* the width is a multiple of it */
    VL_LANGID_MAX_GRAM = 4,
    VL_LANGID_SCRIPTS = 4,
    VL_LANGID_LENGTHS = 4,         /* temperatures: up to 20, 50, 100 letters, and more */
    VL_LANGID_MAX_FEATURES = 8192, /* of a text; what comes later is not looked at */
};

typedef struct vl_langid_header {
    char magic[8]; /* "VLLANGID" */
    uint32_t version, labels, buckets, width;
    float temperatures[VL_LANGID_LENGTHS];
    float unknown[VL_LANGID_LENGTHS]; /* added to the logits of "und" */
} vl_langid_header;

typedef struct vl_langid_label {
    char code[VL_LANG_SIZE];
    float bias;
    char scripts[VL_LANGID_SCRIPTS][4]; /* ISO 15924; none at all: any script will do */
} vl_langid_label;

/* Buckets of the text's n-grams and words; returns how many. `letters` (may be NULL): letters
 * looked at.
 */
size_t vl_langid_features(const char *text, uint32_t buckets,
                          uint32_t features[VL_LANGID_MAX_FEATURES], size_t *letters);
size_t vl_langid_length_class(size_t letters);

#endif
