/* langid.c — which language a text is in. The method stands in langid_model.h; the weights are
 * trained by src/train/langid.c. */
#include "text/langid_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

enum {
    MAX_FILE_BYTES = 64 << 20,
    MIN_LETTERS = 3,
    MAX_UNITS = 4096,      /* of UTF-16 looked at; a page's first 600 words */
    SCRIPT_LETTERS_IN = 8, /* a script is the text's own from one letter in this many */
};

struct vl_langid {
    vl_buf file;
    vl_langid_header header;
    const vl_langid_label *labels;
    const float *columns; /* [width][labels], for rows of int8 */
    const int8_t *rows;   /* [buckets][width] */
    UScriptCode scripts[VL_LANGID_MAX_LABELS][VL_LANGID_SCRIPTS]; /* -1: none */
    uint16_t first[VL_LANGID_MAX_LABELS]; /* the first label with the same code */
    bool unknown[VL_LANGID_MAX_LABELS];   /* its code is "und" */
};

/* ---- features -------------------------------------------------------------------------------
 */

static uint32_t gram_hash(const uint32_t *points, size_t count) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ points[i]) * 16777619u;
        hash ^= hash >> 15;
    }
    hash = (hash ^ (uint32_t)count) * 2654435761u;
    return hash ^ (hash >> 16);
}

/* Every n-gram that ends at the newest of the last characters. */
static size_t add_grams(const uint32_t *last, size_t count, uint32_t buckets,
                        uint32_t *features, size_t used) {
    for (size_t n = 1; n <= count && used < VL_LANGID_MAX_FEATURES; n++)
        if (!(n == 1 && last[count - 1] == ' '))
            features[used++] = gram_hash(last + count - n, n) % buckets;
    return used;
}

/* The letters of a word so far. */
typedef struct word_hash {
    uint32_t hash;
    size_t letters;
} word_hash;

/* Takes the next character; the word that a space ends is a feature where no n-gram is all of
 * it. */
static size_t add_word(word_hash *word, uint32_t point, uint32_t buckets, uint32_t *features,
                       size_t used) {
    if (point != ' ') {
        word->hash = ((word->letters++ ? word->hash : 374761393u) ^ point) * 16777619u;
        word->hash ^= word->hash >> 15;
        return used;
    }
    if (word->letters + 2 > VL_LANGID_MAX_GRAM && used < VL_LANGID_MAX_FEATURES) {
        uint32_t hash = word->hash * 2654435761u;
        features[used++] = (hash ^ (hash >> 16)) % buckets;
    }
    word->letters = 0;
    return used;
}

/* The text's letters, in NFC, with one space wherever something else stood. Returns the number
 * of characters. */
static int32_t only_letters(const char *text, UChar32 out[MAX_UNITS * 3]) {
    UChar wide[MAX_UNITS], nfc[MAX_UNITS * 3];
    int32_t used = 0, bytes = (int32_t)strnlen(text, 1 << 20);
    UErrorCode code = U_ZERO_ERROR;
    wide[used++] = ' ';
    for (int32_t at = 0; at < bytes && used < MAX_UNITS - 3;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        if (u_isalpha(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK) || c == '\'') {
            U16_APPEND_UNSAFE(wide, used, c);
        } else if (wide[used - 1] != ' ') {
            wide[used++] = ' ';
        }
    }
    if (wide[used - 1] != ' ')
        wide[used++] = ' ';
    used =
        unorm2_normalize(unorm2_getNFCInstance(&code), wide, used, nfc, MAX_UNITS * 3, &code);
    int32_t length;
    u_strToUTF32(out, MAX_UNITS * 3, &length, nfc, used, &code);
    return U_SUCCESS(code) ? length : 0;
}

size_t vl_langid_features(const char *text, uint32_t buckets,
                          uint32_t features[VL_LANGID_MAX_FEATURES], size_t *letters) {
    UChar32 points[MAX_UNITS * 3];
    uint32_t last[VL_LANGID_MAX_GRAM] = {' '};
    word_hash word = {0};
    size_t kept = 1, used = 0, seen = 0;
    int32_t length = only_letters(text, points);
    for (int32_t at = 1; at < length && used < VL_LANGID_MAX_FEATURES; at++) {
        if (kept == VL_LANGID_MAX_GRAM)
            memmove(last, last + 1, --kept * sizeof *last);
        last[kept++] = (uint32_t)u_tolower(points[at]);
        seen += points[at] != ' ' && points[at] != '\'';
        used = add_grams(last, kept, buckets, features, used);
        used = add_word(&word, last[kept - 1], buckets, features, used);
    }
    if (letters)
        *letters = seen;
    return used;
}

size_t vl_langid_length_class(size_t letters) {
    return letters <= 20 ? 0 : letters <= 50 ? 1 : letters <= 100 ? 2 : 3;
}

/* ---- loading --------------------------------------------------------------------------------
 */

static vl_status check_label(vl_langid *l, size_t i, vl_error *error) {
    const vl_langid_label *label = &l->labels[i];
    bool finite = fabsf(label->bias) < 1e6f;
    for (size_t d = 0; d < l->header.width; d++)
        finite &= fabsf(l->columns[d * l->header.labels + i]) < 1e6f;
    if (!memchr(label->code, 0, VL_LANG_SIZE) || !finite)
        return vl_fail(error, VL_ERR_INPUT, "label %zu is broken", i);
    for (size_t s = 0; s < VL_LANGID_SCRIPTS; s++) {
        char name[5] = {0};
        memcpy(name, label->scripts[s], 4);
        l->scripts[i][s] = *name ? (UScriptCode)u_getPropertyValueEnum(UCHAR_SCRIPT, name)
                                 : USCRIPT_INVALID_CODE;
        if (*name && l->scripts[i][s] == USCRIPT_INVALID_CODE)
            return vl_fail(error, VL_ERR_INPUT, "label %zu names a script that is none", i);
    }
    size_t first = 0;
    while (strcmp(l->labels[first].code, label->code))
        first++;
    l->first[i] = (uint16_t)first;
    l->unknown[i] = !strcmp(label->code, "und");
    return VL_OK;
}

static vl_status check(vl_langid *l, vl_error *error) {
    vl_langid_header *h = &l->header;
    if (l->file.len < sizeof *h)
        return vl_fail(error, VL_ERR_INPUT, "it ends in its header");
    memcpy(h, l->file.data, sizeof *h);
    if (memcmp(h->magic, "VLLANGID", 8))
        return vl_fail(error, VL_ERR_INPUT, "it is no language identification model");
    if (h->version != VL_LANGID_VERSION)
        return vl_fail(error, VL_ERR_UNSUPPORTED, "it has version %u; this program reads %d",
                       h->version, VL_LANGID_VERSION);
    if (!h->labels || h->labels > VL_LANGID_MAX_LABELS || !h->buckets ||
        h->buckets > VL_LANGID_MAX_BUCKETS || !h->width || h->width > VL_LANGID_MAX_WIDTH ||
        h->width % VL_LANGID_STEP)
        return vl_fail(error, VL_ERR_INPUT, "it claims %u languages and %u buckets of %u",
                       h->labels, h->buckets, h->width);
    size_t want = sizeof *h + h->labels * sizeof *l->labels +
                  (size_t)h->width * h->labels * sizeof *l->columns +
                  (size_t)h->buckets * h->width;
    if (l->file.len != want)
        return vl_fail(error, VL_ERR_INPUT, "it has %zu bytes and should have %zu", l->file.len,
                       want);
    for (size_t i = 0; i < VL_LANGID_LENGTHS; i++)
        if (!(h->temperatures[i] > 0.001f && h->temperatures[i] < 1000) ||
            !(fabsf(h->unknown[i]) < 1000))
            return vl_fail(error, VL_ERR_INPUT, "its calibration is out of range");
    l->labels = (const vl_langid_label *)(const void *)(l->file.data + sizeof *h);
    l->columns = (const float *)(const void *)(l->labels + h->labels);
    l->rows = (const int8_t *)(l->columns + (size_t)h->width * h->labels);
    vl_status status = VL_OK;
    for (size_t i = 0; i < h->labels && !status; i++)
        status = check_label(l, i, error);
    return status;
}

vl_status vl_langid_open(const char *path, vl_langid **langid, vl_error *error) {
    char bundled[4096];
    *langid = NULL;
    if (!path) {
        snprintf(bundled, sizeof bundled, "%s/models/langid.bin", vl_data_dir());
        path = bundled;
    }
    vl_langid *l = calloc(1, sizeof *l);
    if (!l)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_buf_init(&l->file, MAX_FILE_BYTES);
    vl_status status = vl_file_read(path, MAX_FILE_BYTES, &l->file, error);
    if (!status && (status = check(l, error)))
        vl_error_prefix(error, "%s", path);
    if (status)
        vl_langid_free(l);
    else
        *langid = l;
    return status;
}

void vl_langid_free(vl_langid *langid) {
    if (!langid)
        return;
    vl_buf_deinit(&langid->file);
    free(langid);
}

/* ---- guessing -------------------------------------------------------------------------------
 */

/* -inf stays 0. */
static void softmax(float *values, size_t count, float temperature) {
    float top = values[0], sum = 0;
    for (size_t i = 1; i < count; i++)
        top = values[i] > top ? values[i] : top;
    for (size_t i = 0; i < count; i++)
        sum += values[i] = expf((values[i] - top) / temperature);
    for (size_t i = 0; i < count; i++)
        values[i] /= sum;
}

typedef struct script_use {
    uint16_t counts[USCRIPT_CODE_LIMIT];
    uint16_t letters;
} script_use;

static void count_scripts(const char *text, script_use *use) {
    int32_t bytes = (int32_t)strnlen(text, 1 << 20);
    *use = (script_use){0};
    for (int32_t at = 0; at < bytes && use->letters < MAX_UNITS;) {
        UErrorCode code = U_ZERO_ERROR;
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        if (!u_isalpha(c))
            continue;
        UScriptCode script = uscript_getScript(c, &code);
        if (script > USCRIPT_INHERITED && script < USCRIPT_CODE_LIMIT) {
            use->counts[script]++;
            use->letters++;
        }
    }
}

/* May a text in these scripts be in the label's language? */
static bool is_possible(const vl_langid *l, size_t label, const script_use *use) {
    const UScriptCode *scripts = l->scripts[label];
    if (scripts[0] == USCRIPT_INVALID_CODE)
        return true;
    uint32_t own = 0;
    for (size_t s = 0; s < VL_LANGID_SCRIPTS && scripts[s] != USCRIPT_INVALID_CODE; s++)
        own += use->counts[scripts[s]];
    return own * SCRIPT_LETTERS_IN >= use->letters && own;
}

static size_t unknown(vl_lang_guess *guesses) {
    guesses[0] = (vl_lang_guess){.code = "und", .probability = 1};
    return 1;
}

/* Sixteen columns of the features' rows, in sums that compilers keep in registers. */
static void add_sixteen(const int8_t *rows, size_t width, const uint32_t *features,
                        size_t count, float sums[VL_LANGID_STEP]) {
    int16_t some[VL_LANGID_STEP] = {0};
    for (size_t f = 0; f < count; f++) {
        const int8_t *row = rows + (size_t)features[f] * width;
        for (size_t j = 0; j < VL_LANGID_STEP; j++)
            some[j] = (int16_t)(some[j] + row[j]);
    }
    for (size_t j = 0; j < VL_LANGID_STEP; j++)
        sums[j] += some[j];
}

/* The sum of the rows of all features, exact: as many as cannot overflow 16 bits are added in
 * those. */
static void add_rows(const vl_langid *l, const uint32_t *features, size_t count,
                     float sums[VL_LANGID_MAX_WIDTH]) {
    enum { ROWS = INT16_MAX / -INT8_MIN };
    for (size_t from = 0; from < count; from += ROWS)
        for (size_t d = 0; d < l->header.width; d += VL_LANGID_STEP)
            add_sixteen(l->rows + d, l->header.width, features + from,
                        count - from < ROWS ? count - from : ROWS, sums + d);
}

/* values[i] = logit of label i. */
static void add_logits(const vl_langid *l, const uint32_t *features, size_t count,
                       float values[restrict VL_LANGID_MAX_LABELS]) {
    float sums[VL_LANGID_MAX_WIDTH] = {0};
    size_t labels = l->header.labels;
    add_rows(l, features, count, sums);
    float shrink = 1 / sqrtf((float)count);
    for (size_t i = 0; i < labels; i++)
        values[i] = l->labels[i].bias;
    for (size_t d = 0; d < l->header.width; d++) {
        const float *column = l->columns + d * labels, share = sums[d] * shrink;
        for (size_t i = 0; i < labels; i++)
            values[i] += share * column[i];
    }
}

/* Probabilities of the labels in `values`; false when no label is possible. */
static bool weigh(const vl_langid *l, const char *text, const uint32_t *features, size_t count,
                  size_t letters, float values[VL_LANGID_MAX_LABELS]) {
    size_t labels = l->header.labels;
    size_t length = vl_langid_length_class(letters);
    script_use use;
    bool any = false;
    add_logits(l, features, count, values);
    count_scripts(text, &use);
    for (size_t i = 0; i < labels; i++) {
        bool possible = is_possible(l, i, &use);
        if (!possible)
            values[i] = -INFINITY;
        else if (l->unknown[i])
            values[i] += l->header.unknown[length];
        any |= possible;
    }
    if (any)
        softmax(values, labels, l->header.temperatures[length]);
    for (size_t i = 0; any && i < labels; i++)
        if (l->first[i] != i) {
            values[l->first[i]] += values[i];
            values[i] = 0;
        }
    return any;
}

size_t vl_langid_guess(const vl_langid *l, const char *text, size_t max,
                       vl_lang_guess *guesses) {
    uint32_t features[VL_LANGID_MAX_FEATURES];
    float values[VL_LANGID_MAX_LABELS];
    size_t labels = l->header.labels, letters, given = 0;
    if (!max)
        return 0;
    size_t count = vl_langid_features(text, l->header.buckets, features, &letters);
    if (letters < MIN_LETTERS || !weigh(l, text, features, count, letters, values))
        return unknown(guesses);
    for (; given < max && given < labels; given++) {
        size_t best = 0;
        for (size_t i = 1; i < labels; i++)
            if (values[i] > values[best])
                best = i;
        if (given && values[best] < 0.005f)
            break;
        snprintf(guesses[given].code, VL_LANG_SIZE, "%s", l->labels[best].code);
        guesses[given].probability = fmin(1, (double)values[best]);
        values[best] = -1;
    }
    return given;
}

bool vl_langid_knows(const vl_langid *l, const char *code) {
    for (size_t i = 0; i < l->header.labels; i++)
        if (!strcmp(vl_lang_code(l->labels[i].code), code))
            return true;
    return false;
}
