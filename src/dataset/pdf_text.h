/* pdf_text.h — the text that a PDF holds, word by word, with where it stands; and whether it is
 * text at all. */
#ifndef VL_DATASET_PDF_TEXT_H
#define VL_DATASET_PDF_TEXT_H

#include <vislang/dataset.h>

typedef struct pdf_word {
    const char *text;      /* as poppler gives it: UTF-8, logical order, control characters
                              replaced by U+FFFD */
    double x0, y0, x1, y1; /* points from the top left of the page */
    size_t block, line;    /* running numbers over the page */
} pdf_word;

typedef struct pdf_page_text {
    double width, height; /* points */
    pdf_word *words;      /* block by block, line by line, as they are read */
    size_t count;
    double scanned; /* share of the page that its largest raster picture covers, 0 … 1 */
} pdf_page_text;

/* Pages `first` … `last` (from 0) of a PDF, by pdftotext and pdfimages in a sandboxed child; in
 * the arena. A page that they do not speak of has no words. */
vl_status pdf_text_read(const void *bytes, size_t count, uint32_t first, uint32_t last,
                        const vl_media_limits *limits, vl_arena *arena, pdf_page_text **pages,
                        vl_error *error);
/* Of what `pdftotext -bbox-layout` prints: at most `page_count` pages. False: arena full. */
bool pdf_text_parse(const char *printed, size_t page_count, vl_arena *arena,
                    pdf_page_text *pages);
/* Poppler has lines from right to left as they look, from the left, or letter by letter where
 * they were drawn so: they become words in logical order (UAX #9), in the order they are read,
 * and lines of one paragraph one block. Lines from left to right stay. False: arena full. */
bool pdf_text_order(pdf_page_text *page, vl_arena *arena);
/* Of what `pdfimages -list` prints, for pages that are `first` on. */
void pdf_images_parse(const char *printed, uint32_t first, size_t page_count,
                      pdf_page_text *pages);

/* ---- rubbish ------------------------------------------------------------------------------
 */

/* What speaks against words being text, each 0 … 1 where there is enough to tell. */
typedef struct pdf_rubbish {
    double impossible;  /* characters: private use, unassigned, control, U+FFFD */
    double mixed;       /* words with letters of several scripts */
    double outside;     /* words outside of the page */
    double foreign;     /* how far the text is from every language */
    double surprise;    /* nats a character in the likeliest language; 0: not measured */
    double score;       /* all of it: 0 text, 1 rubbish */
    const char *reason; /* what weighs most; static. NULL: nothing does */
} pdf_rubbish;
/* From here on it is rubbish. */
#define PDF_RUBBISH 0.5
/* `langid` and `ngram` may be NULL: what they tell is left out. False: arena full. */
bool pdf_rubbish_measure(const pdf_page_text *page, const vl_langid *langid,
                         const vl_ngram *ngram, vl_arena *arena, pdf_rubbish *measured);

#endif
