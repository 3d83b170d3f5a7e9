/* personal_numbers.c — identity numbers, accounts, cards and passports: forms of fixed length,
 * tried wherever a word begins.
 *
 * A pattern is a row of places: 'd' a digit, 'A' a capital letter, 'x' either; '_' one space or
 * hyphen, or none; any other sign stands for itself. A find ends where a word does, and is no
 * piece of a longer row of figures, as tables have them. */
#include "text/personal.h"

#include <string.h>

enum { ID_MAX = 40 };

typedef struct rule {
    vl_personal_kind kind;
    const char *name, *pattern;
    personal_check_fn check;
} rule;

static const rule rules[] = {
    {VL_PERSONAL_CASE, "unhcr-file", "ddd-ddAddddd", personal_check_case},
    {VL_PERSONAL_CASE, "unhcr-file", "ddd-dd-ddddd", personal_check_case},
    {VL_PERSONAL_CARD, "card", "dddd_dddd_dddd_dddd", personal_check_card},
    {VL_PERSONAL_CARD, "card", "dddd_dddddd_ddddd", personal_check_card},
    {VL_PERSONAL_ID, "in-aadhaar", "dddd_dddd_dddd", personal_check_aadhaar},
    {VL_PERSONAL_ID, "fr-nir", "d_dd_dd_dx_ddd_ddd_dd", personal_check_nir},
    {VL_PERSONAL_ID, "es-dni", "dddddddd_A", personal_check_dni},
    {VL_PERSONAL_ID, "es-dni", "dd.ddd.ddd_A", personal_check_dni},
    {VL_PERSONAL_ID, "es-nie", "A_ddddddd_A", personal_check_nie},
    {VL_PERSONAL_ID, "us-ssn", "ddd-dd-dddd", personal_check_ssn},
    {VL_PERSONAL_ID, "za-id", "dddddd_dddd_dd_d", personal_check_za},
    {VL_PERSONAL_ID, "br-cpf", "ddd.ddd.ddd-dd", personal_check_cpf},
    {VL_PERSONAL_ID, "br-cpf", "ddddddddddd", personal_check_cpf},
    {VL_PERSONAL_ID, "tr-kimlik", "ddddddddddd", personal_check_kimlik},
    {VL_PERSONAL_ID, "pl-pesel", "ddddddddddd", personal_check_pesel},
    {VL_PERSONAL_ID, "ro-cnp", "ddddddddddddd", personal_check_cnp},
    {VL_PERSONAL_ID, "mx-curp", "AAAAddddddAAAAAAxd", personal_check_curp},
    {VL_PERSONAL_ID, "it-fiscale", "AAAAAAxxAxxAxxxA", personal_check_fiscale},
    {VL_PERSONAL_ID, "eg-id", "dddddddddddddd", personal_check_egypt},
    {VL_PERSONAL_ID, "cn-id", "dddddddddddddddddx", personal_check_china},
    {VL_PERSONAL_ID, "pk-cnic", "ddddd-ddddddd-d", NULL},
};

static bool is_capital(uint32_t c) {
    return c >= 'A' && c <= 'Z';
}

static bool fits(char place, uint32_t c) {
    return (place != 'A' && personal_is_digit(c)) || (place != 'd' && is_capital(c));
}

/* Whether more of the same word or number follows: a word's characters, or a sign and a digit.
 */
static bool goes_on(const personal_text *t, size_t i) {
    if (i >= t->count)
        return false;
    return personal_is_word(t->c[i]) ||
           (t->c[i] < 128 && strchr("-./,", (int)t->c[i]) && personal_is_digit(t->c[i + 1]));
}

/* Four figures apart by a space from where a row of such groups begins or ends: years in a
 * table, and no piece of an identity number. */
static bool has_neighbour(const personal_text *t, size_t begin, size_t end) {
    size_t before = 0, after = 0;
    while (begin > before + 1 && t->c[begin - 1] == ' ' &&
           personal_is_digit(t->c[begin - 2 - before]))
        if (++before + 2 > begin)
            break;
    while (t->c[end] == ' ' && personal_is_digit(t->c[end + 1 + after]))
        after++;
    return before == 4 || after == 4;
}

static bool follows_row(const personal_text *t, size_t i) {
    return i >= 2 && personal_is_digit(t->c[i - 2]) && t->c[i - 1] < 128 &&
           strchr("-./,", (int)t->c[i - 1]);
}

/* The characters of the pattern at `i` without what stands between them; 0 or where it ends. */
static size_t match(const personal_text *t, size_t i, const char *pattern, char id[ID_MAX]) {
    size_t n = 0, begin = i;
    bool spaced = false;
    for (const char *place = pattern; *place; place++) {
        uint32_t c = i < t->count ? t->c[i] : '\n';
        if (*place == '_') {
            spaced |= c == ' ';
            i += c == ' ' || c == '-';
        } else if (*place == 'd' || *place == 'A' || *place == 'x') {
            if (!fits(*place, c))
                return 0;
            id[n++] = (char)c;
            i++;
        } else if (c != (uint32_t)*place) {
            return 0;
        } else {
            i++;
        }
    }
    id[n] = '\0';
    return goes_on(t, i) || (spaced && has_neighbour(t, begin, i)) ? 0 : i;
}

static bool all_the_same(const char *id) {
    return strspn(id, (char[]){id[0], '\0'}) == strlen(id);
}

static size_t find_rule(personal_text *t, size_t i) {
    char id[ID_MAX];
    if (!fits('x', t->c[i]))
        return 0;
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
        if (!fits(rules[r].pattern[0], t->c[i]))
            continue;
        size_t end = match(t, i, rules[r].pattern, id);
        personal_check check = !end             ? PERSONAL_NO
                               : rules[r].check ? rules[r].check(id)
                                                : PERSONAL_SHAPE;
        if (check == PERSONAL_NO || all_the_same(id))
            continue;
        personal_add(t, i, end, rules[r].kind,
                     check == PERSONAL_GOOD ? VL_PERSONAL_CHECKED : VL_PERSONAL_SHAPED,
                     rules[r].name);
        return end;
    }
    return 0;
}

static size_t find_account(personal_text *t, size_t i) {
    char pattern[2 * ID_MAX] = "", id[ID_MAX], country[3] = {(char)t->c[i], 0, 0};
    if (!is_capital(t->c[i]) || !is_capital(t->c[i + 1]) || !personal_is_digit(t->c[i + 2]))
        return 0;
    country[1] = (char)t->c[i + 1];
    size_t length = personal_iban_length(country), n = 0;
    for (size_t k = 0; k < length; k++) {
        if (k && k % 4 == 0)
            pattern[n++] = '_';
        pattern[n++] = k < 2 ? 'A' : k < 4 ? 'd' : 'x';
    }
    size_t end = length ? match(t, i, pattern, id) : 0;
    if (!end || !personal_check_iban(id))
        return 0;
    personal_add(t, i, end, VL_PERSONAL_ACCOUNT, VL_PERSONAL_CHECKED, "iban");
    return end;
}

/* ---- after a label ------------------------------------------------------------------------
 */

/* A token of an identity document: letters and digits, at least four digits. */
static size_t labelled_id(const personal_text *t, size_t i) {
    size_t digits = 0, at = i;
    while (at < t->count) {
        uint32_t c = t->c[at];
        bool joins = c < 128 && strchr("-./", (int)c) && personal_is_word(t->c[at + 1]);
        bool spaced = c == ' ' && digits && personal_is_digit(t->c[at + 1]);
        if (!personal_is_digit(c) && !is_capital(c) && !joins && !spaced)
            break;
        digits += personal_is_digit(c);
        at++;
    }
    return digits >= 4 && at - i >= 5 && at - i < ID_MAX && !personal_is_letter(t->c[at]) ? at
                                                                                          : 0;
}

/* Whether six figures or more stand in [begin, end) in a row: amounts and dates that follow
 * such a label at some distance are written in groups. */
static bool has_long_row(const personal_text *t, size_t begin, size_t end) {
    enum { LEAST = 6 };
    size_t row = 0;
    for (size_t i = begin; i < end && row < LEAST; i++)
        row = personal_is_digit(t->c[i]) ? row + 1 : 0;
    return row >= LEAST;
}

/* The word at `i`, of letters alone; 0: none, or one that is a label of something else. */
static size_t skip_word(const personal_text *t, size_t i) {
    size_t end = i;
    while (personal_is_letter(t->c[end]) ||
           ((t->c[end] == '\'' || t->c[end] == 0x2019) && personal_is_letter(t->c[end + 1])))
        end++;
    return personal_is_digit(t->c[end]) || personal_word_at(t, i, PERSONAL_WORD_PHONE)
               ? 0
               : end - i;
}

/* "Namba ya kitambulisho ya mratibu ni 23456789": over a few words of the same sentence to the
 * number; 0: there is none. */
static size_t distant_id(const personal_text *t, size_t i, size_t *begin) {
    enum { WORDS = 5 };
    for (int words = 0; words <= WORDS;) {
        while (t->c[i] == ' ' || (t->c[i] < 128 && strchr(":#()/-", (int)t->c[i])))
            i++;
        size_t end = labelled_id(t, i);
        if (end && has_long_row(t, i, end)) {
            *begin = i;
            return end;
        }
        size_t filler = personal_word_at(t, i, PERSONAL_WORD_FILLER);
        size_t word = filler ? filler + (t->c[i + filler] == '.') : skip_word(t, i);
        if (!word)
            return 0;
        i += word;
        words += !filler;
    }
    return 0;
}

static void find_labelled(personal_text *t, size_t i) {
    size_t label = personal_word_at(t, i, PERSONAL_WORD_ID);
    size_t begin = label ? personal_skip_filler(t, i + label) : 0;
    size_t end = label ? labelled_id(t, begin) : 0;
    if (label && !end)
        end = distant_id(t, i + label, &begin);
    if (end)
        personal_add(t, begin, end, VL_PERSONAL_ID, VL_PERSONAL_LABELLED, "label");
}

void personal_find_numbers(personal_text *t) {
    for (size_t i = 0; i < t->count; i++) {
        if (!personal_begins(t, i) || follows_row(t, i))
            continue;
        size_t end = find_rule(t, i);
        if (!end)
            end = find_account(t, i);
        if (end)
            i = end - 1;
        else
            find_labelled(t, i);
    }
}

/* ---- passports ----------------------------------------------------------------------------
 */

enum { ZONE_LEAST = 28, ZONE_MOST = 46 };

/* The line from `i` without its spaces; 0: it holds what no such line does. */
static size_t read_zone(const personal_text *t, size_t i, size_t end,
                        char zone[ZONE_MOST + 1]) {
    size_t n = 0;
    for (; i < end; i++) {
        uint32_t c = t->c[i];
        if (c == ' ')
            continue;
        size_t times = c == 0xAB ? 2 : 1; /* two fillers are often read as « */
        if ((!personal_is_digit(c) && !is_capital(c) && c != '<' && c != 0xAB) ||
            n + times > ZONE_MOST)
            return 0;
        while (times--)
            zone[n++] = c == 0xAB ? '<' : (char)c;
    }
    zone[n] = '\0';
    return n;
}

/* Number and date of birth of two-line documents (parts 4 and 6), or either line with figures
 * of cards (part 5). */
static bool zone_checks(const char *z, size_t n) {
    if (n == 44 || n == 36)
        return personal_check_zone(z, 9, z[9]) && personal_check_zone(z + 13, 6, z[19]);
    if (n == 30)
        return personal_check_zone(z + 5, 9, z[14]) ||
               (personal_check_zone(z, 6, z[6]) && personal_check_zone(z + 8, 6, z[14]));
    return false;
}

void personal_find_zones(personal_text *t) {
    char zone[ZONE_MOST + 1];
    for (size_t i = 0, end; i < t->count; i = end + 1) {
        for (end = i; end < t->count && t->c[end] != '\n';)
            end++;
        size_t n = read_zone(t, i, end, zone), fillers = 0;
        for (size_t k = 0; k < n; k++)
            fillers += zone[k] == '<';
        bool checked = n && fillers && zone_checks(zone, n);
        if (n < ZONE_LEAST || (!checked && fillers < 4))
            continue;
        personal_add(t, i, end, VL_PERSONAL_PASSPORT,
                     checked ? VL_PERSONAL_CHECKED : VL_PERSONAL_SHAPED, "icao-9303");
    }
}
