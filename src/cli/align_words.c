/* align_words.c — `vislang align words A B`: words beside each other in two files whose lines
 * are translations of each other. */
#include "cli/align_document.h"

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t ARENA_BYTES = (size_t)4 << 30;

static void print_links(const char *source, const char *target, const vl_word_link *links,
                        size_t count) {
    for (size_t k = 0; k < count; k++)
        printf("%s%.*s=%.*s", k ? "\t" : "", (int)(links[k].source_to - links[k].source_from),
               source + links[k].source_from, (int)(links[k].target_to - links[k].target_from),
               target + links[k].target_from);
    printf("\n");
}

static void add_word(cJSON *link, const char *name, const char *text, size_t from, size_t to) {
    char word[1024];
    snprintf(word, sizeof word, "%.*s", (int)(to - from), text + from);
    cJSON *object = cJSON_AddObjectToObject(link, name);
    cJSON_AddStringToObject(object, "word", word);
    cJSON_AddNumberToObject(object, "from", (double)from);
    cJSON_AddNumberToObject(object, "to", (double)to);
}

/* One line of JSON a pair of lines. */
static void print_json(const char *source, const char *target, const vl_word_link *links,
                       size_t count) {
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "source", source);
    cJSON_AddStringToObject(root, "target", target);
    cJSON *list = cJSON_AddArrayToObject(root, "links");
    for (size_t k = 0; k < count; k++) {
        cJSON *link = cJSON_CreateObject();
        add_word(link, "source", source, links[k].source_from, links[k].source_to);
        add_word(link, "target", target, links[k].target_from, links[k].target_to);
        cJSON_AddNumberToObject(link, "confidence", links[k].confidence);
        cJSON_AddItemToArray(list, link);
    }
    char *text = cJSON_PrintUnformatted(root);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(root);
}

static vl_status run(const cli_args *args, vl_arena *arena, vl_space **space,
                     vl_alignment **alignment, vl_error *error) {
    align_document d[2];
    vl_status status = align_documents_read(args, true, arena, d, error);
    if (status)
        return status;
    if (d[0].count != d[1].count)
        return vl_fail(error, VL_ERR_INPUT,
                       "%s has %zu lines and %s %zu; align words takes lines that translate "
                       "each other (vislang align sentences finds them)",
                       d[0].path, d[0].count, d[1].path, d[1].count);
    status = align_documents_space(args, d, space, error);
    if (status)
        return status;
    vl_sentences source = align_document_sentences(&d[0], *space);
    vl_sentences target = align_document_sentences(&d[1], *space);
    source.rows = target.rows = NULL;
    status = vl_alignment_of_pairs(&source, &target, alignment, error);
    for (size_t i = 0; i < d[0].count && !status; i++) {
        vl_word_link *links;
        size_t count;
        status = vl_alignment_words(*alignment, arena, d[0].texts[i], d[1].texts[i], &links,
                                    &count, error);
        if (!status && cli_has(args, "json"))
            print_json(d[0].texts[i], d[1].texts[i], links, count);
        else if (!status)
            print_links(d[0].texts[i], d[1].texts[i], links, count);
    }
    return status;
}

int cli_align_words(const cli_args *args) {
    vl_error error = {0};
    vl_alignment *alignment = NULL;
    vl_space *space = NULL;
    vl_arena *arena = vl_arena_new(ARENA_BYTES);
    vl_status status = arena ? run(args, arena, &space, &alignment, &error)
                             : vl_fail(&error, VL_ERR_MEMORY, "out of memory");
    vl_alignment_free(alignment);
    vl_space_free(space);
    vl_arena_free(arena);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
