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

enum { GAP_TEXT_BYTES = 400, GAPS_MAX = 4, DATES_MAX = 4, GAP_MIN_BYTES = 25 };

/* ---- gaps ------------------------------------------------------------------------------- */

static const char *cut(candidates *c, const char *text, span at) {
    return candidates_print(c, "%.*s", (int)(at.end - at.start), text + at.start);
}

/* The text with a gap; NULL: it is too long. */
static const char *with_gap(candidates *c, const char *text, span gap) {
    if (strlen(text) > GAP_TEXT_BYTES)
        return NULL;
    return candidates_print(c, "%.*s____%s", (int)gap.start, text, text + gap.end);
}

static void gap(candidates *c, const char *text, span at) {
    const char *gapped = with_gap(c, text, at);
    candidate item = candidate_of(c, PHRASE_GAP, cut(c, text, at));
    item.values.values[PHRASE_TEXT_ARG] = gapped;
    if (item.text && gapped)
        candidates_add(c, &item);
}

/* Gaps where numbers, a date or a country stood; not in the label, "Figure 3". */
static void gaps(candidates *c, const span *dates, size_t date_count, const span *country) {
    const char *text = c->subject->text;
    span numbers[GAPS_MAX];
    label found;
    size_t label_end = label_begins(text, &found) ? found.end : 0;
    if (strpbrk(text, "\n") || strlen(text) < GAP_MIN_BYTES)
        return;
    size_t count = caption_numbers(text, numbers, GAPS_MAX);
    for (size_t i = 0; i < count; i++) {
        bool apart = numbers[i].start >= label_end;
        for (size_t d = 0; d < date_count; d++)
            apart &= numbers[i].end <= dates[d].start || numbers[i].start >= dates[d].end;
        if (apart)
            gap(c, text, numbers[i]);
    }
    for (size_t d = 0; d < date_count; d++)
        if (dates[d].start >= label_end)
            gap(c, text, dates[d]);
    if (country)
        gap(c, text, *country);
}

static void ask_for(candidates *c, phrase_topic topic, span at) {
    candidate item = candidate_of(c, topic, cut(c, c->subject->text, at));
    item.neutral = topic == PHRASE_DATE && at.end - at.start == 4; /* a bare year */
    if (item.text)
        candidates_add(c, &item);
}

void make_of_caption(candidates *c) {
    const char *text = c->subject->text;
    const pair *p = c->subject->pair;
    span dates[DATES_MAX], country;
    bool of_picture = p && (p->origin == PAIR_CAPTION || p->origin == PAIR_DESCRIPTION);
    if (!*text || !c->language || (p && !of_picture))
        return;
    size_t date_count = caption_dates(c->language, text, dates, DATES_MAX);
    bool has_country = caption_country(c->language, text, &country);
    gaps(c, dates, date_count, has_country ? &country : NULL);
    if (!p || p->origin != PAIR_CAPTION) /* what is asked for is in "the caption" */
        return;
    if (date_count == 1)
        ask_for(c, PHRASE_DATE, dates[0]);
    if (has_country)
        ask_for(c, PHRASE_COUNTRY, country);
}
