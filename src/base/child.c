/* child.c — a program run on untrusted bytes where it can do no harm.
 *
 * The input is a sealed memory file, so there is nothing to feed while output is read. The
 * child gets a process group of its own, rlimits, and a seccomp filter that takes away sockets,
 * new processes, writing to files, and starting another program: the one program is started
 * with execveat on descriptor EXEC_FD, which lies above the child's RLIMIT_NOFILE, so that no
 * later call can stand on that number again, and execve itself is refused.
 *
 * Between fork and exec only async-signal-safe calls are made: everything is prepared before.
 */
#include <vislang/base.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif

enum { EXEC_FD = 1000, INPUT_FD = 3, MAX_FILES = 64, STDERR_KEPT = 4096 };

vl_child_options vl_child_options_default(void) {
    return (vl_child_options){
        .max_output = 256u << 20,
        .max_memory = 900u << 20,
        .max_seconds = 20,
    };
}

/* ---- the filter
 * ------------------------------------------------------------------------------ */

static struct sock_fprog filter; /* empty: seccomp can't be had here */
static pthread_once_t filter_once = PTHREAD_ONCE_INIT;

static const int refused_calls[] = {
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(execve),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(kill),
    SCMP_SYS(tkill),
    SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(creat),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(rmdir),
    SCMP_SYS(link),
    SCMP_SYS(linkat),
    SCMP_SYS(symlink),
    SCMP_SYS(symlinkat),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(truncate),
    SCMP_SYS(ftruncate),
    SCMP_SYS(chmod),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(chown),
    SCMP_SYS(fchown),
    SCMP_SYS(lchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(setxattr),
    SCMP_SYS(lsetxattr),
    SCMP_SYS(fsetxattr),
    SCMP_SYS(utimensat),
    SCMP_SYS(shmget),
    SCMP_SYS(shmat),
    SCMP_SYS(msgget),
    SCMP_SYS(semget),
    SCMP_SYS(mq_open),
    SCMP_SYS(memfd_create),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setpriority),
    SCMP_SYS(open_by_handle_at),
};

/* Calls newer than the filter's model of arguments: programs fall back to older ones. */
static const int unknown_calls[] = {SCMP_SYS(clone3), SCMP_SYS(openat2)};

static int refuse_writing(scmp_filter_ctx ctx) {
    static const unsigned long write_flags[] = {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC};
    int failed = 0;
    for (size_t i = 0; i < sizeof write_flags / sizeof *write_flags; i++) {
        unsigned long flag = write_flags[i];
        failed |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(open), 1,
                                   SCMP_A1(SCMP_CMP_MASKED_EQ, flag, flag));
        failed |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(openat), 1,
                                   SCMP_A2(SCMP_CMP_MASKED_EQ, flag, flag));
    }
    return failed;
}

static int add_rules(scmp_filter_ctx ctx) {
    enum { CLONE_THREAD_FLAG = 0x00010000 };
    int failed = 0;
    for (size_t i = 0; i < sizeof refused_calls / sizeof *refused_calls; i++)
        failed |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), refused_calls[i], 0);
    for (size_t i = 0; i < sizeof unknown_calls / sizeof *unknown_calls; i++)
        failed |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), unknown_calls[i], 0);
    /* Threads, yes; processes, no. */
    failed |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                               SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD_FLAG, 0));
    failed |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(execveat), 1,
                               SCMP_A0(SCMP_CMP_NE, EXEC_FD));
    return failed | refuse_writing(ctx);
}

/* libseccomp writes the program to a descriptor; it is kept for the life of the process. */
static void filter_make(void) {
    static struct sock_filter program[4096];
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    int fd = memfd_create("filter", MFD_CLOEXEC);
    ssize_t bytes = 0;
    if (ctx && fd >= 0 && !add_rules(ctx) && !seccomp_export_bpf(ctx, fd))
        bytes = pread(fd, program, sizeof program, 0);
    if (bytes > 0 && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0)
        filter = (struct sock_fprog){.len = (unsigned short)((size_t)bytes / sizeof *program),
                                     .filter = program};
    else
        vl_log(VL_LOG_WARN, "no seccomp here: decoding children have resource limits only",
               VL_F_STR("reason", strerror(errno)));
    if (fd >= 0)
        close(fd);
    seccomp_release(ctx);
}

/* ---- preparing
 * ------------------------------------------------------------------------------- */

typedef struct launch {
    int program, input, output[2], complaints[2];
    pid_t pid;
} launch;

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int find_program(const char *name) {
    if (strchr(name, '/'))
        return open(name, O_PATH | O_CLOEXEC);
    const char *path = getenv("PATH");
    for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
        size_t length = strcspn(at, ":");
        char full[PATH_MAX];
        int used = snprintf(full, sizeof full, "%.*s/%s", (int)length, at, name);
        if (length && used > 0 && (size_t)used < sizeof full && !access(full, X_OK))
            return open(full, O_PATH | O_CLOEXEC);
        at += length + (at[length] == ':');
    }
    errno = ENOENT;
    return -1;
}

static vl_status make_input(const vl_child_options *options, int *input, vl_error *error) {
    *input = memfd_create("input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    const char *at = options->input;
    size_t left = options->input_bytes;
    while (*input >= 0 && left) {
        ssize_t written = write(*input, at, left);
        if (written < 0 && errno != EINTR)
            break;
        if (written > 0) {
            at += written;
            left -= (size_t)written;
        }
    }
    if (*input < 0 || left || lseek(*input, 0, SEEK_SET))
        return vl_fail(error, VL_ERR_IO, "no room for the input of %s: %s", options->argv[0],
                       strerror(errno));
    fcntl(*input, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    return VL_OK;
}

static vl_status prepare(const vl_child_options *options, launch *l, vl_error *error) {
    *l = (launch){-1, -1, {-1, -1}, {-1, -1}, -1};
    l->program = find_program(options->argv[0]);
    if (l->program < 0)
        return vl_fail(error, VL_ERR_MISSING, "the program %s is not installed (%s)",
                       options->argv[0], strerror(errno));
    vl_status status = make_input(options, &l->input, error);
    if (!status && (pipe2(l->output, O_CLOEXEC) || pipe2(l->complaints, O_CLOEXEC)))
        status =
            vl_fail(error, VL_ERR_IO, "no pipe for %s: %s", options->argv[0], strerror(errno));
    return status;
}

/* ---- in the child: async-signal-safe calls only
 * ----------------------------------------------- */

static void limit(int resource, rlim_t value) {
    struct rlimit both = {value, value};
    setrlimit((__rlimit_resource_t)resource, &both);
}

static void limit_self(const vl_child_options *options) {
    rlim_t seconds = (rlim_t)options->max_seconds + 1;
#ifndef UNDER_ASAN /* its shadow alone is larger than any limit */
    limit(RLIMIT_AS, options->max_memory);
#endif
    limit(RLIMIT_CPU, seconds);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, MAX_FILES);
}

static void become(const vl_child_options *options, const launch *l) {
    static char *const environment[] = {"PATH=/usr/bin:/bin",          "LANG=C.UTF-8",
                                        "HOME=/nonexistent",           "OMP_NUM_THREADS=1",
                                        "ASAN_OPTIONS=detect_leaks=0", NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* Move what will be replaced out of the way of the numbers it is moved to. */
    int program = fcntl(l->program, F_DUPFD_CLOEXEC, 100),
        input = fcntl(l->input, F_DUPFD, 100);
    int output = fcntl(l->output[1], F_DUPFD, 100),
        said = fcntl(l->complaints[1], F_DUPFD, 100);
    if (program < 0 || input < 0 || output < 0 || said < 0 ||
        dup3(program, EXEC_FD, O_CLOEXEC) < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 ||
        dup2(said, 2) < 0)
        _exit(126);
    unsigned first_closed = 3;
    if (options->input_as_file) {
        if (dup2(input, INPUT_FD) < 0)
            _exit(126);
        first_closed = INPUT_FD + 1;
    }
    syscall(SYS_close_range, first_closed, EXEC_FD - 1, 0);
    syscall(SYS_close_range, EXEC_FD + 1, ~0u, 0);
    limit_self(options);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (filter.len && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter))
        _exit(126);
    syscall(SYS_execveat, EXEC_FD, "", options->argv, environment, AT_EMPTY_PATH);
    _exit(127);
}

/* ---- in the parent
 * ----------------------------------------------------------------------------- */

typedef struct watch {
    vl_buf *out;
    size_t max_output;
    char said[STDERR_KEPT]; /* the end of its standard error */
    size_t said_length;
    bool too_much, too_long;
} watch;

static void keep_end(watch *w, const char *bytes, size_t count) {
    if (count > sizeof w->said) {
        bytes += count - sizeof w->said;
        count = sizeof w->said;
    }
    if (w->said_length + count > sizeof w->said) {
        size_t drop = w->said_length + count - sizeof w->said;
        memmove(w->said, w->said + drop, w->said_length - drop);
        w->said_length -= drop;
    }
    memcpy(w->said + w->said_length, bytes, count);
    w->said_length += count;
}

/* Takes what is there; closes at the end. */
static void drain_pipe(int *fd, watch *w, bool is_output) {
    char chunk[65536];
    ssize_t count = read(*fd, chunk, sizeof chunk);
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (count <= 0) {
        close_fd(fd);
    } else if (!is_output) {
        keep_end(w, chunk, (size_t)count);
    } else if ((size_t)count > w->max_output - w->out->len) {
        w->too_much = true;
    } else {
        vl_buf_append(w->out, chunk, (size_t)count);
        w->too_much = w->out->failed;
    }
}

static int milliseconds_left(int64_t deadline_ns) {
    int64_t left = (deadline_ns - vl_clock_ns()) / 1000000;
    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left + 1;
}

/* Until the child is gone and its pipes are empty, or it broke a limit. */
static void watch_child(launch *l, watch *w, int64_t deadline_ns) {
    int process = (int)syscall(SYS_pidfd_open, l->pid, 0);
    bool gone = false;
    while (!w->too_much && !w->too_long) {
        bool open_pipes = l->output[0] >= 0 || l->complaints[0] >= 0;
        if (gone || (!open_pipes && process < 0))
            break;
        struct pollfd fds[] = {{l->output[0], POLLIN, 0},
                               {l->complaints[0], POLLIN, 0},
                               {open_pipes ? -1 : process, POLLIN, 0}};
        int ready = poll(fds, 3, milliseconds_left(deadline_ns));
        if (ready < 0 && errno != EINTR)
            break;
        if (fds[0].revents)
            drain_pipe(&l->output[0], w, true);
        if (fds[1].revents)
            drain_pipe(&l->complaints[0], w, false);
        gone = fds[2].revents != 0;
        w->too_long = !gone && vl_clock_ns() >= deadline_ns;
    }
    if (!gone && (w->too_much || w->too_long))
        kill(-l->pid, SIGKILL);
    close_fd(&process);
}

static const char *last_line(watch *w) {
    while (w->said_length && strchr("\r\n ", w->said[w->said_length - 1]))
        w->said_length--;
    size_t start = w->said_length;
    while (start && w->said[start - 1] != '\n')
        start--;
    size_t length = w->said_length - start;
    if (length >= sizeof w->said)
        length = sizeof w->said - 1;
    memmove(w->said, w->said + start, length);
    w->said[length] = '\0';
    return *w->said ? w->said : "it said nothing";
}

static vl_status judge(const vl_child_options *options, watch *w, int state, int *exit_code,
                       vl_error *error) {
    const char *name = options->argv[0];
    if (w->too_much)
        return vl_fail(error, VL_ERR_LIMIT, "%s gave more than %zu bytes", name,
                       options->max_output);
    if (w->too_long || (WIFSIGNALED(state) && WTERMSIG(state) == SIGXCPU))
        return vl_fail(error, VL_ERR_TIMEOUT, "%s took longer than %g s", name,
                       options->max_seconds);
    if (WIFSIGNALED(state))
        return vl_fail(error, VL_ERR_INPUT, "%s broke off (%s): %s", name,
                       strsignal(WTERMSIG(state)), last_line(w));
    int code = WEXITSTATUS(state);
    if (code == 126 || code == 127)
        return vl_fail(error, VL_ERR_MISSING, "%s could not be started", name);
    if (exit_code)
        *exit_code = code;
    else if (code)
        return vl_fail(error, VL_ERR_INPUT, "%s: %s", name, last_line(w));
    return VL_OK;
}

vl_status vl_child_run(const vl_child_options *options, vl_buf *out, int *exit_code,
                       vl_error *error) {
    launch l;
    watch *w = calloc(1, sizeof *w);
    if (!w)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    w->out = out;
    w->max_output = out->len + options->max_output;
    pthread_once(&filter_once, filter_make);
    vl_status status = prepare(options, &l, error);
    if (status)
        goto out;
    int64_t deadline_ns = vl_clock_ns() + (int64_t)(options->max_seconds * 1e9);
    l.pid = fork();
    if (l.pid == 0)
        become(options, &l);
    if (l.pid < 0) {
        status = vl_fail(error, VL_ERR_BUSY, "no process for %s: %s", options->argv[0],
                         strerror(errno));
        goto out;
    }
    setpgid(l.pid, l.pid); /* whichever of the two comes first */
    close_fd(&l.output[1]);
    close_fd(&l.complaints[1]);
    watch_child(&l, w, deadline_ns);
    int state = 0;
    while (waitpid(l.pid, &state, 0) < 0 && errno == EINTR)
        ;
    status = judge(options, w, state, exit_code, error);
out:
    close_fd(&l.program);
    close_fd(&l.input);
    for (int i = 0; i < 2; i++) {
        close_fd(&l.output[i]);
        close_fd(&l.complaints[i]);
    }
    free(w);
    return status;
}
