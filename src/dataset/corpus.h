/* corpus.h — text files to render from: which there are, their lines, script and language.
 *
 * A text folder holds gzipped files at any depth: plain lines, or tables of which the last
 * column is text. Nothing here keeps state; files may be read from several threads. */
#ifndef VL_DATASET_CORPUS_H
#define VL_DATASET_CORPUS_H

#include <vislang/text.h>

enum { CORPUS_MAX_FILES = 4096, CORPUS_MAX_LINE = 1 << 16 };

typedef vl_status (*corpus_file_fn)(const char *path, void *user, vl_error *error);
/* Gives every file below `folder` whose name ends in `suffix`, in the order of their names. A
 * folder that cannot be read is VL_ERR_INPUT. */
vl_status corpus_walk(const char *folder, const char *suffix, corpus_file_fn give, void *user,
                      vl_error *error);

typedef struct corpus_limits {
    size_t max_lines; /* of a file: the first that are text */
    size_t max_bytes; /* of a line */
    bool split;       /* a longer line becomes several; false: it is cut */
} corpus_limits;

typedef struct corpus_lines {
    const char **items; /* UTF-8 as in the file: neither checked nor normalised */
    size_t count;
} corpus_lines;

/* Lines of a gzipped or plain file into the arena; of tab-separated columns the last. Lines
 * under six bytes or with markup (<>{}) are left out. */
vl_status corpus_read(vl_arena *arena, const char *path, const corpus_limits *limits,
                      corpus_lines *lines, vl_error *error);
/* The ISO 15924 code most lines agree on, "" when fewer than three in four of the first forty
 * do. Static storage. */
const char *corpus_script(const corpus_lines *lines);
/* The language a file's name says, as `vl_lang_short` writes it ("sw"), or "und": mono/swa,
 * en-sw.tsv, fr-ewe.train, tatoeba.swh-eng.swh, …_eng-swa_SWA, udhr/aka_asante. */
void corpus_language(const char *path, char language[VL_LANG_SIZE]);

#endif
