/* work.c — requests that need a worker: the cache in front, identical ones answered once, the
 * queue's limit, time limits, and clients that have gone.
 *
 * A flight is one piece of work in the queue or with a worker, and the requests that wait for
 * it. Whoever takes a request off a flight's list (under work_lock) decides it and resumes its
 * connection; nobody else touches it until the event thread has it back. */
#include "serve/live.h"
#include "serve/service.h"
#include "serve/weights.h"
#include "serve/shared.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    ARENA_MAX = 512 << 20,  /* of one document's pages */
    OUTPUT_MAX = 256 << 20, /* of one answer */
    PICTURE_ARENA_MAX = 16 << 20,
};

typedef struct flight_result {
    vl_blob *blob;                  /* NULL: failed */
    char object[VL_OBJECT_ID_SIZE]; /* what was kept; "" nothing */
    vl_error error;
} flight_result;

typedef void (*flight_work)(vl_flight *flight, vl_worker *worker, flight_result *result);

typedef struct listening {
    vl_live *live;
    struct listening *next;
    int64_t since_ns;
    bool expired;
} listening;

struct vl_flight {
    vl_server *server;
    vl_flight *next;
    char key[VL_CACHE_KEY_SIZE];
    flight_work work;
    vl_form *form; /* owned */
    vl_request *waiters;
    listening *listeners;    /* who follows it live; under work_lock, as the waiters */
    bool asks_picture_model; /* and nothing else */
    char request_id[65];     /* of the request that it was begun for */
    vl_keeper_note keep;
    vl_trace trace;
};

/* ---- what makes two requests the same ----------------------------------------------- */

static const char *form_text(const vl_form *form, vl_form_field field) {
    const char *text = form->text[field].data;
    return text && *text ? text : NULL;
}

static bool is_true(const vl_form *form, vl_form_field field) {
    const char *text = form_text(form, field);
    return text && !strcmp(text, "true");
}

static void make_key(const vl_server *server, const vl_route *route, const vl_form *form,
                     char key[VL_CACHE_KEY_SIZE]) {
    vl_sha256 *hash = vl_sha256_new();
    if (!hash) {
        key[0] = '\0';
        return;
    }
    char index[VL_RETRIEVE_TAG_SIZE] = "", taught[24];
    snprintf(taught, sizeof taught, "%" PRIuFAST64, atomic_load(&server->taught));
    if (route->handle == vl_work_retrieve)
        vl_retrieve_tag(server, index);
    const char *parts[] = {route->id, server->version_tag, form->upload.digest,
                           /* the file's name stands in what is read, not in an answer */
                           route->handle == vl_work_ocr ? form->filename : "", index, taught};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        vl_sha256_update(hash, parts[i], strlen(parts[i]) + 1);
    for (vl_form_field f = VL_FORM_INSTRUCTION; f < VL_FORM_FIELD_COUNT; f++) {
        bool changes = f != VL_FORM_STREAM && f != VL_FORM_MODEL;
        const char *text = changes ? form_text(form, f) : NULL;
        vl_sha256_update(hash, text ? text : "", text ? strlen(text) + 1 : 1);
    }
    vl_sha256_finish(hash, key);
}

/* ---- the work ----------------------------------------------------------------------- */

static vl_status warm_answerer(vl_server *server, vl_worker *worker, vl_error *error) {
    return worker->answerer
               ? VL_OK
               : vl_answerer_new(&server->settings.answer, &worker->answerer, error);
}

static vl_status warm_ocr(vl_server *server, vl_worker *worker, vl_error *error) {
    return worker->ocr ? VL_OK : vl_ocr_new(&server->settings.answer.ocr, &worker->ocr, error);
}

/* A page that was read. */
static void tell_page(void *user, const vl_page *page, uint32_t number, uint32_t pages) {
    vl_flight *flight = user;
    char text[128];
    int bytes = snprintf(text, sizeof text, "{\"page\":%u,\"pages\":%u,\"words\":%zu}",
                         number + 1, pages, vl_page_word_count(page));
    pthread_mutex_lock(&flight->server->work_lock);
    for (const listening *l = flight->listeners; l; l = l->next)
        vl_live_tell(l->live, "page", text, (size_t)bytes, false);
    pthread_mutex_unlock(&flight->server->work_lock);
}

static void work_predict(vl_flight *flight, vl_worker *worker, flight_result *result) {
    const vl_form *form = flight->form;
    vl_answer_request ask = {
        .bytes = vl_upload_bytes(&form->upload),
        .count = form->upload.size,
        .instruction = form_text(form, VL_FORM_INSTRUCTION),
        .languages = form_text(form, VL_FORM_LANGUAGES),
        .keep_pictures = is_true(form, VL_FORM_PICTURES),
        .explain = is_true(form, VL_FORM_EXPLAIN),
        .redact = is_true(form, VL_FORM_REDACT),
        .on_page = tell_page,
        .user = flight,
    };
    vl_answer *answer = NULL;
    char *text = NULL;
    vl_arena *arena = vl_arena_new(ARENA_MAX);
    if (!arena) {
        vl_fail(&result->error, VL_ERR_MEMORY, "there is no memory for the document");
        return;
    }
    if (warm_answerer(flight->server, worker, &result->error) ||
        vl_answer_make(worker->answerer, &ask, arena, &answer, &result->error))
        goto out;
    atomic_fetch_add(&flight->server->metrics.pages, answer->page_count);
    cJSON *json = vl_answer_to_json(answer);
    text = json ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    if (text)
        result->blob = vl_blob_new("application/json", text, strlen(text));
    if (!result->blob)
        vl_fail(&result->error, VL_ERR_MEMORY, "there is no memory for the answer");
out:
    cJSON_free(text);
    vl_arena_free(arena);
}

/* ---- the picture model alone --------------------------------------------------------- */

/* What a form asks of the model; its strings live as long as the form. */
static vl_picture_request picture_request(vl_picture_task task, const vl_form *form) {
    const char *statement = form_text(form, VL_FORM_STATEMENT);
    bool judges = task == VL_PICTURE_ASK && statement && !form_text(form, VL_FORM_QUESTION);
    return (vl_picture_request){
        .task = judges ? VL_PICTURE_STATEMENT : task,
        .bytes = vl_upload_bytes(&form->upload),
        .count = form->upload.size,
        .text = judges ? statement : form_text(form, VL_FORM_QUESTION),
        .language = form_text(form, VL_FORM_LANGUAGE),
        .set = form_text(form, VL_FORM_SET),
        .writing = vl_seer_writing_default(),
    };
}

static vl_status warm_session(vl_server *server, vl_worker *worker, vl_error *error) {
    if (!worker->session)
        worker->session = vl_seer_session_new(server->seer);
    return worker->session
               ? VL_OK
               : vl_fail(error, VL_ERR_MEMORY, "there is no memory for the picture model");
}

static vl_status ask_picture(vl_server *server, vl_worker *worker,
                             const vl_picture_request *ask, vl_arena *arena, char **text,
                             vl_error *error) {
    vl_picture_reply *reply;
    vl_status status = warm_session(server, worker, error);
    if (!status)
        status = vl_picture_answer(server->seer, worker->session,
                                   &server->settings.answer.limits, ask, arena, &reply, error);
    if (status)
        return status;
    cJSON *json = vl_picture_reply_to_json(reply);
    *text = json ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    return *text ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "there is no memory for the answer");
}

static void work_picture(vl_flight *flight, vl_worker *worker, vl_picture_task task,
                         flight_result *result) {
    vl_picture_request ask = picture_request(task, flight->form);
    char *text = NULL;
    vl_arena *arena = vl_arena_new(PICTURE_ARENA_MAX);
    if (!arena)
        vl_fail(&result->error, VL_ERR_MEMORY, "there is no memory for the picture");
    else if (!ask_picture(flight->server, worker, &ask, arena, &text, &result->error) &&
             !(result->blob = vl_blob_new("application/json", text, strlen(text))))
        vl_fail(&result->error, VL_ERR_MEMORY, "there is no memory for the answer");
    cJSON_free(text);
    vl_arena_free(arena);
}

static void work_caption(vl_flight *flight, vl_worker *worker, flight_result *result) {
    work_picture(flight, worker, VL_PICTURE_CAPTION, result);
}

static void work_vqa(vl_flight *flight, vl_worker *worker, flight_result *result) {
    work_picture(flight, worker, VL_PICTURE_ASK, result);
}

static void work_scene(vl_flight *flight, vl_worker *worker, flight_result *result) {
    work_picture(flight, worker, VL_PICTURE_LABELS, result);
}

static void work_retrieve(vl_flight *flight, vl_worker *worker, flight_result *result) {
    const vl_form *form = flight->form;
    const char *most = form_text(form, VL_FORM_K);
    vl_retrieve_request request = {.text = form_text(form, VL_FORM_TEXT),
                                   .language = form_text(form, VL_FORM_LANGUAGE),
                                   .bytes = vl_upload_bytes(&form->upload),
                                   .count = form->upload.size,
                                   .most = most ? (size_t)atol(most) : 0};
    char *text = NULL;
    if (warm_session(flight->server, worker, &result->error) ||
        vl_retrieve(flight->server, worker->session, &request, &text, &result->error))
        return;
    if (!(result->blob = vl_blob_new("application/json", text, strlen(text))))
        vl_fail(&result->error, VL_ERR_MEMORY, "there is no memory for the answer");
    cJSON_free(text);
}

/* ---- reading ------------------------------------------------------------------------ */

const char *vl_work_format_type(vl_ocr_format format) {
    switch (format) {
    case VL_OCR_JSON:
        return "application/json";
    case VL_OCR_HOCR:
        return "text/html; charset=utf-8";
    case VL_OCR_ALTO:
        return "application/xml";
    case VL_OCR_MARKDOWN:
        return "text/markdown; charset=utf-8";
    case VL_OCR_PDF:
        return "application/pdf";
    case VL_OCR_PNG:
        return "image/png";
    case VL_OCR_TEXT:
    case VL_OCR_FORMAT_COUNT:
        break;
    }
    return "text/plain; charset=utf-8";
}

static void work_ocr(vl_flight *flight, vl_worker *worker, flight_result *result) {
    const vl_form *form = flight->form;
    vl_error *error = &result->error;
    vl_document *document = NULL;
    vl_ocr_writer *writer = NULL;
    vl_ocr_summary summary = {0};
    vl_ocr_format format = VL_OCR_JSON;
    const vl_media_limits *limits = &flight->server->settings.answer.limits;
    const char *name = form_text(form, VL_FORM_FORMAT);
    vl_buf out;
    vl_buf_init(&out, OUTPUT_MAX);
    if (warm_ocr(flight->server, worker, error))
        goto out;
    vl_ocr_explain(worker->ocr, is_true(form, VL_FORM_EXPLAIN));
    vl_ocr_redact(worker->ocr, is_true(form, VL_FORM_REDACT));
    if (vl_ocr_source(worker->ocr, form_text(form, VL_FORM_SOURCE), error))
        goto out;
    if ((name && vl_ocr_format_parse(name, &format, error)) ||
        vl_document_open(vl_upload_bytes(&form->upload), form->upload.size, limits, &document,
                         error) ||
        vl_ocr_writer_new(format, form->filename[0] ? form->filename : "upload", vl_sink_buf,
                          &out, &writer, error) ||
        vl_ocr_document(worker->ocr, document, form_text(form, VL_FORM_LANGUAGES), &writer, 1,
                        &summary, error) ||
        vl_ocr_writer_finish(writer, error) || vl_buf_status(&out, "the text", error))
        goto out;
    atomic_fetch_add(&flight->server->metrics.pages, summary.pages);
    result->blob = vl_blob_new(vl_work_format_type(format), out.data, out.len);
    if (!result->blob)
        vl_fail(error, VL_ERR_MEMORY, "there is no memory for the answer");
out:
    vl_ocr_writer_free(writer);
    vl_document_free(document);
    vl_buf_deinit(&out);
}

static void work_corrections(vl_flight *flight, vl_worker *worker, flight_result *result) {
    vl_server *server = flight->server;
    const vl_buf *json = &flight->form->json;
    vl_buf report;
    (void)worker;
    vl_buf_init(&report, VL_JSON_BODY_MAX);
    if (!vl_ocr_record_correct(server->record, json->data, json->len, &report,
                               &result->error)) {
        atomic_fetch_add(&server->taught, 1);
        result->blob = vl_blob_new("application/json", report.data, report.len);
        if (!result->blob)
            vl_fail(&result->error, VL_ERR_MEMORY, "there is no memory for the answer");
    }
    vl_buf_deinit(&report);
}

/* ---- flights ------------------------------------------------------------------------ */

/* The request's connection goes back to the event thread; `request` is not ours afterwards. */
static void hand_back(vl_request *request) {
    MHD_resume_connection(request->connection);
}

static unsigned failure_status(const vl_error *error) {
    return error->status == VL_ERR_USAGE ? 422 : vl_http_status(error->status);
}

/* By now the request's form was right, so that what cannot be meant is its content. */
static void decide_failure(vl_request *request, const vl_error *error) {
    unsigned status = failure_status(error);
    vl_decide_failure(request, status, error);
    if (status == 503)
        request->outcome.retry_after = 5;
}

static void end_listening(listening *listeners, const flight_result *result) {
    char kept[VL_OBJECT_ID_SIZE + 16];
    for (listening *l = listeners, *next; l; l = next) {
        next = l->next;
        int bytes = snprintf(kept, sizeof kept, "{\"object\":\"%s\"}", result->object);
        if (result->object[0])
            vl_live_tell(l->live, "kept", kept, (size_t)bytes, false);
        if (result->blob)
            vl_live_tell(l->live, "answer", result->blob->bytes, result->blob->size, true);
        else
            vl_live_fail(l->live, failure_status(&result->error), result->error.message);
        vl_live_release(l->live);
        free(l);
    }
}

static void land(vl_flight *flight, flight_result *result) {
    vl_server *server = flight->server;
    if (result->blob && flight->key[0])
        vl_cache_put(server->cache, flight->key, result->blob);
    pthread_mutex_lock(&server->work_lock);
    vl_flight **link = &server->flights;
    while (*link != flight)
        link = &(*link)->next;
    *link = flight->next;
    server->flight_count--;
    vl_request *waiters = flight->waiters;
    listening *listeners = flight->listeners;
    flight->waiters = NULL;
    flight->listeners = NULL;
    pthread_mutex_unlock(&server->work_lock);
    end_listening(listeners, result);
    for (vl_request *next; waiters; waiters = next) {
        next = waiters->next_waiter;
        waiters->flight = NULL;
        memcpy(waiters->outcome.object, result->object, sizeof result->object);
        if (result->blob)
            vl_decide_blob(waiters, 200, vl_blob_ref(result->blob));
        else
            decide_failure(waiters, &result->error);
        hand_back(waiters);
    }
    vl_blob_unref(result->blob);
    vl_form_free(server, flight->form);
    free(flight);
}

/* Under TLS a client says goodbye before it goes, so that there are bytes to the end. */
static bool has_hung_up(const vl_link *link) {
    struct pollfd ask = {.fd = link->fd, .events = POLLRDHUP};
    return poll(&ask, 1, 0) > 0;
}

bool vl_link_is_gone(const vl_link *link) {
    char byte;
    if (link->session)
        return has_hung_up(link);
    ssize_t got = recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return !got || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

static bool all_gone(vl_flight *flight) {
    bool gone = true;
    pthread_mutex_lock(&flight->server->work_lock);
    for (const vl_request *r = flight->waiters; r && gone; r = r->next_waiter)
        gone = r->link && vl_link_is_gone(r->link);
    for (const listening *l = flight->listeners; l && gone; l = l->next)
        gone = l->expired || vl_live_is_gone(l->live);
    pthread_mutex_unlock(&flight->server->work_lock);
    return gone;
}

static void fly(void *arg, size_t index);

static bool is_stopping(void *server) {
    return atomic_load(&((const vl_server *)server)->stopping);
}

/* What is logged and asked of others meanwhile says whose work it is. */
static void fly_traced(void *arg, size_t index) {
    vl_flight *flight = arg;
    const vl_trace trace = flight->trace;
    vl_log_set_request_id(flight->request_id);
    vl_trace_set(&trace);
    vl_stop_watch(is_stopping, flight->server);
    fly(flight, index);
    vl_stop_watch(NULL, NULL);
    vl_trace_set(NULL);
    vl_log_set_request_id(NULL);
}

/* As asked; not for a client who was told that his time is up. */
static void keep_upload(vl_flight *flight, flight_result *result) {
    pthread_mutex_lock(&flight->server->work_lock);
    bool waits = flight->waiters != NULL;
    for (const listening *l = flight->listeners; l && !waits; l = l->next)
        waits = !l->expired;
    pthread_mutex_unlock(&flight->server->work_lock);
    if (!result->blob || !flight->keep.keeps || !waits)
        return;
    if (vl_privacy_keep(flight->server, flight->form, &flight->keep, result->object,
                        &result->error)) {
        vl_blob_unref(result->blob);
        result->blob = NULL;
    }
}

static void count_work(vl_metrics *metrics, bool picture, int64_t start_ns, bool done) {
    uint64_t microseconds = (uint64_t)(vl_clock_ms_since(start_ns) * 1000);
    atomic_fetch_add(picture ? &metrics->picture_requests : &metrics->ocr_requests, 1);
    atomic_fetch_add(picture ? &metrics->picture_microseconds : &metrics->ocr_microseconds,
                     microseconds);
    if (done)
        atomic_fetch_add(&metrics->documents, 1);
    else
        atomic_fetch_add(picture ? &metrics->picture_failures : &metrics->ocr_failures, 1);
}

static void fly(void *arg, size_t index) {
    vl_flight *flight = arg;
    vl_server *server = flight->server;
    vl_metrics *metrics = &server->metrics;
    flight_result result = {0};
    if (all_gone(flight)) {
        atomic_fetch_add(&metrics->clients_gone, 1);
        vl_fail(&result.error, VL_ERR_CANCELLED, "the client closed the connection");
        land(flight, &result);
        return;
    }
    if ((result.blob = vl_shared_get(server, flight->key))) {
        land(flight, &result);
        return;
    }
    int64_t start = vl_clock_ns();
    flight->work(flight, &server->workers[index], &result);
    if (flight->work == work_corrections) { /* no document was read */
        land(flight, &result);
        return;
    }
    keep_upload(flight, &result);
    count_work(metrics, flight->asks_picture_model, start, result.blob);
    if (result.blob)
        vl_shared_put(server, flight->key, result.blob);
    land(flight, &result);
}

/* ---- starting ----------------------------------------------------------------------- */

/* Identical work that has not ended; under work_lock. */
static vl_flight *find_flight(const vl_server *server, const char *key) {
    vl_flight *flight = *key ? server->flights : NULL;
    while (flight && strcmp(flight->key, key))
        flight = flight->next;
    return flight;
}

static vl_status start_flight(vl_server *server, vl_request *request, const char *key,
                              flight_work work, vl_flight **out) {
    if (atomic_load(&server->stopping) || server->flight_count >= server->settings.max_in_work)
        return VL_ERR_BUSY;
    vl_flight *flight = calloc(1, sizeof *flight);
    if (!flight)
        return VL_ERR_MEMORY;
    flight->server = server;
    flight->work = work;
    flight->asks_picture_model = work != work_predict && work != work_ocr;
    memcpy(flight->key, key, strlen(key) + 1);
    memcpy(flight->request_id, request->id, sizeof request->id);
    flight->keep = request->keep;
    flight->trace = request->trace;
    flight->form = request->form;
    flight->next = server->flights;
    server->flights = flight;
    vl_status status = vl_pool_submit(server->pool, fly_traced, flight);
    if (status) {
        server->flights = flight->next;
        free(flight);
        return status;
    }
    request->form = NULL;
    server->flight_count++;
    *out = flight;
    return VL_OK;
}

/* Under work_lock, so that the work cannot end meanwhile. */
static void board(vl_flight *flight, vl_request *request, listening *l) {
    if (l) {
        l->next = flight->listeners;
        flight->listeners = l;
        vl_live_send(l->live, request);
        return;
    }
    request->flight = flight;
    request->next_waiter = flight->waiters;
    flight->waiters = request;
    request->suspended = true;
    MHD_suspend_connection(request->connection);
}

/* With a key of "" the answer is nobody else's. `l`: the answer is told while it is made; owned
 * when true is returned. False: refused. */
static bool queue(vl_request *request, const char *key, flight_work work, listening *l) {
    vl_server *server = request->server;
    request->state = VL_REQUEST_WAITING;
    request->waiting_ns = vl_clock_ns();
    vl_status status = VL_OK;
    pthread_mutex_lock(&server->work_lock);
    vl_flight *flight = find_flight(server, key);
    if (flight)
        atomic_fetch_add(&server->metrics.shared_answers, 1);
    else
        status = start_flight(server, request, key, work, &flight);
    if (!status)
        board(flight, request, l);
    pthread_mutex_unlock(&server->work_lock);
    if (!status)
        return true;
    request->outcome.cache_state = NULL;
    request->outcome.retry_after = 1;
    atomic_fetch_add(&server->metrics.refused_busy, 1);
    vl_decide_problem(request, 503,
                      "As many documents as allowed (%zu) are being read; try "
                      "again soon.",
                      server->settings.max_in_work);
    return false;
}

/* `hit` (may be NULL): the answer, made before; its reference is taken over. */
static void start_live(vl_request *request, const char *key, flight_work work, vl_blob *hit) {
    listening *l = calloc(1, sizeof *l);
    if (l)
        *l = (listening){.live = vl_live_new(request), .since_ns = vl_clock_ns()};
    if (!l || !l->live) {
        vl_decide_problem(request, 500, "There is no memory for the answer.");
    } else if (hit) {
        vl_live_send(l->live, request);
        vl_live_tell(l->live, "answer", hit->bytes, hit->size, true);
    } else if (queue(request, key, work, l)) {
        return;
    }
    if (l && l->live)
        vl_live_release(l->live);
    free(l);
    vl_blob_unref(hit);
}

static void start(vl_request *request, flight_work work) {
    vl_server *server = request->server;
    if (server->settings.jobs == VL_JOBS_ONLY) {
        vl_decide_problem(request, 503, "This process only works on jobs (setting jobs).");
        return;
    }
    char key[VL_CACHE_KEY_SIZE];
    if (!vl_privacy_admit(request, &request->keep))
        return;
    bool is_live = is_true(request->form, VL_FORM_STREAM);
    key[0] = '\0'; /* no cache holds what a person may want erased */
    vl_blob *hit = NULL;
    if (!request->keep.keeps) {
        make_key(server, request->route, request->form, key);
        hit = vl_cache_get(server->cache, key);
        request->outcome.cache_state = hit ? "hit" : "miss";
        atomic_fetch_add(hit ? &server->metrics.cache_hits : &server->metrics.cache_misses, 1);
    }
    if (is_live)
        start_live(request, key, work, hit);
    else if (hit)
        vl_decide_blob(request, 200, hit);
    else
        queue(request, key, work, NULL);
}

/* One model answers; the field is there for when there are more. */
void vl_work_predict(vl_request *request) {
    const char *model = form_text(request->form, VL_FORM_MODEL);
    if (model && strcmp(model, VL_ANSWER_MODEL))
        vl_decide_problem(request, 422,
                          "There is no model '%.60s' that answers; there is '%s'.", model,
                          VL_ANSWER_MODEL);
    else
        start(request, work_predict);
}

void vl_work_ocr(vl_request *request) {
    start(request, work_ocr);
}

void vl_work_corrections(vl_request *request) {
    if (vl_weights_admit(request))
        queue(request, "", work_corrections, NULL);
}

static vl_status check_picture(const vl_server *server, vl_picture_task task,
                               const vl_form *form, vl_error *error) {
    if (!server->seer)
        return vl_fail(error, VL_ERR_MISSING,
                       "This service has no picture model (see /models).");
    if (form->seen[VL_FORM_QUESTION] && form->seen[VL_FORM_STATEMENT])
        return vl_fail(error, VL_ERR_USAGE,
                       "\"question\" and \"statement\" exclude each other.");
    vl_picture_request ask = picture_request(task, form);
    return vl_picture_request_check(server->seer, &ask, error);
}

/* What can be refused without decoding the picture is refused at once. */
static void start_picture(vl_request *request, vl_picture_task task, flight_work work) {
    vl_error error;
    if (check_picture(request->server, task, request->form, &error))
        vl_decide_problem(request, vl_http_status(error.status), "%s", error.message);
    else
        start(request, work);
}

void vl_work_caption(vl_request *request) {
    start_picture(request, VL_PICTURE_CAPTION, work_caption);
}

void vl_work_vqa(vl_request *request) {
    start_picture(request, VL_PICTURE_ASK, work_vqa);
}

void vl_work_scene(vl_request *request) {
    start_picture(request, VL_PICTURE_LABELS, work_scene);
}

void vl_work_retrieve(vl_request *request) {
    const vl_form *form = request->form;
    const char *text = form_text(form, VL_FORM_TEXT);
    if (!request->server->index)
        vl_decide_problem(
            request, 503,
            "This service has no index of pictures (setting retrieve_index) or no "
            "picture model.");
    else if (form->has_file && form->seen[VL_FORM_TEXT])
        vl_decide_problem(request, 400, "A picture and a text exclude each other.");
    else if (!form->has_file && (!text || !text[strspn(text, " \t\r\n")]))
        vl_decide_problem(request, 400, "The text is empty.");
    else
        start(request, work_retrieve);
}

/* ---- without a request -------------------------------------------------------------- */

typedef struct ability { /* what a route does, apart from who asked */
    void (*handle)(vl_request *request);
    flight_work work;
    vl_picture_task task;
    bool asks_picture_model; /* and nothing else */
} ability;

static const ability *ability_of(const vl_route *route) {
    static const ability abilities[] = {
        {vl_work_predict, work_predict, VL_PICTURE_CAPTION, false},
        {vl_work_ocr, work_ocr, VL_PICTURE_CAPTION, false},
        {vl_work_caption, work_caption, VL_PICTURE_CAPTION, true},
        {vl_work_vqa, work_vqa, VL_PICTURE_ASK, true},
        {vl_work_scene, work_scene, VL_PICTURE_LABELS, true},
    };
    for (size_t i = 0; i < sizeof abilities / sizeof *abilities; i++)
        if (abilities[i].handle == route->handle)
            return &abilities[i];
    return NULL;
}

vl_status vl_work_check(const vl_server *server, const vl_route *route, const vl_form *form,
                        vl_error *error) {
    const ability *can = ability_of(route);
    if (!can)
        return vl_fail(error, VL_ERR_USAGE, "there is no such task");
    return can->asks_picture_model ? check_picture(server, can->task, form, error) : VL_OK;
}

/* From either cache. False: in none, or the key is "". */
static bool cached_answer(vl_server *server, const char *key, vl_blob **blob) {
    *blob = *key ? vl_cache_get(server->cache, key) : NULL;
    atomic_fetch_add(*blob ? &server->metrics.cache_hits : &server->metrics.cache_misses,
                     *key != 0);
    if (!*blob && (*blob = vl_shared_get(server, key)))
        vl_cache_put(server->cache, key, *blob);
    return *blob;
}

vl_status vl_work_answer(vl_server *server, size_t worker, const vl_route *route, vl_form *form,
                         vl_blob **blob, vl_error *error) {
    vl_flight flight = {.server = server, .form = form};
    flight_result result = {0};
    const ability *can = ability_of(route);
    vl_status status = vl_work_check(server, route, form, error);
    *blob = NULL;
    if (status)
        return status;
    if (!form_text(form, VL_FORM_SUBJECT)) /* no cache holds what a person may want erased */
        make_key(server, route, form, flight.key);
    if (cached_answer(server, flight.key, blob))
        return VL_OK;
    int64_t start_ns = vl_clock_ns();
    can->work(&flight, &server->workers[worker], &result);
    count_work(&server->metrics, can->asks_picture_model, start_ns, result.blob);
    if (!result.blob) {
        *error = result.error;
        return error->status;
    }
    if (flight.key[0])
        vl_cache_put(server->cache, flight.key, result.blob);
    vl_shared_put(server, flight.key, result.blob);
    *blob = result.blob;
    return VL_OK;
}

/* ---- time --------------------------------------------------------------------------- */

static void expire(vl_request *request, bool stopping) {
    request->flight = NULL;
    if (stopping) {
        request->outcome.retry_after = 1;
        vl_decide_problem(request, 503, "The service stops; send the request again.");
    } else {
        atomic_fetch_add(&request->server->metrics.timeouts, 1);
        vl_decide_problem(request, 504, "The document could not be read within %g seconds.",
                          request->server->settings.request_seconds);
    }
    hand_back(request);
}

/* Those who were told for long enough; the others hear that it goes on. */
static void expire_listeners(vl_flight *flight, double limit_ms, bool all) {
    vl_server *server = flight->server;
    char text[96];
    snprintf(text, sizeof text, "The document could not be read within %g seconds.",
             server->settings.request_seconds);
    for (listening *l = flight->listeners; l; l = l->next) {
        vl_live_beat(l->live);
        bool late = limit_ms > 0 && vl_clock_ms_since(l->since_ns) > limit_ms;
        if (l->expired || (!all && !late))
            continue;
        l->expired = true;
        atomic_fetch_add(&server->metrics.timeouts, !all);
        vl_live_fail(l->live, all ? 503 : 504,
                     all ? "The service stops; send the request again." : text);
    }
}

void vl_work_expire(vl_server *server, bool all) {
    double limit_ms = server->settings.request_seconds * 1000;
    pthread_mutex_lock(&server->work_lock);
    for (vl_flight *flight = server->flights; flight; flight = flight->next) {
        expire_listeners(flight, limit_ms, all);
        for (vl_request **link = &flight->waiters; *link;) {
            vl_request *request = *link;
            bool late = limit_ms > 0 && vl_clock_ms_since(request->waiting_ns) > limit_ms;
            if (all || late) {
                *link = request->next_waiter;
                expire(request, all);
            } else {
                link = &request->next_waiter;
            }
        }
    }
    pthread_mutex_unlock(&server->work_lock);
}

size_t vl_work_in_flight(vl_server *server) {
    pthread_mutex_lock(&server->work_lock);
    size_t count = server->flight_count;
    pthread_mutex_unlock(&server->work_lock);
    return count;
}
