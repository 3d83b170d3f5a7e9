/* export_croissant.c — croissant.json of an export: Croissant 1.0 in JSON-LD
 * (https://docs.mlcommons.org/croissant/docs/croissant-spec.html). Files with their hashes,
 * sets of pictures, and for each set of records where its fields are read from. */
#include "dataset/export.h"

#include <stdio.h>
#include <string.h>

#define PICTURES "pictures"
static const char context[] =
    "{\"@language\":\"en\",\"@vocab\":\"https://schema.org/\",\"citeAs\":\"cr:citeAs\","
    "\"column\":\"cr:column\",\"conformsTo\":\"dct:conformsTo\","
    "\"cr\":\"http://mlcommons.org/croissant/\",\"rai\":\"http://mlcommons.org/croissant/RAI/"
    "\","
    "\"data\":{\"@id\":\"cr:data\",\"@type\":\"@json\"},"
    "\"equivalentProperty\":\"cr:equivalentProperty\",\"samplingRate\":\"cr:samplingRate\","
    "\"dataType\":{\"@id\":\"cr:dataType\",\"@type\":\"@vocab\"},"
    "\"dct\":\"http://purl.org/dc/terms/\","
    "\"examples\":{\"@id\":\"cr:examples\",\"@type\":\"@json\"},\"extract\":\"cr:extract\","
    "\"field\":\"cr:field\",\"fileProperty\":\"cr:fileProperty\",\"fileObject\":\"cr:"
    "fileObject\","
    "\"fileSet\":\"cr:fileSet\",\"format\":\"cr:format\",\"includes\":\"cr:includes\","
    "\"isLiveDataset\":\"cr:isLiveDataset\",\"jsonPath\":\"cr:jsonPath\",\"key\":\"cr:key\","
    "\"md5\":\"cr:md5\",\"parentField\":\"cr:parentField\",\"path\":\"cr:path\","
    "\"recordSet\":\"cr:recordSet\",\"references\":\"cr:references\",\"regex\":\"cr:regex\","
    "\"repeated\":\"cr:repeated\",\"replace\":\"cr:replace\",\"sc\":\"https://schema.org/\","
    "\"separator\":\"cr:separator\",\"source\":\"cr:source\",\"subField\":\"cr:subField\","
    "\"transform\":\"cr:transform\"}";

/* ---- sets of records -----------------------------------------------------------------------
 */

static cJSON *node(const char *type, const char *id, const char *name) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "@type", type);
    cJSON_AddStringToObject(object, "@id", id);
    cJSON_AddStringToObject(object, "name", name);
    return object;
}

static void refer(cJSON *to, const char *key, const char *id) {
    cJSON_AddStringToObject(cJSON_AddObjectToObject(to, key), "@id", id);
}

cJSON *croissant_set(cJSON *list, const char *name, const char *what) {
    cJSON *set = node("cr:RecordSet", name, name);
    cJSON_AddStringToObject(set, "description", what);
    cJSON_AddArrayToObject(set, "field");
    cJSON_AddItemToArray(list, set);
    return set;
}

cJSON *croissant_field(cJSON *set, const char *of, const char *name, const char *type,
                       const char *what, const char *from, const char *by, const char *value) {
    char id[256];
    snprintf(id, sizeof id, "%s/%s", of, name);
    cJSON *field = node("cr:Field", id, name), *source = cJSON_CreateObject();
    cJSON_AddStringToObject(field, "description", what);
    cJSON_AddStringToObject(field, "dataType", type);
    bool is_set = !strcmp(from, CROISSANT_JSON) || !strcmp(from, PICTURES);
    refer(source, is_set ? "fileSet" : "fileObject", from);
    cJSON_AddStringToObject(cJSON_AddObjectToObject(source, "extract"), by, value);
    cJSON_AddItemToObject(field, "source", source);
    cJSON_AddItemToArray(cJSON_GetObjectItem(set, "field"), field);
    return field;
}

void croissant_change(cJSON *field, const char *by, const char *value, bool repeated) {
    cJSON *source = cJSON_GetObjectItem(field, "source");
    cJSON_AddStringToObject(cJSON_AddObjectToObject(source, "transform"), by, value);
    if (repeated)
        cJSON_AddTrueToObject(field, "repeated");
}

/* A field that is a value within the column. */
static void inner_field(cJSON *set, const char *of, const char *column, const char *key,
                        const char *type, const char *what, const char *file, bool repeated) {
    char name[128];
    snprintf(name, sizeof name, "%s/%s", column, key);
    cJSON *field = croissant_field(set, of, name, type, what, file, "column", column);
    croissant_change(field, "jsonPath", key, repeated);
}

static const char *type_of(export_type type) {
    switch (type) {
    case EXPORT_COUNT:
        return "sc:Integer";
    case EXPORT_REAL:
        return "sc:Float";
    case EXPORT_TRUTH:
        return "sc:Boolean";
    case EXPORT_BOX:
        return "cr:BoundingBox";
    default:
        return "sc:Text";
    }
}

static void column_fields(cJSON *set, const char *of, const export_column *c,
                          const char *file) {
    if (c->type == EXPORT_QUALITY) {
        for (vl_quality_part i = 0; i < VL_QUALITY_PART_COUNT; i++)
            inner_field(set, of, c->name, vl_quality_part_name(i), "sc:Float", c->what, file,
                        false);
    } else if (c->type == EXPORT_PERSONAL) {
        for (size_t i = 0; i < VL_ITEM_PERSONAL; i++)
            inner_field(set, of, c->name, vl_item_personal_name(i), "sc:Integer", c->what, file,
                        false);
    } else {
        croissant_field(set, of, c->name, type_of(c->type), c->what, file, "column", c->name);
    }
}

static void example_fields(cJSON *set, const char *of, const char *file) {
    croissant_field(set, of, "example_count", "sc:Integer",
                    "How many examples the base item has", file, "column", "example_count");
    for (size_t i = 0; i < export_column_count; i++)
        if (export_columns[i].own && export_columns[i].type == EXPORT_TEXT)
            inner_field(set, of, "examples", export_columns[i].name, "sc:Text",
                        export_columns[i].what, file, true);
}

void croissant_rows(const export *e, cJSON *list, export_which which) {
    for (size_t f = 0; f < e->file_count; f++) {
        const export_file *file = &e->files[f];
        const char *name = file->texts ? "text" : vl_split_name(file->split);
        cJSON *set = croissant_set(list, name,
                                   file->texts            ? "Base items without a picture."
                                   : which == EXPORT_BASE ? "Base items with a picture."
                                                          : "Items, one a row.");
        if (which == EXPORT_BASE && !file->texts)
            croissant_field(set, name, "file_name", "sc:Text",
                            "Path of the picture in the folder of its split", file->name,
                            "column", "file_name");
        for (size_t i = 0; i < export_column_count; i++)
            if (which == EXPORT_ALL || export_columns[i].base)
                column_fields(set, name, &export_columns[i], file->name);
        if (which == EXPORT_BASE)
            example_fields(set, name, file->name);
    }
}

void croissant_pictures(const export *e, cJSON *list) {
    if (!e->report->pictures)
        return;
    cJSON *set = croissant_set(list, "picture_files", "Picture files.");
    croissant_field(set, "picture_files", "path", "sc:Text", "Path in the export", PICTURES,
                    "fileProperty", "fullpath");
    croissant_field(set, "picture_files", "content", "sc:ImageObject", "The picture", PICTURES,
                    "fileProperty", "content");
}

/* ---- files ---------------------------------------------------------------------------------
 */

static void put_file(const export_file *file, cJSON *list) {
    char size[32];
    cJSON *object = node("cr:FileObject", file->name, file->name);
    snprintf(size, sizeof size, "%llu B", (unsigned long long)file->bytes);
    cJSON_AddStringToObject(object, "contentUrl", file->name);
    cJSON_AddStringToObject(object, "contentSize", size);
    cJSON_AddStringToObject(object, "encodingFormat", file->type);
    cJSON_AddStringToObject(object, "sha256", file->sha256);
    cJSON_AddItemToArray(list, object);
}

static cJSON *file_set(const char *id, const char *what) {
    cJSON *set = node("cr:FileSet", id, id);
    cJSON_AddStringToObject(set, "description", what);
    return set;
}

static cJSON *pictures_set(void) {
    static const char *const types[] = {"image/png", "image/jpeg"};
    cJSON *set = file_set(PICTURES, "Picture files.");
    cJSON_AddItemToObject(set, "encodingFormat", cJSON_CreateStringArray(types, 2));
    return set;
}

static void include(cJSON *set, const char *const *includes, int count) {
    cJSON_AddItemToObject(set, "includes", cJSON_CreateStringArray(includes, count));
}

/* The shards that a set of files is in; `texts`: those without pictures, too. */
static void put_shards(const export *e, cJSON *set, bool texts) {
    cJSON *shards = cJSON_AddArrayToObject(set, "containedIn");
    for (size_t i = 0; i < e->file_count; i++) {
        if (e->files[i].texts && !texts)
            continue;
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "@id", e->files[i].name);
        cJSON_AddItemToArray(shards, one);
    }
}

static void put_file_sets(const export *e, cJSON *list) {
    static const char *const in_folders[] = {"*/*/*.png", "*/*/*.jpg"},
                             *const in_shards[] = {"*.png", "*.jpg"},
                             *const json[] = {"*.json"};
    bool shards = e->options->format == VL_EXPORT_WEBDATASET;
    if (e->report->pictures) {
        cJSON *set = pictures_set();
        include(set, shards ? in_shards : in_folders, 2);
        if (shards)
            put_shards(e, set, false);
        cJSON_AddItemToArray(list, set);
    }
    if (shards) {
        cJSON *set = file_set(CROISSANT_JSON, "What is known of each sample.");
        cJSON_AddStringToObject(set, "encodingFormat", "application/json");
        include(set, json, 1);
        put_shards(e, set, true);
        cJSON_AddItemToArray(list, set);
    }
}

static void put_distribution(const export *e, cJSON *root) {
    cJSON *list = cJSON_AddArrayToObject(root, "distribution");
    for (size_t i = 0; i < e->file_count; i++)
        put_file(&e->files[i], list);
    put_file_sets(e, list);
}

/* ---- the dataset ---------------------------------------------------------------------------
 */

static void put_names(cJSON *root, const char *key, const tally *t, const char *type) {
    cJSON *list = cJSON_AddArrayToObject(root, key);
    for (size_t i = 0; i < t->count; i++) {
        if (!*t->names[i])
            continue;
        cJSON *one = type ? cJSON_CreateObject() : NULL;
        cJSON_AddStringToObject(one, "@type", type);
        cJSON_AddStringToObject(one, "name", t->names[i]);
        cJSON_AddItemToArray(list, type ? one : cJSON_CreateString(t->names[i]));
    }
}

/* As BCP 47 has them: of two letters where there are some. */
static void put_languages(cJSON *root, const tally *t) {
    cJSON *list = cJSON_AddArrayToObject(root, "inLanguage");
    for (size_t i = 0; i < t->count; i++)
        if (*t->names[i] && strcmp(t->names[i], "und") != 0)
            cJSON_AddItemToArray(list, cJSON_CreateString(vl_lang_short(t->names[i])));
}

/* What the recipe says, else what documents say, else where that stands. */
static void put_licences(cJSON *root, const char *said, const tally *t) {
    bool none = !t->count || (t->count == 1 && !*t->names[0]);
    if (*said)
        cJSON_AddStringToObject(root, "license", said);
    else if (none)
        cJSON_AddStringToObject(root, "license", "not stated; LICENSES.md");
    else
        put_names(root, "license", t, NULL);
}

static void put_citation(cJSON *root, const export *e, const cJSON *about) {
    vl_buf text;
    vl_buf_init(&text, 1 << 16);
    vl_buf_printf(&text,
                  "@misc{vislang_dataset, title = {%s}, note = {Made with VisLang " VL_VERSION
                  " of documents that were fetched until %.10s}}",
                  card_name(about), e->counts.newest);
    if (!text.failed)
        cJSON_AddStringToObject(root, "citeAs", text.data);
    vl_buf_deinit(&text);
}

static cJSON *describe(const export *e, const export_layout *layout, const cJSON *about) {
    cJSON *root = cJSON_CreateObject();
    const export_counts *c = &e->counts;
    char text[512];
    cJSON_AddItemToObject(root, "@context", cJSON_Parse(context));
    cJSON_AddStringToObject(root, "@type", "sc:Dataset");
    cJSON_AddStringToObject(root, "name", card_name(about));
    cJSON_AddStringToObject(root, "conformsTo", "http://mlcommons.org/croissant/1.0");
    snprintf(
        text, sizeof text,
        "%llu items of documents that organisations published: pictures with the texts "
        "that belong to them, passages, and instructions with responses made of them, each "
        "with the document and page that it is from. README.md says more.",
        (unsigned long long)e->report->items);
    cJSON_AddStringToObject(root, "description",
                            *card_about(about, "description") ? card_about(about, "description")
                                                              : text);
    put_licences(root, card_about(about, "licence"), &c->licences);
    put_names(root, "creator", &c->publishers, "sc:Organization");
    put_languages(root, &c->languages);
    snprintf(text, sizeof text, "%.10s", c->newest);
    if (*text)
        cJSON_AddStringToObject(root, "datePublished", text);
    cJSON_AddStringToObject(root, "url",
                            *card_about(about, "url") ? card_about(about, "url") : "README.md");
    cJSON_AddStringToObject(root, "version", "1.0.0");
    put_citation(root, e, about);
    put_distribution(e, root);
    layout->records(e, cJSON_AddArrayToObject(root, "recordSet"));
    return root;
}

vl_status export_write_croissant(export *e, const export_layout *layout, vl_error *error) {
    char path[EXPORT_PATH];
    cJSON *about = cJSON_Parse(vl_dataset_about(e->dataset));
    cJSON *root = describe(e, layout, about);
    char *text = cJSON_Print(root);
    vl_status status = text ? export_path(e, "croissant.json", path, error)
                            : vl_fail(error, VL_ERR_MEMORY, "no memory for an export");
    if (!status)
        status = vl_file_write(path, text, strlen(text), error);
    cJSON_free(text);
    cJSON_Delete(root);
    cJSON_Delete(about);
    return status;
}
