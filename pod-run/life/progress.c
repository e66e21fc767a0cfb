/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/cli/human.h"
#include "pod-run/life/progress.h"

#define ITEM_SHOWN 12
#define BAR_MAX 40
#define COLUMNS_DEFAULT 80

void
progress_bar(
    const char *item, uint64_t done, uint64_t total, unsigned columns, char *out, size_t size)
{
	const char *colon = strchr(item, ':');
	char have[HUMAN_MAX], all[HUMAN_MAX], bar[BAR_MAX + 1];
	unsigned width, filled;
	size_t n;

	human_size((double)done, have, sizeof(have));
	if (total == 0) {
		snprintf(out, size, "Copying blob %.*s %s", ITEM_SHOWN,
		    colon != NULL ? colon + 1 : item, have);
		return;
	}
	human_size((double)total, all, sizeof(all));
	n = strlen("Copying blob  [] ") + ITEM_SHOWN + strlen(have) + strlen(" / ") + strlen(all);
	width = columns > n + 10 ? columns - (unsigned)n - 1 : 9;
	width = width < BAR_MAX ? width : BAR_MAX;
	done = done < total ? done : total;
	filled = (unsigned)((double)done / (double)total * width);
	memset(bar, ' ', width);
	memset(bar, '=', filled);
	if (filled < width)
		bar[filled] = '>';
	bar[width] = '\0';
	snprintf(out, size, "Copying blob %.*s [%s] %s / %s", ITEM_SHOWN,
	    colon != NULL ? colon + 1 : item, bar, have, all);
}

void
progress_end(struct progress *g)
{
	if (g->bar)
		fputs("\r\033[K", stderr);
	g->bar = false;
}

static void
show_bar(struct progress *g, const struct msg_progress *m)
{
	char line[512], shown[512];
	struct winsize w;
	unsigned columns =
	    ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : COLUMNS_DEFAULT;

	progress_bar(m->item, m->done, m->total, columns, line, sizeof(line));
	text_escape(line, shown, sizeof(shown));
	fprintf(stderr, "\r%s\033[K", shown);
	g->bar = true;
}

int
progress_show(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct progress *g = arg;
	const struct msg_progress *m = MSG_OF(in, progress);
	char line[8192];

	(void)p;
	if (!PEER_IS(in, progress))
		return err_set(e, ERR_PEER, "unexpected message %s", in->desc->name);
	if (g->quiet)
		return 0;
	if (strcmp(m->kind, "item") == 0 && m->item != NULL) {
		if (isatty(STDERR_FILENO))
			show_bar(g, m);
	} else if (strcmp(m->kind, "text") == 0 && m->text != NULL) {
		progress_end(g);
		text_escape(m->text, line, sizeof(line));
		fprintf(stderr, "%s\n", line);
	}
	return 0;
}
