/* openapi.c — the OpenAPI 3.1 description, made from the route table and schemas.json. */
#include "serve/asset.h"
#include "serve/service.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static cJSON *parse_schemas(void) {
    for (const vl_asset *asset = vl_assets; asset->name; asset++)
        if (!strcmp(asset->name, "schemas.json"))
            return cJSON_ParseWithLength((const char *)asset->bytes, asset->size);
    return NULL;
}

static cJSON *schema_reference(const char *name) {
    char reference[96] = "#/components/schemas/";
    strncat(reference, name, sizeof reference - strlen(reference) - 1);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "$ref", reference);
    return json;
}

static void add_content(cJSON *content, const char *type, cJSON *schema) {
    cJSON_AddItemToObject(cJSON_AddObjectToObject(content, type), "schema", schema);
}

static cJSON *string_schema(void) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "type", "string");
    return json;
}

/* ---- what goes in ------------------------------------------------------------------- */

/* Exactly one of some fields. A schema may ask for several such choices. */
static void add_choice(cJSON *schema, const char *const *names, size_t count) {
    cJSON *all = cJSON_GetObjectItem(schema, "allOf");
    if (!all)
        all = cJSON_AddArrayToObject(schema, "allOf");
    cJSON *holder = cJSON_CreateObject(), *choice = cJSON_AddArrayToObject(holder, "oneOf");
    cJSON_AddItemToArray(all, holder);
    for (size_t i = 0; i < count; i++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddItemToObject(one, "required", cJSON_CreateStringArray(&names[i], 1));
        cJSON_AddItemToArray(choice, one);
    }
}

/* The file, in one of the ways it may come, or a text in its place. */
static void add_file_choice(cJSON *schema, bool as_json, bool text_will_do) {
    const char *names[3];
    size_t count = 0;
    names[count++] = as_json ? "image_base64" : vl_form_field_name(VL_FORM_FILE);
    if (as_json)
        names[count++] = "image_url";
    if (text_will_do)
        names[count++] = vl_form_field_name(VL_FORM_TEXT);
    if (count == 1)
        cJSON_AddItemToObject(schema, "required", cJSON_CreateStringArray(names, 1));
    else
        add_choice(schema, names, count);
}

static cJSON *url_schema(void) {
    cJSON *json = string_schema();
    cJSON_AddStringToObject(json, "format", "uri");
    cJSON_AddStringToObject(json, "pattern", "^https?://");
    cJSON_AddNumberToObject(json, "maxLength", VL_FETCH_URL_SIZE - 1);
    cJSON_AddStringToObject(json, "description",
                            "fetched, when its host is one of the setting fetch_hosts and has "
                            "a public address");
    return json;
}

/* Of a batch: several files, or items that may each ask for something of their own. */
static void add_options(cJSON *properties, const vl_server *server, const vl_route *route,
                        bool as_json) {
    for (vl_form_field f = VL_FORM_INSTRUCTION; f < VL_FORM_FIELD_COUNT; f++)
        if (f != VL_FORM_TASK && route->fields & 1u << f)
            cJSON_AddItemToObject(properties, vl_form_field_name(f),
                                  vl_openapi_field(server, route, f, as_json));
}

static cJSON *item_schema(const vl_server *server, const vl_route *route) {
    const char *file = "image_base64";
    cJSON *schema = cJSON_CreateObject();
    cJSON_AddStringToObject(schema, "type", "object");
    cJSON_AddItemToObject(schema, "required", cJSON_CreateStringArray(&file, 1));
    cJSON *properties = cJSON_AddObjectToObject(schema, "properties");
    cJSON_AddItemToObject(properties, file,
                          vl_openapi_field(server, route, VL_FORM_FILE, true));
    cJSON_AddItemToObject(properties, "name", string_schema());
    add_options(properties, server, route, true);
    cJSON_AddBoolToObject(schema, "additionalProperties", false);
    return schema;
}

static cJSON *batch_schema(const vl_server *server, const vl_route *route, bool as_json) {
    const char *const required[] = {"task", as_json ? "items" : "file"};
    cJSON *schema = cJSON_CreateObject();
    cJSON_AddStringToObject(schema, "type", "object");
    cJSON_AddItemToObject(schema, "required", cJSON_CreateStringArray(required, 2));
    cJSON *properties = cJSON_AddObjectToObject(schema, "properties");
    cJSON_AddItemToObject(properties, "task",
                          vl_openapi_field(server, route, VL_FORM_TASK, as_json));
    cJSON *files = cJSON_AddObjectToObject(properties, required[1]);
    cJSON_AddStringToObject(files, "type", "array");
    cJSON_AddNumberToObject(files, "minItems", 1);
    cJSON_AddNumberToObject(files, "maxItems", (double)server->settings.batch_items);
    cJSON_AddItemToObject(files, "items",
                          as_json ? item_schema(server, route)
                                  : vl_openapi_field(server, route, VL_FORM_FILE, false));
    add_options(properties, server, route, as_json);
    cJSON_AddBoolToObject(schema, "additionalProperties", false);
    return schema;
}

static cJSON *body_schema(const vl_server *server, const vl_route *route, bool as_json) {
    if (vl_route_more_of(route)->many)
        return batch_schema(server, route, as_json);
    const char *file = as_json ? "image_base64" : vl_form_field_name(VL_FORM_FILE);
    cJSON *schema = cJSON_CreateObject();
    cJSON_AddStringToObject(schema, "type", "object");
    cJSON *properties = cJSON_AddObjectToObject(schema, "properties");
    for (vl_form_field f = VL_FORM_FILE; f < VL_FORM_FIELD_COUNT; f++)
        if (route->fields & 1u << f)
            cJSON_AddItemToObject(properties, f == VL_FORM_FILE ? file : vl_form_field_name(f),
                                  vl_openapi_field(server, route, f, as_json));
    if (as_json)
        cJSON_AddItemToObject(properties, "image_url", url_schema());
    cJSON_AddBoolToObject(schema, "additionalProperties", false);
    add_file_choice(schema, as_json, route->fields & 1u << VL_FORM_TEXT);
    if (route->fields & 1u << VL_FORM_QUESTION) {
        const char *const asked[] = {vl_form_field_name(VL_FORM_QUESTION),
                                     vl_form_field_name(VL_FORM_STATEMENT)};
        add_choice(schema, asked, 2);
    }
    return schema;
}

static void add_body(cJSON *operation, const vl_server *server, const vl_route *route) {
    cJSON *body = cJSON_AddObjectToObject(operation, "requestBody");
    cJSON_AddBoolToObject(body, "required", true);
    cJSON *content = cJSON_AddObjectToObject(body, "content");
    if (route->body >= VL_BODY_JSON) {
        add_content(content, "application/json", schema_reference(route->takes));
        return;
    }
    add_content(content, "multipart/form-data", body_schema(server, route, false));
    if (route->body == VL_BODY_FORM_OR_JSON)
        add_content(content, "application/json", body_schema(server, route, true));
}

/* ---- what comes out ----------------------------------------------------------------- */

static void add_ok(cJSON *responses, const vl_route *route) {
    static const char *const ocr_types[] = {"text/plain",      "text/html",
                                            "application/xml", "text/markdown",
                                            "application/pdf", "image/png"};
    unsigned status = vl_route_more_of(route)->status;
    char code[8];
    snprintf(code, sizeof code, "%u", status);
    cJSON *ok = cJSON_AddObjectToObject(responses, code);
    cJSON_AddStringToObject(ok, "description",
                            status == 201   ? "Made; Location says where it is"
                            : status == 202 ? "Taken; Location says where it is"
                                            : "Done");
    cJSON *content = cJSON_AddObjectToObject(ok, "content");
    if (route->schema)
        add_content(content, "application/json", schema_reference(route->schema));
    else if (route->produces && !strcmp(route->produces, "text/event-stream"))
        add_content(content, route->produces, schema_reference("Anything")); /* an event each */
    else
        add_content(content, route->produces ? route->produces : "*/*",
                    route->produces ? string_schema() : cJSON_CreateObject());
    if (route->fields & 1u << VL_FORM_STREAM)
        add_content(content, "text/event-stream", string_schema());
    for (size_t i = 0;
         (route->fields & 1u << VL_FORM_FORMAT) && i < sizeof ocr_types / sizeof *ocr_types;
         i++)
        add_content(content, ocr_types[i], string_schema());
}

static void add_problem(cJSON *responses, const char *status, unsigned code) {
    cJSON *problem = cJSON_AddObjectToObject(responses, status);
    cJSON_AddStringToObject(problem, "description", code ? vl_reason(code) : "Refused");
    add_content(cJSON_AddObjectToObject(problem, "content"), "application/problem+json",
                schema_reference("Problem"));
}

/* ---- who may ------------------------------------------------------------------------ */

static void add_requirement(cJSON *security, const char *scheme) {
    cJSON *one = cJSON_CreateObject();
    if (scheme)
        cJSON_AddArrayToObject(one, scheme);
    cJSON_AddItemToArray(security, one);
}

static void add_security(cJSON *operation, const vl_route *route) {
    cJSON *security = cJSON_AddArrayToObject(operation, "security");
    if (route->access >= VL_ACCESS_ANYONE)
        return;
    add_requirement(security, "token");
    add_requirement(security, "key");
    if (route->access == VL_ACCESS_METRICS) /* from the same machine */
        add_requirement(security, NULL);
    cJSON_AddStringToObject(operation, "x-role", vl_role_name(vl_access_role(route->access)));
}

static void add_schemes(cJSON *components) {
    cJSON *schemes = cJSON_AddObjectToObject(components, "securitySchemes");
    cJSON *token = cJSON_AddObjectToObject(schemes, "token");
    cJSON_AddStringToObject(token, "type", "http");
    cJSON_AddStringToObject(token, "scheme", "bearer");
    cJSON_AddStringToObject(token, "bearerFormat", "JWT");
    cJSON *key = cJSON_AddObjectToObject(schemes, "key");
    cJSON_AddStringToObject(key, "type", "apiKey");
    cJSON_AddStringToObject(key, "in", "header");
    cJSON_AddStringToObject(key, "name", "X-API-Key");
}

static cJSON *make_operation(const vl_server *server, const vl_route *route) {
    cJSON *operation = cJSON_CreateObject();
    cJSON_AddStringToObject(operation, "operationId", route->id);
    cJSON_AddStringToObject(operation, "summary", route->summary);
    if (route->body)
        add_body(operation, server, route);
    add_security(operation, route);
    cJSON *responses = cJSON_AddObjectToObject(operation, "responses");
    add_ok(responses, route);
    if (route->access < VL_ACCESS_OPEN)
        add_problem(responses, "429", 429);
    if (route->access < VL_ACCESS_OPEN)
        add_problem(responses, "401", 401);
    add_problem(responses, "403", 403); /* by role, or by address */
    if (strchr(route->path, '{'))
        add_problem(responses, "404", 404);
    if (route->body) {
        add_problem(responses, "400", 400);
        add_problem(responses, "413", 413);
        add_problem(responses, "415", 415);
        add_problem(responses, "422", 422);
        if (route->body == VL_BODY_FORM_OR_JSON) /* what image_url names does not come */
            add_problem(responses, "502", 502);
        add_problem(responses, "503", 503);
        add_problem(responses, "504", 504);
    }
    add_problem(responses, "default", 0);
    return operation;
}

/* What stands in a path: the name of a file of the page, or an id. */
static cJSON *segment_schema(const char *name) {
    cJSON *schema = string_schema();
    if (!strcmp(name, "file")) {
        cJSON *names = cJSON_AddArrayToObject(schema, "enum");
        for (const vl_asset *asset = vl_assets; asset->name; asset++)
            cJSON_AddItemToArray(names, cJSON_CreateString(asset->name));
        return schema;
    }
    cJSON_AddStringToObject(schema, "pattern", "^[A-Za-z0-9._:@-]{1,127}$");
    return schema;
}

static cJSON *number_schema(double most) {
    cJSON *schema = cJSON_CreateObject();
    cJSON_AddStringToObject(schema, "type", "integer");
    cJSON_AddNumberToObject(schema, "minimum", 0);
    if (most > 0)
        cJSON_AddNumberToObject(schema, "maximum", most);
    return schema;
}

/* Of what stands behind the question mark, in any route. */
static cJSON *query_schema(const char *name) {
    static const char *const truth[] = {"true", "false"};
    cJSON *schema = string_schema();
    if (!strcmp(name, "before")) {
        cJSON_AddStringToObject(schema, "pattern", "^[0-9a-f]{32}$");
    } else if (!strcmp(name, "all")) {
        cJSON_AddItemToObject(schema, "enum", cJSON_CreateStringArray(truth, 2));
    } else if (!strcmp(name, "engine")) {
        cJSON_AddStringToObject(schema, "pattern", "^[ -~]{1,63}$");
    } else {
        cJSON_ReplaceItemInObject(schema, "type", cJSON_CreateString("integer"));
        cJSON_AddNumberToObject(schema, "minimum", !strcmp(name, "limit"));
        cJSON_AddNumberToObject(schema, "maximum", strcmp(name, "limit") ? 999999999 : 1000);
    }
    return schema;
}

/* Takes `of`, the schema of one in the query; NULL: as its name says. */
static void add_parameter(cJSON *operation, const char *name, size_t length, bool in_path,
                          cJSON *of) {
    char copy[64];
    snprintf(copy, sizeof copy, "%.*s", (int)length, name);
    cJSON *list = cJSON_GetObjectItemCaseSensitive(operation, "parameters");
    if (!list)
        list = cJSON_AddArrayToObject(operation, "parameters");
    cJSON *parameter = cJSON_CreateObject();
    cJSON_AddStringToObject(parameter, "name", copy);
    cJSON_AddStringToObject(parameter, "in", in_path ? "path" : "query");
    cJSON_AddBoolToObject(parameter, "required", in_path);
    cJSON_AddItemToObject(parameter, "schema",
                          in_path ? segment_schema(copy)
                          : of    ? of
                                  : query_schema(copy));
    cJSON_AddItemToArray(list, parameter);
}

/* Numbers in the query, of the few routes that take some. */
static void add_query(cJSON *operation, const vl_route *route) {
    static const struct {
        const char *id, *name;
        double most; /* 0: not said */
    } rows[] = {{"audit", "after", 0}, {"audit", "limit", 1000}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(route->id, rows[i].id))
            add_parameter(operation, rows[i].name, strlen(rows[i].name), false,
                          number_schema(rows[i].most));
}

/* A path that stands for all below it has one parameter, "{file}". */
static void add_path(cJSON *paths, const vl_server *server, const vl_route *route) {
    char path[128] = "", method[8] = "";
    strncat(path, route->path, sizeof path - 16);
    size_t length = strlen(path);
    if (length > 1 && path[length - 1] == '/')
        strncat(path, "{file}", sizeof path - length - 1);
    for (size_t i = 0; route->method[i] && i + 1 < sizeof method; i++)
        method[i] = (char)(route->method[i] | 0x20);
    cJSON *item = cJSON_GetObjectItemCaseSensitive(paths, path);
    if (!item)
        item = cJSON_AddObjectToObject(paths, path);
    cJSON *operation = make_operation(server, route);
    cJSON_AddItemToObject(item, method, operation);
    for (const char *open = path; (open = strchr(open, '{')); open++)
        add_parameter(operation, open + 1, strcspn(open + 1, "}"), true, NULL);
    for (const char *name = vl_route_more_of(route)->query; name && *name;
         name += strcspn(name, " "), name += *name == ' ')
        add_parameter(operation, name, strcspn(name, " "), false, NULL);
    add_query(operation, route);
}

vl_blob *vl_openapi_make(const vl_server *server) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "openapi", "3.1.0");
    cJSON *info = cJSON_AddObjectToObject(json, "info");
    cJSON_AddStringToObject(info, "title", "VisLang");
    cJSON_AddStringToObject(info, "version", VL_VERSION);
    cJSON_AddStringToObject(info, "description",
                            "A page or picture goes in, an answer comes out.");
    cJSON *paths = cJSON_AddObjectToObject(json, "paths");
    for (size_t i = 0; i < vl_route_count; i++)
        add_path(paths, server, &vl_routes[i]);
    cJSON *components = cJSON_AddObjectToObject(json, "components");
    cJSON_AddItemToObject(components, "schemas", parse_schemas());
    add_schemes(components);
    char *text = cJSON_PrintUnformatted(json);
    vl_blob *blob = text ? vl_blob_new("application/json", text, strlen(text)) : NULL;
    cJSON_free(text);
    cJSON_Delete(json);
    return blob;
}
