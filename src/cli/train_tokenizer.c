/* train_tokenizer.c — `vislang train tokenizer`: learns the tokenizer of the picture model
 * again, or says how short it makes held-out text. */
#include "cli/train.h"

#include <vislang/train.h>

#include <cjson/cJSON.h>
#include <stdio.h>

enum { MAX_SCORES = 64 };

static void show_tokens(size_t tokens, size_t vocabulary, void *user) {
    (void)user;
    fprintf(stderr, "%zu of %zu tokens\n", tokens, vocabulary);
}

static double ratio(uint64_t a, uint64_t b) {
    return b ? (double)a / (double)b : 0;
}

static void print_scores(const vl_bpe_score *scores, size_t count) {
    printf("%-14s %6s %8s %8s %8s %12s %12s\n", "held-out text", "lines", "words", "bytes",
           "tokens", "bytes/token", "tokens/word");
    for (size_t i = 0; i < count; i++) {
        const vl_bpe_score *s = &scores[i];
        printf("%-14s %6llu %8llu %8llu %8llu %12.2f %12.2f\n", s->label,
               (unsigned long long)s->lines, (unsigned long long)s->words,
               (unsigned long long)s->bytes, (unsigned long long)s->tokens,
               ratio(s->bytes, s->tokens), ratio(s->tokens, s->words));
    }
}

static void print_scores_json(const vl_bpe_score *scores, size_t count) {
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; i < count; i++) {
        const vl_bpe_score *s = &scores[i];
        cJSON *one = cJSON_AddObjectToObject(object, s->label);
        cJSON_AddNumberToObject(one, "lines", (double)s->lines);
        cJSON_AddNumberToObject(one, "words", (double)s->words);
        cJSON_AddNumberToObject(one, "bytes", (double)s->bytes);
        cJSON_AddNumberToObject(one, "tokens", (double)s->tokens);
    }
    char *text = cJSON_Print(object);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(object);
}

static vl_status evaluate(const cli_args *args, const vl_bpe_training *training,
                          const char *path, vl_error *error) {
    static vl_bpe_score scores[MAX_SCORES];
    vl_bpe *bpe;
    size_t count;
    vl_status status = vl_bpe_open(path, &bpe, error);
    if (status)
        return status;
    status = vl_bpe_evaluate(training, bpe, scores, MAX_SCORES, &count, error);
    vl_bpe_free(bpe);
    if (status)
        return status;
    if (cli_has(args, "json"))
        print_scores_json(scores, count);
    else
        print_scores(scores, count);
    return VL_OK;
}

vl_status cli_train_tokenizer(const cli_args *args, const char *recipe, const char *out,
                              vl_error *error) {
    vl_bpe_training training = {
        .recipe = recipe, .data_dir = cli_value(args, "data"), .progress = show_tokens};
    return cli_has(args, "evaluate") ? evaluate(args, &training, out, error)
                                     : vl_bpe_train(&training, out, error);
}
