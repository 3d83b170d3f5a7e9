/* mo.h — translated messages out of GNU message catalogues (*.mo).
 *
 * Format: GNU gettext manual, section "The Format of GNU MO Files". Catalogues are outside
 * bytes: every offset is checked. */
#ifndef VL_DATASET_MO_H
#define VL_DATASET_MO_H

#include <vislang/base.h>

/* `text` lives as long as the catalogue and ends at `bytes`, not at a NUL. */
typedef void (*mo_text_fn)(const char *text, size_t bytes, void *user);
/* Gives every translation, plural forms one by one, the header left out. VL_ERR_INPUT: not a
 * catalogue, or one that points outside itself. */
vl_status mo_read(const void *catalogue, size_t bytes, mo_text_fn give, void *user,
                  vl_error *error);

#endif
