/* SPDX-License-Identifier: MIT */
/* Walks the directory of the tz database. Nothing is remembered: it is asked only for people's
 * mistakes. */
#include "trigger/zone_names.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_DEPTH_MAX 4        /* America/Argentina/Buenos_Aires has 3 parts */
#define NAMES_ENTRIES_MAX 100000 /* of all directories together; there are some 600 */

struct names_walk {
	zone_names_fn visit;          /* what is done with a name */
	void *context;                /* for visit */
	unsigned left;                /* entries that may still be read */
	char name[ZONE_NAME_MAX + 1]; /* of the entry being looked at */
};

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '-' || c == '_' || c == '.';
}

bool zone_names_valid(const char *name)
{
	size_t part = 0;
	const char *c;

	for (c = name; *c; c++) {
		if (*c != '/' && !is_name_char(*c))
			return false;
		if (*c == '/' && part == 0)
			return false;
		part = *c == '/' ? 0 : part + 1;
		if (*c == '.' && part == 1)
			return false;
	}
	return part > 0 && c - name <= ZONE_NAME_MAX;
}

/* Appends to out the entry of directory that equals the part but for case. */
static bool names_match_part(int directory, const char *part, size_t length, char *out)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool found = false;

	if (!entries) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && (entry = readdir(entries))) {
		found = strlen(entry->d_name) == length &&
			strncasecmp(entry->d_name, part, length) == 0;
		if (found)
			memcpy(out, entry->d_name, length);
	}
	closedir(entries);
	return found;
}

bool zone_names_resolve(const char *directory, const char *name, char *out)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *part = name;
	bool found = fd >= 0;

	memcpy(out, name, strlen(name) + 1);
	while (found) {
		size_t length = strcspn(part, "/");
		char *spelled = out + (part - name);
		int next;

		found = names_match_part(fd, part, length, spelled);
		if (!found || part[length] == '\0')
			break;
		spelled[length] = '\0';
		next = openat(fd, spelled, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		spelled[length] = '/';
		close(fd);
		fd = next;
		found = fd >= 0;
		part += length + 1;
	}
	if (fd >= 0)
		close(fd);
	return found;
}

/* Takes over fd. True: visit has ended the walk. */
static bool names_walk(struct names_walk *walk, int fd, size_t prefix, unsigned depth)
{
	DIR *entries = fdopendir(fd);
	struct dirent *entry;
	bool ended = false;

	if (!entries) {
		close(fd);
		return false;
	}
	while (!ended && walk->left > 0 && (entry = readdir(entries))) {
		size_t length = strlen(entry->d_name);
		int child = -1;

		walk->left--;
		if (entry->d_name[0] < 'A' || entry->d_name[0] > 'Z' ||
		    prefix + length + 1 > ZONE_NAME_MAX)
			continue;
		memcpy(walk->name + prefix, entry->d_name, length + 1);
		if (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)
			child = openat(dirfd(entries), entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0) {
			ended = walk->visit(walk->context, walk->name);
		} else if (depth + 1 < NAMES_DEPTH_MAX) {
			walk->name[prefix + length] = '/';
			ended = names_walk(walk, child, prefix + length + 1, depth + 1);
		} else {
			close(child);
		}
	}
	closedir(entries);
	return ended;
}

void zone_names_walk(const char *directory, zone_names_fn visit, void *context)
{
	struct names_walk walk = {.visit = visit, .context = context, .left = NAMES_ENTRIES_MAX};
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		names_walk(&walk, fd, 0, 0);
}

static bool names_offer(void *context, const char *name)
{
	struct suggest *suggest = context;
	const char *slash = strrchr(name, '/');

	suggest_offer(suggest, name);
	if (slash && !strchr(suggest->word, '/'))
		suggest_offer_as(suggest, slash + 1, name);
	return false;
}

void zone_names_suggest(const char *directory, struct suggest *suggest)
{
	zone_names_walk(directory, names_offer, suggest);
}
