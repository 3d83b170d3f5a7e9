/* page_text.h — the text that make_pages sets: gzipped text files, sorted by script. */
#ifndef PAGE_TEXT_H
#define PAGE_TEXT_H

#include "dataset/corpus.h"
#include "dataset/dice.h"

enum { PAGE_MAX_LINES = 400, PAGE_MAX_SCRIPTS = 64 };

/* One file: its first PAGE_MAX_LINES lines that are text, of at most 600 bytes. */
typedef struct page_file {
    const char *name; /* path below the text folder */
    corpus_lines text;
    uint64_t order; /* a hash of the name: the lowest of a script go to dev */
    bool dev;
} page_file;

typedef struct page_script {
    char code[5];  /* ISO 15924 */
    char name[32]; /* "latin", "arabic", "ethiopic", … */
    bool rtl;
    double weight; /* how often it is drawn */
    page_file *files;
    size_t file_count;
} page_script;

typedef struct page_text {
    page_script scripts[PAGE_MAX_SCRIPTS];
    size_t script_count;
    vl_arena *arena; /* of all lines */
    const char *folder;
} page_text;

/* Reads every .gz below `folder` but word lists (lexicon/): plain lines, or tables of which the
 * last column is taken. A file whose script is unclear is left out. About one file in seven of
 * each script that has two or more goes to dev. VL_ERR_INPUT when nothing is found. */
vl_status page_text_open(const char *folder, page_text *text, vl_error *error);
void page_text_deinit(page_text *text);
/* A script that has files in this part, by weight; NULL when none has. */
const page_script *page_text_draw(const page_text *text, bool dev, dice *d);
const page_file *page_script_draw(const page_script *script, bool dev, dice *d);

#endif
