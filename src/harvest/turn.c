/* turn.c — whose turn it is at a host (turn.h).
 *
 * A host is busy while somebody asks it; who comes then sleeps until he is woken. Time goes by
 * in slices, so that whoever is asked to stop does so within one. */
#include "harvest/turn.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND 1e9
#define LONGEST 1e9                    /* seconds: whoever asks for more gets thirty years */
static const int64_t slice = 50000000; /* 50 ms */

typedef struct host {
    struct host *next;
    char name[VL_TURN_HOST_SIZE];
    unsigned waiting; /* threads that hold on to this */
    bool busy;
    bool was_asked;
    int64_t end;          /* of the last request */
    double pause;         /* that it wanted behind it */
    int64_t silent_until; /* as the host asked */
} host;

struct vl_turns {
    pthread_mutex_t lock;
    pthread_cond_t free; /* some host is */
    vl_polite_clock clock;
    double longest_wait;
    const atomic_bool *cancel;
    host *hosts;
    size_t count;
    int64_t waited; /* nanoseconds */
};

/* ---- the machine's clock ---------------------------------------------------------------- */

static int64_t machine_now(void *user) {
    (void)user;
    return vl_clock_ns();
}

static void machine_wait(void *user, int64_t ns) {
    (void)user;
    struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    nanosleep(&time, NULL);
}

/* ---- hosts ------------------------------------------------------------------------------ */

static int64_t nanoseconds(double seconds) {
    return (int64_t)(fmin(fmax(seconds, 0), LONGEST) * SECOND);
}

static int64_t ready_at(const host *h, double pause) {
    int64_t polite = h->was_asked ? h->end + nanoseconds(fmax(h->pause, pause)) : 0;
    return polite > h->silent_until ? polite : h->silent_until;
}

/* Forgets one that nothing has to be remembered of. */
static bool forget_one(vl_turns *t, int64_t now) {
    for (host **at = &t->hosts; *at; at = &(*at)->next) {
        host *h = *at;
        if (h->busy || h->waiting || ready_at(h, 0) > now)
            continue;
        *at = h->next;
        free(h);
        t->count--;
        return true;
    }
    return false;
}

static host *find_host(const vl_turns *t, const char *name) {
    host *h = t->hosts;
    while (h && strcmp(h->name, name))
        h = h->next;
    return h;
}

static vl_status get_host(vl_turns *t, const char *name, host **found, vl_error *error) {
    if (strlen(name) >= VL_TURN_HOST_SIZE)
        return vl_fail(error, VL_ERR_INPUT, "its host's name is too long");
    if ((*found = find_host(t, name)))
        return VL_OK;
    if (t->count >= VL_TURN_HOSTS && !forget_one(t, vl_turns_now(t)))
        return vl_fail(error, VL_ERR_LIMIT, "more than %d hosts want to be waited for",
                       VL_TURN_HOSTS);
    host *h = calloc(1, sizeof *h);
    if (!h)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a host");
    strcpy(h->name, name);
    h->next = t->hosts;
    t->hosts = *found = h;
    t->count++;
    return VL_OK;
}

/* ---- turns ------------------------------------------------------------------------------ */

/* Until somebody is done, or a slice of time is over: then it is asked again who must stop. */
static void wait_for_others(vl_turns *t) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += slice;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&t->free, &t->lock, &until);
}

static void wait_for_time(vl_turns *t, int64_t left) {
    int64_t before = vl_turns_now(t);
    pthread_mutex_unlock(&t->lock);
    t->clock.wait(t->clock.user, left < slice ? left : slice);
    pthread_mutex_lock(&t->lock);
    t->waited += vl_turns_now(t) - before;
}

static vl_status wait_turn(vl_turns *t, host *h, double pause, vl_error *error) {
    for (;;) {
        vl_status status = vl_turns_check(t, error);
        if (status)
            return status;
        int64_t now = vl_turns_now(t);
        double silence = (double)(h->silent_until - now) / SECOND;
        if (silence > t->longest_wait)
            return vl_fail(error, VL_ERR_BUSY, "its host wants us back in %.0f s",
                           ceil(silence));
        int64_t left = ready_at(h, pause) - now;
        if (h->busy)
            wait_for_others(t);
        else if (left > 0)
            wait_for_time(t, left);
        else
            return VL_OK;
    }
}

vl_status vl_turn_take(vl_turns *t, const char *name, double pause, vl_error *error) {
    host *h;
    pthread_mutex_lock(&t->lock);
    vl_status status = get_host(t, name, &h, error);
    if (!status) {
        h->waiting++;
        status = wait_turn(t, h, pause, error);
        h->waiting--;
        h->busy = h->busy || !status;
    }
    pthread_mutex_unlock(&t->lock);
    return status;
}

void vl_turn_give(vl_turns *t, const char *name, double pause, double silence) {
    pthread_mutex_lock(&t->lock);
    host *h = find_host(t, name); /* it is busy, so it is there */
    int64_t now = vl_turns_now(t);
    int64_t until = now + nanoseconds(silence);
    h->busy = false;
    h->was_asked = true;
    h->end = now;
    h->pause = pause;
    h->silent_until = until > h->silent_until ? until : h->silent_until;
    pthread_cond_broadcast(&t->free);
    pthread_mutex_unlock(&t->lock);
}

int64_t vl_turns_now(const vl_turns *t) {
    return t->clock.now(t->clock.user);
}

double vl_turns_waited(vl_turns *t) {
    pthread_mutex_lock(&t->lock);
    double waited = (double)t->waited / SECOND;
    pthread_mutex_unlock(&t->lock);
    return waited;
}

vl_status vl_turns_check(const vl_turns *t, vl_error *error) {
    if (t->cancel && atomic_load(t->cancel))
        return vl_fail(error, VL_ERR_CANCELLED, "the fetch was cancelled");
    return vl_stop_check(error);
}

vl_status vl_turns_new(const vl_polite_options *options, vl_turns **turns, vl_error *error) {
    vl_turns *t = calloc(1, sizeof *t);
    if (!t)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for hosts");
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->free, NULL);
    t->clock = options->clock ? *options->clock
                              : (vl_polite_clock){.now = machine_now, .wait = machine_wait};
    t->longest_wait = options->longest_wait;
    t->cancel = options->cancel;
    *turns = t;
    return VL_OK;
}

void vl_turns_free(vl_turns *t) {
    if (!t)
        return;
    while (t->hosts) {
        host *next = t->hosts->next;
        free(t->hosts);
        t->hosts = next;
    }
    pthread_cond_destroy(&t->free);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
