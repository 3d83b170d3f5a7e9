/* eval.c — how good a common space is at what it is for, on files that say what is right
 * (docs/align.md, "Measuring"): the options checked, the files read, the report written. The
 * tasks are eval_retrieval.c, eval_lexicon.c and eval_document.c. */
#include "align/eval.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t least, most; /* files */
    const char *files;
    vl_status (*run)(align_eval *eval);
} tasks[] = {
    [VL_ALIGN_RETRIEVAL] = {"retrieval", 1, 2,
                            "a table of pairs, or two files that belong together line by line",
                            align_eval_retrieval},
    [VL_ALIGN_LEXICON] = {"lexicon", 1, 1, "a table of words and their translations",
                          align_eval_lexicon},
    [VL_ALIGN_DOCUMENT] = {"document", 3, ALIGN_EVAL_FILES_MAX,
                           "two texts, a file that says which of their sentences belong "
                           "together, and others' answers to that",
                           align_eval_document},
};
enum { TASKS = sizeof tasks / sizeof *tasks };

vl_status vl_align_task_of(const char *name, vl_align_task *task, vl_error *error) {
    const char *names[TASKS];
    for (size_t i = 0; i < TASKS; i++) {
        names[i] = tasks[i].name;
        if (!strcmp(name, tasks[i].name)) {
            *task = (vl_align_task)i;
            return VL_OK;
        }
    }
    const char *nearest = vl_nearest_name(name, names, TASKS);
    return vl_fail(
        error, VL_ERR_USAGE, "the task is retrieval, lexicon or document, not '%s'%s%s%s", name,
        nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static vl_status check(const vl_align_evaluation *how, vl_error *error) {
    if ((size_t)how->task >= TASKS)
        return vl_fail(error, VL_ERR_USAGE, "no task %d", (int)how->task);
    if (how->path_count < tasks[how->task].least || how->path_count > tasks[how->task].most)
        return vl_fail(error, VL_ERR_USAGE, "the task %s takes %s", tasks[how->task].name,
                       tasks[how->task].files);
    if (!how->src || !*how->src || !how->tgt || !*how->tgt)
        return vl_fail(error, VL_ERR_USAGE,
                       "of which languages? --src and --tgt say it (--src en --tgt sw)");
    if (!how->src_vectors != !how->tgt_vectors)
        return vl_fail(error, VL_ERR_USAGE,
                       "--src-vectors and --tgt-vectors belong together: two languages of one "
                       "space");
    if (how->vocabulary && !how->src_vectors)
        return vl_fail(error, VL_ERR_USAGE,
                       "--vocabulary belongs to --src-vectors and --tgt-vectors");
    if (how->details && how->task != VL_ALIGN_RETRIEVAL)
        return vl_fail(error, VL_ERR_USAGE, "--details belongs to the task retrieval");
    if (how->space && how->src_vectors)
        return vl_fail(error, VL_ERR_USAGE,
                       "vectors come from --space, or from --src-vectors and --tgt-vectors");
    return VL_OK;
}

/* ---- what tasks share ---------------------------------------------------------------------
 */

static void add_left_out(cJSON *root, const align_pairs *pairs) {
    cJSON *out = cJSON_AddObjectToObject(root, "left_out");
    cJSON_AddNumberToObject(out, "lines", (double)align_pairs_left_out(pairs));
    for (size_t i = 0; i < ALIGN_PAIR_FAULTS; i++)
        cJSON_AddNumberToObject(out, align_pair_fault_name((align_pair_fault)i),
                                (double)pairs->left_out[i]);
    if (*pairs->first_left_out)
        cJSON_AddStringToObject(out, "first", pairs->first_left_out);
}

vl_status align_eval_pairs(align_eval *eval, align_pairs *pairs) {
    const vl_align_evaluation *how = eval->how;
    align_pairs_options options = {how->src, how->tgt, how->strict, how->limit};
    vl_status status =
        align_pairs_read(how->paths[0], how->path_count > 1 ? how->paths[1] : NULL, &options,
                         pairs, eval->error);
    if (status)
        return status;
    cJSON_AddNumberToObject(eval->root, "pairs", (double)pairs->count);
    add_left_out(eval->root, pairs);
    return VL_OK;
}

static void add_number(cJSON *object, const char *name, bool back, double value) {
    char whole[64];
    snprintf(whole, sizeof whole, "%s%s", name, back ? "_reverse" : "");
    cJSON_AddNumberToObject(object, whole, value);
}

void align_eval_add_accuracy(cJSON *object, bool back, double accuracy, size_t n) {
    double low, high;
    align_wilson(accuracy, n, &low, &high);
    add_number(object, "accuracy", back, accuracy);
    add_number(object, "accuracy_low", back, low);
    add_number(object, "accuracy_high", back, high);
}

void align_eval_add_ranks(cJSON *object, const align_ranks ranks[2], bool interval) {
    for (size_t i = 0; i < 2; i++) {
        if (interval)
            align_eval_add_accuracy(object, i, ranks[i].at1, ranks[i].queries);
        else
            add_number(object, "accuracy", i, ranks[i].at1);
        add_number(object, "accuracy_at_5", i, ranks[i].at5);
        add_number(object, "mean_reciprocal_rank", i, ranks[i].reciprocal);
    }
}

/* ---- the whole ----------------------------------------------------------------------------
 */

static void begin_report(align_eval *eval) {
    const vl_align_evaluation *how = eval->how;
    cJSON_AddStringToObject(eval->root, "task", tasks[how->task].name);
    cJSON_AddStringToObject(eval->root, "src", how->src);
    cJSON_AddStringToObject(eval->root, "tgt", how->tgt);
    cJSON *files = cJSON_AddArrayToObject(eval->root, "files");
    for (size_t i = 0; i < how->path_count; i++)
        cJSON_AddItemToArray(files, cJSON_CreateString(how->paths[i]));
}

static void add_failure(align_eval *eval, vl_status status) {
    cJSON_AddStringToObject(eval->root, "error", vl_status_name(status));
    cJSON_AddStringToObject(eval->root, "message", eval->error->message);
}

static vl_status write_report(const align_eval *eval, vl_buf *json) {
    char *text = cJSON_Print(eval->root);
    if (!text)
        return vl_fail(eval->error, VL_ERR_MEMORY, "no memory for the report");
    vl_buf_puts(json, text);
    vl_buf_puts(json, "\n");
    cJSON_free(text);
    return vl_buf_status(json, "the report", eval->error);
}

vl_status vl_align_evaluate(const vl_align_evaluation *how, vl_buf *json, vl_error *error) {
    vl_error own = {0};
    align_eval eval = {.how = how, .error = error ? error : &own};
    vl_status status = check(how, eval.error);
    if (status)
        return status;
    if (!(eval.root = cJSON_CreateObject()))
        return vl_fail(eval.error, VL_ERR_MEMORY, "no memory for the report");
    begin_report(&eval);
    status = align_source_open(&eval, how->task == VL_ALIGN_DOCUMENT);
    if (!status)
        status = tasks[how->task].run(&eval);
    if (status)
        add_failure(&eval, status);
    vl_status written = write_report(&eval, json);
    align_source_free(eval.source);
    cJSON_Delete(eval.root);
    return status ? status : written;
}
