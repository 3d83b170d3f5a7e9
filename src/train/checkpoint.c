/* checkpoint.c — a learner to a safetensors file and back.
 *
 * The file holds, for each parameter p: "p" the weight, "m/p" and "v/p" the optimiser's
 * moments, "average/p" the running average; the step and the recipe stand in its metadata. */
#include "train/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const prefixes[CHECKPOINT_ARRAYS] = {"", "m/", "v/", "average/"};

enum { FORMAT_SIZE = 64 };

static void format_of(const char *model, char out[FORMAT_SIZE]) {
    snprintf(out, FORMAT_SIZE, "vislang %s checkpoint 1", model);
}

vl_status checkpoint_write(const char *path, const vl_params *params,
                           vl_real *const arrays[CHECKPOINT_ARRAYS], const checkpoint *about,
                           vl_error *error) {
    vl_safetensors_writer *writer = vl_safetensors_writer_new();
    if (!writer)
        return vl_fail(error, VL_ERR_MEMORY, "%s: no memory", path);
    char number[32], format[FORMAT_SIZE];
    format_of(about->model, format);
    snprintf(number, sizeof number, "%llu", (unsigned long long)about->step);
    vl_safetensors_set(writer, "format", format);
    vl_safetensors_set(writer, "step", number);
    vl_safetensors_set(writer, "recipe", about->recipe_text);
    vl_status status = VL_OK;
    for (size_t a = 0; a < CHECKPOINT_ARRAYS; a++)
        for (size_t i = 0; i < vl_params_count(params) && !status; i++) {
            const vl_param *p = vl_params_at(params, i);
            char name[VL_PARAM_NAME_SIZE + 16];
            snprintf(name, sizeof name, "%s%s", prefixes[a], p->name);
            vl_tensor tensor;
            status = vl_tensor_init(&tensor, name, VL_F32, p->rank, p->dims,
                                    arrays[a] + p->offset, error);
            vl_safetensors_add(writer, &tensor);
        }
    if (!status)
        status = vl_safetensors_write(writer, path, error);
    vl_safetensors_writer_free(writer);
    return status;
}

vl_status checkpoint_read(const char *path, const char *model, const vl_params *params,
                          vl_real *const arrays[CHECKPOINT_ARRAYS], uint64_t *step,
                          vl_error *error) {
    vl_safetensors *file = NULL;
    vl_status status = vl_safetensors_open(path, &file, error);
    if (status)
        return status;
    char format[FORMAT_SIZE];
    format_of(model, format);
    const char *number = vl_safetensors_value(file, "step");
    const char *kind = vl_safetensors_value(file, "format");
    if (!number || !kind || strcmp(kind, format) != 0)
        status =
            vl_fail(error, VL_ERR_INPUT, "%s: not a training checkpoint ('%s')", path, format);
    for (size_t a = 0; a < CHECKPOINT_ARRAYS; a++)
        for (size_t i = 0; i < vl_params_count(params) && !status; i++) {
            const vl_param *p = vl_params_at(params, i);
            char name[VL_PARAM_NAME_SIZE + 16];
            snprintf(name, sizeof name, "%s%s", prefixes[a], p->name);
            const vl_tensor *tensor;
            status =
                vl_safetensors_require(file, name, VL_F32, p->rank, p->dims, &tensor, error);
            if (!status)
                memcpy(arrays[a] + p->offset, tensor->data, tensor->bytes);
        }
    if (!status)
        *step = strtoull(number, NULL, 10);
    vl_safetensors_free(file);
    return status;
}

vl_status checkpoint_take(const char *path, const vl_params *params, vl_real *values,
                          size_t *taken, vl_error *error) {
    vl_safetensors *file = NULL;
    vl_status status = vl_safetensors_open(path, &file, error);
    if (status)
        return status;
    *taken = 0;
    for (size_t i = 0; i < vl_params_count(params); i++) {
        const vl_param *p = vl_params_at(params, i);
        char name[VL_PARAM_NAME_SIZE + 16];
        snprintf(name, sizeof name, "average/%s", p->name);
        const vl_tensor *tensor = vl_safetensors_find(file, name);
        if (!tensor)
            tensor = vl_safetensors_find(file, p->name);
        if (!tensor || !vl_tensor_has_shape(tensor, p->rank, p->dims))
            continue;
        vl_tensor_to_f32(tensor, values + p->offset);
        ++*taken;
    }
    vl_safetensors_free(file);
    if (!*taken)
        return vl_fail(error, VL_ERR_INPUT, "%s: none of its tensors fits this network", path);
    return VL_OK;
}
