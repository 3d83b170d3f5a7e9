/* backup.c — a database as a file, and a database from it.
 *
 * The file is gzip (RFC 1952) of lines of JSON: {"vislang_copy": 1, "schema", "created"}; for
 * each table {"table", "columns"} and its rows, arrays in which "i…" is an integer, "r…" a real
 * number, "t…" text, "b…" bytes in base64 (RFC 4648) and null a null; at last {"rows",
 * "sha256"} of all bytes before it. All rows are of one moment. It is of neither kind of
 * database, so that what SQLite held can go on in PostgreSQL.
 *
 *   writer      database → file
 *   reader      file → lines, checked
 *   loader      lines → database */
#include "store/json.h"
#include "store/migrations.h"
#include "store/subjects.h"

#include <cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    VERSION = 1,
    LINE_MAX_BYTES = 256 << 20,
    PIECE = 64 << 10,
    COLUMNS_MAX = 64,
    NAME_MAX_BYTES = 64,
    SQL_MAX = 16 << 10,
};

typedef struct table_columns {
    char names[COLUMNS_MAX][NAME_MAX_BYTES];
    size_t count;
} table_columns;

static bool is_name(const char *text) {
    size_t length = strlen(text);
    return length && length < NAME_MAX_BYTES &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789") == length;
}

/* ---- writer ------------------------------------------------------------------------------ */

typedef struct writer {
    const char *path;
    vl_file_writer *file;
    z_stream deflate;
    bool deflating;
    vl_sha256 *digest;
    vl_buf line;
    vl_db_copy_report *report;
} writer;

static vl_status squeeze(writer *w, const void *bytes, size_t count, int flush,
                         vl_error *error) {
    uint8_t out[PIECE];
    vl_status status = VL_OK;
    w->deflate.next_in = (Bytef *)(uintptr_t)bytes;
    w->deflate.avail_in = (uInt)count;
    do {
        w->deflate.next_out = out;
        w->deflate.avail_out = sizeof out;
        deflate(&w->deflate, flush);
        size_t made = sizeof out - w->deflate.avail_out;
        status = vl_file_writer_put(w->file, out, made, error);
        w->report->bytes += made;
    } while (!status && w->deflate.avail_out == 0);
    return status;
}

/* Writes what is in w->line. */
static vl_status put_line(writer *w, vl_error *error) {
    vl_buf_puts(&w->line, "\n");
    vl_status status = vl_buf_status(&w->line, "a row", error);
    if (status)
        return status;
    vl_sha256_update(w->digest, w->line.data, w->line.len);
    status = squeeze(w, w->line.data, w->line.len, Z_NO_FLUSH, error);
    vl_buf_clear(&w->line);
    return status;
}

static char *base64_of(const void *bytes, size_t count) {
    char *text = malloc(1 + VL_BASE64_SIZE(count));
    if (text) {
        text[0] = 'b';
        vl_base64_encode(bytes, count, false, text + 1);
    }
    return text;
}

static cJSON *cell_of(const vl_db_value *value) {
    char number[48];
    cJSON *cell = NULL;
    char *text = NULL;
    switch (value->type) {
    case VL_DB_NULL:
        return cJSON_CreateNull();
    case VL_DB_INT:
        snprintf(number, sizeof number, "i%" PRId64, value->integer);
        return cJSON_CreateString(number);
    case VL_DB_REAL:
        snprintf(number, sizeof number, "r%.17g", value->real);
        return cJSON_CreateString(number);
    case VL_DB_TEXT:
        text = malloc(value->count + 2);
        if (text) {
            text[0] = 't';
            memcpy(text + 1, value->bytes, value->count);
            text[value->count + 1] = '\0';
        }
        break;
    case VL_DB_BLOB:
        text = base64_of(value->bytes, value->count);
        break;
    }
    cell = text ? cJSON_CreateString(text) : NULL;
    free(text);
    return cell;
}

static vl_status put_row(const vl_db_value *columns, size_t count, void *user,
                         vl_error *error) {
    writer *w = user;
    cJSON *row = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++)
        if (!cJSON_AddItemToArray(row, cell_of(&columns[i])))
            w->line.failed = true;
    json_put(row, &w->line);
    w->report->rows++;
    return put_line(w, error);
}

static vl_status take_column(const vl_db_value *columns, size_t count, void *user,
                             vl_error *error) {
    table_columns *names = user;
    (void)count;
    if (names->count == COLUMNS_MAX || !is_name(vl_db_string(columns)))
        return vl_fail(error, VL_ERR_INTERNAL, "a table with columns that cannot be copied");
    snprintf(names->names[names->count++], NAME_MAX_BYTES, "%s", vl_db_string(columns));
    return VL_OK;
}

static vl_status columns_of(vl_db_conn *conn, const char *table, table_columns *names,
                            vl_error *error) {
    names->count = 0;
    const char *sql = vl_db_conn_is_postgres(conn)
                          ? "SELECT column_name::text FROM information_schema.columns "
                            "WHERE table_schema = current_schema() AND table_name = $1 "
                            "ORDER BY ordinal_position"
                          : "SELECT name FROM pragma_table_info($1) ORDER BY cid";
    return vl_db_run(
        conn,
        &(vl_db_call){
            .sql = sql, VL_DB_PARAMS(vl_db_text(table)), .row = take_column, .user = names},
        error);
}

static vl_status put_table(writer *w, vl_db_conn *conn, const char *table, vl_error *error) {
    table_columns names;
    char sql[128];
    vl_status status = columns_of(conn, table, &names, error);
    if (status || !names.count) /* not in this schema */
        return status;
    cJSON *head = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(head, "columns");
    cJSON_AddStringToObject(head, "table", table);
    for (size_t i = 0; i < names.count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(names.names[i]));
    json_put(head, &w->line);
    status = put_line(w, error);
    snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY 1, 2", table);
    if (!status)
        status = vl_db_run(conn, &(vl_db_call){.sql = sql, .row = put_row, .user = w}, error);
    return status;
}

static vl_status put_head(writer *w, vl_db_conn *conn, vl_error *error) {
    int64_t schema = 0;
    char now[VL_RFC3339_SIZE];
    vl_status status =
        vl_db_run(conn,
                  &(vl_db_call){.sql = "SELECT coalesce(max(number), 0) FROM schema_migrations",
                                .row = vl_db_take_int,
                                .user = &schema},
                  error);
    if (status)
        return status;
    vl_time_rfc3339(now);
    w->report->schema = (int)schema;
    cJSON *head = cJSON_CreateObject();
    cJSON_AddNumberToObject(head, "vislang_copy", VERSION);
    cJSON_AddNumberToObject(head, "schema", (double)schema);
    cJSON_AddStringToObject(head, "created", now);
    json_put(head, &w->line);
    return put_line(w, error);
}

static vl_status put_end(writer *w, vl_error *error) {
    vl_sha256_finish(w->digest, w->report->sha256);
    w->digest = NULL;
    vl_buf_printf(&w->line, "{\"rows\":%" PRIu64 ",\"sha256\":\"%s\"}\n", w->report->rows,
                  w->report->sha256);
    vl_status status = vl_buf_status(&w->line, "the copy's end", error);
    if (!status)
        status = squeeze(w, w->line.data, w->line.len, Z_FINISH, error);
    return status;
}

static void writer_end(writer *w) {
    char unused[VL_SHA256_HEX_SIZE];
    if (w->deflating)
        deflateEnd(&w->deflate);
    if (w->digest)
        vl_sha256_finish(w->digest, unused);
    vl_file_writer_abandon(w->file);
    vl_buf_deinit(&w->line);
}

static vl_status writer_begin(writer *w, vl_error *error) {
    enum { GZIP = 15 + 16 };
    *w->report = (vl_db_copy_report){0};
    vl_buf_init(&w->line, LINE_MAX_BYTES);
    w->digest = vl_sha256_new();
    w->deflating =
        deflateInit2(&w->deflate, 6, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    if (!w->digest || !w->deflating)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a copy");
    return vl_file_writer_open(w->path, &w->file, error);
}

/* Tried again, it begins a new file. */
static vl_status write_copy(vl_db_conn *conn, void *user, vl_error *error) {
    writer *given = user, w = {.path = given->path, .report = given->report};
    vl_status status = writer_begin(&w, error);
    if (!status)
        status = put_head(&w, conn, error);
    for (int i = 0; i < vl_table_count && !status; i++)
        status = put_table(&w, conn, vl_tables[i], error);
    if (!status)
        status = put_end(&w, error);
    if (!status) {
        status = vl_file_writer_commit(w.file, error);
        w.file = NULL;
    }
    writer_end(&w);
    return status;
}

vl_status vl_db_backup(vl_db *db, const char *path, vl_db_copy_report *report,
                       vl_error *error) {
    writer w = {.path = path, .report = report};
    vl_migration_state states[256];
    size_t count;
    vl_status status = vl_db_schema_status(db, states, &count, error);
    return status ? status : vl_db_transact(db, VL_DB_SNAPSHOT, write_copy, &w, error);
}

/* ---- reader ------------------------------------------------------------------------------ */

typedef struct reader {
    const char *path;
    gzFile file;
    char piece[PIECE];
    size_t at, end;
    vl_buf line; /* without its end */
    vl_sha256 *digest;
    vl_db_copy_report *report;
    bool ended;
} reader;

static vl_status damaged(const reader *r, const char *what, vl_error *error) {
    return vl_fail(error, VL_ERR_INPUT, "%s: %s", r->path, what);
}

static vl_status refill(reader *r, vl_error *error) {
    int code, got = gzread(r->file, r->piece, sizeof r->piece);
    gzerror(r->file, &code);
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END))
        return damaged(r, "not a copy of a database, or damaged", error);
    r->at = 0;
    r->end = (size_t)got;
    return VL_OK;
}

static vl_status next_line(reader *r, vl_error *error) {
    vl_buf_clear(&r->line);
    for (;;) {
        if (r->at == r->end) {
            vl_status status = refill(r, error);
            if (status)
                return status;
            if (!r->end)
                return damaged(r, "the copy is cut short", error);
        }
        char *from = r->piece + r->at, *end = memchr(from, '\n', r->end - r->at);
        size_t count = end ? (size_t)(end - from) : r->end - r->at;
        vl_buf_append(&r->line, from, count);
        r->at += count + (end ? 1 : 0);
        if (r->line.failed)
            return damaged(r, "a line is too long", error);
        if (end)
            break;
    }
    if (!r->line.len)
        return damaged(r, "an empty line", error);
    return VL_OK;
}

/* The next line as JSON, which the caller deletes; NULL after the last one. */
static vl_status next_json(reader *r, cJSON **json, vl_error *error) {
    char digest[VL_SHA256_HEX_SIZE];
    *json = NULL;
    vl_status status = next_line(r, error);
    if (status)
        return status;
    *json = cJSON_ParseWithLength(r->line.data, r->line.len);
    const cJSON *sum = cJSON_GetObjectItemCaseSensitive(*json, "sha256");
    if (!*json)
        return damaged(r, "a line that is no JSON", error);
    if (!cJSON_IsString(sum)) {
        vl_sha256_update(r->digest, r->line.data, r->line.len);
        vl_sha256_update(r->digest, "\n", 1);
        return VL_OK;
    }
    vl_sha256_finish(r->digest, digest);
    r->digest = NULL;
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(*json, "rows");
    bool same = !strcmp(digest, sum->valuestring) && cJSON_IsNumber(rows) &&
                rows->valuedouble == (double)r->report->rows;
    snprintf(r->report->sha256, sizeof r->report->sha256, "%s", digest);
    cJSON_Delete(*json);
    *json = NULL;
    r->ended = true;
    return same ? VL_OK : damaged(r, "its rows are not those it says it has", error);
}

static vl_status read_head(reader *r, vl_error *error) {
    cJSON *head = NULL;
    vl_status status = next_json(r, &head, error);
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(head, "vislang_copy"),
                *schema = cJSON_GetObjectItemCaseSensitive(head, "schema");
    if (!status && !(cJSON_IsNumber(version) && cJSON_IsNumber(schema)))
        status = damaged(r, "not a copy of a database", error);
    if (!status && (version->valueint != VERSION || schema->valueint < 0 ||
                    schema->valueint > vl_migration_count))
        status = damaged(r, "the copy is of another version of VisLang", error);
    if (!status)
        r->report->schema = schema->valueint;
    cJSON_Delete(head);
    return status;
}

static vl_status reader_begin(reader *r, vl_error *error) {
    *r->report = (vl_db_copy_report){0};
    vl_buf_init(&r->line, LINE_MAX_BYTES);
    r->file = gzopen(r->path, "rbe");
    r->digest = vl_sha256_new();
    if (!r->file)
        return vl_fail(error, VL_ERR_INPUT, "%s: %s", r->path, strerror(errno));
    if (!r->digest)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a copy");
    if (gzdirect(r->file))
        return damaged(r, "not a copy of a database", error);
    return read_head(r, error);
}

static void reader_end(reader *r) {
    char unused[VL_SHA256_HEX_SIZE];
    if (r->digest)
        vl_sha256_finish(r->digest, unused);
    if (r->file)
        gzclose(r->file);
    vl_buf_deinit(&r->line);
}

/* ---- loader ------------------------------------------------------------------------------ */

typedef struct loader {
    reader *reader;
    vl_db_conn *conn; /* NULL: only looked through */
    char table[NAME_MAX_BYTES];
    char sql[SQL_MAX];
    size_t columns;
    int id_column;      /* -1: none */
    int64_t largest_id; /* seen in it, when it holds integers */
} loader;

static const char *table_named(const char *name) {
    for (int i = 0; i < vl_table_count; i++)
        if (name && !strcmp(vl_tables[i], name))
            return vl_tables[i];
    return NULL;
}

/* PostgreSQL counts on from where the copied rows end; SQLite does so by itself. */
static vl_status end_table(loader *l, vl_error *error) {
    char sql[256];
    if (!l->conn || !l->largest_id || !vl_db_conn_is_postgres(l->conn))
        return VL_OK;
    snprintf(sql, sizeof sql, "SELECT setval(pg_get_serial_sequence('%s', 'id'), $1::bigint)",
             l->table);
    return vl_db_run(l->conn, &(vl_db_call){.sql = sql, VL_DB_PARAMS(vl_db_int(l->largest_id))},
                     error);
}

static vl_status begin_table(loader *l, const cJSON *head, vl_error *error) {
    const char *table =
        table_named(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(head, "table")));
    const cJSON *columns = cJSON_GetObjectItemCaseSensitive(head, "columns"), *name;
    vl_buf names, marks;
    int count = 0;
    vl_status status = end_table(l, error);
    if (status)
        return status;
    if (!table || !cJSON_IsArray(columns))
        return damaged(l->reader, "a table that no schema has", error);
    snprintf(l->table, sizeof l->table, "%s", table);
    l->id_column = -1;
    l->largest_id = 0;
    vl_buf_init(&names, SQL_MAX / 2);
    vl_buf_init(&marks, SQL_MAX / 2);
    cJSON_ArrayForEach(name, columns) {
        bool is_good = cJSON_IsString(name) && is_name(name->valuestring);
        if (!is_good || count == COLUMNS_MAX) {
            status = damaged(l->reader, "a column that no schema has", error);
            break;
        }
        if (!strcmp(name->valuestring, "id"))
            l->id_column = count;
        vl_buf_printf(&names, "%s%s", count ? ", " : "", name->valuestring);
        vl_buf_printf(&marks, "%s$%d", count ? ", " : "", count + 1);
        count++;
    }
    l->columns = (size_t)count;
    if (!status && (!count || names.failed || marks.failed ||
                    snprintf(l->sql, sizeof l->sql, "INSERT INTO %s (%s) VALUES (%s)", table,
                             names.data, marks.data) >= (int)sizeof l->sql))
        status = damaged(l->reader, "a table without columns, or with too many", error);
    vl_buf_deinit(&names);
    vl_buf_deinit(&marks);
    return status;
}

static bool value_of(const cJSON *cell, vl_db_value *value) {
    char *text = cJSON_GetStringValue(cell), *end = NULL;
    size_t count;
    if (cJSON_IsNull(cell)) {
        *value = vl_db_null();
        return true;
    }
    if (!text)
        return false;
    errno = 0;
    switch (*text) {
    case 'i':
        *value = vl_db_int(strtoll(text + 1, &end, 10));
        return !errno && end > text + 1 && !*end;
    case 'r':
        *value = vl_db_real(strtod(text + 1, &end));
        return end > text + 1 && !*end;
    case 't':
        *value = vl_db_text(text + 1);
        return true;
    case 'b':
        if (!vl_base64_decode(text + 1, strlen(text + 1), false, text, &count))
            return false;
        *value = vl_db_blob(text, count);
        return true;
    default:
        return false;
    }
}

static vl_status load_row(loader *l, const cJSON *row, vl_error *error) {
    vl_db_value values[COLUMNS_MAX];
    const cJSON *cell;
    size_t count = 0;
    cJSON_ArrayForEach(cell, row) {
        if (count == l->columns || !value_of(cell, &values[count]))
            return damaged(l->reader, "a row that its table cannot hold", error);
        count++;
    }
    if (!l->columns || count != l->columns)
        return damaged(l->reader, "a row that its table cannot hold", error);
    l->reader->report->rows++;
    if (l->id_column >= 0 && values[l->id_column].type == VL_DB_INT &&
        values[l->id_column].integer > l->largest_id)
        l->largest_id = values[l->id_column].integer;
    return l->conn ? vl_db_run(l->conn,
                               &(vl_db_call){.sql = l->sql, .params = values, .count = count},
                               error)
                   : VL_OK;
}

static vl_status load_all(loader *l, vl_error *error) {
    vl_status status = VL_OK;
    while (!status && !l->reader->ended) {
        cJSON *json;
        status = next_json(l->reader, &json, error);
        if (!status && json)
            status =
                cJSON_IsArray(json) ? load_row(l, json, error) : begin_table(l, json, error);
        cJSON_Delete(json);
    }
    return status ? status : end_table(l, error);
}

/* Through the whole file, into `conn` unless that is NULL. */
static vl_status walk(const char *path, vl_db_conn *conn, vl_db_copy_report *report,
                      vl_error *error) {
    reader *r = calloc(1, sizeof *r);
    loader *l = calloc(1, sizeof *l);
    vl_status status = VL_ERR_MEMORY;
    if (!r || !l) {
        vl_fail(error, status, "no memory for a copy");
        goto out;
    }
    r->path = path;
    r->report = report;
    *l = (loader){.reader = r, .conn = conn, .id_column = -1};
    status = reader_begin(r, error);
    if (!status && conn)
        status = vl_schema_move(conn, report->schema, false, error);
    if (!status)
        status = load_all(l, error);
    report->bytes = r->file ? (uint64_t)gzoffset(r->file) : 0;
    reader_end(r);
out:
    free(r);
    free(l);
    return status;
}

vl_status vl_db_backup_verify(const char *path, vl_db_copy_report *report, vl_error *error) {
    return walk(path, NULL, report, error);
}

typedef struct restore {
    const char *path;
    bool replace;
    const char *erasures; /* may be NULL */
    vl_db_copy_report *report;
} restore;

static vl_status refuse_rows(vl_db_conn *conn, vl_error *error) {
    for (int i = 0; i < vl_table_count; i++) {
        char sql[128];
        int64_t count = 0;
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", vl_tables[i]);
        vl_status status = vl_db_run(
            conn, &(vl_db_call){.sql = sql, .row = vl_db_take_int, .user = &count}, error);
        if (status)
            return status;
        if (count)
            return vl_fail(error, VL_ERR_USAGE,
                           "the database holds rows (%" PRId64 " in %s), which a copy "
                           "replaces: say so with --replace",
                           count, vl_tables[i]);
    }
    return VL_OK;
}

static vl_status load_copy(vl_db_conn *conn, restore *r, tombstones *erased, vl_error *error) {
    vl_status status = tombstones_read(conn, erased, error);
    if (!status && r->erasures)
        status = tombstones_read_file(r->erasures, erased, error);
    if (!status)
        status = vl_schema_move(conn, 0, true, error);
    if (!status)
        status = walk(r->path, conn, r->report, error);
    if (!status)
        status = vl_schema_move(conn, vl_migration_count, false, error);
    if (!status)
        status = tombstones_read(conn, erased, error);
    return status ? status : tombstones_apply(conn, erased, error);
}

static vl_status restore_all(vl_db_conn *conn, void *user, vl_error *error) {
    restore *r = user;
    tombstones erased = {0};
    vl_status status = vl_schema_move(conn, vl_migration_count, false, error);
    if (!status && !r->replace)
        status = refuse_rows(conn, error);
    if (!status)
        status = load_copy(conn, r, &erased, error);
    tombstones_free(&erased);
    return status;
}

vl_status vl_db_restore_obeying(vl_db *db, const char *path, bool replace, const char *erasures,
                                vl_db_copy_report *report, vl_error *error) {
    restore r = {path, replace, erasures, report};
    vl_status status = vl_db_backup_verify(path, report, error);
    return status ? status : vl_db_transact(db, VL_DB_READ_COMMITTED, restore_all, &r, error);
}

vl_status vl_db_restore(vl_db *db, const char *path, bool replace, vl_db_copy_report *report,
                        vl_error *error) {
    return vl_db_restore_obeying(db, path, replace, NULL, report, error);
}
