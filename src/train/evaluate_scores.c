/* evaluate_scores.c — what the model said beside what is true, as JSON.
 *
 * The measures themselves are in text.h; here is what is counted by them: which texts are one
 * corpus, what counts as a right answer, and how a tie is broken (against the model). */
#include "train/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 1 GB of similarities. */
static const size_t MAX_SIMILARITIES = (size_t)1 << 28;

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "no memory for the scores");
}

/* ---- captions ---------------------------------------------------------------------------- */

size_t eval_references(const eval_item *item, const char *language, const char **texts) {
    size_t count = 0;
    for (size_t i = 0; i < item->caption_count; i++)
        if (!strcmp(item->captions[i].language, language))
            texts[count++] = item->captions[i].text;
    return count;
}

size_t eval_most_captions(const eval_data *data) {
    size_t most = 0;
    for (size_t i = 0; i < data->count; i++)
        if (data->items[i].caption_count > most)
            most = data->items[i].caption_count;
    return most;
}

static size_t language_index(const eval_data *data, const char *language) {
    size_t at = 0;
    while (at < data->language_count && strcmp(data->languages[at], language) != 0)
        at++;
    return at;
}

/* What is said of a picture that has captions in the language; NULL: nothing is asked. */
static const char *said_of(const eval_item *item, const eval_captions *how, size_t language) {
    if (how->constant)
        return how->constant;
    return item->written ? item->written[language].text : NULL;
}

vl_status eval_score_captions(const eval_data *data, eval_captions how, cJSON **out,
                              vl_error *error) {
    *out = NULL;
    size_t language = language_index(data, how.language);
    const char **references = calloc(eval_most_captions(data) + 1, sizeof *references);
    vl_caption_scorer *scorer = vl_caption_scorer_new();
    vl_status status = references && scorer ? VL_OK : no_memory(error);
    size_t n = 0;
    for (size_t i = 0; i < data->count && !status; i++) {
        const eval_item *item = &data->items[i];
        size_t count = eval_counts(item) ? eval_references(item, how.language, references) : 0;
        const char *said = count ? said_of(item, &how, language) : NULL;
        if (said) {
            status = vl_caption_scorer_add(scorer, said, references, count, error);
            n++;
        }
    }
    vl_caption_scores scores;
    if (!status && n)
        status = vl_caption_scorer_scores(scorer, &scores, error);
    if (!status && n) {
        *out = cJSON_CreateObject();
        cJSON_AddNumberToObject(*out, "bleu4", scores.bleu[3]);
        cJSON_AddNumberToObject(*out, "cider_d", scores.cider_d);
        cJSON_AddNumberToObject(*out, "n", (double)n);
    }
    vl_caption_scorer_free(scorer);
    free(references);
    return status;
}

/* ---- retrieval --------------------------------------------------------------------------- */

typedef struct queries {
    const float **pictures, **texts;
    size_t *owner;
    size_t picture_count, text_count;
} queries;

static void queries_deinit(queries *q) {
    free(q->pictures);
    free(q->texts);
    free(q->owner);
}

static vl_status gather(const eval_data *data, const char *language, queries *q,
                        vl_error *error) {
    size_t texts = 0;
    for (size_t i = 0; i < data->count; i++)
        texts += data->items[i].caption_count;
    q->pictures = calloc(data->count + 1, sizeof *q->pictures);
    q->texts = calloc(texts + 1, sizeof *q->texts);
    q->owner = calloc(texts + 1, sizeof *q->owner);
    if (!q->pictures || !q->texts || !q->owner)
        return no_memory(error);
    for (size_t i = 0; i < data->count; i++) {
        const eval_item *item = &data->items[i];
        if (!eval_counts(item) || !item->vector)
            continue;
        for (size_t c = 0; c < item->caption_count; c++)
            if (!strcmp(item->captions[c].language, language)) {
                q->owner[q->text_count] = q->picture_count;
                q->texts[q->text_count++] = item->captions[c].vector;
            }
        q->pictures[q->picture_count++] = item->vector;
    }
    return VL_OK;
}

/* A text that the model cannot read is as near to every picture: it finds nothing. */
static float *similarities(const queries *q, size_t width) {
    float *all = calloc(q->text_count * q->picture_count, sizeof *all);
    for (size_t t = 0; all && t < q->text_count; t++)
        for (size_t i = 0; q->texts[t] && i < q->picture_count; i++)
            all[t * q->picture_count + i] =
                vl_kernels_get()->dot(q->texts[t], q->pictures[i], width);
    return all;
}

static void add_recalls(cJSON *object, const double recall[3], size_t n) {
    cJSON_AddNumberToObject(object, "r1", recall[0]);
    cJSON_AddNumberToObject(object, "r5", recall[1]);
    cJSON_AddNumberToObject(object, "r10", recall[2]);
    cJSON_AddNumberToObject(object, "n", (double)n);
}

static size_t count_owners(const queries *q) {
    size_t count = 0;
    for (size_t t = 0; t < q->text_count; t++)
        count += !t || q->owner[t] != q->owner[t - 1];
    return count;
}

vl_status eval_score_retrieval(const eval_data *data, const char *language, size_t width,
                               cJSON **out, vl_error *error) {
    static const size_t at[] = {1, 5, 10};
    *out = NULL;
    queries q = {0};
    float *similarity = NULL;
    double found[3], back[3];
    vl_status status = gather(data, language, &q, error);
    if (status || !q.text_count)
        goto out;
    if (q.text_count > MAX_SIMILARITIES / q.picture_count) {
        status = vl_fail(error, VL_ERR_LIMIT,
                         "%zu texts and %zu pictures are too many to compare at once; --limit "
                         "takes fewer",
                         q.text_count, q.picture_count);
        goto out;
    }
    if (!(similarity = similarities(&q, width)))
        status = no_memory(error);
    if (!status)
        status = vl_score_text_to_image(similarity, q.text_count, q.picture_count, q.owner, at,
                                        3, found, error);
    if (!status)
        status = vl_score_image_to_text(similarity, q.text_count, q.picture_count, q.owner, at,
                                        3, back, error);
    if (!status) {
        *out = cJSON_CreateObject();
        add_recalls(*out, found, q.text_count);
        cJSON_AddNumberToObject(*out, "pictures", (double)q.picture_count);
        add_recalls(cJSON_AddObjectToObject(*out, "picture_to_text"), back, count_owners(&q));
    }
out:
    free(similarity);
    queries_deinit(&q);
    return status;
}

/* ---- answers ----------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The parts of an answer between commas, normalised, sorted, empty ones left out. */
static size_t parts_of(vl_arena *arena, const char *answer, const char **parts, size_t max) {
    char *copy = vl_arena_strdup(arena, answer);
    size_t count = 0;
    for (char *next = NULL, *part = copy ? strtok_r(copy, ",", &next) : NULL;
         part && count < max; part = strtok_r(NULL, ",", &next)) {
        const char *normal = vl_text_answer_normalize(arena, part);
        if (normal && *normal)
            parts[count++] = normal;
    }
    qsort(parts, count, sizeof *parts, by_text);
    return count;
}

static char *join(vl_arena *arena, const char **parts, size_t count) {
    char *joined = vl_arena_strdup(arena, count ? parts[0] : "");
    for (size_t i = 1; joined && i < count; i++)
        joined = vl_arena_printf(arena, "%s, %s", joined, parts[i]);
    return joined;
}

vl_status eval_answer_right(const eval_question *question, const char *said, bool *exact,
                            bool *plain, vl_error *error) {
    enum { MAX_PARTS = 64 };
    const char *ours[MAX_PARTS], *theirs[MAX_PARTS];
    *exact = *plain = false;
    if (!said)
        return VL_OK;
    vl_arena *arena = vl_arena_new((size_t)16 << 20);
    const char *joined = arena ? join(arena, question->answers, question->answer_count) : NULL;
    vl_status status = joined ? VL_OK : no_memory(error);
    if (!status) {
        *plain = !strcmp(said, joined);
        status = vl_text_answer_match(said, &joined, 1, exact, error);
    }
    if (!status) {
        size_t n = parts_of(arena, said, ours, MAX_PARTS);
        bool same = n == parts_of(arena, joined, theirs, MAX_PARTS);
        for (size_t i = 0; same && i < n; i++)
            same = !strcmp(ours[i], theirs[i]);
        *exact = n ? same || *exact : *plain; /* "the" is not the answer to "a" */
    }
    vl_arena_free(arena);
    return status;
}

vl_status eval_score_vqa(const eval_data *data, cJSON **out, vl_error *error) {
    size_t n = 0, right = 0, same = 0;
    vl_status status = VL_OK;
    *out = NULL;
    for (size_t i = 0; i < data->count; i++) {
        const eval_item *item = &data->items[i];
        for (size_t q = 0; eval_counts(item) && q < item->question_count && !status; q++, n++) {
            bool exact, plain;
            status = eval_answer_right(&item->questions[q], item->questions[q].said, &exact,
                                       &plain, error);
            right += exact;
            same += plain;
        }
    }
    if (status || !n)
        return status;
    *out = cJSON_CreateObject();
    cJSON_AddNumberToObject(*out, "exact", (double)right / (double)n);
    cJSON_AddNumberToObject(*out, "plain", (double)same / (double)n);
    cJSON_AddNumberToObject(*out, "n", (double)n);
    return VL_OK;
}

/* ---- statements -------------------------------------------------------------------------- */

/* An even probability decides nothing and counts as wrong; so does one that there is not. */
cJSON *eval_score_statements(const eval_data *data) {
    size_t n = 0, right = 0;
    for (size_t i = 0; i < data->count; i++) {
        const eval_item *item = &data->items[i];
        for (size_t s = 0; eval_counts(item) && s < item->statement_count; s++, n++) {
            double p = item->statements[s].probability;
            right += item->statements[s].truth ? p > 0.5 : p < 0.5;
        }
    }
    if (!n)
        return NULL;
    cJSON *out = cJSON_CreateObject();
    cJSON_AddNumberToObject(out, "accuracy", (double)right / (double)n);
    cJSON_AddNumberToObject(out, "n", (double)n);
    return out;
}

/* ---- labels ------------------------------------------------------------------------------ */

size_t eval_collect_labels(const eval_data *data, const char *set, eval_answered *answers) {
    size_t count = 0;
    for (size_t i = 0; i < data->count; i++) {
        const eval_item *item = &data->items[i];
        const eval_label *label = eval_counts(item) ? eval_label_of(item, set) : NULL;
        if (label && label->guess_count)
            answers[count++] = (eval_answered){
                .truth = label->truth,
                .said = label->guesses[0].label,
                .probability = (float)label->guesses[0].probability,
                .aerial_known = item->aerial_known,
                .aerial = item->aerial,
            };
    }
    return count;
}

static size_t find_name(const char *const *names, size_t count, const char *name) {
    const char *const *found = bsearch(&name, names, count, sizeof *names, by_text);
    return found ? (size_t)(found - names) : 0;
}

/* Names of the truths and of the answers, sorted, each once. */
static size_t class_names(const eval_answered *answers, size_t n, const char **names) {
    for (size_t i = 0; i < n; i++) {
        names[2 * i] = answers[i].truth;
        names[2 * i + 1] = answers[i].said;
    }
    qsort(names, 2 * n, sizeof *names, by_text);
    size_t count = 0;
    for (size_t i = 0; i < 2 * n; i++)
        if (!count || strcmp(names[count - 1], names[i]) != 0)
            names[count++] = names[i];
    return count;
}

static void add_classes(cJSON *out, const vl_class_score *scores, const char *const *names,
                        size_t count) {
    cJSON *all = cJSON_AddObjectToObject(out, "per_class");
    for (size_t c = 0; c < count; c++) {
        cJSON *one = cJSON_AddObjectToObject(all, names[c]);
        cJSON_AddNumberToObject(one, "precision", scores[c].precision);
        cJSON_AddNumberToObject(one, "recall", scores[c].recall);
        cJSON_AddNumberToObject(one, "f1", scores[c].f1);
        cJSON_AddNumberToObject(one, "n", (double)scores[c].support);
    }
}

/* Share of ordinary pictures from the air that were taken for something else. */
static void add_false_alarms(cJSON *out, const eval_answered *answers, size_t n) {
    size_t ordinary = 0, alarms = 0;
    for (size_t i = 0; i < n; i++) {
        bool counts = answers[i].aerial_known && answers[i].aerial &&
                      !strcmp(answers[i].truth, "ordinary");
        ordinary += counts;
        alarms += counts && strcmp(answers[i].said, "ordinary") != 0;
    }
    if (ordinary) {
        cJSON_AddNumberToObject(out, "aerial_false_alarms", (double)alarms / (double)ordinary);
        cJSON_AddNumberToObject(out, "aerial_n", (double)ordinary);
    }
}

vl_status eval_score_labels(const eval_answered *answers, size_t n, cJSON **out,
                            vl_error *error) {
    *out = NULL;
    if (!n)
        return VL_OK;
    const char **names = calloc(2 * n, sizeof *names);
    float *confidence = calloc(n, sizeof *confidence);
    bool *right = calloc(n, sizeof *right);
    uint64_t *confusion = NULL;
    vl_class_score *scores = NULL;
    vl_status status = names && confidence && right ? VL_OK : no_memory(error);
    if (status)
        goto out;
    size_t classes = class_names(answers, n, names), hits = 0;
    confusion = calloc(classes * classes, sizeof *confusion);
    scores = calloc(classes, sizeof *scores);
    if (!confusion || !scores) {
        status = no_memory(error);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        size_t truth = find_name(names, classes, answers[i].truth);
        size_t said = find_name(names, classes, answers[i].said);
        confusion[truth * classes + said]++;
        right[i] = truth == said;
        hits += right[i];
        confidence[i] = answers[i].probability;
    }
    double macro_f1, ece;
    status = vl_score_classes(confusion, classes, scores, &macro_f1, error);
    if (!status)
        status = vl_score_calibration(confidence, right, n, &ece, error);
    if (!status) {
        *out = cJSON_CreateObject();
        cJSON_AddNumberToObject(*out, "macro_f1", macro_f1);
        cJSON_AddNumberToObject(*out, "accuracy", (double)hits / (double)n);
        cJSON_AddNumberToObject(*out, "ece", ece);
        cJSON_AddNumberToObject(*out, "n", (double)n);
        add_classes(*out, scores, names, classes);
        add_false_alarms(*out, answers, n);
    }
out:
    free(names);
    free(confidence);
    free(right);
    free(confusion);
    free(scores);
    return status;
}
