/* SPDX-License-Identifier: MIT */
/*
 * Known by their numbers are those that the kernel itself shares with others.
 * What FUSE shows may be anything, a disk of this machine as well: there the
 * name of its program tells, and one that is not known counts as local, as does
 * what a virtual machine has from its host (9p, virtiofs), which is often all
 * that it has.
 */
#include "base/file_system.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include "base/file.h"

/* All of FUSE. */
#define FILE_SYSTEM_FUSE 0x65735546
/* /proc/self/mountinfo is never larger where people work. */
#define FILE_SYSTEM_MOUNTS_MAX (16 << 20)

static const struct {
	unsigned long number;
	const char *name;
} file_system_numbers[] = {
    {0x6969, "NFS"},
    {0x517b, "SMB"},
    {0xff534d42, "CIFS"},
    {0xfe534d42, "SMB"},
    {0x5346414f, "AFS"},
    {0x6b414653, "AFS"},
    {0x73757245, "Coda"},
    {0x564c, "NCP"},
    {0x00c36400, "Ceph"},
    {0x0bd00bd0, "Lustre"},
    {0x47504653, "GPFS"},
    {0x19830326, "BeeGFS"},
    {0x20030528, "OrangeFS"},
    {0x01161970, "GFS2"},
    {0x7461636f, "OCFS2"},
    {0xaad7aaea, "PanFS"},
};

/* Behind "fuse." in the list of mounts. */
static const char *const file_system_programs[] = {"sshfs", "glusterfs", "ceph", "ceph-fuse", "s3fs", "rclone",
    "gcsfuse", "juicefs", "JuiceFS", "davfs", "davfs2", "goofys", "mountpoint-s3", "curlftpfs", "smbnetfs",
    "gvfsd-fuse", "moosefs", "mfs", "lizardfs", "seaweedfs", "weed", "blobfuse", "blobfuse2", "cvmfs", "nfs", NULL};

const char *file_system_number(long number)
{
	for (size_t i = 0; i < sizeof(file_system_numbers) / sizeof(file_system_numbers[0]); i++)
		if (file_system_numbers[i].number == ((unsigned long)number & 0xffffffffUL))
			return file_system_numbers[i].name;
	return NULL;
}

static bool file_system_program(const char *type, size_t length, char name[FILE_SYSTEM_NAME])
{
	static const char begin[] = "fuse.";

	if (length <= strlen(begin) || strncmp(type, begin, strlen(begin)) != 0)
		return false;
	for (const char *const *program = file_system_programs; *program; program++) {
		if (strlen(*program) != length - strlen(begin) ||
		    strncmp(type + strlen(begin), *program, length - strlen(begin)) != 0)
			continue;
		snprintf(name, FILE_SYSTEM_NAME, "%s", *program);
		return true;
	}
	return false;
}

/* A line: ID PARENT MAJOR:MINOR ROOT PLACE OPTIONS… - TYPE SOURCE OPTIONS. */
bool file_system_fuse(const char *mounts, unsigned major, unsigned minor, char name[FILE_SYSTEM_NAME])
{
	for (const char *line = mounts; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *dash = strstr(line, " - "), *end = strchr(line, '\n');
		unsigned own_major, own_minor;

		if (sscanf(line, "%*d %*d %u:%u", &own_major, &own_minor) != 2 || own_major != major ||
		    own_minor != minor || !dash || (end && dash > end))
			continue;
		dash += strlen(" - ");
		return file_system_program(dash, strcspn(dash, " \n"), name);
	}
	return false;
}

static bool file_system_look(const char *path, char name[FILE_SYSTEM_NAME])
{
	struct schedd_error err;
	struct statfs system;
	struct stat st;
	const char *known;
	char *mounts;
	size_t length;
	bool remote;

	if (statfs(path, &system) != 0)
		return false;
	known = file_system_number((long)system.f_type);
	if (known)
		snprintf(name, FILE_SYSTEM_NAME, "%s", known);
	if (known || ((unsigned long)system.f_type & 0xffffffffUL) != FILE_SYSTEM_FUSE)
		return known != NULL;
	if (stat(path, &st) != 0 ||
	    file_read("/proc/self/mountinfo", FILE_SYSTEM_MOUNTS_MAX, &mounts, &length, &err) != 0)
		return false;
	remote = file_system_fuse(mounts, major(st.st_dev), minor(st.st_dev), name);
	free(mounts);
	return remote;
}

bool file_system_is_remote(const char *path, char name[FILE_SYSTEM_NAME])
{
	struct stat st;
	char *copy;
	bool remote;

	if (stat(path, &st) == 0)
		return file_system_look(path, name);
	copy = strdup(path);
	remote = copy && file_system_look(dirname(copy), name);
	free(copy);
	return remote;
}
