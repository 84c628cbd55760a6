/* SPDX-License-Identifier: MIT */
/* The system's databases cannot say at first who schedd runs as: a store on a server asks again, and knows its jobs. */
#include "support/core_fixture.h"
#include "support/fake_store.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <pwd.h>
#include <stdatomic.h>
#include <unistd.h>

#define MANUAL "{'id':'a','trigger':{'type':'manual'},'command':['x']}"

static struct core_fixture f;
static atomic_int silent; /* so many questions more */

/* In the place of the library's. */
int getpwuid_r(uid_t uid, struct passwd *restrict entry, char *restrict buffer, size_t size,
    struct passwd **restrict result)
{
	int (*real)(uid_t, struct passwd *, char *, size_t, struct passwd **);

	if (atomic_fetch_sub(&silent, 1) > 0) {
		*result = NULL;
		return EIO;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "getpwuid_r");
	return real(uid, entry, buffer, size, result);
}

/* As the store is opened, and as it connects. */
Test(own_account, is_asked_for_until_it_is_known)
{
	static const struct store_option root[] = {{"run_as", "root"}, {NULL, NULL}};

	f.server = "core";
	f.options = geteuid() == 0 ? root : NULL;
	fake_server_reset(f.server);
	atomic_store(&silent, 2);
	core_open_file(&f, NULL);
	cr_assert_lt(atomic_load(&silent), 0);
	cr_assert_eq(core_add(&f, MANUAL), 0, "%s", f.err.message);
	cr_assert_eq(core_run(&f, "a"), 0, "%s", f.err.message);
	cr_expect_eq(core_tasks(), 1);
	core_close(&f);
}
