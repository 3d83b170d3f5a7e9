/* coordinates_reduce.c — a coordinate said less exactly (coordinates.h). */
#include "dataset/coordinates_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

/* Steps are written with few figures; what is equal may differ in the last bit. */
static bool is_finer(double step, double than) {
    return step < than * (1 - 1e-6);
}

static void put_character(vl_buf *out, UChar32 c) {
    uint8_t bytes[U8_MAX_LENGTH];
    size_t n = 0;
    U8_APPEND_UNSAFE(bytes, n, (uint32_t)c);
    vl_buf_append(out, bytes, n);
}

/* The digit 0 of the script that the number is written in, and its sign before decimals. */
static UChar32 zero_of(const char *text, size_t start, size_t end, UChar32 *point) {
    UChar32 zero = '0';
    bool first = true;
    *point = 0;
    for (int32_t at = (int32_t)start; at < (int32_t)end;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, (int32_t)end, c);
        int32_t digit = u_charType(c) == U_DECIMAL_DIGIT_NUMBER ? u_charDigitValue(c) : -1;
        if (first && digit >= 0)
            zero = c - digit;
        first = first && digit < 0;
        if (c == '.' || c == ',' || c == 0x66B) {
            *point = c;
            break;
        }
    }
    if (!*point)
        *point = zero == 0x660 || zero == 0x6F0 ? 0x66B : '.';
    return zero;
}

static void put_number(vl_buf *out, const char *text, const coordinate_number *n, double value,
                       int places) {
    char plain[64];
    UChar32 point, zero = zero_of(text, n->start, n->end, &point);
    snprintf(plain, sizeof plain, "%.*f", places, value);
    for (const char *at = plain; *at; at++)
        put_character(out, *at == '.' ? point : zero + (*at - '0'));
    if (n->parted)
        put_character(out, COORDINATES_DEGREE);
}

static bool reduce_numbers(const coordinate *c, const char *text, int decimals, vl_buf *out) {
    size_t at = c->start;
    double step = coordinate_step(decimals);
    for (size_t i = 0; i < c->number_count; i++) {
        const coordinate_number *n = &c->numbers[i];
        bool metres = c->form == COORDINATE_UTM;
        if (!is_finer(metres ? coordinates_degrees(n->step) : n->step, step))
            continue;
        vl_buf_append(out, text + at, n->start - at);
        at = n->end;
        if (metres) {
            double tens = 1;
            while (is_finer(coordinates_degrees(tens), step))
                tens *= 10;
            put_number(out, text, n, round(n->value / tens) * tens, 0);
        } else {
            put_number(out, text, n, n->value, decimals);
        }
    }
    vl_buf_append(out, text + at, c->end - at);
    return true;
}

static bool is_capital(char c) {
    return c >= 'A' && c <= 'Z';
}

/* Digits are dropped, not rounded: a reference names the square that holds the place. */
static bool reduce_mgrs(const coordinate *c, const char *text, int decimals, vl_buf *out) {
    double step = coordinate_step(decimals);
    char digits[16];
    size_t count = 0, keep = 0, at = c->start, begin;
    UChar32 first = 0;
    int letters = 0;
    bool parted = false;
    for (begin = c->start; letters < 3 && begin < c->end; begin++)
        letters += is_capital(text[begin]);
    size_t square = begin;
    while (begin < c->end && text[begin] == ' ')
        begin++;
    for (int32_t i = (int32_t)begin; i < (int32_t)c->end && count < sizeof digits;) {
        UChar32 digit;
        U8_NEXT_OR_FFFD((const uint8_t *)text, i, (int32_t)c->end, digit);
        int32_t value = u_charDigitValue(digit);
        parted |= value < 0;
        first = first || value < 0 ? first : digit - value;
        if (value >= 0)
            digits[count++] = (char)value;
    }
    size_t each = count / 2;
    while (keep < each && !is_finer(coordinates_degrees(pow(10, 4 - (double)keep)), step))
        keep++;
    if (!keep && is_finer(coordinates_degrees(1e5), step)) { /* the zone and its band */
        size_t end = c->start;
        while (!is_capital(text[end]))
            end++;
        vl_buf_append(out, text + at, end + 1 - at);
        return true;
    }
    vl_buf_append(out, text + at, (keep ? begin : square) - at);
    for (size_t half = 0; half < 2; half++) {
        if (half && parted && keep)
            vl_buf_puts(out, " ");
        for (size_t k = 0; k < keep; k++)
            put_character(out, first + digits[half * each + k]);
    }
    return true;
}

/* A short code leans on the name beside it, and has no shorter form than with its sign. */
static bool reduce_plus(const coordinate *c, const char *text, int decimals, vl_buf *out) {
    static const size_t lengths[] = {4, 6, 8, 10, 11, 12, 13, 14, 15};
    double step = coordinate_step(decimals);
    size_t before = (size_t)(strchr(text + c->start, '+') - (text + c->start)), keep = 0;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        if (!is_finer(coordinates_plus_step(lengths[i]), step))
            keep = lengths[i];
    if (keep < 8 && before < 8)
        return false;
    size_t shown = keep > 8 ? keep - 8 : 0;
    size_t head = keep < 8 ? keep : before;
    vl_buf_append(out, text + c->start, head);
    for (size_t i = head; i < before; i++)
        vl_buf_puts(out, "0");
    vl_buf_puts(out, "+");
    vl_buf_append(out, text + c->start + before + 1, shown);
    return true;
}

bool coordinate_reduce(const coordinate *c, const char *text, int decimals, vl_buf *out) {
    decimals = decimals < COORDINATE_DECIMALS_MAX ? decimals : COORDINATE_DECIMALS_MAX;
    if (!is_finer(c->step, coordinate_step(decimals))) {
        vl_buf_append(out, text + c->start, c->end - c->start);
        return true;
    }
    switch (c->form) {
    case COORDINATE_MGRS:
        return reduce_mgrs(c, text, decimals, out);
    case COORDINATE_PLUS:
        return reduce_plus(c, text, decimals, out);
    case COORDINATE_WORDS:
        return false;
    default:
        return reduce_numbers(c, text, decimals, out);
    }
}
