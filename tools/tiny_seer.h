/* tiny_seer.h — a picture model of random weights, small enough for a test: it writes nonsense
 * in the form of a model, so that no test depends on what a trained one says. */
#ifndef TINY_SEER_H
#define TINY_SEER_H

#include <vislang/model.h>

#include <string.h>

static vl_seer_config tiny_seer_config(size_t vocabulary) {
    static const char *const scenes[] = {"flood", "fire", "ordinary"};
    static const char *const kinds[] = {"letter", "notice", "form"};
    vl_seer_config c = vl_seer_config_default();
    c.picture = 64;
    memcpy(c.widths, (uint32_t[]){32, 32, 64}, sizeof c.widths);
    c.blocks[0] = c.blocks[1] = 1;
    c.layers = c.text_layers = c.mixed_layers = 1;
    c.heads = c.text_heads = 2;
    c.grid = 4;
    c.vocabulary = (uint32_t)vocabulary;
    c.max_text = 32;
    c.vector = 32;
    c.head_count = 3;
    memset(c.label_heads, 0, sizeof c.label_heads);
    strcpy(c.label_heads[0].name, "scene");
    strcpy(c.label_heads[1].name, "kind");
    strcpy(c.label_heads[2].name, "untaught");
    for (size_t i = 0; i < 3; i++) {
        vl_seer_head_add(&c.label_heads[0], scenes[i]);
        vl_seer_head_add(&c.label_heads[1], kinds[i]);
        vl_seer_head_add(&c.label_heads[2], kinds[i]);
    }
    return c;
}

static vl_seer_facts tiny_seer_facts(double threshold) {
    vl_seer_facts facts = vl_seer_facts_default();
    strcpy(facts.version, "tiny-1");
    strcpy(facts.languages[0], "en");
    strcpy(facts.languages[1], "fr");
    facts.language_count = 2;
    for (size_t i = 0; i < 3; i++)
        facts.trained[0][i] = facts.trained[1][i] = true;
    memset(facts.trained[2], 0, sizeof facts.trained[2]);
    facts.caption.threshold = facts.ask.threshold = threshold;
    facts.statement.threshold = facts.labels.threshold = threshold;
    return facts;
}

/* Every answer of the model is sure with a threshold of 0, and none with one above 1. */
static vl_status tiny_seer_write(const char *path, double threshold, vl_error *error) {
    vl_bpe *bpe = NULL;
    vl_seer_net *net = NULL;
    vl_params *params = vl_params_new();
    vl_seer_facts facts = tiny_seer_facts(threshold);
    vl_status status = params ? vl_bpe_open(NULL, &bpe, error)
                              : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status) {
        vl_seer_config config = tiny_seer_config(vl_bpe_size(bpe));
        status = vl_seer_net_new(&config, params, &net, error);
    }
    if (!status)
        status = vl_params_allocate(params, 7, error);
    if (!status)
        status = vl_seer_write(path, net, params, bpe, &facts, VL_Q8_0, error);
    vl_seer_net_free(net);
    vl_params_free(params);
    vl_bpe_free(bpe);
    return status;
}

#endif
