/* align.c — `vislang align …`: which subcommand is meant, and whether each flag is one of its
 * own. commands.c says what the flags are; a new subcommand is a row of the table here. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { MAX_OWN = 24 };
typedef struct subcommand {
    const char *name;
    const char *flags[MAX_OWN]; /* NULL-terminated */
    int (*run)(const cli_args *args);
} subcommand;

static const subcommand subcommands[] = {
    {"embed",
     {"out", "dim", "epochs", "min-count", "minn", "maxn", "buckets", "window", "negative",
      "lr", "sample", "threads", "seed", "tokens", "json", "quiet"},
     cli_align_embed},
    {"map",
     {"out", "hub", "seeds", "words", "keep-target", "rcsls", "no-refine", "threads", "seed",
      "json"},
     cli_align_map},
    {"lexicon",
     {"seeds", "mapped", "top", "min-confidence", "vocabulary", "words", "rcsls", "no-refine",
      "threads", "seed", "json"},
     cli_align_lexicon},
    {"build",
     {"out", "hub", "hub-words", "words", "vectors", "lexicons", "relatives", "quiet"},
     cli_align_build},
    {"sentences",
     {"src", "tgt", "space", "src-vectors", "tgt-vectors", "lines", "tsv", "html", "json"},
     cli_align_sentences},
    {"words", {"src", "tgt", "space", "json"}, cli_align_words},
};
enum { SUBCOMMANDS = sizeof subcommands / sizeof *subcommands };

static bool takes(const subcommand *s, const char *flag) {
    for (size_t i = 0; i < MAX_OWN && s->flags[i]; i++)
        if (!strcmp(s->flags[i], flag))
            return true;
    return false;
}

static bool is_common(const cli_flag *flag) {
    for (const cli_flag *f = cli_common_flags; f->name; f++)
        if (f == flag)
            return true;
    return false;
}

static vl_status unknown(const cli_args *args, vl_error *error) {
    const char *names[SUBCOMMANDS], *given = args->operand_count ? args->operands[0] : "";
    char all[256] = "";
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        const char *joint = !i ? "" : i + 1 < SUBCOMMANDS ? ", " : " or ";
        size_t used = strlen(all);
        names[i] = subcommands[i].name;
        snprintf(all + used, sizeof all - used, "%s%s", joint, names[i]);
    }
    const char *nearest = vl_nearest_name(given, names, SUBCOMMANDS);
    return nearest ? vl_fail(error, VL_ERR_USAGE, "no 'align %s'; did you mean '%s'?", given,
                             nearest)
                   : vl_fail(error, VL_ERR_USAGE, "what to do? vislang align %s", all);
}

/* The flags that were given are the subcommand's own, or those of every command. */
static vl_status check_flags(const cli_args *args, const subcommand *s, vl_error *error) {
    for (size_t i = 0; i < args->given_count; i++) {
        const cli_flag *flag = args->given[i].flag;
        if (!is_common(flag) && !takes(s, flag->name))
            return vl_fail(error, VL_ERR_USAGE, "--%s has no meaning for 'align %s'",
                           flag->name, s->name);
    }
    return VL_OK;
}

int cli_align(const cli_args *args) {
    vl_error error = {0};
    const subcommand *s = subcommands, *end = s + SUBCOMMANDS;
    while (s < end && (!args->operand_count || strcmp(args->operands[0], s->name) != 0))
        s++;
    vl_status status = s < end ? check_flags(args, s, &error) : unknown(args, &error);
    return status ? cli_finish_stdout(args, cli_fail(args, &error)) : s->run(args);
}
