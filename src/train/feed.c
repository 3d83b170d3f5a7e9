/* feed.c — builds pieces in background threads (feed.h). */
#include "train/feed.h"
#include "train/augment.h"
#include "train/order.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vislang/media.h>

enum { AHEAD = 3, MAX_TOKENS = RECIPE_MAX_TEXT, PIECE_BYTES = 1 << 30, TRIES = 8 };

typedef struct tokens {
    int32_t caption, ask, answer, statement, eos, yes, no, unknown, hidden;
} tokens;

typedef struct source_state {
    samples *set;
    order *order;
} source_state;

struct feed {
    feed_options options;
    const recipe_source *sources;
    size_t source_count;
    source_state state[RECIPE_MAX_SOURCES];
    tokens tokens;
    vl_pool *pool;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job_step *ahead[AHEAD];
    uint64_t next; /* first step not yet begun */
    bool begun;
    size_t seen, broken;
    vl_status status; /* of the first job that failed for good */
    vl_error error;
};

typedef struct job_step {
    feed_step step;
    size_t pending;
} job_step;

typedef struct job {
    feed *feed;
    job_step *into;
    size_t piece, number;        /* place among this machine's pieces, and among all */
    size_t source, first, count; /* pictures first … first+count of the source's batch */
} job;

int32_t feed_language_token(const vl_bpe *bpe, const char *language) {
    char name[16];
    snprintf(name, sizeof name, "<%s>", language);
    return vl_bpe_special(bpe, name);
}

/* ---- texts of a picture ------------------------------------------------------------- */

typedef struct writer {
    const feed *feed;
    piece *piece;
    uint64_t *random;
    size_t room, length; /* rows there is memory for; tokens of the longest */
} writer;

static size_t encode(const writer *w, const char *text, int32_t *ids, size_t max) {
    size_t count = 0;
    /* A longer text is cut: VL_ERR_LIMIT, and the first `max` are there. */
    vl_bpe_encode(w->feed->options.bpe, text, strlen(text), ids, max, &count, NULL);
    return count < max ? count : max;
}

static void hide_words(const writer *w, int32_t *ids, size_t from, size_t to) {
    double share = w->feed->options.held ? 0 : w->feed->options.recipe->word_dropout;
    for (size_t i = from; share > 0 && i < to; i++)
        if (vl_random_uniform(w->random) < share)
            ids[i] = w->feed->tokens.hidden;
}

/* Row of `count` ids; those from `from` on (and the end) are to be predicted. */
static void add_row(writer *w, const int32_t *ids, size_t count, size_t picture, size_t from,
                    task kind, bool predicted, bool matched) {
    piece *p = w->piece;
    if (p->rows == w->room)
        return;
    size_t row = p->rows++, start = (size_t)p->starts[row];
    memcpy(p->ids + start, ids, count * sizeof *ids);
    p->starts[row + 1] = (int32_t)(start + count);
    p->owner[row] = (int32_t)picture;
    for (size_t i = from; predicted && i < count; i++) {
        p->at[p->targets] = (int32_t)(start + i - 1);
        p->target[p->targets] = ids[i];
        p->task[p->targets++] = (uint8_t)kind;
    }
    if (kind == TASK_CAPTION)
        hide_words(w, p->ids + start, 2, count - 1);
    if (matched) {
        p->vector_at[p->vectors] = (int32_t)(start + count - 1);
        p->vector_owner[p->vectors++] = (int32_t)picture;
    }
}

static void add_caption(writer *w, const sample_text *caption, size_t picture) {
    const feed *f = w->feed;
    const double *weights = w->piece->source->weights;
    int32_t ids[MAX_TOKENS];
    /* A quarter of the captions do not say their language: queries come so. They are not to be
     * predicted, since nobody could know the language to write in. */
    bool said = f->options.held || vl_random_uniform(w->random) >= 0.25;
    int32_t language = feed_language_token(f->options.bpe, caption->language);
    ids[0] = f->tokens.caption;
    ids[1] = said && language >= 0 ? language : f->tokens.unknown;
    size_t count = 2 + encode(w, caption->text, ids + 2, w->length - 3);
    ids[count++] = f->tokens.eos;
    add_row(w, ids, count, picture, 2, TASK_CAPTION, said && weights[TASK_CAPTION] > 0,
            weights[TASK_CONTRAST] > 0);
}

static void add_question(writer *w, const sample_text *question, size_t picture) {
    const feed *f = w->feed;
    int32_t ids[MAX_TOKENS];
    size_t length = w->length;
    ids[0] = f->tokens.ask;
    size_t count = 1 + encode(w, question->text, ids + 1, length - 10);
    ids[count++] = f->tokens.answer;
    size_t from = count;
    count += encode(w, question->answer, ids + count, length - count - 1);
    ids[count++] = f->tokens.eos;
    add_row(w, ids, count, picture, from, TASK_ASK, true, false);
}

static void add_statement(writer *w, const sample_text *statement, size_t picture) {
    const feed *f = w->feed;
    int32_t ids[MAX_TOKENS];
    ids[0] = f->tokens.statement;
    size_t count = 1 + encode(w, statement->text, ids + 1, w->length - 3);
    ids[count++] = f->tokens.answer;
    ids[count++] = statement->truth ? f->tokens.yes : f->tokens.no;
    add_row(w, ids, count, picture, count - 1, TASK_STATEMENT, true, false);
}

/* One of `count` captions that stand in the order of their consensus; `typical` above 1 draws
 * the first ones more often. */
static size_t draw_caption(uint64_t *random, size_t count, double typical) {
    return (size_t)((double)count * pow(vl_random_uniform(random), typical));
}

/* One caption in the first language (English), the next ones in others; held sources take them
 * in order. */
static void add_captions(writer *w, const sample *item, size_t picture) {
    const sample_texts *all = &item->captions;
    size_t wanted = (size_t)w->piece->source->captions, first = 0;
    while (first < all->count && !strcmp(all->items[first].language, all->items[0].language))
        first++;
    for (size_t i = 0; i < wanted && all->count; i++) {
        size_t at;
        if (w->feed->options.held)
            at = i % all->count;
        else if (i == 0 || first == all->count)
            at = draw_caption(w->random, first, w->piece->source->typical);
        else
            at = first + vl_random_below(w->random, all->count - first);
        add_caption(w, &all->items[at], picture);
    }
}

/* `wanted` of the texts, half of them from the derived ones where both are there. */
static void add_some(writer *w, const sample_texts *human, const sample_texts *derived,
                     int64_t wanted, size_t picture,
                     void (*add)(writer *, const sample_text *, size_t)) {
    bool use_derived = w->piece->source->derived;
    for (int64_t i = 0; i < wanted; i++) {
        const sample_texts *from = human;
        if (use_derived && derived->count &&
            (!human->count || vl_random_uniform(w->random) < 0.5))
            from = derived;
        if (!from->count)
            return;
        size_t at = w->feed->options.held ? (size_t)i : vl_random_below(w->random, from->count);
        if (at < from->count)
            add(w, &from->items[at], picture);
    }
}

static bool names_a_side(const sample *item) {
    static const char *const words[] = {"left", "right", "gauche", "droite", "links", "rechts"};
    for (size_t i = 0; i < item->captions.count; i++)
        for (size_t j = 0; j < sizeof words / sizeof *words; j++)
            if (strstr(item->captions.items[i].text, words[j]))
                return true;
    return false;
}

/* ---- pictures ----------------------------------------------------------------------- */

static uint64_t seed_of(const feed *f, uint64_t a, uint64_t b, uint64_t c) {
    uint64_t state = (uint64_t)f->options.recipe->seed;
    state ^= vl_random_next(&(uint64_t){a * 3 + 1});
    state ^= vl_random_next(&(uint64_t){state + b * 5 + 2});
    return vl_random_next(&(uint64_t){state + c * 7 + 3});
}

/* Sample number `place` of the endless shuffled sequence of a source. */
static size_t sample_at(feed *f, size_t source, uint64_t place) {
    source_state *s = &f->state[source];
    size_t count = samples_count(s->set);
    if (f->options.held)
        return (size_t)(place % count);
    uint64_t pass = place / count;
    return order_at(s->order, pass, seed_of(f, source, pass, 11), (size_t)(place % count));
}

static vl_status decode(const samples *set, size_t index, vl_image **image, vl_error *error) {
    vl_buf bytes;
    vl_buf_init(&bytes, 64 << 20);
    vl_media_limits limits = vl_media_limits_default();
    vl_status status = samples_read(set, index, &bytes, error);
    if (!status)
        status = vl_document_first(bytes.data, bytes.len, &limits, image, error);
    vl_buf_deinit(&bytes);
    return status;
}

static vl_status count_broken(feed *f, const char *name, const vl_error *why, vl_error *error) {
    pthread_mutex_lock(&f->lock);
    f->broken++;
    bool too_many = f->broken >= 5 &&
                    (double)f->broken > f->options.recipe->max_broken * (double)(f->seen + 100);
    size_t broken = f->broken, seen = f->seen;
    pthread_mutex_unlock(&f->lock);
    vl_log(VL_LOG_WARN, "picture cannot be decoded; skipped", VL_F_STR("file", name),
           VL_F_STR("reason", why->message));
    if (too_many)
        return vl_fail(error, VL_ERR_INPUT,
                       "%zu of the first %zu pictures are broken, more than the recipe allows "
                       "(max_broken); the last: %s: %s",
                       broken, seen + broken, name, why->message);
    return VL_OK;
}

/* The sample at `place`, or one drawn instead of a broken one. */
static vl_status load(feed *f, size_t source, uint64_t place, size_t *index, vl_image **image,
                      vl_error *error) {
    const samples *set = f->state[source].set;
    vl_error why = {0};
    *index = sample_at(f, source, place);
    for (unsigned attempt = 0; attempt < TRIES; attempt++) {
        if (decode(set, *index, image, &why) == VL_OK) {
            pthread_mutex_lock(&f->lock);
            f->seen++;
            pthread_mutex_unlock(&f->lock);
            return VL_OK;
        }
        vl_status status = count_broken(f, samples_at(set, *index)->name, &why, error);
        if (status)
            return status;
        *index = (size_t)(seed_of(f, source, place, attempt) % samples_count(set));
    }
    return vl_fail(error, VL_ERR_INPUT, "%d pictures in a row are broken; the last: %s", TRIES,
                   why.message);
}

static vl_status add_picture(writer *w, size_t source, uint64_t place, size_t picture,
                             vl_error *error) {
    feed *f = (feed *)(uintptr_t)w->feed;
    piece *p = w->piece;
    const recipe_source *from = p->source;
    vl_image *image = NULL;
    vl_status status = load(f, source, place, &p->sample[picture], &image, error);
    if (status)
        return status;
    const sample *item = samples_at(f->state[source].set, p->sample[picture]);
    bool held = f->options.held;
    /* In this order: draws that are initialisers of one struct have none. */
    bool turned = !held && from->flip && vl_random_uniform(w->random) < 0.5;
    bool erased = !held && vl_random_uniform(w->random) < from->erase;
    augmentation how = {
        .flip = turned && !names_a_side(item),
        .crop = held ? 1 : from->crop,
        .colour = held ? 0 : from->colour,
        .erase = erased,
    };
    status = augment_picture(image, &how, p->side, w->random,
                             p->pixels + picture * p->side * p->side * 3, error);
    vl_image_free(image);
    if (from->weights[TASK_CAPTION] > 0 || from->weights[TASK_CONTRAST] > 0)
        add_captions(w, item, picture);
    if (from->weights[TASK_ASK] > 0)
        add_some(w, &item->questions, &item->derived_questions, from->questions, picture,
                 add_question);
    if (from->weights[TASK_STATEMENT] > 0)
        add_some(w, &item->statements, &item->derived_statements, from->statements, picture,
                 add_statement);
    const vl_seer_config *config = &f->options.recipe->architecture;
    for (size_t h = 0; h < config->head_count; h++)
        for (size_t i = 0; from->weights[TASK_LABELS] > 0 && i < item->label_count; i++)
            if (!strcmp(item->labels[i].set, config->label_heads[h].name))
                p->labels[h * p->pictures + picture] =
                    vl_seer_head_find(&config->label_heads[h], item->labels[i].label);
    return status;
}

/* ---- lines -------------------------------------------------------------------------- */

static vl_status build_lines(job *j, vl_error *error) {
    feed *f = j->feed;
    const recipe_source *source = &f->sources[j->source];
    piece *p = &j->into->step.pieces[j->piece];
    *p = (piece){.source = source, .number = j->number, .pictures = j->count};
    p->arena = vl_arena_new(PIECE_BYTES);
    p->sample = p->arena ? vl_arena_array(p->arena, j->count, sizeof *p->sample) : NULL;
    p->lines = p->sample ? lines_new(p->arena, j->count) : NULL;
    if (!p->lines)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a piece of %zu lines", j->count);
    vl_status status = VL_OK;
    for (size_t i = 0; i < j->count && !status; i++) {
        uint64_t place = j->into->step.number * (uint64_t)source->batch + j->first + i;
        uint64_t random = seed_of(f, j->source, place, 5);
        lines_how how = {.recipe = f->options.recipe,
                         .alphabet = f->options.alphabet,
                         .distort = f->options.held ? 0 : source->distort,
                         .random = &random};
        vl_image *image = NULL;
        status = load(f, j->source, place, &p->sample[i], &image, error);
        if (!status)
            status =
                lines_set(p->lines, i, image, samples_at(f->state[j->source].set, p->sample[i]),
                          &how, p->arena, error);
        vl_image_free(image);
    }
    return status ? status : lines_join(p->lines, p->arena, error);
}

/* ---- pieces ------------------------------------------------------------------------- */

static bool piece_allocate(piece *p, const recipe *r, size_t rows) {
    size_t places = rows * r->architecture.max_text;
    p->arena = vl_arena_new(PIECE_BYTES);
    if (!p->arena)
        return false;
    p->pixels = vl_arena_array(p->arena, p->pictures * p->side * p->side * 3, sizeof(float));
    p->sample = vl_arena_array(p->arena, p->pictures, sizeof(size_t));
    p->ids = vl_arena_array(p->arena, places, sizeof(int32_t));
    p->at = vl_arena_array(p->arena, places, sizeof(int32_t));
    p->target = vl_arena_array(p->arena, places, sizeof(int32_t));
    p->task = vl_arena_array(p->arena, places, 1);
    p->starts = vl_arena_array(p->arena, rows + 1, sizeof(int32_t));
    p->owner = vl_arena_array(p->arena, rows, sizeof(int32_t));
    p->vector_at = vl_arena_array(p->arena, rows, sizeof(int32_t));
    p->vector_owner = vl_arena_array(p->arena, rows, sizeof(int32_t));
    size_t labels = p->pictures * r->architecture.head_count;
    p->labels = vl_arena_array(p->arena, labels + 1, sizeof(int32_t));
    for (size_t i = 0; p->labels && i < labels; i++)
        p->labels[i] = -1;
    return p->pixels && p->sample && p->ids && p->at && p->target && p->task && p->starts &&
           p->owner && p->vector_at && p->vector_owner && p->labels;
}

static vl_status build(job *j, vl_error *error) {
    feed *f = j->feed;
    const recipe_source *source = &f->sources[j->source];
    piece *p = &j->into->step.pieces[j->piece];
    size_t rows_each = (size_t)(source->captions + source->questions + source->statements);
    size_t rows = j->count * (rows_each ? rows_each : 1);
    *p = (piece){.source = source,
                 .number = j->number,
                 .pictures = j->count,
                 .side = (size_t)source->picture};
    if (!piece_allocate(p, f->options.recipe, rows))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a piece of %zu pictures", j->count);
    uint64_t number = j->into->step.number;
    vl_status status = VL_OK;
    for (size_t i = 0; i < j->count && !status; i++) {
        uint64_t place = number * (uint64_t)source->batch + j->first + i;
        uint64_t random = seed_of(f, j->source, place, 5);
        writer w = {.feed = f,
                    .piece = p,
                    .random = &random,
                    .room = rows,
                    .length = f->options.recipe->architecture.max_text};
        status = add_picture(&w, j->source, place, i, error);
    }
    return status;
}

static void run_job(void *arg, size_t worker) {
    (void)worker;
    job *j = arg;
    feed *f = j->feed;
    vl_error error = {0};
    bool reader = f->options.recipe->model == RECIPE_READER;
    vl_status status = reader ? build_lines(j, &error) : build(j, &error);
    pthread_mutex_lock(&f->lock);
    if (status && !f->status) {
        f->status = status;
        f->error = error;
    }
    j->into->pending--;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    free(j);
}

/* Pieces of all sources in order, this machine's every `ranks`-th. Calls back with each. */
static size_t plan(const feed *f, uint64_t number, job_step *into, job **jobs) {
    size_t global = 0, mine = 0, micro = (size_t)f->options.recipe->micro_batch;
    for (size_t s = 0; s < f->source_count; s++) {
        size_t batch = (size_t)f->sources[s].batch;
        if (f->options.held) { /* one pass: the last batch may be short or empty */
            size_t done = (size_t)number * batch, count = samples_count(f->state[s].set);
            batch = done >= count ? 0 : count - done < batch ? count - done : batch;
        }
        for (size_t first = 0; first < batch; first += micro, global++) {
            if (global % f->options.ranks != f->options.rank)
                continue;
            if (jobs && (jobs[mine] = malloc(sizeof **jobs)))
                *jobs[mine] = (job){.feed = (feed *)(uintptr_t)f,
                                    .into = into,
                                    .piece = mine,
                                    .number = global,
                                    .source = s,
                                    .first = first,
                                    .count = batch - first < micro ? batch - first : micro};
            mine++;
        }
    }
    return mine;
}

static job_step *begin_step(feed *f, uint64_t number) {
    size_t count = plan(f, number, NULL, NULL);
    job_step *s = calloc(1, sizeof *s);
    job **jobs = calloc(count + 1, sizeof *jobs);
    if (s)
        s->step.pieces = calloc(count + 1, sizeof *s->step.pieces);
    if (!s || !jobs || !s->step.pieces) {
        free(jobs);
        free(s);
        return NULL;
    }
    s->step.number = number;
    s->step.count = s->pending = count;
    plan(f, number, s, jobs);
    for (size_t i = 0; i < count; i++)
        if (!jobs[i] || vl_pool_submit_wait(f->pool, run_job, jobs[i])) {
            pthread_mutex_lock(&f->lock);
            s->pending--;
            f->status = vl_fail(&f->error, VL_ERR_MEMORY, "no memory to feed step %llu",
                                (unsigned long long)number);
            pthread_mutex_unlock(&f->lock);
            free(jobs[i]);
        }
    free(jobs);
    return s;
}

/* ---- the feed ----------------------------------------------------------------------- */

static vl_status find_tokens(feed *f, vl_error *error) {
    const vl_bpe *bpe = f->options.bpe;
    const struct {
        const char *name;
        int32_t *id;
    } all[] = {
        {"<caption>", &f->tokens.caption}, {"<ask>", &f->tokens.ask},
        {"<answer>", &f->tokens.answer},   {"<statement>", &f->tokens.statement},
        {"<eos>", &f->tokens.eos},         {"<yes>", &f->tokens.yes},
        {"<no>", &f->tokens.no},           {"<xx>", &f->tokens.unknown},
        {"<s0>", &f->tokens.hidden},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if ((*all[i].id = vl_bpe_special(bpe, all[i].name)) < 0)
            return vl_fail(error, VL_ERR_INPUT, "the tokenizer has no token %s", all[i].name);
    if (vl_bpe_size(bpe) > f->options.recipe->architecture.vocabulary)
        return vl_fail(error, VL_ERR_INPUT,
                       "the tokenizer has %zu tokens, the network a vocabulary of %u",
                       vl_bpe_size(bpe), f->options.recipe->architecture.vocabulary);
    return VL_OK;
}

static vl_status check_labels(const feed *f, size_t source, vl_error *error) {
    const vl_seer_config *config = &f->options.recipe->architecture;
    for (size_t i = 0; i < samples_count(f->state[source].set); i++) {
        const sample *item = samples_at(f->state[source].set, i);
        for (size_t l = 0; l < item->label_count; l++)
            for (size_t h = 0; h < config->head_count; h++)
                if (!strcmp(config->label_heads[h].name, item->labels[l].set) &&
                    vl_seer_head_find(&config->label_heads[h], item->labels[l].label) < 0)
                    return vl_fail(error, VL_ERR_INPUT,
                                   "%s: %s: label '%s' is not in the recipe's list '%s'",
                                   f->sources[source].path, item->name, item->labels[l].label,
                                   item->labels[l].set);
    }
    return VL_OK;
}

static vl_status check_lines(const feed *f, size_t source, vl_error *error) {
    for (size_t i = 0; i < samples_count(f->state[source].set); i++) {
        const sample *item = samples_at(f->state[source].set, i);
        if (!item->text)
            return vl_fail(error, VL_ERR_INPUT, "%s: %s: a line without its \"text\"",
                           f->sources[source].path, item->name);
    }
    return VL_OK;
}

static vl_status open_source(feed *f, size_t s, vl_error *error) {
    char path[4096];
    const char *name = f->sources[s].path;
    snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : f->options.data_dir,
             name[0] == '/' ? "" : "/", name);
    vl_status status = samples_open(path, &f->state[s].set, error);
    if (status)
        return status;
    size_t count = samples_count(f->state[s].set), missing = samples_missing(f->state[s].set);
    if ((double)missing > f->options.recipe->max_broken * (double)(count + missing))
        return vl_fail(error, VL_ERR_INPUT,
                       "%s: %zu of %zu pictures are missing, more than the recipe allows "
                       "(max_broken)",
                       path, missing, count + missing);
    status = order_new(f->state[s].set, f->sources[s].balance, &f->state[s].order, error);
    if (!status)
        status = f->options.recipe->model == RECIPE_READER ? check_lines(f, s, error)
                                                           : check_labels(f, s, error);
    return status;
}

vl_status feed_new(const feed_options *options, feed **out, vl_error *error) {
    *out = NULL;
    feed *f = calloc(1, sizeof *f);
    if (!f)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the feed");
    f->options = *options;
    f->sources = options->held ? options->recipe->held : options->recipe->sources;
    f->source_count =
        options->held ? options->recipe->held_count : options->recipe->source_count;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    vl_status status = VL_OK;
    if (options->recipe->model == RECIPE_SEER)
        status = find_tokens(f, error);
    for (size_t s = 0; s < f->source_count && !status; s++)
        status = open_source(f, s, error);
    if (!status && !(f->pool = vl_pool_new(options->threads, 4096)))
        status = vl_fail(error, VL_ERR_MEMORY, "no threads for the feed");
    if (status)
        feed_free(f);
    else
        *out = f;
    return status;
}

static void step_free(job_step *s) {
    for (size_t i = 0; s && i < s->step.count; i++)
        vl_arena_free(s->step.pieces[i].arena);
    if (s)
        free(s->step.pieces);
    free(s);
}

void feed_free(feed *f) {
    if (!f)
        return;
    if (f->pool)
        vl_pool_free(f->pool);
    for (size_t i = 0; i < AHEAD; i++)
        step_free(f->ahead[i]);
    for (size_t s = 0; s < f->source_count; s++) {
        samples_free(f->state[s].set);
        order_free(f->state[s].order);
    }
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    free(f);
}

vl_status feed_take(feed *f, uint64_t number, feed_step **step, vl_error *error) {
    *step = NULL;
    if (!f->begun || number + AHEAD != f->next + 1) { /* first, or not the one after */
        vl_pool_wait(f->pool);
        for (size_t i = 0; i < AHEAD; i++) {
            step_free(f->ahead[i]);
            f->ahead[i] = NULL;
        }
        f->next = number;
        f->begun = true;
    }
    for (; f->next < number + AHEAD; f->next++)
        if (!(f->ahead[f->next % AHEAD] = begin_step(f, f->next)))
            return vl_fail(error, VL_ERR_MEMORY, "no memory to feed step %llu",
                           (unsigned long long)number);
    job_step *s = f->ahead[number % AHEAD];
    pthread_mutex_lock(&f->lock);
    while (s->pending)
        pthread_cond_wait(&f->changed, &f->lock);
    vl_status status = f->status;
    if (status && error)
        *error = f->error;
    pthread_mutex_unlock(&f->lock);
    if (status)
        return status;
    f->ahead[number % AHEAD] = NULL;
    *step = &s->step;
    return VL_OK;
}

void feed_release(feed *f, feed_step *step) {
    (void)f;
    step_free((job_step *)step);
}

size_t feed_held_steps(const feed *f) {
    size_t most = 0;
    for (size_t s = 0; s < f->source_count; s++) {
        size_t batch = (size_t)f->sources[s].batch;
        size_t steps = (samples_count(f->state[s].set) + batch - 1) / batch;
        most = steps > most ? steps : most;
    }
    return most;
}

size_t feed_broken(const feed *f) {
    return f->broken;
}

const samples *feed_samples(const feed *f, size_t source) {
    return f->state[source].set;
}
