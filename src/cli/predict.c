/* predict.c — `vislang predict`: a picture or document in, an answer out. */
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_ARENA_BYTES = 512 << 20, EVIDENCE_SHOWN = 3 };

static void print_answer(const char *path, const vl_answer *answer) {
    printf("%s  (%.2f s)\n", path, answer->milliseconds / 1000);
    printf("  %s\n", answer->response);
    printf("  confidence %.2f", answer->confidence);
    for (size_t i = 0; i < answer->evidence_count && i < EVIDENCE_SHOWN; i++) {
        const vl_evidence *e = &answer->evidence[i];
        printf("\n  evidence: page %u at (%d, %d) %d×%d \"%s\"", e->page + 1, e->box.x,
               e->box.y, e->box.width, e->box.height, e->text);
    }
    printf("\n");
}

static vl_status print_answer_json(const char *path, const vl_answer *answer, vl_error *error) {
    cJSON *object = vl_answer_to_json(answer);
    char *text = NULL;
    if (object && cJSON_AddStringToObject(object, "file", path))
        text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    if (!text)
        return vl_fail(error, VL_ERR_MEMORY, "the answer does not fit in memory");
    puts(text);
    cJSON_free(text);
    return VL_OK;
}

static vl_status predict_file(vl_answerer *answerer, const char *path, const cli_args *args,
                              size_t max_bytes, vl_arena *arena, vl_error *error) {
    vl_buf bytes;
    vl_buf_init(&bytes, max_bytes);
    vl_answer *answer;
    vl_status status = vl_file_read(path, max_bytes, &bytes, error);
    if (!status) {
        vl_answer_request request = {
            .bytes = bytes.data,
            .count = bytes.len,
            .instruction = cli_value(args, "instruction"),
            .languages = cli_value(args, "languages"),
            .redact = cli_has(args, "redact"),
        };
        status = vl_answer_make(answerer, &request, arena, &answer, error);
        if (status)
            vl_error_prefix(error, "%s", path);
    }
    if (!status && cli_has(args, "json"))
        status = print_answer_json(path, answer, error);
    else if (!status)
        print_answer(path, answer);
    vl_buf_deinit(&bytes);
    vl_arena_reset(arena);
    return status;
}

/* Pages are read without a picture model too, so its absence is no failure here. */
static void open_seer(const vl_config *config, vl_seer **seer) {
    vl_error error;
    vl_status status = vl_picture_model_open(config, seer, &error);
    if (status && (status != VL_ERR_MISSING || *vl_config_string(config, "model_path")))
        fprintf(stderr, "vislang predict: photographs are not described: %s\n", error.message);
}

int cli_predict(const cli_args *args) {
    vl_error error;
    vl_config *config = NULL;
    vl_answerer *answerer = NULL;
    cli_record record = {0};
    vl_seer *seer = NULL;
    vl_arena *arena = vl_arena_new(ANSWER_ARENA_BYTES);
    int exit_code = 0;
    vl_answer_options options;

    if (!args->operand_count) {
        vl_fail(&error, VL_ERR_USAGE, "which file? (- is standard input)");
        exit_code = cli_fail(args, &error);
        goto out;
    }
    if (!arena) {
        vl_fail(&error, VL_ERR_MEMORY, "out of memory");
        exit_code = cli_fail(args, &error);
        goto out;
    }
    if (cli_config(args, &config, &error)) {
        exit_code = cli_fail(args, &error);
        goto out;
    }
    if (vl_answer_options_from_config(config, &options, &error)) {
        exit_code = cli_fail(args, &error);
        goto out;
    }
    open_seer(config, &seer);
    options.seer = seer;
    cli_record_try(config, &record);
    options.ocr.record = record.record;
    if (vl_answerer_new(&options, &answerer, &error)) {
        exit_code = cli_fail(args, &error);
        goto out;
    }
    for (size_t i = 0; i < args->operand_count; i++)
        if (predict_file(answerer, args->operands[i], args, options.limits.max_bytes, arena,
                         &error))
            exit_code = cli_fail(args, &error);
    exit_code = cli_finish_stdout(args, exit_code);
out:
    vl_answerer_free(answerer);
    cli_record_close(&record);
    vl_seer_free(seer);
    vl_config_free(config);
    vl_arena_free(arena);
    return exit_code;
}
