/* SPDX-License-Identifier: MIT */
/* Reaching a server: what the url says, which of its hosts answers, how it must behave with us. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "store/modules/store_mysql.h"
#include "store/store_lookup.h"

/* Room for a look-up of names and for TLS, on the stack of a call in two halves. */
#define CONNECT_STACK (512 * 1024)

/* ---- The url ---- */

enum connect_tls {
	CONNECT_TLS_OFF,
	CONNECT_TLS_ENCRYPT, /* whoever it is */
	CONNECT_TLS_VERIFY,  /* the host's name, too */
};

static const struct {
	const char *name;
	enum connect_tls tls;
} connect_modes[] = {
    {"disabled", CONNECT_TLS_OFF},
    {"required", CONNECT_TLS_ENCRYPT},
    {"verify_identity", CONNECT_TLS_VERIFY},
};

#define CONNECT_MODES (sizeof(connect_modes) / sizeof(connect_modes[0]))

static int connect_mode(const struct store_remote_config *config, enum connect_tls *tls,
    struct schedd_error *err)
{
	const char *mode = store_url_param(&config->url, "ssl_mode");

	*tls = config->tls_ca || config->tls_cert ? CONNECT_TLS_VERIFY : CONNECT_TLS_OFF;
	if (!mode)
		return 0;
	for (size_t i = 0; i < CONNECT_MODES; i++)
		if (strcasecmp(connect_modes[i].name, mode) == 0) {
			*tls = connect_modes[i].tls;
			return 0;
		}
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "url: ssl_mode '%.40s' is not known, use disabled, required or verify_identity", mode);
}

/* The library passes over a file that it cannot read; and a password in it is one. */
static int connect_check_file(const char *path, struct schedd_error *err)
{
	struct stat st;
	int fd;

	if (path[0] != '/')
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "url: default_file '%.200s' is no absolute path", path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return schedd_error_set(err, SCHEDD_EINVAL, "url: default_file %.200s: %s", path,
		    strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_uid != geteuid() && st.st_uid != 0) || st.st_mode & 077) {
		close(fd);
		return schedd_error_set(err, SCHEDD_EPERM,
		    "url: default_file %.200s must be a regular file of schedd's account or root's "
		    "that nobody else can read: chmod 600 it",
		    path);
	}
	close(fd);
	return 0;
}

int store_mysql_check(const struct store_remote_config *config, struct schedd_error *err)
{
	const char *file = store_url_param(&config->url, "default_file");
	const char *socket = store_url_param(&config->url, "unix_socket");
	enum connect_tls tls;
	int rc = connect_mode(config, &tls, err);

	if (rc)
		return rc;
	if (strchr(config->url.path, '/'))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: '%.64s' is no name of a database, write a / in it as %%2F",
		    config->url.path);
	if (!config->url.path[0])
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: it names no database, write mysql://USER@HOST/DATABASE");
	if (config->prefix)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "option 'prefix' is not for type 'mysql': use a database of its own");
	if (socket && socket[0] != '/')
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: unix_socket '%.100s' is no absolute path", socket);
	if (config->tls_cert && !config->tls_key)
		return schedd_error_set(err, SCHEDD_EINVAL, "tls_cert needs tls_key as well");
	if (!file && store_url_param(&config->url, "default_group"))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "url: default_group needs default_file as well");
	return file ? connect_check_file(file, err) : 0;
}

/* ---- Options ---- */

static void connect_library(void)
{
	mysql_library_init(0, NULL, NULL);
}

/* Before mysql_real_connect(); a file with defaults is read there and may add to them. */
static void connect_options(struct store_link *link, enum connect_tls tls)
{
	const struct store_remote_config *config = link->config;
	MYSQL *mysql = my_of(link)->mysql;
	const char *file = store_url_param(&config->url, "default_file");
	const char *group = store_url_param(&config->url, "default_group");
	size_t stack = CONNECT_STACK;
	const my_bool yes = 1;

	mysql_options(mysql, MYSQL_OPT_NONBLOCK, &stack);
	mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "schedd");
	/* Not in clear text, nor whatever else a server may ask for. */
	mysql_options(mysql, MARIADB_OPT_RESTRICTED_AUTH,
	    "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password,parsec,"
	    "auth_gssapi_client");
	if (file)
		mysql_options(mysql, MYSQL_READ_DEFAULT_FILE, file);
	if (group)
		mysql_options(mysql, MYSQL_READ_DEFAULT_GROUP, group);
	if (tls == CONNECT_TLS_OFF)
		return;
	mysql_ssl_set(mysql, config->tls_key, config->tls_cert, config->tls_ca, NULL, NULL);
	mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
	if (tls == CONNECT_TLS_VERIFY)
		mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
}

/* What no file may turn on: to be asked for any file here, and to come back as somebody new. */
static void connect_forbid(MYSQL *mysql)
{
	const unsigned int no_file = 0;
	const my_bool no = 0;

	mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_file);
	mysql_options(mysql, MYSQL_OPT_RECONNECT, &no);
}

/* ---- A host ---- */

/* It took the connection, and then? */
static int connect_failed(struct store_link *link, const char *where, struct schedd_error *err)
{
	MYSQL *mysql = my_of(link)->mysql;
	const char *code = strrchr(mysql_error(mysql), '(');
	int number = code ? atoi(code + 1) : 0;

	if (number > 0 && strstr(mysql_error(mysql), "an't connect to"))
		return store_link_fail(link, STORE_FAULT_GONE, err, "%s: %s", mysql_error(mysql),
		    strerror(number));
	/* Its first packet was none. */
	if (store_link_left(link) > 0 && strstr(mysql_error(mysql), "initial communication packet"))
		return store_link_fail(link, STORE_FAULT_GONE, err,
		    "%s does not greet as MariaDB and MySQL do: it is going down, or another kind of "
		    "server",
		    where);
	if (store_link_left(link) > 0)
		return store_mysql_failed(link, err);
	if (my_of(link)->waited & MYSQL_WAIT_READ)
		return store_link_fail(link, STORE_FAULT_GONE, err,
		    "%s takes the connection and says nothing: it stands still, or is no MariaDB "
		    "or MySQL server",
		    where);
	return store_link_fail(link, STORE_FAULT_GONE, err, "%s does not answer", where);
}

static int connect_tls_check(
    struct store_link *link, enum connect_tls tls, struct schedd_error *err)
{
	if (tls == CONNECT_TLS_OFF || mysql_get_ssl_cipher(my_of(link)->mysql))
		return 0;
	return store_link_fail(link, STORE_FAULT_REFUSED, err,
	    "the connection is not encrypted, although ssl_mode or tls_ca asks for it");
}

/*
 * Connector/C looks a name up for as long as it takes: so it is looked up within
 * the deadline before. It is handed the name all the same, which TLS goes by.
 */
static int connect_look_up(struct store_link *link, const struct store_url_host *host,
    struct schedd_error *err)
{
	ptrdiff_t at = host ? host - link->config->url.hosts : MY_LOOKUPS;
	struct addrinfo *list = NULL;
	int rc;

	if (at >= MY_LOOKUPS || !host->name[0] || host->name[0] == '/')
		return 0;
	rc = store_lookup_host(link, &my_of(link)->lookups[at], host->name,
	    host->port ? host->port : 3306, &list, err);
	if (list)
		freeaddrinfo(list);
	return rc;
}

static int connect_host(struct store_link *link, const struct store_url_host *host,
    enum connect_tls tls, struct schedd_error *err)
{
	const struct store_url *url = &link->config->url;
	const char *socket = store_url_param(url, "unix_socket");
	const char *name = host && host->name[0] ? host->name : NULL;
	const unsigned int tcp = MYSQL_PROTOCOL_TCP;
	struct my_link *my = my_of(link);

	my->sent = false;
	if (!socket && connect_look_up(link, host, err))
		return SCHEDD_EFAILED;
	my->mysql = mysql_init(NULL);
	if (!my->mysql)
		return schedd_error_nomem(err);
	connect_options(link, tls);
	connect_forbid(my->mysql);
	/* With a port "localhost" is no socket. */
	if (host && host->port && !socket)
		mysql_options(my->mysql, MYSQL_OPT_PROTOCOL, &tcp);
	if (!store_mysql_talk_open(link, socket ? "localhost" : name,
		url->user && url->user[0] ? url->user : NULL, url->path,
		host && host->port ? host->port : 0, socket))
		return connect_failed(link, socket ? socket : name ? name : "localhost", err);
	connect_forbid(my->mysql);
	return connect_tls_check(link, tls, err);
}

/* One after the other, each with its share of the time. */
static int connect_any(struct store_link *link, enum connect_tls tls, struct schedd_error *err)
{
	const struct store_url *url = &link->config->url;
	int64_t deadline = link->deadline;
	uint32_t count = url->host_count ? url->host_count : 1;
	int rc = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct schedd_error why;

		store_mysql_talk_close(link);
		link->fault = STORE_FAULT_NONE;
		link->deadline = deadline;
		link->deadline -= (int64_t)store_link_left(link) * 1000 / (count - i) * (count - i - 1);
		rc = connect_host(link, url->host_count ? &url->hosts[i] : NULL, tls, &why);
		if (rc)
			*err = why;
		if (rc == 0 || link->fault != STORE_FAULT_GONE)
			break;
	}
	link->deadline = deadline;
	return rc;
}

/* ---- All of it ---- */

static int connect_version(struct store_link *link, struct schedd_error *err)
{
	struct my_link *my = my_of(link);
	unsigned long version = mysql_get_server_version(my->mysql);

	my->mariadb = mariadb_connection(my->mysql);
	if (version >= (my->mariadb ? 100600UL : 80019UL))
		return 0;
	return store_link_fail(link, STORE_FAULT_REFUSED, err,
	    "the server is %s %lu.%lu.%lu, it must be MariaDB 10.6, MySQL 8.0.19 or later",
	    my->mariadb ? "MariaDB" : "MySQL", version / 10000, version / 100 % 100, version % 100);
}

int store_mysql_connect(struct store_link *link, struct schedd_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	enum connect_tls tls;
	int rc = connect_mode(link->config, &tls, err);

	pthread_once(&once, connect_library);
	if (rc == 0)
		rc = connect_any(link, tls, err);
	if (rc == 0)
		rc = connect_version(link, err);
	if (rc == 0)
		rc = store_mysql_session(link, err);
	if (rc && link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_GONE;
	return rc;
}
