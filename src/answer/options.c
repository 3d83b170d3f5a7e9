/* options.c — how settings (docs/configuration.md) become options of reading and answering. */
#include <vislang/answer.h>

vl_answer_options vl_answer_options_default(void) {
    return (vl_answer_options){
        .ocr = vl_ocr_options_default(),
        .limits = vl_media_limits_default(),
        .max_pages = 20,
    };
}

static const char *string_or_null(const vl_config *config, const char *name) {
    const char *text = vl_config_string(config, name);
    return *text ? text : NULL;
}

vl_status vl_answer_options_from_config(const vl_config *config, vl_answer_options *options,
                                        vl_error *error) {
    vl_ocr_engines *engines = NULL; /* only to see that there are such */
    *options = vl_answer_options_default();
    options->ocr.engines = vl_config_string(config, "ocr_engines");
    vl_status status = vl_ocr_engines_new(options->ocr.engines, &engines, error);
    vl_ocr_engines_free(engines);
    if (status)
        return error ? vl_error_prefix(error, "ocr_engines") : status;
    options->ocr.preprocessing = vl_config_string(config, "preprocessing");
    if (vl_ocr_preprocessing_check(options->ocr.preprocessing, error))
        return error ? vl_error_prefix(error, "preprocessing") : VL_ERR_USAGE;
    bool kept;
    if ((status = vl_ocr_record_setting(config, &kept, error)))
        return status;
    options->max_pages = (uint32_t)vl_config_int(config, "max_pages");
    options->ocr.languages = string_or_null(config, "languages");
    options->ocr.tessdata = string_or_null(config, "tessdata");
    options->ocr.max_seconds = vl_config_number(config, "ocr_timeout");
    options->ocr.max_engine_seconds = vl_config_number(config, "ocr_engine_timeout");
    options->ocr.threshold = vl_config_number(config, "confidence_threshold");
    options->limits.max_bytes = (size_t)vl_config_int(config, "max_upload_size");
    options->limits.max_side = (uint32_t)vl_config_int(config, "max_side");
    options->limits.max_pixels = (uint64_t)vl_config_int(config, "max_pixels");
    options->limits.max_seconds = vl_config_number(config, "decode_timeout");
    options->limits.pdf_dpi = vl_config_number(config, "pdf_dpi");
    return VL_OK;
}
