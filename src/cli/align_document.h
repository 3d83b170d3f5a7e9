/* align_document.h — the sentences of any document, for the commands that align. */
#ifndef VISLANG_CLI_ALIGN_DOCUMENT_H
#define VISLANG_CLI_ALIGN_DOCUMENT_H

#include "cli/cli.h"

#include <vislang/align.h>
#include <vislang/text.h>

typedef struct align_document {
    const char *path;
    const char **texts; /* [count], NFC */
    size_t count;
    char language[VL_LANG_SIZE]; /* as vl_lang_code; "und": not known */
    bool rtl;
    float *rows; /* [count][width], or NULL */
    uint32_t width;
} align_document;
/* The sentences of plain text, or of any document `dataset parts` reads; "-" is standard input.
 * `lines`: each line of plain text is one. `language` NULL: found in the text. All in the
 * arena, but rows, which it has none of. */
vl_status align_document_read(vl_arena *arena, const char *path, const char *language,
                              bool lines, align_document *document, vl_error *error);
/* Rows of its sentences from a file of word vectors, in the arena. */
vl_status align_document_encode(vl_arena *arena, align_document *document, const char *vectors,
                                vl_error *error);

/* Both operands, by --lines, --src and --tgt; with rows from --src-vectors and --tgt-vectors,
 * else from the bundled space where it has both languages. `lines_of_pairs`: by lines, without
 * rows.
 */
vl_status align_documents_read(const cli_args *args, bool lines_of_pairs, vl_arena *arena,
                               align_document documents[2], vl_error *error);
/* The space of --space, or the bundled one; NULL, and a note on standard error, when it has not
 * got both languages. The caller frees it. */
vl_status align_documents_space(const cli_args *args, const align_document documents[2],
                                vl_space **space, vl_error *error);
/* What the alignment is made from; `space` may be NULL. */
vl_sentences align_document_sentences(const align_document *document, const vl_space *space);
/* The texts of `count` sentences from `first`, with a space between them. NULL: arena full. */
const char *align_document_joined(vl_arena *arena, const align_document *document, size_t first,
                                  size_t count);

/* VL_ERR_USAGE when `out`, the value of --`flag`, is one of the files that are read, by
 * whatever name; `out` NULL is none. */
vl_status align_check_output(const char *flag, const char *out, const char *const *paths,
                             size_t count, vl_error *error);

/* The page `align sentences --html` writes: both side by side. */
void align_html_write(const align_document documents[2], const vl_alignment *alignment,
                      vl_arena *arena, vl_buf *out);

#endif
