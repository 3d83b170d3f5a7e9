/* turn.h — whose turn it is at a host: one request at a time, a pause behind each, and silence
 * for as long as the host asked for it.
 *
 * Thread-safety: all functions, from any thread. */
#ifndef VL_HARVEST_TURN_H
#define VL_HARVEST_TURN_H

#include "harvest/polite.h"

enum {
    VL_TURN_HOST_SIZE = 256, /* a name of the DNS has at most 253 characters */
    VL_TURN_HOSTS = 4096,    /* remembered; more push out those that wait for nothing */
};

typedef struct vl_turns vl_turns;
/* Of the options it keeps longest_wait, cancel and clock. */
vl_status vl_turns_new(const vl_polite_options *options, vl_turns **turns, vl_error *error);
void vl_turns_free(vl_turns *turns); /* NULL allowed */

/* Returns when nobody asks `host`, `pause` seconds have passed since the last request ended
 * (or as many as that one wanted, if more), and what it asked for is over. VL_ERR_BUSY at once:
 * that is over longest_wait away; VL_ERR_CANCELLED; VL_ERR_LIMIT: too many hosts at once. */
vl_status vl_turn_take(vl_turns *turns, const char *host, double pause, vl_error *error);
/* The request is over; the host wants to be left alone for `silence` seconds more, or 0. */
void vl_turn_give(vl_turns *turns, const char *host, double pause, double silence);

int64_t vl_turns_now(const vl_turns *turns); /* nanoseconds, by the clock of the options */
double vl_turns_waited(vl_turns *turns);     /* seconds, of all threads together */
vl_status vl_turns_check(const vl_turns *turns, vl_error *error); /* VL_ERR_CANCELLED */

#endif
