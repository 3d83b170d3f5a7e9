/* facts_number.c — telephone numbers, e-mail and web addresses, times, amounts of money and of
 * things. */
#include "answer/reading.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t count_digits(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += *text >= '0' && *text <= '9';
    return count;
}

/* Is any of the words [first, end) of the line in the list? */
static bool has_cue(const text_line *line, size_t first, size_t end, const char *const *cues) {
    for (size_t i = first; i < end && i < line->count; i++)
        if (is_one_of(line->tokens[i].plain, cues))
            return true;
    return false;
}

static bool overlaps_fact(const reading *r, const text_line *line, size_t at,
                          vl_fact_kind kind) {
    vl_box b = line->tokens[at].box;
    for (size_t i = 0; i < r->fact_count; i++) {
        const vl_fact *f = &r->facts[i];
        if (f->kind == kind && f->page == line->page && b.x < f->box.x + f->box.width &&
            f->box.x < b.x + b.width && b.y < f->box.y + f->box.height &&
            f->box.y < b.y + b.height)
            return true;
    }
    return false;
}

/* ---- telephone numbers (ITU-T E.123, E.164: at most 15 digits)
 * --------------------------------- */

/* Digits and their separators; a sentence may go on behind them. */
static bool is_number_part(const char *ascii) {
    const char *rest = ascii + strspn(ascii, "0123456789()-./");
    return count_digits(ascii) && strspn(rest, ",;:!?") == strlen(rest);
}

/* A word may carry a label or a full stop: "simu:+254711555014." */
static const char *number_start(const char *ascii) {
    size_t skipped = strcspn(ascii, "+0123456789(");
    const char *start = ascii + skipped;
    bool glued = skipped && isalpha((unsigned char)ascii[0]) && ascii[skipped - 1] != ':';
    if (glued) /* "KAK-2026-00417" is no telephone number */
        return NULL;
    size_t length = strspn(start, "0123456789+()-./");
    const char *rest = start + length;
    return length >= 2 && (!*rest || strspn(rest, ",;:!?)။።") == strlen(rest)) ? start : NULL;
}

static const char *phone_value(reading *r, const text_line *line, size_t first, size_t count) {
    char *digits = vl_arena_alloc(r->arena, 40);
    size_t used = 0;
    for (size_t i = first; digits && i < first + count; i++)
        for (const char *c = i == first ? number_start(line->tokens[i].ascii)
                                        : line->tokens[i].ascii;
             c && *c && used < 38; c++)
            if ((*c == '+' && used == 0) || (*c >= '0' && *c <= '9'))
                digits[used++] = *c;
    if (digits && !strncmp(digits, "00", 2)) { /* the international prefix, written out */
        digits[0] = '+';
        memmove(digits + 1, digits + 2, strlen(digits + 2) + 1);
    }
    return digits;
}

/* Words from `at` that together are one number; 0 when they cannot be one. */
static size_t phone_length(const text_line *line, size_t at, size_t *digits) {
    const char *first = number_start(line->tokens[at].ascii);
    if (!first)
        return 0;
    size_t end = at + 1;
    *digits = count_digits(first);
    while (end < line->count && *digits < 15 && is_number_part(line->tokens[end].ascii) &&
           !strpbrk(line->tokens[end - 1].ascii, ",;:!?") &&
           count_digits(line->tokens[end].ascii) <= 7 &&
           *digits + count_digits(line->tokens[end].ascii) <= 15)
        *digits += count_digits(line->tokens[end++].ascii);
    return end - at;
}

static void find_phones(reading *r, const text_line *line) {
    for (size_t at = 0; at < line->count; at++) {
        size_t digits = 0, count = phone_length(line, at, &digits);
        if (!count || overlaps_fact(r, line, at, VL_FACT_DATE))
            continue;
        const char *start = number_start(line->tokens[at].ascii);
        bool international = *start == '+' || !strncmp(start, "00", 2);
        bool cued = has_cue(line, at > 6 ? at - 6 : 0, at + 1, cue_phone);
        bool grouped = count >= 3 || strchr(start, '-') || start[0] == '(';
        double certainty = international && digits >= 8                ? 0.97
                           : cued && digits >= 6                       ? 0.9
                           : grouped && start[0] == '0' && digits >= 8 ? 0.7
                                                                       : 0;
        if (certainty > 0 && digits <= 15) {
            add_fact(r, VL_FACT_PHONE, line, at, count, phone_value(r, line, at, count),
                     certainty);
            at += count - 1;
        }
    }
}

/* ---- addresses of the net
 * ----------------------------------------------------------------------- */

static bool looks_like_host(const char *text, size_t length) {
    const char *dot = memrchr(text, '.', length);
    if (!dot || dot == text)
        return false;
    size_t tail = length - (size_t)(dot + 1 - text);
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr(".-", text[i]))
            return false;
    for (size_t i = length - tail; i < length; i++)
        if (!isalpha((unsigned char)text[i]))
            return false;
    return tail >= 2 && tail <= 12;
}

static void find_net(reading *r, const text_line *line) {
    for (size_t i = 0; i < line->count; i++) {
        const char *plain = line->tokens[i].plain, *at = strchr(plain, '@');
        if (at && at != plain && looks_like_host(at + 1, strlen(at + 1)))
            add_fact(r, VL_FACT_EMAIL, line, i, 1, plain, 0.97);
        else if (!strncmp(plain, "http://", 7) || !strncmp(plain, "https://", 8) ||
                 (!strncmp(plain, "www.", 4) && looks_like_host(plain, strcspn(plain, "/"))))
            add_fact(r, VL_FACT_URL, line, i, 1, plain, 0.97);
    }
}

/* ---- times
 * -------------------------------------------------------------------------------------- */

static void find_times(reading *r, const text_line *line) {
    for (size_t i = 0; i < line->count; i++) {
        int hour, minute, used = 0;
        const char *plain = line->tokens[i].plain;
        char separator;
        bool read = sscanf(plain, "%2d%c%2d%n", &hour, &separator, &minute, &used) == 3 &&
                    (separator == ':' || separator == 'h') && !plain[used];
        if (!read || hour > 24 || minute > 59 || hour < 0 || minute < 0)
            continue;
        /* Swahili, Amharic and others count hours from sunrise, so the words around decide; the
         * value is the writing, normalised, not the clock. */
        const char *value = vl_arena_printf(r->arena, "%02d:%02d", hour, minute);
        add_fact(r, VL_FACT_TIME, line, i, 1, value, 0.9);
    }
}

void find_contacts(reading *r) {
    for (size_t l = 0; l < r->line_count; l++) {
        find_phones(r, &r->lines[l]);
        find_net(r, &r->lines[l]);
        find_times(r, &r->lines[l]);
    }
}

/* ---- amounts
 * ------------------------------------------------------------------------------------ */

static const struct {
    const char *word, *code;
} currencies[] = {
    {"$", "USD"},       {"usd", "USD"},      {"us$", "USD"},      {"dollar", "USD"},
    {"dollars", "USD"}, {"€", "EUR"},        {"eur", "EUR"},      {"euro", "EUR"},
    {"euros", "EUR"},   {"£", "GBP"},        {"gbp", "GBP"},      {"kes", "KES"},
    {"ksh", "KES"},     {"shilingi", NULL},  {"tzs", "TZS"},      {"ugx", "UGX"},
    {"etb", "ETB"},     {"birr", "ETB"},     {"ብር", "ETB"},       {"sos", "SOS"},
    {"ngn", "NGN"},     {"₦", "NGN"},        {"naira", "NGN"},    {"cfa", "XAF"},
    {"fcfa", "XAF"},    {"xaf", "XAF"},      {"xof", "XOF"},      {"francs", NULL},
    {"cdf", "CDF"},     {"uah", "UAH"},      {"₴", "UAH"},        {"грн", "UAH"},
    {"гривень", "UAH"}, {"mmk", "MMK"},      {"ကျပ်", "MMK"},      {"kyat", "MMK"},
    {"kyats", "MMK"},   {"syp", "SYP"},      {"ليرة", NULL},      {"دولار", "USD"},
    {"دينار", NULL},    {"ssp", "SSP"},      {"lempiras", "HNL"}, {"pesos", NULL},
    {"mzn", "MZN"},     {"meticais", "MZN"}, {"rub", "RUB"},      {"₹", "INR"},
    {"rupees", NULL},   {"bdt", "BDT"},      {"taka", "BDT"},     {"riyal", NULL},
    {"afn", "AFN"},
};

static const char *const units[] = {
    "kg",        "kilos",      "kilo",       "kilograms",  "tonnes",   "tons",    "litres",
    "liters",    "litre",      "liter",      "litros",     "lita",     "km",      "mm",
    "ml",        "mg",         "kilometres", "kilometers", "%",        "percent", "people",
    "persons",   "households", "families",   "children",   "women",    "men",     "patients",
    "cases",     "deaths",     "shelters",   "blankets",   "tents",    "hours",   "days",
    "personnes", "familles",   "ménages",    "enfants",    "savons",   "bidons",  "cas",
    "jours",     "heures",     "kilomètres", "personas",   "familias", "niños",   "casos",
    "días",      "watu",       "kaya",       "familia",    "watoto",   "siku",    "mutane",
    "gidaje",    "yara",       "iyali",      "qoys",       "qof",      "carruur", "місць",
    "людей",     "осіб",       "дітей",      "сімей",      "شخص",      "أسرة",    "أسر",
    "طفل",       "عائلة",      "كغ",         "لتر",        "ሕፃናት",     "ሰዎች",     "ቤተሰብ",
    "ሊትር",       "ኪሎ",         "ယောက်",       "ဦး",         NULL};

static const char *currency_of(const char *word, bool *found) {
    for (size_t i = 0; i < sizeof currencies / sizeof *currencies; i++)
        if (!strcmp(word, currencies[i].word)) {
            *found = true;
            return currencies[i].code;
        }
    return NULL;
}

static double magnitude(const char *word) {
    static const char *const thousands[] = {"thousand", "mille", "mil", "elfu", "dubu",
                                            "kun",      "тисяч", "ألف", "ሺህ",   NULL};
    static const char *const millions[] = {"million", "millions", "millones",  "milioni",
                                           "miliyan", "milyan",   "мільйонів", "мільйон",
                                           "مليون",   "ሚሊዮን",     NULL};
    return is_one_of(word, thousands) ? 1e3 : is_one_of(word, millions) ? 1e6 : 1;
}

/* A number of one word ("4,500") or of groups of three ("1 200"); tokens taken, 0 for none. */
static size_t number_at(const text_line *line, size_t at, double *value) {
    size_t bytes;
    const char *word = line->tokens[at].plain;
    const char *start = *word == '$'             ? word + 1
                        : !strncmp(word, "€", 3) ? word + 3
                        : !strncmp(word, "£", 2) ? word + 2
                                                 : word;
    *value = parse_number(start, &bytes);
    if (!bytes || (start[bytes] && strcmp(start + bytes, "%") && !strchr("$€£", start[bytes])))
        return 0;
    size_t count = 1;
    while (at + count < line->count && *value < 1e12 &&
           strlen(line->tokens[at + count].plain) == 3 &&
           strspn(line->tokens[at + count].plain, "0123456789") == 3 &&
           strlen(line->tokens[at].plain) <= 3)
        *value = *value * 1000 + atoi(line->tokens[at + count++].plain);
    return count;
}

static void find_amount(reading *r, const text_line *line, size_t at, size_t *next) {
    double number;
    size_t count = number_at(line, at, &number), first = at;
    if (!count || overlaps_fact(r, line, at, VL_FACT_DATE) ||
        overlaps_fact(r, line, at, VL_FACT_PHONE) || overlaps_fact(r, line, at, VL_FACT_TIME))
        return;
    bool money = strpbrk(line->tokens[at].plain, "$") || strstr(line->tokens[at].plain, "€") ||
                 strstr(line->tokens[at].plain, "£");
    const char *code = !money                                ? NULL
                       : strchr(line->tokens[at].plain, '$') ? "USD"
                       : strstr(line->tokens[at].plain, "€") ? "EUR"
                                                             : "GBP";
    size_t end = at + count;
    if (end < line->count && magnitude(line->tokens[end].plain) > 1)
        number *= magnitude(line->tokens[end++].plain);
    if (end < line->count && !strcmp(line->tokens[end].plain, "de") && end + 1 < line->count)
        end += is_one_of(line->tokens[end + 1].plain, units) ? 1u : 0u;
    bool counted = false;
    if (!money && end < line->count &&
        (code = currency_of(line->tokens[end].plain, &money), money))
        end++;
    else if (!money && end < line->count && is_one_of(line->tokens[end].plain, units)) {
        counted = true;
        end++;
    } else if (!money && end + 1 < line->count && !strcmp(line->tokens[end].plain, "per") &&
               !strcmp(line->tokens[end + 1].plain, "cent")) {
        counted = true;
        end += 2;
    }
    /* "lita 40", "USD 33.75": the unit before the number. */
    if (!money && !counted && at > 0) {
        code = currency_of(line->tokens[at - 1].plain, &money);
        counted = !money && is_one_of(line->tokens[at - 1].plain, units);
        first -= money || counted;
    }
    counted |= strchr(line->tokens[at].plain, '%') != NULL;
    if (!money && !counted)
        return;
    const char *value = code ? vl_arena_printf(r->arena, "%.15g %s", number, code)
                             : vl_arena_printf(r->arena, "%.15g", number);
    add_fact(r, VL_FACT_AMOUNT, line, first, end - first, value, money ? 0.95 : 0.85);
    *next = end;
}

void find_amounts(reading *r) {
    for (size_t l = 0; l < r->line_count; l++)
        for (size_t at = 0; at < r->lines[l].count;) {
            size_t next = at + 1;
            find_amount(r, &r->lines[l], at, &next);
            at = next;
        }
}
