/* content.c — media types by content, formats, and times. */
#include "harvest/content.h"

#include "media/decode.h"

#include <vislang/media.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* ---- by content ------------------------------------------------------------------------- */

/* What vl_media_looks_like says, as a media type (IANA's registry). */
static const struct {
    const char *looks_like, *type;
} types[] = {
    {"a web page", "text/html"},
    {"plain text", "text/plain"},
    {"an XML document", "application/xml"},
    {"an SVG drawing", "image/svg+xml"},
    {"a Word document",
     "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"an Excel workbook", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"a PowerPoint presentation",
     "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"an OpenDocument text", "application/vnd.oasis.opendocument.text"},
    {"an OpenDocument spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"},
    {"an OpenDocument presentation", "application/vnd.oasis.opendocument.presentation"},
    {"an EPUB book", "application/epub+zip"},
    {"a ZIP archive", "application/zip"},
    {"an empty ZIP archive", "application/zip"},
    {"a gzip file", "application/gzip"},
    {"an RTF document", "application/rtf"},
    {"an old Word, Excel or PowerPoint document", "application/x-ole-storage"},
    {"a GIF picture", "image/gif"},
    {"a BMP picture", "image/bmp"},
    {"a HEIC picture", "image/heic"},
    {"an AVIF picture", "image/avif"},
    {"a JPEG 2000 picture", "image/jp2"},
    {"a database", "application/vnd.sqlite3"},
    {"an empty file", "application/x-empty"},
};

/* XHTML says that it is XML first. */
static bool is_xhtml(const char *head, size_t count) {
    return memmem(head, count, "<html", 5) != NULL;
}

static bool is_json(const char *head, size_t count) {
    size_t at = 0;
    while (at < count && strchr(" \t\r\n", head[at]))
        at++;
    return at + 1 < count && ((head[at] == '{' && memchr(head + at, '"', count - at)) ||
                              (head[at] == '[' && strchr("{[\"0123456789-", head[at + 1])));
}

const char *vl_content_type(const void *head, size_t count) {
    count = count < VL_CONTENT_HEAD ? count : VL_CONTENT_HEAD;
    vl_media_kind kind = vl_media_sniff(head, count);
    if (kind != VL_MEDIA_UNKNOWN)
        return vl_media_kind_type(kind);
    const char *looks = vl_media_looks_like(head, count);
    if (!strcmp(looks, "an XML document") && is_xhtml(head, count))
        return "application/xhtml+xml";
    if (!strcmp(looks, "plain text") && is_json(head, count))
        return "application/json";
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].looks_like, looks))
            return types[i].type;
    return "application/octet-stream";
}

/* What stands behind the last dot of a name or URL; `*length` 0: there is none. */
static const char *ending_of(const char *name, size_t *length) {
    size_t bytes = name ? strcspn(name, "?#") : 0;
    const char *dot = bytes ? memrchr(name, '.', bytes) : NULL;
    *length = dot ? (size_t)(name + bytes - dot - 1) : 0;
    return dot ? dot + 1 : "";
}

const char *vl_content_table(const char *type, const char *said, const char *name) {
    static const struct {
        const char *type, *ending;
    } tables[] = {{"text/csv", "csv"}, {"text/tab-separated-values", "tsv"}};
    size_t bytes = said ? strcspn(said, "; \t") : 0, length;
    const char *ending = ending_of(name, &length);
    for (size_t i = 0; !strcmp(type, "text/plain") && i < 2; i++)
        if ((strlen(tables[i].type) == bytes && !strncasecmp(tables[i].type, said, bytes)) ||
            (length == 3 && !strncasecmp(tables[i].ending, ending, length)))
            return tables[i].type;
    return type;
}

/* ---- formats ---------------------------------------------------------------------------- */

static const char *const formats[] = {"pdf", "html", "docx", "odt", "text", "picture", "data"};
enum { FORMATS = sizeof formats / sizeof *formats };

static const struct {
    const char *type, *format;
} by_type[] = {
    {"application/pdf", "pdf"},
    {"text/html", "html"},
    {"application/xhtml+xml", "html"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
    {"application/vnd.oasis.opendocument.text", "odt"},
    {"text/plain", "text"},
    {"text/markdown", "text"},
    {"image/jpeg", "picture"},
    {"image/png", "picture"},
    {"image/webp", "picture"},
    {"image/tiff", "picture"},
    {"text/csv", "data"},
    {"text/tab-separated-values", "data"},
    {"text/xml", "data"},
    {"application/json", "data"},
    {"application/geo+json", "data"},
    {"application/xml", "data"},
    {"application/zip", "data"},
    {"application/gzip", "data"},
    {"application/vnd.ms-excel", "data"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "data"},
    {"application/vnd.oasis.opendocument.spreadsheet", "data"},
};

const char *vl_content_format(const char *type) {
    size_t bytes = type ? strcspn(type, "; \t") : 0;
    for (size_t i = 0; i < sizeof by_type / sizeof *by_type; i++)
        if (strlen(by_type[i].type) == bytes && !strncasecmp(by_type[i].type, type, bytes))
            return by_type[i].format;
    return "";
}

static const struct {
    const char *ending, *format;
} by_ending[] = {
    {"pdf", "pdf"},     {"htm", "html"},     {"html", "html"},   {"xhtml", "html"},
    {"docx", "docx"},   {"odt", "odt"},      {"txt", "text"},    {"md", "text"},
    {"jpg", "picture"}, {"jpeg", "picture"}, {"png", "picture"}, {"webp", "picture"},
    {"tif", "picture"}, {"tiff", "picture"}, {"csv", "data"},    {"tsv", "data"},
    {"json", "data"},   {"geojson", "data"}, {"xml", "data"},    {"xls", "data"},
    {"xlsx", "data"},   {"ods", "data"},     {"zip", "data"},    {"gz", "data"},
};

const char *vl_content_format_by_name(const char *name) {
    size_t length;
    const char *ending = ending_of(name, &length);
    for (size_t i = 0; i < sizeof by_ending / sizeof *by_ending; i++)
        if (strlen(by_ending[i].ending) == length &&
            !strncasecmp(by_ending[i].ending, ending, length))
            return by_ending[i].format;
    return "";
}

static const char *next_word(const char **list, size_t *bytes) {
    const char *word = *list + strspn(*list, ", \t");
    size_t length = strcspn(word, ",");
    *list = word + length;
    while (length && strchr(" \t", word[length - 1]))
        length--;
    *bytes = length;
    return length ? word : NULL;
}

bool vl_list_has(const char *list, const char *word) {
    size_t bytes;
    if (!list || !*list)
        return true;
    for (const char *w; (w = next_word(&list, &bytes));)
        if (strlen(word) == bytes && !strncasecmp(w, word, bytes))
            return true;
    return false;
}

vl_status vl_content_formats_check(const char *list, vl_error *error) {
    size_t bytes;
    char word[32];
    for (const char *w; list && (w = next_word(&list, &bytes));) {
        bool known = false;
        snprintf(word, sizeof word, "%.*s", (int)(bytes < 31 ? bytes : 31), w);
        for (size_t i = 0; i < FORMATS; i++)
            known = known || !strcasecmp(formats[i], word);
        if (known)
            continue;
        const char *nearest = vl_nearest_name(word, formats, FORMATS);
        return vl_fail(error, VL_ERR_USAGE,
                       "'%s' is no format: pdf, html, docx, odt, text, picture or data%s%s%s",
                       word, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                       nearest ? "'?" : "");
    }
    return VL_OK;
}

/* ---- times ------------------------------------------------------------------------------ */

static bool digits(const char **text, int count, int low, int high, int *value) {
    *value = 0;
    for (int i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        *value = *value * 10 + (**text - '0');
    }
    return *value >= low && *value <= high;
}

static bool one_of(const char **text, const char *characters) {
    return **text && strchr(characters, **text) && (*text)++;
}

/* Milliseconds of ".123456". */
static int fraction(const char **text) {
    int ms = 0, place = 100;
    if (**text != '.')
        return 0;
    for ((*text)++; **text >= '0' && **text <= '9'; (*text)++, place /= 10)
        ms += (**text - '0') * place;
    return ms;
}

/* Seconds east of UTC. No zone at all, as some sources have it, is UTC. */
static bool zone(const char **text, int *east) {
    int hours = 0, minutes = 0;
    *east = 0;
    if (!**text || one_of(text, "Zz"))
        return true;
    bool west = **text == '-';
    if (!one_of(text, "+-") || !digits(text, 2, 0, 23, &hours))
        return false;
    one_of(text, ":");
    if (!digits(text, 2, 0, 59, &minutes))
        return false;
    *east = (hours * 60 + minutes) * (west ? -60 : 60);
    return true;
}

bool vl_when_parse(const char *text, int64_t *ms) {
    struct tm parts = {0};
    int millis = 0, east = 0;
    if (!text || !digits(&text, 4, 0, 9999, &parts.tm_year) || !one_of(&text, "-") ||
        !digits(&text, 2, 1, 12, &parts.tm_mon) || !one_of(&text, "-") ||
        !digits(&text, 2, 1, 31, &parts.tm_mday))
        return false;
    if (*text) {
        if (!one_of(&text, "Tt ") || !digits(&text, 2, 0, 24, &parts.tm_hour) ||
            !one_of(&text, ":") || !digits(&text, 2, 0, 59, &parts.tm_min))
            return false;
        if (*text == ':' && (text++, !digits(&text, 2, 0, 60, &parts.tm_sec)))
            return false;
        millis = fraction(&text);
        if (!zone(&text, &east) || *text)
            return false;
    }
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    *ms = ((int64_t)timegm(&parts) - east) * 1000 + millis;
    return true;
}

void vl_when_format(int64_t ms, char out[VL_RFC3339_SIZE]) {
    int64_t seconds = ms / 1000 - (ms % 1000 < 0);
    int millis = (int)(ms - seconds * 1000);
    time_t when = (time_t)seconds;
    struct tm utc;
    out[0] = '\0';
    if (!gmtime_r(&when, &utc) || utc.tm_year < -1900 || utc.tm_year > 9999 - 1900)
        return;
    int used =
        snprintf(out, VL_RFC3339_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", utc.tm_year + 1900,
                 utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
    if (millis)
        used += snprintf(out + used, VL_RFC3339_SIZE - (size_t)used, ".%03d", millis);
    snprintf(out + used, VL_RFC3339_SIZE - (size_t)used, "Z");
}
