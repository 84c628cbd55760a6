/* SPDX-License-Identifier: MIT */
/* A bounded list: a file with a million errors costs no more than one with twenty. */
#include "base/diagnostics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void diagnostics_init(struct diagnostics *list)
{
	memset(list, 0, sizeof(*list));
}

void diagnostics_init_all(struct diagnostics *list)
{
	diagnostics_init(list);
	list->all = true;
}

void diagnostics_clear(struct diagnostics *list)
{
	arena_clear(&list->arena);
	free(list->items);
	diagnostics_init(list);
}

/* Where the next one goes; NULL: it can only be counted. */
static struct diagnostic *diagnostics_next(struct diagnostics *list)
{
	uint32_t room = list->room ? 2 * list->room : DIAGNOSTICS_MAX;
	struct diagnostic *grown;

	if (diagnostics_full(list))
		return NULL;
	if (list->count < list->room)
		return &list->items[list->count];
	grown = realloc(list->items, room * sizeof(*grown));
	if (!grown)
		return NULL;
	list->items = grown;
	list->room = room;
	return &list->items[list->count];
}

void diagnostics_add(struct diagnostics *list, const char *file, uint32_t line, uint32_t column,
    const char *format, ...)
{
	struct diagnostic *item = diagnostics_next(list);
	char message[SCHEDD_ERROR_MESSAGE_MAX * 2];
	va_list ap;

	if (!item) {
		list->dropped++;
		return;
	}
	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	item->file = arena_strdup(&list->arena, file);
	item->message = arena_strdup(&list->arena, message);
	/* Even without memory it counts as an error. */
	if (!item->file)
		item->file = "";
	if (!item->message)
		item->message = "out of memory";
	item->line = line;
	item->column = column;
	list->count++;
}

bool diagnostics_full(const struct diagnostics *list)
{
	return list->count >= (list->all ? DIAGNOSTICS_ALL : DIAGNOSTICS_MAX);
}

static bool diagnostics_before(const struct diagnostic *a, const struct diagnostic *b)
{
	if (strcmp(a->file, b->file) != 0)
		return false;
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

void diagnostics_sort(struct diagnostics *list)
{
	for (uint32_t i = 1; i < list->count; i++)
		for (uint32_t k = i;
		     k > 0 && diagnostics_before(&list->items[k], &list->items[k - 1]); k--) {
			struct diagnostic swapped = list->items[k];

			list->items[k] = list->items[k - 1];
			list->items[k - 1] = swapped;
		}
}

static void diagnostics_write_one(const struct diagnostic *item, struct strbuf *out)
{
	strbuf_add(out, item->file);
	if (item->line > 0)
		strbuf_printf(out, ":%u", item->line);
	if (item->line > 0 && item->column > 0)
		strbuf_printf(out, ":%u", item->column);
	if (*item->file)
		strbuf_add(out, ": ");
	strbuf_add(out, item->message);
}

void diagnostics_write(const struct diagnostics *list, struct strbuf *out)
{
	for (uint32_t i = 0; i < list->count; i++) {
		diagnostics_write_one(&list->items[i], out);
		strbuf_add_char(out, '\n');
	}
	if (list->dropped > 0)
		strbuf_printf(out, "and %u more\n", list->dropped);
}

int diagnostics_error(const struct diagnostics *list, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	uint32_t more = list->count + list->dropped - 1;

	if (list->count + list->dropped == 0)
		return 0;
	if (list->count == 0)
		return schedd_error_nomem(err);
	diagnostics_write_one(&list->items[0], &text);
	if (more > 0)
		strbuf_printf(&text, " (and %u more)", more);
	schedd_error_set(err, SCHEDD_EFILE, "%s", strbuf_peek(&text));
	strbuf_clear(&text);
	return SCHEDD_EFILE;
}
