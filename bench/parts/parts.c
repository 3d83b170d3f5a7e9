/* parts.c — how long documents take to be taken apart, by their format.
 *
 * bench_parts REPEAT FILE…: each file REPEAT times, with language identification and without
 * OCR. One line a format: documents, bytes and parts of one on average, milliseconds of
 * processor time (ours and of the programs we ran) a document, those that could not be read. */
#include <vislang/dataset.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { FORMATS_MAX = 16 };
static const size_t ARENA_BYTES = (size_t)1 << 30;

typedef struct format {
    const char *name;
    size_t documents, bytes, parts;
    double seconds;
} format;

static _Noreturn void give_up(const char *what) {
    fprintf(stderr, "bench_parts: %s\n", what);
    exit(1);
}

static double seconds_of(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double cpu_seconds(void) {
    double sum = 0;
    for (int i = 0; i < 2; i++) {
        struct rusage use;
        getrusage(i ? RUSAGE_CHILDREN : RUSAGE_SELF, &use);
        sum += seconds_of(use.ru_utime) + seconds_of(use.ru_stime);
    }
    return sum;
}

static format *find(format *formats, const char *name) {
    for (size_t i = 0; i < FORMATS_MAX; i++)
        if (!formats[i].name || !strcmp(formats[i].name, name)) {
            formats[i].name = name;
            return &formats[i];
        }
    give_up("more formats than there are");
}

static void measure(const vl_buf *file, const vl_parts_options *options, long repeat,
                    vl_arena *arena, format *formats) {
    vl_parts *parts = NULL;
    vl_error error;
    double start = cpu_seconds();
    for (long i = 0; i < repeat; i++) {
        vl_arena_reset(arena);
        if (vl_parts_read(file->data, file->len, options, arena, &parts, &error))
            break;
    }
    double seconds = cpu_seconds() - start;
    format *f = find(formats, parts ? parts->format : "unread");
    f->documents += parts ? (size_t)repeat : 1;
    f->bytes += file->len * (parts ? (size_t)repeat : 1);
    f->parts += parts ? parts->part_count * (size_t)repeat : 0;
    f->seconds += seconds;
}

static void print(const format *f) {
    double n = (double)f->documents;
    printf("%-8s %8zu documents %10.0f bytes %7.1f parts %9.3f ms\n", f->name, f->documents,
           (double)f->bytes / n, (double)f->parts / n, f->seconds * 1e3 / n);
}

int main(int argc, char **argv) {
    format formats[FORMATS_MAX] = {0};
    vl_parts_options options = vl_parts_options_default();
    vl_langid *langid;
    vl_ngram *ngram;
    vl_arena *arena = vl_arena_new(ARENA_BYTES);
    long repeat = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    if (repeat < 1)
        give_up("bench_parts REPEAT FILE…");
    if (!arena || vl_langid_open(NULL, &langid, NULL) || vl_ngram_open(NULL, &ngram, NULL))
        give_up("no models");
    options.langid = langid;
    options.ngram = ngram;
    for (int i = 2; i < argc; i++) {
        vl_buf file;
        vl_buf_init(&file, options.max_bytes);
        if (vl_file_read(argv[i], options.max_bytes, &file, NULL))
            give_up(argv[i]);
        measure(&file, &options, repeat, arena, formats);
        vl_buf_deinit(&file);
    }
    for (size_t i = 0; i < FORMATS_MAX && formats[i].name; i++)
        print(&formats[i]);
    vl_arena_free(arena);
    vl_ngram_free(ngram);
    vl_langid_free(langid);
    return 0;
}
