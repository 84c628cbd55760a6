/* SPDX-License-Identifier: MIT */
/*
 * crontab: the command that cron's users and programs know, for a machine where
 * schedd runs the tables. Options, exit codes and words are those of Debian's.
 *
 * It has no rights of its own: the daemon of the machine is asked, at its own
 * place alone, and knows from the kernel who asks.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "proto/rpc_client.h"

#define CRONTAB_SOCKET "/run/schedd/schedd.sock"
#define CRONTAB_BYTES_MAX ((size_t)8 << 20)
#define CRONTAB_TIMEOUT (60 * SCHEDD_SECOND)
#define CRONTAB_QUESTIONS 3

enum crontab_act { CRONTAB_REPLACE, CRONTAB_LIST, CRONTAB_REMOVE, CRONTAB_EDIT };

struct crontab {
	struct arena arena;
	struct rpc_client *client; /* NULL until it is needed */
	const char *program;
	const char *user;    /* whose table */
	const char *account; /* the same if it was asked for; NULL: the caller's own */
	const char *file;    /* "-": standard input */
	enum crontab_act act;
	bool ask;  /* before it is removed */
	bool test; /* only say what is wrong */
};

static int crontab_usage(const struct crontab *crontab, const char *words)
{
	fprintf(stderr,
	    "%s: usage error: %s\n"
	    "usage:\t%s [-u user] file\n"
	    "\t%s [ -u user ] [ -i ] { -e | -l | -r }\n"
	    "\t%s -T file\n"
	    "\t\t(default operation is replace, per 1003.2)\n"
	    "\t-e\t(edit user's crontab)\n"
	    "\t-l\t(list user's crontab)\n"
	    "\t-r\t(delete user's crontab)\n"
	    "\t-i\t(prompt before deleting user's crontab)\n"
	    "\t-T\t(only say what is wrong with a file; so does -n)\n",
	    crontab->program, words, crontab->program, crontab->program, crontab->program);
	return 1;
}

/* ---- The daemon ---- */

/* Only root's daemon is believed. */
static int crontab_trust(struct rpc_client *client, struct schedd_error *err)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(rpc_client_fd(client), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	    peer.uid == 0)
		return 0;
	return schedd_error_set(
	    err, SCHEDD_EPERM, "%s is not served by root: it is not believed", CRONTAB_SOCKET);
}

static int crontab_call(struct crontab *crontab, const char *method, struct value *params,
    struct value *result, struct schedd_error *err)
{
	int rc = 0;

	if (!crontab->client) {
		rc = rpc_client_connect(CRONTAB_SOCKET, CRONTAB_TIMEOUT, &crontab->client, err);
		if (!rc)
			rc = crontab_trust(crontab->client, err);
	}
	if (crontab->account)
		value_put(&crontab->arena, params, "account", value_string_ref(crontab->account));
	return rc ? rc
		  : rpc_client_call(crontab->client, method, params, &crontab->arena, result, err);
}

/* In the words that programs look for. */
static int crontab_fail(const struct crontab *crontab, const struct schedd_error *err)
{
	if (err->code == SCHEDD_ENOTFOUND && strncmp(err->message, "user ", 5) == 0)
		fprintf(stderr, "%s:  %s\n", crontab->program, err->message);
	else if (err->code == SCHEDD_EPERM && strncmp(err->message, "You (", 5) == 0)
		fprintf(stderr, "%s\nSee crontab(1) for more information\n", err->message);
	else if (err->code == SCHEDD_ENOTFOUND || err->code == SCHEDD_EPERM)
		fprintf(stderr, "%s\n", err->message);
	else
		fprintf(stderr, "%s: %s\n", crontab->program, err->message);
	return 1;
}

/* 0: it is in its place (or would be); SCHEDD_EFILE: it was said what is wrong with it. */
static int crontab_set(struct crontab *crontab, const char *name, const char *text, size_t length,
    struct schedd_error *err)
{
	struct value params = value_map(), result;
	unsigned line = 0;
	int behind = 0, rc;

	if (length > 0 && text[length - 1] != '\n') {
		fprintf(stderr, "new crontab file is missing newline before EOF, can't install.\n");
		return err->code = SCHEDD_EFILE;
	}
	value_put(&crontab->arena, &params, "text", value_string_n(&crontab->arena, text, length));
	value_put(&crontab->arena, &params, "source", value_string_ref(name));
	if (crontab->test)
		value_put(&crontab->arena, &params, "check", value_bool(true));
	rc = crontab_call(crontab, "cron.table_set", &params, &result, err);
	if (rc != SCHEDD_EFILE)
		return rc;
	if (sscanf(err->message, "line %u: %n", &line, &behind) == 1 && behind > 0)
		fprintf(stderr, "\"%s\":%u: %s\n", name, line, err->message + behind);
	else
		fprintf(stderr, "\"%s\": %s\n", name, err->message);
	fprintf(stderr, "errors in crontab file, can't install.\n");
	return rc;
}

/* ---- Listing, replacing, removing ---- */

static int crontab_list(struct crontab *crontab)
{
	struct value params = value_map(), result;
	struct schedd_error err;
	const struct value *text;

	if (crontab_call(crontab, "cron.table_get", &params, &result, &err))
		return crontab_fail(crontab, &err);
	text = value_get(&result, "text");
	if (text && text->type == VALUE_STRING)
		fwrite(text->string.text, 1, text->string.length, stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}

static int crontab_replace(struct crontab *crontab)
{
	bool standard = strcmp(crontab->file, "-") == 0;
	struct schedd_error err;
	struct stat status;
	size_t length;
	char *text;
	int rc;

	if (!standard && stat(crontab->file, &status) < 0) {
		fprintf(stderr, "%s: %s\n", crontab->file, strerror(errno));
		return 1;
	}
	if (!standard && !S_ISREG(status.st_mode)) {
		fprintf(stderr, "%s: Not a regular file.\n", crontab->file);
		return 1;
	}
	if (file_read(crontab->file, CRONTAB_BYTES_MAX, &text, &length, &err))
		return crontab_fail(crontab, &err);
	rc = crontab_set(crontab, crontab->file, text, length, &err);
	free(text);
	if (rc)
		return rc == SCHEDD_EFILE ? 1 : crontab_fail(crontab, &err);
	if (crontab->test)
		printf("The syntax of the crontab file was successfully checked.\n");
	return 0;
}

/* y or n; the end of the input, and no answer after some tries, is a no. */
static bool crontab_yes(const char *question)
{
	char answer[64];

	for (int i = 0; i < CRONTAB_QUESTIONS; i++) {
		printf("%s (y/n) ", question);
		fflush(stdout);
		if (!fgets(answer, sizeof(answer), stdin))
			return false;
		if (answer[0] == 'y' || answer[0] == 'Y')
			return true;
		if (answer[0] == 'n' || answer[0] == 'N')
			return false;
		printf("Enter Y or N\n");
	}
	return false;
}

static int crontab_remove(struct crontab *crontab)
{
	struct value params = value_map(), result;
	struct schedd_error err;
	char question[256];

	snprintf(question, sizeof(question), "%s: really delete %.64s's crontab?", crontab->program,
	    crontab->user);
	if (crontab->ask && !crontab_yes(question))
		return 0;
	if (crontab_call(crontab, "cron.table_remove", &params, &result, &err))
		return crontab_fail(crontab, &err);
	return 0;
}

/* ---- Editing ---- */

static const char crontab_template[] =
    "# Edit this file to introduce tasks to be run by cron.\n"
    "#\n"
    "# Each task is one line: minute, hour, day of month, month, day of week, command.\n"
    "# '*' in a field is any. Output is mailed to you, or to MAILTO.\n"
    "#\n"
    "# For example, a backup of your files every week at 5 in the morning:\n"
    "# 0 5 * * 1 tar -zcf /var/backups/home.tgz /home/\n"
    "#\n"
    "# A comment \"#schedd: timeout=1h retry=2\" right above a line gives it more;\n"
    "# schedctl list, logs and why tell what became of it.\n"
    "#\n"
    "# m h  dom mon dow   command\n";

struct crontab_edit {
	char folder[64]; /* 0700 */
	char path[80];
	char *text; /* as it was */
	size_t length;
};

static int crontab_edit_write(struct crontab_edit *edit)
{
	/* An old time of change: an editor that is fast has changed it all the same. */
	const struct timespec times[2] = {{0, 0}, {0, 0}};
	int fd;

	snprintf(edit->folder, sizeof(edit->folder), "/tmp/crontab.XXXXXX");
	if (!mkdtemp(edit->folder)) {
		perror("/tmp");
		edit->folder[0] = '\0';
		return 1;
	}
	snprintf(edit->path, sizeof(edit->path), "%s/crontab", edit->folder);
	fd = open(edit->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, edit->text, edit->length) != (ssize_t)edit->length ||
	    futimens(fd, times) < 0) {
		perror(edit->path);
		if (fd >= 0)
			close(fd);
		return 1;
	}
	close(fd);
	return 0;
}

static int crontab_edit_run(const struct crontab *crontab, const struct crontab_edit *edit)
{
	static const char *const names[] = {"VISUAL", "EDITOR"};
	const char *editor = NULL;
	char *line;
	int status = -1;
	pid_t pid;

	for (size_t i = 0; i < 2 && (!editor || !*editor); i++)
		editor = getenv(names[i]);
	if (!editor || !*editor)
		editor = access("/usr/bin/sensible-editor", X_OK) == 0 ? "/usr/bin/sensible-editor"
								       : "vi";
	if (asprintf(&line, "%s \"$1\"", editor) < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		if (chdir("/tmp") == 0)
			execl("/bin/sh", "sh", "-c", line, "sh", edit->path, (char *)NULL);
		_exit(127);
	}
	free(line);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	fprintf(stderr, "%s: \"%s\" exited with status %d\n", crontab->program, editor,
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 1;
}

/* What to edit: the table, or a first one. */
static int crontab_edit_begin(struct crontab *crontab, struct crontab_edit *edit)
{
	struct value params = value_map(), result;
	const struct value *text = NULL;
	struct schedd_error err;
	int rc = crontab_call(crontab, "cron.table_get", &params, &result, &err);

	if (rc == SCHEDD_ENOTFOUND && strncmp(err.message, "no crontab", 10) == 0)
		fprintf(stderr, "%s - using an empty one\n", err.message);
	else if (rc)
		return crontab_fail(crontab, &err);
	else
		text = value_get(&result, "text");
	edit->length = text ? text->string.length : sizeof(crontab_template) - 1;
	edit->text = malloc(edit->length + 1);
	if (!edit->text)
		return 1;
	memcpy(edit->text, text ? text->string.text : crontab_template, edit->length);
	edit->text[edit->length] = '\0';
	return crontab_edit_write(edit);
}

/* -1: the same text is to be edited once more; otherwise the exit status. *kept: it is left there.
 */
static int crontab_edit_turn(struct crontab *crontab, struct crontab_edit *edit, bool *kept)
{
	struct schedd_error err;
	size_t length;
	char *text;
	int rc;

	if (crontab_edit_run(crontab, edit))
		return 1;
	if (file_read(edit->path, CRONTAB_BYTES_MAX, &text, &length, &err)) {
		fprintf(stderr, "Can't open tempfile after edit\n");
		return 1;
	}
	if (length == edit->length && memcmp(text, edit->text, length) == 0) {
		free(text);
		fprintf(stderr, "No modification made\n");
		return 0;
	}
	fprintf(stderr, "%s: installing new crontab\n", crontab->program);
	rc = crontab_set(crontab, edit->path, text, length, &err);
	free(text);
	if (!rc)
		return 0;
	if (rc == SCHEDD_EFILE && crontab_yes("Do you want to retry the same edit?"))
		return -1;
	*kept = true;
	return rc == SCHEDD_EFILE ? 1 : crontab_fail(crontab, &err);
}

static int crontab_edit(struct crontab *crontab)
{
	struct crontab_edit edit = {.length = 0};
	int status = crontab_edit_begin(crontab, &edit);
	bool kept = false;

	/* Ctrl-C is for the editor. */
	signal(SIGINT, SIG_IGN);
	if (!status)
		do
			status = crontab_edit_turn(crontab, &edit, &kept);
		while (status < 0);
	if (kept)
		fprintf(stderr, "%s: edits left in %s\n", crontab->program, edit.path);
	else if (edit.folder[0]) {
		unlink(edit.path);
		rmdir(edit.folder);
	}
	free(edit.text);
	return status;
}

/* ---- The command line ---- */

/* -1: go on; otherwise the exit status. */
static int crontab_options(struct crontab *crontab, int argc, char **argv)
{
	static const char acts[] = {
	    [CRONTAB_LIST] = 'l', [CRONTAB_REMOVE] = 'r', [CRONTAB_EDIT] = 'e'};
	bool named = false;
	int letter;

	while ((letter = getopt(argc, argv, "elrinu:T:hV")) != -1) {
		const char *act = letter == 'e' || letter == 'l' || letter == 'r'
				      ? memchr(acts, letter, sizeof(acts))
				      : NULL;

		if (act && crontab->act != CRONTAB_REPLACE)
			return crontab_usage(crontab, "only one operation permitted");
		if (act)
			crontab->act = (enum crontab_act)(act - acts);
		else if (letter == 'i')
			crontab->ask = true;
		else if (letter == 'n' || letter == 'T')
			crontab->test = named = true;
		else if (letter == 'u')
			crontab->account = optarg, named = true;
		else if (letter == 'V')
			return printf("schedd-crontab " SCHEDD_VERSION "\n") < 0;
		else
			return crontab_usage(
			    crontab, letter == 'h' ? "help" : "unrecognized option");
		if (letter == 'T')
			crontab->file = optarg;
	}
	if (crontab->act != CRONTAB_REPLACE && optind < argc)
		return crontab_usage(crontab, "no arguments permitted after this option");
	if (!crontab->file && optind < argc)
		crontab->file = argv[optind];
	if (crontab->act == CRONTAB_REPLACE && !crontab->file && named)
		return crontab_usage(crontab, "file name must be specified for replace");
	if (!crontab->file)
		crontab->file = "-";
	return -1;
}

int main(int argc, char **argv)
{
	static int (*const acts[])(struct crontab * crontab) = {
	    [CRONTAB_REPLACE] = crontab_replace,
	    [CRONTAB_LIST] = crontab_list,
	    [CRONTAB_REMOVE] = crontab_remove,
	    [CRONTAB_EDIT] = crontab_edit,
	};
	struct crontab crontab = {.program = "crontab"};
	const struct passwd *entry = getpwuid(getuid());
	int status = crontab_options(&crontab, argc, argv);

	if (status >= 0)
		return status;
	arena_init(&crontab.arena);
	crontab.user = crontab.account ? crontab.account : entry ? entry->pw_name : "you";
	status = acts[crontab.act](&crontab);
	rpc_client_close(crontab.client);
	arena_clear(&crontab.arena);
	return status;
}
