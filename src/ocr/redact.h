/* redact.h — personal data out of a page (docs/privacy.md). */
#ifndef VISLANG_OCR_REDACT_H
#define VISLANG_OCR_REDACT_H

#include <vislang/ocr.h>

/* Changes the page's words and cells, and paints over `picture` (the upright one; NULL: none).
 * VL_ERR_MEMORY and VL_ERR_LIMIT: the page must not be used then. */
vl_status vl_page_redact(vl_page *page, vl_image *picture, vl_arena *arena, vl_error *error);

#endif
