/* scene.c — `vislang scene`: labels of a picture, the likeliest first. */
#include "cli/look.h"

#include <stdio.h>

enum { LABELS_SHOWN = 5 };
#define LEAST_SHOWN 0.01 /* probability */

static void print_labels(const char *path, const vl_picture_reply *reply) {
    if (path)
        printf("%s:\n", path);
    for (size_t i = 0; i < reply->label_count && i < LABELS_SHOWN; i++) {
        const vl_seer_guess *guess = &reply->labels[i];
        if (i && guess->probability < LEAST_SHOWN)
            break;
        printf("%s%-24s %5.1f %%%s\n", path ? "  " : "", guess->label, guess->probability * 100,
               i || guess->sure ? "" : "  (not sure)");
    }
}

int cli_scene(const cli_args *args) {
    vl_picture_request request = {.task = VL_PICTURE_LABELS,
                                  .set = cli_value(args, "labels"),
                                  .writing = vl_seer_writing_default()};
    return look_at_files(args, request, args->operands, args->operand_count, print_labels);
}
