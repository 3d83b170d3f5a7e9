/* net_file.c — parameters into a model file (net_file.h). */
#include "model/net_file.h"

vl_status net_file_add(vl_gguf_writer *writer, const vl_param *p, const float *values,
                       vl_dtype dtype, vl_arena *arena, vl_error *error) {
    size_t width = p->dims[p->rank - 1], rows = p->count / width;
    size_t row_bytes = vl_dtype_row_bytes(dtype, width);
    char *data = vl_arena_array(arena, rows, row_bytes);
    vl_status status =
        data ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for %s", p->name);
    for (size_t r = 0; r < rows && !status; r++)
        if ((status = vl_quantize_row(dtype, values + r * width, width, data + r * row_bytes)))
            status = vl_fail(error, status, "%s: its weights cannot be kept as %s", p->name,
                             vl_dtype_name(dtype));
    vl_tensor tensor;
    if (!status)
        status = vl_tensor_init(&tensor, p->name, dtype, p->rank, p->dims, data, error);
    if (!status)
        vl_gguf_add(writer, &tensor);
    return status;
}
