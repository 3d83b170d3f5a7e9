/* Tests of the index of vectors: what is written comes back, a search finds what a search in
 * floats finds, every lie of a file is refused with its place, and the index of a folder
 * follows the folder and survives being killed. */
#include <vislang/model.h>

#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[PATH_MAX];

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "%s/tests/vectors.XXXXXX", TEST_BINARY_DIR);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char *roots[] = {folder, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; tree && (entry = fts_read(tree));)
        if (entry->fts_info != FTS_D)
            remove(entry->fts_path);
    if (tree)
        fts_close(tree);
    return 0;
}

static const char *path_of(const char *name) {
    static char out[PATH_MAX];
    snprintf(out, sizeof out, "%.3000s/%s", folder, name);
    return out;
}

#define must(call, error)                                                                      \
    do {                                                                                       \
        if ((call) != VL_OK)                                                                   \
            fail_msg("%s", (error).message);                                                   \
    } while (0)

/* ---- vectors ---------------------------------------------------------------------- */

static uint64_t noise = 1;

static double uniform(void) {
    noise = noise * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return ((double)(noise >> 11) + 0.5) / 9007199254740992.0;
}

static void random_unit(float *vector, size_t n) {
    double square = 0;
    for (size_t i = 0; i < n; i++) {
        double x = sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
        vector[i] = (float)x;
        square += x * x;
    }
    for (size_t i = 0; i < n; i++)
        vector[i] = (float)((double)vector[i] / sqrt(square));
}

/* `count` vectors under names that sort as their numbers. */
static vl_vectors *make_index(const char *path, const float *vectors, size_t count,
                              size_t size) {
    vl_error error = {0};
    vl_vectors_writer *writer;
    vl_vectors *index;
    must(vl_vectors_writer_new("toy 1", size, &writer, &error), error);
    for (size_t i = count; i-- > 0;) { /* backwards: writing sorts */
        char name[32];
        snprintf(name, sizeof name, "p/%06zu.jpg", i);
        vl_vectors_picture picture = {.name = name, .bytes = 1000 + i, .mtime_ns = -(long)i};
        picture.hash[0] = (uint8_t)i;
        must(vl_vectors_add(writer, &picture, vectors + i * size, &error), error);
    }
    assert_int_equal(vl_vectors_writer_count(writer), count);
    must(vl_vectors_write(writer, path, &error), error);
    vl_vectors_writer_free(writer);
    must(vl_vectors_open(path, &index, &error), error);
    return index;
}

static double exact(const float *a, const float *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Number of the best of all by floats. */
static size_t naive_best(const float *vectors, size_t count, size_t size, const float *query,
                         double *score) {
    size_t best = 0;
    *score = -2;
    for (size_t i = 0; i < count; i++) {
        double s = exact(query, vectors + i * size, size);
        if (s > *score) {
            *score = s;
            best = i;
        }
    }
    return best;
}

static void test_round_trip(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 31, 32, 33, 256, 300, VL_VECTORS_MAX_SIZE};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        enum { COUNT = 5 };
        size_t size = sizes[s];
        float *vectors = malloc(COUNT * size * sizeof *vectors), *back = malloc(size * 4);
        for (size_t i = 0; i < COUNT; i++)
            random_unit(vectors + i * size, size);
        vl_vectors *index = make_index(path_of("a.idx"), vectors, COUNT, size);
        assert_int_equal(vl_vectors_count(index), COUNT);
        assert_int_equal(vl_vectors_size(index), size);
        assert_string_equal(vl_vectors_model(index), "toy 1");
        assert_null(vl_vectors_name(index, COUNT));
        assert_int_equal(vl_vectors_find(index, "p/000003.jpg"), 3);
        assert_true(vl_vectors_find(index, "p/3.jpg") == SIZE_MAX);
        for (size_t i = 0; i < COUNT; i++) {
            vl_vectors_picture picture;
            assert_true(vl_vectors_at(index, i, &picture));
            assert_true(picture.bytes == 1000 + i && picture.mtime_ns == -(long)i &&
                        picture.hash[0] == i);
            vl_vectors_get(index, i, back);
            for (size_t j = 0; j < size; j++)
                assert_true(fabs((double)back[j] - (double)vectors[i * size + j]) < 4e-5);
        }
        vl_vectors_picture none;
        assert_false(vl_vectors_at(index, COUNT, &none));
        vl_vectors_free(index);
        free(vectors);
        free(back);
    }
}

/* Against a search in floats: hits, their order, their scores. */
static void test_search_is_exact(void **state) {
    (void)state;
    enum { COUNT = 4000, SIZE = 256, QUERIES = 300, K = 10 };
    float *vectors = malloc(COUNT * SIZE * sizeof *vectors), query[SIZE];
    for (size_t i = 0; i < COUNT; i++)
        random_unit(vectors + i * SIZE, SIZE);
    vl_vectors *index = make_index(path_of("a.idx"), vectors, COUNT, SIZE);
    size_t same = 0, ordered = 0;
    double worst = 0;
    for (size_t q = 0; q < QUERIES; q++) {
        vl_vectors_hit hits[K];
        vl_error error = {0};
        size_t count;
        double score;
        random_unit(query, SIZE);
        must(vl_vectors_search(index, query, K, hits, &count, &error), error);
        assert_int_equal(count, K);
        same += hits[0].index == naive_best(vectors, COUNT, SIZE, query, &score);
        bool order = true;
        for (size_t i = 0; i < K; i++) {
            double truth = exact(query, vectors + hits[i].index * SIZE, SIZE);
            worst = fmax(worst, fabs(truth - (double)hits[i].score));
            order &= i == 0 || truth <= exact(query, vectors + hits[i - 1].index * SIZE, SIZE);
        }
        /* No vector outside beats the last hit by more than the error of two scores. */
        size_t better = 0;
        for (size_t i = 0; i < COUNT; i++)
            better += exact(query, vectors + i * SIZE, SIZE) > (double)hits[K - 1].score + 2e-5;
        assert_true(better < K);
        ordered += order;
    }
    print_message("top-1 as in floats: %zu of %d; first %d in the same order: %zu; largest "
                  "error of a score %.2g\n",
                  same, QUERIES, K, ordered, worst);
    assert_true(same * 100 > QUERIES * 99);
    assert_true(worst < 1e-5);
    vl_vectors_free(index);
    free(vectors);
}

/* Near copies: closer together than the rounding to 8 bits. */
static void test_near_copies(void **state) {
    (void)state;
    enum { COUNT = 200, SIZE = 64 };
    float *vectors = malloc(COUNT * SIZE * sizeof *vectors), query[SIZE];
    vl_vectors_hit hits[COUNT];
    vl_error error = {0};
    size_t count;
    random_unit(query, SIZE);
    for (size_t i = 0; i < COUNT; i++) {
        random_unit(vectors + i * SIZE, SIZE);
        for (size_t j = 0; j < SIZE; j++) /* score near 1 − i · 5e-5 */
            vectors[i * SIZE + j] =
                query[j] * (float)(1 - 5e-5 * (double)i) + vectors[i * SIZE + j] * 1e-7f;
    }
    vl_vectors *index = make_index(path_of("a.idx"), vectors, COUNT, SIZE);
    must(vl_vectors_search(index, query, COUNT, hits, &count, &error), error);
    assert_int_equal(count, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(hits[i].index, i);
    vl_vectors_free(index);
    free(vectors);
}

static void test_edges(void **state) {
    (void)state;
    enum { SIZE = 40 };
    float vectors[4 * SIZE] = {0}, query[SIZE];
    vl_vectors_hit hits[8];
    vl_error error = {0};
    size_t count = 7;
    random_unit(query, SIZE);
    vl_vectors *index = make_index(path_of("a.idx"), vectors, 0, SIZE);
    must(vl_vectors_search(index, query, 8, hits, &count, &error), error);
    assert_int_equal(count, 0);
    vl_vectors_free(index);

    memcpy(vectors, query, sizeof query);
    index = make_index(path_of("a.idx"), vectors, 1, SIZE);
    must(vl_vectors_search(index, query, 8, hits, &count, &error), error);
    assert_int_equal(count, 1);
    assert_true(fabsf(hits[0].score - 1) < 1e-5f);
    must(vl_vectors_search(index, query, 0, NULL, &count, &error), error);
    assert_int_equal(count, 0);
    vl_vectors_free(index);

    for (size_t i = 1; i < 4; i++) /* equal ones come by name */
        memcpy(vectors + i * SIZE, query, sizeof query);
    index = make_index(path_of("a.idx"), vectors, 4, SIZE);
    for (size_t k = 1; k <= 8; k++) {
        must(vl_vectors_search(index, query, k, hits, &count, &error), error);
        assert_int_equal(count, k < 4 ? k : 4);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(hits[i].index, i);
    }
    const float bad[] = {NAN, INFINITY, -INFINITY, 1e30f};
    for (size_t i = 0; i < 4; i++) {
        query[SIZE - 1] = bad[i];
        assert_int_equal(vl_vectors_search(index, query, 1, hits, &count, &error),
                         VL_ERR_USAGE);
    }
    memset(query, 0, sizeof query);
    must(vl_vectors_search(index, query, 2, hits, &count, &error), error);
    assert_true(count == 2 && hits[0].index == 0 && hits[0].score == 0);
    vl_vectors_free(index);
}

static void test_writer_refuses(void **state) {
    (void)state;
    static const char *const names[] = {"", "/etc/passwd", "..", "../a", "a/../b", "a/.."};
    static const char *const fine[] = {"a", "...", "..a", "a../b", "a b/\xC3\xA9\n.jpg"};
    float vector[8] = {1};
    vl_error error;
    vl_vectors_writer *writer;
    char long_name[VL_VECTORS_MAX_NAME + 2];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    assert_int_equal(vl_vectors_writer_new("", 8, &writer, &error), VL_ERR_USAGE);
    assert_int_equal(vl_vectors_writer_new("a\nb", 8, &writer, &error), VL_ERR_USAGE);
    assert_int_equal(vl_vectors_writer_new(long_name, 8, &writer, &error), VL_ERR_USAGE);
    assert_int_equal(vl_vectors_writer_new("m", 0, &writer, &error), VL_ERR_USAGE);
    assert_int_equal(vl_vectors_writer_new("m", VL_VECTORS_MAX_SIZE + 1, &writer, &error),
                     VL_ERR_USAGE);
    must(vl_vectors_writer_new("m", 8, &writer, &error), error);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        vl_vectors_picture picture = {.name = names[i]};
        assert_int_equal(vl_vectors_add(writer, &picture, vector, &error), VL_ERR_USAGE);
    }
    vl_vectors_picture picture = {.name = long_name};
    assert_int_equal(vl_vectors_add(writer, &picture, vector, &error), VL_ERR_USAGE);
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        picture.name = fine[i];
        must(vl_vectors_add(writer, &picture, vector, &error), error);
    }
    const float bad[] = {NAN, INFINITY, 2e3f};
    for (size_t i = 0; i < 3; i++) {
        vector[5] = bad[i];
        picture.name = "bad";
        assert_int_equal(vl_vectors_add(writer, &picture, vector, &error), VL_ERR_INPUT);
    }
    assert_int_equal(vl_vectors_writer_count(writer), 5);
    assert_int_equal(vl_vectors_write(writer, path_of("no/where"), &error), VL_ERR_IO);
    vector[5] = 0;
    picture.name = fine[0];
    must(vl_vectors_add(writer, &picture, vector, &error), error);
    assert_int_equal(vl_vectors_write(writer, path_of("b.idx"), &error), VL_ERR_USAGE);
    assert_non_null(strstr(error.message, "came twice"));
    vl_vectors_writer_free(writer);
}

/* ---- files that lie --------------------------------------------------------------- */

static uint64_t sum_step(uint64_t sum, uint64_t word) {
    sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return sum << 29 | sum >> 35;
}

/* Another reading of docs/search.md: the checksum, made right again after a change. */
static void seal(unsigned char *bytes, size_t count) {
    uint64_t lane[4] = {1, 2, 3, 4}, whole = 0, word;
    for (size_t at = 0; at + 8 < count; at += 8) {
        memcpy(&word, bytes + at, 8);
        lane[at / 8 % 4] = sum_step(lane[at / 8 % 4], word);
    }
    for (size_t i = 0; i < 4; i++)
        whole = sum_step(whole, lane[i]);
    memcpy(bytes + count - 8, &whole, 8);
}

/* Of the sound file: header 192; 3 entries from 192; rounded from 384 (3 · 68); rest from 640;
 * names from 896 (3 · 13); checksum at 960. */
enum { SOUND_BYTES = 968, ENTRY = 192, ROUNDED = 384, REST = 640, NAMES = 896 };

static const struct lie {
    const char *what;
    size_t at, count; /* bytes that are changed */
    const char *bytes;
    bool sealed; /* the checksum is made right again */
    const char *says;
} lies[] = {
    {"magic", 0, 1, "X", true, "byte 0: this is no index"},
    {"version 0", 8, 4, "\0\0\0\0", true, "byte 8: version 0"},
    {"version 2", 8, 4, "\2\0\0\0", true, "byte 8: version 2"},
    {"no values", 12, 4, "\0\0\0\0", true, "byte 12: vectors of 0 values"},
    {"too many values", 12, 4, "\1\x10\0\0", true, "byte 12: vectors of 4097"},
    {"other values", 12, 4, "\x80\0\0\0", true, "byte 968: the file ends here"},
    {"one vector more", 16, 1, "\4", true, "byte 968: the file ends here"},
    {"one vector less", 16, 1, "\2", true, "byte 968: the file ends here"},
    {"no vectors", 16, 1, "\0", true, "byte 24"},
    {"2^63 vectors", 23, 1, "\x80", true, "byte 16"},
    {"2^24 + 1 vectors", 16, 4, "\1\0\0\1", true, "byte 16"},
    {"many names", 24, 4, "\0\0\1\0", true, "byte 24"},
    {"fewer names", 24, 1, "\x26", true, "byte 320: entry 2"},
    {"more names", 24, 1, "\x28", true, "byte 935: names that belong to no vector"},
    {"longest is no number", 32, 4, "\0\0\xC0\x7F", true, "byte 32"},
    {"error is infinite", 36, 4, "\0\0\x80\x7F", true, "byte 32"},
    {"error is negative", 36, 4, "\0\0\x80\xBF", true, "byte 32"},
    {"model without a name", 40, 1, "\0", true, "byte 40: the model's name is empty"},
    {"model with a bell", 41, 1, "\7", true, "byte 40: the model's name holds a control"},
    {"model is no UTF-8", 41, 1, "\xFF", true, "byte 40: the model's name is not UTF-8"},
    {"bytes after the model", 100, 1, "x", true, "mean nothing are not zero"},
    {"bytes after the header's fields", 191, 1, "x", true, "mean nothing are not zero"},
    {"name elsewhere", ENTRY + 64, 1, "\0", true, "byte 256: entry 1: the name is not where"},
    {"name far away", ENTRY + 64 + 7, 1, "\x80", true, "byte 256: entry 1"},
    {"name too long", ENTRY + 8, 4, "\xFF\xFF\xFF\xFF", true, "byte 192: entry 0"},
    {"name of 0", ENTRY + 8, 1, "\0", true, "byte 896: entry 0: the name is empty"},
    {"name too short", ENTRY + 8, 1, "\3", true, "entry 0: the name does not end"},
    {"zero is not", ENTRY + 12, 1, "\1", true, "byte 192: entry 0"},
    {"absolute", NAMES, 1, "/", true, "byte 896: entry 0: the name is absolute"},
    {"out of the folder", NAMES, 3, "../", true, "entry 0: the name leads out"},
    {"NUL in a name", NAMES + 2, 1, "\0", true, "entry 0: the name holds a NUL"},
    {"not in order", NAMES, 1, "q", true, "byte 909: entry 1: the name does not follow"},
    {"twice", NAMES + 13, 12, "p/000000.jpg", true, "byte 909: entry 1"},
    {"rounded scale is infinite", ROUNDED + 68 + 34, 2, "\0\x7C", true, "byte 452: vector 1"},
    {"rest scale is no number", REST + 2 * 68, 2, "\1\xFE", true, "byte 776: vector 2"},
    {"between sections", ROUNDED + 3 * 68, 1, "x", true, "byte 588: bytes between"},
    {"after the names", NAMES + 39, 1, "x", true, "byte 935: bytes between"},
    {"a bit of a vector", ROUNDED + 10, 1, "\x55", false, "byte 960: the checksum"},
    {"a bit of a date", ENTRY + 24, 1, "\x55", false, "byte 960: the checksum"},
    {"a bit of the checksum", 960, 1, "\x55", false, "byte 960: the checksum"},
};

static void check_lie(const struct lie *lie, const unsigned char *sound) {
    _Alignas(64) unsigned char bytes[SOUND_BYTES];
    vl_error error = {0};
    vl_vectors *index;
    memcpy(bytes, sound, SOUND_BYTES);
    memcpy(bytes + lie->at, lie->bytes, lie->count);
    if (lie->sealed)
        seal(bytes, SOUND_BYTES);
    vl_status status = vl_vectors_parse(bytes, SOUND_BYTES, &index, &error);
    bool later = !strcmp(lie->what, "version 2");
    if (status != (later ? VL_ERR_UNSUPPORTED : VL_ERR_INPUT) || index)
        fail_msg("%s: status %d, '%s'", lie->what, status, error.message);
    if (!strstr(error.message, lie->says))
        fail_msg("%s: said '%s', not '%s'", lie->what, error.message, lie->says);
}

static void test_lies(void **state) {
    (void)state;
    enum { SIZE = 50 };
    _Alignas(64) unsigned char sound[SOUND_BYTES + 1];
    float vectors[3 * SIZE];
    vl_error error = {0};
    vl_vectors *index;
    for (size_t i = 0; i < 3; i++)
        random_unit(vectors + i * SIZE, SIZE);
    vl_vectors_free(make_index(path_of("a.idx"), vectors, 3, SIZE));
    FILE *file = fopen(path_of("a.idx"), "rb");
    assert_int_equal(fread(sound, 1, sizeof sound, file), SOUND_BYTES);
    fclose(file);
    unsigned char copy[SOUND_BYTES];
    memcpy(copy, sound, sizeof copy);
    seal(copy, sizeof copy);
    assert_memory_equal(copy, sound, sizeof copy);

    must(vl_vectors_parse(sound, SOUND_BYTES, &index, &error), error);
    vl_vectors_free(index);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        check_lie(&lies[i], sound);
    for (size_t length = 0; length <= SOUND_BYTES + 1; length++)
        if (length != SOUND_BYTES) {
            assert_int_equal(vl_vectors_parse(sound, length, &index, &error), VL_ERR_INPUT);
            assert_non_null(strstr(error.message, "byte "));
        }
    assert_int_equal(vl_vectors_parse(sound + 1, SOUND_BYTES, &index, &error), VL_ERR_USAGE);
    assert_int_equal(vl_vectors_open(path_of("none.idx"), &index, &error), VL_ERR_INPUT);
    assert_int_equal(vl_vectors_open(folder, &index, &error), VL_ERR_INPUT);
    assert_null(index);
}

/* Every single bit of a file is under its checksum. */
static void test_every_bit_counts(void **state) {
    (void)state;
    enum { SIZE = 32 };
    _Alignas(64) unsigned char bytes[2048];
    float vectors[SIZE];
    vl_vectors *index;
    random_unit(vectors, SIZE);
    vl_vectors_free(make_index(path_of("a.idx"), vectors, 1, SIZE));
    FILE *file = fopen(path_of("a.idx"), "rb");
    size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t bit = 0; bit < 8 * count; bit++) {
        bytes[bit / 8] = (unsigned char)(bytes[bit / 8] ^ 1u << bit % 8);
        assert_int_not_equal(vl_vectors_parse(bytes, count, &index, NULL), VL_OK);
        bytes[bit / 8] = (unsigned char)(bytes[bit / 8] ^ 1u << bit % 8);
    }
    assert_int_equal(vl_vectors_parse(bytes, count, &index, NULL), VL_OK);
    vl_vectors_free(index);
}

/* ---- the index of a folder -------------------------------------------------------- */

/* A network of three values: the mean colour, made a unit vector. */
static size_t looked; /* pictures that any of them saw; under the lock below */
static pthread_mutex_t looked_lock = PTHREAD_MUTEX_INITIALIZER;
static useconds_t slowness;

static vl_status mean_colour(void *user, size_t worker, const vl_image *image, float *vector,
                             vl_error *error) {
    (void)user, (void)worker, (void)error;
    double sum[3] = {1e-9, 0, 0};
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++)
            for (uint32_t c = 0; c < 3; c++)
                sum[c] += image->pixels[y * image->stride + x * image->channels +
                                        (image->channels == 3 ? c : 0)];
    double length = sqrt(sum[0] * sum[0] + sum[1] * sum[1] + sum[2] * sum[2]);
    for (size_t c = 0; c < 3; c++)
        vector[c] = (float)(sum[c] / length);
    pthread_mutex_lock(&looked_lock);
    looked++;
    pthread_mutex_unlock(&looked_lock);
    if (slowness)
        usleep(slowness);
    return VL_OK;
}

static void make_picture(const char *name, uint8_t red, uint8_t green, uint8_t blue) {
    vl_image *image;
    vl_error error = {0};
    vl_buf png;
    must(vl_image_new(4, 4, 3, &image, &error), error);
    for (size_t y = 0; y < 4; y++)
        for (size_t x = 0; x < 4; x++) {
            uint8_t *pixel = image->pixels + y * image->stride + 3 * x;
            pixel[0] = red;
            pixel[1] = green;
            pixel[2] = blue;
        }
    vl_buf_init(&png, 1 << 16);
    must(vl_image_encode_png(image, &png, &error), error);
    must(vl_file_write(path_of(name), png.data, png.len, &error), error);
    vl_buf_deinit(&png);
    vl_image_free(image);
}

static char broken_names[256];

static void note_broken(void *user, const char *name, const vl_error *why) {
    (void)user;
    assert_true(*why->message);
    snprintf(broken_names + strlen(broken_names), sizeof broken_names - strlen(broken_names),
             "%s ", name);
}

static vl_vectors_folder toy_folder(const char *pictures, const char *index) {
    static char where[2][PATH_MAX];
    snprintf(where[0], PATH_MAX, "%.2000s/%s", folder, pictures);
    snprintf(where[1], PATH_MAX, "%.2000s/%s", folder, index);
    vl_vectors_folder how = vl_vectors_folder_default();
    how.folder = where[0];
    how.index = where[1];
    how.model = "toy 1";
    how.size = 3;
    how.threads = 2;
    how.embed = mean_colour;
    how.broken = note_broken;
    looked = 0;
    *broken_names = 0;
    return how;
}

static const char *nearest(const vl_vectors *index, float red, float green, float blue) {
    vl_vectors_hit hit;
    size_t count;
    vl_error error = {0};
    must(vl_vectors_search(index, (float[]){red, green, blue}, 1, &hit, &count, &error), error);
    return count ? vl_vectors_name(index, hit.index) : "";
}

static void test_folder_follows(void **state) {
    (void)state;
    vl_error error = {0};
    vl_vectors_report report;
    vl_vectors *index;
    struct stat before, after;
    must(vl_dir_make(path_of("f/deep/er"), &error), error);
    must(vl_dir_make(path_of("f/.hidden"), &error), error);
    make_picture("f/red.png", 200, 0, 0);
    make_picture("f/deep/green.png", 0, 200, 0);
    make_picture("f/deep/er/blue.dat", 0, 0, 200);
    make_picture("f/.hidden/grey.png", 90, 90, 90);
    make_picture("f/.grey.png", 90, 90, 90);
    must(vl_file_write(path_of("f/words.png"), "not a picture", 13, &error), error);
    must(vl_file_write(path_of("f/cut.png"), "\x89PNG\r\n\x1A\n....", 12, &error), error);
    assert_int_equal(symlink("..", path_of("f/deep/loop")), 0);
    assert_int_equal(symlink("nowhere", path_of("f/dangling.png")), 0);
    assert_int_equal(symlink("red.png", path_of("f/also-red.png")), 0);

    vl_vectors_folder how = toy_folder("f", "f/.index");
    must(vl_vectors_refresh(&how, &report, &index, &error), error);
    assert_int_equal(vl_vectors_count(index), 4);
    assert_string_equal(nearest(index, 0, 1, 0), "deep/green.png");
    assert_string_equal(nearest(index, 0, 0, 1), "deep/er/blue.dat");
    assert_string_equal(nearest(index, 1, 0, 0), "also-red.png");
    assert_string_equal(broken_names, "cut.png ");
    assert_true(report.pictures == 5 && report.embedded == 4 && report.broken == 1 &&
                report.left_out == 1 && report.written && !report.rebuilt && !report.kept);
    vl_vectors_free(index);

    /* Nothing changed: nothing is looked at, nothing written. */
    assert_int_equal(stat(how.index, &before), 0);
    how = toy_folder("f", "f/.index");
    must(vl_vectors_refresh(&how, &report, &index, &error), error);
    assert_true(report.kept == 4 && report.broken == 1 && !report.written && looked == 0);
    assert_int_equal(stat(how.index, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    vl_vectors_free(index);

    /* Changed, removed, added, moved, touched, mended. */
    make_picture("f/red.png", 0, 150, 150);
    make_picture("f/yellow.png", 200, 200, 0);
    make_picture("f/cut.png", 255, 255, 255);
    assert_int_equal(unlink(path_of("f/deep/green.png")), 0);
    char from[PATH_MAX];
    snprintf(from, sizeof from, "%s", path_of("f/deep/er/blue.dat"));
    assert_int_equal(rename(from, path_of("f/sea.png")), 0);
    how = toy_folder("f", "f/.index");
    must(vl_vectors_refresh(&how, &report, &index, &error), error);
    assert_true(report.pictures == 5 && report.kept == 0 && report.known == 1 &&
                report.embedded == 4 && report.removed == 2 && report.broken == 0);
    assert_int_equal(looked, 4);
    assert_string_equal(nearest(index, 0, 0, 1), "sea.png");
    assert_string_equal(nearest(index, 1, 1, 0), "yellow.png");
    assert_string_equal(nearest(index, 0, 1, 1), "also-red.png");
    assert_string_equal(nearest(index, 1, 1, 1), "cut.png");
    assert_true(vl_vectors_find(index, "deep/green.png") == SIZE_MAX);
    vl_vectors_free(index);
    assert_int_equal(utimensat(AT_FDCWD, path_of("f/sea.png"), NULL, 0), 0);
    how = toy_folder("f", "f/.index");
    must(vl_vectors_refresh(&how, &report, &index, &error), error);
    assert_true(report.known == 1 && report.kept == 4 && looked == 0 && report.written);
    vl_vectors_free(index);
}

static void test_other_model(void **state) {
    (void)state;
    vl_error error = {0};
    vl_vectors_report report;
    vl_vectors *index;
    must(vl_dir_make(path_of("m"), &error), error);
    make_picture("m/red.png", 200, 0, 0);
    vl_vectors_folder how = toy_folder("m", "m.idx");
    must(vl_vectors_refresh(&how, &report, &index, &error), error);
    vl_vectors_free(index);
    how.model = "toy 2";
    must(vl_vectors_refresh(&how, &report, &index, &error), error);
    assert_true(report.rebuilt && report.embedded == 1);
    assert_string_equal(report.was, "toy 1");
    assert_string_equal(vl_vectors_model(index), "toy 2");
    vl_vectors_free(index);
    how.rebuild = true;
    must(vl_vectors_refresh(&how, &report, &index, &error), error);
    assert_true(report.rebuilt && report.embedded == 1 && !*report.was);
    vl_vectors_free(index);
    assert_int_equal(unlink(path_of("m/red.png")), 0);
    how.rebuild = false;
    must(vl_vectors_refresh(&how, &report, &index, &error), error);
    assert_true(report.removed == 1 && report.pictures == 0 && vl_vectors_count(index) == 0);
    vl_vectors_free(index);
}

static void test_what_is_there_is_safe(void **state) {
    (void)state;
    vl_error error = {0};
    vl_vectors_report report;
    vl_vectors *index;
    must(vl_dir_make(path_of("s"), &error), error);
    make_picture("s/red.png", 200, 0, 0);
    make_picture("precious.png", 1, 2, 3);
    vl_vectors_folder how = toy_folder("s", "precious.png");
    for (int rebuild = 0; rebuild < 2; rebuild++) {
        how.rebuild = rebuild;
        assert_int_equal(vl_vectors_refresh(&how, &report, &index, &error), VL_ERR_INPUT);
        assert_non_null(strstr(error.message, "no index"));
        assert_null(index);
    }
    assert_int_equal(access(path_of("precious.png"), R_OK), 0);

    how = toy_folder("s", "s.idx");
    must(vl_vectors_refresh(&how, &report, &index, &error), error);
    vl_vectors_free(index);
    assert_int_equal(truncate(how.index, 500), 0);
    assert_int_equal(vl_vectors_refresh(&how, &report, &index, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "--rebuild"));
    how.rebuild = true;
    must(vl_vectors_refresh(&how, &report, &index, &error), error);
    vl_vectors_free(index);

    how = toy_folder("nothing", "s2.idx");
    assert_int_equal(vl_vectors_refresh(&how, &report, &index, &error), VL_ERR_INPUT);
    how = toy_folder("s/red.png", "s2.idx");
    assert_int_equal(vl_vectors_refresh(&how, &report, &index, &error), VL_ERR_INPUT);
    how = toy_folder("s", "no/where.idx");
    assert_int_equal(vl_vectors_refresh(&how, &report, &index, &error), VL_ERR_IO);
}

static bool stop_after_ten(void *user) {
    (void)user;
    pthread_mutex_lock(&looked_lock);
    bool enough = looked >= 10;
    pthread_mutex_unlock(&looked_lock);
    return enough;
}

static vl_status failing(void *user, size_t worker, const vl_image *image, float *vector,
                         vl_error *error) {
    (void)user, (void)worker, (void)image, (void)vector;
    return vl_fail(error, VL_ERR_INTERNAL, "the network is broken");
}

/* Killed at any instant, the next run goes on from what was saved. */
static void test_killed(void **state) {
    (void)state;
    enum { PICTURES = 60 };
    vl_error error = {0};
    vl_vectors_report report;
    vl_vectors *index;
    must(vl_dir_make(path_of("k"), &error), error);
    for (int i = 0; i < PICTURES; i++) {
        char name[32];
        snprintf(name, sizeof name, "k/%02d.png", i);
        make_picture(name, (uint8_t)(4 * i), (uint8_t)(255 - i), 30);
    }
    vl_vectors_folder how = toy_folder("k", "k.idx");
    how.save_every = 5;
    size_t kept = 0;
    for (int round = 0; round < 4; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            slowness = 10000;
            vl_vectors_refresh(&how, &report, &index, NULL);
            _exit(0);
        }
        usleep(40000 + 13000 * (unsigned)round);
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (vl_vectors_open(how.index, &index, &error) == VL_OK) {
            assert_true(vl_vectors_count(index) >= kept);
            kept = vl_vectors_count(index);
            vl_vectors_free(index);
        } else {
            assert_true(access(how.index, F_OK) != 0); /* not yet, or whole */
        }
    }
    how = toy_folder("k", "k.idx");
    must(vl_vectors_refresh(&how, &report, &index, &error), error);
    print_message("killed four times: %zu of %d pictures were kept\n", kept, PICTURES);
    assert_int_equal(report.kept, kept);
    assert_int_equal(report.kept + report.embedded, PICTURES);
    assert_int_equal(vl_vectors_count(index), PICTURES);
    vl_vectors_free(index);
}

static void test_stopped_and_failed(void **state) {
    (void)state;
    vl_error error = {0};
    vl_vectors_report report;
    vl_vectors *index;
    must(vl_dir_make(path_of("t"), &error), error);
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "t/%02d.png", i);
        make_picture(name, (uint8_t)(4 * i), (uint8_t)(255 - i), 30);
    }
    vl_vectors_folder how = toy_folder("t", "t.idx");
    how.stopped = stop_after_ten;
    assert_int_equal(vl_vectors_refresh(&how, &report, &index, &error), VL_ERR_CANCELLED);
    assert_null(index);
    size_t done = report.embedded;
    assert_true(done >= 10 && done < 40);
    how = toy_folder("t", "t.idx");
    how.embed = failing;
    assert_int_equal(vl_vectors_refresh(&how, &report, &index, &error), VL_ERR_INTERNAL);
    assert_non_null(strstr(error.message, "the network is broken"));
    how = toy_folder("t", "t.idx");
    must(vl_vectors_refresh(&how, &report, &index, &error), error);
    assert_true(report.kept == done && report.embedded == 40 - done);
    vl_vectors_free(index);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),       cmocka_unit_test(test_search_is_exact),
        cmocka_unit_test(test_near_copies),      cmocka_unit_test(test_edges),
        cmocka_unit_test(test_writer_refuses),   cmocka_unit_test(test_lies),
        cmocka_unit_test(test_every_bit_counts), cmocka_unit_test(test_folder_follows),
        cmocka_unit_test(test_other_model),      cmocka_unit_test(test_what_is_there_is_safe),
        cmocka_unit_test(test_killed),           cmocka_unit_test(test_stopped_and_failed),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
