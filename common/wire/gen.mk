# SPDX-License-Identifier: ISC
$(BUILD)/man/pod-protocol.7: common/wire/gen-protocol.c common/wire/msg.c $(LIBCOMMON)
	@mkdir -p $(@D) $(G)
	$(CC) $(CPPFLAGS_ALL) -std=gnu11 -O1 $(WARN) $(FORTIFY) -DMSG_DOCS -o $(G)/gen-protocol $(filter %.c,$^) $(LIBCOMMON) -lmsgpackc
	$(G)/gen-protocol > $@
MAN_GENERATED += $(BUILD)/man/pod-protocol.7
