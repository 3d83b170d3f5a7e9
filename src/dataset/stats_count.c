/* stats_count.c — tables of names, distinct words and lengths that stay small (stats.h). */
#include "dataset/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const char *text) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return vl_random_next(&hash);
}

/* ---- names ------------------------------------------------------------------------------- */

void stats_tally_deinit(stats_tally *t) {
    for (size_t i = 0; i < t->count; i++)
        free(t->entries[i].name);
    free(t->entries);
    free(t->slots);
    *t = (stats_tally){0};
}

static void place(stats_tally *t, size_t index) {
    size_t slot = hash_of(t->entries[index].name) % (2 * t->room);
    while (t->slots[slot])
        slot = (slot + 1) % (2 * t->room);
    t->slots[slot] = (uint32_t)index + 1;
}

static bool grow(stats_tally *t) {
    size_t room = t->room ? t->room * 2 : 32;
    stats_tally_entry *entries = realloc(t->entries, room * sizeof *entries);
    if (!entries)
        return false;
    t->entries = entries;
    uint32_t *slots = calloc(2 * room, sizeof *slots);
    if (!slots)
        return false;
    free(t->slots);
    t->slots = slots;
    t->room = room;
    for (size_t i = 0; i < t->count; i++)
        place(t, i);
    return true;
}

static stats_tally_entry *find(const stats_tally *t, const char *name) {
    if (!t->room)
        return NULL;
    for (size_t slot = hash_of(name) % (2 * t->room); t->slots[slot];
         slot = (slot + 1) % (2 * t->room))
        if (!strcmp(t->entries[t->slots[slot] - 1].name, name))
            return &t->entries[t->slots[slot] - 1];
    return NULL;
}

bool stats_tally_add(stats_tally *t, const char *name, uint64_t count, size_t *index) {
    stats_tally_entry *entry = find(t, name);
    if (!entry && t->count == TALLY_MAX) {
        t->others += count;
        if (index)
            *index = TALLY_MAX;
        return true;
    }
    if (!entry) {
        if (t->count == t->room && !grow(t))
            return false;
        entry = &t->entries[t->count];
        *entry = (stats_tally_entry){.name = strdup(name)};
        if (!entry->name)
            return false;
        place(t, t->count++);
    }
    entry->count += count;
    if (index)
        *index = (size_t)(entry - t->entries);
    return true;
}

static int by_count(const void *x, const void *y) {
    const stats_tally_entry *a = x, *b = y;
    return a->count != b->count ? (a->count < b->count ? 1 : -1) : strcmp(a->name, b->name);
}

void stats_tally_sort(stats_tally *t) {
    if (t->count)
        qsort(t->entries, t->count, sizeof *t->entries, by_count);
    free(t->slots);
    t->slots = NULL;
    t->room = 0;
}

uint64_t stats_tally_total(const stats_tally *t) {
    uint64_t total = t->others;
    for (size_t i = 0; i < t->count; i++)
        total += t->entries[i].count;
    return total;
}

/* ---- distinct words ---------------------------------------------------------------------- */

void vocabulary_deinit(vocabulary *v) {
    free(v->set);
    free(v->registers);
    *v = (vocabulary){0};
}

/* The rank of the first one bit after the bits that choose the register. */
static void note(uint8_t *registers, uint64_t hash) {
    size_t at = (size_t)(hash >> (64 - VOCABULARY_BITS));
    uint64_t rest = hash << VOCABULARY_BITS;
    unsigned rank = rest ? (unsigned)__builtin_clzll(rest) + 1 : 64 - VOCABULARY_BITS + 1;
    if (registers[at] < rank)
        registers[at] = (uint8_t)rank;
}

static bool estimate_from_now(vocabulary *v, size_t *budget) {
    v->registers = calloc(VOCABULARY_REGISTERS, 1);
    if (!v->registers)
        return false;
    for (size_t i = 0; i < v->room; i++)
        if (v->set[i])
            note(v->registers, v->set[i]);
    *budget += v->room;
    free(v->set);
    v->set = NULL;
    v->room = 0;
    return true;
}

static bool put(vocabulary *v, uint64_t hash) {
    size_t slot = (size_t)hash & (v->room - 1);
    for (; v->set[slot]; slot = (slot + 1) & (v->room - 1))
        if (v->set[slot] == hash)
            return false;
    v->set[slot] = hash;
    return true;
}

static bool make_room(vocabulary *v, size_t *budget) {
    size_t room = v->room ? v->room * 2 : 256;
    if (v->count >= VOCABULARY_EXACT || room > *budget)
        return estimate_from_now(v, budget);
    uint64_t *old = v->set;
    size_t old_room = v->room;
    v->set = calloc(room, sizeof *v->set);
    if (!v->set) {
        v->set = old;
        return false;
    }
    *budget -= room - old_room;
    v->room = room;
    for (size_t i = 0; i < old_room; i++)
        if (old[i])
            put(v, old[i]);
    free(old);
    return true;
}

/* 100, 200, 500, 1000, … */
static uint64_t point_at(size_t i) {
    static const uint64_t steps[] = {1, 2, 5};
    uint64_t value = 100;
    for (size_t k = 0; k < i / 3; k++)
        value *= 10;
    return value * steps[i % 3];
}

bool vocabulary_add(vocabulary *v, uint64_t hash, size_t *budget) {
    hash = hash ? hash : 1;
    if (!v->registers && (v->count + 1) * 2 > v->room && !make_room(v, budget))
        return false;
    if (v->registers)
        note(v->registers, hash);
    else
        v->count += put(v, hash);
    v->tokens++;
    if (v->points < CURVE_MAX - 1 && v->points < 48 && v->tokens == point_at(v->points)) {
        v->curve[v->points] = (curve_point){v->tokens, vocabulary_types(v)};
        v->points++;
    }
    return true;
}

/* Ertl 2017, equations 13 and 17. */
static double sigma(double x) {
    double y = 1, z = x, before;
    if (x == 1)
        return INFINITY;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z != before);
    return z;
}

static double tau(double x) {
    double y = 1, z = 1 - x, before;
    if (x == 0 || x == 1)
        return 0;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
}

double vocabulary_types(const vocabulary *v) {
    enum { RANKS = 64 - VOCABULARY_BITS };
    const double m = VOCABULARY_REGISTERS;
    uint32_t counts[RANKS + 2] = {0};
    if (!v->registers)
        return (double)v->count;
    for (size_t i = 0; i < VOCABULARY_REGISTERS; i++)
        counts[v->registers[i]]++;
    double z = m * tau(1 - counts[RANKS + 1] / m);
    for (int k = RANKS; k >= 1; k--)
        z = 0.5 * (z + counts[k]);
    z += m * sigma(counts[0] / m);
    return m * m / (2 * log(2) * z);
}

/* ---- lengths ----------------------------------------------------------------------------- */

void lengths_add(lengths *l, uint64_t value) {
    size_t bin = value ? 64 - (size_t)__builtin_clzll(value) : 0;
    l->bins[bin < LENGTH_BINS ? bin : LENGTH_BINS - 1]++;
    l->least = l->count && l->least < value ? l->least : value;
    l->most = l->most > value ? l->most : value;
    l->count++;
    l->sum += value;
}

double lengths_mean(const lengths *l) {
    return l->count ? (double)l->sum / (double)l->count : 0;
}

void lengths_bin_name(size_t bin, char out[32]) {
    uint64_t low = bin ? UINT64_C(1) << (bin - 1) : 0, high = low * 2 - (low > 0);
    if (bin < 2)
        snprintf(out, 32, "%zu", bin);
    else
        snprintf(out, 32, "%llu–%llu", (unsigned long long)low, (unsigned long long)high);
}

size_t lengths_last_bin(const lengths *l) {
    size_t last = LENGTH_BINS - 1;
    while (last && !l->bins[last])
        last--;
    return last;
}
