/* space_units.c — the hub's vocabulary by stems, and lists of words that mean them
 * (space_build.h). */
#include "align/space_build.h"

#include "align/tokens.h"

#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>
#include <vislang/text.h>
#include <zlib.h>

/* ---- units ---------------------------------------------------------------------------------
 */

vl_status space_units_init(space_units *units, const char *language, vl_arena *arena,
                           vl_error *error) {
    const char *code = vl_lang_code(language);
    *units = (space_units){.stems = {.arena = arena}};
    units->stemmer = sb_stemmer_new(code ? code : language, NULL);
    return units->stemmer ? VL_OK
                          : vl_fail(error, VL_ERR_UNSUPPORTED,
                                    "there is no Snowball stemmer for '%s'", language);
}

void space_units_deinit(space_units *units) {
    if (units->stemmer)
        sb_stemmer_delete(units->stemmer);
    word_set_deinit(&units->stems);
    free(units->tokens);
    free(units->name);
    free(units->named);
    *units = (space_units){0};
}

static bool make_room(space_units *units) {
    size_t room = units->room ? 2 * units->room : 8192;
    uint64_t *tokens = realloc(units->tokens, room * sizeof *tokens);
    if (tokens)
        units->tokens = tokens;
    const char **name = realloc(units->name, room * sizeof *name);
    if (name)
        units->name = name;
    uint64_t *named = realloc(units->named, room * sizeof *named);
    if (named)
        units->named = named;
    if (!tokens || !name || !named)
        return false;
    units->room = room;
    return true;
}

/* The form; the stem where there is no memory for it. */
static const char *name_of(const space_units *units, uint32_t unit, const char *form) {
    const char *name = vl_arena_strdup(units->stems.arena, form);
    return name ? name : units->stems.words[unit];
}

uint32_t space_units_of(space_units *units, const char *form, uint64_t times, bool add) {
    const char *stem = (const char *)sb_stemmer_stem(units->stemmer, (const sb_symbol *)form,
                                                     (int)strnlen(form, 1024));
    uint32_t unit = stem ? word_set_find(&units->stems, stem) : UINT32_MAX;
    if (!stem || (unit == UINT32_MAX && !add))
        return UINT32_MAX;
    if (unit == UINT32_MAX) {
        if (units->stems.count >= SPACE_STEMS_MAX ||
            (units->stems.count == units->room && !make_room(units)))
            return UINT32_MAX;
        unit = word_set_add(&units->stems, stem);
        if (unit == UINT32_MAX)
            return UINT32_MAX;
        units->tokens[unit] = units->named[unit] = 0;
        units->name[unit] = name_of(units, unit, form);
    }
    units->tokens[unit] += times;
    if (times > units->named[unit]) {
        units->named[unit] = times;
        units->name[unit] = name_of(units, unit, form);
    }
    return unit;
}

/* ---- lists of words ------------------------------------------------------------------------
 */

/* A unit and its weight joins a code of which the heaviest are kept. */
static void join(align_meaning *code, uint32_t unit, float weight) {
    size_t at = 0;
    while (at < ALIGN_CODE_MAX && code[at].weight > 0 && code[at].unit != unit)
        at++;
    if (at < ALIGN_CODE_MAX && code[at].weight > 0) {
        if (weight <= code[at].weight)
            return;
        code[at].weight = weight;
    } else {
        if (at == ALIGN_CODE_MAX && weight <= code[--at].weight)
            return;
        code[at] = (align_meaning){unit, weight};
    }
    for (; at && code[at - 1].weight < code[at].weight; at--) {
        align_meaning lighter = code[at - 1];
        code[at - 1] = code[at];
        code[at] = lighter;
    }
}

static bool room_for(space_meanings *m, uint32_t word) {
    if (word < m->room)
        return true;
    size_t room = m->room ? 2 * m->room : 4096;
    void *grown = realloc(m->code, room * sizeof *m->code);
    if (!grown)
        return false;
    m->code = grown;
    memset(m->code + m->room, 0, (room - m->room) * sizeof *m->code);
    m->room = room;
    return true;
}

enum { SIDE_WORDS = 3, LINE_BYTES = 4096 };

static vl_status take_line(char *line, space_units *units, vl_arena *scratch, space_meanings *m,
                           vl_error *error) {
    align_token *hub, *words;
    size_t hub_count, word_count;
    char *word = strchr(line, '\t');
    if (!word)
        return VL_OK;
    *word++ = '\0';
    char *weight_text = strchr(word, '\t');
    float weight = weight_text ? strtof(weight_text + 1, NULL) : 1;
    if (weight_text)
        *weight_text = '\0';
    vl_arena_reset(scratch);
    vl_status status = align_tokens(scratch, line, &hub, &hub_count, error);
    if (!status)
        status = align_tokens(scratch, word, &words, &word_count, error);
    if (status || !hub_count || !word_count || hub_count > SIDE_WORDS ||
        word_count > SIDE_WORDS || !(weight > 0))
        return status;
    m->pairs++;
    weight = (weight > 1 ? 1 : weight) / (float)(hub_count * word_count);
    for (size_t i = 0; i < word_count; i++) {
        uint32_t at = word_set_add(&m->words, words[i].word);
        if (at == UINT32_MAX || !room_for(m, at))
            return vl_fail(error, VL_ERR_MEMORY, "no memory for a list of words");
        for (size_t k = 0; k < hub_count; k++) {
            uint32_t unit = space_units_of(units, hub[k].word, 0, true);
            if (unit != UINT32_MAX)
                join(m->code[at], unit, weight);
        }
    }
    return VL_OK;
}

static void make_sums_one(space_meanings *m) {
    for (size_t i = 0; i < m->words.count; i++) {
        float sum = 0;
        for (size_t k = 0; k < ALIGN_CODE_MAX; k++)
            sum += m->code[i][k].weight;
        for (size_t k = 0; k < ALIGN_CODE_MAX && sum > 0; k++)
            m->code[i][k].weight /= sum;
    }
}

vl_status space_meanings_read(const char *path, space_units *units, vl_arena *arena,
                              space_meanings *out, vl_error *error) {
    enum { SCRATCH_BYTES = 1 << 22 };
    char line[LINE_BYTES];
    bool inside = false;
    *out = (space_meanings){.words = {.arena = arena}};
    gzFile file = gzopen(path, "rb");
    vl_arena *scratch = vl_arena_new(SCRATCH_BYTES);
    vl_status status = VL_OK;
    if (!file || !scratch)
        status = vl_fail(error, file ? VL_ERR_MEMORY : VL_ERR_INPUT, "cannot read %s", path);
    while (!status && gzgets(file, line, sizeof line)) {
        bool whole = strlen(line) < sizeof line - 1 || strchr(line, '\n');
        line[strcspn(line, "\r\n")] = '\0';
        if (whole && !inside)
            status = take_line(line, units, scratch, out, error);
        inside = !whole; /* of a line that is too long to be one of words */
    }
    int code = Z_OK;
    if (!status && gzerror(file, &code) && code != Z_OK)
        status = vl_fail(error, VL_ERR_INPUT, "%s cannot be read to its end", path);
    if (file)
        gzclose(file);
    vl_arena_free(scratch);
    if (!status)
        make_sums_one(out);
    return status;
}

void space_meanings_deinit(space_meanings *meanings) {
    word_set_deinit(&meanings->words);
    free(meanings->code);
    *meanings = (space_meanings){0};
}
