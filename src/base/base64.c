/* base64.c — bytes as letters (RFC 4648). */
#include <vislang/base.h>

#include <string.h>

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void vl_base64_encode(const void *bytes, size_t count, bool url, char *out) {
    const char *letters = url ? for_urls : plain;
    const uint8_t *from = bytes;
    for (; count >= 3; count -= 3, from += 3) {
        uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
        for (int shift = 18; shift >= 0; shift -= 6)
            *out++ = letters[bits >> shift & 63];
    }
    if (count) {
        uint32_t bits = (uint32_t)from[0] << 16 | (count == 2 ? (uint32_t)from[1] << 8 : 0);
        *out++ = letters[bits >> 18];
        *out++ = letters[bits >> 12 & 63];
        if (count == 2)
            *out++ = letters[bits >> 6 & 63];
        for (size_t i = count; i < 3 && !url; i++)
            *out++ = '=';
    }
    *out = '\0';
}

/* -1: none of its letters. */
static int value_of(char letter, bool url) {
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    return letter == (url ? '-' : '+') ? 62 : letter == (url ? '_' : '/') ? 63 : -1;
}

bool vl_base64_decode(const char *text, size_t length, bool url, void *out, size_t *count) {
    uint8_t *to = out;
    if (!url) {
        if (length % 4)
            return false;
        for (int padding = 0; padding < 2 && length && text[length - 1] == '='; padding++)
            length--;
    }
    if (length % 4 == 1)
        return false;
    uint32_t bits = 0;
    unsigned kept = 0;
    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i], url);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        kept += 6;
        if (kept >= 8) {
            kept -= 8;
            *to++ = (uint8_t)(bits >> kept);
        }
    }
    *count = (size_t)(to - (uint8_t *)out);
    return !(bits & ((1U << kept) - 1)); /* what is left over is nothing */
}
