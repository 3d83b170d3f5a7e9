/* export_card.c — README.md of an export: a dataset card as the Hugging Face hub reads it, a
 * header in YAML (https://huggingface.co/docs/hub/datasets-cards) and what people should know.
 * LICENSES.md beside it lists the licences. Everything in it was counted or is in the dataset.
 */
#include "dataset/export.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { CARD_MAX = 32 << 20, SHOWN = 100, LICENCE_MAX = 256 };

/* ---- licences ------------------------------------------------------------------------------
 */

/* Only letters and digits, lower case, one space between: "CC BY-NC 4.0" is "cc by nc 4 0". */
static void plain_words(const char *text, char out[LICENCE_MAX]) {
    size_t used = 0;
    for (; *text && used + 2 < LICENCE_MAX; text++) {
        if (isalnum((unsigned char)*text))
            out[used++] = (char)tolower((unsigned char)*text);
        else if (used && out[used - 1] != ' ')
            out[used++] = ' ';
    }
    out[used - (used && out[used - 1] == ' ')] = '\0';
}

const char *card_licence(const char *licence) {
    /* Those of https://huggingface.co/docs/hub/repositories-licenses that documents and data
     * come with; the ports of intergovernmental organisations (IGO) are not among them. */
    static const char *const known[][2] = {
        {"by 2 0", "cc-by-2.0"},
        {"by 2 5", "cc-by-2.5"},
        {"by 3 0", "cc-by-3.0"},
        {"by 4 0", "cc-by-4.0"},
        {"by sa 3 0", "cc-by-sa-3.0"},
        {"by sa 4 0", "cc-by-sa-4.0"},
        {"by nc 2 0", "cc-by-nc-2.0"},
        {"by nc 3 0", "cc-by-nc-3.0"},
        {"by nc 4 0", "cc-by-nc-4.0"},
        {"by nd 4 0", "cc-by-nd-4.0"},
        {"by nc nd 3 0", "cc-by-nc-nd-3.0"},
        {"by nc nd 4 0", "cc-by-nc-nd-4.0"},
        {"by nc sa 2 0", "cc-by-nc-sa-2.0"},
        {"by nc sa 3 0", "cc-by-nc-sa-3.0"},
        {"by nc sa 4 0", "cc-by-nc-sa-4.0"},
        {"cc0", "cc0-1.0"},
        {"cc0 1 0", "cc0-1.0"},
        {"zero 1 0", "cc0-1.0"},
        {"odc by", "odc-by"},
        {"odc by 1 0", "odc-by"},
        {"odbl", "odbl"},
        {"odbl 1 0", "odbl"},
        {"pddl", "pddl"},
        {"pddl 1 0", "pddl"},
    };
    static const char *const before[] = {"https creativecommons org licenses ",
                                         "http creativecommons org licenses ",
                                         "https creativecommons org publicdomain ",
                                         "http creativecommons org publicdomain ",
                                         "creative commons ",
                                         "cc ",
                                         ""};
    static const char *const after[] = {" legalcode", " deed", ""};
    char words[LICENCE_MAX];
    plain_words(licence, words);
    size_t i = 0, k = 0;
    while (strncmp(words, before[i], strlen(before[i])) != 0)
        i++;
    char *name = words + strlen(before[i]);
    size_t length = strlen(name);
    while (length < strlen(after[k]) || strcmp(name + length - strlen(after[k]), after[k]) != 0)
        k++;
    name[length - strlen(after[k])] = '\0';
    for (size_t l = 0; l < sizeof known / sizeof *known; l++)
        if (!strcmp(name, known[l][0]))
            return known[l][1];
    return NULL;
}

/* The one licence that all have, by the hub's name for it. */
static const char *only_licence(const tally *t) {
    const char *id = t->count ? card_licence(t->names[0]) : NULL;
    for (size_t i = 1; i < t->count && id; i++) {
        const char *next = card_licence(t->names[i]);
        if (!next || strcmp(next, id) != 0)
            id = NULL;
    }
    return t->others ? NULL : id;
}

/* ---- the header ----------------------------------------------------------------------------
 */

const char *card_about(const cJSON *about, const char *key) {
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive((cJSON *)(uintptr_t)about, key));
    return text ? text : "";
}

const char *card_name(const cJSON *about) {
    const char *title = card_about(about, "title"), *name = card_about(about, "name");
    return *title ? title : *name ? name : "A dataset of documents";
}

static uint64_t of_kind(const export *e, vl_item_kind kind) {
    const uint64_t *by_split = e->counts.kinds[kind];
    return by_split[VL_SPLIT_TRAIN] + by_split[VL_SPLIT_VALIDATION] + by_split[VL_SPLIT_TEST];
}

static void put_languages(const tally *t, vl_buf *out) {
    size_t count = 0;
    for (size_t i = 0; i < t->count; i++)
        if (*t->names[i] && strcmp(t->names[i], "und") != 0)
            vl_buf_printf(out, "%s- \"%s\"\n", count++ ? "" : "language:\n", /* "no" */
                          vl_lang_short(t->names[i]));
    vl_buf_printf(out, "multilinguality:\n- %s\n", count > 1 ? "multilingual" : "monolingual");
}

static void put_size(uint64_t items, vl_buf *out) {
    static const char *const names[] = {"n<1K",     "1K<n<10K",   "10K<n<100K", "100K<n<1M",
                                        "1M<n<10M", "10M<n<100M", "100M<n<1B"};
    size_t i = 0;
    for (uint64_t most = 1000; items >= most && i + 1 < sizeof names / sizeof *names; i++)
        most *= 10;
    vl_buf_printf(out, "size_categories:\n- %s\n", names[i]);
}

static void put_tasks(const export *e, vl_buf *out) {
    uint64_t asked = of_kind(e, VL_ITEM_QUESTION) + of_kind(e, VL_ITEM_READ) +
                     of_kind(e, VL_ITEM_LANGUAGE) + of_kind(e, VL_ITEM_CHANGE) +
                     of_kind(e, VL_ITEM_CRISIS);
    bool pictures = e->counts.with_picture > 0;
    vl_buf_puts(out, "task_categories:\n");
    if (pictures)
        vl_buf_puts(out, "- image-to-text\n");
    if (pictures && asked)
        vl_buf_puts(out, "- visual-question-answering\n");
    if (of_kind(e, VL_ITEM_QUESTION))
        vl_buf_puts(out, "- question-answering\n");
    if (!pictures || of_kind(e, VL_ITEM_TEXT))
        vl_buf_puts(out, "- text-generation\n");
}

/* What the recipe says, else what all documents say. */
static void put_licence(const export *e, const char *said, vl_buf *out) {
    const char *id = *said ? card_licence(said) : only_licence(&e->counts.licences);
    if (id) {
        vl_buf_printf(out, "license: %s\n", id);
        return;
    }
    vl_buf_puts(out, "license: other\nlicense_name: ");
    export_put_text(out, *said ? said : "by-document");
    vl_buf_puts(out, "\nlicense_link: LICENSES.md\n");
}

static void put_header(const export *e, const export_layout *layout, const cJSON *about,
                       const char *name, vl_buf *out) {
    size_t begun;
    vl_buf_puts(out, "---\n");
    put_languages(&e->counts.languages, out);
    put_licence(e, card_about(about, "licence"), out);
    vl_buf_puts(out, "pretty_name: ");
    export_put_text(out, name);
    vl_buf_puts(out, "\n");
    put_size(e->report->items, out);
    put_tasks(e, out);
    vl_buf_printf(out, "annotations_creators:\n- machine-generated\n%s",
                  e->counts.reviewed ? "- expert-generated\n" : "");
    vl_buf_puts(out, "language_creators:\n- found\nsource_datasets:\n- original\ntags:\n"
                     "- vislang\n- low-resource-languages\n- croissant\n");
    begun = out->len;
    vl_buf_puts(out, "configs:\n");
    size_t empty = out->len;
    layout->data_files(e, out);
    if (out->len == empty && !out->failed) {
        out->len = begun;
        vl_buf_puts(out, "viewer: false\n");
    }
    vl_buf_puts(out, "---\n\n");
}

/* ---- what people should know ---------------------------------------------------------------
 */

/* A cell of a table. */
static void put_cell(vl_buf *out, const char *text) {
    if (!*text)
        vl_buf_puts(out, "not stated");
    for (; *text; text++) {
        char c[2] = {*text, '\0'};
        vl_buf_puts(out, *text == '|'                     ? "\\|"
                         : *text == '<'                   ? "&lt;"
                         : *text == '\n' || *text == '\r' ? " "
                                                          : c);
    }
}

static void put_row(vl_buf *out, const char *name, const char *more, uint64_t count) {
    vl_buf_puts(out, "| ");
    put_cell(out, name);
    if (more) {
        vl_buf_puts(out, " | ");
        put_cell(out, more);
    }
    vl_buf_printf(out, " | %llu |\n", (unsigned long long)count);
}

static void put_tally(vl_buf *out, const char *head, const tally *t, bool languages) {
    uint64_t rest = t->others;
    vl_buf_puts(out, head);
    for (size_t i = 0; i < t->count; i++)
        if (i < SHOWN)
            put_row(out, t->names[i], languages ? vl_lang_name(t->names[i]) : NULL,
                    t->counts[i]);
        else
            rest += t->counts[i];
    if (rest)
        put_row(out, "others", languages ? "" : NULL, rest);
    vl_buf_puts(out, "\n");
}

static void put_what(const export *e, vl_buf *out) {
    static const char *const said[VL_EXPORT_FORMAT_COUNT] = {
        "imagefolder of Hugging Face `datasets`", "JSON Lines", "WebDataset shards",
        "COCO captions and VQA files", "LLaVA conversations"};
    vl_buf_printf(out,
                  "%llu items made of documents, as %s: %llu base "
                  "items (a picture with the text that belongs to it, or a passage) and the "
                  "instructions with responses that were made of them. Each names the "
                  "document, the page and the place that it is from.\n\n",
                  (unsigned long long)e->report->items, said[e->options->format],
                  (unsigned long long)e->counts.bases);
}

/* A fence that the text does not hold. */
static void put_fenced(vl_buf *out, const char *language, const char *text) {
    size_t longest = 2, run = 0;
    for (const char *at = text; *at; at++) {
        run = *at == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    for (size_t i = 0; i <= longest; i++)
        vl_buf_puts(out, "`");
    size_t length = strlen(text);
    vl_buf_printf(out, "%s\n%s%s", language, text,
                  length && text[length - 1] == '\n' ? "" : "\n");
    for (size_t i = 0; i <= longest; i++)
        vl_buf_puts(out, "`");
    vl_buf_puts(out, "\n\n");
}

static void put_how(const export *e, const cJSON *about, vl_buf *out) {
    const char *recipe = card_about(about, "recipe");
    vl_buf_puts(
        out, "## How it was made\n\n`vislang harvest` fetched the documents, `vislang "
             "dataset build` took them apart and paired pictures with their texts, and "
             "`vislang dataset export` (" VL_VERSION ") wrote this. Instructions are "
             "templates of VisLang in the language that they are in. Nothing was translated "
             "by a machine here: a response in another language than its document's is from "
             "its counterpart in that language, the document's own version or a table that "
             "the recipe names (`aligned:NAME`), or a caption of its version that was found by "
             "what it says (`alignment:CONFIDENCE`).\n\n");
    put_tally(out, "| words of the text | items |\n| --- | ---: |\n", &e->counts.origins,
              false);
    if (*recipe) {
        vl_buf_puts(out, "The recipe, as it was:\n\n");
        put_fenced(out, "yaml", recipe);
    } else {
        vl_buf_puts(out, "The dataset does not say which recipe it was built by.\n\n");
    }
}

static void put_splits(const export *e, vl_buf *out) {
    vl_buf_puts(out, "## Splits\n\nThe parts of a document, and all that is nearly the same, "
                     "are in one split.\n\n| kind | train | validation | test |\n"
                     "| --- | ---: | ---: | ---: |\n");
    for (vl_item_kind k = 0; k < VL_ITEM_KIND_COUNT; k++)
        if (of_kind(e, k))
            vl_buf_printf(out, "| %s | %llu | %llu | %llu |\n", vl_item_kind_name(k),
                          (unsigned long long)e->counts.kinds[k][VL_SPLIT_TRAIN],
                          (unsigned long long)e->counts.kinds[k][VL_SPLIT_VALIDATION],
                          (unsigned long long)e->counts.kinds[k][VL_SPLIT_TEST]);
    vl_buf_printf(out,
                  "\nLeft out of this export: %llu items that were not asked for, %llu that "
                  "reviewers rejected, %llu that the layout has no place for.\n\n",
                  (unsigned long long)e->report->not_asked,
                  (unsigned long long)e->report->rejected,
                  (unsigned long long)e->report->no_place);
}

static void put_quality(const export *e, vl_buf *out) {
    const export_counts *c = &e->counts;
    double bases = c->bases ? (double)c->bases : 1;
    vl_buf_printf(out,
                  "## Quality\n\n%llu of %llu base items were read off a picture (OCR); %llu "
                  "items were reviewed by people, who corrected %llu of them. Each part of the "
                  "quality is between 0 and 1; `score` puts them together. Means over base "
                  "items:\n\n| part | mean |\n| --- | ---: |\n",
                  (unsigned long long)c->ocr, (unsigned long long)c->bases,
                  (unsigned long long)c->reviewed, (unsigned long long)c->corrected);
    for (vl_quality_part i = 0; i < VL_QUALITY_PART_COUNT; i++)
        vl_buf_printf(out, "| %s | %.3f |\n", vl_quality_part_name(i), c->quality[i] / bases);
    vl_buf_puts(out, "\n| score | base items |\n| --- | ---: |\n");
    for (int i = 0; i < EXPORT_BINS; i++)
        vl_buf_printf(out, "| %.1f – %.1f | %llu |\n", i / (double)EXPORT_BINS,
                      (i + 1) / (double)EXPORT_BINS, (unsigned long long)c->bins[i]);
    vl_buf_puts(out, "\n");
}

static void put_personal(const export *e, vl_buf *out) {
    vl_buf_puts(out, "## Personal data\n\nWhat was found by its form and replaced in the texts "
                     "of base items:\n\n| kind | times |\n| --- | ---: |\n");
    for (size_t i = 0; i < VL_ITEM_PERSONAL; i++)
        vl_buf_printf(out, "| %s | %llu |\n", vl_item_personal_name(i),
                      (unsigned long long)e->counts.personal[i]);
    vl_buf_puts(out,
                "\nRules find forms, not meaning: names without a title or label stay, and "
                "pictures may show faces and words. Who finds personal data here should "
                "take it out and tell whoever shares the dataset.\n\n");
}

static void put_columns(vl_buf *out) {
    vl_buf_puts(out, "## Columns\n\n| name | what |\n| --- | --- |\n");
    for (size_t i = 0; i < export_column_count; i++)
        vl_buf_printf(out, "| `%s` | %s |\n", export_columns[i].name, export_columns[i].what);
    vl_buf_puts(out, "\nWhat is not known is an empty string or 0. Columns of documents "
                     "(`document` to `fetched`) say what the source said.\n\n");
}

static const char limits[] =
    "## Limits\n\n"
    "- A caption is what a document says of a picture; that may be less, or more, than what "
    "the "
    "picture shows.\n"
    "- Texts that were read off a picture have errors of OCR; `quality.ocr` says how sure the "
    "reading was.\n"
    "- Languages were identified by a program; short texts are the least sure "
    "(`quality.language`).\n"
    "- What documents say is no sample of how a language is spoken.\n"
    "- A licence is what the source said when the document was fetched. Most ask to name the "
    "publisher: `publisher`, `url` and `licence` are in every row.\n";

static void put_people(const export *e, const export_layout *layout, const cJSON *about,
                       const char *name, vl_buf *out) {
    vl_buf_puts(out, "# ");
    put_cell(out, name);
    vl_buf_puts(out, "\n\n");
    if (*card_about(about, "description"))
        vl_buf_printf(out, "%s\n\n", card_about(about, "description"));
    put_what(e, out);
    vl_buf_puts(out, "## How to load it\n\n");
    vl_buf_puts(out, layout->use);
    vl_buf_puts(out,
                "\n`croissant.json` describes the files in Croissant 1.0, with the SHA-256 "
                "of each but pictures, whose hashes are in the rows.\n\n");
    put_how(e, about, out);
    vl_buf_puts(out, "## Languages\n\n");
    put_tally(out, "| code | language | items |\n| --- | --- | ---: |\n", &e->counts.languages,
              true);
    put_tally(out, "| script | items |\n| --- | ---: |\n", &e->counts.scripts, false);
    vl_buf_puts(out, "## Sources and licences\n\nOf base items:\n\n");
    put_tally(out, "| source | base items |\n| --- | ---: |\n", &e->counts.sources, false);
    put_tally(out, "| publisher | base items |\n| --- | ---: |\n", &e->counts.publishers,
              false);
    put_tally(out, "| licence | base items |\n| --- | ---: |\n", &e->counts.licences, false);
    put_splits(e, out);
    put_quality(e, out);
    put_personal(e, out);
    put_columns(out);
    vl_buf_puts(out, limits);
}

static vl_status write_licences(export *e, const char *said, vl_error *error) {
    char path[EXPORT_PATH];
    vl_buf out;
    vl_buf_init(&out, CARD_MAX);
    if (*said)
        vl_buf_printf(&out, "# Licences\n\nThe dataset: %s.\n\n", said);
    else
        vl_buf_puts(&out, "# Licences\n\n");
    vl_buf_puts(&out, "Each document has the licence that its source says; it is in the column "
                      "`licence` of every row.\n\n");
    put_tally(&out, "| licence | base items |\n| --- | ---: |\n", &e->counts.licences, false);
    vl_status status = vl_buf_status(&out, "LICENSES.md", error);
    if (!status)
        status = export_path(e, "LICENSES.md", path, error);
    if (!status)
        status = vl_file_write(path, out.data, out.len, error);
    vl_buf_deinit(&out);
    return status;
}

vl_status export_write_card(export *e, const export_layout *layout, vl_error *error) {
    tally *const all[] = {&e->counts.languages, &e->counts.scripts,    &e->counts.sources,
                          &e->counts.licences,  &e->counts.publishers, &e->counts.origins};
    char path[EXPORT_PATH];
    vl_buf out;
    cJSON *about = cJSON_Parse(vl_dataset_about(e->dataset));
    const char *name = card_name(about);
    vl_buf_init(&out, CARD_MAX);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tally_sort(all[i]);
    put_header(e, layout, about, name, &out);
    put_people(e, layout, about, name, &out);
    vl_status status = vl_buf_status(&out, "README.md", error);
    if (!status)
        status = export_path(e, "README.md", path, error);
    if (!status)
        status = vl_file_write(path, out.data, out.len, error);
    vl_buf_deinit(&out);
    if (!status)
        status = write_licences(e, card_about(about, "licence"), error);
    cJSON_Delete(about);
    return status;
}
