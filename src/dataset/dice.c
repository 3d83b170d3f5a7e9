/* dice.c — see dice.h. */
#include "dataset/dice.h"

#include <vislang/base.h>

uint64_t dice_bits(dice *d) {
    return vl_random_next(&d->state);
}

dice dice_of(uint64_t seed, uint64_t item) {
    dice d = {seed * UINT64_C(0xD1342543DE82EF95) + item};
    d.state = dice_bits(&d);
    return d;
}

double dice_unit(dice *d) {
    return vl_random_uniform(&d->state);
}

double dice_normal(dice *d) {
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += dice_unit(d);
    return sum;
}

double dice_between(dice *d, double least, double most) {
    return least + (most - least) * dice_unit(d);
}

int dice_below(dice *d, int count) {
    return (int)(dice_unit(d) * count);
}

size_t dice_index(dice *d, size_t count) {
    return (size_t)(dice_unit(d) * (double)count);
}

bool dice_chance(dice *d, double probability) {
    return dice_unit(d) < probability;
}

size_t dice_weighted(dice *d, const double *weights, size_t count) {
    double sum = 0;
    size_t last = 0;
    for (size_t i = 0; i < count; i++)
        sum += weights[i];
    double at = dice_unit(d) * sum;
    for (size_t i = 0; i < count; i++) {
        if (weights[i] <= 0)
            continue;
        last = i;
        at -= weights[i];
        if (at < 0)
            break;
    }
    return last;
}

uint64_t dice_hash(const char *name) {
    dice d = {UINT64_C(0xCBF29CE484222325)};
    for (; *name; name++)
        d.state = (d.state ^ (unsigned char)*name) * UINT64_C(0x100000001B3);
    return dice_bits(&d);
}
