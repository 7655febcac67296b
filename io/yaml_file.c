/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading YAML. The tokens are looked through first, for what the document no
 * longer shows (anchors and aliases are resolved there, cycles among them) and
 * for depth.
 */
#include "io/yaml_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"

enum {
    MAX_BYTES = 1 << 20,
    MAX_DEPTH = 32
};

/* The text of a file while it is looked at. */
typedef struct yaml_text {
    const char *path;
    unsigned char *bytes;
    size_t n_bytes;
    hanse_error *error;
} yaml_text;

hanse_status hanse_yaml_fail(hanse_error *error, const char *path,
                             yaml_mark_t mark, const char *format, ...)
{
    char message[HANSE_ERROR_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return hanse_fail(error, HANSE_ERR_SPEC, "%s:%zu:%zu: %s", path,
                      mark.line + 1, mark.column + 1, message);
}

static hanse_status read_bytes(yaml_text *text)
{
    FILE *file = fopen(text->path, "rbe");
    if (file == NULL)
        return hanse_fail(text->error, HANSE_ERR_IO,
                          "cannot open the job file %s: %s", text->path,
                          strerror(errno));
    hanse_status status = HANSE_OK;
    text->bytes = malloc(MAX_BYTES + 1);
    if (text->bytes == NULL)
        status = hanse_fail_nomem(text->error, "job file", MAX_BYTES + 1);
    if (status == HANSE_OK) {
        text->n_bytes = fread(text->bytes, 1, MAX_BYTES + 1, file);
        if (ferror(file))
            status = hanse_fail(text->error, HANSE_ERR_IO,
                                "cannot read the job file %s: %s", text->path,
                                strerror(errno));
        else if (text->n_bytes > MAX_BYTES)
            status = hanse_fail(text->error, HANSE_ERR_SPEC,
                                "%s: larger than 1 MiB; is it a job file?",
                                text->path);
    }
    (void)fclose(file);
    return status;
}

/* Where byte `offset` lies: libyaml gives no mark for bytes that are not
 * UTF-8. */
static yaml_mark_t mark_of_offset(const yaml_text *text, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < text->n_bytes; i++) {
        mark.column++;
        if (text->bytes[i] == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return mark;
}

/* libyaml's own complaint. */
static hanse_status fail_parser(const yaml_text *text,
                                const yaml_parser_t *parser)
{
    const char *problem =
        parser->problem != NULL ? parser->problem : "it cannot be parsed";
    switch (parser->error) {
    case YAML_MEMORY_ERROR:
        return hanse_fail_nomem(text->error, "job file", text->n_bytes);
    case YAML_READER_ERROR:
        return hanse_yaml_fail(text->error, text->path,
                               mark_of_offset(text, parser->problem_offset),
                               "not valid YAML: %s", problem);
    default:
        return hanse_yaml_fail(text->error, text->path, parser->problem_mark,
                               "not valid YAML: %s%s%s", problem,
                               parser->context != NULL ? " " : "",
                               parser->context != NULL ? parser->context : "");
    }
}

/* Looks at one token; `depth` is that of open lists and mappings. */
static hanse_status check_token(const yaml_text *text,
                                const yaml_token_t *token, int *depth)
{
    switch (token->type) {
    case YAML_ALIAS_TOKEN:
    case YAML_ANCHOR_TOKEN:
        return hanse_yaml_fail(
            text->error, text->path, token->start_mark,
            "anchors (&) and aliases (*) are not used in job "
            "files; put a text that begins so in quotes");
    case YAML_TAG_TOKEN:
        return hanse_yaml_fail(
            text->error, text->path, token->start_mark,
            "tags (!) are not used in job files; put a text that "
            "begins so in quotes");
    case YAML_BLOCK_SEQUENCE_START_TOKEN:
    case YAML_BLOCK_MAPPING_START_TOKEN:
    case YAML_FLOW_SEQUENCE_START_TOKEN:
    case YAML_FLOW_MAPPING_START_TOKEN:
        if (++*depth > MAX_DEPTH)
            return hanse_yaml_fail(text->error, text->path, token->start_mark,
                                   "nested deeper than %d levels", MAX_DEPTH);
        return HANSE_OK;
    case YAML_BLOCK_END_TOKEN:
    case YAML_FLOW_SEQUENCE_END_TOKEN:
    case YAML_FLOW_MAPPING_END_TOKEN:
        --*depth;
        return HANSE_OK;
    default:
        return HANSE_OK;
    }
}

static hanse_status check_tokens(const yaml_text *text)
{
    yaml_parser_t parser;
    hanse_status status = HANSE_OK;
    bool at_end = false;
    int depth = 0;
    if (!yaml_parser_initialize(&parser))
        return hanse_fail_nomem(text->error, "job file", sizeof parser);
    yaml_parser_set_input_string(&parser, text->bytes, text->n_bytes);
    while (status == HANSE_OK && !at_end) {
        yaml_token_t token;
        if (!yaml_parser_scan(&parser, &token)) {
            status = fail_parser(text, &parser);
            break;
        }
        status = check_token(text, &token, &depth);
        at_end = token.type == YAML_STREAM_END_TOKEN;
        yaml_token_delete(&token);
    }
    yaml_parser_delete(&parser);
    return status;
}

/* Whether anything stands behind the document just loaded. */
static hanse_status check_end(const yaml_text *text, yaml_parser_t *parser)
{
    yaml_document_t second;
    if (!yaml_parser_load(parser, &second))
        return fail_parser(text, parser);
    const yaml_node_t *root = yaml_document_get_root_node(&second);
    hanse_status status = HANSE_OK;
    if (root != NULL)
        status = hanse_yaml_fail(text->error, text->path, root->start_mark,
                                 "a second document; a job file holds one");
    yaml_document_delete(&second);
    return status;
}

static hanse_status load_document(const yaml_text *text, yaml_document_t *out)
{
    yaml_parser_t parser;
    yaml_document_t document;
    hanse_status status;
    if (!yaml_parser_initialize(&parser))
        return hanse_fail_nomem(text->error, "job file", sizeof parser);
    yaml_parser_set_input_string(&parser, text->bytes, text->n_bytes);
    if (!yaml_parser_load(&parser, &document)) {
        status = fail_parser(text, &parser);
        goto err_parser;
    }
    if (yaml_document_get_root_node(&document) == NULL)
        status = hanse_fail(text->error, HANSE_ERR_SPEC,
                            "%s: the job file is empty", text->path);
    else
        status = check_end(text, &parser);
    if (status == HANSE_OK)
        *out = document;
    else
        yaml_document_delete(&document);
err_parser:
    yaml_parser_delete(&parser);
    return status;
}

hanse_status hanse_yaml_load(const char *path, yaml_document_t *out,
                             hanse_error *error)
{
    yaml_text text = {.path = path, .error = error};
    hanse_status status = read_bytes(&text);
    if (status == HANSE_OK)
        status = check_tokens(&text);
    if (status == HANSE_OK)
        status = load_document(&text, out);
    free(text.bytes);
    return status;
}
