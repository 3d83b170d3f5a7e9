/* Any bytes as rows of a dataset: the first byte says of which layout, the rest is its file.
 * JSON that is called sound is parsed by cJSON too, and pieces are the same however the file is
 * fed. */
#include "dataset/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    vl_check_layout layout;
    const char *name;
} files[] = {
    {VL_LAYOUT_JSONL, "rows.jsonl"},          {VL_LAYOUT_IMAGEFOLDER, "metadata.jsonl"},
    {VL_LAYOUT_DATASET, "items-00000.jsonl"}, {VL_LAYOUT_WEBDATASET, "s.tar"},
    {VL_LAYOUT_COCO, "train.json"},           {VL_LAYOUT_VQA, "train.json"},
    {VL_LAYOUT_LLAVA, "train.json"},          {VL_LAYOUT_JSONL, "rows.jsonl.gz"},
};
enum { FILES = sizeof files / sizeof *files };

static uint64_t seen;

static vl_status count(const json_piece *piece, void *to, vl_error *error) {
    uint64_t hash = piece->bytes + piece->line * 31 + piece->index * 7;
    (void)error;
    for (size_t i = 0; i < piece->bytes; i++)
        hash = hash * 131 + (unsigned char)piece->text[i];
    *(uint64_t *)to += hash;
    seen++;
    return VL_OK;
}

/* In pieces of `step` bytes. */
static uint64_t pieces(const char *text, size_t size, size_t step, vl_status *status) {
    uint64_t sum = 0;
    json_pieces *p = json_pieces_new(count, &sum);
    *status = VL_OK;
    for (size_t at = 0; at < size && !*status; at += step)
        *status = json_pieces_feed(p, text + at, size - at < step ? size - at : step, NULL);
    if (!*status)
        *status = json_pieces_end(p, NULL);
    json_pieces_free(p);
    return sum;
}

static void json(const char *text, size_t size) {
    vl_status whole, parts;
    bool is_utf8 = vl_utf8_valid_prefix(text, size) == size && !memchr(text, 0, size);
    cJSON *root = cJSON_ParseWithLength(text, size);
    if (is_utf8 && json_scan(text, size).kind == JSON_SOUND && !root)
        abort();
    cJSON_Delete(root);
    uint64_t a = pieces(text, size, size ? size : 1, &whole), b = pieces(text, size, 3, &parts);
    if (whole != parts || (!whole && a != b))
        abort();
}

static char folder[] = "/tmp/vislang-fuzz-check-XXXXXX";
static void leave(void) {
    rmdir(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char path[128];
    static bool made;
    vl_check_options options = vl_check_options_default();
    vl_check_report report;
    if (!size || size > 1 << 16)
        return 0;
    if (!made) {
        if (!mkdtemp(folder))
            abort();
        made = true;
        atexit(leave);
    }
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    json(text, size - 1);
    snprintf(path, sizeof path, "%s/%s", folder, files[*data % FILES].name);
    FILE *file = fopen(path, "w");
    fwrite(text, 1, size - 1, file);
    fclose(file);
    free(text);
    options.layout = files[*data % FILES].layout;
    options.jobs = 1;
    options.folder = "/tmp";
    if (!vl_dataset_check(folder, &options, &report, NULL)) {
        for (size_t i = 0; i < report.finding_count; i++)
            if (vl_utf8_valid_prefix(report.findings[i].message,
                                     strlen(report.findings[i].message)) !=
                strlen(report.findings[i].message))
                abort();
        vl_check_report_deinit(&report);
    }
    unlink(path);
    return 0;
}
