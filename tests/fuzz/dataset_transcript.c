/* A transcript and what was read of its page: the first line's length says where they part. */
#include "dataset/transcript.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LINES = 16, MAX_BYTES = 1500 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    transcript_line lines[MAX_LINES];
    transcript_rules rules = transcript_rules_default();
    size_t count = 0;
    if (!arena)
        arena = vl_arena_new((size_t)256 << 20);
    if (size > MAX_BYTES || !size)
        return 0;
    vl_arena_reset(arena);
    rules.has_case = data[0] & 1;
    char *text = vl_arena_strndup(arena, (const char *)data + 1, size - 1);
    char *rest = strstr(text, "\n\n");
    if (rest)
        *rest++ = '\0';
    for (char *one = rest; one && count < MAX_LINES; count++) {
        char *end = strchr(one + 1, '\n');
        lines[count].reading = one;
        if (end)
            *end++ = '\0';
        one = end;
    }
    if (transcript_place(arena, text, &rules, lines, count, NULL))
        abort();
    for (size_t i = 0; i < count; i++) {
        const char *found = lines[i].text;
        if (found && (!*found || vl_utf8_valid_prefix(found, strlen(found)) != strlen(found) ||
                      strchr(found, '\n') || !(lines[i].cer <= rules.most_wrong)))
            abort();
    }
    return 0;
}
