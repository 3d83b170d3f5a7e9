/* migrations.c — the schema's steps. */
#include "store/migrations.h"

static const char material_up[] =
    "CREATE TABLE documents ("
    " id {{pk}}, source TEXT NOT NULL, url TEXT, title TEXT, language TEXT, licence TEXT,"
    " media_type TEXT, bytes BIGINT NOT NULL DEFAULT 0, sha256 TEXT NOT NULL UNIQUE,"
    " provenance TEXT NOT NULL DEFAULT '{}', fetched_ms BIGINT NOT NULL,"
    " created_ms BIGINT NOT NULL);"
    "CREATE INDEX documents_source_language ON documents (source, language);"
    "CREATE INDEX documents_url ON documents (url);"
    "CREATE TABLE pages ("
    " id {{pk}}, document_id BIGINT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,"
    " number INTEGER NOT NULL, width INTEGER NOT NULL DEFAULT 0,"
    " height INTEGER NOT NULL DEFAULT 0, language TEXT, text TEXT NOT NULL DEFAULT '',"
    " confidence DOUBLE PRECISION, read_by TEXT, created_ms BIGINT NOT NULL,"
    " UNIQUE (document_id, number));"
    "CREATE TABLE items ("
    " id {{pk}}, dataset TEXT NOT NULL,"
    " page_id BIGINT REFERENCES pages (id) ON DELETE CASCADE, kind TEXT NOT NULL,"
    " language TEXT, content TEXT NOT NULL, score DOUBLE PRECISION NOT NULL DEFAULT 0,"
    " split TEXT, state TEXT NOT NULL DEFAULT 'new', created_ms BIGINT NOT NULL);"
    "CREATE INDEX items_score ON items (dataset, score);"
    "CREATE INDEX items_page ON items (page_id);"
    "CREATE TABLE quality ("
    " item_id BIGINT NOT NULL REFERENCES items (id) ON DELETE CASCADE, part TEXT NOT NULL,"
    " value DOUBLE PRECISION NOT NULL, PRIMARY KEY (item_id, part))";
static const char material_down[] =
    "DROP TABLE quality; DROP TABLE items; DROP TABLE pages; DROP TABLE documents";

static const char training_up[] =
    "CREATE TABLE models ("
    " id {{pk}}, name TEXT NOT NULL, version TEXT NOT NULL, family TEXT, format TEXT,"
    " path TEXT NOT NULL, sha256 TEXT NOT NULL, bytes BIGINT NOT NULL,"
    " facts TEXT NOT NULL DEFAULT '{}', created_ms BIGINT NOT NULL, UNIQUE (name, version));"
    "CREATE TABLE training_runs ("
    " id {{pk}}, name TEXT NOT NULL, recipe TEXT NOT NULL, status TEXT NOT NULL,"
    " step BIGINT NOT NULL DEFAULT 0, metrics TEXT NOT NULL DEFAULT '{}',"
    " model_id BIGINT REFERENCES models (id) ON DELETE SET NULL, started_ms BIGINT NOT NULL,"
    " finished_ms BIGINT);"
    "CREATE INDEX training_runs_status ON training_runs (status, started_ms);"
    "CREATE TABLE ocr_weights ("
    " engine TEXT NOT NULL, script TEXT NOT NULL, language TEXT NOT NULL, kind TEXT NOT NULL,"
    " source TEXT NOT NULL, hits DOUBLE PRECISION NOT NULL, misses DOUBLE PRECISION NOT NULL,"
    " changed_ms BIGINT NOT NULL, PRIMARY KEY (engine, script, language, kind, source))";
static const char training_down[] =
    "DROP TABLE ocr_weights; DROP TABLE training_runs; DROP TABLE models";

static const char people_up[] =
    "CREATE TABLE users ("
    " id {{pk}}, name TEXT NOT NULL UNIQUE, password_hash TEXT NOT NULL, role TEXT NOT NULL,"
    " disabled INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,"
    " locked_until_ms BIGINT NOT NULL DEFAULT 0, created_ms BIGINT NOT NULL,"
    " seen_ms BIGINT);"
    "CREATE TABLE api_keys ("
    " id {{pk}}, user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,"
    " name TEXT NOT NULL, prefix TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,"
    " scopes TEXT NOT NULL, created_ms BIGINT NOT NULL, expires_ms BIGINT,"
    " revoked_ms BIGINT, used_ms BIGINT);"
    "CREATE INDEX api_keys_user ON api_keys (user_id);"
    "CREATE TABLE sessions ("
    " id {{pk}}, user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,"
    " family TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, created_ms BIGINT NOT NULL,"
    " expires_ms BIGINT NOT NULL, spent_ms BIGINT, revoked_ms BIGINT);"
    "CREATE INDEX sessions_family ON sessions (family);"
    "CREATE INDEX sessions_user ON sessions (user_id);"
    "CREATE INDEX sessions_expiry ON sessions (expires_ms)";
static const char people_down[] = "DROP TABLE sessions; DROP TABLE api_keys; DROP TABLE users";

static const char audit_up[] =
    "CREATE TABLE audit ("
    " number BIGINT PRIMARY KEY, at_ms BIGINT NOT NULL, actor TEXT NOT NULL,"
    " action TEXT NOT NULL, subject TEXT NOT NULL, outcome TEXT NOT NULL,"
    " detail TEXT NOT NULL, request_id TEXT NOT NULL, address TEXT NOT NULL,"
    " previous TEXT NOT NULL, hash TEXT NOT NULL);"
    "CREATE TABLE audit_head ("
    " id INTEGER PRIMARY KEY, number BIGINT NOT NULL, hash TEXT NOT NULL);"
    "CREATE INDEX audit_time ON audit (at_ms);"
    "CREATE INDEX audit_subject ON audit (subject)";
static const char audit_down[] = "DROP TABLE audit_head; DROP TABLE audit";

static const char work_up[] =
    "CREATE TABLE jobs ("
    " id TEXT PRIMARY KEY, owner TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,"
    " options TEXT NOT NULL, priority INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL,"
    " done INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,"
    " created_ms BIGINT NOT NULL, finished_ms BIGINT);"
    "CREATE INDEX jobs_owner ON jobs (owner, created_ms);"
    "CREATE TABLE job_items ("
    " job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, number INTEGER NOT NULL,"
    " state TEXT NOT NULL, priority INTEGER NOT NULL DEFAULT 0, input TEXT NOT NULL,"
    " result TEXT, error TEXT, attempts INTEGER NOT NULL DEFAULT 0,"
    " ready_ms BIGINT NOT NULL, lease TEXT, lease_ms BIGINT NOT NULL DEFAULT 0,"
    " PRIMARY KEY (job_id, number));"
    "CREATE INDEX job_items_ready ON job_items (state, priority, ready_ms)";
static const char work_down[] = "DROP TABLE job_items; DROP TABLE jobs";

static const char privacy_up[] =
    "CREATE TABLE blobs ("
    " id TEXT PRIMARY KEY, class TEXT NOT NULL, subject TEXT NOT NULL, media_type TEXT,"
    " bytes BIGINT NOT NULL, sha256 TEXT NOT NULL, key_id TEXT NOT NULL,"
    " wrapped_key BYTEA NOT NULL, created_ms BIGINT NOT NULL, expires_ms BIGINT);"
    "CREATE INDEX blobs_subject ON blobs (subject);"
    "CREATE INDEX blobs_expiry ON blobs (expires_ms);"
    "CREATE INDEX blobs_key ON blobs (key_id);"
    "CREATE TABLE consents ("
    " id {{pk}}, subject TEXT NOT NULL, purpose TEXT NOT NULL, wording TEXT NOT NULL,"
    " request_id TEXT NOT NULL, given_ms BIGINT NOT NULL, withdrawn_ms BIGINT);"
    "CREATE INDEX consents_subject ON consents (subject);"
    "CREATE TABLE erasures ("
    " id {{pk}}, subject TEXT NOT NULL, receipt TEXT NOT NULL, erased_ms BIGINT NOT NULL)";
static const char privacy_down[] = "DROP TABLE erasures; DROP TABLE consents; DROP TABLE blobs";

/* A job's own limits, so that workers of any version keep to them; the turn of its items, which
 * stand apart so that jobs take turns; the order in which items ended, for those who follow. */
static const char queue_up[] =
    "ALTER TABLE jobs ADD COLUMN idempotency TEXT;"
    "ALTER TABLE jobs ADD COLUMN digest TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE jobs ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE jobs ADD COLUMN max_attempts INTEGER NOT NULL DEFAULT 3;"
    "ALTER TABLE jobs ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;"
    "CREATE UNIQUE INDEX jobs_idempotency ON jobs (owner, idempotency);"
    "CREATE INDEX jobs_finished ON jobs (finished_ms);"
    "ALTER TABLE job_items ADD COLUMN turn_ms BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE job_items ADD COLUMN ended INTEGER;"
    "DROP INDEX job_items_ready;"
    "CREATE INDEX job_items_turn ON job_items (state, priority DESC, turn_ms, job_id, number);"
    "CREATE INDEX job_items_ended ON job_items (job_id, ended)";
static const char queue_down[] =
    "DROP INDEX job_items_ended; DROP INDEX job_items_turn;"
    "CREATE INDEX job_items_ready ON job_items (state, priority, ready_ms);"
    "ALTER TABLE job_items DROP COLUMN ended; ALTER TABLE job_items DROP COLUMN turn_ms;"
    "DROP INDEX jobs_finished; DROP INDEX jobs_idempotency;"
    "ALTER TABLE jobs DROP COLUMN ended; ALTER TABLE jobs DROP COLUMN max_attempts;"
    "ALTER TABLE jobs DROP COLUMN bytes; ALTER TABLE jobs DROP COLUMN digest;"
    "ALTER TABLE jobs DROP COLUMN idempotency";

/* Whom an item is about, so that who asks for his data, or for its end, is given all of it. */
static const char item_subjects_up[] = "ALTER TABLE job_items ADD COLUMN subject TEXT;"
                                       "CREATE INDEX job_items_subject ON job_items (subject)";
static const char item_subjects_down[] = "DROP INDEX job_items_subject;"
                                         "ALTER TABLE job_items DROP COLUMN subject";

/* Of the counts those by people; calibrations of voices; a number that every change replaces.
 */
static const char record_up[] =
    "ALTER TABLE ocr_weights ADD COLUMN human DOUBLE PRECISION NOT NULL DEFAULT 0;"
    "CREATE TABLE ocr_calibrations ("
    " engine TEXT PRIMARY KEY, slope DOUBLE PRECISION NOT NULL,"
    " intercept DOUBLE PRECISION NOT NULL, base DOUBLE PRECISION NOT NULL,"
    " changed_ms BIGINT NOT NULL);"
    "CREATE TABLE ocr_record (id INTEGER PRIMARY KEY, mark BIGINT NOT NULL)";
static const char record_down[] = "DROP TABLE ocr_record; DROP TABLE ocr_calibrations;"
                                  "ALTER TABLE ocr_weights DROP COLUMN human";

const migration vl_migrations[] = {
    {"documents, pages, items and their quality", material_up, material_down},
    {"models, training runs and OCR weights", training_up, training_down},
    {"users, API keys and sessions", people_up, people_down},
    {"audit trail", audit_up, audit_down},
    {"jobs", work_up, work_down},
    {"blobs, consents and erasures", privacy_up, privacy_down},
    {"turns, limits and order of jobs", queue_up, queue_down},
    {"subjects of job items", item_subjects_up, item_subjects_down},
    {"corrections and calibrations of OCR engines", record_up, record_down},
};
const int vl_migration_count = sizeof vl_migrations / sizeof *vl_migrations;

const char *const vl_tables[] = {
    "documents",   "pages",     "items",    "quality",  "models",   "training_runs",
    "ocr_weights", "users",     "api_keys", "sessions", "audit",    "audit_head",
    "jobs",        "job_items", "blobs",    "consents", "erasures", "ocr_calibrations",
    "ocr_record",
};
const int vl_table_count = sizeof vl_tables / sizeof *vl_tables;
