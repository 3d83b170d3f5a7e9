/* export.c — from a training run to the file that is used, and from one such file to another
 * of fewer bits. */
#include "train/checkpoint.h"
#include "train/recipe.h"

#include <vislang/train.h>

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, MAX_FACTS = 1 << 20 };

/* ---- what stands beside the weights ------------------------------------------------- */

static void read_calibration(const cJSON *root, const char *name, vl_calibration *out) {
    const cJSON *object = cJSON_GetObjectItem(root, name);
    const cJSON *slope = cJSON_GetObjectItem(object, "slope");
    const cJSON *offset = cJSON_GetObjectItem(object, "offset");
    const cJSON *threshold = cJSON_GetObjectItem(object, "threshold");
    if (cJSON_IsNumber(slope))
        out->slope = slope->valuedouble;
    if (cJSON_IsNumber(offset))
        out->offset = offset->valuedouble;
    if (cJSON_IsNumber(threshold))
        out->threshold = threshold->valuedouble;
}

static void read_head_facts(const cJSON *root, const vl_seer_config *config,
                            vl_seer_facts *facts) {
    const cJSON *temperatures = cJSON_GetObjectItem(root, "temperature");
    const cJSON *taught = cJSON_GetObjectItem(root, "taught");
    for (size_t h = 0; h < config->head_count; h++) {
        const vl_seer_head *head = &config->label_heads[h];
        const cJSON *value = cJSON_GetObjectItem(temperatures, head->name);
        if (cJSON_IsNumber(value) && value->valuedouble > 0)
            facts->temperature[h] = value->valuedouble;
        const cJSON *labels = cJSON_GetObjectItem(taught, head->name), *label;
        if (!cJSON_IsArray(labels))
            continue;
        memset(facts->trained[h], 0, sizeof facts->trained[h]);
        cJSON_ArrayForEach(label, labels) {
            const char *text = cJSON_GetStringValue(label);
            int32_t at = text ? vl_seer_head_find(head, text) : -1;
            if (at >= 0)
                facts->trained[h][at] = true;
        }
    }
}

/* Overlays what a JSON file says: {"version", "licence", "languages": […], "temperature":
 * {"scene": 1.2}, "taught": {"scene": ["fire", …]}, "caption": {"slope", "offset",
 * "threshold"}, "ask", "statement", "labels"}. A missing file is no error when `may_miss`. */
static vl_status read_facts(const char *path, bool may_miss, const vl_seer_config *config,
                            vl_seer_facts *facts, vl_error *error) {
    if (may_miss && access(path, F_OK) != 0)
        return VL_OK;
    vl_buf text;
    vl_buf_init(&text, MAX_FACTS);
    vl_status status = vl_file_read(path, MAX_FACTS, &text, error);
    cJSON *root = status ? NULL : cJSON_ParseWithLength(text.data, text.len);
    if (!status && !root)
        status = vl_fail(error, VL_ERR_INPUT, "%s: not JSON", path);
    const char *version = cJSON_GetStringValue(cJSON_GetObjectItem(root, "version"));
    const char *licence = cJSON_GetStringValue(cJSON_GetObjectItem(root, "licence"));
    if (version)
        snprintf(facts->version, sizeof facts->version, "%s", version);
    if (licence)
        snprintf(facts->licence, sizeof facts->licence, "%s", licence);
    const cJSON *languages = cJSON_GetObjectItem(root, "languages"), *language;
    if (cJSON_IsArray(languages))
        facts->language_count = 0;
    cJSON_ArrayForEach(language, languages) {
        const char *code = cJSON_GetStringValue(language);
        if (code && strlen(code) < sizeof facts->languages[0] &&
            facts->language_count < VL_SEER_MAX_LANGUAGES)
            strcpy(facts->languages[facts->language_count++], code);
    }
    read_head_facts(root, config, facts);
    read_calibration(root, "caption", &facts->caption);
    read_calibration(root, "ask", &facts->ask);
    read_calibration(root, "statement", &facts->statement);
    read_calibration(root, "labels", &facts->labels);
    cJSON_Delete(root);
    vl_buf_deinit(&text);
    return status;
}

/* ---- export ------------------------------------------------------------------------- */

static void leave_out(vl_seer_config *config, const char *name) {
    for (size_t h = 0; name && h < config->head_count; h++)
        if (!strcmp(config->label_heads[h].name, name)) {
            memmove(&config->label_heads[h], &config->label_heads[h + 1],
                    (config->head_count - h - 1) * sizeof *config->label_heads);
            config->head_count--;
            return;
        }
}

vl_status vl_seer_export(const vl_seer_exporting *what, const char *out_path, vl_error *error) {
    char path[PATH_SIZE];
    recipe *r = calloc(1, sizeof *r);
    vl_params *params = vl_params_new();
    vl_seer_net *net = NULL;
    vl_bpe *bpe = NULL;
    vl_seer_facts *facts = calloc(1, sizeof *facts);
    vl_status status =
        r && params && facts ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory");
    if (!status) {
        *facts = vl_seer_facts_default();
        snprintf(path, sizeof path, "%s/recipe.yaml", what->run_dir);
        status = recipe_read(path, r, error);
    }
    if (!status) {
        leave_out(&r->architecture, what->without);
        if (what->picture)
            r->architecture.picture = what->picture;
        status = vl_seer_net_new(&r->architecture, params, &net, error);
    }
    if (!status)
        status = vl_params_reserve(params, error);
    size_t taken = 0;
    if (!status) {
        snprintf(path, sizeof path, "%s/%s.safetensors", what->run_dir,
                 what->best ? "best" : "checkpoint");
        status = checkpoint_take(path, params, vl_params_values(params), &taken, error);
    }
    if (!status && taken != vl_params_count(params))
        status = vl_fail(error, VL_ERR_INPUT, "%s: has %zu of the network's %zu tensors", path,
                         taken, vl_params_count(params));
    if (!status) {
        snprintf(path, sizeof path, "%s%s%s", r->tokenizer[0] == '/' ? "" : vl_data_dir(),
                 r->tokenizer[0] == '/' ? "" : "/", r->tokenizer);
        status = vl_bpe_open(path, &bpe, error);
    }
    if (!status) {
        snprintf(path, sizeof path, "%s/taught.json", what->run_dir);
        status = read_facts(path, true, &r->architecture, facts, error);
    }
    if (!status && what->facts)
        status = read_facts(what->facts, false, &r->architecture, facts, error);
    if (!status)
        status = vl_seer_write(out_path, net, params, bpe, facts, what->dtype, error);
    vl_bpe_free(bpe);
    vl_seer_net_free(net);
    vl_params_free(params);
    free(facts);
    free(r);
    return status;
}

vl_status vl_seer_quantize(const char *in_path, const char *facts_path, vl_dtype dtype,
                           const char *out_path, vl_error *error) {
    vl_seer *seer;
    vl_seer_net *net = NULL;
    vl_params *params = NULL;
    vl_status status = vl_seer_open(in_path, &seer, error);
    if (status)
        return status;
    vl_seer_facts *facts = malloc(sizeof *facts);
    if (!facts)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory");
    else
        *facts = *vl_seer_facts_of(seer);
    if (!status && facts_path)
        status = read_facts(facts_path, false, vl_seer_config_of(seer), facts, error);
    if (!status)
        status = vl_seer_unpack(seer, &net, &params, error);
    if (!status)
        status =
            vl_seer_write(out_path, net, params, vl_seer_tokenizer(seer), facts, dtype, error);
    vl_seer_net_free(net);
    vl_params_free(params);
    vl_seer_free(seer);
    free(facts);
    return status;
}

/* ---- reader --------------------------------------------------------------------------- */

/* {"version", "licence"} */
static vl_status read_reader_facts(const char *path, vl_reader_facts *facts, vl_error *error) {
    vl_buf text;
    vl_buf_init(&text, MAX_FACTS);
    vl_status status = vl_file_read(path, MAX_FACTS, &text, error);
    cJSON *root = status ? NULL : cJSON_ParseWithLength(text.data, text.len);
    if (!status && !root)
        status = vl_fail(error, VL_ERR_INPUT, "%s: not JSON", path);
    const char *version = cJSON_GetStringValue(cJSON_GetObjectItem(root, "version"));
    const char *licence = cJSON_GetStringValue(cJSON_GetObjectItem(root, "licence"));
    if (version)
        snprintf(facts->version, sizeof facts->version, "%s", version);
    if (licence)
        snprintf(facts->licence, sizeof facts->licence, "%s", licence);
    cJSON_Delete(root);
    vl_buf_deinit(&text);
    return status;
}

static vl_status read_alphabet(const char *run_dir, vl_reader_alphabet **out, vl_error *error) {
    char path[PATH_SIZE];
    vl_buf text;
    vl_buf_init(&text, MAX_FACTS);
    snprintf(path, sizeof path, "%s/alphabet.txt", run_dir);
    vl_status status = vl_file_read(path, MAX_FACTS, &text, error);
    if (!status)
        status = vl_reader_alphabet_new(text.len ? text.data : "", text.len, out, error);
    vl_buf_deinit(&text);
    return status;
}

/* Weights of a checkpoint into the network of `config`. */
static vl_status take_weights(const vl_reader_exporting *what, const vl_reader_config *config,
                              vl_params *params, vl_reader_net **net, vl_error *error) {
    char path[PATH_SIZE];
    size_t taken = 0;
    vl_status status = vl_reader_net_new(config, params, net, error);
    if (!status)
        status = vl_params_reserve(params, error);
    snprintf(path, sizeof path, "%s/%s.safetensors", what->run_dir,
             what->best ? "best" : "checkpoint");
    if (!status)
        status = checkpoint_take(path, params, vl_params_values(params), &taken, error);
    if (!status && taken != vl_params_count(params))
        status = vl_fail(error, VL_ERR_INPUT, "%s: it has %zu of the network's %zu tensors",
                         path, taken, vl_params_count(params));
    return status;
}

vl_status vl_reader_export(const vl_reader_exporting *what, const char *out_path,
                           vl_error *error) {
    char path[PATH_SIZE];
    recipe *r = calloc(1, sizeof *r);
    vl_params *params = vl_params_new();
    vl_reader_net *net = NULL;
    vl_reader_alphabet *alphabet = NULL;
    vl_reader_facts facts = {"0", "research only"};
    vl_status status = r && params ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory");
    snprintf(path, sizeof path, "%s/recipe.yaml", what->run_dir);
    if (!status)
        status = recipe_read(path, r, error);
    if (!status && r->model != RECIPE_READER)
        status = vl_fail(error, VL_ERR_USAGE, "%s: a recipe for %s, not for reader", path,
                         recipe_model_name(r->model));
    if (!status)
        status = read_alphabet(what->run_dir, &alphabet, error);
    if (!status) {
        r->reader.symbols = (uint32_t)vl_reader_alphabet_size(alphabet);
        status = take_weights(what, &r->reader, params, &net, error);
    }
    if (!status && what->facts)
        status = read_reader_facts(what->facts, &facts, error);
    if (!status)
        status = vl_reader_write(out_path, net, params, alphabet, &facts, what->dtype, error);
    vl_reader_alphabet_free(alphabet);
    vl_reader_net_free(net);
    vl_params_free(params);
    free(r);
    return status;
}
