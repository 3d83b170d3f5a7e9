/* voices.c — what engines are worth, from lines with their true text: how their confidences
 * become probabilities, how often each is right for a script and a language, and the constants
 * of the vote (docs/consensus.md).
 *
 *   hear_line          a line, read by every engine
 *   fit_voice          counts and calibration of one
 *   count_rendered     counts for scripts that hardly a real line is in
 *   errors_with, search_constants   the vote's constants, one after another
 *   fit_words          from a word's posterior to the share that is right
 *   show_thresholds    what stopping early costs and saves
 *   vl_voices_train */
#include "ocr/consensus.h"
#include "ocr/packs.h"
#include "ocr/scans.h"
#include "ocr/voices.h"
#include "base/doc.h"
#include "train/samples.h"

#include <vislang/train.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINES_ARENA = 2047 << 20,
    VOTE_ARENA = 256 << 20,
    TEXT_MAX = 512,
    ROUNDS = 2,
    BINS = 10,
    AXIS = 7, /* values of a constant that are tried */
};

/* Fewer errors than that share of those before, or a constant stays: the rest is chance. */
static const double LEAST_GAIN = 0.97;

typedef struct voices_recipe {
    char engines[TEXT_MAX], lines[TEXT_MAX];
    char rendered[TEXT_MAX]; /* "" none */
    char vote[TEXT_MAX];     /* those of the engines that the constants are searched for */
    double evidence;
} voices_recipe;

typedef struct heard {
    vl_vote_voice *voices;
    size_t count, voting; /* the first so many are in the recipe's vote */
    const char *truth;
    const vl_vote_cluster *clusters; /* of the truth */
    size_t cluster_count;
    const char *pack, *script, *language; /* it was read with */
    bool has_model;
    vl_vote_language model;
} heard;

typedef struct fitting {
    const vl_voices_training *how;
    voices_recipe recipe;
    vl_arena *arena, *scratch; /* lines; one vote */
    vl_ocr_engines *engines;
    void *tesseract;
    vl_panel panel;
    vl_ngram *models;
    heard *lines; /* real ones, then rendered ones */
    size_t count, all_count;
    vl_voices voices;
} fitting;

/* ---- the recipe ------------------------------------------------------------------------- */

static vl_status read_text(doc *d, const yaml_node_t *root, const yaml_node_t *node,
                           const char *name, char out[TEXT_MAX]) {
    const char *text = doc_text(node);
    if (!text || !*text || strlen(text) >= TEXT_MAX)
        return doc_refuse(d, node ? node : root, "'%s' is needed", name);
    strcpy(out, text);
    return VL_OK;
}

static vl_status recipe_load(const char *path, voices_recipe *recipe, vl_error *error) {
    enum { MODEL, ENGINES, VOTE, LINES, RENDERED, EVIDENCE, KEYS };
    static const char *const keys[KEYS] = {"model", "engines",  "vote",
                                           "lines", "rendered", "evidence"};
    const yaml_node_t *values[KEYS];
    char model[TEXT_MAX];
    doc d;
    vl_status status = doc_open(&d, path, VL_ERR_USAGE, error);
    if (status)
        return status;
    const yaml_node_t *root = doc_root(&d);
    status = doc_values(&d, root, keys, KEYS, values);
    if (!status)
        status = read_text(&d, root, values[MODEL], "model", model);
    if (!status && strcmp(model, "voices") != 0)
        status = doc_refuse(&d, values[MODEL], "this recipe is of another model than voices");
    if (!status)
        status = read_text(&d, root, values[ENGINES], "engines", recipe->engines);
    strcpy(recipe->vote, recipe->engines);
    if (!status && values[VOTE])
        status = read_text(&d, root, values[VOTE], "vote", recipe->vote);
    if (!status)
        status = read_text(&d, root, values[LINES], "lines", recipe->lines);
    if (!status && values[RENDERED])
        status = read_text(&d, root, values[RENDERED], "rendered", recipe->rendered);
    if (!status)
        status = doc_number(&d, root, values[EVIDENCE], "evidence", 0, 1e6, &recipe->evidence);
    doc_close(&d);
    return status;
}

/* ---- lines ------------------------------------------------------------------------------ */

/* The pack of the line's language, else that of its script. NULL: none is installed. A line
 * without letters says nothing of its script: any pack of the language will do. */
static const vl_ocr_pack *pack_for(const fitting *f, const sample *line) {
    size_t count;
    const char *script = vl_text_script(line->text, NULL);
    bool any = !strcmp(script, "Zyyy");
    const char *language = samples_label(line, "language");
    const vl_ocr_pack *table = vl_ocr_pack_table(&count);
    for (size_t i = 0; language && i < count; i++)
        if (table[i].language && (any || !strcmp(table[i].script, script)) &&
            (!strcmp(table[i].language, language) ||
             !strcmp(vl_lang_short(table[i].language), language)) &&
            vl_engine_tesseract.can_read(f->tesseract, table[i].name))
            return &table[i];
    return any ? NULL : vl_ocr_pack_for_script(&vl_engine_tesseract, f->tesseract, script);
}

static vl_status hear_picture(fitting *f, const vl_image *image, const vl_ocr_pack *pack,
                              heard *line, vl_error *error) {
    vl_ocr_picture picture;
    vl_ocr_job job = {.engine = &vl_engine_tesseract,
                      .state = f->tesseract,
                      .panel = &f->panel,
                      .image = image,
                      .arena = f->arena};
    vl_consensus_page page = {.job = &job, .picture = &picture, .packs = pack->name};
    vl_vote_voice voices[VL_PANEL_MAX];
    vl_status status = vl_ocr_picture_init(&picture, image, 0, false, 0, f->arena, error);
    if (!status)
        status = vl_consensus_hear(&page, voices, &line->count, error);
    vl_ocr_picture_deinit(&picture);
    if (status || !line->count)
        return status;
    line->voices = vl_arena_array(f->arena, line->count, sizeof *voices);
    if (!line->voices)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the readings of a line");
    size_t others = 0;
    vl_vote_voice later[VL_PANEL_MAX];
    for (size_t i = 0; i < line->count; i++)
        if (vl_scans_listed(f->recipe.vote, voices[i].name))
            line->voices[line->voting++] = voices[i];
        else
            later[others++] = voices[i];
    memcpy(line->voices + line->voting, later, others * sizeof *later);
    return VL_OK;
}

static vl_status hear_line(fitting *f, const samples *set, size_t index, vl_error *error) {
    static const vl_scan plain = {0};
    const sample *item = samples_at(set, index);
    heard *line = &f->lines[f->all_count];
    vl_media_limits limits = vl_media_limits_default();
    vl_image *image = NULL;
    vl_buf bytes;
    const vl_ocr_pack *pack = item->text && *item->text ? pack_for(f, item) : NULL;
    if (!pack)
        return VL_OK;
    *line = (heard){.pack = pack->name, .script = pack->script, .language = pack->language};
    line->truth = vl_scan_comparable(f->arena, &plain, item->text);
    const vl_ngram_language *model =
        f->models && pack->language ? vl_ngram_find(f->models, pack->language) : NULL;
    line->has_model = model != NULL;
    if (model)
        line->model = vl_vote_language_of(model);
    vl_buf_init(&bytes, limits.max_bytes);
    vl_status status = line->truth
                           ? vl_vote_clusters_of(f->arena, line->truth, 1, &line->clusters,
                                                 &line->cluster_count, error)
                           : vl_fail(error, VL_ERR_MEMORY, "no memory for a line");
    if (!status)
        status = samples_read(set, index, &bytes, error);
    if (!status)
        status = vl_document_first(bytes.data, bytes.len, &limits, &image, error);
    if (!status)
        status = hear_picture(f, image, pack, line, error);
    f->all_count += !status && line->voting && line->cluster_count;
    vl_image_free(image);
    vl_buf_deinit(&bytes);
    return status;
}

static vl_status hear_all(fitting *f, const char *name, vl_error *error) {
    char path[4096];
    samples *set;
    snprintf(path, sizeof path, "%s/%s", f->how->data_dir, name);
    vl_status status = samples_open(path, &set, error);
    if (status)
        return status;
    size_t all = samples_count(set), before = f->all_count;
    heard *lines = realloc(f->lines, (before + all + 1) * sizeof *lines);
    f->lines = lines ? lines : f->lines;
    if (!lines)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for %zu lines", all);
    for (size_t i = 0; i < all && !status; i++) {
        status = hear_line(f, set, i, error);
        if (f->how->progress)
            f->how->progress(i + 1, all, f->how->user);
    }
    samples_free(set);
    return !status && f->all_count == before
               ? vl_fail(error, VL_ERR_INPUT, "%s: not one line that an engine reads", path)
               : status;
}

/* ---- right and wrong -------------------------------------------------------------------- */

/* Levenshtein (1966): marks the items of `a` that stand where `b` has the same. Returns the
 * distance, SIZE_MAX: no memory. */
static size_t mark_right(const char *const *a, size_t n, const char *const *b, size_t m,
                         bool *right) {
    uint32_t *cost = malloc((n + 1) * (m + 1) * sizeof *cost);
    if (!cost)
        return SIZE_MAX;
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j <= m; j++) {
            uint32_t *at = &cost[i * (m + 1) + j];
            if (!i || !j) {
                *at = (uint32_t)(i + j);
                continue;
            }
            uint32_t same = at[-(ptrdiff_t)(m + 2)] + (strcmp(a[i - 1], b[j - 1]) != 0);
            uint32_t gone = at[-(ptrdiff_t)(m + 1)] + 1, more = at[-1] + 1;
            *at = same < gone ? same : gone;
            *at = more < *at ? more : *at;
        }
    size_t edits = cost[n * (m + 1) + m];
    for (size_t i = n, j = m; i || j;) {
        uint32_t here = cost[i * (m + 1) + j];
        bool equal = i && j && !strcmp(a[i - 1], b[j - 1]);
        if (i && j && here == cost[(i - 1) * (m + 1) + j - 1] + !equal) {
            right[--i] = equal;
            j--;
        } else if (i && here == cost[(i - 1) * (m + 1) + j] + 1) {
            right[--i] = false;
        } else {
            j--;
        }
    }
    free(cost);
    return edits;
}

static const char **texts_of(vl_arena *arena, const vl_vote_cluster *clusters, size_t count) {
    const char **texts = vl_arena_array(arena, count + 1, sizeof *texts);
    for (size_t i = 0; texts && i < count; i++)
        texts[i] = clusters[i].text;
    return texts;
}

/* ---- one voice -------------------------------------------------------------------------- */

typedef struct evidence {
    float *confidence;
    bool *right;
    size_t count, capacity;
} evidence;

static vl_status evidence_add(evidence *e, const vl_vote_voice *voice, const bool *right,
                              vl_error *error) {
    if (e->count + voice->count > e->capacity) {
        size_t capacity = 2 * (e->count + voice->count);
        float *confidence = realloc(e->confidence, capacity * sizeof *confidence);
        e->confidence = confidence ? confidence : e->confidence;
        bool *more = realloc(e->right, capacity * sizeof *more);
        e->right = more ? more : e->right;
        if (!confidence || !more)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for what was right");
        e->capacity = capacity;
    }
    for (size_t i = 0; i < voice->count; i++) {
        e->confidence[e->count] = (float)voice->clusters[i].confidence;
        e->right[e->count++] = right[i];
    }
    return VL_OK;
}

/* Counts one line of a voice, and keeps what it said of itself (`all` NULL: does not). */
static vl_status count_line(fitting *f, const heard *line, const vl_vote_voice *voice,
                            evidence *all, vl_error *error) {
    vl_arena_reset(f->scratch);
    const char **a = texts_of(f->scratch, voice->clusters, voice->count);
    const char **b = texts_of(f->scratch, line->clusters, line->cluster_count);
    bool *right = vl_arena_array(f->scratch, voice->count + 1, sizeof *right);
    size_t edits =
        a && b && right ? mark_right(a, voice->count, b, line->cluster_count, right) : SIZE_MAX;
    if (edits == SIZE_MAX)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to align a line");
    double good = 0;
    for (size_t i = 0; i < voice->count; i++)
        good += right[i];
    vl_record_key key = {
        .voice = voice->name, .script = line->script, .language = line->language};
    vl_status status = vl_record_add(f->voices.record, &key, good, (double)edits, error);
    return status || !all ? status : evidence_add(all, voice, right, error);
}

/* As much as the record takes the row above to know (vl_record_options.strength). */
static bool has_real_lines(const fitting *f, const char *script) {
    double clusters = 0;
    for (size_t i = 0; i < f->count; i++)
        if (!strcmp(f->lines[i].script, script))
            clusters += (double)f->lines[i].cluster_count;
    return clusters >= vl_record_options_default().strength;
}

/* Engines are far apart in scripts that few of them were made for, and a guess from the other
 * scripts is worse than what renderings say; where there are real lines, those alone count. */
static vl_status count_rendered(fitting *f, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = f->count; i < f->all_count && !status; i++) {
        const heard *line = &f->lines[i];
        if (has_real_lines(f, line->script))
            continue;
        for (size_t v = 0; v < line->count && !status; v++)
            status = count_line(f, line, &line->voices[v], NULL, error);
    }
    return status;
}

static const vl_vote_voice *voice_named(const heard *line, const char *name) {
    for (size_t v = 0; v < line->count; v++)
        if (!strcmp(line->voices[v].name, name))
            return &line->voices[v];
    return NULL;
}

/* An engine that measures no confidence is as sure of everything as it is right. */
static vl_vote_calibration constant(const evidence *all) {
    double right = 0;
    for (size_t i = 0; i < all->count; i++)
        right += all->right[i];
    double share = (right + 1) / ((double)all->count + 2);
    return (vl_vote_calibration){.slope = 0, .offset = log(share / (1 - share)), .base = share};
}

static vl_status fit_voice(fitting *f, size_t engine, vl_error *error) {
    const char *name = vl_panel_name(&f->panel, engine);
    evidence all = {0};
    vl_vote_calibration calibration;
    vl_status status = VL_OK;
    for (size_t i = 0; i < f->count && !status; i++) {
        const vl_vote_voice *voice = voice_named(&f->lines[i], name);
        if (voice)
            status = count_line(f, &f->lines[i], voice, &all, error);
    }
    if (!status && all.count) {
        if (vl_panel_engine(&f->panel, engine)->knows_confidence)
            status =
                vl_calibration_fit(all.confidence, all.right, all.count, &calibration, error);
        else
            calibration = constant(&all);
        if (!status)
            status = vl_record_calibrate(f->voices.record, name, &calibration, error);
    }
    free(all.confidence);
    free(all.right);
    return status;
}

/* What the record and the calibrations say, as a vote will be given it. */
static void know_voices(fitting *f) {
    for (size_t i = 0; i < f->count; i++)
        for (size_t v = 0; v < f->lines[i].count; v++) {
            heard *line = &f->lines[i];
            vl_vote_voice *voice = &line->voices[v];
            vl_record_key key = {
                .voice = voice->name, .script = line->script, .language = line->language};
            voice->accuracy = vl_record_accuracy(f->voices.record, &key, NULL);
            voice->calibration = vl_record_calibration(f->voices.record, voice->name);
        }
}

/* ---- the constants ---------------------------------------------------------------------- */

static vl_status vote(fitting *f, const heard *line, size_t voices,
                      const vl_vote_options *options, vl_vote_result **result,
                      vl_error *error) {
    vl_vote_options own = *options;
    if (line->has_model && voices > 1)
        own.language = &line->model;
    return vl_vote(f->scratch, line->voices, voices, &own, result, error);
}

static vl_status errors_with(fitting *f, const vl_vote_options *options, uint64_t *errors,
                             vl_error *error) {
    static const vl_scan plain = {0};
    vl_status status = VL_OK;
    *errors = 0;
    for (size_t i = 0; i < f->count && !status; i++) {
        vl_vote_result *result;
        vl_edit_count edits;
        vl_arena_reset(f->scratch);
        status = vote(f, &f->lines[i], f->lines[i].voting, options, &result, error);
        const char *text = status ? NULL : vl_scan_comparable(f->scratch, &plain, result->text);
        if (!status)
            status = text ? vl_text_cer(text, f->lines[i].truth, &edits, error)
                          : vl_fail(error, VL_ERR_MEMORY, "no memory to compare a line");
        if (!status)
            *errors += edits.edits;
    }
    return status;
}

/* Coordinate descent over a few values each. How much the record counts is not among them: it
 * was counted on these very lines, and is there for others. */
static vl_status search_constants(fitting *f, uint64_t *best, vl_error *error) {
    static const struct {
        size_t offset;
        double values[AXIS];
    } axes[] = {
        {offsetof(vl_vote_options, family_correlation), {0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}},
        {offsetof(vl_vote_options, correlation), {0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5}},
        {offsetof(vl_vote_options, lead), {0, 1, 2, 3, 5, 8, 16}},
        {offsetof(vl_vote_options, spread), {2, 3, 4, 6, 8, 16, 32}},
        {offsetof(vl_vote_options, language_weight), {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8}},
        {offsetof(vl_vote_options, language_bonus), {1.2, 2, 4, 6, 8, 10, 12}},
        {offsetof(vl_vote_options, close), {0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1}},
    };
    vl_vote_options *options = &f->voices.options;
    vl_status status = errors_with(f, options, best, error);
    for (size_t round = 0; round < ROUNDS && !status; round++)
        for (size_t a = 0; a < sizeof axes / sizeof *axes && !status; a++)
            for (size_t k = 0; k < AXIS && !status; k++) {
                vl_vote_options other = *options;
                uint64_t errors;
                double *value = (double *)((char *)&other + axes[a].offset);
                if (*value == axes[a].values[k])
                    continue;
                *value = axes[a].values[k];
                status = errors_with(f, &other, &errors, error);
                if (!status && (double)errors < LEAST_GAIN * (double)*best) {
                    *best = errors;
                    *options = other;
                }
            }
    return status;
}

/* ---- words ------------------------------------------------------------------------------ */

static size_t split(vl_arena *arena, const char *text, const char **words) {
    size_t count = 0;
    char *next = NULL, *copy = vl_arena_strdup(arena, text);
    for (char *word = copy ? strtok_r(copy, " ", &next) : NULL; word;
         word = strtok_r(NULL, " ", &next))
        words[count++] = word;
    return count;
}

/* Posteriors of a line's words, and whether they are what stands there. */
static vl_status judge_words(fitting *f, const heard *line, const vl_vote_result *result,
                             evidence *all, vl_error *error) {
    size_t most = strlen(line->truth) + 1;
    const char **truth = vl_arena_array(f->scratch, most, sizeof *truth);
    const char **said = vl_arena_array(f->scratch, result->word_count + 1, sizeof *said);
    vl_vote_cluster *words = vl_arena_array(f->scratch, result->word_count + 1, sizeof *words);
    bool *right = vl_arena_array(f->scratch, result->word_count + 1, sizeof *right);
    if (!truth || !said || !words || !right)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to judge words");
    size_t count = split(f->scratch, line->truth, truth);
    for (size_t i = 0; i < result->word_count; i++) {
        said[i] = result->words[i].text;
        words[i] =
            (vl_vote_cluster){.text = said[i], .confidence = result->words[i].confidence};
    }
    if (mark_right(said, result->word_count, truth, count, right) == SIZE_MAX)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to judge words");
    vl_vote_voice voice = {.clusters = words, .count = result->word_count};
    return evidence_add(all, &voice, right, error);
}

/* Of the votes of all voices, or of the first alone. */
static vl_status all_words(fitting *f, bool alone, evidence *all, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; i < f->count && !status; i++) {
        vl_vote_result *result;
        vl_arena_reset(f->scratch);
        status = vote(f, &f->lines[i], alone ? 1 : f->lines[i].voting, &f->voices.options,
                      &result, error);
        if (!status)
            status = judge_words(f, &f->lines[i], result, all, error);
    }
    return status;
}

/* Expected calibration error (Naeini et al. 2015), ten bins. */
static double calibration_error(const evidence *all) {
    double sum = 0;
    for (int bin = 0; bin < BINS; bin++) {
        double right = 0, sure = 0;
        for (size_t i = 0; i < all->count; i++) {
            int own = (int)(all->confidence[i] * BINS);
            if ((own < BINS ? own : BINS - 1) != bin)
                continue;
            right += all->right[i];
            sure += all->confidence[i];
        }
        sum += fabs(right - sure);
    }
    return all->count ? sum / (double)all->count : 0;
}

/* Leaves the error before and after. */
static vl_status fit_words_of(fitting *f, bool alone, vl_vote_calibration *calibration,
                              size_t *words, double errors[2], vl_error *error) {
    evidence all = {0}, after = {0};
    vl_vote_calibration fitted;
    *calibration = vl_calibration_none();
    vl_status status = all_words(f, alone, &all, error);
    if (!status && all.count)
        status = vl_calibration_fit(all.confidence, all.right, all.count, &fitted, error);
    if (!status && all.count) {
        *calibration = fitted;
        calibration->base = 0;
        status = all_words(f, alone, &after, error);
    }
    errors[0] = calibration_error(&all);
    errors[1] = calibration_error(&after);
    *words = all.count;
    free(all.confidence);
    free(all.right);
    free(after.confidence);
    free(after.right);
    return status;
}

static vl_status fit_words(fitting *f, vl_voices_score *score, vl_error *error) {
    double errors[2];
    size_t words;
    vl_status status = fit_words_of(f, true, &f->voices.options.alone, &words, errors, error);
    if (!status)
        status = fit_words_of(f, false, &f->voices.options.words, &score->words, errors, error);
    score->calibration_error_before = errors[0];
    score->calibration_error = errors[1];
    return status;
}

/* ---- stopping early --------------------------------------------------------------------- */

/* As consensus.c: one voice after another until every word is above the threshold. */
static vl_status score_threshold(fitting *f, vl_voices_threshold *t, vl_error *error) {
    static const vl_scan plain = {0};
    double asked = 0;
    vl_status status = VL_OK;
    t->errors = 0;
    for (size_t i = 0; i < f->count && !status; i++) {
        const heard *line = &f->lines[i];
        vl_vote_result *result = NULL;
        vl_edit_count edits;
        size_t voices = 0;
        vl_arena_reset(f->scratch);
        do {
            status = vote(f, line, ++voices, &f->voices.options, &result, error);
        } while (!status && voices < line->voting &&
                 !vl_vote_settled(result, t->threshold, NULL));
        const char *text = status ? NULL : vl_scan_comparable(f->scratch, &plain, result->text);
        if (!status)
            status = text ? vl_text_cer(text, line->truth, &edits, error)
                          : vl_fail(error, VL_ERR_MEMORY, "no memory to compare a line");
        if (!status)
            t->errors += edits.edits;
        asked += (double)voices;
    }
    t->voices = f->count ? asked / (double)f->count : 0;
    return status;
}

/* ---- all of it -------------------------------------------------------------------------- */

static vl_status score_voices(fitting *f, vl_voices_score *score, vl_error *error) {
    static const vl_scan plain = {0};
    score->lines = f->count;
    score->engine_count = vl_panel_count(&f->panel);
    for (size_t e = 0; e < score->engine_count; e++) {
        vl_voices_engine *to = &score->engines[e];
        snprintf(to->name, sizeof to->name, "%s", vl_panel_name(&f->panel, e));
        for (size_t i = 0; i < f->count; i++) {
            const vl_vote_voice *voice = voice_named(&f->lines[i], to->name);
            vl_buf text;
            vl_edit_count edits;
            vl_arena_reset(f->scratch);
            vl_buf_init(&text, 1 << 20);
            for (size_t c = 0; voice && c < voice->count; c++)
                vl_buf_puts(&text, voice->clusters[c].text);
            char *said = vl_scan_comparable(f->scratch, &plain, text.len ? text.data : "");
            vl_status status = said ? vl_text_cer(said, f->lines[i].truth, &edits, error)
                                    : vl_fail(error, VL_ERR_MEMORY, "no memory");
            vl_buf_deinit(&text);
            if (status)
                return status;
            bool reads = vl_panel_can_read(&f->panel, e, f->lines[i].pack);
            score->characters += e ? 0 : edits.length;
            to->errors += reads ? edits.edits : 0; /* what it found nothing in is all wrong */
            to->characters += reads ? edits.length : 0;
        }
    }
    return VL_OK;
}

static vl_status fit(fitting *f, vl_voices_score *score, vl_error *error) {
    static const double thresholds[VL_VOICES_THRESHOLDS] = {0.5, 0.7, 0.8, 0.9, 0.95, 0.99};
    vl_status status = hear_all(f, f->recipe.lines, error);
    f->count = f->all_count;
    if (!status && *f->recipe.rendered)
        status = hear_all(f, f->recipe.rendered, error);
    if (!status)
        status = vl_record_open(NULL, NULL, &f->voices.record, error);
    for (size_t e = 0; e < vl_panel_count(&f->panel) && !status; e++)
        status = fit_voice(f, e, error);
    if (!status)
        status = count_rendered(f, error);
    if (status)
        return status;
    know_voices(f);
    status = score_voices(f, score, error);
    if (!status)
        status = search_constants(f, &score->errors, error);
    if (!status)
        status = fit_words(f, score, error);
    for (size_t i = 0; i < VL_VOICES_THRESHOLDS && !status; i++) {
        score->thresholds[i].threshold = thresholds[i];
        status = score_threshold(f, &score->thresholds[i], error);
    }
    if (!status)
        vl_record_limit(f->voices.record, f->recipe.evidence);
    return status;
}

static vl_status open_engines(fitting *f, vl_error *error) {
    vl_ocr_options options = vl_ocr_options_default();
    char packs[512];
    vl_error missing;
    vl_status status = vl_ocr_packs_dir(&options, packs, error);
    if (!status)
        status = vl_ocr_engines_new(f->recipe.engines, &f->engines, error);
    if (!status)
        status = vl_engine_tesseract.open(packs, &f->tesseract, error);
    options.shared = f->engines;
    if (!status)
        status = vl_panel_init(&f->panel, &options, packs, f->tesseract, error);
    if (!status && vl_ngram_open(NULL, &f->models, &missing))
        vl_log(VL_LOG_WARN, "voices are fitted without a language model",
               VL_F_STR("reason", missing.message));
    return status;
}

static void deinit(fitting *f) {
    if (f->panel.engines)
        vl_panel_deinit(&f->panel);
    if (f->tesseract)
        vl_engine_tesseract.close(f->tesseract);
    vl_ocr_engines_free(f->engines);
    vl_ngram_free(f->models);
    vl_voices_deinit(&f->voices);
    free(f->lines);
    vl_arena_free(f->arena);
    vl_arena_free(f->scratch);
}

vl_status vl_voices_train(const vl_voices_training *how, const char *out_path,
                          vl_voices_score *score, vl_error *error) {
    vl_buf text;
    fitting f = {.how = how, .voices = {.options = vl_vote_options_default()}};
    *score = (vl_voices_score){0};
    f.arena = vl_arena_new(LINES_ARENA);
    f.scratch = vl_arena_new(VOTE_ARENA);
    vl_buf_init(&text, VL_RECORD_MAX_BYTES);
    vl_status status = f.arena && f.scratch ? recipe_load(how->recipe, &f.recipe, error)
                                            : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status)
        status = open_engines(&f, error);
    if (!status)
        status = fit(&f, score, error);
    if (!status)
        status = vl_voices_write(&f.voices, &text, error);
    if (!status)
        status = vl_file_write(out_path, text.data, text.len, error);
    vl_buf_deinit(&text);
    deinit(&f);
    return status;
}
