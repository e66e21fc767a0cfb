/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/cli/output.h"
#include "common/cli/template.h"

static const char data[] =
    "{\"ID\":\"abc\",\"N\":3,\"F\":1.5,\"Big\":1234567,\"T\":true,\"Null\":null,"
    "\"L\":[\"x\",\"y\",\"z\"],\"E\":[],\"M\":{\"b\":\"2\",\"a\":\"1\"},"
    "\"Deep\":{\"A\":{\"B\":\"leaf\"}},\"H\":\"<a href=\\\"x\\\">\",\"U\":\"h\\u00e9\"}";

/* What the template makes of the data, or the error's text. */
static const char *
made(const char *text, const char *type)
{
	static char out[4096];
	struct err e = {0};
	own_strbuf struct strbuf b = {0};
	own_json json_t *dot = json_read(data, sizeof(data) - 1, &e);
	own_template struct template *t = template_parse("t", text, &e);

	if (t == NULL || template_run(t, dot, NULL, type, &b, &e) == -1)
		snprintf(out, sizeof(out), "%s", e.text);
	else
		snprintf(out, sizeof(out), "%s", b.s != NULL ? b.s : "");
	return out;
}

static const struct {
	const char *text, *result;
} cases[] = {
    {"plain", "plain"},
    {"{{.ID}}", "abc"},
    {"{{ .ID }}-{{.N}}", "abc-3"},
    {"a {{- .ID -}} b", "aabcb"},
    {"{{/* note */}}x{{- /* note */ -}} y", "xy"},
    {"{{.Deep.A.B}}", "leaf"},
    {"{{.Deep.X}}", "<no value>"},
    {"{{.Deep.X.Y}}",
	"template: t:1:2: executing \"t\" at <.Deep.X.Y>: nil pointer evaluating interface {}.Y"},
    {"{{.Nope}}", "<no value>"},
    {"{{.M}} {{.L}} {{.E}} {{.Null}} {{.T}} {{.F}} {{.Big}}",
	"map[a:1 b:2] [x y z] [] <nil> true 1.5 1234567"},
    {"{{json .M}} {{json .L}} {{json .H}}",
	"{\"b\":\"2\",\"a\":\"1\"} [\"x\",\"y\",\"z\"] \"<a href=\\\"x\\\">\""},
    {"{{range .L}}<{{.}}>{{end}}", "<x><y><z>"},
    {"{{range .E}}x{{else}}none{{end}}", "none"},
    {"{{range $i, $v := .L}}{{$i}}={{$v}} {{end}}", "0=x 1=y 2=z "},
    {"{{range $k, $v := .M}}{{$k}}={{$v}} {{end}}", "a=1 b=2 "},
    {"{{range $v := .L}}{{$v}}{{$.N}}{{end}}", "x3y3z3"},
    {"{{range .L}}{{if eq . \"y\"}}{{continue}}{{end}}{{.}}{{end}}", "xz"},
    {"{{range .L}}{{if eq . \"y\"}}{{break}}{{end}}{{.}}{{end}}", "x"},
    {"{{range 3}}{{.}}{{end}}", "012"},
    {"{{if .T}}yes{{else}}no{{end}}", "yes"},
    {"{{if .E}}a{{else if .N}}b{{else}}c{{end}}", "b"},
    {"{{with .Deep.A}}{{.B}}{{else}}none{{end}}", "leaf"},
    {"{{with .Null}}x{{else}}none{{end}}", "none"},
    {"{{with $x := .ID}}{{$x}}{{end}}", "abc"},
    {"{{$x := .ID}}{{$x = \"z\"}}{{$x}}", "z"},
    {"{{index .M \"a\"}} {{index .L 1}} [{{index .M \"q\"}}]", "1 y []"},
    {"{{index .L 9}}",
	"template: t:1:2: executing \"t\" at <index>: error calling index: index out of range: 9"},
    {"{{len .L}} {{len .ID}} {{len .M}}", "3 3 2"},
    {"{{printf \"%s %d %q %v %t %x %5d|%-5s|%05d|%.1f|%%\" .ID .N .ID .L .T 255 .N .ID .N .F}}",
	"abc 3 \"abc\" [x y z] true ff     3|abc  |00003|1.5|%"},
    {"{{printf \"%d\" .ID}}", "%!d(string=abc)"},
    {"{{printf \"%s %s\" .ID}}", "abc %!s(MISSING)"},
    {"{{printf \"x\" .ID}}", "x%!(EXTRA string=abc)"},
    {"{{.ID | printf \"%s-%s\" \"a\"}}", "a-abc"},
    {"{{.ID | upper | printf \"%q\"}}", "\"ABC\""},
    {"{{eq .ID \"x\" \"abc\"}} {{ne .N 3}} {{lt .N 4}} {{le .N 3}} {{gt .N 3}} {{ge .N 3}}",
	"true false true true false true"},
    {"{{eq .ID 3}}", "template: t:1:2: executing \"t\" at <eq>: error calling eq: incompatible "
		     "types for comparison"},
    {"{{and .T .ID}} {{and .E .ID}} {{or .E .ID}} {{not .T}}", "abc [] abc false"},
    {"{{or .T (index .L 9)}}", "true"},
    {"{{slice .ID 1}} {{slice .L 1 2}}", "bc [y]"},
    {"{{html .H}} {{js .H}} {{urlquery .H}}",
	"&lt;a href=&#34;x&#34;&gt; \\u003Ca href\\u003D\\\"x\\\"\\u003E %3Ca+href%3D%22x%22%3E"},
    {"{{join .L \",\"}} {{upper .ID}} {{lower \"ABC\"}} {{title \"a bc\"}} {{split \"a:b\" \":\"}}",
	"x,y,z ABC abc A Bc [a b]"},
    {"{{pad .ID 1 2}}|{{truncate .ID 2}}", " abc  |ab"},
    {"{{(index .L 0)}} {{(index (split \"a:b\" \":\") 1)}}", "x b"},
    {"{{`raw\\n`}} {{\"q\\t\"}} {{'a'}} {{0x10}} {{1.25}}", "raw\\n q\t 97 16 1.25"},
    {"{{println .ID 3}}{{print 1 2 \"a\" 3}}", "abc 3\n1 2a3"},
    {"{{1000000.0}} {{0.00001}} {{100000.0}}", "1e+06 1e-05 100000"},
    {"{{.U}}", "h\xc3\xa9"},
    {"{{\"\\u00e9\\U0001F600\\x41\"}}", "\xc3\xa9\xf0\x9f\x98\x80"
					"A"},
    {"{{\"\\ud800\"}}", "template: t:1: malformed escape sequence in a constant"},
    {"{{\"\\u12\"}}", "template: t:1: malformed escape sequence in a constant"},
    {"{{nosuch .ID}}", "template: t:1: function \"nosuch\" not defined"},
    {"{{.ID", "template: t:1: unclosed action"},
    {"\n{{if .ID}}x", "template: t:2: unexpected EOF"},
    {"{{end}}", "template: t:1: unexpected {{end}}"},
    {"{{$q}}", "template: t:1: undefined variable \"$q\""},
    {"{{}}", "template: t:1: missing value for command"},
    {"{{break}}", "template: t:1: {{break}} outside {{range}}"},
    {"{{len 3}}", "template: t:1:2: executing \"t\" at <len>: error calling len: len of type int"},
    {"{{define \"x\"}}[{{.}}]{{end}}{{template \"x\" .ID}}{{range .L}}{{template \"x\" .}}{{end}}",
	"[abc][x][y][z]"},
    {"{{block \"x\" .M}}{{.a}}{{end}}{{template `x` .M}}", "11"},
    {"{{template \"x\"}}{{define \"x\"}}<{{.}}>{{end}}", "<<no value>>"},
    {"{{$q := .N}}{{block \"x\" .ID}}{{$}}{{end}}{{$q}}", "abc3"},
    {"{{$q := 1}}{{define \"x\"}}{{$q}}{{end}}", "template: t:1: undefined variable \"$q\""},
    {"{{range .L}}{{define \"x\"}}{{end}}{{end}}", "template: t:1: unexpected {{define}}"},
    {"{{range .L}}{{block \"x\" .}}{{break}}{{end}}{{end}}",
	"template: t:1: {{break}} outside {{range}}"},
    {"{{define \"x\"}}a", "template: t:1: unexpected EOF"},
    {"{{define \"x\"}}{{else}}{{end}}", "template: t:1: unexpected {{else}}"},
    {"{{define x}}{{end}}", "template: t:1: unexpected \"x\" in define clause"},
    {"{{template \"x\" . .}}", "template: t:1: can't give argument to non-function ."},
    {"{{define \"x\"}}{{end}}{{define \"x\"}}{{end}}",
	"template: t:1: multiple definition of template \"x\""},
    {"{{template \"x\" .}}", "template: t:1:11: executing \"t\" at <{{template \"x\"}}>: template "
			     "\"x\" not defined"},
    {"{{define \"x\"}}{{template \"x\" .}}{{end}}{{template \"x\"}}",
	"template: t: exceeded maximum template depth"},
    {"{{range .ID}}{{end}}",
	"template: t:1:8: executing \"t\" at <.ID>: range can't iterate over a string"},
};

Test(template, cases)
{
	for (size_t i = 0; i < COUNTOF(cases); i++)
		cr_expect_str_eq(made(cases[i].text, NULL), cases[i].result, "%s gave %s",
		    cases[i].text, made(cases[i].text, NULL));
}

Test(template, types_of_many_values)
{
	struct err e = {0};
	own_strbuf struct strbuf b = {0};
	own_json json_t *mounts = json_array(), *dot = json_pack("{s:O}", "Mounts", mounts);
	own_template struct template *t = template_parse("t", "{{range .Mounts}}{{.}}{{end}}", &e);

	for (int i = 0; i < 10000; i++)
		json_array_append_new(mounts, json_pack("{s:s}", "Source", "/s"));
	cr_assert_eq(template_run(t, dot, NULL, "define.InspectContainerData", &b, &e), 0);
	for (size_t i = 0; i < 10000; i++)
		cr_assert_eq(strncmp(b.s + i * strlen("{ /s }"), "{ /s }", strlen("{ /s }")), 0,
		    "value %zu: %.10s", i, b.s + i * strlen("{ /s }"));
}

static const char *
inspected(const char *text)
{
	static const char ctr[] =
	    "{\"Id\":\"abc\",\"State\":{\"Status\":\"up\"},\"Mounts\":[{\"Source\":\"/s\"}],"
	    "\"Config\":{\"Labels\":{\"a\":\"b\"},\"Domainname\":\"d\"},"
	    "\"NetworkSettings\":{\"Networks\":{\"n\":{\"Gateway\":\"g\"}}}}";
	static char out[4096];
	struct err e = {0};
	own_strbuf struct strbuf b = {0};
	own_json json_t *dot = json_read(ctr, sizeof(ctr) - 1, &e);
	own_template struct template *t = template_parse("t", text, &e);

	if (t == NULL || template_run(t, dot, NULL, "define.InspectContainerData", &b, &e) == -1)
		snprintf(out, sizeof(out), "%s", strrchr(e.text, ':') + 2);
	else
		snprintf(out, sizeof(out), "%s", b.s);
	return out;
}

Test(template, fields_of_deeper_structs)
{
	static const struct {
		const char *text, *result;
	} deep[] = {
	    {"{{.State.Nope}}", "can't evaluate field Nope in type *define.InspectContainerState"},
	    {"{{$s := .State}}{{with $s}}{{.Nope}}{{end}}",
		"can't evaluate field Nope in type *define.InspectContainerState"},
	    {"{{range .Mounts}}{{.Nope}}{{end}}",
		"can't evaluate field Nope in type define.InspectMount"},
	    {"{{(index .NetworkSettings.Networks \"n\").Nope}}",
		"can't evaluate field Nope in type *define.InspectAdditionalNetwork"},
	    {"{{.NetworkSettings.Networks.n.Gateway}} {{.NetworkSettings.Networks.m}}",
		"g <no value>"},
	    {"{{.Config.Labels.a}} {{.Config.Labels.c}}", "b <no value>"},
	    {"{{.State.ConmonPid}} {{.State.Health}} {{range .Mounts}}<{{.Name}}>{{end}}",
		"0 <nil> <>"},
	    {"{{.State.Health.Status}}", "nil pointer evaluating interface {}.Status"},
	    {"{{.State.CheckpointedAt}} {{.State.Restored}}",
		"0001-01-01 00:00:00 +0000 UTC false"},
	    {"{{.Config.DomainName}} {{.SizeRw}}", "d <nil>"},
	    {"{{.Mounts}} {{range .Mounts}}{{.}}{{end}} {{print .Mounts \"x\"}}",
		"[{ /s }] { /s } [{ /s }]x"},
	    {"{{.NetworkSettings}} {{.NetworkSettings.Networks}}",
		"{{[] [] []} map[n:{{g [] [] []}  map[] map[] [] []}]} "
		"map[n:{{g [] [] []}  map[] map[] [] []}]"},
	    {"{{.NetworkSettings.InspectBasicNetworkConfig}} {{.Config.Entrypoint}}",
		"{[] [] []} []"},
	    {"{{printf \"%s|%v\" .State .Mounts}}",
		"{up 0 <nil> false  0001-01-01 00:00:00 +0000 UTC 0001-01-01 00:00:00 +0000 UTC    "
		"false false}"
		"|[{ /s }]"},
	};

	for (size_t i = 0; i < COUNTOF(deep); i++)
		cr_expect_str_eq(inspected(deep[i].text), deep[i].result, "%s gave %s",
		    deep[i].text, inspected(deep[i].text));
}

Test(template, missing_field_of_a_struct_is_an_error)
{
	cr_expect_str_eq(made("{{.Nope}}", "define.Row"),
	    "template: t:1:2: executing \"t\" at <.Nope>: can't "
	    "evaluate field Nope in type define.Row");
	cr_expect_str_eq(made("{{.Deep.Nope}}", "define.Row"), "<no value>");
}

Test(template, nesting_is_bounded)
{
	own_strbuf struct strbuf b = {0};

	for (int i = 0; i < 10000; i++)
		strbuf_add(&b, "{{if .T}}");
	cr_expect_str_eq(made(b.s, NULL), "template: t:1: the text is longer than 65536 bytes");
	b.s[20000 / 9 * 9] = '\0';
	cr_expect_str_eq(made(b.s, NULL), "template: t:1: nested too deeply");
}

Test(template, steps_are_bounded)
{
	cr_expect(strstr(made("{{range 100000000}}{{end}}", NULL), "too many steps") != NULL);
}

Test(template, knows_what_it_takes)
{
	static const struct {
		const char *text;
		bool dot;
	} takes[] = {{"{{.ID}} {{$.Names}}", false},
	    {"{{if .A}}{{.B}}{{else}}{{.C}}{{end}}", false},
	    {"{{printf \"%s\" .A | upper}}", false}, {"{{range .A}}x{{end}}", false},
	    {"plain", false}, {"{{.}}", true}, {"{{json .}}", true},
	    {"{{if .A}}{{$x := .}}{{$x.B}}{{end}}", true}, {"{{with $}}{{.B}}{{end}}", true},
	    {"{{(index . \"A\")}}", true}, {"{{range .A}}{{.}}{{end}}", true}};
	struct err e = {0};

	for (size_t i = 0; i < COUNTOF(takes); i++) {
		own_template struct template *t = template_parse("t", takes[i].text, &e);

		cr_assert_not_null(t, "%s", e.text);
		cr_expect_eq(template_takes_dot(t), takes[i].dot, "%s", takes[i].text);
	}
}

/* The output of output_list for two rows, of which JSON has other fields. */
static char *
listed(struct output o, bool empty)
{
	static char out[2048];
	own_json json_t *rows = json_arr(), *told = json_arr();
	struct err e = {0};
	FILE *f = fmemopen(out, sizeof(out), "w");

	memset(out, 0, sizeof(out));
	for (int i = 0; i < 2 && !empty; i++) {
		json_t *row = json_add_obj(rows);

		json_put_str(row, "ID", i == 0 ? "abcdef" : "012345");
		json_put_str(row, "CreatedAt", i == 0 ? "now" : "a very long time ago");
		json_put_int(json_add_obj(told), "Told", i);
		json_put_str(row, "Names", i == 0 ? "h\xc3\xa9" : "b");
	}
	o.table = "{{.ID}}\t{{.CreatedAt}}\t{{.Names}}";
	o.type = "define.Row";
	if (output_list(&o, rows, told, f, &e) == -1)
		fputs(e.text, f);
	fclose(f);
	return out;
}

Test(output, tables)
{
	static const struct output_heading heads[] = {{"ID", "CONTAINER ID"}, {0}};

	cr_expect_str_eq(listed((struct output){.headings = heads}, false),
	    "CONTAINER ID  CREATED AT            NAMES\n"
	    "abcdef        now                   h\xc3\xa9\n"
	    "012345        a very long time ago  b\n");
	cr_expect_str_eq(listed((struct output){0}, true), "ID          CREATED AT  NAMES\n");
	cr_expect_str_eq(listed((struct output){.noheading = true}, true), "");
	cr_expect_str_eq(listed((struct output){.format = "table {{.ID}} {{.Names}}"}, false),
	    "ID          NAMES\nabcdef      h\xc3\xa9\n012345      b\n");
	cr_expect_str_eq(listed((struct output){.quiet = "{{.ID}}"}, false), "abcdef\n012345\n");
	cr_expect_str_eq(listed((struct output){.format = "{{.ID}}\\t{{.Names}}"}, false),
	    "abcdef\th\xc3\xa9\n012345\tb\n");
	cr_expect_str_eq(listed((struct output){.format = "{{range .}}{{.ID}},{{end}}"}, false),
	    "abcdef,012345,\n");
	cr_expect_str_eq(listed((struct output){.format = "{{.Bad}}"}, false),
	    "template: list:1:2: executing \"list\" at <.Bad>: can't evaluate field Bad in type "
	    "define.Row");
	cr_expect_str_eq(listed((struct output){.format = "json"}, true), "[]\n");
	cr_expect_str_eq(listed((struct output){.format = "{{.ID}} {{json .}}"}, false),
	    "abcdef {\"Told\":0}\n012345 {\"Told\":1}\n");
	cr_expect_str_eq(
	    listed(
		(struct output){.format = "{{$x := .}}{{. | json}}{{json $x}}{{json .ID}}"}, false),
	    "{\"Told\":0}{\"Told\":0}\"abcdef\"\n{\"Told\":1}{\"Told\":1}\"012345\"\n");
	cr_expect_str_eq(
	    listed(
		(struct output){.format = "{{range .}}{{.ID}}{{json .}}{{end}}{{json .}}"}, false),
	    "abcdef{\"Told\":0}012345{\"Told\":1}[{\"Told\":0},{\"Told\":1}]\n");
	cr_expect_str_eq(listed((struct output){.format = "{{ json . }}"}, false),
	    "[\n    {\n        \"Told\": 0\n    },\n    {\n        \"Told\": 1\n    }\n]\n");
}
