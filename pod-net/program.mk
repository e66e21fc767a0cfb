# SPDX-License-Identifier: ISC
NET_SRC := $(addprefix pod-net/,main.c command.c net.c setup.c plan.c helper.c pasta.c slirp.c network.c addr.c lease.c state.c netns.c netlink.c link.c \
	bridge.c port.c nft.c firewall.c firewall_table.c)
$(eval $(call program,pod-net,bin,$(NET_SRC),-lmsgpackc -ljansson,dynamic))
