/* align_map.c — `vislang align map`: two languages' vectors, or many around a hub, in one
 * space.
 */
#include "cli/align_maps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_SIZE = 64, PATH_SIZE = 4096 };

static void out_path(const char *folder, const char *name, char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "%s/%s.vec", folder, name);
}

static vl_status write_vectors(const char *folder, const char *name, vl_embeddings *vectors,
                               vl_error *error) {
    char path[PATH_SIZE];
    out_path(folder, name, path);
    return vl_embeddings_write_vec(vectors, path, error);
}

/* Every file has a name of its own in the folder, and none is written over what was read. */
static vl_status check_names(char names[][NAME_SIZE], const char *const *paths, size_t count,
                             const char *folder, vl_error *error) {
    for (size_t i = 0; i < count; i++) {
        char out[PATH_SIZE], *a, *b;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(names[i], names[j]))
                return vl_fail(error, VL_ERR_USAGE,
                               "%s and %s would both become %s.vec; rename one", paths[j],
                               paths[i], names[i]);
        out_path(folder, names[i], out);
        a = realpath(out, NULL);
        b = realpath(paths[i], NULL);
        bool same = a && b && !strcmp(a, b);
        free(a);
        free(b);
        if (same)
            return vl_fail(error, VL_ERR_USAGE, "--out %s would write over %s", folder,
                           paths[i]);
    }
    return VL_OK;
}

/* ---- two languages ----------------------------------------------------------------------- */

typedef struct pair_run {
    vl_embeddings *in[2], *out[2];
    vl_lexicon *dictionary;
    vl_map *map;
    vl_map_report report;
} pair_run;

static vl_status map_pair(const cli_args *args, const char *folder, pair_run *run,
                          vl_error *error) {
    const char *const *paths = args->operands + 1;
    char names[2][NAME_SIZE];
    vl_map_options options;
    for (size_t i = 0; i < 2; i++)
        align_stem(paths[i], names[i], NAME_SIZE);
    vl_status status = check_names(names, paths, 2, folder, error);
    if (!status)
        status = align_map_options(args, false, &options, &run->dictionary, error);
    for (size_t i = 0; i < 2 && !status; i++)
        status = align_vectors_read(paths[i], &run->in[i], error);
    options.keep_target = cli_has(args, "keep-target");
    if (!status)
        status = vl_map_learn(run->in[0], run->in[1], &options, &run->map, &run->report, error);
    if (status || !run->report.better_than_chance)
        return status;
    status = vl_dir_make(folder, error);
    for (int i = 0; i < 2 && !status; i++) {
        status = vl_map_embeddings(run->map, (vl_side)i, run->in[i], &run->out[i], error);
        if (!status)
            status = write_vectors(folder, names[i], run->out[i], error);
    }
    return status;
}

static int run_pair(const cli_args *args, const char *folder) {
    vl_error error = {0};
    pair_run run = {0};
    vl_status status = map_pair(args, folder, &run, &error);
    int code = status ? cli_fail(args, &error) : run.report.better_than_chance ? 0 : 1;
    if (!status && cli_has(args, "json"))
        align_print_json(align_report_json(&run.report));
    else if (!status)
        align_report_print(&run.report);
    if (!status && code)
        fprintf(stderr, "vislang align: the map is no better than chance, nothing was written; "
                        "give a dictionary (--seeds FILE) or train on more text\n");
    for (size_t i = 0; i < 2; i++) {
        vl_embeddings_free(run.in[i]);
        vl_embeddings_free(run.out[i]);
    }
    vl_lexicon_free(run.dictionary);
    vl_map_free(run.map);
    return cli_finish_stdout(args, code);
}

/* ---- many around a hub ----------------------------------------------------------------------
 */

typedef struct hub_run {
    const cli_args *args;
    const char *folder, *dictionaries; /* NULL: none */
    size_t count;                      /* the hub's own language is the first */
    const char **paths;
    char (*names)[NAME_SIZE];
    vl_embeddings **in;
    vl_map_report *reports;
    vl_hub *hub;
    size_t joined;
} hub_run;

/* FOLDER/A-B.tsv or .tsv.gz, where it is there. */
static vl_status read_dictionary(const char *folder, const char *a, const char *b,
                                 vl_lexicon **lexicon, vl_error *error) {
    static const char *const ends[] = {"tsv", "tsv.gz"};
    *lexicon = NULL;
    for (size_t i = 0; i < 2; i++) {
        char path[PATH_SIZE];
        snprintf(path, sizeof path, "%s/%s-%s.%s", folder, a, b, ends[i]);
        if (!access(path, F_OK))
            return vl_lexicon_read(path, lexicon, error);
    }
    return VL_OK;
}

/* Language i with all dictionaries to those before it. */
static vl_status add_language(hub_run *run, size_t i, vl_map_options options, vl_error *error) {
    vl_hub_dictionary *given = calloc(run->count, sizeof *given);
    vl_lexicon **lexicons = calloc(run->count, sizeof *lexicons);
    size_t used = 0;
    vl_status status =
        given && lexicons ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (size_t j = 0; j < i && run->dictionaries && !status; j++) {
        status = read_dictionary(run->dictionaries, run->names[j], run->names[i], &lexicons[j],
                                 error);
        if (lexicons[j] && j)
            given[used++] = (vl_hub_dictionary){run->names[j], lexicons[j]};
    }
    if (!status) {
        options.dictionary = lexicons[0];
        status = vl_hub_add(run->hub, run->names[i], run->in[i], &options, given, used,
                            &run->reports[i], error);
        if (status)
            vl_error_prefix(error, "%s", run->paths[i]);
        run->joined += !status && run->reports[i].better_than_chance;
    }
    for (size_t j = 0; j < i && lexicons; j++)
        vl_lexicon_free(lexicons[j]);
    free(lexicons);
    free(given);
    return status;
}

static vl_status write_hub(hub_run *run, vl_error *error) {
    vl_status status = vl_dir_make(run->folder, error);
    for (size_t i = 0; i < run->count && !status; i++) {
        vl_embeddings *out = NULL;
        if (i && !run->reports[i].better_than_chance)
            continue;
        status = vl_hub_embeddings(run->hub, run->names[i], &out, error);
        if (!status)
            status = write_vectors(run->folder, run->names[i], out, error);
        vl_embeddings_free(out);
    }
    return status;
}

static vl_status map_hub(hub_run *run, vl_error *error) {
    vl_map_options options;
    vl_lexicon *none = NULL;
    for (size_t i = 0; i < run->count; i++)
        align_stem(run->paths[i], run->names[i], NAME_SIZE);
    vl_status status = check_names(run->names, run->paths, run->count, run->folder, error);
    if (!status)
        status = align_map_options(run->args, true, &options, &none, error);
    if (!status && none)
        status =
            vl_fail(error, VL_ERR_USAGE,
                    "with --hub, --seeds is a folder of dictionaries (en-sw.tsv, …) or one "
                    "of auto, none, identical and cognates");
    vl_lexicon_free(none);
    options.dictionary = NULL;
    options.keep_target = cli_has(run->args, "keep-target");
    for (size_t i = 0; i < run->count && !status; i++)
        status = align_vectors_read(run->paths[i], &run->in[i], error);
    if (!status)
        status = vl_hub_new(run->names[0], run->in[0], &run->hub, error);
    for (size_t i = 1; i < run->count && !status; i++)
        status = add_language(run, i, options, error);
    return !status && run->joined ? write_hub(run, error) : status;
}

static void say_hub(const hub_run *run, bool json) {
    cJSON *root = cJSON_CreateObject(), *languages = cJSON_CreateArray();
    cJSON_AddStringToObject(root, "hub", run->names[0]);
    for (size_t i = 1; i < run->count; i++) {
        cJSON *one = align_report_json(&run->reports[i]);
        cJSON_AddStringToObject(one, "language", run->names[i]);
        cJSON_AddItemToArray(languages, one);
        if (!json) {
            printf("%s\n", run->names[i]);
            align_report_print(&run->reports[i]);
        }
    }
    cJSON_AddItemToObject(root, "languages", languages);
    if (json)
        align_print_json(root);
    else
        cJSON_Delete(root);
}

static int run_hub(const cli_args *args, const char *folder) {
    vl_error error = {0};
    const char *seeds = cli_value(args, "seeds");
    hub_run run = {.args = args, .folder = folder, .count = args->operand_count};
    run.dictionaries = seeds;
    run.paths = calloc(run.count, sizeof *run.paths);
    run.names = calloc(run.count, sizeof *run.names);
    run.in = calloc(run.count, sizeof *run.in);
    run.reports = calloc(run.count, sizeof *run.reports);
    vl_status status = VL_OK;
    if (!run.paths || !run.names || !run.in || !run.reports)
        status = vl_fail(&error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < run.count && !status; i++)
        run.paths[i] = i ? args->operands[i] : cli_value(args, "hub");
    if (!status)
        status = map_hub(&run, &error);
    int code = status ? cli_fail(args, &error) : run.joined ? 0 : 1;
    if (!status)
        say_hub(&run, cli_has(args, "json"));
    if (!status && code)
        fprintf(stderr, "vislang align: no language is better than chance, nothing was "
                        "written\n");
    for (size_t i = 0; i < run.count && run.in; i++)
        vl_embeddings_free(run.in[i]);
    vl_hub_free(run.hub);
    free(run.paths);
    free(run.names);
    free(run.in);
    free(run.reports);
    return cli_finish_stdout(args, code);
}

int cli_align_map(const cli_args *args) {
    vl_error error = {0};
    const char *folder = cli_value(args, "out");
    bool hub = cli_has(args, "hub");
    vl_status status = VL_OK;
    if (!folder)
        status = vl_fail(&error, VL_ERR_USAGE,
                         "--out is needed: the folder that the mapped vectors are written to");
    else if (!hub && args->operand_count != 3)
        status = vl_fail(&error, VL_ERR_USAGE,
                         "which two? vislang align map SRC.vec TGT.vec --out FOLDER, or "
                         "--hub HUB.vec A.vec B.vec …");
    else if (hub && args->operand_count < 2)
        status = vl_fail(&error, VL_ERR_USAGE, "which languages join the hub?");
    if (status)
        return cli_finish_stdout(args, cli_fail(args, &error));
    align_stop_on_signals();
    return hub ? run_hub(args, folder) : run_pair(args, folder);
}
