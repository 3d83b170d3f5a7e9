/* search.c — `vislang search`: the pictures of a folder nearest to a text or to a picture.
 *
 * The query becomes a vector first, so that what is wrong with it is said before a long
 * indexing begins; then the folder's index is brought up to date, by a session of the model a
 * worker; then it is searched. Hits go to standard output, everything else to standard error.
 */
#include "cli/cli.h"

#include <vislang/model.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_JOBS = 256, MAX_TOP = 100000, BROKEN_SHOWN = 20, MAX_PATH_BYTES = 1 << 16 };

typedef struct search_run {
    const cli_args *args;
    const char *folder, *text, *like, *language;
    char *index; /* owned */
    long top, jobs;
    vl_config *config;
    vl_answer_options options;
    vl_seer *seer;
    vl_seer_session *sessions[MAX_JOBS];
    char model[VL_VECTORS_MODEL_SIZE];
    float *query;
    vl_vectors *vectors;
    vl_vectors_report report;
    vl_vectors_hit *hits;
    size_t hit_count;
    double milliseconds; /* of the search alone */
    cJSON *broken;
    bool terminal, told; /* standard error is one; the rebuilding was told of */
    int64_t progress_ns; /* when progress was last shown */
} search_run;

static volatile sig_atomic_t stop_asked;

static void ask_stop(int signal_number) {
    stop_asked = 1;
    signal(signal_number, SIG_DFL); /* a second one ends the program at once */
}

/* ---- names ------------------------------------------------------------------------ */

/* Names of files are bytes: control characters would drive a terminal, and bytes that are no
 * UTF-8 are not for JSON. */
static void put_name(vl_buf *out, const char *name, bool plain) {
    for (const char *at = name; *at;) {
        size_t valid = vl_utf8_valid_prefix(at, strlen(at));
        for (size_t i = 0; i < valid; i++) {
            bool control = (unsigned char)at[i] < 0x20 || at[i] == 0x7F;
            vl_buf_append(out, plain && control ? "?" : at + i, 1);
        }
        at += valid;
        if (*at) {
            vl_buf_puts(out, "\xEF\xBF\xBD"); /* U+FFFD */
            at++;
        }
    }
}

static void put_path(vl_buf *out, const char *folder, const char *name, bool plain) {
    vl_buf_clear(out);
    put_name(out, folder, plain);
    if (!*folder || folder[strlen(folder) - 1] != '/')
        vl_buf_puts(out, "/");
    put_name(out, name, plain);
}

/* ---- what happens while indexing -------------------------------------------------- */

static vl_status session_of(search_run *run, size_t worker, vl_error *error) {
    if (!run->sessions[worker])
        run->sessions[worker] = vl_seer_session_new(run->seer);
    return run->sessions[worker] ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
}

static vl_status embed(void *user, size_t worker, const vl_image *image, float *vector,
                       vl_error *error) {
    search_run *run = user;
    vl_status status = session_of(run, worker, error);
    if (!status)
        status = vl_seer_session_look(run->sessions[worker], image, error);
    if (!status)
        vl_seer_picture_embedding(run->sessions[worker], vector);
    return status;
}

static bool stopped(void *user) {
    (void)user;
    return stop_asked;
}

static void clear_line(const search_run *run) {
    if (run->terminal)
        fprintf(stderr, "\r\033[K");
}

static void tell_rebuilt(search_run *run, const vl_vectors_report *report) {
    if (report->rebuilt && *report->was && !run->told)
        fprintf(
            stderr,
            "vislang search: the index is of another model (%s), and is made again for %s\n",
            report->was, run->model);
    run->told = true;
}

static void show_progress(void *user, const vl_vectors_report *report) {
    enum { WIDTH = 30, TERMINAL_MS = 100, FILE_MS = 10000 };
    search_run *run = user;
    tell_rebuilt(run, report);
    if (vl_clock_ms_since(run->progress_ns) < (run->terminal ? TERMINAL_MS : FILE_MS))
        return;
    run->progress_ns = vl_clock_ns();
    size_t seen = report->known + report->embedded + report->broken;
    size_t done = seen + report->kept, total = report->pictures;
    double rate = report->seconds > 0 ? (double)seen / report->seconds : 0;
    double left = rate > 0 ? (double)(total - done) / rate : 0;
    char bar[WIDTH + 1] = {0};
    for (size_t i = 0; i < WIDTH; i++)
        bar[i] = i * total < done * WIDTH ? '#' : '.';
    fprintf(stderr, "%s[%s] %zu/%zu pictures  %zu broken  %.1f/s  %d:%02d left%s",
            run->terminal ? "\r" : "", bar, done, total, report->broken, rate, (int)left / 60,
            (int)left % 60, run->terminal ? " \033[K" : "\n");
    fflush(stderr);
}

static void note_broken(void *user, const char *name, const vl_error *why) {
    search_run *run = user;
    vl_buf path;
    vl_buf_init(&path, MAX_PATH_BYTES);
    put_path(&path, run->folder, name, true);
    if (cJSON_GetArraySize(run->broken) < BROKEN_SHOWN) {
        clear_line(run);
        fprintf(stderr, "vislang search: %s: %s\n", path.data, why->message);
    }
    cJSON *one = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "file", path.data);
    cJSON_AddStringToObject(one, "message", why->message);
    cJSON_AddItemToArray(run->broken, one);
    vl_buf_deinit(&path);
}

static void tell_report(search_run *run) {
    const vl_vectors_report *r = &run->report;
    clear_line(run);
    tell_rebuilt(run, r);
    if (r->broken > BROKEN_SHOWN)
        fprintf(stderr, "vislang search: and %zu more that could not be read\n",
                r->broken - BROKEN_SHOWN);
    if (r->embedded || r->known || r->removed || r->broken)
        fprintf(
            stderr,
            "vislang search: %zu pictures: %zu looked at, %zu known by content, %zu as they "
            "were, %zu broken; %zu gone, %zu other files; %.1f s\n",
            r->pictures, r->embedded, r->known, r->kept, r->broken, r->removed, r->left_out,
            r->seconds);
}

/* ---- the query -------------------------------------------------------------------- */

static vl_status check_language(const search_run *run, vl_error *error) {
    char token[16];
    int length = snprintf(token, sizeof token, "<%s>", run->language ? run->language : "en");
    if (length < (int)sizeof token && vl_bpe_special(vl_seer_tokenizer(run->seer), token) >= 0)
        return VL_OK;
    return vl_fail(
        error, VL_ERR_USAGE,
        "the model has no word for the language '%.40s'; without --language it takes "
        "the text as it is",
        run->language);
}

static vl_status query_of_text(search_run *run, vl_error *error) {
    if (run->text[vl_utf8_valid_prefix(run->text, strlen(run->text))])
        return vl_fail(error, VL_ERR_INPUT, "the text to search for is not UTF-8");
    if (!run->text[strspn(run->text, " \t\r\n")])
        return vl_fail(error, VL_ERR_USAGE, "an empty text matches nothing");
    vl_status status = run->language ? check_language(run, error) : VL_OK;
    if (!status)
        status = session_of(run, 0, error);
    return status ? status
                  : vl_seer_text_embedding(run->sessions[0], run->text, run->language,
                                           run->query, error);
}

static vl_status query_of_picture(search_run *run, vl_error *error) {
    const vl_media_limits *limits = &run->options.limits;
    vl_image *image = NULL;
    vl_buf bytes;
    vl_buf_init(&bytes, limits->max_bytes);
    vl_status status = vl_file_read(run->like, limits->max_bytes, &bytes, error);
    if (!status) {
        if (!(status = vl_document_first(bytes.data, bytes.len, limits, &image, error)))
            status = embed(run, 0, image, run->query, error);
        if (status)
            vl_error_prefix(error, "%s", run->like);
    }
    vl_image_free(image);
    vl_buf_deinit(&bytes);
    return status;
}

/* ---- the command ------------------------------------------------------------------ */

static vl_status parse(search_run *run, vl_error *error) {
    const cli_args *args = run->args;
    size_t count = args->operand_count;
    vl_status status;
    run->like = cli_value(args, "like");
    run->language = cli_value(args, "language");
    run->top = 10;
    run->jobs = (long)vl_cpu_count() < MAX_JOBS ? (long)vl_cpu_count() : MAX_JOBS;
    if (!count)
        return vl_fail(error, VL_ERR_USAGE, "which folder, and what to look for?");
    if (count > 2)
        return vl_fail(error, VL_ERR_USAGE,
                       "one folder and one text (in quotes when it has spaces), not %zu words",
                       count);
    run->folder = args->operands[0];
    run->text = count == 2 ? args->operands[1] : NULL;
    if (!run->text == !run->like)
        return vl_fail(error, VL_ERR_USAGE,
                       run->text ? "a text and --like PICTURE: one of them"
                                 : "what to look for in %s? A text, or --like PICTURE",
                       run->folder);
    if (run->language && run->like)
        return vl_fail(error, VL_ERR_USAGE, "--language is of a text, and --like has none");
    if ((status = cli_value_int(args, "top", 1, MAX_TOP, &run->top, error)) ||
        (status = cli_value_int(args, "jobs", 1, MAX_JOBS, &run->jobs, error)))
        return status;
    const char *index = cli_value(args, "index");
    int length = index ? asprintf(&run->index, "%s", index)
                       : asprintf(&run->index, "%s/.vislang-index", run->folder);
    if (length < 0) {
        run->index = NULL;
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    }
    return VL_OK;
}

static vl_status open_model(search_run *run, vl_error *error) {
    vl_status status;
    if ((status = cli_config(run->args, &run->config, error)) ||
        (status = vl_answer_options_from_config(run->config, &run->options, error)) ||
        (status = vl_picture_model_open(run->config, &run->seer, error)))
        return status;
    vl_vectors_model_of(run->seer, run->model);
    run->query = malloc(vl_seer_vector_size(run->seer) * sizeof *run->query);
    run->hits = malloc((size_t)run->top * sizeof *run->hits);
    run->broken = cJSON_CreateArray();
    run->terminal = isatty(STDERR_FILENO);
    return run->query && run->hits && run->broken
               ? VL_OK
               : vl_fail(error, VL_ERR_MEMORY, "out of memory");
}

static vl_status refresh(search_run *run, vl_error *error) {
    vl_vectors_folder how = vl_vectors_folder_default();
    how.folder = run->folder;
    how.index = run->index;
    how.model = run->model;
    how.size = vl_seer_vector_size(run->seer);
    how.threads = (size_t)run->jobs;
    how.rebuild = cli_has(run->args, "rebuild");
    how.limits = run->options.limits;
    how.embed = embed;
    how.progress = show_progress;
    how.broken = note_broken;
    how.stopped = stopped;
    how.user = run;
    struct sigaction action = {.sa_handler = ask_stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    run->progress_ns = vl_clock_ns();
    vl_status status = vl_vectors_refresh(&how, &run->report, &run->vectors, error);
    tell_report(run);
    if (!status && !vl_vectors_count(run->vectors))
        status = vl_fail(error, VL_ERR_INPUT, "no picture in %s (%zu broken, %zu other files)",
                         run->folder, run->report.broken, run->report.left_out);
    return status;
}

static vl_status search(search_run *run, vl_error *error) {
    vl_status status;
    if ((status = parse(run, error)) || (status = open_model(run, error)) ||
        (status = run->text ? query_of_text(run, error) : query_of_picture(run, error)) ||
        (status = refresh(run, error)))
        return status;
    int64_t started = vl_clock_ns();
    status = vl_vectors_search(run->vectors, run->query, (size_t)run->top, run->hits,
                               &run->hit_count, error);
    run->milliseconds = vl_clock_ms_since(started);
    return status;
}

static vl_status print_hits(const search_run *run, vl_error *error) {
    vl_buf path;
    vl_buf_init(&path, MAX_PATH_BYTES);
    for (size_t i = 0; i < run->hit_count; i++) {
        put_path(&path, run->folder, vl_vectors_name(run->vectors, run->hits[i].index), true);
        if (!path.failed)
            printf("%3zu  %6.3f  %s\n", i + 1, (double)run->hits[i].score, path.data);
    }
    vl_status status = vl_buf_status(&path, "a path", error);
    vl_buf_deinit(&path);
    return status;
}

static void add_report(const search_run *run, cJSON *object) {
    const vl_vectors_report *r = &run->report;
    cJSON *index = cJSON_AddObjectToObject(object, "index");
    cJSON_AddStringToObject(index, "file", run->index);
    cJSON_AddNumberToObject(index, "pictures", (double)vl_vectors_count(run->vectors));
    cJSON_AddNumberToObject(index, "looked_at", (double)r->embedded);
    cJSON_AddNumberToObject(index, "known", (double)r->known);
    cJSON_AddNumberToObject(index, "kept", (double)r->kept);
    cJSON_AddNumberToObject(index, "removed", (double)r->removed);
    cJSON_AddNumberToObject(index, "left_out", (double)r->left_out);
    cJSON_AddBoolToObject(index, "rebuilt", r->rebuilt);
    cJSON_AddNumberToObject(index, "seconds", r->seconds);
    cJSON_AddItemReferenceToObject(index, "broken", run->broken);
}

static bool add_hit(const search_run *run, cJSON *hits, size_t i, vl_buf *name) {
    const char *bytes = vl_vectors_name(run->vectors, run->hits[i].index);
    cJSON *hit = cJSON_CreateObject();
    cJSON_AddNumberToObject(hit, "rank", (double)(i + 1));
    cJSON_AddNumberToObject(hit, "score", (double)run->hits[i].score);
    put_path(name, run->folder, bytes, false);
    bool ok = !name->failed && cJSON_AddStringToObject(hit, "file", name->data);
    vl_buf_clear(name);
    put_name(name, bytes, false);
    ok = ok && !name->failed && cJSON_AddStringToObject(hit, "name", name->data);
    return cJSON_AddItemToArray(hits, hit) && ok;
}

static vl_status print_json(const search_run *run, vl_error *error) {
    vl_buf name;
    vl_buf_init(&name, MAX_PATH_BYTES);
    cJSON *object = cJSON_CreateObject();
    bool ok = cJSON_AddStringToObject(object, run->text ? "text" : "like",
                                      run->text ? run->text : run->like) != NULL;
    if (run->language)
        cJSON_AddStringToObject(object, "language", run->language);
    cJSON *hits = cJSON_AddArrayToObject(object, "hits");
    for (size_t i = 0; i < run->hit_count && ok; i++)
        ok = add_hit(run, hits, i, &name);
    cJSON_AddNumberToObject(object, "milliseconds", run->milliseconds);
    cJSON_AddStringToObject(object, "model", run->model);
    add_report(run, object);
    char *text = ok ? cJSON_PrintUnformatted(object) : NULL;
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(object);
    vl_buf_deinit(&name);
    return text ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "the hits do not fit in memory");
}

static void deinit(search_run *run) {
    free(run->index);
    free(run->query);
    free(run->hits);
    cJSON_Delete(run->broken);
    vl_vectors_free(run->vectors);
    for (size_t i = 0; i < MAX_JOBS; i++)
        vl_seer_session_free(run->sessions[i]);
    vl_seer_free(run->seer);
    vl_config_free(run->config);
}

int cli_search(const cli_args *args) {
    search_run run = {.args = args};
    vl_error error;
    vl_status status = search(&run, &error);
    if (!status)
        status = cli_has(args, "json") ? print_json(&run, &error) : print_hits(&run, &error);
    int exit_code = status ? cli_fail(args, &error) : cli_finish_stdout(args, 0);
    deinit(&run);
    return exit_code;
}
