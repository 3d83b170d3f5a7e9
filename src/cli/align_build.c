/* align_build.c — `vislang align build LANG… --vectors DIR --lexicons DIR --out FILE`: a space
 * of many languages. */
#include "cli/cli.h"

#include <vislang/align.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "ps=fa,ur=hi" into pairs, in place. */
static vl_status read_relatives(char *text, vl_space_relative *out, size_t max, size_t *count,
                                vl_error *error) {
    char *rest = NULL;
    *count = 0;
    for (char *one = strtok_r(text, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
        char *equals = strchr(one, '=');
        if (!equals || equals == one || !equals[1] || *count == max)
            return vl_fail(error, VL_ERR_USAGE,
                           "--relatives is LANG=RELATIVE,… of at most %zu, not '%s'", max, one);
        *equals = '\0';
        out[(*count)++] = (vl_space_relative){one, equals + 1};
    }
    return VL_OK;
}

static vl_status read_plan(const cli_args *args, vl_space_plan *plan, vl_error *error) {
    long words = (long)plan->words, hub_words = (long)plan->hub_words;
    plan->vectors = cli_value(args, "vectors");
    plan->lexicons = cli_value(args, "lexicons");
    if (cli_has(args, "hub"))
        plan->hub = cli_value(args, "hub");
    plan->languages = args->operands + 1;
    plan->language_count = args->operand_count - 1;
    if (!plan->vectors || !plan->lexicons || !cli_value(args, "out") || !plan->language_count)
        return vl_fail(error, VL_ERR_USAGE,
                       "what from? vislang align build LANG… --vectors DIR --lexicons DIR "
                       "--out FILE");
    vl_status status = cli_value_int(args, "words", 1, 1 << 20, &words, error);
    if (!status)
        status = cli_value_int(args, "hub-words", 1, 1 << 20, &hub_words, error);
    plan->words = (size_t)words;
    plan->hub_words = (size_t)hub_words;
    return status;
}

static void show_progress(const char *language, void *user) {
    (void)user;
    fprintf(stderr, "vislang align: %s\n", language);
}

int cli_align_build(const cli_args *args) {
    enum { RELATIVES = 128 };
    vl_space_relative relatives[RELATIVES];
    vl_space_plan plan = vl_space_plan_default();
    vl_error error = {0};
    char *text = NULL;
    vl_status status = read_plan(args, &plan, &error);
    if (!status && cli_has(args, "relatives")) {
        text = strdup(cli_value(args, "relatives"));
        status = text ? read_relatives(text, relatives, RELATIVES, &plan.relative_count, &error)
                      : vl_fail(&error, VL_ERR_MEMORY, "no memory");
    }
    plan.relatives = relatives;
    plan.progress = cli_has(args, "quiet") ? NULL : show_progress;
    if (!status)
        status = vl_space_build(&plan, cli_value(args, "out"), &error);
    free(text);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
