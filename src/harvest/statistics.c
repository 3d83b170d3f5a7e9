/* statistics.c — what is asked of sources of figures (statistics.h). */
#include "harvest/statistics.h"
#include "harvest/ask.h"
#include "harvest/json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

vl_status vl_statistics_check(const vl_harvest_query *query, const char *title,
                              unsigned refused, vl_error *error) {
    vl_country_list countries;
    vl_status status =
        vl_ask_refuse(title, query, refused | VL_ASK_LANGUAGES | VL_ASK_WORDS, error);
    if (!status && !vl_ask_wants(query, "data"))
        status =
            vl_fail(error, VL_ERR_USAGE, "%s has tables; ask for the format data, not %.60s",
                    title, query->formats);
    if (!status)
        status = vl_ask_check_times(query, error);
    return status ? status : vl_country_list_read(query->countries, &countries, error);
}

/* ---- countries -----------------------------------------------------------------------------
 */

static bool is_alpha3(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!isascii((unsigned char)text[i]) || !isalpha((unsigned char)text[i]))
            return false;
    return length == VL_COUNTRY_SIZE - 1;
}

/* Keeps the list sorted. */
static void insert(vl_country_list *list, const char *code) {
    size_t at = 0;
    while (at < list->count && strcmp(list->codes[at], code) < 0)
        at++;
    if (at < list->count && !strcmp(list->codes[at], code))
        return;
    memmove(list->codes[at + 1], list->codes[at], (list->count - at) * sizeof list->codes[0]);
    memcpy(list->codes[at], code, VL_COUNTRY_SIZE);
    list->count++;
}

vl_status vl_country_list_read(const char *text, vl_country_list *list, vl_error *error) {
    static const char between[] = ", \t\r\n";
    list->count = 0;
    for (const char *at = text ? text : ""; *(at += strspn(at, between));) {
        size_t length = strcspn(at, between);
        char code[VL_COUNTRY_SIZE] = "";
        if (!is_alpha3(at, length))
            return vl_fail(error, VL_ERR_USAGE,
                           "'%.*s' is no country; write ISO 3166-1 alpha-3 codes (KEN,SSD)",
                           (int)(length < 60 ? length : 60), at);
        if (list->count == VL_COUNTRIES_MAX)
            return vl_fail(error, VL_ERR_USAGE, "more than %d countries", VL_COUNTRIES_MAX);
        for (size_t i = 0; i < length; i++)
            code[i] = (char)toupper((unsigned char)at[i]);
        insert(list, code);
        at += length;
    }
    return VL_OK;
}

void vl_country_list_put(const vl_country_list *list, const char *between, vl_buf *out) {
    for (size_t i = 0; i < list->count; i++)
        vl_buf_printf(out, "%s%s", i ? between : "", list->codes[i]);
}

/* ICU has names by alpha-2, and the alpha-3 of each alpha-2. */
static bool locale_of(const char *code, char locale[8]) {
    for (const char *const *two = uloc_getISOCountries(); *two; two++) {
        snprintf(locale, 8, "und_%.2s", *two);
        if (!strcmp(uloc_getISO3Country(locale), code))
            return true;
    }
    return false;
}

const char *vl_country_name(const char *code, vl_arena *arena) {
    UChar wide[128];
    char locale[8], name[3 * 128 + 1];
    UErrorCode status = U_ZERO_ERROR;
    if (!locale_of(code, locale))
        return vl_arena_strdup(arena, code);
    int32_t length = uloc_getDisplayCountry(locale, "en", wide, 128, &status);
    u_strToUTF8(name, sizeof name, NULL, wide, length, &status);
    return vl_arena_strdup(arena, U_FAILURE(status) ? code : name);
}

/* ---- periods and places --------------------------------------------------------------------
 */

int vl_statistics_year(const char *date, int fallback) {
    return date && *date ? (int)strtol(date + strspn(date, " \t\r\n"), NULL, 10) : fallback;
}

int vl_statistics_this_year(void) {
    time_t now = time(NULL);
    struct tm utc = {0};
    gmtime_r(&now, &utc);
    return utc.tm_year + 1900;
}

vl_status vl_statistics_place_read(const char *cursor, vl_statistics_place *place,
                                   vl_error *error) {
    int end = 0;
    *place = (vl_statistics_place){.page = 0};
    if (strlen(cursor) >= 2 * VL_ITEM_SIZE ||
        sscanf(cursor, "%191s %4d %6u%n", place->item, &place->year, &place->page, &end) != 3 ||
        cursor[end] || place->year < 0 || !place->page)
        return vl_fail(error, VL_ERR_INPUT, "'%.60s' is no place to go on from", cursor);
    return VL_OK;
}

void vl_statistics_place_write(const vl_statistics_place *place, vl_buf *cursor) {
    vl_buf_printf(cursor, "%s %d %u", place->item, place->year, place->page);
}

/* ---- answers -------------------------------------------------------------------------------
 */

static vl_status take_bytes(void *to, const void *bytes, size_t count, vl_error *error) {
    vl_buf_append(to, bytes, count);
    return vl_buf_status(to, "an answer", error);
}

static void drop_bytes(void *to) {
    vl_buf_clear(to);
}

vl_status vl_statistics_fetch(const vl_source_call *call, const vl_polite_request *request,
                              vl_buf *body, vl_fetch_reply *reply, vl_error *error) {
    vl_polite_request kept = *request;
    kept.sink = take_bytes;
    kept.again = drop_bytes;
    kept.to = body;
    return vl_polite_fetch(call->net, &kept, reply, error);
}

/* ---- records -------------------------------------------------------------------------------
 */

const char *vl_statistics_raw(vl_arena *arena, const char *url, size_t rows) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "url", url);
    cJSON_AddNumberToObject(object, "rows", (double)rows);
    const char *raw = object ? vl_json_raw(arena, object) : NULL;
    cJSON_Delete(object);
    return raw;
}

/* "population/coa/KEN,SSD/2024/1" → "unhcr-population-coa-KEN-SSD-2024-1.csv" */
static const char *file_name(vl_arena *arena, const char *source, const char *key) {
    char *name = vl_arena_printf(arena, "%s-%s.csv", source, key);
    for (char *at = name; at && *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("-_.", *at))
            *at = '-';
    return name;
}

vl_status vl_statistics_give(const vl_source_call *call, const char *source, vl_record *record,
                             const char *csv, size_t bytes, vl_error *error) {
    char hash[VL_SHA256_HEX_SIZE];
    vl_sha256_hex(csv, bytes, hash);
    const vl_record_file file = {.type = "text/csv",
                                 .name = file_name(call->arena, source, record->key),
                                 .version = vl_arena_strdup(call->arena, hash),
                                 .body = csv,
                                 .body_bytes = bytes,
                                 .bytes = bytes};
    vl_record_file *files = vl_arena_alloc(call->arena, sizeof file);
    if (!files || !file.name || !file.version || !record->title || !record->raw)
        return vl_fail(error, VL_ERR_LIMIT, "%s does not fit into the memory for a page",
                       record->key);
    *files = file;
    record->files = files;
    record->file_count = 1;
    return call->give(record, call->to, error);
}
