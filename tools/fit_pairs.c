/* fit_pairs.c — fits the model of src/dataset/pairs_evidence.c to labelled pages, and says how
 * well it does on pages that it was not fitted to.
 *
 *   fit_pairs tests/pairs [--list]
 *
 * A row is a text that was weighed for a picture, right or wrong (tests/pairs/README.md). Each
 * page is left out in turn; those called held-… are in no fit, and were written after the
 * evidence was. --list prints all rows with the scores that they have without their page. */
#include "dataset/logistic.h"
#include "dataset/pairs_evidence.h"
#include "pairs/truth.h"

#include <math.h>

enum { TRUTHS_MOST = 1000, ROWS_MOST = 8000 };
static const double PRECISION = 0.1, HELD = 1e9;
/* That every evidence speaks for what it is evidence of is believed before pages are seen. */
static const double BELIEVED = 1, BELIEF = 1;

typedef struct row {
    const truth *of;
    pair_candidate candidate;
    bool right;
    double score; /* by a model without its page */
} row;

typedef struct set {
    row *rows;
    size_t count, size; /* features */
} set;

static void gather(set *s, const truth *truths, size_t count, vl_arena *arena) {
    for (size_t i = 0; i < count; i++) {
        pair_candidate *candidates;
        size_t found = 0;
        vl_error error;
        if (truths[i].decoration)
            continue;
        if (pairs_candidates(truths[i].parts, truths[i].picture, NULL, arena, &candidates,
                             &found, &error))
            fprintf(stderr, "%s\n", error.message);
        for (size_t k = 0; k < found && s->count < ROWS_MOST; k++)
            s->rows[s->count++] = (row){&truths[i], candidates[k],
                                        truth_is_right(&truths[i], candidates[k].text), 0};
    }
}

static bool is_held(const truth *t) {
    return !strncmp(t->page, "held-", 5);
}

/* `page` NULL: to all rows that are not held out. */
static void fit(const set *s, const char *page, double *out) {
    double *features = calloc(s->count * s->size, sizeof *features), row_features[32];
    double *targets = calloc(s->count, sizeof *targets);
    double prior[LOGISTIC_MOST] = {0}, precision[LOGISTIC_MOST];
    size_t count = 0;
    vl_error error;
    if (!features || !targets)
        exit(1);
    for (size_t i = 0; i < s->count; i++) {
        if (is_held(s->rows[i].of) || (page && !strcmp(s->rows[i].of->page, page)))
            continue;
        pairs_evidence_features(&s->rows[i].candidate, row_features);
        memcpy(features + count * s->size, row_features, s->size * sizeof *features);
        targets[count++] = s->rows[i].right;
    }
    for (size_t i = 0; i <= s->size; i++) {
        bool evidence = i + PAIR_PICTURE >= s->size && i < s->size;
        prior[i] = evidence ? BELIEVED : 0;
        precision[i] = evidence ? BELIEF : PRECISION;
    }
    logistic_data data = {features, targets, NULL, count, s->size};
    bool again = true;
    while (again) { /* no evidence speaks against what it is evidence of: it is held at 0 */
        again = false;
        if (logistic_fit(&data, prior, precision, out, &error))
            fprintf(stderr, "%s\n", error.message);
        for (size_t i = s->size - PAIR_PICTURE; i < s->size; i++)
            if (out[i] < 0 && precision[i] < HELD) {
                prior[i] = 0;
                precision[i] = HELD;
                again = true;
            }
    }
    free(features);
    free(targets);
}

static void validate(set *s) {
    double model[LOGISTIC_MOST], features[32];
    const char *page = "";
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(page, s->rows[i].of->page) != 0)
            fit(s, page = s->rows[i].of->page, model);
        pairs_evidence_features(&s->rows[i].candidate, features);
        s->rows[i].score = logistic_of(model, features, s->size);
    }
}

static double auc(const set *s) {
    double better = 0, all = 0;
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->count; k++)
            if (s->rows[i].right && !s->rows[k].right) {
                double a = s->rows[i].score, b = s->rows[k].score;
                better += a > b ? 1 : a < b ? 0 : 0.5;
                all++;
            }
    return better / all;
}

/* Pictures whose best text is right, of those that have one; and those whose best text stays
 * below one half, of those that have none. */
static void report_choices(const set *s) {
    size_t have = 0, right = 0, without = 0, refused = 0, sure = 0;
    for (size_t i = 0, to; i < s->count; i = to) {
        const row *best = &s->rows[i];
        bool any = false;
        for (to = i; to < s->count && s->rows[to].of == s->rows[i].of; to++) {
            best = s->rows[to].score > best->score ? &s->rows[to] : best;
            any = any || s->rows[to].right;
        }
        have += any;
        right += best->right;
        sure += best->right && best->score >= 0.5;
        without += !any;
        refused += !any && best->score < 0.5;
    }
    printf("// %zu pictures with a right text: the best is right of %zu, with a score from 0.5 "
           "of %zu; %zu without: below 0.5 are %zu\n",
           have, right, sure, without, refused);
}

static void report(const set *s) {
    float *confidence = calloc(s->count, sizeof *confidence);
    bool *right = calloc(s->count, sizeof *right);
    double ece = 0;
    size_t total = 0;
    vl_error error;
    if (!confidence || !right)
        exit(1);
    for (size_t i = 0; i < s->count; i++) {
        confidence[i] = (float)s->rows[i].score;
        right[i] = s->rows[i].right;
        total += right[i];
    }
    if (vl_score_calibration(confidence, right, s->count, &ece, &error))
        fprintf(stderr, "%s\n", error.message);
    printf("// %zu texts, %zu right: AUC %.3f, calibration error %.3f\n", s->count, total,
           auc(s), ece);
    report_choices(s);
    free(confidence);
    free(right);
}

static void list(const set *s) {
    for (size_t i = 0; i < s->count; i++) {
        const row *r = &s->rows[i];
        printf("%s %.2f %-12s %-24s", r->right ? "+" : "-", r->score,
               pair_origin_name(r->candidate.origin), r->of->page);
        for (int k = 0; k < PAIR_EVIDENCE_COUNT; k++)
            printf(" %.2f", r->candidate.evidence[k]);
        printf(" %.60s\n", r->candidate.text);
    }
}

int main(int argc, char **argv) {
    static truth truths[TRUTHS_MOST];
    double model[LOGISTIC_MOST], features[32];
    vl_langid *langid = NULL;
    vl_arena *arena = vl_arena_new((size_t)512 << 20);
    set s = {.rows = calloc(ROWS_MOST, sizeof *s.rows)};
    vl_error error;
    if (argc < 2 || !arena || !s.rows || vl_langid_open(NULL, &langid, &error)) {
        fprintf(stderr, "usage: fit_pairs tests/pairs [--list]\n");
        return 2;
    }
    gather(&s, truths, truth_read(argv[1], langid, arena, truths, TRUTHS_MOST), arena);
    if (!s.count) {
        fprintf(stderr, "fit_pairs: %s holds no labelled pages\n", argv[1]);
        return 1;
    }
    s.size = pairs_evidence_features(&s.rows[0].candidate, features);
    validate(&s);
    if (argc > 2)
        list(&s);
    set fitted = {s.rows, 0, s.size};
    while (fitted.count < s.count && !is_held(s.rows[fitted.count].of))
        fitted.count++;
    set held = {s.rows + fitted.count, s.count - fitted.count, s.size};
    printf("// left out in turn:\n");
    report(&fitted);
    printf("// held out:\n");
    report(&held);
    fit(&s, NULL, model);
    for (size_t i = 0; i <= s.size; i++)
        printf("    %.2f, /* %s */\n", model[i],
               i < s.size ? pairs_evidence_feature_name(i) : "offset");
    vl_langid_free(langid);
    vl_arena_free(arena);
    free(s.rows);
    return 0;
}
