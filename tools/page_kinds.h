/* page_kinds.h — the kinds of page that make_pages draws. */
#ifndef PAGE_KINDS_H
#define PAGE_KINDS_H

#include "page_text.h"

#include <pango/pangocairo.h>

typedef enum page_kind {
    PAGE_LETTER,
    PAGE_NOTICE,
    PAGE_FORM,
    PAGE_REPORT,
    PAGE_RECEIPT,
    PAGE_CHART,
    PAGE_MAP,
    PAGE_KIND_COUNT
} page_kind;
const char *page_kind_name(page_kind kind); /* "letter", … */
/* "map_or_chart" or "document": the name in the crisis taxonomy. */
const char *page_kind_scene(page_kind kind);
/* Width and height that suit the kind; the long side is 640. */
void page_kind_size(page_kind kind, dice *d, int *width, int *height);

/* Draws on an RGB24 surface with text from `file`. Returns the number of characters that no
 * font had a picture for: 0 for a page that is as it should be. */
int page_draw(cairo_surface_t *surface, page_kind kind, const page_file *file, bool rtl,
              dice *d);

#endif
