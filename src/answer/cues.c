/* cues.c — words for one thing in the languages served, as plain words (lower case). */
#include "answer/reading.h"

const char *const cue_date[] = {
    "date",     "day",    "when",     "dated", "fecha", "cuándo", "cuando", "data",
    "quand",    "jour",   "tarehe",   "lini",  "siku",  "kwanan", "wata",   "yaushe",
    "taariikh", "goorma", "maalinta", "дата",  "коли",  "число",  "когда",  "التاريخ",
    "تاريخ",    "متى",    "يوم",      "ቀን",    "መቼ",    "ရက်စွဲ",    NULL};
const char *const cue_phone[] = {
    "phone",   "telephone", "tel",      "mobile",    "call",   "hotline",   "number",
    "contact", "cell",      "fax",      "simu",      "piga",   "téléphone", "appelez",
    "numéro",  "portable",  "teléfono", "telefono",  "llame",  "kira",      "waya",
    "lambar",  "xiriir",    "taleefan", "taleefoon", "wac",    "телефон",   "лінія",
    "линия",   "дзвоніть",  "номер",    "هاتف",      "الهاتف", "الرقم",     "رقم",
    "الاتصال", "اتصل",      "تلفون",    "ስልክ",       "ይደውሉ",   "ဖုန်း",       "whatsapp",
    NULL};
const char *const cue_place[] = {
    "place", "where",   "location", "venue", "camp",   "address", "site",   "lieu",
    "où",    "endroit", "adresse",  "lugar", "dónde",  "donde",   "local",  "mahali",
    "wapi",  "wuri",    "ina",      "goob",  "goobta", "halkee",  "xaggee", "місце",
    "де",    "куди",    "где",      "место", "адреса", "المكان",  "مكان",   "أين",
    "اين",   "العنوان", "ቦታ",       "የት",    "နေရာ",   NULL};
const char *const cue_amount[] = {
    "amount", "total",  "cost",    "price", "much",    "sum",     "pay",     "paid",
    "fee",    "funded", "montant", "prix",  "coût",    "combien", "monto",   "precio",
    "cuánto", "cuanto", "valor",   "bei",   "gharama", "kiasi",   "ngapi",   "kudi",
    "nawa",   "qiimo",  "imisa",   "сума",  "скільки", "ціна",    "сколько", "المبلغ",
    "كم",     "السعر",  "ስንት",     "ዋጋ",    NULL};
const char *const cue_name[] = {
    "name", "who",  "whose", "person", "nom",    "qui",    "nombre", "quién", "quien", "nome",
    "jina", "nani", "suna",  "wane",   "wanene", "magaca", "magac",  "kuma",  "ім'я",  "імʼя",
    "хто",  "кто",  "имя",   "الاسم",  "اسم",    "من",     "ስም",     "ማን",    "အမည်",   NULL};
const char *const cue_time[] = {"time",   "hour",   "hours",  "o'clock", "heure",  "heures",
                                "hora",   "saa",    "wakati", "ƙarfe",   "karfe",  "saac",
                                "saacad", "година", "годині", "час",     "الساعة", "ساعة",
                                "ሰዓት",    "နာရီ",    NULL};
