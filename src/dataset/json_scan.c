/* json_scan.c — a strict pass over one JSON value; json_scan.h. */
#include "dataset/json_scan.h"

#include <string.h>

/* Keys of an object are compared with each other up to so many; rows have dozens. */
enum { KEYS_COMPARED = 256 };

typedef struct scan {
    const char *text;
    size_t bytes, at;
    json_fault fault;
} scan;

static bool fail(scan *s, json_fault_kind kind, size_t at, const char *what) {
    if (s->fault.kind == JSON_SOUND)
        s->fault = (json_fault){kind, at, what};
    return false;
}

/* What makes it bad for some readers only is noted, and the rest is looked at. */
static void note(scan *s, json_fault_kind kind, size_t at, const char *what) {
    fail(s, kind, at, what);
}

static bool broken(scan *s, const char *what) {
    s->fault.kind = JSON_SOUND; /* this comes before what was noted */
    return fail(s, JSON_BROKEN, s->at, what);
}

static int peek(const scan *s) {
    return s->at < s->bytes ? (unsigned char)s->text[s->at] : -1;
}

static void skip_space(scan *s) {
    while (s->at < s->bytes && strchr(" \t\r\n", s->text[s->at]) && s->text[s->at])
        s->at++;
}

static bool read_digits(scan *s, const char *what) {
    size_t from = s->at;
    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at > from || broken(s, what);
}

static bool read_number(scan *s) {
    if (peek(s) == '-')
        s->at++;
    if (peek(s) == '0') {
        s->at++;
        if (peek(s) >= '0' && peek(s) <= '9')
            return broken(s, "a number begins with 0");
    } else if (!read_digits(s, "there is no value here")) {
        return false;
    }
    if (peek(s) == '.') {
        s->at++;
        if (!read_digits(s, "a number ends with its point"))
            return false;
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        return read_digits(s, "a number has no exponent after its e");
    }
    return true;
}

static bool read_hex(scan *s, unsigned *code) {
    *code = 0;
    for (int i = 0; i < 4; i++, s->at++) {
        int c = peek(s);
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16;
        if (digit > 15)
            return broken(s, "\\u without four hexadecimal digits");
        *code = *code * 16 + digit;
    }
    return true;
}

static bool read_unicode_escape(scan *s) {
    size_t from = s->at - 2;
    unsigned high, low;
    if (!read_hex(s, &high))
        return false;
    if (!high)
        note(s, JSON_NUL, from, "\\u0000 in a string");
    if (high >= 0xDC00 && high < 0xE000)
        return broken(s, "half of a surrogate pair");
    if (high < 0xD800 || high >= 0xDC00)
        return true;
    if (s->bytes - s->at < 2 || s->text[s->at] != '\\' || s->text[s->at + 1] != 'u')
        return broken(s, "half of a surrogate pair");
    s->at += 2;
    return read_hex(s, &low) &&
           ((low >= 0xDC00 && low < 0xE000) || broken(s, "half of a surrogate pair"));
}

static bool read_string(scan *s) {
    s->at++;
    for (;;) {
        int c = peek(s);
        if (c < 0)
            return broken(s, "a string is not closed");
        if (c < 0x20)
            return broken(s, "a control character stands in a string as it is");
        s->at++;
        if (c == '"')
            return true;
        if (c != '\\')
            continue;
        c = peek(s);
        s->at += c >= 0;
        if (c == 'u' ? !read_unicode_escape(s)
                     : (c <= 0 || !strchr("\"\\/bfnrt", c)) && !broken(s, "no such escape"))
            return false;
    }
}

static bool read_word(scan *s, const char *word) {
    size_t length = strlen(word);
    if (s->bytes - s->at < length || memcmp(s->text + s->at, word, length) != 0)
        return broken(s, "there is no value here");
    s->at += length;
    return true;
}

static bool read_value(scan *s, unsigned depth);

/* Escapes are not undone: who writes a key in two ways means to. */
static bool is_among(const scan *s, const size_t *keys, size_t count, size_t from,
                     size_t length) {
    for (size_t i = 0; i < count; i++)
        if (keys[2 * i + 1] == length && !memcmp(s->text + keys[2 * i], s->text + from, length))
            return true;
    return false;
}

static bool read_member(scan *s, size_t *keys, size_t *count, unsigned depth) {
    skip_space(s);
    size_t from = s->at;
    if (peek(s) != '"')
        return broken(s, "a key is no string");
    if (!read_string(s))
        return false;
    if (is_among(s, keys, *count, from, s->at - from))
        note(s, JSON_TWICE, from, "a key stands there twice");
    if (*count < KEYS_COMPARED) {
        keys[2 * *count] = from;
        keys[2 * *count + 1] = s->at - from;
        ++*count;
    }
    skip_space(s);
    if (peek(s) != ':')
        return broken(s, "a key has no colon after it");
    s->at++;
    return read_value(s, depth + 1);
}

static bool read_members(scan *s, unsigned depth) {
    size_t keys[2 * KEYS_COMPARED], count = 0;
    for (;;) {
        if (!read_member(s, keys, &count, depth))
            return false;
        skip_space(s);
        if (peek(s) == '}') {
            s->at++;
            return true;
        }
        if (peek(s) != ',')
            return broken(s, peek(s) < 0 ? "an object is not closed" : "a comma is missing");
        s->at++;
    }
}

static bool read_elements(scan *s, unsigned depth) {
    for (;;) {
        if (!read_value(s, depth + 1))
            return false;
        skip_space(s);
        if (peek(s) == ']') {
            s->at++;
            return true;
        }
        if (peek(s) != ',')
            return broken(s, peek(s) < 0 ? "a list is not closed" : "a comma is missing");
        s->at++;
    }
}

static bool read_nested(scan *s, unsigned depth) {
    bool is_object = peek(s) == '{';
    if (depth >= JSON_SCAN_DEPTH) {
        s->fault.kind = JSON_SOUND;
        return fail(s, JSON_DEEP, s->at, "lists and objects are too deep in each other");
    }
    s->at++;
    skip_space(s);
    if (peek(s) == (is_object ? '}' : ']')) {
        s->at++;
        return true;
    }
    return is_object ? read_members(s, depth) : read_elements(s, depth);
}

static bool read_value(scan *s, unsigned depth) {
    skip_space(s);
    switch (peek(s)) {
    case '{':
    case '[':
        return read_nested(s, depth);
    case '"':
        return read_string(s);
    case 't':
        return read_word(s, "true");
    case 'f':
        return read_word(s, "false");
    case 'n':
        return read_word(s, "null");
    case 'N':
    case 'I':
        return broken(s, "NaN and Infinity are no JSON");
    default:
        return read_number(s);
    }
}

json_fault json_scan(const char *text, size_t bytes) {
    scan s = {.text = text, .bytes = bytes};
    if (read_value(&s, 0)) {
        skip_space(&s);
        if (s.at < s.bytes)
            broken(&s, "something follows the value");
    }
    return s.fault;
}
