/* signals.c — signals for one thread that waits for them.
 *
 * Libraries start threads as they are loaded, before main can block a signal (OpenBLAS does);
 * one that reached such a thread would end the process. There it is passed on. */
#include "cli/cli.h"

#include <errno.h>
#include <pthread.h>

static pthread_t waiter;

static void pass_on(int number) {
    int saved = errno;
    if (!pthread_equal(pthread_self(), waiter))
        pthread_kill(waiter, number);
    errno = saved;
}

void cli_hold_signals(sigset_t *held) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    waiter = pthread_self();
    sigemptyset(held);
    for (size_t i = 0; i < COUNT; i++)
        sigaddset(held, numbers[i]);
    pthread_sigmask(SIG_BLOCK, held, NULL);
    action.sa_mask = *held;
    for (size_t i = 0; i < COUNT; i++)
        sigaction(numbers[i], &action, NULL);
}
