/* hapi.c — the tables of HDX's Humanitarian API (HAPI, version 2): one record a call of at most
 * 10,000 rows, as CSV, one call a second.
 *
 * Table by table, and of each country by country where some are asked for. A place is "table
 * country row". Rows carry no time of change, so a harvest reads everything, and what is as it
 * was is kept once. */
#include "harvest/readers.h"
#include "harvest/table_json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PAGE_ROWS = 10000 };
static const double CALL_INTERVAL = 1; /* seconds, by HAPI's terms */

/* Below /api/v2/. */
static const char *const tables[] = {
    "affected-people/humanitarian-needs",
    "food-security-nutrition-poverty/food-prices-market-monitor",
    "coordination-context/funding",
    "coordination-context/conflict-events",
    "coordination-context/operational-presence",
    "climate/rainfall",
};
enum { TABLE_COUNT = sizeof tables / sizeof *tables };

static const char *last_part(const char *table) {
    const char *slash = strrchr(table, '/');
    return slash ? slash + 1 : table;
}

/* ---- what is asked for ------------------------------------------------------------------- */

/* Whether a theme means that table: all of its name, its first or its last part. */
static bool means(const char *theme, size_t length, const char *table) {
    const char *last = last_part(table);
    size_t first = strcspn(table, "/");
    return (length == strlen(table) && !strncasecmp(theme, table, length)) ||
           (length == strlen(last) && !strncasecmp(theme, last, length)) ||
           (length == first && !strncasecmp(theme, table, length));
}

static bool is_asked(const char *themes, const char *table) {
    size_t length;
    const char *theme = vl_ask_next(&themes, &length);
    bool asked = !theme;
    for (; theme; theme = vl_ask_next(&themes, &length))
        asked |= means(theme, length, table);
    return asked;
}

static vl_status refuse_theme(const char *theme, vl_error *error) {
    const char *names[TABLE_COUNT];
    for (size_t i = 0; i < TABLE_COUNT; i++)
        names[i] = last_part(tables[i]);
    const char *nearest = vl_nearest_name(theme, names, TABLE_COUNT);
    return vl_fail(error, VL_ERR_USAGE,
                   "hapi has no '%s'%s%s%s; there are humanitarian-needs, "
                   "food-prices-market-monitor, funding, conflict-events, "
                   "operational-presence and rainfall",
                   theme, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                   nearest ? "'?" : "");
}

static vl_status check_themes(const char *themes, vl_error *error) {
    const char *theme;
    size_t length;
    while ((theme = vl_ask_next(&themes, &length))) {
        char name[64];
        bool known = false;
        for (size_t i = 0; i < TABLE_COUNT; i++)
            known |= means(theme, length, tables[i]);
        snprintf(name, sizeof name, "%.*s", (int)(length < 60 ? length : 60), theme);
        if (!known)
            return refuse_theme(name, error);
    }
    return VL_OK;
}

static vl_status check_countries(const char *countries, vl_error *error) {
    const char *country;
    size_t length;
    while ((country = vl_ask_next(&countries, &length)))
        if (length != 3 || !isalpha((unsigned char)country[0]) ||
            !isalpha((unsigned char)country[1]) || !isalpha((unsigned char)country[2]))
            return vl_fail(error, VL_ERR_USAGE,
                           "'%.*s' is no country; write ISO 3166-1 alpha-3: ken",
                           (int)(length < 60 ? length : 60), country);
    return VL_OK;
}

static const char *or_none(const char *list) {
    return list ? list : "";
}

static vl_status check(const vl_source_call *call, vl_error *error) {
    vl_status status = vl_ask_refuse("hapi", call->query,
                                     VL_ASK_LANGUAGES | VL_ASK_WORDS | VL_ASK_TIMES, error);
    if (!status && !vl_ask_wants(call->query, "data"))
        status = vl_fail(error, VL_ERR_USAGE, "hapi has data only");
    if (!status && !*vl_config_string(call->config, "harvest_hapi_app_identifier"))
        status = vl_fail(error, VL_ERR_MISSING,
                         "HAPI wants to know who asks: set harvest_hapi_app_identifier to "
                         "NAME:MAIL, or to what /api/v2/encode_app_identifier makes of them");
    if (!status)
        status = check_themes(or_none(call->query->themes), error);
    return status ? status : check_countries(or_none(call->query->countries), error);
}

/* ---- places ------------------------------------------------------------------------------ */

/* The parts there are: each table that is asked for, of each country. */
typedef struct parts {
    const char *themes;
    char **countries;
    size_t country_count; /* 1 where none are asked for */
} parts;

static vl_status list_parts(const vl_source_call *call, parts *p, vl_error *error) {
    size_t count;
    p->themes = or_none(call->query->themes);
    p->countries = vl_ask_list(call->arena, call->query->countries, &count);
    if (!p->countries)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a page of hapi");
    for (size_t i = 0; i < count; i++)
        for (char *c = p->countries[i]; *c; c++)
            *c = (char)toupper((unsigned char)*c);
    p->country_count = count ? count : 1;
    return VL_OK;
}

static const char *country_at(const parts *p, size_t index) {
    return p->countries[index] ? p->countries[index] : "";
}

/* The part at `index` of the order; false: there is none. */
static bool part_at(const parts *p, size_t index, vl_hapi_place *place) {
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (!is_asked(p->themes, tables[i]))
            continue;
        if (index < p->country_count) {
            snprintf(place->table, sizeof place->table, "%s", tables[i]);
            snprintf(place->country, sizeof place->country, "%s", country_at(p, index));
            place->offset = 0;
            return true;
        }
        index -= p->country_count;
    }
    return false;
}

/* The part after that of `place`, into it; false: it was the last. */
static bool next_part(const parts *p, vl_hapi_place *place) {
    vl_hapi_place at;
    for (size_t i = 0; part_at(p, i, &at); i++)
        if (!strcmp(at.table, place->table) && !strcmp(at.country, place->country))
            return part_at(p, i + 1, place);
    return false;
}

static bool is_part(const parts *p, const vl_hapi_place *place) {
    vl_hapi_place at;
    for (size_t i = 0; part_at(p, i, &at); i++)
        if (!strcmp(at.table, place->table) && !strcmp(at.country, place->country))
            return true;
    return false;
}

static vl_status place_read(const parts *p, const char *cursor, vl_hapi_place *place,
                            vl_error *error) {
    unsigned long long offset;
    char end;
    if (!*cursor)
        return part_at(p, 0, place)
                   ? VL_OK
                   : vl_fail(error, VL_ERR_USAGE, "hapi has nothing of these themes");
    int read = sscanf(cursor, "%95s %7s %llu%c", place->table, place->country, &offset, &end);
    if (read == 3) {
        place->offset = offset;
        if (!strcmp(place->country, "-"))
            place->country[0] = '\0';
        if (is_part(p, place))
            return VL_OK;
    }
    return vl_fail(error, VL_ERR_INPUT, "'%.120s' is no place to go on from", cursor);
}

static void place_write(const vl_hapi_place *place, vl_buf *cursor) {
    vl_buf_printf(cursor, "%s %s %llu", place->table, *place->country ? place->country : "-",
                  (unsigned long long)place->offset);
}

/* ---- a page ------------------------------------------------------------------------------ */

static vl_status put_identifier(const vl_config *config, vl_buf *url, vl_error *error) {
    const char *who = vl_config_string(config, "harvest_hapi_app_identifier");
    size_t length = strlen(who);
    if (!strchr(who, ':')) { /* as HAPI wrote it; a colon is in no base64 */
        vl_ask_put_escaped(url, who);
        return VL_OK;
    }
    char *coded = malloc(VL_BASE64_SIZE(length));
    if (!coded)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an app_identifier");
    vl_base64_encode(who, length, false, coded);
    vl_ask_put_escaped(url, coded);
    free(coded);
    return VL_OK;
}

static void put_question(const vl_config *config, const vl_hapi_place *place, vl_buf *url) {
    vl_ask_put_base(url, config, "harvest_hapi_url");
    vl_buf_printf(url, "/api/v2/%s?output_format=json&limit=%d&offset=%llu", place->table,
                  PAGE_ROWS, (unsigned long long)place->offset);
    if (*place->country)
        vl_buf_printf(url, "&location_code=%s", place->country);
}

/* "climate/rainfall", country and first row name a page for good. */
static vl_status give_rows(const vl_source_call *call, const vl_hapi_place *place,
                           const vl_table *table, const char *csv, size_t bytes,
                           vl_error *error) {
    vl_arena *arena = call->arena;
    const char *name = last_part(place->table), *all = *place->country ? place->country : "all";
    const char *countries = vl_table_names(table, "location_code", ",", VL_TABLE_NAMES);
    unsigned long long from = place->offset, to = from + vl_table_rows(table);
    char version[VL_SHA256_HEX_SIZE]; /* no row says when it was changed */
    vl_buf url;
    vl_sha256_hex(csv, bytes, version);
    vl_buf_init(&url, VL_FETCH_URL_SIZE);
    put_question(call->config, place, &url);
    vl_record_file file = {
        .type = "text/csv",
        .name = vl_arena_printf(arena, "%s-%s-%llu.csv", name, all, from),
        .version = version,
        .body = csv,
        .body_bytes = bytes,
    };
    vl_record record = {
        .key = vl_arena_printf(arena, "%s %s %llu", place->table, all, from),
        .title = vl_arena_printf(arena, "%s, %s, rows %llu to %llu", name, all, from + 1, to),
        .url = url.failed ? NULL : url.data,
        .terms = "Rows come from data sets of the Humanitarian Data Exchange; the licence of "
                 "each data set holds for its rows.",
        .publisher = "OCHA Centre for Humanitarian Data",
        .countries = countries && *countries ? countries
                     : *place->country       ? place->country
                                             : NULL,
        .themes = place->table,
        .files = &file,
        .file_count = 1,
    };
    vl_status status = record.key && file.name
                           ? call->give(&record, call->to, error)
                           : vl_fail(error, VL_ERR_MEMORY, "no memory for a page of hapi");
    vl_buf_deinit(&url);
    return status;
}

vl_status vl_hapi_read(const vl_source_call *call, const cJSON *root,
                       const vl_hapi_place *place, size_t *rows, vl_error *error) {
    const cJSON *data = vl_json_at(root, "data");
    if (!cJSON_IsArray(data))
        return vl_fail(error, VL_ERR_INPUT, "HAPI's answer has no data");
    *rows = (size_t)cJSON_GetArraySize(data);
    if (!*rows)
        return VL_OK;
    const vl_table *table = vl_table_of_json(call->arena, data, "hapi");
    const char *csv;
    size_t bytes;
    vl_status status = table ? vl_table_csv(table, &csv, &bytes, error)
                             : vl_fail(error, VL_ERR_MEMORY, "no memory for a page of hapi");
    return status ? status : give_rows(call, place, table, csv, bytes, error);
}

static vl_status fetch(const vl_source_call *call, const vl_hapi_place *place, cJSON **root,
                       vl_error *error) {
    vl_buf url;
    vl_buf_init(&url, VL_FETCH_URL_SIZE);
    put_question(call->config, place, &url);
    vl_buf_puts(&url, "&app_identifier=");
    vl_status status = put_identifier(call->config, &url, error);
    if (!status)
        status = vl_buf_status(&url, "HAPI's address", error);
    if (!status)
        status =
            vl_json_get(call, &(vl_polite_request){.url = url.data, .interval = CALL_INTERVAL},
                        root, error);
    vl_buf_deinit(&url);
    return status;
}

static vl_status page(const vl_source_call *call, const char *cursor, vl_buf *next,
                      vl_error *error) {
    parts p;
    vl_hapi_place place;
    cJSON *root = NULL;
    size_t rows = 0;
    vl_status status = list_parts(call, &p, error);
    if (!status)
        status = place_read(&p, cursor, &place, error);
    if (!status)
        status = fetch(call, &place, &root, error);
    if (!status)
        status = vl_hapi_read(call, root, &place, &rows, error);
    cJSON_Delete(root);
    if (status)
        return status;
    bool more = rows >= PAGE_ROWS;
    place.offset += rows;
    if (more || next_part(&p, &place))
        place_write(&place, next);
    return VL_OK;
}

const vl_source vl_source_hapi = {
    .name = "hapi",
    .title = "HDX Humanitarian API (OCHA)",
    .summary =
        "tables of needs, food prices, funding, conflict, presence and rainfall; needs a "
        "name and a mail address",
    .check = check,
    .page = page,
    .whole = true,
};
