/* langid.c — what language identification says beside Debian's CLD2 and libexttextcat, on the
 * same texts in the same run; bench/langid/run.py makes tables of it.
 *
 * bench_langid TEXTS.tsv ANSWERS.tsv [MODEL.bin]
 *   TEXTS: what `vislang train langid --held-out` writes: code, file, characters, text.
 *   ANSWERS: a line a text: code, file, characters, then what each detector says, and last our
 *   probability. Codes are as vl_lang_code gives them; "und" is "I do not know".
 *   Standard output: JSON, characters a second of processor time of each detector by length.
 *
 * CLD2 runs with its larger tables (libcld2_full), which know 160 languages instead of 80. Both
 * peers are asked twice: as they answer by themselves, and for their best guess where they
 * would say that they do not know (CLD2's flag for short texts; the nearest of textcat's
 * profiles). */
#include <vislang/text.h>

#include <libexttextcat/textcat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_BYTES = 256 << 20, MAX_LENGTHS = 8, PASSES = 3, TIMED = 1000 };

static _Noreturn void give_up(const char *what) {
    fprintf(stderr, "bench_langid: %s\n", what);
    exit(1);
}

/* ---- CLD2 -------------------------------------------------------------------------- */

/* Its header is C++. These are the functions of cld2/public/compact_lang_det.h by the names
 * that they have in the library, so that no second compiler is needed; Language is an enum. */
extern int cld2_detect(const char *text, int bytes, bool plain, const void *hints, int flags,
                       int languages[3], int percents[3], double scores[3], void *chunks,
                       int *text_bytes,
                       bool *reliable) __asm__("_ZN4CLD224ExtDetectLanguageSummaryEPKcibPKNS_"
                                               "8CLDHintsEiPNS_8LanguageEPiPdPSt6vecto"
                                               "rINS_11ResultChunkESaISA_EES7_Pb");
extern const char *cld2_code(int language) __asm__("_ZN4CLD212LanguageCodeENS_8LanguageE");
extern const char *cld2_version(void) __asm__("_ZN4CLD221DetectLanguageVersionEv");

static const char *ask_cld2(const char *text, int flags) {
    /* CLDHints: none, none, UNKNOWN_ENCODING, UNKNOWN_LANGUAGE. */
    static const struct {
        const char *content_language, *domain;
        int encoding, language;
    } no_hints = {NULL, NULL, 23, 26};
    int languages[3], percents[3], text_bytes;
    double scores[3];
    bool reliable;
    return cld2_code(cld2_detect(text, (int)strlen(text), true, &no_hints, flags, languages,
                                 percents, scores, NULL, &text_bytes, &reliable));
}

/* ---- the detectors ------------------------------------------------------------------ */

typedef struct bench {
    vl_langid *langid;
    void *textcat;
    double probability; /* of the last answer of ours */
} bench;

typedef const char *(*ask_fn)(bench *b, const char *text);

static const char *ours(bench *b, const char *text) {
    static char code[VL_LANG_SIZE];
    vl_lang_guess guess;
    if (!vl_langid_guess(b->langid, text, 1, &guess))
        give_up("no guess");
    b->probability = guess.probability;
    memcpy(code, guess.code, sizeof code);
    return code;
}

static const char *cld2(bench *b, const char *text) {
    (void)b;
    return ask_cld2(text, 0);
}

static const char *cld2_best(bench *b, const char *text) {
    enum { BEST_EFFORT = 0x4000 }; /* kCLDFlagBestEffort */
    (void)b;
    return ask_cld2(text, BEST_EFFORT);
}

/* "[sw--utf8][ts--utf8]…", best first, or UNKNOWN, or SHORT. */
static const char *textcat(bench *b, const char *text) {
    const char *said = textcat_Classify(b->textcat, text, strlen(text));
    return *said == '[' ? said + 1 : "und";
}

static const struct {
    const char *name;
    ask_fn ask;
} detectors[] = {
    {"vislang", ours}, {"cld2", cld2}, {"cld2 best effort", cld2_best}, {"textcat", textcat}};
enum { DETECTORS = sizeof detectors / sizeof *detectors };

/* "zh-Hant" and "zh-TW-utf8" are Chinese; codes that ISO 639 has withdrawn, too. */
static const char *language(const char *said) {
    static const char *const old[][2] = {
        {"un", "und"}, {"jw", "jav"}, {"iw", "heb"}, {"mo", "ron"}, {"sh", "hbs"}};
    static char code[VL_LANG_SIZE];
    size_t length = strcspn(said, "-]");
    if (length >= sizeof code)
        return "und";
    memcpy(code, said, length);
    code[length] = '\0';
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (!strcmp(code, old[i][0]))
            return vl_lang_code(old[i][1]);
    return vl_lang_code(code);
}

/* ---- texts --------------------------------------------------------------------------- */

typedef struct sample {
    char *code, *file, *length, *text;
} sample;

/* Splits the file's lines in place. */
static sample *split(vl_buf *file, size_t *count) {
    size_t lines = 0;
    for (size_t i = 0; i < file->len; i++)
        lines += file->data[i] == '\n';
    sample *samples = calloc(lines + 1, sizeof *samples);
    if (!samples)
        give_up("out of memory");
    *count = 0;
    for (char *at = file->data, *end; (end = strchr(at, '\n')); at = end + 1) {
        sample *s = &samples[*count];
        *end = '\0';
        s->code = strsep(&at, "\t");
        s->file = strsep(&at, "\t");
        s->length = strsep(&at, "\t");
        s->text = at;
        if (!s->text)
            give_up("a line has no four fields");
        ++*count;
    }
    return samples;
}

static void write_answers(bench *b, const sample *samples, size_t count, const char *path) {
    FILE *out = fopen(path, "w");
    if (!out)
        give_up(path);
    for (size_t i = 0; i < count; i++) {
        const sample *s = &samples[i];
        fprintf(out, "%s\t%s\t%s", vl_lang_code(s->code), s->file, s->length);
        for (size_t d = 0; d < DETECTORS; d++)
            fprintf(out, "\t%s", language(detectors[d].ask(b, s->text)));
        fprintf(out, "\t%.4f\n", b->probability);
    }
    if (fclose(out))
        give_up(path);
}

/* ---- speed --------------------------------------------------------------------------- */

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t characters(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

/* The best of some passes over TIMED texts of that length, from all over the file. */
static double characters_a_second(bench *b, ask_fn ask, const sample *samples, size_t count,
                                  const char *length) {
    double best = 0;
    size_t of_length = 0;
    for (size_t i = 0; i < count; i++)
        of_length += !strcmp(samples[i].length, length);
    size_t stride = of_length / TIMED + 1;
    for (int pass = 0; pass < PASSES; pass++) {
        size_t sum = 0, seen = 0;
        double start = cpu_seconds();
        for (size_t i = 0; i < count; i++)
            if (!strcmp(samples[i].length, length) && seen++ % stride == 0) {
                ask(b, samples[i].text);
                sum += characters(samples[i].text);
            }
        double seconds = cpu_seconds() - start;
        if (seconds > 0 && (double)sum / seconds > best)
            best = (double)sum / seconds;
    }
    return best;
}

static void print_speeds(bench *b, const sample *samples, size_t count) {
    const char *lengths[MAX_LENGTHS];
    size_t length_count = 0;
    for (size_t i = 0; i < count; i++) {
        size_t l = 0;
        while (l < length_count && strcmp(lengths[l], samples[i].length) != 0)
            l++;
        if (l == length_count && l < MAX_LENGTHS)
            lengths[length_count++] = samples[i].length;
    }
    printf("{\"versions\": {\"cld2\": \"%s\", \"textcat\": \"%s\"},\n \"detectors\": [",
           cld2_version(), textcat_Version());
    for (size_t d = 0; d < DETECTORS; d++)
        printf("%s\"%s\"", d ? ", " : "", detectors[d].name);
    printf("],\n \"characters_per_s\": {");
    for (size_t d = 0; d < DETECTORS; d++) {
        printf("%s\"%s\": {", d ? ",\n  " : "", detectors[d].name);
        for (size_t l = 0; l < length_count; l++)
            printf("%s\"%s\": %.0f", l ? ", " : "", lengths[l],
                   characters_a_second(b, detectors[d].ask, samples, count, lengths[l]));
        printf("}");
    }
    printf("}}\n");
}

int main(int argc, char **argv) {
    bench b = {0};
    vl_error error;
    vl_buf file;
    size_t count;
    if (argc != 3 && argc != 4)
        give_up("usage: bench_langid TEXTS.tsv ANSWERS.tsv [MODEL.bin]");
    vl_buf_init(&file, MAX_BYTES);
    if (vl_file_read(argv[1], MAX_BYTES - 1, &file, &error) ||
        vl_langid_open(argc > 3 ? argv[3] : NULL, &b.langid, &error))
        give_up(error.message);
    vl_buf_append(&file, "", 1);
    b.textcat = special_textcat_Init(TEXTCAT_PROFILES "/fpdb.conf", TEXTCAT_PROFILES "/");
    if (!b.textcat)
        give_up(TEXTCAT_PROFILES "/fpdb.conf: the profiles cannot be read");
    sample *samples = split(&file, &count);
    write_answers(&b, samples, count, argv[2]);
    print_speeds(&b, samples, count);
    free(samples);
    textcat_Done(b.textcat);
    vl_langid_free(b.langid);
    vl_buf_deinit(&file);
    return 0;
}
