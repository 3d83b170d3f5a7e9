/* pdf.h — poppler's programs on a PDF that nobody trusts, for whoever asks them something. */
#ifndef VISLANG_MEDIA_PDF_H
#define VISLANG_MEDIA_PDF_H

#include <vislang/media.h>

/* Where the program finds the document. */
#define VL_PDF_FILE "/dev/fd/3"
/* Runs one of them in a sandboxed child; what it prints goes into `out`, whose maximum is the
 * limit. Failures are in the words of someone who wants the document read: VL_ERR_MISSING says
 * what to install, VL_ERR_INPUT that the PDF is broken, encrypted or without pages. */
vl_status vl_pdf_run(const char *const *argv, const void *bytes, size_t count,
                     const vl_media_limits *limits, vl_buf *out, vl_error *error);

#endif
