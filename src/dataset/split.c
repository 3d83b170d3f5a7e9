/* split.c — see split.h. */
#include "dataset/split.h"

#include "dataset/dice.h"

const char *vl_split_name(vl_split split) {
    static const char *const names[VL_SPLIT_COUNT] = {"train", "validation", "test"};
    return names[split];
}

vl_split vl_split_of(uint64_t group, uint64_t seed, const double shares[VL_SPLIT_COUNT]) {
    double weights[VL_SPLIT_COUNT], sum = 0;
    for (size_t i = 0; i < VL_SPLIT_COUNT; i++)
        sum += weights[i] = shares[i] > 0 ? shares[i] : 0;
    dice d = dice_of(seed, group);
    return sum > 0 ? (vl_split)dice_weighted(&d, weights, VL_SPLIT_COUNT) : VL_SPLIT_TRAIN;
}
