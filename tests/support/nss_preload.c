/* SPDX-License-Identifier: MIT */
/*
 * Preloaded: whoever asks the system's databases for the account of the number
 * NSS_UID, or of the name NSS_NAME, gets no answer as long as the file NSS_HANGS is there.
 */
#include <dlfcn.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void nss_hang(bool is)
{
	static const struct timespec moment = {.tv_nsec = 10000000};
	const char *hangs = getenv("NSS_HANGS");

	while (is && hangs && access(hangs, F_OK) == 0)
		nanosleep(&moment, NULL);
}

static bool nss_is_uid(uid_t uid)
{
	const char *number = getenv("NSS_UID");

	return number && uid == (uid_t)strtoul(number, NULL, 10);
}

static bool nss_is_name(const char *asked)
{
	const char *name = getenv("NSS_NAME");

	return name && strcmp(name, asked) == 0;
}

int getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size, struct passwd **found)
{
	int (*real)(uid_t, struct passwd *, char *, size_t, struct passwd **) =
	    (int (*)(uid_t, struct passwd *, char *, size_t, struct passwd **))dlsym(RTLD_NEXT, "getpwuid_r");

	nss_hang(nss_is_uid(uid));
	return real(uid, entry, buffer, size, found);
}

int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size, struct passwd **found)
{
	int (*real)(const char *, struct passwd *, char *, size_t, struct passwd **) =
	    (int (*)(const char *, struct passwd *, char *, size_t, struct passwd **))dlsym(RTLD_NEXT, "getpwnam_r");

	nss_hang(nss_is_name(name));
	return real(name, entry, buffer, size, found);
}

struct passwd *getpwuid(uid_t uid)
{
	struct passwd *(*real)(uid_t) = (struct passwd * (*)(uid_t)) dlsym(RTLD_NEXT, "getpwuid");

	nss_hang(nss_is_uid(uid));
	return real(uid);
}

struct passwd *getpwnam(const char *name)
{
	struct passwd *(*real)(const char *) = (struct passwd * (*)(const char *)) dlsym(RTLD_NEXT, "getpwnam");

	nss_hang(nss_is_name(name));
	return real(name);
}
