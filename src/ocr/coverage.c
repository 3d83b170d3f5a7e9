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
static const float STRANGER = 0.1F; /* a letter that the language does not use */
static const float INSERT = 0.05F;  /* a Latin one among those of another script */

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

/* The letters of a pack's language; the caller closes it. NULL: CLDR does not know it. */
static USet *letters_of(const vl_ocr_pack *pack, ULocaleDataExemplarSetType type,
                        uint32_t options) {
    UErrorCode trouble = U_ZERO_ERROR;
    char locale[16];
    snprintf(locale, sizeof locale, "%s_%s", pack->language, pack->script);
    ULocaleData *data = ulocdata_open(locale, &trouble);
    USet *set = data ? ulocdata_getExemplarSet(data, NULL, options, type, &trouble) : NULL;
    if (data)
        ulocdata_close(data);
    /* A default is the root's: no such language is known. */
    if (set && U_SUCCESS(trouble) && trouble != U_USING_DEFAULT_WARNING)
        return set;
    if (set)
        uset_close(set);
    return NULL;
}

static bool knows_language(const vl_reader_alphabet *alphabet, const vl_ocr_pack *pack) {
    size_t all = 0, known = 0;
    USet *set = letters_of(pack, ULOCDATA_ES_STANDARD, 0);
    if (set) {
        count_known(alphabet, set, &all, &known);
        uset_close(set);
    }
    return (double)known >= SHARE * (double)all;
}

bool vl_alphabet_covers(const vl_reader_alphabet *alphabet, const vl_ocr_pack *pack) {
    return knows_script(alphabet, pack->script) &&
           (!pack->language || knows_language(alphabet, pack));
}

/* ---- what may stand in a text -------------------------------------------------------------
 */

/* A letter as the language has it, or made of its letters and marks. */
static bool is_used(const USet *standard, const USet *more, const UNormalizer2 *nfd,
                    UChar32 c) {
    UChar text[PARTS_MAX];
    UErrorCode trouble = U_ZERO_ERROR;
    if (uset_contains(standard, c) || (more && uset_contains(more, c)) || !u_isalpha(c))
        return true;
    int32_t units = unorm2_getDecomposition(nfd, c, text, PARTS_MAX, &trouble);
    return U_SUCCESS(trouble) && units > 0 && uset_containsAllCodePoints(standard, text, units);
}

/* Raises what the pack's text holds. */
static void allow_pack(const vl_reader_alphabet *alphabet, const vl_ocr_pack *pack,
                       float *prior) {
    UErrorCode trouble = U_ZERO_ERROR;
    const UNormalizer2 *nfd = unorm2_getNFDInstance(&trouble);
    UScriptCode script = (UScriptCode)u_getPropertyValueEnum(UCHAR_SCRIPT, pack->script);
    USet *standard =
        pack->language ? letters_of(pack, ULOCDATA_ES_STANDARD, USET_ADD_CASE_MAPPINGS) : NULL;
    USet *more =
        standard ? letters_of(pack, ULOCDATA_ES_AUXILIARY, USET_ADD_CASE_MAPPINGS) : NULL;
    size_t size = vl_reader_alphabet_size(alphabet);
    for (size_t i = 1; i <= size; i++) {
        UChar32 c = (UChar32)vl_reader_alphabet_at(alphabet, i);
        float allowed = 0;
        if (uscript_hasScript(c, script))
            allowed = !standard || is_used(standard, more, nfd, c) ? 1 : STRANGER;
        prior[i] = allowed > prior[i] ? allowed : prior[i];
    }
    if (standard)
        uset_close(standard);
    if (more)
        uset_close(more);
}

void vl_alphabet_prior(const vl_reader_alphabet *alphabet, const char *packs, float *prior) {
    size_t size = vl_reader_alphabet_size(alphabet);
    char name[64];
    prior[0] = 1;
    for (size_t i = 1; i <= size; i++) {
        UErrorCode trouble = U_ZERO_ERROR;
        UChar32 c = (UChar32)vl_reader_alphabet_at(alphabet, i);
        UScriptCode script = uscript_getScript(c, &trouble);
        bool any = script == USCRIPT_COMMON || script == USCRIPT_INHERITED;
        prior[i] = any ? 1 : script == USCRIPT_LATIN ? INSERT : 0;
    }
    for (const char *at = packs; *at; at += *at == '+') {
        size_t length = strcspn(at, "+");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        const vl_ocr_pack *pack = vl_ocr_pack_find(name);
        if (pack)
            allow_pack(alphabet, pack, prior);
        at += length;
    }
}
