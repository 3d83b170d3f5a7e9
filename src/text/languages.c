/* languages.c — names of languages; ICU knows nearly all of them. */
#include <vislang/text.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

/* Codes of one language inside a macrolanguage, and what ICU calls them by. */
static const struct {
    const char *code, *as, *name;
} known[] = {
    {"swh", "sw", "Swahili"},
    {"arb", "ar", "Arabic"},
    {"pes", "fa", "Persian"},
    {"plt", "mg", "Malagasy"},
    {"ckb", "ckb", "Central Kurdish"},
    {"kmr", "kmr", "Northern Kurdish"},
    {"fuv", "fuv", "Fulfulde"},
    {"als", "sq", "Albanian"},
    {"ydd", "yi", "Yiddish"},
    {"mya", "my", "Burmese"},
    {"hat", "ht", "Haitian Creole"},
    {"und", "und", "unknown language"},
    {"cmn", "zh", "Chinese"},
    {"uzn", "uz", "Uzbek"},
    {"azj", "az", "Azerbaijani"},
    {"kpv", "kpv", "Komi-Zyrian"},
    {"nus", "nus", "Nuer"},
    {"din", "din", "Dinka"},
    {"hbs", "sh", "Serbo-Croatian"},
};

enum { MAX_NAMES = 512, NAME_BYTES = 48 };

/* ICU gives names into buffers; they are kept so that callers may keep the pointer. */
static struct { char code[VL_LANG_SIZE], name[NAME_BYTES]; } names[MAX_NAMES];
static size_t name_count;
static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *look_up(const char *code) {
    for (size_t i = 0; i < name_count; i++)
        if (!strcmp(names[i].code, code))
            return names[i].name;
    if (name_count == MAX_NAMES || strlen(code) >= VL_LANG_SIZE)
        return code;
    UChar wide[NAME_BYTES];
    UErrorCode status = U_ZERO_ERROR;
    int32_t length = uloc_getDisplayLanguage(code, "en", wide, NAME_BYTES, &status);
    char *name = names[name_count].name;
    u_strToUTF8(name, NAME_BYTES, NULL, wide, length, &status);
    if (U_FAILURE(status) || status == U_STRING_NOT_TERMINATED_WARNING)
        return code;
    snprintf(names[name_count].code, VL_LANG_SIZE, "%s", code);
    return names[name_count++].name;
}

const char *vl_lang_name(const char *code) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].code, code))
            return known[i].name;
    pthread_mutex_lock(&names_lock);
    const char *name = look_up(code);
    pthread_mutex_unlock(&names_lock);
    return name;
}

const char *vl_lang_short(const char *code) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].code, code))
            return known[i].as;
    /* ICU's own list of two-letter languages, asked for their three-letter codes. */
    for (const char *const *two = uloc_getISOLanguages(); *two; two++)
        if (strlen(*two) == 2 && !strcmp(uloc_getISO3Language(*two), code))
            return *two;
    return code;
}
