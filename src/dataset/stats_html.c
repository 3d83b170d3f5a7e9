/* stats_html.c — the report: one page that needs nothing else, with charts as SVG and each
 * chart's numbers in a table beside it, for screens light and dark and for paper. Everything
 * that is from the dataset is escaped, and nothing of it becomes an address but http(s) links
 * and paths below the dataset's folder. No script. */
#include "dataset/stats.h"

#include <stdio.h>
#include <string.h>

enum { BARS = 20, CURVES = 6, LANGUAGES = 100, SOURCES = 100, SAMPLED = 30 };

/* Contrast with the ground is at least 4.5 for text and lines, 3 for bars (WCAG 2.2 AA). */
static const char style[] =
    ":root{--ground:#fff;--ink:#1b1f24;--quiet:#525c66;--rule:#c9d1d9;--bar:#1d5fa8;"
    "--c0:#1d5fa8;--c1:#a8420f;--c2:#1b7340;--c3:#7a3ba6;--c4:#7a5600;--c5:#b0224f}"
    "@media screen and (prefers-color-scheme:dark){:root{--ground:#14181d;--ink:#e6e9ed;"
    "--quiet:#a9b4c0;--rule:#3a434d;--bar:#6fb1ff;--c0:#6fb1ff;--c1:#ff9a62;--c2:#6fd498;"
    "--c3:#cf9bff;--c4:#e6bd4f;--c5:#ff8fb0}}"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:72rem;padding:1.5rem;"
    "background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}"
    "h1{font-size:1.6rem;margin:0 0 .3rem}h2{font-size:1.2rem;margin:2.5rem 0 .8rem;"
    "border-bottom:1px solid var(--rule);padding-bottom:.3rem}h3{font-size:1rem;margin:1rem 0 "
    ".4rem}p{margin:.3rem 0 .8rem}.quiet{color:var(--quiet)}a{color:var(--bar)}"
    ".cards{display:flex;flex-wrap:wrap;gap:.8rem;margin:1rem 0;padding:0;list-style:none}"
    ".cards li{border:1px solid var(--rule);border-radius:.4rem;padding:.6rem 1rem;min-width:"
    "8rem}.cards b{display:block;font-size:1.4rem;font-variant-numeric:tabular-nums}"
    ".pair{display:flex;flex-wrap:wrap;gap:1.5rem;align-items:flex-start}"
    ".pair figure{flex:1 1 26rem;margin:0;min-width:0}.pair .table{flex:1 1 20rem;"
    "max-height:28rem;overflow:auto}.pair .wide{flex:1 1 36rem}.pair "
    ".columns{max-width:28rem}.small{display:flex;flex-wrap:wrap;gap:1rem}"
    ".small figure{flex:1 1 14rem;max-width:22rem;margin:0}"
    "figcaption{color:var(--quiet);font-size:.9rem}svg{width:100%;height:auto;display:block}"
    "svg text{font:12px system-ui,sans-serif;fill:var(--ink);unicode-bidi:plaintext}"
    "svg .quiet{fill:var(--quiet)}.bar{fill:var(--bar)}.axis{stroke:var(--rule)}"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}"
    "caption{text-align:start;color:var(--quiet)}th,td{text-align:start;padding:.2rem .5rem;"
    "border-bottom:1px solid var(--rule);vertical-align:top;overflow-wrap:anywhere}"
    "thead th,tbody "
    "th{overflow-wrap:normal;min-width:4rem}td.n,th.n{text-align:end;font-variant-numeric:"
    "tabular-nums;white-space:nowrap}"
    "blockquote{margin:.5rem 0;padding:.5rem 1rem;border-inline-start:3px solid var(--bar);"
    "overflow-wrap:anywhere}blockquote footer{color:var(--quiet);font-size:.85rem}"
    "@media print{body{max-width:none;padding:0;font-size:10pt}.pair,figure,blockquote,tr{"
    "break-inside:avoid}.table{max-height:none!important;overflow:visible!important}a{color:"
    "inherit}}";

/* ---- escaping ---------------------------------------------------------------------------- */

static void put_escaped(vl_buf *out, const char *text) {
    for (; *text; text++) {
        switch (*text) {
        case '&':
            vl_buf_puts(out, "&amp;");
            break;
        case '<':
            vl_buf_puts(out, "&lt;");
            break;
        case '>':
            vl_buf_puts(out, "&gt;");
            break;
        case '"':
            vl_buf_puts(out, "&quot;");
            break;
        case '\'':
            vl_buf_puts(out, "&#39;");
            break;
        default: /* what XML does not allow has no place in a page either */
            if ((unsigned char)*text >= 0x20 || *text == '\n' || *text == '\t')
                vl_buf_append(out, text, 1);
        }
    }
}

/* At most `most` characters. */
static void put_short(vl_buf *out, const char *text, size_t most) {
    char cut[512];
    size_t at = 0, count = 0;
    while (text[at] && at + 8 < sizeof cut) {
        if (((unsigned char)text[at] & 0xC0) != 0x80 && ++count > most)
            break;
        cut[at] = text[at];
        at++;
    }
    memcpy(cut + at, text[at] ? "…" : "", text[at] ? 4 : 1);
    put_escaped(out, cut);
}

/* A path below the folder, as an address (RFC 3986, section 2.3 and "/"). */
static void put_path(vl_buf *out, const char *path) {
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || strchr("-._~/", c) != NULL;
        if (plain)
            vl_buf_append(out, path, 1);
        else
            vl_buf_printf(out, "%%%02X", c);
    }
}

static void put_number(vl_buf *out, double value) {
    char digits[32];
    snprintf(digits, sizeof digits, "%.0f", value);
    size_t length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        vl_buf_append(out, digits + i, 1);
        if ((length - i - 1) % 3 == 0 && i + 1 < length)
            vl_buf_puts(out, "\xE2\x80\xAF"); /* narrow space */
    }
}

/* ---- charts ------------------------------------------------------------------------------ */

typedef struct bar {
    char name[160];
    double value;
} bar;

static double largest(const bar *bars, size_t count) {
    double most = 1;
    for (size_t i = 0; i < count; i++)
        most = bars[i].value > most ? bars[i].value : most;
    return most;
}

static void begin_svg(vl_buf *out, const char *title, double width, double height) {
    vl_buf_printf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", width,
                  height);
    put_escaped(out, title);
    vl_buf_puts(out, "\"><title>");
    put_escaped(out, title);
    vl_buf_puts(out, "</title>");
}

/* Names at the left, bars to the right of them, the number behind. */
static void put_bars(vl_buf *out, const char *title, const bar *bars, size_t count) {
    enum { LEFT = 170, WIDE = 560, ROW = 22, ROOM = 290 };
    double most = largest(bars, count);
    begin_svg(out, title, WIDE, (double)count * ROW + 6);
    for (size_t i = 0; i < count; i++) {
        double y = (double)i * ROW + 4, width = bars[i].value / most * ROOM;
        vl_buf_printf(out, "<text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">\xE2\x81\xA8",
                      LEFT - 8, y + 13);
        put_short(out, bars[i].name, 22);
        vl_buf_printf(out,
                      "\xE2\x81\xA9</text><rect class=\"bar\" x=\"%d\" y=\"%.0f\" "
                      "width=\"%.1f\" height=\"15\" rx=\"2\"/><text class=\"quiet\" "
                      "x=\"%.1f\" y=\"%.0f\">",
                      LEFT, y + 1, width, LEFT + width + 6, y + 13);
        put_number(out, bars[i].value);
        vl_buf_puts(out, "</text>");
    }
    vl_buf_puts(out, "</svg>");
}

static void put_mark(vl_buf *out, double x, double y, const char *anchor, const char *name) {
    vl_buf_printf(out, "<text class=\"quiet\" x=\"%.1f\" y=\"%.0f\" text-anchor=\"%s\">", x, y,
                  anchor);
    put_escaped(out, name);
    vl_buf_puts(out, "</text>");
}

/* Columns over an axis, the most at its top; names under all of a few, else under the first,
 * the middle and the last. */
static void put_columns(vl_buf *out, const char *title, const bar *bars, size_t count) {
    enum { WIDE = 320, HIGH = 140, BASE = 115, TOP = 20, FEW = 4, WIDEST = 60 };
    double most = largest(bars, count), step = (double)(WIDE - 10) / (double)count;
    step = step > WIDEST ? WIDEST : step;
    begin_svg(out, title, WIDE, HIGH);
    vl_buf_puts(out, "<text class=\"quiet\" x=\"5\" y=\"14\">");
    put_number(out, most);
    vl_buf_puts(out, "</text>");
    for (size_t i = 0; i < count; i++) {
        double height = bars[i].value / most * (BASE - TOP), x = 5 + (double)i * step;
        height = bars[i].value > 0 && height < 1 ? 1 : height;
        vl_buf_printf(out,
                      "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                      "height=\"%.1f\"><title>",
                      x + 0.5, BASE - height, step - 1, height);
        put_escaped(out, bars[i].name);
        vl_buf_puts(out, ": ");
        put_number(out, bars[i].value);
        vl_buf_puts(out, "</title></rect>");
        if (count <= FEW)
            put_mark(out, x + step / 2, BASE + 16, "middle", bars[i].name);
    }
    vl_buf_printf(out, "<line class=\"axis\" x1=\"5\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>", BASE,
                  WIDE - 5, BASE);
    if (count > FEW) {
        put_mark(out, 5, BASE + 16, "start", bars[0].name);
        put_mark(out, 5 + ((double)(count / 2) + .5) * step, BASE + 16, "middle",
                 bars[count / 2].name);
        put_mark(out, 5 + (double)count * step, BASE + 16, "end", bars[count - 1].name);
    }
    vl_buf_puts(out, "</svg>");
}

static void put_table(vl_buf *out, const char *what, const char *head, const bar *bars,
                      size_t count, double total) {
    vl_buf_puts(out, "<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"");
    put_escaped(out, what);
    vl_buf_puts(out, ", as a table\"><table><thead><tr><th scope=\"col\">");
    put_escaped(out, head);
    vl_buf_puts(out, "</th><th scope=\"col\" class=\"n\">count</th><th scope=\"col\" "
                     "class=\"n\">share</th></tr></thead><tbody>");
    for (size_t i = 0; i < count; i++) {
        vl_buf_puts(out, "<tr><th scope=\"row\"><bdi>");
        put_escaped(out, bars[i].name);
        vl_buf_puts(out, "</bdi></th><td class=\"n\">");
        put_number(out, bars[i].value);
        vl_buf_printf(out, "</td><td class=\"n\">%.1f %%</td></tr>",
                      total > 0 ? 100 * bars[i].value / total : 0);
    }
    vl_buf_puts(out, "</tbody></table></div>");
}

static void put_section(vl_buf *out, const char *title) {
    vl_buf_puts(out, "<section><h2>");
    put_escaped(out, title);
    vl_buf_puts(out, "</h2>");
}

/* A chart, and its numbers beside it. */
static void put_pair(vl_buf *out, const char *title, const char *head, const char *says,
                     const bar *bars, size_t count, bool as_columns) {
    double total = 0;
    if (!count)
        return;
    for (size_t i = 0; i < count; i++)
        total += bars[i].value;
    put_section(out, title);
    vl_buf_printf(out, "<div class=\"pair\"><figure%s>",
                  as_columns ? " class=\"columns\"" : "");
    (as_columns ? put_columns : put_bars)(out, title, bars, count);
    vl_buf_puts(out, "<figcaption>");
    put_escaped(out, says);
    vl_buf_puts(out, "</figcaption></figure>");
    put_table(out, title, head, bars, count, total);
    vl_buf_puts(out, "</div></section>");
}

static void put_tally(vl_buf *out, const char *title, const char *head, const char *says,
                      const stats_tally *t) {
    bar bars[BARS + 1];
    size_t count = 0;
    double rest = (double)t->others;
    for (size_t i = 0; i < t->count; i++) {
        if (i < BARS) {
            snprintf(bars[count].name, sizeof bars[count].name, "%s", t->entries[i].name);
            bars[count++].value = (double)t->entries[i].count;
        } else {
            rest += (double)t->entries[i].count;
        }
    }
    if (rest > 0) {
        snprintf(bars[count].name, sizeof bars[count].name, "(others)");
        bars[count++].value = rest;
    }
    put_pair(out, title, head, says, bars, count, false);
}

static size_t bars_of_lengths(const lengths *l, bar bars[LENGTH_BINS]) {
    size_t count = 0, first = 0;
    while (first < LENGTH_BINS - 1 && !l->bins[first])
        first++;
    for (size_t i = first; l->count && i <= lengths_last_bin(l); i++) {
        lengths_bin_name(i, bars[count].name);
        bars[count++].value = (double)l->bins[i];
    }
    return count;
}

static void put_lengths(vl_buf *out, const char *title, const char *head, const char *unit,
                        const lengths *l) {
    bar bars[LENGTH_BINS];
    char says[200];
    snprintf(says, sizeof says, "%s from %llu to %llu, on average %.1f; bins double.", unit,
             (unsigned long long)l->least, (unsigned long long)l->most, lengths_mean(l));
    put_pair(out, title, head, says, bars, bars_of_lengths(l, bars), true);
}

/* ---- languages --------------------------------------------------------------------------- */

static void put_language_row(vl_buf *out, const stats_language *l) {
    vl_buf_puts(out, "<tr><th scope=\"row\"><bdi>");
    put_escaped(out, vl_lang_name(l->code));
    vl_buf_puts(out, "</bdi> <span class=\"quiet\">");
    put_escaped(out, l->code);
    vl_buf_puts(out, "</span></th>");
    const double numbers[] = {(double)l->rows, (double)l->by_words.count,
                              (double)l->by_words.sum};
    for (size_t i = 0; i < 3; i++) {
        vl_buf_puts(out, "<td class=\"n\">");
        put_number(out, numbers[i]);
        vl_buf_puts(out, "</td>");
    }
    vl_buf_printf(out, "<td class=\"n\">%.1f</td><td class=\"n\">%.1f</td><td class=\"n\">%s",
                  lengths_mean(&l->by_words), lengths_mean(&l->by_characters),
                  l->words.registers ? "≈ " : "");
    put_number(out, vocabulary_types(&l->words));
    vl_buf_puts(out, "</td></tr>");
}

static void put_languages(vl_buf *out, const vl_stats *s) {
    bar bars[BARS];
    size_t count = s->language_count < BARS ? s->language_count : BARS;
    for (size_t i = 0; i < count; i++) {
        snprintf(bars[i].name, sizeof bars[i].name, "%s", vl_lang_name(s->languages[i]->code));
        bars[i].value = (double)s->languages[i]->rows;
    }
    put_section(out, "Languages");
    vl_buf_puts(out, "<div class=\"pair\"><figure>");
    put_bars(out, "Rows by language", bars, count);
    vl_buf_puts(out,
                "<figcaption>Rows by language.</figcaption></figure><div class=\"table wide\" "
                "tabindex=\"0\" role=\"region\" aria-label=\"Languages, as a table\">"
                "<table><thead><tr><th scope=\"col\">language</th>");
    static const char *const heads[] = {"rows",         "texts",          "words",
                                        "words a text", "letters a text", "distinct"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        vl_buf_printf(out, "<th scope=\"col\" class=\"n\">%s</th>", heads[i]);
    vl_buf_puts(out, "</tr></thead><tbody>");
    for (size_t i = 0; i < s->language_count && i < LANGUAGES; i++)
        put_language_row(out, s->languages[i]);
    vl_buf_puts(
        out, "</tbody></table></div></div><p class=\"quiet\">Words are those of Unicode's "
             "rules (UAX #29) with ICU's dictionaries where a script has no spaces; distinct "
             "ones without case and without numbers. ≈: estimated (HyperLogLog, standard "
             "error 0.81 %).</p>");
    vl_buf_puts(out, "<h3>Words of a text</h3><div class=\"small\">");
    for (size_t i = 0; i < s->language_count && i < CURVES; i++) {
        bar bins[LENGTH_BINS];
        char title[200];
        const stats_language *l = s->languages[i];
        size_t bin_count = bars_of_lengths(&l->by_words, bins);
        if (!bin_count)
            continue;
        snprintf(title, sizeof title, "Words of a text: %s", vl_lang_name(l->code));
        vl_buf_puts(out, "<figure>");
        put_columns(out, title, bins, bin_count);
        vl_buf_puts(out, "<figcaption>");
        put_escaped(out, vl_lang_name(l->code));
        vl_buf_printf(out, ", %llu–%llu words</figcaption></figure>",
                      (unsigned long long)l->by_words.least,
                      (unsigned long long)l->by_words.most);
    }
    vl_buf_puts(out, "</div></section>");
}

typedef struct spot {
    double x, y;
} spot;

/* Names at the ends of lines make room for each other. */
static spot place_name(spot wanted, const spot *placed, size_t count) {
    enum { WIDE = 100, HIGH = 13 };
    for (size_t i = 0; i < count; i++) {
        double across = wanted.x - placed[i].x, down = wanted.y - placed[i].y;
        if (across > -WIDE && across < WIDE && down > -HIGH && down < HIGH) {
            wanted.y = placed[i].y + HIGH;
            i = SIZE_MAX; /* once more with all */
        }
    }
    return wanted;
}

/* Lines are told apart by colour, by dashes and by their names at their ends. */
static void put_curve(vl_buf *out, const stats_language *l, size_t i, double tokens,
                      double types, spot placed[CURVES]) {
    static const char *const dashes[CURVES] = {"", "6 3", "2 3", "9 3 2 3", "1 2", "12 4"};
    enum { LEFT = 60, RIGHT = 440, TOP = 10, BASE = 240 };
    double x = LEFT, y = BASE;
    vl_buf_printf(out,
                  "<polyline fill=\"none\" style=\"stroke:var(--c%zu)\" stroke-width=\"2\" "
                  "stroke-dasharray=\"%s\" points=\"%d,%d",
                  i, dashes[i], LEFT, BASE);
    for (size_t k = 0; k < l->words.points; k++) {
        x = LEFT + (double)l->words.curve[k].tokens / tokens * (RIGHT - LEFT);
        y = BASE - l->words.curve[k].types / types * (BASE - TOP);
        vl_buf_printf(out, " %.1f,%.1f", x, y);
    }
    placed[i] = place_name((spot){x + 5, y + 4}, placed, i);
    vl_buf_printf(out, "\"/><text x=\"%.1f\" y=\"%.1f\" style=\"fill:var(--c%zu)\">",
                  placed[i].x, placed[i].y, i);
    put_short(out, vl_lang_name(l->code), 18);
    vl_buf_puts(out, "</text>");
}

static void put_axes(vl_buf *out, double tokens, double types) {
    vl_buf_puts(out, "<line class=\"axis\" x1=\"60\" y1=\"240\" x2=\"440\" y2=\"240\"/><line "
                     "class=\"axis\" x1=\"60\" y1=\"10\" x2=\"60\" y2=\"240\"/><text "
                     "class=\"quiet\" x=\"60\" y=\"257\">0</text><text class=\"quiet\" "
                     "x=\"440\" y=\"257\" text-anchor=\"end\">");
    put_number(out, tokens);
    vl_buf_puts(out, " words</text><text class=\"quiet\" x=\"54\" y=\"18\" "
                     "text-anchor=\"end\">");
    put_number(out, types);
    vl_buf_puts(out, "</text>");
}

static void put_vocabulary(vl_buf *out, const vl_stats *s) {
    double tokens = 1, types = 1;
    spot placed[CURVES];
    size_t count = s->language_count < CURVES ? s->language_count : CURVES;
    for (size_t i = 0; i < count; i++) {
        const vocabulary *v = &s->languages[i]->words;
        double all = vocabulary_types(v);
        tokens = (double)v->tokens > tokens ? (double)v->tokens : tokens;
        types = all > types ? all : types;
    }
    put_section(out, "Vocabulary");
    vl_buf_puts(out, "<div class=\"pair\"><figure>");
    begin_svg(out, "Distinct words against words read, by language", 560, 265);
    put_axes(out, tokens, types);
    for (size_t i = 0; i < count; i++)
        put_curve(out, s->languages[i], i, tokens, types, placed);
    vl_buf_puts(out, "</svg><figcaption>Distinct words (up) against words read (right), of the "
                     "languages with most rows.</figcaption></figure><div class=\"table\" "
                     "tabindex=\"0\" role=\"region\" aria-label=\"Vocabulary, as a table\">"
                     "<table><thead><tr><th scope=\"col\">language</th><th scope=\"col\" "
                     "class=\"n\">words</th><th scope=\"col\" class=\"n\">distinct</th><th "
                     "scope=\"col\" class=\"n\">per word</th></tr></thead><tbody>");
    for (size_t i = 0; i < s->language_count && i < LANGUAGES; i++) {
        const vocabulary *v = &s->languages[i]->words;
        double all = vocabulary_types(v);
        vl_buf_puts(out, "<tr><th scope=\"row\"><bdi>");
        put_escaped(out, vl_lang_name(s->languages[i]->code));
        vl_buf_puts(out, "</bdi></th><td class=\"n\">");
        put_number(out, (double)v->tokens);
        vl_buf_printf(out, "</td><td class=\"n\">%s", v->registers ? "≈ " : "");
        put_number(out, all);
        vl_buf_printf(out, "</td><td class=\"n\">%.3f</td></tr>",
                      v->tokens ? all / (double)v->tokens : 0);
    }
    vl_buf_puts(out, "</tbody></table></div></div></section>");
}

/* ---- the rest ---------------------------------------------------------------------------- */

static void put_sources(vl_buf *out, const vl_stats *s) {
    put_section(out, "Sources");
    vl_buf_puts(out, "<table><thead><tr><th scope=\"col\">source</th><th scope=\"col\">"
                     "publisher</th><th scope=\"col\">licence</th><th scope=\"col\" "
                     "class=\"n\">rows</th></tr></thead><tbody>");
    for (size_t i = 0; i < s->sources.count && i < SOURCES; i++) {
        char parts[3][256];
        stats_source_parts(s->sources.entries[i].name, parts);
        vl_buf_puts(out, "<tr>");
        for (int k = 0; k < 3; k++) {
            vl_buf_puts(out, "<td><bdi>");
            put_escaped(out, *parts[k] ? parts[k] : "–");
            vl_buf_puts(out, "</bdi></td>");
        }
        vl_buf_puts(out, "<td class=\"n\">");
        put_number(out, (double)s->sources.entries[i].count);
        vl_buf_puts(out, "</td></tr>");
    }
    vl_buf_puts(out, "</tbody></table>");
    if (s->sources.count > SOURCES)
        vl_buf_printf(out, "<p class=\"quiet\">… and %zu more.</p>",
                      s->sources.count - SOURCES);
    vl_buf_puts(out, "</section>");
}

static void put_quality(vl_buf *out, const vl_stats *s) {
    if (!s->has_quality || !s->bases)
        return;
    put_section(out, "Quality");
    vl_buf_puts(out, "<p class=\"quiet\">Of base items, 0 at the left and 1 at the right.</p>"
                     "<div class=\"small\">");
    for (size_t i = 0; i < QUALITIES; i++) {
        bar bars[QUALITY_BINS];
        char title[80];
        for (size_t k = 0; k < QUALITY_BINS; k++) {
            snprintf(bars[k].name, sizeof bars[k].name, "%.2f–%.2f", (double)k / QUALITY_BINS,
                     (double)(k + 1) / QUALITY_BINS);
            bars[k].value = (double)s->quality[i][k];
        }
        snprintf(title, sizeof title, "Quality: %s", stats_quality_name(i));
        vl_buf_puts(out, "<figure>");
        put_columns(out, title, bars, QUALITY_BINS);
        vl_buf_printf(out, "<figcaption>%s, mean %.3f</figcaption></figure>",
                      stats_quality_name(i), s->quality_sum[i] / (double)s->bases);
    }
    vl_buf_puts(out, "</div><div class=\"table\" tabindex=\"0\" role=\"region\" "
                     "aria-label=\"Quality, as a table\"><table><thead><tr><th scope=\"col\">"
                     "from</th>");
    for (size_t i = 0; i < QUALITIES; i++)
        vl_buf_printf(out, "<th scope=\"col\" class=\"n\">%s</th>", stats_quality_name(i));
    vl_buf_puts(out, "</tr></thead><tbody>");
    for (size_t k = 0; k < QUALITY_BINS; k++) {
        vl_buf_printf(out, "<tr><th scope=\"row\">%.2f</th>", (double)k / QUALITY_BINS);
        for (size_t i = 0; i < QUALITIES; i++) {
            vl_buf_puts(out, "<td class=\"n\">");
            put_number(out, (double)s->quality[i][k]);
            vl_buf_puts(out, "</td>");
        }
        vl_buf_puts(out, "</tr>");
    }
    vl_buf_puts(out, "</tbody></table></div></section>");
}

static void put_personal(vl_buf *out, const vl_stats *s) {
    bar bars[VL_ITEM_PERSONAL];
    size_t count = 0;
    char says[120];
    for (size_t i = 0; i < VL_ITEM_PERSONAL; i++)
        if (s->personal[i]) {
            snprintf(bars[count].name, sizeof bars[count].name, "%s", vl_item_personal_name(i));
            bars[count++].value = (double)s->personal[i];
        }
    snprintf(says, sizeof says, "What was replaced, in %llu base items.",
             (unsigned long long)s->personal_rows);
    put_pair(out, "Personal data", "kind", says, bars, count, false);
}

static void put_sample(vl_buf *out, const sample *one, const char *code, const char *pictures) {
    char clean[32];
    snprintf(clean, sizeof clean, "%s", vl_lang_short(code));
    vl_buf_puts(out, "<blockquote>");
    if (*one->instruction) {
        vl_buf_puts(out, "<p class=\"quiet\" dir=\"auto\">");
        put_escaped(out, one->instruction);
        vl_buf_puts(out, "</p>");
    }
    vl_buf_puts(out, "<p dir=\"auto\" lang=\"");
    put_escaped(out, clean);
    vl_buf_puts(out, "\">");
    put_escaped(out, one->text);
    vl_buf_puts(out, "</p><footer>");
    put_escaped(out, one->kind);
    vl_buf_puts(out, *one->kind ? " · " : "");
    put_escaped(out, one->place);
    if (*one->picture && check_is_inside(one->picture) && !strchr(one->picture, ':')) {
        vl_buf_puts(out, " · <a href=\"");
        put_path(out, pictures);
        vl_buf_puts(out, *pictures ? "/" : "./");
        put_path(out, one->picture);
        vl_buf_puts(out, "\">picture</a>");
    }
    if (!strncmp(one->url, "https://", 8) || !strncmp(one->url, "http://", 7)) {
        vl_buf_puts(out, " · <a rel=\"noopener noreferrer\" href=\"");
        put_escaped(out, one->url);
        vl_buf_puts(out, "\">source</a>");
    }
    vl_buf_puts(out, "</footer></blockquote>");
}

static void put_samples(vl_buf *out, const vl_stats *s, const char *pictures) {
    put_section(out, "Samples");
    vl_buf_puts(out, "<p class=\"quiet\">Drawn at random, the same ones each time.</p>");
    for (size_t i = 0; i < s->language_count && i < SAMPLED; i++) {
        const stats_language *l = s->languages[i];
        if (!l->samples[0].text)
            continue;
        vl_buf_puts(out, "<h3>");
        put_escaped(out, vl_lang_name(l->code));
        vl_buf_puts(out, "</h3>");
        for (size_t k = 0; k < SAMPLES_MAX && l->samples[k].text; k++)
            put_sample(out, &l->samples[k], l->code, pictures);
    }
    vl_buf_puts(out, "</section>");
}

static void put_card(vl_buf *out, double value, const char *name) {
    vl_buf_puts(out, "<li><b>");
    put_number(out, value);
    vl_buf_printf(out, "</b> %s</li>", name);
}

static void put_top(vl_buf *out, const vl_stats *s) {
    vl_buf_puts(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
                     "name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta "
                     "name=\"color-scheme\" content=\"light dark\"><meta "
                     "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                     "style-src 'unsafe-inline'\"><title>Dataset ");
    put_escaped(out, s->path);
    vl_buf_puts(out, "</title><style>");
    vl_buf_puts(out, style);
    vl_buf_puts(out, "</style></head><body><main><h1>Dataset <bdi>");
    put_escaped(out, s->path);
    vl_buf_printf(out, "</bdi></h1><p class=\"quiet\">layout %s</p><ul class=\"cards\">",
                  vl_layout_name(s->layout));
    put_card(out, (double)s->rows, "rows");
    if (s->has_quality)
        put_card(out, (double)s->bases, "base items");
    put_card(out, (double)s->documents, "documents");
    put_card(out, (double)s->pictures, "pictures");
    put_card(out, (double)s->language_count, "languages");
    if (s->unreadable)
        put_card(out, (double)s->unreadable, "rows that cannot be read");
    vl_buf_puts(out, "</ul>");
}

static void put_splits(vl_buf *out, const vl_stats *s) {
    bar bars[VL_SPLIT_COUNT + 1];
    size_t count = 0;
    for (size_t i = 0; i <= VL_SPLIT_COUNT; i++)
        if (s->splits[i]) {
            snprintf(bars[count].name, sizeof bars[count].name, "%s",
                     i < VL_SPLIT_COUNT ? vl_split_name((vl_split)i) : "(not said)");
            bars[count++].value = (double)s->splits[i];
        }
    put_pair(out, "Splits", "split", "Rows by split.", bars, count, false);
}

vl_status vl_stats_html(const vl_stats *s, const char *pictures, vl_buf *out, vl_error *error) {
    put_top(out, s);
    put_languages(out, s);
    put_vocabulary(out, s);
    put_tally(out, "Scripts", "script", "By ISO 15924.", &s->scripts);
    put_splits(out, s);
    put_tally(out, "Kinds of rows", "kind", "Rows by kind.", &s->kinds);
    put_sources(out, s);
    put_lengths(out, "Rows of a document", "rows", "Documents by their rows,",
                &s->rows_per_document);
    put_tally(out, "Kinds of pictures", "kind", "Each picture once.", &s->picture_kinds);
    put_lengths(out, "Sizes of pictures", "pixels", "Longer sides, pixels,", &s->picture_sides);
    put_lengths(out, "Near-duplicates", "size", "Clusters by their size, one of each is kept,",
                &s->clusters);
    put_quality(out, s);
    put_personal(out, s);
    put_tally(out, "Where responses are from", "origin", "Rows by origin.", &s->origins);
    put_tally(out, "Phrasings", "phrasing", "Examples by template.", &s->phrases);
    put_tally(out, "Reviewed", "verdict", "Items by verdict.", &s->reviews);
    put_samples(out, s, pictures);
    vl_buf_puts(out, "</main></body></html>\n");
    return vl_buf_status(out, "a report", error);
}
