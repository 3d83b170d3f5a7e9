/* serve_target.c — request targets and base64 texts. What passes as a path must not be able to
 * leave its directory. */
#include "serve/check.h"
#include "serve/upload.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[VL_PATH_MAX];
    char *text = strndup((const char *)data, size);
    if (!text)
        return 0;
    if (!vl_check_target(text, path).status)
        if (path[0] != '/' || strstr(path, "/../") || strstr(path, "//") || strchr(path, '\\'))
            abort();
    vl_check_host_listed("a.example, b", text, false);
    vl_check_request_id(text);
    vl_upload upload;
    if (!vl_upload_init(&upload, 1 << 20, NULL))
        vl_upload_append_base64(&upload, text, NULL);
    vl_upload_deinit(&upload);
    free(text);
    return 0;
}
