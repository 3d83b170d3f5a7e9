/* ageing.c — see ageing.h.
 *
 * A line goes through what its page went through, in that order: print, paper, the other things
 * on it, the camera's place, the crop of a line finder, light and lens, the sensor, the file.
 */
#include "dataset/ageing.h"

#include "dataset/degrade.h"

#include <math.h>

typedef enum medium { MEDIUM_SCAN, MEDIUM_PHOTO, MEDIUM_COPY, MEDIUM_SCREEN, MEDIA } medium;
static const double media_odds[MEDIA] = {45, 30, 12, 13};

/* How often each happens, by medium: scan, photo, copy or fax, born on a screen. */
typedef struct chances {
    const char *name;
    double odds[MEDIA];
} chances;
static const chances thicken = {"thicken", {0.18, 0.15, 0.35, 0}},
                     thin = {"thin", {0.14, 0.08, 0.25, 0}},
                     fade = {"fade", {0.15, 0.08, 0.3, 0}},
                     slant = {"slant", {0.03, 0.04, 0.02, 0.01}},
                     underline = {"underline", {0.04, 0.04, 0.04, 0.04}},
                     ruling = {"ruling", {0.06, 0.05, 0.05, 0.02}},
                     stamp = {"stamp", {0.04, 0.04, 0.02, 0}},
                     smudge = {"smudge", {0.05, 0.05, 0.05, 0}},
                     contrast = {"contrast", {0.75, 0.95, 0.2, 0.4}},
                     paper = {"paper", {0.35, 0.5, 0.1, 0}},
                     fold = {"fold", {0.03, 0.03, 0.02, 0}},
                     invert = {"invert", {0.02, 0.04, 0.01, 0.12}},
                     skew = {"skew", {0.3, 0.45, 0.25, 0}},
                     perspective = {"perspective", {0, 0.35, 0, 0}},
                     curve = {"curve", {0.06, 0.25, 0.03, 0}},
                     light = {"light", {0.06, 0.6, 0.03, 0}},
                     blur = {"blur", {0.05, 0.2, 0.03, 0}},
                     soften = {"soften", {0.4, 0.45, 0.2, 0.15}},
                     motion = {"motion", {0, 0.14, 0, 0}},
                     resolution = {"resolution", {0.16, 0.2, 0.25, 0.2}},
                     noise = {"noise", {0.35, 0.7, 0.1, 0}},
                     salt = {"salt", {0.02, 0.02, 0.15, 0}},
                     specks = {"specks", {0.06, 0.02, 0.2, 0}},
                     fax = {"fax", {0.07, 0, 0.6, 0}}, jpeg = {"jpeg", {0.2, 0.4, 0.05, 0.25}};

typedef struct aging {
    const rendered *line;
    const page_around *around;
    dice *d;
    ageing *done;
    medium medium;
    vl_image *image;
    uint8_t black, white; /* tones of ink and paper */
    double grown;         /* pixels the line spreads up and down, by its shape */
    double em;            /* about the height of the line's letters */
    uint64_t seed;        /* of what happens now */
    bool weak;            /* the ink was thinned or faded */
} aging;

static void note(aging *a, const char *name) {
    if (a->done->count < VL_SYNTH_MAX_DEGRADATIONS)
        a->done->names[a->done->count++] = name;
}

static bool happens(aging *a, const chances *what) {
    if (!dice_chance(a->d, what->odds[a->medium]))
        return false;
    a->seed = dice_bits(a->d);
    note(a, what->name);
    return true;
}

static vl_status replace(aging *a, vl_image *with, vl_error *error) {
    if (!with)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a line's picture");
    vl_image_free(a->image);
    a->image = with;
    return VL_OK;
}

/* ---- print and paper ---------------------------------------------------------------- */

static void press_ink(aging *a) {
    if (happens(a, &thicken))
        degrade_thicken(a->image, dice_between(a->d, 0.2, a->em > 30 ? 1 : 0.6));
    else if ((a->weak = happens(a, &thin)))
        degrade_thin(a->image, dice_between(a->d, 0.15, a->em > 30 ? 0.5 : 0.35));
    if (happens(a, &fade)) {
        a->weak = true;
        degrade_fade(a->image, dice_between(a->d, 0.35, 0.85), a->seed);
    }
}

/* The line above or below, a pitch away and starting where it likes. */
static void put_neighbour(aging *a, const rendered *other, double pitch) {
    int x = dice_chance(a->d, 0.5) ? a->line->left - other->left
                                   : a->line->left - dice_below(a->d, other->right + 1);
    int y = a->line->baseline - other->baseline + (int)lrint(pitch);
    degrade_overlay(a->image, other->image, x, y);
}

static void put_neighbours(aging *a) {
    double spacing = a->line->bottom - a->line->top;
    double pitch = spacing * dice_between(a->d, 0.9, 1.2);
    if (a->around->above.image)
        put_neighbour(a, &a->around->above, -pitch);
    if (a->around->below.image)
        put_neighbour(a, &a->around->below, pitch);
    if (a->around->above.image || a->around->below.image)
        note(a, "neighbours");
}

static void put_rules(aging *a) {
    const rendered *line = a->line;
    degrade_ruler ruler = {.left = line->left, .right = line->right};
    ruler.thickness = dice_between(a->d, 0.8, 2.5);
    ruler.tone = (uint8_t)dice_below(a->d, 90);
    if (happens(a, &underline)) {
        ruler.y = line->baseline + dice_between(a->d, 0.08, 0.2) * a->em;
        ruler.dash = dice_chance(a->d, 0.15) ? dice_between(a->d, 2, 5) : 0;
        degrade_rule(a->image, &ruler);
    }
    if (!happens(a, &ruling))
        return;
    ruler.left = dice_chance(a->d, 0.8) ? 0 : line->left - 20;
    ruler.right = a->image->width;
    ruler.rise = dice_between(a->d, -2, 2);
    ruler.tone = (uint8_t)(60 + dice_below(a->d, 130));
    ruler.dash = dice_chance(a->d, 0.2) ? dice_between(a->d, 1.5, 6) : 0;
    ruler.y = line->baseline + dice_between(a->d, 0.05, 0.4) * a->em;
    degrade_rule(a->image, &ruler);
    ruler.y -= dice_between(a->d, 1.2, 1.8) * a->em;
    if (dice_chance(a->d, 0.5))
        degrade_rule(a->image, &ruler);
}

static void put_marks(aging *a) {
    if (a->around->behind.image && a->medium != MEDIUM_SCREEN) {
        degrade_bleed(a->image, a->around->behind.image, dice_between(a->d, 0.06, 0.25));
        note(a, "bleed");
    }
    if (happens(a, &stamp))
        degrade_stamp(a->image, (uint8_t)(40 + dice_below(a->d, 120)), a->seed);
}

static void tone_paper(aging *a) {
    a->black = 0;
    a->white = 255;
    if (happens(a, &contrast)) {
        bool faint = dice_chance(a->d, 0.12);
        a->white = (uint8_t)dice_between(a->d, a->medium == MEDIUM_PHOTO ? 120 : 190, 255);
        double depth = faint ? dice_between(a->d, 0.15, 0.4) : dice_between(a->d, 0.5, 1);
        a->black = (uint8_t)(a->white * (1 - depth));
        degrade_contrast(a->image, a->black, a->white);
    }
    if (happens(a, &paper))
        degrade_paper(a->image, dice_between(a->d, 4, 36), a->seed);
    if (happens(a, &smudge))
        degrade_smudge(a->image, dice_between(a->d, 20, 90), a->seed);
    if (happens(a, &fold))
        degrade_fold(a->image, dice_unit(a->d));
    if (happens(a, &invert)) {
        degrade_invert(a->image);
        a->white = (uint8_t)(255 - a->white);
        a->black = (uint8_t)(255 - a->black);
    }
}

/* ---- shape -------------------------------------------------------------------------- */

static vl_status bend(aging *a, vl_error *error) {
    vl_status status = VL_OK;
    double width = a->line->right - a->line->left, height = a->line->bottom - a->line->top;
    if (happens(a, &slant))
        status =
            replace(a, degrade_slant(a->image, dice_between(a->d, -6, 14), a->white), error);
    if (!status && happens(a, &skew)) { /* a longer line is straightened better before it */
        double most = fmin(3, atan(0.35 * height / width) * 57.3);
        double degrees = dice_between(a->d, -most, most);
        a->grown += fabs(sin(degrees / 57.3)) * width / 2;
        status = replace(a, degrade_skew(a->image, degrees, a->white), error);
    }
    if (!status && happens(a, &perspective)) {
        double top = dice_between(a->d, -0.04, 0.04) * height / width;
        double left = dice_between(a->d, -0.25, 0.25);
        status = replace(a, degrade_perspective(a->image, top, left, a->white), error);
    }
    if (!status && happens(a, &curve)) {
        double rise = dice_between(a->d, 0.03, 0.16) * height;
        a->grown += rise * 0.8;
        double waves = dice_between(a->d, 0.3, 1.2), phase = dice_unit(a->d);
        status = replace(a, degrade_curve(a->image, rise, waves, phase, a->white), error);
    }
    return status;
}

/* ---- the crop ----------------------------------------------------------------------- */

static double least(double a, double b) {
    return a < b ? a : b;
}

static double most(double a, double b) {
    return a > b ? a : b;
}

/* As line finders cut: with the margin that the engine `reader` leaves around ink, close to the
 * ink, as the font spaces lines, or generously. A line of dots alone is still as high as its
 * letters would be. */
static vl_status crop(aging *a, vl_error *error) {
    const rendered *line = a->line;
    double u = dice_unit(a->d), top = line->ink_top, bottom = line->ink_bottom, side;
    top = least(top, line->baseline - 0.5 * a->em);
    bottom = most(bottom, line->baseline + 0.1 * a->em);
    if (u < 0.35) {
        double margin = dice_between(a->d, 0.09, 0.15) * (bottom - top) + 1;
        top -= margin;
        bottom += margin;
        side = 2 * margin;
        note(a, "even_crop");
    } else if (u < 0.6) {
        top -= dice_between(a->d, -0.5, 4);
        bottom += dice_between(a->d, -0.5, 4);
        side = dice_between(a->d, 0, 4);
        note(a, "tight_crop");
    } else if (u < 0.88) {
        top = least(top - 1, line->top);
        bottom = most(bottom + 1, line->bottom);
        side = dice_between(a->d, 0, 0.5) * a->em;
    } else {
        top = least(top, line->top) - dice_between(a->d, 2, 12);
        bottom = most(bottom, line->bottom) + dice_between(a->d, 2, 12);
        side = dice_between(a->d, 0.2, 1.6) * a->em;
        note(a, "loose_crop");
    }
    double other = u < 0.35  ? side
                   : u < 0.6 ? dice_between(a->d, 0, 4)
                             : dice_between(a->d, 0, 1) * a->em;
    int left = (int)floor(line->left - side), y = (int)floor(top - a->grown);
    uint32_t width = (uint32_t)(ceil(line->right + other) - left);
    uint32_t height = (uint32_t)(ceil(bottom + a->grown) - y);
    return replace(a, degrade_crop(a->image, left, y, width, height, a->white), error);
}

/* To a height that a reader is given; the width keeps the letters' shape. */
static vl_status scale(aging *a, vl_error *error) {
    uint32_t width = a->image->width, height = a->image->height, to = height;
    if (height < VL_SYNTH_HEIGHT_MIN)
        to = VL_SYNTH_HEIGHT_MIN + (uint32_t)dice_below(a->d, 10);
    if (height > VL_SYNTH_HEIGHT_MAX)
        to = VL_SYNTH_HEIGHT_MAX - (uint32_t)dice_below(a->d, 20);
    uint32_t wide = (uint32_t)lrint((double)width * to / height);
    wide = wide > VL_SYNTH_WIDTH_MAX ? VL_SYNTH_WIDTH_MAX : wide < 4 ? 4 : wide;
    if (to == height && wide == width)
        return VL_OK;
    return replace(a, vl_image_resize(a->image, wide, to), error);
}

/* ---- camera, scanner, file ---------------------------------------------------------- */

static vl_status look(aging *a, vl_error *error) {
    if (happens(a, &light)) {
        unsigned corner = (unsigned)dice_below(a->d, 4);
        degrade_light(a->image, corner, dice_between(a->d, 0.4, 0.95));
    }
    if (happens(a, &blur))
        degrade_blur(a->image, 1);
    else if (happens(a, &soften))
        degrade_soften(a->image, dice_between(a->d, 0.2, 1));
    if (happens(a, &motion)) {
        double length = dice_between(a->d, 2, a->em > 30 ? 5.5 : 4);
        degrade_motion(a->image, length, dice_between(a->d, 0, 180));
    }
    if (happens(a, &resolution))
        return degrade_resolution(a->image, dice_between(a->d, 1.15, a->em > 30 ? 2.2 : 1.7),
                                  error);
    return VL_OK;
}

static vl_status store(aging *a, vl_error *error) {
    if (happens(a, &noise))
        degrade_noise(a->image, dice_between(a->d, 1.5, 5 + 0.06 * abs(a->white - a->black)),
                      a->seed);
    if (happens(a, &fax)) { /* copiers are set so that weak print still shows */
        double share = a->weak ? dice_between(a->d, 0.15, 0.3) : dice_between(a->d, 0.3, 0.6);
        degrade_fax(a->image, (uint8_t)(a->white + share * (a->black - a->white)));
    }
    if (happens(a, &specks))
        degrade_specks(a->image, (unsigned)dice_between(a->d, 100, 1500), a->seed);
    if (happens(a, &salt))
        degrade_salt(a->image, dice_between(a->d, 0.001, 0.015), a->seed);
    if (happens(a, &jpeg))
        return degrade_jpeg(a->image, 12 + dice_below(a->d, 60), error);
    return VL_OK;
}

static vl_status age_once(aging *a, bool clean, vl_error *error) {
    vl_status status = VL_OK;
    if (!clean) {
        put_neighbours(a);
        press_ink(a);
        put_rules(a);
        put_marks(a);
        tone_paper(a);
        status = bend(a, error);
    }
    if (!status)
        status = crop(a, error);
    if (!status)
        status = scale(a, error);
    if (!status && !clean && !(status = look(a, error)))
        status = store(a, error);
    return status;
}

/* Tones between the darkest and the lightest fiftieth: what a person could still read in. */
static bool is_legible(const vl_image *image) {
    enum { LEAST = 26 };
    size_t counts[256] = {0}, few = (size_t)image->width * image->height / 50 + 1, sum = 0;
    int low = 0, high = 255;
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++)
            counts[image->pixels[y * image->stride + x]]++;
    while (low < 255 && (sum += counts[low]) < few)
        low++;
    for (sum = 0; high > 0 && (sum += counts[high]) < few;)
        high--;
    return high - low >= LEAST;
}

vl_status age_line(const rendered *line, const page_around *around, bool clean, dice *d,
                   ageing *done, vl_image **picture, vl_error *error) {
    enum { TRIES = 3 };
    vl_status status = VL_OK;
    *picture = NULL;
    for (int i = 0; i <= TRIES && !status && !*picture; i++) {
        bool last = clean || i == TRIES; /* what stays unreadable is left as it was printed */
        aging a = {.line = line, .around = around, .d = d, .done = done, .white = 255};
        *done = (ageing){0};
        a.em = 0.75 * (line->bottom - line->top);
        a.medium = (medium)dice_weighted(d, media_odds, MEDIA);
        if (!(a.image = vl_image_copy(line->image)))
            return vl_fail(error, VL_ERR_MEMORY, "no memory for a line's picture");
        status = age_once(&a, last, error);
        if (!status && (last || is_legible(a.image)))
            *picture = a.image;
        else
            vl_image_free(a.image);
    }
    return status;
}
