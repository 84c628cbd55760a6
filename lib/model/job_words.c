/* SPDX-License-Identifier: MIT */
#include "model/job_words.h"

#include "base/shell_words.h"
#include "model/job_details.h"
#include "trigger/trigger.h"

/* "fetch succeeds or load ends" */
static void job_words_after(const struct job_details *details, struct strbuf *out)
{
	static const char *const verbs[] = {
	    [JOB_AFTER_OK] = "succeeds",
	    [JOB_AFTER_FAIL] = "fails",
	    [JOB_AFTER_ANY] = "ends",
	};

	for (uint32_t i = 0; i < details->after_count; i++)
		strbuf_printf(out, "%s%s %s", i ? " or " : "", details->after[i].job,
		    verbs[details->after[i].on]);
}

/* Does nothing but a person, or another job, start it? */
static bool job_words_by_hand(const struct schedd_job *job)
{
	return job->trigger && !trigger_has_clock(job->trigger) && !trigger_events(job->trigger);
}

void job_words_when(const struct schedd_job *job, struct strbuf *out)
{
	const struct job_details *details = job_details(job);
	bool after = details->after_count > 0, alone = after && job_words_by_hand(job);

	if (job->trigger && !alone)
		trigger_words(job->trigger, out);
	if (after) {
		strbuf_add(out, alone ? "After " : ", and after ");
		job_words_after(details, out);
	}
}

void job_words_waits_for(const struct schedd_job *job, struct strbuf *out)
{
	static const struct {
		unsigned event;
		const char *words;
	} events[] = {
	    {TRIGGER_ON_START, "a start of schedd"},
	    {TRIGGER_ON_BOOT, "a boot"},
	};
	const struct job_details *details = job_details(job);
	unsigned set = job->trigger ? trigger_events(job->trigger) : 0;

	if (details->after_count == 0 && job_words_by_hand(job))
		strbuf_add(out, "by hand");
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (set & events[i].event)
			strbuf_printf(out, "%s%s", out->length ? ", " : "", events[i].words);
	for (uint32_t i = 0; i < details->after_count; i++)
		strbuf_printf(out, "%s%s",
		    i             ? ", "
		    : out->length ? ", after "
				  : "after ",
		    details->after[i].job);
}

void job_words_what(const struct schedd_job *job, struct strbuf *out)
{
	if (job->kind == JOB_COMMAND)
		for (char **word = job->argv; word && *word; word++) {
			strbuf_add(out, word == job->argv ? "" : " ");
			shell_words_add(out, *word);
		}
	else if (job->kind == JOB_SHELL)
		strbuf_add(out, job->shell);
	else if (job->kind == JOB_CALL)
		strbuf_printf(out, "call %s", job->call->function);
	else
		strbuf_printf(out, "%s %s", job->http->method, job->http->url);
}
