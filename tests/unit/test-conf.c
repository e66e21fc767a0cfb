/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <sys/stat.h>

#include "common/base/own.h"
#include "common/conf/containers_conf.h"
#include "common/conf/storage_conf.h"

static char dir[64];

static char *
put(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	own_file FILE *f = fopen(path, "we");

	cr_assert_not_null(f);
	fputs(text, f);
	return path;
}

static void
setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test-conf-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	unsetenv("CONTAINERS_CONF");
	unsetenv("CONTAINERS_CONF_OVERRIDE");
	unsetenv("CONTAINERS_STORAGE_CONF");
	unsetenv("XDG_DATA_HOME");
	setenv("XDG_CONFIG_HOME", dir, 1);
	setenv("HOME", dir, 1);
}

static void
teardown(void)
{
	own_mem char *command = xasprintf("%s", dir);

	cr_assert(strncmp(command, "/tmp/test-conf-", 15) == 0);
	for (int i = 0; i < 2; i++) {
		static const char *const names[] = {"a.conf", "b.conf", "m.conf", "storage.conf",
		    "containers/containers.conf.d/2.conf", "containers/containers.conf.d/10.conf",
		    "containers/containers.conf.d", "containers/containers.conf", "containers", ""};

		for (size_t k = 0; k < COUNTOF(names); k++) {
			own_mem char *path = xasprintf("%s/%s", dir, names[k]);

			remove(path);
		}
	}
}

TestSuite(conf, .init = setup, .fini = teardown);

Test(conf, defaults)
{
	own_containers_conf struct containers_conf c = {0};
	own_mem char *none = put("a.conf", "");
	struct err e = {0};

	setenv("CONTAINERS_CONF", none, 1);
	cr_assert_eq(containers_conf_load(&c, 0, NULL, &e), 0, "%s", e.text);
	cr_expect_eq(c.containers_pids_limit, 2048);
	cr_expect_not(c.containers_pids_limit_set);
	cr_expect_eq(c.containers_default_capabilities.n, 11);
	cr_expect_str_eq(c.containers_shm_size, "65536k");
	cr_expect_eq(c.engine_stop_timeout, 10);
	cr_expect_str_eq(c.engine_detach_keys, "ctrl-p,ctrl-q");
	cr_expect(c.engine_runtimes == NULL);
	cr_expect(c.containers_http_proxy);
}

Test(conf, precedence_and_arrays)
{
	own_containers_conf struct containers_conf c = {0};
	own_mem char *base =
	    put("a.conf", "[containers]\nenv=[\"A=1\",{append=true}]\npids_limit=5\n"
			  "volumes=[\"/a:/a\"]\n[engine.runtimes]\ncrun=[\"/x\"]\n");
	own_mem char *module = put("m.conf", "[containers]\nenv=[\"B=2\"]\nvolumes=[\"/b:/b\"]\n"
					     "[engine.runtimes]\nrunc=[\"/y\"]\n");
	own_mem char *over = put("b.conf", "[containers]\npids_limit=7\ninit=true\nnew_key=1\n");
	own_strv struct strv modules = {0};
	struct err e = {0};

	setenv("CONTAINERS_CONF", base, 1);
	setenv("CONTAINERS_CONF_OVERRIDE", over, 1);
	strv_add(&modules, module);
	cr_assert_eq(containers_conf_load(&c, 0, &modules, &e), 0, "%s", e.text);
	cr_expect_eq(c.containers_pids_limit, 7);
	cr_expect(c.containers_init && c.containers_init_set);
	/* The default, then both files: {append=true} holds for what follows. */
	cr_assert_eq(c.containers_env.n, 3);
	cr_expect(strncmp(c.containers_env.v[0], "PATH=", 5) == 0);
	cr_expect_str_eq(c.containers_env.v[1], "A=1");
	cr_expect_str_eq(c.containers_env.v[2], "B=2");
	cr_assert_eq(c.containers_volumes.n, 1);
	cr_expect_str_eq(c.containers_volumes.v[0], "/b:/b");
	cr_expect_eq(json_object_size(c.engine_runtimes), 2);
	cr_expect_eq(c.files.n, 3);
}

Test(conf, user_files_and_drop_ins)
{
	own_containers_conf struct containers_conf user = {0}, root = {0};
	own_mem char *sub = xasprintf("%s/containers", dir),
		     *d = xasprintf("%s/containers.conf.d", sub);
	struct err e = {0};

	mkdir(sub, 0700);
	mkdir(d, 0700);
	free(put("containers/containers.conf", "[containers]\ntz=\"one\"\numask=\"0027\"\n"));
	free(put("containers/containers.conf.d/10.conf", "[containers]\ntz=\"ten\"\n"));
	free(put("containers/containers.conf.d/2.conf", "[containers]\ntz=\"two\"\n"));
	cr_assert_eq(containers_conf_load(&user, 1000, NULL, &e), 0, "%s", e.text);
	cr_expect_str_eq(user.containers_tz, "two");
	cr_expect_str_eq(user.containers_umask, "0027");
	cr_assert_eq(containers_conf_load(&root, 0, NULL, &e), 0, "%s", e.text);
	cr_expect_str_neq(root.containers_tz, "two");
}

Test(conf, errors)
{
	own_containers_conf struct containers_conf c = {0};
	own_mem char *file = put("a.conf", "[containers]\npids_limit=\"x\"\n");
	own_mem char *broken = put("b.conf", "[containers\n");
	own_strv struct strv modules = {0};
	struct err e = {0};

	setenv("CONTAINERS_CONF", file, 1);
	cr_expect_eq(containers_conf_load(&c, 0, NULL, &e), -1);
	cr_expect(strstr(e.text, "containers.conf: pids_limit in table [containers] must be an "
				 "integer (/") == e.text &&
		      strstr(e.text, "/a.conf)") != NULL,
	    "%s", e.text);
	setenv("CONTAINERS_CONF", broken, 1);
	cr_expect_eq(containers_conf_load(&c, 0, NULL, &e), -1);
	cr_expect(strstr(e.text, "b.conf:1: ") != NULL, "%s", e.text);
	setenv("CONTAINERS_CONF", "/nonexistent/x", 1);
	cr_expect_eq(containers_conf_load(&c, 0, NULL, &e), -1);
	setenv("CONTAINERS_CONF", "/dev/null", 1);
	strv_add(&modules, "no-such-module");
	cr_expect_eq(containers_conf_load(&c, 0, &modules, &e), -1);
}

Test(conf, storage)
{
	own_storage_conf struct storage_conf c = {0}, user = {0}, other = {0};
	own_mem char *file =
	    put("storage.conf", "[storage]\ndriver=\"vfs\"\ngraphroot=\"/data/$UID\"\n"
				"runroot=\"/run/containers/storage\"\n[storage.options]\n"
				"additionalimagestores=[\"/ro\"]\n[storage.options.vfs]\n"
				"ignore_chown_errors=\"true\"\n");
	struct err e = {0};

	setenv("CONTAINERS_STORAGE_CONF", file, 1);
	cr_assert_eq(storage_conf_load(&c, 0, &e), 0, "%s", e.text);
	cr_expect_str_eq(c.driver, "vfs");
	cr_expect_str_eq(c.graphroot, "/data/0");
	cr_expect_str_eq(c.runroot, "/run/pod");
	cr_expect_eq(c.additional_image_stores.n, 1);
	cr_expect_str_eq(c.options.v[0], "vfs.ignore_chown_errors=true");
	setenv("CONTAINERS_STORAGE_CONF", "/dev/null", 1);
	setenv("XDG_RUNTIME_DIR", "/run/u", 1);
	setenv("XDG_DATA_HOME", "/data", 1);
	cr_assert_eq(storage_conf_load(&user, 1000, &e), 0, "%s", e.text);
	cr_expect_str_eq(user.graphroot, "/data/pod");
	cr_expect_str_eq(user.runroot, "/run/u/pod");
	setenv("CONTAINERS_STORAGE_CONF", "/nonexistent/x", 1);
	cr_expect_eq(storage_conf_load(&other, 0, &e), -1);
}
