/* picture.c — photographs: what the picture model adds to an answer. */
#include "answer/picture.h"

#include <string.h>

enum {
    MAX_PHOTOGRAPH_WORDS = 30, /* more is a page, whatever it looks like */
    MAX_QUOTED_LINES = 4,
};
#define LEAST_WORD_CONFIDENCE 0.5 /* engines see letters in leaves and bricks */

/* ---- looking ------------------------------------------------------------------------ */

vl_status picture_look(picture_view *view, const vl_image *image, const vl_picture_look *look,
                       vl_error *error) {
    view->looked = false;
    if (!view->seer || look->kind != VL_PICTURE_PHOTO)
        return VL_OK;
    if (!view->session && !(view->session = vl_seer_session_new(view->seer)))
        return vl_fail(error, VL_ERR_MEMORY, "there is no memory for the picture model");
    vl_status status = vl_seer_session_look(view->session, image, error);
    view->looked = !status;
    return status;
}

void picture_view_deinit(picture_view *view) {
    vl_seer_session_free(view->session);
    *view = (picture_view){0};
}

bool picture_is_photograph(const picture_view *view, const reading *r) {
    size_t words = 0;
    for (size_t l = 0; l < r->line_count; l++)
        words += r->lines[l].count;
    return view->looked && words <= MAX_PHOTOGRAPH_WORDS;
}

vl_status picture_see(picture_view *view, vl_arena *arena, vl_answer *answer, vl_error *error) {
    vl_seen *seen = vl_arena_alloc(arena, sizeof *seen);
    if (!seen)
        return vl_fail(error, VL_ERR_MEMORY, "there is no memory for the answer");
    vl_seer_writing how = vl_seer_writing_default();
    vl_status status = vl_seer_caption(view->session, "en", &how, arena, &seen->caption, error);
    if (status)
        return status;
    seen->scene_count = vl_seer_labels(view->session, "scene", seen->scenes, VL_SEEN_LABELS);
    seen->model = vl_seer_name(view->seer);
    seen->version = vl_seer_version(view->seer);
    answer->seen = seen;
    return VL_OK;
}

/* ---- describing --------------------------------------------------------------------- */

/* "a dog runs ." → "a dog runs" */
static const char *without_stop(reading *r, const char *text) {
    size_t length = strlen(text);
    while (length && strchr(". ", text[length - 1]))
        length--;
    const char *copy = vl_arena_strndup(r->arena, text, length);
    r->full |= !copy;
    return copy ? copy : "";
}

static const char *caption_phrase(reading *r, const vl_seen *seen) {
    const char *caption = without_stop(r, seen->caption.text);
    if (!*caption)
        return "A photograph; I can't tell what it shows.";
    if (seen->caption.sure)
        return vl_arena_printf(r->arena, "A photograph. It shows: %s.", caption);
    return vl_arena_printf(r->arena,
                           "A photograph. I can't tell for certain what it shows; my best "
                           "guess: %s.",
                           caption);
}

/* "storm_damage" → "storm damage" */
static const char *plain_label(reading *r, const char *label) {
    char *copy = vl_arena_strdup(r->arena, label);
    r->full |= !copy;
    for (char *c = copy; c && *c; c++)
        *c = *c == '_' ? ' ' : *c;
    return copy ? copy : "";
}

static const char *scene_phrase(reading *r, const vl_seen *seen) {
    if (!seen->scene_count || !seen->scenes[0].sure)
        return "";
    return vl_arena_printf(r->arena, " Scene: %s (%.0f %%).",
                           plain_label(r, seen->scenes[0].label),
                           seen->scenes[0].probability * 100);
}

/* Lines that the engine is fairly sure of, quoted. */
static const char *text_phrase(reading *r, vl_answer *answer) {
    const char *all = NULL;
    size_t quoted = 0;
    for (size_t l = 0; l < r->line_count && quoted < MAX_QUOTED_LINES; l++) {
        const text_line *line = &r->lines[l];
        if (line->confidence < LEAST_WORD_CONFIDENCE)
            continue;
        all = all ? vl_arena_printf(r->arena, "%s / %s", all, line->text) : line->text;
        add_evidence(r, answer, line->page, line->box, line->text, line->confidence);
        quoted++;
    }
    return all ? vl_arena_printf(r->arena, " Text in it: \"%s\".", all) : "";
}

void picture_describe(reading *r, vl_answer *answer) {
    vl_seen *seen = answer->seen;
    seen->used = true;
    const char *caption = caption_phrase(r, seen), *scene = scene_phrase(r, seen);
    const char *text = text_phrase(r, answer);
    if (!caption || !scene || !text)
        r->full = true;
    else
        say(r, answer, seen->caption.confidence,
            vl_arena_printf(r->arena, "%s%s%s", caption, scene, text));
}

/* ---- answering ---------------------------------------------------------------------- */

void picture_ask(reading *r, const char *question, vl_answer *answer) {
    vl_seen *seen = answer->seen;
    vl_seer_writing how = vl_seer_writing_default();
    vl_error error;
    seen->used = true;
    vl_status status =
        vl_seer_ask(r->view->session, question, &how, r->arena, &seen->answer, &error);
    if (status) { /* a question that is longer than the model reads, most of all */
        answer->refused = true;
        say(r, answer, 0,
            vl_arena_printf(r->arena, "I can't answer that about a picture: %s.",
                            error.message));
        return;
    }
    seen->question = vl_arena_strdup(r->arena, question);
    if (!*seen->answer.text)
        say(r, answer, seen->answer.confidence, "I can't tell from this picture.");
    else if (seen->answer.sure)
        say(r, answer, seen->answer.confidence, seen->answer.text);
    else
        say(r, answer, seen->answer.confidence,
            vl_arena_printf(r->arena,
                            "I can't tell from this picture. My best guess would be \"%s\" "
                            "(%.0f %%).",
                            seen->answer.text, seen->answer.confidence * 100));
}
