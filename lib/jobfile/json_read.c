/* SPDX-License-Identifier: MIT */
/* A file is read with the places of its values; a fault is what the library says of it. */
#include "jobfile/json_read.h"

#include <stdio.h>
#include <string.h>
#include "base/json_exact.h"
#include "base/json_library.h"
#include "base/json_swift.h"
#include "jobfile/yaml_read.h"

/* No fewer than the values in the text: what jansson would build has a bound before it begins. */
static uint32_t json_read_count(const char *text, size_t length)
{
	uint32_t count = 1;
	bool string = false;

	for (size_t i = 0; i < length; i++) {
		if (string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			string = !string;
		else if (!string)
			count += text[i] == ',' || text[i] == '[' || text[i] == '{';
	}
	return count;
}

/* "invalid JSON at line 3, column 7: …" taken apart again. */
static void json_read_fault(
    const char *file, const struct schedd_error *err, struct diagnostics *diagnostics)
{
	unsigned line = 0, column = 0;
	int behind = 0;

	if (sscanf(err->message, "invalid JSON at line %u, column %u: %n", &line, &column,
		&behind) == 2 &&
	    behind > 0)
		diagnostics_add(
		    diagnostics, file, line, column, "invalid JSON: %s", err->message + behind);
	else
		diagnostics_add(diagnostics, file, 0, 0, "%s", err->message);
}

/* What was not read at once: mostly it is no JSON, and why not is to be told. */
static int json_read_again(const char *file, const char *text, size_t length, struct arena *arena,
    struct value *out, struct diagnostics *diagnostics)
{
	struct schedd_error err;
	int rc;

	if (arena_failed(arena))
		return SCHEDD_ENOMEM;
	if (json_read_count(text, length) > YAML_NODES_MAX) {
		diagnostics_add(diagnostics, file, 0, 0,
		    "there are more than %d values in the file", YAML_NODES_MAX);
		return SCHEDD_EFILE;
	}
	rc = json_library_parse(text, length, arena, out, &err);
	if (!rc || rc == SCHEDD_ENOMEM)
		return rc;
	json_read_fault(file, &err, diagnostics);
	return SCHEDD_EFILE;
}

int json_read(const char *file, const char *text, size_t length, struct arena *arena,
    struct value *out, struct diagnostics *diagnostics)
{
	struct schedd_error err;
	int rc;

	*out = value_nil();
	if (length > YAML_SIZE_MAX) {
		diagnostics_add(
		    diagnostics, file, 0, 0, "it is larger than %zu MiB", YAML_SIZE_MAX >> 20);
		return SCHEDD_EFILE;
	}
	if (!json_swift_parse(text, length, true, YAML_NODES_MAX, arena, out)) {
		rc = json_read_again(file, text, length, arena, out, diagnostics);
		if (rc)
			return rc;
	}
	rc = json_exact_unwrap(out, arena, &err);
	if (rc && rc != SCHEDD_ENOMEM) {
		diagnostics_add(diagnostics, file, 0, 0, "%s", err.message);
		rc = SCHEDD_EFILE;
	}
	return rc;
}
