/* base.h — what every room of VisLang stands on.
 *
 * Ownership: `..._new` returns a heap object that the caller frees with `..._free`;
 * `..._init` fills a value that the caller empties with `..._deinit`. Pointers returned
 * from an arena live until the arena is reset or freed. Strings are UTF-8, NUL-terminated.
 *
 * Errors: a fallible function returns a `vl_status` (0 is success) and, when it fails,
 * fills the `vl_error` it was given (NULL is allowed): what failed, on which input, and
 * what to do about it, ready to print.
 *
 * Thread-safety: values and objects belong to one thread at a time unless their
 * comment says otherwise. */
#ifndef VISLANG_BASE_H
#define VISLANG_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VL_VERSION "0.1.0"
/* The one that comes after it, with what CHANGELOG.md says is planned. */
#define VL_VERSION_NEXT "0.2.0"

#if defined(__GNUC__)
#define VL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define VL_PRINTF(fmt, args)
#endif

/* ---- status and errors ---------------------------------------------------------- */

typedef enum vl_status {
    VL_OK = 0,
    VL_ERR_INTERNAL,    /* a broken promise of ours */
    VL_ERR_USAGE,       /* the caller asked in a way that has no meaning (flags, options) */
    VL_ERR_INPUT,       /* the input is broken, truncated or not what it claims to be */
    VL_ERR_UNSUPPORTED, /* the input is sound, and of a kind we do not read */
    VL_ERR_LIMIT,       /* the input is larger than a limit allows */
    VL_ERR_MISSING,     /* a program, model or service is not there; the message says which */
    VL_ERR_IO,          /* the operating system refused (disk full, permission, …) */
    VL_ERR_MEMORY,      /* an allocation failed or reached its maximum */
    VL_ERR_TIMEOUT,     /* took longer than its limit */
    VL_ERR_BUSY,        /* no room now, try later */
    VL_ERR_CANCELLED,   /* asked to stop */
    VL_ERR_DENIED,      /* not known, or not allowed to */
} vl_status;

typedef struct vl_error {
    vl_status status;
    int line;
    const char *file;   /* source file that reported it, static */
    const char *format; /* of the message, static: what it says without what it is about */
    char message[512];
} vl_error;

/* Fills `error` (may be NULL) and returns `status`, so that `return vl_fail(...)` reads well.
 */
#define vl_fail(error, status, ...)                                                            \
    vl_error_set((error), (status), __FILE__, __LINE__, __VA_ARGS__)
vl_status vl_error_set(vl_error *error, vl_status status, const char *file, int line,
                       const char *format, ...) VL_PRINTF(5, 6);
/* Puts "context: " in front of the message that is there. Returns error->status. */
vl_status vl_error_prefix(vl_error *error, const char *format, ...) VL_PRINTF(2, 3);
/* Short stable name: "bad_input", "limit", "missing", … */
const char *vl_status_name(vl_status status);
/* 0 done, 1 failed, 2 wrong usage, 3 bad input, 4 something it needs is missing. */
int vl_status_exit_code(vl_status status);

/* ---- arena ---------------------------------------------------------------------- */

/* A region that is freed at once: one per request, page or training step. */
typedef struct vl_arena vl_arena;
/* `max_bytes` bounds everything ever allocated from it between resets. NULL: no memory. */
vl_arena *vl_arena_new(size_t max_bytes);
void vl_arena_free(vl_arena *arena);
void vl_arena_reset(vl_arena *arena);
/* Zeroed memory aligned for any type, or NULL past the maximum. */
void *vl_arena_alloc(vl_arena *arena, size_t bytes);
/* As vl_arena_alloc for `count` items of `size`, refusing overflow. */
void *vl_arena_array(vl_arena *arena, size_t count, size_t size);
/* A larger copy of `old` (which stays valid); NULL past the maximum. */
void *vl_arena_grow(vl_arena *arena, const void *old, size_t old_bytes, size_t new_bytes);
char *vl_arena_strdup(vl_arena *arena, const char *text);
char *vl_arena_strndup(vl_arena *arena, const char *text, size_t bytes);
char *vl_arena_printf(vl_arena *arena, const char *format, ...) VL_PRINTF(2, 3);
size_t vl_arena_used(const vl_arena *arena);

/* ---- growing buffer ------------------------------------------------------------- */

/* Bytes that grow up to `max`. The first append that does not fit sets `failed` and every
 * later one does nothing, so a writer appends freely and checks once at the end. `data` is
 * always NUL-terminated once anything was appended (the NUL is not counted in `len`). */
typedef struct vl_buf {
    char *data;
    size_t len, cap, max;
    bool failed;
} vl_buf;
void vl_buf_init(vl_buf *buf, size_t max);
void vl_buf_deinit(vl_buf *buf);
void vl_buf_clear(vl_buf *buf);
void vl_buf_append(vl_buf *buf, const void *bytes, size_t count);
void vl_buf_puts(vl_buf *buf, const char *text);
void vl_buf_printf(vl_buf *buf, const char *format, ...) VL_PRINTF(2, 3);
/* VL_OK, or VL_ERR_MEMORY with `what` in the message. */
vl_status vl_buf_status(const vl_buf *buf, const char *what, vl_error *error);

/* ---- strings -------------------------------------------------------------------- */

/* The candidate nearest to `word` (Damerau–Levenshtein, at most a third of its length away),
 * or NULL. `candidates` holds `count` names. */
const char *vl_nearest_name(const char *word, const char *const *candidates, size_t count);
/* "100MB", "2 GB", "512k", "1048576" → bytes (1024-based). */
vl_status vl_parse_bytes(const char *text, uint64_t *bytes, vl_error *error);
/* Length of the valid UTF-8 prefix of `text[0..bytes)`; equals `bytes` when all is valid. */
size_t vl_utf8_valid_prefix(const char *text, size_t bytes);

/* Base64 of RFC 4648, section 4, or without padding in the alphabet of section 5 (`url`). */
#define VL_BASE64_SIZE(bytes) (((bytes) + 2) / 3 * 4 + 1)
void vl_base64_encode(const void *bytes, size_t count, bool url, char *out); /* as large */
/* Exactly that: no white space, no stray bits. `out` has room for 3 bytes of every 4 begun
 * characters. False: it is not. */
bool vl_base64_decode(const char *text, size_t length, bool url, void *out, size_t *count);

/* ---- clock, random, hash -------------------------------------------------------- */

int64_t vl_clock_ns(void); /* monotonic */
double vl_clock_ms_since(int64_t start_ns);
#define VL_RFC3339_SIZE 32
void vl_time_rfc3339(char out[VL_RFC3339_SIZE]); /* now, UTC, milliseconds */
/* `bytes` of cryptographically strong randomness; can't fail (aborts without a kernel source).
 */
void vl_random_bytes(void *out, size_t bytes);
/* splitmix64 (Steele, Lea and Flood 2014): numbers that are the same for the same seed, and so
 * no secrets. `state` is the seed, then wherever it has come to. */
uint64_t vl_random_next(uint64_t *state);
double vl_random_uniform(uint64_t *state);             /* [0,1), a multiple of 2^-53 */
size_t vl_random_below(uint64_t *state, size_t limit); /* [0,limit); 0 for a limit of 0 */
#define VL_SHA256_HEX_SIZE 65
void vl_sha256_hex(const void *data, size_t bytes, char out[VL_SHA256_HEX_SIZE]);
typedef struct vl_sha256 vl_sha256; /* streaming */
vl_sha256 *vl_sha256_new(void);
void vl_sha256_update(vl_sha256 *hash, const void *data, size_t bytes);
void vl_sha256_finish(vl_sha256 *hash, char out[VL_SHA256_HEX_SIZE]); /* frees `hash` */

/* ---- files ---------------------------------------------------------------------- */

/* Whole file ("-" is standard input) of at most `max_bytes`; the caller inits and deinits
 * `out` (its own maximum applies too). */
vl_status vl_file_read(const char *path, size_t max_bytes, vl_buf *out, vl_error *error);
/* A file written piece by piece: beside `path`, fsynced, renamed over it, so that there is the
 * old content or the new, never half. A symbolic link stays a link and a file keeps its
 * permissions; what is no regular file (a terminal, a pipe, /dev/null) is written in place. */
typedef struct vl_file_writer vl_file_writer;
vl_status vl_file_writer_open(const char *path, vl_file_writer **writer, vl_error *error);
/* Returns the first failure, then and ever after; the commit does too, so that it may be left
 * to that. */
vl_status vl_file_writer_put(vl_file_writer *writer, const void *bytes, size_t count,
                             vl_error *error);
/* Both free the writer. After a commit that failed the old content is there. */
vl_status vl_file_writer_commit(vl_file_writer *writer, vl_error *error);
void vl_file_writer_abandon(vl_file_writer *writer); /* NULL allowed */
/* All of that for bytes that are in memory. */
vl_status vl_file_write(const char *path, const void *data, size_t bytes, vl_error *error);
/* A line more (`bytes` with its '\n'), fsynced: whole or not at all. Processes that do so at
 * once wait for each other; what a full disk or a killed process left of a line is cut off. */
vl_status vl_file_append_line(const char *path, const char *line, size_t bytes,
                              vl_error *error);
/* mkdir -p. */
vl_status vl_dir_make(const char *path, vl_error *error);
/* Where bundled read-only files lie ("models/langid.bin", …): $VISLANG_DATA, else the
 * installed data directory, else the source tree this was built from. Static storage. */
const char *vl_data_dir(void);
/* Where a program keeps what it learns: $STATE_DIRECTORY (systemd's StateDirectory=; of several
 * the first), else $XDG_STATE_HOME/vislang, else ~/.local/state/vislang (XDG Base Directory
 * Specification 0.8). Not made, and perhaps not writable. "": nowhere. Static storage. */
const char *vl_state_dir(void);

/* ---- trace ---------------------------------------------------------------------- */

/* Whose work this is, across programs (W3C Trace Context, level 2): the trace that a caller
 * began or we did, and our own span in it. */
enum {
    VL_TRACE_ID_SIZE = 33,
    VL_SPAN_ID_SIZE = 17,
    VL_TRACE_PARENT_SIZE = 56,
    VL_TRACE_STATE_SIZE = 513, /* what must be passed on, section 3.3.1.5 */
};
typedef struct vl_trace {
    char id[VL_TRACE_ID_SIZE];
    char span[VL_SPAN_ID_SIZE];      /* ours */
    char caller[VL_SPAN_ID_SIZE];    /* "" none */
    uint8_t flags;                   /* bits 0 sampled, 1 random */
    char state[VL_TRACE_STATE_SIZE]; /* tracestate, passed on as it is; "" none */
} vl_trace;
/* Sets id, caller and flags from a traceparent header, or all of it to nothing and returns
 * false when it is none (section 3.2). */
bool vl_trace_read(const char *text, size_t bytes, vl_trace *trace);
/* Sets `state` from all tracestate headers joined by commas: without empty members, and with
 * whole members left out (long ones, then the last ones) until it fits; "" when one of them is
 * wrong (section 3.3). */
void vl_trace_read_state(const char *text, size_t bytes, vl_trace *trace);
/* A span of our own, and a trace where there is none. `seed` goes on as vl_random_next's. */
void vl_trace_begin(vl_trace *trace, uint64_t *seed);
/* The traceparent header of what we ask others: our span is their caller. */
void vl_trace_write(const vl_trace *trace, char out[VL_TRACE_PARENT_SIZE]);
/* What this thread works on from now on, in its log lines and in its calls to others; `trace`
 * outlives that. NULL: nothing. */
void vl_trace_set(const vl_trace *trace);
const vl_trace *vl_trace_now(void); /* NULL: nothing */

/* ---- being asked to stop --------------------------------------------------------- */

/* Work of minutes asks every moment whether anybody still wants it, and ends with
 * VL_ERR_CANCELLED when nobody does. `ask` is called by this thread alone, often, until another
 * takes its place; once it says true it goes on doing so. NULL: nobody stops this thread. */
typedef bool (*vl_stop_fn)(void *user);
void vl_stop_watch(vl_stop_fn ask, void *user);
bool vl_stop_asked(void);
/* VL_ERR_CANCELLED: this thread was asked to stop. */
vl_status vl_stop_check(vl_error *error);

/* ---- log ------------------------------------------------------------------------ */

/* JSON lines on stderr: {"time","level","message","request_id","trace_id","span_id", …fields},
 * the ids where the thread has some. Thread-safe. */
typedef enum vl_log_level { VL_LOG_DEBUG, VL_LOG_INFO, VL_LOG_WARN, VL_LOG_ERROR } vl_log_level;
typedef struct vl_field {
    const char *name;
    enum { VL_FIELD_STRING, VL_FIELD_INT, VL_FIELD_DOUBLE, VL_FIELD_BOOL } type;
    union {
        const char *string;
        int64_t integer;
        double number;
        bool boolean;
    } value;
} vl_field;
#define VL_F_STR(n, v) ((vl_field){.name = (n), .type = VL_FIELD_STRING, .value.string = (v)})
#define VL_F_INT(n, v) ((vl_field){.name = (n), .type = VL_FIELD_INT, .value.integer = (v)})
#define VL_F_NUM(n, v) ((vl_field){.name = (n), .type = VL_FIELD_DOUBLE, .value.number = (v)})
#define VL_F_BOOL(n, v) ((vl_field){.name = (n), .type = VL_FIELD_BOOL, .value.boolean = (v)})
/* vl_log(VL_LOG_INFO, "listening", VL_F_STR("address", a), VL_F_INT("port", p)); at least one
 * field */
#define vl_log(level, message, ...)                                                            \
    vl_log_write((level), (message), (const vl_field[]){__VA_ARGS__},                          \
                 sizeof((const vl_field[]){__VA_ARGS__}) / sizeof(vl_field))
void vl_log_write(vl_log_level level, const char *message, const vl_field *fields,
                  size_t count);
void vl_log_set_level(vl_log_level level); /* default VL_LOG_INFO */
vl_status vl_log_level_parse(const char *name, vl_log_level *level, vl_error *error);
/* Request id added to every line this thread logs; copied (at most 63 bytes); NULL clears. */
void vl_log_set_request_id(const char *request_id);

/* ---- thread pool ---------------------------------------------------------------- */

/* A fixed set of workers over one bounded queue. All functions are thread-safe. */
typedef struct vl_pool vl_pool;
/* `worker` is 0 … threads-1, so that jobs can use per-worker state without locks. */
typedef void (*vl_job)(void *arg, size_t worker);
vl_pool *vl_pool_new(size_t threads, size_t max_queued); /* NULL: no memory or threads */
/* VL_ERR_BUSY when `max_queued` jobs wait already; VL_ERR_CANCELLED after vl_pool_free began.
 */
vl_status vl_pool_submit(vl_pool *pool, vl_job job, void *arg);
/* Waits for a free place instead of VL_ERR_BUSY. */
vl_status vl_pool_submit_wait(vl_pool *pool, vl_job job, void *arg);
void vl_pool_wait(vl_pool *pool); /* until nothing is queued or running */
size_t vl_pool_queued(vl_pool *pool);
void vl_pool_free(vl_pool *pool); /* finishes what is queued, then joins */
size_t vl_cpu_count(void);        /* processors this process may use (affinity, cgroup) */

/* ---- sandboxed child ------------------------------------------------------------ */

/* Runs a program on untrusted bytes where it can do no harm: new process group, rlimits
 * (address space, CPU, file size 0, no core), seccomp (no sockets, no new programs, no file
 * opened for writing), empty environment but PATH/LANG/FONTCONFIG needs, killed with its group
 * at `max_seconds`. Thread-safe. */
typedef struct vl_child_options {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
    const void *input;       /* written to its standard input */
    size_t input_bytes;
    bool input_as_file; /* also readable (seekable, read-only memfd) as /dev/fd/3 */
    size_t max_output;  /* more standard output than this: killed, VL_ERR_LIMIT */
    size_t max_memory;  /* RLIMIT_AS */
    double max_seconds; /* wall and CPU: VL_ERR_TIMEOUT */
} vl_child_options;     /* a child whose thread is asked to stop (vl_stop_watch) is killed */
vl_child_options vl_child_options_default(void); /* 256 MB output, 900 MB memory, 20 s */
/* Standard output into `out` (initialised by the caller). `exit_code` may be NULL: then a
 * non-zero exit is VL_ERR_INPUT with the last line of its stderr. VL_ERR_MISSING when the
 * program is not installed. */
vl_status vl_child_run(const vl_child_options *options, vl_buf *out, int *exit_code,
                       vl_error *error);

/* ---- configuration -------------------------------------------------------------- */

/* One flat table of settings (docs/configuration.md): defaults < YAML file < environment <
 * flags; every value knows where it came from. Read-only after loading, then thread-safe. */
typedef struct vl_config vl_config;
typedef struct vl_setting { /* "name=value" from a flag: --set name=value or a flag of its own
                             */
    const char *name, *value;
} vl_setting;
/* `path` NULL: no file. An unknown key is VL_ERR_USAGE naming the nearest valid one. */
vl_status vl_config_load(const char *path, const vl_setting *flags, size_t flag_count,
                         vl_config **config, vl_error *error);
void vl_config_free(vl_config *config);
/* `name` is a lower-case key of the table ("max_upload_size"); an unknown name aborts (a bug).
 */
const char *vl_config_string(const vl_config *config, const char *name); /* "" when unset */
int64_t vl_config_int(const vl_config *config, const char *name);        /* bytes for sizes */
double vl_config_number(const vl_config *config, const char *name);
bool vl_config_bool(const vl_config *config, const char *name);
/* Text or JSON: every key, its effective value (secrets masked) and where it came from. */
void vl_config_print(const vl_config *config, bool json, vl_buf *out);
/* The table of settings as Markdown: docs/configuration.md holds exactly this. */
void vl_config_describe(vl_buf *markdown);

#ifdef __cplusplus
}
#endif
#endif
