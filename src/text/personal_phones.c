/* personal_phones.c — telephone numbers: international (ITU-T E.164), as they are dialled
 * inside of a country where the form alone tells, and any after a word that says so. */
#include "text/personal.h"

#include <string.h>

enum { DIGITS_MAX = 15, GROUPS_MAX = 8 };

typedef struct row { /* of figures in groups */
    char digits[DIGITS_MAX + 1];
    size_t count;
    size_t groups[GROUPS_MAX], group_count; /* how many figures each has */
    size_t end;                             /* after the last one */
    bool whole; /* no figure, letter or decimal sign goes on after it */
    bool dots;  /* between groups */
} row;

static bool is_joint(uint32_t c) {
    return c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '/';
}

/* Signs between two groups: one, or a bracket with a space or hyphen beside it. */
static size_t joint_at(const personal_text *t, size_t i) {
    size_t n = 0;
    bool bracket = false;
    for (; n < 3 && is_joint(t->c[i + n]); n++)
        bracket |= t->c[i + n] == '(' || t->c[i + n] == ')';
    return personal_is_digit(t->c[i + n]) && (n == 1 || (bracket && n <= 3)) ? n : 0;
}

/* Groups from `i` as long as they fit; a group is taken whole or not at all. */
static row read_row(const personal_text *t, size_t i, size_t most) {
    row r = {.end = i};
    for (size_t at = i;;) {
        size_t digits = 0;
        while (personal_is_digit(t->c[at + digits]))
            digits++;
        if (!digits || r.count + digits > most || r.group_count == GROUPS_MAX)
            break;
        for (size_t k = 0; k < digits; k++)
            r.digits[r.count++] = (char)t->c[at + k];
        r.groups[r.group_count++] = digits;
        r.end = at + digits;
        size_t joint = joint_at(t, r.end);
        if (!joint)
            break;
        r.dots |= t->c[r.end] == '.';
        at = r.end + joint;
    }
    r.digits[r.count] = '\0';
    r.whole = !personal_is_word(t->c[r.end]) &&
              !((t->c[r.end] == ',' || joint_at(t, r.end)) &&
                personal_is_digit(t->c[r.end + 1]) && t->c[r.end] != ' ' && t->c[r.end] != '/');
    return r;
}

/* ITU-T E.164 assigned country codes (list of 2016 and later operational bulletins): those of
 * one and two figures; every other begins one of three. */
static bool is_country(const char *digits) {
    static const char two[] = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 "
                              "54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 "
                              "95 98 ";
    static const char three[] =
        "21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 69 80 85 87 88 96 "
        "97 99 ";
    char key[4] = {digits[0], digits[1], ' ', '\0'};
    return digits[0] == '1' || digits[0] == '7' || strstr(two, key) || strstr(three, key);
}

/* "+ቱ251 911 555 023": between plus and figures a sign that was read wrongly. */
static bool is_stray(const personal_text *t, size_t i) {
    uint32_t c = t->c[i];
    return (personal_is_letter(c) || c == '|' || c == '\'' || c == '*') &&
           personal_is_digit(t->c[i + 1]);
}

/* "+254 712 345 678", "00254…". */
static size_t international(const personal_text *t, size_t i) {
    enum { LEAST_PLUS = 8, LEAST = 10 };
    size_t begin = i;
    bool stray = t->c[i] == '+' && is_stray(t, i + 1);
    if (stray)
        begin = i + 2;
    else if (t->c[i] == '+')
        begin = i + 1 + (t->c[i + 1] == '(' || t->c[i + 1] == ' ');
    else if (t->c[i] == '0' && t->c[i + 1] == '0')
        begin = i + 2 + (t->c[i + 2] == ' ' || t->c[i + 2] == '-');
    if (begin == i || t->c[begin] == '0' || !personal_is_digit(t->c[begin]))
        return 0;
    row r = read_row(t, begin, DIGITS_MAX);
    size_t least = t->c[i] == '+' && !stray ? LEAST_PLUS : LEAST;
    return r.count >= least && is_country(r.digits) && !personal_is_word(t->c[r.end]) ? r.end
                                                                                      : 0;
}

static bool groups_are(const row *r, const char *sizes) {
    if (strlen(sizes) != r->group_count)
        return false;
    for (size_t i = 0; i < r->group_count; i++)
        if (r->groups[i] != (size_t)(sizes[i] - '0'))
            return false;
    return true;
}

/* North American Numbering Plan: area and exchange begin with 2–9. */
static bool is_nanp(const row *r) {
    return r->count == 10 && groups_are(r, "334") && r->digits[0] >= '2' && r->digits[3] >= '2';
}

/* A trunk 0 and eight to ten figures, in groups of two or more (the first may be "(0)"). */
static bool is_trunk(const row *r) {
    if (r->digits[0] != '0' || r->digits[1] == '0' || r->count < 9 || r->count > 11)
        return false;
    for (size_t i = 0; i < r->group_count; i++)
        if (r->groups[i] < 2 || (r->dots && r->groups[i] > 4))
            return false;
    return true;
}

/* Mobile numbers without trunk prefix: India and Pakistan's neighbours (ten figures from 6 on,
 * whole or 5+5), China (eleven from 13 on). */
static bool is_bare_mobile(const row *r) {
    if (r->count == 10 && r->digits[0] >= '6')
        return groups_are(r, "55") || r->group_count == 1;
    return r->count == 11 && r->digits[0] == '1' && r->digits[1] >= '3' &&
           (groups_are(r, "344") || r->group_count == 1);
}

/* "7 035 767 701": the end of a large number, written in thousands. */
static bool ends_a_large_number(const personal_text *t, size_t i, const row *r) {
    return i >= 2 && t->c[i - 1] == ' ' && personal_is_digit(t->c[i - 2]) &&
           groups_are(r, "333");
}

/* "ISBN 0415053110", "ISSN: 0263-8754". */
static bool is_of_book(const personal_text *t, size_t i) {
    enum { NEAR = 10 };
    static const char *const signs[] = {"isbn", "issn"};
    for (size_t at = i > NEAR ? i - NEAR : 0; at + 4 <= i; at++)
        for (size_t s = 0; s < 2; s++) {
            size_t n = 0;
            while (n < 4 && t->folded[at + n] == (uint32_t)signs[s][n])
                n++;
            if (n == 4)
                return true;
        }
    return false;
}

/* "…-052856325.html" */
static bool is_of_file(const personal_text *t, size_t end) {
    return t->c[end] == '.' && t->c[end + 1] >= 'a' && t->c[end + 1] <= 'z';
}

static size_t national(const personal_text *t, size_t i) {
    size_t begin = i + (t->c[i] == '(');
    if (!personal_is_digit(t->c[begin]))
        return 0;
    row r = read_row(t, begin, DIGITS_MAX);
    bool spaced_on = t->c[r.end] == ' ' && personal_is_digit(t->c[r.end + 1]);
    if (!r.whole || spaced_on || ends_a_large_number(t, i, &r) || is_of_file(t, r.end))
        return 0;
    bool fits = is_trunk(&r) || is_nanp(&r) || is_bare_mobile(&r);
    return fits && !is_of_book(t, i) ? r.end : 0;
}

/* Any five to fifteen figures. */
static size_t labelled(const personal_text *t, size_t i) {
    size_t begin = i + (t->c[i] == '+' || t->c[i] == '(');
    row r = read_row(t, begin, DIGITS_MAX);
    return r.count >= 5 && !personal_is_letter(t->c[r.end]) ? r.end : 0;
}

/* After one number another one, apart by a sign or "or": "0712 345 678 / 733 123 456". */
static size_t add_more(personal_text *t, size_t end) {
    for (;;) {
        size_t i = personal_skip_spaces(t, end);
        if (t->c[i] != '/' && t->c[i] != ',' && t->c[i] != ';' &&
            !personal_word_at(t, i, PERSONAL_WORD_FILLER))
            return end;
        size_t begin = personal_skip_filler(t, i + (t->c[i] == ',' || t->c[i] == ';'));
        row r = read_row(t, begin + (t->c[begin] == '+' || t->c[begin] == '('), DIGITS_MAX);
        if (r.count < 6 || personal_is_letter(t->c[r.end]))
            return end;
        personal_add(t, begin, r.end, VL_PERSONAL_PHONE, VL_PERSONAL_LABELLED, "next");
        end = r.end;
    }
}

static bool stands_free(const personal_text *t, size_t i) {
    if (i == 0)
        return true;
    uint32_t before = t->c[i - 1];
    bool joined = i >= 2 && before < 128 && strchr("-./,+", (int)before) &&
                  personal_is_digit(t->c[i - 2]);
    return !personal_is_word(before) && !joined;
}

void personal_find_phones(personal_text *t) {
    for (size_t i = 0; i < t->count; i++) {
        if (!stands_free(t, i))
            continue;
        size_t begin = i, end = international(t, i);
        vl_personal_ground ground = VL_PERSONAL_SHAPED;
        const char *rule = "e164";
        if (!end && (end = national(t, i)))
            rule = "national";
        size_t label = end ? 0 : personal_word_at(t, i, PERSONAL_WORD_PHONE);
        if (label) {
            begin = personal_skip_filler(t, i + label);
            end = labelled(t, begin);
            ground = VL_PERSONAL_LABELLED;
            rule = "label";
        }
        if (!end)
            continue;
        personal_add(t, begin, end, VL_PERSONAL_PHONE, ground, rule);
        i = add_more(t, end) - 1;
    }
}
