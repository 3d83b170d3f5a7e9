/* characters.c — see characters.h. */
#include "dataset/characters.h"

#include <string.h>

bool character_is_impossible(UChar32 c) {
    int8_t type = u_charType(c);
    return c == 0xFFFD || type == U_PRIVATE_USE_CHAR || type == U_UNASSIGNED ||
           type == U_CONTROL_CHAR || type == U_SURROGATE;
}

UScriptCode character_script(UChar32 c) {
    UErrorCode code = U_ZERO_ERROR;
    UScriptCode script = uscript_getScript(c, &code);
    if (script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA || script == USCRIPT_HANGUL)
        return USCRIPT_HAN;
    return script == USCRIPT_INHERITED ? USCRIPT_COMMON : script;
}

double characters_surprise(const vl_ngram_language *language, const char *text) {
    size_t symbols = 0;
    double score = vl_ngram_score(language, text, &symbols);
    return symbols ? -score / (double)symbols : 0;
}

const vl_ngram_language *characters_language(const vl_ngram *ngram, const char *code) {
    const vl_ngram_language *found = ngram ? vl_ngram_find(ngram, code) : NULL;
    for (size_t i = 0; ngram && !found && i < vl_ngram_count(ngram); i++)
        if (!strcmp(vl_lang_code(vl_ngram_code(ngram, i)), code))
            found = vl_ngram_find(ngram, vl_ngram_code(ngram, i));
    return found;
}
