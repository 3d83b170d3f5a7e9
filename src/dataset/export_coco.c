/* export_coco.c — COCO captions and VQA (v2) files, pictures beside.
 *
 * Captions: what a document, or its version in another language, says of a picture, and the
 * responses of "describe" examples. VQA: every other example; its one answer stands ten times,
 * as the format has ten people's, so that the usual measure gives 1 to who says the same.
 * Pictures are numbered from 1 through all splits, questions and captions likewise. Lists that
 * stand behind another in a file wait in temporary files. */
#include "dataset/export.h"
#include "dataset/spill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWERS = 10, CHUNK = 1 << 16 };

typedef struct split_files {
    vl_file_writer *captions, *questions, *answers; /* NULL: not begun */
    spill *waiting;                                 /* annotations of captions */
    uint64_t waiting_count;
} split_files;
typedef struct coco {
    split_files splits[VL_SPLIT_COUNT];
    uint64_t pictures, captions, questions; /* given numbers so far */
    tally licences;                         /* their numbers are indices, from 1 */
} coco;

static vl_status coco_open(export *e, vl_error *error) {
    e->state = calloc(1, sizeof(coco));
    return e->state ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for an export");
}

static void coco_free(export *e) {
    coco *c = e->state;
    for (size_t i = 0; c && i < VL_SPLIT_COUNT; i++) {
        vl_file_writer_abandon(c->splits[i].captions);
        vl_file_writer_abandon(c->splits[i].questions);
        vl_file_writer_abandon(c->splits[i].answers);
        spill_free(c->splits[i].waiting);
    }
    if (c)
        tally_deinit(&c->licences);
    free(c);
}

/* ---- the beginnings of files ---------------------------------------------------------------
 */

/* Stands at the end of a file, when it is known what was fetched last. */
static void put_info(export *e, vl_split split) {
    const char *newest = e->counts.newest;
    vl_buf_puts(&e->line, ", \"info\": {\"description\": ");
    vl_buf_printf(&e->line, "\"Split %s of a dataset made by VisLang\"", vl_split_name(split));
    vl_buf_printf(&e->line, ", \"version\": \"%s\", \"year\": %d, \"contributor\": \"\", ",
                  VL_VERSION, atoi(newest));
    vl_buf_printf(&e->line, "\"url\": \"\", \"date_created\": \"%.10s\"}}\n", newest);
}

static void file_name(const char *what, vl_split split, char name[64]) {
    snprintf(name, 64, "%s_%s.json", what, vl_split_name(split));
}

/* `head`: what stands before the first element of its list. */
static vl_status begin(export *e, const char *what, vl_split split, const char *head,
                       vl_file_writer **file, vl_error *error) {
    char name[64];
    file_name(what, split, name);
    vl_status status = export_open(e, name, file, error);
    vl_buf_printf(&e->line, "{%s", head);
    return status ? status : export_flush(e, *file, error);
}

static vl_status begin_vqa(export *e, vl_split split, vl_error *error) {
    split_files *f = &((coco *)e->state)->splits[split];
    char head[512];
    if (f->questions)
        return VL_OK;
    const char *about = "\"data_type\": \"vislang\", \"data_subtype\": \"%s\", \"license\": "
                        "{\"name\": \"see licence of each image in captions_%s.json\", "
                        "\"url\": \"\"}, ";
    const char *name = vl_split_name(split);
    int used = snprintf(head, sizeof head, about, name, name);
    snprintf(head + used, sizeof head - (size_t)used,
             "\"task_type\": \"Open-Ended\", \"questions\": [\n");
    vl_status status = begin(e, "vqa_questions", split, head, &f->questions, error);
    snprintf(head + used, sizeof head - (size_t)used, "\"annotations\": [\n");
    return status ? status : begin(e, "vqa_annotations", split, head, &f->answers, error);
}

/* ---- pictures, captions --------------------------------------------------------------------
 */

static void put_key(vl_buf *out, const char *key, const char *text) {
    vl_buf_printf(out, ", \"%s\": ", key);
    export_put_text(out, text);
}

static vl_status put_picture(export *e, const vl_item *base, vl_error *error) {
    coco *c = e->state;
    split_files *f = &c->splits[base->split];
    char name[64];
    size_t licence = 0;
    bool first = !f->captions;
    vl_status status = tally_add(&c->licences, base->source.licence, &licence, error);
    if (!status && first)
        status = begin(e, "captions", base->split, "\"images\": [\n", &f->captions, error);
    if (!status && first)
        status = spill_open(e->work, &f->waiting, error);
    export_picture_name(base, name);
    if (!status)
        status = export_place(e, base, name, false, error);
    vl_buf_printf(&e->line, "%s{\"id\": %llu", first ? "" : ",\n",
                  (unsigned long long)++c->pictures);
    put_key(&e->line, "file_name", name);
    vl_buf_printf(&e->line, ", \"width\": %u, \"height\": %u, \"license\": %zu", base->width,
                  base->height, licence + 1);
    /* Addresses and time of the picture itself are not known; those of its document follow. */
    vl_buf_puts(&e->line, ", \"coco_url\": \"\", \"flickr_url\": \"\", \"date_captured\": "
                          "\"\", \"item\": {");
    export_put_columns(&e->line, base, "", EXPORT_BASE);
    vl_buf_puts(&e->line, "}}");
    e->report->rows[base->split]++;
    return status ? status : export_flush(e, f->captions, error);
}

static vl_status put_caption(export *e, split_files *f, const vl_item *item, vl_error *error) {
    coco *c = e->state;
    vl_buf *out = &e->line;
    vl_buf_printf(out, "%s{\"id\": %llu, \"image_id\": %llu", f->waiting_count++ ? ",\n" : "",
                  (unsigned long long)++c->captions, (unsigned long long)c->pictures);
    put_key(out, "caption", item->text);
    put_key(out, "language", item->language);
    put_key(out, "origin", item->origin);
    put_key(out, "item", item->id);
    vl_buf_puts(out, "}");
    vl_status status = vl_buf_status(out, "a caption", error);
    if (!status)
        status = spill_append(f->waiting, out->data, out->len, error);
    vl_buf_clear(out);
    return status;
}

/* ---- questions -----------------------------------------------------------------------------
 */

static bool is_number(const char *text) {
    return *text && !text[strspn(text, "0123456789.,")];
}

static vl_status put_question(export *e, split_files *f, const vl_item *item,
                              const vl_item *base, vl_error *error) {
    coco *c = e->state;
    vl_buf words;
    bool first = !f->questions;
    vl_status status = begin_vqa(e, base->split, error);
    vl_buf_init(&words, e->line.max);
    vl_buf_puts(&words, item->instruction);
    export_put_region(&words, item, base);
    vl_buf_printf(&e->line, "%s{\"image_id\": %llu", first ? "" : ",\n",
                  (unsigned long long)c->pictures);
    put_key(&e->line, "question", words.data ? words.data : "");
    put_key(&e->line, "language", item->instruction_language);
    put_key(&e->line, "item", item->id);
    vl_buf_printf(&e->line, ", \"question_id\": %llu}", (unsigned long long)++c->questions);
    if (!status)
        status = vl_buf_status(&words, "a question", error);
    vl_buf_deinit(&words);
    return status ? status : export_flush(e, f->questions, error);
}

static vl_status put_answers(export *e, split_files *f, const vl_item *item, bool first,
                             vl_error *error) {
    coco *c = e->state;
    vl_buf_printf(&e->line, "%s{\"question_id\": %llu, \"image_id\": %llu", first ? "" : ",\n",
                  (unsigned long long)c->questions, (unsigned long long)c->pictures);
    put_key(&e->line, "question_type", vl_item_kind_name(item->kind));
    put_key(&e->line, "answer_type", is_number(item->text) ? "number" : "other");
    put_key(&e->line, "multiple_choice_answer", item->text);
    put_key(&e->line, "language", item->language);
    put_key(&e->line, "origin", item->origin);
    vl_buf_puts(&e->line, ", \"answers\": [");
    for (int i = 1; i <= ANSWERS; i++) {
        vl_buf_puts(&e->line, i > 1 ? ", {\"answer\": " : "{\"answer\": ");
        export_put_text(&e->line, item->text);
        vl_buf_printf(&e->line, ", \"answer_confidence\": \"yes\", \"answer_id\": %d}", i);
    }
    vl_buf_puts(&e->line, "]}");
    return export_flush(e, f->answers, error);
}

/* Whether the picture has a caption of these words: a base item that is asked for, or an
 * example before the i-th. Who answers "describe" often says the caption again. */
static bool is_said(const export_group *group, size_t i) {
    const char *text = group->examples[i].text;
    if (group->base_asked && group->base->kind == VL_ITEM_PAIR &&
        !strcmp(group->base->text, text))
        return true;
    for (size_t k = 0; k < i; k++)
        if (group->examples[k].kind == VL_ITEM_DESCRIBE &&
            !strcmp(group->examples[k].text, text))
            return true;
    return false;
}

static vl_status put_images(export *e, const export_group *group, vl_error *error) {
    coco *c = e->state;
    const vl_item *base = group->base;
    split_files *f = &c->splits[base->split];
    if (!*base->picture) {
        e->report->no_place += group->base_asked + group->count;
        e->report->items -= group->base_asked + group->count;
        return VL_OK;
    }
    vl_status status = put_picture(e, base, error);
    if (!status && group->base_asked && base->kind == VL_ITEM_PAIR)
        status = put_caption(e, f, base, error);
    for (size_t i = 0; i < group->count && !status; i++) {
        const vl_item *item = &group->examples[i];
        bool first = !f->questions;
        if (item->kind == VL_ITEM_DESCRIBE) {
            status = is_said(group, i) ? VL_OK : put_caption(e, f, item, error);
            continue;
        }
        status = put_question(e, f, item, base, error);
        if (!status)
            status = put_answers(e, f, item, first, error);
    }
    return status;
}

/* ---- the ends of files ---------------------------------------------------------------------
 */

static vl_status put_waiting(split_files *f, vl_error *error) {
    char chunk[CHUNK];
    uint64_t size = spill_size(f->waiting), at = 0;
    vl_status status = VL_OK;
    while (at < size && !status) {
        size_t count = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
        status = spill_read(f->waiting, at, chunk, count, error);
        if (!status)
            status = vl_file_writer_put(f->captions, chunk, count, error);
        at += count;
    }
    return status;
}

static void put_licences(export *e) {
    const coco *c = e->state;
    vl_buf_puts(&e->line, "\n], \"licenses\": [\n");
    for (size_t i = 0; i < c->licences.count; i++) {
        const char *name = c->licences.names[i];
        vl_buf_printf(&e->line, "%s{\"id\": %zu", i ? ",\n" : "", i + 1);
        put_key(&e->line, "name", *name ? name : "not stated");
        put_key(&e->line, "url", strstr(name, "://") ? name : "");
        vl_buf_puts(&e->line, "}");
    }
    if (c->licences.others)
        vl_buf_printf(&e->line,
                      ",\n{\"id\": %d, \"name\": \"others: see item\", \"url\": \"\"}",
                      TALLY_NAMES + 1);
    vl_buf_puts(&e->line, "\n]");
}

static vl_status end(export *e, const char *what, vl_split split, vl_file_writer **file,
                     vl_error *error) {
    char name[64];
    vl_file_writer *whole = *file;
    put_info(e, split);
    vl_status status = export_flush(e, whole, error);
    if (status)
        return status;
    *file = NULL;
    file_name(what, split, name);
    status = vl_file_writer_commit(whole, error);
    return status ? status : export_register(e, name, "application/json", split, false, error);
}

static vl_status close_split(export *e, vl_split split, vl_error *error) {
    split_files *f = &((coco *)e->state)->splits[split];
    vl_status status = VL_OK;
    if (f->captions) {
        vl_buf_puts(&e->line, "\n], \"annotations\": [\n");
        status = export_flush(e, f->captions, error);
        if (!status)
            status = put_waiting(f, error);
        put_licences(e);
        if (!status)
            status = end(e, "captions", split, &f->captions, error);
    }
    if (!status && f->questions) {
        vl_buf_puts(&e->line, "\n]");
        status = end(e, "vqa_questions", split, &f->questions, error);
        vl_buf_puts(&e->line, "\n]");
        if (!status)
            status = end(e, "vqa_annotations", split, &f->answers, error);
    }
    return status;
}

static vl_status coco_close(export *e, vl_error *error) {
    vl_status status = VL_OK;
    for (vl_split i = 0; i < VL_SPLIT_COUNT && !status; i++)
        status = close_split(e, i, error);
    return status;
}

/* ---- card, Croissant -----------------------------------------------------------------------
 */

static void coco_data_files(const export *e, vl_buf *out) {
    (void)e; /* no loader of `datasets` reads COCO files */
    (void)out;
}

static void coco_records(const export *e, cJSON *list) {
    static const char *const captions[][4] = {
        {"id", "sc:Integer", "$.annotations[*].id", "Number of the caption"},
        {"image_id", "sc:Integer", "$.annotations[*].image_id", "Number of its picture"},
        {"caption", "sc:Text", "$.annotations[*].caption", "Caption"},
        {"language", "sc:Text", "$.annotations[*].language", "Language, ISO 639-3"},
    };
    static const char *const questions[][4] = {
        {"question_id", "sc:Integer", "$.questions[*].question_id", "Number of the question"},
        {"image_id", "sc:Integer", "$.questions[*].image_id", "Number of its picture"},
        {"question", "sc:Text", "$.questions[*].question", "Question"},
        {"language", "sc:Text", "$.questions[*].language", "Language, ISO 639-3"},
    };
    for (size_t i = 0; i < e->file_count; i++) {
        const char *file = e->files[i].name;
        bool asks = !strncmp(file, "vqa_questions", 13);
        const char *const(*fields)[4] = asks ? questions : captions;
        char name[64];
        if (!strncmp(file, "vqa_annotations", 15))
            continue;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(file, "."), file);
        cJSON *set = croissant_set(list, name,
                                   asks ? "Questions of a split; their answers are "
                                          "in vqa_annotations_SPLIT.json."
                                        : "Captions of a split.");
        for (size_t k = 0; k < sizeof captions / sizeof *captions; k++)
            croissant_field(set, name, fields[k][0], fields[k][1], fields[k][3], file,
                            "jsonPath", fields[k][2]);
    }
    croissant_pictures(e, list);
}

const export_layout export_coco = {
    .open = coco_open,
    .put = put_images,
    .close = coco_close,
    .free = coco_free,
    .data_files = coco_data_files,
    .records = coco_records,
    .use = "`captions_SPLIT.json` is a COCO captions file: captions of pictures, and what\n"
           "\"describe\" examples answer. `vqa_questions_SPLIT.json` and\n"
           "`vqa_annotations_SPLIT.json` are VQA (v2) files with all other examples; our one\n"
           "answer stands ten times. `file_name` is a path in this folder; `item` of an image "
           "says\n"
           "where it is from. A region that a question speaks of stands after it, left, top, "
           "right\n"
           "and bottom as parts of the picture's sides. What has no picture is left out.\n"
           "\n"
           "```python\n"
           "from pycocotools.coco import COCO\n"
           "coco = COCO(\"FOLDER/captions_train.json\")\n"
           "image = coco.loadImgs(coco.getImgIds()[:1])[0]\n"
           "print(image[\"file_name\"], coco.imgToAnns[image[\"id\"]])\n"
           "```\n",
};
