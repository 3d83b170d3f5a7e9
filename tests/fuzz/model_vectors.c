/* model_vectors.c — any bytes as an index of vectors: as they are, and with the checksum made
 * right, which a file that means harm has too. Every picture is read and searched for. */
#include "model/vectors.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

static void use(const vl_vectors *index, size_t bytes) {
    size_t count = vl_vectors_count(index), size = vl_vectors_size(index);
    check(count <= bytes / sizeof(vectors_entry) && size && size <= VL_VECTORS_MAX_SIZE);
    check(*vl_vectors_model(index));
    float vector[VL_VECTORS_MAX_SIZE];
    vl_vectors_hit hits[8];
    size_t found;
    for (size_t i = 0; i < count; i++) {
        vl_vectors_picture picture;
        check(vl_vectors_at(index, i, &picture) && *picture.name);
        check(vl_vectors_find(index, picture.name) == i);
        vl_vectors_get(index, i, vector);
        for (size_t j = 0; j < size; j++)
            check(isfinite(vector[j]));
    }
    check(!vl_vectors_name(index, count));
    for (size_t j = 0; j < size; j++)
        vector[j] = j % 3 ? 0.5f : -0.25f;
    check(vl_vectors_search(index, vector, 8, hits, &found, NULL) == VL_OK);
    check(found == (count < 8 ? count : 8));
    for (size_t i = 0; i < found; i++) {
        check(hits[i].index < count && isfinite(hits[i].score));
        check(!i || hits[i - 1].score > hits[i].score ||
              (hits[i - 1].score == hits[i].score && hits[i - 1].index < hits[i].index));
    }
}

static void parse(const void *bytes, size_t size) {
    vl_vectors *index;
    vl_error error = {0};
    vl_status status = vl_vectors_parse(bytes, size, &index, &error);
    check(status == VL_OK ? index != NULL : !index && strstr(error.message, "byte "));
    if (status == VL_OK)
        use(index, size);
    vl_vectors_free(index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    void *bytes; /* aligned, and no byte longer than the input */
    if (posix_memalign(&bytes, VECTORS_ALIGNMENT, size ? size : 1) != 0)
        return 0;
    if (size)
        memcpy(bytes, data, size);
    parse(bytes, size);
    if (size > VECTORS_CHECKSUM_BYTES && (size - VECTORS_CHECKSUM_BYTES) % 32 == 0) {
        vectors_sum sum = vectors_sum_begin();
        vectors_sum_add(&sum, bytes, size - VECTORS_CHECKSUM_BYTES);
        uint64_t whole = vectors_sum_end(&sum);
        memcpy((char *)bytes + size - VECTORS_CHECKSUM_BYTES, &whole, sizeof whole);
        parse(bytes, size);
    }
    free(bytes);
    return 0;
}
