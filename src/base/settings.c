/* settings.c — every setting there is: name, environment variable, place in YAML, type,
 * default, range, help. docs/configuration.md is made from this table. A setting stands here
 * only if the program obeys it; names that belong to later versions are refused, so that nobody
 * believes in a key that does nothing. */
#include "base/settings.h"

#include <stdio.h>
#include <string.h>

#define GB (1024.0 * 1024 * 1024)

const setting_def vl_settings[] = {
    {"host", NULL, "server.host", SETTING_STRING, "127.0.0.1", 0, 0, false,
     "address to listen on; 0.0.0.0 for every IPv4 interface"},
    {"port", NULL, "server.port", SETTING_INT, "8000", 0, 65535, false,
     "TCP port; 0 lets the system choose one"},
    {"tls_certificate", NULL, "server.tls_certificate", SETTING_STRING, "", 0, 0, false,
     "PEM file of the certificate and its chain; empty: plain HTTP. Read again on SIGHUP"},
    {"tls_key", NULL, "server.tls_key", SETTING_STRING, "", 0, 0, false,
     "PEM file of the certificate's private key"},
    {"tls_min_version", NULL, "server.tls_min_version", SETTING_STRING, "1.3", 0, 0, false,
     "1.3, or 1.2 for clients that know no better"},
    {"workers", "WORKERS", "server.workers", SETTING_INT, "0", 0, 1024, false,
     "threads that read pages; 0 is one per processor"},
    {"max_workers", "MAX_WORKERS", "server.max_workers", SETTING_INT, "64", 1, 1024, false,
     "upper bound of workers, also when there is one per processor"},
    {"max_upload_size", "MAX_UPLOAD_SIZE", "server.max_upload_size", SETTING_BYTES, "100MB",
     1024, 4 * GB, false, "largest request body"},
    {"max_concurrent_requests", "MAX_CONCURRENT_REQUESTS", "server.max_concurrent_requests",
     SETTING_INT, "64", 1, 100000, false,
     "requests waiting or being worked on; more get 503 with Retry-After"},
    {"request_timeout", NULL, "server.request_timeout", SETTING_NUMBER, "120", 0.1, 86400,
     false, "seconds until a request is answered with 504"},
    {"connection_limit", NULL, "server.connection_limit", SETTING_INT, "1024", 1, 1000000,
     false, "open connections"},
    {"per_ip_connection_limit", NULL, "server.per_ip_connection_limit", SETTING_INT, "256", 1,
     1000000, false, "open connections from one address"},
    {"connection_timeout", NULL, "server.connection_timeout", SETTING_INT, "30", 1, 86400,
     false, "seconds after which a silent connection is closed"},
    {"drain_timeout", NULL, "server.drain_timeout", SETTING_NUMBER, "30", 0, 86400, false,
     "seconds to finish requests after SIGTERM"},
    {"cache_size_mb", "CACHE_SIZE_MB", "cache.size_mb", SETTING_INT, "64", 0, 1048576, false,
     "megabytes of answers kept in memory; 0 keeps none"},
    {"cache_ttl", "CACHE_TTL", "cache.ttl", SETTING_NUMBER, "3600", 0, 31536000, false,
     "seconds an answer is kept"},
    {"jobs", NULL, "jobs.mode", SETTING_STRING, "on", 0, 0, false,
     "on: this process works on jobs when no request waits; off: it takes batches and leaves "
     "them "
     "to others; only: it works on jobs and answers no documents"},
    {"job_path", NULL, "jobs.path", SETTING_STRING, "", 0, 0, false,
     "folder of files that wait for their job, without encryption_key; all processes of a "
     "queue "
     "share it; empty: jobs beside the database of sqlite:"},
    {"job_items", NULL, "jobs.items", SETTING_INT, "1000", 1, 10000, false,
     "files of one batch"},
    {"job_items_per_owner", NULL, "jobs.items_per_owner", SETTING_INT, "10000", 1, 10000000,
     false, "items of one caller that have not ended; more get 429"},
    {"job_storage", NULL, "jobs.storage", SETTING_BYTES, "4GB", 1024, 1024 * GB, false,
     "files of all jobs that have not ended; more get 429"},
    {"job_attempts", NULL, "jobs.attempts", SETTING_INT, "3", 1, 100, false,
     "how often an item is tried"},
    {"job_lease", NULL, "jobs.lease", SETTING_NUMBER, "60", 0.5, 86400, false,
     "seconds until the items of a process that was killed are given to others"},
    {"job_grace", NULL, "jobs.grace", SETTING_NUMBER, "10", 0, 86400, false,
     "seconds that items in work may go on after SIGTERM; then they are stopped and given "
     "back"},
    {"job_retention", NULL, "jobs.retention", SETTING_NUMBER, "604800", 60, 31536000, false,
     "seconds that an ended job is kept, and until one that has not ended is cancelled"},
    {"job_listeners", NULL, "jobs.listeners", SETTING_INT, "64", 0, 100000, false,
     "connections that follow jobs by events; more get 503"},
    {"log_level", "LOG_LEVEL", "log.level", SETTING_LEVEL, "info", 0, 0, false,
     "debug, info, warn or error"},
    {"log_requests", NULL, "log.requests", SETTING_BOOL, "true", 0, 0, false,
     "one log line per request"},
    {"environment", "ENVIRONMENT", "monitoring.environment", SETTING_STRING, "production", 0, 0,
     false, "where this runs, said in /stats and in error events: production, staging, …"},
    {"sentry_dsn", "SENTRY_DSN", "monitoring.sentry_dsn", SETTING_STRING, "", 0, 0, true,
     "https://KEY@HOST/PROJECT of a service that speaks Sentry's protocol, for error events; "
     "empty: none are sent"},
    {"monitoring_enabled", "MONITORING_ENABLED", "monitoring.enabled", SETTING_BOOL, "true", 0,
     0, false, "GET /metrics"},
    {"prometheus_port", "PROMETHEUS_PORT", "monitoring.prometheus_port", SETTING_INT, "0", 0,
     65535, false,
     "port of its own for /metrics, on the same host, over plain HTTP and for anyone who "
     "reaches it; 0: /metrics is on the service's port"},
    {"languages", NULL, "ocr.languages", SETTING_STRING, "", 0, 0, false,
     "packs or ISO 639 codes for every page, joined by + (eng+fr); empty: found out from each "
     "page"},
    {"ocr_engines", "OCR_ENGINES", "ocr.engines", SETTING_LIST,
     "tesseract,reader,tesseract-script", 0, 0, false,
     "engines that read the text; several vote on what the first is not sure of"},
    {"confidence_threshold", NULL, "ocr.confidence_threshold", SETTING_NUMBER, "0.85", 0, 1,
     false, "probability of every word of a line above which no further engine is asked"},
    {"preprocessing", NULL, "ocr.preprocessing", SETTING_STRING, "auto", 0, 0, false,
     "clean-up of page pictures: auto (where a page reads poorly), none, or one by name for "
     "every page"},
    {"ocr_record", NULL, "ocr.record", SETTING_STRING, "store", 0, 0, false,
     "where it is kept how often each engine was right: store (the database), or none (in "
     "memory only)"},
    {"ocr_timeout", NULL, "ocr.timeout", SETTING_NUMBER, "60", 0.1, 86400, false,
     "seconds to read one page"},
    {"ocr_engine_timeout", NULL, "ocr.engine_timeout", SETTING_NUMBER, "30", 0.1, 86400, false,
     "seconds for one call to an engine that is another program or service"},
    {"tessdata", "TESSDATA_PREFIX", "ocr.tessdata", SETTING_STRING, "", 0, 0, false,
     "directory of Tesseract's language files; empty: the system's"},
    {"model_path", NULL, "picture.model", SETTING_STRING, "", 0, 0, false,
     "file of the picture model; empty: the bundled one (models/seer.gguf)"},
    {"retrieve_index", NULL, "picture.index", SETTING_STRING, "", 0, 0, false,
     "index of pictures that POST /api/v1/retrieve searches; empty: none"},
    {"alignment_space", NULL, "alignment.space", SETTING_STRING, "", 0, 0, false,
     "file of the space that POST /research/alignment searches in; empty: the bundled one "
     "(models/align.bin)"},
    {"alignment_bank_path", "ALIGNMENT_BANK_PATH", "alignment.bank_path", SETTING_STRING, "", 0,
     0, false,
     "folder of sentences that POST /research/alignment finds: NAME/LANGUAGE.txt or .txt.gz, a "
     "sentence a line; read again when it changes; empty: the bundled ones"},
    {"max_pages", NULL, "limits.max_pages", SETTING_INT, "20", 1, 100000, false,
     "pages read of one document"},
    {"max_side", NULL, "limits.max_side", SETTING_INT, "20000", 1, 1000000, false,
     "pixels of a picture's longer side"},
    {"max_pixels", NULL, "limits.max_pixels", SETTING_INT, "50000000", 1, 4e9, false,
     "pixels of a picture"},
    {"decode_timeout", NULL, "limits.decode_timeout", SETTING_NUMBER, "20", 0.1, 3600, false,
     "seconds to decode one file"},
    {"pdf_dpi", NULL, "limits.pdf_dpi", SETTING_NUMBER, "200", 36, 1200, false,
     "dots per inch at which PDF pages are drawn"},
    {"database_url", "DATABASE_URL", "database.url", SETTING_STRING, "sqlite:", 0, 0, true,
     "sqlite:PATH or postgresql://USER@HOST/NAME; sqlite: alone is vislang.db in "
     "$STATE_DIRECTORY, $XDG_STATE_HOME/vislang or ~/.local/state/vislang"},
    {"redis_url", "REDIS_URL", "cache.redis", SETTING_STRING, "", 0, 0, true,
     "redis://HOST:PORT/N, redis+unix, redis+sentinel or redis+cluster: what several processes "
     "share; empty: each for itself"},
    {"secret_key", "SECRET_KEY", "security.secret_key", SETTING_STRING, "", 0, 0, true,
     "32 bytes or more that sign the audit trail; empty: it only finds mistakes"},
    {"encryption_key", "ENCRYPTION_KEY", "security.encryption_key", SETTING_LIST, "", 0, 0,
     true,
     "master keys of what is kept encrypted, 32 bytes each in base64, the one in use first"},
    {"object_path", NULL, "database.objects", SETTING_STRING, "", 0, 0, false,
     "folder of what is kept encrypted; empty: objects beside the database of sqlite:"},
    {"audit_log", NULL, "database.audit_log", SETTING_STRING, "", 0, 0, false,
     "file that the audit trail is written to as JSON lines too; empty: none"},
    {"authentication", NULL, "security.authentication", SETTING_STRING, "auto", 0, 0, false,
     "required, off, or auto: asked for on an address that is not loopback, behind "
     "trusted_proxies, or when there are users"},
    {"jwt_algorithm", NULL, "security.jwt_algorithm", SETTING_STRING, "HS256", 0, 0, false,
     "what access tokens are signed with: HS256 or EdDSA"},
    {"jwt_secret_key", "JWT_SECRET_KEY", "security.jwt_secret_key", SETTING_STRING, "", 0, 0,
     true,
     "32 bytes or more that sign access tokens (EdDSA: a key of 32 bytes in base64); empty: "
     "made from secret_key; both empty: tokens end with the process"},
    {"session_lifetime", NULL, "security.session_lifetime", SETTING_NUMBER, "2592000", 60,
     31536000, false, "seconds for which a login can be gone on with (refresh tokens)"},
    {"jwt_issuer", NULL, "security.jwt_issuer", SETTING_STRING, "vislang", 0, 0, false,
     "who issues access tokens (iss)"},
    {"jwt_audience", NULL, "security.jwt_audience", SETTING_STRING, "vislang", 0, 0, false,
     "whom access tokens are for (aud)"},
    {"rate_limit_per_minute", "RATE_LIMIT_PER_MINUTE", "limits.per_minute", SETTING_NUMBER,
     "100", 0, 1e9, false,
     "requests a minute from one address (IPv6: one /64); 0: any number. Not for callers on "
     "this machine while nobody is asked who he is"},
    {"rate_limit_burst", NULL, "limits.burst", SETTING_NUMBER, "0", 0, 1e9, false,
     "requests at once from an address, of a user or with a key; 0: a minute's"},
    {"rate_limit_per_user", NULL, "limits.per_user", SETTING_NUMBER, "0", 0, 1e9, false,
     "requests a minute of one user, with whichever key; 0: any number"},
    {"rate_limit_per_key", NULL, "limits.per_key", SETTING_NUMBER, "0", 0, 1e9, false,
     "requests a minute with one API key; 0: any number"},
    {"rate_limit_global", NULL, "limits.global", SETTING_NUMBER, "0", 0, 1e9, false,
     "requests a minute of everybody together; 0: any number"},
    {"login_limit_per_minute", NULL, "limits.logins", SETTING_NUMBER, "10", 0, 1e9, false,
     "logins a minute from one address; 0: any number"},
    {"trusted_proxies", NULL, "server.trusted_proxies", SETTING_LIST, "", 0, 0, false,
     "addresses and networks (10.0.0.0/8) whose X-Forwarded-For is believed; empty: none"},
    {"ip_allowlist", "IP_ALLOWLIST", "security.ip_allowlist", SETTING_LIST, "", 0, 0, false,
     "addresses and networks that may call at all; empty: any"},
    {"security_strict_mode", "SECURITY_STRICT_MODE", "security.strict_mode", SETTING_BOOL,
     "false", 0, 0, false,
     "refuses to start with weak secrets, without authentication, with CORS for everybody, or "
     "with plain HTTP on a public address"},
    {"s3_endpoint", NULL, "database.s3_endpoint", SETTING_STRING, "", 0, 0, false,
     "server of s3://bucket/key (vislang db backup), http(s)://host[:port]; empty: AWS"},
    {"aws_region", "AWS_REGION", "database.aws_region", SETTING_STRING, "us-east-1", 0, 0,
     false, "region that requests to it are signed for"},
    {"aws_access_key_id", "AWS_ACCESS_KEY_ID", "database.aws_access_key_id", SETTING_STRING, "",
     0, 0, false, "key that they are signed with"},
    {"aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "database.aws_secret_access_key",
     SETTING_STRING, "", 0, 0, true, "its secret"},
    {"aws_session_token", "AWS_SESSION_TOKEN", "database.aws_session_token", SETTING_STRING, "",
     0, 0, true, "of credentials that last for a while; empty: none"},
    {"retention_days_upload", NULL, "retention.upload", SETTING_NUMBER, "30", 0, 36500, false,
     "days that an upload sent with keep=true is kept; 0: until it is erased"},
    {"retention_days_job", NULL, "retention.job", SETTING_NUMBER, "30", 0, 36500, false,
     "days that a job and its results are kept; 0: for good"},
    {"retention_interval", NULL, "retention.interval", SETTING_NUMBER, "3600", 0.05, 86400,
     false, "seconds between two removals of what is past its time"},
    {"allowed_hosts", "ALLOWED_HOSTS", "security.allowed_hosts", SETTING_LIST, "", 0, 0, false,
     "names accepted in the Host header; empty: any"},
    {"fetch_hosts", "FETCH_HOSTS", "security.fetch_hosts", SETTING_LIST, "", 0, 0, false,
     "hosts that image_url may name (.example.org: those below it; *: any with a public "
     "address); empty: nothing is fetched"},
    {"fetch_networks", NULL, "security.fetch_networks", SETTING_LIST, "", 0, 0, false,
     "networks that image_url may lead to although they are not public (10.0.0.0/8)"},
    {"fetch_timeout", NULL, "security.fetch_timeout", SETTING_NUMBER, "10", 0.1, 300, false,
     "seconds for a picture that image_url names"},
    {"harvest_contact", NULL, "harvest.contact", SETTING_STRING, "", 0, 0, false,
     "URL or mail address that hosts are told when documents are fetched (User-Agent)"},
    {"harvest_networks", NULL, "harvest.networks", SETTING_LIST, "", 0, 0, false,
     "networks that may be harvested from although they are not public (10.0.0.0/8)"},
    {"harvest_interval", NULL, "harvest.interval", SETTING_NUMBER, "1", 0, 3600, false,
     "seconds between two requests to one host, when it does not ask for more"},
    {"harvest_timeout", NULL, "harvest.timeout", SETTING_NUMBER, "300", 1, 86400, false,
     "seconds for one document"},
    {"harvest_tries", NULL, "harvest.tries", SETTING_INT, "5", 1, 100, false,
     "requests for one document that fails for a while (429, 5xx, broken off), further and "
     "further apart"},
    {"harvest_longest_wait", NULL, "harvest.longest_wait", SETTING_NUMBER, "300", 0, 86400,
     false,
     "seconds that a host may ask us to wait (Retry-After); one that asks for more is left "
     "until the next run"},
    {"harvest_max_file", NULL, "harvest.max_file", SETTING_BYTES, "256MB", 1024, 1024 * GB,
     false, "largest document; larger ones are counted as failed"},
    {"harvest_min_free", NULL, "harvest.min_free", SETTING_BYTES, "256MB", 0, 1024 * GB, false,
     "what stays free on the collection's disk; harvesting stops before"},
    {"harvest_dir_url", NULL, "harvest.dir_url", SETTING_STRING, "", 0, 0, false,
     "folder or archive (zip, tar, tar.gz) that the source dir reads"},
    {"cors_origins", "CORS_ORIGINS", "security.cors_origins", SETTING_LIST, "", 0, 0, false,
     "origins whose pages may call the service; empty: none but its own"},
    {"harvest_reliefweb_url", NULL, "harvest.reliefweb_url", SETTING_STRING,
     "https://api.reliefweb.int/v2", 0, 0, false, "where the API of ReliefWeb is"},
    {"harvest_reliefweb_appname", "RELIEFWEB_APPNAME", "harvest.reliefweb_appname",
     SETTING_STRING, "", 0, 0, true,
     "name that ReliefWeb approved for who harvests (apidoc.reliefweb.int)"},
    {"harvest_reliefweb_formats", NULL, "harvest.reliefweb_formats", SETTING_LIST, "", 0, 0,
     false, "kinds of report by ReliefWeb's names (Situation Report,Assessment); empty: all"},
    {"harvest_reliefweb_quota", NULL, "harvest.reliefweb_quota", SETTING_INT, "1000", 1, 1e9,
     false, "calls of ReliefWeb in a day of UTC, by its rules"},
    {"harvest_reliefweb_calls", NULL, "harvest.reliefweb_calls", SETTING_STRING, "", 0, 0,
     false,
     "file that counts them; none: they are not counted; empty: reliefweb-calls in "
     "$STATE_DIRECTORY, $XDG_STATE_HOME/vislang or ~/.local/state/vislang"},
    {"harvest_hdx_url", NULL, "harvest.hdx_url", SETTING_STRING, "https://data.humdata.org", 0,
     0, false, "where the Humanitarian Data Exchange is"},
    {"harvest_hapi_url", NULL, "harvest.hapi_url", SETTING_STRING, "https://hapi.humdata.org",
     0, 0, false, "where the API of its tables (HAPI) is"},
    {"harvest_hapi_app_identifier", "HAPI_APP_IDENTIFIER", "harvest.hapi_app_identifier",
     SETTING_STRING, "", 0, 0, true,
     "who harvests, for HAPI: NAME:MAIL, or what its encode_app_identifier makes of them"},
    {"harvest_who_url", NULL, "harvest.who_url", SETTING_STRING, "https://www.who.int", 0, 0,
     false, "where the site of WHO is"},
    {"harvest_unhcr_url", NULL, "harvest.unhcr_url", SETTING_STRING,
     "https://api.unhcr.org/population/v1", 0, 0, false, "UNHCR's refugee statistics"},
    {"harvest_unhcr_portal_url", NULL, "harvest.unhcr_portal_url", SETTING_STRING,
     "https://data.unhcr.org", 0, 0, false, "UNHCR's Operational Data Portal"},
    {"harvest_unhcr_portal_widgets", NULL, "harvest.unhcr_portal_widgets", SETTING_STRING, "",
     0, 0, false,
     "its charts that are harvested, with white space between: "
     "timeseries?widget_id=1&geo_id=2&population_group=3,4 (docs/harvest.md)"},
    {"harvest_unicef_url", NULL, "harvest.unicef_url", SETTING_STRING,
     "https://sdmx.data.unicef.org/ws/public/sdmxapi/rest", 0, 0, false,
     "UNICEF's indicators (SDMX 2.1)"},
    {"harvest_unicef_format", NULL, "harvest.unicef_format", SETTING_STRING, "csv", 0, 0, false,
     "what UNICEF is asked for: csv or sdmx-compact-2.1; either becomes CSV"},
    {"harvest_wfp_url", NULL, "harvest.wfp_url", SETTING_STRING,
     "https://api.wfp.org/vam-data-bridges/2.0.0", 0, 0, false, "WFP's DataBridges"},
    {"harvest_wfp_token_url", NULL, "harvest.wfp_token_url", SETTING_STRING,
     "https://api.wfp.org/token", 0, 0, false, "where its tokens come from (OAuth 2.0)"},
    {"harvest_wfp_client_id", NULL, "harvest.wfp_client_id", SETTING_STRING, "", 0, 0, false,
     "client that WFP has registered"},
    {"harvest_wfp_client_secret", NULL, "harvest.wfp_client_secret", SETTING_STRING, "", 0, 0,
     true, "its secret"},
    {"harvest_wfp_scope", NULL, "harvest.wfp_scope", SETTING_STRING,
     "vamdatabridges_marketprices-pricemonthly_get", 0, 0, false,
     "what a token is asked for; empty: WFP's default"},
    {"harvest_site_url", NULL, "harvest.site_url", SETTING_LIST, "", 0, 0, false,
     "addresses that the source site harvests: a home page, a site map or a feed"},
    {"harvest_site_any_host", NULL, "harvest.site_any_host", SETTING_BOOL, "false", 0, 0, false,
     "pages and documents on other hosts that a site names are harvested too"},
};
const size_t vl_settings_count = sizeof vl_settings / sizeof vl_settings[0];

static const char *const later[] = {
    /* clang-format off */
    "batch_size",
    "cache_storage_path",
    "consensus_algorithm",
    "enable_gpu_inference",
    "max_vram_gb",
    "model_cache_size",
    "model_storage_path",
    "models",
    "rollout",
    "security_strict_mode",
    "tesseract_config",
    /* clang-format on */
};
enum { LATER_COUNT = sizeof later / sizeof later[0], MAX_CANDIDATES = 512, NAME_SIZE = 64 };

const char *const *vl_settings_later(size_t *count) {
    *count = LATER_COUNT;
    return later;
}

bool vl_setting_is_later(const char *name) {
    for (size_t i = 0; i < LATER_COUNT; i++)
        if (strcmp(later[i], name) == 0)
            return true;
    return false;
}

size_t vl_setting_find(const char *name) {
    for (size_t i = 0; i < vl_settings_count; i++)
        if (strcmp(vl_settings[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

/* Length of the section of "section.key". */
static size_t section_bytes(size_t index) {
    return strcspn(vl_settings[index].yaml, ".");
}

static bool in_section(size_t index, const char *section) {
    size_t bytes = section_bytes(index);
    return strlen(section) == bytes && memcmp(vl_settings[index].yaml, section, bytes) == 0;
}

size_t vl_setting_find_yaml(const char *section, const char *key) {
    for (size_t i = 0; i < vl_settings_count; i++)
        if (in_section(i, section) &&
            strcmp(vl_settings[i].yaml + section_bytes(i) + 1, key) == 0)
            return i;
    return SIZE_MAX;
}

bool vl_setting_is_section(const char *name) {
    for (size_t i = 0; i < vl_settings_count; i++)
        if (in_section(i, name))
            return true;
    return false;
}

void vl_setting_suggest(const char *section, const char *word, char *out, size_t size) {
    const char *candidates[MAX_CANDIDATES];
    char sections[MAX_CANDIDATES / 2][NAME_SIZE];
    size_t count = 0, section_count = 0;
    for (size_t i = 0; i < vl_settings_count && count + 2 <= MAX_CANDIDATES; i++) {
        if (section) {
            if (in_section(i, section))
                candidates[count++] = vl_settings[i].yaml + section_bytes(i) + 1;
            continue;
        }
        candidates[count++] = vl_settings[i].name;
        char *name = sections[section_count++];
        snprintf(name, NAME_SIZE, "%.*s", (int)section_bytes(i), vl_settings[i].yaml);
        candidates[count++] = name;
    }
    const char *nearest = vl_nearest_name(word, candidates, count);
    out[0] = '\0';
    if (nearest)
        snprintf(out, size, "; did you mean '%s'?", nearest);
}
