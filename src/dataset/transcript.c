/* transcript.c — see transcript.h.
 *
 *   letters_of          text as code points, breaks and hyphens at line ends made plain
 *   fill, trace         one reading against the transcript: least cost, and the way there
 *   is_sure             both ends held by something, few mistakes, nowhere else as good
 *   transcript_place    surest lines first, what they take is gone for the others */
#include "dataset/transcript.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf8.h>

/* A longer reading is no line; the table of steps stays under 64 MB. */
enum { READING_MAX = 1000, TABLE_MAX = 64 << 20 };

/* What an edit costs: a letter missing, added or another one is 1. */
#define SAME_FOLDED 0.2F
#define SAME_BASE 0.5F
#define CROSS_BREAK 0.3F
#define SPACE 0.5F
#define MARK 0.6F
#define FORBIDDEN 2.0F
/* What beginning or ending a line costs: at a space, after a hyphen, inside a word. */
#define AT_SPACE 0.4F
#define AT_HYPHEN 1.0F
#define IN_WORD 2.5F
#define NOWHERE 1e9F

typedef struct letters {
    int32_t *codes, *folded, *bases; /* [count] */
    size_t count;
} letters;

/* Where a line may begin or end. */
typedef enum edge { EDGE_BREAK, EDGE_SPACE, EDGE_HYPHEN, EDGE_WORD, EDGE_NONE } edge;

typedef enum step { STEP_START, STEP_BOTH, STEP_MISSING, STEP_ADDED } step;

/* One column of an alignment: indices, or SIZE_MAX where one side has nothing. */
typedef struct column {
    size_t read, written;
} column;

typedef struct match {
    size_t from, to; /* of the transcript */
    float cost, elsewhere;
    column *columns;
    size_t column_count;
    edge begin, end;
    double cer;
} match;

typedef struct placing {
    vl_arena *arena;
    const transcript_rules *rules;
    letters truth;
    bool *taken;       /* [truth.count] */
    uint8_t *steps;    /* [(reading + 1) * (truth.count + 1)] */
    float *row, *last; /* [truth.count + 1] */
} placing;

typedef struct candidate {
    transcript_line *line;
    letters reading;
    match match;
    bool found, placed;
} candidate;

transcript_rules transcript_rules_default(void) {
    return (transcript_rules){.most_wrong = 0.35, .has_case = true};
}

/* ---- text as letters --------------------------------------------------------------------- */

static bool is_space(int32_t code) {
    return code == ' ' || code == '\n';
}

static bool is_mark(int32_t code) {
    int8_t type = u_charType(code);
    return type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK;
}

/* A letter or digit, and not a mark on one. */
static bool counts(int32_t code) {
    return u_isalnum(code) || u_charType(code) == U_COMBINING_SPACING_MARK;
}

static int32_t base_of(int32_t code) {
    static const UNormalizer2 *nfd;
    UErrorCode trouble = U_ZERO_ERROR;
    UChar apart[16];
    UChar32 first = code;
    if (!nfd)
        nfd = unorm2_getNFDInstance(&trouble);
    int32_t units =
        U_SUCCESS(trouble) ? unorm2_getDecomposition(nfd, code, apart, 16, &trouble) : -1;
    if (U_SUCCESS(trouble) && units > 0 && U16_IS_SINGLE(apart[0]))
        first = apart[0];
    return u_foldCase((UChar32)first, U_FOLD_CASE_DEFAULT);
}

/* The last space becomes a break where a newline is among the white space. */
static void put_space(letters *l, bool newline) {
    if (!l->count)
        return;
    if (!is_space(l->codes[l->count - 1]))
        l->codes[l->count++] = newline ? '\n' : ' ';
    else if (newline)
        l->codes[l->count - 1] = '\n';
}

/* Printed hyphens at line ends that transcripts write as a soft hyphen or a not sign. */
static void mend_hyphens(letters *l) {
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++) {
        bool at_end = i + 1 == l->count || l->codes[i + 1] == '\n';
        if (at_end && (l->codes[i] == 0xAD || l->codes[i] == 0xAC))
            l->codes[i] = '-';
        if (l->codes[i] != 0xAD)
            l->codes[kept++] = l->codes[i];
    }
    l->count = kept;
}

static bool letters_of(vl_arena *arena, const char *text, letters *l) {
    char *nfc = vl_text_nfc(arena, text);
    int32_t bytes = nfc ? (int32_t)strlen(nfc) : 0;
    l->count = 0;
    l->codes = vl_arena_array(arena, (size_t)bytes + 1, sizeof *l->codes);
    l->folded = vl_arena_array(arena, (size_t)bytes + 1, sizeof *l->folded);
    l->bases = vl_arena_array(arena, (size_t)bytes + 1, sizeof *l->bases);
    if (!nfc || !l->codes || !l->folded || !l->bases)
        return false;
    for (int32_t at = 0; at < bytes;) {
        UChar32 code;
        U8_NEXT_OR_FFFD((const uint8_t *)nfc, at, bytes, code);
        if (u_isUWhiteSpace(code))
            put_space(l, code == '\n' || code == '\f' || code == 0x2028 || code == 0x2029);
        else if (code)
            l->codes[l->count++] = code;
    }
    while (l->count && is_space(l->codes[l->count - 1]))
        l->count--;
    mend_hyphens(l);
    for (size_t i = 0; i < l->count; i++) {
        l->folded[i] = u_foldCase(l->codes[i], U_FOLD_CASE_DEFAULT);
        l->bases[i] = base_of(l->codes[i]);
    }
    return true;
}

/* ---- where lines begin and end -------------------------------------------------------------
 */

static bool is_hyphen(int32_t code) {
    return code == '-' || code == 0x2010 || code == 0x2011 || code == 0x2E17;
}

static edge edge_at(const letters *t, size_t at) {
    if (at == 0 || at == t->count || t->codes[at - 1] == '\n' || t->codes[at] == '\n')
        return EDGE_BREAK;
    if (t->codes[at - 1] == ' ' || t->codes[at] == ' ')
        return EDGE_SPACE;
    return is_hyphen(t->codes[at - 1]) ? EDGE_HYPHEN : EDGE_WORD;
}

static edge begin_at(const letters *t, size_t at) {
    if (at == t->count || is_space(t->codes[at]) || is_mark(t->codes[at]))
        return EDGE_NONE;
    return edge_at(t, at);
}

static edge end_at(const letters *t, size_t at) {
    if (at == 0 || is_space(t->codes[at - 1]) || (at < t->count && is_mark(t->codes[at])))
        return EDGE_NONE;
    return edge_at(t, at);
}

static float edge_cost(edge e) {
    static const float costs[] = {0, AT_SPACE, AT_HYPHEN, IN_WORD, NOWHERE};
    return costs[e];
}

/* ---- one reading ---------------------------------------------------------------------------
 */

static float lone_cost(int32_t code) {
    return is_space(code) ? SPACE : counts(code) ? 1 : MARK;
}

static float both_cost(const letters *r, size_t i, const letters *t, size_t j) {
    int32_t a = r->codes[i], b = t->codes[j];
    if (a == b)
        return 0;
    if (is_space(a) || is_space(b))
        return is_space(a) && is_space(b) ? CROSS_BREAK : 1.5F;
    if (r->folded[i] == t->folded[j])
        return SAME_FOLDED;
    return r->bases[i] == t->bases[j] ? SAME_BASE : 1;
}

static float missing_cost(const placing *p, size_t at) {
    return p->taken[at] ? FORBIDDEN : lone_cost(p->truth.codes[at]);
}

/* Least cost of the first i letters of the reading against a stretch that ends at j, row by
 * row; the step that led there is kept. After it `last` is the row of the whole reading. */
static void fill(placing *p, const letters *r) {
    const letters *t = &p->truth;
    size_t width = t->count + 1;
    for (size_t j = 0; j < width; j++) {
        float missing = j ? p->last[j - 1] + missing_cost(p, j - 1) : NOWHERE;
        float start = edge_cost(begin_at(t, j));
        p->last[j] = start <= missing ? start : missing;
        p->steps[j] = start <= missing ? STEP_START : STEP_MISSING;
    }
    for (size_t i = 1; i <= r->count; i++) {
        float *row = p->row, *last = p->last, added = lone_cost(r->codes[i - 1]);
        uint8_t *steps = p->steps + i * width;
        row[0] = last[0] + added;
        steps[0] = STEP_ADDED;
        for (size_t j = 1; j < width; j++) {
            float both =
                last[j - 1] + (p->taken[j - 1] ? FORBIDDEN : both_cost(r, i - 1, t, j - 1));
            float missing = row[j - 1] + missing_cost(p, j - 1);
            float more = last[j] + added;
            row[j] = both <= missing && both <= more ? both : missing <= more ? missing : more;
            steps[j] = row[j] == both      ? STEP_BOTH
                       : row[j] == missing ? STEP_MISSING
                                           : STEP_ADDED;
        }
        p->row = last;
        p->last = row;
    }
}

static float cost_of_end(const placing *p, size_t at) {
    return p->last[at] + edge_cost(end_at(&p->truth, at));
}

/* The way back from the end at `to`, into `columns`, last one first (NULL: only counted).
 * Returns how many, and where the stretch begins. */
static size_t walk_back(const placing *p, const letters *r, size_t to, column *columns,
                        size_t *from) {
    size_t i = r->count, j = to, n = 0, width = p->truth.count + 1;
    while (p->steps[i * width + j] != STEP_START) {
        step s = p->steps[i * width + j];
        column c = {SIZE_MAX, SIZE_MAX};
        if (s != STEP_MISSING)
            c.read = --i;
        if (s != STEP_ADDED)
            c.written = --j;
        if (columns)
            columns[n] = c;
        n++;
    }
    *from = j;
    return n;
}

static bool trace(const placing *p, const letters *r, match *m) {
    m->column_count = walk_back(p, r, m->to, NULL, &m->from);
    m->columns = vl_arena_array(p->arena, m->column_count + 1, sizeof *m->columns);
    if (!m->columns)
        return false;
    walk_back(p, r, m->to, m->columns, &m->from);
    for (size_t a = 0, b = m->column_count; a + 1 < b; a++) {
        column swap = m->columns[a];
        m->columns[a] = m->columns[--b];
        m->columns[b] = swap;
    }
    return true;
}

static bool is_equal(const placing *p, const letters *r, column c) {
    return c.read != SIZE_MAX && c.written != SIZE_MAX &&
           r->folded[c.read] == p->truth.folded[c.written];
}

static bool is_wrong(const placing *p, const letters *r, column c) {
    if (c.read == SIZE_MAX || c.written == SIZE_MAX)
        return true;
    int32_t a = r->codes[c.read], b = p->truth.codes[c.written];
    return !(is_equal(p, r, c) || (is_space(a) && is_space(b)));
}

static bool same_stretch(const letters *t, size_t a_end, size_t b_end, size_t length) {
    if (a_end < length || b_end < length)
        return false;
    return !memcmp(t->codes + a_end - length, t->codes + b_end - length,
                   length * sizeof *t->codes);
}

/* The best stretch for a reading, and how cheap the best is that ends somewhere else and says
 * something else. False: nothing, or no memory. */
static bool find(placing *p, const letters *r, match *m) {
    const letters *t = &p->truth;
    *m = (match){.cost = NOWHERE, .elsewhere = NOWHERE};
    if (!r->count || r->count > READING_MAX || (r->count + 1) * (t->count + 1) > TABLE_MAX)
        return false;
    fill(p, r);
    for (size_t j = 1; j <= t->count; j++)
        if (cost_of_end(p, j) < m->cost) {
            m->cost = cost_of_end(p, j);
            m->to = j;
        }
    if (m->cost >= 1e6F || !trace(p, r, m) || m->from >= m->to)
        return false;
    for (size_t j = 1; j <= t->count; j++) {
        size_t apart = j > m->to ? j - m->to : m->to - j;
        if (apart * 2 > r->count && !same_stretch(t, j, m->to, m->to - m->from) &&
            cost_of_end(p, j) < m->elsewhere)
            m->elsewhere = cost_of_end(p, j);
    }
    m->begin = begin_at(t, m->from);
    m->end = end_at(t, m->to);
    size_t wrong = 0, length = m->to - m->from;
    for (size_t i = 0; i < m->column_count; i++)
        wrong += is_wrong(p, r, m->columns[i]);
    m->cer = (double)wrong / (double)(length > r->count ? length : r->count);
    return true;
}

/* ---- is it sure
 * ------------------------------------------------------------------------------ */

/* The i-th column from the beginning or from the end. */
static column column_at(const match *m, bool from_end, size_t i) {
    return m->columns[from_end ? m->column_count - 1 - i : i];
}

/* Whether the match is held at one end. Marks that only the reading has there (specks, rules)
 * are passed over; a letter or digit that only one side has is none of the picture's or none of
 * the transcript's, and then the end is somewhere else. At a break of the transcript two equal
 * letters among the five outermost columns hold it; elsewhere the outermost must be equal, and
 * two of three. */
static bool is_held(const placing *p, const letters *r, const match *m, bool from_end) {
    edge e = from_end ? m->end : m->begin;
    size_t outer = 0, equal = 0, near;
    for (; outer < m->column_count; outer++) {
        column c = column_at(m, from_end, outer);
        if (c.written != SIZE_MAX || counts(r->codes[c.read]))
            break;
    }
    if (outer == m->column_count)
        return false;
    column first = column_at(m, from_end, outer);
    if (first.written == SIZE_MAX ||
        (first.read == SIZE_MAX && counts(p->truth.codes[first.written])))
        return false;
    near = e == EDGE_BREAK ? 5 : 3;
    size_t left = m->column_count - outer;
    for (size_t i = 0; i < near && i < left; i++)
        equal += is_equal(p, r, column_at(m, from_end, outer + i));
    bool enough = equal >= (left < 2 ? left : 2);
    return enough && (e == EDGE_BREAK || is_equal(p, r, first));
}

static bool is_clear(const placing *p, const letters *r, const match *m) {
    size_t equal = 0;
    for (size_t i = 0; i < m->column_count; i++)
        equal += is_equal(p, r, m->columns[i]) && !is_space(r->codes[m->columns[i].read]);
    bool whole = m->begin == EDGE_BREAK && m->end == EDGE_BREAK;
    if (m->cer == 0)
        return whole || equal >= 3;
    double most = equal < 8 ? p->rules->most_wrong / 2 : p->rules->most_wrong;
    return equal >= 3 && m->cer <= most && m->elsewhere - m->cost >= 0.15F * (float)r->count;
}

/* A word that the page cuts and the transcript does not: its hyphen was read. */
static bool ends_in_hyphen(const letters *r) {
    return r->count > 2 && is_hyphen(r->codes[r->count - 1]);
}

/* The other half stands at the end of a line that is placed. */
static bool goes_on(const candidate *all, size_t count, size_t from) {
    for (size_t i = 0; i < count; i++)
        if (all[i].placed && all[i].match.to == from && all[i].match.end == EDGE_WORD)
            return true;
    return false;
}

static bool is_sure(const placing *p, const candidate *c, const candidate *all, size_t count) {
    const match *m = &c->match;
    if (!c->found || !is_clear(p, &c->reading, m))
        return false;
    if (m->end == EDGE_WORD && !ends_in_hyphen(&c->reading))
        return false;
    if (m->begin == EDGE_WORD && !goes_on(all, count, m->from))
        return false;
    return is_held(p, &c->reading, m, false) && is_held(p, &c->reading, m, true);
}

/* ---- placing
 * ----------------------------------------------------------------------------------
 */

static bool is_free(const placing *p, const match *m) {
    for (size_t i = m->from; i < m->to; i++)
        if (p->taken[i] && !is_space(p->truth.codes[i]))
            return false;
    return true;
}

/* Transcripts mark underlined words with low lines that are not printed. */
static void drop_markup(const placing *p, const candidate *c, int32_t *codes) {
    for (size_t i = 0; i < c->match.column_count; i++) {
        column at = c->match.columns[i];
        if (at.read == SIZE_MAX && p->truth.codes[at.written] == '_')
            codes[at.written - c->match.from] = 0;
    }
}

/* The case of the letter that was read there; where none was, of the one before in its word. */
static void take_case(const placing *p, const candidate *c, int32_t *codes) {
    bool small = false;
    for (size_t i = 0; i < c->match.column_count; i++) {
        column at = c->match.columns[i];
        if (is_equal(p, &c->reading, at) && u_isalpha(c->reading.codes[at.read]))
            small = u_islower(c->reading.codes[at.read]);
        else if (at.written != SIZE_MAX && is_space(p->truth.codes[at.written]))
            small = false;
        if (at.written != SIZE_MAX && small)
            codes[at.written - c->match.from] = u_tolower(p->truth.codes[at.written]);
    }
}

static const char *text_of(const placing *p, const candidate *c) {
    const match *m = &c->match;
    size_t count = m->to - m->from, used = 0;
    int32_t *codes = vl_arena_array(p->arena, count + 1, sizeof *codes);
    char *text = vl_arena_alloc(p->arena, count * U8_MAX_LENGTH + 2);
    if (!codes || !text)
        return NULL;
    memcpy(codes, p->truth.codes + m->from, count * sizeof *codes);
    if (!p->rules->has_case)
        take_case(p, c, codes);
    drop_markup(p, c, codes);
    for (size_t i = 0; i < count; i++) {
        uint32_t code = codes[i] == '\n' ? ' ' : (uint32_t)codes[i];
        if (code)
            U8_APPEND_UNSAFE((uint8_t *)text, used, code);
    }
    if (m->end == EDGE_WORD)
        text[used++] = '-';
    text[used] = '\0';
    return text;
}

static int surest_first(const void *a, const void *b) {
    const candidate *x = *(candidate *const *)a, *y = *(candidate *const *)b;
    if (x->match.cer != y->match.cer)
        return x->match.cer < y->match.cer ? -1 : 1;
    if (x->reading.count != y->reading.count)
        return x->reading.count > y->reading.count ? -1 : 1;
    return (x > y) - (x < y);
}

/* A line whose stretch another one has looks for one that is free. */
static bool place_one(placing *p, candidate *c, const candidate *all, size_t count) {
    if (c->found && !is_free(p, &c->match))
        c->found = find(p, &c->reading, &c->match);
    if (!is_sure(p, c, all, count) || !is_free(p, &c->match))
        return true;
    for (size_t i = c->match.from; i < c->match.to; i++)
        p->taken[i] = true;
    c->placed = true;
    c->line->cer = c->match.cer;
    c->line->text = text_of(p, c);
    return c->line->text != NULL;
}

static bool prepare(placing *p, candidate *all, transcript_line *lines, size_t count) {
    size_t longest = 0, width = p->truth.count + 1;
    for (size_t i = 0; i < count; i++) {
        lines[i].text = NULL;
        lines[i].cer = 1;
        all[i] = (candidate){.line = &lines[i]};
        if (!letters_of(p->arena, lines[i].reading, &all[i].reading))
            return false;
        if (all[i].reading.count > longest && all[i].reading.count <= READING_MAX)
            longest = all[i].reading.count;
    }
    size_t table = (longest + 1) * width;
    p->taken = vl_arena_array(p->arena, width, sizeof *p->taken);
    p->row = vl_arena_array(p->arena, width, sizeof *p->row);
    p->last = vl_arena_array(p->arena, width, sizeof *p->last);
    p->steps = vl_arena_alloc(p->arena, table < TABLE_MAX ? table : TABLE_MAX);
    return p->taken && p->row && p->last && p->steps;
}

vl_status transcript_place(vl_arena *arena, const char *transcript,
                           const transcript_rules *rules, transcript_line *lines, size_t count,
                           vl_error *error) {
    placing p = {.arena = arena, .rules = rules};
    candidate *all = vl_arena_array(arena, count + 1, sizeof *all);
    candidate **order = vl_arena_array(arena, count + 1, sizeof(candidate *));
    bool ok = all && order && letters_of(arena, transcript, &p.truth) &&
              prepare(&p, all, lines, count);
    for (size_t i = 0; ok && i < count; i++) {
        all[i].found = find(&p, &all[i].reading, &all[i].match);
        order[i] = &all[i];
    }
    if (ok)
        qsort(order, count, sizeof *order, surest_first);
    /* Twice: a line that goes on with a word waits for the one where it begins. */
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; ok && i < count; i++)
            if (!order[i]->placed)
                ok = place_one(&p, order[i], all, count);
    return ok ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory to place %zu lines", count);
}
