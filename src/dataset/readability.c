/* readability.c — see readability.h.
 *
 *   readability_measure   the pass over the text, the measures, the score
 *   take_character …      words as they come by
 *   measure_language      surprise, from stretches of running words
 */
#include "dataset/readability.h"
#include "dataset/characters.h"
#include "dataset/logistic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/utf8.h>

enum {
    BYTES_MOST = 16 << 10,
    ECHO_WORDS = 32,
    ECHO_LETTERS = 5, /* shorter words come again in any text */
    PAIR_BITS = 1 << 15,
    PAIRS_MOST = 1000,  /* so few of the bits are set that hardly two pairs meet in one */
    GRAM = 6,           /* letters in a row, where words are not parted */
    SPACELESS_WORD = 3, /* letters */
    SHORT_LINE = 5,     /* words */
    SAMPLE_BYTES = 240,
    STRETCHES = 2,
    SAMPLE_LEAST = 8 /* characters: fewer tell nothing of a language */
};

static const char *const names[READABILITY_COUNT] = {
    "impossible", "mojibake", "symbols", "digits", "marks",   "debris",
    "singles",    "capitals", "titles",  "echoes", "repeats", "endless",
    "separators", "lines",    "long",    "order"};

const char *readability_measure_name(readability_measure_kind kind) {
    return names[kind];
}

/* ---- the pass ------------------------------------------------------------------------------
 */

typedef enum character_class {
    CLASS_SPACE,
    CLASS_LOWER,
    CLASS_UPPER,
    CLASS_LETTER, /* without case */
    CLASS_MARK,
    CLASS_DIGIT,
    CLASS_PUNCTUATION,
    CLASS_SYMBOL,
    CLASS_IMPOSSIBLE,
    CLASS_NOTHING /* is not seen */
} character_class;

typedef struct word {
    uint64_t hash;
    size_t characters, letters, upper, digits, inner;
    size_t turns; /* from a letter to a digit or back */
    size_t lifts; /* from a small letter to a capital */
    size_t symbols;
    bool first_upper, mixed, address, ends, separates;
    character_class last;
    UChar32 before;
    UScriptCode script;
} word;

typedef struct pass {
    size_t characters, letters, digits, marks, symbols, impossible, mojibake;
    size_t words, lettered, debris, singles;
    size_t cased, capitals, titles;
    size_t echo_words, echoes, pairs, repeats;
    size_t ends, separators;
    size_t lines, line_words, short_words;
    bool line_ends;
    size_t spaced_letters, spaced_words; /* in scripts that part words */
    uint64_t recent[ECHO_WORDS];
    uint64_t previous;
    uint64_t seen[PAIR_BITS / 64];
    UChar32 gram[GRAM];
    size_t gram_letters;
    word word;
    UChar32 before;
} pass;

static bool is_odd_ascii(UChar32 c) {
    return c == '|' || c == '\\' || c == '_' || c == '{' || c == '}' || c == '*' || c == '#';
}

static character_class ascii_class(UChar32 c) {
    if (c >= 'a' && c <= 'z')
        return CLASS_LOWER;
    if (c >= 'A' && c <= 'Z')
        return CLASS_UPPER;
    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return CLASS_SPACE;
    if (c >= '0' && c <= '9')
        return CLASS_DIGIT;
    if (c < ' ' || c == 0x7F)
        return CLASS_IMPOSSIBLE;
    bool symbol =
        is_odd_ascii(c) || c == '<' || c == '>' || c == '=' || c == '~' || c == '^' || c == '`';
    return symbol ? CLASS_SYMBOL : CLASS_PUNCTUATION;
}

static character_class class_of(UChar32 c) {
    if (c < 0x80)
        return ascii_class(c);
    if (character_is_impossible(c))
        return CLASS_IMPOSSIBLE;
    if (c == 0x1361 || c == 0x0F0B ||
        c == 0x0F0C) /* parts words in Ethiopic, syllables in Tibetan */
        return CLASS_SPACE;
    switch (u_charType(c)) {
    case U_UPPERCASE_LETTER:
    case U_TITLECASE_LETTER:
        return CLASS_UPPER;
    case U_LOWERCASE_LETTER:
        return CLASS_LOWER;
    case U_MODIFIER_LETTER:
    case U_OTHER_LETTER:
    case U_LETTER_NUMBER:
        return CLASS_LETTER;
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_COMBINING_SPACING_MARK:
        return CLASS_MARK;
    case U_DECIMAL_DIGIT_NUMBER:
    case U_OTHER_NUMBER:
        return CLASS_DIGIT;
    case U_SPACE_SEPARATOR:
    case U_LINE_SEPARATOR:
    case U_PARAGRAPH_SEPARATOR:
        return CLASS_SPACE;
    case U_MATH_SYMBOL:
    case U_OTHER_SYMBOL:
        return CLASS_SYMBOL;
    case U_FORMAT_CHAR:
        return CLASS_NOTHING;
    default:
        return CLASS_PUNCTUATION;
    }
}

static bool is_letter(character_class class) {
    return class == CLASS_LOWER || class == CLASS_UPPER || class == CLASS_LETTER;
}

static bool ends_sentence(UChar32 c) {
    switch (c) {
    case '.':
    case '!':
    case '?':
    case ':':
    case ';':
    case 0x2026: /* … */
    case 0x3002: /* 。 */
    case 0xFF01:
    case 0xFF1F:
    case 0x0964: /* । */
    case 0x0965:
    case 0x061F: /* ؟ */
    case 0x06D4: /* ۔ */
    case 0x061B: /* ؛ */
    case 0x1362: /* ። */
    case 0x1367: /* ፧ */
    case 0x104B: /* ။ */
    case 0x17D4: /* ។ */
        return true;
    default:
        return false;
    }
}

static bool separates(UChar32 c) {
    return c == ',' || c == '|' || c == '/' || c == 0x2022 || c == 0xB7 || c == 0x060C ||
           c == 0x1363 || c == 0x3001 || c == 0x203A || c == 0xBB || c == 0x104A || c == '>';
}

/* A lead byte of UTF-8 as Latin-1 has it, then a continuation byte as Latin-1 or Windows-1252
 * has that: "Ã©", "â€™", "Ð¾". */
static bool is_mojibake(UChar32 before, UChar32 c) {
    static const UChar32 windows[] = {0x20AC, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                      0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x017D, 0x2018,
                                      0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC,
                                      0x2122, 0x0161, 0x203A, 0x0153, 0x017E, 0x0178};
    if (before < 0xC2 || before > 0xF4)
        return false;
    if (c >= 0x80 && c <= 0xBF)
        return true;
    if (c < 0x100)
        return false;
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        if (windows[i] == c)
            return before == 0xC2 || before == 0xC3 || before == 0xE2 || c < 0x2010;
    return false;
}

static bool is_debris(const word *w) {
    bool capitals_within = w->lifts > 0 && w->letters > 2 && w->lifts * 3 > w->letters - 1;
    return w->mixed || w->turns > 2 || w->inner > 1 || (w->letters && w->symbols) ||
           capitals_within;
}

static void count_case(pass *p, const word *w) {
    static const size_t CAPITALS_LETTERS = 4;
    bool capitals = w->letters >= CAPITALS_LETTERS && w->upper == w->letters;
    p->cased++;
    p->titles += w->first_upper && !capitals;
    p->capitals += capitals;
}

static void count_repeat(pass *p, uint64_t hash) {
    uint64_t bit = (hash ^ (hash >> 29)) % PAIR_BITS;
    if (p->pairs == PAIRS_MOST)
        return;
    p->repeats += (p->seen[bit / 64] >> (bit % 64)) & 1;
    p->seen[bit / 64] |= (uint64_t)1 << (bit % 64);
    p->pairs++;
}

static void count_gram(pass *p, UChar32 c) {
    uint64_t hash = 0xCBF29CE484222325u;
    p->gram[p->gram_letters++ % GRAM] = c;
    for (size_t i = 0; i < GRAM; i++)
        hash = (hash ^ (uint64_t)p->gram[(p->gram_letters + i) % GRAM]) * 0x100000001B3u;
    if (p->gram_letters >= GRAM)
        count_repeat(p, hash);
}

static void count_echoes(pass *p, const word *w) {
    if (w->letters >= ECHO_LETTERS) {
        bool heard = false;
        for (size_t i = 0; i < ECHO_WORDS && i < p->echo_words; i++)
            heard = heard || p->recent[i] == w->hash;
        p->recent[p->echo_words++ % ECHO_WORDS] = w->hash;
        p->echoes += heard;
    }
    if (p->previous && w->letters)
        count_repeat(p, (p->previous * 0x9E3779B97F4A7C15u) ^ w->hash);
    p->previous = w->letters ? w->hash : 0;
}

/* Scripts in which a space, if there is one, does not part words. */
static bool is_spaceless(UScriptCode script) {
    return script == USCRIPT_TIBETAN ||
           (script > USCRIPT_INHERITED && uscript_breaksBetweenLetters(script));
}

static void end_word(pass *p) {
    const word *w = &p->word;
    if (w->characters) {
        bool spaceless = is_spaceless(w->script);
        p->words += spaceless ? 1 + w->letters / SPACELESS_WORD : 1;
        p->line_words += spaceless ? 1 + w->letters / SPACELESS_WORD : 1;
        p->line_ends = w->ends;
        p->ends += w->ends;
        p->separators += w->separates;
        p->debris += !w->address && !spaceless && is_debris(w);
        if (w->letters && !spaceless) {
            p->spaced_letters += w->letters;
            p->spaced_words++;
        }
        p->lettered += w->letters > 0 && !spaceless;
        p->singles += w->letters == 1 && w->characters == 1 && !spaceless;
        if (w->letters && (w->upper || w->last == CLASS_LOWER))
            count_case(p, w);
        if (!spaceless)
            count_echoes(p, w);
    }
    p->word = (word){.hash = 0xCBF29CE484222325u, .last = CLASS_SPACE};
}

static void end_line(pass *p) {
    if (p->line_words && p->line_words < SHORT_LINE && !p->line_ends)
        p->short_words += p->line_words;
    p->lines += p->line_words > 0;
    p->line_words = 0;
    p->line_ends = false;
}

static void take_letter(pass *p, word *w, UChar32 c, character_class class) {
    UScriptCode script = c < 0x80 ? USCRIPT_LATIN : character_script(c);
    w->mixed = w->mixed || (w->script > USCRIPT_INHERITED && script > USCRIPT_INHERITED &&
                            script != w->script);
    w->script = script > USCRIPT_INHERITED ? script : w->script;
    w->first_upper = w->first_upper || (!w->letters && class == CLASS_UPPER);
    w->lifts += class == CLASS_UPPER && w->last == CLASS_LOWER;
    w->turns += w->last == CLASS_DIGIT;
    w->letters++;
    w->upper += class == CLASS_UPPER;
    p->letters++;
    if (is_spaceless(script))
        count_gram(p, c);
}

/* Marks within a word that are neither an apostrophe nor a hyphen nor a point, as "3.5",
 * "W.H.O." and "and/or" have them: what was within is known when more comes. */
static bool is_usual_within(UChar32 c) {
    return c == '\'' || c == '-' || c == '.' || c == '/' || c == ':' || c == ',' || c == '&' ||
           c == 0x2019 || c == 0x2010 || c == 0x2011 || c == 0x2013 || c == 0x2014 ||
           c == 0x2018 || c == '`' || c == 0xB4 || c == 0xB7 || c == 0x05F3 || c == 0x05F4 ||
           c == '(' || c == ')' || c == '@';
}

static void take_seen(pass *p, word *w, UChar32 c, character_class class) {
    bool sign = class == CLASS_PUNCTUATION || class == CLASS_SYMBOL;
    w->inner += (is_letter(class) || class == CLASS_DIGIT) && w->letters &&
                w->last == CLASS_PUNCTUATION && !is_usual_within(w->before);
    w->symbols += class == CLASS_SYMBOL || class == CLASS_IMPOSSIBLE;
    w->address = w->address || (c == '@' && w->letters) ||
                 (c == '/' && w->before == '/' && w->letters >= 4);
    w->ends = sign ? w->ends || ends_sentence(c) : false;
    w->separates = w->separates || separates(c);
    if (class == CLASS_DIGIT) {
        w->turns += is_letter(w->last);
        w->digits++;
    }
    w->characters++;
    w->hash = (w->hash ^ (uint64_t)c) * 0x100000001B3u;
    w->last = class == CLASS_MARK ? w->last : class;
    w->before = c;
    p->characters++;
    p->digits += class == CLASS_DIGIT;
    p->marks += class == CLASS_PUNCTUATION;
    p->symbols += class == CLASS_SYMBOL;
    p->impossible += class == CLASS_IMPOSSIBLE;
}

static void take_character(pass *p, UChar32 c) {
    character_class class = class_of(c);
    p->mojibake += is_mojibake(p->before, c);
    p->before = c;
    if (class == CLASS_NOTHING)
        return;
    if (class == CLASS_SPACE) {
        end_word(p);
        if (c == '\n')
            end_line(p);
        return;
    }
    if (is_letter(class))
        take_letter(p, &p->word, c, class);
    else if (class == CLASS_MARK)
        p->letters++;
    take_seen(p, &p->word, c, class);
}

static void run(pass *p, const char *text, size_t bytes) {
    *p = (pass){.word = {.hash = 0xCBF29CE484222325u, .last = CLASS_SPACE}};
    for (size_t at = 0; at < bytes;) {
        UChar32 c = (uint8_t)text[at];
        if (c < 0x80)
            at++;
        else
            U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        take_character(p, c);
    }
    end_word(p);
    end_line(p);
}

/* ---- languages -----------------------------------------------------------------------------
 */

/* What ORDER hardly ever is below in clean text, measured on text that the models were not made
 * of: tools/fit_readability.c, docs/dataset.md. */
static const struct usual_order {
    const char *code;
    double order;
} usual_orders[] = {
    {"amh", 0.32}, {"ara", 0.37}, {"ben", 0.45}, {"ckb", 0.43}, {"din", 0.35}, {"eng", 0.48},
    {"fas", 0.41}, {"fil", 0.47}, {"fra", 0.51}, {"hau", 0.51}, {"hin", 0.46}, {"ibo", 0.48},
    {"ind", 0.45}, {"kau", 0.40}, {"khm", 0.46}, {"kin", 0.47}, {"kmr", 0.41}, {"lin", 0.47},
    {"lug", 0.51}, {"mar", 0.43}, {"msa", 0.50}, {"mya", 0.55}, {"nep", 0.44}, {"orm", 0.52},
    {"pcm", 0.47}, {"por", 0.46}, {"pus", 0.32}, {"run", 0.50}, {"rus", 0.45}, {"sna", 0.52},
    {"som", 0.49}, {"spa", 0.50}, {"swa", 0.47}, {"tam", 0.51}, {"tir", 0.27}, {"urd", 0.44},
    {"wol", 0.49}, {"xho", 0.46}, {"yor", 0.38}, {"zul", 0.41},
};

bool readability_language_of(const vl_ngram *ngram, const char *code,
                             readability_language *language) {
    for (size_t i = 0; i < sizeof usual_orders / sizeof *usual_orders; i++)
        if (!strcmp(usual_orders[i].code, code)) {
            *language =
                (readability_language){characters_language(ngram, code), usual_orders[i].order};
            return language->model != NULL;
        }
    return false;
}

/* ---- surprise ------------------------------------------------------------------------------
 */

/* Running words from a place of the text, one space between them: numbers, codes and
 * addresses surprise in every language. */
static size_t take_stretch(const char *text, size_t bytes, size_t from, char *out) {
    size_t used = 0, at = from;
    while (from && at < bytes && text[at - 1] != ' ' && text[at - 1] != '\n')
        at++;
    if (at == bytes)
        at = from = vl_utf8_valid_prefix(text, from); /* no spaces: anywhere */
    while (at < bytes && used < SAMPLE_BYTES) {
        size_t length = 0;
        bool plain = true;
        while (at + length < bytes && text[at + length] != ' ' && text[at + length] != '\n') {
            char c = text[at + length++];
            plain = plain && !(c >= '0' && c <= '9') && c != '/' && c != '@';
        }
        size_t room = SAMPLE_BYTES - used;
        size_t kept = length <= room ? length
                      : used         ? 0
                                     : vl_utf8_valid_prefix(text + at, room);
        if (length && !kept)
            break;
        if (plain && kept) {
            if (used)
                out[used++] = ' ';
            memcpy(out + used, text + at, kept);
            used += kept;
        }
        at += length + 1;
    }
    out[used] = '\0';
    return used;
}

/* The same characters in another order, the same on every run; returns how many there are. */
static size_t shuffle(const char *text, char *out) {
    uint32_t letters[SAMPLE_BYTES + 2];
    int32_t bytes = (int32_t)strlen(text), count = 0, used = 0;
    uint64_t state = 1;
    for (int32_t i = 0; i < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, i, bytes, c);
        letters[count++] = (uint32_t)c;
    }
    for (int32_t i = count; i > 1; i--) {
        size_t other = vl_random_below(&state, (size_t)i);
        uint32_t kept = letters[i - 1];
        letters[i - 1] = letters[other];
        letters[other] = kept;
    }
    for (int32_t i = 0; i < count; i++)
        U8_APPEND_UNSAFE((uint8_t *)out, used, letters[i]);
    out[used] = '\0';
    return (size_t)count;
}

/* Of a few characters ORDER is mostly chance, so it is drawn towards what is usual. */
static void measure_language(const char *text, size_t bytes,
                             const readability_language *language, readability *out) {
    static const double FEW = 30;
    double surprise = 0, other = 0, seen = 0;
    size_t stretches = bytes < 2 * SAMPLE_BYTES ? 1 : STRETCHES;
    for (size_t i = 0; i < stretches; i++) {
        /* U+FFFD of a broken byte is longer than it. */
        char sample[SAMPLE_BYTES + 8], shuffled[3 * SAMPLE_BYTES + 8];
        size_t from = i * (bytes - SAMPLE_BYTES) / STRETCHES;
        if (!take_stretch(text, bytes, from, sample))
            continue;
        double count = (double)shuffle(sample, shuffled);
        surprise += count * characters_surprise(language->model, sample);
        other += count * characters_surprise(language->model, shuffled);
        seen += count;
    }
    if (seen < SAMPLE_LEAST || other <= 0)
        return;
    out->has_model = true;
    out->order = 1 - surprise / other;
    out->measures[READABILITY_ORDER] =
        fmin(0, (out->order - language->usual) * seen / (seen + FEW));
}

/* ---- measures ------------------------------------------------------------------------------
 */

/* A share, drawn towards `usual` as if `few` more had been seen. */
static double share(size_t part, size_t of, double usual, double few) {
    return ((double)part + usual * few) / ((double)of + few);
}

/* Nineteen clean passages in twenty stay below these (tools/fit_readability.c), and how far
 * below tells nothing: languages differ in it. */
static const double usual_most[READABILITY_COUNT] = {
    [READABILITY_DIGITS] = 0.11,  [READABILITY_MARKS] = 0.07,      [READABILITY_SINGLES] = 0.12,
    [READABILITY_CAPITALS] = 0.2, [READABILITY_TITLES] = 0.27,     [READABILITY_ECHOES] = 0.11,
    [READABILITY_REPEATS] = 0.06, [READABILITY_SEPARATORS] = 0.15,
};

static void measure_shares(const pass *p, double *m) {
    m[READABILITY_IMPOSSIBLE] = share(p->impossible, p->characters, 0, 10);
    m[READABILITY_MOJIBAKE] = share(p->mojibake, p->characters, 0, 10);
    m[READABILITY_SYMBOLS] = share(p->symbols, p->characters, 0, 10);
    m[READABILITY_DIGITS] = share(p->digits, p->characters, 0.02, 20);
    m[READABILITY_MARKS] = share(p->marks, p->characters, 0.03, 30);
    m[READABILITY_DEBRIS] = share(p->debris, p->words, 0, 4);
    m[READABILITY_SINGLES] = share(p->singles, p->lettered, 0.03, 10);
    m[READABILITY_CAPITALS] = share(p->capitals, p->cased, 0.02, 10);
    m[READABILITY_TITLES] = share(p->titles, p->cased, 0.12, 10);
    m[READABILITY_ECHOES] = share(p->echoes, p->echo_words, 0.05, 20);
    m[READABILITY_REPEATS] = share(p->repeats, p->pairs, 0.02, 20);
    m[READABILITY_SEPARATORS] = share(p->separators, p->words, 0.06, 10);
    m[READABILITY_LINES] = p->lines > 1 ? share(p->short_words, p->words, 0, 10) : 0;
}

static double times_over(double value, double usual) {
    return fmax(0, log(value / usual));
}

static void measure_shapes(const pass *p, double *m) {
    static const double SENTENCE = 30, LETTERS = 13;
    m[READABILITY_ENDLESS] = times_over((double)p->words / (double)(p->ends + 1), SENTENCE);
    double letters = ((double)p->spaced_letters + 15) / ((double)p->spaced_words + 3);
    m[READABILITY_LONG] = times_over(letters, LETTERS);
}

static void leave_out_usual(readability *r) {
    for (size_t i = 0; i < READABILITY_COUNT; i++)
        if (i != READABILITY_ORDER)
            r->measures[i] = fmax(0, r->measures[i] - usual_most[i]);
}

/* Fitted by tools/fit_readability.c; docs/dataset.md says to what. */
static const double models[2][READABILITY_COUNT + 1] = {
    {-14.975, -47.895, -44.702, -13.285, -4.049, -45.068, -6.394, -13.973, -13.754, -29.279,
     -18.328, 0.000, -16.950, -12.732, -7.753, 0.000, 2.188},
    {-4.208, -43.827, -36.549, -12.881, 0.000, -31.780, -4.648, -11.378, -4.144, -27.165,
     -20.222, -0.725, -19.668, -14.077, -15.508, 20.655, 2.545}};

const double *readability_model(bool with_language) {
    return models[with_language];
}

void readability_measure(const char *text, const readability_language *language,
                         readability *out) {
    pass p;
    size_t bytes = strlen(text);
    bytes = bytes <= BYTES_MOST ? bytes : vl_utf8_valid_prefix(text, BYTES_MOST);
    *out = (readability){0};
    run(&p, text, bytes);
    out->characters = p.characters;
    out->letters = p.letters;
    out->words = p.words;
    measure_shares(&p, out->measures);
    measure_shapes(&p, out->measures);
    if (language)
        measure_language(text, bytes, language, out);
    leave_out_usual(out);
    if (!p.letters)
        return;
    out->plain = logistic_of(readability_model(false), out->measures, READABILITY_COUNT);
    out->score = out->has_model
                     ? logistic_of(readability_model(true), out->measures, READABILITY_COUNT)
                     : out->plain;
}
