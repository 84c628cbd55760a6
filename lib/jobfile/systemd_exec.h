/* SPDX-License-Identifier: MIT */
/* Command lines of systemd.service(5) as ours. */
#ifndef SCHEDD_JOBFILE_SYSTEMD_EXEC_H
#define SCHEDD_JOBFILE_SYSTEMD_EXEC_H

#include <schedd/error.h>
#include "base/strbuf.h"
#include "base/value.h"
#include "jobfile/systemd_specifier.h"

/* One command of ExecStartPre=, ExecStart= or ExecStartPost= taken apart. */
struct systemd_exec {
	struct value argv; /* list of texts, specifiers and escapes resolved, variables not */
	bool variables;    /* '$' stands in it: only a shell can do the same */
	bool literal;      /* ':' stood before it: '$' stays as it is */
	bool may_fail;     /* '-' stood before it */
	bool privileged;   /* '+' or '!' stood before it */
};

/*
 * Reads the command at *value, which may be followed by further ones behind a
 * lone ';'; *value is behind it then, at the next or at the end. SCHEDD_EINVAL
 * for a quote that is not closed, specifiers we do not know, an empty command.
 */
int systemd_exec_read(const char **value, const struct systemd_name *name, struct arena *arena,
    struct systemd_exec *out, struct schedd_error *err) __attribute__((warn_unused_result));
/* Splits a list of quoted words, as Environment= has it, in the same way. */
int systemd_exec_words(const char *value, const struct systemd_name *name, struct arena *arena,
    struct value *out, struct schedd_error *err) __attribute__((warn_unused_result));
/* Does a variable stand alone as a word, which a shell splits, and would take for a pattern? */
bool systemd_exec_splits(const struct systemd_exec *exec);
/* Appends the command as words for a shell. */
void systemd_exec_shell(struct strbuf *out, const struct systemd_exec *exec);

#endif
