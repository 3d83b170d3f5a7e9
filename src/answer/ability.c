/* ability.c — one ability of the picture model at a time: caption, answer, statement, labels;
 * shared by the commands, the service and C. */
#include <vislang/answer.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_TEXT_BYTES = 2000 };

vl_status vl_picture_model_open(const vl_config *config, vl_seer **seer, vl_error *error) {
    const char *path = vl_config_string(config, "model_path");
    char bundled[4096];
    snprintf(bundled, sizeof bundled, "%s/models/seer.gguf", vl_data_dir());
    *seer = NULL;
    if (access(*path ? path : bundled, F_OK))
        return vl_fail(error, VL_ERR_MISSING,
                       "the picture model %s is not there; model_path says where it is",
                       *path ? path : bundled);
    return vl_seer_open(*path ? path : NULL, seer, error);
}

/* ---- checking ----------------------------------------------------------------------- */

static vl_status check_text(const vl_picture_request *request, vl_error *error) {
    const char *what = request->task == VL_PICTURE_ASK ? "question" : "statement";
    const char *text = request->text ? request->text : "";
    size_t bytes = strlen(text);
    if (!text[strspn(text, " \t\r\n")])
        return vl_fail(error, VL_ERR_USAGE, "the %s is empty", what);
    if (bytes > MAX_TEXT_BYTES)
        return vl_fail(error, VL_ERR_INPUT, "the %s has %zu bytes; at most %d are read", what,
                       bytes, MAX_TEXT_BYTES);
    if (vl_utf8_valid_prefix(text, bytes) != bytes)
        return vl_fail(error, VL_ERR_INPUT, "the %s is not UTF-8", what);
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)text[i] < 0x20 && !strchr("\t\r\n", text[i]))
            return vl_fail(error, VL_ERR_INPUT, "the %s has control characters in it", what);
    return VL_OK;
}

static vl_status check_language(const vl_seer *seer, const char *language, vl_error *error) {
    const vl_seer_facts *facts = vl_seer_facts_of(seer);
    vl_buf known;
    vl_buf_init(&known, 256);
    for (size_t i = 0; i < facts->language_count; i++) {
        if (!strcmp(vl_lang_code(facts->languages[i]), vl_lang_code(language)))
            return vl_buf_deinit(&known), VL_OK;
        vl_buf_printf(&known, "%s%s", i ? ", " : "", facts->languages[i]);
    }
    vl_fail(error, VL_ERR_USAGE, "the model does not write '%.16s'; it writes: %s", language,
            known.data ? known.data : "nothing");
    vl_buf_deinit(&known);
    return VL_ERR_USAGE;
}

/* A set is there when data taught at least one of its labels. */
static bool has_labels(const vl_seer *seer, size_t head) {
    const vl_seer_config *config = vl_seer_config_of(seer);
    const vl_seer_facts *facts = vl_seer_facts_of(seer);
    for (uint32_t i = 0; i < config->label_heads[head].labels; i++)
        if (facts->trained[head][i])
            return true;
    return false;
}

size_t vl_picture_sets(const vl_seer *seer, const char **names) {
    const vl_seer_config *config = vl_seer_config_of(seer);
    size_t count = 0;
    for (uint32_t i = 0; i < config->head_count; i++)
        if (has_labels(seer, i))
            names[count++] = config->label_heads[i].name;
    return count;
}

static vl_status check_set(const vl_seer *seer, const char *set, vl_error *error) {
    const vl_seer_config *config = vl_seer_config_of(seer);
    vl_buf known;
    vl_buf_init(&known, 256);
    for (uint32_t i = 0; i < config->head_count; i++) {
        if (!has_labels(seer, i))
            continue;
        if (!strcmp(config->label_heads[i].name, set))
            return vl_buf_deinit(&known), VL_OK;
        vl_buf_printf(&known, "%s%s", known.len ? ", " : "", config->label_heads[i].name);
    }
    vl_fail(error, VL_ERR_USAGE, "the model has no labels called '%.32s'; it has: %s", set,
            known.data ? known.data : "none");
    vl_buf_deinit(&known);
    return VL_ERR_USAGE;
}

static const char *or_default(const char *given, const char *otherwise) {
    return given && *given ? given : otherwise;
}

vl_status vl_picture_request_check(const vl_seer *seer, const vl_picture_request *request,
                                   vl_error *error) {
    switch (request->task) {
    case VL_PICTURE_CAPTION:
        return check_language(seer, or_default(request->language, "en"), error);
    case VL_PICTURE_LABELS:
        return check_set(seer, or_default(request->set, "scene"), error);
    case VL_PICTURE_ASK:
    case VL_PICTURE_STATEMENT:
        break;
    }
    return check_text(request, error);
}

/* ---- doing -------------------------------------------------------------------------- */

static vl_status look(vl_seer_session *session, const vl_media_limits *limits,
                      const vl_picture_request *request, vl_error *error) {
    vl_document *document = NULL;
    vl_image *image = NULL;
    vl_status status =
        vl_document_open(request->bytes, request->count, limits, &document, error);
    uint32_t pages = status ? 0 : vl_document_page_count(document);
    if (!status && request->page >= pages)
        status = vl_fail(error, VL_ERR_INPUT, "there is no page %u; it has %u page%s",
                         request->page + 1, pages, pages == 1 ? "" : "s");
    if (!status)
        status = vl_document_page(document, request->page, &image, error);
    if (!status)
        status = vl_seer_session_look(session, image, error);
    vl_image_free(image);
    vl_document_free(document);
    return status;
}

static vl_status judge(const vl_seer *seer, vl_seer_session *session, const char *statement,
                       vl_picture_reply *reply, vl_error *error) {
    vl_status status = vl_seer_judge(session, statement, &reply->probability, error);
    if (status)
        return status;
    bool is_true = reply->probability >= 0.5;
    double confidence = is_true ? reply->probability : 1 - reply->probability;
    reply->text =
        (vl_seer_text){.text = is_true ? "true" : "false",
                       .confidence = confidence,
                       .sure = confidence >= vl_seer_facts_of(seer)->statement.threshold};
    return VL_OK;
}

static vl_status act(const vl_seer *seer, vl_seer_session *session,
                     const vl_picture_request *request, vl_arena *arena,
                     vl_picture_reply *reply, vl_error *error) {
    switch (request->task) {
    case VL_PICTURE_CAPTION:
        return vl_seer_caption(session, reply->asked, &request->writing, arena, &reply->text,
                               error);
    case VL_PICTURE_ASK:
        return vl_seer_ask(session, reply->asked, &request->writing, arena, &reply->text,
                           error);
    case VL_PICTURE_STATEMENT:
        return judge(seer, session, reply->asked, reply, error);
    case VL_PICTURE_LABELS:
        break;
    }
    reply->label_count =
        vl_seer_labels(session, reply->asked, reply->labels, VL_SEER_MAX_LABELS);
    return VL_OK;
}

static const char *asked(const vl_picture_request *request) {
    switch (request->task) {
    case VL_PICTURE_CAPTION:
        return or_default(request->language, "en");
    case VL_PICTURE_LABELS:
        return or_default(request->set, "scene");
    case VL_PICTURE_ASK:
    case VL_PICTURE_STATEMENT:
        break;
    }
    return request->text;
}

vl_status vl_picture_answer(const vl_seer *seer, vl_seer_session *session,
                            const vl_media_limits *limits, const vl_picture_request *request,
                            vl_arena *arena, vl_picture_reply **out, vl_error *error) {
    int64_t started = vl_clock_ns();
    *out = NULL;
    vl_status status = vl_picture_request_check(seer, request, error);
    if (status)
        return status;
    vl_picture_reply *reply = vl_arena_alloc(arena, sizeof *reply);
    if (reply)
        reply->asked = vl_arena_strdup(arena, asked(request));
    if (!reply || !reply->asked)
        return vl_fail(error, VL_ERR_MEMORY, "there is no memory for the answer");
    reply->task = request->task;
    reply->model = vl_seer_name(seer);
    reply->version = vl_seer_version(seer);
    status = look(session, limits, request, error);
    if (status)
        return status;
    status = act(seer, session, request, arena, reply, error);
    if (status == VL_ERR_LIMIT) { /* too long a question: no fault of the file's size */
        status = VL_ERR_INPUT;
        if (error)
            error->status = status;
    }
    if (status)
        return status;
    reply->milliseconds = vl_clock_ms_since(started);
    *out = reply;
    return VL_OK;
}

/* ---- as JSON ------------------------------------------------------------------------ */

static void add_share(cJSON *to, const char *name, double value) {
    cJSON_AddNumberToObject(to, name, round(value * 1e4) / 1e4);
}

static void add_labels(cJSON *to, const vl_picture_reply *reply) {
    cJSON_AddStringToObject(to, "set", reply->asked);
    cJSON *labels = cJSON_AddArrayToObject(to, "labels");
    for (size_t i = 0; i < reply->label_count; i++) {
        cJSON *label = cJSON_CreateObject();
        cJSON_AddStringToObject(label, "label", reply->labels[i].label);
        add_share(label, "probability", reply->labels[i].probability);
        cJSON_AddBoolToObject(label, "sure", reply->labels[i].sure);
        cJSON_AddItemToArray(labels, label);
    }
}

static void add_text(cJSON *to, const vl_picture_reply *reply) {
    switch (reply->task) {
    case VL_PICTURE_CAPTION:
        cJSON_AddStringToObject(to, "caption", reply->text.text);
        cJSON_AddStringToObject(to, "language", reply->asked);
        break;
    case VL_PICTURE_STATEMENT:
        cJSON_AddStringToObject(to, "statement", reply->asked);
        cJSON_AddStringToObject(to, "answer", reply->text.text);
        add_share(to, "probability", reply->probability);
        break;
    case VL_PICTURE_ASK:
    case VL_PICTURE_LABELS:
        cJSON_AddStringToObject(to, "question", reply->asked);
        cJSON_AddStringToObject(to, "answer", reply->text.text);
        break;
    }
    add_share(to, "confidence", reply->text.confidence);
    cJSON_AddBoolToObject(to, "sure", reply->text.sure);
}

cJSON *vl_picture_reply_to_json(const vl_picture_reply *reply) {
    cJSON *o = cJSON_CreateObject();
    if (!o)
        return NULL;
    if (reply->task == VL_PICTURE_LABELS)
        add_labels(o, reply);
    else
        add_text(o, reply);
    cJSON_AddNumberToObject(o, "processing_time_ms", round(reply->milliseconds * 10) / 10);
    cJSON *model = cJSON_AddObjectToObject(o, "model_info");
    cJSON_AddStringToObject(model, "name", reply->model);
    cJSON_AddStringToObject(model, "version", reply->version);
    return o;
}
