/* languages.c — names of languages; ICU knows nearly all of them. */
#include <vislang/text.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

/* What ISO 639 and ICU's tables do not say: the code that a language goes by here (its
 * macrolanguage's, or that of the member that is meant), its two letters, and its name. NULL:
 * ICU says it. */
static const struct {
    const char *code, *as, *two, *name;
} known[] = {
    {"swh", "swa", NULL, "Swahili"},
    {"swc", "swa", NULL, NULL},
    {"arb", "ara", NULL, "Arabic"},
    {"arz", "ara", NULL, NULL},
    {"apc", "ara", NULL, NULL},
    {"ary", "ara", NULL, NULL},
    {"pes", "fas", NULL, "Persian"},
    {"prs", "fas", NULL, NULL},
    {"npi", "nep", NULL, NULL},
    {"pbt", "pus", NULL, NULL},
    {"pst", "pus", NULL, NULL},
    {"pbu", "pus", NULL, NULL},
    {"azj", "aze", NULL, "Azerbaijani"},
    {"khk", "mon", NULL, NULL},
    {"lvs", "lav", NULL, NULL},
    {"zsm", "msa", NULL, NULL},
    {"zlm", "msa", NULL, NULL},
    {"nob", "nor", NULL, NULL},
    {"nno", "nor", NULL, NULL},
    {"als", "sqi", NULL, "Albanian"},
    {"uzn", "uzb", NULL, "Uzbek"},
    {"ekk", "est", NULL, NULL},
    {"tgl", "fil", NULL, NULL},
    {"ory", "ori", NULL, NULL},
    {"ydd", "yid", NULL, "Yiddish"},
    {"quz", "que", NULL, NULL},
    {"plt", "mlg", NULL, "Malagasy"},
    {"gaz", "orm", NULL, NULL},
    {"kur", "kmr", NULL, NULL},
    {"zho", "cmn", NULL, NULL},
    {"cmn", "cmn", "zh", "Chinese"},
    {"hbs", "hrv", "sh", "Serbo-Croatian"},
    {"ckb", "ckb", NULL, "Central Kurdish"},
    {"kmr", "kmr", NULL, "Northern Kurdish"},
    {"fuv", "fuv", NULL, "Fulfulde"},
    {"mya", "mya", NULL, "Burmese"},
    {"hat", "hat", NULL, "Haitian Creole"},
    {"und", "und", "und", "unknown language"},
    {"kpv", "kpv", NULL, "Komi-Zyrian"},
    {"nus", "nus", NULL, "Nuer"},
    {"din", "din", NULL, "Dinka"},
};
enum { KNOWN_COUNT = sizeof known / sizeof *known };

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
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (known[i].name && !strcmp(known[i].code, code))
            return known[i].name;
    pthread_mutex_lock(&names_lock);
    const char *name = look_up(code);
    pthread_mutex_unlock(&names_lock);
    return name;
}

const char *vl_lang_code(const char *code) {
    const char *three = strlen(code) == 2 ? uloc_getISO3Language(code) : "";
    if (*three)
        code = three;
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (!strcmp(known[i].code, code))
            return known[i].as;
    return code;
}

/* ICU's own list of two-letter languages by their three-letter codes: each asks ICU a search,
 * so that all are asked once. */
enum { SHORT_MAX = 512 };
static struct { const char *three, *two; } shorts[SHORT_MAX];
static size_t short_count;
static pthread_once_t shorts_once = PTHREAD_ONCE_INIT;

static void list_shorts(void) {
    for (const char *const *two = uloc_getISOLanguages(); *two && short_count < SHORT_MAX;
         two++) {
        if (strlen(*two) != 2)
            continue;
        shorts[short_count].three = uloc_getISO3Language(*two);
        shorts[short_count++].two = *two;
    }
}

/* NULL: none. */
static const char *two_letters(const char *code) {
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (known[i].two && !strcmp(known[i].code, code))
            return known[i].two;
    pthread_once(&shorts_once, list_shorts);
    for (size_t i = 0; i < short_count; i++)
        if (!strcmp(shorts[i].three, code))
            return shorts[i].two;
    return NULL;
}

const char *vl_lang_short(const char *code) {
    const char *two = two_letters(code);
    if (!two)
        two = two_letters(vl_lang_code(code));
    return two ? two : code;
}
