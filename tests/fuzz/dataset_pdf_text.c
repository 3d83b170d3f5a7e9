/* Any bytes as what poppler's programs print, and the words of it through the measure of
 * rubbish. */
#include "dataset/pdf_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAGES = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    pdf_page_text pages[PAGES] = {0};
    if (!arena)
        arena = vl_arena_new(64 << 20);
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    bool fits = pdf_text_parse(text, PAGES, arena, pages);
    pdf_images_parse(text, 0, PAGES, pages);
    for (size_t i = 0; fits && i < PAGES; i++) {
        pdf_rubbish measured;
        pdf_text_order(&pages[i], arena);
        if (!(pages[i].scanned >= 0 && pages[i].scanned <= 1))
            abort();
        if (pdf_rubbish_measure(&pages[i], NULL, NULL, arena, &measured) &&
            !(measured.score >= 0 && measured.score <= 1))
            abort();
    }
    vl_arena_reset(arena);
    free(text);
    return 0;
}
