/* SPDX-License-Identifier: MIT */
#include "server/paths.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void find(struct paths *paths, const struct options *options,
    const struct paths_source *source, const char *socket, const char *state)
{
	struct schedd_error err;

	cr_assert(paths_find_config(paths, options, source, &err) == 0);
	cr_assert(paths_find(paths, options, source, socket, state, &err) == 0);
}

Test(paths, are_the_system_s_for_root)
{
	struct paths_source source = {.uid = 0, .runtime_dir = "/run/user/0", .home = "/root"};
	struct options options = {0};
	struct paths paths;

	find(&paths, &options, &source, NULL, NULL);
	cr_expect_str_eq(paths.socket, "/run/schedd/schedd.sock");
	cr_expect_str_eq(paths.state_dir, "/var/lib/schedd");
	cr_expect_str_eq(paths.config, "/etc/schedd/schedd.yaml");
	cr_expect_str_eq(paths.conf_dir, "/etc/schedd/conf.d");
	cr_expect_not(paths.socket_explicit);
	cr_expect_not(paths.config_explicit);
	paths_clear(&paths);
}

Test(paths, follow_xdg_for_users)
{
	struct paths_source source = {
	    .uid = 1000, .runtime_dir = "/run/user/1000", .home = "/home/u", .config_home = "/c"};
	struct options options = {0};
	struct paths paths;

	find(&paths, &options, &source, NULL, NULL);
	cr_expect_str_eq(paths.socket, "/run/user/1000/schedd/schedd.sock");
	cr_expect_str_eq(paths.state_dir, "/home/u/.local/state/schedd");
	cr_expect_str_eq(paths.config, "/c/schedd/schedd.yaml");
	paths_clear(&paths);
}

Test(paths, fall_back_to_a_directory_of_the_user_s_own)
{
	struct paths_source source = {.uid = 1000, .home = "/home/u"};
	struct options options = {0};
	struct paths paths;

	find(&paths, &options, &source, NULL, NULL);
	cr_expect_str_eq(paths.socket, "/tmp/schedd-1000/schedd.sock");
	paths_clear(&paths);
	source.temp_dir = "/var/tmp";
	find(&paths, &options, &source, NULL, NULL);
	cr_expect_str_eq(paths.socket, "/var/tmp/schedd-1000/schedd.sock");
	paths_clear(&paths);
}

Test(paths, prefer_flags_to_environment_to_config)
{
	struct paths_source source = {.uid = 1000, .home = "/home/u", .socket = "/env/s"};
	struct options options = {.socket = "/flag/s"};
	struct paths paths;

	find(&paths, &options, &source, "/conf/s", "/conf/d");
	cr_expect_str_eq(paths.socket, "/flag/s");
	cr_expect_str_eq(paths.socket_origin, "option");
	cr_expect_str_eq(paths.state_dir, "/conf/d");
	cr_expect_str_eq(paths.state_dir_origin, "config");
	paths_clear(&paths);
	options.socket = NULL;
	find(&paths, &options, &source, "/conf/s", NULL);
	cr_expect_str_eq(paths.socket, "/env/s");
	cr_expect_str_eq(paths.socket_origin, "environment");
	cr_expect(paths.socket_explicit);
	paths_clear(&paths);
}

Test(paths, become_absolute)
{
	struct paths_source source = {.uid = 1000, .home = "/home/u"};
	struct options options = {.socket = "s.sock", .config = "c.yaml"};
	char *here = getcwd(NULL, 0), wanted[4096];
	struct paths paths;

	find(&paths, &options, &source, NULL, NULL);
	snprintf(wanted, sizeof(wanted), "%s/s.sock", here);
	cr_expect_str_eq(paths.socket, wanted);
	cr_expect(paths.config_explicit);
	paths_clear(&paths);
	free(here);
}

Test(paths, say_when_there_is_no_home)
{
	struct paths_source source = {.uid = 1000};
	struct options options = {0};
	struct schedd_error err;
	struct paths paths;

	cr_assert(paths_find_config(&paths, &options, &source, &err) == SCHEDD_EFAILED);
	cr_expect(strstr(err.message, "use --config"));
	paths_clear(&paths);
}

Test(paths, trust_only_a_private_directory)
{
	char directory[] = "/tmp/paths-XXXXXX", below[64];
	struct schedd_error err;
	struct stat st;

	cr_assert(mkdtemp(directory));
	snprintf(below, sizeof(below), "%s/a/b", directory);
	cr_assert(paths_make_private(below, geteuid(), &err) == 0, "%s", err.message);
	cr_assert(stat(below, &st) == 0);
	cr_expect_eq(st.st_mode & 0777, 0700);
	cr_assert(chmod(below, 0777) == 0);
	cr_expect_eq(paths_make_private(below, geteuid(), &err), SCHEDD_EPERM);
	cr_assert(chmod(below, 0700) == 0);
	cr_expect_eq(paths_make_private(below, geteuid() + 1, &err), SCHEDD_EPERM);
	cr_expect(strstr(err.message, "belongs to uid"));
	rmdir(below);
	close(open(below, O_CREAT | O_WRONLY, 0600));
	cr_expect_eq(paths_make_private(below, geteuid(), &err), SCHEDD_EFAILED);
	unlink(below);
	cr_assert(symlink("/tmp", below) == 0);
	cr_expect_eq(paths_make_private(below, geteuid(), &err), SCHEDD_EFAILED);
	cr_expect(strstr(err.message, "a link"));
	unlink(below);
	*strrchr(below, '/') = '\0';
	rmdir(below);
	rmdir(directory);
}
