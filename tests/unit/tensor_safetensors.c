/* safetensors files: what is written comes back, byte for byte; every lie that a file can tell
 * is refused with the place. */
#include "tensor_files.h"

#include <sys/wait.h>

/* ---- round trips ---------------------------------------------------------------- */

static const uint8_t pixels[] = {1, 2, 3};
static const float weights[2][2] = {{1, 2}, {3, -4}};
static const int64_t step = 12;
static const uint16_t halves[] = {0x3C00, 0xC000, 0x7BFF};

static void add(vl_safetensors_writer *writer, const char *name, vl_dtype dtype, size_t rank,
                const size_t *dims, const void *data) {
    vl_tensor tensor;
    assert_int_equal(vl_tensor_init(&tensor, name, dtype, rank, dims, data, NULL), VL_OK);
    vl_safetensors_add(writer, &tensor);
}

static void fill(vl_safetensors_writer *writer) {
    vl_safetensors_set(writer, "format", "vl");
    vl_safetensors_set(writer, "note", "a \"quote\", a \\, a\nline, \xC3\xA9");
    vl_safetensors_set(writer, "note2", "");
    vl_safetensors_set(writer, "format", "vislang"); /* in the place of the old one */
    add(writer, "pixels", VL_U8, 1, (size_t[]){3}, pixels);
    add(writer, "enc.0.weight", VL_F32, 2, (size_t[]){2, 2}, weights);
    add(writer, "none", VL_F32, 2, (size_t[]){0, 7}, NULL);
    add(writer, "step", VL_I64, 0, NULL, &step);
    add(writer, "\xC3\xA9 \"h\"", VL_F16, 3, (size_t[]){1, 3, 1}, halves);
}

static void write_filled(const char *path) {
    vl_safetensors_writer *writer = vl_safetensors_writer_new();
    vl_error error = {0};
    fill(writer);
    if (vl_safetensors_write(writer, path, &error) != VL_OK)
        fail_msg("%s", error.message);
    vl_safetensors_writer_free(writer);
}

static void check_file(const vl_safetensors *file) {
    assert_int_equal(vl_safetensors_key_count(file), 3);
    assert_string_equal(vl_safetensors_key(file, 0), "format");
    assert_null(vl_safetensors_key(file, 3));
    assert_string_equal(vl_safetensors_value(file, "format"), "vislang");
    assert_string_equal(vl_safetensors_value(file, "note"),
                        "a \"quote\", a \\, a\nline, \xC3\xA9");
    assert_string_equal(vl_safetensors_value(file, "note2"), "");
    assert_null(vl_safetensors_value(file, "Format"));
    assert_int_equal(vl_safetensors_tensor_count(file), 5);
    const vl_tensor *w = vl_safetensors_find(file, "enc.0.weight");
    assert_true(vl_tensor_has_shape(w, 2, (size_t[]){2, 2}) && w->dtype == VL_F32);
    assert_memory_equal(w->data, weights, sizeof weights);
    const vl_tensor *s = vl_safetensors_find(file, "step");
    assert_true(s->rank == 0 && vl_tensor_elements(s) == 1 && *(const int64_t *)s->data == 12);
    const vl_tensor *h = vl_safetensors_find(file, "\xC3\xA9 \"h\"");
    assert_memory_equal(h->data, halves, sizeof halves);
    assert_int_equal(vl_safetensors_find(file, "none")->bytes, 0);
    assert_null(vl_safetensors_find(file, "enc.0"));
    assert_ptr_equal(vl_safetensors_tensor(file, 0), s); /* the widest first */
    assert_null(vl_safetensors_tensor(file, 5));
}

static void test_round_trip(void **state) {
    char first[PATH_MAX], second[PATH_MAX];
    vl_safetensors *file;
    vl_error error = {0};
    vl_buf a, b;
    (void)state;
    write_filled(file_path("first.safetensors", first));
    if (vl_safetensors_open(first, &file, &error) != VL_OK)
        fail_msg("%s", error.message);
    check_file(file);
    vl_safetensors_writer *writer = vl_safetensors_writer_new();
    for (size_t i = 0; i < vl_safetensors_key_count(file); i++) {
        const char *key = vl_safetensors_key(file, i);
        vl_safetensors_set(writer, key, vl_safetensors_value(file, key));
    }
    for (size_t i = 0; i < vl_safetensors_tensor_count(file); i++)
        vl_safetensors_add(writer, vl_safetensors_tensor(file, i));
    file_path("second.safetensors", second);
    assert_int_equal(vl_safetensors_write(writer, second, NULL), VL_OK);
    /* Over the file that is mapped: the views stay those of the old one. */
    assert_int_equal(vl_safetensors_write(writer, first, NULL), VL_OK);
    check_file(file);
    vl_safetensors_writer_free(writer);
    vl_safetensors_free(file);
    write_filled(first);
    read_whole(first, &a);
    read_whole(second, &b);
    assert_same_bytes(&a, &b);
    assert_int_equal(files_in_folder(), 2); /* no temporary stays */
    vl_buf_deinit(&a);
    vl_buf_deinit(&b);
}

/* The bytes themselves. */
static void test_layout(void **state) {
    static const char header[] =
        "{\"__metadata__\":{\"k\":\"v\"},\"w\":{\"dtype\":\"F32\",\"shape\":[2,2],"
        "\"data_offsets\":[0,16]},\"p\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[16,"
        "19]}}";
    char path[PATH_MAX];
    vl_buf bytes;
    uint64_t length;
    (void)state;
    vl_safetensors_writer *writer = vl_safetensors_writer_new();
    vl_safetensors_set(writer, "k", "v");
    add(writer, "p", VL_U8, 1, (size_t[]){3}, pixels);
    add(writer, "w", VL_F32, 2, (size_t[]){2, 2}, weights);
    assert_int_equal(vl_safetensors_write(writer, file_path("layout", path), NULL), VL_OK);
    vl_safetensors_writer_free(writer);
    read_whole(path, &bytes);
    memcpy(&length, bytes.data, 8);
    assert_int_equal((8 + length) % 64, 0);
    assert_true(length >= strlen(header) && length < strlen(header) + 64);
    assert_memory_equal(bytes.data + 8, header, strlen(header));
    for (size_t i = 8 + strlen(header); i < 8 + length; i++)
        assert_int_equal(bytes.data[i], ' ');
    assert_int_equal(bytes.len, 8 + length + 19);
    assert_memory_equal(bytes.data + 8 + length, weights, 16);
    assert_memory_equal(bytes.data + 8 + length + 16, pixels, 3);
    vl_buf_deinit(&bytes);
}

/* ---- files from text ------------------------------------------------------------ */

typedef struct sample {
    _Alignas(32) unsigned char bytes[4096];
    size_t count;
} sample;

/* `header` and `data` bytes 0, 1, 2, …; `length` -1: the right one. */
static void make(sample *s, const char *header, size_t data, long long length) {
    uint64_t said = length < 0 ? strlen(header) : (uint64_t)length;
    assert_true(8 + strlen(header) + data <= sizeof s->bytes);
    memcpy(s->bytes, &said, 8);
    memcpy(s->bytes + 8, header, strlen(header));
    s->count = 8 + strlen(header);
    for (size_t i = 0; i < data; i++)
        s->bytes[s->count++] = (unsigned char)i;
}

/* A copy of exactly the file's bytes, so that a sanitizer sees every byte read past them. */
static vl_status parse_exactly(const sample *s, vl_error *error) {
    void *copy;
    vl_safetensors *file;
    assert_int_equal(posix_memalign(&copy, 32, s->count ? s->count : 1), 0);
    memcpy(copy, s->bytes, s->count);
    vl_status status = vl_safetensors_parse(copy, s->count, &file, error);
    if (status != VL_OK)
        assert_null(file);
    vl_safetensors_free(file);
    free(copy);
    return status;
}

#define T(dtype, shape, begin, end)                                                            \
    "{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" #begin "," #end "]}"

static void test_sound_files(void **state) {
    static const struct {
        const char *header;
        size_t data, tensors;
    } rows[] = {
        {"{}", 0, 0},
        {"{}   ", 0, 0},
        {"{ \"__metadata__\" : {} }\n", 0, 0},
        {"{\"a\":" T("F32", "2", 0, 8) "}", 8, 1},
        {"{\"a\":" T("F32", "", 0, 4) "}", 4, 1},
        {"{\"a\":" T("U8", "1,2,3,4", 0, 24) "}", 24, 1},
        {"{\"b\":" T("U8", "3", 4, 7) ",\"a\":" T("F32", "1", 0, 4) "}", 7, 2},
        {"{\"z\":" T("F64", "0", 3, 3) ",\"a\":" T("U8", "3", 0, 3) "}", 3, 2},
        {"{\"z\":" T("F64", "5,0", 0, 0) ",\"a\":" T("U8", "3", 0, 3) "}", 3, 2},
        {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,2],\"dtype\":\"BF16\"}}", 2, 1},
        {"{\"\\u00e9\\\"\":" T("I8", "1", 0, 1) "}", 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sample s;
        vl_safetensors *file;
        vl_error error = {0};
        make(&s, rows[i].header, rows[i].data, -1);
        if (vl_safetensors_parse(s.bytes, s.count, &file, &error) != VL_OK)
            fail_msg("%s: %s", rows[i].header, error.message);
        assert_int_equal(vl_safetensors_tensor_count(file), rows[i].tensors);
        vl_safetensors_free(file);
    }
}

/* Views where the file allows it, copies where a type could not be read in place. */
static void test_alignment(void **state) {
    sample s;
    vl_safetensors *file;
    (void)state;
    make(&s, "{\"a\":" T("U8", "3", 0, 3) ",\"b\":" T("F32", "2", 3, 11) "}", 11, -1);
    assert_int_equal(vl_safetensors_parse(s.bytes, s.count, &file, NULL), VL_OK);
    const vl_tensor *a = vl_safetensors_find(file, "a"), *b = vl_safetensors_find(file, "b");
    assert_ptr_equal(a->data, s.bytes + s.count - 11);
    assert_int_equal((uintptr_t)b->data % sizeof(float), 0);
    assert_memory_equal(b->data, s.bytes + s.count - 8, 8);
    vl_safetensors_free(file);
    assert_int_equal(vl_safetensors_parse(s.bytes + 1, s.count - 1, &file, NULL), VL_ERR_USAGE);
}

/* ---- lying files ---------------------------------------------------------------- */

#define A "{\"a\":" T("F32", "2", 0, 8)
static const struct lie {
    const char *header;
    size_t data;
    long long length; /* -1: the right one */
    size_t at;        /* the byte that the message must name */
    vl_status status;
    const char *says;
} lies[] = {
    /* length */
    {"", 0, LLONG_MAX, 0, VL_ERR_INPUT, "9223372036854775807 bytes"},
    {"{}", 0, 3, 0, VL_ERR_INPUT, "a header of 3 bytes, and the file has 2 more"},
    {"{}", 0, 0, 0, VL_ERR_INPUT, "too short"},
    {"{}", 0, 1, 0, VL_ERR_INPUT, "too short"},
    /* characters */
    {"[]", 0, -1, 8, VL_ERR_INPUT, "begins with 0x5b"},
    {" {}", 0, -1, 8, VL_ERR_INPUT, "begins with 0x20"},
    {"{\"\xFF\":{}}", 0, -1, 10, VL_ERR_INPUT, "UTF-8"},
    {"{\"a\n\":{}}", 0, -1, 11, VL_ERR_INPUT, "control character"},
    {"{\"a\\u0000\":{}}", 0, -1, 11, VL_ERR_INPUT, "NUL"},
    {"{\"a\\n\":{}}", 0, -1, 9, VL_ERR_INPUT, "control character"},
    {"{\"a", 0, -1, 9, VL_ERR_INPUT, "string without end"},
    {"{\"a\\", 0, -1, 9, VL_ERR_INPUT, "string without end"},
    {"{\"a\":{\"dtype\":true}}", 0, -1, 22, VL_ERR_INPUT, "byte 0x74"},
    {"{\"a\":null}", 0, -1, 13, VL_ERR_INPUT, "byte 0x6e"},
    /* numbers */
    {"{\"a\":" T("U8", "-1", 0, 1) "}", 1, -1, 36, VL_ERR_INPUT, "byte 0x2d"},
    {"{\"a\":" T("U8", "1.0", 0, 1) "}", 1, -1, 37, VL_ERR_INPUT, "byte 0x2e"},
    {"{\"a\":" T("U8", "1e0", 0, 1) "}", 1, -1, 37, VL_ERR_INPUT, "byte 0x65"},
    {"{\"a\":" T("U8", "01", 0, 1) "}", 1, -1, 36, VL_ERR_INPUT, "begins with 0"},
    {"{\"a\":" T("U8", "9223372036854775808", 0, 1) "}", 1, -1, 36, VL_ERR_INPUT, "19 digits"},
    {"{\"a\":" T("U8", "1", 0, 18446744073709551615) "}", 1, -1, 57, VL_ERR_INPUT, "20 digits"},
    /* grammar */
    {"{\"a\"}", 0, -1, 12, VL_ERR_INPUT, "no JSON"},
    {"{\"a\" 1}", 0, -1, 13, VL_ERR_INPUT, "no JSON"},
    {"{\"a\":{},}", 0, -1, 16, VL_ERR_INPUT, "no JSON"},
    {"{\"\\x\":{}}", 0, -1, 10, VL_ERR_INPUT, "no JSON"},
    {"{\"\\ud800\":{}}", 0, -1, 10, VL_ERR_INPUT, "no JSON"},
    {"{1:{}}", 0, -1, 10, VL_ERR_INPUT, "no JSON"},
    {"{[]}", 0, -1, 10, VL_ERR_INPUT, "no JSON"},
    {"{\"a\":{}", 0, -1, 15, VL_ERR_INPUT, "inside 1 brackets"},
    {"{}}", 0, -1, 10, VL_ERR_INPUT, "too many"},
    {"{}{}", 0, -1, 10, VL_ERR_INPUT, "goes on"},
    {"{},", 0, -1, 10, VL_ERR_INPUT, "goes on"},
    {"{\"a\":{\"shape\":[[1]]}}", 0, -1, 23, VL_ERR_INPUT, "deeper than 3"},
    {"{\"a\":{\"b\":{\"c\":{}}}}", 0, -1, 23, VL_ERR_INPUT, "deeper than 3"},
    /* metadata */
    {"{\"__metadata__\":[]}", 0, -1, 9, VL_ERR_INPUT, "not an object"},
    {"{\"__metadata__\":{\"k\":1}}", 0, -1, 9, VL_ERR_INPUT, "'k' is not a string"},
    {"{\"__metadata__\":{\"k\":{}}}", 0, -1, 9, VL_ERR_INPUT, "'k' is not a string"},
    {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, -1, 9, VL_ERR_INPUT, "'k' comes twice"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, -1, 27, VL_ERR_INPUT, "comes twice"},
    /* tensors */
    {"{\"\":" T("U8", "1", 0, 1) "}", 1, -1, 9, VL_ERR_INPUT, "name of a tensor is empty"},
    {"{\"a\":[]}", 0, -1, 9, VL_ERR_INPUT, "'a' is not an object"},
    {"{\"a\":\"b\"}", 0, -1, 9, VL_ERR_INPUT, "'a' is not an object"},
    {"{\"a\":{}}", 0, -1, 9, VL_ERR_INPUT, "no 'dtype'"},
    {"{\"a\":{\"dtype\":1}}", 0, -1, 9, VL_ERR_INPUT, "no 'dtype'"},
    {"{\"a\":{\"dtype\":\"U8\"}}", 0, -1, 9, VL_ERR_INPUT, "no 'shape'"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":{}}}", 0, -1, 9, VL_ERR_INPUT, "no 'shape'"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[]}}", 0, -1, 9, VL_ERR_INPUT, "no 'data_offsets'"},
    {"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}", 0, -1, 9, VL_ERR_INPUT, "'dtype' twice"},
    {"{\"a\":{\"strides\":[1]}}", 0, -1, 9, VL_ERR_INPUT, "unknown 'strides'"},
    {"{\"a\":{\"Shape\":[1]}}", 0, -1, 9, VL_ERR_INPUT, "unknown 'Shape'"},
    {"{\"a\":" T("F8_E4M3", "1", 0, 1) "}", 1, -1, 9, VL_ERR_UNSUPPORTED, "'F8_E4M3'"},
    {"{\"a\":" T("f32", "1", 0, 4) "}", 4, -1, 9, VL_ERR_UNSUPPORTED, "'f32'"},
    {"{\"a\":" T("U8", "1,1,1,1,1", 0, 1) "}", 1, -1, 9, VL_ERR_UNSUPPORTED, "5 dimensions"},
    {"{\"a\":" T("U8", "\\\"1\\\"", 0, 1) "}", 1, -1, 36, VL_ERR_INPUT, "byte 0x5c"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[\"1\"],\"data_offsets\":[0,1]}}", 1, -1, 9,
     VL_ERR_INPUT, "dimension that is no number"},
    {"{\"a\":" T("F32", "999999999999999,999999999999999", 0, 4) "}", 4, -1, 9, VL_ERR_INPUT,
     "more bytes"},
    {"{\"a\":" T("F64", "2000000000,2000000000", 0, 8) "}", 8, -1, 9, VL_ERR_INPUT,
     "more bytes"},
    {A ",\"a\":" T("F32", "2", 8, 16) "}", 16, -1, 62, VL_ERR_INPUT, "'a' comes twice"},
    /* offsets */
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1, -1, 9, VL_ERR_INPUT,
     "no two 'data_offsets'"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1, -1, 9,
     VL_ERR_INPUT, "no two 'data_offsets'"},
    {"{\"a\":" T("U8", "1", 1, 0) "}", 1, -1, 9, VL_ERR_INPUT, "lies at 1 to 0"},
    {"{\"a\":" T("U8", "2", 0, 2) "}", 1, -1, 9, VL_ERR_INPUT, "data section of 1 bytes"},
    {"{\"a\":" T("U8", "1", 999999999999998, 999999999999999) "}", 1, -1, 9, VL_ERR_INPUT,
     "lies at 999999999999998"},
    {"{\"a\":" T("F32", "2", 0, 4) "}", 4, -1, 9, VL_ERR_INPUT, "its shape needs 8 bytes"},
    {"{\"a\":" T("U8", "0", 0, 4) "}", 4, -1, 9, VL_ERR_INPUT, "its shape needs 0 bytes"},
    {A "}", 9, -1, 70, VL_ERR_INPUT, "1 bytes of data belong to no tensor"},
    {"{}", 1, -1, 10, VL_ERR_INPUT, "1 bytes of data belong to no tensor"},
    {"{\"a\":" T("U8", "1", 1, 2) "}", 2, -1, 9, VL_ERR_INPUT, "there is a hole"},
    {A ",\"b\":" T("U8", "1", 9, 10) "}", 10, -1, 62, VL_ERR_INPUT, "there is a hole"},
    {A ",\"b\":" T("U8", "1", 7, 8) "}", 8, -1, 62, VL_ERR_INPUT, "they overlap"},
    {A ",\"b\":" T("F32", "2", 0, 8) "}", 8, -1, 62, VL_ERR_INPUT, "they overlap"},
    {A ",\"b\":" T("U8", "0", 3, 3) "}", 8, -1, 62, VL_ERR_INPUT, "they overlap"},
};

static void test_lies(void **state) {
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        const struct lie *lie = &lies[i];
        sample s;
        vl_error error = {0};
        char place[40];
        make(&s, lie->header, lie->data, lie->length);
        snprintf(place, sizeof place, "(in memory): byte %zu: ", lie->at);
        vl_status status = parse_exactly(&s, &error);
        if (status != lie->status || strncmp(error.message, place, strlen(place)) != 0 ||
            !strstr(error.message, lie->says)) {
            print_message("%s: status %d, expected %d; '%s', expected '%s' and '%s'\n",
                          lie->header, status, lie->status, error.message, place, lie->says);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
    print_message("%zu lying files\n", sizeof lies / sizeof *lies);
}

static void test_every_truncation(void **state) {
    sample s;
    (void)state;
    make(&s, A ",\"b\":" T("U8", "3", 8, 11) "}", 11, -1);
    size_t whole = s.count;
    for (s.count = 0; s.count < whole; s.count++) {
        vl_error error = {0};
        assert_int_equal(parse_exactly(&s, &error), VL_ERR_INPUT);
        assert_non_null(strstr(error.message, "byte "));
    }
    assert_int_equal(parse_exactly(&s, NULL), VL_OK);
}

/* A header of many tokens, and one past 100 MB, end before a parser would build a tree of them.
 */
static void test_limits(void **state) {
    enum { TOKENS = 3 << 20 };
    void *bytes;
    uint64_t length = 16 + TOKENS;
    vl_safetensors *file;
    vl_error error = {0};
    char path[PATH_MAX];
    (void)state;
    assert_int_equal(posix_memalign(&bytes, 32, 8 + (size_t)length), 0);
    memset(bytes, ',', 8 + (size_t)length);
    memcpy(bytes, &length, 8);
    memcpy((char *)bytes + 8, "{\"a\":[", 6);
    assert_int_equal(vl_safetensors_parse(bytes, 8 + (size_t)length, &file, &error),
                     VL_ERR_LIMIT);
    assert_non_null(strstr(error.message, "tokens"));
    free(bytes);
    /* A sparse file: as large as it says, without taking the disk's room. */
    length = VL_SAFETENSORS_MAX_HEADER + 1;
    assert_int_equal(vl_file_write(file_path("large", path), &length, 8, NULL), VL_OK);
    assert_int_equal(truncate(path, 8 + (off_t)length), 0);
    assert_int_equal(vl_safetensors_open(path, &file, &error), VL_ERR_LIMIT);
    assert_non_null(strstr(error.message, "/large: byte 0: a header of 100000001 bytes"));
    unlink(path);
}

static void test_require(void **state) {
    sample s;
    vl_safetensors *file;
    const vl_tensor *tensor = NULL;
    vl_error error = {0};
    const size_t two[] = {2};
    (void)state;
    make(&s, A "}", 8, -1);
    assert_int_equal(vl_safetensors_parse(s.bytes, s.count, &file, NULL), VL_OK);
    assert_int_equal(vl_safetensors_require(file, "a", VL_F32, 1, two, &tensor, NULL), VL_OK);
    assert_int_equal(vl_safetensors_require(file, "a", VL_F16, 1, two, &tensor, &error),
                     VL_ERR_INPUT);
    assert_string_equal(error.message, "(in memory): tensor 'a' is f32 [2], expected f16 [2]");
    assert_int_equal(vl_safetensors_require(file, "b", VL_F32, 1, two, &tensor, &error),
                     VL_ERR_INPUT);
    vl_safetensors_free(file);
}

/* ---- what cannot be written ------------------------------------------------------ */

static void test_writer_refusals(void **state) {
    static const struct {
        const char *name;
        vl_dtype dtype;
        size_t bytes;
        const char *says;
    } rows[] = {
        {"", VL_F32, 256, "is empty"},          {"a\tb", VL_F32, 256, "control character"},
        {"\xFF", VL_F32, 256, "is not UTF-8"},  {"__metadata__", VL_F32, 256, "the metadata's"},
        {"q", VL_Q8_0, 68, "no type for q8_0"}, {"t", VL_F32, 255, "255 bytes, its shape 256"},
        {"twice", VL_F32, 256, "added twice"},
    };
    char path[PATH_MAX];
    (void)state;
    file_path("refused", path);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const float data[64] = {0};
        vl_tensor tensor = {.name = rows[i].name,
                            .dtype = rows[i].dtype,
                            .rank = 1,
                            .dims = {64, 1, 1, 1},
                            .data = data,
                            .bytes = rows[i].bytes};
        vl_error error = {0};
        vl_safetensors_writer *writer = vl_safetensors_writer_new();
        vl_safetensors_add(writer, &tensor);
        vl_safetensors_add(writer, &tensor);
        assert_int_equal(vl_safetensors_write(writer, path, &error), VL_ERR_USAGE);
        if (!strstr(error.message, rows[i].says) || !strstr(error.message, "refused"))
            fail_msg("'%s' does not say '%s'", error.message, rows[i].says);
        vl_safetensors_writer_free(writer);
    }
    vl_error error = {0};
    vl_safetensors_writer *writer = vl_safetensors_writer_new();
    vl_safetensors_set(writer, "k", "\xC3");
    assert_int_equal(vl_safetensors_write(writer, path, &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "'k' is not UTF-8"));
    vl_safetensors_writer_free(writer);
    assert_int_equal(access(path, F_OK), -1);
}

static vl_status write_to(void *writer, const char *path, vl_error *error) {
    return vl_safetensors_write(writer, path, error);
}

/* A link stays a link and a file keeps its permissions. */
static void test_replacing(void **state) {
    char path[PATH_MAX], link[PATH_MAX], absent[PATH_MAX];
    vl_error error = {0};
    struct stat info;
    (void)state;
    write_filled(file_path("kept", path));
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(symlink(path, file_path("link", link)), 0);
    write_filled(link);
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    float *large = calloc(1 << 16, sizeof *large);
    vl_safetensors_writer *writer = vl_safetensors_writer_new();
    add(writer, "large", VL_F32, 1, (size_t[]){1 << 16}, large);
    check_full_disk(path, writer, write_to);
    file_path("absent/x", absent);
    assert_int_equal(vl_safetensors_write(writer, absent, &error), VL_ERR_IO);
    assert_non_null(strstr(error.message, "absent/x"));
    vl_safetensors_writer_free(writer);
    free(large);
}

/* ---- checkpoints ----------------------------------------------------------------- */

enum { LAYERS = 200, LAYER_FLOATS = 4096 };

/* A checkpoint of which every number is `generation`. */
static void write_generation(const char *path, float generation, float *numbers) {
    char name[32], text[32];
    for (size_t i = 0; i < LAYER_FLOATS; i++)
        numbers[i] = generation;
    vl_safetensors_writer *writer = vl_safetensors_writer_new();
    snprintf(text, sizeof text, "%g", (double)generation);
    vl_safetensors_set(writer, "generation", text);
    for (size_t i = 0; i < LAYERS; i++) {
        snprintf(name, sizeof name, "layer.%zu", i);
        add(writer, name, VL_F32, 2, (size_t[]){64, 64}, numbers);
    }
    assert_int_equal(vl_safetensors_write(writer, path, NULL), VL_OK);
    vl_safetensors_writer_free(writer);
}

/* A process that writes checkpoints is killed at many instants: what is there is always whole.
 */
static void test_killed_while_writing(void **state) {
    char path[PATH_MAX];
    float *numbers = malloc(LAYER_FLOATS * sizeof *numbers);
    uint32_t seed = 5;
    (void)state;
    file_path("checkpoint", path);
    write_generation(path, 1, numbers);
    for (int trial = 0; trial < 12; trial++) {
        pid_t child = fork();
        if (child == 0) {
            for (float generation = 2;; generation++)
                write_generation(path, generation, numbers);
        }
        seed = seed * 1664525u + 1013904223u;
        usleep((seed >> 8) % 30000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        vl_safetensors *file;
        vl_error error = {0};
        if (vl_safetensors_open(path, &file, &error) != VL_OK)
            fail_msg("%s", error.message);
        assert_int_equal(vl_safetensors_tensor_count(file), LAYERS);
        float generation = strtof(vl_safetensors_value(file, "generation"), NULL);
        for (size_t i = 0; i < LAYERS; i++) {
            const float *values = vl_safetensors_tensor(file, i)->data;
            assert_true(values[0] == generation && values[LAYER_FLOATS - 1] == generation);
        }
        vl_safetensors_free(file);
    }
    free(numbers);
}

int main(void) {
    signal(SIGXFSZ, SIG_IGN); /* the write fails instead */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_sound_files),
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_require),
        cmocka_unit_test(test_writer_refusals),
        cmocka_unit_test(test_replacing),
        cmocka_unit_test(test_killed_while_writing),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
