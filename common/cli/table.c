/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/table.h"

#define WIDTH_MIN 12
#define PADDING 2

struct cell {
	const char *s;
	size_t n, chars, width; /* width: of its column */
};

struct row {
	size_t first, n; /* cells; the last one is not ended by a tab */
};

struct grid {
	struct cell *cells;
	size_t cell_n, cell_cap;
	struct row *rows;
	size_t row_n, row_cap;
};

static size_t
count_chars(const char *s, size_t n)
{
	size_t chars = 0;

	for (size_t i = 0; i < n; i++)
		chars += ((unsigned char)s[i] & 0xc0) != 0x80;
	return chars;
}

static void
add_row(struct grid *g, const char *s, size_t n)
{
	struct row row = {g->cell_n, 0};

	for (;;) {
		const char *tab = memchr(s, '\t', n);
		size_t len = tab != NULL ? (size_t)(tab - s) : n;

		g->cells = mem_grow(g->cells, &g->cell_cap, g->cell_n + 1, sizeof(*g->cells));
		g->cells[g->cell_n++] = (struct cell){s, len, count_chars(s, len), 0};
		row.n++;
		if (tab == NULL)
			break;
		s += len + 1;
		n -= len + 1;
	}
	g->rows = mem_grow(g->rows, &g->row_cap, g->row_n + 1, sizeof(*g->rows));
	g->rows[g->row_n++] = row;
}

static bool
has_column(const struct row *r, size_t column)
{
	return column + 1 < r->n;
}

/* One block: rows from..to that all have a tab-ended cell in this column. */
static void
set_width(struct grid *g, size_t from, size_t to, size_t column)
{
	size_t width = WIDTH_MIN;

	for (size_t i = from; i < to; i++) {
		size_t chars = g->cells[g->rows[i].first + column].chars;

		if (chars + PADDING > width)
			width = chars + PADDING;
	}
	for (size_t i = from; i < to; i++)
		g->cells[g->rows[i].first + column].width = width;
}

static void
set_widths(struct grid *g)
{
	bool more = true;

	for (size_t column = 0; more; column++) {
		more = false;
		for (size_t i = 0; i < g->row_n;) {
			size_t from = i;

			while (i < g->row_n && has_column(&g->rows[i], column))
				i++;
			if (i > from) {
				set_width(g, from, i, column);
				more = true;
			} else {
				i++;
			}
		}
	}
}

static void
add_blanks(struct strbuf *out, size_t n)
{
	static const char blanks[] = "                                ";

	while (n > 0) {
		size_t some = n < sizeof(blanks) - 1 ? n : sizeof(blanks) - 1;

		strbuf_addn(out, blanks, some);
		n -= some;
	}
}

static bool
is_clean(const char *s)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s < 0x20 && *s != '\t' && *s != '\n') ||
		    (unsigned char)*s >= 0x7f)
			return false;
	return true;
}

/* Each cell as it may go to a terminal. */
static void
escape_cells(const char *text, struct strbuf *out)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\t\n");
		own_mem char *cell = xstrndup(text, n), *safe = xmalloc(4 * n + 1);

		text_escape(cell, safe, 4 * n + 1);
		strbuf_add(out, safe);
		text += n;
		if (*text != '\0')
			strbuf_addc(out, *text++);
	}
}

void
table_align(const char *text, struct strbuf *out)
{
	own_strbuf struct strbuf safe = {0};
	struct grid g = {0};

	if (!is_clean(text)) {
		escape_cells(text, &safe);
		text = safe.s;
	}
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		add_row(&g, text, n);
		text += n + (text[n] == '\n');
	}
	set_widths(&g);
	for (size_t i = 0; i < g.row_n; i++) {
		for (size_t k = 0; k < g.rows[i].n; k++) {
			const struct cell *c = &g.cells[g.rows[i].first + k];

			strbuf_addn(out, c->s, c->n);
			if (k + 1 < g.rows[i].n)
				add_blanks(out, c->width - c->chars);
		}
		strbuf_addc(out, '\n');
	}
	free(g.cells);
	free(g.rows);
}
