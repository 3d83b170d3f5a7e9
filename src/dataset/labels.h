/* labels.h — what pictures and tables are called, and where a text speaks of them.
 *
 * "Figure 3", "Tableau 2-1", "الشكل ٣", "Рис. 4а", "चित्र ३", "ሥዕል 3", "图3": a word of a table
 * of ours (figure, table, chart, map, photograph in the languages served, with the particles
 * that stick to them) and a number, in the digits of any script, or in Roman numerals.
 * Thread-safe. */
#ifndef VL_DATASET_LABELS_H
#define VL_DATASET_LABELS_H

#include <vislang/dataset.h>

enum { LABEL_NUMBER_SIZE = 16 };
typedef struct label {
    vl_part_kind kind;              /* TABLE, FIGURE, CHART, MAP or PHOTOGRAPH */
    char number[LABEL_NUMBER_SIZE]; /* "3", "3.2", "4a": in ASCII, lower case */
    size_t start, end;              /* bytes of the text: word and number */
} label;

/* The label that `text` begins with, as captions do, after brackets. */
bool label_begins(const char *text, label *found);
/* Whether the text goes on after the label that it begins with as a sentence about it does:
 * "Figure 3 shows that …", where a caption has "Figure 3. Cases …". A small letter tells;
 * scripts without case do not. */
bool label_is_spoken(const char *text, const label *found);
/* Whether two labels name the same thing. */
bool label_same(const label *a, const label *b);
typedef void (*label_visit)(const label *found, void *user);
/* Every label in `text`: "Tables 2, 3 and 5–7" are six. */
void labels_find(const char *text, label_visit visit, void *user);
/* The kind of picture that the first such word of `text` says; FIGURE when none does. */
vl_part_kind label_picture_kind(const char *text);

#endif
