/* alphabet.c — see alphabet.h. */
#include "dataset/alphabet.h"

#include "dataset/corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uset.h>
#include <unicode/ustring.h>

/* Signs that every script uses. */
static const char common_set[] = "[\\u0020-\\u007E¡-£¥§©«®°-³µ·¹»¼-¿×÷–—‘’‚“”„†•…‰′″‹›"
                                 "€₦₵₹₽₴₺№™→−≤≥■□●☐☑✓]";
enum { CODES = 0x110000, MAX_FILE = 1 << 20 };
static const size_t MAX_TEXT = (size_t)256 << 20;

/* ---- making one --------------------------------------------------------------------- */

typedef struct tally {
    uint64_t *counts; /* [CODES] */
    uint16_t *files;  /* [CODES] */
    uint32_t *last;   /* [CODES]: the file that was counted last */
    uint32_t file;
    vl_arena *arena;
} tally;

static vl_script script_of(UChar32 code) {
    UErrorCode status = U_ZERO_ERROR;
    UScriptCode script = uscript_getScript(code, &status);
    return U_SUCCESS(status) ? script_by_code(uscript_getShortName(script)) : VL_SCRIPT_COUNT;
}

static void count_line(tally *t, const char *line) {
    int32_t bytes = (int32_t)strlen(line);
    for (int32_t at = 0; at < bytes;) {
        UChar32 code;
        U8_NEXT_OR_FFFD((const uint8_t *)line, at, bytes, code);
        t->counts[code]++;
        t->files[code] = (uint16_t)(t->files[code] + (t->last[code] != t->file));
        t->last[code] = t->file;
    }
}

static vl_status count_file(const char *path, void *user, vl_error *error) {
    tally *t = user;
    corpus_lines lines;
    const corpus_limits limits = {.max_lines = SIZE_MAX, .max_bytes = 4000, .split = true};
    t->file++;
    vl_arena_reset(t->arena);
    vl_status status = corpus_read(t->arena, path, &limits, &lines, error);
    for (size_t i = 0; i < lines.count && !status; i++) {
        const char *nfc = vl_text_nfc(t->arena, lines.items[i]);
        if (!nfc)
            return vl_fail(error, VL_ERR_MEMORY, "%s: no memory for its lines", path);
        count_line(t, nfc);
    }
    return status;
}

static bool is_stable(UChar32 code) {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *nfc = unorm2_getNFCInstance(&status);
    UChar text[2];
    int32_t length = 0;
    U16_APPEND_UNSAFE(text, length, code);
    return unorm2_isNormalized(nfc, text, length, &status) && U_SUCCESS(status);
}

static void add(alphabet *a, UChar32 code, vl_script script) {
    if (a->count == ALPHABET_MAX || code > 0xFFFF || a->places[code] || !u_isdefined(code) ||
        !is_stable(code))
        return;
    a->scripts[a->count] = script;
    a->codes[a->count++] = (uint32_t)code;
    a->places[code] = (uint16_t)a->count;
}

static vl_status add_set(alphabet *a, const char *pattern, vl_script script, vl_error *error) {
    UErrorCode status = U_ZERO_ERROR;
    UChar wide[1024];
    int32_t length;
    UChar32 first, last;
    u_strFromUTF8(wide, 1024, &length, pattern, -1, &status);
    USet *set = uset_openPattern(wide, length, &status);
    if (U_FAILURE(status))
        return vl_fail(error, VL_ERR_INTERNAL, "%s: %s", pattern, u_errorName(status));
    for (int32_t i = 0; i < uset_getItemCount(set); i++)
        if (uset_getItem(set, i, &first, &last, NULL, 0, &status) == 0)
            for (UChar32 code = first; code <= last; code++)
                add(a, code, script);
    uset_close(set);
    return VL_OK;
}

typedef struct candidate {
    UChar32 code;
    uint64_t count;
    vl_script script;
} candidate;

static int by_count(const void *x, const void *y) {
    const candidate *a = x, *b = y;
    return a->count != b->count ? (a->count < b->count ? 1 : -1)
                                : (a->code > b->code) - (a->code < b->code);
}

/* Letters and marks only: signs are fixed, and presentation forms are no characters. */
static size_t find_candidates(const tally *t, candidate *found, size_t max) {
    size_t count = 0;
    for (UChar32 code = 0x80; code < 0xFB00 && count < max; code++) {
        if (t->files[code] < 2 || !(U_GET_GC_MASK(code) & (U_GC_L_MASK | U_GC_M_MASK)))
            continue;
        vl_script script = script_of(code);
        if (script < VL_SCRIPT_COUNT)
            found[count++] = (candidate){code, t->counts[code], script};
    }
    return count;
}

static int by_code(const void *x, const void *y) {
    const candidate *a = x, *b = y;
    return (a->code > b->code) - (a->code < b->code);
}

static void sort_codes(alphabet *a) {
    candidate all[ALPHABET_MAX];
    for (size_t i = 0; i < a->count; i++)
        all[i] = (candidate){(UChar32)a->codes[i], 0, a->scripts[i]};
    qsort(all, a->count, sizeof *all, by_code);
    for (size_t i = 0; i < a->count; i++) {
        a->codes[i] = (uint32_t)all[i].code;
        a->scripts[i] = all[i].script;
        a->places[all[i].code] = (uint16_t)(i + 1);
    }
}

static vl_status add_fixed(alphabet *a, vl_error *error) {
    vl_status status = add_set(a, common_set, VL_SCRIPT_COUNT, error);
    for (size_t i = 0; i < VL_SCRIPT_COUNT && !status; i++)
        status = add_set(a, script_kinds[i].letters, (vl_script)i, error);
    return status;
}

vl_status alphabet_build(const char *folder, alphabet *a, vl_error *error) {
    tally t = {.counts = calloc(CODES, sizeof *t.counts),
               .files = calloc(CODES, sizeof *t.files),
               .last = calloc(CODES, sizeof *t.last),
               .arena = vl_arena_new(MAX_TEXT)};
    candidate *found = calloc(CODES, sizeof *found);
    vl_status status = VL_OK;
    *a = (alphabet){0};
    if (!t.counts || !t.files || !t.last || !t.arena || !found) {
        status = vl_fail(error, VL_ERR_MEMORY, "no memory to count characters");
        goto out;
    }
    status = add_fixed(a, error);
    if (!status)
        status = corpus_walk(folder, ".gz", count_file, &t, error);
    if (status)
        goto out;
    size_t count = find_candidates(&t, found, CODES);
    qsort(found, count, sizeof *found, by_count);
    for (size_t i = 0; i < count; i++)
        add(a, found[i].code, found[i].script);
    sort_codes(a);
out:
    free(t.counts);
    free(t.files);
    free(t.last);
    free(found);
    vl_arena_free(t.arena);
    return status;
}

/* ---- its file ----------------------------------------------------------------------- */

/* Digits and marks belong to the script whose list they stand in, whatever Unicode says. */
static vl_script owner_of(const alphabet *fixed, uint32_t code) {
    int at = alphabet_find(fixed, code);
    return at < 0 ? script_of((UChar32)code) : fixed->scripts[at];
}

static vl_status read_codes(const char *path, const vl_buf *text, const alphabet *fixed,
                            alphabet *a, vl_error *error) {
    int32_t bytes = (int32_t)text->len;
    for (int32_t at = 0; at < bytes;) {
        UChar32 code;
        U8_NEXT((const uint8_t *)text->data, at, bytes, code);
        bool ended = at < bytes && text->data[at++] == '\n';
        if (code < 0x20 || code > 0xFFFF || !ended || a->count == ALPHABET_MAX ||
            (a->count ? (uint32_t)code <= a->codes[a->count - 1] : code != ' '))
            return vl_fail(error, VL_ERR_INPUT,
                           "%s:%zu: not one character a line, ascending, the space first", path,
                           a->count + 1);
        a->scripts[a->count] = owner_of(fixed, (uint32_t)code);
        a->codes[a->count++] = (uint32_t)code;
        a->places[code] = (uint16_t)a->count;
    }
    return a->count ? VL_OK : vl_fail(error, VL_ERR_INPUT, "%s: empty", path);
}

vl_status alphabet_read(const char *path, alphabet *a, vl_error *error) {
    alphabet *fixed = calloc(1, sizeof *fixed);
    vl_buf text;
    *a = (alphabet){0};
    vl_buf_init(&text, MAX_FILE);
    vl_status status = vl_file_read(path, MAX_FILE, &text, error);
    if (!status && !fixed)
        status = vl_fail(error, VL_ERR_MEMORY, "%s: no memory for an alphabet", path);
    if (!status)
        status = add_fixed(fixed, error);
    if (!status)
        status = read_codes(path, &text, fixed, a, error);
    vl_buf_deinit(&text);
    free(fixed);
    return status;
}

static void put_code(vl_buf *out, uint32_t code) {
    uint8_t bytes[4];
    int32_t length = 0;
    U8_APPEND_UNSAFE(bytes, length, code);
    vl_buf_append(out, bytes, (size_t)length);
}

vl_status alphabet_write(const alphabet *a, const char *path, vl_error *error) {
    vl_buf text;
    vl_buf_init(&text, MAX_FILE);
    for (size_t i = 0; i < a->count; i++) {
        put_code(&text, a->codes[i]);
        vl_buf_puts(&text, "\n");
    }
    vl_status status = vl_buf_status(&text, path, error);
    if (!status)
        status = vl_file_write(path, text.data, text.len, error);
    vl_buf_deinit(&text);
    return status;
}

int alphabet_find(const alphabet *a, uint32_t code) {
    return code < 0x10000 ? a->places[code] - 1 : -1;
}

/* ---- text in it --------------------------------------------------------------------- */

static const struct {
    const char *name;
    char sign;
} entities[] = {{"&amp;", '&'}, {"&quot;", '"'}, {"&#39;", '\''}, {"&apos;", '\''},
                {"&lt;", '<'},  {"&gt;", '>'},   {"&nbsp;", ' '}, {"&#34;", '"'}};

static void read_entities(char *text) {
    char *to = text;
    for (const char *from = text; *from;) {
        size_t i = 0, count = sizeof entities / sizeof *entities;
        while (*from == '&' && i < count &&
               strncmp(from, entities[i].name, strlen(entities[i].name)) != 0)
            i++;
        if (*from == '&' && i < count) {
            *to++ = entities[i].sign;
            from += strlen(entities[i].name);
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

static bool is_unseen(UChar32 code) {
    return code == 0xAD || code == 0x640 || code == 0x200B || code == 0x200E ||
           code == 0x200F || (code >= 0x202A && code <= 0x202E) || code == 0x2060 ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF || code == 0xFE0F;
}

/* A joiner is written only between letters or marks of a script that joins. */
static bool joins_there(UChar32 before, const char *rest, int32_t bytes) {
    UChar32 after;
    int32_t at = 0;
    if (!bytes)
        return false;
    U8_NEXT_OR_FFFD((const uint8_t *)rest, at, bytes, after);
    vl_script left = script_of(before), right = script_of(after);
    return left < VL_SCRIPT_COUNT && left == right && script_kinds[left].joins;
}

static bool keep_seen(const alphabet *a, char *text) {
    int32_t bytes = (int32_t)strlen(text);
    char *to = text;
    UChar32 before = ' ';
    for (int32_t at = 0; at < bytes;) {
        int32_t start = at;
        UChar32 code;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, code);
        if (is_unseen(code) ||
            ((code == 0x200C || code == 0x200D) && !joins_there(before, text + at, bytes - at)))
            continue;
        if (u_isUWhiteSpace(code))
            code = ' ';
        else if (alphabet_find(a, (uint32_t)code) < 0)
            return false;
        memmove(to, text + start, (size_t)(at - start));
        to += at - start;
        before = code;
    }
    *to = '\0';
    return true;
}

char *alphabet_clean(const alphabet *a, vl_arena *arena, const char *text) {
    char *copy = vl_arena_strdup(arena, text);
    if (!copy)
        return NULL;
    read_entities(copy);
    char *nfc = vl_text_nfc(arena, copy);
    if (!nfc || !keep_seen(a, nfc))
        return NULL;
    char *clean = vl_text_squeeze(arena, nfc); /* what was taken out may let marks compose */
    return clean && keep_seen(a, clean) ? clean : NULL;
}

vl_status vl_synth_make_alphabet(const char *text, const char *path, size_t *count,
                                 vl_error *error) {
    alphabet *a = calloc(1, sizeof *a);
    if (!a)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for an alphabet");
    vl_status status = alphabet_build(text, a, error);
    if (!status)
        status = alphabet_write(a, path, error);
    if (!status && count)
        *count = a->count;
    free(a);
    return status;
}
