/* trace.c — W3C Trace Context (level 1, Recommendation of 23 November 2021; the flag `random`
 * from level 2): headers read and written, and what a thread works on.
 *
 * What is wrong in a header is never an error of the request: section 4.3 has the trace begin
 * anew. */
#include <vislang/base.h>

#include <stdio.h>
#include <string.h>

enum {
    ID_BYTES = 32,
    SPAN_BYTES = 16,
    PARENT_BYTES = 55, /* 2 - 32 - 16 - 2 */
    KNOWN_FLAGS = 3,
    MEMBERS_MAX = 32,
    LONG_MEMBER = 128,
    KEY_MAX = 256,
    VALUE_MAX = 256,
    TENANT_MAX = 241,
    SYSTEM_MAX = 14,
};

static _Thread_local const vl_trace *now;

void vl_trace_set(const vl_trace *trace) {
    now = trace;
}

const vl_trace *vl_trace_now(void) {
    return now;
}

/* ---- traceparent ---------------------------------------------------------------------- */

/* Small letters alone. */
static bool is_hex(const char *text, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    return true;
}

static bool is_zero(const char *text, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (text[i] != '0')
            return false;
    return true;
}

static unsigned digit(char c) {
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Of a later version what is known is read, and more may follow (section 4.3). */
static bool has_form(const char *t, size_t bytes) {
    if (bytes < PARENT_BYTES || !is_hex(t, 2) || !memcmp(t, "ff", 2))
        return false;
    if (bytes > PARENT_BYTES && (!memcmp(t, "00", 2) || t[PARENT_BYTES] != '-'))
        return false;
    return t[2] == '-' && t[35] == '-' && t[52] == '-';
}

bool vl_trace_read(const char *text, size_t bytes, vl_trace *trace) {
    memset(trace, 0, sizeof *trace);
    if (!has_form(text, bytes))
        return false;
    const char *id = text + 3, *span = text + 36, *flags = text + 53;
    if (!is_hex(id, ID_BYTES) || is_zero(id, ID_BYTES) || !is_hex(span, SPAN_BYTES) ||
        is_zero(span, SPAN_BYTES) || !is_hex(flags, 2))
        return false;
    memcpy(trace->id, id, ID_BYTES);
    memcpy(trace->caller, span, SPAN_BYTES);
    trace->flags = (uint8_t)((digit(flags[0]) << 4 | digit(flags[1])) & KNOWN_FLAGS);
    return true;
}

static void put_hex(uint64_t value, char *out) {
    for (int i = SPAN_BYTES - 1; i >= 0; i--, value >>= 4)
        out[i] = "0123456789abcdef"[value & 15];
    out[SPAN_BYTES] = '\0';
}

static uint64_t next_id(uint64_t *seed) {
    uint64_t id;
    do
        id = vl_random_next(seed);
    while (!id);
    return id;
}

void vl_trace_begin(vl_trace *trace, uint64_t *seed) {
    put_hex(next_id(seed), trace->span);
    if (trace->id[0])
        return;
    put_hex(next_id(seed), trace->id);
    put_hex(next_id(seed), trace->id + SPAN_BYTES);
}

void vl_trace_write(const vl_trace *trace, char out[VL_TRACE_PARENT_SIZE]) {
    snprintf(out, VL_TRACE_PARENT_SIZE, "00-%s-%s-%02x", trace->id, trace->span, trace->flags);
}

/* ---- tracestate ----------------------------------------------------------------------- */

typedef struct member {
    const char *at;
    size_t bytes, key_bytes;
} member;

static bool is_small(char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_key_char(char c) {
    return is_small(c) || (c >= '0' && c <= '9') || (c && strchr("_-*/", c));
}

static bool are_key_chars(const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        if (!is_key_char(text[i]))
            return false;
    return true;
}

/* Section 3.3.1.3.1: `name` or `tenant@system`. */
static bool is_key(const char *key, size_t bytes) {
    const char *at = memchr(key, '@', bytes);
    if (!at)
        return bytes && bytes <= KEY_MAX && is_small(key[0]) && are_key_chars(key, bytes);
    size_t tenant = (size_t)(at - key), system = bytes - tenant - 1;
    bool begins = tenant && (is_small(key[0]) || (key[0] >= '0' && key[0] <= '9'));
    return begins && tenant <= TENANT_MAX && are_key_chars(key, tenant) && system &&
           system <= SYSTEM_MAX && is_small(at[1]) && are_key_chars(at + 1, system);
}

/* Section 3.3.1.3.2: printable, without comma and equals sign; blanks at its end were cut. */
static bool is_value(const char *value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        if (value[i] < 0x20 || value[i] > 0x7E || value[i] == '=')
            return false;
    return bytes && bytes <= VALUE_MAX;
}

static bool is_member(member *m) {
    const char *equals = memchr(m->at, '=', m->bytes);
    if (!equals)
        return false;
    m->key_bytes = (size_t)(equals - m->at);
    return is_key(m->at, m->key_bytes) && is_value(equals + 1, m->bytes - m->key_bytes - 1);
}

static bool is_known(const member *members, size_t count, const member *m) {
    for (size_t i = 0; i < count; i++)
        if (members[i].key_bytes == m->key_bytes && !memcmp(members[i].at, m->at, m->key_bytes))
            return true;
    return false;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* The member between two commas, without blanks around it. */
static member cut(const char *from, const char *to) {
    while (from < to && is_blank(*from))
        from++;
    while (to > from && is_blank(to[-1]))
        to--;
    return (member){from, (size_t)(to - from), 0};
}

/* Returns how many there are; 0 when one of them is wrong, or named twice. */
static size_t split(const char *text, size_t bytes, member members[MEMBERS_MAX]) {
    const char *end = text + bytes;
    size_t count = 0;
    for (const char *at = text; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        member m = cut(at, comma ? comma : end);
        at = comma ? comma + 1 : end;
        if (!m.bytes)
            continue;
        if (count == MEMBERS_MAX || !is_member(&m) || is_known(members, count, &m))
            return 0;
        members[count++] = m;
    }
    return count;
}

static size_t total(const member *members, size_t count) {
    size_t bytes = count ? count - 1 : 0;
    for (size_t i = 0; i < count; i++)
        bytes += members[i].bytes;
    return bytes;
}

/* Section 3.3.1.5: long members go first, from the end, then any. */
static size_t shorten(member *members, size_t count) {
    for (size_t i = count; i-- > 0 && total(members, count) >= VL_TRACE_STATE_SIZE;)
        if (members[i].bytes > LONG_MEMBER) {
            memmove(members + i, members + i + 1, (count - i - 1) * sizeof *members);
            count--;
        }
    while (total(members, count) >= VL_TRACE_STATE_SIZE)
        count--;
    return count;
}

void vl_trace_read_state(const char *text, size_t bytes, vl_trace *trace) {
    member members[MEMBERS_MAX];
    size_t count = shorten(members, split(text, bytes, members));
    char *out = trace->state;
    for (size_t i = 0; i < count; i++) {
        if (i)
            *out++ = ',';
        memcpy(out, members[i].at, members[i].bytes);
        out += members[i].bytes;
    }
    *out = '\0';
}
