/* run.c — opens every file of the hostile corpus under the default limits, each in a process of
 * its own, and holds the decoders to their promises: no crash, no call past its time, no more
 * than 1 GB with all children, an error that says something, and sound files decoded to their
 * true size.
 *
 * usage: hostile_run DIRECTORY SHARD SHARDS
 * Takes every SHARDS-th file from the SHARD-th (from 0) on. DIRECTORY/expected.tsv, by
 * make_corpus.py: file, then "ok WIDTH HEIGHT PAGES" (0: not said), "fail" or "fail STATUS", or
 * "any". */
#include <vislang/media.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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
    MIN_FILES = 220,
    PAGES_READ = 3,
    MAX_CALL_MS = 25000,
    MAX_FILE_MS = 100000,
    MAX_MEMORY_KB = 1 << 20
};

/* What the process that read one file says of it. */
typedef struct outcome {
    vl_status status;
    char message[512];
    uint32_t pages, decoded, width, height;
    double slowest_call_ms;
    long memory_kb;
} outcome;

typedef struct totals {
    unsigned files, wrong, read;
    double slowest_ms;
    long most_kb;
    char slowest[256], largest[256];
} totals;

/* ---- in the process that reads ------------------------------------------------------------
 */

static void took(outcome *o, int64_t began) {
    double ms = vl_clock_ms_since(began);
    o->slowest_call_ms = ms > o->slowest_call_ms ? ms : o->slowest_call_ms;
}

static vl_status read_page(vl_document *document, uint32_t index, outcome *o, vl_error *error) {
    vl_image *image = NULL;
    int64_t began = vl_clock_ns();
    vl_status status = vl_document_page(document, index, &image, error);
    took(o, began);
    if (status)
        return status;
    if (index == 0) {
        o->width = image->width;
        o->height = image->height;
    }
    o->decoded++;
    vl_picture_look look;
    status = vl_picture_look_at(image, &look, error);
    vl_image_free(image);
    return status;
}

static void read_file(const char *path, outcome *o) {
    vl_error error = {0};
    vl_document *document = NULL;
    vl_buf bytes;
    vl_media_limits limits = vl_media_limits_default();
    vl_buf_init(&bytes, limits.max_bytes);
    o->status = vl_file_read(path, limits.max_bytes, &bytes, &error);
    int64_t began = vl_clock_ns();
    if (!o->status)
        o->status = vl_document_open(bytes.len ? bytes.data : "", bytes.len, &limits, &document,
                                     &error);
    took(o, began);
    o->pages = o->status ? 0 : vl_document_page_count(document);
    for (uint32_t i = 0; !o->status && i < o->pages && i < PAGES_READ; i++)
        o->status = read_page(document, i, o, &error);
    snprintf(o->message, sizeof o->message, "%s", o->status ? error.message : "");
    vl_document_free(document);
    vl_buf_deinit(&bytes);
    struct rusage self, children; /* children come one at a time, so the sum bounds the peak */
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    o->memory_kb = self.ru_maxrss + children.ru_maxrss;
}

/* ---- in the process that judges -----------------------------------------------------------
 */

/* False when it crashed or had to be killed. */
static bool read_in_child(const char *path, outcome *o, char *death, size_t death_bytes) {
    int ends[2];
    if (pipe(ends))
        return false;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        read_file(path, o);
        _exit(write(ends[1], o, sizeof *o) == (ssize_t)sizeof *o ? 0 : 1);
    }
    close(ends[1]);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    bool in_time = pid > 0 && poll(&ready, 1, MAX_FILE_MS) == 1;
    bool whole = in_time && read(ends[0], o, sizeof *o) == (ssize_t)sizeof *o;
    close(ends[0]);
    if (pid > 0 && !in_time)
        kill(pid, SIGKILL);
    int status = 0;
    waitpid(pid, &status, 0);
    if (!in_time)
        snprintf(death, death_bytes, "hangs");
    else if (WIFSIGNALED(status))
        snprintf(death, death_bytes, "dies of signal %d", WTERMSIG(status));
    else if (!whole || WEXITSTATUS(status))
        snprintf(death, death_bytes, "exits with %d", WEXITSTATUS(status));
    return whole && WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool is_about_the_input(vl_status status) {
    return status == VL_ERR_INPUT || status == VL_ERR_UNSUPPORTED || status == VL_ERR_LIMIT ||
           status == VL_ERR_TIMEOUT;
}

/* NULL, or what is wrong. */
static const char *judge(const outcome *o, const char *expected) {
    unsigned width = 0, height = 0, pages = 0;
    char status[32] = "";
    if (o->slowest_call_ms > MAX_CALL_MS)
        return "took too long";
    if (!SANITIZED && o->memory_kb > MAX_MEMORY_KB)
        return "took more than 1 GB";
    if (o->status && !is_about_the_input(o->status))
        return "failed for a reason that is not the file's";
    if (o->status && strlen(o->message) < 8)
        return "failed without saying why";
    if (sscanf(expected, "ok %u %u %u", &width, &height, &pages) == 3) {
        if (o->status)
            return "is sound and was refused";
        if ((width && o->width != width) || (height && o->height != height))
            return "decoded to another size";
        return pages && o->pages != pages ? "has another number of pages" : NULL;
    }
    if (sscanf(expected, "fail %31s", status) == 1 &&
        strcmp(status, vl_status_name(o->status)) != 0)
        return "failed with another status";
    return !strncmp(expected, "fail", 4) && !o->status ? "was not refused" : NULL;
}

static void try_file(const char *directory, const char *name, const char *expected, totals *t) {
    char path[4096], death[64] = "";
    outcome o = {0};
    snprintf(path, sizeof path, "%s/%s", directory, name);
    bool ended = read_in_child(path, &o, death, sizeof death);
    const char *wrong = ended ? judge(&o, expected) : death;
    t->files++;
    t->read += ended && !o.status;
    if (o.slowest_call_ms > t->slowest_ms) {
        t->slowest_ms = o.slowest_call_ms;
        snprintf(t->slowest, sizeof t->slowest, "%s", name);
    }
    if (o.memory_kb > t->most_kb) {
        t->most_kb = o.memory_kb;
        snprintf(t->largest, sizeof t->largest, "%s", name);
    }
    if (wrong)
        t->wrong++;
    if (wrong || getenv("HOSTILE_VERBOSE"))
        printf("%s %s: %s; expected %s; %s %ux%u, %u pages, %.0f ms, %ld MB %s\n",
               wrong ? "WRONG" : "fine ", name, wrong ? wrong : "as it must", expected,
               vl_status_name(o.status), o.width, o.height, o.pages, o.slowest_call_ms,
               o.memory_kb >> 10, o.message);
}

int main(int argc, char **argv) {
    char path[4096], line[1024];
    totals t = {0};
    unsigned shard = argc == 4 ? (unsigned)atoi(argv[2]) : 0, line_number = 0;
    unsigned shards = argc == 4 ? (unsigned)atoi(argv[3]) : 0;
    if (!shards || shard >= shards) {
        fprintf(stderr, "usage: hostile_run DIRECTORY SHARD SHARDS\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/expected.tsv", argv[1]);
    FILE *table = fopen(path, "r");
    if (!table) {
        fprintf(stderr, "%s: not there\n", path);
        return 1;
    }
    while (fgets(line, sizeof line, table)) {
        line[strcspn(line, "\n")] = '\0';
        char *tab = strchr(line, '\t');
        if (line_number++ % shards != shard || !tab)
            continue;
        *tab = '\0';
        try_file(argv[1], line, tab + 1, &t);
    }
    fclose(table);
    printf("%u files: %u decoded, %u refused; %u wrong\n", t.files, t.read, t.files - t.read,
           t.wrong);
    printf("slowest call %.1f s (%s); most memory %ld MB with children (%s)\n",
           t.slowest_ms / 1e3, t.slowest, t.most_kb >> 10, t.largest);
    return t.wrong || t.files < MIN_FILES / shards;
}
