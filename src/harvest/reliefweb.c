/* reliefweb.c — reports of ReliefWeb (OCHA), by its API v2 (apidoc.reliefweb.int).
 *
 * One POST a page of at most 1,000 records, by their change, from where the page before ended
 * (ask.h, vl_ask_place). Calls of a day are counted (quota.h). A record's files are its
 * text (Markdown, as the API gives it) and what is attached.
 *
 *   put_filter, ask_for    the question
 *   add_file, read_report  an answer's records
 *   page                   one call, and the place after it */

#include "harvest/language.h"
#include "harvest/quota.h"
#include "harvest/readers.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <vislang/text.h>

enum { PAGE_RECORDS = 1000, PAGE_LEAST = 50, TERMS_MAX = 64 << 10, PATH_SIZE = 4096 };

static vl_status check(const vl_source_call *call, vl_error *error) {
    if (!*vl_config_string(call->config, "harvest_reliefweb_appname"))
        return vl_fail(error, VL_ERR_MISSING,
                       "ReliefWeb answers only to names that it approved: ask for one at "
                       "https://apidoc.reliefweb.int/parameters#appname and set "
                       "harvest_reliefweb_appname");
    return vl_ask_check_times(call->query, error);
}

/* ---- the question ------------------------------------------------------------------------ */

/* An item of a list as the field's values are written. */
typedef const char *(*wording)(char *item);

static const char *as_is(char *item) {
    return item;
}
static const char *lower(char *item) {
    for (char *c = item; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return item;
}
static const char *language_code(char *item) {
    return vl_lang_short(vl_lang_code(lower(item)));
}
/* A condition that any of the items holds; none where there is no item. */
static void put_any(cJSON *conditions, vl_arena *arena, const char *field, const char *list,
                    wording word) {
    char **items = vl_ask_list(arena, list, NULL);
    cJSON *values = cJSON_CreateArray(), *condition = cJSON_CreateObject();
    for (; items && *items; items++)
        cJSON_AddItemToArray(values, cJSON_CreateString(word(*items)));
    if (!cJSON_GetArraySize(values)) {
        cJSON_Delete(values);
        cJSON_Delete(condition);
        return;
    }
    cJSON_AddStringToObject(condition, "field", field);
    cJSON_AddItemToObject(condition, "value", values);
    cJSON_AddStringToObject(condition, "operator", "OR");
    cJSON_AddItemToArray(conditions, condition);
}

/* "…Z" as the API writes it: "…+00:00". */
static void put_time(cJSON *value, const char *name, const char *time) {
    char text[VL_ASK_TIME_SIZE + 8];
    snprintf(text, sizeof text, "%.19s+00:00", time);
    cJSON_AddStringToObject(value, name, text);
}

static void put_changed(cJSON *conditions, const char *from, const char *to) {
    if (!*from && !*to)
        return;
    cJSON *condition = cJSON_CreateObject(), *value = cJSON_CreateObject();
    cJSON_AddStringToObject(condition, "field", "date.changed");
    if (*from)
        put_time(value, "from", from);
    if (*to)
        put_time(value, "to", to);
    cJSON_AddItemToObject(condition, "value", value);
    cJSON_AddItemToArray(conditions, condition);
}

static void put_filter(cJSON *ask, const vl_source_call *call, const vl_ask_place *place) {
    const vl_harvest_query *q = call->query;
    cJSON *filter = cJSON_CreateObject(), *conditions = cJSON_CreateArray();
    put_any(conditions, call->arena, "language.code", q->languages, language_code);
    put_any(conditions, call->arena, "country.iso3", q->countries, lower);
    put_any(conditions, call->arena, "theme.name", q->themes, as_is);
    put_any(conditions, call->arena, "format.name",
            vl_config_string(call->config, "harvest_reliefweb_formats"), as_is);
    put_changed(conditions, place->from, place->to);
    if (!cJSON_GetArraySize(conditions)) {
        cJSON_Delete(filter);
        cJSON_Delete(conditions);
        return;
    }
    cJSON_AddStringToObject(filter, "operator", "AND");
    cJSON_AddItemToObject(filter, "conditions", conditions);
    cJSON_AddItemToObject(ask, "filter", filter);
}

static char *ask_for(const vl_source_call *call, const vl_ask_place *place, size_t limit) {
    static const char *const fields[] = {
        "id",    "url",    "url_alias", "title",         "origin",
        "body",  "date",   "country",   "source",        "language",
        "theme", "format", "disaster",  "disaster_type", "file",
    };
    const char *const sort[] = {place->newest_first ? "date.changed:desc" : "date.changed:asc"};
    cJSON *ask = cJSON_CreateObject(), *included = cJSON_CreateObject();
    const char *words = call->query->words;
    if (words && *words) {
        cJSON *query = cJSON_AddObjectToObject(ask, "query");
        cJSON_AddStringToObject(query, "value", words);
        cJSON_AddStringToObject(query, "operator", "AND");
    }
    put_filter(ask, call, place);
    cJSON_AddItemToObject(included, "include",
                          cJSON_CreateStringArray(fields, sizeof fields / sizeof *fields));
    cJSON_AddItemToObject(ask, "fields", included);
    cJSON_AddItemToObject(ask, "sort", cJSON_CreateStringArray(sort, 1));
    cJSON_AddNumberToObject(ask, "limit", (double)limit);
    cJSON_AddNumberToObject(ask, "offset", (double)place->offset);
    char *text = cJSON_PrintUnformatted(ask);
    cJSON_Delete(ask);
    return text;
}

/* ---- the records ------------------------------------------------------------------------- */

/* What each source says of the use of what it publishes. */
static const char *terms_of(vl_arena *arena, const cJSON *sources) {
    const cJSON *source;
    const char *terms = NULL;
    vl_buf out;
    vl_buf_init(&out, TERMS_MAX);
    cJSON_ArrayForEach(source, sources) {
        const char *name = vl_json_text(arena, source, "name");
        const char *said = vl_json_text(arena, source, "disclaimer");
        if (said)
            vl_buf_printf(&out, "%s%s%s%s", out.len ? "\n" : "", name ? name : "",
                          name ? ": " : "", said);
    }
    if (out.len && !out.failed)
        terms = vl_arena_strndup(arena, out.data, out.len);
    vl_buf_deinit(&out);
    return terms;
}

static void add_body(const vl_source_call *call, const cJSON *fields, vl_record *record,
                     vl_record_file *files) {
    const char *body = cJSON_GetStringValue(vl_json_at(fields, "body"));
    if (!body || !body[strspn(body, " \t\r\n")] || !vl_ask_wants(call->query, "text"))
        return;
    files[record->file_count++] = (vl_record_file){
        .type = "text/markdown",
        .name = "body.md",
        .version = record->changed,
        .body = body,
        .body_bytes = strlen(body),
    };
}

static void add_file(const vl_source_call *call, const cJSON *file, vl_record *record,
                     vl_record_file *files) {
    vl_arena *arena = call->arena;
    vl_record_file f = {
        .url = vl_json_text(arena, file, "url"),
        .type = vl_json_text(arena, file, "mimetype"),
        .name = vl_json_text(arena, file, "description"),
        .version = vl_json_text(arena, file, "filehash"),
        .bytes = vl_json_count(file, "filesize"),
    };
    const char *filename = vl_json_text(arena, file, "filename");
    const char *kind = vl_ask_kind(f.type, filename ? filename : f.url);
    if (!f.url || (*kind && !vl_ask_wants(call->query, kind)))
        return;
    if (f.name)
        f.language = vl_language_said(f.name);
    else
        f.name = filename;
    files[record->file_count++] = f;
}

/* Whether anything of the record is asked for: with formats, one of its files. */
static bool is_asked(const vl_source_call *call, const vl_record *record) {
    return record->file_count || vl_ask_wants(call->query, "");
}

static const char *language_of(vl_arena *arena, const cJSON *fields) {
    const cJSON *first = cJSON_GetArrayItem(vl_json_at(fields, "language"), 0);
    const char *name = vl_json_text(arena, first, "name");
    return name && !strcmp(name, "Other") ? NULL : vl_json_text(arena, first, "code");
}

static const char *first_of(const char *one, const char *other) {
    return one ? one : other;
}

static vl_status read_report(const vl_source_call *call, const cJSON *item, vl_error *error) {
    vl_arena *arena = call->arena;
    const cJSON *fields = vl_json_at(item, "fields"), *attached, *file;
    const char *key =
        first_of(vl_json_text(arena, item, "id"), vl_json_text(arena, fields, "id"));
    attached = vl_json_at(fields, "file");
    vl_record_file *files =
        vl_arena_array(arena, (size_t)cJSON_GetArraySize(attached) + 1, sizeof *files);
    if (!key || !cJSON_IsObject(fields) || !files)
        return vl_json_leave_out(call, "reliefweb", key, "it has no id, or no fields", error);
    vl_record record = {
        .key = key,
        .title = vl_json_text(arena, fields, "title"),
        .url = first_of(vl_json_text(arena, fields, "url_alias"),
                        vl_json_text(arena, fields, "url")),
        .language = language_of(arena, fields),
        .published = first_of(vl_json_time(arena, fields, "date.original"),
                              vl_json_time(arena, fields, "date.created")),
        .changed = vl_json_time(arena, fields, "date.changed"),
        .licence = "https://reliefweb.int/terms-conditions",
        .terms = terms_of(arena, vl_json_at(fields, "source")),
        .publisher = vl_json_list(arena, vl_json_at(fields, "source"), "name"),
        .countries = vl_json_list(arena, vl_json_at(fields, "country"), "iso3"),
        .themes = vl_json_list(arena, vl_json_at(fields, "theme"), "name"),
        .disasters = vl_json_list(arena, vl_json_at(fields, "disaster"), "glide"),
        .files = files,
    };
    add_body(call, fields, &record, files);
    cJSON_ArrayForEach(file, attached) add_file(call, file, &record, files);
    return is_asked(call, &record) ? vl_json_give(call, &record, item, error) : VL_OK;
}

vl_status vl_reliefweb_read(const vl_source_call *call, const cJSON *root, size_t limit,
                            vl_ask_place *place, bool *more, vl_error *error) {
    const cJSON *data = vl_json_at(root, "data"), *item, *last = NULL;
    if (!cJSON_IsArray(data))
        return vl_fail(error, VL_ERR_INPUT, "ReliefWeb's answer has no data");
    cJSON_ArrayForEach(item, data) {
        vl_status status = read_report(call, item, error);
        if (status)
            return status;
        last = item;
    }
    uint64_t count = (uint64_t)cJSON_GetArraySize(data);
    uint64_t total = vl_json_count(root, "totalCount");
    *more = count && (total ? place->offset + count < total : count >= limit);
    vl_ask_place_advance(place, vl_json_time(call->arena, last, "fields.date.changed"), count);
    return VL_OK;
}

/* ---- a page ------------------------------------------------------------------------------ */

static vl_status take_call(const vl_source_call *call, vl_error *error) {
    char path[PATH_SIZE];
    vl_quota_path(vl_config_string(call->config, "harvest_reliefweb_calls"), "reliefweb-calls",
                  path, sizeof path);
    vl_status status = vl_quota_take(
        path, vl_config_string(call->config, "harvest_reliefweb_appname"),
        (uint64_t)vl_config_int(call->config, "harvest_reliefweb_quota"), time(NULL), error);
    return status ? vl_error_prefix(error, "ReliefWeb") : VL_OK;
}

static vl_status post(const vl_source_call *call, const vl_ask_place *place, size_t limit,
                      cJSON **root, vl_error *error) {
    static const char *const headers[] = {"Content-Type: application/json",
                                          "Accept: application/json", NULL};
    vl_buf url;
    vl_status status = take_call(call, error);
    if (status)
        return status;
    char *body = ask_for(call, place, limit);
    vl_buf_init(&url, VL_FETCH_URL_SIZE);
    vl_ask_put_base(&url, call->config, "harvest_reliefweb_url");
    vl_buf_puts(&url, "/reports?appname=");
    vl_ask_put_escaped(&url, vl_config_string(call->config, "harvest_reliefweb_appname"));
    status = body ? vl_buf_status(&url, "ReliefWeb's address", error)
                  : vl_fail(error, VL_ERR_MEMORY, "no memory for a question");
    if (!status) {
        vl_polite_request request = {
            .url = url.data, .headers = headers, .body = body, .body_bytes = strlen(body)};
        status = vl_json_get(call, &request, root, error);
    }
    cJSON_free(body);
    vl_buf_deinit(&url);
    return status;
}

static vl_status page(const vl_source_call *call, const char *cursor, vl_buf *next,
                      vl_error *error) {
    vl_ask_place place;
    cJSON *root = NULL;
    bool more = false;
    size_t limit = vl_ask_page_size(call->query, PAGE_LEAST, PAGE_RECORDS);
    vl_status status = vl_ask_place_read(cursor, call->query, &place, error);
    if (!status)
        status = post(call, &place, limit, &root, error);
    while (status == VL_ERR_LIMIT && limit > 1) { /* texts longer than one answer may be */
        limit = limit > 8 ? limit / 8 : 1;
        status = post(call, &place, limit, &root, error);
    }
    if (!status)
        status = vl_reliefweb_read(call, root, limit, &place, &more, error);
    if (!status && more)
        vl_ask_place_write(&place, next);
    cJSON_Delete(root);
    return status;
}

const vl_source vl_source_reliefweb = {
    .name = "reliefweb",
    .title = "ReliefWeb reports (OCHA)",
    .summary = "reports, maps and appeals of some thousand organisations, with the files "
               "attached; needs an approved appname",
    .check = check,
    .page = page,
};
