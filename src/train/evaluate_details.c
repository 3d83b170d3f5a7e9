/* evaluate_details.c — what was said of each picture beside what is known of it, a JSON object
 * a line: for looking at mistakes, and for scoring by other means. */
#include "train/evaluate.h"

enum { MAX_DETAILS = 1 << 30 };

static void add_captions(const eval_data *data, const eval_item *item, cJSON *out) {
    cJSON *written = NULL, *known = NULL;
    for (size_t l = 0; item->written && l < data->language_count; l++)
        if (item->written[l].text) {
            if (!written)
                written = cJSON_AddObjectToObject(out, "written");
            cJSON *one = cJSON_AddObjectToObject(written, data->languages[l]);
            cJSON_AddStringToObject(one, "text", item->written[l].text);
            cJSON_AddNumberToObject(one, "confidence", item->written[l].confidence);
        }
    for (size_t c = 0; c < item->caption_count; c++) {
        const eval_caption *caption = &item->captions[c];
        if (!known)
            known = cJSON_AddObjectToObject(out, "captions");
        cJSON *list = cJSON_GetObjectItem(known, caption->language);
        if (!list)
            list = cJSON_AddArrayToObject(known, caption->language);
        cJSON_AddItemToArray(list, cJSON_CreateString(caption->text));
    }
}

static vl_status add_questions(const eval_item *item, cJSON *out, vl_error *error) {
    cJSON *list = item->question_count ? cJSON_AddArrayToObject(out, "qa") : NULL;
    for (size_t q = 0; q < item->question_count; q++) {
        const eval_question *question = &item->questions[q];
        cJSON *one = cJSON_CreateObject(), *answers;
        cJSON_AddItemToArray(list, one);
        cJSON_AddStringToObject(one, "question", question->text);
        answers = cJSON_AddArrayToObject(one, "answer");
        for (size_t a = 0; a < question->answer_count; a++)
            cJSON_AddItemToArray(answers, cJSON_CreateString(question->answers[a]));
        bool exact, plain;
        vl_status status = eval_answer_right(question, question->said, &exact, &plain, error);
        if (status)
            return status;
        if (question->said) {
            cJSON_AddStringToObject(one, "said", question->said);
            cJSON_AddNumberToObject(one, "confidence", question->confidence);
        }
        cJSON_AddBoolToObject(one, "exact", exact);
    }
    return VL_OK;
}

/* cJSON writes what is no number as null. */
static void add_judgements(const eval_item *item, cJSON *out) {
    cJSON *list = item->statement_count ? cJSON_AddArrayToObject(out, "statements") : NULL;
    for (size_t s = 0; s < item->statement_count; s++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddItemToArray(list, one);
        cJSON_AddStringToObject(one, "statement", item->statements[s].text);
        cJSON_AddBoolToObject(one, "true", item->statements[s].truth);
        cJSON_AddNumberToObject(one, "probability", item->statements[s].probability);
    }
    cJSON *labels = item->label_count ? cJSON_AddObjectToObject(out, "labels") : NULL;
    for (size_t l = 0; l < item->label_count; l++) {
        const eval_label *label = &item->labels[l];
        cJSON *one = cJSON_AddObjectToObject(labels, label->set);
        cJSON_AddStringToObject(one, "is", label->truth);
        if (label->guess_count) {
            cJSON_AddStringToObject(one, "said", label->guesses[0].label);
            cJSON_AddNumberToObject(one, "probability", label->guesses[0].probability);
        }
    }
}

static vl_status add_item(const eval_data *data, const eval_item *item, vl_buf *text,
                          vl_error *error) {
    cJSON *out = cJSON_CreateObject();
    cJSON_AddStringToObject(out, "file_name", item->name);
    add_captions(data, item, out);
    vl_status status = add_questions(item, out, error);
    add_judgements(item, out);
    char *line = status ? NULL : cJSON_PrintUnformatted(out);
    if (line)
        vl_buf_printf(text, "%s\n", line);
    else if (!status)
        status = vl_fail(error, VL_ERR_MEMORY, "no memory for the details");
    cJSON_free(line);
    cJSON_Delete(out);
    return status;
}

vl_status eval_write_details(const eval_data *data, const char *path, vl_error *error) {
    vl_buf text;
    vl_buf_init(&text, MAX_DETAILS);
    vl_status status = VL_OK;
    for (size_t i = 0; i < data->count && !status; i++)
        if (eval_counts(&data->items[i]))
            status = add_item(data, &data->items[i], &text, error);
    if (!status)
        status = vl_buf_status(&text, "details", error);
    if (!status)
        status = vl_file_write(path, text.data, text.len, error);
    vl_buf_deinit(&text);
    return status;
}
