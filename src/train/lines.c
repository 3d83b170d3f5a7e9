/* lines.c — lines decoded, distorted, and put behind each other (lines.h). */
#include "train/lines.h"
#include "train/augment.h"

#include <string.h>

enum { ROUND = 128 }; /* positions of a piece: products then come in few shapes */

line_set *lines_new(vl_arena *arena, size_t count) {
    line_set *l = vl_arena_alloc(arena, sizeof *l);
    if (!l)
        return NULL;
    l->count = count;
    l->starts = vl_arena_array(arena, count + 2, sizeof *l->starts);
    l->label_starts = vl_arena_array(arena, count + 1, sizeof *l->label_starts);
    l->script = vl_arena_array(arena, count, sizeof *l->script);
    l->line = vl_arena_array(arena, count, sizeof *l->line);
    l->label = vl_arena_array(arena, count, sizeof *l->label);
    l->label_count = vl_arena_array(arena, count, sizeof *l->label_count);
    bool ok = l->starts && l->label_starts && l->script && l->line && l->label;
    return ok && l->label_count ? l : NULL;
}

/* A line that would be wider than the recipe allows becomes as wide. */
static vl_image *squeeze(const vl_image *image, int64_t max_width) {
    double width = (double)max_width * image->height / VL_READER_HEIGHT;
    if ((double)image->width <= width || width < 1)
        return NULL;
    return vl_image_resize(image, (uint32_t)width, image->height);
}

vl_status lines_set(line_set *l, size_t index, const vl_image *image, const sample *item,
                    const lines_how *how, vl_arena *arena, vl_error *error) {
    vl_image *drawn = NULL, *narrow = NULL;
    vl_status status = VL_OK;
    size_t unknown;
    if (how->distort > 0)
        status = augment_line(image, how->distort, how->random, &drawn, error);
    if (status)
        return status;
    image = drawn ? drawn : image;
    narrow = squeeze(image, how->recipe->max_width);
    vl_reader_pixels *line = &l->line[index];
    status = vl_reader_prepare(narrow ? narrow : image, how->recipe->reader.squeeze, arena,
                               line, error);
    vl_image_free(drawn);
    vl_image_free(narrow);
    if (!status && how->distort > 0)
        augment_ink(line->columns, line->width, how->distort, how->random);
    const char *script = samples_label(item, "script");
    l->script[index] = script ? script : vl_text_script(item->text, NULL);
    if (!status)
        status = vl_reader_targets(how->alphabet, item->text, arena, &l->label[index],
                                   &l->label_count[index], &unknown, error);
    return status;
}

vl_status lines_join(line_set *l, vl_arena *arena, vl_error *error) {
    size_t positions = 0, labels = 0, each = VL_READER_STRIDE * VL_READER_HEIGHT;
    for (size_t i = 0; i < l->count; i++) {
        l->starts[i] = (int32_t)positions;
        l->label_starts[i] = labels;
        positions += l->line[i].positions;
        labels += l->label_count[i];
    }
    l->starts[l->count] = (int32_t)positions;
    l->label_starts[l->count] = labels;
    size_t all = (positions + ROUND - 1) / ROUND * ROUND;
    l->sequences = l->count + (all > positions);
    l->starts[l->sequences] = (int32_t)all;
    l->columns = vl_arena_array(arena, all * each, sizeof *l->columns);
    l->labels = vl_arena_array(arena, labels + 1, sizeof *l->labels);
    if (!l->columns || !l->labels)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for lines of %zu positions", all);
    for (size_t i = 0; i < l->count; i++) {
        memcpy(l->columns + (size_t)l->starts[i] * each, l->line[i].columns,
               l->line[i].positions * each * sizeof *l->columns);
        if (l->label_count[i])
            memcpy(l->labels + l->label_starts[i], l->label[i],
                   l->label_count[i] * sizeof *l->labels);
    }
    return VL_OK;
}
