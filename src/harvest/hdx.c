/* hdx.c — data sets of the Humanitarian Data Exchange (OCHA), by CKAN's action API
 * (package_search; docs.ckan.org, "API guide").
 *
 * By their change, 100 data sets a page, from where the page before ended (ask.h,
 vl_ask_place). A record's files are what the data set says of itself (Markdown) and its
 * resources, without those that are flagged as personal or microdata, and without services that
 * draw maps instead of giving a file. Private data sets are left out.
 *
 * dataset_date is the time that data are about, as a Solr range or in older forms; it is no
 * date of publication and stays in the kept object as it is. */
#include "harvest/readers.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PAGE_RECORDS = 100, PAGE_LEAST = 20, QUERY_MAX = 4096 };

static vl_status check(const vl_source_call *call, vl_error *error) {
    vl_status status = vl_ask_refuse("hdx", call->query, VL_ASK_LANGUAGES, error);
    return status ? status : vl_ask_check_times(call->query, error);
}

/* ---- the question ------------------------------------------------------------------------ */

/* A phrase of Solr's query language: what ends or escapes one is escaped. */
static void put_phrase(vl_buf *out, const char *text) {
    vl_buf_puts(out, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            vl_buf_puts(out, "\\");
        vl_buf_append(out, text, 1);
    }
    vl_buf_puts(out, "\"");
}

static void put_any(vl_buf *out, vl_arena *arena, const char *field, const char *list) {
    char **items = vl_ask_list(arena, list, NULL);
    if (!items || !*items)
        return;
    vl_buf_printf(out, "%s%s:(", out->len ? " AND " : "", field);
    for (size_t i = 0; items[i]; i++) {
        for (char *c = items[i]; *c; c++) /* groups and tags are lower case */
            *c = (char)tolower((unsigned char)*c);
        vl_buf_puts(out, i ? " OR " : "");
        put_phrase(out, items[i]);
    }
    vl_buf_puts(out, ")");
}

static void put_filter(const vl_source_call *call, const vl_ask_place *place, vl_buf *out) {
    char to[VL_ASK_TIME_SIZE + 8] = "*";
    put_any(out, call->arena, "groups", call->query->countries);
    put_any(out, call->arena, "tags", call->query->themes);
    if (*place->to) /* to the end of that second: changes have fractions */
        snprintf(to, sizeof to, "%.19s.999Z", place->to);
    if (*place->from || *place->to)
        vl_buf_printf(out, "%smetadata_modified:[%s TO %s]", out->len ? " AND " : "",
                      *place->from ? place->from : "*", to);
}

static vl_status put_url(const vl_source_call *call, const vl_ask_place *place, size_t limit,
                         vl_buf *url, vl_error *error) {
    const char *words = call->query->words;
    vl_buf filter;
    vl_buf_init(&filter, QUERY_MAX);
    put_filter(call, place, &filter);
    vl_ask_put_base(url, call->config, "harvest_hdx_url");
    vl_buf_printf(url,
                  "/api/3/action/package_search?sort=metadata_modified%%20%s&rows=%zu"
                  "&start=%llu",
                  place->newest_first ? "desc" : "asc", limit,
                  (unsigned long long)place->offset);
    if (words && *words) {
        vl_buf_puts(url, "&q=");
        vl_ask_put_escaped(url, words);
    }
    if (filter.len) {
        vl_buf_puts(url, "&fq=");
        vl_ask_put_escaped(url, filter.data);
    }
    url->failed |= filter.failed;
    vl_buf_deinit(&filter);
    return url->failed ? vl_fail(error, VL_ERR_USAGE,
                                 "so many countries and themes are too long for one address")
                       : VL_OK;
}

/* ---- the records ------------------------------------------------------------------------- */

/* SPDX names of HDX's licence ids where the id says which one it is. */
static const char *const licences[][2] = {
    {"cc-by-igo", "CC-BY-3.0-IGO"}, {"hdx-odc-by", "ODC-By-1.0"}, {"hdx-odc-odbl", "ODbL-1.0"},
    {"hdx-pddl", "PDDL-1.0"},       {"odc-by", "ODC-By-1.0"},     {"odc-odbl", "ODbL-1.0"},
    {"odc-pddl", "PDDL-1.0"},
};

static const char *licence_of(vl_arena *arena, const cJSON *set) {
    const char *id = vl_json_text(arena, set, "license_id");
    const char *title = vl_json_text(arena, set, "license_title");
    for (size_t i = 0; id && i < sizeof licences / sizeof *licences; i++)
        if (!strcasecmp(id, licences[i][0]))
            return licences[i][1];
    const char *url = vl_json_text(arena, set, "license_url");
    return title ? title : url ? url : id;
}

/* Whether an address is of a service that is asked for pieces of a map. */
static bool is_map_service(const char *url) {
    static const char *const signs[] = {"/featureserver", "/mapserver",  "/imageserver",
                                        "service=wms",    "service=wfs", "service=wmts",
                                        "/wms?",          "/wfs?",       "/ows?",
                                        "/arcgis/rest/",  "{z}/{x}/{y}"};
    if (strcasestr(url, "outputformat=")) /* a file that it makes of all */
        return false;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strcasestr(url, signs[i]))
            return true;
    return false;
}

/* Where the file of a resource lies; NULL: nowhere that gives one. */
static const char *address_of(vl_arena *arena, const cJSON *resource) {
    static const char *const keys[] = {"download_url", "url"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *url = vl_json_text(arena, resource, keys[i]);
        if (url && (!strncasecmp(url, "http://", 7) || !strncasecmp(url, "https://", 8)) &&
            !is_map_service(url))
            return url;
    }
    return NULL;
}

static void add_resource(const vl_source_call *call, const cJSON *resource, vl_record *record,
                         vl_record_file *files) {
    vl_arena *arena = call->arena;
    const char *format = vl_json_text(arena, resource, "format");
    const char *type = vl_json_text(arena, resource, "mimetype");
    vl_record_file f = {
        .url = address_of(arena, resource),
        .type = type && strchr(type, '/') ? type : NULL,
        .name = vl_json_text(arena, resource, "name"),
        .version = vl_json_text(arena, resource, "hash"),
        .bytes = vl_json_count(resource, "size"),
    };
    if (!f.url || vl_json_true(resource, "pii") || vl_json_true(resource, "microdata"))
        return;
    const char *kind = vl_ask_kind(NULL, format);
    if (!*kind)
        kind = vl_ask_kind(f.type, f.name);
    if (*kind && !vl_ask_wants(call->query, kind))
        return;
    if (!f.version)
        f.version = vl_json_text(arena, resource, "last_modified");
    files[record->file_count++] = f;
}

static void add_notes(const vl_source_call *call, const cJSON *set, vl_record *record,
                      vl_record_file *files) {
    const char *notes = cJSON_GetStringValue(vl_json_at(set, "notes"));
    if (!notes || !notes[strspn(notes, " \t\r\n")] || !vl_ask_wants(call->query, "text"))
        return;
    files[record->file_count++] = (vl_record_file){.type = "text/markdown",
                                                   .name = "notes.md",
                                                   .version = record->changed,
                                                   .body = notes,
                                                   .body_bytes = strlen(notes)};
}

static const char *page_of(const vl_source_call *call, const char *name) {
    vl_buf out;
    vl_buf_init(&out, VL_FETCH_URL_SIZE);
    vl_ask_put_base(&out, call->config, "harvest_hdx_url");
    vl_buf_puts(&out, "/dataset/");
    vl_ask_put_escaped(&out, name);
    const char *url = out.failed ? NULL : vl_arena_strdup(call->arena, out.data);
    vl_buf_deinit(&out);
    return url;
}

static const char *changed_of(vl_arena *arena, const cJSON *set) {
    return vl_json_time(arena, set, "metadata_modified");
}

static vl_status read_set(const vl_source_call *call, const cJSON *set, vl_error *error) {
    vl_arena *arena = call->arena;
    const cJSON *resources = vl_json_at(set, "resources"), *resource;
    const char *key = vl_json_text(arena, set, "id"), *name = vl_json_text(arena, set, "name");
    vl_record_file *files =
        vl_arena_array(arena, (size_t)cJSON_GetArraySize(resources) + 1, sizeof *files);
    if (vl_json_true(set, "private"))
        return VL_OK;
    if (!key || !files)
        return vl_json_leave_out(call, "hdx", name, "it has no id", error);
    vl_record record = {
        .key = key,
        .title = vl_json_text(arena, set, "title"),
        .url = page_of(call, name ? name : key),
        .published = vl_json_time(arena, set, "metadata_created"),
        .changed = changed_of(arena, set),
        .licence = licence_of(arena, set),
        .terms = vl_json_text(arena, set, "license_other"),
        .publisher = vl_json_text(arena, set, "organization.title"),
        .countries = vl_json_list(arena, vl_json_at(set, "groups"), "name"),
        .themes = vl_json_list(arena, vl_json_at(set, "tags"), "name"),
        .files = files,
    };
    if (!record.terms)
        record.terms = vl_json_text(arena, set, "license_url");
    add_notes(call, set, &record, files);
    cJSON_ArrayForEach(resource, resources) add_resource(call, resource, &record, files);
    if (!record.file_count && !vl_ask_wants(call->query, ""))
        return VL_OK; /* nothing in the formats that are asked for */
    return vl_json_give(call, &record, set, error);
}

vl_status vl_hdx_read(const vl_source_call *call, const cJSON *root, size_t limit,
                      vl_ask_place *place, bool *more, vl_error *error) {
    const cJSON *sets = vl_json_at(root, "result.results"), *set, *last = NULL;
    const char *trouble = vl_json_text(call->arena, root, "error.message");
    if (!vl_json_true(root, "success") || !cJSON_IsArray(sets))
        return vl_fail(error, VL_ERR_INPUT, "HDX gives no data sets: %.200s",
                       trouble ? trouble : "its answer has no result");
    cJSON_ArrayForEach(set, sets) {
        vl_status status = read_set(call, set, error);
        if (status)
            return status;
        last = set;
    }
    uint64_t count = (uint64_t)cJSON_GetArraySize(sets);
    uint64_t total = vl_json_count(root, "result.count");
    *more = count && (total ? place->offset + count < total : count >= limit);
    vl_ask_place_advance(place, changed_of(call->arena, last), count);
    return VL_OK;
}

static vl_status page(const vl_source_call *call, const char *cursor, vl_buf *next,
                      vl_error *error) {
    size_t limit = vl_ask_page_size(call->query, PAGE_LEAST, PAGE_RECORDS);
    vl_ask_place place;
    cJSON *root = NULL;
    bool more = false;
    vl_buf url;
    vl_buf_init(&url, VL_FETCH_URL_SIZE);
    vl_status status = vl_ask_place_read(cursor, call->query, &place, error);
    if (!status)
        status = put_url(call, &place, limit, &url, error);
    if (!status)
        status = vl_json_get(call, &(vl_polite_request){.url = url.data}, &root, error);
    if (!status)
        status = vl_hdx_read(call, root, limit, &place, &more, error);
    if (!status && more)
        vl_ask_place_write(&place, next);
    cJSON_Delete(root);
    vl_buf_deinit(&url);
    return status;
}

const vl_source vl_source_hdx = {
    .name = "hdx",
    .title = "Humanitarian Data Exchange (OCHA)",
    .summary = "data sets of some hundred organisations: tables, maps, reports",
    .check = check,
    .page = page,
};
