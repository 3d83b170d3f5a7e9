# Error rates of the reader over a folder of scans with transcripts (see tools/ocr_scans.c).
if(TARGET vl_ocr AND TARGET vl_media AND TARGET vl_text)
    add_executable(ocr_scans EXCLUDE_FROM_ALL tools/ocr_scans.c)
    target_link_libraries(ocr_scans PRIVATE vl_ocr vl_media vl_text)
endif()
