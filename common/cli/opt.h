/* SPDX-License-Identifier: ISC */
/*
 * Options of a command as data.  The same rows drive parsing, --help, completion and the check of
 *the manuals.  Parsing follows pflag: --opt=value, --opt value, -o value, -ovalue, -abc clusters,
 * --bool=false, "--" ends the options.
 *
 *	struct rm_opts { bool force; const char *cidfile; struct strv filter; };
 *	static const struct opt rm_rows[] = {
 *		{"force", 'f', OPT_BOOL(struct rm_opts, force), .help = "Force removal of running
 *…"},
 *		{"cidfile", 0, OPT_STRING(struct rm_opts, cidfile), .arg = "file",
 *		    .complete = COMPLETE_FILE, .help = "Read the container ID from the file"},
 *		{"filter", 0, OPT_LIST(struct rm_opts, filter), .arg = "filter", .help = "…"},
 *		OPT_END,
 *	};
 */
#ifndef POD_OPT_H
#define POD_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"

enum opt_type {
	OPT_TYPE_BOOL,	   /* bool */
	OPT_TYPE_STRING,   /* const char *, borrowed from argv; NULL if not given and no default */
	OPT_TYPE_LIST,	   /* struct strv, one element for each occurrence */
	OPT_TYPE_COMMA,	   /* struct strv, split at commas (CSV quotes understood), repeatable */
	OPT_TYPE_INT,	   /* int64_t */
	OPT_TYPE_UINT,	   /* uint64_t */
	OPT_TYPE_FLOAT,	   /* double */
	OPT_TYPE_SIZE,	   /* int64_t bytes: 64m, 1g */
	OPT_TYPE_DURATION, /* int64_t nanoseconds: 1h30m */
	OPT_TYPE_TRISTATE, /* int: -1 not given, 0 false, 1 true */
	OPT_TYPE_CALL,	   /* row->call stores the value */
	OPT_TYPE_NO_BOOL,  /* accepted for compatibility, no effect */
	OPT_TYPE_NO_STRING /* the same, with an argument */
};

/* What completes an option's argument or a command's positional arguments. */
enum complete_kind {
	COMPLETE_NONE,
	COMPLETE_FILE,
	COMPLETE_DIR,
	COMPLETE_CHOICE, /* row->choices */
	COMPLETE_CONTAINER,
	COMPLETE_CONTAINER_RUNNING,
	COMPLETE_IMAGE,
	COMPLETE_NETWORK,
	COMPLETE_POD,
	COMPLETE_VOLUME,
	COMPLETE_SECRET,
	COMPLETE_MANIFEST,
	COMPLETE_ARTIFACT,
	COMPLETE_USER,
	COMPLETE_SIGNAL,
	COMPLETE_CAPABILITY,
	COMPLETE_OBJECT, /* whatever inspect shows: containers, images, networks, volumes */
	COMPLETE_COMMAND /* a command of this program, as for help */
};

#define OPT_HIDDEN 0x01u /* works, but is in no help, completion or manual */
#define OPT_LOCAL 0x02u	 /* a global option that counts only before the command's name */
#define OPT_COUNT 0x04u	 /* an int that is negative only as the default, for "not given" */
#define OPT_BLANK 0x08u	 /* a string or list: an empty value is as none */

struct opt {
	const char *name;
	char letter; /* or 0 */
	unsigned char type, complete, flags;
	unsigned short bits; /* 32: int and uint are limited to 32 bits; 0: 64 */
	unsigned at;	     /* use the OPT_… macros below, which check the member's type */
	const char *arg;     /* placeholder in the help; NULL: the type's name */
	const char *def; /* default, parsed and stored before the command line; shown in the help */
	const char *show;  /* default as shown in the help, where it is not known here */
	const char *none;  /* value of "--opt" without "=value"; NULL: an argument is required */
	const char *alias; /* other accepted long names, separated by commas */
	const char
	    *choices; /* offered before what complete finds, separated by commas; not enforced */
	const char *help; /* one line, no full stop */
	int (*call)(void *member, const char *value, struct err *e);
};

/* A member's offset, and a compiler warning if it is not of type T. */
#define OPT_AT_(s, m, T) (unsigned)(offsetof(s, m) + 0 * sizeof((T *)0 == &((s *)0)->m))
#define OPT_BOOL(s, m) .type = OPT_TYPE_BOOL, .at = OPT_AT_(s, m, bool)
#define OPT_STRING(s, m) .type = OPT_TYPE_STRING, .at = OPT_AT_(s, m, const char *)
#define OPT_LIST(s, m) .type = OPT_TYPE_LIST, .at = OPT_AT_(s, m, struct strv)
#define OPT_COMMA(s, m) .type = OPT_TYPE_COMMA, .at = OPT_AT_(s, m, struct strv)
#define OPT_INT(s, m) .type = OPT_TYPE_INT, .at = OPT_AT_(s, m, int64_t)
#define OPT_UINT(s, m) .type = OPT_TYPE_UINT, .at = OPT_AT_(s, m, uint64_t)
#define OPT_FLOAT(s, m) .type = OPT_TYPE_FLOAT, .at = OPT_AT_(s, m, double)
#define OPT_SIZE(s, m) .type = OPT_TYPE_SIZE, .at = OPT_AT_(s, m, int64_t)
#define OPT_DURATION(s, m) .type = OPT_TYPE_DURATION, .at = OPT_AT_(s, m, int64_t)
#define OPT_TRISTATE(s, m) .type = OPT_TYPE_TRISTATE, .at = OPT_AT_(s, m, int)
#define OPT_CALL(s, m, f) .type = OPT_TYPE_CALL, .at = (unsigned)offsetof(s, m), .call = (f)
#define OPT_NO_BOOL .type = OPT_TYPE_NO_BOOL
#define OPT_NO_STRING .type = OPT_TYPE_NO_STRING
#define OPT_END   \
	{         \
		0 \
	}

/*
 * A table used by a command.  base is the offset, within the command's options struct, of the
 * struct that the rows' offsets refer to, so that run and create can embed one shared struct.
 */
struct opt_group {
	const struct opt *rows;
	size_t base;
};
#define OPT_GROUPS_MAX 8

/* The state of one parse.  Zero-initialised, with the tables filled in; opt_done releases it. */
struct opt_parse {
	const struct opt_group *local; /* ends at rows == NULL or OPT_GROUPS_MAX; may be NULL */
	void *local_opts;
	const struct opt *global; /* rows; may be NULL */
	void *global_opts;
	bool before_command;  /* OPT_LOCAL rows of the global table count too */
	bool stop_at_operand; /* the first word that is no option ends the options */

	char **operands; /* words that are no options; owned, the words are borrowed */
	int operand_n;
	int rest;    /* index in argv of the first unread word (with stop_at_operand) */
	int dash_at; /* number of operands before "--", or -1 */
	bool help;   /* --help or -h was asked for */

	const struct opt **given;
	size_t given_n, given_cap;
};

/* Stores the defaults of all rows in opts (which is zero-filled before). A bad default aborts. */
void opt_defaults(const struct opt_group *groups, void *opts);
void opt_defaults_rows(const struct opt *rows, void *opts);

/* Parses argv[1..]. An error is of class USAGE and has Podman's text, without the "See …" line. */
int opt_parse(struct opt_parse *p, int argc, char **argv, struct err *e);

/* True if the option was on the command line. */
bool opt_given(const struct opt_parse *p, const char *name);

/* Stores one value as if it had been given; for API servers and configuration. */
int opt_store(const struct opt *o, void *opts, const char *value, bool first, struct err *e);

/* Frees the lists in opts. */
void opt_free(const struct opt_group *groups, void *opts);
void opt_free_rows(const struct opt *rows, void *opts);
void opt_done(struct opt_parse *p);

bool opt_takes_value(const struct opt *o); /* an argument is required */
const struct opt *opt_find(const struct opt *rows, const char *name, size_t n);
const struct opt *opt_find_letter(const struct opt *rows, char letter);

/* True if name is an element of the comma-separated list (which may be NULL). */
bool opt_in_list(const char *list, const char *name, size_t n);

#endif
