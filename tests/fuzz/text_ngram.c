/* Any bytes as a file of character models, and, when it is sound, texts through its languages.
 */
#include <math.h>
#include <stdlib.h>
#include <vislang/text.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const texts[] = {"", "a", "aaab ba", "some text, ሰላም \xFF"};
    vl_ngram *ngram;
    vl_error error;
    if (vl_ngram_parse(data, size, &ngram, &error))
        return 0;
    for (size_t i = 0; i < vl_ngram_count(ngram); i++) {
        const vl_ngram_language *g = vl_ngram_find(ngram, vl_ngram_code(ngram, i));
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            if (!g || !isfinite(vl_ngram_score(g, texts[t], NULL)))
                abort();
    }
    vl_ngram_free(ngram);
    return 0;
}
