/* gguf_read.c — a GGUF v3 file that nobody vouches for, to views of its tensors.
 *
 * One pass: header, keys, tensors, then the places of the tensors against the data section. No
 * count is believed before the bytes that it needs are known to be there, so memory and time
 * stay within a small multiple of the file's size.
 *
 * vl_gguf_open, _parse, _free, tensors and keys by index and by name; values are gguf_keys.c.
 */
#include "tensor/gguf.h"

#include <stdlib.h>

/* Where the reading is. */
typedef struct cursor {
    const vl_source *source;
    size_t at;
    vl_error *error;
} cursor;

/* The least bytes of a key (string of one byte, type, one byte) and of a tensor (string of one
 * byte, rank, one dimension, type, offset). */
enum { MIN_KEY_BYTES = 8 + 1 + 4 + 1, MIN_TENSOR_BYTES = 8 + 1 + 4 + 8 + 4 + 8 };

#define refuse(c, place, status, ...)                                                          \
    vl_refuse((c)->source, (place), (c)->error, (status), __VA_ARGS__)

static vl_status no_memory(cursor *c) {
    return refuse(c, c->at, VL_ERR_MEMORY, "no memory to read further");
}

static size_t left(const cursor *c) {
    return c->source->count - c->at;
}

/* `count` bytes of `what`; NULL: refused, with VL_ERR_INPUT. */
static const unsigned char *take(cursor *c, uint64_t count, const char *what) {
    if (count > left(c)) {
        refuse(c, c->at, VL_ERR_INPUT, "%s needs %llu bytes and the file has %zu more", what,
               (unsigned long long)count, left(c));
        return NULL;
    }
    const unsigned char *bytes = c->source->bytes + c->at;
    c->at += (size_t)count;
    return bytes;
}

static vl_status take_u32(cursor *c, const char *what, uint32_t *value) {
    const unsigned char *bytes = take(c, sizeof *value, what);
    *value = 0;
    if (!bytes)
        return VL_ERR_INPUT;
    memcpy(value, bytes, sizeof *value);
    return VL_OK;
}

static vl_status take_u64(cursor *c, const char *what, uint64_t *value) {
    const unsigned char *bytes = take(c, sizeof *value, what);
    *value = 0;
    if (!bytes)
        return VL_ERR_INPUT;
    memcpy(value, bytes, sizeof *value);
    return VL_OK;
}

static vl_status take_string(cursor *c, const char *what, size_t max, vl_gguf_string *string) {
    uint64_t length;
    size_t at = c->at;
    vl_status status = take_u64(c, what, &length);
    if (status != VL_OK)
        return status;
    if (length > left(c))
        return refuse(c, at, VL_ERR_INPUT, "%s of %llu bytes, and the file has %zu more", what,
                      (unsigned long long)length, left(c));
    if (length > max)
        return refuse(c, at, VL_ERR_LIMIT, "%s of %llu bytes, at most %zu are read", what,
                      (unsigned long long)length, max);
    *string = (vl_gguf_string){(const char *)c->source->bytes + c->at, (size_t)length};
    c->at += (size_t)length;
    return VL_OK;
}

/* A name of a key or tensor, checked, NUL-terminated, in the arena. */
static vl_status take_name(cursor *c, vl_arena *arena, const char *what, size_t max,
                           const char **name) {
    vl_gguf_string string = {0};
    size_t at = c->at;
    vl_status status = take_string(c, what, max, &string);
    if (status != VL_OK)
        return status;
    const char *fault = vl_name_fault(string.data, string.bytes, max);
    if (fault)
        return refuse(c, at, VL_ERR_INPUT, "%s %s", what, fault);
    *name = vl_arena_strndup(arena, string.data, string.bytes);
    return *name ? VL_OK : no_memory(c);
}

/* ---- header --------------------------------------------------------------------- */

static vl_status check_version(cursor *c, uint32_t version) {
    size_t at = c->at - sizeof version;
    if (version == GGUF_VERSION)
        return VL_OK;
    if (version && (version & 0xFFFF) == 0)
        return refuse(c, at, VL_ERR_UNSUPPORTED,
                      "a big-endian GGUF file; little-endian ones are read");
    return refuse(c, at, VL_ERR_UNSUPPORTED, "GGUF version %u; version %u is read", version,
                  GGUF_VERSION);
}

/* A count of things that need at least `min_bytes` each. */
static vl_status take_count(cursor *c, const char *what, size_t min_bytes, size_t max,
                            size_t *value) {
    uint64_t count;
    size_t at = c->at;
    vl_status status = take_u64(c, what, &count);
    if (status != VL_OK)
        return status;
    if (count > left(c) / min_bytes)
        return refuse(c, at, VL_ERR_INPUT, "%s is %llu, more than fit the file's %zu bytes",
                      what, (unsigned long long)count, c->source->count);
    if (count > max)
        return refuse(c, at, VL_ERR_LIMIT, "%s is %llu, at most %zu are read", what,
                      (unsigned long long)count, max);
    *value = (size_t)count;
    return VL_OK;
}

static vl_status read_header(cursor *c, vl_gguf *file) {
    uint32_t version;
    vl_status status;
    const unsigned char *magic = take(c, 4, "the magic of a GGUF file");
    if (!magic)
        return VL_ERR_INPUT;
    if (memcmp(magic, GGUF_MAGIC, 4) != 0)
        return refuse(c, 0, VL_ERR_INPUT, "not a GGUF file: it begins with %02x %02x %02x %02x",
                      magic[0], magic[1], magic[2], magic[3]);
    if ((status = take_u32(c, "the version", &version)) != VL_OK ||
        (status = check_version(c, version)) != VL_OK)
        return status;
    if ((status = take_count(c, "the number of tensors", MIN_TENSOR_BYTES, VL_GGUF_MAX_TENSORS,
                             &file->tensor_count)) != VL_OK)
        return status;
    return take_count(c, "the number of keys", MIN_KEY_BYTES, VL_GGUF_MAX_KEYS,
                      &file->key_count);
}

/* ---- keys ----------------------------------------------------------------------- */

static vl_status take_type(cursor *c, const char *what, gguf_type *type) {
    uint32_t number;
    size_t at = c->at;
    vl_status status = take_u32(c, what, &number);
    if (status != VL_OK)
        return status;
    if (number >= GGUF_TYPE_COUNT)
        return refuse(c, at, VL_ERR_UNSUPPORTED,
                      "%s is %u, which GGUF version %u does not have", what, number,
                      GGUF_VERSION);
    *type = (gguf_type)number;
    return VL_OK;
}

/* Type and number of elements of an array. */
static vl_status read_array_head(cursor *c, gguf_key *key) {
    size_t at = c->at;
    vl_status status = take_type(c, "the type of an array's elements", &key->type);
    if (status != VL_OK)
        return status;
    if (key->type == GGUF_ARRAY)
        return refuse(c, at, VL_ERR_UNSUPPORTED, "an array of arrays");
    size_t bytes = gguf_type_bytes(key->type);
    return take_count(c, "the length of an array", bytes ? bytes : 8, VL_GGUF_MAX_ARRAY_LENGTH,
                      &key->count);
}

static vl_status read_strings(cursor *c, gguf_key *key, vl_arena *arena) {
    vl_gguf_string *strings = vl_arena_array(arena, key->count, sizeof *strings);
    if (!strings)
        return no_memory(c);
    for (size_t i = 0; i < key->count; i++) {
        vl_status status = take_string(c, "a string", VL_GGUF_MAX_STRING_BYTES, &strings[i]);
        if (status != VL_OK)
            return status;
    }
    if (!key->is_array) { /* handed out as a C string */
        strings->data = vl_arena_strndup(arena, strings->data, strings->bytes);
        if (!strings->data)
            return no_memory(c);
    }
    key->copy = strings;
    return VL_OK;
}

static vl_status check_bools(cursor *c, const gguf_key *key) {
    for (size_t i = 0; i < key->count; i++) {
        if (key->value[i] > 1)
            return refuse(c, (size_t)(key->value - c->source->bytes) + i, VL_ERR_INPUT,
                          "a bool is %u, neither 0 nor 1", key->value[i]);
    }
    return VL_OK;
}

static vl_status read_numbers(cursor *c, gguf_key *key, vl_arena *arena) {
    size_t bytes = key->count * gguf_type_bytes(key->type);
    if (!take(c, bytes, "a value"))
        return VL_ERR_INPUT;
    if (key->type == GGUF_BOOL)
        return check_bools(c, key);
    if (!key->is_array || (key->type != GGUF_I32 && key->type != GGUF_F32))
        return VL_OK;
    void *copy = vl_arena_alloc(arena, bytes);
    if (!copy)
        return no_memory(c);
    memcpy(copy, key->value, bytes);
    key->copy = copy;
    return VL_OK;
}

static vl_status read_value(cursor *c, gguf_key *key, vl_arena *arena) {
    const unsigned char *bytes = c->source->bytes;
    key->raw = bytes + c->at;
    key->count = 1;
    vl_status status = take_type(c, "the type of a value", &key->type);
    if (status == VL_OK && key->type == GGUF_ARRAY) {
        key->is_array = true;
        status = read_array_head(c, key);
    }
    if (status != VL_OK)
        return status;
    key->value = bytes + c->at;
    status =
        key->type == GGUF_STRING ? read_strings(c, key, arena) : read_numbers(c, key, arena);
    key->value_bytes = (size_t)(bytes + c->at - key->value);
    key->raw_bytes = (size_t)(bytes + c->at - key->raw);
    return status;
}

/* The last refusal, with the key or tensor that it was about. */
static vl_status inside(cursor *c, const char *kind, const char *name, vl_status status) {
    char shown[VL_NAME_SHOWN_SIZE];
    if (status != VL_OK && c->error && name) {
        size_t used = strlen(c->error->message);
        snprintf(c->error->message + used, sizeof c->error->message - used, " (%s '%s')", kind,
                 vl_name_shown(name, shown));
    }
    return status;
}

static vl_status check_alignment_key(cursor *c, vl_gguf *file, const gguf_key *key) {
    if (key->type != GGUF_U32 || key->is_array)
        return refuse(c, key->at, VL_ERR_INPUT, "%s is not a u32", GGUF_ALIGNMENT_KEY);
    memcpy(&file->alignment, key->value, sizeof file->alignment);
    if (!gguf_alignment_is_sound(file->alignment))
        return refuse(c, key->at, VL_ERR_INPUT, "%s is %u, not a power of two from 8 to %u",
                      GGUF_ALIGNMENT_KEY, file->alignment, VL_GGUF_MAX_ALIGNMENT);
    return VL_OK;
}

static vl_status read_keys(cursor *c, vl_gguf *file) {
    file->keys = vl_arena_array(file->arena, file->key_count, sizeof *file->keys);
    file->key_names = vl_arena_array(file->arena, file->key_count, sizeof *file->key_names);
    if (!file->keys || !file->key_names)
        return no_memory(c);
    for (size_t i = 0; i < file->key_count; i++) {
        gguf_key *key = &file->keys[i];
        key->at = c->at;
        vl_status status =
            take_name(c, file->arena, "a key", VL_GGUF_MAX_KEY_BYTES, &key->name);
        if (status == VL_OK)
            status = read_value(c, key, file->arena);
        if (status != VL_OK)
            return inside(c, "key", key->name, status);
        if (strcmp(key->name, GGUF_ALIGNMENT_KEY) == 0 &&
            (status = check_alignment_key(c, file, key)) != VL_OK)
            return status;
        file->key_names[i] = (vl_name){key->name, i};
    }
    vl_names_sort(file->key_names, file->key_count);
    size_t twice = vl_names_duplicate(file->key_names, file->key_count);
    if (twice == SIZE_MAX)
        return VL_OK;
    return inside(c, "key", file->keys[twice].name,
                  refuse(c, file->keys[twice].at, VL_ERR_INPUT, "a key comes twice"));
}

/* ---- tensors -------------------------------------------------------------------- */

/* Where a tensor says that its data lie. */
typedef struct place {
    size_t at; /* of its description */
    uint64_t offset;
    const vl_tensor *tensor;
} place;

/* GGUF lists the innermost dimension first. */
static vl_status read_dims(cursor *c, size_t *rank, size_t dims[VL_MAX_RANK]) {
    uint32_t count;
    size_t at = c->at;
    vl_status status = take_u32(c, "the number of dimensions", &count);
    if (status != VL_OK)
        return status;
    if (count == 0 || count > VL_MAX_RANK)
        return refuse(c, at, VL_ERR_UNSUPPORTED, "%u dimensions; 1 to %d are read", count,
                      VL_MAX_RANK);
    *rank = count;
    for (size_t i = count; i-- > 0;) {
        uint64_t dim;
        at = c->at;
        if ((status = take_u64(c, "a dimension", &dim)) != VL_OK)
            return status;
        if (dim == 0 || dim > INT64_MAX)
            return refuse(c, at, VL_ERR_INPUT, "a dimension is %llu", (unsigned long long)dim);
        dims[i] = (size_t)dim;
    }
    return VL_OK;
}

static vl_status read_dtype(cursor *c, vl_dtype *dtype) {
    uint32_t number;
    size_t at = c->at;
    vl_status status = take_u32(c, "the type of a tensor", &number);
    if (status != VL_OK || gguf_dtype_of(number, dtype))
        return status;
    const char *name = gguf_number_name(number);
    return refuse(c, at, VL_ERR_UNSUPPORTED, "tensor type %u (%s) is not read", number,
                  name ? name : "unknown");
}

static vl_status read_tensor(cursor *c, vl_tensor *tensor, place *where) {
    size_t rank = 0, dims[VL_MAX_RANK] = {0}, at = c->at;
    vl_dtype dtype;
    vl_error shape = {0};
    vl_status status;
    if ((status = read_dims(c, &rank, dims)) != VL_OK ||
        (status = read_dtype(c, &dtype)) != VL_OK)
        return status;
    /* Its own message: it speaks of the tensor and is VL_ERR_USAGE there. */
    if (vl_tensor_init(tensor, tensor->name, dtype, rank, dims, NULL, &shape) != VL_OK)
        return refuse(c, at, VL_ERR_INPUT, "%s", shape.message);
    return take_u64(c, "the offset of a tensor", &where->offset);
}

static vl_status read_tensors(cursor *c, vl_gguf *file, place *places) {
    for (size_t i = 0; i < file->tensor_count; i++) {
        vl_tensor *tensor = &file->tensors[i];
        places[i] = (place){.at = c->at, .tensor = tensor};
        vl_status status = take_name(c, file->arena, "the name of a tensor",
                                     VL_GGUF_MAX_NAME_BYTES, &tensor->name);
        if (status == VL_OK)
            status = read_tensor(c, tensor, &places[i]);
        if (status != VL_OK)
            return inside(c, "tensor", tensor->name, status);
        file->tensor_names[i] = (vl_name){tensor->name, i};
    }
    vl_names_sort(file->tensor_names, file->tensor_count);
    size_t twice = vl_names_duplicate(file->tensor_names, file->tensor_count);
    if (twice == SIZE_MAX)
        return VL_OK;
    return refuse(c, places[twice].at, VL_ERR_INPUT, "a tensor comes twice: '%s'",
                  file->tensors[twice].name);
}

/* ---- data ----------------------------------------------------------------------- */

static vl_status place_tensor(cursor *c, const vl_gguf *file, size_t start, const place *where,
                              vl_tensor *tensor) {
    size_t room = c->source->count - start;
    if (where->offset % file->alignment)
        return refuse(c, where->at, VL_ERR_INPUT,
                      "tensor '%s' lies at offset %llu, no multiple of the alignment %u",
                      tensor->name, (unsigned long long)where->offset, file->alignment);
    if (where->offset > room || tensor->bytes > room - where->offset)
        return refuse(c, where->at, VL_ERR_INPUT,
                      "tensor '%s' has %zu bytes at offset %llu of a data section of %zu",
                      tensor->name, tensor->bytes, (unsigned long long)where->offset, room);
    tensor->data = c->source->bytes + start + where->offset;
    return VL_OK;
}

static int place_order(const void *a, const void *b) {
    const place *left_place = a, *right_place = b;
    if (left_place->offset != right_place->offset)
        return left_place->offset < right_place->offset ? -1 : 1;
    return (left_place->at > right_place->at) - (left_place->at < right_place->at);
}

/* `places` by offset. */
static vl_status check_overlap(cursor *c, const place *places, size_t count) {
    for (size_t i = 1; i < count; i++) {
        const place *before = &places[i - 1], *after = &places[i];
        if (after->offset - before->offset < before->tensor->bytes)
            return refuse(c, after->at, VL_ERR_INPUT,
                          "tensors '%s' and '%s' overlap at offset %llu", before->tensor->name,
                          after->tensor->name, (unsigned long long)after->offset);
    }
    return VL_OK;
}

static vl_status place_tensors(cursor *c, vl_gguf *file, place *places) {
    size_t over = c->at % file->alignment, start = c->at + (over ? file->alignment - over : 0);
    if (file->tensor_count == 0)
        return VL_OK;
    if (start > c->source->count)
        return refuse(c, c->at, VL_ERR_INPUT,
                      "the data section would begin at byte %zu of a file of %zu", start,
                      c->source->count);
    for (size_t i = 0; i < file->tensor_count; i++) {
        vl_status status = place_tensor(c, file, start, &places[i], &file->tensors[i]);
        if (status != VL_OK)
            return status;
    }
    qsort(places, file->tensor_count, sizeof *places, place_order);
    return check_overlap(c, places, file->tensor_count);
}

static vl_status read_tensor_section(cursor *c, vl_gguf *file) {
    size_t count = file->tensor_count;
    place *places = calloc(count ? count : 1, sizeof *places);
    file->tensors = vl_arena_array(file->arena, count, sizeof *file->tensors);
    file->tensor_names = vl_arena_array(file->arena, count, sizeof *file->tensor_names);
    vl_status status = VL_OK;
    if (!places || !file->tensors || !file->tensor_names)
        status = no_memory(c);
    if (status == VL_OK)
        status = read_tensors(c, file, places);
    if (status == VL_OK)
        status = place_tensors(c, file, places);
    free(places);
    return status;
}

/* ---- the file object ------------------------------------------------------------ */

/* Takes `source` over. */
static vl_status parse(vl_source *source, vl_gguf **out, vl_error *error) {
    vl_gguf *file = calloc(1, sizeof *file);
    if (!file) {
        vl_source_close(source);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a GGUF file");
    }
    file->source = *source;
    file->alignment = VL_GGUF_DATA_ALIGNMENT;
    /* A view of a string takes twice the bytes of an empty one's length; tables are bounded by
     * the maxima. */
    size_t room = (size_t)64 << 20;
    file->arena = vl_arena_new(source->count < (SIZE_MAX - room) / 4 ? source->count * 4 + room
                                                                     : SIZE_MAX);
    cursor c = {&file->source, 0, error};
    vl_status status = file->arena ? VL_OK : no_memory(&c);
    if (status == VL_OK)
        status = read_header(&c, file);
    if (status == VL_OK)
        status = read_keys(&c, file);
    if (status == VL_OK)
        status = read_tensor_section(&c, file);
    if (status != VL_OK) {
        vl_gguf_free(file);
        return status;
    }
    *out = file;
    return VL_OK;
}

vl_status vl_gguf_open(const char *path, vl_gguf **file, vl_error *error) {
    vl_source source;
    *file = NULL;
    vl_status status = vl_source_open(path, &source, error);
    return status == VL_OK ? parse(&source, file, error) : status;
}

vl_status vl_gguf_parse(const void *bytes, size_t count, vl_gguf **file, vl_error *error) {
    vl_source source;
    *file = NULL;
    vl_status status = vl_source_wrap(bytes, count, &source, error);
    return status == VL_OK ? parse(&source, file, error) : status;
}

void vl_gguf_free(vl_gguf *file) {
    if (!file)
        return;
    vl_arena_free(file->arena);
    vl_source_close(&file->source);
    free(file);
}

size_t vl_gguf_tensor_count(const vl_gguf *file) {
    return file->tensor_count;
}

const vl_tensor *vl_gguf_tensor(const vl_gguf *file, size_t index) {
    return index < file->tensor_count ? &file->tensors[index] : NULL;
}

const vl_tensor *vl_gguf_find(const vl_gguf *file, const char *name) {
    return vl_gguf_tensor(file, vl_names_find(file->tensor_names, file->tensor_count, name));
}

vl_status vl_gguf_require(const vl_gguf *file, const char *name, size_t rank,
                          const size_t *dims, const vl_tensor **tensor, vl_error *error) {
    const vl_tensor *found = vl_gguf_find(file, name);
    char wanted[VL_SHAPE_TEXT_SIZE], there[VL_SHAPE_TEXT_SIZE];
    if (!found)
        return vl_fail(error, VL_ERR_INPUT, "%s has no tensor '%s'", file->source.name, name);
    if (!vl_tensor_has_shape(found, rank, dims))
        return vl_fail(error, VL_ERR_INPUT, "%s: tensor '%s' is %s, expected %s",
                       file->source.name, name, vl_shape_text(found->rank, found->dims, there),
                       vl_shape_text(rank, dims, wanted));
    *tensor = found;
    return VL_OK;
}
