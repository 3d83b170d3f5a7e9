/* ocr.c — one page: picture → which way up, which packs → one full reading → structure. Where
 * that reading is poor, the page is read again on cleaned pictures (whole.h).
 *
 * With languages given, the page is read as it lies and only a poor result makes it look at
 * other turns, so that the usual page costs one reading and nothing else. Without, detect.c
 * decides first. Words that are noise (a photograph's texture, specks) are dropped, and where
 * several engines are set, they vote on what is left, before the page is laid out.
 *
 *   vl_ocr_new, _free, _packs, _engine_version
 *   read_given, read_detecting   picture, packs and reading (whole.c)
 *   drop_noise                   what is not text
 *   vl_ocr_read                  the straight line */
#include "ocr/columns.h"
#include "ocr/consensus.h"
#include "ocr/kind.h"
#include "ocr/layout.h"
#include "ocr/packs.h"
#include "ocr/record.h"
#include "ocr/redact.h"
#include "ocr/whole.h"

#include <dirent.h>
#include <leptonica/allheaders.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct vl_ocr {
    vl_ocr_options options;
    const vl_engine *engine; /* finds turn, lines and script: Tesseract */
    void *state;
    vl_panel panel; /* reads */
    vl_preprocessing preprocessing;
    vl_consensus *consensus;  /* NULL: one engine alone reads */
    vl_script_model *scripts; /* NULL: not there */
    vl_langid *own_langid;
    const vl_langid *langid;
    char languages[VL_OCR_PACKS_SIZE]; /* options.languages, "" for detection */
    char source[VL_RECORD_MAX_FIELD];  /* "": not known */
};

vl_ocr_options vl_ocr_options_default(void) {
    return (vl_ocr_options){
        .detect_orientation = true,
        .fast_photo = true,
        .max_seconds = 60,
        .max_engine_seconds = 30,
        .threshold = 0.9,
    };
}

const char *vl_ocr_engine_version(void) {
    return vl_engine_tesseract.version();
}

/* ---- where packs are ------------------------------------------------------------------ */

static bool has_packs(const char *dir) {
    DIR *d = opendir(dir);
    bool found = false;
    for (struct dirent *e; d && !found && (e = readdir(d));)
        found = strstr(e->d_name, ".traineddata") != NULL;
    if (d)
        closedir(d);
    return found;
}

vl_status vl_ocr_packs_dir(const vl_ocr_options *options, char out[512], vl_error *error) {
    const char *asked = options->tessdata && *options->tessdata ? options->tessdata : NULL;
    const char *const places[] = {
        asked,
        asked ? NULL : getenv("TESSDATA_PREFIX"),
        asked ? NULL : "/usr/share/tesseract-ocr/5",
        asked ? NULL : "/usr/share/tesseract-ocr/4.00",
        asked ? NULL : "/usr/share/tessdata",
        asked ? NULL : "/usr/local/share/tessdata",
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (!places[i] || !*places[i])
            continue;
        snprintf(out, 512, "%s", places[i]);
        if (has_packs(out))
            return VL_OK;
        snprintf(out, 512, "%s/tessdata", places[i]);
        if (has_packs(out))
            return VL_OK;
    }
    return vl_fail(error, VL_ERR_MISSING,
                   "no Tesseract language packs in %s: apt-get install tesseract-ocr-eng "
                   "tesseract-ocr-osd",
                   asked ? asked : "the usual places");
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

vl_status vl_ocr_packs(const vl_ocr_options *options, vl_arena *arena, const char ***packs,
                       size_t *count, vl_error *error) {
    enum { PACKS = 1024 };
    char dir[512];
    vl_ocr_options defaults = vl_ocr_options_default();
    vl_status status = vl_ocr_packs_dir(options ? options : &defaults, dir, error);
    if (status)
        return status;
    const char **names = vl_arena_array(arena, PACKS, sizeof *names);
    DIR *d = names ? opendir(dir) : NULL;
    size_t n = 0;
    for (struct dirent *e; d && n < PACKS && (e = readdir(d));) {
        char *dot = strstr(e->d_name, ".traineddata");
        if (dot && strcmp(dot, ".traineddata") == 0 && dot != e->d_name &&
            !(names[n++] = vl_arena_strndup(arena, e->d_name, (size_t)(dot - e->d_name))))
            break;
    }
    if (d)
        closedir(d);
    if (!d || (n && !names[n - 1]))
        return vl_fail(error, VL_ERR_MEMORY, "no memory to list language packs");
    qsort(names, n, sizeof *names, by_name);
    *packs = names;
    *count = n;
    return VL_OK;
}

vl_status vl_ocr_new(const vl_ocr_options *options, vl_ocr **out, vl_error *error) {
    char dir[512];
    vl_ocr_options defaults = vl_ocr_options_default();
    options = options ? options : &defaults;
    vl_status status = vl_ocr_packs_dir(options, dir, error);
    if (status)
        return status;
    vl_ocr *ocr = calloc(1, sizeof *ocr);
    if (!ocr)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the reader");
    ocr->options = *options;
    ocr->engine = &vl_engine_tesseract;
    ocr->langid = options->langid;
    status = vl_preprocessing_parse(options->preprocessing, &ocr->preprocessing, error);
    if (!status)
        status = ocr->engine->open(dir, &ocr->state, error);
    if (!status)
        status = vl_panel_init(&ocr->panel, options, dir, ocr->state, error);
    if (!status && options->languages && *options->languages)
        status = vl_ocr_packs_resolve(ocr->engine, ocr->state, options->languages,
                                      ocr->languages, error);
    if (!status)
        status = vl_ocr_source(ocr, options->source, error);
    if (!status && vl_panel_count(&ocr->panel) > 1)
        status = vl_consensus_new(options->record, options->threshold, options->explain,
                                  &ocr->consensus, error);
    if (!status && ocr->consensus)
        vl_consensus_steady(ocr->consensus, options->steady);
    ocr->options.languages = NULL;
    ocr->options.record = NULL;
    ocr->options.source = NULL;
    ocr->options.tessdata = NULL;
    ocr->options.engines = NULL;
    ocr->options.preprocessing = NULL;
    /* Without the bundled models pages are still read, with the packs of their script. */
    vl_error no_model;
    if (!status && vl_script_model_open(NULL, &ocr->scripts, &no_model))
        vl_log(VL_LOG_WARN, "scripts are found out by reading alone",
               VL_F_STR("reason", no_model.message));
    if (!status && !ocr->langid && !vl_langid_open(NULL, &ocr->own_langid, &no_model))
        ocr->langid = ocr->own_langid;
    if (status) {
        vl_ocr_free(ocr);
        return status;
    }
    *out = ocr;
    return VL_OK;
}

void vl_ocr_free(vl_ocr *ocr) {
    if (!ocr)
        return;
    vl_consensus_free(ocr->consensus);
    vl_panel_deinit(&ocr->panel);
    ocr->engine->close(ocr->state);
    vl_langid_free(ocr->own_langid);
    vl_script_model_free(ocr->scripts);
    free(ocr);
}

void vl_ocr_explain(vl_ocr *ocr, bool explain) {
    ocr->options.explain = explain;
    if (ocr->consensus)
        vl_consensus_explain(ocr->consensus, explain);
}

void vl_ocr_redact(vl_ocr *ocr, bool redact) {
    ocr->options.redact = redact;
}

vl_status vl_ocr_source(vl_ocr *ocr, const char *source, vl_error *error) {
    vl_record_key key = {.voice = "any", .source = source};
    vl_status status = vl_record_key_check(&key, error);
    if (!status)
        snprintf(ocr->source, sizeof ocr->source, "%s", source ? source : "");
    return status;
}

/* ---- noise ---------------------------------------------------------------------------- */

static size_t letters_and_digits(const char *text) {
    size_t n = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool ascii =
            (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z');
        n += ascii || (*p >= 0xC3 && *p != 0xE2);
    }
    return n;
}

static bool is_noise_word(const vl_word *word, double page_confidence, bool photo) {
    size_t real = letters_and_digits(word->text);
    if (photo)
        return word->confidence < 0.5 || (real < 2 && word->confidence < 0.9);
    if (real == 0)
        return word->confidence < 0.3;
    return page_confidence > 0.75 && real < 3 && word->confidence < 0.1;
}

/* A photograph's line is text when it is sure of at least one word of three letters. */
static bool is_noise_line(const vl_engine_line *line, bool photo) {
    if (line->word_count == 0)
        return true;
    if (!photo)
        return false;
    for (size_t i = 0; i < line->word_count; i++)
        if (line->words[i].confidence >= 0.75 && letters_and_digits(line->words[i].text) >= 3)
            return false;
    return true;
}

/* Keeps the words that are no noise, and their symbols. */
static void drop_words(vl_engine_line *line, double page_confidence, bool photo) {
    size_t words = 0, symbols = 0, s = 0;
    for (size_t j = 0; j < line->word_count; j++) {
        bool noise = is_noise_word(&line->words[j], page_confidence, photo);
        for (; s < line->symbol_count && line->symbols[s].word <= j; s++)
            if (!noise) {
                line->symbols[symbols] = line->symbols[s];
                line->symbols[symbols++].word = words;
            }
        if (!noise)
            line->words[words++] = line->words[j];
    }
    line->word_count = words;
    line->symbol_count = symbols;
}

static void drop_noise(vl_engine_reading *reading, bool photo) {
    size_t lines = 0;
    for (size_t i = 0; i < reading->line_count; i++) {
        vl_engine_line line = reading->lines[i];
        drop_words(&line, reading->confidence, photo);
        if (!is_noise_line(&line, photo))
            reading->lines[lines++] = line;
    }
    reading->line_count = lines;
}

/* Nothing but scattered marks: a page of noise gives confident-looking specks, never a line
 * worth keeping. */
static bool is_all_noise(const vl_engine_reading *reading) {
    return reading->characters == 0 || reading->confidence < 0.25 ||
           (reading->confidence < 0.45 && reading->characters < 12);
}

/* ---- the straight line ------------------------------------------------------------------ */

/* How the page is to be read, and since when it is worked on. */
typedef struct way {
    const vl_preprocessing *preprocessing;
    int64_t started_ns;
} way;

static vl_status read_better(const vl_ocr_job *job, const way *how, const char *packs,
                             vl_ocr_picture *picture, vl_engine_reading *reading,
                             vl_error *error) {
    return how->preprocessing->kind == VL_PREPROCESSING_AUTO
               ? vl_ocr_read_better(job, packs, vl_clock_ns() - how->started_ns, picture,
                                    reading, error)
               : VL_OK;
}

/* Where the reading is poor, the turn that the page seems to lie in, if it reads better. */
static vl_status try_turned(const vl_ocr_job *job, const way *how, const char *packs,
                            vl_ocr_picture *picture, vl_engine_reading *reading,
                            vl_error *error) {
    if (!job->detect_orientation || job->photo || picture->survey.letters < 5 ||
        reading->confidence >= 0.5)
        return VL_OK;
    vl_ocr_picture turned;
    vl_ocr_detection found;
    vl_status status = vl_ocr_detect(job, packs, &turned, &found, error);
    if (status)
        return status;
    if (turned.rotation == 0) {
        vl_ocr_picture_deinit(&turned);
        return VL_OK;
    }
    vl_engine_reading other;
    status = vl_ocr_read_whole(job, how->preprocessing, packs, &turned, &other, error);
    if (!status && vl_ocr_reading_worth(&other) > vl_ocr_reading_worth(reading)) {
        vl_ocr_picture swap = *picture;
        *picture = turned;
        turned = swap;
        *reading = other;
    }
    vl_ocr_picture_deinit(&turned);
    return status;
}

static vl_status read_given(const vl_ocr_job *job, const way *how, const char *packs,
                            vl_ocr_picture *picture, vl_engine_reading *reading,
                            vl_error *error) {
    vl_status status =
        vl_ocr_picture_init(picture, job->image, 0, true, job->max_side, job->arena, error);
    if (!status)
        status = vl_ocr_read_whole(job, how->preprocessing, packs, picture, reading, error);
    if (status)
        return status;
    /* Lines are cut out the right way up; a dirty one must not be taken for a turned one. */
    bool line = picture->survey.single_line;
    if (!line)
        status = try_turned(job, how, packs, picture, reading, error);
    if (!status)
        status = read_better(job, how, packs, picture, reading, error);
    return status || !line ? status : try_turned(job, how, packs, picture, reading, error);
}

/* What was read with the packs of another script is no text, however sure an engine is. */
static vl_status drop_unread(const vl_ocr_job *job, const vl_ocr_detection *found,
                             vl_engine_reading *reading, const vl_unread **unread,
                             vl_error *error) {
    enum { POOR = 45 }; /* percent: the whole page may read better than its samples did */
    bool unknown = strcmp(found->unread, "Zzzz") == 0;
    if (!*found->unread || (unknown && reading->confidence * 100 >= POOR))
        return VL_OK;
    reading->line_count = reading->characters = 0;
    *unread = vl_ocr_script_unread(found->unread, found->unread_probability, job->arena);
    return *unread ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for the page");
}

static vl_status read_detecting(const vl_ocr_job *job, const way *how, char packs[96],
                                vl_ocr_picture *picture, vl_engine_reading *reading,
                                const vl_unread **unread, vl_error *error) {
    vl_ocr_detection found = {0};
    vl_status status = vl_ocr_detect(job, NULL, picture, &found, error);
    if (status)
        return status;
    memset(reading, 0, sizeof *reading);
    snprintf(packs, 96, "%s", found.packs);
    if (*packs)
        status = vl_ocr_read_whole(job, how->preprocessing, packs, picture, reading, error);
    if (!status)
        status = drop_unread(job, &found, reading, unread, error);
    if (*unread)
        packs[0] = 0;
    return status || !*packs ? status : read_better(job, how, packs, picture, reading, error);
}

static void name_languages(const vl_ocr_job *job, vl_page *page) {
    char *text = vl_page_text(job->arena, page);
    snprintf(page->script, sizeof page->script, "%s", vl_text_script(text ? text : "", NULL));
    if (text && *text && job->langid)
        page->language_count = vl_langid_guess(job->langid, text, 5, page->languages);
}

/* The lines as the engines together have them; `voted` has a bit for each that took part. */
static vl_status vote(vl_ocr *ocr, const vl_ocr_job *job, const vl_ocr_picture *picture,
                      const char *packs, vl_engine_reading *reading, uint32_t *voted,
                      vl_page *to, vl_error *error) {
    vl_kind_measures measures;
    vl_page_key *key = vl_arena_alloc(job->arena, sizeof *key);
    vl_consensus_page page = {.job = job,
                              .picture = picture,
                              .packs = packs,
                              .lead = ocr->panel.read_by,
                              .source = vl_arena_strdup(job->arena, ocr->source),
                              .key = key};
    *voted = 0;
    bool line = picture->survey.single_line && *packs; /* another may see what one did not */
    if (!ocr->consensus || !(reading->line_count || line))
        return VL_OK;
    if (!key || !page.source)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the page");
    if (!vl_kind_measure(job->image, &picture->survey, &measures, NULL))
        page.kind = vl_kind_name(&measures);
    vl_status status = vl_consensus_vote(ocr->consensus, &page, reading, voted, error);
    to->key = ocr->options.explain ? key : NULL;
    return status;
}

/* "tesseract 5.3.0 (eng)", "tesseract 5.3.0, ocrad 0.28 (eng, after median)". NULL: no memory.
 */
static const char *engine_line(const vl_ocr *ocr, uint32_t voted, const char *packs,
                               const char *cleanup, vl_arena *arena) {
    char list[VL_PANEL_MAX * (VL_OCR_ENGINE_NAME + 34)] = "";
    size_t used = 0;
    voted |= 1u << ocr->panel.read_by;
    for (size_t i = 0; i < vl_panel_count(&ocr->panel); i++) {
        if (!(voted & 1u << i))
            continue;
        const char *version = vl_panel_engine(&ocr->panel, i)->version();
        int n = snprintf(list + used, sizeof list - used, "%s%s%s%.32s", used ? ", " : "",
                         vl_panel_name(&ocr->panel, i), *version ? " " : "", version);
        used += n > 0 ? (size_t)n : 0;
    }
    return vl_arena_printf(arena, "%s (%s%s%s)", list, *packs ? packs : "none",
                           cleanup ? ", after " : "", cleanup ? cleanup : "");
}

/* A word or a line cut out of a photograph looks like one itself: such cuts are small, and
 * wider than a camera's picture. They are read as what they may be. */
static bool could_be_a_sign(const vl_image *image) {
    enum { SMALL = 450 };
    if (image->width < 150 || image->height < 150)
        return true;
    return image->width <= SMALL && image->width * 10 >= image->height * 16;
}

static vl_status job_init(vl_ocr *ocr, const vl_image *image, bool detecting, vl_arena *arena,
                          vl_ocr_job *job, vl_error *error) {
    enum { PHOTO_SIDE = 1800 };
    vl_picture_look look = {0};
    if (image->width == 0 || image->height == 0)
        return vl_fail(error, VL_ERR_INPUT, "the picture has no pixels");
    *job = (vl_ocr_job){
        .engine = ocr->engine,
        .state = ocr->state,
        .panel = &ocr->panel,
        .langid = ocr->langid,
        .scripts = ocr->scripts,
        .image = image,
        .detect_orientation = ocr->options.detect_orientation,
        .arena = arena,
    };
    if (ocr->options.max_seconds > 0)
        job->deadline_ns = vl_clock_ns() + (int64_t)(ocr->options.max_seconds * 1e9);
    if (detecting && ocr->options.fast_photo && !vl_picture_look_at(image, &look, NULL)) {
        job->photo = look.kind == VL_PICTURE_PHOTO && !could_be_a_sign(image);
        job->blank = look.kind == VL_PICTURE_BLANK;
    }
    job->max_side = job->photo ? PHOTO_SIDE : 0;
    return VL_OK;
}

vl_status vl_ocr_read(vl_ocr *ocr, const vl_image *image, const char *languages,
                      vl_arena *arena, vl_page **out, vl_image **upright, vl_error *error) {
    int64_t start = vl_clock_ns();
    char packs[VL_OCR_PACKS_SIZE] = "";
    vl_ocr_picture picture = {0};
    vl_engine_reading reading = {0};
    vl_ocr_job job;
    const way how = {&ocr->preprocessing, start};
    vl_page *page = vl_arena_alloc(arena, sizeof *page);
    if (!page)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the page");
    const char *asked = languages && *languages ? languages : ocr->languages;
    vl_status status = job_init(ocr, image, !*asked, arena, &job, error);
    if (!status && *asked)
        status = vl_ocr_packs_resolve(ocr->engine, ocr->state, asked, packs, error);
    if (status)
        return status;
    if (job.blank) /* nothing to turn, straighten or read */
        status = vl_ocr_picture_init(&picture, image, 0, false, 0, arena, error);
    else if (*asked)
        status = read_given(&job, &how, packs, &picture, &reading, error);
    else
        status = read_detecting(&job, &how, packs, &picture, &reading, &page->unread, error);
    if (!status && !job.blank && *packs)
        status = vl_columns_read(&job, &picture, packs, &reading, error);
    if (status)
        goto out;
    /* Many marks that read well are a page, however colourful; and who names the languages
     * says that there is text. */
    bool photo =
        job.photo && !*asked && !(reading.characters > 150 && reading.confidence > 0.6);
    /* One line, cut out by somebody who names its language, is text, however faintly read. */
    if (!*asked || !picture.survey.single_line) {
        drop_noise(&reading, photo);
        if (is_all_noise(&reading))
            reading.line_count = 0;
    }
    uint32_t voted = 0;
    status = vote(ocr, &job, &picture, packs, &reading, &voted, page, error);
    if (!status)
        status = vl_stop_check(error); /* what was stopped is missing from it */
    if (status)
        goto out;
    page->width = (uint32_t)pixGetWidth(picture.upright);
    page->height = (uint32_t)pixGetHeight(picture.upright);
    page->dpi = picture.dpi;
    page->rotation = picture.rotation;
    page->skew = picture.skew;
    status = vl_ocr_layout(&picture, &reading, arena, page, error);
    if (status)
        goto out;
    name_languages(&job, page);
    if (page->unread)
        snprintf(page->script, sizeof page->script, "%s", page->unread->script);
    page->engine = engine_line(ocr, voted, packs, picture.cleanup, arena);
    if (!page->engine) {
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for the page");
        goto out;
    }
    if (upright)
        status = vl_ocr_picture_image(&picture, image, upright, error);
    if (!status && ocr->options.redact) {
        status = vl_page_redact(page, upright ? *upright : NULL, arena, error);
        if (status && upright) {
            vl_image_free(*upright);
            *upright = NULL;
        }
    }
    page->milliseconds = vl_clock_ms_since(start);
    *out = page;
out:
    vl_ocr_picture_deinit(&picture);
    return status;
}
