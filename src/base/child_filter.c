/* child_filter.c — the allow-list of system calls for the sandboxed child.
 *
 * Everything not named here fails with EPERM (ENOSYS where glibc has an older call to fall back
 * to): sockets, new processes, signals to others, tracing, mounts, keys, bpf, renames,
 * removals, anything that writes to a file. Threads are allowed, processes are not. Files open
 * for reading only. The list was found by running poppler's programs and our decoder under
 * strace.
 *
 * One execve must pass, the child's own start. A filter has no memory, so it compares pointers:
 * the start uses three static addresses of this program, which no other program's execve has
 * unless its code was already taken over and maps memory at that very place. What it would
 * start then runs under the same filter and limits.
 *
 * The filter is compiled before any fork (libseccomp allocates) and only installed in the
 * child. */
#include <vislang/base.h>
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Calls that are harmless whatever their arguments. */
static const int plain_calls[] = {
    /* bytes in and out of what is open */
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(write),
    SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(close_range), SCMP_SYS(lseek), SCMP_SYS(dup),
    SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(poll),
    SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(epoll_create1),
    SCMP_SYS(eventfd2), SCMP_SYS(fadvise64),
    /* looking at files */
    SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
    SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
    SCMP_SYS(getcwd),
    /* memory */
    SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mprotect), SCMP_SYS(mremap),
    SCMP_SYS(madvise), SCMP_SYS(mincore), SCMP_SYS(membarrier),
    /* own signals and threads */
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigsuspend), SCMP_SYS(rt_sigpending), SCMP_SYS(sigaltstack), SCMP_SYS(pause),
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address), SCMP_SYS(arch_prctl), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
    SCMP_SYS(exit_group), SCMP_SYS(wait4), SCMP_SYS(waitid),
    /* who and when */
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getpgrp), SCMP_SYS(getpgid),
    SCMP_SYS(getsid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
    SCMP_SYS(getresuid), SCMP_SYS(getresgid), SCMP_SYS(getgroups), SCMP_SYS(getrandom),
    SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getcpu), SCMP_SYS(getrusage),
    SCMP_SYS(getrlimit), SCMP_SYS(times), SCMP_SYS(time), SCMP_SYS(gettimeofday),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep), SCMP_SYS(getitimer), SCMP_SYS(setitimer), SCMP_SYS(alarm)};

/* Not the owner and signal commands, by which a pipe can be made to signal other processes. */
static const int fcntl_commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD,
                                     F_GETFL, F_SETFL,         F_GETLK};
static const unsigned ioctl_requests[] = {TCGETS, TIOCGWINSZ, FIONREAD, FIOCLEX, FIONCLEX};

/* A call this architecture does not have cannot be made, and needs no rule. */
static bool added(int result) {
    return result == 0 || result == -EDOM || result == -EINVAL;
}

/* libseccomp's own macros for these leave a field out, which clang warns of. */
static struct scmp_arg_cmp equal(unsigned argument, scmp_datum_t value) {
    return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value};
}

static struct scmp_arg_cmp equal_under(unsigned argument, scmp_datum_t mask,
                                       scmp_datum_t value) {
    return (struct scmp_arg_cmp){
        .arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

static bool plain_rules(scmp_filter_ctx filter) {
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof plain_calls / sizeof plain_calls[0]; i++)
        ok = added(seccomp_rule_add(filter, SCMP_ACT_ALLOW, plain_calls[i], 0));
    return ok;
}

/* Files for reading: no flag that writes, creates, truncates or makes a nameless file. */
static bool open_rules(scmp_filter_ctx filter) {
    const scmp_datum_t writes =
        O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
    return added(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
                                  equal_under(1, writes, O_RDONLY))) &&
           added(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                                  equal_under(2, writes, O_RDONLY)));
}

static bool argument_rules(scmp_filter_ctx filter) {
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof fcntl_commands / sizeof fcntl_commands[0]; i++)
        ok = added(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                                    equal(1, (scmp_datum_t)fcntl_commands[i])));
    for (size_t i = 0; ok && i < sizeof ioctl_requests / sizeof ioctl_requests[0]; i++)
        ok = added(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                                    equal(1, ioctl_requests[i])));
    /* A thread of this process; clone3 hides its flags, and glibc then uses clone. */
    ok = ok && added(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                      equal_under(0, CLONE_THREAD, CLONE_THREAD)));
    ok = ok && added(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
    ok = ok && added(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0));
    /* Reading one's own limits, never changing any. */
    return ok && added(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
                                        equal(0, 0), equal(2, 0)));
}

static bool start_rule(scmp_filter_ctx filter, const void *path, const void *argv,
                       const void *env) {
    return added(seccomp_rule_add(
        filter, SCMP_ACT_ALLOW, SCMP_SYS(execve), 3, equal(0, (scmp_datum_t)(uintptr_t)path),
        equal(1, (scmp_datum_t)(uintptr_t)argv), equal(2, (scmp_datum_t)(uintptr_t)env)));
}

/* libseccomp writes its program to a file descriptor; this reads it back into memory. */
static struct sock_fprog *filter_export(scmp_filter_ctx filter) {
    struct sock_fprog *program = NULL;
    int fd = memfd_create("vislang-filter", MFD_CLOEXEC);
    if (fd < 0 || seccomp_export_bpf(filter, fd) != 0)
        goto out;
    off_t bytes = lseek(fd, 0, SEEK_END);
    if (bytes <= 0 || (size_t)bytes % sizeof(struct sock_filter))
        goto out;
    program = malloc(sizeof *program + (size_t)bytes);
    if (!program)
        goto out;
    program->filter = (struct sock_filter *)(program + 1);
    program->len = (unsigned short)((size_t)bytes / sizeof(struct sock_filter));
    if (pread(fd, program->filter, (size_t)bytes, 0) != bytes) {
        free(program);
        program = NULL;
    }
out:
    if (fd >= 0)
        close(fd);
    return program;
}

static struct sock_fprog *filter_build(const void *path, const void *argv, const void *env) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter)
        return NULL;
    struct sock_fprog *program = NULL;
    if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
        plain_rules(filter) && open_rules(filter) && argument_rules(filter) &&
        start_rule(filter, path, argv, env))
        program = filter_export(filter);
    seccomp_release(filter);
    return program;
}

const struct sock_fprog *vl_child_filter(const void *path, const void *argv, const void *env) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct sock_fprog *program;
    static bool tried;
    pthread_mutex_lock(&lock);
    if (!tried)
        program = filter_build(path, argv, env);
    tried = true;
    pthread_mutex_unlock(&lock);
    return program;
}
