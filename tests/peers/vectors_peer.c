/* vectors_peer.c — the product's side of test_fasttext.py.
 *
 * vectors_peer show FILE MAX < WORDS     "dimensions count", then a line a word of standard
 * input: its frequency and vector, or "-" vectors_peer vec|bin IN OUT            reads any file
 * of vectors and writes it as .vec or .bin */
#include <vislang/align.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const vl_error *error) {
    fprintf(stderr, "%s\n", error->message);
    return 1;
}

static void show(const vl_embeddings *e) {
    static char line[4096];
    float row[VL_EMBEDDINGS_MAX_DIM];
    printf("%u %zu\n", vl_embeddings_dim(e), vl_embeddings_count(e));
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        size_t index = vl_embeddings_find(e, line);
        if (vl_embeddings_of(e, line, row, NULL)) {
            puts("-");
            continue;
        }
        printf("%" PRIu64, index == SIZE_MAX ? 0 : vl_embeddings_frequency(e, index));
        for (uint32_t i = 0; i < vl_embeddings_dim(e); i++)
            printf(" %.9g", (double)row[i]);
        puts("");
    }
}

int main(int argc, char **argv) {
    vl_embeddings *e;
    vl_error error = {0};
    if (argc != 4)
        return 2;
    bool shows = !strcmp(argv[1], "show");
    if (vl_embeddings_read(argv[2], shows ? strtoul(argv[3], NULL, 10) : 0, &e, &error))
        return fail(&error);
    vl_status status = VL_OK;
    if (shows)
        show(e);
    else if (!strcmp(argv[1], "vec"))
        status = vl_embeddings_write_vec(e, argv[3], &error);
    else
        status = vl_embeddings_write_bin(e, argv[3], &error);
    vl_embeddings_free(e);
    return status ? fail(&error) : 0;
}
