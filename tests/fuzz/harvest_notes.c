/* A metadata.jsonl from who knows where: lines that say something of a file are found again. */
#include "harvest/notes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const paths[] = {"a.txt", "b/c.pdf", "b/c/d.png"};
    vl_notes *notes;
    vl_note note;
    int fd = memfd_create("notes", MFD_CLOEXEC);
    vl_arena *arena = vl_arena_new(8 << 20);
    if (fd >= 0 && arena && !vl_notes_new(&notes, NULL)) {
        if (write(fd, data, size) == (ssize_t)size && !vl_notes_add(notes, "b", fd, NULL))
            for (size_t i = 0; i < 3; i++)
                if (vl_notes_find(notes, paths[i], arena, &note) && !note.raw)
                    abort();
        vl_notes_free(notes);
        vl_note_language(arena, (const char *)data, size);
    } else if (fd >= 0) {
        close(fd);
    }
    vl_arena_free(arena);
    return 0;
}
