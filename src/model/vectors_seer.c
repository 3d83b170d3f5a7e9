/* vectors_seer.c — the name under which an index keeps the vectors of a seer. */
#include "model/seer_use.h"

#include <stdio.h>
#include <string.h>

void vl_vectors_model_of(const vl_seer *seer, char out[VL_VECTORS_MODEL_SIZE]) {
    enum { SAMPLE = 4096, SHOWN = 16 };
    char hex[VL_SHA256_HEX_SIZE];
    vl_sha256 *hash = vl_sha256_new();
    vl_sha256_update(hash, &seer->config.picture, sizeof seer->config.picture);
    for (size_t i = 0; i < vl_gguf_tensor_count(seer->file); i++) {
        const vl_tensor *tensor = vl_gguf_tensor(seer->file, i);
        vl_sha256_update(hash, tensor->data, tensor->bytes < SAMPLE ? tensor->bytes : SAMPLE);
    }
    vl_sha256_finish(hash, hex);
    snprintf(out, VL_VECTORS_MODEL_SIZE, "%.24s %.31s %.15s %.*s", vl_seer_name(seer),
             *vl_seer_version(seer) ? vl_seer_version(seer) : "-", vl_seer_format(seer), SHOWN,
             hex);
    for (char *c = out; *c; c++) /* versions come from files, and an index takes plain text */
        if ((unsigned char)*c < 0x20 || *c == 0x7F || (unsigned char)*c >= 0x80)
            *c = '?';
}
