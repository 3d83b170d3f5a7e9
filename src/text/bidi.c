/* bidi.c — lines in the order of their pixels and in the order they are read (UAX #9).
 *
 * Levels are ICU's; reordering (rule L2) is done here, over clusters: a character and the marks
 * after it move as one, so that a mark never comes to stand before its base, and each code
 * point's way can be told. The way back has no single answer: a visual line is given levels by
 * several rules, and the first order that looks like it again is taken. */
#include <vislang/text.h>

#include <stdlib.h>
#include <string.h>
#include <unicode/ubidi.h>
#include <unicode/uchar.h>
#include <unicode/utf16.h>

/* Working memory of one line. */
typedef struct work {
    size_t count, clusters;
    UChar *wide;       /* [2·count] */
    UBiDiLevel *unit;  /* [2·count]: level of each UTF-16 unit */
    size_t *start;     /* [clusters + 1]: first code point of a cluster */
    size_t *order;     /* [clusters] */
    UBiDiLevel *level; /* [clusters] */
} work;

static void work_deinit(work *w) {
    free(w->wide);
    free(w->unit);
    free(w->start);
    free(w->order);
    free(w->level);
}

static bool joins(uint32_t c) {
    int8_t type = u_charType((UChar32)c);
    return type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK ||
           type == U_COMBINING_SPACING_MARK || c == 0x200C || c == 0x200D;
}

static vl_status work_init(work *w, const uint32_t *line, size_t count, vl_error *error) {
    *w = (work){.count = count};
    if (count > VL_DIRECTION_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "a line of %zu characters; %d is the most", count,
                       VL_DIRECTION_MAX);
    w->wide = calloc(2 * count + 1, sizeof *w->wide);
    w->unit = calloc(2 * count + 1, sizeof *w->unit);
    w->start = calloc(count + 1, sizeof *w->start);
    w->order = calloc(count + 1, sizeof *w->order);
    w->level = calloc(count + 1, sizeof *w->level);
    if (!w->wide || !w->unit || !w->start || !w->order || !w->level) {
        work_deinit(w);
        return vl_fail(error, VL_ERR_MEMORY, "no memory to order a line");
    }
    for (size_t i = 0; i < count; i++)
        if (!i || !joins(line[i]))
            w->start[w->clusters++] = i;
    w->start[w->clusters] = count;
    return VL_OK;
}

/* A number that is no character takes part as a replacement character. */
static UChar32 sound(uint32_t c) {
    return c > 0x10FFFF || U_IS_SURROGATE(c) || !c ? 0xFFFD : (UChar32)c;
}

/* Levels of the clusters by ICU's algorithm in `mode`. */
static vl_status find_levels(work *w, const uint32_t *line, bool rtl, UBiDiReorderingMode mode,
                             vl_error *error) {
    UErrorCode code = U_ZERO_ERROR;
    int32_t units = 0;
    for (size_t i = 0; i < w->count; i++) {
        UChar32 c = sound(line[i]);
        U16_APPEND_UNSAFE(w->wide, units, c);
    }
    UBiDi *bidi = ubidi_open();
    if (!bidi)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to order a line");
    ubidi_setReorderingMode(bidi, mode);
    ubidi_setPara(bidi, w->wide, units, rtl ? 1 : 0, NULL, &code);
    const UBiDiLevel *levels = U_SUCCESS(code) ? ubidi_getLevels(bidi, &code) : NULL;
    if (levels && U_SUCCESS(code) && ubidi_getProcessedLength(bidi) == units)
        memcpy(w->unit, levels, (size_t)units * sizeof *levels);
    else
        memset(w->unit, rtl, (size_t)units * sizeof *w->unit);
    ubidi_close(bidi);
    size_t unit = 0, i = 0;
    for (size_t k = 0; k < w->clusters; k++) {
        w->level[k] = w->unit[unit] & 0x7F;
        for (; i < w->start[k + 1]; i++)
            unit += U16_LENGTH(sound(line[i]));
    }
    return VL_OK;
}

static void reverse(size_t *order, size_t from, size_t to) {
    for (; to > from + 1; from++, to--) {
        size_t swap = order[from];
        order[from] = order[to - 1];
        order[to - 1] = swap;
    }
}

/* Rule L2: from the highest level to the lowest odd one, reverse every run of at least it. */
static void reorder(work *w) {
    UBiDiLevel most = 0;
    for (size_t k = 0; k < w->clusters; k++) {
        w->order[k] = k;
        most = w->level[k] > most ? w->level[k] : most;
    }
    for (UBiDiLevel level = most; level > 0; level--)
        for (size_t k = 0; k < w->clusters;) {
            size_t end = k;
            while (end < w->clusters && w->level[w->order[end]] >= level)
                end++;
            reverse(w->order, k, end);
            k = end > k ? end : k + 1;
        }
}

/* Clusters in their new order, brackets of odd levels mirrored (rule L4). */
static void write_out(const work *w, const uint32_t *line, uint32_t *out, size_t *from) {
    size_t at = 0;
    for (size_t k = 0; k < w->clusters; k++) {
        size_t cluster = w->order[k];
        for (size_t i = w->start[cluster]; i < w->start[cluster + 1]; i++, at++) {
            bool mirrored = w->level[cluster] & 1 && u_isMirrored((UChar32)line[i]);
            out[at] = mirrored ? (uint32_t)u_charMirror((UChar32)line[i]) : line[i];
            from[at] = i;
        }
    }
}

static bool is_strong_rtl(uint32_t c) {
    UCharDirection d = u_charDirection((UChar32)c);
    return d == U_RIGHT_TO_LEFT || d == U_RIGHT_TO_LEFT_ARABIC;
}

bool vl_text_mostly_rtl(const uint32_t *line, size_t count) {
    size_t right = 0, left = 0;
    for (size_t i = 0; i < count; i++) {
        right += is_strong_rtl(line[i]);
        left += u_charDirection((UChar32)line[i]) == U_LEFT_TO_RIGHT;
    }
    return right > left;
}

static bool begins_rtl(const uint32_t *line, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (is_strong_rtl(line[i]))
            return true;
        if (u_charDirection((UChar32)line[i]) == U_LEFT_TO_RIGHT)
            return false;
    }
    return false;
}

bool vl_text_steers(uint32_t c) {
    return c == 0xAD || c == 0x61C || c == 0x200B || (c >= 0x200E && c <= 0x200F) ||
           (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

static vl_status order_by(const uint32_t *line, size_t count, bool rtl,
                          UBiDiReorderingMode mode, uint32_t *out, size_t *from,
                          vl_error *error) {
    work w;
    vl_status status = work_init(&w, line, count, error);
    if (status)
        return status;
    status = find_levels(&w, line, rtl, mode, error);
    if (!status) {
        reorder(&w);
        write_out(&w, line, out, from);
    }
    work_deinit(&w);
    return status;
}

vl_status vl_text_to_visual(const uint32_t *line, size_t count, vl_direction direction,
                            uint32_t *visual, size_t *from, vl_error *error) {
    bool rtl = direction == VL_DIRECTION_TEXT ? begins_rtl(line, count)
                                              : direction == VL_DIRECTION_RTL;
    return order_by(line, count, rtl, UBIDI_REORDER_DEFAULT, visual, from, error);
}

/* Whether `line` looks like `visual`; scratch is [count] of each. */
static bool looks_like(const uint32_t *line, size_t count, bool rtl, const uint32_t *visual,
                       uint32_t *scratch, size_t *from) {
    return order_by(line, count, rtl, UBIDI_REORDER_DEFAULT, scratch, from, NULL) == VL_OK &&
           memcmp(scratch, visual, count * sizeof *visual) == 0;
}

vl_status vl_text_to_logical(const uint32_t *visual, size_t count, vl_direction direction,
                             uint32_t *line, size_t *from, vl_error *error) {
    static const UBiDiReorderingMode modes[] = {
        UBIDI_REORDER_DEFAULT, UBIDI_REORDER_INVERSE_LIKE_DIRECT,
        UBIDI_REORDER_GROUP_NUMBERS_WITH_R, UBIDI_REORDER_INVERSE_NUMBERS_AS_L};
    bool rtl = direction == VL_DIRECTION_TEXT ? vl_text_mostly_rtl(visual, count)
                                              : direction == VL_DIRECTION_RTL;
    uint32_t *scratch = calloc(count + 1, sizeof *scratch);
    size_t *ways = calloc(count + 1, sizeof *ways);
    vl_status status =
        scratch && ways ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory to order a line");
    bool found = false;
    for (size_t m = 0; m < sizeof modes / sizeof *modes && !status && !found; m++) {
        status = order_by(visual, count, rtl, modes[m], line, from, error);
        found = !status && looks_like(line, count, rtl, visual, scratch, ways);
    }
    if (!status && !found) /* none does: the plainest */
        status = order_by(visual, count, rtl, modes[0], line, from, error);
    free(scratch);
    free(ways);
    return status;
}
