/* batch.c — several files in one request. */
#include "serve/batch.h"
#include "serve/service.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

vl_batch *vl_batch_new(size_t max) {
    vl_batch *batch = calloc(1, sizeof *batch);
    if (batch)
        batch->max = max;
    return batch;
}

void vl_batch_free(vl_batch *batch) {
    if (!batch)
        return;
    for (size_t i = 0; i < batch->count; i++) {
        free(batch->items[i].name);
        cJSON_Delete(batch->items[i].options);
    }
    cJSON_Delete(batch->options);
    free(batch->items);
    free(batch);
}

static vl_status make_room(vl_batch *batch, vl_error *error) {
    if (batch->count == batch->max)
        return vl_fail(error, VL_ERR_LIMIT, "a batch has at most %zu files", batch->max);
    if (batch->count < batch->room)
        return VL_OK;
    size_t room = batch->room ? 2 * batch->room : 16;
    vl_batch_item *items = realloc(batch->items, room * sizeof *items);
    if (!items)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a batch");
    batch->items = items;
    batch->room = room;
    return VL_OK;
}

vl_status vl_batch_add(vl_batch *batch, const vl_upload *upload, const char *name,
                       vl_error *error) {
    vl_status status = make_room(batch, error);
    if (status)
        return status;
    vl_batch_item item = {.begin = upload->begin,
                          .size = upload->size - upload->begin,
                          .name = strdup(name),
                          .options = batch->options};
    if (!item.name)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a batch");
    batch->options = NULL;
    batch->items[batch->count++] = item;
    return VL_OK;
}

/* ---- options ------------------------------------------------------------------------ */

static vl_form_field field_called(const char *name) {
    vl_form_field field = VL_FORM_INSTRUCTION;
    while (field < VL_FORM_FIELD_COUNT && strcmp(vl_form_field_name(field), name) != 0)
        field++;
    return field;
}

/* What of a task's fields a batch takes too: its files are not kept beyond it, and belong to
 * their subject until then. */
static bool takes(const vl_route *route, vl_form_field field) {
    return field < VL_FORM_FIELD_COUNT && field != VL_FORM_TASK && field != VL_FORM_KEEP &&
           field != VL_FORM_CONSENT && route->fields & 1u << field;
}

static const char *value_of(const cJSON *member) {
    return cJSON_IsBool(member) ? cJSON_IsTrue(member) ? "true" : "false"
                                : cJSON_GetStringValue(member);
}

/* Whether the value is one that a client may send; kept in no form. */
static vl_status check_value(vl_form_field field, const char *value, vl_error *error) {
    vl_form *form = vl_form_blank(0, error);
    vl_status status = form ? vl_form_set(form, field, value, error) : VL_ERR_MEMORY;
    vl_form_free(NULL, form);
    return status;
}

vl_status vl_batch_item_option(vl_batch *batch, const vl_route *route, const cJSON *member,
                               vl_error *error) {
    const char *value = value_of(member);
    vl_form_field field = field_called(member->string);
    if (!takes(route, field))
        return vl_fail(error, VL_ERR_INPUT, "an item has no member \"%.60s\"", member->string);
    if (!value)
        return vl_fail(error, VL_ERR_INPUT, "the member \"%.60s\" is not a string",
                       member->string);
    vl_status status = check_value(field, value, error);
    if (status)
        return status;
    if (!batch->options)
        batch->options = cJSON_CreateObject();
    if (cJSON_HasObjectItem(batch->options, member->string))
        return vl_fail(error, VL_ERR_INPUT, "the member \"%s\" is given twice", member->string);
    return cJSON_AddStringToObject(batch->options, member->string, value)
               ? VL_OK
               : vl_fail(error, VL_ERR_MEMORY, "no memory for a batch");
}

const vl_route *vl_batch_task(const char *task) {
    static const char *const tasks[] = {"ocr", "caption", "predict", "scene", "vqa"};
    for (size_t t = 0; t < sizeof tasks / sizeof *tasks; t++)
        for (size_t i = 0; !strcmp(task, tasks[t]) && i < vl_route_count; i++)
            if (!strcmp(vl_routes[i].id, task))
                return &vl_routes[i];
    return NULL;
}

cJSON *vl_batch_options(const vl_form *form) {
    cJSON *options = cJSON_CreateObject();
    for (vl_form_field f = VL_FORM_INSTRUCTION; f < VL_FORM_FIELD_COUNT; f++)
        if (f != VL_FORM_TASK && form->seen[f])
            cJSON_AddStringToObject(options, vl_form_field_name(f),
                                    form->text[f].data ? form->text[f].data : "");
    return options;
}

vl_status vl_batch_check(const vl_route *task, const cJSON *options, vl_error *error) {
    for (const cJSON *member = options ? options->child : NULL; member; member = member->next)
        if (!takes(task, field_called(member->string)))
            return vl_fail(error, VL_ERR_USAGE, "the task \"%s\" takes no \"%s\"", task->id,
                           member->string);
    const char *format = cJSON_GetStringValue(cJSON_GetObjectItem(options, "format"));
    bool is_text = !format || (strcmp(format, "pdf") != 0 && strcmp(format, "png") != 0);
    return is_text ? VL_OK
                   : vl_fail(error, VL_ERR_USAGE,
                             "results of a batch are text, and \"%s\" is none", format);
}

/* ---- one item ----------------------------------------------------------------------- */

static vl_status set_all(vl_form *form, const vl_route *task, const cJSON *options,
                         vl_error *error) {
    vl_status status = VL_OK;
    for (const cJSON *member = options ? options->child : NULL; member && !status;
         member = member->next) {
        vl_form_field field = field_called(member->string);
        const char *value = value_of(member);
        if (takes(task, field) && value)
            status = vl_form_set(form, field, value, error);
    }
    return status;
}

vl_status vl_batch_form(const vl_route *task, const cJSON *all, const cJSON *alone,
                        const char *name, const void *bytes, size_t count, vl_form **out,
                        vl_error *error) {
    vl_form *form = *out = vl_form_blank(count, error);
    if (!form)
        return VL_ERR_MEMORY;
    form->has_file = true;
    snprintf(form->filename, sizeof form->filename, "%s", name);
    vl_status status = set_all(form, task, all, error);
    if (!status)
        status = set_all(form, task, alone, error);
    if (!status && count)
        status = vl_upload_append(&form->upload, bytes, count, error);
    if (!status && count)
        status = vl_upload_finish(&form->upload, error);
    if (status) {
        vl_form_free(NULL, form);
        *out = NULL;
    }
    return status;
}
