/* pairs.c — see pairs.h.
 *
 *   pairs_find         picture by picture: its candidates, the best of them, a pair
 *   pairs_candidates   caption, own text, speakers, heading above, paragraphs beside
 */
#include "dataset/pairs_evidence.h"
#include "dataset/logistic.h"
#include "dataset/phash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    SHORTEST_SIDE = 64, /* pixels */
    DRAWN_OUT = 6,      /* times as long as wide: rulers, banners, spacers */
    SPEAKERS_MOST = 8,
    CANDIDATES_MOST = SPEAKERS_MOST + 8,
    HEADING_REACH = 12, /* parts up to the heading above */
    BESIDE_REACH = 2    /* parts to a paragraph beside */
};
/* Of the odds of what seer sees so much counts, and at most so much: its constants were fitted
 * to everyday photographs with their captions, and on a mixture of two of those to one of
 * floods, fires and forests with sentences as reports have them, the slope is 0.39 of that
 * (docs/dataset.md). */
static const double SIGHT_SHARE = 0.4, SIGHT_ODDS_MOST = 1.5;

static const char *const evidence_names[PAIR_EVIDENCE_COUNT] = {
    "label", "place", "mention", "typography", "language", "picture"};
static const char *const origin_names[PAIR_ORIGIN_COUNT] = {"caption", "description", "speaker",
                                                            "heading", "beside",      "cells"};

const char *pair_evidence_name(pair_evidence evidence) {
    return evidence_names[evidence];
}

const char *pair_origin_name(pair_origin origin) {
    return origin_names[origin];
}

/* ---- what is no picture of something -------------------------------------------------------
 */

bool pairs_is_scrap(uint32_t width, uint32_t height) {
    uint32_t shorter = width < height ? width : height;
    uint32_t longer = width < height ? height : width;
    return shorter < SHORTEST_SIDE || longer / DRAWN_OUT >= shorter;
}

/* Whether `word` stands in `text` as a word of its own: beside no letter. */
static bool has_word(const char *text, const char *word) {
    size_t length = strlen(word);
    for (const char *at = strcasestr(text, word); at; at = strcasestr(at + 1, word)) {
        char before = at > text ? at[-1] : ' ', after = at[length];
        bool joined = (after >= 'a' && after <= 'z' && after != 's') ||
                      (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z');
        if (!joined)
            return true;
    }
    return false;
}

static bool has_one_of(const char *text, const char *const *words) {
    for (; *words; words++)
        if (has_word(text, *words))
            return true;
    return false;
}

/* The path's last two names, without what is asked of the server: hosts are called many things.
 */
static void take_name(const char *source, char *out, size_t size) {
    size_t length = strcspn(source, "?#");
    size_t from = length, slashes = 0;
    while (from && (source[from - 1] != '/' || ++slashes < 2))
        from--;
    length = length - from < size - 1 ? length - from : size - 1;
    memcpy(out, source + from, length);
    out[length] = '\0';
}

bool pairs_is_decoration(const vl_part *part) {
    static const char *const names[] = {
        "logo",        "icon",    "ico",      "favicon", "sprite",      "spacer",
        "blank",       "pixel",   "bullet",   "button",  "btn",         "banner",
        "placeholder", "avatar",  "gravatar", "badge",   "divider",     "arrow",
        "loader",      "spinner", "captcha",  "qr",      "qrcode",      "tracker",
        "tracking",    "beacon",  "emoji",    "smiley",  "transparent", NULL};
    static const char *const says[] = {"logo",    "icon",          "spacer", "banner",
                                       "bullet",  "advertisement", "avatar", "شعار",
                                       "логотип", "प्रतीक चिन्ह",    "አርማ",    NULL};
    enum { SAID_MOST = 60 }; /* bytes: a longer text describes something */
    char name[512] = "";
    if (part->source && strncasecmp(part->source, "data:", 5) != 0)
        take_name(part->source, name, sizeof name);
    if (has_one_of(name, names))
        return true;
    return strlen(part->text) <= SAID_MOST && has_one_of(part->text, says) &&
           part->kind != VL_PART_TABLE;
}

/* ---- candidates ----------------------------------------------------------------------------
 */

typedef struct search {
    const vl_parts *parts;
    size_t picture;
    const char *main; /* language */
    pair_candidate *found;
    size_t count;
} search;

static void consider(search *s, size_t text_part, pair_origin origin) {
    const vl_part *part = &s->parts->parts[text_part];
    for (size_t i = 0; i < s->count; i++)
        if (s->found[i].text_part == text_part && s->found[i].origin != PAIR_CELLS)
            return;
    if (s->count == CANDIDATES_MOST || !*part->text)
        return;
    pair_candidate *c = &s->found[s->count++];
    *c = (pair_candidate){.text_part = text_part, .origin = origin, .text = part->text};
    pairs_evidence_of(s->parts, s->picture, s->main, c);
}

static bool is_subject(const vl_part *part) {
    return vl_part_is_picture(part->kind) || part->kind == VL_PART_TABLE;
}

static void consider_heading(search *s) {
    for (size_t i = s->picture; i-- > 0 && s->picture - i <= HEADING_REACH;)
        if (s->parts->parts[i].kind == VL_PART_HEADING) {
            consider(s, i, PAIR_HEADING);
            return;
        }
}

/* The nearest paragraph on either side, not past another picture. */
static void consider_beside(search *s, bool after) {
    size_t at = s->picture;
    for (int i = 0; i < BESIDE_REACH; i++) {
        if (after ? at + 1 == s->parts->part_count : at == 0)
            return;
        at = after ? at + 1 : at - 1;
        const vl_part *part = &s->parts->parts[at];
        if (part->kind == VL_PART_PARAGRAPH) {
            consider(s, at, PAIR_BESIDE);
            return;
        }
        if (is_subject(part))
            return;
    }
}

static void consider_all(search *s) {
    const vl_part *picture = &s->parts->parts[s->picture];
    if (picture->caption < s->parts->part_count)
        consider(s, picture->caption,
                 pairs_has_caption(s->parts, picture) ? PAIR_CAPTION : PAIR_SPEAKER);
    if (picture->kind == VL_PART_TABLE)
        consider(s, s->picture, PAIR_CELLS);
    else
        consider(s, s->picture, PAIR_DESCRIPTION);
    for (size_t i = 0; i < picture->mention_count && i < SPEAKERS_MOST; i++)
        consider(s, picture->mentions[i], PAIR_SPEAKER);
    consider_heading(s);
    consider_beside(s, false);
    consider_beside(s, true);
}

static int by_score(const void *a, const void *b) {
    const pair_candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    if (x->origin != y->origin)
        return (int)x->origin - (int)y->origin;
    return (x->text_part > y->text_part) - (x->text_part < y->text_part);
}

/* Rows are of their table as sure as they were read. */
static double score_by_page(const vl_parts *parts, const pair_candidate *c) {
    return c->origin == PAIR_CELLS ? parts->parts[c->text_part].confidence
                                   : logistic_sigmoid(pairs_evidence_odds(c));
}

/* Odds of independent evidence add up. */
static vl_status score_by_sight(const vl_parts *parts, const pair_sight *sight,
                                pair_candidate *c, vl_error *error) {
    vl_status status = pairs_sight_fits(sight, c->text, parts->parts[c->text_part].language,
                                        &c->evidence[PAIR_PICTURE], error);
    double seen = SIGHT_SHARE * logistic_logit(c->evidence[PAIR_PICTURE]);
    seen = fmin(SIGHT_ODDS_MOST, fmax(-SIGHT_ODDS_MOST, seen));
    c->score = logistic_sigmoid(pairs_evidence_odds(c) + seen);
    return status;
}

/* Only of those that could become the best by it: seer takes milliseconds for each text. */
static vl_status see_candidates(const vl_parts *parts, const pair_sight *sight,
                                pair_candidate *candidates, size_t count, vl_error *error) {
    vl_status status = VL_OK;
    if (!count)
        return VL_OK;
    double best = logistic_logit(candidates[0].score);
    for (size_t i = 0; i < count && !status; i++)
        if (candidates[i].origin != PAIR_CELLS &&
            logistic_logit(candidates[i].score) >= best - 2 * SIGHT_ODDS_MOST)
            status = score_by_sight(parts, sight, &candidates[i], error);
    qsort(candidates, count, sizeof *candidates, by_score);
    return status;
}

/* `found` [CANDIDATES_MOST] */
static size_t find_candidates(const vl_parts *parts, size_t picture, const char *main,
                              pair_candidate *found) {
    search s = {.parts = parts, .picture = picture, .main = main, .found = found};
    consider_all(&s);
    for (size_t i = 0; i < s.count; i++)
        found[i].score = score_by_page(parts, &found[i]);
    qsort(found, s.count, sizeof *found, by_score);
    return s.count;
}

vl_status pairs_candidates(const vl_parts *parts, size_t picture, const pair_sight *sight,
                           vl_arena *arena, pair_candidate **candidates, size_t *count,
                           vl_error *error) {
    char main[VL_LANG_SIZE];
    *candidates = vl_arena_array(arena, CANDIDATES_MOST, sizeof **candidates);
    *count = 0;
    if (!*candidates)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the texts around a picture");
    pairs_main_language(parts, main);
    *count = find_candidates(parts, picture, main, *candidates);
    return sight && sight->vector ? see_candidates(parts, sight, *candidates, *count, error)
                                  : VL_OK;
}

/* ---- pairs ---------------------------------------------------------------------------------
 */

typedef struct finder {
    const vl_parts *parts;
    const pairs_options *options;
    vl_arena *arena;
    char main[VL_LANG_SIZE];
    vl_seer_session *session; /* made when the first picture is looked at */
    float *vectors;
    pair_candidate candidates[CANDIDATES_MOST];
    pair *pairs;
    size_t count;
    vl_error *error;
} finder;

static bool is_scrap_box(const vl_box *box) {
    return box->width <= 0 || box->height <= 0 ||
           pairs_is_scrap((uint32_t)box->width, (uint32_t)box->height);
}

/* Emblems and codes in the corners of printed pages: small on paper, and nothing speaks of
 * them.
 */
static bool is_emblem(const vl_parts *parts, const vl_part *part) {
    static const double LARGEST = 1.5; /* inches */
    double dpi = part->page < parts->page_count ? parts->pages[part->page].dpi : 0;
    double longer = part->box.width > part->box.height ? part->box.width : part->box.height;
    return dpi > 0 && longer < LARGEST * dpi && part->caption >= parts->part_count &&
           !part->mention_count;
}

/* The number that a footnote begins with, or 0. */
static long note_number(const char *text) {
    char *end;
    long number = strtol(text, &end, 10);
    return end > text && end - text <= 3 && (!*end || *end == ' ') ? number : 0;
}

/* Footnotes under their rule look like a table of two columns, the first one numbers that go up
 * by one; a row more is the foot of the page. */
static bool is_notes(const vl_parts *parts, const vl_part *part) {
    static const double FOOT = 0.85; /* of the page: notes reach down to there */
    double height = part->page < parts->page_count ? parts->pages[part->page].height : 0;
    size_t notes = 0, others = 0;
    long last = 0;
    if (part->caption < parts->part_count ||
        (double)part->box.y + part->box.height < FOOT * height)
        return false;
    for (size_t i = 0; i < part->cell_count; i++) {
        const vl_part_cell *cell = &part->cells[i];
        bool first = !i || cell[-1].row != cell->row;
        bool alone = i + 1 == part->cell_count || cell[1].row != cell->row;
        long number = first && !alone ? note_number(cell->text) : 0;
        bool next = number > 0 && (!last || number == last + 1);
        others += (first && !alone && !next) || (!first && !alone);
        notes += next;
        last = next ? number : last;
    }
    return notes > 0 && others <= 1;
}

static bool may_pair(const vl_parts *parts, const vl_part *part) {
    bool picture = vl_part_is_picture(part->kind);
    bool table = part->kind == VL_PART_TABLE && part->has_box && !is_notes(parts, part);
    if (!picture && !table)
        return false;
    if (part->has_box && (is_scrap_box(&part->box) || (picture && is_emblem(parts, part))))
        return false;
    return !picture || !pairs_is_decoration(part);
}

static vl_status see(finder *f, const vl_image *image, pair_sight *sight) {
    const vl_seer *seer = f->options->seer;
    if (!f->session)
        f->session = vl_seer_session_new(seer);
    if (!f->vectors)
        f->vectors = vl_arena_array(f->arena, 2 * vl_seer_vector_size(seer), sizeof(float));
    if (!f->session || !f->vectors)
        return vl_fail(f->error, VL_ERR_MEMORY, "no memory to look at a picture");
    return pairs_sight_of(seer, f->session, image, f->vectors, sight, f->error);
}

/* Size and hash of the picture, and what is seen in it; *fit false: it shows nothing. */
static vl_status look(finder *f, pair *p, pair_sight *sight, bool *fit) {
    const vl_image *image = NULL;
    vl_status status = f->options->picture(f->options->user, p->picture, &image, f->error);
    *fit = !status && image && !pairs_is_scrap(image->width, image->height);
    if (!*fit)
        return status;
    p->width = image->width;
    p->height = image->height;
    status = phash_of(image, &p->phash, &p->has_phash, f->error);
    *fit = !status && p->has_phash;
    bool table = f->parts->parts[p->picture].kind == VL_PART_TABLE;
    return *fit && f->options->seer && !table ? see(f, image, sight) : status;
}

static void add_text(pair *p, size_t part) {
    for (size_t i = 0; i < p->text_count; i++)
        if (p->texts[i] == part)
            return;
    p->texts[p->text_count++] = part;
}

static vl_status gather_texts(finder *f, pair *p) {
    const vl_part *picture = &f->parts->parts[p->picture];
    p->texts = vl_arena_array(f->arena, picture->mention_count + 2, sizeof *p->texts);
    if (!p->texts)
        return vl_fail(f->error, VL_ERR_MEMORY, "no memory for the texts of a picture");
    if (p->text_part != p->picture)
        add_text(p, p->text_part);
    if (picture->caption < f->parts->part_count)
        add_text(p, picture->caption);
    for (size_t i = 0; i < picture->mention_count; i++)
        add_text(p, picture->mentions[i]);
    return VL_OK;
}

static vl_status take_best(finder *f, const pair_candidate *best, pair *p) {
    p->text_part = best->text_part;
    p->origin = best->origin;
    p->text = best->text;
    p->score = best->score;
    memcpy(p->evidence, best->evidence, sizeof p->evidence);
    f->count++;
    return gather_texts(f, p);
}

static vl_status find_pair(finder *f, size_t picture) {
    pair *p = &f->pairs[f->count];
    pair_sight sight = {0};
    bool fit = true;
    vl_status status = VL_OK;
    *p = (pair){.picture = picture};
    size_t count = find_candidates(f->parts, picture, f->main, f->candidates);
    if (!count)
        return VL_OK;
    if (f->options->picture)
        status = look(f, p, &sight, &fit);
    if (!status && fit && sight.vector)
        status = see_candidates(f->parts, &sight, f->candidates, count, f->error);
    return status || !fit ? status : take_best(f, f->candidates, p);
}

static size_t count_subjects(const vl_parts *parts) {
    size_t count = 0;
    for (size_t i = 0; i < parts->part_count; i++)
        count += may_pair(parts, &parts->parts[i]);
    return count;
}

vl_status pairs_find(const vl_parts *parts, const pairs_options *options, vl_arena *arena,
                     pair **pairs, size_t *count, vl_error *error) {
    finder f = {.parts = parts, .options = options, .arena = arena, .error = error};
    size_t subjects = count_subjects(parts);
    vl_status status = VL_OK;
    *pairs = NULL;
    *count = 0;
    if (!subjects)
        return VL_OK;
    f.pairs = vl_arena_array(arena, subjects, sizeof *f.pairs);
    if (!f.pairs)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu pairs", subjects);
    pairs_main_language(parts, f.main);
    for (size_t i = 0; i < parts->part_count && !status; i++)
        if (may_pair(parts, &parts->parts[i]))
            status = find_pair(&f, i);
    vl_seer_session_free(f.session);
    *pairs = f.pairs;
    *count = f.count;
    return status;
}
