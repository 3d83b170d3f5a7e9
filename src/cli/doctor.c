/* doctor.c — `vislang doctor`: what is present, what is missing, and the line that fixes it. */
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

typedef struct finding {
    const char *name;
    bool ok, required;
    char detail[256];
    char fix[160];
} finding;

enum { MAX_FINDINGS = 48 };

typedef struct report {
    finding findings[MAX_FINDINGS];
    size_t count;
} report;

static finding *add(report *r, const char *name, bool required) {
    finding *f = &r->findings[r->count < MAX_FINDINGS ? r->count++ : MAX_FINDINGS - 1];
    *f = (finding){.name = name, .required = required};
    return f;
}

/* An engine of those that are set must be there; the others are good to know of. */
static void check_engine(report *r, const vl_ocr_engine_health *health, bool comes_with_us,
                         bool set) {
    finding *f = add(r, health->name, set);
    const char *use = set ? "reads" : "not in ocr_engines";
    f->ok = health->available;
    if (!f->ok)
        snprintf(f->detail, sizeof f->detail, "%.200s; %s", health->last_error, use);
    else if (comes_with_us)
        snprintf(f->detail, sizeof f->detail, "version %s; %s", health->version, use);
    else
        snprintf(f->detail, sizeof f->detail, "a service, first asked when a page is read");
    const char *package = strstr(health->last_error, "apt-get install");
    snprintf(f->fix, sizeof f->fix, "%s",
             package ? package : "set VISLANG_DATA to the folder that holds models/");
}

static const vl_ocr_engine_health *find_engine(const vl_ocr_engine_health *health, size_t count,
                                               const char *name) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(health[i].name, name))
            return &health[i];
    return NULL;
}

/* Every engine of this version, and the services that the settings name. */
static void check_engines(report *r, const vl_answer_options *options) {
    static vl_ocr_engine_health own[VL_OCR_ENGINES_MAX], set[VL_OCR_ENGINES_MAX]; /* names */
    const char *names[VL_OCR_ENGINES_MAX];
    char list[VL_OCR_ENGINES_MAX * VL_OCR_ENGINE_NAME] = "";
    vl_error error;
    vl_ocr_engines *all = NULL, *chosen = NULL;
    size_t count = vl_ocr_engines_known(names, VL_OCR_ENGINES_MAX), chosen_count = 0;
    for (size_t i = 0; i < count; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s,", names[i]);
    if (vl_ocr_engines_new(list, &all, &error) ||
        vl_ocr_engines_new(options->ocr.engines, &chosen, &error)) {
        snprintf(add(r, "engines", true)->detail, sizeof r->findings->detail, "%s",
                 error.message);
        count = 0;
    } else {
        count = vl_ocr_engines_health(all, own, VL_OCR_ENGINES_MAX);
        chosen_count = vl_ocr_engines_health(chosen, set, VL_OCR_ENGINES_MAX);
    }
    for (size_t i = 0; i < count; i++)
        check_engine(r, &own[i], true, find_engine(set, chosen_count, own[i].name) != NULL);
    for (size_t i = 0; i < chosen_count; i++)
        if (!find_engine(own, count, set[i].name))
            check_engine(r, &set[i], false, true);
    vl_ocr_engines_free(all);
    vl_ocr_engines_free(chosen);
}

/* Packs without which detection or the bundled samples do not work. */
static const struct {
    const char *pack, *package, *what;
} packs_wanted[] = {
    {"osd", "tesseract-ocr-osd", "page orientation and script"},
    {"eng", "tesseract-ocr-eng", "English"},
    {"Latin", "tesseract-ocr-script-latn", "any language in Latin script"},
    {"fra", "tesseract-ocr-fra", "French"},
    {"spa", "tesseract-ocr-spa", "Spanish"},
    {"swa", "tesseract-ocr-swa", "Swahili"},
    {"Arabic", "tesseract-ocr-script-arab", "any language in Arabic script"},
    {"ara", "tesseract-ocr-ara", "Arabic"},
    {"Ethiopic", "tesseract-ocr-script-ethi", "any language in Ethiopic script"},
    {"amh", "tesseract-ocr-amh", "Amharic"},
    {"Cyrillic", "tesseract-ocr-script-cyrl", "any language in Cyrillic script"},
    {"ukr", "tesseract-ocr-ukr", "Ukrainian"},
    {"Devanagari", "tesseract-ocr-script-deva", "any language in Devanagari script"},
    {"Myanmar", "tesseract-ocr-script-mymr", "any language in Myanmar script"},
    {"mya", "tesseract-ocr-mya", "Burmese"},
};

static bool has_pack(const char *const *packs, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(packs[i], name))
            return true;
    return false;
}

static void check_packs(report *r, const vl_answer_options *options) {
    vl_error error;
    vl_arena *arena = vl_arena_new(1 << 20);
    const char **packs = NULL;
    size_t count = 0;
    finding *all = add(r, "language packs", true);
    if (!arena || vl_ocr_packs(&options->ocr, arena, &packs, &count, &error)) {
        snprintf(all->detail, sizeof all->detail, "%s", arena ? error.message : "no memory");
        snprintf(all->fix, sizeof all->fix, "apt-get install tesseract-ocr tesseract-ocr-osd");
        vl_arena_free(arena);
        return;
    }
    all->ok = count > 0;
    snprintf(all->detail, sizeof all->detail, "%zu installed", count);
    for (size_t i = 0; i < sizeof packs_wanted / sizeof *packs_wanted; i++) {
        finding *f = add(r, packs_wanted[i].pack, i < 2);
        f->ok = has_pack(packs, count, packs_wanted[i].pack);
        snprintf(f->detail, sizeof f->detail, "%s", packs_wanted[i].what);
        snprintf(f->fix, sizeof f->fix, "apt-get install %s", packs_wanted[i].package);
    }
    vl_arena_free(arena);
}

/* Runs in the very sandbox that pages are decoded in, so a sandbox that cannot work shows here.
 */
static void check_program(report *r, const char *program, const char *package) {
    vl_error error;
    vl_buf out;
    vl_buf_init(&out, 1 << 16);
    int code = 0;
    vl_child_options options = vl_child_options_default();
    options.argv = (const char *const[]){program, "-v", NULL};
    options.max_seconds = 5;
    finding *f = add(r, program, true);
    vl_status status = vl_child_run(&options, &out, &code, &error);
    f->ok = !status;
    snprintf(f->detail, sizeof f->detail, "%s", status ? error.message : "runs in the sandbox");
    snprintf(f->fix, sizeof f->fix, "apt-get install %s", package);
    vl_buf_deinit(&out);
}

static void check_langid(report *r) {
    vl_error error;
    vl_langid *langid = NULL;
    finding *f = add(r, "language identification", true);
    f->ok = !vl_langid_open(NULL, &langid, &error);
    snprintf(f->detail, sizeof f->detail, "%s", f->ok ? "models/langid.bin" : error.message);
    snprintf(f->fix, sizeof f->fix, "set VISLANG_DATA to the folder that holds models/");
    vl_langid_free(langid);
}

/* "models/seer.gguf: seer 1, q8_0, 13.1 MB" */
static void check_seer(report *r, const vl_config *config) {
    vl_error error;
    vl_seer *seer = NULL;
    struct stat info = {0};
    char bundled[4096];
    const char *path = vl_config_string(config, "model_path");
    snprintf(bundled, sizeof bundled, "%s/models/seer.gguf", vl_data_dir());
    finding *f = add(r, "picture model", false);
    f->ok = !vl_picture_model_open(config, &seer, &error);
    if (f->ok && !stat(*path ? path : bundled, &info))
        snprintf(f->detail, sizeof f->detail, "%s: %s %s, %s, %.1f MB",
                 *path ? path : "models/seer.gguf", vl_seer_name(seer), vl_seer_version(seer),
                 vl_seer_format(seer), (double)info.st_size / 1e6);
    else
        snprintf(f->detail, sizeof f->detail, "photographs cannot be described: %s",
                 error.message);
    snprintf(f->fix, sizeof f->fix,
             *path ? "set model_path to the file of a picture model"
                   : "set VISLANG_DATA to the folder that holds models/seer.gguf");
    vl_seer_free(seer);
}

/* The engine `reader`, where its model is there or the settings ask for it. */
static void check_reader(report *r, const vl_config *config) {
    vl_error error;
    vl_reader *reader = NULL;
    struct stat info = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/models/reader.gguf", vl_data_dir());
    bool there = !stat(path, &info);
    if (!there && !strstr(vl_config_string(config, "ocr_engines"), "reader"))
        return;
    finding *f = add(r, "line reader", false);
    f->ok = !vl_reader_open(NULL, &reader, &error);
    if (f->ok)
        snprintf(f->detail, sizeof f->detail, "models/reader.gguf: reader %s, %s, %.1f MB",
                 vl_reader_version(reader), vl_reader_format(reader),
                 (double)info.st_size / 1e6);
    else
        snprintf(f->detail, sizeof f->detail, "the engine reader is left out: %s",
                 error.message);
    snprintf(f->fix, sizeof f->fix,
             "vislang train reader and vislang export make it (docs/train.md), or set "
             "ocr_engines without reader");
    vl_reader_free(reader);
}

static void check_machine(report *r) {
    finding *f = add(r, "machine", false);
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / 1e9;
    f->ok = memory > 1.5;
    snprintf(f->detail, sizeof f->detail, "%zu processors, %.1f GB memory", vl_cpu_count(),
             memory);
    snprintf(f->fix, sizeof f->fix,
             "run with --set workers=1 (each worker takes up to 0.5 GB)");
    struct statvfs disk;
    const char *temporary = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    finding *d = add(r, "disk for uploads", false);
    if (!statvfs(temporary, &disk)) {
        double free_gb = (double)disk.f_bavail * (double)disk.f_frsize / 1e9;
        d->ok = free_gb > 1;
        snprintf(d->detail, sizeof d->detail, "%.1f GB free in %s", free_gb, temporary);
    } else {
        snprintf(d->detail, sizeof d->detail, "%s cannot be looked at", temporary);
    }
    snprintf(d->fix, sizeof d->fix, "set TMPDIR to a folder with room");
}

static void print_text(const report *r) {
    for (size_t i = 0; i < r->count; i++) {
        const finding *f = &r->findings[i];
        printf("%-8s %-24s %s\n",
               f->ok         ? "ok"
               : f->required ? "MISSING"
                             : "absent",
               f->name, f->detail);
        if (!f->ok)
            printf("         fix: %s\n", f->fix);
    }
}

static void print_json(const report *r) {
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < r->count; i++) {
        const finding *f = &r->findings[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", f->name);
        cJSON_AddBoolToObject(item, "ok", f->ok);
        cJSON_AddBoolToObject(item, "required", f->required);
        cJSON_AddStringToObject(item, "detail", f->detail);
        if (!f->ok)
            cJSON_AddStringToObject(item, "fix", f->fix);
        cJSON_AddItemToArray(list, item);
    }
    char *text = cJSON_Print(list);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(list);
}

static int print_settings(const cli_args *args, const vl_config *config) {
    vl_error error;
    vl_buf out;
    vl_buf_init(&out, 1 << 20);
    vl_config_print(config, cli_has(args, "json"), &out);
    vl_status status = vl_buf_status(&out, "the settings", &error);
    if (!status)
        fwrite(out.data, 1, out.len, stdout);
    vl_buf_deinit(&out);
    return status ? cli_fail(args, &error) : cli_finish_stdout(args, 0);
}

int cli_doctor(const cli_args *args) {
    vl_error error;
    vl_config *config;
    if (cli_config(args, &config, &error))
        return cli_fail(args, &error);
    if (cli_has(args, "settings")) {
        int exit_code = print_settings(args, config);
        vl_config_free(config);
        return exit_code;
    }
    static report r;
    vl_answer_options options;
    if (vl_answer_options_from_config(config, &options, &error)) {
        vl_config_free(config);
        return cli_fail(args, &error);
    }
    check_engines(&r, &options);
    check_packs(&r, &options);
    check_program(&r, "pdfinfo", "poppler-utils");
    check_program(&r, "pdftoppm", "poppler-utils");
    check_langid(&r);
    check_seer(&r, config);
    check_reader(&r, config);
    check_machine(&r);
    bool all = true;
    for (size_t i = 0; i < r.count; i++)
        all &= r.findings[i].ok || !r.findings[i].required;
    if (cli_has(args, "json"))
        print_json(&r);
    else
        print_text(&r);
    vl_config_free(config);
    return cli_finish_stdout(args, all ? 0 : vl_status_exit_code(VL_ERR_MISSING));
}
