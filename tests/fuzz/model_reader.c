/* Reader files: whatever the bytes, they are refused or they read a line. The metadata of a
 * GGUF is the GGUF reader's; what is tried here is what a reader makes of it, so the seed is a
 * whole small file. */
#include <stdlib.h>
#include <string.h>

#include <vislang/model.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_something(const vl_reader *reader) {
    vl_reader_session *session = vl_reader_session_new(reader);
    vl_arena *arena = vl_arena_new(1 << 20);
    vl_image *image = NULL;
    if (session && arena && vl_image_new(40, 48, 1, &image, NULL) == VL_OK) {
        memset(image->pixels, 255, image->stride * image->height);
        memset(image->pixels + 20 * image->stride, 0, image->stride * 8);
        const vl_image *line = image;
        vl_reader_line out;
        if (vl_reader_read(session, &line, 1, NULL, arena, &out, NULL) == VL_OK &&
            vl_utf8_valid_prefix(out.text, strlen(out.text)) != strlen(out.text))
            abort();
    }
    vl_image_free(image);
    vl_arena_free(arena);
    vl_reader_session_free(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vl_log_set_level(VL_LOG_ERROR);
    if (size > 1 << 20)
        return 0;
    void *copy = aligned_alloc(64, (size + 64) / 64 * 64);
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    vl_reader *reader;
    vl_error error;
    if (vl_reader_parse(copy, size, &reader, &error) == VL_OK) {
        const vl_reader_config *c = vl_reader_config_of(reader);
        if (c->width * c->expand < 1024)
            read_something(reader);
        vl_reader_free(reader);
    }
    free(copy);
    return 0;
}
