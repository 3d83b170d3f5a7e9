/* safetensors.h — the pieces of the safetensors format that its reader and its writer share.
 *
 * File: u64 length of the header; the header, a JSON object that begins with '{' and may end in
 * spaces; the data. The header maps each tensor's name to {"dtype","shape","data_offsets"}, the
 * offsets [begin, end) counted from the end of the header, and "__metadata__" to strings. */
#ifndef VISLANG_TENSOR_SAFETENSORS_H
#define VISLANG_TENSOR_SAFETENSORS_H

#include "tensor/file.h"

#define SAFETENSORS_METADATA "__metadata__"
#define SAFETENSORS_MAX_NAME_BYTES 1024u
enum { SAFETENSORS_LENGTH_BYTES = 8 };

/* "F32", …; NULL: safetensors has no such type (the quantised ones). */
const char *safetensors_dtype_name(vl_dtype dtype);
bool safetensors_dtype_parse(const char *name, vl_dtype *dtype);

/* Where the names of the header's object stand in the file, in its order. */
typedef struct safetensors_places {
    size_t *at;
    size_t count;
} safetensors_places;

/* Holds the header, `bytes` of it at `from`, to what the format can say, before a JSON parser
 * that knows more than that sees it: objects, arrays, strings without control characters and
 * whole numbers; three levels; as many values as the maximum of tensors needs. Grammar is left
 * to the parser. The caller frees places->at, on failure too. */
vl_status safetensors_scan(const vl_source *source, size_t from, size_t bytes,
                           safetensors_places *places, vl_error *error);

#endif
