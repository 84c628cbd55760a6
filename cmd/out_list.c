/* SPDX-License-Identifier: MIT */
/*
 * Lists: JSON, names and TSV stream; what must be aligned or sorted is gathered as
 * the text of its cells, nothing else, so that long lists stay small.
 */
#include "cmd/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/suggest.h"
#include "cmd/out_cell.h"
#include "cmd/out_json.h"

#define LIST_COLUMNS_MAX 40
#define LIST_NARROWEST 12 /* what may be cut is not cut further */
#define LIST_FIRST 3      /* columns that go last */

struct list_row {
	char *cells;   /* what is printed; of columns, each text ended by a NUL */
	double number; /* sort key of a number or time; what is missing sorts last */
	char *text;    /* sort key of a text, inside cells */
};

struct out_list {
	struct command *command;
	const struct out_column *columns[LIST_COLUMNS_MAX];
	int column_count;
	const char *name_key;
	const struct out_column *sort; /* NULL: as they come */
	bool descending;
	struct strbuf text; /* of the row that is being printed */
	struct list_row *rows;
	size_t row_count, row_capacity;
	int widths[LIST_COLUMNS_MAX];
	bool hidden[LIST_COLUMNS_MAX];
	bool tells[LIST_COLUMNS_MAX]; /* a count of more than 1, a node */
	bool open;                    /* something was printed */
	bool broken;                  /* the reader went away */
	bool nomem;
};

/* ---- Choosing columns ---- */

static const struct out_column *list_find(
    const struct out_column *columns, const char *name, size_t length)
{
	for (; columns->name; columns++)
		if (strlen(columns->name) == length && strncmp(columns->name, name, length) == 0)
			return columns;
	return NULL;
}

static int list_unknown(
    const struct out_column *columns, const char *name, size_t length, struct schedd_error *err)
{
	struct strbuf known = STRBUF_EMPTY;
	char word[SUGGEST_LENGTH_MAX + 1] = "";
	struct suggest suggest;
	int rc;

	strncat(word, name, length < sizeof(word) ? length : sizeof(word) - 1);
	suggest_init(&suggest, word);
	for (const struct out_column *column = columns; column->name; column++)
		suggest_offer(&suggest, column->name);
	if (suggest_result(&suggest))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "unknown column '%s', did you mean '%s'?", word, suggest_result(&suggest));
	for (const struct out_column *column = columns; column->name; column++)
		strbuf_printf(&known, "%s%s", column == columns ? "" : ", ", column->name);
	rc = schedd_error_set(
	    err, SCHEDD_EINVAL, "unknown column '%s'; there are %s", word, strbuf_peek(&known));
	strbuf_clear(&known);
	return rc;
}

static int list_choose(struct out_list *list, const struct out_column *columns, const char *names,
    struct schedd_error *err)
{
	bool wide = list->command->out.format == OUT_WIDE || list->command->out.format == OUT_TSV;

	if (!names) {
		for (; columns->name && list->column_count < LIST_COLUMNS_MAX; columns++)
			if ((columns->normal || (wide && columns->wide)) &&
			    ((columns->type != OUT_LEFT && columns->type != OUT_NODE) ||
				list->command->out.format != OUT_TSV))
				list->columns[list->column_count++] = columns;
		return 0;
	}
	do {
		size_t length = strcspn(names, ",");
		const struct out_column *column = list_find(columns, names, length);

		if (!column)
			return list_unknown(columns, names, length, err);
		if (list->column_count < LIST_COLUMNS_MAX)
			list->columns[list->column_count++] = column;
		names += length;
	} while (*names++);
	return 0;
}

struct out_list *out_list_begin(struct command *command, const struct out_column *columns,
    const char *name_key, struct schedd_error *err)
{
	struct out_list *list = calloc(1, sizeof(*list));
	const char *sort = command->out.sort;

	if (!list) {
		schedd_error_nomem(err);
		return NULL;
	}
	list->command = command;
	list->name_key = name_key;
	command_zone(command);
	if (list_choose(list, columns, command->out.columns, err) != 0)
		goto fail;
	if (sort) {
		list->descending = sort[0] == '-';
		sort += list->descending;
		list->sort = list_find(columns, sort, strlen(sort));
		if (!list->sort) {
			list_unknown(columns, sort, strlen(sort), err);
			goto fail;
		}
	}
	return list;
fail:
	free(list);
	return NULL;
}

static void list_add_field(struct arena *arena, struct value *fields, const char *path)
{
	size_t length = strcspn(path, ".");

	for (uint32_t i = 0; i < fields->array.count; i++) {
		const char *have = fields->array.items[i].string.text;

		if (strlen(have) == length && strncmp(have, path, length) == 0)
			return;
	}
	value_append(arena, fields, value_string_n(arena, path, length));
}

struct value out_list_fields(const struct out_list *list, struct arena *arena)
{
	struct value fields = value_array();

	if (out_is_json(list->command) && !list->command->out.columns)
		return fields;
	if (list->command->out.format == OUT_NAME)
		list_add_field(arena, &fields, list->name_key);
	for (int i = 0; i < list->column_count && list->command->out.format != OUT_NAME; i++)
		for (int n = 0; out_cell_key(list->columns[i], n); n++)
			list_add_field(arena, &fields, out_cell_key(list->columns[i], n));
	if (list->sort)
		list_add_field(arena, &fields, list->sort->key);
	return fields;
}

/* ---- Rows ---- */

/* The members that the chosen columns show, under their own names. */
static struct value list_members(
    const struct out_list *list, struct arena *arena, const struct value *row)
{
	struct value some = value_map();

	for (int i = 0; i < list->column_count; i++) {
		const char *path = list->columns[i]->key;
		const char *key = arena_strndup(arena, path, strcspn(path, "."));
		const struct value *value = key ? value_get(row, key) : NULL;

		if (key && !value_get(&some, key))
			value_put(arena, &some, key, value ? *value : value_nil());
	}
	return some;
}

static void list_render_json(struct out_list *list, struct strbuf *out, const struct value *row)
{
	struct arena arena;
	struct value some;

	if (!list->command->out.columns) {
		out_json_write(list->command, out, NULL, row);
		return;
	}
	arena_init(&arena);
	some = list_members(list, &arena, row);
	out_json_write(list->command, out, NULL, &some);
	arena_clear(&arena);
}

static bool list_tells(const struct out_column *column, const struct value *row)
{
	bool may = column->type == OUT_COUNT || column->type == OUT_NODE;
	const struct value *value = may ? out_path(row, column->key) : NULL;

	return value && (column->type == OUT_NODE || (value->type == VALUE_INT && value->integer > 1));
}

/* The texts of the columns, each ended by a NUL. */
static void list_render_cells(struct out_list *list, struct strbuf *out, const struct value *row)
{
	for (int i = 0; i < list->column_count; i++) {
		size_t at = out->length;
		int width;

		out_cell_of(list->command, out, list->columns[i], row);
		list->tells[i] |= list_tells(list->columns[i], row);
		width = out_width(strbuf_peek(out) + at, out->length - at);
		if (width > list->widths[i])
			list->widths[i] = width;
		strbuf_add_char(out, '\0');
	}
}

/* What is printed of the row, in the chosen format. */
static void list_render(struct out_list *list, struct strbuf *out, const struct value *row)
{
	const struct value *name;

	if (out_is_json(list->command)) {
		list_render_json(list, out, row);
	} else if (list->command->out.format == OUT_NAME) {
		name = out_path(row, list->name_key);
		if (name && name->type == VALUE_STRING)
			out_safe(out, name->string.text, name->string.length, false);
	} else {
		list_render_cells(list, out, row);
	}
}

static void list_gather(struct out_list *list, const struct value *row)
{
	struct strbuf text = STRBUF_EMPTY;
	struct list_row *added;
	size_t key;

	if (list->row_count == list->row_capacity) {
		size_t capacity = list->row_capacity ? list->row_capacity * 2 : 64;
		struct list_row *rows = realloc(list->rows, capacity * sizeof(rows[0]));

		if (!rows) {
			list->nomem = true;
			return;
		}
		list->rows = rows;
		list->row_capacity = capacity;
	}
	added = &list->rows[list->row_count];
	list_render(list, &text, row);
	strbuf_add_char(&text, '\0');
	key = text.length;
	added->number = list->descending ? -1e300 : 1e300;
	if (list->sort) {
		const struct value *value = out_path(row, list->sort->key);

		if (value)
			value_number(value, &added->number);
		out_cell(list->command, &text, list->sort->type, value);
	}
	added->cells = strbuf_take(&text);
	added->text = added->cells ? added->cells + key : NULL;
	list->row_count += added->cells != NULL;
	list->nomem = !added->cells;
}

/* One line of the formats that have no columns. */
static void list_print_line(struct out_list *list, const char *text)
{
	const char *before = "", *after = "\n";

	if (list->command->out.format == OUT_JSON) {
		before = list->open ? ",\n " : "[";
		after = "";
	}
	list->open = true;
	list->broken = !out_write(before, strlen(before)) || !out_write(text, strlen(text)) ||
		       !out_write(after, strlen(after));
}

static bool list_is_table(const struct out_list *list)
{
	enum out_format format = list->command->out.format;

	return format != OUT_JSON && format != OUT_JSONL && format != OUT_NAME && format != OUT_TSV;
}

static void list_print_tsv_names(struct out_list *list)
{
	struct strbuf line = STRBUF_EMPTY;

	for (int i = 0; list->command->out.headers && i < list->column_count; i++)
		strbuf_printf(&line, "%s%s", i ? "\t" : "", list->columns[i]->name);
	if (list->command->out.headers)
		strbuf_add_char(&line, '\n');
	list->open = true;
	list->broken = line.length > 0 && !out_write(strbuf_peek(&line), line.length);
	strbuf_clear(&line);
}

/* text: the cells, each ended by a NUL. */
static void list_print_tsv(struct out_list *list, const char *text)
{
	struct strbuf line = STRBUF_EMPTY;

	if (!list->open)
		list_print_tsv_names(list);
	for (int i = 0; i < list->column_count; i++, text += strlen(text) + 1) {
		if (i > 0)
			strbuf_add_char(&line, '\t');
		strbuf_add(&line, text);
	}
	strbuf_add_char(&line, '\n');
	list->broken = list->broken || !out_write(strbuf_peek(&line), line.length);
	strbuf_clear(&line);
}

/* In a format that needs no look at the rows to come. */
static void list_print(struct out_list *list, const char *text)
{
	if (list->command->out.format == OUT_TSV)
		list_print_tsv(list, text);
	else
		list_print_line(list, text);
}

void out_list_row(struct out_list *list, const struct value *row)
{
	if (list->broken || list->nomem)
		return;
	if (list->sort || list_is_table(list)) {
		list_gather(list, row);
		return;
	}
	strbuf_reset(&list->text);
	list_render(list, &list->text, row);
	list_print(list, strbuf_peek(&list->text));
}

/* ---- Printing what was gathered ---- */

static int list_compare(const void *a, const void *b, void *context)
{
	const struct out_list *list = context;
	const struct list_row *x = a, *y = b;
	int order;

	if (list->sort->type == OUT_TEXT || list->sort->type == OUT_NODE || list->sort->type == OUT_SINCE ||
	    list->sort->type == OUT_STATE || list->sort->type == OUT_LIST ||
	    list->sort->type == OUT_TAGS)
		order = strcmp(x->text, y->text);
	else
		order = (x->number > y->number) - (x->number < y->number);
	return list->descending ? -order : order;
}

/* The columns that are shown, at their widths. */
static int list_total(const struct out_list *list)
{
	int total = -2;

	for (int i = 0; i < list->column_count; i++)
		total += list->hidden[i] ? 0 : list->widths[i] + 2;
	return total;
}

/* Narrows the widest column that may be cut; false: none is left. */
static bool list_narrow(struct out_list *list)
{
	int widest = -1;

	for (int i = 0; i < list->column_count; i++)
		if (list->columns[i]->shrinks && !list->hidden[i] &&
		    list->widths[i] > LIST_NARROWEST &&
		    (widest < 0 || list->widths[i] > list->widths[widest]))
			widest = i;
	if (widest >= 0)
		list->widths[widest]--;
	return widest >= 0;
}

static bool list_spare(const struct out_list *list, int column)
{
	return column >= LIST_FIRST && !list->columns[column]->shrinks &&
	       list->columns[column]->type != OUT_COUNT;
}

/*
 * Leaves out the rightmost column that is not needed most: the first ones tell
 * what it is about, and what may be cut tells why.
 */
static bool list_hide(struct out_list *list)
{
	for (int pass = 0; pass < 3; pass++)
		for (int i = list->column_count - 1; i > 0; i--) {
			bool spare = pass == 0   ? list_spare(list, i)
				     : pass == 1 ? i >= LIST_FIRST
						 : true;

			if (!list->hidden[i] && spare) {
				list->hidden[i] = true;
				return true;
			}
		}
	return false;
}

/* Makes the lines fit the terminal. Columns that were asked for by name stay. */
static void list_fit(struct out_list *list)
{
	int widths[LIST_COLUMNS_MAX];

	for (int i = 0; i < list->column_count && !list->command->out.columns; i++)
		list->hidden[i] = (list->columns[i]->type == OUT_COUNT || list->columns[i]->type == OUT_NODE) &&
				  !list->tells[i];
	memcpy(widths, list->widths, sizeof(widths));
	while (list->command->out.width > 0 && list_total(list) > list->command->out.width) {
		if (list_narrow(list))
			continue;
		if (list->command->out.columns || !list_hide(list))
			return;
		/* What is left may be as wide as there is room for. */
		memcpy(list->widths, widths, sizeof(widths));
	}
}

static int list_last(const struct out_list *list)
{
	int last = list->column_count - 1;

	while (last > 0 && list->hidden[last])
		last--;
	return last;
}

static void list_pad(struct strbuf *line, int columns)
{
	static const char blanks[] = "                                ";
	int most = (int)sizeof(blanks) - 1;

	for (; columns > 0; columns -= most)
		strbuf_add_n(line, blanks, (size_t)(columns < most ? columns : most));
}

static void list_cell(struct out_list *list, struct strbuf *line, int column, const char *text)
{
	const struct command *command = list->command;
	enum out_type type = list->columns[column]->type;
	bool last = column == list_last(list);
	bool right = type == OUT_INT || type == OUT_LIMIT || type == OUT_COUNT ||
		     type == OUT_SPAN || type == OUT_BYTES || type == OUT_LEFT || type == OUT_LOAD;
	size_t length = strlen(text);
	int width = out_width(text, length), room = list->widths[column];
	const char *color = type == OUT_STATE ? out_state_color(command, text) : "";
	bool cut = width > room;

	if (list->hidden[column])
		return;
	if (cut) {
		length = out_fit(text, length, room - 1);
		width = out_width(text, length) + 1;
	}
	if (right)
		list_pad(line, room - width);
	strbuf_add(line, color);
	strbuf_add_n(line, text, length);
	strbuf_add(line, cut ? "\xe2\x80\xa6" : "");
	strbuf_add(line, color[0] ? out_color(command, NULL) : "");
	if (!last)
		list_pad(line, (right ? 0 : room - width) + 2);
}

static void list_print_table(struct out_list *list)
{
	struct strbuf line = STRBUF_EMPTY;

	for (int i = 0; list->command->out.headers && i < list->column_count; i++) {
		int width = (int)strlen(list->columns[i]->name);

		if (width > list->widths[i])
			list->widths[i] = width;
	}
	list_fit(list);
	if (list->command->out.headers) {
		strbuf_add(&line, out_color(list->command, "bold"));
		for (int i = 0; i < list->column_count; i++) {
			char title[64];

			snprintf(title, sizeof(title), "%s", list->columns[i]->name);
			for (char *c = title; *c; c++)
				*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32
					    : *c == '_'            ? ' '
								   : *c);
			list_cell(list, &line, i, title);
		}
		strbuf_add(&line, out_color(list->command, NULL));
		strbuf_add_char(&line, '\n');
	}
	for (size_t row = 0; row < list->row_count && !list->broken; row++) {
		const char *text = list->rows[row].cells;

		for (int i = 0; i < list->column_count; i++, text += strlen(text) + 1)
			list_cell(list, &line, i, text);
		strbuf_add_char(&line, '\n');
		list->broken = !out_write(strbuf_peek(&line), line.length);
		strbuf_reset(&line);
	}
	if (line.length > 0)
		list->broken = !out_write(strbuf_peek(&line), line.length);
	strbuf_clear(&line);
}

void out_list_drop(struct out_list *list)
{
	if (!list)
		return;
	for (size_t row = 0; row < list->row_count; row++)
		free(list->rows[row].cells);
	free(list->rows);
	strbuf_clear(&list->text);
	free(list);
}

int out_list_end(struct out_list *list)
{
	int status;

	if (list->sort && list->row_count > 1)
		qsort_r(list->rows, list->row_count, sizeof(list->rows[0]), list_compare, list);
	for (size_t row = 0; !list_is_table(list) && row < list->row_count && !list->broken; row++)
		list_print(list, list->rows[row].cells);
	if (list->command->out.format == OUT_JSON && !list->broken)
		list->broken = !out_write(list->open ? "]\n" : "[]\n", list->open ? 2 : 3);
	else if (list->command->out.format == OUT_TSV && !list->open)
		list_print_tsv_names(list);
	else if (list_is_table(list))
		list_print_table(list);
	status = list->nomem ? EXIT_FAILED : list->broken ? EXIT_PIPE : EXIT_DONE;
	out_list_drop(list);
	return status;
}
