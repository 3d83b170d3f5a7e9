/* ocr_scans.c — error rates of the reader over a folder of scans with exact transcripts.
 *
 *   ocr_scans FOLDER [--detect] [--max N] [--set NAME] [--verbose]
 *
 * FOLDER holds MANIFEST.tsv (set, id, image, document, Tesseract packs, …) and X.gt.txt beside
 * each picture. Prints, per set, the character error rate (edits over characters of the
 * reference, NFC, white space squeezed; Arabic vowel marks, which the transcripts leave out,
 * are taken out of both; receipts and signs without regard to case), with the packs named in
 * the manifest or, with --detect, without being told. --max takes every k-th picture so that N
 * are read from each set. */
#include <vislang/ocr.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 4096, SETS_MAX = 64, FILE_MAX = 64 << 20 };

typedef struct row {
    char *set, *image, *packs;
} row;

typedef struct totals {
    const char *set;
    size_t pictures, seen, read, failed, other_script;
    uint64_t edits, length;
    double milliseconds;
} totals;

static struct options {
    const char *folder, *only;
    size_t max;
    bool detect, verbose;
} options;

static size_t load_manifest(char *text, row *rows) {
    size_t count = 0;
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line && count < ROWS_MAX;
         line = strtok_r(NULL, "\n", &save)) {
        char *field[5], *rest = line;
        size_t n = 0;
        while (n < 5 && (field[n] = strsep(&rest, "\t")))
            n++;
        if (n == 5 && strcmp(field[0], "set") != 0)
            rows[count++] = (row){field[0], field[2], field[4]};
    }
    return count;
}

static totals *totals_of(totals *all, size_t *count, const char *set) {
    for (size_t i = 0; i < *count; i++)
        if (strcmp(all[i].set, set) == 0)
            return &all[i];
    if (*count == SETS_MAX)
        return NULL;
    all[*count] = (totals){.set = set};
    return &all[(*count)++];
}

/* U+064B–U+0652, U+0670 and U+0640 out of `text`, in place. */
static void strip_vowel_marks(char *text) {
    char *out = text;
    for (char *in = text; *in;) {
        unsigned char a = (unsigned char)in[0], b = (unsigned char)in[1];
        bool mark = (a == 0xD9 && ((b >= 0x8B && b <= 0x92) || b == 0xB0 || b == 0x80));
        if (mark)
            in += 2;
        else
            *out++ = *in++;
    }
    *out = 0;
}

/* Receipts and signs are transcribed in capitals whatever stands there. */
static void fold_case(const char *set, char *text) {
    if (strstr(set, "receipts") || strstr(set, "signs"))
        for (; *text; text++)
            *text = (char)(*text >= 'A' && *text <= 'Z' ? *text + 32 : *text);
}

static vl_status load_transcript(const char *image, vl_buf *out, vl_error *error) {
    char path[1024];
    const char *dot = strrchr(image, '.');
    snprintf(path, sizeof path, "%s/%.*s.gt.txt", options.folder,
             (int)(dot ? dot - image : (long)strlen(image)), image);
    return vl_file_read(path, FILE_MAX, out, error);
}

static vl_status read_row(vl_ocr *ocr, const row *r, totals *t, vl_error *error) {
    char path[1024];
    vl_buf bytes, truth;
    vl_document *document = NULL;
    vl_image *image = NULL;
    vl_page *page = NULL;
    vl_media_limits limits = vl_media_limits_default();
    vl_arena *arena = vl_arena_new((size_t)512 << 20);
    vl_buf_init(&bytes, FILE_MAX);
    vl_buf_init(&truth, FILE_MAX);
    snprintf(path, sizeof path, "%s/%s", options.folder, r->image);
    vl_status status = vl_file_read(path, FILE_MAX, &bytes, error);
    status = status ? status : load_transcript(r->image, &truth, error);
    status =
        status ? status : vl_document_open(bytes.data, bytes.len, &limits, &document, error);
    status = status ? status : vl_document_page(document, 0, &image, error);
    status = status ? status
                    : vl_ocr_read(ocr, image, options.detect ? NULL : r->packs, arena, &page,
                                  NULL, error);
    if (!status) {
        vl_edit_count edits = {0};
        char *text = vl_page_text(arena, page);
        char *reference = vl_arena_strndup(arena, truth.data ? truth.data : "", truth.len);
        strip_vowel_marks(text);
        strip_vowel_marks(reference);
        fold_case(r->set, text);
        fold_case(r->set, reference);
        status = vl_text_cer(text, reference, &edits, error);
        t->edits += edits.edits;
        t->length += edits.length;
        t->milliseconds += page->milliseconds;
        t->other_script += strcmp(page->script, vl_text_script(reference, NULL)) != 0;
        if (options.verbose)
            printf("%s\t%.3f\t%s\t%s\trot %d skew %.2f\t%s\t%.0f ms\t%.60s\n", r->image,
                   (double)edits.edits / (double)(edits.length ? edits.length : 1),
                   page->engine, page->script, page->rotation, page->skew,
                   page->language_count ? page->languages[0].code : "-", page->milliseconds,
                   text);
    }
    vl_image_free(image);
    vl_document_free(document);
    vl_buf_deinit(&bytes);
    vl_buf_deinit(&truth);
    vl_arena_free(arena);
    return status;
}

static int run(row *rows, size_t count) {
    static totals all[SETS_MAX];
    size_t sets = 0;
    vl_error error;
    vl_ocr *ocr = NULL;
    vl_ocr_options ocr_options = vl_ocr_options_default();
    if (vl_ocr_new(&ocr_options, &ocr, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        totals *t = totals_of(all, &sets, rows[i].set);
        if (t)
            t->pictures++;
    }
    for (size_t i = 0; i < count; i++) {
        totals *t = totals_of(all, &sets, rows[i].set);
        if (!t || (options.only && strcmp(options.only, t->set) != 0))
            continue;
        size_t step = options.max ? (t->pictures + options.max - 1) / options.max : 1;
        if (t->seen++ % step)
            continue;
        t->read++;
        if (read_row(ocr, &rows[i], t, &error)) {
            t->failed++;
            printf("%s\tFAILED\t%s\n", rows[i].image, error.message);
        }
    }
    printf("%-22s %5s %7s %9s %12s %9s\n", "set", "read", "failed", "CER %", "other script",
           "ms each");
    for (size_t i = 0; i < sets; i++)
        if (all[i].read)
            printf("%-22s %5zu %7zu %9.2f %12zu %9.0f\n", all[i].set, all[i].read,
                   all[i].failed,
                   100.0 * (double)all[i].edits / (double)(all[i].length ? all[i].length : 1),
                   all[i].other_script, all[i].milliseconds / (double)all[i].read);
    vl_ocr_free(ocr);
    return 0;
}

static bool parse(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--detect") == 0)
            options.detect = true;
        else if (strcmp(argv[i], "--verbose") == 0)
            options.verbose = true;
        else if (strcmp(argv[i], "--max") == 0 && i + 1 < argc)
            options.max = (size_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--set") == 0 && i + 1 < argc)
            options.only = argv[++i];
        else if (argv[i][0] != '-' && !options.folder)
            options.folder = argv[i];
        else
            return false;
    }
    return options.folder != NULL;
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    static row rows[ROWS_MAX];
    char path[1024];
    vl_buf manifest;
    vl_error error;
    if (!parse(argc, argv)) {
        fprintf(stderr, "usage: ocr_scans FOLDER [--detect] [--max N] [--set NAME] "
                        "[--verbose]\n");
        return 2;
    }
    vl_buf_init(&manifest, FILE_MAX);
    snprintf(path, sizeof path, "%s/MANIFEST.tsv", options.folder);
    if (vl_file_read(path, FILE_MAX, &manifest, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 3;
    }
    int rc = run(rows, load_manifest(manifest.data, rows));
    vl_buf_deinit(&manifest);
    return rc;
}
