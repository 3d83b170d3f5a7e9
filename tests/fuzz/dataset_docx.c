/* Any bytes as a DOCX document, or as its parts: text, styles, footnotes, relationships. */
#include "dataset_packages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"word/document.xml", "word/styles.xml",
                                        "word/footnotes.xml", "word/_rels/document.xml.rels",
                                        NULL};
    static const char *const root[2] = {
        "_rels/.rels",
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
        "<Relationship Id=\"a\" Type=\"x/officeDocument\" Target=\"word/document.xml\"/>"
        "</Relationships>"};
    fuzz_package(data, size, names, root);
    return 0;
}
