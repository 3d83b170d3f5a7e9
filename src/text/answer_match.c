/* answer_match.c — whether a short answer says what an accepted one says.
 *
 * The normalisation is the one published with the VQA evaluation (Antol et al. 2015; the notes
 * on its page): "Two dogs." is "2 dogs", "The dont-walk sign" is "don't walk sign". */
#include <vislang/text.h>

#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { MAX_ANSWER = 64 << 10 };

/* ---- characters -------------------------------------------------------------------------- */

static UChar32 point_at(const char *text, size_t at, size_t bytes) {
    UChar32 c = 0;
    int32_t from = (int32_t)at;
    if (at < bytes)
        U8_NEXT_OR_FFFD((const uint8_t *)text, from, (int32_t)bytes, c);
    return c;
}

static bool is_period(UChar32 c) {
    return c == '.' || c == 0x3002 || c == 0x06D4 || c == 0x0964; /* 。 ۔ । */
}

static bool is_comma(UChar32 c) {
    return c == ',' || c == 0x066C; /* the Arabic thousands separator */
}

/* Punctuation and the signs of a keyboard, less what an answer means something by. */
static bool is_mark(UChar32 c) {
    if (c == '\'' || c == 0x2019 || c == ':')
        return false;
    return u_ispunct(c) || (c < 0x80 && c > 0 && strchr("=+><`|~^$", (int)c));
}

/* Lower case, digits as 0-9, and punctuation by the rules; words are looked at later. */
static char *plain_characters(vl_arena *arena, const char *text) {
    size_t bytes = strlen(text), length = 0;
    char *out = vl_arena_alloc(arena, bytes * 3 + 1); /* lower case may be longer: Ⱥ, ⱥ */
    UChar32 before = 0;
    for (size_t at = 0; out && at < bytes;) {
        UChar32 c = point_at(text, at, bytes);
        at += (size_t)U8_LENGTH(c);
        UChar32 after = point_at(text, at, bytes), keep = u_tolower(c);
        bool in_number = u_isdigit(after) && u_isdigit(before);
        if ((is_period(c) && !u_isdigit(after)) || (is_comma(c) && in_number))
            keep = 0;
        else if (c == '.' && u_isdigit(after))
            keep = '.';
        else if (u_isdigit(c))
            keep = '0' + u_charDigitValue(c);
        else if (c == 0x2019)
            keep = '\'';
        else if (is_mark(c) || u_isUWhiteSpace(c))
            keep = ' ';
        before = c;
        if (keep)
            U8_APPEND_UNSAFE((uint8_t *)out, length, (uint32_t)keep);
    }
    return out;
}

/* ---- words ------------------------------------------------------------------------------- */

static int by_word(const void *a, const void *b) {
    return strcmp(a, *(const char *const *)b);
}

static bool is_one_of(const char *word, const char *const *words, size_t count) {
    return bsearch(word, words, count, sizeof *words, by_word);
}
#define ONE_OF(word, words) is_one_of(word, words, sizeof words / sizeof *words)

static const char *number_of(const char *word) {
    static const char *const rows[][2] = {
        {"none", "0"},  {"zero", "0"},  {"one", "1"},  {"two", "2"},
        {"three", "3"}, {"four", "4"},  {"five", "5"}, {"six", "6"},
        {"seven", "7"}, {"eight", "8"}, {"nine", "9"}, {"ten", "10"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(word, rows[i][0]))
            return rows[i][1];
    return NULL;
}

/* Where the apostrophe is missing from a contraction: how many letters before it, 0: nowhere.
 * Spellings that are words of their own (its, were, well, hell, shell, ill, wed, id) are not
 * touched. */
static size_t missing_apostrophe(const char *word) {
    static const char *const negated[] = {
        "ai",    "are",  "ca",   "could", "did", "do",     "does", "had",  "has", "have", "is",
        "might", "must", "need", "ought", "sha", "should", "was",  "were", "wo",  "would"};
    static const char *const others[] = {
        "couldve",  "hadve",     "heres",    "hes",        "howd",    "howll",  "hows",
        "im",       "itd",       "itll",     "ive",        "mightve", "mustve", "shes",
        "shouldve", "somebodys", "someones", "somethings", "thatd",   "thatll", "thats",
        "thered",   "therere",   "theres",   "theyd",      "theyll",  "theyre", "theyve",
        "weve",     "whatll",    "whatre",   "whats",      "whatve",  "whens",  "whered",
        "wheres",   "whereve",   "whod",     "wholl",      "whos",    "whove",  "whyll",
        "whyre",    "whys",      "wouldve",  "youd",       "youll",   "youre",  "youve"};
    size_t length = strlen(word);
    char base[16];
    if (length < 2 || length >= sizeof base)
        return 0;
    if (!strcmp(word, "oclock") || !strcmp(word, "yall"))
        return 1;
    if (length > 3 && !strcmp(word + length - 2, "nt")) {
        memcpy(base, word, length - 2);
        base[length - 2] = '\0';
        return ONE_OF(base, negated) ? length - 1 : 0;
    }
    if (!ONE_OF(word, others))
        return 0;
    bool one_letter =
        word[length - 1] == 's' || word[length - 1] == 'd' || word[length - 1] == 'm';
    return length - (one_letter ? 1 : 2);
}

static void append_word(vl_buf *out, const char *word) {
    if (!strcmp(word, "a") || !strcmp(word, "an") || !strcmp(word, "the"))
        return;
    const char *number = number_of(word);
    size_t before = number ? 0 : missing_apostrophe(word);
    if (out->len)
        vl_buf_puts(out, " ");
    vl_buf_append(out, word, before);
    if (before)
        vl_buf_puts(out, "'");
    vl_buf_puts(out, number ? number : word + before);
}

char *vl_text_answer_normalize(vl_arena *arena, const char *answer) {
    const char *nfc = vl_text_nfc(arena, answer);
    char *words = nfc ? plain_characters(arena, nfc) : NULL;
    if (!words)
        return NULL;
    vl_buf out;
    vl_buf_init(&out, strlen(words) * 2 + 1);
    for (char *next, *word = strtok_r(words, " ", &next); word;
         word = strtok_r(NULL, " ", &next))
        append_word(&out, word);
    char *normal =
        out.failed ? NULL : vl_arena_strndup(arena, out.len ? out.data : "", out.len);
    vl_buf_deinit(&out);
    return normal;
}

vl_status vl_text_answer_match(const char *answer, const char *const *accepted, size_t count,
                               bool *match, vl_error *error) {
    *match = false;
    vl_status status = VL_OK;
    vl_arena *arena = vl_arena_new((size_t)MAX_ANSWER * 64);
    if (!arena)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; !status && !*match && i < count; i++) {
        vl_arena_reset(arena);
        bool fits = strlen(answer) <= MAX_ANSWER && strlen(accepted[i]) <= MAX_ANSWER;
        const char *a = fits ? vl_text_answer_normalize(arena, answer) : NULL;
        const char *b = a ? vl_text_answer_normalize(arena, accepted[i]) : NULL;
        if (!fits)
            status = vl_fail(error, VL_ERR_LIMIT, "answer over %d bytes", (int)MAX_ANSWER);
        else if (!b)
            status = vl_fail(error, VL_ERR_MEMORY, "out of memory");
        else
            *match = !strcmp(a, b);
    }
    vl_arena_free(arena);
    return status;
}
