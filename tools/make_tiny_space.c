/* make_tiny_space.c — writes a space of a few words for tests: English as its hub, and Swahili,
 * French and Amharic by a list of words.
 *
 *   make_tiny_space OUT.bin
 *
 * A word means one unit with nine tenths; the vectors of units are at right angles. */
#include "align/space.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 24, LANGUAGES = 4, WEIGHT = 230 };

/* English (the unit), Swahili, French, Amharic. */
static const char *const words[WORDS][LANGUAGES] = {
    {"water", "maji", "eau", "ውሃ"},
    {"child", "mtoto", "enfant", "ልጅ"},
    {"doctor", "daktari", "médecin", "ሐኪም"},
    {"market", "soko", "marché", "ገበያ"},
    {"bridge", "daraja", "pont", "ድልድይ"},
    {"rain", "mvua", "pluie", "ዝናብ"},
    {"house", "nyumba", "maison", "ቤት"},
    {"school", "shule", "école", "ትምህርት"},
    {"fire", "moto", "feu", "እሳት"},
    {"food", "chakula", "nourriture", "ምግብ"},
    {"drink", "kunywa", "boire", "መጠጣት"},
    {"big", "kubwa", "grand", "ትልቅ"},
    {"river", "mto", "rivière", "ወንዝ"},
    {"road", "barabara", "route", "መንገድ"},
    {"closed", "imefungwa", "fermée", "ተዘግቷል"},
    {"cow", "ngombe", "vache", "ላም"},
    {"teacher", "mwalimu", "professeur", "መምህር"},
    {"soap", "sabuni", "savon", "ሳሙና"},
    {"hand", "mikono", "mains", "እጅ"},
    {"wash", "osha", "lavez", "መታጠብ"},
    {"sick", "mgonjwa", "malade", "ታማሚ"},
    {"medicine", "dawa", "médicament", "መድኃኒት"},
    {"village", "kijiji", "village", "መንደር"},
    {"tent", "hema", "tente", "ድንኳን"},
};
static const char *const codes[LANGUAGES] = {"eng", "swa", "fra", "amh"};

static int by_bytes(const void *x, const void *y) {
    const space_word *a = x, *b = y;
    return strcmp(a->word, b->word);
}

int main(int argc, char **argv) {
    static space_unit units[WORDS];
    static float rows[WORDS][WORDS];
    static space_word list[LANGUAGES][WORDS];
    static space_draft_language languages[LANGUAGES];
    vl_error error;
    if (argc != 2) {
        fprintf(stderr, "usage: make_tiny_space OUT.bin\n");
        return 2;
    }
    for (size_t i = 0; i < WORDS; i++) {
        units[i] = (space_unit){words[i][0], 80};
        rows[i][i] = 1;
    }
    for (size_t l = 0; l < LANGUAGES; l++) {
        for (size_t i = 0; i < WORDS; i++)
            list[l][i] = (space_word){
                words[i][l], {.unit = {(uint16_t)i}, .weight = {WEIGHT}}, .frequency = 80};
        qsort(list[l], WORDS, sizeof *list[l], by_bytes);
        strcpy(languages[l].code, codes[l]);
        languages[l].words = list[l];
        languages[l].count = WORDS;
    }
    space_draft draft = {.hub = "eng",
                         .card = "{}",
                         .units = units,
                         .rows = &rows[0][0],
                         .unit_count = WORDS,
                         .dim = WORDS,
                         .languages = languages,
                         .language_count = LANGUAGES};
    if (!align_space_write(&draft, argv[1], &error))
        return 0;
    fprintf(stderr, "make_tiny_space: %s\n", error.message);
    return 1;
}
