/* collection.c — the database of a collection: opening it, runs, pages, files (collection.h).
 *
 *   vl_collection_open           the folder and its schema
 *   vl_run_begin, _end           where a harvest stands
 *   vl_run_keep_page             records, their files, and the cursor, in one transaction
 *   vl_queue_*, vl_file_done     files that wait, and what became of them */
#include "harvest/collection_inside.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DATABASE "collection.db"
/* A source may tell of a change hours after its time, and times may have no hours. */
enum { OVERLAP_MS = 48 * 3600 * 1000, CURSOR_MAX = 1 << 20 };

/* ---- the schema ------------------------------------------------------------------------- */

static const char first_step[] =
    "CREATE TABLE harvests ("
    " id INTEGER PRIMARY KEY, source TEXT NOT NULL, query TEXT NOT NULL,"
    " newest_ms BIGINT NOT NULL DEFAULT 0, UNIQUE (source, query));"
    "CREATE TABLE runs ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " harvest_id BIGINT NOT NULL REFERENCES harvests (id), state TEXT NOT NULL,"
    " cursor TEXT NOT NULL DEFAULT '', paged INTEGER NOT NULL DEFAULT 0,"
    " since TEXT NOT NULL, newest_ms BIGINT NOT NULL DEFAULT 0,"
    " given BIGINT NOT NULL DEFAULT 0, pages BIGINT NOT NULL DEFAULT 0,"
    " records_new BIGINT NOT NULL DEFAULT 0, records_changed BIGINT NOT NULL DEFAULT 0,"
    " records_same BIGINT NOT NULL DEFAULT 0, files_fetched BIGINT NOT NULL DEFAULT 0,"
    " files_unchanged BIGINT NOT NULL DEFAULT 0, files_failed BIGINT NOT NULL DEFAULT 0,"
    " files_left BIGINT NOT NULL DEFAULT 0, bytes BIGINT NOT NULL DEFAULT 0,"
    " started_ms BIGINT NOT NULL, ended_ms BIGINT);"
    "CREATE INDEX runs_harvest ON runs (harvest_id, state);"
    "CREATE TABLE records ("
    " id INTEGER PRIMARY KEY, source TEXT NOT NULL, key TEXT NOT NULL, title TEXT, url TEXT,"
    " language TEXT, published TEXT, changed TEXT, licence TEXT, terms TEXT, publisher TEXT,"
    " countries TEXT, themes TEXT, disasters TEXT, raw TEXT, digest TEXT NOT NULL,"
    " seen_run BIGINT NOT NULL, first_ms BIGINT NOT NULL, seen_ms BIGINT NOT NULL,"
    " UNIQUE (source, key));"
    "CREATE TABLE files ("
    " id INTEGER PRIMARY KEY, record_id BIGINT NOT NULL REFERENCES records (id),"
    " source TEXT NOT NULL, place TEXT NOT NULL, url TEXT, host TEXT NOT NULL, name TEXT,"
    " type_said TEXT, language TEXT, version TEXT, bytes_said BIGINT NOT NULL,"
    " state TEXT NOT NULL, gone INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0,"
    " reason TEXT, message TEXT, http INTEGER NOT NULL DEFAULT 0,"
    " harvest_id BIGINT NOT NULL, seen_run BIGINT NOT NULL,"
    " checked_run BIGINT NOT NULL DEFAULT 0, checked_ms BIGINT NOT NULL DEFAULT 0, document_id "
    "BIGINT, UNIQUE (record_id, place));"
    "CREATE INDEX files_waiting ON files (source, host, id) WHERE state = 'waiting';"
    "CREATE INDEX files_failed ON files (source, checked_run) WHERE state = 'failed';"
    "CREATE TABLE documents ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " file_id BIGINT NOT NULL REFERENCES files (id), sha256 TEXT NOT NULL,"
    " bytes BIGINT NOT NULL, type TEXT NOT NULL, type_said TEXT, final_url TEXT,"
    " http INTEGER NOT NULL, etag TEXT, modified TEXT, headers TEXT, licence TEXT, terms TEXT,"
    " publisher TEXT, fetched_ms BIGINT NOT NULL, UNIQUE (file_id, sha256));"
    "CREATE INDEX documents_sha256 ON documents (sha256)";
/* Pictures that pages show are files of the same record. */
static const char second_step[] =
    "ALTER TABLE files ADD COLUMN page_id BIGINT;" /* the file that shows it; NULL: none */
    "ALTER TABLE files ADD COLUMN unread INTEGER NOT NULL DEFAULT 0;"
    "UPDATE files SET unread = 1 WHERE document_id IN (SELECT id FROM documents "
    "WHERE type IN ('text/html', 'application/xhtml+xml'));"
    "CREATE INDEX files_unread ON files (source, seen_run, id) WHERE unread = 1;"
    "CREATE INDEX files_page ON files (page_id) WHERE page_id IS NOT NULL;"
    "CREATE TABLE shown ("
    " page_id BIGINT NOT NULL REFERENCES files (id), address TEXT NOT NULL,"
    " file_id BIGINT NOT NULL REFERENCES files (id), PRIMARY KEY (page_id, address))";
static const char *const steps[] = {first_step, second_step};
enum { STEPS = sizeof steps / sizeof *steps };

static vl_status migrate(vl_db_conn *conn, void *user, vl_error *error) {
    int64_t step = 0;
    (void)user;
    vl_status status = vl_db_script(conn,
                                    "CREATE TABLE IF NOT EXISTS schema_steps ("
                                    " number INTEGER PRIMARY KEY, applied_ms BIGINT NOT NULL)",
                                    error);
    if (!status)
        status = vl_db_run(conn,
                           &(vl_db_call){.sql = "SELECT coalesce(max(number), 0) "
                                                "FROM schema_steps",
                                         .row = vl_db_take_int,
                                         .user = &step},
                           error);
    if (!status && step > STEPS)
        return vl_fail(error, VL_ERR_INPUT,
                       "the collection is of a newer version of VisLang (schema %d, this "
                       "program knows %d)",
                       (int)step, STEPS);
    for (; !status && step < STEPS; step++) {
        status = vl_db_script(conn, steps[step], error);
        if (!status)
            status = vl_db_run(
                conn,
                &(vl_db_call){.sql = "INSERT INTO schema_steps VALUES ($1, $2)",
                              VL_DB_PARAMS(vl_db_int(step + 1), vl_db_int(vl_db_now_ms()))},
                error);
    }
    return status;
}

/* ---- opening ---------------------------------------------------------------------------- */

static vl_status open_database(vl_collection *c, const char *path, vl_error *error) {
    char url[VL_OBJECT_PATH_SIZE + 16];
    /* A relative path may not look like the URL of an absolute one. */
    snprintf(url, sizeof url, "sqlite:%s%s", *path == '/' ? "//" : "", path);
    vl_status status = vl_db_open(url, NULL, &c->db, error);
    if (!status)
        status = vl_db_transact(c->db, VL_DB_SERIALIZABLE, migrate, NULL, error);
    return status ? vl_error_prefix(error, "%s", path) : VL_OK;
}

vl_status vl_collection_open(const char *folder, bool make, vl_collection **collection,
                             vl_error *error) {
    char path[VL_OBJECT_PATH_SIZE];
    struct stat info;
    *collection = NULL;
    if (snprintf(path, sizeof path, "%s/" DATABASE, folder) >= 900)
        return vl_fail(error, VL_ERR_USAGE, "the folder's path is too long: %.200s", folder);
    if (!make && stat(path, &info))
        return vl_fail(error, VL_ERR_INPUT, "%s is no collection: there is no " DATABASE,
                       folder);
    vl_collection *c = calloc(1, sizeof *c);
    if (!c)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a collection");
    snprintf(c->folder, sizeof c->folder, "%s", folder);
    vl_status status = make ? vl_objects_make(folder, error) : VL_OK;
    if (!status)
        status = open_database(c, path, error);
    if (status) {
        vl_collection_close(c);
        return status;
    }
    *collection = c;
    return VL_OK;
}

void vl_collection_close(vl_collection *c) {
    if (!c)
        return;
    vl_db_close(c->db);
    free(c);
}

static vl_status read_one(vl_db_conn *conn, void *call, vl_error *error) {
    return vl_db_run(conn, call, error);
}

vl_status vl_collection_read(vl_collection *c, const vl_db_call *call, vl_error *error) {
    return vl_db_transact(c->db, VL_DB_SNAPSHOT, read_one, (void *)(uintptr_t)call, error);
}

const char *vl_collection_folder(const vl_collection *c) {
    return c->folder;
}

vl_status vl_collection_path(const vl_collection *c, const char *sha256, char *path,
                             size_t size, vl_error *error) {
    char whole[VL_OBJECT_PATH_SIZE];
    vl_status status = vl_object_path(c->folder, sha256, whole, error);
    if (!status && snprintf(path, size, "%s", whole) >= (int)size)
        status = vl_fail(error, VL_ERR_LIMIT, "the path of a content is too long");
    return status;
}

/* ---- beginning a run -------------------------------------------------------------------- */

typedef struct beginning {
    const vl_run_wish *wish;
    vl_run *run;
    bool found;
    int64_t newest_ms; /* of the harvest */
} beginning;

static vl_status take_harvest(const vl_db_value *columns, size_t count, void *user,
                              vl_error *error) {
    beginning *b = user;
    (void)count;
    (void)error;
    b->run->harvest = columns[0].integer;
    b->newest_ms = columns[1].integer;
    return VL_OK;
}

static vl_status take_run(const vl_db_value *columns, size_t count, void *user,
                          vl_error *error) {
    vl_run *run = ((beginning *)user)->run;
    vl_harvest_report *r = &run->report;
    uint64_t *const counts[] = {
        &run->given,      &r->pages,         &r->records_new,     &r->records_changed,
        &r->records_same, &r->files_fetched, &r->files_unchanged, &r->files_failed,
        &r->files_left,   &r->bytes};
    (void)count;
    ((beginning *)user)->found = true;
    run->id = columns[0].integer;
    vl_buf_clear(&run->cursor);
    vl_buf_puts(&run->cursor, vl_db_string(&columns[1]));
    run->paged = columns[2].integer != 0;
    snprintf(r->since, sizeof r->since, "%s", vl_db_string(&columns[3]));
    run->newest_ms = columns[4].integer;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        *counts[i] = (uint64_t)columns[5 + i].integer;
    return vl_buf_status(&run->cursor, "a cursor", error);
}

static vl_status find_harvest(vl_db_conn *conn, beginning *b, vl_error *error) {
    const vl_run_wish *w = b->wish;
    vl_status status =
        vl_db_run(conn,
                  &(vl_db_call){.sql = "INSERT INTO harvests (source, query) VALUES ($1, $2) "
                                       "ON CONFLICT (source, query) DO NOTHING",
                                VL_DB_PARAMS(vl_db_text(w->source), vl_db_text(w->query))},
                  error);
    if (!status)
        status =
            vl_db_run(conn,
                      &(vl_db_call){.sql = "SELECT id, newest_ms FROM harvests "
                                           "WHERE source = $1 AND query = $2",
                                    VL_DB_PARAMS(vl_db_text(w->source), vl_db_text(w->query)),
                                    .row = take_harvest,
                                    .user = b},
                      error);
    return status;
}

static vl_status find_run(vl_db_conn *conn, beginning *b, vl_error *error) {
    b->found = false;
    return vl_db_run(
        conn,
        &(vl_db_call){.sql =
                          "SELECT id, cursor, paged, since, newest_ms, given, pages, "
                          "records_new, records_changed, records_same, files_fetched, "
                          "files_unchanged, files_failed, files_left, bytes FROM runs "
                          "WHERE harvest_id = $1 AND state = 'open' ORDER BY id DESC LIMIT 1",
                      VL_DB_PARAMS(vl_db_int(b->run->harvest)),
                      .row = take_run,
                      .user = b},
        error);
}

static vl_status make_run(vl_db_conn *conn, beginning *b, vl_error *error) {
    const vl_run_wish *w = b->wish;
    char since[VL_RFC3339_SIZE] = "";
    if (*w->since)
        snprintf(since, sizeof since, "%s", w->since);
    else if (!w->whole && b->newest_ms > OVERLAP_MS)
        vl_when_format(b->newest_ms - OVERLAP_MS, since);
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql = "INSERT INTO runs (harvest_id, state, since, started_ms) "
                             "VALUES ($1, 'open', $2, $3)",
                      VL_DB_PARAMS(vl_db_int(b->run->harvest), vl_db_text(since),
                                   vl_db_int(vl_db_now_ms()))},
        error);
    if (!status)
        status = vl_db_run(
            conn,
            &(vl_db_call){.sql = "UPDATE files SET state = 'waiting' WHERE state = 'failed' "
                                 "AND source = $1 AND url IS NOT NULL AND tries < $2 "
                                 "AND gone = 0",
                          VL_DB_PARAMS(vl_db_text(w->source), vl_db_int(w->attempts))},
            error);
    return status;
}

static vl_status begin(vl_db_conn *conn, void *user, vl_error *error) {
    beginning *b = user;
    vl_status status = find_harvest(conn, b, error);
    if (!status)
        status = find_run(conn, b, error);
    b->run->report.resumed = b->found;
    if (!status && !b->found) {
        status = make_run(conn, b, error);
        if (!status)
            status = find_run(conn, b, error);
    }
    return status;
}

vl_status vl_run_begin(vl_collection *c, const vl_run_wish *wish, vl_run *run,
                       vl_error *error) {
    beginning b = {.wish = wish, .run = run};
    *run = (vl_run){.id = 0};
    vl_buf_init(&run->cursor, CURSOR_MAX);
    snprintf(run->report.source, sizeof run->report.source, "%s", wish->source);
    return vl_db_transact(c->db, VL_DB_SERIALIZABLE, begin, &b, error);
}

/* ---- ending a run ----------------------------------------------------------------------- */

typedef struct ending {
    vl_run *run;
    const char *state;
    bool complete;
} ending;

static vl_status end(vl_db_conn *conn, void *user, vl_error *error) {
    const ending *e = user;
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql = "UPDATE runs SET state = $1, ended_ms = $2 WHERE id = $3",
                      VL_DB_PARAMS(vl_db_text(e->state), vl_db_int(vl_db_now_ms()),
                                   vl_db_int(e->run->id))},
        error);
    if (status || !e->complete)
        return status;
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "UPDATE harvests SET newest_ms = $1 "
                             "WHERE id = $2 AND newest_ms < $1",
                      VL_DB_PARAMS(vl_db_int(e->run->newest_ms), vl_db_int(e->run->harvest))},
        error);
}

vl_status vl_run_end(vl_collection *c, vl_run *run, vl_run_state state, vl_error *error) {
    static const char *const names[] = {"complete", "limited", "broken"};
    ending e = {run, names[state], state == VL_RUN_COMPLETE};
    run->report.complete = e.complete;
    return vl_db_transact(c->db, VL_DB_SERIALIZABLE, end, &e, error);
}

static vl_status take_reason(const vl_db_value *columns, size_t count, void *user,
                             vl_error *error) {
    vl_harvest_report *r = user;
    (void)count;
    (void)error;
    if (r->reason_count == VL_HARVEST_REASONS)
        return VL_OK;
    size_t i = r->reason_count++;
    snprintf(r->reasons[i].reason, sizeof r->reasons[i].reason, "%s",
             vl_db_string(&columns[0]));
    snprintf(r->reasons[i].example, sizeof r->reasons[i].example, "%s",
             vl_db_string(&columns[1]));
    r->reasons[i].files = (uint64_t)columns[2].integer;
    return VL_OK;
}

vl_status vl_run_look(vl_collection *c, vl_run *run, vl_error *error) {
    int64_t waiting = 0;
    run->report.reason_count = 0;
    vl_status status = vl_collection_read(
        c,
        &(vl_db_call){.sql = "SELECT count(*) FROM files WHERE state = 'waiting' "
                             "AND source = $1",
                      VL_DB_PARAMS(vl_db_text(run->report.source)),
                      .row = vl_db_take_int,
                      .user = &waiting},
        error);
    run->report.files_waiting = (uint64_t)waiting;
    if (status)
        return status;
    return vl_collection_read(
        c,
        &(vl_db_call){.sql = "SELECT reason, min(message), count(*) FROM files "
                             "WHERE state = 'failed' AND source = $1 "
                             "AND checked_run = $2 GROUP BY reason "
                             "ORDER BY count(*) DESC, reason",
                      VL_DB_PARAMS(vl_db_text(run->report.source), vl_db_int(run->id)),
                      .row = take_reason,
                      .user = &run->report},
        error);
}

/* ---- the queue -------------------------------------------------------------------------- */

void vl_host_of(const char *url, char host[VL_HOST_SIZE]) {
    const char *from = url ? strstr(url, "://") : NULL;
    size_t length = 0;
    if (from) {
        from += 3;
        const char *at = memchr(from, '@', strcspn(from, "/?#"));
        from = at ? at + 1 : from;
        length = *from == '[' ? strcspn(from, "]/?#") + 1 : strcspn(from, ":/?#");
    }
    if (length >= VL_HOST_SIZE)
        length = VL_HOST_SIZE - 1;
    for (size_t i = 0; i < length; i++)
        host[i] = (char)tolower((unsigned char)from[i]);
    host[length] = '\0';
}

static vl_status take_host(const vl_db_value *columns, size_t count, void *host,
                           vl_error *error) {
    (void)count;
    (void)error;
    snprintf(host, VL_HOST_SIZE, "%s", vl_db_string(&columns[0]));
    return VL_OK;
}

/* Everything is after no host, and no host is after "" but by its own name. */
vl_status vl_queue_host(vl_collection *c, const char *source, const char *after,
                        char host[VL_HOST_SIZE], vl_error *error) {
    host[0] = '\0';
    return vl_collection_read(
        c,
        &(vl_db_call){.sql = "SELECT host FROM files WHERE state = 'waiting' "
                             "AND source = $1 AND host > $2 "
                             "ORDER BY host LIMIT 1",
                      VL_DB_PARAMS(vl_db_text(source), vl_db_text(after ? after : "")),
                      .row = take_host,
                      .user = host},
        error);
}

typedef struct taking {
    vl_waiting *files;
    size_t count;
} taking;

/* A tag that does not fit is none: the file is fetched whole. */
static void copy_tag(const vl_db_value *value, char *out, size_t size) {
    const char *text = vl_db_string(value);
    snprintf(out, size, "%s", strlen(text) < size ? text : "");
}

static vl_status take_file(const vl_db_value *columns, size_t count, void *user,
                           vl_error *error) {
    taking *t = user;
    vl_waiting *f = &t->files[t->count++];
    (void)count;
    (void)error;
    f->id = columns[0].integer;
    snprintf(f->url, sizeof f->url, "%s", vl_db_string(&columns[1]));
    copy_tag(&columns[2], f->etag, sizeof f->etag);
    copy_tag(&columns[3], f->modified, sizeof f->modified);
    f->harvest = columns[4].integer;
    f->is_shown = columns[5].type == VL_DB_INT;
    return VL_OK;
}

vl_status vl_queue_take(vl_collection *c, const char *source, const char *host,
                        vl_waiting *files, size_t most, size_t *count, vl_error *error) {
    taking t = {.files = files};
    vl_status status = vl_collection_read(
        c,
        &(vl_db_call){
            .sql = "SELECT f.id, f.url, d.etag, d.modified, f.harvest_id, f.page_id "
                   "FROM files f "
                   "LEFT JOIN documents d ON d.id = f.document_id "
                   "WHERE f.state = 'waiting' AND f.source = $1 AND f.host = $2 "
                   "ORDER BY f.id LIMIT $3",
            VL_DB_PARAMS(vl_db_text(source), vl_db_text(host), vl_db_int((int64_t)most)),
            .row = take_file,
            .user = &t},
        error);
    *count = t.count;
    return status;
}

typedef struct doing {
    vl_run *run;
    int64_t file;
    const vl_outcome *outcome;
    vl_harvest_report added; /* what is to be counted when it is committed */
} doing;

static vl_status do_file(vl_db_conn *conn, void *user, vl_error *error) {
    doing *d = user;
    d->added = (vl_harvest_report){.resumed = false};
    vl_status status = vl_file_settle(conn, d->run->id, d->file, d->outcome, &d->added, error);
    if (!status)
        status = vl_run_count(conn, d->run->id, &d->added, error);
    return status;
}

vl_status vl_file_done(vl_collection *c, vl_run *run, int64_t file, const vl_outcome *outcome,
                       vl_error *error) {
    doing d = {.run = run, .file = file, .outcome = outcome};
    vl_status status = vl_db_transact(c->db, VL_DB_SERIALIZABLE, do_file, &d, error);
    if (!status)
        vl_report_add(&run->report, &d.added);
    return status;
}
