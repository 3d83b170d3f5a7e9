/* pairs_sight.c — how well a text fits what seer sees in a picture (pairs_evidence.h). */
#include "dataset/labels.h"
#include "dataset/logistic.h"
#include "dataset/pairs_evidence.h"

#include <string.h>

/* Platt's constants of the cosine. Fitted by tools/fit_sight.c: docs/dataset.md. */
static const struct sight_language {
    const char *code, *seer_code;
    double slope, offset;
} languages[] = {
    {"ara", "ar", 8.89, -3.16}, {"ces", "cs", 8.05, -2.71}, {"deu", "de", 7.99, -2.70},
    {"eng", "en", 8.54, -2.79}, {"fra", "fr", 8.16, -2.69}, {"hin", "hi", 8.43, -2.97},
};

/* NULL: seer learned no captions in it. */
static const struct sight_language *find_language(const char *code) {
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++)
        if (!strcmp(languages[i].code, code))
            return &languages[i];
    return NULL;
}

/* Seer learned to match texts to everyday photographs; of pages, maps, charts and crises seen
 * from the air it knows only what they are. */
vl_status pairs_sight_of(const vl_seer *seer, vl_seer_session *session, const vl_image *image,
                         float *vectors, pair_sight *sight, vl_error *error) {
    vl_seer_guess scene;
    vl_status status = vl_seer_session_look(session, image, error);
    size_t size = vl_seer_vector_size(seer);
    *sight = (pair_sight){.session = session, .text = vectors + size, .size = size};
    if (status)
        return status;
    if (vl_seer_labels(session, "scene", &scene, 1) != 1 ||
        strcmp(scene.label, "ordinary") != 0)
        return VL_OK;
    vl_seer_picture_embedding(session, vectors);
    sight->vector = vectors;
    return VL_OK;
}

/* Without the label: "Figure 3: ", which no caption that seer learned has. */
static const char *after_label(const char *text) {
    label found;
    if (!label_begins(text, &found))
        return text;
    const char *rest = text + found.end;
    rest += strspn(rest, " .:-)");
    return *rest ? rest : text;
}

vl_status pairs_sight_cosine(const pair_sight *sight, const char *text, const char *language,
                             double *cosine, bool *known, vl_error *error) {
    const struct sight_language *spoken = find_language(language);
    *known = sight->vector && spoken && *text;
    *cosine = 0;
    if (!*known)
        return VL_OK;
    vl_status status = vl_seer_text_embedding(sight->session, after_label(text),
                                              spoken->seer_code, sight->text, error);
    for (size_t i = 0; i < sight->size && !status; i++)
        *cosine += (double)sight->text[i] * (double)sight->vector[i];
    return status;
}

vl_status pairs_sight_fits(const pair_sight *sight, const char *text, const char *language,
                           double *fits, vl_error *error) {
    double cosine;
    bool known;
    vl_status status = pairs_sight_cosine(sight, text, language, &cosine, &known, error);
    *fits = 0.5;
    if (!status && known) {
        const struct sight_language *spoken = find_language(language);
        *fits = logistic_sigmoid(spoken->slope * cosine + spoken->offset);
    }
    return status;
}
