/* lexicon.c — word pairs: a table read, pairs added one by one. */
#include <vislang/align.h>

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MAX_LINE = 1 << 16, ARENA_MAX = 1 << 29 };

struct vl_lexicon {
    vl_arena *arena; /* the words */
    vl_lexicon_pair *pairs;
    size_t count, room;
};

vl_status vl_lexicon_new(vl_lexicon **lexicon, vl_error *error) {
    *lexicon = calloc(1, sizeof **lexicon);
    if (*lexicon)
        (*lexicon)->arena = vl_arena_new(ARENA_MAX);
    if (*lexicon && (*lexicon)->arena)
        return VL_OK;
    vl_lexicon_free(*lexicon);
    *lexicon = NULL;
    return vl_fail(error, VL_ERR_MEMORY, "no memory for a dictionary");
}

void vl_lexicon_free(vl_lexicon *lexicon) {
    if (!lexicon)
        return;
    vl_arena_free(lexicon->arena);
    free(lexicon->pairs);
    free(lexicon);
}

size_t vl_lexicon_count(const vl_lexicon *lexicon) {
    return lexicon->count;
}

const vl_lexicon_pair *vl_lexicon_pair_at(const vl_lexicon *lexicon, size_t i) {
    return &lexicon->pairs[i];
}

static vl_status make_room(vl_lexicon *lexicon, vl_error *error) {
    if (lexicon->count < lexicon->room)
        return VL_OK;
    if (lexicon->count >= VL_LEXICON_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "a dictionary of more than %d pairs",
                       VL_LEXICON_MAX);
    size_t room = lexicon->room ? 2 * lexicon->room : 1024;
    vl_lexicon_pair *pairs = realloc(lexicon->pairs, room * sizeof *pairs);
    if (!pairs)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for %zu word pairs", room);
    lexicon->pairs = pairs;
    lexicon->room = room;
    return VL_OK;
}

vl_status vl_lexicon_add(vl_lexicon *lexicon, const vl_lexicon_pair *pair, vl_error *error) {
    vl_status status = make_room(lexicon, error);
    if (status)
        return status;
    vl_lexicon_pair copy = *pair;
    copy.source = vl_arena_strdup(lexicon->arena, pair->source);
    copy.target = vl_arena_strdup(lexicon->arena, pair->target);
    if (!copy.source || !copy.target)
        return vl_fail(error, VL_ERR_LIMIT, "the words of a dictionary are over %d bytes",
                       ARENA_MAX);
    lexicon->pairs[lexicon->count++] = copy;
    return VL_OK;
}

/* ---- reading ------------------------------------------------------------------------ */

static char *trim(char *text) {
    while (*text == ' ' || *text == '\t')
        text++;
    size_t length = strlen(text);
    while (length && strchr(" \t\r", text[length - 1]))
        text[--length] = '\0';
    return text;
}

/* One line without its '\n', which is cut up. */
static vl_status take_line(vl_lexicon *lexicon, char *line, size_t number, vl_error *error) {
    line = trim(line);
    if (!*line || *line == '#')
        return VL_OK;
    if (vl_utf8_valid_prefix(line, strlen(line)) != strlen(line))
        return vl_fail(error, VL_ERR_INPUT, "line %zu is not UTF-8", number);
    char *gap = strchr(line, '\t');
    if (!gap)
        gap = strchr(line, ' ');
    if (!gap)
        return vl_fail(error, VL_ERR_INPUT,
                       "line %zu has one word ('%.60s'); a dictionary has two columns", number,
                       line);
    bool tabs = *gap == '\t';
    *gap = '\0';
    char *second = gap + 1, *end = tabs ? strchr(second, '\t') : NULL;
    if (end)
        *end = '\0';
    vl_lexicon_pair pair = {.source = trim(line), .target = trim(second), .confidence = 1};
    if (!*pair.source || !*pair.target)
        return vl_fail(error, VL_ERR_INPUT, "line %zu has an empty column", number);
    return vl_lexicon_add(lexicon, &pair, error);
}

vl_status vl_lexicon_parse(const char *text, size_t bytes, vl_lexicon **lexicon,
                           vl_error *error) {
    char *line = malloc(MAX_LINE);
    vl_status status = line ? vl_lexicon_new(lexicon, error)
                            : vl_fail(error, VL_ERR_MEMORY, "no memory for a line");
    size_t number = 0;
    for (size_t at = 0; !status && at < bytes;) {
        const char *end = memchr(text + at, '\n', bytes - at);
        size_t length = end ? (size_t)(end - text) - at : bytes - at;
        number++;
        if (length >= MAX_LINE || memchr(text + at, '\0', length)) {
            status = vl_fail(error, VL_ERR_INPUT, "line %zu is over %d bytes or has a NUL",
                             number, MAX_LINE);
            break;
        }
        memcpy(line, text + at, length);
        line[length] = '\0';
        status = take_line(*lexicon, line, number, error);
        at += length + 1;
    }
    if (status && line) {
        vl_lexicon_free(*lexicon);
        *lexicon = NULL;
    }
    free(line);
    return status;
}

vl_status vl_lexicon_read(const char *path, vl_lexicon **lexicon, vl_error *error) {
    char *line = malloc(MAX_LINE);
    *lexicon = NULL;
    gzFile in = line ? gzopen(path, "rb") : NULL;
    vl_status status = VL_OK;
    if (!in)
        status =
            vl_fail(error, line ? VL_ERR_INPUT : VL_ERR_MEMORY, "%s: cannot be read", path);
    if (!status)
        status = vl_lexicon_new(lexicon, error);
    size_t number = 0;
    while (!status && gzgets(in, line, MAX_LINE)) {
        size_t length = strlen(line);
        number++;
        if (length && line[length - 1] == '\n')
            line[--length] = '\0';
        else if (!gzeof(in))
            status = vl_fail(error, VL_ERR_INPUT, "line %zu is over %d bytes or has a NUL",
                             number, MAX_LINE);
        if (!status)
            status = take_line(*lexicon, line, number, error);
        if (status)
            vl_error_prefix(error, "%s", path);
    }
    int code = Z_OK;
    if (!status && in && (gzerror(in, &code), code < 0))
        status = vl_fail(error, VL_ERR_INPUT, "%s: breaks off, or is no sound gzip", path);
    if (in)
        gzclose(in);
    free(line);
    if (status) {
        vl_lexicon_free(*lexicon);
        *lexicon = NULL;
    }
    return status;
}
