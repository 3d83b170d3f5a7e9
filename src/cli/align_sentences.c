/* align_sentences.c — `vislang align sentences A B`: two versions of a document side by side.
 */
#include "cli/align_document.h"

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HTML_BYTES_MAX = 1 << 30 };
static const size_t ARENA_BYTES = (size_t)4 << 30;
static const double UNSURE = 0.5;

typedef struct sentences_run {
    vl_arena *arena;
    align_document documents[2];
    vl_alignment *alignment;
    const vl_bead *beads;
    size_t count;
    vl_space *space; /* NULL: it has not got one of the languages */
} sentences_run;

/* ---- output ------------------------------------------------------------------------------ */

static void put_numbers(vl_buf *out, size_t first, size_t count) {
    for (size_t i = 0; i < count; i++)
        vl_buf_printf(out, "%s%zu", i ? "," : "", first + i);
}

/* A bead a line: numbers of either side from 0, confidence, and both texts. */
static void put_tsv(const sentences_run *run, vl_buf *out) {
    const align_document *d = run->documents;
    for (size_t k = 0; k < run->count; k++) {
        const vl_bead *b = &run->beads[k];
        const char *source =
            align_document_joined(run->arena, &d[0], b->source, b->source_count);
        const char *target =
            align_document_joined(run->arena, &d[1], b->target, b->target_count);
        put_numbers(out, b->source, b->source_count);
        vl_buf_puts(out, "\t");
        put_numbers(out, b->target, b->target_count);
        vl_buf_printf(out, "\t%.3f\t%s\t%s\n", b->confidence, source ? source : "",
                      target ? target : "");
    }
}

static void put_range(vl_buf *out, size_t first, size_t count) {
    if (!count)
        vl_buf_puts(out, "–");
    else if (count == 1)
        vl_buf_printf(out, "%zu", first + 1);
    else
        vl_buf_printf(out, "%zu–%zu", first + 1, first + count);
}

static void put_table(const sentences_run *run, vl_buf *out) {
    const align_document *d = run->documents;
    size_t paired = 0, unsure = 0;
    for (size_t k = 0; k < run->count; k++) {
        const vl_bead *b = &run->beads[k];
        bool both = b->source_count && b->target_count;
        paired += both;
        unsure += both && b->confidence < UNSURE;
        put_range(out, b->source, b->source_count);
        vl_buf_puts(out, " : ");
        put_range(out, b->target, b->target_count);
        vl_buf_printf(out, "   %.2f%s\n", b->confidence,
                      !both                    ? "  no counterpart"
                      : b->confidence < UNSURE ? "  not sure"
                                               : "");
        for (size_t i = 0; i < b->source_count; i++)
            vl_buf_printf(out, "   %s\n", d[0].texts[b->source + i]);
        for (size_t i = 0; i < b->target_count; i++)
            vl_buf_printf(out, "     %s\n", d[1].texts[b->target + i]);
    }
    vl_buf_printf(out,
                  "%zu sentences (%s) and %zu (%s): %zu pairs, %zu of them not sure; %zu "
                  "sentences without a counterpart\n",
                  d[0].count, vl_lang_name(d[0].language), d[1].count,
                  vl_lang_name(d[1].language), paired, unsure, run->count - paired);
}

static cJSON *side_json(const align_document *d) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "path", d->path);
    cJSON_AddStringToObject(object, "language", vl_lang_short(d->language));
    cJSON_AddNumberToObject(object, "sentences", (double)d->count);
    cJSON_AddBoolToObject(object, "vectors", d->rows != NULL);
    return object;
}

static void add_texts(cJSON *bead, const char *name, const char *texts, const align_document *d,
                      size_t first, size_t count) {
    cJSON *numbers = cJSON_AddArrayToObject(bead, name);
    cJSON *list = cJSON_AddArrayToObject(bead, texts);
    for (size_t i = first; i < first + count; i++) {
        cJSON_AddItemToArray(numbers, cJSON_CreateNumber((double)i));
        cJSON_AddItemToArray(list, cJSON_CreateString(d->texts[i]));
    }
}

static vl_status put_json(const sentences_run *run, vl_buf *out, vl_error *error) {
    cJSON *root = cJSON_CreateObject();
    cJSON_AddItemToObject(root, "source", side_json(&run->documents[0]));
    cJSON_AddItemToObject(root, "target", side_json(&run->documents[1]));
    cJSON *beads = cJSON_AddArrayToObject(root, "beads");
    for (size_t k = 0; k < run->count; k++) {
        const vl_bead *b = &run->beads[k];
        cJSON *bead = cJSON_CreateObject();
        add_texts(bead, "source", "source_texts", &run->documents[0], b->source,
                  b->source_count);
        add_texts(bead, "target", "target_texts", &run->documents[1], b->target,
                  b->target_count);
        cJSON_AddNumberToObject(bead, "confidence", b->confidence);
        cJSON_AddNumberToObject(bead, "score", b->score);
        cJSON_AddItemToArray(beads, bead);
    }
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    if (!text)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    vl_buf_printf(out, "%s\n", text);
    cJSON_free(text);
    return VL_OK;
}

/* ---- the command ------------------------------------------------------------------------- */

static vl_status align(const cli_args *args, sentences_run *run, vl_error *error) {
    vl_alignment_options options = vl_alignment_options_default();
    align_document *d = run->documents;
    vl_status status = align_documents_read(args, false, run->arena, d, error);
    if (status)
        return status;
    status = align_documents_space(args, d, &run->space, error);
    if (status)
        return status;
    vl_sentences source = align_document_sentences(&d[0], run->space);
    vl_sentences target = align_document_sentences(&d[1], run->space);
    options.width = d[0].width;
    status = vl_alignment_new(&source, &target, &options, &run->alignment, error);
    if (!status)
        run->beads = vl_alignment_beads(run->alignment, &run->count);
    return status;
}

static vl_status write_html(const cli_args *args, const sentences_run *run, vl_error *error) {
    vl_buf page;
    vl_buf_init(&page, HTML_BYTES_MAX);
    align_html_write(run->documents, run->alignment, run->arena, &page);
    vl_status status = vl_buf_status(&page, "the page", error);
    if (!status)
        status = vl_file_write(cli_value(args, "html"), page.data, page.len, error);
    vl_buf_deinit(&page);
    return status;
}

static vl_status print(const cli_args *args, const sentences_run *run, vl_error *error) {
    vl_buf out;
    vl_status status = VL_OK;
    vl_buf_init(&out, HTML_BYTES_MAX);
    if (cli_has(args, "json"))
        status = put_json(run, &out, error);
    else if (cli_has(args, "tsv"))
        put_tsv(run, &out);
    else
        put_table(run, &out);
    if (!status)
        status = vl_buf_status(&out, "the alignment", error);
    if (!status && out.len)
        fwrite(out.data, 1, out.len, stdout);
    vl_buf_deinit(&out);
    return status;
}

int cli_align_sentences(const cli_args *args) {
    vl_error error = {0};
    sentences_run run = {.arena = vl_arena_new(ARENA_BYTES)};
    vl_status status = VL_OK;
    if (!run.arena)
        status = vl_fail(&error, VL_ERR_MEMORY, "out of memory");
    else if (cli_has(args, "json") && cli_has(args, "tsv"))
        status = vl_fail(&error, VL_ERR_USAGE, "--json or --tsv, not both");
    else
        status = align_check_output("html", cli_value(args, "html"), args->operands + 1,
                                    args->operand_count - 1, &error);
    if (!status)
        status = align(args, &run, &error);
    if (!status && cli_has(args, "html"))
        status = write_html(args, &run, &error);
    if (!status)
        status = print(args, &run, &error);
    vl_alignment_free(run.alignment);
    vl_space_free(run.space);
    vl_arena_free(run.arena);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
