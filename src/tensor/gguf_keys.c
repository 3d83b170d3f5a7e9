/* gguf_keys.c — metadata of an open GGUF file, by key and type. */
#include "tensor/gguf.h"

size_t vl_gguf_key_count(const vl_gguf *file) {
    return file->key_count;
}

const char *vl_gguf_key(const vl_gguf *file, size_t index) {
    return index < file->key_count ? file->keys[index].name : NULL;
}

static const gguf_key *find(const vl_gguf *file, const char *name) {
    size_t index = vl_names_find(file->key_names, file->key_count, name);
    return index == SIZE_MAX ? NULL : &file->keys[index];
}

bool vl_gguf_has(const vl_gguf *file, const char *key) {
    return find(file, key) != NULL;
}

static const char *type_text(const gguf_key *key) {
    static const char *const arrays[GGUF_TYPE_COUNT] = {
        [GGUF_U8] = "array of u8",         [GGUF_I8] = "array of i8",
        [GGUF_U16] = "array of u16",       [GGUF_I16] = "array of i16",
        [GGUF_U32] = "array of u32",       [GGUF_I32] = "array of i32",
        [GGUF_F32] = "array of f32",       [GGUF_BOOL] = "array of bool",
        [GGUF_STRING] = "array of string", [GGUF_U64] = "array of u64",
        [GGUF_I64] = "array of i64",       [GGUF_F64] = "array of f64",
    };
    return key->is_array ? arrays[key->type] : gguf_type_name(key->type);
}

const char *vl_gguf_key_type(const vl_gguf *file, const char *key) {
    const gguf_key *found = find(file, key);
    return found ? type_text(found) : NULL;
}

/* *found is NULL for an optional key that is not there. */
static vl_status look_up(const vl_gguf *file, const char *name, vl_need need,
                         const gguf_key **found, vl_error *error) {
    *found = find(file, name);
    if (*found || need == VL_OPTIONAL)
        return VL_OK;
    return vl_fail(error, VL_ERR_INPUT, "%s has no key '%s'", file->source.name, name);
}

static vl_status wrong_type(const vl_gguf *file, const gguf_key *key, const char *wanted,
                            vl_error *error) {
    return vl_refuse(&file->source, key->at, error, VL_ERR_INPUT, "key '%s' is %s, expected %s",
                     key->name, type_text(key), wanted);
}

/* ---- single values -------------------------------------------------------------- */

vl_status vl_gguf_get_string(const vl_gguf *file, const char *key, vl_need need,
                             const char **value, vl_error *error) {
    const gguf_key *found;
    vl_status status = look_up(file, key, need, &found, error);
    if (!found)
        return status;
    if (found->is_array || found->type != GGUF_STRING)
        return wrong_type(file, found, "string", error);
    const vl_gguf_string *string = found->copy;
    if (strlen(string->data) != string->bytes)
        return vl_refuse(&file->source, found->at, error, VL_ERR_INPUT,
                         "key '%s' holds a NUL byte inside its string", key);
    *value = string->data;
    return VL_OK;
}

/* The value of any integer type, sign-extended; false: no integer, or past INT64_MAX. */
static bool integer_value(const gguf_key *key, int64_t *value) {
    if (key->is_array)
        return false;
    uint64_t raw = 0;
    memcpy(&raw, key->value, gguf_type_bytes(key->type));
    switch (key->type) {
    case GGUF_U8:
    case GGUF_U16:
    case GGUF_U32:
        *value = (int64_t)raw;
        return true;
    case GGUF_U64:
        *value = (int64_t)raw;
        return raw <= INT64_MAX;
    case GGUF_I8:
        *value = (int8_t)raw;
        return true;
    case GGUF_I16:
        *value = (int16_t)raw;
        return true;
    case GGUF_I32:
        *value = (int32_t)raw;
        return true;
    case GGUF_I64:
        *value = (int64_t)raw;
        return true;
    default:
        return false;
    }
}

static bool is_integer(const gguf_key *key) {
    return !key->is_array && key->type != GGUF_F32 && key->type != GGUF_F64 &&
           key->type != GGUF_BOOL && key->type != GGUF_STRING;
}

/* *present says whether *value was set. */
static vl_status get_integer(const vl_gguf *file, const char *key, vl_need need, int64_t lowest,
                             int64_t highest, const char *wanted, int64_t *value, bool *present,
                             vl_error *error) {
    const gguf_key *found;
    vl_status status = look_up(file, key, need, &found, error);
    *present = found != NULL;
    if (!found)
        return status;
    if (!is_integer(found))
        return wrong_type(file, found, wanted, error);
    if (!integer_value(found, value) || *value < lowest || *value > highest)
        return vl_refuse(&file->source, found->at, error, VL_ERR_INPUT,
                         "key '%s' has a value that does not fit %s", key, wanted);
    return VL_OK;
}

vl_status vl_gguf_get_u32(const vl_gguf *file, const char *key, vl_need need, uint32_t *value,
                          vl_error *error) {
    int64_t wide = 0;
    bool present;
    vl_status status =
        get_integer(file, key, need, 0, UINT32_MAX, "u32", &wide, &present, error);
    if (status == VL_OK && present)
        *value = (uint32_t)wide;
    return status;
}

vl_status vl_gguf_get_i64(const vl_gguf *file, const char *key, vl_need need, int64_t *value,
                          vl_error *error) {
    int64_t wide = 0;
    bool present;
    vl_status status =
        get_integer(file, key, need, INT64_MIN, INT64_MAX, "i64", &wide, &present, error);
    if (status == VL_OK && present)
        *value = wide;
    return status;
}

vl_status vl_gguf_get_f32(const vl_gguf *file, const char *key, vl_need need, float *value,
                          vl_error *error) {
    const gguf_key *found;
    vl_status status = look_up(file, key, need, &found, error);
    if (!found)
        return status;
    if (found->is_array || (found->type != GGUF_F32 && found->type != GGUF_F64))
        return wrong_type(file, found, "f32", error);
    if (found->type == GGUF_F32) {
        memcpy(value, found->value, sizeof *value);
    } else {
        double wide;
        memcpy(&wide, found->value, sizeof wide);
        *value = (float)wide;
    }
    return VL_OK;
}

vl_status vl_gguf_get_bool(const vl_gguf *file, const char *key, vl_need need, bool *value,
                           vl_error *error) {
    const gguf_key *found;
    vl_status status = look_up(file, key, need, &found, error);
    if (!found)
        return status;
    if (found->is_array || found->type != GGUF_BOOL)
        return wrong_type(file, found, "bool", error);
    *value = found->value[0] == 1;
    return VL_OK;
}

/* ---- arrays --------------------------------------------------------------------- */

/* *values is NULL for an optional key that is not there. */
static vl_status get_array(const vl_gguf *file, const char *key, vl_need need, gguf_type type,
                           const char *wanted, const void **values, size_t *count,
                           vl_error *error) {
    const gguf_key *found;
    vl_status status = look_up(file, key, need, &found, error);
    *values = NULL;
    if (!found)
        return status;
    if (!found->is_array || found->type != type)
        return wrong_type(file, found, wanted, error);
    *values = found->copy;
    *count = found->count;
    return VL_OK;
}

vl_status vl_gguf_get_strings(const vl_gguf *file, const char *key, vl_need need,
                              const vl_gguf_string **values, size_t *count, vl_error *error) {
    const void *array;
    vl_status status =
        get_array(file, key, need, GGUF_STRING, "array of string", &array, count, error);
    if (array)
        *values = array;
    return status;
}

vl_status vl_gguf_get_i32s(const vl_gguf *file, const char *key, vl_need need,
                           const int32_t **values, size_t *count, vl_error *error) {
    const void *array;
    vl_status status =
        get_array(file, key, need, GGUF_I32, "array of i32", &array, count, error);
    if (array)
        *values = array;
    return status;
}

vl_status vl_gguf_get_f32s(const vl_gguf *file, const char *key, vl_need need,
                           const float **values, size_t *count, vl_error *error) {
    const void *array;
    vl_status status =
        get_array(file, key, need, GGUF_F32, "array of f32", &array, count, error);
    if (array)
        *values = array;
    return status;
}
