/* base_files.c — clock, hashes, and files that are never seen half written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <vislang/base.h>

static char folder[1024];

static const char *in_folder(const char *name) {
    static char path[2048];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int setup(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "%s/base-files-XXXXXX", TEST_BINARY_DIR);
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    char command[1100];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static size_t files_in_folder(void) {
    DIR *dir = opendir(folder);
    size_t count = 0;
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void assert_content(const char *path, const char *expected) {
    vl_buf buf;
    vl_error error = {0};
    vl_buf_init(&buf, 1 << 20);
    assert_int_equal(vl_file_read(path, 1 << 20, &buf, &error), VL_OK);
    assert_int_equal(buf.len, strlen(expected));
    assert_memory_equal(buf.data ? buf.data : "", expected, buf.len);
    vl_buf_deinit(&buf);
}

static void test_sha256(void **state) {
    (void)state;
    /* FIPS 180-4 examples. */
    static const struct {
        const char *text, *hex;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char hex[VL_SHA256_HEX_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vl_sha256_hex(cases[i].text, strlen(cases[i].text), hex);
        assert_string_equal(hex, cases[i].hex);
        vl_sha256 *hash = vl_sha256_new();
        for (const char *c = cases[i].text; *c; c++)
            vl_sha256_update(hash, c, 1);
        vl_sha256_finish(hash, hex);
        assert_string_equal(hex, cases[i].hex);
    }
    vl_sha256 *million = vl_sha256_new();
    char thousand[1000];
    memset(thousand, 'a', sizeof thousand);
    for (int i = 0; i < 1000; i++)
        vl_sha256_update(million, thousand, sizeof thousand);
    vl_sha256_finish(million, hex);
    assert_string_equal(hex,
                        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_repeatable_random(void **unused) {
    (void)unused;
    /* The published splitmix64.c gives these. */
    static const uint64_t expected[] = {
        UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821)};
    uint64_t state = 1234567;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_true(vl_random_next(&state) == expected[i]);
    state = 1234567;
    assert_true(vl_random_uniform(&state) == (double)(expected[0] >> 11) / 9007199254740992.0);
    size_t counts[7] = {0};
    for (size_t i = 0; i < 7000; i++) {
        size_t drawn = vl_random_below(&state, 7);
        assert_true(drawn < 7);
        counts[drawn]++;
    }
    for (size_t i = 0; i < 7; i++)
        assert_true(counts[i] > 800 && counts[i] < 1200);
    assert_int_equal(vl_random_below(&state, 1), 0);
    assert_int_equal(vl_random_below(&state, 0), 0);
}

static void test_random_and_clock(void **state) {
    (void)state;
    unsigned char a[32] = {0}, b[32] = {0};
    vl_random_bytes(a, sizeof a);
    vl_random_bytes(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    int64_t start = vl_clock_ns();
    usleep(20000);
    double waited = vl_clock_ms_since(start);
    assert_true(waited >= 20 && waited < 5000);
    char now[VL_RFC3339_SIZE];
    int parts[7];
    vl_time_rfc3339(now);
    assert_int_equal(strlen(now), 24);
    assert_int_equal(sscanf(now, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &parts[0], &parts[1],
                            &parts[2], &parts[3], &parts[4], &parts[5], &parts[6]),
                     7);
    assert_true(parts[0] >= 2024 && now[23] == 'Z');
}

static void test_read_errors(void **state) {
    (void)state;
    vl_buf buf;
    vl_error error;
    vl_buf_init(&buf, 100);
    assert_int_equal(vl_file_read(in_folder("none"), 100, &buf, &error), VL_ERR_INPUT);
    assert_non_null(strstr(error.message, "No such file"));
    assert_int_equal(vl_file_read(folder, 100, &buf, &error), VL_ERR_INPUT);
    assert_int_equal(vl_file_write(in_folder("big"), "0123456789", 10, &error), VL_OK);
    assert_int_equal(vl_file_read(in_folder("big"), 9, &buf, &error), VL_ERR_LIMIT);
    assert_int_equal(vl_file_read("/dev/zero", 50, &buf, &error), VL_ERR_LIMIT);
    vl_buf_deinit(&buf);
    vl_buf_init(&buf, 5);
    assert_int_equal(vl_file_read(in_folder("big"), 100, &buf, &error), VL_ERR_MEMORY);
    vl_buf_deinit(&buf);
    unlink(in_folder("big"));
}

static void test_write_replaces(void **state) {
    (void)state;
    vl_error error;
    char target[1200];
    snprintf(target, sizeof target, "%s", in_folder("a.txt"));
    assert_int_equal(vl_file_write(target, "one", 3, &error), VL_OK);
    assert_content(target, "one");
    assert_int_equal(chmod(target, 0640), 0);
    assert_int_equal(vl_file_write(target, "", 0, &error), VL_OK);
    assert_content(target, "");
    struct stat info;
    assert_int_equal(stat(target, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_int_equal(files_in_folder(), 1);
    assert_int_equal(symlink("a.txt", in_folder("link")), 0);
    assert_int_equal(vl_file_write(in_folder("link"), "two", 3, &error), VL_OK);
    assert_int_equal(lstat(in_folder("link"), &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_content(target, "two");
    unlink(in_folder("link"));
    unlink(target);
}

static void test_write_errors(void **state) {
    (void)state;
    vl_error error;
    char name[300];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(vl_file_write(folder, "x", 1, &error), VL_ERR_IO);
    assert_int_equal(vl_file_write(in_folder("no/dir"), "x", 1, &error), VL_ERR_IO);
    assert_int_equal(vl_file_write(in_folder(name), "x", 1, &error), VL_ERR_IO);
    assert_int_equal(vl_file_write("/dev/null", "x", 1, &error), VL_OK);
    assert_int_equal(vl_file_write("/dev/full", "x", 1, &error), VL_ERR_IO);
    assert_non_null(strstr(error.message, "No space left"));
    assert_int_equal(files_in_folder(), 0);
}

/* Pieces of every size come out in order, and only at the commit. */
static void test_writer(void **state) {
    (void)state;
    static const size_t pieces[] = {1, 0, 65535, 1, 65536, 70000, 200000, 3, 65537};
    static char noise[200000 + 16];
    vl_file_writer *writer;
    vl_error error;
    vl_buf expected, written;
    char target[1200];
    snprintf(target, sizeof target, "%s", in_folder("streamed"));
    vl_random_bytes(noise, sizeof noise);
    vl_buf_init(&expected, 1 << 20);
    vl_buf_init(&written, 1 << 20);
    assert_int_equal(vl_file_write(target, "old", 3, &error), VL_OK);
    assert_int_equal(vl_file_writer_open(target, &writer, &error), VL_OK);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        assert_int_equal(vl_file_writer_put(writer, noise + i, pieces[i], &error), VL_OK);
        vl_buf_append(&expected, noise + i, pieces[i]);
        assert_content(target, "old");
    }
    assert_int_equal(vl_file_writer_commit(writer, &error), VL_OK);
    assert_int_equal(vl_file_read(target, 1 << 20, &written, &error), VL_OK);
    assert_int_equal(written.len, expected.len);
    assert_memory_equal(written.data, expected.data, expected.len);
    assert_int_equal(files_in_folder(), 1);
    vl_buf_deinit(&expected);
    vl_buf_deinit(&written);
    unlink(target);
}

static void test_writer_abandoned(void **state) {
    (void)state;
    static char much[100000];
    vl_file_writer *writer;
    vl_error error;
    char target[1200];
    snprintf(target, sizeof target, "%s", in_folder("kept"));
    assert_int_equal(vl_file_write(target, "old", 3, &error), VL_OK);
    assert_int_equal(vl_file_writer_open(target, &writer, &error), VL_OK);
    assert_int_equal(vl_file_writer_put(writer, much, sizeof much, &error), VL_OK);
    assert_int_equal(files_in_folder(), 2);
    vl_file_writer_abandon(writer);
    vl_file_writer_abandon(NULL);
    assert_content(target, "old");
    assert_int_equal(files_in_folder(), 1);
    unlink(target);
    /* A failure is said at once, at every piece after, and by the commit. */
    assert_int_equal(vl_file_writer_open("/dev/full", &writer, &error), VL_OK);
    assert_int_equal(vl_file_writer_put(writer, much, sizeof much, &error), VL_ERR_IO);
    assert_int_equal(vl_file_writer_put(writer, "x", 1, &error), VL_ERR_IO);
    error = (vl_error){0};
    assert_int_equal(vl_file_writer_commit(writer, &error), VL_ERR_IO);
    assert_non_null(strstr(error.message, "/dev/full: No space left"));
    assert_int_equal(vl_file_writer_open(in_folder("no/dir"), &writer, &error), VL_ERR_IO);
    assert_null(writer);
}

/* The disk runs full half-way: the old content stays and nothing is left beside it. */
static void test_full_disk_keeps_old_content(void **state) {
    (void)state;
    char target[1200];
    vl_error error;
    snprintf(target, sizeof target, "%s", in_folder("kept.txt"));
    assert_int_equal(vl_file_write(target, "old", 3, &error), VL_OK);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {1000, 1000};
        static char much[5000];
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        _exit(vl_file_write(target, much, sizeof much, NULL) == VL_ERR_IO ? 0 : 1);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_content(target, "old");
    assert_int_equal(files_in_folder(), 1);
    unlink(target);
}

static void write_plain(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_append_line(void **state) {
    static const struct {
        const char *before, *after;
    } rows[] = {{NULL, "new\n"},
                {"", "new\n"},
                {"old\n", "old\nnew\n"},
                {"old\nhal", "old\nnew\n"}, /* what a killed process left */
                {"hal", "new\n"}};
    (void)state;
    vl_error error;
    char path[1200];
    snprintf(path, sizeof path, "%s", in_folder("lines"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unlink(path);
        if (rows[i].before)
            write_plain(path, rows[i].before);
        assert_int_equal(vl_file_append_line(path, "new\n", 4, &error), VL_OK);
        assert_content(path, rows[i].after);
    }
    unlink(path);
    assert_int_equal(vl_file_append_line(in_folder("no/dir"), "new\n", 4, &error), VL_ERR_IO);
}

/* The disk runs full within a line: nothing of it stays. */
static void test_append_line_to_a_full_disk(void **state) {
    (void)state;
    char path[1200];
    vl_error error;
    int how;
    snprintf(path, sizeof path, "%s", in_folder("lines"));
    write_plain(path, "old\n");
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {10, 10};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        _exit(vl_file_append_line(path, "a long line\n", 12, NULL) == VL_ERR_IO ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_content(path, "old\n");
    assert_int_equal(vl_file_append_line(path, "a long line\n", 12, &error), VL_OK);
    assert_content(path, "old\na long line\n");
    unlink(path);
}

typedef struct rewriting {
    char path[1200];
    atomic_bool stop;
} rewriting;

enum { REWRITE_BYTES = 300000 };

static void *rewrite(void *arg) {
    rewriting *job = arg;
    char *content = malloc(REWRITE_BYTES);
    for (int i = 0; content && !atomic_load(&job->stop); i++) {
        memset(content, 'a' + i % 2, REWRITE_BYTES);
        if (vl_file_write(job->path, content, REWRITE_BYTES, NULL) != VL_OK)
            break;
    }
    free(content);
    return NULL;
}

static void test_reader_never_sees_half(void **state) {
    (void)state;
    rewriting job = {.stop = false};
    pthread_t thread;
    snprintf(job.path, sizeof job.path, "%s", in_folder("swap"));
    assert_int_equal(vl_file_write(job.path, "", 0, NULL), VL_OK);
    assert_int_equal(pthread_create(&thread, NULL, rewrite, &job), 0);
    for (int i = 0; i < 200; i++) {
        vl_buf buf;
        vl_buf_init(&buf, 1 << 20);
        assert_int_equal(vl_file_read(job.path, 1 << 20, &buf, NULL), VL_OK);
        assert_true(buf.len == 0 || buf.len == REWRITE_BYTES);
        for (size_t j = 1; j < buf.len; j++)
            if (buf.data[j] != buf.data[0])
                fail_msg("two writes in one file at byte %zu", j);
        vl_buf_deinit(&buf);
    }
    atomic_store(&job.stop, true);
    pthread_join(thread, NULL);
    unlink(job.path);
}

static void test_dir_make(void **state) {
    (void)state;
    vl_error error;
    assert_int_equal(vl_dir_make(in_folder("x/y//z/"), &error), VL_OK);
    assert_int_equal(vl_dir_make(in_folder("x/y/z"), &error), VL_OK);
    assert_int_equal(access(in_folder("x/y/z"), W_OK), 0);
    assert_int_equal(vl_file_write(in_folder("x/file"), "", 0, &error), VL_OK);
    assert_int_equal(vl_dir_make(in_folder("x/file/below"), &error), VL_ERR_IO);
    assert_non_null(strstr(error.message, strerror(ENOTDIR)));
    /* Why it cannot be made, and not why it is not there. */
    assert_int_equal(symlink("nowhere", in_folder("x/link")), 0);
    assert_int_equal(vl_dir_make(in_folder("x/link"), &error), VL_ERR_IO);
    assert_non_null(strstr(error.message, strerror(EEXIST)));
    assert_int_equal(vl_dir_make("", &error), VL_ERR_IO);
}

static void test_data_dir(void **state) {
    (void)state;
    setenv("VISLANG_DATA", "/somewhere/else", 1);
    assert_string_equal(vl_data_dir(), "/somewhere/else");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_repeatable_random),
        cmocka_unit_test(test_random_and_clock),
        cmocka_unit_test(test_read_errors),
        cmocka_unit_test(test_write_replaces),
        cmocka_unit_test(test_write_errors),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_writer_abandoned),
        cmocka_unit_test(test_full_disk_keeps_old_content),
        cmocka_unit_test(test_append_line),
        cmocka_unit_test(test_append_line_to_a_full_disk),
        cmocka_unit_test(test_reader_never_sees_half),
        cmocka_unit_test(test_dir_make),
        cmocka_unit_test(test_data_dir),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
