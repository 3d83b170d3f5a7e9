/* check_llava.c — conversations: {"id", "image", "conversations": [{"from", "value"}]} as LLaVA
 * is trained on (Liu et al. 2023), in a file that is a list, or in lines; and "messages" of
 * {"role", "content"}. A turn of "human" comes first, one of "gpt" after it, and <image> stands
 * in the humans' turns once for each picture. */
#include "dataset/check.h"

#include <stdio.h>
#include <string.h>

typedef struct talk {
    size_t turns, tokens, pictures;
    bool is_broken;
} talk;

static bool is_human(const char *from) {
    return !strcmp(from, "human") || !strcmp(from, "user");
}

static bool is_machine(const char *from) {
    return !strcmp(from, "gpt") || !strcmp(from, "assistant");
}

static size_t count_tokens(const char *text) {
    size_t count = 0;
    while ((text = strstr(text, "<image>"))) {
        text += strlen("<image>");
        count++;
    }
    return count;
}

/* Without the tokens, which are no words. */
static const char *words_of(check *c, const char *text) {
    char *copy = vl_arena_strdup(c->arena, text), *at;
    while (copy && (at = strstr(copy, "<image>")))
        memmove(at, at + strlen("<image>"), strlen(at + strlen("<image>")) + 1);
    return copy ? copy : "";
}

/* A turn's text; of parts ({"type": "text" | "image"}) the first text. */
static const char *value_of(const cJSON *turn, talk *t) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(turn, "value"), *part;
    const char *text = cJSON_GetStringValue(value);
    if (!value)
        value = cJSON_GetObjectItemCaseSensitive(turn, "content");
    text = cJSON_GetStringValue(value);
    if (text || !cJSON_IsArray(value))
        return text;
    cJSON_ArrayForEach(part, value) {
        const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(part, "type"));
        if (type && !strncmp(type, "image", 5))
            t->tokens++;
        else if (!text)
            text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(part, "text"));
    }
    return text ? text : "";
}

static vl_status take_turn(check *c, check_row *row, const cJSON *turn, talk *t,
                           vl_error *error) {
    const char *from = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(turn, "from"));
    if (!from)
        from = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(turn, "role"));
    const char *value = value_of(turn, t);
    if (!from || !value) {
        check_found(c, FINDING_CONVERSATION, row->place, "turn %zu has no speaker or no words",
                    t->turns + 1);
        t->is_broken = true;
        return VL_OK;
    }
    if (!strcmp(from, "system") && !t->turns)
        return VL_OK;
    bool wants_human = t->turns % 2 == 0;
    if (!t->is_broken && !(wants_human ? is_human(from) : is_machine(from))) {
        check_found(c, FINDING_CONVERSATION, row->place, "turn %zu is of '%.40s', not of %s",
                    t->turns + 1, from, wants_human ? "human" : "gpt");
        t->is_broken = true;
    }
    t->turns++;
    size_t tokens = count_tokens(value);
    bool human = is_human(from);
    if (human)
        t->tokens += tokens;
    else if (tokens)
        check_found(c, FINDING_IMAGE_TOKEN, row->place, "<image> stands in a turn of '%.40s'",
                    from);
    check_text text = {human ? "human" : "gpt", words_of(c, value), human ? "" : row->language,
                       "", !human};
    return human && tokens && !*text.text ? VL_OK : check_add_text(c, row, &text, error);
}

static vl_status take_pictures(check *c, const char *file, const cJSON *root, check_row *row,
                               talk *t, vl_error *error) {
    char folder[FOLDER_PATH_SIZE];
    const char *slash = strrchr(file, '/');
    const char *bases[] = {folder, "", "images", "pictures"};
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(root, "image"), *one;
    vl_status status = VL_OK;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - file) : 0, file);
    if (!value)
        value = cJSON_GetObjectItemCaseSensitive(root, "images");
    if (cJSON_IsString(value)) {
        t->pictures = 1;
        return check_row_picture(c, row, bases, 4, value->valuestring, error);
    }
    if (!cJSON_IsArray(value))
        return VL_OK;
    cJSON_ArrayForEach(one, value) {
        t->pictures++;
        if (!status && cJSON_IsString(one))
            status = check_row_picture(c, row, bases, 4, one->valuestring, error);
    }
    return status;
}

vl_status check_conversation(check *c, const char *file, const cJSON *root, check_row *row,
                             vl_error *error) {
    const cJSON *turns = cJSON_GetObjectItemCaseSensitive(root, "conversations"), *turn;
    talk t = {0};
    if (!turns)
        turns = cJSON_GetObjectItemCaseSensitive(root, "messages");
    vl_status status = check_columns(c, root, row, error);
    if (!status)
        status = take_pictures(c, file, root, row, &t, error);
    turns = cJSON_IsArray(turns) ? turns : NULL;
    cJSON_ArrayForEach(turn, turns) {
        if (!status)
            status = take_turn(c, row, turn, &t, error);
    }
    if (status)
        return status;
    if (!t.is_broken && (!t.turns || t.turns % 2))
        check_found(c, FINDING_CONVERSATION, row->place,
                    t.turns ? "it ends with a question" : "there is no turn");
    if (t.tokens != t.pictures)
        check_found(c, FINDING_IMAGE_TOKEN, row->place, "%zu pictures and %zu <image>",
                    t.pictures, t.tokens);
    return VL_OK;
}

static vl_status take(check *c, const char *file, const char *place, const char *text,
                      size_t bytes, vl_error *error) {
    check_row row;
    vl_status status = VL_OK;
    if (!place)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a row");
    cJSON *root = check_parse(c, place, text, bytes);
    if (root && !cJSON_IsObject(root)) {
        check_lost(c, FINDING_ROW_NO_OBJECT, place, "it is no object: %.40s", text);
    } else if (root) {
        check_row_init(&row, place, check_split_of_path(file));
        if (!cJSON_GetObjectItemCaseSensitive(root, "id"))
            check_found(c, FINDING_ID_MISSING, place, "there is no \"id\"");
        status = check_conversation(c, file, root, &row, error);
        if (!status)
            status = check_row_done(c, &row, root, error);
    }
    cJSON_Delete(root);
    return status;
}

static vl_status take_piece(check *c, const char *file, const json_piece *piece, void *to,
                            vl_error *error) {
    (void)to;
    vl_arena_reset(c->arena);
    return piece->is_element && !*piece->key ? take(c, file, check_piece_place(c, file, piece),
                                                    piece->text, piece->bytes, error)
                                             : VL_OK;
}

static vl_status take_line(check *c, const char *file, uint64_t number, const char *line,
                           size_t bytes, void *to, vl_error *error) {
    (void)to;
    vl_arena_reset(c->arena);
    return take(c, file, vl_arena_strdup(c->arena, check_place(c, file, number)), line, bytes,
                error);
}

vl_status check_walk_llava(check *c, vl_error *error) {
    check_names files;
    vl_status status = check_files(c, ".json|.jsonl|.json.gz|.jsonl.gz", &files, error);
    for (size_t i = 0; i < files.count && !status; i++)
        status = check_ends_in(files.names[i], ".jsonl|.jsonl.gz")
                     ? check_lines(c, files.names[i], take_line, NULL, error)
                     : check_json_file(c, files.names[i], take_piece, NULL, error);
    check_names_deinit(&files);
    return status ? status : check_unused_pictures(c, error);
}
