/* SPDX-License-Identifier: MIT */
/* What is configured of a store on a server, and whose jobs it may hold. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/duration.h"
#include "base/system_user.h"
#include "store/store_remote_parts.h"

/* One option of all types. */
struct remote_option {
	const char *name;
	int (*read)(struct remote_store *remote, const char *text, struct schedd_error *err);
};

static int remote_span(const char *name, const char *text, schedd_span least, schedd_span *out,
    struct schedd_error *err)
{
	struct schedd_error why;

	if (duration_parse(text, out, &why))
		return schedd_error_set(err, SCHEDD_EINVAL, "%s: %s", name, why.message);
	if (*out < least || *out > SCHEDD_HOUR)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "%s: '%.40s' must be from %lld s to 1 h", name, text,
		    (long long)(least / SCHEDD_SECOND));
	return 0;
}

static int remote_connect_timeout(
    struct remote_store *remote, const char *text, struct schedd_error *err)
{
	return remote_span("connect_timeout", text, SCHEDD_SECOND,
	    &remote->config.connect_timeout, err);
}

static int remote_timeout(struct remote_store *remote, const char *text, struct schedd_error *err)
{
	return remote_span("timeout", text, SCHEDD_SECOND, &remote->config.timeout, err);
}

/* How many it is the scheduler looks up, which keeps them. */
static int remote_outbox(struct remote_store *remote, const char *text, struct schedd_error *err)
{
	size_t digits = strspn(text, "0123456789");

	(void)remote;
	if (!digits || text[digits] || digits > 7 || strtoul(text, NULL, 10) > STORE_OUTBOX_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "outbox: '%.64s' is no number of runs from 0 to %d", text, STORE_OUTBOX_MAX);
	return 0;
}

static int remote_lease(struct remote_store *remote, const char *text, struct schedd_error *err)
{
	return remote_span("lease", text, 3 * SCHEDD_SECOND, &remote->config.lease, err);
}

static int remote_shared(struct remote_store *remote, const char *text, struct schedd_error *err)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "shared: '%.40s' must be true or false", text);
	remote->config.shared = strcmp(text, "true") == 0;
	if (remote->config.shared && !remote->driver->share)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "shared: type '%s' belongs to one schedd at a time; several can share a store of "
		    "type " STORE_SHARE_TYPES,
		    remote->base.ops->type);
	return 0;
}

static int remote_copy(
    struct remote_store *remote, const char *text, const char **out, struct schedd_error *err)
{
	*out = arena_strdup(&remote->arena, text);
	return *out ? 0 : schedd_error_nomem(err);
}

static int remote_prefix(struct remote_store *remote, const char *text, struct schedd_error *err)
{
	if (!text[0] || strlen(text) > 128)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "prefix: it must have 1 to 128 bytes");
	return remote_copy(remote, text, &remote->config.prefix, err);
}

static int remote_compact(struct remote_store *remote, const char *text, struct schedd_error *err)
{
	if (!remote->driver->compacts)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "option 'compact' is not for type '%s'", remote->base.ops->type);
	remote->config.compact = strcmp(text, "true") == 0;
	if (!remote->config.compact && strcmp(text, "false") != 0)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "compact: '%.40s' must be true or false", text);
	return 0;
}

static int remote_file(struct remote_store *remote, const char *name, const char *text,
    const char **out, struct schedd_error *err)
{
	if (text[0] != '/')
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "%s: '%.200s' is no absolute path", name, text);
	if (access(text, R_OK) < 0)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "%s: %.200s: %s", name, text, strerror(errno));
	return remote_copy(remote, text, out, err);
}

static int remote_tls_ca(struct remote_store *remote, const char *text, struct schedd_error *err)
{
	return remote_file(remote, "tls_ca", text, &remote->config.tls_ca, err);
}

static int remote_tls_cert(struct remote_store *remote, const char *text, struct schedd_error *err)
{
	return remote_file(remote, "tls_cert", text, &remote->config.tls_cert, err);
}

static int remote_tls_key(struct remote_store *remote, const char *text, struct schedd_error *err)
{
	return remote_file(remote, "tls_key", text, &remote->config.tls_key, err);
}

static int remote_password_file(
    struct remote_store *remote, const char *path, struct schedd_error *err)
{
	int rc;

	if (remote->secret.text)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "password_file: the url has a password already, leave one of them out");
	rc = store_secret_read(&remote->secret, path, err);
	return rc ? rc : remote_copy(remote, path, &remote->password_file, err);
}

/* What the url said of it is in one place from here on. */
static int remote_url_password(struct remote_store *remote, struct schedd_error *err)
{
	const char *text = remote->config.url.password;
	int rc = text ? store_secret_set(&remote->secret, text, strlen(text), err) : 0;

	store_secret_wipe(text);
	return rc;
}

/* "alice, bob" or "alice bob". */
static int remote_run_as(struct remote_store *remote, const char *text, struct schedd_error *err)
{
	size_t count = 0;

	remote->run_as =
	    arena_alloc(&remote->arena, (strlen(text) / 2 + 2) * sizeof(remote->run_as[0]));
	if (!remote->run_as)
		return schedd_error_nomem(err);
	while (*(text += strspn(text, ", \t"))) {
		size_t length = strcspn(text, ", \t");

		remote->run_as[count] = arena_strndup(&remote->arena, text, length);
		if (!remote->run_as[count])
			return schedd_error_nomem(err);
		if (strspn(text, "0123456789") >= length)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "run_as: '%.64s' is a number, write the account's name",
			    remote->run_as[count]);
		count++;
		text += length;
	}
	if (count == 0)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "run_as: write names of accounts, as in alice,bob");
	return 0;
}

static int remote_node(struct remote_store *remote, const char *text, struct schedd_error *err)
{
	int rc = node_name_check(text, err);

	return rc ? schedd_error_prefix(err, "node.name")
		  : remote_copy(remote, text, &remote->config.node, err);
}

static int remote_labels(struct remote_store *remote, const char *text, struct schedd_error *err)
{
	return remote_copy(remote, text, &remote->config.labels, err);
}

static const struct remote_option remote_options[] = {
    {"shared", remote_shared},
    {"node", remote_node},
    {"labels", remote_labels},
    {"connect_timeout", remote_connect_timeout},
    {"timeout", remote_timeout},
    {"lease", remote_lease},
    {"outbox", remote_outbox},
    {"prefix", remote_prefix},
    {"compact", remote_compact},
    {"tls_ca", remote_tls_ca},
    {"tls_cert", remote_tls_cert},
    {"tls_key", remote_tls_key},
    {"password_file", remote_password_file},
    {"run_as", remote_run_as},
};

#define REMOTE_OPTIONS (sizeof(remote_options) / sizeof(remote_options[0]))

static int remote_read_options(
    struct remote_store *remote, const struct store_option *option, struct schedd_error *err)
{
	int rc = 0;

	for (; option && option->name && rc == 0; option++) {
		size_t i = 0;

		while (i < REMOTE_OPTIONS && strcmp(remote_options[i].name, option->name) != 0)
			i++;
		rc = i < REMOTE_OPTIONS
			 ? remote_options[i].read(remote, option->text, err)
			 : schedd_error_set(err, SCHEDD_EINVAL,
			       "option '%.64s' is not known, there are connect_timeout, timeout, "
			       "lease, outbox, prefix, compact, tls_ca, tls_cert, tls_key, password_file, "
			       "run_as, shared",
			       option->name);
	}
	return rc;
}

/* ---- Who we are ---- */

static void remote_random_hex(char *text, size_t digits)
{
	unsigned char bytes[20] = {0};

	if (getrandom(bytes, sizeof(bytes), 0) < 0)
		memcpy(bytes, &(int64_t){store_remote_mono()}, sizeof(int64_t));
	for (size_t i = 0; i < digits; i++)
		text[i] = "0123456789abcdef"[bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
	text[digits] = '\0';
}

/* Kept in the state directory, whose lock proves that who used it before is dead. */
static void remote_identify(struct remote_store *remote, const char *state_dir)
{
	char path[4096], kept[33] = "";
	int fd;

	remote_random_hex(remote->identity, 32);
	remote_random_hex(remote->life, 16);
	if (!state_dir ||
	    (size_t)snprintf(path, sizeof(path), "%s/identity", state_dir) >= sizeof(path))
		return;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	if (pread(fd, kept, 32, 0) == 32 && strspn(kept, "0123456789abcdef") == 32)
		memcpy(remote->identity, kept, sizeof(kept));
	else if (pwrite(fd, remote->identity, 32, 0) != 32 || fsync(fd) < 0)
		unlink(path);
	close(fd);
}

static void remote_name_holder(struct remote_store *remote)
{
	char host[100] = "";

	gethostname(host, sizeof(host) - 1);
	snprintf(remote->holder, sizeof(remote->holder), "schedd on %s with pid %ld", host,
	    (long)getpid());
}

/* ---- Whose jobs ---- */

int store_remote_know_account(struct remote_store *remote, struct schedd_error *err)
{
	struct system_user user;
	int rc;

	if (atomic_load(&remote->knows_account))
		return 0;
	rc = system_user_numbered(geteuid(), &user, err);
	if (rc && rc != SCHEDD_ENOTFOUND)
		return schedd_error_prefix(err, "store '%s'", remote->base.name);
	if (rc == 0)
		snprintf(remote->account, sizeof(remote->account), "%.63s", user.name);
	else
		snprintf(remote->account, sizeof(remote->account), "%lu",
		    (unsigned long)geteuid());
	atomic_store(&remote->knows_account, true);
	return 0;
}

const char *store_remote_judge(
    const struct remote_store *remote, const struct schedd_job *job, char *text, size_t size)
{
	const char *user = job_details(job)->user;
	bool owns = !remote->run_as && geteuid() != 0; /* no others' than the daemon's own account's */
	size_t length;

	if ((!user || owns) && !atomic_load(&remote->knows_account)) {
		snprintf(text, size,
		    "store '%s' cannot tell yet whose job it is: the system's databases have not said who uid %lu is, try again",
		    remote->base.name, (unsigned long)geteuid());
		return text;
	}
	if (!user)
		user = remote->account;
	length = strcspn(user, ":");
	if (owns && length == strlen(remote->account) &&
	    strncmp(user, remote->account, length) == 0)
		return NULL;
	for (const char **name = remote->run_as; name && *name; name++)
		if (strlen(*name) == length && strncmp(*name, user, length) == 0)
			return NULL;
	snprintf(text, size,
	    "store '%s' may not hold jobs of the account '%.*s': name it in the store's run_as",
	    remote->base.name, (int)(length < 64 ? length : 64), user);
	return text;
}

/* ---- All of it ---- */

static int remote_check_scheme(const struct remote_store *remote, struct schedd_error *err)
{
	const char *known = remote->driver->schemes, *scheme = remote->config.url.scheme;
	size_t length = strlen(scheme);

	if (length == 0)
		scheme = "none", length = 4;
	for (const char *at = known; *at; at += strspn(at, ", ")) {
		size_t word = strcspn(at, ", ");

		if (word == length && strncmp(at, scheme, word) == 0)
			return 0;
		at += word;
	}
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "url: '%.40s' is no scheme of type '%s', use one of: %s", scheme, remote->base.ops->type,
	    known);
}

/* Our name among the nodes, where the config gives none: the host's. */
static int remote_check_node(struct remote_store *remote, struct schedd_error *err)
{
	char host[256] = "";

	remote->base.shared = remote->config.shared;
	if (!remote->config.shared)
		return 0;
	remote->base.keeps_output = remote->driver->share->output != NULL;
	if (!remote->config.labels)
		remote->config.labels = "";
	if (remote->config.node)
		return 0;
	if (gethostname(host, sizeof(host) - 1) || node_name_check(host, err))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "shared: the host's name '%.64s' is no name for a node: set node.name", host);
	return remote_copy(remote, host, &remote->config.node, err);
}

int store_remote_configure(struct remote_store *remote, const struct store_config *config,
    struct schedd_error *err)
{
	struct store_remote_config *own = &remote->config;
	struct strbuf address = STRBUF_EMPTY;
	int rc;

	own->name = remote->base.name;
	own->connect_timeout = 5 * SCHEDD_SECOND;
	own->timeout = 10 * SCHEDD_SECOND;
	own->lease = 15 * SCHEDD_SECOND;
	own->identity = remote->identity;
	own->life = remote->life;
	own->holder = remote->holder;
	rc = store_url_parse(config->url, &remote->arena, &own->url, err);
	if (rc == 0)
		rc = remote_url_password(remote, err);
	if (rc == 0)
		rc = remote_check_scheme(remote, err);
	if (rc == 0)
		rc = store_url_check(&own->url, remote->driver->params, err);
	if (rc == 0)
		rc = remote_read_options(remote, config->options, err);
	own->url.password = remote->secret.text;
	if (rc == 0)
		rc = remote_check_node(remote, err);
	if (rc == 0)
		rc = remote->driver->check(own, err);
	if (rc)
		return schedd_error_prefix(err, "store '%s'", remote->base.name);
	store_url_address(&own->url, &address);
	remote->base.address = strbuf_failed(&address) ? NULL : strdup(strbuf_peek(&address));
	strbuf_clear(&address);
	remote_identify(remote, config->state_dir);
	remote_name_holder(remote);
	/* Jobs may come before the server; who is not known now is asked for again. */
	(void)!store_remote_know_account(remote, err);
	return remote->base.address ? 0 : schedd_error_nomem(err);
}
