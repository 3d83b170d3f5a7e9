/* fit_readability.c — fits the model of src/dataset/readability.c: clean text against the same
 * text spoiled, and says how well they are told apart, by kind and by language.
 *
 *   fit_readability TEXT CHARS
 *
 * CHARS is made by `vislang train chars` of other text than TEXT, for a model is less surprised
 * by the text that it was made of: of three lines in four of mono/, parallel/tico19-dev/ and
 * parallel/lafand/ (counted in twos, for headlines and articles take turns) and of all other
 * folders, while TEXT holds the fourth lines, and udhr/.
 *
 * Clean are passages of 200 to 1,500 bytes and lines of 25 to 150, as they are and with numbers
 * put in. Spoiled are the same by each of the kinds below. Half of the lines of two languages
 * in three is fitted, the other half and the third language is scored. Texts of udhr/ are
 * measured without a model of their language. What is drawn by chance has a fixed seed. */
#include "dataset/characters.h"
#include "dataset/corpus.h"
#include "dataset/logistic.h"
#include "dataset/readability.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/utf8.h>

enum {
    LINES_MOST = 150,
    LINE_BYTES = 1500,
    SHORT_BYTES = 150,
    LEAST_BYTES = 25,
    PASSAGE_BYTES = 200,
    OUT_BYTES = 16 << 10,
    ARENA_BYTES = 256 << 20,
    SIZE = READABILITY_COUNT
};

/* ---- ways to spoil a text ------------------------------------------------------------------
 */

typedef struct text {
    UChar32 letters[LINE_BYTES + 1];
    size_t count;
} text;

static void decode(const char *in, text *out) {
    int32_t bytes = (int32_t)strlen(in);
    out->count = 0;
    for (int32_t i = 0; i < bytes && out->count < LINE_BYTES;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)in, i, bytes, c);
        out->letters[out->count++] = c;
    }
}

static void put(vl_buf *out, UChar32 c) {
    uint8_t bytes[4];
    int32_t count = 0;
    U8_APPEND_UNSAFE(bytes, count, (uint32_t)c);
    vl_buf_append(out, bytes, (size_t)count);
}

static UChar32 any_letter(const text *in, uint64_t *dice) {
    for (int i = 0; i < 50; i++) {
        UChar32 c = in->letters[vl_random_below(dice, in->count)];
        if (u_isalpha(c))
            return c;
    }
    return 'x';
}

/* A fifth of the letters are others, some are lost or double, specks are read, words part. */
static void spoil_by_ocr(const text *in, uint64_t *dice, vl_buf *out) {
    static const char specks[] = "|~'.,_^°*-;:!\"/\\";
    for (size_t i = 0; i < in->count; i++) {
        UChar32 c = in->letters[i];
        double u = vl_random_uniform(dice);
        if (u < 0.13 && u_isalpha(c))
            put(out, any_letter(in, dice));
        else if (u < 0.16 && u_isalpha(c))
            put(out, '0' + (UChar32)vl_random_below(dice, 10));
        else if (u < 0.19)
            put(out, (UChar32)(unsigned char)specks[vl_random_below(dice, 14)]);
        else if (u < 0.21)
            vl_buf_puts(out, " ");
        else if (u > 0.03 + 0.2)
            put(out, c);
    }
}

static void spoil_by_shuffling(const text *in, uint64_t *dice, vl_buf *out) {
    text copy = *in;
    for (size_t from = 0, to; from < copy.count; from = to + 1) {
        for (to = from; to < copy.count && copy.letters[to] != ' '; to++)
            ;
        for (size_t i = to; i > from + 1; i--) {
            size_t other = from + vl_random_below(dice, i - from);
            UChar32 kept = copy.letters[i - 1];
            copy.letters[i - 1] = copy.letters[other];
            copy.letters[other] = kept;
        }
    }
    for (size_t i = 0; i < copy.count; i++)
        put(out, copy.letters[i]);
}

/* UTF-8 taken for Windows-1252, and what that has not for Latin-1. */
static void spoil_by_decoding(const text *in, uint64_t *dice, vl_buf *out) {
    static const UChar32 windows[32] = {
        0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
    (void)dice;
    for (size_t i = 0; i < in->count; i++) {
        uint8_t bytes[4];
        int32_t count = 0;
        U8_APPEND_UNSAFE(bytes, count, (uint32_t)in->letters[i]);
        for (int32_t k = 0; k < count; k++)
            put(out, bytes[k] >= 0x80 && bytes[k] < 0xA0 ? windows[bytes[k] - 0x80] : bytes[k]);
    }
}

/* A font without a map: every letter is another, the same each time. */
static void spoil_by_font(const text *in, uint64_t *dice, vl_buf *out) {
    (void)dice;
    for (size_t i = 0; i < in->count; i++) {
        UChar32 c = in->letters[i];
        put(out, c == ' ' ? c : c < 0x7F ? '!' + (c - '!' + 29) % 94 : c + 29);
    }
}

typedef struct words {
    size_t from[LINE_BYTES], length[LINE_BYTES], count;
} words;

static void part(const text *in, words *w) {
    w->count = 0;
    for (size_t from = 0, to; from < in->count; from = to + 1) {
        for (to = from; to < in->count && in->letters[to] != ' '; to++)
            ;
        size_t length = to - from;
        while (length && u_ispunct(in->letters[from + length - 1]))
            length--;
        if (length > 2 && length < 24 && u_isalpha(in->letters[from])) {
            w->from[w->count] = from;
            w->length[w->count++] = length;
        }
    }
}

static void put_word(const text *in, const words *w, size_t i, bool title, vl_buf *out) {
    for (size_t k = 0; k < w->length[i]; k++) {
        UChar32 c = in->letters[w->from[i] + k];
        put(out, title && !k ? u_totitle(c) : c);
    }
}

static void spoil_to_menu(const text *in, uint64_t *dice, vl_buf *out) {
    static const char *const between[] = {" | ", "\n", " » ", " · ", " / "};
    const char *mark = between[vl_random_below(dice, 5)];
    words w;
    part(in, &w);
    for (size_t i = 0, item = 0; i < w.count; item++) {
        size_t length = 1 + vl_random_below(dice, 3);
        vl_buf_puts(out, item ? mark : "");
        for (size_t k = 0; k < length && i < w.count; k++, i++) {
            vl_buf_puts(out, k ? " " : "");
            put_word(in, &w, i, true, out);
        }
    }
}

static void spoil_to_keywords(const text *in, uint64_t *dice, vl_buf *out) {
    words w;
    part(in, &w);
    size_t kept = w.count > 30 ? 30 : w.count; /* the same ones again, as spam has them */
    bool commas = vl_random_below(dice, 2) == 0;
    for (size_t i = 0; i < w.count; i++) {
        vl_buf_puts(out, i ? commas ? ", " : " " : "");
        put_word(in, &w, vl_random_below(dice, kept), false, out);
    }
}

static void spoil_to_numbers(const text *in, uint64_t *dice, vl_buf *out) {
    words w;
    part(in, &w);
    for (size_t i = 0; i < w.count; i++) {
        vl_buf_printf(out, "%s%zu%s", i ? " " : "", vl_random_below(dice, 100000),
                      vl_random_below(dice, 4) ? "" : "%");
        if (!vl_random_below(dice, 6)) {
            vl_buf_puts(out, " ");
            put_word(in, &w, i, false, out);
        }
    }
}

static void spoil_by_spacing(const text *in, uint64_t *dice, vl_buf *out) {
    bool apart = vl_random_below(dice, 2) == 0;
    for (size_t i = 0; i < in->count; i++) {
        if (apart || in->letters[i] != ' ')
            put(out, in->letters[i]);
        if (apart && in->letters[i] != ' ')
            vl_buf_puts(out, " ");
    }
}

static void spoil_by_repeating(const text *in, uint64_t *dice, vl_buf *out) {
    words w;
    part(in, &w);
    size_t length = 2 + vl_random_below(dice, 6);
    for (size_t i = 0; i < w.count; i++) {
        vl_buf_puts(out, i ? " " : "");
        put_word(in, &w, i % length, false, out);
    }
}

static void spoil_by_shouting(const text *in, uint64_t *dice, vl_buf *out) {
    (void)dice;
    for (size_t i = 0; i < in->count; i++)
        put(out, u_toupper(in->letters[i]));
}

/* Those that only a model of the language can see are left out of the fit of the other. */
static const struct kind {
    const char *name;
    void (*spoil)(const text *in, uint64_t *dice, vl_buf *out);
    bool needs_model;
} kinds[] = {{"ocr", spoil_by_ocr, false},           {"shuffled", spoil_by_shuffling, true},
             {"mojibake", spoil_by_decoding, false}, {"font", spoil_by_font, false},
             {"menu", spoil_to_menu, false},         {"keywords", spoil_to_keywords, false},
             {"numbers", spoil_to_numbers, false},   {"spacing", spoil_by_spacing, false},
             {"repeats", spoil_by_repeating, false}, {"capitals", spoil_by_shouting, false}};
enum { KINDS = sizeof kinds / sizeof *kinds, CLEAN = KINDS };

/* No spoiling: numbers as reports have them, years, counts and shares, before some words. */
static void put_numbers(const text *in, uint64_t *dice, vl_buf *out) {
    for (size_t i = 0; i < in->count; i++) {
        bool begins = i && in->letters[i - 1] == ' ' && u_isalpha(in->letters[i]);
        size_t which = begins ? vl_random_below(dice, 21) : 3;
        if (which == 0)
            vl_buf_printf(out, "%zu ", 1990 + vl_random_below(dice, 40));
        else if (which == 1)
            vl_buf_printf(out, "%zu,%03zu ", vl_random_below(dice, 90),
                          vl_random_below(dice, 1000));
        else if (which == 2)
            vl_buf_printf(out, "%zu%% ", vl_random_below(dice, 100));
        put(out, in->letters[i]);
    }
}

/* ---- rows ----------------------------------------------------------------------------------
 */

typedef struct row {
    double measures[SIZE];
    unsigned kind, language;
    bool has_model, fitted, is_short;
} row;

typedef struct languages {
    char names[1024][64];
    bool held[1024];
    size_t count;
    uint64_t dice;
} languages;

struct usuals;
typedef struct rows {
    row *items;
    size_t count, capacity;
    languages *of;
    struct usuals *usuals;
    uint64_t dice;
    double seconds, bytes, passages; /* of measuring with a model of the language */
} rows;

static void add(rows *r, const char *passage, unsigned kind, const readability_language *model,
                bool fitted, bool is_short) {
    readability measured;
    int64_t begun = vl_clock_ns();
    readability_measure(passage, model, &measured);
    if (model) {
        r->seconds += vl_clock_ms_since(begun) / 1e3;
        r->bytes += (double)strlen(passage);
        r->passages++;
    }
    if (!measured.letters && kind == CLEAN)
        return;
    if (r->count == r->capacity) {
        r->capacity = r->capacity ? 2 * r->capacity : 1 << 16;
        r->items = realloc(r->items, r->capacity * sizeof *r->items);
        if (!r->items)
            exit(1);
    }
    row *into = &r->items[r->count++];
    memcpy(into->measures, measured.measures, sizeof into->measures);
    into->kind = kind;
    into->language = (unsigned)r->of->count - 1;
    into->has_model = measured.has_model;
    into->fitted = fitted;
    into->is_short = is_short;
}

static void take_passage(rows *r, const char *passage, const readability_language *model,
                         bool fitted, bool is_short) {
    text letters;
    vl_buf out;
    vl_arena *arena = vl_arena_new(1 << 20);
    decode(passage, &letters);
    vl_buf_init(&out, OUT_BYTES);
    add(r, passage, CLEAN, model, fitted, is_short);
    put_numbers(&letters, &r->dice, &out);
    add(r, out.data ? out.data : "", CLEAN, model, fitted, is_short);
    for (unsigned k = 0; k < KINDS; k++) {
        vl_buf_clear(&out);
        kinds[k].spoil(&letters, &r->dice, &out);
        const char *spoiled = vl_text_nfc(arena, out.data ? out.data : "");
        if (!out.failed && strlen(spoiled) >= LEAST_BYTES && strcmp(spoiled, passage) != 0)
            add(r, spoiled, k, model, fitted, is_short);
        vl_arena_reset(arena);
    }
    vl_buf_deinit(&out);
    vl_arena_free(arena);
}

/* Lines of tables, and text of a font without a map. */
static bool is_left_out(const char *path) {
    return strstr(path, "som-wiki") || strstr(path, "en-nus");
}

static void name_language(languages *of, const char *path) {
    const char *base = strrchr(path, '/') + 1;
    const char *set = strstr(path, "/udhr/")     ? "udhr"
                      : strstr(path, "/mono/")   ? "mono"
                      : strstr(path, "/lafand/") ? "lafand"
                                                 : "tico";
    snprintf(of->names[of->count], sizeof *of->names, "%s:%.*s", set, (int)strcspn(base, "."),
             base);
    of->held[of->count] = of->count % 3 == 2;
    of->count++;
}

/* ---- what is usual in a language ------------------------------------------------------------
 */

enum { USUALS_MOST = 128, ORDERS_MOST = 4000, PASSAGES_LEAST = 30 };
typedef struct usual {
    char code[VL_LANG_SIZE];
    double *orders;
    size_t count;
    readability_language language;
} usual;

typedef struct usuals {
    usual items[USUALS_MOST];
    size_t count;
    const vl_ngram *ngram;
} usuals;

static usual *usual_of(usuals *u, const char *path) {
    char language[VL_LANG_SIZE];
    corpus_language(path, language);
    const char *code = vl_lang_code(language);
    const vl_ngram_language *model = characters_language(u->ngram, code);
    if (strstr(path, "/udhr/") || !model || is_left_out(path))
        return NULL;
    for (size_t i = 0; i < u->count; i++)
        if (!strcmp(u->items[i].code, code))
            return &u->items[i];
    if (u->count == USUALS_MOST)
        return NULL;
    usual *made = &u->items[u->count++];
    snprintf(made->code, sizeof made->code, "%s", code);
    made->language = (readability_language){model, 0};
    made->orders = calloc(ORDERS_MOST, sizeof *made->orders);
    if (!made->orders)
        exit(1);
    return made;
}

static vl_status take_orders(const char *path, void *user, vl_error *error) {
    corpus_limits limits = {.max_lines = 4000, .max_bytes = LINE_BYTES, .split = true};
    corpus_lines lines;
    usual *u = usual_of(user, path);
    if (!u)
        return VL_OK;
    vl_arena *arena = vl_arena_new(ARENA_BYTES);
    vl_status status = corpus_read(arena, path, &limits, &lines, error);
    for (size_t i = 0; !status && i < lines.count && u->count < ORDERS_MOST; i++) {
        readability measured;
        char *line = vl_text_squeeze(arena, lines.items[i]);
        if (!line || strlen(line) < PASSAGE_BYTES)
            continue;
        readability_measure(line, &u->language, &measured);
        if (measured.has_model)
            u->orders[u->count++] = measured.order;
    }
    vl_arena_free(arena);
    return status;
}

static int by_value(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int by_code(const void *a, const void *b) {
    return strcmp(((const usual *)a)->code, ((const usual *)b)->code);
}

static void settle(usuals *u) {
    qsort(u->items, u->count, sizeof *u->items, by_code);
    for (size_t i = 0; i < u->count; i++) {
        usual *at = &u->items[i];
        qsort(at->orders, at->count, sizeof *at->orders, by_value);
        if (at->count < PASSAGES_LEAST) {
            at->language.model = NULL;
            continue;
        }
        at->language.usual = at->orders[at->count / 10];
    }
}

/* Text of another kind is less like that of the models: the hinge is moved after the fit, so
 * that the fit does not make up for it. Of 1,000 captions in Arabic (of photographs; its model
 * was made of 290 sentences on an epidemic) 159 scored below one half without it, and 6 do with
 * it. */
static void allow_for_elsewhere(usuals *u) {
    static const double ELSEWHERE = 0.12;
    for (size_t i = 0; i < u->count; i++) {
        usual *at = &u->items[i];
        at->language.usual -= ELSEWHERE;
        if (at->language.model)
            printf("    {\"%s\", %.2f}, /* %zu passages */\n", at->code, at->language.usual,
                   at->count);
    }
}

static const readability_language *model_of(rows *r, const char *path) {
    usual *found = usual_of(r->usuals, path);
    return found && found->language.model ? &found->language : NULL;
}

static vl_status take_file(const char *path, void *user, vl_error *error) {
    rows *r = user;
    if (is_left_out(path))
        return VL_OK;
    corpus_limits limits = {.max_lines = 4000, .max_bytes = LINE_BYTES, .split = true};
    corpus_lines lines;
    vl_arena *arena = vl_arena_new(ARENA_BYTES);
    const readability_language *model = model_of(r, path);
    vl_status status = corpus_read(arena, path, &limits, &lines, error);
    if (!status && lines.count)
        name_language(r->of, path);
    size_t step = lines.count / LINES_MOST + 1;
    for (size_t i = 0; i < lines.count && !status; i += step) {
        char *line = vl_text_squeeze(arena, lines.items[i]);
        bool fitted = !r->of->held[r->of->count - 1] && i / step % 2 == 0;
        if (!line)
            break;
        if (strlen(line) >= PASSAGE_BYTES)
            take_passage(r, line, model, fitted, false);
        size_t cut = strlen(line) < SHORT_BYTES ? strlen(line) : SHORT_BYTES;
        while (line[cut] && cut && line[cut] != ' ')
            cut--;
        line[cut] = '\0';
        if (cut >= LEAST_BYTES)
            take_passage(r, line, model, fitted, true);
    }
    vl_arena_free(arena);
    return status;
}

/* ---- fit and scores ------------------------------------------------------------------------
 */

static bool is_fitted(const row *at, bool with) {
    bool seen = with || at->kind == CLEAN || !kinds[at->kind].needs_model;
    return at->fitted && seen && (!with || at->has_model);
}

/* No measure but ORDER may speak for a text: what would is held at 0, and the rest fitted
 * again.
 */
static void fit_signed(const logistic_data *data, double out[SIZE + 1]) {
    double prior[SIZE + 1] = {0}, precision[SIZE + 1];
    vl_error error;
    bool again = true;
    for (size_t i = 0; i <= SIZE; i++)
        precision[i] = 0.05;
    while (again) {
        again = false;
        if (logistic_fit(data, prior, precision, out, &error)) {
            fprintf(stderr, "%s\n", error.message);
            exit(1);
        }
        for (size_t i = 0; i < SIZE; i++)
            if (i != READABILITY_ORDER && out[i] > 0 && precision[i] < 1e9) {
                precision[i] = 1e9;
                again = true;
            }
    }
    for (size_t i = 0; i < SIZE; i++)
        out[i] = i == READABILITY_ORDER ? out[i] : fmin(0, out[i]);
}

/* Clean counts as much as all that is spoiled; capitals can be read, so they count for less. */
static double weight_of(unsigned kind) {
    static const double CAPITALS = 0.3;
    if (kind == CLEAN)
        return KINDS - 1 + CAPITALS;
    return kinds[kind].spoil == spoil_by_shouting ? CAPITALS : 1;
}

/* Languages count alike, and of each its kinds alike. */
static void fit(const rows *r, bool with, double out[SIZE + 1]) {
    static const double TOTAL = 20000;
    double *features = calloc(r->count * SIZE, sizeof *features);
    double *targets = calloc(r->count, sizeof *targets);
    double *weights = calloc(r->count, sizeof *weights);
    double(*counts)[KINDS + 1] = calloc(r->of->count, sizeof *counts);
    double sum = 0;
    size_t used = 0;
    if (!features || !targets || !weights || !counts)
        exit(1);
    for (size_t i = 0; i < r->count; i++)
        if (is_fitted(&r->items[i], with))
            counts[r->items[i].language][r->items[i].kind]++;
    for (size_t i = 0; i < r->count; i++) {
        const row *at = &r->items[i];
        if (!is_fitted(at, with))
            continue;
        memcpy(features + used * SIZE, at->measures, sizeof at->measures);
        if (!with)
            features[used * SIZE + READABILITY_ORDER] = 0;
        targets[used] = at->kind == CLEAN;
        weights[used] = weight_of(at->kind) / counts[at->language][at->kind];
        sum += weights[used++];
    }
    for (size_t i = 0; i < used; i++)
        weights[i] *= TOTAL / sum;
    logistic_data data = {features, targets, weights, used, SIZE};
    fit_signed(&data, out);
    printf("/* %zu rows, loss %.4f */\n", used, logistic_loss(&data, out));
    free(features);
    free(targets);
    free(weights);
    free(counts);
}

typedef struct scored {
    double score;
    bool clean;
} scored;

static int by_score(const void *a, const void *b) {
    const scored *x = a, *y = b;
    return (x->score > y->score) - (x->score < y->score);
}

/* The chance that a clean text scores above a spoiled one (Mann–Whitney, ties a half). */
static double auc(scored *items, size_t count) {
    double ranks = 0, clean = 0;
    qsort(items, count, sizeof *items, by_score);
    for (size_t i = 0, to; i < count; i = to) {
        for (to = i; to < count && items[to].score == items[i].score; to++)
            ;
        for (size_t k = i; k < to; k++)
            if (items[k].clean) {
                ranks += (double)(i + to + 1) / 2;
                clean++;
            }
    }
    double spoiled = (double)count - clean;
    return clean > 0 && spoiled > 0 ? (ranks - clean * (clean + 1) / 2) / (clean * spoiled)
                                    : NAN;
}

/* Over as many clean texts as spoiled ones, as the fit weighs them. */
static void calibration_error(const rows *r, double models[2][SIZE + 1]) {
    float *confidence = calloc(r->count, sizeof *confidence);
    bool *right = calloc(r->count, sizeof *right);
    size_t count = 0, clean = 0, spoiled = 0;
    double ece = NAN;
    if (!confidence || !right)
        exit(1);
    for (size_t i = 0; i < r->count; i++) {
        const row *at = &r->items[i];
        bool is_clean = at->kind == CLEAN;
        if (at->fitted || !at->has_model ||
            (!is_clean && vl_random_below(&r->of->dice, KINDS) > 1))
            continue;
        clean += is_clean;
        spoiled += !is_clean;
        confidence[count] = (float)logistic_of(models[1], at->measures, SIZE);
        right[count++] = is_clean;
    }
    vl_score_calibration(confidence, right, count, &ece, NULL);
    printf("calibration error with a model: %.3f (%zu clean, %zu spoiled)\n", ece, clean,
           spoiled);
    free(confidence);
    free(right);
}

typedef struct choice {
    int kind, is_short, model; /* -1: any */
    const char *set;
    int language; /* -1: any */
} choice;

static bool chosen(const rows *r, const row *at, const choice *c) {
    return !at->fitted && (at->kind == CLEAN || c->kind < 0 || at->kind == (unsigned)c->kind) &&
           (c->is_short < 0 || at->is_short == c->is_short) &&
           (c->model < 0 || at->has_model == c->model) &&
           (!c->set || !strncmp(r->of->names[at->language], c->set, strlen(c->set))) &&
           (c->language < 0 || at->language == (unsigned)c->language);
}

static double score_choice(const rows *r, double models[2][SIZE + 1], const choice *c,
                           double *kept) {
    scored *items = calloc(r->count, sizeof *items);
    size_t count = 0, clean = 0, above = 0;
    if (!items)
        exit(1);
    for (size_t i = 0; i < r->count; i++) {
        const row *at = &r->items[i];
        if (!chosen(r, at, c))
            continue;
        double score = logistic_of(models[at->has_model], at->measures, SIZE);
        items[count++] = (scored){score, at->kind == CLEAN};
        clean += at->kind == CLEAN;
        above += at->kind == CLEAN && score >= 0.5;
    }
    double found = auc(items, count);
    if (kept)
        *kept = clean ? (double)above / (double)clean : NAN;
    free(items);
    return found;
}

static void print_model(const char *name, const double *model) {
    printf("/* %s */ {", name);
    for (size_t i = 0; i <= SIZE; i++)
        printf("%s%.3f%s", i ? ", " : "", model[i], i < SIZE ? "" : "},\n");
    for (size_t i = 0; i <= SIZE; i++)
        printf("//  %-12s %9.3f\n",
               i < SIZE ? readability_measure_name((readability_measure_kind)i) : "offset",
               model[i]);
}

static void print_kinds(const rows *r, double models[2][SIZE + 1]) {
    static const choice sets[] = {
        {-1, 0, 1, NULL, -1}, {-1, 1, 1, NULL, -1}, {-1, 0, 0, NULL, -1}, {-1, 1, 0, NULL, -1}};
    printf("%-10s %12s %12s %12s %12s\n", "AUC", "long, model", "short, model", "long, none",
           "short, none");
    for (int kind = -1; kind < KINDS; kind++) {
        printf("%-10s", kind < 0 ? "all" : kinds[kind].name);
        for (size_t i = 0; i < 4; i++) {
            choice c = sets[i];
            c.kind = kind;
            printf(" %12.4f", score_choice(r, models, &c, NULL));
        }
        printf("\n");
    }
}

/* What lowers the clean texts of languages that suffer: the mean of coefficient times measure.
 */
static void print_reasons(const rows *r, double models[2][SIZE + 1]) {
    for (size_t i = 0; i < r->of->count; i++) {
        double sum[SIZE] = {0}, count = 0, kept;
        choice any = {-1, -1, -1, NULL, (int)i};
        score_choice(r, models, &any, &kept);
        if (!(kept < 0.85))
            continue;
        for (size_t k = 0; k < r->count; k++)
            if (r->items[k].language == i && r->items[k].kind == CLEAN) {
                for (size_t m = 0; m < SIZE; m++)
                    sum[m] += models[r->items[k].has_model][m] * r->items[k].measures[m];
                count++;
            }
        printf("%s %.3f:", r->of->names[i], kept);
        for (size_t m = 0; m < SIZE; m++)
            if (sum[m] / count < -0.5)
                printf(" %s %.2f", readability_measure_name((readability_measure_kind)m),
                       sum[m] / count);
        printf("\n");
    }
}

static void print_languages(const rows *r, double models[2][SIZE + 1]) {
    printf("%-24s %6s %8s %8s %10s\n", "language", "held", "long", "short", "clean>=.5");
    for (size_t i = 0; i < r->of->count; i++) {
        double kept;
        choice whole = {-1, 0, -1, NULL, (int)i}, brief = {-1, 1, -1, NULL, (int)i};
        choice any = {-1, -1, -1, NULL, (int)i};
        double a = score_choice(r, models, &whole, NULL),
               b = score_choice(r, models, &brief, NULL);
        score_choice(r, models, &any, &kept);
        printf("%-24s %6s %8.4f %8.4f %10.3f\n", r->of->names[i], r->of->held[i] ? "yes" : "",
               a, b, kept);
    }
}

static vl_status walk(const char *folder, corpus_file_fn take, void *user, vl_error *error) {
    static const char *const folders[] = {"mono", "parallel/lafand", "parallel/tico19-dev",
                                          "udhr"};
    vl_status status = VL_OK;
    for (size_t i = 0; i < sizeof folders / sizeof *folders && !status; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
        status = corpus_walk(path, ".gz", take, user, error);
    }
    return status;
}

int main(int argc, char **argv) {
    static languages of;
    static usuals orders;
    double models[2][SIZE + 1];
    rows r = {.of = &of, .usuals = &orders, .dice = 1};
    vl_ngram *ngram = NULL;
    vl_error error = {0};
    if (argc != 3) {
        fprintf(stderr, "usage: fit_readability TEXT CHARS\n");
        return 2;
    }
    vl_status status = vl_ngram_open(argv[2], &ngram, &error);
    orders.ngram = ngram;
    if (!status)
        status = walk(argv[1], take_orders, &orders, &error);
    settle(&orders);
    if (!status)
        status = walk(argv[1], take_file, &r, &error);
    if (status) {
        fprintf(stderr, "fit_readability: %s\n", error.message);
        return 1;
    }
    for (int with = 0; with < 2; with++) {
        fit(&r, with, models[with]);
        print_model(with ? "with a model of the language" : "without", models[with]);
    }
    allow_for_elsewhere(&orders);
    r.count = of.count = 0;
    r.dice = 1;
    if (walk(argv[1], take_file, &r, &error))
        fprintf(stderr, "fit_readability: %s\n", error.message);
    print_kinds(&r, models);
    calibration_error(&r, models);
    printf("%.0f µs a passage of %.0f bytes, with a model\n", r.seconds * 1e6 / r.passages,
           r.bytes / r.passages);
    print_languages(&r, models);
    print_reasons(&r, models);
    for (size_t i = 0; i < orders.count; i++)
        free(orders.items[i].orders);
    vl_ngram_free(ngram);
    free(r.items);
    return 0;
}
