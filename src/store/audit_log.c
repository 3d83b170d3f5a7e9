/* audit_log.c — the end of the file is looked for, a torn line cut off, and what follows in the
 * table written, in pieces of whole lines. */
#include "store/audit_log.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 256 << 10, AT_ONCE = 64, PIECE_MAX = AT_ONCE * LINE_BYTES_MAX };

struct audit_log {
    int fd;
    pthread_mutex_t lock; /* beside the file's own, which threads share */
    off_t size;           /* of the file when it was last seen to end … */
    int64_t last;         /* … with this entry */
};

vl_status audit_log_open(const char *path, audit_log **opened, vl_error *error) {
    audit_log *log = calloc(1, sizeof *log);
    *opened = NULL;
    if (!log)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the audit trail");
    log->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log->fd < 0) {
        free(log);
        return vl_fail(error, VL_ERR_IO, "the audit trail's file %s: %s", path,
                       strerror(errno));
    }
    pthread_mutex_init(&log->lock, NULL);
    *opened = log;
    return VL_OK;
}

void audit_log_close(audit_log *log) {
    if (!log)
        return;
    close(log->fd);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

static vl_status trouble(vl_error *error) {
    return vl_fail(error, VL_ERR_IO, "the audit trail's file: %s",
                   errno ? strerror(errno) : "it takes no more");
}

/* The number of the entry that is the last of these whole lines; -1: they say none. */
static int64_t last_number(const char *lines, size_t bytes) {
    const char *end = memrchr(lines, '\n', bytes);
    const char *before = end ? memrchr(lines, '\n', (size_t)(end - lines)) : NULL;
    const char *line = before ? before + 1 : lines;
    cJSON *json = end ? cJSON_ParseWithLength(line, (size_t)(end - line)) : NULL;
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(json, "number");
    int64_t last = cJSON_IsNumber(number) ? (int64_t)number->valuedouble : -1;
    cJSON_Delete(json);
    return last;
}

/* Where the file ends, without a line that a full disk or a killed process cut short. Under
 * both locks. */
static vl_status find_end(audit_log *log, int64_t first, vl_error *error) {
    struct stat facts;
    int64_t before = log->last;
    errno = 0;
    if (fstat(log->fd, &facts))
        return trouble(error);
    if (facts.st_size && facts.st_size == log->size)
        return VL_OK;
    size_t bytes =
        facts.st_size < 2 * LINE_BYTES_MAX ? (size_t)facts.st_size : 2 * (size_t)LINE_BYTES_MAX;
    off_t begin = facts.st_size - (off_t)bytes;
    char *tail = malloc(bytes + 1);
    if (!tail)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the audit trail's file");
    vl_status status =
        pread(log->fd, tail, bytes, begin) == (ssize_t)bytes ? VL_OK : trouble(error);
    const char *end = memrchr(tail, '\n', bytes);
    size_t whole = end ? (size_t)(end - tail) + 1 : 0;
    log->size = begin + (off_t)whole;
    if (!status && whole < bytes && ftruncate(log->fd, log->size))
        status = trouble(error);
    log->last = status ? 0 : last_number(tail, whole);
    if (log->last < 0) /* it is new, or was emptied meanwhile */
        log->last = before > first ? before : first;
    if (status)
        log->size = 0; /* to be looked for again */
    free(tail);
    return status;
}

typedef struct piece {
    vl_buf lines;
    int64_t last;
    size_t count;
} piece;

static vl_status add_line(const vl_audit_entry *entry, void *to, vl_error *error) {
    piece *p = to;
    vl_audit_json(entry, &p->lines);
    vl_buf_puts(&p->lines, "\n");
    p->last = entry->number;
    p->count++;
    return vl_buf_status(&p->lines, "entries of the audit trail", error);
}

/* All of it or nothing. */
static vl_status write_piece(audit_log *log, const piece *p, vl_error *error) {
    errno = 0;
    if (write(log->fd, p->lines.data, p->lines.len) == (ssize_t)p->lines.len &&
        !fdatasync(log->fd)) {
        log->size += (off_t)p->lines.len;
        log->last = p->last;
        return VL_OK;
    }
    vl_status status = trouble(error);
    if (ftruncate(log->fd, log->size)) /* the next one finds its end again */
        log->size = 0;
    return status;
}

static vl_status write_rest(audit_log *log, vl_audit *audit, vl_error *error) {
    vl_status status;
    size_t count;
    do {
        piece p = {.count = 0};
        vl_buf_init(&p.lines, PIECE_MAX);
        status = vl_audit_list(audit, log->last, AT_ONCE, add_line, &p, error);
        if (!status && p.count)
            status = write_piece(log, &p, error);
        count = p.count;
        vl_buf_deinit(&p.lines);
    } while (!status && count == AT_ONCE);
    return status;
}

vl_status audit_log_follow(audit_log *log, vl_audit *audit, int64_t first, vl_error *error) {
    vl_status status = VL_OK;
    pthread_mutex_lock(&log->lock);
    errno = 0;
    while (flock(log->fd, LOCK_EX) && !status)
        status = errno == EINTR ? VL_OK : trouble(error);
    if (!status)
        status = find_end(log, first, error);
    if (!status)
        status = write_rest(log, audit, error);
    flock(log->fd, LOCK_UN);
    pthread_mutex_unlock(&log->lock);
    return status;
}
