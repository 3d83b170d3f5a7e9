/* respond.c — what an instruction asks for, and the part of the document that answers it.
 *
 * Of a photograph that the picture model has looked at, the text answers what asks for a fact
 * that stands in it, and the model all else (picture.c). Of a page:
 * what cannot be done is refused; a label that the instruction names ("date of
 * birth") is the best answer; then the kind of fact it asks about (date, phone, …), nearest to
 * its words; then the line that shares most with it, said with little confidence; then "I can't
 * tell". */
#include "answer/picture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_QUESTION_WORDS = 64, MAX_LISTED = 5 };

typedef struct question {
    const char *words[MAX_QUESTION_WORDS];
    size_t count;
} question;

static const char *const stopwords[] = {
    "what", "which", "is",     "are",      "the",  "a",       "an",    "of",    "in",     "on",
    "at",   "to",    "for",    "this",     "that", "it",      "does",  "do",    "did",    "was",
    "were", "be",    "please", "me",       "tell", "give",    "show",  "find",  "and",    "or",
    "by",   "there", "here",   "document", "page", "picture", "image", "quel",  "quelle", "est",
    "le",   "la",    "les",    "de",       "du",   "des",     "ce",    "cette", "un",     "une",
    "cuál", "cual",  "es",     "el",       "los",  "del",     "en",    "este",  "ni",     "ya",
    "wa",   "gani",  "hii",    "nini",     "ما",   "هو",      "هي",    "في",    "هل",     "من",
    "how",  "many",  "much",   "can",      "you",  "i",       "my",    "with",  "from",   "has",
    "have", "been",  NULL};

static bool asks(const question *q, const char *const *cues) {
    for (size_t i = 0; i < q->count; i++)
        if (is_one_of(q->words[i], cues))
            return true;
    return false;
}

static bool asks_pair(const question *q, const char *first, const char *second) {
    for (size_t i = 0; i + 1 < q->count; i++)
        if (!strcmp(q->words[i], first) && !strcmp(q->words[i + 1], second))
            return true;
    return false;
}

static void parse_question(reading *r, const char *instruction, question *q) {
    char *copy = vl_arena_strdup(r->arena, instruction), *save = NULL;
    q->count = 0;
    for (char *word = copy ? strtok_r(copy, " \t\r\n", &save) : NULL;
         word && q->count < MAX_QUESTION_WORDS; word = strtok_r(NULL, " \t\r\n", &save)) {
        const char *plain = plain_word(r->arena, word);
        if (plain && *plain)
            q->words[q->count++] = plain;
    }
}

/* ---- building an answer
 * ------------------------------------------------------------------------- */

void say(reading *r, vl_answer *answer, double confidence, const char *text) {
    answer->response = text ? text : "";
    answer->confidence = confidence;
    r->full |= !text;
}

void add_evidence(reading *r, vl_answer *answer, uint32_t page, vl_box box, const char *text,
                  double confidence) {
    vl_evidence *grown =
        vl_arena_grow(r->arena, answer->evidence, answer->evidence_count * sizeof *grown,
                      (answer->evidence_count + 1) * sizeof *grown);
    if (!grown)
        return;
    answer->evidence = grown;
    answer->evidence[answer->evidence_count++] = (vl_evidence){page, box, text, confidence};
}

static void add_fact_evidence(reading *r, vl_answer *answer, const vl_fact *fact) {
    add_evidence(r, answer, fact->page, fact->box, fact->text, fact->confidence);
}

static const char *join(reading *r, const char *list, const char *separator, const char *more) {
    return list ? vl_arena_printf(r->arena, "%s%s%s", list, separator, more) : more;
}

/* ---- fuzzy likeness of words
 * ----------------------------------------------------------------------- */

/* 1 the same, about 0.8 for one slip of the engine or another ending, 0 different. */
static double word_likeness(const char *a, const char *b) {
    if (!strcmp(a, b))
        return 1;
    size_t la = strlen(a), lb = strlen(b), same = 0;
    size_t shorter = la < lb ? la : lb, longer = la < lb ? lb : la;
    if (shorter < 4)
        return 0;
    while (same < shorter && a[same] == b[same])
        same++;
    if (same >= 4 && same * 10 >= longer * 7)
        return 0.85;
    return vl_nearest_name(a, &b, 1) && longer - shorter <= 2 && shorter >= 5 ? 0.75 : 0;
}

static bool is_content(const char *word) {
    return !is_one_of(word, stopwords);
}

/* Share of the label's content words that the question has, and of the question's that the
 * label has. */
static double label_likeness(reading *r, const question *q, const char *label) {
    question l;
    double matched = 0;
    size_t label_words = 0, question_words = 0, asked = 0;
    parse_question(r, label, &l);
    for (size_t i = 0; i < l.count; i++) {
        if (!is_content(l.words[i]))
            continue;
        label_words++;
        double best = 0;
        for (size_t j = 0; j < q->count; j++)
            best = fmax(best, word_likeness(l.words[i], q->words[j]));
        matched += best;
    }
    for (size_t j = 0; j < q->count; j++) {
        if (!is_content(q->words[j]))
            continue;
        question_words++;
        double best = 0;
        for (size_t i = 0; i < l.count; i++)
            best = fmax(best, word_likeness(l.words[i], q->words[j]));
        asked += best > 0.5;
    }
    if (!label_words || !question_words)
        return 0;
    return 0.6 * matched / (double)label_words + 0.4 * (double)asked / (double)question_words;
}

/* ---- answers by kind
 * ----------------------------------------------------------------------------- */

static bool answer_from_fields(reading *r, const question *q, vl_answer *answer) {
    const vl_fact *best = NULL;
    double likeness = 0;
    for (size_t i = 0; i < r->fact_count; i++) {
        const vl_fact *f = &r->facts[i];
        double like = f->kind == VL_FACT_FIELD && f->label ? label_likeness(r, q, f->label) : 0;
        if (like > likeness) {
            likeness = like;
            best = f;
        }
    }
    if (!best || likeness < 0.7)
        return false;
    say(r, answer, best->confidence * likeness,
        vl_arena_printf(r->arena, "%s: %s", best->label, best->text));
    add_fact_evidence(r, answer, best);
    return true;
}

/* How much the words before the fact, on its line and the one above, are those of the question.
 */
static double nearness(reading *r, const question *q, const vl_fact *fact) {
    double score = 0;
    for (size_t l = 0; l < r->line_count; l++) {
        const text_line *line = &r->lines[l];
        int32_t middle = line->box.y + line->box.height / 2;
        bool same = line->page == fact->page && middle >= fact->box.y &&
                    middle <= fact->box.y + fact->box.height;
        bool above = l + 1 < r->line_count && r->lines[l + 1].box.y <= fact->box.y &&
                     r->lines[l + 1].box.y + r->lines[l + 1].box.height > fact->box.y;
        if (!same && !above)
            continue;
        for (size_t i = 0; i < line->count; i++)
            for (size_t j = 0; j < q->count; j++)
                if (is_content(q->words[j]))
                    score +=
                        (same ? 1 : 0.4) * word_likeness(line->tokens[i].plain, q->words[j]);
    }
    return score;
}

/* A label that means the thing asked for, in any language, is a reason too. */
static double label_bonus(reading *r, const vl_fact *fact, const char *const *cues) {
    for (size_t l = 0; l < r->line_count; l++) {
        const text_line *line = &r->lines[l];
        int32_t middle = line->box.y + line->box.height / 2;
        if (line->page != fact->page || middle < fact->box.y ||
            middle > fact->box.y + fact->box.height)
            continue;
        for (size_t i = 0; i < line->count; i++)
            if (line->tokens[i].box.x != fact->box.x && is_one_of(line->tokens[i].plain, cues))
                return 0.5;
    }
    return 0;
}

static const char *fact_with_value(reading *r, const vl_fact *fact) {
    if (fact->kind == VL_FACT_DATE && fact->value && strcmp(fact->value, fact->text))
        return vl_arena_printf(r->arena, "%s (%s)", fact->text, fact->value);
    if (fact->kind == VL_FACT_DATE && !fact->value &&
        strspn(fact->text, "0123456789/.-") == strlen(fact->text))
        return vl_arena_printf(r->arena, "%s (which number is the day cannot be told)",
                               fact->text);
    return fact->text;
}

/* The best fact of a kind, the others listed. */
static bool answer_from_facts(reading *r, const question *q, vl_fact_kind kind,
                              const char *const *cues, const char *what, vl_answer *answer) {
    const vl_fact *best = NULL;
    double best_score = -1;
    size_t count = 0;
    for (size_t i = 0; i < r->fact_count; i++) {
        const vl_fact *f = &r->facts[i];
        if (f->kind != kind)
            continue;
        count++;
        double score = nearness(r, q, f) + label_bonus(r, f, cues) + 0.3 * f->confidence;
        if (score > best_score + 1e-9) {
            best_score = score;
            best = f;
        }
    }
    if (!best)
        return false;
    add_fact_evidence(r, answer, best);
    const char *others = NULL;
    size_t listed = 0;
    for (size_t i = 0; i < r->fact_count && listed < MAX_LISTED; i++) {
        const vl_fact *f = &r->facts[i];
        if (f->kind != kind || f == best || !strcmp(f->text, best->text))
            continue;
        others = join(r, others, "; ", fact_with_value(r, f));
        add_fact_evidence(r, answer, f);
        listed++;
    }
    const char *text = fact_with_value(r, best);
    double ambiguity = count > 1 && best_score < 1 ? 0.75 : 1;
    say(r, answer, best->confidence * ambiguity,
        others ? vl_arena_printf(r->arena, "%s. Other %s in it: %s.", text, what, others)
               : text);
    return true;
}

/* Why there is no text where there is some to be seen; NULL: nothing of the kind. */
static const char *why_unread(const reading *r) {
    for (size_t p = 0; p < r->page_count; p++)
        if (r->pages[p]->unread)
            return vl_arena_printf(r->arena, "There is text that is not read here: %s.",
                                   r->pages[p]->unread->message);
    return NULL;
}

static void answer_text(reading *r, vl_answer *answer) {
    const char *all = NULL;
    double confidence = 0;
    for (size_t p = 0; p < r->page_count; p++) {
        const char *text = vl_page_text(r->arena, r->pages[p]);
        all = text && *text ? join(r, all, "\n\n", text) : all;
        confidence += r->pages[p]->confidence / (double)r->page_count;
        if (r->pages[p]->block_count)
            add_evidence(r, answer, (uint32_t)p, r->pages[p]->blocks[0].box,
                         vl_block_text(r->arena, &r->pages[p]->blocks[0]),
                         r->pages[p]->confidence);
    }
    const char *unread = all ? NULL : why_unread(r);
    if (all || unread)
        say(r, answer, all ? confidence : 0.8, all ? all : unread);
    else
        say(r, answer, 0.5, "There is no text to read in it.");
}

static const char *languages_phrase(reading *r, const vl_answer *answer) {
    const char *list = NULL;
    for (size_t i = 0; i < answer->language_count && i < 3; i++) {
        const vl_lang_guess *g = &answer->languages[i];
        if (i && g->probability < 0.05)
            break;
        list = join(r, list, ", ",
                    vl_arena_printf(r->arena, "%s (%.0f %%)",
                                    strcmp(g->code, "und") ? vl_lang_name(g->code)
                                                           : "a language it does not know",
                                    g->probability * 100));
    }
    return list;
}

static void answer_language(reading *r, vl_answer *answer) {
    const char *list = languages_phrase(r, answer);
    if (!list) {
        say(r, answer, 0.3, "There is too little text to tell its language.");
        return;
    }
    say(r, answer, answer->languages[0].probability, list);
    if (r->line_count)
        add_evidence(r, answer, r->lines[0].page, r->lines[0].box, r->lines[0].text,
                     r->lines[0].confidence);
}

static void answer_counts(reading *r, vl_answer *answer) {
    size_t tables = 0, rows = 0, words = 0;
    for (size_t p = 0; p < r->page_count; p++)
        for (size_t b = 0; b < r->pages[p]->block_count; b++) {
            const vl_block *block = &r->pages[p]->blocks[b];
            if (block->kind == VL_BLOCK_TABLE) {
                tables++;
                rows += block->row_count;
                add_evidence(r, answer, (uint32_t)p, block->box, vl_block_text(r->arena, block),
                             block->confidence);
            }
        }
    for (size_t l = 0; l < r->line_count; l++)
        words += r->lines[l].count;
    say(r, answer, 0.8,
        vl_arena_printf(r->arena, "%u page%s, %zu lines, %zu words, %zu table%s%s.",
                        answer->document_pages, answer->document_pages == 1 ? "" : "s",
                        r->line_count, words, tables, tables == 1 ? "" : "s",
                        tables ? vl_arena_printf(r->arena, " with %zu rows in all", rows)
                               : ""));
}

/* ---- the line that is most like the question
 * ------------------------------------------------------- */

static double line_likeness(const question *q, const text_line *line) {
    double sum = 0, content = 0;
    for (size_t j = 0; j < q->count; j++) {
        if (!is_content(q->words[j]))
            continue;
        double best = 0;
        content++;
        for (size_t i = 0; i < line->count; i++)
            best = fmax(best, word_likeness(line->tokens[i].plain, q->words[j]));
        sum += best;
    }
    return content > 0 ? sum / content : 0;
}

static bool answer_from_lines(reading *r, const question *q, vl_answer *answer) {
    const text_line *best = NULL;
    double likeness = 0;
    for (size_t l = 0; l < r->line_count; l++) {
        double like = line_likeness(q, &r->lines[l]);
        if (like > likeness + 1e-9) {
            likeness = like;
            best = &r->lines[l];
        }
    }
    if (!best || likeness < 0.3)
        return false;
    say(r, answer, 0.45 * likeness * best->confidence,
        vl_arena_printf(r->arena, "The nearest it says: \"%s\"", best->text));
    add_evidence(r, answer, best->page, best->box, best->text, best->confidence * likeness);
    return true;
}

/* Extractive: the title and the lines that carry most facts. */
static void answer_summary(reading *r, vl_answer *answer) {
    const char *all = NULL;
    size_t taken = 0;
    for (size_t i = 0; i < r->fact_count && taken < 1; i++)
        if (r->facts[i].kind == VL_FACT_TITLE) {
            all = vl_arena_printf(r->arena, "\"%s\"", r->facts[i].text);
            add_fact_evidence(r, answer, &r->facts[i]);
            taken++;
        }
    for (size_t l = 0; l < r->line_count && taken < 4; l++) {
        const text_line *line = &r->lines[l];
        bool starts_block = !l || r->lines[l - 1].block != line->block;
        if (line->kind != VL_BLOCK_PARAGRAPH || !starts_block || line->count < 6)
            continue;
        all = join(r, all, " ", vl_arena_printf(r->arena, "\"%s\"", line->text));
        add_evidence(r, answer, line->page, line->box, line->text, line->confidence);
        taken++;
    }
    say(r, answer, all ? 0.5 : 0.1,
        all ? vl_arena_printf(r->arena, "In its own words (sentences taken out, none made): %s",
                              all)
            : "There is too little text in it to sum up.");
}

/* ---- what cannot be done
 * ---------------------------------------------------------------------------- */

static const char *const translate_words[] = {
    "translate", "translation", "traduire",   "traduis",  "traduction", "traducir", "traduce",
    "traduzir",  "tafsiri",     "fassara",    "turjum",   "turjun",     "ترجم",     "ترجمة",
    "ተርጉም",      "переклади",   "перекласти", "переведи", NULL};
static const char *const see_words[] = {
    "see",    "seen",    "photo", "photograph", "people",   "person", "face",
    "faces",  "animal",  "dog",   "car",        "building", "colour", "color",
    "object", "objects", "scene", "wearing",    "doing",    "damage", NULL};
static const char *const read_words[] = {
    "read",  "transcribe", "transcription", "text",    "say",   "says", "written",
    "lire",  "lis",        "texte",         "dit",     "leer",  "lee",  "texto",
    "dice",  "soma",       "maandishi",     "karanta", "akhri", "اقرأ", "النص",
    "مكتوب", "прочитай",   "текст",         "አንብብ",    NULL};
static const char *const language_words[] = {
    "language", "languages", "langue", "idioma", "lugha", "harshe", "luqad",
    "اللغة",    "لغة",       "мова",   "мовою",  "язык",  "ቋንቋ",    NULL};
static const char *const title_words[] = {"title", "heading", "headline",  "about",  "subject",
                                          "topic", "titre",   "sujet",     "título", "titulo",
                                          "tema",  "kichwa",  "mada",      "taken",  "العنوان",
                                          "موضوع", "ርዕስ",     "заголовок", "назва",  NULL};
static const char *const email_words[] = {"email",  "e-mail",  "mail", "courriel",
                                          "correo", "website", "web",  "url",
                                          "site",   "بريد",    NULL};
static const char *const summary_words[] = {
    "summarise", "summarize", "summary", "résume", "résumer", "résumé",   "resumir",
    "resumen",   "muhtasari", "taƙaita", "ملخص",   "لخص",     "підсумуй", NULL};
static const char *const describe_words[] = {"describe",  "description", "décris", "décrire",
                                             "describir", "describe",    "eleza",  "صف",
                                             "опиши",     NULL};
/* Words that ask what a photograph shows, beside those that mean nothing alone. */
static const char *const show_words[] = {
    "see",       "seen",         "photo", "photograph", "show",    "shows",     "shown",
    "happening", "happens",      "going", "happened",   "caption", "picture's", "montre",
    "voit",      "photographie", "foto",  "muestra",    "picha",   "صورة",      "الصورة",
    NULL};
static const char *const count_words[] = {"pages", "tables", "rows", "words", "lines", NULL};

static void refuse_translation(reading *r, vl_answer *answer) {
    const char *language =
        answer->language_count ? vl_lang_name(answer->languages[0].code) : "it";
    answer->refused = true;
    say(r, answer, 0,
        vl_arena_printf(
            r->arena,
            "I can't translate: this version has no translation model. I can give you "
            "the text in %s (ask \"what does it say?\").",
            language));
}

static void describe_photograph(reading *r, vl_answer *answer) {
    const char *colours = NULL;
    for (size_t i = 0; i < answer->look.colour_count && i < 3; i++)
        colours = join(r, colours, ", ", answer->look.colours[i].name);
    uint32_t width = r->page_count ? r->pages[0]->width : 0;
    uint32_t height = r->page_count ? r->pages[0]->height : 0;
    answer->refused = true;
    say(r, answer, 0.1,
        vl_arena_printf(
            r->arena,
            "No picture model is loaded, so I can't say what the picture shows. What is "
            "known: %u×%u pixels, mostly %s, %s, %s; no text was found in it.",
            width, height, colours ? colours : "of one colour",
            answer->look.brightness < 0.3   ? "dark"
            : answer->look.brightness > 0.7 ? "bright"
                                            : "of middling brightness",
            answer->look.sharpness > 0.15 ? "sharp" : "soft or blurred"));
}

/* ---- the description
 * --------------------------------------------------------------------------------- */

static const char *facts_phrase(reading *r, vl_answer *answer, vl_fact_kind kind,
                                const char *intro) {
    const char *list = NULL;
    size_t count = 0;
    for (size_t i = 0; i < r->fact_count && count < MAX_LISTED; i++) {
        const vl_fact *f = &r->facts[i];
        if (f->kind != kind)
            continue;
        list = join(r, list, "; ", fact_with_value(r, f));
        if (count++ < 2)
            add_fact_evidence(r, answer, f);
    }
    return list ? vl_arena_printf(r->arena, " %s: %s.", intro, list) : "";
}

static const char *structure_phrase(reading *r) {
    size_t paragraphs = 0;
    const char *tables = NULL;
    for (size_t p = 0; p < r->page_count; p++)
        for (size_t b = 0; b < r->pages[p]->block_count; b++) {
            const vl_block *block = &r->pages[p]->blocks[b];
            paragraphs += block->kind == VL_BLOCK_PARAGRAPH;
            if (block->kind == VL_BLOCK_TABLE)
                tables = join(r, tables, ", ",
                              vl_arena_printf(r->arena, "a table of %zu rows and %zu columns",
                                              block->row_count, block->column_count));
        }
    return vl_arena_printf(r->arena, " It has %zu paragraph%s%s%s.", paragraphs,
                           paragraphs == 1 ? "" : "s", tables ? " and " : "",
                           tables ? tables : "");
}

void describe(reading *r, vl_answer *answer) {
    if (r->view) {
        picture_describe(r, answer);
        return;
    }
    if (!r->line_count) {
        const char *unread = why_unread(r);
        if (unread)
            say(r, answer, 0.8, unread);
        else if (!strcmp(answer->document_kind, "photograph"))
            describe_photograph(r, answer);
        else if (!strcmp(answer->document_kind, "blank page"))
            say(r, answer, answer->document_kind_confidence, "A blank page: nothing is on it.");
        else
            say(r, answer, 0.2, "No text could be read in it, and no picture model is loaded.");
        return;
    }
    const char *languages = languages_phrase(r, answer), *title = "";
    double confidence = 0;
    for (size_t i = 0; i < r->fact_count; i++)
        if (r->facts[i].kind == VL_FACT_TITLE) {
            title = vl_arena_printf(r->arena, " Its title is \"%s\".", r->facts[i].text);
            add_fact_evidence(r, answer, &r->facts[i]);
            break;
        }
    for (size_t p = 0; p < r->page_count; p++)
        confidence += r->pages[p]->confidence / (double)r->page_count;
    const char *pages = answer->document_pages > 1
                            ? vl_arena_printf(r->arena, " of %u pages", answer->document_pages)
                            : "";
    bool vowel = strchr("aeiou", answer->document_kind[0]) != NULL;
    const char *text = vl_arena_printf(
        r->arena, "%s %s%s in %s.%s%s%s%s%s%s", vowel ? "An" : "A", answer->document_kind,
        pages, languages ? languages : "a language that cannot be told", title ? title : "",
        structure_phrase(r), facts_phrase(r, answer, VL_FACT_DATE, "Dates"),
        facts_phrase(r, answer, VL_FACT_PLACE, "Places"),
        facts_phrase(r, answer, VL_FACT_PHONE, "Telephone"),
        facts_phrase(r, answer, VL_FACT_AMOUNT, "Amounts"));
    say(r, answer, confidence, text);
}

/* ---- choosing
 * ----------------------------------------------------------------------------------------- */

static void cannot_tell(reading *r, vl_answer *answer, const char *what) {
    say(r, answer, 0.05,
        what ? vl_arena_printf(r->arena,
                               "I can't tell from this document: no %s was found in it.", what)
             : "I can't tell from this document.");
}

/* Questions about a kind of fact, in the order they are tried. */
static const struct {
    const char *const *cues;
    vl_fact_kind kind;
    const char *what, *others;
} fact_questions[] = {
    {email_words, VL_FACT_EMAIL, "address", "addresses"},
    {cue_phone, VL_FACT_PHONE, "telephone number", "numbers"},
    {cue_date, VL_FACT_DATE, "date", "dates"},
    {cue_time, VL_FACT_TIME, "time", "times"},
    {cue_amount, VL_FACT_AMOUNT, "amount", "amounts"},
    {cue_place, VL_FACT_PLACE, "place", "places"},
    {title_words, VL_FACT_TITLE, "title", "titles"},
};

/* `only`: nothing else can answer, so that a fact asked for and not found is said so. */
static bool ask_facts(reading *r, const question *q, bool only, vl_answer *answer) {
    for (size_t i = 0; i < sizeof fact_questions / sizeof *fact_questions; i++) {
        if (!asks(q, fact_questions[i].cues))
            continue;
        if (!only && fact_questions[i].kind == VL_FACT_TITLE)
            continue; /* the largest letters in a photograph are not what it is about */
        if (answer_from_facts(r, q, fact_questions[i].kind, fact_questions[i].cues,
                              fact_questions[i].others, answer))
            return true;
        if (fact_questions[i].kind == VL_FACT_EMAIL &&
            answer_from_facts(r, q, VL_FACT_URL, email_words, "addresses", answer))
            return true;
        if (!only)
            continue;
        if (!answer_from_fields(r, q, answer))
            cannot_tell(r, answer, fact_questions[i].what);
        return true;
    }
    return false;
}

/* True when nothing is asked for but what the photograph shows: "what is this?". */
static bool asks_what_it_shows(const question *q) {
    for (size_t i = 0; i < q->count; i++)
        if (is_content(q->words[i]) && !is_one_of(q->words[i], show_words))
            return false;
    return true;
}

static void respond_about_photograph(reading *r, const char *instruction, const question *q,
                                     vl_answer *answer) {
    if (asks_what_it_shows(q) || asks(q, describe_words) || asks(q, summary_words))
        describe(r, answer);
    else if (asks(q, translate_words))
        refuse_translation(r, answer);
    else if (asks(q, language_words))
        answer_language(r, answer);
    else if (answer_from_fields(r, q, answer) || ask_facts(r, q, false, answer))
        return;
    else if (asks(q, read_words))
        answer_text(r, answer);
    else
        picture_ask(r, instruction, answer);
}

void respond(reading *r, const char *instruction, vl_answer *answer) {
    question q;
    parse_question(r, instruction, &q);
    if (r->view)
        respond_about_photograph(r, instruction, &q, answer);
    else if (!q.count || asks(&q, describe_words)) {
        describe(r, answer);
    } else if (asks(&q, translate_words)) {
        refuse_translation(r, answer);
    } else if (!r->line_count) {
        describe(r, answer);
    } else if (asks(&q, language_words)) {
        answer_language(r, answer);
    } else if (asks(&q, summary_words)) {
        answer_summary(r, answer);
    } else if (asks_pair(&q, "how", "many") && asks(&q, count_words)) {
        answer_counts(r, answer);
    } else if (!answer_from_fields(r, &q, answer) && !ask_facts(r, &q, true, answer)) {
        if (asks(&q, read_words))
            answer_text(r, answer);
        else if (!answer_from_lines(r, &q, answer)) {
            cannot_tell(r, answer, NULL);
            if (asks(&q, see_words))
                say(r, answer, 0.05,
                    "I can't tell: no picture model is loaded, and the text does not say it.");
        }
    }
}
