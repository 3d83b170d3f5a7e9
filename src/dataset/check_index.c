/* check_index.c — what can only be said of many rows at once. A statement is a key, what is
 * said of it (that it is here, that it is referred to, or in which split it is) and a place;
 * keys are hashed to 62 bits and sorted on disk (runs), statements wait in a file for the few
 * that a finding is about. Two keys of ten million share a hash with probability 10^-5. */
#include "dataset/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_MEMORY = 4 << 20, WORDS_MAX = 700, PLACE_MAX = 400 };

/* FINDING_COUNT: nothing is found by that. */
static const struct {
    finding twice, orphan, unused, splits;
    const char *what;
} relations[RELATION_COUNT] = {
    [RELATION_ID] = {FINDING_ID_TWICE, FINDING_COUNT, FINDING_COUNT, FINDING_COUNT, "id"},
    [RELATION_FILE_NAME] = {FINDING_FILE_NAME_TWICE, FINDING_COUNT, FINDING_COUNT,
                            FINDING_COUNT, "picture"},
    [RELATION_KEY] = {FINDING_KEY_RECURS, FINDING_COUNT, FINDING_COUNT, FINDING_COUNT, "key"},
    [RELATION_MEMBERS] = {FINDING_MEMBERS_APART, FINDING_COUNT, FINDING_COUNT, FINDING_COUNT,
                          "key"},
    [RELATION_DOCUMENT] = {FINDING_DOCUMENT_TWICE, FINDING_PROVENANCE_UNKNOWN, FINDING_COUNT,
                           FINDING_COUNT, "document"},
    [RELATION_BASE] = {FINDING_COUNT, FINDING_BASE_MISSING, FINDING_COUNT, FINDING_COUNT,
                       "base item"},
    [RELATION_IMAGE] = {FINDING_ID_TWICE, FINDING_ANNOTATION_ORPHAN, FINDING_COUNT,
                        FINDING_COUNT, "image"},
    [RELATION_CATEGORY] = {FINDING_ID_TWICE, FINDING_CATEGORY_MISSING, FINDING_COUNT,
                           FINDING_COUNT, "category"},
    [RELATION_QUESTION] = {FINDING_ID_TWICE, FINDING_ANNOTATION_ORPHAN,
                           FINDING_QUESTION_UNANSWERED, FINDING_COUNT, "question"},
    [RELATION_FILE] = {FINDING_COUNT, FINDING_COUNT, FINDING_PICTURE_UNUSED, FINDING_COUNT,
                       "picture"},
    [RELATION_QUESTION_IMAGE] = {FINDING_COUNT, FINDING_ANNOTATION_ORPHAN, FINDING_COUNT,
                                 FINDING_COUNT, "image"},
    [RELATION_METADATA] = {FINDING_COUNT, FINDING_COUNT, FINDING_PICTURE_UNTOLD, FINDING_COUNT,
                           "picture"},
    [RELATION_DOCUMENT_SPLITS] = {FINDING_COUNT, FINDING_COUNT, FINDING_COUNT,
                                  FINDING_LEAK_DOCUMENT, "document"},
    [RELATION_PICTURE_SPLITS] = {FINDING_COUNT, FINDING_COUNT, FINDING_COUNT,
                                 FINDING_LEAK_PICTURE, "picture"},
};

/* In the file of statements, by number; the words (place, NUL, shown, NUL) in another. */
typedef struct stored {
    uint64_t order, words_at;
    uint32_t words, says;
    double right, bottom;
} stored;

struct check_index {
    pthread_mutex_t lock;
    const char *folder;
    runs *keys[RELATION_COUNT];   /* NULL: nothing was said */
    bool defined[RELATION_COUNT]; /* something is defined */
    spill *statements, *words;
};

check_index *check_index_new(const char *folder) {
    check_index *index = calloc(1, sizeof *index);
    if (!index)
        return NULL;
    index->folder = folder;
    pthread_mutex_init(&index->lock, NULL);
    return index;
}

void check_index_free(check_index *index) {
    if (!index)
        return;
    for (size_t i = 0; i < RELATION_COUNT; i++)
        runs_free(index->keys[i]);
    spill_free(index->statements);
    spill_free(index->words);
    pthread_mutex_destroy(&index->lock);
    free(index);
}

/* ---- saying ------------------------------------------------------------------------------ */

/* FNV-1a (Fowler, Noll and Vo) and the finaliser of splitmix64 over it. */
static uint64_t hash_of(const char *text) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return vl_random_next(&hash);
}

uint32_t check_says(const char *const *values, size_t count) {
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++)
        hash = hash * 31 + hash_of(values[i]);
    return (uint32_t)(hash >> 32) | 1;
}

static vl_status open_files(check_index *index, check_relation relation, vl_error *error) {
    vl_status status = VL_OK;
    if (!index->statements)
        status = spill_open(index->folder, &index->statements, error);
    if (!status && !index->words)
        status = spill_open(index->folder, &index->words, error);
    if (!status && !index->keys[relation])
        status = runs_new(index->folder, RUNS_MEMORY, &index->keys[relation], error);
    return status;
}

static vl_status store(check_index *index, const check_statement *s, uint32_t *number,
                       vl_error *error) {
    char words[WORDS_MAX];
    const char *shown = s->shown ? s->shown : s->key;
    size_t place = strnlen(s->place, PLACE_MAX), rest = WORDS_MAX - place - 2;
    size_t length = strnlen(shown, rest);
    uint64_t count = spill_size(index->statements) / sizeof(stored);
    memcpy(words, s->place, place);
    words[place] = '\0';
    memcpy(words + place + 1, shown, length);
    words[place + 1 + length] = '\0';
    stored one = {.order = s->order,
                  .words_at = spill_size(index->words),
                  .words = (uint32_t)(place + length + 2),
                  .says = s->says,
                  .right = s->right,
                  .bottom = s->bottom};
    if (count >= UINT32_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "more rows than can be compared");
    *number = (uint32_t)count;
    vl_status status = spill_append(index->words, words, one.words, error);
    return status ? status : spill_append(index->statements, &one, sizeof one, error);
}

vl_status check_index_add(check_index *index, check_relation relation, const check_statement *s,
                          vl_error *error) {
    uint32_t number = 0;
    pthread_mutex_lock(&index->lock);
    vl_status status = open_files(index, relation, error);
    index->defined[relation] = index->defined[relation] || s->tag == TAG_DEFINES;
    if (!status)
        status = store(index, s, &number, error);
    if (!status)
        status = runs_add(index->keys[relation], (hash_of(s->key) & ~UINT64_C(3)) | s->tag,
                          number, error);
    pthread_mutex_unlock(&index->lock);
    return status;
}

/* ---- finding ----------------------------------------------------------------------------- */

typedef struct told {
    bool is_there;
    stored at;
    char place[WORDS_MAX];
    const char *shown; /* in `place`, behind it */
} told;

/* The statements of one key. */
typedef struct group {
    uint64_t key; /* without its tag */
    uint64_t counts[4];
    uint32_t first_number[4]; /* of each tag, as it came */
    told first[4];            /* of each tag, read when needed: the earliest in the dataset */
} group;

static vl_status read_told(check_index *index, uint32_t number, told *t, vl_error *error) {
    vl_status status = spill_read(index->statements, (uint64_t)number * sizeof(stored), &t->at,
                                  sizeof t->at, error);
    if (!status)
        status = spill_read(index->words, t->at.words_at, t->place, t->at.words, error);
    if (status)
        return status;
    t->shown = t->place + strlen(t->place) + 1;
    t->is_there = true;
    return VL_OK;
}

static vl_status first_of(check_index *index, group *g, unsigned tag, vl_error *error) {
    return g->first[tag].is_there
               ? VL_OK
               : read_told(index, g->first_number[tag], &g->first[tag], error);
}

static void copy_told(told *to, const told *from) {
    *to = *from;
    to->shown = to->place + (from->shown - from->place);
}

/* Samples that come again in their own shard are apart; RELATION_MEMBERS says so. */
static bool is_said_elsewhere(check_relation relation, const told *a, const told *b) {
    const char *end = strrchr(a->place, ':');
    size_t shard = end ? (size_t)(end - a->place) : 0;
    return relation == RELATION_KEY && shard && !strncmp(a->place, b->place, shard + 1);
}

static vl_status again(check_index *index, check_relation relation, group *g, uint32_t number,
                       findings *to, vl_error *error) {
    told other;
    vl_status status = first_of(index, g, TAG_DEFINES, error);
    if (!status)
        status = read_told(index, number, &other, error);
    if (status)
        return status;
    told *first = &g->first[TAG_DEFINES];
    if (other.at.order < first->at.order) {
        told swapped;
        copy_told(&swapped, first);
        copy_told(first, &other);
        copy_told(&other, &swapped);
    }
    if (!is_said_elsewhere(relation, first, &other))
        findings_add(to, relations[relation].twice, other.at.order, other.place,
                     "%s %s is also at %s", relations[relation].what, other.shown,
                     first->place);
    return VL_OK;
}

static vl_status orphan(check_index *index, check_relation relation, uint32_t number,
                        findings *to, vl_error *error) {
    told t;
    vl_status status = read_told(index, number, &t, error);
    if (!status)
        findings_add(to, relations[relation].orphan, t.at.order, t.place, "there is no %s %s",
                     relations[relation].what, t.shown);
    return status;
}

/* Half a pixel is rounding. */
static vl_status compare_box(check_index *index, group *g, uint32_t number, findings *to,
                             vl_error *error) {
    told t;
    vl_status status = first_of(index, g, TAG_DEFINES, error);
    if (!status)
        status = read_told(index, number, &t, error);
    if (status)
        return status;
    const stored *picture = &g->first[TAG_DEFINES].at;
    if (picture->right > 0 &&
        (t.at.right > picture->right + 0.5 || t.at.bottom > picture->bottom + 0.5))
        findings_add(to, FINDING_BOX_OUTSIDE, t.at.order, t.place,
                     "the box reaches to %.10g, %.10g; image %s is %.10g by %.10g", t.at.right,
                     t.at.bottom, t.shown, picture->right, picture->bottom);
    return VL_OK;
}

static vl_status compare_saying(check_index *index, group *g, uint32_t number, findings *to,
                                vl_error *error) {
    told t;
    stored other;
    vl_status status = first_of(index, g, TAG_DEFINES, error);
    const told *first = &g->first[TAG_DEFINES];
    if (status || !first->at.says)
        return status;
    status = spill_read(index->statements, (uint64_t)number * sizeof other, &other,
                        sizeof other, error);
    if (status || !other.says || other.says == first->at.says)
        return status;
    status = read_told(index, number, &t, error);
    if (!status)
        findings_add(to, FINDING_PROVENANCE_DIFFERS, t.at.order, t.place,
                     "its address, licence, publisher or times are not those of %s",
                     first->place);
    return status;
}

/* Statements of documents come in the dataset's order, those of pictures from many threads. */
static vl_status earliest(check_index *index, check_relation relation, group *g, unsigned tag,
                          uint32_t number, vl_error *error) {
    told other;
    if (relation == RELATION_DOCUMENT_SPLITS) {
        if (number < g->first_number[tag])
            g->first_number[tag] = number;
        return VL_OK;
    }
    vl_status status = first_of(index, g, tag, error);
    if (!status)
        status = read_told(index, number, &other, error);
    if (!status && other.at.order < g->first[tag].at.order)
        copy_told(&g->first[tag], &other);
    return status;
}

static vl_status take(check_index *index, check_relation relation, group *g,
                      const runs_record *record, findings *to, vl_error *error) {
    unsigned tag = (unsigned)(record->key & 3);
    bool is_first = !g->counts[tag]++;
    if (is_first)
        g->first_number[tag] = record->item;
    if (relations[relation].splits != FINDING_COUNT)
        return is_first ? VL_OK : earliest(index, relation, g, tag, record->item, error);
    if (tag == TAG_DEFINES)
        return is_first || relations[relation].twice == FINDING_COUNT
                   ? VL_OK
                   : again(index, relation, g, record->item, to, error);
    if (!g->counts[TAG_DEFINES] && relations[relation].orphan != FINDING_COUNT)
        return orphan(index, relation, record->item, to, error);
    if (relation == RELATION_DOCUMENT && g->counts[TAG_DEFINES])
        return compare_saying(index, g, record->item, to, error);
    return tag == TAG_REFERS_WITH_BOX && g->counts[TAG_DEFINES]
               ? compare_box(index, g, record->item, to, error)
               : VL_OK;
}

static vl_status leak(check_index *index, check_relation relation, group *g, findings *to,
                      vl_error *error) {
    const told *early = NULL, *late = NULL;
    unsigned early_tag = 0, late_tag = 0;
    if (!!g->counts[0] + !!g->counts[1] + !!g->counts[2] < 2)
        return VL_OK;
    for (unsigned tag = 0; tag < VL_SPLIT_COUNT; tag++) {
        if (!g->counts[tag])
            continue;
        vl_status status = first_of(index, g, tag, error);
        if (status)
            return status;
        const told *t = &g->first[tag];
        if (!early || t->at.order < early->at.order) {
            late = early, late_tag = early_tag;
            early = t, early_tag = tag;
        } else if (!late || t->at.order < late->at.order) {
            late = t, late_tag = tag;
        }
    }
    if (late)
        findings_add(to, relations[relation].splits, late->at.order, late->place,
                     "%s %s is in %s here and in %s at %s", relations[relation].what,
                     late->shown, vl_split_name((vl_split)late_tag),
                     vl_split_name((vl_split)early_tag), early->place);
    return VL_OK;
}

static vl_status end_group(check_index *index, check_relation relation, group *g, findings *to,
                           vl_error *error) {
    vl_status status = VL_OK;
    bool is_referred = g->counts[TAG_REFERS] || g->counts[TAG_REFERS_WITH_BOX];
    if (relations[relation].splits != FINDING_COUNT)
        return leak(index, relation, g, to, error);
    if (relations[relation].unused == FINDING_COUNT || !g->counts[TAG_DEFINES] || is_referred)
        return VL_OK;
    status = first_of(index, g, TAG_DEFINES, error);
    if (!status)
        findings_add(to, relations[relation].unused, g->first[0].at.order, g->first[0].place,
                     "nothing refers to %s %s", relations[relation].what, g->first[0].shown);
    return status;
}

static void begin_group(group *g, uint64_t key) {
    g->key = key;
    memset(g->counts, 0, sizeof g->counts);
    for (int i = 0; i < 4; i++)
        g->first[i].is_there = false;
}

static vl_status finish(check_index *index, check_relation relation, findings *to,
                        vl_error *error) {
    runs_record record;
    bool more = true, any = false;
    group *g = calloc(1, sizeof *g);
    vl_status status = g ? runs_merge(index->keys[relation], error)
                         : vl_fail(error, VL_ERR_MEMORY, "no memory to compare rows");
    while (!status) {
        status = runs_next(index->keys[relation], &record, &more, error);
        if (status || !more)
            break;
        if (!any || (record.key & ~UINT64_C(3)) != g->key) {
            status = any ? end_group(index, relation, g, to, error) : VL_OK;
            begin_group(g, record.key & ~UINT64_C(3));
            any = true;
        }
        if (!status)
            status = take(index, relation, g, &record, to, error);
    }
    if (!status && any)
        status = end_group(index, relation, g, to, error);
    free(g);
    return status;
}

vl_status check_index_finish(check_index *index, findings *to, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; i < RELATION_COUNT && !status; i++) {
        /* VQA may come without any list of its images. */
        if (index->keys[i] && (i != RELATION_QUESTION_IMAGE || index->defined[i]))
            status = finish(index, (check_relation)i, to, error);
        runs_free(index->keys[i]);
        index->keys[i] = NULL;
    }
    return status;
}
