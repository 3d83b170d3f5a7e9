/* status.c — status codes and the error that carries one to the user. */
#include <vislang/base.h>

#include <stdio.h>
#include <string.h>

vl_status vl_error_set(vl_error *error, vl_status status, const char *file, int line,
                       const char *format, ...) {
    if (!error)
        return status;
    error->status = status;
    error->file = file;
    error->line = line;
    error->format = format;
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    /* A cut message may end inside a character. */
    error->message[vl_utf8_valid_prefix(error->message, strlen(error->message))] = '\0';
    return status;
}

vl_status vl_error_prefix(vl_error *error, const char *format, ...) {
    if (!error)
        return VL_ERR_INTERNAL;
    char message[sizeof error->message];
    va_list args;
    va_start(args, format);
    int used = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof message)
        snprintf(message + used, sizeof message - (size_t)used, ": %s", error->message);
    memcpy(error->message, message, sizeof message);
    error->message[vl_utf8_valid_prefix(error->message, strlen(error->message))] = '\0';
    return error->status;
}

const char *vl_status_name(vl_status status) {
    switch (status) {
    case VL_OK:
        return "ok";
    case VL_ERR_INTERNAL:
        return "internal";
    case VL_ERR_USAGE:
        return "usage";
    case VL_ERR_INPUT:
        return "bad_input";
    case VL_ERR_UNSUPPORTED:
        return "unsupported";
    case VL_ERR_LIMIT:
        return "limit";
    case VL_ERR_MISSING:
        return "missing";
    case VL_ERR_IO:
        return "io";
    case VL_ERR_MEMORY:
        return "memory";
    case VL_ERR_TIMEOUT:
        return "timeout";
    case VL_ERR_BUSY:
        return "busy";
    case VL_ERR_CANCELLED:
        return "cancelled";
    case VL_ERR_DENIED:
        return "denied";
    }
    return "unknown";
}

int vl_status_exit_code(vl_status status) {
    switch (status) {
    case VL_OK:
        return 0;
    case VL_ERR_USAGE:
        return 2;
    case VL_ERR_INPUT:
    case VL_ERR_UNSUPPORTED:
    case VL_ERR_LIMIT:
        return 3;
    case VL_ERR_MISSING:
        return 4;
    default:
        return 1;
    }
}
