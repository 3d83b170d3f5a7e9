/* dice.h — seeded draws: the same numbers for the same seed and item, whatever the order or the
 * thread that items are made in (splitmix64, base.h). Two draws never stand in one expression
 * or one list of arguments: their order would be the compiler's. */
#ifndef VL_DATASET_DICE_H
#define VL_DATASET_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dice {
    uint64_t state;
} dice;
/* The stream of one item of one seed. */
dice dice_of(uint64_t seed, uint64_t item);
uint64_t dice_bits(dice *d);
double dice_unit(dice *d);   /* [0, 1) */
double dice_normal(dice *d); /* mean 0, variance 1: the sum of twelve uniforms */
double dice_between(dice *d, double least, double most);
int dice_below(dice *d, int count); /* 0 … count - 1; count > 0 */
size_t dice_index(dice *d, size_t count);
bool dice_chance(dice *d, double probability);
/* An index of `weights` [count], drawn by weight; the last that has one when rounding slips. */
size_t dice_weighted(dice *d, const double *weights, size_t count);
/* A hash of a name, the same on every machine: FNV-1a, then mixed. */
uint64_t dice_hash(const char *name);

#endif
