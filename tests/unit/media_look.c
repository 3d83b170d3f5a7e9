/* media_look.c — page or photograph, on real scans and photographs that lie beside the checkout
 * (VISLANG_SHARED_DATA); says SKIPPED where they do not. */
#include <vislang/media.h>

#include <dirent.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct tally {
    size_t seen, right;
    vl_picture_kind expected;
} tally;

static bool is_picture(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && (!strcmp(dot, ".png") || !strcmp(dot, ".jpg"));
}

static void look_at_file(const char *path, tally *t) {
    vl_buf bytes;
    vl_document *document = NULL;
    vl_image *image = NULL;
    vl_picture_look look;
    vl_error error = {0};
    vl_media_limits limits = vl_media_limits_default();
    vl_buf_init(&bytes, limits.max_bytes);
    if (vl_file_read(path, limits.max_bytes, &bytes, &error) ||
        vl_document_open(bytes.data, bytes.len, &limits, &document, &error) ||
        vl_document_page(document, 0, &image, &error) ||
        vl_picture_look_at(image, &look, &error))
        fail_msg("%s: %s", path, error.message);
    t->seen++;
    t->right += look.kind == t->expected;
    vl_image_free(image);
    vl_document_free(document);
    vl_buf_deinit(&bytes);
}

/* Every `every`-th picture of a folder. */
static void look_at_folder(const char *data, const char *folder, size_t every, tally *t) {
    char path[4096];
    struct dirent **names;
    snprintf(path, sizeof path, "%s/%s", data, folder);
    int count = scandir(path, &names, NULL, alphasort);
    size_t pictures = 0;
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", data, folder, names[i]->d_name);
        if (is_picture(names[i]->d_name) && pictures++ % every == 0)
            look_at_file(path, t);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}

static const char *data_folder(void) {
    static char beside[4096];
    const char *chosen = getenv("VISLANG_SHARED_DATA");
    if (chosen && *chosen)
        return chosen;
    snprintf(beside, sizeof beside, "%s/../shared/data", TEST_SOURCE_DIR);
    return beside;
}

static void check(const char *const *folders, size_t count, size_t every,
                  vl_picture_kind expected, const char *what) {
    const double least = 0.97;
    tally t = {.expected = expected};
    for (size_t i = 0; i < count; i++)
        look_at_folder(data_folder(), folders[i], every, &t);
    if (!t.seen) {
        printf("SKIPPED: no %s under %s (set VISLANG_SHARED_DATA)\n", what, data_folder());
        return;
    }
    printf("%s: %zu of %zu told right\n", what, t.right, t.seen);
    assert_true((double)t.right >= least * (double)t.seen);
}

static void scans_are_pages(void **state) {
    (void)state;
    static const char *const folders[] = {
        "ocr-scans/afr-latin",       "ocr-scans/ara-print-lines", "ocr-scans/eng-oldbooks-bin",
        "ocr-scans/fra-registers",   "ocr-scans/fra-typescript",  "ocr-scans/kpv-cyrl-lines",
        "ocr-scans/mya-synth-lines", "ocr-scans/por-print",       "ocr-scans/san-print",
        "ocr-scans/spa-print19",     "ocr-scans/sroie-receipts",  "ocr-scans/tam-print-lines",
        "ocr-scans/tam-print-pages",
    };
    check(folders, sizeof folders / sizeof *folders, 4, VL_PICTURE_PAGE, "scanned pages");
}

static void photographs_are_photographs(void **state) {
    (void)state;
    static const char *const folders[] = {
        "photos/flickr8k/dev",
        "photos/daquar/train",
        "photos/crisis/fire",
        "photos/crisis/flood",
        "photos/crisis/forest_no_fire",
        "photos/crisis/no_damage_satellite",
        "photos/crisis/storm_damage_satellite",
    };
    check(folders, sizeof folders / sizeof *folders, 10, VL_PICTURE_PHOTO, "photographs");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scans_are_pages),
        cmocka_unit_test(photographs_are_photographs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
