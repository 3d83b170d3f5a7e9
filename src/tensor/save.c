/* save.c — what the writers of both formats hold and refuse alike (file.h). */
#include "tensor/file.h"

#include <stdlib.h>

bool vl_saving_init(vl_saving *saving, size_t max_bytes) {
    *saving = (vl_saving){.arena = vl_arena_new(max_bytes)};
    return saving->arena != NULL;
}

void vl_saving_deinit(vl_saving *saving) {
    vl_arena_free(saving->arena);
    free(saving->tensors);
}

void *vl_saving_room(vl_saving *saving, void *items, size_t count, size_t *room, size_t size,
                     size_t max, const char *what) {
    if (count < *room)
        return items;
    if (count >= max) {
        vl_fail(&saving->failure, VL_ERR_LIMIT, "more than %zu %s", max, what);
        return NULL;
    }
    size_t wider = *room ? *room * 2 : 64;
    void *grown = realloc(items, wider * size);
    if (grown)
        *room = wider;
    else
        vl_fail(&saving->failure, VL_ERR_MEMORY, "no memory for %s", what);
    return grown;
}

bool vl_saving_check(vl_saving *saving, const vl_tensor *tensor, size_t max_name_bytes) {
    vl_error *failure = &saving->failure;
    vl_tensor same;
    char shown[VL_NAME_SHOWN_SIZE];
    const char *fault = vl_name_fault(tensor->name, strlen(tensor->name), max_name_bytes);
    vl_name_shown(tensor->name, shown);
    if (fault)
        vl_fail(failure, VL_ERR_USAGE, "the name of tensor '%s' %s", shown, fault);
    else if (vl_tensor_init(&same, shown, tensor->dtype, tensor->rank, tensor->dims, NULL,
                            failure) == VL_OK &&
             same.bytes != tensor->bytes)
        vl_fail(failure, VL_ERR_USAGE, "tensor '%s' has %zu bytes, its shape %zu", shown,
                tensor->bytes, same.bytes);
    return failure->status == VL_OK;
}

void vl_saving_add(vl_saving *saving, const vl_tensor *tensor, size_t max) {
    char shown[VL_NAME_SHOWN_SIZE];
    vl_tensor *tensors = vl_saving_room(saving, saving->tensors, saving->tensor_count,
                                        &saving->tensor_room, sizeof *tensors, max, "tensors");
    if (!tensors)
        return;
    saving->tensors = tensors;
    vl_tensor *added = &tensors[saving->tensor_count];
    *added = *tensor;
    added->name = vl_arena_strdup(saving->arena, tensor->name);
    if (added->name)
        saving->tensor_count++;
    else
        vl_fail(&saving->failure, VL_ERR_MEMORY, "no memory for tensor '%s'",
                vl_name_shown(tensor->name, shown));
}

vl_status vl_saving_check_names(const vl_saving *saving, vl_error *error) {
    char shown[VL_NAME_SHOWN_SIZE];
    vl_name *names = malloc((saving->tensor_count + 1) * sizeof *names);
    if (!names)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the names of tensors");
    for (size_t i = 0; i < saving->tensor_count; i++)
        names[i] = (vl_name){saving->tensors[i].name, i};
    vl_names_sort(names, saving->tensor_count);
    size_t twice = vl_names_duplicate(names, saving->tensor_count);
    free(names);
    if (twice == SIZE_MAX)
        return VL_OK;
    return vl_fail(error, VL_ERR_USAGE, "tensor '%s' was added twice",
                   vl_name_shown(saving->tensors[twice].name, shown));
}

vl_status vl_saving_refuse(const char *path, const vl_error *kept, vl_error *error) {
    return vl_error_set(error, kept->status, kept->file, kept->line, "cannot write %s: %s",
                        path, kept->message);
}
