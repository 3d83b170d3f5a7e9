/* chars.c — trains and scores the character models (text/ngram_model.h has their file,
 * chars_count.c the counting).
 *
 * What is kept goes to 8 bits first; then, from short contexts to long, the weight of what is
 * shorter is set so that the probabilities after each context sum to one as they are now
 * (Stolcke 1998, eq. 1). */
#include "train/chars_count.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A language as it will lie in the file. */
typedef struct packed {
    vl_ngram_entry entry;
    uint64_t *keys[VL_NGRAM_MAX_ORDER];
    uint8_t *p[VL_NGRAM_MAX_ORDER];
    double *log_backoff[VL_NGRAM_MAX_ORDER];
    const uint32_t *points;
} packed;

static void packed_free(packed *k) {
    for (size_t n = 0; n < VL_NGRAM_MAX_ORDER; n++) {
        free(k->keys[n]);
        free(k->p[n]);
        free(k->log_backoff[n]);
    }
}

/* ---- packing ---------------------------------------------------------------------------- */

static bool pack(const chars_counts *c, packed *k) {
    float least = 0;
    for (size_t n = 0; n < c->order; n++)
        for (size_t i = 0; i < c->levels[n].n; i++)
            if (c->levels[n].kept[i])
                least = fminf(least, c->levels[n].log_p[i]);
    k->entry.order = c->order;
    k->entry.symbols = c->symbols;
    k->entry.id_bytes = c->symbols > 256 ? 2 : 1;
    k->entry.p_scale = least < 0 ? -least / 255 : 1;
    k->points = c->points;
    for (size_t n = 0; n < c->order; n++) {
        const chars_level *l = &c->levels[n];
        k->keys[n] = malloc((l->n + 1) * sizeof(uint64_t));
        k->p[n] = malloc(l->n + 1);
        k->log_backoff[n] = calloc(l->n + 1, sizeof(double));
        if (!k->keys[n] || !k->p[n] || !k->log_backoff[n])
            return false;
        for (size_t i = 0; i < l->n; i++) {
            if (!l->kept[i])
                continue;
            uint32_t at = k->entry.counts[n]++;
            k->keys[n][at] = l->keys[i];
            k->p[n][at] = (uint8_t)lrintf(-l->log_p[i] / k->entry.p_scale);
        }
    }
    return true;
}

static double p_of(const packed *k, size_t n, size_t i) {
    return exp(-(double)k->p[n][i] * (double)k->entry.p_scale);
}

/* P of the last of the key's n + 1 symbols after the others, by what is kept. */
static double model_p(const packed *k, size_t n, uint64_t key) {
    double weight = 1;
    for (;; n--) {
        size_t at = chars_find(k->keys[n], k->entry.counts[n], key);
        if (at != SIZE_MAX)
            return weight * p_of(k, n, at);
        size_t context = chars_find(k->keys[n - 1], k->entry.counts[n - 1], key >> CHARS_BITS);
        if (context != SIZE_MAX)
            weight *= exp(k->log_backoff[n - 1][context]);
        key = chars_tail(key, n);
    }
}

/* The backoffs of contexts of n symbols, those of shorter ones being known. */
static void back_off(packed *k, size_t n) {
    const uint64_t *keys = k->keys[n];
    for (size_t from = 0, to, count = k->entry.counts[n]; from < count; from = to) {
        uint64_t context = keys[from] >> CHARS_BITS;
        double seen = 0, seen_shorter = 0;
        for (to = from; to < count && keys[to] >> CHARS_BITS == context; to++) {
            seen += p_of(k, n, to);
            seen_shorter += model_p(k, n - 1, chars_tail(keys[to], n));
        }
        size_t at = chars_find(k->keys[n - 1], k->entry.counts[n - 1], context);
        k->log_backoff[n - 1][at] = log(fmax(1e-4, 1 - seen) / fmax(1e-4, 1 - seen_shorter));
    }
}

/* From the fewest bits for all of them: a straight line over their range. */
static void scale_backoffs(packed *k) {
    double least = 0, most = 0; /* contexts that nothing continues have 0 */
    for (size_t n = 0; n + 1 < k->entry.order; n++)
        for (size_t i = 0; i < k->entry.counts[n]; i++) {
            least = fmin(least, k->log_backoff[n][i]);
            most = fmax(most, k->log_backoff[n][i]);
        }
    k->entry.backoff_least = (float)least;
    k->entry.backoff_scale = (float)((most - least) / 255);
}

static uint8_t quantise_backoff(const packed *k, double log_backoff) {
    double scale = (double)k->entry.backoff_scale;
    double q = scale > 0 ? (log_backoff - (double)k->entry.backoff_least) / scale : 0;
    return (uint8_t)lrint(fmin(255, fmax(0, q)));
}

/* ---- writing ---------------------------------------------------------------------------- */

static void put_children(const packed *k, size_t n, const vl_ngram_layout *layout,
                         char *block) {
    uint32_t *base = (void *)(block + layout->base[n]);
    uint16_t *low = (void *)(block + layout->low[n]);
    uint32_t at = 0, children = k->entry.counts[n + 1];
    for (uint32_t i = 0; i <= k->entry.counts[n]; i++) {
        while (at < children && i < k->entry.counts[n] &&
               k->keys[n + 1][at] >> CHARS_BITS < k->keys[n][i])
            at++;
        if (i == k->entry.counts[n])
            at = children;
        if (i % VL_NGRAM_GROUP == 0)
            base[i / VL_NGRAM_GROUP] = at;
        low[i] = (uint16_t)(at - base[i / VL_NGRAM_GROUP]);
    }
}

static void put_block(const packed *k, const vl_ngram_layout *layout, char *block) {
    const vl_ngram_entry *e = &k->entry;
    memcpy(block + layout->points, k->points, (e->symbols - 2) * sizeof(uint32_t));
    for (size_t n = 0; n < e->order; n++) {
        if (n + 1 < e->order)
            put_children(k, n, layout, block);
        for (uint32_t i = 0; i < e->counts[n]; i++) {
            uint64_t last = chars_tail(k->keys[n][i], 1);
            if (n && e->id_bytes == 1)
                ((uint8_t *)block)[layout->last[n] + i] = (uint8_t)last;
            else if (n)
                ((uint16_t *)(void *)(block + layout->last[n]))[i] = (uint16_t)last;
            ((uint8_t *)block)[layout->p[n] + i] = k->p[n][i];
            if (n + 1 < e->order)
                ((uint8_t *)block)[layout->backoff[n] + i] =
                    quantise_backoff(k, k->log_backoff[n][i]);
        }
    }
}

/* Appends the block to `blocks` and fills the entry. */
static vl_status write_language(const chars_counts *c, const char *code, size_t begin,
                                vl_buf *blocks, vl_ngram_entry *entry, vl_error *error) {
    packed k = {.entry = {.code = ""}};
    vl_ngram_layout layout;
    char *block = NULL;
    bool ok = pack(c, &k);
    for (size_t n = 1; n < c->order && ok; n++)
        back_off(&k, n);
    if (ok) {
        scale_backoffs(&k);
        strcpy(k.entry.code, code);
        k.entry.offset = begin + blocks->len;
        k.entry.bytes = vl_ngram_lay_out(&k.entry, &layout);
        block = calloc(1, k.entry.bytes);
        ok = block != NULL;
    }
    if (ok) {
        put_block(&k, &layout, block);
        vl_buf_append(blocks, block, k.entry.bytes);
        *entry = k.entry;
    }
    free(block);
    packed_free(&k);
    return ok ? vl_buf_status(blocks, "the character models", error)
              : vl_fail(error, VL_ERR_MEMORY, "no memory for the models");
}

static vl_status train_language(const chars_recipe *recipe, const chars_language *language,
                                const char *data_dir, size_t begin, vl_buf *blocks,
                                vl_ngram_entry *entry, vl_error *error) {
    chars_text text = {.max = recipe->max_characters};
    chars_counts counts = {0};
    vl_status status = chars_read(recipe, language, data_dir, false, &text, error);
    if (!status)
        status = chars_count(&text, recipe->order, &counts, error);
    if (!status)
        status = chars_prune(&counts, recipe->bytes_per_language, error);
    if (!status)
        status = write_language(&counts, language->code, begin, blocks, entry, error);
    chars_counts_free(&counts);
    chars_text_free(&text);
    return status;
}

vl_status vl_chars_train(const vl_chars_training *training, const char *out_path,
                         vl_error *error) {
    chars_recipe recipe;
    vl_buf blocks, file;
    vl_ngram_entry *entries = NULL;
    vl_buf_init(&blocks, VL_NGRAM_MAX_BYTES);
    vl_buf_init(&file, VL_NGRAM_MAX_BYTES);
    vl_status status = chars_recipe_load(training->recipe, &recipe, error);
    size_t count = recipe.language_count;
    size_t begin = sizeof(vl_ngram_header) + count * sizeof *entries;
    if (!status && !(entries = calloc(count, sizeof *entries)))
        status = vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < count && !status; i++) {
        status = train_language(&recipe, &recipe.languages[i], training->data_dir, begin,
                                &blocks, &entries[i], error);
        if (!status && training->progress)
            training->progress(recipe.languages[i].code, i + 1, count, entries[i].bytes,
                               training->user);
    }
    if (!status) {
        vl_ngram_header header = {.magic = {'V', 'L', 'C', 'H', 'A', 'R', 'L', 'M'},
                                  .version = VL_NGRAM_VERSION,
                                  .languages = (uint32_t)count,
                                  .bytes = begin + blocks.len};
        vl_buf_append(&file, &header, sizeof header);
        vl_buf_append(&file, entries, count * sizeof *entries);
        vl_buf_append(&file, blocks.data, blocks.len);
        status = vl_buf_status(&file, "the character models", error);
    }
    if (!status)
        status = vl_file_write(out_path, file.data, file.len, error);
    free(entries);
    vl_buf_deinit(&blocks);
    vl_buf_deinit(&file);
    chars_recipe_free(&recipe);
    return status;
}

/* ---- scoring ---------------------------------------------------------------------------- */

static size_t put_point(uint32_t point, char *to) {
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    size_t bytes = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = bytes - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    to[0] = (char)((0xF00 >> bytes & 0xFF) | point);
    return bytes;
}

/* Frequencies of the training text, one added to each. */
static double unigram_bits(const chars_counts *c, const chars_text *held) {
    double sum = 0;
    for (size_t i = 0; i < held->count; i++) {
        uint64_t count = c->frequencies[chars_symbol(c, held->points[i])];
        sum -= log2((double)(count + 1) / (double)(c->total + c->symbols));
    }
    return sum;
}

static vl_status score_lines(const vl_ngram_language *language, const chars_text *held,
                             vl_chars_score *score, vl_error *error) {
    char *line = malloc(held->count * 4 + 1);
    size_t bytes = 0, symbols;
    if (!line)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < held->count; i++) {
        if (held->points[i] != '\n') {
            bytes += put_point(held->points[i], line + bytes);
            continue;
        }
        line[bytes] = '\0';
        bytes = 0;
        score->bits -= vl_ngram_score(language, line, &symbols) / log(2);
        score->symbols += symbols;
        score->lines++;
    }
    free(line);
    return VL_OK;
}

static vl_status score_language(const chars_recipe *recipe, const chars_language *language,
                                const char *data_dir, const vl_ngram *ngram,
                                vl_chars_score *score, vl_error *error) {
    const vl_ngram_language *model = vl_ngram_find(ngram, language->code);
    chars_text train = {.max = recipe->max_characters}, held = {.max = recipe->max_characters};
    chars_counts counts = {0};
    *score = (vl_chars_score){.code = ""};
    memcpy(score->code, language->code, sizeof score->code);
    if (!model)
        return vl_fail(error, VL_ERR_INPUT, "the file has no model of %s", language->code);
    vl_status status = chars_read(recipe, language, data_dir, false, &train, error);
    if (!status)
        status = chars_read(recipe, language, data_dir, true, &held, error);
    if (!status)
        status = chars_count(&train, 1, &counts, error);
    if (!status)
        status = score_lines(model, &held, score, error);
    if (!status && score->symbols) {
        score->bits /= (double)score->symbols;
        score->unigram_bits = unigram_bits(&counts, &held) / (double)score->symbols;
    }
    chars_counts_free(&counts);
    chars_text_free(&train);
    chars_text_free(&held);
    return status;
}

vl_status vl_chars_evaluate(const vl_chars_training *training, const vl_ngram *ngram,
                            vl_chars_score *scores, size_t max, size_t *count,
                            vl_error *error) {
    chars_recipe recipe;
    *count = 0;
    vl_status status = chars_recipe_load(training->recipe, &recipe, error);
    for (size_t i = 0; i < recipe.language_count && i < max && !status; i++) {
        status = score_language(&recipe, &recipe.languages[i], training->data_dir, ngram,
                                &scores[i], error);
        *count += !status;
    }
    for (size_t i = 0; i < vl_ngram_count(ngram); i++)
        for (size_t k = 0; k < *count; k++)
            if (!strcmp(vl_ngram_code(ngram, i), scores[k].code))
                scores[k].bytes = vl_ngram_bytes(ngram, i);
    chars_recipe_free(&recipe);
    return status;
}
