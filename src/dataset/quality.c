/* quality.c — see quality.h. */
#include "dataset/quality.h"
#include "dataset/characters.h"
#include "dataset/logistic.h"
#include "dataset/readability.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/utf8.h>

/* ---- parts ---------------------------------------------------------------------------------
 */

/* Letters and marks that the Universal Declaration of Human Rights takes in Latin script
 * (median of its translations), over those that it takes in this one. */
static double density(UScriptCode script) {
    switch (script) {
    case USCRIPT_HAN: /* and Korean 2.8, Japanese 2.4 */
        return 3.4;
    case USCRIPT_YI:
        return 3;
    case USCRIPT_ETHIOPIC:
        return 1.9;
    case USCRIPT_SYRIAC:
        return 1.7;
    case USCRIPT_CANADIAN_ABORIGINAL:
    case USCRIPT_VAI:
        return 1.6;
    case USCRIPT_CHEROKEE:
        return 1.25;
    case USCRIPT_ARABIC:
    case USCRIPT_HEBREW:
        return 1.15;
    case USCRIPT_DEVANAGARI:
    case USCRIPT_BENGALI:
        return 1.1;
    case USCRIPT_TAMIL:
        return 0.73;
    case USCRIPT_MYANMAR:
        return 0.62;
    default: /* 0.85 … 1.1 */
        return 1;
    }
}

/* Letters of Latin that say as much. */
static double length_of(const char *text) {
    double length = 0;
    for (size_t at = 0, bytes = strlen(text); at < bytes;) {
        UChar32 c = (uint8_t)text[at];
        if (c < 0x80) {
            at++;
            length += (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
            continue;
        }
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        if (U_GET_GC_MASK(c) & (U_GC_L_MASK | U_GC_M_MASK | U_GC_ND_MASK))
            length += density(character_script(c));
    }
    return length;
}

double quality_length(const char *text) {
    static const double SCRAP = 20, FLOOD = 40000;
    double length = length_of(text);
    if (length <= 0)
        return 0;
    double rise = 1 / (1 + (SCRAP / length) * (SCRAP / length));
    return rise / (1 + (length / FLOOD) * (length / FLOOD));
}

/* A language that is only declared was neither confirmed nor refuted. */
static double language_quality(const vl_part *part) {
    static const double DECLARED = 0.5;
    if (!strcmp(part->language, "und"))
        return 0;
    return part->certainty > 0 ? fmin(1, part->certainty) : DECLARED;
}

void quality_of_text(const vl_part *part, const char *text, const vl_ngram *ngram,
                     double quality[VL_QUALITY_PART_COUNT]) {
    readability readable;
    readability_language language;
    bool known = readability_language_of(ngram, part->language, &language);
    readability_measure(text, known ? &language : NULL, &readable);
    quality[VL_QUALITY_OCR] = part->ocr ? fmin(1, fmax(0, part->confidence)) : 1;
    quality[VL_QUALITY_ALIGNMENT] = 1;
    quality[VL_QUALITY_LANGUAGE] = language_quality(part);
    quality[VL_QUALITY_LENGTH] = quality_length(text);
    quality[VL_QUALITY_DUPLICATES] = 1;
    /* A short text may be taken for one in another language, which it is debris in. */
    quality[VL_QUALITY_READABILITY] =
        readable.plain + quality[VL_QUALITY_LANGUAGE] * (readable.score - readable.plain);
}

/* ---- the score -----------------------------------------------------------------------------
 */

/* Chosen, not fitted: an item that is perfect scores 0.95. OCR, alignment and readability are
 * probabilities of being right, and an item that is right with one of them at a half scores a
 * half. A language that is not known, or a scrap, or many duplicates, make it doubtful and are
 * no reason to leave it out by themselves. */
static const double PERFECT = 2.944438979166440; /* ln(0.95 / 0.05) */
static const double shares[VL_QUALITY_PART_COUNT] = {
    [VL_QUALITY_OCR] = 2,    [VL_QUALITY_ALIGNMENT] = 2,     [VL_QUALITY_LANGUAGE] = 0.75,
    [VL_QUALITY_LENGTH] = 1, [VL_QUALITY_DUPLICATES] = 0.25, [VL_QUALITY_READABILITY] = 2};

quality_model quality_model_default(void) {
    quality_model model = {.offset = PERFECT};
    for (size_t i = 0; i < VL_QUALITY_PART_COUNT; i++) {
        model.weight[i] = shares[i] * PERFECT;
        model.offset -= model.weight[i];
    }
    return model;
}

double quality_score(const quality_model *model, const double quality[VL_QUALITY_PART_COUNT]) {
    double sum = model->offset;
    for (size_t i = 0; i < VL_QUALITY_PART_COUNT; i++)
        sum += model->weight[i] * quality[i];
    return logistic_sigmoid(sum);
}

/* ---- verdicts ------------------------------------------------------------------------------
 */

/* The default is believed as if it were off by so much: a weight of 6 may be 4 or 8. */
static const double DEVIATION = 2;
/* Of weights that would be below 0, which are held there. */
static const double HELD = 1e6;
enum { FOLDS = 10, SIZE = VL_QUALITY_PART_COUNT };

typedef struct verdicts {
    double *features, *targets, *weights; /* of the fold: 0 left out */
    size_t count;
} verdicts;

static void to_coefficients(const quality_model *model, double *out) {
    memcpy(out, model->weight, sizeof model->weight);
    out[SIZE] = model->offset;
}

/* Weights below 0 are held at 0 and the others fitted again. */
static vl_status fit_once(const verdicts *v, double *out, vl_error *error) {
    logistic_data data = {v->features, v->targets, v->weights, v->count, SIZE};
    double prior[SIZE + 1], precision[SIZE + 1];
    quality_model start = quality_model_default();
    bool again = true;
    vl_status status = VL_OK;
    to_coefficients(&start, prior);
    for (size_t i = 0; i <= SIZE; i++)
        precision[i] = 1 / (DEVIATION * DEVIATION);
    while (again && !status) {
        again = false;
        status = logistic_fit(&data, prior, precision, out, error);
        for (size_t i = 0; i < SIZE && !status; i++)
            if (out[i] < 0 && precision[i] < HELD) {
                prior[i] = 0;
                precision[i] = HELD;
                again = true;
            }
    }
    for (size_t i = 0; i < SIZE && !status; i++)
        out[i] = fmax(0, out[i]);
    return status;
}

/* Loss of each verdict under a model fitted to those of other folds, and under the default. */
static vl_status validate(const verdicts *v, quality_fit *fit, vl_error *error) {
    double fitted[SIZE + 1], start[SIZE + 1];
    quality_model model = quality_model_default();
    vl_status status = VL_OK;
    to_coefficients(&model, start);
    for (size_t fold = 0; fold < FOLDS && !status; fold++) {
        for (size_t i = 0; i < v->count; i++)
            v->weights[i] = i % FOLDS != fold;
        status = fit_once(v, fitted, error);
        for (size_t i = fold; i < v->count && !status; i += FOLDS) {
            logistic_data one = {v->features + i * SIZE, v->targets + i, NULL, 1, SIZE};
            fit->before += logistic_loss(&one, start) / (double)v->count;
            fit->after += logistic_loss(&one, fitted) / (double)v->count;
        }
    }
    for (size_t i = 0; i < v->count; i++)
        v->weights[i] = 1;
    return status;
}

static vl_status take_cases(const quality_case *cases, verdicts *v, vl_error *error) {
    for (size_t i = 0; i < v->count; i++) {
        bool sound = cases[i].verdict >= 0 && cases[i].verdict <= 1;
        for (size_t k = 0; k < SIZE; k++) {
            v->features[i * SIZE + k] = cases[i].quality[k];
            sound = sound && cases[i].quality[k] >= 0 && cases[i].quality[k] <= 1;
        }
        v->targets[i] = cases[i].verdict;
        if (!sound)
            return vl_fail(error, VL_ERR_INPUT,
                           "verdict %zu, or a part of its quality, is not between 0 and 1",
                           i + 1);
    }
    return VL_OK;
}

static int by_content(const void *a, const void *b) {
    return memcmp(a, b, sizeof(quality_case));
}

static vl_status fit_verdicts(const quality_case *cases, verdicts *v, quality_model *model,
                              quality_fit *fit, vl_error *error) {
    double fitted[SIZE + 1];
    vl_status status = take_cases(cases, v, error);
    if (!status)
        status = validate(v, fit, error);
    fit->taken = !status && fit->after < fit->before;
    if (status || !fit->taken)
        return status;
    status = fit_once(v, fitted, error);
    if (!status) {
        memcpy(model->weight, fitted, sizeof model->weight);
        model->offset = fitted[SIZE];
        model->cases = v->count;
    }
    return status;
}

vl_status quality_model_fit(const quality_case *cases, size_t count, quality_model *model,
                            quality_fit *fit, vl_error *error) {
    quality_fit done = {.cases = count};
    quality_case *sorted = NULL;
    verdicts v = {.count = count};
    vl_status status = VL_OK;
    *model = quality_model_default();
    if (count < QUALITY_CASES_LEAST) {
        status = vl_fail(error, VL_ERR_INPUT,
                         "%zu verdicts are too few to weigh quality by: %d are needed", count,
                         QUALITY_CASES_LEAST);
        goto out;
    }
    sorted = calloc(count, sizeof *sorted);
    v.features = calloc(count, SIZE * sizeof *v.features);
    v.targets = calloc(count, sizeof *v.targets);
    v.weights = calloc(count, sizeof *v.weights);
    if (!sorted || !v.features || !v.targets || !v.weights) {
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for %zu verdicts", count);
        goto out;
    }
    memcpy(sorted, cases, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_content);
    status = fit_verdicts(sorted, &v, model, &done, error);
out:
    free(sorted);
    free(v.features);
    free(v.targets);
    free(v.weights);
    if (fit)
        *fit = done;
    return status;
}

/* ---- files ---------------------------------------------------------------------------------
 */

enum { FILE_BYTES_MOST = 64 << 10, FORMAT = 1 };
static const double WEIGHT_MOST = 1000;

vl_status quality_model_write(const quality_model *model, const char *path, vl_error *error) {
    vl_buf out;
    vl_buf_init(&out, FILE_BYTES_MOST);
    vl_buf_printf(&out, "{\n  \"vislang_quality\": %d,\n  \"offset\": %.17g,\n  \"weights\": {",
                  FORMAT, model->offset);
    for (size_t i = 0; i < VL_QUALITY_PART_COUNT; i++)
        vl_buf_printf(&out, "%s\n    \"%s\": %.17g", i ? "," : "",
                      vl_quality_part_name((vl_quality_part)i), model->weight[i]);
    vl_buf_printf(&out, "\n  },\n  \"cases\": %llu\n}\n", (unsigned long long)model->cases);
    vl_status status = vl_buf_status(&out, "a quality model", error);
    if (!status)
        status = vl_file_write(path, out.data, out.len, error);
    vl_buf_deinit(&out);
    return status;
}

static bool take_number(const cJSON *object, const char *name, double least, double most,
                        double *out) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= least && item->valuedouble <= most))
        return false;
    *out = item->valuedouble;
    return true;
}

static vl_status take_model(const cJSON *json, quality_model *model, vl_error *error) {
    const cJSON *weights = cJSON_GetObjectItemCaseSensitive(json, "weights");
    double format, cases;
    if (!take_number(json, "vislang_quality", FORMAT, FORMAT, &format))
        return vl_fail(error, VL_ERR_INPUT, "it is no quality model of format %d", FORMAT);
    if (!take_number(json, "offset", -WEIGHT_MOST, WEIGHT_MOST, &model->offset))
        return vl_fail(error, VL_ERR_INPUT, "\"offset\" is no number within ±%g", WEIGHT_MOST);
    if (!take_number(json, "cases", 0, 9e15, &cases))
        return vl_fail(error, VL_ERR_INPUT, "\"cases\" is no count");
    model->cases = (uint64_t)cases;
    if (cJSON_GetArraySize(weights) != VL_QUALITY_PART_COUNT)
        return vl_fail(error, VL_ERR_INPUT, "\"weights\" should have %d parts",
                       VL_QUALITY_PART_COUNT);
    for (size_t i = 0; i < VL_QUALITY_PART_COUNT; i++) {
        const char *name = vl_quality_part_name((vl_quality_part)i);
        if (!take_number(weights, name, 0, WEIGHT_MOST, &model->weight[i]))
            return vl_fail(error, VL_ERR_INPUT, "weight \"%s\" is no number from 0 to %g", name,
                           WEIGHT_MOST);
    }
    return VL_OK;
}

vl_status quality_model_parse(const char *json, size_t bytes, quality_model *model,
                              vl_error *error) {
    quality_model read = {0};
    cJSON *tree = cJSON_ParseWithLength(json, bytes);
    vl_status status =
        tree ? take_model(tree, &read, error) : vl_fail(error, VL_ERR_INPUT, "it is no JSON");
    cJSON_Delete(tree);
    if (!status)
        *model = read;
    return status;
}

vl_status quality_model_read(const char *path, quality_model *model, vl_error *error) {
    vl_buf content;
    vl_buf_init(&content, FILE_BYTES_MOST);
    vl_status status = vl_file_read(path, FILE_BYTES_MOST, &content, error);
    if (!status) {
        status =
            quality_model_parse(content.data ? content.data : "", content.len, model, error);
        if (status)
            vl_error_prefix(error, "%s", path);
    }
    vl_buf_deinit(&content);
    return status;
}
