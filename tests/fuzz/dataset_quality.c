/* What is read of quality: models in files, and any text with and without a model of its
 * language. */
#include "dataset/quality.h"
#include "dataset/pairs_evidence.h"
#include "dataset/readability.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_ngram *ngram;
    if (!ngram && vl_ngram_open(NULL, &ngram, NULL))
        abort();
    quality_model model = quality_model_default();
    double quality[VL_QUALITY_PART_COUNT];
    vl_part part = {.confidence = 1, .certainty = 1};
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    if (!quality_model_parse(text, size, &model, NULL) && !(model.offset <= 1000))
        abort();
    memcpy(part.language, size % 2 ? "amh" : "swa", 4);
    quality_of_text(&part, text, ngram, quality);
    for (size_t i = 0; i < VL_QUALITY_PART_COUNT; i++)
        if (!(quality[i] >= 0 && quality[i] <= 1))
            abort();
    double looks = pairs_typography(text), score = quality_score(&model, quality);
    if (!(looks >= 0 && looks <= 1 && score >= 0 && score <= 1))
        abort();
    free(text);
    return 0;
}
