/* evaluate_baselines.c — what can be had without a model: the commonest caption and answer, a
 * coin, and a linear look at colours. A score says something only above these.
 *
 * Everything is learned from the training folders and compared on the same pictures, by the
 * same functions, as the model. */
#include "train/evaluate.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITERATIONS = 400, MAX_CLASSES = 64 };
/* The features have length 1 and a constant 1 beside them, so the loss is 1-smooth: steps of
 * up to 2 go down (Nesterov 2004, theorem 2.1.14). */
static const double STEP = 1.5, DECAY = 1e-4;

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "no memory for the baselines");
}

/* ---- the commonest ----------------------------------------------------------------------- */

typedef struct counted {
    const char *key, *text; /* what is compared; as it stood first */
    const char *group;      /* of the key: question type, or "" */
    size_t order, count;
} counted;

static int by_key(const void *a, const void *b) {
    const counted *x = a, *y = b;
    int group = strcmp(x->group, y->group), key = group ? group : strcmp(x->key, y->key);
    return key ? key : x->order < y->order ? -1 : x->order > y->order;
}

/* Sums up equal keys of a group; what is left is sorted by group and key. */
static size_t sum_up(counted *all, size_t n) {
    qsort(all, n, sizeof *all, by_key);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept && !strcmp(all[kept - 1].group, all[i].group) &&
            !strcmp(all[kept - 1].key, all[i].key))
            all[kept - 1].count += all[i].count;
        else
            all[kept++] = all[i];
    return kept;
}

/* Of equally common ones the first in the alphabet. `group` NULL: any. */
static const counted *commonest(const counted *all, size_t n, const char *group) {
    const counted *best = NULL;
    for (size_t i = 0; i < n; i++)
        if ((!group || !strcmp(all[i].group, group)) && (!best || all[i].count > best->count))
            best = &all[i];
    return best;
}

/* ---- captions ---------------------------------------------------------------------------- */

/* The commonest whole caption in a language, by its tokens. */
static vl_status common_caption(const eval_data *train, const char *language, vl_arena *arena,
                                const char **caption, vl_error *error) {
    size_t n = 0, total = 0;
    for (size_t i = 0; i < train->count; i++)
        total += train->items[i].caption_count;
    counted *all = calloc(total + 1, sizeof *all);
    vl_status status = all ? VL_OK : no_memory(error);
    for (size_t i = 0; i < train->count && !status; i++)
        for (size_t c = 0; c < train->items[i].caption_count && !status; c++) {
            const eval_caption *from = &train->items[i].captions[c];
            if (strcmp(from->language, language) != 0)
                continue;
            const char *key = vl_caption_tokenize(arena, from->text);
            if (!key)
                status = no_memory(error);
            else if (*key)
                all[n++] = (counted){key, from->text, "", i, 1};
        }
    const counted *best = status ? NULL : commonest(all, sum_up(all, n), NULL);
    *caption = best ? best->text : NULL;
    free(all);
    return status;
}

static vl_status caption_baseline(const eval_data *data, const eval_data *train,
                                  vl_arena *arena, cJSON *out, vl_error *error) {
    cJSON *object = NULL, *languages = NULL;
    for (size_t l = 0; l < data->language_count; l++) {
        const char *caption;
        cJSON *scores = NULL;
        vl_status status = common_caption(train, data->languages[l], arena, &caption, error);
        if (!status && caption)
            status = eval_score_captions(data, (eval_captions){data->languages[l], caption},
                                         &scores, error);
        if (status)
            return status;
        if (!scores)
            continue;
        cJSON_AddStringToObject(scores, "text", caption);
        if (!object) {
            object = cJSON_Duplicate(scores, true);
            cJSON_AddItemToObject(out, "caption", object);
            languages = cJSON_AddObjectToObject(object, "by_language");
        }
        cJSON_AddItemToObject(languages, data->languages[l], scores);
    }
    return VL_OK;
}

/* ---- answers ----------------------------------------------------------------------------- */

/* The first two words of a question, in lower case. */
static const char *question_type(vl_arena *arena, const char *question) {
    const char *at = question + strspn(question, " \t");
    size_t first = strcspn(at, " \t"), gap = strspn(at + first, " \t");
    size_t second = strcspn(at + first + gap, " \t?");
    char *type =
        vl_arena_printf(arena, "%.*s %.*s", (int)first, at, (int)second, at + first + gap);
    for (char *c = type; c && *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return type;
}

static const char *join_answers(vl_arena *arena, const eval_question *question) {
    const char *joined = vl_arena_strdup(arena, question->answers[0]);
    for (size_t i = 1; joined && i < question->answer_count; i++)
        joined = vl_arena_printf(arena, "%s, %s", joined, question->answers[i]);
    return joined;
}

typedef struct learned {
    counted *all, *typed; /* over all questions; by their type */
    size_t all_count, typed_count;
} learned;

static vl_status learn_answers(const eval_data *train, vl_arena *arena, learned *a,
                               vl_error *error) {
    size_t total = 0, n = 0;
    for (size_t i = 0; i < train->count; i++)
        total += train->items[i].question_count;
    a->all = calloc(total + 1, sizeof *a->all);
    a->typed = calloc(total + 1, sizeof *a->typed);
    if (!a->all || !a->typed)
        return no_memory(error);
    for (size_t i = 0; i < train->count; i++)
        for (size_t q = 0; q < train->items[i].question_count; q++, n++) {
            const eval_question *question = &train->items[i].questions[q];
            const char *text = join_answers(arena, question);
            const char *key = text ? vl_text_answer_normalize(arena, text) : NULL;
            const char *type = key ? question_type(arena, question->text) : NULL;
            if (!type)
                return no_memory(error);
            a->all[n] = (counted){key, text, "", n, 1};
            a->typed[n] = (counted){key, text, type, n, 1};
        }
    a->all_count = sum_up(a->all, n);
    a->typed_count = sum_up(a->typed, n);
    return VL_OK;
}

/* `typed`: by the question's type where the training questions have it. */
static vl_status score_answers(const eval_data *data, const learned *a, bool typed,
                               vl_arena *arena, cJSON *out, vl_error *error) {
    const counted *common = commonest(a->all, a->all_count, NULL);
    size_t n = 0, right = 0;
    for (size_t i = 0; i < data->count; i++) {
        const eval_item *item = &data->items[i];
        for (size_t q = 0; eval_counts(item) && q < item->question_count; q++, n++) {
            const char *type = question_type(arena, item->questions[q].text);
            if (!type)
                return no_memory(error);
            const counted *said = typed ? commonest(a->typed, a->typed_count, type) : common;
            bool exact, plain;
            vl_status status = eval_answer_right(
                &item->questions[q], said ? said->text : common->text, &exact, &plain, error);
            if (status)
                return status;
            right += exact;
        }
    }
    if (!typed)
        cJSON_AddStringToObject(out, "answer", common->text);
    cJSON_AddNumberToObject(out, "exact", n ? (double)right / (double)n : 0);
    cJSON_AddNumberToObject(out, "n", (double)n);
    return VL_OK;
}

static vl_status answer_baseline(const eval_data *data, const eval_data *train, vl_arena *arena,
                                 cJSON *out, vl_error *error) {
    learned a = {0};
    vl_status status = learn_answers(train, arena, &a, error);
    if (!status && a.all_count) {
        cJSON *object = cJSON_AddObjectToObject(out, "vqa");
        status = score_answers(data, &a, false, arena,
                               cJSON_AddObjectToObject(object, "commonest"), error);
        if (!status)
            status = score_answers(data, &a, true, arena,
                                   cJSON_AddObjectToObject(object, "by_question_type"), error);
    }
    free(a.all);
    free(a.typed);
    return status;
}

/* ---- statements -------------------------------------------------------------------------- */

static void statement_baseline(const eval_data *data, const eval_data *train, cJSON *out) {
    size_t yes = 0, all = 0, same = 0, n = 0;
    for (size_t i = 0; i < train->count; i++)
        for (size_t s = 0; s < train->items[i].statement_count; s++, all++)
            yes += train->items[i].statements[s].truth;
    if (!all)
        return;
    bool said = 2 * yes >= all;
    for (size_t i = 0; i < data->count; i++)
        for (size_t s = 0; eval_counts(&data->items[i]) && s < data->items[i].statement_count;
             s++, n++)
            same += data->items[i].statements[s].truth == said;
    if (!n)
        return;
    cJSON *object = cJSON_AddObjectToObject(out, "statements");
    cJSON_AddBoolToObject(object, "says", said);
    cJSON_AddNumberToObject(object, "accuracy", (double)same / (double)n);
    cJSON_AddNumberToObject(object, "n", (double)n);
}

/* ---- retrieval by chance ----------------------------------------------------------------- */

/* One of `own` among the first k of `all` in a random order: 1 − C(all−own,k)/C(all,k). */
static double chance(size_t own, size_t all, size_t k) {
    double none = 1;
    for (size_t i = 0; i < k; i++)
        none *= all - i > own ? (double)(all - own - i) / (double)(all - i) : 0;
    return 1 - none;
}

static size_t captions_in(const eval_item *item, const char *language) {
    size_t count = 0;
    for (size_t c = 0; c < item->caption_count; c++)
        count += !strcmp(item->captions[c].language, language);
    return count;
}

static cJSON *chance_of(const eval_data *data, const char *language) {
    static const struct recall {
        const char *name;
        size_t k;
    } recalls[] = {{"r1", 1}, {"r5", 5}, {"r10", 10}};
    size_t pictures = 0, texts = 0, asked = 0;
    for (size_t i = 0; i < data->count; i++)
        if (eval_counts(&data->items[i]) && data->items[i].vector) {
            size_t own = captions_in(&data->items[i], language);
            pictures++;
            texts += own;
            asked += own > 0;
        }
    if (!texts)
        return NULL;
    cJSON *out = cJSON_CreateObject(), *back = cJSON_CreateObject();
    for (size_t r = 0; r < 3; r++) {
        double sum = 0;
        size_t k = recalls[r].k < texts ? recalls[r].k : texts;
        for (size_t i = 0; i < data->count; i++)
            if (eval_counts(&data->items[i]) && data->items[i].vector)
                sum += chance(captions_in(&data->items[i], language), texts, k);
        cJSON_AddNumberToObject(out, recalls[r].name,
                                chance(1, pictures, k < pictures ? k : pictures));
        cJSON_AddNumberToObject(back, recalls[r].name, sum / (double)asked);
    }
    cJSON_AddItemToObject(out, "picture_to_text", back);
    return out;
}

static void retrieval_baseline(const eval_data *data, cJSON *out) {
    cJSON *object = NULL, *languages = NULL;
    for (size_t l = 0; l < data->language_count; l++) {
        cJSON *one = chance_of(data, data->languages[l]);
        if (!one)
            continue;
        if (!object) {
            object = cJSON_Duplicate(one, true);
            cJSON_AddItemToObject(out, "retrieval", object);
            languages = cJSON_AddObjectToObject(object, "by_language");
        }
        cJSON_AddItemToObject(languages, data->languages[l], one);
    }
}

/* ---- labels by colour -------------------------------------------------------------------- */

void eval_colours(const vl_image *image, float *out) {
    memset(out, 0, EVAL_COLOURS * sizeof *out);
    for (size_t y = 0; y < image->height; y++)
        for (size_t x = 0; x < image->width; x++) {
            const uint8_t *p = image->pixels + y * image->stride + x * image->channels;
            size_t r = p[0] >> 5, g = p[image->channels == 3 ? 1 : 0] >> 5;
            size_t b = p[image->channels == 3 ? 2 : 0] >> 5;
            out[(r * 8 + g) * 8 + b] += 1;
        }
    float all = (float)image->width * (float)image->height;
    for (size_t i = 0; i < EVAL_COLOURS; i++)
        out[i] = sqrtf(out[i] / all);
}

typedef struct colour_job {
    eval_item *item;
    vl_arena *arena;
} colour_job;

/* A training picture that cannot be decoded teaches nothing. */
static void run_colour_job(void *arg, size_t worker) {
    (void)worker;
    colour_job *job = arg;
    vl_image *image = NULL;
    vl_error why = {0};
    if (eval_picture(job->item, &image, &why) == VL_OK) {
        eval_colours(image, job->item->colours);
    } else {
        job->item->broken = true;
        vl_log(VL_LOG_WARN, "training picture cannot be decoded; skipped",
               VL_F_STR("file", job->item->name), VL_F_STR("reason", why.message));
    }
    vl_image_free(image);
}

/* Colours of the training pictures that have a label of one of the sets scored. */
static vl_status look_at_colours(const eval_data *data, eval_data *train, vl_pool *pool,
                                 vl_error *error) {
    colour_job *jobs = calloc(train->count + 1, sizeof *jobs);
    vl_status status = jobs ? VL_OK : no_memory(error);
    for (size_t i = 0; i < train->count && !status; i++) {
        eval_item *item = &train->items[i];
        bool wanted = false;
        for (size_t s = 0; s < data->label_set_count; s++)
            wanted |= eval_label_of(item, data->label_sets[s]) != NULL;
        if (!wanted)
            continue;
        item->chosen = true;
        item->colours = vl_arena_array(train->arena, EVAL_COLOURS, sizeof *item->colours);
        jobs[i] = (colour_job){.item = item};
        if (!item->colours || vl_pool_submit_wait(pool, run_colour_job, &jobs[i]))
            status = no_memory(error);
    }
    vl_pool_wait(pool);
    free(jobs);
    return status;
}

/* Multinomial logistic regression: weights [classes, EVAL_COLOURS + 1], the last the bias. */
typedef struct regression {
    const char *names[MAX_CLASSES];
    size_t classes, counts[MAX_CLASSES];
    double weights[MAX_CLASSES][EVAL_COLOURS + 1], gradient[MAX_CLASSES][EVAL_COLOURS + 1];
} regression;

static size_t class_of(const regression *r, const char *label) {
    size_t c = 0;
    while (c < r->classes && strcmp(r->names[c], label) != 0)
        c++;
    return c;
}

static void predict(const regression *r, const float *x, double *probability) {
    double most = -INFINITY, sum = 0;
    for (size_t c = 0; c < r->classes; c++) {
        double z = r->weights[c][EVAL_COLOURS];
        for (size_t i = 0; i < EVAL_COLOURS; i++)
            z += r->weights[c][i] * (double)x[i];
        probability[c] = z;
        most = z > most ? z : most;
    }
    for (size_t c = 0; c < r->classes; c++)
        sum += probability[c] = exp(probability[c] - most);
    for (size_t c = 0; c < r->classes; c++)
        probability[c] /= sum;
}

/* Adds the gradient of one picture's −log p(truth). */
static void learn_picture(regression *r, const float *x, size_t truth) {
    double d[MAX_CLASSES];
    predict(r, x, d);
    d[truth] -= 1;
    for (size_t c = 0; c < r->classes; c++) {
        for (size_t i = 0; i < EVAL_COLOURS; i++)
            r->gradient[c][i] += d[c] * (double)x[i];
        r->gradient[c][EVAL_COLOURS] += d[c];
    }
}

static bool teaches(const eval_item *item, const char *set, const eval_label **label) {
    *label = eval_counts(item) && item->colours ? eval_label_of(item, set) : NULL;
    return *label;
}

static void learn(regression *r, const eval_data *train, const char *set, size_t n) {
    for (int step = 0; step < ITERATIONS; step++) {
        memset(r->gradient, 0, sizeof r->gradient);
        for (size_t i = 0; i < train->count; i++) {
            const eval_label *label;
            if (teaches(&train->items[i], set, &label))
                learn_picture(r, train->items[i].colours, class_of(r, label->truth));
        }
        for (size_t c = 0; c < r->classes; c++)
            for (size_t i = 0; i <= EVAL_COLOURS; i++)
                r->weights[c][i] -=
                    STEP * (r->gradient[c][i] / (double)n + DECAY * r->weights[c][i]);
    }
}

/* How many pictures teach the set; 0 too when it has more classes than are learned here. */
static size_t count_classes(regression *r, const eval_data *train, const char *set) {
    size_t n = 0;
    for (size_t i = 0; i < train->count; i++) {
        const eval_label *label;
        if (!teaches(&train->items[i], set, &label))
            continue;
        size_t c = class_of(r, label->truth);
        if (c == MAX_CLASSES)
            return 0;
        if (c == r->classes)
            r->names[r->classes++] = label->truth;
        r->counts[c]++;
        n++;
    }
    return n;
}

static vl_status score_majority(const eval_data *data, const regression *r, const char *set,
                                eval_answered *answers, cJSON *out, vl_error *error) {
    size_t most = 0, n = eval_collect_labels(data, set, answers);
    for (size_t c = 1; c < r->classes; c++)
        if (r->counts[c] > r->counts[most])
            most = c;
    for (size_t i = 0; i < n; i++) {
        answers[i].said = r->names[most];
        answers[i].probability = 1;
    }
    cJSON *scores;
    vl_status status = eval_score_labels(answers, n, &scores, error);
    if (status || !scores)
        return status;
    cJSON *object = cJSON_AddObjectToObject(out, "commonest");
    cJSON_AddStringToObject(object, "label", r->names[most]);
    cJSON_AddItemToObject(object, "macro_f1", cJSON_DetachItemFromObject(scores, "macro_f1"));
    cJSON_AddItemToObject(object, "accuracy", cJSON_DetachItemFromObject(scores, "accuracy"));
    cJSON_Delete(scores);
    return VL_OK;
}

static vl_status score_colours(const eval_data *data, const regression *r, const char *set,
                               eval_answered *answers, cJSON *out, vl_error *error) {
    size_t n = eval_collect_labels(data, set, answers), at = 0;
    double probability[MAX_CLASSES];
    for (size_t i = 0; i < data->count; i++) {
        const eval_item *item = &data->items[i];
        const eval_label *label = eval_counts(item) ? eval_label_of(item, set) : NULL;
        if (!label || !label->guess_count || at == n)
            continue;
        size_t best = 0;
        predict(r, item->colours, probability);
        for (size_t c = 1; c < r->classes; c++)
            if (probability[c] > probability[best])
                best = c;
        answers[at].said = r->names[best];
        answers[at++].probability = (float)probability[best];
    }
    cJSON *scores;
    vl_status status = eval_score_labels(answers, n, &scores, error);
    if (!status && scores)
        cJSON_AddItemToObject(out, "colour_histogram", scores);
    return status;
}

static vl_status label_baseline(const eval_data *data, const eval_data *train, const char *set,
                                cJSON *out, vl_error *error) {
    regression *r = calloc(1, sizeof *r);
    eval_answered *answers = calloc(data->count + 1, sizeof *answers);
    vl_status status = r && answers ? VL_OK : no_memory(error);
    size_t n = status ? 0 : count_classes(r, train, set);
    if (n && eval_collect_labels(data, set, answers)) {
        cJSON *object = cJSON_AddObjectToObject(out, set);
        status = score_majority(data, r, set, answers, object, error);
        if (!status) {
            learn(r, train, set, n);
            status = score_colours(data, r, set, answers, object, error);
        }
    }
    free(answers);
    free(r);
    return status;
}

/* ---- all of them ------------------------------------------------------------------------- */

vl_status eval_baselines(const eval_data *data, eval_data *train, unsigned tasks, vl_pool *pool,
                         cJSON *out, vl_error *error) {
    vl_status status = VL_OK;
    if (tasks & VL_EVAL_RETRIEVAL)
        retrieval_baseline(data, out);
    if (!train)
        return VL_OK;
    vl_arena *arena = vl_arena_new((size_t)1 << 30);
    if (!arena)
        return no_memory(error);
    if (tasks & VL_EVAL_CAPTION)
        status = caption_baseline(data, train, arena, out, error);
    if (!status && (tasks & VL_EVAL_VQA))
        status = answer_baseline(data, train, arena, out, error);
    if (!status && (tasks & VL_EVAL_STATEMENTS))
        statement_baseline(data, train, out);
    if (!status && (tasks & (VL_EVAL_SCENE | VL_EVAL_LABELS)))
        status = look_at_colours(data, train, pool, error);
    for (size_t s = 0; s < data->label_set_count && !status; s++)
        if (tasks &
            (VL_EVAL_LABELS | (strcmp(data->label_sets[s], "scene") ? 0u : VL_EVAL_SCENE)))
            status = label_baseline(data, train, data->label_sets[s], out, error);
    vl_arena_free(arena);
    return status;
}
