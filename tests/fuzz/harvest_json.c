/* Any bytes as a document of JSON, and every reader of values on what is in it. */
#include <stdlib.h>
#include <string.h>
#include "harvest/ask.h"
#include "harvest/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text) {
    if (text && vl_utf8_valid_prefix(text, strlen(text)) != strlen(text))
        abort();
}

static void read_value(vl_arena *arena, const cJSON *object, const char *key) {
    double number;
    char time[VL_ASK_TIME_SIZE], again[VL_ASK_TIME_SIZE];
    const char *text = vl_json_text(arena, object, key);
    check(text);
    vl_json_number(object, key, &number);
    vl_json_true(object, key);
    check(vl_json_list(arena, vl_json_at(object, key), ""));
    check(vl_json_list(arena, object, key));
    if (text && vl_ask_time(text, true, time) &&
        (!vl_ask_time(time, false, again) || strcmp(time, again)))
        abort();
    vl_ask_kind(text, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    cJSON *root;
    vl_error error;
    if (!arena)
        arena = vl_arena_new(64 << 20);
    if (vl_json_parse((const char *)data, size, &root, &error))
        return 0;
    const cJSON *item;
    read_value(arena, root, "");
    cJSON_ArrayForEach(item, root) if (item->string) read_value(arena, root, item->string);
    check(vl_json_raw(arena, root));
    cJSON_Delete(root);
    vl_arena_reset(arena);
    return 0;
}
