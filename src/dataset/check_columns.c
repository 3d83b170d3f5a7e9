/* check_columns.c — what a row of anybody's says, by the names that its columns usually have.
 * A name is looked for in the row, then in its "source",
 * its "metadata" and its "item" (as our exports have it). */
#include "dataset/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Alternatives, the usual one first; a name that ends in '*' is the beginning of one. */
static const char *const texts[] = {"text",     "caption",       "captions",     "response",
                                    "answer",   "answers",       "description",  "alt_text",
                                    "alt",      "transcription", "ground_truth", "sentence",
                                    "sentences"};
static const char *const instructions[] = {"instruction", "question", "prompt", "input"};
static const char *const boxes[] = {"bbox", "box", "region"};
enum {
    TEXTS = sizeof texts / sizeof *texts,
    INSTRUCTIONS = sizeof instructions / sizeof *instructions,
    BOXES = sizeof boxes / sizeof *boxes
};

void check_row_init(check_row *row, const char *place, unsigned split) {
    *row = (check_row){.place = place, .split = split};
    row->id = row->kind = row->language = row->script = "";
    row->document = row->source = row->publisher = row->licence = row->url = "";
    row->title = row->origin = row->phrase = row->picture = row->picture_kind = "";
}

/* ---- growing ----------------------------------------------------------------------------- */

static bool is_same(const check_text *a, const check_text *b) {
    return a->is_own && b->is_own && !strcmp(a->text, b->text) &&
           !strcmp(a->language, b->language);
}

/* Ten people who answer the same; or the first text, which a sample has in another member, too.
 */
static bool is_again(const check_row *row, const check_text *text) {
    return row->text_count &&
           (is_same(&row->texts[0], text) || is_same(&row->texts[row->text_count - 1], text));
}

vl_status check_add_text(check *c, check_row *row, const check_text *text, vl_error *error) {
    if (is_again(row, text))
        return VL_OK;
    if (row->text_count == row->text_room) {
        size_t room = row->text_room ? row->text_room * 2 : 4;
        check_text *grown = vl_arena_array(c->arena, room, sizeof *grown);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for a row's texts");
        if (row->text_count)
            memcpy(grown, row->texts, row->text_count * sizeof *grown);
        row->texts = grown;
        row->text_room = room;
    }
    row->texts[row->text_count++] = *text;
    return VL_OK;
}

vl_status check_add_box(check *c, check_row *row, const check_box *box, vl_error *error) {
    if (row->box_count == row->box_room) {
        size_t room = row->box_room ? row->box_room * 2 : 4;
        check_box *grown = vl_arena_array(c->arena, room, sizeof *grown);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for a row's boxes");
        if (row->box_count)
            memcpy(grown, row->boxes, row->box_count * sizeof *grown);
        row->boxes = grown;
        row->box_room = room;
    }
    row->boxes[row->box_count++] = *box;
    return VL_OK;
}

/* ---- values ------------------------------------------------------------------------------ */

bool check_read_box(const cJSON *value, check_box *box) {
    double numbers[4];
    int i = 0;
    const cJSON *one;
    if (!cJSON_IsArray(value) || cJSON_GetArraySize(value) != 4)
        return false;
    cJSON_ArrayForEach(one, value) {
        if (!cJSON_IsNumber(one) || !isfinite(one->valuedouble))
            return false;
        numbers[i++] = one->valuedouble;
    }
    box->x = numbers[0];
    box->y = numbers[1];
    box->width = numbers[2];
    box->height = numbers[3];
    return true;
}

const char *check_string(check *c, const cJSON *object, const char *key) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    const char *text = cJSON_GetStringValue(value);
    if (cJSON_IsNumber(value) && fabs(value->valuedouble) < 9e15 &&
        floor(value->valuedouble) == value->valuedouble)
        text = vl_arena_printf(c->arena, "%.0f", value->valuedouble);
    else if (cJSON_IsNumber(value))
        text = vl_arena_printf(c->arena, "%.17g", value->valuedouble);
    return text ? text : "";
}

double check_number(const cJSON *object, const char *key) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(value) && isfinite(value->valuedouble) ? value->valuedouble : 0;
}

/* The first of `names` ("a|b") that is there. */
static const char *first_string(check *c, const cJSON *root, const char *names) {
    const cJSON *places[] = {root, cJSON_GetObjectItemCaseSensitive(root, "source"),
                             cJSON_GetObjectItemCaseSensitive(root, "metadata"),
                             cJSON_GetObjectItemCaseSensitive(root, "item")};
    char name[64];
    for (; *names; names += strcspn(names, "|"), names += *names == '|') {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(names, "|"), names);
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            const char *text =
                cJSON_IsObject(places[i]) ? check_string(c, places[i], name) : "";
            if (*text)
                return text;
        }
    }
    return "";
}

/* ---- texts ------------------------------------------------------------------------------- */

static vl_status add_texts(check *c, check_row *row, const cJSON *value, const check_text *like,
                           vl_error *error) {
    check_text text = *like;
    const cJSON *one;
    vl_status status = VL_OK;
    if (cJSON_IsString(value)) {
        text.text = value->valuestring;
        return check_add_text(c, row, &text, error);
    }
    if (!cJSON_IsArray(value))
        return VL_OK;
    cJSON_ArrayForEach(one, value) {
        text.text =
            cJSON_IsObject(one) ? check_string(c, one, "answer") : cJSON_GetStringValue(one);
        if (text.text && !status)
            status = check_add_text(c, row, &text, error);
    }
    return status;
}

static vl_status read_texts(check *c, const cJSON *root, check_row *row, vl_error *error) {
    const char *asked = first_string(c, root, "instruction_language|question_language");
    vl_status status = VL_OK;
    for (size_t i = 0; i < TEXTS && !status; i++) {
        check_text text = {texts[i], NULL, row->language, row->script, true};
        status =
            add_texts(c, row, cJSON_GetObjectItemCaseSensitive(root, texts[i]), &text, error);
    }
    for (size_t i = 0; i < INSTRUCTIONS && !status; i++) {
        check_text text = {instructions[i], NULL, asked, "", false};
        status = add_texts(c, row, cJSON_GetObjectItemCaseSensitive(root, instructions[i]),
                           &text, error);
    }
    return status;
}

/* ---- boxes ------------------------------------------------------------------------------- */

/* One box, a list of them, or none that we understand. */
static vl_status add_boxes(check *c, check_row *row, const char *column, const cJSON *value,
                           vl_error *error) {
    check_box box = {.column = column};
    const cJSON *one;
    vl_status status = VL_OK;
    if (check_read_box(value, &box))
        return check_add_box(c, row, &box, error);
    if (!cJSON_IsArray(value))
        return VL_OK;
    cJSON_ArrayForEach(one, value) {
        if (!status && check_read_box(one, &box))
            status = check_add_box(c, row, &box, error);
    }
    return status;
}

/* "box" of our exports is of the page that the picture was cut out of. */
static vl_status read_boxes(check *c, const cJSON *root, check_row *row, vl_error *error) {
    const cJSON *objects = cJSON_GetObjectItemCaseSensitive(root, "objects");
    bool has_page = cJSON_GetObjectItemCaseSensitive(root, "dpi") != NULL;
    vl_status status = VL_OK;
    for (size_t i = 0; i < BOXES && !status; i++)
        if (!has_page || strcmp(boxes[i], "box") != 0)
            status = add_boxes(c, row, boxes[i],
                               cJSON_GetObjectItemCaseSensitive(root, boxes[i]), error);
    if (!status && cJSON_IsObject(objects))
        status = add_boxes(c, row, "objects.bbox",
                           cJSON_GetObjectItemCaseSensitive(objects, "bbox"), error);
    return status;
}

/* Instructions that stand in the row of their picture, as our exports have them; one without an
 * id only says of which types the columns are. */
static vl_status read_examples(check *c, const cJSON *root, check_row *row, vl_error *error) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "examples"), *one;
    vl_status status = VL_OK;
    list = cJSON_IsArray(list) ? list : NULL;
    cJSON_ArrayForEach(one, list) {
        if (status || !cJSON_IsObject(one) || !*check_string(c, one, "id"))
            continue;
        check_text text = {"examples.text", check_string(c, one, "text"),
                           check_string(c, one, "language"), check_string(c, one, "script"),
                           false},
                   asked = {"examples.instruction", check_string(c, one, "instruction"),
                            check_string(c, one, "instruction_language"), "", false};
        status = check_add_text(c, row, &text, error);
        if (!status)
            status = check_add_text(c, row, &asked, error);
        if (!status)
            status = add_boxes(c, row, "examples.region",
                               cJSON_GetObjectItemCaseSensitive(one, "region"), error);
    }
    return status;
}

void check_origin(check *c, const cJSON *root, check_row *row) {
    const char *split = first_string(c, root, "split");
    if (*split && check_split_of_name(split) != CHECK_NO_SPLIT)
        row->split = check_split_of_name(split);
    row->kind = first_string(c, root, "kind|task");
    row->document = first_string(c, root, "document|document_id|doc_id");
    row->source = first_string(c, root, "record|source|dataset");
    row->publisher = first_string(c, root, "publisher");
    row->licence = first_string(c, root, "licence|license");
    row->url = first_string(c, root, "url|source_url");
    row->title = first_string(c, root, "title");
    row->origin = first_string(c, root, "origin");
    row->phrase = first_string(c, root, "phrase");
    row->picture_kind = first_string(c, root, "picture_kind");
    row->language = first_string(c, root, "language|lang|language_code");
    row->script = first_string(c, root, "script");
}

vl_status check_columns(check *c, const cJSON *root, check_row *row, vl_error *error) {
    check_origin(c, root, row);
    row->id = check_string(c, root, "id");
    row->width = check_number(root, "width");
    row->height = check_number(root, "height");
    vl_status status = read_texts(c, root, row, error);
    if (!status)
        status = read_examples(c, root, row, error);
    return status ? status : read_boxes(c, root, row, error);
}
