/* document.c — a whole document into its writers: one page decoded, read and written at a time.
 */
#include <vislang/ocr.h>

enum { PAGE_ARENA_BYTES = 256 << 20 };

typedef struct run {
    vl_ocr *ocr;
    vl_document *document;
    const char *languages;
    vl_ocr_writer *const *writers;
    size_t writer_count;
    vl_arena *arena; /* of one page */
    vl_ocr_summary *summary;
    double confidence_sum;
} run;

static vl_status write_page(run *r, const vl_page *page, const vl_image *upright,
                            vl_error *error) {
    size_t words = vl_page_word_count(page);
    r->summary->words += words;
    r->confidence_sum += page->confidence * (double)words;
    if (page->unread && !r->summary->unread_pages++)
        vl_fail(&r->summary->first_unread, page->unread->status, "%s", page->unread->message);
    vl_status status = VL_OK;
    for (size_t i = 0; i < r->writer_count && !status; i++)
        status = vl_ocr_writer_page(r->writers[i], page, upright, error);
    return status;
}

static vl_status write_bad_page(run *r, const vl_error *reason, vl_error *error) {
    if (!r->summary->bad_pages++)
        r->summary->first_bad = *reason;
    vl_status status = VL_OK;
    for (size_t i = 0; i < r->writer_count && !status; i++)
        status = vl_ocr_writer_bad_page(r->writers[i], reason, error);
    return status;
}

static vl_status read_page(run *r, uint32_t index, vl_error *error) {
    vl_error reason;
    vl_image *image = NULL, *upright = NULL;
    vl_page *page = NULL;
    vl_status status = vl_document_page(r->document, index, &image, &reason);
    if (!status)
        status = vl_ocr_read(r->ocr, image, r->languages, r->arena, &page, &upright, &reason);
    vl_image_free(image);
    if (status == VL_ERR_CANCELLED) /* no fault of the page's */
        vl_stop_check(error);
    else
        status =
            status ? write_bad_page(r, &reason, error) : write_page(r, page, upright, error);
    vl_image_free(upright);
    vl_arena_reset(r->arena);
    r->summary->pages++;
    return status;
}

vl_status vl_ocr_document(vl_ocr *ocr, vl_document *document, const char *languages,
                          vl_ocr_writer *const *writers, size_t writer_count,
                          vl_ocr_summary *summary, vl_error *error) {
    *summary = (vl_ocr_summary){0};
    run r = {.ocr = ocr,
             .document = document,
             .languages = languages,
             .writers = writers,
             .writer_count = writer_count,
             .arena = vl_arena_new(PAGE_ARENA_BYTES),
             .summary = summary};
    if (!r.arena)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_status status = VL_OK;
    uint32_t pages = vl_document_page_count(document);
    for (uint32_t i = 0; i < pages && !status; i++)
        status = read_page(&r, i, error);
    vl_arena_free(r.arena);
    if (summary->words)
        summary->confidence = r.confidence_sum / (double)summary->words;
    if (!status && pages && summary->bad_pages == pages)
        return vl_fail(error, summary->first_bad.status, "%s", summary->first_bad.message);
    return status;
}
