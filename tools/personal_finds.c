/* personal_finds.c — what the finder of personal data takes for such in text that holds hardly
 * any, news for one: by kind, and each find with its surroundings, to be judged by eye.
 *
 *   personal_finds [--list KIND] [--every N] FILE…
 *
 * Files are text, gzipped or not; of each the first 3 MB are read, to the end of a line. The
 * table has a line a file and one of all; --list prints every Nth find of a kind (all: of every
 * kind but names) as FILE, kind, rule and the line's part around it. docs/privacy.md has the
 * figures. */
#include <vislang/text.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { BYTES_MAX = 3000000, ARENA_MAX = 1 << 30, AROUND = 40 };

typedef struct counts {
    size_t words, finds[VL_PERSONAL_KIND_COUNT];
} counts;

typedef struct options {
    const char *list; /* NULL: none */
    size_t every, seen;
} options;

static bool read_text(const char *path, vl_buf *text) {
    char chunk[1 << 16];
    int count = 0;
    gzFile file = gzopen(path, "rb");
    while (file && text->len < BYTES_MAX && (count = gzread(file, chunk, sizeof chunk)) > 0)
        vl_buf_append(text, chunk, (size_t)count);
    if (file)
        gzclose(file);
    const char *end = text->len ? memrchr(text->data, '\n', text->len) : NULL;
    if (!end || count < 0)
        return false;
    text->data[end + 1 - text->data] = '\0';
    text->len = (size_t)(end + 1 - text->data);
    return vl_utf8_valid_prefix(text->data, text->len) == text->len;
}

static size_t count_words(const char *text) {
    size_t words = 0;
    for (const char *at = text + strspn(text, " \t\r\n"); *at; words++) {
        at += strcspn(at, " \t\r\n");
        at += strspn(at, " \t\r\n");
    }
    return words;
}

static bool is_listed(options *o, const vl_personal *find) {
    const char *name = vl_personal_kind_name(find->kind);
    bool kind = o->list && (!strcmp(o->list, name) ||
                            (!strcmp(o->list, "all") && find->kind != VL_PERSONAL_NAME));
    return kind && o->seen++ % o->every == 0;
}

/* From a space, so that no character is cut. */
static void show(const char *path, const char *text, const vl_personal *find) {
    size_t from = find->start, to = find->end;
    while (from && text[from - 1] != '\n' && (find->start - from < AROUND || text[from] != ' '))
        from--;
    while (text[to] && text[to] != '\n' && (to - find->end < AROUND || text[to] != ' '))
        to++;
    printf("%s\t%s\t%s\t%.*s[%.*s]%.*s\n", path, vl_personal_kind_name(find->kind), find->rule,
           (int)(find->start - from), text + from, (int)(find->end - find->start),
           text + find->start, (int)(to - find->end), text + find->end);
}

static void print_row(const char *name, const counts *c) {
    size_t numbers = 0;
    printf("%-24s %9zu", name, c->words);
    for (int kind = 0; kind < VL_PERSONAL_KIND_COUNT; kind++) {
        printf(" %8zu", c->finds[kind]);
        numbers += kind == VL_PERSONAL_NAME ? 0 : c->finds[kind];
    }
    printf("  %8.4f %8.4f\n", 1000 * (double)c->finds[VL_PERSONAL_NAME] / (double)c->words,
           1000 * (double)numbers / (double)c->words);
}

static void print_head(void) {
    printf("%-24s %9s", "file", "words");
    for (int kind = 0; kind < VL_PERSONAL_KIND_COUNT; kind++)
        printf(" %8s", vl_personal_kind_name((vl_personal_kind)kind));
    printf("  %8s %8s\n", "names/k", "others/k");
}

static vl_status count_file(const char *path, options *o, counts *all, vl_error *error) {
    counts c = {0};
    vl_personal *found;
    size_t count = 0;
    vl_buf text;
    vl_buf_init(&text, BYTES_MAX + (1 << 17));
    vl_arena *arena = vl_arena_new(ARENA_MAX);
    vl_status status = arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status && !read_text(path, &text))
        status = vl_fail(error, VL_ERR_INPUT, "%s: not there, or not lines of UTF-8", path);
    if (!status)
        status = vl_personal_find(arena, text.data, &found, &count, error);
    for (size_t i = 0; i < count && !status; i++) {
        c.finds[found[i].kind]++;
        all->finds[found[i].kind]++;
        if (is_listed(o, &found[i]))
            show(path, text.data, &found[i]);
    }
    if (!status) {
        const char *slash = strrchr(path, '/');
        c.words = count_words(text.data);
        all->words += c.words;
        if (!o->list)
            print_row(slash ? slash + 1 : path, &c);
    }
    vl_arena_free(arena);
    vl_buf_deinit(&text);
    return status;
}

int main(int argc, char **argv) {
    options o = {.every = 1};
    counts all = {0};
    vl_error error = {0};
    int at = 1;
    for (; at + 1 < argc && !strncmp(argv[at], "--", 2); at += 2) {
        if (!strcmp(argv[at], "--list"))
            o.list = argv[at + 1];
        else if (!strcmp(argv[at], "--every") && atol(argv[at + 1]) > 0)
            o.every = (size_t)atol(argv[at + 1]);
        else
            break;
    }
    if (at >= argc || argv[at][0] == '-') {
        fprintf(stderr, "usage: personal_finds [--list KIND|all] [--every N] FILE…\n");
        return 2;
    }
    if (!o.list)
        print_head();
    for (; at < argc; at++)
        if (count_file(argv[at], &o, &all, &error)) {
            fprintf(stderr, "personal_finds: %s\n", error.message);
            return 3;
        }
    if (!o.list)
        print_row("all", &all);
    return 0;
}
