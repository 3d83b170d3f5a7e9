/* banks.c — see banks.h: a list of texts, each counted by who uses it, put together anew when
 * the folder changes; what has not changed is taken over. */
#include "serve/banks.h"

#include "align/pairs.h"
#include "dataset/phrases.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MARK_SIZE = 96, PATH_SIZE = 4096 };
static const size_t BUILT_IN_BYTES = (size_t)4 << 20, PHRASE_BYTES = (size_t)1 << 16;
#define BUNDLED "models/bank"
#define PHRASES "phrases"

typedef struct texts {
    vl_bank_texts out; /* first: what others see */
    size_t users;      /* requests, and the list; under the lock */
    char *path;        /* NULL: of no file */
    char mark[MARK_SIZE];
    char digest[VL_SHA256_HEX_SIZE];
    char *bytes; /* the sentences, each with its NUL */
    const char **sentences;
    uint32_t *lines;
    vl_bank *bank;
} texts;

typedef struct list {
    texts *items[VL_BANKS_FILES_MAX];
    size_t count, sentences;
} list;

struct vl_banks {
    const vl_space *space;
    char *folder;
    list built_in;                 /* never changes; indexed when it is first asked for */
    pthread_mutex_t indexing;      /* of a text's `bank` */
    pthread_mutex_t refreshing;    /* one reads at a time */
    char seen[VL_SHA256_HEX_SIZE]; /* of the folder that was read last; under `refreshing` */
    pthread_mutex_t lock;          /* of what is below */
    list now;
    char version[VL_SHA256_HEX_SIZE];
};

/* ---- one file ----------------------------------------------------------------------- */

static void texts_free(texts *t) {
    if (!t)
        return;
    vl_bank_free(t->bank);
    free(t->sentences);
    free(t->lines);
    free(t->bytes);
    free(t->path);
    free(t);
}

static vl_status make_room(texts *t, size_t most, size_t bytes, vl_error *error) {
    t->sentences = calloc(most + 1, sizeof *t->sentences);
    t->lines = calloc(most + 1, sizeof *t->lines);
    t->bytes = malloc(bytes + most + 1);
    return t->sentences && t->lines && t->bytes
               ? VL_OK
               : vl_fail(error, VL_ERR_MEMORY, "no memory for a bank of sentences");
}

/* The sentences stay as they are from now on. */
static vl_status settle_texts(texts *t, vl_error *error) {
    vl_sha256 *hash = vl_sha256_new();
    if (!hash)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for a bank of sentences");
    for (size_t i = 0; i < t->out.count; i++)
        vl_sha256_update(hash, t->sentences[i], strlen(t->sentences[i]) + 1);
    vl_sha256_finish(hash, t->digest);
    t->out.sentences = t->sentences;
    t->out.lines = t->lines;
    return VL_OK;
}

/* Hands the sentences over to the search, once. */
static vl_status index_texts(vl_banks *banks, texts *t, vl_error *error) {
    vl_bank_hit none;
    vl_bank *bank = NULL;
    size_t found;
    vl_status status = VL_OK;
    pthread_mutex_lock(&banks->indexing);
    if (!t->bank)
        status = vl_bank_new(banks->space, t->out.language, t->sentences, t->out.count, &bank,
                             error);
    if (bank) /* the first search makes the index */
        status = vl_bank_search(bank, t->out.language, "", 1, &none, &found, error);
    if (bank && !status)
        t->out.bank = t->bank = bank;
    else
        vl_bank_free(bank);
    pthread_mutex_unlock(&banks->indexing);
    return status;
}

/* Runs of white space to one space, none at either end, into `to`; the bytes written. */
static size_t squeeze(const char *line, size_t length, char *to) {
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        bool space = strchr(" \t\r\v\f", line[i]) && line[i];
        if (!space)
            to[used++] = line[i];
        else if (used && to[used - 1] != ' ')
            to[used++] = ' ';
    }
    used -= used && to[used - 1] == ' ';
    to[used] = '\0';
    return used;
}

static vl_status check_line(const char *line, size_t length, vl_error *error) {
    if (memchr(line, '\0', length) || vl_utf8_valid_prefix(line, length) != length)
        return vl_fail(error, VL_ERR_INPUT, "not UTF-8 text");
    if (length > VL_BANKS_SENTENCE_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "a sentence of %zu bytes; at most %d are allowed",
                       length, VL_BANKS_SENTENCE_MAX);
    return VL_OK;
}

static size_t count_lines(const vl_buf *content) {
    size_t lines = content->len > 0;
    for (size_t i = 0; i < content->len; i++)
        lines += content->data[i] == '\n';
    return lines;
}

static vl_status take_lines(texts *t, const vl_buf *content, vl_error *error) {
    const char *at = content->data, *end = at + content->len;
    char *to = t->bytes;
    for (uint32_t number = 1; at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);
        if (number == 1 && length >= 3 && !memcmp(at, "\xEF\xBB\xBF", 3)) {
            at += 3;
            length -= 3;
        }
        if (check_line(at, length, error))
            return vl_error_prefix(error, "line %u", number);
        size_t used = squeeze(at, length, to);
        if (used && t->out.count == VL_BANKS_SENTENCES_MAX)
            return vl_fail(error, VL_ERR_LIMIT, "more than %d sentences",
                           VL_BANKS_SENTENCES_MAX);
        if (used) {
            t->sentences[t->out.count] = to;
            t->lines[t->out.count++] = number;
            to += used + 1;
        }
        at += length + 1;
    }
    return VL_OK;
}

static vl_status read_texts(texts *t, vl_error *error) {
    vl_buf content;
    vl_buf_init(&content, VL_BANKS_FILE_MAX);
    vl_status status = align_file_read(t->path, &content, error);
    if (!status) {
        status = make_room(t, count_lines(&content), content.len, error);
        if (!status && content.len)
            status = take_lines(t, &content, error);
        if (!status && !t->out.count)
            status = vl_fail(error, VL_ERR_INPUT, "it has no sentence");
        if (!status)
            status = settle_texts(t, error);
        if (status)
            vl_error_prefix(error, "%s", t->path);
    }
    vl_buf_deinit(&content);
    return status;
}

/* ---- a folder ----------------------------------------------------------------------- */

static void mark_of(const struct stat *info, char mark[MARK_SIZE]) {
    snprintf(mark, MARK_SIZE, "%llx.%llx.%llx.%llx.%lx", (unsigned long long)info->st_dev,
             (unsigned long long)info->st_ino, (unsigned long long)info->st_size,
             (unsigned long long)info->st_mtim.tv_sec, (unsigned long)info->st_mtim.tv_nsec);
}

/* "swa" of "sw.txt" and "swh.txt.gz"; false: it is no such name. */
static bool language_of_file(const char *file, char language[VL_LANG_SIZE], bool *known) {
    size_t length = strlen(file);
    char stem[VL_LANG_SIZE];
    if (length > 3 && !strcmp(file + length - 3, ".gz"))
        length -= 3;
    if (file[0] == '.' || length <= 4 || memcmp(file + length - 4, ".txt", 4) != 0)
        return false;
    snprintf(stem, sizeof stem, "%.*s", (int)(length - 4), file);
    snprintf(language, VL_LANG_SIZE, "%s", vl_lang_code(stem));
    *known = length - 4 < sizeof stem && strcmp(vl_lang_name(language), language) != 0;
    return true;
}

static bool is_name(const char *name) {
    size_t length = strlen(name);
    return length && length < VL_BANKS_NAME_SIZE && name[0] != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               length;
}

static int by_name(const void *x, const void *y) {
    const texts *const *a = x, *const *b = y;
    int order = strcmp((*a)->out.name, (*b)->out.name);
    return order ? order : strcmp((*a)->out.language, (*b)->out.language);
}

/* A file that is there, not read yet. */
static vl_status note_file(list *l, const char *path, const char *name, const char *file,
                           vl_error *error) {
    char language[VL_LANG_SIZE];
    bool known = false;
    struct stat info;
    if (!language_of_file(file, language, &known))
        return VL_OK;
    if (!known)
        return vl_fail(error, VL_ERR_INPUT, "%s/%s is named for no language (sw.txt)", path,
                       file);
    if (l->count == VL_BANKS_FILES_MAX)
        return vl_fail(error, VL_ERR_LIMIT, "%s: banks have more than %d files", path,
                       VL_BANKS_FILES_MAX);
    texts *t = calloc(1, sizeof *t);
    size_t size = strlen(path) + strlen(file) + 2;
    if (!t || !(t->path = malloc(size))) {
        free(t);
        return vl_fail(error, VL_ERR_MEMORY, "no memory for banks");
    }
    snprintf(t->path, size, "%s/%s", path, file);
    snprintf(t->out.name, sizeof t->out.name, "%s", name);
    snprintf(t->out.language, sizeof t->out.language, "%s", language);
    t->users = 1;
    l->items[l->count++] = t;
    if (stat(t->path, &info))
        return vl_fail(error, VL_ERR_IO, "%s: %s", t->path, strerror(errno));
    mark_of(&info, t->mark);
    return VL_OK;
}

static vl_status note_bank(list *l, const char *folder, const char *name, vl_error *error) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    DIR *dir = opendir(path);
    vl_status status = VL_OK;
    if (!dir) /* a file beside the banks, or one that is gone */
        return errno == ENOTDIR || errno == ENOENT
                   ? VL_OK
                   : vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    if (!is_name(name))
        status =
            vl_fail(error, VL_ERR_INPUT, "%s: a bank is named by up to %d of A-Z a-z 0-9 . _ -",
                    path, VL_BANKS_NAME_SIZE - 1);
    for (const struct dirent *e; !status && (e = readdir(dir));)
        status = note_file(l, path, name, e->d_name, error);
    closedir(dir);
    return status;
}

/* All files of a folder, by name and language. */
static vl_status note_folder(list *l, const char *folder, vl_error *error) {
    DIR *dir = opendir(folder);
    vl_status status = VL_OK;
    if (!dir)
        return vl_fail(error, errno == ENOENT ? VL_ERR_MISSING : VL_ERR_IO,
                       "the folder of banks %s: %s", folder, strerror(errno));
    for (const struct dirent *e; !status && (e = readdir(dir));)
        if (e->d_name[0] != '.')
            status = note_bank(l, folder, e->d_name, error);
    closedir(dir);
    if (l->count)
        qsort(l->items, l->count, sizeof *l->items, by_name);
    for (size_t i = 1; !status && i < l->count; i++)
        if (!by_name(&l->items[i - 1], &l->items[i]))
            status = vl_fail(error, VL_ERR_INPUT, "%s and %s are the same language",
                             l->items[i - 1]->path, l->items[i]->path);
    return status;
}

static texts *find_same(const list *l, const texts *wanted) {
    for (size_t i = 0; i < l->count; i++)
        if (!strcmp(l->items[i]->path, wanted->path) &&
            !strcmp(l->items[i]->mark, wanted->mark))
            return l->items[i];
    return NULL;
}

/* Those of `now` that have not changed are used, the others read. */
static vl_status fill(vl_banks *banks, list *l, const list *now, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; !status && i < l->count; i++) {
        texts *t = l->items[i];
        texts *had = find_same(now, t);
        if (had) {
            texts_free(t);
            l->items[i] = t = had;
            pthread_mutex_lock(&banks->lock);
            had->users++;
            pthread_mutex_unlock(&banks->lock);
        } else {
            status = read_texts(t, error);
        }
        l->sentences += t->out.count;
        if (!status && l->sentences > VL_BANKS_ALL_MAX)
            status = vl_fail(error, VL_ERR_LIMIT, "%s: banks have more than %d sentences",
                             t->path, VL_BANKS_ALL_MAX);
    }
    return status;
}

static void leave(texts *t) {
    if (t && --t->users == 0)
        texts_free(t);
}

static void leave_list(list *l) {
    for (size_t i = 0; i < l->count; i++)
        leave(l->items[i]);
    *l = (list){.count = 0};
}

/* ---- the phrases of datasets --------------------------------------------------------- */

/* A noun that each topic is asked about: what is not asked of a table is asked of a picture. */
static phrase_noun noun_of(phrase_topic topic) {
    return topic == PHRASE_TITLE                             ? PHRASE_TABLE
           : topic == PHRASE_CRISIS || topic == PHRASE_WORDS ? PHRASE_TEXT
                                                             : PHRASE_PICTURE;
}

/* Whether it can be said as it is: its noun at hand, nothing quoted. */
static bool is_whole(const phrase_pattern *pattern) {
    for (size_t i = 0; i < pattern->use_count; i++)
        if (pattern->uses[i] <= PHRASE_USE_COUNT)
            return false;
    return true;
}

static void take_sentence(texts *t, size_t *used, const char *sentence) {
    size_t length = strlen(sentence);
    if (t->out.count + 1 >= PHRASE_BYTES / 16 || *used + length + 1 > PHRASE_BYTES)
        return;
    t->sentences[t->out.count] = memcpy(t->bytes + *used, sentence, length + 1);
    t->lines[t->out.count] = (uint32_t)t->out.count + 1;
    t->out.count++;
    *used += length + 1;
}

static vl_status take_phrases(texts *t, const phrase_language *language, vl_arena *arena,
                              vl_error *error) {
    size_t used = 0;
    for (size_t i = 0; i < language->crises.count; i++)
        take_sentence(t, &used, language->crises.items[i].name);
    for (phrase_topic topic = 0; topic < PHRASE_TOPIC_COUNT; topic++)
        for (phrase_style style = 0; style < PHRASE_FORM; style++)
            for (size_t i = 0; i < language->phrasings[topic][style].count; i++) {
                const phrase_pattern *pattern = &language->phrasings[topic][style].patterns[i];
                const char *sentence;
                if (!is_whole(pattern))
                    continue;
                if (phrases_fill(language, pattern, &(phrase_values){.noun = noun_of(topic)},
                                 arena, &sentence, error))
                    return error->status;
                take_sentence(t, &used, sentence);
            }
    return VL_OK;
}

static vl_status phrase_texts(const phrase_language *language, vl_arena *arena, texts **out,
                              vl_error *error) {
    texts *t = *out = calloc(1, sizeof *t);
    if (!t)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for banks");
    t->users = 1;
    snprintf(t->out.name, sizeof t->out.name, PHRASES);
    snprintf(t->out.language, sizeof t->out.language, "%s", language->code);
    vl_status status = make_room(t, PHRASE_BYTES / 16, PHRASE_BYTES, error);
    if (!status)
        status = take_phrases(t, language, arena, error);
    return status ? status : settle_texts(t, error);
}

static vl_status add_phrases(list *l, vl_error *error) {
    phrases *all = NULL;
    vl_arena *arena = vl_arena_new(BUILT_IN_BYTES);
    vl_status status = arena ? phrases_open(NULL, &all, error)
                             : vl_fail(error, VL_ERR_MEMORY, "no memory for banks");
    for (size_t i = 0; !status && i < phrases_count(all) && l->count < VL_BANKS_FILES_MAX;
         i++) {
        status = phrase_texts(phrases_language(all, i), arena, &l->items[l->count], error);
        if (l->items[l->count])
            l->sentences += l->items[l->count++]->out.count;
        vl_arena_reset(arena);
    }
    phrases_free(all);
    vl_arena_free(arena);
    return status;
}

/* ---- all of them --------------------------------------------------------------------- */

/* What is bundled: the files, when they are there, then the phrases. */
static vl_status open_built_in(vl_banks *banks, vl_error *error) {
    char folder[PATH_SIZE];
    static const list none;
    struct stat info;
    snprintf(folder, sizeof folder, "%s/" BUNDLED, vl_data_dir());
    vl_status status = VL_OK;
    if (!stat(folder, &info)) {
        status = note_folder(&banks->built_in, folder, error);
        if (!status)
            status = fill(banks, &banks->built_in, &none, error);
    }
    return status ? status : add_phrases(&banks->built_in, error);
}

static vl_status hash_marks(const list *l, char out[VL_SHA256_HEX_SIZE], vl_error *error) {
    vl_sha256 *hash = vl_sha256_new();
    if (!hash)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for banks");
    for (size_t i = 0; i < l->count; i++) {
        vl_sha256_update(hash, l->items[i]->path, strlen(l->items[i]->path) + 1);
        vl_sha256_update(hash, l->items[i]->mark, strlen(l->items[i]->mark) + 1);
    }
    vl_sha256_finish(hash, out);
    return VL_OK;
}

static void hash_list(vl_sha256 *hash, const list *l) {
    for (size_t i = 0; i < l->count; i++) {
        const char *parts[] = {l->items[i]->out.name, l->items[i]->out.language,
                               l->items[i]->digest};
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
            vl_sha256_update(hash, parts[k], strlen(parts[k]) + 1);
    }
}

/* A name of the folder may not stand for a bundled bank too: a request would not know which. */
static vl_status check_names(const vl_banks *banks, const list *l, vl_error *error) {
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; k < banks->built_in.count; k++)
            if (!strcmp(l->items[i]->out.name, banks->built_in.items[k]->out.name))
                return vl_fail(error, VL_ERR_INPUT, "%s: a bank that is bundled is called %s",
                               l->items[i]->path, l->items[i]->out.name);
    return VL_OK;
}

/* The folder as it is now in place of what was read before; nothing when it has not changed. */
static vl_status read_folder(vl_banks *banks, bool *changed, vl_error *error) {
    list fresh = {.count = 0};
    char seen[VL_SHA256_HEX_SIZE];
    vl_sha256 *version = NULL;
    *changed = false;
    vl_status status = *banks->folder ? note_folder(&fresh, banks->folder, error) : VL_OK;
    if (!status)
        status = hash_marks(&fresh, seen, error);
    if (!status && !strcmp(seen, banks->seen)) {
        leave_list(&fresh);
        return VL_OK;
    }
    /* Before it is read: what comes after is another. */
    snprintf(banks->seen, sizeof banks->seen, "%s", status ? "" : seen);
    if (!status)
        status = check_names(banks, &fresh, error);
    if (!status) /* nobody but this thread changes what is there now */
        status = fill(banks, &fresh, &banks->now, error);
    for (size_t i = 0; i < fresh.count && !status; i++)
        status = index_texts(banks, fresh.items[i], error);
    if (!status && !(version = vl_sha256_new()))
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for banks");
    pthread_mutex_lock(&banks->lock);
    if (!status) {
        hash_list(version, &banks->built_in);
        hash_list(version, &fresh);
        vl_sha256_finish(version, banks->version);
        list now = banks->now;
        banks->now = fresh;
        fresh = now;
        *changed = true;
    }
    leave_list(&fresh);
    pthread_mutex_unlock(&banks->lock);
    return status;
}

vl_status vl_banks_open(const vl_space *space, const char *folder, vl_banks **out,
                        vl_error *error) {
    vl_banks *banks = calloc(1, sizeof *banks);
    bool changed;
    *out = NULL;
    if (!banks)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for banks");
    pthread_mutex_init(&banks->lock, NULL);
    pthread_mutex_init(&banks->indexing, NULL);
    pthread_mutex_init(&banks->refreshing, NULL);
    banks->space = space;
    banks->folder = strdup(folder);
    vl_status status = banks->folder ? open_built_in(banks, error)
                                     : vl_fail(error, VL_ERR_MEMORY, "no memory for banks");
    if (!status)
        status = read_folder(banks, &changed, error);
    if (status)
        vl_banks_free(banks);
    else
        *out = banks;
    return status;
}

void vl_banks_free(vl_banks *banks) {
    if (!banks)
        return;
    leave_list(&banks->now);
    leave_list(&banks->built_in);
    pthread_mutex_destroy(&banks->lock);
    pthread_mutex_destroy(&banks->indexing);
    pthread_mutex_destroy(&banks->refreshing);
    free(banks->folder);
    free(banks);
}

void vl_banks_refresh(vl_banks *banks) {
    vl_error why;
    bool changed = false;
    pthread_mutex_lock(&banks->refreshing);
    char before[VL_SHA256_HEX_SIZE];
    strcpy(before, banks->seen);
    vl_status status = read_folder(banks, &changed, &why);
    bool is_new = strcmp(before, banks->seen) != 0;
    pthread_mutex_unlock(&banks->refreshing);
    if (status && is_new)
        vl_log(VL_LOG_WARN, "the new banks cannot be used; those before are",
               VL_F_STR("folder", banks->folder), VL_F_STR("reason", why.message));
    else if (changed)
        vl_log(VL_LOG_INFO, "banks replaced", VL_F_STR("folder", banks->folder),
               VL_F_INT("sentences", (int64_t)vl_banks_sentences(banks)));
}

/* ---- use ------------------------------------------------------------------------------ */

void vl_banks_warm(vl_banks *banks, const atomic_bool *stop) {
    for (size_t i = 0; i < banks->built_in.count && !atomic_load(stop); i++)
        index_texts(banks, banks->built_in.items[i], NULL);
}

void vl_banks_version(vl_banks *banks, char out[VL_SHA256_HEX_SIZE]) {
    pthread_mutex_lock(&banks->lock);
    memcpy(out, banks->version, VL_SHA256_HEX_SIZE);
    pthread_mutex_unlock(&banks->lock);
}

static size_t enter_list(list *l, const char *name, const char *language,
                         const vl_bank_texts **out, size_t count) {
    for (size_t i = 0; i < l->count && count < VL_BANKS_OF_LANGUAGE_MAX; i++) {
        texts *t = l->items[i];
        if (strcmp(t->out.language, language) != 0 || (name && strcmp(t->out.name, name) != 0))
            continue;
        t->users++;
        out[count++] = &t->out;
    }
    return count;
}

size_t vl_banks_enter(vl_banks *banks, const char *name, const char *language,
                      const vl_bank_texts **out) {
    pthread_mutex_lock(&banks->lock);
    size_t count = enter_list(&banks->built_in, name, language, out, 0);
    count = enter_list(&banks->now, name, language, out, count);
    pthread_mutex_unlock(&banks->lock);
    size_t ready = 0;
    for (size_t i = 0; i < count; i++) {
        if (index_texts(banks, (texts *)out[i], NULL))
            vl_banks_leave(banks, &out[i], 1); /* no memory now; perhaps the next time */
        else
            out[ready++] = out[i];
    }
    return ready;
}

void vl_banks_leave(vl_banks *banks, const vl_bank_texts *const *entered, size_t count) {
    pthread_mutex_lock(&banks->lock);
    for (size_t i = 0; i < count; i++)
        leave((texts *)entered[i]);
    pthread_mutex_unlock(&banks->lock);
}

/* Names with the built-in ones first; each as often as it has languages. Under the lock. */
static size_t list_names(const vl_banks *banks, const char **names) {
    size_t count = 0;
    for (size_t i = 0; i < banks->built_in.count; i++)
        names[count++] = banks->built_in.items[i]->out.name;
    for (size_t i = 0; i < banks->now.count; i++)
        names[count++] = banks->now.items[i]->out.name;
    return count;
}

bool vl_banks_has(vl_banks *banks, const char *name) {
    const char *names[2 * VL_BANKS_FILES_MAX];
    bool has = false;
    pthread_mutex_lock(&banks->lock);
    for (size_t i = 0, count = list_names(banks, names); i < count && !has; i++)
        has = !strcmp(names[i], name);
    pthread_mutex_unlock(&banks->lock);
    return has;
}

void vl_banks_nearest(vl_banks *banks, const char *name, char out[VL_BANKS_NAME_SIZE]) {
    const char *names[2 * VL_BANKS_FILES_MAX];
    pthread_mutex_lock(&banks->lock);
    const char *nearest = vl_nearest_name(name, names, list_names(banks, names));
    snprintf(out, VL_BANKS_NAME_SIZE, "%s", nearest ? nearest : "");
    pthread_mutex_unlock(&banks->lock);
}

size_t vl_banks_sentences(vl_banks *banks) {
    pthread_mutex_lock(&banks->lock);
    size_t count = banks->built_in.sentences + banks->now.sentences;
    pthread_mutex_unlock(&banks->lock);
    return count;
}
