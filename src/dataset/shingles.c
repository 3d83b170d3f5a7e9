/* shingles.c — see shingles.h.
 *
 * fold → runs of one class of characters → words or clusters → two windows → hashes. The class
 * of each character of the basic plane is looked up once a process. */
#include "dataset/shingles.h"

#include <pthread.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

static uint64_t mixed(uint64_t state) {
    return vl_random_next(&state);
}

/* ---- folding ---------------------------------------------------------------------- */

typedef struct wide {
    UChar *units;
    int32_t length;
} wide;

/* Most text is ASCII, for which folding is lower case. */
static bool fold_ascii(vl_arena *arena, const char *text, size_t bytes, wide *out) {
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    if (!(out->units = vl_arena_array(arena, bytes + 1, sizeof *out->units)))
        return true;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        out->units[i] = (UChar)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    out->length = (int32_t)bytes;
    return true;
}

static void fold_unicode(vl_arena *arena, const char *text, size_t bytes, wide *out) {
    UErrorCode code = U_ZERO_ERROR;
    int32_t length;
    const UNormalizer2 *folder = unorm2_getNFKCCasefoldInstance(&code);
    UChar *raw = vl_arena_array(arena, bytes + 1, sizeof *raw);
    if (!raw)
        return;
    u_strFromUTF8WithSub(raw, (int32_t)bytes + 1, &length, text, (int32_t)bytes, 0xFFFD, NULL,
                         &code);
    for (int32_t capacity = length + length / 2 + 16; U_SUCCESS(code);) {
        UChar *units = vl_arena_array(arena, (size_t)capacity, sizeof *units);
        if (!units)
            return;
        int32_t written = unorm2_normalize(folder, raw, length, units, capacity, &code);
        if (U_SUCCESS(code)) {
            *out = (wide){units, written};
            return;
        }
        if (code != U_BUFFER_OVERFLOW_ERROR)
            return;
        code = U_ZERO_ERROR;
        capacity = written + 1;
    }
}

/* ---- characters ------------------------------------------------------------------- */

enum { PARTING, LETTER, CLUSTERED, FOLLOWING }; /* FOLLOWING: a mark of any script */

static uint8_t class_of(UChar32 c) {
    UErrorCode code = U_ZERO_ERROR;
    uint32_t category = U_GET_GC_MASK(c);
    if (!(category & (U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK)))
        return PARTING;
    UScriptCode script = uscript_getScript(c, &code);
    if (U_SUCCESS(code) && script > USCRIPT_INHERITED && uscript_breaksBetweenLetters(script))
        return CLUSTERED;
    return category & U_GC_M_MASK && script == USCRIPT_INHERITED ? FOLLOWING : LETTER;
}

static uint8_t basic_classes[0x10000];
static pthread_once_t classes_once = PTHREAD_ONCE_INIT;

static void classes_fill(void) {
    for (UChar32 c = 0; c < 0x10000; c++)
        basic_classes[c] = class_of(c);
}

static uint8_t class_at(const wide *text, int32_t *at) {
    UChar unit = text->units[(*at)++];
    if (!U16_IS_LEAD(unit) || *at == text->length || !U16_IS_TRAIL(text->units[*at]))
        return basic_classes[unit];
    return class_of((UChar32)U16_GET_SUPPLEMENTARY(unit, text->units[(*at)++]));
}

/* Where the run of `class` that begins at `at` ends; marks go with what they follow. */
static int32_t run_end(const wide *text, int32_t at, uint8_t class) {
    while (at < text->length) {
        int32_t next = at;
        uint8_t other = class_at(text, &next);
        if (other != class && other != FOLLOWING)
            break;
        at = next;
    }
    return at;
}

/* ---- shingles --------------------------------------------------------------------- */

typedef struct window {
    uint64_t last[SHINGLES_CLUSTERS]; /* a ring of the last `size` */
    size_t size, seen;
} window;

typedef struct maker {
    vl_arena *arena;
    uint64_t *hashes, text, seed;
    size_t count, capacity;
    window words, clusters;
    UBreakIterator *breaks; /* NULL: not needed so far */
    bool full;              /* no memory */
} maker;

static void emit(maker *m, const window *w, size_t tokens) {
    if (m->count == m->capacity) {
        size_t capacity = m->capacity ? 2 * m->capacity : 256;
        uint64_t *grown = vl_arena_grow(m->arena, m->hashes, m->count * sizeof *grown,
                                        capacity * sizeof *grown);
        m->full |= !grown;
        if (!grown)
            return;
        m->hashes = grown;
        m->capacity = capacity;
    }
    uint64_t hash = m->seed ^ w->size;
    for (size_t i = w->seen - tokens; i < w->seen; i++)
        hash = mixed(hash ^ w->last[i % w->size]);
    m->hashes[m->count++] = hash;
}

static void push(maker *m, window *w, const UChar *units, int32_t count) {
    uint64_t token = UINT64_C(0xCBF29CE484222325); /* FNV-1a, over units instead of bytes */
    for (int32_t i = 0; i < count; i++)
        token = (token ^ (uint64_t)units[i]) * UINT64_C(0x100000001B3);
    token = mixed(token);
    m->text = mixed(m->text ^ token);
    w->last[w->seen++ % w->size] = token;
    if (w->seen >= w->size)
        emit(m, w, w->size);
}

static vl_status push_clusters(maker *m, const UChar *units, int32_t count, vl_error *error) {
    UErrorCode code = U_ZERO_ERROR;
    if (!m->breaks)
        m->breaks = ubrk_open(UBRK_CHARACTER, "", NULL, 0, &code);
    if (U_SUCCESS(code))
        ubrk_setText(m->breaks, units, count, &code);
    if (U_FAILURE(code))
        return vl_fail(error, VL_ERR_INTERNAL, "no grapheme clusters of a text: %s",
                       u_errorName(code));
    int32_t start = 0;
    for (int32_t end; (end = ubrk_next(m->breaks)) != UBRK_DONE; start = end)
        push(m, &m->clusters, units + start, end - start);
    return VL_OK;
}

static vl_status push_all(maker *m, const wide *text, vl_error *error) {
    vl_status status = VL_OK;
    for (int32_t at = 0; at < text->length && !status && !m->full;) {
        int32_t start = at;
        uint8_t class = class_at(text, &at);
        if (class == PARTING)
            continue;
        at = run_end(text, at, class == FOLLOWING ? LETTER : class);
        if (class == CLUSTERED)
            status = push_clusters(m, text->units + start, at - start, error);
        else
            push(m, &m->words, text->units + start, at - start);
    }
    if (m->words.seen && m->words.seen < m->words.size)
        emit(m, &m->words, m->words.seen);
    if (m->clusters.seen && m->clusters.seen < m->clusters.size)
        emit(m, &m->clusters, m->clusters.seen);
    return status;
}

vl_status shingles_of(vl_arena *arena, const char *text, uint64_t seed, shingles *out,
                      vl_error *error) {
    wide folded = {0};
    size_t bytes = strlen(text);
    *out = (shingles){0};
    if (bytes > SHINGLES_MAX_BYTES)
        return vl_fail(error, VL_ERR_LIMIT, "a text of %zu bytes, more than %d, to be compared",
                       bytes, SHINGLES_MAX_BYTES);
    if (!fold_ascii(arena, text, bytes, &folded))
        fold_unicode(arena, text, bytes, &folded);
    if (!folded.units)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to fold a text of %zu bytes", bytes);
    pthread_once(&classes_once, classes_fill);
    maker m = {.arena = arena, .text = seed, .seed = mixed(seed)};
    m.words.size = SHINGLES_WORDS;
    m.clusters.size = SHINGLES_CLUSTERS;
    vl_status status = push_all(&m, &folded, error);
    ubrk_close(m.breaks);
    if (!status && m.full)
        status =
            vl_fail(error, VL_ERR_MEMORY, "no memory for the shingles of %zu bytes", bytes);
    if (!status)
        *out = (shingles){m.text, m.hashes, m.count};
    return status;
}
