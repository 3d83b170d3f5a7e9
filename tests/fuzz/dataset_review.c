/* Decisions as a page sends them: what is read and has a meaning is written and read again the
 * same. */
#include "dataset/review_json.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const review_decision *d) {
    cJSON *json = review_decision_json(d);
    review_decision again;
    vl_error error;
    if (!json || review_decision_read(json, &again, &error) || again.verdict != d->verdict ||
        again.revision != d->revision || again.has_box != d->has_box ||
        (d->has_box && memcmp(&again.box, &d->box, sizeof d->box)) ||
        (d->text && strcmp(again.text, d->text)) || strcmp(again.note, d->note))
        abort();
    cJSON_Delete(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cJSON *json = cJSON_ParseWithLength((const char *)data, size);
    review_decision decision;
    vl_error error;
    if (cJSON_IsObject(json) && !review_decision_read(json, &decision, &error) &&
        !review_check(&decision, &error))
        check_again(&decision);
    cJSON_Delete(json);
    return 0;
}
