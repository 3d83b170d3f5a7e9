/* safetensors_write.c — tensors into a safetensors file, streamed from where they lie.
 *
 * The format allows no padding between tensors, so wider types go first: every tensor then lies
 * at a multiple of its element's size. The header ends in spaces up to a multiple of 64 bytes.
 */
#include "tensor/safetensors.h"

#include <stdlib.h>

enum { DATA_ALIGNMENT = 64 };
#define MAX_METADATA_BYTES ((size_t)VL_SAFETENSORS_MAX_HEADER)
#define MAX_KEYS 65536u

typedef struct pair {
    const char *key, *value;
} pair;

struct vl_safetensors_writer {
    vl_saving saving;
    pair *pairs;
    size_t pair_count, pair_room;
};

vl_safetensors_writer *vl_safetensors_writer_new(void) {
    vl_safetensors_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return NULL;
    if (vl_saving_init(&writer->saving, 2 * MAX_METADATA_BYTES))
        return writer;
    free(writer);
    return NULL;
}

void vl_safetensors_writer_free(vl_safetensors_writer *writer) {
    if (!writer)
        return;
    vl_saving_deinit(&writer->saving);
    free(writer->pairs);
    free(writer);
}

static bool is_utf8(const char *text) {
    return vl_utf8_valid_prefix(text, strlen(text)) == strlen(text);
}

void vl_safetensors_set(vl_safetensors_writer *writer, const char *key, const char *value) {
    char shown[VL_NAME_SHOWN_SIZE];
    if (writer->saving.failure.status != VL_OK)
        return;
    if (!is_utf8(key) || !is_utf8(value)) {
        vl_fail(&writer->saving.failure, VL_ERR_USAGE, "metadata '%s' is not UTF-8",
                vl_name_shown(key, shown));
        return;
    }
    size_t i = 0;
    while (i < writer->pair_count && strcmp(writer->pairs[i].key, key) != 0)
        i++;
    pair made = {i < writer->pair_count ? writer->pairs[i].key
                                        : vl_arena_strdup(writer->saving.arena, key),
                 vl_arena_strdup(writer->saving.arena, value)};
    if (!made.key || !made.value) {
        vl_fail(&writer->saving.failure, VL_ERR_MEMORY, "no memory for metadata '%s'",
                vl_name_shown(key, shown));
        return;
    }
    pair *pairs = vl_saving_room(&writer->saving, writer->pairs, i, &writer->pair_room,
                                 sizeof *pairs, MAX_KEYS, "keys of metadata");
    if (!pairs)
        return;
    writer->pairs = pairs;
    pairs[i] = made;
    if (i == writer->pair_count)
        writer->pair_count++;
}

/* What the format cannot say of a tensor; false: the failure is kept. */
static bool check_tensor(vl_saving *saving, const vl_tensor *tensor) {
    char shown[VL_NAME_SHOWN_SIZE];
    if (!vl_saving_check(saving, tensor, SAFETENSORS_MAX_NAME_BYTES))
        return false;
    vl_name_shown(tensor->name, shown);
    if (strcmp(tensor->name, SAFETENSORS_METADATA) == 0)
        vl_fail(&saving->failure, VL_ERR_USAGE, "the name of tensor '%s' is the metadata's",
                shown);
    else if (!safetensors_dtype_name(tensor->dtype))
        vl_fail(&saving->failure, VL_ERR_USAGE, "tensor '%s': safetensors has no type for %s",
                shown, vl_dtype_name(tensor->dtype));
    return saving->failure.status == VL_OK;
}

void vl_safetensors_add(vl_safetensors_writer *writer, const vl_tensor *tensor) {
    vl_saving *saving = &writer->saving;
    if (saving->failure.status == VL_OK && check_tensor(saving, tensor))
        vl_saving_add(saving, tensor, VL_SAFETENSORS_MAX_TENSORS);
}

/* ---- the file ------------------------------------------------------------------- */

/* Wider elements first, calls in order among equals; NULL: no memory. The caller frees it. */
static const vl_tensor **file_order(const vl_safetensors_writer *writer) {
    const vl_tensor **order = malloc((writer->saving.tensor_count + 1) * sizeof *order);
    size_t count = 0;
    for (size_t width = 8; order && width; width /= 2) {
        for (size_t i = 0; i < writer->saving.tensor_count; i++) {
            if (vl_dtype_block_bytes(writer->saving.tensors[i].dtype) == width)
                order[count++] = &writer->saving.tensors[i];
        }
    }
    return order;
}

/* RFC 8259, section 7: what must be escaped, and no more. */
static void put_string(vl_buf *buf, const char *text) {
    vl_buf_append(buf, "\"", 1);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            vl_buf_printf(buf, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            vl_buf_printf(buf, "\\u%04x", (unsigned)*text);
        else
            vl_buf_append(buf, text, 1);
    }
    vl_buf_append(buf, "\"", 1);
}

static void put_metadata(vl_buf *buf, const vl_safetensors_writer *writer) {
    vl_buf_puts(buf, "\"" SAFETENSORS_METADATA "\":{");
    for (size_t i = 0; i < writer->pair_count; i++) {
        vl_buf_puts(buf, i ? "," : "");
        put_string(buf, writer->pairs[i].key);
        vl_buf_puts(buf, ":");
        put_string(buf, writer->pairs[i].value);
    }
    vl_buf_puts(buf, "}");
}

static void put_tensor(vl_buf *buf, const vl_tensor *tensor, size_t begin) {
    put_string(buf, tensor->name);
    vl_buf_printf(buf, ":{\"dtype\":\"%s\",\"shape\":[", safetensors_dtype_name(tensor->dtype));
    for (size_t i = 0; i < tensor->rank; i++)
        vl_buf_printf(buf, "%s%zu", i ? "," : "", tensor->dims[i]);
    vl_buf_printf(buf, "],\"data_offsets\":[%zu,%zu]}", begin, begin + tensor->bytes);
}

/* Length and header, spaces included. */
static vl_status put_head(const vl_safetensors_writer *writer, const vl_tensor *const *order,
                          vl_buf *buf, vl_error *error) {
    uint64_t length = 0;
    size_t begin = 0;
    vl_buf_append(buf, &length, sizeof length);
    vl_buf_puts(buf, "{");
    if (writer->pair_count)
        put_metadata(buf, writer);
    for (size_t i = 0; i < writer->saving.tensor_count; i++) {
        if (order[i]->bytes > PTRDIFF_MAX - begin)
            return vl_fail(error, VL_ERR_USAGE,
                           "the tensors have more bytes than can be counted");
        vl_buf_puts(buf, i || writer->pair_count ? "," : "");
        put_tensor(buf, order[i], begin);
        begin += order[i]->bytes;
    }
    vl_buf_puts(buf, "}");
    while (buf->len % DATA_ALIGNMENT && !buf->failed)
        vl_buf_puts(buf, " ");
    if (buf->failed)
        return vl_fail(error, VL_ERR_LIMIT, "a header of more than %u bytes",
                       VL_SAFETENSORS_MAX_HEADER);
    length = buf->len - sizeof length;
    memcpy(buf->data, &length, sizeof length);
    return VL_OK;
}

static vl_status write_file(const vl_buf *head, const vl_tensor *const *order, size_t count,
                            const char *path, vl_error *error) {
    vl_file_writer *file;
    vl_status status = vl_file_writer_open(path, &file, error);
    if (status != VL_OK)
        return status;
    vl_file_writer_put(file, head->data, head->len, NULL); /* the commit tells of failures */
    for (size_t i = 0; i < count; i++)
        vl_file_writer_put(file, order[i]->data, order[i]->bytes, NULL);
    return vl_file_writer_commit(file, error);
}

vl_status vl_safetensors_write(vl_safetensors_writer *writer, const char *path,
                               vl_error *error) {
    vl_error failure = writer->saving.failure;
    const vl_tensor **order = NULL;
    vl_buf head;
    vl_buf_init(&head, SAFETENSORS_LENGTH_BYTES + (size_t)VL_SAFETENSORS_MAX_HEADER);
    vl_status status = failure.status;
    if (status == VL_OK)
        status = vl_saving_check_names(&writer->saving, &failure);
    if (status == VL_OK && !(order = file_order(writer)))
        status = vl_fail(&failure, VL_ERR_MEMORY, "no memory for the order of tensors");
    if (status == VL_OK)
        status = put_head(writer, order, &head, &failure);
    status = status == VL_OK
                 ? write_file(&head, order, writer->saving.tensor_count, path, error)
                 : vl_saving_refuse(path, &failure, error);
    vl_buf_deinit(&head);
    free(order);
    return status;
}
