/* phrase_fill.c — phrasings filled by ICU, and what came out looked at again; names of
 * languages, scripts and crises. */
#include "dataset/phrases.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/uloc.h>
#include <unicode/umsg.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#define FIRST_STRONG_ISOLATE "\xE2\x81\xA8" /* U+2068 */
#define POP_ISOLATE "\xE2\x81\xA9"          /* U+2069 */

/* ---- values ----------------------------------------------------------------------------- */

/* Whether a character runs strongly against the direction. */
static bool has_direction(const char *text, bool rtl) {
    int32_t bytes = (int32_t)strlen(text);
    for (int32_t at = 0; at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        UCharDirection direction = u_charDirection(c);
        bool strong_rtl = direction == U_RIGHT_TO_LEFT || direction == U_RIGHT_TO_LEFT_ARABIC;
        if (rtl ? strong_rtl : direction == U_LEFT_TO_RIGHT)
            return true;
    }
    return false;
}

static const char *isolated(const phrase_language *l, const char *value, vl_arena *arena) {
    return has_direction(value, !l->rtl)
               ? vl_arena_printf(arena, FIRST_STRONG_ISOLATE "%s" POP_ISOLATE, value)
               : value;
}

/* In quotation marks; those within where the value has the outer ones. */
static const char *quoted(const phrase_language *l, const char *value, vl_arena *arena) {
    bool has = strstr(value, l->mark[0]) || strstr(value, l->mark[1]);
    const char *const *marks = has ? l->inner : l->quote;
    const char *inside = isolated(l, value, arena);
    return inside ? vl_arena_printf(arena, "%s%s%s", marks[0], inside, marks[1]) : NULL;
}

static bool stands_bare(uint8_t use) {
    return use == PHRASE_FROM || use == PHRASE_TO || use == PHRASE_LANGUAGE;
}

static const char *value_of(const phrase_language *l, const phrase_values *values, uint8_t use,
                            vl_arena *arena) {
    if (use == PHRASE_USE_CLASS)
        return l->nouns[values->noun].gender;
    if (use >= PHRASE_USE_FORM)
        return l->nouns[values->noun].forms[use - PHRASE_USE_FORM];
    const char *value = values->values[use];
    if (!value)
        return NULL;
    return stands_bare(use) ? isolated(l, value, arena) : quoted(l, value, arena);
}

static UChar *to_wide(const char *text, vl_arena *arena, int32_t *length) {
    UErrorCode code = U_ZERO_ERROR;
    size_t bytes = strlen(text);
    if (bytes > INT32_MAX / 8)
        return NULL;
    UChar *wide = vl_arena_array(arena, bytes + 1, sizeof *wide);
    if (wide)
        u_strFromUTF8WithSub(wide, (int32_t)bytes + 1, length, text, (int32_t)bytes, 0xFFFD,
                             NULL, &code);
    return wide && U_SUCCESS(code) ? wide : NULL;
}

/* ---- filling ---------------------------------------------------------------------------- */

static const char *to_utf8(const UChar *wide, int32_t length, vl_arena *arena) {
    UErrorCode code = U_ZERO_ERROR;
    int32_t size = length * 3 + 1;
    char *text = vl_arena_alloc(arena, (size_t)size);
    u_strToUTF8WithSub(text, text ? size : 0, NULL, wide, length, 0xFFFD, NULL, &code);
    return text && U_SUCCESS(code) ? text : NULL;
}

/* The first letter, unless a digit comes before it, as a capital. */
static const char *capitalised(const char *text, vl_arena *arena) {
    int32_t bytes = (int32_t)strlen(text), at = 0, start = 0, used = 0;
    UChar32 c = 0;
    while (at < bytes && !u_isalnum(c)) {
        start = at;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
    }
    if (!u_islower(c))
        return text;
    char letter[U8_MAX_LENGTH + 1] = "";
    U8_APPEND_UNSAFE((uint8_t *)letter, used, (uint32_t)u_totitle(c));
    letter[used] = '\0';
    return vl_arena_printf(arena, "%.*s%s%s", (int)start, text, letter, text + at);
}

vl_status phrases_fill(const phrase_language *language, const phrase_pattern *pattern,
                       const phrase_values *values, vl_arena *arena, const char **sentence,
                       vl_error *error) {
    static const UChar nothing[1];
    const UChar *arguments[PHRASE_USES_MAX];
    size_t room = pattern->length + 64;
    for (size_t i = 0; i < PHRASE_USES_MAX; i++)
        arguments[i] = nothing;
    for (size_t i = 0; i < pattern->use_count; i++) {
        uint8_t use = pattern->uses[i];
        if (use < PHRASE_ARGUMENT_COUNT && !values->values[use])
            return vl_fail(error, VL_ERR_USAGE, "'%s' needs a %s", pattern->source,
                           phrase_argument_name((phrase_argument)use));
        const char *value = value_of(language, values, use, arena);
        int32_t length = 0;
        arguments[i] = value ? to_wide(value, arena, &length) : NULL;
        if (!arguments[i])
            return vl_fail(error, VL_ERR_MEMORY, "no memory for a phrase");
        room += 2 * (size_t)length; /* a form may stand twice */
    }
    UErrorCode code = U_ZERO_ERROR;
    UChar *out = room < INT32_MAX ? vl_arena_array(arena, room, sizeof *out) : NULL;
    int32_t length =
        out ? u_formatMessage(language->locale, pattern->text, (int32_t)pattern->length, out,
                              (int32_t)room, &code, arguments[0], arguments[1], arguments[2],
                              arguments[3], arguments[4], arguments[5], arguments[6],
                              arguments[7])
            : 0;
    if (out && (U_FAILURE(code) || (size_t)length >= room))
        return vl_fail(error, VL_ERR_INTERNAL, "'%s' cannot be filled: %s", pattern->source,
                       u_errorName(code));
    *sentence = out ? to_utf8(out, length, arena) : NULL;
    if (*sentence && language->cased)
        *sentence = capitalised(*sentence, arena);
    return *sentence ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for a phrase");
}

vl_status phrases_fill_rows(const phrase_language *language, size_t count, vl_arena *arena,
                            const char **text, vl_error *error) {
    char locale[VL_LANG_SIZE + 16];
    UErrorCode code = U_ZERO_ERROR;
    enum { ROOM = 256 };
    UChar out[ROOM];
    snprintf(locale, sizeof locale, "%s@numbers=latn", language->locale);
    int32_t length =
        u_formatMessage(locale, language->rows.text, (int32_t)language->rows.length, out, ROOM,
                        &code, (double)count);
    if (U_FAILURE(code) || length >= ROOM)
        return vl_fail(error, VL_ERR_INTERNAL, "'%s' cannot be filled: %s",
                       language->rows.source, u_errorName(code));
    *text = to_utf8(out, length, arena);
    return *text ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for a phrase");
}

/* ---- what came out ---------------------------------------------------------------------- */

/* The sentence with each value that it was filled with made one "0", which no rule concerns. */
static size_t without_values(const char *sentence, const phrase_values *values, char *out,
                             size_t size) {
    size_t used = 0;
    while (*sentence && used + 1 < size) {
        size_t skip = 0;
        for (int a = 0; a < PHRASE_ARGUMENT_COUNT; a++) {
            const char *value = values->values[a];
            size_t length = value ? strlen(value) : 0;
            if (length > skip && !strncmp(sentence, value, length))
                skip = length;
        }
        out[used++] = skip ? '0' : *sentence;
        sentence += skip ? skip : 1;
    }
    out[used] = '\0';
    return used;
}

static bool is_mark(UChar32 c) {
    return c == '.' || c == ',' || c == ';' || c == ':' || c == '?' || c == '!' ||
           u_hasBinaryProperty(c, UCHAR_TERMINAL_PUNCTUATION);
}

/* Whether `text` has `word` between what are no letters. */
static bool has_word(const char *text, const char *word) {
    size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at++) {
        bool begins = at == text || !(isalnum((unsigned char)at[-1]) || (at[-1] & 0x80));
        bool ends = !(isalnum((unsigned char)at[length]) || (at[length] & 0x80));
        if (begins && ends)
            return true;
    }
    return false;
}

/* Whether a word that is elided stands before a vowel: "de eau". */
static bool has_unelided(const phrase_language *l, const char *text) {
    for (size_t i = 0; i < l->elided_count; i++) {
        size_t length = strlen(l->elided[i]);
        for (const char *at = text; (at = strstr(at, l->elided[i])); at++) {
            if ((at != text && at[-1] != ' ') || at[length] != ' ')
                continue;
            UChar32 c;
            int32_t from = 0;
            const char *next = at + length + 1;
            U8_NEXT_OR_FFFD((const uint8_t *)next, from, (int32_t)strlen(next), c);
            char letter[8] = "";
            memcpy(letter, next, (size_t)from < sizeof letter ? (size_t)from : 0);
            if (*letter && u_isalpha(c) && strstr(l->vowels, letter))
                return true;
        }
    }
    return false;
}

/* Doubled spaces and marks; braces; spaces at the ends. */
static const char *spacing_fault(const char *text) {
    int32_t bytes = (int32_t)strlen(text);
    UChar32 before = ' ';
    for (int32_t at = 0; at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        if (u_isUWhiteSpace(c) && u_isUWhiteSpace(before))
            return "a doubled space, or one at the beginning";
        if (is_mark(c) && is_mark(before))
            return "doubled punctuation";
        if (c == ',' && u_isUWhiteSpace(before))
            return "a space before a comma";
        if (c == '{' || c == '}' || c == '#' || c == '\'')
            return "a pattern that is not filled";
        before = c;
    }
    return u_isUWhiteSpace(before) ? "a space at the end" : NULL;
}

static bool begins_small(const char *text) {
    int32_t bytes = (int32_t)strlen(text);
    for (int32_t at = 0; at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        if (u_isalnum(c))
            return u_islower(c);
    }
    return false;
}

const char *phrases_fault(const phrase_language *language, const char *sentence,
                          const phrase_values *values) {
    char text[4096];
    without_values(sentence, values, text, sizeof text);
    const char *fault = spacing_fault(text);
    if (fault)
        return fault;
    if (language->cased && begins_small(text))
        return "a small letter at the beginning";
    if (has_unelided(language, text))
        return "a word that is not elided";
    for (size_t i = 0; i < language->never_count; i++)
        if (has_word(text, language->never[i]))
            return "words that the language contracts";
    return NULL;
}

/* ---- names ------------------------------------------------------------------------------ */

static const char *look_up(const phrase_names *names, const char *key) {
    for (size_t i = 0; i < names->count; i++)
        if (!strcmp(names->items[i].key, key))
            return names->items[i].name;
    return NULL;
}

typedef int32_t (*display_fn)(const char *locale, const char *in, UChar *out, int32_t room,
                              UErrorCode *code);

/* CLDR's name, if it is one in that language and not a stand-in. */
static const char *display(display_fn name, const char *of, const phrase_language *l,
                           vl_arena *arena) {
    enum { ROOM = 128 };
    UChar wide[ROOM];
    UErrorCode code = U_ZERO_ERROR;
    int32_t length = name(of, l->locale, wide, ROOM, &code);
    if (U_FAILURE(code) || code == U_USING_DEFAULT_WARNING || length <= 0 || length >= ROOM)
        return NULL;
    const char *text = to_utf8(wide, length, arena);
    double share = 0;
    bool in_script = text && !strcmp(vl_text_script(text, &share), l->script) && share == 1;
    return in_script ? text : NULL;
}

const char *phrases_language_name(const phrase_language *language, const char *code,
                                  vl_arena *arena) {
    code = vl_lang_code(code);
    const char *name = look_up(&language->languages, code);
    if (name || !strcmp(code, "und"))
        return name;
    /* ICU knows most codes of three letters, and looking for the two takes long. */
    name = display(uloc_getDisplayLanguage, code, language, arena);
    return name ? name : display(uloc_getDisplayLanguage, vl_lang_short(code), language, arena);
}

const char *phrases_script_name(const phrase_language *language, const char *script,
                                vl_arena *arena) {
    char locale[16];
    const char *name = look_up(&language->scripts, script);
    if (name || strlen(script) != 4 || script[0] == 'Z')
        return name;
    snprintf(locale, sizeof locale, "und_%s", script);
    return display(uloc_getDisplayScript, locale, language, arena);
}

const char *phrases_crisis_name(const phrase_language *language, const char *kind) {
    /* GLIDE's codes (glidenumber.net), and other names that sources give. */
    static const char *const other[][2] = {
        {"fl", "flood"},
        {"floods", "flood"},
        {"ff", "flash_flood"},
        {"wf", "fire"},
        {"fr", "fire"},
        {"wild_fire", "fire"},
        {"wildfire", "fire"},
        {"eq", "earthquake"},
        {"earthquake_or_collapse", "earthquake"},
        {"st", "storm"},
        {"severe_local_storm", "storm"},
        {"extratropical_cyclone", "storm"},
        {"storm_damage", "storm"},
        {"tc", "cyclone"},
        {"tropical_cyclone", "cyclone"},
        {"ls", "landslide"},
        {"land_slide", "landslide"},
        {"ms", "landslide"},
        {"mud_slide", "landslide"},
        {"dr", "drought"},
        {"conflict_damage", "conflict"},
        {"ep", "epidemic"},
        {"fa", "food_insecurity"},
        {"famine", "food_insecurity"},
        {"cw", "cold_wave"},
        {"ht", "heat_wave"},
        {"vo", "volcano"},
        {"ts", "tsunami"},
        {"in", "insect_infestation"},
        {"displacement_camp", "displacement"},
    };
    char key[48];
    size_t length = 0;
    bool glide = strlen(kind) > 3 && isalpha((unsigned char)kind[0]) &&
                 isalpha((unsigned char)kind[1]) && kind[2] == '-' &&
                 isdigit((unsigned char)kind[3]);
    while (kind[length] && length + 1 < sizeof key && !(glide && length == 2)) {
        key[length] = (char)tolower((unsigned char)kind[length]);
        if (key[length] == ' ' || key[length] == '-')
            key[length] = '_';
        length++;
    }
    key[length] = '\0';
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (!strcmp(key, other[i][0]))
            return look_up(&language->crises, other[i][1]);
    return look_up(&language->crises, key);
}
