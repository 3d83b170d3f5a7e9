/* What a server of buckets may answer: XML of any bytes, and places as users write them. */
#include "store/s3.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char out[64], *text = malloc(size + 1);
    const char *at = text;
    s3_place place;
    vl_error error;
    memcpy(text, data, size);
    text[size] = '\0';
    while (s3_xml_text(&at, "Key", out, sizeof out))
        if (at <= text || at > text + size || strlen(out) >= sizeof out)
            abort();
    if (!s3_place_parse(text, &place, &error) && strchr(place.bucket, '/'))
        abort();
    free(text);
    return 0;
}
