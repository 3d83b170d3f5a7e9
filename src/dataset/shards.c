/* shards.c — lines into tar files: painted by several threads, written in the order of their
 * numbers. */
#include "dataset/synth.h"
#include "dataset/tar.h"

#include <cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unicode/utf8.h>

/* A batch is painted, then written: large enough that threads seldom wait for its slowest line,
 * small enough to stay in tens of megabytes. */
enum { BATCH = 512, SHEET_LINES = 8, MAX_PNG = 1 << 20, MAX_JSON = 1 << 16, PNG_LEVEL = 1 };

typedef struct item {
    vl_buf png, json;
    char *text;
    vl_script script;
    vl_status status;
    vl_error error;
} item;

typedef struct writing {
    const vl_synth *synth;
    const vl_synth_target *target;
    vl_synth_painter **painters; /* one a thread */
    item *items;                 /* [BATCH] */
    uint64_t first;              /* number of items[0] */
    size_t count;                /* in this batch */
    tar *shard;
    vl_synth_report *report;
} writing;

typedef struct task {
    writing *w;
    size_t first, end;
} task;

/* ---- painting ----------------------------------------------------------------------- */

static void put_json(const vl_synth_line *line, vl_buf *out) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "text", line->text);
    cJSON_AddStringToObject(object, "script", vl_script_name(line->script));
    cJSON_AddStringToObject(object, "language", line->language);
    cJSON_AddStringToObject(object, "font", line->font);
    cJSON *list = cJSON_AddArrayToObject(object, "degradations");
    for (size_t i = 0; i < line->degradation_count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(line->degradations[i]));
    char *text = cJSON_PrintUnformatted(object);
    if (text)
        vl_buf_puts(out, text);
    else
        out->failed = true;
    cJSON_free(text);
    cJSON_Delete(object);
}

static vl_status paint(vl_synth_painter *painter, uint64_t number, item *to) {
    vl_synth_line line;
    vl_buf_clear(&to->png);
    vl_buf_clear(&to->json);
    vl_status status = vl_synth_paint(painter, number, &line, &to->error);
    if (status)
        return status;
    status = vl_image_encode_png_level(line.image, PNG_LEVEL, &to->png, &to->error);
    put_json(&line, &to->json);
    if (!status)
        status = vl_buf_status(&to->json, "a line's JSON", &to->error);
    to->script = line.script;
    to->text = line.text;
    line.text = NULL;
    vl_synth_line_deinit(&line);
    return status;
}

static void run_task(void *argument, size_t worker) {
    const task *t = argument;
    for (size_t i = t->first; i < t->end; i++)
        t->w->items[i].status = paint(t->w->painters[worker], t->w->first + i, &t->w->items[i]);
}

static vl_status paint_batch(writing *w, vl_pool *pool, vl_error *error) {
    task tasks[BATCH / SHEET_LINES + 1];
    size_t count = 0;
    vl_status status = VL_OK;
    for (size_t i = 0; i < w->count && !status; i += SHEET_LINES) {
        size_t end = i + SHEET_LINES < w->count ? i + SHEET_LINES : w->count;
        tasks[count] = (task){w, i, end};
        status = vl_pool_submit_wait(pool, run_task, &tasks[count++]);
    }
    vl_pool_wait(pool);
    return status ? vl_fail(error, status, "no thread takes the work") : VL_OK;
}

/* ---- writing ------------------------------------------------------------------------ */

static void count_text(const vl_synth *synth, const char *text, vl_synth_report *report) {
    int32_t bytes = (int32_t)strlen(text);
    for (int32_t at = 0; at < bytes;) {
        UChar32 code;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, code);
        int letter = alphabet_find(vl_synth_alphabet(synth), (uint32_t)code);
        if (letter >= 0)
            report->seen[letter]++;
    }
}

static bool is_file(const char *out) {
    size_t length = strlen(out);
    return length > 4 && !strcmp(out + length - 4, ".tar");
}

static vl_status next_shard(writing *w, uint64_t number, vl_error *error) {
    char path[4096];
    if (is_file(w->target->out)) {
        snprintf(path, sizeof path, "%s", w->target->out);
        return w->shard ? VL_OK : tar_create(path, &w->shard, error);
    }
    if (w->shard && number % VL_SYNTH_SHARD)
        return VL_OK;
    vl_status status = w->shard ? tar_finish(w->shard, error) : VL_OK;
    w->shard = NULL;
    snprintf(path, sizeof path, "%s/lines-%05llu.tar", w->target->out,
             (unsigned long long)(number / VL_SYNTH_SHARD));
    return status ? status : tar_create(path, &w->shard, error);
}

/* Members are counted from 1 within the whole run, so a shard says where it belongs. */
static vl_status write_item(writing *w, uint64_t number, item *from, vl_error *error) {
    char name[64];
    if (from->status) {
        if (error)
            *error = from->error;
        return from->status;
    }
    vl_status status = next_shard(w, number, error);
    snprintf(name, sizeof name, "%06llu.png", (unsigned long long)number + 1);
    if (!status)
        status = tar_add(w->shard, name, from->png.data, from->png.len, error);
    snprintf(name, sizeof name, "%06llu.json", (unsigned long long)number + 1);
    if (!status)
        status = tar_add(w->shard, name, from->json.data, from->json.len, error);
    count_text(w->synth, from->text, w->report);
    w->report->by_script[from->script]++;
    w->report->lines++;
    return status;
}

static vl_status write_batch(writing *w, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; i < w->count; i++) {
        if (!status)
            status = write_item(w, w->first + i, &w->items[i], error);
        free(w->items[i].text);
        w->items[i].text = NULL;
    }
    return status;
}

/* ---- the run ------------------------------------------------------------------------ */

static vl_status check_target(const char *out, vl_error *error) {
    if (is_file(out))
        return VL_OK;
    vl_status status = vl_dir_make(out, error);
    DIR *folder = status ? NULL : opendir(out);
    if (!status && !folder)
        return vl_fail(error, VL_ERR_IO, "%s: %s", out, strerror(errno));
    for (struct dirent *entry; folder && !status && (entry = readdir(folder));)
        if (is_file(entry->d_name))
            status = vl_fail(error, VL_ERR_USAGE, "%s holds %s already: give an empty folder",
                             out, entry->d_name);
    if (folder)
        closedir(folder);
    return status;
}

static vl_status prepare(writing *w, size_t jobs, vl_error *error) {
    vl_synth_report *report = w->report;
    const alphabet *a = vl_synth_alphabet(w->synth);
    report->alphabet_count = a->count;
    report->codes = calloc(a->count, sizeof *report->codes);
    report->seen = calloc(a->count, sizeof *report->seen);
    w->items = calloc(BATCH, sizeof *w->items);
    w->painters = calloc(jobs, sizeof(vl_synth_painter *));
    bool whole = report->codes && report->seen && w->items && w->painters;
    for (size_t i = 0; i < jobs && whole; i++)
        whole = (w->painters[i] = vl_synth_painter_new(w->synth)) != NULL;
    if (!whole)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to make lines");
    memcpy(report->codes, a->codes, a->count * sizeof *report->codes);
    for (size_t i = 0; i < BATCH; i++) {
        vl_buf_init(&w->items[i].png, MAX_PNG);
        vl_buf_init(&w->items[i].json, MAX_JSON);
    }
    return VL_OK;
}

static void clear(writing *w, size_t jobs) {
    for (size_t i = 0; w->painters && i < jobs; i++)
        vl_synth_painter_free(w->painters[i]);
    for (size_t i = 0; w->items && i < BATCH; i++) {
        vl_buf_deinit(&w->items[i].png);
        vl_buf_deinit(&w->items[i].json);
        free(w->items[i].text);
    }
    free(w->painters);
    free(w->items);
    tar_abandon(w->shard);
}

vl_status vl_synth_write(const vl_synth *synth, const vl_synth_target *target,
                         vl_synth_report *report, vl_error *error) {
    size_t jobs = target->jobs ? target->jobs : 1;
    writing w = {.synth = synth, .target = target, .report = report};
    vl_pool *pool = NULL;
    *report = (vl_synth_report){0};
    vl_status status = check_target(target->out, error);
    if (!status)
        status = prepare(&w, jobs, error);
    if (!status && !(pool = vl_pool_new(jobs, BATCH)))
        status = vl_fail(error, VL_ERR_MEMORY, "no threads to make lines");
    int64_t start = vl_clock_ns();
    for (uint64_t at = 0; at < target->count && !status; at += w.count) {
        w.first = at;
        w.count = target->count - at < BATCH ? (size_t)(target->count - at) : BATCH;
        status = paint_batch(&w, pool, error);
        if (!status)
            status = write_batch(&w, error);
        if (!status && target->progress)
            target->progress(at + w.count, target->count, target->user);
    }
    if (!status && w.shard) {
        status = tar_finish(w.shard, error);
        w.shard = NULL;
    }
    report->seconds = vl_clock_ms_since(start) / 1000;
    vl_pool_free(pool);
    clear(&w, jobs);
    return status;
}

void vl_synth_report_deinit(vl_synth_report *report) {
    free(report->codes);
    free(report->seen);
    *report = (vl_synth_report){0};
}
