/* banks.h — sentences that are searched for the counterpart of another: the bundled ones, and
 * those of a folder that is read again when it changes.
 *
 * A bank has a name and a file a language: FOLDER/NAME/LANG.txt or .txt.gz, a sentence a line.
 * Two are bundled: what models/bank holds, and "phrases", made of the phrases that datasets are
 * asked with (dataset/phrases.h), which say the same in each language.
 *
 * Thread-safety: all functions; what a request entered stays as it is until it leaves. */
#ifndef VISLANG_SERVE_BANKS_H
#define VISLANG_SERVE_BANKS_H

#include <vislang/align.h>
#include <vislang/text.h>

#include <stdatomic.h>

enum {
    VL_BANKS_NAME_SIZE = 64,
    VL_BANKS_SENTENCE_MAX = 4096,    /* bytes */
    VL_BANKS_SENTENCES_MAX = 100000, /* of one file */
    VL_BANKS_ALL_MAX = 400000,       /* of all files */
    VL_BANKS_FILE_MAX = 64 << 20,    /* bytes, unpacked */
    VL_BANKS_FILES_MAX = 256,
    VL_BANKS_OF_LANGUAGE_MAX = 32,
};

typedef struct vl_bank_texts { /* one language of a bank */
    char name[VL_BANKS_NAME_SIZE];
    char language[VL_LANG_SIZE];  /* ISO 639-3, as vl_lang_code */
    const char *const *sentences; /* [count], squeezed */
    const uint32_t *lines;        /* [count] where they stand in their file, from 1 */
    size_t count;
    const vl_bank *bank;
} vl_bank_texts;

typedef struct vl_banks vl_banks;
/* `folder` "": the bundled ones alone. `space` outlives the banks. VL_ERR_INPUT names the file
 * and line that cannot be used, VL_ERR_LIMIT the file that is too large, VL_ERR_MISSING a
 * folder that is not there. */
vl_status vl_banks_open(const vl_space *space, const char *folder, vl_banks **out,
                        vl_error *error);
void vl_banks_free(vl_banks *banks); /* NULL allowed */
/* Reads what has changed in the folder since; takes as long as reading takes. What cannot be
 * used is logged once, and the banks stay as they are. */
void vl_banks_refresh(vl_banks *banks);
/* Indexes the bundled ones, which takes about a second, until it is asked to stop. */
void vl_banks_warm(vl_banks *banks, const atomic_bool *stop);
/* A hash of all sentences, the same in each process that has the same banks. */
void vl_banks_version(vl_banks *banks, char out[VL_SHA256_HEX_SIZE]);
/* Those of a language (`name` NULL: of every name), by name; `out`
 * [VL_BANKS_OF_LANGUAGE_MAX]. Returns how many; each is left again. */
size_t vl_banks_enter(vl_banks *banks, const char *name, const char *language,
                      const vl_bank_texts **out);
void vl_banks_leave(vl_banks *banks, const vl_bank_texts *const *texts, size_t count);
/* Whether there is one in any language. */
bool vl_banks_has(vl_banks *banks, const char *name);
/* The name nearest to one that there is not, into `out`; "" none. */
void vl_banks_nearest(vl_banks *banks, const char *name, char out[VL_BANKS_NAME_SIZE]);
size_t vl_banks_sentences(vl_banks *banks); /* of all */

#endif
