/* make_tiny_seer.c — `make_tiny_seer OUT.gguf [THRESHOLD [FOLDER INDEX [NAME]]]` writes the
 * model of tiny_seer.h and, with FOLDER, the index of its pictures, made by the model NAME. */
#include "tiny_seer.h"

#include <stdio.h>
#include <stdlib.h>

static vl_status embed(void *session, size_t worker, const vl_image *image, float *vector,
                       vl_error *error) {
    (void)worker;
    vl_status status = vl_seer_session_look(session, image, error);
    if (!status)
        vl_seer_picture_embedding(session, vector);
    return status;
}

static vl_status index_folder(const char *model, const char *folder, const char *path,
                              const char *name, vl_error *error) {
    vl_seer *seer = NULL;
    vl_vectors *vectors = NULL;
    vl_vectors_report report;
    vl_status status = vl_seer_open(model, &seer, error);
    vl_seer_session *session = status ? NULL : vl_seer_session_new(seer);
    if (!status && !session)
        status = vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status) {
        vl_vectors_folder how = vl_vectors_folder_default();
        how.folder = folder;
        how.index = path;
        how.model = name;
        how.size = vl_seer_vector_size(seer);
        how.threads = 1;
        how.embed = embed;
        how.user = session;
        status = vl_vectors_refresh(&how, &report, &vectors, error);
    }
    vl_vectors_free(vectors);
    vl_seer_session_free(session);
    vl_seer_free(seer);
    return status;
}

int main(int argc, char **argv) {
    vl_error error = {0};
    if (argc < 2 || argc == 4 || argc > 6) {
        fprintf(stderr, "usage: make_tiny_seer OUT.gguf [THRESHOLD [FOLDER INDEX [NAME]]]\n");
        return 2;
    }
    vl_status status = tiny_seer_write(argv[1], argc > 2 ? atof(argv[2]) : 0, &error);
    if (!status && argc >= 5)
        status =
            index_folder(argv[1], argv[3], argv[4], argc > 5 ? argv[5] : "seer tiny-1", &error);
    if (status)
        fprintf(stderr, "make_tiny_seer: %s\n", error.message);
    return vl_status_exit_code(status);
}
