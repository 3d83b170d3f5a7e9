/* chars_count.c — n-grams of code points, with modified interpolated Kneser-Ney probabilities,
 * pruned.
 *
 * A symbol is ten bits, so an n-gram of six is one 64-bit key, and counting is sorting.
 *
 * Kneser and Ney give a shorter n-gram the count of its different longer ones, because it is
 * asked only where none of these is known. After pruning fewer are known, and a longer n-gram
 * that is left out must leave its occurrences to the shorter: so the count of an n-gram is the
 * number of its longer ones that are kept, and the occurrences of those that are not (the idea
 * of Siivola, Hirsimaki and Virpioja 2007). With nothing pruned that is Kneser-Ney, with
 * everything pruned plain counts. What begins a line has nothing before it and keeps its own
 * count.
 *
 * What is kept is a tree, and each n-gram has a price in bytes and a loss in nats when it is
 * left out (Seymore and Rosenfeld 1996). For a given rate of nats a byte the best tree follows
 * from the leaves: a branch stays when its gains pay for its bytes. Pruning changes counts and
 * counts change losses, so a few rounds are made. */
#include "train/chars_count.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_OFTEN = 2 }; /* a code point that is rarer is an unknown one */

/* ---- symbols ---------------------------------------------------------------------------- */

typedef struct point_count {
    uint32_t point, count;
} point_count;

static int by_count(const void *a, const void *b) {
    const point_count *p = a, *q = b;
    if (p->count != q->count)
        return p->count > q->count ? -1 : 1;
    return p->point < q->point ? -1 : p->point > q->point;
}

static int by_point(const void *a, const void *b) {
    uint32_t p = *(const uint32_t *)a, q = *(const uint32_t *)b;
    return p < q ? -1 : p > q;
}

uint32_t chars_symbol(const chars_counts *c, uint32_t point) {
    const uint32_t *found =
        bsearch(&point, c->points, c->symbols - 2, sizeof *c->points, by_point);
    return point == '\n' ? VL_NGRAM_EDGE
           : found       ? (uint32_t)(found - c->points) + 2
                         : VL_NGRAM_UNKNOWN;
}

/* The commonest code points of the text. */
static bool choose_symbols(const chars_text *text, chars_counts *c) {
    enum { POINTS = 0x110000 };
    uint32_t *often = calloc(POINTS, sizeof *often);
    point_count *found = calloc(POINTS, sizeof *found);
    size_t used = 0;
    for (size_t i = 0; often && i < text->count; i++)
        often[text->points[i]]++;
    for (uint32_t p = 0; often && found && p < POINTS; p++)
        if (often[p] >= LEAST_OFTEN && p != '\n')
            found[used++] = (point_count){p, often[p]};
    if (found)
        qsort(found, used, sizeof *found, by_count);
    c->symbols = (uint32_t)(used < VL_NGRAM_MAX_SYMBOLS - 2 ? used : VL_NGRAM_MAX_SYMBOLS - 2);
    for (uint32_t i = 0; found && i < c->symbols; i++)
        c->points[i] = found[i].point;
    qsort(c->points, c->symbols, sizeof *c->points, by_point);
    c->symbols += 2;
    bool ok = often && found;
    free(often);
    free(found);
    return ok;
}

/* The text as symbols, an edge before and after each line; also how often each is foretold. */
static uint16_t *to_symbols(const chars_text *text, chars_counts *c) {
    uint16_t *out = malloc((text->count + 1) * sizeof *out);
    c->frequencies = calloc(c->symbols, sizeof *c->frequencies);
    if (!out || !c->frequencies) {
        free(out);
        return NULL;
    }
    out[0] = VL_NGRAM_EDGE;
    for (size_t i = 0; i < text->count; i++) {
        out[i + 1] = (uint16_t)chars_symbol(c, text->points[i]);
        c->frequencies[out[i + 1]]++;
    }
    c->total = text->count;
    return out;
}

/* ---- counting --------------------------------------------------------------------------- */

/* Radix sort, least significant digit first; `other` is as large. Returns the sorted one. */
static uint64_t *sort_keys(uint64_t *keys, uint64_t *other, size_t n, size_t bits) {
    enum { DIGIT = 12, BUCKETS = 1 << DIGIT };
    for (size_t shift = 0; shift < bits; shift += DIGIT) {
        size_t places[BUCKETS] = {0}, sum = 0;
        for (size_t i = 0; i < n; i++)
            places[keys[i] >> shift & (BUCKETS - 1)]++;
        for (size_t b = 0; b < BUCKETS; b++) {
            size_t count = places[b];
            places[b] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            other[places[keys[i] >> shift & (BUCKETS - 1)]++] = keys[i];
        uint64_t *swap = keys;
        keys = other;
        other = swap;
    }
    return keys;
}

/* Every run of `n` symbols of one line; an edge stands only at its ends. */
static size_t gather(const uint16_t *symbols, size_t count, size_t n, uint64_t *keys) {
    size_t used = 0, inside = 0; /* symbols since the last edge, that edge included */
    uint64_t key = 0;
    for (size_t i = 0; i < count; i++) {
        key = chars_tail(key << CHARS_BITS | symbols[i], n);
        inside++;
        if (inside >= n && (n > 1 || i > 0))
            keys[used++] = key;
        if (symbols[i] == VL_NGRAM_EDGE)
            inside = 1;
    }
    return used;
}

static bool reserve_level(chars_level *l, size_t n) {
    l->keys = malloc((n + 1) * sizeof *l->keys);
    l->raw = calloc(n + 1, sizeof *l->raw);
    l->count = calloc(n + 1, sizeof *l->count);
    l->log_p = calloc(n + 1, sizeof *l->log_p);
    l->context = calloc(n + 1, sizeof *l->context);
    l->tail = calloc(n + 1, sizeof *l->tail);
    l->loss = calloc(n + 1, sizeof *l->loss);
    l->kept = calloc(n + 1, sizeof *l->kept);
    return l->keys && l->raw && l->count && l->log_p && l->context && l->tail && l->loss &&
           l->kept;
}

/* Unigrams stand at their symbol's place whether they were seen or not. */
static bool count_level(const uint16_t *symbols, size_t length, size_t n, uint64_t *room,
                        uint64_t *other, uint32_t all_symbols, chars_level *l) {
    size_t total = gather(symbols, length, n, room), unique = 0;
    uint64_t *keys = sort_keys(room, other, total, CHARS_BITS * n);
    for (size_t i = 0; i < total; i++)
        unique += !i || keys[i] != keys[i - 1];
    if (!reserve_level(l, n == 1 ? all_symbols : unique))
        return false;
    for (uint32_t s = 0; n == 1 && s < all_symbols; s++)
        l->keys[l->n++] = s;
    for (size_t i = 0; i < total; i++) {
        if (n == 1) {
            l->raw[keys[i]]++;
            continue;
        }
        if (!i || keys[i] != keys[i - 1])
            l->keys[l->n++] = keys[i];
        l->raw[l->n - 1]++;
    }
    return true;
}

size_t chars_find(const uint64_t *keys, size_t n, uint64_t key) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (keys[middle] == key)
            return middle;
        if (keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

/* Where each of level `n` (n + 1 symbols) has its parts in the level below. */
static void link_level(chars_level *levels, size_t n) {
    chars_level *l = &levels[n];
    const chars_level *shorter = &levels[n - 1];
    for (size_t i = 0; i < l->n; i++) {
        l->context[i] =
            (uint32_t)chars_find(shorter->keys, shorter->n, l->keys[i] >> CHARS_BITS);
        l->tail[i] = (uint32_t)chars_find(shorter->keys, shorter->n, chars_tail(l->keys[i], n));
    }
}

/* The counts of level `n` from what is kept of the level above. */
static void count_again(chars_counts *c, size_t n) {
    chars_level *l = &c->levels[n];
    const chars_level *longer = &c->levels[n + 1];
    if (n + 1 == c->order) {
        memcpy(l->count, l->raw, l->n * sizeof *l->count);
        return;
    }
    memset(l->count, 0, l->n * sizeof *l->count);
    for (size_t i = 0; i < longer->n; i++)
        l->count[longer->tail[i]] += longer->kept[i] ? 1 : longer->raw[i];
    for (size_t i = 0; i < l->n && n > 0; i++)
        if (l->keys[i] >> CHARS_BITS * n == VL_NGRAM_EDGE)
            l->count[i] = l->raw[i];
}

/* ---- probabilities ---------------------------------------------------------------------- */

/* Chen and Goodman 1999, eq. 26; for counts of counts that a small text does not have, less. */
static void discounts(const chars_level *l, double d[4]) {
    double n[5] = {0};
    for (size_t i = 0; i < l->n; i++)
        if (l->count[i] >= 1 && l->count[i] <= 4)
            n[l->count[i]]++;
    double y = n[1] > 0 ? n[1] / (n[1] + 2 * n[2]) : 0.5;
    d[0] = 0;
    for (size_t k = 1; k <= 3; k++) {
        double value = n[k] > 0 ? (double)k - (double)(k + 1) * y * n[k + 1] / n[k] : 0.5;
        d[k] = fmin((double)k - 0.1, fmax(0.1, value));
    }
}

static double discount_of(const double d[4], uint32_t count) {
    return d[count < 3 ? count : 3];
}

static void smooth_unigrams(chars_level *l) {
    double d[4], total = 0, taken = 0;
    discounts(l, d);
    for (size_t i = 0; i < l->n; i++) {
        total += l->count[i];
        taken += discount_of(d, l->count[i]);
    }
    for (size_t i = 0; i < l->n; i++)
        l->log_p[i] = (float)log((l->count[i] - discount_of(d, l->count[i])) / total +
                                 taken / total / (double)l->n);
}

/* Level `n` (n + 1 symbols) from the one below; also what leaving each out would cost. What is
 * not kept has the probability that backing off gives it. */
static void smooth(chars_level *levels, size_t n) {
    chars_level *l = &levels[n];
    const chars_level *shorter = &levels[n - 1];
    double d[4];
    discounts(l, d);
    for (size_t from = 0, to; from < l->n; from = to) {
        double total = 0, taken = 0, kept = 0, kept_shorter = 0;
        for (to = from; to < l->n && l->context[to] == l->context[from]; to++) {
            total += l->count[to];
            taken += discount_of(d, l->count[to]);
        }
        for (size_t i = from; i < to; i++) {
            double below = exp((double)shorter->log_p[l->tail[i]]);
            double p = (l->count[i] - discount_of(d, l->count[i]) + taken * below) / total;
            l->log_p[i] = (float)log(p);
            kept += l->kept[i] ? p : 0;
            kept_shorter += l->kept[i] ? below : 0;
        }
        double rest = log(fmax(1e-6, 1 - kept) / fmax(1e-6, 1 - kept_shorter));
        for (size_t i = from; i < to; i++) {
            double without = rest + (double)shorter->log_p[l->tail[i]];
            l->loss[i] = (float)(l->raw[i] * ((double)l->log_p[i] - without));
            l->log_p[i] = l->kept[i] ? l->log_p[i] : (float)without;
        }
    }
}

static void smooth_all(chars_counts *c) {
    for (size_t n = 0; n < c->order; n++)
        count_again(c, n);
    smooth_unigrams(&c->levels[0]);
    for (size_t n = 1; n < c->order; n++)
        smooth(c->levels, n);
}

vl_status chars_count(const chars_text *text, uint32_t order, chars_counts *c,
                      vl_error *error) {
    *c = (chars_counts){.order = order};
    uint16_t *symbols = choose_symbols(text, c) ? to_symbols(text, c) : NULL;
    size_t length = text->count + 1;
    uint64_t *room = malloc(length * sizeof *room), *other = malloc(length * sizeof *other);
    bool ok = symbols && room && other;
    for (size_t n = 1; n <= order && ok; n++)
        ok = count_level(symbols, length, n, room, other, c->symbols, &c->levels[n - 1]);
    for (size_t n = 0; n < order && ok; n++)
        memset(c->levels[n].kept, true, c->levels[n].n);
    for (size_t n = 1; n < order && ok; n++)
        link_level(c->levels, n);
    if (ok)
        smooth_all(c);
    free(symbols);
    free(room);
    free(other);
    return ok ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory to count n-grams");
}

void chars_counts_free(chars_counts *c) {
    for (size_t n = 0; n < VL_NGRAM_MAX_ORDER; n++) {
        chars_level *l = &c->levels[n];
        free(l->keys);
        free(l->raw);
        free(l->count);
        free(l->log_p);
        free(l->context);
        free(l->tail);
        free(l->loss);
        free(l->kept);
    }
    free(c->frequencies);
    *c = (chars_counts){0};
}

/* ---- pruning ---------------------------------------------------------------------------- */

/* Keeps the branches that gain more than `rate` nats a byte. `gain`: of the branch at each
 * n-gram of the level above, then of this one. */
static void mark(chars_counts *c, double rate, double *gain[2]) {
    size_t id_bytes = c->symbols > 256 ? 2 : 1;
    for (size_t n = c->order - 1; n > 0; n--) {
        chars_level *l = &c->levels[n];
        double price = rate * (double)(id_bytes + (n + 1 == c->order ? 1 : 4));
        double *own = gain[n % 2], *shorter = gain[(n + 1) % 2];
        memset(shorter, 0, c->levels[n - 1].n * sizeof *shorter);
        for (size_t i = 0; i < l->n; i++) {
            double net = (double)l->loss[i] - price + (n + 1 < c->order ? own[i] : 0);
            l->kept[i] = net > 0;
            shorter[l->context[i]] += fmax(0, net);
        }
    }
    for (size_t n = 1; n < c->order; n++) /* below what is left out nothing stays */
        for (size_t i = 0; i < c->levels[n].n; i++)
            c->levels[n].kept[i] &= c->levels[n - 1].kept[c->levels[n].context[i]];
}

static size_t marked_bytes(const chars_counts *c) {
    vl_ngram_entry e = {
        .order = c->order, .symbols = c->symbols, .id_bytes = c->symbols > 256 ? 2 : 1};
    vl_ngram_layout layout;
    for (size_t n = 0; n < c->order; n++)
        for (size_t i = 0; i < c->levels[n].n; i++)
            e.counts[n] += c->levels[n].kept[i];
    return vl_ngram_lay_out(&e, &layout);
}

/* The best tree that fits, by the losses as they are: bisection of the rate's logarithm. */
static void mark_within(chars_counts *c, size_t bytes, double *gain[2]) {
    enum { STEPS = 22 };
    double low = -12, high = 14;
    for (int i = 0; i < STEPS; i++) {
        double middle = (low + high) / 2;
        mark(c, exp(middle), gain);
        if (marked_bytes(c) > bytes)
            low = middle;
        else
            high = middle;
    }
    mark(c, exp(high), gain);
}

vl_status chars_prune(chars_counts *c, size_t bytes, vl_error *error) {
    enum { ROUNDS = 4 };
    size_t most = 1;
    for (size_t n = 0; n < c->order; n++)
        most = c->levels[n].n > most ? c->levels[n].n : most;
    if (marked_bytes(c) <= bytes)
        return VL_OK;
    double *gain[2] = {calloc(most, sizeof(double)), calloc(most, sizeof(double))};
    bool ok = gain[0] && gain[1];
    for (int round = 0; round < ROUNDS && ok; round++) {
        mark_within(c, bytes, gain);
        smooth_all(c);
    }
    free(gain[0]);
    free(gain[1]);
    return ok ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory to prune n-grams");
}
