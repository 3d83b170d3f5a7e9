/* package.c — see package.h. libarchive reads from the archive's directory at its end, so an
 * archive that was cut short has no entries and is told from one that lacks a part. */
#include "dataset/package.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <strings.h>

enum { ENTRIES_MAX = 20000 };

bool package_is(const void *bytes, size_t count) {
    return count > 4 && !memcmp(bytes, "PK\3\4", 4);
}

static const char *trouble_of(struct archive *archive) {
    const char *text = archive_error_string(archive);
    return text ? text : "it is broken";
}

static vl_status unpack(struct archive *archive, const char *name, vl_buf *out,
                        vl_error *error) {
    const void *bytes;
    size_t count;
    la_int64_t offset, expected = 0;
    int code;
    while ((code = archive_read_data_block(archive, &bytes, &count, &offset)) == ARCHIVE_OK) {
        if (offset != expected)
            return vl_fail(error, VL_ERR_INPUT, "%s has holes", name);
        expected += (la_int64_t)count;
        vl_buf_append(out, bytes, count);
        if (out->failed)
            return vl_fail(error, VL_ERR_LIMIT, "%s is larger than %zu bytes, unpacked", name,
                           out->max);
    }
    return code == ARCHIVE_EOF ? VL_OK
                               : vl_fail(error, VL_ERR_INPUT, "%s cannot be unpacked: %s", name,
                                         trouble_of(archive));
}

static vl_status find(struct archive *archive, const char *name, vl_buf *out, vl_error *error) {
    struct archive_entry *entry;
    int code = ARCHIVE_OK;
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        code = archive_read_next_header(archive, &entry);
        if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
            break;
        const char *path = archive_entry_pathname(entry);
        if (!path || strcasecmp(path, name) != 0)
            continue;
        if (archive_entry_is_encrypted(entry))
            return vl_fail(error, VL_ERR_UNSUPPORTED, "the document is encrypted");
        return unpack(archive, name, out, error);
    }
    if (code == ARCHIVE_EOF)
        return vl_fail(error, VL_ERR_MISSING, "the document has no part %s", name);
    if (code == ARCHIVE_OK || code == ARCHIVE_WARN)
        return vl_fail(error, VL_ERR_LIMIT, "the document has more than %d parts", ENTRIES_MAX);
    return vl_fail(error, VL_ERR_INPUT, "the document's archive is broken: %s",
                   trouble_of(archive));
}

vl_status package_read(const void *bytes, size_t count, const char *name, vl_buf *out,
                       vl_error *error) {
    struct archive *archive = archive_read_new();
    if (!archive)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    archive_read_support_format_zip_seekable(archive);
    vl_status status =
        archive_read_open_memory(archive, bytes, count) == ARCHIVE_OK
            ? find(archive, name, out, error)
            : vl_fail(error, VL_ERR_INPUT, "the document's archive is broken or cut short");
    archive_read_free(archive);
    return status;
}
