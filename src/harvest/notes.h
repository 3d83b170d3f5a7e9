/* notes.h — what is said beside files about them: metadata.jsonl, as HuggingFace's imagefolder
 * has it ({"file_name": "a/b.pdf", "language": "sw", …} a line), and NAME.lang with a language.
 *
 * Lines are found by a hash of the file's path; only those of files that are asked for are
 * kept in memory. Thread-safety: one thread at a time. */
#ifndef VL_HARVEST_NOTES_H
#define VL_HARVEST_NOTES_H

#include <vislang/base.h>

enum { VL_NOTE_LINE_MAX = 1 << 20 };

typedef struct vl_notes vl_notes;
vl_status vl_notes_new(vl_notes **notes, vl_error *error);
void vl_notes_free(vl_notes *notes); /* NULL allowed */
/* Lines of a metadata.jsonl in the folder `folder` ("" or "a/b"). `fd` is taken over, in any
 * case. A line that is no object with a file_name is counted and left out. VL_ERR_LIMIT: more
 * lines than can be. */
vl_status vl_notes_add(vl_notes *notes, const char *folder, int fd, vl_error *error);
size_t vl_notes_bad(const vl_notes *notes);
/* Forgets those that were added for `folder`. */
void vl_notes_drop(vl_notes *notes, const char *folder);

typedef struct vl_note {
    const char *language, *licence, *title, *url; /* in the arena; NULL: not said */
    const char *publisher, *published;
    const char *raw; /* the line's object */
} vl_note;
/* What is said of the file `path` ("a/b/c.pdf"), in its own folder or one above. False:
 * nothing. */
bool vl_notes_find(vl_notes *notes, const char *path, vl_arena *arena, vl_note *note);

/* The language that the text of a NAME.lang says ("sw\n", "pt-BR"), else NULL. */
const char *vl_note_language(vl_arena *arena, const char *text, size_t bytes);

#endif
