/* content.h — what a file is: its media type by its first bytes, and which of the formats of
 * --formats that is; times as sources write them. Pure functions. */
#ifndef VL_HARVEST_CONTENT_H
#define VL_HARVEST_CONTENT_H

#include <vislang/base.h>

enum { VL_CONTENT_HEAD = 8192 }; /* bytes that are looked at */
/* "application/pdf", "text/html", "text/plain", …; "application/octet-stream" when nothing is
 * known. Static storage. */
const char *vl_content_type(const void *head, size_t count);
/* The type by content, or "text/csv" or "text/tab-separated-values" of plain text that is said
 * to be one, or whose URL or name ends so: no bytes tell a table from a text. `said` and `name`
 * may be NULL. Static storage, or `type`. */
const char *vl_content_table(const char *type, const char *said, const char *name);

/* "pdf", "html", "docx", "odt", "text", "picture", "data" (tables, archives, JSON, XML), or ""
 * for anything else. Parameters behind the type ("; charset=…") and case do not matter. */
const char *vl_content_format(const char *type);
/* The same of a file's name or URL, by its ending. */
const char *vl_content_format_by_name(const char *name);
/* Whether a comma list has a word; an empty list (or NULL) has every one. */
bool vl_list_has(const char *list, const char *word);
/* VL_ERR_USAGE names what is no format. */
vl_status vl_content_formats_check(const char *list, vl_error *error);

/* "2025-01-31" (its begin) or RFC 3339, to milliseconds since 1970. False: it is neither. */
bool vl_when_parse(const char *text, int64_t *ms);
/* RFC 3339 in UTC, with milliseconds where there are some; "" for what no four-digit year can
 * say. */
void vl_when_format(int64_t ms, char out[VL_RFC3339_SIZE]);

#endif
