/* vote_calibrate.c — an engine's confidence as a probability of being right. */
#include "ocr/vote.h"

#include <math.h>

static const double least = 0.002; /* no engine is surer of a cluster than 1 - least */

static double clamp(double p, double low) {
    return fmin(1 - low, fmax(low, p));
}

static double logit(double p) {
    return log(p / (1 - p));
}

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

/* Confidences of exactly 0 and 1 must stay finite and far from the others. */
static double feature(double confidence) {
    return logit(clamp(confidence, 1e-4));
}

vl_vote_calibration vl_calibration_none(void) {
    return (vl_vote_calibration){.slope = 1};
}

double vl_calibration_apply(const vl_vote_calibration *calibration, double confidence,
                            double accuracy) {
    double odds = calibration->slope * feature(confidence) + calibration->offset;
    if (accuracy > 0 && calibration->base > 0)
        odds += logit(clamp(accuracy, least)) - logit(clamp(calibration->base, least));
    return clamp(sigmoid(odds), least);
}

/* ---- fitting ---------------------------------------------------------------------------- */

typedef struct sample {
    const float *confidence;
    const bool *right;
    size_t n;
    double target[2]; /* of wrong and of right ones: Platt's, which never ask for certainty */
} sample;

/* Log-loss, and its first and second derivatives. */
static double loss(const sample *s, const vl_vote_calibration *c, double g[2], double h[3]) {
    double sum = 0;
    g[0] = g[1] = h[0] = h[1] = h[2] = 0;
    for (size_t i = 0; i < s->n; i++) {
        double x = feature((double)s->confidence[i]), t = s->target[s->right[i]];
        double odds = c->slope * x + c->offset, p = sigmoid(odds);
        sum += (odds > 0 ? odds : 0) + log1p(exp(-fabs(odds))) - t * odds;
        double d = p - t, curve = p * (1 - p);
        g[0] += d * x;
        g[1] += d;
        h[0] += curve * x * x;
        h[1] += curve * x;
        h[2] += curve;
    }
    return sum;
}

/* One Newton step, halved until it helps; false when it no longer does. A slope below zero
 * would say that the surer is the worse, which small samples may seem to: it is held at 0. */
static bool step(const sample *s, vl_vote_calibration *c) {
    double g[2], h[3], unused[2], unused2[3];
    double now = loss(s, c, g, h);
    h[0] += 1e-9 + 1e-6 * h[0];
    h[2] += 1e-9 + 1e-6 * h[2];
    if (c->slope <= 0 && g[0] > 0)
        g[0] = h[1] = 0;
    double determinant = h[0] * h[2] - h[1] * h[1];
    double da = (h[2] * g[0] - h[1] * g[1]) / determinant;
    double db = (h[0] * g[1] - h[1] * g[0]) / determinant;
    for (double size = 1; size > 1e-6; size /= 2) {
        vl_vote_calibration next = *c;
        next.slope = fmax(0, c->slope - size * da);
        next.offset = c->offset - size * db;
        if (loss(s, &next, unused, unused2) < now - 1e-12 * (1 + now)) {
            *c = next;
            return true;
        }
    }
    return false;
}

vl_status vl_calibration_fit(const float *confidence, const bool *right, size_t n,
                             vl_vote_calibration *calibration, vl_error *error) {
    enum { MAX_STEPS = 100 };
    double count = 0;
    if (!n)
        return vl_fail(error, VL_ERR_INPUT, "nothing to calibrate on");
    for (size_t i = 0; i < n; i++) {
        if (!(confidence[i] >= 0 && confidence[i] <= 1))
            return vl_fail(error, VL_ERR_INPUT, "confidence %zu is %g, not within 0 and 1", i,
                           (double)confidence[i]);
        count += right[i];
    }
    double wrong = (double)n - count;
    sample s = {confidence, right, n, {1 / (wrong + 2), (count + 1) / (count + 2)}};
    *calibration = (vl_vote_calibration){.offset = log((count + 1) / (wrong + 1)),
                                         .base = count / (double)n};
    for (int i = 0; i < MAX_STEPS; i++)
        if (!step(&s, calibration))
            break;
    return VL_OK;
}
