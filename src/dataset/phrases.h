/* phrases.h — the words that examples are asked and answered in, in each language served.
 *
 * phrases/<ISO 639-3>.yaml under vl_data_dir() holds a language: its nouns with their gender or
 * class and the forms that its sentences need, its words for yes and no, for kinds of crises,
 * and for each topic several phrasings in each style. A phrasing is a pattern of ICU
 * MessageFormat with names for arguments ({row}, {class, select, …}); docs/dataset.md says what
 * is in a file and how a language is added.
 *
 * A file is checked whole when it is read (phrase_pattern.h): patterns have the arguments of
 * their topic and no others, a select has every class, a plural every category that CLDR has
 * for the language, every noun has every form, letters are of the language's script, sentences
 * end as the language ends them, and no two phrasings are alike. VL_ERR_INPUT names the line.
 *
 * Ownership: everything belongs to the `phrases`, unless an arena is given. Thread-safety:
 * read-only once opened. */
#ifndef VL_DATASET_PHRASES_H
#define VL_DATASET_PHRASES_H

#include <vislang/dataset.h>

#include <unicode/umachine.h>

typedef enum phrase_style {
    PHRASE_NATURAL, /* as one asks a person */
    PHRASE_TERSE,   /* as few words as do */
    PHRASE_FORM,    /* a label, as forms have them, that the answer stands behind */
    PHRASE_STYLE_COUNT
} phrase_style;
const char *phrase_style_name(phrase_style style); /* "natural", "terse", "form" */

typedef enum phrase_noun {
    PHRASE_PICTURE, /* a picture of a kind that nothing tells */
    PHRASE_PHOTOGRAPH,
    PHRASE_CHART,
    PHRASE_MAP,
    PHRASE_TABLE,
    PHRASE_TEXT, /* a passage */
    PHRASE_NOUN_COUNT
} phrase_noun;
const char *phrase_noun_name(phrase_noun noun); /* "picture", … */

typedef enum phrase_argument {
    PHRASE_ROW,      /* head of a row of a table, quoted */
    PHRASE_COLUMN,   /* head of a column, quoted */
    PHRASE_VALUE,    /* of a cell, quoted */
    PHRASE_TEXT_ARG, /* a text, quoted */
    PHRASE_BEFORE,   /* texts on both sides of a place, quoted */
    PHRASE_AFTER,
    PHRASE_FROM, /* years or the like, as they stand */
    PHRASE_TO,
    PHRASE_LANGUAGE, /* name of a language, as it stands */
    PHRASE_ARGUMENT_COUNT
} phrase_argument;
const char *phrase_argument_name(phrase_argument argument); /* "row", …, "text", … */

typedef enum phrase_topic {
    PHRASE_DESCRIBE,       /* what does the picture show? */
    PHRASE_DESCRIBE_IN,    /* the same, to be answered in another language */
    PHRASE_CELL,           /* the value in this row and column */
    PHRASE_LARGEST,        /* the row with the largest value of this column */
    PHRASE_SMALLEST,       /* the row with the smallest */
    PHRASE_ROWS,           /* how many rows under the heads? */
    PHRASE_TOTAL,          /* the total of this column */
    PHRASE_CHECK,          /* is this the value in this row and column? yes or no */
    PHRASE_GAP,            /* what stood in the gap of this text? */
    PHRASE_DATE,           /* the date or year that the caption names */
    PHRASE_COUNTRY,        /* the country that the caption names */
    PHRASE_TITLE,          /* the title of the table, chart or map */
    PHRASE_WORDS,          /* the words that stand in the picture */
    PHRASE_READ,           /* what is written in the marked region? */
    PHRASE_LANGUAGE_TOPIC, /* which language is the text in? */
    PHRASE_SCRIPT,         /* which script? */
    PHRASE_CHANGE_VALUE,   /* the value in this row and column was {value}: and now? */
    PHRASE_CHANGE_TEXT,    /* the text was {text}: and now? */
    PHRASE_CHANGE_ADDED,   /* what stands between {before} and {after} now? */
    PHRASE_CHANGE_REMOVED, /* what of {text} is not there any more? */
    PHRASE_CHANGE_YEARS,   /* a row's values in two columns that are years */
    PHRASE_CRISIS,         /* which kind of crisis is it about? */
    PHRASE_TOPIC_COUNT
} phrase_topic;
const char *phrase_topic_name(phrase_topic topic); /* "describe.picture", "question.cell", … */
vl_item_kind phrase_topic_kind(phrase_topic topic);

enum {
    PHRASE_CLASSES_MAX = 16, /* genders or classes of nouns */
    PHRASE_FORMS_MAX = 6,    /* forms of a noun */
    PHRASE_PHRASINGS_MAX = 16,
    PHRASE_USES_MAX = 8, /* different arguments in one pattern */
};

typedef struct phrase_pattern {
    const UChar *text; /* ICU's: arguments have numbers */
    size_t length;
    const char *source;            /* as the file has it */
    uint8_t uses[PHRASE_USES_MAX]; /* argument i: a phrase_argument, or … */
    size_t use_count;
} phrase_pattern;
/* … past those: the count of a plural, the noun's class, the noun's forms. */
enum {
    PHRASE_USE_COUNT = PHRASE_ARGUMENT_COUNT,
    PHRASE_USE_CLASS,
    PHRASE_USE_FORM /* and the next PHRASE_FORMS_MAX */
};

typedef struct phrase_name {
    const char *key, *name;
} phrase_name;
typedef struct phrase_names {
    phrase_name *items;
    size_t count;
} phrase_names;

typedef struct phrase_language {
    char code[VL_LANG_SIZE];   /* ISO 639-3 */
    char locale[VL_LANG_SIZE]; /* of ICU */
    char script[5];
    bool rtl, cased;
    int decimal; /* what numbers have before a fraction, by CLDR: '.' or ','; 0: neither */
    const char *question, *stop, *colon;       /* how sentences end, with the space before */
    const char *mark[2], *quote[2], *inner[2]; /* CLDR's quotation marks: bare; with their
                                                  space; those within */
    const char **classes, **forms;
    size_t class_count, form_count;
    struct {
        const char *gender, *forms[PHRASE_FORMS_MAX];
    } nouns[PHRASE_NOUN_COUNT];
    const char *yes, *no;
    phrase_pattern rows;          /* "{count} rows" */
    const char **totals, **dates; /* words of rows that sum; words within dates */
    const char **elided, *vowels; /* words that cannot stand before these letters */
    const char **never;           /* what never stands in a sentence */
    size_t total_count, date_count, elided_count, never_count;
    const char **months, **countries; /* caption_facts.h */
    size_t month_count, country_count;
    phrase_names crises, languages, scripts;
    struct {
        phrase_pattern *patterns;
        size_t count;
    } phrasings[PHRASE_TOPIC_COUNT][PHRASE_STYLE_COUNT];
} phrase_language;

typedef struct phrases phrases;
/* `folder` NULL: the bundled ones. VL_ERR_MISSING: it has none. */
vl_status phrases_open(const char *folder, phrases **out, vl_error *error);
void phrases_free(phrases *p); /* NULL allowed */
size_t phrases_count(const phrases *p);
/* The i-th language, by code. */
const phrase_language *phrases_language(const phrases *p, size_t i);
/* NULL: it is not served. `code` as vl_lang_code gives it. */
const phrase_language *phrases_find(const phrases *p, const char *code);
/* One file, into the arena; `language` holds it after success. */
vl_status phrases_read(const char *path, vl_arena *arena, phrase_language *language,
                       vl_error *error);

/* What a phrasing is filled with. */
typedef struct phrase_values {
    phrase_noun noun;
    const char *values[PHRASE_ARGUMENT_COUNT]; /* NULL: none */
} phrase_values;
/* The sentence, in the arena: values that are quoted stand in the language's quotation marks,
 * and what runs against its direction in isolates (UAX #9); the first letter is a capital where
 * there are some. VL_ERR_USAGE: a value is missing; VL_ERR_MEMORY. */
vl_status phrases_fill(const phrase_language *language, const phrase_pattern *pattern,
                       const phrase_values *values, vl_arena *arena, const char **sentence,
                       vl_error *error);
/* "3 rows", with ASCII digits. */
vl_status phrases_fill_rows(const phrase_language *language, size_t count, vl_arena *arena,
                            const char **text, vl_error *error);
/* What is wrong with a filled sentence outside of its values: doubled spaces or punctuation, an
 * argument that is not filled, a word not elided, a small letter at the beginning. NULL:
 * nothing. Static storage. */
const char *phrases_fault(const phrase_language *language, const char *sentence,
                          const phrase_values *values);

/* Names in the language, of the file, else CLDR's; NULL: not known. In the arena. */
const char *phrases_language_name(const phrase_language *language, const char *code,
                                  vl_arena *arena);
const char *phrases_script_name(const phrase_language *language, const char *script,
                                vl_arena *arena);
/* `kind`: "flood", "Flash Flood", a GLIDE code ("FL"), or one that begins a GLIDE number
 * ("FL-2024-000123-KEN"). */
const char *phrases_crisis_name(const phrase_language *language, const char *kind);

#endif
