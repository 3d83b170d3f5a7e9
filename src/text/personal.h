/* personal.h — between the files that find personal data: the text as they see it, what a word
 * before a number or a name says, and the check digits.
 *
 * The text is a row of characters: digits of every script are 0–9, full-width letters and signs
 * are ASCII, every hyphen is '-', white space is ' ' or '\n', and what only steers direction is
 * left out. `at` and `end` say which bytes a character came from. */
#ifndef VISLANG_TEXT_PERSONAL_H
#define VISLANG_TEXT_PERSONAL_H

#include <vislang/text.h>

typedef struct personal_text {
    vl_arena *arena;
    uint32_t *c;      /* [count + 1], a '\n' at its end */
    uint32_t *folded; /* [count + 1], without case */
    uint32_t *at, *end;
    size_t count;
    vl_personal *found;
    size_t found_count, found_capacity;
    bool full; /* the arena */
} personal_text;

/* Characters `first` … `last`-1. */
void personal_add(personal_text *t, size_t first, size_t last, vl_personal_kind kind,
                  vl_personal_ground ground, const char *rule);
bool personal_is_letter(uint32_t c); /* or a mark on one */
bool personal_is_digit(uint32_t c);
bool personal_is_word(uint32_t c); /* letter, mark or digit */
/* Whether a word or number may begin at `i`. */
bool personal_begins(const personal_text *t, size_t i);
size_t personal_skip_spaces(const personal_text *t, size_t i); /* not over a line's end */

/* ---- words: personal_words.c --------------------------------------------------------------
 */

typedef enum personal_word_kind {
    PERSONAL_WORD_NONE,
    PERSONAL_WORD_TITLE,    /* "Mme": a name follows */
    PERSONAL_WORD_INITIAL,  /* "د": a title only with its point or stroke */
    PERSONAL_WORD_NAME,     /* "Jina": a label in forms */
    PERSONAL_WORD_ROLE,     /* "Photo", "Mratibu": with a colon, a label of a name */
    PERSONAL_WORD_PHONE,    /* "Tel" */
    PERSONAL_WORD_MAIL,     /* "E-mail" */
    PERSONAL_WORD_ID,       /* "Passport No" */
    PERSONAL_WORD_PARTICLE, /* "bin": inside of a name */
    PERSONAL_WORD_FILLER,   /* "No": between a label and a number */
    PERSONAL_WORD_NOBODY,   /* after a title or a label, but no name: "President" */
    PERSONAL_WORD_BODY,     /* what holds it is an office or a place, and no person's name */
} personal_word_kind;
/* The longest word or phrase of that kind that begins at `i` and ends where a word does; 0:
 * none, else how many characters it has. */
size_t personal_word_at(const personal_text *t, size_t i, personal_word_kind kind);
/* Over the signs and fillers between a label and its number, in the same line. */
size_t personal_skip_filler(const personal_text *t, size_t i);

/* ---- finders ------------------------------------------------------------------------------
 */

void personal_find_emails(personal_text *t); /* personal.c */
void personal_find_numbers(
    personal_text *t); /* personal_numbers.c: ids, accounts, cards, cases */
void personal_find_zones(personal_text *t);  /* personal_numbers.c: passports */
void personal_find_phones(personal_text *t); /* personal_phones.c */
void personal_find_names(personal_text *t);  /* personal_names.c */

/* ---- check digits: personal_checks.c ------------------------------------------------------
 */

typedef enum personal_check {
    PERSONAL_NO,    /* it cannot be one */
    PERSONAL_SHAPE, /* it can, and there is no check digit that says so */
    PERSONAL_GOOD,  /* its check digits are right */
} personal_check;
/* Of digits and capital letters without what stands between them, NUL-terminated, of the form
 * that its rule's pattern demands. */
typedef personal_check (*personal_check_fn)(const char *id);
personal_check personal_check_card(const char *id);    /* Luhn, ISO/IEC 7812-1 annex B */
personal_check personal_check_aadhaar(const char *id); /* Verhoeff 1969 */
personal_check personal_check_nir(const char *id);
personal_check personal_check_dni(const char *id);
personal_check personal_check_nie(const char *id);
personal_check personal_check_ssn(const char *id);
personal_check personal_check_za(const char *id);
personal_check personal_check_cpf(const char *id);
personal_check personal_check_kimlik(const char *id);
personal_check personal_check_pesel(const char *id);
personal_check personal_check_cnp(const char *id);
personal_check personal_check_curp(const char *id);
personal_check personal_check_fiscale(const char *id);
personal_check personal_check_egypt(const char *id);
personal_check personal_check_china(const char *id);
personal_check personal_check_case(const char *id);
bool personal_check_iban(const char *id);                              /* ISO 7064 MOD 97-10 */
size_t personal_iban_length(const char *country);                      /* 0: no such country */
bool personal_check_zone(const char *field, size_t count, char digit); /* ICAO 9303-3, 4.9 */

#endif
