/* optimizer.c — the learning rate over time and the length of a gradient; the AdamW step itself
 * is a kernel. */
#include <vislang/nn.h>

#include <math.h>

double vl_schedule_rate(const vl_schedule *schedule, uint64_t step) {
    if (step < schedule->warmup)
        return schedule->rate * (double)(step + 1) / (double)schedule->warmup;
    if (step >= schedule->steps)
        return schedule->final_rate;
    double share =
        (double)(step - schedule->warmup) / (double)(schedule->steps - schedule->warmup);
    return schedule->final_rate +
           (schedule->rate - schedule->final_rate) * 0.5 * (1 + cos(3.141592653589793 * share));
}

double vl_gradient_norm(const vl_real *gradient, size_t count) {
    double sum = 0;
    enum { CHUNK = 4096 };
    for (size_t at = 0; at < count; at += CHUNK) {
        size_t n = count - at < CHUNK ? count - at : CHUNK;
        sum += (double)vl_kernels_get()->dot(gradient + at, gradient + at, n);
    }
    return sqrt(sum);
}
