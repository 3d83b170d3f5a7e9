/* docx.h — inside of the reader of DOCX (WordprocessingML, ISO/IEC 29500-1 and -4; ECMA-376):
 * what stands beside the text in parts of its own. */
#ifndef VL_DATASET_DOCX_H
#define VL_DATASET_DOCX_H

#include "dataset/flow.h"
#include "dataset/xml.h"

/* Namespaces, transitional and strict alike. */
enum {
    DOCX_W = 1,
    DOCX_R,   /* relationships, as attributes */
    DOCX_PKG, /* relationships, as a part */
    DOCX_MC,  /* markup compatibility */
    DOCX_WP,  /* drawings in text */
    DOCX_A,   /* DrawingML */
    DOCX_PIC,
    DOCX_CHART,
    DOCX_V, /* VML */
    DOCX_MATH,
    DOCX_DC /* Dublin Core */
};
extern const xml_space docx_spaces[];

typedef struct docx_relation {
    const char *id, *type; /* the type's last word: "image" */
    const char *target;    /* within the package, or an address where `external` */
    bool external;
} docx_relation;
typedef struct docx_relations {
    docx_relation *items;
    size_t count, capacity;
} docx_relations;
/* Of the part `of`, "" of the package itself; in the arena. None at all is no failure. */
vl_status docx_relations_read(parts_builder *b, const void *bytes, size_t count, const char *of,
                              docx_relations *out);
const docx_relation *docx_relation_by_id(const docx_relations *all, const char *id);
const docx_relation *docx_relation_by_type(const docx_relations *all, const char *type);

/* `usual`: the languages of text that has no style; `standard`: the id of the paragraph style
 * of paragraphs that name none, "" none. */
vl_status docx_styles_read(parts_builder *b, const vl_buf *text, styles *all,
                           style_languages *usual, const char **standard);
/* What w:rPr or w:lang says into what is there. */
void docx_languages(const xml *x, style_languages *languages);
/* w:val of a property that is on or off; on where it says nothing. */
bool docx_is_on(const xml *x);

#endif
