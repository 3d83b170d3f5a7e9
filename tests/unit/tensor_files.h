/* tensor_files.h — a folder of files for the tests of both formats, and what happens in it when
 * the disk is full. */
#ifndef TENSOR_FILES_H
#define TENSOR_FILES_H

#include <vislang/tensor.h>

#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[PATH_MAX];

static inline int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "%s/tests/tensor.XXXXXX", TEST_BINARY_DIR);
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state) {
    (void)state;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[PATH_MAX + 300];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (dir)
        closedir(dir);
    return rmdir(folder);
}

static inline const char *file_path(const char *name, char out[PATH_MAX]) {
    snprintf(out, PATH_MAX, "%.3000s/%s", folder, name);
    return out;
}

static inline size_t files_in_folder(void) {
    size_t count = 0;
    DIR *dir = opendir(folder);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static inline void read_whole(const char *path, vl_buf *bytes) {
    vl_buf_init(bytes, 1 << 24);
    assert_int_equal(vl_file_read(path, 1 << 24, bytes, NULL), VL_OK);
}

static inline void assert_same_bytes(const vl_buf *a, const vl_buf *b) {
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->data, b->data, a->len);
}

/* A disk that fills up (here: a limit on file size) leaves the old file at `path` and no other;
 * `write` gives `writer` a file of more than 4096 bytes. */
static inline void check_full_disk(const char *path, void *writer,
                                   vl_status (*write)(void *, const char *, vl_error *)) {
    vl_buf before, after;
    vl_error error = {0};
    struct rlimit old;
    read_whole(path, &before);
    size_t files = files_in_folder();
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, old.rlim_max});
    vl_status status = write(writer, path, &error);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(status, VL_ERR_IO);
    assert_non_null(strstr(error.message, path));
    read_whole(path, &after);
    assert_same_bytes(&before, &after);
    assert_int_equal(files_in_folder(), files);
    vl_buf_deinit(&before);
    vl_buf_deinit(&after);
}

#endif
