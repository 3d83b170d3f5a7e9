/* phrase_pattern.c — patterns parsed by recursive descent (phrase_pattern.h). */
#include "dataset/phrase_pattern.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

enum { DEPTH_MAX = 4, NAME_SIZE = 24, KEYWORDS_MAX = 16, PATTERN_BYTES = 2048 };

typedef struct parser {
    const char *at;
    const phrase_language *language;
    const pattern_rules *rules;
    const char *const *categories;
    size_t category_count;
    phrase_pattern *pattern;
    vl_buf out;     /* the same with numbers */
    vl_buf literal; /* its words, without arguments */
    char *fault;
    size_t fault_size;
} parser;

static bool refuse(parser *p, const char *what, const char *name) {
    if (!*p->fault)
        snprintf(p->fault, p->fault_size, "%s%s%s", what, *name ? ": " : "", name);
    return false;
}

static void skip_spaces(parser *p) {
    p->at += strspn(p->at, " \n");
}

/* A name or keyword: ASCII letters, digits and '_'. */
static bool read_name(parser *p, char name[NAME_SIZE]) {
    size_t length = 0;
    skip_spaces(p);
    while (isalnum((unsigned char)p->at[length]) || p->at[length] == '_')
        length++;
    if (!length || length >= NAME_SIZE)
        return refuse(p, "a name is needed after '{'", "");
    memcpy(name, p->at, length);
    name[length] = '\0';
    p->at += length;
    skip_spaces(p);
    return true;
}

/* ---- arguments -------------------------------------------------------------------------- */

static size_t position(const char *name, const char *const *names, size_t count) {
    size_t i = 0;
    while (i < count && strcmp(name, names[i]))
        i++;
    return i;
}

/* What `name` stands for, or -1. */
static int use_of(const parser *p, const char *name) {
    const phrase_language *l = p->language;
    if (!strcmp(name, "count"))
        return PHRASE_USE_COUNT;
    if (!strcmp(name, "class"))
        return PHRASE_USE_CLASS;
    for (int a = 0; a < PHRASE_ARGUMENT_COUNT; a++)
        if (!strcmp(name, phrase_argument_name((phrase_argument)a)))
            return a;
    size_t form = position(name, (const char *const *)l->forms, l->form_count);
    return form < l->form_count ? PHRASE_USE_FORM + (int)form : -1;
}

static bool may_use(const pattern_rules *rules, int use) {
    if (use == PHRASE_USE_COUNT || rules->count)
        return rules->count && use == PHRASE_USE_COUNT;
    if (use >= PHRASE_USE_CLASS)
        return rules->noun || rules->needs_noun;
    return use >= 0 && rules->arguments >> use & 1;
}

/* The number of an argument, which it gets when it first stands in the pattern. */
static bool number_of(parser *p, const char *name, size_t *number) {
    phrase_pattern *pattern = p->pattern;
    int use = use_of(p, name);
    if (!may_use(p->rules, use))
        return refuse(p, "an argument that this topic does not have", name);
    for (*number = 0; *number < pattern->use_count; ++*number)
        if (pattern->uses[*number] == use)
            return true;
    if (pattern->use_count == PHRASE_USES_MAX)
        return refuse(p, "too many arguments", name);
    pattern->uses[pattern->use_count++] = (uint8_t)use;
    return true;
}

static bool read_message(parser *p, int depth);

/* ---- select and plural ------------------------------------------------------------------ */

typedef struct keywords {
    char names[KEYWORDS_MAX][NAME_SIZE];
    size_t count;
} keywords;

static bool has_keyword(const keywords *k, const char *name) {
    for (size_t i = 0; i < k->count; i++)
        if (!strcmp(k->names[i], name))
            return true;
    return false;
}

static bool read_branches(parser *p, keywords *k, int depth) {
    for (k->count = 0; *p->at != '}'; k->count++) {
        if (k->count == KEYWORDS_MAX)
            return refuse(p, "too many branches", "");
        char *name = k->names[k->count];
        if (!read_name(p, name))
            return false;
        if (has_keyword(k, name))
            return refuse(p, "a branch twice", name);
        if (*p->at++ != '{')
            return refuse(p, "a branch is {…}", name);
        vl_buf_printf(&p->out, " %s {", name);
        if (!read_message(p, depth + 1))
            return false;
        vl_buf_puts(&p->out, "}");
        p->at++;
        skip_spaces(p);
    }
    return has_keyword(k, "other") || refuse(p, "a branch is missing", "other");
}

/* Every class has its branch; "other" may be that of one. */
static bool check_select(parser *p, const keywords *k) {
    const phrase_language *l = p->language;
    size_t without = 0;
    for (size_t i = 0; i < k->count; i++)
        if (strcmp(k->names[i], "other") &&
            position(k->names[i], (const char *const *)l->classes, l->class_count) ==
                l->class_count)
            return refuse(p, "no class of this language", k->names[i]);
    for (size_t i = 0; i < l->class_count; i++)
        if (!has_keyword(k, l->classes[i]) && ++without > 1)
            return refuse(p, "no branch for the class", l->classes[i]);
    return true;
}

static bool check_plural(parser *p, const keywords *k) {
    for (size_t i = 0; i < k->count; i++)
        if (position(k->names[i], p->categories, p->category_count) == p->category_count)
            return refuse(p, "no plural category of this language", k->names[i]);
    for (size_t i = 0; i < p->category_count; i++)
        if (!has_keyword(k, p->categories[i]))
            return refuse(p, "no branch for the plural category", p->categories[i]);
    return true;
}

/* After the '{'. */
static bool read_argument(parser *p, int depth) {
    char name[NAME_SIZE], type[NAME_SIZE];
    size_t number;
    if (!read_name(p, name) || !number_of(p, name, &number))
        return false;
    bool simple = *p->at == '}';
    bool needs_type = !strcmp(name, "count") || !strcmp(name, "class");
    if (simple && needs_type)
        return refuse(p, "it stands in a select or plural only", name);
    vl_buf_printf(&p->out, "{%zu", number);
    if (!simple) {
        keywords k;
        if (*p->at++ != ',' || !read_name(p, type) || *p->at++ != ',')
            return refuse(p, "neither {name} nor {name, type, …}", name);
        bool plural = !strcmp(type, "plural");
        if (strcmp(plural ? "count" : "class", name) || (!plural && strcmp(type, "select")))
            return refuse(p, "a select is of the class, a plural of the count", type);
        vl_buf_printf(&p->out, ", %s,", type);
        skip_spaces(p);
        if (!read_branches(p, &k, depth) || !(plural ? check_plural : check_select)(p, &k))
            return false;
    }
    vl_buf_puts(&p->out, "}");
    p->at++;
    return true;
}

/* ---- messages --------------------------------------------------------------------------- */

/* Until the end, or within a branch until its '}', which is left. */
static bool read_message(parser *p, int depth) {
    if (depth > DEPTH_MAX)
        return refuse(p, "too deep", "");
    while (*p->at && *p->at != '}') {
        if (*p->at == '{') {
            p->at++;
            if (!read_argument(p, depth))
                return false;
            continue;
        }
        if (strchr("'\"`|<>\t\n", *p->at))
            return refuse(p, "quotation marks and apostrophes are typographic ones", p->at);
        if (*p->at == '#' && !p->rules->count)
            return refuse(p, "'#' stands in a plural only", "");
        vl_buf_append(&p->out, p->at, 1);
        vl_buf_append(&p->literal, p->at++, 1);
    }
    return (*p->at == '}') == (depth > 0) || refuse(p, "braces do not match", "");
}

/* Whether all that must be used is. */
static bool check_uses(parser *p) {
    const phrase_pattern *pattern = p->pattern;
    uint32_t used = 0;
    bool noun = false, count = false;
    for (size_t i = 0; i < pattern->use_count; i++) {
        count |= pattern->uses[i] == PHRASE_USE_COUNT;
        noun |= pattern->uses[i] >= PHRASE_USE_FORM;
        if (pattern->uses[i] < PHRASE_ARGUMENT_COUNT)
            used |= 1u << pattern->uses[i];
    }
    uint32_t missing = p->rules->arguments & ~used;
    if (missing)
        return refuse(p, "an argument is not used",
                      phrase_argument_name((phrase_argument)__builtin_ctz(missing)));
    if (p->rules->needs_noun && !noun)
        return refuse(p, "no form of the noun is used", "");
    return count == p->rules->count || refuse(p, "the count is not used", "");
}

/* Whether all letters are of the language's script. */
static bool check_script(parser *p) {
    UErrorCode code = U_ZERO_ERROR;
    const char *text = p->literal.len ? p->literal.data : "";
    int32_t bytes = (int32_t)p->literal.len;
    for (int32_t at = 0; at < bytes;) {
        UChar32 c;
        int32_t start = at;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, c);
        UScriptCode script = uscript_getScript(c, &code);
        if (u_isalpha(c) && script > USCRIPT_INHERITED &&
            strcmp(uscript_getShortName(script), p->language->script) != 0)
            return refuse(p, "a letter of another script", text + start);
    }
    return true;
}

static bool to_utf16(parser *p, vl_arena *arena) {
    UErrorCode code = U_ZERO_ERROR;
    int32_t length = 0;
    UChar *wide = vl_arena_array(arena, p->out.len + 1, sizeof *wide);
    if (!wide || p->out.failed)
        return refuse(p, "too long", "");
    u_strFromUTF8(wide, (int32_t)p->out.len + 1, &length, p->out.data, (int32_t)p->out.len,
                  &code);
    if (U_FAILURE(code))
        return refuse(p, "not UTF-8", "");
    p->pattern->text = wide;
    p->pattern->length = (size_t)length;
    return true;
}

bool pattern_parse(const char *source, const phrase_language *language,
                   const pattern_rules *rules, const char *const *categories,
                   size_t category_count, vl_arena *arena, phrase_pattern *pattern, char *fault,
                   size_t size) {
    parser p = {.at = source,
                .language = language,
                .rules = rules,
                .categories = categories,
                .category_count = category_count,
                .pattern = pattern,
                .fault = fault,
                .fault_size = size};
    fault[0] = '\0';
    *pattern = (phrase_pattern){.source = source};
    vl_buf_init(&p.out, PATTERN_BYTES);
    vl_buf_init(&p.literal, PATTERN_BYTES);
    bool good = (*source || refuse(&p, "it is empty", "")) && read_message(&p, 0) &&
                check_uses(&p) && check_script(&p) && to_utf16(&p, arena);
    vl_buf_deinit(&p.out);
    vl_buf_deinit(&p.literal);
    return good;
}
