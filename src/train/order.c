/* order.c — shuffled passes over a source (order.h).
 *
 * A pass is drawn whole when the first of its places is asked for. Places of two passes are
 * asked for in turn for a short while, where one ends and the next begins. */
#include "train/order.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLASSES = 1024 };

struct order {
    size_t count, classes;
    uint32_t *member;  /* samples, class after class */
    size_t *begin;     /* [classes+1]: where a class's members begin */
    size_t *share;     /* [classes]: places of a pass that it gets */
    uint32_t *drawn;   /* the pass at hand */
    uint32_t *scratch; /* members being shuffled */
    uint64_t pass;
    bool ready;
    pthread_mutex_t lock;
};

static const char *label_of(const sample *item, const char *set) {
    for (size_t i = 0; i < item->label_count; i++)
        if (!strcmp(item->labels[i].set, set))
            return item->labels[i].label;
    return "";
}

/* Class numbers of all samples by the order in which labels come up; 0 when there are too many
 * or none is labelled. */
static size_t classify(const samples *set, const char *balance, uint32_t *class_of) {
    const char *label[MAX_CLASSES];
    size_t classes = 0;
    bool any = false;
    for (size_t i = 0; i < samples_count(set); i++) {
        const char *mine = label_of(samples_at(set, i), balance);
        size_t c = 0;
        while (c < classes && strcmp(label[c], mine) != 0)
            c++;
        if (c == MAX_CLASSES)
            return 0;
        if (c == classes)
            label[classes++] = mine;
        class_of[i] = (uint32_t)c;
        any |= *mine != 0;
    }
    return any ? classes : 0;
}

static void sort_members(order *o, const uint32_t *class_of) {
    size_t at = 0;
    for (size_t c = 0; c < o->classes; c++) {
        o->begin[c] = at;
        for (size_t i = 0; i < o->count; i++)
            if (class_of[i] == c)
                o->member[at++] = (uint32_t)i;
    }
    o->begin[o->classes] = at;
}

/* Shares in proportion to the root of a class's size; the last class takes what rounding left.
 */
static void share_out(order *o) {
    double sum = 0, cumulative = 0;
    for (size_t c = 0; c < o->classes; c++)
        sum += sqrt((double)(o->begin[c + 1] - o->begin[c]));
    size_t given = 0;
    for (size_t c = 0; c < o->classes; c++) {
        cumulative += sqrt((double)(o->begin[c + 1] - o->begin[c]));
        size_t upto = (size_t)llround(cumulative / sum * (double)o->count);
        o->share[c] = upto - given;
        given = upto;
    }
}

vl_status order_new(const samples *set, const char *balance, order **out, vl_error *error) {
    *out = NULL;
    size_t count = samples_count(set);
    order *o = calloc(1, sizeof *o);
    uint32_t *class_of = calloc(count, sizeof *class_of);
    vl_status status = VL_OK;
    if (o)
        pthread_mutex_init(&o->lock, NULL);
    if (!o || !class_of)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for an order of %zu", count);
    if (!status) {
        o->count = count;
        o->classes = *balance ? classify(set, balance, class_of) : 1;
        if (!o->classes)
            status = vl_fail(error, VL_ERR_INPUT,
                             "balance: no sample has a label of the set '%s', or there are "
                             "more than %d labels",
                             balance, MAX_CLASSES);
    }
    if (!status) {
        o->member = calloc(count, sizeof *o->member);
        o->drawn = calloc(count, sizeof *o->drawn);
        o->scratch = calloc(count, sizeof *o->scratch);
        o->begin = calloc(o->classes + 1, sizeof *o->begin);
        o->share = calloc(o->classes, sizeof *o->share);
        if (!o->member || !o->drawn || !o->scratch || !o->begin || !o->share)
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for an order of %zu", count);
    }
    if (!status) {
        sort_members(o, class_of);
        share_out(o);
        *out = o;
    } else {
        order_free(o);
    }
    free(class_of);
    return status;
}

void order_free(order *o) {
    if (!o)
        return;
    pthread_mutex_destroy(&o->lock);
    free(o->member);
    free(o->drawn);
    free(o->scratch);
    free(o->begin);
    free(o->share);
    free(o);
}

static void shuffle(uint32_t *items, size_t count, uint64_t *random) { /* Fisher–Yates */
    for (size_t i = count; i > 1; i--) {
        size_t j = vl_random_below(random, i);
        uint32_t swap = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swap;
    }
}

static void draw(order *o, uint64_t seed) {
    size_t at = 0;
    for (size_t c = 0; c < o->classes; c++) {
        size_t size = o->begin[c + 1] - o->begin[c];
        memcpy(o->scratch, o->member + o->begin[c], size * sizeof *o->scratch);
        if (o->classes > 1) /* which of a class, and which of it twice */
            shuffle(o->scratch, size, &seed);
        for (size_t i = 0; i < o->share[c]; i++)
            o->drawn[at++] = o->scratch[i % size];
    }
    shuffle(o->drawn, o->count, &seed);
}

size_t order_at(order *o, uint64_t pass, uint64_t seed, size_t place) {
    pthread_mutex_lock(&o->lock);
    if (!o->ready || o->pass != pass)
        draw(o, seed);
    o->pass = pass;
    o->ready = true;
    size_t index = o->drawn[place];
    pthread_mutex_unlock(&o->lock);
    return index;
}
