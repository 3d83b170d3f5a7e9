/* table_number.c — see table_number.h. */
#include "dataset/table_number.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { PIECES_MAX = 8, DIGITS_MAX = 18 };

/* Digits and what stands before them: "12,345.6" is 12 · ,345 · .6. */
typedef struct pieces {
    struct {
        UChar32 mark; /* 0 before the first */
        size_t digits;
        double value;
    } of[PIECES_MAX];
    size_t count, digits;
} pieces;

static bool is_space(UChar32 c) {
    return c == ' ' || c == 0xA0 || c == 0x202F || c == 0x2009;
}

/* ',' and '.' decide between the readings; Arabic marks and spaces mean one thing. */
static bool is_mark(UChar32 c) {
    return c == ',' || c == '.' || c == 0x66B || c == 0x66C || c == 0x60C || c == '\'' ||
           c == 0x2019 || is_space(c);
}

static bool is_unit(UChar32 c) {
    return c == '%' || c == 0x66A || u_charType(c) == U_CURRENCY_SYMBOL;
}

static bool add_digit(pieces *p, UChar32 mark, int digit) {
    if (mark || !p->count) {
        if (p->count == PIECES_MAX)
            return false;
        p->of[p->count].mark = mark;
        p->of[p->count].digits = 0;
        p->of[p->count++].value = 0;
    }
    p->of[p->count - 1].digits++;
    p->of[p->count - 1].value = p->of[p->count - 1].value * 10 + digit;
    return ++p->digits <= DIGITS_MAX;
}

static UChar32 next_character(const char *text, int32_t bytes, int32_t *at) {
    UChar32 c = 0;
    if (*at < bytes)
        U8_NEXT_OR_FFFD((const uint8_t *)text, *at, bytes, c);
    return c;
}

/* ---- one reading ------------------------------------------------------------------------ */

static bool is_decimal(UChar32 mark, decimal_mark decimal) {
    return mark == 0x66B || mark == (decimal == DECIMAL_POINT ? '.' : ',');
}

/* Groups of three after one to three digits; or, as in India, of two, and three at the end. */
static bool groups_well(const pieces *p, size_t groups) {
    if (groups == 1)
        return true;
    if (p->of[0].digits > 3 || p->of[groups - 1].digits != 3)
        return false;
    size_t size = p->of[1].digits;
    for (size_t i = 1; i < groups; i++) {
        bool last = i + 1 == groups;
        if (p->of[i].mark != p->of[1].mark || (!last && p->of[i].digits != size))
            return false;
    }
    return size == 3 || (size == 2 && p->of[0].digits <= 2);
}

static bool read_as(const pieces *p, decimal_mark decimal, double *value) {
    size_t groups = p->count;
    double fraction = 0;
    if (p->count > 1 && is_decimal(p->of[p->count - 1].mark, decimal)) {
        fraction = p->of[--groups].value;
        for (size_t i = 0; i < p->of[groups].digits; i++)
            fraction /= 10;
    }
    *value = 0;
    for (size_t i = 0; i < groups; i++) {
        if (i && is_decimal(p->of[i].mark, decimal))
            return false;
        for (size_t d = 0; d < p->of[i].digits; d++)
            *value *= 10;
        *value += p->of[i].value;
    }
    *value += fraction;
    return groups_well(p, groups);
}

/* ---- the number ------------------------------------------------------------------------- */

typedef struct scan {
    const char *text;
    int32_t bytes, at;
    UChar32 c; /* the one at hand; 0 at the end */
} scan;

static void advance(scan *s) {
    s->c = next_character(s->text, s->bytes, &s->at);
}

/* A sign and a currency, in any order. */
static bool read_head(scan *s, table_number *number, bool *negative) {
    for (int i = 0; i < 4; i++) {
        if (s->c == '-' || s->c == 0x2212 || s->c == '+') {
            *negative = s->c != '+';
        } else if (is_unit(s->c)) {
            number->unit = s->c;
        } else if (!is_space(s->c)) {
            return true;
        }
        advance(s);
    }
    return false;
}

static bool read_digits(scan *s, pieces *p, uint32_t *zero) {
    UChar32 mark = 0;
    while (s->c) {
        int digit = u_isdigit(s->c) ? u_charDigitValue(s->c) : -1;
        if (digit >= 0) {
            uint32_t of_script = (uint32_t)s->c - (uint32_t)digit;
            if ((p->digits && of_script != *zero) || !add_digit(p, mark, digit))
                return false;
            *zero = of_script;
            mark = 0;
        } else if (p->digits && !mark && is_mark(s->c)) {
            mark = s->c;
        } else {
            break;
        }
        advance(s);
    }
    return p->digits && (!mark || is_space(mark));
}

bool table_number_read(const char *text, table_number *number) {
    pieces p = {.count = 0};
    scan s = {.text = text, .bytes = (int32_t)strnlen(text, 64)};
    bool negative = false;
    *number = (table_number){.unit = 0};
    advance(&s);
    if (!read_head(&s, number, &negative) || !read_digits(&s, &p, &number->zero))
        return false;
    while (is_space(s.c))
        advance(&s);
    if (is_unit(s.c) && !number->unit) {
        number->unit = s.c;
        advance(&s);
    }
    if (s.c || text[s.bytes])
        return false;
    for (int d = 0; d < DECIMAL_MARK_COUNT; d++) {
        number->reads[d] = read_as(&p, (decimal_mark)d, &number->value[d]);
        if (negative)
            number->value[d] = -number->value[d];
    }
    number->bare = p.count == 1 && !number->unit && !negative;
    return number->reads[0] || number->reads[1];
}

int table_year(const char *text) {
    table_number number;
    if (!table_number_read(text, &number) || !number.bare)
        return 0;
    return number.value[0] >= 1900 && number.value[0] <= 2100 ? (int)number.value[0] : 0;
}

bool table_is_missing(const char *text) {
    static const char *const marks[] = {"",    "-",    "–",  "—",  "..", "...", "…",  "n/a",
                                        "N/A", "n.a.", "na", "NA", "nd", "n/d", "ND", "*"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (!strcmp(text, marks[i]))
            return true;
    return false;
}
