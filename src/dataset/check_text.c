/* check_text.c — what can be said of one text: nothing in it, characters that belong to no
 * text, another language or script than it says. */
#include "dataset/check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unicode/uloc.h>
#include <unicode/utf8.h>

enum { CERTAIN_LETTERS = 60, GUESSES = 8, LANGUAGES_MAX = 64 << 10, LOOKED_AT = 64 << 10 };
#define CERTAIN 0.99
#define CERTAIN_SCRIPT 0.9

/* ---- characters -------------------------------------------------------------------------- */

static bool is_control(UChar32 c) {
    return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7F && c < 0xA0) ||
           c == 0xFFFD || (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF);
}

static void look_at_characters(check *c, const check_row *row, const check_text *text) {
    int32_t bytes = (int32_t)strnlen(text->text, INT32_MAX), at = 0;
    while (at < bytes) {
        UChar32 one;
        U8_NEXT_OR_FFFD((const uint8_t *)text->text, at, bytes, one);
        if (!is_control(one))
            continue;
        check_found(c, FINDING_CONTROL_CHARACTER, row->place, "\"%s\" has U+%04X, at byte %d",
                    text->column, (unsigned)one, at);
        return;
    }
}

static bool is_blank(const char *text) {
    return text[strspn(text, " \t\r\n")] == '\0';
}

/* ---- languages --------------------------------------------------------------------------- */

/* The shape of RFC 5646: two or three letters, then subtags of one to eight. */
static bool is_tag(const char *code) {
    size_t letters = 0;
    while (isalpha((unsigned char)code[letters]))
        letters++;
    if (letters < 2 || letters > 3)
        return false;
    for (code += letters; *code;) {
        size_t length = 0;
        if (*code != '-' && *code != '_')
            return false;
        code++;
        while (isalnum((unsigned char)code[length]))
            length++;
        if (!length || length > 8)
            return false;
        code += length;
    }
    return true;
}

static bool is_known(const char *code) {
    char language[16];
    snprintf(language, sizeof language, "%.*s", (int)strcspn(code, "-_"), code);
    for (char *c = language; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    if (!strcmp(language, "und") || !strcmp(language, "mul") || !strcmp(language, "zxx") ||
        !strcmp(language, "mis") || (language[0] == 'q' && language[1] <= 't'))
        return true;
    return strcmp(vl_lang_name(vl_lang_code(language)), vl_lang_code(language)) != 0;
}

/* Whether a code is asked about for the first time. */
static bool is_new_language(check *c, const char *code) {
    char key[64];
    snprintf(key, sizeof key, " %.60s ", code);
    if (c->languages.data && strstr(c->languages.data, key))
        return false;
    vl_buf_puts(&c->languages, key);
    return !c->languages.failed;
}

static void look_at_code(check *c, const check_row *row, const char *code) {
    if (!*code || strchr(code, ' ')) {
        if (*code)
            check_found(c, FINDING_LANGUAGE_UNKNOWN, row->place,
                        "'%.60s' is no language code; write ISO 639 (\"swa\", \"sw\")", code);
        return;
    }
    if (!is_tag(code))
        check_found(c, FINDING_LANGUAGE_UNKNOWN, row->place,
                    "'%.60s' is no language code; write ISO 639 (\"swa\", \"sw\")", code);
    else if (is_new_language(c, code) && !is_known(code))
        check_found(c, FINDING_LANGUAGE_UNKNOWN, row->place,
                    "no language is known as '%.60s' (said once for all rows)", code);
}

static size_t letters_of(const char *text) {
    size_t letters = 0;
    for (; *text && letters < CERTAIN_LETTERS; text++)
        letters += isalpha((unsigned char)*text) || (unsigned char)*text >= 0xC0;
    return letters;
}

/* Only where the model knows the language that is said, does not find it likely at all, and is
 * certain of another one. */
static void look_at_language(check *c, const check_row *row, const check_text *text) {
    vl_lang_guess guesses[GUESSES];
    char said[16];
    snprintf(said, sizeof said, "%.*s", (int)strcspn(text->language, "-_"), text->language);
    const char *code = vl_lang_code(said);
    if (!c->options->langid || !*said || !strcmp(code, "und") || !strcmp(code, "mul") ||
        letters_of(text->text) < CERTAIN_LETTERS || !vl_langid_knows(c->options->langid, code))
        return;
    size_t count = vl_langid_guess(c->options->langid, text->text, GUESSES, guesses);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(vl_lang_code(guesses[i].code), code))
            return;
    if (count && guesses[0].probability >= CERTAIN && strcmp(guesses[0].code, "und") != 0)
        check_found(c, FINDING_LANGUAGE_DIFFERS, row->place,
                    "\"%s\" says %s and is %s (%.3f): %.40s", text->column, text->language,
                    guesses[0].code, guesses[0].probability, text->text);
}

/* ISO 15924 has codes for what is written in several scripts. */
static bool is_same_script(const char *said, const char *is) {
    static const char *const several[] = {"Hans Hani",     "Hant Hani",     "Jpan HaniHiraKana",
                                          "Kore HangHani", "Hrkt HiraKana", "Aran Arab",
                                          "Latf Latn",     "Cyrs Cyrl"};
    if (!strcmp(said, is) || !strcmp(said, "Zyyy") || !strcmp(said, "Zxxx"))
        return true;
    for (size_t i = 0; i < sizeof several / sizeof *several; i++)
        if (!strncmp(several[i], said, 4) && strstr(several[i] + 5, is))
            return true;
    return false;
}

static void look_at_script(check *c, const check_row *row, const check_text *text) {
    double share = 0;
    if (strlen(text->script) != 4)
        return;
    const char *is = vl_text_script(text->text, &share);
    if (strcmp(is, "Zyyy") != 0 && share >= CERTAIN_SCRIPT && !is_same_script(text->script, is))
        check_found(c, FINDING_SCRIPT_DIFFERS, row->place, "\"%s\" says %s and is %s: %.40s",
                    text->column, text->script, is, text->text);
}

void check_look_at_text(check *c, const check_row *row, const check_text *text) {
    look_at_code(c, row, text->language);
    if (is_blank(text->text)) {
        /* Base items of ours ask nothing. */
        if (text->is_own || (strcmp(row->kind, "pair") != 0 && strcmp(row->kind, "text") != 0))
            check_found(c, FINDING_TEXT_EMPTY, row->place, "\"%s\" is empty", text->column);
        return;
    }
    look_at_characters(c, row, text);
    look_at_script(c, row, text);
    look_at_language(c, row, text);
}
