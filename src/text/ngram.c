/* ngram.c — reads and asks character n-gram models. The file is described in ngram_model.h.
 *
 * A state holds, for each length below the order, the n-gram that the text so far ends in, if
 * the model has it. One symbol is then at most `order` binary searches among the continuations
 * of these, and the same searches give the next state. */
#include "text/ngram_model.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unicode/utf8.h>
#include <unistd.h>

#define NONE UINT32_MAX

typedef struct level {
    const uint32_t *base;
    const uint16_t *low;
    const void *last;
    const uint8_t *p, *backoff;
    uint32_t count;
} level;

struct vl_ngram_language {
    vl_ngram_entry entry;
    const uint32_t *points;
    level levels[VL_NGRAM_MAX_ORDER];
};

struct vl_ngram {
    char *data;
    size_t bytes;
    bool mapped;
    size_t count;
    vl_ngram_language *languages;
};

/* ---- the file --------------------------------------------------------------------------- */

static size_t aligned(size_t at, size_t to) {
    return (at + to - 1) / to * to;
}

size_t vl_ngram_lay_out(const vl_ngram_entry *e, vl_ngram_layout *layout) {
    *layout = (vl_ngram_layout){0};
    size_t at = (size_t)(e->symbols - 2) * sizeof(uint32_t);
    for (size_t n = 0; n + 1 < e->order; n++) {
        layout->base[n] = at;
        at += ((size_t)e->counts[n] / VL_NGRAM_GROUP + 1) * sizeof(uint32_t);
        layout->low[n] = at;
        at = aligned(at + ((size_t)e->counts[n] + 1) * sizeof(uint16_t), 4);
    }
    for (size_t n = 0; n < e->order; n++) {
        layout->last[n] = at = aligned(at, e->id_bytes);
        at += n ? (size_t)e->counts[n] * e->id_bytes : 0;
        layout->p[n] = at;
        at += e->counts[n];
        layout->backoff[n] = at;
        at += n + 1 < e->order ? e->counts[n] : 0;
    }
    return aligned(at, 4);
}

static uint32_t begin_of(const level *l, uint32_t i) {
    return l->base[i / VL_NGRAM_GROUP] + l->low[i];
}

static uint32_t last_of(const vl_ngram_language *g, size_t n, uint32_t i) {
    return g->entry.id_bytes == 1 ? ((const uint8_t *)g->levels[n].last)[i]
                                  : ((const uint16_t *)g->levels[n].last)[i];
}

static vl_status check_entry(const vl_ngram *ngram, const vl_ngram_entry *e, size_t i,
                             vl_error *error) {
    bool sound = memchr(e->code, 0, sizeof e->code) && *e->code && e->order >= 2 &&
                 e->order <= VL_NGRAM_MAX_ORDER && e->symbols >= 2 &&
                 e->symbols <= VL_NGRAM_MAX_SYMBOLS && e->counts[0] == e->symbols &&
                 e->id_bytes == (e->symbols > 256 ? 2 : 1) && e->p_scale > 0 &&
                 e->p_scale < 100 && fabsf(e->backoff_least) < 1000 && e->backoff_scale >= 0 &&
                 e->backoff_scale < 100;
    for (size_t n = 0; n < VL_NGRAM_MAX_ORDER && sound; n++)
        sound = n < e->order ? e->counts[n] <= VL_NGRAM_MAX_BYTES : !e->counts[n];
    if (!sound)
        return vl_fail(error, VL_ERR_INPUT, "language %zu has numbers out of range", i);
    vl_ngram_layout layout;
    size_t want = vl_ngram_lay_out(e, &layout);
    if (e->bytes != want || e->offset % 4 || e->offset > ngram->bytes ||
        e->bytes > ngram->bytes - e->offset)
        return vl_fail(error, VL_ERR_INPUT,
                       "%s has %llu bytes at %llu and should have %zu, of %zu in the file",
                       e->code, (unsigned long long)e->bytes, (unsigned long long)e->offset,
                       want, ngram->bytes);
    return VL_OK;
}

/* Every n-gram has its continuations within the next level, each symbol once, in order. */
static vl_status check_level(const vl_ngram_language *g, size_t n, vl_error *error) {
    const level *l = &g->levels[n], *next = l + 1;
    if (begin_of(l, 0) != 0 || begin_of(l, l->count) != next->count)
        return vl_fail(error, VL_ERR_INPUT, "%s: the %zu-grams do not cover the %zu-grams",
                       g->entry.code, n + 1, n + 2);
    for (uint32_t i = 0; i < l->count; i++) {
        uint32_t from = begin_of(l, i), to = begin_of(l, i + 1);
        bool sound = from <= to && to <= next->count;
        for (uint32_t k = from; sound && k < to; k++) {
            uint32_t last = last_of(g, n + 1, k);
            sound = last < g->entry.symbols && (k == from || last_of(g, n + 1, k - 1) < last);
        }
        if (!sound)
            return vl_fail(error, VL_ERR_INPUT, "%s: %zu-gram %u is broken", g->entry.code,
                           n + 1, i);
    }
    return VL_OK;
}

static vl_status read_language(vl_ngram *ngram, size_t i, vl_error *error) {
    vl_ngram_language *g = &ngram->languages[i];
    vl_ngram_entry *e = &g->entry;
    vl_ngram_layout layout;
    memcpy(e, ngram->data + sizeof(vl_ngram_header) + i * sizeof *e, sizeof *e);
    vl_status status = check_entry(ngram, e, i, error);
    if (!status && i && strcmp(g[-1].entry.code, e->code) >= 0)
        status = vl_fail(error, VL_ERR_INPUT, "%s is not in the order of codes", e->code);
    if (status)
        return status;
    vl_ngram_lay_out(e, &layout);
    const char *block = ngram->data + e->offset;
    g->points = (const void *)(block + layout.points);
    for (uint32_t k = 1; k + 2 < e->symbols; k++)
        if (g->points[k - 1] >= g->points[k])
            return vl_fail(error, VL_ERR_INPUT, "%s: its characters are not in order", e->code);
    for (size_t n = 0; n < e->order; n++)
        g->levels[n] = (level){.base = (const void *)(block + layout.base[n]),
                               .low = (const void *)(block + layout.low[n]),
                               .last = block + layout.last[n],
                               .p = (const void *)(block + layout.p[n]),
                               .backoff = (const void *)(block + layout.backoff[n]),
                               .count = e->counts[n]};
    for (size_t n = 0; n + 1 < e->order && !status; n++)
        status = check_level(g, n, error);
    return status;
}

static vl_status check(vl_ngram *ngram, vl_error *error) {
    vl_ngram_header h;
    if (ngram->bytes < sizeof h)
        return vl_fail(error, VL_ERR_INPUT, "it ends in its header");
    memcpy(&h, ngram->data, sizeof h);
    if (memcmp(h.magic, "VLCHARLM", 8))
        return vl_fail(error, VL_ERR_INPUT, "it holds no character models");
    if (h.version != VL_NGRAM_VERSION)
        return vl_fail(error, VL_ERR_UNSUPPORTED, "it has version %u; this program reads %d",
                       h.version, VL_NGRAM_VERSION);
    if (h.bytes != ngram->bytes)
        return vl_fail(error, VL_ERR_INPUT, "it has %zu bytes and should have %llu",
                       ngram->bytes, (unsigned long long)h.bytes);
    if (!h.languages || h.languages > VL_NGRAM_MAX_LANGUAGES ||
        ngram->bytes - sizeof h < h.languages * sizeof(vl_ngram_entry))
        return vl_fail(error, VL_ERR_INPUT, "it claims %u languages", h.languages);
    ngram->languages = calloc(h.languages, sizeof *ngram->languages);
    if (!ngram->languages)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    ngram->count = h.languages;
    vl_status status = VL_OK;
    for (size_t i = 0; i < ngram->count && !status; i++)
        status = read_language(ngram, i, error);
    return status;
}

static vl_status map_file(const char *path, vl_ngram *ngram, vl_error *error) {
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return vl_fail(error, errno == ENOENT ? VL_ERR_MISSING : VL_ERR_IO,
                       "cannot read %s: %s", path, strerror(errno));
    vl_status status = VL_OK;
    if (fstat(fd, &info) || !S_ISREG(info.st_mode))
        status = vl_fail(error, VL_ERR_INPUT, "%s is no file", path);
    else if (info.st_size > VL_NGRAM_MAX_BYTES)
        status = vl_fail(error, VL_ERR_LIMIT, "%s is larger than %d bytes", path,
                         VL_NGRAM_MAX_BYTES);
    else if (info.st_size > 0) {
        void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
            status = vl_fail(error, VL_ERR_IO, "cannot map %s: %s", path, strerror(errno));
        else
            *ngram = (vl_ngram){.data = data, .bytes = (size_t)info.st_size, .mapped = true};
    }
    close(fd);
    return status;
}

vl_status vl_ngram_open(const char *path, vl_ngram **ngram, vl_error *error) {
    char bundled[4096];
    *ngram = NULL;
    if (!path) {
        snprintf(bundled, sizeof bundled, "%s/models/chars.bin", vl_data_dir());
        path = bundled;
    }
    vl_ngram *made = calloc(1, sizeof *made);
    if (!made)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_status status = map_file(path, made, error);
    if (!status && (status = check(made, error)))
        vl_error_prefix(error, "%s", path);
    if (status)
        vl_ngram_free(made);
    else
        *ngram = made;
    return status;
}

vl_status vl_ngram_parse(const void *content, size_t bytes, vl_ngram **ngram, vl_error *error) {
    *ngram = NULL;
    vl_ngram *made = calloc(1, sizeof *made);
    if (made)
        made->data = malloc(bytes + 1);
    if (!made || !made->data) {
        free(made);
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    }
    if (bytes)
        memcpy(made->data, content, bytes);
    made->bytes = bytes;
    vl_status status = check(made, error);
    if (status)
        vl_ngram_free(made);
    else
        *ngram = made;
    return status;
}

void vl_ngram_free(vl_ngram *ngram) {
    if (!ngram)
        return;
    if (ngram->mapped)
        munmap(ngram->data, ngram->bytes);
    else
        free(ngram->data);
    free(ngram->languages);
    free(ngram);
}

size_t vl_ngram_count(const vl_ngram *ngram) {
    return ngram->count;
}

const char *vl_ngram_code(const vl_ngram *ngram, size_t i) {
    return ngram->languages[i].entry.code;
}

size_t vl_ngram_bytes(const vl_ngram *ngram, size_t i) {
    return ngram->languages[i].entry.bytes;
}

const vl_ngram_language *vl_ngram_find(const vl_ngram *ngram, const char *code) {
    size_t low = 0, high = ngram->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(ngram->languages[middle].entry.code, code);
        if (!order)
            return &ngram->languages[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- asking ----------------------------------------------------------------------------- */

static uint32_t symbol_of(const vl_ngram_language *g, uint32_t point) {
    uint32_t low = 0, high = g->entry.symbols - 2;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (g->points[middle] == point)
            return middle + 2;
        if (g->points[middle] < point)
            low = middle + 1;
        else
            high = middle;
    }
    return VL_NGRAM_UNKNOWN;
}

/* The n+2-gram that continues the n+1-gram `node` with `symbol`. */
static uint32_t continue_with(const vl_ngram_language *g, size_t n, uint32_t node,
                              uint32_t symbol) {
    uint32_t low = begin_of(&g->levels[n], node), high = begin_of(&g->levels[n], node + 1);
    while (low < high) {
        uint32_t middle = (low + high) / 2, last = last_of(g, n + 1, middle);
        if (last == symbol)
            return middle;
        if (last < symbol)
            low = middle + 1;
        else
            high = middle;
    }
    return NONE;
}

static double log_p(const vl_ngram_language *g, size_t n, uint32_t node) {
    return -(double)g->levels[n].p[node] * (double)g->entry.p_scale;
}

static double log_backoff(const vl_ngram_language *g, size_t n, uint32_t node) {
    return (double)g->entry.backoff_least +
           (double)g->levels[n].backoff[node] * (double)g->entry.backoff_scale;
}

/* nodes[k]: the k+1-gram the text ends in. A context the model does not have costs nothing. */
static double extend_by(const vl_ngram_language *g, vl_ngram_state *state, uint32_t symbol) {
    vl_ngram_state next;
    double sum = 0;
    bool found = false;
    memset(&next, 0xFF, sizeof next);
    for (size_t k = g->entry.order - 1; k-- > 0;) {
        uint32_t node = state->nodes[k];
        if (node == NONE)
            continue;
        uint32_t longer = continue_with(g, k, node, symbol);
        if (k + 2 < g->entry.order)
            next.nodes[k + 1] = longer;
        if (!found)
            sum += longer == NONE ? log_backoff(g, k, node) : log_p(g, k + 1, longer);
        found |= longer != NONE;
    }
    next.nodes[0] = symbol;
    *state = next;
    return found ? sum : sum + log_p(g, 0, symbol);
}

void vl_ngram_begin(const vl_ngram_language *language, vl_ngram_state *state) {
    (void)language;
    memset(state, 0xFF, sizeof *state);
    state->nodes[0] = VL_NGRAM_EDGE;
}

static double extend(const vl_ngram_language *g, vl_ngram_state *state, const char *text,
                     size_t *symbols) {
    double sum = 0;
    for (size_t at = 0, bytes = strlen(text); at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        sum += extend_by(g, state, symbol_of(g, (uint32_t)c));
        ++*symbols;
    }
    return sum;
}

double vl_ngram_extend(const vl_ngram_language *language, const vl_ngram_state *from,
                       const char *text, vl_ngram_state *to) {
    vl_ngram_state state = *from;
    size_t symbols = 0;
    double sum = extend(language, &state, text, &symbols);
    if (to)
        *to = state;
    return sum;
}

double vl_ngram_end(const vl_ngram_language *language, const vl_ngram_state *from) {
    vl_ngram_state state = *from;
    return extend_by(language, &state, VL_NGRAM_EDGE);
}

double vl_ngram_score(const vl_ngram_language *language, const char *text, size_t *symbols) {
    vl_ngram_state state;
    size_t count = 1;
    vl_ngram_begin(language, &state);
    double sum = extend(language, &state, text, &count);
    sum += extend_by(language, &state, VL_NGRAM_EDGE);
    if (symbols)
        *symbols = count;
    return sum;
}
