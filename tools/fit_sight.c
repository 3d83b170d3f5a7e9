/* fit_sight.c — fits the constants of src/dataset/pairs_sight.c: from the cosine of a picture
 * and a text, as seer sees them, to the probability that they belong together (Platt 1999).
 *
 *   fit_sight FOLDER
 *
 * FOLDER holds pictures and metadata.jsonl {"file_name", "captions": {"en": […], …}}: captions
 * that are right are the picture's, wrong ones those of the picture `SHIFT` lines on, as many.
 * Every other picture is fitted, the others are scored. docs/dataset.md has the figures. */
#include "dataset/logistic.h"
#include "dataset/pairs_evidence.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICTURES_MOST = 4000, ROWS_MOST = 64000, FILE_BYTES_MOST = 64 << 20, SHIFT = 137 };

typedef struct row {
    double cosine;
    bool right, fitted;
} row;

typedef struct fitting {
    const char *folder;
    vl_seer *seer;
    vl_seer_session *session;
    cJSON *lines[PICTURES_MOST];
    size_t count, unseen;
    row *rows; /* of one language */
    size_t row_count;
} fitting;

static vl_status read_lines(fitting *f, vl_error *error) {
    char path[4096];
    vl_buf content;
    vl_buf_init(&content, FILE_BYTES_MOST);
    snprintf(path, sizeof path, "%s/metadata.jsonl", f->folder);
    vl_status status = vl_file_read(path, FILE_BYTES_MOST, &content, error);
    for (char *at = content.data; !status && at && *at && f->count < PICTURES_MOST;) {
        size_t length = strcspn(at, "\n");
        cJSON *line = cJSON_ParseWithLength(at, length);
        if (line)
            f->lines[f->count++] = line;
        at += length + (at[length] == '\n');
    }
    vl_buf_deinit(&content);
    return status;
}

static vl_status read_picture(const char *path, vl_image **image, vl_error *error) {
    vl_media_limits limits = vl_media_limits_default();
    vl_document *document = NULL;
    vl_buf content;
    vl_buf_init(&content, FILE_BYTES_MOST);
    vl_status status = vl_file_read(path, FILE_BYTES_MOST, &content, error);
    if (!status)
        status = vl_document_open(content.data, content.len, &limits, &document, error);
    if (!status)
        status = vl_document_page(document, 0, image, error);
    vl_document_free(document);
    vl_buf_deinit(&content);
    return status;
}

static const cJSON *captions_of(const fitting *f, size_t picture, const char *language) {
    const cJSON *all =
        cJSON_GetObjectItemCaseSensitive(f->lines[picture % f->count], "captions");
    return cJSON_GetObjectItemCaseSensitive(all, language);
}

static vl_status add(fitting *f, const pair_sight *sight, const cJSON *caption,
                     const char *language, row made, vl_error *error) {
    bool known;
    vl_status status = pairs_sight_cosine(sight, cJSON_GetStringValue(caption),
                                          vl_lang_code(language), &made.cosine, &known, error);
    if (!status && known && f->row_count < ROWS_MOST)
        f->rows[f->row_count++] = made;
    return status;
}

static vl_status take_picture(fitting *f, size_t picture, const char *language, float *vectors,
                              vl_error *error) {
    char path[4096];
    vl_image *image = NULL;
    pair_sight sight = {0};
    const cJSON *right = captions_of(f, picture, language), *caption;
    const cJSON *wrong = captions_of(f, picture + SHIFT, language);
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(f->lines[picture], "file_name");
    if (!right || !wrong || !cJSON_IsString(name))
        return VL_OK;
    snprintf(path, sizeof path, "%s/%s", f->folder, name->valuestring);
    vl_status status = read_picture(path, &image, error);
    if (!status)
        status = pairs_sight_of(f->seer, f->session, image, vectors, &sight, error);
    vl_image_free(image);
    f->unseen += !status && !sight.vector;
    cJSON_ArrayForEach(caption, right) if (!status) status =
        add(f, &sight, caption, language, (row){0, true, picture % 2 == 0}, error);
    cJSON_ArrayForEach(caption, wrong) if (!status) status =
        add(f, &sight, caption, language, (row){0, false, picture % 2 == 0}, error);
    return status;
}

static int by_cosine(const void *a, const void *b) {
    const row *x = a, *y = b;
    return (x->cosine > y->cosine) - (x->cosine < y->cosine);
}

/* The chance that a right caption is nearer than a wrong one, of the rows that were not fitted.
 */
static double auc(row *rows, size_t count) {
    double ranks = 0, right = 0, rank = 0;
    qsort(rows, count, sizeof *rows, by_cosine);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].fitted)
            continue;
        rank++;
        ranks += rows[i].right ? rank : 0;
        right += rows[i].right;
    }
    return (ranks - right * (right + 1) / 2) / (right * (rank - right));
}

static vl_status report(fitting *f, const char *language, vl_error *error) {
    static const double prior[2] = {0, 0}, precision[2] = {1e-4, 1e-4};
    double *cosines = calloc(f->row_count + 1, sizeof *cosines), w[2], ece = 0;
    double *targets = calloc(f->row_count + 1, sizeof *targets);
    float *confidence = calloc(f->row_count + 1, sizeof *confidence);
    bool *right = calloc(f->row_count + 1, sizeof *right);
    size_t fitted = 0, other = 0;
    vl_status status = cosines && targets && confidence && right
                           ? VL_OK
                           : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < f->row_count && !status; i++)
        if (f->rows[i].fitted) {
            cosines[fitted] = f->rows[i].cosine;
            targets[fitted++] = f->rows[i].right;
        }
    logistic_data data = {cosines, targets, NULL, fitted, 1};
    if (!status)
        status = logistic_fit(&data, prior, precision, w, error);
    for (size_t i = 0; i < f->row_count && !status; i++)
        if (!f->rows[i].fitted) {
            confidence[other] = (float)logistic_of(w, &f->rows[i].cosine, 1);
            right[other++] = f->rows[i].right;
        }
    if (!status)
        status = vl_score_calibration(confidence, right, other, &ece, error);
    if (!status)
        printf("{\"%s\", \"%s\", %.2f, %.2f}, /* AUC %.3f, calibration error %.3f, %zu texts, "
               "%zu pictures that are no everyday ones to seer */\n",
               vl_lang_code(language), language, w[0], w[1], auc(f->rows, f->row_count), ece,
               other, f->unseen);
    free(cosines);
    free(targets);
    free(confidence);
    free(right);
    return status;
}

static vl_status fit_language(fitting *f, const char *language, vl_error *error) {
    float *vectors = calloc(2 * vl_seer_vector_size(f->seer), sizeof *vectors);
    vl_status status = vectors ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    f->row_count = f->unseen = 0;
    for (size_t i = 0; i < f->count && !status; i++)
        status = take_picture(f, i, language, vectors, error);
    free(vectors);
    return status || !f->row_count ? status : report(f, language, error);
}

int main(int argc, char **argv) {
    static const char *const languages[] = {"ar", "cs", "de", "en", "fr", "hi"};
    static fitting f;
    vl_error error = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: fit_sight FOLDER\n");
        return 2;
    }
    f.folder = argv[1];
    f.rows = calloc(ROWS_MOST, sizeof *f.rows);
    vl_status status = vl_seer_open(NULL, &f.seer, &error);
    if (!status)
        f.session = vl_seer_session_new(f.seer);
    if (!status)
        status = read_lines(&f, &error);
    for (size_t i = 0; i < 6 && !status && f.session && f.rows; i++)
        status = fit_language(&f, languages[i], &error);
    if (status)
        fprintf(stderr, "fit_sight: %s\n", error.message);
    for (size_t i = 0; i < f.count; i++)
        cJSON_Delete(f.lines[i]);
    vl_seer_session_free(f.session);
    vl_seer_free(f.seer);
    free(f.rows);
    return status ? 1 : 0;
}
