/* scan_lines.c — lines cut out of real scans, with what stands in them.
 *
 * An item that is one line is its picture without the paper around it. Of a page with
 * X.boxes.json beside its transcript, [{"text", "box": [left, top, right, bottom]}], the lines
 * are those. Of another, Tesseract finds the lines and reads them; what the transcript has
 * there is what it says (transcript.h), so that a bad reading still gives the true text. Lines
 * are cut from the picture that engines are given (ocr/picture.h), so that training sees what
 * use will see.
 *
 *   line_item, boxed_item, page_item     one item
 *   write_line               checked, sized, into the tar
 *   vl_scan_lines_write */
#include "dataset/alphabet.h"
#include "dataset/tar.h"
#include "dataset/transcript.h"
#include "ocr/engine.h"
#include "ocr/packs.h"
#include "ocr/picture.h"
#include "ocr/scans.h"
#include "ocr/strip.h"

#include <cJSON.h>
#include <leptonica/allheaders.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>
#include <unistd.h>

enum {
    SCANS_ARENA_MAX = 1 << 30,
    ITEM_ARENA_MAX = 512 << 20,
    MAX_PNG = 8 << 20,
    MAX_JSON = 1 << 16,
    MAX_BOXES = 16 << 20,
    PNG_LEVEL = 6,
    LEAST_SIDE = 6, /* pixels of the cut: less is no line */
};
typedef struct cutting {
    const vl_scan_lines_options *how;
    vl_scan_lines_report *report;
    const vl_engine *engine;
    void *state;
    alphabet alphabet;
    vl_arena *scans, *item; /* all transcripts; what belongs to the item in work */
    const char **others;    /* what the lines of the other half say: halves may share a page */
    size_t other_count;
    tar *shard;
} cutting;

/* ---- one line -------------------------------------------------------------------------- */

static vl_script script_of(const vl_scan *scan, const char *text) {
    char first[64];
    const char *code = vl_text_script(text, NULL);
    snprintf(first, sizeof first, "%.*s", (int)strcspn(scan->languages, "+"), scan->languages);
    const vl_ocr_pack *pack = strcmp(code, "Zyyy") ? NULL : vl_ocr_pack_find(first);
    return script_by_code(pack ? pack->script : code);
}

/* Of the manifest's packs the first that is a language in the line's script. */
static const char *language_of(const vl_scan *scan, vl_script script) {
    char name[64];
    for (const char *at = scan->languages; *at; at += *at == '+') {
        size_t length = strcspn(at, "+");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        const vl_ocr_pack *pack = vl_ocr_pack_find(name);
        if (pack && pack->language && script_by_code(pack->script) == script)
            return vl_lang_short(pack->language);
        at += length;
    }
    return "und";
}

static void put_json(const vl_scan *scan, const char *text, vl_script script, vl_buf *out) {
    char source[512];
    snprintf(source, sizeof source, "%.200s/%.300s", scan->set, scan->id);
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "text", text);
    cJSON_AddStringToObject(object, "script", vl_script_name(script));
    cJSON_AddStringToObject(object, "language", language_of(scan, script));
    cJSON_AddStringToObject(object, "source", source);
    cJSON_AddStringToObject(object, "document", scan->document);
    char *json = cJSON_PrintUnformatted(object);
    if (json)
        vl_buf_puts(out, json);
    else
        out->failed = true;
    cJSON_free(json);
    cJSON_Delete(object);
}

/* At most VL_SYNTH_HEIGHT_MAX high and VL_SYNTH_WIDTH_MAX wide, in its own proportions. NULL:
 * it would be too low then, or no memory. */
static vl_image *sized(const vl_image *line) {
    double scale = (double)VL_SYNTH_HEIGHT_MAX / line->height;
    if (scale > 1)
        scale =
            line->height < VL_SYNTH_HEIGHT_MIN ? (double)VL_SYNTH_HEIGHT_MIN / line->height : 1;
    if (line->width * scale > VL_SYNTH_WIDTH_MAX)
        scale = (double)VL_SYNTH_WIDTH_MAX / line->width;
    uint32_t width = (uint32_t)lround(line->width * scale);
    uint32_t height = (uint32_t)lround(line->height * scale);
    if (height < VL_SYNTH_HEIGHT_MIN || width < 1)
        return NULL;
    return vl_image_resize(line, width, height);
}

/* The band as `reader` is given it, as it goes into the tar. NULL: too small or too long, or no
 * memory. */
static vl_image *cut(const vl_ocr_picture *picture, const vl_band *band) {
    vl_strip strips[VL_STRIPS_MAX];
    size_t count = 0;
    double longest = (double)VL_SYNTH_WIDTH_MAX / VL_SYNTH_HEIGHT_MIN;
    if (band->right - band->left < LEAST_SIDE || band->bottom - band->top < LEAST_SIDE ||
        vl_strips_cut(picture->work, band, longest, strips, &count, NULL))
        return NULL;
    vl_image *line = count == 1 ? sized(strips[0].image) : NULL;
    vl_strips_free(strips, count);
    return line;
}

static vl_status put_files(cutting *c, const vl_image *image, const vl_buf *json,
                           vl_error *error) {
    char name[64];
    vl_buf png;
    vl_buf_init(&png, MAX_PNG);
    unsigned long long number = (unsigned long long)c->report->lines + 1;
    vl_status status = vl_image_encode_png_level(image, PNG_LEVEL, &png, error);
    snprintf(name, sizeof name, "%06llu.png", number);
    if (!status)
        status = tar_add(c->shard, name, png.data, png.len, error);
    snprintf(name, sizeof name, "%06llu.json", number);
    if (!status)
        status = tar_add(c->shard, name, json->data, json->len, error);
    vl_buf_deinit(&png);
    return status;
}

/* As it is printed: without the sign that marks the letter after it as raised, and with a
 * hyphen where U+00AC says that the line's end cuts a word. */
static char *plain(vl_arena *arena, const char *text) {
    char *copy = vl_arena_strdup(arena, text), *to = copy;
    for (const char *from = copy; from && *from; from++)
        if (!strncmp(from, "\u00ac", 2)) {
            *to++ = '-';
            from++;
        } else if (*from != '^' || from == copy || from[-1] == ' ' || !from[1] ||
                   from[1] == ' ') {
            *to++ = *from;
        }
    if (copy)
        *to = '\0';
    return copy;
}

static bool is_page(const vl_scan *scan) {
    return strncmp(scan->unit, "line", 4) != 0 && strncmp(scan->unit, "word", 4) != 0;
}

static bool is_of_others(const cutting *c, const char *text) {
    for (size_t i = 0; i < c->other_count; i++)
        if (!strcmp(c->others[i], text))
            return true;
    return false;
}

/* What is in a band, if its text is one that a reader can write and its picture is large
 * enough.
 */
static vl_status write_line(cutting *c, vl_scan_lines_set *set, const vl_scan *scan,
                            const vl_ocr_picture *picture, const vl_band *band,
                            const char *text, vl_error *error) {
    vl_buf json;
    const char *said = plain(c->item, text);
    const char *clean = said ? alphabet_clean(&c->alphabet, c->item, said) : NULL;
    vl_script script = clean ? script_of(scan, clean) : VL_SCRIPT_COUNT;
    if (!clean || !*clean || script == VL_SCRIPT_COUNT) {
        set->other_letters++;
        return VL_OK;
    }
    if (is_page(scan) && is_of_others(c, clean)) {
        set->of_other_half++;
        return VL_OK;
    }
    vl_image *image = cut(picture, band);
    if (!image) {
        set->unfit++;
        return VL_OK;
    }
    vl_buf_init(&json, MAX_JSON);
    put_json(scan, clean, script, &json);
    vl_status status = vl_buf_status(&json, "a line's JSON", error);
    if (!status)
        status = put_files(c, image, &json, error);
    if (!status) {
        c->report->lines++;
        c->report->by_script[script]++;
        set->lines++;
    }
    vl_buf_deinit(&json);
    vl_image_free(image);
    return status;
}

/* ---- items ----------------------------------------------------------------------------------
 */

static void find_case(const char *text, bool *upper, bool *lower) {
    int32_t bytes = (int32_t)strlen(text);
    *upper = *lower = false;
    for (int32_t at = 0; at < bytes;) {
        UChar32 code;
        U8_NEXT_OR_FFFD((const uint8_t *)text, at, bytes, code);
        *upper = *upper || u_isUUppercase(code);
        *lower = *lower || u_isULowercase(code);
    }
}

/* A word of a photograph is taken whole, its margin too: its ground has marks of its own. */
static vl_band whole_of(const vl_ocr_picture *picture) {
    enum { MARGIN = 10 }; /* of 100, about what a cut adds */
    int32_t width = pixGetWidth(picture->work), height = pixGetHeight(picture->work);
    int32_t side = height * MARGIN / 100;
    return (vl_band){.left = side < width / 4 ? side : width / 4,
                     .right = width - (side < width / 4 ? side : width / 4),
                     .top = side,
                     .bottom = height - side};
}

static bool is_word(const vl_scan *scan) {
    return !strncmp(scan->unit, "word", 4);
}

/* Words of photographs are transcribed without regard to case, and sets in capitals throughout
 * keep none: what has small and capital letters is then not known. */
static bool is_known(const vl_scan *scan) {
    bool upper, lower;
    find_case(scan->truth, &upper, &lower);
    return !scan->fold_case || (is_word(scan) ? !upper && !lower : lower || !upper);
}

static vl_status line_item(cutting *c, vl_scan_lines_set *set, const vl_scan *scan,
                           const vl_ocr_picture *picture, vl_error *error) {
    set->found++;
    if (!is_known(scan)) {
        set->unsure++;
        return VL_OK;
    }
    vl_band band = whole_of(picture);
    if (!is_word(scan) && !vl_band_of_picture(picture->work, &band))
        band = whole_of(picture);
    return write_line(c, set, scan, picture, &band, scan->truth, error);
}

static char *text_of(vl_arena *arena, const vl_engine_line *line) {
    vl_buf text;
    vl_buf_init(&text, 1 << 16);
    for (size_t i = 0; i < line->word_count; i++)
        vl_buf_printf(&text, "%s%s", i ? " " : "", line->words[i].text);
    char *copy = text.failed ? NULL : vl_arena_strdup(arena, text.data ? text.data : "");
    vl_buf_deinit(&text);
    return copy;
}

static vl_status read_page(cutting *c, const vl_scan *scan, const vl_ocr_picture *picture,
                           vl_engine_reading *reading, vl_error *error) {
    char packs[VL_OCR_PACKS_SIZE];
    vl_engine_request request = {.picture = picture->work,
                                 .dpi = picture->work_dpi,
                                 .packs = packs,
                                 .mode = VL_ENGINE_PAGE,
                                 .arena = c->item};
    vl_status status = vl_ocr_packs_resolve(
        c->engine, c->state, *scan->languages ? scan->languages : "eng", packs, error);
    return status ? status : c->engine->read(c->state, &request, reading, error);
}

/* A line whose box reaches further than its words holds something that Tesseract saw and made
 * nothing of. */
static bool is_read_whole(const vl_engine_line *line) {
    int32_t left = INT32_MAX, right = INT32_MIN;
    for (size_t i = 0; i < line->word_count; i++) {
        vl_box word = line->words[i].box;
        left = word.x < left ? word.x : left;
        right = word.x + word.width > right ? word.x + word.width : right;
    }
    int32_t beyond = line->box.height * 2 / 3;
    return left - line->box.x <= beyond && line->box.x + line->box.width - right <= beyond;
}

static vl_status page_item(cutting *c, vl_scan_lines_set *set, const vl_scan *scan,
                           const vl_ocr_picture *picture, vl_error *error) {
    vl_engine_reading reading;
    transcript_rules rules = transcript_rules_default();
    vl_status status = read_page(c, scan, picture, &reading, error);
    if (status)
        return status;
    transcript_line *lines = vl_arena_array(c->item, reading.line_count + 1, sizeof *lines);
    bool ok = lines != NULL;
    for (size_t i = 0; ok && i < reading.line_count; i++)
        ok = (lines[i].reading = text_of(c->item, &reading.lines[i])) != NULL;
    if (!ok)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the lines of %s", scan->image);
    bool upper, lower;
    find_case(scan->truth, &upper, &lower);
    rules.has_case = !scan->fold_case || lower || !upper;
    status = transcript_place(c->item, scan->truth, &rules, lines, reading.line_count, error);
    for (size_t i = 0; i < reading.line_count && !status; i++) {
        set->found++;
        vl_band band;
        if (lines[i].text && is_read_whole(&reading.lines[i]) &&
            vl_band_of_line(&reading.lines[i], &band))
            status = write_line(c, set, scan, picture, &band, lines[i].text, error);
        else
            set->unsure++;
    }
    return status;
}

/* The array of X.boxes.json. NULL: there is none, or it is not one, which is logged. */
static cJSON *boxes_of(const cutting *c, const vl_scan *scan) {
    char path[4096];
    vl_buf bytes;
    vl_error trouble;
    const char *dot = strrchr(scan->image, '.');
    int stem = dot ? (int)(dot - scan->image) : (int)strlen(scan->image);
    if (snprintf(path, sizeof path, "%s/%.*s.boxes.json", c->how->folder, stem, scan->image) >=
            (int)sizeof path ||
        access(path, F_OK))
        return NULL;
    vl_buf_init(&bytes, MAX_BOXES);
    vl_status status = vl_file_read(path, MAX_BOXES, &bytes, &trouble);
    cJSON *boxes = status ? NULL : cJSON_ParseWithLength((const char *)bytes.data, bytes.len);
    vl_buf_deinit(&bytes);
    if (cJSON_IsArray(boxes))
        return boxes;
    cJSON_Delete(boxes);
    vl_log(VL_LOG_WARN, "not an array of boxes", VL_F_STR("file", path));
    return NULL;
}

/* Where the ink in a box of the upright picture lies in `work`. False: no such box, or nothing
 * in it. */
static bool band_of_box(const vl_ocr_picture *picture, const cJSON *box, vl_band *band) {
    double side[4];
    int32_t width = pixGetWidth(picture->work), height = pixGetHeight(picture->work);
    for (int i = 0; i < 4; i++) {
        const cJSON *number = cJSON_GetArrayItem(box, i);
        if (!cJSON_IsNumber(number))
            return false;
        side[i] = fmin(fmax(number->valuedouble * picture->scale, 0), i % 2 ? height : width);
    }
    int32_t x = (int32_t)side[0], y = (int32_t)side[1];
    BOX *cut = boxCreate(x, y, (int32_t)side[2] - x, (int32_t)side[3] - y);
    PIX *inside = cut ? pixClipRectangle(picture->work, cut, NULL) : NULL;
    bool found = inside && vl_band_of_picture(inside, band);
    pixDestroy(&inside);
    boxDestroy(&cut);
    band->left += x;
    band->right += x;
    band->top += y;
    band->bottom += y;
    return found;
}

static vl_status boxed_item(cutting *c, vl_scan_lines_set *set, const vl_scan *scan,
                            const vl_ocr_picture *picture, const cJSON *boxes,
                            vl_error *error) {
    vl_status status = VL_OK;
    const cJSON *line;
    cJSON_ArrayForEach(line, boxes) {
        const cJSON *text = cJSON_GetObjectItemCaseSensitive(line, "text");
        vl_band band = {0};
        set->found++;
        if (!cJSON_IsString(text) ||
            !band_of_box(picture, cJSON_GetObjectItemCaseSensitive(line, "box"), &band)) {
            set->unfit++;
            continue;
        }
        status = write_line(c, set, scan, picture, &band, text->valuestring, error);
        if (status)
            break;
    }
    return status;
}

static vl_status decode(const cutting *c, const vl_scan *scan, vl_image **image,
                        vl_error *error) {
    vl_buf bytes;
    char path[4096];
    const vl_media_limits *limits = &c->how->limits;
    if (snprintf(path, sizeof path, "%s/%s", c->how->folder, scan->image) >= (int)sizeof path)
        return vl_fail(error, VL_ERR_INPUT, "%s: too long a path", scan->image);
    vl_buf_init(&bytes, limits->max_bytes);
    vl_status status = vl_file_read(path, limits->max_bytes, &bytes, error);
    if (!status)
        status = vl_document_first(bytes.data, bytes.len, limits, image, error);
    vl_buf_deinit(&bytes);
    return status;
}

/* VL_OK also for an item that cannot be used, which is counted and logged. */
static vl_status take_item(cutting *c, vl_scan_lines_set *set, const vl_scan *scan,
                           vl_error *error) {
    vl_image *image = NULL;
    vl_ocr_picture picture = {0};
    vl_error trouble;
    vl_arena_reset(c->item);
    vl_status status = scan->broken ? vl_fail(&trouble, VL_ERR_INPUT, "%s", scan->broken)
                                    : decode(c, scan, &image, &trouble);
    /* Boxes say nothing of small letters where the transcript has none. */
    cJSON *boxes = !status && is_page(scan) && is_known(scan) ? boxes_of(c, scan) : NULL;
    if (!status)
        status = vl_ocr_picture_init(&picture, image, 0, is_page(scan) && !boxes, 0, c->item,
                                     &trouble);
    set->items++;
    if (status) {
        set->broken++;
        vl_log(VL_LOG_WARN, "a scan is left out", VL_F_STR("set", scan->set),
               VL_F_STR("id", scan->id), VL_F_STR("reason", trouble.message));
        status = VL_OK;
    } else if (boxes) {
        status = boxed_item(c, set, scan, &picture, boxes, error);
    } else {
        status = is_page(scan) ? page_item(c, set, scan, &picture, error)
                               : line_item(c, set, scan, &picture, error);
    }
    cJSON_Delete(boxes);
    vl_ocr_picture_deinit(&picture);
    vl_image_free(image);
    return status;
}

/* ---- the run -------------------------------------------------------------------------------
 */

static bool is_wanted(const vl_scan_lines_options *how, const vl_scan *scan) {
    return !(how->half == VL_SCANS_ADAPT && scan->for_score) &&
           !(how->half == VL_SCANS_SCORE && !scan->for_score) &&
           (!how->sets || vl_scans_listed(how->sets, scan->set));
}

/* The row of a set in the report; NULL: no memory. */
static vl_scan_lines_set *set_of(vl_scan_lines_report *report, const char *name) {
    for (size_t i = 0; i < report->set_count; i++)
        if (!strcmp(report->sets[i].name, name))
            return &report->sets[i];
    vl_scan_lines_set *more =
        realloc(report->sets, (report->set_count + 1) * sizeof *report->sets);
    if (!more)
        return NULL;
    report->sets = more;
    more += report->set_count++;
    *more = (vl_scan_lines_set){0};
    snprintf(more->name, sizeof more->name, "%s", name);
    return more;
}

static vl_status note_others(cutting *c, const vl_scan *scans, size_t count, vl_error *error) {
    c->others = vl_arena_array(c->scans, count + 1, sizeof *c->others);
    if (!c->others)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the transcripts");
    for (size_t i = 0; i < count && c->how->half != VL_SCANS_ALL; i++) {
        bool other = scans[i].for_score != (c->how->half == VL_SCANS_SCORE);
        if (!other || scans[i].broken || is_page(&scans[i]) || is_word(&scans[i]))
            continue;
        const char *text = plain(c->scans, scans[i].truth);
        text = text ? alphabet_clean(&c->alphabet, c->scans, text) : NULL;
        if (text && *text)
            c->others[c->other_count++] = text;
    }
    return VL_OK;
}

static vl_status take_items(cutting *c, vl_error *error) {
    vl_scan *scans;
    size_t count;
    vl_status status = vl_scans_load(c->scans, c->how->folder, &scans, &count, error);
    if (!status)
        status = note_others(c, scans, count, error);
    for (size_t i = 0; !status && i < count; i++) {
        if (is_wanted(c->how, &scans[i])) {
            vl_scan_lines_set *set = set_of(c->report, scans[i].set);
            status = set ? take_item(c, set, &scans[i], error)
                         : vl_fail(error, VL_ERR_MEMORY, "no memory for the report");
        }
        if (c->how->progress)
            c->how->progress(i + 1, count, c->how->user);
    }
    if (!status && !c->report->lines)
        status = vl_fail(error, VL_ERR_INPUT, "%s: not one line could be taken from its scans",
                         c->how->folder);
    return status;
}

static vl_status open_all(cutting *c, vl_error *error) {
    char path[4096], packs[512];
    vl_ocr_options ocr = vl_ocr_options_default();
    c->engine = &vl_engine_tesseract;
    c->scans = vl_arena_new(SCANS_ARENA_MAX);
    c->item = vl_arena_new(ITEM_ARENA_MAX);
    if (!c->scans || !c->item)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the scans");
    snprintf(path, sizeof path, "%s/models/reader-alphabet.txt", vl_data_dir());
    vl_status status =
        alphabet_read(c->how->alphabet ? c->how->alphabet : path, &c->alphabet, error);
    if (!status)
        status = vl_ocr_packs_dir(&ocr, packs, error);
    if (!status)
        status = c->engine->open(packs, &c->state, error);
    return status ? status : tar_create(c->how->out, &c->shard, error);
}

vl_scan_lines_options vl_scan_lines_options_default(void) {
    return (vl_scan_lines_options){.half = VL_SCANS_ADAPT, .limits = vl_media_limits_default()};
}

vl_status vl_scan_lines_write(const vl_scan_lines_options *how, vl_scan_lines_report *report,
                              vl_error *error) {
    cutting *c = calloc(1, sizeof *c);
    *report = (vl_scan_lines_report){0};
    if (!c)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the scans");
    c->how = how;
    c->report = report;
    vl_status status = open_all(c, error);
    if (!status)
        status = take_items(c, error);
    if (!status) {
        status = tar_finish(c->shard, error);
        c->shard = NULL;
    }
    tar_abandon(c->shard);
    if (c->state)
        c->engine->close(c->state);
    vl_arena_free(c->scans);
    vl_arena_free(c->item);
    free(c);
    return status;
}

void vl_scan_lines_report_deinit(vl_scan_lines_report *report) {
    free(report->sets);
    *report = (vl_scan_lines_report){0};
}
