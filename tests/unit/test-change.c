/* SPDX-License-Identifier: ISC */
// objs: pod-run/cmd/change.o
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "pod-run/cmd/change.h"

static void
apply(struct change *c, const char *line)
{
	struct err e = {0};

	cr_assert_eq(change_apply(c, line, &e), 0, "%s: %s", line, e.text);
}

static void
refused(const char *line, const char *words)
{
	own_change struct change c = {0};
	struct err e = {0};

	cr_assert_eq(change_apply(&c, line, &e), -1, "%s was taken", line);
	cr_assert(strstr(e.text, words) != NULL, "%s: %s", line, e.text);
}

static void
put(json_t *o, const char *key, const struct strs *l, bool set)
{
	json_t *to = l->n == 0 ? NULL : set ? json_put_obj(o, key) : json_put_arr(o, key);

	for (size_t i = 0; i < l->n; i++)
		if (set)
			json_put_obj(to, l->v[i]);
		else
			json_add_str(to, l->v[i]);
}

static void
put_word(json_t *o, const char *key, const char *word)
{
	if (word != NULL)
		json_put_str(o, key, word);
}

/* The record in the words of an image configuration. */
static json_t *
record_json(const struct change *c, struct arena *a)
{
	struct rec_image_config r = {0};
	json_t *o = json_obj(), *labels;

	change_record(c, &r, a);
	put_word(o, "User", r.user);
	put(o, "ExposedPorts", &r.exposed_ports, true);
	put(o, "Env", &r.env, false);
	put(o, "Entrypoint", &r.entrypoint, false);
	put(o, "Cmd", &r.cmd, false);
	put(o, "Volumes", &r.volumes, true);
	put_word(o, "WorkingDir", r.working_dir);
	labels = r.labels.n > 0 ? json_put_obj(o, "Labels") : NULL;
	for (size_t i = 0; i < r.labels.n; i++)
		json_put_str(labels, r.labels.v[i].key, r.labels.v[i].value);
	put_word(o, "StopSignal", r.stop_signal);
	put(o, "OnBuild", &r.on_build, false);
	return o;
}

static void
gives(const char *const *lines, const char *want)
{
	own_change struct change c = {0};
	own_arena struct arena a = {0};
	own_json json_t *j = NULL;
	own_mem char *text = NULL;

	for (; *lines != NULL; lines++)
		apply(&c, *lines);
	j = record_json(&c, &a);
	text = json_text(j);
	cr_assert_str_eq(text, want);
}

Test(change, commands)
{
	gives((const char *[]){"CMD [\"/bin/sh\",\"-c\",\"x\"]", NULL},
	    "{\"Cmd\":[\"/bin/sh\",\"-c\",\"x\"]}");
	gives((const char *[]){"ENTRYPOINT top -b", NULL},
	    "{\"Entrypoint\":[\"/bin/sh\",\"-c\",\"top -b\"]}");
}

Test(change, all_of_them)
{
	gives(
	    (const char *[]){"USER 1:2", "EXPOSE 80", "EXPOSE 53/udp", "EXPOSE 80/tcp", "ENV A=b c",
		"ENV \"D\"=\"e\"", "ENV A=f", "ENTRYPOINT [\"/x\"]", "cmd top -b", "VOLUME /a /b",
		"VOLUME [\"/b\",\"/c d\"]", "WORKDIR /w", "STOPSIGNAL 9", "ONBUILD RUN x", NULL},
	    "{\"User\":\"1:2\",\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}},"
	    "\"Env\":[\"A=f\",\"D=e\"],\"Entrypoint\":[\"/x\"],"
	    "\"Cmd\":[\"/bin/sh\",\"-c\",\"top -b\"],"
	    "\"Volumes\":{\"/a\":{},\"/b\":{},\"/c d\":{}},\"WorkingDir\":\"/w\","
	    "\"StopSignal\":\"9\",\"OnBuild\":[\"RUN x\"]}");
}

Test(change, labels)
{
	gives((const char *[]){"LABEL a=b \"c=d e\" f=\"g h\" \"i\"=\"j\" k=", NULL},
	    "{\"Labels\":{\"a\":\"b\",\"c\":\"d e\",\"f\":\"g h\",\"i\":\"j\",\"k\":\"\"}}");
	gives((const char *[]){"LABEL a=run b \"c d\"", NULL},
	    "{\"Labels\":{\"a\":\"run b \\\"c d\\\"\"}}");
	gives((const char *[]){"LABEL a=b", "LABEL a=c", NULL}, "{\"Labels\":{\"a\":\"c\"}}");
}

Test(change, equals_form)
{
	gives((const char *[]){"USER=root", NULL}, "{\"User\":\"root\"}");
	gives((const char *[]){"WORKDIR=/x", NULL}, "{\"WorkingDir\":\"/x\"}");
}

Test(change, faults)
{
	refused("FOO x", "invalid instruction FOO");
	refused("CMD", "must be formatted as KEY VALUE");
	refused("EXPOSE 0", "invalid port");
	refused("EXPOSE 70000", "invalid port");
	refused("EXPOSE 80/icmp", "invalid port");
	refused("ENV =x", "at least one argument");
	refused("LABEL =x", "must have a name");
	refused("LABEL x", "LABEL must be formatted key=value");
	refused("LABEL x y=z", "LABEL must be formatted key=value");
}

Test(change, record)
{
	own_change struct change c = {0};
	own_arena struct arena a = {0};
	struct rec_image_config r = {0};

	apply(&c, "LABEL a=b=c d=");
	apply(&c, "CMD [\"x\"]");
	change_record(&c, &r, &a);
	cr_assert_eq(r.labels.n, 2);
	cr_assert_str_eq(r.labels.v[0].key, "a");
	cr_assert_str_eq(r.labels.v[0].value, "b=c");
	cr_assert_str_eq(r.labels.v[1].value, "");
	cr_assert_eq(r.cmd.n, 1);
	cr_assert_str_eq(r.cmd.v[0], "x");
}
