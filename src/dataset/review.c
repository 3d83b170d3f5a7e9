/* review.c — a dataset under review: where its items lie, in which order they come, who gets
 * which, and whether what is decided has a meaning.
 *
 *   review_open      one pass over the items; the order (review_sample.c)
 *   review_find      an item, read again from its line
 *   review_next      what a reviewer is to decide on next
 *   review_decide    a decision, checked and stored */
#include "dataset/review.h"
#include "dataset/folder.h"
#include "dataset/review_sample.h"

#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMES_MAX = 65536, REVIEWERS_MAX = 256, CLAIMS_MAX = 16, OVERLAP_PLACES = 2 };
static const size_t ITEM_ARENA = (size_t)64 << 20;

typedef struct name_list { /* languages, sources: numbered as they come */
    char **names;
    size_t count;
} name_list;

struct vl_review {
    char *folder;
    char built[VL_SHA256_HEX_SIZE];
    review_options options;
    vl_db *db;
    name_list languages, sources;
    review_candidate *items; /* by id */
    size_t count, room;
    uint64_t
        below; /* only items whose hash is less are kept: there are more than REVIEW_MOST */
    review_place *places;
    uint32_t *place_of; /* of an item: its place, UINT32_MAX: it is not in the order */
    size_t place_count;
    pthread_mutex_t lock; /* of the cursors */
    struct {
        char reviewer[REVIEW_NAME_SIZE];
        size_t at; /* places before are settled for him */
    } cursors[REVIEWERS_MAX];
    size_t cursor_count;
};

review_options review_options_default(void) {
    return (review_options){.overlap = 0.2, .random = 0.2, .seed = 1};
}

/* ---- reading where items lie ------------------------------------------------------------- */

static bool id_of(const char *text, uint64_t *id) {
    if (strlen(text) != VL_ITEM_ID_SIZE - 1 ||
        strspn(text, "0123456789abcdef") != VL_ITEM_ID_SIZE - 1)
        return false;
    *id = strtoull(text, NULL, 16);
    return true;
}

static void id_text(uint64_t id, char text[VL_ITEM_ID_SIZE]) {
    snprintf(text, VL_ITEM_ID_SIZE, "%016llx", (unsigned long long)id);
}

static vl_status number_of(name_list *list, const char *name, size_t bytes, uint32_t *number,
                           vl_error *error) {
    for (size_t i = 0; i < list->count; i++)
        if (!strncmp(list->names[i], name, bytes) && !list->names[i][bytes]) {
            *number = (uint32_t)i;
            return VL_OK;
        }
    if (list->count == NAMES_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "over %d languages or sources", NAMES_MAX);
    char **more = realloc(list->names, (list->count + 1) * sizeof *more);
    if (more)
        list->names = more;
    if (!more || !(list->names[list->count] = strndup(name, bytes)))
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    *number = (uint32_t)list->count++;
    return VL_OK;
}

typedef struct indexing {
    vl_review *review;
    vl_arena *arena;
    vl_sha256 *hash;
    uint32_t shard;
    uint64_t at;
} indexing;

/* Of too many, half go, by chance. */
static void thin_out(vl_review *r) {
    size_t kept = 0;
    r->below /= 2;
    for (size_t i = 0; i < r->count; i++)
        if (review_hash(r->options.seed, r->items[i].id, REVIEW_FOR_ORDER) < r->below)
            r->items[kept++] = r->items[i];
    r->count = kept;
}

static vl_status add_candidate(vl_review *r, const review_candidate *c, vl_error *error) {
    if (review_hash(r->options.seed, c->id, REVIEW_FOR_ORDER) >= r->below)
        return VL_OK;
    if (r->count == REVIEW_MOST)
        thin_out(r);
    if (r->count == r->room) {
        size_t room = r->room ? 2 * r->room : 1024;
        review_candidate *more = realloc(r->items, room * sizeof *more);
        if (!more)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu items", room);
        r->items = more;
        r->room = room;
    }
    r->items[r->count++] = *c;
    return VL_OK;
}

static vl_status index_line(const char *json, size_t bytes, void *to, vl_error *error) {
    indexing *x = to;
    vl_review *r = x->review;
    vl_item item;
    review_candidate c = {.shard = x->shard, .at = x->at, .bytes = (uint32_t)bytes};
    x->at += bytes + 1;
    vl_arena_reset(x->arena);
    vl_sha256_update(x->hash, json, bytes);
    vl_status status = vl_item_read(json, bytes, x->arena, &item, error);
    if (status)
        return status;
    if (!id_of(item.id, &c.id))
        return vl_fail(error, VL_ERR_INPUT, "\"id\" of an item is no 16 hexadecimal digits");
    if (!id_of(item.base, &c.base))
        c.base = c.id;
    c.score = (float)item.score;
    status = number_of(&r->languages, item.language, strlen(item.language), &c.language, error);
    if (!status)
        status = number_of(&r->sources, item.source.record, strcspn(item.source.record, "/"),
                           &c.source, error);
    return status ? status : add_candidate(r, &c, error);
}

static vl_status index_items(vl_review *r, vl_error *error) {
    char path[FOLDER_PATH_SIZE], name[32];
    indexing x = {.review = r, .arena = vl_arena_new(ITEM_ARENA), .hash = vl_sha256_new()};
    vl_status status =
        x.arena && x.hash ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory to read items");
    for (size_t i = 0; !status; i++) {
        snprintf(name, sizeof name, FOLDER_ITEMS, i);
        status = folder_path(r->folder, name, path, error);
        if (!status && access(path, F_OK) != 0)
            break;
        x.shard = (uint32_t)i;
        x.at = 0;
        if (!status)
            status = folder_lines(path, index_line, &x, error);
    }
    if (x.hash)
        vl_sha256_finish(x.hash, r->built);
    vl_arena_free(x.arena);
    return status;
}

static int by_id(const void *x, const void *y) {
    const review_candidate *a = x, *b = y;
    return (a->id > b->id) - (a->id < b->id);
}

/* The order is of the items of the language alone, cut off at the limit. */
static vl_status make_order(vl_review *r, vl_error *error) {
    const char *only = r->options.language;
    size_t wanted = 0;
    review_candidate *some = calloc(r->count + 1, sizeof *some);
    r->places = calloc(r->count + 1, sizeof *r->places);
    r->place_of = malloc((r->count + 1) * sizeof *r->place_of);
    uint32_t *index = calloc(r->count + 1, sizeof *index);
    vl_status status = some && r->places && r->place_of && index
                           ? VL_OK
                           : vl_fail(error, VL_ERR_MEMORY, "no memory for %zu items", r->count);
    for (size_t i = 0; i < r->count && !status; i++)
        if (!only || !strcmp(r->languages.names[r->items[i].language], only)) {
            index[wanted] = (uint32_t)i;
            some[wanted++] = r->items[i];
        }
    if (!status && !wanted)
        status = vl_fail(error, VL_ERR_USAGE, "%s: there is no item%s%s", r->folder,
                         only ? " in " : "", only ? only : "");
    if (!status)
        status =
            review_order(some, wanted, r->options.random, r->options.seed, r->places, error);
    if (!status) {
        size_t limit = r->options.limit;
        r->place_count = limit && limit < wanted ? limit : wanted;
        memset(r->place_of, 0xff, (r->count + 1) * sizeof *r->place_of);
        for (size_t p = 0; p < r->place_count; p++) {
            r->places[p].candidate = index[r->places[p].candidate];
            r->place_of[r->places[p].candidate] = (uint32_t)p;
        }
    }
    free(some);
    free(index);
    return status;
}

vl_status review_open(const char *folder, const review_options *options, vl_review **review,
                      vl_error *error) {
    vl_dataset *dataset = NULL;
    vl_review *r = calloc(1, sizeof *r);
    *review = NULL;
    if (!r)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    pthread_mutex_init(&r->lock, NULL);
    r->options = *options;
    r->below = UINT64_MAX;
    r->folder = strdup(folder);
    vl_status status = r->folder ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status)
        status = vl_dataset_open(folder, &dataset, error);
    vl_dataset_close(dataset);
    if (!status)
        status = index_items(r, error);
    if (!status && r->count)
        qsort(r->items, r->count, sizeof *r->items, by_id);
    if (!status)
        status = make_order(r, error);
    if (!status)
        status = review_db_open(folder, &r->db, error);
    if (status)
        review_close(r);
    else
        *review = r;
    return status;
}

static void names_free(name_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
}

void review_close(vl_review *review) {
    if (!review)
        return;
    vl_db_close(review->db);
    names_free(&review->languages);
    names_free(&review->sources);
    free(review->items);
    free(review->places);
    free(review->place_of);
    free(review->folder);
    pthread_mutex_destroy(&review->lock);
    free(review);
}

vl_db *review_db(vl_review *review) {
    return review->db;
}

const char *review_folder(const vl_review *review) {
    return review->folder;
}

const char *review_built(const vl_review *review) {
    return review->built;
}

size_t review_size(const vl_review *review) {
    return review->place_count;
}

/* ---- an item -------------------------------------------------------------------------------
 */

static vl_status read_line(const vl_review *r, const review_candidate *c, vl_arena *arena,
                           char **line, vl_error *error) {
    char path[FOLDER_PATH_SIZE], name[32];
    snprintf(name, sizeof name, FOLDER_ITEMS, (size_t)c->shard);
    vl_status status = folder_path(r->folder, name, path, error);
    if (status)
        return status;
    *line = vl_arena_alloc(arena, c->bytes + (size_t)1);
    if (!*line)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an item");
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = file < 0 ? -1 : pread(file, *line, c->bytes, (off_t)c->at);
    if (got != (ssize_t)c->bytes)
        status = vl_fail(error, VL_ERR_IO, "%s: %s", path,
                         got < 0 ? strerror(errno) : "it has become shorter");
    if (file >= 0)
        close(file);
    return status;
}

static vl_status give_item(const vl_review *r, const review_candidate *c, vl_arena *arena,
                           review_given *given, vl_error *error) {
    char id[VL_ITEM_ID_SIZE], *line = NULL;
    uint32_t place = r->place_of[c - r->items];
    *given =
        (review_given){.random = place != UINT32_MAX && r->places[place].random,
                       .overlap = review_share_of(r->options.seed, c->id, REVIEW_FOR_OVERLAP) <
                                  r->options.overlap};
    vl_status status = read_line(r, c, arena, &line, error);
    if (!status)
        status = vl_item_read(line, c->bytes, arena, &given->item, error);
    given->json = line;
    id_text(c->id, id);
    if (!status && strcmp(id, given->item.id) != 0)
        status =
            vl_fail(error, VL_ERR_IO, "%s was built anew; begin the review again", r->folder);
    return status;
}

static const review_candidate *candidate_of(const vl_review *r, const char *id) {
    review_candidate key = {0};
    return id_of(id, &key.id) && r->count
               ? bsearch(&key, r->items, r->count, sizeof *r->items, by_id)
               : NULL;
}

vl_status review_find(vl_review *review, const char *id, vl_arena *arena, review_given *given,
                      vl_error *error) {
    const review_candidate *c = candidate_of(review, id);
    return c ? give_item(review, c, arena, given, error)
             : vl_fail(error, VL_ERR_MISSING, "there is no item %.20s here", id);
}

static bool is_picture_path(const char *path) {
    return !strncmp(path, FOLDER_PICTURES "/", strlen(FOLDER_PICTURES "/")) &&
           !strstr(path, "..") && path[strlen(path) - 1] != '/';
}

vl_status review_picture(const vl_review *review, const vl_item *item, vl_buf *bytes,
                         vl_error *error) {
    if (!is_picture_path(item->picture))
        return vl_fail(error, VL_ERR_MISSING, "this item has no picture");
    return folder_read(review->folder, item->picture, bytes, error)
               ? vl_fail(error, VL_ERR_MISSING, "the picture of this item is not in the folder")
               : VL_OK;
}

/* ---- the next ones --------------------------------------------------------------------------
 */

typedef struct next_call {
    vl_review *review;
    const char *reviewer;
    const char *const *have;
    size_t have_count, most, count, from;
    uint32_t *chosen; /* [most]: candidates */
    size_t settled;   /* places from the first one on that are settled for him */
} next_call;

typedef struct claims { /* on one item */
    const char *reviewer;
    int64_t now;
    bool own, own_open;
    size_t others, others_decided;
} claims;

static vl_status take_claim(const vl_db_value *columns, size_t count, void *to,
                            vl_error *error) {
    claims *c = to;
    int64_t state = columns[1].integer;
    (void)count;
    (void)error;
    if (!strcmp(vl_db_string(&columns[0]), c->reviewer)) {
        c->own = true;
        c->own_open = state == 0;
    } else if (state == 1) {
        c->others++;
        c->others_decided++;
    } else if (state == 0 && columns[2].integer > c->now - REVIEW_LEASE_MS) {
        c->others++;
    }
    return VL_OK;
}

static bool has_already(const next_call *n, const char *id) {
    for (size_t i = 0; i < n->have_count; i++)
        if (!strcmp(n->have[i], id))
            return true;
    return false;
}

static vl_status claim(vl_db_conn *conn, const next_call *n, const char *id, int64_t now,
                       vl_error *error) {
    return vl_db_run(
        conn,
        &(vl_db_call){.sql = "INSERT INTO claim VALUES ($1, $2, 0, $3) ON CONFLICT"
                             " (item, reviewer) DO UPDATE SET at_ms = $3",
                      VL_DB_PARAMS(vl_db_text(id), vl_db_text(n->reviewer), vl_db_int(now))},
        error);
}

/* One place of the order. `*settled`: it will never be his. */
static vl_status consider(vl_db_conn *conn, next_call *n, size_t place, bool *settled,
                          vl_error *error) {
    const vl_review *r = n->review;
    uint32_t candidate = r->places[place].candidate;
    char id[VL_ITEM_ID_SIZE];
    claims c = {.reviewer = n->reviewer, .now = vl_db_now_ms()};
    id_text(r->items[candidate].id, id);
    vl_status status = vl_db_run(
        conn,
        &(vl_db_call){.sql = "SELECT reviewer, state, at_ms FROM claim WHERE item = $1",
                      VL_DB_PARAMS(vl_db_text(id)),
                      .row = take_claim,
                      .user = &c},
        error);
    bool overlap = review_share_of(r->options.seed, r->items[candidate].id,
                                   REVIEW_FOR_OVERLAP) < r->options.overlap;
    size_t room = overlap ? OVERLAP_PLACES : 1;
    *settled = c.own ? !c.own_open : c.others_decided >= room;
    bool gets = c.own ? c.own_open : c.others < room;
    if (status || !gets || has_already(n, id))
        return status;
    n->chosen[n->count++] = candidate;
    return claim(conn, n, id, c.now, error);
}

static vl_status next_work(vl_db_conn *conn, void *user, vl_error *error) {
    next_call *n = user;
    bool all_settled = true;
    vl_status status = VL_OK;
    n->count = n->settled = 0;
    for (size_t p = n->from; p < n->review->place_count && n->count < n->most && !status; p++) {
        bool settled = false;
        status = consider(conn, n, p, &settled, error);
        all_settled = all_settled && settled;
        n->settled += all_settled;
    }
    return status;
}

/* Where the reviewer's search begins; NULL: there are too many reviewers to remember. */
static size_t *cursor_of(vl_review *r, const char *reviewer) {
    for (size_t i = 0; i < r->cursor_count; i++)
        if (!strcmp(r->cursors[i].reviewer, reviewer))
            return &r->cursors[i].at;
    if (r->cursor_count == REVIEWERS_MAX)
        return NULL;
    snprintf(r->cursors[r->cursor_count].reviewer, REVIEW_NAME_SIZE, "%s", reviewer);
    r->cursors[r->cursor_count].at = 0;
    return &r->cursors[r->cursor_count++].at;
}

static void move_cursor(vl_review *r, const char *reviewer, size_t from, size_t settled) {
    pthread_mutex_lock(&r->lock);
    size_t *cursor = cursor_of(r, reviewer);
    if (cursor && *cursor == from)
        *cursor += settled;
    pthread_mutex_unlock(&r->lock);
}

/* What was taken back comes again. */
static void rewind_cursor(vl_review *r, const char *reviewer) {
    pthread_mutex_lock(&r->lock);
    size_t *cursor = cursor_of(r, reviewer);
    if (cursor)
        *cursor = 0;
    pthread_mutex_unlock(&r->lock);
}

vl_status review_next(vl_review *review, const char *reviewer, const char *const *have,
                      size_t have_count, size_t most, vl_arena *arena, review_given *given,
                      size_t *count, vl_error *error) {
    uint32_t *chosen = vl_arena_array(arena, most, sizeof *chosen);
    *count = 0;
    if (!chosen)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu items", most);
    pthread_mutex_lock(&review->lock);
    const size_t *cursor = cursor_of(review, reviewer);
    next_call n = {.review = review,
                   .reviewer = reviewer,
                   .have = have,
                   .have_count = have_count,
                   .most = most,
                   .from = cursor ? *cursor : 0,
                   .chosen = chosen};
    pthread_mutex_unlock(&review->lock);
    vl_status status = vl_db_transact(review->db, VL_DB_SERIALIZABLE, next_work, &n, error);
    if (!status)
        move_cursor(review, reviewer, n.from, n.settled);
    for (size_t i = 0; i < n.count && !status; i++)
        status = give_item(review, &review->items[chosen[i]], arena, &given[i], error);
    *count = status ? 0 : n.count;
    return status;
}

/* ---- deciding -------------------------------------------------------------------------------
 */

static bool is_reason(const char *reason) {
    const review_reason *r = review_reasons;
    while (r->name && strcmp(r->name, reason) != 0)
        r++;
    return r->name != NULL;
}

vl_status review_check(const review_decision *d, vl_error *error) {
    bool corrects = d->verdict == REVIEW_CORRECTED;
    if (d->revision < 1 || d->revision > INT32_MAX)
        return vl_fail(error, VL_ERR_INPUT, "\"revision\" is 1 or more");
    if (corrects && !d->text && !d->has_box)
        return vl_fail(error, VL_ERR_INPUT, "a correction has a \"text\", a \"box\" or both");
    if (!corrects && (d->text || d->has_box))
        return vl_fail(error, VL_ERR_INPUT, "only a correction has a \"text\" or a \"box\"");
    if (d->text && (!*d->text || strlen(d->text) > REVIEW_TEXT_MAX))
        return vl_fail(error, VL_ERR_INPUT, "a corrected text has 1 to %d bytes",
                       REVIEW_TEXT_MAX);
    if (strlen(d->note) > REVIEW_NOTE_MAX)
        return vl_fail(error, VL_ERR_INPUT, "own words have at most %d bytes", REVIEW_NOTE_MAX);
    if (*d->reason && (d->verdict != REVIEW_REJECTED || !is_reason(d->reason)))
        return vl_fail(error, VL_ERR_INPUT, "\"reason\" is one of the list, of a rejection");
    if (d->verdict == REVIEW_REJECTED && !*d->reason && !*d->note)
        return vl_fail(error, VL_ERR_INPUT, "a rejection has a \"reason\" or a \"note\"");
    if (!(d->seconds >= 0 && d->seconds <= 86400) || d->decided_ms < 0)
        return vl_fail(error, VL_ERR_INPUT, "\"seconds\" are 0 to 86400");
    return VL_OK;
}

static vl_status check_box(const review_decision *d, const vl_item *item, vl_error *error) {
    const vl_box *b = &d->box;
    if (!d->has_box)
        return VL_OK;
    bool inside = b->x >= 0 && b->y >= 0 && b->width > 0 && b->height > 0 &&
                  (int64_t)b->x + b->width <= item->width &&
                  (int64_t)b->y + b->height <= item->height;
    return inside ? VL_OK
                  : vl_fail(error, VL_ERR_INPUT,
                            "\"box\" is x, y, width and height within the picture of %u × %u",
                            item->width, item->height);
}

static vl_status facts_of(const review_decision *d, const review_given *given, vl_arena *arena,
                          review_facts *facts, vl_error *error) {
    const vl_item *item = &given->item;
    *facts = (review_facts){.language = item->language,
                            .source = vl_arena_strndup(arena, item->source.record,
                                                       strcspn(item->source.record, "/")),
                            .kind = vl_item_kind_name(item->kind),
                            .score = item->score,
                            .random = given->random,
                            .distance = d->verdict <= REVIEW_CORRECTED ? 0 : -1};
    memcpy(facts->quality, item->quality, sizeof facts->quality);
    if (!facts->source)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    return d->text ? review_distance(item->text, d->text, &facts->distance, error) : VL_OK;
}

static vl_status decide_here(vl_review *review, const char *reviewer,
                             const review_decision *decision, const review_candidate *c,
                             vl_arena *arena, review_outcome *outcome, int64_t *latest,
                             vl_error *error) {
    review_given given;
    review_facts facts;
    vl_status status = give_item(review, c, arena, &given, error);
    if (!status)
        status = check_box(decision, &given.item, error);
    if (!status)
        status = facts_of(decision, &given, arena, &facts, error);
    return status
               ? status
               : review_store(review->db, reviewer, decision, &facts, outcome, latest, error);
}

vl_status review_decide(vl_review *review, const char *reviewer,
                        const review_decision *decision, review_outcome *outcome,
                        int64_t *latest, vl_error *error) {
    const review_candidate *c = candidate_of(review, decision->item);
    review_decision d = *decision; /* its text NFC, as that of items is */
    *outcome = REVIEW_UNKNOWN;
    *latest = 0;
    vl_status status = review_check(decision, error);
    if (status)
        return status;
    vl_arena *arena = vl_arena_new(ITEM_ARENA);
    if (!arena || (d.text && !(d.text = vl_text_nfc(arena, d.text))))
        status = vl_fail(error, VL_ERR_MEMORY, "out of memory");
    else if (c)
        status = decide_here(review, reviewer, &d, c, arena, outcome, latest, error);
    else
        status = review_store(review->db, reviewer, &d, NULL, outcome, latest, error);
    vl_arena_free(arena);
    if (!status && d.verdict == REVIEW_UNDONE)
        rewind_cursor(review, reviewer);
    return status;
}
