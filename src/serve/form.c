/* form.c — a form or JSON body becomes a file and a few short fields.
 *
 * The file is judged by its first bytes: what is no picture and no document is refused before
 * the rest of it is read. */
#include "serve/batch.h"
#include "serve/service.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static size_t field_max(vl_form_field field) {
    switch (field) {
    case VL_FORM_INSTRUCTION:
    case VL_FORM_QUESTION:
    case VL_FORM_STATEMENT:
    case VL_FORM_TEXT:
    case VL_FORM_CONSENT:
        return VL_INSTRUCTION_MAX;
    case VL_FORM_SUBJECT:
        return VL_SUBJECT_SIZE - 1;
    case VL_FORM_LANGUAGES:
        return VL_LANGUAGES_MAX;
    case VL_FORM_SOURCE:
        return VL_SOURCE_MAX;
    default:
        return VL_SMALL_FIELD_MAX;
    }
}

static vl_status fail(vl_request *request, unsigned http, vl_error *error, vl_status status,
                      const char *detail) {
    request->field_status = http;
    return vl_fail(error, status, "%s", detail);
}

static unsigned form_status(const vl_request *request, vl_status status) {
    if (request->field_status)
        return request->field_status;
    return status == VL_ERR_INPUT || status == VL_ERR_USAGE ? 400 : vl_http_status(status);
}

/* The field a route takes under this name, or VL_FORM_NONE with the reason. */
static vl_form_field find_field(vl_request *request, const char *name, vl_error *error) {
    const char *known[VL_FORM_FIELD_COUNT];
    size_t count = 0;
    for (vl_form_field f = VL_FORM_FILE; f < VL_FORM_FIELD_COUNT; f++) {
        if (!(request->route->fields & 1u << f))
            continue;
        known[count++] = vl_form_field_name(f);
        if (!strcmp(name, vl_form_field_name(f)))
            return f;
    }
    const char *nearest = vl_nearest_name(name, known, count);
    vl_fail(error, VL_ERR_INPUT, "there is no field \"%.60s\"%s%s%s", name,
            nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    return VL_FORM_NONE;
}

/* The last component, without what could break out of a header, a log line or a JSON text. */
static void keep_filename(vl_form *form, const char *filename) {
    for (const char *p = filename; *p; p++)
        if (*p == '/' || *p == '\\')
            filename = p + 1;
    size_t length = 0;
    for (const char *p = filename; *p && length + 1 < sizeof form->filename; p++)
        if ((unsigned char)*p >= 0x20 && *p != 0x7f)
            form->filename[length++] = *p;
    form->filename[vl_utf8_valid_prefix(form->filename, length)] = '\0';
}

static vl_status begin_field(vl_request *request, vl_form_field field, const char *filename,
                             vl_error *error) {
    vl_form *form = request->form;
    if (form->seen[field] && (field != VL_FORM_FILE || !form->batch))
        return vl_fail(error, VL_ERR_INPUT, "the field \"%s\" is given twice",
                       vl_form_field_name(field));
    form->seen[field] = true;
    request->field = field;
    if (field == VL_FORM_FILE) {
        form->has_file = true;
        vl_upload_next(&form->upload);
        keep_filename(form, filename ? filename : "");
    }
    return VL_OK;
}

static vl_status on_begin(void *user, const vl_form_part *part, vl_error *error) {
    vl_request *request = user;
    vl_form_field field = find_field(request, part->name, error);
    return field ? begin_field(request, field, part->filename, error) : VL_ERR_INPUT;
}

static vl_status check_kind(vl_request *request, vl_error *error) {
    if (vl_media_sniff(request->form->upload.head, request->form->upload.head_size))
        return VL_OK;
    return fail(request, 415, error, VL_ERR_UNSUPPORTED,
                "the file is none of JPEG, PNG, WebP, TIFF and PDF (its content says so, "
                "whatever its name)");
}

/* Bytes beyond memory are counted over all uploads, so that the disk cannot be filled. */
static vl_status count_spool(vl_request *request, size_t before, vl_error *error) {
    vl_server *server = request->server;
    const vl_upload *upload = &request->form->upload;
    if (upload->fd < 0)
        return VL_OK;
    uint64_t more = upload->size - (before > VL_UPLOAD_MEMORY_MAX ? before : 0);
    uint64_t all = atomic_fetch_add(&server->spooled, more) + more;
    if (all <= (uint64_t)server->settings.max_upload * server->settings.max_in_work)
        return VL_OK;
    return fail(request, 503, error, VL_ERR_BUSY,
                "too many large files are being received; try again soon");
}

static vl_status file_data(vl_request *request, const char *bytes, size_t count,
                           vl_error *error) {
    vl_upload *upload = &request->form->upload;
    size_t before = upload->fd >= 0 ? upload->size : 0;
    size_t had = upload->head_size;
    vl_status status = vl_upload_append(upload, bytes, count, error);
    if (status) {
        request->field_status = status == VL_ERR_LIMIT ? 413 : 500;
        return status;
    }
    if ((status = count_spool(request, before, error)))
        return status;
    if (had < VL_UPLOAD_HEAD && upload->head_size == VL_UPLOAD_HEAD)
        return check_kind(request, error);
    return VL_OK;
}

static vl_status on_data(void *user, const char *bytes, size_t count, vl_error *error) {
    vl_request *request = user;
    if (request->field == VL_FORM_FILE)
        return file_data(request, bytes, count, error);
    vl_buf *text = &request->form->text[request->field];
    vl_buf_append(text, bytes, count);
    if (text->failed)
        return vl_fail(error, VL_ERR_INPUT, "the field \"%s\" is longer than %zu bytes",
                       vl_form_field_name(request->field), text->max);
    return VL_OK;
}

bool vl_form_is_switch(vl_form_field field) {
    return field == VL_FORM_PICTURES || field == VL_FORM_EXPLAIN || field == VL_FORM_REDACT ||
           field == VL_FORM_KEEP || field == VL_FORM_STREAM;
}

static vl_status check_text(vl_form_field field, const vl_buf *text, vl_error *error) {
    if (!text->data)
        return VL_OK;
    if (memchr(text->data, '\0', text->len) ||
        vl_utf8_valid_prefix(text->data, text->len) != text->len)
        return vl_fail(error, VL_ERR_INPUT, "the field \"%s\" is not UTF-8 text",
                       vl_form_field_name(field));
    static const char pack_chars[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-";
    if (field == VL_FORM_LANGUAGES && strspn(text->data, pack_chars) != text->len)
        return vl_fail(error, VL_ERR_INPUT,
                       "\"languages\" is a list of packs or ISO 639 codes like \"eng+sw\"; see "
                       "/health/ocr");
    if (field == VL_FORM_SUBJECT)
        return vl_subject_check(text->data, error);
    if (vl_form_is_switch(field) && strcmp(text->data, "true") && strcmp(text->data, "false"))
        return vl_fail(error, VL_ERR_INPUT, "\"%s\" is true or false",
                       vl_form_field_name(field));
    for (size_t i = 0; field == VL_FORM_SOURCE && i < text->len; i++)
        if ((unsigned char)text->data[i] < 0x20 || text->data[i] == 0x7f)
            return vl_fail(error, VL_ERR_INPUT,
                           "\"source\" is a name without control characters");
    if (field == VL_FORM_K && (strspn(text->data, "0123456789") != text->len || !text->len ||
                               atol(text->data) < 1 || atol(text->data) > 100))
        return vl_fail(error, VL_ERR_INPUT, "\"k\" is a number from 1 to 100");
    vl_ocr_format format;
    if (field == VL_FORM_FORMAT)
        return vl_ocr_format_parse(text->data, &format, error);
    return VL_OK;
}

static vl_status on_end(void *user, vl_error *error) {
    vl_request *request = user;
    vl_form_field field = request->field;
    request->field = VL_FORM_NONE;
    if (field != VL_FORM_FILE)
        return check_text(field, &request->form->text[field], error);
    const vl_form *form = request->form;
    const vl_upload *upload = &form->upload;
    if (!upload->head_size)
        return vl_fail(error, VL_ERR_INPUT, "the file is empty");
    vl_status status = upload->head_size < VL_UPLOAD_HEAD ? check_kind(request, error) : VL_OK;
    return status || !form->batch ? status
                                  : vl_batch_add(form->batch, upload, form->filename, error);
}

vl_status vl_form_set(vl_form *form, vl_form_field field, const char *value, vl_error *error) {
    vl_buf *text = &form->text[field];
    vl_buf_clear(text);
    vl_buf_puts(text, value);
    form->seen[field] = true;
    if (text->failed)
        return vl_fail(error, VL_ERR_INPUT, "the field \"%s\" is longer than %zu bytes",
                       vl_form_field_name(field), text->max);
    return check_text(field, text, error);
}

/* ---- JSON body -------------------------------------------------------------------- */

static vl_status take_url(vl_request *request, const char *url, vl_error *error) {
    if (!(request->route->fields & 1u << VL_FORM_FILE))
        return vl_fail(error, VL_ERR_INPUT, "this route takes no \"image_url\"");
    if (!*request->server->settings.fetch_hosts)
        return fail(request, 403, error, VL_ERR_DENIED,
                    "this service fetches no pictures (fetch_hosts); send \"image_base64\" or "
                    "a form with the file");
    if (!url || !*url)
        return vl_fail(error, VL_ERR_INPUT, "the member \"image_url\" is not a URL");
    vl_status status = begin_field(request, VL_FORM_FILE, NULL, error);
    if (!status && !(request->form->url = strdup(url)))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a URL");
    return status;
}

static vl_status take_fetched(void *to, const void *bytes, size_t count, vl_error *error) {
    return file_data(to, bytes, count, error);
}

static vl_status fetch_file(vl_request *request, vl_fetch_reply *reply, vl_error *error) {
    vl_fetch_request ask = {.url = request->form->url,
                            .sink = take_fetched,
                            .to = request,
                            .cancel = &request->server->stopping};
    const vl_serve_settings *settings = &request->server->settings;
    vl_fetch_rules rules = settings->fetch;
    rules.hosts = settings->fetch_hosts;
    vl_fetcher *fetcher;
    vl_status status = vl_fetcher_new(&rules, &fetcher, error);
    if (status)
        return status;
    request->field = VL_FORM_FILE;
    status = vl_fetch(fetcher, &ask, reply, error);
    vl_fetcher_free(fetcher);
    if (!status && (reply->status < 200 || reply->status > 299))
        status =
            vl_fail(error, VL_ERR_MISSING, "its host answers with status %u", reply->status);
    if (status == VL_ERR_MISSING)
        request->field_status = 502;
    return status;
}

vl_status vl_form_fetch(vl_request *request, unsigned *http, vl_error *error) {
    vl_form *form = request->form;
    vl_fetch_reply reply;
    vl_fetch_reply_init(&reply);
    vl_status status = fetch_file(request, &reply, error);
    if (!status) {
        keep_filename(form, reply.url);
        status = on_end(request, error);
    }
    if (!status && (status = vl_upload_finish(&form->upload, error)))
        request->field_status = 500;
    *http = form_status(request, status);
    if (status)
        vl_error_prefix(error, "image_url");
    vl_fetch_reply_deinit(&reply);
    free(form->url);
    form->url = NULL;
    return status;
}

static vl_status take_json_item(vl_request *request, const cJSON *item, vl_error *error) {
    if (!strcmp(item->string, "image_url") && !request->form->batch)
        return take_url(request, cJSON_GetStringValue(item), error);
    bool is_file = !strcmp(item->string, "image_base64");
    vl_form_field field = is_file ? VL_FORM_FILE : find_field(request, item->string, error);
    if (!field || (!is_file && field == VL_FORM_FILE))
        return field ? vl_fail(error, VL_ERR_INPUT,
                               "a JSON body carries the file as \"image_base64\"")
                     : VL_ERR_INPUT;
    bool is_switch = vl_form_is_switch(field);
    if (!cJSON_IsString(item) && !(is_switch && cJSON_IsBool(item)))
        return vl_fail(error, VL_ERR_INPUT, "the member \"%.60s\" is not a string%s",
                       item->string, is_switch ? ", nor true or false" : "");
    const char *value = cJSON_IsString(item) ? item->valuestring
                        : cJSON_IsTrue(item) ? "true"
                                             : "false";
    vl_status status = begin_field(request, field, NULL, error);
    if (status)
        return status;
    if (is_file) {
        status = vl_upload_append_base64(&request->form->upload, value, error);
        if (status == VL_ERR_LIMIT)
            request->field_status = 413;
        if (!status && request->form->upload.head_size == VL_UPLOAD_HEAD)
            status = check_kind(request, error);
    } else {
        status = on_data(request, value, strlen(value), error);
    }
    return status ? status : on_end(request, error);
}

/* One element of a batch's "items": a file, and what holds for it alone. */
static vl_status take_batch_item(vl_request *request, const cJSON *element, vl_error *error) {
    vl_form *form = request->form;
    vl_status status = cJSON_IsObject(element)
                           ? begin_field(request, VL_FORM_FILE, NULL, error)
                           : vl_fail(error, VL_ERR_INPUT, "an item is not a JSON object");
    bool has_file = false, has_name = false;
    for (const cJSON *member = status ? NULL : element->child; member && !status;
         member = member->next) {
        const char *text = cJSON_GetStringValue(member);
        bool is_file = !strcmp(member->string, "image_base64") && text,
             is_name = !strcmp(member->string, "name") && text;
        if ((is_file && has_file) || (is_name && has_name))
            status = vl_fail(error, VL_ERR_INPUT, "the member \"%s\" is given twice",
                             member->string);
        else if (is_file)
            status = vl_upload_append_base64(&form->upload, text, error);
        else if (is_name)
            keep_filename(form, text);
        else
            status = vl_batch_item_option(form->batch, request->route, member, error);
        has_file |= is_file;
        has_name |= is_name;
        if (status == VL_ERR_INPUT && !is_file)
            request->field_status = 422; /* it is JSON, and cannot be meant */
        if (status == VL_ERR_LIMIT)
            request->field_status = 413;
    }
    if (!status && !has_file)
        status = vl_fail(error, VL_ERR_INPUT, "an item has no \"image_base64\"");
    if (!status && form->upload.head_size == VL_UPLOAD_HEAD)
        status = check_kind(request, error);
    return status ? status : on_end(request, error);
}

static vl_status take_batch(vl_request *request, const cJSON *items, vl_error *error) {
    vl_status status = cJSON_IsArray(items)
                           ? VL_OK
                           : vl_fail(error, VL_ERR_INPUT, "\"items\" is not an array");
    size_t number = 0;
    for (const cJSON *item = status ? NULL : items->child; item && !status; item = item->next) {
        status = take_batch_item(request, item, error);
        if (status)
            vl_error_prefix(error, "item %zu", number);
        number++;
    }
    return status;
}

static vl_status finish_json(vl_request *request, vl_error *error) {
    vl_status status = VL_OK;
    cJSON *json =
        cJSON_ParseWithLength(request->json.data ? request->json.data : "", request->json.len);
    if (!cJSON_IsObject(json))
        status = vl_fail(error, VL_ERR_INPUT, "the body is not a JSON object");
    for (const cJSON *item = json ? json->child : NULL; item && !status; item = item->next)
        status = request->form->batch && !strcmp(item->string, "items")
                     ? take_batch(request, item, error)
                     : take_json_item(request, item, error);
    cJSON_Delete(json);
    vl_buf_deinit(&request->json);
    return status;
}

/* ---- both ------------------------------------------------------------------------- */

vl_form *vl_form_blank(size_t max_upload, vl_error *error) {
    vl_form *form = calloc(1, sizeof *form);
    if (!form || vl_upload_init(&form->upload, max_upload, NULL)) {
        free(form);
        vl_fail(error, VL_ERR_MEMORY, "no memory for a form");
        return NULL;
    }
    for (vl_form_field f = 0; f < VL_FORM_FIELD_COUNT; f++)
        vl_buf_init(&form->text[f], field_max(f));
    return form;
}

vl_status vl_form_new(vl_request *request, vl_error *error) {
    const char *type = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                   MHD_HTTP_HEADER_CONTENT_TYPE);
    bool is_json = type && !strncasecmp(type, "application/json", 16) &&
                   (!type[16] || strchr("; \t", type[16]));
    char boundary[VL_MULTIPART_BOUNDARY_MAX + 1];
    vl_status status = VL_OK;
    if (!is_json && request->route->body >= VL_BODY_JSON)
        return vl_fail(error, VL_ERR_INPUT, "the body is application/json");
    if (!is_json || request->route->body == VL_BODY_FORM)
        if ((status = vl_multipart_boundary(type, boundary, error)))
            return status;
    const vl_serve_settings *settings = &request->server->settings;
    vl_buf_init(&request->json, VL_JSON_BODY_MAX);
    if (!(request->form = vl_form_blank(settings->max_upload, error)))
        return VL_ERR_MEMORY;
    if (vl_route_more_of(request->route)->many &&
        !(request->form->batch = vl_batch_new(settings->batch_items)))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a batch");
    if (is_json)
        return VL_OK;
    vl_multipart_handler handler = {on_begin, on_data, on_end, request};
    if (!(request->parser = vl_multipart_new(boundary, &handler)))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a form");
    if (request->form->batch)
        vl_multipart_allow(request->parser, settings->batch_items + VL_MULTIPART_PARTS_MAX);
    return VL_OK;
}

void vl_form_free(vl_server *server, vl_form *form) {
    if (!form)
        return;
    if (server && form->upload.fd >= 0)
        atomic_fetch_sub(&server->spooled, form->upload.size);
    vl_batch_free(form->batch);
    vl_upload_deinit(&form->upload);
    for (vl_form_field f = 0; f < VL_FORM_FIELD_COUNT; f++)
        vl_buf_deinit(&form->text[f]);
    vl_buf_deinit(&form->json);
    free(form->url);
    free(form);
}

vl_status vl_form_feed(vl_request *request, const char *bytes, size_t count, unsigned *http,
                       vl_error *error) {
    vl_status status = VL_OK;
    if (request->parser) {
        status = vl_multipart_feed(request->parser, bytes, count, error);
    } else {
        vl_buf_append(&request->json, bytes, count);
        if (request->json.failed)
            status = fail(request, 413, error, VL_ERR_LIMIT,
                          "a JSON body may have 8 MB; send the file as a form");
    }
    *http = form_status(request, status);
    return status;
}

vl_status vl_form_finish(vl_request *request, unsigned *http, vl_error *error) {
    if (request->route->body >= VL_BODY_JSON) { /* the worker looks into it */
        request->form->json = request->json;
        vl_buf_init(&request->json, VL_JSON_BODY_MAX);
        return VL_OK;
    }
    vl_status status = request->parser ? vl_multipart_finish(request->parser, error)
                                       : finish_json(request, error);
    if (!status && !request->form->has_file && !request->form->seen[VL_FORM_TEXT])
        status = vl_fail(error, VL_ERR_INPUT, "there is no %s",
                         request->parser ? "field \"file\"" : "member \"image_base64\"");
    if (!status && !request->form->url &&
        (status = vl_upload_finish(&request->form->upload, error)))
        request->field_status = 500;
    *http = form_status(request, status);
    return status;
}
