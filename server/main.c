/* SPDX-License-Identifier: MIT */
/* schedd: reads options and config, then hands over to the daemon. */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "server/config_show.h"
#include "server/daemonize.h"
#include "server/log_journal.h"
#include "server/reexec.h"
#include "server/signals.h"
#include "server/startup.h"
#include "store/store.h"

static int main_help(void (*write)(struct strbuf *out))
{
	struct strbuf out = STRBUF_EMPTY;

	write(&out);
	fputs(strbuf_peek(&out), stdout);
	strbuf_clear(&out);
	return fflush(stdout) == 0 ? 0 : 1;
}

/*
 * Blocks of that size go back to the system when they are freed. Left alone the
 * allocator would keep the second one in the heap and put what stays behind it.
 */
#define MAIN_MAPPED (256 * 1024)

/*
 * Whoever started us may have left out 0, 1 or 2. Were they free, the first
 * files we open would get these numbers, and what is written to stderr with it.
 */
static void main_reserve_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return;
}

/* Whatever the umask was, what we make can be used by ourselves. */
static void main_keep_owner_bits(void)
{
	(void)umask(umask(0077) & 0077);
}

/* The journal reads a line's priority from its beginning. */
static const char *main_priority(void)
{
	return log_journal_has(STDERR_FILENO) ? "<3>" : "";
}

int main(int argc, char **argv)
{
	struct options options;
	struct schedd_error err;
	int ready = -1, status, rc;

	main_reserve_standard();
	if (reexec_is_second())
		signals_take_up();
	main_keep_owner_bits();
	rc = options_parse(&options, argc, (const char *const *)argv, &err);

	if (rc) {
		fprintf(stderr, "%sschedd: %s\nTry 'schedd --help'.\n", main_priority(),
		    err.message);
		return -rc;
	}
	if (options.help)
		return main_help(options_help);
	if (options.help_config)
		return main_help(config_show_help);
	if (options.version) {
		printf("schedd %s\n", SCHEDD_VERSION);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	(void)mallopt(M_MMAP_THRESHOLD, MAIN_MAPPED);
	store_own_sqlite();
	signals_begin();
	rc = startup_run(&options, argv, &ready, &err);
	if (rc)
		fprintf(stderr, "%sschedd: %s\n", main_priority(), err.message);
	status = rc >= SCHEDD_ETIMEOUT ? -rc : 1;
	daemonize_ready(ready, status);
	return status;
}
