/* SPDX-License-Identifier: MIT */
/*
 * A file system for SQLite that fails on demand: the machine's own with a
 * switch before writing and syncing. Once installed it is the default one of
 * the process.
 */
#ifndef TESTS_SUPPORT_FAULTY_VFS_H
#define TESTS_SUPPORT_FAULTY_VFS_H

#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

/* What fails now: 0 or the code that writing or syncing returns. */
struct faulty {
	_Atomic int write;
	const char *_Atomic reserve; /* a disk that is full while this file takes up room; NULL: none */
	_Atomic int countdown; /* of syncs until one fails, once; 0: none does */
	_Atomic int sync;
	_Atomic int writes; /* so many that were tried */
	_Atomic int killed; /* by the so-manieth the process is killed; 0: by none */
	_Atomic int syncs;
	sqlite3_vfs *real;
};

static struct faulty faulty;

struct faulty_file {
	sqlite3_file base;
	sqlite3_file *real; /* behind this struct */
};

static inline sqlite3_file *faulty_real(sqlite3_file *file)
{
	return ((struct faulty_file *)file)->real;
}

static int faulty_close(sqlite3_file *file)
{
	return faulty_real(file)->pMethods->xClose(faulty_real(file));
}

static int faulty_read(sqlite3_file *file, void *to, int size, sqlite3_int64 at)
{
	return faulty_real(file)->pMethods->xRead(faulty_real(file), to, size, at);
}

static int faulty_write(sqlite3_file *file, const void *from, int size, sqlite3_int64 at)
{
	int code = atomic_load(&faulty.write);
	const char *reserve = atomic_load(&faulty.reserve);
	struct stat st;

	if (atomic_fetch_add(&faulty.writes, 1) + 1 == atomic_load(&faulty.killed))
		raise(SIGKILL);
	if (reserve && stat(reserve, &st) == 0 && st.st_size > 0)
		return SQLITE_FULL;
	return code ? code : faulty_real(file)->pMethods->xWrite(faulty_real(file), from, size, at);
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return faulty_real(file)->pMethods->xTruncate(faulty_real(file), size);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
	int code = atomic_load(&faulty.sync);

	atomic_fetch_add(&faulty.syncs, 1);
	if (atomic_load(&faulty.countdown) > 0 && atomic_fetch_sub(&faulty.countdown, 1) == 1)
		return SQLITE_IOERR_FSYNC;
	return code ? code : faulty_real(file)->pMethods->xSync(faulty_real(file), flags);
}

static int faulty_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return faulty_real(file)->pMethods->xFileSize(faulty_real(file), size);
}

static int faulty_lock(sqlite3_file *file, int lock)
{
	return faulty_real(file)->pMethods->xLock(faulty_real(file), lock);
}

static int faulty_unlock(sqlite3_file *file, int lock)
{
	return faulty_real(file)->pMethods->xUnlock(faulty_real(file), lock);
}

static int faulty_reserved(sqlite3_file *file, int *reserved)
{
	return faulty_real(file)->pMethods->xCheckReservedLock(faulty_real(file), reserved);
}

static int faulty_control(sqlite3_file *file, int op, void *argument)
{
	return faulty_real(file)->pMethods->xFileControl(faulty_real(file), op, argument);
}

static int faulty_sector(sqlite3_file *file)
{
	return faulty_real(file)->pMethods->xSectorSize(faulty_real(file));
}

static int faulty_device(sqlite3_file *file)
{
	return faulty_real(file)->pMethods->xDeviceCharacteristics(faulty_real(file));
}

static int faulty_shm_map(
    sqlite3_file *file, int page, int size, int extend, void volatile **memory)
{
	return faulty_real(file)->pMethods->xShmMap(faulty_real(file), page, size, extend, memory);
}

static int faulty_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	return faulty_real(file)->pMethods->xShmLock(faulty_real(file), offset, count, flags);
}

static void faulty_shm_barrier(sqlite3_file *file)
{
	faulty_real(file)->pMethods->xShmBarrier(faulty_real(file));
}

static int faulty_shm_unmap(sqlite3_file *file, int remove)
{
	return faulty_real(file)->pMethods->xShmUnmap(faulty_real(file), remove);
}

static const sqlite3_io_methods faulty_methods = {
    .iVersion = 2,
    .xClose = faulty_close,
    .xRead = faulty_read,
    .xWrite = faulty_write,
    .xTruncate = faulty_truncate,
    .xSync = faulty_sync,
    .xFileSize = faulty_size,
    .xLock = faulty_lock,
    .xUnlock = faulty_unlock,
    .xCheckReservedLock = faulty_reserved,
    .xFileControl = faulty_control,
    .xSectorSize = faulty_sector,
    .xDeviceCharacteristics = faulty_device,
    .xShmMap = faulty_shm_map,
    .xShmLock = faulty_shm_lock,
    .xShmBarrier = faulty_shm_barrier,
    .xShmUnmap = faulty_shm_unmap,
};

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	struct faulty_file *outer = (struct faulty_file *)file;
	int rc;

	(void)vfs;
	outer->real = (sqlite3_file *)(outer + 1);
	rc = faulty.real->xOpen(faulty.real, name, outer->real, flags, out);
	outer->base.pMethods = outer->real->pMethods ? &faulty_methods : NULL;
	return rc;
}

/* For the rest of the process. */
static inline void faulty_install(void)
{
	static sqlite3_vfs vfs;

	faulty.real = sqlite3_vfs_find(NULL);
	vfs = *faulty.real;
	vfs.zName = "faulty";
	vfs.szOsFile += (int)sizeof(struct faulty_file);
	vfs.xOpen = faulty_open;
	sqlite3_vfs_register(&vfs, 1);
}

#endif
