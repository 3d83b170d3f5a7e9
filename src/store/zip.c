/* zip.c — a ZIP archive from its parts: local headers with their data, then the directory. */
#include "store/zip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    LOCAL_HEADER = 0x04034b50,
    DIRECTORY_HEADER = 0x02014b50,
    DIRECTORY_END = 0x06054b50,
    VERSION = 20,
    NAMES_ARE_UTF8 = 1 << 11,
    DEFLATED = 8,
    FIRST_DAY = 1 << 5 | 1, /* 1 January 1980: an archive says nothing about when */
    FILES_MAX = 65535,
    DIRECTORY_MAX = 16 << 20,
};

static void put(vl_buf *out, uint32_t value, int bytes) {
    uint8_t little[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                         (uint8_t)(value >> 24)};
    vl_buf_append(out, little, (size_t)bytes);
}

void zip_begin(zip_writer *zip, vl_buf *out) {
    *zip = (zip_writer){.out = out};
    vl_buf_init(&zip->directory, DIRECTORY_MAX);
}

void zip_free(zip_writer *zip) {
    vl_buf_deinit(&zip->directory);
}

/* What both headers of a file have in common. */
static void put_facts(vl_buf *out, const char *name, uint32_t crc, size_t packed,
                      size_t count) {
    put(out, VERSION, 2);
    put(out, NAMES_ARE_UTF8, 2);
    put(out, DEFLATED, 2);
    put(out, 0, 2);
    put(out, FIRST_DAY, 2);
    put(out, crc, 4);
    put(out, (uint32_t)packed, 4);
    put(out, (uint32_t)count, 4);
    put(out, (uint32_t)strlen(name), 2);
    put(out, 0, 2); /* no extra field */
}

/* Raw deflate, as archives have it. */
static vl_status pack(const void *bytes, size_t count, void **packed, size_t *packed_count,
                      vl_error *error) {
    z_stream stream = {0};
    if (deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an archive");
    size_t room = deflateBound(&stream, (uLong)count);
    *packed = malloc(room ? room : 1);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)count;
    stream.next_out = *packed;
    stream.avail_out = (uInt)room;
    int code = *packed ? deflate(&stream, Z_FINISH) : Z_MEM_ERROR;
    *packed_count = stream.total_out;
    deflateEnd(&stream);
    return code == Z_STREAM_END ? VL_OK
                                : vl_fail(error, VL_ERR_MEMORY, "no memory for an archive");
}

vl_status zip_add(zip_writer *zip, const char *name, const void *bytes, size_t count,
                  vl_error *error) {
    void *packed = NULL;
    size_t packed_count = 0;
    if (count >= UINT32_MAX / 2 || zip->out->len >= UINT32_MAX / 2 || zip->files == FILES_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "too much for one archive");
    uint32_t crc = (uint32_t)crc32(0, bytes, (uInt)count), offset = (uint32_t)zip->out->len;
    vl_status status = pack(bytes, count, &packed, &packed_count, error);
    if (!status) {
        put(zip->out, LOCAL_HEADER, 4);
        put_facts(zip->out, name, crc, packed_count, count);
        vl_buf_puts(zip->out, name);
        vl_buf_append(zip->out, packed, packed_count);
        put(&zip->directory, DIRECTORY_HEADER, 4);
        put(&zip->directory, VERSION, 2);
        put_facts(&zip->directory, name, crc, packed_count, count);
        put(&zip->directory, 0, 2); /* no comment; on the first disk; of no kind */
        put(&zip->directory, 0, 4);
        put(&zip->directory, 0, 4);
        put(&zip->directory, offset, 4);
        vl_buf_puts(&zip->directory, name);
        zip->files++;
        if (zip->out->failed)
            status = vl_fail(error, VL_ERR_LIMIT, "an archive over %zu bytes", zip->out->max);
    }
    free(packed);
    return status;
}

vl_status zip_end(zip_writer *zip, vl_error *error) {
    uint32_t offset = (uint32_t)zip->out->len;
    vl_status status = vl_buf_status(&zip->directory, "an archive", error);
    if (status)
        return status;
    vl_buf_append(zip->out, zip->directory.data, zip->directory.len);
    put(zip->out, DIRECTORY_END, 4);
    put(zip->out, 0, 4);
    put(zip->out, (uint32_t)zip->files, 2);
    put(zip->out, (uint32_t)zip->files, 2);
    put(zip->out, (uint32_t)zip->directory.len, 4);
    put(zip->out, offset, 4);
    put(zip->out, 0, 2);
    return vl_buf_status(zip->out, "an archive", error);
}
