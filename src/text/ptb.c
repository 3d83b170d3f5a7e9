/* ptb.c — captions into the tokens that the COCO caption evaluation counts.
 *
 * That evaluation runs a Penn Treebank tokeniser and leaves punctuation out. The rules here are
 * the Treebank's (Marcus et al. 1993; the tokenisation notes of the LDC) and what the
 * evaluation's tokeniser was seen to do on 35,000 captions: at each place the longest of the
 * matches below is a token, and what may follow a word (n't, 's, the period of an abbreviation)
 * decides where it ends. Marks that the evaluation leaves out are skipped where they stand.
 *
 * Text in other than the Latin script is cut by ICU's word boundaries (UAX #29). */
#include <vislang/text.h>

#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

typedef struct lexer {
    const uint32_t *t; /* code points, a 0 behind the last */
    size_t n;
    char *out;
    size_t length;
} lexer;

/* The most bytes that one code point can become, the space included: '(' is "-lrb- ". */
enum { MAX_GROWTH = 6 };

enum { MAX_NAME = 254 };  /* of a host or mailbox, by RFC 5321 and RFC 1035 */
enum { MAX_SLASHES = 2 }; /* in one word: black/white/brown */

/* ---- characters -------------------------------------------------------------------------- */

static bool is_digit(uint32_t c) {
    return u_isdigit((UChar32)c);
}

static bool is_letter(uint32_t c) {
    return u_isalpha((UChar32)c) || (U_GET_GC_MASK((UChar32)c) & U_GC_M_MASK);
}

static bool is_alnum(uint32_t c) {
    return is_letter(c) || is_digit(c);
}

static uint32_t lower(uint32_t c) {
    return (uint32_t)u_tolower((UChar32)c);
}

static bool is_apostrophe(uint32_t c) {
    return c == '\'' || c == 0x2019;
}

static bool is_gap(uint32_t c) {
    return u_isUWhiteSpace((UChar32)c) || c == 0x200B || c == 0xFEFF;
}

/* Alone, these are what the evaluation leaves out: quotes, commas, periods, colons, dashes. */
static bool is_left_out(uint32_t c) {
    static const char ascii[] = "'`\"?!.,:;-";
    if (c < 0x80)
        return c && strchr(ascii, (int)c);
    switch (c) {
    case 0xAB: /* « » ‹ › and curled quotes become plain ones */
    case 0xBB:
    case 0x2039:
    case 0x203A:
    case 0x2018:
    case 0x2019:
    case 0x201A:
    case 0x201B:
    case 0x201C:
    case 0x201D:
    case 0x2010: /* hyphens and dashes */
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2015:
    case 0x2026: /* ellipsis */
        return true;
    default:
        return false;
    }
}

static bool in_set(uint32_t c, const char *set) {
    return c && c < 0x80 && strchr(set, (int)c);
}

/* Whether the text at `at` begins with `text`, in whatever case. */
static bool starts_with(const lexer *x, size_t at, const char *text) {
    for (; *text; text++, at++)
        if (lower(x->t[at]) != (uint8_t)*text)
            return false;
    return true;
}

/* Whether the letters at `at`, in whatever case, are `word`, and no letter follows. */
static bool is_word_at(const lexer *x, size_t at, const char *word) {
    for (; *word; word++, at++) {
        uint32_t c = x->t[at];
        if (*word == '\'' ? !is_apostrophe(c) : lower(c) != (uint8_t)*word)
            return false;
    }
    return !is_alnum(x->t[at]);
}

/* ---- output ------------------------------------------------------------------------------ */

static void put_point(lexer *x, uint32_t c) {
    int32_t at = 0;
    uint8_t bytes[U8_MAX_LENGTH];
    c = lower(c);
    U8_APPEND_UNSAFE(bytes, at, c);
    memcpy(x->out + x->length, bytes, (size_t)at);
    x->length += (size_t)at;
}

static void put_text(lexer *x, const char *text) {
    size_t bytes = strlen(text);
    memcpy(x->out + x->length, text, bytes);
    x->length += bytes;
}

/* What the evaluation writes for a character, or NULL: the character itself. */
static const char *respelled(uint32_t c) {
    static const struct {
        uint32_t c;
        const char *text;
    } rows[] = {
        {'(', "-lrb-"}, {')', "-rrb-"},  {'[', "-lsb-"},  {']', "-rsb-"},  {'{', "-lcb-"},
        {'}', "-rcb-"}, {0xA2, "cents"}, {0xA3, "#"},     {0x20AC, "$"},   {0xBC, "1/4"},
        {0xBD, "1/2"},  {0xBE, "3/4"},   {0x2153, "1/3"}, {0x2154, "2/3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].c == c)
            return rows[i].text;
    return NULL;
}

static void put_token(lexer *x, size_t at, size_t length) {
    if (x->length)
        put_text(x, " ");
    for (size_t i = at; i < at + length; i++) {
        const char *text = respelled(x->t[i]);
        if (text)
            put_text(x, text);
        else
            put_point(x, x->t[i]);
    }
}

/* ---- words ------------------------------------------------------------------------------- */

static bool is_hyphen(uint32_t c) {
    return c == '-' || c == 0x2010 || c == 0x2011;
}

/* Letters and digits, with single '_' between them. */
static size_t match_part(const lexer *x, size_t at) {
    size_t end = at;
    while (is_alnum(x->t[end]) ||
           (end > at && x->t[end] == '_' && x->t[end - 1] != '_' && is_alnum(x->t[end + 1])))
        end++;
    return end - at;
}

/* Digits with '.', ',' or ':' between or before them, and a sign: 1,000.5  10:30  .5  -5 */
static size_t match_number(const lexer *x, size_t at) {
    size_t end = at + (in_set(x->t[at], "+-") ? 1 : 0), digits = 0;
    for (;;) {
        size_t from = end + (in_set(x->t[end], ".,:") ? 1 : 0);
        if (!is_digit(x->t[from]) || (digits && from == end))
            return digits ? end - at : 0;
        for (end = from; is_digit(x->t[end]); end++)
            digits++;
    }
}

/* The end of a contraction that begins at `at` with its apostrophe ('s 'm 'd 're 've 'll). */
static size_t match_clitic(const lexer *x, size_t at) {
    static const char *const clitics[] = {"'s", "'m", "'d", "'re", "'ve", "'ll"};
    for (size_t i = 0; i < sizeof clitics / sizeof *clitics; i++)
        if (is_word_at(x, at, clitics[i]))
            return strlen(clitics[i]);
    return 0;
}

/* Words that hold an apostrophe and stay whole: o'clock, O'Brien, d'you, l'eau, qu'il. */
static size_t match_apostrophe_word(const lexer *x, size_t at) {
    static const char *const words[] = {"ma'am", "ne'er", "e'er", "c'mon", "cap'n"};
    static const char *const elided[] = {"o",  "d",      "l",      "c",      "n",
                                         "qu", "lorsqu", "puisqu", "quelqu", "jusqu"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word_at(x, at, words[i]))
            return strlen(words[i]);
    size_t rest = 0;
    for (size_t i = 0; !rest && i < sizeof elided / sizeof *elided; i++) {
        size_t length = strlen(elided[i]);
        if (starts_with(x, at, elided[i]) && is_apostrophe(x->t[at + length]))
            rest = at + length + 1;
    }
    if (!rest || match_clitic(x, rest - 1) || !is_letter(x->t[rest]) ||
        !is_letter(x->t[rest + 1]))
        return 0;
    return rest + match_part(x, rest) - at;
}

/* From `end`, the end of a word, over all that is tied to it: t-shirt, and/or. */
static size_t follow_ties(const lexer *x, size_t end, int max_slashes) {
    for (int slashes = 0;;) {
        uint32_t tie = x->t[end];
        bool slash = tie == '/' && slashes < max_slashes;
        if ((!slash && !is_hyphen(tie)) || !is_alnum(x->t[end + 1]))
            return end;
        slashes += slash;
        size_t more = match_apostrophe_word(x, end + 1);
        end += 1 + (more ? more : match_part(x, end + 1));
    }
}

/* Words with no space after the mark between them, as names of sites and files are written:
 * dog.cat, Yahoo!Mail. 0: there is no such mark. */
static size_t match_dotted(const lexer *x, size_t at) {
    size_t end = at;
    bool dotted = false, called = false;
    if (!is_letter(x->t[at]))
        return 0;
    for (;; dotted = true) {
        while (is_alnum(x->t[end]))
            end++;
        if (!in_set(x->t[end], ".?!") || !is_letter(x->t[end + 1]))
            break;
        called |= x->t[end++] != '.';
    }
    if (!dotted)
        return 0;
    return (called ? end : follow_ties(x, end, 0)) - at;
}

/* A word or number with what is tied to it: t-shirt, and/or, 5-year-old, 3.5-inch, 1/2. */
static size_t match_compound(const lexer *x, size_t at) {
    size_t dotted = match_dotted(x, at);
    if (dotted)
        return dotted;
    size_t number = match_number(x, at), part = match_apostrophe_word(x, at);
    if (!part)
        part = match_part(x, at);
    if (part >= number)
        return part ? follow_ties(x, at + part, MAX_SLASHES) - at : 0;
    if (in_set(x->t[at], "+-"))
        return number;
    size_t unit = at + number; /* 3.5m-long is whole, 5.5m is not */
    while (is_letter(x->t[unit]))
        unit++;
    bool tied = is_hyphen(x->t[unit]) && is_alnum(x->t[unit + 1]);
    return tied ? follow_ties(x, unit, 0) - at : number;
}

/* ---- abbreviations ----------------------------------------------------------------------- */

/* Whether what follows is a space and a word that mostly opens a sentence. */
static bool sentence_follows(const lexer *x, size_t at) {
    static const char *const openers[] = {
        "a",    "an",   "and",   "at",    "but",   "for",   "he",   "her",  "his", "i",
        "if",   "in",   "it",    "its",   "on",    "one",   "our",  "she",  "so",  "some",
        "that", "the",  "their", "then",  "there", "these", "they", "this", "two", "we",
        "what", "when", "where", "while", "who",   "with",  "you"};
    while (is_gap(x->t[at]))
        at++;
    if (!u_isupper((UChar32)x->t[at]))
        return false;
    for (size_t i = 0; i < sizeof openers / sizeof *openers; i++)
        if (is_word_at(x, at, openers[i]))
            return true;
    return false;
}

/* Letters with a period after each: U.S.  a.m.  b. — the last period may be missing. */
static size_t match_initials(const lexer *x, size_t at) {
    size_t end = at;
    while (is_letter(x->t[end]) && x->t[end + 1] == '.')
        end += 2;
    if (end == at)
        return 0;
    if (is_letter(x->t[end]))
        return is_alnum(x->t[end + 1]) ? 0 : end + 1 - at; /* "u.s"; "a.bc" is a compound */
    return end == at + 2 && sentence_follows(x, end) ? 1 : end - at;
}

static int by_name(const void *a, const void *b) {
    return strcmp(a, *(const char *const *)b);
}

/* When an abbreviation is one: always, with a capital (else it is a word), before a digit. */
static bool is_abbreviation(const lexer *x, size_t at, size_t length) {
    static const char *const always[] = {
        "adj",  "adm",  "adv",   "al",      "ala",  "alex", "apr",   "ariz",  "assn",  "assoc",
        "atty", "aug",  "ave",   "bancorp", "bhd",  "bldg", "blvd",  "bros",  "calif", "capt",
        "cf",   "cie",  "cmdr",  "co",      "col",  "colo", "conn",  "corp",  "cos",   "cpl",
        "ct",   "dak",  "dec",   "dept",    "dr",   "est",  "etc",   "ext",   "feb",   "fla",
        "fri",  "ft",   "ga",    "gen",     "gov",  "hon",  "inc",   "ind",   "insp",  "intl",
        "jan",  "jos",  "jr",    "jul",     "jun",  "kan",  "kans",  "ky",    "lt",    "ltd",
        "maj",  "mar",  "md",    "messrs",  "mfg",  "mich", "minn",  "mlle",  "mme",   "mo",
        "mon",  "mont", "mr",    "mrs",     "ms",   "mt",   "natl",  "neb",   "nev",   "nov",
        "oct",  "okla", "penn",  "ph.d",    "plc",  "pres", "prof",  "pty",   "pvt",   "rd",
        "rep",  "rev",  "rt",    "sen",     "sep",  "sept", "sgt",   "sq",    "sr",    "st",
        "ste",  "supt", "supts", "tel",     "tenn", "thu",  "thurs", "treas", "tue",   "tues",
        "univ", "va",   "vs",    "vt",      "wed",  "wis",  "wm",    "wyo"};
    static const char *const capital[] = {"ark",  "del", "ill", "la",  "mass",
                                          "miss", "ore", "pa",  "tex", "wash"};
    static const char *const before_digit[] = {"art", "ca",  "fig", "figs",
                                               "no",  "nos", "op",  "pp"};
    char word[9] = "";
    if (length >= sizeof word)
        return false;
    for (size_t i = 0; i < length; i++) {
        uint32_t c = lower(x->t[at + i]);
        word[i] = c < 0x80 ? (char)c : '?';
    }
#define FOUND(names) bsearch(word, names, sizeof names / sizeof *names, sizeof *names, by_name)
    if (FOUND(always) || (u_isupper((UChar32)x->t[at]) && FOUND(capital)))
        return true;
    size_t next = at + length + 1;
    while (is_gap(x->t[next]))
        next++;
    return FOUND(before_digit) && is_digit(x->t[next]);
#undef FOUND
}

/* ---- what is not words: addresses, tags, faces, runs of marks -------------------------------
 */

static size_t match_rest_of_address(const lexer *x, size_t at) {
    size_t end = at;
    while (x->t[end] && !is_gap(x->t[end]) && !in_set(x->t[end], "<>\"()|{}"))
        end++;
    while (end > at && in_set(x->t[end - 1], ".,;:!?'"))
        end--;
    return end - at;
}

/* http://…, www.…, name.com/…, name@host.org */
static size_t match_address(const lexer *x, size_t at) {
    static const char *const schemes[] = {"http://", "https://"};
    static const char *const hosts[] = {".com/", ".org/", ".net/", ".edu/", ".gov/"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (starts_with(x, at, schemes[i])) {
            size_t rest = match_rest_of_address(x, at + strlen(schemes[i]));
            return rest ? strlen(schemes[i]) + rest : 0;
        }
    size_t end = at;
    if (!is_alnum(x->t[at]))
        return 0;
    while (end - at < MAX_NAME && (is_alnum(x->t[end]) || in_set(x->t[end], "._-"))) {
        for (size_t i = 0; x->t[end] == '.' && i < sizeof hosts / sizeof *hosts; i++)
            if (starts_with(x, end, hosts[i]))
                return end - at + match_rest_of_address(x, end);
        end++;
    }
    if (x->t[end] != '@' || !is_alnum(x->t[end + 1]))
        return 0;
    for (end++; is_alnum(x->t[end]) || (in_set(x->t[end], ".-") && is_alnum(x->t[end + 1]));)
        end++;
    return end - at;
}

static size_t match_tag(const lexer *x, size_t at) { /* <b>  </b>  <a href="x"> */
    if (x->t[at] != '<')
        return 0;
    size_t end = at + 1 + (x->t[at + 1] == '/');
    if (!is_letter(x->t[end]))
        return 0;
    while (x->t[end] && !in_set(x->t[end], "<>"))
        end++;
    return x->t[end] == '>' ? end + 1 - at : 0;
}

static size_t match_name_sign(const lexer *x, size_t at) { /* #beach  @name_1 */
    size_t end = at + 1;
    if (x->t[at] == '#')
        while (is_letter(x->t[end]))
            end++;
    else if (x->t[at] == '@' && (is_letter(x->t[end]) || x->t[end] == '_'))
        while (is_alnum(x->t[end]) || x->t[end] == '_')
            end++;
    return end == at + 1 ? 0 : end - at;
}

static size_t match_face(const lexer *x, size_t at) { /* :)  ;-)  :'(  =D */
    if (!in_set(x->t[at], ":;="))
        return 0;
    size_t mouth = at + 1 + (in_set(x->t[at + 1], "-o'") ? 1 : 0);
    if (in_set(x->t[mouth], "()"))
        return mouth + 1 - at;
    return in_set(x->t[mouth], "DPpO") && !is_alnum(x->t[mouth + 1]) ? mouth + 1 - at : 0;
}

static size_t match_run(const lexer *x, size_t at, const char *of) {
    size_t end = at;
    while (in_set(x->t[end], of))
        end++;
    return end - at;
}

/* Names with a sign in them: AT&T, US$, C#, c++. */
static size_t match_signed_name(const lexer *x, size_t at) {
    size_t left = at;
    while (u_isupper((UChar32)x->t[left]))
        left++;
    size_t right = left + 1;
    if (left > at && x->t[left] == '$')
        return right - at;
    if (is_letter(x->t[at]) && x->t[at + 1] == '#' && !is_alnum(x->t[at + 2]))
        return 2;
    if (is_letter(x->t[at]) && x->t[at + 1] == '+' && x->t[at + 2] == '+')
        return 3;
    if (left == at || x->t[left] != '&')
        return 0;
    while (u_isupper((UChar32)x->t[right]))
        right++;
    return right > left + 1 && !is_alnum(x->t[right]) ? right - at : 0;
}

/* What begins with an apostrophe and keeps it: 's, 'em, '80s, 'n'. */
static size_t match_leading_apostrophe(const lexer *x, size_t at) {
    static const char *const words[] = {"'em", "'til", "'cause", "'n"};
    if (!is_apostrophe(x->t[at]))
        return 0;
    size_t clitic = match_clitic(x, at);
    if (clitic)
        return clitic;
    if (is_digit(x->t[at + 1]) && is_digit(x->t[at + 2])) {
        size_t end = at + 3 + (x->t[at + 3] == 's');
        return is_alnum(x->t[end]) || x->t[end] == '"' ? 0 : end - at;
    }
    if (lower(x->t[at + 1]) == 'n' && is_apostrophe(x->t[at + 2]))
        return 3;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word_at(x, at, words[i]))
            return strlen(words[i]);
    return 0;
}

/* ---- one token after the other -------------------------------------------------------------
 */

static size_t longest(const size_t *lengths, size_t count) {
    size_t most = 0;
    for (size_t i = 0; i < count; i++)
        most = lengths[i] > most ? lengths[i] : most;
    return most;
}

/* Puts the `length` letters at `at` as two tokens, `first` letters in the first. */
static size_t put_halves(lexer *x, size_t at, size_t first, size_t length) {
    put_token(x, at, first);
    put_token(x, at + first, length - first);
    return length;
}

/* Words the Treebank writes as two, when nothing is tied to them. */
static size_t put_joined_words(lexer *x, size_t at) {
    static const struct {
        const char *word;
        size_t first;
    } rows[] = {{"cannot", 3}, {"gonna", 3}, {"gotta", 3}, {"wanna", 3},
                {"gimme", 3},  {"lemme", 3}, {"'tis", 2},  {"'twas", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (is_word_at(x, at, rows[i].word)) {
            size_t length = strlen(rows[i].word);
            bool tied = is_apostrophe(x->t[at + length]) || match_compound(x, at) > length;
            return tied ? 0 : put_halves(x, at, rows[i].first, length);
        }
    return 0;
}

/* A clitic or "n't", with a plain apostrophe however it was written. */
static size_t put_clitic(lexer *x, size_t at, size_t length) {
    put_text(x, x->length ? " " : "");
    for (size_t i = at; i < at + length; i++)
        put_point(x, is_apostrophe(x->t[i]) ? '\'' : x->t[i]);
    return length;
}

static bool is_negation(const lexer *x, size_t at) {
    return is_word_at(x, at, "n't");
}

/* A word of `length` and how it ends: n't and the period of an abbreviation. */
static size_t put_word(lexer *x, size_t at, size_t length) {
    size_t end = at + length;
    if (is_negation(x, end - 1) && !match_dotted(x, at)) {
        if (length > 1)
            put_token(x, at, length - 1);
        return length - 1 + put_clitic(x, end - 1, 3);
    }
    uint32_t first = lower(x->t[at]);
    if (length == 1 && is_apostrophe(x->t[end]) &&
        (in_set(first, "ld") || (in_set(first, "jy") && is_letter(x->t[end + 1]))) &&
        !match_clitic(x, end))
        end++; /* j'ai is j' ai, y'all is y' all */
    else if (x->t[end] == '.' && is_abbreviation(x, at, length))
        end++;
    if (x->t[end - 1] == '.' && is_hyphen(x->t[end]) && is_alnum(x->t[end + 1]))
        end = follow_ties(x, end, 0); /* U.S.-based */
    put_token(x, at, end - at);
    return end - at;
}

/* Reads one token at `at`, puts it out if it counts, and returns how far to go on. */
static size_t read_token(lexer *x, size_t at) {
    size_t dots = match_run(x, at, "."), two = dots < 3 ? put_joined_words(x, at) : dots;
    if (two) /* an ellipsis is left out */
        return two;
    const size_t words[] = {match_compound(x, at), match_initials(x, at)};
    const size_t others[] = {
        match_address(x, at),   match_tag(x, at),         match_name_sign(x, at),
        match_face(x, at),      match_signed_name(x, at), match_leading_apostrophe(x, at),
        match_run(x, at, "?!"), match_run(x, at, "_"),    match_run(x, at, "*"),
        match_run(x, at, "#"),
    };
    size_t word = longest(words, sizeof words / sizeof *words);
    size_t other = longest(others, sizeof others / sizeof *others);
    if (word && word >= other)
        return put_word(x, at, word);
    if (other < 2 && is_left_out(x->t[at]))
        return 1;
    if (other && is_apostrophe(x->t[at]) && match_clitic(x, at) == other)
        return put_clitic(x, at, other);
    other = other ? other : 1;
    put_token(x, at, other);
    return other;
}

/* ---- the text ------------------------------------------------------------------------------
 */

/* `&amp;` and its like at `text`: its bytes and the character, 0: none. */
static size_t match_entity(const char *text, uint32_t *c) {
    static const struct {
        const char *name;
        uint32_t c;
    } rows[] = {{"&amp;", '&'},  {"&lt;", '<'},    {"&gt;", '>'},
                {"&quot;", '"'}, {"&apos;", '\''}, {"&nbsp;", ' '}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strncmp(text, rows[i].name, strlen(rows[i].name))) {
            *c = rows[i].c;
            return strlen(rows[i].name);
        }
    return 0;
}

/* Characters that leave no trace: soft hyphens and variation selectors. */
static bool is_ignored(uint32_t c) {
    return c == 0xAD || (c >= 0xFE00 && c <= 0xFE0F);
}

/* Characters that no token has and that end one: emoji, controls. */
static bool is_untokenizable(uint32_t c) {
    return c == 0x2012 || c == 0xFFFD || (c > 0xFFFF && !is_alnum(c)) ||
           (u_iscntrl((UChar32)c) && !is_gap(c));
}

static bool read_points(lexer *x, vl_arena *arena, const char *text) {
    size_t bytes = strlen(text);
    uint32_t *points = vl_arena_array(arena, bytes + 4, sizeof *points);
    x->t = points;
    for (int32_t at = 0; points && (size_t)at < bytes;) {
        UChar32 read;
        uint32_t c = 0;
        size_t entity = text[at] == '&' ? match_entity(text + at, &c) : 0;
        if (entity) {
            at += (int32_t)entity;
        } else {
            U8_NEXT_OR_FFFD((const uint8_t *)text, at, (int32_t)bytes, read);
            c = (uint32_t)read;
        }
        if (!is_ignored(c))
            points[x->n++] = is_untokenizable(c) ? ' ' : c;
    }
    return points;
}

/* Words of UAX #29 that have a letter or a digit. */
static char *cut_words(vl_arena *arena, const char *text) {
    size_t bytes = strlen(text);
    lexer x = {.out = vl_arena_alloc(arena, bytes * MAX_GROWTH + 1)};
    UErrorCode code = U_ZERO_ERROR;
    UText wrapped = UTEXT_INITIALIZER;
    utext_openUTF8(&wrapped, text, (int64_t)bytes, &code);
    UBreakIterator *breaks = ubrk_open(UBRK_WORD, "", NULL, 0, &code);
    ubrk_setUText(breaks, &wrapped, &code);
    for (int32_t from = 0, to; x.out && U_SUCCESS(code); from = to) {
        to = ubrk_next(breaks);
        if (to == UBRK_DONE)
            break;
        if (ubrk_getRuleStatus(breaks) < UBRK_WORD_NONE_LIMIT)
            continue;
        if (x.length)
            put_text(&x, " ");
        for (int32_t at = from; at < to;) {
            UChar32 c;
            U8_NEXT_OR_FFFD((const uint8_t *)text, at, to, c);
            put_point(&x, (uint32_t)c);
        }
    }
    ubrk_close(breaks);
    utext_close(&wrapped);
    return U_SUCCESS(code) ? x.out : NULL;
}

char *vl_caption_tokenize(vl_arena *arena, const char *text) {
    const char *nfc = vl_text_nfc(arena, text);
    if (!nfc)
        return NULL;
    const char *script = vl_text_script(nfc, NULL);
    if (strcmp(script, "Latn") != 0 && strcmp(script, "Zyyy") != 0)
        return cut_words(arena, nfc);
    lexer x = {0};
    if (!read_points(&x, arena, nfc))
        return NULL;
    x.out = vl_arena_alloc(arena, x.n * MAX_GROWTH + 1);
    for (size_t at = 0; x.out && at < x.n;)
        at += is_gap(x.t[at]) ? 1 : read_token(&x, at);
    return x.out;
}
