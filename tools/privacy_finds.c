/* privacy_finds.c — what would be taken out of documents as personal data: each find with what
 * stands around it, to be judged by eye, and how many there are.
 *
 *   privacy_finds [--decimals N] [--coordinates] [--count] FILE…
 *
 * A file is any document that `vislang dataset parts` reads (pages without text are not read
 * off), or text, a part a line, gzipped or not. --coordinates shows no other finds, --count
 * none. docs/privacy.md has the figures. */
#include "dataset/privacy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { BYTES_MAX = 64 << 20, ARENA_MAX = 2000 << 20, AROUND = 40 };

typedef struct settings {
    int decimals;
    bool coordinates_only, count_only;
} settings;

typedef struct sums {
    size_t words, finds[VL_ITEM_PERSONAL];
} sums;

static vl_status read_bytes(const char *path, vl_buf *out, vl_error *error) {
    char chunk[1 << 16];
    int count = 0;
    gzFile file = gzopen(path, "rb");
    while (file && (count = gzread(file, chunk, sizeof chunk)) > 0)
        vl_buf_append(out, chunk, (size_t)count);
    if (!file || count < 0 || out->failed)
        vl_fail(error, VL_ERR_INPUT, "%s: cannot be read", path);
    bool good = file && count >= 0 && !out->failed;
    if (file)
        gzclose(file);
    return good ? VL_OK : VL_ERR_INPUT;
}

static size_t count_words(const char *text) {
    size_t words = 0;
    for (const char *at = text + strspn(text, " \t\r\n"); *at; words++) {
        at += strcspn(at, " \t\r\n");
        at += strspn(at, " \t\r\n");
    }
    return words;
}

static void show(const char *path, const char *kind, const char *rule, const char *text,
                 size_t start, size_t end) {
    size_t first = start > AROUND ? start - AROUND : 0, last = end;
    while (first && ((unsigned char)text[first] & 0xC0) == 0x80)
        first--;
    while (text[last] && (last < end + AROUND || ((unsigned char)text[last] & 0xC0) == 0x80))
        last++;
    printf("%s\t%s\t%s\t", path, kind, rule);
    for (size_t i = first; i < last; i++) {
        fputs(i == start ? "»" : i == end ? "«" : "", stdout);
        putchar(text[i] == '\n' || text[i] == '\t' ? ' ' : text[i]);
    }
    fputs(last == end ? "«\n" : "\n", stdout);
}

/* The finders again, so that what stood there can be shown. */
static void show_finds(const char *path, const char *text, const settings *s, vl_arena *arena) {
    vl_personal *personal;
    coordinate *places;
    size_t count;
    if (!s->coordinates_only && !vl_personal_find(arena, text, &personal, &count, NULL))
        for (size_t i = 0; i < count; i++)
            show(path, vl_personal_kind_name(personal[i].kind), personal[i].rule, text,
                 personal[i].start, personal[i].end);
    if (!coordinates_find(arena, text, &places, &count, NULL))
        for (size_t i = 0; i < count; i++)
            show(path, "coordinates", coordinate_form_name(places[i].form), text,
                 places[i].start, places[i].end);
}

/* Texts and cells as they were and as they became. */
static vl_status clean(const char *path, vl_parts *parts, const settings *s, sums *sum,
                       vl_arena *arena, vl_error *error) {
    privacy_options options = {PRIVACY_REPLACE, s->decimals};
    privacy_found *found;
    for (size_t i = 0; i < parts->part_count; i++)
        sum->words += count_words(parts->parts[i].text);
    for (size_t i = 0; i < parts->part_count && !s->count_only; i++) {
        const vl_part *part = &parts->parts[i];
        for (size_t c = 0; c < part->cell_count; c++)
            show_finds(path, part->cells[c].text, s, arena);
        if (!part->cell_count)
            show_finds(path, part->text, s, arena);
    }
    vl_status status = privacy_clean_parts(parts, &options, NULL, arena, &found, error);
    for (size_t i = 0; i < parts->part_count && !status; i++)
        for (size_t k = 0; k < VL_ITEM_PERSONAL; k++)
            sum->finds[k] += found[i].counts[k];
    return status;
}

static vl_status as_lines(char *text, vl_arena *arena, vl_parts **out, vl_error *error) {
    size_t lines = 1;
    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    vl_parts *parts = vl_arena_alloc(arena, sizeof *parts);
    vl_part *list = vl_arena_array(arena, lines, sizeof *list);
    if (!parts || !list)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a text");
    *parts = (vl_parts){.title = "", .parts = list};
    for (char *at = text; *at;) {
        size_t bytes = strcspn(at, "\n");
        bool more = at[bytes] == '\n';
        at[bytes] = '\0';
        list[parts->part_count++] =
            (vl_part){.kind = VL_PART_PARAGRAPH, .text = at, .language = "und"};
        at += bytes + more;
    }
    *out = parts;
    return VL_OK;
}

static bool is_document(const vl_buf *b) {
    return b->len > 4 && (!memcmp(b->data, "%PDF", 4) || !memcmp(b->data, "PK\3\4", 4) ||
                          memmem(b->data, b->len < 1024 ? b->len : 1024, "<html", 5));
}

static vl_status look(const char *path, const settings *s, sums *sum, vl_error *error) {
    vl_buf bytes;
    vl_parts *parts;
    vl_arena *arena = vl_arena_new(ARENA_MAX);
    vl_parts_options options = vl_parts_options_default();
    vl_buf_init(&bytes, BYTES_MAX);
    vl_status status = read_bytes(path, &bytes, error);
    if (!status && is_document(&bytes))
        status = vl_parts_read(bytes.data, bytes.len, &options, arena, &parts, error);
    else if (!status)
        status = as_lines(bytes.data, arena, &parts, error);
    if (!status)
        status = clean(path, parts, s, sum, arena, error);
    vl_buf_deinit(&bytes);
    vl_arena_free(arena);
    return status;
}

static void print_sums(const char *name, const sums *s) {
    printf("%-40s %9zu words", name, s->words);
    for (size_t k = 0; k < VL_ITEM_PERSONAL; k++)
        if (s->finds[k])
            printf("  %s %zu", vl_item_personal_name(k), s->finds[k]);
    putchar('\n');
}

int main(int argc, char **argv) {
    settings s = {.decimals = 2};
    sums all = {.words = 0};
    int i = 1, code = 0;
    for (; i < argc && !strncmp(argv[i], "--", 2); i++) {
        if (!strcmp(argv[i], "--decimals") && i + 1 < argc)
            s.decimals = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--coordinates"))
            s.coordinates_only = true;
        else if (!strcmp(argv[i], "--count"))
            s.count_only = true;
        else
            argc = 0;
    }
    if (i >= argc) {
        fputs("usage: privacy_finds [--decimals N] [--coordinates] [--count] FILE…\n", stderr);
        return 2;
    }
    for (; i < argc; i++) {
        sums one = {.words = 0};
        vl_error error;
        if (look(argv[i], &s, &one, &error)) {
            fprintf(stderr, "privacy_finds: %s: %s\n", argv[i], error.message);
            code = 1;
            continue;
        }
        print_sums(argv[i], &one);
        all.words += one.words;
        for (size_t k = 0; k < VL_ITEM_PERSONAL; k++)
            all.finds[k] += one.finds[k];
    }
    print_sums("all", &all);
    return code;
}
