/* train_toy.h — a tiny problem to train on, made by the tests: plain colours and their names,
 * as a folder and as a WebDataset tar, and a recipe for a network that learns them in seconds.
 */
#ifndef TRAIN_TOY_H
#define TRAIN_TOY_H

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <vislang/media.h>
#include <vislang/train.h>

enum { TOY_COLOURS = 8, TOY_PATH = 512 };

static const struct toy_colour {
    const char *en, *fr;
    uint8_t rgb[3];
} toy_colours[TOY_COLOURS] = {
    {"red", "rouge", {220, 20, 20}},     {"green", "vert", {20, 180, 30}},
    {"blue", "bleu", {20, 40, 220}},     {"yellow", "jaune", {240, 230, 20}},
    {"black", "noir", {5, 5, 5}},        {"white", "blanc", {250, 250, 250}},
    {"orange", "orange", {250, 140, 0}}, {"grey", "gris", {128, 128, 128}},
};

static char toy_root[] = "/tmp/vislang-toy-XXXXXX";

static inline const char *toy_path(const char *name) {
    static char paths[8][TOY_PATH];
    static size_t next;
    char *path = paths[next++ % 8];
    snprintf(path, TOY_PATH, "%s/%s", toy_root, name);
    return path;
}

static inline void toy_write(const char *name, const void *bytes, size_t count) {
    vl_error error = {0};
    if (vl_file_write(toy_path(name), bytes, count, &error))
        fail_msg("%s", error.message);
}

static inline void toy_read(const char *name, vl_buf *out) {
    vl_error error = {0};
    vl_buf_init(out, 64 << 20);
    if (vl_file_read(toy_path(name), 64 << 20, out, &error))
        fail_msg("%s", error.message);
}

/* A picture of one colour: PNG, or JPEG. */
static inline void toy_picture(size_t colour, bool jpeg, vl_buf *out) {
    vl_image *image;
    vl_buf_init(out, 1 << 20);
    assert_int_equal(vl_image_new(32, 32, 3, &image, NULL), VL_OK);
    for (size_t y = 0; y < 32; y++)
        for (size_t x = 0; x < 32; x++)
            memcpy(image->pixels + y * image->stride + x * 3, toy_colours[colour].rgb, 3);
    assert_int_equal(jpeg ? vl_image_encode_jpeg(image, 90, out, NULL)
                          : vl_image_encode_png(image, out, NULL),
                     VL_OK);
    vl_image_free(image);
}

static inline void toy_metadata(size_t colour, const char *file_name, vl_buf *out) {
    const struct toy_colour *c = &toy_colours[colour];
    vl_buf_puts(out, "{");
    if (file_name)
        vl_buf_printf(out, "\"file_name\": \"%s\", ", file_name);
    vl_buf_printf(out,
                  "\"captions\": {\"en\": [\"%s\"], \"fr\": [\"%s\"]}, "
                  "\"labels\": {\"colour\": \"%s\"}, "
                  "\"qa\": [{\"question\": \"which colour?\", \"answer\": [\"%s\"]}], "
                  "\"statements\": [{\"statement\": \"it is %s\", \"true\": true}, "
                  "{\"statement\": \"it is %s\", \"true\": false}]}\n",
                  c->en, c->fr, c->en, c->en, c->en,
                  toy_colours[(colour + 1) % TOY_COLOURS].en);
}

/* "NAME/": a picture a colour, PNG and JPEG by turns, and metadata.jsonl. */
static inline void toy_folder(const char *name) {
    vl_buf lines;
    vl_buf_init(&lines, 1 << 20);
    assert_int_equal(vl_dir_make(toy_path(name), NULL), VL_OK);
    for (size_t i = 0; i < TOY_COLOURS; i++) {
        char file[64], path[128];
        vl_buf picture;
        snprintf(file, sizeof file, "%zu.%s", i, i % 2 ? "jpg" : "png");
        snprintf(path, sizeof path, "%s/%s", name, file);
        toy_picture(i, i % 2, &picture);
        toy_write(path, picture.data, picture.len);
        toy_metadata(i, file, &lines);
        vl_buf_deinit(&picture);
    }
    char path[128];
    snprintf(path, sizeof path, "%s/metadata.jsonl", name);
    toy_write(path, lines.data, lines.len);
    vl_buf_deinit(&lines);
}

/* A member of a tar: its header (POSIX ustar), its bytes, and zeros to 512. */
static inline void toy_member(vl_buf *tar, const char *name, char type, const void *bytes,
                              size_t count) {
    static const char zeros[512];
    char header[512] = {0};
    unsigned sum = 0;
    snprintf(header, 100, "%s", name);
    snprintf(header + 100, 8, "0000644");
    snprintf(header + 124, 12, "%011zo", count);
    snprintf(header + 136, 12, "%011o", 0);
    memset(header + 148, ' ', 8);
    header[156] = type;
    memcpy(header + 257, "ustar\00000", 8);
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    vl_buf_append(tar, header, 512);
    vl_buf_append(tar, bytes, count);
    vl_buf_append(tar, zeros, (512 - count % 512) % 512);
}

/* The same pictures as a shard; the caller deinits it. */
static inline void toy_tar(vl_buf *tar) {
    static const char zeros[1024];
    vl_buf_init(tar, 4 << 20);
    for (size_t i = 0; i < TOY_COLOURS; i++) {
        char name[64];
        vl_buf picture, line;
        vl_buf_init(&line, 4096);
        toy_picture(i, i % 2, &picture);
        toy_metadata(i, NULL, &line);
        snprintf(name, sizeof name, "s%03zu.%s", i, i % 2 ? "jpg" : "png");
        toy_member(tar, name, '0', picture.data, picture.len);
        snprintf(name, sizeof name, "s%03zu.json", i);
        toy_member(tar, name, '0', line.data, line.len);
        vl_buf_deinit(&picture);
        vl_buf_deinit(&line);
    }
    vl_buf_append(tar, zeros, sizeof zeros);
}

#define TOY_ARCHITECTURE                                                                       \
    "architecture: {picture: 32, widths: [16, 32, 64], blocks: [1, 1], kernel: 3, layers: "    \
    "1,\n"                                                                                     \
    "  heads: 2, grid: 2, vocabulary: 8192, max_text: 16, text_layers: 1, mixed_layers: 1,\n"  \
    "  text_heads: 2, vector: 16}\n"
#define TOY_LABELS "labels:\n  colour: [red, green, blue, yellow, black, white, orange, grey]\n"
#define TOY_SOURCES                                                                            \
    "sources:\n"                                                                               \
    "  - {name: folder, path: folder, batch: 6, picture: 32, captions: 2, questions: 1,\n"     \
    "     statements: 1, flip: true, crop: 0.6, colour: 0.1, erase: 0.2, caption: 1,\n"        \
    "     contrast: 1, ask: 0.5, statement: 0.5, labels: 0.5}\n"                               \
    "  - {name: tar, path: shard.tar, batch: 4, picture: 32, captions: 0, labels: 1}\n"        \
    "held_out:\n"                                                                              \
    "  - {name: folder, path: folder, batch: 8, picture: 32, captions: 1, caption: 1,\n"       \
    "     contrast: 1, labels: 1}\n"
#define TOY_HEAD "model: seer\nseed: 3\ntokenizer: models/seer-tokenizer.bpe\n"

/* Everything under toy_root: folder/, shard.tar. */
static inline int toy_setup(void **state) {
    (void)state;
    vl_log_set_level(VL_LOG_ERROR);
    if (!mkdtemp(toy_root))
        return -1;
    vl_buf tar;
    toy_folder("folder");
    toy_tar(&tar);
    toy_write("shard.tar", tar.data, tar.len);
    vl_buf_deinit(&tar);
    return 0;
}

static inline int toy_teardown(void **state) {
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", toy_root);
    return system(command) ? -1 : 0;
}

#endif
