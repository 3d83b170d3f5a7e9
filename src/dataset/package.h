/* package.h — a document that is a ZIP archive of parts: OPC (ISO/IEC 29500-2) of DOCX, and the
 * packages of OpenDocument (OASIS OpenDocument 1.3, part 2). */
#ifndef VL_DATASET_PACKAGE_H
#define VL_DATASET_PACKAGE_H

#include <vislang/base.h>

/* Whether the bytes begin as a ZIP archive does. */
bool package_is(const void *bytes, size_t count);
/* Unpacks the entry `name` (letters of any case) into `out`, whose maximum is the limit.
 * VL_ERR_MISSING: there is none; VL_ERR_LIMIT: it is larger; VL_ERR_UNSUPPORTED: it is
 * encrypted; VL_ERR_INPUT: the archive is broken or cut short. */
vl_status package_read(const void *bytes, size_t count, const char *name, vl_buf *out,
                       vl_error *error);

#endif
