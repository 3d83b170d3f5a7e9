/* duplicates.c — how fast near duplicates are found, and in how much memory: our own part of
 * bench/duplicates/run.py.
 *
 * bench_duplicates texts FILE MEMORY_MB OUT: a text a line; clusters go to OUT as lines of
 * "ITEM CLUSTER" (numbers of lines, from 0).
 * bench_duplicates made COUNT MEMORY_MB OUT: texts of 40 words of its own making, each tenth a
 * near duplicate of the one before (a word of 40 is another).
 * bench_duplicates pictures COUNT MEMORY_MB OUT: random hashes, each tenth 1 to 6 bits from the
 * one before.
 * bench_duplicates photos FOLDER MOST -: how far the hashes of MOST pictures are from those of
 * the same pictures changed in many ways, and from each other. Prints one JSON object. One
 * thread; times are its processor time. */
#include "dataset/duplicates.h"
#include "dataset/phash.h"

#include <dirent.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vislang/base.h>

enum { MADE_WORDS = 40, EVERY = 10, TEXT_ROOM = 1024 };

static _Noreturn void give_up(const char *what) {
    fprintf(stderr, "bench_duplicates: %s\n", what);
    exit(1);
}

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add(vl_duplicates *d, vl_arena *arena, const vl_duplicates_item *item) {
    vl_error error;
    if (vl_duplicates_add(d, arena, item, &error))
        give_up(error.message);
}

/* ---- what is added ---------------------------------------------------------------- */

/* Returns how many; time spent on reading lines is not counted in *seconds. */
static uint64_t add_lines(vl_duplicates *d, vl_arena *arena, const char *path,
                          double *seconds) {
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    uint64_t count = 0;
    if (!file)
        give_up("no such file of texts");
    while (getline(&line, &room, file) > 0) {
        double start = cpu_seconds();
        add(d, arena, &(vl_duplicates_item){.id = count++, .text = line});
        *seconds += cpu_seconds() - start;
    }
    free(line);
    fclose(file);
    return count;
}

/* Frequent words are drawn more often, as in a language: number (u^3) of 50,000. */
static void make_text(uint64_t seed, bool edited, char *out) {
    size_t at = 0;
    for (size_t i = 0; i < MADE_WORDS; i++) {
        double u = vl_random_uniform(&seed);
        at += (size_t)snprintf(out + at, TEXT_ROOM - at, "%s%x ",
                               edited && i == MADE_WORDS / 2 ? "other" : "",
                               (unsigned)(u * u * u * 50000));
    }
}

static void add_made(vl_duplicates *d, vl_arena *arena, uint64_t count, double *seconds) {
    char text[TEXT_ROOM];
    for (uint64_t i = 0; i < count; i++) {
        bool edited = i % EVERY == EVERY - 1;
        make_text(i - edited, edited, text);
        double start = cpu_seconds();
        add(d, arena, &(vl_duplicates_item){.id = i, .text = text});
        *seconds += cpu_seconds() - start;
    }
}

static void add_pictures(vl_duplicates *d, vl_arena *arena, uint64_t count, double *seconds) {
    uint64_t seed = 1, hash = 0;
    double start = cpu_seconds();
    for (uint64_t i = 0; i < count; i++) {
        if (i % EVERY != EVERY - 1)
            hash = vl_random_next(&seed);
        else
            for (uint64_t flips = 1 + i % 6; flips; flips--)
                hash ^= UINT64_C(1) << vl_random_below(&seed, 64);
        add(d, arena, &(vl_duplicates_item){.id = i, .has_picture = true, .picture = hash});
    }
    *seconds += cpu_seconds() - start;
}

/* ---- what comes out --------------------------------------------------------------- */

static void write_clusters(vl_duplicates *d, const char *path) {
    vl_duplicates_member m;
    FILE *file = fopen(path, "w");
    if (!file)
        give_up("the clusters cannot be written");
    while (vl_duplicates_next(d, &m))
        fprintf(file, "%llu %llu\n", (unsigned long long)m.id, (unsigned long long)m.cluster);
    if (fclose(file))
        give_up("the clusters cannot be written");
}

/* VmHWM and not getrusage's, in which a process begins with what its parent had. */
static long peak_kb(void) {
    char line[256];
    long kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    if (file)
        fclose(file);
    return kb;
}

/* ---- changed pictures ------------------------------------------------------------- */

static vl_image *must(vl_image *image) {
    if (!image)
        give_up("out of memory");
    return image;
}

static vl_image *decoded(const vl_buf *bytes) {
    const vl_media_limits limits = vl_media_limits_default();
    vl_image *image;
    vl_error error;
    if (vl_document_first(bytes->data, bytes->len, &limits, &image, &error))
        give_up(error.message);
    return image;
}

static vl_image *scaled(const vl_image *of, double share) {
    return must(
        vl_image_resize(of, (uint32_t)(of->width * share), (uint32_t)(of->height * share)));
}

static vl_image *recompressed(const vl_image *of, double quality) {
    vl_buf bytes;
    vl_buf_init(&bytes, 64 << 20);
    if (vl_image_encode_jpeg(of, (int)quality, &bytes, NULL))
        give_up("out of memory");
    vl_image *image = decoded(&bytes);
    vl_buf_deinit(&bytes);
    return image;
}

/* Less `share` of each side. */
static vl_image *cropped(const vl_image *of, double share) {
    uint32_t left = (uint32_t)(of->width * share), top = (uint32_t)(of->height * share);
    vl_image *image;
    if (vl_image_new(of->width - 2 * left, of->height - 2 * top, of->channels, &image, NULL))
        give_up("out of memory");
    for (uint32_t y = 0; y < image->height; y++)
        memcpy(image->pixels + y * image->stride,
               of->pixels + (y + top) * of->stride + (size_t)left * of->channels,
               (size_t)image->width * of->channels);
    return image;
}

static vl_image *brightened(const vl_image *of, double gain) {
    vl_image *image = must(vl_image_copy(of));
    for (size_t i = 0; i < image->stride * image->height; i++) {
        double v = gain * image->pixels[i];
        image->pixels[i] = (uint8_t)(v < 255 ? v : 255);
    }
    return image;
}

static const struct change {
    const char *name;
    vl_image *(*make)(const vl_image *of, double by);
    double by;
} changes[] = {
    {"half as large", scaled, 0.5},
    {"a quarter as large", scaled, 0.25},
    {"twice as large", scaled, 2},
    {"JPEG quality 50", recompressed, 50},
    {"JPEG quality 10", recompressed, 10},
    {"brighter by 20 %", brightened, 1.2},
    {"darker by 40 %", brightened, 0.6},
    {"1 % of each side cut off", cropped, 0.01},
    {"2 % of each side cut off", cropped, 0.02},
    {"5 % of each side cut off", cropped, 0.05},
    {"10 % of each side cut off", cropped, 0.1},
};
enum { CHANGES = sizeof changes / sizeof *changes, BITS = 65 };

static uint64_t hash_of(const vl_image *image, bool *found) {
    uint64_t hash;
    if (phash_of(image, &hash, found, NULL))
        give_up("out of memory");
    return hash;
}

static void print_distances(const char *name, const uint64_t counts[BITS]) {
    uint64_t all = 0, within = 0, sum = 0;
    for (size_t bits = 0; bits < BITS; bits++) {
        all += counts[bits];
        sum += bits * counts[bits];
        within += bits <= 6 ? counts[bits] : 0;
    }
    printf(", \"%s\": {\"pairs\": %llu, \"mean\": %.2f, \"within_6\": %.6f}", name,
           (unsigned long long)all, (double)sum / (double)all, (double)within / (double)all);
}

static void measure_photos(const char *folder, size_t most) {
    static uint64_t counts[CHANGES + 1][BITS];
    uint64_t *hashes = calloc(most ? most : 1, sizeof *hashes);
    size_t count = 0, plain = 0;
    DIR *dir = opendir(folder);
    if (!dir || !hashes)
        give_up("no such folder of pictures");
    for (struct dirent *entry; count < most && (entry = readdir(dir));) {
        char path[4096];
        vl_buf bytes;
        bool found;
        if (!strstr(entry->d_name, ".jpg"))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        vl_buf_init(&bytes, 64 << 20);
        if (vl_file_read(path, 64 << 20, &bytes, NULL))
            give_up("a picture cannot be read");
        vl_image *image = decoded(&bytes);
        vl_buf_deinit(&bytes);
        hashes[count] = hash_of(image, &found);
        for (size_t i = 0; found && i < CHANGES; i++) {
            vl_image *changed = changes[i].make(image, changes[i].by);
            counts[i][phash_distance(hashes[count], hash_of(changed, &found))]++;
            vl_image_free(changed);
        }
        vl_image_free(image);
        plain += !found;
        count += found;
    }
    closedir(dir);
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b < a; b++)
            counts[CHANGES][phash_distance(hashes[a], hashes[b])]++;
    printf("{\"pictures\": %zu, \"without_hash\": %zu", count, plain);
    for (size_t i = 0; i < CHANGES; i++)
        print_distances(changes[i].name, counts[i]);
    print_distances("two of them", counts[CHANGES]);
    printf("}\n");
    free(hashes);
}

int main(int argc, char **argv) {
    vl_error error;
    vl_duplicates *d;
    double adding = 0;
    if (argc != 5)
        give_up("usage: bench_duplicates texts|made|pictures|photos …: see its source");
    vl_duplicates_options options = vl_duplicates_options_default();
    if (strcmp(argv[1], "photos") == 0) {
        measure_photos(argv[2], strtoull(argv[3], NULL, 10));
        return 0;
    }
    options.memory = strtoull(argv[3], NULL, 10) << 20;
    vl_arena *arena = vl_arena_new(256 << 20);
    long before_kb = peak_kb();
    if (!arena || vl_duplicates_new(&options, &d, &error))
        give_up(arena ? error.message : "no memory");
    uint64_t count = strtoull(argv[2], NULL, 10);
    if (strcmp(argv[1], "texts") == 0)
        count = add_lines(d, arena, argv[2], &adding);
    else if (strcmp(argv[1], "made") == 0)
        add_made(d, arena, count, &adding);
    else if (strcmp(argv[1], "pictures") == 0)
        add_pictures(d, arena, count, &adding);
    else
        give_up("texts, made or pictures");
    double start = cpu_seconds();
    if (vl_duplicates_finish(d, &error))
        give_up(error.message);
    double finishing = cpu_seconds() - start;
    vl_duplicates_report report = vl_duplicates_counts(d);
    write_clusters(d, argv[4]);
    printf("{\"items\": %llu, \"clusters\": %llu, \"compared\": %llu, \"adding_s\": %.3f, "
           "\"finishing_s\": %.3f, \"spilled_mb\": %.1f, \"before_mb\": %.1f, "
           "\"peak_mb\": %.1f}\n",
           (unsigned long long)count, (unsigned long long)report.clusters,
           (unsigned long long)report.compared, adding, finishing, (double)report.spilled / 1e6,
           (double)before_kb / 1024, (double)peak_kb() / 1024);
    vl_duplicates_free(d);
    vl_arena_free(arena);
    return 0;
}
