/* aligned.c — see aligned.h: all texts in one arena, and a sorted table of their hashes; a
 * search both ways where nobody says which texts go together. */
#include "dataset/aligned.h"

#include "dataset/dice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LINE_BYTES = 1 << 16 };
static const size_t TEXTS_MAX = (size_t)2 << 30, SCRATCH = (size_t)1 << 20;

typedef struct entry {
    uint64_t hash; /* of the folded text */
    uint32_t order;
    const char *folded, *language, *other, *other_language, *origin;
} entry;
struct aligned {
    vl_arena *texts, *scratch;
    entry *entries; /* by hash, then order */
    size_t count, room;
};

static const char *fold(vl_arena *arena, const char *text) {
    char *squeezed = vl_text_squeeze(arena, text);
    char *folded = squeezed ? vl_text_casefold(arena, squeezed) : NULL;
    return folded ? vl_text_squeeze(arena, folded) : NULL;
}

static vl_status add(aligned *a, const char *text, const char *language, const char *other,
                     const char *other_language, const char *origin, vl_error *error) {
    if (a->count == a->room) {
        size_t room = a->room ? a->room * 2 : 1024;
        entry *grown = realloc(a->entries, room * sizeof *grown);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for aligned texts");
        a->entries = grown;
        a->room = room;
    }
    vl_arena_reset(a->scratch);
    const char *folded = fold(a->scratch, text);
    const char *kept = folded ? vl_arena_strdup(a->texts, folded) : NULL;
    if (!kept)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for aligned texts");
    a->entries[a->count] = (entry){dice_hash(kept), (uint32_t)a->count, kept,  language,
                                   other,           other_language,     origin};
    a->count++;
    return VL_OK;
}

/* The last two of two or three columns. */
static bool split(char *line, char **first, char **second) {
    char *columns[4], *at = line;
    size_t count = 0;
    line[strcspn(line, "\r\n")] = '\0';
    while (at && count < 4) {
        columns[count++] = at;
        at = strchr(at, '\t');
        if (at)
            *at++ = '\0';
    }
    if (count < 2 || count > 3)
        return false;
    *first = columns[count - 2];
    *second = columns[count - 1];
    return true;
}

static vl_status take_line(aligned *a, const build_aligned *table, const char *origin,
                           char *line, vl_error *error) {
    char *first = NULL, *second = NULL;
    if (vl_utf8_valid_prefix(line, strlen(line)) != strlen(line))
        return vl_fail(error, VL_ERR_INPUT, "not UTF-8");
    if (!split(line, &first, &second))
        return vl_fail(error, VL_ERR_INPUT, "two columns apart by a tab are needed");
    first = vl_text_squeeze(a->texts, first);
    second = vl_text_squeeze(a->texts, second);
    if (!first || !second)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for aligned texts");
    if (!*first || !*second)
        return VL_OK;
    vl_status status = add(a, first, table->first, second, table->second, origin, error);
    return status ? status : add(a, second, table->second, first, table->first, origin, error);
}

static vl_status read_table(aligned *a, const build_aligned *table, vl_error *error) {
    const char *slash = strrchr(table->path, '/');
    const char *origin =
        vl_arena_printf(a->texts, "aligned:%s", slash ? slash + 1 : table->path);
    char *line = malloc(LINE_BYTES);
    size_t number = 0;
    vl_status status =
        line && origin ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for aligned texts");
    gzFile in = status ? NULL : gzopen(table->path, "rb");
    if (!status && !in)
        status = vl_fail(error, VL_ERR_MISSING, "%s: %s", table->path, strerror(errno));
    while (!status && gzgets(in, line, LINE_BYTES)) {
        number++;
        if (!strchr(line, '\n') && strlen(line) + 1 == LINE_BYTES)
            status = vl_fail(error, VL_ERR_LIMIT, "a line over %d bytes", LINE_BYTES);
        else
            status = take_line(a, table, origin, line, error);
        if (status)
            vl_error_prefix(error, "%s:%zu", table->path, number);
    }
    int fault = Z_OK;
    if (!status && in && (gzerror(in, &fault), fault < 0))
        status = vl_fail(error, VL_ERR_INPUT, "%s: it cannot be unpacked", table->path);
    if (in)
        gzclose(in);
    free(line);
    return status;
}

static int by_hash(const void *x, const void *y) {
    const entry *a = x, *b = y;
    return a->hash != b->hash ? (a->hash < b->hash ? -1 : 1)
                              : (a->order > b->order) - (a->order < b->order);
}

vl_status aligned_open(const build_recipe *recipe, aligned **out, vl_error *error) {
    aligned *a = calloc(1, sizeof *a);
    *out = NULL;
    if (!a)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    a->texts = vl_arena_new(TEXTS_MAX);
    a->scratch = vl_arena_new(SCRATCH);
    vl_status status =
        a->texts && a->scratch ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; !status && i < recipe->aligned_count; i++)
        status = read_table(a, &recipe->aligned[i], error);
    if (a->count)
        qsort(a->entries, a->count, sizeof *a->entries, by_hash);
    if (status)
        aligned_free(a);
    else
        *out = a;
    return status;
}

void aligned_free(aligned *a) {
    if (!a)
        return;
    vl_arena_free(a->texts);
    vl_arena_free(a->scratch);
    free(a->entries);
    free(a);
}

size_t aligned_find(const aligned *a, const char *text, const char *language, vl_arena *arena,
                    aligned_hit *hits) {
    const char *folded = a->count ? fold(arena, text) : NULL;
    uint64_t hash = folded ? dice_hash(folded) : 0;
    size_t low = 0, high = a->count, count = 0;
    if (!folded)
        return 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (a->entries[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < a->count && a->entries[low].hash == hash && count < ALIGNED_HITS_MAX; low++) {
        const entry *e = &a->entries[low];
        if (!strcmp(e->folded, folded) && !strcmp(e->language, language))
            hits[count++] = (aligned_hit){e->other_language, e->other, e->origin};
    }
    return count;
}

/* ---- nobody says which go together --------------------------------------------------- */

/* The best of `side` for a text. *found SIZE_MAX: none is alike. */
static vl_status best_of(const vl_space *space, const aligned_side *side, const char *text,
                         const char *language, size_t *found, double *confidence,
                         vl_error *error) {
    vl_bank *bank = NULL;
    vl_bank_hit hit;
    size_t count = 0;
    vl_status status =
        vl_bank_new(space, side->language, side->texts, side->count, &bank, error);
    if (!status)
        status = vl_bank_search(bank, language, text, 1, &hit, &count, error);
    vl_bank_free(bank);
    *found = !status && count ? hit.sentence : SIZE_MAX;
    *confidence = !status && count ? (double)hit.confidence : 0;
    return status;
}

vl_status aligned_guess(const vl_space *space, const aligned_side *own, size_t at,
                        const aligned_side *other, double least, size_t *found,
                        double *confidence, vl_error *error) {
    size_t back = SIZE_MAX;
    double sure = 0;
    vl_status status =
        best_of(space, other, own->texts[at], own->language, found, confidence, error);
    if (status || *found == SIZE_MAX)
        return status;
    if (*confidence >= least)
        status =
            best_of(space, own, other->texts[*found], other->language, &back, &sure, error);
    *confidence = sure < *confidence ? sure : *confidence;
    if (back != at || *confidence < least)
        *found = SIZE_MAX;
    return status;
}
