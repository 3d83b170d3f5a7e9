/* unicef.c — UNICEF's indicators of children and women (https://sdmx.data.unicef.org/): the
 * data flow GLOBAL_DATAFLOW, whose keys are REF_AREA.INDICATOR.SEX, by SDMX 2.1 REST.
 *
 * A request is for one indicator (a theme) in all countries that are asked for, or, without
 * themes, for one country with all its indicators. Its answer is a record with one table: CSV
 * as it was sent, or made of the XML. "No results" (404, SDMX 2.1 REST, section 5.8) is none.
 *
 * All of an indicator is estimated anew at once, and nothing says when: so each harvest asks
 * for all of it, and what is the same has the same version. */
#include "harvest/ask.h"
#include "harvest/sdmx.h"
#include "harvest/statistics.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    URL_BYTES = 2000,
    BODY_BYTES = 32 << 20,
    INDICATOR_BYTES = 64,
    NAMES_IN_TITLE = 4,
    THEMES_BYTES = 64 << 10
};

/* What is asked for one after another; one of them is fixed in a request. */
typedef struct request {
    char **indicators; /* NULL at the end; none: all */
    size_t indicator_count;
    vl_country_list countries;
    size_t at; /* which indicator, or which country without indicators */
} request;

static bool is_code(const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (!isascii((unsigned char)text[i]) ||
            (!isalnum((unsigned char)text[i]) && !strchr("_-@$", text[i])))
            return false;
    return length && length < INDICATOR_BYTES;
}

static vl_status read_request(const vl_harvest_query *query, vl_arena *arena, request *r,
                              vl_error *error) {
    *r = (request){.at = 0};
    vl_status status = vl_country_list_read(query->countries, &r->countries, error);
    r->indicators = arena ? vl_ask_list(arena, query->themes, &r->indicator_count) : NULL;
    if (!status && !r->indicators)
        status = vl_fail(error, VL_ERR_LIMIT, "unicef: too many themes");
    for (size_t i = 0; !status && i < r->indicator_count; i++) {
        for (char *c = r->indicators[i]; *c; c++)
            *c = (char)toupper((unsigned char)*c);
        if (!is_code(r->indicators[i]))
            status = vl_fail(error, VL_ERR_USAGE,
                             "unicef: '%.60s' is no indicator; themes are codes of its data "
                             "flow, as CME_MRM0",
                             r->indicators[i]);
    }
    return status;
}

static vl_status check(const vl_source_call *call, vl_error *error) {
    request r;
    const char *format = vl_config_string(call->config, "harvest_unicef_format");
    vl_arena *arena = vl_arena_new(THEMES_BYTES);
    vl_status status = vl_statistics_check(call->query, "unicef", 0, error);
    if (!status)
        status = read_request(call->query, arena, &r, error);
    vl_arena_free(arena);
    if (!status && !r.indicator_count && !r.countries.count)
        status =
            vl_fail(error, VL_ERR_USAGE,
                    "unicef: say which indicators (themes: CME_MRM0,…) or which countries; "
                    "together they are too many");
    if (!status && strcmp(format, "csv") && strcmp(format, "sdmx-compact-2.1"))
        status =
            vl_fail(error, VL_ERR_USAGE,
                    "harvest_unicef_format is csv or sdmx-compact-2.1, not '%.60s'", format);
    return status;
}

/* ---- places --------------------------------------------------------------------------------
 */

static size_t item_count(const request *r) {
    return r->indicator_count ? r->indicator_count : r->countries.count;
}

static const char *item_at(const request *r, size_t at) {
    return r->indicator_count ? r->indicators[at] : r->countries.codes[at];
}

static vl_status read_cursor(const char *cursor, request *r, vl_error *error) {
    vl_statistics_place place;
    vl_status status = vl_statistics_place_read(cursor, &place, error);
    for (size_t i = 0; !status && i < item_count(r); i++)
        if (!strcmp(place.item, item_at(r, i))) {
            r->at = i;
            return VL_OK;
        }
    return status ? status
                  : vl_fail(error, VL_ERR_INPUT, "'%.60s' is no place in this query", cursor);
}

static void write_cursor(const request *r, size_t at, vl_buf *next) {
    vl_statistics_place place = {.page = 1};
    snprintf(place.item, sizeof place.item, "%s", item_at(r, at));
    vl_statistics_place_write(&place, next);
}

/* ---- a request -----------------------------------------------------------------------------
 */

static void put_areas(const request *r, vl_buf *out) {
    if (r->indicator_count)
        vl_country_list_put(&r->countries, "+", out);
    else
        vl_buf_puts(out, r->countries.codes[r->at]);
}

static void put_url(const request *r, const vl_source_call *call, vl_buf *url) {
    int first = vl_statistics_year(call->query->since, 0);
    int last = vl_statistics_year(call->query->until, 0);
    vl_ask_put_base(url, call->config, "harvest_unicef_url");
    vl_buf_puts(url, "/data/UNICEF,GLOBAL_DATAFLOW,1.0/");
    put_areas(r, url);
    vl_buf_printf(url, ".%s.?format=%s", r->indicator_count ? r->indicators[r->at] : "",
                  vl_config_string(call->config, "harvest_unicef_format"));
    if (first)
        vl_buf_printf(url, "&startPeriod=%d", first);
    if (last)
        vl_buf_printf(url, "&endPeriod=%d", last);
}

/* "CME_MRM0/CZE+DZA", "all/KEN", "CME_MRM0/all/2010-2020" */
static const char *key_of(const request *r, const vl_source_call *call) {
    int first = vl_statistics_year(call->query->since, 0);
    int last = vl_statistics_year(call->query->until, 0);
    vl_buf out;
    vl_buf_init(&out, URL_BYTES);
    vl_buf_printf(&out, "%s/", r->indicator_count ? r->indicators[r->at] : "all");
    put_areas(r, &out);
    if (!r->countries.count)
        vl_buf_puts(&out, "all");
    if (first || last)
        vl_buf_puts(&out, "/");
    if (first)
        vl_buf_printf(&out, "%d", first);
    if (first || last)
        vl_buf_puts(&out, "-");
    if (last)
        vl_buf_printf(&out, "%d", last);
    const char *key = out.failed ? NULL : vl_arena_strdup(call->arena, out.data);
    vl_buf_deinit(&out);
    return key;
}

/* "Czechia, Algeria and 3 more" */
static const char *areas_of(const vl_table *table, vl_arena *arena) {
    const char *codes = vl_table_names(table, "REF_AREA", ",", VL_TABLE_NAMES);
    size_t count = 0;
    char **list = codes ? vl_ask_list(arena, codes, &count) : NULL;
    const char *names = "";
    for (size_t i = 0; list && names && i < count && i < NAMES_IN_TITLE; i++) {
        const char *name = vl_country_name(list[i], arena);
        names = name ? vl_arena_printf(arena, "%s%s%s", names, i ? ", " : "", name) : NULL;
    }
    if (names && count > NAMES_IN_TITLE)
        names = vl_arena_printf(arena, "%s and %zu more", names, count - NAMES_IN_TITLE);
    return list ? names : NULL;
}

static const char *title_of(const request *r, const vl_table *table, vl_arena *arena) {
    const char *first, *last, *areas = areas_of(table, arena);
    vl_table_range(table, "TIME_PERIOD", &first, &last);
    if (!areas)
        return NULL;
    const char *title =
        r->indicator_count
            ? vl_arena_printf(arena, "UNICEF indicator %s: %s", r->indicators[r->at], areas)
            : vl_arena_printf(arena, "UNICEF indicators of children and women: %s", areas);
    if (!title || !first)
        return title;
    return strcmp(first, last) ? vl_arena_printf(arena, "%s, %s to %s", title, first, last)
                               : vl_arena_printf(arena, "%s, %s", title, first);
}

/* ---- an answer -----------------------------------------------------------------------------
 */

static vl_status fetch(const vl_source_call *call, const char *url, vl_buf *body,
                       unsigned *http, vl_error *error) {
    vl_fetch_reply reply;
    const vl_polite_request question = {.url = url, .api = true};
    vl_fetch_reply_init(&reply);
    vl_status status = vl_statistics_fetch(call, &question, body, &reply, error);
    *http = reply.status;
    vl_fetch_reply_deinit(&reply);
    if (!status && (*http == 401 || *http == 403))
        status = vl_fail(error, VL_ERR_DENIED, "unicef does not let us in: HTTP %u", *http);
    else if (!status && *http != 404 && (*http < 200 || *http > 299))
        status = vl_fail(error, VL_ERR_INPUT, "unicef answers HTTP %u to %.300s", *http, url);
    return status;
}

static vl_status give(const vl_source_call *call, const request *r, const char *url,
                      const vl_table *table, const char *csv, size_t bytes, vl_error *error) {
    vl_arena *arena = call->arena;
    vl_record record = {
        .key = key_of(r, call),
        .title = title_of(r, table, arena),
        .url = vl_arena_strdup(arena, url),
        .language = "en",
        .publisher = "UNICEF",
        .countries = vl_table_names(table, "REF_AREA", ",", VL_TABLE_NAMES),
        .themes = vl_table_names(table, "INDICATOR", ",", VL_TABLE_NAMES),
        .raw = vl_statistics_raw(arena, url, vl_table_rows(table)),
    };
    if (!record.key)
        return vl_fail(error, VL_ERR_LIMIT, "unicef: a page does not fit into memory");
    return vl_statistics_give(call, "unicef", &record, csv, bytes, error);
}

static vl_status take_answer(const vl_source_call *call, const request *r, const char *url,
                             const vl_buf *body, vl_error *error) {
    const char *text = body->data ? body->data : "", *csv = NULL;
    size_t bytes = body->len;
    vl_table *table = vl_table_new(call->arena);
    if (!table)
        return vl_fail(error, VL_ERR_LIMIT, "unicef: no memory for a page");
    bool xml = text[strspn(text, "\xEF\xBB\xBF \t\r\n")] == '<';
    vl_status status = xml ? vl_sdmx_read_xml(text, bytes, table, error)
                           : vl_sdmx_read_csv(text, bytes, table, error);
    if (status || !vl_table_rows(table))
        return status;
    if (xml)
        status = vl_table_csv(table, &csv, &bytes, error);
    else if (!(csv = vl_arena_strndup(call->arena, text, bytes)))
        status = vl_fail(error, VL_ERR_LIMIT, "unicef: no memory for a page");
    return status ? status : give(call, r, url, table, csv, bytes, error);
}

static vl_status page(const vl_source_call *call, const char *cursor, vl_buf *next,
                      vl_error *error) {
    request r;
    vl_buf url, body;
    unsigned http = 0;
    vl_buf_init(&url, URL_BYTES);
    vl_buf_init(&body, BODY_BYTES);
    vl_status status = read_request(call->query, call->arena, &r, error);
    if (!status && *cursor)
        status = read_cursor(cursor, &r, error);
    if (status || !item_count(&r))
        goto out;
    put_url(&r, call, &url);
    status = vl_buf_status(&url, "the address with all these countries", error);
    if (!status)
        status = fetch(call, url.data, &body, &http, error);
    if (!status && http != 404)
        status = take_answer(call, &r, url.data, &body, error);
    if (!status && r.at + 1 < item_count(&r))
        write_cursor(&r, r.at + 1, next);
out:
    vl_buf_deinit(&body);
    vl_buf_deinit(&url);
    return status;
}

const vl_source vl_source_unicef = {
    .name = "unicef",
    .title = "Indicators of children and women (UNICEF)",
    .summary = "tables by indicator (themes: CME_MRM0,…) and country; needs no key",
    .check = check,
    .page = page,
    .whole = true,
};
