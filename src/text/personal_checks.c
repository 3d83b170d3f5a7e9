/* personal_checks.c — the check digits of identity numbers, bank accounts, cards and passports,
 * each from the rule its issuer publishes (named above it). A form that has none is only held
 * against what its parts can be: dates, regions. */
#include "text/personal.h"

#include <stdlib.h>
#include <string.h>

static int value(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c - 'A' + 10;
}

static int two(const char *at) {
    return 10 * value(at[0]) + value(at[1]);
}

static bool is_date(int month, int day) {
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* Sum of digit times weight. */
static int weighted(const char *id, const int *weights, size_t count) {
    int sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += value(id[i]) * weights[i];
    return sum;
}

static personal_check good_if(bool good) {
    return good ? PERSONAL_GOOD : PERSONAL_NO;
}

/* ISO/IEC 7812-1, annex B: every second digit from the right is doubled, its digits summed. */
static bool luhn(const char *id) {
    int sum = 0;
    size_t count = strlen(id);
    for (size_t i = 0; i < count; i++) {
        int digit = value(id[count - 1 - i]);
        if (i % 2)
            digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return sum % 10 == 0;
}

/* The ranges of issuers in use: Visa, Mastercard, American Express, Discover, UnionPay, JCB,
 * Maestro. */
personal_check personal_check_card(const char *id) {
    int first2 = two(id), first4 = two(id) * 100 + two(id + 2);
    bool known = id[0] == '4' || (first2 >= 51 && first2 <= 55) || first2 == 34 ||
                 first2 == 37 || first2 == 62 || first2 == 65 || first4 == 6011 ||
                 (first4 >= 2221 && first4 <= 2720) || (first4 >= 3528 && first4 <= 3589) ||
                 first4 == 5018 || first4 == 5020 || first4 == 5038 || first4 == 6304;
    bool fits = (first2 == 34 || first2 == 37) == (strlen(id) == 15);
    return good_if(known && fits && luhn(id));
}

/* India, UIDAI. J. Verhoeff, Error Detecting Decimal Codes, 1969: products in the dihedral
 * group of order ten, each digit permuted by its place. */
personal_check personal_check_aadhaar(const char *id) {
    static const char place[10] = "1576283094";
    int permutation[8][10], c = 0;
    for (int j = 0; j < 10; j++) {
        permutation[0][j] = j;
        permutation[1][j] = place[j] - '0';
    }
    for (int i = 2; i < 8; i++)
        for (int j = 0; j < 10; j++)
            permutation[i][j] = permutation[i - 1][permutation[1][j]];
    for (int i = 0; i < 12; i++) {
        int a = c, b = permutation[i % 8][value(id[11 - i])];
        if (a < 5)
            c = b < 5 ? (a + b) % 5 : 5 + (a + b - 5) % 5;
        else
            c = b < 5 ? 5 + (a - 5 - b + 10) % 5 : (a - b + 10) % 5;
    }
    return good_if(id[0] >= '2' && c == 0);
}

/* France, INSEE: sex, year, month, place (2A and 2B are 19 and 18), order; the key is 97 less
 * the remainder of the number by 97. */
personal_check personal_check_nir(const char *id) {
    char digits[14];
    memcpy(digits, id, 13);
    digits[13] = '\0';
    int month = two(id + 3);
    bool corsica = id[5] == '2' && (id[6] == 'A' || id[6] == 'B');
    if (corsica)
        memcpy(digits + 5, id[6] == 'A' ? "19" : "18", 2);
    for (size_t i = 0; i < 13; i++)
        if (digits[i] < '0' || digits[i] > '9')
            return PERSONAL_NO;
    bool month_is_one = (month >= 1 && month <= 12) || (month >= 20 && month <= 42) ||
                        (month >= 50 && month <= 99);
    if (!strchr("123478", id[0]) || !month_is_one)
        return PERSONAL_NO;
    return good_if(97 - (int)(strtoll(digits, NULL, 10) % 97) == two(id + 13));
}

/* Spain, Ministerio del Interior: a letter by the remainder of the number by 23. */
static bool spanish_letter(int number, char letter) {
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == letter;
}

personal_check personal_check_dni(const char *id) {
    return good_if(spanish_letter(atoi(id), id[8]));
}

/* For foreigners X, Y and Z stand for 0, 1 and 2 before the number. */
personal_check personal_check_nie(const char *id) {
    if (id[0] < 'X')
        return PERSONAL_NO;
    return good_if(spanish_letter((id[0] - 'X') * 10000000 + atoi(id + 1), id[8]));
}

/* USA, Social Security Administration: what was never given out. */
personal_check personal_check_ssn(const char *id) {
    int area = 100 * value(id[0]) + two(id + 1);
    bool possible = area && area != 666 && area < 900 && two(id + 3) && atoi(id + 5);
    return possible ? PERSONAL_SHAPE : PERSONAL_NO;
}

/* South Africa, Department of Home Affairs: date of birth, order, citizenship 0–2, Luhn. */
personal_check personal_check_za(const char *id) {
    return good_if(is_date(two(id + 2), two(id + 4)) && id[10] <= '2' && luhn(id));
}

/* Brazil, Receita Federal: two digits, each from those before it, weights falling to 2. */
personal_check personal_check_cpf(const char *id) {
    for (int digits = 9; digits <= 10; digits++) {
        int sum = 0;
        for (int i = 0; i < digits; i++)
            sum += value(id[i]) * (digits + 1 - i);
        if (sum * 10 % 11 % 10 != value(id[digits]))
            return PERSONAL_NO;
    }
    return good_if(strspn(id, (char[]){id[0], '\0'}) < 11);
}

/* Türkiye, Nüfus ve Vatandaşlık İşleri, also of foreigners (99…): the tenth digit from the odd
 * and even places, the eleventh from the sum of the ten. */
personal_check personal_check_kimlik(const char *id) {
    int odd = 0, even = 0;
    for (int i = 0; i < 9; i++)
        *(i % 2 ? &even : &odd) += value(id[i]);
    int tenth = ((odd * 7 - even) % 10 + 10) % 10;
    return good_if(id[0] != '0' && tenth == value(id[9]) &&
                   (odd + even + tenth) % 10 == value(id[10]));
}

/* Poland, PESEL: the month tells the century. */
personal_check personal_check_pesel(const char *id) {
    static const int weights[] = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1};
    return good_if(is_date(two(id + 2) % 20, two(id + 4)) &&
                   weighted(id, weights, 11) % 10 == 0);
}

/* Romania, CNP: sex and century, date, county, order; a remainder of 10 is 1. */
personal_check personal_check_cnp(const char *id) {
    static const int weights[] = {2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9};
    int rest = weighted(id, weights, 12) % 11;
    return good_if(id[0] != '0' && is_date(two(id + 3), two(id + 5)) &&
                   (rest == 10 ? 1 : rest) == value(id[12]));
}

/* Mexico, RENAPO: letters of the name, date, sex, state; the last digit weighs the seventeen
 * before it 18 … 2, in an alphabet with Ñ after N. */
personal_check personal_check_curp(const char *id) {
    int sum = 0;
    for (int i = 0; i < 17; i++)
        sum += (value(id[i]) + (id[i] > 'N')) * (18 - i);
    return good_if(is_date(two(id + 6), two(id + 8)) && strchr("HMX", id[10]) &&
                   (10 - sum % 10) % 10 == value(id[17]));
}

/* Italy, decree of 12 March 1974: odd places by a table, even ones as they are. */
personal_check personal_check_fiscale(const char *id) {
    static const int odd[26] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
    int sum = 0;
    for (int i = 0; i < 15; i++) {
        int v = id[i] <= '9' ? id[i] - '0' : id[i] - 'A';
        sum += i % 2 ? v : odd[v];
    }
    return good_if(strchr("ABCDEHLMPRST", id[8]) && 'A' + sum % 26 == id[15]);
}

/* Egypt: century 2 or 3, date, governorate; how its last digit is made is not published. */
personal_check personal_check_egypt(const char *id) {
    int place = two(id + 7);
    bool place_is_one = (place >= 1 && place <= 35) || place == 88;
    return (id[0] == '2' || id[0] == '3') && is_date(two(id + 3), two(id + 5)) && place_is_one
               ? PERSONAL_SHAPE
               : PERSONAL_NO;
}

/* China, GB 11643-1999: ISO 7064 MOD 11-2. */
personal_check personal_check_china(const char *id) {
    int rest = 0;
    for (int i = 0; i < 17; i++)
        rest = (rest + value(id[i])) * 2 % 11;
    return good_if(is_date(two(id + 10), two(id + 12)) && "10X98765432"[rest] == id[17]);
}

/* UNHCR: the letter in the older form is a C. */
personal_check personal_check_case(const char *id) {
    return strlen(id) == 10 || id[5] == 'C' ? PERSONAL_SHAPE : PERSONAL_NO;
}

/* ---- bank accounts ------------------------------------------------------------------------
 */

/* The SWIFT IBAN registry: country and length. */
size_t personal_iban_length(const char *country) {
    static const char lengths[] =
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20"
        "EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30"
        "KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24"
        "PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29"
        "VA22VG24XK20YE30";
    for (const char *at = lengths; *at; at += 4)
        if (at[0] == country[0] && at[1] == country[1])
            return (size_t)two(at + 2);
    return 0;
}

bool personal_check_iban(const char *id) {
    size_t count = strlen(id);
    int rest = 0;
    for (size_t i = 0; i < count; i++) {
        int v = value(id[(i + 4) % count]);
        rest = (rest * (v > 9 ? 100 : 10) + v) % 97;
    }
    return rest == 1;
}

/* ---- passports ----------------------------------------------------------------------------
 */

/* ICAO 9303-3, 4.9: weights 7, 3, 1; A is 10, a filler 0. */
bool personal_check_zone(const char *field, size_t count, char digit) {
    static const int weights[] = {7, 3, 1};
    int sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (field[i] == '<' ? 0 : value(field[i])) * weights[i % 3];
    return digit == '0' + sum % 10;
}
