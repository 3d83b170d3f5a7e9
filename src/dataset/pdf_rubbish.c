/* pdf_rubbish.c — whether the text in a PDF is what its pages say.
 *
 * Fonts without a right ToUnicode map give characters of the private use areas, of other
 * scripts, or other letters of the same script; the last is told by language only: how certain
 * its identification is, and how much each character surprises a model of it. Text of a few
 * words, and tables of numbers, say nothing about language. */
#include "dataset/characters.h"
#include "dataset/pdf_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/utf8.h>

enum { LETTERS_FOR_LANGUAGE = 80, WORDS_FOR_SCRIPTS = 10, SAMPLE_BYTES = 4000 };
/* Shares at which each sign alone is rubbish for certain; half of them is the border. */
static const double IMPOSSIBLE = 0.10, MIXED = 0.40, OUTSIDE = 0.80;
/* Nats a character: running text has 1.5 … 3 in its language. */
static const double SURPRISE_LOW = 3.2, SURPRISE_HIGH = 5.2;
/* Names and lists are foreign to every language too. */
static const double FOREIGN_WEIGHT = 0.45;

typedef struct tally {
    size_t characters, letters, impossible;
    size_t words, lettered, mixed, outside;
} tally;

static void tally_word(const char *text, tally *t) {
    UScriptCode script = USCRIPT_COMMON;
    bool mixed = false, lettered = false;
    int32_t length = (int32_t)strnlen(text, 1 << 16);
    for (int32_t i = 0; i < length;) {
        UChar32 c;
        U8_NEXT((const uint8_t *)text, i, length, c);
        c = c < 0 ? 0xFFFD : c;
        t->characters++;
        t->impossible += character_is_impossible(c);
        if (!u_isalpha(c))
            continue;
        t->letters++;
        lettered = true;
        UScriptCode here = character_script(c);
        mixed = mixed || (script != USCRIPT_COMMON && here != USCRIPT_COMMON && here != script);
        script = here == USCRIPT_COMMON ? script : here;
    }
    t->words++;
    t->lettered += lettered;
    t->mixed += mixed;
}

static bool is_outside(const pdf_page_text *page, const pdf_word *word) {
    double x = (word->x0 + word->x1) / 2, y = (word->y0 + word->y1) / 2;
    return x < 0 || y < 0 || x > page->width || y > page->height;
}

static tally tally_page(const pdf_page_text *page) {
    tally t = {0};
    for (size_t i = 0; i < page->count; i++) {
        tally_word(page->words[i].text, &t);
        t.outside += is_outside(page, &page->words[i]);
    }
    return t;
}

/* Words that are all letters but for the marks around them, as running text: numbers, codes and
 * addresses surprise in every language. */
static char *sample_of(const pdf_page_text *page, vl_arena *arena) {
    vl_buf out;
    vl_buf_init(&out, SAMPLE_BYTES + 2048);
    for (size_t i = 0; i < page->count && out.len < SAMPLE_BYTES; i++)
        if (!strpbrk(page->words[i].text, "0123456789/@")) {
            vl_buf_puts(&out, out.len ? " " : "");
            vl_buf_puts(&out, page->words[i].text);
        }
    char *text = vl_arena_strdup(arena, out.data ? out.data : "");
    vl_buf_deinit(&out);
    return text;
}

static double within(double value, double low, double high) {
    return fmin(1, fmax(0, (value - low) / (high - low)));
}

/* In the language that it surprises least: one that identification does not know is near to
 * some of those, and rubbish to none. */
static double least_surprise(const vl_ngram *ngram, const char *sample) {
    double least = 0;
    for (size_t i = 0; i < vl_ngram_count(ngram); i++) {
        double here =
            characters_surprise(vl_ngram_find(ngram, vl_ngram_code(ngram, i)), sample);
        least = !i || here < least ? here : least;
    }
    return least;
}

static void measure_language(const char *sample, const vl_langid *langid, const vl_ngram *ngram,
                             pdf_rubbish *measured) {
    vl_lang_guess guess;
    if (!langid || !vl_langid_guess(langid, sample, 1, &guess))
        return;
    bool unknown = !strcmp(guess.code, "und");
    const vl_ngram_language *language = NULL;
    measured->foreign = unknown ? 1 : 1 - guess.probability;
    if (ngram && !unknown)
        language = vl_ngram_find(ngram, guess.code);
    if (ngram && !unknown && !language)
        language = vl_ngram_find(ngram, vl_lang_code(guess.code));
    if (language)
        measured->surprise = characters_surprise(language, sample);
    else if (ngram && *sample)
        measured->surprise = least_surprise(ngram, sample);
}

/* Signs add up as if they were independent. */
static void weigh(pdf_rubbish *m) {
    const struct {
        double value;
        const char *reason;
    } signs[] = {
        {fmin(1, m->impossible / IMPOSSIBLE), "characters that are none"},
        {fmin(1, m->mixed / MIXED), "letters of several scripts in a word"},
        {fmin(1, m->outside / OUTSIDE), "text outside of the page"},
        {FOREIGN_WEIGHT * m->foreign, "text of no language"},
        {within(m->surprise, SURPRISE_LOW, SURPRISE_HIGH), "letters that do not follow so"},
    };
    double text = 1, most = 0.25;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        text *= 1 - signs[i].value;
        if (signs[i].value > most) {
            most = signs[i].value;
            m->reason = signs[i].reason;
        }
    }
    m->score = 1 - text;
}

bool pdf_rubbish_measure(const pdf_page_text *page, const vl_langid *langid,
                         const vl_ngram *ngram, vl_arena *arena, pdf_rubbish *measured) {
    tally t = tally_page(page);
    *measured = (pdf_rubbish){0};
    if (!t.characters)
        return true;
    const char *sample = sample_of(page, arena);
    if (!sample)
        return false;
    measured->impossible = (double)t.impossible / (double)t.characters;
    measured->outside = (double)t.outside / (double)t.words;
    if (t.lettered >= WORDS_FOR_SCRIPTS)
        measured->mixed = (double)t.mixed / (double)t.lettered;
    if (t.letters >= LETTERS_FOR_LANGUAGE)
        measure_language(sample, langid, ngram, measured);
    weigh(measured);
    return true;
}
