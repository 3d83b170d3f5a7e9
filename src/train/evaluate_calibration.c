/* evaluate_calibration.c — from scores to probabilities, by what was right on held-out data.
 *
 * Labels: one temperature a set, the likeliest (Guo et al. 2017, section 4.2). Captions,
 * answers, statements: a sigmoid each (Platt 1999), by Newton's method with backtracking (Lin,
 * Lin and Weng 2007). The scores are those of vl_seer before its calibration: mean
 * log-probability of a caption's tokens, log-probability of an answer, logit of a statement. */
#include "train/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A caption is good when its CIDEr-D reaches this (docs/eval.md says why this much). */
static const double GOOD_CAPTION = 0.3;
enum { FEWEST = 10 }; /* of right ones, and of wrong ones, to fit anything to */

/* ---- Platt ------------------------------------------------------------------------------- */

/* log(1 + e^x) */
static double softplus(double x) {
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double sigmoid(double x) {
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

typedef struct platt {
    const double *scores;
    const bool *right;
    size_t n;
    double high, low; /* targets of right and wrong ones */
} platt;

static double platt_loss(const platt *p, double slope, double offset) {
    double loss = 0;
    for (size_t i = 0; i < p->n; i++) {
        double x = slope * p->scores[i] + offset;
        loss += softplus(x) - (p->right[i] ? p->high : p->low) * x;
    }
    return loss;
}

/* One step; false when it is no longer worth one. */
static bool platt_step(const platt *p, double *slope, double *offset) {
    double ga = 0, gb = 0, aa = 1e-9, ab = 0, bb = 1e-9;
    for (size_t i = 0; i < p->n; i++) {
        double s = p->scores[i], q = sigmoid(*slope * s + *offset), w = q * (1 - q);
        double d = q - (p->right[i] ? p->high : p->low);
        ga += d * s;
        gb += d;
        aa += w * s * s;
        ab += w * s;
        bb += w;
    }
    double det = aa * bb - ab * ab;
    if (fabs(ga) + fabs(gb) < 1e-9 * (double)p->n || !(det > 0))
        return false;
    double da = -(bb * ga - ab * gb) / det, db = -(aa * gb - ab * ga) / det;
    double before = platt_loss(p, *slope, *offset), descent = ga * da + gb * db;
    for (double step = 1; step > 1e-10; step /= 2)
        if (platt_loss(p, *slope + step * da, *offset + step * db) <
            before + 1e-4 * step * descent) {
            *slope += step * da;
            *offset += step * db;
            return true;
        }
    return false;
}

bool eval_fit_platt(const double *scores, const bool *right, size_t n, vl_calibration *out) {
    double good = 0;
    for (size_t i = 0; i < n; i++)
        good += right[i];
    double bad = (double)n - good;
    if (good < FEWEST || bad < FEWEST)
        return false;
    platt p = {scores, right, n, (good + 1) / (good + 2), 1 / (bad + 2)};
    double slope = 0, offset = log((good + 1) / (bad + 1));
    for (int i = 0; i < 100 && platt_step(&p, &slope, &offset); i++)
        ;
    /* A score that says nothing, or the opposite: the share of right ones is all there is to
     * say. A slope of 0 would mean "not calibrated". */
    if (!(slope > 1e-6) || !isfinite(slope) || !isfinite(offset)) {
        slope = 1e-6;
        offset = log((good + 1) / (bad + 1));
    }
    *out = (vl_calibration){.slope = slope, .offset = offset, .threshold = 0.5};
    return true;
}

/* ---- temperature ------------------------------------------------------------------------- */

double eval_temperature_loss(const double *logits, const size_t *truth, size_t n,
                             size_t classes, double temperature) {
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        const double *row = logits + i * classes;
        double most = row[0], sum = 0;
        for (size_t c = 1; c < classes; c++)
            most = row[c] > most ? row[c] : most;
        for (size_t c = 0; c < classes; c++)
            sum += exp((row[c] - most) / temperature);
        loss += log(sum) - (row[truth[i]] - most) / temperature;
    }
    return n ? loss / (double)n : 0;
}

/* The loss is convex in 1/T, so it falls and then rises in log T: golden section. */
double eval_fit_temperature(const double *logits, const size_t *truth, size_t n,
                            size_t classes) {
    static const double GOLDEN = 0.6180339887498949;
    double low = log(0.02), high = log(50);
    double a = high - GOLDEN * (high - low), b = low + GOLDEN * (high - low);
    double fa = eval_temperature_loss(logits, truth, n, classes, exp(a));
    double fb = eval_temperature_loss(logits, truth, n, classes, exp(b));
    while (high - low > 1e-5) {
        if (fa <= fb) {
            high = b;
            b = a;
            fb = fa;
            a = high - GOLDEN * (high - low);
            fa = eval_temperature_loss(logits, truth, n, classes, exp(a));
        } else {
            low = a;
            a = b;
            fa = fb;
            b = low + GOLDEN * (high - low);
            fb = eval_temperature_loss(logits, truth, n, classes, exp(b));
        }
    }
    return exp((low + high) / 2);
}

/* ---- what is fitted ---------------------------------------------------------------------- */

/* Scores of one task, and which of them were of something right. */
typedef struct judged {
    double *scores;
    float *before; /* the probabilities that the model file gave */
    bool *right;
    size_t n, room;
} judged;

static bool judged_init(judged *j, size_t room) {
    *j = (judged){.room = room};
    j->scores = calloc(room + 1, sizeof *j->scores);
    j->before = calloc(room + 1, sizeof *j->before);
    j->right = calloc(room + 1, sizeof *j->right);
    return j->scores && j->before && j->right;
}

static void judged_deinit(judged *j) {
    free(j->scores);
    free(j->before);
    free(j->right);
}

static double uncalibrated(vl_calibration c, double probability) {
    double p = fmin(fmax(probability, 1e-300), 1 - 1e-16);
    return c.slope != 0 ? (log(p / (1 - p)) - c.offset) / c.slope : log(p);
}

static void judge(judged *j, vl_calibration now, double probability, bool right) {
    if (j->n == j->room || !(probability >= 0 && probability <= 1))
        return;
    j->scores[j->n] = uncalibrated(now, probability);
    j->before[j->n] = (float)probability;
    j->right[j->n++] = right;
}

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "no memory to calibrate");
}

/* ECE of the probabilities before and after. */
static void add_errors(cJSON *out, const judged *j, vl_calibration fitted) {
    double before = 0, after = 0, good = 0;
    vl_score_calibration(j->before, j->right, j->n, &before, NULL);
    for (size_t i = 0; i < j->n; i++) {
        j->before[i] = (float)sigmoid(fitted.slope * j->scores[i] + fitted.offset);
        good += j->right[i];
    }
    vl_score_calibration(j->before, j->right, j->n, &after, NULL);
    cJSON_AddNumberToObject(out, "n", (double)j->n);
    cJSON_AddNumberToObject(out, "right", good / (double)j->n);
    cJSON_AddNumberToObject(out, "ece_before", before);
    cJSON_AddNumberToObject(out, "ece_after", after);
}

static void fit(const char *name, const judged *j, vl_calibration *into, cJSON *out,
                size_t *fitted) {
    if (!eval_fit_platt(j->scores, j->right, j->n, into))
        return;
    cJSON *object = cJSON_AddObjectToObject(out, name);
    cJSON_AddNumberToObject(object, "slope", into->slope);
    cJSON_AddNumberToObject(object, "offset", into->offset);
    cJSON_AddNumberToObject(object, "threshold", into->threshold);
    add_errors(cJSON_AddObjectToObject(cJSON_GetObjectItem(out, "fit"), name), j, *into);
    ++*fitted;
}

static vl_status fit_statements(const eval_data *data, vl_calibration now, vl_calibration *into,
                                cJSON *out, size_t *fitted, vl_error *error) {
    judged j;
    size_t room = 0;
    for (size_t i = 0; i < data->count; i++)
        room += data->items[i].statement_count;
    bool ok = judged_init(&j, room);
    for (size_t i = 0; ok && i < data->count; i++) {
        const eval_item *item = &data->items[i];
        for (size_t s = 0; eval_counts(item) && s < item->statement_count; s++)
            judge(&j, now, item->statements[s].probability, item->statements[s].truth);
    }
    if (ok)
        fit("statement", &j, into, out, fitted);
    judged_deinit(&j);
    return ok ? VL_OK : no_memory(error);
}

static vl_status fit_answers(const eval_data *data, vl_calibration now, vl_calibration *into,
                             cJSON *out, size_t *fitted, vl_error *error) {
    judged j;
    size_t room = 0;
    for (size_t i = 0; i < data->count; i++)
        room += data->items[i].question_count;
    vl_status status = judged_init(&j, room) ? VL_OK : no_memory(error);
    for (size_t i = 0; i < data->count; i++) {
        const eval_item *item = &data->items[i];
        for (size_t q = 0; !status && eval_counts(item) && q < item->question_count; q++) {
            bool exact, plain;
            const eval_question *question = &item->questions[q];
            status = eval_answer_right(question, question->said, &exact, &plain, error);
            if (!status && question->said)
                judge(&j, now, question->confidence, exact);
        }
    }
    if (!status)
        fit("ask", &j, into, out, fitted);
    judged_deinit(&j);
    return status;
}

/* Captions in the first language that there is (English, where it is there). */
static vl_status fit_captions(const eval_data *data, vl_calibration now, vl_calibration *into,
                              cJSON *out, size_t *fitted, vl_error *error) {
    judged j = {0};
    size_t n = 0;
    vl_caption_scorer *scorer = vl_caption_scorer_new();
    const char **references = calloc(eval_most_captions(data) + 1, sizeof *references);
    double *confidence = calloc(data->count + 1, sizeof *confidence);
    double *cider_d = calloc(data->count + 1, sizeof *cider_d);
    vl_status status =
        scorer && references && confidence && cider_d && judged_init(&j, data->count)
            ? VL_OK
            : no_memory(error);
    for (size_t i = 0; !status && data->language_count && i < data->count; i++) {
        const eval_item *item = &data->items[i];
        if (!eval_counts(item) || !item->written || !item->written[0].text)
            continue;
        size_t count = eval_references(item, data->languages[0], references);
        if (!count)
            continue;
        status = vl_caption_scorer_add(scorer, item->written[0].text, references, count, error);
        confidence[n++] = item->written[0].confidence;
    }
    if (!status)
        vl_caption_scorer_cider_d(scorer, cider_d);
    for (size_t i = 0; !status && i < n; i++)
        judge(&j, now, confidence[i], cider_d[i] >= GOOD_CAPTION);
    if (!status)
        fit("caption", &j, into, out, fitted);
    judged_deinit(&j);
    vl_caption_scorer_free(scorer);
    free(references);
    free(confidence);
    free(cider_d);
    return status;
}

static size_t find_head(const vl_seer *seer, const char *set) {
    const vl_seer_config *config = vl_seer_config_of(seer);
    size_t h = 0;
    while (h < config->head_count && strcmp(config->label_heads[h].name, set) != 0)
        h++;
    return h;
}

/* Pictures whose true label the model knows. */
static size_t gather_logits(const eval_data *data, const char *set, double temperature,
                            double *logits, size_t *truth, size_t classes) {
    size_t n = 0;
    for (size_t i = 0; i < data->count; i++) {
        const eval_item *item = &data->items[i];
        const eval_label *label = eval_counts(item) ? eval_label_of(item, set) : NULL;
        if (!label || label->guess_count != classes)
            continue;
        bool known = false;
        for (size_t g = 0; g < classes; g++) {
            logits[n * classes + g] =
                temperature * log(fmax(label->guesses[g].probability, 1e-300));
            if (!strcmp(label->guesses[g].label, label->truth)) {
                truth[n] = g;
                known = true;
            }
        }
        n += known;
    }
    return n;
}

static size_t class_count(const eval_data *data, const char *set) {
    for (size_t i = 0; i < data->count; i++) {
        const eval_item *item = &data->items[i];
        const eval_label *label = eval_counts(item) ? eval_label_of(item, set) : NULL;
        if (label && label->guess_count)
            return label->guess_count;
    }
    return 0;
}

static vl_status fit_labels(const eval_data *data, const vl_seer *seer, const char *set,
                            vl_seer_facts *facts, cJSON *out, size_t *fitted, vl_error *error) {
    size_t head = find_head(seer, set), classes = class_count(data, set);
    if (head >= vl_seer_config_of(seer)->head_count || classes < 2)
        return VL_OK;
    double now = vl_seer_facts_of(seer)->temperature[head];
    double *logits = calloc(data->count * classes, sizeof *logits);
    size_t *truth = calloc(data->count, sizeof *truth);
    vl_status status = logits && truth ? VL_OK : no_memory(error);
    size_t n = status ? 0 : gather_logits(data, set, now, logits, truth, classes);
    if (n >= FEWEST) {
        double best = eval_fit_temperature(logits, truth, n, classes);
        facts->temperature[head] = best;
        facts->labels = (vl_calibration){.slope = 1, .offset = 0, .threshold = 0.5};
        cJSON_AddNumberToObject(cJSON_GetObjectItem(out, "temperature"), set, best);
        cJSON *one = cJSON_AddObjectToObject(cJSON_GetObjectItem(out, "fit"), set);
        cJSON_AddNumberToObject(one, "n", (double)n);
        cJSON_AddNumberToObject(one, "nll_before",
                                eval_temperature_loss(logits, truth, n, classes, now));
        cJSON_AddNumberToObject(one, "nll_after",
                                eval_temperature_loss(logits, truth, n, classes, best));
        ++*fitted;
    }
    free(logits);
    free(truth);
    return status;
}

vl_status eval_calibrate(const eval_data *data, const vl_seer *seer, vl_seer_facts *facts,
                         cJSON *out, vl_error *error) {
    const vl_seer_facts *now = vl_seer_facts_of(seer);
    size_t fitted = 0;
    vl_status status = VL_OK;
    cJSON_AddObjectToObject(out, "temperature");
    cJSON_AddObjectToObject(out, "fit");
    for (size_t i = 0; i < data->label_set_count && !status; i++)
        status = fit_labels(data, seer, data->label_sets[i], facts, out, &fitted, error);
    if (!status)
        status = fit_captions(data, now->caption, &facts->caption, out, &fitted, error);
    if (!status)
        status = fit_answers(data, now->ask, &facts->ask, out, &fitted, error);
    if (!status)
        status = fit_statements(data, now->statement, &facts->statement, out, &fitted, error);
    if (!status && !fitted)
        status = vl_fail(error, VL_ERR_MISSING,
                         "nothing to calibrate by: %d right and %d wrong ones of a task are "
                         "needed",
                         (int)FEWEST, (int)FEWEST);
    return status;
}
