/* alignment.c — see alignment.h.
 *
 * The work is some milliseconds, so it is an errand at a desk of its own and not a worker's,
 * who may be reading a page for seconds. What is asked again is answered by the caches: the key
 * is made of the body as it came, the space and the banks. */
#include "serve/alignment.h"

#include "serve/banks.h"
#include "serve/gloss.h"
#include "serve/service.h"
#include "serve/shared.h"

#include <vislang/align.h>
#include <vislang/text.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    BODY_MAX = 4 << 20,
    KEYED_MAX = 512 << 10, /* a longer body is answered anew each time it comes */
    TEXT_MAX = 16 << 10,   /* bytes of the source text */
    CANDIDATES_MAX = 2000,
    CANDIDATE_BYTES_MAX = 1 << 20, /* of all candidates */
    LIMIT_DEFAULT = 5,
    LIMIT_MAX = 50,
    ARENA_MAX = 32 << 20,
    GUESSES = 3,
    GRAPHEMES_TO_TELL = 20, /* what is shorter is not told by its letters */
    CARD_DIGITS = 16,
};
#define CANDIDATES_NAME "candidates"
static const double MIN_CONFIDENCE = 0.5, SURE_OF_OTHER = 0.9, HARDLY = 0.02;
static const int64_t LOOK_EVERY_NS = 2000000000;
static const int64_t WARM_AFTER_NS = 30000000000; /* nobody asked until then */

struct vl_alignment {
    vl_space *space; /* NULL: there is none */
    vl_langid *langid;
    vl_banks *banks;
    vl_glosses *glosses;
    char version[VL_SHA256_HEX_SIZE]; /* of the space */
    int64_t looked_ns;                /* the keeper's */
    int64_t opened_ns;
    atomic_bool looks; /* an errand does */
    atomic_bool asked; /* somebody did, so that it is worth being ready */
    bool warm;         /* of that errand */
};

/* ---- what is asked ------------------------------------------------------------------ */

typedef struct asked {
    const char *text, *bank;
    char source[VL_LANG_SIZE], target[VL_LANG_SIZE]; /* as vl_lang_code */
    const char **candidates;                         /* NULL: the banks */
    size_t candidate_count, limit;
    double min_confidence;
} asked;

static const char *const members[] = {"source_text",   "source_lang", "target_lang",
                                      "candidates",    "bank",        "limit",
                                      "min_confidence"};
enum { MEMBERS = sizeof members / sizeof *members };

static vl_status check_members(const cJSON *json, vl_error *error) {
    for (const cJSON *item = json->child; item; item = item->next) {
        bool known = false;
        for (size_t i = 0; i < MEMBERS; i++)
            known |= !strcmp(item->string, members[i]);
        const char *nearest = known ? NULL : vl_nearest_name(item->string, members, MEMBERS);
        if (!known)
            return vl_fail(error, VL_ERR_USAGE, "there is no member \"%.60s\"%s%s%s",
                           item->string, nearest ? "; did you mean \"" : "",
                           nearest ? nearest : "", nearest ? "\"?" : "");
        for (const cJSON *other = item->next; other; other = other->next)
            if (!strcmp(item->string, other->string))
                return vl_fail(error, VL_ERR_USAGE, "the member \"%s\" comes twice",
                               item->string);
    }
    return VL_OK;
}

/* cJSON ends a text at a NUL: what stands behind it would be taken for not there. */
static vl_status parse_body(const vl_buf *body, cJSON **json, vl_error *error) {
    *json = NULL;
    if (!body->len || memchr(body->data, '\0', body->len) ||
        memmem(body->data, body->len, "\\u0000", 6) ||
        vl_utf8_valid_prefix(body->data, body->len) != body->len)
        return vl_fail(error, VL_ERR_INPUT,
                       "the body is empty, is not UTF-8, or has a NUL in it");
    *json = cJSON_ParseWithLength(body->data, body->len);
    if (!cJSON_IsObject(*json))
        return vl_fail(error, VL_ERR_USAGE, "the body is not a JSON object");
    return check_members(*json, error);
}

static vl_status read_text(const cJSON *json, const char *name, size_t most, const char **text,
                           vl_error *error) {
    *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    if (!*text || !**text)
        return vl_fail(error, VL_ERR_USAGE, "the member \"%s\" is a text that is not empty",
                       name);
    if (strlen(*text) > most)
        return vl_fail(error, VL_ERR_LIMIT, "\"%s\" has %zu bytes; at most %zu are taken", name,
                       strlen(*text), most);
    return VL_OK;
}

/* A code of ISO 639-1 or 639-3, that of a member of a macrolanguage, a locale ("pt-BR"), or an
 * English name of a language that the space has. */
static vl_status read_language(const vl_space *space, const cJSON *json, const char *name,
                               char out[VL_LANG_SIZE], vl_error *error) {
    const char *text;
    char code[VL_LANG_SIZE];
    if (read_text(json, name, 63, &text, error))
        return error->status;
    size_t length = strcspn(text, "-_");
    for (size_t i = 0; i < sizeof code - 1 && i < length; i++)
        code[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    code[length < sizeof code ? length : sizeof code - 1] = '\0';
    snprintf(out, VL_LANG_SIZE, "%s", vl_lang_code(code));
    if (length >= 2 && length <= 3 && strspn(code, "abcdefghijklmnopqrstuvwxyz") == length &&
        strcmp(vl_lang_name(out), out) != 0)
        return VL_OK;
    for (size_t i = 0; i < vl_space_count(space); i++) {
        snprintf(out, VL_LANG_SIZE, "%s", vl_lang_code(vl_space_language(space, i)));
        if (!strcasecmp(text, vl_lang_name(out)))
            return VL_OK;
    }
    return vl_fail(error, VL_ERR_INPUT,
                   "\"%s\": '%.40s' is no language; give a code of ISO 639 like \"sw\"", name,
                   text);
}

static vl_status read_number(const cJSON *json, const char *name, double least, double most,
                             bool whole, double *value, vl_error *error) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    if (!item)
        return VL_OK;
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= least && item->valuedouble <= most) ||
        (whole && floor(item->valuedouble) < item->valuedouble))
        return vl_fail(error, VL_ERR_USAGE, "\"%s\" is a %snumber from %g to %g", name,
                       whole ? "whole " : "", least, most);
    *value = item->valuedouble;
    return VL_OK;
}

static vl_status read_candidates(const cJSON *json, asked *a, vl_arena *arena,
                                 vl_error *error) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, CANDIDATES_NAME);
    size_t bytes = 0;
    if (!list)
        return VL_OK;
    if (!cJSON_IsArray(list) || !list->child || a->bank)
        return vl_fail(error, VL_ERR_USAGE, "%s",
                       a->bank ? "\"candidates\" and \"bank\" exclude each other"
                               : "\"candidates\" is a list of sentences that is not empty");
    size_t count = (size_t)cJSON_GetArraySize(list);
    if (count > CANDIDATES_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "%zu candidates; at most %d are taken", count,
                       CANDIDATES_MAX);
    a->candidates = vl_arena_array(arena, count, sizeof *a->candidates);
    if (!a->candidates)
        return vl_fail(error, VL_ERR_MEMORY, "there is no memory for the candidates");
    for (const cJSON *item = list->child; item; item = item->next) {
        if (!cJSON_IsString(item))
            return vl_fail(error, VL_ERR_USAGE, "candidate %zu is not a text",
                           a->candidate_count);
        if ((bytes += strlen(item->valuestring)) > CANDIDATE_BYTES_MAX)
            return vl_fail(error, VL_ERR_LIMIT, "the candidates have over %d bytes together",
                           CANDIDATE_BYTES_MAX);
        a->candidates[a->candidate_count++] = item->valuestring;
    }
    return VL_OK;
}

static vl_status read_bank(const vl_alignment *al, const cJSON *json, asked *a,
                           vl_error *error) {
    char nearest[VL_BANKS_NAME_SIZE];
    if (!cJSON_GetObjectItemCaseSensitive(json, "bank"))
        return VL_OK;
    if (read_text(json, "bank", VL_BANKS_NAME_SIZE - 1, &a->bank, error))
        return error->status;
    if (vl_banks_has(al->banks, a->bank))
        return VL_OK;
    vl_banks_nearest(al->banks, a->bank, nearest);
    return vl_fail(error, VL_ERR_INPUT, "there is no bank '%s'%s%s%s", a->bank,
                   *nearest ? "; did you mean '" : "", nearest, *nearest ? "'?" : "");
}

/* Strings point into `json`. */
static vl_status read_asked(const vl_alignment *al, const cJSON *json, vl_arena *arena,
                            asked *a, vl_error *error) {
    double limit = LIMIT_DEFAULT;
    *a = (asked){.min_confidence = MIN_CONFIDENCE};
    if (read_text(json, "source_text", TEXT_MAX, &a->text, error) ||
        read_language(al->space, json, "source_lang", a->source, error) ||
        read_language(al->space, json, "target_lang", a->target, error) ||
        read_number(json, "limit", 1, LIMIT_MAX, true, &limit, error) ||
        read_number(json, "min_confidence", 0, 1, false, &a->min_confidence, error) ||
        read_bank(al, json, a, error) || read_candidates(json, a, arena, error))
        return error->status;
    a->limit = (size_t)limit;
    return VL_OK;
}

/* ---- what is found ------------------------------------------------------------------ */

typedef struct found {
    const char *bank, *text;
    uint32_t line;
    vl_bank_hit hit;
} found;

typedef struct answer {
    vl_gloss_word *words;
    size_t word_count, words_known; /* numbers are neither */
    found *matches;
    size_t match_count;
    size_t sentences; /* that were searched */
    float best;       /* confidence of the best, whether it is told or not */
    bool detects;     /* the language of the text is told by its letters … */
    vl_lang_guess guess;
    bool is_other; /* … and is not the one that is claimed */
    const char *reason;
    char detail[256];
} answer;

/* Best confidence first; of equals the higher score. */
static int by_confidence(const void *x, const void *y) {
    const found *a = x, *b = y;
    if (a->hit.confidence != b->hit.confidence)
        return a->hit.confidence > b->hit.confidence ? -1 : 1;
    if (a->hit.score != b->hit.score)
        return a->hit.score > b->hit.score ? -1 : 1;
    int order = strcmp(a->bank, b->bank);
    return order ? order : (a->line > b->line) - (a->line < b->line);
}

static vl_status search(const vl_bank *bank, const asked *a, const vl_bank_texts *texts,
                        vl_arena *arena, answer *to, vl_error *error) {
    size_t count = 0;
    vl_bank_hit *hits = vl_arena_array(arena, a->limit, sizeof *hits);
    if (!hits)
        return vl_fail(error, VL_ERR_MEMORY, "there is no memory for the answer");
    vl_status status = vl_bank_search(bank, a->source, a->text, a->limit, hits, &count, error);
    for (size_t i = 0; !status && i < count; i++) {
        size_t at = hits[i].sentence;
        to->best = hits[i].confidence > to->best ? hits[i].confidence : to->best;
        if ((double)hits[i].confidence >= a->min_confidence)
            to->matches[to->match_count++] =
                texts ? (found){texts->name, texts->sentences[at], texts->lines[at], hits[i]}
                      : (found){CANDIDATES_NAME, a->candidates[at], (uint32_t)at + 1, hits[i]};
    }
    return status;
}

static vl_status search_candidates(const vl_alignment *al, const asked *a, vl_arena *arena,
                                   answer *to, vl_error *error) {
    vl_bank *bank = NULL;
    vl_status status =
        vl_bank_new(al->space, a->target, a->candidates, a->candidate_count, &bank, error);
    if (!status)
        status = search(bank, a, NULL, arena, to, error);
    to->sentences = a->candidate_count;
    vl_bank_free(bank);
    return status;
}

static vl_status search_banks(const vl_alignment *al, const asked *a, vl_arena *arena,
                              answer *to, vl_error *error) {
    const vl_bank_texts *banks[VL_BANKS_OF_LANGUAGE_MAX];
    vl_status status = VL_OK;
    size_t count = vl_banks_enter(al->banks, a->bank, a->target, banks);
    for (size_t i = 0; !status && i < count; i++) {
        status = search(banks[i]->bank, a, banks[i], arena, to, error);
        to->sentences += banks[i]->count;
    }
    for (size_t i = 0; !status && i < to->match_count; i++) { /* they outlive the banks */
        to->matches[i].text = vl_arena_strdup(arena, to->matches[i].text);
        to->matches[i].bank = vl_arena_strdup(arena, to->matches[i].bank);
        if (!to->matches[i].text || !to->matches[i].bank)
            status = vl_fail(error, VL_ERR_MEMORY, "there is no memory for the answer");
    }
    vl_banks_leave(al->banks, banks, count);
    return status;
}

/* What the letters of a text tell of its language, where they are enough to tell. */
static void detect(const vl_alignment *al, const asked *a, answer *to) {
    vl_lang_guess guesses[GUESSES];
    double claimed = 0;
    if (!vl_langid_knows(al->langid, a->source) ||
        vl_text_grapheme_count(a->text) < GRAPHEMES_TO_TELL)
        return;
    size_t count = vl_langid_guess(al->langid, a->text, GUESSES, guesses);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(vl_lang_code(guesses[i].code), a->source))
            claimed += guesses[i].probability;
    to->detects = count && strcmp(guesses[0].code, "und") != 0;
    if (!to->detects)
        return;
    to->guess = guesses[0];
    to->is_other = strcmp(vl_lang_code(guesses[0].code), a->source) != 0 &&
                   guesses[0].probability >= SURE_OF_OTHER && claimed < HARDLY;
}

static void doubt(answer *to, const char *reason, const char *format, ...) VL_PRINTF(3, 4);
static void doubt(answer *to, const char *reason, const char *format, ...) {
    va_list args;
    to->reason = reason;
    va_start(args, format);
    vsnprintf(to->detail, sizeof to->detail, format, args);
    va_end(args);
}

/* Why the answer is not to be relied on; the first that holds. */
static void judge(const vl_alignment *al, const asked *a, answer *to) {
    const char *unserved = !vl_space_has(al->space, a->source)   ? a->source
                           : !vl_space_has(al->space, a->target) ? a->target
                                                                 : NULL;
    if (!to->word_count)
        doubt(to, "no_words", "The text has no words.");
    else if (unserved)
        doubt(to, "language_not_served",
              "Nothing is known of the words of %s; only names and numbers were compared.",
              vl_lang_name(unserved));
    else if (to->is_other)
        doubt(to, "wrong_language", "The text is %s by its letters, and not %s.",
              vl_lang_name(vl_lang_code(to->guess.code)), vl_lang_name(a->source));
    else if (!to->sentences)
        doubt(to, "no_bank", "There is no bank of sentences in %s.", vl_lang_name(a->target));
    else if (!to->match_count && !to->words_known)
        doubt(to, "no_known_word", "None of its words is known.");
    else if (!to->match_count)
        doubt(to, "low_confidence",
              "No sentence is its counterpart with a confidence of %.2f or more; the best has "
              "%.2f.",
              a->min_confidence, (double)to->best);
}

static vl_status make_answer(const vl_alignment *al, const asked *a, vl_arena *arena,
                             answer *to, vl_error *error) {
    size_t most = a->limit * VL_BANKS_OF_LANGUAGE_MAX;
    *to = (answer){.matches = vl_arena_array(arena, most, sizeof *to->matches)};
    if (!to->matches)
        return vl_fail(error, VL_ERR_MEMORY, "there is no memory for the answer");
    vl_status status = vl_glosses_make(al->glosses, a->source, a->target, a->text, arena,
                                       &to->words, &to->word_count, error);
    for (size_t i = 0; i < to->word_count; i++)
        to->words_known += to->words[i].known && !to->words[i].is_number;
    if (!status)
        status = a->candidates ? search_candidates(al, a, arena, to, error)
                               : search_banks(al, a, arena, to, error);
    if (status)
        return status;
    qsort(to->matches, to->match_count, sizeof *to->matches, by_confidence);
    if (to->match_count > a->limit)
        to->match_count = a->limit;
    detect(al, a, to);
    judge(al, a, to);
    return VL_OK;
}

/* ---- as JSON ------------------------------------------------------------------------- */

static void add_rounded(cJSON *json, const char *name, double value) {
    cJSON_AddNumberToObject(json, name, round(value * 1e4) / 1e4);
}

static cJSON *add_language(cJSON *json, const char *name, const char *code) {
    cJSON *language = cJSON_AddObjectToObject(json, name);
    cJSON_AddStringToObject(language, "language", vl_lang_short(code));
    cJSON_AddStringToObject(language, "name", vl_lang_name(code));
    return language;
}

static void add_matches(cJSON *json, const answer *from) {
    cJSON *list = cJSON_AddArrayToObject(json, "matches");
    for (size_t i = 0; i < from->match_count; i++) {
        const found *f = &from->matches[i];
        cJSON *match = cJSON_CreateObject(), *place;
        cJSON_AddStringToObject(match, "text", f->text);
        add_rounded(match, "score", (double)f->hit.score);
        add_rounded(match, "margin", (double)f->hit.margin);
        add_rounded(match, "confidence", (double)f->hit.confidence);
        place = cJSON_AddObjectToObject(match, "place");
        cJSON_AddStringToObject(place, "bank", f->bank);
        cJSON_AddNumberToObject(place, "line", f->line);
        cJSON_AddItemToArray(list, match);
    }
}

static void add_gloss(cJSON *json, const asked *a, const answer *from, vl_arena *arena) {
    cJSON *list = cJSON_AddArrayToObject(json, "gloss");
    for (size_t i = 0; i < from->word_count; i++) {
        const vl_gloss_word *w = &from->words[i];
        const char *word = vl_arena_strndup(arena, a->text + w->from, w->to - w->from);
        cJSON *item = cJSON_CreateObject(), *meanings;
        cJSON_AddStringToObject(item, "word", word ? word : "");
        cJSON_AddNumberToObject(item, "from", (double)w->from);
        cJSON_AddNumberToObject(item, "to", (double)w->to);
        cJSON_AddBoolToObject(item, "known", w->known);
        add_rounded(item, "confidence", (double)w->confidence);
        meanings = cJSON_AddArrayToObject(item, "meanings");
        for (size_t k = 0; k < w->count; k++) {
            cJSON *meaning = cJSON_CreateObject();
            cJSON_AddStringToObject(meaning, "word", w->meanings[k].word);
            cJSON_AddStringToObject(meaning, "language", vl_lang_short(w->language));
            add_rounded(meaning, "confidence", (double)w->meanings[k].weight);
            cJSON_AddItemToArray(meanings, meaning);
        }
        cJSON_AddItemToArray(list, item);
    }
}

static cJSON *to_json(const vl_alignment *al, const asked *a, const answer *from,
                      vl_arena *arena, double milliseconds) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddBoolToObject(json, "known", !from->reason);
    cJSON_AddItemToObject(json, "reason",
                          from->reason ? cJSON_CreateString(from->reason) : cJSON_CreateNull());
    cJSON_AddStringToObject(json, "detail", from->detail);
    cJSON *source = add_language(json, "source", a->source);
    if (from->detects) {
        cJSON *detected = add_language(source, "detected", vl_lang_code(from->guess.code));
        add_rounded(detected, "probability", from->guess.probability);
    } else {
        cJSON_AddNullToObject(source, "detected");
    }
    add_language(json, "target", a->target);
    add_matches(json, from);
    cJSON_AddNumberToObject(json, "sentences", (double)from->sentences);
    add_gloss(json, a, from, arena);
    cJSON_AddNumberToObject(json, "words", (double)from->word_count);
    cJSON_AddNumberToObject(json, "words_known", (double)from->words_known);
    cJSON_AddNumberToObject(json, "processing_time_ms", round(milliseconds * 100) / 100);
    cJSON *model = cJSON_AddObjectToObject(json, "model_info");
    char version[CARD_DIGITS + 1];
    snprintf(version, sizeof version, "%s", al->version);
    cJSON_AddStringToObject(model, "name", "align");
    cJSON_AddStringToObject(model, "version", version);
    return json;
}

/* ---- the request ---------------------------------------------------------------------- */

static void make_key(vl_server *server, const vl_buf *body, char key[VL_CACHE_KEY_SIZE]) {
    const vl_alignment *al = server->alignment;
    vl_sha256 *hash = body->len <= KEYED_MAX ? vl_sha256_new() : NULL;
    char banks[VL_SHA256_HEX_SIZE];
    key[0] = '\0';
    if (!hash)
        return;
    vl_banks_version(al->banks, banks);
    const char *parts[] = {"alignment", server->version_tag, al->version, banks};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        vl_sha256_update(hash, parts[i], strlen(parts[i]) + 1);
    vl_sha256_update(hash, body->data ? body->data : "", body->len);
    vl_sha256_finish(hash, key);
}

static vl_status answer_body(vl_server *server, const vl_buf *body, vl_arena *arena,
                             cJSON **json, vl_blob **blob, vl_error *error) {
    const vl_alignment *al = server->alignment;
    int64_t start = vl_clock_ns();
    asked a;
    answer made;
    vl_status status = parse_body(body, json, error);
    if (!status)
        status = read_asked(al, *json, arena, &a, error);
    if (!status)
        status = make_answer(al, &a, arena, &made, error);
    if (status)
        return status;
    cJSON *out = to_json(al, &a, &made, arena, vl_clock_ms_since(start));
    char *text = out ? cJSON_PrintUnformatted(out) : NULL;
    *blob = text ? vl_blob_new("application/json", text, strlen(text)) : NULL;
    cJSON_free(text);
    cJSON_Delete(out);
    if (!*blob)
        return vl_fail(error, VL_ERR_MEMORY, "there is no memory for the answer");
    atomic_fetch_add(&server->metrics.alignment_unknown, made.reason != NULL);
    return VL_OK;
}

static vl_blob *make_blob(vl_server *server, const vl_buf *body, vl_error *error) {
    vl_blob *blob = NULL;
    cJSON *json = NULL;
    int64_t start = vl_clock_ns();
    vl_arena *arena = vl_arena_new(ARENA_MAX);
    if (arena)
        answer_body(server, body, arena, &json, &blob, error);
    else
        vl_fail(error, VL_ERR_MEMORY, "there is no memory for the answer");
    cJSON_Delete(json);
    vl_arena_free(arena);
    atomic_fetch_add(&server->metrics.alignment_requests, 1);
    atomic_fetch_add(&server->metrics.alignment_failures, blob == NULL);
    atomic_fetch_add(&server->metrics.alignment_microseconds,
                     (uint64_t)(vl_clock_ms_since(start) * 1000));
    return blob;
}

static void work(vl_request *request) {
    vl_server *server = request->server;
    const vl_buf *body = &request->form->json;
    char key[VL_CACHE_KEY_SIZE];
    vl_error error;
    atomic_store(&server->alignment->asked, true);
    make_key(server, body, key);
    vl_blob *blob = vl_shared_get(server, key);
    if (!blob && (blob = make_blob(server, body, &error)))
        vl_shared_put(server, key, blob);
    if (blob && *key)
        vl_cache_put(server->cache, key, blob);
    if (blob)
        vl_decide_blob(request, 200, blob);
    else
        vl_decide_failure(request, vl_http_status(error.status), &error);
}

void vl_handle_alignment(vl_request *request) {
    vl_server *server = request->server;
    char key[VL_CACHE_KEY_SIZE];
    if (!server->alignment->space) {
        vl_decide_problem(request, 503,
                          "This service has no space of languages (setting alignment_space).");
        return;
    }
    if (server->settings.jobs == VL_JOBS_ONLY) {
        vl_decide_problem(request, 503, "This process only works on jobs (setting jobs).");
        return;
    }
    if (request->form->json.len > BODY_MAX) {
        vl_decide_problem(request, 413, "The body may have %d bytes.", BODY_MAX);
        return;
    }
    make_key(server, &request->form->json, key);
    vl_blob *hit = *key ? vl_cache_get(server->cache, key) : NULL;
    request->outcome.cache_state = hit ? "hit" : "miss";
    atomic_fetch_add(hit ? &server->metrics.cache_hits : &server->metrics.cache_misses, 1);
    if (hit)
        vl_decide_blob(request, 200, hit);
    else
        vl_errand_start(request, VL_DESK_WORDS, work);
}

/* ---- start, and from time to time ------------------------------------------------------- */

static vl_status hash_file(const char *path, char out[VL_SHA256_HEX_SIZE], vl_error *error) {
    enum { SPACE_MAX = 1 << 30 };
    vl_buf bytes;
    vl_buf_init(&bytes, SPACE_MAX);
    vl_status status = vl_file_read(path, SPACE_MAX, &bytes, error);
    if (!status)
        vl_sha256_hex(bytes.data, bytes.len, out);
    vl_buf_deinit(&bytes);
    return status;
}

static vl_status open_space(vl_alignment *al, const char *setting, vl_error *error) {
    char path[4096];
    snprintf(path, sizeof path, "%s/models/align.bin", vl_data_dir());
    vl_status status = vl_space_open(*setting ? setting : NULL, &al->space, error);
    if (!status)
        status = hash_file(*setting ? setting : path, al->version, error);
    if (!status || *setting)
        return status;
    vl_space_free(al->space);
    al->space = NULL;
    vl_log(VL_LOG_WARN, "texts are not aligned", VL_F_STR("reason", error->message));
    return VL_OK;
}

vl_status vl_alignment_open(vl_server *server, const vl_config *config, vl_error *error) {
    vl_alignment *al = server->alignment = calloc(1, sizeof *al);
    if (!al)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the alignment of texts");
    vl_status status = open_space(al, vl_config_string(config, "alignment_space"), error);
    if (status || !al->space)
        return status ? vl_error_prefix(error, "alignment_space") : VL_OK;
    if (!(al->glosses = vl_glosses_new(al->space)))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the alignment of texts");
    status = vl_langid_open(NULL, &al->langid, error);
    al->looked_ns = al->opened_ns = vl_clock_ns();
    return status ? status
                  : vl_banks_open(al->space, vl_config_string(config, "alignment_bank_path"),
                                  &al->banks, error);
}

void vl_alignment_close(vl_server *server) {
    vl_alignment *al = server->alignment;
    if (!al)
        return;
    vl_banks_free(al->banks);
    vl_glosses_free(al->glosses);
    vl_langid_free(al->langid);
    vl_space_free(al->space);
    free(al);
    server->alignment = NULL;
}

static void look(vl_server *server) {
    vl_alignment *al = server->alignment;
    bool wanted = atomic_load(&al->asked) || vl_clock_ns() - al->opened_ns > WARM_AFTER_NS;
    if (wanted && !al->warm) {
        vl_banks_warm(al->banks, &server->stopping);
        vl_glosses_warm(al->glosses, &server->stopping);
        al->warm = true;
    }
    vl_banks_refresh(al->banks);
    atomic_store(&al->looks, false);
}

void vl_alignment_tick(vl_server *server) {
    vl_alignment *al = server->alignment;
    int64_t now = vl_clock_ns();
    if (!al || !al->banks || now - al->looked_ns < LOOK_EVERY_NS ||
        atomic_exchange(&al->looks, true))
        return;
    al->looked_ns = now;
    if (!vl_errand_post(server, VL_DESK_SLOW, look))
        atomic_store(&al->looks, false);
}
