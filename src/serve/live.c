/* live.c — an answer that is told while it is made (live.h). */
#include "serve/live.h"

#include <stdlib.h>
#include <string.h>

enum {
    TOLD_MAX = 256 << 20, /* what a client has not read yet */
    BEAT_MS = 15000,
};

struct vl_live {
    pthread_mutex_t lock; /* over all that follows */
    unsigned references;
    struct MHD_Connection *connection;
    const vl_link *link; /* while it is not gone */
    char path[VL_PATH_MAX], id[65];
    vl_buf out;
    size_t sent; /* of it */
    bool sleeps, over, gone;
    int64_t said_ns;
};

/* ---- the connection's side ---------------------------------------------------------- */

void vl_live_release(vl_live *live) {
    pthread_mutex_lock(&live->lock);
    bool last = !--live->references;
    pthread_mutex_unlock(&live->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&live->lock);
    vl_buf_deinit(&live->out);
    free(live);
}

static void close_stream(void *self) {
    vl_live *live = self;
    pthread_mutex_lock(&live->lock);
    live->gone = true;
    live->link = NULL;
    pthread_mutex_unlock(&live->lock);
    vl_live_release(live);
}

static ssize_t read_piece(void *self, uint64_t position, char *out, size_t max) {
    vl_live *live = self;
    (void)position;
    pthread_mutex_lock(&live->lock);
    size_t left = live->out.len - live->sent;
    ssize_t count = (ssize_t)(left < max ? left : max);
    if (count) {
        memcpy(out, live->out.data + live->sent, (size_t)count);
        live->sent += (size_t)count;
    } else if (live->over) {
        count = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        vl_buf_clear(&live->out);
        live->sent = 0;
        live->sleeps = true;
        MHD_suspend_connection(live->connection);
    }
    pthread_mutex_unlock(&live->lock);
    return count;
}

vl_live *vl_live_new(const vl_request *request) {
    vl_live *live = calloc(1, sizeof *live);
    if (!live)
        return NULL;
    pthread_mutex_init(&live->lock, NULL);
    live->references = 1;
    live->connection = request->connection;
    live->link = request->link;
    memcpy(live->path, request->path, sizeof live->path);
    memcpy(live->id, request->id, sizeof live->id);
    vl_buf_init(&live->out, TOLD_MAX);
    live->said_ns = vl_clock_ns();
    return live;
}

void vl_live_send(vl_live *live, vl_request *request) {
    pthread_mutex_lock(&live->lock);
    live->references++;
    pthread_mutex_unlock(&live->lock);
    request->outcome.status = 200;
    request->outcome.stream = (vl_stream){
        .type = "text/event-stream", .read = read_piece, .free = close_stream, .self = live};
    request->state = VL_REQUEST_DECIDED;
}

/* ---- the maker's side --------------------------------------------------------------- */

/* Under the lock. */
static void wake(vl_live *live) {
    live->said_ns = vl_clock_ns();
    live->over |= live->out.failed;
    if (!live->sleeps || live->gone)
        return;
    live->sleeps = false;
    MHD_resume_connection(live->connection);
}

void vl_live_tell(vl_live *live, const char *event, const char *json, size_t bytes, bool last) {
    pthread_mutex_lock(&live->lock);
    if (!live->over && !live->gone) {
        vl_buf_printf(&live->out, "event: %s\ndata: ", event);
        vl_buf_append(&live->out, json, bytes);
        vl_buf_puts(&live->out, "\n\n");
        live->over = last;
        wake(live);
    }
    pthread_mutex_unlock(&live->lock);
}

void vl_live_fail(vl_live *live, unsigned status, const char *detail) {
    vl_buf text;
    vl_buf_init(&text, 16 << 10);
    vl_problem_write(status, detail, live->path, live->id, &text);
    vl_live_tell(live, "problem", text.failed ? "{}" : text.data, text.failed ? 2 : text.len,
                 true);
    vl_buf_deinit(&text);
}

void vl_live_beat(vl_live *live) {
    pthread_mutex_lock(&live->lock);
    if (!live->over && !live->gone && vl_clock_ms_since(live->said_ns) > BEAT_MS) {
        vl_buf_puts(&live->out, ": still here\n\n");
        wake(live);
    }
    pthread_mutex_unlock(&live->lock);
}

bool vl_live_is_gone(vl_live *live) {
    pthread_mutex_lock(&live->lock);
    bool gone = live->gone || (live->link && vl_link_is_gone(live->link));
    pthread_mutex_unlock(&live->lock);
    return gone;
}
