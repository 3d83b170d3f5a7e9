/* writer.c — writers by format, page by page through a sink. */
#include "ocr/writer.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES_MAX = 256 << 20 };

static const vl_format_ops *const formats[VL_OCR_FORMAT_COUNT] = {
    [VL_OCR_TEXT] = &vl_format_text,         [VL_OCR_JSON] = &vl_format_json,
    [VL_OCR_HOCR] = &vl_format_hocr,         [VL_OCR_ALTO] = &vl_format_alto,
    [VL_OCR_MARKDOWN] = &vl_format_markdown, [VL_OCR_PDF] = &vl_format_pdf,
    [VL_OCR_PNG] = &vl_format_png,
};

const char *vl_ocr_format_name(vl_ocr_format format) {
    return formats[format]->name;
}

const char *vl_ocr_format_extension(vl_ocr_format format) {
    return formats[format]->extension;
}

vl_status vl_ocr_format_parse(const char *name, vl_ocr_format *format, vl_error *error) {
    const char *names[VL_OCR_FORMAT_COUNT];
    for (size_t i = 0; i < VL_OCR_FORMAT_COUNT; i++) {
        names[i] = formats[i]->name;
        if (!strcmp(name, names[i])) {
            *format = (vl_ocr_format)i;
            return VL_OK;
        }
    }
    const char *nearest = vl_nearest_name(name, names, VL_OCR_FORMAT_COUNT);
    return vl_fail(
        error, VL_ERR_USAGE,
        "no format '%s'%s%s; there are text, json, hocr, alto, markdown, pdf and png", name,
        nearest ? ", perhaps " : "", nearest ? nearest : "");
}

vl_status vl_writer_flush(vl_ocr_writer *w, vl_error *error) {
    vl_status status = vl_buf_status(&w->buf, "a page", error);
    if (!status && w->buf.len)
        status = w->sink(w->user, w->buf.data, w->buf.len, error);
    w->bytes += w->buf.len;
    vl_buf_clear(&w->buf);
    return status;
}

vl_status vl_writer_new(const vl_format_ops *ops, const char *source, vl_sink sink, void *user,
                        vl_ocr_writer **writer, vl_error *error) {
    vl_ocr_writer *w = calloc(1, sizeof *w);
    *writer = NULL;
    if (!w || !(w->source = strdup(source)) ||
        !(w->state = calloc(1, ops->state_bytes ? ops->state_bytes : 1))) {
        if (w)
            free(w->source);
        free(w);
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    }
    w->ops = ops;
    w->sink = sink;
    w->user = user;
    vl_buf_init(&w->buf, PAGE_BYTES_MAX);
    /* A name in another encoding must not make the whole output unreadable. */
    for (char *bad = w->source; *(bad += vl_utf8_valid_prefix(bad, strlen(bad)));)
        *bad = '?';
    vl_status status = ops->begin ? ops->begin(w, error) : VL_OK;
    if (!status)
        status = vl_writer_flush(w, error);
    if (status)
        vl_ocr_writer_free(w);
    else
        *writer = w;
    return status;
}

vl_status vl_ocr_writer_new(vl_ocr_format format, const char *source, vl_sink sink, void *user,
                            vl_ocr_writer **writer, vl_error *error) {
    return vl_writer_new(formats[format], source, sink, user, writer, error);
}

vl_status vl_ocr_writer_page(vl_ocr_writer *w, const vl_page *page, const vl_image *picture,
                             vl_error *error) {
    vl_status status = w->ops->page(w, page, picture, error);
    w->pages++;
    return status ? status : vl_writer_flush(w, error);
}

vl_status vl_ocr_writer_bad_page(vl_ocr_writer *w, const vl_error *reason, vl_error *error) {
    vl_status status = w->ops->bad_page(w, reason, error);
    w->pages++;
    return status ? status : vl_writer_flush(w, error);
}

vl_status vl_ocr_writer_finish(vl_ocr_writer *w, vl_error *error) {
    vl_status status = w->ops->end ? w->ops->end(w, error) : VL_OK;
    return status ? status : vl_writer_flush(w, error);
}

void vl_ocr_writer_free(vl_ocr_writer *w) {
    if (!w)
        return;
    if (w->ops->release)
        w->ops->release(w->state);
    vl_buf_deinit(&w->buf);
    free(w->state);
    free(w->source);
    free(w->figures);
    free(w);
}

vl_status vl_sink_buf(void *user, const void *bytes, size_t count, vl_error *error) {
    vl_buf_append(user, bytes, count);
    return vl_buf_status(user, "the output", error);
}

/* ---- shared by the markup formats
 * ------------------------------------------------------------ */

/* Bytes of the character at `s`; 0 when XML 1.0 (2.2) does not allow it. */
static size_t xml_char(const unsigned char *s) {
    if (s[0] < 0x20)
        return s[0] == '\t' || s[0] == '\n' || s[0] == '\r';
    size_t count = s[0] < 0x80 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    bool noncharacter = count == 3 && s[0] == 0xEF && s[1] == 0xBF && s[2] >= 0xBE;
    return noncharacter ? 0 : count;
}

void vl_xml_text(vl_buf *out, const char *text) {
    size_t bytes = strlen(text);
    for (size_t at = 0; at < bytes;) {
        const unsigned char *s = (const unsigned char *)text + at;
        size_t valid = vl_utf8_valid_prefix(text + at, bytes - at < 4 ? bytes - at : 4);
        size_t count = valid ? xml_char(s) : 0;
        if (!count) { /* not for XML: leave the whole character out */
            at += valid && s[0] >= 0x20 ? 3 : 1;
            continue;
        }
        if (*s == '&')
            vl_buf_puts(out, "&amp;");
        else if (*s == '<')
            vl_buf_puts(out, "&lt;");
        else if (*s == '>')
            vl_buf_puts(out, "&gt;");
        else if (*s == '"')
            vl_buf_puts(out, "&quot;");
        else
            vl_buf_append(out, s, count);
        at += count;
    }
}

bool vl_block_has_words(const vl_block *block) {
    for (size_t i = 0; i < block->line_count; i++)
        if (block->lines[i].word_count)
            return true;
    return false;
}

const char *vl_page_lang(const vl_page *page) {
    return page->language_count ? vl_lang_short(page->languages[0].code) : "und";
}
