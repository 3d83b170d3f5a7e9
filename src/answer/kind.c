/* kind.c — what kind of document it is, by the words and the shape that each kind has.
 *
 * Each kind collects points; the confidence is the winner's share of all points, so that two
 * kinds with the same evidence come out at one half. */
#include "answer/reading.h"

#include <math.h>
#include <string.h>

typedef enum kind_index { NOTICE, FORM, REPORT, RECEIPT, LETTER, SIGN, PAGE, KINDS } kind_index;
static const char *const kind_names[KINDS] = {"notice", "form", "report", "receipt",
                                              "letter", "sign", "page"};

static const char *const cues[KINDS][48] = {
    [NOTICE] = {"notice",   "warning",    "announcement",  "alert",        "attention",
                "advisory", "avis",       "annonce",       "alerte",       "aviso",
                "alerta",   "comunicado", "anuncio",       "tangazo",      "onyo",
                "taarifa",  "sanarwa",    "sanarwar",      "ogeysiis",     "digniin",
                "إعلان",    "اعلان",      "تنبيه",         "تحذير",        "ማስታወቂያ",
                "ማስጠንቀቂያ",  "оголошення", "увага",         "попередження", "объявление",
                "သတိပေးချက်", "ကြေညာချက်",   "ရေဘေးသတိပေးချက်", "évacuation",   NULL},
    [FORM] = {"form", "registration", "signature", "formulaire", "inscription", "formulario",
              "registro", "fomu", "usajili", "foomka", "استمارة", "نموذج", "ቅጽ", "анкета",
              "форма", "ပုံစံ", "applicant", NULL},
    [REPORT] = {"report", "situation", "sitrep", "assessment", "rapport", "informe", "ripoti",
                "rahoto", "warbixin", "تقرير", "ሪፖርት", "звіт", "отчёт", "အစီရင်ခံစာ", "update",
                "bulletin", NULL},
    [RECEIPT] = {"receipt", "invoice", "total", "cash",    "subtotal", "change",
                 "paid",    "qty",     "price", "facture", "reçu",     "recibo",
                 "factura", "risiti",  "resit", "إيصال",   "فاتورة",   "ደረሰኝ",
                 "чек",     "рахунок", "tax",   NULL},
    [LETTER] = {"dear",        "sincerely",    "faithfully", "madame",   "monsieur",
                "salutations", "cordialement", "estimado",   "estimada", "atentamente",
                "mpendwa",     "ndugu",        "mheshimiwa", "السيد",    "المحترم",
                "ክቡር",         "шановний",     "шановна",    "повагою",  NULL},
};

static void count_cues(const reading *r, double points[KINDS]) {
    for (size_t l = 0; l < r->line_count; l++) {
        const text_line *line = &r->lines[l];
        double weight = line->kind == VL_BLOCK_TITLE || l == 0 ? 4 : 0.8;
        for (size_t i = 0; i < line->count; i++)
            for (int k = 0; k < KINDS; k++)
                if (is_one_of(line->tokens[i].plain, cues[k]))
                    points[k] += weight;
    }
    for (int k = 0; k < KINDS; k++) /* the tenth "total" says little more than the third */
        points[k] = points[k] > 4 ? 4 + log2(points[k] - 3) : points[k];
}

static void weigh_shape(const reading *r, double points[KINDS]) {
    size_t words = 0, fields = 0, amounts = 0, tables = 0, blocks = 0;
    for (size_t l = 0; l < r->line_count; l++)
        words += r->lines[l].count;
    for (size_t i = 0; i < r->fact_count; i++) {
        fields += r->facts[i].kind == VL_FACT_FIELD;
        amounts += r->facts[i].kind == VL_FACT_AMOUNT;
    }
    for (size_t p = 0; p < r->page_count; p++)
        for (size_t b = 0; b < r->pages[p]->block_count; b++) {
            tables += r->pages[p]->blocks[b].kind == VL_BLOCK_TABLE;
            blocks++;
        }
    points[PAGE] += 1;
    points[FORM] += fields >= 5 ? 2.0 : fields >= 4 ? 0.7 : 0;
    points[REPORT] += (r->page_count > 3) + (words > 250) + (tables && words > 150);
    points[RECEIPT] += amounts >= 3 && words < 120 ? 1.0 : 0;
    points[NOTICE] += words > 20 && words < 200 && fields >= 1 && fields <= 4 ? 0.8 : 0;
    points[SIGN] += words && words <= 12 && blocks <= 4 ? 3.0 : 0;
    points[PAGE] += words > 120 && !tables && fields < 3 ? 1.0 : 0;
}

kind_guess guess_document_kind(const reading *r, const vl_picture_look *look) {
    double points[KINDS] = {0}, sum = 0;
    if (!r->line_count) {
        if (look->kind == VL_PICTURE_BLANK)
            return (kind_guess){"blank page", 0.9};
        if (look->kind == VL_PICTURE_PHOTO)
            return (kind_guess){"photograph", 1 - look->page_probability};
        return (kind_guess){"page", 0.3};
    }
    count_cues(r, points);
    weigh_shape(r, points);
    int best = 0;
    for (int k = 0; k < KINDS; k++) {
        sum += points[k];
        if (points[k] > points[best])
            best = k;
    }
    return (kind_guess){kind_names[best], sum > 0 ? points[best] / sum : 0};
}
