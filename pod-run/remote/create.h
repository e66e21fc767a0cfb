/* SPDX-License-Identifier: ISC */
#ifndef POD_REMOTE_CREATE_H
#define POD_REMOTE_CREATE_H

#include "pod-run/remote/command.h"
#include "pod-run/remote/spec.h"

/* Options of create and run that create_container heeds. */
#define CREATE_OPTIONS                                                                    \
	SPEC_OPTIONS                                                                      \
	",add-host,annotation,authfile,cap-add,cap-drop,creds,dns,dns-option,dns-search," \
	"entrypoint,env,env-host,group-add,hostname,init,interactive,label,name,network," \
	"privileged,publish,publish-all,pull,quiet,read-only,restart,rm,stop-signal,"     \
	"stop-timeout,tls-verify,tty,user,workdir"

/* Makes a container of the words and options, after the image was pulled if need be; the ID is the caller's. */
int create_container(struct remote *r, const struct args *a, char **id, struct err *e);

/* "NAME=value" and "NAME", which is the caller's, as an object. */
json_t *create_env(const struct strv *words);

#endif
