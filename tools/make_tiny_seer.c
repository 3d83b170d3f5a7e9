/* make_tiny_seer.c — a picture model of random weights, small enough for a test: it writes
 * nonsense, in the form of a model.
 *
 * make_tiny_seer OUT.gguf [THRESHOLD]: every answer is sure when THRESHOLD is 0 (the default)
 * and none is when it is above 1. */
#include <vislang/model.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static vl_seer_config tiny_config(size_t vocabulary) {
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

static vl_seer_facts tiny_facts(double threshold) {
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

int main(int argc, char **argv) {
    vl_error error = {0};
    vl_bpe *bpe = NULL;
    vl_params *params = vl_params_new();
    vl_seer_net *net = NULL;
    vl_seer_config config;
    vl_seer_facts facts = tiny_facts(argc > 2 ? atof(argv[2]) : 0);
    if (argc < 2 || !params) {
        fprintf(stderr, "usage: make_tiny_seer OUT.gguf [THRESHOLD]\n");
        vl_params_free(params);
        return 2;
    }
    vl_status status = vl_bpe_open(NULL, &bpe, &error);
    if (!status) {
        config = tiny_config(vl_bpe_size(bpe));
        status = vl_seer_net_new(&config, params, &net, &error);
    }
    if (!status)
        status = vl_params_allocate(params, 7, &error);
    if (!status)
        status = vl_seer_write(argv[1], net, params, bpe, &facts, VL_Q8_0, &error);
    if (status)
        fprintf(stderr, "make_tiny_seer: %s\n", error.message);
    vl_seer_net_free(net);
    vl_params_free(params);
    vl_bpe_free(bpe);
    return vl_status_exit_code(status);
}
