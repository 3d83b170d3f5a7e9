/* credit.c — credits of pictures (credit.h). */
#include "dataset/credit.h"

#include <string.h>
#include <strings.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { CREDIT_WORDS = 9 };

/* Whether it has so few words; a credit is no story. */
static bool is_short(const char *text) {
    size_t words = 0;
    for (text += strspn(text, " \t\n"); *text; text += strspn(text, " \t\n")) {
        words++;
        text += strcspn(text, " \t\n");
    }
    return words <= CREDIT_WORDS;
}

bool credit_is(const char *text) {
    static const char *const begins[] = {
        "©",       "(c)",      "Photo:",   "Photo by", "Photos:",  "Photo credit", "Credit:",
        "Image:",  "Image by", "Picture:", "Source:",  "Courtesy", "Crédit",       "Crédits",
        "Photo :", "Foto:",    "Foto ©",   "Fotos:",   "Fonte:",   "Fuente:",      "Crédito",
        "Imagen:", "Picha:",   "Picha na", "Chanzo:",  "Sawir:",   "Sawirka:",     "Hoto:",
        "Suuraa:", "ፎቶ፡",      "ፎቶ:",      "صورة:",    "المصدر",   "تصوير",        "عکس:",
        "फोटो:",   "स्रोत:",    "ছবি:",     "Фото:",    "Источник:"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (!strncasecmp(text, begins[i], strlen(begins[i])))
            return is_short(text);
    return false;
}

/* Where the text ends but for a full stop and white space. */
static size_t end_of(const char *text) {
    size_t end = strlen(text);
    while (end && strchr(" \t\n.", text[end - 1]))
        end--;
    return end;
}

/* Whether a credit may begin at `at`: what is before it, white space aside, sets it off. */
static bool is_set_off(const char *text, size_t at) {
    int32_t index = (int32_t)at;
    UChar32 c = ' ';
    if (!strncmp(text + at, "©", strlen("©")))
        return true;
    while (index > 0 && u_isUWhiteSpace(c)) {
        U8_PREV_OR_FFFD((const uint8_t *)text, 0, index, c);
        if (c == '\n')
            return true;
    }
    if (c == '(' || c == '[')
        return text[end_of(text) - 1] == (c == '(' ? ')' : ']');
    return u_hasBinaryProperty(c, UCHAR_S_TERM) || u_charType(c) == U_DASH_PUNCTUATION ||
           c == '|' || c == '/' || c == ';';
}

/* Without what stands between it and the credit; what ends a sentence is its own. */
static size_t without_joint(const char *text, size_t end) {
    int32_t index = (int32_t)end;
    while (index > 0) {
        UChar32 c;
        int32_t before = index;
        U8_PREV_OR_FFFD((const uint8_t *)text, 0, before, c);
        bool joint = u_isUWhiteSpace(c) || u_charType(c) == U_DASH_PUNCTUATION || c == '(' ||
                     c == '[' || c == '|' || c == '/' || c == ';' || c == ',';
        if (!joint)
            break;
        index = before;
    }
    return (size_t)index;
}

size_t credit_before(const char *text) {
    for (size_t at = 1; at < end_of(text) && text[at]; at++) {
        bool begins = ((unsigned char)text[at] & 0xC0) != 0x80;
        if (!begins || !credit_is(text + at) || !is_set_off(text, at))
            continue;
        size_t end = without_joint(text, at);
        return end ? end : strlen(text);
    }
    return strlen(text);
}
