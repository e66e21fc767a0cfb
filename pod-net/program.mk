# SPDX-License-Identifier: ISC
NET_SRC := $(addprefix pod-net/,main.c messages.c command.c command_define.c command_running.c net.c setup.c plan.c driver.c create.c attach.c connect.c manage.c child.c helper.c netavark.c netavark_json.c netavark_create.c backend.c blame.c cni.c cni_answer.c conflist.c plugin.c plugin_answer.c dhcp.c pasta.c rootless.c rootless_routes.c rootless_program.c slirp.c network.c addr.c lease.c names.c state.c left.c tidy.c netns.c netlink.c link.c \
	bridge.c port.c nft.c firewall.c firewall_table.c firewalld.c)
$(eval $(call program,pod-net,bin,$(NET_SRC),-lmsgpackc -ljansson,static))
NET_DNS_SRC := $(addprefix pod-net/dns/,main.c serve.c listener.c forward.c answer.c zone.c message.c resolvers.c) pod-net/addr.c
$(eval $(call program,pod-net-dns,libexec/pod,$(NET_DNS_SRC),-levent_core,dynamic))
NET_FORWARD_SRC := $(addprefix pod-net/forward/,main.c serve.c publish.c stream.c datagram.c client.c) $(addprefix pod-net/,addr.c netlink.c link.c port.c)
$(eval $(call program,pod-net-forward,libexec/pod,$(NET_FORWARD_SRC),-levent_core -lmsgpackc,dynamic))
NET_DHCP_SRC := $(addprefix pod-net/dhcp/,main.c client.c message.c) pod-net/addr.c
$(eval $(call program,pod-net-dhcp,libexec/pod,$(NET_DHCP_SRC),-lmsgpackc,dynamic))
NET_FIREWALLD_SRC := $(addprefix pod-net/firewalld/,main.c zone.c watch.c)
$(eval $(call program,pod-net-firewalld,libexec/pod,$(NET_FIREWALLD_SRC),-lsystemd -lmsgpackc,dynamic))
