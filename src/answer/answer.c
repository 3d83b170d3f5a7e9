/* answer.c — the straight line from a file's bytes to an answer. */
#include "answer/picture.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_INSTRUCTION_BYTES = 2000, PICTURE_SIDE = 1600, PICTURE_QUALITY = 72 };

struct vl_answerer {
    vl_answer_options options;
    vl_ocr *ocr;
    vl_langid *langid;
    place_names *places;
    picture_view view;
};

vl_status vl_answerer_new(const vl_answer_options *options, vl_answerer **answerer,
                          vl_error *error) {
    vl_answerer *a = calloc(1, sizeof *a);
    *answerer = NULL;
    if (!a)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    a->options = *options;
    a->view.seer = options->seer;
    vl_status status = VL_OK;
    if (!options->ocr.langid)
        status = vl_langid_open(NULL, &a->langid, error);
    if (!status && a->langid)
        a->options.ocr.langid = a->langid;
    if (!status)
        status = vl_ocr_new(&a->options.ocr, &a->ocr, error);
    if (!status && !(a->places = place_names_new(error)))
        status = VL_ERR_MEMORY;
    if (status)
        vl_answerer_free(a);
    else
        *answerer = a;
    return status;
}

void vl_answerer_free(vl_answerer *answerer) {
    if (!answerer)
        return;
    vl_ocr_free(answerer->ocr);
    vl_langid_free(answerer->langid);
    place_names_free(answerer->places);
    picture_view_deinit(&answerer->view);
    free(answerer);
}

/* ---- the instruction
 * -------------------------------------------------------------------------- */

static vl_status check_instruction(const char *instruction, vl_error *error) {
    size_t bytes = instruction ? strlen(instruction) : 0;
    if (bytes > MAX_INSTRUCTION_BYTES)
        return vl_fail(error, VL_ERR_INPUT,
                       "the instruction has %zu bytes; at most %d are read", bytes,
                       MAX_INSTRUCTION_BYTES);
    if (bytes && vl_utf8_valid_prefix(instruction, bytes) != bytes)
        return vl_fail(error, VL_ERR_INPUT, "the instruction is not UTF-8");
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)instruction[i] < 0x20 && !strchr("\t\r\n", instruction[i]))
            return vl_fail(error, VL_ERR_INPUT, "the instruction has control characters in it");
    return VL_OK;
}

/* ---- pages
 * ------------------------------------------------------------------------------------ */

static vl_status keep_picture(const vl_image *upright, vl_arena *arena, vl_answer *answer,
                              size_t index, vl_error *error) {
    uint32_t longest = upright->width > upright->height ? upright->width : upright->height;
    double scale = longest > PICTURE_SIDE ? (double)PICTURE_SIDE / longest : 1;
    uint32_t width = (uint32_t)(upright->width * scale),
             height = (uint32_t)(upright->height * scale);
    vl_image *small =
        scale < 1 ? vl_image_resize(upright, width ? width : 1, height ? height : 1) : NULL;
    vl_buf jpeg;
    vl_buf_init(&jpeg, 32 << 20);
    vl_status status =
        vl_image_encode_jpeg(small ? small : upright, PICTURE_QUALITY, &jpeg, error);
    void *copy = status ? NULL : vl_arena_alloc(arena, jpeg.len);
    if (copy) {
        answer->pictures[index].jpeg = memcpy(copy, jpeg.data, jpeg.len);
        answer->pictures[index].bytes = jpeg.len;
    } else if (!status) {
        status = vl_fail(error, VL_ERR_MEMORY, "no memory to keep the page's picture");
    }
    vl_buf_deinit(&jpeg);
    vl_image_free(small);
    return status;
}

static vl_status read_page(vl_answerer *a, vl_document *document, uint32_t index,
                           const vl_answer_request *request, vl_arena *arena, vl_answer *answer,
                           vl_error *error) {
    vl_image *image = NULL, *upright = NULL;
    vl_page *page = NULL;
    vl_status status = vl_document_page(document, index, &image, error);
    if (!status && index == 0)
        status = vl_picture_look_at(image, &answer->look, error);
    if (!status && index == 0)
        status = picture_look(&a->view, image, &answer->look, error);
    vl_ocr_explain(a->ocr, request->explain);
    vl_ocr_redact(a->ocr, request->redact);
    if (!status)
        status = vl_ocr_read(a->ocr, image, request->languages, arena, &page,
                             request->keep_pictures ? &upright : NULL, error);
    if (!status && request->keep_pictures)
        status = keep_picture(upright, arena, answer, answer->page_count, error);
    if (!status)
        answer->pages[answer->page_count++] = page;
    vl_image_free(image);
    vl_image_free(upright);
    return status;
}

/* Pages that cannot be read are passed over while there are others; `bad` counts them. */
static vl_status read_pages(vl_answerer *a, vl_document *document,
                            const vl_answer_request *request, vl_arena *arena,
                            vl_answer *answer, uint32_t *bad, vl_error *error) {
    uint32_t count = vl_document_page_count(document);
    answer->document_pages = count;
    if (count > a->options.max_pages)
        count = a->options.max_pages;
    answer->pages = vl_arena_array(arena, count + 1, sizeof *answer->pages);
    if (request->keep_pictures)
        answer->pictures = vl_arena_array(arena, count + 1, sizeof *answer->pictures);
    if (!answer->pages || (request->keep_pictures && !answer->pictures))
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_status first_bad = VL_OK;
    for (uint32_t i = 0; i < count; i++) {
        vl_error reason;
        vl_status status = read_page(a, document, i, request, arena, answer, &reason);
        if (status == VL_ERR_MISSING || status == VL_ERR_MEMORY || status == VL_ERR_CANCELLED ||
            status == VL_ERR_USAGE) {
            if (error)
                *error = reason;
            return status; /* not the page's fault: the next one would end the same */
        }
        if (!status && request->on_page)
            request->on_page(request->user, answer->pages[answer->page_count - 1], i, count);
        if (status && !(*bad)++) {
            first_bad = status;
            if (error)
                *error = reason;
        }
    }
    return answer->page_count ? VL_OK : first_bad;
}

/* Languages of the document: of its pages, weighed by their words. */
static void sum_languages(vl_answer *answer) {
    enum { MAX = sizeof answer->languages / sizeof *answer->languages };
    double total = 0;
    for (size_t p = 0; p < answer->page_count; p++)
        total += (double)vl_page_word_count(answer->pages[p]);
    for (size_t p = 0; p < answer->page_count && total > 0; p++) {
        const vl_page *page = answer->pages[p];
        double weight = (double)vl_page_word_count(page) / total;
        for (size_t i = 0; i < page->language_count; i++) {
            size_t at = 0;
            while (at < answer->language_count &&
                   strcmp(answer->languages[at].code, page->languages[i].code))
                at++;
            if (at == MAX)
                continue;
            if (at == answer->language_count) {
                answer->language_count++;
                answer->languages[at] = page->languages[i];
                answer->languages[at].probability = 0;
            }
            answer->languages[at].probability += weight * page->languages[i].probability;
        }
    }
    for (size_t i = 1; i < answer->language_count; i++)
        for (size_t j = i;
             j && answer->languages[j].probability > answer->languages[j - 1].probability;
             j--) {
            vl_lang_guess swap = answer->languages[j];
            answer->languages[j] = answer->languages[j - 1];
            answer->languages[j - 1] = swap;
        }
}

/* ---- the answer
 * ------------------------------------------------------------------------------- */

static void find_facts(reading *r) {
    find_titles(r);
    find_dates(r);
    find_contacts(r);
    find_amounts(r);
    find_fields(r);
    find_places(r);
}

static void add_missing_pages(reading *r, vl_answer *answer, uint32_t bad) {
    uint32_t unread = answer->document_pages - (uint32_t)answer->page_count - bad;
    if (bad)
        answer->response = vl_arena_printf(r->arena, "%s (%u of %u pages could not be read.)",
                                           answer->response, bad, answer->document_pages);
    if (unread && answer->response)
        answer->response = vl_arena_printf(
            r->arena, "%s (The last %u of %u pages were not looked at: max_pages.)",
            answer->response, unread, answer->document_pages);
}

static bool is_blank(const char *text) {
    return !text || !text[strspn(text, " \t\r\n")];
}

vl_status vl_answer_make(vl_answerer *a, const vl_answer_request *request, vl_arena *arena,
                         vl_answer **answer, vl_error *error) {
    int64_t started = vl_clock_ns();
    vl_document *document = NULL;
    uint32_t bad = 0;
    *answer = NULL;
    vl_status status = check_instruction(request->instruction, error);
    if (status)
        return status;
    vl_answer *made = vl_arena_alloc(arena, sizeof *made);
    if (!made)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    status =
        vl_document_open(request->bytes, request->count, &a->options.limits, &document, error);
    if (status)
        return status;
    made->media_kind = vl_document_kind(document);
    a->view.looked = false;
    status = read_pages(a, document, request, arena, made, &bad, error);
    vl_document_free(document);
    if (status)
        return status;

    reading r;
    reading_make(&r, made->pages, made->page_count, arena);
    r.places = a->places;
    find_facts(&r);
    sum_languages(made);
    kind_guess kind = guess_document_kind(&r, &made->look);
    made->document_kind = kind.name;
    made->document_kind_confidence = kind.confidence;
    made->facts = r.facts;
    made->fact_count = r.fact_count;
    if (picture_is_photograph(&a->view, &r)) {
        if ((status = picture_see(&a->view, arena, made, error)))
            return status;
        r.view = &a->view;
    }
    if (is_blank(request->instruction))
        describe(&r, made);
    else
        respond(&r, request->instruction, made);
    add_missing_pages(&r, made, bad);
    if (r.full || !made->response)
        return vl_fail(error, VL_ERR_MEMORY,
                       "the document does not fit into the memory of a request");
    made->milliseconds = vl_clock_ms_since(started);
    *answer = made;
    return VL_OK;
}
