/* sniff.c — what a file is, by its content. */
#include "media/decode.h"

#include <string.h>

typedef struct signature {
    const char *bytes;
    size_t count, offset;
    vl_media_kind kind;
    const char *looks_like;
} signature;

#define SIGNATURE(text, offset, kind, name)                                                    \
    { text, sizeof(text) - 1, offset, kind, name }
static const signature signatures[] = {
    SIGNATURE("\xFF\xD8\xFF", 0, VL_MEDIA_JPEG, "a JPEG picture"),
    SIGNATURE("\x89PNG\r\n\x1A\n", 0, VL_MEDIA_PNG, "a PNG picture"),
    SIGNATURE("II*\0", 0, VL_MEDIA_TIFF, "a TIFF picture"),
    SIGNATURE("MM\0*", 0, VL_MEDIA_TIFF, "a TIFF picture"),
    SIGNATURE("II+\0", 0, VL_MEDIA_TIFF, "a BigTIFF picture"),
    SIGNATURE("MM\0+", 0, VL_MEDIA_TIFF, "a BigTIFF picture"),
    SIGNATURE("GIF8", 0, VL_MEDIA_UNKNOWN, "a GIF picture"),
    SIGNATURE("BM", 0, VL_MEDIA_UNKNOWN, "a BMP picture"),
    SIGNATURE("ftypheic", 4, VL_MEDIA_UNKNOWN, "a HEIC picture"),
    SIGNATURE("ftypheix", 4, VL_MEDIA_UNKNOWN, "a HEIC picture"),
    SIGNATURE("ftypmif1", 4, VL_MEDIA_UNKNOWN, "a HEIF picture"),
    SIGNATURE("ftypavif", 4, VL_MEDIA_UNKNOWN, "an AVIF picture"),
    SIGNATURE("ftyp", 4, VL_MEDIA_UNKNOWN, "a video"),
    SIGNATURE("\0\0\0\x0CjP  ", 0, VL_MEDIA_UNKNOWN, "a JPEG 2000 picture"),
    SIGNATURE("\xFF\x0A", 0, VL_MEDIA_UNKNOWN, "a JPEG XL picture"),
    SIGNATURE("AT&TFORM", 0, VL_MEDIA_UNKNOWN, "a DjVu document"),
    SIGNATURE("PK\x03\x04", 0, VL_MEDIA_UNKNOWN, "a ZIP archive or an office document"),
    SIGNATURE("\xD0\xCF\x11\xE0", 0, VL_MEDIA_UNKNOWN, "an old office document"),
    SIGNATURE("\x1F\x8B", 0, VL_MEDIA_UNKNOWN, "a gzip file"),
    SIGNATURE("7z\xBC\xAF", 0, VL_MEDIA_UNKNOWN, "a 7z archive"),
    SIGNATURE("Rar!", 0, VL_MEDIA_UNKNOWN, "a RAR archive"),
    SIGNATURE("\x7F"
              "ELF",
              0, VL_MEDIA_UNKNOWN, "a program"),
    SIGNATURE("MZ", 0, VL_MEDIA_UNKNOWN, "a program"),
    SIGNATURE("<?xml", 0, VL_MEDIA_UNKNOWN, "an XML document"),
    SIGNATURE("<svg", 0, VL_MEDIA_UNKNOWN, "an SVG drawing"),
    SIGNATURE("<!DOCTYPE", 0, VL_MEDIA_UNKNOWN, "a web page"),
    SIGNATURE("<!doctype", 0, VL_MEDIA_UNKNOWN, "a web page"),
    SIGNATURE("<html", 0, VL_MEDIA_UNKNOWN, "a web page"),
    SIGNATURE("{\\rtf", 0, VL_MEDIA_UNKNOWN, "an RTF document"),
};

/* Readers accept a PDF header within the first 1024 bytes (ISO 32000-1, Annex H.3.4.1). */
enum { PDF_HEADER_WITHIN = 1024 };

static bool is_webp(const uint8_t *b, size_t count) {
    return count >= 12 && !memcmp(b, "RIFF", 4) && !memcmp(b + 8, "WEBP", 4);
}

static const signature *find(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const signature *s = &signatures[i];
        if (count >= s->offset + s->count && !memcmp(bytes + s->offset, s->bytes, s->count))
            return s;
    }
    return NULL;
}

vl_media_kind vl_media_sniff(const void *bytes, size_t count) {
    const signature *found = find(bytes, count);
    if (found && found->kind != VL_MEDIA_UNKNOWN)
        return found->kind;
    if (is_webp(bytes, count))
        return VL_MEDIA_WEBP;
    if (!found &&
        memmem(bytes, count < PDF_HEADER_WITHIN ? count : PDF_HEADER_WITHIN, "%PDF-", 5))
        return VL_MEDIA_PDF;
    return VL_MEDIA_UNKNOWN;
}

const char *vl_media_looks_like(const void *bytes, size_t count) {
    const signature *found = find(bytes, count);
    if (found)
        return found->looks_like;
    size_t head = count < 512 ? count : 512;
    size_t valid = vl_utf8_valid_prefix(bytes, head);
    bool text = head && valid + 4 > head && !memchr(bytes, 0, head);
    return text ? "plain text" : "no kind of file known here";
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
