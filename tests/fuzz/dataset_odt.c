/* Any bytes as an OpenDocument text, or as its parts: content, styles, meta data. */
#include "dataset_packages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"content.xml", "styles.xml", "meta.xml", NULL};
    static const char *const type[2] = {"mimetype", "application/vnd.oasis.opendocument.text"};
    fuzz_package(data, size, names, type);
    return 0;
}
