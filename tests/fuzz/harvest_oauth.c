/* harvest_oauth.c — any bytes as the answer of a token's address: a token that is taken can
 * stand in a header, and none stands in a message. */
#include "harvest/oauth.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char token[VL_TOKEN_SIZE];
    double seconds;
    vl_error error;
    if (vl_oauth_read((const char *)data, size, token, &seconds, &error)) {
        if (*token || strstr(error.message, "eyJ"))
            abort();
        return 0;
    }
    for (const char *at = token; *at; at++)
        if (*at <= ' ' || *at > '~')
            abort();
    if (!*token || !(seconds >= 0 || seconds == -1))
        abort();
    return 0;
}
