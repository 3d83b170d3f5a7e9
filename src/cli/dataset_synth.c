/* dataset_synth.c — `vislang dataset synth-lines`: text lines rendered and degraded, to train a
 * reader on. */
#include "cli/cli.h"

#include <vislang/dataset.h>

#include <cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_COUNT = 100000000, MAX_JOBS = 256, MAX_LONGEST = 1600, RAREST = 24 };

/* ---- fonts -------------------------------------------------------------------------- */

static void scripts_of(const vl_synth_font *font, char out[256]) {
    size_t used = 0;
    *out = '\0';
    for (int i = 0; i < VL_SCRIPT_COUNT; i++)
        if (font->scripts[i])
            used += (size_t)snprintf(out + used, 256 - used, "%s%s", used ? "," : "",
                                     vl_script_name((vl_script)i));
}

static void print_font(const vl_synth_font *font, void *user) {
    char scripts[256];
    (void)user;
    scripts_of(font, scripts);
    printf("%s\t%s\t%s\t%s\n", font->family, font->style, font->held ? "held" : "train",
           scripts);
}

static void print_font_json(const vl_synth_font *font, void *user) {
    char scripts[256];
    cJSON *one = cJSON_CreateObject();
    (void)user;
    scripts_of(font, scripts);
    cJSON_AddStringToObject(one, "family", font->family);
    cJSON_AddStringToObject(one, "style", font->style);
    cJSON_AddStringToObject(one, "file", font->file);
    cJSON_AddBoolToObject(one, "held", font->held);
    cJSON_AddStringToObject(one, "scripts", scripts);
    char *text = cJSON_PrintUnformatted(one);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(one);
}

/* ---- what was made ------------------------------------------------------------------ */

static void put_code(char out[5], uint32_t code) {
    char *to = out;
    if (code < 0x80)
        *to++ = (char)code;
    else if (code < 0x800)
        *to++ = (char)(0xC0 | code >> 6);
    else if (code < 0x10000)
        *to++ = (char)(0xE0 | code >> 12);
    else
        *to++ = (char)(0xF0 | code >> 18);
    for (int shift = code < 0x80      ? -6
                     : code < 0x800   ? 0
                     : code < 0x10000 ? 6
                                      : 12;
         shift >= 0; shift -= 6)
        *to++ = (char)(0x80 | (code >> shift & 0x3F));
    *to = '\0';
}

typedef struct rarity {
    uint32_t code;
    uint64_t seen;
} rarity;

static int by_seen(const void *x, const void *y) {
    const rarity *a = x, *b = y;
    return a->seen != b->seen ? (a->seen > b->seen ? 1 : -1)
                              : (a->code > b->code) - (a->code < b->code);
}

static size_t seen_under(const rarity *sorted, size_t count, uint64_t limit) {
    size_t i = 0;
    while (i < count && sorted[i].seen < limit)
        i++;
    return i;
}

static rarity *sort_seen(const vl_synth_report *report) {
    rarity *sorted = calloc(report->alphabet_count + 1, sizeof *sorted);
    for (size_t i = 0; sorted && i < report->alphabet_count; i++)
        sorted[i] = (rarity){report->codes[i], report->seen[i]};
    if (sorted)
        qsort(sorted, report->alphabet_count, sizeof *sorted, by_seen);
    return sorted;
}

static void print_report(const vl_synth_report *report) {
    rarity *sorted = sort_seen(report);
    printf("%llu lines in %.1f s: %.0f a second\n", (unsigned long long)report->lines,
           report->seconds, (double)report->lines / report->seconds);
    for (int i = 0; i < VL_SCRIPT_COUNT; i++)
        if (report->by_script[i])
            printf("  %-11s %8llu\n", vl_script_name((vl_script)i),
                   (unsigned long long)report->by_script[i]);
    if (!sorted)
        return;
    printf("characters: %zu of the alphabet never, %zu less than 10 times, %zu less than 100 "
           "of %zu\nrarest:",
           seen_under(sorted, report->alphabet_count, 1),
           seen_under(sorted, report->alphabet_count, 10),
           seen_under(sorted, report->alphabet_count, 100), report->alphabet_count);
    for (size_t i = 0; i < RAREST && i < report->alphabet_count; i++) {
        char text[5];
        put_code(text, sorted[i].code);
        printf(" %s U+%04X %llu%s", text, sorted[i].code, (unsigned long long)sorted[i].seen,
               i + 1 < RAREST ? "," : "");
    }
    printf("\n");
    free(sorted);
}

static void print_report_json(const vl_synth_report *report) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "lines", (double)report->lines);
    cJSON_AddNumberToObject(object, "seconds", report->seconds);
    cJSON *scripts = cJSON_AddObjectToObject(object, "scripts");
    for (int i = 0; i < VL_SCRIPT_COUNT; i++)
        cJSON_AddNumberToObject(scripts, vl_script_name((vl_script)i),
                                (double)report->by_script[i]);
    cJSON *seen = cJSON_AddObjectToObject(object, "characters");
    for (size_t i = 0; i < report->alphabet_count; i++) {
        char text[5];
        put_code(text, report->codes[i]);
        cJSON_AddNumberToObject(seen, text, (double)report->seen[i]);
    }
    char *text = cJSON_Print(object);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(object);
}

static void show_progress(uint64_t done, uint64_t count, void *user) {
    (void)user;
    fprintf(stderr, "\r%llu of %llu lines", (unsigned long long)done,
            (unsigned long long)count);
    if (done == count)
        fprintf(stderr, "\n");
}

/* ---- the command -------------------------------------------------------------------- */

static vl_status read_fonts(const cli_args *args, vl_synth_options *options, vl_error *error) {
    static const char *const names[] = {"train", "held", "all"};
    const char *value = cli_value(args, "fonts");
    for (size_t i = 0; value && i < sizeof names / sizeof *names; i++)
        if (!strcmp(value, names[i])) {
            options->fonts = (vl_synth_fonts)i;
            return VL_OK;
        }
    return value
               ? vl_fail(error, VL_ERR_USAGE, "--fonts is train, held or all, not '%s'", value)
               : VL_OK;
}

static vl_status read_options(const cli_args *args, vl_synth_options *options,
                              vl_synth_target *target, vl_error *error) {
    long count = 1000, jobs = (long)vl_cpu_count(), seed = 1, longest = 0;
    *options = vl_synth_options_default();
    options->text = cli_value(args, "text");
    options->alphabet = cli_value(args, "alphabet");
    options->clean = cli_has(args, "clean");
    options->system_text = !cli_has(args, "only-text");
    vl_status status = read_fonts(args, options, error);
    if (!status && cli_value(args, "scripts"))
        status = vl_script_weights_parse(cli_value(args, "scripts"), options->weights, error);
    if (!status)
        status = cli_value_int(args, "count", 1, MAX_COUNT, &count, error);
    if (!status)
        status = cli_value_int(args, "jobs", 1, MAX_JOBS, &jobs, error);
    if (!status)
        status = cli_value_int(args, "seed", 0, INT32_MAX, &seed, error);
    if (!status)
        status = cli_value_int(args, "longest", 64, MAX_LONGEST, &longest, error);
    options->seed = (uint64_t)seed;
    *target = (vl_synth_target){.out = cli_value(args, "out"),
                                .count = (uint64_t)count,
                                .longest = (uint32_t)longest,
                                .jobs = (size_t)jobs,
                                .progress = isatty(STDERR_FILENO) ? show_progress : NULL};
    return status;
}

static vl_status make_lines(const cli_args *args, vl_error *error) {
    vl_synth_options options;
    vl_synth_target target;
    vl_synth_report report = {0};
    vl_synth *synth = NULL;
    vl_status status = read_options(args, &options, &target, error);
    if (!status)
        status = vl_synth_open(&options, &synth, error);
    if (!status)
        status = vl_synth_write(synth, &target, &report, error);
    if (!status && cli_has(args, "json"))
        print_report_json(&report);
    else if (!status)
        print_report(&report);
    vl_synth_report_deinit(&report);
    vl_synth_free(synth);
    return status;
}

static vl_status run(const cli_args *args, vl_error *error) {
    const char *text = cli_value(args, "text"), *path = cli_value(args, "alphabet");
    if (args->operand_count != 1)
        return vl_fail(error, VL_ERR_USAGE, "synth-lines takes no files");
    if (cli_has(args, "list-fonts"))
        return vl_synth_fonts_list(cli_has(args, "json") ? print_font_json : print_font, NULL,
                                   error);
    if (!text)
        return vl_fail(error, VL_ERR_USAGE, "--text DIR is needed: a folder of gzipped text");
    if (!path && !cli_has(args, "out"))
        return vl_fail(error, VL_ERR_USAGE, "--out is needed: a folder, or a file.tar");
    size_t count = 0;
    vl_status status = path ? vl_synth_make_alphabet(text, path, &count, error) : VL_OK;
    if (!status && path)
        printf("%s: %zu characters\n", path, count);
    return status || !cli_has(args, "out") ? status : make_lines(args, error);
}

int cli_dataset_synth_lines(const cli_args *args) {
    vl_error error = {0};
    vl_status status = run(args, &error);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
