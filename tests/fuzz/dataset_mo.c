/* Any bytes as a message catalogue: every text that is given lies inside it. */
#include "dataset/mo.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct bounds {
    const char *first, *end;
} bounds;

static void check(const char *text, size_t bytes, void *user) {
    const bounds *b = user;
    if (text < b->first || bytes == 0 || bytes > (size_t)(b->end - text))
        abort();
    for (size_t i = 0; i < bytes; i++)
        if (!text[i])
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bounds b = {(const char *)data, (const char *)data + size};
    mo_read(data, size, check, &b, NULL);
    return 0;
}
