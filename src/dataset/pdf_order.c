/* pdf_order.c — poppler's words of lines from right to left, in the order they are read.
 *
 * Poppler gives what stands on the page, from the left to the right: words are cut at gaps and
 * at changes of the font, letters within them stand as they look, and a line falls apart where
 * letters lie over each other (a lam and its alef). Numbers, brackets and punctuation can only
 * be put in order on the line as a whole, so each line is laid out as it looks, made logical by
 * UAX #9 and cut into words anew:
 *
 *   gather_rows      words → rows: what stands on one line of the page
 *   find_directions  … from the letters; of rows without any, from those around
 *   find_paragraphs  rows that poppler left apart, since they are aligned on the right
 *   brackets_mean    what its brackets are: what they look like, or what they mean
 *   order_row        one row's words, logical
 *
 * Rows without a letter from right to left in pages from left to right are left as they are. */
#include "dataset/pdf_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

/* Of a line's height. */
static const double LETTER_GAP = 0.09; /* spaces between words are wider, gaps of letters not */
static const double PIECE_GAP =
    0.35;                           /* between pieces of one line; columns are further apart */
static const double COLUMN_GAP = 2; /* what is further apart is read apart: cells */
static const double EDGE = 0.5;     /* lines whose edges are no further apart are aligned */
static const double SPACE_MIN = -0.6, SPACE_TIGHT = 0.2, SPACE_MAX = 0.9; /* between lines */
static const double SPACE_SAME = 0.25; /* what it may grow by within a paragraph */
static const double HEIGHTS = 2; /* ratio: fonts of one size differ; layout looks at the ink */

enum { ROWS_NEAR = 100, LETTERS_MAX = 40 }; /* more are not looked at */
/* Letters from left to right for each that is not, in a line of a page from right to left. */
enum { OTHERS_MAX = 8 };
enum { ALEF = 0x627, LAM = 0x644, ALEF_MAKSURA = 0x649, LRM = 0x200E };

/* What stands on one line of the page. */
typedef struct row {
    size_t first, count;   /* its words, from the left */
    double x0, y0, x1, y1; /* points */
    size_t right, left;    /* letters from right to left, and from left to right */
    bool rtl, arabic;      /* its direction; whether numbers follow letters of type AL */
    bool goes_on;          /* of the paragraph that the row before it belongs to */
    size_t block;
} row;

/* ---- letters ------------------------------------------------------------------------------
 */

static bool is_right(UChar32 c) {
    UCharDirection way = u_charDirection(c);
    return way == U_RIGHT_TO_LEFT || way == U_RIGHT_TO_LEFT_ARABIC;
}

static void count_letters(row *r, const char *text) {
    int32_t length = (int32_t)strlen(text), at = 0;
    UChar32 c;
    while (at < length) {
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, length, c);
        r->right += is_right(c);
        r->left += u_charDirection(c) == U_LEFT_TO_RIGHT;
        r->arabic = r->arabic || u_charDirection(c) == U_RIGHT_TO_LEFT_ARABIC;
    }
}

/* 1: an opening bracket; -1: a closing one. */
static int bracket(uint32_t c) {
    int8_t type = u_charType((UChar32)c);
    if (!u_isMirrored((UChar32)c))
        return 0;
    return (type == U_START_PUNCTUATION || type == U_INITIAL_PUNCTUATION) -
           (type == U_END_PUNCTUATION || type == U_FINAL_PUNCTUATION);
}

/* Brackets that no other one belongs to; `depth` is of those that are open. */
static void follow_bracket(int way, size_t *depth, size_t *lone) {
    *depth += way > 0;
    if (way < 0 && *depth)
        --*depth;
    else
        *lone += way < 0;
}

static bool is_alef(uint32_t c) {
    return c == ALEF || c == 0x622 || c == 0x623 || c == 0x625;
}

/* ---- rows ---------------------------------------------------------------------------------
 */

static void take_word(row *r, const pdf_word *word) {
    r->x0 = fmin(r->x0, word->x0);
    r->y0 = fmin(r->y0, word->y0);
    r->x1 = fmax(r->x1, word->x1);
    r->y1 = fmax(r->y1, word->y1);
    r->count++;
    count_letters(r, word->text);
}

static double height_of(const row *r) {
    return fmax(r->y1 - r->y0, 1e-3);
}

/* Whether poppler took pieces of one line from right to left for two. */
static bool is_piece(const row *a, const row *b) {
    double height = fmin(height_of(a), height_of(b));
    double common = fmin(a->y1, b->y1) - fmax(a->y0, b->y0);
    double gap = fmax(b->x0 - a->x1, a->x0 - b->x1);
    return a->right + b->right > 0 && common > 0.6 * height && gap < PIECE_GAP * height &&
           gap > -height;
}

static void join_pieces(row *a, const row *b) {
    a->x0 = fmin(a->x0, b->x0);
    a->y0 = fmin(a->y0, b->y0);
    a->x1 = fmax(a->x1, b->x1);
    a->y1 = fmax(a->y1, b->y1);
    a->count += b->count;
    a->right += b->right;
    a->left += b->left;
    a->arabic = a->arabic || b->arabic;
}

static size_t gather_rows(const pdf_page_text *page, row *rows) {
    size_t count = 0;
    for (size_t i = 0; i < page->count;) {
        const pdf_word *first = &page->words[i];
        row *r = &rows[count];
        *r = (row){.first = i,
                   .x0 = first->x0,
                   .y0 = first->y0,
                   .x1 = first->x1,
                   .y1 = first->y1,
                   .block = first->block};
        for (; i < page->count && page->words[i].line == first->line; i++)
            take_word(r, &page->words[i]);
        if (count && is_piece(&rows[count - 1], r))
            join_pieces(&rows[count - 1], r);
        else
            count++;
    }
    return count;
}

static void find_directions(row *rows, size_t count) {
    size_t right = 0, left = 0;
    for (size_t i = 0; i < count; i++) {
        right += rows[i].right;
        left += rows[i].left;
    }
    for (size_t i = 0; i < count; i++) {
        row *r = &rows[i];
        r->rtl = r->right > r->left || (right > left && r->right * OTHERS_MAX >= r->left);
    }
}

/* ---- paragraphs ---------------------------------------------------------------------------
 */

static bool near(double a, double b, double ratio) {
    return a < b * ratio && b < a * ratio;
}

/* Where lines that end on the right where `r` does begin on the left. */
static double margin_of(const row *rows, size_t count, const row *r) {
    double margin = r->x0;
    size_t at = (size_t)(r - rows), to = count - at > ROWS_NEAR ? at + ROWS_NEAR : count;
    for (size_t i = at > ROWS_NEAR ? at - ROWS_NEAR : 0; i < to; i++)
        if (rows[i].rtl && fabs(rows[i].x1 - r->x1) < EDGE * height_of(r))
            margin = fmin(margin, rows[i].x0);
    return margin;
}

/* The width of the row's first word: letters, from the right, up to a space. */
static double first_word(const pdf_page_text *page, const row *r) {
    double begins = r->x1;
    bool more = true;
    for (size_t letters = 0; more && letters < LETTERS_MAX; letters++) {
        more = false;
        for (size_t i = r->first; i < r->first + r->count; i++) {
            const pdf_word *word = &page->words[i];
            if (word->x0 < begins && word->x1 > begins - LETTER_GAP * height_of(r)) {
                begins = word->x0;
                more = true;
            }
        }
    }
    return r->x1 - begins;
}

/* Whether `b` goes on with what `a`, over it, says: its first word had no room there. `space`
 * is that between the lines before, NAN: there are none. */
static bool goes_on(const pdf_page_text *page, const row *rows, size_t count, const row *a,
                    const row *b, double space) {
    double height = fmin(height_of(a), height_of(b)), far = b->y0 - a->y1;
    double word = first_word(page, b);
    if (!a->rtl || !b->rtl || !near(height_of(a), height_of(b), HEIGHTS) ||
        far < SPACE_MIN * height || far > SPACE_MAX * height ||
        far > space + SPACE_SAME * height)
        return false;
    bool centred = fabs(a->x0 + a->x1 - b->x0 - b->x1) < EDGE * height &&
                   fabs(a->x1 - b->x1) > LETTER_GAP * height;
    if (centred && far < SPACE_TIGHT * height && a->x1 - a->x0 + word >= b->x1 - b->x0)
        return true;
    bool indented = isnan(space) && b->x1 > a->x1 && b->x1 - a->x1 < 3 * height;
    if (fabs(a->x1 - b->x1) > EDGE * height && !indented)
        return false;
    return a->x0 - margin_of(rows, count, b) < word + 0.3 * height;
}

/* Blocks anew: poppler's, joined where they are one paragraph. */
static void find_paragraphs(const pdf_page_text *page, row *rows, size_t count) {
    double space = NAN;
    for (size_t i = 1; i < count; i++) {
        row *a = &rows[i - 1], *b = &rows[i];
        size_t from = page->words[a->first].block;
        bool same = page->words[b->first].block == from;
        b->goes_on = same || goes_on(page, rows, count, a, b, space);
        if (b->goes_on)
            b->block = a->block;
        space = b->goes_on ? b->y0 - a->y1 : NAN;
    }
}

/* ---- brackets -----------------------------------------------------------------------------
 */

/* Most programs write what a bracket means, some what it looks like; on a page from right to
 * left it is one or the other. Whether more come in pairs as what they mean. */
static bool brackets_mean(const pdf_page_text *page, const row *rows, size_t count) {
    size_t depth[2] = {0}, lone[2] = {0};
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].rtl)
            continue;
        for (size_t k = rows[i].first; k < rows[i].first + rows[i].count; k++) {
            const char *text = page->words[k].text;
            int32_t length = (int32_t)strlen(text), at = 0;
            UChar32 c;
            while (at < length) {
                U8_NEXT_OR_FFFD((const uint8_t *)text, at, length, c);
                follow_bracket(bracket((uint32_t)c), &depth[0], &lone[0]);
                follow_bracket(-bracket((uint32_t)c), &depth[1], &lone[1]);
            }
        }
        for (size_t k = 0; k < 2; k++) {
            lone[k] += depth[k];
            depth[k] = 0;
        }
    }
    return lone[1] <= lone[0];
}

/* ---- one row ------------------------------------------------------------------------------
 */

/* A row's characters, as they look and as they are read; `owner` is the word each is of. */
typedef struct string {
    uint32_t *visual, *logical;
    size_t *owner, *from, count, room;
} string;

static bool make_string(string *s, const pdf_page_text *page, const row *r, vl_arena *arena) {
    *s = (string){.room = 2};
    for (size_t i = r->first; i < r->first + r->count; i++)
        s->room += strlen(page->words[i].text) + 3;
    s->visual = vl_arena_array(arena, s->room, sizeof *s->visual);
    s->logical = vl_arena_array(arena, s->room, sizeof *s->logical);
    s->owner = vl_arena_array(arena, s->room, sizeof *s->owner);
    s->from = vl_arena_array(arena, s->room, sizeof *s->from);
    return s->visual && s->logical && s->owner && s->from;
}

static void put(string *s, UChar32 c, size_t owner) {
    s->owner[s->count] = owner;
    s->visual[s->count++] = (uint32_t)c;
}

/* One glyph of two letters, which poppler keeps in their order, is turned. */
static void put_word(string *s, const char *text, size_t owner) {
    int32_t length = (int32_t)strlen(text), at = 0;
    size_t from = s->count;
    UChar32 c;
    while (at < length) {
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, length, c);
        if (!vl_text_steers((uint32_t)c))
            put(s, c, owner);
    }
    uint32_t *end = s->visual + from;
    if (s->count == from + 2 && end[0] == LAM && (is_alef(end[1]) || end[1] == ALEF_MAKSURA)) {
        end[0] = end[1];
        end[1] = LAM;
    }
}

static bool is_latin(const char *text) {
    return strcmp(vl_text_script(text, NULL), "Zyyy") != 0 && !vl_text_is_rtl(text);
}

/* What stands between two words of a row, of which those on the left end at `end`: nothing, a
 * space or, between columns, a tab. */
static UChar32 between(const row *r, const pdf_word *left, double end, const pdf_word *right) {
    double gap = right->x0 - end, height = right->y1 - right->y0;
    if (gap > COLUMN_GAP * height)
        return '\t';
    if (gap >= LETTER_GAP * height || gap <= -height)
        return ' ';
    bool both = vl_text_is_rtl(left->text) && vl_text_is_rtl(right->text);
    bool parted = r->rtl ? is_latin(left->text) && is_latin(right->text) : !both;
    return parted ? ' ' : 0;
}

static bool is_digit(uint32_t c) {
    return u_charDirection((UChar32)c) == U_EUROPEAN_NUMBER;
}

/* A telephone number whose "+" stands left of it was drawn from the left to the right: it is
 * put between marks that say so. `s` is made anew. */
static void mark_telephones(string *s) {
    for (size_t i = 0; i + 1 < s->count; i++) {
        bool begins = s->visual[i] == '+' && is_digit(s->visual[i + 1]) &&
                      (!i || s->visual[i - 1] == ' ' || s->visual[i - 1] == '\t');
        size_t end = i + 1;
        while (
            begins && end < s->count &&
            (is_digit(s->visual[end]) || ((s->visual[end] == ' ' || s->visual[end] == '-') &&
                                          end + 1 < s->count && is_digit(s->visual[end + 1]))))
            end++;
        if (!begins || s->count + 3 > s->room)
            continue;
        memmove(s->visual + end + 2, s->visual + end, (s->count - end) * sizeof *s->visual);
        memmove(s->owner + end + 2, s->owner + end, (s->count - end) * sizeof *s->owner);
        memmove(s->visual + i + 1, s->visual + i, (end - i) * sizeof *s->visual);
        memmove(s->owner + i + 1, s->owner + i, (end - i) * sizeof *s->owner);
        s->visual[i] = s->visual[end + 1] = LRM;
        s->owner[i] = s->owner[end + 1] = SIZE_MAX;
        s->count += 2;
        i = end + 1;
    }
}

static int by_place(const void *x, const void *y) {
    const pdf_word *a = x, *b = y;
    if (a->x0 != b->x0)
        return a->x0 < b->x0 ? -1 : 1;
    return (a->x1 > b->x1) - (a->x1 < b->x1);
}

static bool is_mark(const char *text) {
    UChar32 c;
    U8_GET_OR_FFFD((const uint8_t *)text, 0, 0, (int32_t)strlen(text), c);
    return u_charType(c) == U_NON_SPACING_MARK;
}

/* From the left; a mark that was drawn before its letter, and left of it, goes behind it. */
static void sort_words(pdf_word *words, size_t count) {
    double end = -INFINITY;
    qsort(words, count, sizeof *words, by_place);
    for (size_t i = 0; i < count; end = fmax(end, words[i++].x1)) {
        if (i + 1 == count || !is_mark(words[i].text) || is_mark(words[i + 1].text) ||
            end >= words[i].x0 ||
            words[i + 1].x0 - words[i].x1 > words[i + 1].x1 - words[i + 1].x0)
            continue;
        pdf_word mark = words[i];
        words[i] = words[i + 1];
        words[i + 1] = mark;
        end = fmax(end, words[i++].x1);
    }
}

/* Behind letters of type AL a number is another one (UAX #9, W2), also where they stand at the
 * end of the line before: an alef stands for them. */
static void lay_out(string *s, const pdf_page_text *page, const row *r) {
    const pdf_word *words = page->words + r->first;
    double end = words[0].x1;
    for (size_t i = 0; i < r->count; i++) {
        UChar32 space = i ? between(r, &words[i - 1], end, &words[i]) : 0;
        if (space)
            put(s, space, SIZE_MAX);
        put_word(s, words[i].text, r->first + i);
        end = fmax(end, words[i].x1);
    }
    if (r->rtl && s->count < VL_DIRECTION_MAX)
        mark_telephones(s);
    if (r->rtl && r->goes_on && r->arabic)
        put(s, ALEF, SIZE_MAX);
}

static void put_character(vl_buf *out, uint32_t c) {
    uint8_t bytes[U8_MAX_LENGTH];
    int32_t length = 0;
    U8_APPEND_UNSAFE(bytes, length, c);
    vl_buf_append(out, bytes, (size_t)length);
}

/* A glyph of lam and alef within a word that stands as it looks is in its order, and comes out
 * turned. Where that gives what no word has, it is turned back. */
static void mend_ligatures(string *s) {
    for (size_t i = 0; i + 1 < s->count; i++) {
        uint32_t *c = s->logical + i;
        size_t owner = s->owner[s->from[i]];
        bool one = owner == s->owner[s->from[i + 1]] && owner != SIZE_MAX;
        bool alefs = i + 2 < s->count && c[0] == ALEF && is_alef(c[1]) && c[2] == LAM &&
                     owner == s->owner[s->from[i + 2]];
        if (!one || !(alefs || (c[0] == ALEF_MAKSURA && c[1] == LAM)))
            continue;
        uint32_t *at = alefs ? c + 1 : c, other = at[0];
        at[0] = at[1];
        at[1] = other;
    }
}

/* Cuts the logical string into words, each with the box of all that it has letters of; they are
 * no more than there were. False: the arena is full. */
static bool cut_words(const string *s, const pdf_word *words, vl_arena *arena, pdf_word *out,
                      size_t *count) {
    vl_buf text;
    vl_buf_init(&text, 4 * s->room + 16);
    for (size_t i = 0; i <= s->count; i++) {
        size_t owner = i < s->count ? s->owner[s->from[i]] : SIZE_MAX;
        uint32_t c = i < s->count ? s->logical[i] : ' ';
        if (owner != SIZE_MAX) {
            pdf_word *word = &out[*count];
            const pdf_word *of = &words[owner];
            if (!text.len)
                *word = *of;
            word->x0 = fmin(word->x0, of->x0);
            word->y0 = fmin(word->y0, of->y0);
            word->x1 = fmax(word->x1, of->x1);
            word->y1 = fmax(word->y1, of->y1);
            put_character(&text, c);
        } else if ((c == ' ' || c == '\t') && text.len) {
            if (!(out[(*count)++].text = vl_text_nfc(arena, text.data)))
                break;
            vl_buf_clear(&text);
        }
    }
    bool whole = !text.len;
    vl_buf_deinit(&text);
    return whole;
}

static size_t lone_brackets(const string *s, bool mean) {
    size_t depth = 0, lone = 0;
    for (size_t i = 0; i < s->count; i++)
        follow_bracket(bracket(mean ? s->visual[s->from[i]] : s->logical[i]), &depth, &lone);
    return lone + depth;
}

/* UAX #9 takes brackets for what they look like. Where they are what they mean, those that it
 * turned are made so first. */
static vl_status make_logical(string *s, bool rtl, bool mean) {
    vl_direction way = rtl ? VL_DIRECTION_RTL : VL_DIRECTION_LTR;
    vl_status status = vl_text_to_logical(s->visual, s->count, way, s->logical, s->from, NULL);
    if (status)
        return status;
    size_t as_seen = lone_brackets(s, false), as_meant = lone_brackets(s, true), turned = 0;
    if (as_seen < as_meant || (as_seen == as_meant && !mean))
        return VL_OK;
    for (size_t i = 0; i < s->count; i++) {
        turned += s->visual[s->from[i]] != s->logical[i];
        s->visual[s->from[i]] = s->logical[i];
    }
    return turned ? vl_text_to_logical(s->visual, s->count, way, s->logical, s->from, NULL)
                  : VL_OK;
}

static bool order_row(const pdf_page_text *page, const row *r, bool mean, vl_arena *arena,
                      pdf_word *out, size_t *count) {
    string s;
    sort_words(page->words + r->first, r->count);
    if (!make_string(&s, page, r, arena))
        return false;
    lay_out(&s, page, r);
    vl_status status = make_logical(&s, r->rtl, mean);
    if (status == VL_ERR_LIMIT) { /* no line of a text: as it stands */
        memcpy(out + *count, page->words + r->first, r->count * sizeof *out);
        *count += r->count;
        return true;
    }
    mend_ligatures(&s);
    return !status && cut_words(&s, page->words, arena, out, count);
}

bool pdf_text_order(pdf_page_text *page, vl_arena *arena) {
    row *rows = vl_arena_array(arena, page->count + 1, sizeof *rows);
    pdf_word *words = vl_arena_array(arena, page->count + 1, sizeof *words);
    size_t count = 0;
    if (!rows || !words)
        return false;
    size_t row_count = gather_rows(page, rows);
    find_directions(rows, row_count);
    find_paragraphs(page, rows, row_count);
    bool mean = brackets_mean(page, rows, row_count);
    for (size_t i = 0; i < row_count; i++) {
        const row *r = &rows[i];
        size_t from = count;
        if (r->right || r->rtl) {
            if (!order_row(page, r, mean, arena, words, &count))
                return false;
        } else {
            memcpy(words + count, page->words + r->first, r->count * sizeof *words);
            count += r->count;
        }
        for (size_t k = from; k < count; k++) {
            words[k].block = r->block;
            words[k].line = i + 1;
        }
    }
    page->words = words;
    page->count = count;
    return true;
}
