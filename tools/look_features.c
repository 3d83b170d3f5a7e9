/* look_features.c — prints what src/media/look.c measures of pictures, for tools/fit_look.py.
 *
 * usage: look_features LABEL [--lit] <list-of-files
 * One line a picture: LABEL, file, features. With --lit each picture comes twice more as a
 * phone would take it: coloured paper, light falling off to one side, darker, at half the size.
 */
#include "media/look.h"

#include <stdio.h>
#include <string.h>

static void print_features(const char *label, const char *path, const vl_image *image) {
    vl_picture_features features;
    if (vl_picture_measure(image, &features, NULL, NULL))
        return;
    printf("%s\t%s", label, path);
    for (size_t i = 0; i < VL_PICTURE_FEATURES; i++)
        printf("\t%.6f", ((const double *)&features)[i]);
    printf("\n");
}

static vl_image *lit(const vl_image *image, int kind) {
    static const double tints[2][3] = {{0.95, 0.86, 0.68}, {0.72, 0.78, 0.84}};
    vl_image *to;
    uint32_t width = kind && image->width > 1 ? image->width / 2 : image->width;
    uint32_t height = kind && image->height > 1 ? image->height / 2 : image->height;
    vl_image *from = vl_image_resize(image, width, height);
    if (!from || vl_image_new(width, height, 3, &to, NULL))
        return NULL;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            double light = 0.55 + 0.45 * (kind ? x / (double)width : y / (double)height);
            const uint8_t *in = from->pixels + y * from->stride + (size_t)x * from->channels;
            for (size_t c = 0; c < 3; c++) {
                double tone = 20 + 0.9 * in[from->channels == 1 ? 0 : c];
                to->pixels[y * to->stride + 3 * (size_t)x + c] =
                    (uint8_t)(tone * light * tints[kind][c]);
            }
        }
    vl_image_free(from);
    return to;
}

static void look(const char *label, const char *path, bool also_lit) {
    vl_error error;
    vl_buf bytes;
    vl_document *document = NULL;
    vl_image *image = NULL;
    vl_media_limits limits = vl_media_limits_default();
    vl_buf_init(&bytes, limits.max_bytes);
    if (vl_file_read(path, limits.max_bytes, &bytes, &error) ||
        vl_document_open(bytes.data, bytes.len, &limits, &document, &error) ||
        vl_document_page(document, 0, &image, &error)) {
        fprintf(stderr, "%s: %s\n", path, error.message);
    } else {
        print_features(label, path, image);
        for (int kind = 0; also_lit && kind < 2; kind++) {
            vl_image *changed = lit(image, kind);
            if (changed)
                print_features(label, path, changed);
            vl_image_free(changed);
        }
    }
    vl_image_free(image);
    vl_document_free(document);
    vl_buf_deinit(&bytes);
}

int main(int argc, char **argv) {
    char path[4096];
    if (argc < 2) {
        fprintf(stderr, "usage: look_features LABEL [--lit] <list-of-files\n");
        return 2;
    }
    bool also_lit = argc > 2 && !strcmp(argv[2], "--lit");
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        look(argv[1], path, also_lit);
    }
    return 0;
}
