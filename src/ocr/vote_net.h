/* vote_net.h — the parts of the vote: which clusters of which voices stand in one place, what
 * each place makes of them, and the search with a language model. */
#ifndef VL_OCR_VOTE_NET_H
#define VL_OCR_VOTE_NET_H

#include "ocr/vote.h"

/* Rows of clusters side by side. Voices are in the order given to vote_align. */
typedef struct vote_net {
    size_t voice_count, slot_count, capacity;
    int32_t *at; /* [slot_count, voice_count]: index of the voice's cluster, -1: none */
} vote_net;

/* Every cluster of every voice stands in exactly one slot, in its order. Free it whatever the
 * status is. */
vl_status vote_align(const vl_vote_voice *const *voices, size_t count, vote_net *net,
                     vl_error *error);
void vote_net_free(vote_net *net);

/* Chooses the winner of each slot along the whole line: Viterbi with a beam over the
 * candidates' pooled posteriors and the language model, then each candidate's posterior given
 * the winners around it. Only slots with a close call have more than one way to go. */
vl_status vote_search(vl_arena *arena, vl_vote_result *result, vl_error *error);

#endif
