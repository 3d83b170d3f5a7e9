/* check_pictures.c — pictures are decoded once each, by a pool of threads, and held against
 * what rows say of them.
 *
 * Those that lie in files are only noted while rows are read (check_picture_named): the notes
 * are sorted by the picture's path in the end, so that a picture of many rows is decoded once.
 * Those in tars are decoded as they come (check_picture_given). What a picture is is compared
 * across splits: its bytes (SHA-256), and how it looks (phash.h). */
#include "dataset/check.h"
#include "dataset/phash.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RUNS_MEMORY = 4 << 20,
    NOTES_MAX = 1 << 16,   /* rows of one picture whose sizes and boxes are compared */
    GIVEN_MAX = 128 << 20, /* bytes of pictures that wait */
    PLACE_MAX = 400,
    NEAR_MEMORY = 64 << 20,
    NEAR_BITS = 4 /* stricter than a build, so that what it keeps apart is not found here */
};

/* What a row says of its picture. */
typedef struct note {
    uint64_t order, words_at; /* place NUL path NUL */
    uint32_t words, split;
    double width, height, right, bottom; /* 0: not said */
} note;

struct check_pictures {
    check *c;
    vl_pool *pool;
    size_t threads;
    vl_arena **arenas; /* one a thread */
    runs *paths;
    spill *notes, *words;
    vl_duplicates *near; /* NULL: nothing is in a split */
    pthread_mutex_t lock;
    pthread_cond_t less;
    size_t waiting; /* bytes */
    uint64_t count;
    vl_status status; /* the first failure of a thread that is not the picture's */
    vl_error error;
    uint64_t near_count;
    bool near_full;
};

check_pictures *check_pictures_new(check *c, vl_error *error) {
    check_pictures *p = calloc(1, sizeof *p);
    if (!p) {
        vl_fail(error, VL_ERR_MEMORY, "no memory for pictures");
        return NULL;
    }
    p->c = c;
    p->threads = c->options->jobs ? c->options->jobs : vl_cpu_count();
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->less, NULL);
    p->pool = vl_pool_new(p->threads, 2 * p->threads);
    p->arenas = calloc(p->threads, sizeof *p->arenas);
    bool whole = p->pool && p->arenas;
    for (size_t i = 0; whole && i < p->threads; i++)
        whole = (p->arenas[i] = vl_arena_new(1 << 20)) != NULL;
    if (whole)
        return p;
    check_pictures_free(p);
    vl_fail(error, VL_ERR_MEMORY, "no memory for pictures");
    return NULL;
}

void check_pictures_free(check_pictures *p) {
    if (!p)
        return;
    vl_pool_free(p->pool);
    for (size_t i = 0; p->arenas && i < p->threads; i++)
        vl_arena_free(p->arenas[i]);
    free(p->arenas);
    runs_free(p->paths);
    spill_free(p->notes);
    spill_free(p->words);
    vl_duplicates_free(p->near);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->less);
    free(p);
}

uint64_t check_pictures_count(const check_pictures *p) {
    return p->count;
}

static void remember(check_pictures *p, const vl_error *error) {
    pthread_mutex_lock(&p->lock);
    if (!p->status) {
        p->status = error->status;
        p->error = *error;
    }
    pthread_mutex_unlock(&p->lock);
}

/* ---- what a row says --------------------------------------------------------------------- */

static vl_status open_notes(check_pictures *p, vl_error *error) {
    const char *folder = p->c->options->folder;
    vl_status status = p->paths ? VL_OK : runs_new(folder, RUNS_MEMORY, &p->paths, error);
    if (!status && !p->notes)
        status = spill_open(folder, &p->notes, error);
    if (!status && !p->words)
        status = spill_open(folder, &p->words, error);
    return status;
}

/* Its words go to the file of words, where they have a place of their own. */
static vl_status note_of(const check *c, const check_row *row, const char *path, note *n,
                         vl_error *error) {
    check_pictures *p = c->pictures;
    size_t place = strnlen(row->place, PLACE_MAX);
    vl_status status = open_notes(p, error);
    if (status)
        return status;
    *n = (note){.order = c->rows,
                .split = row->split,
                .width = row->width,
                .height = row->height,
                .words_at = spill_size(p->words),
                .words = (uint32_t)(place + 1 + strlen(path) + 1)};
    for (size_t i = 0; i < row->box_count; i++) {
        n->right = fmax(n->right, row->boxes[i].x + row->boxes[i].width);
        n->bottom = fmax(n->bottom, row->boxes[i].y + row->boxes[i].height);
    }
    status = spill_append(p->words, row->place, place, error);
    if (!status)
        status = spill_append(p->words, "", 1, error);
    return status ? status : spill_append(p->words, path, strlen(path) + 1, error);
}

static uint64_t hash_of(const char *text) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return vl_random_next(&hash);
}

vl_status check_picture_named(check *c, const check_row *row, const char *path,
                              vl_error *error) {
    check_pictures *p = c->pictures;
    note n;
    vl_status status = note_of(c, row, path, &n, error);
    if (status)
        return status;
    uint64_t number = spill_size(p->notes) / sizeof n;
    if (number >= UINT32_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "more pictures than can be looked at");
    status = spill_append(p->notes, &n, sizeof n, error);
    return status ? status : runs_add(p->paths, hash_of(path), (uint32_t)number, error);
}

/* ---- a picture --------------------------------------------------------------------------- */

typedef struct job {
    check_pictures *p;
    char *path;  /* in the folder; "": `bytes` are it */
    char *place; /* of the first row */
    vl_buf bytes;
    size_t given; /* bytes that count as waiting */
    note *notes;
    char **places; /* of the notes */
    size_t count, room;
} job;

static void job_free(job *j) {
    if (!j)
        return;
    for (size_t i = 0; i < j->count; i++)
        free(j->places[i]);
    free(j->places);
    free(j->notes);
    free(j->path);
    vl_buf_deinit(&j->bytes);
    free(j);
}

static void say(const job *j, finding kind, const char *what) {
    findings_add(j->p->c->findings, kind, j->notes->order, j->places[0], "%s%s%s", j->path,
                 *j->path ? ": " : "", what);
}

static vl_status read_fd(int fd, vl_buf *out, vl_error *error) {
    char piece[1 << 16];
    ssize_t got;
    while ((got = read(fd, piece, sizeof piece)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return vl_fail(error, VL_ERR_INPUT, "%s", strerror(errno));
        vl_buf_append(out, piece, (size_t)got);
        if (out->failed)
            return vl_fail(error, VL_ERR_LIMIT, "the file is too large");
    }
    return VL_OK;
}

static bool read_picture(job *j) {
    vl_error why = {0};
    const check *c = j->p->c;
    uint64_t size = 0;
    int fd = -1;
    if (!*j->path)
        return true;
    vl_status status = check_open(c, j->path, &fd, &size, &why);
    if (status) {
        findings_add(c->findings,
                     status == VL_ERR_MISSING  ? FINDING_PICTURE_MISSING
                     : status == VL_ERR_DENIED ? FINDING_PATH_OUTSIDE
                                               : FINDING_PICTURE_UNREADABLE,
                     j->notes->order, j->places[0], "%s", why.message);
        return false;
    }
    if (size > c->options->limits.max_bytes) {
        say(j, FINDING_PICTURE_LARGE, "the file is larger than the limit");
        close(fd);
        return false;
    }
    status = read_fd(fd, &j->bytes, &why);
    close(fd);
    if (status)
        say(j, status == VL_ERR_LIMIT ? FINDING_PICTURE_LARGE : FINDING_PICTURE_UNREADABLE,
            why.message);
    return !status;
}

static void compare_notes(const job *j, const vl_image *image) {
    findings *f = j->p->c->findings;
    for (size_t i = 0; i < j->count; i++) {
        const note *n = &j->notes[i];
        bool says = n->width > 0 || n->height > 0;
        if (says && (n->width != image->width || n->height != image->height))
            findings_add(f, FINDING_PICTURE_SIZE, n->order, j->places[i],
                         "%s%sis %u by %u, and is said to be %.10g by %.10g", j->path,
                         *j->path ? " " : "it ", image->width, image->height, n->width,
                         n->height);
        else if (!says && (n->right > image->width + 0.5 || n->bottom > image->height + 0.5))
            findings_add(f, FINDING_BOX_OUTSIDE, n->order, j->places[i],
                         "a box reaches to %.10g, %.10g; %s is %u by %u", n->right, n->bottom,
                         *j->path ? j->path : "the picture", image->width, image->height);
    }
}

/* pictures/ab/abcdef….png: the name is the hash of the file. */
static void compare_hash(const job *j, const char *sha) {
    const char *name = strrchr(j->path, '/');
    if (j->p->c->layout != VL_LAYOUT_DATASET || !name)
        return;
    if (strncmp(name + 1, sha, VL_SHA256_HEX_SIZE - 1) != 0)
        say(j, FINDING_PICTURE_HASH, "its bytes have another SHA-256 than its name says");
}

/* ---- across splits ----------------------------------------------------------------------- */

static const note *first_in(const job *j, unsigned split, size_t *at) {
    const note *first = NULL;
    for (size_t i = 0; i < j->count; i++)
        if (j->notes[i].split == split && (!first || j->notes[i].order < first->order)) {
            first = &j->notes[i];
            *at = i;
        }
    return first;
}

static vl_status open_near(check_pictures *p, vl_error *error) {
    vl_duplicates_options options = vl_duplicates_options_default();
    options.distance = NEAR_BITS;
    options.memory = NEAR_MEMORY;
    options.folder = p->c->options->folder ? p->c->options->folder : "";
    return p->near ? VL_OK : vl_duplicates_new(&options, &p->near, error);
}

/* An id is where the words of the note are, and the split: the same whichever thread comes
 * first. */
static vl_status add_near(check_pictures *p, vl_arena *arena, const note *n, uint64_t hash,
                          vl_error *error) {
    pthread_mutex_lock(&p->lock);
    vl_status status = open_near(p, error);
    bool full = !status && p->near_count >= vl_duplicates_most(p->near);
    p->near_full = p->near_full || full;
    p->near_count += !status && !full;
    pthread_mutex_unlock(&p->lock);
    vl_duplicates_item item = {
        .id = n->words_at << 2 | n->split, .has_picture = true, .picture = hash};
    return status || full ? status : vl_duplicates_add(p->near, arena, &item, error);
}

static void compare_splits(const job *j, vl_arena *arena, const char *sha,
                           const vl_image *image) {
    vl_error error = {0};
    uint64_t hash = 0;
    bool found = false, hashed = false;
    vl_status status = VL_OK;
    for (unsigned split = 0; split < VL_SPLIT_COUNT && !status; split++) {
        size_t at = 0;
        const note *n = first_in(j, split, &at);
        if (!n)
            continue;
        check_statement s = {.key = sha,
                             .shown = *j->path ? j->path : sha,
                             .tag = split,
                             .place = j->places[at],
                             .order = n->order};
        status = check_index_add(j->p->c->index, RELATION_PICTURE_SPLITS, &s, &error);
        if (!status && !hashed)
            status = phash_of(image, &hash, &found, &error);
        hashed = true;
        if (!status && found)
            status = add_near(j->p, arena, n, hash, &error);
    }
    if (status)
        remember(j->p, &error);
}

static void look_at(job *j, vl_arena *arena) {
    const check *c = j->p->c;
    char sha[VL_SHA256_HEX_SIZE];
    vl_image *image = NULL;
    vl_error why = {0};
    if (!read_picture(j))
        return;
    vl_sha256_hex(j->bytes.data ? j->bytes.data : "", j->bytes.len, sha);
    compare_hash(j, sha);
    vl_status status =
        vl_document_first(j->bytes.data, j->bytes.len, &c->options->limits, &image, &why);
    if (status == VL_ERR_MEMORY || status == VL_ERR_MISSING || status == VL_ERR_CANCELLED)
        remember(j->p, &why);
    else if (status)
        say(j, status == VL_ERR_LIMIT ? FINDING_PICTURE_LARGE : FINDING_PICTURE_UNREADABLE,
            why.message);
    if (status)
        return;
    compare_notes(j, image);
    compare_splits(j, arena, sha, image);
    vl_image_free(image);
}

static void run_job(void *arg, size_t worker) {
    job *j = arg;
    check_pictures *p = j->p;
    look_at(j, p->arenas[worker]);
    pthread_mutex_lock(&p->lock);
    p->waiting -= j->given;
    p->count++;
    pthread_cond_signal(&p->less);
    pthread_mutex_unlock(&p->lock);
    job_free(j);
}

/* ---- jobs -------------------------------------------------------------------------------- */

static job *job_new(check_pictures *p, const char *path) {
    job *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->p = p;
    j->path = strdup(path);
    vl_buf_init(&j->bytes, p->c->options->limits.max_bytes);
    if (j->path)
        return j;
    job_free(j);
    return NULL;
}

static bool job_note(job *j, const note *n, const char *place) {
    if (j->count == NOTES_MAX)
        return true;
    if (j->count == j->room) {
        size_t room = j->room ? j->room * 2 : 1;
        note *notes = realloc(j->notes, room * sizeof *notes);
        if (notes)
            j->notes = notes;
        char **places = notes ? realloc(j->places, room * sizeof *places) : NULL;
        if (!places)
            return false;
        j->places = places;
        j->room = room;
    }
    j->notes[j->count] = *n;
    j->places[j->count] = strdup(place);
    return j->places[j->count] && ++j->count;
}

/* Takes over `j`. */
static vl_status submit(check_pictures *p, job *j, vl_error *error) {
    pthread_mutex_lock(&p->lock);
    while (p->waiting && p->waiting + j->given > GIVEN_MAX)
        pthread_cond_wait(&p->less, &p->lock);
    p->waiting += j->given;
    vl_status status = p->status;
    if (status && error)
        *error = p->error;
    pthread_mutex_unlock(&p->lock);
    if (!status)
        status = vl_stop_check(error);
    if (!status && vl_pool_submit_wait(p->pool, run_job, j))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for pictures");
    if (status)
        job_free(j);
    return status;
}

vl_status check_picture_given(check *c, const check_row *row, const void *bytes, size_t count,
                              vl_error *error) {
    note n;
    vl_status status = note_of(c, row, "", &n, error);
    if (status)
        return status;
    job *j = job_new(c->pictures, "");
    bool whole = j && job_note(j, &n, row->place);
    if (whole) {
        vl_buf_append(&j->bytes, bytes, count);
        j->given = count;
        whole = !j->bytes.failed;
    }
    if (whole)
        return submit(c->pictures, j, error);
    job_free(j);
    return vl_fail(error, VL_ERR_MEMORY, "no memory for a picture");
}

/* ---- the end ----------------------------------------------------------------------------- */

static vl_status add_note(check_pictures *p, uint32_t number, job **j, vl_error *error) {
    note n;
    char words[PLACE_MAX + FOLDER_PATH_SIZE + 2];
    vl_status status = spill_read(p->notes, (uint64_t)number * sizeof n, &n, sizeof n, error);
    if (!status)
        status = spill_read(p->words, n.words_at, words, n.words, error);
    if (status)
        return status;
    const char *path = words + strlen(words) + 1;
    if (!*j)
        *j = job_new(p, path);
    return *j && job_note(*j, &n, words)
               ? VL_OK
               : vl_fail(error, VL_ERR_MEMORY, "no memory for pictures");
}

static int by_order(const note *a, const note *b) {
    return (a->order > b->order) - (a->order < b->order);
}

/* The first row of a picture is the one that a finding is said of. */
static void put_first_first(job *j) {
    size_t first = 0;
    for (size_t i = 1; i < j->count; i++)
        if (by_order(&j->notes[i], &j->notes[first]) < 0)
            first = i;
    note n = j->notes[0];
    char *place = j->places[0];
    j->notes[0] = j->notes[first];
    j->places[0] = j->places[first];
    j->notes[first] = n;
    j->places[first] = place;
}

static vl_status look_at_named(check_pictures *p, vl_error *error) {
    runs_record record;
    bool more = true;
    uint64_t key = 0;
    job *j = NULL;
    vl_status status = runs_merge(p->paths, error);
    while (!status) {
        status = runs_next(p->paths, &record, &more, error);
        if (!status && j && (!more || record.key != key)) {
            put_first_first(j);
            status = submit(p, j, error);
            j = NULL;
        }
        if (status || !more)
            break;
        key = record.key;
        status = add_note(p, record.item, &j, error);
    }
    job_free(j);
    return status;
}

static vl_status read_place(check_pictures *p, uint64_t id, char place[PLACE_MAX + 1],
                            vl_error *error) {
    uint64_t at = id >> 2, left = spill_size(p->words) - at;
    place[PLACE_MAX] = '\0';
    return spill_read(p->words, at, place, left < PLACE_MAX ? left : PLACE_MAX, error);
}

/* Ids are in the order of rows; of a cluster the first of each split is said. */
static vl_status compare_near(check_pictures *p, vl_error *error) {
    vl_duplicates_member member;
    char early[PLACE_MAX + 1], late[PLACE_MAX + 1];
    uint64_t cluster = UINT64_MAX;
    unsigned said = 0;
    vl_status status = vl_duplicates_finish(p->near, error);
    while (!status && vl_duplicates_next(p->near, &member)) {
        if (!check_is_new_split(&member, &cluster, &said))
            continue;
        status = read_place(p, member.cluster, early, error);
        if (!status)
            status = read_place(p, member.id, late, error);
        if (!status)
            findings_add(p->c->findings, FINDING_LEAK_NEAR_PICTURE, member.id >> 2, late,
                         "the picture looks like that of %s, which is in %s", early,
                         vl_split_name((vl_split)(member.cluster & 3)));
    }
    return status;
}

vl_status check_pictures_finish(check *c, vl_error *error) {
    check_pictures *p = c->pictures;
    vl_status status = p->paths ? look_at_named(p, error) : VL_OK;
    vl_pool_wait(p->pool);
    if (!status && p->status) {
        status = p->status;
        if (error)
            *error = p->error;
    }
    if (!status && p->near_full)
        findings_add(c->findings, FINDING_UNCOMPARED, c->rows, c->root,
                     "more pictures than can be compared across splits in memory");
    return status || !p->near ? status : compare_near(p, error);
}
