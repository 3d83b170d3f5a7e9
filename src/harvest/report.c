/* report.c — what a harvest did, as text and as JSON. */
#include <vislang/harvest.h>

#include <cJSON.h>
#include <inttypes.h>
#include <stdio.h>

static cJSON *reasons_of(const vl_harvest_report *r) {
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < r->reason_count; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "reason", r->reasons[i].reason);
        cJSON_AddNumberToObject(item, "files", (double)r->reasons[i].files);
        cJSON_AddStringToObject(item, "example", r->reasons[i].example);
        cJSON_AddItemToArray(list, item);
    }
    return list;
}

void vl_harvest_report_json(const vl_harvest_report *r, vl_buf *out) {
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {
        {"pages", r->pages},
        {"records_new", r->records_new},
        {"records_changed", r->records_changed},
        {"records_same", r->records_same},
        {"files_fetched", r->files_fetched},
        {"files_unchanged", r->files_unchanged},
        {"files_failed", r->files_failed},
        {"files_left", r->files_left},
        {"files_waiting", r->files_waiting},
        {"bytes", r->bytes},
        {"requests", r->requests},
    };
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "source", r->source);
    cJSON_AddBoolToObject(json, "resumed", r->resumed);
    cJSON_AddBoolToObject(json, "complete", r->complete);
    cJSON_AddItemToObject(json, "since",
                          *r->since ? cJSON_CreateString(r->since) : cJSON_CreateNull());
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        cJSON_AddNumberToObject(json, counts[i].name, (double)counts[i].value);
    cJSON_AddNumberToObject(json, "waited_seconds", r->waited);
    cJSON_AddNumberToObject(json, "seconds", r->seconds);
    cJSON_AddItemToObject(json, "failures", reasons_of(r));
    char *text = cJSON_PrintUnformatted(json);
    if (text)
        vl_buf_puts(out, text);
    else
        out->failed = true;
    cJSON_free(text);
    cJSON_Delete(json);
}

static void put_bytes(vl_buf *out, uint64_t bytes) {
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1024 && unit < 4) {
        value /= 1024;
        unit++;
    }
    vl_buf_printf(out, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void vl_harvest_report_text(const vl_harvest_report *r, vl_buf *out) {
    vl_buf_printf(out,
                  "%s: %" PRIu64 " records (%" PRIu64 " new, %" PRIu64 " changed, %" PRIu64
                  " same) on %" PRIu64 " pages%s%s%s\n",
                  r->source, r->records_new + r->records_changed + r->records_same,
                  r->records_new, r->records_changed, r->records_same, r->pages,
                  *r->since ? ", changed since " : "", r->since,
                  r->resumed ? ", going on with a run that was broken off" : "");
    vl_buf_printf(out, "files: %" PRIu64 " fetched (", r->files_fetched);
    put_bytes(out, r->bytes);
    vl_buf_printf(out,
                  "), %" PRIu64 " unchanged, %" PRIu64 " failed, %" PRIu64
                  " of other formats, %" PRIu64 " waiting\n",
                  r->files_unchanged, r->files_failed, r->files_left, r->files_waiting);
    for (size_t i = 0; i < r->reason_count; i++)
        vl_buf_printf(out, "  %6" PRIu64 "  %s: %s\n", r->reasons[i].files,
                      r->reasons[i].reason, r->reasons[i].example);
    vl_buf_printf(out, "%" PRIu64 " requests, waited %.1f s for hosts, %.1f s in all\n",
                  r->requests, r->waited, r->seconds);
    if (!r->complete)
        vl_buf_puts(out, "not all was seen: the next run goes on\n");
}
