# SPDX-License-Identifier: ISC
$(eval $(call program,pod-image-fetch,libexec/pod,$(wildcard pod-image/fetch/*.c),\
	$(call pc,libcurl libssl libcrypto jansson msgpack) -lseccomp,dynamic))
