/* packs.h — Tesseract's language and script packs: which there are, what each reads, which
 * Debian package holds it. */
#ifndef VL_OCR_PACKS_H
#define VL_OCR_PACKS_H

#include "ocr/engine.h"

typedef struct vl_ocr_pack {
    const char *name;     /* "swa", "Latin" */
    const char *script;   /* ISO 15924 */
    const char *language; /* ISO 639-3; NULL: a script pack */
} vl_ocr_pack;

/* Where Tesseract's packs lie: options' `tessdata`, $TESSDATA_PREFIX, the distribution's
 * directory. VL_ERR_MISSING: there are none, with the apt line. */
vl_status vl_ocr_packs_dir(const vl_ocr_options *options, char out[512], vl_error *error);
/* The whole table; `*count` packs. Static storage. */
const vl_ocr_pack *vl_ocr_pack_table(size_t *count);
/* NULL: no such pack is known. */
const vl_ocr_pack *vl_ocr_pack_find(const char *name);
/* The packs, each once, that "eng+sw" means: names of packs, and codes of languages as
 * vl_lang_code takes them ("eng+swa"). VL_ERR_MISSING with the apt line for a known pack that
 * is not there, VL_ERR_USAGE with the nearest name for an unknown one, or for too many. */
enum { VL_OCR_PACKS_SIZE = 96 };
vl_status vl_ocr_packs_resolve(const vl_engine *engine, void *state, const char *asked,
                               char packs[VL_OCR_PACKS_SIZE], vl_error *error);
/* The installed pack for a script that reads most of its languages: the script pack, else any
 * language pack of it. NULL: none. */
const vl_ocr_pack *vl_ocr_pack_for_script(const vl_engine *engine, void *state,
                                          const char *script);
/* The installed pack of a language (ISO 639-3, members of a macrolanguage included) in a
 * script. NULL: none. */
const vl_ocr_pack *vl_ocr_pack_for_language(const vl_engine *engine, void *state,
                                            const char *language, const char *script);

/* The installed pack of vl_ocr_pack_for_script for a script as shapes tell it: "Hani" stands
 * for Chinese however written. NULL: none. */
const vl_ocr_pack *vl_ocr_pack_for_shapes(const vl_engine *engine, void *state,
                                          const char *script);
/* What to say of a page in a script that no installed pack reads ("Zzzz": not recognised); in
 * the arena. NULL: arena full. */
const vl_unread *vl_ocr_script_unread(const char *script, double probability, vl_arena *arena);

#endif
