/* SPDX-License-Identifier: ISC */
#include "common/cli/value.h"
#include "pod-run/cmd/access.h"
#include "pod-run/life/image.h"

const struct opt access_rows_basic[] = {
    {"authfile", 0, OPT_STRING(struct access_opts, authfile), .arg = "path",
	.complete = COMPLETE_FILE,
	.help = "Path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to "
		"override"},
    {"cert-dir", 0, OPT_STRING(struct access_opts, cert_dir), .arg = "path",
	.complete = COMPLETE_DIR,
	.help = "Pathname of a directory containing TLS certificates and keys"},
    {"tls-verify", 0, OPT_TRISTATE(struct access_opts, tls_verify), .show = "true",
	.help = "Require HTTPS and verify certificates when contacting registries"},
    OPT_END,
};

const struct opt access_rows_transfer[] = {
    {"creds", 0, OPT_STRING(struct access_opts, creds), .arg = "[username[:password]]",
	.help = "Credentials (USERNAME:PASSWORD) to use for authenticating to a registry"},
    {"retry", 0, OPT_INT(struct access_opts, retry), .flags = OPT_COUNT, .arg = "attempts",
	.def = "-1", .show = "3",
	.help = "number of times to retry in case of failure when performing pull"},
    {"retry-delay", 0, OPT_STRING(struct access_opts, retry_delay), .arg = "duration",
	.help = "delay between retries in case of pull failures"},
    {"signature-policy", 0, OPT_STRING(struct access_opts, signature_policy), .arg = "path",
	.flags = OPT_HIDDEN, .help = "Path to a signature-policy file"},
    OPT_END,
};

int
access_fill(const struct access_opts *o, struct rec_registry_access *out, struct err *e)
{
	int64_t delay = 0;

	if (o->retry_delay != NULL && *o->retry_delay != '\0' &&
	    value_duration(o->retry_delay, &delay, e) == -1)
		return err_wrap(e, "invalid retry delay \"%s\"", o->retry_delay);
	*out = (struct rec_registry_access){
	    .auth_file = o->authfile,
	    .cert_dir = o->cert_dir,
	    .creds = o->creds,
	    .tls_verify = o->tls_verify < 0 ? NULL
			  : o->tls_verify   ? "true"
					    : "false",
	    .policy_file = o->signature_policy,
	    .retries = o->retry >= 0 ? (uint64_t)o->retry + 1 : 0,
	    .retry_delay_ms = (uint64_t)(delay / 1000000),
	};
	return 0;
}
