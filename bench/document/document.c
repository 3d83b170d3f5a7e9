/* document.c — how well and how fast two documents are aligned, from plain files: a sentence a
 * line each, and gold beads ("-": none). Prints one line of JSON. */
#include <vislang/align.h>

#include "align/score.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 256 << 20 };

typedef struct lines {
    vl_buf file;
    const char **items;
    size_t count;
} lines;

static void must(vl_status status, const vl_error *error) {
    if (status) {
        fprintf(stderr, "bench_document: %s\n", error->message);
        exit(1);
    }
}

static lines read_lines(const char *path) {
    vl_error error = {0};
    lines l = {0};
    vl_buf_init(&l.file, FILE_MAX);
    must(vl_file_read(path, FILE_MAX, &l.file, &error), &error);
    l.items = calloc(l.file.len + 1, sizeof *l.items);
    for (char *at = l.file.data, *end; at && *at; at = end ? end + 1 : NULL) {
        end = strchr(at, '\n');
        if (end)
            *end = '\0';
        l.items[l.count++] = at;
    }
    return l;
}

static void score(const vl_bead *beads, size_t count, const char *path) {
    vl_arena *arena = vl_arena_new(1 << 30);
    vl_error error = {0};
    vl_buf file;
    align_bead *gold, *found = calloc(count + 1, sizeof *found);
    align_agreement strict, lax;
    size_t gold_count;
    vl_buf_init(&file, FILE_MAX);
    must(vl_file_read(path, FILE_MAX, &file, &error), &error);
    must(align_beads_parse(arena, path, file.data, &gold, &gold_count, &error), &error);
    for (size_t i = 0; i < count; i++) {
        const vl_bead *b = &beads[i];
        found[i].src_count = b->source_count;
        found[i].tgt_count = b->target_count;
        found[i].src = vl_arena_array(arena, b->source_count + 1, sizeof(uint32_t));
        found[i].tgt = vl_arena_array(arena, b->target_count + 1, sizeof(uint32_t));
        for (size_t k = 0; k < b->source_count; k++)
            found[i].src[k] = (uint32_t)(b->source + k);
        for (size_t k = 0; k < b->target_count; k++)
            found[i].tgt[k] = (uint32_t)(b->target + k);
    }
    must(align_beads_score(gold, gold_count, found, count, &strict, &lax, &error), &error);
    printf(", \"precision\": %.4f, \"recall\": %.4f, \"f1\": %.4f, \"lax_f1\": %.4f",
           strict.precision, strict.recall, strict.f1, lax.f1);
    free(found);
    vl_buf_deinit(&file);
    vl_arena_free(arena);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "bench_document SOURCE TARGET GOLD|- [all|lengths]\n");
        return 2;
    }
    vl_error error = {0};
    lines a = read_lines(argv[1]), b = read_lines(argv[2]);
    vl_alignment_options options = vl_alignment_options_default();
    if (argc > 4 && !strcmp(argv[4], "lengths"))
        options.method = VL_ALIGNMENT_LENGTHS;
    vl_sentences source = {.texts = a.items, .count = a.count};
    vl_sentences target = {.texts = b.items, .count = b.count};
    vl_alignment *alignment;
    int64_t from = vl_clock_ns();
    must(vl_alignment_new(&source, &target, &options, &alignment, &error), &error);
    double seconds = vl_clock_ms_since(from) / 1000;
    size_t count;
    const vl_bead *beads = vl_alignment_beads(alignment, &count);
    printf("{\"source\": %zu, \"target\": %zu, \"beads\": %zu, \"seconds\": %.3f", a.count,
           b.count, count, seconds);
    if (strcmp(argv[3], "-"))
        score(beads, count, argv[3]);
    printf("}\n");
    vl_alignment_free(alignment);
    free(a.items);
    free(b.items);
    vl_buf_deinit(&a.file);
    vl_buf_deinit(&b.file);
    return 0;
}
