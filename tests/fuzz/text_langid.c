/* Any bytes as a model file, and, when it opens, as a text to guess. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vislang/text.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int fd = memfd_create("model", MFD_CLOEXEC);
    char path[64];
    vl_langid *langid;
    vl_error error;
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!vl_langid_open(path, &langid, &error)) {
        vl_lang_guess guesses[4];
        vl_langid_guess(langid, "some text to guess, ሰላም", 4, guesses);
        vl_langid_free(langid);
    }
    close(fd);
    return 0;
}
