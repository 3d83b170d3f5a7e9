/* Tests of caption tokens, BLEU, CIDEr-D, answers, F1, calibration and recall.
 *
 * The tokens and the caption scores were made with pycocoevalcap 1.2, its Java tokeniser and
 * its scorers, on the captions that stand here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vislang/text.h>

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static vl_arena *arena;

static int make_arena(void **state) {
    (void)state;
    arena = vl_arena_new(64 << 20);
    return arena ? 0 : -1;
}

static int free_arena(void **state) {
    (void)state;
    vl_arena_free(arena);
    return 0;
}

/* ---- tokens ------------------------------------------------------------------------------ */

static void test_treebank_tokens(void **state) {
    static const char *const rows[][2] = {
        {"", ""},
        {"   ", ""},
        {"A dog runs.", "a dog runs"},
        {"Don't stop!", "do n't stop"},
        {"The dog's ball", "the dog 's ball"},
        {"the dogs' bowl", "the dogs bowl"},
        {"can't won't shouldn't ain't isn't", "ca n't wo n't should n't ai n't is n't"},
        {"I'm you're they've she'd he'll it's", "i 'm you 're they 've she 'd he 'll it 's"},
        {"couldn't've she'd've", "could n't 've she 'd 've"},
        {"DON'T IT'S", "do n't it 's"},
        {"It’s the dog’s, don’t", "it 's the dog 's do n't"},
        {"o'clock O'Brien d'you l'eau ma'am", "o'clock o'brien d'you l'eau ma'am"},
        {"y'all rock'n'roll", "y' all rock 'n' roll"},
        {"'em 'til 'cause the '80s", "'em 'til 'cause the '80s"},
        {"'Tis 'twas", "'t is 't was"},
        {"cannot gonna gotta wanna gimme lemme", "can not gon na got ta wan na gim me lem me"},
        {"wanna-be gonna's", "wanna-be gonna 's"},
        {"a well-known T-shirt's print", "a well-known t-shirt 's print"},
        {"a 5-year-old on a 4-wheeler", "a 5-year-old on a 4-wheeler"},
        {"jack-o-lantern mother-in-law", "jack-o-lantern mother-in-law"},
        {"and/or black/white/brown w/o a / b", "and/or black/white/brown w/o a / b"},
        {"wait -- no - yes --- now", "wait no yes now"},
        {"dark—light – grey", "dark light grey"},
        {"wait... what… now. . .", "wait what now"},
        {"1,000 2.5 .5 10:30 5,000,000.25", "1,000 2.5 .5 10:30 5,000,000.25"},
        {"10:30pm 5.5m 3.5-inch", "10:30 pm 5.5 m 3.5-inch"},
        {"1/2 cup ½ cup 12/25/2010", "1/2 cup 1/2 cup 12/25/2010"},
        {"5th 2nd 3D 4x4 mp3", "5th 2nd 3d 4x4 mp3"},
        {"-5 degrees, +3", "-5 degrees +3"},
        {"50% of $5.00 & £3 or €2 or 5¢", "50 % of $ 5.00 & # 3 or $ 2 or 5 cents"},
        {"#1 #beach @name_1", "# 1 #beach @name_1"},
        {"AT&T and R&B at US$5", "at&t and r&b at us$ 5"},
        {"She said, \"hello\"", "she said hello"},
        {"“curled” ‘quotes’ «angles» `ticks`", "curled quotes angles ticks"},
        {"(round) [square] {curly}", "-lrb- round -rrb- -lsb- square -rsb- -lcb- curly -rcb-"},
        {"What?! No!! Really?\?", "what ?! no !! really ?\?"},
        {"a,b;c dog!Cat well-known.The", "a b c dog!cat well-known the"},
        {"dog.cat end.The next", "dog.cat end.the next"},
        {"Mr. and Mrs. Smith, Dr. No, St. Louis", "mr. and mrs. smith dr. no st. louis"},
        {"at 5 p.m. in the U.S. or U.K", "at 5 p.m. in the u.s. or u.k"},
        {"s.c.u.b.a. gear at 4 a.m. today", "s.c.u.b.a. gear at 4 a.m. today"},
        {"plan b. and so on", "plan b. and so on"},
        {"group A. The dog", "group a the dog"},
        {"no. 5 and no. Then fig. 2", "no. 5 and no then fig. 2"},
        {"Wash. state and wash. it", "wash. state and wash it"},
        {"inc. Co. Ltd. etc.", "inc. co. ltd. etc."},
        {"U.S.-based", "u.s.-based"},
        {"see www.site.com/page?id=3, or http://a.org/b.",
         "see www.site.com/page?id=3 or http://a.org/b"},
        {"write to jo.doe@mail.org.", "write to jo.doe@mail.org"},
        {"<b>bold</b> a < b", "<b> bold </b> a < b"},
        {"a_b _c snake_case", "a_b _ c snake_case"},
        {"* ** ***", "* ** ***"},
        {"Tom & Jerry &amp; co", "tom & jerry & co"},
        {"smile :) ;-) :(", "smile :-rrb- ;--rrb- :-lrb-"},
        {"café naïve Ñandú Ærø", "café naïve ñandú ærø"},
        {"a = b + c ~ d | e \\ f ^ g", "a = b + c ~ d | e \\ f ^ g"},
        {"c++ c# a.3", "c++ c# a. 3"},
        {"a  tab\tand   spaces", "a tab and spaces"},
        {"‘tis 5'2\" 6'", "tis 5 2 6"},
        {"ice-cream, hot-dog/burger", "ice-cream hot-dog/burger"},
        {"\"'quoted twice'\"", "quoted twice"},
        {"don't-walk sign", "do n't walk sign"},
        {"x's-y", "x 's y"},
        {"the 1980's 1990s'", "the 1980 's 1990s"},
        {"quelqu'un et l'homme", "quelqu'un et l'homme"},
        {"the dog...and 2nd....", "the dog and 2nd"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(vl_caption_tokenize(arena, rows[i][0]), rows[i][1]);
}

static void test_tokens_of_other_scripts(void **state) {
    static const char *const rows[][2] = {
        {"كلب يجري، وقطة تنام.", "كلب يجري وقطة تنام"},
        {"هل هذا كلب؟", "هل هذا كلب"},
        {"एक कुत्ता दौड़ रहा है।", "एक कुत्ता दौड़ रहा है"},
        {"«Собака» бежит — быстро!", "собака бежит быстро"},
        {"Ο σκύλος τρέχει;", "ο σκύλος τρέχει"},
        {"ውሻ፣ ድመት።", "ውሻ ድመት"},
        {"המחיר 1,000.5 ש\"ח", "המחיר 1,000.5 ש\"ח"},
        {"狗在跑。", "狗 在 跑"},
        {"ein Hund läuft über die Straße", "ein hund läuft über die straße"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(vl_caption_tokenize(arena, rows[i][0]), rows[i][1]);
}

static void test_tokens_of_broken_text(void **state) {
    static const char *const rows[][2] = {
        {"a \xFF dog", "a dog"},
        {"do\xC2\xADg", "dog"}, /* soft hyphen */
        {"a\xE2\x80\x8B"
         "b",
         "a b"}, /* zero width space */
        {"caf"
         "e\xCC\x81",
         "café"}, /* combining acute */
        {"a dog 🐕 runs", "a dog runs"},
        {"&amp", "& amp"},
        {"'", ""},
        {"a'", "a"},
        {"<", "<"},
        {"http://", "http / /"},
        {"@", "@"},
        {"x@", "x @"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(vl_caption_tokenize(arena, rows[i][0]), rows[i][1]);
    vl_arena *small = vl_arena_new(64);
    assert_null(
        vl_caption_tokenize(small, "this does not fit into an arena of sixty-four bytes"));
    vl_arena_free(small);
}

/* ---- BLEU and CIDEr-D -------------------------------------------------------------------- */

enum { MAX_TEXTS = 6 };

static const struct {
    const char *what;
    size_t n;
    double bleu[4], cider_d;
} corpora[] = {
    {"ordinary captions",
     12,
     {0.829829489063, 0.659466206911, 0.494504033122, 0.34008554883},
     1.9113812464},
    {"empty, equal, short, long, repeated",
     7,
     {0.487804878037, 0.391548342509, 0.340747771557, 0.303440169979},
     1.33679446724},
    {"one reference each",
     8,
     {0.566047366129, 0.433571715344, 0.323746201953, 0.249261455947},
     3.61651073455},
    {"a single caption", 1, {0.99999999975, 0.999999999741, 0.941036028627, 0.840896415015}, 0},
    {"nothing said at all", 3, {0, 0, 0, 0}, 0},
    {"punctuation, contractions, brackets, numbers",
     6,
     {0.681818181808, 0.464660188635, 0.317435664266, 0.227219959175},
     1.68179138445},
    {"words that every caption has",
     4,
     {0.999999999917, 0.935414346596, 0.759147242853, 0.000144625380373},
     1.36685806895},
};

static const struct {
    size_t corpus;
    const char *texts[MAX_TEXTS]; /* hypothesis, references */
} captions[] = {
    {0,
     {"A brown dog runs through the tall grass.", "A dog is running in a field.",
      "The brown dog runs across the grass.",
      "A brown dog runs fast through tall green grass."}},
    {0,
     {"Two children are playing on the beach.", "Two kids play at the seaside.",
      "A boy and a girl are playing on the sand.",
      "Two children build a sandcastle on the beach.",
      "The children are playing near the water."}},
    {0,
     {"A man in a red jacket climbs a rock.", "A climber in a red coat goes up a cliff.",
      "A man climbs a steep rock wall."}},
    {0,
     {"A woman is riding a bicycle in the street.",
      "A woman rides her bike down a busy street.", "The woman is on a bicycle.",
      "A cyclist in a helmet passes a shop."}},
    {0,
     {"The football player is kicking the ball.", "A player in white kicks the ball.",
      "The football player kicks the ball toward the goal."}},
    {0,
     {"A white bird is sitting on a fence.", "A gull sits on a wooden fence.",
      "A white bird perches on the fence by the sea."}},
    {0,
     {"A group of people are standing in front of a building.",
      "People stand in line outside a shop.",
      "A group of people waits in front of a tall building.",
      "A crowd is standing in front of the building."}},
    {0,
     {"A little girl in a pink dress is smiling.", "A girl wearing pink smiles at the camera.",
      "The little girl is wearing a pink dress."}},
    {0,
     {"A black and white dog is jumping over a hurdle.", "A dog jumps over a bar.",
      "A black and white dog leaps over a hurdle at a show."}},
    {0,
     {"A boy jumps into a swimming pool.", "The boy is jumping into the pool.",
      "A boy in blue shorts jumps into a pool.", "A child leaps into the water."}},
    {0,
     {"A man is standing on a mountain.", "A hiker stands on top of a mountain.",
      "A man looks at the view from the mountain."}},
    {0,
     {"A dog is in the water.", "A wet dog swims in a lake.",
      "A brown dog is swimming in the water with a stick in its mouth."}},
    {1, {"", "A dog runs.", "The dog is running."}},
    {1, {"The cat sleeps on the sofa.", "The cat sleeps on the sofa.", "A cat is on a sofa."}},
    {1, {"Dog", "A dog runs on the grass.", "The dog runs."}},
    {1,
     {"the the the the the the the", "The cat is on the mat.", "There is a cat on the mat."}},
    {1,
     {"A horse and a rider and a horse and a rider and a horse and a rider jump over the fence "
      "in the rain.",
      "A horse and a rider jump.", "A rider on a horse jumps over a fence."}},
    {1, {"?!, ...", "A bus stops.", "The bus is red."}},
    {1, {"A tree", "A tree in a field", "A tall tree"}},
    {2, {"A boat on the river.", "A small boat is on the river."}},
    {2, {"People walk across the bridge.", "People are walking across an old bridge."}},
    {2, {"A train at the station.", "A train stands at the station."}},
    {2, {"The man plays the guitar.", "The man plays the guitar."}},
    {2, {"A plate with food on a table.", "A plate of rice and beans on a wooden table."}},
    {2, {"Three horses in a field.", "Three horses graze in a green field."}},
    {2, {"A lorry drives through water.", "A lorry drives through flood water in a street."}},
    {2, {"Snow covers the houses.", "Snow lies on the roofs of the houses."}},
    {3,
     {"A red car is parked by the road.", "A red car stands beside the road.",
      "A car is parked in the street.", "The red car is parked by the house."}},
    {4, {"", "A dog runs.", "The dog runs away."}},
    {4, {"", "Two men talk."}},
    {4, {"...", "A house is on fire.", "Smoke comes out of a house."}},
    {5,
     {"The dog's ball isn't in the water, it's on the grass!",
      "The dog's ball is on the grass.", "A dog can't find its ball (it's red)."}},
    {5,
     {"A man's \"STOP\" sign; two people wait.", "A man holds a sign that says \"stop\".",
      "Two people don't move."}},
    {5,
     {"A t-shirt with the number 1,000 on it...",
      "A black-and-white T-shirt with 1,000 printed on it.", "The shirt has a number on it."}},
    {5,
     {"Mr. Smith stands at 5 p.m. in the U.S. flag's shadow.",
      "Mr. Smith stands beside a U.S. flag.", "A man stands by a flag at 5:00 p.m."}},
    {5,
     {"They cannot see the 2nd runner -- he's fallen.", "They can not see the second runner.",
      "The runner has fallen and can't get up."}},
    {5,
     {"A 5-year-old girl's birthday cake costs $20 & has 50% sugar.",
      "The 5-year-old's cake has candles.", "A cake for $20."}},
    {6, {"a dog", "a dog", "a big dog"}},
    {6, {"a dog runs", "a dog", "a dog runs home"}},
    {6, {"a dog sleeps", "a cat sleeps", "a dog sleeps on a dog"}},
    {6, {"a dog a dog", "a dog barks at a dog", "a dog"}},
};

static vl_caption_scorer *score_corpus(size_t corpus) {
    vl_caption_scorer *scorer = vl_caption_scorer_new();
    for (size_t i = 0; i < COUNT(captions); i++) {
        size_t references = 0;
        while (references + 1 < MAX_TEXTS && captions[i].texts[references + 1])
            references++;
        if (captions[i].corpus == corpus)
            assert_int_equal(vl_caption_scorer_add(scorer, captions[i].texts[0],
                                                   captions[i].texts + 1, references, NULL),
                             VL_OK);
    }
    return scorer;
}

static void test_caption_scores(void **state) {
    (void)state;
    for (size_t c = 0; c < COUNT(corpora); c++) {
        vl_caption_scorer *scorer = score_corpus(c);
        vl_caption_scores scores;
        assert_int_equal(vl_caption_scorer_scores(scorer, &scores, NULL), VL_OK);
        print_message("%-45s BLEU-4 %.4f CIDEr-D %.4f\n", corpora[c].what, scores.bleu[3],
                      scores.cider_d);
        assert_int_equal(scores.n, corpora[c].n);
        for (size_t n = 0; n < 4; n++)
            assert_true(fabs(scores.bleu[n] - corpora[c].bleu[n]) < 1e-9);
        assert_true(fabs(scores.cider_d - corpora[c].cider_d) < 1e-9);
        double each[COUNT(captions)], mean = 0;
        vl_caption_scorer_cider_d(scorer, each);
        for (size_t i = 0, at = 0; i < COUNT(captions); i++)
            if (captions[i].corpus == c) {
                mean += each[at] / (double)scores.n;
                assert_true(captions[i].texts[0][0] || each[at] == 0);
                at++;
            }
        assert_true(fabs(mean - scores.cider_d) < 1e-12);
        vl_caption_scorer_free(scorer);
    }
}

static void test_scorer_refuses_and_goes_on(void **state) {
    vl_caption_scorer *scorer = score_corpus(0);
    vl_caption_scores before, after;
    vl_error error;
    char *huge = malloc(80 << 10);
    (void)state;
    memset(huge, 'a', (80 << 10) - 1);
    huge[(80 << 10) - 1] = '\0';
    const char *const references[] = {"a new dog", huge};
    assert_int_equal(vl_caption_scorer_scores(scorer, &before, NULL), VL_OK);
    assert_int_equal(vl_caption_scorer_add(scorer, "a dog", references, 0, &error),
                     VL_ERR_INPUT);
    assert_int_equal(vl_caption_scorer_add(scorer, "a dog", references, 2, &error),
                     VL_ERR_LIMIT);
    assert_non_null(strstr(error.message, "81919"));
    assert_int_equal(vl_caption_scorer_scores(scorer, &after, NULL), VL_OK);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(vl_caption_scorer_add(scorer, "a dog", references, 1, NULL), VL_OK);
    assert_int_equal(vl_caption_scorer_scores(scorer, &after, NULL), VL_OK);
    assert_int_equal(after.n, before.n + 1);
    vl_caption_scorer_free(scorer);
    free(huge);
}

static void test_nothing_to_score(void **state) {
    vl_caption_scorer *scorer = vl_caption_scorer_new();
    vl_caption_scores scores;
    (void)state;
    assert_int_equal(vl_caption_scorer_scores(scorer, &scores, NULL), VL_ERR_INPUT);
    vl_caption_scorer_free(scorer);
    vl_caption_scorer_free(NULL);
}

/* As many captions as an evaluation has: the tables grow, and a copy of a reference is perfect.
 */
static void test_many_captions(void **state) {
    enum { CAPTIONS = 3000, WORDS = 9 };
    vl_caption_scorer *scorer = vl_caption_scorer_new();
    uint32_t seed = 7;
    vl_caption_scores scores;
    (void)state;
    int64_t start = vl_clock_ns();
    for (int i = 0; i < CAPTIONS; i++) {
        char texts[2][WORDS * 8] = {"", ""};
        for (int t = 0; t < 2; t++)
            for (int w = 0; w < WORDS; w++) {
                seed = seed * 1664525u + 1013904223u;
                snprintf(texts[t] + strlen(texts[t]), 8, "w%u ", (seed >> 16) % 2000);
            }
        const char *const references[] = {texts[0], texts[1]};
        assert_int_equal(vl_caption_scorer_add(scorer, texts[0], references, 2, NULL), VL_OK);
    }
    assert_int_equal(vl_caption_scorer_scores(scorer, &scores, NULL), VL_OK);
    print_message("%d captions: %.0f ms\n", CAPTIONS, vl_clock_ms_since(start));
    assert_true(fabs(scores.bleu[3] - 1) < 1e-9);
    assert_true(scores.cider_d > 4.99 && scores.cider_d < 5.1); /* one of two references */
    static double each[CAPTIONS];
    vl_caption_scorer_cider_d(scorer, each);
    for (int i = 0; i < CAPTIONS; i++)
        assert_true(each[i] > 4.99 && each[i] < 7);
    vl_caption_scorer_free(scorer);
}

/* ---- answers ----------------------------------------------------------------------------- */

static void test_answer_normal_form(void **state) {
    static const char *const rows[][2] = {
        {"", ""},
        {"The", ""},
        {"Two dogs.", "2 dogs"},
        {"none", "0"},
        {"ten", "10"},
        {"eleven", "eleven"},
        {"a red  car", "red car"},
        {"an apple, the pear", "apple pear"},
        {"100,978", "100978"},
        {"1, 2", "1 2"},
        {"3.5", "3.5"},
        {"3. 5", "3 5"},
        {"U.S.", "us"},
        {"2:50 PM", "2:50 pm"},
        {"girl's", "girl's"},
        {"girl\xE2\x80\x99s", "girl's"},
        {"dont", "don't"},
        {"Cant", "can't"},
        {"wont", "won't"},
        {"its", "its"},
        {"well", "well"},
        {"oclock", "o'clock"},
        {"yall", "y'all"},
        {"theyre", "they're"},
        {"thats", "that's"},
        {"youve", "you've"},
        {"im", "i'm"},
        {"shouldve", "should've"},
        {"plant", "plant"},
        {"ant", "ant"},
        {"t-shirt", "t shirt"},
        {"yes!", "yes"},
        {"black/white", "black white"},
        {"$5", "5"},
        {"\"red\"", "red"},
        {"Été", "été"},
        {"कुत्ता।", "कुत्ता"},
        {"كلب؟", "كلب"},
        {"٣", "3"},
        {"knife, fork", "knife fork"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(vl_text_answer_normalize(arena, rows[i][0]), rows[i][1]);
}

static void test_answer_match(void **state) {
    static const char *const accepted[] = {"two", "a couple", "2 dogs"};
    static const struct {
        const char *answer;
        bool match;
    } rows[] = {{"2", true},      {"Two.", true}, {"The couple", true}, {"two dogs", true},
                {"three", false}, {"", false},    {"dogs", false},      {"couples", false}};
    bool match;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(
            vl_text_answer_match(rows[i].answer, accepted, COUNT(accepted), &match, NULL),
            VL_OK);
        assert_int_equal(match, rows[i].match);
    }
    assert_int_equal(vl_text_answer_match("2", accepted, 0, &match, NULL), VL_OK);
    assert_false(match);
    char *huge = calloc(1, 80 << 10);
    memset(huge, 'a', (80 << 10) - 1);
    assert_int_equal(vl_text_answer_match(huge, accepted, 1, &match, NULL), VL_ERR_LIMIT);
    free(huge);
}

/* ---- labels ------------------------------------------------------------------------------ */

static void test_class_scores(void **state) {
    /* truth by rows: the third class is never predicted, the fourth is neither there nor said
     */
    static const uint64_t confusion[16] = {5, 1, 0, 0, 2, 6, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0};
    static const double expected[4][3] = {
        {5 / 8.0, 5 / 6.0, 10 / 14.0}, {6 / 9.0, 6 / 8.0, 12 / 17.0}, {0, 0, 0}, {0, 0, 0}};
    static const uint64_t support[4] = {6, 8, 3, 0};
    vl_class_score scores[4];
    double macro;
    (void)state;
    assert_int_equal(vl_score_classes(confusion, 4, scores, &macro, NULL), VL_OK);
    for (size_t c = 0; c < 4; c++) {
        assert_true(fabs(scores[c].precision - expected[c][0]) < 1e-12);
        assert_true(fabs(scores[c].recall - expected[c][1]) < 1e-12);
        assert_true(fabs(scores[c].f1 - expected[c][2]) < 1e-12);
        assert_int_equal(scores[c].support, support[c]);
    }
    assert_true(fabs(macro - (10 / 14.0 + 12 / 17.0) / 3) < 1e-12);
    assert_int_equal(vl_score_classes(confusion, 0, NULL, &macro, NULL), VL_ERR_INPUT);
    assert_int_equal(vl_score_classes(confusion + 12, 2, NULL, &macro, NULL), VL_ERR_INPUT);
    assert_int_equal(vl_score_classes(confusion, 4, NULL, &macro, NULL), VL_OK);
}

static void test_calibration(void **state) {
    static const struct {
        float confidence[4];
        bool right[4];
        size_t n;
        double expected;
    } rows[] = {
        {{1, 1}, {true, true}, 2, 0},
        {{1, 1}, {true, false}, 2, 0.5},
        {{0, 0}, {true, false}, 2, 0.5},
        {{0.75f, 0.75f, 0.75f, 0.75f}, {true, true, true, false}, 4, 0},
        /* two bins: |1 - 0.9| and |0 - 0.25|, each half of the items */
        {{0.9f, 0.25f}, {true, false}, 2, 0.175},
        /* one bin of 15 (14/15 … 1]: |1/2 - 0.96| */
        {{0.94f, 0.98f}, {true, false}, 2, 0.46},
        /* 14/15 is the upper edge of the bin before */
        {{0.9333333f, 0.94f}, {true, false}, 2, (1 - 0.9333333 + 0.94) / 2},
    };
    double ece;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(
            vl_score_calibration(rows[i].confidence, rows[i].right, rows[i].n, &ece, NULL),
            VL_OK);
        assert_true(fabs(ece - rows[i].expected) < 1e-6);
    }
    static const float wrong[] = {NAN, -0.1f, 1.5f};
    static const bool right[1] = {true};
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(vl_score_calibration(wrong + i, right, 1, &ece, NULL), VL_ERR_INPUT);
    assert_int_equal(vl_score_calibration(wrong, right, 0, &ece, NULL), VL_ERR_INPUT);
}

/* ---- retrieval --------------------------------------------------------------------------- */

static void test_recall(void **state) {
    /* 5 texts, 4 images; nobody wrote about image 2 */
    static const float similarity[5][4] = {
        {0.9f, 0.1f, 0.2f, 0.3f}, /* of 0: first */
        {0.5f, 0.6f, 0.7f, 0.1f}, /* of 1: second */
        {0.8f, 0.4f, 0.9f, 0.7f}, /* of 3: third */
        {0.1f, 0.1f, 0.1f, 0.1f}, /* of 0: level with all, so last */
        {0.2f, 0.3f, 0.1f, 0.9f}, /* of 3: first */
    };
    static const size_t owner[5] = {0, 1, 3, 0, 3}, k[] = {1, 2, 3, 4, 10};
    static const double by_text[] = {0.4, 0.6, 0.8, 1, 1};
    /* image 0: its text 0 is first; image 1: its text is first; image 3: its text 4 is first */
    static const double by_image[] = {1, 1, 1, 1, 1};
    double recall[5];
    (void)state;
    assert_int_equal(
        vl_score_text_to_image(&similarity[0][0], 5, 4, owner, k, COUNT(k), recall, NULL),
        VL_OK);
    for (size_t i = 0; i < COUNT(k); i++)
        assert_true(fabs(recall[i] - by_text[i]) < 1e-12);
    assert_int_equal(
        vl_score_image_to_text(&similarity[0][0], 5, 4, owner, k, COUNT(k), recall, NULL),
        VL_OK);
    for (size_t i = 0; i < COUNT(k); i++)
        assert_true(fabs(recall[i] - by_image[i]) < 1e-12);
}

/* Against sorting each row or column, on random similarities without equals. */
static size_t place_by_sorting(const float *scores, size_t stride, size_t n,
                               const bool *right) {
    size_t best = n;
    for (size_t a = 0; a < n; a++) {
        size_t place = 0;
        for (size_t b = 0; b < n; b++)
            place += !right[b] && scores[b * stride] > scores[a * stride];
        if (right[a] && place < best)
            best = place;
    }
    return best;
}

static void test_recall_against_sorting(void **state) {
    enum { TEXTS = 60, IMAGES = 17 };
    static float similarity[TEXTS * IMAGES];
    size_t owner[TEXTS], k[] = {1, 5, 10};
    uint32_t seed = 3;
    double recall[3], text_hits[3] = {0}, image_hits[3] = {0};
    (void)state;
    for (size_t i = 0; i < TEXTS * IMAGES; i++) {
        seed = seed * 1664525u + 1013904223u;
        similarity[i] = (float)(seed >> 8) / (float)(1 << 24) - 0.5f;
    }
    for (size_t t = 0; t < TEXTS; t++)
        owner[t] = t % IMAGES;
    for (size_t t = 0; t < TEXTS; t++) {
        bool right[IMAGES] = {false};
        right[owner[t]] = true;
        size_t place = place_by_sorting(similarity + t * IMAGES, 1, IMAGES, right);
        for (size_t j = 0; j < 3; j++)
            text_hits[j] += place < k[j];
    }
    for (size_t i = 0; i < IMAGES; i++) {
        bool right[TEXTS];
        for (size_t t = 0; t < TEXTS; t++)
            right[t] = owner[t] == i;
        size_t place = place_by_sorting(similarity + i, IMAGES, TEXTS, right);
        for (size_t j = 0; j < 3; j++)
            image_hits[j] += place < k[j];
    }
    assert_int_equal(
        vl_score_text_to_image(similarity, TEXTS, IMAGES, owner, k, 3, recall, NULL), VL_OK);
    for (size_t j = 0; j < 3; j++)
        assert_true(fabs(recall[j] - text_hits[j] / TEXTS) < 1e-12);
    assert_int_equal(
        vl_score_image_to_text(similarity, TEXTS, IMAGES, owner, k, 3, recall, NULL), VL_OK);
    for (size_t j = 0; j < 3; j++)
        assert_true(fabs(recall[j] - image_hits[j] / IMAGES) < 1e-12);
}

static void test_recall_refuses(void **state) {
    static const float good[2] = {0.1f, 0.2f}, bad[2] = {0.1f, NAN};
    static const size_t owner[1] = {1}, beyond[1] = {2}, k[1] = {1};
    double recall[1];
    (void)state;
    assert_int_equal(vl_score_text_to_image(good, 1, 2, owner, k, 1, recall, NULL), VL_OK);
    assert_true(recall[0] == 1);
    assert_int_equal(vl_score_text_to_image(good, 0, 2, owner, k, 1, recall, NULL),
                     VL_ERR_INPUT);
    assert_int_equal(vl_score_text_to_image(good, 1, 0, owner, k, 1, recall, NULL),
                     VL_ERR_INPUT);
    assert_int_equal(vl_score_text_to_image(bad, 1, 2, owner, k, 1, recall, NULL),
                     VL_ERR_INPUT);
    assert_int_equal(vl_score_image_to_text(bad, 1, 2, owner, k, 1, recall, NULL),
                     VL_ERR_INPUT);
    assert_int_equal(vl_score_image_to_text(good, 1, 2, beyond, k, 1, recall, NULL),
                     VL_ERR_INPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_treebank_tokens),
        cmocka_unit_test(test_tokens_of_other_scripts),
        cmocka_unit_test(test_tokens_of_broken_text),
        cmocka_unit_test(test_caption_scores),
        cmocka_unit_test(test_scorer_refuses_and_goes_on),
        cmocka_unit_test(test_nothing_to_score),
        cmocka_unit_test(test_many_captions),
        cmocka_unit_test(test_answer_normal_form),
        cmocka_unit_test(test_answer_match),
        cmocka_unit_test(test_class_scores),
        cmocka_unit_test(test_calibration),
        cmocka_unit_test(test_recall),
        cmocka_unit_test(test_recall_against_sorting),
        cmocka_unit_test(test_recall_refuses),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
