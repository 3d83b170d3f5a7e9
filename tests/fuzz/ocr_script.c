/* ocr_script.c — any bytes as a model of scripts; one that is taken must give probabilities. */
#include "ocr/script.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static float outputs[VL_SCRIPT_LABELS_MAX * VL_SCRIPT_TURNS];
    uint8_t window[VL_SCRIPT_SIDE * VL_SCRIPT_SIDE];
    float features[VL_SCRIPT_FEATURES];
    vl_script_model *model = NULL;
    vl_error error = {0};
    if (vl_script_model_parse(data, size, &model, &error)) {
        if (model || !error.message[0])
            abort();
        return 0;
    }
    for (size_t i = 0; i < sizeof window; i++)
        window[i] = (uint8_t)(i * 37 + size);
    if (!vl_script_features(window, features))
        abort();
    vl_script_score(model, features, outputs);
    double sum = 0;
    for (size_t i = 0; i < VL_SCRIPT_LABELS_MAX * VL_SCRIPT_TURNS; i++)
        sum += outputs[i] < 0 ? exp((double)outputs[i]) : 0;
    if (!isfinite(sum))
        abort();
    vl_script_model_free(model);
    return 0;
}
