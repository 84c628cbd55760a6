/* SPDX-License-Identifier: MIT */
/* One row a letter. What only a running systemd knows (%b, %c, %d) has none and is named. */
#include "jobfile/systemd_specifier.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

struct specifier;
typedef bool (*specifier_fn)(
    struct strbuf *out, const struct systemd_name *name, const struct specifier *row);

struct specifier {
	char letter;
	specifier_fn add;
	const char *system; /* of the machine's manager, or what the function is to look for */
	const char *user;   /* of a user's: below that variable; or in which file */
};

/* ---- Of the unit's name ---- */

struct name_parts {
	const char *prefix, *instance; /* instance NULL: none */
	size_t whole, prefix_length, instance_length;
};

static struct name_parts specifier_parts(const struct systemd_name *name)
{
	const char *dot = strrchr(name->unit, '.');
	struct name_parts parts = {.prefix = name->unit};
	const char *at;

	parts.whole = dot ? (size_t)(dot - name->unit) : strlen(name->unit);
	at = memchr(name->unit, '@', parts.whole);
	parts.prefix_length = at ? (size_t)(at - name->unit) : parts.whole;
	if (at && parts.whole > parts.prefix_length + 1) {
		parts.instance = at + 1;
		parts.instance_length = parts.whole - parts.prefix_length - 1;
	}
	return parts;
}

static int specifier_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "-" is "/", "\x2d" is "-". */
static void specifier_unescape(struct strbuf *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool escape = i + 3 < length && text[i] == '\\' && text[i + 1] == 'x' &&
			      specifier_hex(text[i + 2]) >= 0 && specifier_hex(text[i + 3]) >= 0;

		if (escape) {
			strbuf_add_char(out,
			    (char)(specifier_hex(text[i + 2]) << 4 | specifier_hex(text[i + 3])));
			i += 3;
		} else {
			strbuf_add_char(out, (char)(text[i] == '-' ? '/' : text[i]));
		}
	}
}

static bool specifier_name(
    struct strbuf *out, const struct systemd_name *name, const struct specifier *row)
{
	struct name_parts parts = specifier_parts(name);
	const char *dash =
	    parts.prefix_length ? memrchr(parts.prefix, '-', parts.prefix_length) : NULL;
	const char *last = dash ? dash + 1 : parts.prefix;
	size_t last_length = parts.prefix_length - (size_t)(last - parts.prefix);

	switch (row->letter) {
	case 'n':
		strbuf_add(out, name->unit);
		break;
	case 'N':
		strbuf_add_n(out, name->unit, parts.whole);
		break;
	case 'p':
		strbuf_add_n(out, parts.prefix, parts.prefix_length);
		break;
	case 'P':
		specifier_unescape(out, parts.prefix, parts.prefix_length);
		break;
	case 'j':
		strbuf_add_n(out, last, last_length);
		break;
	default:
		specifier_unescape(out, last, last_length);
		break;
	}
	return true;
}

static bool specifier_instance(
    struct strbuf *out, const struct systemd_name *name, const struct specifier *row)
{
	struct name_parts parts = specifier_parts(name);

	if (row->letter == 'f') {
		strbuf_add_char(out, '/');
		if (parts.instance)
			specifier_unescape(out, parts.instance, parts.instance_length);
		else
			specifier_unescape(out, parts.prefix, parts.prefix_length);
		return true;
	}
	/* Of a unit that is no instance both are empty. */
	if (!parts.instance)
		return true;
	if (row->letter == 'i')
		strbuf_add_n(out, parts.instance, parts.instance_length);
	else
		specifier_unescape(out, parts.instance, parts.instance_length);
	return true;
}

static bool specifier_path(
    struct strbuf *out, const struct systemd_name *name, const struct specifier *row)
{
	char *path = name->path ? realpath(name->path, NULL) : NULL;
	char *slash = path ? strrchr(path, '/') : NULL;

	if (row->letter == 'Y' && slash)
		slash[slash == path] = '\0';
	if (path)
		strbuf_add(out, path);
	free(path);
	return path != NULL;
}

/* ---- Of the machine ---- */

static bool specifier_machine(
    struct strbuf *out, const struct systemd_name *name, const struct specifier *row)
{
	static const char *const architectures[][2] = {
	    {"x86_64", "x86-64"}, {"aarch64", "arm64"}, {"i686", "x86"}, {"i386", "x86"}};
	struct utsname machine;
	const char *text;

	(void)name;
	if (uname(&machine) < 0)
		return false;
	text = row->letter == 'v'   ? machine.release
	       : row->letter == 'a' ? machine.machine
				    : machine.nodename;
	for (size_t i = 0; row->letter == 'a' && i < 4; i++)
		if (strcmp(architectures[i][0], text) == 0)
			text = architectures[i][1];
	strbuf_add_n(out, text, row->letter == 'l' ? strcspn(text, ".") : strlen(text));
	return true;
}

/* The first line of /etc/machine-id. */
static bool specifier_machine_id(
    struct strbuf *out, const struct systemd_name *name, const struct specifier *row)
{
	FILE *file = fopen("/etc/machine-id", "re");
	char line[64] = "";

	(void)name;
	(void)row;
	if (file && !fgets(line, sizeof(line), file))
		line[0] = '\0';
	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	strbuf_add(out, line);
	return line[0] != '\0';
}

/* A value of /etc/os-release; one that is not there is empty, as in systemd. */
static bool specifier_os(
    struct strbuf *out, const struct systemd_name *name, const struct specifier *row)
{
	FILE *file = fopen(row->user ? row->user : "/etc/os-release", "re");
	size_t length = strlen(row->system);
	char line[512];

	(void)name;
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, row->system, length) == 0 && line[length] == '=') {
			const char *value = line + length + 1;

			value += strspn(value, "\"'");
			strbuf_add_n(out, value, strcspn(value, "\"'\n"));
		}
	if (file)
		fclose(file);
	return file != NULL;
}

/* Where the machine has no pretty name its own will do. */
static bool specifier_pretty(
    struct strbuf *out, const struct systemd_name *name, const struct specifier *row)
{
	size_t before = out->length;

	return (specifier_os(out, name, row) && out->length > before) ||
	       specifier_machine(out, name, row);
}

/* ---- Of the manager ---- */

/* system is the machine's directory, user a directory below a variable, or below the home. */
static bool specifier_directory(
    struct strbuf *out, const struct systemd_name *name, const struct specifier *row)
{
	static const char *const variables[][2] = {{"t", "XDG_RUNTIME_DIR"},
	    {"S", "XDG_STATE_HOME"}, {"C", "XDG_CACHE_HOME"}, {"L", "XDG_STATE_HOME"},
	    {"E", "XDG_CONFIG_HOME"}};
	const char *home = getenv("HOME"), *base = NULL;

	if (!name->user || !row->user) {
		strbuf_add(out, row->system);
		return true;
	}
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (variables[i][0][0] == row->letter)
			base = getenv(variables[i][1]);
	if (base && *base)
		strbuf_printf(out, "%s%s", base, row->letter == 'L' ? "/log" : "");
	else if (home && row->letter != 't')
		strbuf_printf(out, "%s/%s", home, row->user);
	else
		return false;
	return true;
}

static bool specifier_account(
    struct strbuf *out, const struct systemd_name *name, const struct specifier *row)
{
	const struct passwd *entry = getpwuid(name->user ? getuid() : 0);
	const struct group *group = entry ? getgrgid(entry->pw_gid) : NULL;

	if (!entry || (row->letter == 'g' && !group))
		return false;
	switch (row->letter) {
	case 'g':
		strbuf_add(out, group->gr_name);
		break;
	case 'u':
		strbuf_add(out, entry->pw_name);
		break;
	case 'U':
		strbuf_printf(out, "%u", (unsigned)entry->pw_uid);
		break;
	case 'G':
		strbuf_printf(out, "%u", (unsigned)entry->pw_gid);
		break;
	case 'h':
		strbuf_add(out, entry->pw_dir);
		break;
	case 's':
		strbuf_add(out, entry->pw_shell);
		break;
	default:
		return false;
	}
	return true;
}

static bool specifier_percent(
    struct strbuf *out, const struct systemd_name *name, const struct specifier *row)
{
	(void)name;
	strbuf_add_char(out, row->letter);
	return true;
}

static const struct specifier specifiers[] = {
    {'%', specifier_percent, NULL, NULL},
    {'n', specifier_name, NULL, NULL},
    {'N', specifier_name, NULL, NULL},
    {'p', specifier_name, NULL, NULL},
    {'P', specifier_name, NULL, NULL},
    {'j', specifier_name, NULL, NULL},
    {'J', specifier_name, NULL, NULL},
    {'i', specifier_instance, NULL, NULL},
    {'I', specifier_instance, NULL, NULL},
    {'f', specifier_instance, NULL, NULL},
    {'y', specifier_path, NULL, NULL},
    {'Y', specifier_path, NULL, NULL},
    {'H', specifier_machine, NULL, NULL},
    {'l', specifier_machine, NULL, NULL},
    {'v', specifier_machine, NULL, NULL},
    {'a', specifier_machine, NULL, NULL},
    {'m', specifier_machine_id, NULL, NULL},
    {'o', specifier_os, "ID", NULL},
    {'w', specifier_os, "VERSION_ID", NULL},
    {'W', specifier_os, "VARIANT_ID", NULL},
    {'B', specifier_os, "BUILD_ID", NULL},
    {'A', specifier_os, "IMAGE_VERSION", NULL},
    {'M', specifier_os, "IMAGE_ID", NULL},
    {'q', specifier_pretty, "PRETTY_HOSTNAME", "/etc/machine-info"},
    {'t', specifier_directory, "/run", ""},
    {'S', specifier_directory, "/var/lib", ".local/state"},
    {'C', specifier_directory, "/var/cache", ".cache"},
    {'L', specifier_directory, "/var/log", ".local/state/log"},
    {'E', specifier_directory, "/etc", ".config"},
    {'T', specifier_directory, "/tmp", NULL},
    {'V', specifier_directory, "/var/tmp", NULL},
    {'u', specifier_account, NULL, NULL},
    {'U', specifier_account, NULL, NULL},
    {'g', specifier_account, NULL, NULL},
    {'G', specifier_account, NULL, NULL},
    {'h', specifier_account, NULL, NULL},
    {'s', specifier_account, NULL, NULL},
};

int systemd_specifier(
    struct strbuf *out, const struct systemd_name *name, char letter, struct schedd_error *err)
{
	for (size_t i = 0; letter && i < sizeof(specifiers) / sizeof(specifiers[0]); i++)
		if (specifiers[i].letter == letter && specifiers[i].add(out, name, &specifiers[i]))
			return 0;
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "the specifier '%%%.1s' is not known here", &letter);
}

int systemd_specifier_text(const char *text, const struct systemd_name *name, struct arena *arena,
    const char **out, struct schedd_error *err)
{
	struct strbuf made = STRBUF_EMPTY;
	int rc = 0;

	*out = text;
	if (!strchr(text, '%'))
		return 0;
	for (; !rc && *text; text++)
		if (*text != '%')
			strbuf_add_char(&made, *text);
		else
			rc = systemd_specifier(&made, name, *++text, err);
	if (!rc) {
		*out = arena_strdup(arena, strbuf_peek(&made));
		if (strbuf_failed(&made) || !*out)
			rc = schedd_error_nomem(err);
	}
	strbuf_clear(&made);
	return rc;
}
