/* align_embed.c — `vislang align embed TEXT… --out V.vec|V.bin`: vectors of words from text. */
#include "cli/align_maps.h"

#include <vislang/align.h>

#include <cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- options -------------------------------------------------------------------------------
 */

static vl_status read_whole(const cli_args *args, const char *flag, uint32_t *value,
                            vl_error *error) {
    long number = (long)*value;
    vl_status status = cli_value_int(args, flag, 0, UINT32_MAX, &number, error);
    *value = (uint32_t)number;
    return status;
}

static vl_status read_number(const cli_args *args, const char *flag, double *value,
                             vl_error *error) {
    const char *text = cli_value(args, flag);
    char *end = NULL;
    if (!text)
        return VL_OK;
    *value = strtod(text, &end);
    return end != text && !*end
               ? VL_OK
               : vl_fail(error, VL_ERR_USAGE, "--%s is '%s'; it must be a number", flag, text);
}

static vl_status read_tokens(const char *text, vl_embed_tokens *tokens, vl_error *error) {
    if (!text)
        return VL_OK;
    *tokens = !strcmp(text, "spaces") ? VL_EMBED_SPACES : VL_EMBED_WORDS;
    if (*tokens == VL_EMBED_WORDS && strcmp(text, "words") != 0)
        return vl_fail(error, VL_ERR_USAGE, "--tokens is words or spaces, not '%s'", text);
    return VL_OK;
}

static vl_status read_options(const cli_args *args, vl_embed_options *o, vl_error *error) {
    struct {
        const char *flag;
        uint32_t *value;
    } wholes[] = {
        {"dim", &o->dim},       {"epochs", &o->epochs},     {"min-count", &o->min_count},
        {"minn", &o->minn},     {"maxn", &o->maxn},         {"buckets", &o->buckets},
        {"window", &o->window}, {"negative", &o->negative},
    };
    long threads = (long)vl_cpu_count(), seed = 1;
    vl_status status = VL_OK;
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes && !status; i++)
        status = read_whole(args, wholes[i].flag, wholes[i].value, error);
    if (!status)
        status = cli_value_int(args, "threads", 1, 1024, &threads, error);
    if (!status)
        status = cli_value_int(args, "seed", 0, INT64_MAX, &seed, error);
    if (!status)
        status = read_number(args, "lr", &o->rate, error);
    if (!status)
        status = read_number(args, "sample", &o->sample, error);
    if (!status)
        status = read_tokens(cli_value(args, "tokens"), &o->tokens, error);
    o->threads = (size_t)threads;
    o->seed = (uint64_t)seed;
    return status;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && !strcmp(text + length - tail, end);
}

static vl_status check_files(const cli_args *args, const char *out, vl_error *error) {
    if (args->operand_count < 2)
        return vl_fail(error, VL_ERR_USAGE,
                       "which text? vislang align embed TEXT… --out VECTORS.vec");
    if (!out || (!ends_with(out, ".vec") && !ends_with(out, ".bin")))
        return vl_fail(error, VL_ERR_USAGE,
                       "--out is needed: a file that ends in .vec (text) or .bin (fastText, "
                       "with the n-grams)");
    return VL_OK;
}

/* ---- what is said --------------------------------------------------------------------------
 */

static void show_progress(const vl_embed_progress *p, void *user) {
    (void)user;
    if (p->training)
        fprintf(stderr, "\r%5.1f %%  %" PRIu64 " words trained, rate %.4f ", 100 * p->done,
                p->words, p->rate);
    else
        fprintf(stderr, "\r%" PRIu64 " words read ", p->words);
}

static double per_second(const vl_embed_options *o, const vl_embed_report *r) {
    double words = (double)r->kept * o->epochs;
    return r->train_seconds > 0 ? words / r->train_seconds : 0;
}

static void print_report(const vl_embed_options *o, const vl_embed_report *r, const char *out) {
    printf("%s: %zu words of %u dimensions, %zu n-grams\n", out, r->vocabulary, o->dim,
           r->ngrams);
    printf("text: %" PRIu64 " words in %" PRIu64 " lines, %" PRIu64 " of them trained on\n",
           r->words, r->lines, r->kept);
    printf("%.1f s to read, %.1f s to train %u times on %zu threads: %.0f words/s; loss %.4f\n",
           r->count_seconds, r->train_seconds, o->epochs, o->threads, per_second(o, r),
           r->loss);
}

static void print_report_json(const vl_embed_options *o, const vl_embed_report *r,
                              const char *out) {
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "out", out);
    cJSON_AddNumberToObject(root, "vocabulary", (double)r->vocabulary);
    cJSON_AddNumberToObject(root, "dimensions", o->dim);
    cJSON_AddNumberToObject(root, "ngrams", (double)r->ngrams);
    cJSON_AddNumberToObject(root, "bytes", (double)r->bytes);
    cJSON_AddNumberToObject(root, "lines", (double)r->lines);
    cJSON_AddNumberToObject(root, "damaged", (double)r->damaged);
    cJSON_AddNumberToObject(root, "words", (double)r->words);
    cJSON_AddNumberToObject(root, "kept", (double)r->kept);
    cJSON_AddNumberToObject(root, "epochs", o->epochs);
    cJSON_AddNumberToObject(root, "threads", (double)o->threads);
    cJSON_AddNumberToObject(root, "count_seconds", r->count_seconds);
    cJSON_AddNumberToObject(root, "train_seconds", r->train_seconds);
    cJSON_AddNumberToObject(root, "words_per_second", per_second(o, r));
    cJSON_AddNumberToObject(root, "loss", r->loss);
    char *text = cJSON_PrintUnformatted(root);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(root);
}

int cli_align_embed(const cli_args *args) {
    vl_error error = {0};
    vl_embed_options options = vl_embed_options_default();
    vl_embed_report report;
    vl_embeddings *embeddings = NULL;
    const char *out = cli_value(args, "out");
    bool shows = !cli_has(args, "quiet") && isatty(STDERR_FILENO);
    options.progress = shows ? show_progress : NULL;
    vl_status status = check_files(args, out, &error);
    if (!status)
        status = read_options(args, &options, &error);
    align_stop_on_signals();
    if (!status)
        status = vl_embed_train(&options, args->operands + 1, args->operand_count - 1,
                                &embeddings, &report, &error);
    if (!status)
        status = ends_with(out, ".bin") ? vl_embeddings_write_bin(embeddings, out, &error)
                                        : vl_embeddings_write_vec(embeddings, out, &error);
    vl_embeddings_free(embeddings);
    if (shows)
        fputs("\n", stderr);
    if (status)
        return cli_finish_stdout(args, cli_fail(args, &error));
    if (report.damaged && !cli_has(args, "quiet"))
        fprintf(stderr, "vislang align: %" PRIu64 " places of the text are no UTF-8\n",
                report.damaged);
    if (cli_has(args, "json"))
        print_report_json(&options, &report, out);
    else
        print_report(&options, &report, out);
    return cli_finish_stdout(args, 0);
}
