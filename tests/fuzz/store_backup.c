/* A copy of a database from who knows where: read to its end, or refused. What the fuzzer makes
 * is taken as it is, and as what a gzip file holds. */
#include <vislang/store.h>

#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    vl_db_copy_report report;
    vl_error error;
    snprintf(path, sizeof path, "/tmp/fuzz-copy-%ld", (long)getpid());
    if (!vl_file_write(path, data, size, NULL))
        vl_db_backup_verify(path, &report, &error);
    gzFile file = gzopen(path, "wb1");
    if (file) {
        gzwrite(file, data, (unsigned)size);
        gzclose(file);
        vl_db_backup_verify(path, &report, &error);
    }
    unlink(path);
    return 0;
}
