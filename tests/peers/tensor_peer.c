/* tensor_peer.c — our side of test_tensor.py.
 *
 *   tensor_peer write OUT.gguf OUT.safetensors   tensors of every type both formats have
 *   tensor_peer write-q2 OUT.gguf                one tensor of the type that is ours alone
 *   tensor_peer dump FILE                        what is in a file, a line each:
 *                                                "key NAME VALUE…", "tensor NAME TYPE DIMS
 * VALUE…" */
#include <vislang/tensor.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 3, COLUMNS = 64, COUNT = ROWS * COLUMNS };

static _Noreturn void die(const vl_error *error) {
    fprintf(stderr, "tensor_peer: %s\n", error->message);
    exit(1);
}

/* -3, -2.5, -2 … for the exact types; something with a spread for the quantised ones. */
static void fill(float *x, bool exact) {
    for (int i = 0; i < COUNT; i++)
        x[i] = exact ? 0.5f * (float)(i % 40) - 3.0f
                     : 0.02f * (float)((i * 37 + i * i % 11) % 101 - 50);
}

static vl_tensor make(const char *name, vl_dtype dtype, void *data) {
    float x[COUNT];
    vl_tensor tensor;
    vl_error error = {0};
    fill(x, vl_dtype_block(dtype) == 1);
    if (vl_tensor_init(&tensor, name, dtype, 2, (size_t[]){ROWS, COLUMNS}, data, &error) !=
        VL_OK)
        die(&error);
    for (int i = 0; i < COUNT; i++) {
        if (dtype == VL_I8)
            ((int8_t *)data)[i] = (int8_t)(i - 100);
        else if (dtype == VL_U8)
            ((uint8_t *)data)[i] = (uint8_t)i;
        else if (dtype == VL_I16)
            ((int16_t *)data)[i] = (int16_t)(i * 300 - 30000);
        else if (dtype == VL_I32)
            ((int32_t *)data)[i] = (i - 100) * 100000;
        else if (dtype == VL_I64)
            ((int64_t *)data)[i] = (int64_t)(i - 100) * ((int64_t)1 << 40);
        else if (dtype == VL_F64)
            ((double *)data)[i] = (double)x[i];
    }
    if (dtype == VL_F32 || dtype == VL_F16 || dtype == VL_BF16 || vl_dtype_block(dtype) > 1) {
        if (vl_quantize_row(dtype, x, COUNT, data) != VL_OK)
            exit(1);
    }
    return tensor;
}

static void write_gguf(const char *path, vl_dtype from, vl_dtype to) {
    static double data[VL_DTYPE_COUNT][COUNT];
    const vl_gguf_string words[] = {{"one", 3}, {"", 0}, {"\xC3\xA9t\xC3\xA9", 5}};
    vl_error error = {0};
    vl_gguf_writer *writer = vl_gguf_writer_new();
    vl_gguf_set_string(writer, "general.architecture", "seer");
    vl_gguf_set_u32(writer, "seer.width", 320);
    vl_gguf_set_i64(writer, "seer.step", -5000000000);
    vl_gguf_set_f32(writer, "seer.epsilon", 0.25f);
    vl_gguf_set_bool(writer, "seer.causal", true);
    vl_gguf_set_strings(writer, "words", words, 3);
    vl_gguf_set_i32s(writer, "kinds", (int32_t[]){1, -2, 3}, 3);
    vl_gguf_set_f32s(writer, "scores", (float[]){0.5f, -1.0f}, 2);
    for (vl_dtype dtype = from; dtype <= to; dtype++) {
        if (dtype == VL_U8)
            continue;
        vl_tensor tensor = make(vl_dtype_name(dtype), dtype, data[dtype]);
        vl_gguf_add(writer, &tensor);
    }
    if (vl_gguf_write(writer, path, &error) != VL_OK)
        die(&error);
    vl_gguf_writer_free(writer);
}

static void write_safetensors(const char *path) {
    static double data[VL_Q8_0][COUNT];
    vl_error error = {0};
    vl_safetensors_writer *writer = vl_safetensors_writer_new();
    vl_safetensors_set(writer, "format", "vislang");
    vl_safetensors_set(writer, "note", "\"\xC3\xA9\"\n\\");
    for (vl_dtype dtype = VL_F32; dtype < VL_Q8_0; dtype++) {
        vl_tensor tensor = make(vl_dtype_name(dtype), dtype, data[dtype]);
        vl_safetensors_add(writer, &tensor);
    }
    if (vl_safetensors_write(writer, path, &error) != VL_OK)
        die(&error);
    vl_safetensors_writer_free(writer);
}

static void dump_tensor(const vl_tensor *tensor) {
    size_t elements = vl_tensor_elements(tensor);
    float *values = malloc((elements + 1) * sizeof *values);
    if (!values)
        exit(1);
    vl_tensor_to_f32(tensor, values);
    printf("tensor %s %s ", tensor->name, vl_dtype_name(tensor->dtype));
    for (size_t i = 0; i < tensor->rank; i++)
        printf("%s%zu", i ? "x" : "", tensor->dims[i]);
    for (size_t i = 0; i < elements; i++)
        printf(" %.9g", (double)values[i]);
    printf("\n");
    free(values);
}

static void dump_key(const vl_gguf *file, const char *key) {
    const char *string;
    int64_t integer;
    float number;
    bool flag;
    const vl_gguf_string *strings;
    const int32_t *i32s;
    const float *f32s;
    size_t count;
    printf("key %s", key);
    if (vl_gguf_get_string(file, key, VL_REQUIRED, &string, NULL) == VL_OK)
        printf(" %s", string);
    else if (vl_gguf_get_i64(file, key, VL_REQUIRED, &integer, NULL) == VL_OK)
        printf(" %" PRId64, integer);
    else if (vl_gguf_get_f32(file, key, VL_REQUIRED, &number, NULL) == VL_OK)
        printf(" %.9g", (double)number);
    else if (vl_gguf_get_bool(file, key, VL_REQUIRED, &flag, NULL) == VL_OK)
        printf(" %s", flag ? "true" : "false");
    else if (vl_gguf_get_strings(file, key, VL_REQUIRED, &strings, &count, NULL) == VL_OK)
        for (size_t i = 0; i < count; i++)
            printf(" '%.*s'", (int)strings[i].bytes, strings[i].data);
    else if (vl_gguf_get_i32s(file, key, VL_REQUIRED, &i32s, &count, NULL) == VL_OK)
        for (size_t i = 0; i < count; i++)
            printf(" %" PRId32, i32s[i]);
    else if (vl_gguf_get_f32s(file, key, VL_REQUIRED, &f32s, &count, NULL) == VL_OK)
        for (size_t i = 0; i < count; i++)
            printf(" %.9g", (double)f32s[i]);
    printf("\n");
}

static void dump_gguf(const char *path) {
    vl_gguf *file;
    vl_error error = {0};
    if (vl_gguf_open(path, &file, &error) != VL_OK)
        die(&error);
    for (size_t i = 0; i < vl_gguf_key_count(file); i++)
        dump_key(file, vl_gguf_key(file, i));
    for (size_t i = 0; i < vl_gguf_tensor_count(file); i++)
        dump_tensor(vl_gguf_tensor(file, i));
    vl_gguf_free(file);
}

static void dump_safetensors(const char *path) {
    vl_safetensors *file;
    vl_error error = {0};
    if (vl_safetensors_open(path, &file, &error) != VL_OK)
        die(&error);
    for (size_t i = 0; i < vl_safetensors_key_count(file); i++) {
        const char *key = vl_safetensors_key(file, i);
        printf("key %s %s\n", key, vl_safetensors_value(file, key));
    }
    for (size_t i = 0; i < vl_safetensors_tensor_count(file); i++)
        dump_tensor(vl_safetensors_tensor(file, i));
    vl_safetensors_free(file);
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "write") == 0) {
        write_gguf(argv[2], VL_F32, VL_Q4_0);
        write_safetensors(argv[3]);
    } else if (argc == 3 && strcmp(argv[1], "write-q2") == 0) {
        write_gguf(argv[2], VL_Q2_0, VL_Q2_0);
    } else if (argc == 3 && strcmp(argv[1], "dump") == 0) {
        if (strstr(argv[2], ".gguf"))
            dump_gguf(argv[2]);
        else
            dump_safetensors(argv[2]);
    } else {
        fprintf(stderr,
                "usage: tensor_peer write GGUF SAFETENSORS | write-q2 GGUF | dump FILE\n");
        return 2;
    }
    return 0;
}
