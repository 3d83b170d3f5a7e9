/* scores.c — scores of labels (F1, calibration) and of retrieval (recall at k) on plain arrays.
 *
 * Retrieval never sorts: the place of the best right item is one more than the number of wrong
 * items that are at least as similar, which is one pass over the matrix. */
#include <vislang/text.h>

#include <math.h>
#include <stdlib.h>

/* ---- labels ------------------------------------------------------------------------------ */

static double share(uint64_t part, uint64_t whole) {
    return whole ? (double)part / (double)whole : 0;
}

vl_status vl_score_classes(const uint64_t *confusion, size_t classes, vl_class_score *scores,
                           double *macro_f1, vl_error *error) {
    double sum = 0;
    size_t counted = 0;
    for (size_t c = 0; c < classes; c++) {
        uint64_t right = confusion[c * classes + c], there = 0, predicted = 0;
        for (size_t i = 0; i < classes; i++) {
            there += confusion[c * classes + i];
            predicted += confusion[i * classes + c];
        }
        vl_class_score score = {.precision = share(right, predicted),
                                .recall = share(right, there),
                                .f1 = share(2 * right, there + predicted),
                                .support = there};
        if (scores)
            scores[c] = score;
        sum += score.f1;
        counted += there || predicted;
    }
    if (!counted)
        return vl_fail(error, VL_ERR_INPUT, "no labels to score");
    *macro_f1 = sum / (double)counted;
    return VL_OK;
}

vl_status vl_score_calibration(const float *confidence, const bool *right, size_t n,
                               double *ece, vl_error *error) {
    enum { BINS = 15 };
    double gap[BINS] = {0}; /* sum of (right - confidence) in the bin */
    for (size_t i = 0; i < n; i++) {
        float p = confidence[i];
        if (!(p >= 0 && p <= 1))
            return vl_fail(error, VL_ERR_INPUT, "confidence %zu is %g, not within 0 and 1", i,
                           (double)p);
        int bin = (int)ceil((double)p * BINS) - 1;
        gap[bin < 0 ? 0 : bin] += (double)right[i] - (double)p;
    }
    if (!n)
        return vl_fail(error, VL_ERR_INPUT, "no predictions to score");
    double sum = 0;
    for (size_t b = 0; b < BINS; b++)
        sum += fabs(gap[b]);
    *ece = sum / (double)n;
    return VL_OK;
}

/* ---- retrieval --------------------------------------------------------------------------- */

static vl_status check_retrieval(const float *similarity, size_t texts, size_t images,
                                 const size_t *owner, vl_error *error) {
    if (!texts || !images)
        return vl_fail(error, VL_ERR_INPUT, "no texts or no images to score");
    for (size_t t = 0; t < texts; t++) {
        if (owner[t] >= images)
            return vl_fail(error, VL_ERR_INPUT, "text %zu belongs to image %zu of %zu", t,
                           owner[t], images);
        for (size_t i = 0; i < images; i++)
            if (isnan(similarity[t * images + i]))
                return vl_fail(error, VL_ERR_INPUT,
                               "similarity of text %zu and image %zu is not a number", t, i);
    }
    return VL_OK;
}

/* `ahead`: how many wrong items stand before the first right one. */
static void count_hits(size_t ahead, const size_t *k, size_t k_count, double *hits) {
    for (size_t j = 0; j < k_count; j++)
        hits[j] += ahead < k[j];
}

static void hits_to_recall(size_t queries, size_t k_count, double *hits) {
    for (size_t j = 0; j < k_count; j++)
        hits[j] /= (double)queries;
}

vl_status vl_score_text_to_image(const float *similarity, size_t texts, size_t images,
                                 const size_t *owner, const size_t *k, size_t k_count,
                                 double *recall, vl_error *error) {
    vl_status status = check_retrieval(similarity, texts, images, owner, error);
    if (status)
        return status;
    for (size_t j = 0; j < k_count; j++)
        recall[j] = 0;
    for (size_t t = 0; t < texts; t++) {
        const float *row = similarity + t * images;
        size_t ahead = 0;
        for (size_t i = 0; i < images; i++)
            ahead += i != owner[t] && row[i] >= row[owner[t]];
        count_hits(ahead, k, k_count, recall);
    }
    hits_to_recall(texts, k_count, recall);
    return VL_OK;
}

vl_status vl_score_image_to_text(const float *similarity, size_t texts, size_t images,
                                 const size_t *owner, const size_t *k, size_t k_count,
                                 double *recall, vl_error *error) {
    vl_status status = check_retrieval(similarity, texts, images, owner, error);
    if (status)
        return status;
    float *best = calloc(images, sizeof *best); /* of an image's own texts */
    bool *asked = calloc(images, sizeof *asked);
    size_t *ahead = calloc(images, sizeof *ahead);
    if (!best || !asked || !ahead) {
        status = vl_fail(error, VL_ERR_MEMORY, "out of memory");
        goto out;
    }
    for (size_t t = 0; t < texts; t++) {
        size_t i = owner[t];
        float s = similarity[t * images + i];
        if (!asked[i] || s > best[i])
            best[i] = s;
        asked[i] = true;
    }
    for (size_t t = 0; t < texts; t++)
        for (size_t i = 0; i < images; i++)
            ahead[i] += owner[t] != i && similarity[t * images + i] >= best[i];
    for (size_t j = 0; j < k_count; j++)
        recall[j] = 0;
    size_t queries = 0;
    for (size_t i = 0; i < images; i++) {
        if (!asked[i])
            continue;
        queries++;
        count_hits(ahead[i], k, k_count, recall);
    }
    hits_to_recall(queries, k_count, recall);
out:
    free(best);
    free(asked);
    free(ahead);
    return status;
}
