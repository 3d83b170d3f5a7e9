/* styles.h — styles of DOCX and ODT: what a paragraph or run is, by the style that it has and
 * those that this one is based on. */
#ifndef VL_DATASET_STYLES_H
#define VL_DATASET_STYLES_H

#include <vislang/text.h>

/* Documents say up to three languages of one run; its script decides which counts. */
typedef struct style_languages {
    char western[VL_LANG_SIZE], asian[VL_LANG_SIZE], complex[VL_LANG_SIZE]; /* "" not said */
} style_languages;
/* Those of `over` where it says some. */
void style_languages_put(style_languages *languages, const style_languages *over);
/* The one that counts for `text`; `rtl`: the run is marked to run from right to left. */
const char *style_language_of(const style_languages *languages, const char *text, bool rtl);

typedef enum style_kind {
    STYLE_PLAIN,
    STYLE_TITLE,
    STYLE_SUBTITLE,
    STYLE_CAPTION,
    STYLE_INDEX /* lines of a table of contents, or of figures */
} style_kind;
/* By the name that word processors give it, in English whatever the user's language is. */
style_kind style_kind_of(const char *name);

enum { STYLE_OUTLINE_UNKNOWN = -1, STYLE_OUTLINE_NONE = -2, STYLE_LIST_UNKNOWN = -1 };
typedef struct style {
    const char *id, *parent; /* "" none */
    style_kind kind;
    int outline; /* level of a heading from 0, or one of the above */
    long list;   /* the list that its paragraphs are items of; 0 none */
    bool hidden;
    style_languages languages;
    size_t order; /* in which it was added */
} style;

enum { STYLES_MAX = 20000 };
typedef struct styles {
    vl_arena *arena;
    style *items; /* sorted by id once settled */
    size_t count, capacity, order;
} styles;
/* Copies; the strings must live in the arena. VL_ERR_LIMIT, VL_ERR_MEMORY. */
vl_status styles_add(styles *all, const style *item, vl_error *error);
/* Sorts, and gives each style what those that it is based on say and it does not. Of several of
 * one id the last one added counts; circles end. More may be added after, and settled again. */
void styles_settle(styles *all);
const style *styles_find(const styles *all, const char *id); /* NULL: there is none */

#endif
