/* encoding.c — see encoding.h. */
#include "dataset/encoding.h"

#include <string.h>
#include <strings.h>
#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

enum { LABEL_SIZE = 40, META_BYTES = 4096, SNIFF_BYTES = 64 << 10, CHUNK = 4096 };

/* ---- which encoding ---------------------------------------------------------------------- */

/* Labels that stand for more than they say (WHATWG Encoding, 4.2). */
static const char *const aliases[][2] = {{"iso-8859-1", "windows-1252"},
                                         {"latin1", "windows-1252"},
                                         {"us-ascii", "windows-1252"},
                                         {"ascii", "windows-1252"},
                                         {"iso-8859-9", "windows-1254"},
                                         {"latin5", "windows-1254"},
                                         {"iso-8859-11", "windows-874"},
                                         {"tis-620", "windows-874"},
                                         {"gb2312", "gb18030"},
                                         {"gbk", "gb18030"},
                                         {"ks_c_5601-1987", "windows-949"},
                                         {"euc-kr", "windows-949"},
                                         {"utf8", "utf-8"},
                                         {"utf-16", "utf-16le"},
                                         {"unicode", "utf-16le"}};

static bool label_of(const char *from, size_t count, char out[LABEL_SIZE]) {
    size_t used = 0, at = 0;
    while (at < count && strchr(" \t\r\n\"'", from[at]) && from[at])
        at++;
    for (; at < count && used + 1 < LABEL_SIZE && from[at] > ' ' && !strchr("\"';>/", from[at]);
         at++)
        out[used++] = (char)(from[at] >= 'A' && from[at] <= 'Z' ? from[at] + 32 : from[at]);
    out[used] = '\0';
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (!strcmp(out, aliases[i][0]))
            strcpy(out, aliases[i][1]);
    return used && strncmp(out, "utf-7", 5) != 0;
}

static bool after_charset(const char *text, size_t count, char out[LABEL_SIZE]) {
    static const char key[] = "charset";
    for (size_t i = 0; i + sizeof key < count; i++) {
        if (strncasecmp(text + i, key, sizeof key - 1) != 0)
            continue;
        size_t at = i + sizeof key - 1;
        while (at < count && text[at] == ' ')
            at++;
        if (at < count && text[at] == '=' && label_of(text + at + 1, count - at - 1, out))
            return true;
    }
    return false;
}

/* <meta charset>, <meta http-equiv content> and the encoding of an XML declaration. What reads
 * as ASCII is not UTF-16, whatever it says. */
static bool in_meta(const char *text, size_t count, char out[LABEL_SIZE]) {
    if (count > META_BYTES)
        count = META_BYTES;
    for (size_t i = 0; i + 6 < count; i++) {
        size_t end = i;
        if (text[i] != '<' ||
            (strncasecmp(text + i, "<meta", 5) != 0 && strncmp(text + i, "<?xml", 5) != 0))
            continue;
        while (end < count && text[end] != '>')
            end++;
        const char *xml = memmem(text + i, end - i, "encoding=", 9);
        bool found = text[i + 1] == '?'
                         ? xml && label_of(xml + 9, (size_t)(text + end - xml) - 9, out)
                         : after_charset(text + i, end - i, out);
        if (found && !strncmp(out, "utf-16", 6))
            strcpy(out, "utf-8");
        if (found)
            return true;
    }
    return false;
}

/* Markup has zero bytes only in UTF-16, on one side of each pair. */
static const char *utf16_by_zeros(const unsigned char *bytes, size_t count) {
    size_t zeros[2] = {0, 0}, looked = count < 1024 ? count & ~(size_t)1 : 1024;
    for (size_t i = 0; i < looked; i++)
        zeros[i & 1] += !bytes[i];
    if (zeros[1] * 10 > looked && !zeros[0])
        return "utf-16le";
    return zeros[0] * 10 > looked && !zeros[1] ? "utf-16be" : NULL;
}

/* Whether what is not ASCII is UTF-8, but for few bytes; `any`: there is some. */
static bool is_utf8(const unsigned char *bytes, size_t count, bool *any) {
    size_t good = 0, bad = 0;
    for (size_t i = 0; i < count;) {
        UChar32 c;
        if (bytes[i] < 0x80) {
            i++;
            continue;
        }
        U8_NEXT(bytes, i, count, c);
        *(c < 0 ? &bad : &good) += 1;
    }
    *any = good > 0;
    return bad * 50 <= good;
}

/* What ICU thinks, with how sure it is: 0 not at all … 100. */
static int32_t detect(const char *bytes, size_t count, const char *declared, bool markup,
                      char out[LABEL_SIZE]) {
    UErrorCode code = U_ZERO_ERROR;
    UCharsetDetector *detector = ucsdet_open(&code);
    int32_t length = (int32_t)(count < SNIFF_BYTES ? count : SNIFF_BYTES);
    int32_t certainty = 0;
    ucsdet_setText(detector, bytes, length, &code);
    if (*declared)
        ucsdet_setDeclaredEncoding(detector, declared, -1, &code);
    ucsdet_enableInputFilter(detector, markup); /* looks at what is no tag alone */
    const UCharsetMatch *match = ucsdet_detect(detector, &code);
    const char *name = match && U_SUCCESS(code) ? ucsdet_getName(match, &code) : NULL;
    if (name && U_SUCCESS(code) && label_of(name, strlen(name), out))
        certainty = ucsdet_getConfidence(match, &code);
    ucsdet_close(detector);
    return certainty;
}

/* "utf-8", "utf-16le" or "utf-16be" by a mark, or by zeros; NULL. */
static const char *unicode_mark(const char *bytes, size_t count, size_t *skip) {
    *skip = 0;
    if (count >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3)) {
        *skip = 3;
        return "utf-8";
    }
    if (count >= 2 && (!memcmp(bytes, "\xFF\xFE", 2) || !memcmp(bytes, "\xFE\xFF", 2))) {
        *skip = 2;
        return bytes[0] == '\xFF' ? "utf-16le" : "utf-16be";
    }
    return utf16_by_zeros((const unsigned char *)bytes, count);
}

static void find_encoding(const char *bytes, size_t count, const char *type, bool markup,
                          size_t *skip, char out[LABEL_SIZE]) {
    bool any;
    const char *mark = unicode_mark(bytes, count, skip);
    if (mark) {
        strcpy(out, mark);
        return;
    }
    bool utf8 = is_utf8((const unsigned char *)bytes, count, &any);
    bool declared = (type && after_charset(type, strlen(type), out)) ||
                    (markup && in_meta(bytes, count, out));
    if (utf8 && (any || !declared || !strcmp(out, "utf-8")))
        strcpy(out, "utf-8");
    else if ((!declared || !strcmp(out, "utf-8")) &&
             !detect(bytes, count, declared ? "" : "windows-1252", markup, out))
        strcpy(out, "windows-1252");
}

/* ---- whether it is text ------------------------------------------------------------------ */

static bool is_control(uint32_t c) {
    return (c < 0x20 && !(c >= '\t' && c <= '\r')) || c == 0x7F;
}

static bool is_wide_text(const unsigned char *bytes, size_t count, bool big) {
    UChar before = 0;
    if (count % 2)
        return false;
    for (size_t i = 0; i < count; i += 2) {
        UChar unit = (UChar)(bytes[i + !big] << 8 | bytes[i + big]);
        if (is_control(unit) || unit >= 0xFFFE || U16_IS_TRAIL(unit) != U16_IS_LEAD(before))
            return false;
        before = unit;
    }
    return !U16_IS_LEAD(before);
}

bool encoding_is_text(const void *bytes, size_t count, const char *type) {
    enum { SURE = 20 };
    const unsigned char *at = bytes;
    char label[LABEL_SIZE];
    size_t skip;
    bool any;
    const char *mark = unicode_mark(bytes, count, &skip);
    if (mark && strcmp(mark, "utf-8") != 0)
        return is_wide_text(at + skip, count - skip, !strcmp(mark, "utf-16be"));
    if (count && at[count - 1] == 0x1A) /* the end of a file of DOS */
        count--;
    for (size_t i = 0; i < count; i++)
        if (is_control(at[i]))
            return false;
    if (is_utf8(at, count, &any))
        return true;
    return (type && after_charset(type, strlen(type), label) && strcmp(label, "utf-8") != 0) ||
           detect(bytes, count, "", false, label) >= SURE;
}

/* ---- to UTF-8 ---------------------------------------------------------------------------- */

/* A NUL would end the text for the parser; other control characters say nothing, but those
 * that end lines or pages. */
static uint32_t harmless(uint32_t c) {
    if (c == '\t' || c == '\n' || c == '\r')
        return c;
    if (c == '\v' || c == '\f' || c == 0x85)
        return '\n';
    return c < 0x20 || (c >= 0x7F && c < 0xA0) ? ' ' : c;
}

static void put_utf16(vl_buf *out, const UChar *text, int32_t length, UChar *high) {
    for (int32_t i = 0; i < length; i++) {
        uint8_t bytes[U8_MAX_LENGTH];
        int32_t used = 0;
        uint32_t c = text[i];
        if (U16_IS_LEAD(c)) {
            *high = text[i];
            continue;
        }
        if (U16_IS_TRAIL(c))
            c = *high ? (uint32_t)U16_GET_SUPPLEMENTARY(*high, c) : 0xFFFD;
        *high = 0;
        c = harmless(c);
        U8_APPEND_UNSAFE(bytes, used, c);
        vl_buf_append(out, bytes, (size_t)used);
    }
}

static vl_status is_whole(const vl_buf *out, vl_error *error) {
    return out->failed
               ? vl_fail(error, VL_ERR_LIMIT, "the text is larger than %zu bytes", out->max)
               : VL_OK;
}

static vl_status convert(const char *bytes, size_t count, const char *encoding, vl_buf *out,
                         vl_error *error) {
    UErrorCode code = U_ZERO_ERROR;
    UConverter *converter = ucnv_open(encoding, &code);
    if (U_FAILURE(code)) {
        code = U_ZERO_ERROR;
        converter = ucnv_open("windows-1252", &code);
    }
    if (U_FAILURE(code))
        return vl_fail(error, VL_ERR_MEMORY, "no converter for %s", encoding);
    const char *at = bytes, *end = bytes + count;
    UChar high = 0;
    do {
        UChar chunk[CHUNK], *to = chunk;
        code = U_ZERO_ERROR;
        ucnv_toUnicode(converter, &to, chunk + CHUNK, &at, end, NULL, true, &code);
        put_utf16(out, chunk, (int32_t)(to - chunk), &high);
    } while (code == U_BUFFER_OVERFLOW_ERROR && !out->failed);
    ucnv_close(converter);
    if (U_FAILURE(code) && code != U_BUFFER_OVERFLOW_ERROR)
        return vl_fail(error, VL_ERR_INPUT, "the text is not in %s, which it claims", encoding);
    return is_whole(out, error);
}

/* What is UTF-8 already, in runs; ICU's converter takes several times as long. */
static vl_status copy_utf8(const char *bytes, size_t count, vl_buf *out, vl_error *error) {
    size_t from = 0;
    for (size_t i = 0; i < count;) {
        size_t start = i;
        UChar32 c;
        if (bytes[i] >= ' ' && bytes[i] < 0x7F) {
            i++;
            continue;
        }
        U8_NEXT_OR_FFFD((const uint8_t *)bytes, i, count, c);
        uint8_t put[U8_MAX_LENGTH];
        uint32_t kept = harmless((uint32_t)c);
        int32_t used = 0;
        if (kept == (uint32_t)c && c != 0xFFFD)
            continue;
        U8_APPEND_UNSAFE(put, used, kept);
        vl_buf_append(out, bytes + from, start - from);
        vl_buf_append(out, put, (size_t)used);
        from = i;
    }
    vl_buf_append(out, bytes + from, count - from);
    return is_whole(out, error);
}

vl_status encoding_to_utf8(const void *bytes, size_t count, const char *type, bool markup,
                           vl_buf *out, vl_error *error) {
    char encoding[LABEL_SIZE] = "";
    size_t skip;
    find_encoding(bytes, count, type, markup, &skip, encoding);
    const char *from = (const char *)bytes + skip;
    return !strcmp(encoding, "utf-8") ? copy_utf8(from, count - skip, out, error)
                                      : convert(from, count - skip, encoding, out, error);
}
