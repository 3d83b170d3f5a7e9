/* parts_language.c — the language of each part: by its own text first, then of those that this
 * leaves open by what stands around them.
 *
 * A heading of three words looks like many languages; in a document whose paragraphs around it
 * are Swahili it is Swahili, unless its words say otherwise. So (Bayes) the probability of each
 * language is what the text says times how much of the text around is in it. */
#include "dataset/parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum {
    HEAD_BYTES = 300,
    GUESSES = 12,
    AROUND = 8,       /* sure parts looked at, on each side */
    WEIGHT_MAX = 600, /* bytes of one of them that count */
    FEW_LETTERS = 8,  /* so few say nothing */
    SURE_LETTERS = 50,
};
/* Parts that others are judged by (names of people and places make English look like Somali
 * with 0.92), and how sure the judgement can make one at most. */
static const double SURE = 0.97, MOST = 0.98;
/* Of a language that nothing around is in; and what a text says of one that is not among the
 * guesses, which are those of 0.005 or more. */
static const double STRANGER = 0.001, UNSAID = 1e-4, UNSAID_BY_FEW = 0.02;
static const double DECLARED = 0.3; /* as much as if this share of what is around were in it */

/* The head of a text, cut between words: enough to know its language, and identification takes
 * as long as its text is. */
static void take_head(const char *text, char out[HEAD_BYTES + 1]) {
    size_t length = strnlen(text, HEAD_BYTES + 1), cut = length;
    if (length > HEAD_BYTES) {
        cut = vl_utf8_valid_prefix(text, HEAD_BYTES);
        while (cut > HEAD_BYTES / 2 && text[cut] != ' ')
            cut--;
        if (text[cut] != ' ')
            cut = vl_utf8_valid_prefix(text, HEAD_BYTES);
    }
    memcpy(out, text, cut);
    out[cut] = '\0';
}

static size_t guess(const vl_langid *langid, const vl_part *part,
                    vl_lang_guess guesses[GUESSES]) {
    char head[HEAD_BYTES + 1];
    take_head(part->text, head);
    return langid ? vl_langid_guess(langid, head, GUESSES, guesses) : 0;
}

static bool has_letters(const vl_part *part) {
    return strcmp(part->script, "Zyyy") != 0;
}

/* What the document declares decides between guesses none of which is likely. */
static void find_own(const vl_langid *langid, vl_part *part) {
    static const double LIKELY = 0.5;
    vl_lang_guess guesses[GUESSES];
    memcpy(part->script, vl_text_script(part->text, NULL), 4);
    size_t count = guess(langid, part, guesses), best = 0;
    for (size_t i = 0; i < count; i++)
        if (guesses[0].probability < LIKELY &&
            !strcmp(vl_lang_code(guesses[i].code), part->declared))
            best = i;
    if (count && strcmp(guesses[best].code, "und") != 0) {
        snprintf(part->language, VL_LANG_SIZE, "%s", vl_lang_code(guesses[best].code));
        part->certainty = guesses[best].probability;
    } else if (*part->declared) {
        memcpy(part->language, part->declared, VL_LANG_SIZE);
    }
}

/* ---- what stands around ------------------------------------------------------------------ */

/* Up to `most`. */
static size_t letters_of(const char *text, size_t most) {
    size_t count = 0;
    int32_t bytes = (int32_t)strnlen(text, 4096);
    for (int32_t at = 0; at < bytes && count < most;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        count += u_isalpha(c) != 0;
    }
    return count;
}

static bool is_sure(const vl_part *part) {
    return part->certainty >= SURE && letters_of(part->text, SURE_LETTERS) == SURE_LETTERS;
}

typedef struct share {
    const char *language;
    double part; /* of what is around; they sum to 1 */
} share;

/* Languages of the sure parts nearest to part `at`, nearer ones counting more. `sure` holds
 * their indices in order; *next is the first of them after `at`. Returns how many languages. */
static size_t look_around(const vl_parts *all, const size_t *sure, size_t count, size_t next,
                          size_t at, share shares[2 * AROUND]) {
    size_t from = next > AROUND ? next - AROUND : 0, used = 0;
    size_t to = count - next > AROUND ? next + AROUND : count;
    double sum = 0;
    for (size_t i = from; i < to; i++) {
        const vl_part *part = &all->parts[sure[i]];
        double away = sure[i] > at ? (double)(sure[i] - at) : (double)(at - sure[i]);
        double weight = (double)strnlen(part->text, WEIGHT_MAX) / (3 + away);
        size_t k = 0;
        while (k < used && strcmp(shares[k].language, part->language) != 0)
            k++;
        if (k == used)
            shares[used++] = (share){part->language, 0};
        shares[k].part += weight;
        sum += weight;
    }
    for (size_t k = 0; k < used; k++)
        shares[k].part /= sum;
    return used;
}

static double prior_of(const char *language, const vl_part *part, const share *shares,
                       size_t count) {
    double prior = STRANGER;
    for (size_t i = 0; i < count; i++)
        if (!strcmp(shares[i].language, language))
            prior += shares[i].part;
    return prior + (strcmp(part->declared, language) ? 0 : DECLARED);
}

/* The likeliest language by the text and by what is around. */
static void weigh(const vl_langid *langid, vl_part *part, const share *shares, size_t count) {
    vl_lang_guess guesses[GUESSES];
    size_t guessed = guess(langid, part, guesses);
    bool few = letters_of(part->text, FEW_LETTERS) < FEW_LETTERS;
    double sum = 0, best = 0;
    char language[VL_LANG_SIZE] = "und";
    for (size_t i = 0; i < guessed + count; i++) {
        const char *code =
            i < guessed ? vl_lang_code(guesses[i].code) : shares[i - guessed].language;
        double likely = i < guessed ? fmax(guesses[i].probability, few ? UNSAID_BY_FEW : 0)
                        : few       ? UNSAID_BY_FEW
                                    : UNSAID;
        bool twice = false;
        for (size_t k = 0; i >= guessed && k < guessed; k++)
            twice |= !strcmp(vl_lang_code(guesses[k].code), code);
        double weight = twice ? 0 : likely * prior_of(code, part, shares, count);
        sum += weight;
        if (weight > best) {
            best = weight;
            snprintf(language, sizeof language, "%s", code);
        }
    }
    if (!strcmp(language, "und"))
        return;
    memcpy(part->language, language, VL_LANG_SIZE);
    part->certainty = fmin(MOST, best / sum);
}

/* Numbers are in the language of what is around, where the document says that they are in some.
 */
static void take_main(vl_part *part, const share *shares, size_t count) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (shares[i].part > shares[best].part)
            best = i;
    if (count && *part->declared)
        snprintf(part->language, VL_LANG_SIZE, "%s", shares[best].language);
}

vl_status parts_languages(parts_builder *b) {
    vl_parts *all = b->out;
    const vl_langid *langid = b->options->langid;
    size_t *sure = calloc(all->part_count + 1, sizeof *sure), count = 0, next = 0;
    share shares[2 * AROUND];
    if (!sure)
        return b->status = vl_fail(b->error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < all->part_count; i++) {
        if (*all->parts[i].text)
            find_own(langid, &all->parts[i]);
        if (is_sure(&all->parts[i]))
            sure[count++] = i;
    }
    for (size_t i = 0; i < all->part_count && langid && count; i++) {
        vl_part *part = &all->parts[i];
        while (next < count && sure[next] <= i)
            next++;
        if (!*part->text || is_sure(part))
            continue;
        memset(shares, 0, sizeof shares);
        size_t languages = look_around(all, sure, count, next, i, shares);
        if (has_letters(part))
            weigh(langid, part, shares, languages);
        else
            take_main(part, shares, languages);
    }
    free(sure);
    return VL_OK;
}
