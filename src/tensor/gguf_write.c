/* gguf_write.c — metadata and tensors into a GGUF v3 file.
 *
 * Nothing in the file depends on anything but the calls: no dates, no padding but zeros, keys
 * and tensors in their order. The last tensor is padded like the others, as ggml's own reader
 * wants. */
#include "tensor/gguf.h"

#include <stdlib.h>

#define MAX_METADATA_BYTES ((size_t)1 << 30)
#define MAX_WRITTEN_NAME_BYTES 63u /* ggml keeps 64 with the NUL */

typedef struct entry {
    const char *name;
    const unsigned char *value; /* from its type on, as in the file */
    size_t bytes;
} entry;

struct vl_gguf_writer {
    vl_saving saving;
    vl_buf value; /* the one being made */
    entry *keys;
    size_t key_count, key_room;
};

vl_gguf_writer *vl_gguf_writer_new(void) {
    vl_gguf_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return NULL;
    vl_buf_init(&writer->value, MAX_METADATA_BYTES);
    if (vl_saving_init(&writer->saving, MAX_METADATA_BYTES))
        return writer;
    free(writer);
    return NULL;
}

void vl_gguf_writer_free(vl_gguf_writer *writer) {
    if (!writer)
        return;
    vl_saving_deinit(&writer->saving);
    vl_buf_deinit(&writer->value);
    free(writer->keys);
    free(writer);
}

/* ---- metadata ------------------------------------------------------------------- */

static void put_u32(vl_buf *buf, uint32_t value) {
    vl_buf_append(buf, &value, sizeof value);
}

static void put_u64(vl_buf *buf, uint64_t value) {
    vl_buf_append(buf, &value, sizeof value);
}

static void put_string(vl_buf *buf, const char *bytes, size_t count) {
    put_u64(buf, count);
    vl_buf_append(buf, bytes, count);
}

static entry *find_entry(vl_gguf_writer *writer, const char *key) {
    for (size_t i = 0; i < writer->key_count; i++) {
        if (strcmp(writer->keys[i].name, key) == 0)
            return &writer->keys[i];
    }
    return NULL;
}

static entry *add_entry(vl_gguf_writer *writer, const char *key) {
    char shown[VL_NAME_SHOWN_SIZE];
    const char *fault = vl_name_fault(key, strlen(key), VL_GGUF_MAX_KEY_BYTES);
    if (fault) {
        vl_fail(&writer->saving.failure, VL_ERR_USAGE, "key '%s' %s", vl_name_shown(key, shown),
                fault);
        return NULL;
    }
    entry *keys = vl_saving_room(&writer->saving, writer->keys, writer->key_count,
                                 &writer->key_room, sizeof *keys, VL_GGUF_MAX_KEYS, "keys");
    if (!keys)
        return NULL;
    writer->keys = keys;
    entry *added = &writer->keys[writer->key_count];
    *added = (entry){.name = vl_arena_strdup(writer->saving.arena, key)};
    if (!added->name) {
        vl_fail(&writer->saving.failure, VL_ERR_MEMORY, "no memory for key '%s'",
                vl_name_shown(key, shown));
        return NULL;
    }
    writer->key_count++;
    return added;
}

/* `bytes` of a value, from its type on, under a key that is there or not. */
static void keep_value(vl_gguf_writer *writer, entry *where, const char *key, const void *bytes,
                       size_t count) {
    unsigned char *copy = vl_arena_alloc(writer->saving.arena, count);
    if (!copy) {
        vl_fail(&writer->saving.failure, VL_ERR_MEMORY, "no memory for the metadata");
        return;
    }
    memcpy(copy, bytes, count);
    if (!where && !(where = add_entry(writer, key)))
        return;
    where->value = copy;
    where->bytes = count;
}

static bool begin_value(vl_gguf_writer *writer, gguf_type type) {
    if (writer->saving.failure.status != VL_OK)
        return false;
    vl_buf_clear(&writer->value);
    put_u32(&writer->value, type);
    return true;
}

static bool begin_array(vl_gguf_writer *writer, const char *key, gguf_type type, size_t count) {
    char shown[VL_NAME_SHOWN_SIZE];
    if (!begin_value(writer, GGUF_ARRAY))
        return false;
    if (count > VL_GGUF_MAX_ARRAY_LENGTH) {
        vl_fail(&writer->saving.failure, VL_ERR_LIMIT,
                "key '%s' has %zu elements, at most %u are read", vl_name_shown(key, shown),
                count, VL_GGUF_MAX_ARRAY_LENGTH);
        return false;
    }
    put_u32(&writer->value, type);
    put_u64(&writer->value, count);
    return true;
}

static void end_value(vl_gguf_writer *writer, const char *key) {
    if (vl_buf_status(&writer->value, "metadata of a GGUF file", &writer->saving.failure) ==
        VL_OK)
        keep_value(writer, find_entry(writer, key), key, writer->value.data, writer->value.len);
}

static bool check_string(vl_gguf_writer *writer, const char *key, size_t bytes) {
    char shown[VL_NAME_SHOWN_SIZE];
    if (bytes <= VL_GGUF_MAX_STRING_BYTES)
        return true;
    vl_fail(&writer->saving.failure, VL_ERR_LIMIT,
            "key '%s' has a string of %zu bytes, at most %u are read",
            vl_name_shown(key, shown), bytes, VL_GGUF_MAX_STRING_BYTES);
    return false;
}

void vl_gguf_set_string(vl_gguf_writer *writer, const char *key, const char *value) {
    size_t bytes = strlen(value);
    if (!begin_value(writer, GGUF_STRING) || !check_string(writer, key, bytes))
        return;
    put_string(&writer->value, value, bytes);
    end_value(writer, key);
}

static void set_number(vl_gguf_writer *writer, const char *key, gguf_type type,
                       const void *value) {
    if (!begin_value(writer, type))
        return;
    vl_buf_append(&writer->value, value, gguf_type_bytes(type));
    end_value(writer, key);
}

void vl_gguf_set_u32(vl_gguf_writer *writer, const char *key, uint32_t value) {
    set_number(writer, key, GGUF_U32, &value);
}

void vl_gguf_set_i64(vl_gguf_writer *writer, const char *key, int64_t value) {
    set_number(writer, key, GGUF_I64, &value);
}

void vl_gguf_set_f32(vl_gguf_writer *writer, const char *key, float value) {
    set_number(writer, key, GGUF_F32, &value);
}

void vl_gguf_set_bool(vl_gguf_writer *writer, const char *key, bool value) {
    uint8_t byte = value;
    set_number(writer, key, GGUF_BOOL, &byte);
}

void vl_gguf_set_strings(vl_gguf_writer *writer, const char *key, const vl_gguf_string *values,
                         size_t count) {
    if (!begin_array(writer, key, GGUF_STRING, count))
        return;
    for (size_t i = 0; i < count; i++) {
        if (!check_string(writer, key, values[i].bytes))
            return;
        put_string(&writer->value, values[i].data, values[i].bytes);
    }
    end_value(writer, key);
}

void vl_gguf_set_i32s(vl_gguf_writer *writer, const char *key, const int32_t *values,
                      size_t count) {
    if (!begin_array(writer, key, GGUF_I32, count))
        return;
    vl_buf_append(&writer->value, values, count * sizeof *values);
    end_value(writer, key);
}

void vl_gguf_set_f32s(vl_gguf_writer *writer, const char *key, const float *values,
                      size_t count) {
    if (!begin_array(writer, key, GGUF_F32, count))
        return;
    vl_buf_append(&writer->value, values, count * sizeof *values);
    end_value(writer, key);
}

void vl_gguf_copy_keys(vl_gguf_writer *writer, const vl_gguf *file) {
    /* A file's keys are all different, so they are looked up only among those set before. */
    bool look = writer->key_count > 0;
    for (size_t i = 0; i < file->key_count && writer->saving.failure.status == VL_OK; i++) {
        const gguf_key *key = &file->keys[i];
        keep_value(writer, look ? find_entry(writer, key->name) : NULL, key->name, key->raw,
                   key->raw_bytes);
    }
}

/* ---- tensors -------------------------------------------------------------------- */

/* What the format cannot say of a tensor; false: the failure is kept. */
static bool check_tensor(vl_saving *saving, const vl_tensor *tensor) {
    uint32_t number;
    if (!vl_saving_check(saving, tensor, MAX_WRITTEN_NAME_BYTES))
        return false;
    if (!gguf_number_of(tensor->dtype, &number))
        vl_fail(&saving->failure, VL_ERR_USAGE, "tensor '%s': GGUF has no type for %s",
                tensor->name, vl_dtype_name(tensor->dtype));
    else if (tensor->rank == 0 || tensor->bytes == 0)
        vl_fail(&saving->failure, VL_ERR_USAGE, "tensor '%s' has no dimension or one of 0",
                tensor->name);
    return saving->failure.status == VL_OK;
}

void vl_gguf_add(vl_gguf_writer *writer, const vl_tensor *tensor) {
    vl_saving *saving = &writer->saving;
    if (saving->failure.status == VL_OK && check_tensor(saving, tensor))
        vl_saving_add(saving, tensor, VL_GGUF_MAX_TENSORS);
}

/* ---- the file ------------------------------------------------------------------- */

/* The alignment that the metadata say, or the default. */
static vl_status find_alignment(vl_gguf_writer *writer, uint32_t *alignment, vl_error *error) {
    const entry *key = find_entry(writer, GGUF_ALIGNMENT_KEY);
    uint32_t type;
    *alignment = VL_GGUF_DATA_ALIGNMENT;
    if (!key)
        return VL_OK;
    memcpy(&type, key->value, sizeof type);
    if (type == GGUF_U32)
        memcpy(alignment, key->value + sizeof type, sizeof *alignment);
    if (type != GGUF_U32 || !gguf_alignment_is_sound(*alignment))
        return vl_fail(error, VL_ERR_USAGE, "%s is no power of two from 8 to %u, as u32",
                       GGUF_ALIGNMENT_KEY, VL_GGUF_MAX_ALIGNMENT);
    return VL_OK;
}

static const char zeros[VL_GGUF_MAX_ALIGNMENT];

static size_t padding(uint64_t bytes, uint32_t alignment) {
    size_t over = (size_t)(bytes % alignment);
    return over ? alignment - over : 0;
}

static void put_tensor(vl_buf *buf, const vl_tensor *tensor, uint64_t offset) {
    uint32_t number = 0;
    gguf_number_of(tensor->dtype, &number);
    put_string(buf, tensor->name, strlen(tensor->name));
    put_u32(buf, (uint32_t)tensor->rank);
    for (size_t i = tensor->rank; i-- > 0;) /* innermost first */
        put_u64(buf, tensor->dims[i]);
    put_u32(buf, number);
    put_u64(buf, offset);
}

/* Everything in front of the data section, its padding included. */
static vl_status put_head(const vl_gguf_writer *writer, uint32_t alignment, vl_buf *buf,
                          vl_error *error) {
    vl_buf_append(buf, GGUF_MAGIC, 4);
    put_u32(buf, GGUF_VERSION);
    put_u64(buf, writer->saving.tensor_count);
    put_u64(buf, writer->key_count);
    for (size_t i = 0; i < writer->key_count; i++) {
        put_string(buf, writer->keys[i].name, strlen(writer->keys[i].name));
        vl_buf_append(buf, writer->keys[i].value, writer->keys[i].bytes);
    }
    uint64_t offset = 0;
    for (size_t i = 0; i < writer->saving.tensor_count; i++) {
        put_tensor(buf, &writer->saving.tensors[i], offset);
        offset += writer->saving.tensors[i].bytes;
        offset += padding(offset, alignment);
    }
    vl_buf_append(buf, zeros, padding(buf->len, alignment));
    return vl_buf_status(buf, "the head of a GGUF file", error);
}

static vl_status write_file(const vl_saving *saving, const vl_buf *head, uint32_t alignment,
                            const char *path, vl_error *error) {
    vl_file_writer *file;
    vl_status status = vl_file_writer_open(path, &file, error);
    if (status != VL_OK)
        return status;
    vl_file_writer_put(file, head->data, head->len, NULL); /* the commit tells of failures */
    for (size_t i = 0; i < saving->tensor_count; i++) {
        const vl_tensor *tensor = &saving->tensors[i];
        vl_file_writer_put(file, tensor->data, tensor->bytes, NULL);
        vl_file_writer_put(file, zeros, padding(tensor->bytes, alignment), NULL);
    }
    return vl_file_writer_commit(file, error);
}

vl_status vl_gguf_write(vl_gguf_writer *writer, const char *path, vl_error *error) {
    vl_error failure = writer->saving.failure;
    vl_buf head;
    uint32_t alignment = 0;
    vl_buf_init(&head, MAX_METADATA_BYTES);
    vl_status status = failure.status;
    if (status == VL_OK)
        status = vl_saving_check_names(&writer->saving, &failure);
    if (status == VL_OK)
        status = find_alignment(writer, &alignment, &failure);
    if (status == VL_OK)
        status = put_head(writer, alignment, &head, &failure);
    status = status == VL_OK ? write_file(&writer->saving, &head, alignment, path, error)
                             : vl_saving_refuse(path, &failure, error);
    vl_buf_deinit(&head);
    return status;
}
