/* Any bytes as a dictionary: they are read, or refused with a message. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <vislang/align.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vl_lexicon *lexicon;
    vl_error error = {0};
    if (vl_lexicon_parse((const char *)data, size, &lexicon, &error)) {
        if (lexicon || !*error.message)
            abort();
        return 0;
    }
    for (size_t i = 0; i < vl_lexicon_count(lexicon); i++) {
        const vl_lexicon_pair *pair = vl_lexicon_pair_at(lexicon, i);
        if (!*pair->source || !*pair->target || strchr(pair->source, '\n'))
            abort();
    }
    vl_lexicon_free(lexicon);
    return 0;
}
