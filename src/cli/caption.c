/* caption.c — `vislang caption`: a sentence on what each photograph shows. */
#include "cli/look.h"

#include <limits.h>

/* Beam search unless --sample; flags of the one are refused with the other. */
static vl_status writing(const cli_args *args, vl_seer_writing *how, vl_error *error) {
    static const char *const of_sampling[] = {"temperature", "top-p", "seed"};
    long beams = how->beams, seed = (long)how->seed;
    bool sample = cli_has(args, "sample");
    if (sample && cli_has(args, "beams"))
        return vl_fail(error, VL_ERR_USAGE, "--beams searches and --sample draws: one of them");
    for (size_t i = 0; i < sizeof of_sampling / sizeof *of_sampling; i++)
        if (!sample && cli_has(args, of_sampling[i]))
            return vl_fail(error, VL_ERR_USAGE, "--%s needs --sample", of_sampling[i]);
    vl_status status = cli_value_int(args, "beams", 1, 16, &beams, error);
    if (!status)
        status = cli_value_int(args, "seed", 0, LONG_MAX, &seed, error);
    if (!status)
        status = look_value_number(args, "temperature", 0.01, 10, &how->temperature, error);
    if (!status)
        status = look_value_number(args, "top-p", 0.01, 1, &how->top_p, error);
    how->beams = sample ? 0 : (uint32_t)beams;
    how->seed = (uint64_t)seed;
    return status;
}

int cli_caption(const cli_args *args) {
    vl_error error;
    vl_picture_request request = {.task = VL_PICTURE_CAPTION,
                                  .language = cli_value(args, "language"),
                                  .writing = vl_seer_writing_default()};
    if (writing(args, &request.writing, &error))
        return cli_fail(args, &error);
    return look_at_files(args, request, args->operands, args->operand_count, look_print_text);
}
