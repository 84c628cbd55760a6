/* SPDX-License-Identifier: MIT */
/*
 * What tests say to a ZooKeeper: zoo_tool HOSTS get|del|purge|ls PATH, put PATH TEXT,
 * acl read|all PATH (of all below, too), ready.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

static void quiet(const char *message)
{
	(void)message;
}

static int below(zhandle_t *zh, const char *path, int (*call)(zhandle_t *, const char *))
{
	struct String_vector names = {0, NULL};
	char child[4096];
	int rc = zoo_get_children(zh, path, 0, &names);

	for (int i = 0; rc == ZOK && i < names.count; i++) {
		snprintf(child, sizeof(child), "%s/%s", path, names.data[i]);
		below(zh, child, call);
	}
	deallocate_String_vector(&names);
	return call(zh, path);
}

static int purge(zhandle_t *zh, const char *path)
{
	return zoo_delete(zh, path, -1);
}

static int readable(zhandle_t *zh, const char *path)
{
	static char scheme[] = "world", anyone[] = "anyone";
	struct ACL one = {ZOO_PERM_READ | ZOO_PERM_ADMIN, {scheme, anyone}};
	struct ACL_vector acl = {1, &one};

	return zoo_set_acl(zh, path, -1, &acl);
}

static int writable(zhandle_t *zh, const char *path)
{
	return zoo_set_acl(zh, path, -1, &ZOO_OPEN_ACL_UNSAFE);
}

static int get(zhandle_t *zh, const char *path)
{
	static char text[1 << 20];
	int length = sizeof(text) - 1, rc = zoo_get(zh, path, 0, text, &length, NULL);

	if (rc == ZOK)
		printf("%.*s\n", length > 0 ? length : 0, text);
	return rc;
}

static int list(zhandle_t *zh, const char *path)
{
	struct String_vector names = {0, NULL};
	int rc = zoo_get_children(zh, path, 0, &names);

	for (int i = 0; rc == ZOK && i < names.count; i++)
		printf("%s\n", names.data[i]);
	deallocate_String_vector(&names);
	return rc;
}

/* One line each: the path, how often it was changed, and its text. */
static int dump(zhandle_t *zh, const char *path)
{
	char text[65536];
	int length = (int)sizeof(text) - 1;
	struct Stat stat;
	int rc = zoo_get(zh, path, 0, text, &length, &stat);

	if (rc == ZOK)
		printf("%s %d %.*s\n", path, stat.version, length > 0 ? length : 0, text);
	return rc;
}

static int put(zhandle_t *zh, const char *path, const char *text)
{
	int rc = zoo_set(zh, path, text, (int)strlen(text), -1);

	return rc == ZNONODE ? zoo_create(zh, path, text, (int)strlen(text), &ZOO_OPEN_ACL_UNSAFE, 0,
				   NULL, 0)
			     : rc;
}

static int act(zhandle_t *zh, int argc, char **argv)
{
	const char *what = argv[2];

	if (argc == 4 && strcmp(what, "get") == 0)
		return get(zh, argv[3]);
	if (argc == 4 && strcmp(what, "ls") == 0)
		return list(zh, argv[3]);
	if (argc == 4 && strcmp(what, "dump") == 0)
		return below(zh, argv[3], dump);
	if (argc == 4 && strcmp(what, "del") == 0)
		return purge(zh, argv[3]);
	if (argc == 4 && strcmp(what, "purge") == 0)
		return below(zh, argv[3], purge), ZOK; /* it may not be there */
	if (argc == 5 && strcmp(what, "put") == 0)
		return put(zh, argv[3], argv[4]);
	if (argc == 5 && strcmp(what, "acl") == 0)
		return below(zh, argv[4], strcmp(argv[3], "read") == 0 ? readable : writable);
	return argc == 3 && strcmp(what, "ready") == 0 ? ZOK : ZBADARGUMENTS;
}

int main(int argc, char **argv)
{
	zhandle_t *zh;
	int rc = ZBADARGUMENTS;

	if (argc < 3)
		return 2;
	zh = zookeeper_init2(argv[1], NULL, 10000, NULL, NULL, 0, quiet);
	for (int i = 0; zh && i < 200 && zoo_state(zh) != ZOO_CONNECTED_STATE; i++)
		usleep(50000);
	if (zh && zoo_state(zh) == ZOO_CONNECTED_STATE)
		rc = act(zh, argc, argv);
	if (rc != ZOK)
		fprintf(stderr, "zoo_tool: %s: %s\n", argv[2], zerror(rc));
	if (zh)
		zookeeper_close(zh);
	return rc != ZOK;
}
