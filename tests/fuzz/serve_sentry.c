/* serve_sentry.c — what a service for error events says of pauses: any text is a number of
 * seconds between none and a day, and more of the same never makes it shorter. */
#include "serve/sentry.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    double seconds = vl_sentry_limit_parse((const char *)data, size);
    if (!(seconds >= 0 && seconds <= 86400))
        abort();
    char *twice = malloc(2 * size + 1);
    if (!twice)
        return 0;
    if (size)
        memcpy(twice, data, size);
    twice[size] = ',';
    if (size)
        memcpy(twice + size + 1, data, size);
    if (vl_sentry_limit_parse(twice, 2 * size + 1) != seconds)
        abort();
    free(twice);
    return 0;
}
