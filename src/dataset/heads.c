/* heads.c — running heads and feet, page numbers, and paragraphs that go on over a page.
 *
 * What stands in the margin of several pages at the same height, alike but for numbers that
 * count with the pages, is of the page and not of the text: it stays a part (whoever looks at
 * the page's picture must know what is there) of a kind of its own, behind the text of its
 * page.
 *
 *   collect       what stands in margins → sightings
 *   is_running    whether a group of sightings that are alike is that
 *   parts_heads   the contract */
#include "dataset/parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum {
    KEY_SIZE = 240,
    NUMBERS = 4, /* of a text that are looked at */
    PAGES_LEAST = 3,
    FEW_PAGES = 4, /* of a document: twice is enough */
};
static const double TOP = 0.13, BOTTOM = 0.89, SIDE = 0.07; /* margins, shares of the page */
static const double SAME_PLACE = 0.008, SAME_PLACE_OCR = 0.016; /* … of its height */

static const double COUNTING = 0.8; /* of them, where numbers count with the pages */
static const double REGULAR = 0.6;  /* of them follow on the one before */
static const double COVERAGE = 0.4; /* of the pages have a head with words that counts */

typedef struct sighting {
    char key[KEY_SIZE]; /* margin, text with # for each number */
    long numbers[NUMBERS];
    size_t number_count, part;
    double place; /* 0 … 1 down the page, or across it in a side's margin */
    uint32_t page;
    bool words;
} sighting;

/* ---- what stands in margins ----------------------------------------------------------------
 */

static char margin_of(const vl_box *box, const vl_parts_page *page) {
    double height = page->height, width = page->width;
    if (box->y + box->height <= TOP * height)
        return 't';
    if (box->y >= BOTTOM * height)
        return 'b';
    if (box->x + box->width <= SIDE * width || box->x >= (1 - SIDE) * width)
        return 's';
    return 0;
}

/* "xiv" → 14; 0: it is no Roman number. */
static long roman_value(const char *text) {
    static const char letters[] = "ivxlcdm";
    static const long values[] = {1, 5, 10, 50, 100, 500, 1000};
    long sum = 0, before = 0;
    size_t length = strlen(text);
    for (size_t i = length; i-- > 0 && length < 16;) {
        const char *at = strchr(letters, text[i] | 0x20);
        if (!at || !*at)
            return 0;
        long value = values[at - letters];
        sum += value < before ? -value : value;
        before = value > before ? value : before;
    }
    return length < 16 ? sum : 0;
}

static void put_key(sighting *s, size_t *used, UChar32 c) {
    uint8_t bytes[U8_MAX_LENGTH];
    int32_t count = 0;
    U8_APPEND_UNSAFE(bytes, count, (uint32_t)c);
    if (*used + (size_t)count < sizeof s->key) {
        memcpy(s->key + *used, bytes, (size_t)count);
        *used += (size_t)count;
    }
}

/* Letters in lower case, a # for a number, no white space. */
static void take_key(sighting *s, char margin, const char *text) {
    int32_t bytes = (int32_t)strnlen(text, 4 * KEY_SIZE);
    size_t used = 0;
    bool number = false;
    put_key(s, &used, margin);
    for (int32_t at = 0; at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        int32_t digit = u_charDigitValue(c);
        if (digit < 0) {
            number = false;
            s->words |= u_isalpha(c) != 0;
            if (!u_isUWhiteSpace(c))
                put_key(s, &used, u_tolower(c));
            continue;
        }
        if (!number) {
            put_key(s, &used, '#');
            if (s->number_count < NUMBERS)
                s->numbers[s->number_count++] = 0;
        }
        number = true;
        long *value = s->number_count ? &s->numbers[s->number_count - 1] : NULL;
        if (value && *value < 100000000)
            *value = *value * 10 + digit;
    }
    long roman = roman_value(text);
    if (roman) {
        snprintf(s->key, sizeof s->key, "%c#", margin);
        s->numbers[0] = roman;
        s->number_count = 1;
        s->words = false;
    }
}

static bool take_sighting(const vl_parts *all, size_t index, sighting *s) {
    const vl_part *part = &all->parts[index];
    const vl_parts_page *page = &all->pages[part->page];
    bool picture = vl_part_is_picture(part->kind);
    char margin = part->has_box && page->height ? margin_of(&part->box, page) : 0;
    *s = (sighting){.part = index, .page = part->page};
    if (!margin || part->kind == VL_PART_TABLE || (picture && part->caption != VL_PART_NONE))
        return false;
    s->place = margin == 's' ? (part->box.x + part->box.width / 2.0) / page->width
                             : (part->box.y + part->box.height / 2.0) / page->height;
    if (picture) /* of about one size, at one place across the page */
        snprintf(s->key, sizeof s->key, "%c\x01%.0f,%.0f,%.0f", margin,
                 50.0 * part->box.x / page->width, 50.0 * part->box.width / page->width,
                 50.0 * part->box.height / page->height);
    else
        take_key(s, margin, part->text);
    return true;
}

/* ---- what is alike -------------------------------------------------------------------------
 */

static int by_key_and_place(const void *x, const void *y) {
    const sighting *a = x, *b = y;
    int order = strcmp(a->key, b->key);
    if (!order)
        order = (a->place > b->place) - (a->place < b->place);
    return order ? order : (a->part > b->part) - (a->part < b->part);
}

static size_t pages_of(const sighting *group, size_t count) {
    size_t pages = 0;
    for (size_t i = 0; i < count; i++) {
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = group[k].page == group[i].page;
        pages += !seen;
    }
    return pages;
}

static int by_page(const void *x, const void *y) {
    const sighting *a = x, *b = y;
    int order = (a->page > b->page) - (a->page < b->page);
    return order ? order : (a->part > b->part) - (a->part < b->part);
}

/* The share of them, in the order of pages, whose number `n` goes on counting with the pages
 * from the one before or to the one after: sections may count anew. */
static double share_counting(const sighting *group, size_t count, size_t n) {
    size_t counting = 0;
    for (size_t i = 0; i < count; i++) {
        long away = group[i].numbers[n] - (long)group[i].page;
        counting +=
            (i && group[i - 1].numbers[n] - (long)group[i - 1].page == away) ||
            (i + 1 < count && group[i + 1].numbers[n] - (long)group[i + 1].page == away);
    }
    return (double)counting / (double)count;
}

static bool is_constant(const sighting *group, size_t count, size_t n) {
    for (size_t i = 1; i < count; i++)
        if (group[i].numbers[n] != group[0].numbers[n])
            return false;
    return true;
}

typedef enum likeness { DIFFERENT, COUNTS, EQUAL } likeness;

static likeness likeness_of(const sighting *group, size_t count) {
    likeness all = EQUAL;
    for (size_t n = 0; n < group[0].number_count; n++) {
        if (is_constant(group, count, n))
            continue;
        if (share_counting(group, count, n) < COUNTING)
            return DIFFERENT;
        all = COUNTS;
    }
    return all;
}

/* Whether most stand on the next page, or on the next but one, from the one before. */
static bool is_regular(const sighting *group, size_t count) {
    size_t near = 0;
    for (size_t i = 1; i < count; i++)
        near += group[i].page - group[i - 1].page <= 2;
    return (double)near >= REGULAR * (double)(count - 1);
}

/* What says the same on one page after the other is running; words with a number that counts
 * might be titles of chapters, and must be on many. */
static bool is_running(sighting *group, size_t count, size_t page_count) {
    size_t pages = pages_of(group, count);
    if (pages < 2 || (pages < PAGES_LEAST && page_count > FEW_PAGES))
        return false;
    qsort(group, count, sizeof *group, by_page);
    switch (likeness_of(group, count)) {
    case EQUAL:
        return is_regular(group, count);
    case COUNTS:
        return !group[0].words || (double)pages >= COVERAGE * (double)page_count;
    case DIFFERENT:
        break;
    }
    return false;
}

static void mark(vl_parts *all, const sighting *group, size_t count) {
    for (size_t i = 0; i < count; i++) {
        vl_part *part = &all->parts[group[i].part];
        part->kind = VL_PART_RUNNING;
        part->level = 0;
    }
}

enum { GROUP_MAX = 4000 }; /* pages are fewer; what is more is looked at in pieces */

static void mark_groups(vl_parts *all, sighting *items, size_t count) {
    for (size_t from = 0, to; from < count; from = to) {
        bool ocr = all->pages[items[from].page].ocr;
        double near = ocr ? SAME_PLACE_OCR : SAME_PLACE;
        for (to = from + 1;
             to < count && to - from < GROUP_MAX && !strcmp(items[to].key, items[from].key) &&
             items[to].place - items[from].place <= near;
             to++)
            ;
        if (is_running(items + from, to - from, all->page_count))
            mark(all, items + from, to - from);
    }
}

/* ---- behind the text -----------------------------------------------------------------------
 */

/* Running parts go behind the others of their page. */
static vl_status reorder(parts_builder *b) {
    vl_parts *all = b->out;
    size_t count = all->part_count, used = 0;
    vl_part *old = malloc(count * sizeof *old);
    size_t *place = malloc(count * sizeof *place);
    if (!old || !place) {
        free(old);
        free(place);
        return b->status = vl_fail(b->error, VL_ERR_MEMORY, "out of memory");
    }
    memcpy(old, all->parts, count * sizeof *old);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && old[to].page == old[from].page; to++)
            ;
        for (int running = 0; running < 2; running++)
            for (size_t i = from; i < to; i++)
                if ((old[i].kind == VL_PART_RUNNING) == running) {
                    place[i] = used;
                    all->parts[used++] = old[i];
                }
    }
    for (size_t i = 0; i < count; i++)
        if (all->parts[i].caption < count)
            all->parts[i].caption = place[all->parts[i].caption];
    free(old);
    free(place);
    return VL_OK;
}

/* ---- over the page -------------------------------------------------------------------------
 */

/* The last character but closing quotes and brackets, and the one before it; 0: none. */
static UChar32 last_character(const char *text, UChar32 *before) {
    int32_t at = (int32_t)strlen(text);
    *before = 0;
    while (at > 0) {
        UChar32 c;
        U8_PREV_OR_FFFD((const uint8_t *)text, 0, at, c);
        int8_t type = u_charType(c);
        if (type != U_FINAL_PUNCTUATION && type != U_END_PUNCTUATION && c != '"' && c != '\'') {
            if (at > 0)
                U8_PREV_OR_FFFD((const uint8_t *)text, 0, at, *before);
            return c;
        }
    }
    return 0;
}

enum { OPEN_BYTES = 40 };

static bool is_open(const vl_part *part) {
    UChar32 before, last = last_character(part->text, &before);
    bool ends = (last == '-' && !u_isalpha(before)) ||
                u_hasBinaryProperty(last, UCHAR_S_TERM) || last == ':' || last == ';' ||
                last == 0x2026 || last == 0x1361 + 1;
    return (part->kind == VL_PART_PARAGRAPH || part->kind == VL_PART_LIST) && !ends &&
           strlen(part->text) >= OPEN_BYTES;
}

/* A note at the foot of a page begins with its sign, "12 See", where a paragraph's number has a
 * point. */
static bool is_note(const vl_part *part, const vl_parts_page *page) {
    static const char *const signs[] = {"*", "†", "‡", "§"};
    size_t digits = strspn(part->text, "0123456789");
    bool sign = digits && digits < 4 && part->text[digits] == ' ';
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        sign |= !strncmp(part->text, signs[i], strlen(signs[i]));
    return sign && part->box.y > 0.5 * page->height && part->kind != VL_PART_HEADING;
}

/* Whether their lines begin and end alike, as those of a paragraph do. */
static bool is_as_wide(const vl_part *part, const vl_part *next, double off) {
    double wider = fmax(part->box.width, next->box.width);
    return abs(part->box.width - next->box.width) <= off * wider;
}

/* Whether `next` can be in the middle of a sentence. One that does not begin in lower case, or
 * in a script without cases, must be a line long and no wider or narrower. */
static bool goes_on(const vl_part *part, const vl_part *next) {
    enum { LINE_BYTES = 80 };
    UChar32 c;
    int32_t at = 0, bytes = (int32_t)strlen(next->text);
    if (next->kind != VL_PART_PARAGRAPH || !bytes ||
        strcmp(vl_text_script(part->text, NULL), vl_text_script(next->text, NULL)) != 0)
        return false;
    U8_NEXT_OR_FFFD((const uint8_t *)next->text, at, bytes, c);
    if (u_islower(c))
        return is_as_wide(part, next, 0.1);
    return u_isalpha(c) && bytes >= LINE_BYTES && is_as_wide(part, next, 0.03);
}

/* The highest part of the text of a page that is at least half as wide as `width`; `to`: none.
 * What is narrower are numbers of headings, which stand beside them. */
static size_t highest_text(const vl_parts *all, size_t from, size_t to, int32_t width) {
    size_t highest = to;
    for (size_t i = from; i < to; i++) {
        const vl_part *part = &all->parts[i];
        if (part->has_box && part->kind != VL_PART_RUNNING && 2 * part->box.width >= width &&
            (highest == to || part->box.y < all->parts[highest].box.y))
            highest = i;
    }
    return highest;
}

/* Where the notes at the foot of a page begin: at a line of underscores, if there is one. */
static int32_t notes_from(const vl_parts *all, size_t from, size_t to) {
    const vl_parts_page *page = &all->pages[all->parts[from].page];
    for (size_t i = from; i < to; i++) {
        const char *text = all->parts[i].text;
        if (strlen(text) >= 5 && strspn(text, "_-—– ") == strlen(text) &&
            all->parts[i].box.y > 0.4 * page->height)
            return all->parts[i].box.y;
    }
    return INT32_MAX;
}

static int32_t bottom_of(const vl_part *part) {
    return part->box.y + part->box.height;
}

/* The lowest part of the text of a page, notes left out; `to`: none. */
static size_t lowest_text(const vl_parts *all, size_t from, size_t to) {
    const vl_parts_page *page = &all->pages[all->parts[from].page];
    int32_t notes = notes_from(all, from, to);
    size_t lowest = to;
    for (size_t i = from; i < to; i++) {
        const vl_part *part = &all->parts[i];
        if (part->has_box && part->kind != VL_PART_RUNNING && part->box.y < notes &&
            !is_note(part, page) &&
            (lowest == to || bottom_of(part) >= bottom_of(&all->parts[lowest])))
            lowest = i;
    }
    return lowest;
}

/* Parts [from, to) of one page, [to, end) of the next. */
static void link_pages(vl_parts *all, size_t from, size_t to, size_t end) {
    size_t last = lowest_text(all, from, to);
    if (last == to || !is_open(&all->parts[last]))
        return;
    size_t next = highest_text(all, to, end, all->parts[last].box.width);
    if (next == end || !goes_on(&all->parts[last], &all->parts[next]))
        return;
    all->parts[last].goes_on = next;
    all->parts[next].continues = true;
}

static void link_all(vl_parts *all) {
    size_t count = all->part_count;
    for (size_t from = 0, to, end; from < count; from = to) {
        for (to = from; to < count && all->parts[to].page == all->parts[from].page; to++)
            ;
        for (end = to; end < count && all->parts[end].page == all->parts[to].page; end++)
            ;
        if (to < count && all->parts[to].page == all->parts[from].page + 1)
            link_pages(all, from, to, end);
    }
}

vl_status parts_heads(parts_builder *b) {
    vl_parts *all = b->out;
    size_t count = 0;
    if (b->status || all->page_count < 2 || !all->part_count)
        return b->status;
    sighting *items = malloc(all->part_count * sizeof *items);
    if (!items)
        return b->status = vl_fail(b->error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < all->part_count; i++)
        count += take_sighting(all, i, &items[count]);
    qsort(items, count, sizeof *items, by_key_and_place);
    mark_groups(all, items, count);
    free(items);
    if (!reorder(b))
        link_all(all);
    return b->status;
}
