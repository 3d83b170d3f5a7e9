/* mo.c — see mo.h. */
#include "dataset/mo.h"

#include <string.h>

typedef struct catalogue {
    const unsigned char *data;
    size_t bytes;
    bool swapped;
} catalogue;

static uint32_t word_at(const catalogue *c, size_t offset) {
    uint32_t word;
    memcpy(&word, c->data + offset, sizeof word);
    return c->swapped ? __builtin_bswap32(word) : word;
}

/* A translation holds its plural forms with NULs between them. */
static void give_forms(const char *text, size_t bytes, mo_text_fn give, void *user) {
    while (bytes) {
        size_t length = strnlen(text, bytes);
        if (length)
            give(text, length, user);
        length += length < bytes;
        text += length;
        bytes -= length;
    }
}

vl_status mo_read(const void *data, size_t bytes, mo_text_fn give, void *user,
                  vl_error *error) {
    catalogue c = {data, bytes, false};
    if (bytes < 28)
        return vl_fail(error, VL_ERR_INPUT, "a catalogue has a header of 28 bytes");
    c.swapped = word_at(&c, 0) == 0xDE120495;
    if (word_at(&c, 0) != 0x950412DE)
        return vl_fail(error, VL_ERR_INPUT, "not a message catalogue");
    size_t count = word_at(&c, 8), originals = word_at(&c, 12), table = word_at(&c, 16);
    if (count > bytes / 8 || originals > bytes - count * 8 || table > bytes - count * 8)
        return vl_fail(error, VL_ERR_INPUT, "a table of %zu messages does not fit", count);
    for (size_t i = 0; i < count; i++) {
        size_t length = word_at(&c, table + i * 8), offset = word_at(&c, table + i * 8 + 4);
        if (offset > bytes || length > bytes - offset)
            return vl_fail(error, VL_ERR_INPUT, "message %zu lies outside the file", i);
        if (word_at(&c, originals + i * 8)) /* the empty original: the catalogue's header */
            give_forms((const char *)c.data + offset, length, give, user);
    }
    return VL_OK;
}
