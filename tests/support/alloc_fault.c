/* SPDX-License-Identifier: MIT */
#include "support/alloc_fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

static struct alloc_fault own;
struct alloc_fault *alloc_fault = &own;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t length);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t length);

static bool alloc_fails(void)
{
	if (__atomic_load_n(&alloc_fault->left, __ATOMIC_RELAXED) <= 0 ||
	    __atomic_sub_fetch(&alloc_fault->left, 1, __ATOMIC_ACQ_REL) != 0)
		return false;
	__atomic_add_fetch(&alloc_fault->fired, 1, __ATOMIC_ACQ_REL);
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return alloc_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return alloc_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return alloc_fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	return alloc_fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t length)
{
	return alloc_fails() ? NULL : __real_strndup(text, length);
}

void alloc_fault_arm(int64_t nth)
{
	__atomic_store_n(&alloc_fault->fired, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&alloc_fault->left, nth, __ATOMIC_RELEASE);
}

bool alloc_fault_disarm(void)
{
	__atomic_store_n(&alloc_fault->left, 0, __ATOMIC_RELEASE);
	return __atomic_load_n(&alloc_fault->fired, __ATOMIC_ACQUIRE) > 0;
}

__attribute__((constructor)) static void alloc_fault_share(void)
{
	const char *path = getenv("SCHEDD_TEST_ALLOC");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *shared;

	if (fd < 0)
		return;
	shared = mmap(NULL, sizeof(*alloc_fault), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared != MAP_FAILED)
		alloc_fault = shared;
}
