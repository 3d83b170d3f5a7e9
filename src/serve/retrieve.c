/* retrieve.c — POST /api/v1/retrieve: the pictures of an index that are nearest to a picture or
 * a text.
 *
 * The index (model.h, vl_vectors) is read-only and shared. An index is replaced by renaming, so
 * every search looks whether the path still leads to the file that is open. A search keeps the
 * index that it began with; the last one to leave an index that was replaced frees it. */
#include "serve/service.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEFAULT_RESULTS = 10 };

typedef struct opened {
    vl_vectors *vectors;
    size_t users; /* searches, and the vl_index while it is the newest */
} opened;

struct vl_index {
    char *path;
    pthread_mutex_t lock;            /* of all below */
    char seen[VL_RETRIEVE_TAG_SIZE]; /* of the file that was looked at last */
    opened *newest;
};

/* Vectors of another model, or of another version of it, mean nothing beside ours. */
static vl_status check_index(const vl_server *server, const vl_vectors *vectors,
                             const char *path, vl_error *error) {
    const char *model = vl_vectors_model(vectors);
    if (vl_vectors_size(vectors) == vl_seer_vector_size(server->seer) &&
        strstr(model, vl_seer_name(server->seer)) &&
        strstr(model, vl_seer_version(server->seer)))
        return VL_OK;
    return vl_fail(error, VL_ERR_INPUT,
                   "%s was made with another picture model (%s) than the one that is loaded "
                   "(%s %s)",
                   path, model, vl_seer_name(server->seer), vl_seer_version(server->seer));
}

/* Under the lock. */
static void leave(opened *index) {
    if (index && --index->users == 0) {
        vl_vectors_free(index->vectors);
        free(index);
    }
}

/* The file as it is now in the newest one's place. Under the lock. */
static vl_status renew(const vl_server *server, vl_error *error) {
    vl_index *index = server->index;
    opened *made = calloc(1, sizeof *made);
    if (!made)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the index %s", index->path);
    vl_status status = vl_vectors_open(index->path, &made->vectors, error);
    if (!status)
        status = check_index(server, made->vectors, index->path, error);
    made->users = 1;
    if (status) {
        leave(made);
        return status;
    }
    leave(index->newest);
    index->newest = made;
    return VL_OK;
}

void vl_retrieve_tag(const vl_server *server, char tag[VL_RETRIEVE_TAG_SIZE]) {
    struct stat info;
    tag[0] = '\0';
    if (server->index && stat(server->index->path, &info) == 0)
        snprintf(tag, VL_RETRIEVE_TAG_SIZE, "%llx.%llx.%llx.%llx.%lx",
                 (unsigned long long)info.st_dev, (unsigned long long)info.st_ino,
                 (unsigned long long)info.st_size, (unsigned long long)info.st_mtim.tv_sec,
                 (unsigned long)info.st_mtim.tv_nsec);
}

/* The newest index, for one search. A file that cannot be used is tried once. */
static opened *enter(const vl_server *server) {
    vl_index *index = server->index;
    char now[VL_RETRIEVE_TAG_SIZE];
    vl_error why;
    pthread_mutex_lock(&index->lock);
    vl_retrieve_tag(server, now);
    if (*now && strcmp(now, index->seen)) {
        strcpy(index->seen, now); /* before it is opened: what comes after is another */
        if (renew(server, &why))
            vl_log(VL_LOG_WARN, "the new index cannot be used; the one before is",
                   VL_F_STR("index", index->path), VL_F_STR("reason", why.message));
        else
            vl_log(VL_LOG_INFO, "index replaced", VL_F_STR("index", index->path),
                   VL_F_INT("pictures", (int64_t)vl_vectors_count(index->newest->vectors)));
    }
    opened *entered = index->newest;
    entered->users++;
    pthread_mutex_unlock(&index->lock);
    return entered;
}

vl_status vl_retrieve_open(vl_server *server, const vl_config *config, vl_error *error) {
    const char *path = vl_config_string(config, "retrieve_index");
    if (!*path || !server->seer)
        return VL_OK;
    vl_index *index = server->index = calloc(1, sizeof *index);
    if (!index)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the index %s", path);
    pthread_mutex_init(&index->lock, NULL);
    if (!(index->path = strdup(path)))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the index %s", path);
    vl_retrieve_tag(server, index->seen);
    return renew(server, error);
}

void vl_retrieve_close(vl_server *server) {
    vl_index *index = server->index;
    if (!index)
        return;
    leave(index->newest);
    pthread_mutex_destroy(&index->lock);
    free(index->path);
    free(index);
}

/* ---- one search --------------------------------------------------------------------- */

static vl_status make_query(const vl_server *server, vl_seer_session *session,
                            const vl_retrieve_request *request, float *vector,
                            vl_error *error) {
    vl_image *image;
    if (request->text)
        return vl_seer_text_embedding(session, request->text, request->language, vector, error);
    vl_status status = vl_document_first(request->bytes, request->count,
                                         &server->settings.answer.limits, &image, error);
    if (!status)
        status = vl_seer_session_look(session, image, error);
    if (!status)
        vl_seer_picture_embedding(session, vector);
    vl_image_free(image);
    return status;
}

/* Names are bytes of a file system; JSON holds UTF-8. */
static void add_name(cJSON *result, const char *name) {
    size_t length = strlen(name);
    char copy[VL_VECTORS_MAX_NAME + 1];
    bool text = vl_utf8_valid_prefix(name, length) == length;
    for (size_t i = 0; i <= length; i++)
        copy[i] = text || (unsigned char)name[i] < 0x80 ? name[i] : '?';
    cJSON_AddStringToObject(result, "name", copy);
}

static cJSON *to_json(const vl_server *server, const vl_vectors *vectors,
                      const vl_vectors_hit *hits, size_t count, double milliseconds) {
    cJSON *json = cJSON_CreateObject();
    cJSON *results = cJSON_AddArrayToObject(json, "results");
    for (size_t i = 0; i < count; i++) {
        cJSON *result = cJSON_CreateObject();
        add_name(result, vl_vectors_name(vectors, hits[i].index));
        cJSON_AddNumberToObject(result, "score", round((double)hits[i].score * 1e4) / 1e4);
        cJSON_AddItemToArray(results, result);
    }
    cJSON_AddNumberToObject(json, "pictures", (double)vl_vectors_count(vectors));
    cJSON_AddNumberToObject(json, "processing_time_ms", round(milliseconds * 10) / 10);
    cJSON *model = cJSON_AddObjectToObject(json, "model_info");
    cJSON_AddStringToObject(model, "name", vl_seer_name(server->seer));
    cJSON_AddStringToObject(model, "version", vl_seer_version(server->seer));
    return json;
}

vl_status vl_retrieve(const vl_server *server, vl_seer_session *session,
                      const vl_retrieve_request *request, char **text, vl_error *error) {
    int64_t started = vl_clock_ns();
    size_t count = 0, most = request->most ? request->most : DEFAULT_RESULTS;
    float *vector = calloc(vl_seer_vector_size(server->seer), sizeof *vector);
    vl_vectors_hit *hits = calloc(most, sizeof *hits);
    vl_status status = vector && hits ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status)
        status = make_query(server, session, request, vector, error);
    opened *index = enter(server);
    if (!status)
        status = vl_vectors_search(index->vectors, vector, most, hits, &count, error);
    if (!status) {
        cJSON *json = to_json(server, index->vectors, hits, count, vl_clock_ms_since(started));
        *text = json ? cJSON_PrintUnformatted(json) : NULL;
        cJSON_Delete(json);
        if (!*text)
            status = vl_fail(error, VL_ERR_MEMORY, "there is no memory for the answer");
    }
    pthread_mutex_lock(&server->index->lock);
    leave(index);
    pthread_mutex_unlock(&server->index->lock);
    free(vector);
    free(hits);
    return status;
}
