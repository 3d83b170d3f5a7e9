/* chunk.c — see chunk.h: what workers share, a worker, and the way of a record through it. */
#include "dataset/chunk_inside.h"

#include "dataset/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t DOCUMENT_ARENA = (size_t)1 << 30, RECORD_ARENA = (size_t)64 << 20;
enum { LINE_MAX_BYTES = 16 << 20, DOCUMENT_MAX = 256 << 20 };
/* A page is read as if nothing but it were there: no clock decides what is tried on it. */
static const double PAGE_SECONDS = 3600;

/* ---- the kit -------------------------------------------------------------------------------
 */

static const privacy_action actions[] = {[BUILD_PERSONAL_REPLACE] = PRIVACY_REPLACE,
                                         [BUILD_PERSONAL_REMOVE] = PRIVACY_REMOVE,
                                         [BUILD_PERSONAL_KEEP] = PRIVACY_KEEP};

/* Where the bundled space is not there, captions are paired by their numbers alone. */
static vl_status open_space(chunk_kit *kit, vl_error *error) {
    const build_recipe *recipe = kit->recipe;
    char path[4096];
    if (!recipe->target_languages.count || recipe->min_alignment_confidence >= 1)
        return VL_OK;
    snprintf(path, sizeof path, "%s/models/align.bin", vl_data_dir());
    if (!access(path, F_OK))
        return vl_space_open(NULL, &kit->space, error);
    vl_log(VL_LOG_WARN, "captions are paired by their numbers alone",
           VL_F_STR("missing", path));
    return VL_OK;
}

static vl_status open_kit(chunk_kit *kit, vl_error *error) {
    const build_recipe *recipe = kit->recipe;
    vl_status status = vl_langid_open(NULL, &kit->langid, error);
    if (!status)
        status = vl_ngram_open(NULL, &kit->ngram, error);
    if (!status && recipe->picture_model)
        status = vl_seer_open(NULL, &kit->seer, error);
    if (!status)
        status = phrases_open(NULL, &kit->phrases, error);
    for (size_t i = 0; !status && i < recipe->target_languages.count; i++)
        if (!phrases_find(kit->phrases, recipe->target_languages.items[i]))
            status = vl_fail(error, VL_ERR_USAGE,
                             "target_languages: there are no phrases in %s (docs/dataset.md)",
                             recipe->target_languages.items[i]);
    if (!status)
        status = aligned_open(recipe, &kit->aligned, error);
    if (!status)
        status = open_space(kit, error);
    kit->quality = quality_model_default();
    if (!status && *recipe->quality_model)
        status = quality_model_read(recipe->quality_model, &kit->quality, error);
    kit->privacy =
        (privacy_options){actions[recipe->personal_data], recipe->coordinate_decimals};
    kit->reading = vl_ocr_options_default();
    kit->reading.langid = kit->langid;
    kit->reading.max_seconds = PAGE_SECONDS;
    kit->reading.steady = true;
    if (*recipe->ocr_engines)
        kit->reading.engines = recipe->ocr_engines;
    else if (kit->options->ocr_engines && *kit->options->ocr_engines)
        kit->reading.engines = kit->options->ocr_engines;
    if (kit->options->tessdata && *kit->options->tessdata)
        kit->reading.tessdata = kit->options->tessdata;
    return status;
}

vl_status chunk_kit_new(const build_recipe *recipe, const vl_build_options *options,
                        chunk_kit **kit, vl_error *error) {
    *kit = calloc(1, sizeof **kit);
    if (!*kit)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    (*kit)->recipe = recipe;
    (*kit)->options = options;
    vl_status status = open_kit(*kit, error);
    if (status) {
        chunk_kit_free(*kit);
        *kit = NULL;
    }
    return status;
}

void chunk_kit_free(chunk_kit *kit) {
    if (!kit)
        return;
    vl_space_free(kit->space);
    aligned_free(kit->aligned);
    phrases_free(kit->phrases);
    vl_seer_free(kit->seer);
    vl_ngram_free(kit->ngram);
    vl_langid_free(kit->langid);
    free(kit);
}

const quality_model *chunk_kit_quality(const chunk_kit *kit) {
    return &kit->quality;
}

/* ---- a worker ------------------------------------------------------------------------------
 */

vl_status chunk_worker_new(const chunk_kit *kit, chunk_worker **worker, vl_error *error) {
    chunk_worker *w = calloc(1, sizeof *w);
    *worker = w;
    if (!w)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    w->kit = kit;
    w->arena = vl_arena_new(RECORD_ARENA);
    bool fits = w->arena != NULL;
    vl_buf_init(&w->line, LINE_MAX_BYTES);
    for (size_t i = 0; i < CHUNK_OPEN_MAX; i++) {
        w->documents[i].arena = vl_arena_new(DOCUMENT_ARENA);
        fits = fits && w->documents[i].arena;
        vl_buf_init(&w->documents[i].bytes, DOCUMENT_MAX + 1);
    }
    if (fits)
        return VL_OK;
    chunk_worker_free(w);
    *worker = NULL;
    return vl_fail(error, VL_ERR_MEMORY, "out of memory");
}

void chunk_worker_free(chunk_worker *w) {
    if (!w)
        return;
    for (size_t i = 0; i < CHUNK_OPEN_MAX; i++) {
        chunk_close(&w->documents[i]);
        vl_buf_deinit(&w->documents[i].bytes);
        vl_arena_free(w->documents[i].arena);
    }
    vl_ocr_free(w->ocr);
    vl_arena_free(w->arena);
    vl_buf_deinit(&w->line);
    privacy_tally_free(w->tally);
    vl_file_writer_abandon(w->out);
    free(w);
}

/* ---- lines ---------------------------------------------------------------------------------
 */

static vl_status put_json(chunk_worker *w, char tag, cJSON *json, vl_error *error) {
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    if (!text)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a chunk");
    vl_buf_clear(&w->line);
    vl_buf_printf(&w->line, "%c %s\n", tag, text);
    cJSON_free(text);
    vl_status status = vl_buf_status(&w->line, "a line of a chunk", error);
    return status ? status : vl_file_writer_put(w->out, w->line.data, w->line.len, error);
}

static vl_status put_document(chunk_worker *w, const opened *d, vl_error *error) {
    cJSON *json = cJSON_CreateObject();
    uint64_t ocr = 0;
    for (size_t i = 0; d->parts && i < d->parts->page_count; i++)
        ocr += d->parts->pages[i].ocr;
    cJSON_AddStringToObject(json, "document", d->from->sha256);
    cJSON_AddStringToObject(json, "record", d->from->record);
    if (d->parts) {
        cJSON_AddStringToObject(json, "format", d->parts->format);
        cJSON_AddNumberToObject(json, "pages", (double)d->parts->page_count);
        cJSON_AddNumberToObject(json, "pages_ocr", (double)ocr);
        cJSON_AddNumberToObject(json, "parts", (double)d->parts->part_count);
        cJSON_AddStringToObject(json, "language", d->language);
        cJSON_AddStringToObject(json, "title", d->parts->title);
        w->counts->pages += d->parts->page_count;
        w->counts->pages_ocr += ocr;
    } else
        cJSON_AddStringToObject(json, "problem", d->problem);
    cJSON_AddItemToObject(json, "provenance", cJSON_Duplicate(d->provenance, true));
    w->counts->documents++;
    w->counts->unread += d->parts == NULL;
    return put_json(w, 'D', json, error);
}

/* ---- a record ------------------------------------------------------------------------------
 */

static vl_status make_items(chunk_worker *w, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; !status && i < w->open; i++) {
        w->now = &w->documents[i];
        if (!w->now->from->current)
            continue;
        status = put_document(w, w->now, error);
        if (!status && w->now->parts)
            status = chunk_items(w, error);
    }
    return status;
}

static vl_status take_record(const plan_record *record, vl_arena *arena, void *to,
                             vl_error *error) {
    chunk_worker *w = to;
    vl_status status = VL_OK;
    (void)arena;
    w->record = record;
    for (size_t i = 0; !status && i < record->count;) {
        size_t bytes = 0;
        for (w->open = 0; !status && i < record->count && w->open < CHUNK_OPEN_MAX &&
                          bytes < CHUNK_OPEN_BYTES;
             i++) {
            status = vl_stop_check(error);
            if (!status)
                status = chunk_open(w, &record->documents[i], &w->documents[w->open++], error);
            bytes += w->documents[w->open - 1].bytes.len;
        }
        if (!status)
            status = make_items(w, error);
        for (size_t k = 0; k < w->open; k++)
            chunk_close(&w->documents[k]);
    }
    return status;
}

/* ---- a chunk -------------------------------------------------------------------------------
 */

vl_status chunk_path(const char *folder, size_t chunk, char path[4096], vl_error *error) {
    char name[64];
    snprintf(name, sizeof name, FOLDER_WORK "/chunks/%05zu.jsonl", chunk);
    return folder_path(folder, name, path, error);
}

static vl_status put_report(chunk_worker *w, vl_error *error) {
    vl_buf tally;
    vl_buf_init(&tally, LINE_MAX_BYTES);
    privacy_tally_json(w->tally, &tally);
    vl_status status = vl_buf_status(&tally, "the report of a chunk", error);
    cJSON *json = cJSON_CreateObject();
    if (!status)
        cJSON_AddItemToObject(json, "personal_data", cJSON_Parse(tally.data));
    vl_buf_deinit(&tally);
    if (!status)
        return put_json(w, 'R', json, error);
    cJSON_Delete(json);
    return status;
}

vl_status chunk_make(chunk_worker *w, const plan *p, size_t chunk, chunk_counts *counts,
                     vl_error *error) {
    char path[FOLDER_PATH_SIZE];
    vl_status status = chunk_path(w->kit->options->folder, chunk, path, error);
    if (status || access(path, F_OK) == 0)
        return status;
    w->counts = counts;
    privacy_tally_free(w->tally);
    w->tally = privacy_tally_new();
    if (!w->tally)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    status = vl_file_writer_open(path, &w->out, error);
    if (!status)
        status = plan_chunk(p, chunk, w->arena, take_record, w, error);
    if (!status)
        status = put_report(w, error);
    if (status)
        vl_file_writer_abandon(w->out);
    else
        status = vl_file_writer_commit(w->out, error);
    w->out = NULL;
    return status;
}
