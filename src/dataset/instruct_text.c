/* instruct_text.c — what can be asked of any picture and any passage: what it shows, what it is
 * called, what is written, in which language and script, and which crisis it is about. */
#include "dataset/instruct_make.h"

#include "dataset/credit.h"
#include "dataset/labels.h"
#include "dataset/pairs.h"
#include "dataset/readability.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum {
    READ_BYTES = 6000,
    READ_WORDS = 4, /* fewer are a menu's, a stamp's or a page number's */
    TITLE_BYTES = 200,
    LANGUAGE_LETTERS = 20, /* fewer do not tell a language */
    WORDS_BYTES = 900,
};
#define CERTAIN_LANGUAGE 0.9
#define CERTAIN_READING 0.9 /* what was misread is no answer to what is written there */

/* ---- pictures --------------------------------------------------------------------------- */

static bool is_target(const candidates *c, const char *language) {
    for (size_t i = 0; i < c->options->target_count; i++)
        if (!strcmp(c->options->target_languages[i], language))
            return true;
    return false;
}

/* Where the words begin behind a label that ends at `at`. */
static size_t behind_label(const char *text, size_t at) {
    int32_t bytes = (int32_t)strlen(text), start = (int32_t)at, next = start;
    while (next < bytes) {
        UChar32 letter;
        start = next;
        U8_NEXT_OR_FFFD((const uint8_t *)text, next, bytes, letter);
        bool opens =
            letter == '"' || (U_GET_GC_MASK(letter) & (U_GC_PS_MASK | U_GC_PI_MASK)) != 0;
        if (u_isalnum(letter) || opens)
            return (size_t)start;
    }
    return (size_t)bytes;
}

/* Whether the label only names what follows: "Figure 3: Rain", and not "Figure 3 shows rain".
 */
static bool is_apart(const char *text, size_t label_end) {
    int32_t at = (int32_t)(label_end + strspn(text + label_end, " ")), bytes;
    UChar32 letter = ' ';
    bytes = (int32_t)strlen(text);
    if (at < bytes)
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, letter);
    return !u_isalnum(letter) || u_isupper(letter);
}

/* What a picture is said to show: without its label and who took it. NULL: nothing is left. */
static const char *description(candidates *c, const char *text) {
    label found;
    if (label_begins(text, &found) && is_apart(text, found.end))
        text += behind_label(text, found.end);
    size_t length = credit_before(text);
    const char *out = vl_arena_strndup(c->arena, text, length);
    c->no_memory |= !out;
    return out && *out ? out : NULL;
}

/* In the text's own language, or, where that is not served, in target languages by its name. */
static void describe(candidates *c) {
    candidate item = candidate_of(c, PHRASE_DESCRIBE, description(c, c->subject->text));
    if (!item.text)
        return;
    if (!c->language) {
        item.topic = PHRASE_DESCRIBE_IN;
        item.answer_in = c->subject->language;
        item.neutral = true;
    }
    candidates_add(c, &item);
}

/* The counterpart in a target language is asked for in that language, and in that of the
 * document by its name. */
static void describe_aligned(candidates *c, size_t i) {
    const instruct_subject *s = c->subject;
    if (!is_target(c, s->aligned_languages[i]) || !s->aligned[i] || !*s->aligned[i])
        return;
    candidate item = candidate_of(c, PHRASE_DESCRIBE, description(c, s->aligned[i]));
    if (!item.text)
        return;
    item.language = item.ask_in = s->aligned_languages[i];
    item.origin = s->aligned_origins[i];
    candidates_add(c, &item);
    item.topic = PHRASE_DESCRIBE_IN;
    item.ask_in = NULL;
    item.answer_in = s->aligned_languages[i];
    candidates_add(c, &item);
}

/* The caption after its label: "Figure 3. Rain in May" is "Rain in May". */
static void title(candidates *c, const vl_part *part) {
    const char *text = c->subject->text;
    label found;
    bool has_title =
        part->kind == VL_PART_TABLE || part->kind == VL_PART_CHART || part->kind == VL_PART_MAP;
    if (!has_title || !c->subject->pair || c->subject->pair->origin != PAIR_CAPTION ||
        !label_begins(text, &found))
        return;
    text += behind_label(text, found.end);
    text = vl_arena_strndup(c->arena, text, credit_before(text));
    c->no_memory |= !text;
    if (!text)
        return;
    if (strlen(text) < 3 || strlen(text) > TITLE_BYTES || strpbrk(text, "\n"))
        return;
    candidate item = candidate_of(c, PHRASE_TITLE, text);
    item.neutral = true;
    candidates_add(c, &item);
}

static bool is_inside(vl_box inner, vl_box outer) {
    return inner.x >= outer.x && inner.y >= outer.y &&
           inner.x + inner.width <= outer.x + outer.width &&
           inner.y + inner.height <= outer.y + outer.height;
}

/* Text of the document, or read off its picture with hardly a doubt. */
static bool is_certain(const vl_part *part) {
    return !part->ocr || part->confidence >= CERTAIN_READING;
}

/* What was read inside of the picture's box: a chart's axes and legend, a map's names. */
static void words(candidates *c, const vl_part *picture) {
    const vl_parts *parts = c->subject->parts;
    vl_buf text;
    bool certain = true;
    if (!picture->has_box)
        return;
    vl_buf_init(&text, WORDS_BYTES);
    for (size_t i = 0; i < parts->part_count; i++) {
        const vl_part *part = &parts->parts[i];
        bool words_kind = part->kind == VL_PART_HEADING || part->kind == VL_PART_PARAGRAPH ||
                          part->kind == VL_PART_LIST;
        if (part == picture || !words_kind || part->page != picture->page || !part->has_box ||
            i == picture->caption || !is_inside(part->box, picture->box) || !*part->text)
            continue;
        certain &= is_certain(part);
        if (text.len)
            vl_buf_puts(&text, "\n");
        vl_buf_puts(&text, part->text);
    }
    if (text.len && !text.failed && certain) {
        candidate item =
            candidate_of(c, PHRASE_WORDS, vl_arena_strndup(c->arena, text.data, text.len));
        c->no_memory |= !item.text;
        item.neutral = true;
        candidates_add(c, &item);
    }
    vl_buf_deinit(&text);
}

void make_of_picture(candidates *c) {
    const vl_part *part = subject_part(c->subject);
    bool picture = part && (vl_part_is_picture(part->kind) ||
                            (part->kind == VL_PART_TABLE && c->subject->pair));
    if (!picture)
        return;
    bool described =
        *c->subject->text && !(c->subject->pair && c->subject->pair->origin == PAIR_CELLS);
    if (described)
        describe(c);
    for (size_t i = 0; described && i < c->subject->aligned_count; i++)
        describe_aligned(c, i);
    title(c, part);
    if (vl_part_is_picture(part->kind) && part->kind != VL_PART_PHOTOGRAPH)
        words(c, part);
}

/* ---- passages --------------------------------------------------------------------------- */

static size_t count_letters(const char *text) {
    int32_t bytes = (int32_t)strlen(text);
    size_t letters = 0;
    for (int32_t at = 0; at < bytes;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        letters += (size_t)(u_isalpha(c) != 0);
    }
    return letters;
}

/* Names and numbers of a table tell no language, and a guess is no answer. */
static bool language_is_certain(const instruct_subject *s) {
    const vl_part *part = subject_part(s);
    if (!part || part->kind == VL_PART_TABLE || !s->language || !strcmp(s->language, "und"))
        return false;
    bool certain = part->certainty >= CERTAIN_LANGUAGE || !strcmp(part->declared, s->language);
    return certain && count_letters(s->text) >= LANGUAGE_LETTERS;
}

static void language(candidates *c) {
    const instruct_subject *s = c->subject;
    candidate item = candidate_of(c, PHRASE_LANGUAGE_TOPIC, s->language);
    item.reply = REPLY_LANGUAGE;
    item.neutral = true;
    if (language_is_certain(s))
        candidates_add(c, &item);
    double share = 0;
    const char *script = vl_text_script(s->text, &share);
    if (share < 1 || !s->script || strcmp(script, s->script) != 0)
        return;
    item.topic = PHRASE_SCRIPT;
    item.reply = REPLY_SCRIPT;
    item.text = s->script;
    candidates_add(c, &item);
}

static void crisis(candidates *c) {
    if (!c->subject->crisis || !*c->subject->crisis)
        return;
    candidate item = candidate_of(c, PHRASE_CRISIS, c->subject->crisis);
    item.reply = REPLY_CRISIS;
    item.neutral = true;
    candidates_add(c, &item);
}

/* Every part of the passage is as certain as an answer has to be. */
static bool is_read_well(const instruct_subject *s) {
    const size_t end = s->end ? s->end : s->part + 1;
    for (size_t i = s->part; s->parts && i < end && i < s->parts->part_count; i++)
        if (!is_certain(&s->parts->parts[i]))
            return false;
    return true;
}

static void read_region(candidates *c) {
    const instruct_subject *s = c->subject;
    readability r;
    if (!s->has_region || strlen(s->text) > READ_BYTES || !is_read_well(s))
        return;
    readability_measure(s->text, NULL, &r);
    candidate item = candidate_of(c, PHRASE_READ, s->text);
    item.neutral = true;
    if (r.words >= READ_WORDS)
        candidates_add(c, &item);
}

void make_of_text(candidates *c) {
    const instruct_subject *s = c->subject;
    if (!s->pair && *s->text) {
        read_region(c);
        language(c);
    }
    crisis(c);
}
