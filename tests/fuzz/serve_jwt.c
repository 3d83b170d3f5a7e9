/* Any text as an access token: nothing that was not signed here is let in. */
#include "serve/jwt.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_jwt_signer *signer;
    vl_jwt_claims claims;
    char token[4096];
    if (!signer && vl_jwt_signer_new("HS256", "", "vislang", "api", &signer, NULL))
        return 0;
    size = size < sizeof token ? size : sizeof token - 1;
    memcpy(token, data, size);
    token[size] = '\0';
    if (!vl_jwt_check(signer, token, 1000, &claims, NULL))
        abort();
    return 0;
}
