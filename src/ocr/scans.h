/* scans.h — a folder of real scans with transcripts, as `vislang eval ocr` scores it.
 *
 * MANIFEST.tsv names the items: a line of column names (set, id, image, and where they are
 * there doc or document, tesseract_lang or language, unit), then a line an item, no quoting.
 * X.gt.txt lies beside the picture X.png. How texts are compared follows from the folder alone
 * (docs/eval.md), never from the name of a set.
 *
 * Everything lives in the arena it was made in. */
#ifndef VL_OCR_SCANS_H
#define VL_OCR_SCANS_H

#include <vislang/ocr.h>

typedef struct vl_scan {
    const char *set, *id, *image; /* `image` is a path below the folder */
    const char *document;         /* what it was cut from; the id when the manifest is silent */
    const char *languages;        /* Tesseract packs, "" not known */
    const char *unit;             /* "page", "line", "word:Hindi", "" not known */
    const char *broken;           /* NULL, or why it cannot be scored */
    const char *truth;            /* its transcript, by vl_scans_load; NULL when broken */
    bool for_score;               /* in the half that figures are made on */
    bool fold_case;               /* the transcripts keep no case */
} vl_scan;

/* Items in the manifest's order, halves told apart. A line without set, id or image is an item
 * that is broken. VL_ERR_INPUT: not such a manifest; VL_ERR_LIMIT: over 100,000 items. */
vl_status vl_scans_parse(vl_arena *arena, const char *manifest, size_t bytes, vl_scan **scans,
                         size_t *count, vl_error *error);
/* Reads FOLDER/MANIFEST.tsv and every transcript. A missing transcript breaks its item. */
vl_status vl_scans_load(vl_arena *arena, const char *folder, vl_scan **scans, size_t *count,
                        vl_error *error);
/* `text` as it is compared for `scan`: NFC, white space to one space, no Arabic vowel marks
 * (U+064B–0652, U+0670) and no tatweel (U+0640), case folded where the scan says so. NULL:
 * arena full. */
char *vl_scan_comparable(vl_arena *arena, const vl_scan *scan, const char *text);
/* Whether a list with commas ("a,b", spaces allowed) has the name. */
bool vl_scans_listed(const char *list, const char *name);

#endif
