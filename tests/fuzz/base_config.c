/* base_config.c — any bytes as a YAML file of settings: accepted, or refused with a line. */
#include <vislang/base.h>
#include "base/settings.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_config *config;
    vl_error error;
    /* The first input starts from defaults, as the program does. */
    vl_config_free(config);
    config = NULL;
    if (vl_config_load(NULL, NULL, 0, &config, &error) != VL_OK)
        abort();
    vl_status status = vl_config_yaml(config, "f.yaml", (const char *)data, size, &error);
    if (status != VL_OK && strncmp(error.message, "f.yaml:", 7) != 0)
        abort();
    vl_buf out;
    vl_buf_init(&out, 1 << 20);
    vl_config_print(config, true, &out);
    if (out.failed || vl_utf8_valid_prefix(out.data, out.len) != out.len)
        abort();
    vl_buf_deinit(&out);
    vl_config_free(config);
    config = NULL;
    return 0;
}
