/* SPDX-License-Identifier: MIT */
/* Its sentences name grammar; people want to know what to put into quotes. */
#include "jobfile/yaml_fault.h"

#include <string.h>

/* How each sentence begins, the character it is about (0: any), and what is said instead. */
static const struct {
	const char *problem;
	char at;
	const char *words;
} yaml_faults[] = {
    {"did not find expected alphabetic or numeric character", '*',
	"'*' begins an alias here: put the expression in quotes, as in '*/5 * * * *'"},
    {"did not find expected alphabetic or numeric character", '&',
	"'&' begins an anchor here: put the text in quotes"},
    {"found character that cannot start any token", '\t', "a tab cannot indent, use blanks"},
    {"found character that cannot start any token", '@',
	"a text that begins with '@' must be in quotes"},
    {"found character that cannot start any token", '%',
	"a text that begins with '%' must be in quotes"},
    {"found character that cannot start any token", '`',
	"a text that begins with '`' must be in quotes"},
    {"mapping values are not allowed in this context", 0,
	"a ':' is not expected here: a text with ': ' in it must be in quotes, and the keys of a "
	"map "
	"stand in one column"},
    {"block sequence entries are not allowed in this context", 0,
	"a '-' is not expected here: a text that begins with '- ' must be in quotes"},
    {"could not find expected ':'", 0, "there is no ':' behind this key"},
    {"did not find expected key", 0,
	"neither a key nor the end of this map: look at the indentation and at quotes"},
    {"did not find expected '-' indicator", 0,
	"neither a '-' nor the end of this list: look at the indentation"},
    {"did not find expected ',' or '}'", 0, "neither ',' nor '}' stands here"},
    {"did not find expected ',' or ']'", 0, "neither ',' nor ']' stands here"},
    {"found unexpected end of stream", 0, "the file ends inside of a quoted text"},
    {"control characters are not allowed", 0, "a control character: is this a text file?"},
    {"invalid leading UTF-8 octet", 0, "not UTF-8: is this a text file?"},
    {"invalid trailing UTF-8 octet", 0, "not UTF-8: is this a text file?"},
    {"incomplete UTF-8 octet sequence", 0, "not UTF-8: is this a text file?"},
};

static const char *yaml_fault_words(const char *problem, char at)
{
	for (size_t i = 0; i < sizeof(yaml_faults) / sizeof(yaml_faults[0]); i++)
		if (strncmp(problem, yaml_faults[i].problem, strlen(yaml_faults[i].problem)) == 0 &&
		    (yaml_faults[i].at == 0 || yaml_faults[i].at == at))
			return yaml_faults[i].words;
	return problem;
}

/* The reader knows bytes, not lines. */
static void yaml_fault_locate(const char *text, size_t offset, uint32_t *line, uint32_t *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < offset; i++)
		if (text[i] == '\n') {
			*line += 1;
			*column = 1;
		} else if ((text[i] & 0xc0) != 0x80)
			*column += 1;
}

int yaml_fault(const yaml_parser_t *parser, const char *file, const char *text, size_t length,
    struct diagnostics *diagnostics)
{
	const char *problem = parser->problem ? parser->problem : "it cannot be read";
	size_t offset = parser->problem_mark.index;
	uint32_t line = (uint32_t)parser->problem_mark.line + 1;
	uint32_t column = (uint32_t)parser->problem_mark.column + 1;
	char at = '\0';

	if (parser->error == YAML_MEMORY_ERROR)
		return SCHEDD_ENOMEM;
	if (parser->error == YAML_READER_ERROR) {
		offset = parser->problem_offset < length ? parser->problem_offset : length;
		yaml_fault_locate(text, offset, &line, &column);
	}
	/* An alias is faulted behind its '*', and marks count characters, not bytes. */
	if (strncmp(problem, "did not find expected alphabetic", 32) == 0) {
		at = parser->context && strstr(parser->context, "anchor") ? '&' : '*';
		line = (uint32_t)parser->context_mark.line + 1;
		column = (uint32_t)parser->context_mark.column + 1;
	} else if (parser->error == YAML_SCANNER_ERROR &&
		   parser->buffer.pointer < parser->buffer.last)
		at = (char)*parser->buffer.pointer;
	diagnostics_add(diagnostics, file, line, column, "%s", yaml_fault_words(problem, at));
	return SCHEDD_EFILE;
}
