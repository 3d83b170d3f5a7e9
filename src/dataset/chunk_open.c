/* chunk_open.c — a document of a record: read, taken apart, and without its personal data. */
#include "dataset/chunk_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DOCUMENT_MAX = 256 << 20,
    PICTURE_MAX = 64 << 20,
    LANGUAGES_MAX = 32,
    ADDRESS_SIZE = 4096
};

const char *chunk_provenance(const opened *document, const char *name) {
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document->provenance, name));
    return text ? text : "";
}

/* The language that most letters of the parts are in. */
static void find_language(opened *d) {
    struct {
        const char *code;
        size_t bytes;
    } seen[LANGUAGES_MAX];
    size_t count = 0, best = 0;
    for (size_t i = 0; i < d->parts->part_count; i++) {
        const vl_part *part = &d->parts->parts[i];
        size_t k = 0;
        while (k < count && strcmp(seen[k].code, part->language) != 0)
            k++;
        if (k == LANGUAGES_MAX || !strcmp(part->language, "und"))
            continue;
        if (k == count) {
            seen[count].code = part->language;
            seen[count++].bytes = 0;
        }
        seen[k].bytes += strlen(part->text);
        if (seen[k].bytes > seen[best].bytes)
            best = k;
    }
    snprintf(d->language, sizeof d->language, "%s", count ? seen[best].code : "und");
}

static vl_status open_ocr(void *user, vl_ocr **ocr, vl_error *error) {
    chunk_worker *w = user;
    vl_status status = w->ocr ? VL_OK : vl_ocr_new(&w->kit->reading, &w->ocr, error);
    *ocr = w->ocr;
    return status;
}

/* Whether it is the document that is wrong, and not the machine: a program that is missing, a
 * disk that fails. */
static bool is_of_document(vl_status status) {
    return status == VL_ERR_INPUT || status == VL_ERR_UNSUPPORTED || status == VL_ERR_LIMIT ||
           status == VL_ERR_TIMEOUT || status == VL_ERR_USAGE || status == VL_ERR_MEMORY;
}

static vl_status take_apart(chunk_worker *w, opened *d, vl_error *error) {
    const chunk_kit *kit = w->kit;
    vl_parts_options how = vl_parts_options_default();
    how.type = *d->from->type ? d->from->type : NULL;
    how.langid = kit->langid;
    how.ngram = kit->ngram;
    how.max_bytes = DOCUMENT_MAX;
    how.limits.pdf_dpi = kit->recipe->dpi;
    if (kit->recipe->ocr != BUILD_OCR_NEVER)
        how.open_ocr = open_ocr;
    how.user = w;
    vl_error why = {0};
    vl_status status =
        vl_parts_read(d->bytes.data, d->bytes.len, &how, d->arena, &d->parts, &why);
    if (!status)
        status =
            privacy_clean_parts(d->parts, &kit->privacy, w->tally, d->arena, &d->found, &why);
    if (status && !is_of_document(status)) {
        *error = why;
        vl_error_prefix(error, "%s", d->from->record);
        return status;
    }
    if (status) {
        d->parts = NULL;
        snprintf(d->problem, sizeof d->problem, "%s", why.message);
        return VL_OK;
    }
    find_language(d);
    return VL_OK;
}

/* What the source says of a document is read by people too. */
static vl_status clean_provenance(chunk_worker *w, opened *d, vl_error *error) {
    static const char *const names[] = {"title", "name", "publisher"};
    vl_status status = VL_OK;
    for (size_t i = 0; !status && i < sizeof names / sizeof *names; i++) {
        const char *said = chunk_provenance(d, names[i]), *clean = said;
        privacy_found found = {.changed = false};
        status = privacy_clean_text(said, d->language, &w->kit->privacy, w->tally, d->arena,
                                    &clean, &found, error);
        if (!status && clean != said)
            cJSON_ReplaceItemInObjectCaseSensitive(d->provenance, names[i],
                                                   cJSON_CreateString(clean));
    }
    return status;
}

vl_status chunk_open(chunk_worker *w, const vl_build_document *from, opened *to,
                     vl_error *error) {
    vl_error why = {0};
    vl_arena_reset(to->arena);
    vl_buf_clear(&to->bytes);
    to->from = from;
    to->parts = NULL;
    to->found = NULL;
    *to->problem = '\0';
    snprintf(to->language, sizeof to->language, "und");
    to->provenance = cJSON_Parse(from->provenance);
    if (!to->provenance)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a document");
    vl_status status = vl_file_read(from->path, DOCUMENT_MAX, &to->bytes, &why);
    if (status == VL_ERR_LIMIT) {
        snprintf(to->problem, sizeof to->problem, "%s", why.message);
        return clean_provenance(w, to, error);
    }
    if (!status) {
        char sha256[VL_SHA256_HEX_SIZE];
        vl_sha256_hex(to->bytes.data, to->bytes.len, sha256);
        if (strcmp(sha256, from->sha256) != 0)
            status = vl_fail(&why, VL_ERR_INPUT, "%s: not what its name says", from->path);
    }
    if (status) {
        *error = why;
        vl_error_prefix(error, "%s: the collection is damaged or away", w->record->collection);
        return status;
    }
    status = take_apart(w, to, error);
    return status ? status : clean_provenance(w, to, error);
}

void chunk_close(opened *document) {
    cJSON_Delete(document->provenance);
    document->provenance = NULL;
    document->parts = NULL;
}

/* ---- pictures of parts ---------------------------------------------------------------------
 */

/* A picture that stands elsewhere, of which the collection may have the file. */
static vl_status picture_elsewhere(chunk_worker *w, const opened *d, const char *source,
                                   const vl_media_limits *limits, vl_image **image,
                                   vl_error *error) {
    const vl_build_options *options = w->kit->options;
    char path[ADDRESS_SIZE] = "";
    vl_buf file;
    vl_error why = {0};
    if (!options->picture)
        return VL_OK;
    vl_status status = options->picture(d->from, w->record->collection, source, path,
                                        sizeof path, options->user, error);
    if (status || !*path)
        return status;
    vl_buf_init(&file, PICTURE_MAX);
    if (!vl_file_read(path, PICTURE_MAX, &file, &why) &&
        vl_document_first(file.data, file.len, limits, image, &why))
        *image = NULL;
    vl_buf_deinit(&file);
    return why.status == VL_ERR_CANCELLED ? vl_stop_check(error) : VL_OK;
}

vl_status chunk_part_image(chunk_worker *w, const opened *d, size_t part, vl_image **image,
                           vl_error *error) {
    const vl_part *p = &d->parts->parts[part];
    vl_media_limits limits = vl_media_limits_default();
    vl_error why = {0};
    limits.pdf_dpi = w->kit->recipe->dpi;
    *image = NULL;
    vl_status status = vl_parts_picture(d->parts, part, &limits, image, &why);
    if (status == VL_ERR_CANCELLED) {
        *error = why;
        return status;
    }
    if (status == VL_ERR_MISSING && p->source)
        return picture_elsewhere(w, d, p->source, &limits, image, error);
    if (status)
        *image = NULL;
    else if (p->has_box && w->kit->privacy.action != PRIVACY_KEEP &&
             privacy_cover(d->parts, d->found, p->page, p->box, *image) > CHUNK_COVERED_MOST) {
        vl_image_free(*image);
        *image = NULL;
    }
    return VL_OK;
}
