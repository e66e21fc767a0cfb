/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>

#include "common/base/text.h"
#include "pod-image/report.h"

void
report_text(const struct report *r, const char *fmt, ...)
{
	char text[2048], shown[2048];
	struct msg_progress m = {.kind = "text", .text = shown};
	struct err ignored = {0};
	va_list ap;

	if (r->quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_escape(text, shown, sizeof(shown));
	if (r->run == NULL)
		fprintf(stderr, "%s\n", shown);
	else
		(void)peer_send(r->run, &msg_progress_desc, r->seq, &m, &ignored);
}

void
report_item(const struct report *r, const char *item, uint64_t done, uint64_t total)
{
	struct msg_progress m = {.kind = "item", .item = item, .done = done, .total = total};
	struct err ignored = {0};

	if (!r->quiet && r->run != NULL)
		(void)peer_send(r->run, &msg_progress_desc, r->seq, &m, &ignored);
}
