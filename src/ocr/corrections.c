/* corrections.c — what people say that lines are, given back with what the engines read there.
 *
 * The document is one that a reader made with `explain`, a line of which a person has given a
 * member "corrected". It carries all that is needed (who read what, and the key of the votes),
 * so nothing has to be remembered between a reading and its correction, and a service may learn
 * from what another one read.
 *
 *   line_voices                   the hypotheses of a line's words as one reading a voice
 *   correct_line, correct_page    into the record
 *   vl_record_correct_document    all of it, and the report */
#include "ocr/record.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    MAX_VOICES = VL_VOTE_MAX_VOICES - 1, /* one is the truth */
    MAX_LINE_BYTES = 16 << 10,
    ARENA_BYTES = 64 << 20,
};
/* Aligning costs the length of a reading times that of the truth; a page of a book is 10^7. */
static const double most_work = 1e9;

typedef struct corrections {
    vl_record *record;
    vl_arena *arena; /* of one line */
    char voices[VL_VOTE_MAX_VOICES][VL_RECORD_MAX_FIELD];
    double before[VL_VOTE_MAX_VOICES];
    size_t voice_count, lines;
    double work;
    char where[96]; /* "pages[0].blocks[1].lines[2]" */
} corrections;

static vl_status bad(const corrections *c, const char *what, vl_error *error) {
    return vl_fail(error, VL_ERR_INPUT, "%s %s", c->where, what);
}

static const char *text_of(const cJSON *object, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* ---- a line --------------------------------------------------------------------------------
 */

/* What `engine` read of the word, or NULL when it had no vote there. */
static const char *said_by(const cJSON *word, const char *engine) {
    const cJSON *said;
    cJSON_ArrayForEach(said, cJSON_GetObjectItemCaseSensitive(word, "hypotheses")) {
        const char *name = text_of(said, "engine");
        if (name && !strcmp(name, engine))
            return text_of(said, "text");
    }
    return NULL;
}

/* Its words apart by a space; false when it had no vote on one of them. */
static bool line_said_by(const cJSON *words, const char *engine, vl_buf *line) {
    const cJSON *word;
    vl_buf_clear(line);
    cJSON_ArrayForEach(word, words) {
        const char *text = said_by(word, engine);
        if (!text)
            return false;
        if (*text)
            vl_buf_printf(line, "%s%s", line->len ? " " : "", text);
    }
    return true;
}

static vl_status add_voice(corrections *c, const char *engine, const vl_buf *line,
                           vl_vote_voice *voice, vl_error *error) {
    vl_status status = vl_buf_status(line, "a line", error);
    *voice = (vl_vote_voice){.name = engine, .calibration = vl_calibration_none()};
    if (!status)
        status = vl_vote_clusters_of(c->arena, line->len ? line->data : "", 0.9,
                                     &voice->clusters, &voice->count, error);
    return status ? vl_error_prefix(error, "%s", c->where) : VL_OK;
}

/* The engines that voted on all of the line, by the names that its first word has. */
static vl_status line_voices(corrections *c, const cJSON *words, vl_vote_voice *voices,
                             size_t *count, vl_error *error) {
    const cJSON *said,
        *list = cJSON_IsArray(words) && words->child
                    ? cJSON_GetObjectItemCaseSensitive(words->child, "hypotheses")
                    : NULL;
    vl_status status = VL_OK;
    vl_buf line;
    if (!cJSON_IsArray(list) || !list->child)
        return bad(c, "says not who read what; it takes a reading with explain", error);
    vl_buf_init(&line, MAX_LINE_BYTES);
    *count = 0;
    cJSON_ArrayForEach(said, list) {
        const char *engine = text_of(said, "engine");
        if (!engine || !*engine || *count == MAX_VOICES)
            status = bad(c,
                         engine && *engine ? "has too many hypotheses"
                                           : "has a hypothesis of no engine",
                         error);
        else if (line_said_by(words, engine, &line))
            status = add_voice(c, engine, &line, &voices[(*count)++], error);
        if (status)
            break;
    }
    vl_buf_deinit(&line);
    return status;
}

/* How good a voice was before the first correction of it. */
static vl_status note_voice(corrections *c, const char *name, vl_error *error) {
    vl_record_key key = {.voice = name};
    vl_status status = vl_record_key_check(&key, error);
    if (status)
        return vl_error_prefix(error, "%s", c->where);
    for (size_t i = 0; i < c->voice_count; i++)
        if (!strcmp(c->voices[i], name))
            return VL_OK;
    if (c->voice_count == VL_VOTE_MAX_VOICES)
        return bad(c, "has one engine too many", error);
    c->before[c->voice_count] = vl_record_accuracy(c->record, &key, NULL);
    snprintf(c->voices[c->voice_count++], VL_RECORD_MAX_FIELD, "%s", name);
    return VL_OK;
}

static vl_status correct_line(corrections *c, const cJSON *line, const char *truth,
                              const vl_record_key *where, vl_error *error) {
    vl_vote_voice voices[VL_VOTE_MAX_VOICES];
    size_t count = 0;
    vl_arena_reset(c->arena);
    if (strlen(truth) > MAX_LINE_BYTES)
        return bad(c, "is corrected to more than a line", error);
    vl_status status =
        line_voices(c, cJSON_GetObjectItemCaseSensitive(line, "words"), voices, &count, error);
    for (size_t i = 0; i < count && !status; i++) {
        c->work += (double)(voices[i].count + 1) * (double)(strlen(truth) + 1);
        status = note_voice(c, voices[i].name, error);
    }
    if (!status && c->work > most_work)
        status = vl_fail(error, VL_ERR_LIMIT, "more corrections than can be taken at once");
    if (!status)
        status = vl_record_correct(c->record, voices, count, truth, where, error);
    c->lines += !status;
    return status;
}

/* ---- a document ----------------------------------------------------------------------------
 */

/* What the page's votes were recorded under. */
static vl_status page_key(const corrections *c, const cJSON *page, vl_record_key *key,
                          vl_error *error) {
    const cJSON *record = cJSON_GetObjectItemCaseSensitive(page, "record"), *item;
    *key = (vl_record_key){.voice = "any"};
    if (record && !cJSON_IsObject(record))
        return bad(c, "has a \"record\" that is no object", error);
    cJSON_ArrayForEach(item, record) {
        if (!cJSON_IsString(item))
            return bad(c, "has a \"record\" with something that is no text", error);
    }
    key->script = text_of(record, "script");
    key->language = text_of(record, "language");
    key->degradation = text_of(record, "degradation");
    key->source = text_of(record, "source");
    vl_status status = vl_record_key_check(key, error);
    return status ? vl_error_prefix(error, "%s", c->where) : VL_OK;
}

static vl_status correct_page(corrections *c, const cJSON *page, size_t number,
                              vl_error *error) {
    vl_record_key key;
    const cJSON *block, *line;
    size_t b = 0;
    snprintf(c->where, sizeof c->where, "pages[%zu]", number);
    vl_status status = page_key(c, page, &key, error);
    for (block = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(page, "blocks"), 0);
         block && !status; block = block->next, b++) {
        size_t l = 0;
        for (line = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(block, "lines"), 0);
             line && !status; line = line->next, l++) {
            const cJSON *truth = cJSON_GetObjectItemCaseSensitive(line, "corrected");
            snprintf(c->where, sizeof c->where, "pages[%zu].blocks[%zu].lines[%zu]", number, b,
                     l);
            if (truth && !cJSON_IsString(truth))
                status = bad(c, "is corrected by what is no text", error);
            else if (truth)
                status = correct_line(c, line, truth->valuestring, &key, error);
        }
    }
    return status;
}

static vl_status write_report(const corrections *c, vl_buf *report, vl_error *error) {
    cJSON *root = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "lines", (double)c->lines);
    cJSON *engines = cJSON_AddArrayToObject(root, "engines");
    for (size_t i = 0; i < c->voice_count; i++) {
        double characters;
        double accuracy =
            vl_record_accuracy(c->record, &(vl_record_key){.voice = c->voices[i]}, &characters);
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "engine", c->voices[i]);
        cJSON_AddNumberToObject(o, "accuracy_before", round(c->before[i] * 1e4) / 1e4);
        cJSON_AddNumberToObject(o, "accuracy", round(accuracy * 1e4) / 1e4);
        cJSON_AddNumberToObject(o, "characters", round(characters));
        cJSON_AddItemToArray(engines, o);
    }
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    if (text)
        vl_buf_puts(report, text);
    cJSON_free(text);
    return text ? vl_buf_status(report, "the report", error)
                : vl_fail(error, VL_ERR_MEMORY, "no memory for the report");
}

vl_status vl_record_correct_document(vl_record *record, const void *json, size_t bytes,
                                     vl_buf *report, vl_error *error) {
    corrections c = {.record = record, .arena = vl_arena_new(ARENA_BYTES)};
    cJSON *root = cJSON_ParseWithLength(json, bytes);
    const cJSON *pages = cJSON_GetObjectItemCaseSensitive(root, "pages");
    vl_status status = VL_OK;
    if (!c.arena)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for the corrections");
    else if (!cJSON_IsArray(pages))
        status = vl_fail(error, VL_ERR_INPUT,
                         "it is no document: JSON with \"pages\", as --explain --format json "
                         "(explain=true) writes it");
    size_t number = 0;
    for (const cJSON *page = status ? NULL : pages->child; page && !status; page = page->next)
        status = correct_page(&c, page, number++, error);
    if (!status && !c.lines)
        status = vl_fail(error, VL_ERR_INPUT,
                         "no line has a member \"corrected\", the text that stands there");
    if (!status)
        status = write_report(&c, report, error);
    cJSON_Delete(root);
    vl_arena_free(c.arena);
    return status;
}
