/* SPDX-License-Identifier: MIT */
/* The new config is read into a config of its own; only when that is whole it takes the old one's
 * place. */
#include "server/reload.h"

#include <stdlib.h>
#include "base/log.h"
#include "server/config_jobs.h"
#include "server/config_show.h"
#include "server/daemon_state.h"
#include "server/notify_systemd.h"
#include "server/users_known.h"

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
		rc = daemon_admit(daemon, fresh, err);
	if (!rc)
		rc = listeners_configure(daemon->listeners, fresh, err);
	if (!rc)
		rc = scheduler_set_sendmail(daemon->scheduler, fresh->sendmail, err);
	if (rc)
		return rc;
	scheduler_set_settings(daemon->scheduler, &fresh->settings);
	/* Jobs that could not be read for want of their zone have another try. */
	(void)scheduler_refresh_zones(daemon->scheduler);
	rpc_set_limits(daemon->rpc, &fresh->limits);
	listener_raise_limit(fresh->limits.clients);
	return 0;
}

/* One reload on its way. */
struct reload {
	struct daemon *daemon;
	reload_fn done; /* NULL: nobody asks */
	void *context;
	struct arena arena; /* of the lists */
	struct value changed, restart;
};

static void reload_end(struct reload *reload, int rc, const struct schedd_error *err)
{
	if (rc && !reload->done)
		log_error(daemon_log(reload->daemon), "%s", err->message);
	if (reload->done)
		reload->done(rc, err, &reload->changed, &reload->restart, reload->context);
	arena_clear(&reload->arena);
	free(reload);
}

/* The new config takes the place of the old one; afterwards nothing can fail but its jobs. */
static int reload_replace(struct reload *reload, struct config *fresh, struct schedd_error *err)
{
	struct config *current = reload->daemon->setup.config, old;
	int rc;

	/* Before the first of them what was read is what is in force. */
	if (reload->daemon->begun.type == VALUE_NIL) {
		arena_init(&reload->daemon->begun_arena);
		reload->daemon->begun = config_show_begun(current, &reload->daemon->begun_arena);
	}
	config_show_changes(current, fresh, &reload->daemon->begun, &reload->arena, &reload->changed, &reload->restart);
	reload->changed = value_copy(&reload->arena, &reload->changed);
	reload->restart = value_copy(&reload->arena, &reload->restart);
	if (arena_failed(&reload->daemon->begun_arena)) {
		arena_clear(&reload->daemon->begun_arena);
		reload->daemon->begun = value_nil();
		return schedd_error_nomem(err);
	}
	if (arena_failed(&reload->arena))
		return schedd_error_nomem(err);
	rc = web_link_reload(reload->daemon->web, &fresh->web, err);
	if (!rc)
		rc = reload_take_over(reload->daemon, fresh, err);
	if (rc && web_link_reload(reload->daemon->web, &current->web, NULL))
		log_error(daemon_log(reload->daemon), "http: its files cannot be read again");
	if (rc == SCHEDD_EINVAL || rc == SCHEDD_ENOTFOUND)
		rc = err->code = SCHEDD_EFILE; /* the config asked for it */
	if (rc)
		return rc;
	old = *current;
	fresh->users.known = current->users.known;
	users_known_read(fresh->users.known);
	*current = *fresh;
	*fresh = old;
	return daemon_watch_accounts(reload->daemon, err);
}

static void reload_on_jobs(int rc, const struct schedd_error *err, uint32_t changes, void *context)
{
	struct reload *reload = context;
	struct schedd_error own;
	bool named = false;

	if (rc) {
		own = *err;
		schedd_error_prefix(&own, "the config is in force, but its jobs were not applied");
		reload_end(reload, rc, &own);
		return;
	}
	for (uint32_t i = 0; i < reload->changed.array.count; i++)
		named |= value_is_text(&reload->changed.array.items[i], "jobs");
	if (changes > 0 && !named)
		value_append(&reload->arena, &reload->changed, value_string_ref("jobs"));
	reload_say(reload->daemon, "changed", &reload->changed);
	reload_say(reload->daemon, "changed, which takes effect with a restart", &reload->restart);
	log_info(daemon_log(reload->daemon), "the config was read again");
	reload_end(reload, 0, NULL);
}

/* Takes reload. */
static void reload_begin(struct reload *reload, const struct scheduler_actor *actor)
{
	const struct paths *paths = reload->daemon->setup.paths;
	struct schedd_error err;
	struct config fresh;
	struct jobfile jobs;
	int rc;

	notify_systemd_reloading();
	config_init(&fresh);
	jobfile_init(&jobs);
	rc = config_read(&fresh, paths->config, paths->config_explicit, paths->conf_dir, &err);
	if (!rc)
		rc = config_jobs_load(&fresh, &jobs, &err);
	if (!rc)
		rc = reload_replace(reload, &fresh, &err);
	notify_systemd("READY=1");
	if (rc)
		reload_end(reload, rc, &err);
	if (rc == 0)
		scheduler_restart_executors(reload->daemon->scheduler);
	if (rc == 0)
		cron_tables_configure(reload->daemon->cron, &reload->daemon->setup.config->cron);
	if (rc == 0)
		config_jobs_apply(reload->daemon->scheduler, daemon_log(reload->daemon), &jobs,
		    actor, reload_on_jobs, reload);
	jobfile_clear(&jobs);
	config_clear(&fresh);
}

void reload_config(
    struct daemon *daemon, const struct scheduler_actor *actor, reload_fn done, void *context)
{
	const struct value none = value_array();
	struct reload *reload = malloc(sizeof(*reload));
	struct schedd_error err;

	if (!reload) {
		schedd_error_nomem(&err);
		if (done)
			done(SCHEDD_ENOMEM, &err, &none, &none, context);
		return;
	}
	*reload = (struct reload){.daemon = daemon,
	    .done = done,
	    .context = context,
	    .changed = value_array(),
	    .restart = value_array()};
	arena_init(&reload->arena);
	reload_begin(reload, actor);
}
