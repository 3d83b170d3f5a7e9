/* chunk_picture.c — pictures into the dataset: scaled, encoded, named by their bytes. */
#include "dataset/chunk_inside.h"

#include "dataset/folder.h"
#include "dataset/phash.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PICTURE_BYTES_MAX = 64 << 20, JPEG_QUALITY = 90 };

/* Photographs and pages are JPEG, which is a fifth of PNG there; what has edges and flat areas
 * is PNG, which keeps them. */
static bool is_jpeg(const char *kind) {
    return !strcmp(kind, "photograph") || !strcmp(kind, "page");
}

static vl_status put_file(chunk_worker *w, const vl_buf *bytes, const char *ending, stored *to,
                          vl_error *error) {
    char sha256[VL_SHA256_HEX_SIZE], folder[FOLDER_PATH_SIZE], path[FOLDER_PATH_SIZE];
    vl_sha256_hex(bytes->data, bytes->len, sha256);
    snprintf(to->path, sizeof to->path, FOLDER_PICTURES "/%.2s/%s.%s", sha256, sha256, ending);
    int length = snprintf(folder, sizeof folder, "%s/" FOLDER_WORK "/" FOLDER_PICTURES "/%.2s",
                          w->kit->options->folder, sha256);
    if (length + (int)sizeof to->path >= (int)sizeof folder)
        return vl_fail(error, VL_ERR_USAGE, "the path of the folder is too long");
    snprintf(path, sizeof path, "%s/" FOLDER_WORK "/%s", w->kit->options->folder, to->path);
    if (access(path, F_OK) == 0)
        return VL_OK;
    vl_status status = vl_dir_make(folder, error);
    return status ? status : vl_file_write(path, bytes->data, bytes->len, error);
}

vl_status chunk_store(chunk_worker *w, const vl_image *image, const char *kind, stored *to,
                      vl_error *error) {
    const uint32_t side = w->kit->recipe->picture_side,
                   longer = image->width > image->height ? image->width : image->height;
    const vl_image *shown = image;
    vl_image *small = NULL;
    vl_buf bytes;
    *to = (stored){.kind = kind, .scale = longer > side ? (double)side / longer : 1};
    to->width = (uint32_t)fmax(1, round(image->width * to->scale));
    to->height = (uint32_t)fmax(1, round(image->height * to->scale));
    if (longer > side && !(shown = small = vl_image_resize(image, to->width, to->height)))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a picture");
    vl_buf_init(&bytes, PICTURE_BYTES_MAX);
    vl_status status = phash_of(shown, &to->phash, &to->has_phash, error);
    if (!status)
        status = is_jpeg(kind) ? vl_image_encode_jpeg(shown, JPEG_QUALITY, &bytes, error)
                               : vl_image_encode_png(shown, &bytes, error);
    if (!status)
        status = put_file(w, &bytes, is_jpeg(kind) ? "jpg" : "png", to, error);
    vl_buf_deinit(&bytes);
    vl_image_free(small);
    return status;
}

vl_status chunk_page(chunk_worker *w, uint32_t page, const stored **to, vl_error *error) {
    opened *d = w->now;
    stored *s = &w->pages[page];
    vl_media_limits limits = vl_media_limits_default();
    vl_image *image = NULL;
    vl_error why = {0};
    limits.pdf_dpi = w->kit->recipe->dpi;
    *to = s;
    if (s->scale > 0 || !d->parts->pages[page].width)
        return VL_OK;
    s->scale = 1;
    vl_status status = vl_parts_page_picture(d->parts, page, &limits, &image, &why);
    if (status == VL_ERR_CANCELLED) {
        *error = why;
        return status;
    }
    if (status)
        return VL_OK;
    const vl_box all = {0, 0, (int32_t)image->width, (int32_t)image->height};
    if (w->kit->privacy.action == PRIVACY_KEEP ||
        privacy_cover(d->parts, d->found, page, all, image) <= CHUNK_COVERED_MOST)
        status = chunk_store(w, image, "page", s, error);
    vl_image_free(image);
    return status;
}
