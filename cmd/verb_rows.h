/* SPDX-License-Identifier: MIT */
/* The list of verbs; each verb_<name>.c defines its own row. */
#ifndef SCHEDD_CMD_VERB_ROWS_H
#define SCHEDD_CMD_VERB_ROWS_H

#include "cmd/verbs.h"

/* In the order of the help. */
#define VERB_ROWS(VERB)                                                                            \
	VERB(add)                                                                                  \
	VERB(at)                                                                                   \
	VERB(batch)                                                                                \
	VERB(list)                                                                                 \
	VERB(show)                                                                                 \
	VERB(next)                                                                                 \
	VERB(modify)                                                                               \
	VERB(edit)                                                                                 \
	VERB(reschedule)                                                                           \
	VERB(rename)                                                                               \
	VERB(copy)                                                                                 \
	VERB(remove)                                                                               \
	VERB(pause)                                                                                \
	VERB(resume)                                                                               \
	VERB(run)                                                                                  \
	VERB(history)                                                                              \
	VERB(logs)                                                                                 \
	VERB(wait)                                                                                 \
	VERB(kill)                                                                                 \
	VERB(retry)                                                                                \
	VERB(why)                                                                                  \
	VERB(stats)                                                                                \
	VERB(top)                                                                                  \
	VERB(simulate)                                                                             \
	VERB(events)                                                                               \
	VERB(apply)                                                                                \
	VERB(diff)                                                                                 \
	VERB(check)                                                                                \
	VERB(export)                                                                               \
	VERB(import)                                                                               \
	VERB(status)                                                                               \
	VERB(stores)                                                                               \
	VERB(executors)                                                                            \
	VERB(nodes)                                                                                \
	VERB(groups)                                                                               \
	VERB(token)                                                                                \
	VERB(config)                                                                               \
	VERB(ping)                                                                                 \
	VERB(backup)                                                                               \
	VERB(restore)                                                                              \
	VERB(reload)                                                                               \
	VERB(shutdown)                                                                             \
	VERB(version)                                                                              \
	VERB(help)                                                                                 \
	VERB(completion)                                                                           \
	VERB(complete)                                                                             \
	VERB(dial)

#define VERB_ROW_DECLARED(name) extern const struct verb verb_##name;
VERB_ROWS(VERB_ROW_DECLARED)

/* All of them, NULL-terminated. */
extern const struct verb *const verb_rows[];

#endif
