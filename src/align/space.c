/* space.c — a space's file in memory, its words and their meanings (space.h). */
#include "align/space.h"

#include "align/spelling.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vislang/text.h>

struct space_words {
    char language[ALIGN_LANGUAGE_SIZE];
    const char **names;         /* [count], by their bytes */
    const unsigned char *codes; /* [count] entries of the file */
    size_t count;
    pthread_mutex_t lock;
    align_spelling *spelling; /* made when the first word is not there */
};

struct vl_space {
    vl_buf file;
    char hub[ALIGN_LANGUAGE_SIZE];
    char *card;
    size_t units, dim, language_count;
    const unsigned char *rows; /* per unit float scale, int8 [dim] */
    const char **unit_names;
    const uint8_t *unit_frequencies;
    space_words *languages[ALIGN_SPACE_LANGUAGES];
};

enum { CODE_BYTES = 3 * ALIGN_CODE_MAX + 1 };

/* ---- reading --------------------------------------------------------------------------- */

typedef struct cursor {
    const unsigned char *at, *end;
} cursor;

/* The next `count` things of `size` bytes; NULL: the file ends before. */
static const void *take(cursor *c, size_t count, size_t size) {
    if (size && count > (size_t)(c->end - c->at) / size)
        return NULL;
    const void *taken = c->at;
    c->at += count * size;
    return taken;
}

/* `count` NUL-terminated names that fill `bytes`, into a new array. NULL: they do not. */
static const char **take_names(cursor *c, size_t count, size_t bytes) {
    const char *text = take(c, bytes, 1);
    if (!text || !count || !bytes || text[bytes - 1] || bytes < count ||
        vl_utf8_valid_prefix(text, bytes) != bytes)
        return NULL;
    const char **names = malloc(count * sizeof *names);
    size_t at = 0;
    for (size_t i = 0; names && i < count; i++) {
        if (at >= bytes) {
            free(names);
            return NULL;
        }
        names[i] = text + at;
        at += strlen(text + at) + 1;
    }
    if (names && at == bytes)
        return names;
    free(names);
    return NULL;
}

static void free_words(space_words *words) {
    if (!words)
        return;
    align_spelling_free(words->spelling);
    pthread_mutex_destroy(&words->lock);
    free(words->names);
    free(words);
}

static bool are_codes_fine(const unsigned char *codes, size_t count, size_t units) {
    for (size_t i = 0; i < count; i++) {
        space_code code;
        memcpy(&code, codes + i * CODE_BYTES, 3 * ALIGN_CODE_MAX);
        for (size_t k = 0; k < ALIGN_CODE_MAX; k++)
            if (code.weight[k] && code.unit[k] >= units)
                return false;
    }
    return true;
}

static bool are_sorted(const char *const *names, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (strcmp(names[i - 1], names[i]) >= 0)
            return false;
    return true;
}

static bool has_language(const vl_space *space, const char *code) {
    for (size_t i = 0; i < space->language_count; i++)
        if (!strcmp(space->languages[i]->language, code))
            return true;
    return false;
}

static bool read_language(vl_space *space, cursor *c) {
    space_language head;
    const void *at = take(c, 1, sizeof head);
    if (!at)
        return false;
    memcpy(&head, at, sizeof head);
    if (!head.words || head.words > ALIGN_SPACE_WORDS || !head.code[0] ||
        !memchr(head.code, '\0', sizeof head.code) ||
        vl_utf8_valid_prefix(head.code, strlen(head.code)) != strlen(head.code) ||
        has_language(space, head.code))
        return false;
    space_words *words = calloc(1, sizeof *words);
    if (!words)
        return false;
    pthread_mutex_init(&words->lock, NULL);
    memcpy(words->language, head.code, sizeof head.code);
    words->count = head.words;
    words->names = take_names(c, head.words, head.names_bytes);
    words->codes = words->names ? take(c, head.words, CODE_BYTES) : NULL;
    if (!words->codes || !are_sorted(words->names, words->count) ||
        !are_codes_fine(words->codes, words->count, space->units)) {
        free_words(words);
        return false;
    }
    space->languages[space->language_count++] = words;
    return true;
}

static bool are_scales_fine(const vl_space *space) {
    for (size_t i = 0; i < space->units; i++) {
        float scale;
        memcpy(&scale, space->rows + i * (sizeof scale + space->dim), sizeof scale);
        if (!isfinite(scale) || fabsf(scale) > 1e6F)
            return false;
    }
    return true;
}

static bool read_space(vl_space *space) {
    space_header head;
    if (space->file.len < sizeof head)
        return false;
    cursor c = {(const unsigned char *)space->file.data,
                (const unsigned char *)space->file.data + space->file.len};
    const void *at = take(&c, 1, sizeof head);
    if (!at)
        return false;
    memcpy(&head, at, sizeof head);
    if (memcmp(head.magic, "VLSPACE", 8) || head.version != ALIGN_SPACE_VERSION ||
        !head.languages || head.languages > ALIGN_SPACE_LANGUAGES || !head.units ||
        head.units > ALIGN_SPACE_UNITS || !head.dim || head.dim > ALIGN_SPACE_DIM ||
        head.card_bytes > ALIGN_CARD_MAX || !memchr(head.hub, '\0', sizeof head.hub))
        return false;
    memcpy(space->hub, head.hub, sizeof space->hub);
    space->units = head.units;
    space->dim = head.dim;
    const char *card = take(&c, head.card_bytes, 1);
    if (!card || vl_utf8_valid_prefix(card, head.card_bytes) != head.card_bytes ||
        !(space->card = strndup(card, head.card_bytes)))
        return false;
    space->rows = take(&c, head.units, sizeof(float) + head.dim);
    space->unit_names = space->rows ? take_names(&c, head.units, head.unit_names_bytes) : NULL;
    space->unit_frequencies = space->unit_names ? take(&c, head.units, 1) : NULL;
    if (!space->unit_frequencies || !are_scales_fine(space))
        return false;
    for (uint32_t i = 0; i < head.languages; i++)
        if (!read_language(space, &c))
            return false;
    return c.at == c.end;
}

vl_status vl_space_open(const char *path, vl_space **out, vl_error *error) {
    char bundled[4096];
    vl_space *space = calloc(1, sizeof *space);
    *out = NULL;
    if (!space)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a space");
    if (!path) {
        snprintf(bundled, sizeof bundled, "%s/models/align.bin", vl_data_dir());
        path = bundled;
    }
    vl_buf_init(&space->file, VL_SPACE_MAX_BYTES);
    vl_status status =
        access(path, F_OK)
            ? vl_fail(error, VL_ERR_MISSING, "there is no space of languages at %s", path)
            : vl_file_read(path, VL_SPACE_MAX_BYTES, &space->file, error);
    if (!status && !read_space(space))
        status = vl_fail(error, VL_ERR_INPUT, "%s is no space of vectors, or is damaged", path);
    if (status) {
        vl_space_free(space);
        return status;
    }
    *out = space;
    return VL_OK;
}

void vl_space_free(vl_space *space) {
    if (!space)
        return;
    for (size_t i = 0; i < space->language_count; i++)
        free_words(space->languages[i]);
    free(space->unit_names);
    free(space->card);
    vl_buf_deinit(&space->file);
    free(space);
}

/* ---- what is in it ----------------------------------------------------------------------- */

size_t vl_space_count(const vl_space *space) {
    return space->language_count;
}

const char *vl_space_language(const vl_space *space, size_t i) {
    return space->languages[i]->language;
}

const char *vl_space_card(const vl_space *space) {
    return space->card;
}

static const char *code_of(const char *language) {
    const char *code = language ? vl_lang_code(language) : NULL;
    return code ? code : language;
}

const space_words *align_space_words(const vl_space *space, const char *language) {
    const char *code = code_of(language);
    for (size_t i = 0; code && i < space->language_count; i++)
        if (!strcmp(space->languages[i]->language, code))
            return space->languages[i];
    return NULL;
}

bool vl_space_has(const vl_space *space, const char *language) {
    return align_space_words(space, language) != NULL;
}

bool align_space_is_hub(const vl_space *space, const char *language) {
    const char *code = code_of(language);
    return code && !strcmp(code, space->hub);
}

size_t align_space_units(const vl_space *space) {
    return space->units;
}

double align_frequency_share(uint8_t code) {
    return code == UINT8_MAX ? 0 : exp2(-(double)code / 8);
}

uint8_t align_frequency_code(uint64_t count, uint64_t all) {
    if (!count || !all)
        return UINT8_MAX;
    double code = -8 * log2((double)count / (double)all);
    return code > UINT8_MAX - 1 ? UINT8_MAX - 1 : code < 0 ? 0 : (uint8_t)lround(code);
}

/* ---- meanings ------------------------------------------------------------------------------
 */

static int compare_name(const void *key, const void *name) {
    return strcmp(key, *(const char *const *)name);
}

static size_t find_word(const space_words *words, const char *word) {
    const char **at =
        bsearch(word, words->names, words->count, sizeof *words->names, compare_name);
    return at ? (size_t)(at - words->names) : SIZE_MAX;
}

static size_t add_code(const space_words *words, size_t word, float share, align_meaning *out,
                       size_t count) {
    space_code code;
    memcpy(&code, words->codes + word * CODE_BYTES, 3 * ALIGN_CODE_MAX);
    for (size_t k = 0; k < ALIGN_CODE_MAX && code.weight[k]; k++) {
        float weight = share * (float)code.weight[k] / 255;
        size_t i = 0;
        while (i < count && out[i].unit != code.unit[k])
            i++;
        if (i == count && count < ALIGN_MEANING_MAX)
            out[count++] = (align_meaning){code.unit[k], 0};
        if (i < count)
            out[i].weight += weight;
    }
    return count;
}

size_t align_space_word_count(const space_words *words) {
    return words->count;
}

const char *align_space_word(const space_words *words, size_t i) {
    return words->names[i];
}

size_t align_space_word_meaning(const space_words *words, size_t i, align_meaning *out) {
    return add_code(words, i, 1, out, 0);
}

uint8_t align_space_word_frequency(const space_words *words, size_t i) {
    return words->codes[i * CODE_BYTES + CODE_BYTES - 1];
}

static const align_spelling *spelling_of(const space_words *words) {
    space_words *own = (space_words *)words; /* the index is made behind a lock */
    pthread_mutex_lock(&own->lock);
    if (!own->spelling)
        align_spelling_new(own->names, own->count, &own->spelling, NULL);
    const align_spelling *spelling = own->spelling;
    pthread_mutex_unlock(&own->lock);
    return spelling;
}

static size_t meaning_by_spelling(const space_words *words, const char *word,
                                  align_meaning *out) {
    align_alike alike[ALIGN_ALIKE_MAX];
    const align_spelling *spelling = spelling_of(words);
    size_t found = spelling ? align_spelling_find(spelling, word, alike) : 0, count = 0;
    float total = 0;
    for (size_t i = 0; i < found; i++)
        total += alike[i].cosine * alike[i].cosine;
    for (size_t i = 0; i < found; i++) {
        float share = alike[i].cosine * alike[i].cosine / total;
        count = add_code(words, alike[i].word, share * alike[0].cosine, out, count);
    }
    return count;
}

static int by_weight(const void *a, const void *b) {
    const align_meaning *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->unit < y->unit ? -1 : x->unit > y->unit;
}

size_t align_space_meaning(const space_words *words, const char *word, align_meaning *out) {
    size_t at = find_word(words, word);
    size_t count =
        at == SIZE_MAX ? meaning_by_spelling(words, word, out) : add_code(words, at, 1, out, 0);
    qsort(out, count, sizeof *out, by_weight);
    return count;
}

size_t vl_space_gloss(const vl_space *space, const char *language, const char *word,
                      vl_gloss *out, size_t max) {
    align_meaning meaning[ALIGN_MEANING_MAX];
    const space_words *words = align_space_words(space, language);
    size_t count = words ? align_space_meaning(words, word, meaning) : 0;
    if (count > max)
        count = max;
    for (size_t i = 0; i < count; i++)
        out[i] = (vl_gloss){space->unit_names[meaning[i].unit], meaning[i].weight};
    return count;
}

/* ---- vectors -----------------------------------------------------------------------------
 */

static void add_unit_row(const vl_space *space, size_t unit, float weight, float *out) {
    const unsigned char *row = space->rows + unit * (sizeof(float) + space->dim);
    float scale;
    memcpy(&scale, row, sizeof scale);
    const int8_t *values = (const int8_t *)(row + sizeof scale);
    for (size_t d = 0; d < space->dim; d++)
        out[d] += weight * scale * (float)values[d];
}

/* Words by falling frequency, as files of vectors have them. */
typedef struct ranked {
    uint32_t word;
    uint8_t frequency;
} ranked;

static int by_frequency(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->frequency != y->frequency)
        return x->frequency < y->frequency ? -1 : 1;
    return x->word < y->word ? -1 : x->word > y->word;
}

vl_status vl_space_vectors(const vl_space *space, const char *language, vl_embeddings **out,
                           vl_error *error) {
    const space_words *words = align_space_words(space, language);
    *out = NULL;
    if (!words)
        return vl_fail(error, VL_ERR_MISSING, "the space has no language '%s'", language);
    ranked *order = malloc(words->count * sizeof *order);
    const char **names = malloc(words->count * sizeof *names);
    float *rows = calloc(words->count, space->dim * sizeof *rows);
    vl_status status = VL_OK;
    if (!order || !names || !rows)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for %zu vectors", words->count);
    for (size_t i = 0; !status && i < words->count; i++)
        order[i] = (ranked){(uint32_t)i, words->codes[i * CODE_BYTES + CODE_BYTES - 1]};
    if (!status)
        qsort(order, words->count, sizeof *order, by_frequency);
    for (size_t i = 0; !status && i < words->count; i++) {
        align_meaning meaning[ALIGN_MEANING_MAX];
        size_t count = add_code(words, order[i].word, 1, meaning, 0);
        names[i] = words->names[order[i].word];
        for (size_t k = 0; k < count; k++)
            add_unit_row(space, meaning[k].unit, meaning[k].weight, rows + i * space->dim);
    }
    if (!status)
        status = vl_embeddings_new(names, NULL, rows, words->count, (uint32_t)space->dim, out,
                                   error);
    if (status)
        free(rows);
    free(names);
    free(order);
    return status;
}
