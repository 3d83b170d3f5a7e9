/* instruct_caption.c — questions that the words of a caption or passage answer: the date and
 * the country that it names, and what stood in a gap of it.
 *
 * Only what can be taken one way is asked: a caption with two dates is not asked for its date.
 */
#include "dataset/instruct_make.h"

#include "dataset/labels.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { GAP_TEXT_BYTES = 400, GAPS_MAX = 4, GAP_MIN_LETTERS = 25 };

typedef struct span {
    size_t start, end; /* bytes */
} span;

/* ---- numbers in running text ------------------------------------------------------------ */

static UChar32 character_at(const char *text, size_t bytes, size_t *at) {
    int32_t next = (int32_t)*at;
    UChar32 c;
    U8_NEXT_OR_FFFD((const uint8_t *)text, next, (int32_t)bytes, c);
    *at = (size_t)next;
    return c;
}

static bool separates_digits(UChar32 c) {
    return c == '.' || c == ',' || c == 0x66B || c == 0x66C || c == 0xA0 || c == 0x202F;
}

/* The number that begins at `start`, with its percent sign; false where a letter, a hyphen or a
 * stroke joins it to something else, as in "COVID-19", "3rd" and "12/5". */
static bool number_at(const char *text, size_t bytes, size_t start, span *found) {
    size_t at = start, end = start;
    UChar32 c = 0, before = 0;
    while (at < bytes) {
        before = c;
        size_t next = at;
        c = character_at(text, bytes, &next);
        if (u_isdigit(c))
            end = next;
        else if (!(separates_digits(c) && u_isdigit(before)))
            break;
        at = next;
    }
    at = end;
    c = at < bytes ? character_at(text, bytes, &at) : ' ';
    if (c == '%' || c == 0x66A) {
        end = at;
        c = at < bytes ? character_at(text, bytes, &at) : ' ';
    }
    *found = (span){start, end};
    return !u_isalpha(c) && !strchr("-/:%+*", c < 128 ? (int)c : ' ');
}

/* Calls for each number that stands alone. */
static size_t numbers_in(const char *text, span *found, size_t most) {
    size_t bytes = strlen(text), count = 0;
    UChar32 before = ' ';
    for (size_t at = 0; at < bytes && count < most;) {
        size_t start = at;
        UChar32 c = character_at(text, bytes, &at);
        if (!u_isdigit(c)) {
            before = c;
            continue;
        }
        bool joined = u_isalpha(before) || (before < 128 && strchr("-/:.,+#@_", (int)before));
        bool alone = number_at(text, bytes, start, &found[count]);
        at = found[count].end;
        before = '0';
        count += alone && !joined;
    }
    return count;
}

/* ---- gaps ------------------------------------------------------------------------------- */

/* The text with a gap, of at most GAP_TEXT_BYTES; NULL: it is too long. */
static const char *with_gap(candidates *c, const char *text, span gap) {
    if (strlen(text) > GAP_TEXT_BYTES)
        return NULL;
    return candidates_print(c, "%.*s____%s", (int)gap.start, text, text + gap.end);
}

static void gaps(candidates *c) {
    const char *text = c->subject->text;
    span numbers[GAPS_MAX];
    label found;
    size_t label_end = label_begins(text, &found) ? found.end : 0;
    size_t count = numbers_in(text, numbers, GAPS_MAX);
    if (strpbrk(text, "\n") || strlen(text) < GAP_MIN_LETTERS)
        return;
    for (size_t i = 0; i < count; i++) {
        const char *gapped =
            numbers[i].start < label_end ? NULL : with_gap(c, text, numbers[i]);
        if (!gapped)
            continue;
        candidate item =
            candidate_of(c, PHRASE_GAP,
                         candidates_print(c, "%.*s", (int)(numbers[i].end - numbers[i].start),
                                          text + numbers[i].start));
        item.values.values[PHRASE_TEXT_ARG] = gapped;
        if (item.text)
            candidates_add(c, &item);
    }
}

void make_of_caption(candidates *c) {
    if (*c->subject->text)
        gaps(c);
}
