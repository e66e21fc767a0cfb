# SPDX-License-Identifier: ISC
# --- The layer workers ---
LAYER_TAR := $(addprefix pod-store/layer/,tar.c tarpax.c tarhdr.c sparse.c)
$(eval $(call program,pod-store-unpack,libexec/pod,$(LAYER_TAR) $(addprefix pod-store/layer/,unpack-main.c extract.c dirs.c name.c index.c opaque.c result.c xattr.c),-lzstd,dynamic))
$(eval $(call program,pod-store-erofs,libexec/pod,$(LAYER_TAR) $(addprefix pod-store/layer/,erofs-main.c erofs.c nodes.c name.c acl.c result.c xattr.c),,static))
$(eval $(call program,pod-store-inflate,libexec/pod,$(addprefix pod-store/layer/,inflate-main.c inflate.c deflate.c digest.c behind.c result.c),-lisal -lzstd -lcrypto,dynamic))
$(eval $(call program,pod-store-assemble,libexec/pod,$(addprefix pod-store/layer/,assemble-main.c assemble.c reuse.c toc.c jscan.c name.c digest.c result.c),-lzstd -lcrypto,dynamic))
$(eval $(call program,pod-store-lookup,libexec/pod,$(addprefix pod-store/layer/,lookup-main.c passwd.c result.c),,static))
$(eval $(call program,pod-store-pack,libexec/pod,$(LAYER_TAR) $(addprefix pod-store/layer/,pack-main.c pack.c compare.c nodes.c name.c acl.c index.c opaque.c result.c tarout.c xattr.c),-lzstd,dynamic))
$(eval $(call program,pod-store-fuse,libexec/pod,pod-store/layer/fuse-main.c pod-store/layer/result.c pod-store/erofs_mount.c pod-store/fsapi.c,,static))
$(eval $(call program,pod-store-index,libexec/pod,$(wildcard pod-store/index/*.c) pod-store/layer_id.c,$(call pc,jansson msgpack),dynamic))
$(eval $(call program,pod-store-split,libexec/pod,pod-store/layer/split-main.c pod-store/layer/result.c,-lisal $(call pc,jansson),dynamic))
# --- The index, mounts and volumes ---
# Static: a start of the shared libraries costs a millisecond of each command.  libevent's name look-ups, which
# nothing calls, make the linker warn.
STORE_SRC := $(filter-out pod-store/main.c,$(wildcard pod-store/*.c)) \
	$(addprefix pod-store/layer/,result.c opaque.c erofs.c nodes.c name.c acl.c xattr.c)
$(eval $(call program,pod-store,bin,pod-store/main.c $(STORE_SRC),-lsqlite3 -levent_core -lmsgpackc -ljansson -lm $(QUIET_STATIC),static))
