/* retrieve.c — POST /api/v1/retrieve: the pictures of an index that are nearest to a picture or
 * a text. The index (model.h, vl_vectors) is opened once, read-only, and shared. */
#include "serve/service.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_RESULTS = 10 };

/* Vectors of another model, or of another version of it, mean nothing beside ours. */
static vl_status check_index(const vl_server *server, const char *path, vl_error *error) {
    const char *model = vl_vectors_model(server->index);
    if (vl_vectors_size(server->index) == vl_seer_vector_size(server->seer) &&
        strstr(model, vl_seer_name(server->seer)) &&
        strstr(model, vl_seer_version(server->seer)))
        return VL_OK;
    return vl_fail(error, VL_ERR_INPUT,
                   "%s was made with another picture model (%s) than the one that is loaded "
                   "(%s %s)",
                   path, model, vl_seer_name(server->seer), vl_seer_version(server->seer));
}

vl_status vl_retrieve_open(vl_server *server, const vl_config *config, vl_error *error) {
    const char *path = vl_config_string(config, "retrieve_index");
    if (!*path || !server->seer)
        return VL_OK;
    vl_status status = vl_vectors_open(path, &server->index, error);
    return status ? status : check_index(server, path, error);
}

/* ---- one search --------------------------------------------------------------------- */

static vl_status make_query(const vl_server *server, vl_seer_session *session,
                            const vl_retrieve_request *request, float *vector,
                            vl_error *error) {
    vl_document *document = NULL;
    vl_image *image = NULL;
    if (request->text)
        return vl_seer_text_embedding(session, request->text, request->language, vector, error);
    vl_status status = vl_document_open(request->bytes, request->count,
                                        &server->settings.answer.limits, &document, error);
    if (!status)
        status = vl_document_page(document, 0, &image, error);
    if (!status)
        status = vl_seer_session_look(session, image, error);
    if (!status)
        vl_seer_picture_embedding(session, vector);
    vl_image_free(image);
    vl_document_free(document);
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

static cJSON *to_json(const vl_server *server, const vl_vectors_hit *hits, size_t count,
                      double milliseconds) {
    cJSON *json = cJSON_CreateObject();
    cJSON *results = cJSON_AddArrayToObject(json, "results");
    for (size_t i = 0; i < count; i++) {
        cJSON *result = cJSON_CreateObject();
        add_name(result, vl_vectors_name(server->index, hits[i].index));
        cJSON_AddNumberToObject(result, "score", round((double)hits[i].score * 1e4) / 1e4);
        cJSON_AddItemToArray(results, result);
    }
    cJSON_AddNumberToObject(json, "pictures", (double)vl_vectors_count(server->index));
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
    if (!status)
        status = vl_vectors_search(server->index, vector, most, hits, &count, error);
    if (!status) {
        cJSON *json = to_json(server, hits, count, vl_clock_ms_since(started));
        *text = json ? cJSON_PrintUnformatted(json) : NULL;
        cJSON_Delete(json);
        if (!*text)
            status = vl_fail(error, VL_ERR_MEMORY, "there is no memory for the answer");
    }
    free(vector);
    free(hits);
    return status;
}
