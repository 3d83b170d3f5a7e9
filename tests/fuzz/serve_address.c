/* serve_address.c — lists of networks and X-Forwarded-For. The first line is a list of
 * networks, the rest values of the header: whatever they say, nobody outside the list is walked
 * past, and what is written is read back as the same. */
#include "base/address.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 8 };

static void check_text(const vl_address *address) {
    char text[VL_ADDRESS_TEXT_SIZE];
    vl_address again;
    vl_address_format(address, text);
    bool is_known = strcmp(text, "-") != 0;
    if (is_known && (!vl_address_parse(text, strlen(text), &again) ||
                     memcmp(&again, address, sizeof again) != 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_networks trusted;
    const char *values[VALUES_MAX];
    size_t count = 0;
    vl_address peer, client;
    char *text = strndup((const char *)data, size), *save = NULL;
    const char *list = text ? strtok_r(text, "\n", &save) : NULL;
    if (list && !vl_networks_parse(list, &trusted, NULL)) {
        for (char *line; count < VALUES_MAX && (line = strtok_r(NULL, "\n", &save));)
            values[count++] = line;
        for (size_t i = 0; i < count; i++)
            if (vl_address_parse(values[i], strlen(values[i]), &client))
                check_text(&client);
        vl_address_parse("10.0.0.1", 8, &peer);
        vl_address_client(&peer, &trusted, values, count, &client);
        check_text(&client);
        bool is_peer = !memcmp(&client, &peer, sizeof peer);
        if (!vl_networks_hold(&trusted, &peer) && !is_peer)
            abort();
    }
    free(text);
    return 0;
}
