/* logistic.c — see logistic.h. */
#include "dataset/logistic.h"

#include <math.h>
#include <string.h>

enum { STEPS = 60, HALVINGS = 30 };

double logistic_sigmoid(double x) {
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

double logistic_logit(double p) {
    p = fmin(1 - 1e-9, fmax(1e-9, p));
    return log(p / (1 - p));
}

static double linear(const double *coefficients, const double *features, size_t size) {
    double sum = coefficients[size];
    for (size_t i = 0; i < size; i++)
        sum += coefficients[i] * features[i];
    return sum;
}

double logistic_of(const double *coefficients, const double *features, size_t size) {
    return logistic_sigmoid(linear(coefficients, features, size));
}

/* -(t ln p + (1 - t) ln(1 - p)) without overflow: ln(1 + e^x) - t x. */
static double row_loss(double x, double target) {
    return (x > 0 ? x + log1p(exp(-x)) : log1p(exp(x))) - target * x;
}

static double weight_of(const logistic_data *data, size_t row) {
    return data->weights ? data->weights[row] : 1;
}

static double sum_loss(const logistic_data *data, const double *w, double *total) {
    double sum = 0;
    *total = 0;
    for (size_t r = 0; r < data->count; r++) {
        double x = linear(w, data->features + r * data->size, data->size);
        sum += weight_of(data, r) * row_loss(x, data->targets[r]);
        *total += weight_of(data, r);
    }
    return sum;
}

double logistic_loss(const logistic_data *data, const double *coefficients) {
    double total, sum = sum_loss(data, coefficients, &total);
    return total > 0 ? sum / total : 0;
}

/* ---- Newton's method -----------------------------------------------------------------------
 */

typedef struct newton {
    const logistic_data *data;
    const double *prior, *precision;
    size_t size; /* with the offset */
    double gradient[LOGISTIC_MOST], hessian[LOGISTIC_MOST][LOGISTIC_MOST];
} newton;

static double objective(const newton *n, const double *w) {
    double total, sum = sum_loss(n->data, w, &total);
    for (size_t i = 0; i < n->size; i++)
        sum += 0.5 * n->precision[i] * (w[i] - n->prior[i]) * (w[i] - n->prior[i]);
    return sum;
}

static void add_row(newton *n, size_t row, const double *w) {
    const double *x = n->data->features + row * n->data->size;
    double p = logistic_of(w, x, n->data->size), weight = weight_of(n->data, row);
    double slope = weight * (p - n->data->targets[row]), bend = weight * p * (1 - p);
    for (size_t i = 0; i < n->size; i++) {
        double xi = i + 1 < n->size ? x[i] : 1;
        n->gradient[i] += slope * xi;
        for (size_t k = 0; k <= i; k++)
            n->hessian[i][k] += bend * xi * (k + 1 < n->size ? x[k] : 1);
    }
}

static void differentiate(newton *n, const double *w) {
    memset(n->gradient, 0, sizeof n->gradient);
    memset(n->hessian, 0, sizeof n->hessian);
    for (size_t r = 0; r < n->data->count; r++)
        add_row(n, r, w);
    for (size_t i = 0; i < n->size; i++) {
        n->gradient[i] += n->precision[i] * (w[i] - n->prior[i]);
        n->hessian[i][i] += n->precision[i];
    }
}

/* hessian · step = gradient, by Cholesky's decomposition in its lower half. */
static void solve(newton *n, double *step) {
    for (size_t i = 0; i < n->size; i++)
        for (size_t k = 0; k <= i; k++) {
            double sum = n->hessian[i][k];
            for (size_t m = 0; m < k; m++)
                sum -= n->hessian[i][m] * n->hessian[k][m];
            n->hessian[i][k] = i == k ? sqrt(fmax(sum, 1e-300)) : sum / n->hessian[k][k];
        }
    for (size_t i = 0; i < n->size; i++) {
        double sum = n->gradient[i];
        for (size_t m = 0; m < i; m++)
            sum -= n->hessian[i][m] * step[m];
        step[i] = sum / n->hessian[i][i];
    }
    for (size_t i = n->size; i-- > 0;) {
        double sum = step[i];
        for (size_t m = i + 1; m < n->size; m++)
            sum -= n->hessian[m][i] * step[m];
        step[i] = sum / n->hessian[i][i];
    }
}

/* False: there is nothing to gain any more. */
static bool improve(newton *n, double *w) {
    double step[LOGISTIC_MOST] = {0}, next[LOGISTIC_MOST], before = objective(n, w);
    differentiate(n, w);
    solve(n, step);
    double share = 1;
    for (int i = 0; i < HALVINGS; i++, share /= 2) {
        for (size_t k = 0; k < n->size; k++)
            next[k] = w[k] - share * step[k];
        double after = objective(n, next);
        if (after < before) {
            memcpy(w, next, n->size * sizeof *w);
            return before - after > 1e-10 * (1 + fabs(before));
        }
    }
    return false;
}

static bool is_sound(const logistic_data *data, const double *prior, const double *precision) {
    for (size_t i = 0; i <= data->size; i++)
        if (!isfinite(prior[i]) || !(precision[i] > 0) || !isfinite(precision[i]))
            return false;
    for (size_t r = 0; r < data->count; r++)
        if (!(data->targets[r] >= 0 && data->targets[r] <= 1) || !(weight_of(data, r) >= 0) ||
            !isfinite(weight_of(data, r)))
            return false;
    for (size_t i = 0; i < data->count * data->size; i++)
        if (!isfinite(data->features[i]))
            return false;
    return true;
}

vl_status logistic_fit(const logistic_data *data, const double *prior, const double *precision,
                       double *out, vl_error *error) {
    newton n = {.data = data, .prior = prior, .precision = precision, .size = data->size + 1};
    if (n.size > LOGISTIC_MOST)
        return vl_fail(error, VL_ERR_USAGE, "%zu features, and at most %d can be fitted",
                       data->size, LOGISTIC_MOST - 1);
    if (!is_sound(data, prior, precision))
        return vl_fail(error, VL_ERR_USAGE, "a row or a prior is not finite or out of range");
    memcpy(out, prior, n.size * sizeof *out);
    for (int i = 0; i < STEPS && improve(&n, out); i++)
        ;
    return VL_OK;
}
