/* stop.c — whether anybody still wants what a thread works on. */
#include <vislang/base.h>

static _Thread_local vl_stop_fn asked;
static _Thread_local void *asked_of;

void vl_stop_watch(vl_stop_fn ask, void *user) {
    asked = ask;
    asked_of = user;
}

bool vl_stop_asked(void) {
    return asked && asked(asked_of);
}

vl_status vl_stop_check(vl_error *error) {
    return vl_stop_asked() ? vl_fail(error, VL_ERR_CANCELLED, "the work was stopped") : VL_OK;
}
