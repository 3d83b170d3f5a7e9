/* safetensors_read.c — a safetensors file that nobody vouches for, to views of its tensors.
 *
 * The header is held to the format (safetensors_scan.c), parsed by cJSON, and each tensor's
 * range compared with its shape; then the ranges, in order, must cover the data exactly. */
#include "tensor/safetensors.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

struct vl_safetensors {
    vl_source source;
    vl_arena *arena;
    size_t tensor_count, key_count;
    vl_tensor *tensors;                /* in order of their data */
    vl_name *tensor_names, *key_names; /* sorted */
    const char **keys, **values;       /* metadata, in the header's order */
};

/* A tensor as the header describes it. */
typedef struct range {
    vl_tensor tensor;
    size_t begin, end; /* in the data section */
    size_t at;         /* of its name in the file */
} range;

typedef struct reading {
    vl_safetensors *file;
    safetensors_places places;
    cJSON *header;
    range *ranges;
    size_t count, data; /* data: where the section begins in the file */
    vl_error *error;
} reading;

#define refuse(r, place, status, ...)                                                          \
    vl_refuse(&(r)->file->source, (place), (r)->error, (status), __VA_ARGS__)

static vl_status no_memory(reading *r) {
    return refuse(r, SAFETENSORS_LENGTH_BYTES, VL_ERR_MEMORY, "no memory to read the header");
}

/* ---- header --------------------------------------------------------------------- */

static vl_status find_header(reading *r, size_t *bytes) {
    const vl_source *source = &r->file->source;
    uint64_t length;
    if (source->count < sizeof length)
        return refuse(r, 0, VL_ERR_INPUT,
                      "the length of a safetensors header needs 8 bytes and the file has %zu",
                      source->count);
    memcpy(&length, source->bytes, sizeof length);
    if (length > source->count - sizeof length)
        return refuse(r, 0, VL_ERR_INPUT, "a header of %llu bytes, and the file has %zu more",
                      (unsigned long long)length, source->count - sizeof length);
    if (length > VL_SAFETENSORS_MAX_HEADER)
        return refuse(r, 0, VL_ERR_LIMIT, "a header of %llu bytes, at most %u are read",
                      (unsigned long long)length, VL_SAFETENSORS_MAX_HEADER);
    if (length < 2)
        return refuse(r, 0, VL_ERR_INPUT, "a header of %llu bytes, too short for '{}'",
                      (unsigned long long)length);
    *bytes = (size_t)length;
    r->data = sizeof length + *bytes;
    return VL_OK;
}

static vl_status parse_header(reading *r, size_t bytes) {
    const char *text = (const char *)r->file->source.bytes + SAFETENSORS_LENGTH_BYTES;
    vl_status status = safetensors_scan(&r->file->source, SAFETENSORS_LENGTH_BYTES, bytes,
                                        &r->places, r->error);
    if (status != VL_OK)
        return status;
    const char *end = NULL;
    r->header = cJSON_ParseWithLengthOpts(text, bytes, &end, false);
    size_t used = end ? (size_t)(end - text) : 0;
    if (!r->header)
        return refuse(r, SAFETENSORS_LENGTH_BYTES + used, VL_ERR_INPUT,
                      "the header is no JSON from here");
    while (used < bytes && strchr(" \t\r\n", text[used]))
        used++;
    if (used < bytes)
        return refuse(r, SAFETENSORS_LENGTH_BYTES + used, VL_ERR_INPUT,
                      "the header goes on after its object");
    return VL_OK;
}

/* ---- metadata ------------------------------------------------------------------- */

static size_t children(const cJSON *node) {
    size_t count = 0;
    for (const cJSON *child = node->child; child; child = child->next)
        count++;
    return count;
}

static vl_status add_key(reading *r, const cJSON *child, size_t at) {
    vl_safetensors *file = r->file;
    char shown[VL_NAME_SHOWN_SIZE];
    if (!cJSON_IsString(child))
        return refuse(r, at, VL_ERR_INPUT, "metadata '%s' is not a string",
                      vl_name_shown(child->string, shown));
    size_t i = file->key_count;
    file->keys[i] = vl_arena_strdup(file->arena, child->string);
    file->values[i] = vl_arena_strdup(file->arena, child->valuestring);
    if (!file->keys[i] || !file->values[i])
        return no_memory(r);
    file->key_names[i] = (vl_name){file->keys[i], i};
    file->key_count++;
    return VL_OK;
}

static vl_status read_metadata(reading *r, const cJSON *node, size_t at) {
    vl_safetensors *file = r->file;
    char shown[VL_NAME_SHOWN_SIZE];
    if (file->keys)
        return refuse(r, at, VL_ERR_INPUT, "%s comes twice", SAFETENSORS_METADATA);
    if (!cJSON_IsObject(node))
        return refuse(r, at, VL_ERR_INPUT, "%s is not an object", SAFETENSORS_METADATA);
    size_t count = children(node);
    file->keys = vl_arena_array(file->arena, count, sizeof *file->keys);
    file->values = vl_arena_array(file->arena, count, sizeof *file->values);
    file->key_names = vl_arena_array(file->arena, count, sizeof *file->key_names);
    if (!file->keys || !file->values || !file->key_names)
        return no_memory(r);
    for (const cJSON *child = node->child; child; child = child->next) {
        vl_status status = add_key(r, child, at);
        if (status != VL_OK)
            return status;
    }
    vl_names_sort(file->key_names, file->key_count);
    size_t twice = vl_names_duplicate(file->key_names, file->key_count);
    if (twice == SIZE_MAX)
        return VL_OK;
    return refuse(r, at, VL_ERR_INPUT, "metadata '%s' comes twice",
                  vl_name_shown(file->keys[twice], shown));
}

/* ---- tensors -------------------------------------------------------------------- */

/* The three members of a tensor's object, each once and of its kind. */
typedef struct members {
    const cJSON *dtype, *shape, *offsets;
} members;

static vl_status find_members(reading *r, const cJSON *node, size_t at, members *found) {
    char tensor[VL_NAME_SHOWN_SIZE], member[VL_NAME_SHOWN_SIZE];
    vl_name_shown(node->string, tensor);
    *found = (members){0};
    for (const cJSON *child = node->child; child; child = child->next) {
        const cJSON **place = strcmp(child->string, "dtype") == 0          ? &found->dtype
                              : strcmp(child->string, "shape") == 0        ? &found->shape
                              : strcmp(child->string, "data_offsets") == 0 ? &found->offsets
                                                                           : NULL;
        if (!place)
            return refuse(r, at, VL_ERR_INPUT, "tensor '%s' has an unknown '%s'", tensor,
                          vl_name_shown(child->string, member));
        if (*place)
            return refuse(r, at, VL_ERR_INPUT, "tensor '%s' has '%s' twice", tensor,
                          child->string);
        *place = child;
    }
    if (!cJSON_IsString(found->dtype))
        return refuse(r, at, VL_ERR_INPUT, "tensor '%s' has no 'dtype' that is a string",
                      tensor);
    if (!cJSON_IsArray(found->shape))
        return refuse(r, at, VL_ERR_INPUT, "tensor '%s' has no 'shape' that is an array",
                      tensor);
    if (!cJSON_IsArray(found->offsets))
        return refuse(r, at, VL_ERR_INPUT,
                      "tensor '%s' has no 'data_offsets' that are an array", tensor);
    return VL_OK;
}

/* At most `max` numbers of an array; the count of all of them, or SIZE_MAX for something else
 * among them. The scan has made sure that numbers are whole and exact. */
static size_t read_numbers(const cJSON *array, size_t *numbers, size_t max) {
    size_t count = 0;
    for (const cJSON *item = array->child; item; item = item->next, count++) {
        if (!cJSON_IsNumber(item))
            return SIZE_MAX;
        if (count < max)
            numbers[count] = (size_t)item->valuedouble;
    }
    return count;
}

static vl_status read_shape(reading *r, const members *found, range *part) {
    const char *name = part->tensor.name;
    char shown[VL_NAME_SHOWN_SIZE], dtype_shown[VL_NAME_SHOWN_SIZE];
    size_t dims[VL_MAX_RANK] = {0};
    vl_dtype dtype;
    vl_error shape = {0};
    vl_name_shown(name, shown);
    if (!safetensors_dtype_parse(found->dtype->valuestring, &dtype))
        return refuse(r, part->at, VL_ERR_UNSUPPORTED, "tensor '%s' has type '%s', not read",
                      shown, vl_name_shown(found->dtype->valuestring, dtype_shown));
    size_t rank = read_numbers(found->shape, dims, VL_MAX_RANK);
    if (rank == SIZE_MAX)
        return refuse(r, part->at, VL_ERR_INPUT,
                      "tensor '%s' has a dimension that is no number", shown);
    if (rank > VL_MAX_RANK)
        return refuse(r, part->at, VL_ERR_UNSUPPORTED,
                      "tensor '%s' has %zu dimensions; up to %d are read", shown, rank,
                      VL_MAX_RANK);
    if (vl_tensor_init(&part->tensor, name, dtype, rank, dims, NULL, &shape) != VL_OK)
        return refuse(r, part->at, VL_ERR_INPUT, "%s", shape.message);
    return VL_OK;
}

static vl_status read_offsets(reading *r, const members *found, range *part) {
    char shown[VL_NAME_SHOWN_SIZE];
    size_t offsets[2] = {0}, room = r->file->source.count - r->data;
    vl_name_shown(part->tensor.name, shown);
    if (read_numbers(found->offsets, offsets, 2) != 2)
        return refuse(r, part->at, VL_ERR_INPUT, "tensor '%s' has no two 'data_offsets'",
                      shown);
    part->begin = offsets[0];
    part->end = offsets[1];
    if (part->begin > part->end || part->end > room)
        return refuse(r, part->at, VL_ERR_INPUT,
                      "tensor '%s' lies at %zu to %zu of a data section of %zu bytes", shown,
                      part->begin, part->end, room);
    if (part->end - part->begin != part->tensor.bytes)
        return refuse(r, part->at, VL_ERR_INPUT,
                      "tensor '%s' lies at %zu to %zu, and its shape needs %zu bytes", shown,
                      part->begin, part->end, part->tensor.bytes);
    return VL_OK;
}

static vl_status read_tensor(reading *r, const cJSON *node, size_t at) {
    range *part = &r->ranges[r->count];
    char shown[VL_NAME_SHOWN_SIZE];
    members found;
    const char *fault =
        vl_name_fault(node->string, strlen(node->string), SAFETENSORS_MAX_NAME_BYTES);
    if (fault)
        return refuse(r, at, VL_ERR_INPUT, "the name of a tensor %s", fault);
    if (!cJSON_IsObject(node))
        return refuse(r, at, VL_ERR_INPUT, "tensor '%s' is not an object",
                      vl_name_shown(node->string, shown));
    vl_status status = find_members(r, node, at, &found);
    if (status != VL_OK)
        return status;
    part->at = at;
    part->tensor.name = vl_arena_strdup(r->file->arena, node->string);
    if (!part->tensor.name)
        return no_memory(r);
    status = read_shape(r, &found, part);
    if (status == VL_OK)
        status = read_offsets(r, &found, part);
    r->count++;
    return status;
}

static vl_status read_members(reading *r) {
    size_t i = 0;
    for (const cJSON *node = r->header->child; node; node = node->next, i++) {
        size_t at = i < r->places.count ? r->places.at[i] : SAFETENSORS_LENGTH_BYTES;
        vl_status status = strcmp(node->string, SAFETENSORS_METADATA) == 0
                               ? read_metadata(r, node, at)
                               : read_tensor(r, node, at);
        if (status != VL_OK)
            return status;
    }
    return VL_OK;
}

static vl_status check_names(reading *r) {
    vl_name *names = r->file->tensor_names;
    char shown[VL_NAME_SHOWN_SIZE];
    for (size_t i = 0; i < r->count; i++)
        names[i] = (vl_name){r->ranges[i].tensor.name, i};
    vl_names_sort(names, r->count);
    size_t twice = vl_names_duplicate(names, r->count);
    if (twice == SIZE_MAX)
        return VL_OK;
    return refuse(r, r->ranges[twice].at, VL_ERR_INPUT, "tensor '%s' comes twice",
                  vl_name_shown(r->ranges[twice].tensor.name, shown));
}

/* ---- data ----------------------------------------------------------------------- */

/* Empty tensors before the one that begins where they lie. */
static int range_order(const void *a, const void *b) {
    const range *left = a, *right = b;
    if (left->begin != right->begin)
        return left->begin < right->begin ? -1 : 1;
    if (left->end != right->end)
        return left->end < right->end ? -1 : 1;
    return (left->at > right->at) - (left->at < right->at);
}

static vl_status check_cover(reading *r) {
    size_t covered = 0, room = r->file->source.count - r->data;
    char shown[VL_NAME_SHOWN_SIZE];
    for (size_t i = 0; i < r->count; i++) {
        const range *part = &r->ranges[i];
        if (part->begin != covered)
            return refuse(
                r, part->at, VL_ERR_INPUT,
                "tensor '%s' begins at %zu of the data, and what is before it ends at "
                "%zu: %s",
                vl_name_shown(part->tensor.name, shown), part->begin, covered,
                part->begin < covered ? "they overlap" : "there is a hole");
        covered = part->end;
    }
    if (covered != room)
        return refuse(r, r->data + covered, VL_ERR_INPUT,
                      "%zu bytes of data belong to no tensor", room - covered);
    return VL_OK;
}

/* The file's own bytes, or a copy of them where the type cannot be read at that address. */
static const void *data_of(reading *r, const range *part) {
    const unsigned char *bytes = r->file->source.bytes + r->data + part->begin;
    if ((uintptr_t)bytes % vl_dtype_block_bytes(part->tensor.dtype) == 0)
        return bytes;
    void *copy = vl_arena_alloc(r->file->arena, part->tensor.bytes);
    if (copy)
        memcpy(copy, bytes, part->tensor.bytes);
    return copy;
}

static vl_status place_tensors(reading *r) {
    vl_safetensors *file = r->file;
    if (r->count)
        qsort(r->ranges, r->count, sizeof *r->ranges, range_order);
    vl_status status = check_cover(r);
    if (status != VL_OK)
        return status;
    for (size_t i = 0; i < r->count; i++) {
        file->tensors[i] = r->ranges[i].tensor;
        file->tensors[i].data = data_of(r, &r->ranges[i]);
        if (!file->tensors[i].data)
            return no_memory(r);
        file->tensor_names[i] = (vl_name){file->tensors[i].name, i};
    }
    file->tensor_count = r->count;
    vl_names_sort(file->tensor_names, file->tensor_count);
    return VL_OK;
}

/* ---- the file object ------------------------------------------------------------ */

static vl_status read_all(reading *r) {
    vl_safetensors *file = r->file;
    size_t bytes = 0;
    vl_status status = find_header(r, &bytes);
    if (status == VL_OK)
        status = parse_header(r, bytes);
    if (status != VL_OK)
        return status;
    size_t count = children(r->header);
    r->ranges = calloc(count ? count : 1, sizeof *r->ranges);
    file->tensors = vl_arena_array(file->arena, count, sizeof *file->tensors);
    file->tensor_names = vl_arena_array(file->arena, count, sizeof *file->tensor_names);
    if (!r->ranges || !file->tensors || !file->tensor_names)
        return no_memory(r);
    if ((status = read_members(r)) != VL_OK || (status = check_names(r)) != VL_OK)
        return status;
    return place_tensors(r);
}

/* Takes `source` over. */
static vl_status parse(vl_source *source, vl_safetensors **out, vl_error *error) {
    const size_t tables = (size_t)64 << 20; /* bounded by the maxima of names and keys */
    vl_safetensors *file = calloc(1, sizeof *file);
    vl_arena *arena = vl_arena_new(
        source->count < (SIZE_MAX - tables) / 2 ? source->count * 2 + tables : SIZE_MAX);
    if (!file || !arena) {
        free(file);
        vl_arena_free(arena);
        vl_source_close(source);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a safetensors file");
    }
    *file = (vl_safetensors){.source = *source, .arena = arena};
    reading r = {.file = file, .error = error};
    vl_status status = read_all(&r);
    cJSON_Delete(r.header);
    free(r.places.at);
    free(r.ranges);
    if (status == VL_OK)
        *out = file;
    else
        vl_safetensors_free(file);
    return status;
}

vl_status vl_safetensors_open(const char *path, vl_safetensors **file, vl_error *error) {
    vl_source source;
    *file = NULL;
    vl_status status = vl_source_open(path, &source, error);
    return status == VL_OK ? parse(&source, file, error) : status;
}

vl_status vl_safetensors_parse(const void *bytes, size_t count, vl_safetensors **file,
                               vl_error *error) {
    vl_source source;
    *file = NULL;
    vl_status status = vl_source_wrap(bytes, count, &source, error);
    return status == VL_OK ? parse(&source, file, error) : status;
}

void vl_safetensors_free(vl_safetensors *file) {
    if (!file)
        return;
    vl_arena_free(file->arena);
    vl_source_close(&file->source);
    free(file);
}

size_t vl_safetensors_tensor_count(const vl_safetensors *file) {
    return file->tensor_count;
}

const vl_tensor *vl_safetensors_tensor(const vl_safetensors *file, size_t index) {
    return index < file->tensor_count ? &file->tensors[index] : NULL;
}

const vl_tensor *vl_safetensors_find(const vl_safetensors *file, const char *name) {
    return vl_safetensors_tensor(file,
                                 vl_names_find(file->tensor_names, file->tensor_count, name));
}

vl_status vl_safetensors_require(const vl_safetensors *file, const char *name, vl_dtype dtype,
                                 size_t rank, const size_t *dims, const vl_tensor **tensor,
                                 vl_error *error) {
    const vl_tensor *found = vl_safetensors_find(file, name);
    char wanted[VL_SHAPE_TEXT_SIZE], there[VL_SHAPE_TEXT_SIZE];
    if (!found)
        return vl_fail(error, VL_ERR_INPUT, "%s has no tensor '%s'", file->source.name, name);
    if (found->dtype != dtype || !vl_tensor_has_shape(found, rank, dims))
        return vl_fail(error, VL_ERR_INPUT, "%s: tensor '%s' is %s %s, expected %s %s",
                       file->source.name, name, vl_dtype_name(found->dtype),
                       vl_shape_text(found->rank, found->dims, there), vl_dtype_name(dtype),
                       vl_shape_text(rank, dims, wanted));
    *tensor = found;
    return VL_OK;
}

size_t vl_safetensors_key_count(const vl_safetensors *file) {
    return file->key_count;
}

const char *vl_safetensors_key(const vl_safetensors *file, size_t index) {
    return index < file->key_count ? file->keys[index] : NULL;
}

const char *vl_safetensors_value(const vl_safetensors *file, const char *key) {
    size_t index = vl_names_find(file->key_names, file->key_count, key);
    return index == SIZE_MAX ? NULL : file->values[index];
}
