/* random.c — randomness from the kernel, and numbers that repeat.
 *
 * vl_random_bytes can't fail for a reason a caller could act on: a kernel without a random
 * source is a broken machine, and the process stops. */
#include <vislang/base.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void vl_random_bytes(void *out, size_t bytes) {
    unsigned char *at = out;
    while (bytes) {
        ssize_t got = getrandom(at, bytes, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            fputs("vislang: the kernel gives no random bytes\n", stderr);
            abort();
        }
        at += got;
        bytes -= (size_t)got;
    }
}

uint64_t vl_random_next(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

double vl_random_uniform(uint64_t *state) {
    return (double)(vl_random_next(state) >> 11) * 0x1p-53;
}

size_t vl_random_below(uint64_t *state, size_t limit) {
    return limit ? (size_t)(vl_random_uniform(state) * (double)limit) : 0;
}
