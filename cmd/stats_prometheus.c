/* SPDX-License-Identifier: MIT */
#include "cmd/stats_prometheus.h"

#include <string.h>

#include <schedd/clock.h>

#include "base/json.h"
#include "cmd/out.h"

static void prometheus_head(
    struct strbuf *out, const char *name, const char *type, const char *help)
{
	strbuf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Ids need no escaping in a label; the numbers are JSON's. */
static void prometheus_line(struct strbuf *out, const char *name, const char *job,
    const char *label, const char *value, const struct value *number)
{
	double real;

	if (!number || !value_number(number, &real))
		return;
	strbuf_printf(out, "%s{job=\"%s\"", name, job);
	if (label)
		strbuf_printf(out, ",%s=\"%s\"", label, value);
	strbuf_add(out, "} ");
	json_write(out, number);
	strbuf_add_char(out, '\n');
}

static bool prometheus_is_time(const char *key)
{
	size_t length = strlen(key);

	return length > 5 &&
	       (strcmp(key + length - 3, "_at") == 0 || strcmp(key + length - 5, "_time") == 0);
}

static void prometheus_number(struct strbuf *out, const char *key, const struct value *number)
{
	strbuf_printf(out, "schedd_%s ", key);
	json_write(out, number);
	strbuf_add_char(out, '\n');
}

static void prometheus_counters(struct strbuf *out, const struct value *counters)
{
	for (uint32_t i = 0; counters && i < counters->map.count; i++) {
		const struct value_member *member = &counters->map.members[i];

		if (member->value.type != VALUE_INT && member->value.type != VALUE_REAL)
			continue;
		if (prometheus_is_time(member->key))
			strbuf_printf(out, "schedd_%s_seconds %.6f\n", member->key,
			    (double)member->value.integer / (double)SCHEDD_SECOND);
		else
			prometheus_number(out, member->key, &member->value);
	}
}

static void prometheus_runs(struct strbuf *out, const struct value *jobs)
{
	prometheus_head(out, "schedd_job_runs", "gauge", "Runs in the window by outcome.");
	for (uint32_t i = 0; i < jobs->array.count; i++) {
		const struct value *row = &jobs->array.items[i];
		const struct value *states = value_get(row, "states");

		for (uint32_t s = 0; states && s < states->map.count; s++)
			prometheus_line(out, "schedd_job_runs", value_get_string(row, "job"),
			    "state", states->map.members[s].key, &states->map.members[s].value);
	}
}

static void prometheus_quantiles(struct strbuf *out, const struct value *jobs, const char *name,
    const char *p50, const char *p95, const char *help)
{
	prometheus_head(out, name, "gauge", help);
	for (uint32_t i = 0; i < jobs->array.count; i++) {
		const struct value *row = &jobs->array.items[i];
		const char *job = value_get_string(row, "job");

		prometheus_line(out, name, job, "quantile", "0.5", value_get(row, p50));
		prometheus_line(out, name, job, "quantile", "0.95", value_get(row, p95));
	}
}

int stats_prometheus(const struct value *counters, const struct value *jobs)
{
	struct strbuf text = STRBUF_EMPTY;
	bool written;

	prometheus_counters(&text, counters);
	prometheus_runs(&text, jobs);
	prometheus_quantiles(&text, jobs, "schedd_job_duration_seconds", "duration_p50",
	    "duration_p95", "How long runs in the window took.");
	prometheus_quantiles(&text, jobs, "schedd_job_delay_seconds", "delay_p50", "delay_p95",
	    "From when runs in the window were due to their start.");
	written = out_write(strbuf_peek(&text), text.length);
	strbuf_clear(&text);
	return written ? EXIT_DONE : EXIT_PIPE;
}
