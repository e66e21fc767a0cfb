/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>

#include "common/base/own.h"
#include "common/cli/opt.h"
#include "common/cli/value.h"

struct shared_opts {
	struct strv label;
	int64_t memory;
};

struct opts {
	bool all, rm;
	const char *name, *pull;
	struct shared_opts shared;
	struct strv expose;
	int64_t quota;
	uint64_t shares;
	double cpus;
	int64_t delay;
	int verify;
	int called;
};

struct globals {
	const char *root;
	bool version;
};

static int
call(void *member, const char *value, struct err *e)
{
	if (strcmp(value, "bad") == 0)
		return err_set(e, ERR_USAGE, "not good");
	++*(int *)member;
	return 0;
}

static const struct opt shared_rows[] = {
    {"label", 'l', OPT_LIST(struct shared_opts, label), .help = "Set metadata"},
    {"memory", 'm', OPT_SIZE(struct shared_opts, memory), .help = "Memory limit"},
    OPT_END,
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct opts, all)},
    {"rm", 0, OPT_BOOL(struct opts, rm), .def = "true"},
    {"name", 'n', OPT_STRING(struct opts, name), .alias = "nom,title"},
    {"pull", 0, OPT_STRING(struct opts, pull), .def = "missing", .none = "always"},
    {"expose", 'e', OPT_COMMA(struct opts, expose), .def = "1,2"},
    {"quota", 0, OPT_INT(struct opts, quota), .def = "-1"},
    {"shares", 'c', OPT_UINT(struct opts, shares), .bits = 32},
    {"cpus", 0, OPT_FLOAT(struct opts, cpus)},
    {"delay", 0, OPT_DURATION(struct opts, delay), .def = "30s"},
    {"tls-verify", 0, OPT_TRISTATE(struct opts, verify)},
    {"call", 0, OPT_CALL(struct opts, called, call)},
    {"old", 0, OPT_NO_BOOL},
    {"older", 0, OPT_NO_STRING},
    OPT_END,
};

static const struct opt global_rows[] = {
    {"root", 0, OPT_STRING(struct globals, root)},
    {"version", 'v', OPT_BOOL(struct globals, version), .flags = OPT_LOCAL},
    OPT_END,
};

static const struct opt_group groups[OPT_GROUPS_MAX] = {
    {shared_rows, offsetof(struct opts, shared)}, {rows}};

struct parsed {
	struct opts o;
	struct globals g;
	struct opt_parse p;
	struct err e;
	struct strv words;
	int r;
};

static struct parsed d;

static void
forget(void)
{
	opt_done(&d.p);
	opt_free(groups, &d.o);
	strv_free(&d.words);
	d = (struct parsed){0};
}

TestSuite(opt, .fini = forget);

/* Parses the words of a line, separated by single blanks. */
static void
parse(const char *line, bool stop)
{
	forget();
	d.p = (struct opt_parse){.local = groups, .stop_at_operand = stop, .global = global_rows};
	d.p.local_opts = &d.o;
	d.p.global_opts = &d.g;
	strv_add(&d.words, "cmd");
	if (*line != '\0')
		strv_split(&d.words, line, ' ');
	opt_defaults(groups, &d.o);
	d.r = opt_parse(&d.p, (int)d.words.n, d.words.v, &d.e);
}

Test(opt, defaults)
{
	parse("", false);
	cr_assert_eq(d.r, 0);
	cr_expect(d.o.rm && !d.o.all && d.o.name == NULL);
	cr_expect_str_eq(d.o.pull, "missing");
	cr_expect_eq(d.o.quota, -1);
	cr_expect_eq(d.o.delay, 30000000000);
	cr_expect_eq(d.o.verify, -1);
	cr_expect_eq(d.o.expose.n, 2);
	cr_expect_not(opt_given(&d.p, "rm"));
}

Test(opt, forms)
{
	parse("--name=x -l a=b -lc=d -l=e --memory 64m one -a --rm=false two -- -x --all", false);
	cr_assert_eq(d.r, 0, "%s", d.e.text);
	cr_expect_str_eq(d.o.name, "x");
	cr_expect_eq(d.o.shared.label.n, 3);
	cr_expect_str_eq(d.o.shared.label.v[1], "c=d");
	cr_expect_str_eq(d.o.shared.label.v[2], "e");
	cr_expect_eq(d.o.shared.memory, 64 << 20);
	cr_expect(d.o.all && !d.o.rm);
	cr_expect_eq(d.p.operand_n, 4);
	cr_expect_str_eq(d.p.operands[2], "-x");
	cr_expect_eq(d.p.dash_at, 2);
	cr_expect(opt_given(&d.p, "rm"));
}

Test(opt, clusters)
{
	parse("-anfoo -ac 7", false);
	cr_assert_eq(d.r, 0, "%s", d.e.text);
	cr_expect_str_eq(d.o.name, "foo");
	cr_expect_eq(d.o.shares, 7);
	parse("-a=false -n= x", false);
	cr_assert_eq(d.r, 0, "%s", d.e.text);
	cr_expect_not(d.o.all);
	cr_expect_str_eq(d.o.name, "");
	cr_expect_eq(d.p.operand_n, 1);
}

Test(opt, stops_at_operand)
{
	parse("-a image --all -z", true);
	cr_assert_eq(d.r, 0, "%s", d.e.text);
	cr_expect_eq(d.p.operand_n, 3);
	cr_expect_str_eq(d.p.operands[2], "-z");
	parse("-- image", true);
	cr_expect_eq(d.p.operand_n, 1);
}

Test(opt, lists_replace_the_default)
{
	parse("-e 7,\"a,b\" --expose 8", false);
	cr_assert_eq(d.r, 0, "%s", d.e.text);
	cr_expect_eq(d.o.expose.n, 3);
	cr_expect_str_eq(d.o.expose.v[1], "a,b");
	cr_expect_str_eq(d.o.expose.v[2], "8");
}

Test(opt, optional_values)
{
	parse("--pull x", false);
	cr_expect_str_eq(d.o.pull, "always");
	cr_expect_eq(d.p.operand_n, 1);
	parse("--pull=never --tls-verify=false --old --older x", false);
	cr_assert_eq(d.r, 0, "%s", d.e.text);
	cr_expect_str_eq(d.o.pull, "never");
	cr_expect_eq(d.o.verify, 0);
	cr_expect_eq(d.p.operand_n, 0);
}

Test(opt, aliases_and_globals)
{
	parse("--nom a --title b --root /r --call x --call y", false);
	cr_assert_eq(d.r, 0, "%s", d.e.text);
	cr_expect_str_eq(d.o.name, "b");
	cr_expect_str_eq(d.g.root, "/r");
	cr_expect_eq(d.o.called, 2);
	cr_expect(opt_given(&d.p, "name"));
	parse("-v", false);
	cr_expect_str_eq(d.e.text, "unknown shorthand flag: 'v' in -v");
}

Test(opt, help)
{
	parse("--help --nosuch", false);
	cr_expect(d.r == 0 && d.p.help);
	parse("-h", false);
	cr_expect(d.r == 0 && d.p.help);
	parse("image --help", true);
	cr_expect_not(d.p.help);
}

Test(opt, errors)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
	    {"--nosuch", "unknown flag: --nosuch"},
	    {"--nosuch=1", "unknown flag: --nosuch"},
	    {"-z", "unknown shorthand flag: 'z' in -z"},
	    {"-azx", "unknown shorthand flag: 'z' in -zx"},
	    {"--name", "flag needs an argument: --name"},
	    {"-n", "flag needs an argument: 'n' in -n"},
	    {"-an", "flag needs an argument: 'n' in -n"},
	    {"--=x", "bad flag syntax: --=x"},
	    {"---x", "bad flag syntax: ---x"},
	    {"--rm=maybe",
		"invalid argument \"maybe\" for \"--rm\" flag: strconv.ParseBool: parsing "
		"\"maybe\": invalid syntax"},
	    {"-c -1",
		"invalid argument \"-1\" for \"-c, --shares\" flag: strconv.ParseUint: parsing "
		"\"-1\": invalid syntax"},
	    {"-c 4294967296", "invalid argument \"4294967296\" for \"-c, --shares\" flag: "
			      "strconv.ParseUint: parsing \"4294967296\": value out of range"},
	    {"-m 1q", "invalid argument \"1q\" for \"-m, --memory\" flag: invalid suffix: 'q'"},
	    {"--delay 5",
		"invalid argument \"5\" for \"--delay\" flag: time: missing unit in duration "
		"\"5\""},
	    {"--call bad", "invalid argument \"bad\" for \"--call\" flag: not good"},
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		parse(cases[i].line, false);
		cr_expect_eq(d.r, -1, "%s", cases[i].line);
		cr_expect_str_eq(d.e.text, cases[i].text);
		cr_expect_eq(d.e.class, ERR_USAGE);
	}
}

Test(value, sizes)
{
	static const struct {
		const char *s;
		int64_t v;
	} good[] = {{"0", 0}, {"100", 100}, {"1k", 1024}, {"1K", 1024}, {"64m", 64 << 20},
	    {"1.5g", 1610612736}, {"1KiB", 1024}, {"2 kb", 2048}, {"3b", 3}, {"1t", 1099511627776},
	    {"1e5", 100000}};
	static const char *const bad[] = {"", "x", "-1", "1kk", "1.2.3", "9999999p", " ", "1ib"};
	struct err e;
	int64_t v;

	for (size_t i = 0; i < COUNTOF(good); i++) {
		cr_expect_eq(value_size(good[i].s, &v, &e), 0, "%s", good[i].s);
		cr_expect_eq(v, good[i].v, "%s", good[i].s);
	}
	for (size_t i = 0; i < COUNTOF(bad); i++)
		cr_expect_eq(value_size(bad[i], &v, &e), -1, "%s", bad[i]);
	cr_expect_eq(value_size_decimal("1k", &v, &e), 0);
	cr_expect_eq(v, 1000);
}

Test(value, durations)
{
	static const struct {
		const char *s;
		int64_t v;
	} good[] = {{"0", 0}, {"1s", 1000000000}, {"1.5h", 5400000000000}, {"2h45m", 9900000000000},
	    {"-300ms", -300000000}, {"1us", 1000}, {"1\xc2\xb5s", 1000}, {".5s", 500000000}};
	static const char *const bad[] = {"", "1", "s", "1x", "1.s.", "99999999999h", "-", "."};
	struct err e;
	int64_t v;

	for (size_t i = 0; i < COUNTOF(good); i++) {
		cr_expect_eq(value_duration(good[i].s, &v, &e), 0, "%s", good[i].s);
		cr_expect_eq(v, good[i].v, "%s", good[i].s);
	}
	for (size_t i = 0; i < COUNTOF(bad); i++)
		cr_expect_eq(value_duration(bad[i], &v, &e), -1, "%s", bad[i]);
}

Test(value, integers)
{
	struct err e;
	int64_t i;
	uint64_t u;

	cr_expect(value_int("-0x10", 64, &i, &e) == 0 && i == -16);
	cr_expect(value_int("0o17", 64, &i, &e) == 0 && i == 15);
	cr_expect(value_int("017", 64, &i, &e) == 0 && i == 15);
	cr_expect(value_int("-9223372036854775808", 64, &i, &e) == 0 && i == INT64_MIN);
	cr_expect(value_uint("18446744073709551615", 64, &u, &e) == 0 && u == UINT64_MAX);
	cr_expect_eq(value_uint("18446744073709551616", 64, &u, &e), -1);
	cr_expect_eq(value_int("9223372036854775808", 64, &i, &e), -1);
	cr_expect_eq(value_int("2147483648", 32, &i, &e), -1);
	cr_expect_eq(value_int("08", 64, &i, &e), -1);
	cr_expect_eq(value_int("", 64, &i, &e), -1);
	cr_expect_eq(value_int("0x", 64, &i, &e), -1);
}
