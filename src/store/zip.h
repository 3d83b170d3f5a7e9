/* zip.h — files into one ZIP (PKWARE APPNOTE 6.3.9, without ZIP64), in memory.
 *
 * Names are UTF-8 with '/' between folders. An archive has at most 4 GB and 65,535 files. */
#ifndef VL_STORE_ZIP_H
#define VL_STORE_ZIP_H

#include <vislang/base.h>

typedef struct zip_writer {
    vl_buf *out;
    vl_buf directory;
    size_t files;
} zip_writer;
/* `out` is the caller's and empty; its maximum is the archive's. */
void zip_begin(zip_writer *zip, vl_buf *out);
vl_status zip_add(zip_writer *zip, const char *name, const void *bytes, size_t count,
                  vl_error *error);
vl_status zip_end(zip_writer *zip, vl_error *error);
void zip_free(zip_writer *zip); /* also after zip_end */

#endif
