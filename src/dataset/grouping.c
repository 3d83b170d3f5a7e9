/* grouping.c — see grouping.h: records with union-find (Tarjan 1975), and the pairs of records
 * that share clusters counted by sorting them. */
#include "dataset/grouping.h"

#include "dataset/dice.h"
#include "dataset/spill.h"

#include <stdlib.h>
#include <string.h>

enum { SORT_MEMORY = 16 << 20, SHARE = 4 /* a quarter */ };

struct grouping {
    uint32_t *record_of; /* [items] */
    size_t items, item_room;
    uint64_t *names;   /* [records] hash of the record's name */
    uint32_t *parents; /* [records] */
    uint32_t *counts;  /* [records] items */
    size_t records, record_room;
    runs *shared; /* pairs of records, one for each cluster that they share */
    uint32_t cluster[GROUPING_WIDEST + 1]; /* records of the present one, each once */
    size_t width;
    uint32_t pictured; /* the first record of the present cluster that has its picture, + 1 */
};

vl_status grouping_new(grouping **out, vl_error *error) {
    grouping *g = calloc(1, sizeof *g);
    *out = g;
    if (!g)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_status status = runs_new("", SORT_MEMORY, &g->shared, error);
    if (status) {
        grouping_free(g);
        *out = NULL;
    }
    return status;
}

void grouping_free(grouping *g) {
    if (!g)
        return;
    runs_free(g->shared);
    free(g->record_of);
    free(g->names);
    free(g->parents);
    free(g->counts);
    free(g);
}

/* ---- records -------------------------------------------------------------------------------
 */

static bool grow(void **list, size_t room, size_t size) {
    void *grown = realloc(*list, room * size);
    if (grown)
        *list = grown;
    return grown != NULL;
}

static bool has_room(grouping *g) {
    if (g->items == g->item_room) {
        size_t room = g->item_room ? g->item_room * 2 : 4096;
        if (!grow((void **)&g->record_of, room, sizeof *g->record_of))
            return false;
        g->item_room = room;
    }
    if (g->records == g->record_room) {
        size_t room = g->record_room ? g->record_room * 2 : 1024;
        if (!grow((void **)&g->names, room, sizeof *g->names) ||
            !grow((void **)&g->parents, room, sizeof *g->parents) ||
            !grow((void **)&g->counts, room, sizeof *g->counts))
            return false;
        g->record_room = room;
    }
    return true;
}

vl_status grouping_add(grouping *g, const char *record, vl_error *error) {
    uint64_t name = dice_hash(record);
    if (!has_room(g))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu items", g->items);
    if (!g->records || g->names[g->records - 1] != name) {
        g->names[g->records] = name;
        g->counts[g->records] = 0;
        g->parents[g->records] = (uint32_t)g->records;
        g->records++;
    }
    g->counts[g->records - 1]++;
    g->record_of[g->items++] = (uint32_t)g->records - 1;
    return VL_OK;
}

/* Halves the path on its way. */
static uint32_t root_of(grouping *g, uint32_t record) {
    while (g->parents[record] != record) {
        g->parents[record] = g->parents[g->parents[record]];
        record = g->parents[record];
    }
    return record;
}

/* The first record of a group is its root. */
static void join(grouping *g, uint32_t a, uint32_t b) {
    a = root_of(g, a);
    b = root_of(g, b);
    if (a < b)
        g->parents[b] = a;
    else
        g->parents[a] = b;
}

/* ---- clusters ------------------------------------------------------------------------------
 */

void grouping_member(grouping *g, size_t item, bool picture) {
    uint32_t record = g->record_of[item];
    if (picture) {
        if (g->pictured)
            join(g, g->pictured - 1, record);
        g->pictured = record + 1;
        return;
    }
    for (size_t i = 0; i < g->width; i++)
        if (g->cluster[i] == record)
            return;
    if (g->width <= GROUPING_WIDEST)
        g->cluster[g->width++] = record;
}

vl_status grouping_end_cluster(grouping *g, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; g->width <= GROUPING_WIDEST && i < g->width; i++)
        for (size_t k = i + 1; !status && k < g->width; k++) {
            uint64_t a = g->cluster[i], b = g->cluster[k];
            status = runs_add(g->shared, a < b ? a << 32 | b : b << 32 | a, 0, error);
        }
    g->width = 0;
    g->pictured = 0;
    return status;
}

static void weigh(grouping *g, uint64_t pair, uint64_t shared) {
    uint32_t a = (uint32_t)(pair >> 32), b = (uint32_t)pair,
             smaller = g->counts[a] < g->counts[b] ? g->counts[a] : g->counts[b];
    if (shared * SHARE >= smaller)
        join(g, a, b);
}

vl_status grouping_finish(grouping *g, vl_error *error) {
    runs_record record;
    uint64_t pair = 0, shared = 0;
    bool more = true;
    vl_status status = grouping_end_cluster(g, error);
    if (!status)
        status = runs_merge(g->shared, error);
    while (!status && more) {
        status = runs_next(g->shared, &record, &more, error);
        if (status || !more || record.key != pair) {
            if (!status && shared)
                weigh(g, pair, shared);
            pair = record.key;
            shared = 0;
        }
        shared++;
    }
    return status;
}

uint64_t grouping_of(grouping *g, size_t item) {
    return g->names[root_of(g, g->record_of[item])];
}
