/* store_erasure.c — what an operator hands over of people who were erased, and of keys: the
 * file of tombstones, a receipt, a list of master keys, a sealed text. */
#include "store/seal.h"
#include "store/subjects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_tombstones(const uint8_t *data, size_t size) {
    char path[64];
    tombstones all = {0};
    snprintf(path, sizeof path, "/tmp/fuzz-erasures-%ld", (long)getpid());
    if (!vl_file_write(path, data, size, NULL) && !tombstones_read_file(path, &all, NULL))
        for (size_t i = 0; i < all.count; i++)
            if (strlen(all.rows[i].mark) != VL_SUBJECT_MARK_SIZE - 1 || !all.rows[i].receipt)
                abort();
    tombstones_free(&all);
    unlink(path);
}

/* Nothing that was not sealed here opens, also under the name of a key that is here. */
static void open_text(const char *text) {
    static const char key[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    static vl_vault *vault;
    static master_key named[VL_MASTER_KEYS_MAX];
    size_t count;
    vl_buf out, sealed;
    if (!vault) {
        char folder[64];
        snprintf(folder, sizeof folder, "/tmp/fuzz-vault-%ld", (long)getpid());
        if (vl_vault_open(NULL, folder, key, &vault, NULL) ||
            master_keys_read(key, named, &count, NULL))
            abort();
        rmdir(folder);
    }
    vl_buf_init(&out, 1 << 20);
    vl_buf_init(&sealed, 1 << 20);
    vl_buf_printf(&sealed, "%s:", named[0].id);
    vl_buf_puts(&sealed, text);
    if (!vl_vault_unseal(vault, "fuzz", text, &out, NULL) ||
        !vl_vault_unseal(vault, "fuzz", sealed.data, &out, NULL))
        abort();
    vl_buf_deinit(&out);
    vl_buf_deinit(&sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const vl_store store = {.secret =
                                       (char *)(uintptr_t) "a secret of the fuzzer alone"};
    master_key keys[VL_MASTER_KEYS_MAX];
    size_t count = 0;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    read_tombstones(data, size);
    if (!vl_receipt_verify(&store, text, size, NULL))
        abort();
    if (!master_keys_read(text, keys, &count, NULL) && (!count || count > VL_MASTER_KEYS_MAX))
        abort();
    open_text(text);
    free(text);
    return 0;
}
