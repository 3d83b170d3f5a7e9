/* dataset_packages.h — real ZIP archives for the tests of DOCX and ODT. */
#ifndef TEST_DATASET_PACKAGES_H
#define TEST_DATASET_PACKAGES_H

#include <vislang/base.h>

#include <archive.h>
#include <archive_entry.h>

typedef struct packed {
    const char *name;
    const void *bytes;
    size_t count; /* 0: `bytes` is a string */
} packed;

/* Entries until one without a name; the first is stored, as that of OpenDocument must be.
 * The caller frees with vl_buf_deinit. */
static inline void pack(vl_buf *zip, const packed *entries) {
    enum { ROOM = 4 << 20 };
    size_t used = 0;
    char *bytes = malloc(ROOM);
    struct archive *archive = archive_write_new();
    archive_write_set_format_zip(archive);
    archive_write_zip_set_compression_store(archive);
    assert_int_equal(archive_write_open_memory(archive, bytes, ROOM, &used), ARCHIVE_OK);
    for (const packed *at = entries; at->name; at++) {
        struct archive_entry *entry = archive_entry_new();
        size_t count = at->count ? at->count : strlen(at->bytes);
        archive_entry_set_pathname(entry, at->name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, (la_int64_t)count);
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(archive, at->bytes, count), count);
        archive_entry_free(entry);
        archive_write_zip_set_compression_deflate(archive);
    }
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    vl_buf_init(zip, ROOM);
    vl_buf_append(zip, bytes, used);
    free(bytes);
}

/* "kind:text|kind:text", line ends as '/', tabs as ';'. */
static inline void describe(const vl_parts *parts, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < parts->part_count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s:%s", i ? "|" : "",
                                 vl_part_kind_name(parts->parts[i].kind), parts->parts[i].text);
    for (char *at = out; *at; at++)
        *at = *at == '\n' ? '/' : *at == '\t' ? ';' : *at;
}

#endif
