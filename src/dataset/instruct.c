/* instruct.c — examples: what can be asked is gathered, some of it is chosen, and that is put
 * into words (instruct.h). In reading order: candidates, choice, words. */
#include "dataset/instruct.h"

#include "dataset/instruct_make.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { CONTEXT_BYTES = 4000 };

instruct_options instruct_options_default(void) {
    unsigned kinds = 0;
    for (int k = 0; k < VL_ITEM_KIND_COUNT; k++)
        if (!vl_item_is_base((vl_item_kind)k))
            kinds |= 1u << k;
    return (instruct_options){.style = "natural", .kinds = kinds, .most = 8};
}

/* ---- candidates ------------------------------------------------------------------------- */

candidate candidate_of(const candidates *c, phrase_topic topic, const char *text) {
    return (candidate){.topic = topic,
                       .values = {.noun = c->noun},
                       .text = text,
                       .language = c->subject->language,
                       .origin = "document"};
}

/* Topics that make sense of a text alone, which then stands below the instruction. */
static bool works_without_picture(phrase_topic topic) {
    static const phrase_topic works[] = {
        PHRASE_CELL,   PHRASE_LARGEST,        PHRASE_SMALLEST,     PHRASE_ROWS,
        PHRASE_TOTAL,  PHRASE_CHECK,          PHRASE_CHANGE_VALUE, PHRASE_CHANGE_REMOVED,
        PHRASE_SCRIPT, PHRASE_LANGUAGE_TOPIC, PHRASE_CRISIS,       PHRASE_CHANGE_YEARS};
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        if (works[i] == topic)
            return true;
    return false;
}

/* Where the text below is much more than the response, that is to be found in it. */
static bool is_to_be_found(const candidates *c, const candidate *item) {
    bool change = item->topic == PHRASE_CHANGE_TEXT || item->topic == PHRASE_CHANGE_ADDED;
    return change && strlen(c->subject->text) >= 2 * strlen(item->text);
}

void candidates_add(candidates *c, const candidate *item) {
    bool wanted = c->options->kinds >> phrase_topic_kind(item->topic) & 1;
    bool possible = c->subject->has_picture || works_without_picture(item->topic) ||
                    is_to_be_found(c, item);
    if (wanted && possible && c->count < CANDIDATES_MAX)
        c->items[c->count++] = *item;
}

const char *candidates_print(candidates *c, const char *format, ...) {
    char line[1024];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof line)
        return NULL;
    const char *out = vl_arena_strndup(c->arena, line, (size_t)length);
    c->no_memory |= !out;
    return out;
}

const vl_part *subject_part(const instruct_subject *subject) {
    return subject->parts && subject->part < subject->parts->part_count
               ? &subject->parts->parts[subject->part]
               : NULL;
}

static phrase_noun noun_of(const instruct_subject *subject) {
    const vl_part *part = subject_part(subject);
    switch (part ? part->kind : VL_PART_PARAGRAPH) {
    case VL_PART_PHOTOGRAPH:
        return PHRASE_PHOTOGRAPH;
    case VL_PART_FIGURE:
        return PHRASE_PICTURE;
    case VL_PART_CHART:
        return PHRASE_CHART;
    case VL_PART_MAP:
        return PHRASE_MAP;
    case VL_PART_TABLE:
        return PHRASE_TABLE;
    default:
        return PHRASE_TEXT;
    }
}

/* ---- choice ----------------------------------------------------------------------------- */

typedef struct choice {
    uint32_t turn, within; /* round of its kind; of its topic within the kind */
    uint64_t draw;
    size_t index;
} choice;

static int by_draw(const void *left, const void *right) {
    const choice *a = left, *b = right;
    return a->draw != b->draw ? a->draw < b->draw ? -1 : 1 : 0;
}

static int by_turn(const void *left, const void *right) {
    const choice *a = left, *b = right;
    if (a->turn != b->turn)
        return a->turn < b->turn ? -1 : 1;
    return by_draw(left, right);
}

static int by_within(const void *left, const void *right) {
    const choice *a = left, *b = right;
    if (a->within != b->within)
        return a->within < b->within ? -1 : 1;
    return by_draw(left, right);
}

/* An order in which kinds take turns, and within a kind its topics. */
static void order(candidates *c, choice *choices) {
    uint32_t of_topic[PHRASE_TOPIC_COUNT] = {0}, of_kind[VL_ITEM_KIND_COUNT] = {0};
    for (size_t i = 0; i < c->count; i++)
        choices[i] = (choice){.draw = vl_random_next(&c->random), .index = i};
    qsort(choices, c->count, sizeof *choices, by_draw);
    for (size_t i = 0; i < c->count; i++)
        choices[i].within = of_topic[c->items[choices[i].index].topic]++;
    qsort(choices, c->count, sizeof *choices, by_within);
    for (size_t i = 0; i < c->count; i++)
        choices[i].turn = of_kind[phrase_topic_kind(c->items[choices[i].index].topic)]++;
    qsort(choices, c->count, sizeof *choices, by_turn);
}

/* ---- words ------------------------------------------------------------------------------ */

/* The language that it is asked in; NULL: none that is served. */
static const phrase_language *asked_in(candidates *c, const candidate *item) {
    const instruct_options *o = c->options;
    if (item->ask_in)
        return phrases_find(c->phrases, item->ask_in);
    const phrase_language *targets[32];
    size_t count = 0;
    for (size_t i = 0; item->neutral && i < o->target_count && count < 32; i++) {
        const phrase_language *l = phrases_find(c->phrases, o->target_languages[i]);
        if (l && l != c->language)
            targets[count++] = l;
    }
    uint64_t draw = vl_random_next(&c->random);
    if (!count || (c->language && draw & 1))
        return c->language;
    return targets[(draw >> 1) % count];
}

/* `text` with the digits that begin at `zero` instead of ASCII's. */
static const char *with_digits(candidates *c, const char *text, UChar32 zero) {
    uint8_t out[256];
    int32_t used = 0;
    for (; *text && used + U8_MAX_LENGTH < (int32_t)sizeof out; text++) {
        if (*text >= '0' && *text <= '9')
            U8_APPEND_UNSAFE(out, used, (uint32_t)(zero + *text - '0'));
        else
            out[used++] = (uint8_t)*text;
    }
    return vl_arena_strndup(c->arena, (const char *)out, (size_t)used);
}

static vl_status rows_reply(candidates *c, const candidate *item, const phrase_language *l,
                            phrase_style style, example *out, vl_error *error) {
    vl_status status = VL_OK;
    if (style == PHRASE_NATURAL) {
        status = phrases_fill_rows(l, item->count, c->arena, &out->text, error);
        out->origin = "template";
    } else {
        out->text = vl_arena_printf(c->arena, "%zu", item->count);
        out->origin = "label";
    }
    if (!status && out->text && l == c->language)
        out->text = with_digits(c, out->text, item->zero);
    return status;
}

/* Sets text, language and origin; `text` stays NULL where the language has no word for it. */
static vl_status answer(candidates *c, const candidate *item, const phrase_language *l,
                        phrase_style style, example *out, vl_error *error) {
    out->language = l->code;
    out->origin = "label";
    switch (item->reply) {
    case REPLY_TEXT:
        out->text = item->text;
        out->language = item->language;
        out->origin = item->origin;
        return VL_OK;
    case REPLY_YES:
    case REPLY_NO:
        out->text = item->reply == REPLY_YES ? l->yes : l->no;
        return VL_OK;
    case REPLY_ROWS:
        return rows_reply(c, item, l, style, out, error);
    case REPLY_LANGUAGE:
        out->text = phrases_language_name(l, item->text, c->arena);
        return VL_OK;
    case REPLY_SCRIPT:
        out->text = phrases_script_name(l, item->text, c->arena);
        return VL_OK;
    case REPLY_CRISIS:
        out->text = phrases_crisis_name(l, item->text);
        return VL_OK;
    }
    return VL_OK;
}

/* What an instruction without a picture is about stands below it. */
static const char *with_context(candidates *c, const char *instruction) {
    const instruct_subject *s = c->subject;
    const vl_part *part = subject_part(s);
    const char *text = part && part->kind == VL_PART_TABLE ? part->text : s->text;
    if (s->has_picture)
        return instruction;
    if (!text || !*text || strlen(text) > CONTEXT_BYTES)
        return NULL;
    return vl_arena_printf(c->arena, "%s\n\n%s", instruction, text);
}

/* One example; `made` false where there are no words for it. */
static vl_status put_into_words(candidates *c, candidate *item, phrase_style style,
                                example *out, bool *made, vl_error *error) {
    const phrase_language *l = asked_in(c, item);
    *made = false;
    if (!l || !l->phrasings[item->topic][style].count)
        return VL_OK;
    if (item->answer_in) {
        item->values.values[PHRASE_LANGUAGE] =
            phrases_language_name(l, item->answer_in, c->arena);
        if (!item->values.values[PHRASE_LANGUAGE])
            return VL_OK;
    }
    *out = (example){.kind = phrase_topic_kind(item->topic),
                     .instruction_language = l->code,
                     .has_region = c->subject->has_region,
                     .region = c->subject->region};
    vl_status status = answer(c, item, l, style, out, error);
    if (status || !out->text || !*out->text)
        return status;
    size_t phrasing = vl_random_below(&c->random, l->phrasings[item->topic][style].count);
    const phrase_pattern *pattern = &l->phrasings[item->topic][style].patterns[phrasing];
    status = phrases_fill(l, pattern, &item->values, c->arena, &out->instruction, error);
    if (status)
        return status;
    if (phrases_fault(l, out->instruction, &item->values))
        return VL_OK;
    out->instruction = with_context(c, out->instruction);
    out->phrase =
        vl_arena_printf(c->arena, "%s.%s.%s.%zu", l->code, phrase_topic_name(item->topic),
                        phrase_style_name(style), phrasing + 1);
    *made = out->instruction != NULL && out->phrase != NULL;
    return VL_OK;
}

static vl_status read_style(const char *name, phrase_style *style, vl_error *error) {
    for (int s = 0; s < PHRASE_STYLE_COUNT; s++)
        if (!strcmp(name ? name : "natural", phrase_style_name((phrase_style)s))) {
            *style = (phrase_style)s;
            return VL_OK;
        }
    return vl_fail(error, VL_ERR_USAGE, "no style '%s': natural, terse or form", name);
}

/* Draws depend on the subject and the seed, and on nothing that came before. */
static uint64_t seed_of(const instruct_subject *s, uint64_t seed) {
    char hex[VL_SHA256_HEX_SIZE];
    vl_sha256_hex(s->text, strlen(s->text), hex);
    hex[16] = '\0';
    uint64_t state = strtoull(hex, NULL, 16) ^ seed;
    return vl_random_next(&state) + s->part;
}

/* Whether the last one says what one before it says: two draws may come to the same cell. */
static bool is_said(const example *examples, size_t last) {
    for (size_t i = 0; i < last; i++)
        if (!strcmp(examples[i].instruction, examples[last].instruction) &&
            !strcmp(examples[i].text, examples[last].text))
            return true;
    return false;
}

vl_status instruct_examples(const phrases *served, const instruct_subject *subject,
                            const instruct_options *options, vl_arena *arena,
                            example **examples, size_t *count, vl_error *error) {
    phrase_style style = PHRASE_NATURAL;
    *examples = NULL;
    *count = 0;
    vl_status status = read_style(options->style, &style, error);
    if (status || !subject->text)
        return status;
    *examples = vl_arena_array(arena, options->most + 1, sizeof **examples);
    choice choices[CANDIDATES_MAX];
    if (!*examples)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for examples");
    /* Some 20 KB, and not in the arena, which lives as long as the document does. */
    candidates all = {.subject = subject,
                      .options = options,
                      .phrases = served,
                      .language = phrases_find(served, subject->language),
                      .noun = noun_of(subject),
                      .arena = arena,
                      .random = seed_of(subject, options->seed)};
    candidates *c = &all;
    make_of_picture(c);
    make_of_text(c);
    make_of_caption(c);
    make_of_table(c);
    make_of_changes(c);
    if (c->no_memory)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for examples");
    order(c, choices);
    for (size_t i = 0; i < c->count && *count < options->most && !status; i++) {
        bool made;
        status = put_into_words(c, &c->items[choices[i].index], style, &(*examples)[*count],
                                &made, error);
        *count += !status && made && !is_said(*examples, *count);
    }
    return status;
}
