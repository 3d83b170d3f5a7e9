/* Any bytes as a tokenizer file and, when it is one, the same bytes as a text: what is encoded
 * comes back, and what is written reads again. Any bytes as a text for a small tokenizer. */
#include <stdlib.h>
#include <string.h>
#include <vislang/text.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char small[] = "vislang-bpe 1\nspecials 1\n<pad>\nmerges 4\n"
                            "98 99\n33 98\n257 257\n196 170\n";

static void check(const vl_bpe *bpe, const uint8_t *text, size_t bytes) {
    int32_t *ids = malloc((bytes + 1) * sizeof *ids);
    size_t count;
    vl_buf out;
    vl_buf_init(&out, bytes + 1);
    if (!ids || vl_bpe_encode(bpe, (const char *)text, bytes, ids, bytes, &count, NULL) ||
        vl_bpe_decode(bpe, ids, count, &out, NULL) || out.len != bytes ||
        (bytes && memcmp(out.data, text, bytes)))
        abort();
    vl_buf_deinit(&out);
    free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vl_bpe *bpe;
    vl_error error;
    if (!vl_bpe_parse(data, size, &bpe, &error)) {
        vl_buf out;
        vl_buf_init(&out, size + 1);
        vl_bpe_serialize(bpe, &out);
        if (out.len != size || memcmp(out.data, data, size))
            abort();
        vl_buf_deinit(&out);
        check(bpe, data, size);
        vl_bpe_free(bpe);
    }
    if (vl_bpe_parse(small, sizeof small - 1, &bpe, &error))
        abort();
    check(bpe, data, size);
    vl_bpe_free(bpe);
    return 0;
}
