/* coverage.c — packs against an alphabet, by ICU's characters of scripts and languages. */
#include "ocr/coverage.h"

#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/ulocdata.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uset.h>
#include <unicode/ustring.h>

enum { LETTERS_LEAST = 22, PARTS_MAX = 18 };
static const double SHARE =
    0.875; /* of a language's letters; CLDR lists some that went out of use */

static bool knows_script(const vl_reader_alphabet *alphabet, const char *script) {
    int32_t code = u_getPropertyValueEnum(UCHAR_SCRIPT, script);
    size_t letters = 0, size = vl_reader_alphabet_size(alphabet);
    for (size_t i = 1; i <= size; i++) {
        UErrorCode trouble = U_ZERO_ERROR;
        UChar32 c = (UChar32)vl_reader_alphabet_at(alphabet, i);
        letters += u_isalpha(c) && (int32_t)uscript_getScript(c, &trouble) == code;
    }
    return letters >= LETTERS_LEAST;
}

static bool knows(const vl_reader_alphabet *alphabet, const UNormalizer2 *nfd, UChar32 c) {
    UChar text[PARTS_MAX];
    UChar32 parts[PARTS_MAX];
    UErrorCode trouble = U_ZERO_ERROR;
    if (vl_reader_alphabet_label(alphabet, (uint32_t)c))
        return true;
    int32_t units = unorm2_getDecomposition(nfd, c, text, PARTS_MAX, &trouble), count = 0;
    if (U_FAILURE(trouble) || units <= 0)
        return false;
    u_strToUTF32(parts, PARTS_MAX, &count, text, units, &trouble);
    bool all = U_SUCCESS(trouble);
    for (int32_t i = 0; i < count && all; i++)
        all = vl_reader_alphabet_label(alphabet, (uint32_t)parts[i]);
    return all;
}

/* Letters and marks of a set, and how many of them the alphabet has. */
static void count_known(const vl_reader_alphabet *alphabet, const USet *set, size_t *all,
                        size_t *known) {
    UErrorCode trouble = U_ZERO_ERROR;
    const UNormalizer2 *nfd = unorm2_getNFDInstance(&trouble);
    int32_t items = U_SUCCESS(trouble) ? uset_getItemCount(set) : 0;
    for (int32_t i = 0; i < items; i++) {
        UChar32 first, last;
        UChar text[8];
        /* A row of several characters is made of ones that stand in the set themselves. */
        if (uset_getItem(set, i, &first, &last, text, 8, &trouble) != 0)
            continue;
        for (UChar32 c = first; c <= last; c++) {
            if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
                continue;
            ++*all;
            *known += knows(alphabet, nfd, c);
        }
    }
}

static bool knows_language(const vl_reader_alphabet *alphabet, const vl_ocr_pack *pack) {
    UErrorCode trouble = U_ZERO_ERROR;
    char locale[16];
    size_t all = 0, known = 0;
    snprintf(locale, sizeof locale, "%s_%s", pack->language, pack->script);
    ULocaleData *data = ulocdata_open(locale, &trouble);
    USet *set =
        data ? ulocdata_getExemplarSet(data, NULL, 0, ULOCDATA_ES_STANDARD, &trouble) : NULL;
    /* A default is the root's: no such language is known. */
    if (set && U_SUCCESS(trouble) && trouble != U_USING_DEFAULT_WARNING)
        count_known(alphabet, set, &all, &known);
    if (set)
        uset_close(set);
    if (data)
        ulocdata_close(data);
    return (double)known >= SHARE * (double)all;
}

bool vl_alphabet_covers(const vl_reader_alphabet *alphabet, const vl_ocr_pack *pack) {
    return knows_script(alphabet, pack->script) &&
           (!pack->language || knows_language(alphabet, pack));
}
