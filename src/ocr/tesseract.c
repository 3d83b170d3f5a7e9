/* tesseract.c — the Tesseract engine behind engine.h, through its C API.
 *
 * Threads. Debian's build runs each line's network in OpenMP regions that ask for four threads
 * whatever the machine has; on small machines the threads spin against each other and a page
 * takes ten times longer (measured on two cores: 12.2 s against 1.2 s). OMP_THREAD_LIMIT is
 * read before main() and cannot be changed from inside, but a thread that sets its "max active
 * levels" to 0 runs every region alone, and skips the runtime's team start as well (1.18 s
 * against 1.26 s with OMP_THREAD_LIMIT=1). The setting belongs to the calling thread, so it is
 * made again before each use. The function is looked up at run time: it must be that of the
 * OpenMP runtime Tesseract itself is linked with, whichever compiler builds us.
 *
 * Handles. Loading a pack costs 20 ms to 1 s, so that up to HANDLES stay warm, least recently
 * used out first. For samples (`sampling`), a pack is loaded without its word list: most of
 * the Latin pack's 89 MB is one, and the recogniser itself is 0.5 MB.
 *
 *   open, close, can_read   state and packs
 *   handle_get              warm handles
 *   read_page               recognition, and the walk over its result
 *   read_binarised, …       the same on another clean-up of the picture: further voices
 *   find_lines, orient      layout alone; orientation and script */
#include "ocr/cleanup.h"
#include "ocr/packs.h"
#include "ocr/engine.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <leptonica/allheaders.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tesseract/capi.h>
#include <unistd.h>

enum {
    HANDLES = 14,
    PACKS_MAX = 96,          /* bytes of "eng+fra+…" */
    PACK_FILE_MAX = 1 << 30, /* bytes of a pack file */
    LINES_MAX = 20000,
    WORDS_PER_LINE_MAX = 4000,
    SYMBOLS_PER_LINE_MAX = 16000,
};

typedef struct handle {
    TessBaseAPI *api;
    char packs[PACKS_MAX];
    bool sampling;
    uint64_t used; /* tick of the last use */
} handle;

typedef struct state {
    char data_dir[512];
    handle handles[HANDLES];
    uint64_t tick;
} state;

static void run_single_threaded(void) {
    static void (*set_levels)(int);
    static bool looked;
    if (!looked) { /* the same answer from every thread */
        *(void **)&set_levels = dlsym(RTLD_DEFAULT, "omp_set_max_active_levels");
        looked = true;
    }
    if (set_levels)
        set_levels(0);
}

static const char *version(void) {
    return TessVersion();
}

static vl_status engine_open(const char *data_dir, void **out, vl_error *error) {
    state *s = calloc(1, sizeof *s);
    if (!s)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the text engine");
    snprintf(s->data_dir, sizeof s->data_dir, "%s", data_dir);
    setMsgSeverity(L_SEVERITY_NONE);
    *out = s;
    return VL_OK;
}

static void handle_close(handle *h) {
    if (h->api) {
        TessBaseAPIEnd(h->api);
        TessBaseAPIDelete(h->api);
    }
    memset(h, 0, sizeof *h);
}

static void engine_close(void *opaque) {
    state *s = opaque;
    if (!s)
        return;
    for (size_t i = 0; i < HANDLES; i++)
        handle_close(&s->handles[i]);
    free(s);
}

static void pack_path(const state *s, const char *pack, char out[640]) {
    snprintf(out, 640, "%s/%s.traineddata", s->data_dir, pack);
}

static bool can_read(void *opaque, const char *pack) {
    char path[640];
    pack_path(opaque, pack, path);
    return access(path, R_OK) == 0;
}

/* ---- packs without their word lists ----------------------------------------------- */

/* A .traineddata file is: int32 count, int64 offset[count] (-1: absent), then the components
 * in offset order (Tesseract, tessdatamanager.cpp). */
enum { COMPONENT_LSTM_PUNC_DAWG = 18, COMPONENT_LSTM_NUMBER_DAWG = 20, COMPONENT_MAX = 64 };

static bool read_at(int fd, void *out, size_t bytes, int64_t offset) {
    size_t done = 0;
    while (done < bytes) {
        ssize_t n = pread(fd, (char *)out + done, bytes - done, (off_t)offset + (off_t)done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static int64_t component_end(const int64_t *offsets, int32_t count, int64_t start,
                             int64_t file_end) {
    int64_t end = file_end;
    for (int32_t i = 0; i < count; i++)
        if (offsets[i] > start && offsets[i] < end)
            end = offsets[i];
    return end;
}

static char *pack_without_words(const char *path, size_t *bytes) {
    char *out = NULL, *result = NULL;
    int64_t offsets[COMPONENT_MAX], moved[COMPONENT_MAX];
    int32_t count = 0;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) || st.st_size > PACK_FILE_MAX ||
        !read_at(fd, &count, sizeof count, 0) || count < 1 || count > COMPONENT_MAX)
        goto out;
    size_t table = (size_t)count * sizeof offsets[0];
    if (!read_at(fd, offsets, table, sizeof count))
        goto out;
    size_t size = sizeof count + table;
    for (int32_t i = 0; i < count; i++) {
        moved[i] = -1;
        if (offsets[i] < 0 ||
            (i >= COMPONENT_LSTM_PUNC_DAWG && i <= COMPONENT_LSTM_NUMBER_DAWG))
            continue;
        int64_t end = component_end(offsets, count, offsets[i], st.st_size);
        if (end < offsets[i])
            goto out;
        moved[i] = (int64_t)size;
        size += (size_t)(end - offsets[i]);
    }
    if (!(out = malloc(size)))
        goto out;
    memcpy(out, &count, sizeof count);
    memcpy(out + sizeof count, moved, table);
    for (int32_t i = 0; i < count; i++) {
        if (moved[i] < 0)
            continue;
        int64_t end = component_end(offsets, count, offsets[i], st.st_size);
        if (!read_at(fd, out + moved[i], (size_t)(end - offsets[i]), offsets[i]))
            goto out;
    }
    *bytes = size;
    result = out;
    out = NULL;
out:
    free(out);
    if (fd >= 0)
        close(fd);
    return result;
}

/* ---- handles ---------------------------------------------------------------------- */

static int handle_init(const state *s, handle *h) {
    char *names[] = {"debug_file"}, *values[] = {"/dev/null"};
    size_t bytes = 0;
    char *data = NULL;
    if (h->sampling && !strchr(h->packs, '+')) {
        char path[640];
        pack_path(s, h->packs, path);
        data = pack_without_words(path, &bytes);
    }
    int failed = data ? TessBaseAPIInit5(h->api, data, (int)bytes, h->packs, OEM_DEFAULT, NULL,
                                         0, names, values, 1, false)
                      : TessBaseAPIInit4(h->api, s->data_dir, h->packs, OEM_DEFAULT, NULL, 0,
                                         names, values, 1, false);
    free(data);
    return failed;
}

/* Fills `*out` with a warm or newly loaded handle, which stays the state's. */
static vl_status handle_get(state *s, const char *packs, bool sampling, TessBaseAPI **out,
                            vl_error *error) {
    run_single_threaded();
    handle *oldest = &s->handles[0];
    for (size_t i = 0; i < HANDLES; i++) {
        handle *h = &s->handles[i];
        if (h->api && h->sampling == sampling && strcmp(h->packs, packs) == 0) {
            h->used = ++s->tick;
            *out = h->api;
            return VL_OK;
        }
        if (h->used < oldest->used)
            oldest = h;
    }
    handle_close(oldest);
    if (strlen(packs) >= PACKS_MAX)
        return vl_fail(error, VL_ERR_USAGE, "too many languages at once: %s", packs);
    if (!(oldest->api = TessBaseAPICreate()))
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the text engine");
    snprintf(oldest->packs, sizeof oldest->packs, "%s", packs);
    oldest->sampling = sampling;
    if (handle_init(s, oldest)) {
        handle_close(oldest);
        return vl_fail(error, VL_ERR_MISSING,
                       "Tesseract cannot load \"%s\" from %s: reinstall its package", packs,
                       s->data_dir);
    }
    oldest->used = ++s->tick;
    *out = oldest->api;
    return VL_OK;
}

/* ---- reading ---------------------------------------------------------------------- */

static bool is_to_end(void *deadline, int words) {
    int64_t at = *(const int64_t *)deadline;
    (void)words;
    return (at > 0 && vl_clock_ns() > at) || vl_stop_asked();
}

static void prepare(TessBaseAPI *api, const vl_engine_request *request) {
    static const TessPageSegMode modes[] = {
        [VL_ENGINE_PAGE] = PSM_AUTO,          [VL_ENGINE_COLUMN] = PSM_SINGLE_COLUMN,
        [VL_ENGINE_BLOCK] = PSM_SINGLE_BLOCK, [VL_ENGINE_LINE] = PSM_SINGLE_LINE,
        [VL_ENGINE_SPARSE] = PSM_SPARSE_TEXT,
    };
    TessBaseAPISetPageSegMode(api, modes[request->mode]);
    TessBaseAPISetVariable(api, "tessedit_do_invert", request->dark_on_light ? "0" : "1");
    /* 2: what the network held for likely is kept for each character. */
    TessBaseAPISetVariable(api, "lstm_choice_mode", request->symbols ? "2" : "0");
    TessBaseAPISetImage2(api, request->picture);
    if (request->dpi > 0)
        TessBaseAPISetSourceResolution(api, request->dpi);
}

static vl_status recognise(TessBaseAPI *api, const vl_engine_request *request,
                           vl_error *error) {
    ETEXT_DESC *monitor = TessMonitorCreate();
    if (!monitor)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the text engine");
    int64_t deadline = request->deadline_ns;
    TessMonitorSetCancelFunc(monitor, is_to_end);
    TessMonitorSetCancelThis(monitor, &deadline);
    int failed = TessBaseAPIRecognize(api, monitor);
    TessMonitorDelete(monitor);
    if (vl_stop_check(error))
        return VL_ERR_CANCELLED;
    if (deadline > 0 && vl_clock_ns() > deadline)
        return vl_fail(error, VL_ERR_TIMEOUT, "reading the page took longer than its limit");
    if (failed)
        return vl_fail(error, VL_ERR_INTERNAL, "Tesseract failed on the page");
    return VL_OK;
}

static vl_box box_of(int left, int top, int right, int bottom) {
    return (vl_box){left, top, right - left, bottom - top};
}

/* Tesseract wraps words that run against the line in U+200E/U+200F marks: order is logical
 * here, the marks say nothing more. Its Tamil writes U+200C after every pulli (U+0BCD), where
 * it changes nothing; inside Persian words it stays. */
static void strip_marks(char *text) {
    char *out = text;
    for (const char *in = text; *in;) {
        const unsigned char *b = (const unsigned char *)in;
        if (b[0] == 0xE2 && b[1] == 0x80 && (b[2] == 0x8E || b[2] == 0x8F))
            in += 3;
        else if (b[0] == 0xE2 && b[1] == 0x80 && b[2] == 0x8C &&
                 (!b[3] || (out - text >= 3 && memcmp(out - 3, "\xE0\xAF\x8D", 3) == 0)))
            in += 3;
        else if (*in == ' ' || *in == '\n' || *in == '\t')
            in++;
        else
            *out++ = *in++;
    }
    *out = 0;
}

static size_t code_points(const char *text) {
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

typedef struct walk {
    vl_arena *arena;
    vl_engine_reading *reading;
    size_t line_cap, word_cap, figure_cap;
    size_t blocks, paragraphs;
    size_t line_characters;
    double line_sum, page_sum;
    bool symbols;
    size_t symbol_cap;
} walk;

/* Room for one more item of `size` after `count`. */
static bool reserve(vl_arena *arena, void **items, size_t *cap, size_t count, size_t size,
                    size_t max) {
    if (count < *cap)
        return true;
    if (count >= max)
        return false;
    size_t grown = *cap ? *cap * 2 : 8;
    void *more = vl_arena_grow(arena, *items, *cap * size, grown * size);
    if (!more)
        return false;
    *items = more;
    *cap = grown;
    return true;
}

static void line_finish(walk *w) {
    vl_engine_reading *r = w->reading;
    if (!r->line_count)
        return;
    vl_engine_line *line = &r->lines[r->line_count - 1];
    if (!line->word_count) {
        r->line_count--;
        return;
    }
    if (w->line_characters)
        line->confidence = w->line_sum / (double)w->line_characters;
    w->page_sum += w->line_sum;
    r->characters += w->line_characters;
    w->line_sum = 0;
    w->line_characters = 0;
}

/* A line without words after those that the reading has. */
static bool line_place(walk *w, const TessPageIterator *it) {
    vl_engine_reading *r = w->reading;
    if (!reserve(w->arena, (void **)&r->lines, &w->line_cap, r->line_count, sizeof *r->lines,
                 LINES_MAX))
        return false;
    vl_engine_line *line = &r->lines[r->line_count++];
    memset(line, 0, sizeof *line);
    int x0, y0, x1, y1;
    if (TessPageIteratorBoundingBox(it, RIL_TEXTLINE, &x0, &y0, &x1, &y1))
        line->box = box_of(x0, y0, x1, y1);
    line->baseline_y0 = line->baseline_y1 = line->box.y + line->box.height;
    if (TessPageIteratorBaseline(it, RIL_TEXTLINE, &x0, &y0, &x1, &y1) && x1 != x0) {
        double slope = (double)(y1 - y0) / (double)(x1 - x0);
        line->baseline_y0 = (int32_t)(y0 + slope * (line->box.x - x0));
        line->baseline_y1 = (int32_t)(y0 + slope * (line->box.x + line->box.width - x0));
    }
    line->block = w->blocks;
    line->paragraph = w->paragraphs;
    return true;
}

static bool line_start(walk *w, const TessPageIterator *it) {
    line_finish(w);
    w->word_cap = w->symbol_cap = 0;
    return line_place(w, it);
}

static double share(float percent) {
    return percent >= 100 ? 1 : percent > 0 ? percent / 100.0 : 0;
}

static int surest_first(const void *a, const void *b) {
    const vl_engine_choice *x = a, *y = b;
    return (x->confidence < y->confidence) - (x->confidence > y->confidence);
}

/* What the network held for likely at this place, its choice included, best first. */
static bool choices_add(walk *w, const TessResultIterator *it, vl_engine_symbol *symbol) {
    enum { CHOICES_MAX = 8 };
    vl_engine_choice choices[CHOICES_MAX];
    size_t count = 0;
    bool ok = true;
    TessChoiceIterator *choice = TessResultIteratorGetChoiceIterator(it);
    if (!choice)
        return true;
    do {
        const char *text = TessChoiceIteratorGetUTF8Text(choice);
        if (!text || !*text)
            continue;
        choices[count].text = vl_text_nfc(w->arena, text);
        choices[count].confidence = share(TessChoiceIteratorConfidence(choice));
        ok = choices[count++].text != NULL;
    } while (ok && count < CHOICES_MAX && TessChoiceIteratorNext(choice));
    TessChoiceIteratorDelete(choice);
    if (ok && count > 1) { /* one alone says nothing more */
        symbol->choices = vl_arena_array(w->arena, count, sizeof *choices);
        symbol->choice_count = count;
        if (!symbol->choices)
            return false;
        memcpy(symbol->choices, choices, count * sizeof *choices);
        qsort(symbol->choices, count, sizeof *choices, surest_first);
    }
    return ok;
}

static bool symbol_add(walk *w, vl_engine_line *line, const TessResultIterator *it) {
    int x0, y0, x1, y1;
    char *text = TessResultIteratorGetUTF8Text(it, RIL_SYMBOL);
    bool ok = true;
    if (!text)
        return true;
    strip_marks(text);
    if (*text && TessPageIteratorBoundingBox(TessResultIteratorGetPageIteratorConst(it),
                                             RIL_SYMBOL, &x0, &y0, &x1, &y1)) {
        ok = reserve(w->arena, (void **)&line->symbols, &w->symbol_cap, line->symbol_count,
                     sizeof *line->symbols, SYMBOLS_PER_LINE_MAX);
        vl_engine_symbol *symbol = ok ? &line->symbols[line->symbol_count] : NULL;
        if (ok)
            *symbol = (vl_engine_symbol){
                .text = vl_text_nfc(w->arena, text),
                .box = box_of(x0, y0, x1, y1),
                .confidence = share(TessResultIteratorConfidence(it, RIL_SYMBOL)),
                .word = line->word_count - 1};
        ok = ok && symbol->text && choices_add(w, it, symbol);
        line->symbol_count += ok;
    }
    TessDeleteText(text);
    return ok;
}

/* The characters of the word at `word`, which is the last of the line's. */
static bool symbols_add(walk *w, vl_engine_line *line, const TessResultIterator *word) {
    TessResultIterator *it = TessResultIteratorCopy(word);
    bool ok = it;
    while (ok) {
        ok = symbol_add(w, line, it);
        if (TessPageIteratorIsAtFinalElement(TessResultIteratorGetPageIteratorConst(it),
                                             RIL_WORD, RIL_SYMBOL) ||
            !TessResultIteratorNext(it, RIL_SYMBOL))
            break;
    }
    if (it)
        TessResultIteratorDelete(it);
    return ok;
}

static bool word_add(walk *w, const TessResultIterator *it, const TessPageIterator *page) {
    vl_engine_reading *r = w->reading;
    if (!r->line_count)
        return true;
    vl_engine_line *line = &r->lines[r->line_count - 1];
    int x0, y0, x1, y1;
    char *text = TessResultIteratorGetUTF8Text(it, RIL_WORD);
    bool ok = true;
    if (!text)
        return true;
    strip_marks(text);
    if (*text && TessPageIteratorBoundingBox(page, RIL_WORD, &x0, &y0, &x1, &y1)) {
        ok = reserve(w->arena, (void **)&line->words, &w->word_cap, line->word_count,
                     sizeof *line->words, WORDS_PER_LINE_MAX);
        vl_word *word = ok ? &line->words[line->word_count] : NULL;
        ok = ok && (word->text = vl_text_nfc(w->arena, text));
        if (ok && *word->text) {
            word->confidence = share(TessResultIteratorConfidence(it, RIL_WORD));
            word->box = box_of(x0, y0, x1, y1);
            size_t n = code_points(word->text);
            w->line_sum += word->confidence * (double)n;
            w->line_characters += n;
            line->word_count++;
            ok = !w->symbols || symbols_add(w, line, it);
        }
    }
    TessDeleteText(text);
    return ok;
}

static bool figure_add(walk *w, const TessPageIterator *page) {
    vl_engine_reading *r = w->reading;
    int x0, y0, x1, y1;
    if (!TessPageIteratorBoundingBox(page, RIL_BLOCK, &x0, &y0, &x1, &y1))
        return true;
    if (!reserve(w->arena, (void **)&r->figures, &w->figure_cap, r->figure_count,
                 sizeof *r->figures, LINES_MAX))
        return false;
    r->figures[r->figure_count++] = box_of(x0, y0, x1, y1);
    return true;
}

static bool is_picture(TessPolyBlockType type) {
    return type == PT_FLOWING_IMAGE || type == PT_HEADING_IMAGE || type == PT_PULLOUT_IMAGE;
}

static bool walk_result(walk *w, TessResultIterator *it) {
    const TessPageIterator *page = TessResultIteratorGetPageIteratorConst(it);
    bool ok = true;
    do {
        if (TessPageIteratorIsAtBeginningOf(page, RIL_BLOCK)) {
            w->blocks++;
            if (is_picture(TessPageIteratorBlockType(page))) {
                ok = figure_add(w, page);
                continue;
            }
        }
        if (TessPageIteratorIsAtBeginningOf(page, RIL_PARA))
            w->paragraphs++;
        if (TessPageIteratorIsAtBeginningOf(page, RIL_TEXTLINE))
            ok = line_start(w, page);
        ok = ok && word_add(w, it, page);
    } while (ok && TessResultIteratorNext(it, RIL_WORD));
    line_finish(w);
    return ok;
}

static vl_status read_page(void *opaque, const vl_engine_request *request,
                           vl_engine_reading *reading, vl_error *error) {
    TessBaseAPI *api = NULL;
    memset(reading, 0, sizeof *reading);
    vl_status status = handle_get(opaque, request->packs, request->sampling, &api, error);
    if (status)
        return status;
    prepare(api, request);
    status = recognise(api, request, error);
    TessResultIterator *it = status ? NULL : TessBaseAPIGetIterator(api);
    if (it) {
        walk w = {.arena = request->arena, .reading = reading, .symbols = request->symbols};
        if (!walk_result(&w, it))
            status = vl_fail(error, VL_ERR_MEMORY, "the page holds more text than its limit");
        if (reading->characters)
            reading->confidence = w.page_sum / (double)reading->characters;
        TessResultIteratorDelete(it);
    }
    TessBaseAPIClear(api);
    return status;
}

/* ---- other voices ------------------------------------------------------------------ */

/* Tesseract itself takes one threshold for large tiles (Otsu). */
static vl_status read_binarised(void *opaque, const vl_engine_request *request,
                                vl_engine_reading *reading, vl_error *error) {
    vl_engine_request own = *request;
    vl_cleanup_page cleaned;
    if (vl_cleanup_apply(VL_CLEANUP_SAUVOLA, request->picture, 0, &cleaned))
        own.picture = cleaned.picture;
    vl_status status = read_page(opaque, &own, reading, error);
    vl_cleanup_page_deinit(&cleaned);
    return status;
}

static const float ENLARGED = 1.5F; /* times as large */

static vl_box shrunk(vl_box box) {
    return (vl_box){(int32_t)((float)box.x / ENLARGED), (int32_t)((float)box.y / ENLARGED),
                    (int32_t)((float)box.width / ENLARGED),
                    (int32_t)((float)box.height / ENLARGED)};
}

static void shrink_line(vl_engine_line *line) {
    line->box = shrunk(line->box);
    line->baseline_y0 = (int32_t)((float)line->baseline_y0 / ENLARGED);
    line->baseline_y1 = (int32_t)((float)line->baseline_y1 / ENLARGED);
    for (size_t i = 0; i < line->word_count; i++)
        line->words[i].box = shrunk(line->words[i].box);
    for (size_t i = 0; i < line->symbol_count; i++)
        line->symbols[i].box = shrunk(line->symbols[i].box);
}

static vl_status read_enlarged(void *opaque, const vl_engine_request *request,
                               vl_engine_reading *reading, vl_error *error) {
    vl_engine_request own = *request;
    struct Pix *picture = pixScale(request->picture, ENLARGED, ENLARGED);
    if (!picture)
        return vl_fail(error, VL_ERR_MEMORY, "no memory for the enlarged page");
    own.picture = picture;
    own.dpi = (int)((float)request->dpi * ENLARGED);
    vl_status status = read_page(opaque, &own, reading, error);
    pixDestroy(&picture);
    for (size_t i = 0; !status && i < reading->line_count; i++)
        shrink_line(&reading->lines[i]);
    for (size_t i = 0; !status && i < reading->figure_count; i++)
        reading->figures[i] = shrunk(reading->figures[i]);
    return status;
}

/* ---- lines, orientation ----------------------------------------------------------- */

static bool walk_layout(walk *w, TessPageIterator *it) {
    bool ok = true;
    do {
        bool picture = is_picture(TessPageIteratorBlockType(it));
        if (TessPageIteratorIsAtBeginningOf(it, RIL_BLOCK)) {
            w->blocks++;
            ok = !picture || figure_add(w, it);
        }
        if (TessPageIteratorIsAtBeginningOf(it, RIL_PARA))
            w->paragraphs++;
        if (ok && !picture)
            ok = line_place(w, it);
    } while (ok && TessPageIteratorNext(it, RIL_TEXTLINE));
    return ok;
}

/* The pack of the script that a language's pack is for: another network, of all its languages.
 * NULL: it is one itself, or there is none. Latin's takes 250 MB to read with and reads no
 * better than the languages' own (docs/consensus.md). */
static const char *script_pack(void *opaque, const char *name) {
    const vl_ocr_pack *pack = vl_ocr_pack_find(name);
    const vl_ocr_pack *wide =
        pack && pack->language
            ? vl_ocr_pack_for_script(&vl_engine_tesseract, opaque, pack->script)
            : NULL;
    return wide && !wide->language && strcmp(wide->script, "Latn") ? wide->name : NULL;
}

static bool can_read_script(void *opaque, const char *name) {
    return script_pack(opaque, name) != NULL;
}

static vl_status read_script(void *opaque, const vl_engine_request *request,
                             vl_engine_reading *reading, vl_error *error) {
    vl_engine_request own = *request;
    char packs[128] = "", name[64];
    for (const char *at = request->packs; *at; at += *at == '+') {
        size_t length = strcspn(at, "+"), used = strlen(packs);
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        const char *wide = script_pack(opaque, name);
        if (!wide)
            return vl_fail(error, VL_ERR_UNSUPPORTED, "no pack of the script that '%s' is for",
                           name);
        if (!strstr(packs, wide)) /* no script's name holds another's */
            snprintf(packs + used, sizeof packs - used, "%s%s", used ? "+" : "", wide);
        at += length;
    }
    own.packs = packs;
    return read_page(opaque, &own, reading, error);
}

/* Packs bring settings with them: with another one than its own, lines of Devanagari that touch
 * are lost. */
static vl_status find_lines(void *opaque, const vl_engine_request *request,
                            vl_engine_reading *layout, vl_error *error) {
    TessBaseAPI *api = NULL;
    memset(layout, 0, sizeof *layout);
    vl_status status = handle_get(opaque, request->packs, request->sampling, &api, error);
    if (status)
        return status;
    prepare(api, request);
    TessPageIterator *it = TessBaseAPIAnalyseLayout(api);
    walk w = {.arena = request->arena, .reading = layout};
    if (it && !walk_layout(&w, it))
        status = vl_fail(error, VL_ERR_MEMORY, "the page has too many lines");
    if (it)
        TessPageIteratorDelete(it);
    TessBaseAPIClear(api);
    return status;
}

static vl_status orient(void *opaque, const vl_engine_request *request,
                        vl_engine_orientation *orientation, vl_error *error) {
    TessBaseAPI *api = NULL;
    memset(orientation, 0, sizeof *orientation);
    if (!can_read(opaque, "osd"))
        return vl_fail(error, VL_ERR_MISSING,
                       "orientation data is not installed: apt-get install tesseract-ocr-osd");
    vl_status status = handle_get(opaque, "osd", false, &api, error);
    if (status)
        return status;
    prepare(api, request);
    TessBaseAPISetPageSegMode(api, PSM_AUTO_OSD);
    int degrees = 0;
    float confidence = 0, script_confidence = 0;
    const char *script = NULL;
    if (TessBaseAPIDetectOrientationScript(api, &degrees, &confidence, &script,
                                           &script_confidence)) {
        /* `degrees` is how far the page stands turned clockwise. */
        orientation->clockwise = (360 - degrees) % 360;
        orientation->confidence = confidence;
        orientation->script_confidence = script_confidence;
        if (script)
            snprintf(orientation->script, sizeof orientation->script, "%s", script);
    } else {
        status = vl_fail(error, VL_ERR_MISSING, "too little text to tell the orientation");
    }
    TessBaseAPIClear(api);
    return status;
}

const vl_engine vl_engine_tesseract = {
    .name = "tesseract",
    .knows_confidence = true,
    .cost = 1,
    .version = version,
    .open = engine_open,
    .close = engine_close,
    .can_read = can_read,
    .read = read_page,
    .find_lines = find_lines,
    .orient = orient,
};

const vl_engine vl_engine_tesseract_binarised = {
    .name = "tesseract-binarised",
    .family = "tesseract",
    .knows_confidence = true,
    .cost = 1.1,
    .version = version,
    .open = engine_open,
    .close = engine_close,
    .can_read = can_read,
    .read = read_binarised,
    .find_lines = find_lines,
    .orient = orient,
};

const vl_engine vl_engine_tesseract_enlarged = {
    .name = "tesseract-enlarged",
    .family = "tesseract",
    .knows_confidence = true,
    .cost = 1.5,
    .version = version,
    .open = engine_open,
    .close = engine_close,
    .can_read = can_read,
    .read = read_enlarged,
    .find_lines = find_lines,
    .orient = orient,
};

const vl_engine vl_engine_tesseract_script = {
    .name = "tesseract-script",
    .family = "tesseract",
    .knows_confidence = true,
    .cost = 1.2,
    .version = version,
    .open = engine_open,
    .close = engine_close,
    .can_read = can_read_script,
    .read = read_script,
    .find_lines = find_lines,
    .orient = orient,
};
