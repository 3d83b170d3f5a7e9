/* order.h — in which order a source's samples are taken: shuffled anew for every pass.
 *
 * Thread-safety: order_at may be called from many threads. */
#ifndef TRAIN_ORDER_H
#define TRAIN_ORDER_H

#include "train/samples.h"

typedef struct order order;
/* `balance` names a set of labels, or is "": then a pass takes every sample once. With a set, a
 * pass is as long, and a label that n samples have gets a share of it in proportion to √n, so
 * that rare ones come more often than they are (Mikolov et al. 2013 draw words so; between 1/n,
 * which repeats the rarest too often, and 1). Samples without the set are one more label.
 * `set` outlives the order. VL_ERR_INPUT: no sample has a label of that set. */
vl_status order_new(const samples *set, const char *balance, order **order, vl_error *error);
void order_free(order *order);
/* Index of the sample at `place` of its pass; `seed` is the same for the places of a pass and
 * another one in every pass. */
size_t order_at(order *order, uint64_t pass, uint64_t seed, size_t place);

#endif
