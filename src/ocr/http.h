/* http.h — what an OCR service answers, as a reading. */
#ifndef VL_OCR_HTTP_H
#define VL_OCR_HTTP_H

#include "ocr/engine.h"

/* Checks "http://host:port" or "https://…", with a path or without: VL_ERR_USAGE. */
vl_status vl_http_check_address(const char *address, vl_error *error);
/* The answer of POST /api/v1/ocr with format=json (docs/formats.md, "Document"), its first
 * page, for a picture of `width` × `height`. Boxes of a page that the service turned come back
 * turned; a skew that it undid is not. A line may do without words: its text is cut at white
 * space and its box in proportion. What has no text is left out. VL_ERR_INPUT: not such an
 * answer, or a page that the service could not read, with its reason. */
vl_status vl_http_parse_reply(const char *text, size_t bytes, int32_t width, int32_t height,
                              vl_arena *arena, vl_engine_reading *reading, vl_error *error);
/* What to say of an answer with another status than 200: the problem's detail, if it is one.
 * 415 is VL_ERR_UNSUPPORTED: the service does not read these languages. */
vl_status vl_http_parse_problem(long status, const char *text, size_t bytes, vl_error *error);

#endif
