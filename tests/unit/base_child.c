/* base_child.c — the sandbox, tried with real programs that want out of it.
 *
 * Each program tries one forbidden thing and says so on its standard output if it succeeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <vislang/base.h>

#define PYTHON "/usr/bin/python3"

/* A page that says "Habari", without a cross-reference table: poppler mends it. */
static const char small_pdf[] =
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R/Resources"
    "<</Font<</F 5 0 R>>>>>>endobj\n"
    "4 0 obj<</Length 38>>stream\nBT /F 24 Tf 20 40 Td (Habari) Tj ET    \nendstream endobj\n"
    "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
    "trailer<</Root 1 0 R>>\n%%EOF\n";

typedef struct result {
    vl_status status;
    vl_error error;
    vl_buf out;
    double milliseconds;
} result;

static result run_with(const vl_child_options *options, int *exit_code) {
    result r = {.status = VL_OK};
    int64_t start = vl_clock_ns();
    vl_buf_init(&r.out, (size_t)1 << 28);
    r.status = vl_child_run(options, &r.out, exit_code, &r.error);
    r.milliseconds = vl_clock_ms_since(start);
    return r;
}

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

static result run_argv(const char *const *argv, int *exit_code) {
    vl_child_options options = vl_child_options_default();
    options.argv = argv;
    return run_with(&options, exit_code);
}

static const char *text_of(const result *r) {
    return r->out.data ? r->out.data : "";
}

static bool missing(const char *program) {
    if (access(program, X_OK) == 0)
        return false;
    printf("SKIPPED: %s is not installed\n", program);
    return true;
}

static size_t open_files(void) {
    DIR *dir = opendir("/proc/self/fd");
    size_t count = 0;
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void test_large_input_and_output(void **state) {
    (void)state;
    size_t bytes = (size_t)32 << 20;
    char *data = malloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        data[i] = (char)(i * 2654435761u >> 16);
    vl_child_options options = vl_child_options_default();
    options.argv = ARGV("cat");
    options.input = data;
    options.input_bytes = bytes;
    result r = run_with(&options, NULL);
    assert_int_equal(r.status, VL_OK);
    assert_int_equal(r.out.len, bytes);
    assert_memory_equal(r.out.data, data, bytes);
    vl_buf_deinit(&r.out);
    free(data);
}

static void test_input_as_file(void **state) {
    (void)state;
    vl_child_options options = vl_child_options_default();
    /* Both descriptors stand at the start, each with its own place. */
    options.argv = ARGV("cat", "-", "/dev/fd/3", "/dev/fd/3");
    options.input = "once ";
    options.input_bytes = 5;
    options.input_as_file = true;
    result r = run_with(&options, NULL);
    assert_int_equal(r.status, VL_OK);
    assert_string_equal(text_of(&r), "once once once ");
    vl_buf_deinit(&r.out);
    if (missing(PYTHON))
        return;
    options.argv = ARGV(PYTHON, "-c",
                        "import os\n"
                        "for f in (lambda: os.write(3, b'x'), lambda: os.write(0, b'x'),\n"
                        "          lambda: open('/proc/self/fd/3', 'wb'),\n"
                        "          lambda: os.ftruncate(3, 0)):\n"
                        "  try: f(); print('changed')\n"
                        "  except OSError: pass\n"
                        "print(os.read(3, 9), os.lseek(3, 1, 0), os.read(3, 9))");
    r = run_with(&options, NULL);
    assert_int_equal(r.status, VL_OK);
    assert_string_equal(text_of(&r), "b'once ' 1 b'nce '\n");
    vl_buf_deinit(&r.out);
}

static void test_no_input(void **state) {
    (void)state;
    result r = run_argv(ARGV("cat"), NULL);
    assert_int_equal(r.status, VL_OK);
    assert_int_equal(r.out.len, 0);
    vl_buf_deinit(&r.out);
}

static void test_limits(void **state) {
    (void)state;
    vl_child_options options = vl_child_options_default();
    options.max_output = 100000;
    options.argv = ARGV("yes");
    result r = run_with(&options, NULL);
    assert_int_equal(r.status, VL_ERR_LIMIT);
    assert_true(r.out.len <= 100000);
    assert_true(r.milliseconds < 5000);
    vl_buf_deinit(&r.out);
    options.max_seconds = 0.3;
    options.argv = ARGV("sleep", "20");
    r = run_with(&options, NULL);
    assert_int_equal(r.status, VL_ERR_TIMEOUT);
    assert_true(r.milliseconds >= 300 && r.milliseconds < 5000);
    vl_buf_deinit(&r.out);
    /* Streams closed, still alive. */
    options.argv = ARGV("sh", "-c", "exec 1>&- 2>&-; while :; do :; done");
    r = run_with(&options, NULL);
    assert_int_equal(r.status, VL_ERR_TIMEOUT);
    vl_buf_deinit(&r.out);
    /* A caller's buffer that is smaller than max_output. */
    options = vl_child_options_default();
    options.argv = ARGV("yes");
    vl_buf small;
    vl_error error;
    vl_buf_init(&small, 1000);
    assert_int_equal(vl_child_run(&options, &small, NULL, &error), VL_ERR_LIMIT);
    vl_buf_deinit(&small);
}

static void test_memory_limit(void **state) {
    (void)state;
    if (missing(PYTHON))
        return;
    vl_child_options options = vl_child_options_default();
    options.max_memory = (size_t)200 << 20;
    options.argv = ARGV(PYTHON, "-c", "x = bytearray(400 << 20); print(len(x))");
    result r = run_with(&options, NULL);
    assert_int_equal(r.status, VL_ERR_INPUT);
    assert_non_null(strstr(r.error.message, "MemoryError"));
    assert_int_equal(r.out.len, 0);
    vl_buf_deinit(&r.out);
}

static void test_exit_codes(void **state) {
    (void)state;
    int code = -1;
    result r =
        run_argv(ARGV("sh", "-c", "echo out; echo one >&2; echo 'two bad' >&2; exit 3"), &code);
    assert_int_equal(r.status, VL_OK);
    assert_int_equal(code, 3);
    assert_string_equal(text_of(&r), "out\n");
    vl_buf_deinit(&r.out);
    r = run_argv(ARGV("sh", "-c", "echo one >&2; echo 'two bad' >&2; exit 3"), NULL);
    assert_int_equal(r.status, VL_ERR_INPUT);
    assert_string_equal(r.error.message, "sh: two bad");
    vl_buf_deinit(&r.out);
    r = run_argv(ARGV("false"), NULL);
    assert_string_equal(r.error.message, "false: no message");
    vl_buf_deinit(&r.out);
    r = run_argv(ARGV("no-such-program-here"), NULL);
    assert_int_equal(r.status, VL_ERR_MISSING);
    assert_non_null(strstr(r.error.message, "no-such-program-here"));
    vl_buf_deinit(&r.out);
    r = run_argv(ARGV("/no/such/program"), NULL);
    assert_int_equal(r.status, VL_ERR_MISSING);
    vl_buf_deinit(&r.out);
}

static void test_crash(void **state) {
    (void)state;
    if (missing(PYTHON))
        return;
    int code = -1;
    result r = run_argv(ARGV(PYTHON, "-c", "import ctypes; ctypes.string_at(8)"), &code);
    assert_int_equal(r.status, VL_ERR_INPUT);
    assert_non_null(strstr(r.error.message, "signal 11"));
    vl_buf_deinit(&r.out);
}

/* Each tries what must fail and prints "ESCAPED" if it does not. */
static void test_escapes(void **state) {
    (void)state;
    static const struct {
        const char *what, *code;
    } cases[] = {
        {"internet socket", "import socket; socket.socket()"},
        {"local socket", "import socket; socket.socketpair()"},
        {"process", "import os\nif os.fork() == 0: os._exit(0)"},
        {"posix_spawn", "import os; os.posix_spawn('/bin/true', ['true'], {})"},
        {"program", "import os; os.execv('/bin/echo', ['echo', 'ESCAPED'])"},
        {"write", "open('escaped.txt', 'w')"},
        {"append", "open('/dev/null', 'a')"},
        {"write mode", "open('/dev/null', 'r+')"},
        {"nameless file", "import os; os.open('.', os.O_TMPFILE | os.O_RDWR)"},
        {"read and create", "import os; os.open('escaped.txt', os.O_RDONLY | os.O_CREAT)"},
        {"directory", "import os; os.mkdir('escaped')"},
        {"remove", "import os; os.unlink('/nonexistent-name')"},
        {"signal to parent", "import os; os.kill(os.getppid(), 0)"},
        {"signal to group", "import os; os.killpg(0, 0)"},
        {"memory file", "import os; os.memfd_create('x')"},
        {"limits", "import ctypes as c; b = (c.c_uint64 * 2)(50, 50)\n"
                   "if c.CDLL(None).prlimit(0, 7, b, None): raise PermissionError"},
        {"user", "import os; os.setuid(65534)"},
        {"mode", "import os; os.chmod('.', 0o755)"},
    };
    if (missing(PYTHON))
        return;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char code[1024];
        snprintf(code, sizeof code, "%s\nprint('ESCAPED')", cases[i].code);
        result r = run_argv(ARGV(PYTHON, "-c", code), NULL);
        if (r.status != VL_ERR_INPUT || r.out.len)
            fail_msg("%s: %s %s", cases[i].what, vl_status_name(r.status), text_of(&r));
        if (!strstr(r.error.message, "PermissionError"))
            fail_msg("%s: stopped by something else: %s", cases[i].what, r.error.message);
        vl_buf_deinit(&r.out);
    }
}

/* System calls that Python has no function for. */
static void test_raw_system_calls(void **state) {
    (void)state;
    static const long calls[] = {SYS_ptrace,
                                 SYS_mount,
                                 SYS_bpf,
                                 SYS_keyctl,
                                 SYS_add_key,
                                 SYS_chroot,
                                 SYS_unshare,
                                 SYS_setns,
                                 SYS_process_vm_readv,
                                 SYS_process_vm_writev,
                                 SYS_vfork,
                                 SYS_execveat,
                                 SYS_io_uring_setup,
                                 SYS_userfaultfd,
                                 SYS_perf_event_open,
                                 SYS_reboot,
                                 SYS_tgkill,
                                 SYS_pidfd_open,
                                 SYS_shmget,
                                 SYS_kexec_load,
                                 SYS_prctl,
                                 SYS_seccomp,
                                 SYS_setrlimit,
                                 SYS_open_by_handle_at};
    if (missing(PYTHON))
        return;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        char code[256];
        snprintf(code, sizeof code,
                 "import ctypes; c = ctypes.CDLL(None, use_errno=True); "
                 "print(c.syscall(%ld, 0, 0, 0, 0, 0, 0), ctypes.get_errno())",
                 calls[i]);
        result r = run_argv(ARGV(PYTHON, "-c", code), NULL);
        if (strcmp(text_of(&r), "-1 1\n") != 0)
            fail_msg("system call %ld: %s%s", calls[i], text_of(&r),
                     r.status ? r.error.message : "");
        vl_buf_deinit(&r.out);
    }
}

static void test_threads_are_allowed(void **state) {
    (void)state;
    if (missing(PYTHON))
        return;
    result r = run_argv(ARGV(PYTHON, "-c",
                             "import threading as t; x = t.Thread(target=print, args=('in',)); "
                             "x.start(); x.join(); print('out')"),
                        NULL);
    assert_int_equal(r.status, VL_OK);
    assert_string_equal(text_of(&r), "in\nout\n");
    vl_buf_deinit(&r.out);
}

static void test_what_a_child_inherits(void **state) {
    (void)state;
    if (missing(PYTHON))
        return;
    int secret = open("/dev/null", O_RDONLY); /* not close-on-exec */
    setenv("A_SECRET", "s3cret", 1);
    signal(SIGPIPE, SIG_IGN);
    result r = run_argv(
        ARGV(PYTHON, "-c",
             "import os\n"
             "fds = [f for f in os.listdir('/proc/self/fd') if "
             "os.path.exists('/proc/self/fd/'+f)]\n"
             "print(sorted(fds), 'A_SECRET' in os.environ, os.getpgrp() == os.getpid())\n"
             "s = dict(l.split(':\\t') for l in open('/proc/self/status'))\n"
             "print(s['NoNewPrivs'].strip(), s['Seccomp'].strip(), s['SigBlk'].strip(),\n"
             "      int(s['CapEff'], 16) & ~4)"),
        NULL);
    signal(SIGPIPE, SIG_DFL);
    unsetenv("A_SECRET");
    close(secret);
    assert_int_equal(r.status, VL_OK);
    assert_string_equal(text_of(&r), "['0', '1', '2'] False True\n1 2 0000000000000000 0\n");
    vl_buf_deinit(&r.out);
}

static void test_poppler(void **state) {
    (void)state;
    static const struct {
        const char *argv[8], *expected;
    } cases[] = {
        {{"pdfinfo", "/dev/fd/3", NULL}, "Pages:           1\n"},
        {{"pdftotext", "/dev/fd/3", "-", NULL}, "Habari"},
        {{"pdftoppm", "-r", "72", "-gray", "/dev/fd/3", NULL}, "P5\n200 100\n255\n"},
        {{"pdftoppm", "-png", "/dev/fd/3", NULL}, "PNG"},
    };
    if (missing("/usr/bin/pdfinfo"))
        return;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vl_child_options options = vl_child_options_default();
        options.argv = cases[i].argv;
        options.input = small_pdf;
        options.input_bytes = sizeof small_pdf - 1;
        options.input_as_file = true;
        result r = run_with(&options, NULL);
        if (r.status != VL_OK)
            fail_msg("%s: %s", cases[i].argv[0], r.error.message);
        assert_non_null(strstr(text_of(&r), cases[i].expected));
        vl_buf_deinit(&r.out);
        options.input = "no PDF";
        options.input_bytes = 6;
        r = run_with(&options, NULL);
        assert_int_equal(r.status, VL_ERR_INPUT);
        vl_buf_deinit(&r.out);
    }
}

static void test_nothing_leaks(void **state) {
    (void)state;
    size_t before = open_files();
    vl_child_options options = vl_child_options_default();
    options.input = "x";
    options.input_bytes = 1;
    options.input_as_file = true;
    options.max_output = 10;
    for (int i = 0; i < 200; i++) {
        static const char *const kinds[][4] = {
            {"cat", NULL}, {"yes", NULL}, {"false", NULL}, {"no-such-program", NULL}};
        options.argv = kinds[i % 4];
        result r = run_with(&options, NULL);
        vl_buf_deinit(&r.out);
    }
    assert_int_equal(open_files(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void *run_some(void *arg) {
    (void)arg;
    for (int i = 0; i < 25; i++) {
        char text[32];
        snprintf(text, sizeof text, "%p %d", (void *)text, i);
        vl_child_options options = vl_child_options_default();
        options.argv = ARGV("cat");
        options.input = text;
        options.input_bytes = strlen(text);
        result r = run_with(&options, NULL);
        bool same = r.status == VL_OK && strcmp(text_of(&r), text) == 0;
        vl_buf_deinit(&r.out);
        if (!same)
            return (void *)"wrong";
    }
    return NULL;
}

static void test_many_threads(void **state) {
    (void)state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_some, NULL), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

/* Whether any process has `word` as an argument of its own. */
static bool is_running(const char *word) {
    DIR *proc = opendir("/proc");
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(proc));) {
        char path[300], line[256] = "";
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        int fd = open(path, O_RDONLY);
        if (fd < 0)
            continue;
        ssize_t got = read(fd, line, sizeof line - 1);
        close(fd);
        for (ssize_t i = 0; i < got && !found; i += (ssize_t)strlen(line + i) + 1)
            found = strcmp(line + i, word) == 0;
    }
    closedir(proc);
    return found;
}

static bool becomes(bool running, const char *word) {
    for (int i = 0; i < 500; i++) {
        if (is_running(word) == running)
            return true;
        usleep(10000);
    }
    return false;
}

static void test_dies_with_its_parent(void **state) {
    (void)state;
    char seconds[32];
    snprintf(seconds, sizeof seconds, "100.%d", (int)getpid());
    pid_t parent = fork();
    if (parent == 0) {
        vl_child_options options = vl_child_options_default();
        options.argv = ARGV("sleep", seconds);
        options.max_seconds = 60;
        result r = run_with(&options, NULL);
        _exit((int)r.status);
    }
    assert_true(becomes(true, seconds));
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    assert_true(becomes(false, seconds));
}

static bool third_time(void *asked) {
    return ++*(int *)asked >= 3;
}

/* The child of a thread that is asked to stop is killed, and another thread's is not. */
static void test_asked_to_stop(void **state) {
    (void)state;
    int asked = 0;
    vl_child_options options = vl_child_options_default();
    options.argv = ARGV("sleep", "19");
    options.max_seconds = 60;
    vl_stop_watch(third_time, &asked);
    result r = run_with(&options, NULL);
    vl_stop_watch(NULL, NULL);
    assert_int_equal(r.status, VL_ERR_CANCELLED);
    assert_int_equal(asked, 3);
    assert_false(vl_stop_asked());
    vl_buf_deinit(&r.out);
    options.argv = ARGV("true");
    r = run_with(&options, NULL);
    assert_int_equal(r.status, VL_OK);
    vl_buf_deinit(&r.out);
}

/* In a container that refuses seccomp the limits still hold, and the log says so once. */
static int without_seccomp(void) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    const struct scmp_arg_cmp refused = {
        .arg = 0, .op = SCMP_CMP_EQ, .datum_a = PR_SET_SECCOMP};
    int log[2];
    if (!filter || pipe(log) != 0)
        return 10;
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), 0);
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 1, refused);
    if (seccomp_load(filter) != 0)
        return 11;
    dup2(log[1], STDERR_FILENO);
    for (int i = 0; i < 2; i++) {
        result r = run_argv(ARGV("sh", "-c", "ulimit -f; ulimit -c"), NULL);
        if (r.status != VL_OK || strcmp(text_of(&r), "0\n0\n") != 0)
            return 12;
        vl_buf_deinit(&r.out);
    }
    char text[4096] = "";
    ssize_t got = read(log[0], text, sizeof text - 1);
    char *first = got > 0 ? strstr(text, "seccomp is not permitted") : NULL;
    seccomp_release(filter);
    return first && !strstr(first + 1, "seccomp is not permitted") ? 0 : 13;
}

static int as_nobody(void) {
    if (setgid(65534) != 0 || setuid(65534) != 0)
        return 10;
    vl_child_options options = vl_child_options_default();
    options.argv = ARGV("cat", "/dev/fd/3");
    options.input = "page";
    options.input_bytes = 4;
    options.input_as_file = true;
    result r = run_with(&options, NULL);
    bool same = r.status == VL_OK && strcmp(text_of(&r), "page") == 0;
    vl_buf_deinit(&r.out);
    return same ? 0 : 11;
}

static int without_standard_streams(void) {
    close(0);
    close(1);
    close(2);
    result r = run_argv(ARGV("sh", "-c", "cat; echo yes"), NULL);
    vl_buf_deinit(&r.out);
    r = run_argv(ARGV("echo", "yes"), NULL);
    bool same = r.status == VL_OK && strcmp(text_of(&r), "yes\n") == 0;
    vl_buf_deinit(&r.out);
    return same ? 0 : 11;
}

static int in_another_process(int (*job)(void)) {
    pid_t child = fork();
    int how = -1;
    if (child == 0)
        _exit(job());
    waitpid(child, &how, 0);
    return how;
}

static void test_other_circumstances(void **state) {
    (void)state;
    assert_int_equal(in_another_process(without_seccomp), 0);
    assert_int_equal(in_another_process(without_standard_streams), 0);
    if (geteuid() == 0)
        assert_int_equal(in_another_process(as_nobody), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_input_and_output),
        cmocka_unit_test(test_input_as_file),
        cmocka_unit_test(test_no_input),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_crash),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_raw_system_calls),
        cmocka_unit_test(test_threads_are_allowed),
        cmocka_unit_test(test_what_a_child_inherits),
        cmocka_unit_test(test_poppler),
        cmocka_unit_test(test_nothing_leaks),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_dies_with_its_parent),
        cmocka_unit_test(test_asked_to_stop),
        cmocka_unit_test(test_other_circumstances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
