/* json_scan.h — JSON by the letter of RFC 8259, which cJSON is not: it lets control characters,
 * "01", halves of surrogate pairs and what follows a value pass, so that a row would be good
 * here and refused by everybody else; and files of one large JSON value, piece by piece. */
#ifndef VL_DATASET_JSON_SCAN_H
#define VL_DATASET_JSON_SCAN_H

#include <vislang/base.h>

enum { JSON_SCAN_DEPTH = 100 };

typedef enum json_fault_kind {
    JSON_SOUND,
    JSON_BROKEN,
    JSON_DEEP,  /* over JSON_SCAN_DEPTH levels */
    JSON_TWICE, /* an object has a key twice: readers take one of them, or refuse */
    JSON_NUL    /* "\u0000", where strings of C end */
} json_fault_kind;
typedef struct json_fault {
    json_fault_kind kind;
    size_t at;        /* byte where it is */
    const char *what; /* static */
} json_fault;
/* One value and white space. UTF-8 is not looked at. Thread-safe; no memory but the stack. */
json_fault json_scan(const char *text, size_t bytes);

/* ---- large files ---------------------------------------------------------------------- */

/* A file whose value is a list, or an object of which some members are lists: their elements
 * one by one, in memory of the largest of them. Fed in pieces of any size. */
typedef struct json_pieces json_pieces;
enum { JSON_PIECE_MAX = 16 << 20 };
/* `key`: the member of the root that holds it, "" for a root that is a list; `index` from 0 in
 * a list; `is_element` false: the member itself, which is no list. `text` is one value, perhaps
 * not a sound one (json_scan). */
typedef struct json_piece {
    const char *key, *text;
    size_t bytes;
    uint64_t index, line; /* line of the file, from 1, where it begins */
    bool is_element;
} json_piece;
typedef vl_status (*json_piece_fn)(const json_piece *piece, void *to, vl_error *error);
json_pieces *json_pieces_new(json_piece_fn give, void *to); /* NULL: no memory */
void json_pieces_free(json_pieces *p);                      /* NULL allowed */
/* VL_ERR_INPUT: the value around the pieces is broken; VL_ERR_LIMIT: a piece is over
 * JSON_PIECE_MAX. Both say the line. After an error nothing more is fed. */
vl_status json_pieces_feed(json_pieces *p, const char *bytes, size_t count, vl_error *error);
/* After the last byte. VL_ERR_INPUT: it ends too soon. */
vl_status json_pieces_end(json_pieces *p, vl_error *error);

#endif
