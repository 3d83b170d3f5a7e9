/* ask.c — `vislang ask`: a question about photographs, or a statement to be judged. */
#include "cli/look.h"

#include <stdio.h>
#include <unistd.h>

static void print_judgement(const char *path, const vl_picture_reply *reply) {
    printf("%s%s%s (%.0f %%)%s\n", path ? path : "", path ? ": " : "", reply->text.text,
           reply->text.confidence * 100, reply->text.sure ? "" : " (not sure)");
}

int cli_ask(const cli_args *args) {
    vl_error error;
    vl_picture_request request = {.task = VL_PICTURE_STATEMENT,
                                  .text = cli_value(args, "statement"),
                                  .writing = vl_seer_writing_default()};
    size_t files = args->operand_count;
    if (request.text)
        return look_at_files(args, request, args->operands, files, print_judgement);
    request.task = VL_PICTURE_ASK;
    request.text = files ? args->operands[--files] : NULL;
    if (!request.text || !access(request.text, F_OK)) {
        vl_fail(&error, VL_ERR_USAGE,
                "which question? vislang ask FILE… \"what is the man doing?\"");
        return cli_fail(args, &error);
    }
    return look_at_files(args, request, args->operands, files, look_print_text);
}
