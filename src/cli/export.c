/* export.c — `vislang export` and `vislang quantize`: model files from runs and from each
 * other.
 */
#include "cli/cli.h"

#include <vislang/train.h>

#include <stdio.h>
#include <string.h>

static vl_status need_out(const cli_args *args, const char *operand, vl_error *error) {
    if (args->operand_count != 1)
        return vl_fail(error, VL_ERR_USAGE, "one %s is needed", operand);
    if (!cli_value(args, "out"))
        return vl_fail(error, VL_ERR_USAGE, "--out FILE: where does the model go?");
    return VL_OK;
}

static vl_status format_of(const char *name, vl_dtype *dtype, vl_error *error) {
    vl_status status = vl_dtype_parse(name, dtype, error);
    if (!status && *dtype != VL_F32 && *dtype != VL_F16 && *dtype != VL_Q8_0 &&
        *dtype != VL_Q4_0 && *dtype != VL_Q2_0)
        status = vl_fail(error, VL_ERR_USAGE,
                         "models are written as f32, f16, q8_0, q4_0 or q2_0, not %s", name);
    return status;
}

static vl_status export_reader(const cli_args *args, vl_dtype dtype, vl_error *error) {
    static const char *const none_of_its[] = {"without", "picture"};
    for (size_t i = 0; i < sizeof none_of_its / sizeof *none_of_its; i++)
        if (cli_has(args, none_of_its[i]))
            return vl_fail(error, VL_ERR_USAGE, "--%s is for seer; %s is a run of reader",
                           none_of_its[i], args->operands[0]);
    vl_reader_exporting what = {.run_dir = args->operands[0],
                                .best = cli_has(args, "best"),
                                .facts = cli_value(args, "facts"),
                                .dtype = dtype};
    return vl_reader_export(&what, cli_value(args, "out"), error);
}

int cli_export(const cli_args *args) {
    vl_error error;
    char path[4096], model[VL_TRAIN_MODEL_SIZE] = "";
    vl_seer_exporting what = {.best = cli_has(args, "best"),
                              .without = cli_value(args, "without"),
                              .facts = cli_value(args, "facts")};
    const char *format = cli_value(args, "format");
    long picture = 0;
    vl_status status = need_out(args, "training run's folder", &error);
    if (!status)
        status = format_of(format ? format : "q8_0", &what.dtype, &error);
    if (!status) {
        snprintf(path, sizeof path, "%s/recipe.yaml", args->operands[0]);
        status = vl_train_model_of(path, model, &error);
    }
    if (!status && !strcmp(model, "reader")) {
        status = export_reader(args, what.dtype, &error);
        return status ? cli_fail(args, &error) : 0;
    }
    if (!status && cli_has(args, "picture"))
        status = cli_value_int(args, "picture", 32, 1024, &picture, &error);
    if (!status) {
        what.run_dir = args->operands[0];
        what.picture = (uint32_t)picture;
        status = vl_seer_export(&what, cli_value(args, "out"), &error);
    }
    return status ? cli_fail(args, &error) : 0;
}

int cli_quantize(const cli_args *args) {
    vl_error error;
    vl_dtype dtype;
    vl_status status = need_out(args, "model file", &error);
    if (!status && !cli_value(args, "to"))
        status = vl_fail(&error, VL_ERR_USAGE, "--to TYPE: q8_0, q4_0, q2_0, f16 or f32");
    if (!status)
        status = format_of(cli_value(args, "to"), &dtype, &error);
    if (!status)
        status = vl_seer_quantize(args->operands[0], cli_value(args, "facts"), dtype,
                                  cli_value(args, "out"), &error);
    return status ? cli_fail(args, &error) : 0;
}
