/* SPDX-License-Identifier: MIT */
/* History and output within their limits, with real processes on the machine's clock. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>
#include "core/runs/output_tidy.h"
#include "core/scheduler.h"

static char directory[64];

static void directory_make(void)
{
	/* Not on a disk, where so many files may take minutes. */
	snprintf(directory, sizeof(directory), "%s/schedd-keep-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	cr_assert_not_null(mkdtemp(directory));
}

static void directory_remove(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(retention, .init = directory_make, .fini = directory_remove, .timeout = 60);

struct counted {
	int ended;
};

static void count_end(const struct schedd_event *event, void *context)
{
	(void)event;
	((struct counted *)context)->ended++;
}

static int files_in(const char *name)
{
	char path[256];
	struct dirent *entry;
	DIR *files;
	int count = 0;

	snprintf(path, sizeof(path), "%s/output/%s", directory, name);
	files = opendir(path);
	while (files && (entry = readdir(files)))
		count += entry->d_name[0] != '.';
	if (files)
		closedir(files);
	return count;
}

/* Turns the loop until the condition holds; the test's own time limit ends it otherwise. */
#define UNTIL(scheduler, condition)                                                                \
	while (!(condition)) {                                                                     \
		struct timespec pause = {0, 2000000};                                              \
		schedd_scheduler_process(scheduler);                                               \
		nanosleep(&pause, NULL);                                                           \
	}

static struct schedd_scheduler *scheduler_with(struct counted *counted, const char *json)
{
	struct schedd_scheduler_options options = {.state_dir = directory, .timezone = "UTC"};
	struct schedd_scheduler *scheduler;
	struct schedd_error err = {0};
	struct schedd_job *job = schedd_job_new();

	cr_assert_eq(schedd_scheduler_new(&options, &scheduler, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_scheduler_start(scheduler, &err), 0, "%s", err.message);
	schedd_scheduler_listen(
	    scheduler, SCHEDD_EVENT_JOB_EXECUTED | SCHEDD_EVENT_JOB_ERROR, count_end, counted);
	cr_assert_eq(schedd_job_set(job, "id", "a", &err), 0);
	cr_assert_eq(schedd_job_set(job, "trigger", "{\"type\":\"manual\"}", &err), 0);
	cr_assert_eq(schedd_job_set(job, "shell", json, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_scheduler_add(scheduler, job, &err), 0, "%s", err.message);
	schedd_job_unref(job);
	return scheduler;
}

Test(retention, deletes_output_with_the_history_it_belongs_to)
{
	struct counted counted = {0};
	struct schedd_scheduler *scheduler = scheduler_with(&counted, "echo out");
	struct scheduler_settings settings;

	for (int i = 1; i <= 6; i++) {
		cr_assert_eq(schedd_scheduler_run_job(scheduler, "a", NULL, NULL), 0);
		UNTIL(scheduler, counted.ended == i);
	}
	cr_expect_eq(files_in("a"), 6);
	scheduler_settings_init(&settings);
	settings.retention.keep_runs = 2;
	scheduler_set_settings(scheduler, &settings);
	UNTIL(scheduler, files_in("a") == 2);
	schedd_scheduler_stop(scheduler, 0);
	schedd_scheduler_free(scheduler);
}

Test(retention, tells_people_how_runs_end)
{
	struct counted counted = {0};
	struct schedd_scheduler *scheduler = scheduler_with(&counted, "exit 3");
	char changes[1024], told[128];
	struct schedd_error err = {0};

	snprintf(told, sizeof(told), "%s/told", directory);
	snprintf(changes, sizeof(changes),
	    "{\"notify\":[\"failure=cat > %s; echo $SCHEDD_NOTIFY $SCHEDD_STATE "
	    "$SCHEDD_EXIT_CODE $SCHEDD_ABOUT_JOB >> %s; mv %s %s.done\"]}",
	    told, told, told, told);
	cr_assert_eq(schedd_scheduler_modify(scheduler, "a", changes, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_scheduler_run_job(scheduler, "a", NULL, &err), 0, "%s", err.message);
	strcat(told, ".done");
	UNTIL(scheduler, access(told, R_OK) == 0);
	{
		char text[4096] = "";
		FILE *file = fopen(told, "r");

		cr_assert_not_null(file);
		cr_expect_gt(fread(text, 1, sizeof(text) - 1, file), 0);
		fclose(file);
		cr_expect_not_null(strstr(text, "\"exit_code\":3"), "%s", text);
		cr_expect_not_null(strstr(text, "failure failed 3 a"), "%s", text);
	}
	schedd_scheduler_stop(scheduler, 0);
	schedd_scheduler_free(scheduler);
}

/* So many that deleting them on the scheduler's own thread would show in its time. */
#define MANY 10000

static int64_t thread_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void output_make(const char *name, int count)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/output", directory);
	(void)mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/output/%s", directory, name);
	cr_assert_eq(mkdir(path, 0700), 0);
	for (int i = 1; i <= count; i++) {
		FILE *file;

		snprintf(path, sizeof(path), "%s/output/%s/%d", directory, name, i);
		file = fopen(path, "w");
		cr_assert_not_null(file);
		fputc('x', file);
		fclose(file);
	}
}

/* As UNTIL, without taking much of the time that is measured. */
#define RARELY_UNTIL(scheduler, condition)                                                         \
	while (!(condition)) {                                                                     \
		struct timespec pause = {0, 50000000};                                             \
		schedd_scheduler_process(scheduler);                                               \
		nanosleep(&pause, NULL);                                                           \
	}

/* Is anything left of what was on its way out? */
static bool output_gone(void)
{
	char path[256];
	struct dirent *entry;
	DIR *files;
	bool gone = true;

	snprintf(path, sizeof(path), "%s/output", directory);
	files = opendir(path);
	while (files && (entry = readdir(files)))
		gone = gone && strncmp(entry->d_name, ".gone", 5) != 0;
	if (files)
		closedir(files);
	return gone;
}

Test(retention, deletes_many_files_beside_the_scheduler)
{
	struct counted counted = {0};
	struct schedd_scheduler *scheduler = scheduler_with(&counted, "echo out");
	struct scheduler_settings settings;
	struct scheduler_reply nobody = {NULL, NULL};
	char path[256];
	int64_t begin;

	output_make("b", MANY);
	output_make("c", MANY);
	begin = thread_ms();
	scheduler_purge(scheduler, "c", 0, NULL, nobody);
	cr_expect_eq(files_in("c"), 0, "the name is not free at once");
	RARELY_UNTIL(scheduler, output_gone());
	scheduler_settings_init(&settings);
	settings.output_total_max = 0;
	scheduler_set_settings(scheduler, &settings);
	/* In the order of their last change the last one goes last. */
	snprintf(path, sizeof(path), "%s/output/b/%d", directory, MANY);
	RARELY_UNTIL(scheduler, access(path, F_OK) != 0);
	cr_expect_lt(thread_ms() - begin, 100, "it took %lld ms of the scheduler's time",
	    (long long)(thread_ms() - begin));
	schedd_scheduler_free(scheduler);
}

Test(retention, looks_at_the_output_once_more_after_what_is_under_way)
{
	struct counted counted = {0};
	struct schedd_scheduler *scheduler = scheduler_with(&counted, "echo out");
	struct scheduler_reply nobody = {NULL, NULL};

	output_make("b", 10);
	output_make("c", 1000);
	scheduler_purge(scheduler, "c", 0, NULL, nobody);
	UNTIL(scheduler, scheduler->runs.tidying > 0);
	scheduler->settings.output_total_max = 0;
	output_tidy_begin(scheduler);
	UNTIL(scheduler, scheduler->runs.tidying == 0);
	cr_expect_eq(files_in("b"), 0);
	schedd_scheduler_free(scheduler);
}

Test(retention, keeps_the_output_of_a_run_that_goes_on)
{
	struct counted counted = {0};
	struct schedd_scheduler *scheduler;
	struct scheduler_reply nobody = {NULL, NULL};
	char shell[256], go[128], path[256];

	snprintf(go, sizeof(go), "%s/go", directory);
	snprintf(shell, sizeof(shell), "echo out; [ ! -e %s ] || exec sleep 100", go);
	scheduler = scheduler_with(&counted, shell);
	for (int purge = 0; purge < 2; purge++) {
		int number = 2 * purge + 1;

		cr_assert_eq(schedd_scheduler_run_job(scheduler, "a", NULL, NULL), 0);
		UNTIL(scheduler, counted.ended == number);
		fclose(fopen(go, "w"));
		cr_assert_eq(schedd_scheduler_run_job(scheduler, "a", NULL, NULL), 0);
		snprintf(path, sizeof(path), "%s/output/a/%d", directory, number + 1);
		UNTIL(scheduler, access(path, F_OK) == 0);
		scheduler_purge(scheduler, purge ? NULL : "a", 0, NULL, nobody);
		UNTIL(scheduler, output_gone());
		cr_expect_eq(files_in("a"), 1);
		cr_expect_eq(access(path, F_OK), 0);
		unlink(go);
		scheduler_kill(scheduler, "a", 0, SIGKILL, NULL, nobody);
		UNTIL(scheduler, counted.ended == number + 1);
	}
	schedd_scheduler_stop(scheduler, 0);
	schedd_scheduler_free(scheduler);
}
