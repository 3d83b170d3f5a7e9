/* consensus.c — lines of a page put to engines one after another, and to the vote.
 *
 *   vl_consensus_new, _free     record and language models
 *   voice_from_line, …          an engine's line as a voice
 *   ask_page, ask_lines, ask_line   the whole page, all lines in doubt, one line
 *   words_from_vote             what won, as words of the line
 *   begin_votes, finish_vote    lead, vote; next engine, vote, …
 *   try_layouts, add_missed_lines   who is asked for another layout
 *   drop_dirt                   what is no text
 *   vl_consensus_vote           every line of a page */
#include "ocr/consensus.h"
#include "ocr/box.h"
#include "ocr/lines.h"
#include "ocr/merge.h"
#include "ocr/packs.h"
#include "ocr/voices.h"

#include <leptonica/allheaders.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double SPECK = 0.6; /* confidence under which single characters are dirt */

struct vl_consensus {
    vl_voices voices;
    vl_record *record, *own_record; /* the same, or it is shared */
    double threshold;
    bool explain;
    bool steady;
    vl_ngram *models; /* NULL: none are installed */
};

/* What is known of the page while its lines are voted on. */
typedef struct page_vote {
    vl_consensus *c;
    const vl_consensus_page *page;
    vl_arena *arena;
    size_t order[VL_PANEL_MAX], count; /* engines that read the packs, the lead first */
    vl_engine_reading whole[VL_PANEL_MAX];
    bool asked[VL_PANEL_MAX], failed[VL_PANEL_MAX];
    vl_vote_language language;
    bool has_language;
    vl_record_key key;
    uint32_t voted;
    size_t *found_by;         /* [lines]: the engine that found and read it first */
    bool is_line;             /* the picture is one line, whatever it looks like */
    vl_engine_reading unsure; /* lines that further engines are asked about */
} page_vote;

/* ---- record and models ------------------------------------------------------------------ */

static void say_once(const vl_error *error) {
    static atomic_flag said = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&said))
        vl_log(VL_LOG_WARN, "nothing is learned of the engines",
               VL_F_STR("reason", error->message));
}

vl_status vl_consensus_new(vl_ocr_record *record, double threshold, bool explain,
                           vl_consensus **out, vl_error *error) {
    vl_error trouble;
    vl_consensus *c = calloc(1, sizeof *c);
    if (!c)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the consensus");
    c->threshold = threshold;
    c->explain = explain;
    vl_status status = record ? VL_OK : vl_record_open(NULL, NULL, &c->own_record, error);
    c->record = record ? vl_ocr_record_inside(record) : c->own_record;
    if (status) {
        vl_consensus_free(c);
        return status;
    }
    /* What ships is only where to begin. One that is shared has it. */
    bool has_voices = !vl_voices_open(NULL, &c->voices, &trouble);
    if (has_voices && c->own_record)
        vl_record_set_base(c->own_record, c->voices.record);
    if (!has_voices)
        vl_log(VL_LOG_WARN, "the engines' votes go without calibration",
               VL_F_STR("reason", trouble.message));
    /* Without the models close calls are the voices' alone. */
    if (vl_ngram_open(NULL, &c->models, &trouble))
        vl_log(VL_LOG_WARN, "close calls between engines go without a language model",
               VL_F_STR("reason", trouble.message));
    *out = c;
    return VL_OK;
}

void vl_consensus_explain(vl_consensus *consensus, bool explain) {
    consensus->explain = explain;
}

void vl_consensus_steady(vl_consensus *consensus, bool steady) {
    consensus->steady = steady;
}

void vl_consensus_free(vl_consensus *c) {
    if (!c)
        return;
    vl_record_free(c->own_record);
    vl_voices_deinit(&c->voices);
    vl_ngram_free(c->models);
    free(c);
}

/* ---- voices ----------------------------------------------------------------------------- */

static vl_vote_cluster cluster_from(const char *text, double confidence, vl_box box) {
    return (vl_vote_cluster){.text = text,
                             .confidence = confidence,
                             .x0 = (float)box.x,
                             .x1 = (float)(box.x + box.width)};
}

/* The engine's line as what the vote takes: its symbols, words without any as they are, and
 * spaces, each as sure as the surer of the two symbols beside it (no engine says how sure it
 * is of a space). NULL: no memory. */
static vl_vote_cluster *line_clusters(vl_arena *arena, const vl_engine_line *line,
                                      size_t *count) {
    vl_vote_cluster *out =
        vl_arena_array(arena, line->symbol_count + 2 * line->word_count + 1, sizeof *out);
    size_t n = 0, s = 0;
    for (size_t w = 0; out && w < line->word_count; w++) {
        size_t space = n;
        n += w > 0;
        size_t first = n;
        for (; s < line->symbol_count && line->symbols[s].word <= w; s++) {
            const vl_engine_symbol *from = &line->symbols[s];
            vl_vote_cluster *to = &out[n++];
            *to = cluster_from(from->text, from->confidence, from->box);
            to->alternative_count = from->choice_count;
            vl_vote_choice *choices =
                vl_arena_array(arena, from->choice_count + 1, sizeof *choices);
            if (!choices)
                return NULL;
            for (size_t i = 0; i < from->choice_count; i++)
                choices[i] =
                    (vl_vote_choice){from->choices[i].text, from->choices[i].confidence};
            to->alternatives = choices;
        }
        if (n == first)
            out[n++] = cluster_from(line->words[w].text, line->words[w].confidence,
                                    line->words[w].box);
        if (w > 0) {
            double left = out[space - 1].confidence, right = out[first].confidence;
            out[space] =
                (vl_vote_cluster){.text = " ", .confidence = left > right ? left : right};
        }
    }
    *count = n;
    return out;
}

/* What the engine read, and nothing of how good it is. */
static vl_status hear(const vl_consensus_page *page, size_t engine, const vl_engine_line *line,
                      vl_arena *arena, vl_vote_voice *voice, vl_error *error) {
    const vl_panel *panel = page->job->panel;
    size_t count;
    vl_vote_cluster *symbols = line_clusters(arena, line, &count);
    *voice = (vl_vote_voice){.name = vl_panel_name(panel, engine),
                             .family = vl_panel_engine(panel, engine)->family,
                             .calibration = vl_calibration_none()};
    return symbols
               ? vl_vote_clusters(arena, symbols, count, &voice->clusters, &voice->count, error)
               : vl_fail(error, VL_ERR_MEMORY, "no memory for the characters of a line");
}

/* An engine whose confidences are none is judged by its record alone, and begins with even
 * odds: it has to earn its vote. */
static vl_vote_calibration calibration_of(page_vote *v, size_t engine) {
    const char *name = vl_panel_name(v->page->job->panel, engine);
    vl_vote_calibration kept = vl_record_calibration(v->c->record, name);
    if (kept.base > 0 || vl_panel_engine(v->page->job->panel, engine)->knows_confidence)
        return kept;
    return (vl_vote_calibration){
        .slope = 0, .offset = 0, .base = vl_record_options_default().prior};
}

static vl_status voice_from_line(page_vote *v, size_t engine, const vl_engine_line *line,
                                 vl_vote_voice *voice, vl_error *error) {
    vl_record_key key = v->key;
    vl_status status = hear(v->page, engine, line, v->arena, voice, error);
    key.voice = voice->name;
    voice->accuracy = vl_record_accuracy(v->c->record, &key, NULL);
    voice->corrected = vl_record_corrected(v->c->record, &key);
    voice->calibration = calibration_of(v, engine);
    return status;
}

/* ---- asking ----------------------------------------------------------------------------- */

static vl_engine_request request_for(const page_vote *v, struct Pix *picture,
                                     vl_engine_mode mode) {
    return (vl_engine_request){.picture = picture,
                               .dpi = v->page->picture->work_dpi,
                               .packs = v->page->packs,
                               .mode = mode,
                               .dark_on_light = true,
                               .symbols = true,
                               .deadline_ns = v->page->job->deadline_ns,
                               .arena = v->arena};
}

/* The words of a line that lie in `box`, with their symbols, after those that `to` has. Room
 * for them is there. */
static void take_words(const vl_engine_line *line, vl_box box, vl_engine_line *to) {
    for (size_t w = 0; w < line->word_count; w++) {
        if (!box_lies_in(line->words[w].box, box))
            continue;
        for (size_t s = 0; s < line->symbol_count; s++)
            if (line->symbols[s].word == w) {
                to->symbols[to->symbol_count] = line->symbols[s];
                to->symbols[to->symbol_count++].word = to->word_count;
            }
        to->words[to->word_count++] = line->words[w];
    }
}

/* What a reading has in `box`, as one line. False: no memory. */
static bool line_in_box(vl_arena *arena, const vl_engine_reading *reading, vl_box box,
                        vl_engine_line *line) {
    size_t words = 0, symbols = 0;
    for (size_t i = 0; i < reading->line_count; i++) {
        words += reading->lines[i].word_count;
        symbols += reading->lines[i].symbol_count;
    }
    *line =
        (vl_engine_line){.box = box,
                         .words = vl_arena_array(arena, words + 1, sizeof *line->words),
                         .symbols = vl_arena_array(arena, symbols + 1, sizeof *line->symbols)};
    if (!line->words || !line->symbols)
        return false;
    for (size_t i = 0; i < reading->line_count; i++)
        take_words(&reading->lines[i], box, line);
    return true;
}

static bool needs_lines(const page_vote *v, size_t engine) {
    return vl_panel_engine(v->page->job->panel, engine)->needs_lines;
}

/* The engine's reading of the whole page, made once, of the lines there are if it needs to be
 * told. NULL: it failed. */
static const vl_engine_reading *ask_whole(page_vote *v, size_t engine) {
    vl_error trouble;
    if (!v->asked[engine]) {
        bool line = v->is_line || v->page->picture->survey.single_line;
        vl_engine_request request =
            request_for(v, v->page->picture->work, line ? VL_ENGINE_LINE : VL_ENGINE_PAGE);
        if (v->unsure.line_count && needs_lines(v, engine))
            request.layout = &v->unsure;
        v->asked[engine] = true;
        v->failed[engine] = vl_panel_call(v->page->job->panel, engine, &request,
                                          &v->whole[engine], &trouble) != VL_OK;
    }
    return v->failed[engine] ? NULL : &v->whole[engine];
}

/* Its line there. An empty line: nothing, or it failed. */
static void ask_lines(page_vote *v, size_t engine, const vl_engine_line *line,
                      vl_engine_line *found) {
    const vl_engine_reading *whole = ask_whole(v, engine);
    const vl_engine_line *there = whole ? vl_merge_line_at(whole, line->box) : NULL;
    *found = there ? *there : (vl_engine_line){0};
}

/* What lies in the line's box. An empty line: nothing, or it failed. */
static vl_status ask_page(page_vote *v, size_t engine, const vl_engine_line *line,
                          vl_engine_line *found, vl_error *error) {
    const vl_engine_reading *whole = ask_whole(v, engine);
    *found = (vl_engine_line){0};
    if (whole && !line_in_box(v->arena, whole, line->box, found))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the words of a line");
    return VL_OK;
}

static void move_line(vl_engine_line *line, int32_t x, int32_t y) {
    for (size_t i = 0; i < line->word_count; i++) {
        line->words[i].box.x += x;
        line->words[i].box.y += y;
    }
    for (size_t i = 0; i < line->symbol_count; i++) {
        line->symbols[i].box.x += x;
        line->symbols[i].box.y += y;
    }
}

/* The line with a margin, on its own. */
static vl_status ask_line(page_vote *v, size_t engine, const vl_engine_line *line,
                          vl_engine_line *found, vl_error *error) {
    vl_error trouble;
    vl_engine_reading reading;
    struct Pix *work = v->page->picture->work;
    int32_t margin = line->box.height / 4 + 2;
    int32_t x = line->box.x > margin ? line->box.x - margin : 0;
    int32_t y = line->box.y > margin ? line->box.y - margin : 0;
    BOX *box = boxCreate(x, y, line->box.x + line->box.width + margin - x,
                         line->box.y + line->box.height + margin - y);
    struct Pix *cut = box ? pixClipRectangle(work, box, NULL) : NULL;
    boxDestroy(&box);
    *found = (vl_engine_line){0};
    if (!cut)
        return VL_OK; /* a box outside of the picture */
    vl_engine_request request = request_for(v, cut, VL_ENGINE_LINE);
    vl_box all = {0, 0, pixGetWidth(cut), pixGetHeight(cut)};
    v->failed[engine] =
        vl_panel_call(v->page->job->panel, engine, &request, &reading, &trouble) != VL_OK;
    pixDestroy(&cut);
    if (v->failed[engine])
        return VL_OK;
    if (!line_in_box(v->arena, &reading, all, found))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the words of a line");
    move_line(found, x, y);
    return VL_OK;
}

/* ---- what won --------------------------------------------------------------------------- */

/* As wide as the voices saw it, as high as the lead's words there; the lead's own box where it
 * is that of one word. */
static vl_box box_of(const vl_engine_line *line, const vl_vote_word *word) {
    vl_box box = {0};
    size_t count = 0;
    int32_t x0 = (int32_t)word->x0, x1 = (int32_t)word->x1;
    for (size_t i = 0; i < line->word_count; i++) {
        vl_box b = line->words[i].box;
        int32_t low = b.x > x0 ? b.x : x0;
        int32_t high = b.x + b.width < x1 ? b.x + b.width : x1;
        int32_t less = b.width < x1 - x0 ? b.width : x1 - x0;
        if ((high - low) * 2 > less)
            box = count++ ? box_join(box, b) : b;
    }
    if (x1 <= x0)
        return line->box;
    if (count == 1 && box.width * 2 < (x1 - x0) * 3 && box.width * 3 > (x1 - x0) * 2)
        return box;
    return count ? (vl_box){x0, box.y, x1 - x0, box.height}
                 : (vl_box){x0, line->box.y, x1 - x0, line->box.height};
}

static const vl_word_vote *explanation(vl_arena *arena, const vl_vote_result *result,
                                       const vl_vote_word *word) {
    vl_word_vote *vote = vl_arena_alloc(arena, sizeof *vote);
    vl_word_said *said = vl_arena_array(arena, result->voice_count, sizeof *said);
    if (!vote || !said)
        return NULL;
    for (size_t i = 0; i < result->voice_count; i++) {
        const vl_vote_said *from = &word->said[i];
        said[i] =
            (vl_word_said){.engine = vl_arena_strdup(arena, result->voices[from->voice].name),
                           .text = from->text,
                           .weight = from->weight,
                           .probability = from->probability};
        if (!said[i].engine)
            return NULL;
    }
    *vote = (vl_word_vote){word->posterior, said, result->voice_count};
    return vote;
}

/* A vote that left no word leaves the lead's: it found the line. */
static vl_status words_from_vote(page_vote *v, const vl_vote_result *result,
                                 vl_engine_line *line, vl_error *error) {
    if (!result->word_count)
        return VL_OK;
    vl_word *words = vl_arena_array(v->arena, result->word_count, sizeof *words);
    bool whole = words != NULL;
    for (size_t i = 0; i < result->word_count && whole; i++) {
        const vl_vote_word *from = &result->words[i];
        words[i] = (vl_word){
            .text = from->text, .box = box_of(line, from), .confidence = from->confidence};
        if (v->c->explain)
            whole = (words[i].vote = explanation(v->arena, result, from)) != NULL;
    }
    if (!whole)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the words of a line");
    line->words = words;
    line->word_count = result->word_count;
    return VL_OK;
}

/* ---- a line ----------------------------------------------------------------------------- */

static vl_status vote(page_vote *v, const vl_vote_voice *voices, size_t count,
                      vl_vote_result **result, vl_error *error) {
    vl_vote_options options = v->c->voices.options;
    /* One reading is no close call between two. */
    if (v->has_language && count > 1)
        options.language = &v->language;
    return vl_vote(v->arena, voices, count, &options, result, error);
}

static size_t families(const vl_vote_result *result) {
    size_t count = 0;
    for (size_t i = 0; i < result->voice_count; i++) {
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = vl_vote_related(&result->voices[k], &result->voices[i]);
        count += !seen;
    }
    return count;
}

/* Of two families, and no model to be the third witness, neither could be told from the other:
 * their records would become the same. */
static void learn(page_vote *v, const vl_vote_result *result) {
    vl_error trouble;
    size_t count = families(result);
    double *witness = NULL;
    if (v->c->steady || count < 2 || (count == 2 && !v->has_language))
        return;
    if (count == 2 && !(witness = vl_vote_witness(v->arena, result, &v->language)))
        return;
    vl_status status =
        witness ? vl_record_learn_two(v->c->record, result, witness, &v->key, &trouble)
                : vl_record_learn(v->c->record, result, &v->key, &trouble);
    if (status)
        say_once(&trouble);
}

/* Who read the line as it came out. Of one voice alone there was no vote. */
static void count_votes(page_vote *v, const vl_vote_result *result, const size_t *engines) {
    for (size_t i = 0; i < result->voice_count && result->voice_count > 1; i++) {
        bool won = true;
        for (size_t s = 0; s < result->slot_count && won; s++) {
            const vl_vote_slot *slot = &result->slots[s];
            won = !strcmp(slot->read[i], slot->candidates[slot->winner].text);
        }
        vl_panel_count_vote(v->page->job->panel, engines[i], won);
    }
}

/* A line whose vote goes on; `result` NULL: it is too long for one, and stays as it is. */
typedef struct line_vote {
    vl_vote_voice voices[VL_PANEL_MAX];
    size_t engines[VL_PANEL_MAX], count;
    vl_vote_result *result;
} line_vote;

static vl_status add_voice(page_vote *v, size_t engine, const vl_engine_line *line,
                           line_vote *l, vl_error *error) {
    vl_status status = voice_from_line(v, engine, line, &l->voices[l->count], error);
    l->engines[l->count] = engine;
    if (!status)
        status = vote(v, l->voices, ++l->count, &l->result, error);
    if (status == VL_ERR_LIMIT) {
        l->result = NULL;
        return VL_OK;
    }
    return status;
}

/* What whoever found the lines makes of them, and those that it is not sure enough of alone,
 * for engines that read many at once. */
static vl_status begin_votes(page_vote *v, const vl_engine_reading *reading, line_vote *votes,
                             vl_error *error) {
    vl_status status = VL_OK;
    v->unsure.lines = vl_arena_array(v->arena, reading->line_count + 1, sizeof *reading->lines);
    if (!v->unsure.lines)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the lines of a page");
    for (size_t i = 0; i < reading->line_count && !status; i++) {
        status = add_voice(v, v->found_by[i], &reading->lines[i], &votes[i], error);
        if (!status && votes[i].result &&
            !vl_vote_settled(votes[i].result, v->c->threshold, NULL))
            v->unsure.lines[v->unsure.line_count++] = reading->lines[i];
    }
    return status;
}

/* The engine's own reading of a line. An empty line: nothing, or it failed. */
static vl_status ask(page_vote *v, size_t engine, const vl_engine_line *line,
                     vl_engine_line *found, vl_error *error) {
    if (needs_lines(v, engine)) {
        ask_lines(v, engine, line, found);
        return VL_OK;
    }
    return vl_panel_engine(v->page->job->panel, engine)->outside
               ? ask_page(v, engine, line, found, error)
               : ask_line(v, engine, line, found, error);
}

/* One engine after another, until it is settled. */
static vl_status finish_vote(page_vote *v, line_vote *l, vl_engine_line *line,
                             vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; i < v->count && !status && l->result; i++) {
        size_t engine = v->order[i];
        vl_engine_line found;
        if (engine == l->engines[0] || v->failed[engine] ||
            vl_vote_settled(l->result, v->c->threshold, NULL))
            continue;
        status = ask(v, engine, line, &found, error);
        /* Finding nothing where the lead found a line says more of its layout than of the
         * text: it has no vote. */
        if (!status && found.word_count)
            status = add_voice(v, engine, &found, l, error);
    }
    if (status || !l->result)
        return status;
    status = words_from_vote(v, l->result, line, error);
    if (!status) {
        for (size_t i = 0; i < l->count; i++)
            v->voted |= 1u << l->engines[i];
        count_votes(v, l->result, l->engines);
        learn(v, l->result);
    }
    return status;
}

/* ---- other layouts ---------------------------------------------------------------------- */

/* The lead again, seeing the page as one column and as one block. */
static vl_status try_layouts(page_vote *v, vl_engine_reading *reading, vl_error *error) {
    static const vl_engine_mode modes[] = {VL_ENGINE_COLUMN, VL_ENGINE_BLOCK};
    vl_error trouble;
    for (size_t i = 0;
         i < sizeof modes / sizeof *modes && vl_merge_misses_letters(v->page->picture, reading);
         i++) {
        vl_engine_reading other = {0};
        vl_engine_request request = request_for(v, v->page->picture->work, modes[i]);
        if (!vl_panel_call(v->page->job->panel, v->page->lead, &request, &other, &trouble) &&
            !vl_merge_lines(v->arena, reading, &v->found_by, &other, NULL, v->page->lead))
            return vl_fail(error, VL_ERR_MEMORY, "no memory for the lines of a page");
    }
    return VL_OK;
}

static size_t engine_for_lines(const page_vote *v) {
    for (size_t i = 0; i < v->count; i++)
        if (needs_lines(v, v->order[i]))
            return v->order[i];
    return VL_PANEL_MAX;
}

/* Lines that the ink shows, for an engine that reads what it is told of. */
static vl_status try_ridges(page_vote *v, vl_engine_reading *reading, vl_error *error) {
    const vl_ocr_picture *picture = v->page->picture;
    size_t engine = engine_for_lines(v);
    vl_engine_reading lines, same = {0}, other = {0};
    vl_error trouble;
    if (engine == VL_PANEL_MAX || !vl_merge_misses_letters(picture, reading))
        return VL_OK;
    bool fits = vl_lines_find(picture->work, picture->survey.letter_height * picture->scale,
                              v->arena, &lines);
    vl_engine_request request = request_for(v, picture->work, VL_ENGINE_PAGE);
    request.layout = &lines;
    if (!fits || !lines.line_count ||
        vl_panel_call(v->page->job->panel, engine, &request, &other, &trouble))
        goto out;
    request.layout = reading;
    if (!vl_panel_call(v->page->job->panel, engine, &request, &same, &trouble))
        fits = vl_merge_lines(v->arena, reading, &v->found_by, &other, &same, engine);
out:
    return fits ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for the lines of a page");
}

/* Engines that find lines and know when they are sure look at the whole page, until no letters
 * are missed. */
static vl_status add_missed_lines(page_vote *v, vl_engine_reading *reading, vl_error *error) {
    bool line = v->page->picture->survey.single_line;
    vl_status status = line ? VL_OK : try_ridges(v, reading, error);
    if (!status && !line)
        status = try_layouts(v, reading, error);
    if (status)
        return status;
    for (size_t i = 1;
         i < v->count &&
         (line ? !reading->line_count : vl_merge_misses_letters(v->page->picture, reading));
         i++) {
        const vl_engine *engine = vl_panel_engine(v->page->job->panel, v->order[i]);
        if (!engine->knows_confidence || !(line || engine->find_lines || engine->outside))
            continue;
        const vl_engine_reading *other = ask_whole(v, v->order[i]);
        if (other && !vl_merge_lines(v->arena, reading, &v->found_by, other, NULL, v->order[i]))
            return vl_fail(error, VL_ERR_MEMORY, "no memory for the lines of a page");
    }
    return VL_OK;
}

/* ---- dirt ------------------------------------------------------------------------------- */

/* Single characters, none of them sure: rules and specks beside the text, that some engine took
 * for letters. */
static bool is_dirt(const vl_engine_line *line) {
    double sum = 0;
    for (size_t i = 0; i < line->word_count; i++) {
        if (vl_text_grapheme_count(line->words[i].text) > 1)
            return false;
        sum += line->words[i].confidence;
    }
    return sum < SPECK * (double)line->word_count;
}

static void drop_dirt(vl_engine_reading *reading) {
    size_t kept = 0;
    for (size_t i = 0; i < reading->line_count; i++)
        if (!is_dirt(&reading->lines[i]))
            reading->lines[kept++] = reading->lines[i];
    reading->line_count = kept;
}

/* ---- a page ----------------------------------------------------------------------------- */

/* The page's language as its text has it, else that of its first pack. */
static void find_language(page_vote *v, const vl_engine_reading *reading) {
    char first[64];
    vl_lang_guess guess[1];
    const vl_ocr_job *job = v->page->job;
    const char *text = vl_ocr_reading_text(v->arena, reading);
    snprintf(first, sizeof first, "%.*s", (int)strcspn(v->page->packs, "+"), v->page->packs);
    const vl_ocr_pack *pack = vl_ocr_pack_find(first);
    const char *code = pack ? pack->language : NULL;
    if ((!code || strchr(v->page->packs, '+')) && text && *text && job->langid &&
        vl_langid_guess(job->langid, text, 1, guess))
        code = vl_arena_strdup(v->arena, guess[0].code);
    const vl_ngram_language *model =
        v->c->models && code ? vl_ngram_find(v->c->models, code) : NULL;
    v->key = (vl_record_key){.script = pack ? pack->script : NULL,
                             .language = code,
                             .degradation = v->page->kind,
                             .source = v->page->source};
    v->has_language = model != NULL;
    if (model)
        v->language = vl_vote_language_of(model);
}

vl_status vl_consensus_vote(vl_consensus *consensus, const vl_consensus_page *page,
                            vl_engine_reading *reading, uint32_t *voted, vl_error *error) {
    page_vote v = {.c = consensus, .page = page, .arena = page->job->arena};
    size_t all[VL_PANEL_MAX], count = vl_panel_order(page->job->panel, page->packs,
                                                     page->picture->survey.single_line, all);
    vl_status status = VL_OK;
    v.order[v.count++] = page->lead;
    for (size_t i = 0; i < count; i++)
        if (all[i] != page->lead)
            v.order[v.count++] = all[i];
    find_language(&v, reading);
    *page->key = (vl_page_key){v.key.script, v.key.language, v.key.degradation, v.key.source};
    if (!(v.found_by = vl_arena_array(v.arena, reading->line_count + 1, sizeof *v.found_by)))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the lines of a page");
    for (size_t i = 0; i < reading->line_count; i++)
        v.found_by[i] = page->lead;
    status = add_missed_lines(&v, reading, error);
    line_vote *votes =
        status ? NULL : vl_arena_array(v.arena, reading->line_count + 1, sizeof *votes);
    if (!status && !votes)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for the lines of a page");
    if (!status)
        status = begin_votes(&v, reading, votes, error);
    for (size_t i = 0; i < reading->line_count && !status; i++)
        status = finish_vote(&v, &votes[i], &reading->lines[i], error);
    if (!page->picture->survey.single_line)
        drop_dirt(reading);
    *voted = v.voted;
    return status;
}

vl_status vl_consensus_hear(const vl_consensus_page *page, vl_vote_voice voices[VL_PANEL_MAX],
                            size_t *count, vl_error *error) {
    page_vote v = {.page = page, .arena = page->job->arena, .is_line = true};
    vl_box all = {0, 0, pixGetWidth(page->picture->work), pixGetHeight(page->picture->work)};
    vl_status status = VL_OK;
    v.count = vl_panel_order(page->job->panel, page->packs, false, v.order);
    *count = 0;
    for (size_t i = 0; i < v.count && !status; i++) {
        const vl_engine_reading *whole = ask_whole(&v, v.order[i]);
        vl_engine_line line = {0};
        if (!whole)
            continue;
        if (!line_in_box(v.arena, whole, all, &line))
            return vl_fail(error, VL_ERR_MEMORY, "no memory for the words of a line");
        if (line.word_count)
            status = hear(page, v.order[i], &line, v.arena, &voices[(*count)++], error);
    }
    return status;
}
