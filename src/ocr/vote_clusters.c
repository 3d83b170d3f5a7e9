/* vote_clusters.c — an engine's symbols as grapheme clusters (UAX #29, ICU's rules).
 *
 * Engines cut text where their alphabets do: Tesseract gives a Devanagari consonant and its
 * vowel sign apart in some scripts, a CTC network gives code points. The vote needs the same
 * units from all of them, so the symbols' text is put together, cut into clusters, and each
 * cluster takes what it can from the symbols under it. */
#include "ocr/vote.h"

#include <math.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

enum { MAX_TEXT = VL_VOTE_MAX_CLUSTERS * 32 };

typedef struct building {
    vl_arena *arena;
    const vl_vote_cluster *symbols;
    size_t count;
    char *text;     /* of all symbols */
    uint32_t *from; /* [bytes of text]: the symbol each byte is of */
    size_t bytes;
    vl_vote_cluster *out;
    size_t used;
} building;

static bool is_space(const char *text, size_t bytes) {
    bool space = true;
    for (int32_t at = 0; at < (int32_t)bytes && space;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, (int32_t)bytes, c);
        space = u_isUWhiteSpace(c);
    }
    return space;
}

/* The `length`-byte cluster at `at` of the text, from the symbols first … last. */
static bool add_cluster(building *b, size_t at, size_t length) {
    uint32_t first = b->from[at], last = b->from[at + length - 1];
    const vl_vote_cluster *s = &b->symbols[first];
    vl_vote_cluster made = {.confidence = s->confidence, .x0 = s->x0, .x1 = s->x1};
    bool space = is_space(b->text + at, length);
    if (space && (!b->used || !strcmp(b->out[b->used - 1].text, " ")))
        return true;
    const char *raw = vl_arena_strndup(b->arena, b->text + at, length);
    made.text = space ? " " : raw ? vl_text_nfc(b->arena, raw) : NULL;
    if (!made.text)
        return false;
    for (uint32_t i = first + 1; i <= last; i++) {
        made.confidence = fmin(made.confidence, b->symbols[i].confidence);
        if (b->symbols[i].x1 > b->symbols[i].x0) {
            made.x0 = made.x1 > made.x0 ? fminf(made.x0, b->symbols[i].x0) : b->symbols[i].x0;
            made.x1 = fmaxf(made.x1, b->symbols[i].x1);
        }
    }
    bool whole = first == last && (!at || b->from[at - 1] != first) &&
                 (at + length == b->bytes || b->from[at + length] != first);
    if (whole && !space) {
        made.alternatives = s->alternatives;
        made.alternative_count = s->alternative_count;
    } else if (first == last && s->x1 > s->x0) {
        /* One symbol of several clusters: a share of its width each, by bytes. */
        size_t begin = at, end = at + length;
        while (begin && b->from[begin - 1] == first)
            begin--;
        while (end < b->bytes && b->from[end] == first)
            end++;
        float scale = (s->x1 - s->x0) / (float)(end - begin);
        made.x0 = s->x0 + scale * (float)(at - begin);
        made.x1 = made.x0 + scale * (float)length;
    }
    b->out[b->used++] = made;
    return true;
}

/* An alternative is kept if it stays a cluster of its own beside what is before it: a bare
 * vowel sign would change the cluster to its left. */
static bool is_whole(const char *text) {
    int32_t at = 0, bytes = (int32_t)strlen(text);
    UChar32 c;
    if (!*text || bytes > VL_VOTE_MAX_CLUSTER_BYTES)
        return false;
    U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
    int32_t kind = u_getIntPropertyValue(c, UCHAR_GRAPHEME_CLUSTER_BREAK);
    return !u_isUWhiteSpace(c) && kind != U_GCB_EXTEND && kind != U_GCB_SPACING_MARK &&
           kind != U_GCB_ZWJ && !strpbrk(text, " \t\n");
}

static bool copy_alternatives(vl_arena *arena, vl_vote_cluster *cluster) {
    size_t most = cluster->alternative_count < VL_VOTE_MAX_ALTERNATIVES
                      ? cluster->alternative_count
                      : VL_VOTE_MAX_ALTERNATIVES;
    vl_vote_choice *out = vl_arena_array(arena, most + 1, sizeof *out);
    size_t used = 0;
    for (size_t i = 0; out && i < most; i++) {
        vl_vote_choice choice = cluster->alternatives[i];
        if (!is_whole(choice.text))
            continue;
        if (!(choice.text = vl_text_nfc(arena, choice.text)))
            return false;
        out[used++] = choice;
    }
    cluster->alternatives = out;
    cluster->alternative_count = used;
    return out != NULL;
}

static bool join(building *b) {
    for (size_t i = 0; i < b->count; i++)
        b->bytes += strlen(b->symbols[i].text);
    b->text = vl_arena_alloc(b->arena, b->bytes + 1);
    b->from = vl_arena_array(b->arena, b->bytes + 1, sizeof *b->from);
    b->out = vl_arena_array(b->arena, b->bytes + 1, sizeof *b->out);
    if (!b->text || !b->from || !b->out)
        return false;
    for (size_t i = 0, at = 0; i < b->count; i++)
        for (const char *c = b->symbols[i].text; *c; c++, at++) {
            b->text[at] = *c;
            b->from[at] = (uint32_t)i;
        }
    return true;
}

static vl_status cut(building *b, vl_error *error) {
    UErrorCode code = U_ZERO_ERROR;
    UText wrapped = UTEXT_INITIALIZER;
    utext_openUTF8(&wrapped, b->text, (int64_t)b->bytes, &code);
    UBreakIterator *breaks = ubrk_open(UBRK_CHARACTER, "", NULL, 0, &code);
    ubrk_setUText(breaks, &wrapped, &code);
    vl_status status = VL_OK;
    int32_t from = 0, to;
    while (!status && U_SUCCESS(code) && (to = ubrk_next(breaks)) != UBRK_DONE) {
        if (to - from > VL_VOTE_MAX_CLUSTER_BYTES / 2 || b->used == VL_VOTE_MAX_CLUSTERS)
            status = vl_fail(error, VL_ERR_LIMIT,
                             "a line of more than %d characters, or one "
                             "character of %d bytes",
                             VL_VOTE_MAX_CLUSTERS, to - from);
        else if (!add_cluster(b, (size_t)from, (size_t)(to - from)))
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for the characters of a line");
        from = to;
    }
    ubrk_close(breaks);
    utext_close(&wrapped);
    return status || U_SUCCESS(code)
               ? status
               : vl_fail(error, VL_ERR_INTERNAL, "ICU: %s", u_errorName(code));
}

vl_status vl_vote_clusters(vl_arena *arena, const vl_vote_cluster *symbols, size_t count,
                           const vl_vote_cluster **clusters, size_t *cluster_count,
                           vl_error *error) {
    building b = {.arena = arena, .symbols = symbols, .count = count};
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        if ((bytes += strlen(symbols[i].text)) > MAX_TEXT)
            return vl_fail(error, VL_ERR_LIMIT, "a line of more than %d bytes", MAX_TEXT);
    if (!join(&b))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the characters of a line");
    vl_status status = cut(&b, error);
    if (b.used && !strcmp(b.out[b.used - 1].text, " "))
        b.used--;
    for (size_t i = 0; i < b.used && !status; i++)
        if (!copy_alternatives(arena, &b.out[i]))
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for the characters of a line");
    *clusters = b.out;
    *cluster_count = b.used;
    return status;
}

vl_status vl_vote_clusters_of(vl_arena *arena, const char *text, double confidence,
                              const vl_vote_cluster **clusters, size_t *cluster_count,
                              vl_error *error) {
    vl_vote_cluster whole = {.text = text, .confidence = confidence};
    return vl_vote_clusters(arena, &whole, 1, clusters, cluster_count, error);
}
