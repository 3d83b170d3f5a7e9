/* json.c — an answer as the documented object (docs/formats.md). */
#include <vislang/answer.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static void add_number(cJSON *to, const char *name, double value) {
    cJSON_AddNumberToObject(to, name, round(value * 1e4) / 1e4);
}

static void add_box(cJSON *to, vl_box box) {
    int values[4] = {box.x, box.y, box.width, box.height};
    cJSON_AddItemToObject(to, "box", cJSON_CreateIntArray(values, 4));
}

static void add_optional(cJSON *to, const char *name, const char *text) {
    if (text)
        cJSON_AddStringToObject(to, name, text);
    else
        cJSON_AddNullToObject(to, name);
}

static void add_facts(cJSON *to, const vl_answer *answer) {
    cJSON *facts = cJSON_AddArrayToObject(to, "facts");
    for (size_t i = 0; i < answer->fact_count; i++) {
        const vl_fact *f = &answer->facts[i];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "kind", vl_fact_kind_name(f->kind));
        cJSON_AddStringToObject(o, "text", f->text);
        add_optional(o, "value", f->value);
        add_optional(o, "label", f->label);
        cJSON_AddNumberToObject(o, "page", f->page + 1);
        add_box(o, f->box);
        add_number(o, "confidence", f->confidence);
        cJSON_AddItemToArray(facts, o);
    }
}

static void add_quotes(cJSON *to, const vl_answer *answer) {
    cJSON *quotes = cJSON_AddArrayToObject(to, "quotes");
    for (size_t i = 0; i < answer->evidence_count; i++) {
        const vl_evidence *e = &answer->evidence[i];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddNumberToObject(o, "page", e->page + 1);
        add_box(o, e->box);
        cJSON_AddStringToObject(o, "text", e->text ? e->text : "");
        add_number(o, "confidence", e->confidence);
        cJSON_AddItemToArray(quotes, o);
    }
}

/* "data:image/jpeg;base64,…" (RFC 2397). */
static void add_picture(cJSON *page, const void *jpeg, size_t bytes) {
    static const char prefix[] = "data:image/jpeg;base64,";
    char *url = malloc(sizeof prefix + 4 * ((bytes + 2) / 3) + 1);
    if (!url)
        return;
    memcpy(url, prefix, sizeof prefix);
    EVP_EncodeBlock((unsigned char *)url + sizeof prefix - 1, jpeg, (int)bytes);
    cJSON_AddStringToObject(page, "picture", url);
    free(url);
}

static void add_pages(cJSON *to, const vl_answer *answer) {
    vl_arena *arena = vl_arena_new(256 << 20);
    vl_buf text;
    vl_buf_init(&text, 64 << 20);
    cJSON *ocr = cJSON_AddObjectToObject(to, "ocr");
    cJSON *pages = cJSON_CreateArray();
    for (size_t i = 0; arena && i < answer->page_count; i++) {
        const char *page_text = vl_page_text(arena, answer->pages[i]);
        if (i)
            vl_buf_puts(&text, "\n\n");
        vl_buf_puts(&text, page_text ? page_text : "");
        cJSON *page = vl_page_to_json(answer->pages[i]);
        if (!page)
            continue;
        cJSON_AddNumberToObject(page, "page", (double)i + 1);
        if (answer->pictures && answer->pictures[i].jpeg)
            add_picture(page, answer->pictures[i].jpeg, answer->pictures[i].bytes);
        cJSON_AddItemToArray(pages, page);
    }
    cJSON_AddStringToObject(ocr, "text", text.data ? text.data : "");
    cJSON_AddItemToObject(ocr, "pages", pages);
    vl_buf_deinit(&text);
    vl_arena_free(arena);
}

/* What the picture model said of the photograph. */
static void add_seen(cJSON *to, const vl_seen *seen) {
    cJSON_AddStringToObject(to, "caption", seen->caption.text);
    add_number(to, "caption_confidence", seen->caption.confidence);
    cJSON_AddBoolToObject(to, "caption_sure", seen->caption.sure);
    cJSON *scene = cJSON_AddArrayToObject(to, "scene");
    for (size_t i = 0; i < seen->scene_count; i++) {
        cJSON *label = cJSON_CreateObject();
        cJSON_AddStringToObject(label, "label", seen->scenes[i].label);
        add_number(label, "probability", seen->scenes[i].probability);
        cJSON_AddBoolToObject(label, "sure", seen->scenes[i].sure);
        cJSON_AddItemToArray(scene, label);
    }
    if (seen->question) {
        cJSON_AddStringToObject(to, "question", seen->question);
        cJSON_AddStringToObject(to, "answer", seen->answer.text);
        add_number(to, "answer_confidence", seen->answer.confidence);
        cJSON_AddBoolToObject(to, "answer_sure", seen->answer.sure);
    }
    cJSON *model = cJSON_AddObjectToObject(to, "model");
    cJSON_AddStringToObject(model, "name", seen->model);
    cJSON_AddStringToObject(model, "version", seen->version);
}

static void add_look(cJSON *to, const vl_answer *answer) {
    const vl_picture_look *look = &answer->look;
    cJSON *o = cJSON_AddObjectToObject(to, "picture");
    cJSON_AddNumberToObject(o, "width", answer->page_count ? answer->pages[0]->width : 0);
    cJSON_AddNumberToObject(o, "height", answer->page_count ? answer->pages[0]->height : 0);
    add_number(o, "brightness", look->brightness);
    add_number(o, "contrast", look->contrast);
    add_number(o, "colourfulness", look->colourfulness);
    add_number(o, "sharpness", look->sharpness);
    cJSON *colours = cJSON_AddArrayToObject(o, "colours");
    for (size_t i = 0; i < look->colour_count; i++) {
        cJSON *colour = cJSON_CreateObject();
        cJSON_AddStringToObject(colour, "name", look->colours[i].name);
        add_number(colour, "share", look->colours[i].share);
        cJSON_AddItemToArray(colours, colour);
    }
    if (answer->seen)
        add_seen(o, answer->seen);
}

cJSON *vl_answer_to_json(const vl_answer *answer) {
    cJSON *o = cJSON_CreateObject();
    if (!o)
        return NULL;
    cJSON_AddStringToObject(o, "response", answer->response);
    add_number(o, "confidence", answer->confidence);
    cJSON_AddBoolToObject(o, "refused", answer->refused);
    add_number(o, "processing_time_ms", round(answer->milliseconds * 10) / 10);
    cJSON *model = cJSON_AddObjectToObject(o, "model_info");
    bool seen = answer->seen && answer->seen->used;
    cJSON_AddStringToObject(model, "name", seen ? answer->seen->model : "vislang-ocr");
    cJSON_AddStringToObject(model, "version", seen ? answer->seen->version : VL_VERSION);
    cJSON *document = cJSON_AddObjectToObject(o, "document");
    cJSON_AddStringToObject(document, "kind", answer->document_kind);
    add_number(document, "confidence", answer->document_kind_confidence);
    cJSON_AddStringToObject(document, "media_type", vl_media_kind_type(answer->media_kind));
    cJSON_AddNumberToObject(document, "pages", answer->document_pages);
    cJSON_AddNumberToObject(document, "pages_read", (double)answer->page_count);
    cJSON *languages = cJSON_AddArrayToObject(o, "languages");
    for (size_t i = 0; i < answer->language_count; i++) {
        cJSON *language = cJSON_CreateObject();
        cJSON_AddStringToObject(language, "code", answer->languages[i].code);
        cJSON_AddStringToObject(language, "name", vl_lang_name(answer->languages[i].code));
        add_number(language, "probability", answer->languages[i].probability);
        cJSON_AddItemToArray(languages, language);
    }
    add_facts(o, answer);
    cJSON *evidence = cJSON_AddObjectToObject(o, "evidence");
    add_quotes(evidence, answer);
    add_pages(evidence, answer);
    add_look(evidence, answer);
    return o;
}
