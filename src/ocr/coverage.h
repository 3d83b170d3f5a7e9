/* coverage.h — which packs' languages and scripts an alphabet is enough for. */
#ifndef VL_OCR_COVERAGE_H
#define VL_OCR_COVERAGE_H

#include "ocr/packs.h"

#include <vislang/model.h>

/* Whether who knows these characters can read what the pack is for: of a script at least as
 * many letters as any alphabet has, and of a language seven in eight of those that it is
 * written with (the standard exemplar characters of CLDR, UTS #35 part 2; a letter may be
 * written as its parts). Languages that CLDR does not describe are judged by script alone. */
bool vl_alphabet_covers(const vl_reader_alphabet *alphabet, const vl_ocr_pack *pack);

/* How likely each label of the alphabet is in text of these packs ("hin+eng") beside what the
 * picture says: `prior` [size + 1], label 0 (none at all) first, at most 1. Letters of the
 * packs' scripts, and of no script, may always stand; Latin ones do in any script, seldom; of a
 * language, letters that CLDR does not have for it (exemplar and auxiliary) are seldom, too;
 * those of other scripts are never read. */
void vl_alphabet_prior(const vl_reader_alphabet *alphabet, const char *packs, float *prior);

#endif
