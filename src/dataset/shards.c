/* shards.c — lines into tar files: painted by several processes (workers.h), a sheet of lines a
 * task, and written in the order of their numbers. */
#include "dataset/synth.h"
#include "dataset/tar.h"
#include "dataset/workers.h"

#include <cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unicode/utf8.h>

enum { SHEET_LINES = 8, MAX_PNG = 1 << 20, MAX_JSON = 1 << 16, PNG_LEVEL = 1, SHOWN = 512 };

typedef struct writing {
    const vl_synth *synth;
    const vl_synth_target *target;
    vl_synth_painter *painter; /* a worker's own */
    vl_buf png, json;          /* likewise, of the line in work */
    tar *shard;
    vl_synth_report *report;
} writing;

/* A line as it comes from a worker: this, then PNG, JSON and text. */
typedef struct line_header {
    uint32_t script, png, json, text; /* bytes */
} line_header;

/* ---- painting, in a worker ------------------------------------------------------------------
 */

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

static bool is_too_long(const vl_synth_target *target, const vl_image *image) {
    return target->longest &&
           (uint64_t)image->width * VL_SYNTH_HEIGHT > (uint64_t)target->longest * image->height;
}

static vl_status paint_line(writing *w, uint64_t number, vl_buf *out, vl_error *error) {
    vl_synth_line line;
    vl_buf_clear(&w->png);
    vl_buf_clear(&w->json);
    vl_status status = vl_synth_paint(w->painter, number, &line, error);
    if (status)
        return status;
    if (is_too_long(w->target, line.image)) {
        vl_synth_line_deinit(&line);
        return VL_OK;
    }
    status = vl_image_encode_png_level(line.image, PNG_LEVEL, &w->png, error);
    put_json(&line, &w->json);
    if (!status)
        status = vl_buf_status(&w->json, "a line's JSON", error);
    if (!status) {
        line_header h = {(uint32_t)line.script, (uint32_t)w->png.len, (uint32_t)w->json.len,
                         (uint32_t)strlen(line.text)};
        vl_buf_append(out, &h, sizeof h);
        vl_buf_append(out, w->png.data, w->png.len);
        vl_buf_append(out, w->json.data, w->json.len);
        vl_buf_append(out, line.text, h.text);
    }
    vl_synth_line_deinit(&line);
    return status;
}

/* Fonts are opened by the process that draws with them, never by the one that starts it. */
static vl_status paint_sheet(void *user, uint64_t sheet, vl_buf *out, vl_error *error) {
    writing *w = user;
    if (!w->painter && !(w->painter = vl_synth_painter_new(w->synth)))
        return vl_fail(error, VL_ERR_MEMORY, "no memory to make lines");
    uint64_t first = sheet * SHEET_LINES, end = first + SHEET_LINES;
    vl_status status = VL_OK;
    for (uint64_t i = first; i < end && i < w->target->count && !status; i++)
        status = paint_line(w, i, out, error);
    return status;
}

/* ---- writing ------------------------------------------------------------------------ */

static void count_text(const vl_synth *synth, const char *text, uint32_t count,
                       vl_synth_report *report) {
    int32_t bytes = (int32_t)count;
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
static vl_status write_line(writing *w, const line_header *h, const char *bytes,
                            vl_error *error) {
    char name[64];
    uint64_t number = w->report->lines;
    vl_status status = next_shard(w, number, error);
    snprintf(name, sizeof name, "%06llu.png", (unsigned long long)number + 1);
    if (!status)
        status = tar_add(w->shard, name, bytes, h->png, error);
    snprintf(name, sizeof name, "%06llu.json", (unsigned long long)number + 1);
    if (!status)
        status = tar_add(w->shard, name, bytes + h->png, h->json, error);
    count_text(w->synth, bytes + h->png + h->json, h->text, w->report);
    w->report->by_script[h->script]++;
    w->report->lines++;
    return status;
}

static vl_status write_sheet(writing *w, const vl_buf *sheet, vl_error *error) {
    size_t at = 0;
    vl_status status = VL_OK;
    while (at < sheet->len && !status) {
        line_header h;
        memcpy(&h, sheet->data + at, sizeof h);
        at += sizeof h;
        status = write_line(w, &h, sheet->data + at, error);
        at += (size_t)h.png + h.json + h.text;
    }
    return status;
}

static void show(const writing *w, uint64_t done) {
    uint64_t count = w->target->count;
    done = done < count ? done : count;
    if (w->target->progress && (done % SHOWN == 0 || done == count))
        w->target->progress(done, count, w->target->user);
}

static vl_status write_all(writing *w, workers *crew, vl_error *error) {
    vl_buf sheet;
    vl_status status = VL_OK;
    vl_buf_init(&sheet, WORKERS_MAX_RESULT);
    for (uint64_t at = 0; at < w->target->count && !status; at += SHEET_LINES) {
        status = workers_next(crew, &sheet, error);
        if (status)
            vl_error_prefix(error, "lines from %llu on", (unsigned long long)at);
        else
            status = write_sheet(w, &sheet, error);
        if (!status)
            show(w, at + SHEET_LINES);
    }
    vl_buf_deinit(&sheet);
    if (!status && w->shard) {
        status = tar_finish(w->shard, error);
        w->shard = NULL;
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

static vl_status prepare(writing *w, vl_error *error) {
    vl_synth_report *report = w->report;
    const alphabet *a = vl_synth_alphabet(w->synth);
    report->alphabet_count = a->count;
    report->codes = calloc(a->count, sizeof *report->codes);
    report->seen = calloc(a->count, sizeof *report->seen);
    if (!report->codes || !report->seen)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to make lines");
    memcpy(report->codes, a->codes, a->count * sizeof *report->codes);
    vl_buf_init(&w->png, MAX_PNG);
    vl_buf_init(&w->json, MAX_JSON);
    return VL_OK;
}

vl_status vl_synth_write(const vl_synth *synth, const vl_synth_target *target,
                         vl_synth_report *report, vl_error *error) {
    writing w = {.synth = synth, .target = target, .report = report};
    uint64_t sheets = (target->count + SHEET_LINES - 1) / SHEET_LINES;
    size_t jobs = target->jobs ? target->jobs : 1;
    workers *crew = NULL;
    *report = (vl_synth_report){0};
    int64_t start = vl_clock_ns();
    vl_status status = check_target(target->out, error);
    if (!status)
        status = prepare(&w, error);
    if (!status)
        status = workers_start(jobs < sheets ? jobs : (size_t)(sheets ? sheets : 1), sheets,
                               paint_sheet, &w, &crew, error);
    if (!status)
        status = write_all(&w, crew, error);
    report->seconds = vl_clock_ms_since(start) / 1000;
    workers_free(crew);
    tar_abandon(w.shard);
    return status;
}

void vl_synth_report_deinit(vl_synth_report *report) {
    free(report->codes);
    free(report->seen);
    *report = (vl_synth_report){0};
}
