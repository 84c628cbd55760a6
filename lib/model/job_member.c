/* SPDX-License-Identifier: MIT */
/* The error of a member begins with its name. */
#include "model/job_member.h"

#include <string.h>
#include "base/suggest.h"

static int job_member_unknown(
    const char *key, const struct job_member *rows, struct schedd_error *err)
{
	struct suggest suggest;
	const char *close;

	suggest_init(&suggest, key);
	for (const struct job_member *row = rows; row->name; row++)
		suggest_offer(&suggest, row->name);
	close = suggest_result(&suggest);
	if (close)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "there is no member '%.60s', did you mean '%s'?", key, close);
	return schedd_error_set(err, SCHEDD_EINVAL, "there is no member '%.60s'", key);
}

int job_member_read(
    const struct value *map, const struct job_member *rows, void *target, struct schedd_error *err)
{
	for (uint32_t i = 0; i < map->map.count; i++) {
		const struct value_member *member = &map->map.members[i];
		const struct job_member *row = rows;
		int rc;

		while (row->name && strcmp(row->name, member->key) != 0)
			row++;
		if (!row->name)
			return job_member_unknown(member->key, rows, err);
		rc = row->read(target, &member->value, err);
		if (rc) {
			schedd_error_prefix(err, "%s", row->name);
			return rc;
		}
	}
	return 0;
}
