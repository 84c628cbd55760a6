/* SPDX-License-Identifier: MIT */
/* What became of a group whose commit was sent and not answered, asked on a new connection. */
#include <stdlib.h>
#include "store/modules/store_postgresql.h"

static int resolve_number(struct store_link *link, const char *text, const char *id,
    int64_t *out, struct schedd_error *err)
{
	struct pg_params params;
	PGresult *result;
	int rc;

	pg_params_init(&params);
	pg_params_text(&params, id);
	rc = store_postgresql_talk_ask(link, text, &params, &result, err);
	pg_params_clear(&params);
	if (rc)
		return rc;
	*out = PQntuples(result) ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : -1;
	PQclear(result);
	return 0;
}

/* Taking the owner's lock has shown that the connection of before is gone for good. */
int store_postgresql_resolve(struct store_link *link, struct store_batch *first,
    struct store_batch *end, bool *stored, struct schedd_error *err)
{
	static const char last[] = "SELECT last_run FROM schedd_jobs WHERE id = $1";
	int64_t number = -1;
	int rc = resolve_number(link,
	    link->config->shared ? "SELECT batch FROM schedd_batches WHERE life = $1"
				 : "SELECT batch FROM schedd_owner WHERE life = $1",
	    link->config->life, &number, err);

	*stored = rc == 0 && number == (int64_t)first->serial;
	if (rc || !*stored)
		return rc;
	pg_of(link)->place.stored = first->serial;
	for (struct store_batch *batch = first; batch != end && rc == 0; batch = batch->next)
		for (struct store_op *op = batch->first; op && rc == 0; op = op->next) {
			if (op->kind == STORE_OP_CLAIM) {
				rc = resolve_number(link, last, op->claim.id, &number, err);
				op->claim.given = number == op->claim.last_run ? STORE_CLAIM_DONE
									       : STORE_CLAIM_LOST;
			} else if (op->kind == STORE_OP_ADD_JOB) {
				rc = resolve_number(link, last, op->put_job.job->id, &number, err);
				if (number > op->put_job.given)
					op->put_job.given = (uint32_t)number;
			}
		}
	return rc;
}
