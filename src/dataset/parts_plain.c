/* parts_plain.c — plain text: paragraphs are what empty lines part.
 *
 * Lines of such a block are one paragraph where they were wrapped: most of them end where the
 * next word would have gone past the longest. Else each is a paragraph of its own, but short
 * ones (verses, addresses) stay together. Headings are only what is marked as one: a line
 * underlined with = or - (setext, reStructuredText) or begun with # (Markdown). */
#include "dataset/encoding.h"
#include "dataset/parts.h"

#include <string.h>
#include <unicode/utf8.h>

enum {
    LINES_MAX = 1024, /* of a block; a longer one is parted there */
    WRAPPED_WIDTH = 40,
    SHORT_WIDTH = 60, /* lines that are not wrapped and no wider stay one paragraph */
    LONG_WIDTH = 160, /* nobody wraps that late: each line is a paragraph */
    HEADING_WIDTH = 100,
};

typedef struct line {
    const char *text;
    size_t bytes, width; /* code points */
} line;

typedef struct plain {
    parts_builder *b;
    vl_buf text; /* of the part that is made */
    line lines[LINES_MAX];
    size_t count;
} plain;

/* ---- lines ------------------------------------------------------------------------------- */

static bool is_space(char c) {
    return c == ' ' || c == '\t';
}

static line trimmed(const char *text, size_t bytes) {
    line l = {.text = text, .bytes = bytes};
    while (l.bytes && is_space(*l.text)) {
        l.text++;
        l.bytes--;
    }
    while (l.bytes && is_space(l.text[l.bytes - 1]))
        l.bytes--;
    for (size_t i = 0; i < l.bytes; i++)
        l.width += !U8_IS_TRAIL(l.text[i]);
    return l;
}

/* "-----", "* * *": a line of one sign, three times or more; else 0. */
static char rule_of(const line *l) {
    size_t signs = 0;
    if (!l->bytes || !strchr("-=*_~#.", *l->text))
        return 0;
    for (size_t i = 0; i < l->bytes; i++) {
        if (l->text[i] != *l->text && !is_space(l->text[i]))
            return 0;
        signs += l->text[i] == *l->text;
    }
    return signs >= 3 ? *l->text : 0;
}

static bool underlines(const line *rule, const line *text) {
    char sign = rule_of(rule);
    size_t off =
        rule->width > text->width ? rule->width - text->width : text->width - rule->width;
    return (sign == '=' || sign == '-') && text->width && text->width <= HEADING_WIDTH &&
           !rule_of(text) && off <= 2 + text->width / 5;
}

/* Number signs of a heading in Markdown; 0: it is none. */
static uint32_t number_signs(const line *l) {
    uint32_t count = 0;
    while (count < l->bytes && l->text[count] == '#')
        count++;
    return count <= 6 && count < l->bytes && is_space(l->text[count]) ? count : 0;
}

/* ---- items ------------------------------------------------------------------------------- */

static size_t symbol_of(const line *l) {
    static const char *const symbols[] = {"-", "*", "+", "•", "–", "—", "·", "▪", "‣", "●"};
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        size_t bytes = strlen(symbols[i]);
        if (l->bytes > bytes && !memcmp(l->text, symbols[i], bytes) && is_space(l->text[bytes]))
            return bytes;
    }
    return 0;
}

/* "3. " or "3) ": 3; else 0. */
static uint32_t number_of(const line *l) {
    uint32_t number = 0;
    size_t i = 0;
    for (; i < l->bytes && i < 4 && l->text[i] >= '0' && l->text[i] <= '9'; i++)
        number = number * 10 + (uint32_t)(l->text[i] - '0');
    return i && i + 1 < l->bytes && (l->text[i] == '.' || l->text[i] == ')') &&
                   is_space(l->text[i + 1])
               ? number
               : 0;
}

static bool begins_item(const plain *p, size_t index, uint32_t *expected) {
    const line *l = &p->lines[index];
    if (symbol_of(&p->lines[0]))
        return symbol_of(l) != 0;
    if (!*expected || number_of(l) != *expected)
        return false;
    ++*expected;
    return true;
}

/* The first line begins an item, and another does. */
static bool is_list(const plain *p) {
    uint32_t expected = number_of(&p->lines[0]);
    size_t items = 0;
    for (size_t i = 0; i < p->count; i++)
        items += begins_item(p, i, &expected);
    return items > 1 && (symbol_of(&p->lines[0]) || number_of(&p->lines[0]));
}

/* ---- parts ------------------------------------------------------------------------------- */

static void add(plain *p, vl_part_kind kind, uint32_t level) {
    vl_part part = parts_blank(kind);
    part.level = level;
    part.text = p->text.failed ? NULL : parts_text(p->b, p->text.len ? p->text.data : "", true);
    if (part.text)
        parts_add(p->b, &part, NULL);
    else if (!p->b->status)
        p->b->status = vl_fail(p->b->error, VL_ERR_MEMORY, "out of memory");
    vl_buf_clear(&p->text);
}

static void put(plain *p, const char *before, const line *l, size_t skip) {
    bool close = p->text.len && *before == ' ' && l->bytes > skip &&
                 parts_join_closely(p->text.data, p->text.len, l->text + skip);
    if (p->text.len && !close)
        vl_buf_puts(&p->text, before);
    vl_buf_append(&p->text, l->text + skip, l->bytes - skip);
}

static void add_list(plain *p) {
    uint32_t expected = number_of(&p->lines[0]);
    for (size_t i = 0; i < p->count; i++) {
        const line *l = &p->lines[i];
        bool item = begins_item(p, i, &expected);
        put(p, item ? "\n" : " ", l, item ? symbol_of(l) : 0);
    }
    add(p, VL_PART_LIST, 0);
}

/* Whether the next word would not have had room behind this line. */
static bool is_full(const plain *p, size_t index, size_t widest) {
    const line *next = &p->lines[index + 1];
    size_t word = 0;
    for (size_t i = 0; i < next->bytes && !is_space(next->text[i]); i++)
        word += !U8_IS_TRAIL(next->text[i]);
    return p->lines[index].width + 1 + word > widest;
}

static void add_paragraphs(plain *p) {
    size_t widest = 0, full = 0;
    for (size_t i = 0; i < p->count; i++)
        widest = p->lines[i].width > widest ? p->lines[i].width : widest;
    for (size_t i = 0; i + 1 < p->count; i++)
        full += is_full(p, i, widest);
    bool wrapped = widest >= WRAPPED_WIDTH && widest <= LONG_WIDTH && full * 2 + 1 >= p->count;
    for (size_t i = 0; i < p->count; i++) {
        bool joined = wrapped && i && is_full(p, i - 1, widest);
        if (i && !wrapped && widest > SHORT_WIDTH)
            add(p, VL_PART_PARAGRAPH, 0);
        put(p, joined ? " " : "\n", &p->lines[i], 0);
    }
    add(p, VL_PART_PARAGRAPH, 0);
}

static void add_block(plain *p) {
    if (p->count && is_list(p))
        add_list(p);
    else if (p->count)
        add_paragraphs(p);
    p->count = 0;
}

/* A line that is marked as a heading, with the line under it: true, and it was added. */
static bool add_heading(plain *p, const line *l, const line *next) {
    uint32_t level = number_signs(l);
    line text = *l;
    if (underlines(next, l)) {
        level = rule_of(next) == '=' ? 1 : 2;
    } else if (level && !next->bytes) {
        text.text += level;
        text.bytes -= level;
        while (text.bytes &&
               (text.text[text.bytes - 1] == '#' || is_space(text.text[text.bytes - 1])))
            text.bytes--;
    } else {
        return false;
    }
    add_block(p);
    put(p, "", &text, 0);
    add(p, VL_PART_HEADING, level);
    return true;
}

static line next_line(const char **at, const char *end) {
    const char *from = *at, *stop = from;
    while (stop < end && *stop != '\n' && *stop != '\r')
        stop++;
    *at = stop;
    if (*at < end)
        *at += end - stop > 1 && stop[0] == '\r' && stop[1] == '\n' ? 2 : 1;
    return trimmed(from, (size_t)(stop - from));
}

static void read_lines(plain *p, const char *text, size_t bytes) {
    const char *at = text, *end = text + bytes;
    while (at < end && !p->b->status) {
        line l = next_line(&at, end);
        const char *after = at;
        line next = next_line(&after, end);
        if (!l.bytes || rule_of(&l))
            add_block(p);
        else if (!p->count && add_heading(p, &l, &next))
            continue;
        else
            p->lines[p->count++] = l;
        if (p->count == LINES_MAX)
            add_block(p);
    }
    add_block(p);
}

vl_status parts_plain_read(parts_builder *b, const void *bytes, size_t count) {
    vl_buf text;
    plain *p = vl_arena_alloc(b->arena, sizeof *p);
    if (!p)
        return b->status = vl_fail(b->error, VL_ERR_MEMORY, "out of memory");
    p->b = b;
    vl_buf_init(&text, 4 * b->options->max_bytes);
    vl_buf_init(&p->text, 4 * b->options->max_bytes);
    b->status = encoding_to_utf8(bytes, count, b->options->type, false, &text, b->error);
    if (!b->status && text.len)
        read_lines(p, text.data, text.len);
    vl_buf_deinit(&text);
    vl_buf_deinit(&p->text);
    return b->status;
}
