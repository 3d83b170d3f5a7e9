/* privacy_tally.c — how much personal data was found, and what was done with it (privacy.h).
 *
 * Sums by kind and action, kind and rule, kind and language; and of each kind the few examples
 * that come first in order. Sums and firsts do not depend on the order in which they come, so a
 * report is the same however many workers wrote it. */
#include "dataset/privacy_tally.h"

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { NAME_SIZE = 24, EXAMPLES = 4, EXAMPLE_SIZE = 48, ROWS_MAX = 1 << 16 };

typedef enum dimension { BY_RULE, BY_LANGUAGE, DIMENSIONS } dimension;
static const char *const dimension_names[DIMENSIONS] = {"rules", "languages"};

typedef struct row {
    size_t kind;
    dimension by;
    char name[NAME_SIZE];
    uint64_t count;
} row;

struct privacy_tally {
    uint64_t actions[VL_ITEM_PERSONAL][PRIVACY_ACTION_COUNT];
    char examples[VL_ITEM_PERSONAL][EXAMPLES][EXAMPLE_SIZE]; /* in order; "" none */
    row *rows;                                               /* in order */
    size_t count, capacity;
    bool failed;
};

privacy_tally *privacy_tally_new(void) {
    return calloc(1, sizeof(privacy_tally));
}

void privacy_tally_free(privacy_tally *tally) {
    if (!tally)
        return;
    free(tally->rows);
    free(tally);
}

bool privacy_tally_failed(const privacy_tally *tally) {
    return tally->failed;
}

/* ---- sums ----------------------------------------------------------------------------------
 */

static int compare(const row *a, const row *b) {
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->by != b->by)
        return a->by < b->by ? -1 : 1;
    return strcmp(a->name, b->name);
}

static void add(privacy_tally *t, const row *more) {
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare(&t->rows[middle], more);
        if (!order) {
            t->rows[middle].count += more->count;
            return;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 64;
        row *grown = capacity <= ROWS_MAX ? realloc(t->rows, capacity * sizeof *grown) : NULL;
        t->failed |= !grown;
        if (!grown)
            return;
        t->rows = grown;
        t->capacity = capacity;
    }
    memmove(&t->rows[low + 1], &t->rows[low], (t->count - low) * sizeof *t->rows);
    t->rows[low] = *more;
    t->count++;
}

static void add_named(privacy_tally *t, size_t kind, dimension by, const char *name,
                      uint64_t count) {
    row more = {.kind = kind, .by = by, .count = count};
    snprintf(more.name, sizeof more.name, "%s", *name ? name : "und");
    add(t, &more);
}

static void add_example(privacy_tally *t, size_t kind, const char *example) {
    char(*list)[EXAMPLE_SIZE] = t->examples[kind];
    size_t at = 0;
    while (at < EXAMPLES && *list[at] && strcmp(list[at], example) < 0)
        at++;
    if (at == EXAMPLES || !strcmp(list[at], example))
        return;
    memmove(list[at + 1], list[at], (EXAMPLES - at - 1) * sizeof *list);
    snprintf(list[at], EXAMPLE_SIZE, "%s", example);
}

vl_status privacy_tally_add(privacy_tally *to, const privacy_tally *from, vl_error *error) {
    for (size_t k = 0; k < VL_ITEM_PERSONAL; k++) {
        for (size_t a = 0; a < PRIVACY_ACTION_COUNT; a++)
            to->actions[k][a] += from->actions[k][a];
        for (size_t e = 0; e < EXAMPLES && *from->examples[k][e]; e++)
            add_example(to, k, from->examples[k][e]);
    }
    for (size_t i = 0; i < from->count; i++)
        add(to, &from->rows[i]);
    return to->failed || from->failed
               ? vl_fail(error, VL_ERR_MEMORY, "no memory for what was found")
               : VL_OK;
}

/* ---- shapes --------------------------------------------------------------------------------
 */

/* Words become "Xx" or "x", whatever their length; figures 9; signs of ASCII stay. */
static void mask(const char *text, size_t bytes, char out[EXAMPLE_SIZE]) {
    size_t used = 0;
    bool in_word = false;
    for (int32_t at = 0; at < (int32_t)bytes && used + 3 < EXAMPLE_SIZE;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, (int32_t)bytes, c);
        bool letter = u_isalpha(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0;
        if (letter && !in_word && u_isupper(c))
            out[used++] = 'X';
        if (letter && !in_word)
            out[used++] = 'x';
        else if (u_charType(c) == U_DECIMAL_DIGIT_NUMBER)
            out[used++] = '9';
        else if (!letter)
            out[used++] = c > ' ' && c < 0x7F ? (char)c : ' ';
        in_word = letter;
    }
    out[used] = '\0';
}

void privacy_tally_find(privacy_tally *t, const privacy_tally_entry *entry, const char *text,
                        size_t bytes) {
    char example[EXAMPLE_SIZE];
    mask(text, bytes, example);
    t->actions[entry->kind][entry->action]++;
    add_named(t, entry->kind, BY_RULE, entry->rule, 1);
    add_named(t, entry->kind, BY_LANGUAGE, entry->language, 1);
    if (*example)
        add_example(t, entry->kind, example);
}

/* ---- JSON ----------------------------------------------------------------------------------
 */

static uint64_t sum_of(const privacy_tally *t, size_t kind) {
    uint64_t sum = 0;
    for (size_t a = 0; a < PRIVACY_ACTION_COUNT; a++)
        sum += t->actions[kind][a];
    return sum;
}

static cJSON *kind_json(const privacy_tally *t, size_t kind) {
    cJSON *json = cJSON_CreateObject();
    for (size_t a = 0; a < PRIVACY_ACTION_COUNT; a++)
        if (t->actions[kind][a])
            cJSON_AddNumberToObject(json, privacy_action_name((privacy_action)a),
                                    (double)t->actions[kind][a]);
    for (size_t by = 0; by < DIMENSIONS; by++) {
        cJSON *sums = cJSON_AddObjectToObject(json, dimension_names[by]);
        for (size_t i = 0; i < t->count; i++)
            if (t->rows[i].kind == kind && t->rows[i].by == by)
                cJSON_AddNumberToObject(sums, t->rows[i].name, (double)t->rows[i].count);
    }
    cJSON *examples = cJSON_AddArrayToObject(json, "examples");
    for (size_t e = 0; e < EXAMPLES && *t->examples[kind][e]; e++)
        cJSON_AddItemToArray(examples, cJSON_CreateString(t->examples[kind][e]));
    return json;
}

void privacy_tally_json(const privacy_tally *t, vl_buf *out) {
    cJSON *json = cJSON_CreateObject();
    uint64_t finds = 0;
    for (size_t k = 0; k < VL_ITEM_PERSONAL; k++)
        finds += sum_of(t, k);
    cJSON_AddNumberToObject(json, "finds", (double)finds);
    cJSON *kinds = cJSON_AddObjectToObject(json, "kinds");
    for (size_t k = 0; k < VL_ITEM_PERSONAL; k++)
        if (sum_of(t, k))
            cJSON_AddItemToObject(kinds, vl_item_personal_name(k), kind_json(t, k));
    char *text = cJSON_PrintUnformatted(json);
    if (text)
        vl_buf_puts(out, text);
    else
        out->failed = true;
    cJSON_free(text);
    cJSON_Delete(json);
}

static bool take_count(const cJSON *json, uint64_t *count) {
    bool good = cJSON_IsNumber(json) && json->valuedouble >= 0 && json->valuedouble < 9e15;
    *count = good ? (uint64_t)json->valuedouble : 0;
    return good;
}

static bool read_sums(privacy_tally *t, size_t kind, dimension by, const cJSON *json) {
    const cJSON *item;
    uint64_t count;
    bool good = cJSON_IsObject(json);
    cJSON_ArrayForEach(item, json) {
        good = good && take_count(item, &count);
        if (good)
            add_named(t, kind, by, item->string, count);
    }
    return good;
}

static bool read_kind(privacy_tally *t, size_t kind, const cJSON *json) {
    const cJSON *item;
    bool good = true;
    for (size_t a = 0; a < PRIVACY_ACTION_COUNT; a++) {
        uint64_t count;
        item = cJSON_GetObjectItemCaseSensitive(json, privacy_action_name((privacy_action)a));
        good = good && (!item || take_count(item, &count));
        t->actions[kind][a] += item && good ? count : 0;
    }
    for (size_t by = 0; by < DIMENSIONS && good; by++)
        good = read_sums(t, kind, (dimension)by,
                         cJSON_GetObjectItemCaseSensitive(json, dimension_names[by]));
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "examples")) {
        good = good && cJSON_IsString(item) && strlen(item->valuestring) < EXAMPLE_SIZE;
        if (good && *item->valuestring)
            add_example(t, kind, item->valuestring);
    }
    return good;
}

static bool find_kind(const char *name, size_t *kind) {
    for (*kind = 0; *kind < VL_ITEM_PERSONAL; ++*kind)
        if (!strcmp(vl_item_personal_name(*kind), name))
            return true;
    return false;
}

vl_status privacy_tally_read(privacy_tally *t, const char *json, size_t bytes,
                             vl_error *error) {
    cJSON *root = cJSON_ParseWithLength(json, bytes);
    const cJSON *kinds = cJSON_GetObjectItemCaseSensitive(root, "kinds"), *item;
    bool good = cJSON_IsObject(kinds);
    cJSON_ArrayForEach(item, kinds) {
        size_t kind;
        good = good && find_kind(item->string, &kind) && read_kind(t, kind, item);
    }
    cJSON_Delete(root);
    if (t->failed)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for what was found");
    return good ? VL_OK
                : vl_fail(error, VL_ERR_INPUT, "it is no report of personal data found");
}
