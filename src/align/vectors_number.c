/* vectors_number.c — numbers of vectors as text. Files hold hundreds of millions of them, so
 * the usual ones are read and written by whole-number arithmetic; the rest by the C library. */
#include "align/vectors.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Powers of ten that a double holds exactly. */
static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
enum { EXACT = 22, LONGEST = 128 };

static locale_t plain;
static void plain_make(void) {
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* What the quick way below cannot do: rare in real files. */
static bool read_any(const char **at, const char *end, float *number) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char text[LONGEST], *stop;
    pthread_once(&once, plain_make);
    size_t bytes = (size_t)(end - *at) < sizeof text ? (size_t)(end - *at) : sizeof text - 1;
    memcpy(text, *at, bytes);
    text[bytes] = '\0';
    if (!plain || !bytes || text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r'))
        return false;
    double value = strtod_l(text, &stop, plain);
    if (stop == text)
        return false;
    *number = (float)value;
    *at += stop - text;
    return true;
}

typedef struct decimal {
    uint64_t digits;
    int exponent, count; /* count: digits seen behind leading zeros */
    bool any;
} decimal;

static const char *read_digits(const char *at, const char *end, bool fraction, decimal *d) {
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        d->any = true;
        d->count += d->digits || *at != '0';
        if (d->count <= 18)
            d->digits = d->digits * 10 + (uint64_t)(*at - '0');
        d->exponent -= fraction;
    }
    return at;
}

static const char *read_exponent(const char *at, const char *end, decimal *d) {
    const char *digit = at + 1;
    bool minus = digit < end && *digit == '-';
    if (digit < end && (*digit == '-' || *digit == '+'))
        digit++;
    if (digit == end || *digit < '0' || *digit > '9')
        return at; /* the e belongs to what follows */
    int value = 0;
    for (; digit < end && *digit >= '0' && *digit <= '9'; digit++)
        value = value < 1000 ? value * 10 + (*digit - '0') : value;
    d->exponent += minus ? -value : value;
    return digit;
}

bool vectors_number_read(const char **at, const char *end, float *number) {
    const char *c = *at;
    decimal d = {0};
    bool minus = c < end && *c == '-';
    if (c < end && (*c == '-' || *c == '+'))
        c++;
    if (end - c > 1 && c[0] == '0' && (c[1] | 32) == 'x')
        return false; /* hexadecimal, which strtod would take */
    c = read_digits(c, end, false, &d);
    if (c < end && *c == '.')
        c = read_digits(c + 1, end, true, &d);
    if (d.any && c < end && (*c | 32) == 'e')
        c = read_exponent(c, end, &d);
    if (!d.any || d.count > 18 || d.exponent < -EXACT || d.exponent > EXACT)
        return read_any(at, end, number);
    double value = (double)d.digits;
    value = d.exponent < 0 ? value / powers[-d.exponent] : value * powers[d.exponent];
    *number = (float)(minus ? -value : value);
    *at = c;
    return true;
}

/* ---- writing -------------------------------------------------------------------------- */

/* `units` of 10^-decimals. */
static size_t write_fixed(uint32_t units, int decimals, char *out) {
    char digits[16];
    int count = 0;
    for (; units && decimals && units % 10 == 0; decimals--)
        units /= 10;
    do
        digits[count++] = (char)('0' + units % 10);
    while ((units /= 10) || count <= decimals);
    size_t length = 0;
    while (count) {
        if (count == decimals)
            out[length++] = '.';
        out[length++] = digits[--count];
    }
    return length;
}

size_t vectors_number_write(float number, char out[VECTORS_NUMBER_SIZE]) {
    static const double from[] = {1e5, 1e4, 1e3, 1e2, 1e1, 1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5};
    double size = fabs((double)number);
    size_t sign = number < 0;
    out[0] = '-';
    if (size == 0) {
        out[0] = '0';
        return 1;
    }
    if (size < 1e6 - 0.5)
        for (int i = 0; i < (int)(sizeof from / sizeof *from); i++)
            if (size >= from[i])
                return sign + write_fixed((uint32_t)lrint(size * powers[i]), i, out + sign);
    int length = snprintf(out, VECTORS_NUMBER_SIZE, "%.5e", (double)number);
    for (int i = 0; i < length; i++)
        if (out[i] == ',') /* another locale's point */
            out[i] = '.';
    return (size_t)length;
}
