/* phrases.c — phrases looked up in a text (phrases.h). */
#include "text/phrases.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/utf8.h>

static size_t chain_of(uint32_t c, unsigned kind) {
    return (c * 16 + kind + (c >> 8) * 31) % PHRASE_CHAINS;
}

static void add(phrase_table *table, unsigned kind, const char *word, int32_t bytes,
                uint32_t (*fold)(uint32_t c)) {
    size_t first = table->c_count;
    for (int32_t at = 0; at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)word, at, bytes, c);
        if (table->c_count == PHRASE_CHARACTERS)
            abort();
        table->c[table->c_count++] = fold((uint32_t)c);
    }
    if (table->phrase_count + 1 == PHRASES_MAX || table->c_count == first)
        abort();
    uint16_t *chain = &table->chains[chain_of(table->c[first], kind)];
    table->phrases[++table->phrase_count] =
        (phrase){&table->c[first], (uint16_t)(table->c_count - first), *chain, kind};
    *chain = (uint16_t)table->phrase_count;
}

void phrases_add(phrase_table *table, const phrase_list *lists, size_t count,
                 uint32_t (*fold)(uint32_t c)) {
    for (size_t l = 0; l < count; l++)
        for (const char *word = lists[l].words, *end; *word; word = *end ? end + 1 : end) {
            end = word + strcspn(word, "|");
            add(table, lists[l].kind, word, (int32_t)(end - word), fold);
        }
}

/* How many characters of the text from `i` are the phrase; 0: it is not there. */
static size_t match(const phrase *p, const uint32_t *c, size_t count, size_t i) {
    size_t from = i;
    for (size_t k = 0; k < p->count; k++) {
        if (i >= count || c[i] != p->c[k])
            return 0;
        i++;
        while (p->c[k] == ' ' && i < count && c[i] == ' ')
            i++;
    }
    return i - from;
}

size_t phrases_at(const phrase_table *table, const uint32_t *c, size_t count, size_t i,
                  unsigned kind, bool (*goes_on)(uint32_t c)) {
    size_t longest = 0;
    for (size_t at = table->chains[chain_of(c[i], kind)]; at; at = table->phrases[at].next) {
        const phrase *p = &table->phrases[at];
        size_t n = p->kind == kind ? match(p, c, count, i) : 0;
        if (n > longest && !goes_on(c[i + n]))
            longest = n;
    }
    return longest;
}
