/* child.c — runs a program on untrusted bytes where it can do no harm.
 *
 * The parent prepares everything that allocates (path, environment, seccomp program, memory
 * file), forks, and the child makes only async-signal-safe calls until execve, since other
 * threads of the parent may have held any lock at the fork. The child reports what went wrong
 * before its execve over a pipe that closes by itself when execve succeeds.
 *
 * Input is a sealed memory file, opened read-only: as standard input and, if asked for, once
 * more as descriptor 3. So there is nothing to feed while reading output, no SIGPIPE, and the
 * program may seek.
 *
 * What confines the child, in the order in which it is set: own process group; death with the
 * parent's thread; no descriptor but 0–3; no capability but to read; rlimits; no new
 * privileges; the seccomp allow-list of child_filter.c. Where seccomp is refused (some
 * containers) the rest holds, and one warning is logged. The group is always killed and the
 * child always reaped. */
#include <vislang/base.h>
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum {
    MAX_ARGUMENTS = 256,
    MAX_ENVIRONMENT = 16,
    READ_CHUNK = 64 * 1024,
    STDERR_TAIL = 4096,
    INPUT_FILE_FD = 3,
    REPORT_FD = 4,
    FIRST_FREE_FD = 10, /* where descriptors wait while 0 … 4 are laid out */
    MAX_OPEN_FILES = 128
};

/* What the child says before execve. */
typedef enum report_step { STEP_NO_SECCOMP = 1, STEP_SETUP, STEP_EXEC } report_step;
typedef struct report {
    int step, cause;
} report;

/* The arguments of the one execve that the filter lets pass. Written only in the child, where
 * every process has its own copy, so their addresses can be the same for all. */
static struct {
    char path[PATH_MAX];
    char *argv[MAX_ARGUMENTS + 1];
    char *env[MAX_ENVIRONMENT + 1];
} start;

typedef struct run {
    const vl_child_options *options;
    char path[PATH_MAX];
    char *env[MAX_ENVIRONMENT + 1];
    const struct sock_fprog *filter;
    bool limit_memory;
    int input, input_file;              /* read-only, or -1 */
    int out[2], err[2], report_pipe[2]; /* [0] ours, [1] the child's; -1 when closed */
    pid_t child;
    int pid_fd;
    bool exited, lost; /* lost: reaped by the kernel, its exit is unknown */
    siginfo_t exit;
    size_t received;
    char tail[STDERR_TAIL + 1];
    size_t tail_bytes;
    report said;
} run;

vl_child_options vl_child_options_default(void) {
    return (vl_child_options){
        .max_output = (size_t)256 << 20, .max_memory = (size_t)900 << 20, .max_seconds = 20};
}

/* ---- before the fork ------------------------------------------------------------- */

static bool is_program(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

static vl_status program_find(const char *name, char out[PATH_MAX], vl_error *error) {
    if (strchr(name, '/')) {
        snprintf(out, PATH_MAX, "%s", name);
        if (is_program(out))
            return VL_OK;
        return vl_fail(error, VL_ERR_MISSING, "the program %s is not there", name);
    }
    const char *at = getenv("PATH");
    if (!at || !*at)
        at = "/usr/local/bin:/usr/bin:/bin";
    while (*at) {
        size_t length = strcspn(at, ":");
        int used = snprintf(out, PATH_MAX, "%.*s/%s", (int)length, at, name);
        if (length && used < PATH_MAX && is_program(out))
            return VL_OK;
        at += length + (at[length] == ':');
    }
    return vl_fail(error, VL_ERR_MISSING, "the program '%s' is not installed", name);
}

/* ASan reserves terabytes of address space: our own programs, sanitized like us, are held to
 * their resident memory by the sanitizer instead. */
static bool is_sanitized(const char *path) {
    const char *slash = strrchr(path, '/');
    return SANITIZED && strncmp(slash ? slash + 1 : path, "vislang-", 8) == 0;
}

static bool env_add(char **env, size_t *count, const char *name, const char *value) {
    if (asprintf(&env[*count], "%s=%s", name, value) < 0) {
        env[*count] = NULL;
        return false;
    }
    (*count)++;
    return true;
}

static bool env_make(run *r) {
    static const char *const kept[] = {"PATH",
                                       "HOME",
                                       "XDG_CACHE_HOME",
                                       "XDG_DATA_DIRS",
                                       "FONTCONFIG_PATH",
                                       "FONTCONFIG_FILE",
                                       "VISLANG_DATA",
                                       "VISLANG_CPU"};
    size_t count = 0;
    bool ok = env_add(r->env, &count, "LANG", "C.UTF-8") &&
              env_add(r->env, &count, "OMP_NUM_THREADS", "1");
    for (size_t i = 0; ok && i < sizeof kept / sizeof kept[0]; i++) {
        const char *value = getenv(kept[i]);
        if (value)
            ok = env_add(r->env, &count, kept[i], value);
    }
    r->limit_memory = !is_sanitized(r->path);
    if (ok && !r->limit_memory) {
        char options[96];
        snprintf(options, sizeof options,
                 "detect_leaks=0:disable_coredump=0:hard_rss_limit_mb=%zu",
                 r->options->max_memory >> 20);
        ok = env_add(r->env, &count, "ASAN_OPTIONS", options);
    }
    return ok;
}

static bool fill(int fd, const void *data, size_t bytes) {
    const char *at = data;
    while (bytes) {
        ssize_t put = write(fd, at, bytes);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        at += put;
        bytes -= (size_t)put;
    }
    return true;
}

static int reopen_read_only(int fd) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static vl_status input_make(run *r, vl_error *error) {
    const vl_child_options *options = r->options;
    if (!options->input_bytes && !options->input_as_file) {
        r->input = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return r->input >= 0
                   ? VL_OK
                   : vl_fail(error, VL_ERR_IO, "cannot open /dev/null: %s", strerror(errno));
    }
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    int fd = memfd_create("vislang-input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bool ok = fd >= 0 && fill(fd, options->input, options->input_bytes) &&
              fcntl(fd, F_ADD_SEALS, seals) == 0;
    if (ok) {
        r->input = reopen_read_only(fd);
        ok = r->input >= 0;
    }
    if (ok && options->input_as_file) {
        r->input_file = reopen_read_only(fd);
        ok = r->input_file >= 0;
    }
    vl_status status = ok ? VL_OK
                          : vl_fail(error, VL_ERR_IO, "cannot make a file in memory for %s: %s",
                                    options->argv[0], strerror(errno));
    if (fd >= 0)
        close(fd);
    return status;
}

static vl_status prepare(run *r, vl_error *error) {
    size_t arguments = 0;
    while (r->options->argv[arguments])
        arguments++;
    if (arguments == 0 || arguments > MAX_ARGUMENTS)
        return vl_fail(error, VL_ERR_USAGE, "a child takes 1 to %d arguments, not %zu",
                       MAX_ARGUMENTS, arguments);
    vl_status status = program_find(r->options->argv[0], r->path, error);
    if (status != VL_OK)
        return status;
    if (!env_make(r))
        return vl_fail(error, VL_ERR_MEMORY, "no memory to start %s", r->options->argv[0]);
    r->filter = vl_child_filter(start.path, start.argv, start.env);
    status = input_make(r, error);
    if (status != VL_OK)
        return status;
    if (pipe2(r->out, O_CLOEXEC) != 0 || pipe2(r->err, O_CLOEXEC) != 0 ||
        pipe2(r->report_pipe, O_CLOEXEC) != 0 || fcntl(r->out[0], F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(r->err[0], F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(r->report_pipe[0], F_SETFL, O_NONBLOCK) != 0)
        return vl_fail(error, VL_ERR_IO, "cannot make pipes for %s: %s", r->options->argv[0],
                       strerror(errno));
    return VL_OK;
}

/* ---- in the child: async-signal-safe calls only ---------------------------------- */

static void tell(int fd, report_step step) {
    report said = {.step = (int)step, .cause = errno};
    ssize_t put = write(fd, &said, sizeof said);
    (void)put; /* with the parent gone there is nobody to tell */
}

static void signals_reset(void) {
    struct sigaction plain = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &plain, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_from(unsigned first) {
    if (syscall(SYS_close_range, first, ~0U, 0) == 0)
        return;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > 1 << 20)
        limit.rlim_cur = 1 << 20;
    for (unsigned fd = first; fd < limit.rlim_cur; fd++)
        close((int)fd);
}

/* Descriptors 0, 1, 2, perhaps 3, and the report on 4; nothing else. Each is first moved out of
 * the way, since the parent's own may lie anywhere. Returns the report's, or -1. */
static int descriptors_lay(const run *r) {
    int moved[5] = {r->input, r->out[1], r->err[1], r->input_file, r->report_pipe[1]};
    for (int i = 0; i < 5; i++)
        if (moved[i] >= 0 && (moved[i] = fcntl(moved[i], F_DUPFD, FIRST_FREE_FD)) < 0)
            return -1;
    for (int i = 0; i < 5; i++) {
        if (moved[i] < 0)
            close(i);
        else if (dup2(moved[i], i) < 0)
            return -1;
    }
    close_from(REPORT_FD + 1);
    return fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) == 0 ? REPORT_FD : -1;
}

/* Root's powers go, except to read: the program may lie in another user's home. For anyone else
 * this changes nothing. */
static void capabilities_drop(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}, {0}};
    if (syscall(SYS_capget, &header, data) != 0)
        return;
    const unsigned keep = 1U << CAP_DAC_READ_SEARCH;
    data[0].permitted &= keep;
    data[0].effective &= keep;
    data[0].inheritable = 0;
    data[1] = (struct __user_cap_data_struct){0};
    syscall(SYS_capset, &header, data);
}

/* Never above what the parent itself may use. */
static bool limit_set(int resource, rlim_t value) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0)
        return false;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < value)
        value = limit.rlim_max;
    limit.rlim_cur = limit.rlim_max = value;
    return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

static bool limits_set(const run *r) {
    rlim_t seconds = (rlim_t)r->options->max_seconds + 1;
    return limit_set(RLIMIT_CORE, 0) && limit_set(RLIMIT_FSIZE, 0) &&
           limit_set(RLIMIT_CPU, seconds) && limit_set(RLIMIT_NOFILE, MAX_OPEN_FILES) &&
           limit_set(RLIMIT_STACK, (rlim_t)8 << 20) &&
           (!r->limit_memory || limit_set(RLIMIT_AS, r->options->max_memory));
}

/* Fills `start`, whose addresses the filter knows. */
static void start_fill(const run *r) {
    memcpy(start.path, r->path, sizeof start.path);
    memcpy(start.env, r->env, sizeof start.env);
    size_t i = 0;
    for (; r->options->argv[i]; i++)
        start.argv[i] = (char *)(uintptr_t)r->options->argv[i];
    start.argv[i] = NULL;
}

_Noreturn static void child_main(const run *r, pid_t parent) {
    int fd = r->report_pipe[1];
    setpgid(0, 0);
    signals_reset();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(127);
    start_fill(r);
    if ((fd = descriptors_lay(r)) < 0)
        _exit(127);
    capabilities_drop();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !limits_set(r)) {
        tell(fd, STEP_SETUP);
        _exit(127);
    }
    if (!r->filter || (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, r->filter) != 0 &&
                       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, r->filter) != 0))
        tell(fd, STEP_NO_SECCOMP);
    execve(start.path, start.argv, start.env);
    tell(fd, STEP_EXEC);
    _exit(127);
}

/* ---- while it runs --------------------------------------------------------------- */

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static vl_status launch(run *r, vl_error *error) {
    pid_t parent = getpid();
    r->child = fork();
    if (r->child == 0)
        child_main(r, parent);
    if (r->child < 0)
        return vl_fail(error, VL_ERR_IO, "cannot start %s: %s", r->options->argv[0],
                       strerror(errno));
    setpgid(r->child, r->child); /* both sides: whoever comes first */
    r->pid_fd = (int)syscall(SYS_pidfd_open, r->child, 0);
    close_fd(&r->out[1]);
    close_fd(&r->err[1]);
    close_fd(&r->report_pipe[1]);
    close_fd(&r->input);
    close_fd(&r->input_file);
    return VL_OK;
}

/* One read; closes `fd` at its end. Returns the bytes now in `chunk`. */
static size_t take(int *fd, char *chunk, size_t size) {
    if (*fd < 0)
        return 0;
    ssize_t got = read(*fd, chunk, size);
    if (got > 0)
        return (size_t)got;
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        close_fd(fd);
    return 0;
}

static void tail_append(run *r, const char *bytes, size_t count) {
    if (count > STDERR_TAIL) {
        bytes += count - STDERR_TAIL;
        count = STDERR_TAIL;
    }
    size_t keep = STDERR_TAIL - count < r->tail_bytes ? STDERR_TAIL - count : r->tail_bytes;
    memmove(r->tail, r->tail + r->tail_bytes - keep, keep);
    memcpy(r->tail + keep, bytes, count);
    r->tail_bytes = keep + count;
}

/* Takes one chunk of each stream. `got` says whether there was anything. */
static vl_status streams_read(run *r, vl_buf *out, bool *got, vl_error *error) {
    char chunk[READ_CHUNK];
    size_t count = take(&r->err[0], chunk, sizeof chunk);
    tail_append(r, chunk, count);
    *got = count > 0;
    count = take(&r->out[0], chunk, sizeof chunk);
    *got = *got || count > 0;
    r->received += count;
    if (r->received > r->options->max_output)
        return vl_fail(error, VL_ERR_LIMIT, "%s writes more than %zu bytes",
                       r->options->argv[0], r->options->max_output);
    vl_buf_append(out, chunk, count);
    if (out->failed)
        return vl_fail(error, VL_ERR_LIMIT, "the output of %s does not fit into %zu bytes",
                       r->options->argv[0], out->max);
    report said;
    while (take(&r->report_pipe[0], (char *)&said, sizeof said) == sizeof said)
        r->said = r->said.step > said.step ? r->said : said;
    return VL_OK;
}

/* Notices the exit and leaves the zombie in place, so that its process group keeps its number.
 */
static void exit_notice(run *r) {
    siginfo_t info = {0};
    int result = waitid(P_PID, (id_t)r->child, &info, WEXITED | WNOHANG | WNOWAIT);
    r->lost = result != 0 && errno == ECHILD; /* the program ignores SIGCHLD */
    r->exited = r->lost || info.si_pid == r->child;
    r->exit = info;
}

static int poll_milliseconds(const run *r, double left_ms) {
    double most = r->pid_fd >= 0 ? 100 : 5; /* without a pidfd the exit must be looked for */
    return (int)ceil(left_ms < most ? left_ms : most);
}

static vl_status watch(run *r, vl_buf *out, vl_error *error) {
    int64_t began = vl_clock_ns();
    bool got = true;
    while (!r->exited || got) {
        vl_status status = streams_read(r, out, &got, error);
        if (status == VL_OK)
            status = vl_stop_check(error);
        if (status != VL_OK)
            return status;
        if (r->exited)
            continue;
        double left = r->options->max_seconds * 1e3 - vl_clock_ms_since(began);
        if (left <= 0)
            return vl_fail(error, VL_ERR_TIMEOUT, "%s took longer than %g seconds",
                           r->options->argv[0], r->options->max_seconds);
        struct pollfd fds[4] = {{.fd = r->out[0], .events = POLLIN},
                                {.fd = r->err[0], .events = POLLIN},
                                {.fd = r->report_pipe[0], .events = POLLIN},
                                {.fd = r->pid_fd, .events = POLLIN}};
        poll(fds, 4, got ? 0 : poll_milliseconds(r, left));
        exit_notice(r);
        got = got || r->exited; /* what it wrote just before */
    }
    return VL_OK;
}

static void stop(run *r) {
    if (r->child <= 0)
        return;
    kill(-r->child, SIGKILL);
    if (!r->exited)
        kill(r->child, SIGKILL); /* if it had not yet made its group */
    while (waitpid(r->child, NULL, 0) < 0 && errno == EINTR) {
    }
}

/* ---- afterwards ------------------------------------------------------------------ */

/* The last line that says anything, with control characters made spaces. */
static const char *last_line(run *r) {
    char *text = r->tail;
    size_t end = r->tail_bytes;
    for (size_t i = 0; i < end; i++)
        if ((unsigned char)text[i] < ' ' && text[i] != '\n')
            text[i] = ' ';
    while (end && (text[end - 1] == '\n' || text[end - 1] == ' '))
        end--;
    text[end] = '\0';
    char *line = strrchr(text, '\n');
    line = line ? line + 1 : text;
    line[vl_utf8_valid_prefix(line, strlen(line))] = '\0';
    return *line ? line : "no message";
}

static void warn_no_seccomp(const run *r) {
    static atomic_flag warned = ATOMIC_FLAG_INIT;
    if (r->said.step == STEP_NO_SECCOMP && !atomic_flag_test_and_set(&warned))
        vl_log(VL_LOG_WARN,
               "seccomp is not permitted here: decoders run with resource limits only",
               VL_F_STR("cause", strerror(r->said.cause)));
}

static vl_status verdict(run *r, int *exit_code, vl_error *error) {
    const char *name = r->options->argv[0];
    warn_no_seccomp(r);
    if (r->said.step == STEP_EXEC || r->said.step == STEP_SETUP) {
        vl_status status = r->said.cause == ENOENT ? VL_ERR_MISSING : VL_ERR_IO;
        return vl_fail(error, status, "cannot start %s: %s", name, strerror(r->said.cause));
    }
    if (r->lost)
        return vl_fail(error, VL_ERR_INTERNAL, "how %s ended is unknown: SIGCHLD is ignored",
                       name);
    bool signalled = r->exit.si_code != CLD_EXITED;
    int number = r->exit.si_status;
    if (signalled && number == SIGXCPU)
        return vl_fail(error, VL_ERR_TIMEOUT, "%s took longer than %g seconds of processor",
                       name, r->options->max_seconds);
    if (signalled)
        return vl_fail(error, VL_ERR_INPUT, "%s was stopped by signal %d (%s)", name, number,
                       strsignal(number));
    if (exit_code)
        *exit_code = number;
    else if (number != 0)
        return vl_fail(error, VL_ERR_INPUT, "%s: %s", name, last_line(r));
    return VL_OK;
}

static void run_deinit(run *r) {
    int *all[] = {&r->input,  &r->input_file, &r->out[0],         &r->out[1],        &r->err[0],
                  &r->err[1], &r->pid_fd,     &r->report_pipe[0], &r->report_pipe[1]};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        close_fd(all[i]);
    for (size_t i = 0; i < MAX_ENVIRONMENT; i++)
        free(r->env[i]);
}

vl_status vl_child_run(const vl_child_options *options, vl_buf *out, int *exit_code,
                       vl_error *error) {
    run r = {.options = options,
             .input = -1,
             .input_file = -1,
             .out = {-1, -1},
             .err = {-1, -1},
             .report_pipe = {-1, -1},
             .pid_fd = -1};
    vl_status status = prepare(&r, error);
    if (status == VL_OK)
        status = launch(&r, error);
    if (status == VL_OK)
        status = watch(&r, out, error);
    stop(&r);
    if (status == VL_OK)
        status = verdict(&r, exit_code, error);
    run_deinit(&r);
    return status;
}
