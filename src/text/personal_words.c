/* personal_words.c — the words that say what follows them, in the languages of the forms and
 * letters that are read here: titles, and labels of names, telephones and identity documents.
 * A phrase is matched without case, its spaces over any number of them, and ends where a word
 * does. */
#include "text/personal.h"
#include "text/phrases.h"

#include <pthread.h>
#include <string.h>
#include <unicode/uchar.h>

static const phrase_list lists[] = {
    {PERSONAL_WORD_TITLE,
     /* English, French, Spanish, Portuguese, Italian, German, Dutch */
     "mr|mrs|ms|miss|dr|prof|professor|mx|mme|mlle|monsieur|madame|mademoiselle|mgr|me|"
     "señor|señora|señorita|sr|sra|srta|doña|senhor|senhora|dona|sig|signor|signora|herr|frau|"
     "mevrouw|dhr|mevr|"
     /* Swahili, Hausa, Somali, Oromo, Yoruba, Igbo, Kinyarwanda, Zulu, Shona */
     "bw|bwana|bi|bibi|dkt|dk|mh|mhe|mhandisi|mchungaji|profesa|mzee|mheshimiwa|malam|mallam|"
     "alhaji|hajiya|alhaja|obbo|aadde|"
     "ogbeni|arabinrin|mazi|oriaku|bwana|madamu|mnumzane|nksz|nkosikazi|mudane|marwo|"
     /* Amharic and Tigrinya */
     "አቶ|ወ/ሮ|ወይዘሮ|ወይዘሪት|ወ/ሪት|ዶ/ር|ዶክተር|ፕሮፌሰር|ኣይተ|ወይዘሮ|"
     /* Arabic, Persian and Dari, Urdu, Pashto, Kurdish */
     "السيد|السيدة|الآنسة|الدكتور|الدكتورة|الشيخ|الأستاذ|الأستاذة|للسيد|والسيد|آقای|خانم|دکتر|"
     "جناب|محترمہ|مسٹر|ښاغلی|ښاغلې|بەڕێز|"
     /* Hindi, Marathi, Nepali, Bengali, Tamil, Burmese, Khmer, Thai */
     "श्री|श्रीमती|सुश्री|डॉ|डॉक्टर|कुमारी|জনাব|বেগম|মিসেস|ডা|ডাঃ|திரு|திருமதி|செல்வி|ဦး|ဒေါ်|"
     "លោក|លោកស្រី|นาย|นาง|นางสาว|"
     /* Russian, Ukrainian, Turkish, Malay, Indonesian */
     "г-н|г-жа|господин|госпожа|пан|пані|sayın|encik|puan|bapak|ibu"},
    {PERSONAL_WORD_INITIAL, "د|أ|أ.د|ا.د"},
    {PERSONAL_WORD_ROLE,
     "photo|photos|photo credit|photo by|photographer|photograph|image credit|credit|"
     "crédit photo|crédits photo|crédit|crédits|photographe|foto|fotos|crédito|"
     "fotografía|picha|picha na|mpiga picha|hoto|hotuna|sawir|sawirka|suuraa|"
     "تصوير|عدسة|المصور|عکاس|ፎቶ|ፎቶ በ|"
     "coordinator|contact|contacts|focal point|focal person|author|written by|prepared by|"
     "coordonnateur|coordonnatrice|auteur|auteure|rédigé par|contacter|coordinador|"
     "coordinadora|autor|autora|contacto|contato|coordenador|coordenadora|"
     "mratibu|msimamizi|mwandishi|mhariri|mawasiliano|wasiliana na|mlezi|mwalimu|muuguzi|"
     "للتواصل|للاتصال|للاستفسار|المنسق|المنسقة|منسق|منسقة|إعداد|بقلم|الكاتب|المسؤول|"
     "المسؤولة|አስተባባሪ|አዘጋጅ|ተጠሪ"},
    {PERSONAL_WORD_NAME,
     "name|full name|first name|last name|given name|given names|surname|family name|"
     "middle name|father's name|mother's name|maiden name|name of applicant|applicant's name|"
     "name of patient|patient's name|patient name|name of child|child's name|guardian's name|"
     "contact person|signed by|next of kin|head of household|name of head of household|"
     "registered by|reported by|interviewed by|witness|beneficiary|chef de ménage|jefe de "
     "hogar|"
     "nom|noms|prénom|prénoms|nom et prénom|nom et prénoms|nom de famille|nom complet|"
     "nom du père|nom de la mère|nom et prénom(s)|prénom(s)|"
     "nombre|nombres|apellido|apellidos|nombre completo|nombre y apellidos|"
     "nome|nome completo|sobrenome|apelido|cognome|nome e cognome|"
     "vorname|nachname|familienname|voornaam|achternaam|naam|"
     "jina|jina kamili|majina|jina la kwanza|jina la baba|jina la mama|jina la ukoo|"
     "suna|sunan|cikakken suna|magaca|magaca oo buuxa|magac|maqaa|maqaa guutuu|"
     "orúkọ|oruko|aha|aha gị|amazina|izina|izina ry'umuryango|nkombo|nkómbó|erinnya|amannya|"
     "igama|ifani|isibongo|zita|zita rizere|"
     "ስም|ሙሉ ስም|የአባት ስም|የእናት ስም|ስም ኣቦ|"
     "الاسم|اسم|الاسم الكامل|اسم الأب|اسم الأم|اسم العائلة|اللقب|اسم المستفيد|اسم المريض|"
     "نام|نام خانوادگی|نام پدر|نام و نام خانوادگی|اسم پدر|تخلص|والد کا نام|نوم|بشپړ نوم|د پلار "
     "نوم|"
     "ناو|ناوی تەواو|adı|soyadı|ad soyad|adı soyadı|ad|nav|"
     "नाम|पूरा नाम|पिता का नाम|माता का नाम|नाव|संपूर्ण नाव|थर|নাম|পুরো নাম|পিতার নাম|মাতার নাম|"
     "பெயர்|முழு பெயர்|தந்தை பெயர்|အမည်|အဘအမည်|နာမည်|ឈ្មោះ|នាមត្រកូល|ชื่อ|ชื่อ-นามสกุล|นามสกุล|"
     "имя|фамилия|отчество|ф.и.о|фио|ім'я|імʼя|ім’я|прізвище|по батькові|піб|"
     "nama|nama lengkap|nama penuh|nama ibu|nama "
     "bapa|pangalan|apelyido|姓名|名字|氏名|성명|이름"},
    {PERSONAL_WORD_PHONE,
     "tel|telephone|phone|phones|mobile|mob|cell|cellphone|fax|whatsapp|call|call us|hotline|"
     "contact no|contact number|phone number|tel no|mobile no|sms|"
     "tél|téléphone|portable|gsm|appelez|télécopie|teléfono|teléfonos|telefono|móvil|celular|"
     "tlf|telefone|telemóvel|fixo|telefon|mobil|handy|telefoon|"
     "simu|nambari ya simu|rununu|piga simu|waya|lambar waya|taleefan|taleefoon|telefoon|"
     "bilbila|nọmba ekwentị|ekwentị|foonu|telefoni|terefone|ucingo|umnxeba|runhare|essimu|"
     "ስልክ|ስልክ ቁጥር|ተሌፎን|ሞባይል|ቁጽሪ ስልኪ|ስልኪ|"
     "هاتف|الهاتف|رقم الهاتف|جوال|الجوال|موبايل|تلفون|ت|فاكس|واتساب|تلفن|شماره تلفن|موبایل|"
     "فون|فون نمبر|ٹیلیفون|ټیلیفون|تیلیفون|"
     "फोन|फ़ोन|फोन नंबर|मोबाइल|मोबाईल|दूरभाष|सम्पर्क|ফোন|মোবাইল|টেলিফোন|தொலைபேசி|கைபேசி|"
     "ဖုန်း|ဖုန်းနံပါတ်|ទូរស័ព្ទ|លេខទូរស័ព្ទ|โทร|โทรศัพท์|"
     "тел|телефон|моб|мобильный|мобільний|факс|telepon|telp|hp|telefon "
     "bimbit|电话|手机|電話|전화"},
    {PERSONAL_WORD_MAIL,
     "email|e-mail|mail|email address|e-mail address|courriel|adresse e-mail|mél|correo|"
     "correo electrónico|barua pepe|baruapepe|imeli|iimeel|iimayla|"
     "البريد الإلكتروني|بريد إلكتروني|بريد|ایمیل|ኢሜይል|ኢሜል|इमेल|ईमेल|ইমেইল|почта|эл. почта"},
    {PERSONAL_WORD_ID,
     "id no|id number|id card|identity card|identity number|national id|national id no|nin|"
     "national identification number|passport|passport no|passport number|id card no|"
     "driving licence|driver's license|licence no|social security|ssn|tax id|tin|voter id|"
     "registration no|registration number|case no|case number|file no|individual number|"
     "alien no|beneficiary id|household id|birth certificate no|aadhaar|cnic|nid|"
     "cni|carte d'identité|passeport|numéro de passeport|n° de passeport|n° de sécurité "
     "sociale|"
     "numéro de sécurité sociale|numéro d'identité|pièce d'identité|permis de conduire|nif|"
     "dni|nie|cédula|cédula de identidad|c.i|pasaporte|documento de identidad|curp|"
     "documento nacional de identidad|número de identificación|rg|cpf|bilhete de identidade|"
     "cartão de cidadão|passaporte|codice fiscale|passaporto|carta d'identità|"
     "personalausweis|reisepass|ausweisnummer|sozialversicherungsnummer|steuer-id|"
     "kitambulisho|kitambulisho cha taifa|nambari ya kitambulisho cha taifa|"
     "namba ya kitambulisho cha taifa|nambari ya kitambulisho|namba ya kitambulisho|namba ya "
     "nida|nida|pasipoti|"
     "hati ya kusafiria|lambar fasfo|fasfo|baasaboor|kaarka aqoonsiga|indangamuntu|"
     "umazisi|የመታወቂያ ቁጥር|መታወቂያ|ፓስፖርት|ፓስፖርት ቁጥር|"
     "رقم الهوية|رقم الهوية الوطنية|الهوية الوطنية|رقم هويته|رقم هويتها|بطاقة "
     "هوية|الهوية|الرقم القومي|الرقم الوطني|رقم الجواز|جواز السفر|جواز سفر|رقم الملف|"
     "بطاقة الهوية|رقم البطاقة|کد ملی|شماره ملی|تذکره|شماره تذکره|پاسپورت|گذرنامه|شناختی کارڈ|"
     "شناختی کارڈ نمبر|پاسپورٹ|kimlik no|t.c. kimlik no|pasaport no|"
     "आधार|आधार संख्या|आधार नंबर|पासपोर्ट|नागरिकता नं|नागरिकता|জাতীয় পরিচয়পত্র|এনআইডি|পাসপোর্ট|"
     "ஆதார்|கடவுச்சீட்டு|မှတ်ပုံတင်အမှတ်|နိုင်ငံကူးလက်မှတ်|អត្តសញ្ញាណប័ណ្ណ|លិខិតឆ្លងដែន|"
     "паспорт|серия и номер|инн|снилс|іпн|рнокпп|посвідчення|no ktp|nik|no paspor|kad "
     "pengenalan|"
     "身份证|身份证号|护照号码"},
    {PERSONAL_WORD_FILLER,
     "no|nr|num|number|numéro|número|numero|is|namba|nambari|lambar|номер|رقم|شماره|نمبر|"
     "nº|n°|№|est|es|संख्या|नंबर|नं|নং|নম্বর|ቁጥር|எண்|us|us on|us at|at|on|or|and"},
    {PERSONAL_WORD_PARTICLE,
     "de|da|do|dos|das|di|du|del|della|la|le|van|von|der|den|ter|bin|bint|binti|ibn|ben|ould|"
     "mint|al|el|abu|abd|umm|y|e|wa|ole|ag|och|af|na|bte|s/o|d/o"},
    {PERSONAL_WORD_NOBODY,
     "president|speaker|chairman|chairperson|chair|minister|prime|secretary|governor|"
     "ambassador|and|or|the|of|no|date|sex|age|address|signature|nationality|place|dob|gender|"
     "position|title|occupation|telephone|phone|tel|contact|contacts|le|la|les|président|"
     "présidente|ministre|"
     "presidente|ministro|präsident|rais|waziri|الرئيس|الوزير|رئيس|وزير|المدير|مدير|العضو|"
     "النائب|السفير|المحافظ|date of birth|village|district|organization|organisation|company|"
     "school|project|country|province|unknown|none|n/a|nil"},
    {PERSONAL_WORD_BODY,
     "office|offices|desk|help|helpdesk|helpline|line|centre|center|clinic|hospital|school|"
     "university|college|ministry|department|agency|agencies|authority|commission|committee|"
     "council|bank|police|emergency|emergencies|station|headquarters|hq|unit|section|branch|"
     "service|services|team|group|union|association|foundation|society|cross|crescent|red|"
     "nations|united|world|international|national|regional|global|government|federal|state|"
     "press|news|media|images|image|agence|radio|tv|television|times|post|tribune|gazette|"
     "newspaper|magazine|online|courtesy|getty|reuters|afp|bbc|dw|voa|associated|"
     "xinhua|anadolu|wikimedia|commons|wikipedia|facebook|twitter|instagram|shutterstock|"
     "unhcr|unicef|wfp|who|iom|ocha|undp|unfpa|fao|irc|ngo|drc|nrc|msf|un|usa|uk|"
     "care|customer|support|hotline|toll|free|information|info|programme|program|project|"
     "camp|settlement|district|city|town|street|avenue|road|box|republic|kingdom|south|north|"
     "east|west|central|house|building|hotel|ltd|limited|inc|company|corporation|website|web|"
     "address|more|please|for|fund|relief|rescue|aid|health|education|protection|security|"
     "food|children|refugees|women|affairs|public|general|secretariat|mission|embassy|"
     "former|agência|agencia|gerência|cibiyar|ofishin|ọ́fíìsì|bureau|siège|centre de "
     "santé|hôpital|école|ministère|direction|agence nationale|"
     "croix|rouge|urgence|secours|police nationale|mairie|santé|oficina|centro|ministerio|"
     "ofisi|kituo|wizara|shirika|hospitali|shule|chuo|kambi|idara|polisi|dharura|huduma|"
     "msalaba|mwekundu|serikali|benki|mkoa|wilaya|mitandao|maktaba|"
     "على|علي الرقم|الرقم|اتصل|اتصلوا|للاتصال|الاتصال|بنا|بكم|من|في|إلى|عن|عبر|مع|هذا|"
     "مركز|مكتب|خط|الخط|الساخن|الخطوط|منظمة|وزارة|مستشفى|جمعية|برنامج|طوارئ|الطوارئ|شرطة|"
     "الشرطة|الإسعاف|وكالة|شبكة|مؤسسة|قناة|مدير|دعم|خدمة|المجاني|مجانا|أو|و|"
     "ቢሮ|ማዕከል|ሆስፒታል|ድርጅት|ሚኒስቴር|መስመር|ነጻ|ነፃ|ፖሊስ|ይደውሉ|በስልክ|ደውሉ|በመደወል|የስልክ|ቤት|ጽሕፈት|"
     "ጽህፈት|ባንክ|ክሊኒክ|ትምህርት|ወይም"},
};

static phrase_table table;
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static uint32_t fold(uint32_t c) {
    return (uint32_t)u_foldCase((UChar32)c, U_FOLD_CASE_DEFAULT);
}

static void make_table(void) {
    phrases_add(&table, lists, sizeof lists / sizeof *lists, fold);
}

size_t personal_word_at(const personal_text *t, size_t i, personal_word_kind kind) {
    pthread_once(&table_once, make_table);
    return phrases_at(&table, t->folded, t->count, i, kind, personal_is_word);
}

size_t personal_skip_filler(const personal_text *t, size_t i) {
    for (;;) {
        while (t->c[i] == ' ' || t->c[i] == 0x61B || t->c[i] == 0x1366 || t->c[i] == 0x1361 ||
               t->c[i] == 0x964 || (t->c[i] < 128 && strchr(".:#-/_=)", (int)t->c[i])))
            i++;
        size_t filler = personal_word_at(t, i, PERSONAL_WORD_FILLER);
        if (!filler)
            return i;
        i += filler;
    }
}
