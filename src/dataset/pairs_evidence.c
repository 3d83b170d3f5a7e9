/* pairs_evidence.c — see pairs_evidence.h. */
#include "dataset/pairs_evidence.h"
#include "dataset/credit.h"
#include "dataset/labels.h"
#include "dataset/logistic.h"
#include "dataset/readability.h"

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

/* How many parts stand between, but for pictures that the same text is the caption of. */
static size_t parts_between(const vl_parts *parts, size_t picture, size_t text) {
    size_t from = picture < text ? picture : text, to = picture < text ? text : picture;
    size_t count = 0;
    for (size_t i = from + 1; i < to; i++)
        count += parts->parts[i].caption != text;
    return count;
}

/* The heading of a whole page is above all of its pictures. */
static double heading_place(const vl_part *heading, size_t between) {
    static const double TITLE = 0.2;
    return (heading->level == 1 ? TITLE : 1) / (1 + (double)between);
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
    size_t between = parts_between(parts, picture, candidate->text_part);
    return candidate->origin == PAIR_HEADING ? heading_place(t, between)
                                             : 1 / (1 + 0.5 * (double)between);
}

/* ---- labels and mentions -------------------------------------------------------------------
 */

bool pairs_has_caption(const vl_parts *parts, const vl_part *picture) {
    label found;
    if (picture->caption >= parts->part_count)
        return false;
    const char *text = parts->parts[picture->caption].text;
    return !label_begins(text, &found) || !label_is_spoken(text, &found);
}

static double label_evidence(const vl_part *picture, const pair_candidate *candidate) {
    static const double SPOKEN = 0.3, NONE = 0.4, OF_KIND = 0.9;
    label of_text, of_picture;
    bool named = picture->label && label_begins(picture->label, &of_picture);
    bool wanted = candidate->origin != PAIR_DESCRIPTION && candidate->origin != PAIR_SPEAKER;
    if (!label_begins(candidate->text, &of_text))
        return named && wanted ? NONE : UNKNOWN;
    if (named ? !label_same(&of_text, &of_picture)
              : (of_text.kind == VL_PART_TABLE) != (picture->kind == VL_PART_TABLE))
        return 0;
    if (label_is_spoken(candidate->text, &of_text) && wanted)
        return SPOKEN;
    return named ? 1 : OF_KIND;
}

typedef struct speech {
    const char *text;
    size_t labels, passing;
} speech;

/* In passing: "(see Figure 3)", "… of cases, Figure 3." */
static void take_label(const label *found, void *user) {
    speech *s = user;
    const char *after = s->text + found->end;
    s->labels++;
    s->passing += !*after || strchr(").;]", *after) != NULL;
}

static double mention_evidence(const vl_part *picture, const pair_candidate *candidate) {
    static const double UNMENTIONED = 0.4;
    speech s = {.text = candidate->text};
    if (candidate->origin == PAIR_SPEAKER) {
        labels_find(candidate->text, take_label, &s);
        size_t spoken = s.labels - s.passing;
        return spoken ? 1 / (1 + 0.5 * (double)(s.labels - 1)) : 0;
    }
    if (!picture->label || candidate->origin != PAIR_CAPTION)
        return UNKNOWN;
    return picture->mention_count ? 1 : UNMENTIONED;
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

/* What content systems and pages put there when nobody did. */
static bool is_filler(const char *text) {
    static const char *const fillers[] = {
        "image",     "image removed.", "photo",       "picture",       "click to enlarge",
        "foto",      "imagen",         "untitled",    "stock photo",   "featured image",
        "thumbnail", "read more",      "infographic", "click here",    "cliquez pour agrandir",
        "chart",     "graph",          "bar chart",   "line chart",    "pie chart",
        "map",       "carte",          "drawing",     "illustration",  "photographie",
        "graphique", "figure",         "screenshot",  "no description"};
    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++)
        if (!strcasecmp(text, fillers[i]))
            return true;
    return false;
}

/* 0 below `low`, 1 from `high` on, straight between; with low > high the other way round. */
static double ramp(double x, double low, double high) {
    return fmin(1, fmax(0, (x - low) / (high - low)));
}

double pairs_typography(const char *text) {
    static const double UNREADABLE = 0.4;
    readability r;
    readability_measure(text, NULL, &r);
    double letters = (double)r.letters;
    if (is_file_name(text) || is_filler(text))
        return 0;
    double long_enough = ramp(log(letters + 1), log(5), log(25));
    double short_enough = ramp(log(letters + 1), log(2500), log(300));
    double words = credit_is(text) ? 0.1 : 1;
    /* Captions have numbers and no sentences: only what is surely debris counts. */
    return long_enough * short_enough * words * ramp(r.score, 0, UNREADABLE);
}

/* The page's title, or what other pictures are called too, tells nothing of this one. */
static bool is_shared(const vl_parts *parts, size_t picture, const pair_candidate *candidate) {
    enum { SHARED_REACH = 300 }; /* parts: a page may have a hundred thousand pictures */
    const char *text = candidate->text;
    if (candidate->origin != PAIR_DESCRIPTION)
        return false;
    if (!strcmp(text, parts->title))
        return true;
    size_t from = picture > SHARED_REACH ? picture - SHARED_REACH : 0;
    for (size_t i = from; i < parts->part_count && i <= picture + SHARED_REACH; i++) {
        const vl_part *other = &parts->parts[i];
        bool title = other->kind == VL_PART_HEADING && other->level == 1;
        bool same = i != picture && (title || vl_part_is_picture(other->kind));
        if (same && !strcmp(other->text, text))
            return true;
    }
    return false;
}

static bool ends_as_sentence(const char *text) {
    static const char *const ends[] = {".", "!", "?", "։",  "।", "۔", "؟",
                                       "።", "။", "។", "。", "”", "\""};
    size_t length = strlen(text);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen(ends[i]);
        if (length >= end && !strcmp(text + length - end, ends[i]))
            return true;
    }
    return false;
}

/* A paragraph that is a caption without being marked as one is short, and ends as no sentence
 * does. */
static double typography_evidence(const vl_parts *parts, size_t picture,
                                  const pair_candidate *candidate) {
    static const double SHARED = 0.2, SENTENCE = 0.4;
    enum { SHORT = 100, RUNNING = 200 }; /* bytes */
    double found = pairs_typography(candidate->text);
    if (candidate->origin == PAIR_BESIDE)
        found *= ramp((double)strlen(candidate->text), RUNNING, SHORT) *
                 (ends_as_sentence(candidate->text) ? SENTENCE : 1);
    return is_shared(parts, picture, candidate) ? SHARED * found : found;
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
    evidence[PAIR_TYPOGRAPHY] = typography_evidence(parts, picture, candidate);
    evidence[PAIR_LANGUAGE] = language_evidence(t, main);
    evidence[PAIR_PICTURE] = UNKNOWN;
    candidate->captioned = candidate->origin != PAIR_CAPTION && pairs_has_caption(parts, p);
}

/* ---- the model -----------------------------------------------------------------------------
 */

/* Whether a heading or a paragraph beside would have to do although there is a caption; one for
 * each origin but the caption; then the evidence but PAIR_PICTURE, which comes last. */
enum { FEATURES = 1 + PAIR_ORIGIN_COUNT - 2 + PAIR_EVIDENCE_COUNT - 1 };
/* Fitted by tools/fit_pairs.c to tests/pairs: docs/dataset.md. */
static const double model[FEATURES + 1] = {
    -1.04, /* near, but there is a caption */
    -1.06, /* description */
    -1.55, /* speaker */
    -1.63, /* heading */
    -2.47, /* beside */
    0.30,  /* label */
    3.56,  /* place */
    2.11,  /* mention */
    4.60,  /* typography */
    0.37,  /* language */
    -7.04, /* offset */
};

size_t pairs_evidence_features(const pair_candidate *candidate,
                               double features[PAIRS_FEATURES_MOST]) {
    size_t count = 0;
    bool near = candidate->origin == PAIR_HEADING || candidate->origin == PAIR_BESIDE;
    features[count++] = near && candidate->captioned;
    for (int origin = PAIR_DESCRIPTION; origin < PAIR_CELLS; origin++)
        features[count++] = candidate->origin == (pair_origin)origin;
    for (int i = 0; i < PAIR_PICTURE; i++)
        features[count++] = candidate->evidence[i];
    return count;
}

const char *pairs_evidence_feature_name(size_t feature) {
    size_t origins = PAIR_CELLS - PAIR_DESCRIPTION;
    if (!feature)
        return "near, but there is a caption";
    feature--;
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
