/* train_corpus.h — a folder with texts of invented languages, and recipes that are refused, for
 * the tests of what is trained on text. */
#ifndef TRAIN_CORPUS_H
#define TRAIN_CORPUS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <vislang/train.h>

static char folder[] = "/tmp/vislang-train-XXXXXX";

/* One of four paths at a time: `slot` says which. */
static inline const char *in_folder(const char *name, int slot) {
    static char paths[4][256];
    snprintf(paths[slot], sizeof paths[slot], "%s/%s", folder, name);
    return paths[slot];
}

/* Lines of words of three of the given syllables. */
static inline void write_language(const char *name, const char *const *syllables, size_t count,
                                  size_t lines, size_t words) {
    uint32_t seed = 7;
    gzFile file = gzopen(in_folder(name, 0), "wb");
    assert_non_null(file);
    for (size_t line = 0; line < lines; line++)
        for (size_t word = 0; word < words; word++) {
            for (size_t i = 0; i < 3; i++) {
                seed = seed * 1664525u + 1013904223u;
                gzputs(file, syllables[(seed >> 16) % count]);
            }
            gzputs(file, word + 1 == words ? "\n" : " ");
        }
    gzclose(file);
}

static inline int remove_folder(void **state) {
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command) ? -1 : 0;
}

typedef struct refused {
    const char *recipe;
    vl_status status;
    const char *says;
} refused;

/* Each of the recipes is refused so, and nothing is written. */
static inline void check_refused(const refused *rows, size_t count,
                                 vl_status (*train)(const char *recipe, const char *out,
                                                    vl_error *error)) {
    for (size_t i = 0; i < count; i++) {
        vl_error error = {0};
        vl_status status = train(rows[i].recipe, in_folder("none", 1), &error);
        if (status != rows[i].status || !strstr(error.message, rows[i].says))
            fail_msg("%s → %s: %s", rows[i].recipe, vl_status_name(status), error.message);
        assert_int_not_equal(access(in_folder("none", 1), F_OK), 0);
    }
}

#endif
