/* vote_align.c — readings of one line side by side.
 *
 * Progressive alignment of each reading with the network of those before it by dynamic
 * programming (Needleman and Wunsch 1970; ROVER, Fiscus 1997), then one round in which every
 * reading is taken out and aligned anew with all the others (Barton and Sternberg 1987), so
 * that the first reading does not decide everything.
 *
 * A step costs the less the easier two clusters are mistaken for each other: case, marks, what
 * Unicode lists as confusable (UTS #39, "l" and "1"), Arabic letters of one joining group (they
 * differ in their dots), Ethiopic letters of one row. Where positions are known, clusters that
 * stand apart in the picture cost more. A space is never put beside anything else: that always
 * costs more than leaving both alone. */
#include "ocr/vote_net.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

enum { MAX_SLOTS = 2 * VL_VOTE_MAX_CLUSTERS, MAX_CELLS = 1 << 24, MAX_UNITS = 320 };

static const float cost_gap = 0.75f, cost_space = 1.6f, cost_other_kind = 1.2f, cost_other = 1;
static const float cost_alike = 0.3f, cost_marks = 0.35f, cost_dots = 0.4f, cost_row = 0.6f;
static const float cost_apart = 0.25f, most_apart = 6; /* a mean width away; at most so many */

typedef enum kind { KIND_SPACE, KIND_LETTER, KIND_DIGIT, KIND_SIGN } kind;

/* What the costs need to know of a cluster; texts as hashes, 0: empty. */
typedef struct form {
    uint64_t text, folded, bare, shape;
    int32_t joining;
    UChar32 first;
    kind kind;
    float x, width; /* width 0: no position */
} form;

/* ---- forms ------------------------------------------------------------------------------ */

static USpoofChecker *shapes; /* read-only once open; lives as long as the process */
static pthread_once_t shapes_once = PTHREAD_ONCE_INIT;

static void shapes_open(void) {
    UErrorCode code = U_ZERO_ERROR;
    shapes = uspoof_open(&code);
}

static uint64_t hash_bytes(const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    uint64_t hash = count ? UINT64_C(14695981039346656037) : 0;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint64_t hash_wide(const UChar *text, int32_t length, UErrorCode code) {
    return U_SUCCESS(code) && length <= MAX_UNITS
               ? hash_bytes(text, (size_t)length * sizeof *text)
               : 0;
}

/* The text without its marks. */
static uint64_t hash_bare(const UChar *text, int32_t length) {
    UErrorCode code = U_ZERO_ERROR;
    UChar apart[MAX_UNITS];
    UChar32 points[MAX_UNITS];
    const UNormalizer2 *nfd = unorm2_getNFDInstance(&code);
    int32_t units = unorm2_normalize(nfd, text, length, apart, MAX_UNITS, &code), count = 0;
    u_strToUTF32(points, MAX_UNITS, &count, apart, units, &code);
    size_t kept = 0;
    for (int32_t i = 0; U_SUCCESS(code) && i < count; i++)
        if (!(U_GET_GC_MASK(points[i]) & U_GC_M_MASK))
            points[kept++] = points[i];
    return hash_bytes(points, kept * sizeof *points);
}

static kind kind_of(UChar32 c) {
    return u_isUWhiteSpace(c) ? KIND_SPACE
           : u_isalpha(c)     ? KIND_LETTER
           : u_isdigit(c)     ? KIND_DIGIT
                              : KIND_SIGN;
}

static void form_make(const vl_vote_cluster *cluster, form *f) {
    UErrorCode code = U_ZERO_ERROR;
    UChar wide[MAX_UNITS], other[MAX_UNITS];
    int32_t length, at = 0;
    *f = (form){.text = hash_bytes(cluster->text, strlen(cluster->text)), .kind = KIND_SIGN};
    if (cluster->x1 > cluster->x0) {
        f->x = (cluster->x0 + cluster->x1) / 2;
        f->width = cluster->x1 - cluster->x0;
    }
    u_strFromUTF8WithSub(wide, MAX_UNITS, &length, cluster->text, -1, 0xFFFD, NULL, &code);
    if (U_FAILURE(code) || !length)
        return;
    U8_NEXT_OR_FFFD((const uint8_t *)cluster->text, at, -1, f->first);
    f->kind = kind_of(f->first);
    f->joining = u_getIntPropertyValue(f->first, UCHAR_JOINING_GROUP);
    f->bare = hash_bare(wide, length);
    int32_t units = u_strFoldCase(other, MAX_UNITS, wide, length, U_FOLD_CASE_DEFAULT, &code);
    f->folded = hash_wide(other, units, code);
    code = U_ZERO_ERROR;
    units = shapes ? uspoof_getSkeleton(shapes, 0, wide, length, other, MAX_UNITS, &code) : 0;
    f->shape = hash_wide(other, units, code);
}

static bool is_ethiopic(UChar32 c) {
    return c >= 0x1200 && c < 0x135D;
}

static bool is_same(uint64_t a, uint64_t b) {
    return a && a == b;
}

static float look_cost(const form *a, const form *b) {
    if (a->text == b->text)
        return 0;
    if (a->kind == KIND_SPACE || b->kind == KIND_SPACE)
        return cost_space;
    if (is_same(a->folded, b->folded) || is_same(a->shape, b->shape))
        return cost_alike;
    if (is_same(a->bare, b->bare))
        return cost_marks;
    if (a->joining && a->joining == b->joining)
        return cost_dots;
    if (is_ethiopic(a->first) && is_ethiopic(b->first) && a->first >> 3 == b->first >> 3)
        return cost_row;
    return a->kind == b->kind ? cost_other : cost_other_kind;
}

/* ---- aligning one reading with the network ---------------------------------------------- */

typedef enum move { MOVE_BOTH, MOVE_SLOT, MOVE_CLUSTER } move;

/* A cluster that readings have in a slot. */
typedef struct face {
    form form;
    float share, placed;
} face;

typedef struct aligning {
    vote_net *net;
    const vl_vote_voice *const *voices;
    form *forms[VL_VOTE_MAX_VOICES];
    bool in[VL_VOTE_MAX_VOICES]; /* the voice is in the network now */
    float width;                 /* mean width of a cluster, 0: not known */
    uint8_t *moves;              /* [slots + 1, clusters + 1] */
    float *row, *above;
    int32_t *merged; /* the network under construction */
    size_t cells, columns, merged_slots;
    vl_error *error;
} aligning;

static float apart_cost(const aligning *a, const form *f, const form *g) {
    if (!(a->width > 0) || !(f->width > 0) || !(g->width > 0))
        return 0;
    return cost_apart * fminf(most_apart, fabsf(f->x - g->x) / a->width);
}

static const int32_t *slot_at(const aligning *a, size_t slot) {
    return a->net->at + slot * a->net->voice_count;
}

/* The different clusters of a slot, each with the share of the readings that have it and its
 * mean position: most slots of most lines have one. Returns the share that has none. */
static float profile(const aligning *a, size_t slot, face *faces, size_t *count) {
    const int32_t *at = slot_at(a, slot);
    float in = 0, gaps = 0;
    *count = 0;
    for (size_t v = 0; v < a->net->voice_count; v++) {
        if (!a->in[v])
            continue;
        in++;
        const form *f = at[v] < 0 ? NULL : &a->forms[v][at[v]];
        size_t i = 0;
        while (f && i < *count && faces[i].form.text != f->text)
            i++;
        if (!f) {
            gaps++;
            continue;
        }
        if (i == *count)
            faces[(*count)++] = (face){.form = *f};
        faces[i].share++;
        if (f->width > 0) {
            faces[i].placed++;
            faces[i].form.x += (f->x - faces[i].form.x) / faces[i].placed;
            faces[i].form.width = f->width;
        }
    }
    for (size_t i = 0; i < *count; i++)
        faces[i].share /= in;
    return in > 0 ? gaps / in : 0;
}

/* Mean over the readings that are in. */
static float both_cost(const aligning *a, const face *faces, size_t count, float gaps,
                       const form *f) {
    float sum = gaps * cost_gap;
    for (size_t i = 0; i < count; i++)
        sum +=
            faces[i].share * (look_cost(f, &faces[i].form) + apart_cost(a, f, &faces[i].form));
    return sum;
}

static bool reserve(aligning *a, size_t slots, size_t clusters) {
    size_t cells = (slots + 1) * (clusters + 1), longest = slots + clusters + 2;
    if (cells > a->cells) {
        uint8_t *moves = realloc(a->moves, cells);
        if (!moves)
            return false;
        a->moves = moves;
        a->cells = cells;
    }
    if (longest > a->columns) {
        float *row = realloc(a->row, longest * sizeof *row);
        a->row = row ? row : a->row;
        float *above = realloc(a->above, longest * sizeof *above);
        a->above = above ? above : a->above;
        int32_t *merged = realloc(a->merged, longest * a->net->voice_count * sizeof *merged);
        a->merged = merged ? merged : a->merged;
        if (!row || !above || !merged)
            return false;
        a->columns = longest;
    }
    return true;
}

/* Fills the table of moves; of equal costs the first in the order of `move` is taken. */
static void fill_moves(aligning *a, size_t voice) {
    size_t slots = a->net->slot_count, clusters = a->voices[voice]->count;
    for (size_t c = 0; c <= clusters; c++) {
        a->above[c] = (float)c * cost_gap;
        a->moves[c] = MOVE_CLUSTER;
    }
    for (size_t s = 1; s <= slots; s++) {
        uint8_t *moves = a->moves + s * (clusters + 1);
        face faces[VL_VOTE_MAX_VOICES];
        size_t count;
        float gaps = profile(a, s - 1, faces, &count), empty = (1 - gaps) * cost_gap;
        a->row[0] = a->above[0] + empty;
        moves[0] = MOVE_SLOT;
        for (size_t c = 1; c <= clusters; c++) {
            float best =
                a->above[c - 1] + both_cost(a, faces, count, gaps, &a->forms[voice][c - 1]);
            moves[c] = MOVE_BOTH;
            if (a->above[c] + empty < best) {
                best = a->above[c] + empty;
                moves[c] = MOVE_SLOT;
            }
            if (a->row[c - 1] + cost_gap < best) {
                best = a->row[c - 1] + cost_gap;
                moves[c] = MOVE_CLUSTER;
            }
            a->row[c] = best;
        }
        float *swap = a->above;
        a->above = a->row;
        a->row = swap;
    }
}

/* Walks back; `merged` is written from its end. */
static size_t trace(aligning *a, size_t voice) {
    size_t n = a->net->voice_count, s = a->net->slot_count, c = a->voices[voice]->count;
    size_t width = c + 1, from = s + c;
    while (s || c) {
        move m = !s ? MOVE_CLUSTER : !c ? MOVE_SLOT : (move)a->moves[s * width + c];
        int32_t *to = a->merged + --from * n;
        if (m == MOVE_CLUSTER)
            for (size_t v = 0; v < n; v++)
                to[v] = -1;
        else
            memcpy(to, slot_at(a, --s), n * sizeof *to);
        to[voice] = m == MOVE_SLOT ? -1 : (int32_t)--c;
    }
    return from;
}

static vl_status keep(aligning *a, const int32_t *slots, size_t count) {
    vote_net *net = a->net;
    if (count > MAX_SLOTS)
        return vl_fail(a->error, VL_ERR_LIMIT, "readings of a line too unlike to compare");
    if (count > net->capacity) {
        int32_t *at = realloc(net->at, count * net->voice_count * sizeof *at);
        if (!at)
            return vl_fail(a->error, VL_ERR_MEMORY, "out of memory");
        net->at = at;
        net->capacity = count;
    }
    if (count)
        memcpy(net->at, slots, count * net->voice_count * sizeof *net->at);
    net->slot_count = count;
    return VL_OK;
}

static vl_status put_in(aligning *a, size_t voice) {
    size_t slots = a->net->slot_count, clusters = a->voices[voice]->count;
    if ((slots + 1) * (clusters + 1) > MAX_CELLS)
        return vl_fail(a->error, VL_ERR_LIMIT,
                       "lines of %zu and %zu characters are too long "
                       "to compare",
                       slots, clusters);
    if (!reserve(a, slots, clusters))
        return vl_fail(a->error, VL_ERR_MEMORY, "out of memory");
    fill_moves(a, voice);
    size_t from = trace(a, voice);
    a->in[voice] = true;
    return keep(a, a->merged + from * a->net->voice_count, slots + clusters - from);
}

/* Its column becomes empty, and slots that only it filled go. */
static void take_out(aligning *a, size_t voice) {
    size_t n = a->net->voice_count, kept = 0;
    for (size_t s = 0; s < a->net->slot_count; s++) {
        int32_t *to = a->net->at + kept * n;
        bool used = false;
        memmove(to, slot_at(a, s), n * sizeof *to);
        to[voice] = -1;
        for (size_t v = 0; v < n; v++)
            used |= to[v] >= 0;
        kept += used;
    }
    a->net->slot_count = kept;
    a->in[voice] = false;
}

static bool is_same_reading(const aligning *a, size_t v, size_t w) {
    size_t count = a->voices[v]->count;
    bool same = count == a->voices[w]->count;
    for (size_t i = 0; i < count && same; i++)
        same = a->forms[v][i].text == a->forms[w][i].text;
    return same;
}

/* Most readings of an easy line are the same: one that is there already is not aligned. */
static bool put_beside(aligning *a, size_t voice) {
    size_t n = a->net->voice_count;
    for (size_t w = 0; w < n; w++)
        if (a->in[w] && is_same_reading(a, voice, w)) {
            for (size_t s = 0; s < a->net->slot_count; s++)
                a->net->at[s * n + voice] = a->net->at[s * n + w];
            a->in[voice] = true;
            return true;
        }
    return false;
}

static bool make_forms(aligning *a) {
    float sum = 0, count = 0;
    for (size_t v = 0; v < a->net->voice_count; v++) {
        const vl_vote_voice *voice = a->voices[v];
        a->forms[v] = calloc(voice->count + 1, sizeof *a->forms[v]);
        if (!a->forms[v])
            return false;
        for (size_t i = 0; i < voice->count; i++) {
            form_make(&voice->clusters[i], &a->forms[v][i]);
            sum += a->forms[v][i].width;
            count += a->forms[v][i].width > 0 ? 1.f : 0.f;
        }
    }
    a->width = count > 0 ? sum / count : 0;
    return true;
}

vl_status vote_align(const vl_vote_voice *const *voices, size_t count, vote_net *net,
                     vl_error *error) {
    aligning a = {.net = net, .voices = voices, .error = error};
    *net = (vote_net){.voice_count = count};
    pthread_once(&shapes_once, shapes_open);
    vl_status status = make_forms(&a) ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    bool alike = true;
    for (size_t v = 0; v < count && !status; v++)
        if (!put_beside(&a, v)) {
            alike = v == 0;
            status = put_in(&a, v);
        }
    for (size_t v = 0; v < count && !status && !alike && count > 2; v++) {
        take_out(&a, v);
        status = put_in(&a, v);
    }
    for (size_t v = 0; v < count; v++)
        free(a.forms[v]);
    free(a.moves);
    free(a.row);
    free(a.above);
    free(a.merged);
    return status;
}

void vote_net_free(vote_net *net) {
    free(net->at);
    *net = (vote_net){0};
}
