/* collection_page.c — a page of records into the database, and what becomes of files.
 *
 *   vl_kept_record_copy          a record that outlives its page
 *   vl_run_keep_page             each record and its files, then the cursor
 *   keep_file                    whether a file is asked for again
 *   vl_file_settle               the content that a file has, or why it has none */
#include "harvest/collection_inside.h"

#include <stdlib.h>
#include <string.h>

/* ---- copies ----------------------------------------------------------------------------- */

static bool copy_string(vl_arena *arena, const char *from, const char **to) {
    *to = from ? vl_arena_strdup(arena, from) : NULL;
    return !from || *to;
}

static bool copy_file(vl_arena *arena, const vl_record_file *from, vl_record_file *to) {
    *to = *from;
    to->body = NULL;
    to->pour = NULL;
    to->of = NULL;
    return copy_string(arena, from->url, &to->url) &&
           copy_string(arena, from->type, &to->type) &&
           copy_string(arena, from->name, &to->name) &&
           copy_string(arena, from->language, &to->language) &&
           copy_string(arena, from->version, &to->version);
}

static bool copy_record(vl_arena *arena, const vl_record *from, vl_record *to) {
    const char *const *const sources[] = {
        &from->key,     &from->title,     &from->url,   &from->language,  &from->published,
        &from->changed, &from->licence,   &from->terms, &from->publisher, &from->countries,
        &from->themes,  &from->disasters, &from->raw};
    const char **const targets[] = {
        &to->key,     &to->title,     &to->url,   &to->language,  &to->published,
        &to->changed, &to->licence,   &to->terms, &to->publisher, &to->countries,
        &to->themes,  &to->disasters, &to->raw};
    bool fits = true;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        fits = fits && copy_string(arena, *sources[i], targets[i]);
    return fits;
}

vl_status vl_kept_record_copy(vl_arena *arena, const vl_record *record, vl_kept_record *copy,
                              vl_error *error) {
    size_t count = record->file_count;
    vl_record_file *files = vl_arena_array(arena, count ? count : 1, sizeof *files);
    *copy = (vl_kept_record){.outcomes =
                                 vl_arena_array(arena, count ? count : 1, sizeof(vl_outcome))};
    bool fits = files && copy->outcomes && copy_record(arena, record, &copy->record);
    for (size_t i = 0; fits && i < count; i++)
        fits = copy_file(arena, &record->files[i], &files[i]);
    copy->record.files = files;
    copy->record.file_count = count;
    return fits ? VL_OK
                : vl_fail(error, VL_ERR_LIMIT, "a page of the source is too large to keep");
}

/* ---- what tells a record, and a file in it ----------------------------------------------- */

static void digest_add(vl_sha256 *hash, const char *text) {
    vl_sha256_update(hash, text ? "+" : "-", 1);
    if (text)
        vl_sha256_update(hash, text, strlen(text) + 1);
}

/* Without the source's own object: numbers of downloads and the like change in it every day. */
static vl_status digest_of(const vl_record *r, char digest[VL_SHA256_HEX_SIZE],
                           vl_error *error) {
    const char *const parts[] = {r->title,     r->url,     r->language, r->published,
                                 r->changed,   r->licence, r->terms,    r->publisher,
                                 r->countries, r->themes,  r->disasters};
    vl_sha256 *hash = vl_sha256_new();
    if (!hash)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a digest");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        digest_add(hash, parts[i]);
    for (size_t i = 0; i < r->file_count; i++) {
        const vl_record_file *f = &r->files[i];
        const char *const words[] = {f->url, f->type, f->name, f->language, f->version};
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            digest_add(hash, words[k]);
    }
    vl_sha256_finish(hash, digest);
    return VL_OK;
}

enum { PLACE_SIZE = VL_FETCH_URL_SIZE + 64 };

/* Its URL; else, of one that came with the record, its name or number. A URL that is too long
 * to be asked for is told apart by its hash. */
static void place_of(const vl_record_file *file, size_t number, char place[PLACE_SIZE]) {
    char hash[VL_SHA256_HEX_SIZE];
    const char *text = file->url ? file->url : file->name;
    if (!text) {
        snprintf(place, PLACE_SIZE, "body:#%zu", number);
    } else if (strlen(text) < VL_FETCH_URL_SIZE) {
        snprintf(place, PLACE_SIZE, "%s%s", file->url ? "" : "body:", text);
    } else {
        vl_sha256_hex(text, strlen(text), hash);
        snprintf(place, PLACE_SIZE, "%.900s#%s", text, hash);
    }
}

/* ---- a record --------------------------------------------------------------------------- */

typedef struct keeping {
    vl_run *run;
    const vl_page *page;
    vl_harvest_report added;
    int64_t newest_ms;
    /* of the record that is kept */
    int64_t record;
    bool is_new, has_changed;
    const vl_record *of;
} keeping;

typedef struct found_record {
    int64_t id, seen_run;
    char digest[VL_SHA256_HEX_SIZE];
} found_record;

static vl_status take_record(const vl_db_value *columns, size_t count, void *user,
                             vl_error *error) {
    found_record *found = user;
    (void)count;
    (void)error;
    found->id = columns[0].integer;
    found->seen_run = columns[1].integer;
    snprintf(found->digest, sizeof found->digest, "%s", vl_db_string(&columns[2]));
    return VL_OK;
}

static vl_status find_record(vl_db_conn *conn, const char *source, const char *key,
                             found_record *found, vl_error *error) {
    *found = (found_record){.id = 0};
    return vl_db_run(conn,
                     &(vl_db_call){.sql = "SELECT id, seen_run, digest FROM records "
                                          "WHERE source = $1 AND key = $2",
                                   VL_DB_PARAMS(vl_db_text(source), vl_db_text(key)),
                                   .row = take_record,
                                   .user = found},
                     error);
}

static vl_status write_record(vl_db_conn *conn, const char *source, const vl_record *r,
                              const char *digest, int64_t run, vl_error *error) {
    return vl_db_run(
        conn,
        &(vl_db_call){
            .sql = "INSERT INTO records (source, key, title, url, language, published, "
                   "changed, licence, terms, publisher, countries, themes, disasters, raw, "
                   "digest, seen_run, first_ms, seen_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, "
                   "$8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17) "
                   "ON CONFLICT (source, key) DO UPDATE SET title = excluded.title, "
                   "url = excluded.url, language = excluded.language, "
                   "published = excluded.published, changed = excluded.changed, "
                   "licence = excluded.licence, terms = excluded.terms, "
                   "publisher = excluded.publisher, countries = excluded.countries, "
                   "themes = excluded.themes, disasters = excluded.disasters, "
                   "raw = excluded.raw, digest = excluded.digest, "
                   "seen_run = excluded.seen_run, seen_ms = excluded.seen_ms",
            VL_DB_PARAMS(vl_db_text(source), vl_db_text(r->key), vl_db_text(r->title),
                         vl_db_text(r->url), vl_db_text(r->language), vl_db_text(r->published),
                         vl_db_text(r->changed), vl_db_text(r->licence), vl_db_text(r->terms),
                         vl_db_text(r->publisher), vl_db_text(r->countries),
                         vl_db_text(r->themes), vl_db_text(r->disasters), vl_db_text(r->raw),
                         vl_db_text(digest), vl_db_int(run), vl_db_int(vl_db_now_ms()))},
        error);
}

static void count_record(keeping *k, const found_record *before) {
    if (k->is_new)
        k->added.records_new++;
    else if (before->seen_run == k->run->id)
        return; /* given twice */
    else if (k->has_changed)
        k->added.records_changed++;
    else
        k->added.records_same++;
}

/* A source that tells of the future may not keep us from what comes before it. */
static void note_newest(keeping *k, const char *changed) {
    int64_t ms, now = vl_db_now_ms();
    if (!vl_when_parse(changed, &ms))
        return;
    ms = ms < now ? ms : now;
    k->newest_ms = ms > k->newest_ms ? ms : k->newest_ms;
}

/* ---- its files -------------------------------------------------------------------------- */

typedef struct found_file {
    int64_t id, checked_run;
    char state[16];
    char left_type[128]; /* of a content that was looked at and left; "" none was */
    bool same_version, is_kept;
    const char *version; /* wanted */
} found_file;

static vl_status take_found(const vl_db_value *columns, size_t count, void *user,
                            vl_error *error) {
    found_file *found = user;
    (void)count;
    (void)error;
    found->id = columns[0].integer;
    snprintf(found->state, sizeof found->state, "%s", vl_db_string(&columns[1]));
    found->same_version = found->version && !strcmp(vl_db_string(&columns[2]), found->version);
    found->checked_run = columns[3].integer;
    found->is_kept = columns[4].type == VL_DB_INT;
    snprintf(found->left_type, sizeof found->left_type, "%s", vl_db_string(&columns[5]));
    return VL_OK;
}

static vl_status find_file(vl_db_conn *conn, int64_t record, const char *place,
                           const char *version, found_file *found, vl_error *error) {
    *found = (found_file){.version = version};
    return vl_db_run(conn,
                     &(vl_db_call){.sql =
                                       "SELECT id, state, version, checked_run, document_id, "
                                       "CASE state WHEN 'left' THEN reason END FROM files "
                                       "WHERE record_id = $1 AND place = $2",
                                   VL_DB_PARAMS(vl_db_int(record), vl_db_text(place)),
                                   .row = take_found,
                                   .user = found},
                     error);
}

/* Of no known format: fetched, and looked at then. */
static bool is_wanted(const vl_page *page, const vl_record_file *file) {
    const char *format = vl_content_format(file->type);
    if (!*format && file->url)
        format = vl_content_format_by_name(file->url);
    if (!*format && file->name)
        format = vl_content_format_by_name(file->name);
    return !*format || vl_list_has(page->formats, format);
}

/* Whether a file that was settled before may be another one now. What the source gives no
 * version of is asked for when its record is another, or says nothing of changes. */
static bool may_differ(const keeping *k, const vl_record_file *file, const found_file *found) {
    if (file->version)
        return !found->same_version;
    if (found->checked_run == k->run->id)
        return k->has_changed;
    return k->has_changed || !k->of->changed;
}

/* A file that was left because of what it holds is asked for when that is wanted now, or when
 * it may hold something else. */
static bool is_wanted_now(const keeping *k, const vl_record_file *file,
                          const found_file *found) {
    if (!*found->left_type)
        return true;
    return vl_list_has(k->page->formats, vl_content_format(found->left_type)) ||
           may_differ(k, file, found);
}

static const char *next_state(const keeping *k, const vl_record_file *file,
                              const found_file *found) {
    bool wanted = is_wanted(k->page, file);
    if (!found->id)
        return wanted ? "waiting" : "left";
    if (!strcmp(found->state, "waiting"))
        return "waiting";
    if (!strcmp(found->state, "left"))
        return wanted && is_wanted_now(k, file, found) ? "waiting" : "left";
    return wanted && may_differ(k, file, found) ? "waiting" : found->state;
}

static vl_status write_file(vl_db_conn *conn, const keeping *k, const vl_record_file *f,
                            const char *place, const char *state, vl_error *error) {
    char host[VL_HOST_SIZE];
    vl_host_of(f->url, host);
    return vl_db_run(
        conn,
        &(vl_db_call){
            .sql = "INSERT INTO files (record_id, source, place, url, host, name, type_said, "
                   "language, version, bytes_said, state, seen_run, harvest_id) VALUES ($1, "
                   "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
                   "ON CONFLICT (record_id, place) DO UPDATE "
                   "SET name = excluded.name, type_said = excluded.type_said, "
                   "language = excluded.language, version = excluded.version, "
                   "bytes_said = excluded.bytes_said, gone = 0, seen_run = excluded.seen_run, "
                   "tries = CASE WHEN excluded.state = 'waiting' AND state <> 'waiting' "
                   "THEN 0 ELSE tries END, page_id = NULL, harvest_id = CASE WHEN state = "
                   "'waiting' "
                   "THEN harvest_id ELSE excluded.harvest_id END, state = excluded.state",
            VL_DB_PARAMS(vl_db_int(k->record), vl_db_text(k->run->report.source),
                         vl_db_text(place), vl_db_text(f->url), vl_db_text(host),
                         vl_db_text(f->name), vl_db_text(f->type), vl_db_text(f->language),
                         vl_db_text(f->version), vl_db_int((int64_t)f->bytes),
                         vl_db_text(state), vl_db_int(k->run->id), vl_db_int(k->run->harvest))},
        error);
}

/* What can be said of a file without asking for it. */
static bool is_settled(const vl_record_file *f, const char *state, const vl_outcome *given,
                       vl_outcome *outcome) {
    char host[VL_HOST_SIZE];
    vl_error error;
    *outcome = *given;
    if (given->kind != VL_OUTCOME_NONE)
        return true;
    if (!f->url || strcmp(state, "waiting") != 0)
        return false;
    vl_host_of(f->url, host);
    if (*host && strlen(f->url) < VL_FETCH_URL_SIZE)
        return false;
    vl_fail(&error, VL_ERR_INPUT, "the source names what is no URL: %.150s", f->url);
    vl_outcome_fail(outcome, &error, 0);
    return true;
}

static vl_status keep_file(vl_db_conn *conn, keeping *k, const vl_record_file *f, size_t number,
                           const vl_outcome *given, vl_error *error) {
    char place[PLACE_SIZE];
    found_file found;
    vl_outcome outcome;
    place_of(f, number, place);
    vl_status status = find_file(conn, k->record, place, f->version, &found, error);
    if (status)
        return status;
    const char *state = next_state(k, f, &found);
    if (!f->url && given->kind == VL_OUTCOME_NONE)
        state = found.id ? found.state : "left";
    status = write_file(conn, k, f, place, state, error);
    if (!status && !strcmp(state, "left") && strcmp(found.state, "left") != 0)
        k->added.files_left++;
    if (status || !is_settled(f, state, given, &outcome))
        return status;
    if (!found.id)
        status = find_file(conn, k->record, place, f->version, &found, error);
    return status ? status
                  : vl_file_settle(conn, k->run->id, found.id, &outcome, &k->added, error);
}

static vl_status keep_record(vl_db_conn *conn, keeping *k, const vl_kept_record *kept,
                             vl_error *error) {
    const vl_record *r = k->of = &kept->record;
    const char *source = k->run->report.source;
    char digest[VL_SHA256_HEX_SIZE];
    found_record before, now;
    vl_status status = digest_of(r, digest, error);
    if (!status)
        status = find_record(conn, source, r->key, &before, error);
    if (!status)
        status = write_record(conn, source, r, digest, k->run->id, error);
    if (!status)
        status = find_record(conn, source, r->key, &now, error);
    if (status)
        return status;
    k->record = now.id;
    k->is_new = !before.id;
    k->has_changed = k->is_new || strcmp(before.digest, digest) != 0;
    count_record(k, &before);
    note_newest(k, r->changed);
    for (size_t i = 0; !status && i < r->file_count; i++)
        status = keep_file(conn, k, &r->files[i], i, &kept->outcomes[i], error);
    if (!status && !k->is_new)
        status =
            vl_db_run(conn,
                      &(vl_db_call){.sql = "UPDATE files SET gone = 1, state = CASE state "
                                           "WHEN 'waiting' THEN 'left' ELSE state END "
                                           "WHERE record_id = $1 AND seen_run <> $2 "
                                           "AND (page_id IS NULL OR page_id IN "
                                           "(SELECT id FROM files WHERE record_id = $1 "
                                           "AND page_id IS NULL AND seen_run <> $2))",
                                    VL_DB_PARAMS(vl_db_int(now.id), vl_db_int(k->run->id))},
                      error);
    return status;
}

static vl_status move_on(vl_db_conn *conn, const keeping *k, vl_error *error) {
    const char *next = k->page->next;
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "UPDATE runs SET cursor = $1, paged = $2, newest_ms = $3, "
                             "given = given + $4 WHERE id = $5",
                      VL_DB_PARAMS(vl_db_text(next), vl_db_int(!*next && !k->page->limited),
                                   vl_db_int(k->newest_ms), vl_db_int((int64_t)k->page->count),
                                   vl_db_int(k->run->id))},
        error);
}

static vl_status keep_page(vl_db_conn *conn, void *user, vl_error *error) {
    keeping *k = user;
    vl_status status = VL_OK;
    k->added = (vl_harvest_report){.pages = 1};
    k->newest_ms = k->run->newest_ms;
    for (size_t i = 0; !status && i < k->page->count; i++)
        status = keep_record(conn, k, &k->page->records[i], error);
    if (!status)
        status = move_on(conn, k, error);
    if (!status)
        status = vl_run_count(conn, k->run->id, &k->added, error);
    return status;
}

vl_status vl_run_keep_page(vl_collection *c, vl_run *run, const vl_page *page,
                           vl_error *error) {
    keeping k = {.run = run, .page = page};
    vl_status status = vl_db_transact(c->db, VL_DB_SERIALIZABLE, keep_page, &k, error);
    if (status)
        return status;
    vl_report_add(&run->report, &k.added);
    run->newest_ms = k.newest_ms;
    run->given += page->count;
    run->paged = !*page->next && !page->limited;
    vl_buf_clear(&run->cursor);
    vl_buf_puts(&run->cursor, page->next);
    return vl_buf_status(&run->cursor, "a cursor", error);
}

/* ---- what is here already ---------------------------------------------------------------- */

typedef struct looking {
    const char *source, *key, *place, *version;
    bool kept;
} looking;

static vl_status look(vl_db_conn *conn, void *user, vl_error *error) {
    looking *l = user;
    found_record record;
    found_file file = {.id = 0};
    vl_status status = find_record(conn, l->source, l->key, &record, error);
    if (!status && record.id)
        status = find_file(conn, record.id, l->place, l->version, &file, error);
    l->kept = file.id && file.is_kept && file.same_version && !strcmp(file.state, "kept");
    return status;
}

vl_status vl_file_is_kept(vl_collection *c, const char *source, const char *key,
                          const vl_record_file *file, size_t number, bool *kept,
                          vl_error *error) {
    char place[PLACE_SIZE];
    looking l = {source, key, place, file->version, false};
    place_of(file, number, place);
    vl_status status =
        file->version ? vl_db_transact(c->db, VL_DB_SNAPSHOT, look, &l, error) : VL_OK;
    *kept = l.kept;
    return status;
}

/* ---- what became of a file --------------------------------------------------------------- */

void vl_outcome_fail(vl_outcome *outcome, const vl_error *error, unsigned http) {
    *outcome = (vl_outcome){.kind = VL_OUTCOME_FAILED, .status = http};
    if (http)
        snprintf(outcome->reason, sizeof outcome->reason, "http %u", http);
    else
        snprintf(outcome->reason, sizeof outcome->reason, "%s", vl_status_name(error->status));
    snprintf(outcome->message, sizeof outcome->message, "%.255s", error->message);
    outcome->message[vl_utf8_valid_prefix(outcome->message, strlen(outcome->message))] = '\0';
}

/* `left`: the type that a content which is not kept has. */
static vl_status note_checked(vl_db_conn *conn, int64_t run, int64_t file, const char *left,
                              unsigned http, vl_error *error) {
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "UPDATE files SET state = $1, tries = 0, reason = $2, "
                             "message = NULL, http = $3, checked_run = $4, checked_ms = $5 "
                             "WHERE id = $6",
                      VL_DB_PARAMS(vl_db_text(left ? "left" : "kept"), vl_db_text(left),
                                   vl_db_int(http), vl_db_int(run), vl_db_int(vl_db_now_ms()),
                                   vl_db_int(file))},
        error);
}

static vl_status note_failed(vl_db_conn *conn, int64_t run, int64_t file, const vl_outcome *o,
                             vl_error *error) {
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "UPDATE files SET state = 'failed', tries = tries + 1, "
                             "reason = $1, message = $2, http = $3, checked_run = $4, "
                             "checked_ms = $5 WHERE id = $6",
                      VL_DB_PARAMS(vl_db_text(o->reason), vl_db_text(o->message),
                                   vl_db_int(o->status), vl_db_int(run),
                                   vl_db_int(vl_db_now_ms()), vl_db_int(file))},
        error);
}

static vl_status take_same(const vl_db_value *columns, size_t count, void *same,
                           vl_error *error) {
    (void)count;
    (void)columns;
    (void)error;
    *(bool *)same = true;
    return VL_OK;
}

/* Whether the content is the one that the file has already. */
static vl_status is_current(vl_db_conn *conn, int64_t file, const char *sha256, bool *same,
                            vl_error *error) {
    *same = false;
    return vl_db_run(conn,
                     &(vl_db_call){.sql = "SELECT 1 FROM files f JOIN documents d "
                                          "ON d.id = f.document_id WHERE f.id = $1 "
                                          "AND d.sha256 = $2",
                                   VL_DB_PARAMS(vl_db_int(file), vl_db_text(sha256)),
                                   .row = take_same,
                                   .user = same},
                     error);
}

/* The licence is the one that the record has now, at the time of the content. */
static vl_status write_document(vl_db_conn *conn, int64_t file, const vl_outcome *o,
                                vl_error *error) {
    const vl_object_kept *c = &o->content;
    return vl_db_run(
        conn,
        &(vl_db_call){
            .sql =
                "INSERT INTO documents (file_id, sha256, bytes, type, type_said, final_url, "
                "http, etag, modified, headers, licence, terms, publisher, fetched_ms) "
                "SELECT f.id, $2, $3, $4, coalesce($5, f.type_said), $6, $7, $8, $9, $10, "
                "r.licence, r.terms, r.publisher, $11 FROM files f JOIN records r "
                "ON r.id = f.record_id WHERE f.id = $1 "
                "ON CONFLICT (file_id, sha256) DO UPDATE SET type_said = excluded.type_said, "
                "final_url = excluded.final_url, http = excluded.http, "
                "etag = excluded.etag, modified = excluded.modified, "
                "headers = excluded.headers, licence = excluded.licence, "
                "terms = excluded.terms, publisher = excluded.publisher, "
                "fetched_ms = excluded.fetched_ms",
            VL_DB_PARAMS(vl_db_int(file), vl_db_text(c->sha256), vl_db_int((int64_t)c->bytes),
                         vl_db_text(c->type), vl_db_text(o->type_said),
                         vl_db_text(o->final_url), vl_db_int(o->status), vl_db_text(o->etag),
                         vl_db_text(o->modified), vl_db_text(o->headers),
                         vl_db_int(vl_db_now_ms()))},
        error);
}

static vl_status settle_fetched(vl_db_conn *conn, int64_t run, int64_t file,
                                const vl_outcome *o, vl_harvest_report *added,
                                vl_error *error) {
    bool same, is_page = !strcmp(vl_content_format(o->content.type), "html");
    vl_status status = is_current(conn, file, o->content.sha256, &same, error);
    if (!status)
        status = write_document(conn, file, o, error);
    if (!status)
        status = vl_db_run(
            conn,
            &(vl_db_call){.sql = "UPDATE files SET document_id = (SELECT id "
                                 "FROM documents WHERE file_id = $1 "
                                 "AND sha256 = $2), unread = CASE $3 WHEN 1 THEN unread "
                                 "ELSE $4 END WHERE id = $1",
                          VL_DB_PARAMS(vl_db_int(file), vl_db_text(o->content.sha256),
                                       vl_db_int(same), vl_db_int(is_page))},
            error);
    added->files_fetched += !same;
    added->files_unchanged += same;
    added->bytes += same ? 0 : o->content.bytes;
    return status ? status : note_checked(conn, run, file, NULL, o->status, error);
}

vl_status vl_file_settle(vl_db_conn *conn, int64_t run, int64_t file, const vl_outcome *o,
                         vl_harvest_report *added, vl_error *error) {
    switch (o->kind) {
    case VL_OUTCOME_NONE:
        return VL_OK;
    case VL_OUTCOME_FETCHED:
        return settle_fetched(conn, run, file, o, added, error);
    case VL_OUTCOME_UNCHANGED:
        added->files_unchanged++;
        return note_checked(conn, run, file, NULL, o->status, error);
    case VL_OUTCOME_FAILED:
        added->files_failed++;
        return note_failed(conn, run, file, o, error);
    case VL_OUTCOME_LEFT:
        added->files_left++;
        return note_checked(conn, run, file, o->content.type, o->status, error);
    }
    return VL_OK;
}

/* ---- counts ----------------------------------------------------------------------------- */

vl_status vl_run_count(vl_db_conn *conn, int64_t run, const vl_harvest_report *added,
                       vl_error *error) {
    const vl_harvest_report *a = added;
    return vl_db_run(
        conn,
        &(vl_db_call){
            .sql =
                "UPDATE runs SET pages = pages + $1, records_new = records_new + $2, "
                "records_changed = records_changed + $3, records_same = records_same + $4, "
                "files_fetched = files_fetched + $5, files_unchanged = files_unchanged + $6, "
                "files_failed = files_failed + $7, files_left = files_left + $8, "
                "bytes = bytes + $9 WHERE id = $10",
            VL_DB_PARAMS(
                vl_db_int((int64_t)a->pages), vl_db_int((int64_t)a->records_new),
                vl_db_int((int64_t)a->records_changed), vl_db_int((int64_t)a->records_same),
                vl_db_int((int64_t)a->files_fetched), vl_db_int((int64_t)a->files_unchanged),
                vl_db_int((int64_t)a->files_failed), vl_db_int((int64_t)a->files_left),
                vl_db_int((int64_t)a->bytes), vl_db_int(run))},
        error);
}

void vl_report_add(vl_harvest_report *report, const vl_harvest_report *added) {
    report->pages += added->pages;
    report->records_new += added->records_new;
    report->records_changed += added->records_changed;
    report->records_same += added->records_same;
    report->files_fetched += added->files_fetched;
    report->files_unchanged += added->files_unchanged;
    report->files_failed += added->files_failed;
    report->files_left += added->files_left;
    report->bytes += added->bytes;
}
