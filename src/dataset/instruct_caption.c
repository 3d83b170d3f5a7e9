/* instruct_caption.c — questions that the words of a caption or passage answer: the date and
 * the country that it names, and what stood in a gap of it.
 *
 * Only what can be taken one way is asked: a caption with two dates is not asked for its date.
 */
#include "dataset/instruct_make.h"

#include "dataset/caption_facts.h"
#include "dataset/labels.h"
#include "dataset/pairs.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { TEXT_BYTES = 400, GAPS_MAX = 4, DATES_MAX = 4, GAP_MIN_BYTES = 25, UNITS_MAX = 64 };

/* ---- gaps ------------------------------------------------------------------------------- */

static const char *cut(candidates *c, const char *text, span at) {
    return candidates_print(c, "%.*s", (int)(at.end - at.start), text + at.start);
}

/* Adds the question for what stands at `at`; returns how many were added. */
static size_t gap(candidates *c, const char *text, span at) {
    candidate item = candidate_of(c, PHRASE_GAP, cut(c, text, at));
    item.values.values[PHRASE_TEXT_ARG] =
        candidates_print(c, "%.*s____%s", (int)at.start, text, text + at.end);
    if (!item.text || !item.values.values[PHRASE_TEXT_ARG])
        return 0;
    candidates_add(c, &item);
    return 1;
}

/* A number of one or two digits may be that of a footnote, a paragraph or a chapter; it counts
 * something where a word stands before it and a small one behind it: "over 60 officials". */
static bool is_count(const char *text, span number) {
    int32_t start = (int32_t)number.start, at = (int32_t)number.end;
    int32_t bytes = (int32_t)strlen(text), digits = 0;
    UChar32 c = 0, before = 0;
    for (int32_t i = start; i < at;) {
        U8_NEXT_OR_FFFD((const uint8_t *)text, i, at, c);
        digits += u_isdigit(c) ? 1 : 3;
    }
    if (digits > 2)
        return true;
    if (start < 2 || text[start - 1] != ' ' || text[at] != ' ')
        return false;
    start--;
    U8_PREV_OR_FFFD((const uint8_t *)text, 0, start, before);
    at++;
    U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
    return u_isalpha(before) && u_isalpha(c) && !u_isupper(c);
}

typedef struct labelled {
    span number;
    bool found;
} labelled;

static void take_label(const label *found, void *user) {
    labelled *l = user;
    l->found |= l->number.start < found->end && l->number.end > found->start;
}

/* "Figure 3", wherever it stands: the number is a name, and nothing that the text tells. */
static bool is_of_label(const char *text, span number) {
    labelled l = {number, false};
    labels_find(text, take_label, &l);
    return l.found;
}

static bool parts_groups(UChar32 c) {
    return u_isUWhiteSpace(c) || u_charType(c) == U_DASH_PUNCTUATION;
}

/* What a telephone, an identity card or an account has: groups of digits one behind the other,
 * a plus before them, a zero in front, or more digits than a count is written with at once. */
static bool is_of_code(const char *text, span number) {
    enum { REACH = 3, DIGITS_MOST = 7 };
    int32_t bytes = (int32_t)strlen(text), at = (int32_t)number.start, digits = 0;
    UChar32 c = 0;
    U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
    bool zero = u_charDigitValue(c) == 0;
    for (at = (int32_t)number.start; at < (int32_t)number.end;) {
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        digits = u_isdigit(c) ? digits + 1 : 0;
        zero &= digits > 0;
        if (digits > DIGITS_MOST || (zero && digits == 2))
            return true;
    }
    c = ' ';
    for (int i = 0; i < REACH && at < bytes && parts_groups(c); i++)
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
    if (u_isdigit(c))
        return true;
    c = ' ';
    at = (int32_t)number.start;
    for (int i = 0; i < REACH && at > 0 && parts_groups(c); i++)
        U8_PREV_OR_FFFD((const uint8_t *)text, 0, at, c);
    return u_isdigit(c) || c == '+';
}

/* Gaps where numbers, a date or a country stood; not in the label, "Figure 3". */
static size_t gaps(candidates *c, const char *text, const span *dates, size_t date_count,
                   const span *country) {
    span numbers[GAPS_MAX];
    label found;
    size_t label_end = label_begins(text, &found) ? found.end : 0, made = 0;
    if (strlen(text) < GAP_MIN_BYTES)
        return 0;
    size_t count = caption_numbers(text, numbers, GAPS_MAX);
    for (size_t i = 0; i < count; i++) {
        /* what begins with a number may be numbered */
        bool apart = numbers[i].start && numbers[i].start >= label_end &&
                     is_count(text, numbers[i]) && !is_of_label(text, numbers[i]) &&
                     !is_of_code(text, numbers[i]);
        for (size_t d = 0; d < date_count; d++)
            apart &= numbers[i].end <= dates[d].start || numbers[i].start >= dates[d].end;
        made += apart ? gap(c, text, numbers[i]) : 0;
    }
    for (size_t d = 0; d < date_count; d++)
        made += dates[d].start >= label_end ? gap(c, text, dates[d]) : 0;
    return made + (country ? gap(c, text, *country) : 0);
}

/* ---- passages --------------------------------------------------------------------------- */

/* The end of the sentence that begins at `start`: a mark that ends one, white space, and, where
 * there are capitals, one. */
static size_t sentence_end(const char *text, size_t start, size_t end, bool cased) {
    int32_t at = (int32_t)start, bytes = (int32_t)end;
    while (at < bytes) {
        UChar32 c, next = 'A';
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        if (!u_hasBinaryProperty(c, UCHAR_S_TERM) || at >= bytes || text[at] != ' ')
            continue;
        int32_t after = at + 1;
        if (after < bytes)
            U8_NEXT_OR_FFFD((const uint8_t *)text, after, bytes, next);
        if (!cased || u_isupper(next))
            return (size_t)at;
    }
    return end;
}

/* Lines that are short enough, and sentences of those that are not. */
static size_t split_units(const char *text, bool cased, span *units) {
    size_t count = 0;
    for (size_t line = 0; text[line]; line += text[line] == '\n') {
        size_t end = line + strcspn(text + line, "\n");
        bool whole = end - line <= TEXT_BYTES;
        for (size_t start = line; start < end && count < UNITS_MAX;) {
            size_t stop = whole ? end : sentence_end(text, start, end, cased);
            if (stop - start >= GAP_MIN_BYTES && stop - start <= TEXT_BYTES)
                units[count++] = (span){start, stop};
            start = stop + strspn(text + stop, " ");
        }
        line = end;
    }
    return count;
}

static void gaps_of_passage(candidates *c) {
    span units[UNITS_MAX], dates[DATES_MAX], country;
    size_t count = split_units(c->subject->text, c->language->cased, units), made = 0;
    size_t from = vl_random_below(&c->random, count);
    for (size_t i = 0; i < count && made < GAPS_MAX; i++) {
        const char *text = cut(c, c->subject->text, units[(from + i) % count]);
        if (!text)
            return;
        size_t date_count = caption_dates(c->language, text, dates, DATES_MAX);
        bool has_country = caption_country(c->language, text, &country);
        made += gaps(c, text, dates, date_count, has_country ? &country : NULL);
    }
}

/* ---- captions --------------------------------------------------------------------------- */

static void ask_for(candidates *c, phrase_topic topic, span at) {
    candidate item = candidate_of(c, topic, cut(c, c->subject->text, at));
    item.neutral = topic == PHRASE_DATE && at.end - at.start == 4; /* a bare year */
    if (item.text)
        candidates_add(c, &item);
}

/* `caption`: the text is one, and not another description. */
static void ask_about(candidates *c, bool caption) {
    const char *text = c->subject->text;
    span dates[DATES_MAX], country;
    size_t date_count = caption_dates(c->language, text, dates, DATES_MAX);
    bool has_country = caption_country(c->language, text, &country);
    if (!strpbrk(text, "\n"))
        gaps(c, text, dates, date_count, has_country ? &country : NULL);
    if (caption && date_count == 1)
        ask_for(c, PHRASE_DATE, dates[0]);
    if (caption && has_country)
        ask_for(c, PHRASE_COUNTRY, country);
}

void make_of_caption(candidates *c) {
    const pair *p = c->subject->pair;
    const vl_part *part = subject_part(c->subject);
    if (!c->language || !c->subject->has_picture ||
        !(c->options->kinds >> VL_ITEM_QUESTION & 1))
        return;
    if (!p && !(part && part->kind == VL_PART_TABLE))
        gaps_of_passage(c);
    else if (p && (p->origin == PAIR_CAPTION || p->origin == PAIR_DESCRIPTION) &&
             strlen(c->subject->text) <= TEXT_BYTES)
        ask_about(c, p->origin == PAIR_CAPTION);
}
