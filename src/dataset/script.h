/* script.h — the scripts that lines are made in. */
#ifndef VL_DATASET_SCRIPT_H
#define VL_DATASET_SCRIPT_H

#include <vislang/dataset.h>

typedef struct script_kind {
    const char *name; /* "latin" */
    const char *code; /* ISO 15924: "Latn" */
    double weight;    /* how often it is drawn when nothing else is said */
    bool rtl;
    bool joins;           /* letters touch: they cannot be spaced out */
    bool spaceless;       /* words are not parted by spaces */
    const char *letters;  /* UnicodeSet (UTS #35) of what is always in the alphabet */
    const char *core;     /* a font that has all of these serves the script */
    const char *fuller;   /* a font that has these too is one for long texts; NULL: not known */
    const char *language; /* that most text in it is in: fonts may shape by language */
    const char *joint; /* a font that can set the script makes less than three glyphs of it, or,
                          where it is one letter thrice, not three times the same; NULL: none */
    const char *digits; /* its own, 0 to 9; NULL: only ASCII's */
} script_kind;
extern const script_kind script_kinds[VL_SCRIPT_COUNT];
/* The index of an ISO 15924 code, or VL_SCRIPT_COUNT. */
vl_script script_by_code(const char *code);

#endif
