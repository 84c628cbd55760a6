/* SPDX-License-Identifier: MIT */
/* What an error of the server or the library means for the connection and for what was sent. */
#include <errmsg.h>
#include <mysqld_error.h>
#include "store/modules/store_mysql.h"

int store_mysql_gone(struct store_link *link, const char *why, struct schedd_error *err)
{
	const struct my_link *my = my_of(link);

	return store_link_fail(link, my->sent ? STORE_FAULT_UNKNOWN : STORE_FAULT_GONE, err, "%s%s",
	    why, my->sent ? "; whether the last change was stored is not known yet" : "");
}

#define WORDS_GREETING "what answers there is neither MariaDB nor MySQL"
#define WORDS_FORMAT                                                                               \
	"the server's binlog_format is STATEMENT, which cannot log READ COMMITTED: set it to "    \
	"MIXED or ROW"

/* Those that only MySQL or a later MariaDB has are numbers. */
static const struct fault_row {
	unsigned number;
	enum store_fault fault;
	const char *words; /* instead of the message; NULL: that */
} fault_rows[] = {
    /* The library's own. */
    {CR_SERVER_GONE_ERROR, STORE_FAULT_GONE, NULL},
    {CR_SERVER_LOST, STORE_FAULT_GONE, NULL},
    {CR_SERVER_LOST_EXTENDED, STORE_FAULT_GONE, NULL},
    {CR_VERSION_ERROR, STORE_FAULT_REFUSED, WORDS_GREETING},
    {CR_SERVER_HANDSHAKE_ERR, STORE_FAULT_REFUSED, WORDS_GREETING},
    {CR_MALFORMED_PACKET, STORE_FAULT_REFUSED, WORDS_GREETING},
    {CR_SSL_CONNECTION_ERROR, STORE_FAULT_REFUSED, NULL},
    {CR_AUTH_PLUGIN_CANNOT_LOAD, STORE_FAULT_REFUSED, NULL},
    {CR_AUTH_PLUGIN_ERR, STORE_FAULT_REFUSED, NULL},
    /* Not now: too many connections, shutting down, killed, out of a cluster. */
    {ER_CON_COUNT_ERROR, STORE_FAULT_GONE, NULL},
    {ER_TOO_MANY_USER_CONNECTIONS, STORE_FAULT_GONE, NULL},
    {ER_USER_LIMIT_REACHED, STORE_FAULT_GONE, NULL},
    {ER_SERVER_SHUTDOWN, STORE_FAULT_GONE, NULL},
    {ER_NORMAL_SHUTDOWN, STORE_FAULT_GONE, NULL},
    {ER_UNKNOWN_COM_ERROR, STORE_FAULT_GONE, NULL},
    {ER_NEW_ABORTING_CONNECTION, STORE_FAULT_GONE, NULL},
    {ER_CONNECTION_KILLED, STORE_FAULT_GONE, NULL},
    {ER_QUERY_INTERRUPTED, STORE_FAULT_GONE, NULL},
    {ER_STATEMENT_TIMEOUT, STORE_FAULT_GONE, NULL},
    {4031, STORE_FAULT_GONE, NULL}, /* MySQL: idle for too long */
    {ER_ERROR_DURING_COMMIT, STORE_FAULT_UNKNOWN, NULL},
    /* No writes for now: read-only, locked, full. */
    {ER_OPTION_PREVENTS_STATEMENT, STORE_FAULT_READ_ONLY, NULL},
    {ER_READ_ONLY_MODE, STORE_FAULT_READ_ONLY, NULL},
    {ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, STORE_FAULT_READ_ONLY, NULL},
    {ER_CANT_UPDATE_WITH_READLOCK, STORE_FAULT_READ_ONLY, NULL},
    {ER_OPEN_AS_READONLY, STORE_FAULT_READ_ONLY, NULL},
    {ER_DISK_FULL, STORE_FAULT_READ_ONLY, NULL},
    {ER_RECORD_FILE_FULL, STORE_FAULT_READ_ONLY, NULL},
    {ER_ERROR_ON_WRITE, STORE_FAULT_READ_ONLY, NULL},
    {ER_GET_ERRNO, STORE_FAULT_READ_ONLY, NULL},
    {ER_OUTOFMEMORY, STORE_FAULT_READ_ONLY, NULL},
    {ER_OUT_OF_RESOURCES, STORE_FAULT_READ_ONLY, NULL},
    /* It will not get better by itself. */
    {ER_ACCESS_DENIED_ERROR, STORE_FAULT_REFUSED, NULL},
    {ER_ACCESS_DENIED_NO_PASSWORD_ERROR, STORE_FAULT_REFUSED, NULL},
    {ER_DBACCESS_DENIED_ERROR, STORE_FAULT_REFUSED, NULL},
    {ER_TABLEACCESS_DENIED_ERROR, STORE_FAULT_REFUSED, NULL},
    {ER_COLUMNACCESS_DENIED_ERROR, STORE_FAULT_REFUSED, NULL},
    {ER_SPECIFIC_ACCESS_DENIED_ERROR, STORE_FAULT_REFUSED, NULL},
    {ER_KILL_DENIED_ERROR, STORE_FAULT_REFUSED, NULL},
    {ER_HOST_NOT_PRIVILEGED, STORE_FAULT_REFUSED, NULL},
    {ER_HOST_IS_BLOCKED, STORE_FAULT_REFUSED, NULL},
    {ER_NOT_SUPPORTED_AUTH_MODE, STORE_FAULT_REFUSED, NULL},
    {ER_MUST_CHANGE_PASSWORD, STORE_FAULT_REFUSED, NULL},
    {ER_MUST_CHANGE_PASSWORD_LOGIN, STORE_FAULT_REFUSED, NULL},
    {ER_ACCOUNT_HAS_BEEN_LOCKED, STORE_FAULT_REFUSED, NULL},
    {3118, STORE_FAULT_REFUSED, NULL}, /* MySQL: the account is locked */
    {3159, STORE_FAULT_REFUSED, NULL}, /* MySQL: TLS or nothing */
    {ER_BAD_DB_ERROR, STORE_FAULT_REFUSED, NULL},
    {ER_NO_DB_ERROR, STORE_FAULT_REFUSED, NULL},
    {ER_NO_SUCH_TABLE, STORE_FAULT_REFUSED, NULL},
    {ER_NO_SUCH_TABLE_IN_ENGINE, STORE_FAULT_REFUSED, NULL},
    {ER_BAD_FIELD_ERROR, STORE_FAULT_REFUSED, NULL},
    {ER_UNKNOWN_STORAGE_ENGINE, STORE_FAULT_REFUSED, NULL},
    {ER_BINLOG_STMT_MODE_AND_ROW_ENGINE, STORE_FAULT_REFUSED, WORDS_FORMAT},
};

static const struct fault_row *fault_find(unsigned number)
{
	for (size_t i = 0; i < sizeof(fault_rows) / sizeof(fault_rows[0]); i++)
		if (fault_rows[i].number == number)
			return &fault_rows[i];
	return NULL;
}

bool store_mysql_raised(const struct my_link *my)
{
	return mysql_errno(my->mysql) == ER_SUBQUERY_NO_1_ROW;
}

bool store_mysql_again(const struct my_link *my)
{
	unsigned number = mysql_errno(my->mysql);

	return number == ER_LOCK_DEADLOCK || number == ER_LOCK_WAIT_TIMEOUT;
}

bool store_mysql_of_library(const struct my_link *my)
{
	unsigned number = mysql_errno(my->mysql);

	return number == 0 || (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) || number >= CER_MIN_ERROR;
}

int store_mysql_failed(struct store_link *link, struct schedd_error *err)
{
	const struct my_link *my = my_of(link);
	unsigned number = mysql_errno(my->mysql);
	const struct fault_row *row = fault_find(number);
	const char *message = row && row->words ? row->words : mysql_error(my->mysql);

	if (store_mysql_of_library(my) &&
	    (my->sent || !row || row->fault == STORE_FAULT_GONE))
		return store_mysql_gone(link, message, err);
	/* What the server answers with an error it has not stored. */
	if (row)
		return store_link_fail(link, row->fault, err, "%s (error %u)", message, number);
	return schedd_error_set(err, SCHEDD_EFAILED, "store '%s': %s (error %u)",
	    link->config->name, message, number);
}
