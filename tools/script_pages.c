/* script_pages.c — pages in every script that a font is there for, as the windows that script.h
 * cuts out of them: what tools/script_fit.c fits models/script.bin to.
 *
 * usage: script_pages --text DIR --photos DIR --out FILE [--scripts Geor,Armn] [--pages N]
 *                     [--seed S]
 *
 * Text is that of the files below DIR that are in the script, and words put together from its
 * letters at random. Families of fonts named in `held` only draw pages to be scored on. Appends
 * records (script_window) to FILE. */
#include "dataset/corpus.h"
#include "dataset/degrade.h"
#include "dataset/dice.h"
#include "script_window.h"

#include <errno.h>
#include <fontconfig/fontconfig.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uset.h>
#include <unicode/ustring.h>

enum { LINES_MAX = 4000, FAMILIES_MAX = 1500, LETTERS_MAX = 4000, CORE = 40 };

static const char *const held[] = {"DejaVu",  "FreeS",   "FreeMono",   "Nanum",  "IPAP",
                                   "Lateef",  "Gubbi",   "Abyssinica", "Padauk", "Khmer OS",
                                   "Carlito", "Gentium", "Amiri",      "Lohit"};

typedef struct script_text {
    char code[5];
    const char *lines[LINES_MAX];
    size_t line_count;
    UChar32 letters[LETTERS_MAX], marks[LETTERS_MAX];
    size_t letter_count, mark_count;
    char *families[FAMILIES_MAX];
    bool is_held[FAMILIES_MAX];
    size_t family_count, held_count;
} script_text;

typedef struct job {
    const char *text, *photos, *out, *only;
    long pages;
    uint64_t seed;
    vl_arena *arena;
    script_text *scripts;
    FILE *file;
    uint16_t page;
    long photo_count;
} job;

static void die(const char *what, const char *why) {
    fprintf(stderr, "script_pages: %s: %s\n", what, why);
    exit(1);
}

/* ---- text ---------------------------------------------------------------------------------
 */

/* Han, kana and hangul go together in Japanese and Korean text. */
static const char *label_of(const char *script) {
    if (!strcmp(script, "Hira") || !strcmp(script, "Kana"))
        return "Jpan";
    return strcmp(script, "Hang") ? script : "Kore";
}

static const char *letters_of(const char *label) {
    return !strcmp(label, "Jpan") ? "Hira" : !strcmp(label, "Kore") ? "Hang" : label;
}

static vl_status take_file(const char *path, void *user, vl_error *error) {
    job *j = user;
    corpus_lines lines;
    const corpus_limits limits = {.max_lines = 120, .max_bytes = 400};
    vl_status status = corpus_read(j->arena, path, &limits, &lines, error);
    if (status || lines.count < 8)
        return status;
    const char *label = strstr(path, "/jpn") ? "Jpan" : label_of(corpus_script(&lines));
    for (size_t s = 0; s < SCRIPT_COUNT; s++)
        for (size_t i = 0; !strcmp(j->scripts[s].code, label) && i < lines.count; i++)
            if (j->scripts[s].line_count < LINES_MAX)
                j->scripts[s].lines[j->scripts[s].line_count++] = lines.items[i];
    return VL_OK;
}

static size_t members(const char *script, const char *category, UChar32 *out) {
    char pattern[64];
    UChar wide[64];
    UErrorCode status = U_ZERO_ERROR;
    size_t n = 0;
    snprintf(pattern, sizeof pattern, "[[:script=%s:]&[:%s:]]", letters_of(script), category);
    u_uastrcpy(wide, pattern);
    USet *set = uset_openPattern(wide, -1, &status);
    if (U_FAILURE(status))
        return 0;
    for (int32_t i = 0; i < uset_size(set) && n < LETTERS_MAX; i++)
        if (uset_charAt(set, i) < 0x20000)
            out[n++] = uset_charAt(set, i);
    uset_close(set);
    return n;
}

/* Of a script with texts, only what stands in them: the rest is of other centuries. */
static void keep_used(script_text *s) {
    size_t kept = 0;
    uint16_t *seen = calloc(0x20000, sizeof *seen);
    for (size_t i = 0; seen && i < s->line_count; i++)
        for (int32_t at = 0, n = (int32_t)strlen(s->lines[i]); at < n;) {
            UChar32 c;
            U8_NEXT_OR_FFFD((const uint8_t *)s->lines[i], at, n, c);
            if (c < 0x20000 && seen[c] < 1000)
                seen[c]++;
        }
    bool many = !strcmp(s->code, "Hani") || !strcmp(s->code, "Jpan");
    for (UChar32 c = 0x3041; seen && many && c < 0xA000 && kept < LETTERS_MAX; c++)
        if (seen[c] > 1)
            s->letters[kept++] = c;
    for (size_t i = 0; seen && !many && i < s->letter_count; i++)
        if (seen[s->letters[i]] > 3)
            s->letters[kept++] = s->letters[i];
    s->letter_count = kept > 10 ? kept : s->letter_count;
    kept = 0;
    for (size_t i = 0; seen && i < s->mark_count; i++)
        if (seen[s->marks[i]] > 3)
            s->marks[kept++] = s->marks[i];
    s->mark_count = s->line_count ? kept : s->mark_count;
    free(seen);
}

static size_t put(char *to, UChar32 c) {
    size_t n = 0;
    if (c < 0x80)
        to[n++] = (char)c;
    else if (c < 0x800)
        to[n++] = (char)(0xC0 | c >> 6);
    else if (c < 0x10000)
        to[n++] = (char)(0xE0 | c >> 12);
    else
        to[n++] = (char)(0xF0 | c >> 18);
    if (c >= 0x10000)
        to[n++] = (char)(0x80 | (c >> 12 & 0x3F));
    if (c >= 0x800)
        to[n++] = (char)(0x80 | (c >> 6 & 0x3F));
    if (c >= 0x80)
        to[n++] = (char)(0x80 | (c & 0x3F));
    return n;
}

/* Words of letters and marks drawn alike, for scripts without texts and for rare letters. */
static void invent(const script_text *s, dice *d, char *out, size_t room) {
    size_t at = 0;
    while (at + 64 < room) {
        int letters = 1 + dice_below(d, 7);
        for (int i = 0; i < letters; i++) {
            at += put(out + at, s->letters[dice_index(d, s->letter_count)]);
            if (s->mark_count && dice_chance(d, 0.3))
                at += put(out + at, s->marks[dice_index(d, s->mark_count)]);
        }
        out[at++] = ' ';
    }
    out[at] = 0;
}

static void compose(const script_text *s, dice *d, char *out, size_t room) {
    size_t at = 0;
    if (!s->line_count || dice_chance(d, 0.15)) {
        invent(s, d, out, room);
        return;
    }
    while (at + 500 < room) {
        const char *line = s->lines[dice_index(d, s->line_count)];
        size_t length = vl_utf8_valid_prefix(line, strlen(line));
        memcpy(out + at, line, length);
        at += length;
        out[at++] = dice_chance(d, 0.4) ? '\n' : ' ';
    }
    out[at] = 0;
    if (dice_chance(d, 0.12)) {
        UChar *wide = malloc((at + 1) * 4 * sizeof *wide), *upper = wide + (at + 1) * 2;
        UErrorCode status = U_ZERO_ERROR;
        u_strFromUTF8(wide, (int32_t)(at + 1) * 2, NULL, out, (int32_t)at, &status);
        u_strToUpper(upper, (int32_t)(at + 1) * 2, wide, -1, "", &status);
        char *again = malloc(room * 2);
        u_strToUTF8(again, (int32_t)room * 2, NULL, upper, -1, &status);
        if (U_SUCCESS(status) && strlen(again) < room)
            strcpy(out, again);
        free(again);
        free(wide);
    }
}

/* ---- fonts --------------------------------------------------------------------------------
 */

static bool serves(const script_text *s, FcCharSet *letters) {
    size_t most = s->letter_count < CORE ? s->letter_count : CORE, has = 0;
    for (size_t i = 0; i < most; i++)
        has += FcCharSetHasChar(letters, (FcChar32)s->letters[i * s->letter_count / most]) != 0;
    return most && has * 10 >= most * 6;
}

static void take_font(script_text *s, FcPattern *font) {
    FcCharSet *letters;
    FcChar8 *family;
    FcBool colour = FcFalse, symbol = FcFalse;
    FcPatternGetBool(font, FC_COLOR, 0, &colour);
    FcPatternGetBool(font, FC_SYMBOL, 0, &symbol);
    if (colour || symbol || FcPatternGetCharSet(font, FC_CHARSET, 0, &letters) ||
        FcPatternGetString(font, FC_FAMILY, 0, &family) || !serves(s, letters) ||
        s->family_count == FAMILIES_MAX)
        return;
    for (size_t i = 0; i < s->family_count; i++)
        if (!strcmp(s->families[i], (const char *)family))
            return;
    bool keep = false;
    for (size_t i = 0; i < sizeof held / sizeof *held; i++)
        keep |= strstr((const char *)family, held[i]) != NULL;
    s->is_held[s->family_count] = keep;
    s->held_count += keep;
    s->families[s->family_count++] = strdup((const char *)family);
}

static void find_fonts(script_text *s, FcFontSet *all) {
    for (int i = 0; i < all->nfont; i++)
        take_font(s, all->fonts[i]);
    if (s->held_count == s->family_count) {
        s->held_count = 0;
        memset(s->is_held, 0, sizeof s->is_held);
    }
}

static const char *draw_family(const script_text *s, bool keep, dice *d) {
    keep = keep && s->held_count;
    for (;;) {
        size_t i = dice_index(d, s->family_count);
        if (s->is_held[i] == keep)
            return s->families[i];
    }
}

/* ---- pages --------------------------------------------------------------------------------
 */

static vl_image *to_image(cairo_surface_t *surface) {
    vl_image *image;
    vl_error error;
    cairo_surface_flush(surface);
    uint32_t width = (uint32_t)cairo_image_surface_get_width(surface);
    uint32_t height = (uint32_t)cairo_image_surface_get_height(surface);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    if (vl_image_new(width, height, 1, &image, &error))
        die("a page", error.message);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            image->pixels[y * image->stride + x] = data[y * stride + 4 * (size_t)x];
    return image;
}

/* Scripts that are also set in columns from top to bottom. */
static bool runs_down(const script_text *s) {
    return strstr("Hani Jpan Kore", s->code) != NULL;
}

static vl_image *render(const script_text *s, bool keep, dice *d) {
    char text[2600], font[256];
    int width = 420 + dice_below(d, 500), height = 240 + dice_below(d, 320);
    double size = dice_between(d, 13, 44);
    compose(s, d, text, dice_chance(d, 0.2) ? 700 : sizeof text);
    snprintf(font, sizeof font, "%s%s%s", draw_family(s, keep, d),
             dice_chance(d, 0.25) ? " Bold" : "", dice_chance(d, 0.08) ? " Italic" : "");
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    cairo_t *cairo = cairo_create(surface);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    double tone = dice_between(d, 0, 0.35);
    cairo_set_source_rgb(cairo, tone, tone, tone);
    PangoLayout *layout = pango_cairo_create_layout(cairo);
    PangoFontDescription *description = pango_font_description_from_string(font);
    pango_font_description_set_absolute_size(description, size * PANGO_SCALE);
    pango_layout_set_font_description(layout, description);
    pango_layout_set_text(layout, text, -1);
    pango_layout_set_width(layout, (width - 40) * PANGO_SCALE);
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_spacing(layout, (int)(dice_between(d, 0, 0.6) * size * PANGO_SCALE));
    cairo_move_to(cairo, 20, 20);
    if (runs_down(s) && dice_chance(d, 0.35)) {
        pango_context_set_base_gravity(pango_layout_get_context(layout), PANGO_GRAVITY_EAST);
        pango_layout_set_width(layout, (height - 40) * PANGO_SCALE);
        cairo_translate(cairo, width - 20, 0);
        cairo_move_to(cairo, 0, 20);
        cairo_rotate(cairo, G_PI / 2);
        pango_cairo_update_layout(cairo, layout);
    }
    pango_cairo_show_layout(cairo, layout);
    pango_font_description_free(description);
    g_object_unref(layout);
    cairo_destroy(cairo);
    vl_image *image = to_image(surface);
    cairo_surface_destroy(surface);
    return image;
}

static vl_image *replace(vl_image *old, vl_image *made) {
    vl_image_free(old);
    if (!made)
        die("ageing", "no memory");
    return made;
}

static vl_image *age(vl_image *image, dice *d) {
    if (dice_chance(d, 0.3))
        degrade_thicken(image, dice_between(d, 0, 0.7));
    else if (dice_chance(d, 0.3))
        degrade_thin(image, dice_between(d, 0, 0.5));
    if (dice_chance(d, 0.3))
        degrade_fade(image, dice_between(d, 0.6, 1), dice_bits(d));
    if (dice_chance(d, 0.4))
        image = replace(image, degrade_skew(image, dice_between(d, -3, 3), 255));
    if (dice_chance(d, 0.3))
        degrade_resolution(image, dice_between(d, 1, 2), NULL);
    if (dice_chance(d, 0.4))
        degrade_soften(image, dice_between(d, 0.2, 1));
    else if (dice_chance(d, 0.2))
        degrade_blur(image, 1);
    if (dice_chance(d, 0.4))
        degrade_light(image, (unsigned)dice_below(d, 4), dice_between(d, 0.5, 1));
    if (dice_chance(d, 0.6))
        degrade_noise(image, dice_between(d, 1, 14), dice_bits(d));
    if (dice_chance(d, 0.15))
        degrade_fax(image, (uint8_t)(110 + dice_below(d, 60)));
    if (dice_chance(d, 0.3))
        degrade_jpeg(image, 25 + dice_below(d, 60), NULL);
    if (dice_chance(d, 0.1))
        degrade_invert(image);
    return image;
}

/* Mongolian runs down the page: Pango sets it on its side. */
static void give_windows(job *j, vl_image *image, size_t label, bool keep) {
    enum { MOST = 90 };
    vl_script_anchor anchors[MOST];
    vl_ocr_picture picture;
    vl_error error;
    double side;
    vl_arena *arena = vl_arena_new(64 << 20);
    if (!strcmp(script_labels[label], "Mong"))
        image = replace(image, vl_image_rotate(image, 90));
    if (!arena || vl_ocr_picture_init(&picture, image, 0, false, 0, arena, &error))
        die("a page", "no memory");
    size_t count = vl_script_anchors(&picture, anchors, MOST, &side);
    for (size_t i = 0; i < count; i++) {
        script_window w = {.label = (uint8_t)label, .held = keep, .page = j->page};
        vl_script_window(&picture, anchors[i], side * SCRIPT_WINDOW_SIDE / VL_SCRIPT_SIDE,
                         SCRIPT_WINDOW_SIDE, w.tones);
        fwrite(&w, sizeof w, 1, j->file);
    }
    j->page++;
    vl_ocr_picture_deinit(&picture);
    vl_arena_free(arena);
    vl_image_free(image);
}

static void draw_script(job *j, size_t label, FcFontSet *fonts) {
    script_text *s = &j->scripts[label];
    s->letter_count = members(s->code, "L", s->letters);
    s->mark_count = members(s->code, "M", s->marks);
    keep_used(s);
    find_fonts(s, fonts);
    printf("%s: %zu lines, %zu letters, %zu families, %zu held\n", s->code, s->line_count,
           s->letter_count, s->family_count, s->held_count);
    fflush(stdout);
    if (!s->family_count)
        return;
    for (long i = 0; i < j->pages; i++) {
        dice d = dice_of(j->seed, label * 100000 + (size_t)i);
        bool keep = i % 5 == 4;
        give_windows(j, age(render(s, keep, &d), &d), label, keep);
    }
}

static vl_status take_photo(const char *path, void *user, vl_error *error) {
    job *j = user;
    vl_buf bytes;
    vl_image *image = NULL;
    vl_media_limits limits = vl_media_limits_default();
    dice d = dice_of(j->seed, dice_hash(path));
    if (!dice_chance(&d, 0.03) || j->photo_count >= 4 * j->pages)
        return VL_OK;
    vl_buf_init(&bytes, 8 << 20);
    vl_status status = vl_file_read(path, 8 << 20, &bytes, error);
    if (!status)
        status = vl_document_first(bytes.data, bytes.len, &limits, &image, error);
    vl_buf_deinit(&bytes);
    if (status)
        return VL_OK;
    uint32_t times = 1 + (uint32_t)dice_below(&d, 3);
    image = replace(image, vl_image_resize(image, image->width * times, image->height * times));
    give_windows(j, image, SCRIPT_COUNT - 1, dice_chance(&d, 0.2));
    j->photo_count++;
    return VL_OK;
}

int main(int argc, char **argv) {
    static script_text scripts[SCRIPT_COUNT];
    job j = {.pages = 60, .seed = 1, .only = "", .scripts = scripts};
    vl_error error;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--text"))
            j.text = argv[i + 1];
        else if (!strcmp(argv[i], "--photos"))
            j.photos = argv[i + 1];
        else if (!strcmp(argv[i], "--out"))
            j.out = argv[i + 1];
        else if (!strcmp(argv[i], "--scripts"))
            j.only = argv[i + 1];
        else if (!strcmp(argv[i], "--pages"))
            j.pages = strtol(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--seed"))
            j.seed = strtoull(argv[i + 1], NULL, 10);
        else
            die(argv[i], "no such option");
    }
    if (!j.text || !j.photos || !j.out || j.pages < 1 || j.pages > 1000)
        die("usage", "--text DIR --photos DIR --out FILE [--scripts A,B] [--pages N]");
    j.arena = vl_arena_new((size_t)512 << 20);
    j.file = fopen(j.out, "ab");
    if (!j.arena || !j.file)
        die(j.out, strerror(errno));
    for (size_t s = 0; s < SCRIPT_COUNT; s++)
        snprintf(scripts[s].code, 5, "%s", script_labels[s]);
    if (corpus_walk(j.text, ".gz", take_file, &j, &error))
        die("text", error.message);
    FcPattern *any = FcPatternBuild(NULL, FC_SCALABLE, FcTypeBool, FcTrue, (char *)NULL);
    FcObjectSet *wanted =
        FcObjectSetBuild(FC_FAMILY, FC_CHARSET, FC_COLOR, FC_SYMBOL, (char *)NULL);
    FcFontSet *fonts = FcFontList(NULL, any, wanted);
    for (size_t s = 0; s + 1 < SCRIPT_COUNT; s++)
        if (!*j.only || strstr(j.only, script_labels[s]))
            draw_script(&j, s, fonts);
    if ((!*j.only || strstr(j.only, "Zxxx")) &&
        corpus_walk(j.photos, ".jpg", take_photo, &j, &error))
        die("photos", error.message);
    printf("%u pages\n", j.page);
    return fclose(j.file) ? 1 : 0;
}
