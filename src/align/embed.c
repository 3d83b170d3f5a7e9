/* embed.c — vectors of words from plain text: options, and the order of the work. */
#include "align/embed.h"
#include "align/embed_model.h"

vl_embed_options vl_embed_options_default(void) {
    return (vl_embed_options){.tokens = VL_EMBED_WORDS,
                              .dim = 100,
                              .epochs = 5,
                              .min_count = 5,
                              .minn = 3,
                              .maxn = 6,
                              .buckets = 2000000,
                              .window = 5,
                              .negative = 5,
                              .rate = 0.05,
                              .sample = 1e-4,
                              .threads = 1,
                              .seed = 1};
}

static vl_status check(const vl_embed_options *o, vl_error *error) {
    const struct {
        const char *name;
        uint64_t value, low, high;
    } rows[] = {
        {"dimensions", o->dim, 1, VL_EMBEDDINGS_MAX_DIM},
        {"epochs", o->epochs, 1, 1000},
        {"least count", o->min_count, 1, UINT32_MAX},
        {"shortest n-gram", o->minn, 0, ALIGN_SUBWORDS_MAX_N},
        {"longest n-gram", o->maxn, 0, ALIGN_SUBWORDS_MAX_N},
        {"buckets", o->buckets, 0, 1 << 28},
        {"window", o->window, 1, 100},
        {"negative samples", o->negative, 1, 100},
        {"threads", o->threads, 1, 1024},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].value < rows[i].low || rows[i].value > rows[i].high)
            return vl_fail(error, VL_ERR_USAGE, "%s: %llu is not between %llu and %llu",
                           rows[i].name, (unsigned long long)rows[i].value,
                           (unsigned long long)rows[i].low, (unsigned long long)rows[i].high);
    if (!(o->rate > 0 && o->rate <= 1))
        return vl_fail(error, VL_ERR_USAGE, "the rate of learning is above 0 and at most 1");
    if (!(o->sample >= 0 && o->sample <= 1))
        return vl_fail(error, VL_ERR_USAGE, "the sample is between 0 and 1");
    if (o->maxn && o->buckets && o->minn > o->maxn)
        return vl_fail(error, VL_ERR_USAGE, "n-grams of %u to %u characters are none", o->minn,
                       o->maxn);
    return VL_OK;
}

vl_status vl_embed_train(const vl_embed_options *options, const char *const *paths,
                         size_t path_count, vl_embeddings **embeddings, vl_embed_report *report,
                         vl_error *error) {
    embed_corpus corpus = {.file = -1};
    embed_model *model = NULL;
    vl_embed_report ignored;
    report = report ? report : &ignored;
    *report = (vl_embed_report){0};
    *embeddings = NULL;
    int64_t start = vl_clock_ns();
    vl_status status = check(options, error);
    if (!status)
        status = embed_corpus_read(options, paths, path_count, EMBED_MAX_WORDS, &corpus, error);
    if (!status)
        status = embed_model_new(options, &corpus, &model, error);
    if (status)
        goto out;
    report->bytes = corpus.bytes;
    report->lines = corpus.lines;
    report->damaged = corpus.damaged;
    report->words = corpus.seen;
    report->kept = corpus.kept;
    report->vocabulary = model->word_count;
    report->ngrams = embed_model_ngrams(model);
    report->count_seconds = vl_clock_ms_since(start) / 1000;
    start = vl_clock_ns();
    status = embed_model_train(model, &corpus, &report->loss, error);
    report->train_seconds = vl_clock_ms_since(start) / 1000;
    if (!status)
        status = embed_model_finish(model, embeddings, error);
out:
    embed_model_free(model);
    embed_corpus_deinit(&corpus);
    return status;
}
