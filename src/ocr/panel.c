/* panel.c — engines by name, asked one at a time, their calls timed and counted.
 *
 *   vl_ocr_engines_new, _free, _health    names, and what became of calls
 *   vl_panel_init, _deinit, …             one thread's states
 *   vl_panel_call, vl_panel_read          asking */
#include "ocr/panel.h"
#include "ocr/http.h"
#include "ocr/packs.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const vl_engine *const known[] = {&vl_engine_tesseract,
                                         &vl_engine_tesseract_binarised,
                                         &vl_engine_tesseract_enlarged,
                                         &vl_engine_tesseract_script,
                                         &vl_engine_reader,
                                         &vl_engine_ocrad,
                                         &vl_engine_gocr};
/* Sidecars that come with the project (deployment/ocr-sidecars) and where they listen when no
 * address is given. */
static const struct {
    const char *name, *address;
} sidecars[] = {{"easyocr", "http://127.0.0.1:8101"},
                {"paddleocr", "http://127.0.0.1:8102"},
                {"rapidocr", "http://127.0.0.1:8103"}};
enum {
    KNOWN_COUNT = sizeof known / sizeof *known,
    SIDECAR_COUNT = sizeof sidecars / sizeof *sidecars,
    NAMES_COUNT = KNOWN_COUNT + SIDECAR_COUNT,
};

typedef struct seat {
    const vl_engine *engine;
    char name[VL_OCR_ENGINE_NAME];
    char where[VL_OCR_ENGINE_ADDRESS]; /* of a service; "" for the others */
    vl_error absent;                   /* status VL_OK, or why it is not there */
    uint64_t calls, failures, timeouts, votes, votes_won;
    int64_t ns, failed_ns; /* of calls that did not fail, and of the others */
    unsigned failed_in_row;
    int64_t resting_until; /* vl_clock_ns() */
    char last_error[256];
} seat;

struct vl_ocr_engines {
    pthread_mutex_t lock; /* of every count */
    size_t count;
    seat seats[VL_PANEL_MAX];
};

/* ---- names --------------------------------------------------------------------------------
 */

static vl_status unknown_engine(const char *name, vl_error *error) {
    const char *names[NAMES_COUNT];
    char list[128] = "";
    for (size_t i = 0; i < NAMES_COUNT; i++) {
        names[i] = i < KNOWN_COUNT ? known[i]->name : sidecars[i - KNOWN_COUNT].name;
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "",
                 names[i]);
    }
    const char *nearest = vl_nearest_name(name, names, NAMES_COUNT);
    if (nearest)
        return vl_fail(error, VL_ERR_USAGE, "no engine '%s'; did you mean '%s'?", name,
                       nearest);
    return vl_fail(error, VL_ERR_USAGE,
                   "no engine '%s'; this version has: %s, and NAME=http://host:port", name,
                   list);
}

static const vl_engine *engine_known(const char *name) {
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (!strcmp(known[i]->name, name))
            return known[i];
    return NULL;
}

static const char *sidecar_address(const char *name) {
    for (size_t i = 0; i < SIDECAR_COUNT; i++)
        if (!strcmp(sidecars[i].name, name))
            return sidecars[i].address;
    return NULL;
}

static bool is_plain_name(const char *name) {
    size_t length = strlen(name);
    return length && length < VL_OCR_ENGINE_NAME &&
           length == strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");
}

/* "tesseract", "easyocr", "mine=http://host:port"; `text` is cut in place. */
static vl_status seat_fill(vl_ocr_engines *engines, char *text, vl_error *error) {
    char *address = strchr(text, '=');
    if (address)
        *address++ = '\0';
    const vl_engine *engine = engine_known(text);
    const char *where = address ? address : sidecar_address(text);
    if (!engine && !where)
        return unknown_engine(text, error);
    if (address && (engine || !is_plain_name(text)))
        return vl_fail(error, VL_ERR_USAGE,
                       "'%.40s' is no name for a service: small letters, digits, - and _, and "
                       "no engine's own name",
                       text);
    if (!engine && vl_http_check_address(where, error))
        return VL_ERR_USAGE;
    for (size_t i = 0; i < engines->count; i++)
        if (!strcmp(engines->seats[i].name, text))
            return vl_fail(error, VL_ERR_USAGE, "the engine '%s' is named twice", text);
    if (engines->count == VL_PANEL_MAX)
        return vl_fail(error, VL_ERR_USAGE, "more than %d engines", VL_PANEL_MAX);
    seat *s = &engines->seats[engines->count++];
    s->engine = engine ? engine : &vl_engine_http;
    snprintf(s->name, sizeof s->name, "%s", text);
    snprintf(s->where, sizeof s->where, "%s", engine ? "" : where);
    return VL_OK;
}

vl_status vl_ocr_engines_new(const char *list, vl_ocr_engines **out, vl_error *error) {
    vl_ocr_engines *engines = calloc(1, sizeof *engines);
    char *copy = strdup(list ? list : vl_engine_tesseract.name), *next = NULL;
    vl_status status = VL_OK;
    if (!engines || !copy) {
        free(engines);
        free(copy);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the engines");
    }
    pthread_mutex_init(&engines->lock, NULL);
    for (char *one = strtok_r(copy, ", ", &next); one && !status;
         one = strtok_r(NULL, ", ", &next))
        status = seat_fill(engines, one, error);
    if (!status && !engines->count)
        status = vl_fail(error, VL_ERR_USAGE, "no engine is named; tesseract is one");
    free(copy);
    if (status) {
        vl_ocr_engines_free(engines);
        return status;
    }
    *out = engines;
    return VL_OK;
}

void vl_ocr_engines_free(vl_ocr_engines *engines) {
    if (!engines)
        return;
    pthread_mutex_destroy(&engines->lock);
    free(engines);
}

size_t vl_ocr_engines_known(const char **names, size_t max) {
    size_t count = max < KNOWN_COUNT ? max : KNOWN_COUNT;
    for (size_t i = 0; i < count; i++)
        names[i] = known[i]->name;
    return count;
}

/* ---- counts --------------------------------------------------------------------------------
 */

/* A program that says no version is not installed, and of ours one has no model. */
static void find_version(const vl_engine *engine, vl_ocr_engine_health *health) {
    snprintf(health->version, sizeof health->version, "%s", engine->version());
    if (*health->version || engine->remote)
        return;
    health->available = false;
    if (engine->outside)
        snprintf(health->last_error, sizeof health->last_error,
                 "%s is not installed: apt-get install %s", engine->name, engine->name);
    else if (!*health->last_error)
        snprintf(health->last_error, sizeof health->last_error, "its model is not there");
}

size_t vl_ocr_engines_health(vl_ocr_engines *engines, vl_ocr_engine_health *health,
                             size_t max) {
    size_t count = engines->count < max ? engines->count : max;
    pthread_mutex_lock(&engines->lock);
    for (size_t i = 0; i < count; i++) {
        const seat *s = &engines->seats[i];
        uint64_t good = s->calls - s->failures;
        health[i] = (vl_ocr_engine_health){
            .available = !s->absent.status && s->resting_until <= vl_clock_ns(),
            .calls = s->calls,
            .failures = s->failures,
            .timeouts = s->timeouts,
            .votes = s->votes,
            .votes_won = s->votes_won,
            .seconds = (double)(s->ns + s->failed_ns) / 1e9,
            .mean_ms = good ? (double)s->ns / 1e6 / (double)good : 0,
        };
        snprintf(health[i].name, sizeof health[i].name, "%s", s->name);
        snprintf(health[i].last_error, sizeof health[i].last_error, "%s",
                 s->absent.status ? s->absent.message : s->last_error);
    }
    pthread_mutex_unlock(&engines->lock);
    for (size_t i = 0; i < count; i++)
        find_version(engines->seats[i].engine, &health[i]);
    return count;
}

static void count_call(vl_ocr_engines *engines, seat *s, vl_status status, int64_t ns,
                       const vl_error *error) {
    pthread_mutex_lock(&engines->lock);
    s->calls++;
    if (!status) {
        s->ns += ns;
        s->failed_in_row = 0;
    } else {
        s->failures++;
        s->failed_ns += ns;
        s->timeouts += status == VL_ERR_TIMEOUT;
        snprintf(s->last_error, sizeof s->last_error, "%s", error->message);
    }
    if (s->engine->remote && (status == VL_ERR_TIMEOUT || status == VL_ERR_MISSING) &&
        ++s->failed_in_row >= VL_PANEL_RESTING_AFTER) {
        s->failed_in_row = 0;
        s->resting_until = vl_clock_ns() + VL_PANEL_RESTING_S * INT64_C(1000000000);
    }
    pthread_mutex_unlock(&engines->lock);
}

void vl_panel_count_vote(vl_panel *panel, size_t engine, bool won) {
    pthread_mutex_lock(&panel->engines->lock);
    panel->engines->seats[engine].votes++;
    panel->engines->seats[engine].votes_won += won;
    pthread_mutex_unlock(&panel->engines->lock);
}

static void count_absent(vl_ocr_engines *engines, seat *s, const vl_error *error) {
    pthread_mutex_lock(&engines->lock);
    s->absent = *error;
    pthread_mutex_unlock(&engines->lock);
}

static vl_status check_rest(vl_ocr_engines *engines, const seat *s, vl_error *error) {
    pthread_mutex_lock(&engines->lock);
    vl_status status = VL_OK;
    if (s->resting_until > vl_clock_ns())
        status = vl_fail(error, VL_ERR_BUSY, "%s is left alone for a while: %s", s->name,
                         s->last_error);
    pthread_mutex_unlock(&engines->lock);
    return status;
}

/* ---- one thread's states --------------------------------------------------------------------
 */

/* Tesseract's voices read with the caller's state. */
static bool is_tesseract(const vl_engine *engine) {
    return engine->open == vl_engine_tesseract.open;
}

static vl_status seat_open(vl_panel *panel, size_t index, vl_error *error) {
    seat *s = &panel->engines->seats[index];
    if (panel->opened[index])
        return VL_OK;
    if (is_tesseract(s->engine)) {
        panel->states[index] = panel->tesseract;
    } else {
        vl_status status = s->engine->open(s->where, &panel->states[index], error);
        if (status) {
            count_absent(panel->engines, s, error);
            return status;
        }
    }
    panel->opened[index] = true;
    return VL_OK;
}

vl_status vl_panel_init(vl_panel *panel, const vl_ocr_options *options, const char *data_dir,
                        void *tesseract, vl_error *error) {
    vl_error absent;
    *panel = (vl_panel){.engines = options->shared,
                        .tesseract = tesseract,
                        .engine_seconds = options->max_engine_seconds};
    snprintf(panel->data_dir, sizeof panel->data_dir, "%s", data_dir);
    if (!panel->engines) {
        vl_status status = vl_ocr_engines_new(options->engines, &panel->engines, error);
        if (status)
            return status;
        panel->owns_engines = true;
    }
    vl_status status = VL_OK;
    size_t there = 0;
    for (size_t i = 0; i < panel->engines->count; i++) {
        vl_status missing = seat_open(panel, i, &absent);
        if (missing && !status && error)
            *error = absent;
        status = status ? status : missing;
        there += !missing;
    }
    return there ? VL_OK : status;
}

void vl_panel_deinit(vl_panel *panel) {
    if (!panel->engines)
        return;
    for (size_t i = 0; i < panel->engines->count; i++)
        if (panel->opened[i] && !is_tesseract(panel->engines->seats[i].engine))
            panel->engines->seats[i].engine->close(panel->states[i]);
    if (panel->owns_engines)
        vl_ocr_engines_free(panel->engines);
    memset(panel, 0, sizeof *panel);
}

size_t vl_panel_count(const vl_panel *panel) {
    return panel->engines->count;
}

const char *vl_panel_name(const vl_panel *panel, size_t engine) {
    return panel->engines->seats[engine].name;
}

const vl_engine *vl_panel_engine(const vl_panel *panel, size_t engine) {
    return panel->engines->seats[engine].engine;
}

bool vl_panel_can_read(vl_panel *panel, size_t index, const char *packs) {
    const vl_engine *engine = panel->engines->seats[index].engine;
    char name[96];
    if (!panel->opened[index])
        return false;
    for (const char *at = packs;; at++) {
        size_t length = strcspn(at, "+");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        if (!engine->can_read(panel->states[index], name))
            return false;
        at += length;
        if (!*at)
            return true;
    }
}

/* Where lines are to be found, who finds them comes before who does not; then the cheaper one.
 */
static bool is_before(const vl_engine *a, const vl_engine *b, bool one_line) {
    if (!one_line && !a->find_lines != !b->find_lines)
        return a->find_lines != NULL;
    return a->cost < b->cost;
}

size_t vl_panel_order(vl_panel *panel, const char *packs, bool one_line,
                      size_t order[VL_PANEL_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < panel->engines->count; i++) {
        if (!vl_panel_can_read(panel, i, packs))
            continue;
        size_t at = count++;
        for (; at && is_before(vl_panel_engine(panel, i), vl_panel_engine(panel, order[at - 1]),
                               one_line);
             at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    for (size_t i = 2; i < count; i++) /* behind the first, cost alone counts */
        for (size_t k = i; k > 1 && vl_panel_engine(panel, order[k])->cost <
                                        vl_panel_engine(panel, order[k - 1])->cost;
             k--) {
            size_t swap = order[k];
            order[k] = order[k - 1];
            order[k - 1] = swap;
        }
    return count;
}

/* ---- asking
 * ---------------------------------------------------------------------------------- */

/* For an engine that reads line by line: where Tesseract sees lines. */
static vl_status find_layout(vl_panel *panel, vl_engine_request *request,
                             vl_engine_reading *layout, vl_error *error) {
    if (request->layout || request->mode == VL_ENGINE_LINE)
        return VL_OK;
    vl_engine_request find = *request;
    find.sampling = true; /* no words are needed */
    request->layout = layout;
    return vl_engine_tesseract.find_lines(panel->tesseract, &find, layout, error);
}

vl_status vl_panel_call(vl_panel *panel, size_t index, const vl_engine_request *request,
                        vl_engine_reading *reading, vl_error *error) {
    seat *s = &panel->engines->seats[index];
    vl_error local;
    vl_engine_request own = *request;
    vl_engine_reading layout;
    if (!error)
        error = &local;
    vl_status status = seat_open(panel, index, error);
    if (!status)
        status = check_rest(panel->engines, s, error);
    if (status)
        return status;
    int64_t start = vl_clock_ns();
    if (s->engine->outside && panel->engine_seconds > 0) {
        int64_t limit = start + (int64_t)(panel->engine_seconds * 1e9);
        if (own.deadline_ns <= 0 || own.deadline_ns > limit)
            own.deadline_ns = limit;
    }
    if (s->engine->needs_lines)
        status = find_layout(panel, &own, &layout, error);
    if (!status)
        status = s->engine->read(panel->states[index], &own, reading, error);
    if (status == VL_ERR_UNSUPPORTED || /* it says itself that this is not for it */
        status == VL_ERR_CANCELLED)     /* and that is no fault of its */
        return status;
    count_call(panel->engines, s, status, vl_clock_ns() - start, error);
    if (status)
        vl_log(VL_LOG_WARN, "an engine failed and is left out", VL_F_STR("engine", s->name),
               VL_F_STR("reason", error->message));
    return status;
}

vl_status vl_panel_read(vl_panel *panel, const vl_engine_request *request,
                        vl_engine_reading *reading, vl_error *error) {
    vl_error reason;
    vl_status failed = VL_OK;
    memset(reading, 0, sizeof *reading);
    bool one_line = request->mode == VL_ENGINE_LINE;
    size_t order[VL_PANEL_MAX], count = vl_panel_order(panel, request->packs, one_line, order);
    for (size_t i = 0; i < count; i++) {
        vl_status status = vl_panel_call(panel, order[i], request, reading, &reason);
        if (!status) {
            panel->read_by = order[i];
            return VL_OK;
        }
        if (status == VL_ERR_UNSUPPORTED)
            continue;
        if (status == VL_ERR_CANCELLED)
            return vl_stop_check(error);
        if (!failed && error)
            *error = reason;
        failed = failed ? failed : status;
    }
    return failed ? failed
                  : vl_fail(error, VL_ERR_UNSUPPORTED,
                            "none of the engines that are set reads '%s'; tesseract would "
                            "(ocr_engines)",
                            request->packs);
}
