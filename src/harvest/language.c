/* language.c — languages by their names, in English and in themselves, as ICU (CLDR) has them.
 */
#include "harvest/language.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/uchar.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

enum { NAME_BYTES = 64, NAMES_MAX = 2048 };

typedef struct named {
    char name[NAME_BYTES]; /* case folded */
    const char *code;      /* of ICU, static */
} named;
static named names[NAMES_MAX];
static size_t name_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Case folded UTF-8; false: it does not fit, or is no UTF-8. */
static bool fold(const UChar *text, int32_t length, char *out, size_t size) {
    UChar folded[NAME_BYTES];
    UErrorCode trouble = U_ZERO_ERROR;
    int32_t bytes = 0;
    int32_t count =
        u_strFoldCase(folded, NAME_BYTES, text, length, U_FOLD_CASE_DEFAULT, &trouble);
    u_strToUTF8(out, (int32_t)size, &bytes, folded, count, &trouble);
    return trouble == U_ZERO_ERROR && bytes > 0; /* not U_STRING_NOT_TERMINATED_WARNING */
}

static void add_name(const char *code, const char *in) {
    UChar text[NAME_BYTES];
    UErrorCode trouble = U_ZERO_ERROR;
    int32_t length = uloc_getDisplayLanguage(code, in, text, NAME_BYTES, &trouble);
    if (trouble != U_ZERO_ERROR || name_count == NAMES_MAX ||
        !fold(text, length, names[name_count].name, NAME_BYTES) ||
        !strcmp(names[name_count].name, code)) /* no name is known */
        return;
    names[name_count++].code = code;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

static void list_names(void) {
    for (const char *const *code = uloc_getISOLanguages(); *code; code++) {
        add_name(*code, "en");
        add_name(*code, *code);
    }
    qsort(names, name_count, sizeof *names, by_name);
}

const char *vl_language_said(const char *description) {
    static const char *const after[] = {" version", " translation"};
    UChar text[NAME_BYTES];
    UErrorCode trouble = U_ZERO_ERROR;
    named key;
    int32_t count;
    size_t length = strlen(description);
    for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
        size_t bytes = strlen(after[i]);
        if (length > bytes && !strcasecmp(description + length - bytes, after[i])) {
            length -= bytes;
            break;
        }
    }
    if (length >= NAME_BYTES)
        return NULL;
    u_strFromUTF8(text, NAME_BYTES, &count, description, (int32_t)length, &trouble);
    if (trouble != U_ZERO_ERROR || !fold(text, count, key.name, sizeof key.name))
        return NULL;
    pthread_once(&once, list_names);
    const named *found = bsearch(&key, names, name_count, sizeof *names, by_name);
    return found ? found->code : NULL;
}
