/* align_lexicon.c — `vislang align lexicon SRC TGT`: a bilingual dictionary with confidences.
 */
#include "cli/align_maps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <vislang/text.h>

typedef struct lexicon_run {
    vl_embeddings *in[2], *mapped[2];
    vl_lexicon *dictionary, *found;
    vl_map *map;
    vl_map_report report;
    bool was_mapped; /* here, not before */
} lexicon_run;

static vl_status read_options(const cli_args *args, vl_induce_options *options,
                              vl_error *error) {
    long top = 1, words = (long)options->max_words, threads = 0;
    const char *least = cli_value(args, "min-confidence");
    char *end = NULL;
    *options = vl_induce_options_default();
    vl_status status = cli_value_int(args, "top", 1, 100, &top, error);
    if (!status)
        status = cli_value_int(args, "vocabulary", 1, 1000000, &words, error);
    if (!status)
        status = cli_value_int(args, "threads", 1, 1024, &threads, error);
    if (least)
        options->min_confidence = strtod(least, &end);
    if (!status && least &&
        (end == least || *end || !(options->min_confidence >= 0) ||
         options->min_confidence > 1))
        status =
            vl_fail(error, VL_ERR_USAGE, "--min-confidence is '%s'; it is from 0 to 1", least);
    options->retrieval.top = (size_t)top;
    options->max_words = (size_t)words;
    options->retrieval.threads = (size_t)threads;
    return status;
}

/* Both sides in one space, `mapped`, unless they are already. */
static vl_status bring_together(const cli_args *args, lexicon_run *run, vl_error *error) {
    vl_map_options options;
    vl_status status = align_map_options(args, false, &options, &run->dictionary, error);
    if (!status)
        status = vl_map_learn(run->in[0], run->in[1], &options, &run->map, &run->report, error);
    if (!status && !run->report.better_than_chance)
        status = vl_fail(error, VL_ERR_INPUT,
                         "the map between the two is no better than chance; give a dictionary "
                         "(--seeds FILE) or vectors of more text");
    for (int i = 0; i < 2 && !status; i++)
        status = vl_map_embeddings(run->map, (vl_side)i, run->in[i], &run->mapped[i], error);
    run->was_mapped = true;
    return status;
}

static vl_status has_not(const vl_space *space, const char *language, vl_error *error) {
    char all[512] = "";
    for (size_t i = 0; i < vl_space_count(space); i++) {
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "",
                 vl_lang_short(vl_space_language(space, i)));
    }
    return vl_fail(error, VL_ERR_MISSING,
                   "the space has no language '%s', and there is no such file; it has %s",
                   language, all);
}

/* Two languages of the bundled space, by their codes. */
static vl_status take_bundled(const cli_args *args, const vl_induce_options *options,
                              lexicon_run *run, vl_error *error) {
    static const char *const others[] = {"seeds", "mapped", "rcsls", "no-refine"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (cli_has(args, others[i]))
            return vl_fail(error, VL_ERR_USAGE,
                           "--%s is for two files; languages are in one space already",
                           others[i]);
    vl_space *space;
    vl_status status = vl_space_open(NULL, &space, error);
    for (size_t i = 1; i < 3 && !status; i++)
        if (!vl_space_has(space, args->operands[i]))
            status = has_not(space, args->operands[i], error);
    if (!status)
        status = vl_space_lexicon(space, args->operands[1], args->operands[2],
                                  options->retrieval.top, options->min_confidence, &run->found,
                                  error);
    vl_space_free(space);
    return status;
}

/* There, or written like one; a folder may be named like a language. */
static bool is_file(const char *operand) {
    struct stat about;
    return !strcmp(operand, "-") || strpbrk(operand, "./") ||
           (!stat(operand, &about) && !S_ISDIR(about.st_mode));
}

static vl_status find_pairs(const cli_args *args, lexicon_run *run, vl_error *error) {
    vl_induce_options options = vl_induce_options_default();
    vl_status status = VL_OK;
    if (args->operand_count != 3)
        status = vl_fail(error, VL_ERR_USAGE,
                         "which two? vislang align lexicon SRC TGT (languages of the bundled "
                         "space) or SRC.vec TGT.vec [--mapped]");
    if (!status && cli_has(args, "mapped") && cli_has(args, "seeds"))
        status =
            vl_fail(error, VL_ERR_USAGE,
                    "--mapped says that both are in one space; --seeds has no meaning then");
    if (!status)
        status = read_options(args, &options, error);
    bool files = !status && (is_file(args->operands[1]) || is_file(args->operands[2]));
    if (!status && !files)
        return take_bundled(args, &options, run, error);
    for (size_t i = 0; i < 2 && !status && files; i++)
        status = align_vectors_read(args->operands[i + 1], &run->in[i], error);
    if (!status && files && !cli_has(args, "mapped"))
        status = bring_together(args, run, error);
    bool mapped = run->was_mapped;
    return status ? status
                  : vl_lexicon_induce(mapped ? run->mapped[0] : run->in[0],
                                      mapped ? run->mapped[1] : run->in[1], &options,
                                      &run->found, error);
}

static void print_pairs(const vl_lexicon *lexicon) {
    for (size_t i = 0; i < vl_lexicon_count(lexicon); i++) {
        const vl_lexicon_pair *pair = vl_lexicon_pair_at(lexicon, i);
        printf("%s\t%s\t%.3f\t%s\n", pair->source, pair->target, pair->confidence,
               pair->mutual ? "mutual" : "one-way");
    }
}

static void print_json(const lexicon_run *run) {
    cJSON *root = cJSON_CreateObject(), *pairs = cJSON_CreateArray();
    for (size_t i = 0; i < vl_lexicon_count(run->found); i++) {
        const vl_lexicon_pair *pair = vl_lexicon_pair_at(run->found, i);
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "source", pair->source);
        cJSON_AddStringToObject(one, "target", pair->target);
        cJSON_AddNumberToObject(one, "confidence", pair->confidence);
        cJSON_AddBoolToObject(one, "mutual", pair->mutual);
        cJSON_AddItemToArray(pairs, one);
    }
    cJSON_AddItemToObject(
        root, "map", run->was_mapped ? align_report_json(&run->report) : cJSON_CreateNull());
    cJSON_AddItemToObject(root, "pairs", pairs);
    align_print_json(root);
}

int cli_align_lexicon(const cli_args *args) {
    vl_error error = {0};
    lexicon_run run = {0};
    align_stop_on_signals();
    vl_status status = find_pairs(args, &run, &error);
    if (!status && cli_has(args, "json"))
        print_json(&run);
    else if (!status)
        print_pairs(run.found);
    for (size_t i = 0; i < 2; i++) {
        vl_embeddings_free(run.in[i]);
        vl_embeddings_free(run.mapped[i]);
    }
    vl_lexicon_free(run.dictionary);
    vl_lexicon_free(run.found);
    vl_map_free(run.map);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
