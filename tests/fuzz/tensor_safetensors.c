/* tensor_safetensors.c — any bytes as a safetensors file: every tensor read to its last byte,
 * every key looked up again. */
#include <vislang/tensor.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

/* Tensors cover the data: their bytes are counted against the input. */
static size_t read_tensor(const vl_safetensors *file, size_t index) {
    const vl_tensor *tensor = vl_safetensors_tensor(file, index);
    size_t elements = vl_tensor_elements(tensor);
    check(vl_safetensors_find(file, tensor->name) == tensor);
    check(elements * vl_dtype_block_bytes(tensor->dtype) == tensor->bytes);
    float *values = malloc((elements ? elements : 1) * sizeof *values);
    if (values)
        vl_tensor_to_f32(tensor, values);
    free(values);
    return tensor->bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    void *bytes; /* aligned, and no byte longer than the input */
    if (posix_memalign(&bytes, VL_GGUF_DATA_ALIGNMENT, size ? size : 1) != 0)
        return 0;
    if (size)
        memcpy(bytes, data, size);
    vl_safetensors *file;
    vl_error error = {0};
    vl_status status = vl_safetensors_parse(bytes, size, &file, &error);
    check(status == VL_OK ? file != NULL : !file && strstr(error.message, "byte "));
    if (status == VL_OK) {
        uint64_t header;
        size_t covered = 0;
        memcpy(&header, data, sizeof header);
        for (size_t i = 0; i < vl_safetensors_tensor_count(file); i++)
            covered += read_tensor(file, i);
        check(covered == size - sizeof header - header);
        for (size_t i = 0; i < vl_safetensors_key_count(file); i++)
            check(vl_safetensors_value(file, vl_safetensors_key(file, i)) != NULL);
        vl_safetensors_free(file);
    }
    free(bytes);
    return 0;
}
