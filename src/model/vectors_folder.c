/* vectors_folder.c — keeps the index of a folder up to date, looking only at what changed.
 *
 * The folder is walked and compared with the index that is there: a picture of the same name,
 * size and time stays as it is. Every other one is read by a pool of workers; where its content
 * is in the old index under any name its vector is taken from there, else it is decoded and
 * looked at. The main thread saves as they go. Until the end the writer also keeps what the old
 * index had and the walk has not replaced, so that a run that is killed loses nothing.
 *
 * In reading order: the old index, the walk, one picture, saving, the whole. */
#include "model/vectors.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct found {
    char *name; /* owned; relative to the folder */
    uint64_t bytes;
    int64_t mtime_ns;
    size_t old; /* index of the picture of this name in the old index, or SIZE_MAX */
} found;

typedef struct by_hash {
    uint8_t hash[VL_VECTORS_HASH_SIZE];
    size_t index;
} by_hash;

typedef struct refresh {
    const vl_vectors_folder *how;
    vl_vectors *old; /* NULL: none that can be used */
    by_hash *hashes; /* of `old`, sorted */
    vl_vectors_writer *writer;
    bool *seen; /* [count of old] of this name in the folder, and sound */
    found *files;
    size_t count, capacity;

    pthread_mutex_t lock; /* what follows, and `writer`, while workers run */
    pthread_cond_t one_done;
    vl_vectors_report report;
    size_t started, finished;
    size_t unsaved;   /* pictures in the writer that the file has not */
    vl_status failed; /* the first that ends the run */
    vl_error why;
    int64_t started_ns, saved_ns;
    double save_ms; /* that the last save took */
} refresh;

vl_vectors_folder vl_vectors_folder_default(void) {
    return (vl_vectors_folder){
        .threads = vl_cpu_count(), .limits = vl_media_limits_default(), .save_every = 1000};
}

/* ---- the old index ---------------------------------------------------------------- */

static int hash_order(const void *a, const void *b) {
    return memcmp(((const by_hash *)a)->hash, ((const by_hash *)b)->hash, VL_VECTORS_HASH_SIZE);
}

static vl_status sort_hashes(refresh *r, vl_error *error) {
    size_t count = vl_vectors_count(r->old);
    r->hashes = malloc((count + 1) * sizeof *r->hashes);
    r->seen = calloc(count + 1, sizeof *r->seen);
    if (!r->hashes || !r->seen)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu pictures", count);
    for (size_t i = 0; i < count; i++) {
        vl_vectors_picture picture;
        vl_vectors_at(r->old, i, &picture);
        memcpy(r->hashes[i].hash, picture.hash, sizeof picture.hash);
        r->hashes[i].index = i;
    }
    qsort(r->hashes, count, sizeof *r->hashes, hash_order);
    return VL_OK;
}

/* SIZE_MAX: the old index has no picture of this content. */
static size_t find_hash(const refresh *r, const uint8_t hash[VL_VECTORS_HASH_SIZE]) {
    by_hash key;
    if (!r->old)
        return SIZE_MAX;
    memcpy(key.hash, hash, sizeof key.hash);
    const by_hash *at =
        bsearch(&key, r->hashes, vl_vectors_count(r->old), sizeof *r->hashes, hash_order);
    return at ? at->index : SIZE_MAX;
}

/* Whether there is a file, and that it may be written over: it begins as an index does, or is
 * empty. */
static vl_status check_target(const char *path, bool *there, vl_error *error) {
    char head[sizeof VECTORS_MAGIC - 1];
    *there = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? VL_OK
                   : vl_fail(error, VL_ERR_IO, "cannot read the index %s: %s", path,
                             strerror(errno));
    ssize_t got = read(fd, head, sizeof head);
    int cause = errno;
    close(fd);
    if (got < 0)
        return vl_fail(error, VL_ERR_IO, "cannot read the index %s: %s", path, strerror(cause));
    if (got && memcmp(head, VECTORS_MAGIC, (size_t)got) != 0)
        return vl_fail(error, VL_ERR_INPUT,
                       "%s is no index of vectors, and is not written over; name another place",
                       path);
    *there = got > 0;
    return VL_OK;
}

/* Leaves r->old NULL where there is none, or none of use. */
static vl_status open_old(refresh *r, vl_error *error) {
    const vl_vectors_folder *how = r->how;
    bool there;
    vl_status status = check_target(how->index, &there, error);
    if (status || !there)
        return status;
    if (how->rebuild) {
        r->report.rebuilt = true;
        return VL_OK;
    }
    status = vl_vectors_open(how->index, &r->old, error);
    if (status == VL_ERR_INPUT || status == VL_ERR_UNSUPPORTED)
        return vl_error_prefix(error, "the index cannot be used, make it again (--rebuild)");
    if (status)
        return status;
    snprintf(r->report.was, sizeof r->report.was, "%s", vl_vectors_model(r->old));
    if (!strcmp(r->report.was, how->model) && vl_vectors_size(r->old) == how->size)
        return sort_hashes(r, error);
    r->report.rebuilt = true;
    vl_vectors_free(r->old);
    r->old = NULL;
    return VL_OK;
}

/* The writer begins with all that the old index has, in its order. */
static vl_status begin_writer(refresh *r, vl_error *error) {
    vl_status status = vl_vectors_writer_new(r->how->model, r->how->size, &r->writer, error);
    for (size_t i = 0; !status && r->old && i < vl_vectors_count(r->old); i++) {
        vl_vectors_picture picture;
        vl_vectors_at(r->old, i, &picture);
        status = vl_vectors_keep(r->writer, &picture, r->old, i, error);
    }
    return status;
}

/* ---- the walk --------------------------------------------------------------------- */

static bool is_picture(const char *path) {
    unsigned char head[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return true; /* let reading it say what is wrong */
    ssize_t count = read(fd, head, sizeof head);
    close(fd);
    vl_media_kind kind = count > 0 ? vl_media_sniff(head, (size_t)count) : VL_MEDIA_UNKNOWN;
    return kind != VL_MEDIA_UNKNOWN && kind != VL_MEDIA_PDF;
}

static vl_status add_found(refresh *r, const char *path, const char *name,
                           const struct stat *info, vl_error *error) {
    found file = {.bytes = (uint64_t)info->st_size,
                  .mtime_ns =
                      info->st_mtim.tv_sec * INT64_C(1000000000) + info->st_mtim.tv_nsec,
                  .old = r->old ? vl_vectors_find(r->old, name) : SIZE_MAX};
    vl_vectors_picture was;
    if (file.old != SIZE_MAX && vl_vectors_at(r->old, file.old, &was) &&
        was.bytes == file.bytes && was.mtime_ns == file.mtime_ns) {
        r->seen[file.old] = true;
        r->report.kept++;
        r->report.pictures++;
        return VL_OK;
    }
    if (!is_picture(path)) {
        r->report.left_out++;
        return VL_OK;
    }
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? r->capacity * 2 : 256;
        found *grown = realloc(r->files, capacity * sizeof *grown);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu files", capacity);
        r->files = grown;
        r->capacity = capacity;
    }
    file.name = strdup(name);
    if (!file.name)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu files", r->count);
    r->files[r->count++] = file;
    r->report.pictures++;
    return VL_OK;
}

static vl_status walk_entry(refresh *r, FTSENT *entry, const char *name, vl_error *error) {
    struct stat linked;
    switch (entry->fts_info) {
    case FTS_F:
        return add_found(r, entry->fts_path, name, entry->fts_statp, error);
    case FTS_SL: /* to a file; what leads to a folder could lead in circles */
        if (!stat(entry->fts_path, &linked) && S_ISREG(linked.st_mode))
            return add_found(r, entry->fts_path, name, &linked, error);
        return VL_OK;
    case FTS_DNR:
    case FTS_ERR:
        return vl_fail(error, VL_ERR_IO, "cannot read %s: %s", entry->fts_path,
                       strerror(entry->fts_errno));
    default:
        return VL_OK;
    }
}

static int by_name(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static vl_status walk(refresh *r, vl_error *error) {
    const char *folder = r->how->folder;
    struct stat info;
    if (stat(folder, &info))
        return vl_fail(error, VL_ERR_INPUT, "cannot read %s: %s", folder, strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return vl_fail(error, VL_ERR_INPUT, "%s is no folder", folder);
    char *roots[] = {(char *)(uintptr_t)folder, NULL}; /* fts does not write to it */
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    if (!tree)
        return vl_fail(error, VL_ERR_IO, "%s: %s", folder, strerror(errno));
    vl_status status = VL_OK;
    size_t root = strlen(folder);
    for (FTSENT *entry; !status && (errno = 0, entry = fts_read(tree));) {
        if (entry->fts_level > 0 && entry->fts_name[0] == '.') {
            fts_set(tree, entry, FTS_SKIP);
            continue;
        }
        const char *name = entry->fts_path + root;
        status = walk_entry(r, entry, name + strspn(name, "/"), error);
    }
    if (!status && errno)
        status = vl_fail(error, VL_ERR_IO, "%s: %s", folder, strerror(errno));
    fts_close(tree);
    return status;
}

/* ---- one picture ------------------------------------------------------------------ */

static void hash_of(const vl_buf *bytes, uint8_t hash[VL_VECTORS_HASH_SIZE]) {
    char hex[VL_SHA256_HEX_SIZE];
    vl_sha256_hex(bytes->data, bytes->len, hex);
    for (size_t i = 0; i < VL_VECTORS_HASH_SIZE; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        hash[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
}

static vl_status look(const refresh *r, const vl_buf *bytes, size_t worker, float *vector,
                      vl_error *error) {
    vl_image *image;
    vl_status status =
        vl_document_first(bytes->data, bytes->len, &r->how->limits, &image, error);
    if (!status)
        status = r->how->embed(r->how->user, worker, image, vector, error);
    vl_image_free(image);
    return status;
}

/* Puts a picture into the writer: `known` is where the old index has its content, or SIZE_MAX
 * and it has a new vector. */
static vl_status put(refresh *r, const found *file, const vl_vectors_picture *picture,
                     size_t known, const float *vector, vl_error *error) {
    if (file->old != SIZE_MAX) {
        r->seen[file->old] = true;
        if (known == SIZE_MAX)
            return vectors_writer_replace(r->writer, file->old, picture, vector, error);
        vectors_writer_replace_kept(r->writer, file->old, picture, r->old, known);
        return VL_OK;
    }
    if (known == SIZE_MAX)
        return vl_vectors_add(r->writer, picture, vector, error);
    return vl_vectors_keep(r->writer, picture, r->old, known, error);
}

/* A picture that cannot be read is told of and left out; only what is no fault of the picture
 * ends the run. */
static void conclude(refresh *r, const found *file, vl_status status, size_t known,
                     const vl_error *why) {
    bool fatal = status == VL_ERR_MEMORY || status == VL_ERR_INTERNAL;
    if (!status) {
        r->report.known += known != SIZE_MAX;
        r->report.embedded += known == SIZE_MAX;
        r->unsaved++;
    } else if (fatal && !r->failed) {
        r->failed = status;
        r->why = *why;
        vl_error_prefix(&r->why, "%.200s", file->name);
    } else if (!fatal) {
        r->report.broken++;
        if (r->how->broken)
            r->how->broken(r->how->user, file->name, why);
    }
    r->finished++;
    pthread_cond_signal(&r->one_done);
}

static bool stopped(const refresh *r) {
    return r->how->stopped && r->how->stopped(r->how->user);
}

static vl_status read_whole(const refresh *r, const found *file, vl_buf *bytes,
                            vl_error *error) {
    vl_buf path;
    vl_buf_init(&path, 1 << 16);
    vl_buf_printf(&path, "%s/%s", r->how->folder, file->name);
    vl_status status = vl_buf_status(&path, "a path", error);
    if (!status)
        status = vl_file_read(path.data, r->how->limits.max_bytes, bytes, error);
    vl_buf_deinit(&path);
    return status;
}

typedef struct job {
    refresh *refresh;
    const found *file;
} job;

static void work(void *arg, size_t worker) {
    job *j = arg;
    refresh *r = j->refresh;
    const found *file = j->file;
    vl_error error = {0};
    vl_buf bytes;
    size_t known = SIZE_MAX;
    vl_vectors_picture picture = {
        .name = file->name, .bytes = file->bytes, .mtime_ns = file->mtime_ns};
    free(j);
    vl_buf_init(&bytes, r->how->limits.max_bytes);
    float *vector = malloc(r->how->size * sizeof *vector);
    vl_status status = vector ? VL_OK : vl_fail(&error, VL_ERR_MEMORY, "out of memory");
    if (!status && stopped(r))
        status = vl_fail(&error, VL_ERR_CANCELLED, "stopped");
    if (!status)
        status = read_whole(r, file, &bytes, &error);
    if (!status) {
        hash_of(&bytes, picture.hash);
        known = find_hash(r, picture.hash);
    }
    if (!status && known == SIZE_MAX)
        status = look(r, &bytes, worker, vector, &error);
    vl_buf_deinit(&bytes);
    pthread_mutex_lock(&r->lock);
    if (!status)
        status = put(r, file, &picture, known, vector, &error);
    if (status == VL_ERR_CANCELLED) {
        r->finished++;
        pthread_cond_signal(&r->one_done);
    } else {
        conclude(r, file, status, known, &error);
    }
    pthread_mutex_unlock(&r->lock);
    free(vector);
}

/* ---- saving ----------------------------------------------------------------------- */

static vl_status save(refresh *r, vl_error *error) {
    int64_t started = vl_clock_ns();
    vl_status status = vl_vectors_write(r->writer, r->how->index, error);
    if (status)
        return vl_error_prefix(error, "the index cannot be written (--index names another "
                                      "place)");
    r->report.written = true;
    r->unsaved = 0;
    r->saved_ns = vl_clock_ns();
    r->save_ms = vl_clock_ms_since(started);
    return VL_OK;
}

/* With the lock held: workers wait while it saves, a twentieth of the time at most. */
static void save_if_due(refresh *r) {
    enum { SECONDS = 20, SHARE = 20 };
    double since = vl_clock_ms_since(r->saved_ns);
    bool due = r->unsaved >= r->how->save_every || (r->unsaved && since >= 1000.0 * SECONDS);
    if (due && !r->failed && since >= SHARE * r->save_ms)
        r->failed = save(r, &r->why);
}

static void tell(refresh *r) {
    r->report.seconds = vl_clock_ms_since(r->started_ns) / 1000;
    if (r->how->progress)
        r->how->progress(r->how->user, &r->report);
}

/* Waits until fewer than `most` pictures are on their way, saving between. */
static void wait_for_room(refresh *r, size_t most) {
    pthread_mutex_lock(&r->lock);
    for (;;) {
        save_if_due(r);
        tell(r);
        if (r->started - r->finished < most)
            break;
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        pthread_cond_timedwait(&r->one_done, &r->lock, &until);
    }
    pthread_mutex_unlock(&r->lock);
}

static bool ended(refresh *r) {
    pthread_mutex_lock(&r->lock);
    bool failed = r->failed != VL_OK;
    pthread_mutex_unlock(&r->lock);
    return failed || stopped(r);
}

static vl_status submit(refresh *r, vl_pool *pool, const found *file, vl_error *error) {
    job *j = malloc(sizeof *j);
    if (!j)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    *j = (job){r, file};
    vl_status status = vl_pool_submit_wait(pool, work, j);
    if (status) {
        free(j);
        return vl_fail(error, status, "the workers do not take pictures");
    }
    r->started++;
    return VL_OK;
}

/* Hours of looking are not begun where nothing can be saved. */
static vl_status check_writable(const char *index, vl_error *error) {
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", index);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    if (!access(slash ? folder : ".", W_OK | X_OK))
        return VL_OK;
    return vl_fail(error, VL_ERR_IO,
                   "the index cannot be written (--index names another place): %s: %s", index,
                   strerror(errno));
}

static vl_status read_all(refresh *r, vl_error *error) {
    if (!r->count)
        return VL_OK;
    vl_status status = check_writable(r->how->index, error);
    if (status)
        return status;
    size_t threads = r->how->threads ? r->how->threads : 1;
    threads = threads < r->count ? threads : r->count;
    vl_pool *pool = vl_pool_new(threads, 2 * threads);
    if (!pool)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu workers", threads);
    for (size_t i = 0; i < r->count && !status && !ended(r); i++) {
        status = submit(r, pool, &r->files[i], error);
        wait_for_room(r, 2 * threads);
    }
    wait_for_room(r, 1);
    vl_pool_free(pool);
    return status;
}

/* ---- the whole -------------------------------------------------------------------- */

/* What the old index has and the folder has not is dropped, and what is new is written. */
static vl_status finish(refresh *r, vl_error *error) {
    size_t old = r->old ? vl_vectors_count(r->old) : 0;
    if (r->failed) {
        if (error)
            *error = r->why;
        return r->failed;
    }
    if (stopped(r)) {
        vl_status status = r->unsaved ? save(r, error) : VL_OK;
        return status
                   ? status
                   : vl_fail(error, VL_ERR_CANCELLED,
                             "stopped; what was looked at is kept, and the next run goes on");
    }
    for (size_t i = 0; i < old; i++)
        if (!r->seen[i]) {
            vectors_writer_drop(r->writer, i);
            r->report.removed++;
        }
    bool changed = r->unsaved || r->report.removed || !r->old;
    return changed ? save(r, error) : VL_OK;
}

static void deinit(refresh *r) {
    vl_vectors_writer_free(r->writer); /* it points into the old index */
    vl_vectors_free(r->old);
    for (size_t i = 0; i < r->count; i++)
        free(r->files[i].name);
    free(r->files);
    free(r->hashes);
    free(r->seen);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->one_done);
}

vl_status vl_vectors_refresh(const vl_vectors_folder *how, vl_vectors_report *report,
                             vl_vectors **vectors, vl_error *error) {
    refresh r = {.how = how,
                 .lock = PTHREAD_MUTEX_INITIALIZER,
                 .one_done = PTHREAD_COND_INITIALIZER,
                 .started_ns = vl_clock_ns()};
    *vectors = NULL;
    r.saved_ns = r.started_ns;
    vl_status status = open_old(&r, error);
    if (!status)
        status = walk(&r, error);
    if (!status)
        status = begin_writer(&r, error);
    if (!status)
        status = read_all(&r, error);
    if (!status)
        status = finish(&r, error);
    if (!status)
        status = vl_vectors_open(how->index, vectors, error);
    r.report.seconds = vl_clock_ms_since(r.started_ns) / 1000;
    *report = r.report;
    deinit(&r);
    return status;
}
