# SPDX-License-Identifier: ISC
$(eval $(call program,pod-image,bin,$(wildcard pod-image/*.c),\
	$(call pc,libcrypto jansson yaml-0.1 msgpack),dynamic))
$(eval $(call program,pod-image-fetch,libexec/pod,$(wildcard pod-image/fetch/*.c),\
	$(call pc,libcurl libssl libcrypto jansson msgpack),dynamic))
$(eval $(call program,pod-image-archive,libexec/pod,$(wildcard pod-image/archive/*.c),\
	$(call pc,libarchive msgpack),dynamic))
$(eval $(call program,pod-image-daemon,libexec/pod,$(wildcard pod-image/daemon/*.c),\
	$(call pc,jansson msgpack),dynamic))
$(eval $(call program,pod-image-graph,libexec/pod,$(wildcard pod-image/graph/*.c),\
	-lisal $(call pc,jansson msgpack),dynamic))
$(eval $(call program,pod-image-layout,libexec/pod,$(wildcard pod-image/layout/*.c),\
	$(call pc,msgpack),dynamic))
$(eval $(call program,pod-image-verify,libexec/pod,$(wildcard pod-image/verify/*.c),\
	$(call pc,gpgme libcrypto jansson msgpack),dynamic))
$(eval $(call program,pod-image-sign,libexec/pod,$(wildcard pod-image/sign/*.c),\
	$(call pc,gpgme libsodium libcrypto jansson msgpack),dynamic))
$(eval $(call program,pod-image-keys,libexec/pod,$(wildcard pod-image/keys/*.c) pod-image/openpgp.c,\
	$(call pc,libcrypto jansson msgpack),dynamic))
$(eval $(call program,pod-image-recode,libexec/pod,$(wildcard pod-image/recode/*.c) \
	$(addprefix pod-store/layer/,inflate.c deflate.c digest.c behind.c chunked.c tar.c tarpax.c tarhdr.c sparse.c),\
	-lisal -lzstd -lcrypto $(call pc,msgpack),dynamic))
