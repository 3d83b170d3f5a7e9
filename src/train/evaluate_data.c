/* evaluate_data.c — what there is to score: folders with a metadata.jsonl, tars, and statements
 * that lie beside the folders they are about.
 *
 * A folder's metadata is read here and not through samples.h, which keeps what training needs:
 * scoring also wants lists of answers as lists, the crisis labels and who was seen from the
 * air. Tars go through samples.h. */
#include "train/evaluate.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_METADATA = 1 << 30, MAX_PICTURE = 64 << 20, PATH_SIZE = 4096 };

/* The labels of the crisis photos, as scenes (docs/seer-data.md). */
static const struct crisis_label {
    const char *label, *scene;
    bool aerial;
} crisis_labels[] = {
    {"fire", "fire", false},
    {"flood", "flood", true},
    {"storm_damage_satellite", "storm_damage", true},
    {"no_damage_satellite", "ordinary", true},
    {"forest_no_fire", "ordinary", false},
};

static void *array(eval_data *data, size_t count, size_t size) {
    return vl_arena_array(data->arena, count + 1, size);
}

static const char *keep(eval_data *data, const cJSON *text) {
    const char *value = cJSON_GetStringValue(text);
    return value ? vl_arena_strdup(data->arena, value) : NULL;
}

static size_t size_of(const cJSON *list) {
    return cJSON_IsArray(list) || cJSON_IsObject(list) ? (size_t)cJSON_GetArraySize(list) : 0;
}

static eval_item *add_item(eval_data *data) {
    if (data->count == data->capacity) {
        size_t capacity = data->capacity ? data->capacity * 2 : 1024;
        eval_item *items = realloc(data->items, capacity * sizeof *items);
        if (!items)
            return NULL;
        data->items = items;
        data->capacity = capacity;
    }
    eval_item *item = &data->items[data->count++];
    *item = (eval_item){0};
    return item;
}

/* ---- one line ---------------------------------------------------------------------------- */

/* Each reader returns false when there is no memory. */
static bool read_captions(eval_data *data, const cJSON *captions, eval_item *item) {
    size_t count = 0;
    const cJSON *language, *caption;
    cJSON_ArrayForEach(language, captions) count += size_of(language);
    if (!count)
        return true;
    if (!(item->captions = array(data, count, sizeof *item->captions)))
        return false;
    cJSON_ArrayForEach(language, captions) {
        const char *code = vl_arena_strdup(data->arena, language->string);
        cJSON_ArrayForEach(caption, language) {
            const char *text = keep(data, caption);
            if (!code || (cJSON_IsString(caption) && !text))
                return false;
            if (text && *text)
                item->captions[item->caption_count++] =
                    (eval_caption){.language = code, .text = text};
        }
    }
    return true;
}

static bool read_answers(eval_data *data, const cJSON *answer, eval_question *question) {
    size_t count = cJSON_IsString(answer) ? 1 : size_of(answer);
    question->answers = array(data, count, sizeof *question->answers);
    if (!question->answers)
        return false;
    const cJSON *part = cJSON_IsString(answer) ? answer : count ? answer->child : NULL;
    for (size_t i = 0; i < count && part; i++, part = part->next) {
        const char *text = keep(data, part);
        if (text)
            question->answers[question->answer_count++] = text;
        else if (cJSON_IsString(part))
            return false;
    }
    return true;
}

static bool read_questions(eval_data *data, const cJSON *list, eval_item *item) {
    const cJSON *entry;
    if (!size_of(list))
        return true;
    if (!(item->questions = array(data, size_of(list), sizeof *item->questions)))
        return false;
    cJSON_ArrayForEach(entry, list) {
        eval_question question = {.text = keep(data, cJSON_GetObjectItem(entry, "question"))};
        if (!read_answers(data, cJSON_GetObjectItem(entry, "answer"), &question))
            return false;
        if (question.text && question.answer_count)
            item->questions[item->question_count++] = question;
    }
    return true;
}

/* Appends: statements may come from two files. */
static bool read_statements(eval_data *data, const cJSON *list, eval_item *item) {
    size_t old = item->statement_count;
    const cJSON *entry;
    if (!size_of(list))
        return true;
    eval_statement *all = array(data, old + size_of(list), sizeof *all);
    if (!all)
        return false;
    if (old)
        memcpy(all, item->statements, old * sizeof *all);
    item->statements = all;
    cJSON_ArrayForEach(entry, list) {
        const cJSON *truth = cJSON_GetObjectItem(entry, "true");
        const char *text = keep(data, cJSON_GetObjectItem(entry, "statement"));
        if (text && cJSON_IsBool(truth))
            all[item->statement_count++] =
                (eval_statement){.text = text, .truth = cJSON_IsTrue(truth)};
    }
    return true;
}

static bool add_label(eval_data *data, eval_item *item, const char *set, const char *label) {
    const char *kept_set = vl_arena_strdup(data->arena, set);
    const char *kept = vl_arena_strdup(data->arena, label);
    if (!kept_set || !kept)
        return false;
    item->labels[item->label_count++] = (eval_label){.set = kept_set, .truth = kept};
    return true;
}

/* "labels": {"scene": "fire", "orientation": 90}, or the crisis photos' "label": "flood". */
static bool read_labels(eval_data *data, const cJSON *root, eval_item *item) {
    const cJSON *labels = cJSON_GetObjectItem(root, "labels"), *label;
    const char *scene = cJSON_GetStringValue(cJSON_GetObjectItem(root, "label"));
    if (!size_of(labels) && !scene)
        return true;
    if (!(item->labels = array(data, size_of(labels) + 1, sizeof *item->labels)))
        return false;
    cJSON_ArrayForEach(label, labels) {
        char number[32];
        const char *text = cJSON_GetStringValue(label);
        if (cJSON_IsNumber(label)) {
            snprintf(number, sizeof number, "%g", label->valuedouble);
            text = number;
        }
        if (text && label->string && !add_label(data, item, label->string, text))
            return false;
    }
    const struct crisis_label *known = NULL;
    for (size_t i = 0; scene && i < sizeof crisis_labels / sizeof *crisis_labels; i++)
        if (!strcmp(crisis_labels[i].label, scene))
            known = &crisis_labels[i];
    if (known) {
        item->aerial_known = true;
        item->aerial = known->aerial;
    }
    if (scene && !eval_label_of(item, "scene"))
        return add_label(data, item, "scene", known ? known->scene : scene);
    return true;
}

static bool read_entry(eval_data *data, const cJSON *root, eval_item *item) {
    bool ok = read_captions(data, cJSON_GetObjectItem(root, "captions"), item) &&
              read_questions(data, cJSON_GetObjectItem(root, "qa"), item) &&
              read_statements(data, cJSON_GetObjectItem(root, "statements"), item) &&
              read_labels(data, root, item);
    const cJSON *aerial = cJSON_GetObjectItem(root, "aerial");
    if (cJSON_IsBool(aerial)) {
        item->aerial_known = true;
        item->aerial = cJSON_IsTrue(aerial);
    }
    return ok;
}

/* ---- folders ----------------------------------------------------------------------------- */

typedef struct reader {
    eval_data *data;
    const char *file, *folder; /* metadata; where its pictures lie */
    const char *split;  /* statements of this split join the items of `first` and after */
    size_t first, last; /* `last`: the item found last; lines mostly come in its order */
} reader;

static bool is_plain_name(const char *name) {
    return name && *name && name[0] != '/' && !strstr(name, "..");
}

static bool is_file(const char *path) {
    struct stat st;
    return !stat(path, &st) && S_ISREG(st.st_mode);
}

static vl_status no_memory(const char *file, vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "%s: no memory for what it says", file);
}

static vl_status note_missing(reader *r, const char *path, vl_error *error) {
    eval_data *data = r->data;
    if (data->missing < EVAL_NAMED &&
        !(data->missing_names[data->missing] = vl_arena_strdup(data->arena, path)))
        return no_memory(r->file, error);
    data->missing++;
    vl_log(VL_LOG_WARN, "picture is missing; left out", VL_F_STR("file", path));
    return VL_OK;
}

static eval_item *find_item(reader *r, const char *name) {
    size_t count = r->data->count - r->first;
    for (size_t i = 0; i < count; i++) {
        size_t at = (r->last + i) % count;
        eval_item *item = &r->data->items[r->first + at];
        if (!strcmp(item->name, name)) {
            r->last = at;
            return item;
        }
    }
    return NULL;
}

static vl_status add_picture(reader *r, const cJSON *root, const char *name, vl_error *error) {
    const char *split = cJSON_GetStringValue(cJSON_GetObjectItem(root, "split"));
    char path[PATH_SIZE];
    int length = 0;
    bool there = false;
    if (split && is_plain_name(split)) {
        length = snprintf(path, sizeof path, "%s/%s/%s", r->folder, split, name);
        there = length < (int)sizeof path && is_file(path);
    }
    if (!there) {
        length = snprintf(path, sizeof path, "%s/%s", r->folder, name);
        there = length < (int)sizeof path && is_file(path);
    }
    if (!there)
        return note_missing(r, path, error);
    eval_item *item = add_item(r->data);
    if (!item)
        return no_memory(r->file, error);
    item->name = vl_arena_strdup(r->data->arena, name);
    item->path = vl_arena_strdup(r->data->arena, path);
    return item->name && item->path && read_entry(r->data, root, item)
               ? VL_OK
               : no_memory(r->file, error);
}

static vl_status read_line(reader *r, const char *line, size_t bytes, size_t number,
                           vl_error *error) {
    cJSON *root = cJSON_ParseWithLength(line, bytes);
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(root, "file_name"));
    const char *split = cJSON_GetStringValue(cJSON_GetObjectItem(root, "split"));
    vl_status status = VL_OK;
    eval_item *item = NULL;
    if (!root || !is_plain_name(name))
        status = vl_fail(error, VL_ERR_INPUT, "%s:%zu: %s", r->file, number,
                         root ? "\"file_name\" is missing or leaves the folder" : "not JSON");
    else if (r->split && (!split || strcmp(split, r->split) != 0))
        ;
    else if (r->split && (item = find_item(r, name)))
        status = read_statements(r->data, cJSON_GetObjectItem(root, "statements"), item)
                     ? VL_OK
                     : no_memory(r->file, error);
    else
        status = add_picture(r, root, name, error);
    cJSON_Delete(root);
    return status;
}

static bool is_blank(const char *line, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        if (!strchr(" \t\r", line[i]))
            return false;
    return true;
}

static vl_status read_lines(reader *r, vl_error *error) {
    vl_buf text;
    vl_buf_init(&text, MAX_METADATA);
    vl_status status = vl_file_read(r->file, MAX_METADATA, &text, error);
    size_t number = 1;
    for (size_t at = 0; !status && at < text.len; number++) {
        const char *line = text.data + at, *end = memchr(line, '\n', text.len - at);
        size_t bytes = end ? (size_t)(end - line) : text.len - at;
        if (!is_blank(line, bytes))
            status = read_line(r, line, bytes, number, error);
        at += bytes + 1;
    }
    vl_buf_deinit(&text);
    return status;
}

/* photos/flickr8k/dev: statements about it lie in photos/flickr8k/statements.jsonl. */
static vl_status read_statements_beside(reader *r, vl_error *error) {
    char whole[PATH_MAX], file[PATH_MAX + 32];
    char *slash = realpath(r->folder, whole) ? strrchr(whole, '/') : NULL;
    if (!slash || slash == whole)
        return VL_OK;
    *slash = '\0';
    snprintf(file, sizeof file, "%s/statements.jsonl", whole);
    if (!is_file(file))
        return VL_OK;
    r->split = slash + 1;
    r->last = 0;
    /* The pictures of this split are these, by whatever name the folder was given. */
    char *parent = vl_arena_strdup(r->data->arena, whole);
    reader beside = *r;
    beside.file = file;
    beside.folder = parent;
    return parent ? read_lines(&beside, error) : no_memory(r->file, error);
}

static vl_status read_folder(eval_data *data, const char *folder, vl_error *error) {
    char file[PATH_SIZE];
    reader r = {.data = data, .file = file, .folder = folder, .first = data->count};
    snprintf(file, sizeof file, "%s/metadata.jsonl", folder);
    bool described = is_file(file);
    vl_status status = described ? read_lines(&r, error) : VL_OK;
    if (!status)
        status = read_statements_beside(&r, error);
    if (!status && data->count == r.first)
        status = vl_fail(error, VL_ERR_MISSING, "%s: %s", folder,
                         described ? "none of the pictures of its metadata.jsonl is there"
                                   : "no metadata.jsonl and no tars in it");
    return status;
}

/* ---- tars -------------------------------------------------------------------------------- */

/* samples.h joins the parts of an answer with ", ". */
static bool split_answer(eval_data *data, const char *joined, eval_question *question) {
    size_t count = 1;
    for (const char *at = joined; (at = strstr(at, ", ")); at += 2)
        count++;
    question->answers = array(data, count, sizeof *question->answers);
    for (const char *at = joined; question->answers && at;) {
        const char *end = strstr(at, ", ");
        size_t bytes = end ? (size_t)(end - at) : strlen(at);
        const char *part = vl_arena_strndup(data->arena, at, bytes);
        if (!part)
            return false;
        question->answers[question->answer_count++] = part;
        at = end ? end + 2 : NULL;
    }
    return question->answers;
}

static bool take_sample(eval_data *data, const sample *from, eval_item *item) {
    item->captions = array(data, from->captions.count, sizeof *item->captions);
    item->questions = array(data, from->questions.count, sizeof *item->questions);
    item->statements = array(data, from->statements.count, sizeof *item->statements);
    item->labels = array(data, from->label_count, sizeof *item->labels);
    if (!item->captions || !item->questions || !item->statements || !item->labels)
        return false;
    for (size_t i = 0; i < from->captions.count; i++) {
        const sample_text *t = &from->captions.items[i];
        if (*t->text)
            item->captions[item->caption_count++] =
                (eval_caption){.language = t->language, .text = t->text};
    }
    for (size_t i = 0; i < from->questions.count; i++) {
        eval_question *question = &item->questions[item->question_count++];
        *question = (eval_question){.text = from->questions.items[i].text};
        if (!split_answer(data, from->questions.items[i].answer, question))
            return false;
    }
    for (size_t i = 0; i < from->statements.count; i++)
        item->statements[item->statement_count++] = (eval_statement){
            .text = from->statements.items[i].text, .truth = from->statements.items[i].truth};
    for (size_t i = 0; i < from->label_count; i++)
        item->labels[item->label_count++] =
            (eval_label){.set = from->labels[i].set, .truth = from->labels[i].label};
    return true;
}

static vl_status read_tars(eval_data *data, const char *path, vl_error *error) {
    samples *set;
    vl_status status = samples_open(path, &set, error);
    if (status)
        return status;
    data->sets[data->set_count++] = set;
    data->missing += samples_missing(set);
    for (size_t i = 0; i < samples_count(set); i++) {
        eval_item *item = add_item(data);
        if (!item || !take_sample(data, samples_at(set, i), item))
            return no_memory(path, error);
        item->name = samples_at(set, i)->name;
        item->set = set;
        item->index = i;
    }
    return VL_OK;
}

/* ---- all of it --------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool has_tars(const char *folder) {
    bool found = false;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && !found && (entry = readdir(dir));)
        found = ends_with(entry->d_name, ".tar");
    if (dir)
        closedir(dir);
    return found;
}

static vl_status read_metadata(eval_data *data, const char *path, vl_error *error) {
    char folder[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    int bytes = slash == path ? 1 : slash ? (int)(slash - path) : 1;
    snprintf(folder, sizeof folder, "%.*s", bytes, slash ? path : ".");
    reader r = {.data = data, .file = path, .folder = folder, .first = data->count};
    vl_status status = read_lines(&r, error);
    if (!status && data->count == r.first)
        status = vl_fail(error, VL_ERR_MISSING, "%s: none of its pictures is there", path);
    return status;
}

/* A folder of tars is one that has no metadata.jsonl of its own. */
static vl_status read_path(eval_data *data, const char *path, vl_error *error) {
    struct stat st;
    char metadata[PATH_SIZE];
    if (strlen(path) + 32 > sizeof metadata)
        return vl_fail(error, VL_ERR_LIMIT, "%.200s…: the path is too long", path);
    if (stat(path, &st))
        return vl_fail(error, VL_ERR_MISSING, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode)) {
        if (ends_with(path, ".jsonl"))
            return read_metadata(data, path, error);
        if (ends_with(path, ".tar"))
            return read_tars(data, path, error);
        return vl_fail(error, VL_ERR_USAGE, "%s: a folder, a .tar or a .jsonl file is needed",
                       path);
    }
    snprintf(metadata, sizeof metadata, "%s/metadata.jsonl", path);
    if (is_file(metadata))
        return read_folder(data, path, error);
    return has_tars(path) ? read_tars(data, path, error) : read_folder(data, path, error);
}

static int by_code(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* `first` comes first, the rest by name. */
static void sort_names(const char **names, size_t count, const char *first) {
    qsort(names, count, sizeof *names, by_code);
    for (size_t i = 1; i < count; i++)
        if (!strcmp(names[i], first)) {
            const char *found = names[i];
            memmove(names + 1, names, i * sizeof *names);
            names[0] = found;
        }
}

static bool note_name(const char **names, size_t *count, size_t max, const char *name) {
    for (size_t i = 0; i < *count; i++)
        if (!strcmp(names[i], name))
            return true;
    if (*count == max)
        return false;
    names[(*count)++] = name;
    return true;
}

static vl_status note_names(eval_data *data, vl_error *error) {
    for (size_t i = 0; i < data->count; i++) {
        const eval_item *item = &data->items[i];
        for (size_t c = 0; c < item->caption_count; c++)
            if (!note_name(data->languages, &data->language_count, EVAL_MAX_LANGUAGES,
                           item->captions[c].language))
                return vl_fail(error, VL_ERR_LIMIT, "captions in more than %d languages",
                               EVAL_MAX_LANGUAGES);
        for (size_t l = 0; l < item->label_count; l++)
            if (!note_name(data->label_sets, &data->label_set_count, EVAL_MAX_SETS,
                           item->labels[l].set))
                return vl_fail(error, VL_ERR_LIMIT, "more than %d sets of labels",
                               EVAL_MAX_SETS);
    }
    sort_names(data->languages, data->language_count, "en");
    sort_names(data->label_sets, data->label_set_count, "scene");
    return VL_OK;
}

vl_status eval_data_open(eval_data *data, const char *const *paths, size_t count,
                         vl_error *error) {
    *data = (eval_data){.arena = vl_arena_new((size_t)4 << 30)};
    if (!data->arena)
        return vl_fail(error, VL_ERR_MEMORY, "no memory");
    if (!count || count > EVAL_MAX_PATHS)
        return vl_fail(error, VL_ERR_USAGE, "%s folders to score", count ? "too many" : "no");
    vl_status status = VL_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = read_path(data, paths[i], error);
    return status ? status : note_names(data, error);
}

void eval_data_deinit(eval_data *data) {
    for (size_t i = 0; i < data->set_count; i++)
        samples_free(data->sets[i]);
    free(data->items);
    vl_arena_free(data->arena);
    *data = (eval_data){0};
}

/* ---- items ------------------------------------------------------------------------------- */

const eval_label *eval_label_of(const eval_item *item, const char *set) {
    for (size_t i = 0; i < item->label_count; i++)
        if (!strcmp(item->labels[i].set, set))
            return &item->labels[i];
    return NULL;
}

static unsigned tasks_of(const eval_item *item) {
    return (item->caption_count ? VL_EVAL_CAPTION | VL_EVAL_RETRIEVAL : 0u) |
           (item->question_count ? VL_EVAL_VQA : 0u) |
           (item->statement_count ? VL_EVAL_STATEMENTS : 0u) |
           (eval_label_of(item, "scene") ? VL_EVAL_SCENE : 0u) |
           (item->label_count ? VL_EVAL_LABELS : 0u);
}

size_t eval_data_choose(eval_data *data, unsigned tasks, size_t limit) {
    size_t chosen = 0;
    for (size_t i = 0; i < data->count; i++) {
        eval_item *item = &data->items[i];
        item->chosen = (tasks_of(item) & tasks) && (!limit || chosen < limit);
        chosen += item->chosen;
    }
    return chosen;
}

unsigned eval_data_tasks(const eval_data *data) {
    unsigned tasks = 0;
    for (size_t i = 0; i < data->count; i++)
        if (data->items[i].chosen)
            tasks |= tasks_of(&data->items[i]);
    return tasks;
}

bool eval_counts(const eval_item *item) {
    return item->chosen && !item->broken;
}

vl_status eval_picture(const eval_item *item, vl_image **image, vl_error *error) {
    *image = NULL;
    vl_buf bytes;
    vl_buf_init(&bytes, MAX_PICTURE);
    vl_media_limits limits = vl_media_limits_default();
    vl_status status = item->path ? vl_file_read(item->path, MAX_PICTURE, &bytes, error)
                                  : samples_read(item->set, item->index, &bytes, error);
    if (!status)
        status = vl_document_first(bytes.data, bytes.len, &limits, image, error);
    vl_buf_deinit(&bytes);
    return status;
}
