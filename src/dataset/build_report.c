/* build_report.c — see build_report.h. */
#include "dataset/build_report.h"

#include "dataset/folder.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_MAX = 64 << 20 };

static const struct {
    const char *name;
    size_t at;
} numbers[] = {
    {"records", offsetof(vl_build_report, records)},
    {"documents", offsetof(vl_build_report, documents)},
    {"unread", offsetof(vl_build_report, unread)},
    {"pages", offsetof(vl_build_report, pages)},
    {"pages_ocr", offsetof(vl_build_report, pages_ocr)},
    {"made", offsetof(vl_build_report, made)},
    {"kept", offsetof(vl_build_report, kept)},
    {"duplicates", offsetof(vl_build_report, duplicates)},
    {"poor", offsetof(vl_build_report, poor)},
};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static uint64_t *number(const vl_build_report *report, size_t i) {
    return (uint64_t *)(void *)((char *)(uintptr_t)report + numbers[i].at);
}

cJSON *build_report_json(const vl_build_report *report) {
    cJSON *root = cJSON_CreateObject(), *splits, *kinds, *reasons;
    for (size_t i = 0; i < NUMBERS; i++)
        cJSON_AddNumberToObject(root, numbers[i].name, (double)*number(report, i));
    splits = cJSON_AddObjectToObject(root, "splits");
    for (int i = 0; i < VL_SPLIT_COUNT; i++)
        cJSON_AddNumberToObject(splits, vl_split_name((vl_split)i),
                                (double)report->by_split[i]);
    kinds = cJSON_AddObjectToObject(root, "kinds");
    for (int i = 0; i < VL_ITEM_KIND_COUNT; i++)
        cJSON_AddNumberToObject(kinds, vl_item_kind_name((vl_item_kind)i),
                                (double)report->by_kind[i]);
    reasons = cJSON_AddArrayToObject(root, "reasons");
    for (size_t i = 0; i < report->reason_count; i++) {
        cJSON *reason = cJSON_CreateObject();
        cJSON_AddStringToObject(reason, "reason", report->reasons[i].reason);
        cJSON_AddNumberToObject(reason, "documents", (double)report->reasons[i].documents);
        cJSON_AddItemToArray(reasons, reason);
    }
    return root;
}

void vl_build_report_json(const vl_build_report *report, vl_buf *out) {
    cJSON *root = build_report_json(report);
    cJSON_AddNumberToObject(root, "seconds", report->seconds);
    char *text = cJSON_Print(root);
    vl_buf_puts(out, text ? text : "");
    out->failed = out->failed || !text;
    cJSON_free(text);
    cJSON_Delete(root);
}

void build_report_count(vl_build_report *report, const char *reason) {
    const size_t most = sizeof report->reasons->reason - 1;
    size_t i = 0;
    while (i < report->reason_count && strncmp(report->reasons[i].reason, reason, most) != 0)
        i++;
    if (i == VL_BUILD_REASONS)
        return;
    if (i == report->reason_count) {
        report->reason_count++;
        snprintf(report->reasons[i].reason, most + 1, "%s", reason);
    }
    report->reasons[i].documents++;
}

static uint64_t count_of(const cJSON *object, const char *name) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(value) && value->valuedouble > 0 ? (uint64_t)value->valuedouble : 0;
}

static void take(const cJSON *root, vl_build_report *report) {
    const cJSON *splits = cJSON_GetObjectItemCaseSensitive(root, "splits"),
                *kinds = cJSON_GetObjectItemCaseSensitive(root, "kinds"),
                *reasons = cJSON_GetObjectItemCaseSensitive(root, "reasons"), *reason;
    for (size_t i = 0; i < NUMBERS; i++)
        *number(report, i) = count_of(root, numbers[i].name);
    for (int i = 0; i < VL_SPLIT_COUNT; i++)
        report->by_split[i] = count_of(splits, vl_split_name((vl_split)i));
    for (int i = 0; i < VL_ITEM_KIND_COUNT; i++)
        report->by_kind[i] = count_of(kinds, vl_item_kind_name((vl_item_kind)i));
    cJSON_ArrayForEach(reason, reasons) {
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(reason, "reason"));
        if (!text || report->reason_count == VL_BUILD_REASONS)
            continue;
        build_report_count(report, text);
        report->reasons[report->reason_count - 1].documents = count_of(reason, "documents");
    }
}

vl_status build_report_read(const char *folder, vl_build_report *report, vl_error *error) {
    char path[FOLDER_PATH_SIZE];
    vl_buf text;
    vl_buf_init(&text, REPORT_MAX);
    *report = (vl_build_report){0};
    vl_status status = folder_path(folder, FOLDER_REPORT, path, error);
    if (!status)
        status = vl_file_read(path, REPORT_MAX, &text, error);
    cJSON *root = status ? NULL : cJSON_ParseWithLength(text.data ? text.data : "", text.len);
    if (!status && !root)
        status = vl_fail(error, VL_ERR_INPUT, "%s: damaged", path);
    if (!status)
        take(root, report);
    cJSON_Delete(root);
    vl_buf_deinit(&text);
    return status;
}
