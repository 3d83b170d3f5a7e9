/* eval.c — engines scored on a folder of real scans: `vislang eval ocr`.
 *
 * A worker takes a scan, decodes it once and gives it to every reader in turn: each engine
 * alone, as vl_ocr_read runs it, and where there are several, their consensus, whose record
 * begins empty and is learned on the way. What they say is compared with the transcript at once
 * and only the counts are kept, so that the tables are sums over items, and the intervals sums
 * over items drawn again.
 *
 *   read_scan        one scan, every reader
 *   score_of         a group of items: rates, intervals, seconds
 *   report           sets, scripts, all
 *   vl_ocr_evaluate */
#include "ocr/packs.h"
#include "ocr/scans.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    READERS_MAX = 17, /* 16 engines and their consensus */
    LIST_MAX = 4096,
    JOBS_MAX = 256,
    RESAMPLES = 1000,
    SCANS_ARENA_MAX = 1 << 30,
    PAGE_ARENA_MAX = 256 << 20,
    WHY_MAX = 200,
};

typedef enum outcome { NOT_ASKED, READ, FAILED } outcome;

/* What a reader made of an item. */
typedef struct tally {
    outcome outcome;
    uint32_t cer_edits, cer_length, wer_edits, wer_length;
    double seconds;
    char *why;  /* of a failure; the heap's */
    char *said; /* as it was compared, for details; the heap's */
} tally;

typedef struct evaluation {
    const vl_ocr_evaluation *how;
    vl_arena *arena;
    const char *names[READERS_MAX];   /* of the readers */
    const char *engines[READERS_MAX]; /* what each reads with, as in the settings */
    size_t reader_count;
    vl_scan **items; /* those that are read */
    size_t item_count;
    char (*scripts)[5];  /* of the items' transcripts */
    const char **broken; /* [item] NULL, or why; the arena's or the heap's */
    tally *tallies;      /* [item * engine_count + reader] */
    vl_ocr *ocrs[JOBS_MAX][READERS_MAX];
    vl_arena *page_arenas[JOBS_MAX];
    FILE *details; /* NULL: none are asked for */
    pthread_mutex_t lock;
    size_t done;
    vl_error fatal; /* status VL_OK, or why nothing can be read at all */
} evaluation;

typedef struct job {
    evaluation *e;
    size_t item;
} job;

/* ---- one scan --------------------------------------------------------------------------- */

/* Each engine alone ("mine=http://host:port" goes by "mine"), and all of them. */
static bool name_readers(evaluation *e) {
    char list[LIST_MAX] = "";
    const size_t count = e->how->engine_count;
    for (size_t r = 0; r < count; r++) {
        const char *engine = e->engines[r] = e->how->engines[r];
        if (!(e->names[r] = vl_arena_strndup(e->arena, engine, strcspn(engine, "="))))
            return false;
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", r ? "," : "", engine);
    }
    e->reader_count = count;
    if (count < 2)
        return true;
    e->names[count] = "consensus";
    e->reader_count++;
    return (e->engines[count] = vl_arena_strdup(e->arena, list)) != NULL;
}

static vl_status compare(vl_arena *arena, const vl_scan *scan, const char *said, tally *t,
                         vl_error *error) {
    vl_edit_count cer, wer;
    const char *a = vl_scan_comparable(arena, scan, said);
    const char *b = vl_scan_comparable(arena, scan, scan->truth);
    if (!a || !b)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to compare texts");
    vl_status status = vl_text_cer(a, b, &cer, error);
    if (!status)
        status = vl_text_wer(a, b, &wer, error);
    if (status)
        return status;
    t->cer_edits = (uint32_t)cer.edits;
    t->cer_length = (uint32_t)cer.length;
    t->wer_edits = (uint32_t)wer.edits;
    t->wer_length = (uint32_t)wer.length;
    t->said = strdup(a);
    return VL_OK;
}

static vl_status reader_open(evaluation *e, size_t worker, size_t reader, vl_ocr **ocr,
                             vl_error *error) {
    vl_ocr_options options = e->how->ocr;
    options.engines = e->engines[reader];
    options.record = NULL; /* a score must not depend on what was read before */
    vl_status status = VL_OK;
    if (!e->ocrs[worker][reader])
        status = vl_ocr_new(&options, &e->ocrs[worker][reader], error);
    *ocr = e->ocrs[worker][reader];
    return status;
}

static vl_status read_with(evaluation *e, size_t worker, size_t reader, const vl_scan *scan,
                           const vl_image *image, tally *t, vl_error *error) {
    vl_arena *arena = e->page_arenas[worker];
    const char *languages = e->how->detect ? NULL : scan->languages;
    vl_ocr *ocr = NULL;
    vl_page *page = NULL;
    vl_arena_reset(arena);
    vl_status status = reader_open(e, worker, reader, &ocr, error);
    if (status) {
        pthread_mutex_lock(&e->lock);
        e->fatal = *error;
        pthread_mutex_unlock(&e->lock);
        return status;
    }
    int64_t started = vl_clock_ns();
    status = vl_ocr_read(ocr, image, languages, arena, &page, NULL, error);
    t->seconds = vl_clock_ms_since(started) / 1000;
    if (status == VL_ERR_UNSUPPORTED) /* a script it does not read */
        return VL_OK;
    t->outcome = status ? FAILED : READ;
    if (status)
        t->why = strndup(error->message, WHY_MAX);
    const char *said = status ? "" : vl_page_text(arena, page);
    return compare(arena, scan, said ? said : "", t, error);
}

static vl_status decode(const evaluation *e, const vl_scan *scan, vl_image **image,
                        vl_error *error) {
    vl_buf bytes;
    char *path = NULL;
    const vl_media_limits *limits = &e->how->limits;
    vl_buf_init(&bytes, limits->max_bytes);
    vl_status status = asprintf(&path, "%s/%s", e->how->folder, scan->image) < 0
                           ? vl_fail(error, VL_ERR_MEMORY, "out of memory")
                           : vl_file_read(path, limits->max_bytes, &bytes, error);
    if (!status)
        status = vl_document_first(bytes.data, bytes.len, limits, image, error);
    vl_buf_deinit(&bytes);
    free(path);
    return status;
}

static bool has_failed(evaluation *e) {
    pthread_mutex_lock(&e->lock);
    bool failed = e->fatal.status != VL_OK;
    pthread_mutex_unlock(&e->lock);
    return failed;
}

/* What each reader said of a scan, as one line of JSON, and the texts given back. */
static void write_details(evaluation *e, const vl_scan *scan, tally *tallies) {
    cJSON *line = e->details ? cJSON_CreateObject() : NULL;
    if (line) {
        cJSON_AddStringToObject(line, "set", scan->set);
        cJSON_AddStringToObject(line, "id", scan->id);
        cJSON_AddStringToObject(line, "truth", scan->truth ? scan->truth : "");
        cJSON *readers = cJSON_AddObjectToObject(line, "readers");
        for (size_t r = 0; r < e->reader_count; r++) {
            cJSON *one = cJSON_AddObjectToObject(readers, e->names[r]);
            cJSON_AddStringToObject(one, "text", tallies[r].said ? tallies[r].said : "");
            cJSON_AddNumberToObject(one, "edits", tallies[r].cer_edits);
            cJSON_AddNumberToObject(one, "length", tallies[r].cer_length);
            cJSON_AddNumberToObject(one, "seconds", tallies[r].seconds);
        }
        char *text = cJSON_PrintUnformatted(line);
        if (text)
            fprintf(e->details, "%s\n", text);
        cJSON_free(text);
        cJSON_Delete(line);
    }
    for (size_t r = 0; r < e->reader_count; r++) {
        free(tallies[r].said);
        tallies[r].said = NULL;
    }
}

static void read_scan(void *arg, size_t worker) {
    job *j = arg;
    evaluation *e = j->e;
    const vl_scan *scan = e->items[j->item];
    tally *tallies = &e->tallies[j->item * e->reader_count];
    vl_image *image = NULL;
    vl_error error;
    vl_status status = VL_OK;
    if (!e->broken[j->item] && !has_failed(e)) {
        status = decode(e, scan, &image, &error);
        for (size_t r = 0; !status && r < e->reader_count; r++)
            status = read_with(e, worker, r, scan, image, &tallies[r], &error);
    }
    pthread_mutex_lock(&e->lock);
    write_details(e, scan, tallies);
    if (status)
        e->broken[j->item] = vl_arena_strndup(e->arena, error.message, WHY_MAX);
    e->done++;
    if (e->how->progress)
        e->how->progress(e->done, e->item_count, e->how->user);
    pthread_mutex_unlock(&e->lock);
    vl_image_free(image);
}

/* ---- scores -------------------------------------------------------------------------------
 */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double rate(uint64_t edits, uint64_t length) {
    return length ? (double)edits / (double)length : 0;
}

/* The interval that holds the middle 95 % of the resampled rates. */
static void add_interval(cJSON *to, const char *name, double rates[RESAMPLES]) {
    char key[32];
    qsort(rates, RESAMPLES, sizeof *rates, by_value);
    snprintf(key, sizeof key, "%s_low", name);
    cJSON_AddNumberToObject(to, key, rates[RESAMPLES * 25 / 1000]);
    snprintf(key, sizeof key, "%s_high", name);
    cJSON_AddNumberToObject(to, key, rates[RESAMPLES * 975 / 1000 - 1]);
}

static void add_intervals(cJSON *to, const tally *const *tallies, size_t count) {
    double cer[RESAMPLES], wer[RESAMPLES];
    uint64_t state = 1;
    for (size_t s = 0; s < RESAMPLES; s++) {
        uint64_t sums[4] = {0};
        for (size_t i = 0; i < count; i++) {
            const tally *t = tallies[vl_random_below(&state, count)];
            sums[0] += t->cer_edits;
            sums[1] += t->cer_length;
            sums[2] += t->wer_edits;
            sums[3] += t->wer_length;
        }
        cer[s] = rate(sums[0], sums[1]);
        wer[s] = rate(sums[2], sums[3]);
    }
    add_interval(to, "cer", cer);
    add_interval(to, "wer", wer);
}

/* NULL: no item of the group was put to the reader. */
static cJSON *score_of(const tally *const *tallies, size_t count) {
    uint64_t sums[4] = {0}, failed = 0;
    double seconds = 0;
    if (!count)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        sums[0] += tallies[i]->cer_edits;
        sums[1] += tallies[i]->cer_length;
        sums[2] += tallies[i]->wer_edits;
        sums[3] += tallies[i]->wer_length;
        seconds += tallies[i]->seconds;
        failed += tallies[i]->outcome == FAILED;
    }
    cJSON *score = cJSON_CreateObject();
    cJSON_AddNumberToObject(score, "cer", rate(sums[0], sums[1]));
    cJSON_AddNumberToObject(score, "wer", rate(sums[2], sums[3]));
    add_intervals(score, tallies, count);
    cJSON_AddNumberToObject(score, "n", (double)count);
    cJSON_AddNumberToObject(score, "failed", (double)failed);
    cJSON_AddNumberToObject(score, "seconds", seconds / (double)count);
    return score;
}

/* Scores of every reader on the items whose `name_of` is `name` (NULL: on all). */
static void add_scores(const evaluation *e, cJSON *to, const char *name,
                       const char *(*name_of)(const evaluation *, size_t),
                       const tally **scratch) {
    for (size_t r = 0; r < e->reader_count; r++) {
        size_t count = 0;
        for (size_t i = 0; i < e->item_count; i++) {
            const tally *t = &e->tallies[i * e->reader_count + r];
            if (t->outcome != NOT_ASKED && !e->broken[i] &&
                (!name || !strcmp(name_of(e, i), name)))
                scratch[count++] = t;
        }
        cJSON *score = score_of(scratch, count);
        if (score)
            cJSON_AddItemToObject(to, e->names[r], score);
    }
}

static const char *set_name(const evaluation *e, size_t item) {
    return e->items[item]->set;
}

static const char *script_name(const evaluation *e, size_t item) {
    return e->scripts[item];
}

/* Groups stand in the order in which they first come. */
static void add_groups(const evaluation *e, cJSON *to,
                       const char *(*name_of)(const evaluation *, size_t),
                       const tally **scratch) {
    for (size_t i = 0; i < e->item_count; i++) {
        const char *name = name_of(e, i);
        if (!e->broken[i] && !cJSON_GetObjectItemCaseSensitive(to, name))
            add_scores(e, cJSON_AddObjectToObject(to, name), name, name_of, scratch);
    }
}

static void add_complaint(cJSON *to, const char *engine, const vl_scan *scan, const char *why) {
    cJSON *one = cJSON_CreateObject();
    if (engine)
        cJSON_AddStringToObject(one, "engine", engine);
    cJSON_AddStringToObject(one, "set", scan->set);
    cJSON_AddStringToObject(one, "id", scan->id);
    cJSON_AddStringToObject(one, "why", why ? why : "");
    cJSON_AddItemToArray(to, one);
}

static vl_status report(const evaluation *e, vl_buf *json, vl_error *error) {
    static const char *const halves[] = {"all", "adapt", "score"};
    const size_t readers = e->reader_count;
    const tally **scratch = calloc(e->item_count + 1, sizeof *scratch);
    cJSON *root = scratch ? cJSON_CreateObject() : NULL;
    char *text = NULL;
    if (root) {
        cJSON_AddStringToObject(root, "half", halves[e->how->half]);
        add_groups(e, cJSON_AddObjectToObject(root, "sets"), set_name, scratch);
        add_groups(e, cJSON_AddObjectToObject(root, "scripts"), script_name, scratch);
        add_scores(e, cJSON_AddObjectToObject(root, "all"), NULL, NULL, scratch);
        cJSON *broken = cJSON_AddArrayToObject(root, "broken");
        cJSON *failed = cJSON_AddArrayToObject(root, "failed");
        for (size_t i = 0; i < e->item_count; i++) {
            if (e->broken[i])
                add_complaint(broken, NULL, e->items[i], e->broken[i]);
            for (size_t r = 0; r < readers; r++)
                if (!e->broken[i] && e->tallies[i * readers + r].outcome == FAILED)
                    add_complaint(failed, e->names[r], e->items[i],
                                  e->tallies[i * readers + r].why);
        }
        text = cJSON_Print(root);
    }
    if (text)
        vl_buf_printf(json, "%s\n", text);
    vl_status status = text ? vl_buf_status(json, "the scores", error)
                            : vl_fail(error, VL_ERR_MEMORY, "no memory for the scores");
    cJSON_free(text);
    cJSON_Delete(root);
    free(scratch);
    return status;
}

/* ---- which items ----------------------------------------------------------------------------
 */

static vl_status check_sets(const char *list, const vl_scan *scans, size_t count,
                            vl_error *error) {
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        size_t length = strcspn(at, ","), i = 0;
        while (i < count &&
               (strlen(scans[i].set) != length || memcmp(scans[i].set, at, length) != 0))
            i++;
        if (i == count)
            return vl_fail(error, VL_ERR_INPUT, "the manifest has no set '%.*s'", (int)length,
                           at);
    }
    return VL_OK;
}

static bool is_wanted(const evaluation *e, const vl_scan *scan) {
    const vl_ocr_evaluation *how = e->how;
    size_t same = 0;
    if ((how->half == VL_SCANS_ADAPT && scan->for_score) ||
        (how->half == VL_SCANS_SCORE && !scan->for_score) ||
        (how->sets && !vl_scans_listed(how->sets, scan->set)))
        return false;
    for (size_t i = 0; how->limit && i < e->item_count; i++)
        same += !strcmp(e->items[i]->set, scan->set);
    return !how->limit || same < how->limit;
}

/* The script of a transcript, or where it holds no letter that of the first pack. */
static void find_script(const vl_scan *scan, char out[5]) {
    char first[64];
    snprintf(out, 5, "%s", scan->truth ? vl_text_script(scan->truth, NULL) : "Zyyy");
    snprintf(first, sizeof first, "%.*s", (int)strcspn(scan->languages, "+"), scan->languages);
    const vl_ocr_pack *pack = strcmp(out, "Zyyy") ? NULL : vl_ocr_pack_find(first);
    if (pack)
        snprintf(out, 5, "%s", pack->script);
}

static vl_status choose_items(evaluation *e, vl_error *error) {
    vl_scan *scans;
    size_t count, sound = 0;
    vl_status status = vl_scans_load(e->arena, e->how->folder, &scans, &count, error);
    if (!status)
        status = check_sets(e->how->sets, scans, count, error);
    if (status)
        return status;
    if (!name_readers(e))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the engines' names");
    e->items = calloc(count, sizeof *e->items);
    e->scripts = calloc(count, sizeof *e->scripts);
    e->broken = calloc(count, sizeof *e->broken);
    e->tallies = calloc(count * e->reader_count + 1, sizeof *e->tallies);
    if (!e->items || !e->scripts || !e->broken || !e->tallies)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu scans", count);
    for (size_t i = 0; i < count; i++) {
        if (!is_wanted(e, &scans[i]))
            continue;
        size_t n = e->item_count++;
        e->items[n] = &scans[i];
        e->broken[n] = scans[i].broken;
        sound += !scans[i].broken;
        find_script(&scans[i], e->scripts[n]);
    }
    if (!sound)
        return vl_fail(error, VL_ERR_INPUT, "%s: not one of %zu items can be scored%s%s",
                       e->how->folder, e->item_count, e->item_count ? "; the first: " : "",
                       e->item_count ? e->broken[0] : "");
    return VL_OK;
}

/* ---- all of it
 * -------------------------------------------------------------------------------- */

static vl_status read_all(evaluation *e, vl_error *error) {
    size_t jobs = e->how->jobs ? e->how->jobs : 1;
    jobs = jobs < JOBS_MAX ? jobs : JOBS_MAX;
    job *list = calloc(e->item_count, sizeof *list);
    vl_status status = list ? VL_OK : VL_ERR_MEMORY;
    for (size_t w = 0; w < jobs && !status; w++)
        if (!(e->page_arenas[w] = vl_arena_new(PAGE_ARENA_MAX)))
            status = VL_ERR_MEMORY;
    vl_pool *pool = status ? NULL : vl_pool_new(jobs, 64);
    if (!pool) {
        free(list);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu workers", jobs);
    }
    for (size_t i = 0; i < e->item_count; i++) {
        list[i] = (job){e, i};
        vl_pool_submit_wait(pool, read_scan, &list[i]);
    }
    vl_pool_free(pool);
    free(list);
    if (e->fatal.status && error)
        *error = e->fatal;
    return e->fatal.status;
}

static void deinit(evaluation *e) {
    for (size_t w = 0; w < JOBS_MAX; w++) {
        for (size_t r = 0; r < READERS_MAX; r++)
            vl_ocr_free(e->ocrs[w][r]);
        vl_arena_free(e->page_arenas[w]);
    }
    for (size_t i = 0; e->tallies && i < e->item_count * e->reader_count; i++)
        free(e->tallies[i].why);
    free(e->items);
    free(e->scripts);
    free(e->broken);
    free(e->tallies);
    vl_arena_free(e->arena);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

vl_status vl_ocr_evaluate(const vl_ocr_evaluation *how, vl_buf *json, vl_error *error) {
    if (!how->engine_count || how->engine_count > READERS_MAX - 1)
        return vl_fail(error, VL_ERR_USAGE, "1 to %d engines are scored at once",
                       READERS_MAX - 1);
    evaluation *e = calloc(1, sizeof *e);
    if (!e)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the evaluation");
    e->how = how;
    pthread_mutex_init(&e->lock, NULL);
    e->arena = vl_arena_new(SCANS_ARENA_MAX);
    vl_status status = e->arena ? choose_items(e, error)
                                : vl_fail(error, VL_ERR_MEMORY, "no memory for the scans");
    if (!status && how->details && !(e->details = fopen(how->details, "w")))
        status = vl_fail(error, VL_ERR_IO, "%s: %s", how->details, strerror(errno));
    if (!status)
        status = read_all(e, error);
    if (e->details && (ferror(e->details) | fclose(e->details)) && !status)
        status = vl_fail(error, VL_ERR_IO, "%s: %s", how->details, strerror(errno));
    if (!status)
        status = report(e, json, error);
    deinit(e);
    return status;
}
