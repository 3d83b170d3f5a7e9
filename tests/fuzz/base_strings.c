/* base_strings.c — any bytes through the string helpers, held to what they promise. */
#include <vislang/base.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"port", "host", "max_upload_size", "x", ""};
    char *text = malloc(size + 1);
    require(text != NULL);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    size_t valid = vl_utf8_valid_prefix(text, size);
    require(valid <= size && vl_utf8_valid_prefix(text, valid) == valid);
    uint64_t bytes = 0;
    vl_error error = {0};
    if (vl_parse_bytes(text, &bytes, &error) != VL_OK)
        require(error.status == VL_ERR_USAGE &&
                vl_utf8_valid_prefix(error.message, sizeof error.message) >=
                    strlen(error.message));
    const char *nearest = vl_nearest_name(text, names, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0 && *text)
            require(nearest == names[i]);
    vl_log_level level;
    if (vl_log_level_parse(text, &level, NULL) == VL_OK)
        require(level <= VL_LOG_ERROR);
    free(text);
    return 0;
}
