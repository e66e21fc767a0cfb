/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "pod-run/life/volume_answer.h"

#define SHOWN_MAX 300

int
volume_answer_parse(const char *text, size_t n, json_t **out, struct err *e)
{
	const char *body = n > 12 ? memmem(text, n, "\r\n\r\n", 4) : NULL;
	const char *why = NULL;
	own_json json_t *j = NULL;

	if (body == NULL || strncmp(text, "HTTP/1.", 7) != 0)
		return err_set(e, ERR_PEER, "the answer of the volume plugin is not HTTP");
	body += 4;
	j = json_read(body, n - (size_t)(body - text), e);
	if (j == NULL)
		return err_set(
		    e, ERR_PEER, "the answer of the volume plugin is not JSON: %s", e->text);
	if (!json_is_object(j))
		return err_set(e, ERR_PEER, "the answer of the volume plugin is no JSON object");
	if (json_want_str(j, "Err", &why, e) == -1)
		return -1;
	if (why != NULL && *why != '\0')
		return err_set(e, strstr(why, "no such") != NULL ? ERR_NOTFOUND : ERR_PEER, "%.*s",
		    SHOWN_MAX, why);
	if (strncmp(text + 8, " 2", 2) != 0)
		return err_set(e, ERR_PEER, "the volume plugin answered %.3s", text + 9);
	*out = json_incref(j);
	return 0;
}
