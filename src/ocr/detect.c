/* detect.c — orientation, script and language from a few sample lines.
 *
 * Tesseract's orientation-and-script detector gives the first guess for both. It is a guess
 * only (it has never seen some scripts, and gives up on short texts), so that the guess is
 * tried: some lines are cut out, stacked on one small picture and read with the pack of the
 * script. A clear reading in the expected script ends the search; otherwise the packs of the
 * other scripts are tried, then the other turns, and the clearest reading wins. The language
 * identifier then picks the language's own pack, which is smaller and surer than the script's.
 *
 * The shapes of the marks (script.h) say beforehand which scripts are worth a try, and name
 * those that no pack is there for.
 *
 *   read_samples    one small picture, one pack → score
 *   best_script     the script whose pack reads the samples best
 *   try_turn        one turn of the page, all of the above
 *   choose_packs    sample text → packs for the whole page
 *   vl_ocr_detect   the search over turns */
#include "ocr/detect.h"

#include "ocr/packs.h"

#include <leptonica/allheaders.h>
#include <stdio.h>
#include <string.h>

enum {
    SAMPLE_LINES = 5,
    TEXT_MAX = 1 << 20,
    SEARCH_MS = 3000, /* no further turn is tried after this long */
};
/* Seen on the samples and on scans in seven scripts: clean print reads at 0.75 and more with
 * the right pack; wrong packs and wrong turns stay below 0.45, but so does poor print with the
 * right one, which is why everything is tried before a faint reading wins. */
static const double CLEAR = 0.80, FAINT = 0.60, NO_TEXT = 0.45;
static const double OSD_SURE = 3.0, OSD_CERTAIN = 8.0;
/* Of what shapes say: enough to try no other script; enough to be named though unread. */
static const double SHAPES_SURE = 0.9, SHAPES_NAMED = 0.6, SHAPES_LEAST = 0.002;
enum { SHAPES_WINDOWS = 24 }; /* fewer are a sign's letters: they do not decide alone */

typedef struct attempt {
    vl_ocr_picture picture;
    vl_ocr_detection found;
    char *text;
    bool ready;
} attempt;

vl_status vl_ocr_job_check(const vl_ocr_job *job, vl_error *error) {
    if (job->deadline_ns > 0 && vl_clock_ns() > job->deadline_ns)
        return vl_fail(error, VL_ERR_TIMEOUT, "reading the page took longer than its limit");
    return vl_stop_check(error);
}

char *vl_ocr_reading_text(vl_arena *arena, const vl_engine_reading *reading) {
    vl_buf out;
    vl_buf_init(&out, TEXT_MAX * 16);
    for (size_t i = 0; i < reading->line_count; i++) {
        for (size_t j = 0; j < reading->lines[i].word_count; j++) {
            vl_buf_puts(&out, j ? " " : "");
            vl_buf_puts(&out, reading->lines[i].words[j].text);
        }
        vl_buf_puts(&out, "\n");
    }
    char *text = out.failed ? NULL : vl_arena_strndup(arena, out.data ? out.data : "", out.len);
    vl_buf_deinit(&out);
    return text;
}

/* A reading of a few marks says little however sure the engine is of it. */
static double score_of(const vl_engine_reading *reading) {
    double weight = reading->characters >= 6 ? 1 : 0.7 + 0.05 * (double)reading->characters;
    return reading->characters ? reading->confidence * weight : 0;
}

static vl_status read_samples(const vl_ocr_job *job, PIX *samples, bool single_line,
                              const char *packs, double *score, char **text, vl_error *error) {
    vl_engine_reading reading;
    vl_engine_request request = {
        .picture = samples,
        .packs = packs,
        .mode = single_line ? VL_ENGINE_LINE : VL_ENGINE_BLOCK,
        /* Words found in a dictionary are read more surely, which sets the right pack apart;
         * only the Latin list is too large to load for a sample, and needed least. */
        .sampling = strcmp(packs, "Latin") == 0,
        .dark_on_light = true,
        .deadline_ns = job->deadline_ns,
        .arena = job->arena,
    };
    vl_status status = job->engine->read(job->state, &request, &reading, error);
    if (!status && single_line && reading.characters < 2) {
        request.mode = VL_ENGINE_BLOCK;
        status = job->engine->read(job->state, &request, &reading, error);
    }
    if (status)
        return status;
    *score = score_of(&reading);
    *text = vl_ocr_reading_text(job->arena, &reading);
    return *text ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for sample lines");
}

/* Whether letters of the script `seen` are what a pack for `script` should read. */
static bool is_text_of(const char *seen, const char *script) {
    static const struct {
        const char *script, *letters;
    } mixed[] = {
        {"Hans", "Hani"}, {"Hant", "Hani"}, {"Jpan", "Hani Hira Kana"}, {"Kore", "Hang Hani"}};
    for (size_t i = 0; i < sizeof mixed / sizeof *mixed; i++)
        if (strcmp(mixed[i].script, script) == 0 && strstr(mixed[i].letters, seen))
            return true;
    return strcmp(seen, script) == 0;
}

/* Tries one script; keeps it when it reads better than what was found before. */
static vl_status try_script(const vl_ocr_job *job, attempt *a, PIX *samples, const char *script,
                            vl_error *error) {
    const vl_ocr_pack *pack = vl_ocr_pack_for_script(job->engine, job->state, script);
    if (!pack)
        return VL_OK;
    double score = 0, share = 0;
    char *text = NULL;
    vl_status status = read_samples(job, samples, a->picture.survey.single_line, pack->name,
                                    &score, &text, error);
    if (status)
        return status;
    /* Most packs read Latin letters too: such a reading speaks for the Latin pack, which
     * has its own try. */
    const char *seen = vl_text_script(text, &share);
    static const char narrow[] = "Khmr Beng";
    if (!is_text_of(seen, script))
        score *= strcmp(seen, "Zyyy") == 0 ? 0.8 : 0.7;
    else if (strstr(narrow, script) && score < FAINT)
        score *= 0.6; /* alphabets of many small shapes fit any scribble */
    vl_lang_guess language = {.code = ""};
    if (job->langid && score < CLEAR && score > 0 &&
        vl_langid_guess(job->langid, text, 1, &language) && strcmp(language.code, "und") == 0)
        score *= 0.8; /* letters that make no language known */
    if (score > a->found.score) {
        a->found.score = score;
        a->text = text;
        snprintf(a->found.script, sizeof a->found.script, "%s", script);
        snprintf(a->found.packs, sizeof a->found.packs, "%s", pack->name);
    }
    return VL_OK;
}

static bool is_sure(const vl_script_verdict *shapes) {
    return shapes->count && shapes->windows >= SHAPES_WINDOWS &&
           shapes->guesses[0].probability >= SHAPES_SURE &&
           strcmp(shapes->guesses[0].script, "Zxxx") != 0;
}

enum { TRIES_MAX = 48 };

/* Scripts in the order they are worth a try, none twice: what was proposed, what shapes say,
 * and from `*blind` on the others. Returns how many. */
static size_t order_scripts(const char *guess, const vl_script_verdict *shapes,
                            const char *order[TRIES_MAX], size_t *blind) {
    static const char *const all[] = {
        "Latn", "Arab", "Cyrl", "Deva", "Ethi", "Mymr", "Beng", "Taml", "Khmr", "Grek", "Hebr",
        "Thai", "Geor", "Armn", "Gujr", "Guru", "Telu", "Knda", "Mlym", "Sinh", "Laoo", "Tibt",
        "Hans", "Jpan", "Kore", "Hant", "Orya", "Cans", "Cher", "Syrc", "Thaa"};
    const char *wanted[TRIES_MAX] = {guess};
    size_t count = *guess ? 1 : 0, n = 0;
    for (size_t i = 0; i < shapes->count; i++) {
        const char *script = shapes->guesses[i].script;
        if (shapes->guesses[i].probability < SHAPES_LEAST)
            continue;
        wanted[count++] = strcmp(script, "Hani") == 0 ? "Hans" : script;
        if (strcmp(script, "Hani") == 0)
            wanted[count++] = "Hant";
    }
    size_t proposed = count + 1; /* and Latin letters stand in most pages */
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        wanted[count++] = all[i];
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < n && strcmp(order[k], wanted[i]) != 0)
            k++;
        if (k == n)
            order[n++] = wanted[i];
        if (i + 1 == proposed)
            *blind = n;
    }
    return n;
}

/* `unreadable`: shapes are sure of a script that there is no pack for; the others that are
 * likely are tried, and not every one there is. */
static vl_status best_script(const vl_ocr_job *job, attempt *a, PIX *samples, const char *guess,
                             const vl_script_verdict *shapes, bool unreadable,
                             vl_error *error) {
    /* What was proposed needs less to be believed than what is tried blindly. */
    double clear = *guess ? FAINT + 0.08 : CLEAR;
    const char *order[TRIES_MAX];
    size_t blind = 0, count = order_scripts(guess, shapes, order, &blind), tried = 0;
    vl_status status = VL_OK;
    for (size_t i = 0; !status && i < count; i++) {
        /* A photograph is given up on before every script was tried in vain. */
        if (job->photo && tried >= 2 && a->found.score < 0.12)
            break;
        if (a->found.score >= (strcmp(a->found.script, guess) == 0 ? clear : CLEAR) ||
            (i >= blind && (unreadable || (is_sure(shapes) && a->found.score >= FAINT))))
            break;
        status = try_script(job, a, samples, order[i], error);
        tried += strcmp(order[i], guess) != 0;
    }
    return status;
}

static vl_status find_samples(const vl_ocr_job *job, attempt *a, PIX **samples,
                              vl_error *error) {
    *samples = NULL;
    if (a->picture.survey.single_line) {
        *samples = pixClone(a->picture.work);
        return VL_OK;
    }
    vl_engine_reading layout;
    vl_engine_request request = {
        .picture = a->picture.work,
        .dpi = a->picture.work_dpi,
        .packs = job->engine->can_read(job->state, "osd") ? "osd" : "eng",
        .mode = VL_ENGINE_PAGE,
        .deadline_ns = job->deadline_ns,
        .arena = job->arena,
    };
    vl_status status = job->engine->find_lines(job->state, &request, &layout, error);
    vl_box *lines =
        status ? NULL : vl_arena_array(job->arena, layout.line_count + 1, sizeof *lines);
    if (!status && !lines)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for sample lines");
    if (status)
        return status;
    size_t count = layout.line_count, height = (size_t)pixGetHeight(a->picture.work);
    for (size_t i = 0; i < count; i++)
        lines[i] = layout.lines[i].box;
    if (count == 0 && height < 400)
        lines[count++] = (vl_box){0, 0, pixGetWidth(a->picture.work), (int32_t)height};
    *samples = vl_ocr_picture_samples(&a->picture, lines, count, SAMPLE_LINES);
    return VL_OK;
}

static vl_status try_turn(const vl_ocr_job *job, int rotation, const char *packs,
                          const char *guess, const vl_script_verdict *shapes, bool unreadable,
                          attempt *a, vl_error *error) {
    PIX *samples = NULL;
    vl_status status = vl_ocr_job_check(job, error);
    if (status)
        return status;
    if (!a->ready) {
        status = vl_ocr_picture_init(&a->picture, job->image, rotation, true, job->max_side,
                                     job->arena, error);
        if (status)
            return status;
        a->ready = true;
    }
    status = find_samples(job, a, &samples, error);
    if (!status && samples && packs) {
        snprintf(a->found.packs, sizeof a->found.packs, "%s", packs);
        status = read_samples(job, samples, a->picture.survey.single_line, packs,
                              &a->found.score, &a->text, error);
    } else if (!status && samples) {
        status = best_script(job, a, samples, guess, shapes, unreadable, error);
    }
    pixDestroy(&samples);
    return status;
}

/* ---- packs for the whole page -------------------------------------------------------- */

static double latin_share(const char *text) {
    size_t latin = 0, letters = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool ascii = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');
        latin += ascii;
        letters += ascii || *p >= 0xC0;
    }
    return letters ? (double)latin / (double)letters : 0;
}

static void choose_packs(const vl_ocr_job *job, attempt *a) {
    vl_lang_guess guesses[3];
    size_t n = job->langid && a->text ? vl_langid_guess(job->langid, a->text, 3, guesses) : 0;
    const vl_ocr_pack *pack = NULL;
    if (n && guesses[0].probability >= 0.5)
        pack =
            vl_ocr_pack_for_language(job->engine, job->state, guesses[0].code, a->found.script);
    if (!pack)
        return;
    bool mixed = strcmp(a->found.script, "Latn") != 0 && latin_share(a->text) > 0.15 &&
                 job->engine->can_read(job->state, "eng");
    snprintf(a->found.packs, sizeof a->found.packs, "%s%s", pack->name, mixed ? "+eng" : "");
}

/* ---- the search over turns ----------------------------------------------------------- */

static const char *script_of_osd(const char *name) {
    const vl_ocr_pack *pack = vl_ocr_pack_find(name);
    return pack && !pack->language ? pack->script : "";
}

static void keep_better(attempt *best, attempt *other) {
    if (other->ready && (!best->ready || other->found.score > best->found.score)) {
        attempt swap = *best;
        *best = *other;
        *other = swap;
    }
    if (other->ready)
        vl_ocr_picture_deinit(&other->picture);
    memset(other, 0, sizeof *other);
}

/* The turn the engine's detector proposes, and its script. The page is looked at as it lies. */
static int first_guess(const vl_ocr_job *job, const attempt *a, char script[5], bool *sure) {
    vl_engine_orientation seen;
    vl_engine_request request = {.picture = a->picture.work, .dpi = a->picture.work_dpi};
    script[0] = 0;
    bool lenient = *sure;
    *sure = false;
    if (job->photo || a->picture.survey.single_line || a->picture.survey.letters < 20 ||
        job->engine->orient(job->state, &request, &seen, NULL))
        return 0;
    snprintf(script, 5, "%s", script_of_osd(seen.script));
    *sure = seen.confidence >= (lenient ? OSD_SURE : OSD_CERTAIN);
    return seen.confidence >= OSD_SURE ? seen.clockwise : 0;
}

static bool unreadable(const vl_ocr_job *job, const vl_script_verdict *shapes) {
    return is_sure(shapes) &&
           !vl_ocr_pack_for_shapes(job->engine, job->state, shapes->guesses[0].script);
}

/* Where the detector is not certain, shapes decide the script, and the turn if it says none. */
static int guess_with_shapes(const vl_ocr_job *job, const vl_script_verdict *shapes, int turn,
                             char script[5], bool *sure) {
    if (!is_sure(shapes))
        return turn;
    const vl_script_guess *first = &shapes->guesses[0];
    if (unreadable(job, shapes))
        return first->rotation;
    bool agrees = strcmp(script, first->script) == 0;
    snprintf(script, 5, "%s", first->script);
    if ((agrees && *sure) || turn || shapes->rotation_probability < SHAPES_SURE)
        return turn;
    *sure = false;
    return shapes->rotation;
}

/* A script is named as unread when shapes are sure of it, there is no pack for it, and the
 * packs there are made no text of it. */
static vl_status name_unread(const vl_ocr_job *job, const vl_script_verdict *shapes,
                             attempt *best, vl_error *error) {
    vl_ocr_detection *found = &best->found;
    if (job->photo || found->score >= FAINT || !shapes->count)
        return VL_OK;
    const vl_script_guess *first = &shapes->guesses[0];
    bool text = strcmp(first->script, "Zxxx") != 0;
    bool known = text && first->probability >= SHAPES_NAMED;
    if (shapes->windows < SHAPES_WINDOWS && !(known && first->probability > 0.99))
        return VL_OK;
    if (!known && text && found->score < NO_TEXT && best->picture.survey.letters >= 60)
        snprintf(found->unread, sizeof found->unread, "Zzzz");
    if (!known || vl_ocr_pack_for_shapes(job->engine, job->state, first->script))
        return VL_OK;
    snprintf(found->unread, sizeof found->unread, "%s", first->script);
    found->unread_probability = first->probability;
    found->packs[0] = 0;
    if (!job->detect_orientation || best->picture.rotation == first->rotation)
        return VL_OK;
    vl_ocr_picture_deinit(&best->picture);
    best->ready = false;
    vl_status status = vl_ocr_picture_init(&best->picture, job->image, first->rotation, true,
                                           job->max_side, job->arena, error);
    best->ready = !status;
    return status;
}

vl_status vl_ocr_detect(const vl_ocr_job *job, const char *packs, vl_ocr_picture *picture,
                        vl_ocr_detection *detection, vl_error *error) {
    attempt best = {0}, other = {0};
    char guess[5] = "";
    bool tried[4] = {false};
    vl_script_verdict shapes = {0};
    memset(picture, 0, sizeof *picture);
    vl_status status = vl_ocr_picture_init(&best.picture, job->image, 0, true, job->max_side,
                                           job->arena, error);
    if (status)
        goto out;
    best.ready = true;
    if (job->photo && best.picture.survey.letters == 0)
        goto done;
    if (job->scripts && !packs)
        vl_script_judge(job->scripts, &best.picture, &shapes);
    /* With the packs known the search costs a reading that was poor already: the detector's
     * word is enough. */
    bool sure = packs != NULL;
    int64_t start = vl_clock_ns();
    int turn = first_guess(job, &best, guess, &sure);
    turn = guess_with_shapes(job, &shapes, turn, guess, &sure);
    bool nobody = unreadable(job, &shapes);
    turn = job->detect_orientation ? turn : 0;
    if (turn) {
        vl_ocr_picture_deinit(&best.picture);
        memset(&best, 0, sizeof best);
    }
    tried[turn / 90] = true;
    status = try_turn(job, turn, packs, guess, &shapes, nobody, &best, error);
    double enough = sure ? (packs ? 0 : 0.3) : FAINT;
    static const int turns[] = {0, 180, 90, 270};
    bool line = best.ready && best.picture.survey.single_line;
    for (size_t i = 0; !status && job->detect_orientation && i < 4; i++) {
        int next = turns[i];
        if (best.found.score >= enough || job->photo || nobody ||
            vl_clock_ms_since(start) > SEARCH_MS)
            break;
        if (tried[next / 90] || (line && next % 180 != 0))
            continue;
        tried[next / 90] = true;
        status = try_turn(job, next, packs, best.found.script, &shapes, false, &other, error);
        /* Another turn must be clearly better than the way the page lies. */
        other.found.score -= next == 0 ? 0 : line ? 0.2 : 0.05;
        keep_better(&best, &other);
    }
done:
    if (!status && !packs && best.found.score > 0)
        choose_packs(job, &best);
    if (!status && !packs && best.found.score < (job->photo ? NO_TEXT : 0.25))
        best.found.packs[0] = 0;
    if (!status && !packs)
        status = name_unread(job, &shapes, &best, error);
    if (!status) {
        *picture = best.picture;
        *detection = best.found;
        memset(&best, 0, sizeof best);
    }
out:
    if (best.ready)
        vl_ocr_picture_deinit(&best.picture);
    if (other.ready)
        vl_ocr_picture_deinit(&other.picture);
    return status;
}
