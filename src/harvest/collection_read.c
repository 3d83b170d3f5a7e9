/* collection_read.c — what a collection holds, one content after another, and in numbers. */
#include "harvest/collection_inside.h"

#include <cJSON.h>
#include <string.h>

/* ---- holdings --------------------------------------------------------------------------- */

enum { ROWS_AT_ONCE = 64, ROWS_MAX = 1 << 30 };

typedef struct reading {
    vl_arena *arena;
    vl_holding rows[ROWS_AT_ONCE];
    size_t count;
} reading;

static bool take_text(vl_arena *arena, const vl_db_value *value, const char **to) {
    const char *text = vl_db_string(value);
    *to = *text ? vl_arena_strdup(arena, text) : "";
    return *to != NULL;
}

static bool take_time(vl_arena *arena, int64_t ms, const char **to) {
    char text[VL_RFC3339_SIZE];
    vl_when_format(ms, text);
    *to = vl_arena_strdup(arena, text);
    return *to != NULL;
}

/* In the order of the columns after the numbers. */
static vl_status take_holding(const vl_db_value *columns, size_t count, void *user,
                              vl_error *error) {
    reading *r = user;
    vl_holding *h = &r->rows[r->count];
    const char **const texts[] = {
        &h->source,    &h->key,     &h->title,     &h->page_url, &h->language,
        &h->published, &h->changed, &h->licence,   &h->terms,    &h->publisher,
        &h->countries, &h->themes,  &h->disasters, &h->name,     &h->url,
        &h->final_url, &h->type,    &h->type_said, &h->etag,     &h->last_modified,
        &h->headers,   &h->raw,     &h->sha256};
    (void)count;
    h->id = columns[0].integer;
    h->bytes = (uint64_t)columns[1].integer;
    h->status = (unsigned)columns[2].integer;
    h->current = columns[3].integer != 0;
    h->shown = columns[4].integer != 0;
    bool fits = take_time(r->arena, columns[5].integer, &h->fetched);
    for (size_t i = 0; fits && i < sizeof texts / sizeof *texts; i++)
        fits = take_text(r->arena, &columns[6 + i], texts[i]);
    r->count++;
    return fits ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for a page of holdings");
}

#define HOLDING                                                                                \
    "SELECT d.id, d.bytes, d.http, f.document_id = d.id, f.page_id IS NOT NULL, "              \
    "d.fetched_ms, r.source, r.key, "                                                          \
    "r.title, r.url, coalesce(f.language, r.language), r.published, r.changed, d.licence, "    \
    "d.terms, d.publisher, r.countries, r.themes, r.disasters, f.name, f.url, d.final_url, "   \
    "d.type, d.type_said, d.etag, d.modified, d.headers, r.raw, d.sha256 "

static const char by_id_sql[] =
    HOLDING "FROM documents d JOIN files f ON f.id = d.file_id JOIN records r "
            "ON r.id = f.record_id WHERE d.id > $1 ORDER BY d.id LIMIT $2";

/* In this order of tables their indexes give records in order, and only the contents of one
 * record are sorted at a time. */
static const char by_record_sql[] =
    HOLDING "FROM records r CROSS JOIN files f ON f.record_id = r.id CROSS JOIN documents d "
            "ON d.file_id = f.id WHERE (r.source, r.key) >= ($1, $2) "
            "AND ((r.source, r.key) > ($1, $2) OR d.id > $3) AND d.id > $4 "
            "ORDER BY r.source, r.key, d.id LIMIT $5";

/* Where a reading has come to. */
typedef struct place {
    int64_t id;
    vl_buf source, key;
    uint64_t records; /* given of, the one in work too */
    bool is_given;    /* something of the one in work was */
} place;

enum { KEY_MAX = 1 << 20 };

static void place_init(place *at, const vl_holding_query *q) {
    vl_buf_init(&at->source, KEY_MAX);
    vl_buf_init(&at->key, KEY_MAX);
    vl_buf_puts(&at->source, q->after_source ? q->after_source : "");
    vl_buf_puts(&at->key, q->after_key ? q->after_key : "");
    at->records = 0;
    at->is_given = false;
    /* Of the record that is named nothing more is wanted. */
    at->id = q->by_record && q->after_source ? INT64_MAX : q->by_record ? 0 : q->after;
}

static void place_deinit(place *at) {
    vl_buf_deinit(&at->source);
    vl_buf_deinit(&at->key);
}

static const char *text_of(const vl_buf *buf) {
    return buf->data ? buf->data : "";
}

static vl_status place_move(place *at, const vl_holding *h, vl_error *error) {
    bool same = !strcmp(text_of(&at->source), h->source) && !strcmp(text_of(&at->key), h->key);
    at->id = h->id;
    at->is_given = at->is_given && same;
    if (same)
        return VL_OK;
    vl_buf_clear(&at->source);
    vl_buf_puts(&at->source, h->source);
    vl_buf_clear(&at->key);
    vl_buf_puts(&at->key, h->key);
    return vl_buf_status(at->source.failed ? &at->source : &at->key, "a record's key", error);
}

static bool is_asked_for(const vl_holding_query *q, const vl_holding *h) {
    return (h->current || q->with_old) && vl_list_has(q->sources, h->source) &&
           (!q->formats || !*q->formats || vl_list_has(q->formats, vl_content_format(h->type)));
}

static vl_status read_some(vl_collection *c, const vl_holding_query *q, const place *at,
                           reading *r, vl_error *error) {
    vl_arena_reset(r->arena);
    r->count = 0;
    if (q->by_record)
        return vl_collection_read(
            c,
            &(vl_db_call){.sql = by_record_sql,
                          VL_DB_PARAMS(vl_db_text(text_of(&at->source)),
                                       vl_db_text(text_of(&at->key)), vl_db_int(at->id),
                                       vl_db_int(q->after), vl_db_int(ROWS_AT_ONCE)),
                          .row = take_holding,
                          .user = r},
            error);
    return vl_collection_read(
        c,
        &(vl_db_call){.sql = by_id_sql,
                      VL_DB_PARAMS(vl_db_int(at->id), vl_db_int(ROWS_AT_ONCE)),
                      .row = take_holding,
                      .user = r},
        error);
}

/* Sets *enough where the next holding would be of a record too many. */
static vl_status give_one(const vl_holding_query *q, const vl_holding *h, place *at,
                          bool *enough, vl_holding_fn give, void *to, vl_error *error) {
    vl_status status = place_move(at, h, error);
    if (status || !is_asked_for(q, h))
        return status;
    *enough = q->by_record && q->records && !at->is_given && at->records == q->records;
    at->records += !at->is_given;
    at->is_given = true;
    return *enough ? VL_OK : give(h, to, error);
}

vl_status vl_collection_holdings(vl_collection *c, const vl_holding_query *query,
                                 vl_holding_fn give, void *to, vl_error *error) {
    place at;
    bool enough = false;
    reading r = {.arena = vl_arena_new(ROWS_MAX)};
    place_init(&at, query);
    vl_status status =
        r.arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for a page of holdings");
    do {
        if (!status)
            status = read_some(c, query, &at, &r, error);
        for (size_t i = 0; !status && !enough && i < r.count; i++)
            status = give_one(query, &r.rows[i], &at, &enough, give, to, error);
    } while (!status && !enough && r.count == ROWS_AT_ONCE);
    place_deinit(&at);
    vl_arena_free(r.arena);
    return status;
}

/* ---- in numbers ------------------------------------------------------------------------- */

/* A row becomes an object with these names; the last ones are numbers. */
typedef struct table {
    const char *name;
    const char *columns[6];
    size_t count, texts; /* of columns; the first so many are texts */
    const char *sql;
} table;

static const table tables[] = {
    {"sources",
     {"source", "records"},
     2,
     1,
     "SELECT source, count(*) FROM records GROUP BY source ORDER BY source"},
    {"files",
     {"source", "state", "files"},
     3,
     2,
     "SELECT source, state, count(*) FROM files GROUP BY source, state ORDER BY source, state"},
    {"languages",
     {"source", "language", "documents", "bytes"},
     4,
     2,
     "SELECT f.source, coalesce(f.language, r.language, ''), count(*), sum(d.bytes) "
     "FROM documents d JOIN files f ON f.document_id = d.id JOIN records r "
     "ON r.id = f.record_id GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2"},
    {"types",
     {"source", "type", "documents", "bytes"},
     4,
     2,
     "SELECT f.source, d.type, count(*), sum(d.bytes) FROM documents d JOIN files f "
     "ON f.document_id = d.id GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2"},
    {"failures",
     {"source", "reason", "example", "files"},
     4,
     3,
     "SELECT source, reason, min(message), count(*) FROM files WHERE state = 'failed' "
     "GROUP BY source, reason ORDER BY source, count(*) DESC, reason"},
    {"harvests",
     {"source", "query", "state", "since", "started_ms", "ended_ms"},
     6,
     4,
     "SELECT h.source, h.query, r.state, r.since, r.started_ms, r.ended_ms FROM harvests h "
     "JOIN runs r ON r.id = (SELECT max(id) FROM runs WHERE harvest_id = h.id) "
     "ORDER BY h.source, h.query"},
};

typedef struct filling {
    const table *of;
    cJSON *list;
} filling;

static void add_number(cJSON *row, const char *name, const vl_db_value *value) {
    size_t length = strlen(name);
    char when[VL_RFC3339_SIZE], plain[32];
    if (length < 3 || strcmp(name + length - 3, "_ms") != 0) {
        cJSON_AddNumberToObject(row, name, (double)value->integer);
        return;
    }
    vl_when_format(value->integer, when);
    snprintf(plain, sizeof plain, "%.*s", (int)(length - 3), name);
    cJSON_AddItemToObject(
        row, plain, value->type == VL_DB_INT ? cJSON_CreateString(when) : cJSON_CreateNull());
}

static vl_status take_row(const vl_db_value *columns, size_t count, void *user,
                          vl_error *error) {
    const filling *f = user;
    cJSON *row = cJSON_CreateObject();
    (void)error;
    for (size_t i = 0; i < count && i < f->of->count; i++) {
        if (i < f->of->texts)
            cJSON_AddStringToObject(row, f->of->columns[i], vl_db_string(&columns[i]));
        else
            add_number(row, f->of->columns[i], &columns[i]);
    }
    cJSON_AddItemToArray(f->list, row);
    return VL_OK;
}

static vl_status take_contents(const vl_db_value *columns, size_t count, void *user,
                               vl_error *error) {
    (void)count;
    (void)error;
    cJSON_AddNumberToObject(user, "documents", (double)columns[0].integer);
    cJSON_AddNumberToObject(user, "contents", (double)columns[1].integer);
    cJSON_AddNumberToObject(user, "bytes", (double)columns[2].integer);
    return VL_OK;
}

static vl_status fill(vl_db_conn *conn, void *user, vl_error *error) {
    cJSON *json = user;
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql =
                          "SELECT coalesce(sum(times), 0), count(*), coalesce(sum(bytes), 0) "
                          "FROM (SELECT count(*) AS times, max(bytes) AS bytes "
                          "FROM documents GROUP BY sha256)",
                      .row = take_contents,
                      .user = json},
        error);
    for (size_t i = 0; !status && i < sizeof tables / sizeof *tables; i++) {
        filling f = {&tables[i], cJSON_AddArrayToObject(json, tables[i].name)};
        status = vl_db_run(
            conn, &(vl_db_call){.sql = tables[i].sql, .row = take_row, .user = &f}, error);
    }
    return status;
}

vl_status vl_collection_status(vl_collection *c, vl_buf *json, vl_error *error) {
    cJSON *all = cJSON_CreateObject();
    vl_status status = vl_db_transact(c->db, VL_DB_SNAPSHOT, fill, all, error);
    char *text = status ? NULL : cJSON_PrintUnformatted(all);
    if (text)
        vl_buf_puts(json, text);
    else if (!status)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for what a collection holds");
    cJSON_free(text);
    cJSON_Delete(all);
    return status;
}
