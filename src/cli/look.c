/* look.c — the files of `caption`, `ask` and `scene`, one after the other. */
#include "cli/look.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { REPLY_ARENA_BYTES = 16 << 20 };

typedef struct look_run {
    vl_config *config;
    vl_answer_options options;
    vl_seer *seer;
    vl_seer_session *session;
    vl_arena *arena;
    vl_picture_request request;
} look_run;

vl_status look_value_number(const cli_args *args, const char *flag, double low, double high,
                            double *value, vl_error *error) {
    const char *text = cli_value(args, flag);
    if (!text)
        return VL_OK;
    char *end;
    errno = 0;
    double number = strtod(text, &end);
    if (errno || end == text || *end || !(number >= low && number <= high))
        return vl_fail(error, VL_ERR_USAGE, "--%s is '%s'; it must be a number from %g to %g",
                       flag, text, low, high);
    *value = number;
    return VL_OK;
}

void look_print_text(const char *path, const vl_picture_reply *reply) {
    printf("%s%s%s%s\n", path ? path : "", path ? ": " : "", reply->text.text,
           reply->text.sure ? "" : " (not sure)");
}

static vl_status print_json(const char *path, const vl_picture_reply *reply, vl_error *error) {
    cJSON *object = vl_picture_reply_to_json(reply);
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

static vl_status start(look_run *run, const cli_args *args, vl_error *error) {
    long page = 1;
    vl_status status = cli_value_int(args, "page", 1, INT_MAX, &page, error);
    run->request.page = (uint32_t)(page - 1);
    if (status || (status = cli_config(args, &run->config, error)) ||
        (status = vl_answer_options_from_config(run->config, &run->options, error)) ||
        (status = vl_picture_model_open(run->config, &run->seer, error)) ||
        (status = vl_picture_request_check(run->seer, &run->request, error)))
        return status;
    run->session = vl_seer_session_new(run->seer);
    run->arena = vl_arena_new(REPLY_ARENA_BYTES);
    return run->session && run->arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
}

static vl_status look_at_file(look_run *run, const cli_args *args, const char *path,
                              bool several, look_print print, vl_error *error) {
    vl_buf bytes;
    vl_picture_reply *reply = NULL;
    vl_buf_init(&bytes, run->options.limits.max_bytes);
    vl_status status = vl_file_read(path, run->options.limits.max_bytes, &bytes, error);
    if (!status) {
        run->request.bytes = bytes.data;
        run->request.count = bytes.len;
        status = vl_picture_answer(run->seer, run->session, &run->options.limits, &run->request,
                                   run->arena, &reply, error);
        if (status)
            vl_error_prefix(error, "%s", path);
    }
    if (!status && cli_has(args, "json"))
        status = print_json(path, reply, error);
    else if (!status)
        print(several ? path : NULL, reply);
    vl_buf_deinit(&bytes);
    vl_arena_reset(run->arena);
    return status;
}

int look_at_files(const cli_args *args, vl_picture_request request, const char *const *files,
                  size_t count, look_print print) {
    vl_error error;
    look_run run = {.request = request};
    int exit_code = 0;
    if (!count) {
        vl_fail(&error, VL_ERR_USAGE, "which file? (- is standard input)");
        return cli_fail(args, &error);
    }
    if (start(&run, args, &error)) {
        exit_code = cli_fail(args, &error);
    } else {
        for (size_t i = 0; i < count; i++)
            if (look_at_file(&run, args, files[i], count > 1, print, &error))
                exit_code = cli_fail(args, &error);
        exit_code = cli_finish_stdout(args, exit_code);
    }
    vl_arena_free(run.arena);
    vl_seer_session_free(run.session);
    vl_seer_free(run.seer);
    vl_config_free(run.config);
    return exit_code;
}
