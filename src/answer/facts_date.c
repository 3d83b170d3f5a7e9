/* facts_date.c — dates in many writings, and what day they mean.
 *
 * A date's value is ISO 8601, and NULL where the day cannot be known: 03/04/2026 may be March
 * or April. Ethiopian dates (marked ዓ.ም) are converted through the Julian day number
 * (Dershowitz & Reingold, Calendrical Calculations, 4th ed., ch. 4). */
#include "answer/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- months by name
 * ---------------------------------------------------------------------------- */

static const char *const months[12][40] = {
    {"january", "jan",     "janvier",  "janv",    "enero", "ene",          "janeiro",
     "januari", "janairu", "jannaayo", "janaayo", "يناير", "كانون الثاني", "січня",
     "січень",  "января",  "ဇန်နဝါရီ",   "ဇန်နဝါရီလ", "جنوری", "ጃንዋሪ",         NULL},
    {"february", "feb", "février", "fevrier", "févr", "febrero", "fevereiro", "februari",
     "fabrairu", "febraayo", "feebraayo", "فبراير", "شباط", "лютого", "лютий", "февраля",
     "ဖေဖော်ဝါရီ", "ဖေဖော်ဝါရီလ", NULL},
    {"march", "mar", "mars", "marzo", "março", "marco", "machi", "maris", "maarso", "مارس",
     "آذار", "اذار", "березня", "березень", "марта", "မတ်", "မတ်လ", NULL},
    {"april", "apr", "avril", "avr", "abril", "abr", "aprili", "afrilu", "abriil", "أبريل",
     "ابريل", "نيسان", "إبريل", "квітня", "квітень", "апреля", "ဧပြီ", "ဧပြီလ", NULL},
    {"may", "mai", "mayo", "maio", "mei", "mayu", "maajo", "maayo", "مايو", "أيار", "ايار",
     "травня", "травень", "мая", "မေ", "မေလ", NULL},
    {"june", "jun", "juin", "junio", "junho", "juni", "yuni", "juun", "يونيو", "حزيران",
     "червня", "червень", "июня", "ဇွန်", "ဇွန်လ", NULL},
    {"july", "jul", "juillet", "juil", "julio", "julho", "julai", "yuli", "luulyo", "luuliyo",
     "يوليو", "تموز", "липня", "липень", "июля", "ဇူလိုင်", "ဇူလိုင်လ", NULL},
    {"august",  "aug",     "août",    "aout",  "agosto", "ago", "agosti",
     "agusta",  "ogosto",  "agoosto", "أغسطس", "اغسطس",  "آب",  "серпня",
     "серпень", "августа", "ဩဂုတ်",     "ဩဂုတ်လ",  "သြဂုတ်လ",  NULL},
    {"september", "sep", "sept", "septembre", "septiembre", "setembro", "septemba", "satumba",
     "sebtembar", "سبتمبر", "أيلول", "ايلول", "вересня", "вересень", "сентября", "စက်တင်ဘာ",
     "စက်တင်ဘာလ", NULL},
    {"october", "oct", "octobre", "octubre", "outubro", "oktoba", "oktobar", "أكتوبر", "اكتوبر",
     "жовтня", "жовтень", "октября", "အောက်တိုဘာ", "အောက်တိုဘာလ", NULL},
    {"november", "nov", "novembre", "noviembre", "novembro", "novemba", "nuwamba", "nofembar",
     "نوفمبر", "листопада", "листопад", "ноября", "နိုဝင်ဘာ", "နိုဝင်ဘာလ", NULL},
    {"december", "dec", "décembre", "decembre", "déc", "diciembre", "dic", "dezembro",
     "desemba", "disemba", "disamba", "diseembar", "ديسمبر", "грудня", "грудень", "декабря",
     "ဒီဇင်ဘာ", "ဒီဇင်ဘာလ", NULL},
};

/* Ethiopian months, from Mäskäräm; the thirteenth has five or six days. */
static const char *const ethiopian_months[13][4] = {
    {"መስከረም", NULL},       {"ጥቅምት", NULL}, {"ኅዳር", "ህዳር", NULL}, {"ታኅሣሥ", "ታህሳስ", "ታኅሳስ", NULL},
    {"ጥር", NULL},          {"የካቲት", NULL}, {"መጋቢት", NULL},       {"ሚያዝያ", "ሚያዚያ", NULL},
    {"ግንቦት", NULL},        {"ሰኔ", NULL},   {"ሐምሌ", "ሀምሌ", NULL}, {"ነሐሴ", "ነሀሴ", NULL},
    {"ጳጉሜ", "ጳጉሜን", NULL},
};

/* Months of two words in Levantine Arabic. */
static int levantine_month(const char *first, const char *second) {
    static const struct {
        const char *first, *second;
        int month;
    } pairs[] = {{"كانون", "الثاني", 1},  {"تشرين", "الأول", 10}, {"تشرين", "الاول", 10},
                 {"تشرين", "الثاني", 11}, {"كانون", "الأول", 12}, {"كانون", "الاول", 12}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (!strcmp(first, pairs[i].first) && !strcmp(second, pairs[i].second))
            return pairs[i].month;
    return 0;
}

static int month_by_name(const char *word) {
    for (int m = 0; m < 12; m++)
        if (is_one_of(word, months[m]))
            return m + 1;
    return 0;
}

static int ethiopian_month_by_name(const char *word) {
    for (int m = 0; m < 13; m++)
        if (is_one_of(word, ethiopian_months[m]))
            return m + 1;
    return 0;
}

/* ---- days
 * ---------------------------------------------------------------------------------------- */

static int days_in_month(int month, int year) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static const char *iso(reading *r, int year, int month, int day) {
    if (year < 1000 || year > 2999 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(month, year))
        return NULL;
    return vl_arena_printf(r->arena, "%04d-%02d-%02d", year, month, day);
}

/* Fliegel & Van Flandern 1968, the inverse. */
static const char *iso_from_julian_day(reading *r, int julian_day) {
    int l = julian_day + 68569, n = 4 * l / 146097;
    l -= (146097 * n + 3) / 4;
    int i = 4000 * (l + 1) / 1461001;
    l = l - 1461 * i / 4 + 31;
    int j = 80 * l / 2447, day = l - 2447 * j / 80;
    l = j / 11;
    return iso(r, 100 * (n - 49) + i + l, j + 2 - 12 * l, day);
}

static const char *iso_from_ethiopian(reading *r, int year, int month, int day) {
    enum { EPOCH = 1724221 }; /* Julian day number of 1 Mäskäräm 1 (29 August 8, Julian) */
    if (year < 1000 || year > 2500 || month < 1 || month > 13 || day < 1 || day > 30)
        return NULL;
    return iso_from_julian_day(r, EPOCH + 365 * (year - 1) + year / 4 + 30 * (month - 1) + day -
                                      1);
}

/* ---- tokens as parts of a date
 * -------------------------------------------------------------------- */

/* "14", "1st", "3rd", "7-ஆம்" → 14, 1, 3; 0 when it is no day. */
static int day_number(const char *word) {
    char *end;
    long day = strtol(word, &end, 10);
    if (end == word || day < 1 || day > 31)
        return 0;
    static const char *const suffixes[] = {"",   "st", "nd", "rd", "th",
                                           "er", "º",  "°",  "го", NULL};
    return is_one_of(end, suffixes) ? (int)day : 0;
}

static int year_number(const char *word) {
    char *end;
    long year = strtol(word, &end, 10);
    return end - word == 4 && (!*end || !strcmp(end, "р") || !strcmp(end, "م")) &&
                   year >= 1000 && year <= 2999
               ? (int)year
               : 0;
}

static const char *const particles[] = {"de", "del",   "of",    "ga",   "the", "ya",
                                        "wa", "le",    "року",  "году", "ခုနှစ်", "year",
                                        "",   "bisha", "mwezi", NULL};

static bool is_particle(const char *word) {
    return is_one_of(word, particles);
}

/* The next token from `at` that is no particle (at most two are passed over), or `count`. */
static size_t next_part(const text_line *line, size_t at) {
    for (size_t passed = 0; at < line->count && passed < 2; at++, passed++)
        if (!is_particle(line->tokens[at].plain))
            return at;
    return at < line->count && !is_particle(line->tokens[at].plain) ? at : line->count;
}

typedef struct found_date {
    size_t count; /* tokens; 0: none */
    const char *value;
    double certainty;
} found_date;

static bool marked_ethiopian(const text_line *line, size_t from) {
    for (size_t i = from; i < line->count && i < from + 3; i++)
        if (strstr(line->tokens[i].text, "ዓ.ም") || strstr(line->tokens[i].text, "ዓ/ም") ||
            strstr(line->tokens[i].text, "ዓም"))
            return true;
    return false;
}

/* The mark of the Ethiopian calendar belongs to the date when it follows as a word of its own.
 */
static size_t with_mark(const text_line *line, size_t end) {
    return end < line->count && !strncmp(line->tokens[end].text, "ዓ", strlen("ዓ")) ? end + 1
                                                                                   : end;
}

/* "14 Machi 2026", "9 de mayo de 2026", "3 ga Yuni 2026", "11 лютого 2026". */
static found_date day_month_year(reading *r, const text_line *line, size_t at) {
    const token *t = line->tokens;
    int day = day_number(t[at].plain);
    size_t m = day ? next_part(line, at + 1) : line->count;
    if (m == line->count)
        return (found_date){0};
    int month = month_by_name(t[m].plain), ethiopian = ethiopian_month_by_name(t[m].plain);
    size_t end = m + 1;
    if (!month && m + 1 < line->count && (month = levantine_month(t[m].plain, t[m + 1].plain)))
        end = m + 2;
    if (!month && !ethiopian)
        return (found_date){0};
    size_t y = next_part(line, end);
    int year = y < line->count ? year_number(t[y].plain) : 0;
    if (!year)
        return (found_date){end - at, NULL, 0.7};
    const char *value = ethiopian && marked_ethiopian(line, y)
                            ? iso_from_ethiopian(r, year, ethiopian, day)
                        : month ? iso(r, year, month, day)
                                : NULL;
    return (found_date){with_mark(line, y + 1) - at, value, 0.98};
}

/* "August 30, 2026", "መጋቢት 12 ቀን 2018 ዓ.ም". */
static found_date month_day_year(reading *r, const text_line *line, size_t at) {
    const token *t = line->tokens;
    int month = month_by_name(t[at].plain), ethiopian = ethiopian_month_by_name(t[at].plain);
    size_t d = month || ethiopian ? next_part(line, at + 1) : line->count;
    int day = d < line->count ? day_number(t[d].plain) : 0;
    if (!day)
        return (found_date){0};
    size_t y = d + 1;
    if (y < line->count && !strcmp(t[y].plain, "ቀን"))
        y++;
    y = next_part(line, y);
    int year = y < line->count ? year_number(t[y].plain) : 0;
    if (!year)
        return (found_date){d + 1 - at, NULL, 0.6};
    const char *value =
        ethiopian
            ? marked_ethiopian(line, y) ? iso_from_ethiopian(r, year, ethiopian, day) : NULL
            : iso(r, year, month, day);
    return (found_date){with_mark(line, y + 1) - at, value, 0.97};
}

/* "၂၀၂၆ ခုနှစ် ဇူလိုင်လ ၈ ရက်", "2026 March 8". */
static found_date year_month_day(reading *r, const text_line *line, size_t at) {
    const token *t = line->tokens;
    char *end;
    long year = strtol(t[at].plain, &end, 10);
    bool joined = !strcmp(end, "ခုနှစ်"); /* the engine may leave the space out */
    if ((*end && !joined) || year < 1900 || year > 2999)
        return (found_date){0};
    size_t m = next_part(line, at + 1);
    int month = m < line->count ? month_by_name(t[m].plain) : 0;
    size_t d = month ? next_part(line, m + 1) : line->count;
    if (d == line->count)
        return (found_date){0};
    long day = strtol(t[d].plain, &end, 10);
    if (day < 1 || day > 31 || (*end && strcmp(end, "ရက်")))
        return (found_date){0};
    size_t last =
        d + 1 < line->count && !strncmp(t[d + 1].plain, "ရက်", strlen("ရက်")) ? d + 1 : d;
    return (found_date){last + 1 - at, iso(r, (int)year, month, (int)day), 0.95};
}

/* "2026-03-14", "19/06/2026", "14.3.26": three numbers with one kind of separator. */
static found_date numeric(reading *r, const text_line *line, size_t at) {
    int a, b, c, used = 0;
    char s1, s2;
    const char *text = line->tokens[at].ascii + strcspn(line->tokens[at].ascii, "0123456789");
    if (sscanf(text, "%4d%c%2d%c%4d%n", &a, &s1, &b, &s2, &c, &used) != 5 || s1 != s2 ||
        !strchr("-/.", s1) || a < 1 || b < 1 || c < 0)
        return (found_date){0};
    char after = text[used];
    if ((after >= '0' && after <= '9') || (after && strchr("-/", after) && text[used + 1]))
        return (found_date){0};
    if (a > 999)
        return (found_date){1, iso(r, a, b, c), 0.97};
    if (a > 31 || b > 31 || (c < 1000 && (c > 99 || s1 == '.')))
        return (found_date){0};
    int year = c >= 1000 ? c : 2000 + c;
    if (marked_ethiopian(line, at)) {
        size_t count = at + 1 < line->count && marked_ethiopian(line, at + 1) ? 2 : 1;
        return (found_date){count, iso_from_ethiopian(r, year, b, a), 0.95};
    }
    const char *value = b > 12             ? iso(r, year, a, b)
                        : a > 12 || a == b ? iso(r, year, b, a)
                                           : NULL; /* which is the day? */
    return (found_date){1, value, c >= 1000 ? 0.93 : 0.7};
}

void find_dates(reading *r) {
    found_date (*const forms[])(reading *, const text_line *, size_t) = {
        day_month_year, month_day_year, year_month_day, numeric};
    for (size_t l = 0; l < r->line_count; l++) {
        const text_line *line = &r->lines[l];
        for (size_t at = 0; at < line->count;) {
            found_date found = {0};
            for (size_t f = 0; f < sizeof forms / sizeof *forms && !found.count; f++)
                found = forms[f](r, line, at);
            if (found.count)
                add_fact(r, VL_FACT_DATE, line, at, found.count, found.value, found.certainty);
            at += found.count ? found.count : 1;
        }
    }
}
