/* tar.c — see tar.h. */
#include "dataset/tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512 };

struct tar {
    vl_file_writer *writer;
};

vl_status tar_create(const char *path, tar **out, vl_error *error) {
    tar *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t)
        return vl_fail(error, VL_ERR_MEMORY, "%s: no memory", path);
    vl_status status = vl_file_writer_open(path, &t->writer, error);
    if (status)
        free(t);
    else
        *out = t;
    return status;
}

/* Owner, group and time are left zero, so that the bytes depend on the content alone. */
static void make_header(char header[BLOCK], const char *name, size_t bytes) {
    unsigned sum = 0;
    memset(header, 0, BLOCK);
    snprintf(header, 100, "%s", name);
    snprintf(header + 100, 8, "0000644");
    snprintf(header + 108, 8, "0000000");
    snprintf(header + 116, 8, "0000000");
    snprintf(header + 124, 12, "%011zo", bytes);
    snprintf(header + 136, 12, "%011o", 0);
    memset(header + 148, ' ', 8);
    header[156] = '0';
    memcpy(header + 257, "ustar\00000", 8);
    for (int i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
}

vl_status tar_add(tar *t, const char *name, const void *data, size_t bytes, vl_error *error) {
    static const char zeros[BLOCK];
    char header[BLOCK];
    if (strlen(name) > 99)
        return vl_fail(error, VL_ERR_LIMIT, "%s: a longer name than tar has room for", name);
    make_header(header, name, bytes);
    vl_status status = vl_file_writer_put(t->writer, header, BLOCK, error);
    if (!status)
        status = vl_file_writer_put(t->writer, data, bytes, error);
    if (!status)
        status = vl_file_writer_put(t->writer, zeros, (BLOCK - bytes % BLOCK) % BLOCK, error);
    return status;
}

vl_status tar_finish(tar *t, vl_error *error) {
    static const char end[2 * BLOCK];
    vl_file_writer_put(t->writer, end, sizeof end, NULL); /* what fails here fails the commit */
    vl_status status = vl_file_writer_commit(t->writer, error);
    free(t);
    return status;
}

void tar_abandon(tar *t) {
    if (!t)
        return;
    vl_file_writer_abandon(t->writer);
    free(t);
}
