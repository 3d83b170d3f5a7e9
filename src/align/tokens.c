/* tokens.c — text into folded words and into sentences (tokens.h says what either is).
 *
 * Boundaries and folding are ICU's; a text is handed to it in stretches, so that memory is
 * bounded and a line of a megabyte costs what a thousand lines do. Opening one of ICU's break
 * iterators reads rules and takes longer than cutting a sentence, so one of each kind is opened
 * once and cloned.
 *
 * In reading order: stretches, folding, words, sentences. */
#include "align/tokens.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

enum {
    STRETCH = 32768,             /* bytes handed to ICU at once */
    FOLD_UNITS = 2048,           /* of a folded word: NFKC makes at most 18 units of one */
    FOLD_BYTES = 3 * FOLD_UNITS, /* the same in UTF-8 */
    ABBREVIATION_MAX = 8,
};

/* ---- stretches --------------------------------------------------------------------------- */

static UBreakIterator *master_words, *master_sentences;
static pthread_once_t masters_once = PTHREAD_ONCE_INIT;

static void open_masters(void) {
    UErrorCode code = U_ZERO_ERROR;
    master_words = ubrk_open(UBRK_WORD, "", NULL, 0, &code);
    master_sentences = ubrk_open(UBRK_SENTENCE, "", NULL, 0, &code);
}

/* Text in UTF-16, and where each unit (and the end) stood in UTF-8. */
typedef struct stretch {
    UBreakIterator *breaks;
    UChar *units;     /* as many as bytes, at most STRETCH, */
    uint32_t *source; /* and one more of these */
    int32_t count;
} stretch;

static void stretch_deinit(stretch *s) {
    if (s->breaks)
        ubrk_close(s->breaks);
    free(s->units);
    free(s->source);
}

/* For texts of so many bytes in all. */
static vl_status stretch_init(stretch *s, bool sentences, size_t bytes, vl_error *error) {
    UErrorCode code = U_ZERO_ERROR;
    pthread_once(&masters_once, open_masters);
    UBreakIterator *master = sentences ? master_sentences : master_words;
    *s = (stretch){0};
    if (!master)
        return vl_fail(error, VL_ERR_MISSING, "ICU has no rules for %s",
                       sentences ? "sentences" : "words");
    s->breaks = ubrk_clone(master, &code);
    size_t units = (bytes < STRETCH ? bytes : STRETCH) + 1;
    s->units = malloc(units * sizeof *s->units);
    s->source = malloc(units * sizeof *s->source);
    if (U_SUCCESS(code) && s->units && s->source)
        return VL_OK;
    stretch_deinit(s);
    return vl_fail(error, VL_ERR_MEMORY, "out of memory");
}

/* Where the character that `at` lies in begins. */
static int32_t stretch_character(const char *text, int32_t at) {
    int32_t lead = at;
    while (lead > 0 && at - lead < U8_MAX_LENGTH && U8_IS_TRAIL((uint8_t)text[lead]))
        lead--;
    return U8_IS_TRAIL((uint8_t)text[lead]) ? at : lead;
}

/* How much of `text` to take at once: all, or up to a last line's end, or white space, or the
 * beginning of a character that is no mark on the one before. */
static size_t stretch_length(const char *text, size_t bytes) {
    if (bytes <= STRETCH)
        return bytes;
    for (size_t at = STRETCH; at > STRETCH / 2; at--)
        if (text[at - 1] == '\n')
            return at;
    for (size_t at = STRETCH; at > STRETCH / 2; at--)
        if (text[at - 1] == ' ')
            return at;
    int32_t at = STRETCH;
    int32_t end = bytes > STRETCH + U8_MAX_LENGTH ? STRETCH + U8_MAX_LENGTH : (int32_t)bytes;
    for (UChar32 c = 0x300; at > STRETCH / 2 && (U_GET_GC_MASK(c) & U_GC_M_MASK);) {
        int32_t next = at = stretch_character(text, at - 1);
        U8_NEXT_OR_FFFD((const uint8_t *)text, next, end, c);
    }
    return (size_t)at;
}

static void stretch_fill(stretch *s, const char *text, size_t bytes) {
    int32_t length = (int32_t)bytes, n = 0;
    for (int32_t at = 0; at < length;) {
        int32_t from = at;
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, length, c);
        s->source[n] = (uint32_t)from;
        if (c > 0xFFFF) {
            s->source[n + 1] = (uint32_t)from;
            s->units[n++] = U16_LEAD(c);
            c = U16_TRAIL(c);
        }
        s->units[n++] = (UChar)c;
    }
    s->source[n] = (uint32_t)bytes;
    s->count = n;
}

static vl_status stretch_cut(stretch *s, vl_error *error) {
    UErrorCode code = U_ZERO_ERROR;
    ubrk_setText(s->breaks, s->units, s->count, &code);
    if (U_FAILURE(code))
        return vl_fail(error, VL_ERR_INTERNAL, "ICU cannot cut this text: %s",
                       u_errorName(code));
    return VL_OK;
}

/* ---- folding ----------------------------------------------------------------------------- */

static bool is_apostrophe(UChar32 c) {
    return c == '\'' || c == 0x2018 || c == 0x2019 || c == 0x02BB || c == 0x02BC || c == 0xFF07;
}

/* Vowel marks and the like that print leaves out as often as not. */
static bool is_left_out(UChar32 c) {
    return c == 0x0640 || (c >= 0x064B && c <= 0x065F) || c == 0x0670 ||
           (c >= 0x0610 && c <= 0x061A) ||
           (c >= 0x06D6 && c <= 0x06ED && (U_GET_GC_MASK(c) & U_GC_MN_MASK)) ||
           (c >= 0x0591 && c <= 0x05C7 && (U_GET_GC_MASK(c) & U_GC_MN_MASK));
}

/* One letter that keyboards of Arabic, Persian, Pashto and Urdu write with different code
 * points.
 */
static UChar32 one_arabic_letter(UChar32 c) {
    switch (c) {
    case 0x0643: /* kaf */
        return 0x06A9;
    case 0x064A: /* yeh */
    case 0x0649: /* alef maksura */
        return 0x06CC;
    case 0x06AB: /* gaf with a ring */
        return 0x06AF;
    default:
        return c;
    }
}

static bool is_number_mark(UChar32 c) {
    return c == '.' || c == ',' || c == 0x066B || c == 0x066C;
}

/* Of "12,345.6": groups of three lose their mark and what is left is a decimal point. `word`
 * holds ASCII digits and marks alone. */
static size_t fold_number(char *word, size_t length) {
    size_t to = 0, before = 0;
    for (size_t i = 0; i < length; i++) {
        if (word[i] != '.') {
            word[to++] = word[i];
            before++;
            continue;
        }
        size_t digits = 0;
        while (i + 1 + digits < length && word[i + 1 + digits] != '.')
            digits++;
        bool group = digits == 3 && before >= 1 && before <= 3;
        if (digits && !group)
            word[to++] = '.';
        before = group ? 0 : 4;
    }
    return to;
}

/* What one folded code point becomes; `number` is cleared by anything that is in no number. */
static size_t put_folded(char *out, size_t at, UChar32 c, bool *number, bool *named) {
    int32_t digit = u_charDigitValue(c);
    if (is_left_out(c))
        return at;
    if (digit >= 0)
        c = '0' + digit;
    else if (is_number_mark(c))
        c = c == ',' || c >= 0x066B ? '.' : c;
    else
        *number = false;
    c = one_arabic_letter(c);
    if (is_apostrophe(c))
        c = '\'';
    else if (U_GET_GC_MASK(c) & (U_GC_Z_MASK | U_GC_C_MASK))
        return at; /* NFKC makes spaces of some ligatures */
    *named |= (U_GET_GC_MASK(c) & (U_GC_L_MASK | U_GC_N_MASK)) != 0;
    uint32_t point = (uint32_t)c;
    U8_APPEND_UNSAFE((uint8_t *)out, at, point);
    return at;
}

/* The folded form of one word into `out` [FOLD_BYTES]; its length, 0 when there is neither
 * letter nor number in it. */
static size_t fold(const UNormalizer2 *nfkc, const UChar *units, int32_t count, char *out) {
    UChar folded[FOLD_UNITS];
    UErrorCode code = U_ZERO_ERROR;
    bool number = true, named = false, plain = true;
    size_t length = 0;
    for (int32_t i = 0; i < count && plain; i++)
        plain = units[i] < 0x80;
    int32_t n = count;
    if (plain)
        for (int32_t i = 0; i < count; i++)
            folded[i] =
                units[i] >= 'A' && units[i] <= 'Z' ? (UChar)(units[i] | 0x20) : units[i];
    else
        n = unorm2_normalize(nfkc, units, count, folded, FOLD_UNITS, &code);
    if (U_FAILURE(code))
        return 0;
    for (int32_t at = 0; at < n;) {
        UChar32 c = folded[at++];
        if (at < n && U16_IS_LEAD((uint32_t)c))
            c = U16_GET_SUPPLEMENTARY(c, folded[at++]);
        length = put_folded(out, length, c, &number, &named);
    }
    if (!named)
        return 0;
    return number ? fold_number(out, length) : length;
}

/* ---- words ------------------------------------------------------------------------------- */

typedef struct words {
    vl_arena *arena;
    const UNormalizer2 *nfkc;
    align_token *tokens;
    size_t count, capacity;
    size_t base; /* where the stretch begins in the text */
} words;

static vl_status add_word(words *w, const stretch *s, int32_t from, int32_t to,
                          vl_error *error) {
    char folded[FOLD_BYTES];
    size_t length = fold(w->nfkc, s->units + from, to - from, folded);
    if (!length)
        return VL_OK;
    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? 2 * w->capacity : 32;
        align_token *grown = vl_arena_grow(w->arena, w->tokens, w->capacity * sizeof *w->tokens,
                                           capacity * sizeof *w->tokens);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu words", capacity);
        w->tokens = grown;
        w->capacity = capacity;
    }
    align_token *token = &w->tokens[w->count];
    token->word = vl_arena_strndup(w->arena, folded, length);
    token->from = w->base + s->source[from];
    token->to = w->base + s->source[to];
    if (!token->word)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu words", w->count + 1);
    w->count++;
    return VL_OK;
}

/* Length of an elided article or pronoun with its apostrophe at the beginning of a word that
 * goes on behind it, or 0. */
static int32_t elided(const UChar *units, int32_t count) {
    static const char *const rows[] = {"l",    "d",     "j",      "m",      "t",     "s",
                                       "c",    "n",     "qu",     "un",     "all",   "dell",
                                       "nell", "jusqu", "lorsqu", "puisqu", "quoiqu"};
    int32_t at = 0;
    while (at < count && !is_apostrophe(units[at]))
        at++;
    if (at + 1 >= count)
        return 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int32_t k = 0;
        while (k < at && rows[i][k] && (units[k] | 0x20) == (UChar)rows[i][k])
            k++;
        if (k == at && !rows[i][k])
            return at + 1;
    }
    return 0;
}

/* From `from`, at most ALIGN_TOKEN_MAX characters. */
static int32_t piece_end(const stretch *s, int32_t from, int32_t to) {
    int32_t at = from;
    for (int n = 0; n < ALIGN_TOKEN_MAX && at < to; n++)
        U16_FWD_1(s->units, at, to);
    return at;
}

static vl_status add_words(words *w, stretch *s, vl_error *error) {
    vl_status status = stretch_cut(s, error);
    int32_t from = 0;
    for (int32_t to; !status && (to = ubrk_next(s->breaks)) != UBRK_DONE;) {
        int32_t article = elided(s->units + from, to - from);
        if (article)
            status = add_word(w, s, from, from + article, error);
        from += article;
        while (!status && from < to) {
            int32_t end = piece_end(s, from, to);
            status = add_word(w, s, from, end, error);
            from = end;
        }
    }
    return status;
}

vl_status align_tokens(vl_arena *arena, const char *text, align_token **tokens, size_t *count,
                       vl_error *error) {
    UErrorCode code = U_ZERO_ERROR;
    words w = {.arena = arena, .nfkc = unorm2_getNFKCCasefoldInstance(&code)};
    size_t bytes = strlen(text);
    stretch s;
    *tokens = NULL;
    *count = 0;
    if (U_FAILURE(code))
        return vl_fail(error, VL_ERR_MISSING, "ICU has no NFKC_Casefold");
    vl_status status = stretch_init(&s, false, bytes, error);
    if (status)
        return status;
    while (!status && w.base < bytes) {
        size_t taken = stretch_length(text + w.base, bytes - w.base);
        stretch_fill(&s, text + w.base, taken);
        status = add_words(&w, &s, error);
        w.base += taken;
    }
    stretch_deinit(&s);
    *tokens = w.tokens;
    *count = status ? 0 : w.count;
    return status;
}

/* ---- sentences --------------------------------------------------------------------------- */

typedef struct sentences {
    vl_arena *arena;
    align_span *spans;
    size_t count, capacity;
    size_t base;
} sentences;

static vl_status add_span(sentences *all, const char *text, size_t from, size_t to,
                          vl_error *error) {
    int32_t begin = 0, end = (int32_t)(to - from);
    const uint8_t *at = (const uint8_t *)text + from;
    for (UChar32 c = ' '; begin < end;) {
        int32_t next = begin;
        U8_NEXT_OR_FFFD(at, next, end, c);
        if (!u_isUWhiteSpace(c) && c != 0xFEFF)
            break;
        begin = next;
    }
    for (UChar32 c; end > begin;) {
        int32_t previous = end;
        U8_PREV_OR_FFFD(at, begin, previous, c);
        if (!u_isUWhiteSpace(c))
            break;
        end = previous;
    }
    if (begin == end)
        return VL_OK;
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? 2 * all->capacity : 32;
        align_span *grown =
            vl_arena_grow(all->arena, all->spans, all->capacity * sizeof *all->spans,
                          capacity * sizeof *all->spans);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu sentences", capacity);
        all->spans = grown;
        all->capacity = capacity;
    }
    all->spans[all->count++] = (align_span){from + (size_t)begin, from + (size_t)end};
    return VL_OK;
}

/* Whether the word before the period at units[at] is one that a period follows in the middle of
 * a sentence: an initial, a number of one or two digits, a common abbreviation. */
static bool is_abbreviation(const UChar *units, int32_t at) {
    static const char *const rows[] = {"dr",   "mr",  "mrs",  "ms",     "prof", "st",   "no",
                                       "nr",   "art", "vol",  "fig",    "mme",  "mlle", "sra",
                                       "sr",   "gen", "col",  "hon",    "rev",  "bw",   "bi",
                                       "al",   "vs",  "cf",   "ca",     "bzw",  "usw",  "abs",
                                       "bspw", "etc", "inkl", "approx", "resp", "sen",  "gov"};
    int32_t from = at, digits = 0;
    char word[ABBREVIATION_MAX + 1] = {0};
    while (from > 0 && at - from <= ABBREVIATION_MAX && u_isalnum(units[from - 1]))
        digits += u_isdigit(units[--from]) != 0;
    int32_t length = at - from;
    if (length < 1 || length > ABBREVIATION_MAX || (from > 0 && units[from - 1] == '.'))
        return length == 1 && !digits;
    if (digits)
        return digits == length && length <= 2;
    if (length == 1)
        return u_isupper(units[from]);
    for (int32_t i = 0; i < length; i++)
        word[i] = (char)(units[from + i] < 0x80 ? units[from + i] | 0x20 : '?');
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(word, rows[i]))
            return true;
    return false;
}

/* Whether ICU's boundary at units[to] stands behind such a word and in a line. */
static bool is_false_end(const stretch *s, int32_t from, int32_t to) {
    int32_t at = to;
    if (to >= s->count)
        return false;
    while (at > from && u_isUWhiteSpace(s->units[at - 1]))
        if (s->units[--at] == '\n')
            return false;
    return at < to && at > from && s->units[at - 1] == '.' && is_abbreviation(s->units, at - 1);
}

/* The stretch's sentences, but for the last one where the text goes on behind it: there the
 * next stretch begins. */
static vl_status add_sentences(sentences *all, const char *text, stretch *s, bool last,
                               vl_error *error) {
    vl_status status = stretch_cut(s, error);
    int32_t from = 0;
    for (int32_t to; !status && (to = ubrk_next(s->breaks)) != UBRK_DONE;) {
        if (is_false_end(s, from, to))
            continue;
        if (to == s->count && !last && from > 0)
            break;
        status =
            add_span(all, text, all->base + s->source[from], all->base + s->source[to], error);
        from = to;
    }
    all->base += s->source[from];
    return status;
}

static vl_status add_lines(sentences *all, const char *text, vl_error *error) {
    vl_status status = VL_OK;
    while (!status && text[all->base]) {
        size_t length = strcspn(text + all->base, "\n");
        status = add_span(all, text, all->base, all->base + length, error);
        all->base += length + (text[all->base + length] == '\n');
    }
    return status;
}

/* A paragraph's own line ends become spaces: units only, so that places stay. */
static void join_lines(stretch *s) {
    for (int32_t i = 0; i < s->count; i++) {
        int32_t next = i + 1;
        if (s->units[i] == '\r')
            s->units[i] = ' ';
        if (s->units[i] != '\n')
            continue;
        while (next < s->count &&
               (s->units[next] == ' ' || s->units[next] == '\t' || s->units[next] == '\r'))
            next++;
        if (next < s->count && s->units[next] != '\n')
            s->units[i] = ' ';
        else
            i = next;
    }
}

vl_status align_sentences(vl_arena *arena, const char *text, align_line_rule rule,
                          align_span **spans, size_t *count, vl_error *error) {
    sentences all = {.arena = arena};
    size_t bytes = strlen(text);
    stretch s = {0};
    vl_status status = VL_OK;
    *spans = NULL;
    *count = 0;
    if (rule == ALIGN_LINES_ONLY)
        status = add_lines(&all, text, error);
    else
        status = stretch_init(&s, true, bytes, error);
    while (!status && all.base < bytes) {
        size_t taken = stretch_length(text + all.base, bytes - all.base);
        stretch_fill(&s, text + all.base, taken);
        if (rule == ALIGN_LINES_WRAPPED)
            join_lines(&s);
        status = add_sentences(&all, text, &s, all.base + taken == bytes, error);
    }
    stretch_deinit(&s);
    *spans = all.spans;
    *count = status ? 0 : all.count;
    return status;
}
