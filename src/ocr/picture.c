/* picture.c — makes a page picture ready for reading.
 *
 * Straight line: pixels → pix (grey when no pixel is coloured) → turned → surveyed (Otsu,
 * connected marks: polarity, letter height, skew, one line or many) → deskewed → scaled. One
 * survey costs 2 to 4 % of reading the page.
 *
 *   pix_from_image, vl_ocr_picture_image   between vl_image and leptonica
 *   survey                                 what the pixels say
 *   vl_ocr_picture_init                    the straight line
 *   vl_ocr_picture_samples                 a few lines on one small picture */
#include "ocr/picture.h"

#include <leptonica/allheaders.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLOUR_SPREAD = 40, /* channels further apart than this: the pixel has a colour */
    MARKS_MAX = 60000,  /* connected marks looked at: more is texture */
    GRAIN_LEAST = 1000, /* marks, and so many of them for each letter: grain */
    GRAIN_SHARE = 4,
    CALM_LETTERS = 20,
    LETTERS_FOR_SKEW = 60,    /* fewer say nothing about skew */
    UPSCALED_SIDE_MAX = 4000, /* pages this large have small marks for other reasons */
    WORK_PIXELS_MAX = 60000000,
};
static const double SKEW_MIN = 1.0, SKEW_MAX = 15.0;      /* degrees undone */
static const double LETTER_MIN = 10.0, LETTER_MAX = 70.0; /* pixels: else scaled */
static const double LETTER_GOAL_LOW = 20.0, LETTER_GOAL_HIGH = 40.0;

/* ---- between vl_image and leptonica ------------------------------------------------ */

static bool is_coloured(const vl_image *image) {
    if (image->channels != 3)
        return false;
    size_t coloured = 0, seen = 0;
    uint32_t step = image->width > 800 ? 3 : 1;
    for (uint32_t y = 0; y < image->height; y += step) {
        const uint8_t *p = image->pixels + y * image->stride;
        for (uint32_t x = 0; x < image->width; x += step, p += 3 * step, seen++) {
            int high = p[0] > p[1] ? p[0] : p[1], low = p[0] < p[1] ? p[0] : p[1];
            high = p[2] > high ? p[2] : high;
            low = p[2] < low ? p[2] : low;
            coloured += high - low > COLOUR_SPREAD;
        }
    }
    return coloured * 100 > seen;
}

static void row_to_grey(const vl_image *image, uint32_t y, l_uint32 *line) {
    const uint8_t *p = image->pixels + y * image->stride;
    if (image->channels == 1) {
        for (uint32_t x = 0; x < image->width; x++)
            SET_DATA_BYTE(line, x, p[x]);
        return;
    }
    for (uint32_t x = 0; x < image->width; x++, p += 3)
        SET_DATA_BYTE(line, x, (l_uint8)((p[0] * 77u + p[1] * 150u + p[2] * 29u) >> 8));
}

static PIX *pix_from_image(const vl_image *image, bool colour) {
    PIX *pix = pixCreateNoInit((l_int32)image->width, (l_int32)image->height, colour ? 32 : 8);
    if (!pix)
        return NULL;
    l_uint32 *data = pixGetData(pix);
    size_t words = (size_t)pixGetWpl(pix);
    for (uint32_t y = 0; y < image->height; y++) {
        l_uint32 *line = data + y * words;
        if (!colour) {
            row_to_grey(image, y, line);
            continue;
        }
        const uint8_t *p = image->pixels + y * image->stride;
        for (uint32_t x = 0; x < image->width; x++, p += 3)
            line[x] = (l_uint32)p[0] << L_RED_SHIFT | (l_uint32)p[1] << L_GREEN_SHIFT |
                      (l_uint32)p[2] << L_BLUE_SHIFT;
    }
    return pix;
}

static PIX *deskewed(PIX *pix, double skew) {
    l_int32 width = pixGetWidth(pix), height = pixGetHeight(pix);
    return pixRotate(pix, (l_float32)(skew * 3.14159265358979 / 180.0), L_ROTATE_AREA_MAP,
                     L_BRING_IN_WHITE, width, height);
}

/* The picture it was read from once more, turned and straightened alike, in its own colours:
 * what is read is grey, what is shown and kept must not be. */
static PIX *upright_in_colour(const vl_ocr_picture *picture, const vl_image *original) {
    PIX *pix = pix_from_image(original, true);
    PIX *turned = pix && picture->rotation ? pixRotateOrth(pix, picture->rotation / 90)
                  : pix                    ? pixClone(pix)
                                           : NULL;
    pixDestroy(&pix);
    PIX *straight = turned && picture->skew != 0 ? deskewed(turned, picture->skew) : NULL;
    if (straight)
        pixDestroy(&turned);
    return straight ? straight : turned;
}

vl_status vl_ocr_picture_image(const vl_ocr_picture *picture, const vl_image *original,
                               vl_image **out, vl_error *error) {
    *out = NULL;
    if (!picture->rotation && picture->skew == 0) {
        *out = vl_image_copy(original);
        return *out ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for the page picture");
    }
    PIX *pix = original->channels == 3 ? upright_in_colour(picture, original)
                                       : pixClone(picture->upright);
    if (!pix)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the page picture");
    uint32_t width = (uint32_t)pixGetWidth(pix), height = (uint32_t)pixGetHeight(pix);
    bool colour = pixGetDepth(pix) == 32;
    vl_image *image = NULL;
    vl_status status = vl_image_new(width, height, colour ? 3 : 1, &image, error);
    if (status) {
        pixDestroy(&pix);
        return status;
    }
    image->dpi = picture->dpi;
    l_uint32 *data = pixGetData(pix);
    size_t words = (size_t)pixGetWpl(pix);
    for (uint32_t y = 0; y < height; y++) {
        const l_uint32 *line = data + y * words;
        uint8_t *p = image->pixels + y * image->stride;
        for (uint32_t x = 0; x < width; x++) {
            uint32_t value = colour ? line[x] : GET_DATA_BYTE(line, x) * 0x01010100u;
            if (image->channels == 1) {
                *p++ = (uint8_t)(value >> L_GREEN_SHIFT);
                continue;
            }
            *p++ = (uint8_t)(value >> L_RED_SHIFT);
            *p++ = (uint8_t)(value >> L_GREEN_SHIFT);
            *p++ = (uint8_t)(value >> L_BLUE_SHIFT);
        }
    }
    pixDestroy(&pix);
    *out = image;
    return VL_OK;
}

/* ---- survey ------------------------------------------------------------------------ */

static PIX *binary_of(PIX *pix) {
    PIX *grey = pixGetDepth(pix) == 32 ? pixConvertRGBToLuminance(pix) : pixClone(pix);
    PIX *binary = NULL;
    if (grey)
        pixOtsuAdaptiveThreshold(grey, 400, 400, 0, 0, 0.1f, NULL, &binary);
    pixDestroy(&grey);
    return binary;
}

static bool is_letter(l_int32 w, l_int32 h, l_int32 page_height) {
    return h >= 4 && w >= 2 && w <= 8 * h && h <= 12 * w && (h * 3 < page_height || h < 150) &&
           w * h < 160000;
}

static int by_size(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

/* The median, each letter weighing its height, so that specks do not pull it down. */
static double median_height(int *heights, size_t count) {
    if (!count)
        return 0;
    qsort(heights, count, sizeof *heights, by_size);
    double total = 0, run = 0;
    for (size_t i = 0; i < count; i++)
        total += heights[i];
    for (size_t i = 0; i < count; i++)
        if ((run += heights[i]) * 2 >= total)
            return heights[i];
    return heights[count - 1];
}

static BOXA *marks_of(PIX *binary) {
    l_int32 count = 0;
    /* Texture has a mark every few pixels: counting is cheaper than boxing them all. */
    if (pixCountConnComp(binary, 8, &count) || count > MARKS_MAX)
        return NULL;
    return pixConnCompBB(binary, 8);
}

static size_t count_letters(BOXA *boxes, l_int32 page_height) {
    size_t n = 0;
    for (l_int32 i = 0; boxes && i < boxaGetCount(boxes); i++) {
        l_int32 x, y, w, h;
        if (!boxaGetBoxGeometry(boxes, i, &x, &y, &w, &h))
            n += is_letter(w, h, page_height);
    }
    return n;
}

static vl_status keep_marks(vl_ocr_survey *survey, BOXA *boxes, l_int32 page_height,
                            vl_arena *arena, vl_error *error) {
    size_t count = (size_t)boxaGetCount(boxes), letters = 0;
    vl_box *marks = vl_arena_array(arena, count + 1, sizeof *marks);
    int *heights = malloc((count + 1) * sizeof *heights);
    if (!marks || !heights) {
        free(heights);
        return vl_fail(error, VL_ERR_MEMORY, "no memory to survey the page");
    }
    for (size_t i = 0; i < count; i++) {
        l_int32 x = 0, y = 0, w = 0, h = 0;
        boxaGetBoxGeometry(boxes, (l_int32)i, &x, &y, &w, &h);
        marks[i] = (vl_box){x, y, w, h};
        if (is_letter(w, h, page_height))
            heights[letters++] = h;
    }
    survey->marks = marks;
    survey->mark_count = count;
    survey->letters = letters;
    survey->letter_height = median_height(heights, letters);
    free(heights);
    return VL_OK;
}

/* One line of text: the rows' ink has one run that holds nearly all of it. */
static bool looks_single_line(PIX *binary, const vl_ocr_survey *survey) {
    l_int32 width = pixGetWidth(binary), height = pixGetHeight(binary);
    if (width < height || height > 400 || survey->letters == 0)
        return false;
    NUMA *rows = pixCountPixelsByRow(binary, NULL);
    if (!rows)
        return false;
    double total = 0, run = 0, best = 0;
    int gap = 0, runs = 0, gap_max = (int)(survey->letter_height * 0.25) + 1;
    for (l_int32 y = 0; y < height; y++) {
        l_float32 ink = 0;
        numaGetFValue(rows, y, &ink);
        total += (double)ink;
        if (ink <= (l_float32)width * 0.004f) {
            gap++;
            continue;
        }
        if (gap > gap_max || run == 0) {
            run = 0;
            runs++;
        }
        gap = 0;
        run += (double)ink;
        best = run > best ? run : best;
    }
    numaDestroy(&rows);
    return total > 0 && (best > 0.85 * total || runs == 1) &&
           height < 6 * survey->letter_height + 40;
}

/* At a fraction of the size, in which letters keep some pixels: with fewer, tilts of ten
 * degrees are not told from none. */
static double measured_skew(PIX *binary, const vl_ocr_survey *survey) {
    l_float32 angle = 0, confidence = 0;
    l_int32 sweep = survey->letter_height < 28 ? 2 : 4;
    if (survey->letters < LETTERS_FOR_SKEW || survey->single_line ||
        pixFindSkewSweepAndSearch(binary, &angle, &confidence, sweep, 2, (l_float32)SKEW_MAX,
                                  1.0f, 0.05f))
        return 0;
    if (confidence < 3.0f || fabs((double)angle) < SKEW_MIN)
        return 0;
    return (double)angle;
}

/* On grainy paper beside something dark, tiles without text fall apart into grain. There the
 * paper is made even (to a level of 200) and grain is blurred, and one level parts them from
 * the ink. */
static PIX *without_grain(PIX *pix) {
    enum { INK = 150 };
    PIX *grey = pixGetDepth(pix) == 32 ? pixConvertRGBToLuminance(pix) : pixClone(pix);
    PIX *even = grey ? pixBackgroundNormSimple(grey, NULL, NULL) : NULL;
    PIX *calm = even ? pixBlockconv(even, 1, 1) : NULL;
    PIX *binary = calm ? pixThresholdToBinary(calm, INK) : NULL;
    pixDestroy(&calm);
    pixDestroy(&even);
    pixDestroy(&grey);
    return binary;
}

static bool is_grain(BOXA *boxes, l_int32 height) {
    size_t marks = boxes ? (size_t)boxaGetCount(boxes) : 0;
    return marks > GRAIN_LEAST && marks > GRAIN_SHARE * count_letters(boxes, height);
}

static vl_status survey_pix(PIX *pix, vl_ocr_survey *survey, vl_arena *arena, vl_error *error) {
    vl_status status = VL_OK;
    memset(survey, 0, sizeof *survey);
    l_int32 width = pixGetWidth(pix), height = pixGetHeight(pix), ink = 0;
    PIX *binary = binary_of(pix);
    if (!binary)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to survey the page");
    BOXA *boxes = marks_of(binary);
    PIX *calm = is_grain(boxes, height) ? without_grain(pix) : NULL;
    BOXA *calmer = calm ? marks_of(calm) : NULL;
    if (calmer && !is_grain(calmer, height) && count_letters(calmer, height) >= CALM_LETTERS) {
        boxaDestroy(&boxes);
        boxes = calmer;
        calmer = NULL;
        pixDestroy(&binary);
        binary = calm;
        calm = NULL;
    }
    boxaDestroy(&calmer);
    pixDestroy(&calm);
    pixCountPixels(binary, &ink, NULL);
    if ((double)ink > 0.5 * width * height) {
        PIX *inverse = pixInvert(NULL, binary);
        BOXA *others = inverse ? marks_of(inverse) : NULL;
        if (count_letters(others, height) > count_letters(boxes, height)) {
            survey->light_on_dark = true;
            BOXA *swap = boxes;
            boxes = others;
            others = swap;
            pixDestroy(&binary);
            binary = inverse;
            inverse = NULL;
        }
        boxaDestroy(&others);
        pixDestroy(&inverse);
    }
    if (boxes)
        status = keep_marks(survey, boxes, height, arena, error);
    if (!status) {
        survey->single_line = looks_single_line(binary, survey);
        survey->skew = measured_skew(binary, survey);
    }
    boxaDestroy(&boxes);
    pixDestroy(&binary);
    return status;
}

/* ---- the straight line -------------------------------------------------------------- */

static double work_scale(const vl_ocr_survey *survey, PIX *pix, uint32_t max_side) {
    double scale = 1, width = pixGetWidth(pix), height = pixGetHeight(pix);
    double side = width > height ? width : height;
    if (survey->letter_height > 0 && survey->letter_height < LETTER_MIN)
        scale = LETTER_GOAL_LOW / survey->letter_height;
    else if (survey->letter_height > LETTER_MAX)
        scale = LETTER_GOAL_HIGH / survey->letter_height;
    scale = scale > 3 ? 3 : scale;
    if (scale > 1 && side * scale > UPSCALED_SIDE_MAX)
        scale = side < UPSCALED_SIDE_MAX ? UPSCALED_SIDE_MAX / side : 1;
    if (scale < 1 && side * scale < 300)
        scale = side < 300 ? 1 : 300 / side;
    if (max_side && side * scale > max_side)
        scale = max_side / side;
    if (width * height * scale * scale > WORK_PIXELS_MAX)
        scale = sqrt(WORK_PIXELS_MAX / (width * height));
    return scale;
}

/* The file's resolution is believed only where letters have a size that fits it: phones and
 * editors write 72 into everything. Print of 10 points has an x-height of about dpi / 15. */
static int believed_dpi(double dpi, double scale, double letter_height) {
    double likely = letter_height * 15;
    if (dpi < 70 || dpi > 1200 || letter_height <= 0 || dpi > likely * 2.5 ||
        dpi < likely / 2.5)
        return 0;
    return (int)(dpi * scale + 0.5);
}

vl_status vl_ocr_picture_init(vl_ocr_picture *picture, const vl_image *image, int rotation,
                              bool deskew, uint32_t max_side, vl_arena *arena,
                              vl_error *error) {
    memset(picture, 0, sizeof *picture);
    vl_status status = VL_OK;
    PIX *pix = pix_from_image(image, is_coloured(image)), *turned = NULL, *grey = NULL,
        *sized = NULL;
    if (pix && rotation)
        turned = pixRotateOrth(pix, rotation / 90);
    else if (pix)
        turned = pixClone(pix);
    if (!turned) {
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for the page picture");
        goto out;
    }
    status = survey_pix(turned, &picture->survey, arena, error);
    if (status)
        goto out;
    if (deskew && picture->survey.skew != 0) {
        PIX *straight = deskewed(turned, picture->survey.skew);
        if (straight) {
            pixDestroy(&turned);
            turned = straight;
            picture->skew = picture->survey.skew;
            status = survey_pix(turned, &picture->survey, arena, error);
            if (status)
                goto out;
        }
    }
    picture->rotation = rotation;
    picture->dpi = image->dpi;
    picture->scale = work_scale(&picture->survey, turned, max_side);
    /* The recogniser reads grey; in colour every line would be converted on its own, and the
     * threshold sought in three channels (measured: a tenth of the page's time). */
    grey = pixGetDepth(turned) == 32 ? pixConvertRGBToLuminance(turned) : pixClone(turned);
    if (grey && picture->scale != 1)
        sized = pixScale(grey, (l_float32)picture->scale, (l_float32)picture->scale);
    else if (grey)
        sized = pixClone(grey);
    if (sized && picture->survey.light_on_dark) {
        PIX *dark = pixInvert(NULL, sized);
        pixDestroy(&sized);
        sized = dark;
    }
    if (!sized) {
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for the page picture");
        goto out;
    }
    picture->work_dpi = believed_dpi(image->dpi, picture->scale, picture->survey.letter_height);
    pixSetResolution(sized, picture->work_dpi, picture->work_dpi);
    picture->upright = turned;
    picture->work = sized;
    turned = sized = NULL;
out:
    pixDestroy(&pix);
    pixDestroy(&turned);
    pixDestroy(&grey);
    pixDestroy(&sized);
    return status;
}

void vl_ocr_picture_deinit(vl_ocr_picture *picture) {
    pixDestroy(&picture->upright);
    pixDestroy(&picture->work);
}

vl_box vl_ocr_picture_box(const vl_ocr_picture *picture, vl_box box) {
    double scale = picture->scale;
    int32_t width = pixGetWidth(picture->upright), height = pixGetHeight(picture->upright);
    int32_t x0 = (int32_t)floor(box.x / scale), y0 = (int32_t)floor(box.y / scale);
    int32_t x1 = (int32_t)ceil((box.x + box.width) / scale);
    int32_t y1 = (int32_t)ceil((box.y + box.height) / scale);
    x0 = x0 < 0 ? 0 : x0 > width ? width : x0;
    y0 = y0 < 0 ? 0 : y0 > height ? height : y0;
    x1 = x1 > width ? width : x1 < x0 ? x0 : x1;
    y1 = y1 > height ? height : y1 < y0 ? y0 : y1;
    return (vl_box){x0, y0, x1 - x0, y1 - y0};
}

/* ---- samples ------------------------------------------------------------------------ */

typedef struct sample {
    vl_box box;
    double worth;
} sample;

static int by_worth(const void *a, const void *b) {
    double x = ((const sample *)a)->worth, y = ((const sample *)b)->worth;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* How many letter-like marks of the usual height stand in a box of `work`: rules, smudges and
 * lines standing on end have few. */
static double worth_of(const vl_ocr_picture *picture, vl_box line) {
    const vl_ocr_survey *survey = &picture->survey;
    vl_box box = vl_ocr_picture_box(picture, line);
    size_t letters = 0;
    for (size_t i = 0; i < survey->mark_count; i++) {
        vl_box m = survey->marks[i];
        int32_t x = m.x + m.width / 2, y = m.y + m.height / 2;
        letters += m.height * 5 > survey->letter_height * 2 &&
                   m.height < survey->letter_height * 3 && x >= box.x &&
                   x < box.x + box.width && y >= box.y && y < box.y + box.height;
    }
    if (line.height > line.width)
        return letters > 1 ? 1 : 0;
    double expected = line.height * 40.0 / (line.width + 1.0); /* wide lines hold more */
    return letters > 40 ? 40 + (double)(letters - 40) * 0.2 : (double)letters - expected;
}

static size_t choose_samples(const vl_ocr_picture *picture, const vl_box *lines, size_t count,
                             size_t max, sample *chosen) {
    sample *all = malloc((count + 1) * sizeof *all);
    size_t n = 0;
    for (size_t i = 0; all && i < count; i++)
        if (lines[i].height >= 6 && lines[i].width >= 6)
            all[n++] = (sample){lines[i], worth_of(picture, lines[i])};
    if (n) {
        qsort(all, n, sizeof *all, by_worth);
        n = n < max ? n : max;
        memcpy(chosen, all, n * sizeof *chosen);
        /* Letters on end are no sample: the page lies on its side. */
        if (chosen[0].worth <= 1 && chosen[0].box.height > 2 * chosen[0].box.width)
            n = 0;
        while (n > 1 && chosen[n - 1].worth < 2)
            n--;
    }
    free(all);
    return n;
}

/* The paper's own grey around the lines: on white, paper would be taken for ink. */
static l_int32 paper_level(PIX *grey, const sample *chosen, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        vl_box b = chosen[i].box;
        BOX *box = boxCreate(b.x, b.y, b.width, b.height);
        PIX *cut = box ? pixClipRectangle(grey, box, NULL) : NULL;
        l_float32 level = 255;
        if (cut)
            pixGetRankValueMasked(cut, NULL, 0, 0, 2, 0.7f, &level, NULL);
        sum += (double)level;
        pixDestroy(&cut);
        boxDestroy(&box);
    }
    return (l_int32)(sum / (double)count);
}

PIX *vl_ocr_picture_samples(const vl_ocr_picture *picture, const vl_box *lines, size_t count,
                            size_t max) {
    enum { SAMPLES = 12, PAD = 8, MARGIN = 24 };
    sample chosen[SAMPLES];
    size_t n = choose_samples(picture, lines, count, max < SAMPLES ? max : SAMPLES, chosen);
    if (n == 0)
        return NULL;
    l_int32 width = 0, height = MARGIN;
    for (size_t i = 0; i < n; i++) {
        width = chosen[i].box.width > width ? chosen[i].box.width : width;
        height += chosen[i].box.height + 2 * PAD + chosen[i].box.height / 3;
    }
    PIX *grey = picture->work;
    PIX *out = pixCreate(width + 2 * MARGIN, height + MARGIN, 8);
    if (out) {
        pixSetAllArbitrary(out, (l_uint32)paper_level(grey, chosen, n));
        l_int32 y = MARGIN;
        for (size_t i = 0; i < n; i++) {
            vl_box b = chosen[i].box;
            pixRasterop(out, MARGIN, y, b.width, b.height + PAD, PIX_SRC, grey, b.x,
                        b.y - PAD / 2);
            y += b.height + 2 * PAD + b.height / 3;
        }
    }
    return out;
}
