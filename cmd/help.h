/* SPDX-License-Identifier: MIT */
/* Help made from the rows. */
#ifndef SCHEDD_CMD_HELP_H
#define SCHEDD_CMD_HELP_H

#include "base/strbuf.h"
#include "cmd/verbs.h"

/* All verbs in their groups, one line each. */
void help_overview(struct strbuf *out, const struct verb *const *verbs);
/* One verb: examples first, then usage and options in sections; full: the global ones too. */
void help_verb(struct strbuf *out, const struct verb *verb, bool full);

#endif
