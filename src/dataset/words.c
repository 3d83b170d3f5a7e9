/* words.c — see words.h. */
#include "dataset/words.h"

#include "dataset/mo.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/ustring.h>
#include <unistd.h>

enum {
    ENOUGH = 280,
    MAX_LINES = 20000,
    MAX_LINE = 480,
    MAX_CATALOGUE = 16 << 20,
    MAX_FIELD = 400
};
static const size_t MAX_TEXT = (size_t)2 << 30;
static const char catalogues[] = "/usr/share/locale", word_lists[] = "/usr/share/hunspell";
/* A character less frequent than this in the text of its script is drawn on purpose. */
static const double RARE_SHARE = 1.0 / 4000;

/* ---- sources ------------------------------------------------------------------------ */

typedef struct opening {
    words *words;
    const double *weights;
    bool system;          /* what is found is not the user's text */
    const char **scratch; /* [MAX_LINES] */
    double system_weight[VL_SCRIPT_COUNT], text_weight[VL_SCRIPT_COUNT];
} opening;

static vl_status keep_source(opening *o, const word_source *source, vl_error *error) {
    words *w = o->words;
    if (w->source_count == WORDS_MAX_SOURCES)
        return VL_OK;
    if (!source->lines.items)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for text");
    word_source *kept = &w->sources[w->source_count++];
    *kept = *source;
    kept->weight = sqrt((double)source->lines.count) * (source->single ? 0.5 : 1);
    kept->system = o->system;
    (o->system ? o->system_weight : o->text_weight)[kept->script] += kept->weight;
    return VL_OK;
}

static vl_status take_file(const char *path, void *user, vl_error *error) {
    opening *o = user;
    const corpus_limits limits = {.max_lines = MAX_LINES, .max_bytes = MAX_LINE, .split = true};
    word_source source = {.single = strstr(path, "/lexicon/") != NULL};
    vl_status status = corpus_read(o->words->arena, path, &limits, &source.lines, error);
    if (status || source.lines.count < 3)
        return status;
    source.script = script_by_code(corpus_script(&source.lines));
    if (source.script == VL_SCRIPT_COUNT || o->weights[source.script] <= 0)
        return VL_OK;
    corpus_language(path, source.language);
    return keep_source(o, &source, error);
}

/* ---- what the system has ------------------------------------------------------------ */

typedef struct taking {
    vl_arena *arena;
    corpus_lines lines;
} taking;

/* Messages with places for values or marked keys, or of several lines, are no text that is
 * seen. */
static void take_message(const char *text, size_t bytes, void *user) {
    taking *t = user;
    if (bytes < 6 || bytes > MAX_LINE || t->lines.count == MAX_LINES ||
        memchr(text, '%', bytes) || memchr(text, '\n', bytes) || memchr(text, '<', bytes) ||
        memchr(text, '{', bytes) || memchr(text, '_', bytes) || memchr(text, '\\', bytes) ||
        memchr(text, '&', bytes))
        return;
    const char *copy = vl_arena_strndup(t->arena, text, bytes);
    if (copy)
        t->lines.items[t->lines.count++] = copy;
}

/* "/usr/share/locale/pt_BR/LC_MESSAGES/x.mo" → "pt" */
static void language_in(const char *path, const char *folder, char language[VL_LANG_SIZE]) {
    const char *from = path + strlen(folder) + 1;
    size_t bytes = strcspn(from, "_@/.-");
    snprintf(language, VL_LANG_SIZE, "%.*s", bytes == 2 || bytes == 3 ? (int)bytes : 3,
             bytes == 2 || bytes == 3 ? from : "und");
}

/* English and its neighbours have text enough; a broken catalogue is the system's affair. */
static vl_status take_catalogue(const char *path, void *user, vl_error *error) {
    opening *o = user;
    word_source source = {0};
    vl_buf content;
    language_in(path, catalogues, source.language);
    if (o->words->source_count == WORDS_MAX_SOURCES || !strncmp(source.language, "en", 3))
        return VL_OK;
    taking t = {.arena = o->words->arena, .lines.items = o->scratch};
    vl_buf_init(&content, MAX_CATALOGUE);
    if (vl_file_read(path, MAX_CATALOGUE, &content, NULL) == VL_OK)
        mo_read(content.data, content.len, take_message, &t, NULL);
    vl_buf_deinit(&content);
    source.lines = t.lines;
    source.script = source.lines.count < 12 ? VL_SCRIPT_COUNT
                                            : script_by_code(corpus_script(&source.lines));
    if (source.script == VL_SCRIPT_COUNT || o->weights[source.script] <= 0)
        return VL_OK;
    size_t bytes = source.lines.count * sizeof *source.lines.items;
    source.lines.items = vl_arena_grow(o->words->arena, source.lines.items, bytes, bytes);
    return keep_source(o, &source, error);
}

/* A word list of hunspell: a count, then words with their flags after a slash. Lists in other
 * encodings than UTF-8 are left out. */
static vl_status take_word_list(const char *path, void *user, vl_error *error) {
    opening *o = user;
    word_source source = {.single = true};
    corpus_lines all;
    const corpus_limits limits = {.max_lines = MAX_LINES, .max_bytes = MAX_LINE};
    vl_status status = corpus_read(o->words->arena, path, &limits, &all, error);
    language_in(path, word_lists, source.language);
    for (size_t i = 1; i < all.count && !status; i++) {
        char *word = (char *)(uintptr_t)all.items[i];
        word[strcspn(word, "/ \t")] = '\0';
        if (*word && vl_utf8_valid_prefix(word, strlen(word)) == strlen(word))
            o->scratch[source.lines.count++] = word;
    }
    source.lines.items = o->scratch;
    source.script = source.lines.count < 100 ? VL_SCRIPT_COUNT
                                             : script_by_code(corpus_script(&source.lines));
    if (status || source.script == VL_SCRIPT_COUNT || o->weights[source.script] <= 0)
        return status;
    size_t bytes = source.lines.count * sizeof *source.lines.items;
    source.lines.items = vl_arena_grow(o->words->arena, o->scratch, bytes, bytes);
    return keep_source(o, &source, error);
}

static vl_status take_system(opening *o, vl_error *error) {
    o->system = true;
    vl_status status = VL_OK;
    if (access(catalogues, R_OK) == 0)
        status = corpus_walk(catalogues, ".mo", take_catalogue, o, error);
    if (!status && access(word_lists, R_OK) == 0)
        status = corpus_walk(word_lists, ".dic", take_word_list, o, error);
    return status;
}

/* The system's words are no sentences: together a fifth of a script's lines at most. */
static void balance(opening *o) {
    words *w = o->words;
    for (size_t i = 0; i < w->source_count; i++) {
        word_source *source = &w->sources[i];
        double text = o->text_weight[source->script], system = o->system_weight[source->script];
        if (source->system && text > 0 && system > text / 4)
            source->weight *= text / 4 / system;
    }
}

/* ---- which source of which script, and where rare characters are ---------------------- */

static vl_status list_sources(words *w, size_t script, vl_error *error) {
    size_t *list = vl_arena_array(w->arena, w->source_count + 1, sizeof *list);
    double *weights = vl_arena_array(w->arena, w->source_count + 1, sizeof *weights);
    size_t count = 0;
    if (!list || !weights)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for text");
    for (size_t i = 0; i < w->source_count; i++)
        if (w->sources[i].script == script) {
            weights[count] = w->sources[i].weight;
            list[count++] = i;
        }
    w->of[script].sources = list;
    w->of[script].weights = weights;
    w->of[script].source_count = count;
    return VL_OK;
}

/* Calls for each character of the alphabet in each line that the source's script owns, or that
 * all scripts use. */
typedef void (*letter_fn)(words *w, size_t letter, size_t source, size_t line, void *user);
static void each_letter(words *w, letter_fn give, void *user) {
    for (size_t s = 0; s < w->source_count; s++)
        for (size_t i = 0; i < w->sources[s].lines.count; i++) {
            const char *text = w->sources[s].lines.items[i];
            int32_t bytes = (int32_t)strlen(text);
            for (int32_t at = 0; at < bytes;) {
                UChar32 code;
                U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, code);
                int letter = alphabet_find(w->alphabet, (uint32_t)code);
                if (letter >= 0)
                    give(w, (size_t)letter, s, i, user);
            }
        }
}

typedef struct counting {
    uint64_t *counts; /* [VL_SCRIPT_COUNT, alphabet] */
    uint64_t totals[VL_SCRIPT_COUNT];
    dice dice;
} counting;

static void count_letter(words *w, size_t letter, size_t source, size_t line, void *user) {
    counting *c = user;
    vl_script script = w->sources[source].script;
    (void)line;
    c->totals[script]++;
    c->counts[script * w->alphabet->count + letter]++;
}

/* Reservoir sampling (Vitter 1985, algorithm R): each line that holds it is as likely kept. Of
 * signs of all scripts there are lines enough in each. */
static void note_letter(words *w, size_t letter, size_t source, size_t line, void *user) {
    counting *c = user;
    vl_script script = w->sources[source].script;
    if (w->alphabet->scripts[letter] != script || !w->places[letter].wanted)
        return;
    struct word_places *places = &w->places[letter];
    size_t slot = places->count++;
    if (slot >= WORDS_MAX_PLACES)
        slot = dice_index(&c->dice, places->count);
    if (slot < WORDS_MAX_PLACES) {
        places->at[slot].source = (uint32_t)source;
        places->at[slot].line = (uint32_t)line;
    }
}

static vl_status find_rare(words *w, const double weights[VL_SCRIPT_COUNT], vl_error *error) {
    size_t letters = w->alphabet->count;
    counting c = {.dice = dice_of(1, 0),
                  .counts = calloc(VL_SCRIPT_COUNT * letters, sizeof *c.counts)};
    if (!c.counts)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for text");
    each_letter(w, count_letter, &c);
    for (size_t i = 0; i < VL_SCRIPT_COUNT; i++) {
        uint16_t *rare = vl_arena_array(w->arena, letters, sizeof *rare);
        w->of[i].rare = rare;
        for (size_t k = 0; rare && k < letters && weights[i] > 0; k++) {
            vl_script of = w->alphabet->scripts[k];
            if ((of == i || of == VL_SCRIPT_COUNT) &&
                (double)c.counts[i * letters + k] < RARE_SHARE * (double)c.totals[i]) {
                rare[w->of[i].rare_count++] = (uint16_t)k;
                w->places[k].wanted = true;
            }
        }
    }
    each_letter(w, note_letter, &c);
    free(c.counts);
    return w->of[VL_SCRIPT_COUNT - 1].rare
               ? VL_OK
               : vl_fail(error, VL_ERR_MEMORY, "no memory for text");
}

vl_status words_open(const char *folder, bool system_text, const alphabet *a,
                     const double weights[VL_SCRIPT_COUNT], words *w, vl_error *error) {
    opening o = {.words = w, .weights = weights};
    *w = (words){.arena = vl_arena_new(MAX_TEXT), .alphabet = a};
    w->sources =
        w->arena ? vl_arena_array(w->arena, WORDS_MAX_SOURCES, sizeof *w->sources) : NULL;
    w->places = w->arena ? vl_arena_array(w->arena, a->count, sizeof *w->places) : NULL;
    o.scratch = calloc(MAX_LINES, sizeof *o.scratch);
    vl_status status = VL_OK;
    if (!w->sources || !w->places || !o.scratch)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for text");
    if (!status)
        status = field_names_open(&w->names, error);
    if (!status)
        status = corpus_walk(folder, ".gz", take_file, &o, error);
    if (!status && system_text)
        status = take_system(&o, error);
    if (!status)
        balance(&o);
    for (size_t i = 0; i < VL_SCRIPT_COUNT && !status; i++) {
        status = list_sources(w, i, error);
        if (!status && weights[i] > 0 && !w->of[i].source_count)
            status = vl_fail(error, VL_ERR_INPUT,
                             "%s: no text in the script %s; leave it out "
                             "with --scripts",
                             folder, script_kinds[i].name);
    }
    if (!status)
        status = find_rare(w, weights, error);
    free(o.scratch);
    if (status)
        words_deinit(w);
    return status;
}

void words_deinit(words *w) {
    field_names_deinit(&w->names);
    vl_arena_free(w->arena);
    *w = (words){0};
}

/* ---- pieces ------------------------------------------------------------------------- */

/* How long lines of a page are: full ones, ends of paragraphs and headings, single words. */
static size_t draw_length(vl_script script, dice *d) {
    double u = dice_unit(d);
    double length = u < 0.12   ? dice_between(d, 1, 8)
                    : u < 0.42 ? dice_between(d, 6, 36)
                               : dice_between(d, 32, 90);
    return (size_t)(script_kinds[script].spaceless ? length * 0.75 : length);
}

/* A line may be cut in front of `code`: nothing before it is left waiting for it. */
static bool is_border(UChar32 before, UChar32 code, bool spaceless) {
    if (before == ' ' || code == ' ' || !spaceless)
        return before == ' ' || code == ' ';
    return !(U_GET_GC_MASK(code) & U_GC_M_MASK) && u_isalpha(code) && before != 0x1039 &&
           before != 0x17D2 && before != 0x200C && before != 0x200D;
}

/* Bytes of the borders nearest after `from` characters; `count` characters further. */
static void find_piece(const char *text, bool spaceless, size_t from, size_t count,
                       size_t *start, size_t *end) {
    int32_t bytes = (int32_t)strlen(text);
    UChar32 before = ' ', code;
    size_t seen = 0;
    bool started = false;
    *start = 0;
    *end = (size_t)bytes;
    for (int32_t at = 0, next = 0; at < bytes; at = next, before = code, seen++) {
        U8_NEXT_OR_FFFD((const uint8_t *)text, next, bytes, code);
        if (!is_border(before, code, spaceless))
            continue;
        if (!started && seen >= from) {
            started = true;
            *start = (size_t)at;
            from = seen;
        } else if (started && seen >= from + count) {
            *end = (size_t)at;
            return;
        }
    }
}

static size_t count_codes(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static char *trimmed(vl_arena *arena, const char *text, size_t start, size_t end) {
    while (start < end && text[start] == ' ')
        start++;
    while (end > start && text[end - 1] == ' ')
        end--;
    return start < end ? vl_arena_strndup(arena, text + start, end - start) : NULL;
}

static char *cut_piece(const char *text, vl_script script, dice *d, vl_arena *arena) {
    bool spaceless = script_kinds[script].spaceless;
    size_t length = draw_length(script, d), all = count_codes(text), start, end;
    size_t from = all > length && dice_chance(d, 0.75) ? dice_index(d, all - length + 1) : 0;
    find_piece(text, spaceless, from, length, &start, &end);
    if (start && start + 4 > end)
        find_piece(text, spaceless, 0, length, &start, &end);
    return trimmed(arena, text, start, end);
}

static const word_source *draw_source(const words *w, vl_script script, dice *d) {
    size_t i = dice_weighted(d, w->of[script].weights, w->of[script].source_count);
    return &w->sources[w->of[script].sources[i]];
}

static const char *draw_line(const word_source *source, dice *d) {
    return source->lines.items[dice_index(d, source->lines.count)];
}

/* Words of a list, one after the other. */
static const char *join_words(const word_source *source, dice *d, vl_arena *arena) {
    vl_buf joined;
    vl_buf_init(&joined, 4096);
    for (int i = 1 + dice_below(d, 7); i > 0; i--)
        vl_buf_printf(&joined, "%s%s", draw_line(source, d), i > 1 ? " " : "");
    const char *text = joined.failed ? NULL : vl_arena_strdup(arena, joined.data);
    vl_buf_deinit(&joined);
    return text;
}

/* A line and those after it: pages run on where files end their lines. */
static const char *join_lines(const word_source *source, dice *d, vl_arena *arena) {
    size_t at = dice_index(d, source->lines.count), bytes = 0;
    vl_buf joined;
    vl_buf_init(&joined, 4096);
    do {
        vl_buf_printf(&joined, "%s%s", bytes ? " " : "", source->lines.items[at++]);
        bytes = joined.len;
    } while (bytes < ENOUGH && at < source->lines.count && !joined.failed);
    const char *text = joined.failed ? NULL : vl_arena_strdup(arena, joined.data);
    vl_buf_deinit(&joined);
    return text;
}

static char *draw_text(const words *w, vl_script script, dice *d, vl_arena *arena,
                       char language[VL_LANG_SIZE]) {
    const word_source *source = draw_source(w, script, d);
    const char *line = source->single        ? join_words(source, d, arena)
                       : dice_chance(d, 0.7) ? join_lines(source, d, arena)
                                             : draw_line(source, d);
    char *clean = line ? alphabet_clean(w->alphabet, arena, line) : NULL;
    snprintf(language, VL_LANG_SIZE, "%s", source->language);
    return clean ? cut_piece(clean, script, d, arena) : NULL;
}

/* ---- rare characters ---------------------------------------------------------------- */

/* The part of a line around its first `code`. */
static char *cut_around(const char *text, uint32_t code, vl_script script, dice *d,
                        vl_arena *arena) {
    int32_t bytes = (int32_t)strlen(text);
    size_t seen = 0, length = draw_length(script, d), start, end;
    for (int32_t at = 0; at < bytes; seen++) {
        UChar32 here;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, here);
        if ((uint32_t)here == code)
            break;
    }
    size_t back = dice_index(d, length + 1);
    find_piece(text, script_kinds[script].spaceless, seen > back ? seen - back : 0, length + 12,
               &start, &end);
    return trimmed(arena, text, start, end);
}

/* Where a rare character can stand: a letter in the place of another, a mark after a letter, a
 * digit and a sign at the end of a word. */
static bool fits_there(UChar32 code, UChar32 before, UChar32 after) {
    uint32_t mask = U_GET_GC_MASK(code);
    if (mask & U_GC_M_MASK)
        return u_isalpha(before) && !(U_GET_GC_MASK(before) & U_GC_M_MASK) &&
               !(U_GET_GC_MASK(after) & U_GC_M_MASK);
    if (mask & U_GC_L_MASK)
        return u_isalpha(after) && u_isupper(after) == u_isupper(code) &&
               !(U_GET_GC_MASK(after) & U_GC_M_MASK);
    return before != ' ' && (after == ' ' || after == 0);
}

/* Puts `code` into the text at one of the places that fit; at its end when none does. */
static char *insert(const char *text, UChar32 code, dice *d, vl_arena *arena) {
    int32_t bytes = (int32_t)strlen(text), place = -1, after_place = bytes, tries = 0;
    UChar32 before = ' ', here;
    for (int32_t at = 0, next = 0; at <= bytes; at = next, before = here) {
        here = 0;
        if (at < bytes)
            U8_NEXT_OR_FFFD((const uint8_t *)text, next, bytes, here);
        else
            next = bytes + 1;
        if (fits_there(code, before, here) && dice_chance(d, 1.0 / ++tries)) {
            bool replaces = (U_GET_GC_MASK(code) & U_GC_L_MASK) != 0;
            place = at;
            after_place = replaces ? next : at;
        }
    }
    if (place < 0)
        place = after_place = bytes;
    char sign[5] = {0};
    int32_t length = 0;
    U8_APPEND_UNSAFE((uint8_t *)sign, length, (uint32_t)code);
    return vl_arena_printf(arena, "%.*s%s%s", place, text, sign,
                           after_place < bytes ? text + after_place : "");
}

static char *draw_rare(const words *w, vl_script script, dice *d, vl_arena *arena,
                       char language[VL_LANG_SIZE]) {
    if (!w->of[script].rare_count)
        return NULL;
    size_t letter = w->of[script].rare[dice_index(d, w->of[script].rare_count)];
    const struct word_places *places = &w->places[letter];
    uint32_t code = w->alphabet->codes[letter];
    size_t count = places->count < WORDS_MAX_PLACES ? places->count : WORDS_MAX_PLACES;
    if (!count || dice_chance(d, 0.3)) {
        char *text = draw_text(w, script, d, arena, language);
        char *with = text ? insert(text, (UChar32)code, d, arena) : NULL;
        return with ? alphabet_clean(w->alphabet, arena, with) : NULL;
    }
    size_t at = dice_index(d, count);
    const word_source *source = &w->sources[places->at[at].source];
    snprintf(language, VL_LANG_SIZE, "%s", source->language);
    char *clean = alphabet_clean(w->alphabet, arena, source->lines.items[places->at[at].line]);
    return clean ? cut_around(clean, code, script, d, arena) : NULL;
}

/* ---- lines -------------------------------------------------------------------------- */

static char *draw_field(const words *w, vl_script script, dice *d, vl_arena *arena) {
    vl_buf text;
    vl_buf_init(&text, MAX_FIELD);
    field_draw(&w->names, script, d, &text);
    char *clean =
        text.failed || !text.data ? NULL : alphabet_clean(w->alphabet, arena, text.data);
    vl_buf_deinit(&text);
    return clean;
}

static char *in_capitals(const char *text, const char *language, vl_arena *arena) {
    UChar wide[2048], upper[2048];
    char out[4096];
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF8(wide, 2048, NULL, text, -1, &status);
    u_strToUpper(upper, 2048, wide, -1, language, &status);
    u_strToUTF8(out, sizeof out, NULL, upper, -1, &status);
    return U_SUCCESS(status) ? vl_arena_strdup(arena, out) : NULL;
}

/* What editors do to a line: capitals, a bullet, quotation marks, a word of another script. */
static char *dress(const words *w, vl_script script, char *text, dice *d, vl_arena *arena,
                   const char *language) {
    static const char *const pairs[][2] = {{"", ""},     {"“", "”"}, {"«", "»"}, {"(", ")"},
                                           {"\"", "\""}, {"‘", "’"}, {"[", "]"}, {"„", "“"}};
    bool cased = script == VL_SCRIPT_LATIN || script == VL_SCRIPT_CYRILLIC;
    vl_buf line;
    vl_buf_init(&line, 8192);
    if (cased && dice_chance(d, 0.08))
        text = in_capitals(text, language, arena);
    if (dice_chance(d, 0.05))
        field_bullet(script, d, &line);
    size_t quotes = dice_chance(d, 0.15) ? dice_index(d, sizeof pairs / sizeof *pairs) : 0;
    vl_buf_printf(&line, "%s%s%s", pairs[quotes][0], text ? text : "", pairs[quotes][1]);
    if (script != VL_SCRIPT_LATIN && w->of[VL_SCRIPT_LATIN].source_count &&
        dice_chance(d, 0.04)) {
        char other[VL_LANG_SIZE];
        char *latin = draw_text(w, VL_SCRIPT_LATIN, d, arena, other);
        if (latin)
            vl_buf_printf(&line, " %.*s", (int)strcspn(latin, " "), latin);
    }
    char *dressed = line.failed || !text ? NULL : alphabet_clean(w->alphabet, arena, line.data);
    vl_buf_deinit(&line);
    return dressed;
}

char *words_draw(const words *w, vl_script script, word_kind kind, dice *d, vl_arena *arena,
                 char language[VL_LANG_SIZE]) {
    snprintf(language, VL_LANG_SIZE, "und");
    if (kind == WORDS_FIELD)
        return draw_field(w, script, d, arena);
    if (kind == WORDS_RARE)
        return draw_rare(w, script, d, arena, language);
    char *text = draw_text(w, script, d, arena, language);
    return text && dice_chance(d, 0.2) ? dress(w, script, text, d, arena, language) : text;
}
