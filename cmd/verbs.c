/* SPDX-License-Identifier: MIT */
#include "cmd/verbs.h"

#include <string.h>

#include "base/suggest.h"
#include "cmd/say.h"

const struct verb *verbs_find(const struct verb *const *verb, const char *name)
{
	for (; *verb; verb++)
		if (strcmp((*verb)->name, name) == 0 ||
		    ((*verb)->alias && strcmp((*verb)->alias, name) == 0))
			return *verb;
	return NULL;
}

static const char *verbs_suggest(const struct verb *const *verbs, const char *name)
{
	struct suggest suggest;

	suggest_init(&suggest, name);
	for (const struct verb *const *verb = verbs; *verb; verb++)
		if (!(*verb)->hidden)
			suggest_offer(&suggest, (*verb)->name);
	return suggest_result(&suggest) ? verbs_find(verbs, suggest_result(&suggest))->name : NULL;
}

int verbs_unknown(struct command *command, const char *name)
{
	const char *closest = verbs_suggest(command->verbs, name);

	return say_usage(command, "unknown verb '%s'%s%s%s", name,
	    closest ? ", did you mean '" : "; see schedctl help", closest ? closest : "",
	    closest ? "'?" : "");
}
