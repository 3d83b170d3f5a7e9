/* unicode.c — normal forms, scripts, direction, graphemes; the tables are ICU's. */
#include <vislang/text.h>

#include <stdlib.h>
#include <string.h>
#include <unicode/ubidi.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

/* ---- UTF-8 to UTF-16 and back ---------------------------------------------------------------
 */

static UChar *to_utf16(vl_arena *arena, const char *text, int32_t *length) {
    size_t bytes = strlen(text);
    if (bytes > INT32_MAX / 4)
        return NULL;
    UErrorCode code = U_ZERO_ERROR;
    UChar *wide = vl_arena_array(arena, bytes + 1, sizeof *wide);
    if (wide)
        u_strFromUTF8WithSub(wide, (int32_t)bytes + 1, length, text, (int32_t)bytes, 0xFFFD,
                             NULL, &code);
    return wide && U_SUCCESS(code) ? wide : NULL;
}

static char *to_utf8(vl_arena *arena, const UChar *wide, int32_t length) {
    UErrorCode code = U_ZERO_ERROR;
    int32_t written;
    size_t capacity = (size_t)length * 3 + 1;
    char *text = vl_arena_alloc(arena, capacity);
    if (text)
        u_strToUTF8WithSub(text, (int32_t)capacity, &written, wide, length, 0xFFFD, NULL,
                           &code);
    return text && U_SUCCESS(code) ? text : NULL;
}

/* ---- normal form ----------------------------------------------------------------------------
 */

static bool is_ascii(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

char *vl_text_nfc(vl_arena *arena, const char *text) {
    if (is_ascii(text))
        return vl_arena_strdup(arena, text);
    UErrorCode code = U_ZERO_ERROR;
    const UNormalizer2 *nfc = unorm2_getNFCInstance(&code);
    int32_t length;
    UChar *wide = to_utf16(arena, text, &length);
    if (!wide || U_FAILURE(code))
        return NULL;
    int32_t capacity = length + length / 2 + 16, written;
    for (;;) {
        UChar *out = vl_arena_array(arena, (size_t)capacity, sizeof *out);
        code = U_ZERO_ERROR;
        written = out ? unorm2_normalize(nfc, wide, length, out, capacity, &code) : 0;
        if (!out)
            return NULL;
        if (code != U_BUFFER_OVERFLOW_ERROR)
            return U_SUCCESS(code) ? to_utf8(arena, out, written) : NULL;
        capacity = written + 1;
    }
}

char *vl_text_casefold(vl_arena *arena, const char *text) {
    int32_t length;
    UChar *wide = to_utf16(arena, text, &length);
    if (!wide)
        return NULL;
    int32_t capacity = 3 * length + 1; /* no character folds to more than three units a unit */
    UErrorCode code = U_ZERO_ERROR;
    UChar *out = vl_arena_array(arena, (size_t)capacity, sizeof *out);
    int32_t written =
        out ? u_strFoldCase(out, capacity, wide, length, U_FOLD_CASE_DEFAULT, &code) : 0;
    return out && U_SUCCESS(code) ? to_utf8(arena, out, written) : NULL;
}

char *vl_text_squeeze(vl_arena *arena, const char *text) {
    char *nfc = vl_text_nfc(arena, text);
    if (!nfc)
        return NULL;
    char *to = nfc;
    bool gap = false;
    int32_t at = 0, bytes = (int32_t)strlen(nfc);
    while (at < bytes) {
        int32_t start = at;
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)nfc, at, bytes, c);
        if (u_isUWhiteSpace(c)) {
            gap = to != nfc;
            continue;
        }
        if (gap)
            *to++ = ' ';
        gap = false;
        memmove(to, nfc + start, (size_t)(at - start));
        to += at - start;
    }
    *to = '\0';
    return nfc;
}

/* ---- script and direction
 * --------------------------------------------------------------------- */

const char *vl_text_script(const char *text, double *share) {
    uint32_t counts[USCRIPT_CODE_LIMIT] = {0};
    uint64_t letters = 0;
    int32_t bytes = (int32_t)strlen(text);
    UScriptCode best = USCRIPT_COMMON;
    for (int32_t at = 0; at < bytes;) {
        UChar32 c;
        UErrorCode code = U_ZERO_ERROR;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        if (!u_isalpha(c))
            continue;
        UScriptCode script = uscript_getScript(c, &code);
        if (U_FAILURE(code) || script <= USCRIPT_INHERITED || script >= USCRIPT_CODE_LIMIT)
            continue;
        letters++;
        if (++counts[script] > counts[best] || best == USCRIPT_COMMON)
            best = script;
    }
    if (share)
        *share = letters ? (double)counts[best] / (double)letters : 0;
    return letters ? uscript_getShortName(best) : "Zyyy";
}

bool vl_text_is_rtl(const char *text) {
    int32_t bytes = (int32_t)strlen(text);
    for (int32_t at = 0; at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        UCharDirection direction = u_charDirection(c);
        if (direction == U_RIGHT_TO_LEFT || direction == U_RIGHT_TO_LEFT_ARABIC)
            return true;
        if (direction == U_LEFT_TO_RIGHT)
            return false;
    }
    return false;
}

char *vl_text_visual_to_logical(vl_arena *arena, const char *visual) {
    UErrorCode code = U_ZERO_ERROR;
    int32_t length, written;
    UChar *wide = to_utf16(arena, visual, &length);
    UChar *out = wide ? vl_arena_array(arena, (size_t)length + 1, sizeof *out) : NULL;
    UBiDi *bidi = out ? ubidi_open() : NULL;
    if (!bidi)
        return NULL;
    /* ICU's inverse algorithm: levels of the visual text read as if it were logical, reordered.
     */
    ubidi_setInverse(bidi, 1);
    ubidi_setPara(bidi, wide, length, UBIDI_DEFAULT_LTR, NULL, &code);
    written = ubidi_writeReordered(bidi, out, length + 1, UBIDI_DO_MIRRORING, &code);
    ubidi_close(bidi);
    return U_SUCCESS(code) ? to_utf8(arena, out, written) : NULL;
}

/* ---- graphemes
 * -------------------------------------------------------------------------------- */

size_t vl_text_grapheme_count(const char *text) {
    UErrorCode code = U_ZERO_ERROR;
    UText wrapped = UTEXT_INITIALIZER;
    utext_openUTF8(&wrapped, text, -1, &code);
    UBreakIterator *breaks = ubrk_open(UBRK_CHARACTER, "", NULL, 0, &code);
    ubrk_setUText(breaks, &wrapped, &code);
    size_t count = 0;
    while (U_SUCCESS(code) && ubrk_next(breaks) != UBRK_DONE)
        count++;
    ubrk_close(breaks);
    utext_close(&wrapped);
    return count;
}
