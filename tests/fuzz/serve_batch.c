/* serve_batch.c — JSON bodies that carry pictures. The first byte chooses the route; the rest
 * is the body. What a batch takes must be whole (its files lie behind one another and fill the
 * upload), and what a worker later reads of an item out of the database must be what was asked.
 */
#include "serve/batch.h"
#include "serve/service.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { UPLOAD_MAX = 1 << 19, ITEMS_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const vl_route *route_called(const char *id) {
    size_t i = 0;
    while (i < vl_route_count && strcmp(vl_routes[i].id, id) != 0)
        i++;
    if (i == vl_route_count)
        abort();
    return &vl_routes[i];
}

/* The same text of options after a way through the database. */
static cJSON *stored(const cJSON *options) {
    char *text = options ? cJSON_PrintUnformatted(options) : NULL;
    cJSON *again = text ? cJSON_Parse(text) : NULL;
    if (options && (!again || !cJSON_Compare(options, again, true)))
        abort();
    cJSON_free(text);
    return again;
}

static void check_form(const vl_form *form, const cJSON *all, const vl_batch_item *item) {
    for (vl_form_field f = VL_FORM_INSTRUCTION; f < VL_FORM_FIELD_COUNT; f++) {
        const char *name = vl_form_field_name(f), *text = form->text[f].data,
                   *asked = cJSON_GetStringValue(
                       cJSON_GetObjectItemCaseSensitive(item->options, name));
        if (!asked)
            asked = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(all, name));
        if (form->seen[f] && (!asked || strcmp(asked, text ? text : "") != 0))
            abort();
    }
    if (form->upload.size != item->size)
        abort();
}

static void check_batch(const vl_form *form) {
    const vl_batch *batch = form->batch;
    const char *task = form->text[VL_FORM_TASK].data, *bytes = vl_upload_bytes(&form->upload);
    const vl_route *route = vl_batch_task(task ? task : "");
    cJSON *options = vl_batch_options(form), *all = stored(options);
    size_t at = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const vl_batch_item *item = &batch->items[i];
        vl_form *alone = NULL;
        if (item->begin != at || !item->size)
            abort();
        at += item->size;
        cJSON *own = stored(item->options);
        if (route && !vl_batch_check(route, all, NULL) && !vl_batch_check(route, own, NULL)) {
            if (vl_batch_form(route, all, own, item->name, bytes + item->begin, item->size,
                              &alone, NULL))
                abort();
            check_form(alone, all, item);
        }
        vl_form_free(NULL, alone);
        cJSON_Delete(own);
    }
    if (at != form->upload.size || batch->count > ITEMS_MAX)
        abort();
    cJSON_Delete(options);
    cJSON_Delete(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const routes[] = {"batch", "ocr", "caption", "vqa", "scene", "retrieve"};
    static vl_server server = {
        .settings = {.max_upload = UPLOAD_MAX, .max_in_work = 1, .fetch_hosts = "a.example"}};
    static vl_request request;
    unsigned http;
    if (!size)
        return 0;
    request = (vl_request){.server = &server};
    request.route = route_called(routes[data[0] % (sizeof routes / sizeof *routes)]);
    request.form = vl_form_blank(UPLOAD_MAX, NULL);
    vl_buf_init(&request.json, VL_JSON_BODY_MAX);
    if (vl_route_more_of(request.route)->many)
        request.form->batch = vl_batch_new(ITEMS_MAX);
    vl_status status = vl_form_feed(&request, (const char *)data + 1, size - 1, &http, NULL);
    if (!status)
        status = vl_form_finish(&request, &http, NULL);
    if (status && (http < 400 || http > 599))
        abort();
    if (!status && request.form->batch)
        check_batch(request.form);
    vl_form_free(&server, request.form);
    vl_buf_deinit(&request.json);
    return 0;
}
