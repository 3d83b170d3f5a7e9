/* samples.c — reads imagefolders and WebDataset tars (samples.h says what is in them).
 *
 * Only metadata is kept in memory; pictures are read when they are asked for, files by name,
 * tar members by offset from the mapped shard. */
#include "train/samples.h"

#include <cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_METADATA = 1 << 30, MAX_PICTURE = 64 << 20, MAX_SHARDS = 4096 };

typedef struct shard {
    char *path;
    const unsigned char *data;
    size_t bytes;
} shard;

struct samples {
    vl_arena *arena;
    char *folder;
    sample *items;
    size_t count, capacity, missing;
    shard shards[MAX_SHARDS];
    size_t shard_count;
};

/* ---- metadata ----------------------------------------------------------------------- */

static const char *keep(samples *set, const cJSON *text) {
    const char *value = cJSON_GetStringValue(text);
    return value ? vl_arena_strdup(set->arena, value) : NULL;
}

static size_t size_of(const cJSON *array) {
    return cJSON_IsArray(array) ? (size_t)cJSON_GetArraySize(array) : 0;
}

/* What keeps `root` from being read as samples.h says, or NULL. */
static const char *shape_problem(const cJSON *root) {
    static const char *const lists[] = {"qa", "statements", "derived_qa", "derived_statements"};
    const cJSON *captions = cJSON_GetObjectItem(root, "captions"), *each;
    if (!cJSON_IsObject(root))
        return "not a JSON object";
    if (captions && !cJSON_IsObject(captions))
        return "\"captions\" is not {\"language\": [\"text\", …]}";
    cJSON_ArrayForEach(each, captions) {
        if (!cJSON_IsArray(each))
            return "\"captions\" is not {\"language\": [\"text\", …]}";
    }
    each = cJSON_GetObjectItem(root, "labels");
    if (each && !cJSON_IsObject(each))
        return "\"labels\" is not {\"set\": \"label\"}";
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        each = cJSON_GetObjectItem(root, lists[i]);
        if (each && !cJSON_IsArray(each))
            return "\"qa\" or \"statements\" is not a list";
    }
    return NULL;
}

static void read_captions(samples *set, const cJSON *captions, sample_texts *out) {
    size_t count = 0;
    const cJSON *language, *caption;
    cJSON_ArrayForEach(language, captions) count += size_of(language);
    out->items = vl_arena_array(set->arena, count, sizeof *out->items);
    if (!out->items)
        return;
    cJSON_ArrayForEach(language, captions) {
        const char *code = vl_arena_strdup(set->arena, language->string);
        cJSON_ArrayForEach(caption, language) {
            const char *text = keep(set, caption);
            if (text && out->count < count)
                out->items[out->count++] = (sample_text){.language = code, .text = text};
        }
    }
}

/* Answers of several parts are written "book, tape, scissors". */
static const char *join_answer(samples *set, const cJSON *answer) {
    if (cJSON_IsString(answer))
        return keep(set, answer);
    if (size_of(answer) == 1)
        return keep(set, answer->child);
    char joined[512];
    size_t used = 0;
    const cJSON *part;
    cJSON_ArrayForEach(part, answer) {
        const char *text = cJSON_GetStringValue(part);
        if (!text || used + strlen(text) + 3 > sizeof joined)
            return NULL;
        used += (size_t)snprintf(joined + used, sizeof joined - used, "%s%s", used ? ", " : "",
                                 text);
    }
    return used ? vl_arena_strdup(set->arena, joined) : NULL;
}

static void read_pairs(samples *set, const cJSON *list, bool questions, sample_texts *out) {
    out->items = vl_arena_array(set->arena, size_of(list), sizeof *out->items);
    const cJSON *entry;
    cJSON_ArrayForEach(entry, list) {
        sample_text text = {
            .text = keep(set, cJSON_GetObjectItem(entry, questions ? "question" : "statement")),
            .answer = questions ? join_answer(set, cJSON_GetObjectItem(entry, "answer")) : NULL,
            .truth = cJSON_IsTrue(cJSON_GetObjectItem(entry, "true")),
        };
        if (out->items && text.text && (!questions || text.answer))
            out->items[out->count++] = text;
    }
}

static void read_labels(samples *set, const cJSON *labels, sample *out) {
    out->labels = vl_arena_array(set->arena, size_of(labels) + 16, sizeof *out->labels);
    const cJSON *label;
    cJSON_ArrayForEach(label, labels) {
        char number[32];
        const char *text = cJSON_GetStringValue(label);
        if (cJSON_IsNumber(label)) { /* orientation: 90 */
            snprintf(number, sizeof number, "%g", label->valuedouble);
            text = number;
        }
        if (out->labels && text && out->label_count < 16)
            out->labels[out->label_count++] = (sample_label){
                vl_arena_strdup(set->arena, label->string), vl_arena_strdup(set->arena, text)};
    }
}

/* What is said of the picture of a line. */
static void read_line_text(samples *set, const cJSON *root, sample *out) {
    static const char *const about[] = {"script", "language", "font"};
    out->text = keep(set, cJSON_GetObjectItem(root, "text"));
    for (size_t i = 0; out->text && out->labels && i < sizeof about / sizeof *about; i++) {
        const char *value = keep(set, cJSON_GetObjectItem(root, about[i]));
        if (value && out->label_count < 16)
            out->labels[out->label_count++] = (sample_label){about[i], value};
    }
}

static sample *add_sample(samples *set) {
    if (set->count == set->capacity) {
        size_t capacity = set->capacity ? set->capacity * 2 : 1024;
        sample *items = realloc(set->items, capacity * sizeof *items);
        if (!items)
            return NULL;
        set->items = items;
        set->capacity = capacity;
    }
    sample *item = &set->items[set->count++];
    *item = (sample){0};
    return item;
}

static void read_entry(samples *set, const cJSON *root, sample *item) {
    read_captions(set, cJSON_GetObjectItem(root, "captions"), &item->captions);
    read_pairs(set, cJSON_GetObjectItem(root, "qa"), true, &item->questions);
    read_pairs(set, cJSON_GetObjectItem(root, "statements"), false, &item->statements);
    read_pairs(set, cJSON_GetObjectItem(root, "derived_qa"), true, &item->derived_questions);
    read_pairs(set, cJSON_GetObjectItem(root, "derived_statements"), false,
               &item->derived_statements);
    read_labels(set, cJSON_GetObjectItem(root, "labels"), item);
    read_line_text(set, root, item);
}

/* ---- folders ------------------------------------------------------------------------ */

static bool is_plain_name(const char *name) {
    return name && *name && name[0] != '/' && !strstr(name, "..");
}

static vl_status read_line(samples *set, const char *line, size_t bytes, size_t number,
                           vl_error *error) {
    cJSON *root = cJSON_ParseWithLength(line, bytes);
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(root, "file_name"));
    const char *problem = root ? shape_problem(root) : "not JSON";
    vl_status status = VL_OK;
    char path[4096];
    struct stat st;
    if (!problem && !is_plain_name(name))
        problem = "\"file_name\" is missing or leaves the folder";
    if (problem) {
        status = vl_fail(error, VL_ERR_INPUT, "%s/metadata.jsonl:%zu: %s", set->folder, number,
                         problem);
    } else if (snprintf(path, sizeof path, "%s/%s", set->folder, name) >= (int)sizeof path ||
               stat(path, &st) || !S_ISREG(st.st_mode)) {
        set->missing++;
        vl_log(VL_LOG_WARN, "picture is missing; left out", VL_F_STR("file", path));
    } else {
        sample *item = add_sample(set);
        if (item) {
            item->name = vl_arena_strdup(set->arena, name);
            read_entry(set, root, item);
        }
        if (!item || !item->name)
            status =
                vl_fail(error, VL_ERR_MEMORY, "%s: no memory for its metadata", set->folder);
    }
    cJSON_Delete(root);
    return status;
}

static bool is_blank(const char *line, size_t bytes) {
    size_t i = 0;
    while (i < bytes && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r'))
        i++;
    return i == bytes;
}

static vl_status read_folder(samples *set, vl_error *error) {
    char path[4096];
    snprintf(path, sizeof path, "%s/metadata.jsonl", set->folder);
    if (access(path, F_OK) != 0)
        return vl_fail(error, VL_ERR_MISSING, "%s: neither metadata.jsonl nor .tar files in it",
                       set->folder);
    vl_buf text;
    vl_buf_init(&text, MAX_METADATA);
    vl_status status = vl_file_read(path, MAX_METADATA, &text, error);
    size_t number = 0;
    for (size_t at = 0; !status && at < text.len; number++) {
        const char *line = text.data + at, *end = memchr(line, '\n', text.len - at);
        size_t bytes = end ? (size_t)(end - line) : text.len - at;
        if (!is_blank(line, bytes))
            status = read_line(set, line, bytes, number + 1, error);
        at += bytes + 1;
    }
    vl_buf_deinit(&text);
    return status;
}

/* ---- tars (POSIX ustar; longer names are refused) ----------------------------------- */

static bool read_octal(const unsigned char *text, size_t bytes, size_t *value) {
    *value = 0;
    size_t i = 0;
    while (i < bytes && text[i] == ' ')
        i++;
    for (; i < bytes && text[i] >= '0' && text[i] <= '7'; i++)
        *value = *value * 8 + (size_t)(text[i] - '0');
    return i == bytes || text[i] == 0 || text[i] == ' ';
}

/* Sum of the header's bytes, its own field taken as spaces (POSIX.1-1988, 10.1.1). */
static bool is_whole(const unsigned char *header) {
    size_t sum = 0, said;
    for (size_t i = 0; i < 512; i++)
        sum += i >= 148 && i < 156 ? ' ' : header[i];
    return memcmp(header + 257, "ustar", 5) == 0 && read_octal(header + 148, 8, &said) &&
           said == sum;
}

/* A pax header (POSIX.1-2001) that gives the next member another name. */
static bool renames(const unsigned char *records, size_t bytes) {
    return memmem(records, bytes, " path=", 6) != NULL;
}

static vl_status map_shard(samples *set, const char *path, vl_error *error) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        if (fd >= 0)
            close(fd);
        return vl_fail(error, VL_ERR_MISSING, "%s: %s", path, strerror(errno));
    }
    void *data =
        st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    close(fd);
    if (data == MAP_FAILED)
        return vl_fail(error, VL_ERR_INPUT, "%s: empty, or cannot be mapped", path);
    set->shards[set->shard_count++] =
        (shard){vl_arena_strdup(set->arena, path), data, (size_t)st.st_size};
    return VL_OK;
}

/* A member joins the sample before it when the key is the same. */
static vl_status add_member(samples *set, size_t index, const char *name, size_t offset,
                            size_t bytes, vl_error *error) {
    const shard *s = &set->shards[index];
    const char *slash = strrchr(name, '/'), *dot = strchr(slash ? slash : name, '.');
    size_t key = dot ? (size_t)(dot - name) : 0;
    if (!key)
        return VL_OK;
    sample *item = set->count ? &set->items[set->count - 1] : NULL;
    if (!item || item->shard != index || strlen(item->name) != key ||
        memcmp(item->name, name, key) != 0) {
        item = add_sample(set);
        if (!item || !(item->name = vl_arena_strndup(set->arena, name, key)))
            return vl_fail(error, VL_ERR_MEMORY, "%s: no memory for its index", s->path);
        item->shard = index;
    }
    if (strcmp(dot, ".json") == 0) {
        cJSON *root = cJSON_ParseWithLength((const char *)s->data + offset, bytes);
        const char *problem = root ? shape_problem(root) : "not JSON";
        vl_status status = VL_OK;
        if (problem)
            status = vl_fail(error, VL_ERR_INPUT, "%s: %s at byte %zu: %s", s->path, name,
                             offset, problem);
        else
            read_entry(set, root, item);
        cJSON_Delete(root);
        return status;
    } else if (!strcmp(dot, ".jpg") || !strcmp(dot, ".jpeg") || !strcmp(dot, ".png") ||
               !strcmp(dot, ".webp")) {
        item->offset = offset;
        item->bytes = bytes;
    }
    return VL_OK;
}

static vl_status read_shard(samples *set, const char *path, vl_error *error) {
    if (set->shard_count == MAX_SHARDS)
        return vl_fail(error, VL_ERR_LIMIT, "%s: more than %d shards", path, MAX_SHARDS);
    vl_status status = map_shard(set, path, error);
    if (status)
        return status;
    size_t index = set->shard_count - 1, at = 0;
    const shard *s = &set->shards[index];
    while (!status && at + 512 <= s->bytes && s->data[at]) {
        const unsigned char *header = s->data + at;
        char name[101] = {0};
        size_t bytes;
        memcpy(name, header, 100);
        if (!is_whole(header) || !read_octal(header + 124, 12, &bytes) ||
            bytes > s->bytes - at - 512)
            return vl_fail(error, VL_ERR_INPUT, "%s: broken tar header at byte %zu", path, at);
        char type = (char)header[156];
        if (type == 'L' || (type == 'x' && renames(header + 512, bytes)))
            return vl_fail(error, VL_ERR_UNSUPPORTED, "%s: long names (byte %zu) are not read",
                           path, at);
        if (type == '0' || type == '\0')
            status = add_member(set, index, name, at + 512, bytes, error);
        at += 512 + (bytes + 511) / 512 * 512;
    }
    return status;
}

static void drop_without_picture(samples *set) {
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i].bytes)
            set->items[kept++] = set->items[i];
        else
            vl_log(VL_LOG_WARN, "picture is missing; left out",
                   VL_F_STR("file", set->shards[set->items[i].shard].path),
                   VL_F_STR("sample", set->items[i].name));
    set->missing += set->count - kept;
    set->count = kept;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Tars of a folder, by name; 0 when there are none. */
static vl_status read_shards(samples *set, const char *folder, size_t *found, vl_error *error) {
    DIR *dir = opendir(folder);
    char **names = vl_arena_array(set->arena, MAX_SHARDS, sizeof *names);
    *found = 0;
    for (struct dirent *entry; dir && names && (entry = readdir(dir));)
        if (ends_with(entry->d_name, ".tar") && *found < MAX_SHARDS)
            names[(*found)++] = vl_arena_printf(set->arena, "%s/%s", folder, entry->d_name);
    if (dir)
        closedir(dir);
    vl_status status = VL_OK;
    if (names && *found)
        qsort(names, *found, sizeof *names, by_name);
    for (size_t i = 0; i < *found && !status; i++)
        status = read_shard(set, names[i], error);
    return status;
}

/* ---- the set ------------------------------------------------------------------------ */

vl_status samples_open(const char *path, samples **out, vl_error *error) {
    *out = NULL;
    samples *set = calloc(1, sizeof *set);
    if (!set || !(set->arena = vl_arena_new((size_t)4 << 30))) {
        free(set);
        return vl_fail(error, VL_ERR_MEMORY, "%s: no memory", path);
    }
    set->folder = vl_arena_strdup(set->arena, path);
    struct stat st;
    vl_status status = VL_OK;
    size_t shards = 0;
    if (stat(path, &st)) {
        status = vl_fail(error, VL_ERR_MISSING, "%s: %s", path, strerror(errno));
    } else if (!S_ISDIR(st.st_mode)) {
        status = read_shard(set, path, error);
        shards = 1;
    } else {
        status = read_shards(set, path, &shards, error);
        if (!status && !shards)
            status = read_folder(set, error);
    }
    if (!status && shards)
        drop_without_picture(set);
    if (!status && !set->count)
        status = vl_fail(error, VL_ERR_MISSING, "%s: no picture in it", path);
    if (status)
        samples_free(set);
    else
        *out = set;
    return status;
}

void samples_free(samples *set) {
    if (!set)
        return;
    for (size_t i = 0; i < set->shard_count; i++)
        munmap((void *)(uintptr_t)set->shards[i].data, set->shards[i].bytes);
    free(set->items);
    vl_arena_free(set->arena);
    free(set);
}

size_t samples_count(const samples *set) {
    return set->count;
}

size_t samples_missing(const samples *set) {
    return set->missing;
}

const char *samples_label(const sample *item, const char *set) {
    for (size_t i = 0; i < item->label_count; i++)
        if (!strcmp(item->labels[i].set, set))
            return item->labels[i].label;
    return NULL;
}

const sample *samples_at(const samples *set, size_t index) {
    return &set->items[index];
}

vl_status samples_read(const samples *set, size_t index, vl_buf *bytes, vl_error *error) {
    const sample *item = &set->items[index];
    if (item->bytes) {
        vl_buf_append(bytes, set->shards[item->shard].data + item->offset, item->bytes);
        return vl_buf_status(bytes, item->name, error);
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", set->folder, item->name);
    return vl_file_read(path, MAX_PICTURE, bytes, error);
}
