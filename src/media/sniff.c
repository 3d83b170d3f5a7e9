/* sniff.c — what a file is, by its content. */
#include "media/decode.h"

#include <string.h>
#include <strings.h>

typedef struct signature {
    const char *bytes;
    size_t count, offset;
    vl_media_kind kind;
    const char *looks_like;
} signature;

#define READ(text, kind, name)                                                                 \
    { text, sizeof(text) - 1, 0, kind, name }
#define OTHER(text, offset, name)                                                              \
    { text, sizeof(text) - 1, offset, VL_MEDIA_UNKNOWN, name }
static const signature signatures[] = {
    READ("\xFF\xD8\xFF", VL_MEDIA_JPEG, "a JPEG picture"),
    READ("\x89PNG\r\n\x1A\n", VL_MEDIA_PNG, "a PNG picture"),
    READ("II*\0", VL_MEDIA_TIFF, "a TIFF picture"),
    READ("MM\0*", VL_MEDIA_TIFF, "a TIFF picture"),
    READ("II+\0", VL_MEDIA_TIFF, "a BigTIFF picture"),
    READ("MM\0+", VL_MEDIA_TIFF, "a BigTIFF picture"),
    OTHER("GIF87a", 0, "a GIF picture"),
    OTHER("GIF89a", 0, "a GIF picture"),
    OTHER("ftyphei", 4, "a HEIC picture"),
    OTHER("ftyphev", 4, "a HEIC picture"),
    OTHER("ftypmif1", 4, "a HEIF picture"),
    OTHER("ftypmsf1", 4, "a HEIF picture"),
    OTHER("ftypavi", 4, "an AVIF picture"),
    OTHER("ftyp", 4, "a video"),
    OTHER("\0\0\0\x0CjP  ", 0, "a JPEG 2000 picture"),
    OTHER("\xFF\x4F\xFF\x51", 0, "a JPEG 2000 picture"),
    OTHER("\xFF\x0A", 0, "a JPEG XL picture"),
    OTHER("\0\0\0\x0CJXL ", 0, "a JPEG XL picture"),
    OTHER("8BPS", 0, "a Photoshop picture"),
    OTHER("\0\0\1\0", 0, "an icon"),
    OTHER("AT&TFORM", 0, "a DjVu document"),
    OTHER("%!PS", 0, "a PostScript document"),
    OTHER("WAVE", 8, "a sound"),
    OTHER("AVI ", 8, "a video"),
    OTHER("\x1A\x45\xDF\xA3", 0, "a video"),
    OTHER("OggS", 0, "a sound"),
    OTHER("ID3", 0, "a sound"),
    OTHER("PK\3\4", 0, "a ZIP archive"),
    OTHER("PK\5\6", 0, "an empty ZIP archive"),
    OTHER("\xD0\xCF\x11\xE0", 0, "an old Word, Excel or PowerPoint document"),
    OTHER("\x1F\x8B", 0, "a gzip file"),
    OTHER("\xFD\x37zXZ", 0, "an xz file"),
    OTHER("\x28\xB5\x2F\xFD", 0, "a Zstandard file"),
    OTHER("7z\xBC\xAF", 0, "a 7z archive"),
    OTHER("Rar!", 0, "a RAR archive"),
    OTHER("\x7F\x45LF", 0, "a program"),
    OTHER("MZ", 0, "a program"),
    OTHER("SQLite format 3", 0, "a database"),
    OTHER("{\\rtf", 0, "an RTF document"),
};

/* Text formats, after white space and in any case. */
static const signature texts[] = {
    OTHER("<svg", 0, "an SVG drawing"),       OTHER("<!doctype html", 0, "a web page"),
    OTHER("<html", 0, "a web page"),          OTHER("<head", 0, "a web page"),
    OTHER("<body", 0, "a web page"),          OTHER("<?xml", 0, "an XML document"),
    OTHER("<!doctype", 0, "an XML document"),
};

/* Names that stand uncompressed in the head of a ZIP archive. */
static const struct {
    const char *name, *looks_like;
} archives[] = {
    {"word/", "a Word document"},
    {"xl/", "an Excel workbook"},
    {"ppt/", "a PowerPoint presentation"},
    {"opendocument.text", "an OpenDocument text"},
    {"opendocument.spreadsheet", "an OpenDocument spreadsheet"},
    {"opendocument.presentation", "an OpenDocument presentation"},
    {"epub+zip", "an EPUB book"},
    {"[Content_Types].xml", "an office document"},
};

enum {
    PDF_HEADER_WITHIN = 1024, /* as readers accept it: ISO 32000-1, Annex H.3.4.1 */
    ZIP_HEAD = 8192,
    TEXT_HEAD = 512
};

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static bool is_webp(const uint8_t *b, size_t count) {
    return count >= 12 && !memcmp(b, "RIFF", 4) && !memcmp(b + 8, "WEBP", 4);
}

/* The size field tells a bitmap from text that happens to begin with BM. */
static bool is_bmp(const uint8_t *b, size_t count) {
    return count >= 14 && !memcmp(b, "BM", 2) && !memcmp(b + 6, "\0\0\0\0", 4);
}

static const signature *find(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const signature *s = &signatures[i];
        if (count >= s->offset + s->count && !memcmp(bytes + s->offset, s->bytes, s->count))
            return s;
    }
    return NULL;
}

static const char *archive_looks_like(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < sizeof archives / sizeof *archives; i++)
        if (memmem(bytes, least(count, ZIP_HEAD), archives[i].name, strlen(archives[i].name)))
            return archives[i].looks_like;
    return "a ZIP archive";
}

static const char *text_looks_like(const uint8_t *bytes, size_t count) {
    if (count >= 2 && (!memcmp(bytes, "\xFF\xFE", 2) || !memcmp(bytes, "\xFE\xFF", 2)))
        return "plain text";
    size_t head = least(count, TEXT_HEAD), at = 0;
    /* Up to three bytes of a character may be cut off at the end of the head. */
    if (vl_utf8_valid_prefix((const char *)bytes, head) + 4 <= head || memchr(bytes, 0, head))
        return "no kind of file known here";
    if (head >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3))
        at = 3;
    while (at < head && strchr(" \t\r\n", bytes[at]))
        at++;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bool same = head - at >= texts[i].count &&
                    !strncasecmp((const char *)bytes + at, texts[i].bytes, texts[i].count);
        if (same && !strcmp(texts[i].bytes, "<?xml") && memmem(bytes, head, "<svg", 4))
            return "an SVG drawing";
        if (same)
            return texts[i].looks_like;
    }
    return "plain text";
}

vl_media_kind vl_media_sniff(const void *bytes, size_t count) {
    if (!count) /* then `bytes` may be NULL, which memmem must not be given */
        return VL_MEDIA_UNKNOWN;
    const signature *found = find(bytes, count);
    if (found)
        return found->kind;
    if (is_webp(bytes, count))
        return VL_MEDIA_WEBP;
    if (memmem(bytes, least(count, PDF_HEADER_WITHIN), "%PDF-", 5))
        return VL_MEDIA_PDF;
    return VL_MEDIA_UNKNOWN;
}

const char *vl_media_looks_like(const void *bytes, size_t count) {
    if (!count)
        return "an empty file";
    if (is_webp(bytes, count))
        return "a WebP picture";
    if (is_bmp(bytes, count))
        return "a BMP picture";
    const signature *found = find(bytes, count);
    if (!found)
        return text_looks_like(bytes, count);
    return strcmp(found->looks_like, "a ZIP archive") ? found->looks_like
                                                      : archive_looks_like(bytes, count);
}

static const struct {
    const char *name, *type;
} kinds[] = {
    [VL_MEDIA_UNKNOWN] = {"unknown", "application/octet-stream"},
    [VL_MEDIA_JPEG] = {"jpeg", "image/jpeg"},
    [VL_MEDIA_PNG] = {"png", "image/png"},
    [VL_MEDIA_WEBP] = {"webp", "image/webp"},
    [VL_MEDIA_TIFF] = {"tiff", "image/tiff"},
    [VL_MEDIA_PDF] = {"pdf", "application/pdf"},
};

const char *vl_media_kind_name(vl_media_kind kind) {
    return kinds[kind].name;
}

const char *vl_media_kind_type(vl_media_kind kind) {
    return kinds[kind].type;
}
