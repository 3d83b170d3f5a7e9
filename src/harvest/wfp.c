/* wfp.c — WFP's prices of food in markets (DataBridges, https://databridges.vam.wfp.org/),
 * month by month. A client id and secret from WFP are exchanged for a token (oauth.h), which is
 * renewed when it ends while a harvest goes on.
 *
 * A request is for one country, one year and one page; its answer is a record with one table.
 * Pages end where one is empty: the answer need not say how many there are. Years go down from
 * the newest, as those of unhcr.c and for the same reasons. */
#include "harvest/ask.h"
#include "harvest/oauth.h"
#include "harvest/statistics.h"
#include "harvest/table_json.h"

#include <stdio.h>
#include <string.h>

/* FIRST_YEAR: before the oldest of these prices. */
enum { FIRST_YEAR = 1990, URL_BYTES = 2000, BODY_BYTES = 32 << 20 };

typedef struct request {
    vl_country_list countries;
    size_t at; /* which of them */
    int year, first, last;
    unsigned page;
} request;

static vl_oauth_client client_of(const vl_config *config) {
    return (vl_oauth_client){.url = vl_config_string(config, "harvest_wfp_token_url"),
                             .id = vl_config_string(config, "harvest_wfp_client_id"),
                             .secret = vl_config_string(config, "harvest_wfp_client_secret"),
                             .scope = vl_config_string(config, "harvest_wfp_scope"),
                             .who = "wfp"};
}

static vl_status check(const vl_source_call *call, vl_error *error) {
    const vl_oauth_client client = client_of(call->config);
    vl_status status = vl_statistics_check(call->query, "wfp", VL_ASK_THEMES, error);
    if (status)
        return status;
    if (!call->query->countries || !*call->query->countries)
        return vl_fail(error, VL_ERR_USAGE,
                       "wfp: say which countries; it has prices by country");
    if (!*client.id || !*client.secret)
        return vl_fail(
            error, VL_ERR_MISSING,
            "wfp: set harvest_wfp_client_id and harvest_wfp_client_secret, which WFP "
            "gives to registered programs (https://databridges.vam.wfp.org)");
    if (!vl_oauth_is_safe(client.url) ||
        !vl_oauth_is_safe(vl_config_string(call->config, "harvest_wfp_url")))
        return vl_fail(error, VL_ERR_USAGE,
                       "harvest_wfp_url and harvest_wfp_token_url begin with https://, for "
                       "secrets are sent there");
    return VL_OK;
}

/* ---- places --------------------------------------------------------------------------------
 */

static vl_status read_request(const vl_source_call *call, const char *cursor, request *r,
                              vl_error *error) {
    int this_year = vl_statistics_this_year();
    vl_statistics_place place;
    *r = (request){.page = 1};
    r->first = vl_statistics_year(call->query->since, FIRST_YEAR);
    r->last = vl_statistics_year(call->query->until, this_year);
    r->first = r->first < FIRST_YEAR ? FIRST_YEAR : r->first;
    r->last = r->last > this_year ? this_year : r->last;
    r->year = r->last;
    vl_status status = vl_country_list_read(call->query->countries, &r->countries, error);
    if (status || !*cursor)
        return status;
    status = vl_statistics_place_read(cursor, &place, error);
    while (!status && r->at < r->countries.count &&
           strcmp(r->countries.codes[r->at], place.item))
        r->at++;
    if (!status && (r->at == r->countries.count || place.year < FIRST_YEAR))
        status = vl_fail(error, VL_ERR_INPUT, "'%.60s' is no place in this query", cursor);
    r->year = place.year;
    r->page = place.page;
    return status;
}

/* Writes the place after this one, if there is any. */
static void write_next(const request *r, bool more, vl_buf *next) {
    vl_statistics_place place = {.year = r->year, .page = r->page + 1};
    size_t at = r->at;
    if (!more) {
        place.page = 1;
        place.year--;
    }
    if (place.year < r->first) {
        place.year = r->last;
        at++;
    }
    if (at == r->countries.count)
        return;
    strcpy(place.item, r->countries.codes[at]);
    vl_statistics_place_write(&place, next);
}

/* ---- a request -----------------------------------------------------------------------------
 */

static void put_url(const request *r, const vl_config *config, vl_buf *url) {
    vl_ask_put_base(url, config, "harvest_wfp_url");
    vl_buf_printf(url,
                  "/MarketPrices/PriceMonthly?CountryCode=%s&startDate=%04d-01-01&endDate="
                  "%04d-12-31&page=%u&format=json",
                  r->countries.codes[r->at], r->year, r->year, r->page);
}

static vl_status fetch_once(const vl_source_call *call, vl_oauth *oauth, const char *url,
                            vl_buf *body, unsigned *http, vl_error *error) {
    const vl_oauth_client client = client_of(call->config);
    const char *headers[] = {NULL, "Accept: application/json", NULL};
    const vl_polite_request question = {.url = url, .headers = headers, .api = true};
    vl_fetch_reply reply;
    vl_fetch_reply_init(&reply);
    vl_buf_clear(body);
    vl_status status = vl_oauth_header(oauth, &client, call->net, &headers[0], error);
    if (!status)
        status = vl_statistics_fetch(call, &question, body, &reply, error);
    *http = reply.status;
    vl_fetch_reply_deinit(&reply);
    return status;
}

/* A token that is refused is asked for anew, once. What the server says beside the status is
 * not repeated: it might be the token. */
static vl_status fetch(const vl_source_call *call, vl_oauth *oauth, const char *url,
                       vl_buf *body, vl_error *error) {
    unsigned http = 0;
    vl_status status = fetch_once(call, oauth, url, body, &http, error);
    if (!status && http == 401) {
        vl_oauth_drop(oauth);
        status = fetch_once(call, oauth, url, body, &http, error);
    }
    if (!status && (http == 401 || http == 403))
        return vl_fail(error, VL_ERR_DENIED,
                       "wfp does not let us in (HTTP %u): may this client read market prices?",
                       http);
    if (!status && (http < 200 || http > 299))
        return vl_fail(error, VL_ERR_INPUT, "wfp answers HTTP %u to %.300s", http, url);
    return status;
}

/* The token of the run, or one for this page where nothing is kept; `*own`: the caller frees
 * it. */
static vl_oauth *token_of(const vl_source_call *call, bool *own) {
    *own = !call->kept;
    if (*own)
        return vl_oauth_new();
    if (!*call->kept)
        *call->kept = vl_oauth_new();
    return *call->kept;
}

static void forget(void *kept) {
    vl_oauth_free(kept);
}

/* ---- an answer -----------------------------------------------------------------------------
 */

static const char *title_of(const request *r, const vl_table *table, vl_arena *arena) {
    const char *first, *last;
    const char *name = vl_table_names(table, "countryName", ", ", 1);
    const char *part = r->page > 1 ? vl_arena_printf(arena, " (part %u)", r->page) : "";
    if (name && !*name)
        name = vl_country_name(r->countries.codes[r->at], arena);
    vl_table_range(table, "commodityPriceDate", &first, &last);
    if (!name || !part)
        return NULL;
    if (!first)
        return vl_arena_printf(arena, "Prices of food in markets: %s, %d%s", name, r->year,
                               part);
    return vl_arena_printf(arena, "Prices of food in markets: %s, %.7s to %.7s%s", name, first,
                           last, part);
}

static vl_status give(const vl_source_call *call, const request *r, const char *url,
                      cJSON *answer, const vl_table *table, vl_error *error) {
    vl_arena *arena = call->arena;
    const char *csv, *code = r->countries.codes[r->at];
    size_t bytes;
    vl_status status = vl_table_csv(table, &csv, &bytes, error);
    if (status)
        return status;
    cJSON_DeleteItemFromObjectCaseSensitive(answer, "items");
    vl_record record = {
        .key = vl_arena_printf(arena, "PriceMonthly/%s/%d/%u", code, r->year, r->page),
        .title = title_of(r, table, arena),
        .url = vl_arena_strdup(arena, url),
        .language = "en",
        .changed = vl_arena_printf(arena, "%04d-01-01T00:00:00Z", r->year),
        .licence = "CC-BY-3.0-IGO",
        .terms = "as WFP publishes the same prices on HDX (wfp-food-prices-for-…, cc-by-igo)",
        .publisher = "WFP",
        .countries = vl_arena_strdup(arena, code),
        .raw = vl_json_raw(arena, answer),
    };
    if (!record.key)
        return vl_fail(error, VL_ERR_LIMIT, "wfp: no memory for a page");
    return vl_statistics_give(call, "wfp", &record, csv, bytes, error);
}

static vl_status take_answer(const vl_source_call *call, const request *r, const char *url,
                             const vl_buf *body, bool *more, vl_error *error) {
    cJSON *answer = NULL;
    vl_table *table = NULL;
    vl_status status = vl_json_parse(body->data ? body->data : "", body->len, &answer, error);
    const cJSON *items = status ? NULL : vl_json_at(answer, "items");
    if (!status && !cJSON_IsArray(items))
        status = vl_fail(error, VL_ERR_INPUT, "wfp: an answer without items: %.300s", url);
    if (!status && !(table = vl_table_of_json(call->arena, items, "wfp")))
        status = vl_fail(error, VL_ERR_LIMIT, "wfp: no memory for a page");
    *more = table && vl_table_rows(table);
    if (!status && *more)
        status = give(call, r, url, answer, table, error);
    cJSON_Delete(answer);
    return status;
}

static vl_status page(const vl_source_call *call, const char *cursor, vl_buf *next,
                      vl_error *error) {
    request r;
    bool more = false, own = false;
    vl_oauth *oauth = NULL;
    vl_buf url, body;
    vl_buf_init(&url, URL_BYTES);
    vl_buf_init(&body, BODY_BYTES);
    vl_status status = read_request(call, cursor, &r, error);
    if (status || r.first > r.last)
        goto out;
    put_url(&r, call->config, &url);
    status = vl_buf_status(&url, "the address of wfp", error);
    if (!status && !(oauth = token_of(call, &own)))
        status = vl_fail(error, VL_ERR_MEMORY, "wfp: no memory for a token");
    if (!status)
        status = fetch(call, oauth, url.data, &body, error);
    if (!status)
        status = take_answer(call, &r, url.data, &body, &more, error);
    if (!status)
        write_next(&r, more, next);
out:
    if (own)
        vl_oauth_free(oauth);
    vl_buf_deinit(&body);
    vl_buf_deinit(&url);
    return status;
}

const vl_source vl_source_wfp = {
    .name = "wfp",
    .title = "Prices of food in markets (WFP DataBridges)",
    .summary = "tables by country and year; needs harvest_wfp_client_id and _secret",
    .check = check,
    .page = page,
    .forget = forget,
};
