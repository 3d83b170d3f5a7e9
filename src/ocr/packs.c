/* packs.c — the table of Tesseract's packs as Debian ships them, and the choice among those
 * that are installed. Script packs come first: the first pack of a script is the widest. */
#include "ocr/packs.h"

#include <vislang/text.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>

static const vl_ocr_pack table[] = {
    {"Arabic", "Arab", NULL},      {"Armenian", "Armn", NULL},
    {"Bengali", "Beng", NULL},     {"Canadian_Aboriginal", "Cans", NULL},
    {"Cherokee", "Cher", NULL},    {"Cyrillic", "Cyrl", NULL},
    {"Devanagari", "Deva", NULL},  {"Ethiopic", "Ethi", NULL},
    {"Fraktur", "Latf", NULL},     {"Georgian", "Geor", NULL},
    {"Greek", "Grek", NULL},       {"Gujarati", "Gujr", NULL},
    {"Gurmukhi", "Guru", NULL},    {"Hangul", "Kore", NULL},
    {"HanS", "Hans", NULL},        {"HanT", "Hant", NULL},
    {"Hebrew", "Hebr", NULL},      {"Japanese", "Jpan", NULL},
    {"Kannada", "Knda", NULL},     {"Khmer", "Khmr", NULL},
    {"Lao", "Laoo", NULL},         {"Latin", "Latn", NULL},
    {"Malayalam", "Mlym", NULL},   {"Myanmar", "Mymr", NULL},
    {"Oriya", "Orya", NULL},       {"Sinhala", "Sinh", NULL},
    {"Syriac", "Syrc", NULL},      {"Tamil", "Taml", NULL},
    {"Telugu", "Telu", NULL},      {"Thaana", "Thaa", NULL},
    {"Thai", "Thai", NULL},        {"Tibetan", "Tibt", NULL},
    {"Vietnamese", "Latn", "vie"}, {"afr", "Latn", "afr"},
    {"amh", "Ethi", "amh"},        {"ara", "Arab", "ara"},
    {"asm", "Beng", "asm"},        {"aze", "Latn", "aze"},
    {"aze_cyrl", "Cyrl", "aze"},   {"bel", "Cyrl", "bel"},
    {"ben", "Beng", "ben"},        {"bod", "Tibt", "bod"},
    {"bos", "Latn", "bos"},        {"bre", "Latn", "bre"},
    {"bul", "Cyrl", "bul"},        {"cat", "Latn", "cat"},
    {"ceb", "Latn", "ceb"},        {"ces", "Latn", "ces"},
    {"chi_sim", "Hans", "cmn"},    {"chi_tra", "Hant", "cmn"},
    {"chr", "Cher", "chr"},        {"cos", "Latn", "cos"},
    {"cym", "Latn", "cym"},        {"dan", "Latn", "dan"},
    {"deu", "Latn", "deu"},        {"div", "Thaa", "div"},
    {"dzo", "Tibt", "dzo"},        {"ell", "Grek", "ell"},
    {"eng", "Latn", "eng"},        {"enm", "Latn", "enm"},
    {"epo", "Latn", "epo"},        {"est", "Latn", "est"},
    {"eus", "Latn", "eus"},        {"fao", "Latn", "fao"},
    {"fas", "Arab", "fas"},        {"fil", "Latn", "fil"},
    {"fin", "Latn", "fin"},        {"fra", "Latn", "fra"},
    {"frk", "Latf", "deu"},        {"frm", "Latn", "frm"},
    {"fry", "Latn", "fry"},        {"gla", "Latn", "gla"},
    {"gle", "Latn", "gle"},        {"glg", "Latn", "glg"},
    {"grc", "Grek", "grc"},        {"guj", "Gujr", "guj"},
    {"hat", "Latn", "hat"},        {"heb", "Hebr", "heb"},
    {"hin", "Deva", "hin"},        {"hrv", "Latn", "hrv"},
    {"hun", "Latn", "hun"},        {"hye", "Armn", "hye"},
    {"iku", "Cans", "iku"},        {"ind", "Latn", "ind"},
    {"isl", "Latn", "isl"},        {"ita", "Latn", "ita"},
    {"ita_old", "Latn", "ita"},    {"jav", "Latn", "jav"},
    {"jpn", "Jpan", "jpn"},        {"kan", "Knda", "kan"},
    {"kat", "Geor", "kat"},        {"kat_old", "Geor", "kat"},
    {"kaz", "Cyrl", "kaz"},        {"khm", "Khmr", "khm"},
    {"kir", "Cyrl", "kir"},        {"kmr", "Latn", "kmr"},
    {"kor", "Kore", "kor"},        {"lao", "Laoo", "lao"},
    {"lat", "Latn", "lat"},        {"lav", "Latn", "lav"},
    {"lit", "Latn", "lit"},        {"ltz", "Latn", "ltz"},
    {"mal", "Mlym", "mal"},        {"mar", "Deva", "mar"},
    {"mkd", "Cyrl", "mkd"},        {"mlt", "Latn", "mlt"},
    {"mon", "Cyrl", "mon"},        {"mri", "Latn", "mri"},
    {"msa", "Latn", "msa"},        {"mya", "Mymr", "mya"},
    {"nep", "Deva", "nep"},        {"nld", "Latn", "nld"},
    {"nor", "Latn", "nor"},        {"oci", "Latn", "oci"},
    {"ori", "Orya", "ori"},        {"pan", "Guru", "pan"},
    {"pol", "Latn", "pol"},        {"por", "Latn", "por"},
    {"pus", "Arab", "pus"},        {"que", "Latn", "que"},
    {"ron", "Latn", "ron"},        {"rus", "Cyrl", "rus"},
    {"san", "Deva", "san"},        {"sin", "Sinh", "sin"},
    {"slk", "Latn", "slk"},        {"slv", "Latn", "slv"},
    {"snd", "Arab", "snd"},        {"spa", "Latn", "spa"},
    {"spa_old", "Latn", "spa"},    {"sqi", "Latn", "sqi"},
    {"srp", "Cyrl", "srp"},        {"srp_latn", "Latn", "srp"},
    {"sun", "Latn", "sun"},        {"swa", "Latn", "swa"},
    {"swe", "Latn", "swe"},        {"syr", "Syrc", "syr"},
    {"tam", "Taml", "tam"},        {"tat", "Cyrl", "tat"},
    {"tel", "Telu", "tel"},        {"tgk", "Cyrl", "tgk"},
    {"tha", "Thai", "tha"},        {"tir", "Ethi", "tir"},
    {"ton", "Latn", "ton"},        {"tur", "Latn", "tur"},
    {"uig", "Arab", "uig"},        {"ukr", "Cyrl", "ukr"},
    {"urd", "Arab", "urd"},        {"uzb", "Latn", "uzb"},
    {"uzb_cyrl", "Cyrl", "uzb"},   {"vie", "Latn", "vie"},
    {"yid", "Hebr", "yid"},        {"yor", "Latn", "yor"},
    {"osd", "Zyyy", "und"},
};
enum { TABLE_COUNT = sizeof table / sizeof *table };

const vl_ocr_pack *vl_ocr_pack_table(size_t *count) {
    *count = TABLE_COUNT;
    return table;
}

const vl_ocr_pack *vl_ocr_pack_find(const char *name) {
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

static void apt_package(const vl_ocr_pack *pack, char out[64]) {
    if (pack->language || strcmp(pack->script, "Zyyy") == 0)
        snprintf(out, 64, "tesseract-ocr-%s", pack->name);
    else
        snprintf(out, 64, "tesseract-ocr-script-%s",
                 strcmp(pack->name, "Fraktur") == 0  ? "frak"
                 : strcmp(pack->name, "Hangul") == 0 ? "hang"
                                                     : pack->script);
    for (char *c = out; *c; c++)
        *c = *c == '_' ? '-' : (char)tolower((unsigned char)*c);
}

/* The first pack of a language, installed or not, by any of its codes. NULL: none. */
static const vl_ocr_pack *pack_for_code(const char *code) {
    const char *language = vl_lang_code(code);
    const vl_ocr_pack *same = vl_ocr_pack_find(language);
    if (same && same->language)
        return same;
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (table[i].language && strcmp(table[i].language, language) == 0)
            return &table[i];
    return NULL;
}

static vl_status unknown_language(const char *name, vl_error *error) {
    const char *names[TABLE_COUNT];
    for (size_t i = 0; i < TABLE_COUNT; i++)
        names[i] = table[i].name;
    const char *nearest = vl_nearest_name(name, names, TABLE_COUNT);
    if (nearest)
        return vl_fail(error, VL_ERR_USAGE, "unknown language \"%s\": did you mean \"%s\"?",
                       name, nearest);
    return vl_fail(error, VL_ERR_USAGE,
                   "unknown language \"%s\": languages are Tesseract packs or ISO 639 codes "
                   "such as eng, fr, swa, ara or eng+fra",
                   name);
}

/* The pack that a name or code means into `out`. */
static vl_status resolve_one(const vl_engine *engine, void *state, const char *name,
                             char out[96], vl_error *error) {
    bool plain = *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == 0;
    snprintf(out, 96, "%s", name);
    if (plain && engine->can_read(state, name))
        return VL_OK;
    const vl_ocr_pack *pack = vl_ocr_pack_find(name);
    if (!pack)
        pack = pack_for_code(name);
    if (!pack)
        return unknown_language(name, error);
    snprintf(out, 96, "%s", pack->name);
    if (engine->can_read(state, pack->name))
        return VL_OK;
    char package[64];
    apt_package(pack, package);
    return vl_fail(error, VL_ERR_MISSING,
                   "the language pack \"%s\" is not installed: apt-get install %s", pack->name,
                   package);
}

static bool has_pack(const char *packs, const char *name) {
    size_t length = strlen(name);
    for (const char *at = packs; *at; at += strspn(at, "+")) {
        size_t part = strcspn(at, "+");
        if (part == length && !strncmp(at, name, length))
            return true;
        at += part;
    }
    return false;
}

vl_status vl_ocr_packs_resolve(const vl_engine *engine, void *state, const char *asked,
                               char packs[VL_OCR_PACKS_SIZE], vl_error *error) {
    size_t used = 0;
    packs[0] = '\0';
    for (const char *from = asked;;) {
        size_t length = strcspn(from, "+");
        char name[96], pack[96];
        snprintf(name, sizeof name, "%.*s", (int)length, from);
        vl_status status = length < sizeof name ? resolve_one(engine, state, name, pack, error)
                                                : unknown_language(name, error);
        if (status)
            return status;
        if (!has_pack(packs, pack)) {
            if (used + strlen(pack) + 1 >= VL_OCR_PACKS_SIZE)
                return vl_fail(error, VL_ERR_USAGE, "too many languages at once: %s", asked);
            used += (size_t)snprintf(packs + used, VL_OCR_PACKS_SIZE - used, "%s%s",
                                     used ? "+" : "", pack);
        }
        if (!from[length])
            return VL_OK;
        from += length + 1;
    }
}

const vl_ocr_pack *vl_ocr_pack_for_script(const vl_engine *engine, void *state,
                                          const char *script) {
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (strcmp(table[i].script, script) == 0 && engine->can_read(state, table[i].name))
            return &table[i];
    return NULL;
}

const vl_ocr_pack *vl_ocr_pack_for_language(const vl_engine *engine, void *state,
                                            const char *language, const char *script) {
    language = vl_lang_code(language);
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (table[i].language && strcmp(table[i].language, language) == 0 &&
            strcmp(table[i].script, script) == 0 && engine->can_read(state, table[i].name))
            return &table[i];
    return NULL;
}

/* ---- scripts nobody reads ------------------------------------------------------------- */

static bool covers(const vl_ocr_pack *pack, const char *shapes) {
    if (strcmp(shapes, "Hani") == 0)
        return strcmp(pack->script, "Hans") == 0 || strcmp(pack->script, "Hant") == 0;
    return strcmp(pack->script, shapes) == 0;
}

const vl_ocr_pack *vl_ocr_pack_for_shapes(const vl_engine *engine, void *state,
                                          const char *script) {
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (covers(&table[i], script) && engine->can_read(state, table[i].name))
            return &table[i];
    return NULL;
}

static const char *script_name(const char *script) {
    static const struct {
        const char *code, *name;
    } names[] = {
        {"Hani", "Chinese"},  {"Jpan", "Japanese"},        {"Kore", "Korean"},
        {"Nkoo", "N'Ko"},     {"Olck", "Ol Chiki"},        {"Mtei", "Meetei Mayek"},
        {"Lana", "Tai Tham"}, {"Rohg", "Hanifi Rohingya"}, {"Cans", "Canadian Aboriginal"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].code, script) == 0)
            return names[i].name;
    int32_t code = u_getPropertyValueEnum(UCHAR_SCRIPT, script);
    const char *name = code < 0 ? NULL : uscript_getName((UScriptCode)code);
    return name ? name : script;
}

/* "apt-get install A B" of the script packs; "": Debian has none. */
static void install_line(const char *script, char line[160]) {
    size_t used = 0;
    *line = 0;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (table[i].language || !covers(&table[i], script))
            continue;
        char package[64];
        apt_package(&table[i], package);
        int n =
            snprintf(line + used, 160 - used, "%s%s", used ? " " : "apt-get install ", package);
        used += n > 0 ? (size_t)n : 0;
        if (used >= 160)
            return;
    }
}

const vl_unread *vl_ocr_script_unread(const char *script, double probability, vl_arena *arena) {
    char line[160];
    vl_unread *unread = vl_arena_alloc(arena, sizeof *unread);
    if (!unread)
        return NULL;
    snprintf(unread->script, sizeof unread->script, "%s", script);
    unread->probability = probability;
    const char *is = probability < 0.9 ? "seems to be" : "is";
    install_line(script, line);
    unread->status = *line ? VL_ERR_MISSING : VL_ERR_UNSUPPORTED;
    if (strcmp(script, "Zzzz") == 0)
        unread->message = "the page's script was not recognised, and no installed language "
                          "pack reads it: --languages names the packs to read it with";
    else if (*line)
        unread->message = vl_arena_printf(
            arena, "the page %s in %s script, which no installed pack reads: %s", is,
            script_name(script), line);
    else
        unread->message = vl_arena_printf(
            arena,
            "the page %s in %s script, for which Debian has no Tesseract pack: a service that "
            "reads it can be named in ocr_engines",
            is, script_name(script));
    return unread->message ? unread : NULL;
}
