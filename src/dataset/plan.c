/* plan.c — see plan.h. */
#include "dataset/plan.h"

#include "dataset/folder.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAN_INDEX FOLDER_WORK "/plan.index"
enum { RECORD_MAX = 16 << 20, RECORD_DOCUMENTS_MAX = 4096 };

/* The index: this, then an entry a record and one more at the end. In the byte order of the
 * machine: it lives as long as the build. */
typedef struct index_head {
    char magic[8];
    uint64_t records, documents, bytes;
} index_head;
typedef struct index_entry {
    uint64_t line;  /* where the record's line begins */
    uint64_t bytes; /* of documents before it */
} index_entry;
static const char magic[8] = "vlplan1";

struct plan {
    FILE *lines;
    void *map;
    size_t map_bytes;
    const index_head *head;
    const index_entry *entries;
    size_t *starts; /* [chunks + 1]: the first record of each */
    size_t chunks;
};

/* ---- making --------------------------------------------------------------------------------
 */

typedef struct making {
    vl_file_writer *lines, *index;
    const char *collection;
    cJSON *record; /* that is being gathered; NULL: none */
    uint64_t record_bytes, written;
    index_head head;
} making;

static vl_status put_entry(making *m, vl_error *error) {
    index_entry entry = {m->written, m->head.bytes};
    return vl_file_writer_put(m->index, &entry, sizeof entry, error);
}

static vl_status end_record(making *m, vl_error *error) {
    if (!m->record)
        return VL_OK;
    char *text = cJSON_PrintUnformatted(m->record);
    size_t length = text ? strlen(text) : 0;
    vl_status status =
        text ? put_entry(m, error) : vl_fail(error, VL_ERR_MEMORY, "no memory for the plan");
    if (!status)
        status = vl_file_writer_put(m->lines, text, length, error);
    if (!status)
        status = vl_file_writer_put(m->lines, "\n", 1, error);
    cJSON_free(text);
    cJSON_Delete(m->record);
    m->record = NULL;
    m->written += length + 1;
    m->head.bytes += m->record_bytes;
    m->head.records++;
    m->record_bytes = 0;
    return status;
}

static const char *record_name(const cJSON *record) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, "record"));
}

static cJSON *document_json(const vl_build_document *from) {
    cJSON *to = cJSON_CreateObject();
    cJSON_AddNumberToObject(to, "id", (double)from->id);
    cJSON_AddStringToObject(to, "file", from->file);
    cJSON_AddStringToObject(to, "sha256", from->sha256);
    cJSON_AddStringToObject(to, "path", from->path);
    cJSON_AddStringToObject(to, "type", from->type);
    cJSON_AddStringToObject(to, "language", from->language);
    cJSON_AddStringToObject(to, "disaster", from->disaster);
    cJSON_AddBoolToObject(to, "current", from->current);
    cJSON_AddRawToObject(to, "provenance", from->provenance);
    return to;
}

static bool is_current(const cJSON *document) {
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(document, "current"));
}

/* Where the document goes: behind what stood in its file before it. Of that only the last is
 * kept. */
static int place_of(cJSON *list, const vl_build_document *document) {
    int place = 0;
    for (cJSON *there = list->child; there; there = there->next, place++) {
        const char *file = cJSON_GetStringValue(cJSON_GetObjectItem(there, "file"));
        if (strcmp(file, document->file) != 0 || is_current(there))
            continue;
        if (!document->current)
            cJSON_DeleteItemFromArray(list, place);
        return document->current ? place + 1 : place;
    }
    return cJSON_GetArraySize(list);
}

static vl_status take_document(const vl_build_document *document, void *to, vl_error *error) {
    making *m = to;
    struct stat about;
    vl_status status = vl_stop_check(error);
    if (!status && m->record && strcmp(record_name(m->record), document->record) != 0)
        status = end_record(m, error);
    if (!status && !m->record) {
        m->record = cJSON_CreateObject();
        cJSON_AddStringToObject(m->record, "record", document->record);
        cJSON_AddStringToObject(m->record, "collection", m->collection);
        cJSON_AddArrayToObject(m->record, "documents");
    }
    cJSON *list = cJSON_GetObjectItemCaseSensitive(m->record, "documents");
    if (!status && stat(document->path, &about) != 0)
        return vl_fail(error, VL_ERR_INPUT, "%s: %s (the collection is damaged)",
                       document->path, strerror(errno));
    if (!status) {
        int place = place_of(list, document);
        if (place >= RECORD_DOCUMENTS_MAX)
            return vl_fail(error, VL_ERR_LIMIT, "%.200s: a record of more than %d documents",
                           document->record, RECORD_DOCUMENTS_MAX);
        cJSON_InsertItemInArray(list, place, document_json(document));
        m->record_bytes += (uint64_t)about.st_size;
        m->head.documents++;
    }
    return status;
}

static vl_status take_collection(making *m, const build_recipe *recipe,
                                 const vl_build_options *options, const char *collection,
                                 vl_error *error) {
    vl_build_query query = {
        .collection = collection, .since = recipe->since, .until = recipe->until};
    vl_buf sources, formats;
    vl_buf_init(&sources, 1 << 16);
    vl_buf_init(&formats, 1 << 16);
    for (size_t i = 0; i < recipe->sources.count; i++)
        vl_buf_printf(&sources, "%s%s", i ? "," : "", recipe->sources.items[i]);
    for (size_t i = 0; i < recipe->formats.count; i++)
        vl_buf_printf(&formats, "%s%s", i ? "," : "", recipe->formats.items[i]);
    query.sources = sources.data ? sources.data : "";
    query.formats = formats.data ? formats.data : "";
    m->collection = collection;
    vl_status status = vl_buf_status(&sources, "the list of sources", error);
    if (!status)
        status = options->documents(&query, take_document, m, options->user, error);
    if (!status)
        status = end_record(m, error);
    vl_buf_deinit(&sources);
    vl_buf_deinit(&formats);
    return status;
}

vl_status plan_make(const build_recipe *recipe, const vl_build_options *options,
                    vl_error *error) {
    making m = {0};
    char lines[FOLDER_PATH_SIZE], index[FOLDER_PATH_SIZE];
    memcpy(m.head.magic, magic, sizeof magic);
    vl_status status = folder_path(options->folder, FOLDER_PLAN, lines, error);
    if (!status)
        status = folder_path(options->folder, PLAN_INDEX, index, error);
    if (!status)
        status = vl_file_writer_open(lines, &m.lines, error);
    if (!status)
        status = vl_file_writer_open(index, &m.index, error);
    for (size_t i = 0; !status && i < recipe->collections.count; i++)
        status = take_collection(&m, recipe, options, recipe->collections.items[i], error);
    if (!status && !m.head.records)
        status = vl_fail(error, VL_ERR_INPUT,
                         "the collections have no documents that the recipe asks for (sources, "
                         "formats, since, until)");
    if (!status)
        status = put_entry(&m, error);
    if (!status)
        status = vl_file_writer_put(m.index, &m.head, sizeof m.head, error);
    if (!status) {
        status = vl_file_writer_commit(m.lines, error);
        m.lines = NULL;
    }
    if (!status) {
        status = vl_file_writer_commit(m.index, error);
        m.index = NULL;
    }
    cJSON_Delete(m.record);
    vl_file_writer_abandon(m.lines);
    vl_file_writer_abandon(m.index);
    return status;
}

/* ---- reading -------------------------------------------------------------------------------
 */

bool plan_is_there(const char *folder) {
    char path[FOLDER_PATH_SIZE];
    vl_error ignored;
    return !folder_path(folder, PLAN_INDEX, path, &ignored) && !access(path, R_OK);
}

static vl_status map_index(plan *p, const char *path, vl_error *error) {
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &about) != 0) {
        vl_status status = vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
        if (file >= 0)
            close(file);
        return status;
    }
    p->map_bytes = (size_t)about.st_size;
    p->map = mmap(NULL, p->map_bytes ? p->map_bytes : 1, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (p->map == MAP_FAILED) {
        p->map = NULL;
        return vl_fail(error, VL_ERR_IO, "%s: %s", path, strerror(errno));
    }
    size_t entries =
        p->map_bytes / sizeof(index_entry) - sizeof(index_head) / sizeof(index_entry);
    p->entries = p->map;
    p->head = (const index_head *)(const void *)((const char *)p->map + p->map_bytes -
                                                 sizeof(index_head));
    if (p->map_bytes < sizeof(index_head) + sizeof(index_entry) ||
        p->map_bytes % sizeof(index_entry) != 0 || memcmp(p->head->magic, magic, 8) != 0 ||
        p->head->records + 1 != entries)
        return vl_fail(error, VL_ERR_INPUT,
                       "%s: damaged, or of another version; begin anew in another folder",
                       path);
    return VL_OK;
}

static uint64_t most(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* The same for everybody who reads the same index. */
static vl_status cut_chunks(plan *p, vl_error *error) {
    const uint64_t records = p->head->records,
                   bytes_most = most(PLAN_CHUNK_BYTES, p->head->bytes / (PLAN_CHUNKS_MAX / 2)),
                   records_most = most(PLAN_CHUNK_RECORDS, records / (PLAN_CHUNKS_MAX / 2) + 1);
    size_t first = 0;
    p->starts = calloc(PLAN_CHUNKS_MAX + 3, sizeof *p->starts);
    if (!p->starts)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the plan");
    for (size_t i = 0; i < records; i++) {
        bool full = p->entries[i + 1].bytes - p->entries[first].bytes >= bytes_most ||
                    i + 1 - first >= records_most || i + 1 == records;
        if (p->entries[i + 1].line <= p->entries[i].line ||
            p->entries[i + 1].bytes < p->entries[i].bytes || p->chunks > PLAN_CHUNKS_MAX)
            return vl_fail(error, VL_ERR_INPUT, "the plan of the build is damaged");
        if (full) {
            p->starts[++p->chunks] = i + 1;
            first = i + 1;
        }
    }
    return VL_OK;
}

vl_status plan_open(const char *folder, plan **out, vl_error *error) {
    char lines[FOLDER_PATH_SIZE], index[FOLDER_PATH_SIZE];
    plan *p = calloc(1, sizeof *p);
    *out = NULL;
    vl_status status = p ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for the plan");
    if (!status)
        status = folder_path(folder, FOLDER_PLAN, lines, error);
    if (!status)
        status = folder_path(folder, PLAN_INDEX, index, error);
    if (!status)
        status = map_index(p, index, error);
    if (!status && !(p->lines = fopen(lines, "re")))
        status = vl_fail(error, VL_ERR_IO, "%s: %s", lines, strerror(errno));
    if (!status)
        status = cut_chunks(p, error);
    if (status)
        plan_close(p);
    else
        *out = p;
    return status;
}

void plan_close(plan *p) {
    if (!p)
        return;
    if (p->map)
        munmap(p->map, p->map_bytes);
    if (p->lines)
        fclose(p->lines);
    free(p->starts);
    free(p);
}

uint64_t plan_records(const plan *p) {
    return p->head->records;
}

uint64_t plan_documents(const plan *p) {
    return p->head->documents;
}

size_t plan_chunks(const plan *p) {
    return p->chunks;
}

/* ---- records -------------------------------------------------------------------------------
 */

static const char *take(const cJSON *object, const char *name, vl_arena *arena, bool *fits) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    const char *copy = text && *text ? vl_arena_strdup(arena, text) : "";
    *fits = *fits && copy;
    return copy;
}

static bool take_provenance(const cJSON *object, vl_arena *arena, vl_build_document *to) {
    char *text = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(object, "provenance"));
    to->provenance = text ? vl_arena_strdup(arena, text) : NULL;
    cJSON_free(text);
    return to->provenance != NULL;
}

static vl_status take_record(const cJSON *json, vl_arena *arena, plan_record *to,
                             vl_error *error) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "documents"), *item;
    bool fits = true;
    *to = (plan_record){.record = take(json, "record", arena, &fits),
                        .collection = take(json, "collection", arena, &fits)};
    to->documents =
        vl_arena_array(arena, (size_t)cJSON_GetArraySize(list) + 1, sizeof *to->documents);
    fits = fits && to->documents;
    for (item = list && fits ? list->child : NULL; item && fits; item = item->next) {
        vl_build_document *d = &to->documents[to->count++];
        *d = (vl_build_document){
            .id = (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(item, "id")),
            .record = to->record,
            .file = take(item, "file", arena, &fits),
            .sha256 = take(item, "sha256", arena, &fits),
            .path = take(item, "path", arena, &fits),
            .type = take(item, "type", arena, &fits),
            .language = take(item, "language", arena, &fits),
            .disaster = take(item, "disaster", arena, &fits),
            .current = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "current"))};
        fits = take_provenance(item, arena, d) && fits;
    }
    return fits ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for a record");
}

/* The line of a record, read at its place, so that threads do not share a position. */
static vl_status read_line(const plan *p, size_t record, vl_buf *line, vl_error *error) {
    uint64_t start = p->entries[record].line, end = p->entries[record + 1].line;
    char *room = malloc(end - start);
    ssize_t got = room ? pread(fileno(p->lines), room, end - start, (off_t)start) : -1;
    vl_buf_clear(line);
    if (got == (ssize_t)(end - start))
        vl_buf_append(line, room, end - start - 1);
    free(room);
    if (got != (ssize_t)(end - start))
        return vl_fail(error, VL_ERR_INPUT, "the plan is damaged at record %zu", record);
    return vl_buf_status(line, "a record of the plan", error);
}

vl_status plan_chunk(const plan *p, size_t chunk, vl_arena *arena, plan_record_fn give,
                     void *to, vl_error *error) {
    vl_status status = VL_OK;
    vl_buf line;
    vl_buf_init(&line, RECORD_MAX);
    for (size_t i = p->starts[chunk]; !status && i < p->starts[chunk + 1]; i++) {
        plan_record record;
        vl_arena_reset(arena);
        status = read_line(p, i, &line, error);
        cJSON *json = status ? NULL : cJSON_ParseWithLength(line.data, line.len);
        if (!status && !json)
            status = vl_fail(error, VL_ERR_INPUT, "the plan is damaged at record %zu", i);
        if (!status)
            status = take_record(json, arena, &record, error);
        cJSON_Delete(json);
        if (!status)
            status = give(&record, arena, to, error);
    }
    vl_buf_deinit(&line);
    return status;
}
