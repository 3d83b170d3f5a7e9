/* script.c — see script.h. */
#include "dataset/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of each block what is in print today. Precomposed letters that NFC takes apart (Devanagari
 * and Bengali letters with nukta) drop out when the alphabet is made. */
const script_kind script_kinds[VL_SCRIPT_COUNT] = {
    {"latin", "Latn", 10, false, false, false,
     "[A-Za-zªºÀ-ÖØ-öø-ćČ-ēĖ-ěĞğĠġĢģĦ-īĮ-ıĶķĹ-ľŁ-ňŊ-ōŐ-ŕŘ-śŞ-šŤťŨ-ūŮ-ųŴ-žƁɓƉƊɖɗƎǝƏəƐɛƆɔƑƒƔɣƖɩƗɨ"
     "ƘƙƝɲƠơƤƥƩʃƬƭƯưƱʊƲʋƳƴƷʒǍ-ǔǦ-ǫǸǹȘ-țɅʌɄʉḌḍḒḓḤḥḶḷḼḽḾḿṀṁṄṅṆṇṊṋṚṛṢṣṬṭṰṱẀ-ẅẒẓẽẼẞẠ-ỹ"
     "\\u0300-\\u0304\\u0306-\\u0308\\u030A-\\u030C\\u0323\\u0324\\u0327\\u0330\\u0331"
     "ʻʼˈː]",
     "AZazéèêçñüöß0123456789.,:;-()", "ạđɓŋẹọşłžőıɛ", "en", NULL, NULL},
    {"arabic", "Arab", 4, true, true, false,
     "[،؛؟ء-غف-\\u0652\\u0654\\u0660-\\u066C\\u0670ٱٹټپځڅچډڈڑړږژښڤکګڭگںڼھۀہۂۃۆۇۈۋۍێېےۓ۔ەڕڵ۰-۹"
     "\\u200C]",
     "ابتثجحخدذرزسشصضطظعغفقكلمنهويءأإآةىئؤ،", "پچژگکیًٌٍَُِّْ٠۱", "ar", "ببب", "٠١٢٣٤٥٦٧٨٩"},
    {"ethiopic", "Ethi", 4, false, false, false,
     "[ሀ-ሆለ-ሎሏሐ-ሖሗመ-ሞሟሠ-ሦረ-ሯሰ-ሷሸ-ሿቀ-ቆቈቊ-ቍቐ-ቖበ-ቧቨ-ቮቯተ-ቷቸ-ቿኀ-ኆኋነ-ኗኘ-ኟአ-ኦከ-ኮኰኲ-ኵኸ-ኾዀወ-ዎ"
     "ዐ-ዖዘ-ዟዠ-ዧየ-ዮደ-ዶዷጀ-ጇገ-ጎጐጒ-ጕጠ-ጧጨ-ጮጯጰ-ጶጸ-ጾጿፀ-ፆፈ-ፏፐ-ፖ፡-፼]",
     "ሀለሐመሠረሰሸቀበተቸኀነኘአከኸወዐዘዠየደጀገጠጨጰጸፀፈፐ።፣", NULL, "am", NULL, NULL},
    {"cyrillic", "Cyrl", 3, false, false, false,
     "[Ё-ЌЎ-я\u0451-\u045CўџҐґҒғҚқҢңҮүҰұҲҳҶҷҺһӘәӢӣӦӧӨөӮӯ]",
     "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюяіїє", NULL, "ru", NULL,
     NULL},
    {"devanagari", "Deva", 4, false, true, false,
     "[\\u0901-\\u0903अ-ऋऍएऐऑओ-हऽ-ृॅे-ॉो-्\\u093Cॐ\\u0964-\\u0970\\u200D]",
     "अआइईउऊएऐओऔकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसहािीुूेैोौ्ं।", NULL, "hi", "न्त्र", "०१२३४५६७८९"},
    {"bengali", "Beng", 2.5, false, true, false, "[\\u0981-\\u0983অ-ঋএঐও-হ\\u09BC-ৃে-ৎ০-ৱ]",
     "অআইঈউঊএঐওঔকখগঘঙচছজঝঞটঠডঢণতথদধনপফবভমযরলশষসহািীুূেৈ্ং", NULL, "bn", "ন্ত্র", "০১২৩৪৫৬৭৮৯"},
    {"burmese", "Mymr", 2.5, false, false, true,
     "[\\u1000-\\u1021\\u1023-\\u1027\\u1029-\\u1032\\u1036-\\u104F]",
     "ကခဂငစဆဇညတထဒဓနပဖဗဘမယရလဝသဟအါာိီုူေဲံ့း္်ျြွှ၊။", NULL, "my", "က္က", "၀၁၂၃၄၅၆၇၈၉"},
    {"khmer", "Khmr", 2.5, false, false, true, "[ក-ជឈ-លវស-អឥ-ឧឩ-ឳា-៍៏-៑។-៖៛០-៩]",
     "កខគឃងចឆជឈញដឋឌឍណតថទធនបផពភមយរលវសហឡអាិីឹឺុូួើេែៃោៅំះ្។", NULL, "km", "ក្ក", "០១២៣៤៥៦៧៨៩"},
    {"tamil", "Taml", 2.5, false, false, false, "[\\u0B82-\\u0BCD\\u0BE6-\\u0BF3]",
     "அஆஇஈஉஊஎஏஐஒஓகஙசஞடணதநபமயரலவழளறனஷஸஹாிீுூெேைொோ்", NULL, "ta", NULL, "௦௧௨௩௪௫௬௭௮௯"},
};

vl_script script_by_code(const char *code) {
    size_t i = 0;
    while (i < VL_SCRIPT_COUNT && strcmp(script_kinds[i].code, code) != 0)
        i++;
    return (vl_script)i;
}

const char *vl_script_name(vl_script script) {
    return script < VL_SCRIPT_COUNT ? script_kinds[script].name : "other";
}

static vl_status parse_one(char *item, double weights[VL_SCRIPT_COUNT], vl_error *error) {
    const char *names[VL_SCRIPT_COUNT];
    char *equals = strchr(item, '='), *end = NULL;
    if (equals)
        *equals = '\0';
    for (size_t i = 0; i < VL_SCRIPT_COUNT; i++) {
        names[i] = script_kinds[i].name;
        if (strcmp(names[i], item) != 0)
            continue;
        weights[i] = equals ? strtod(equals + 1, &end) : script_kinds[i].weight;
        if (equals && (end == equals + 1 || *end || !(weights[i] >= 0 && weights[i] <= 1e6)))
            return vl_fail(error, VL_ERR_USAGE, "%s: '%s' is not a weight", item, equals + 1);
        return VL_OK;
    }
    const char *nearest = vl_nearest_name(item, names, VL_SCRIPT_COUNT);
    return vl_fail(error, VL_ERR_USAGE, "no script '%s'; %s%s", item,
                   nearest ? "did you mean "
                           : "there are latin, arabic, ethiopic, cyrillic, "
                             "devanagari, bengali, burmese, khmer, tamil",
                   nearest ? nearest : "");
}

vl_status vl_script_weights_parse(const char *list, double weights[VL_SCRIPT_COUNT],
                                  vl_error *error) {
    char copy[512], *rest = copy;
    vl_status status = VL_OK;
    double sum = 0;
    if (snprintf(copy, sizeof copy, "%s", list) >= (int)sizeof copy)
        return vl_fail(error, VL_ERR_USAGE, "the list of scripts is too long");
    for (size_t i = 0; i < VL_SCRIPT_COUNT; i++)
        weights[i] = 0;
    for (char *item; !status && (item = strsep(&rest, ","));)
        status = parse_one(item, weights, error);
    for (size_t i = 0; i < VL_SCRIPT_COUNT; i++)
        sum += weights[i];
    if (!status && !(sum > 0))
        status = vl_fail(error, VL_ERR_USAGE, "'%s' leaves no script to draw", list);
    return status;
}
