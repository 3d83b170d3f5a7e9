/* make_tiny_seer.c — `make_tiny_seer OUT.gguf [THRESHOLD]` writes the model of tiny_seer.h. */
#include "tiny_seer.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    vl_error error = {0};
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: make_tiny_seer OUT.gguf [THRESHOLD]\n");
        return 2;
    }
    vl_status status = tiny_seer_write(argv[1], argc > 2 ? atof(argv[2]) : 0, &error);
    if (status)
        fprintf(stderr, "make_tiny_seer: %s\n", error.message);
    return vl_status_exit_code(status);
}
