/* errand.c — small pools of threads beside the workers. */
#include "serve/errand.h"
#include "serve/service.h"

#include <stdlib.h>

static const struct {
    size_t threads, queued;
} desks[VL_DESK_COUNT] = {[VL_DESK_QUICK] = {4, 1024},
                          [VL_DESK_SLOW] = {2, 64},
                          [VL_DESK_WORDS] = {2, 256},
                          [VL_DESK_FETCH] = {8, 64}};

struct vl_errands {
    vl_pool *pools[VL_DESK_COUNT];
    /* Held while a connection is suspended for an errand that may have begun, and over
     * `closed`. */
    pthread_mutex_t lock;
    bool closed;
};

typedef struct errand {
    vl_server *server;
    vl_request *request;
    void (*of_request)(vl_request *request);
    void (*of_server)(vl_server *server);
} errand;

vl_errands *vl_errands_new(void) {
    vl_errands *errands = calloc(1, sizeof *errands);
    if (!errands)
        return NULL;
    pthread_mutex_init(&errands->lock, NULL);
    for (int d = 0; d < VL_DESK_COUNT; d++)
        if (!(errands->pools[d] = vl_pool_new(desks[d].threads, desks[d].queued))) {
            vl_errands_free(errands);
            return NULL;
        }
    return errands;
}

void vl_errands_close(vl_errands *errands) {
    pthread_mutex_lock(&errands->lock);
    errands->closed = true;
    pthread_mutex_unlock(&errands->lock);
    for (int d = 0; d < VL_DESK_COUNT; d++)
        vl_pool_wait(errands->pools[d]);
}

void vl_errands_free(vl_errands *errands) {
    if (!errands)
        return;
    for (int d = 0; d < VL_DESK_COUNT; d++)
        if (errands->pools[d])
            vl_pool_free(errands->pools[d]);
    pthread_mutex_destroy(&errands->lock);
    free(errands);
}

static void run(void *arg, size_t index) {
    errand *e = arg;
    (void)index;
    if (e->of_server) {
        e->of_server(e->server);
        free(e);
        return;
    }
    vl_errands *errands = e->server->errands;
    vl_log_set_request_id(e->request->id);
    vl_trace_set(&e->request->trace);
    e->of_request(e->request);
    vl_trace_set(NULL);
    vl_log_set_request_id(NULL);
    if (e->request->state == VL_REQUEST_WAITING)
        vl_decide_problem(e->request, 500, "The request was left undecided.");
    pthread_mutex_lock(&errands->lock); /* by now it is suspended */
    pthread_mutex_unlock(&errands->lock);
    MHD_resume_connection(e->request->connection);
    free(e);
}

/* Under the lock. */
static bool submit(vl_errands *errands, vl_desk desk, errand e) {
    errand *copy = errands->closed ? NULL : malloc(sizeof *copy);
    if (!copy)
        return false;
    *copy = e;
    if (!vl_pool_submit(errands->pools[desk], run, copy))
        return true;
    free(copy);
    return false;
}

void vl_errand_start(vl_request *request, vl_desk desk, void (*work)(vl_request *request)) {
    vl_server *server = request->server;
    vl_request_state before = request->state;
    request->state = VL_REQUEST_WAITING;
    pthread_mutex_lock(&server->errands->lock);
    bool runs = submit(server->errands, desk,
                       (errand){.server = server, .request = request, .of_request = work});
    if (runs) {
        request->suspended = true;
        MHD_suspend_connection(request->connection);
    }
    pthread_mutex_unlock(&server->errands->lock);
    if (runs)
        return;
    request->state = before;
    request->outcome.retry_after = 1;
    atomic_fetch_add(&server->metrics.refused_busy, 1);
    vl_decide_problem(request, 503, "Too many requests wait here; try again soon.");
}

bool vl_errand_post(vl_server *server, vl_desk desk, void (*work)(vl_server *server)) {
    pthread_mutex_lock(&server->errands->lock);
    bool runs = submit(server->errands, desk, (errand){.server = server, .of_server = work});
    pthread_mutex_unlock(&server->errands->lock);
    return runs;
}
