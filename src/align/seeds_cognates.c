/* seeds_cognates.c — names and loans found by how they sound.
 *
 * A word becomes Latin letters, then a key of the classes of its consonants (a digit in base
 * 16 each); words of both sides with the same key are compared by weighted edit distance.
 * Transliteration (some microseconds a word) is what takes the time. */
#include "align/seeds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

enum {
    LATIN_MAX = 24,  /* letters and NUL; longer words are no seeds */
    LATIN_MIN = 4,   /* letters */
    CLASSES_MIN = 2, /* consonants that count */
    CLASSES_MAX = 12,
    BLOCK_MAX = 300, /* words of one key and side: the most frequent */
    BAND = 4,        /* cells off the diagonal */
};
/* By the number of consonants: short words are alike by chance. */
static const float least_score[CLASSES_MAX + 1] = {
    2, 2, 0.93f, 0.84f, 0.8f, 0.75f, 0.75f, 0.75f, 0.75f, 0.75f, 0.75f, 0.75f, 0.75f};
/* Of two that sound the same the one that is about as frequent: taken off a score for a factor
 * of e between ranks. */
static const float rank_weight = 0.02f;

typedef struct sound {
    uint64_t key;
    uint32_t word;
    uint8_t length, classes;
    char latin[LATIN_MAX];
} sound;

/* ---- letters -------------------------------------------------------------------------- */

static bool is_vowel(char c) {
    return strchr("aeiou", c) != NULL;
}

static bool is_weak(char c) {
    return c == 'h' || c == 'w' || c == 'y';
}

/* Class of a consonant (labials, dentals, sibilants, velars, m, n, r, l), 0 for none; `next`
 * tells the two sounds of c. */
static unsigned class_of(char c, char next) {
    static const char *const classes[] = {"pbfv", "td", "szj", "kgqx", "m", "n", "r", "l"};
    if (c == 'c')
        return next && strchr("eiyh", next) ? 3 : 4;
    for (unsigned i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strchr(classes[i], c))
            return i + 1;
    return 0;
}

static void set_key(sound *s) {
    unsigned last = 0;
    s->key = 0;
    s->classes = 0;
    for (size_t i = 0; i < s->length; i++) {
        unsigned class = class_of(s->latin[i], s->latin[i + 1]);
        if (class && class != last && s->classes < CLASSES_MAX) {
            s->key = s->key << 4 | class;
            s->classes++;
        }
        if (class || is_vowel(s->latin[i]))
            last = class;
    }
}

/* What it costs to leave a letter out. */
static float weight(char c) {
    return is_vowel(c) ? 0.25f : is_weak(c) ? 0.35f : 1;
}

static float exchange(char a, char b) {
    if (a == b)
        return 0;
    if ((is_vowel(a) || is_weak(a)) && (is_vowel(b) || is_weak(b)))
        return 0.25f;
    unsigned class = class_of(a, 0);
    return class && class == class_of(b, 0) ? 0.3f : a == 'c' || b == 'c' ? 0.5f : 1.2f;
}

/* 1 − weighted distance / weight of the longer, within a band. */
static float similarity(const sound *a, const sound *b) {
    float rows[2][LATIN_MAX + 1], weight_a = 0, weight_b = 0;
    rows[0][0] = 0;
    for (size_t j = 0; j < b->length; j++) {
        weight_b += weight(b->latin[j]);
        rows[0][j + 1] = j < BAND ? weight_b : INFINITY;
    }
    for (size_t i = 0; i < a->length; i++) {
        const float *above = rows[i & 1];
        float *row = rows[(i + 1) & 1];
        weight_a += weight(a->latin[i]);
        row[0] = i < BAND ? weight_a : INFINITY;
        for (size_t j = 0; j < b->length; j++) {
            bool inside = i <= j + BAND && j <= i + BAND;
            float best = above[j] + exchange(a->latin[i], b->latin[j]);
            best = fminf(best, above[j + 1] + weight(a->latin[i]));
            best = fminf(best, row[j] + weight(b->latin[j]));
            row[j + 1] = inside ? best : INFINITY;
        }
    }
    return 1 - rows[a->length & 1][b->length] / fmaxf(weight_a, weight_b);
}

/* ---- words to sounds ------------------------------------------------------------------ */

/* Lower-case Latin letters of a word, doubled ones once, since languages differ in how they
 * write length; false when it is too long or too short. */
static bool to_latin(UTransliterator *latin, const char *word, sound *s) {
    enum { ROOM = 128 };
    UChar wide[ROOM];
    UErrorCode code = U_ZERO_ERROR;
    int32_t length, limit;
    u_strFromUTF8(wide, ROOM / 2, &length, word, -1, &code);
    if (U_FAILURE(code) || length >= ROOM / 2)
        return false;
    limit = length;
    utrans_transUChars(latin, wide, &length, ROOM, 0, &limit, &code);
    if (U_FAILURE(code))
        return false;
    s->length = 0;
    for (int32_t i = 0; i < limit; i++) {
        UChar c = wide[i];
        if (c >= 'A' && c <= 'Z')
            c = (UChar)(c + ('a' - 'A'));
        if (c >= '0' && c <= '9')
            return false; /* numerals are seeds of their own */
        bool again = s->length && s->latin[s->length - 1] == (char)c; /* "maaraatoonii" */
        if (c < 'a' || c > 'z' || again)
            continue;
        if (s->length == LATIN_MAX - 1)
            return false;
        s->latin[s->length++] = (char)c;
    }
    s->latin[s->length] = '\0';
    return s->length >= LATIN_MIN;
}

static int by_key(const void *a, const void *b) {
    const sound *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->word < y->word ? -1 : x->word > y->word;
}

static vl_status sounds_of(const vl_embeddings *words, size_t max, UTransliterator *latin,
                           sound **sounds, size_t *count, vl_error *error) {
    size_t all = vl_embeddings_count(words);
    all = all < max ? all : max;
    *count = 0;
    *sounds = calloc(all + 1, sizeof **sounds);
    if (!*sounds)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the sounds of %zu words", all);
    for (size_t i = 0; i < all; i++) {
        sound *s = &(*sounds)[*count];
        s->word = (uint32_t)i;
        if (!to_latin(latin, vl_embeddings_word(words, i), s))
            continue;
        set_key(s);
        *count += s->classes >= CLASSES_MIN;
    }
    qsort(*sounds, *count, sizeof **sounds, by_key);
    return VL_OK;
}

/* ---- pairs ---------------------------------------------------------------------------- */

typedef struct matching {
    const sound *a, *b;
    size_t a_count, b_count;
    float *a_best, *b_best; /* by place in `a`, `b` */
    uint32_t *a_with, *b_with;
} matching;

static void match_block(matching *m, size_t a0, size_t a1, size_t b0, size_t b1) {
    a1 = a1 - a0 > BLOCK_MAX ? a0 + BLOCK_MAX : a1;
    b1 = b1 - b0 > BLOCK_MAX ? b0 + BLOCK_MAX : b1;
    for (size_t i = a0; i < a1; i++)
        for (size_t j = b0; j < b1; j++) {
            float score = similarity(&m->a[i], &m->b[j]);
            if (score < least_score[m->a[i].classes])
                continue;
            score -= rank_weight *
                     fabsf(logf((float)(m->a[i].word + 10) / (float)(m->b[j].word + 10)));
            if (score > m->a_best[i]) {
                m->a_best[i] = score;
                m->a_with[i] = (uint32_t)j;
            }
            if (score > m->b_best[j]) {
                m->b_best[j] = score;
                m->b_with[j] = (uint32_t)i;
            }
        }
}

static void match_all(matching *m) {
    size_t i = 0, j = 0;
    while (i < m->a_count && j < m->b_count) {
        uint64_t key = m->a[i].key;
        size_t a1 = i, b1 = j;
        while (b1 < m->b_count && m->b[b1].key < key)
            b1++;
        j = b1;
        while (a1 < m->a_count && m->a[a1].key == key)
            a1++;
        while (b1 < m->b_count && m->b[b1].key == key)
            b1++;
        match_block(m, i, a1, j, b1);
        i = a1;
        j = b1;
    }
}

static vl_status add_mutual(const matching *m, align_seeds *seeds, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; i < m->a_count && !status; i++)
        if (m->a_best[i] > -1 && m->b_with[m->a_with[i]] == i)
            status = align_seeds_add(seeds, m->a[i].word, m->b[m->a_with[i]].word, error);
    return status;
}

static vl_status match(const sound *a, size_t a_count, const sound *b, size_t b_count,
                       align_seeds *seeds, vl_error *error) {
    matching m = {.a = a, .b = b, .a_count = a_count, .b_count = b_count};
    m.a_best = malloc(sizeof(float) * (a_count + 1));
    m.b_best = malloc(sizeof(float) * (b_count + 1));
    m.a_with = calloc(a_count + 1, sizeof *m.a_with);
    m.b_with = calloc(b_count + 1, sizeof *m.b_with);
    vl_status status = VL_OK;
    if (!m.a_best || !m.b_best || !m.a_with || !m.b_with)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for cognates");
    for (size_t i = 0; i < a_count && !status; i++)
        m.a_best[i] = -2;
    for (size_t j = 0; j < b_count && !status; j++)
        m.b_best[j] = -2;
    if (!status) {
        match_all(&m);
        status = add_mutual(&m, seeds, error);
    }
    free(m.a_best);
    free(m.b_best);
    free(m.a_with);
    free(m.b_with);
    return status;
}

vl_status align_seeds_cognates(const vl_embeddings *source, const vl_embeddings *target,
                               size_t max_words, align_seeds *seeds, vl_error *error) {
    static const UChar id[] = u"Any-Latin; Latin-ASCII";
    UErrorCode code = U_ZERO_ERROR;
    UTransliterator *latin = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &code);
    if (U_FAILURE(code))
        return vl_fail(error, VL_ERR_MISSING, "ICU has no transliterator to Latin: %s",
                       u_errorName(code));
    sound *a = NULL, *b = NULL;
    size_t a_count = 0, b_count = 0;
    vl_status status = sounds_of(source, max_words, latin, &a, &a_count, error);
    if (!status)
        status = sounds_of(target, max_words, latin, &b, &b_count, error);
    if (!status)
        status = match(a, a_count, b, b_count, seeds, error);
    utrans_close(latin);
    free(a);
    free(b);
    return status;
}
