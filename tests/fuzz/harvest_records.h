/* harvest_records.h — a call of an adapter for fuzz targets: what it gives has to be what
 * source.h says. */
#ifndef HARVEST_RECORDS_H
#define HARVEST_RECORDS_H

#include "harvest/readers.h"

#include <stdlib.h>
#include <string.h>

static void check_text(const char *text) {
    if (text && (!*text || vl_utf8_valid_prefix(text, strlen(text)) != strlen(text)))
        abort();
}

static void check_time(const char *text) {
    char normal[VL_ASK_TIME_SIZE];
    if (text && (!vl_ask_time(text, false, normal) || strcmp(text, normal)))
        abort();
}

static vl_status check_record(const vl_record *r, void *to, vl_error *error) {
    (void)to, (void)error;
    if (!r->key)
        abort();
    const char *const texts[] = {r->key,     r->title,     r->url,       r->language,
                                 r->licence, r->terms,     r->publisher, r->countries,
                                 r->themes,  r->disasters, r->raw};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_text(texts[i]);
    check_time(r->published);
    check_time(r->changed);
    for (size_t i = 0; i < r->file_count; i++) {
        const vl_record_file *f = &r->files[i];
        if (!f->url == !f->body || (f->body && strlen(f->body) != f->body_bytes))
            abort();
        check_text(f->url);
        check_text(f->type);
        check_text(f->name);
        check_text(f->version);
        check_text(f->body);
    }
    return VL_OK;
}

/* The same call each time, its arena empty. */
static const vl_source_call *fuzz_call(void) {
    static const vl_harvest_query query = {"", "", "", "", "", "", "", 0};
    static vl_source_call call;
    if (!call.arena) {
        vl_config *config;
        vl_log_set_level(VL_LOG_ERROR);
        if (vl_config_load(NULL, NULL, 0, &config, NULL))
            abort();
        call = (vl_source_call){.query = &query,
                                .config = config,
                                .arena = vl_arena_new(64 << 20),
                                .give = check_record};
    }
    vl_arena_reset(call.arena);
    return &call;
}

typedef vl_status (*fuzz_reader)(const vl_source_call *call, const cJSON *root, size_t limit,
                                 vl_ask_place *place, bool *more, vl_error *error);

/* One answer through a reader of pages; the place after it has to be one to go on from. */
static inline void fuzz_page(fuzz_reader read, const uint8_t *data, size_t size) {
    const vl_source_call *call = fuzz_call();
    cJSON *root;
    vl_error error;
    vl_ask_place place = {.newest_first = size % 2, .offset = 3}, again;
    bool more;
    vl_buf cursor;
    if (vl_json_parse((const char *)data, size, &root, &error))
        return;
    vl_buf_init(&cursor, 256);
    if (!read(call, root, 2, &place, &more, &error)) {
        vl_ask_place_write(&place, &cursor);
        if (vl_ask_place_read(cursor.data, call->query, &again, &error) ||
            strcmp(again.from, place.from) || strcmp(again.to, place.to) ||
            again.newest_first != place.newest_first || again.offset != place.offset)
            abort();
    }
    vl_buf_deinit(&cursor);
    cJSON_Delete(root);
}

#endif
