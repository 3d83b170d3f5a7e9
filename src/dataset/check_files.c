/* check_files.c — the files of a dataset that anybody may have made: nothing outside of its
 * folder is opened, nothing that is no regular file, and nothing is read into memory whole. */
#include "dataset/check.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { LINE_MOST = 16 << 20, PIECE = 256 << 10 };
/* Text is packed to a tenth, seldom to a fiftieth. */
static const uint64_t ratio_max = 200, always_allowed = UINT64_C(256) << 20;

/* ---- names ------------------------------------------------------------------------------- */

bool check_ends_in(const char *name, const char *endings) {
    size_t length = strlen(name);
    while (*endings) {
        size_t one = strcspn(endings, "|");
        if (length >= one && !strncasecmp(name + length - one, endings, one))
            return true;
        endings += one + (endings[one] != '\0');
    }
    return false;
}

bool check_is_inside(const char *path) {
    if (!*path || *path == '/' || *path == '\\' ||
        (isalpha((unsigned char)path[0]) && path[1] == ':'))
        return false;
    for (const char *part = path; *part;) {
        size_t bytes = strcspn(part, "/\\");
        if (bytes == 2 && part[0] == '.' && part[1] == '.')
            return false;
        part += bytes + (part[bytes] != '\0');
    }
    return true;
}

static bool is_word(const char *word, size_t bytes, const char *names) {
    while (*names) {
        size_t one = strcspn(names, "|");
        if (one == bytes && !strncasecmp(word, names, one))
            return true;
        names += one + (names[one] != '\0');
    }
    return false;
}

static unsigned split_of_word(const char *word, size_t bytes) {
    if (is_word(word, bytes, "train|training"))
        return VL_SPLIT_TRAIN;
    if (is_word(word, bytes, "validation|valid|val|dev|development"))
        return VL_SPLIT_VALIDATION;
    if (is_word(word, bytes, "test|testing|eval|evaluation"))
        return VL_SPLIT_TEST;
    return CHECK_NO_SPLIT;
}

unsigned check_split_of_name(const char *name) {
    return split_of_word(name, strlen(name));
}

/* Words are letters; "train2017" is train. The last one counts: "test/train.jsonl". */
unsigned check_split_of_path(const char *path) {
    unsigned split = CHECK_NO_SPLIT;
    while (*path) {
        size_t letters = 0;
        while (isalpha((unsigned char)path[letters]))
            letters++;
        unsigned one = split_of_word(path, letters);
        if (one != CHECK_NO_SPLIT)
            split = one;
        path += letters ? letters : 1;
    }
    return split;
}

void check_names_deinit(check_names *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    free(names->names);
    *names = (check_names){0};
}

static vl_status add_name(const char *path, void *to, vl_error *error) {
    check_names *names = to;
    if (names->count == CHECK_FILES_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "over %d files of one kind in the folder",
                       CHECK_FILES_MAX);
    if (names->count == names->room) {
        size_t room = names->room ? names->room * 2 : 64;
        char **grown = realloc(names->names, room * sizeof *grown);
        if (!grown)
            return vl_fail(error, VL_ERR_MEMORY, "no memory for the folder's files");
        names->names = grown;
        names->room = room;
    }
    names->names[names->count] = strdup(path);
    if (!names->names[names->count])
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the folder's files");
    names->count++;
    return VL_OK;
}

typedef struct finder {
    const char *endings;
    check_file_fn give;
    void *to;
} finder;

static vl_status go_through(const finder *f, int fd, const char *path, int deep,
                            vl_error *error);

static vl_status take_entry(const finder *f, int folder, const struct dirent *entry,
                            const char *path, int deep, vl_error *error) {
    char inside[FOLDER_PATH_SIZE];
    struct stat info;
    if (*entry->d_name == '.' ||
        (size_t)snprintf(inside, sizeof inside, "%s%s%s", path, *path ? "/" : "",
                         entry->d_name) >= sizeof inside)
        return VL_OK;
    bool is_folder =
        entry->d_type == DT_DIR ||
        (entry->d_type == DT_UNKNOWN &&
         !fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) && S_ISDIR(info.st_mode));
    if (!is_folder)
        return check_ends_in(entry->d_name, f->endings) ? f->give(inside, f->to, error) : VL_OK;
    int fd = deep < CHECK_FOLDERS_DEEP ? openat(folder, entry->d_name,
                                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                                       : -1;
    return fd < 0 ? VL_OK : go_through(f, fd, inside, deep + 1, error);
}

/* Takes over `fd`. */
static vl_status go_through(const finder *f, int fd, const char *path, int deep,
                            vl_error *error) {
    vl_status status = VL_OK;
    struct dirent *entry;
    DIR *folder = fdopendir(fd);
    if (!folder) {
        close(fd);
        return vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    }
    while (!status && (entry = readdir(folder)))
        status = take_entry(f, fd, entry, path, deep, error);
    closedir(folder);
    return status;
}

vl_status check_each_file(const check *c, const char *endings, check_file_fn give, void *to,
                          vl_error *error) {
    finder f = {endings, give, to};
    if (*c->only)
        return give(c->only, to, error);
    int fd = open(c->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 ? go_through(&f, fd, "", 0, error)
                   : vl_fail(error, VL_ERR_INPUT, "%s: %s", c->root, strerror(errno));
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

vl_status check_files(const check *c, const char *endings, check_names *names,
                      vl_error *error) {
    *names = (check_names){0};
    vl_status status = check_each_file(c, endings, add_name, names, error);
    if (names->count)
        qsort(names->names, names->count, sizeof *names->names, by_name);
    return status;
}

const char *check_place(check *c, const char *file, uint64_t line) {
    snprintf(c->place, sizeof c->place, "%s:%llu", file, (unsigned long long)line);
    return c->place;
}

const char *check_piece_place(check *c, const char *file, const json_piece *piece) {
    return piece->is_element ? vl_arena_printf(c->arena, "%s:%s[%llu]", file, piece->key,
                                               (unsigned long long)piece->index)
                             : vl_arena_printf(c->arena, "%s:%s", file, piece->key);
}

/* ---- opening ----------------------------------------------------------------------------- */

static bool stays(const check *c, const char *full) {
    char real[PATH_MAX], root[PATH_MAX];
    if (!realpath(full, real) || !realpath(c->root, root))
        return true; /* it is not there, which opening says */
    size_t length = strlen(root);
    return !strncmp(real, root, length) &&
           (real[length] == '/' || !real[length] || !strcmp(root, "/"));
}

vl_status check_open(const check *c, const char *path, int *fd, uint64_t *size,
                     vl_error *error) {
    char full[FOLDER_PATH_SIZE];
    struct stat info;
    *fd = -1;
    vl_status status = folder_path(c->root, path, full, error);
    if (status)
        return status;
    if (!stays(c, full))
        return vl_fail(error, VL_ERR_DENIED, "%s is a link that leads out of the dataset",
                       path);
    *fd = open(full, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (*fd >= 0 && fstat(*fd, &info) == 0 && S_ISREG(info.st_mode)) {
        if (size)
            *size = (uint64_t)info.st_size;
        return VL_OK;
    }
    int why = *fd >= 0 ? EINVAL : errno;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    if (why == ENOENT || why == ENOTDIR)
        return vl_fail(error, VL_ERR_MISSING, "%s is not there", path);
    return vl_fail(error, VL_ERR_INPUT, "%s: %s", path,
                   why == EINVAL ? "it is no regular file" : strerror(why));
}

/* ---- bytes of a text file ---------------------------------------------------------------- */

typedef struct text_file {
    check *c;
    const char *name;
    gzFile file;
    uint64_t size, inflated;
    char *piece;
} text_file;

static vl_status open_text(check *c, const char *name, text_file *t, vl_error *error) {
    vl_error why = {0};
    int fd;
    *t = (text_file){.c = c, .name = name};
    c->files++;
    vl_status status = check_open(c, name, &fd, &t->size, &why);
    if (status) {
        check_found(c, status == VL_ERR_DENIED ? FINDING_PATH_OUTSIDE : FINDING_FILE_UNREADABLE,
                    name, "%s", why.message);
        return VL_OK;
    }
    t->file = gzdopen(fd, "rb");
    t->piece = malloc(PIECE);
    if (t->file && t->piece) {
        gzbuffer(t->file, PIECE);
        return VL_OK;
    }
    if (!t->file)
        close(fd);
    return vl_fail(error, VL_ERR_MEMORY, "no memory to read %s", name);
}

static void close_text(text_file *t) {
    if (t->file)
        gzclose(t->file);
    free(t->piece);
}

/* 0: the end, or what is behind cannot be read, which is found. */
static size_t read_text(text_file *t) {
    if (!t->file)
        return 0;
    int got = gzread(t->file, t->piece, PIECE);
    int trouble = Z_OK;
    const char *why = gzerror(t->file, &trouble);
    if (got < 0 || (!got && trouble != Z_OK && trouble != Z_STREAM_END)) {
        check_found(t->c, FINDING_ARCHIVE_BROKEN, t->name, "%s",
                    trouble == Z_BUF_ERROR ? "it is cut off" : why);
        return 0;
    }
    t->inflated += (uint64_t)got;
    if (t->inflated > always_allowed && t->inflated / ratio_max > t->size) {
        check_found(t->c, FINDING_ARCHIVE_BOMB, t->name,
                    "%llu bytes unpack to over %llu; the rest was not read",
                    (unsigned long long)t->size, (unsigned long long)t->inflated);
        return 0;
    }
    return (size_t)got;
}

/* ---- lines ------------------------------------------------------------------------------- */

typedef struct liner {
    text_file from;
    check_line_fn give;
    void *to;
    vl_buf line;
    uint64_t number;
    bool is_too_long;
} liner;

static vl_status give_line(liner *l, vl_error *error) {
    check *c = l->from.c;
    const char *line = l->line.data ? l->line.data : "";
    size_t bytes = l->line.len, valid;
    l->number++;
    if (l->is_too_long) {
        check_lost(c, FINDING_LINE_LONG, check_place(c, l->from.name, l->number),
                   "the line is over %d MB", LINE_MOST >> 20);
        return VL_OK;
    }
    if (l->number == 1 && bytes >= 3 && !memcmp(line, "\xEF\xBB\xBF", 3)) {
        check_found(c, FINDING_BYTE_ORDER_MARK, check_place(c, l->from.name, 1),
                    "a byte order mark, which readers of JSON refuse");
        line += 3;
        bytes -= 3;
    }
    while (bytes && (line[bytes - 1] == '\r' || line[bytes - 1] == ' '))
        bytes--;
    if (!bytes)
        return VL_OK;
    if ((valid = vl_utf8_valid_prefix(line, bytes)) != bytes) {
        check_lost(c, FINDING_UTF8, check_place(c, l->from.name, l->number),
                   "byte %zu of the line (0x%02X) is no UTF-8", valid + 1,
                   (unsigned char)line[valid]);
        return VL_OK;
    }
    return l->give(c, l->from.name, l->number, line, bytes, l->to, error);
}

/* A NUL ends no line; JSON without it is what json_scan tells. */
static vl_status cut_lines(liner *l, const char *piece, size_t count, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t at = 0; at < count && !status;) {
        const char *end = memchr(piece + at, '\n', count - at);
        size_t length = end ? (size_t)(end - piece) - at : count - at;
        if (!l->is_too_long)
            vl_buf_append(&l->line, piece + at, length);
        l->is_too_long = l->is_too_long || l->line.failed;
        at += length + (end != NULL);
        if (!end)
            break;
        status = give_line(l, error);
        if (l->line.failed) {
            vl_buf_deinit(&l->line);
            vl_buf_init(&l->line, LINE_MOST);
        }
        vl_buf_clear(&l->line);
        l->is_too_long = false;
    }
    return status;
}

vl_status check_lines(check *c, const char *file, check_line_fn give, void *to,
                      vl_error *error) {
    liner l = {.give = give, .to = to};
    size_t count;
    vl_buf_init(&l.line, LINE_MOST);
    vl_status status = open_text(c, file, &l.from, error);
    while (!status && (count = read_text(&l.from)) > 0) {
        status = cut_lines(&l, l.from.piece, count, error);
        if (!status)
            status = vl_stop_check(error);
    }
    if (!status && (l.line.len || l.is_too_long)) {
        if (c->layout == VL_LAYOUT_DATASET)
            check_found(c, FINDING_LINE_CUT, check_place(c, file, l.number + 1),
                        "the last line has no end");
        status = give_line(&l, error);
    }
    close_text(&l.from);
    vl_buf_deinit(&l.line);
    return status;
}

/* ---- large JSON files -------------------------------------------------------------------- */

typedef struct piecer {
    text_file from;
    check_piece_fn give;
    void *to;
} piecer;

static vl_status give_piece(const json_piece *piece, void *to, vl_error *error) {
    piecer *p = to;
    return p->give(p->from.c, p->from.name, piece, p->to, error);
}

/* What is wrong with the file is found, and ends it; other trouble is the caller's. */
static vl_status feed(piecer *p, json_pieces *pieces, vl_error *error) {
    vl_error why = {0};
    size_t count;
    bool first = true, broken = false;
    vl_status status = VL_OK;
    while (!status && (count = read_text(&p->from)) > 0) {
        const char *piece = p->from.piece;
        bool has_mark = first && count >= 3 && !memcmp(piece, "\xEF\xBB\xBF", 3);
        if (has_mark)
            check_found(p->from.c, FINDING_BYTE_ORDER_MARK, p->from.name,
                        "a byte order mark, which readers of JSON refuse");
        first = false;
        status = json_pieces_feed(pieces, piece + 3 * has_mark, count - 3 * has_mark, &why);
        broken = status == VL_ERR_INPUT || status == VL_ERR_LIMIT;
        if (!status)
            status = vl_stop_check(&why);
    }
    if (!status && p->from.file) {
        status = json_pieces_end(pieces, &why);
        broken = status == VL_ERR_INPUT;
    }
    if (broken) {
        check_found(p->from.c, status == VL_ERR_LIMIT ? FINDING_LINE_LONG : FINDING_JSON,
                    p->from.name, "%s; the rest was not read", why.message);
        return VL_OK;
    }
    return status ? vl_fail(error, status, "%s", why.message) : VL_OK;
}

vl_status check_json_file(check *c, const char *file, check_piece_fn give, void *to,
                          vl_error *error) {
    piecer p = {.give = give, .to = to};
    json_pieces *pieces = json_pieces_new(give_piece, &p);
    vl_status status = pieces ? open_text(c, file, &p.from, error)
                              : vl_fail(error, VL_ERR_MEMORY, "no memory to read %s", file);
    if (!status)
        status = feed(&p, pieces, error);
    close_text(&p.from);
    json_pieces_free(pieces);
    return status;
}

/* ---- a row's JSON ------------------------------------------------------------------------ */

cJSON *check_parse(check *c, const char *place, const char *text, size_t bytes) {
    static const finding kinds[] = {[JSON_BROKEN] = FINDING_JSON,
                                    [JSON_DEEP] = FINDING_JSON_DEEP,
                                    [JSON_TWICE] = FINDING_KEY_TWICE,
                                    [JSON_NUL] = FINDING_CONTROL_CHARACTER};
    size_t valid = vl_utf8_valid_prefix(text, bytes);
    if (valid != bytes) {
        check_lost(c, FINDING_UTF8, place, "byte %zu of the value is no UTF-8", valid + 1);
        return NULL;
    }
    json_fault fault = json_scan(text, bytes);
    if (fault.kind)
        check_found(c, kinds[fault.kind], place, "%s, at byte %zu: %.40s", fault.what,
                    fault.at + 1, fault.at < bytes ? text + fault.at : "");
    if (fault.kind == JSON_BROKEN || fault.kind == JSON_DEEP) {
        c->unreadable++;
        return NULL;
    }
    cJSON *root = cJSON_ParseWithLength(text, bytes);
    if (!root)
        check_lost(c, FINDING_JSON, place, "it cannot be parsed");
    return root;
}
