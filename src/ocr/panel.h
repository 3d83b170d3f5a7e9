/* panel.h — the engines a configuration names, side by side: each is asked through here, kept
 * to its time, and what became of its calls is counted for all who share the configuration.
 *
 * vl_ocr_engines (ocr.h) holds names and counts, and any number of threads share it; a panel
 * holds one thread's states of those engines. An engine that is not there, fails or takes too
 * long says so to the caller, who goes on with the others. A service that did not answer
 * RESTING_AFTER times in a row is left alone for RESTING_S, so that a page does not wait for it
 * again and again. */
#ifndef VL_OCR_PANEL_H
#define VL_OCR_PANEL_H

#include "ocr/engine.h"

enum { VL_PANEL_MAX = 16, VL_PANEL_RESTING_AFTER = 3, VL_PANEL_RESTING_S = 30 };

typedef struct vl_panel {
    vl_ocr_engines *engines;
    bool owns_engines;
    double engine_seconds; /* a call to an engine outside this process takes at most */
    char data_dir[512];    /* Tesseract's */
    void *tesseract;       /* its state, the caller's */
    void *states[VL_PANEL_MAX];
    bool opened[VL_PANEL_MAX];
    size_t read_by; /* who made the last reading of vl_panel_read */
} vl_panel;

/* `tesseract` is an open state of vl_engine_tesseract over `data_dir`. */
vl_status vl_panel_init(vl_panel *panel, const vl_ocr_options *options, const char *data_dir,
                        void *tesseract, vl_error *error);
void vl_panel_deinit(vl_panel *panel);
size_t vl_panel_count(const vl_panel *panel);
const char *vl_panel_name(const vl_panel *panel, size_t engine);
const vl_engine *vl_panel_engine(const vl_panel *panel, size_t engine);
/* Whether the engine is there and reads every one of the packs. */
bool vl_panel_can_read(vl_panel *panel, size_t engine, const char *packs);
/* One engine reads, within the request's deadline and its own. VL_ERR_MISSING: it is not
 * there; VL_ERR_BUSY: it rests; VL_ERR_UNSUPPORTED: it does not read these packs, which is no
 * failure; else as the engine says. */
vl_status vl_panel_call(vl_panel *panel, size_t engine, const vl_engine_request *request,
                        vl_engine_reading *reading, vl_error *error);
/* The engines that are there and read every one of the packs: of a page first the cheapest of
 * those that find its lines, then the others by cost; of one line (`one_line`) all by cost;
 * ties as in the configuration. Returns how many. */
size_t vl_panel_order(vl_panel *panel, const char *packs, bool one_line,
                      size_t order[VL_PANEL_MAX]);
/* The engine had a vote on a line, beside others; `won`: the line came out as it read it. */
void vl_panel_count_vote(vl_panel *panel, size_t engine, bool won);
/* The first engine of vl_panel_order that does not fail. VL_ERR_UNSUPPORTED: none of them reads
 * these packs. */
vl_status vl_panel_read(vl_panel *panel, const vl_engine_request *request,
                        vl_engine_reading *reading, vl_error *error);

#endif
