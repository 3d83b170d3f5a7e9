/* align_html.c — two documents side by side as one page that needs nothing else: a row a bead,
 * each column in its own direction and language, words that translate each other lit up
 * together under the pointer. Everything from the documents is escaped. */
#include "cli/align_document.h"

#include <string.h>

static const char HEAD[] =
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>Two versions side by side</title>\n"
    "<style>\n"
    "body{font:16px/1.5 system-ui,'Noto Sans',sans-serif;margin:1rem auto;max-width:80rem;"
    "padding:0 1rem;color:#1c2733;background:#fff}\n"
    "table{border-collapse:collapse;width:100%;table-layout:fixed}\n"
    "th,td{vertical-align:top;padding:.4rem .6rem;border-top:1px solid #d5dbe1;"
    "overflow-wrap:anywhere;text-align:start}\n"
    "th.c,td.c{width:6rem;color:#57636f;font-size:.8rem}\n"
    "tr.unsure td{background:#fff6dd}tr.alone td{background:#f1f3f5}\n"
    "b{font-weight:inherit}b.lit{background:#ffd34d;border-radius:.2rem}\n"
    "</style>\n";
static const char SCRIPT[] =
    "<script>\n"
    "let lit=[];\n"
    "document.addEventListener('mouseover',e=>{\n"
    "  lit.forEach(b=>b.classList.remove('lit'));lit=[];\n"
    "  const word=e.target.closest('b[data-w]');\n"
    "  if(!word)return;\n"
    "  lit=[...word.closest('tr').querySelectorAll(`b[data-w=\"${word.dataset.w}\"]`)];\n"
    "  lit.forEach(b=>b.classList.add('lit'));\n"
    "});\n"
    "</script>\n";

static void put_bytes(vl_buf *out, const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        switch (text[i]) {
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
        default: /* control characters are not allowed in HTML */
            vl_buf_append(out, (unsigned char)text[i] < ' ' ? " " : text + i, 1);
        }
}

static void put_escaped(vl_buf *out, const char *text) {
    put_bytes(out, text, strlen(text));
}

/* A text with its words marked by the number of the link they are in. `at` gives where a link's
 * word stands in this text; links are in any order of places. */
static void put_marked(vl_buf *out, const char *text, const vl_word_link *links, size_t count,
                       bool target) {
    size_t done = 0;
    for (;;) {
        size_t best = count, from = SIZE_MAX;
        for (size_t k = 0; k < count; k++) {
            size_t at = target ? links[k].target_from : links[k].source_from;
            if (at >= done && at < from) {
                best = k;
                from = at;
            }
        }
        if (best == count)
            break;
        size_t to = target ? links[best].target_to : links[best].source_to;
        put_bytes(out, text + done, from - done);
        vl_buf_printf(out, "<b data-w=\"%zu\">", best);
        put_bytes(out, text + from, to - from);
        vl_buf_puts(out, "</b>");
        done = to;
    }
    put_escaped(out, text + done);
}

static void put_cell(vl_buf *out, const align_document *d, const char *text,
                     const vl_word_link *links, size_t count, bool target) {
    vl_buf_printf(out, "<td dir=\"%s\" lang=\"", d->rtl ? "rtl" : "ltr");
    put_escaped(out, vl_lang_short(d->language));
    vl_buf_puts(out, "\">");
    put_marked(out, text, links, count, target);
    vl_buf_puts(out, "</td>");
}

static void put_bead(vl_buf *out, const align_document documents[2],
                     const vl_alignment *alignment, const vl_bead *bead, vl_arena *arena) {
    vl_word_link *links = NULL;
    size_t count = 0;
    const char *source =
        align_document_joined(arena, &documents[0], bead->source, bead->source_count);
    const char *target =
        align_document_joined(arena, &documents[1], bead->target, bead->target_count);
    bool both = bead->source_count && bead->target_count;
    if (!source || !target) {
        out->failed = true;
        return;
    }
    /* Without links the row is as readable; so an error here only leaves them out. */
    if (both && vl_alignment_words(alignment, arena, source, target, &links, &count, NULL))
        count = 0;
    vl_buf_puts(out, !both                    ? "<tr class=\"alone\">"
                     : bead->confidence < 0.5 ? "<tr class=\"unsure\">"
                                              : "<tr>");
    put_cell(out, &documents[0], source, links, count, false);
    put_cell(out, &documents[1], target, links, count, true);
    if (both)
        vl_buf_printf(out, "<td class=\"c\">%.0f %%%s</td></tr>\n", 100 * bead->confidence,
                      bead->confidence < 0.5 ? " not sure" : "");
    else
        vl_buf_puts(out, "<td class=\"c\">no counterpart</td></tr>\n");
}

void align_html_write(const align_document documents[2], const vl_alignment *alignment,
                      vl_arena *arena, vl_buf *out) {
    size_t count;
    const vl_bead *beads = vl_alignment_beads(alignment, &count);
    vl_buf_puts(out, HEAD);
    vl_buf_puts(out, "<table>\n<thead><tr>");
    for (size_t i = 0; i < 2; i++) {
        vl_buf_puts(out, "<th>");
        put_escaped(out, documents[i].path);
        vl_buf_puts(out, " — ");
        put_escaped(out, vl_lang_name(documents[i].language));
        vl_buf_puts(out, "</th>");
    }
    vl_buf_puts(out, "<th class=\"c\">confidence</th></tr></thead>\n<tbody>\n");
    for (size_t k = 0; k < count; k++)
        put_bead(out, documents, alignment, &beads[k], arena);
    vl_buf_puts(out, "</tbody>\n</table>\n");
    vl_buf_puts(out, SCRIPT);
    vl_buf_puts(out, "</html>\n");
}
