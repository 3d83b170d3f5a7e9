/* whole.c — one page, one reading; a poor page, a few more.
 *
 *   read_once, read_modes      one reading, in the mode the picture asks for
 *   vl_ocr_read_part           a part of the page, as one column
 *   vl_ocr_reading_quality     how good it is
 *   attempt_read               the same page on a cleaned picture
 *   choose_by_sample           … a few of its lines, where all lines were found
 *   vl_ocr_read_better         whether one of them reads better
 *
 * Of the adapting half's pages and lines, choosing by quality came within a hundredth of
 * knowing the transcripts on receipts (12.9 % of characters wrong where the best of eleven
 * pictures of each would give 12.6, and the plain picture 20.2). Confidence alone chose worse
 * (15.0: it does not see what was not read), and a language model's probability much worse
 * (18.1), since it likes a short text. */
#include "ocr/whole.h"
#include "ocr/traits.h"

#include <leptonica/allheaders.h>
#include <stdlib.h>
#include <string.h>

/* A page whose engine is this sure, or whose quality is this high, is left as it is. Below HALF
 * most of what was read is wrong, as in handwriting, and more of it is no gain. */
static const double GOOD = 0.85, HALF = 0.5, CLEAR_GAIN = 0.03, FOUND_ALL = 0.95;
/* … unless it left more than this of the marks unread: one may be sure of half a page. */
static const double MOST = 0.8;
enum { ATTEMPTS_MOST = 2, SAMPLES_MOST = 4 };

vl_status vl_preprocessing_parse(const char *text, vl_preprocessing *out, vl_error *error) {
    *out = (vl_preprocessing){.kind = VL_PREPROCESSING_AUTO};
    if (!text || !*text || !strcmp(text, "auto"))
        return VL_OK;
    if (!strcmp(text, "none")) {
        out->kind = VL_PREPROCESSING_NONE;
        return VL_OK;
    }
    out->kind = VL_PREPROCESSING_ALWAYS;
    return vl_cleanup_parse(text, &out->cleanup, error);
}

vl_status vl_ocr_preprocessing_check(const char *text, vl_error *error) {
    vl_preprocessing parsed;
    return vl_preprocessing_parse(text, &parsed, error);
}

/* ---- one reading ------------------------------------------------------------------------ */

/* True when no light text on a dark box can be there: every mark is a letter's size. Then no
 * line is worth the engine's second, inverted look. */
static bool is_dark_on_light(const vl_ocr_survey *survey) {
    double letter = survey->letter_height;
    for (size_t i = 0; i < survey->mark_count; i++)
        if (survey->marks[i].height > 1.6 * letter && survey->marks[i].width > 4 * letter)
            return false;
    return survey->letters >= 40;
}

static vl_status read_once(const vl_ocr_job *job, const vl_ocr_picture *picture,
                           const char *packs, vl_engine_mode mode, vl_engine_reading *reading,
                           vl_error *error) {
    vl_status status = vl_ocr_job_check(job, error);
    vl_engine_request request = {
        .picture = picture->work,
        .dpi = picture->work_dpi,
        .packs = packs,
        .mode = mode,
        .dark_on_light = is_dark_on_light(&picture->survey),
        .symbols = vl_panel_count(job->panel) > 1,
        .deadline_ns = job->deadline_ns,
        .arena = job->arena,
    };
    return status ? status : vl_panel_read(job->panel, &request, reading, error);
}

double vl_ocr_reading_worth(const vl_engine_reading *reading) {
    double sure = reading->confidence - 0.35;
    return sure > 0 ? sure * (double)reading->characters : 0;
}

static size_t characters_of(const vl_engine_line *line) {
    size_t count = 0;
    for (size_t i = 0; i < line->word_count; i++)
        for (const char *at = line->words[i].text; *at; at++)
            count += ((unsigned char)*at & 0xC0) != 0x80;
    return count;
}

void vl_ocr_reading_sum_up(vl_engine_reading *reading) {
    double sum = 0;
    reading->characters = 0;
    for (size_t i = 0; i < reading->line_count; i++) {
        size_t count = characters_of(&reading->lines[i]);
        sum += reading->lines[i].confidence * (double)count;
        reading->characters += count;
    }
    reading->confidence = reading->characters ? sum / (double)reading->characters : 0;
}

/* The page's mode first; another only where that one found next to nothing. */
static vl_status read_modes(const vl_ocr_job *job, const vl_ocr_picture *picture,
                            const char *packs, vl_engine_reading *reading, vl_error *error) {
    bool line = picture->survey.single_line;
    bool small = pixGetHeight(picture->upright) < 300;
    vl_engine_mode modes[3];
    size_t count = 0;
    modes[count++] = line ? VL_ENGINE_LINE : VL_ENGINE_PAGE;
    if (line || !small)
        modes[count++] = line ? VL_ENGINE_BLOCK : VL_ENGINE_SPARSE;
    else
        modes[count++] = VL_ENGINE_BLOCK;
    if (small)
        modes[count++] = VL_ENGINE_SPARSE;
    memset(reading, 0, sizeof *reading);
    for (size_t i = 0; i < count; i++) {
        vl_engine_reading next;
        vl_status status = read_once(job, picture, packs, modes[i], &next, error);
        if (status)
            return status;
        if (i == 0 || vl_ocr_reading_worth(&next) > vl_ocr_reading_worth(reading))
            *reading = next;
        bool little =
            reading->characters < 3 || (reading->confidence < 0.5 && reading->characters < 40);
        if (!little || picture->survey.letters == 0)
            break;
    }
    return VL_OK;
}

static void move_box(vl_box *box, vl_box part) {
    box->x += part.x;
    box->y += part.y;
}

static void move_reading(vl_engine_reading *reading, vl_box part) {
    for (size_t i = 0; i < reading->line_count; i++) {
        vl_engine_line *line = &reading->lines[i];
        move_box(&line->box, part);
        line->baseline_y0 += part.y;
        line->baseline_y1 += part.y;
        for (size_t k = 0; k < line->word_count; k++)
            move_box(&line->words[k].box, part);
        for (size_t k = 0; k < line->symbol_count; k++)
            move_box(&line->symbols[k].box, part);
    }
    for (size_t i = 0; i < reading->figure_count; i++)
        move_box(&reading->figures[i], part);
}

vl_status vl_ocr_read_part(const vl_ocr_job *job, const vl_ocr_picture *picture,
                           const char *packs, vl_box part, vl_engine_reading *reading,
                           vl_error *error) {
    vl_status status = vl_ocr_job_check(job, error);
    BOX *box = boxCreate(part.x, part.y, part.width, part.height);
    PIX *cut = box ? pixClipRectangle(picture->work, box, NULL) : NULL;
    vl_engine_request request = {
        .picture = cut,
        .dpi = picture->work_dpi,
        .packs = packs,
        .mode = VL_ENGINE_COLUMN,
        .dark_on_light = is_dark_on_light(&picture->survey),
        .symbols = vl_panel_count(job->panel) > 1,
        .deadline_ns = job->deadline_ns,
        .arena = job->arena,
    };
    memset(reading, 0, sizeof *reading);
    if (!status && !cut)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for a part of the page");
    if (!status)
        status = vl_panel_call(job->panel, job->panel->read_by, &request, reading, error);
    if (!status)
        move_reading(reading, part);
    boxDestroy(&box);
    pixDestroy(&cut);
    return status;
}

/* ---- how good it is --------------------------------------------------------------------- */

/* The words that were read, as black boxes on a smaller sheet: looking up a mark is one point
 * then. */
static PIX *words_sheet(const vl_ocr_picture *picture, const vl_engine_reading *reading,
                        int smaller) {
    PIX *sheet = pixCreate(pixGetWidth(picture->work) / smaller + 1,
                           pixGetHeight(picture->work) / smaller + 1, 1);
    for (size_t i = 0; sheet && i < reading->line_count; i++)
        for (size_t k = 0; k < reading->lines[i].word_count; k++) {
            vl_box b = reading->lines[i].words[k].box;
            pixRasterop(sheet, b.x / smaller, b.y / smaller, b.width / smaller + 1,
                        b.height / smaller + 1, PIX_SET, NULL, 0, 0);
        }
    return sheet;
}

static bool is_letter_like(const vl_box *mark, double letter) {
    return mark->height > 0.4 * letter && mark->height < 3 * letter &&
           mark->width < 8 * mark->height && mark->height < 12 * mark->width;
}

/* The share of letter-like marks whose middle lies in a word. */
static double coverage(const vl_ocr_picture *picture, const vl_engine_reading *reading) {
    enum { SMALLER = 4 };
    const vl_ocr_survey *survey = &picture->survey;
    PIX *sheet = words_sheet(picture, reading, SMALLER);
    size_t marks = 0, read = 0;
    double scale = picture->scale / SMALLER;
    for (size_t i = 0; sheet && i < survey->mark_count; i++) {
        const vl_box *mark = &survey->marks[i];
        l_uint32 hit = 0;
        if (!is_letter_like(mark, survey->letter_height))
            continue;
        marks++;
        pixGetPixel(sheet, (l_int32)((mark->x + mark->width / 2.0) * scale),
                    (l_int32)((mark->y + mark->height / 2.0) * scale), &hit);
        read += hit;
    }
    pixDestroy(&sheet);
    return marks ? (double)read / (double)marks : 1;
}

double vl_ocr_reading_quality(const vl_ocr_picture *picture, const vl_engine_reading *reading) {
    return reading->characters ? reading->confidence * coverage(picture, reading) : 0;
}

/* ---- on a cleaned picture --------------------------------------------------------------- */

typedef struct attempt {
    vl_cleanup_page page;
    vl_ocr_picture view; /* the picture with the cleaned page in the place of its work */
    vl_engine_reading reading;
} attempt;

static void attempt_deinit(attempt *a) {
    vl_cleanup_page_deinit(&a->page);
}

/* False: the clean-up has nothing to do here. */
static bool attempt_init(attempt *a, const vl_ocr_picture *picture, vl_cleanup cleanup) {
    double letter = picture->survey.letter_height * picture->scale;
    memset(a, 0, sizeof *a);
    if (!vl_cleanup_apply(cleanup, picture->work, letter, &a->page))
        return false;
    a->view = *picture;
    a->view.work = a->page.picture;
    a->view.scale *= a->page.scale;
    a->view.work_dpi = (int)(picture->work_dpi * a->page.scale + 0.5);
    a->view.cleanup = vl_cleanup_name(cleanup);
    return true;
}

static int32_t risen(const vl_warp *warp, double x, int32_t y) {
    return (int32_t)(y - vl_warp_rise(warp, x, y));
}

/* What was read on straightened lines, where it stands on the page. */
static void unwarp(const vl_warp *warp, vl_engine_reading *reading) {
    for (size_t i = 0; i < reading->line_count; i++) {
        vl_engine_line *line = &reading->lines[i];
        int32_t right = line->box.x + line->box.width;
        line->baseline_y0 = risen(warp, line->box.x, line->baseline_y0);
        line->baseline_y1 = risen(warp, right, line->baseline_y1);
        line->box = vl_warp_back(warp, line->box);
        for (size_t k = 0; k < line->word_count; k++)
            line->words[k].box = vl_warp_back(warp, line->words[k].box);
        for (size_t k = 0; k < line->symbol_count; k++)
            line->symbols[k].box = vl_warp_back(warp, line->symbols[k].box);
    }
    for (size_t i = 0; i < reading->figure_count; i++)
        reading->figures[i] = vl_warp_back(warp, reading->figures[i]);
}

static vl_status attempt_read(attempt *a, const vl_ocr_job *job, const char *packs,
                              vl_error *error) {
    vl_status status = read_modes(job, &a->view, packs, &a->reading, error);
    if (!status && a->page.warp)
        unwarp(a->page.warp, &a->reading);
    return status;
}

static double attempt_quality(const attempt *a, const vl_ocr_picture *picture) {
    return vl_ocr_reading_quality(a->page.warp ? picture : &a->view, &a->reading);
}

/* The cleaned page becomes the picture's own, unless its pixels were moved: then only what was
 * read there counts, and lines are still cut out of the page as it is. */
static void attempt_adopt(attempt *a, vl_ocr_picture *picture, vl_engine_reading *reading) {
    *reading = a->reading;
    picture->cleanup = a->view.cleanup;
    if (a->page.warp)
        return;
    PIX *before = picture->work;
    *picture = a->view;
    a->page.picture = before;
}

vl_status vl_ocr_read_whole(const vl_ocr_job *job, const vl_preprocessing *preprocessing,
                            const char *packs, vl_ocr_picture *picture,
                            vl_engine_reading *reading, vl_error *error) {
    attempt a;
    if (preprocessing->kind != VL_PREPROCESSING_ALWAYS || picture->cleanup ||
        !attempt_init(&a, picture, preprocessing->cleanup))
        return read_modes(job, picture, packs, reading, error);
    vl_status status = attempt_read(&a, job, packs, error);
    if (!status)
        attempt_adopt(&a, picture, reading);
    attempt_deinit(&a);
    return status;
}

/* ---- a sample of lines ------------------------------------------------------------------ */

enum { SAMPLED_LINES = 8, SAMPLED_FROM = 16, SAMPLED_CHARACTERS = 8 };

/* Boxes of lines spread evenly over the page. Returns how many. */
static size_t spread_lines(const vl_engine_reading *reading, vl_box boxes[SAMPLED_LINES]) {
    size_t fit = 0, seen = 0, count = 0;
    for (size_t i = 0; i < reading->line_count; i++)
        fit += characters_of(&reading->lines[i]) >= SAMPLED_CHARACTERS;
    for (size_t i = 0; i < reading->line_count && count < SAMPLED_LINES; i++)
        if (characters_of(&reading->lines[i]) >= SAMPLED_CHARACTERS &&
            seen++ * SAMPLED_LINES >= count * fit)
            boxes[count++] = reading->lines[i].box;
    return count;
}

static vl_box box_scaled(vl_box box, double scale) {
    return (vl_box){(int32_t)(box.x * scale), (int32_t)(box.y * scale),
                    (int32_t)(box.width * scale), (int32_t)(box.height * scale)};
}

/* Reads the lines at `boxes` (in the pixels of a work that `scale` is relative to), stacked on
 * one small picture. */
static vl_status read_sample(const vl_ocr_job *job, const char *packs,
                             const vl_ocr_picture *view, const vl_box *boxes, size_t count,
                             double scale, vl_engine_reading *reading, vl_error *error) {
    vl_box scaled[SAMPLED_LINES];
    for (size_t i = 0; i < count; i++)
        scaled[i] = box_scaled(boxes[i], scale);
    PIX *sample = vl_ocr_picture_samples(view, scaled, count, count);
    vl_engine_request request = {.picture = sample,
                                 .dpi = view->work_dpi,
                                 .packs = packs,
                                 .mode = VL_ENGINE_BLOCK,
                                 .dark_on_light = true,
                                 .deadline_ns = job->deadline_ns,
                                 .arena = job->arena};
    memset(reading, 0, sizeof *reading);
    vl_status status =
        sample ? vl_panel_read(job->panel, &request, reading, error) : VL_ERR_UNSUPPORTED;
    pixDestroy(&sample);
    return status;
}

/* Leaves of `cleanups` the one that reads a sample of the page's lines best, if that is clearly
 * better than the page as it is. Where the sample can't be read all of them stay. */
static void choose_by_sample(const vl_ocr_job *job, const char *packs,
                             const vl_ocr_picture *picture, const vl_engine_reading *reading,
                             vl_cleanup *cleanups, size_t *count) {
    vl_box boxes[SAMPLED_LINES];
    vl_engine_reading plain, cleaned;
    vl_error trouble;
    vl_cleanup best = VL_CLEANUP_COUNT;
    size_t lines = spread_lines(reading, boxes);
    if (read_sample(job, packs, picture, boxes, lines, 1, &plain, &trouble) ||
        !plain.characters)
        return;
    double wanted = plain.confidence + CLEAR_GAIN;
    for (size_t i = 0; i < *count; i++) {
        attempt a;
        if (!attempt_init(&a, picture, cleanups[i]))
            continue;
        if (!read_sample(job, packs, &a.view, boxes, lines, a.page.scale, &cleaned, &trouble)) {
            double kept = (double)cleaned.characters / (double)plain.characters;
            double reached = cleaned.confidence * (kept < 1 ? kept : 1);
            if (reached > wanted) {
                wanted = reached;
                best = cleanups[i];
            }
        }
        attempt_deinit(&a);
    }
    *count = best != VL_CLEANUP_COUNT;
    cleanups[0] = best;
}

/* ---- whether one reads better ----------------------------------------------------------- */

typedef struct search {
    const vl_ocr_job *job;
    const char *packs;
    const vl_ocr_picture *picture;
    size_t lead;
    double quality, wanted; /* of the best so far; of the next to be kept */
    attempt best;           /* its view.cleanup is NULL: none yet */
} search;

static bool is_worth_a_try(const vl_ocr_job *job, const vl_ocr_picture *picture,
                           int64_t spent_ns) {
    bool time = job->deadline_ns <= 0 || vl_clock_ns() + 2 * spent_ns < job->deadline_ns;
    return time && !job->photo && !job->blank && picture->survey.letters > 0 &&
           vl_panel_engine(job->panel, job->panel->read_by)->knows_confidence;
}

/* Failing is no failure of the page: what there is stands, and no more is tried. */
static vl_status try_cleanup(search *s, vl_cleanup cleanup, vl_error *error) {
    attempt next;
    if (!attempt_init(&next, s->picture, cleanup))
        return VL_OK;
    vl_status status = attempt_read(&next, s->job, s->packs, error);
    if (!status && s->job->panel->read_by != s->lead) {
        s->job->panel->read_by = s->lead; /* its confidence is another engine's */
        status = VL_ERR_MISSING;
    }
    double reached = status ? 0 : attempt_quality(&next, s->picture);
    if (!status && reached > s->wanted && reached >= HALF) {
        attempt swap = s->best;
        s->best = next;
        next = swap;
        s->quality = s->wanted = reached;
    }
    attempt_deinit(&next);
    return status;
}

vl_status vl_ocr_read_better(const vl_ocr_job *job, const char *packs, int64_t spent_ns,
                             vl_ocr_picture *picture, vl_engine_reading *reading,
                             vl_error *error) {
    vl_cleanup cleanups[SAMPLES_MOST];
    vl_status status = VL_OK;
    vl_error trouble;
    if (!is_worth_a_try(job, picture, spent_ns))
        return VL_OK;
    search s = {.job = job, .packs = packs, .picture = picture, .lead = job->panel->read_by};
    double covered = coverage(picture, reading);
    s.quality = reading->characters ? reading->confidence * covered : 0;
    s.wanted = s.quality + CLEAR_GAIN;
    if (s.quality >= GOOD || (reading->confidence >= GOOD && covered >= MOST))
        return VL_OK;
    vl_ocr_traits traits = vl_ocr_traits_of(picture, reading);
    size_t count = vl_ocr_traits_cleanups(&traits, cleanups, SAMPLES_MOST);
    /* Where lines were missed, only reading the whole page shows what finds them. */
    if (count && covered >= FOUND_ALL && reading->line_count >= SAMPLED_FROM &&
        cleanups[0] != VL_CLEANUP_DEWARPED)
        choose_by_sample(job, packs, picture, reading, cleanups, &count);
    for (size_t i = 0; i < count && i < ATTEMPTS_MOST && s.quality < GOOD && !status; i++)
        status = try_cleanup(&s, cleanups[i], &trouble);
    if (s.best.view.cleanup)
        attempt_adopt(&s.best, picture, reading);
    attempt_deinit(&s.best);
    job->panel->read_by = s.lead;
    if (status == VL_ERR_MEMORY) {
        if (error)
            *error = trouble;
        return status;
    }
    return VL_OK;
}
