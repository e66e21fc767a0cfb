# SPDX-License-Identifier: ISC
# --- The layer workers ---
LAYER_TAR := $(addprefix pod-store/layer/,tar.c tarpax.c tarhdr.c sparse.c)
$(eval $(call program,pod-store-unpack,libexec/pod,$(LAYER_TAR) $(addprefix pod-store/layer/,unpack-main.c extract.c dirs.c name.c index.c opaque.c result.c),-lzstd,dynamic))
