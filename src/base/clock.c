/* clock.c — time for measuring (monotonic) and time for people (RFC 3339, UTC). */
#include <vislang/base.h>

#include <stdio.h>
#include <time.h>

int64_t vl_clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

double vl_clock_ms_since(int64_t start_ns) {
    return (double)(vl_clock_ns() - start_ns) / 1e6;
}

void vl_time_rfc3339(char out[VL_RFC3339_SIZE]) {
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t used = strftime(out, VL_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + used, VL_RFC3339_SIZE - used, ".%03dZ", (int)(now.tv_nsec / 1000000));
}
