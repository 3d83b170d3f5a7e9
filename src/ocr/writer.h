/* writer.h — what a format has to do: begin, page, bad page, end; and escaping for markup. */
#ifndef VISLANG_OCR_WRITER_H
#define VISLANG_OCR_WRITER_H

#include <vislang/ocr.h>

typedef struct vl_format_ops {
    const char *name, *extension;
    size_t state_bytes; /* zeroed before begin */
    vl_status (*begin)(vl_ocr_writer *w, vl_error *error);
    vl_status (*page)(vl_ocr_writer *w, const vl_page *page, const vl_image *picture,
                      vl_error *error);
    vl_status (*bad_page)(vl_ocr_writer *w, const vl_error *reason, vl_error *error);
    vl_status (*end)(vl_ocr_writer *w, vl_error *error);
    void (*release)(void *state); /* NULL: nothing to free */
} vl_format_ops;

struct vl_ocr_writer {
    const vl_format_ops *ops;
    char *source;
    vl_sink sink;
    void *user;
    char *figures;  /* prefix of the files that figures are kept in; NULL: they are not */
    uint32_t pages; /* finished ones */
    uint64_t bytes; /* given to the sink */
    vl_buf buf;     /* what one page is put together in */
    void *state;
};

vl_status vl_writer_new(const vl_format_ops *ops, const char *source, vl_sink sink, void *user,
                        vl_ocr_writer **writer, vl_error *error);
/* Gives what stands in w->buf to the sink and empties it. */
vl_status vl_writer_flush(vl_ocr_writer *w, vl_error *error);

/* Text into XML: markup escaped, and what XML 1.0 cannot hold left out. */
void vl_xml_text(vl_buf *out, const char *text);
/* Whether there is anything to read in it: what formats of text alone leave out otherwise. */
bool vl_block_has_words(const vl_block *block);
/* BCP 47 tag of a page's or the likeliest language: "sw", "en", "und". */
const char *vl_page_lang(const vl_page *page);

extern const vl_format_ops vl_format_text, vl_format_json, vl_format_hocr, vl_format_alto,
    vl_format_markdown, vl_format_pdf, vl_format_png;

#endif
