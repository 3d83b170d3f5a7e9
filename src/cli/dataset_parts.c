/* dataset_parts.c — `vislang dataset parts FILE`: what a document is made of, for people or as
 * JSON. */
#include "cli/cli.h"

#include <vislang/dataset.h>

#include <cJSON.h>
#include <stdio.h>
#include <string.h>

enum { DATA_ADDRESS_SHOWN = 64 };
static const size_t ARENA_BYTES = (size_t)1 << 30;

/* ---- JSON -------------------------------------------------------------------------------- */

static void add_cells(cJSON *object, const vl_part *part) {
    cJSON *cells = cJSON_AddArrayToObject(object, "cells");
    cJSON_AddNumberToObject(object, "rows", (double)part->row_count);
    cJSON_AddNumberToObject(object, "columns", (double)part->column_count);
    for (size_t i = 0; i < part->cell_count; i++) {
        const vl_part_cell *cell = &part->cells[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "row", cell->row);
        cJSON_AddNumberToObject(item, "column", cell->column);
        cJSON_AddNumberToObject(item, "row_span", cell->row_span);
        cJSON_AddNumberToObject(item, "column_span", cell->column_span);
        cJSON_AddBoolToObject(item, "heading", cell->heading);
        cJSON_AddStringToObject(item, "text", cell->text);
        cJSON_AddItemToArray(cells, item);
    }
}

static void add_box(cJSON *object, vl_box box) {
    const double values[] = {box.x, box.y, box.width, box.height};
    cJSON_AddItemToObject(object, "box", cJSON_CreateDoubleArray(values, 4));
}

/* What belongs to pictures and tables alone. */
static void add_links(cJSON *object, const vl_part *part) {
    if (part->caption != VL_PART_NONE)
        cJSON_AddNumberToObject(object, "caption", (double)part->caption);
    if (part->label)
        cJSON_AddStringToObject(object, "label", part->label);
    if (part->source) {
        bool data = !strncmp(part->source, "data:", 5);
        char shown[DATA_ADDRESS_SHOWN];
        snprintf(shown, sizeof shown, "%s", part->source);
        cJSON_AddStringToObject(object, "source", data ? shown : part->source);
    }
    cJSON *mentions = cJSON_AddArrayToObject(object, "mentions");
    for (size_t i = 0; i < part->mention_count; i++)
        cJSON_AddItemToArray(mentions, cJSON_CreateNumber((double)part->mentions[i]));
}

static cJSON *part_json(const vl_part *part) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "kind", vl_part_kind_name(part->kind));
    cJSON_AddNumberToObject(object, "page", part->page);
    if (part->has_box)
        add_box(object, part->box);
    if (part->level)
        cJSON_AddNumberToObject(object, "level", part->level);
    cJSON_AddStringToObject(object, "text", part->text);
    cJSON_AddStringToObject(object, "language", part->language);
    cJSON_AddNumberToObject(object, "certainty", part->certainty);
    cJSON_AddStringToObject(object, "script", part->script);
    if (*part->declared)
        cJSON_AddStringToObject(object, "declared", part->declared);
    cJSON_AddStringToObject(object, "read", part->ocr ? "ocr" : "embedded");
    cJSON_AddNumberToObject(object, "confidence", part->confidence);
    if (part->goes_on)
        cJSON_AddNumberToObject(object, "goes_on", (double)part->goes_on);
    if (part->kind == VL_PART_TABLE)
        add_cells(object, part);
    if (part->kind == VL_PART_TABLE || vl_part_is_picture(part->kind))
        add_links(object, part);
    return object;
}

static cJSON *page_json(const vl_parts_page *page) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "width", page->width);
    cJSON_AddNumberToObject(object, "height", page->height);
    cJSON_AddNumberToObject(object, "dpi", page->dpi);
    cJSON_AddStringToObject(object, "read", page->ocr ? "ocr" : "embedded");
    cJSON_AddNumberToObject(object, "rubbish", page->rubbish);
    if (page->reason)
        cJSON_AddStringToObject(object, "reason", page->reason);
    return object;
}

static vl_status print_json(const vl_parts *parts, vl_error *error) {
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "format", parts->format);
    cJSON_AddStringToObject(root, "title", parts->title);
    if (*parts->declared)
        cJSON_AddStringToObject(root, "declared", parts->declared);
    cJSON *pages = cJSON_AddArrayToObject(root, "pages");
    for (size_t i = 0; i < parts->page_count; i++)
        cJSON_AddItemToArray(pages, page_json(&parts->pages[i]));
    cJSON *list = cJSON_AddArrayToObject(root, "parts");
    for (size_t i = 0; i < parts->part_count; i++)
        cJSON_AddItemToArray(list, part_json(&parts->parts[i]));
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    if (!text)
        return vl_fail(error, VL_ERR_MEMORY, "out of memory");
    puts(text);
    cJSON_free(text);
    return VL_OK;
}

/* ---- for people -------------------------------------------------------------------------- */

static void print_part(const vl_parts *parts, size_t index) {
    const vl_part *part = &parts->parts[index];
    printf("%4zu %-10s p%-3u %s %.2f %s", index, vl_part_kind_name(part->kind), part->page + 1,
           part->language, part->certainty, part->ocr ? "ocr" : "embedded");
    if (part->label)
        printf(" [%s]", part->label);
    if (part->caption != VL_PART_NONE)
        printf(" caption %zu", part->caption);
    if (part->goes_on)
        printf(" goes on in %zu", part->goes_on);
    for (size_t i = 0; i < part->mention_count; i++)
        printf("%s %zu", i ? "," : " mentioned in", part->mentions[i]);
    printf("\n");
    for (const char *at = part->text; *at;) {
        size_t length = strcspn(at, "\n");
        printf("     %.*s\n", (int)length, at);
        at += length + (at[length] == '\n');
    }
}

static void print_text(const vl_parts *parts) {
    printf("%s, %zu page%s, %zu parts%s%s\n", parts->format, parts->page_count,
           parts->page_count == 1 ? "" : "s", parts->part_count, *parts->title ? ": " : "",
           parts->title);
    for (size_t i = 0; i < parts->page_count; i++)
        if (parts->pages[i].reason)
            printf("page %zu: %s (%s)\n", i + 1,
                   parts->pages[i].ocr ? "read by OCR" : "embedded text",
                   parts->pages[i].reason);
    for (size_t i = 0; i < parts->part_count; i++)
        print_part(parts, i);
}

/* ---- the command ------------------------------------------------------------------------- */

typedef struct readers {
    vl_langid *langid;
    vl_ngram *ngram;
    vl_ocr *ocr;
} readers;

/* Engines take a while to open, and few documents of pages need them. */
static vl_status open_ocr(void *user, vl_ocr **ocr, vl_error *error) {
    readers *r = user;
    vl_ocr_options reading = vl_ocr_options_default();
    reading.langid = r->langid;
    vl_status status = vl_ocr_new(&reading, &r->ocr, error);
    *ocr = r->ocr;
    return status;
}

static vl_status run(const cli_args *args, vl_error *error) {
    vl_parts_options options = vl_parts_options_default();
    readers r = {0};
    vl_parts *parts = NULL;
    vl_arena *arena = NULL;
    vl_buf file;
    if (args->operand_count != 2)
        return vl_fail(error, VL_ERR_USAGE, "of which document? vislang dataset parts FILE");
    vl_buf_init(&file, options.max_bytes + 1);
    vl_status status = vl_file_read(args->operands[1], options.max_bytes, &file, error);
    if (!status)
        status = vl_langid_open(NULL, &r.langid, error);
    if (!status && !(arena = vl_arena_new(ARENA_BYTES)))
        status = vl_fail(error, VL_ERR_MEMORY, "out of memory");
    if (!status && vl_media_sniff(file.data, file.len) != VL_MEDIA_UNKNOWN)
        status = vl_ngram_open(NULL, &r.ngram, error);
    options.langid = r.langid;
    options.ngram = r.ngram;
    options.open_ocr = open_ocr;
    options.user = &r;
    if (!status)
        status = vl_parts_read(file.data, file.len, &options, arena, &parts, error);
    if (status)
        vl_error_prefix(error, "%s", args->operands[1]);
    else if (cli_has(args, "json"))
        status = print_json(parts, error);
    else
        print_text(parts);
    vl_arena_free(arena);
    vl_ocr_free(r.ocr);
    vl_ngram_free(r.ngram);
    vl_langid_free(r.langid);
    vl_buf_deinit(&file);
    return status;
}

int cli_dataset_parts(const cli_args *args) {
    vl_error error = {0};
    vl_status status = run(args, &error);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
