/* SPDX-License-Identifier: MIT */
/* The letter that tells a person how a run ended: what, where, when, and its last words. */
#ifndef SCHEDD_CORE_KEEP_NOTIFY_MAIL_H
#define SCHEDD_CORE_KEEP_NOTIFY_MAIL_H

#include "executor/output.h"
#include "model/job.h"
#include "model/run.h"
#include "trigger/zone.h"

struct notify_letter {
	const char *address;
	const char *word; /* "failure", "recovery", … */
	const char *host;
	const struct schedd_job *about;
	const struct run *run;
	const struct zone *zone;     /* that times are told in */
	const struct output *output; /* of the run; NULL: read from path */
	const char *path;            /* NULL: none was kept */
};

/* Head and body as sendmail takes them, the caller's. NULL: no memory. */
char *notify_mail(const struct notify_letter *letter);

#endif
