/* bank.c — sentences into words, meanings and looks (bank.h). */
#include "align/bank.h"

#include "align/tokens.h"
#include "align/word_set.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

const float BANK_LOOKS = 2.5F;

/* ---- words, each once -------------------------------------------------------------------- */

static int by_type(const void *a, const void *b) {
    const bank_token *x = a, *y = b;
    return x->type < y->type ? -1 : x->type > y->type;
}

static size_t merge_tokens(bank_token *tokens, size_t count) {
    size_t kept = 0;
    qsort(tokens, count, sizeof *tokens, by_type);
    for (size_t i = 0; i < count; i++)
        if (kept && tokens[kept - 1].type == tokens[i].type)
            tokens[kept - 1].times++;
        else
            tokens[kept++] = tokens[i];
    return kept;
}

static vl_status add_sentence(vl_bank *bank, word_set *words, vl_arena *scratch,
                              const char *sentence, size_t *room, vl_error *error) {
    align_token *tokens;
    size_t count, at = bank->from[bank->count];
    vl_arena_reset(scratch);
    vl_status status = align_tokens(scratch, sentence, &tokens, &count, error);
    if (status)
        return status;
    if (at + count > *room) {
        size_t grown_room = at + count > 2 * *room ? at + count : 2 * *room;
        bank_token *grown = realloc(bank->tokens, grown_room * sizeof *grown);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu words", grown_room);
        bank->tokens = grown;
        *room = grown_room;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t type = word_set_add(words, tokens[i].word);
        if (type == UINT32_MAX)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for the words of a bank");
        bank->tokens[at + i] = (bank_token){type, 1};
    }
    size_t kept = count ? merge_tokens(bank->tokens + at, count) : 0;
    bank->from[++bank->count] = at + kept;
    return VL_OK;
}

static vl_status take_types(vl_bank *bank, const word_set *words, vl_error *error) {
    bank->types = calloc(words->count + 1, sizeof *bank->types);
    if (!bank->types)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the words of a bank");
    bank->type_count = words->count;
    for (size_t i = 0; i < words->count; i++)
        bank->types[i].word = words->words[i];
    return VL_OK;
}

static vl_status cut_sentences(vl_bank *bank, const char *const *sentences, size_t count,
                               vl_error *error) {
    enum { SCRATCH_BYTES = 256 << 20 };
    word_set words = {.arena = bank->arena};
    size_t room = 0;
    vl_arena *scratch = vl_arena_new(SCRATCH_BYTES);
    vl_status status =
        scratch ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for sentences");
    for (size_t i = 0; !status && i < count; i++) {
        status = add_sentence(bank, &words, scratch, sentences[i], &room, error);
        if (!status)
            status = vl_stop_check(error);
    }
    vl_arena_free(scratch);
    if (!status)
        status = take_types(bank, &words, error);
    word_set_deinit(&words);
    return status;
}

/* ---- what words mean and look like ----------------------------------------------------------
 */

static vl_status find_meanings(vl_bank *bank, vl_error *error) {
    size_t room = 0, count = 0;
    align_meaning found[ALIGN_MEANING_MAX];
    for (size_t i = 0; bank->words && i < bank->type_count; i++) {
        size_t n = align_space_meaning(bank->words, bank->types[i].word, found);
        if (count + n > room) {
            room = 2 * room + 4096;
            align_meaning *grown = realloc(bank->meanings, room * sizeof *grown);
            if (!grown)
                return vl_fail(error, VL_ERR_MEMORY, "no memory for meanings");
            bank->meanings = grown;
        }
        bank->types[i].meaning_from = (uint32_t)count;
        bank->types[i].meaning_count = (uint32_t)n;
        if (n)
            memcpy(bank->meanings + count, found, n * sizeof *found);
        count += n;
    }
    return VL_OK;
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Hashes become columns: their places among all hashes of the bank. */
static vl_status number_features(vl_bank *bank, size_t count, vl_error *error) {
    size_t kept = 0;
    uint32_t *ids = malloc((count + 1) * sizeof *ids);
    if (!ids)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for features");
    for (size_t i = 0; i < count; i++)
        ids[i] = bank->features[i].id;
    qsort(ids, count, sizeof *ids, by_value);
    for (size_t i = 0; i < count; i++)
        if (!i || ids[i] != ids[i - 1])
            ids[kept++] = ids[i];
    for (size_t i = 0; i < count; i++) {
        uint32_t *at = bsearch(&bank->features[i].id, ids, kept, sizeof *ids, by_value);
        bank->features[i].id = (uint32_t)(at - ids);
    }
    bank->feature_ids = ids;
    bank->feature_id_count = kept;
    return VL_OK;
}

/* 2 GiB of them; 100,000 sentences of news have some 2^21. Places fit 32 bits. */
enum { FEATURES_MAX = 1 << 28 };

static vl_status find_features(vl_bank *bank, vl_error *error) {
    size_t room = 0, count = 0;
    align_romaniser *romaniser;
    align_feature found[ALIGN_FEATURES_MAX];
    vl_status status = align_romaniser_new(&romaniser, error);
    for (size_t i = 0; !status && i < bank->type_count; i++) {
        size_t n = align_features(romaniser, bank->types[i].word, found);
        if (count + n > FEATURES_MAX) {
            status =
                vl_fail(error, VL_ERR_LIMIT, "the sentences of a bank have too many words");
            break;
        }
        if (count + n > room) {
            room = 2 * room + 16384;
            align_feature *grown = realloc(bank->features, room * sizeof *grown);
            if (!grown) {
                status = vl_fail(error, VL_ERR_MEMORY, "no memory for features");
                break;
            }
            bank->features = grown;
        }
        bank->types[i].feature_from = (uint32_t)count;
        bank->types[i].feature_count = (uint32_t)n;
        if (n)
            memcpy(bank->features + count, found, n * sizeof *found);
        count += n;
    }
    align_romaniser_free(romaniser);
    return status ? status : number_features(bank, count, error);
}

/* ---- rows ------------------------------------------------------------------------------- */

/* Entries of one sentence, grown as needed. */
typedef struct entries {
    sparse_entry *items;
    size_t count, room;
    bool failed;
} entries;

static void put(entries *e, size_t column, float value) {
    if (e->count == e->room) {
        size_t room = 2 * e->room + 256;
        sparse_entry *grown = realloc(e->items, room * sizeof *grown);
        if (!grown) {
            e->failed = true;
            return;
        }
        e->items = grown;
        e->room = room;
    }
    e->items[e->count++] = (sparse_entry){(uint32_t)column, value};
}

static vl_status add_looks(vl_bank *bank, vl_error *error) {
    entries e = {0};
    vl_status status = sparse_init(&bank->looks, bank->count, bank->feature_id_count, error);
    for (size_t s = 0; !status && s < bank->count; s++) {
        e.count = 0;
        for (size_t i = bank->from[s]; i < bank->from[s + 1]; i++) {
            const bank_type *type = &bank->types[bank->tokens[i].type];
            for (size_t k = 0; k < type->feature_count; k++) {
                align_feature f = bank->features[type->feature_from + k];
                put(&e, f.id, f.weight * (float)bank->tokens[i].times);
            }
        }
        status = e.failed ? vl_fail(error, VL_ERR_MEMORY, "no memory for a sentence")
                          : sparse_add_row(&bank->looks, e.items, e.count, error);
    }
    free(e.items);
    return status;
}

uint32_t bank_anchor(const vl_bank *bank, size_t type) {
    const bank_type *t = &bank->types[type];
    bool is_stem = bank->is_hub && t->meaning_count == 1;
    return is_stem ? bank->meanings[t->meaning_from].unit : bank_own_unit(bank, type);
}

/* What was learned from the other side counts a little more than what the space says. */
static const float OLD_SHARE = 0.5F, LEARNED_SHARE = 0.7F;

static void put_meaning(const vl_bank *bank, const vl_bank *anchor, const bank_token *token,
                        entries *e) {
    const bank_type *type = &bank->types[token->type];
    float times = (float)token->times;
    bool both = type->learned_count && type->meaning_count;
    size_t units = align_space_units(bank->space);
    for (size_t k = 0; k < type->meaning_count; k++) {
        align_meaning m = bank->meanings[type->meaning_from + k];
        put(e, m.unit, times * m.weight * (both ? OLD_SHARE : 1));
    }
    for (size_t k = 0; k < type->learned_count; k++) {
        align_meaning m = bank->learned[type->learned_from + k];
        if (m.unit < units || (anchor && anchor->serial == bank->teacher))
            put(e, m.unit, times * m.weight * (both ? LEARNED_SHARE : 1));
    }
    uint32_t own = bank_anchor(bank, token->type);
    if (anchor == bank && own >= units)
        put(e, own, times);
}

size_t bank_columns(const vl_space *space, const vl_bank *anchor) {
    return align_space_units(space) + (anchor ? anchor->type_count : 0);
}

vl_status bank_meanings(const vl_bank *bank, const vl_bank *anchor, sparse *out,
                        vl_error *error) {
    entries e = {0};
    vl_status status = sparse_init(out, bank->count, bank_columns(bank->space, anchor), error);
    for (size_t s = 0; !status && s < bank->count; s++) {
        e.count = 0;
        for (size_t i = bank->from[s]; i < bank->from[s + 1]; i++)
            put_meaning(bank, anchor, &bank->tokens[i], &e);
        status = e.failed ? vl_fail(error, VL_ERR_MEMORY, "no memory for a sentence")
                          : sparse_add_row(out, e.items, e.count, error);
    }
    free(e.items);
    if (status)
        sparse_deinit(out);
    return status;
}

/* ---- the bank ------------------------------------------------------------------------------
 */

vl_status vl_bank_new(const vl_space *space, const char *language, const char *const *sentences,
                      size_t count, vl_bank **out, vl_error *error) {
    enum { WORDS_BYTES = 1 << 30 };
    *out = NULL;
    if (count > VL_BANK_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "a bank of %zu sentences; at most %d", count,
                       VL_BANK_MAX);
    vl_bank *bank = calloc(1, sizeof *bank);
    if (!bank)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a bank");
    static atomic_uint_least64_t serial;
    pthread_mutex_init(&bank->lock, NULL);
    bank->serial = atomic_fetch_add(&serial, 1) + 1;
    bank->space = space;
    bank->words = align_space_words(space, language);
    bank->is_hub = align_space_is_hub(space, language);
    bank->arena = vl_arena_new(WORDS_BYTES);
    bank->from = calloc(count + 1, sizeof *bank->from);
    vl_status status = bank->arena && bank->from
                           ? cut_sentences(bank, sentences, count, error)
                           : vl_fail(error, VL_ERR_MEMORY, "no memory for a bank");
    if (!status)
        status = find_meanings(bank, error);
    if (!status)
        status = find_features(bank, error);
    if (!status)
        status = add_looks(bank, error);
    if (status)
        vl_bank_free(bank);
    else
        *out = bank;
    return status;
}

size_t vl_bank_count(const vl_bank *bank) {
    return bank->count;
}

void vl_bank_free(vl_bank *bank) {
    if (!bank)
        return;
    bank_index_free(bank->index);
    pthread_mutex_destroy(&bank->lock);
    vl_arena_free(bank->arena);
    free(bank->types);
    free(bank->meanings);
    free(bank->learned);
    free(bank->features);
    free(bank->feature_ids);
    free(bank->from);
    free(bank->tokens);
    sparse_deinit(&bank->looks);
    free(bank);
}
