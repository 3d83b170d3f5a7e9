/* train_chars.c — `vislang train chars`: counts the character models that settle close calls
 * between readings again, or says how well they foretell held-out text. */
#include "cli/train.h"

#include <vislang/train.h>

#include <cjson/cJSON.h>
#include <stdio.h>

enum { MAX_SCORES = 256 };

static void show_language(const char *code, size_t language, size_t languages, size_t bytes,
                          void *user) {
    (void)user;
    fprintf(stderr, "%zu of %zu: %s, %zu bytes\n", language, languages, code, bytes);
}

static void print_scores(const vl_chars_score *scores, size_t count) {
    double bits = 0, unigram_bits = 0;
    size_t bytes = 0;
    printf("%-5s %-22s %7s %9s %9s %9s %9s\n", "code", "language", "lines", "symbols",
           "unigram", "bits/sym", "bytes");
    for (size_t i = 0; i < count; i++) {
        const vl_chars_score *s = &scores[i];
        printf("%-5s %-22s %7llu %9llu %9.3f %9.3f %9zu\n", s->code, vl_lang_name(s->code),
               (unsigned long long)s->lines, (unsigned long long)s->symbols, s->unigram_bits,
               s->bits, s->bytes);
        bits += s->bits;
        unigram_bits += s->unigram_bits;
        bytes += s->bytes;
    }
    printf("mean over %3zu languages: %32.3f %9.3f %9zu in all\n", count,
           unigram_bits / (double)count, bits / (double)count, bytes);
}

static void print_scores_json(const vl_chars_score *scores, size_t count) {
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; i < count; i++) {
        const vl_chars_score *s = &scores[i];
        cJSON *one = cJSON_AddObjectToObject(object, s->code);
        cJSON_AddNumberToObject(one, "lines", (double)s->lines);
        cJSON_AddNumberToObject(one, "symbols", (double)s->symbols);
        cJSON_AddNumberToObject(one, "unigram_bits", s->unigram_bits);
        cJSON_AddNumberToObject(one, "bits", s->bits);
        cJSON_AddNumberToObject(one, "bytes", (double)s->bytes);
    }
    char *text = cJSON_Print(object);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(object);
}

static vl_status evaluate(const cli_args *args, const vl_chars_training *training,
                          const char *path, vl_error *error) {
    static vl_chars_score scores[MAX_SCORES];
    vl_ngram *ngram;
    size_t count;
    vl_status status = vl_ngram_open(path, &ngram, error);
    if (status)
        return status;
    status = vl_chars_evaluate(training, ngram, scores, MAX_SCORES, &count, error);
    vl_ngram_free(ngram);
    if (status)
        return status;
    if (cli_has(args, "json"))
        print_scores_json(scores, count);
    else
        print_scores(scores, count);
    return VL_OK;
}

vl_status cli_train_chars(const cli_args *args, const char *recipe, const char *out,
                          vl_error *error) {
    vl_chars_training training = {
        .recipe = recipe, .data_dir = cli_value(args, "data"), .progress = show_language};
    return cli_has(args, "evaluate") ? evaluate(args, &training, out, error)
                                     : vl_chars_train(&training, out, error);
}
