/* pairs_evidence.c — see pairs_evidence.h. */
#include "dataset/pairs_evidence.h"
#include "dataset/labels.h"
#include "dataset/logistic.h"
#include "dataset/readability.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const double UNKNOWN = 0.5;

/* ---- language ------------------------------------------------------------------------------
 */

enum { LANGUAGES_MOST = 32 };

void pairs_main_language(const vl_parts *parts, char out[VL_LANG_SIZE]) {
    struct {
        const char *code;
        size_t bytes;
    } seen[LANGUAGES_MOST];
    size_t count = 0, best = 0;
    for (size_t i = 0; i < parts->part_count; i++) {
        const vl_part *part = &parts->parts[i];
        size_t at = 0;
        if (!*part->text || !strcmp(part->language, "und"))
            continue;
        while (at < count && strcmp(seen[at].code, part->language) != 0)
            at++;
        if (at == LANGUAGES_MOST)
            continue;
        if (at == count) {
            seen[count].code = part->language;
            seen[count++].bytes = 0;
        }
        seen[at].bytes += strlen(part->text);
        best = seen[at].bytes > seen[best].bytes ? at : best;
    }
    const char *language = count ? seen[best].code : parts->declared;
    memcpy(out, "und", 4);
    if (*language)
        memcpy(out, language, strnlen(language, VL_LANG_SIZE - 1) + 1);
}

static double language_evidence(const vl_part *text, const char *main) {
    if (!strcmp(text->language, "und") || !strcmp(main, "und"))
        return UNKNOWN;
    return !strcmp(text->language, main) ? 1 : 0;
}

/* ---- place ---------------------------------------------------------------------------------
 */

static double gap_between(double low_end, double high_start) {
    return fmax(0, high_start - low_end);
}

/* Boxes: how far apart up and down, in lines of a page of 60, and how much of the text lies
 * above or below the picture. */
static double box_place(const vl_box *picture, const vl_box *text, double page_height) {
    double line = page_height > 0 ? page_height / 60 : 40;
    double top = picture->y, bottom = top + picture->height;
    double left = picture->x, right = left + picture->width;
    double text_right = (double)text->x + text->width;
    double gap =
        fmax(gap_between(bottom, text->y), gap_between((double)text->y + text->height, top));
    double aside = fmax(gap_between(right, text->x), gap_between(text_right, left));
    double narrower = fmin(picture->width, text->width);
    double shared = fmin(right, text_right) - fmax(left, text->x);
    double over = narrower > 0 ? fmax(0, shared) / narrower : 0;
    return (0.3 + 0.7 * over) * exp(-gap / (3 * line)) * exp(-aside / (6 * line));
}

static double order_place(size_t picture, size_t text) {
    size_t apart = picture > text ? picture - text : text - picture;
    return apart ? 1 / (1 + 0.5 * (double)(apart - 1)) : 1;
}

static double place_evidence(const vl_parts *parts, size_t picture,
                             const pair_candidate *candidate) {
    static const double OTHER_PAGE = 0.1;
    const vl_part *p = &parts->parts[picture], *t = &parts->parts[candidate->text_part];
    if (candidate->text_part == picture)
        return 1;
    if (p->page != t->page)
        return OTHER_PAGE;
    if (p->has_box && t->has_box && p->page < parts->page_count)
        return box_place(&p->box, &t->box, parts->pages[p->page].height);
    return order_place(picture, candidate->text_part);
}

/* ---- labels and mentions -------------------------------------------------------------------
 */

static double label_evidence(const vl_part *picture, const pair_candidate *candidate) {
    label of_text, of_picture;
    bool named = picture->label && label_begins(picture->label, &of_picture);
    if (!label_begins(candidate->text, &of_text))
        return named && candidate->origin != PAIR_DESCRIPTION ? 0.4 : UNKNOWN;
    if (named)
        return label_same(&of_text, &of_picture) ? 1 : 0;
    return (of_text.kind == VL_PART_TABLE) == (picture->kind == VL_PART_TABLE) ? 0.9 : 0;
}

static void count_label(const label *found, void *user) {
    (void)found;
    ++*(size_t *)user;
}

static double mention_evidence(const vl_part *picture, const pair_candidate *candidate) {
    size_t labels = 0;
    if (candidate->origin == PAIR_SPEAKER) {
        labels_find(candidate->text, count_label, &labels);
        return labels ? 1 / (1 + 0.5 * (double)(labels - 1)) : UNKNOWN;
    }
    if (!picture->label || candidate->origin != PAIR_CAPTION)
        return UNKNOWN;
    return picture->mention_count ? 1 : 0.4;
}

/* ---- typography ----------------------------------------------------------------------------
 */

/* "IMG_2034.jpg", "photo-1-1024x768": a name of a file and not words. */
static bool is_file_name(const char *text) {
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg"};
    size_t length = strlen(text);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t ending = strlen(endings[i]);
        if (length > ending && !strcasecmp(text + length - ending, endings[i]))
            return true;
    }
    return !strchr(text, ' ') && (strpbrk(text, "_0123456789") || strstr(text, "--"));
}

/* 0 below `low`, 1 from `high` on, straight between; with low > high the other way round. */
static double ramp(double x, double low, double high) {
    return fmin(1, fmax(0, (x - low) / (high - low)));
}

double pairs_typography(const char *text) {
    readability r;
    readability_measure(text, NULL, &r);
    double letters = (double)r.letters;
    if (is_file_name(text))
        return 0;
    double long_enough = ramp(log(letters + 1), log(4), log(20));
    double short_enough = ramp(log(letters + 1), log(2500), log(300));
    return long_enough * short_enough * r.score;
}

/* ---- all of it -----------------------------------------------------------------------------
 */

void pairs_evidence_of(const vl_parts *parts, size_t picture, const char *main,
                       pair_candidate *candidate) {
    const vl_part *p = &parts->parts[picture], *t = &parts->parts[candidate->text_part];
    double *evidence = candidate->evidence;
    evidence[PAIR_LABEL] = label_evidence(p, candidate);
    evidence[PAIR_PLACE] = place_evidence(parts, picture, candidate);
    evidence[PAIR_MENTION] = mention_evidence(p, candidate);
    evidence[PAIR_TYPOGRAPHY] = pairs_typography(candidate->text);
    evidence[PAIR_LANGUAGE] = language_evidence(t, main);
    evidence[PAIR_PICTURE] = UNKNOWN;
}

/* ---- the model -----------------------------------------------------------------------------
 */

/* One for each origin but the caption, then the evidence but PAIR_PICTURE, which comes last. */
enum { FEATURES = PAIR_ORIGIN_COUNT - 2 + PAIR_EVIDENCE_COUNT - 1 };
static const double model[FEATURES + 1] = {-0.5, -2.0, -2.0, -3.0, 2.0,
                                           1.5,  0.5,  3.0,  0.3,  -2.0};

size_t pairs_evidence_features(const pair_candidate *candidate,
                               double features[PAIRS_FEATURES_MOST]) {
    size_t count = 0;
    for (int origin = PAIR_DESCRIPTION; origin < PAIR_CELLS; origin++)
        features[count++] = candidate->origin == (pair_origin)origin;
    for (int i = 0; i < PAIR_PICTURE; i++)
        features[count++] = candidate->evidence[i];
    return count;
}

const char *pairs_evidence_feature_name(size_t feature) {
    size_t origins = PAIR_CELLS - PAIR_DESCRIPTION;
    return feature < origins ? pair_origin_name((pair_origin)(PAIR_DESCRIPTION + feature))
                             : pair_evidence_name((pair_evidence)(feature - origins));
}

double pairs_evidence_odds(const pair_candidate *candidate) {
    double features[PAIRS_FEATURES_MOST];
    size_t count = pairs_evidence_features(candidate, features);
    double sum = model[count];
    for (size_t i = 0; i < count; i++)
        sum += model[i] * features[i];
    return sum;
}

/* ---- what seer sees ------------------------------------------------------------------------
 */

/* Platt's constants of the cosine, by language: tools/fit_sight.c; docs/dataset.md. */
static const struct sight_language {
    const char *code, *seer_code;
    double slope, offset;
} sight_languages[] = {
    {"eng", "en", 0, 0},
};

vl_status pairs_sight_of(const vl_seer *seer, vl_seer_session *session, const vl_image *image,
                         float *vector, pair_sight *sight, vl_error *error) {
    vl_seer_guess scene;
    vl_status status = vl_seer_session_look(session, image, error);
    *sight = (pair_sight){.session = session, .size = vl_seer_vector_size(seer)};
    if (status)
        return status;
    bool guessed = vl_seer_labels(session, "scene", &scene, 1) == 1;
    if (guessed && (!strcmp(scene.label, "document") || !strcmp(scene.label, "map_or_chart")))
        return VL_OK;
    vl_seer_picture_embedding(session, vector);
    sight->vector = vector;
    return VL_OK;
}

/* Without the label: "Figure 3: ", which no caption of a photograph that seer knows has. */
static const char *after_label(const char *text) {
    label found;
    if (!label_begins(text, &found))
        return text;
    const char *rest = text + found.end;
    rest += strspn(rest, " .:-)");
    return *rest ? rest : text;
}

vl_status pairs_sight_fits(const pair_sight *sight, const char *text, const char *language,
                           vl_arena *arena, double *fits, vl_error *error) {
    const struct sight_language *known = NULL;
    *fits = UNKNOWN;
    for (size_t i = 0; i < sizeof sight_languages / sizeof *sight_languages; i++)
        if (!strcmp(sight_languages[i].code, language))
            known = &sight_languages[i];
    if (!sight->vector || !known)
        return VL_OK;
    float *vector = vl_arena_array(arena, sight->size, sizeof *vector);
    if (!vector)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the vector of a text");
    vl_status status = vl_seer_text_embedding(sight->session, after_label(text),
                                              known->seer_code, vector, error);
    double cosine = 0;
    for (size_t i = 0; i < sight->size && !status; i++)
        cosine += (double)vector[i] * (double)sight->vector[i];
    if (!status)
        *fits = logistic_sigmoid(known->slope * cosine + known->offset);
    return status;
}
