/* space_write.c — a draft of a space into its file (space.h). */
#include "align/space.h"

#include <math.h>
#include <string.h>

static void put_row(vl_buf *out, const float *row, size_t dim) {
    float most = 0, scale;
    for (size_t d = 0; d < dim; d++)
        most = fmaxf(most, fabsf(row[d]));
    scale = most / 127;
    vl_buf_append(out, &scale, sizeof scale);
    for (size_t d = 0; d < dim; d++) {
        int8_t value = scale > 0 ? (int8_t)lroundf(row[d] / scale) : 0;
        vl_buf_append(out, &value, 1);
    }
}

static void put_code(vl_buf *out, const space_draft_code *from) {
    space_code code = {0};
    for (size_t k = 0; k < ALIGN_CODE_MAX && from->weight[k]; k++) {
        code.unit[k] = (uint16_t)from->unit[k];
        code.weight[k] = from->weight[k];
    }
    vl_buf_append(out, code.unit, sizeof code.unit);
    vl_buf_append(out, code.weight, sizeof code.weight);
}

static void put_language(vl_buf *out, const space_draft_language *language) {
    space_language head = {.words = (uint32_t)language->count};
    memcpy(head.code, language->code, sizeof head.code);
    for (size_t i = 0; i < language->count; i++)
        head.names_bytes += (uint32_t)strlen(language->words[i].word) + 1;
    vl_buf_append(out, &head, sizeof head);
    for (size_t i = 0; i < language->count; i++)
        vl_buf_append(out, language->words[i].word, strlen(language->words[i].word) + 1);
    for (size_t i = 0; i < language->count; i++) {
        const space_word *word = &language->words[i];
        put_code(out, &word->code);
        vl_buf_append(out, &word->frequency, 1);
    }
}

static vl_status check(const space_draft *draft, vl_error *error) {
    if (!draft->unit_count || draft->unit_count > ALIGN_SPACE_UNITS || !draft->dim ||
        draft->dim > ALIGN_SPACE_DIM || !draft->language_count ||
        draft->language_count > ALIGN_SPACE_LANGUAGES || strlen(draft->card) > ALIGN_CARD_MAX)
        return vl_fail(error, VL_ERR_LIMIT,
                       "a space has 1 to %d units of 1 to %d dimensions and 1 to %d languages",
                       ALIGN_SPACE_UNITS, ALIGN_SPACE_DIM, ALIGN_SPACE_LANGUAGES);
    for (size_t i = 0; i < draft->language_count; i++)
        if (!draft->languages[i].count || draft->languages[i].count > ALIGN_SPACE_WORDS)
            return vl_fail(error, VL_ERR_LIMIT, "%s has %zu words; 1 to %d may be in a space",
                           draft->languages[i].code, draft->languages[i].count,
                           ALIGN_SPACE_WORDS);
    return VL_OK;
}

vl_status align_space_write(const space_draft *draft, const char *path, vl_error *error) {
    space_header head = {.magic = "VLSPACE",
                         .version = ALIGN_SPACE_VERSION,
                         .languages = (uint32_t)draft->language_count,
                         .units = (uint32_t)draft->unit_count,
                         .dim = (uint32_t)draft->dim,
                         .card_bytes = (uint32_t)strlen(draft->card)};
    vl_buf out;
    vl_status status = check(draft, error);
    if (status)
        return status;
    memcpy(head.hub, draft->hub, sizeof head.hub);
    for (size_t i = 0; i < draft->unit_count; i++)
        head.unit_names_bytes += (uint32_t)strlen(draft->units[i].name) + 1;
    vl_buf_init(&out, VL_SPACE_MAX_BYTES);
    vl_buf_append(&out, &head, sizeof head);
    vl_buf_append(&out, draft->card, head.card_bytes);
    for (size_t i = 0; i < draft->unit_count; i++)
        put_row(&out, draft->rows + i * draft->dim, draft->dim);
    for (size_t i = 0; i < draft->unit_count; i++)
        vl_buf_append(&out, draft->units[i].name, strlen(draft->units[i].name) + 1);
    for (size_t i = 0; i < draft->unit_count; i++)
        vl_buf_append(&out, &draft->units[i].frequency, 1);
    for (size_t i = 0; i < draft->language_count; i++)
        put_language(&out, &draft->languages[i]);
    status = vl_buf_status(&out, "a space", error);
    if (!status)
        status = vl_file_write(path, out.data, out.len, error);
    vl_buf_deinit(&out);
    return status;
}
