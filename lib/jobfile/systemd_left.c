/* SPDX-License-Identifier: MIT */
/* Rows of names; one that ends in '*' stands for all that begin like it. */
#include "jobfile/systemd_left.h"

#include <stddef.h>
#include <string.h>

static const char *const left_changing[] = {
    /* whether it runs */
    "Condition*", "Assert*", "ExecCondition",
    /* what runs besides */
    "ExecStop", "ExecStopPost",
    /* with what */
    "EnvironmentFile", "PassEnvironment", "UnsetEnvironment", "LoadCredential*", "SetCredential*",
    "ImportCredential", "StandardInput*", "PAMName",
    /* where, and as whom */
    "Root*", "ExtensionImages", "ExtensionDirectories", "MountImages", "BindPaths",
    "BindReadOnlyPaths", "TemporaryFileSystem", "DynamicUser", "SupplementaryGroups",
    "RuntimeDirectory", "StateDirectory", "CacheDirectory", "LogsDirectory",
    "ConfigurationDirectory", "NetworkNamespacePath", "AmbientCapabilities"};

static bool left_matches(const char *row, const char *key)
{
	const char *star = strchr(row, '*');

	return star ? strncmp(row, key, (size_t)(star - row)) == 0 : strcmp(row, key) == 0;
}

bool systemd_left_changes(const char *key)
{
	for (size_t i = 0; i < sizeof(left_changing) / sizeof(left_changing[0]); i++)
		if (left_matches(left_changing[i], key))
			return true;
	return false;
}

bool systemd_left_is_group(const char *a, const char *b)
{
	static const char *const groups[] = {"Condition*", "Assert*"};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (left_matches(groups[i], a) && left_matches(groups[i], b))
			return true;
	return false;
}

bool systemd_left_is_remark(const char *section, const char *key)
{
	return strncmp(section, "X-", 2) == 0 || strncmp(key, "X-", 2) == 0;
}
