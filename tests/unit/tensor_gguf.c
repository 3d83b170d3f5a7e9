/* GGUF files: what is written comes back, byte for byte; every lie that a file can tell is
 * refused with the place. */
#include "tensor_files.h"

/* ---- round trips ---------------------------------------------------------------- */

static const float weights[2][3] = {{1, 2, 3}, {-1, -2.5f, 1e-3f}};
static const int64_t steps[] = {1, -2, (int64_t)1 << 40};
static vl_block_q8_0 blocks[4];

/* Every kind of value and tensor the writer knows. */
static void fill(vl_gguf_writer *writer) {
    const vl_gguf_string words[] = {{"the", 3}, {"", 0}, {"a\0b", 3}, {"\xFF\xFE", 2}};
    const int32_t kinds[] = {1, -2, INT32_MAX};
    const float scores[] = {0.5f, -1e30f};
    vl_tensor tensor;
    vl_gguf_set_string(writer, "general.architecture", "seer");
    vl_gguf_set_u32(writer, "seer.width", 320);
    vl_gguf_set_i64(writer, "seer.step", -5000000000);
    vl_gguf_set_f32(writer, "seer.epsilon", 1e-5f);
    vl_gguf_set_bool(writer, "seer.causal", true);
    vl_gguf_set_strings(writer, "words", words, 4);
    vl_gguf_set_i32s(writer, "kinds", kinds, 3);
    vl_gguf_set_f32s(writer, "scores", scores, 2);
    vl_gguf_set_i32s(writer, "none", NULL, 0);
    vl_gguf_set_string(writer, "empty", "");
    for (size_t i = 0; i < sizeof blocks; i++)
        ((unsigned char *)blocks)[i] = (unsigned char)(i * 7);
    assert_int_equal(vl_tensor_init(&tensor, "w", VL_F32, 2, (size_t[]){2, 3}, weights, NULL),
                     VL_OK);
    vl_gguf_add(writer, &tensor);
    assert_int_equal(
        vl_tensor_init(&tensor, "q", VL_Q8_0, 3, (size_t[]){1, 2, 64}, blocks, NULL), VL_OK);
    vl_gguf_add(writer, &tensor);
    assert_int_equal(vl_tensor_init(&tensor, "s", VL_I64, 1, (size_t[]){3}, steps, NULL),
                     VL_OK);
    vl_gguf_add(writer, &tensor);
}

static void write_filled(const char *path) {
    vl_gguf_writer *writer = vl_gguf_writer_new();
    vl_error error = {0};
    fill(writer);
    if (vl_gguf_write(writer, path, &error) != VL_OK)
        fail_msg("%s", error.message);
    vl_gguf_writer_free(writer);
}

static void check_values(const vl_gguf *file) {
    const char *string = NULL;
    uint32_t u32 = 0;
    int64_t i64 = 0;
    float f32 = 0;
    bool flag = false;
    const vl_gguf_string *words;
    const int32_t *kinds;
    const float *scores;
    size_t count;
    assert_int_equal(
        vl_gguf_get_string(file, "general.architecture", VL_REQUIRED, &string, NULL), VL_OK);
    assert_string_equal(string, "seer");
    assert_int_equal(vl_gguf_get_string(file, "empty", VL_REQUIRED, &string, NULL), VL_OK);
    assert_string_equal(string, "");
    assert_int_equal(vl_gguf_get_u32(file, "seer.width", VL_REQUIRED, &u32, NULL), VL_OK);
    assert_int_equal(u32, 320);
    assert_int_equal(vl_gguf_get_i64(file, "seer.step", VL_REQUIRED, &i64, NULL), VL_OK);
    assert_true(i64 == -5000000000);
    assert_int_equal(vl_gguf_get_i64(file, "seer.width", VL_REQUIRED, &i64, NULL), VL_OK);
    assert_true(i64 == 320);
    assert_int_equal(vl_gguf_get_f32(file, "seer.epsilon", VL_REQUIRED, &f32, NULL), VL_OK);
    assert_true(f32 == 1e-5f);
    assert_int_equal(vl_gguf_get_bool(file, "seer.causal", VL_REQUIRED, &flag, NULL), VL_OK);
    assert_true(flag);
    assert_int_equal(vl_gguf_get_strings(file, "words", VL_REQUIRED, &words, &count, NULL),
                     VL_OK);
    assert_int_equal(count, 4);
    assert_true(words[1].bytes == 0 && words[2].bytes == 3);
    assert_memory_equal(words[2].data, "a\0b", 3);
    assert_memory_equal(words[3].data, "\xFF\xFE", 2);
    assert_int_equal(vl_gguf_get_i32s(file, "kinds", VL_REQUIRED, &kinds, &count, NULL), VL_OK);
    assert_true(count == 3 && kinds[1] == -2 && kinds[2] == INT32_MAX);
    assert_int_equal(vl_gguf_get_f32s(file, "scores", VL_REQUIRED, &scores, &count, NULL),
                     VL_OK);
    assert_true(count == 2 && scores[1] == -1e30f);
    assert_int_equal(vl_gguf_get_i32s(file, "none", VL_REQUIRED, &kinds, &count, NULL), VL_OK);
    assert_int_equal(count, 0);
}

static void check_tensors(const vl_gguf *file) {
    assert_int_equal(vl_gguf_tensor_count(file), 3);
    const vl_tensor *w = vl_gguf_find(file, "w"), *q = vl_gguf_find(file, "q");
    assert_ptr_equal(w, vl_gguf_tensor(file, 0));
    assert_true(vl_tensor_has_shape(w, 2, (size_t[]){2, 3}) && w->dtype == VL_F32);
    assert_memory_equal(w->data, weights, sizeof weights);
    assert_true(vl_tensor_has_shape(q, 3, (size_t[]){1, 2, 64}) && q->dtype == VL_Q8_0);
    assert_memory_equal(q->data, blocks, sizeof blocks);
    assert_null(vl_gguf_find(file, "W"));
    assert_null(vl_gguf_tensor(file, 3));
    float values[128], row[64];
    vl_tensor_to_f32(q, values);
    vl_dequantize_row(VL_Q8_0, blocks + 2, 64, row);
    assert_memory_equal(values + 64, row, sizeof row);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal((uintptr_t)vl_gguf_tensor(file, i)->data % VL_GGUF_DATA_ALIGNMENT, 0);
}

static void test_round_trip(void **state) {
    char first[PATH_MAX], second[PATH_MAX];
    vl_gguf *file;
    vl_error error = {0};
    (void)state;
    write_filled(file_path("first.gguf", first));
    if (vl_gguf_open(first, &file, &error) != VL_OK)
        fail_msg("%s", error.message);
    check_values(file);
    check_tensors(file);
    vl_gguf_writer *writer = vl_gguf_writer_new();
    vl_gguf_copy_keys(writer, file);
    for (size_t i = 0; i < vl_gguf_tensor_count(file); i++)
        vl_gguf_add(writer, vl_gguf_tensor(file, i));
    /* Over the file that is mapped: the views stay those of the old one. */
    assert_int_equal(vl_gguf_write(writer, first, NULL), VL_OK);
    assert_int_equal(vl_gguf_write(writer, file_path("second.gguf", second), NULL), VL_OK);
    check_tensors(file);
    vl_gguf_writer_free(writer);
    vl_gguf_free(file);

    vl_buf a, b, fresh;
    char again[PATH_MAX];
    write_filled(file_path("again.gguf", again));
    read_whole(first, &a);
    read_whole(second, &b);
    read_whole(again, &fresh);
    assert_same_bytes(&a, &b);
    assert_same_bytes(&a, &fresh);
    assert_int_equal(files_in_folder(), 3); /* no temporary stays */
    vl_buf_deinit(&a);
    vl_buf_deinit(&b);
    vl_buf_deinit(&fresh);
}

/* The bytes themselves, as the specification draws them. */
static void test_layout(void **state) {
    static const unsigned char expected[] =
        "GGUF\3\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"              /* 24 */
        "\x11\0\0\0\0\0\0\0general.alignment\4\0\0\0\x10\0\0\0"     /* 24 + 33 */
        "\1\0\0\0\0\0\0\0k\x08\0\0\0\2\0\0\0\0\0\0\0hi"             /* + 23 */
        "\1\0\0\0\0\0\0\0t\2\0\0\0\3\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0" /* innermost first */
        "\x18\0\0\0\0\0\0\0\0\0\0\0"                                /* i8, offset 0 */
        "\0\0\0\0\0\0\0"                                            /* 121 to 128 */
        "\1\2\3\4\5\6\0\0\0\0\0\0\0\0\0";                           /* and a NUL of C */
    char path[PATH_MAX];
    const int8_t data[] = {1, 2, 3, 4, 5, 6};
    vl_tensor tensor;
    vl_buf bytes;
    (void)state;
    vl_gguf_writer *writer = vl_gguf_writer_new();
    vl_gguf_set_u32(writer, "general.alignment", 16);
    vl_gguf_set_u32(writer, "k", 1);
    vl_gguf_set_string(writer, "k", "hi"); /* in the place of the old one */
    assert_int_equal(vl_tensor_init(&tensor, "t", VL_I8, 2, (size_t[]){2, 3}, data, NULL),
                     VL_OK);
    vl_gguf_add(writer, &tensor);
    assert_int_equal(vl_gguf_write(writer, file_path("layout.gguf", path), NULL), VL_OK);
    vl_gguf_writer_free(writer);
    read_whole(path, &bytes);
    assert_int_equal(bytes.len, sizeof expected);
    assert_memory_equal(bytes.data, expected, sizeof expected);
    vl_buf_deinit(&bytes);
}

/* ---- lying files ---------------------------------------------------------------- */

/* A good file in memory, its places known, so that one of them can be made to lie. */
typedef struct sample {
    _Alignas(32) unsigned char bytes[1024];
    size_t count;
    size_t key_u32, key_text, key_list, key_words, key_flag, key_ints;
    size_t tensor_a, tensor_b, data;
} sample;

static void put(sample *s, const void *bytes, size_t count) {
    assert_true(s->count + count <= sizeof s->bytes);
    if (count)
        memcpy(s->bytes + s->count, bytes, count);
    s->count += count;
}

static void put_u32(sample *s, uint32_t value) {
    put(s, &value, sizeof value);
}

static void put_u64(sample *s, uint64_t value) {
    put(s, &value, sizeof value);
}

static void put_text(sample *s, const char *text) {
    put_u64(s, strlen(text));
    put(s, text, strlen(text));
}

static size_t put_key(sample *s, const char *name, uint32_t type) {
    size_t at = s->count;
    put_text(s, name);
    put_u32(s, type);
    return at;
}

/* Name of one byte: rank at 9, dimensions at 13 and 21, type at 29, offset at 33. */
static size_t put_tensor(sample *s, const char *name, uint64_t inner, uint64_t outer,
                         uint32_t type, uint64_t offset) {
    size_t at = s->count;
    put_text(s, name);
    put_u32(s, 2);
    put_u64(s, inner);
    put_u64(s, outer);
    put_u32(s, type);
    put_u64(s, offset);
    return at;
}

static void make_sample(sample *s) {
    *s = (sample){.count = 0};
    put(s, "GGUF", 4);
    put_u32(s, 3);
    put_u64(s, 2);
    put_u64(s, 8);
    /* Long enough that a cut behind it is not seen by the counts already. */
    put_key(s, "long", 8);
    put_text(s, "0123456789012345678901234567890123456789012345678901234567890123456789"
                "012345678901234567890123456789");
    s->key_u32 = put_key(s, "n", 4); /* value at 13 */
    put_u32(s, 7);
    s->key_text = put_key(s, "t", 8); /* length at 13, bytes at 21 */
    put_text(s, "text");
    s->key_list = put_key(s, "l", 9); /* element type at 13, length at 17 */
    put_u32(s, 6);
    put_u64(s, 2);
    put(s, (float[]){1, 2}, 8);
    s->key_words = put_key(s, "w", 9); /* first length at 25, second at 34 */
    put_u32(s, 8);
    put_u64(s, 2);
    put_text(s, "a");
    put_text(s, "bc");
    s->key_flag = put_key(s, "f", 7); /* value at 13 */
    put(s, "\1", 1);
    s->key_ints = put_key(s, "i", 9);
    put_u32(s, 5);
    put_u64(s, 1);
    put_u32(s, 9);
    put_key(s, "general.alignment", 4);
    put_u32(s, 32);
    s->tensor_a = put_tensor(s, "a", 32, 2, 8, 0); /* 68 bytes */
    s->tensor_b = put_tensor(s, "b", 3, 2, 0, 96); /* 24 bytes */
    while (s->count % 32)
        put(s, "", 1);
    s->data = s->count;
    for (int i = 0; i < 128; i++)
        put(s, (unsigned char[]){(unsigned char)i}, 1);
}

static void test_sample_is_good(void **state) {
    sample s;
    vl_gguf *file;
    vl_error error = {0};
    (void)state;
    make_sample(&s);
    if (vl_gguf_parse(s.bytes, s.count, &file, &error) != VL_OK)
        fail_msg("%s", error.message);
    assert_int_equal(vl_gguf_tensor_count(file), 2);
    assert_int_equal(vl_gguf_key_count(file), 8);
    const vl_tensor *a = vl_gguf_find(file, "a");
    assert_ptr_equal(a->data, s.bytes + s.data); /* a view, no copy */
    assert_true(vl_tensor_has_shape(a, 2, (size_t[]){2, 32}));
    vl_gguf_free(file);
    assert_int_equal(vl_gguf_parse(s.bytes + 1, s.count - 1, &file, &error), VL_ERR_USAGE);
    assert_null(file);
}

enum place { START, N, TEXT, LIST, WORDS, FLAG, INTS, ALIGNMENT, A, B, DATA, END };

static size_t place_of(const sample *s, enum place place) {
    switch (place) {
    case START:
        return 0;
    case N:
        return s->key_u32;
    case TEXT:
        return s->key_text;
    case LIST:
        return s->key_list;
    case WORDS:
        return s->key_words;
    case FLAG:
        return s->key_flag;
    case INTS:
        return s->key_ints;
    case ALIGNMENT:
        return s->tensor_a - 4;
    case A:
        return s->tensor_a;
    case B:
        return s->tensor_b;
    case DATA:
        return s->data;
    case END:
        return s->count;
    }
    return 0;
}

#define TOP ((uint64_t)1 << 63)
static const struct lie {
    const char *what;
    enum place
        place; /* `value` of `width` bytes is written at place + at; width 0: cut there */
    int at;
    size_t width;
    uint64_t value;
    enum place named; /* the byte that the message must name: named + named_at */
    int named_at;
    vl_status status;
    const char *says;
} lies[] = {
    /* header */
    {"empty", START, 0, 0, 0, START, 0, VL_ERR_INPUT, "magic"},
    {"cut in the magic", START, 3, 0, 0, START, 0, VL_ERR_INPUT, "magic"},
    {"not GGUF", START, 0, 4, 0x46474747, START, 0, VL_ERR_INPUT, "not a GGUF file"},
    {"cut in the version", START, 6, 0, 0, START, 4, VL_ERR_INPUT, "version"},
    {"version 1", START, 4, 4, 1, START, 4, VL_ERR_UNSUPPORTED, "version 1"},
    {"version 2", START, 4, 4, 2, START, 4, VL_ERR_UNSUPPORTED, "version 2"},
    {"version 4", START, 4, 4, 4, START, 4, VL_ERR_UNSUPPORTED, "version 4"},
    {"version 0", START, 4, 4, 0, START, 4, VL_ERR_UNSUPPORTED, "version 0"},
    {"big-endian", START, 4, 4, 0x03000000, START, 4, VL_ERR_UNSUPPORTED, "big-endian"},
    {"cut in the counts", START, 20, 0, 0, START, 8, VL_ERR_INPUT, "more than fit"},
    {"cut in the first key", START, 100, 0, 0, START, 16, VL_ERR_INPUT, "more than fit"},
    {"2^63 tensors", START, 8, 8, TOP, START, 8, VL_ERR_INPUT, "number of tensors"},
    {"2^64-1 tensors", START, 8, 8, UINT64_MAX, START, 8, VL_ERR_INPUT, "number of tensors"},
    {"2^63 keys", START, 16, 8, TOP, START, 16, VL_ERR_INPUT, "number of keys"},
    {"a tensor too many", START, 8, 8, 3, B, 41, VL_ERR_INPUT, "name of a tensor is empty"},
    {"a key too many", START, 16, 8, 9, A, 15, VL_ERR_INPUT, "a tensor of 5629"},
    {"a key too few", START, 16, 8, 7, ALIGNMENT, 32, VL_ERR_UNSUPPORTED, "type 2048"},
    /* keys */
    {"cut in a key", N, 8, 0, 0, N, 0, VL_ERR_INPUT, "a key"},
    {"key of no bytes", N, 0, 8, 0, N, 0, VL_ERR_INPUT, "is empty"},
    {"key of 2^63 bytes", N, 0, 8, TOP, N, 0, VL_ERR_INPUT, "9223372036854775808 bytes"},
    {"key past the end", N, 0, 8, 900, N, 0, VL_ERR_INPUT, "900 bytes"},
    {"key with a newline", N, 8, 1, '\n', N, 0, VL_ERR_INPUT, "control character"},
    {"key that is no UTF-8", N, 8, 1, 0xFF, N, 0, VL_ERR_INPUT, "UTF-8"},
    {"key twice", TEXT, 8, 1, 'n', TEXT, 0, VL_ERR_INPUT, "comes twice"},
    {"cut in a type", N, 11, 0, 0, N, 9, VL_ERR_INPUT, "type of a value"},
    {"type 13", N, 9, 4, 13, N, 9, VL_ERR_UNSUPPORTED, "is 13"},
    {"type 2^32-1", N, 9, 4, UINT32_MAX, N, 9, VL_ERR_UNSUPPORTED, "is 4294967295"},
    {"cut in a number", N, 15, 0, 0, N, 13, VL_ERR_INPUT, "needs 4 bytes"},
    {"cut in a string's length", TEXT, 17, 0, 0, TEXT, 13, VL_ERR_INPUT, "a string"},
    {"cut in a string", TEXT, 23, 0, 0, TEXT, 13, VL_ERR_INPUT, "4 bytes"},
    {"string without end", TEXT, 13, 8, UINT64_MAX, TEXT, 13, VL_ERR_INPUT, "string of"},
    {"string past the end", TEXT, 13, 8, 1000, TEXT, 13, VL_ERR_INPUT, "1000 bytes"},
    {"array of arrays", LIST, 13, 4, 9, LIST, 13, VL_ERR_UNSUPPORTED, "array of arrays"},
    {"array of type 99", LIST, 13, 4, 99, LIST, 13, VL_ERR_UNSUPPORTED, "is 99"},
    {"cut in an array's type", LIST, 15, 0, 0, LIST, 13, VL_ERR_INPUT, "type of an array"},
    {"array of 2^63", LIST, 17, 8, TOP, LIST, 17, VL_ERR_INPUT, "length of an array"},
    {"array whose bytes overflow", LIST, 17, 8, (TOP >> 1) + 1, LIST, 17, VL_ERR_INPUT,
     "length"},
    {"array past the end", LIST, 17, 8, 400, LIST, 17, VL_ERR_INPUT, "is 400"},
    {"cut in an array", LIST, 29, 0, 0, LIST, 17, VL_ERR_INPUT, "length of an array"},
    {"words of 2^61", WORDS, 17, 8, TOP >> 2, WORDS, 17, VL_ERR_INPUT, "length of an array"},
    {"word past the end", WORDS, 34, 8, 5000, WORDS, 34, VL_ERR_INPUT, "5000 bytes"},
    {"cut in a word", WORDS, 43, 0, 0, WORDS, 34, VL_ERR_INPUT, "(key 'w')"},
    {"bool of 2", FLAG, 13, 1, 2, FLAG, 13, VL_ERR_INPUT, "neither 0 nor 1"},
    {"alignment 0", ALIGNMENT, 0, 4, 0, ALIGNMENT, -4 - 25, VL_ERR_INPUT, "is 0"},
    {"alignment 4", ALIGNMENT, 0, 4, 4, ALIGNMENT, -4 - 25, VL_ERR_INPUT, "is 4"},
    {"alignment 48", ALIGNMENT, 0, 4, 48, ALIGNMENT, -4 - 25, VL_ERR_INPUT, "is 48"},
    {"alignment 2^31", ALIGNMENT, 0, 4, 1u << 31, ALIGNMENT, -4 - 25, VL_ERR_INPUT,
     "2147483648"},
    {"alignment as i32", ALIGNMENT, -4, 4, 5, ALIGNMENT, -4 - 25, VL_ERR_INPUT, "not a u32"},
    /* tensors */
    {"cut before the tensors", A, 0, 0, 0, A, 0, VL_ERR_INPUT, "name of a tensor"},
    {"cut in a name", A, 4, 0, 0, A, 0, VL_ERR_INPUT, "name of a tensor"},
    {"name of no bytes", A, 0, 8, 0, A, 0, VL_ERR_INPUT, "is empty"},
    {"name of 65 bytes", A, 0, 8, 65, A, 0, VL_ERR_LIMIT, "65 bytes"},
    {"name with a NUL", A, 8, 1, 0, A, 0, VL_ERR_INPUT, "control character"},
    {"name twice", B, 8, 1, 'a', B, 0, VL_ERR_INPUT, "comes twice"},
    {"no dimensions", A, 9, 4, 0, A, 9, VL_ERR_UNSUPPORTED, "0 dimensions"},
    {"5 dimensions", A, 9, 4, 5, A, 9, VL_ERR_UNSUPPORTED, "5 dimensions"},
    {"2^32-1 dimensions", A, 9, 4, UINT32_MAX, A, 9, VL_ERR_UNSUPPORTED, "4294967295"},
    {"cut in the dimensions", B, 15, 0, 0, B, 13, VL_ERR_INPUT, "a dimension"},
    {"dimension 0", A, 13, 8, 0, A, 13, VL_ERR_INPUT, "dimension is 0"},
    {"dimension 2^63", A, 21, 8, TOP, A, 21, VL_ERR_INPUT, "9223372036854775808"},
    {"dimensions that overflow", A, 21, 8, TOP >> 5, A, 9, VL_ERR_INPUT, "more bytes"},
    {"bytes that overflow", B, 21, 8, TOP >> 3, B, 9, VL_ERR_INPUT, "more bytes"},
    {"row that fills no block", A, 13, 8, 33, A, 9, VL_ERR_INPUT, "multiple of 32"},
    {"more rows than data", A, 21, 8, 60, A, 0, VL_ERR_INPUT, "2040 bytes"},
    {"a row more than data", B, 21, 8, 3, B, 0, VL_ERR_INPUT, "36 bytes at offset 96"},
    {"type q4_K", A, 29, 4, 12, A, 29, VL_ERR_UNSUPPORTED, "q4_K"},
    {"type of nobody", A, 29, 4, 77, A, 29, VL_ERR_UNSUPPORTED, "type 77 (unknown)"},
    {"type that was withdrawn", A, 29, 4, 4, A, 29, VL_ERR_UNSUPPORTED, "type 4 (unknown)"},
    {"cut in a type of tensor", B, 31, 0, 0, B, 29, VL_ERR_INPUT, "type of a tensor"},
    {"cut in an offset", B, 39, 0, 0, B, 33, VL_ERR_INPUT, "offset of a tensor"},
    {"offset 2^64-32", B, 33, 8, UINT64_MAX - 31, B, 0, VL_ERR_INPUT, "18446744073709551584"},
    {"offset past the end", B, 33, 8, 128, B, 0, VL_ERR_INPUT, "24 bytes at offset 128"},
    {"offset off alignment", B, 33, 8, 72, B, 0, VL_ERR_INPUT,
     "no multiple of the alignment 32"},
    {"overlap", B, 33, 8, 64, B, 0, VL_ERR_INPUT, "overlap"},
    {"same place", B, 33, 8, 0, B, 0, VL_ERR_INPUT, "overlap"},
    /* data */
    {"cut before the padding", B, 41, 0, 0, B, 41, VL_ERR_INPUT, "data section would begin"},
    {"no data", DATA, 0, 0, 0, A, 0, VL_ERR_INPUT, "data section of 0"},
    {"cut in the first tensor", DATA, 60, 0, 0, A, 0, VL_ERR_INPUT, "data section of 60"},
    {"cut in the last tensor", DATA, 119, 0, 0, B, 0, VL_ERR_INPUT, "data section of 119"},
};

/* A copy of exactly `count` bytes, so that a sanitizer sees every byte read past them. */
static vl_status parse_exactly(const unsigned char *bytes, size_t count, vl_gguf **file,
                               vl_error *error) {
    void *copy;
    assert_int_equal(posix_memalign(&copy, 32, count ? count : 1), 0);
    memcpy(copy, bytes, count);
    vl_status status = vl_gguf_parse(copy, count, file, error);
    if (status == VL_OK)
        vl_gguf_free(*file);
    free(copy);
    return status;
}

static void test_lies(void **state) {
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        const struct lie *lie = &lies[i];
        sample s;
        vl_gguf *file;
        vl_error error = {0};
        char place[40];
        make_sample(&s);
        size_t at = (size_t)((int)place_of(&s, lie->place) + lie->at);
        snprintf(place, sizeof place,
                 "(in memory): byte %d: ", (int)place_of(&s, lie->named) + lie->named_at);
        if (lie->width)
            memcpy(s.bytes + at, &lie->value, lie->width);
        else
            s.count = at;
        vl_status status = parse_exactly(s.bytes, s.count, &file, &error);
        if (status != lie->status || strncmp(error.message, place, strlen(place)) != 0 ||
            (lie->says && !strstr(error.message, lie->says))) {
            print_message("%s: status %d, expected %d; '%s', expected '%s' and '%s'\n",
                          lie->what, status, lie->status, error.message, place, lie->says);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
    print_message("%zu lying files\n", sizeof lies / sizeof *lies);
}

/* Cut anywhere, a file is refused: nothing in it is there for nothing. */
static void test_every_truncation(void **state) {
    sample s;
    (void)state;
    make_sample(&s);
    for (size_t count = 0; count < s.data + 96 + 24; count++) {
        vl_gguf *file;
        vl_error error = {0};
        assert_int_equal(parse_exactly(s.bytes, count, &file, &error), VL_ERR_INPUT);
        assert_null(file);
        assert_non_null(strstr(error.message, "byte "));
    }
    vl_gguf *file;
    assert_int_equal(parse_exactly(s.bytes, s.data + 96 + 24, &file, NULL), VL_OK);
}

/* ---- metadata that is not what was asked for -------------------------------------- */

static void test_getters(void **state) {
    static const struct {
        const char *key;
        char getter; /* s u i f b S I F */
        vl_need need;
        vl_status status;
        const char *says;
    } rows[] = {
        {"n", 'u', VL_REQUIRED, VL_OK, NULL},
        {"n", 'i', VL_REQUIRED, VL_OK, NULL},
        {"absent", 'u', VL_OPTIONAL, VL_OK, NULL},
        {"absent", 's', VL_OPTIONAL, VL_OK, NULL},
        {"absent", 'I', VL_OPTIONAL, VL_OK, NULL},
        {"absent", 's', VL_REQUIRED, VL_ERR_INPUT, "no key 'absent'"},
        {"absent", 'u', VL_REQUIRED, VL_ERR_INPUT, "no key 'absent'"},
        {"absent", 'i', VL_REQUIRED, VL_ERR_INPUT, "no key 'absent'"},
        {"absent", 'f', VL_REQUIRED, VL_ERR_INPUT, "no key 'absent'"},
        {"absent", 'b', VL_REQUIRED, VL_ERR_INPUT, "no key 'absent'"},
        {"absent", 'S', VL_REQUIRED, VL_ERR_INPUT, "no key 'absent'"},
        {"absent", 'I', VL_REQUIRED, VL_ERR_INPUT, "no key 'absent'"},
        {"absent", 'F', VL_REQUIRED, VL_ERR_INPUT, "no key 'absent'"},
        {"n", 's', VL_OPTIONAL, VL_ERR_INPUT, "'n' is u32, expected string"},
        {"n", 'f', VL_OPTIONAL, VL_ERR_INPUT, "'n' is u32, expected f32"},
        {"n", 'b', VL_OPTIONAL, VL_ERR_INPUT, "'n' is u32, expected bool"},
        {"n", 'I', VL_OPTIONAL, VL_ERR_INPUT, "'n' is u32, expected array of i32"},
        {"t", 'u', VL_REQUIRED, VL_ERR_INPUT, "'t' is string, expected u32"},
        {"f", 'i', VL_REQUIRED, VL_ERR_INPUT, "'f' is bool, expected i64"},
        {"l", 'f', VL_REQUIRED, VL_ERR_INPUT, "'l' is array of f32, expected f32"},
        {"l", 'F', VL_REQUIRED, VL_OK, NULL},
        {"l", 'I', VL_REQUIRED, VL_ERR_INPUT, "'l' is array of f32, expected array of i32"},
        {"w", 's', VL_REQUIRED, VL_ERR_INPUT, "'w' is array of string, expected string"},
        {"w", 'S', VL_REQUIRED, VL_OK, NULL},
        {"i", 'F', VL_REQUIRED, VL_ERR_INPUT, "'i' is array of i32, expected array of f32"},
        {"i", 'u', VL_REQUIRED, VL_ERR_INPUT, "'i' is array of i32, expected u32"},
        {"i", 'I', VL_REQUIRED, VL_OK, NULL},
    };
    sample s;
    vl_gguf *file;
    (void)state;
    make_sample(&s);
    assert_int_equal(vl_gguf_parse(s.bytes, s.count, &file, NULL), VL_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *string = "kept", *key = rows[i].key;
        uint32_t u32 = 11;
        int64_t i64 = 12;
        float f32 = 13;
        bool flag = true;
        const vl_gguf_string *strings = NULL;
        const int32_t *i32s = NULL;
        const float *f32s = NULL;
        size_t count = 14;
        vl_error error = {0};
        vl_need need = rows[i].need;
        vl_status status = VL_ERR_INTERNAL;
        switch (rows[i].getter) {
        case 's':
            status = vl_gguf_get_string(file, key, need, &string, &error);
            break;
        case 'u':
            status = vl_gguf_get_u32(file, key, need, &u32, &error);
            break;
        case 'i':
            status = vl_gguf_get_i64(file, key, need, &i64, &error);
            break;
        case 'f':
            status = vl_gguf_get_f32(file, key, need, &f32, &error);
            break;
        case 'b':
            status = vl_gguf_get_bool(file, key, need, &flag, &error);
            break;
        case 'S':
            status = vl_gguf_get_strings(file, key, need, &strings, &count, &error);
            break;
        case 'I':
            status = vl_gguf_get_i32s(file, key, need, &i32s, &count, &error);
            break;
        case 'F':
            status = vl_gguf_get_f32s(file, key, need, &f32s, &count, &error);
            break;
        }
        assert_int_equal(status, rows[i].status);
        if (rows[i].says && !strstr(error.message, rows[i].says))
            fail_msg("'%s' does not say '%s'", error.message, rows[i].says);
        if (strcmp(key, "absent") == 0 || status != VL_OK) { /* what was there stays */
            assert_string_equal(string, "kept");
            assert_true(u32 == 11 && i64 == 12 && f32 == 13 && flag && count == 14);
        }
    }
    assert_true(vl_gguf_has(file, "n") && !vl_gguf_has(file, "N"));
    assert_string_equal(vl_gguf_key_type(file, "w"), "array of string");
    assert_string_equal(vl_gguf_key_type(file, "general.alignment"), "u32");
    assert_null(vl_gguf_key_type(file, "N"));
    assert_string_equal(vl_gguf_key(file, 1), "n");
    assert_null(vl_gguf_key(file, 8));
    vl_gguf_free(file);
}

/* Integers of every width, and where they fit. */
static void test_integer_widths(void **state) {
    static const struct {
        uint32_t type;
        size_t width;
        uint64_t raw;
        int64_t expected;
        bool fits_u32, fits_i64;
    } rows[] = {
        {0, 1, 255, 255, true, true},
        {1, 1, 0xFF, -1, false, true},
        {2, 2, 65535, 65535, true, true},
        {3, 2, 0x8000, -32768, false, true},
        {4, 4, UINT32_MAX, UINT32_MAX, true, true},
        {5, 4, 0xFFFFFFFE, -2, false, true},
        {10, 8, 1ull << 40, 1ll << 40, false, true},
        {10, 8, TOP, 0, false, false},
        {10, 8, 5, 5, true, true},
        {11, 8, UINT64_MAX, -1, false, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sample s = {.count = 0};
        put(&s, "GGUF", 4);
        put_u32(&s, 3);
        put_u64(&s, 0);
        put_u64(&s, 1);
        put_key(&s, "k", rows[i].type);
        put(&s, &rows[i].raw, rows[i].width);
        vl_gguf *file;
        uint32_t narrow = 0;
        int64_t wide = 0;
        assert_int_equal(vl_gguf_parse(s.bytes, s.count, &file, NULL), VL_OK);
        assert_int_equal(vl_gguf_get_u32(file, "k", VL_REQUIRED, &narrow, NULL),
                         rows[i].fits_u32 ? VL_OK : VL_ERR_INPUT);
        assert_int_equal(vl_gguf_get_i64(file, "k", VL_REQUIRED, &wide, NULL),
                         rows[i].fits_i64 ? VL_OK : VL_ERR_INPUT);
        assert_true(!rows[i].fits_u32 || (int64_t)narrow == rows[i].expected);
        assert_true(!rows[i].fits_i64 || wide == rows[i].expected);
        vl_gguf_free(file);
    }
}

static void test_require(void **state) {
    sample s;
    vl_gguf *file;
    const vl_tensor *tensor = NULL;
    vl_error error = {0};
    (void)state;
    make_sample(&s);
    assert_int_equal(vl_gguf_parse(s.bytes, s.count, &file, NULL), VL_OK);
    assert_int_equal(vl_gguf_require(file, "b", 2, (size_t[]){2, 3}, &tensor, NULL), VL_OK);
    assert_int_equal(tensor->dtype, VL_F32);
    assert_int_equal(vl_gguf_require(file, "b", 2, (size_t[]){3, 2}, &tensor, &error),
                     VL_ERR_INPUT);
    assert_string_equal(error.message, "(in memory): tensor 'b' is [2, 3], expected [3, 2]");
    assert_int_equal(vl_gguf_require(file, "c", 0, NULL, &tensor, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "no tensor 'c'"));
    vl_gguf_free(file);
}

/* ---- what cannot be opened or written ------------------------------------------- */

static void test_paths(void **state) {
    char path[PATH_MAX];
    vl_gguf *file;
    vl_error error = {0};
    (void)state;
    assert_int_equal(vl_gguf_open(file_path("absent.gguf", path), &file, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "absent.gguf"));
    assert_int_equal(vl_gguf_open(folder, &file, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "not a regular file"));
    assert_int_equal(mkfifo(file_path("pipe", path), 0600), 0);
    assert_int_equal(vl_gguf_open(path, &file, &error), VL_ERR_INPUT);
    file_path("empty.gguf", path);
    assert_int_equal(vl_file_write(path, "", 0, NULL), VL_OK);
    assert_int_equal(vl_gguf_open(path, &file, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "empty.gguf: byte 0: "));
    assert_null(file);
}

/* A message has room for what is wrong however long the path is. */
static void test_long_path(void **state) {
    char name[256], path[PATH_MAX];
    vl_gguf *file;
    vl_error error = {0};
    (void)state;
    memset(name, 'x', sizeof name);
    memcpy(name, "\xC3\xA9", 2);
    strcpy(name + 240, ".gguf");
    file_path(name, path);
    assert_int_equal(vl_file_write(path, "GGUF\2\0\0\0", 8, NULL), VL_OK);
    assert_int_equal(vl_gguf_open(path, &file, &error), VL_ERR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "x.gguf: byte 4: GGUF version 2"));
    file_path("\xFF-\xC3.gguf", path);
    assert_int_equal(vl_file_write(path, "GGUF\1\0\0\0", 8, NULL), VL_OK);
    assert_int_equal(vl_gguf_open(path, &file, &error), VL_ERR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "/?-?.gguf: byte 4: GGUF version 1"));
}

static void test_writer_refusals(void **state) {
    static const struct {
        const char *name;
        vl_dtype dtype;
        size_t rank, dims[2], bytes;
        const char *says;
    } rows[] = {
        {"", VL_F32, 1, {4}, 16, "is empty"},
        {"line\nbreak", VL_F32, 1, {4}, 16, "control character"},
        {"0123456789012345678901234567890123456789012345678901234567890123",
         VL_F32,
         1,
         {4},
         16,
         "too long"},
        {"t", VL_U8, 1, {4}, 4, "no type for u8"},
        {"t", VL_F32, 0, {0}, 4, "no dimension"},
        {"t", VL_F32, 2, {0, 3}, 0, "no dimension or one of 0"},
        {"t", VL_F32, 2, {2, 3}, 20, "20 bytes, its shape 24"},
        {"t", VL_Q8_0, 2, {2, 3}, 20, "multiple of 32"},
    };
    char path[PATH_MAX];
    (void)state;
    file_path("refused.gguf", path);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const float data[8] = {0};
        vl_tensor tensor = {.name = rows[i].name,
                            .dtype = rows[i].dtype,
                            .rank = rows[i].rank,
                            .dims = {rows[i].dims[0], rows[i].dims[1], 1, 1},
                            .data = data,
                            .bytes = rows[i].bytes};
        vl_error error = {0};
        vl_gguf_writer *writer = vl_gguf_writer_new();
        vl_gguf_add(writer, &tensor);
        vl_gguf_set_u32(writer, "later", 1); /* the first failure stays */
        assert_int_equal(vl_gguf_write(writer, path, &error), VL_ERR_USAGE);
        if (!strstr(error.message, rows[i].says) || !strstr(error.message, "refused.gguf"))
            fail_msg("'%s' does not say '%s'", error.message, rows[i].says);
        vl_gguf_writer_free(writer);
    }
    assert_int_equal(access(path, F_OK), -1);
}

static void refuse_with(void (*set)(vl_gguf_writer *), const char *says) {
    char path[PATH_MAX];
    vl_error error = {0};
    vl_gguf_writer *writer = vl_gguf_writer_new();
    set(writer);
    assert_int_not_equal(vl_gguf_write(writer, file_path("refused.gguf", path), &error), VL_OK);
    if (!strstr(error.message, says))
        fail_msg("'%s' does not say '%s'", error.message, says);
    vl_gguf_writer_free(writer);
    assert_int_equal(access(path, F_OK), -1);
}

static void set_bad_alignment(vl_gguf_writer *writer) {
    vl_gguf_set_u32(writer, "general.alignment", 33);
}
static void set_text_alignment(vl_gguf_writer *writer) {
    vl_gguf_set_string(writer, "general.alignment", "32");
}
static void set_empty_key(vl_gguf_writer *writer) {
    vl_gguf_set_bool(writer, "", true);
}
static void set_same_tensor(vl_gguf_writer *writer) {
    fill(writer);
    fill(writer);
}
static void set_long_array(vl_gguf_writer *writer) {
    vl_gguf_set_i32s(writer, "k", NULL, VL_GGUF_MAX_ARRAY_LENGTH + 1);
}
static void set_long_string(vl_gguf_writer *writer) {
    vl_gguf_set_strings(writer, "k", &(vl_gguf_string){"x", VL_GGUF_MAX_STRING_BYTES + 1}, 1);
}

static void test_writer_refuses_metadata(void **state) {
    (void)state;
    refuse_with(set_bad_alignment, "general.alignment");
    refuse_with(set_text_alignment, "as u32");
    refuse_with(set_empty_key, "is empty");
    refuse_with(set_same_tensor, "added twice");
    refuse_with(set_long_array, "16777217 elements");
    refuse_with(set_long_string, "16777217 bytes");
}

static vl_status write_to(void *writer, const char *path, vl_error *error) {
    return vl_gguf_write(writer, path, error);
}

static void test_full_disk(void **state) {
    char path[PATH_MAX];
    vl_error error = {0};
    (void)state;
    write_filled(file_path("kept.gguf", path));
    float *large = calloc(1 << 16, sizeof *large);
    vl_tensor tensor;
    vl_tensor_init(&tensor, "large", VL_F32, 1, (size_t[]){1 << 16}, large, NULL);
    vl_gguf_writer *writer = vl_gguf_writer_new();
    vl_gguf_add(writer, &tensor);
    check_full_disk(path, writer, write_to);
    assert_int_equal(vl_gguf_write(writer, folder, &error), VL_ERR_IO); /* a directory */
    assert_int_equal(vl_gguf_write(writer, path, &error), VL_OK);       /* and again */
    vl_gguf_writer_free(writer);
    free(large);
}

int main(void) {
    signal(SIGXFSZ, SIG_IGN); /* the write fails instead */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_sample_is_good),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_getters),
        cmocka_unit_test(test_integer_widths),
        cmocka_unit_test(test_require),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_long_path),
        cmocka_unit_test(test_writer_refusals),
        cmocka_unit_test(test_writer_refuses_metadata),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
