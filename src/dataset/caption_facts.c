/* caption_facts.c — see caption_facts.h. In reading order: characters, numbers, dates,
 * countries, names. */
#include "dataset/caption_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/udat.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

enum {
    MONTHS_MAX = 160,
    COUNTRIES_MAX = 320,
    NAME_BYTES = 96,
    YEAR_FIRST = 1950,
    YEAR_LAST = 2049
};

/* ---- characters ------------------------------------------------------------------------- */

static UChar32 next_character(const char *text, size_t bytes, size_t *at) {
    int32_t next = (int32_t)*at;
    UChar32 c;
    if (*at >= bytes)
        return ' ';
    U8_NEXT_OR_FFFD((const uint8_t *)text, next, (int32_t)bytes, c);
    *at = (size_t)next;
    return c;
}

static UChar32 character_at(const char *text, size_t bytes, size_t at) {
    return next_character(text, bytes, &at);
}

static UChar32 step_back(const char *text, size_t *at) {
    int32_t index = (int32_t)*at;
    UChar32 c;
    if (!*at)
        return ' ';
    U8_PREV_OR_FFFD((const uint8_t *)text, 0, index, c);
    *at = (size_t)index;
    return c;
}

static UChar32 character_before(const char *text, size_t at) {
    return step_back(text, &at);
}

static bool is_letter(UChar32 c) {
    int8_t type = u_charType(c);
    return u_isalpha(c) || type == U_NON_SPACING_MARK || type == U_COMBINING_SPACING_MARK;
}

/* Hyphens, strokes and the like make one thing of what is on both sides. */
static bool joins(UChar32 c) {
    return is_letter(c) || u_isdigit(c) || c == 0x2013 || c == 0x2010 || c == 0x2011 ||
           (c < 128 && strchr("-/:+#@_*%", (int)c) != NULL && c);
}

/* ---- numbers ---------------------------------------------------------------------------- */

static bool separates_digits(UChar32 c) {
    return c == '.' || c == ',' || c == 0x66B || c == 0x66C || c == 0xA0 || c == 0x202F;
}

/* The end of the number that begins at `start`; separators stand between digits. */
static size_t number_end(const char *text, size_t bytes, size_t start) {
    size_t at = start, end = start;
    UChar32 before = 0;
    while (at < bytes) {
        UChar32 c = next_character(text, bytes, &at);
        if (u_isdigit(c))
            end = at;
        else if (!separates_digits(c) || !u_isdigit(before))
            break;
        before = c;
    }
    return end;
}

size_t caption_numbers(const char *text, span *found, size_t most) {
    size_t bytes = strlen(text), count = 0;
    for (size_t at = 0; at < bytes && count < most;) {
        size_t start = at;
        UChar32 before = character_before(text, start);
        if (!u_isdigit(next_character(text, bytes, &at)))
            continue;
        size_t end = number_end(text, bytes, start), after = end;
        UChar32 c = next_character(text, bytes, &after);
        if (c == '%' || c == 0x66A) {
            end = after;
            c = character_at(text, bytes, end);
        }
        at = end;
        bool apart = !joins(before) && before != '.' && before != ',' && !joins(c);
        found[count] = (span){start, end};
        count += apart;
    }
    return count;
}

/* ---- dates ------------------------------------------------------------------------------ */

/* A number of at most four digits, in any digits; -1: none. */
static int small_number(const char *text, span of) {
    int value = 0;
    size_t digits = 0;
    for (size_t at = of.start; at < of.end; digits++) {
        UChar32 c = next_character(text, of.end, &at);
        if (!u_isdigit(c) || digits == 4)
            return -1;
        value = value * 10 + u_charDigitValue(c);
    }
    return digits ? value : -1;
}

static bool is_day(int value) {
    return value >= 1 && value <= 31;
}

static bool is_year(int value) {
    return value >= YEAR_FIRST && value <= YEAR_LAST;
}

typedef struct piece {
    span at;
    bool number;
    int value; /* of a number of at most four digits; -1 */
    bool month, particle;
    UChar32 gap; /* what stands before it, where that is no space: ',' … ; 0: nothing else */
} piece;
enum { WORDS_MAX = 256 };

static bool is_one_of(const char *text, span of, const char *const *list, size_t count) {
    size_t length = of.end - of.start;
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i]) == length && !memcmp(text + of.start, list[i], length))
            return true;
    return false;
}

/* Runs of letters (with their points: "ዓ.ም"), and runs of digits. */
static size_t split_words(const phrase_language *l, const char *text, piece *words) {
    size_t bytes = strlen(text), count = 0;
    UChar32 gap = 0;
    for (size_t at = 0; at < bytes && count < WORDS_MAX;) {
        size_t start = at;
        UChar32 c = next_character(text, bytes, &at);
        bool digit = u_isdigit(c);
        if (!digit && !is_letter(c)) {
            gap = u_isUWhiteSpace(c) ? gap : c;
            continue;
        }
        size_t end = at;
        while (end < bytes) {
            size_t next = end;
            c = next_character(text, bytes, &next);
            if (digit ? !u_isdigit(c) : !is_letter(c) && c != 0x2019)
                break;
            end = next;
        }
        piece *w = &words[count++];
        *w = (piece){.at = {start, end}, .number = digit, .value = -1, .gap = gap};
        if (digit)
            w->value = small_number(text, w->at);
        else
            w->month = is_one_of(text, w->at, l->months, l->month_count);
        w->particle = !digit && is_one_of(text, w->at, l->dates, l->date_count);
        at = end;
        gap = 0;
    }
    return count;
}

/* The day that stands before a month, perhaps with a particle between; `m` where there is none.
 */
static size_t day_before(const piece *words, size_t m) {
    if (m && words[m].gap)
        return m;
    if (m >= 1 && words[m - 1].number && is_day(words[m - 1].value))
        return m - 1;
    bool particle = m >= 2 && words[m - 1].particle && !words[m - 1].gap;
    return particle && words[m - 2].number && is_day(words[m - 2].value) ? m - 2 : m;
}

/* The number that stands after `i`, at most two particles and a comma between; `count`: none.
 */
static size_t number_after(const piece *words, size_t count, size_t i) {
    size_t next = i + 1;
    while (next < count && next < i + 3 && words[next].particle && !words[next].gap)
        next++;
    bool near = next < count && (!words[next].gap || words[next].gap == ',' ||
                                 words[next].gap == 0x60C || words[next].gap == 0x1363);
    return near && words[next].number ? next : count;
}

/* A date around the month `m`; false: none. `last` is its last word. */
static bool date_around(const piece *words, size_t count, size_t m, size_t *first,
                        size_t *last) {
    *first = day_before(words, m);
    *last = m;
    bool day = *first != m, year = false;
    size_t next = number_after(words, count, m);
    if (!day && next < count && is_day(words[next].value)) {
        *last = next;
        day = true;
        next = number_after(words, count, next);
    }
    if (next < count && words[next].value >= 1000) {
        *last = next;
        year = true;
    }
    return day || year;
}

/* "2026-03-14", "14/3/2026", "14.03.26": three numbers with one mark between. */
static bool date_in_numbers(const piece *words, size_t count, size_t i) {
    if (i + 2 >= count || !words[i].number || !words[i + 1].number || !words[i + 2].number)
        return false;
    UChar32 mark = words[i + 1].gap;
    bool marked = mark == words[i + 2].gap && (mark == '-' || mark == '/' || mark == '.');
    int a = words[i].value, b = words[i + 1].value, c = words[i + 2].value;
    return marked && ((is_year(a) && is_day(b) && is_day(c)) ||
                      (is_day(a) && is_day(b) && (is_year(c) || (c >= 0 && c < 100))));
}

static bool stands_apart(const char *text, span at) {
    UChar32 before = character_before(text, at.start);
    UChar32 after = character_at(text, strlen(text), at.end);
    size_t next = at.end;
    next_character(text, strlen(text), &next);
    bool fraction =
        separates_digits(after) && u_isdigit(character_at(text, strlen(text), next));
    return !joins(before) && before != '.' && before != ',' && !joins(after) && !fraction;
}

size_t caption_dates(const phrase_language *language, const char *text, span *found,
                     size_t most) {
    piece words[WORDS_MAX];
    size_t count = split_words(language, text, words), dates = 0, done = 0;
    for (size_t i = 0; i < count && dates < most; i++) {
        size_t first = i, last = i;
        if (words[i].month && date_around(words, count, i, &first, &last)) {
            /* a bare year or day that was found belongs to it */
            while (dates && found[dates - 1].start >= words[first].at.start)
                dates--;
        } else if (date_in_numbers(words, count, i)) {
            last = i + 2;
        } else if (!words[i].number || !is_year(words[i].value) ||
                   !stands_apart(text, words[i].at)) {
            continue;
        }
        if (first < done)
            continue;
        found[dates++] = (span){words[first].at.start, words[last].at.end};
        done = last + 1;
        i = last;
    }
    return dates;
}

/* ---- countries -------------------------------------------------------------------------- */

/* Names that are more often somebody's or something else's. */
static bool is_ambiguous(const char *name) {
    static const char *const names[] = {"Jordan", "Georgia", "Chad", "Guinea"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* The word that ends at `end`, and whether a sentence begins with it. */
static span word_before(const char *text, size_t end, bool *begins) {
    span at = {end, end};
    while (at.start && is_letter(character_before(text, at.start)))
        step_back(text, &at.start);
    size_t before = at.start;
    UChar32 c = step_back(text, &before);
    while (before && c == ' ')
        c = step_back(text, &before);
    *begins = !at.start || c == '.' || c == ':' || c == ';' || c == '?' || c == '!';
    return at;
}

static bool is_capital(const char *text, span at) {
    return at.end > at.start && u_isupper(character_at(text, at.end, at.start));
}

/* A capital next to it makes it a part of another name: "Niger River", "New Mexico", "Gulf of
 * Mexico". A word that begins a sentence has a capital anyway. */
static bool within_a_name(const phrase_language *l, const char *text, span at) {
    static const char *const of[] = {"of", "de", "du", "da", "do", "la", "ya"};
    size_t bytes = strlen(text);
    bool begins;
    if (!l->cased)
        return false;
    if (character_at(text, bytes, at.end) == ' ' &&
        u_isupper(character_at(text, bytes, at.end + 1)))
        return true;
    if (!at.start || text[at.start - 1] != ' ')
        return false;
    span word = word_before(text, at.start - 1, &begins);
    if (is_capital(text, word))
        return !begins || is_one_of(text, word, (const char *const[]){"New"}, 1);
    if (!word.start || text[word.start - 1] != ' ' ||
        !is_one_of(text, word, of, sizeof of / sizeof *of))
        return false;
    return is_capital(text, word_before(text, word.start - 1, &begins));
}

typedef struct mention {
    span at;
    size_t country;
} mention;
enum { MENTIONS_MAX = 16 };

/* Every place where a name stands, even as a part of a word, the longest first. */
static size_t find_mentions(const phrase_language *l, const char *text, mention *mentions) {
    size_t count = 0;
    for (size_t i = 0; i < l->country_count; i++) { /* long names come first */
        size_t length = strlen(l->countries[i]);
        for (const char *at = text; (at = strstr(at, l->countries[i])); at += length) {
            span here = {(size_t)(at - text), (size_t)(at - text) + length};
            bool covered = false;
            for (size_t m = 0; m < count && !covered; m++)
                covered = here.start < mentions[m].at.end && mentions[m].at.start < here.end;
            if (covered)
                continue;
            if (count == MENTIONS_MAX)
                return count;
            mentions[count++] = (mention){here, i};
        }
    }
    return count;
}

bool caption_country(const phrase_language *language, const char *text, span *found) {
    mention mentions[MENTIONS_MAX];
    size_t count = find_mentions(language, text, mentions), bytes = strlen(text);
    bool any = false;
    if (count == MENTIONS_MAX || strstr(text, "Congo") || strstr(text, "DRC") ||
        strstr(text, "RDC"))
        return false;
    for (size_t i = 0; i < count; i++) {
        span at = mentions[i].at;
        if (mentions[i].country != mentions[0].country ||
            is_ambiguous(language->countries[mentions[i].country]) ||
            within_a_name(language, text, at))
            return false;
        bool whole = !joins(character_before(text, at.start)) &&
                     !joins(character_at(text, bytes, at.end));
        if (whole && !any)
            *found = at;
        any |= whole;
    }
    return any;
}

/* ---- names ------------------------------------------------------------------------------ */

typedef struct name_list {
    const char **names;
    size_t count, most;
    vl_arena *arena;
    bool failed;
} name_list;

static void add_name(name_list *list, const UChar *wide, int32_t length) {
    char name[NAME_BYTES];
    UErrorCode code = U_ZERO_ERROR;
    int32_t bytes = 0;
    u_strToUTF8(name, NAME_BYTES, &bytes, wide, length, &code);
    if (U_FAILURE(code) || bytes >= NAME_BYTES || list->count == list->most)
        return;
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->names[i], name))
            return;
    list->names[list->count] = vl_text_nfc(list->arena, name);
    list->failed |= !list->names[list->count];
    list->count += !list->failed;
}

/* As CLDR has it and with a capital; abbreviations without their point, numbers not. */
static void add_month(name_list *list, const UChar *wide, int32_t length) {
    UChar capital[NAME_BYTES];
    UErrorCode code = U_ZERO_ERROR;
    if (length && wide[length - 1] == '.')
        length--;
    for (int32_t i = 0; i < length; i++)
        if (u_isdigit(wide[i]) || wide[i] == ' ')
            return;
    if (length < 3 || length >= NAME_BYTES)
        return;
    add_name(list, wide, length);
    int32_t titled = u_strToTitle(capital, NAME_BYTES, wide, length, NULL, "", &code);
    if (U_SUCCESS(code) && titled < NAME_BYTES)
        add_name(list, capital, titled);
}

static void add_months(name_list *list, const char *locale) {
    static const UDateFormatSymbolType types[] = {UDAT_MONTHS, UDAT_STANDALONE_MONTHS,
                                                  UDAT_SHORT_MONTHS};
    UErrorCode code = U_ZERO_ERROR;
    UDateFormat *format = udat_open(UDAT_LONG, UDAT_LONG, locale, NULL, 0, NULL, 0, &code);
    for (size_t t = 0; U_SUCCESS(code) && t < sizeof types / sizeof *types; t++)
        for (int32_t i = 0; i < udat_countSymbols(format, types[t]); i++) {
            UChar name[NAME_BYTES];
            UErrorCode of_name = U_ZERO_ERROR;
            int32_t length = udat_getSymbols(format, types[t], i, name, NAME_BYTES, &of_name);
            if (U_SUCCESS(of_name))
                add_month(list, name, length);
        }
    udat_close(format);
}

/* CLDR's names, without what it adds in brackets. */
static void add_countries(name_list *list, const phrase_language *l) {
    for (const char *const *country = uloc_getISOCountries(); *country; country++) {
        char region[16];
        UChar name[NAME_BYTES];
        UErrorCode code = U_ZERO_ERROR;
        snprintf(region, sizeof region, "und_%s", *country);
        int32_t length = uloc_getDisplayCountry(region, l->locale, name, NAME_BYTES, &code);
        if (U_FAILURE(code) || code == U_USING_DEFAULT_WARNING || length >= NAME_BYTES)
            continue;
        for (int32_t i = 1; i < length; i++)
            if (name[i] == '(')
                length = i - 1;
        if (length >= 3)
            add_name(list, name, length);
    }
}

static int by_length(const void *left, const void *right) {
    const char *a = *(const char *const *)left, *b = *(const char *const *)right;
    size_t of_a = strlen(a), of_b = strlen(b);
    return of_a != of_b ? of_a > of_b ? -1 : 1 : strcmp(a, b);
}

vl_status caption_names_read(phrase_language *language, vl_arena *arena, vl_error *error) {
    char ethiopic[VL_LANG_SIZE + 32];
    name_list months = {vl_arena_array(arena, MONTHS_MAX, sizeof *months.names), 0, MONTHS_MAX,
                        arena, false};
    name_list countries = {vl_arena_array(arena, COUNTRIES_MAX, sizeof *countries.names), 0,
                           COUNTRIES_MAX, arena, false};
    if (!months.names || !countries.names)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for names");
    add_months(&months, language->locale);
    if (!strcmp(language->script, "Ethi")) {
        snprintf(ethiopic, sizeof ethiopic, "%s@calendar=ethiopic", language->locale);
        add_months(&months, ethiopic);
    }
    add_countries(&countries, language);
    if (months.failed || countries.failed)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for names");
    qsort(countries.names, countries.count, sizeof *countries.names, by_length);
    language->months = months.names;
    language->month_count = months.count;
    language->countries = countries.names;
    language->country_count = countries.count;
    return VL_OK;
}
