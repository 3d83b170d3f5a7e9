/* instruct.c — how long examples take: bench_instruct [COUNT] makes those of COUNT passages
 * (default 20,000) in three languages, with a page picture and without, on one thread. */
#include "dataset/instruct.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *text, *language;
} passages[] = {
    {"The floods of 14 March 2024 displaced 12,500 people in the lower valley, and the roads "
     "to "
     "the camps were cut for three weeks while the water rose.",
     "eng"},
    {"Les inondations du 3 août 2024 ont déplacé 12 500 personnes dans la vallée, et les "
     "routes "
     "vers les camps ont été coupées pendant trois semaines.",
     "fra"},
    {"Mafuriko yaliwahamisha watu 12,500 katika bonde la chini, na barabara za kambi "
     "zilikatika "
     "kwa wiki tatu wakati maji yalipopanda juu sana.",
     "swa"},
};

static vl_status run(const phrases *served, size_t passage_count, bool picture,
                     vl_error *error) {
    vl_part part = {.kind = VL_PART_PARAGRAPH, .caption = VL_PART_NONE, .certainty = 1};
    vl_parts parts = {.parts = &part, .part_count = 1};
    instruct_options options = instruct_options_default();
    vl_arena *arena = vl_arena_new(16 << 20);
    size_t all = 0, count;
    int64_t start = vl_clock_ns();
    vl_status status = arena ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for an arena");
    for (size_t i = 0; i < passage_count && !status; i++) {
        size_t which = i % (sizeof passages / sizeof *passages);
        instruct_subject subject = {.parts = &parts,
                                    .text = passages[which].text,
                                    .language = passages[which].language,
                                    .script = "Latn",
                                    .has_picture = picture,
                                    .has_region = picture};
        example *examples;
        part.text = subject.text;
        options.seed = i;
        status = instruct_examples(served, &subject, &options, arena, &examples, &count, error);
        all += count;
        vl_arena_reset(arena);
    }
    double microseconds = 1000 * vl_clock_ms_since(start);
    if (!status)
        printf("%s a picture: %zu passages, %zu examples, %.1f us a passage, %.1f an example\n",
               picture ? "with" : "without", passage_count, all,
               microseconds / (double)passage_count, microseconds / (double)all);
    vl_arena_free(arena);
    return status;
}

int main(int argc, char **argv) {
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    phrases *served = NULL;
    vl_error error = {0};
    int64_t start = vl_clock_ns();
    vl_status status = phrases_open(NULL, &served, &error);
    if (!status)
        printf("%zu languages read in %.0f ms\n", phrases_count(served),
               vl_clock_ms_since(start));
    for (int picture = 0; picture < 2 && count && !status; picture++)
        status = run(served, count, picture, &error);
    if (status)
        fprintf(stderr, "bench_instruct: %s\n", error.message);
    phrases_free(served);
    return vl_status_exit_code(status);
}
