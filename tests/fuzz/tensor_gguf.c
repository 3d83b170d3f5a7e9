/* tensor_gguf.c — any bytes as a GGUF file: every key asked for as every type, every tensor
 * read to its last byte. */
#include <vislang/tensor.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

/* A failure says why and changes nothing. */
static void ask(const vl_gguf *file, const char *key, vl_need need) {
    const char *string = NULL;
    uint32_t u32;
    int64_t i64;
    float f32;
    bool flag;
    const vl_gguf_string *strings = NULL;
    const int32_t *i32s = NULL;
    const float *f32s = NULL;
    size_t count = 0, sum = 0;
    vl_error error = {0};
    if (vl_gguf_get_string(file, key, need, &string, &error) == VL_OK && string)
        sum += strlen(string);
    else
        check(!string);
    int numbers = 0;
    numbers += vl_gguf_get_u32(file, key, VL_REQUIRED, &u32, &error) == VL_OK;
    numbers += vl_gguf_get_f32(file, key, VL_REQUIRED, &f32, &error) == VL_OK;
    numbers += vl_gguf_get_bool(file, key, VL_REQUIRED, &flag, &error) == VL_OK;
    check(numbers <= 1); /* no value is of two kinds */
    if (vl_gguf_get_i64(file, key, VL_REQUIRED, &i64, &error) != VL_OK)
        check(*error.message);
    if (vl_gguf_get_strings(file, key, need, &strings, &count, &error) == VL_OK && strings) {
        for (size_t i = 0; i < count; i++)
            sum += strings[i].bytes ? (unsigned char)strings[i].data[strings[i].bytes - 1] : 0;
    }
    if (vl_gguf_get_i32s(file, key, need, &i32s, &count, &error) == VL_OK && i32s) {
        for (size_t i = 0; i < count; i++)
            sum += (size_t)i32s[i];
    }
    if (vl_gguf_get_f32s(file, key, need, &f32s, &count, &error) == VL_OK && f32s) {
        for (size_t i = 0; i < count; i++)
            sum += f32s[i] > 0;
    }
    static volatile size_t sink;
    sink = sum;
    (void)sink;
}

static void read_tensor(const vl_gguf *file, size_t index, size_t size) {
    const vl_tensor *tensor = vl_gguf_tensor(file, index);
    size_t elements = vl_tensor_elements(tensor);
    check(vl_gguf_find(file, tensor->name) == tensor);
    check(tensor->bytes <= size && elements <= tensor->bytes * 4);
    float *values = malloc(elements * sizeof *values);
    if (!values)
        return;
    vl_tensor_to_f32(tensor, values);
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    void *bytes; /* aligned, and no byte longer than the input */
    if (posix_memalign(&bytes, VL_GGUF_DATA_ALIGNMENT, size ? size : 1) != 0)
        return 0;
    if (size)
        memcpy(bytes, data, size);
    vl_gguf *file;
    vl_error error = {0};
    vl_status status = vl_gguf_parse(bytes, size, &file, &error);
    check(status == VL_OK ? file != NULL : !file && strstr(error.message, "byte "));
    if (status == VL_OK) {
        for (size_t i = 0; i < vl_gguf_key_count(file); i++)
            ask(file, vl_gguf_key(file, i), i % 2 ? VL_OPTIONAL : VL_REQUIRED);
        ask(file, "no such key", VL_OPTIONAL);
        for (size_t i = 0; i < vl_gguf_tensor_count(file); i++)
            read_tensor(file, i, size);
        vl_gguf_writer *writer = vl_gguf_writer_new();
        vl_gguf_copy_keys(writer, file);
        vl_gguf_writer_free(writer);
        vl_gguf_free(file);
    }
    free(bytes);
    return 0;
}
