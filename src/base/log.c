/* log.c — JSON lines on standard error.
 *
 * A line is composed in memory and goes out in one write(2) under a lock, so that lines of
 * several threads never mix and lines of several processes on one file do not either. Every
 * line is valid JSON whatever bytes it is given: what is not UTF-8 becomes U+FFFD, a string
 * past 8 KB is cut and ends in "…". A line that cannot be composed for want of memory is
 * replaced by one that says so. */
#include <vislang/base.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { STRING_MAX_BYTES = 8 * 1024, LINE_MAX_BYTES = 1024 * 1024, REQUEST_ID_SIZE = 64 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static _Atomic int log_level = VL_LOG_INFO;
static pthread_mutex_t line_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local char request_id[REQUEST_ID_SIZE];

void vl_log_set_level(vl_log_level level) {
    atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

vl_status vl_log_level_parse(const char *name, vl_log_level *level, vl_error *error) {
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++)
        if (strcasecmp(name, level_names[i]) == 0) {
            *level = (vl_log_level)i;
            return VL_OK;
        }
    if (strcasecmp(name, "warning") == 0) {
        *level = VL_LOG_WARN;
        return VL_OK;
    }
    return vl_fail(error, VL_ERR_USAGE, "'%s' is no log level (debug, info, warn, error)",
                   name);
}

void vl_log_set_request_id(const char *id) {
    snprintf(request_id, sizeof request_id, "%s", id ? id : "");
}

/* Appends one character that is not printed as itself. */
static void escaped(vl_buf *out, unsigned char byte) {
    static const char short_forms[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *found = byte ? strchr(short_forms, byte) : NULL;
    if (found)
        vl_buf_printf(out, "\\%c", letters[found - short_forms]);
    else
        vl_buf_printf(out, "\\u%04x", byte);
}

static bool is_plain(unsigned char byte) {
    return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7F;
}

/* Valid UTF-8 of `bytes`, escaped. Runs of plain bytes are copied whole. */
static void valid_text(vl_buf *out, const char *text, size_t bytes) {
    size_t from = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (is_plain((unsigned char)text[i]))
            continue;
        vl_buf_append(out, text + from, i - from);
        escaped(out, (unsigned char)text[i]);
        from = i + 1;
    }
    vl_buf_append(out, text + from, bytes - from);
}

static void quoted(vl_buf *out, const char *text) {
    static const char replacement[] = "\xEF\xBF\xBD";
    size_t left = strnlen(text, STRING_MAX_BYTES + 1);
    bool cut = left > STRING_MAX_BYTES;
    if (cut)
        left = STRING_MAX_BYTES;
    vl_buf_append(out, "\"", 1);
    while (left) {
        size_t valid = vl_utf8_valid_prefix(text, left);
        valid_text(out, text, valid);
        text += valid;
        left -= valid;
        if (cut && left > 0 && left < 4)
            break; /* the cut fell inside a character */
        if (left) {
            vl_buf_puts(out, replacement);
            text++;
            left--;
        }
    }
    vl_buf_puts(out, cut ? "…\"" : "\"");
}

static void number(vl_buf *out, double value) {
    if (!isfinite(value)) {
        vl_buf_puts(out, "null");
        return;
    }
    char text[40];
    snprintf(text, sizeof text, "%.9g", value);
    for (char *c = text; *c; c++)
        if (*c == ',') /* the decimal comma of a locale */
            *c = '.';
    vl_buf_puts(out, text);
}

static void field_append(vl_buf *out, const vl_field *field) {
    vl_buf_append(out, ",", 1);
    quoted(out, field->name);
    vl_buf_append(out, ":", 1);
    switch (field->type) {
    case VL_FIELD_STRING:
        if (field->value.string)
            quoted(out, field->value.string);
        else
            vl_buf_puts(out, "null");
        break;
    case VL_FIELD_INT:
        vl_buf_printf(out, "%lld", (long long)field->value.integer);
        break;
    case VL_FIELD_DOUBLE:
        number(out, field->value.number);
        break;
    case VL_FIELD_BOOL:
        vl_buf_puts(out, field->value.boolean ? "true" : "false");
        break;
    }
}

static void line_compose(vl_buf *line, vl_log_level level, const char *message,
                         const vl_field *fields, size_t count) {
    char now[VL_RFC3339_SIZE];
    vl_time_rfc3339(now);
    vl_buf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":", now,
                  level_names[level]);
    quoted(line, message);
    if (request_id[0])
        field_append(line, &VL_F_STR("request_id", request_id));
    const vl_trace *trace = vl_trace_now();
    if (trace) {
        field_append(line, &VL_F_STR("trace_id", trace->id));
        field_append(line, &VL_F_STR("span_id", trace->span));
    }
    for (size_t i = 0; i < count; i++)
        field_append(line, &fields[i]);
    vl_buf_puts(line, "}\n");
}

/* A log that cannot be written has nowhere to say so: what write(2) refuses is dropped. */
static void line_write(const char *text, size_t bytes) {
    pthread_mutex_lock(&line_lock);
    while (bytes) {
        ssize_t put = write(STDERR_FILENO, text, bytes);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break;
        text += put;
        bytes -= (size_t)put;
    }
    pthread_mutex_unlock(&line_lock);
}

void vl_log_write(vl_log_level level, const char *message, const vl_field *fields,
                  size_t count) {
    if ((int)level < atomic_load_explicit(&log_level, memory_order_relaxed))
        return;
    int saved = errno;
    vl_buf line;
    vl_buf_init(&line, LINE_MAX_BYTES);
    line_compose(&line, level, message, fields, count);
    if (line.failed) {
        static const char lost[] =
            "{\"level\":\"error\",\"message\":\"a log line did not fit into memory\"}\n";
        line_write(lost, sizeof lost - 1);
    } else {
        line_write(line.data, line.len);
    }
    vl_buf_deinit(&line);
    errno = saved;
}
