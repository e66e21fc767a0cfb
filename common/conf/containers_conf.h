/* SPDX-License-Identifier: ISC */
/*
 * containers.conf(5), merged from its places:
 *	/usr/share/containers/containers.conf, then its .d directory;
 *	/etc/containers/containers.conf, /etc/containers/containers.conf.d/ *.conf by name;
 *	for ordinary users also /etc/containers/containers.rootless.conf(.d) and
 *	$XDG_CONFIG_HOME/containers/containers.conf(.d);
 *	modules; CONTAINERS_CONF replaces all files; CONTAINERS_CONF_OVERRIDE comes last.
 * An array replaces the earlier one unless {append=true} is among its elements.
 */
#ifndef POD_CONTAINERS_CONF_H
#define POD_CONTAINERS_CONF_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/base/mem.h"

/*
 * A member per key of containers_conf.def, named SECTION_KEY: conf.containers_pids_limit (int64_t),
 * conf.engine_runtime (const char *, "" if not set), conf.containers_env (struct strv),
 * conf.engine_runtimes (json_t *, an object, NULL if not set).  SECTION_KEY_set tells whether a
 * file set it.  Units are in the .def.
 * A WORD is one of a few ("" in the table: of any), and as if it were not set when it is empty; a PATH is absolute.
 */
#define CONF_WORD(section, key, def, words, doc) CONF_STR(section, key, def, doc)
#define CONF_PATH(section, key, def, doc) CONF_STR(section, key, def, doc)
#define PIDS_LIMIT_MAX 4194304 /* more the kernel does not take */

/* What a TREE holds. */
enum conf_tree { CONF_STRINGS, CONF_LISTS, CONF_TABLES, CONF_TABLES_LIST };

struct containers_conf {
#define CONF_STR(section, key, def, doc) \
	const char *section##_##key;     \
	bool section##_##key##_set;
#define CONF_BOOL(section, key, def, doc) \
	bool section##_##key;             \
	bool section##_##key##_set;
#define CONF_INT(section, key, def, min, max, doc) \
	int64_t section##_##key;                   \
	bool section##_##key##_set;
#define CONF_LIST(section, key, def, doc) \
	struct strv section##_##key;      \
	bool section##_##key##_set;
#define CONF_TREE(section, key, kind, doc) \
	json_t *section##_##key;           \
	bool section##_##key##_set;
#include "common/conf/containers_conf.def"
	json_t *tree; /* everything that was read, merged; strings above are borrowed from it */
	struct strv files; /* the files read, in order */
};

/*
 * Reads and merges for the user uid, which decides about the rootless files (inside a user
 * namespace, pass the uid outside).  modules (may be NULL) are the values of --module: names below
 * containers.conf.modules, or paths.  Without any file it only costs a few failed opens.
 */
int containers_conf_load(
    struct containers_conf *c, uid_t uid, const struct strv *modules, struct err *e);
void containers_conf_free(struct containers_conf *c);
#define own_containers_conf own(containers_conf_free)

#endif
