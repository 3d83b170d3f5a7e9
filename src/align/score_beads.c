/* score_beads.c — see score.h: beads of gold read, and beads held against them.
 *
 * A sentence is in one bead at most, so which bead of gold a sentence is in is an array, and a
 * bead that was found is the same as gold's when the bead of its first sentence is equal. */
#include "align/score.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ----------------------------------------------------------------------------- */

static const char *skip_blanks(const char *at) {
    while (*at == ' ' || *at == '\r')
        at++;
    return at;
}

/* "0, 1" up to what ends a side; `numbers` [ALIGN_BEAD_SPAN_MAX]. NULL: it is no such list. */
static const char *read_numbers(const char *at, uint32_t *numbers, size_t *count) {
    *count = 0;
    at = skip_blanks(at);
    while (isdigit((unsigned char)*at)) {
        char *end;
        errno = 0;
        unsigned long number = strtoul(at, &end, 10);
        if (errno || number >= ALIGN_BEADS_MAX || *count == ALIGN_BEAD_SPAN_MAX ||
            (*count && number <= numbers[*count - 1]))
            return NULL;
        numbers[(*count)++] = (uint32_t)number;
        at = skip_blanks(end);
        if (*at != ',')
            break;
        at = skip_blanks(at + 1);
        if (!isdigit((unsigned char)*at))
            return NULL;
    }
    return at;
}

typedef struct sides {
    uint32_t numbers[2][ALIGN_BEAD_SPAN_MAX];
    size_t counts[2];
} sides;

/* [0]:[0, 1], perhaps with ":0.31" after it */
static bool read_bracketed(const char *at, sides *s) {
    for (size_t i = 0; i < 2; i++) {
        at = skip_blanks(at);
        if (*at != '[' || !(at = read_numbers(at + 1, s->numbers[i], &s->counts[i])) ||
            *at != ']')
            return false;
        at = skip_blanks(at + 1);
        if (!i && *at++ != ':')
            return false;
    }
    return !*at || *at == ':';
}

/* 0<TAB>0,1 and perhaps more columns */
static bool read_columns(const char *at, sides *s) {
    for (size_t i = 0; i < 2; i++) {
        at = skip_blanks(at);
        if (*at == '-') {
            s->counts[i] = 0;
            at = skip_blanks(at + 1);
        } else if (!(at = read_numbers(at, s->numbers[i], &s->counts[i]))) {
            return false;
        }
        if (!i && *at++ != '\t')
            return false;
    }
    return !*at || *at == '\t';
}

typedef struct reading {
    vl_arena *arena;
    const char *name;
    size_t line;
    align_bead *beads;
    size_t count, room;
    sides now;
    unsigned char *taken[2]; /* a bit a sentence: whether a bead has it */
    vl_error *error;
} reading;

static vl_status take_once(reading *r) {
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < r->now.counts[side]; i++) {
            uint32_t number = r->now.numbers[side][i];
            unsigned char *byte = &r->taken[side][number / 8],
                          bit = (unsigned char)(1U << number % 8);
            if (*byte & bit)
                return vl_fail(r->error, VL_ERR_INPUT,
                               "%s: line %zu: sentence %u of the %s text is in two beads",
                               r->name, r->line, number, side ? "second" : "first");
            *byte |= bit;
        }
    return VL_OK;
}

static uint32_t *copy_numbers(vl_arena *arena, const uint32_t *numbers, size_t count) {
    uint32_t *copy = vl_arena_array(arena, count ? count : 1, sizeof *copy);
    if (copy && count)
        memcpy(copy, numbers, count * sizeof *copy);
    return copy;
}

static vl_status keep_bead(reading *r) {
    if (r->count == r->room) {
        size_t more = r->room ? r->room * 2 : 256;
        align_bead *grown =
            vl_arena_grow(r->arena, r->beads, r->room * sizeof *grown, more * sizeof *grown);
        if (!grown)
            return vl_fail(r->error, VL_ERR_MEMORY, "%s: no memory for the beads", r->name);
        r->beads = grown;
        r->room = more;
    }
    align_bead bead = {copy_numbers(r->arena, r->now.numbers[0], r->now.counts[0]),
                       copy_numbers(r->arena, r->now.numbers[1], r->now.counts[1]),
                       r->now.counts[0], r->now.counts[1]};
    if (!bead.src || !bead.tgt)
        return vl_fail(r->error, VL_ERR_MEMORY, "%s: no memory for the beads", r->name);
    r->beads[r->count++] = bead;
    return VL_OK;
}

static vl_status read_line(reading *r, const char *line) {
    const char *at = skip_blanks(line);
    if (!*at || *at == '#')
        return VL_OK;
    bool right = *at == '[' ? read_bracketed(at, &r->now) : read_columns(at, &r->now);
    if (!right && r->line == 1 && strchr(at, '\t') && isalpha((unsigned char)*at))
        return VL_OK;
    if (!right)
        return vl_fail(r->error, VL_ERR_INPUT,
                       "%s: line %zu is no bead: '%.40s' (as in [0]:[0, 1], or columns of "
                       "numbers)",
                       r->name, r->line, at);
    if (!r->now.counts[0] && !r->now.counts[1])
        return VL_OK;
    vl_status status = take_once(r);
    return status ? status : keep_bead(r);
}

vl_status align_beads_parse(vl_arena *arena, const char *name, const char *text,
                            align_bead **beads, size_t *count, vl_error *error) {
    vl_status status = VL_OK;
    reading *r = vl_arena_alloc(arena, sizeof *r);
    char *copy = vl_arena_strdup(arena, text), *next = copy;
    if (r) {
        *r = (reading){.arena = arena, .name = name, .error = error};
        r->taken[0] = vl_arena_alloc(arena, ALIGN_BEADS_MAX / 8 + 1);
        r->taken[1] = vl_arena_alloc(arena, ALIGN_BEADS_MAX / 8 + 1);
    }
    if (!r || !copy || !r->taken[0] || !r->taken[1])
        return vl_fail(error, VL_ERR_MEMORY, "%s: no memory for the beads", name);
    if (!strncmp(next, "\xEF\xBB\xBF", 3))
        next += 3;
    for (char *line; !status && (line = next) && *line;) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        r->line++;
        status = read_line(r, line);
    }
    if (!status && !r->count)
        status = vl_fail(error, VL_ERR_INPUT, "%s holds no beads", name);
    *beads = status ? NULL : r->beads;
    *count = status ? 0 : r->count;
    return status;
}

static void widen(size_t *extent, const uint32_t *numbers, size_t count) {
    if (count && numbers[count - 1] >= *extent)
        *extent = (size_t)numbers[count - 1] + 1;
}

void align_beads_extent(const align_bead *beads, size_t count, size_t *src, size_t *tgt) {
    *src = *tgt = 0;
    for (size_t i = 0; i < count; i++) {
        widen(src, beads[i].src, beads[i].src_count);
        widen(tgt, beads[i].tgt, beads[i].tgt_count);
    }
}

/* ---- agreement --------------------------------------------------------------------------- */

/* Which bead each sentence is in, plus one; 0: none. */
typedef struct places {
    uint32_t *src, *tgt;
    size_t src_extent, tgt_extent;
} places;

static bool find_places(const align_bead *beads, size_t count, places *p) {
    align_beads_extent(beads, count, &p->src_extent, &p->tgt_extent);
    p->src = calloc(p->src_extent + 1, sizeof *p->src);
    p->tgt = calloc(p->tgt_extent + 1, sizeof *p->tgt);
    for (size_t i = 0; p->src && p->tgt && i < count; i++) {
        for (size_t k = 0; k < beads[i].src_count; k++)
            p->src[beads[i].src[k]] = (uint32_t)i + 1;
        for (size_t k = 0; k < beads[i].tgt_count; k++)
            p->tgt[beads[i].tgt[k]] = (uint32_t)i + 1;
    }
    return p->src && p->tgt;
}

static bool same_side(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count) {
    return a_count == b_count && (!a_count || !memcmp(a, b, a_count * sizeof *a));
}

static uint32_t place_in(const uint32_t *in, size_t extent, uint32_t sentence) {
    return sentence < extent ? in[sentence] : 0;
}

static bool is_same(const align_bead *bead, const align_bead *others, const places *p) {
    uint32_t at = bead->src_count ? place_in(p->src, p->src_extent, bead->src[0])
                                  : place_in(p->tgt, p->tgt_extent, bead->tgt[0]);
    const align_bead *other = at ? &others[at - 1] : NULL;
    return other && same_side(bead->src, bead->src_count, other->src, other->src_count) &&
           same_side(bead->tgt, bead->tgt_count, other->tgt, other->tgt_count);
}

static bool overlaps(const align_bead *bead, const places *p) {
    for (size_t i = 0; i < bead->src_count; i++) {
        uint32_t at = place_in(p->src, p->src_extent, bead->src[i]);
        for (size_t k = 0; at && k < bead->tgt_count; k++)
            if (place_in(p->tgt, p->tgt_extent, bead->tgt[k]) == at)
                return true;
    }
    return false;
}

/* The share of `beads` that `others` have; `whole`: only those with both sides are asked. */
static void share_of(const align_bead *beads, size_t count, const align_bead *others,
                     const places *p, bool whole, double *strict, double *lax) {
    size_t asked = 0, same = 0, near = 0;
    for (size_t i = 0; i < count; i++) {
        if (whole ? !beads[i].src_count || !beads[i].tgt_count
                  : !beads[i].src_count && !beads[i].tgt_count)
            continue;
        bool equal = is_same(&beads[i], others, p);
        asked++;
        same += equal;
        near += equal || overlaps(&beads[i], p);
    }
    *strict = asked ? (double)same / (double)asked : 0;
    *lax = asked ? (double)near / (double)asked : 0;
}

static void find_f1(align_agreement *a) {
    double sum = a->precision + a->recall;
    a->f1 = sum > 0 ? 2 * a->precision * a->recall / sum : 0;
}

vl_status align_beads_score(const align_bead *gold, size_t gold_count, const align_bead *found,
                            size_t found_count, align_agreement *strict, align_agreement *lax,
                            vl_error *error) {
    vl_status status = VL_OK;
    places in_gold = {0}, in_found = {0};
    if (!find_places(gold, gold_count, &in_gold) ||
        !find_places(found, found_count, &in_found)) {
        status = vl_fail(error, VL_ERR_MEMORY, "no memory to compare beads");
        goto out;
    }
    share_of(found, found_count, gold, &in_gold, false, &strict->precision, &lax->precision);
    share_of(gold, gold_count, found, &in_found, true, &strict->recall, &lax->recall);
    find_f1(strict);
    find_f1(lax);
out:
    free(in_gold.src);
    free(in_gold.tgt);
    free(in_found.src);
    free(in_found.tgt);
    return status;
}
