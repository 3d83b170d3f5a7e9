/* facts_place.c — places: countries by ICU's names in the languages served, towns from
 * models/places.tsv, and what stands behind a label that means "place". */
#include "answer/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

enum { MAX_WORDS = 5, NAMES_MAX_BYTES = 4 << 20 };

typedef struct place_name {
    const char *plain; /* its words, plain, apart by a space */
    const char *code;  /* "KE"; of towns too */
} place_name;

struct place_names {
    place_name *items; /* sorted by plain */
    size_t count, capacity;
    vl_arena *arena;
};

static int by_plain(const void *a, const void *b) {
    return strcmp(((const place_name *)a)->plain, ((const place_name *)b)->plain);
}

static const char *plain_words(vl_arena *arena, const char *text) {
    char *copy = vl_arena_strdup(arena, text), *save = NULL;
    const char *all = NULL;
    for (char *word = copy ? strtok_r(copy, " ", &save) : NULL; word;
         word = strtok_r(NULL, " ", &save)) {
        const char *plain = plain_word(arena, word);
        if (plain && *plain)
            all = all ? vl_arena_printf(arena, "%s %s", all, plain) : plain;
    }
    return all;
}

static void add_name(place_names *names, const char *text, const char *code) {
    const char *plain = plain_words(names->arena, text);
    if (!plain || strlen(plain) < 3)
        return;
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? names->capacity * 2 : 1024;
        place_name *grown = realloc(names->items, capacity * sizeof *grown);
        if (!grown)
            return;
        names->items = grown;
        names->capacity = capacity;
    }
    names->items[names->count++] = (place_name){plain, vl_arena_strdup(names->arena, code)};
}

static void add_countries(place_names *names) {
    static const char *const languages[] = {"en", "fr", "es", "pt", "ar", "sw", "am", "ha",
                                            "so", "uk", "ru", "my", "fa", "ps", "ur", "hi"};
    for (const char *const *code = uloc_getISOCountries(); *code; code++)
        for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) {
            char locale[16], name[256];
            UChar wide[96];
            UErrorCode status = U_ZERO_ERROR;
            snprintf(locale, sizeof locale, "und_%s", *code);
            int32_t length = uloc_getDisplayCountry(locale, languages[i], wide, 96, &status);
            /* A name that is only the fallback ("KE", or the English one) adds nothing new. */
            if (U_FAILURE(status) || (i && status == U_USING_DEFAULT_WARNING))
                continue;
            u_strToUTF8(name, sizeof name, NULL, wide, length, &status);
            if (U_SUCCESS(status))
                add_name(names, name, *code);
        }
}

/* name <tab> country code <tab> other writings, apart by commas. */
static void add_towns(place_names *names) {
    char path[4096];
    vl_buf text;
    vl_buf_init(&text, NAMES_MAX_BYTES);
    snprintf(path, sizeof path, "%s/models/places.tsv", vl_data_dir());
    if (!vl_file_read(path, NAMES_MAX_BYTES, &text, NULL) && text.data) {
        char *save = NULL;
        for (char *line = strtok_r(text.data, "\n", &save); line;
             line = strtok_r(NULL, "\n", &save)) {
            char *rest = line, *name = strsep(&rest, "\t"), *code = strsep(&rest, "\t");
            if (*line == '#' || !code)
                continue;
            add_name(names, name, code);
            for (char *other; rest && (other = strsep(&rest, ","));)
                add_name(names, other, code);
        }
    }
    vl_buf_deinit(&text);
}

place_names *place_names_new(vl_error *error) {
    place_names *names = calloc(1, sizeof *names);
    if (names)
        names->arena = vl_arena_new(16 << 20);
    if (!names || !names->arena) {
        free(names);
        vl_fail(error, VL_ERR_MEMORY, "out of memory");
        return NULL;
    }
    add_countries(names);
    add_towns(names);
    qsort(names->items, names->count, sizeof *names->items, by_plain);
    return names;
}

void place_names_free(place_names *names) {
    if (!names)
        return;
    vl_arena_free(names->arena);
    free(names->items);
    free(names);
}

/* The longest name that begins at `at`: words taken, and the country's code. */
static size_t name_at(reading *r, const text_line *line, size_t at, const char **code) {
    const char *words = NULL;
    size_t longest = 0;
    for (size_t n = 1; n <= MAX_WORDS && at + n <= line->count; n++) {
        const char *plain = line->tokens[at + n - 1].plain;
        words = words ? vl_arena_printf(r->arena, "%s %s", words, plain) : plain;
        if (!words)
            break;
        place_name key = {words, NULL};
        const place_name *found =
            bsearch(&key, r->places->items, r->places->count, sizeof key, by_plain);
        if (found) {
            longest = n;
            *code = found->code;
        }
    }
    return longest;
}

/* Names are written with a capital where the script has capitals; "chad" the word is no
 * country. */
static bool looks_like_name(const token *t) {
    return !(t->text[0] >= 'a' && t->text[0] <= 'z');
}

static bool already_place(const reading *r, const char *text) {
    for (size_t i = 0; i < r->fact_count; i++)
        if (r->facts[i].kind == VL_FACT_PLACE && strstr(r->facts[i].text, text))
            return true;
    return false;
}

static bool is_place_label(reading *r, const char *label) {
    const char *plain = plain_words(r->arena, label);
    for (const char *word = plain; word && *word;) {
        size_t length = strcspn(word, " ");
        const char *one = vl_arena_strndup(r->arena, word, length);
        if (one && is_one_of(one, cue_place))
            return true;
        word += length + (word[length] == ' ');
    }
    return false;
}

/* After find_fields: "Place: Shule ya Msingi Kibera, Nairobi" names a place as a whole. */
void find_places(reading *r) {
    size_t fields = r->fact_count;
    for (size_t i = 0; i < fields; i++) {
        vl_fact field = r->facts[i];
        if (field.kind != VL_FACT_FIELD || !field.label || !is_place_label(r, field.label))
            continue;
        for (size_t l = 0; l < r->line_count; l++) {
            text_line *line = &r->lines[l];
            const char *tail = strstr(line->text, field.text);
            if (line->page != field.page || !tail || !line->count)
                continue;
            vl_fact *place = add_fact(r, VL_FACT_PLACE, line, 0, 1, NULL, 0.9);
            if (place) {
                place->text = field.text;
                place->label = field.label;
                place->box = field.box;
                place->confidence = field.confidence;
            }
            break;
        }
    }
    for (size_t l = 0; l < r->line_count; l++) {
        const text_line *line = &r->lines[l];
        for (size_t at = 0; at < line->count;) {
            const char *code = NULL;
            size_t count = looks_like_name(&line->tokens[at]) ? name_at(r, line, at, &code) : 0;
            if (count && !already_place(r, line_slice(r, line, at, count)))
                add_fact(r, VL_FACT_PLACE, line, at, count, code, 0.85);
            at += count ? count : 1;
        }
    }
}
