/* language.h — languages that are said in words.
 *
 * Thread-safety: all functions. */
#ifndef VL_HARVEST_LANGUAGE_H
#define VL_HARVEST_LANGUAGE_H

/* The language of a file by its description: "Arabic version", "Swahili translation", "French",
 * "Français"; nothing longer, for "Floods in Afar" speaks of a place. ISO 639-1 or -3; NULL: it
 * says none. Static storage. */
const char *vl_language_said(const char *description);

#endif
