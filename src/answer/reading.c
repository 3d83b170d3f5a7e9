/* reading.c — pages into lines of tokens. */
#include "answer/reading.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

/* ---- words ----------------------------------------------------------------------------------
 */

static bool belongs_to_word(UChar32 c) {
    return u_isalnum(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK) || c == '+' || c == '%' ||
           c == '$' || (U_GET_GC_MASK(c) & U_GC_SC_MASK);
}

static char *append_point(char *to, UChar32 c) {
    int32_t at = 0;
    U8_APPEND_UNSAFE((uint8_t *)to, at, (uint32_t)c);
    return to + at;
}

static UChar32 ascii_digit(UChar32 c) {
    int32_t value = u_charDigitValue(c);
    return value >= 0 ? '0' + value : c;
}

char *ascii_digits(vl_arena *arena, const char *text) {
    int32_t bytes = (int32_t)strlen(text);
    char *out = vl_arena_alloc(arena, (size_t)bytes * 3 + 1), *to = out;
    for (int32_t at = 0; out && at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        to = append_point(to, ascii_digit(c));
    }
    return out;
}

char *plain_word(vl_arena *arena, const char *text) {
    int32_t bytes = (int32_t)strlen(text);
    char *out = vl_arena_alloc(arena, (size_t)bytes * 3 + 1), *to = out, *end = out;
    for (int32_t at = 0; out && at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        bool keep = belongs_to_word(c);
        if (!keep && to == out)
            continue;
        to = append_point(to, ascii_digit(u_tolower(c)));
        if (keep)
            end = to;
    }
    if (out)
        *end = '\0';
    return out;
}

bool is_one_of(const char *word, const char *const *list) {
    for (; *list; list++)
        if (!strcmp(word, *list))
            return true;
    return false;
}

double parse_number(const char *text, size_t *bytes) {
    double value = 0, unit = 1;
    size_t at = 0, digits = 0;
    bool fraction = false;
    for (; text[at]; at++) {
        char c = text[at];
        if (c >= '0' && c <= '9') {
            digits++;
            if (fraction)
                value += (c - '0') * (unit /= 10);
            else
                value = value * 10 + (c - '0');
            continue;
        }
        size_t group = strspn(text + at + 1, "0123456789");
        if (!digits || fraction || (c != ',' && c != '.') || !group)
            break;
        fraction = group != 3; /* "1,200" is a thousand, "6.4" and "33.75" have fractions */
    }
    *bytes = digits ? at : 0;
    return value;
}

/* ---- lines ----------------------------------------------------------------------------------
 */

static bool fill_line(reading *r, text_line *to, const vl_line *from) {
    to->tokens = vl_arena_array(r->arena, from->word_count + 1, sizeof *to->tokens);
    to->text = vl_line_text(r->arena, from);
    if (!to->tokens || !to->text)
        return false;
    for (size_t i = 0; i < from->word_count; i++) {
        token *t = &to->tokens[to->count++];
        *t = (token){.text = from->words[i].text,
                     .plain = plain_word(r->arena, from->words[i].text),
                     .ascii = ascii_digits(r->arena, from->words[i].text),
                     .box = from->words[i].box,
                     .confidence = from->words[i].confidence};
        if (!t->plain || !t->ascii)
            return false;
    }
    return true;
}

void reading_make(reading *r, vl_page **pages, size_t page_count, vl_arena *arena) {
    *r = (reading){.arena = arena, .pages = pages, .page_count = page_count};
    size_t total = 0, block_number = 0;
    for (size_t p = 0; p < page_count; p++)
        for (size_t b = 0; b < pages[p]->block_count; b++)
            total += pages[p]->blocks[b].line_count;
    r->lines = vl_arena_array(arena, total + 1, sizeof *r->lines);
    r->full = !r->lines;
    for (size_t p = 0; p < page_count; p++)
        for (size_t b = 0; b < pages[p]->block_count; b++, block_number++) {
            const vl_block *block = &pages[p]->blocks[b];
            for (size_t l = 0; l < block->line_count && !r->full; l++) {
                text_line *line = &r->lines[r->line_count];
                *line = (text_line){.box = block->lines[l].box,
                                    .page = (uint32_t)p,
                                    .block = block_number,
                                    .kind = block->kind,
                                    .confidence = block->lines[l].confidence};
                if (fill_line(r, line, &block->lines[l]))
                    r->line_count++;
                else
                    r->full = true;
            }
        }
}

const char *line_slice(reading *r, const text_line *line, size_t first, size_t count) {
    size_t bytes = 1;
    for (size_t i = first; i < first + count; i++)
        bytes += strlen(line->tokens[i].text) + 1;
    char *out = vl_arena_alloc(r->arena, bytes), *to = out;
    for (size_t i = first; out && i < first + count; i++) {
        if (i > first)
            *to++ = ' ';
        to = stpcpy(to, line->tokens[i].text);
    }
    r->full |= !out;
    return out ? out : "";
}

vl_box line_slice_box(const text_line *line, size_t first, size_t count) {
    vl_box all = line->tokens[first].box;
    for (size_t i = first + 1; i < first + count; i++) {
        vl_box b = line->tokens[i].box;
        int32_t right = all.x + all.width, bottom = all.y + all.height;
        right = b.x + b.width > right ? b.x + b.width : right;
        bottom = b.y + b.height > bottom ? b.y + b.height : bottom;
        all.x = b.x < all.x ? b.x : all.x;
        all.y = b.y < all.y ? b.y : all.y;
        all.width = right - all.x;
        all.height = bottom - all.y;
    }
    return all;
}

double line_slice_confidence(const text_line *line, size_t first, size_t count) {
    double sum = 0;
    for (size_t i = first; i < first + count; i++)
        sum += line->tokens[i].confidence;
    return count ? sum / (double)count : 0;
}

/* Without the punctuation that stands around it in its sentence. */
static const char *trimmed(reading *r, const char *text) {
    static const char *const tails[] = {",",  ".", ";", ":", "!", "?", ")",
                                        "\"", "»", "።", "၊", "။", "،", NULL};
    static const char *const heads[] = {"(", "\"", "«", NULL};
    char *copy = vl_arena_strdup(r->arena, text);
    for (bool again = copy != NULL; again;) {
        again = false;
        for (size_t i = 0; tails[i]; i++) {
            size_t length = strlen(copy), tail = strlen(tails[i]);
            if (length > tail && !strcmp(copy + length - tail, tails[i])) {
                copy[length - tail] = '\0';
                again = true;
            }
        }
        for (size_t i = 0; heads[i]; i++)
            if (!strncmp(copy, heads[i], strlen(heads[i])) && copy[strlen(heads[i])]) {
                copy += strlen(heads[i]);
                again = true;
            }
    }
    return copy ? copy : text;
}

vl_fact *add_fact(reading *r, vl_fact_kind kind, const text_line *line, size_t first,
                  size_t count, const char *value, double certainty) {
    if (r->fact_count == r->fact_capacity) {
        size_t capacity = r->fact_capacity ? r->fact_capacity * 2 : 64;
        vl_fact *grown = vl_arena_grow(r->arena, r->facts, r->fact_count * sizeof *grown,
                                       capacity * sizeof *grown);
        r->full |= !grown;
        if (!grown)
            return NULL;
        r->facts = grown;
        r->fact_capacity = capacity;
    }
    vl_fact *fact = &r->facts[r->fact_count++];
    const char *text = line_slice(r, line, first, count);
    bool sentence = kind == VL_FACT_TITLE || kind == VL_FACT_FIELD;
    *fact = (vl_fact){.kind = kind,
                      .text = sentence ? text : trimmed(r, text),
                      .value = value,
                      .page = line->page,
                      .box = line_slice_box(line, first, count),
                      .confidence = line_slice_confidence(line, first, count) * certainty};
    return fact;
}

const char *vl_fact_kind_name(vl_fact_kind kind) {
    static const char *const names[VL_FACT_KIND_COUNT] = {
        "title", "date", "time", "amount", "phone", "email", "url", "place", "field"};
    return names[kind];
}
