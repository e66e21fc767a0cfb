/* SPDX-License-Identifier: ISC */
/*
 * The Container Device Interface (specification 0.8): devices described by files of the host's vendors, as
 * vendor.com/class=name, that bring device nodes, mounts, variables and hooks with them.
 */
#ifndef POD_CDI_H
#define POD_CDI_H

#include "common/base/json.h"
#include "common/wire/msg.h"

/* What a name may look like; whether anybody describes it is another question. */
bool cdi_is_name(const char *word);

struct cdi_node {
	const char *path, *host_path, *type;  /* type NULL: by the host's node */
	int64_t major, minor, mode, uid, gid; /* -1: by the host's node */
	const char *access;
};

struct cdi_mount {
	const char *source, *target, *type;
	struct strs options;
};

/* Everything that the devices of one container ask for, in order. */
struct cdi_edits {
	struct {
		struct cdi_node *v;
		size_t n;
	} nodes;
	struct {
		struct cdi_mount *v;
		size_t n;
	} mounts;
	struct strs env;
	struct {
		uint64_t *v;
		size_t n;
	} gids;
	json_t *hooks; /* array of {hookName, path, args, env, timeout}; NULL: none */
	const char *rdt_class;
};
void cdi_free(struct cdi_edits *edits);
#define own_cdi own(cdi_free)

/*
 * Looks the names up in the *.json, *.yaml and *.yml files of the directories, where a later directory wins, and
 * collects their edits.  A name that nobody describes is an error.
 */
int cdi_find(const struct strv *dirs, const struct strs *names, struct arena *a,
    struct cdi_edits *out, struct err *e);

#endif
