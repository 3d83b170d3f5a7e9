/* dataset_packages.h — fuzzed parts in a sound archive, since mutations of an archive's bytes
 * hardly ever reach what is in it. */
#ifndef FUZZ_DATASET_PACKAGES_H
#define FUZZ_DATASET_PACKAGES_H

#include <vislang/dataset.h>

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

static inline void fuzz_check(const vl_parts *parts) {
    for (size_t i = 0; i < parts->part_count; i++) {
        const vl_part *part = &parts->parts[i];
        size_t length = strlen(part->text);
        if (vl_utf8_valid_prefix(part->text, length) != length)
            abort();
        if (part->caption != VL_PART_NONE && part->caption >= parts->part_count)
            abort();
        for (size_t j = 0; j < part->cell_count; j++)
            if (part->cells[j].row + part->cells[j].row_span > part->row_count ||
                part->cells[j].column + part->cells[j].column_span > part->column_count)
                abort();
    }
}

/* The bytes as a document; or, where they are no archive, as its parts, which 0xFF separates
 * and `names` (ended by NULL) names. `fixed` is an entry's name and content, put first. */
static inline void fuzz_package(const uint8_t *data, size_t size, const char *const *names,
                                const char *const fixed[2]) {
    static char packed[1 << 20];
    static vl_arena *arena;
    vl_parts *parts;
    size_t used = size;
    const void *bytes = data;
    if (!arena)
        arena = vl_arena_new(64 << 20);
    if (size < 2 || memcmp(data, "PK", 2) != 0) {
        struct archive *archive = archive_write_new();
        archive_write_set_format_zip(archive);
        archive_write_zip_set_compression_store(archive);
        archive_write_open_memory(archive, packed, sizeof packed, &used);
        for (int i = -1; i < 0 || names[i]; i++) {
            const uint8_t *end = i < 0 ? NULL : memchr(data, 0xFF, size);
            const void *content = i < 0 ? (const void *)fixed[1] : data;
            size_t count = i < 0 ? strlen(fixed[1]) : end ? (size_t)(end - data) : size;
            struct archive_entry *entry = archive_entry_new();
            archive_entry_set_pathname(entry, i < 0 ? fixed[0] : names[i]);
            archive_entry_set_filetype(entry, AE_IFREG);
            archive_entry_set_size(entry, (la_int64_t)count);
            if (i < 0 || size) {
                archive_write_header(archive, entry);
                archive_write_data(archive, content, count);
            }
            archive_entry_free(entry);
            if (i < 0)
                continue;
            data += count + (end != NULL);
            size -= count + (end != NULL);
        }
        archive_write_close(archive);
        archive_write_free(archive);
        bytes = packed;
    }
    if (!vl_parts_read(bytes, used, NULL, arena, &parts, NULL))
        fuzz_check(parts);
    vl_arena_reset(arena);
}

#endif
