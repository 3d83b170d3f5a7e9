/* ranks.h — the processes that train one network together (MPI 3.1), each on its share of a
 * step.
 *
 * Whether there are several is decided by how the program was started: mpirun sets
 * OMPI_COMM_WORLD_SIZE. Without it nothing of MPI is called and every function here works on
 * this process alone.
 *
 * All functions but `ranks_index` and `ranks_count` are collective: every process calls them in
 * the same order. Sums are taken in the order of the ranks, so they are the same bits on every
 * process and from run to run. A process that fails says so in ranks_agree, and all stop with
 * its message; one that dies is noticed by mpirun, which ends the others.
 *
 * Thread-safety: one thread, the one that called ranks_open. */
#ifndef TRAIN_RANKS_H
#define TRAIN_RANKS_H

#include <vislang/kernel.h>

typedef struct ranks ranks;
/* VL_ERR_MISSING: started by mpirun, and MPI does not come up. */
vl_status ranks_open(ranks **ranks, vl_error *error);
void ranks_free(ranks *ranks); /* MPI itself ends with the process */
size_t ranks_index(const ranks *ranks);
size_t ranks_count(const ranks *ranks); /* 1: alone */

/* VL_OK when every process brings VL_OK; else the status and message of the first that does
 * not, on all of them. */
vl_status ranks_agree(const ranks *ranks, vl_status mine, vl_error *error);
/* Whether any process says true. */
vl_status ranks_any(const ranks *ranks, bool mine, bool *any, vl_error *error);
/* VL_ERR_USAGE naming `what` when the processes bring different texts. */
vl_status ranks_same(const ranks *ranks, const char *what, const char *text, vl_error *error);
/* What the first process has goes to all. */
vl_status ranks_share(const ranks *ranks, void *bytes, size_t count, vl_error *error);
/* x[i] becomes the sum over all processes. */
vl_status ranks_sum(const ranks *ranks, double *x, size_t count, vl_error *error);
/* The same for a large array, a piece at a time. */
vl_status ranks_sum_reals(const ranks *ranks, vl_real *x, size_t count, vl_error *error);
/* Everybody's bytes, one after the other by rank, in memory that the caller frees; rank r's
 * begin at starts[r], and starts[ranks_count] is the end. `starts` has room for that. */
vl_status ranks_gather(const ranks *ranks, const void *mine, size_t bytes, char **all,
                       size_t *starts, vl_error *error);

enum { RANKS_MAX = 256 };

#endif
