/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <time.h>

#include "base/duration.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static const struct option ping_options[] = {
    {.name = "wait-ready",
	.value = "DUR",
	.section = "Options",
	.complete = COMPLETE_DURATION,
	.doc = "try again for so long, until schedd answers"},
    {0},
};

static const struct option *const ping_sets[] = {ping_options, NULL};

/* Tries once; a daemon that is only starting refuses or closes the connection. */
static int ping_once(struct command *command, struct value *result, struct schedd_error *err)
{
	int rc = command_call(command, "server.ping", NULL, result, err);

	if (rc) {
		rpc_client_close(command->client);
		command->client = NULL;
	}
	return rc;
}

static int ping_run(struct command *command)
{
	const struct schedd_clock *clock = schedd_clock_system();
	const char *wait = args_get(&command->args, "wait-ready");
	struct schedd_mono begin = clock->mono(NULL);
	const struct timespec pause = {0, 20000000};
	struct schedd_error err = {0};
	struct value result;
	schedd_span limit = 0;
	int rc;

	if (wait && duration_parse(wait, &limit, &err) != 0) {
		schedd_error_prefix(&err, "--wait-ready");
		return say_error(command, &err);
	}
	rc = ping_once(command, &result, &err);
	while (rc == SCHEDD_EUNREACHABLE && clock->mono(NULL).us - begin.us < limit) {
		nanosleep(&pause, NULL);
		rc = ping_once(command, &result, &err);
	}
	if (rc)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &result);
	say(command, "schedd answers at %s.", command->socket);
	return EXIT_DONE;
}

const struct verb verb_ping = {
    .name = "ping",
    .group = "Daemon",
    .summary = "ask whether schedd answers",
    .usage = "[--wait-ready DUR]",
    .examples = "schedctl ping\n"
		"schedctl ping --wait-ready 10s && schedctl apply -f jobs.yaml",
    .options = ping_sets,
    .run = ping_run,
};
