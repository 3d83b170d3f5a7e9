/* ageing.h — what happens to one line between the printer and the reader: which degradations
 * (degrade.h), how strong and in which order, drawn as scans, photos, copies and faxes show
 * them together; and how the line is cut out of its page. */
#ifndef VL_DATASET_AGEING_H
#define VL_DATASET_AGEING_H

#include "dataset/dice.h"
#include "dataset/render.h"

typedef struct ageing {
    const char *names[VL_SYNTH_MAX_DEGRADATIONS];
    size_t count;
} ageing;

/* Other lines of the page: those above and below, and one of the other side of the sheet. Each
 * may be without an image. */
typedef struct page_around {
    rendered above, below, behind;
} page_around;
enum { AGEING_PAD = 28 }; /* pixels that must be around the ink */

/* From what was rendered to a picture of VL_SYNTH_HEIGHT_MIN … _MAX pixels that is the
 * caller's. `clean`: only cut out. VL_ERR_MEMORY. */
vl_status age_line(const rendered *line, const page_around *around, bool clean, dice *d,
                   ageing *done, vl_image **picture, vl_error *error);

#endif
