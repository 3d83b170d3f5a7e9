/* duplicates.c — see duplicates.h.
 *
 * While adding, three things grow on disk: a head an item, a sketch a text, and (key, item) for
 * each band of a text and one for the whole of it. An item's place in them is its number.
 *
 * finish:  ids sorted → each item's rank, the order of ids, which does not depend on that of
 *          adding; from here on clusters are made of ranks
 *          keys sorted → copies united; then buckets of each band: candidates, verified
 *          pictures sorted → equal ones united, then near ones
 *          best of each cluster, and lists of members
 *
 * Union-find keeps the smallest rank as the root (Tarjan 1975; paths are halved), so a root is
 * its cluster's name. A pair more or less between items that hang together anyway changes
 * nothing, so those are not compared. */
#include "dataset/duplicates.h"

#include "dataset/dice.h"
#include "dataset/hamming.h"
#include "dataset/minhash.h"
#include "dataset/spill.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { HAS_TEXT = 1, HAS_PICTURE = 2 };
enum { ITEM_BYTES = 16, PIECE = 256 * 1024, ASK_EVERY = 65536 };

typedef struct head {
    uint64_t id, picture;
    float quality;
    uint32_t has;
} head;

struct vl_duplicates {
    vl_duplicates_options options;
    char *folder;
    minhash functions;
    pthread_mutex_t lock;
    vl_status failed;
    uint32_t count;
    spill *heads, *sketches; /* [count]; a sketch of an item without text is zeros */
    runs *keys;

    uint32_t *rank;    /* [count] of an item; while finishing */
    uint32_t *parent;  /* [count] of a rank: clusters */
    uint32_t *next;    /* [count] the next rank of the cluster, or itself */
    uint8_t *copies;   /* a bit an item; in the end a bit a rank, of what is kept */
    spill *ids;        /* [count] by rank */
    uint64_t *id;      /* [count] by rank, in the end */
    uint32_t root, at; /* where the listing is */
    bool listing;
    vl_duplicates_report report;
};

/* ---- options ---------------------------------------------------------------------- */

vl_duplicates_options vl_duplicates_options_default(void) {
    return (vl_duplicates_options){
        .threshold = 0.8, .distance = 6, .hashes = 128, .memory = 256 << 20, .folder = ""};
}

static vl_status check_options(const vl_duplicates_options *options, vl_error *error) {
    if (options->distance > HAMMING_MOST)
        return vl_fail(error, VL_ERR_USAGE,
                       "pictures are near duplicates up to %d bits apart, not %u", HAMMING_MOST,
                       options->distance);
    if (options->memory < VL_DUPLICATES_LEAST_MEMORY)
        return vl_fail(error, VL_ERR_USAGE,
                       "duplicates are found in at least %d MB of memory, not %.1f",
                       VL_DUPLICATES_LEAST_MEMORY >> 20, (double)options->memory / 0x1p20);
    return VL_OK;
}

static vl_status open_all(vl_duplicates *d, vl_error *error) {
    const vl_duplicates_options *o = &d->options;
    vl_status status = minhash_init(&d->functions, o->hashes, o->threshold, o->seed, error);
    if (!status)
        status = spill_open(d->folder, &d->heads, error);
    if (!status)
        status = spill_open(d->folder, &d->sketches, error);
    if (!status)
        status = runs_new(d->folder, o->memory / 2, &d->keys, error);
    return status;
}

vl_status vl_duplicates_new(const vl_duplicates_options *options, vl_duplicates **out,
                            vl_error *error) {
    *out = NULL;
    vl_status status = check_options(options, error);
    if (status)
        return status;
    vl_duplicates *d = calloc(1, sizeof *d);
    char *folder = strdup(options->folder ? options->folder : "");
    if (!d || !folder) {
        free(d);
        free(folder);
        return vl_fail(error, VL_ERR_MEMORY, "no memory to find duplicates");
    }
    d->options = *options;
    d->options.folder = d->folder = folder;
    pthread_mutex_init(&d->lock, NULL);
    status = open_all(d, error);
    if (status)
        vl_duplicates_free(d);
    else
        *out = d;
    return status;
}

static void texts_free(vl_duplicates *d) {
    spill_free(d->sketches);
    runs_free(d->keys);
    d->sketches = NULL;
    d->keys = NULL;
}

static void finishing_free(vl_duplicates *d) {
    texts_free(d);
    free(d->rank);
    spill_free(d->heads);
    spill_free(d->ids);
    d->rank = NULL;
    d->heads = d->ids = NULL;
}

void vl_duplicates_free(vl_duplicates *d) {
    if (!d)
        return;
    finishing_free(d);
    free(d->parent);
    free(d->next);
    free(d->copies);
    free(d->id);
    free(d->folder);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

size_t vl_duplicates_most(const vl_duplicates *d) {
    size_t most = d->options.memory / 4 * 3 / ITEM_BYTES;
    return most < UINT32_MAX - 1 ? most : UINT32_MAX - 1;
}

vl_duplicates_report vl_duplicates_counts(const vl_duplicates *d) {
    return d->report;
}

/* ---- adding ----------------------------------------------------------------------- */

/* What is made of a text outside the lock. */
typedef struct text_prints {
    minhash_sketch sketch;
    uint64_t keys[MINHASH_BANDS_MOST];
    bool any;
} text_prints;

static vl_status make_prints(const vl_duplicates *d, vl_arena *scratch, const char *text,
                             text_prints *prints, vl_error *error) {
    shingles found;
    uint32_t values[MINHASH_MOST];
    prints->any = false;
    if (!text)
        return VL_OK;
    vl_status status = shingles_of(scratch, text, d->options.seed, &found, error);
    if (status || !found.count)
        return status;
    status = minhash_of(&d->functions, scratch, &found, values, &prints->sketch, error);
    for (size_t band = 0; band < d->functions.bands; band++)
        prints->keys[band] = minhash_band_key(&d->functions, values, band);
    prints->any = !status;
    return status;
}

static vl_status put_text(vl_duplicates *d, const text_prints *prints, vl_error *error) {
    size_t bytes = minhash_sketch_bytes(&d->functions);
    vl_status status = spill_skip(d->sketches, (uint64_t)d->count * bytes, error);
    if (!status)
        status = spill_append(d->sketches, &prints->sketch, bytes, error);
    if (!status) /* below the keys of all bands */
        status = runs_add(d->keys, prints->sketch.text >> 6, d->count, error);
    for (size_t band = 0; band < d->functions.bands && !status; band++)
        status = runs_add(d->keys, prints->keys[band], d->count, error);
    return status;
}

static vl_status put_item(vl_duplicates *d, const head *h, const text_prints *prints,
                          vl_error *error) {
    if (d->failed)
        return vl_fail(error, d->failed, "%s",
                       d->heads ? "an item before this one could not be added"
                                : "items cannot be added once duplicates were found");
    if (d->count >= vl_duplicates_most(d))
        return vl_fail(error, VL_ERR_LIMIT,
                       "duplicates among more than %zu items need more memory than %.0f MB: "
                       "27 bytes an item",
                       vl_duplicates_most(d), (double)d->options.memory / 0x1p20);
    d->failed = spill_append(d->heads, h, sizeof *h, error);
    if (!d->failed && prints->any)
        d->failed = put_text(d, prints, error);
    d->count += !d->failed;
    return d->failed;
}

vl_status vl_duplicates_add(vl_duplicates *d, vl_arena *scratch, const vl_duplicates_item *item,
                            vl_error *error) {
    text_prints prints;
    if (!isfinite(item->quality))
        return vl_fail(error, VL_ERR_USAGE, "the quality of item %llu is no number",
                       (unsigned long long)item->id);
    vl_status status = make_prints(d, scratch, item->text, &prints, error);
    vl_arena_reset(scratch);
    if (status)
        return status;
    head h = {.id = item->id, .quality = item->quality, .has = prints.any ? HAS_TEXT : 0};
    if (item->has_picture) {
        h.picture = item->picture;
        h.has |= HAS_PICTURE;
    }
    pthread_mutex_lock(&d->lock);
    status = put_item(d, &h, &prints, error);
    pthread_mutex_unlock(&d->lock);
    return status;
}

/* ---- clusters of ranks ------------------------------------------------------------ */

static uint32_t find(uint32_t *parent, uint32_t rank) {
    while (parent[rank] != rank)
        rank = parent[rank] = parent[parent[rank]];
    return rank;
}

static void unite(uint32_t *parent, uint32_t a, uint32_t b) {
    a = find(parent, a);
    b = find(parent, b);
    if (a < b)
        parent[b] = a;
    else
        parent[a] = b;
}

static uint32_t *numbers(const vl_duplicates *d, vl_error *error) {
    uint32_t *all = malloc((d->count ? d->count : 1) * sizeof *all);
    if (!all)
        vl_fail(error, VL_ERR_MEMORY, "no memory for %u items", d->count);
    return all;
}

static bool bit(const uint8_t *bits, uint32_t i) {
    return bits[i / 8] >> i % 8 & 1;
}

static void bit_set(uint8_t *bits, uint32_t i) {
    bits[i / 8] |= (uint8_t)(1 << i % 8);
}

/* ---- heads in their order --------------------------------------------------------- */

typedef vl_status (*head_fn)(vl_duplicates *d, uint32_t item, const head *h, void *user,
                             vl_error *error);

static vl_status each_head(vl_duplicates *d, head_fn give, void *user, vl_error *error) {
    spill_reader reader;
    const void *bytes;
    uint32_t item = 0;
    vl_status status =
        spill_reader_init(&reader, d->heads, 0, spill_size(d->heads), PIECE, error);
    while (!status && !(status = spill_reader_next(&reader, sizeof(head), &bytes, error)) &&
           bytes) {
        head h;
        memcpy(&h, bytes, sizeof h);
        status = give(d, item, &h, user, error);
        if (!status && ++item % ASK_EVERY == 0)
            status = vl_stop_check(error);
    }
    spill_reader_deinit(&reader);
    return status;
}

/* Sorts a number of each head that `give` adds; *out is ready to be read. */
static vl_status sort_heads(vl_duplicates *d, head_fn give, runs **out, vl_error *error) {
    vl_status status = runs_new(d->folder, d->options.memory / 4, out, error);
    if (!status)
        status = each_head(d, give, *out, error);
    if (!status)
        status = runs_merge(*out, error);
    if (!status && d->keys)
        d->report.spilled = runs_spilled(*out) + runs_spilled(d->keys) + spill_size(d->heads) +
                            spill_size(d->sketches);
    return status;
}

/* ---- ranks ------------------------------------------------------------------------ */

static vl_status give_id(vl_duplicates *d, uint32_t item, const head *h, void *sorter,
                         vl_error *error) {
    (void)d;
    return runs_add(sorter, h->id, item, error);
}

static vl_status rank_all(vl_duplicates *d, vl_error *error) {
    runs *sorted = NULL;
    runs_record record, last = {0};
    bool more = true;
    vl_status status = sort_heads(d, give_id, &sorted, error);
    if (!status)
        status = spill_open(d->folder, &d->ids, error);
    if (!status && (!(d->rank = numbers(d, error)) || !(d->parent = numbers(d, error))))
        status = VL_ERR_MEMORY;
    for (uint32_t rank = 0; !status; rank++, last = record) {
        if ((status = runs_next(sorted, &record, &more, error)) || !more)
            break;
        if (rank && record.key == last.key)
            status = vl_fail(error, VL_ERR_USAGE, "the id %llu was added twice",
                             (unsigned long long)record.key);
        else
            status = spill_append(d->ids, &record.key, sizeof record.key, error);
        d->rank[record.item] = rank;
        d->parent[rank] = rank;
    }
    runs_free(sorted);
    return status;
}

/* ---- texts ------------------------------------------------------------------------ */

typedef struct entry {
    uint32_t rank, item;
} entry;

/* Items that share a key; grows up to their number. */
typedef struct bucket {
    entry *all;
    size_t count, capacity;
} bucket;

typedef struct slot {
    entry of;
    bool read;
    minhash_sketch sketch;
} slot;

static vl_status bucket_add(bucket *b, entry e, vl_error *error) {
    if (b->count == b->capacity) {
        size_t capacity = b->capacity ? 2 * b->capacity : 256;
        entry *grown = realloc(b->all, capacity * sizeof *grown);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu items with a key",
                           capacity);
        b->all = grown;
        b->capacity = capacity;
    }
    b->all[b->count++] = e;
    return VL_OK;
}

static int by_rank(const void *a, const void *b) {
    uint32_t x = ((const entry *)a)->rank, y = ((const entry *)b)->rank;
    return (x > y) - (x < y);
}

static vl_status read_sketch(vl_duplicates *d, slot *s, vl_error *error) {
    size_t bytes = minhash_sketch_bytes(&d->functions);
    if (s->read)
        return VL_OK;
    s->read = true;
    return spill_read(d->sketches, (uint64_t)s->of.item * bytes, &s->sketch, bytes, error);
}

/* Of the same key, which has 58 bits of the text's hash: the first is left as it is. */
static vl_status unite_copies(vl_duplicates *d, const bucket *b, vl_error *error) {
    size_t bytes = minhash_sketch_bytes(&d->functions);
    uint64_t first = 0, text;
    vl_status status = VL_OK;
    for (size_t i = 0; i < b->count && !status; i++) {
        status = spill_read(d->sketches, (uint64_t)b->all[i].item * bytes, &text, sizeof text,
                            error);
        if (i == 0)
            first = text;
        else if (!status && text == first) {
            unite(d->parent, b->all[0].rank, b->all[i].rank);
            bit_set(d->copies, b->all[i].item);
            d->report.copies++;
        }
    }
    return status;
}

/* Compares `fresh` with the `count` slots that it does not hang together with yet. *joined:
 * with one it does now. */
static vl_status compare_with(vl_duplicates *d, slot *fresh, slot *slots, size_t count,
                              bool *joined, vl_error *error) {
    vl_status status = VL_OK;
    *joined = false;
    for (size_t i = 0; i < count && !status; i++) {
        if (find(d->parent, slots[i].of.rank) == find(d->parent, fresh->of.rank)) {
            *joined = true;
            continue;
        }
        status = read_sketch(d, fresh, error);
        if (!status)
            status = read_sketch(d, &slots[i], error);
        if (status)
            break;
        d->report.compared++;
        if (minhash_similarity(&d->functions, &fresh->sketch, &slots[i].sketch) >=
            d->options.threshold - 1e-9) {
            unite(d->parent, slots[i].of.rank, fresh->of.rank);
            *joined = true;
        }
    }
    return status;
}

/* In a bucket of up to DUPLICATES_COMPARED every pair; of a larger one that many stay to be
 * compared with, and the oldest gives way to one that is near to none of them. */
static vl_status compare_bucket(vl_duplicates *d, bucket *b, slot *slots, vl_error *error) {
    vl_status status = VL_OK;
    size_t held = 0, oldest = 0;
    bool joined;
    for (size_t i = 0; i < b->count && !status; i++) {
        slot fresh;
        fresh.of = b->all[i];
        fresh.read = false;
        status = compare_with(d, &fresh, slots, held, &joined, error);
        if (held < DUPLICATES_COMPARED)
            slots[held++] = fresh;
        else if (!joined)
            slots[oldest++ % DUPLICATES_COMPARED] = fresh;
    }
    return status;
}

static vl_status end_bucket(vl_duplicates *d, bucket *b, uint64_t key, slot *slots,
                            vl_error *error) {
    vl_status status = VL_OK;
    if (b->count > 1) {
        qsort(b->all, b->count, sizeof *b->all, by_rank);
        status = key >> 58 ? compare_bucket(d, b, slots, error) : unite_copies(d, b, error);
    }
    b->count = 0;
    return status;
}

static vl_status each_bucket(vl_duplicates *d, bucket *b, slot *slots, vl_error *error) {
    runs_record record;
    uint64_t key = 0;
    bool more = true;
    size_t asked = 0;
    vl_status status = runs_merge(d->keys, error);
    while (!status && !(status = runs_next(d->keys, &record, &more, error)) && more) {
        if (b->count && record.key != key)
            status = end_bucket(d, b, key, slots, error);
        key = record.key;
        if (!status && !(key >> 58 && bit(d->copies, record.item)))
            status = bucket_add(b, (entry){d->rank[record.item], record.item}, error);
        if (!status && ++asked % ASK_EVERY == 0)
            status = vl_stop_check(error);
    }
    return status ? status : end_bucket(d, b, key, slots, error);
}

static vl_status find_texts(vl_duplicates *d, vl_error *error) {
    bucket b = {0};
    slot *slots = calloc(DUPLICATES_COMPARED, sizeof *slots);
    d->copies = calloc(d->count / 8 + 1, 1);
    vl_status status = VL_OK;
    if (!slots || !d->copies)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory to compare %u items", d->count);
    else
        status = each_bucket(d, &b, slots, error);
    free(b.all);
    free(slots);
    return status;
}

/* ---- pictures --------------------------------------------------------------------- */

static vl_status give_picture(vl_duplicates *d, uint32_t item, const head *h, void *sorter,
                              vl_error *error) {
    return h->has & HAS_PICTURE ? runs_add(sorter, h->picture, d->rank[item], error) : VL_OK;
}

/* Equal hashes are united; each goes to `hashes` once. */
static vl_status unite_equal_pictures(vl_duplicates *d, spill *hashes, size_t *count,
                                      vl_error *error) {
    runs *sorted = NULL;
    runs_record record, first = {0};
    bool more = true;
    vl_status status = sort_heads(d, give_picture, &sorted, error);
    *count = 0;
    while (!status && !(status = runs_next(sorted, &record, &more, error)) && more) {
        if (*count && record.key == first.key) {
            unite(d->parent, first.item, record.item);
            continue;
        }
        first = record;
        ++*count;
        hamming_record written = {(uint32_t)(record.key >> 32), (uint32_t)record.key,
                                  record.item};
        status = spill_append(hashes, &written, sizeof written, error);
    }
    runs_free(sorted);
    return status;
}

static void near_pictures(void *user, uint32_t a, uint32_t b) {
    vl_duplicates *d = user;
    unite(d->parent, a, b);
}

static bool same_cluster(void *user, uint32_t a, uint32_t b) {
    vl_duplicates *d = user;
    return find(d->parent, a) == find(d->parent, b);
}

static vl_status find_pictures(vl_duplicates *d, vl_error *error) {
    spill *hashes = NULL;
    size_t count = 0, memory = d->options.memory - 9 * (size_t)d->count - (size_t)(4 << 20);
    vl_status status = spill_open(d->folder, &hashes, error);
    if (!status)
        status = unite_equal_pictures(d, hashes, &count, error);
    if (!status && count > 1)
        status = hamming_join(hashes, count, d->options.distance, memory, near_pictures,
                              same_cluster, d, error);
    spill_free(hashes);
    return status;
}

/* ---- the best, and the list ------------------------------------------------------- */

static vl_status give_quality(vl_duplicates *d, uint32_t item, const head *h, void *qualities,
                              vl_error *error) {
    (void)error;
    ((float *)qualities)[d->rank[item]] = h->quality;
    return VL_OK;
}

/* A bit for each rank that is kept, in place of the copies. */
static vl_status keep_best(vl_duplicates *d, vl_error *error) {
    float *quality = malloc((d->count ? d->count : 1) * sizeof *quality);
    uint32_t *best = numbers(d, error);
    vl_status status = VL_OK;
    if (!quality || !best)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for %u items", d->count);
    else
        status = each_head(d, give_quality, quality, error);
    memset(d->copies, 0, d->count / 8 + 1);
    for (uint32_t rank = 0; rank < d->count && !status; rank++) {
        uint32_t root = find(d->parent, rank);
        if (rank == root || quality[rank] > quality[best[root]])
            best[root] = rank;
    }
    for (uint32_t rank = 0; rank < d->count && !status; rank++)
        if (d->parent[rank] == rank)
            bit_set(d->copies, best[rank]);
    free(quality);
    free(best);
    return status;
}

static vl_status make_lists(vl_duplicates *d, vl_error *error) {
    d->next = numbers(d, error);
    d->id = malloc((d->count ? d->count : 1) * sizeof *d->id);
    if (!d->next || !d->id)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %u items", d->count);
    vl_status status = spill_read(d->ids, 0, d->id, d->count * sizeof *d->id, error);
    if (status)
        return status;
    for (uint32_t rank = d->count; rank-- > 0;) {
        uint32_t root = d->parent[rank] = find(d->parent, rank);
        d->next[rank] = rank;
        d->report.clusters += root == rank;
    }
    /* From the end, each goes between its root and what the root had next. */
    for (uint32_t rank = d->count; rank-- > 0;) {
        uint32_t root = d->parent[rank];
        if (root == rank)
            continue;
        d->next[rank] = d->next[root] == root ? rank : d->next[root];
        d->next[root] = rank;
    }
    d->report.items = d->count;
    return status;
}

vl_status vl_duplicates_finish(vl_duplicates *d, vl_error *error) {
    if (d->failed || d->id)
        return vl_fail(error, VL_ERR_USAGE,
                       "duplicates are found once, of items that could be added");
    vl_status status = runs_rest(d->keys, error);
    if (!status)
        status = rank_all(d, error);
    if (!status)
        status = find_texts(d, error);
    texts_free(d);
    if (!status)
        status = find_pictures(d, error);
    if (!status)
        status = keep_best(d, error);
    free(d->rank);
    d->rank = NULL;
    if (!status)
        status = make_lists(d, error);
    finishing_free(d);
    d->failed = status ? status : VL_ERR_USAGE;
    return status;
}

bool vl_duplicates_next(vl_duplicates *d, vl_duplicates_member *member) {
    if (d->listing && d->next[d->at] != d->at) {
        d->at = d->next[d->at];
    } else {
        d->root = d->listing ? d->root + 1 : 0;
        while (d->root < d->count && d->parent[d->root] != d->root)
            d->root++;
        d->at = d->root;
    }
    d->listing = d->root < d->count;
    if (!d->listing)
        return false;
    *member = (vl_duplicates_member){
        .id = d->id[d->at], .cluster = d->id[d->root], .keep = bit(d->copies, d->at)};
    return true;
}
