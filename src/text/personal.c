/* personal.c — personal data in a text: the text as a row of plain characters, the finders one
 * after another, and their finds put in order.
 *
 *   prepare            UTF-8 to personal_text
 *   personal_find_emails
 *   settle             overlapping finds become one, cut between grapheme clusters
 *   vl_personal_find */
#include "text/personal.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

const char *vl_personal_kind_name(vl_personal_kind kind) {
    static const char *const names[VL_PERSONAL_KIND_COUNT] = {
        "name", "phone", "email", "id", "account", "card", "passport", "case"};
    return names[kind];
}

/* ---- characters ---------------------------------------------------------------------------
 */

bool personal_is_digit(uint32_t c) {
    return c >= '0' && c <= '9';
}

bool personal_is_letter(uint32_t c) {
    if (c < 128)
        return (c | 32) >= 'a' && (c | 32) <= 'z';
    return u_isalpha((UChar32)c) || (U_GET_GC_MASK((UChar32)c) & U_GC_M_MASK) || c == 0x200C ||
           c == 0x200D;
}

bool personal_is_word(uint32_t c) {
    return personal_is_digit(c) || personal_is_letter(c);
}

bool personal_begins(const personal_text *t, size_t i) {
    return personal_is_word(t->c[i]) && (i == 0 || !personal_is_word(t->c[i - 1]));
}

size_t personal_skip_spaces(const personal_text *t, size_t i) {
    while (t->c[i] == ' ')
        i++;
    return i;
}

static uint32_t plain(UChar32 c) {
    if (c >= ' ' && c < 0x7F)
        return (uint32_t)c;
    int32_t digit = u_charType(c) == U_DECIMAL_DIGIT_NUMBER ? u_charDigitValue(c) : -1;
    if (digit >= 0)
        return (uint32_t)('0' + digit);
    if (c >= 0xFF01 && c <= 0xFF5E)
        return (uint32_t)(c - 0xFEE0);
    if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0xFE63)
        return '-';
    if (c == '\n' || c == '\f' || c == '\v' || c == 0x2028 || c == 0x2029)
        return '\n';
    return u_isUWhiteSpace(c) || c < 0x20 ? ' ' : (uint32_t)c;
}

static uint32_t fold(uint32_t c) {
    if (c < 128)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return (uint32_t)u_foldCase((UChar32)c, U_FOLD_CASE_DEFAULT);
}

/* Room past the end lets finders look a few characters on without asking. */
enum { MARGIN = 4 };

static vl_status prepare(personal_text *t, const char *text, size_t bytes, vl_error *error) {
    size_t room = bytes + MARGIN;
    t->c = vl_arena_array(t->arena, room, sizeof *t->c);
    t->folded = vl_arena_array(t->arena, room, sizeof *t->folded);
    t->at = vl_arena_array(t->arena, room, sizeof *t->at);
    t->end = vl_arena_array(t->arena, room, sizeof *t->end);
    if (!t->c || !t->folded || !t->at || !t->end)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to look through a text");
    for (int32_t at = 0; at < (int32_t)bytes;) {
        UChar32 c;
        t->at[t->count] = (uint32_t)at;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, (int32_t)bytes, c);
        if (vl_text_steers((uint32_t)c))
            continue;
        t->end[t->count] = (uint32_t)at;
        t->c[t->count] = plain(c);
        t->folded[t->count] = fold(t->c[t->count]);
        t->count++;
    }
    for (size_t i = 0; i < MARGIN; i++) {
        t->c[t->count + i] = t->folded[t->count + i] = '\n';
        t->at[t->count + i] = t->end[t->count + i] = (uint32_t)bytes;
    }
    return VL_OK;
}

void personal_add(personal_text *t, size_t first, size_t last, vl_personal_kind kind,
                  vl_personal_ground ground, const char *rule) {
    if (t->found_count == t->found_capacity) {
        size_t capacity = t->found_capacity ? t->found_capacity * 2 : 16;
        vl_personal *grown = vl_arena_grow(t->arena, t->found, t->found_count * sizeof *grown,
                                           capacity * sizeof *grown);
        t->full |= !grown;
        if (!grown)
            return;
        t->found = grown;
        t->found_capacity = capacity;
    }
    t->found[t->found_count++] = (vl_personal){.start = t->at[first],
                                               .end = t->end[last - 1],
                                               .kind = kind,
                                               .ground = ground,
                                               .rule = rule};
}

/* ---- addresses of e-mail ------------------------------------------------------------------
 */

static bool is_local(uint32_t c) {
    return personal_is_word(c) || (c && c < 128 && strchr("._%+-'", (int)c));
}

/* Labels with dots between them (RFC 5321, 4.1.2); the last one has letters alone. */
static size_t domain_end(const personal_text *t, size_t i) {
    size_t end = 0, label = 0, letters = 0, labels = 0;
    for (;; i++) {
        bool inside = personal_is_word(t->c[i]) || (t->c[i] == '-' && label);
        if (inside) {
            label++;
            letters += personal_is_letter(t->c[i]);
            continue;
        }
        if (label && ++labels >= 2 && letters == label && label >= 2)
            end = i;
        if (!label || t->c[i] != '.')
            return end;
        label = letters = 0;
    }
}

void personal_find_emails(personal_text *t) {
    for (size_t i = 1; i < t->count; i++) {
        size_t begin = i, end;
        if (t->c[i] != '@' || !(end = domain_end(t, i + 1)))
            continue;
        while (begin && is_local(t->c[begin - 1]))
            begin--;
        while (begin < i && t->c[begin] < 128 && strchr(".'-", (int)t->c[begin]))
            begin++;
        if (begin < i)
            personal_add(t, begin, end, VL_PERSONAL_EMAIL, VL_PERSONAL_SHAPED, "address");
    }
}

/* ---- in order -----------------------------------------------------------------------------
 */

static int by_start(const void *a, const void *b) {
    const vl_personal *x = a, *y = b;
    return x->start != y->start ? (x->start > y->start) - (x->start < y->start)
                                : (x->end < y->end) - (x->end > y->end);
}

/* Of two that overlap the better grounded one gives the kind, of equal ones the longer; both
 * are covered. */
static void join(vl_personal *to, const vl_personal *from) {
    vl_personal all = *to;
    size_t a = to->end - to->start, b = from->end - from->start;
    if (from->ground > to->ground || (from->ground == to->ground && b > a)) {
        all.kind = from->kind;
        all.ground = from->ground;
        all.rule = from->rule;
    }
    all.end = from->end > to->end ? from->end : to->end;
    *to = all;
}

static void merge(personal_text *t) {
    size_t kept = 0;
    if (t->found_count)
        qsort(t->found, t->found_count, sizeof *t->found, by_start);
    for (size_t i = 0; i < t->found_count; i++)
        if (kept && t->found[i].start < t->found[kept - 1].end)
            join(&t->found[kept - 1], &t->found[i]);
        else
            t->found[kept++] = t->found[i];
    t->found_count = kept;
}

/* Between two characters of ASCII there is always a border, but not inside of CR LF. */
static bool is_plain_border(const char *text, size_t at) {
    return !((unsigned char)text[at] & 0x80) && text[at] != '\n' &&
           (at == 0 || !((unsigned char)text[at - 1] & 0x80));
}

/* Grows every find to the borders of grapheme clusters. */
static vl_status snap(personal_text *t, const char *text, size_t bytes, vl_error *error) {
    UErrorCode code = U_ZERO_ERROR;
    UText wrapped = UTEXT_INITIALIZER;
    size_t odd = 0;
    for (size_t i = 0; i < t->found_count; i++)
        odd += !is_plain_border(text, t->found[i].start) ||
               !is_plain_border(text, t->found[i].end);
    if (!odd)
        return VL_OK;
    utext_openUTF8(&wrapped, text, (int64_t)bytes, &code);
    UBreakIterator *breaks = ubrk_open(UBRK_CHARACTER, "", NULL, 0, &code);
    ubrk_setUText(breaks, &wrapped, &code);
    for (size_t i = 0; i < t->found_count && U_SUCCESS(code); i++) {
        vl_personal *p = &t->found[i];
        if (!ubrk_isBoundary(breaks, (int32_t)p->start))
            p->start = (size_t)ubrk_preceding(breaks, (int32_t)p->start);
        if (!ubrk_isBoundary(breaks, (int32_t)p->end))
            p->end = (size_t)ubrk_following(breaks, (int32_t)p->end);
    }
    ubrk_close(breaks);
    utext_close(&wrapped);
    return U_SUCCESS(code) ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for a text");
}

vl_status vl_personal_find(vl_arena *arena, const char *text, vl_personal **found,
                           size_t *count, vl_error *error) {
    size_t bytes = strlen(text);
    personal_text t = {.arena = arena};
    *found = NULL;
    *count = 0;
    if (bytes > VL_PERSONAL_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "personal data is looked for in at most %d MB",
                       VL_PERSONAL_MAX >> 20);
    vl_status status = prepare(&t, text, bytes, error);
    if (status)
        return status;
    personal_find_emails(&t);
    personal_find_zones(&t);
    personal_find_numbers(&t);
    personal_find_phones(&t);
    personal_find_names(&t);
    if (t.full)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for what was found");
    merge(&t);
    status = snap(&t, text, bytes, error);
    merge(&t);
    *found = t.found;
    *count = t.found_count;
    return status;
}

bool vl_personal_label(vl_arena *arena, const char *text, vl_personal_kind *kind) {
    static const struct {
        personal_word_kind word;
        vl_personal_kind kind;
    } labels[] = {{PERSONAL_WORD_NAME, VL_PERSONAL_NAME},
                  {PERSONAL_WORD_PHONE, VL_PERSONAL_PHONE},
                  {PERSONAL_WORD_ID, VL_PERSONAL_ID}};
    enum { LABEL_BYTES = 200 };
    personal_text t = {.arena = arena};
    if (strlen(text) > LABEL_BYTES || prepare(&t, text, strlen(text), NULL))
        return false;
    size_t start = personal_skip_spaces(&t, 0), end = t.count;
    while (end > start && !personal_is_word(t.c[end - 1]))
        end--;
    for (size_t i = 0; i < sizeof labels / sizeof *labels && end > start; i++)
        if (personal_word_at(&t, start, labels[i].word) == end - start) {
            *kind = labels[i].kind;
            return true;
        }
    return false;
}
