/* program.h — engines that are programs of Debian's, run as sandboxed children (base.h), and
 * the formats in which they say what they read. */
#ifndef VL_OCR_PROGRAM_H
#define VL_OCR_PROGRAM_H

#include "ocr/engine.h"

/* Runs `argv` with the request's picture as PNM on its standard input, and appends what it
 * prints to `out`. VL_ERR_TIMEOUT past the request's deadline (or after two minutes), and
 * VL_ERR_MISSING with the Debian package when it is not installed. */
vl_status vl_program_read(const char *const *argv, const vl_engine_request *request,
                          vl_buf *out, vl_error *error);
/* First line that `PROGRAM --version` prints, its name left out, into `out`; "" when it is not
 * installed. */
void vl_program_version(const char *program, const char *option, char out[32]);
/* Whether all a pack reads is in Latin script. */
bool vl_program_reads_latin(const char *pack);

/* Whatever the programs print becomes a reading; what cannot be understood is left out, and
 * output without any head is VL_ERR_INPUT. `text` is `bytes` long, with a NUL after it.
 *
 * ORF, "OCR Results File" (Ocrad manual, section "OCR results file"): "text block N x y w h",
 * "line N chars C height H", and a line a character: "x y w h; G, 'c'v, 'c'v". Ocrad orders
 * its guesses and does not weigh them: one guess of G has the confidence 1/G. */
vl_status vl_ocrad_parse(const char *text, size_t bytes, vl_arena *arena, bool symbols,
                         vl_engine_reading *reading, vl_error *error);
/* GOCR's XML (gocr -f XML): <line>, <space/>, <box value achars weights/>; weights are in
 * percent. A box below GOCR's certainty has the value "_" and keeps its guesses: the first of
 * them is taken. */
vl_status vl_gocr_parse(const char *text, size_t bytes, vl_arena *arena, bool symbols,
                        vl_engine_reading *reading, vl_error *error);

#endif
