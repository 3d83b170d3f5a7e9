/* consensus.h — the lines of a page, read by more than one engine and voted on
 * (docs/consensus.md).
 *
 * One engine, the lead, has read the page and found its lines; they stay as it found them. A
 * line of which it is not sure enough is put to the next engines in order of cost, until the
 * vote is settled. Engines inside this process read the line, cut out of the page; those
 * outside read the whole page, once, and what lies in the line is theirs.
 *
 * A consensus holds what outlives a page: the engines' track record and the language models.
 * Thread-safety: one per thread; they may share the record. */
#ifndef VL_OCR_CONSENSUS_H
#define VL_OCR_CONSENSUS_H

#include "ocr/detect.h"
#include "ocr/vote.h"

typedef struct vl_consensus vl_consensus;
/* `record` NULL: one of its own, in memory. */
vl_status vl_consensus_new(vl_ocr_record *record, double threshold, bool explain,
                           vl_consensus **consensus, vl_error *error);
/* Whether words keep what each engine said, from the next page on. */
void vl_consensus_explain(vl_consensus *consensus, bool explain);
/* Votes teach the record nothing. */
void vl_consensus_steady(vl_consensus *consensus, bool steady);
void vl_consensus_free(vl_consensus *consensus);

/* What the page's reading came from. */
typedef struct vl_consensus_page {
    const vl_ocr_job *job;
    const vl_ocr_picture *picture;
    const char *packs;
    size_t lead; /* engine of the panel that made the reading */
    const char *kind,
        *source;      /* of the picture (kind.h), and where it is from; NULL: unknown */
    vl_page_key *key; /* receives what the votes are recorded under */
} vl_consensus_page;
/* Gives each line the words of the winner; their confidence is the posterior, their boxes are
 * in the picture's work pixels. `reading` has the lead's symbols. `voted` receives a bit for
 * each engine of the panel that had a vote somewhere. VL_ERR_MEMORY; an engine that fails is
 * left out. */
vl_status vl_consensus_vote(vl_consensus *consensus, const vl_consensus_page *page,
                            vl_engine_reading *reading, uint32_t *voted, vl_error *error);

/* What every engine of the panel that reads the packs makes of a picture of one line, the
 * job's: readings as they are, without records and calibrations (to fit those). `page->lead` is
 * not looked at. A failing engine is left out. VL_ERR_MEMORY. */
vl_status vl_consensus_hear(const vl_consensus_page *page, vl_vote_voice voices[VL_PANEL_MAX],
                            size_t *count, vl_error *error);

#endif
