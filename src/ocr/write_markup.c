/* write_markup.c — hOCR 1.2 and ALTO 4, from their specifications.
 *
 * hOCR: http://kba.github.io/hocr-spec/1.2/. ALTO: https://www.loc.gov/standards/alto/, schema
 * 4.4: a TextLine holds at least one String, so lines without words are left out of both; a
 * table is a TextBlock tagged TABLE whose TextLines are its rows. */
#include "ocr/writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- hOCR
 * ------------------------------------------------------------------------------------ */

static void hocr_box(vl_buf *out, vl_box b) {
    vl_buf_printf(out, "bbox %d %d %d %d", b.x, b.y, b.x + b.width, b.y + b.height);
}

static vl_status hocr_begin(vl_ocr_writer *w, vl_error *error) {
    (void)error;
    vl_buf_puts(&w->buf, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                         "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" "
                         "\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n"
                         "<html xmlns=\"http://www.w3.org/1999/xhtml\">\n <head>\n  <title>");
    vl_xml_text(&w->buf, w->source);
    vl_buf_puts(
        &w->buf,
        "</title>\n"
        "  <meta http-equiv=\"Content-Type\" content=\"text/html;charset=utf-8\" />\n"
        "  <meta name=\"ocr-system\" content=\"vislang " VL_VERSION "\" />\n"
        "  <meta name=\"ocr-capabilities\" content=\"ocr_page ocr_carea ocr_par ocr_title "
        "ocr_table ocr_photo ocr_line ocrx_word ocrp_lang ocrp_dir\" />\n"
        " </head>\n <body>\n");
    return VL_OK;
}

/* "baseline slope offset", relative to the box's lower left corner (hOCR 1.2, 6.3). */
static void hocr_baseline(vl_buf *out, const vl_line *line) {
    double width = line->box.width > 1 ? line->box.width - 1 : 1;
    double slope = (line->baseline_y1 - line->baseline_y0) / width;
    int offset = line->baseline_y0 - (line->box.y + line->box.height);
    vl_buf_printf(out, "; baseline %.3f %d", slope, offset);
    vl_buf_printf(out, "; x_size %d", line->box.height); /* as Tesseract's: the row's height */
}

static void hocr_line(vl_ocr_writer *w, const vl_line *line, const char *id, size_t *word_id) {
    vl_buf *out = &w->buf;
    vl_buf_printf(out, "     <span class=\"ocr_line\" id=\"%s\"%s title=\"", id,
                  line->rtl ? " dir=\"rtl\"" : "");
    hocr_box(out, line->box);
    hocr_baseline(out, line);
    vl_buf_puts(out, "\">");
    for (size_t i = 0; i < line->word_count; i++) {
        const vl_word *word = &line->words[i];
        vl_buf_printf(out, "%s<span class=\"ocrx_word\" id=\"word_%u_%zu\" title=\"",
                      i ? " " : "", w->pages + 1, ++*word_id);
        hocr_box(out, word->box);
        vl_buf_printf(out, "; x_wconf %d\">", (int)lround(word->confidence * 100));
        vl_xml_text(out, word->text);
        vl_buf_puts(out, "</span>");
    }
    vl_buf_puts(out, "</span>\n");
}

static const char *const hocr_classes[] = {
    [VL_BLOCK_PARAGRAPH] = "ocr_carea",
    [VL_BLOCK_TITLE] = "ocr_carea",
    [VL_BLOCK_TABLE] = "ocr_table",
    [VL_BLOCK_FIGURE] = "ocr_photo",
};

static vl_box lines_box(const vl_block *block) {
    int32_t x0 = INT32_MAX, y0 = INT32_MAX, x1 = 0, y1 = 0;
    for (size_t i = 0; i < block->line_count; i++) {
        vl_box b = block->lines[i].box;
        x0 = b.x < x0 ? b.x : x0;
        y0 = b.y < y0 ? b.y : y0;
        x1 = b.x + b.width > x1 ? b.x + b.width : x1;
        y1 = b.y + b.height > y1 ? b.y + b.height : y1;
    }
    return (vl_box){x0, y0, x1 - x0, y1 - y0};
}

static void hocr_block(vl_ocr_writer *w, const vl_block *block, size_t number, size_t *line_id,
                       size_t *word_id) {
    vl_buf *out = &w->buf;
    bool title = block->kind == VL_BLOCK_TITLE;
    vl_buf_printf(out, "   <div class=\"%s\" id=\"block_%u_%zu\" title=\"",
                  hocr_classes[block->kind], w->pages + 1, number);
    hocr_box(out, block->box);
    vl_buf_puts(out, "\">\n");
    if (vl_block_has_words(block)) {
        if (title)
            vl_buf_puts(out, "    <div class=\"ocr_title\">\n");
        bool caption = block->kind == VL_BLOCK_FIGURE;
        vl_buf_printf(out, "    <p class=\"%s\" id=\"par_%u_%zu\" title=\"",
                      caption ? "ocr_caption" : "ocr_par", w->pages + 1, number);
        hocr_box(out, caption ? lines_box(block) : block->box);
        vl_buf_puts(out, "\">\n");
        for (size_t l = 0; l < block->line_count; l++) {
            char id[48];
            snprintf(id, sizeof id, "line_%u_%zu", w->pages + 1, ++*line_id);
            if (block->lines[l].word_count)
                hocr_line(w, &block->lines[l], id, word_id);
        }
        vl_buf_printf(out, "    </p>\n%s", title ? "    </div>\n" : "");
    }
    vl_buf_puts(out, "   </div>\n");
}

/* A property's string cannot hold the quotes that end it. */
static void hocr_image(vl_ocr_writer *w) {
    char *name = strdup(w->source);
    if (!name) {
        w->buf.failed = true;
        return;
    }
    for (char *quote = name; (quote = strchr(quote, '"'));)
        *quote = '\'';
    vl_buf_puts(&w->buf, "image &quot;");
    vl_xml_text(&w->buf, name);
    vl_buf_puts(&w->buf, "&quot;; ");
    free(name);
}

static vl_status hocr_page(vl_ocr_writer *w, const vl_page *page, const vl_image *picture,
                           vl_error *error) {
    (void)picture;
    (void)error;
    vl_buf *out = &w->buf;
    size_t line_id = 0, word_id = 0;
    vl_buf_printf(out, "  <div class=\"ocr_page\" id=\"page_%u\" lang=\"%s\" title=\"",
                  w->pages + 1, vl_page_lang(page));
    hocr_image(w);
    vl_buf_printf(out, "bbox 0 0 %u %u; ppageno %u", page->width, page->height, w->pages);
    if (page->dpi > 0)
        vl_buf_printf(out, "; scan_res %.0f %.0f", page->dpi, page->dpi);
    vl_buf_puts(out, "\">\n");
    if (page->unread) {
        vl_buf_puts(out, "   <p class=\"ocrx_unread\">");
        vl_xml_text(out, page->unread->message);
        vl_buf_puts(out, "</p>\n");
    }
    for (size_t b = 0; b < page->block_count; b++)
        hocr_block(w, &page->blocks[b], b + 1, &line_id, &word_id);
    vl_buf_puts(out, "  </div>\n");
    return VL_OK;
}

static vl_status hocr_bad_page(vl_ocr_writer *w, const vl_error *reason, vl_error *error) {
    (void)error;
    vl_buf_printf(&w->buf, "  <div class=\"ocr_page\" id=\"page_%u\" title=\"", w->pages + 1);
    hocr_image(w);
    vl_buf_printf(&w->buf, "bbox 0 0 0 0; ppageno %u\"><!-- not read (%s) --></div>\n",
                  w->pages, vl_status_name(reason->status));
    return VL_OK;
}

static vl_status hocr_end(vl_ocr_writer *w, vl_error *error) {
    (void)error;
    vl_buf_puts(&w->buf, " </body>\n</html>\n");
    return VL_OK;
}

const vl_format_ops vl_format_hocr = {.name = "hocr",
                                      .extension = ".hocr",
                                      .begin = hocr_begin,
                                      .page = hocr_page,
                                      .bad_page = hocr_bad_page,
                                      .end = hocr_end};

/* ---- ALTO
 * ------------------------------------------------------------------------------------ */

static void alto_box(vl_buf *out, vl_box b) {
    vl_buf_printf(out, " HPOS=\"%d\" VPOS=\"%d\" WIDTH=\"%d\" HEIGHT=\"%d\"", b.x, b.y, b.width,
                  b.height);
}

static vl_status alto_begin(vl_ocr_writer *w, vl_error *error) {
    (void)error;
    vl_buf_puts(&w->buf,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<alto xmlns=\"http://www.loc.gov/standards/alto/ns-v4#\" "
                "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                "xsi:schemaLocation=\"http://www.loc.gov/standards/alto/ns-v4# "
                "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd\" SCHEMAVERSION=\"4.4\">\n"
                " <Description>\n  <MeasurementUnit>pixel</MeasurementUnit>\n"
                "  <sourceImageInformation><fileName>");
    vl_xml_text(&w->buf, w->source);
    vl_buf_puts(&w->buf,
                "</fileName></sourceImageInformation>\n"
                "  <Processing ID=\"OCR_1\">\n"
                "   <processingSoftware><softwareName>vislang</softwareName>"
                "<softwareVersion>" VL_VERSION "</softwareVersion></processingSoftware>\n"
                "  </Processing>\n </Description>\n"
                " <Tags><LayoutTag ID=\"TITLE\" LABEL=\"title\"/>"
                "<LayoutTag ID=\"TABLE\" LABEL=\"table\"/></Tags>\n <Layout>\n");
    return VL_OK;
}

static void alto_line(vl_buf *out, const vl_line *line, const char *page_block, size_t number) {
    vl_buf_printf(out, "     <TextLine ID=\"%s_l%zu\"", page_block, number);
    alto_box(out, line->box);
    vl_buf_printf(out, " BASELINE=\"%d,%d %d,%d\"%s>\n", line->box.x, line->baseline_y0,
                  line->box.x + line->box.width, line->baseline_y1,
                  line->rtl ? " BASEDIRECTION=\"rtl\"" : "");
    for (size_t i = 0; i < line->word_count; i++) {
        const vl_word *word = &line->words[i];
        vl_buf_printf(out, "      %s<String ID=\"%s_l%zu_w%zu\"", i ? "<SP/>" : "", page_block,
                      number, i + 1);
        alto_box(out, word->box);
        vl_buf_printf(out, " WC=\"%.3f\" CONTENT=\"", word->confidence);
        vl_xml_text(out, word->text);
        vl_buf_puts(out, "\"/>\n");
    }
    vl_buf_puts(out, "     </TextLine>\n");
}

static void alto_block(vl_ocr_writer *w, const vl_page *page, size_t b) {
    const vl_block *block = &page->blocks[b];
    vl_buf *out = &w->buf;
    char id[48];
    snprintf(id, sizeof id, "p%u_b%zu", w->pages + 1, b + 1);
    if (!vl_block_has_words(block) && block->kind != VL_BLOCK_FIGURE)
        return;
    bool figure = block->kind == VL_BLOCK_FIGURE;
    if (figure) {
        vl_buf_printf(out, "    <Illustration ID=\"%s\"", id);
        alto_box(out, block->box);
        vl_buf_puts(out, "/>\n");
        if (!vl_block_has_words(block))
            return;
        snprintf(id, sizeof id, "p%u_b%zu_caption", w->pages + 1, b + 1);
    }
    vl_buf_printf(out, "    <TextBlock ID=\"%s\"", id);
    alto_box(out, figure ? lines_box(block) : block->box);
    if (block->kind == VL_BLOCK_TITLE || block->kind == VL_BLOCK_TABLE)
        vl_buf_printf(out, " TAGREFS=\"%s\"",
                      block->kind == VL_BLOCK_TITLE ? "TITLE" : "TABLE");
    vl_buf_printf(out, " LANG=\"%s\">\n", vl_page_lang(page));
    for (size_t l = 0; l < block->line_count; l++)
        if (block->lines[l].word_count)
            alto_line(out, &block->lines[l], id, l + 1);
    vl_buf_puts(out, "    </TextBlock>\n");
}

static vl_status alto_page(vl_ocr_writer *w, const vl_page *page, const vl_image *picture,
                           vl_error *error) {
    (void)picture;
    (void)error;
    vl_buf *out = &w->buf;
    vl_buf_printf(out,
                  "  <Page ID=\"page_%u\" PHYSICAL_IMG_NR=\"%u\" WIDTH=\"%u\" HEIGHT=\"%u\" "
                  "PC=\"%.3f\"",
                  w->pages + 1, w->pages + 1, page->width, page->height, page->confidence);
    if (page->unread) {
        vl_buf_puts(out, " QUALITY_DETAIL=\"not read: ");
        vl_xml_text(out, page->unread->message);
        vl_buf_puts(out, "\"");
    }
    vl_buf_puts(out, ">\n");
    vl_buf_printf(out, "   <PrintSpace HPOS=\"0\" VPOS=\"0\" WIDTH=\"%u\" HEIGHT=\"%u\">\n",
                  page->width, page->height);
    for (size_t b = 0; b < page->block_count; b++)
        alto_block(w, page, b);
    vl_buf_puts(out, "   </PrintSpace>\n  </Page>\n");
    return VL_OK;
}

static vl_status alto_bad_page(vl_ocr_writer *w, const vl_error *reason, vl_error *error) {
    (void)error;
    vl_buf_printf(&w->buf,
                  "  <Page ID=\"page_%u\" PHYSICAL_IMG_NR=\"%u\" QUALITY_DETAIL=\"not read: ",
                  w->pages + 1, w->pages + 1);
    vl_xml_text(&w->buf, reason->message);
    vl_buf_puts(&w->buf, "\"/>\n");
    return VL_OK;
}

static vl_status alto_end(vl_ocr_writer *w, vl_error *error) {
    (void)error;
    vl_buf_puts(&w->buf, " </Layout>\n</alto>\n");
    return VL_OK;
}

const vl_format_ops vl_format_alto = {.name = "alto",
                                      .extension = ".alto.xml",
                                      .begin = alto_begin,
                                      .page = alto_page,
                                      .bad_page = alto_bad_page,
                                      .end = alto_end};
