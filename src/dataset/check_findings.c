/* check_findings.c — what was found: counted by kind, the first of each kind kept with their
 * words, whatever thread they come from. */
#include "dataset/check.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 512, SHOWN_MAX = 4 * MESSAGE_MAX };

static const struct {
    const char *name;
    bool is_error;
    const char *means;
} kinds[FINDING_COUNT] = {
    [FINDING_JSON] = {"json", true, "a line or value is no JSON (RFC 8259)"},
    [FINDING_JSON_DEEP] = {"json_deep", true, "over 100 lists and objects in each other"},
    [FINDING_KEY_TWICE] = {"key_twice", true, "an object has one key twice"},
    [FINDING_UTF8] = {"utf8", true, "bytes are no UTF-8"},
    [FINDING_LINE_LONG] = {"line_long", true, "a line or value is over 16 MB"},
    [FINDING_LINE_CUT] = {"line_cut", true, "the file ends within a line"},
    [FINDING_BYTE_ORDER_MARK] = {"byte_order_mark", false,
                                 "the file begins with a byte order mark"},
    [FINDING_ROW_NO_OBJECT] = {"row_no_object", true, "a row is no JSON object"},
    [FINDING_FILE_UNREADABLE] = {"file_unreadable", true, "a file cannot be read"},
    [FINDING_ARCHIVE_BROKEN] = {"archive_broken", true, "an archive is cut off or damaged"},
    [FINDING_ARCHIVE_BOMB] = {"archive_bomb", true,
                              "a packed file unpacks to over 200 times its size"},
    [FINDING_FILE_NOT_READ] = {"file_not_read", false,
                               "a file of rows is of a kind that is not read here"},
    [FINDING_NOT_FINISHED] = {"not_finished", true, "there is no dataset.json"},
    [FINDING_NO_ROWS] = {"no_rows", true, "there is not one row"},
    [FINDING_FORMAT] = {"format_unknown", true, "dataset.json says another format than ours"},
    [FINDING_ABOUT] = {"about_differs", true,
                       "dataset.json counts other than what is in the dataset"},
    [FINDING_REVIEWS] = {"reviews_unreadable", true, "reviews.db cannot be read"},
    [FINDING_ITEM] = {"item", true, "a line is no item of a dataset of ours"},
    [FINDING_ID_MISSING] = {"id_missing", true, "a row has no id"},
    [FINDING_ID_TWICE] = {"id_twice", true, "two rows have one id"},
    [FINDING_BASE_MISSING] = {"base_missing", true, "an example's base item is not there"},
    [FINDING_FILE_NAME_MISSING] = {"file_name_missing", true,
                                   "a row of metadata names no picture"},
    [FINDING_FILE_NAME_TWICE] =
        {"file_name_twice", false,
         "two rows are of one picture, of which `datasets` 2 keeps one"},
    [FINDING_SCHEMA_DRIFT] = {"schema_drift", true,
                              "a column changes its type, which `datasets` refuses"},
    [FINDING_COLUMN_NEW] = {"column_new", true,
                            "a file has a column that those before it do not have, which "
                            "`datasets` refuses"},
    [FINDING_COLUMN_MISSING] = {"column_missing", true,
                                "a file lacks a column that those before it have, which "
                                "`datasets` refuses"},
    [FINDING_COLUMNS_MANY] = {"columns_many", false,
                              "over 2,000 columns: objects are used as maps"},
    [FINDING_TEXT_EMPTY] = {"text_empty", false, "a row has no text, or an empty one"},
    [FINDING_CONTROL_CHARACTER] = {"control_character", false,
                                   "a text has control characters, or U+FFFD"},
    [FINDING_LANGUAGE_UNKNOWN] = {"language_unknown", false,
                                  "a language is none that is known (ISO 639, BCP 47)"},
    [FINDING_LANGUAGE_DIFFERS] = {"language_differs", false,
                                  "a text is certainly in another language than it says"},
    [FINDING_SCRIPT_DIFFERS] = {"script_differs", false,
                                "a text is in another script than it says"},
    [FINDING_BOX_OUTSIDE] = {"box_outside", true, "a box is not inside of its picture"},
    [FINDING_CONVERSATION] = {"conversation", true, "a conversation does not alternate"},
    [FINDING_IMAGE_TOKEN] = {"image_token", true,
                             "a conversation's <image> does not go with its pictures"},
    [FINDING_ANNOTATION_ORPHAN] = {"annotation_orphan", true,
                                   "an annotation is of nothing that is there"},
    [FINDING_CATEGORY_MISSING] = {"category_missing", true,
                                  "an annotation's category is not there"},
    [FINDING_QUESTION_UNANSWERED] = {"question_unanswered", true,
                                     "a question has no annotation"},
    [FINDING_PROVENANCE_MISSING] = {"provenance_missing", true,
                                    "an item does not say which document it is from"},
    [FINDING_PROVENANCE_UNKNOWN] = {"provenance_unknown", true,
                                    "an item is of a document that documents.jsonl lacks"},
    [FINDING_PROVENANCE_DIFFERS] = {"provenance_differs", true,
                                    "an item says other things of its document than "
                                    "documents.jsonl"},
    [FINDING_DOCUMENT_TWICE] = {"document_twice", true,
                                "documents.jsonl has a document of a record twice"},
    [FINDING_KEY_RECURS] = {"key_recurs", true, "two shards have a sample of one key"},
    [FINDING_MEMBERS_APART] = {"members_apart", true,
                               "a sample's members are not next to each other"},
    [FINDING_MEMBER_TWICE] = {"member_twice", true, "a sample has a member twice"},
    [FINDING_MEMBER_ODD] = {"member_odd", false, "a member is no file, or has no ending"},
    [FINDING_SAMPLE_INCOMPLETE] = {"sample_incomplete", false,
                                   "a sample has other members than the first one"},
    [FINDING_PATH_OUTSIDE] = {"path_outside", true, "a path leads out of the dataset"},
    [FINDING_PICTURE_MISSING] = {"picture_missing", true, "a picture is not there"},
    [FINDING_PICTURE_UNREADABLE] = {"picture_unreadable", true, "a picture cannot be decoded"},
    [FINDING_PICTURE_LARGE] = {"picture_large", true, "a picture is larger than the limits"},
    [FINDING_PICTURE_SIZE] = {"picture_size", true, "a picture has another size than stated"},
    [FINDING_PICTURE_HASH] = {"picture_hash", true,
                              "a picture is not the one that its name or hash says"},
    [FINDING_PICTURE_REMOTE] = {"picture_remote", false,
                                "a picture stands elsewhere, and was not looked at"},
    [FINDING_PICTURE_UNUSED] = {"picture_unused", false, "no row names a picture"},
    [FINDING_PICTURE_UNTOLD] = {"picture_untold", true,
                                "no row of metadata.jsonl names a picture, which `datasets` "
                                "refuses"},
    [FINDING_LEAK_DOCUMENT] = {"leak_document", true, "a document is in two splits"},
    [FINDING_LEAK_PICTURE] = {"leak_picture", true, "a picture is in two splits"},
    [FINDING_LEAK_NEAR_TEXT] = {"leak_near_text", false,
                                "nearly the same text is in two splits"},
    [FINDING_LEAK_NEAR_PICTURE] = {"leak_near_picture", false,
                                   "nearly the same picture is in two splits"},
    [FINDING_UNCOMPARED] = {"uncompared", false,
                            "more rows than could be compared across splits"},
};

typedef struct found {
    uint64_t order;
    char *place, *message;
} found;

struct findings {
    pthread_mutex_t lock;
    size_t limit;
    uint64_t counts[FINDING_COUNT];
    found *kept[FINDING_COUNT]; /* sorted */
    size_t kept_count[FINDING_COUNT];
    bool failed; /* no memory for one */
};

findings *findings_new(size_t limit) {
    findings *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->limit = limit;
    pthread_mutex_init(&f->lock, NULL);
    return f;
}

static void forget(found *one) {
    free(one->place);
    free(one->message);
}

void findings_free(findings *f) {
    if (!f)
        return;
    for (size_t k = 0; k < FINDING_COUNT; k++) {
        for (size_t i = 0; i < f->kept_count[k]; i++)
            forget(&f->kept[k][i]);
        free(f->kept[k]);
    }
    pthread_mutex_destroy(&f->lock);
    free(f);
}

/* What a terminal obeys, or what is no text, as "\xNN". */
static char *visible(const char *text) {
    char out[SHOWN_MAX + 8];
    size_t used = 0, left = strlen(text);
    while (left && used + 8 < SHOWN_MAX) {
        size_t valid = vl_utf8_valid_prefix(text, left < 4 ? left : 4);
        size_t take = valid ? 1 : 0;
        while (valid && take < valid && ((unsigned char)text[take] & 0xC0) == 0x80)
            take++;
        if (!valid && left < 4 && (unsigned char)*text >= 0xC2) { /* cut to fit */
            used += (size_t)snprintf(out + used, 4, "…");
            break;
        }
        bool is_c1 =
            take == 2 && (unsigned char)text[0] == 0xC2 && (unsigned char)text[1] < 0xA0;
        if (!take || is_c1 || (unsigned char)*text < 0x20 || *text == 0x7F) {
            take = take ? take : 1;
            for (size_t i = 0; i < take; i++)
                used += (size_t)snprintf(out + used, 5, "\\x%02X", (unsigned char)text[i]);
        } else {
            memcpy(out + used, text, take);
            used += take;
        }
        text += take;
        left -= take;
    }
    out[used] = '\0';
    return strdup(out);
}

static int compare(const found *a, const found *b) {
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    int by_place = strcmp(a->place, b->place);
    return by_place ? by_place : strcmp(a->message, b->message);
}

/* Takes over `one`. */
static void keep(findings *f, finding kind, found one) {
    found *list = f->kept[kind];
    size_t count = f->kept_count[kind];
    if (!list && !(list = f->kept[kind] = calloc(f->limit, sizeof *list))) {
        f->failed = true;
        forget(&one);
        return;
    }
    size_t at = count;
    while (at && compare(&one, &list[at - 1]) < 0)
        at--;
    if (at == f->limit) {
        forget(&one);
        return;
    }
    if (count == f->limit)
        forget(&list[--count]);
    memmove(list + at + 1, list + at, (count - at) * sizeof *list);
    list[at] = one;
    f->kept_count[kind] = count + 1;
}

void findings_add(findings *f, finding kind, uint64_t order, const char *place,
                  const char *format, ...) {
    char message[MESSAGE_MAX];
    pthread_mutex_lock(&f->lock);
    f->counts[kind]++;
    bool wanted = f->limit && (f->kept_count[kind] < f->limit ||
                               order <= f->kept[kind][f->limit - 1].order);
    if (wanted) {
        va_list args;
        va_start(args, format);
        vsnprintf(message, sizeof message, format, args);
        va_end(args);
        found one = {order, visible(place), visible(message)};
        if (one.place && one.message)
            keep(f, kind, one);
        else {
            forget(&one);
            f->failed = true;
        }
    }
    pthread_mutex_unlock(&f->lock);
}

/* ---- the report -------------------------------------------------------------------------- */

static void take_kind(const findings *f, size_t kind, vl_check_report *report) {
    if (!f->counts[kind])
        return;
    *(kinds[kind].is_error ? &report->errors : &report->warnings) += f->counts[kind];
    report->counts[report->count_count++] = (vl_check_count){
        kinds[kind].name, kinds[kind].means, kinds[kind].is_error, f->counts[kind]};
    for (size_t i = 0; i < f->kept_count[kind]; i++) {
        vl_check_finding *to = &report->findings[report->finding_count++];
        *to = (vl_check_finding){kinds[kind].name, kinds[kind].is_error,
                                 strdup(f->kept[kind][i].place),
                                 strdup(f->kept[kind][i].message)};
    }
}

vl_status findings_report(const findings *f, vl_check_report *report, vl_error *error) {
    size_t all = 0;
    bool whole = true;
    for (size_t k = 0; k < FINDING_COUNT; k++)
        all += f->kept_count[k];
    report->counts = calloc(FINDING_COUNT, sizeof *report->counts);
    report->findings = calloc(all + 1, sizeof *report->findings);
    if (!report->counts || !report->findings || f->failed)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for what was found");
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = 0; k < FINDING_COUNT; k++)
            if (kinds[k].is_error == !pass)
                take_kind(f, k, report);
    for (size_t i = 0; i < report->finding_count; i++)
        whole = whole && report->findings[i].place && report->findings[i].message;
    return whole ? VL_OK : vl_fail(error, VL_ERR_MEMORY, "no memory for what was found");
}

void vl_check_report_deinit(vl_check_report *report) {
    for (size_t i = 0; i < report->finding_count; i++) {
        free(report->findings[i].place);
        free(report->findings[i].message);
    }
    free(report->findings);
    free(report->counts);
    *report = (vl_check_report){0};
}

/* ---- for people, as JSON ----------------------------------------------------------------- */

static void put_kind(const vl_check_report *report, const vl_check_count *count, vl_buf *out) {
    uint64_t listed = 0;
    vl_buf_printf(out, "\n%s %s: %llu (%s)\n", count->is_error ? "error" : "warning",
                  count->kind, (unsigned long long)count->count, count->means);
    for (size_t i = 0; i < report->finding_count; i++) {
        const vl_check_finding *one = &report->findings[i];
        if (strcmp(one->kind, count->kind) != 0)
            continue;
        vl_buf_printf(out, "  %s: %s\n", one->place, one->message);
        listed++;
    }
    if (listed && listed < count->count)
        vl_buf_printf(out, "  … and %llu more\n", (unsigned long long)(count->count - listed));
}

void vl_check_report_text(const vl_check_report *report, vl_buf *out) {
    vl_buf_printf(out, "layout %s: %llu rows, %llu pictures: ", vl_layout_name(report->layout),
                  (unsigned long long)report->rows, (unsigned long long)report->pictures);
    if (!report->errors && !report->warnings)
        vl_buf_puts(out, "nothing is wrong\n");
    else
        vl_buf_printf(out, "%llu errors, %llu warnings\n", (unsigned long long)report->errors,
                      (unsigned long long)report->warnings);
    for (size_t i = 0; i < report->count_count; i++)
        put_kind(report, &report->counts[i], out);
}

static const char *severity(bool is_error) {
    return is_error ? "error" : "warning";
}

vl_status vl_check_report_json(const vl_check_report *report, vl_buf *out, vl_error *error) {
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "layout", vl_layout_name(report->layout));
    cJSON_AddNumberToObject(root, "rows", (double)report->rows);
    cJSON_AddNumberToObject(root, "pictures", (double)report->pictures);
    cJSON_AddNumberToObject(root, "errors", (double)report->errors);
    cJSON_AddNumberToObject(root, "warnings", (double)report->warnings);
    cJSON *counts = cJSON_AddArrayToObject(root, "counts"),
          *list = cJSON_AddArrayToObject(root, "findings");
    for (size_t i = 0; i < report->count_count; i++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "kind", report->counts[i].kind);
        cJSON_AddStringToObject(one, "severity", severity(report->counts[i].is_error));
        cJSON_AddStringToObject(one, "means", report->counts[i].means);
        cJSON_AddNumberToObject(one, "count", (double)report->counts[i].count);
        cJSON_AddItemToArray(counts, one);
    }
    for (size_t i = 0; i < report->finding_count; i++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "kind", report->findings[i].kind);
        cJSON_AddStringToObject(one, "severity", severity(report->findings[i].is_error));
        cJSON_AddStringToObject(one, "place", report->findings[i].place);
        cJSON_AddStringToObject(one, "message", report->findings[i].message);
        cJSON_AddItemToArray(list, one);
    }
    char *text = cJSON_Print(root);
    if (text)
        vl_buf_puts(out, text);
    vl_buf_puts(out, "\n");
    cJSON_free(text);
    cJSON_Delete(root);
    return text ? vl_buf_status(out, "a report", error)
                : vl_fail(error, VL_ERR_MEMORY, "no memory for a report");
}
