/* train_voices.c — `vislang train voices`: what the engines are worth, from lines of real
 * scans. */
#include "cli/train.h"

#include <vislang/train.h>

#include <stdio.h>
#include <unistd.h>

static void show_line(size_t line, size_t lines, void *user) {
    (void)user;
    fprintf(stderr, "\r%zu of %zu lines%s", line, lines, line == lines ? "\n" : "");
}

static double percent(uint64_t errors, uint64_t characters) {
    return characters ? 100 * (double)errors / (double)characters : 0;
}

static void print_score(const vl_voices_score *s) {
    printf("%-24s %10s %10s %8s\n", "voice", "characters", "errors", "CER");
    for (size_t i = 0; i < s->engine_count; i++)
        printf("%-24s %10llu %10llu %7.2f%%\n", s->engines[i].name,
               (unsigned long long)s->engines[i].characters,
               (unsigned long long)s->engines[i].errors,
               percent(s->engines[i].errors, s->engines[i].characters));
    printf("%-24s %10llu %10llu %7.2f%%\n\n", "all together", (unsigned long long)s->characters,
           (unsigned long long)s->errors, percent(s->errors, s->characters));
    printf("%-24s %10s %10s %8s\n", "confidence_threshold", "voices", "errors", "CER");
    for (size_t i = 0; i < VL_VOICES_THRESHOLDS; i++)
        printf("%-24.2f %10.2f %10llu %7.2f%%\n", s->thresholds[i].threshold,
               s->thresholds[i].voices, (unsigned long long)s->thresholds[i].errors,
               percent(s->thresholds[i].errors, s->characters));
    printf("\n%zu words of %zu lines: expected calibration error %.3f, as fitted %.3f\n",
           s->words, s->lines, s->calibration_error_before, s->calibration_error);
}

vl_status cli_train_voices(const cli_args *args, const char *recipe, const char *out,
                           vl_error *error) {
    vl_voices_score score;
    vl_voices_training training = {.recipe = recipe,
                                   .data_dir = cli_value(args, "data"),
                                   .progress = isatty(STDERR_FILENO) ? show_line : NULL};
    if (cli_has(args, "evaluate"))
        return vl_fail(
            error, VL_ERR_USAGE,
            "--evaluate is for langid, tokenizer and chars; voices are scored as they "
            "are fitted");
    vl_status status = vl_voices_train(&training, out, &score, error);
    if (!status)
        print_score(&score);
    return status;
}
