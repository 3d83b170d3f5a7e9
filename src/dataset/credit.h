/* credit.h — who took a picture or who is its source, as captions say it: "Photo: …", "(Picha:
 * …)", "© …". A table of ours of the words that credits begin with in the languages served.
 * Thread-safe. */
#ifndef VL_DATASET_CREDIT_H
#define VL_DATASET_CREDIT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the text is a few words that begin as credits do. */
bool credit_is(const char *text);
/* Bytes of the text before the credit that it ends with, and before what sets that off: the end
 * of a sentence, a dash, a stroke, a line's end, brackets, or its own ©. All of them where it
 * ends with none, or is nothing else. */
size_t credit_before(const char *text);

#endif
