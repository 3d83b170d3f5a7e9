/* script_window.h — the records between script_pages and script_fit. */
#ifndef SCRIPT_WINDOW_H
#define SCRIPT_WINDOW_H

#include "ocr/script.h"

/* Wider than what the model sees, so that fitting can shift, scale and turn it. */
enum { SCRIPT_WINDOW_SIDE = 32 };

typedef struct script_window {
    uint8_t label, held;
    uint16_t page;
    uint8_t tones[SCRIPT_WINDOW_SIDE * SCRIPT_WINDOW_SIDE];
} script_window;

static const char *const script_labels[] = {
    "Latn", "Cyrl", "Grek", "Arab", "Hebr", "Deva", "Beng", "Guru", "Gujr",
    "Orya", "Taml", "Telu", "Knda", "Mlym", "Sinh", "Thai", "Laoo", "Tibt",
    "Mymr", "Khmr", "Ethi", "Geor", "Armn", "Cans", "Cher", "Hani", "Jpan",
    "Kore", "Syrc", "Thaa", "Nkoo", "Tfng", "Mong", "Adlm", "Vaii", "Java",
    "Olck", "Mtei", "Cakm", "Rohg", "Yiii", "Bali", "Sund", "Lana", "Zxxx"};
enum { SCRIPT_COUNT = sizeof script_labels / sizeof *script_labels };

#endif
