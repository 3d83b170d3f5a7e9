/* answer.h — the main job: a picture or document and an instruction in, one answer out.
 *
 * Straight line: bytes → media (decode, upright) → ocr (read) → facts (what the text holds) →
 * answer (description, or the part of the text the instruction asks for) with confidence and
 * evidence boxes. Of a photograph the picture model says what it shows and answers what its
 * text does not. Nothing is said that was not read, measured or, in words that say so, guessed.
 *
 * Ownership: an answer lives in the arena it was made in. Thread-safety: one vl_answerer per
 * thread. */
#ifndef VISLANG_ANSWER_H
#define VISLANG_ANSWER_H

#include <vislang/model.h>
#include <vislang/ocr.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum vl_fact_kind {
    VL_FACT_TITLE,
    VL_FACT_DATE,
    VL_FACT_TIME,
    VL_FACT_AMOUNT, /* money, and counted things */
    VL_FACT_PHONE,
    VL_FACT_EMAIL,
    VL_FACT_URL,
    VL_FACT_PLACE,
    VL_FACT_FIELD, /* "label: value" of a form or table */
    VL_FACT_KIND_COUNT,
} vl_fact_kind;
const char *vl_fact_kind_name(vl_fact_kind kind);

typedef struct vl_fact {
    vl_fact_kind kind;
    const char *text; /* as read */
    const char *value; /* normalised: ISO 8601 date, E.164-like number, …; NULL when not sure */
    const char *label; /* VL_FACT_FIELD: the label; else NULL or what stands before it */
    uint32_t page;     /* from 0 */
    vl_box box;
    double confidence;
} vl_fact;

typedef struct vl_evidence { /* what the answer rests on */
    uint32_t page;
    vl_box box;
    const char *text;
    double confidence;
} vl_evidence;

enum { VL_SEEN_LABELS = 5 };
/* What the picture model says of a photograph. */
typedef struct vl_seen {
    vl_seer_text caption;
    vl_seer_guess scenes[VL_SEEN_LABELS]; /* best first */
    size_t scene_count;
    const char *question; /* what the model was asked; NULL: nothing */
    vl_seer_text answer;
    bool used; /* the response rests on it */
    const char *model, *version;
} vl_seen;

typedef struct vl_answer {
    const char *response;      /* in plain English; quoted text in its own language */
    double confidence;         /* 0 … 1 */
    bool refused;              /* it can't do that (says what would be needed) */
    const char *document_kind; /* "notice", "form", "report", "receipt", "letter", "sign",
                                  "page", "photograph", "blank page" */
    double document_kind_confidence;
    double milliseconds;
    vl_media_kind media_kind;
    vl_page **pages;
    size_t page_count; /* read: may be fewer than the document's, see max_pages */
    uint32_t document_pages;
    vl_fact *facts;
    size_t fact_count;
    vl_evidence *evidence; /* best first */
    size_t evidence_count;
    vl_picture_look look;       /* of the first page */
    vl_seen *seen;              /* a photograph and a picture model; else NULL */
    vl_lang_guess languages[5]; /* over the whole document */
    size_t language_count;
    struct {
        const void *jpeg; /* the upright page the boxes refer to, at most 1600 pixels a side */
        size_t bytes;
    } * pictures; /* [page_count] when asked for, else NULL */
} vl_answer;

typedef struct vl_answer_options {
    vl_ocr_options ocr;
    vl_media_limits limits;
    uint32_t max_pages;  /* read at most this many pages of a document; default 20 */
    const vl_seer *seer; /* looks at photographs, outlives the answerer; NULL: nobody does */
} vl_answer_options;
vl_answer_options vl_answer_options_default(void);
/* The settings that concern answering (max_pages, max_side, tessdata, …). Strings point into
 * `config`, which must outlive the options. VL_ERR_USAGE for an engine this version lacks. */
vl_status vl_answer_options_from_config(const vl_config *config, vl_answer_options *options,
                                        vl_error *error);

/* What answers, in `model_info` of an answer. */
#define VL_ANSWER_MODEL "vislang"
typedef struct vl_answerer vl_answerer;
vl_status vl_answerer_new(const vl_answer_options *options, vl_answerer **answerer,
                          vl_error *error);
void vl_answerer_free(vl_answerer *answerer);
typedef struct vl_answer_request {
    const void *bytes; /* the whole file */
    size_t count;
    const char *instruction; /* NULL or blank: describe */
    const char *languages;   /* Tesseract packs; NULL: detect */
    bool keep_pictures;
    bool explain; /* keep in every word what each engine said */
    bool redact;  /* take personal data out of pages, facts and pictures (docs/privacy.md) */
    /* Called for each page that was read, the `number`th (from 0) of `pages` that will be
     * tried; NULL: nobody is told. */
    void (*on_page)(void *user, const vl_page *page, uint32_t number, uint32_t pages);
    void *user;
} vl_answer_request;
/* Labels in `seen` live as long as the model. Errors are those of vl_document_open and
 * vl_ocr_read, and VL_ERR_INPUT when no page could be read. A page that cannot be read beside
 * others that can does not fail the answer: it is missing from `pages` and said in the
 * response. */
vl_status vl_answer_make(vl_answerer *answerer, const vl_answer_request *request,
                         vl_arena *arena, vl_answer **answer, vl_error *error);
struct cJSON;
/* The object of POST /predict and `predict --json` (docs/formats.md). NULL: no memory. */
struct cJSON *vl_answer_to_json(const vl_answer *answer);

/* ---- one ability of the picture model ------------------------------------------------- */

typedef enum vl_picture_task {
    VL_PICTURE_CAPTION,
    VL_PICTURE_ASK,
    VL_PICTURE_STATEMENT, /* is it true? */
    VL_PICTURE_LABELS,
} vl_picture_task;

typedef struct vl_picture_request {
    vl_picture_task task;
    const void *bytes; /* the whole file */
    size_t count;
    uint32_t page;        /* of a document, from 0 */
    const char *text;     /* the question or statement */
    const char *language; /* of a caption, ISO 639-1; NULL: "en" */
    const char *set;      /* of labels; NULL: "scene" */
    vl_seer_writing writing;
} vl_picture_request;

typedef struct vl_picture_reply {
    vl_picture_task task;
    const char *asked;                        /* question, statement, language or set */
    vl_seer_text text;                        /* caption; answer; "true" or "false" */
    double probability;                       /* that the statement is true */
    vl_seer_guess labels[VL_SEER_MAX_LABELS]; /* best first; they live as long as the model */
    size_t label_count;
    double milliseconds;
    const char *model, *version;
} vl_picture_reply;

/* The model that the setting model_path names, or the bundled one; errors of vl_seer_open. */
vl_status vl_picture_model_open(const vl_config *config, vl_seer **seer, vl_error *error);
/* Decodes one page and has the model look at it. VL_ERR_USAGE: an empty question, a language
 * or set of labels the model has not (the message lists what it has); VL_ERR_INPUT: text that
 * is too long, not UTF-8 or holds control characters, or a page that is not there; and the
 * errors of vl_document_open and vl_document_page. The reply lives in the arena. */
vl_status vl_picture_answer(const vl_seer *seer, vl_seer_session *session,
                            const vl_media_limits *limits, const vl_picture_request *request,
                            vl_arena *arena, vl_picture_reply **reply, vl_error *error);
/* Checks what can be checked without the picture, as vl_picture_answer does. */
vl_status vl_picture_request_check(const vl_seer *seer, const vl_picture_request *request,
                                   vl_error *error);
/* The names of the label sets that the model was taught, into `names` of VL_SEER_MAX_HEADS;
 * they live as long as it does. Returns how many. */
size_t vl_picture_sets(const vl_seer *seer, const char **names);
/* The object of `caption --json` and POST /api/v1/caption and so on (docs/pictures.md). NULL:
 * no memory. */
struct cJSON *vl_picture_reply_to_json(const vl_picture_reply *reply);

#ifdef __cplusplus
}
#endif
#endif
