/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/cli/table.h"
#include "common/cli/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char value[] =
	    "{\"ID\":\"abc\",\"N\":3,\"F\":1.5,\"L\":[\"x\",\"y\"],"
	    "\"M\":{\"a\":\"1\"},\"T\":true,\"Null\":null,"
	    "\"State\":{\"Pid\":1,\"Health\":{\"Log\":[{\"End\":\"\"}]}},"
	    "\"Mounts\":[{\"Type\":\"x\"},3],"
	    "\"Created\":\"2020-01-01T00:00:00Z\","
	    "\"NetworkSettings\":{\"Ports\":{\"p\":[{\"HostIp\":\"\"}],\"q\":null}}}";
	struct err e = {0};
	struct strbuf out = {0}, aligned = {0};
	struct strv fields = {0};
	char *text = xstrndup((const char *)data, size);
	json_t *dot = json_read(value, strlen(value), &e);
	struct template *t = template_parse("f", text, &e);

	if (t != NULL) {
		template_fields(t, &fields);
		if (template_run(t, dot, dot, "define.InspectContainerData", &out, &e) == 0 &&
		    out.s != NULL)
			table_align(out.s, &aligned);
	}
	if (t == NULL && !err_is_set(&e))
		abort();
	template_free(&t);
	strv_free(&fields);
	strbuf_free(&out);
	strbuf_free(&aligned);
	json_decref(dot);
	free(text);
	return 0;
}
