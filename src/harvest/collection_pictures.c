/* collection_pictures.c — the pictures that kept pages show: found out once for each content of
 * a page, fetched as files of its record, and found again by what stands in the page.
 *
 *   vl_pages_unread               pages whose pictures were not looked for
 *   vl_page_read                  their pictures are files that wait
 *   vl_collection_find_picture    from an address in a page to a content */
#include "harvest/collection_inside.h"

#include "harvest/dir.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is to be read -------------------------------------------------------------------
 */

typedef struct taking {
    vl_unread *pages;
    size_t count;
} taking;

static vl_status take_unread(const vl_db_value *columns, size_t count, void *user,
                             vl_error *error) {
    taking *t = user;
    vl_unread *page = &t->pages[t->count++];
    const char *url = vl_db_string(&columns[3]);
    (void)count;
    (void)error;
    *page = (vl_unread){.id = columns[0].integer};
    snprintf(page->sha256, sizeof page->sha256, "%s", vl_db_string(&columns[1]));
    snprintf(page->type, sizeof page->type, "%s", vl_db_string(&columns[2]));
    if (strlen(url) < sizeof page->url)
        snprintf(page->url, sizeof page->url, "%s", url);
    return VL_OK;
}

vl_status vl_pages_unread(vl_collection *c, const vl_run *run, vl_unread *pages, size_t most,
                          size_t *count, vl_error *error) {
    taking t = {.pages = pages};
    vl_status status = vl_collection_read(
        c,
        &(vl_db_call){
            .sql = "SELECT f.id, d.sha256, d.type_said, coalesce(d.final_url, f.url, r.url) "
                   "FROM files f JOIN documents d ON d.id = f.document_id "
                   "JOIN records r ON r.id = f.record_id "
                   "WHERE f.source = $1 AND f.seen_run = $2 AND f.unread = 1 "
                   "ORDER BY f.id LIMIT $3",
            VL_DB_PARAMS(vl_db_text(run->report.source), vl_db_int(run->id),
                         vl_db_int((int64_t)most)),
            .row = take_unread,
            .user = &t},
        error);
    *count = t.count;
    return status;
}

/* ---- what was read ------------------------------------------------------------------------
 */

typedef struct reading {
    const vl_run *run;
    int64_t page;
    const vl_html_picture *pictures;
    size_t count;
} reading;

/* One that is kept is asked for again, for the page is another; unless this run has asked. One
 * that the record names itself is its own. */
static vl_status write_picture(vl_db_conn *conn, const reading *r, const vl_html_picture *p,
                               vl_error *error) {
    char host[VL_HOST_SIZE];
    vl_host_of(p->url, host);
    return vl_db_run(
        conn,
        &(vl_db_call){
            .sql = "INSERT INTO files (record_id, source, place, url, host, bytes_said, state, "
                   "seen_run, harvest_id, page_id) SELECT record_id, $1, $2, $2, $3, 0, "
                   "'waiting', $4, $5, $6 FROM files WHERE id = $6 "
                   "ON CONFLICT (record_id, place) DO UPDATE SET gone = 0, "
                   "tries = CASE WHEN checked_run < excluded.seen_run THEN 0 ELSE tries END, "
                   "state = CASE WHEN checked_run < excluded.seen_run THEN 'waiting' "
                   "ELSE state END, harvest_id = CASE WHEN state = 'waiting' THEN harvest_id "
                   "ELSE excluded.harvest_id END, seen_run = excluded.seen_run "
                   "WHERE page_id IS NOT NULL",
            VL_DB_PARAMS(vl_db_text(r->run->report.source), vl_db_text(p->url),
                         vl_db_text(host), vl_db_int(r->run->id), vl_db_int(r->run->harvest),
                         vl_db_int(r->page))},
        error);
}

static vl_status write_address(vl_db_conn *conn, const reading *r, const char *address,
                               const char *url, vl_error *error) {
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "INSERT INTO shown (page_id, address, file_id) "
                             "SELECT $1, $2, f.id FROM files f JOIN files page "
                             "ON page.record_id = f.record_id WHERE page.id = $1 "
                             "AND f.place = $3 ON CONFLICT (page_id, address) "
                             "DO UPDATE SET file_id = excluded.file_id",
                      VL_DB_PARAMS(vl_db_int(r->page), vl_db_text(address), vl_db_text(url))},
        error);
}

static vl_status finish_page(vl_db_conn *conn, const reading *r, vl_error *error) {
    vl_status status =
        vl_db_run(conn,
                  &(vl_db_call){.sql = "UPDATE files SET gone = 1, state = CASE state "
                                       "WHEN 'waiting' THEN 'left' ELSE state END "
                                       "WHERE page_id = $1 AND seen_run <> $2",
                                VL_DB_PARAMS(vl_db_int(r->page), vl_db_int(r->run->id))},
                  error);
    return status ? status
                  : vl_db_run(conn,
                              &(vl_db_call){.sql = "UPDATE files SET unread = 0 WHERE id = $1",
                                            VL_DB_PARAMS(vl_db_int(r->page))},
                              error);
}

static vl_status keep_pictures(vl_db_conn *conn, void *user, vl_error *error) {
    const reading *r = user;
    vl_status status = VL_OK;
    for (size_t i = 0; !status && i < r->count; i++) {
        const vl_html_picture *p = &r->pictures[i];
        status = write_picture(conn, r, p, error);
        if (!status)
            status = write_address(conn, r, p->url, p->url, error);
        for (size_t a = 0; !status && a < p->address_count; a++)
            status = write_address(conn, r, p->addresses[a], p->url, error);
    }
    return status ? status : finish_page(conn, r, error);
}

vl_status vl_page_read(vl_collection *c, const vl_run *run, int64_t page,
                       const vl_html_picture *pictures, size_t count, vl_error *error) {
    reading r = {run, page, pictures, count};
    return vl_db_transact(c->db, VL_DB_SERIALIZABLE, keep_pictures, &r, error);
}

/* ---- from an address to a content ----------------------------------------------------------
 */

enum { KEY_SIZE = 2 * VL_DIR_CURSOR_SIZE };

typedef struct finding {
    int64_t page; /* file */
    char source[32];
    char key[KEY_SIZE];
    char base[VL_FETCH_URL_SIZE];
    bool fetched; /* it came over the network */
    char sha256[VL_SHA256_HEX_SIZE];
} finding;

static vl_status take_page(const vl_db_value *columns, size_t count, void *user,
                           vl_error *error) {
    finding *f = user;
    (void)count;
    (void)error;
    f->page = columns[0].integer;
    snprintf(f->source, sizeof f->source, "%s", vl_db_string(&columns[1]));
    snprintf(f->key, sizeof f->key, "%s", vl_db_string(&columns[2]));
    f->fetched = columns[3].type == VL_DB_TEXT;
    snprintf(f->base, sizeof f->base, "%s", vl_db_string(&columns[4]));
    return VL_OK;
}

static vl_status take_content(const vl_db_value *columns, size_t count, void *user,
                              vl_error *error) {
    finding *f = user;
    (void)count;
    (void)error;
    if (!strcmp(vl_content_format(vl_db_string(&columns[1])), "picture"))
        snprintf(f->sha256, sizeof f->sha256, "%s", vl_db_string(&columns[0]));
    return VL_OK;
}

static vl_status find_shown(vl_collection *c, finding *f, const char *address,
                            vl_error *error) {
    return vl_collection_read(
        c,
        &(vl_db_call){.sql = "SELECT d.sha256, d.type FROM shown s JOIN files f "
                             "ON f.id = s.file_id JOIN documents d ON d.id = f.document_id "
                             "WHERE s.page_id = $1 AND s.address = $2",
                      VL_DB_PARAMS(vl_db_int(f->page), vl_db_text(address)),
                      .row = take_content,
                      .user = f},
        error);
}

static int hex(char c) {
    return isdigit((unsigned char)c)            ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

/* Percent-encoding (RFC 3986, section 2.1) in its own place. False: it holds a NUL. */
static bool decode(char *text) {
    char *to = text;
    for (const char *at = text; *at; to++) {
        int high = *at == '%' ? hex(at[1]) : -1, low = high >= 0 ? hex(at[2]) : -1;
        *to = low >= 0 ? (char)(high * 16 + low) : *at;
        at += low >= 0 ? 3 : 1;
        if (!*to)
            return false;
    }
    *to = '\0';
    return true;
}

/* Appends the steps of `path` to the folder `key`; false: it leads out of the place, which is
 * the first step of all keys, or is too long. */
static bool walk(char key[KEY_SIZE], const char *path) {
    while (*path) {
        size_t bytes = strcspn(path, "/"), used = strlen(key);
        char *slash = strrchr(key, '/');
        if (bytes == 2 && !strncmp(path, "..", 2)) {
            if (!slash)
                return false;
            *slash = '\0';
        } else if (bytes && !(bytes == 1 && *path == '.')) {
            if (used + bytes + 2 > KEY_SIZE)
                return false;
            key[used] = '/';
            memcpy(key + used + 1, path, bytes);
            key[used + 1 + bytes] = '\0';
        }
        path += bytes + (path[bytes] == '/');
    }
    return true;
}

/* The key of the record that a relative address in a page of `dir` names. */
static bool resolve_key(const char *page, const char *address, char key[KEY_SIZE]) {
    char path[VL_DIR_PATH_SIZE], encoded[VL_DIR_CURSOR_SIZE];
    size_t bytes = strcspn(address, "?#"), scheme = strcspn(address, ":/?#");
    if (address[scheme] == ':' || *address == '/' || !bytes || bytes >= sizeof path)
        return false;
    memcpy(path, address, bytes);
    path[bytes] = '\0';
    snprintf(key, KEY_SIZE, "%s", page);
    char *slash = strrchr(key, '/');
    if (!slash || !decode(path) || !vl_dir_encode(path, false, encoded, sizeof encoded))
        return false;
    *slash = '\0';
    return walk(key, encoded);
}

static vl_status find_beside(vl_collection *c, finding *f, const char *address,
                             vl_error *error) {
    char *key = malloc(KEY_SIZE);
    if (!key)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a path");
    vl_status status = VL_OK;
    if (resolve_key(f->key, address, key))
        status = vl_collection_read(
            c,
            &(vl_db_call){.sql = "SELECT d.sha256, d.type FROM records r JOIN files f "
                                 "ON f.record_id = r.id JOIN documents d "
                                 "ON d.id = f.document_id WHERE r.source = $1 AND r.key = $2",
                          VL_DB_PARAMS(vl_db_text(f->source), vl_db_text(key)),
                          .row = take_content,
                          .user = f},
            error);
    free(key);
    return status;
}

/* As it stands in the page, then what it comes to. */
static vl_status find(vl_collection *c, finding *f, const char *address, vl_error *error) {
    enum { ARENA = 1 << 20 };
    vl_arena *arena = vl_arena_new(ARENA);
    if (!arena)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an address");
    vl_status status = find_shown(c, f, address, error);
    const char *url = *f->base ? vl_feed_resolve(arena, f->base, address) : NULL;
    if (!status && !*f->sha256 && url)
        status = find_shown(c, f, url, error);
    if (!status && !*f->sha256 && !f->fetched)
        status = find_beside(c, f, address, error);
    vl_arena_free(arena);
    return status;
}

vl_status vl_collection_find_picture(vl_collection *c, int64_t page, const char *address,
                                     char sha256[VL_SHA256_HEX_SIZE], vl_error *error) {
    finding *f = calloc(1, sizeof *f);
    *sha256 = '\0';
    if (!f)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an address");
    vl_status status = vl_collection_read(
        c,
        &(vl_db_call){
            .sql = "SELECT f.id, r.source, r.key, f.url, coalesce(d.final_url, f.url, r.url) "
                   "FROM documents d JOIN files f ON f.id = d.file_id JOIN records r "
                   "ON r.id = f.record_id WHERE d.id = $1",
            VL_DB_PARAMS(vl_db_int(page)),
            .row = take_page,
            .user = f},
        error);
    address += strspn(address, " \t\r\n\f");
    if (!status && f->page)
        status = find(c, f, address, error);
    if (!status && !*f->sha256)
        status =
            vl_fail(error, VL_ERR_MISSING, "the picture was not harvested: %.200s", address);
    memcpy(sha256, f->sha256, VL_SHA256_HEX_SIZE);
    free(f);
    return status;
}
