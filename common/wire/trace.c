/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/wire/trace.h"

#define VALUE_MAX 64

bool
trace_on(void)
{
	static int on = -1;

	if (on == -1) {
		const char *v = getenv("POD_TRACE");

		on = v != NULL && v[0] != '\0' && strcmp(v, "0") != 0;
	}
	return on == 1;
}

static void
add_text(struct strbuf *b, const char *s)
{
	char cut[VALUE_MAX + 1], shown[4 * VALUE_MAX + 1];
	size_t n = strnlen(s, VALUE_MAX);

	memcpy(cut, s, n);
	cut[n] = '\0';
	text_escape(cut, shown, sizeof(shown));
	strbuf_addf(b, "\"%s\"%s", shown, s[n] != '\0' ? "…" : "");
}

static void add_record(struct strbuf *b, const struct wire_desc *d, const void *rec, int depth);

/* Appends " name=value" for a field that is set. */
static void
add_field(struct strbuf *b, const struct wire_field *f, const void *p, int depth)
{
	const struct strs *l = p;
	size_t start = b->n;

	strbuf_addf(b, " %s=", f->name);
	if (f->attr & SECRET) {
		strbuf_add(b, "<secret>");
		return;
	}
	switch (f->type) {
	case WIRE_STR:
		if (*(const char *const *)p != NULL) {
			add_text(b, *(const char *const *)p);
			return;
		}
		break;
	case WIRE_BIN:
		strbuf_addf(b, "<%zu bytes>", ((const struct bytes *)p)->n);
		return;
	case WIRE_U64:
		strbuf_addf(b, "%llu", (unsigned long long)*(const uint64_t *)p);
		return;
	case WIRE_I64:
		strbuf_addf(b, "%lld", (long long)*(const int64_t *)p);
		return;
	case WIRE_BOOL:
		if (*(const bool *)p) {
			strbuf_add(b, "true");
			return;
		}
		break;
	case WIRE_STRS:
	case WIRE_RECS:
		if (l->n > 0) {
			strbuf_addf(b, "<%zu>", l->n);
			if (f->type == WIRE_STRS)
				add_text(b, l->v[0]);
			return;
		}
		break;
	case WIRE_REC:
		if (*(void *const *)p != NULL && depth < 2) {
			strbuf_add(b, "{");
			add_record(b, f->rec, *(void *const *)p, depth + 1);
			strbuf_add(b, " }");
			return;
		}
		break;
	case WIRE_FD:
		if (*(const int *)p > 0) {
			strbuf_addf(b, "fd:%d", *(const int *)p);
			return;
		}
		break;
	}
	b->n = start;
	b->s[start] = '\0';
}

static void
add_record(struct strbuf *b, const struct wire_desc *d, const void *rec, int depth)
{
	for (size_t i = 0; i < d->nfields; i++)
		add_field(b, &d->fields[i], (const char *)rec + d->fields[i].offset, depth);
}

void
trace_message(
    enum role from, enum role to, const struct wire_desc *d, uint32_t seq, const void *msg)
{
	own_strbuf struct strbuf b = {0};
	struct timespec t;

	if (!trace_on())
		return;
	clock_gettime(CLOCK_MONOTONIC, &t);
	strbuf_addf(&b, "trace %lld.%06ld %s>%s #%u %s", (long long)t.tv_sec, t.tv_nsec / 1000,
	    role_info(from)->name, role_info(to)->name, seq, d->name);
	add_record(&b, d, msg, 0);
	strbuf_addc(&b, '\n');
	(void)!write(STDERR_FILENO, b.s, b.n);
}
