/* SPDX-License-Identifier: MIT */
/* What every verb needs: the connection, the caller's zone, and a voice on stderr. */
#include "cmd/command.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/json.h"
#include "cmd/connect.h"
#include "cmd/dial.h"
#include "cmd/dial_url.h"
#include "cmd/out.h"
#include "cmd/verbs.h"

#define COMMAND_RPC_TIMEOUT (30 * SCHEDD_SECOND)
#define COMMAND_SSH_TIMEOUT (5 * SCHEDD_MINUTE) /* somebody may have to type a password */

const struct zone *command_zone(struct command *command)
{
	if (command->zone.zone)
		return command->zone.zone;
	if (!command->zones)
		command->zones = zone_cache_new(NULL);
	if (!command->zones ||
	    zone_local_find(command->zones, NULL, getenv("TZ"), "", &command->zone, NULL) != 0)
		command->zone.zone = zone_utc();
	return command->zone.zone;
}

const struct zone *command_daemon_zone(struct command *command)
{
	struct value status;
	const char *name;

	if (command->daemon_zone)
		return command->daemon_zone;
	command->daemon_zone = command_zone(command);
	if (!command->zones || command_call(command, "server.status", NULL, &status, NULL) != 0)
		return command->daemon_zone;
	name = value_get(&status, "zone") ? value_get_string(value_get(&status, "zone"), "name")
					  : NULL;
	if (name && zone_cache_get(command->zones, name, &command->daemon_zone, NULL) != 0)
		command->daemon_zone = command_zone(command);
	return command->daemon_zone;
}

bool command_elsewhere(const struct command *command)
{
	return args_has(&command->args, "host") || dial_url_named(&command->args);
}

struct trigger_context command_triggers(struct command *command)
{
	const struct zone *zone = command_zone(command);

	/* The daemon is on this machine, unless one elsewhere was asked for. */
	if (!command_elsewhere(command) &&
	    gethostname(command->host, sizeof(command->host) - 1))
		command->host[0] = '\0';
	return (struct trigger_context){
	    .zones = command->zones, .zone = zone, .now = command->now, .host = command->host};
}

struct when_context command_times(struct command *command)
{
	const struct zone *zone = command_zone(command);

	return (struct when_context){
	    .zones = command->zones, .zone = zone, .now = command->now, .strict = true};
}

/* Has the daemon show the jobs of one account alone, where -U says so. */
static int command_narrow(struct command *command, struct schedd_error *err)
{
	const char *account = args_get(&command->args, "account");
	struct value params = value_map(), result;

	if (!account)
		return 0;
	value_put(&command->arena, &params, "account", value_string_ref(account));
	return rpc_client_call(
	    command->client, "server.hello", &params, &command->arena, &result, err);
}

int command_connect(struct command *command, struct schedd_error *err)
{
	const char *text = args_get(&command->args, "rpc-timeout");
	const char *host = args_get(&command->args, "host");
	const char *url = dial_url_named(&command->args);
	schedd_span timeout = host ? COMMAND_SSH_TIMEOUT : COMMAND_RPC_TIMEOUT;
	int rc;

	if (command->client)
		return 0;
	if (command->alone)
		return schedd_error_set(err, SCHEDD_EUNREACHABLE, "no daemon is asked");
	if (text) {
		rc = duration_parse(text, &timeout, err);
		if (rc) {
			schedd_error_prefix(err, "--rpc-timeout");
			return rc;
		}
		if (timeout <= 0)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "--rpc-timeout: no answer comes in no time");
	}
	if (url) {
		command->socket = url;
		rc = dial_url(
		    &command->arena, &command->args, url, timeout, &command->client, err);
	} else if (host) {
		command->socket = host;
		rc = dial_host(&command->arena, host, args_get(&command->args, "socket"), timeout,
		    &command->client, err);
	} else {
		rc = connect_daemon(&command->arena, args_get(&command->args, "socket"), timeout,
		    &command->client, &command->socket, err);
	}
	return rc ? rc : command_narrow(command, err);
}

int command_call(struct command *command, const char *method, const struct value *params,
    struct value *result, struct schedd_error *err)
{
	return command_call_in(command, &command->arena, method, params, result, err);
}

int command_call_in(struct command *command, struct arena *arena, const char *method,
    const struct value *params, struct value *result, struct schedd_error *err)
{
	return command_call_sent(command, arena, method, params, NULL, NULL, result, err);
}

int command_call_sent(struct command *command, struct arena *arena, const char *method,
    const struct value *params, void (*sent)(void *context), void *context, struct value *result,
    struct schedd_error *err)
{
	int rc = command_connect(command, err);
	uint32_t msgid;

	if (rc)
		return rc;
	rc = rpc_client_send(command->client, method, params, &msgid, err);
	if (!rc && sent)
		sent(context);
	if (!rc)
		rc = rpc_client_receive(command->client, msgid, arena, result, err);
	if (rc == SCHEDD_EUNREACHABLE && args_get(&command->args, "host"))
		schedd_error_prefix(err, "over ssh to %s", args_get(&command->args, "host"));
	return rc;
}

int command_next(struct command *command, schedd_span within, struct arena *arena,
    const char **method, struct value *params, struct schedd_error *err)
{
	for (;;) {
		struct pollfd fds[] = {{.fd = rpc_client_fd(command->client), .events = POLLIN},
		    {.fd = STDOUT_FILENO}};
		int rc = rpc_client_next(command->client, 0, arena, method, params, err);

		if (rc != 0)
			return rc;
		rc = poll(fds, 2, within == SCHEDD_SPAN_NONE ? -1 : (int)(within / 1000));
		if (rc > 0 && (fds[1].revents & (POLLERR | POLLHUP)) != 0)
			return 0;
		if (rc == 0) {
			*method = NULL;
			return 1;
		}
	}
}
