/* Any bytes through every function over text. */
#include <stdlib.h>
#include <string.h>
#include <vislang/text.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vl_arena *arena;
    if (!arena)
        arena = vl_arena_new(64 << 20);
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    const char *squeezed = vl_text_squeeze(arena, text);
    const char *nfc = vl_text_nfc(arena, text);
    if (nfc && vl_utf8_valid_prefix(nfc, strlen(nfc)) != strlen(nfc))
        abort();
    vl_text_script(text, NULL);
    vl_text_is_rtl(text);
    vl_text_grapheme_count(text);
    vl_text_visual_to_logical(arena, text);
    vl_edit_count count;
    if (squeezed && !vl_text_cer(text, squeezed, &count, NULL) && count.edits)
        abort(); /* a text does not differ from itself */
    vl_text_wer(text, "a reference", &count, NULL);
    vl_arena_reset(arena);
    free(text);
    return 0;
}
