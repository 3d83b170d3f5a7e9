/* program.c — runs an OCR program on a picture, in the sandbox. */
#include "ocr/program.h"
#include "ocr/packs.h"

#include <leptonica/allheaders.h>
#include <stdio.h>
#include <string.h>

enum { OUTPUT_MAX = 64 << 20, LONGEST_S = 120 };

vl_status vl_program_read(const char *const *argv, const vl_engine_request *request,
                          vl_buf *out, vl_error *error) {
    vl_error local;
    l_uint8 *pnm = NULL;
    size_t bytes = 0;
    if (!error)
        error = &local;
    vl_child_options options = vl_child_options_default();
    options.max_seconds = LONGEST_S;
    if (request->deadline_ns > 0) {
        double left = (double)(request->deadline_ns - vl_clock_ns()) / 1e9;
        if (left <= 0)
            return vl_fail(error, VL_ERR_TIMEOUT, "no time was left for %s", argv[0]);
        options.max_seconds = left < LONGEST_S ? left : LONGEST_S;
    }
    if (pixWriteMemPnm(&pnm, &bytes, request->picture))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the picture that %s is to read",
                       argv[0]);
    options.argv = argv;
    options.input = pnm;
    options.input_bytes = bytes;
    options.max_output = OUTPUT_MAX;
    vl_status status = vl_child_run(&options, out, NULL, error);
    if (status == VL_ERR_MISSING)
        vl_fail(error, status, "%s is not installed: apt-get install %s", argv[0], argv[0]);
    lept_free(pnm);
    return status;
}

void vl_program_version(const char *program, const char *option, char version[32]) {
    const char *const argv[] = {program, option, NULL};
    vl_child_options options = vl_child_options_default();
    int exit_code;
    vl_buf out;
    vl_buf_init(&out, 1 << 16);
    options.argv = argv;
    options.max_seconds = 5;
    version[0] = '\0';
    if (!vl_child_run(&options, &out, &exit_code, NULL) && out.data) {
        const char *at = out.data;
        while (*at && *at != '\n' && !(*at >= '0' && *at <= '9'))
            at++;
        snprintf(version, 32, "%.*s", (int)strspn(at, "0123456789."), at);
    }
    vl_buf_deinit(&out);
}

bool vl_program_reads_latin(const char *name) {
    const vl_ocr_pack *pack = vl_ocr_pack_find(name);
    return pack && !strcmp(pack->script, "Latn");
}
