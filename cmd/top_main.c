/* SPDX-License-Identifier: MIT */
/*
 * schedctl-top: a screen of jobs in the order of what matters now: running,
 * queued, failed, then by their next run. Asks once a second, and at once
 * after a key that changed something.
 */
#include <locale.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/out.h"
#include "cmd/say.h"

#define TOP_JOBS_MAX 10000
#define TOP_HEAD 2 /* lines above the jobs */

struct top {
	struct command *command;
	struct arena arena; /* of jobs; cleared with each look */
	struct value jobs;  /* list, in the order shown */
	int chosen, first;  /* rows: chosen, and the first on the screen */
	char id[256];       /* of the chosen job, which moves */
	const char *node;   /* whose jobs alone; NULL: all */
	struct value wrong; /* text: nodes that are not live, a store that fails */
	char note[512];     /* last line */
};

/* ---- Asking ---- */

/* What goes on comes first, then what failed, then what comes next. */
static int top_rank(const struct value *job)
{
	static const char *const states[] = {"running", "queued"};
	const char *state = value_get_string(job, "state"),
		   *last = value_get_string(job, "last_state");

	for (int i = 0; i < 2; i++)
		if (state && strcmp(state, states[i]) == 0)
			return i;
	return last && strcmp(last, "success") != 0 ? 2 : 3;
}

static int top_compare(const void *a, const void *b)
{
	int64_t x = value_get_int(a, "next_run_time", INT64_MAX);
	int64_t y = value_get_int(b, "next_run_time", INT64_MAX);
	int order = top_rank(a) - top_rank(b);

	if (order)
		return order;
	return x == y ? strcmp(value_get_string(a, "id"), value_get_string(b, "id"))
		      : (x > y) - (x < y);
}

static void top_follow(struct top *top)
{
	for (uint32_t i = 0; i < top->jobs.array.count; i++)
		if (value_is_text(value_get(&top->jobs.array.items[i], "id"), top->id))
			top->chosen = (int)i;
	if (top->chosen >= (int)top->jobs.array.count)
		top->chosen = (int)top->jobs.array.count - 1;
	if (top->chosen < 0)
		top->chosen = 0;
}

/* What else is not as it should be; who may not ask sees none of it. */
static void top_look_around(struct top *top)
{
	struct value status, params = value_map();
	const struct value *nodes;
	const char *failing;
	struct strbuf text = STRBUF_EMPTY;

	top->wrong = value_nil();
	if (command_call_in(top->command, &top->arena, "server.status", &params, &status, NULL) != 0)
		return;
	nodes = value_get(&status, "nodes");
	for (uint32_t i = 0; nodes && nodes->type == VALUE_ARRAY && i < nodes->array.count; i++) {
		const char *name = value_get_string(&nodes->array.items[i], "name");
		const char *state = value_get_string(&nodes->array.items[i], "state");

		if (name && state && strcmp(state, "live") != 0)
			strbuf_printf(&text, "; node %s %s", name, state);
	}
	failing = value_get_string(value_get(&status, "scheduler"), "store_error");
	if (failing)
		strbuf_printf(&text, "; %s", failing);
	top->wrong = value_string_take(&top->arena, &text);
}

static int top_look(struct top *top, struct schedd_error *err)
{
	static const char *const wanted[] = {
	    "id", "state", "running", "queued", "next_run_time", "last_state", "trigger_words"};
	struct value params = value_map(), fields = value_array(), result;
	const struct value *jobs;
	int rc;

	arena_clear(&top->arena);
	top->jobs = value_array();
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		value_append(&top->arena, &fields, value_string_ref(wanted[i]));
	value_put(&top->arena, &params, "fields", fields);
	value_put(&top->arena, &params, "limit", value_int(TOP_JOBS_MAX));
	if (top->node)
		value_put(&top->arena, &params, "node", value_string_ref(top->node));
	rc = command_call_in(top->command, &top->arena, "job.list", &params, &result, err);
	jobs = rc ? NULL : value_get(&result, "jobs");
	if (!jobs)
		return rc;
	top->jobs = *jobs;
	if (jobs->array.count > 0)
		qsort(top->jobs.array.items, jobs->array.count, sizeof(struct value), top_compare);
	top_look_around(top);
	top->command->now = schedd_clock_system()->wall(NULL);
	top_follow(top);
	return 0;
}

/* ---- Drawing ---- */

static void top_cell(struct top *top, int width, enum out_type type, const struct value *value)
{
	struct strbuf cell = STRBUF_EMPTY;
	size_t fits;

	out_cell(top->command, &cell, type, value && value->type == VALUE_NIL ? NULL : value);
	fits = out_fit(strbuf_peek(&cell), cell.length, width);
	addnstr(strbuf_peek(&cell), (int)fits);
	for (int used = out_width(strbuf_peek(&cell), fits); used <= width; used++)
		addch(' ');
	strbuf_clear(&cell);
}

static void top_row(struct top *top, int line, const struct value *job, bool chosen)
{
	int rank = top_rank(job);

	move(line, 0);
	attrset((chosen ? A_REVERSE : 0) | (rank == 2 ? A_BOLD : 0) |
		(has_colors() && rank < 3 ? COLOR_PAIR(rank == 2 ? 2 : 1) : 0));
	top_cell(top, 24, OUT_TEXT, value_get(job, "id"));
	top_cell(top, 9, OUT_TEXT, value_get(job, "state"));
	top_cell(top, 14, OUT_WHEN, value_get(job, "next_run_time"));
	top_cell(top, 10, OUT_TEXT, value_get(job, "last_state"));
	if (COLS > 64)
		top_cell(top, COLS - 64, OUT_TEXT, value_get(job, "trigger_words"));
	attrset(0);
}

static void top_draw(struct top *top)
{
	int rows = LINES - TOP_HEAD - 1, counts[4] = {0};
	uint32_t count = top->jobs.array.count;

	for (uint32_t i = 0; i < count; i++)
		counts[top_rank(&top->jobs.array.items[i])]++;
	if (top->chosen < top->first)
		top->first = top->chosen;
	if (top->chosen >= top->first + rows)
		top->first = top->chosen - rows + 1;
	erase();
	mvprintw(0, 0, "%u jobs%s%s: %d running, %d queued, %d failed last", count,
	    top->node ? " of node " : "", top->node ? top->node : "", counts[0], counts[1], counts[2]);
	if (top->wrong.type == VALUE_STRING && getcurx(stdscr) < COLS - 1)
		top_cell(top, COLS - getcurx(stdscr) - 1, OUT_TEXT, &top->wrong);
	attrset(A_BOLD);
	mvprintw(1, 0, "%-25s%-10s%-15s%-11s%s", "JOB", "STATE", "NEXT", "LAST", "TRIGGER");
	attrset(0);
	for (int i = 0; i < rows && top->first + i < (int)count; i++)
		top_row(top, TOP_HEAD + i, &top->jobs.array.items[top->first + i],
		    top->first + i == top->chosen);
	attrset(A_DIM);
	mvaddnstr(LINES - 1, 0,
	    top->note[0] ? top->note : "p pause  r resume  s start  k kill  l logs  q quit", COLS);
	attrset(0);
	refresh();
}

/* ---- Keys ---- */

static void top_note(struct top *top, const char *text)
{
	struct strbuf safe = STRBUF_EMPTY;

	out_safe(&safe, text, strlen(text), false);
	snprintf(top->note, sizeof(top->note), "%s", strbuf_peek(&safe));
	strbuf_clear(&safe);
}

static void top_act(struct top *top, const char *method, const char *key, const char *done)
{
	struct value params = value_map(), answer;
	struct schedd_error err = {0};
	char note[400];

	if (!top->id[0])
		return;
	value_put(&top->arena, &params, key, value_string_ref(top->id));
	if (command_call_in(top->command, &top->arena, method, &params, &answer, &err) != 0) {
		top_note(top, err.message);
		return;
	}
	snprintf(note, sizeof(note), "%s %s", done, top->id);
	top_note(top, note);
}

/* The daemon that was reached, for a schedctl that is called without options. */
static void top_hand_on(const struct command *command)
{
	static const char *const names[][2] = {{"url", "SCHEDD_URL"},
	    {"token-file", "SCHEDD_TOKEN_FILE"}, {"ca-file", "SCHEDD_CA_FILE"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (args_get(&command->args, names[i][0]))
			setenv(names[i][1], args_get(&command->args, names[i][0]), 1);
	if (!command->socket || command_elsewhere(command))
		return;
	unsetenv("SCHEDD_URL");
	setenv("SCHEDD_SOCKET", command->socket, 1);
}

/* The output in a pager, by schedctl itself. */
static void top_logs(struct top *top)
{
	static const char line[] = "schedctl logs \"$1\" 2>&1 | ${PAGER:-less}";
	pid_t pid;

	if (!top->id[0])
		return;
	def_prog_mode();
	endwin();
	pid = fork();
	if (pid == 0) {
		top_hand_on(top->command);
		execl("/bin/sh", "sh", "-c", line, "sh", top->id, (char *)NULL);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	reset_prog_mode();
}

/* Chooses another job; the ends of the list hold it. */
static void top_move(struct top *top, int key)
{
	int page = LINES - TOP_HEAD - 1, last = (int)top->jobs.array.count - 1;

	if (key == KEY_DOWN || key == 'j')
		top->chosen++;
	else if (key == KEY_UP)
		top->chosen--;
	else if (key == KEY_NPAGE || key == ' ')
		top->chosen += page;
	else if (key == KEY_PPAGE)
		top->chosen -= page;
	else if (key == KEY_HOME)
		top->chosen = 0;
	else if (key == KEY_END)
		top->chosen = last;
	if (top->chosen > last)
		top->chosen = last;
	if (top->chosen < 0)
		top->chosen = 0;
}

/* false: quit. Escape does not, as a slow line may cut the code of another key behind it. */
static bool top_key(struct top *top, int key)
{
	static const struct {
		int key;
		const char *method, *id, *done;
	} acts[] = {
	    {'p', "job.pause", "id", "Paused"},
	    {'r', "job.resume", "id", "Resumed"},
	    {'s', "job.run", "id", "Started"},
	    {'k', "run.kill", "run", "Killed the runs of"},
	};

	if (key != ERR)
		top->note[0] = '\0';
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (acts[i].key == key)
			top_act(top, acts[i].method, acts[i].id, acts[i].done);
	top_move(top, key);
	if (key == 'l' || key == '\n')
		top_logs(top);
	if ((uint32_t)top->chosen < top->jobs.array.count)
		snprintf(top->id, sizeof(top->id), "%s",
		    value_get_string(&top->jobs.array.items[top->chosen], "id"));
	return key != 'q' && key != 'Q';
}

static void top_screen(void)
{
	initscr();
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	timeout(1000);
	set_escdelay(25);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_GREEN, -1);
		init_pair(2, COLOR_RED, -1);
	}
}

/* Until a key says so, or the daemon has gone. */
static int top_loop(struct top *top)
{
	struct schedd_error err = {0};
	int rc = top_look(top, &err);

	if (rc)
		return say_error(top->command, &err);
	top_screen();
	top_key(top, ERR);
	do {
		top_draw(top);
		if (!top_key(top, getch()))
			break;
		rc = top_look(top, &err);
	} while (!rc);
	endwin();
	return rc ? say_error(top->command, &err) : EXIT_DONE;
}

int main(int argc, char **argv)
{
	static const struct option own[] = {{.name = "node", .value = "NODE"}, {0}};
	const struct option *const sets[] = {option_global, own, NULL};
	struct command command = {.now = schedd_clock_system()->wall(NULL)};
	struct top top = {.command = &command};
	struct schedd_error err = {0};
	int status;

	setlocale(LC_CTYPE, "");
	arena_init(&command.arena);
	arena_init(&top.arena);
	command.out.time = OUT_TIME_RELATIVE;
	if (args_parse(&command.args, sets, argc - 1, (const char *const *)argv + 1, &err) != 0)
		status = say_error(&command, &err);
	else {
		top.node = args_get(&command.args, "node");
		status = top_loop(&top);
	}
	rpc_client_close(command.client);
	zone_cache_free(command.zones);
	args_clear(&command.args);
	arena_clear(&top.arena);
	arena_clear(&command.arena);
	return status;
}
