/* align_maps.c — what `align map` and `align lexicon` share. */
#include "cli/align_maps.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static atomic_bool stop_asked;

static void ask_stop(int signal_number) {
    (void)signal_number;
    atomic_store(&stop_asked, true);
}

static bool is_stop_asked(void *user) {
    (void)user;
    return atomic_load(&stop_asked);
}

void align_stop_on_signals(void) {
    struct sigaction action = {.sa_handler = ask_stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    vl_stop_watch(is_stop_asked, NULL);
}

/* ---- options -------------------------------------------------------------------------------
 */

static bool is_folder(const char *path) {
    struct stat about;
    return !stat(path, &about) && S_ISDIR(about.st_mode);
}

/* A rung's name, a dictionary, or (where it is allowed) a folder of dictionaries. */
static vl_status read_seeds(const char *seeds, bool folder, vl_map_options *options,
                            vl_lexicon **dictionary, vl_error *error) {
    for (vl_rung rung = VL_RUNG_NONE; rung <= VL_RUNG_AUTO; rung++)
        if (rung != VL_RUNG_DICTIONARY && !strcmp(seeds, vl_rung_name(rung))) {
            options->rung = rung;
            return VL_OK;
        }
    if (folder && is_folder(seeds))
        return VL_OK;
    vl_status status = vl_lexicon_read(seeds, dictionary, error);
    if (status && !strchr(seeds, '.') && !strchr(seeds, '/'))
        return vl_fail(error, VL_ERR_USAGE,
                       "--seeds is auto, none, identical, cognates or a dictionary's file, not "
                       "'%s'",
                       seeds);
    options->dictionary = *dictionary;
    return status;
}

vl_status align_map_options(const cli_args *args, bool folder, vl_map_options *options,
                            vl_lexicon **dictionary, vl_error *error) {
    *options = vl_map_options_default();
    *dictionary = NULL;
    const char *seeds = cli_value(args, "seeds");
    long words = (long)options->max_words, threads = 0, seed = 1;
    vl_status status = cli_value_int(args, "words", 10, 1000000, &words, error);
    if (!status)
        status = cli_value_int(args, "threads", 1, 1024, &threads, error);
    if (!status)
        status = cli_value_int(args, "seed", 0, INT64_MAX, &seed, error);
    if (!status && seeds)
        status = read_seeds(seeds, folder, options, dictionary, error);
    options->max_words = (size_t)words;
    options->threads = (size_t)threads;
    options->seed = (uint64_t)seed;
    options->rcsls = cli_has(args, "rcsls");
    options->refine = !cli_has(args, "no-refine");
    return status;
}

void align_stem(const char *path, char *stem, size_t size) {
    const char *slash = strrchr(path, '/');
    snprintf(stem, size, "%s", slash ? slash + 1 : path);
    static const char *const ends[] = {".gz", ".vec", ".bin", ".txt"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t length = strlen(stem), tail = strlen(ends[i]);
        if (length > tail && !strcmp(stem + length - tail, ends[i]))
            stem[length - tail] = '\0';
    }
}

vl_status align_vectors_read(const char *path, vl_embeddings **vectors, vl_error *error) {
    enum { MAX_WORDS = 1000000 };
    return vl_embeddings_read(path, MAX_WORDS, vectors, error);
}

/* ---- reports -------------------------------------------------------------------------------
 */

cJSON *align_report_json(const vl_map_report *report) {
    cJSON *root = cJSON_CreateObject(), *rungs = cJSON_CreateArray();
    cJSON_AddStringToObject(root, "rung", vl_rung_name(report->rung));
    cJSON_AddNumberToObject(root, "seeds", (double)report->rungs[report->rung].seeds);
    cJSON_AddBoolToObject(root, "better_than_chance", report->better_than_chance);
    cJSON_AddNumberToObject(root, "chance_at10", report->chance_at10);
    cJSON_AddNumberToObject(root, "chance_criterion", report->chance_criterion);
    for (vl_rung rung = VL_RUNG_NONE; rung < VL_RUNG_COUNT; rung++) {
        const vl_rung_report *r = &report->rungs[rung];
        if (!r->tried)
            continue;
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "rung", vl_rung_name(rung));
        cJSON_AddNumberToObject(one, "seeds", (double)r->seeds);
        cJSON_AddNumberToObject(one, "iterations", (double)r->iterations);
        cJSON_AddNumberToObject(one, "criterion", r->criterion);
        cJSON_AddNumberToObject(one, "held_out", (double)r->held_out);
        if (r->held_out)
            cJSON_AddNumberToObject(one, "held_out_at10", r->held_out_at10);
        else
            cJSON_AddNullToObject(one, "held_out_at10");
        cJSON_AddItemToArray(rungs, one);
    }
    cJSON_AddItemToObject(root, "rungs", rungs);
    return root;
}

void align_report_print(const vl_map_report *report) {
    printf("  %-11s %7s %9s %9s %22s\n", "rung", "seeds", "rounds", "CSLS",
           "held-out seeds found");
    for (vl_rung rung = VL_RUNG_NONE; rung < VL_RUNG_COUNT; rung++) {
        const vl_rung_report *r = &report->rungs[rung];
        if (!r->tried)
            continue;
        printf("%c %-11s %7zu %9zu %9.3f ", rung == report->rung ? '*' : ' ',
               vl_rung_name(rung), r->seeds, r->iterations, r->criterion);
        if (r->held_out)
            printf("%12.1f %% of %zu\n", 100 * r->held_out_at10, r->held_out);
        else
            printf("%22s\n", "too few to tell");
    }
    if (!report->better_than_chance)
        puts("  no better than chance");
}

void align_print_json(cJSON *root) {
    char *text = cJSON_PrintUnformatted(root);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(root);
}
