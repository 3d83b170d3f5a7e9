/* phrases.c — files of phrases read and checked (phrases.h). In reading order: names, small
 * values, nouns, names of things, phrasings, a file, the folder. */
#include "dataset/phrases.h"

#include "base/doc.h"
#include "dataset/caption_facts.h"
#include "dataset/phrase_pattern.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uenum.h>
#include <unicode/ulocdata.h>
#include <unicode/unum.h>
#include <unicode/upluralrules.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

enum { LIST_MAX = 256, CATEGORIES_MAX = 8, LANGUAGES_MAX = 128, ARENA_BYTES = 64 << 20 };

/* ---- names ------------------------------------------------------------------------------ */

#define ARGUMENT(a) (1u << (a))
static const struct {
    const char *name;
    vl_item_kind kind;
    pattern_rules rules;
} topics[PHRASE_TOPIC_COUNT] = {
    [PHRASE_DESCRIBE] = {"describe.picture", VL_ITEM_DESCRIBE, {.needs_noun = true}},
    [PHRASE_DESCRIBE_IN] = {"describe.in",
                            VL_ITEM_DESCRIBE,
                            {.arguments = ARGUMENT(PHRASE_LANGUAGE), .needs_noun = true}},
    [PHRASE_CELL] = {"question.cell",
                     VL_ITEM_QUESTION,
                     {.arguments = ARGUMENT(PHRASE_ROW) | ARGUMENT(PHRASE_COLUMN)}},
    [PHRASE_LARGEST] = {"question.largest",
                        VL_ITEM_QUESTION,
                        {.arguments = ARGUMENT(PHRASE_COLUMN)}},
    [PHRASE_SMALLEST] = {"question.smallest",
                         VL_ITEM_QUESTION,
                         {.arguments = ARGUMENT(PHRASE_COLUMN)}},
    [PHRASE_ROWS] = {"question.rows", VL_ITEM_QUESTION, {0}},
    [PHRASE_TOTAL] = {"question.total",
                      VL_ITEM_QUESTION,
                      {.arguments = ARGUMENT(PHRASE_COLUMN)}},
    [PHRASE_CHECK] = {"question.check",
                      VL_ITEM_QUESTION,
                      {.arguments = ARGUMENT(PHRASE_ROW) | ARGUMENT(PHRASE_COLUMN) |
                                    ARGUMENT(PHRASE_VALUE)}},
    [PHRASE_GAP] = {"question.gap", VL_ITEM_QUESTION, {.arguments = ARGUMENT(PHRASE_TEXT_ARG)}},
    [PHRASE_DATE] = {"question.date", VL_ITEM_QUESTION, {.noun = true}},
    [PHRASE_COUNTRY] = {"question.country", VL_ITEM_QUESTION, {.noun = true}},
    [PHRASE_TITLE] = {"question.title", VL_ITEM_QUESTION, {.needs_noun = true}},
    [PHRASE_WORDS] = {"question.words", VL_ITEM_QUESTION, {.needs_noun = true}},
    [PHRASE_READ] = {"read.region", VL_ITEM_READ, {0}},
    [PHRASE_LANGUAGE_TOPIC] = {"language.language", VL_ITEM_LANGUAGE, {0}},
    [PHRASE_SCRIPT] = {"language.script", VL_ITEM_LANGUAGE, {0}},
    [PHRASE_CHANGE_VALUE] = {"change.value",
                             VL_ITEM_CHANGE,
                             {.arguments = ARGUMENT(PHRASE_ROW) | ARGUMENT(PHRASE_COLUMN) |
                                           ARGUMENT(PHRASE_VALUE)}},
    [PHRASE_CHANGE_TEXT] = {"change.text",
                            VL_ITEM_CHANGE,
                            {.arguments = ARGUMENT(PHRASE_TEXT_ARG)}},
    [PHRASE_CHANGE_ADDED] = {"change.added",
                             VL_ITEM_CHANGE,
                             {.arguments = ARGUMENT(PHRASE_BEFORE) | ARGUMENT(PHRASE_AFTER)}},
    [PHRASE_CHANGE_REMOVED] = {"change.removed",
                               VL_ITEM_CHANGE,
                               {.arguments = ARGUMENT(PHRASE_TEXT_ARG)}},
    [PHRASE_CHANGE_YEARS] = {"change.years",
                             VL_ITEM_CHANGE,
                             {.arguments = ARGUMENT(PHRASE_ROW) | ARGUMENT(PHRASE_FROM) |
                                           ARGUMENT(PHRASE_TO)}},
    [PHRASE_CRISIS] = {"crisis.kind", VL_ITEM_CRISIS, {.needs_noun = true}},
};

const char *phrase_topic_name(phrase_topic topic) {
    return topics[topic].name;
}

vl_item_kind phrase_topic_kind(phrase_topic topic) {
    return topics[topic].kind;
}

static const char *const style_names[] = {"natural", "terse", "form"};

const char *phrase_style_name(phrase_style style) {
    return style_names[style];
}

static const char *const noun_names[] = {"picture", "photograph", "chart",
                                         "map",     "table",      "text"};

const char *phrase_noun_name(phrase_noun noun) {
    return noun_names[noun];
}

const char *phrase_argument_name(phrase_argument argument) {
    static const char *const names[] = {"row",   "column", "value", "text",    "before",
                                        "after", "from",   "to",    "language"};
    return names[argument];
}

/* ---- small values ----------------------------------------------------------------------- */

typedef struct reader {
    doc d;
    vl_arena *arena;
    phrase_language *language;
    const char *opens; /* what a question begins with, in Spanish; or NULL */
    const char *categories[CATEGORIES_MAX];
    size_t category_count;
} reader;

static vl_status no_memory(reader *r) {
    return vl_fail(r->d.error, VL_ERR_MEMORY, "%s: no memory", r->d.path);
}

/* A text that is not empty; `node` NULL: left as it is. */
static vl_status read_text(reader *r, const yaml_node_t *node, const char **text) {
    if (!node)
        return VL_OK;
    const char *raw = doc_text(node);
    if (!raw || !*raw)
        return doc_refuse(&r->d, node, "a text is needed here");
    *text = vl_text_nfc(r->arena, raw);
    return *text ? VL_OK : no_memory(r);
}

static vl_status need_text(reader *r, const yaml_node_t *in, const yaml_node_t *node,
                           const char *key, const char **text) {
    return node ? read_text(r, node, text) : doc_refuse(&r->d, in, "%s is missing", key);
}

static vl_status read_list(reader *r, const yaml_node_t *node, size_t most, const char ***list,
                           size_t *count) {
    *count = 0;
    if (!node)
        return VL_OK;
    size_t items = doc_count(node);
    if (!doc_is_list(node) || !items || items > most)
        return doc_refuse(&r->d, node, "a list of 1 to %zu texts is needed here", most);
    const char **out = vl_arena_array(r->arena, items, sizeof *out);
    vl_status status = out ? VL_OK : no_memory(r);
    for (size_t i = 0; i < items && !status; i++)
        status = read_text(r, doc_item(&r->d, node, i), &out[i]);
    *list = out;
    *count = status ? 0 : items;
    return status;
}

static bool in_list(const char *word, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(word, list[i]))
            return true;
    return false;
}

/* ---- nouns ------------------------------------------------------------------------------ */

static vl_status read_noun(reader *r, const yaml_node_t *node, phrase_noun noun) {
    phrase_language *l = r->language;
    const char *known[PHRASE_FORMS_MAX + 1] = {"class"};
    const yaml_node_t *values[PHRASE_FORMS_MAX + 1];
    memcpy(known + 1, l->forms, l->form_count * sizeof *known);
    vl_status status = doc_values(&r->d, node, known, l->form_count + 1, values);
    if (!status)
        status = need_text(r, node, values[0], "class", &l->nouns[noun].gender);
    if (!status && !in_list(l->nouns[noun].gender, l->classes, l->class_count))
        status =
            doc_refuse(&r->d, values[0], "%s is none of the classes", l->nouns[noun].gender);
    for (size_t i = 0; i < l->form_count && !status; i++)
        status = need_text(r, node, values[i + 1], l->forms[i], &l->nouns[noun].forms[i]);
    return status;
}

static vl_status read_nouns(reader *r, const yaml_node_t *in, const yaml_node_t *node) {
    const yaml_node_t *values[PHRASE_NOUN_COUNT];
    if (!node)
        return doc_refuse(&r->d, in, "nouns is missing");
    vl_status status = doc_values(&r->d, node, noun_names, PHRASE_NOUN_COUNT, values);
    for (int n = 0; n < PHRASE_NOUN_COUNT && !status; n++)
        status = values[n] ? read_noun(r, values[n], (phrase_noun)n)
                           : doc_refuse(&r->d, node, "%s is missing", noun_names[n]);
    return status;
}

/* ---- names of things -------------------------------------------------------------------- */

static vl_status read_names(reader *r, const yaml_node_t *node, phrase_names *names) {
    if (!node)
        return VL_OK;
    vl_status status = doc_check_keys(&r->d, node, NULL, 0);
    size_t count = status ? 0 : doc_count(node);
    if (count > LIST_MAX)
        return doc_refuse(&r->d, node, "more than %d names", LIST_MAX);
    names->items = count ? vl_arena_array(r->arena, count, sizeof *names->items) : NULL;
    if (count && !names->items)
        return no_memory(r);
    for (size_t i = 0; i < count && !status; i++) {
        status = read_text(r, doc_key(&r->d, node, i), &names->items[i].key);
        if (!status)
            status = read_text(r, doc_value(&r->d, node, i), &names->items[i].name);
        names->count = i + 1;
    }
    return status;
}

/* ---- phrasings -------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), ends = strlen(end);
    return length > ends && !strcmp(text + length - ends, end);
}

static vl_status check_end(reader *r, const yaml_node_t *node, const char *text,
                           phrase_style style) {
    const phrase_language *l = r->language;
    if (style == PHRASE_FORM)
        return ends_with(text, l->colon)
                   ? VL_OK
                   : doc_refuse(&r->d, node, "a form's label ends with '%s'", l->colon);
    bool question = ends_with(text, l->question);
    if (!question && !ends_with(text, l->stop))
        return doc_refuse(&r->d, node, "a sentence ends with '%s' or '%s'", l->question,
                          l->stop);
    if (question && r->opens && !strstr(text, r->opens))
        return doc_refuse(&r->d, node, "a question begins with '%s'", r->opens);
    return VL_OK;
}

static vl_status read_pattern(reader *r, const yaml_node_t *node, const pattern_rules *rules,
                              phrase_pattern *pattern) {
    const char *text = NULL;
    char fault[200];
    vl_status status = read_text(r, node, &text);
    if (!status && !pattern_parse(text, r->language, rules, r->categories, r->category_count,
                                  r->arena, pattern, fault, sizeof fault))
        status = doc_refuse(&r->d, node, "%s", fault);
    return status;
}

/* No phrasing of the topic is like another, in any style. */
static vl_status check_different(reader *r, const yaml_node_t *node, phrase_topic topic,
                                 const phrase_pattern *pattern) {
    const char *folded = vl_text_casefold(r->arena, pattern->source);
    for (int s = 0; s < PHRASE_STYLE_COUNT; s++)
        for (size_t i = 0; i < r->language->phrasings[topic][s].count; i++) {
            const phrase_pattern *other = &r->language->phrasings[topic][s].patterns[i];
            const char *other_folded =
                other == pattern ? NULL : vl_text_casefold(r->arena, other->source);
            if (other_folded && folded && !strcmp(folded, other_folded))
                return doc_refuse(&r->d, node, "the same phrasing twice");
        }
    return VL_OK;
}

static vl_status read_style(reader *r, const yaml_node_t *node, phrase_topic topic,
                            phrase_style style) {
    size_t count = doc_count(node);
    if (!doc_is_list(node) || !count || count > PHRASE_PHRASINGS_MAX)
        return doc_refuse(&r->d, node, "a list of 1 to %d phrasings is needed here",
                          PHRASE_PHRASINGS_MAX);
    phrase_pattern *patterns = vl_arena_array(r->arena, count, sizeof *patterns);
    vl_status status = patterns ? VL_OK : no_memory(r);
    r->language->phrasings[topic][style].patterns = patterns;
    for (size_t i = 0; i < count && !status; i++) {
        const yaml_node_t *item = doc_item(&r->d, node, i);
        status = read_pattern(r, item, &topics[topic].rules, &patterns[i]);
        if (!status)
            status = check_end(r, item, patterns[i].source, style);
        if (!status)
            status = check_different(r, item, topic, &patterns[i]);
        r->language->phrasings[topic][style].count = i + 1;
    }
    return status;
}

static vl_status read_topic(reader *r, const yaml_node_t *node, phrase_topic topic) {
    const yaml_node_t *values[PHRASE_STYLE_COUNT];
    vl_status status = doc_values(&r->d, node, style_names, PHRASE_STYLE_COUNT, values);
    for (int s = 0; s < PHRASE_STYLE_COUNT && !status; s++)
        status = values[s] ? read_style(r, values[s], topic, (phrase_style)s)
                           : doc_refuse(&r->d, node, "%s is missing", style_names[s]);
    return status;
}

static vl_status read_phrases(reader *r, const yaml_node_t *in, const yaml_node_t *node) {
    const char *names[PHRASE_TOPIC_COUNT];
    const yaml_node_t *values[PHRASE_TOPIC_COUNT];
    for (int t = 0; t < PHRASE_TOPIC_COUNT; t++)
        names[t] = topics[t].name;
    if (!node)
        return doc_refuse(&r->d, in, "phrases is missing");
    vl_status status = doc_values(&r->d, node, names, PHRASE_TOPIC_COUNT, values);
    for (int t = 0; t < PHRASE_TOPIC_COUNT && !status; t++)
        if (values[t])
            status = read_topic(r, values[t], (phrase_topic)t);
    return status;
}

/* ---- a file ----------------------------------------------------------------------------- */

enum {
    KEY_LANGUAGE,
    KEY_SCRIPT,
    KEY_QUESTION,
    KEY_OPENS,
    KEY_STOP,
    KEY_COLON,
    KEY_SPACE,
    KEY_CLASSES,
    KEY_FORMS,
    KEY_NOUNS,
    KEY_YES,
    KEY_NO,
    KEY_ROWS,
    KEY_TOTALS,
    KEY_DATES,
    KEY_ELIDED,
    KEY_VOWELS,
    KEY_NEVER,
    KEY_CRISES,
    KEY_LANGUAGES,
    KEY_SCRIPTS,
    KEY_PHRASES,
    KEY_COUNT
};
static const char *const keys[KEY_COUNT] = {
    "language", "script", "question", "opens",     "stop",    "colon",  "space", "classes",
    "forms",    "nouns",  "yes",      "no",        "rows",    "totals", "dates", "elided",
    "vowels",   "never",  "crises",   "languages", "scripts", "phrases"};

/* A quotation mark of CLDR, with the space that the language puts inside. */
static const char *quote(reader *r, ULocaleData *data, ULocaleDataDelimiterType type,
                         const char *space, bool opening) {
    UErrorCode code = U_ZERO_ERROR;
    UChar wide[8];
    char mark[32];
    int32_t length = ulocdata_getDelimiter(data, type, wide, 7, &code);
    u_strToUTF8(mark, sizeof mark, NULL, wide, length, &code);
    if (U_FAILURE(code))
        return opening ? "\xE2\x80\x9C" : "\xE2\x80\x9D";
    return opening ? vl_arena_printf(r->arena, "%s%s", mark, space)
                   : vl_arena_printf(r->arena, "%s%s", space, mark);
}

static vl_status read_quotes(reader *r, const char *space) {
    phrase_language *l = r->language;
    UErrorCode code = U_ZERO_ERROR;
    ULocaleData *data = ulocdata_open(l->locale, &code);
    if (U_FAILURE(code))
        return vl_fail(r->d.error, VL_ERR_MISSING, "%s: no locale data for %s", r->d.path,
                       l->locale);
    l->mark[0] = quote(r, data, ULOCDATA_QUOTATION_START, "", true);
    l->mark[1] = quote(r, data, ULOCDATA_QUOTATION_END, "", false);
    l->quote[0] = quote(r, data, ULOCDATA_QUOTATION_START, space, true);
    l->quote[1] = quote(r, data, ULOCDATA_QUOTATION_END, space, false);
    l->inner[0] = quote(r, data, ULOCDATA_ALT_QUOTATION_START, "", true);
    l->inner[1] = quote(r, data, ULOCDATA_ALT_QUOTATION_END, "", false);
    if (l->inner[0] && l->mark[0] && !strcmp(l->inner[0], l->mark[0])) {
        l->inner[0] = "\xE2\x80\x9C"; /* CLDR has the same for both, as in French */
        l->inner[1] = "\xE2\x80\x9D";
    }
    ulocdata_close(data);
    bool all =
        l->mark[0] && l->mark[1] && l->quote[0] && l->quote[1] && l->inner[0] && l->inner[1];
    return all ? VL_OK : no_memory(r);
}

static vl_status read_categories(reader *r) {
    UErrorCode code = U_ZERO_ERROR;
    UPluralRules *rules = uplrules_open(r->language->locale, &code);
    UEnumeration *words = uplrules_getKeywords(rules, &code);
    const char *word;
    while (U_SUCCESS(code) && r->category_count < CATEGORIES_MAX &&
           (word = uenum_next(words, NULL, &code)))
        r->categories[r->category_count++] = vl_arena_strdup(r->arena, word);
    uenum_close(words);
    uplrules_close(rules);
    return U_SUCCESS(code) && r->category_count
               ? VL_OK
               : vl_fail(r->d.error, VL_ERR_MISSING, "%s: no plural rules for %s", r->d.path,
                         r->language->locale);
}

static int decimal_of(const char *of) {
    char locale[VL_LANG_SIZE + 16];
    UErrorCode code = U_ZERO_ERROR;
    UChar mark[8] = {0};
    snprintf(locale, sizeof locale, "%s@numbers=latn", of);
    UNumberFormat *format = unum_open(UNUM_DECIMAL, NULL, 0, locale, NULL, &code);
    if (U_SUCCESS(code))
        unum_getSymbol(format, UNUM_DECIMAL_SEPARATOR_SYMBOL, mark, 8, &code);
    unum_close(format);
    return U_SUCCESS(code) && (mark[0] == '.' || mark[0] == ',') && !mark[1] ? mark[0] : 0;
}

static vl_status read_code(reader *r, const yaml_node_t *in, const yaml_node_t **values) {
    phrase_language *l = r->language;
    const char *code = doc_text(values[KEY_LANGUAGE]), *script = doc_text(values[KEY_SCRIPT]);
    if (!code || strlen(code) != 3 || strcmp(vl_lang_code(code), code) != 0)
        return doc_refuse(&r->d, values[KEY_LANGUAGE] ? values[KEY_LANGUAGE] : in,
                          "language: a code of ISO 639-3 is needed");
    int32_t value = script ? u_getPropertyValueEnum(UCHAR_SCRIPT, script) : UCHAR_INVALID_CODE;
    if (!script || value == UCHAR_INVALID_CODE ||
        strcmp(uscript_getShortName((UScriptCode)value), script) != 0)
        return doc_refuse(&r->d, values[KEY_SCRIPT] ? values[KEY_SCRIPT] : in,
                          "script: a code of ISO 15924 is needed");
    snprintf(l->code, sizeof l->code, "%s", code);
    snprintf(l->locale, sizeof l->locale, "%s", vl_lang_short(code));
    snprintf(l->script, sizeof l->script, "%s", script);
    l->decimal = decimal_of(l->locale);
    l->cased = uscript_isCased((UScriptCode)value);
    l->rtl = uscript_isRightToLeft((UScriptCode)value);
    return VL_OK;
}

static vl_status read_marks(reader *r, const yaml_node_t *in, const yaml_node_t **values) {
    phrase_language *l = r->language;
    const char *space = "";
    vl_status status = need_text(r, in, values[KEY_QUESTION], "question", &l->question);
    if (!status)
        status = need_text(r, in, values[KEY_STOP], "stop", &l->stop);
    if (!status)
        status = need_text(r, in, values[KEY_COLON], "colon", &l->colon);
    if (!status)
        status = read_text(r, values[KEY_OPENS], &r->opens);
    if (!status)
        status = read_text(r, values[KEY_SPACE], &space);
    if (!status)
        status = read_quotes(r, space);
    return status;
}

static vl_status read_words(reader *r, const yaml_node_t *in, const yaml_node_t **values) {
    phrase_language *l = r->language;
    l->vowels = "";
    const struct {
        int key;
        size_t most;
        const char ***list;
        size_t *count;
    } lists[] = {
        {KEY_CLASSES, PHRASE_CLASSES_MAX, &l->classes, &l->class_count},
        {KEY_FORMS, PHRASE_FORMS_MAX, &l->forms, &l->form_count},
        {KEY_TOTALS, LIST_MAX, &l->totals, &l->total_count},
        {KEY_DATES, LIST_MAX, &l->dates, &l->date_count},
        {KEY_ELIDED, LIST_MAX, &l->elided, &l->elided_count},
        {KEY_NEVER, LIST_MAX, &l->never, &l->never_count},
    };
    vl_status status = VL_OK;
    for (size_t i = 0; i < sizeof lists / sizeof *lists && !status; i++)
        status =
            read_list(r, values[lists[i].key], lists[i].most, lists[i].list, lists[i].count);
    if (!status && (!l->class_count || !l->form_count))
        status = doc_refuse(&r->d, in, "classes or forms are missing");
    if (!status)
        status = read_text(r, values[KEY_VOWELS], &l->vowels);
    if (!status)
        status = need_text(r, in, values[KEY_YES], "yes", &l->yes);
    if (!status)
        status = need_text(r, in, values[KEY_NO], "no", &l->no);
    return status;
}

static vl_status read_tables(reader *r, const yaml_node_t *in, const yaml_node_t **values) {
    static const pattern_rules of_rows = {.count = true};
    phrase_language *l = r->language;
    vl_status status = read_nouns(r, in, values[KEY_NOUNS]);
    if (!status)
        status = read_names(r, values[KEY_CRISES], &l->crises);
    if (!status)
        status = read_names(r, values[KEY_LANGUAGES], &l->languages);
    if (!status)
        status = read_names(r, values[KEY_SCRIPTS], &l->scripts);
    if (!status && !values[KEY_ROWS])
        status = doc_refuse(&r->d, in, "rows is missing");
    if (!status)
        status = read_pattern(r, values[KEY_ROWS], &of_rows, &l->rows);
    if (!status)
        status = read_phrases(r, in, values[KEY_PHRASES]);
    return status;
}

vl_status phrases_read(const char *path, vl_arena *arena, phrase_language *language,
                       vl_error *error) {
    reader r = {.arena = arena, .language = language};
    const yaml_node_t *values[KEY_COUNT];
    *language = (phrase_language){0};
    vl_status status = doc_open(&r.d, path, VL_ERR_INPUT, error);
    if (status)
        return status;
    const yaml_node_t *root = doc_root(&r.d);
    status = doc_values(&r.d, root, keys, KEY_COUNT, values);
    if (!status)
        status = read_code(&r, root, values);
    if (!status)
        status = read_categories(&r);
    if (!status)
        status = read_marks(&r, root, values);
    if (!status)
        status = read_words(&r, root, values);
    if (!status)
        status = read_tables(&r, root, values);
    if (!status)
        status = caption_names_read(language, arena, error);
    doc_close(&r.d);
    return status;
}

/* ---- the folder ------------------------------------------------------------------------- */

struct phrases {
    vl_arena *arena;
    phrase_language languages[LANGUAGES_MAX];
    size_t count;
};

static int is_file_of_phrases(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return length == 8 && !strcmp(entry->d_name + 3, ".yaml");
}

static vl_status read_entry(phrases *p, const char *folder, const char *name, vl_error *error) {
    char path[4096];
    if (p->count == LANGUAGES_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "%s: more than %d languages", folder,
                       LANGUAGES_MAX);
    phrase_language *language = &p->languages[p->count];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    vl_status status = phrases_read(path, p->arena, language, error);
    if (!status && strncmp(language->code, name, 3) != 0)
        status =
            vl_fail(error, VL_ERR_INPUT, "%s: it is of the language %s", path, language->code);
    p->count += !status;
    return status;
}

vl_status phrases_open(const char *folder, phrases **out, vl_error *error) {
    char bundled[4096];
    struct dirent **entries = NULL;
    *out = NULL;
    if (!folder) {
        snprintf(bundled, sizeof bundled, "%s/phrases", vl_data_dir());
        folder = bundled;
    }
    int count = scandir(folder, &entries, is_file_of_phrases, alphasort);
    if (count <= 0) {
        free(entries);
        return vl_fail(error, VL_ERR_MISSING, "%s: no phrases are there%s%s", folder,
                       count < 0 ? ": " : "", count < 0 ? strerror(errno) : "");
    }
    phrases *p = calloc(1, sizeof *p);
    if (p)
        p->arena = vl_arena_new(ARENA_BYTES);
    vl_status status = p && p->arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory");
    for (int i = 0; i < count; i++) {
        if (!status)
            status = read_entry(p, folder, entries[i]->d_name, error);
        free(entries[i]);
    }
    free(entries);
    if (status)
        phrases_free(p);
    else
        *out = p;
    return status;
}

void phrases_free(phrases *p) {
    if (p)
        vl_arena_free(p->arena);
    free(p);
}

size_t phrases_count(const phrases *p) {
    return p->count;
}

const phrase_language *phrases_language(const phrases *p, size_t i) {
    return &p->languages[i];
}

const phrase_language *phrases_find(const phrases *p, const char *code) {
    for (size_t i = 0; i < p->count; i++)
        if (!strcmp(p->languages[i].code, code))
            return &p->languages[i];
    return NULL;
}
