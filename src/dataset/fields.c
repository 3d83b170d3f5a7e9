/* fields.c — see fields.h. */
#include "dataset/fields.h"

#include <stdio.h>
#include <string.h>
#include <unicode/udat.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

/* ---- words of forms ------------------------------------------------------------------ */

enum { MAX_WORDS = 40 };
static const char *const labels[VL_SCRIPT_COUNT][MAX_WORDS] = {
    {"Name",      "Date",     "Signature", "Address",
     "Phone",     "Tel.",     "Total",     "Amount",
     "Ref.",      "No.",      "Village",   "District",
     "Nom",       "Prénom",   "Adresse",   "Date de naissance",
     "Téléphone", "Jina",     "Tarehe",    "Anwani",
     "Simu",      "Sahihi",   "Suna",      "Kwanan wata",
     "Nome",      "Endereço", "Fecha",     "Nombre",
     "Dirección", "Orúkọ",    "Aha",       "Igama",
     "Magaca",    "Taariikh", "Họ và tên", "Ngày sinh",
     "Soyadı",    "Straße",   "Číslo",     "Imię"},
    {"الاسم", "التاريخ", "العنوان", "الهاتف", "التوقيع", "المبلغ", "رقم", "الجنسية",
     "نام",   "تاریخ",   "نشانی",   "تلفن",   "امضا",    "مبلغ",   "پتہ", "دستخط",
     "فون",   "نوم",     "نېټه",    "پته",    "ناو",     "بەروار"},
    {"ስም", "ቀን", "አድራሻ", "ስልክ", "ፊርማ", "ብር", "ቁጥር", "ድምር", "ወረዳ", "ቀበሌ", "ዕለት", "ሽም", "ዕድመ",
     "ፆታ"},
    {"Имя", "Фамилия", "Дата", "Адрес", "Телефон", "Подпись", "Сумма", "Итого", "Прізвище",
     "Ім’я", "Адреса", "Підпис", "Сума", "Місто", "Улица", "Презиме"},
    {"नाम", "दिनांक", "पता", "फ़ोन", "हस्ताक्षर", "राशि", "मिति", "ठेगाना", "क्रमांक", "जिल्हा", "गाव",
     "कुल", "नागरिकता"},
    {"নাম", "তারিখ", "ঠিকানা", "ফোন", "স্বাক্ষর", "মোট", "জেলা", "গ্রাম", "পিতার নাম", "নং"},
    {"အမည်", "နေ့စွဲ", "လိပ်စာ", "ဖုန်း", "လက်မှတ်", "စုစုပေါင်း", "မြို့နယ်", "အသက်", "အမှတ်"},
    {"ឈ្មោះ", "កាលបរិច្ឆេទ", "អាសយដ្ឋាន", "ទូរស័ព្ទ", "ហត្ថលេខា", "សរុប", "ភូមិ", "ឃុំ", "លេខ"},
    {"பெயர்", "தேதி", "முகவரி", "தொலைபேசி", "கையொப்பம்", "தொகை", "மொத்தம்", "மாவட்டம்", "எண்"},
};

/* Those before a number end in no space; %s is the number. */
static const char *const currencies[VL_SCRIPT_COUNT][14] = {
    {"$%s", "€ %s", "%s €", "£%s", "₦%s", "KSh %s", "TZS %s", "%s FCFA", "R %s", "GH₵ %s",
     "USD %s", "%s ₫", "₺%s", "Br %s"},
    {"%s د.إ", "%s ر.س", "%s جنيه", "%s ریال", "%s روپے", "%s افغانۍ", "$%s", "%s دولار",
     "%s دينار", "%s تومان"},
    {"%s ብር", "ብር %s", "%s ናቕፋ", "$%s"},
    {"%s грн", "%s ₴", "%s руб.", "%s ₽", "%s тг", "$%s", "%s дин."},
    {"₹%s", "₹ %s", "रु. %s", "रु %s", "%s रुपये"},
    {"৳%s", "%s টাকা", "৳ %s"},
    {"%s ကျပ်", "$%s", "ကျပ် %s"},
    {"%s៛", "%s រៀល", "$%s"},
    {"₹%s", "ரூ. %s", "%s ரூபாய்"},
};

/* CLDR locales whose names of months, days and countries are in the script. */
static const char *const locales[VL_SCRIPT_COUNT][24] = {
    {"en", "fr", "es", "pt", "sw", "ha", "yo", "ig", "zu", "so", "om", "rw",
     "vi", "ln", "lg", "sn", "xh", "tr", "pl", "cs", "de", "hu", "ro", "wo"},
    {"ar", "fa", "ur", "ps", "ckb", "ar_EG"},
    {"am", "ti"},
    {"ru", "uk", "bg", "sr", "kk", "be", "mk", "ky"},
    {"hi", "mr", "ne"},
    {"bn", "as"},
    {"my"},
    {"km"},
    {"ta"},
};
static const char *const countries[] = {
    "AE", "AF", "AO", "AR", "BD", "BF", "BI", "BR", "CD", "CF", "CI", "CM", "CO", "CU",
    "DE", "DJ", "DZ", "EC", "EG", "ER", "ES", "ET", "FR", "GB", "GE", "GH", "GN", "HT",
    "ID", "IN", "IQ", "IR", "IT", "JO", "JP", "KE", "KH", "KZ", "LB", "LK", "LR", "LY",
    "MA", "MG", "ML", "MM", "MW", "MX", "MZ", "NE", "NG", "NP", "PE", "PH", "PK", "PS",
    "PT", "RU", "RW", "SA", "SD", "SL", "SN", "SO", "SS", "SY", "TD", "TH", "TN", "TR",
    "TZ", "UA", "UG", "US", "VE", "VN", "YE", "ZA", "ZM", "ZW"};

static const char *label_of(vl_script script, dice *d) {
    size_t count = 0;
    while (count < MAX_WORDS && labels[script][count])
        count++;
    return labels[script][dice_index(d, count)];
}

/* ---- names from CLDR ---------------------------------------------------------------- */

static void keep_name(vl_arena *arena, const char **list, size_t *count, const UChar *name) {
    char text[256];
    UErrorCode status = U_ZERO_ERROR;
    u_strToUTF8(text, sizeof text, NULL, name, -1, &status);
    if (U_SUCCESS(status) && *text && *count < FIELD_MAX_NAMES)
        list[*count] = vl_arena_strdup(arena, text);
    *count += U_SUCCESS(status) && *text && *count < FIELD_MAX_NAMES && list[*count];
}

static void keep_symbols(vl_arena *arena, const UDateFormat *format, UDateFormatSymbolType type,
                         const char **list, size_t *count) {
    for (int32_t i = 0; i < udat_countSymbols(format, type); i++) {
        UChar name[128];
        UErrorCode status = U_ZERO_ERROR;
        udat_getSymbols(format, type, i, name, 128, &status);
        if (U_SUCCESS(status))
            keep_name(arena, list, count, name);
    }
}

static void read_locale(field_names *names, size_t script, const char *locale) {
    UErrorCode status = U_ZERO_ERROR;
    UDateFormat *format = udat_open(UDAT_LONG, UDAT_LONG, locale, NULL, 0, NULL, 0, &status);
    if (U_SUCCESS(status)) {
        keep_symbols(names->arena, format, UDAT_MONTHS, names->of[script].months,
                     &names->of[script].month_count);
        keep_symbols(names->arena, format, UDAT_WEEKDAYS, names->of[script].days,
                     &names->of[script].day_count);
        udat_close(format);
    }
    for (size_t i = 0; i < sizeof countries / sizeof *countries; i++) {
        char place[8];
        UChar name[128];
        status = U_ZERO_ERROR;
        snprintf(place, sizeof place, "und_%s", countries[i]);
        uloc_getDisplayCountry(place, locale, name, 128, &status);
        if (status == U_ZERO_ERROR)
            keep_name(names->arena, names->of[script].places, &names->of[script].place_count,
                      name);
    }
}

vl_status field_names_open(field_names *names, vl_error *error) {
    *names = (field_names){.arena = vl_arena_new((size_t)64 << 20)};
    if (!names->arena)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for names");
    for (size_t i = 0; i < VL_SCRIPT_COUNT; i++) {
        names->of[i].months = vl_arena_array(names->arena, FIELD_MAX_NAMES, sizeof(char *));
        names->of[i].days = vl_arena_array(names->arena, FIELD_MAX_NAMES, sizeof(char *));
        names->of[i].places = vl_arena_array(names->arena, FIELD_MAX_NAMES, sizeof(char *));
        if (!names->of[i].months || !names->of[i].days || !names->of[i].places) {
            field_names_deinit(names);
            return vl_fail(error, VL_ERR_MEMORY, "no memory for names");
        }
        for (size_t k = 0; k < 24 && locales[i][k]; k++)
            read_locale(names, i, locales[i][k]);
    }
    return VL_OK;
}

void field_names_deinit(field_names *names) {
    vl_arena_free(names->arena);
    *names = (field_names){0};
}

static const char *pick(const char *const *list, size_t count, dice *d, const char *otherwise) {
    return count ? list[dice_index(d, count)] : otherwise;
}

/* ---- numbers ------------------------------------------------------------------------ */

/* What the digits of one field are written in: ten characters in a row, or NULL for ASCII. */
static const char *draw_digits(vl_script script, dice *d) {
    const char *own = script_kinds[script].digits;
    if (!own || dice_chance(d, 0.45))
        return NULL;
    return script == VL_SCRIPT_ARABIC && dice_chance(d, 0.5) ? "۰۱۲۳۴۵۶۷۸۹" : own;
}

static void put_digits(vl_buf *out, const char *digits, const char *ascii) {
    size_t width = digits ? strlen(digits) / 10 : 0;
    for (; *ascii; ascii++)
        if (digits && *ascii >= '0' && *ascii <= '9')
            vl_buf_append(out, digits + width * (size_t)(*ascii - '0'), width);
        else
            vl_buf_append(out, ascii, 1);
}

static void put_random(char *to, size_t count, dice *d) {
    for (size_t i = 0; i < count; i++)
        to[i] = (char)('0' + dice_below(d, 10));
    to[count] = '\0';
}

/* 1,234,567.89 with one of the customs for its separators. */
static void make_amount(char *to, size_t room, dice *d) {
    static const char *const customs[][2] = {{",", "."}, {".", ","}, {" ", ","}, {"", "."}};
    const char *const *custom = customs[dice_weighted(d, (double[]){5, 2, 2, 2}, 4)];
    char digits[16];
    int count = 1 + dice_below(d, 8);
    size_t used = 0;
    put_random(digits, (size_t)count, d);
    digits[0] = (char)('1' + dice_below(d, 9));
    for (int i = 0; i < count && used + 8 < room; i++)
        used += (size_t)snprintf(to + used, room - used, "%s%c",
                                 i && (count - i) % 3 == 0 ? custom[0] : "", digits[i]);
    if (dice_chance(d, 0.4))
        snprintf(to + used, room - used, "%s%02d", custom[1], dice_below(d, 100));
}

static void put_amount(vl_script script, dice *d, vl_buf *out) {
    char number[48];
    size_t count = 0;
    while (count < 14 && currencies[script][count])
        count++;
    const char *pattern = currencies[script][dice_index(d, count)];
    const char *at = strstr(pattern, "%s");
    make_amount(number, sizeof number, d);
    vl_buf_append(out, pattern, (size_t)(at - pattern));
    put_digits(out, draw_digits(script, d), number);
    vl_buf_puts(out, at + 2);
}

static void put_number(vl_script script, dice *d, vl_buf *out) {
    char number[48];
    make_amount(number, sizeof number, d);
    put_digits(out, draw_digits(script, d), number);
    if (dice_chance(d, 0.2))
        vl_buf_puts(out, script == VL_SCRIPT_ARABIC && dice_chance(d, 0.5) ? "٪" : "%");
}

static void put_numbers(vl_script script, dice *d, vl_buf *out) {
    for (int count = 2 + dice_below(d, 5); count > 0; count--) {
        put_number(script, d, out);
        if (count > 1)
            vl_buf_puts(out, " ");
    }
}

/* The numerals of Ethiopic, that have tens and hundreds of their own, and of Tamil. */
static void put_old_number(vl_script script, dice *d, vl_buf *out) {
    static const char *const ones[] = {"፩", "፪", "፫", "፬", "፭", "፮", "፯", "፰", "፱"};
    static const char *const tens[] = {"፲", "፳", "፴", "፵", "፶", "፷", "፸", "፹", "፺", "፻", "፼"};
    static const char *const tamil[] = {"௰", "௱", "௲"};
    if (script == VL_SCRIPT_TAMIL) {
        put_digits(out, script_kinds[script].digits,
                   (char[]){(char)('1' + dice_below(d, 9)), 0});
        vl_buf_puts(out, tamil[dice_below(d, 3)]);
        return;
    }
    for (int i = dice_below(d, 3); i >= 0; i--) {
        vl_buf_puts(out, tens[dice_below(d, 11)]);
        if (dice_chance(d, 0.7))
            vl_buf_puts(out, ones[dice_below(d, 9)]);
    }
}

/* ---- dates, times, telephones, addresses -------------------------------------------- */

static void put_date(const field_names *names, vl_script script, dice *d, vl_buf *out) {
    static const char *const patterns[] = {"%02d/%02d/%d", "%02d.%02d.%d", "%d-%02d-%02d",
                                           "%d/%d/%02d",   "%02d-%02d-%d", "%d.%d.%02d"};
    const char *digits = draw_digits(script, d);
    char text[64];
    int day = 1 + dice_below(d, 31), month = 1 + dice_below(d, 12);
    int year = 1950 + dice_below(d, 90);
    if (dice_chance(d, 0.45)) {
        size_t form = (size_t)dice_below(d, 6);
        snprintf(text, sizeof text, patterns[form], form == 2 ? year : day, month,
                 form == 2                ? day
                 : form == 3 || form == 5 ? year % 100
                                          : year);
        put_digits(out, digits, text);
        return;
    }
    if (dice_chance(d, 0.3)) {
        vl_buf_puts(out, pick(names->of[script].days, names->of[script].day_count, d, ""));
        vl_buf_puts(out, dice_chance(d, 0.5) ? ", " : " ");
    }
    snprintf(text, sizeof text, "%d", day);
    put_digits(out, digits, text);
    vl_buf_printf(out, " %s ",
                  pick(names->of[script].months, names->of[script].month_count, d, "/"));
    snprintf(text, sizeof text, "%d", year);
    put_digits(out, digits, text);
}

static void put_time(vl_script script, dice *d, vl_buf *out) {
    static const char *const patterns[] = {"%d:%02d", "%02d:%02d", "%02dh%02d", "%d.%02d"};
    char text[32];
    const char *pattern = patterns[dice_below(d, script == VL_SCRIPT_LATIN ? 4 : 2)];
    int hour = dice_below(d, 24), minute = dice_below(d, 60);
    snprintf(text, sizeof text, pattern, hour, minute);
    put_digits(out, draw_digits(script, d), text);
    if (script == VL_SCRIPT_LATIN && dice_chance(d, 0.4))
        vl_buf_puts(out, dice_chance(d, 0.5) ? " am" : " PM");
}

static void put_phone(vl_script script, dice *d, vl_buf *out) {
    static const int codes[] = {251, 254, 255, 234, 221, 33, 380, 93, 880, 91, 95, 855, 1, 44};
    char part[12], text[64];
    size_t used = 0;
    if (dice_chance(d, 0.5))
        used = (size_t)snprintf(text, sizeof text, "+%d ", codes[dice_below(d, 14)]);
    else
        used = (size_t)snprintf(text, sizeof text, "0");
    char separator = " -  "[dice_below(d, 4)];
    for (int i = 2 + dice_below(d, 2); i >= 0; i--) {
        put_random(part, (size_t)(2 + dice_below(d, 2)), d);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s", part);
        if (i && separator)
            used += (size_t)snprintf(text + used, sizeof text - used, "%c", separator);
    }
    put_digits(out, draw_digits(script, d), text);
}

static void put_word(dice *d, vl_buf *out, int letters) {
    static const char consonants[] = "bcdfghjklmnpqrstvwxyz", vowels[] = "aeiou";
    for (int i = 0; i < letters; i++) {
        const char *from = i % 2 ? vowels : consonants;
        vl_buf_append(out, from + dice_index(d, strlen(from)), 1);
    }
}

static void put_email(dice *d, vl_buf *out) {
    static const char *const ends[] = {"com", "org", "net", "or.ke", "gov.et", "fr", "int"};
    bool site = dice_chance(d, 0.4);
    vl_buf_puts(out, site ? (dice_chance(d, 0.5) ? "www." : "https://") : "");
    put_word(d, out, 3 + dice_below(d, 6));
    if (!site) {
        vl_buf_puts(out, dice_chance(d, 0.3) ? "." : dice_chance(d, 0.2) ? "_" : "");
        if (dice_chance(d, 0.3))
            vl_buf_printf(out, "%d", dice_below(d, 100));
        vl_buf_puts(out, "@");
        put_word(d, out, 3 + dice_below(d, 6));
    }
    vl_buf_printf(out, ".%s", ends[dice_below(d, 7)]);
    if (site && dice_chance(d, 0.4)) {
        vl_buf_puts(out, "/");
        put_word(d, out, 3 + dice_below(d, 8));
    }
}

static void put_code(dice *d, vl_buf *out) {
    for (int parts = 1 + dice_below(d, 3); parts > 0; parts--) {
        for (int i = 1 + dice_below(d, 4); i > 0; i--)
            vl_buf_printf(out, "%c", 'A' + dice_below(d, 26));
        if (dice_chance(d, 0.7))
            vl_buf_puts(out, dice_chance(d, 0.5) ? "-" : "/");
        vl_buf_printf(out, "%d", dice_below(d, 100000));
        if (parts > 1)
            vl_buf_puts(out, dice_chance(d, 0.5) ? " " : "/");
    }
}

/* ---- fields ------------------------------------------------------------------------- */

static void put_value(const field_names *names, vl_script script, dice *d, vl_buf *out) {
    switch (dice_below(d, 8)) {
    case 0:
        put_amount(script, d, out);
        break;
    case 1:
    case 2:
        put_date(names, script, d, out);
        break;
    case 3:
        put_time(script, d, out);
        break;
    case 4:
        put_phone(script, d, out);
        break;
    case 5:
        put_number(script, d, out);
        break;
    case 6:
        put_code(d, out);
        break;
    default:
        vl_buf_puts(out, pick(names->of[script].places, names->of[script].place_count, d, "-"));
    }
}

/* "Name: ______", "Date ........", "Total: 1,200" */
static void put_form(const field_names *names, vl_script script, dice *d, vl_buf *out) {
    static const char *const blanks[] = {"_", ".", "…", "-"};
    vl_buf_puts(out, label_of(script, d));
    vl_buf_puts(out, script == VL_SCRIPT_ETHIOPIC && dice_chance(d, 0.6) ? "፦" : ":");
    vl_buf_puts(out, " ");
    if (dice_chance(d, 0.6)) {
        put_value(names, script, d, out);
        return;
    }
    const char *blank = blanks[dice_weighted(d, (double[]){5, 3, 1, 1}, 4)];
    for (int i = 3 + dice_below(d, 14); i > 0; i--)
        vl_buf_puts(out, blank);
}

static void put_places(const field_names *names, vl_script script, dice *d, vl_buf *out) {
    const char *comma = script == VL_SCRIPT_ARABIC     ? "، "
                        : script == VL_SCRIPT_ETHIOPIC ? "፣ "
                                                       : ", ";
    for (int i = dice_below(d, 4); i >= 0; i--) {
        vl_buf_puts(out, pick(names->of[script].places, names->of[script].place_count, d, "-"));
        if (i)
            vl_buf_puts(out, comma);
    }
}

void field_draw(const field_names *names, vl_script script, dice *d, vl_buf *out) {
    bool old = script == VL_SCRIPT_ETHIOPIC || script == VL_SCRIPT_TAMIL;
    const double odds[] = {4, 3, 3, 3, old ? 2 : 0, 2, 1, 1, 1};
    switch (dice_weighted(d, odds, sizeof odds / sizeof *odds)) {
    case 0:
        put_form(names, script, d, out);
        break;
    case 1:
        put_value(names, script, d, out);
        break;
    case 2:
        put_places(names, script, d, out);
        break;
    case 3:
        put_numbers(script, d, out);
        break;
    case 4:
        put_old_number(script, d, out);
        break;
    case 5:
        vl_buf_printf(out, "%s: ", label_of(script, d));
        put_value(names, script, d, out);
        vl_buf_printf(out, "   %s: ", label_of(script, d));
        put_value(names, script, d, out);
        break;
    case 6:
        put_email(d, out);
        break;
    case 7:
        put_code(d, out);
        break;
    default:
        put_phone(script, d, out);
        vl_buf_puts(out, " / ");
        put_phone(script, d, out);
    }
}

void field_bullet(vl_script script, dice *d, vl_buf *out) {
    static const char *const signs[] = {"• ", "- ", "– ", "● ", "■ ", "□ ",
                                        "☐ ", "☑ ", "✓ ", "* ", "→ "};
    char number[8];
    switch (dice_below(d, 3)) {
    case 0:
        vl_buf_puts(out,
                    signs[dice_weighted(d, (double[]){8, 6, 4, 2, 2, 2, 2, 1, 1, 2, 1}, 11)]);
        break;
    case 1:
        snprintf(number, sizeof number, "%d", 1 + dice_below(d, 30));
        put_digits(out, draw_digits(script, d), number);
        vl_buf_puts(out, dice_chance(d, 0.7) ? ". " : ") ");
        break;
    default:
        vl_buf_printf(out, "(%c) ", 'a' + dice_below(d, 8));
    }
}
