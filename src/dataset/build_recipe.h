/* build_recipe.h — what a dataset is to be made of and how: a YAML file (docs/dataset.md has
 * every key with its range and default). Paths in it are relative to the recipe's folder.
 *
 * Strings live in the arena it was read into; read-only after that, so thread-safe. */
#ifndef VL_DATASET_BUILD_RECIPE_H
#define VL_DATASET_BUILD_RECIPE_H

#include <vislang/dataset.h>

enum { BUILD_LIST_MAX = 64 };
typedef struct build_list {
    const char *items[BUILD_LIST_MAX];
    size_t count;
} build_list;

typedef enum build_ocr { BUILD_OCR_AUTO, BUILD_OCR_NEVER } build_ocr;
typedef enum build_personal {
    BUILD_PERSONAL_REPLACE,
    BUILD_PERSONAL_REMOVE,
    BUILD_PERSONAL_KEEP
} build_personal;

/* A table of texts with their counterparts in another language. */
typedef struct build_aligned {
    const char *path; /* two columns apart by a tab, or an id before them; may be gzipped */
    const char *first, *second; /* languages of the columns, as vl_lang_code */
} build_aligned;

typedef struct build_recipe {
    const char *name, *title, *description, *licence; /* "": not said, but the name */
    uint64_t seed;
    build_list collections;                 /* paths of folders that `vislang harvest` filled */
    build_list sources, formats, languages; /* what is taken of them; none: everything */
    const char *since, *until;              /* dates of publication, "2025-01-31"; "": open */
    unsigned kinds;                         /* bits, 1 << vl_item_kind */
    build_list target_languages;
    const char *instruction_style;
    uint32_t examples_per_item;
    build_aligned aligned[BUILD_LIST_MAX];
    size_t aligned_count;
    double min_quality_score, min_pair_score;
    double min_alignment_confidence; /* 1: captions are not paired by what they say */
    uint32_t passage_characters; /* code points; short paragraphs are put together up to it */
    uint32_t picture_side, min_picture_side; /* pixels */
    bool page_pictures;                      /* passages have the picture of their page */
    bool picture_model;                      /* seer judges pairs */
    build_ocr ocr;
    const char *ocr_engines; /* as the setting; "": its default */
    double dpi;
    build_personal personal_data;
    int coordinate_decimals; /* -1: none */
    double duplicate_threshold;
    uint32_t duplicate_distance;
    double splits[VL_SPLIT_COUNT];
    const char *quality_model; /* path; "": the bundled constants */
    const char *text;          /* the file itself */
} build_recipe;
/* VL_ERR_USAGE names the line, an unknown key with the nearest known one, a value out of range
 * with its range. */
vl_status build_recipe_read(const char *path, vl_arena *arena, build_recipe *out,
                            vl_error *error);
/* Whether the recipe asks for items of a kind. */
bool build_recipe_wants(const build_recipe *r, vl_item_kind kind);
/* Whether a list names `text`; an empty list names everything. */
bool build_list_has(const build_list *list, const char *text);

#endif
