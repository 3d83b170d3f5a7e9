/* unhcr_portal.c — UNHCR's Operational Data Portal (https://data.unhcr.org/): the figures
 * behind the charts and maps of its pages.
 *
 * The portal has no list of its charts; each is named by the numbers in the address that its
 * page asks ("widget_id", "geo_id", "sv_id", "population_group"), which the setting
 * harvest_unhcr_portal_widgets holds. One chart is a record with one table.
 *
 * These addresses are made for the portal's own pages, so robots.txt is asked first. The portal
 * may answer a program with a page that proves browsers (HTTP 404, text/html, a program of
 * 14 kB): that is VL_ERR_DENIED, "blocked", and nothing is done about it. */
#include "harvest/ask.h"
#include "harvest/statistics.h"
#include "harvest/table_json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    URL_BYTES = 2000,
    BODY_BYTES = 32 << 20,
    VALUE_SIZE = 128, /* of a parameter */
    TITLE_SIZE = 256,
};

/* What a widget shows, and where the portal has it. */
typedef struct kind {
    const char *name, *path, *rows, *title;
} kind;
static const kind kinds[] = {
    {"timeseries", "/population/get/timeseries", "data.timeseries", "People over time"},
    {"sublocation", "/population/get/sublocation/root", "data", "People by place"},
    {"population", "/population/", "data", "People"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* The parameters of a widget, in the order in which they are sent. */
static const struct {
    const char *name, *allowed;
    bool lasting; /* part of what the widget is, and of its key */
} parameters[] = {
    {"widget_id", "0123456789", true},
    {"geo_id", "0123456789", true},
    {"sv_id", "0123456789", true},
    {"population_group", "0123456789,;", true},
    {"frequency", "abcdefghijklmnopqrstuvwxyz", true},
    {"year", "0123456789latest", true},
    {"forcesublocation", "01truefals", false},
};
enum { PARAMETERS = sizeof parameters / sizeof *parameters };

typedef struct widget {
    const kind *kind;
    char values[PARAMETERS][VALUE_SIZE];
    char title[TITLE_SIZE]; /* "": none was given */
} widget;

/* ---- the setting ---------------------------------------------------------------------------
 */

static int hex(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* "%20" and "+" as in an address (application/x-www-form-urlencoded). False: it does not fit.
 */
static bool decode(const char *text, size_t length, char *out, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i] == '+' ? ' ' : text[i];
        if (c == '%' && i + 2 < length && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
            c = (char)(hex(text[i + 1]) * 16 + hex(text[i + 2]));
            i += 2;
        }
        if (used + 1 >= size || !c)
            return false;
        out[used++] = c;
    }
    out[used] = '\0';
    return vl_utf8_valid_prefix(out, used) == used;
}

static vl_status put_parameter(widget *w, const char *pair, size_t length, vl_error *error) {
    const char *equals = memchr(pair, '=', length);
    size_t name = equals ? (size_t)(equals - pair) : length;
    const char *value = pair + name + (equals != NULL);
    size_t bytes = length - name - (equals != NULL);
    if (name == 5 && !strncmp(pair, "title", 5))
        return decode(value, bytes, w->title, TITLE_SIZE)
                   ? VL_OK
                   : vl_fail(error, VL_ERR_USAGE,
                             "the title of a widget is not UTF-8, or longer "
                             "than %d bytes",
                             TITLE_SIZE - 1);
    if ((name == 8 && !strncmp(pair, "fromDate", 8)) ||
        (name == 6 && !strncmp(pair, "export", 6)))
        return VL_OK; /* of a copied address; the query says from when on */
    for (size_t i = 0; i < PARAMETERS; i++) {
        if (strlen(parameters[i].name) != name || strncmp(parameters[i].name, pair, name))
            continue;
        char *to = w->values[i];
        if (decode(value, bytes, to, VALUE_SIZE) && !to[strspn(to, parameters[i].allowed)])
            return VL_OK;
        return vl_fail(error, VL_ERR_USAGE, "harvest_unhcr_portal_widgets: '%.*s' cannot be so",
                       (int)(length < 80 ? length : 80), pair);
    }
    return vl_fail(error, VL_ERR_USAGE,
                   "harvest_unhcr_portal_widgets: no parameter '%.*s'; there are widget_id, "
                   "geo_id, sv_id, population_group, frequency, year, forcesublocation, title",
                   (int)(name < 60 ? name : 60), pair);
}

static const kind *find_kind(const char *name, size_t length) {
    for (size_t i = 0; i < KINDS; i++)
        if (strlen(kinds[i].name) == length && !strncmp(kinds[i].name, name, length))
            return &kinds[i];
    return NULL;
}

/* "timeseries/690058/656/100/4797,4798/month": the same widget has the same one. */
static bool name_of(const widget *w, char name[VL_ITEM_SIZE]) {
    size_t used = (size_t)snprintf(name, VL_ITEM_SIZE, "%s", w->kind->name);
    for (size_t i = 0; i < PARAMETERS && used < VL_ITEM_SIZE; i++)
        if (parameters[i].lasting && *w->values[i])
            used += (size_t)snprintf(name + used, VL_ITEM_SIZE - used, "/%s", w->values[i]);
    return used < VL_ITEM_SIZE;
}

/* "timeseries?widget_id=1&geo_id=2" */
static vl_status read_widget(const char *text, size_t length, widget *w, vl_error *error) {
    const char *question = memchr(text, '?', length), *end = text + length;
    size_t name = question ? (size_t)(question - text) : 0;
    char whole[VL_ITEM_SIZE];
    *w = (widget){.kind = question ? find_kind(text, name) : &kinds[0]};
    if (!w->kind)
        return vl_fail(error, VL_ERR_USAGE,
                       "harvest_unhcr_portal_widgets: '%.*s' is none of timeseries, "
                       "sublocation, population",
                       (int)(name < 60 ? name : 60), text);
    for (const char *at = question ? question + 1 : text; at < end;) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        size_t bytes = stop ? (size_t)(stop - at) : (size_t)(end - at);
        vl_status status = bytes ? put_parameter(w, at, bytes, error) : VL_OK;
        if (status)
            return status;
        at += bytes + (stop != NULL);
    }
    if (!*w->values[0] || !name_of(w, whole))
        return vl_fail(error, VL_ERR_USAGE,
                       "harvest_unhcr_portal_widgets: a widget without widget_id, or with too "
                       "long values: '%.*s'",
                       (int)(length < 80 ? length : 80), text);
    return VL_OK;
}

/* The widget at `*setting`, which goes on behind it; false: there is none, or it is none. */
static bool next_widget(const char **setting, widget *w, vl_status *status, vl_error *error) {
    static const char between[] = " \t\r\n";
    const char *at = *setting + strspn(*setting, between);
    size_t length = strcspn(at, between);
    *setting = at + length;
    if (length)
        *status = read_widget(at, length, w, error);
    return length && !*status;
}

static vl_status check(const vl_source_call *call, vl_error *error) {
    const char *setting = vl_config_string(call->config, "harvest_unhcr_portal_widgets");
    size_t count = 0;
    widget w;
    vl_status status = vl_statistics_check(call->query, "unhcr-portal",
                                           VL_ASK_COUNTRIES | VL_ASK_THEMES, error);
    if (status)
        return status;
    while (next_widget(&setting, &w, &status, error))
        count++;
    if (!status && !count)
        status =
            vl_fail(error, VL_ERR_MISSING,
                    "unhcr-portal: set harvest_unhcr_portal_widgets to the charts that are "
                    "wanted (docs/harvest.md)");
    return status;
}

/* ---- a request -----------------------------------------------------------------------------
 */

static void put_url(const widget *w, const vl_source_call *call, vl_buf *url) {
    char since[VL_ASK_TIME_SIZE];
    const char *from = call->query->since;
    bool given = from && *from && vl_ask_time(from, false, since);
    vl_ask_put_base(url, call->config, "harvest_unhcr_portal_url");
    vl_buf_printf(url, "%s?", w->kind->path);
    for (size_t i = 0; i < PARAMETERS; i++)
        if (*w->values[i])
            vl_buf_printf(url, "%s=%s&", parameters[i].name, w->values[i]);
    vl_buf_printf(url, "fromDate=%.10s", given ? since : "1900-01-01");
}

/* Drops the rows after `until`, which the portal is not asked by. */
static void cut_after(cJSON *rows, const char *until) {
    char last[VL_ASK_TIME_SIZE];
    if (!until || !*until || !vl_ask_time(until, true, last))
        return;
    for (cJSON *row = rows->child, *next; row; row = next) {
        const char *date = cJSON_GetStringValue(vl_json_at(row, "data_date"));
        next = row->next;
        if (!date)
            date = cJSON_GetStringValue(vl_json_at(row, "date"));
        if (date && strncmp(date, last, 10) > 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(rows, row));
    }
}

static const char *title_of(const widget *w, const vl_table *table, vl_arena *arena) {
    const char *first, *last;
    const char *of = *w->title
                         ? w->title
                         : vl_arena_printf(arena, "%s (UNHCR operational data, widget %s)",
                                           w->kind->title, w->values[0]);
    vl_table_range(table, "data_date", &first, &last);
    if (!first)
        vl_table_range(table, "date", &first, &last);
    if (!of || !first)
        return of ? vl_arena_strdup(arena, of) : NULL;
    return strcmp(first, last) ? vl_arena_printf(arena, "%s, %s to %s", of, first, last)
                               : vl_arena_printf(arena, "%s, %s", of, first);
}

static const char *key_of(const widget *w, const vl_source_call *call) {
    char name[VL_ITEM_SIZE];
    const char *since = call->query->since, *until = call->query->until;
    bool part = (since && *since) || (until && *until);
    name_of(w, name);
    return vl_arena_printf(call->arena, "%s%s%.10s%s%.10s", name, part ? "/" : "",
                           part && since ? since : "", part ? ".." : "",
                           part && until ? until : "");
}

static vl_status give(const vl_source_call *call, const widget *w, const char *url,
                      const cJSON *rows, vl_error *error) {
    vl_arena *arena = call->arena;
    const char *csv, *first, *last;
    size_t bytes;
    vl_table *table = vl_table_of_json(arena, rows, "unhcr-portal");
    if (!table)
        return vl_fail(error, VL_ERR_LIMIT, "unhcr-portal: no memory for a page");
    if (!vl_table_rows(table))
        return VL_OK;
    vl_status status = vl_table_csv(table, &csv, &bytes, error);
    if (status)
        return status;
    vl_table_range(table, "data_date", &first, &last);
    vl_record record = {.key = key_of(w, call),
                        .title = title_of(w, table, arena),
                        .url = vl_arena_strdup(arena, url),
                        .language = "en",
                        .terms = "the portal's answers name no licence: "
                                 "https://www.unhcr.org/terms-and-conditions",
                        .publisher = "UNHCR",
                        .raw = vl_statistics_raw(arena, url, vl_table_rows(table))};
    if (!record.key)
        return vl_fail(error, VL_ERR_LIMIT,
                       "unhcr-portal: the parameters of widget %s are too "
                       "long",
                       w->values[0]);
    return vl_statistics_give(call, "unhcr-portal", &record, csv, bytes, error);
}

/* ---- an answer -----------------------------------------------------------------------------
 */

static bool is_page(const vl_fetch_reply *reply) {
    char type[128];
    return vl_fetch_header(reply, "content-type", type, sizeof type) &&
           !strncasecmp(type, "text/html", 9);
}

static vl_status fetch(const vl_source_call *call, const char *url, vl_buf *body,
                       vl_error *error) {
    vl_fetch_reply reply;
    const vl_polite_request question = {.url = url};
    vl_fetch_reply_init(&reply);
    vl_status status = vl_statistics_fetch(call, &question, body, &reply, error);
    unsigned http = reply.status;
    if (!status && (is_page(&reply) || http == 401 || http == 403))
        status = vl_fail(error, VL_ERR_DENIED,
                         "blocked: the portal answers HTTP %u with a page for browsers, and is "
                         "left alone",
                         http);
    else if (!status && (http < 200 || http > 299))
        status =
            vl_fail(error, VL_ERR_INPUT, "unhcr-portal answers HTTP %u to %.300s", http, url);
    vl_fetch_reply_deinit(&reply);
    return status;
}

static vl_status take_answer(const vl_source_call *call, const widget *w, const char *url,
                             const vl_buf *body, vl_error *error) {
    cJSON *answer = NULL;
    vl_status status = vl_json_parse(body->data ? body->data : "", body->len, &answer, error);
    cJSON *rows = status ? NULL : (cJSON *)vl_json_at(answer, w->kind->rows);
    if (!status && !cJSON_IsArray(rows))
        status = vl_fail(error, VL_ERR_INPUT, "unhcr-portal: an answer without %s: %.200s",
                         w->kind->rows, url);
    if (!status) {
        cut_after(rows, call->query->until);
        status = give(call, w, url, rows, error);
    }
    cJSON_Delete(answer);
    return status;
}

/* The widget that the cursor stands for (its name, and which of the setting it is, from 1) and
 * the setting behind it. */
static vl_status find_widget(const vl_source_call *call, vl_statistics_place *place, widget *w,
                             const char **rest, vl_error *error) {
    char name[VL_ITEM_SIZE];
    vl_status status = VL_OK;
    *rest = vl_config_string(call->config, "harvest_unhcr_portal_widgets");
    for (unsigned i = 1; next_widget(rest, w, &status, error); i++)
        if (i == place->page && name_of(w, name) &&
            (!*place->item || !strcmp(name, place->item)))
            return VL_OK;
    return status ? status
                  : vl_fail(error, VL_ERR_INPUT,
                            "widget %u of harvest_unhcr_portal_widgets is no longer '%.80s'",
                            place->page, place->item);
}

static vl_status page(const vl_source_call *call, const char *cursor, vl_buf *next,
                      vl_error *error) {
    widget w, other;
    const char *rest;
    vl_statistics_place place = {.page = 1};
    vl_buf url, body;
    vl_buf_init(&url, URL_BYTES);
    vl_buf_init(&body, BODY_BYTES);
    vl_status status = *cursor ? vl_statistics_place_read(cursor, &place, error) : VL_OK;
    if (!status)
        status = find_widget(call, &place, &w, &rest, error);
    if (status)
        goto out;
    put_url(&w, call, &url);
    status = vl_buf_status(&url, "the address of a widget", error);
    if (!status)
        status = fetch(call, url.data, &body, error);
    if (!status)
        status = take_answer(call, &w, url.data, &body, error);
    if (!status && next_widget(&rest, &other, &status, error)) {
        name_of(&other, place.item);
        place.page++;
        vl_statistics_place_write(&place, next);
    }
out:
    vl_buf_deinit(&body);
    vl_buf_deinit(&url);
    return status;
}

const vl_source vl_source_unhcr_portal = {
    .name = "unhcr-portal",
    .title = "Operational Data Portal (UNHCR)",
    .summary = "figures behind the portal's charts; harvest_unhcr_portal_widgets names them",
    .check = check,
    .page = page,
    .whole = true,
};
