/* json_pieces.c — a large JSON file cut into the values that its lists are made of
 * (json_scan.h). Between them only brackets, commas and keys are looked at; the values
 * themselves go on as they are. */
#include "dataset/json_scan.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 256, DEPTH_MAX = 1 << 20 };

/* What may come next, outside of a piece. */
typedef enum place {
    AT_ROOT,
    AT_KEY_OR_END, /* of the root's object */
    AT_KEY,
    IN_KEY,
    AT_COLON,
    AT_MEMBER,         /* a member's value */
    AT_MEMBER_END,     /* a comma or the object's end */
    AT_ELEMENT_OR_END, /* of a list */
    AT_ELEMENT,
    AT_ELEMENT_END,
    IN_PIECE,
    AT_END
} place;

struct json_pieces {
    json_piece_fn give;
    void *to;
    place now, after; /* `after`: the piece */
    bool root_is_list;
    char key[KEY_MAX];
    size_t key_length;
    bool key_escape;
    vl_buf piece;
    uint64_t index, line, piece_line;
    size_t depth;
    bool in_string, escape, is_scalar;
};

json_pieces *json_pieces_new(json_piece_fn give, void *to) {
    json_pieces *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->give = give;
    p->to = to;
    p->line = 1;
    vl_buf_init(&p->piece, JSON_PIECE_MAX);
    return p;
}

void json_pieces_free(json_pieces *p) {
    if (!p)
        return;
    vl_buf_deinit(&p->piece);
    free(p);
}

static vl_status broken(const json_pieces *p, const char *what, vl_error *error) {
    return vl_fail(error, VL_ERR_INPUT, "line %llu: %s", (unsigned long long)p->line, what);
}

/* ---- a piece ----------------------------------------------------------------------------- */

static void begin_piece(json_pieces *p, place after) {
    p->now = IN_PIECE;
    p->after = after;
    p->piece_line = p->line;
    p->depth = 0;
    p->in_string = p->escape = p->is_scalar = false;
    vl_buf_clear(&p->piece);
}

static vl_status end_piece(json_pieces *p, vl_error *error) {
    json_piece piece = {.key = p->key,
                        .text = p->piece.data ? p->piece.data : "",
                        .bytes = p->piece.len,
                        .index = p->index,
                        .line = p->piece_line,
                        .is_element = p->after == AT_ELEMENT_END};
    if (p->piece.failed)
        return vl_fail(error, VL_ERR_LIMIT, "line %llu: a value is over %d MB",
                       (unsigned long long)p->piece_line, JSON_PIECE_MAX >> 20);
    p->now = p->after;
    p->index++;
    return p->give(&piece, p->to, error);
}

static vl_status piece_string(json_pieces *p, char c) {
    vl_buf_append(&p->piece, &c, 1);
    if (p->escape)
        p->escape = false;
    else if (c == '\\')
        p->escape = true;
    else if (c == '"')
        p->in_string = false;
    return VL_OK;
}

/* A byte of a piece; *again: it was none, and belongs to what comes after. */
static vl_status piece_byte(json_pieces *p, char c, bool *again, vl_error *error) {
    if (p->in_string) {
        piece_string(p, c);
        if (p->in_string || p->depth)
            return VL_OK;
        return end_piece(p, error);
    }
    if (!p->depth && p->is_scalar && strchr(",]} \t\r\n", c)) {
        *again = true;
        return end_piece(p, error);
    }
    vl_buf_append(&p->piece, &c, 1);
    if (c == '"')
        p->in_string = true;
    else if (c == '{' || c == '[')
        p->depth++;
    else if ((c == '}' || c == ']') && p->depth && !--p->depth)
        return end_piece(p, error);
    else if (!p->depth)
        p->is_scalar = true;
    return p->depth > DEPTH_MAX ? vl_fail(error, VL_ERR_LIMIT, "line %llu: too deep",
                                          (unsigned long long)p->line)
                                : VL_OK;
}

/* ---- around them ------------------------------------------------------------------------- */

static vl_status key_byte(json_pieces *p, char c, vl_error *error) {
    if (c == '"' && !p->key_escape) {
        p->key[p->key_length] = '\0';
        p->now = AT_COLON;
        return VL_OK;
    }
    p->key_escape = c == '\\' && !p->key_escape;
    if (p->key_length + 1 >= KEY_MAX)
        return broken(p, "a key is too long", error);
    p->key[p->key_length++] = c;
    return VL_OK;
}

static vl_status at_key(json_pieces *p, char c, vl_error *error) {
    if (c == '}' && p->now == AT_KEY_OR_END) {
        p->now = AT_END;
        return VL_OK;
    }
    if (c != '"')
        return broken(p, "a key is no string", error);
    p->now = IN_KEY;
    p->key_length = 0;
    p->key_escape = false;
    return VL_OK;
}

static vl_status at_value(json_pieces *p, char c, bool *again, vl_error *error) {
    if (c == ']' && p->now == AT_ELEMENT_OR_END) {
        p->now = p->root_is_list ? AT_END : AT_MEMBER_END;
        return VL_OK;
    }
    if (p->now == AT_MEMBER && c == '[') {
        p->now = AT_ELEMENT_OR_END;
        p->index = 0;
        return VL_OK;
    }
    if (strchr(",:]}", c))
        return broken(p, "there is no value here", error);
    begin_piece(p, p->now == AT_MEMBER ? AT_MEMBER_END : AT_ELEMENT_END);
    *again = true;
    return VL_OK;
}

static vl_status at_root(json_pieces *p, char c, vl_error *error) {
    p->root_is_list = c == '[';
    p->now = c == '[' ? AT_ELEMENT_OR_END : AT_KEY_OR_END;
    return c == '[' || c == '{' ? VL_OK : broken(p, "it is no list and no object", error);
}

static vl_status take(json_pieces *p, char c, bool *again, vl_error *error) {
    if (p->now == IN_PIECE)
        return piece_byte(p, c, again, error);
    if (p->now == IN_KEY)
        return key_byte(p, c, error);
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
        return VL_OK;
    switch (p->now) {
    case AT_ROOT:
        return at_root(p, c, error);
    case AT_KEY_OR_END:
    case AT_KEY:
        return at_key(p, c, error);
    case AT_COLON:
        p->now = AT_MEMBER;
        return c == ':' ? VL_OK : broken(p, "a key has no colon after it", error);
    case AT_MEMBER:
    case AT_ELEMENT_OR_END:
    case AT_ELEMENT:
        return at_value(p, c, again, error);
    case AT_MEMBER_END:
        p->now = c == ',' ? AT_KEY : AT_END;
        return c == ',' || c == '}' ? VL_OK : broken(p, "a comma is missing", error);
    case AT_ELEMENT_END:
        p->now = c == ',' ? AT_ELEMENT : p->root_is_list ? AT_END : AT_MEMBER_END;
        return c == ',' || c == ']' ? VL_OK : broken(p, "a comma is missing", error);
    default:
        return broken(p, "something follows the value", error);
    }
}

vl_status json_pieces_feed(json_pieces *p, const char *bytes, size_t count, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; i < count && !status; i++) {
        bool again = false;
        if (!bytes[i])
            return broken(p, "a NUL byte", error);
        status = take(p, bytes[i], &again, error);
        if (!status && again)
            status = take(p, bytes[i], &again, error);
        p->line += bytes[i] == '\n';
    }
    return status;
}

vl_status json_pieces_end(json_pieces *p, vl_error *error) {
    return p->now == AT_END ? VL_OK : broken(p, "the file ends too soon", error);
}
