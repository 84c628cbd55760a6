/* SPDX-License-Identifier: MIT */
/*
 * Preloaded: whoever asks the system's databases for the account of the number
 * NSS_UID gets no answer as long as the file NSS_HANGS is there.
 */
#include <dlfcn.h>
#include <pwd.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size, struct passwd **found)
{
	int (*real)(uid_t, struct passwd *, char *, size_t, struct passwd **) =
	    (int (*)(uid_t, struct passwd *, char *, size_t, struct passwd **))dlsym(RTLD_NEXT, "getpwuid_r");
	const char *number = getenv("NSS_UID"), *hangs = getenv("NSS_HANGS");
	static const struct timespec moment = {.tv_nsec = 10000000};

	while (number && hangs && uid == (uid_t)strtoul(number, NULL, 10) && access(hangs, F_OK) == 0)
		nanosleep(&moment, NULL);
	return real(uid, entry, buffer, size, found);
}
