/* asset.h — files that are part of the program: the browser page and the schemas. */
#ifndef VISLANG_SERVE_ASSET_H
#define VISLANG_SERVE_ASSET_H

#include <stddef.h>

typedef struct vl_asset {
    const char *name; /* "index.html" */
    const unsigned char *bytes;
    size_t size;
} vl_asset;
extern const vl_asset vl_assets[]; /* ends with a NULL name */

#endif
