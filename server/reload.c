/* SPDX-License-Identifier: MIT */
/* The new config is read into a config of its own; only when that is whole it takes the old one's
 * place. */
#include "server/reload.h"

#include "base/log.h"
#include "server/config_show.h"
#include "server/daemon_state.h"
#include "server/notify_systemd.h"

/* Options given at the start still beat the config. */
static int reload_log(struct daemon *daemon, const struct config *config, struct schedd_error *err)
{
	const struct options *options = daemon->setup.options;
	struct log_sink *sink = daemon->setup.sink;
	int rc = 0;

	if (!options->log_level)
		sink->log.level = (enum schedd_log_level)config->log_level;
	if (!options->log_format)
		sink->json = config->log_format == 1;
	/* The same file too: it may have been moved away to be rotated. */
	if (!options->log_file && config->log_file)
		rc = log_sink_open(sink, config->log_file, err);
	else if (options->log_file)
		rc = log_sink_open(sink, options->log_file, err);
	else if (daemon->setup.config->log_file)
		log_sink_close(sink);
	return rc;
}

static void reload_say(struct daemon *daemon, const char *what, const struct value *keys)
{
	for (uint32_t i = 0; i < keys->array.count; i++)
		log_info(daemon_log(daemon), "%s %s", keys->array.items[i].string.text, what);
}

static int reload_take_over(struct daemon *daemon, struct config *fresh, struct schedd_error *err)
{
	int rc = reload_log(daemon, fresh, err);

	if (!rc)
		rc = listeners_configure(daemon->listeners, fresh, err);
	if (!rc)
		rc = scheduler_set_sendmail(daemon->scheduler, fresh->sendmail, err);
	if (rc)
		return rc;
	scheduler_set_settings(daemon->scheduler, &fresh->settings);
	rpc_set_limits(daemon->rpc, &fresh->limits);
	listener_raise_limit(fresh->limits.clients);
	return 0;
}

int reload_config(struct daemon *daemon, struct arena *arena, struct value *changed,
    struct value *restart, struct schedd_error *err)
{
	const struct paths *paths = daemon->setup.paths;
	struct config *current = daemon->setup.config, fresh, old;
	int rc;

	notify_systemd_reloading();
	config_init(&fresh);
	rc = config_read(&fresh, paths->config, paths->config_explicit, paths->conf_dir, err);
	if (!rc) {
		config_show_changes(current, &fresh, arena, changed, restart);
		*changed = value_copy(arena, changed);
		*restart = value_copy(arena, restart);
		rc = arena_failed(arena) ? schedd_error_nomem(err)
					 : reload_take_over(daemon, &fresh, err);
		if (rc == SCHEDD_EINVAL || rc == SCHEDD_ENOTFOUND)
			rc = err->code = SCHEDD_EFILE; /* the config asked for it */
	}
	notify_systemd("READY=1");
	if (rc) {
		config_clear(&fresh);
		return rc;
	}
	old = *current;
	*current = fresh;
	config_clear(&old);
	reload_say(daemon, "changed", changed);
	reload_say(daemon, "changed, which takes effect with a restart", restart);
	log_info(daemon_log(daemon), "the config was read again");
	return 0;
}
