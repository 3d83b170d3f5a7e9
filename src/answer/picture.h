/* picture.h — what the picture model adds to an answer about a photograph.
 *
 * A picture that looks like a photograph and holds little text is described by the model:
 * caption, scene, and what was read in it. A question goes to the text first where it asks for
 * what text holds (fields, dates, amounts), then to the model. Pages never come here. */
#ifndef VISLANG_ANSWER_PICTURE_H
#define VISLANG_ANSWER_PICTURE_H

#include "answer/reading.h"

/* The model as one answerer uses it. */
struct picture_view {
    const vl_seer *seer;
    vl_seer_session *session; /* made for the first photograph */
    bool looked;              /* at the photograph of the answer being made */
};

/* Looks at a photograph; anything else, or no model: nothing happens. */
vl_status picture_look(picture_view *view, const vl_image *image, const vl_picture_look *look,
                       vl_error *error);
void picture_view_deinit(picture_view *view);
/* True when the answer is about a photograph that was looked at: it holds few words. */
bool picture_is_photograph(const picture_view *view, const reading *r);
/* Caption and scene into answer->seen. */
vl_status picture_see(picture_view *view, vl_arena *arena, vl_answer *answer, vl_error *error);
/* The response: what the photograph shows, and the text read in it. */
void picture_describe(reading *r, vl_answer *answer);
/* The response: the model's answer to a question. */
void picture_ask(reading *r, const char *question, vl_answer *answer);

#endif
