/* finish.c — see finish.h. Three readings of the chunks: all base items go to the duplicates;
 * then every item is kept or not, and written; the documents come last. */
#include "dataset/finish.h"

#include "dataset/build_report.h"
#include "dataset/chunk.h"
#include "dataset/dice.h"
#include "dataset/duplicates.h"
#include "dataset/folder.h"
#include "dataset/grouping.h"
#include "dataset/split.h"

#include <cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t ITEM_ARENA = (size_t)64 << 20;
enum { EXAMPLES_MAX = 20 };

typedef struct finishing {
    const build_recipe *recipe;
    const vl_build_options *options;
    const plan *plan;
    const quality_model *quality;
    vl_build_report *report;
    vl_arena *arena, *scratch;
    vl_duplicates *duplicates;
    grouping *groups;
    uint32_t *sizes; /* [bases] of the cluster, at the place of the cluster's name; 0: alone */
    uint32_t *cluster; /* [bases] of the item; DROPPED: another of it is kept */
    size_t bases;
    /* of the second reading */
    size_t at;      /* base items seen */
    bool keeping;   /* the last base item is kept */
    vl_split split; /* its split, quality and score: its examples have the same */
    double part_duplicates, score;
    vl_file_writer *items, *documents;
    size_t shard, in_shard;
    vl_buf line;
    cJSON *languages, *licences, *tally;
    uint64_t pictures, picture_bytes;
} finishing;
static const uint32_t DROPPED = UINT32_MAX;

/* ---- the chunks' lines ---------------------------------------------------------------------
 */

typedef vl_status (*tagged_fn)(finishing *f, const char *json, size_t bytes, vl_error *error);
/* What is done with lines of a tag. */
typedef struct taker {
    char tag;
    tagged_fn give;
} taker;
typedef struct taking {
    finishing *f;
    const taker *takers; /* up to a tag 0 */
} taking;

static vl_status give_tagged(const char *line, size_t bytes, void *to, vl_error *error) {
    const taking *t = to;
    const taker *one = t->takers;
    if (bytes < 2 || line[1] != ' ')
        return vl_fail(error, VL_ERR_INPUT, "no line of a chunk");
    while (one->tag && one->tag != line[0])
        one++;
    if (!one->tag)
        return VL_OK;
    vl_status status = vl_stop_check(error);
    return status ? status : one->give(t->f, line + 2, bytes - 2, error);
}

static vl_status each_line(finishing *f, const taker *takers, vl_error *error) {
    vl_status status = VL_OK;
    taking t = {f, takers};
    for (size_t i = 0; !status && i < plan_chunks(f->plan); i++) {
        char path[FOLDER_PATH_SIZE];
        status = chunk_path(f->options->folder, i, path, error);
        if (!status)
            status = folder_lines(path, give_tagged, &t, error);
    }
    return status;
}

/* ---- near-duplicates -----------------------------------------------------------------------
 */

/* Of near-duplicates that are good enough, one with a picture is kept before one without. */
static float worth(const finishing *f, const vl_item *item) {
    bool shown = *item->picture && item->score >= f->recipe->min_quality_score;
    return (float)item->score + (shown ? 1 : 0);
}

/* A picture in two languages is no duplicate, but must not be in two splits: an item's even
 * number stands for its picture in its language, and its odd number for the picture. Passages
 * share the picture of their page, which says nothing of them. */
static vl_status add_base(finishing *f, const char *json, size_t bytes, vl_error *error) {
    vl_item item;
    vl_arena_reset(f->arena);
    vl_status status = vl_item_read(json, bytes, f->arena, &item, error);
    if (status)
        return status;
    bool pictured = item.kind == VL_ITEM_PAIR && item.has_phash;
    vl_duplicates_item add = {.id = 2 * (uint64_t)f->bases,
                              .text = pictured ? NULL : item.text,
                              .has_picture = pictured,
                              .picture = item.phash ^ dice_hash(item.language),
                              .quality = worth(f, &item)};
    status = grouping_add(f->groups, item.source.record, error);
    if (!status)
        status = vl_duplicates_add(f->duplicates, f->scratch, &add, error);
    if (!status && pictured) {
        add.id++;
        add.picture = item.phash;
        status = vl_duplicates_add(f->duplicates, f->scratch, &add, error);
    }
    f->bases++;
    return status;
}

/* Clusters come by their names, a member after another. */
static vl_status take_members(finishing *f, vl_error *error) {
    vl_status status = VL_OK;
    vl_duplicates_member m;
    uint64_t last = UINT64_MAX;
    while (!status && vl_duplicates_next(f->duplicates, &m)) {
        size_t i = (size_t)(m.id / 2);
        if (m.cluster != last)
            status = grouping_end_cluster(f->groups, error);
        last = m.cluster;
        grouping_member(f->groups, i, m.id % 2 != 0);
        if (m.id % 2)
            continue;
        f->cluster[i] = m.keep ? (uint32_t)(m.cluster / 2) : DROPPED;
        f->sizes[m.cluster / 2]++;
    }
    return status ? status : grouping_finish(f->groups, error);
}

static vl_status find_duplicates(finishing *f, vl_error *error) {
    vl_duplicates_options how = vl_duplicates_options_default();
    how.threshold = f->recipe->duplicate_threshold;
    how.distance = f->recipe->duplicate_distance;
    how.seed = f->recipe->seed;
    how.memory = f->options->memory ? f->options->memory : how.memory;
    vl_status status = vl_duplicates_new(&how, &f->duplicates, error);
    if (!status)
        status = grouping_new(&f->groups, error);
    if (!status)
        status = each_line(f, (const taker[]){{'B', add_base}, {0}}, error);
    if (!status)
        status = vl_duplicates_finish(f->duplicates, error);
    if (!status) {
        f->sizes = calloc(f->bases + 1, sizeof *f->sizes);
        f->cluster = calloc(f->bases + 1, sizeof *f->cluster);
        if (!f->sizes || !f->cluster)
            status = vl_fail(error, VL_ERR_MEMORY, "no memory for %zu items", f->bases);
    }
    for (size_t i = 0; !status && i < f->bases; i++)
        f->cluster[i] = (uint32_t)i;
    if (!status)
        status = take_members(f, error);
    vl_duplicates_free(f->duplicates);
    f->duplicates = NULL;
    return status;
}

/* ---- items ---------------------------------------------------------------------------------
 */

static void count_name(cJSON *counts, const char *name) {
    cJSON *number = cJSON_GetObjectItemCaseSensitive(counts, *name ? name : "unknown");
    if (number)
        cJSON_SetNumberValue(number, number->valuedouble + 1);
    else
        cJSON_AddNumberToObject(counts, *name ? name : "unknown", 1);
}

/* Files are written under work, so that what a killed process leaves of one goes with it. */
static vl_status begin_file(const finishing *f, const char *name, vl_file_writer **writer,
                            vl_error *error) {
    char work[FOLDER_PATH_SIZE], path[FOLDER_PATH_SIZE];
    vl_status status = folder_path(f->options->folder, FOLDER_WORK, work, error);
    if (!status)
        status = folder_path(work, name, path, error);
    return status ? status : vl_file_writer_open(path, writer, error);
}

static vl_status end_file(const finishing *f, const char *name, vl_file_writer **writer,
                          vl_error *error) {
    char work[FOLDER_PATH_SIZE], from[FOLDER_PATH_SIZE], to[FOLDER_PATH_SIZE];
    vl_status status = vl_file_writer_commit(*writer, error);
    *writer = NULL;
    if (!status)
        status = folder_path(f->options->folder, FOLDER_WORK, work, error);
    if (!status)
        status = folder_path(work, name, from, error);
    if (!status)
        status = folder_path(f->options->folder, name, to, error);
    if (!status && rename(from, to) != 0)
        status = vl_fail(error, VL_ERR_IO, "%s: %s", to, strerror(errno));
    return status;
}

static vl_status end_shard(finishing *f, vl_error *error) {
    char name[32];
    if (!f->items)
        return VL_OK;
    snprintf(name, sizeof name, FOLDER_ITEMS, f->shard++);
    f->in_shard = 0;
    return end_file(f, name, &f->items, error);
}

static vl_status write_item(finishing *f, const vl_item *item, vl_error *error) {
    char name[32];
    vl_status status = VL_OK;
    snprintf(name, sizeof name, FOLDER_ITEMS, f->shard);
    if (!f->items)
        status = begin_file(f, name, &f->items, error);
    vl_buf_clear(&f->line);
    if (!status)
        status = vl_item_write(item, &f->line, error);
    if (!status)
        status = vl_file_writer_put(f->items, f->line.data, f->line.len, error);
    f->report->kept++;
    f->report->by_split[item->split]++;
    f->report->by_kind[item->kind]++;
    count_name(f->languages, item->language);
    if (!status && ++f->in_shard == FOLDER_SHARD)
        status = end_shard(f, error);
    return status;
}

/* It may be there already: another item has it too, or a run before that was stopped. */
static vl_status take_picture(finishing *f, const char *picture, vl_error *error) {
    char from[FOLDER_PATH_SIZE], to[FOLDER_PATH_SIZE], folder[FOLDER_PATH_SIZE];
    int length =
        snprintf(from, sizeof from, "%s/" FOLDER_WORK "/%s", f->options->folder, picture);
    if (length >= (int)sizeof from)
        return vl_fail(error, VL_ERR_USAGE, "the path of the folder is too long");
    snprintf(to, sizeof to, "%s/%s", f->options->folder, picture);
    if (access(to, F_OK) == 0)
        return VL_OK;
    snprintf(folder, sizeof folder, "%s", to);
    *strrchr(folder, '/') = '\0';
    vl_status status = vl_dir_make(folder, error);
    if (!status && rename(from, to) != 0 && access(to, F_OK) != 0)
        status = vl_fail(error, VL_ERR_IO, "%s: %s", from, strerror(errno));
    return status;
}

static void count_folder(finishing *f, const char *folder) {
    DIR *list = opendir(folder);
    struct stat about;
    for (struct dirent *entry; list && (entry = readdir(list));)
        if (*entry->d_name != '.' && fstatat(dirfd(list), entry->d_name, &about, 0) == 0) {
            f->pictures++;
            f->picture_bytes += (uint64_t)about.st_size;
        }
    if (list)
        closedir(list);
}

static void count_pictures(finishing *f) {
    char folder[FOLDER_PATH_SIZE];
    for (unsigned i = 0; i < 256; i++)
        if (snprintf(folder, sizeof folder, "%s/" FOLDER_PICTURES "/%02x", f->options->folder,
                     i) < (int)sizeof folder)
            count_folder(f, folder);
}

/* Whether a base item stays, and where; its examples follow it. */
static void judge(finishing *f, const vl_item *item) {
    size_t i = f->at++;
    uint32_t cluster = f->cluster[i];
    uint32_t size = cluster == DROPPED ? 0 : f->sizes[cluster];
    double quality[VL_QUALITY_PART_COUNT];
    memcpy(quality, item->quality, sizeof quality);
    f->part_duplicates = quality[VL_QUALITY_DUPLICATES] = size > 1 ? 1.0 / size : 1;
    f->score = quality_score(f->quality, quality);
    f->split = vl_split_of(grouping_of(f->groups, i), f->recipe->seed, f->recipe->splits);
    f->keeping = cluster != DROPPED && f->score >= f->recipe->min_quality_score;
    f->report->duplicates += cluster == DROPPED;
    f->report->poor += cluster != DROPPED && !f->keeping;
}

static vl_status pass_item(finishing *f, vl_item *item, vl_error *error) {
    item->split = f->split;
    item->quality[VL_QUALITY_DUPLICATES] = f->part_duplicates;
    item->score = f->score;
    vl_status status = write_item(f, item, error);
    return !status && *item->picture ? take_picture(f, item->picture, error) : status;
}

static vl_status pass_base(finishing *f, const char *json, size_t bytes, vl_error *error) {
    vl_item item;
    vl_arena_reset(f->arena);
    vl_status status = vl_item_read(json, bytes, f->arena, &item, error);
    if (status)
        return status;
    f->report->made++;
    judge(f, &item);
    if (!f->keeping)
        return VL_OK;
    count_name(f->licences, item.source.licence);
    return pass_item(f, &item, error);
}

static vl_status pass_example(finishing *f, const char *json, size_t bytes, vl_error *error) {
    vl_item item;
    f->report->made++;
    if (!f->keeping)
        return VL_OK;
    vl_arena_reset(f->arena);
    vl_status status = vl_item_read(json, bytes, f->arena, &item, error);
    return status ? status : pass_item(f, &item, error);
}

/* A build that was stopped here may have left shards of a run before it. */
static vl_status remove_shards_after(finishing *f, vl_error *error) {
    char name[32], path[FOLDER_PATH_SIZE];
    for (size_t i = f->shard;; i++) {
        snprintf(name, sizeof name, FOLDER_ITEMS, i);
        vl_status status = folder_path(f->options->folder, name, path, error);
        if (status || unlink(path) != 0)
            return status;
    }
}

/* ---- documents and reports -----------------------------------------------------------------
 */

static uint64_t count_of(const cJSON *object, const char *name) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(value) && value->valuedouble > 0 ? (uint64_t)value->valuedouble : 0;
}

static vl_status pass_document(finishing *f, const char *json, size_t bytes, vl_error *error) {
    cJSON *root = cJSON_ParseWithLength(json, bytes);
    const char *problem = cJSON_GetStringValue(cJSON_GetObjectItem(root, "problem"));
    f->report->documents++;
    f->report->unread += problem != NULL;
    if (problem)
        build_report_count(f->report, problem);
    f->report->pages += count_of(root, "pages");
    f->report->pages_ocr += count_of(root, "pages_ocr");
    cJSON_Delete(root);
    vl_status status = vl_file_writer_put(f->documents, json, bytes, error);
    return status ? status : vl_file_writer_put(f->documents, "\n", 1, error);
}

static int by_documents(const void *x, const void *y) {
    const vl_build_reason *a = x, *b = y;
    return a->documents != b->documents ? (a->documents < b->documents ? 1 : -1)
                                        : strcmp(a->reason, b->reason);
}

static vl_status write_documents(finishing *f, vl_error *error) {
    vl_status status = begin_file(f, FOLDER_DOCUMENTS, &f->documents, error);
    if (!status)
        status = each_line(f, (const taker[]){{'D', pass_document}, {0}}, error);
    if (!status)
        status = end_file(f, FOLDER_DOCUMENTS, &f->documents, error);
    qsort(f->report->reasons, f->report->reason_count, sizeof *f->report->reasons,
          by_documents);
    return status;
}

/* Numbers are added up name by name, and lists of examples put behind each other. */
static void add_up(cJSON *to, const cJSON *from) {
    for (const cJSON *item = from ? from->child : NULL; item; item = item->next) {
        cJSON *there = cJSON_GetObjectItemCaseSensitive(to, item->string);
        if (!there)
            cJSON_AddItemToObject(to, item->string, cJSON_Duplicate(item, true));
        else if (cJSON_IsNumber(there) && cJSON_IsNumber(item))
            cJSON_SetNumberValue(there, there->valuedouble + item->valuedouble);
        else if (cJSON_IsObject(there) && cJSON_IsObject(item))
            add_up(there, item);
        else if (cJSON_IsArray(there) && cJSON_IsArray(item))
            for (const cJSON *one = item->child;
                 one && cJSON_GetArraySize(there) < EXAMPLES_MAX; one = one->next)
                cJSON_AddItemToArray(there, cJSON_Duplicate(one, true));
    }
}

static vl_status pass_report(finishing *f, const char *json, size_t bytes, vl_error *error) {
    cJSON *root = cJSON_ParseWithLength(json, bytes);
    if (!root)
        return vl_fail(error, VL_ERR_INPUT, "the report of a chunk is no JSON");
    add_up(f->tally, root);
    cJSON_Delete(root);
    return VL_OK;
}

static vl_status write_json(const finishing *f, const char *name, const cJSON *root,
                            vl_error *error) {
    vl_file_writer *writer = NULL;
    char *text = cJSON_Print(root);
    vl_status status = text ? begin_file(f, name, &writer, error)
                            : vl_fail(error, VL_ERR_MEMORY, "no memory for %s", name);
    if (!status) {
        vl_file_writer_put(writer, text, strlen(text), error);
        vl_file_writer_put(writer, "\n", 1, error);
        status = end_file(f, name, &writer, error);
    }
    cJSON_free(text);
    return status;
}

static void add_counts(cJSON *to, const char *name, const uint64_t *counts, size_t count,
                       const char *(*name_of)(size_t)) {
    cJSON *object = cJSON_AddObjectToObject(to, name);
    for (size_t i = 0; i < count; i++)
        cJSON_AddNumberToObject(object, name_of(i), (double)counts[i]);
}

static const char *split_name(size_t i) {
    return vl_split_name((vl_split)i);
}

static const char *kind_name(size_t i) {
    return vl_item_kind_name((vl_item_kind)i);
}

/* No time and no machine stands in it: the same is built of the same. */
static cJSON *about_json(const finishing *f) {
    const build_recipe *r = f->recipe;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "format", FOLDER_FORMAT);
    cJSON_AddStringToObject(root, "name", r->name);
    cJSON_AddStringToObject(root, "title", r->title);
    cJSON_AddStringToObject(root, "description", r->description);
    cJSON_AddStringToObject(root, "licence", r->licence);
    cJSON_AddNumberToObject(root, "seed", (double)r->seed);
    cJSON_AddNumberToObject(root, "items", (double)f->report->kept);
    cJSON_AddNumberToObject(root, "documents", (double)f->report->documents);
    cJSON_AddNumberToObject(root, "pictures", (double)f->pictures);
    cJSON_AddNumberToObject(root, "picture_bytes", (double)f->picture_bytes);
    add_counts(root, "splits", f->report->by_split, VL_SPLIT_COUNT, split_name);
    add_counts(root, "kinds", f->report->by_kind, VL_ITEM_KIND_COUNT, kind_name);
    cJSON_AddItemToObject(root, "languages", cJSON_Duplicate(f->languages, true));
    cJSON_AddItemToObject(root, "licences", cJSON_Duplicate(f->licences, true));
    cJSON_AddStringToObject(root, "recipe", r->text);
    return root;
}

static vl_status write_reports(finishing *f, vl_error *error) {
    vl_status status = each_line(f, (const taker[]){{'R', pass_report}, {0}}, error);
    if (status)
        return status;
    count_pictures(f);
    cJSON *report = build_report_json(f->report), *about = about_json(f);
    add_up(report, f->tally);
    status = write_json(f, FOLDER_REPORT, report, error);
    if (!status)
        status = write_json(f, FOLDER_ABOUT, about, error);
    cJSON_Delete(report);
    cJSON_Delete(about);
    return status;
}

/* ---- all -----------------------------------------------------------------------------------
 */

vl_status finish_build(const build_recipe *recipe, const vl_build_options *options,
                       const plan *p, const quality_model *quality, vl_build_report *report,
                       vl_error *error) {
    finishing f = {.recipe = recipe,
                   .options = options,
                   .plan = p,
                   .quality = quality,
                   .report = report,
                   .arena = vl_arena_new(ITEM_ARENA),
                   .scratch = vl_arena_new(ITEM_ARENA),
                   .languages = cJSON_CreateObject(),
                   .licences = cJSON_CreateObject(),
                   .tally = cJSON_CreateObject()};
    vl_buf_init(&f.line, (size_t)16 << 20);
    vl_status status = f.arena && f.scratch && f.tally
                           ? VL_OK
                           : vl_fail(error, VL_ERR_MEMORY, "out of memory");
    report->records = plan_records(p);
    if (!status)
        status = find_duplicates(&f, error);
    if (!status)
        status =
            each_line(&f, (const taker[]){{'B', pass_base}, {'E', pass_example}, {0}}, error);
    if (!status)
        status = end_shard(&f, error);
    if (!status)
        status = remove_shards_after(&f, error);
    if (!status)
        status = write_documents(&f, error);
    if (!status)
        status = write_reports(&f, error);
    vl_file_writer_abandon(f.items);
    vl_file_writer_abandon(f.documents);
    vl_duplicates_free(f.duplicates);
    vl_buf_deinit(&f.line);
    vl_arena_free(f.arena);
    vl_arena_free(f.scratch);
    cJSON_Delete(f.languages);
    cJSON_Delete(f.licences);
    cJSON_Delete(f.tally);
    grouping_free(f.groups);
    free(f.sizes);
    free(f.cluster);
    return status;
}
