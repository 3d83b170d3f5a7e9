/* ranks.c — what several processes that train together say to each other, over MPI (ranks.h).
 *
 * MPI's own sums may be taken in any order. Here a sum is made of an exchange: every process
 * receives one slice of the array from all others, adds it up in the order of the ranks, and
 * hands the result to all. That moves as many bytes as the best of MPI's own algorithms does
 * (Thakur, Rabenseifner and Gropp 2005, section 4.4), and its order is known. */
#include "train/ranks.h"

/* The C++ bindings are not used; their header would not pass our warnings. */
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE = 1 << 18 }; /* numbers that one process adds up at a time: 1 MB */

struct ranks {
    size_t index, count;
    MPI_Comm group; /* of count > 1 */
    vl_real *parts, *slice;
};

static void finish(void) {
    int ended = 0;
    MPI_Finalized(&ended);
    if (!ended)
        MPI_Finalize();
}

static vl_status fail_mpi(int code, vl_error *error) {
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(code, text, &length);
    return vl_fail(error, VL_ERR_IO, "training over several processes: %s", text);
}

#define TRY_MPI(call)                                                                          \
    do {                                                                                       \
        int code_ = (call);                                                                    \
        if (code_ != MPI_SUCCESS)                                                              \
            return fail_mpi(code_, error);                                                     \
    } while (0)

static vl_status start_mpi(vl_error *error) {
    int running = 0, provided = 0;
    MPI_Initialized(&running);
    if (running)
        return VL_OK;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS ||
        provided < MPI_THREAD_FUNNELED)
        return vl_fail(error, VL_ERR_MISSING,
                       "started by mpirun, but MPI does not come up here; is this Open MPI the "
                       "one the program was built with?");
    atexit(finish);
    return VL_OK;
}

static vl_status join(ranks *r, vl_error *error) {
    vl_status status = start_mpi(error);
    if (status)
        return status;
    int index = 0, count = 0;
    TRY_MPI(MPI_Comm_dup(MPI_COMM_WORLD, &r->group));
    MPI_Comm_set_errhandler(r->group, MPI_ERRORS_RETURN);
    TRY_MPI(MPI_Comm_rank(r->group, &index));
    TRY_MPI(MPI_Comm_size(r->group, &count));
    if (count > RANKS_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "%d processes; at most %d train together", count,
                       RANKS_MAX);
    r->index = (size_t)index;
    r->count = (size_t)count;
    r->parts = malloc((size_t)count * SLICE * sizeof *r->parts);
    r->slice = malloc(SLICE * sizeof *r->slice);
    if (!r->parts || !r->slice)
        return vl_fail(error, VL_ERR_MEMORY, "no memory to train over several processes");
    return VL_OK;
}

vl_status ranks_open(ranks **out, vl_error *error) {
    *out = NULL;
    ranks *r = calloc(1, sizeof *r);
    if (!r)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for training");
    r->count = 1;
    r->group = MPI_COMM_NULL;
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");
    vl_status status = size && atoi(size) > 1 ? join(r, error) : VL_OK;
    if (status)
        ranks_free(r);
    else
        *out = r;
    return status;
}

void ranks_free(ranks *r) {
    if (!r)
        return;
    if (r->group != MPI_COMM_NULL)
        MPI_Comm_free(&r->group);
    free(r->parts);
    free(r->slice);
    free(r);
}

size_t ranks_index(const ranks *r) {
    return r->index;
}

size_t ranks_count(const ranks *r) {
    return r->count;
}

/* ---- agreeing ----------------------------------------------------------------------- */

vl_status ranks_agree(const ranks *r, vl_status mine, vl_error *error) {
    if (r->count == 1)
        return mine;
    int first = mine ? (int)r->index : INT_MAX, lowest = INT_MAX;
    TRY_MPI(MPI_Allreduce(&first, &lowest, 1, MPI_INT, MPI_MIN, r->group));
    if (lowest == INT_MAX)
        return VL_OK;
    struct {
        int status;
        char message[sizeof error->message];
    } said = {0};
    if ((int)r->index == lowest) {
        said.status = (int)mine;
        if (error)
            memcpy(said.message, error->message, sizeof said.message);
    }
    TRY_MPI(MPI_Bcast(&said, (int)sizeof said, MPI_BYTE, lowest, r->group));
    if ((int)r->index == lowest)
        return mine;
    return vl_fail(error, (vl_status)said.status, "process %d: %s", lowest, said.message);
}

vl_status ranks_any(const ranks *r, bool mine, bool *any, vl_error *error) {
    *any = mine;
    if (r->count == 1)
        return VL_OK;
    int one = mine, all = 0;
    TRY_MPI(MPI_Allreduce(&one, &all, 1, MPI_INT, MPI_MAX, r->group));
    *any = all != 0;
    return VL_OK;
}

vl_status ranks_same(const ranks *r, const char *what, const char *text, vl_error *error) {
    if (r->count == 1)
        return VL_OK;
    char mine[VL_SHA256_HEX_SIZE], first[VL_SHA256_HEX_SIZE];
    vl_sha256_hex(text, strlen(text), mine);
    memcpy(first, mine, sizeof first);
    vl_status status = ranks_share(r, first, sizeof first, error);
    if (status)
        return status;
    if (memcmp(mine, first, sizeof mine) != 0)
        status = vl_fail(error, VL_ERR_USAGE,
                         "%s is not the same as in process 0; all that train together need the "
                         "same",
                         what);
    return ranks_agree(r, status, error);
}

/* ---- moving numbers ----------------------------------------------------------------- */

vl_status ranks_share(const ranks *r, void *bytes, size_t count, vl_error *error) {
    for (size_t at = 0; r->count > 1 && at < count; at += INT_MAX / 2) {
        size_t n = count - at < INT_MAX / 2 ? count - at : INT_MAX / 2;
        TRY_MPI(MPI_Bcast((char *)bytes + at, (int)n, MPI_BYTE, 0, r->group));
    }
    return VL_OK;
}

vl_status ranks_sum(const ranks *r, double *x, size_t count, vl_error *error) {
    if (r->count == 1)
        return VL_OK;
    char *all = NULL;
    size_t starts[RANKS_MAX + 1];
    vl_status status = ranks_gather(r, x, count * sizeof *x, &all, starts, error);
    if (status)
        return status;
    memset(x, 0, count * sizeof *x);
    for (size_t k = 0; k < r->count; k++) {
        const double *theirs = (const double *)(const void *)(all + starts[k]);
        for (size_t i = 0; i < count; i++)
            x[i] += theirs[i];
    }
    free(all);
    return VL_OK;
}

/* Sums x[0 … total): every process adds up `n` of them, the last ones perhaps fewer. */
static vl_status sum_window(const ranks *r, vl_real *x, size_t n, size_t total,
                            vl_error *error) {
    int counts[RANKS_MAX] = {0}, starts[RANKS_MAX], own[RANKS_MAX], from[RANKS_MAX];
    for (size_t k = 0; k < r->count; k++) {
        size_t start = k * n < total ? k * n : total;
        size_t end = (k + 1) * n < total ? (k + 1) * n : total;
        starts[k] = (int)(start * sizeof *x);
        counts[k] = (int)((end - start) * sizeof *x);
    }
    size_t mine = (size_t)counts[r->index] / sizeof *x;
    for (size_t k = 0; k < r->count; k++) {
        own[k] = counts[r->index];
        from[k] = (int)(k * mine * sizeof *x);
    }
    TRY_MPI(
        MPI_Alltoallv(x, counts, starts, MPI_BYTE, r->parts, own, from, MPI_BYTE, r->group));
    memcpy(r->slice, r->parts, mine * sizeof *x);
    for (size_t k = 1; k < r->count; k++)
        vl_kernels_get()->add(r->slice, r->parts + k * mine, mine);
    TRY_MPI(MPI_Allgatherv(r->slice, counts[r->index], MPI_BYTE, x, counts, starts, MPI_BYTE,
                           r->group));
    return VL_OK;
}

vl_status ranks_sum_reals(const ranks *r, vl_real *x, size_t count, vl_error *error) {
    vl_status status = VL_OK;
    /* Byte counts of a window are ints. */
    size_t most = (size_t)INT_MAX / sizeof *x / r->count, n = most < SLICE ? most : SLICE;
    for (size_t at = 0; r->count > 1 && at < count && !status; at += n * r->count) {
        size_t left = count - at, window = n * r->count;
        if (left < window) /* the rest, spread over all */
            status = sum_window(r, x + at, (left + r->count - 1) / r->count, left, error);
        else
            status = sum_window(r, x + at, n, window, error);
    }
    return status;
}

vl_status ranks_gather(const ranks *r, const void *mine, size_t bytes, char **all,
                       size_t *starts, vl_error *error) {
    *all = NULL;
    unsigned long long sizes[RANKS_MAX] = {bytes}, size = bytes;
    if (r->count > 1)
        TRY_MPI(MPI_Allgather(&size, 1, MPI_UNSIGNED_LONG_LONG, sizes, 1,
                              MPI_UNSIGNED_LONG_LONG, r->group));
    starts[0] = 0;
    for (size_t k = 0; k < r->count; k++)
        starts[k + 1] = starts[k] + (size_t)sizes[k];
    if (r->count > 1 && starts[r->count] > INT_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "a step's vectors fill more than 2 GB");
    *all = malloc(starts[r->count] + 1);
    vl_status status = VL_OK;
    if (!*all)
        status =
            vl_fail(error, VL_ERR_MEMORY, "no memory to gather %zu bytes", starts[r->count]);
    status = ranks_agree(r, status, error);
    if (status) {
        free(*all);
        *all = NULL;
        return status;
    }
    if (r->count == 1) {
        memcpy(*all, mine, bytes);
        return VL_OK;
    }
    int counts[RANKS_MAX], places[RANKS_MAX];
    for (size_t k = 0; k < r->count; k++) {
        counts[k] = (int)sizes[k];
        places[k] = (int)starts[k];
    }
    int code =
        MPI_Allgatherv(mine, (int)bytes, MPI_BYTE, *all, counts, places, MPI_BYTE, r->group);
    if (code == MPI_SUCCESS)
        return VL_OK;
    free(*all);
    *all = NULL;
    return fail_mpi(code, error);
}
