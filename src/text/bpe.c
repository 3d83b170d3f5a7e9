/* bpe.c — the byte-level BPE tokenizer: loading, saving, text to ids and back.
 *
 * The file is text, so that a change to it can be read:
 *
 *     vislang-bpe 1
 *     specials 2
 *     <pad>
 *     <bos>
 *     merges 2
 *     106 103
 *     34 258
 *
 * with the specials' names in the order of their ids and, for every merge, the ids of its two
 * parts. Numbers are plain decimals and every line ends in one newline: there is one way to
 * write a tokenizer, and nothing else is read.
 *
 * Encoding a word is the textbook's: start from its bytes, and as long as two neighbours make
 * a merge, apply the one learned first (leftmost when it occurs twice). A word is at most
 * VL_BPE_WORD_BYTES, and is kept in an array with, for each neighbouring pair, the id it would
 * make; a word of ordinary text has some six bytes, and needs no better structure. */
#include "text/bpe_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_FILE_BYTES = 2 << 20,
    MAX_NAME = 32,
    BYTES = 256,
};
#define NO_ID UINT32_MAX

typedef struct pair_slot {
    uint16_t left, right;
    uint32_t id; /* NO_ID: an empty slot */
} pair_slot;

struct vl_bpe {
    char (*names)[MAX_NAME + 1]; /* of the specials */
    uint32_t specials, size;
    uint32_t *starts; /* [VL_BPE_MAX_TOKENS + 1] where an id's bytes begin in `bytes` */
    vl_buf bytes;
    vl_bpe_merge *merges; /* of id specials + BYTES + i */
    pair_slot *pairs;     /* open addressing, at most half full */
    uint32_t *texts;      /* the same over the tokens' bytes: ids, NO_ID where empty */
    uint32_t slots;       /* of both, a power of two */
};

/* ---- tables ---------------------------------------------------------------------- */

static uint32_t mix(uint32_t hash) {
    hash ^= hash >> 15;
    hash *= 0x2c1b3c6du;
    hash ^= hash >> 12;
    hash *= 0x297a2d39u;
    return hash ^ (hash >> 15);
}

static pair_slot *pair_find(const vl_bpe *bpe, uint32_t left, uint32_t right) {
    uint32_t at = mix(left << 16 | right) & (bpe->slots - 1);
    for (;; at = (at + 1) & (bpe->slots - 1)) {
        pair_slot *slot = &bpe->pairs[at];
        if (slot->id == NO_ID || (slot->left == left && slot->right == right))
            return slot;
    }
}

/* Where the token with these bytes is, or where it would be. */
static uint32_t *text_find(const vl_bpe *bpe, const char *text, size_t bytes) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
    uint32_t at = mix(hash) & (bpe->slots - 1);
    for (;; at = (at + 1) & (bpe->slots - 1)) {
        uint32_t id = bpe->texts[at];
        if (id == NO_ID || (bpe->starts[id + 1] - bpe->starts[id] == bytes &&
                            !memcmp(bpe->bytes.data + bpe->starts[id], text, bytes)))
            return &bpe->texts[at];
    }
}

static size_t token_size(const vl_bpe *bpe, uint32_t id) {
    return bpe->starts[id + 1] - bpe->starts[id];
}

/* Both tables twice as large (or as large as they begin). */
static bool tables_grow(vl_bpe *bpe) {
    uint32_t slots = bpe->slots ? bpe->slots * 2 : 4096;
    pair_slot *pairs = malloc(slots * sizeof *pairs);
    uint32_t *texts = malloc(slots * sizeof *texts);
    if (!pairs || !texts) {
        free(pairs);
        free(texts);
        return false;
    }
    memset(pairs, 0xFF, slots * sizeof *pairs);
    memset(texts, 0xFF, slots * sizeof *texts);
    free(bpe->pairs);
    free(bpe->texts);
    bpe->pairs = pairs;
    bpe->texts = texts;
    bpe->slots = slots;
    uint32_t first = bpe->specials + BYTES;
    for (uint32_t id = bpe->specials; id < bpe->size; id++) {
        *text_find(bpe, bpe->bytes.data + bpe->starts[id], token_size(bpe, id)) = id;
        if (id >= first) {
            vl_bpe_merge m = bpe->merges[id - first];
            *pair_find(bpe, m.left, m.right) = (pair_slot){m.left, m.right, id};
        }
    }
    return true;
}

/* ---- putting one together ----------------------------------------------------------- */

static vl_status check_name(const vl_bpe *bpe, const char *name, vl_error *error) {
    size_t length = strlen(name);
    if (length < 1 || length > MAX_NAME)
        return vl_fail(error, VL_ERR_INPUT, "a special's name has 1 to %d characters",
                       MAX_NAME);
    for (size_t i = 0; i < length; i++)
        if (name[i] <= ' ' || name[i] > '~')
            return vl_fail(error, VL_ERR_INPUT,
                           "a special's name is plain ASCII without spaces");
    if (vl_bpe_special(bpe, name) >= 0)
        return vl_fail(error, VL_ERR_INPUT, "the special '%s' is there twice", name);
    return VL_OK;
}

/* The next id, for what was appended to `bytes` since the one before. */
static void take_id(vl_bpe *bpe) {
    bpe->starts[++bpe->size] = (uint32_t)bpe->bytes.len;
}

vl_status vl_bpe_new(const char *const *specials, size_t count, vl_bpe **bpe, vl_error *error) {
    *bpe = NULL;
    if (count > VL_BPE_MAX_SPECIALS)
        return vl_fail(error, VL_ERR_LIMIT, "%zu specials, and at most %d can be", count,
                       VL_BPE_MAX_SPECIALS);
    vl_status status = VL_OK;
    vl_bpe *b = calloc(1, sizeof *b);
    if (!b)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_buf_init(&b->bytes, (size_t)VL_BPE_MAX_TOKENS * VL_BPE_WORD_BYTES);
    b->names = calloc(count + 1, sizeof *b->names);
    b->starts = calloc(VL_BPE_MAX_TOKENS + 1, sizeof *b->starts);
    b->merges = calloc(VL_BPE_MAX_TOKENS, sizeof *b->merges);
    if (!b->names || !b->starts || !b->merges) {
        status = vl_fail(error, VL_ERR_MEMORY, "out of memory");
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        if ((status = check_name(b, specials[i], error))) {
            vl_error_prefix(error, "special %zu", i);
            goto out;
        }
        memcpy(b->names[b->specials++], specials[i], strlen(specials[i]) + 1);
        take_id(b);
    }
    for (int i = 0; i < BYTES; i++) {
        vl_buf_append(&b->bytes, &(char){(char)i}, 1);
        take_id(b);
    }
    if (b->bytes.failed || !tables_grow(b))
        status = vl_fail(error, VL_ERR_MEMORY, "out of memory");
out:
    if (status)
        vl_bpe_free(b);
    else
        *bpe = b;
    return status;
}

void vl_bpe_free(vl_bpe *bpe) {
    if (!bpe)
        return;
    vl_buf_deinit(&bpe->bytes);
    free(bpe->names);
    free(bpe->starts);
    free(bpe->merges);
    free(bpe->pairs);
    free(bpe->texts);
    free(bpe);
}

/* The bytes of `left` and then `right`; their number, or 0 when they are more than a word. */
static size_t joined(const vl_bpe *bpe, uint32_t left, uint32_t right,
                     char text[VL_BPE_WORD_BYTES]) {
    size_t a = token_size(bpe, left), b = token_size(bpe, right);
    if (a + b > VL_BPE_WORD_BYTES)
        return 0;
    memcpy(text, bpe->bytes.data + bpe->starts[left], a);
    memcpy(text + a, bpe->bytes.data + bpe->starts[right], b);
    return a + b;
}

vl_status vl_bpe_check(const vl_bpe *bpe, uint32_t left, uint32_t right, vl_error *error) {
    char text[VL_BPE_WORD_BYTES];
    if (bpe->size >= VL_BPE_MAX_TOKENS)
        return vl_fail(error, VL_ERR_LIMIT, "more than %d tokens", VL_BPE_MAX_TOKENS);
    if (left >= bpe->size || right >= bpe->size)
        return vl_fail(error, VL_ERR_INPUT, "a merge of %u and %u, where only ids below %u are",
                       left, right, bpe->size);
    if (left < bpe->specials || right < bpe->specials)
        return vl_fail(error, VL_ERR_INPUT,
                       "a merge of %u and %u, where the first %u are specials", left, right,
                       bpe->specials);
    size_t bytes = joined(bpe, left, right, text);
    if (!bytes)
        return vl_fail(error, VL_ERR_INPUT, "a token of %u and %u is longer than %d bytes",
                       left, right, VL_BPE_WORD_BYTES);
    uint32_t same = *text_find(bpe, text, bytes);
    if (same != NO_ID)
        return vl_fail(error, VL_ERR_INPUT, "a merge of %u and %u makes the same text as id %u",
                       left, right, same);
    return VL_OK;
}

vl_status vl_bpe_add(vl_bpe *bpe, uint32_t left, uint32_t right, vl_error *error) {
    char text[VL_BPE_WORD_BYTES];
    vl_status status = vl_bpe_check(bpe, left, right, error);
    if (status)
        return status;
    if (bpe->size * 2 >= bpe->slots && !tables_grow(bpe))
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    size_t bytes = joined(bpe, left, right, text);
    uint32_t *slot = text_find(bpe, text, bytes), id = bpe->size;
    vl_buf_append(&bpe->bytes, text, bytes);
    if (bpe->bytes.failed)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    *slot = id;
    *pair_find(bpe, left, right) = (pair_slot){(uint16_t)left, (uint16_t)right, id};
    bpe->merges[id - bpe->specials - BYTES] = (vl_bpe_merge){(uint16_t)left, (uint16_t)right};
    take_id(bpe);
    return VL_OK;
}

/* ---- the file ----------------------------------------------------------------------- */

typedef struct reader {
    const char *at, *end;
    size_t line;
    vl_error *error;
} reader;

#define bad_line(r, ...) line_fail((r), (r)->line, __VA_ARGS__)
static vl_status line_fail(reader *r, size_t line, const char *format, ...) VL_PRINTF(3, 4);
static vl_status line_fail(reader *r, size_t line, const char *format, ...) {
    char message[200];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return vl_fail(r->error, VL_ERR_INPUT, "line %zu: %s", line, message);
}

/* The next line without its newline, into `line` of `size`. */
static vl_status next_line(reader *r, char *line, size_t size) {
    r->line++;
    const char *newline = r->at < r->end ? memchr(r->at, '\n', (size_t)(r->end - r->at)) : NULL;
    if (!newline)
        return bad_line(r, "the file ends here, and should not");
    size_t length = (size_t)(newline - r->at);
    if (length >= size || memchr(r->at, '\0', length))
        return bad_line(r, "not a line of a tokenizer file");
    memcpy(line, r->at, length);
    line[length] = '\0';
    r->at = newline + 1;
    return VL_OK;
}

/* A decimal number without leading zeros, of at most 6 digits; moves `text` past it. */
static bool read_number(const char **text, uint32_t *number) {
    const char *s = *text;
    *number = 0;
    while (*s >= '0' && *s <= '9' && s - *text < 6)
        *number = *number * 10 + (uint32_t)(*s++ - '0');
    bool ok = s > *text && (**text != '0' || s == *text + 1);
    *text = s;
    return ok;
}

/* "name N" alone on its line. */
static vl_status read_count(reader *r, const char *name, uint32_t *count) {
    char line[64];
    vl_status status = next_line(r, line, sizeof line);
    if (status)
        return status;
    size_t length = strlen(name);
    const char *rest = line + length + 1;
    if (strncmp(line, name, length) || line[length] != ' ' || !read_number(&rest, count) ||
        *rest)
        return bad_line(r, "this should say '%s' and how many", name);
    return VL_OK;
}

static vl_status read_specials(reader *r, vl_bpe **bpe) {
    char(*lines)[MAX_NAME + 2] = NULL;
    const char **names = NULL;
    uint32_t count;
    vl_error why;
    vl_status status = read_count(r, "specials", &count);
    if (status)
        return status;
    if (count > VL_BPE_MAX_SPECIALS)
        return bad_line(r, "%u specials, and at most %d can be", count, VL_BPE_MAX_SPECIALS);
    lines = calloc(count + 1, sizeof *lines);
    names = calloc(count + 1, sizeof *names);
    if (!lines || !names)
        status = vl_fail(r->error, VL_ERR_MEMORY, "out of memory");
    for (uint32_t i = 0; i < count && !status; i++) {
        status = next_line(r, lines[i], sizeof lines[i]);
        names[i] = lines[i];
    }
    if (!status && (status = vl_bpe_new(names, count, bpe, &why)))
        vl_fail(r->error, status, "before line %zu: %s", r->line + 1, why.message);
    free(lines);
    free(names);
    return status;
}

static vl_status read_merges(reader *r, vl_bpe *bpe) {
    char line[32];
    uint32_t count, left, right;
    vl_error why;
    vl_status status = read_count(r, "merges", &count);
    if (!status && count > VL_BPE_MAX_TOKENS - bpe->size)
        return bad_line(r, "%u merges, and with specials and bytes at most %d ids can be",
                        count, VL_BPE_MAX_TOKENS);
    for (uint32_t i = 0; i < count && !status; i++) {
        if ((status = next_line(r, line, sizeof line)))
            return status;
        const char *at = line;
        if (!read_number(&at, &left) || *at++ != ' ' || !read_number(&at, &right) || *at)
            return bad_line(r, "a merge is two ids with a space between");
        if ((status = vl_bpe_add(bpe, left, right, &why)))
            vl_fail(r->error, status, "line %zu: %s", r->line, why.message);
    }
    return status;
}

vl_status vl_bpe_parse(const void *content, size_t bytes, vl_bpe **bpe, vl_error *error) {
    reader r = {.at = content, .end = (const char *)content + bytes, .error = error};
    char line[32];
    *bpe = NULL;
    if (bytes < 12 || memcmp(content, "vislang-bpe ", 12))
        return vl_fail(error, VL_ERR_INPUT, "line 1: not a tokenizer file");
    vl_status status = next_line(&r, line, sizeof line);
    if (!status && strcmp(line, "vislang-bpe 1"))
        return vl_fail(error, VL_ERR_UNSUPPORTED,
                       "line 1: '%s', and this version reads 'vislang-bpe 1'", line);
    if (!status)
        status = read_specials(&r, bpe);
    if (!status)
        status = read_merges(&r, *bpe);
    if (!status && r.at < r.end) {
        r.line++;
        status = bad_line(&r, "more follows after the last merge");
    }
    if (status) {
        vl_bpe_free(*bpe);
        *bpe = NULL;
    }
    return status;
}

vl_status vl_bpe_open(const char *path, vl_bpe **bpe, vl_error *error) {
    char bundled[4096];
    vl_buf content;
    *bpe = NULL;
    if (!path) {
        snprintf(bundled, sizeof bundled, "%s/models/seer-tokenizer.bpe", vl_data_dir());
        path = bundled;
    }
    vl_buf_init(&content, MAX_FILE_BYTES);
    vl_status status = vl_file_read(path, MAX_FILE_BYTES, &content, error);
    if (!status && (status = vl_bpe_parse(content.data, content.len, bpe, error)))
        vl_error_prefix(error, "%s", path);
    vl_buf_deinit(&content);
    return status;
}

void vl_bpe_serialize(const vl_bpe *bpe, vl_buf *out) {
    uint32_t merges = bpe->size - bpe->specials - BYTES;
    vl_buf_printf(out, "vislang-bpe 1\nspecials %u\n", bpe->specials);
    for (uint32_t i = 0; i < bpe->specials; i++)
        vl_buf_printf(out, "%s\n", bpe->names[i]);
    vl_buf_printf(out, "merges %u\n", merges);
    for (uint32_t i = 0; i < merges; i++)
        vl_buf_printf(out, "%u %u\n", bpe->merges[i].left, bpe->merges[i].right);
}

/* ---- text to ids ---------------------------------------------------------------------- */

/* The id that ids[i] and ids[i + 1] make, or NO_ID. */
static uint32_t merged(const vl_bpe *bpe, const uint32_t *ids, size_t i) {
    return pair_find(bpe, ids[i], ids[i + 1])->id;
}

/* The ids of one word; how many. */
static size_t encode_word(const vl_bpe *bpe, const uint8_t *word, size_t count,
                          uint32_t ids[VL_BPE_WORD_BYTES]) {
    uint32_t makes[VL_BPE_WORD_BYTES]; /* makes[i]: of ids[i] and ids[i + 1] */
    for (size_t i = 0; i < count; i++)
        ids[i] = bpe->specials + word[i];
    for (size_t i = 0; i + 1 < count; i++)
        makes[i] = merged(bpe, ids, i);
    while (count > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < count; i++)
            if (makes[i] < makes[best])
                best = i;
        if (makes[best] == NO_ID)
            break;
        ids[best] = makes[best];
        count--;
        memmove(ids + best + 1, ids + best + 2, (count - best - 1) * sizeof *ids);
        memmove(makes + best, makes + best + 1, (count - best - 1) * sizeof *makes);
        if (best + 1 < count)
            makes[best] = merged(bpe, ids, best);
        if (best)
            makes[best - 1] = merged(bpe, ids, best - 1);
    }
    return count;
}

vl_status vl_bpe_encode(const vl_bpe *bpe, const char *text, size_t bytes, int32_t *ids,
                        size_t max, size_t *count, vl_error *error) {
    uint32_t word[VL_BPE_WORD_BYTES];
    size_t total = 0;
    for (size_t at = 0, step; at < bytes; at += step) {
        step = vl_bpe_word(text + at, bytes - at);
        size_t n = encode_word(bpe, (const uint8_t *)text + at, step, word);
        for (size_t i = 0; ids && i < n && total + i < max; i++)
            ids[total + i] = (int32_t)word[i];
        total += n;
    }
    *count = total;
    if (ids && total > max)
        return vl_fail(error, VL_ERR_LIMIT, "the text makes %zu tokens, and %zu is the limit",
                       total, max);
    return VL_OK;
}

/* ---- ids to text ---------------------------------------------------------------------- */

vl_status vl_bpe_decode(const vl_bpe *bpe, const int32_t *ids, size_t count, vl_buf *out,
                        vl_error *error) {
    for (size_t i = 0; i < count; i++) {
        size_t bytes;
        if (ids[i] < 0 || (uint32_t)ids[i] >= bpe->size)
            return vl_fail(error, VL_ERR_INPUT, "id %d, and the tokenizer has 0 to %u", ids[i],
                           bpe->size - 1);
        const char *text = vl_bpe_token_bytes(bpe, ids[i], &bytes);
        if (text)
            vl_buf_append(out, text, bytes);
    }
    return vl_buf_status(out, "the decoded text", error);
}

const char *vl_bpe_token_bytes(const vl_bpe *bpe, int32_t id, size_t *bytes) {
    *bytes = 0;
    if (id < 0 || (uint32_t)id < bpe->specials || (uint32_t)id >= bpe->size)
        return NULL;
    *bytes = token_size(bpe, (uint32_t)id);
    return bpe->bytes.data + bpe->starts[id];
}

size_t vl_bpe_size(const vl_bpe *bpe) {
    return bpe->size;
}

int32_t vl_bpe_special(const vl_bpe *bpe, const char *name) {
    for (uint32_t i = 0; i < bpe->specials; i++)
        if (!strcmp(bpe->names[i], name))
            return (int32_t)i;
    return -1;
}

size_t vl_bpe_special_count(const vl_bpe *bpe) {
    return bpe->specials;
}

const char *vl_bpe_special_name(const vl_bpe *bpe, int32_t id) {
    return id >= 0 && (uint32_t)id < bpe->specials ? bpe->names[id] : NULL;
}
