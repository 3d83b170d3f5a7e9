/* who.c — disease outbreak news of WHO, by the OData interface of its site (OData 4.01, URL
 * conventions).
 *
 * By date of publication and said so in $orderby, for without it the order is the site's own. A
 * record's files are the summary that comes with it, in HTML, and its page. The DonId of old
 * notices is
 * "", so the key is the Id. All of it is English. */
#include "harvest/readers.h"

#include <string.h>

enum { PAGE_RECORDS = 50 };

static vl_status check(const vl_source_call *call, vl_error *error) {
    vl_status status = vl_ask_refuse("who", call->query,
                                     VL_ASK_COUNTRIES | VL_ASK_THEMES | VL_ASK_WORDS, error);
    if (status)
        return status;
    if (!vl_ask_language(call->query->languages, "en"))
        return vl_fail(error, VL_ERR_USAGE, "who has disease outbreak news in English only");
    if (!vl_ask_wants(call->query, "html"))
        return vl_fail(error, VL_ERR_USAGE, "who has its news as html only");
    return vl_ask_check_times(call->query, error);
}

static vl_status put_url(const vl_source_call *call, const vl_ask_place *place, vl_buf *url,
                         vl_error *error) {
    vl_ask_put_base(url, call->config, "harvest_who_url");
    vl_buf_printf(url, "/api/news/diseaseoutbreaknews?$orderby=PublicationDate%%20%s",
                  place->newest_first ? "desc" : "asc");
    if (*place->from || *place->to)
        vl_buf_puts(url, "&$filter=");
    if (*place->from)
        vl_buf_printf(url, "PublicationDate%%20ge%%20%s", place->from);
    if (*place->to)
        vl_buf_printf(url, "%sPublicationDate%%20le%%20%s", *place->from ? "%20and%20" : "",
                      place->to);
    vl_buf_printf(url, "&$top=%d", PAGE_RECORDS);
    if (place->offset)
        vl_buf_printf(url, "&$skip=%llu", (unsigned long long)place->offset);
    return vl_buf_status(url, "WHO's address", error);
}

static const char *title_of(vl_arena *arena, const cJSON *item) {
    const char *other = vl_json_text(arena, item, "OverrideTitle");
    return other && vl_json_true(item, "UseOverrideTitle") ? other
                                                           : vl_json_text(arena, item, "Title");
}

/* The page of a notice; NULL: it has none. */
static const char *page_of(const vl_source_call *call, const cJSON *item) {
    const char *name = vl_json_text(call->arena, item, "UrlName"), *url;
    if (!name)
        name = vl_json_text(call->arena, item, "ItemDefaultUrl");
    vl_buf out;
    if (!name)
        return NULL;
    vl_buf_init(&out, VL_FETCH_URL_SIZE);
    vl_ask_put_base(&out, call->config, "harvest_who_url");
    vl_buf_puts(&out, "/emergencies/disease-outbreak-news/item/");
    vl_ask_put_escaped(&out, name + (*name == '/'));
    url = out.failed ? NULL : vl_arena_strdup(call->arena, out.data);
    vl_buf_deinit(&out);
    return url;
}

static void put_text(vl_buf *out, const char *text) {
    for (; *text; text++)
        if (*text == '&')
            vl_buf_puts(out, "&amp;");
        else if (*text == '<')
            vl_buf_puts(out, "&lt;");
        else
            vl_buf_append(out, text, 1);
}

/* A piece of HTML as a page, so that it is one to whoever opens the file. NULL: the arena is
 * full. */
static const char *page_with(vl_arena *arena, const char *title, const char *html) {
    vl_buf out;
    vl_buf_init(&out, VL_JSON_ANSWER_MAX);
    vl_buf_puts(&out,
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>");
    put_text(&out, title ? title : "");
    vl_buf_printf(&out, "</title></head>\n<body>\n%s\n</body>\n</html>\n", html);
    const char *page = out.failed ? NULL : vl_arena_strndup(arena, out.data, out.len);
    vl_buf_deinit(&out);
    return page;
}

static vl_status read_notice(const vl_source_call *call, const cJSON *item, vl_error *error) {
    vl_arena *arena = call->arena;
    const char *summary = cJSON_GetStringValue(vl_json_at(item, "Summary"));
    vl_record_file files[2] = {{0}};
    vl_record record = {
        .key = vl_json_text(arena, item, "Id"),
        .title = title_of(arena, item),
        .url = page_of(call, item),
        .language = "en",
        .published = vl_json_time(arena, item, "PublicationDate"),
        .changed = vl_json_time(arena, item, "PublicationDate"),
        .licence = "https://www.who.int/about/policies/publishing/copyright",
        .publisher = "World Health Organization",
        .files = files,
    };
    if (!record.key)
        return vl_json_leave_out(call, "who", record.url, "it has no Id", error);
    if (summary && summary[strspn(summary, " \t\r\n")]) {
        const char *page = page_with(arena, record.title, summary);
        if (!page)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for a page of who");
        files[record.file_count++] = (vl_record_file){.type = "text/html",
                                                      .name = "summary.html",
                                                      .body = page,
                                                      .body_bytes = strlen(page)};
    }
    if (record.url)
        files[record.file_count++] = (vl_record_file){.url = record.url, .type = "text/html"};
    return vl_json_give(call, &record, item, error);
}

vl_status vl_who_read(const vl_source_call *call, const cJSON *root, size_t limit,
                      vl_ask_place *place, bool *more, vl_error *error) {
    const cJSON *value = vl_json_at(root, "value"), *item, *last = NULL;
    if (!cJSON_IsArray(value))
        return vl_fail(error, VL_ERR_INPUT, "WHO's answer has no value");
    cJSON_ArrayForEach(item, value) {
        vl_status status = read_notice(call, item, error);
        if (status)
            return status;
        last = item;
    }
    size_t count = (size_t)cJSON_GetArraySize(value);
    *more = count && count >= limit;
    vl_ask_place_advance(place, vl_json_time(call->arena, last, "PublicationDate"), count);
    return VL_OK;
}

static vl_status page(const vl_source_call *call, const char *cursor, vl_buf *next,
                      vl_error *error) {
    vl_ask_place place;
    cJSON *root = NULL;
    bool more = false;
    vl_buf url;
    vl_buf_init(&url, VL_FETCH_URL_SIZE);
    vl_status status = vl_ask_place_read(cursor, call->query, &place, error);
    if (!status)
        status = put_url(call, &place, &url, error);
    if (!status)
        status = vl_json_get(call, &(vl_polite_request){.url = url.data}, &root, error);
    if (!status)
        status = vl_who_read(call, root, PAGE_RECORDS, &place, &more, error);
    if (!status && more)
        vl_ask_place_write(&place, next);
    cJSON_Delete(root);
    vl_buf_deinit(&url);
    return status;
}

const vl_source vl_source_who = {
    .name = "who",
    .title = "WHO disease outbreak news",
    .summary = "notices of outbreaks in English: summary and page",
    .check = check,
    .page = page,
};
