/* SPDX-License-Identifier: MIT */
#include "server/rpc/rpc_table.h"

#include <string.h>
#include "jobfile/cron_table.h"

int rpc_table_check(struct rpc_call *call, const char *id, struct schedd_error *err)
{
	const struct schedd_job *job = id ? scheduler_job_peek(call->scheduler, id) : NULL;

	if (!job || !job_is_of_table(job))
		return 0;
	return schedd_error_set(err, SCHEDD_ECONFLICT,
	    "job %.128s stands in %.256s: change it there; here it can be paused, run and killed",
	    id, job_details(job)->owner + strlen(CRON_TABLE_OWNER));
}

int rpc_table_check_fields(
    struct rpc_call *call, const struct value *fields, struct schedd_error *err)
{
	const char *owner = value_get_string(fields, "owner");

	if (owner && strncmp(owner, CRON_TABLE_OWNER, strlen(CRON_TABLE_OWNER)) == 0)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "owner: '%.64s…' is of jobs that stand in tables of cron", CRON_TABLE_OWNER);
	return rpc_table_check(call, value_get_string(fields, "id"), err);
}
