/* phrases.h — words and phrases that a list names, looked up in a text at one place after the
 * other: some hundred phrases are asked for at every word, so they lie in chains by their kind
 * and first character.
 *
 * A table is made once and is read-only from then on; it owns nothing. */
#ifndef VISLANG_TEXT_PHRASES_H
#define VISLANG_TEXT_PHRASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PHRASE_CHAINS = 1024, PHRASES_MAX = 2048, PHRASE_CHARACTERS = 1 << 15 };

typedef struct phrase_list {
    unsigned kind;
    const char *words; /* UTF-8, by '|', none of them empty */
} phrase_list;

typedef struct phrase {
    const uint32_t *c; /* folded */
    uint16_t count;
    uint16_t next; /* of its chain; 0 none */
    unsigned kind;
} phrase;

typedef struct phrase_table {
    uint16_t chains[PHRASE_CHAINS]; /* phrases from 1 on */
    phrase phrases[PHRASES_MAX];
    uint32_t c[PHRASE_CHARACTERS];
    size_t phrase_count, c_count;
} phrase_table;

/* Adds lists to a table that was zero. `fold` makes of a character what the texts to be looked
 * through have for it. Lists that outgrow the table abort: they are a part of the program. */
void phrases_add(phrase_table *table, const phrase_list *lists, size_t count,
                 uint32_t (*fold)(uint32_t c));
/* How many of the `count` characters `c` from `i` on are the longest phrase of that kind behind
 * which none that `goes_on` follows; 0: none. A space of a phrase is one or more of the text.
 * c[count] may be looked at. */
size_t phrases_at(const phrase_table *table, const uint32_t *c, size_t count, size_t i,
                  unsigned kind, bool (*goes_on)(uint32_t c));

#endif
