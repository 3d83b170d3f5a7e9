/* text.h — Unicode, scripts, language identification, tokens, and the field's error rates.
 *
 * Strings are UTF-8. Thread-safety: everything here is read-only after loading. */
#ifndef VISLANG_TEXT_H
#define VISLANG_TEXT_H

#include <vislang/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Unicode -------------------------------------------------------------------- */

/* NFC, in the arena. Invalid UTF-8 becomes U+FFFD. NULL: arena full. */
char *vl_text_nfc(vl_arena *arena, const char *text);
/* NFC, runs of white space to one space, trimmed. */
char *vl_text_squeeze(vl_arena *arena, const char *text);
/* Full case folding of Unicode (ß to ss): texts that differ in case alone become equal. In the
 * arena; NULL: arena full. */
char *vl_text_casefold(vl_arena *arena, const char *text);
/* ISO 15924 code ("Latn", "Arab", "Ethi", …) of the script most letters belong to; "Zyyy"
 * when there is no letter. `share` (may be NULL): its part of the letters. Static storage. */
const char *vl_text_script(const char *text, double *share);
/* True when the first strong character runs from right to left (UAX #9, P2–P3). */
bool vl_text_is_rtl(const char *text);
/* Number of extended grapheme clusters (UAX #29). */
size_t vl_text_grapheme_count(const char *text);
/* Visual order (left to right, as an engine read the glyphs) to logical order, by UAX #9. */
char *vl_text_visual_to_logical(vl_arena *arena, const char *visual);

/* Lines as pixels lie, from left to right, and as they are read. A mark stays after the
 * character it belongs to, in both; brackets are what they look like (a mirrored one is the
 * other, UAX #9 L4). */
typedef enum vl_direction {
    VL_DIRECTION_TEXT, /* of a logical line: its first strong character (P2–P3); of a visual
                          one, which does not say: that of most of its letters */
    VL_DIRECTION_LTR,
    VL_DIRECTION_RTL,
} vl_direction;
/* Logical order to visual order (UAX #9, one paragraph on one line). `line` [count] code
 * points; `visual` [count] and `from` [count] are filled: visual[i] stood at from[i].
 * Characters that only steer direction should be out already (vl_text_steers). VL_ERR_LIMIT:
 * longer than VL_DIRECTION_MAX; VL_ERR_MEMORY. */
enum { VL_DIRECTION_MAX = 65536 };
vl_status vl_text_to_visual(const uint32_t *line, size_t count, vl_direction direction,
                            uint32_t *visual, size_t *from, vl_error *error);
/* And back. Several logical lines can look the same; what comes out looks like `visual` where
 * any of the orders tried does, and is the same line for text of one direction with numbers. */
vl_status vl_text_to_logical(const uint32_t *visual, size_t count, vl_direction direction,
                             uint32_t *line, size_t *from, vl_error *error);
/* Whether a character is invisible and only steers direction or line breaks (LRM, isolates,
 * soft hyphen, …). ZWJ and ZWNJ, which change shapes, are not. */
bool vl_text_steers(uint32_t character);
/* The direction of most letters; a tie is left to right. */
bool vl_text_mostly_rtl(const uint32_t *line, size_t count);

/* ---- personal data ---------------------------------------------------------------------- */

/* Names (after a title or a label, or before a number or address), telephone numbers, addresses
 * of e-mail, identity numbers, bank accounts, payment cards, lines of a passport that machines
 * read, and case numbers, found by their form, with the digits of every script
 * (docs/privacy.md: what is found and what is not, and how much of it). */
typedef enum vl_personal_kind {
    VL_PERSONAL_NAME,
    VL_PERSONAL_PHONE,
    VL_PERSONAL_EMAIL,
    VL_PERSONAL_ID,       /* national identity, tax and passport numbers */
    VL_PERSONAL_ACCOUNT,  /* IBAN, ISO 13616 */
    VL_PERSONAL_CARD,     /* ISO/IEC 7812 */
    VL_PERSONAL_PASSPORT, /* a line of the machine-readable zone, ICAO 9303 */
    VL_PERSONAL_CASE,     /* of UNHCR: 123-45C67890, 123-45-67890 */
    VL_PERSONAL_KIND_COUNT,
} vl_personal_kind;
const char *vl_personal_kind_name(vl_personal_kind kind); /* "name", "phone", … */
/* Why it is taken for what it is, the weakest first. */
typedef enum vl_personal_ground {
    VL_PERSONAL_SHAPED,   /* it looks like one */
    VL_PERSONAL_LABELLED, /* a word before it says so */
    VL_PERSONAL_CHECKED,  /* its check digits are right */
} vl_personal_ground;
typedef struct vl_personal {
    size_t start, end; /* bytes, between extended grapheme clusters */
    vl_personal_kind kind;
    vl_personal_ground ground;
    const char *rule; /* "in-aadhaar", "e164", "label", …; static */
} vl_personal;
/* Whether `text` is a label and nothing else, as heads of columns are ("Name", "Simu"): *kind
 * is what stands under it. */
bool vl_personal_label(vl_arena *arena, const char *text, vl_personal_kind *kind);
enum { VL_PERSONAL_MAX = 16 << 20 };
/* What stands in `text` (UTF-8, lines by "\n"), in its order and not overlapping, in the arena.
 * VL_ERR_LIMIT: a text over VL_PERSONAL_MAX bytes; VL_ERR_MEMORY. */
vl_status vl_personal_find(vl_arena *arena, const char *text, vl_personal **found,
                           size_t *count, vl_error *error);

/* ---- metrics -------------------------------------------------------------------- */

/* Levenshtein distance over code points / over white-space separated words, after
 * vl_text_squeeze on both sides, and the reference's length: CER = edits / length. */
typedef struct vl_edit_count {
    uint64_t edits, length;
} vl_edit_count;
vl_status vl_text_cer(const char *hypothesis, const char *reference, vl_edit_count *count,
                      vl_error *error);
vl_status vl_text_wer(const char *hypothesis, const char *reference, vl_edit_count *count,
                      vl_error *error);

/* ---- language identification ------------------------------------------------------ */

#define VL_LANG_SIZE 12 /* ISO 639-3 code, "und" for unknown, NUL included */
typedef struct vl_lang_guess {
    char code[VL_LANG_SIZE];
    double probability; /* calibrated, over the languages of the model plus "und" */
} vl_lang_guess;
typedef struct vl_langid vl_langid;
/* `path` NULL: the bundled model (models/langid.bin under vl_data_dir()). */
vl_status vl_langid_open(const char *path, vl_langid **langid, vl_error *error);
void vl_langid_free(vl_langid *langid);
/* The `max` likeliest languages of `text`, best first; returns how many. Text without
 * letters, or too strange for every language, gives "und". */
size_t vl_langid_guess(const vl_langid *langid, const char *text, size_t max,
                       vl_lang_guess *guesses);
/* Whether it can guess that language (as vl_lang_code) at all. */
bool vl_langid_knows(const vl_langid *langid, const char *code);
/* English name of an ISO 639-3 code ("Swahili"), or the code itself. Static storage. */
const char *vl_lang_name(const char *code);
/* The ISO 639-3 code that a language goes by here, from that of ISO 639-1 or of a member of its
 * macrolanguage: "sw" and "swh" give "swa", "prs" gives "fas". Anything else is given back.
 * Static storage, or `code`. */
const char *vl_lang_code(const char *code);
/* Two-letter ISO 639-1 code where there is one ("sw"), else the code itself. */
const char *vl_lang_short(const char *code);

/* ---- character n-grams ---------------------------------------------------------------- */

/* How likely a text is in a language: a model for each of many languages in one file, of NFC
 * code points, with modified interpolated Kneser-Ney probabilities (Chen and Goodman 1999, eq.
 * 26), pruned and in 8 bits (docs/consensus.md). Code points and not grapheme clusters: in
 * scripts that stack marks there are thousands of clusters, most too rare to count.
 *
 * A text begins and ends where a printed line does, so that "begin" and the end are likely
 * between words. Text must be NFC (vl_text_nfc); a code point that the language's text never
 * had is one unknown symbol. Logarithms are natural. Read-only after loading, so thread-safe.
 */
enum { VL_NGRAM_MAX_ORDER = 6, VL_NGRAM_MAX_BYTES = 16 << 20 };
typedef struct vl_ngram vl_ngram;
typedef struct vl_ngram_language vl_ngram_language; /* lives as long as its vl_ngram */
/* What the model remembers of a text; two equal ones have equal bytes. */
typedef struct vl_ngram_state {
    uint32_t nodes[VL_NGRAM_MAX_ORDER - 1];
} vl_ngram_state;
/* `path` NULL: the bundled models (models/chars.bin under vl_data_dir()). The file is mapped
 * and checked whole: VL_ERR_INPUT says what is wrong. It must not be cut while it is open. */
vl_status vl_ngram_open(const char *path, vl_ngram **ngram, vl_error *error);
/* From a file's content, which is copied. */
vl_status vl_ngram_parse(const void *content, size_t bytes, vl_ngram **ngram, vl_error *error);
void vl_ngram_free(vl_ngram *ngram);
size_t vl_ngram_count(const vl_ngram *ngram);
/* ISO 639-3 code of the i-th language, in their order. */
const char *vl_ngram_code(const vl_ngram *ngram, size_t i);
/* How many bytes of the file the i-th language takes. */
size_t vl_ngram_bytes(const vl_ngram *ngram, size_t i);
/* NULL: there is no model of it. */
const vl_ngram_language *vl_ngram_find(const vl_ngram *ngram, const char *code);
/* At the beginning of a line. */
void vl_ngram_begin(const vl_ngram_language *language, vl_ngram_state *state);
/* log P(text | from), and the state after it; `to` may be `from`, or NULL. */
double vl_ngram_extend(const vl_ngram_language *language, const vl_ngram_state *from,
                       const char *text, vl_ngram_state *to);
/* log P(the line ends | from). */
double vl_ngram_end(const vl_ngram_language *language, const vl_ngram_state *from);
/* log P of a whole line, its end included; `symbols` (may be NULL): of how many it is the sum.
 */
double vl_ngram_score(const vl_ngram_language *language, const char *text, size_t *symbols);

/* ---- tokenizer -------------------------------------------------------------------- */

/* Byte-level byte-pair encoding (Gage 1994; Sennrich, Haddow and Birch 2016): any bytes to a
 * short row of numbers and back, without loss. Ids are: the special tokens, then the 256 bytes,
 * then one id a merge, in the order they were learned. No two ids stand for the same bytes.
 *
 * Text is first cut into words, and a token never reaches over a word's end. A word is
 *   - letters, with the one space (U+0020) before them, if any,
 *   - or at most three decimal digits, likewise,
 *   - or other symbols (and bytes that are no UTF-8), likewise,
 *   - or white space, less a last space that belongs to the word after it;
 * marks and zero-width joiners stay with what they follow, and a word longer than
 * VL_BPE_WORD_BYTES is cut there, between characters. Specials never come out of text: only
 * vl_bpe_special gives their ids.
 *
 * Read-only after loading, so thread-safe: no function below writes to the vl_bpe. */
enum { VL_BPE_WORD_BYTES = 64, VL_BPE_MAX_TOKENS = 65536, VL_BPE_MAX_SPECIALS = 1024 };
typedef struct vl_bpe vl_bpe;
/* `path` NULL: the bundled tokenizer (models/seer-tokenizer.bpe under vl_data_dir()). A file
 * that is not what it says is VL_ERR_INPUT with the line that is wrong. */
vl_status vl_bpe_open(const char *path, vl_bpe **bpe, vl_error *error);
/* From a file's content, which is not kept. */
vl_status vl_bpe_parse(const void *content, size_t bytes, vl_bpe **bpe, vl_error *error);
void vl_bpe_free(vl_bpe *bpe);
/* Appends the file's content: parsing it gives the same tokenizer. Check the buffer after. */
void vl_bpe_serialize(const vl_bpe *bpe, vl_buf *out);
/* Number of ids: specials, bytes and merges. */
size_t vl_bpe_size(const vl_bpe *bpe);
/* The ids of `text[0..bytes)`, which may hold NULs and anything else. `count` receives how many
 * there are; more than `max` is VL_ERR_LIMIT, with the first `max` written. `ids` NULL: only
 * counts. There are never more ids than bytes. */
vl_status vl_bpe_encode(const vl_bpe *bpe, const char *text, size_t bytes, int32_t *ids,
                        size_t max, size_t *count, vl_error *error);
/* Appends the bytes of the ids to `out`, leaving specials out. An id that the tokenizer does
 * not have is VL_ERR_INPUT. */
vl_status vl_bpe_decode(const vl_bpe *bpe, const int32_t *ids, size_t count, vl_buf *out,
                        vl_error *error);
/* The bytes of one id (not NUL-terminated, living as long as `bpe`); NULL and 0 for a special
 * and for an id that there is not. */
const char *vl_bpe_token_bytes(const vl_bpe *bpe, int32_t id, size_t *bytes);
/* Id of the special token called `name` ("<caption>"), or -1. Specials are 0 … n-1. */
int32_t vl_bpe_special(const vl_bpe *bpe, const char *name);
size_t vl_bpe_special_count(const vl_bpe *bpe);
/* Its name, or NULL when `id` is no special. */
const char *vl_bpe_special_name(const vl_bpe *bpe, int32_t id);

/* ---- captions: the scores of the COCO caption evaluation ---------------------------- */

/* The tokens of `text` with one space between them, as the COCO evaluation counts them:
 * lower case, Penn Treebank rules ("don't" is "do n't", "dog's" is "dog 's"), the tokens
 * '' ' `` ` . ? ! , : - -- ... ; left out. As in that evaluation a bracket is a token of its
 * own (-lrb-, -rrb-) and stays. Text whose letters are mostly not Latin is cut into words by
 * UAX #29 (with ICU's dictionaries where a script has no spaces), punctuation left out.
 * In the arena; NULL: arena full. */
char *vl_caption_tokenize(vl_arena *arena, const char *text);

/* Scores of a corpus of (hypothesis, references); texts are tokenised as above and copied.
 * One thread at a time. */
typedef struct vl_caption_scorer vl_caption_scorer;
typedef struct vl_caption_scores {
    double bleu[4]; /* BLEU-1 … BLEU-4 of the corpus, 0 … 1 (Papineni et al. 2002), reference
                     * length: the closest, of two equally close the shorter */
    double cider_d; /* mean over hypotheses, 0 … 10 (Vedantam et al. 2015, n = 4, sigma = 6;
                     * document frequencies over the references of this corpus: with a single
                     * hypothesis it is 0) */
    size_t n;       /* hypotheses */
} vl_caption_scores;
vl_caption_scorer *vl_caption_scorer_new(void); /* NULL: no memory */
void vl_caption_scorer_free(vl_caption_scorer *scorer);
/* An empty hypothesis counts (and scores nothing). VL_ERR_INPUT: no references. VL_ERR_LIMIT:
 * a text over 64 KB, or a corpus of more than 2^28 n-grams. After an error the scorer holds
 * what it held before. */
vl_status vl_caption_scorer_add(vl_caption_scorer *scorer, const char *hypothesis,
                                const char *const *references, size_t count, vl_error *error);
/* Of all that was added so far; more may be added after. VL_ERR_INPUT: nothing was. */
vl_status vl_caption_scorer_scores(const vl_caption_scorer *scorer, vl_caption_scores *scores,
                                   vl_error *error);
/* CIDEr-D of each hypothesis, in the order they were added, into `scores` [n]; the cider_d
 * above is their mean. */
void vl_caption_scorer_cider_d(const vl_caption_scorer *scorer, double *scores);

/* ---- answers ------------------------------------------------------------------------ */

/* As the VQA evaluation compares answers (Antol et al. 2015, and the notes on its page): lower
 * case; periods out unless a digit follows; commas between digits out; other punctuation but
 * apostrophe and colon to a space; a, an, the out; "none" and "zero" … "ten" to digits; the
 * missing apostrophe of a contraction in. Digits of every script become 0-9. In the arena;
 * NULL: arena full. */
char *vl_text_answer_normalize(vl_arena *arena, const char *answer);
/* Whether `answer` equals one of `accepted` after that. VL_ERR_LIMIT: a text over 64 KB. */
vl_status vl_text_answer_match(const char *answer, const char *const *accepted, size_t count,
                               bool *match, vl_error *error);

/* ---- scores of labels and of retrieval ------------------------------------------------ */

typedef struct vl_class_score {
    double precision, recall, f1; /* 0 where nothing was predicted, or nothing is there */
    uint64_t support;             /* how many there are */
} vl_class_score;
/* `confusion` [classes, classes]: row the truth, column the prediction. `scores` [classes] may
 * be NULL. `macro_f1`: mean of f1 over the classes that are there or were predicted.
 * VL_ERR_INPUT: no class, or nothing counted. */
vl_status vl_score_classes(const uint64_t *confusion, size_t classes, vl_class_score *scores,
                           double *macro_f1, vl_error *error);
/* Expected calibration error (Guo et al. 2017, eq. 3) over 15 bins of equal width, the upper
 * edge of a bin belonging to it. VL_ERR_INPUT: no item, or a confidence outside 0 … 1. */
vl_status vl_score_calibration(const float *confidence, const bool *right, size_t n,
                               double *ece, vl_error *error);
/* Recall at each of `k` [k_count]: how often a right one is among the k most similar.
 * `similarity` is [texts, images] and text i belongs to image owner[i]. A wrong one that is
 * exactly as similar as the right one stands before it, so a constant scores nothing.
 * image_to_text: over the images that have a text; the best placed of its texts counts.
 * VL_ERR_INPUT: no text, an owner that is not an image, or a similarity that is not a number.
 */
vl_status vl_score_text_to_image(const float *similarity, size_t texts, size_t images,
                                 const size_t *owner, const size_t *k, size_t k_count,
                                 double *recall, vl_error *error);
vl_status vl_score_image_to_text(const float *similarity, size_t texts, size_t images,
                                 const size_t *owner, const size_t *k, size_t k_count,
                                 double *recall, vl_error *error);

#ifdef __cplusplus
}
#endif
#endif
