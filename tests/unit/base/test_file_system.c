/* SPDX-License-Identifier: MIT */
#include "base/file_system.h"

#include <criterion/criterion.h>
#include <string.h>

Test(file_system, knows_those_that_several_machines_have)
{
	static const long others[] = {0x6969, 0x517b, 0xff534d42, 0xfe534d42, (int)0xff534d42, 0x5346414f,
	    0x00c36400, 0x0bd00bd0, 0x01161970};
	/* ext4, xfs, btrfs, tmpfs, overlay, zfs, FUSE, 9p, f2fs, ramfs, FAT */
	static const long own[] = {0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0x65735546,
	    0x01021997, 0xf2f52010, 0x858458f6, 0x4d44, 0};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect_not_null(file_system_number(others[i]), "%lx", (unsigned long)others[i]);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		cr_expect_null(file_system_number(own[i]), "%lx", (unsigned long)own[i]);
	cr_expect_str_eq(file_system_number(0x6969), "NFS");
}

Test(file_system, knows_programs_of_fuse_by_the_list_of_mounts)
{
	static const char mounts[] =
	    "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
	    "40 27 0:51 / /mnt/with\\040blank rw,nosuid shared:3 master:1 - fuse.sshfs host:/srv rw,user_id=0\n"
	    "41 27 0:52 / /mnt/own rw - fuse.gocryptfs /enc rw\n"
	    "42 27 0:53 / /mnt/plain rw - fuse /x rw\n"
	    "43 27 0:54 / /mnt/disk rw - fuseblk /dev/sdb1 rw\n"
	    "broken line\n"
	    "44 27 0:55 / /mnt/nearly rw - fuse.sshfsx h: rw\n"
	    "45 27 0:56 / /mnt/none rw\n"
	    "46 27 0:57 / /mnt/last rw - fuse.glusterfs gl:/v rw";
	char name[FILE_SYSTEM_NAME] = "";

	cr_expect(file_system_fuse(mounts, 0, 51, name));
	cr_expect_str_eq(name, "sshfs");
	cr_expect(file_system_fuse(mounts, 0, 57, name));
	cr_expect_str_eq(name, "glusterfs");
	for (unsigned minor = 52; minor <= 56; minor++)
		cr_expect_not(file_system_fuse(mounts, 0, minor, name), "0:%u", minor);
	cr_expect_not(file_system_fuse(mounts, 254, 0, name));
	cr_expect_not(file_system_fuse(mounts, 0, 99, name));
	cr_expect_not(file_system_fuse("", 0, 51, name));
}

Test(file_system, looks_where_a_file_would_be_made)
{
	char name[FILE_SYSTEM_NAME];

	cr_expect_not(file_system_is_remote("/proc/self", name));
	cr_expect_not(file_system_is_remote("/proc/no such file", name));
	cr_expect_not(file_system_is_remote("/no such directory/nor file", name));
}
