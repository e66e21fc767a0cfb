/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/db/salvage.h"

int
salvage_check(sqlite3 *h, bool quick, char *why, size_t size)
{
	const char *sql = quick ? "PRAGMA quick_check(1)" : "PRAGMA integrity_check(1)";
	sqlite3_stmt *q = NULL;
	int r = -1, code;

	if (sqlite3_prepare_v2(h, sql, -1, &q, NULL) == SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(q, 0);

		snprintf(why, size, "%s", text != NULL ? (const char *)text : "");
		r = strcmp(why, "ok") == 0;
	} else if ((code = sqlite3_errcode(h) & 0xff) == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
		snprintf(why, size, "%s", sqlite3_errmsg(h));
		r = 0;
	}
	sqlite3_finalize(q);
	return r;
}

void
salvage_rows(sqlite3 *from, sqlite3 *to, const char *table)
{
	own_mem char *select = xasprintf("SELECT * FROM %s", table);
	own_strbuf struct strbuf insert = {0};
	sqlite3_stmt *in = NULL, *out = NULL;
	int n;

	if (sqlite3_prepare_v2(from, select, -1, &in, NULL) != SQLITE_OK)
		return;
	n = sqlite3_column_count(in);
	strbuf_addf(&insert, "INSERT OR IGNORE INTO %s VALUES(", table);
	for (int i = 0; i < n; i++)
		strbuf_add(&insert, i > 0 ? ",?" : "?");
	strbuf_add(&insert, ")");
	if (sqlite3_prepare_v2(to, insert.s, -1, &out, NULL) == SQLITE_OK)
		while (sqlite3_step(in) == SQLITE_ROW) {
			for (int i = 0; i < n; i++)
				sqlite3_bind_value(out, i + 1, sqlite3_column_value(in, i));
			sqlite3_step(out);
			sqlite3_reset(out);
		}
	sqlite3_finalize(in);
	sqlite3_finalize(out);
}
