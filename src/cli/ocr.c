/* ocr.c — `vislang ocr`: one file or a thousand, read in parallel, written in any format.
 *
 * The main thread hands items to a pool in order, never more than a window ahead, waits for
 * them in order and prints; each worker has an engine of its own. A file that fails is
 * reported and the rest goes on. */
#include "cli/batch.h"
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_JOBS = 256, PRINT_WINDOW = 16, FILE_WINDOW = 512, MAX_PRINTED_BYTES = 256 << 20 };

typedef struct run_state {
    batch files;
    vl_answer_options options;
    const char *languages;
    const char *figures; /* folder; NULL: not kept */
    size_t jobs;
    vl_ocr *engines[MAX_JOBS];
    pthread_mutex_t lock;
    pthread_cond_t item_done;
    bool show_progress;
    size_t finished, failed, skipped, pages;
    int64_t started_ns;
} run_state;

typedef struct job {
    run_state *run;
    batch_item *item;
} job;

static volatile sig_atomic_t stop_asked;

static void ask_stop(int signal_number) {
    stop_asked = 1;
    signal(signal_number, SIG_DFL); /* a second one ends the program at once */
}

/* ---- one file --------------------------------------------------------------------- */

typedef struct sinks {
    vl_ocr_writer *writers[VL_OCR_FORMAT_COUNT + 1]; /* the last one is the figures' */
    output_file *outputs[VL_OCR_FORMAT_COUNT];
} sinks;

static vl_status sinks_open(const batch *b, batch_item *item, sinks *s, vl_error *error) {
    vl_buf path;
    vl_buf_init(&path, 4096);
    vl_status status = VL_OK;
    bool to_stdout = !b->folder && !b->single_out;
    if (to_stdout)
        vl_buf_init(&item->text, MAX_PRINTED_BYTES);
    for (size_t f = 0; f < b->format_count && !status; f++) {
        if (!to_stdout) {
            batch_output_path(b, item, b->formats[f], &path);
            status = vl_buf_status(&path, "an output's path", error);
            if (!status)
                status = output_open(path.data, &s->outputs[f], error);
        }
        if (!status)
            status = vl_ocr_writer_new(
                b->formats[f], item->path, to_stdout ? vl_sink_buf : output_sink,
                to_stdout ? (void *)&item->text : (void *)s->outputs[f], &s->writers[f], error);
    }
    vl_buf_deinit(&path);
    return status;
}

/* FOLDER/NAME-PAGE-NUMBER.png, the folders in NAME as hyphens. */
static vl_status figures_open(const char *folder, const batch *b, batch_item *item, sinks *s,
                              vl_error *error) {
    vl_buf prefix;
    vl_buf_init(&prefix, 4096);
    vl_buf_printf(&prefix, "%s/", folder);
    size_t start = prefix.len;
    const char *name = item->name ? item->name : item->path;
    vl_buf_puts(&prefix, name);
    for (char *c = prefix.failed ? NULL : prefix.data + start; c && (c = strchr(c, '/'));)
        *c = '-';
    vl_status status = vl_buf_status(&prefix, "the path of the figures", error);
    if (!status)
        status = vl_ocr_figures_writer_new(prefix.data, &s->writers[b->format_count], error);
    for (size_t f = 0; f < b->format_count && !status; f++)
        vl_ocr_writer_link_figures(s->writers[f], prefix.data);
    vl_buf_deinit(&prefix);
    return status;
}

static vl_status sinks_finish(size_t count, sinks *s, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t f = 0; f < count && !status; f++)
        status = vl_ocr_writer_finish(s->writers[f], error);
    for (size_t f = 0; f < count && !status; f++) {
        output_file *output = s->outputs[f];
        s->outputs[f] = NULL;
        if (output)
            status = output_commit(output, error);
    }
    return status;
}

static void sinks_close(size_t count, sinks *s) {
    for (size_t f = 0; f < count; f++) {
        vl_ocr_writer_free(s->writers[f]);
        output_abandon(s->outputs[f]);
    }
}

static vl_status read_item(run_state *run, vl_ocr *ocr, batch_item *item, vl_error *error) {
    vl_buf bytes;
    vl_document *document = NULL;
    sinks s = {0};
    size_t max_bytes = run->options.limits.max_bytes;
    vl_buf_init(&bytes, max_bytes);
    vl_status status = vl_file_read(item->path, max_bytes, &bytes, error);
    if (!status)
        status =
            vl_document_open(bytes.data, bytes.len, &run->options.limits, &document, error);
    if (!status)
        status = sinks_open(&run->files, item, &s, error);
    size_t writers = run->files.format_count;
    if (!status && run->figures)
        status = figures_open(run->figures, &run->files, item, &s, error);
    if (!status)
        status = vl_ocr_document(ocr, document, run->languages, s.writers,
                                 writers + (run->figures != NULL), &item->summary, error);
    if (!status)
        status = sinks_finish(writers, &s, error);
    sinks_close(writers, &s);
    vl_ocr_writer_free(s.writers[writers]);
    vl_document_free(document);
    vl_buf_deinit(&bytes);
    return status;
}

static vl_status worker_engine(run_state *run, size_t worker, vl_error *error) {
    if (run->engines[worker])
        return VL_OK;
    return vl_ocr_new(&run->options.ocr, &run->engines[worker], error);
}

static void work(void *arg, size_t worker) {
    job *j = arg;
    run_state *run = j->run;
    batch_item *item = j->item;
    free(j);
    int64_t started = vl_clock_ns();
    vl_status status;
    if (stop_asked)
        status = vl_fail(&item->error, VL_ERR_CANCELLED, "stopped before it was read");
    else
        status = worker_engine(run, worker, &item->error);
    if (!status)
        status = read_item(run, run->engines[worker], item, &item->error);
    if (!status)
        status = batch_record(&run->files, item, &item->error);
    if (run->options.ocr.record)
        vl_ocr_record_tend(run->options.ocr.record);
    pthread_mutex_lock(&run->lock);
    item->status = status;
    item->milliseconds = vl_clock_ms_since(started);
    item->done = true;
    run->finished++;
    run->failed += status != VL_OK && status != VL_ERR_CANCELLED;
    run->pages += item->summary.pages;
    pthread_cond_signal(&run->item_done);
    pthread_mutex_unlock(&run->lock);
}

/* ---- progress and results ------------------------------------------------------------ */

static void show_progress(const run_state *run) {
    enum { WIDTH = 30 };
    if (!run->show_progress)
        return;
    size_t done = run->finished + run->skipped, total = run->files.count;
    double seconds = vl_clock_ms_since(run->started_ns) / 1000;
    double left = run->finished ? seconds / (double)run->finished * (double)(total - done) : 0;
    char bar[WIDTH + 1];
    for (size_t i = 0; i < WIDTH; i++)
        bar[i] = i * total < done * WIDTH ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %zu/%zu  %zu failed  %.2f pages/s  %d:%02d left \033[K", bar, done,
            total, run->failed, seconds > 0 ? (double)run->pages / seconds : 0, (int)left / 60,
            (int)left % 60);
    fflush(stderr);
}

static void clear_progress(const run_state *run) {
    if (run->show_progress)
        fprintf(stderr, "\r\033[K");
}

static void report_item(const run_state *run, batch_item *item) {
    if (item->status && item->status != VL_ERR_CANCELLED) {
        clear_progress(run);
        fprintf(stderr, "vislang ocr: %s: %s\n", item->path, item->error.message);
    } else if (item->summary.bad_pages) {
        clear_progress(run);
        fprintf(stderr, "vislang ocr: %s: %u of %u pages could not be read (%s)\n", item->path,
                item->summary.bad_pages, item->summary.pages, item->summary.first_bad.message);
    }
    if (!item->status && item->summary.unread_pages) {
        clear_progress(run);
        fprintf(stderr, "vislang ocr: %s: %u of %u pages not read: %s\n", item->path,
                item->summary.unread_pages, item->summary.pages,
                item->summary.first_unread.message);
    }
    if (!item->status && item->text.len) {
        clear_progress(run);
        if (run->files.count > 1 && run->files.formats[0] == VL_OCR_TEXT)
            printf("==> %s <==\n", item->path);
        fwrite(item->text.data, 1, item->text.len, stdout);
    }
    vl_buf_deinit(&item->text);
}

static void submit(run_state *run, vl_pool *pool, batch_item *item) {
    job *j = malloc(sizeof *j);
    if (!j) {
        item->status = vl_fail(&item->error, VL_ERR_MEMORY, "out of memory");
        item->done = true;
        return;
    }
    *j = (job){run, item};
    vl_pool_submit_wait(pool, work, j);
}

static void wait_for(run_state *run, const batch_item *item) {
    pthread_mutex_lock(&run->lock);
    while (!item->done) {
        show_progress(run);
        pthread_cond_wait(&run->item_done, &run->lock);
    }
    pthread_mutex_unlock(&run->lock);
}

static vl_status run_all(run_state *run, vl_error *error) {
    bool printing = !run->files.folder;
    size_t window = printing ? PRINT_WINDOW : FILE_WINDOW, submitted = 0;
    vl_pool *pool = vl_pool_new(run->jobs, window);
    if (!pool)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu workers", run->jobs);
    for (size_t i = 0; i < run->files.count; i++) {
        for (; submitted < run->files.count && submitted < i + window; submitted++)
            if (!run->files.items[submitted].done)
                submit(run, pool, &run->files.items[submitted]);
        wait_for(run, &run->files.items[i]);
        report_item(run, &run->files.items[i]);
    }
    vl_pool_free(pool);
    clear_progress(run);
    return VL_OK;
}

static int exit_code_of(const run_state *run) {
    for (size_t i = 0; i < run->files.count; i++)
        if (run->files.items[i].status)
            return vl_status_exit_code(run->files.items[i].status);
    for (size_t i = 0; i < run->files.count; i++) {
        const vl_ocr_summary *summary = &run->files.items[i].summary;
        if (summary->unread_pages && summary->unread_pages == summary->pages)
            return vl_status_exit_code(VL_ERR_MISSING);
    }
    return 0;
}

static uint64_t total_words(const run_state *run) {
    uint64_t words = 0;
    for (size_t i = 0; i < run->files.count; i++)
        words += run->files.items[i].summary.words;
    return words;
}

static void print_summary(const run_state *run, const cli_args *args) {
    double seconds = vl_clock_ms_since(run->started_ns) / 1000;
    size_t read = run->finished - run->failed;
    if (cli_has(args, "json")) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddNumberToObject(o, "files", (double)run->files.count);
        cJSON_AddNumberToObject(o, "read", (double)read);
        cJSON_AddNumberToObject(o, "failed", (double)run->failed);
        cJSON_AddNumberToObject(o, "skipped", (double)run->skipped);
        cJSON_AddNumberToObject(o, "left_out", (double)run->files.left_out);
        cJSON_AddNumberToObject(o, "pages", (double)run->pages);
        cJSON_AddNumberToObject(o, "words", (double)total_words(run));
        cJSON_AddNumberToObject(o, "seconds", seconds);
        char *text = cJSON_PrintUnformatted(o);
        if (text)
            puts(text);
        cJSON_free(text);
        cJSON_Delete(o);
    } else if (!cli_has(args, "quiet") && run->files.folder) {
        fprintf(stderr,
                "%zu read, %zu failed, %zu done before, %zu not pictures; %zu pages in "
                "%.1f s (%.2f pages/s) → %s\n",
                read, run->failed, run->skipped, run->files.left_out, run->pages, seconds,
                seconds > 0 ? (double)run->pages / seconds : 0, run->files.folder);
    }
    if (stop_asked)
        fprintf(stderr, "vislang ocr: stopped; what was finished is kept%s\n",
                run->files.folder ? ", --resume goes on from there" : "");
}

/* ---- the command --------------------------------------------------------------------- */

static vl_status parse_formats(const char *list, batch *b, vl_error *error) {
    char name[32];
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
        vl_ocr_format format;
        vl_status status = vl_ocr_format_parse(name, &format, error);
        if (status)
            return status;
        for (size_t i = 0; i < b->format_count; i++)
            if (b->formats[i] == format)
                return vl_fail(error, VL_ERR_USAGE, "format %s stands twice in '%s'", name,
                               list);
        b->formats[b->format_count++] = format;
    }
    return VL_OK;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && !strcmp(text + length - tail, end);
}

/* A path that ends in the format's extension is a file; any other is a folder. */
static vl_status choose_output(const cli_args *args, batch *b, vl_error *error) {
    const char *path = cli_value(args, "output");
    if (!path || !strcmp(path, "-"))
        return VL_OK;
    if (b->format_count != 1 || !ends_with(path, vl_ocr_format_extension(b->formats[0]))) {
        b->folder = path;
        return vl_dir_make(path, error);
    }
    b->single_out = path;
    return VL_OK;
}

static vl_status check_choices(const cli_args *args, const batch *b, vl_error *error) {
    bool to_stdout = !b->folder && !b->single_out;
    if (b->single_out && b->count > 1)
        return vl_fail(error, VL_ERR_USAGE,
                       "%zu files cannot go to the one file %s; name a folder", b->count,
                       b->single_out);
    if (cli_has(args, "resume") && !b->folder)
        return vl_fail(error, VL_ERR_USAGE, "--resume needs --output FOLDER");
    if (to_stdout && b->format_count > 1)
        return vl_fail(error, VL_ERR_USAGE,
                       "%zu formats cannot share standard output; "
                       "use --output FOLDER",
                       b->format_count);
    bool whole_file_format = b->formats[0] == VL_OCR_HOCR || b->formats[0] == VL_OCR_ALTO ||
                             b->formats[0] == VL_OCR_PDF || b->formats[0] == VL_OCR_PNG;
    if (to_stdout && b->count > 1 && whole_file_format)
        return vl_fail(error, VL_ERR_USAGE,
                       "%zu files in %s cannot share standard output; "
                       "use --output FOLDER",
                       b->count, vl_ocr_format_name(b->formats[0]));
    return VL_OK;
}

static vl_status prepare(const cli_args *args, run_state *run, vl_error *error) {
    batch *b = &run->files;
    const char *formats = cli_value(args, "format");
    long jobs = (long)vl_cpu_count();
    vl_status status = VL_OK;
    if (!args->operand_count)
        return vl_fail(error, VL_ERR_USAGE, "which files? (- is standard input)");
    if ((status = parse_formats(formats ? formats : "text", b, error)) ||
        (status = cli_value_int(args, "jobs", 1, MAX_JOBS, &jobs, error)) ||
        (status = choose_output(args, b, error)))
        return status;
    for (size_t i = 0; i < args->operand_count && !status; i++)
        status = batch_add(b, args->operands[i], cli_has(args, "full-names"), error);
    if (!status && !b->count)
        status = vl_fail(error, VL_ERR_INPUT, "no picture among %zu files", b->left_out);
    if (status || (status = check_choices(args, b, error)) || (status = batch_check(b, error)))
        return status;
    run->languages = cli_value(args, "languages");
    run->figures = cli_value(args, "figures");
    if (run->figures && (status = vl_dir_make(run->figures, error)))
        return status;
    run->options.ocr.explain = cli_has(args, "explain");
    run->options.ocr.redact = cli_has(args, "redact");
    run->options.ocr.source = cli_value(args, "source");
    if (asprintf(&b->options_key, "%s %s %s %s %g %u%s%s%s%s", VL_VERSION,
                 vl_ocr_engine_version(), formats ? formats : "text",
                 run->languages ? run->languages : "", run->options.limits.pdf_dpi,
                 run->options.max_pages, run->options.ocr.explain ? " explain" : "",
                 run->options.ocr.redact ? " redact" : "", run->figures ? " " : "",
                 run->figures ? run->figures : "") < 0)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (b->folder && (status = batch_open_journal(b, cli_has(args, "resume"), error)))
        return status;
    for (size_t i = 0; i < b->count; i++)
        run->skipped += b->items[i].skipped;
    size_t to_do = b->count - run->skipped;
    run->jobs = (size_t)jobs < to_do ? (size_t)jobs : to_do ? to_do : 1;
    run->show_progress = isatty(STDERR_FILENO) && b->count > 1 && !cli_has(args, "quiet");
    return VL_OK;
}

int cli_ocr(const cli_args *args) {
    static run_state run = {.lock = PTHREAD_MUTEX_INITIALIZER,
                            .item_done = PTHREAD_COND_INITIALIZER};
    vl_error error;
    vl_config *config = NULL;
    cli_record record = {0};
    int exit_code;
    if (cli_has(args, "record"))
        return cli_ocr_record(args);
    if (cli_has(args, "correct"))
        return cli_ocr_correct(args);
    batch_init(&run.files);
    vl_status status = cli_config(args, &config, &error);
    if (!status)
        status = vl_answer_options_from_config(config, &run.options, &error);
    if (!status)
        status = prepare(args, &run, &error);
    if (!status) {
        struct sigaction action = {.sa_handler = ask_stop};
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        cli_record_try(config, &record);
        run.options.ocr.record = record.record;
        run.started_ns = vl_clock_ns();
        status = run_all(&run, &error);
    }
    if (status) {
        exit_code = cli_fail(args, &error);
    } else {
        print_summary(&run, args);
        exit_code = cli_finish_stdout(args, exit_code_of(&run));
    }
    for (size_t i = 0; i < MAX_JOBS; i++)
        vl_ocr_free(run.engines[i]);
    cli_record_close(&record);
    batch_deinit(&run.files);
    vl_config_free(config);
    return exit_code;
}
