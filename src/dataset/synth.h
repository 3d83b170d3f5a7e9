/* synth.h — what the writer of shards needs to know of the lines. */
#ifndef VL_DATASET_SYNTH_H
#define VL_DATASET_SYNTH_H

#include "dataset/alphabet.h"

const alphabet *vl_synth_alphabet(const vl_synth *synth);

#endif
