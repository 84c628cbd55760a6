/* SPDX-License-Identifier: MIT */
#include "cmd/edit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text_file.h"

#define EDIT_BYTES_MAX ((size_t)4 << 20)

static int edit_failed(const struct edit_file *file, struct schedd_error *err)
{
	return schedd_error_set(
	    err, SCHEDD_EFAILED, "cannot write %s: %s", file->path, strerror(errno));
}

/* Each line behind "# ". */
static void edit_comment(FILE *out, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		fprintf(out, "# %.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

int edit_file_write(struct edit_file *file, const char *message, struct schedd_error *err)
{
	const char *folder = getenv("TMPDIR");
	FILE *out;
	int fd;

	if (!file->path[0]) {
		snprintf(file->path, sizeof(file->path), "%s/schedctl-edit-XXXXXX.yaml",
		    folder && folder[0] ? folder : "/tmp");
		fd = mkostemps(file->path, 5, O_CLOEXEC);
	} else {
		fd = open(file->path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	}
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out)
		return edit_failed(file, err);
	edit_comment(out, message);
	fwrite(strbuf_peek(&file->text), 1, file->text.length, out);
	if (fclose(out) != 0)
		return edit_failed(file, err);
	return 0;
}

/* The shell takes the editor's own options apart; the path is an argument of its own. */
static int edit_spawn(const char *path, struct schedd_error *err)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	const char *editor = getenv("VISUAL");
	struct sigaction before;
	char *line;
	int status = -1;
	pid_t pid;

	if (!editor || !editor[0])
		editor = getenv("EDITOR");
	if (!editor || !editor[0]) {
		if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "there is no terminal for an editor; set EDITOR to a command that "
			    "changes the file, or use schedctl modify");
		editor = "vi";
	}
	if (asprintf(&line, "%s \"$1\"", editor) < 0)
		return schedd_error_nomem(err);
	/* Ctrl-C is for the editor. */
	sigaction(SIGINT, &ignore, &before);
	pid = fork();
	if (pid == 0) {
		signal(SIGINT, SIG_DFL);
		execl("/bin/sh", "sh", "-c", line, "sh", path, (char *)NULL);
		_exit(127);
	}
	free(line);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	sigaction(SIGINT, &before, NULL);
	if (pid < 0 || status != 0)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "the editor '%.200s' ended without success; nothing was changed", editor);
	return 0;
}

int edit_file_run(struct edit_file *file, struct schedd_error *err)
{
	size_t length;
	char *text;
	const char *begin;
	int rc = edit_spawn(file->path, err);

	if (!rc)
		rc = text_file_read(file->path, EDIT_BYTES_MAX, &text, &length, err);
	if (rc)
		return rc;
	for (begin = text; *begin == '#' && strchr(begin, '\n');)
		begin = strchr(begin, '\n') + 1;
	strbuf_reset(&file->text);
	strbuf_add_n(&file->text, begin, length - (size_t)(begin - text));
	free(text);
	return strbuf_failed(&file->text) ? schedd_error_nomem(err) : 0;
}

void edit_file_clear(struct edit_file *file, bool keep)
{
	if (file->path[0] && !keep)
		unlink(file->path);
	strbuf_clear(&file->text);
}
