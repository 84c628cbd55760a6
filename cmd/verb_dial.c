/* SPDX-License-Identifier: MIT */
/* __dial: the far end of --host. */
#include "cmd/dial.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static int dial_run(struct command *command)
{
	struct schedd_error err = {0};

	if (command_connect(command, &err) != 0 ||
	    dial_relay(rpc_client_fd(command->client), &err) != 0)
		return say_error(command, &err);
	return EXIT_DONE;
}

const struct verb verb_dial = {
    .name = "__dial",
    .group = "About",
    .summary = "join standard input and output to the daemon's socket",
    .usage = "",
    .hidden = true,
    .run = dial_run,
};
