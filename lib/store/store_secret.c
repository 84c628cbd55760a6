/* SPDX-License-Identifier: MIT */
#include "store/store_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_PAGE 4096

/* What the kernel does not know of these wishes is no reason to do without the rest. */
static char *secret_page(void)
{
	char *page =
	    mmap(NULL, SECRET_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	(void)madvise(page, SECRET_PAGE, MADV_DONTDUMP);
	(void)madvise(page, SECRET_PAGE, MADV_WIPEONFORK);
	(void)mlock(page, SECRET_PAGE);
	return page;
}

int store_secret_set(struct store_secret *secret, const char *text, size_t length,
    struct schedd_error *err)
{
	if (length > STORE_SECRET_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "the password is longer than %d bytes", STORE_SECRET_MAX);
	if (!secret->text)
		secret->text = secret_page();
	if (!secret->text)
		return schedd_error_nomem(err);
	explicit_bzero(secret->text, SECRET_PAGE);
	memcpy(secret->text, text, length);
	return 0;
}

/* Only its owner may read it, and that is us or root: else the secret is none. */
static int secret_check(const char *path, int fd, struct schedd_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "password_file: %.200s is no regular file", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "password_file: %.200s belongs to uid %lu, not to schedd's account", path,
		    (unsigned long)st.st_uid);
	if (st.st_mode & 077)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "password_file: %.200s can be read by others (mode %03o): chmod 600 it", path,
		    (unsigned)(st.st_mode & 0777));
	return 0;
}

int store_secret_read(struct store_secret *secret, const char *path, struct schedd_error *err)
{
	char text[STORE_SECRET_MAX + 2];
	ssize_t length;
	int fd, rc;

	if (path[0] != '/')
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "password_file: '%.200s' is no absolute path", path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return schedd_error_set(err, SCHEDD_EINVAL, "password_file: %.200s: %s", path,
		    strerror(errno));
	rc = secret_check(path, fd, err);
	length = rc ? 0 : read(fd, text, sizeof(text) - 1);
	close(fd);
	if (rc)
		return rc;
	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		length--;
	if (length <= 0 || length > STORE_SECRET_MAX || memchr(text, '\0', (size_t)length) ||
	    memchr(text, '\n', (size_t)length))
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "password_file: %.200s must hold one line of up to %d bytes", path,
		    STORE_SECRET_MAX);
	else
		rc = store_secret_set(secret, text, (size_t)length, err);
	explicit_bzero(text, sizeof(text));
	return rc;
}

void store_secret_clear(struct store_secret *secret)
{
	if (!secret->text)
		return;
	explicit_bzero(secret->text, SECRET_PAGE);
	munmap(secret->text, SECRET_PAGE);
	secret->text = NULL;
}

#if defined(__GLIBC__) && defined(__LP64__) && !defined(__SANITIZE_ADDRESS__) &&                   \
    !defined(__SANITIZE_THREAD__)
#define SECRET_ARENA_SIZE (64UL << 20) /* of glibc's, which lie at its multiples */
#define SECRET_NOT_MAIN 4              /* a bit in a chunk's size: it is not of the first arena */

void store_secret_hide_thread(void)
{
	char *chunk = malloc(64);
	uintptr_t at = (uintptr_t)chunk, begin = at & ~(SECRET_ARENA_SIZE - 1);

	if (chunk && *(const volatile size_t *)(at - sizeof(size_t)) & SECRET_NOT_MAIN)
		(void)madvise((void *)begin, SECRET_ARENA_SIZE, MADV_DONTDUMP);
	free(chunk);
}
#else
void store_secret_hide_thread(void)
{
}
#endif

void store_secret_wipe(const char *text)
{
	if (text)
		explicit_bzero((char *)(uintptr_t)text, strlen(text));
}
