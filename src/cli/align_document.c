/* align_document.c — documents into sentences: plain text as it stands, everything else through
 * `dataset parts`, so that a PDF, a word processor's file, a web page or a scan will do. */
#include "cli/align_document.h"

#include "align/tokens.h"

#include <vislang/dataset.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { GUESS_BYTES = 20000, WRAPPED_MOST = 110, WRAPPED_LEAST = 30 };
static const size_t FILE_BYTES_MAX = (size_t)256 << 20;
static const size_t PARTS_ARENA_BYTES = (size_t)1 << 30;

typedef struct list {
    vl_arena *arena;
    const char **items;
    size_t count, capacity;
} list;

static vl_status no_memory(vl_error *error) {
    return vl_fail(error, VL_ERR_MEMORY, "no memory for the sentences of this document");
}

static vl_status add_text(list *all, const char *text, size_t bytes, vl_error *error) {
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? 2 * all->capacity : 64;
        all->items = vl_arena_grow(all->arena, all->items, all->count * sizeof *all->items,
                                   capacity * sizeof *all->items);
        all->capacity = capacity;
        if (!all->items)
            return no_memory(error);
    }
    const char *copy = vl_arena_strndup(all->arena, text, bytes);
    const char *clean = copy ? vl_text_squeeze(all->arena, copy) : NULL;
    if (!clean)
        return no_memory(error);
    all->items[all->count++] = clean;
    return VL_OK;
}

static vl_status add_sentences(list *all, const char *text, align_line_rule rule,
                               vl_error *error) {
    align_span *spans;
    size_t count;
    vl_status status = align_sentences(all->arena, text, rule, &spans, &count, error);
    for (size_t i = 0; i < count && !status; i++)
        status = add_text(all, text + spans[i].from, spans[i].to - spans[i].from, error);
    return status;
}

/* Every line, so that numbers are those of lines. */
static vl_status add_lines(list *all, const char *text, vl_error *error) {
    vl_status status = VL_OK;
    while (*text && !status) {
        size_t length = strcspn(text, "\n");
        status = add_text(all, text, length, error);
        text += length + (text[length] == '\n');
    }
    return status;
}

/* ---- plain text -------------------------------------------------------------------------- */

/* Nothing that `dataset parts` knows by its first bytes. */
static bool is_plain(const vl_buf *file) {
    const char *at = file->data ? file->data : "";
    if (vl_media_sniff(file->data, file->len) != VL_MEDIA_UNKNOWN ||
        (file->len && memchr(file->data, 0, file->len)))
        return false;
    at += strspn(at, " \t\r\n\xEF\xBB\xBF");
    return strncmp(at, "PK\3\4", 4) && strncmp(at, "%PDF", 4) && *at != '<';
}

/* Whether most line ends are a printer's and no sentence's: lines that are followed by another
 * are about as long as a line of a page, and do not end as a sentence does. */
static bool is_wrapped(const char *text) {
    size_t inside = 0, cut = 0;
    while (*text) {
        size_t length = strcspn(text, "\n");
        const char *next = text + length + (text[length] == '\n');
        if (length && *next && *next != '\n' && *next != '\r') {
            char last = text[length - 1 - (length > 1 && text[length - 1] == '\r')];
            inside++;
            cut += length >= WRAPPED_LEAST && length <= WRAPPED_MOST &&
                   ((last >= 'a' && last <= 'z') || last == ',' || last == '-');
        }
        text = next;
    }
    return inside >= 2 && 2 * cut > inside;
}

static vl_status read_plain(list *all, const vl_buf *file, bool lines, vl_error *error) {
    const char *text = vl_text_nfc(all->arena, file->data ? file->data : "");
    if (!text)
        return no_memory(error);
    if (lines)
        return add_lines(all, text, error);
    return add_sentences(all, text, is_wrapped(text) ? ALIGN_LINES_WRAPPED : ALIGN_LINES_BREAK,
                         error);
}

/* ---- other documents --------------------------------------------------------------------- */

typedef struct readers {
    const vl_langid *langid;
    vl_ocr *ocr;
} readers;

static vl_status open_ocr(void *user, vl_ocr **ocr, vl_error *error) {
    readers *r = user;
    vl_ocr_options reading = vl_ocr_options_default();
    reading.langid = r->langid;
    vl_status status = vl_ocr_new(&reading, &r->ocr, error);
    *ocr = r->ocr;
    return status;
}

static vl_status add_parts(list *all, const vl_parts *parts, vl_error *error) {
    vl_status status = VL_OK;
    for (size_t i = 0; i < parts->part_count && !status; i++) {
        const vl_part *part = &parts->parts[i];
        bool rows = part->kind == VL_PART_LIST || part->kind == VL_PART_TABLE;
        if (part->kind == VL_PART_RUNNING || vl_part_is_picture(part->kind) || part->continues)
            continue;
        const char *text = part->text;
        for (size_t next = part->goes_on; next && text && next < parts->part_count;
             next = parts->parts[next].goes_on)
            text = vl_arena_printf(all->arena, rows ? "%s\n%s" : "%s %s", text,
                                   parts->parts[next].text);
        status = text ? add_sentences(all, text, rows ? ALIGN_LINES_BREAK : ALIGN_LINES_WRAPPED,
                                      error)
                      : no_memory(error);
    }
    return status;
}

static vl_status read_parts(list *all, const vl_buf *file, const vl_langid *langid,
                            vl_error *error) {
    vl_parts_options options = vl_parts_options_default();
    readers r = {.langid = langid};
    vl_ngram *ngram = NULL;
    vl_parts *parts;
    vl_arena *arena = vl_arena_new(PARTS_ARENA_BYTES);
    vl_status status = arena ? vl_ngram_open(NULL, &ngram, error) : no_memory(error);
    options.langid = langid;
    options.ngram = ngram;
    options.open_ocr = open_ocr;
    options.user = &r;
    if (!status)
        status = vl_parts_read(file->data, file->len, &options, arena, &parts, error);
    if (!status)
        status = add_parts(all, parts, error);
    vl_arena_free(arena);
    vl_ocr_free(r.ocr);
    vl_ngram_free(ngram);
    return status;
}

/* ---- both -------------------------------------------------------------------------------- */

static void guess_language(align_document *d, const vl_langid *langid) {
    vl_buf sample;
    vl_lang_guess guess;
    vl_buf_init(&sample, 2 * GUESS_BYTES);
    for (size_t i = 0; i < d->count && sample.len < GUESS_BYTES; i++) {
        size_t bytes = strlen(d->texts[i]);
        if (bytes < GUESS_BYTES)
            vl_buf_printf(&sample, "%s\n", d->texts[i]);
    }
    if (sample.len && vl_langid_guess(langid, sample.data, 1, &guess))
        strcpy(d->language, guess.code);
    d->rtl = sample.len && vl_text_is_rtl(sample.data);
    vl_buf_deinit(&sample);
}

vl_status align_document_read(vl_arena *arena, const char *path, const char *language,
                              bool lines, align_document *document, vl_error *error) {
    vl_langid *langid = NULL;
    list all = {.arena = arena};
    vl_buf file;
    *document = (align_document){.path = path, .language = "und"};
    vl_buf_init(&file, FILE_BYTES_MAX + 1);
    vl_status status = vl_file_read(path, FILE_BYTES_MAX, &file, error);
    if (!status)
        status = vl_langid_open(NULL, &langid, error);
    if (!status) {
        status = is_plain(&file) ? read_plain(&all, &file, lines, error)
                                 : read_parts(&all, &file, langid, error);
        if (status)
            vl_error_prefix(error, "%s", path);
    }
    document->texts = all.items;
    document->count = all.count;
    if (!status)
        guess_language(document, langid);
    if (!status && language) {
        const char *code = vl_lang_code(language);
        if (strlen(code) >= VL_LANG_SIZE)
            status = vl_fail(error, VL_ERR_USAGE, "'%s' is no language code", language);
        else
            strcpy(document->language, code);
    }
    vl_langid_free(langid);
    vl_buf_deinit(&file);
    return status;
}

vl_status align_document_encode(vl_arena *arena, align_document *document, const char *vectors,
                                vl_error *error) {
    vl_embeddings *embeddings = NULL;
    vl_status status = vl_embeddings_read(vectors, 0, &embeddings, error);
    if (status)
        return vl_error_prefix(error, "%s", vectors);
    document->width = vl_embeddings_dim(embeddings);
    document->rows =
        vl_arena_array(arena, document->count * document->width + 1, sizeof *document->rows);
    status = document->rows ? vl_sif_encode(embeddings, document->texts, document->count,
                                            document->rows, error)
                            : no_memory(error);
    vl_embeddings_free(embeddings);
    return status;
}

vl_status align_documents_read(const cli_args *args, bool lines_of_pairs, vl_arena *arena,
                               align_document documents[2], vl_error *error) {
    static const char *const languages[] = {"src", "tgt"};
    static const char *const vectors[] = {"src-vectors", "tgt-vectors"};
    bool lines = lines_of_pairs || cli_has(args, "lines");
    vl_status status = VL_OK;
    if (args->operand_count != 3)
        return vl_fail(error, VL_ERR_USAGE, "which two documents? vislang align %s A B",
                       args->operands[0]);
    if (!strcmp(args->operands[1], "-") && !strcmp(args->operands[2], "-"))
        return vl_fail(error, VL_ERR_USAGE, "only one of the two can be standard input");
    if (cli_has(args, vectors[0]) != cli_has(args, vectors[1]))
        return vl_fail(error, VL_ERR_USAGE,
                       "--src-vectors and --tgt-vectors belong together: vectors of one "
                       "language say nothing beside none");
    for (size_t i = 0; i < 2 && !status; i++) {
        status =
            align_document_read(arena, args->operands[i + 1], cli_value(args, languages[i]),
                                lines, &documents[i], error);
        if (!status && cli_has(args, vectors[i]))
            status =
                align_document_encode(arena, &documents[i], cli_value(args, vectors[i]), error);
    }
    if (!status && documents[0].width != documents[1].width)
        status = vl_fail(error, VL_ERR_INPUT,
                         "vectors of %u and of %u dimensions are not of one space; bring them "
                         "together with vislang align map",
                         documents[0].width, documents[1].width);
    return status;
}

vl_status align_documents_space(const cli_args *args, const align_document documents[2],
                                vl_space **space, vl_error *error) {
    const char *const names[] = {documents[0].language, documents[1].language};
    const char *named = cli_value(args, "space");
    vl_status status = vl_space_open(named, space, error);
    if (status == VL_ERR_MISSING && !named)
        return VL_OK;
    for (size_t i = 0; i < 2; i++)
        if (!documents[i].count)
            fprintf(stderr, "vislang align %s: no text was found in %s\n", args->operands[0],
                    documents[i].path);
    for (size_t i = 0; i < 2 && !status && *space; i++) {
        if (vl_space_has(*space, names[i]))
            continue;
        if (documents[i].count)
            fprintf(stderr,
                    "vislang align %s: the space has no %s; aligned by lengths and by the "
                    "words that these documents show to translate each other\n",
                    args->operands[0], vl_lang_name(names[i]));
        vl_space_free(*space);
        *space = NULL;
    }
    return status;
}

vl_sentences align_document_sentences(const align_document *document, const vl_space *space) {
    return (vl_sentences){.texts = document->texts,
                          .count = document->count,
                          .rows = document->rows,
                          .space = space,
                          .language = document->language};
}

vl_status align_check_output(const char *flag, const char *out, const char *const *paths,
                             size_t count, vl_error *error) {
    struct stat written, read;
    if (!out || stat(out, &written) || !S_ISREG(written.st_mode))
        return VL_OK;
    for (size_t i = 0; i < count; i++)
        if (!stat(paths[i], &read) && read.st_dev == written.st_dev &&
            read.st_ino == written.st_ino)
            return vl_fail(error, VL_ERR_USAGE, "--%s %s would write over %s, which is read",
                           flag, out, paths[i]);
    return VL_OK;
}

const char *align_document_joined(vl_arena *arena, const align_document *document, size_t first,
                                  size_t count) {
    vl_buf joined;
    vl_buf_init(&joined, FILE_BYTES_MAX);
    for (size_t i = first; i < first + count; i++)
        vl_buf_printf(&joined, "%s%s", i > first ? " " : "", document->texts[i]);
    const char *copy =
        joined.failed ? NULL
                      : vl_arena_strndup(arena, joined.data ? joined.data : "", joined.len);
    vl_buf_deinit(&joined);
    return copy;
}
