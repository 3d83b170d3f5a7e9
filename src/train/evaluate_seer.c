/* evaluate_seer.c — asks a model all there is to ask of a folder's pictures, and reports how
 * well it did.
 *
 * One picture is one job; each worker has a session and arenas of its own, and what the model
 * says is stored at the picture, so the report does not depend on how many workers there were
 * or which was faster. Scores are taken when all pictures are done. */
#include "train/evaluate.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 256, QUEUE = 1024 };
static const size_t TEXT_BYTES = (size_t)2 << 30, SCRATCH_BYTES = (size_t)64 << 20;

static const struct task_name {
    const char *name, *needs;
    unsigned task;
} task_names[] = {
    {"caption", "\"captions\"", VL_EVAL_CAPTION},
    {"retrieval", "\"captions\"", VL_EVAL_RETRIEVAL},
    {"vqa", "\"qa\"", VL_EVAL_VQA},
    {"statements", "\"statements\" (or a statements.jsonl beside the folder)",
     VL_EVAL_STATEMENTS},
    {"scene", "\"labels\": {\"scene\": …} (or the crisis photos' \"label\")", VL_EVAL_SCENE},
    {"labels", "\"labels\"", VL_EVAL_LABELS},
};
enum { TASKS = sizeof task_names / sizeof *task_names, ALL_TASKS = (1 << TASKS) - 1 };

unsigned vl_eval_task(const char *name, vl_error *error) {
    const char *names[TASKS];
    for (size_t i = 0; i < TASKS; i++) {
        names[i] = task_names[i].name;
        if (!strcmp(name, names[i]))
            return task_names[i].task;
    }
    const char *nearest = vl_nearest_name(name, names, TASKS);
    vl_fail(error, VL_ERR_USAGE,
            "no task '%s'%s%s%s; caption, retrieval, vqa, statements, scene or labels", name,
            nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    return 0;
}

typedef struct worker_state {
    vl_seer_session *session;
    vl_arena *texts, *scratch; /* what was said; what the model needs while it speaks */
} worker_state;

typedef struct run {
    const vl_seer_evaluation *how;
    vl_seer *seer;
    eval_data data;
    unsigned tasks, without; /* what is asked; what is not, even where it could be */
    bool writes[EVAL_MAX_LANGUAGES], colours;
    worker_state workers[MAX_THREADS];
    size_t threads;
    vl_pool *pool;
    pthread_mutex_t lock; /* of what follows */
    size_t done, chosen;
    vl_status status; /* of the first job that failed for good */
    vl_error error;
} run;

typedef struct job {
    run *run;
    eval_item *item;
} job;

/* ---- one picture ------------------------------------------------------------------------- */

/* A text the model refuses is answered wrongly; anything else ends the run. */
static bool refuses(vl_status status) {
    return status == VL_ERR_LIMIT || status == VL_ERR_USAGE || status == VL_ERR_INPUT;
}

static vl_status keep_text(worker_state *w, const vl_seer_text *said, const char **text,
                           vl_error *error) {
    *text = vl_arena_strdup(w->texts, said->text);
    return *text ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for what the model says");
}

static bool has_caption(const eval_item *item, const char *language) {
    for (size_t c = 0; c < item->caption_count; c++)
        if (!strcmp(item->captions[c].language, language))
            return true;
    return false;
}

static vl_status write_captions(const run *r, eval_item *item, worker_state *w,
                                vl_error *error) {
    vl_seer_writing how = vl_seer_writing_default();
    vl_status status = VL_OK;
    for (size_t l = 0; l < r->data.language_count && !status; l++) {
        vl_seer_text said;
        if (!r->writes[l] || !has_caption(item, r->data.languages[l]))
            continue;
        vl_arena_reset(w->scratch);
        status =
            vl_seer_caption(w->session, r->data.languages[l], &how, w->scratch, &said, error);
        if (!status)
            status = keep_text(w, &said, &item->written[l].text, error);
        if (!status)
            item->written[l].confidence = said.confidence;
    }
    return status;
}

static vl_status answer(eval_item *item, worker_state *w, vl_error *error) {
    vl_seer_writing how = vl_seer_writing_default();
    for (size_t q = 0; q < item->question_count; q++) {
        eval_question *question = &item->questions[q];
        vl_seer_text said;
        vl_arena_reset(w->scratch);
        vl_status status =
            vl_seer_ask(w->session, question->text, &how, w->scratch, &said, error);
        if (refuses(status))
            continue;
        if (!status)
            status = keep_text(w, &said, &question->said, error);
        if (status)
            return status;
        question->confidence = said.confidence;
    }
    return VL_OK;
}

static vl_status judge_all(eval_item *item, worker_state *w, vl_error *error) {
    for (size_t s = 0; s < item->statement_count; s++) {
        eval_statement *statement = &item->statements[s];
        vl_status status =
            vl_seer_judge(w->session, statement->text, &statement->probability, error);
        if (refuses(status))
            statement->probability = NAN;
        else if (status)
            return status;
    }
    return VL_OK;
}

static vl_status sort_by_labels(const run *r, eval_item *item, worker_state *w,
                                vl_error *error) {
    vl_seer_guess guesses[VL_SEER_MAX_LABELS];
    for (size_t l = 0; l < item->label_count; l++) {
        eval_label *label = &item->labels[l];
        if (!(r->tasks & VL_EVAL_LABELS) && strcmp(label->set, "scene") != 0)
            continue;
        size_t count = vl_seer_labels(w->session, label->set, guesses, VL_SEER_MAX_LABELS);
        label->guesses = vl_arena_array(w->texts, count + 1, sizeof *guesses);
        if (!label->guesses)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for what the model says");
        memcpy(label->guesses, guesses, count * sizeof *guesses);
        label->guess_count = count;
    }
    return VL_OK;
}

static vl_status embed(const run *r, eval_item *item, worker_state *w, vl_error *error) {
    size_t width = vl_seer_vector_size(r->seer);
    item->vector = vl_arena_array(w->texts, width, sizeof(float));
    if (!item->vector)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for vectors");
    vl_seer_picture_embedding(w->session, item->vector);
    for (size_t c = 0; c < item->caption_count; c++) {
        eval_caption *caption = &item->captions[c];
        float *vector = vl_arena_array(w->texts, width, sizeof(float));
        if (!vector)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for vectors");
        vl_status status =
            vl_seer_text_embedding(w->session, caption->text, caption->language, vector, error);
        if (!refuses(status) && status)
            return status;
        caption->vector = status ? NULL : vector;
    }
    return VL_OK;
}

static vl_status ask_all(const run *r, eval_item *item, worker_state *w, vl_error *error) {
    vl_status status = VL_OK;
    if (r->tasks & VL_EVAL_CAPTION)
        status = write_captions(r, item, w, error);
    if (!status && (r->tasks & VL_EVAL_VQA))
        status = answer(item, w, error);
    if (!status && (r->tasks & VL_EVAL_STATEMENTS))
        status = judge_all(item, w, error);
    if (!status && (r->tasks & (VL_EVAL_SCENE | VL_EVAL_LABELS)))
        status = sort_by_labels(r, item, w, error);
    if (!status && (r->tasks & VL_EVAL_RETRIEVAL) && item->caption_count)
        status = embed(r, item, w, error);
    return status;
}

static vl_status see(run *r, eval_item *item, worker_state *w, vl_error *error) {
    vl_image *image = NULL;
    vl_error why = {0};
    vl_status status = eval_picture(item, &image, &why);
    if (status) {
        item->broken = true;
        vl_log(VL_LOG_WARN, "picture cannot be decoded; skipped",
               VL_F_STR("file", item->path ? item->path : item->name),
               VL_F_STR("reason", why.message));
        return VL_OK;
    }
    status = vl_seer_session_look(w->session, image, error);
    if (!status && r->colours && item->label_count)
        eval_colours(image, item->colours);
    vl_image_free(image);
    return status ? status : ask_all(r, item, w, error);
}

static void run_job(void *arg, size_t worker) {
    job *j = arg;
    run *r = j->run;
    pthread_mutex_lock(&r->lock);
    bool stop = r->status != VL_OK;
    pthread_mutex_unlock(&r->lock);
    if (stop)
        return;
    vl_error error = {0};
    vl_status status = see(r, j->item, &r->workers[worker], &error);
    pthread_mutex_lock(&r->lock);
    if (status && !r->status) {
        r->status = status;
        vl_fail(&r->error, status, "%s: %s", j->item->name, error.message);
    }
    r->done++;
    if (r->how->progress)
        r->how->progress(r->done, r->chosen, r->how->user);
    pthread_mutex_unlock(&r->lock);
}

/* ---- all pictures ------------------------------------------------------------------------ */

static bool model_writes(const vl_seer *seer, const char *language) {
    const vl_seer_facts *facts = vl_seer_facts_of(seer);
    for (size_t i = 0; i < facts->language_count; i++)
        if (!strcmp(facts->languages[i], language))
            return true;
    return false;
}

/* The tasks asked for must find something; without any asked for, what is there is taken. */
static vl_status choose_tasks(run *r, vl_error *error) {
    const vl_seer_evaluation *how = r->how;
    unsigned wanted = (how->tasks ? how->tasks : ALL_TASKS) & ~r->without;
    r->chosen = eval_data_choose(&r->data, wanted, how->limit);
    r->tasks = eval_data_tasks(&r->data) & wanted;
    if (r->tasks & VL_EVAL_LABELS)
        r->tasks |= eval_data_tasks(&r->data) & VL_EVAL_SCENE;
    for (size_t i = 0; i < TASKS; i++)
        if (how->tasks & wanted & task_names[i].task & ~r->tasks)
            return vl_fail(error, VL_ERR_MISSING,
                           "%s: nothing to score for %s: no picture%s has %s in its metadata",
                           how->paths[0], task_names[i].name,
                           how->limit ? " among the first" : "", task_names[i].needs);
    if (!r->chosen)
        return vl_fail(error, VL_ERR_MISSING,
                       "%s: its metadata has no captions, qa, statements or labels",
                       how->paths[0]);
    return VL_OK;
}

static vl_status make_room(run *r, vl_error *error) {
    eval_data *data = &r->data;
    r->colours = r->how->baselines && r->how->train_count &&
                 (r->tasks & (VL_EVAL_SCENE | VL_EVAL_LABELS));
    for (size_t l = 0; l < data->language_count; l++)
        r->writes[l] = model_writes(r->seer, data->languages[l]);
    for (size_t i = 0; i < data->count; i++) {
        eval_item *item = &data->items[i];
        if (!item->chosen)
            continue;
        item->written =
            vl_arena_array(data->arena, data->language_count + 1, sizeof *item->written);
        if (r->colours && item->label_count)
            item->colours = vl_arena_array(data->arena, EVAL_COLOURS, sizeof(float));
        if (!item->written || (r->colours && item->label_count && !item->colours))
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu pictures", r->chosen);
    }
    return VL_OK;
}

static vl_status hire(run *r, vl_error *error) {
    r->threads = r->how->threads ? r->how->threads : vl_cpu_count();
    if (r->threads > MAX_THREADS)
        r->threads = MAX_THREADS;
    if (r->threads > r->chosen)
        r->threads = r->chosen;
    for (size_t i = 0; i < r->threads; i++) {
        worker_state *w = &r->workers[i];
        w->session = vl_seer_session_new(r->seer);
        w->texts = vl_arena_new(TEXT_BYTES);
        w->scratch = vl_arena_new(SCRATCH_BYTES);
        if (!w->session || !w->texts || !w->scratch)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu sessions", r->threads);
    }
    r->pool = vl_pool_new(r->threads, QUEUE);
    return r->pool ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no threads to score with");
}

static vl_status see_all(run *r, vl_error *error) {
    job *jobs = calloc(r->chosen, sizeof *jobs);
    vl_status status = jobs ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for its jobs");
    size_t at = 0, broken = 0;
    for (size_t i = 0; i < r->data.count && !status; i++)
        if (r->data.items[i].chosen) {
            jobs[at] = (job){r, &r->data.items[i]};
            if (vl_pool_submit_wait(r->pool, run_job, &jobs[at++]))
                status = vl_fail(error, VL_ERR_INTERNAL, "a picture could not be queued");
        }
    vl_pool_wait(r->pool);
    free(jobs);
    for (size_t i = 0; i < r->data.count; i++)
        broken += r->data.items[i].chosen && r->data.items[i].broken;
    if (!status && r->status) {
        status = r->status;
        if (error)
            *error = r->error;
    }
    if (!status && broken == r->chosen)
        status = vl_fail(error, VL_ERR_INPUT, "%s: none of its %zu pictures can be decoded",
                         r->how->paths[0], broken);
    return status;
}

static vl_status run_open(run *r, const vl_seer_evaluation *how, vl_error *error) {
    r->how = how;
    pthread_mutex_init(&r->lock, NULL);
    vl_status status = eval_data_open(&r->data, how->paths, how->path_count, error);
    if (!status)
        status = choose_tasks(r, error);
    if (!status)
        status = vl_seer_open(how->model, &r->seer, error);
    if (!status)
        status = make_room(r, error);
    if (!status)
        status = hire(r, error);
    return status ? status : see_all(r, error);
}

static void run_free(run *r) {
    if (!r)
        return;
    if (r->pool)
        vl_pool_free(r->pool);
    for (size_t i = 0; i < r->threads; i++) {
        vl_seer_session_free(r->workers[i].session);
        vl_arena_free(r->workers[i].texts);
        vl_arena_free(r->workers[i].scratch);
    }
    eval_data_deinit(&r->data);
    vl_seer_free(r->seer);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* ---- the report -------------------------------------------------------------------------- */

static void report_skipped(const run *r, cJSON *out) {
    size_t broken = 0, named = 0;
    for (size_t i = 0; i < r->data.count; i++)
        broken += r->data.items[i].chosen && r->data.items[i].broken;
    cJSON_AddNumberToObject(out, "pictures", (double)(r->chosen - broken));
    cJSON_AddNumberToObject(out, "missing", (double)r->data.missing);
    cJSON_AddNumberToObject(out, "broken", (double)broken);
    if (!broken && !r->data.missing)
        return;
    cJSON *names = cJSON_AddArrayToObject(out, "skipped");
    for (size_t i = 0; i < r->data.missing && i < EVAL_NAMED; i++)
        if (r->data.missing_names[i])
            cJSON_AddItemToArray(names, cJSON_CreateString(r->data.missing_names[i]));
    for (size_t i = 0; i < r->data.count && named < EVAL_NAMED; i++) {
        const eval_item *item = &r->data.items[i];
        if (item->chosen && item->broken) {
            cJSON_AddItemToArray(names,
                                 cJSON_CreateString(item->path ? item->path : item->name));
            named++;
        }
    }
}

/* The scores of the first language (English, where it is there) stand at the top, those of
 * each language below. `scores` may be NULL. */
static void add_language(cJSON *out, const char *task, const char *language, cJSON *scores) {
    if (!scores)
        return;
    cJSON *object = cJSON_GetObjectItem(out, task);
    if (!object) {
        object = cJSON_Duplicate(scores, true);
        cJSON_AddItemToObject(out, task, object);
        cJSON_AddStringToObject(object, "language", language);
        cJSON_AddObjectToObject(object, "by_language");
    }
    cJSON_AddItemToObject(cJSON_GetObjectItem(object, "by_language"), language, scores);
}

static vl_status report_captions(const run *r, cJSON *out, vl_error *error) {
    const eval_data *data = &r->data;
    cJSON *unwritten = cJSON_CreateArray();
    vl_status status = VL_OK;
    for (size_t l = 0; l < data->language_count && !status; l++) {
        cJSON *scores = NULL;
        if (r->writes[l])
            status = eval_score_captions(data, (eval_captions){data->languages[l], NULL},
                                         &scores, error);
        else
            cJSON_AddItemToArray(unwritten, cJSON_CreateString(data->languages[l]));
        add_language(out, "caption", data->languages[l], scores);
    }
    cJSON *caption = cJSON_GetObjectItem(out, "caption");
    if (caption && cJSON_GetArraySize(unwritten))
        cJSON_AddItemToObject(caption, "not_written", unwritten);
    else
        cJSON_Delete(unwritten);
    if (!status && !caption && (r->how->tasks & VL_EVAL_CAPTION))
        status = vl_fail(error, VL_ERR_MISSING,
                         "the model writes captions in none of the languages there (%s%s)",
                         data->languages[0], data->language_count > 1 ? ", …" : "");
    return status;
}

static vl_status report_retrieval(const run *r, cJSON *out, vl_error *error) {
    const eval_data *data = &r->data;
    vl_status status = VL_OK;
    for (size_t l = 0; l < data->language_count && !status; l++) {
        cJSON *scores = NULL;
        status = eval_score_retrieval(data, data->languages[l], vl_seer_vector_size(r->seer),
                                      &scores, error);
        add_language(out, "retrieval", data->languages[l], scores);
    }
    return status;
}

static vl_status report_labels(const run *r, cJSON *out, vl_error *error) {
    const eval_data *data = &r->data;
    eval_answered *answers = calloc(data->count, sizeof *answers);
    vl_status status =
        answers ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for the scores");
    for (size_t s = 0; s < data->label_set_count && !status; s++) {
        const char *set = data->label_sets[s];
        cJSON *scores = NULL;
        size_t n = eval_collect_labels(data, set, answers);
        status = eval_score_labels(answers, n, &scores, error);
        /* A set may be called "caption": what is there already stays. */
        if (scores && cJSON_GetObjectItem(out, set))
            cJSON_Delete(scores);
        else if (scores)
            cJSON_AddItemToObject(out, set, scores);
        else if (!status && !strcmp(set, "scene") && (r->how->tasks & VL_EVAL_SCENE))
            status = vl_fail(error, VL_ERR_MISSING, "the model sorts pictures by no scenes");
    }
    free(answers);
    return status;
}

static vl_status report(const run *r, cJSON *out, vl_error *error) {
    cJSON *scores = NULL;
    vl_status status = VL_OK;
    cJSON_AddStringToObject(out, "model", vl_seer_name(r->seer));
    cJSON_AddStringToObject(out, "version", vl_seer_version(r->seer));
    cJSON_AddStringToObject(out, "format", vl_seer_format(r->seer));
    report_skipped(r, out);
    if (r->tasks & VL_EVAL_CAPTION)
        status = report_captions(r, out, error);
    if (!status && (r->tasks & VL_EVAL_RETRIEVAL))
        status = report_retrieval(r, out, error);
    if (!status && (r->tasks & VL_EVAL_VQA))
        status = eval_score_vqa(&r->data, &scores, error);
    if (scores)
        cJSON_AddItemToObject(out, "vqa", scores);
    if (!status && (r->tasks & VL_EVAL_STATEMENTS) &&
        (scores = eval_score_statements(&r->data)))
        cJSON_AddItemToObject(out, "statements", scores);
    if (!status && (r->tasks & (VL_EVAL_SCENE | VL_EVAL_LABELS)))
        status = report_labels(r, out, error);
    return status;
}

static vl_status report_baselines(run *r, cJSON *out, vl_error *error) {
    const vl_seer_evaluation *how = r->how;
    eval_data train = {0};
    vl_status status = VL_OK;
    if (how->train_count)
        status = eval_data_open(&train, how->train_paths, how->train_count, error);
    if (!status)
        status = eval_baselines(&r->data, how->train_count ? &train : NULL, r->tasks, r->pool,
                                cJSON_AddObjectToObject(out, "baselines"), error);
    if (train.arena)
        eval_data_deinit(&train);
    return status;
}

static vl_status print(const cJSON *object, vl_buf *out, vl_error *error) {
    char *text = cJSON_Print(object);
    if (!text)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the report");
    vl_buf_puts(out, text);
    vl_buf_puts(out, "\n");
    cJSON_free(text);
    return vl_buf_status(out, "report", error);
}

vl_status vl_seer_evaluate(const vl_seer_evaluation *how, vl_buf *json, vl_error *error) {
    run *r = calloc(1, sizeof *r);
    cJSON *out = cJSON_CreateObject();
    if (!r || !out) {
        free(r);
        cJSON_Delete(out);
        return vl_fail(error, VL_ERR_MEMORY, "no memory to score with");
    }
    vl_status status = run_open(r, how, error);
    if (!status)
        status = report(r, out, error);
    if (!status && how->details)
        status = eval_write_details(&r->data, how->details, error);
    if (!status && how->baselines)
        status = report_baselines(r, out, error);
    if (!status)
        status = print(out, json, error);
    cJSON_Delete(out);
    run_free(r);
    return status;
}

vl_status vl_seer_calibrate(const vl_seer_evaluation *how, vl_seer_facts *facts, vl_buf *json,
                            vl_error *error) {
    run *r = calloc(1, sizeof *r);
    cJSON *out = cJSON_CreateObject();
    if (!r || !out) {
        free(r);
        cJSON_Delete(out);
        return vl_fail(error, VL_ERR_MEMORY, "no memory to calibrate with");
    }
    r->without = VL_EVAL_RETRIEVAL;
    vl_status status = run_open(r, how, error);
    if (!status)
        status = eval_calibrate(&r->data, r->seer, facts, out, error);
    if (!status && json)
        status = print(out, json, error);
    cJSON_Delete(out);
    run_free(r);
    return status;
}
