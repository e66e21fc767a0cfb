#!/bin/bash
# SPDX-License-Identifier: ISC
# One check for each feature of images, transports, registries, trust, manifest lists and artifacts, and of their
# configuration files, as root and as an ordinary user.  A=an image with a shell, R=a registry.
. "$(dirname "$0")/../lib.sh"
. "$LIB_DIR/registry.sh"
command -v docker-registry >/dev/null && command -v skopeo >/dev/null || {
	skip "features of images" "docker-registry or skopeo is not installed"
	finish
}
world
export HOME=$WORLD/home
mkdir -p "$HOME"
own_lookaside

# ID|CHECK, a shell command that succeeds.  Proven at length elsewhere: I05 120, I07 I08 121 and 613, I10 343,
# I12 030 031 050 051, I14 653 652 360, T02 T03 T05 342, T04 032 330 332, T06 342 333, T07 624, T08 331 623 340,
# X01 X02 340, X04 X05 341, X06 340, MA1 610, MA2 611, MA3 612, CF2 652.
rows() {
	cat <<'ROWS'
I01 pull|[ "$($P pull -q --tls-verify=false --policy newer $R/gz:1)" = "$ID" ] && $P pull -q -a --tls-verify=false --retry 2 --retry-delay 1ms $R/multi >/dev/null
I01 another platform|$P pull -q --tls-verify=false --platform linux/s390x $R/multi:1 >/dev/null && [ "$($P inspect -f '{{.Architecture}}' $R/multi:1)" = s390x ]
I01 no such policy|$P pull --policy nosuch $R/gz:1 2>"$D/err"; [ $? = 125 ] && grep -q nosuch "$D/err"
I02 push|$P push -q --tls-verify=false --digestfile "$D/dig" $R/gz:1 $R/$U/pushed && [ "$(cat "$D/dig")" = "$(skopeo inspect --tls-verify=false docker://$R/gz:1 | jq -r .Digest)" ]
I02 push compressed anew|$P push -q --tls-verify=false --compression-format zstd --compression-level 3 --force-compression --format oci --remove-signatures $A $R/$U/zst && skopeo inspect --raw --tls-verify=false docker://$R/$U/zst | grep -q tar+zstd
I03 list|$P images --format json | jq -e 'length > 1' && [ "$($P image ls -q --filter reference=img | wc -l)" = 1 ] && $P images --digests --no-trunc --noheading --sort size >/dev/null
I04 tag, untag|$P tag $A localhost/y && $P untag $A localhost/y && ! $P image exists localhost/y
I05 remove|$P rmi nosuch; [ $? = 1 ] && $P rmi -i nosuch && $P tag $A gone && $P rmi gone && ! $P image exists gone && $P image exists $A
I06 history|[ "$($P history -q $A | head -n 1)" = "$($P images -q $A)" ] && $P history --format json --human=false $A | jq -e 'length > 0'
I06 tree and inspect|$P image tree $A | grep -q '^Image ID' && $P image tree --whatrequires $A >/dev/null && [ "$($P image inspect -f '{{.Os}}' $A)" = linux ]
I06 diff|$P image diff $R/gz:1 | grep -q '^A /opt'
I07 save and load|$P save -q -o "$D/a.tar" $A && $P load -q -i "$D/a.tar" | grep -q "localhost/img" && $P save -q -m -o "$D/m.tar" $A $R/gz:1 && $P load -q <"$D/m.tar" >/dev/null
I07 other forms|$P save -q --format oci-archive -o "$D/o.tar" $A && $P save -q --format oci-dir -o "$D/o.dir" $A && $P save -q --compress --format docker-dir -o "$D/d.dir" $A && $P load -q -i "$D/o.tar" && $P load -q -i "$D/o.dir" >/dev/null
I08 import and export|c=$($P create $A true) && $P export -o "$D/fs.tar" $c && $P import -q -c 'CMD ["/bin/true"]' -m text --arch arm64 --variant v8 "$D/fs.tar" i1 && [ "$($P inspect -f '{{.Config.Cmd}} {{.Architecture}}' i1)" = '[/bin/true] arm64' ] && $P rm $c
I09 mount # |m=$($P image mount $A) && [ -x "$m/bin/busybox" ] && $P image mount --format json | jq -e 'length == 1' && $P image unmount $A
I09 mount # user|$P unshare sh -c 'm=$('"$P"' image mount '"$A"') && test -x "$m/bin/busybox" && '"$P"' image unmount -a'
I10 search|$P search --tls-verify=false --list-tags $R/gz | grep -q "^$R/gz *1"
I11 scp # |$P image scp -q $A root@localhost::
I11 scp names no destination|$P image scp $A 2>"$D/err"; [ $? = 125 ] && grep -q 'name another user' "$D/err"
I12 gzip, zstd, tar|for i in gz zst tar v2s2; do $P pull -q --tls-verify=false $R/$i:1 && [ "$($P run --rm --net none $R/$i:1 cat /opt/second)" = "second layer $(layout_machine)" ] || exit 1; done
I12 zstd:chunked|$P push -q --tls-verify=false --compression-format zstd:chunked --force-compression $A $R/$U/chunked && $P rmi -f $R/$U/chunked 2>/dev/null; $P pull -q --tls-verify=false $R/$U/chunked >/dev/null
I12 lists of both kinds|[ "$($P pull -q --tls-verify=false $R/multi:1 2>/dev/null)" = "$($P pull -q --tls-verify=false $R/dmulti:1)" ] || $P image exists $R/dmulti:1
I12 a manifest of schema 1 is converted|skopeo --insecure-policy copy -q --src-tls-verify=false --format v2s1 docker://$R/v2s2:1 "dir:$D/s1" && $P pull -q "dir:$D/s1" >"$D/id" && [ "$($P image inspect -f '{{.ManifestType}} {{len .RootFS.Layers}}' "$(cat "$D/id")")" = 'application/vnd.docker.distribution.manifest.v2+json 2' ]
I13 encrypted layers|openssl genrsa -out "$D/enc.pem" 2048 2>/dev/null && openssl rsa -in "$D/enc.pem" -pubout -out "$D/enc.pub" 2>/dev/null && $P push -q --tls-verify=false --encryption-key jwe:"$D/enc.pub" $A docker://$R/$U/enc:1 && ! $P pull -q --tls-verify=false $R/$U/enc:1 2>"$D/err" && grep -q 'missing private key' "$D/err" && $P pull -q --tls-verify=false --decryption-key "$D/enc.pem" $R/$U/enc:1
I14 vfs|$P --storage-driver vfs --root "$D/vfs" --runroot "$D/vfsr" pull -q --tls-verify=false $R/gz:1 >/dev/null && $P --storage-driver vfs --root "$D/vfs" --runroot "$D/vfsr" run --rm --net none $R/gz:1 true
I14 an additional store|$P --root "$D/add" --runroot "$D/addr" --storage-opt additionalimagestore="$ROOT" images -q | grep -q .
I14 other drivers are named|$P --storage-driver btrfs --root "$D/b" images 2>"$D/err"; [ $? = 125 ] && grep -q btrfs "$D/err"
T01 archives|$P pull -q oci-archive:"$D/o.tar" && $P pull -q docker-archive:"$D/a.tar" && $P pull -q oci:"$D/o.dir" && $P pull -q dir:"$D/d.dir" >/dev/null
T01 those that are not built are named|for t in sif ostree; do $P pull $t:/x 2>"$D/err"; [ $? = 125 ] && grep -q "the transport $t: is not supported" "$D/err" || exit 1; done
T01 tarball|$P export -o "$D/tb.tar" $($P create $A true) && id=$($P pull -q tarball:"$D/tb.tar") && $P run --rm --net none $id /bin/true && $P rm -a >/dev/null
T02 login, logout|echo secret | $P login --tls-verify=false --authfile "$D/auth" -u me --password-stdin $R && [ "$($P login --authfile "$D/auth" --get-login $R)" = me ] && $P logout --authfile "$D/auth" $R && ! $P login --authfile "$D/auth" --get-login $R
T03 credentials for a namespace|echo secret | $P login --tls-verify=false --authfile "$D/auth" -u me --password-stdin $R/ns && jq -e --arg k "$R/ns" '.auths | keys == [$k]' "$D/auth"
T04 protocol|$P push -q --tls-verify=false $A $R/$U/a:1 && $P push --tls-verify=false $A $R/$U/b:1 2>&1 | grep -q 'already exists' && $P pull -q --tls-verify=false $R/$U/b:1 >/dev/null
T05 registries.conf|printf 'unqualified-search-registries=["%s"]\nshort-name-mode="permissive"\n[aliases]\n"short"="%s/gz"\n[[registry]]\nprefix="hub.example.org"\nlocation="%s"\ninsecure=true\n[[registry]]\nlocation="%s"\ninsecure=true\n[[registry]]\nprefix="bad.example.org"\nlocation="bad.example.org"\nblocked=true\n' $R $R $R $R >"$D/reg.conf"; export CONTAINERS_REGISTRIES_CONF="$D/reg.conf"; $P pull -q short:1 && $P pull -q hub.example.org/gz:1 && ! $P pull -q bad.example.org/gz:1 2>"$D/err" && grep -q blocked "$D/err" && [ "$($P info --format '{{index .Registries "search"}}')" = "[$R]" ]
T06 certificates by --cert-dir|mkdir -p "$D/certs" && $P pull -q --cert-dir "$D/certs" localhost:1/x 2>"$D/err"; [ $? = 125 ] && grep -q 'connection refused' "$D/err"
T07 places of blobs|$P push --tls-verify=false $A $R/$U/c:1 2>&1 | grep -q 'already exists'
T08 offline tools|$I copy -q --src-tls-verify=false docker://$R/gz:1 dir:"$D/x" && [ "$($I manifest-digest "$D/x/manifest.json")" = "$($I inspect --tls-verify=false docker://$R/gz:1 | jq -r .Digest)" ] && $I list-tags --tls-verify=false docker://$R/gz | jq -e '.Tags == ["1"]' && $I copy -q --dest-tls-verify=false --dest-no-creds dir:"$D/x" docker://$R/$U/del:1 && $I delete --tls-verify=false --no-creds --retry-times 0 docker://$R/$U/del:1
X01 policy|printf '{"default":[{"type":"reject"}]}' >"$D/pol"; $P pull --signature-policy "$D/pol" --tls-verify=false $R/gz:1 2>"$D/err"; [ $? = 125 ] && grep -q 'rejected by policy' "$D/err"
X02 identity # key|$P push -q --sign-by me@example.org $A dir:"$D/sig" && printf '{"default":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"%s","signedIdentity":{"type":"exactReference","dockerReference":"example.org/other:1"}}]}' "$D/key.gpg" >"$D/pol2"; $P pull -q --signature-policy "$D/pol2" dir:"$D/sig" 2>"$D/err"; [ $? = 125 ] && grep -qi 'not accepted\|rejected\|signature' "$D/err"
X03 trust|printf '{"default":[{"type":"insecureAcceptAnything"}]}' >"$D/p3"; $P image trust set -t reject --signature-policy "$D/p3" docker.io/bad && $P image trust show --signature-policy "$D/p3" | grep -q 'docker.io/bad.*reject' && $P image trust show --json --signature-policy "$D/p3" | jq -e 'length >= 2' && $P image trust show --raw --signature-policy "$D/p3" | jq -e .default
X04 signing # key|test -f "$D/sig/signature-1" && $P push -q --tls-verify=false --sign-by me@example.org $A $R/$U/signed:1
X04 Sequoia is refused by name|$P push --sign-by-sq-fingerprint 00 $A dir:"$D/x2" 2>"$D/err"; [ $? = 125 ] && grep -q 'Sequoia' "$D/err" && ! $P push --help | grep -q sq-finger
X05 sigstore|printf pw >"$D/pw"; $I generate-sigstore-key --output-prefix "$D/k" --passphrase-file "$D/pw" >/dev/null && mkdir -p "$HOME/.config/containers/registries.d" && printf 'docker:\n  %s:\n    use-sigstore-attachments: true\n' $R >"$HOME/.config/containers/registries.d/r.yaml" && $P push -q --tls-verify=false --sign-by-sigstore-private-key "$D/k.private" --sign-passphrase-file "$D/pw" $A $R/$U/sigst:1 && printf '{"default":[{"type":"sigstoreSigned","keyPath":"%s"}]}' "$D/k.pub" >"$D/p5" && $P pull -q --tls-verify=false --signature-policy "$D/p5" $R/$U/sigst:1 && ! $P pull -q --tls-verify=false --signature-policy "$D/p5" $R/gz:1
X06 lookaside # key|mkdir -p "$D/look" && printf 'docker:\n  %s/%s:\n    lookaside: file://%s\n' $R $U "$D/look" >"$HOME/.config/containers/registries.d/l.yaml" && $P push -q --tls-verify=false --sign-by me@example.org $A $R/$U/looked:1 && find "$D/look" -name signature-1 | grep -q . && printf '{"default":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"%s"}]}' "$D/key.gpg" >"$D/p6" && $P pull -q --tls-verify=false --signature-policy "$D/p6" $R/$U/looked:1
MA1 lists|$P manifest create m1 && $P manifest add m1 $A && $P manifest annotate --arch arm64 m1 $A && [ "$($P manifest inspect m1 | jq -r '.manifests[0].platform.architecture')" = arm64 ] && $P manifest exists m1
MA2 push|$P manifest push -q --tls-verify=false --all --digestfile "$D/ml" m1 docker://$R/$U/m1 && [ -s "$D/ml" ] && skopeo inspect --raw --tls-verify=false docker://$R/$U/m1 | jq -e '.manifests | length == 1' && $P manifest rm m1
MA3 artifacts|echo data >"$D/f" && $P artifact add a1 "$D/f" && [ "$($P artifact ls -q 2>/dev/null | wc -l)" = 1 ] && $P artifact extract a1 "$D/f2" && cmp "$D/f" "$D/f2" && $P artifact push -q --tls-verify=false a1 $R/$U/art:1 2>/dev/null || { $P artifact add $R/$U/art:1 "$D/f" && $P artifact push -q --tls-verify=false $R/$U/art:1; }
MA3 pulled again|$P artifact rm -a >/dev/null && $P artifact pull -q --tls-verify=false $R/$U/art:1 >/dev/null && $P artifact inspect $R/$U/art:1 | jq -e '.Manifest.layers | length == 1'
CF2 storage.conf|printf '[storage]\ndriver="vfs"\ngraphroot="%s"\nrunroot="%s"\n' "$D/g" "$D/gr" >"$D/st.conf"; [ "$(CONTAINERS_STORAGE_CONF="$D/st.conf" $BIN/pod info -f '{{.Store.GraphRoot}} {{.Store.GraphDriverName}}')" = "$D/g vfs" ]
CF4 policy.json and registries.d|mkdir -p "$HOME/.config/containers" && cp "$D/pol" "$HOME/.config/containers/policy.json" && ! $P pull -q --tls-verify=false $R/gz:1 2>"$D/err" && rm "$HOME/.config/containers/policy.json" && grep -q 'rejected by policy' "$D/err" && $P pull -q --tls-verify=false $R/gz:1
CF5 mounts.conf # user|mkdir -p "$HOME/.config/containers" "$D/sub" && echo inside >"$D/sub/f" && echo "$D/sub:/run/sub" >"$HOME/.config/containers/mounts.conf" && [ "$($P run --rm --net none $A cat /run/sub/f)" = inside ]
CF7 auth.json|printf '{"auths":{"%s":{"auth":"%s"}}}' $R "$(printf me:secret | base64)" >"$D/auth.json" && [ "$(REGISTRY_AUTH_FILE="$D/auth.json" $P login --get-login $R)" = me ]
ROWS
}

check_rows() {
	local id check need st
	A=localhost/img D=$WORLD/d P=$WORLD/p I=$BIN/pod-image U=u$(id -u)
	mkdir -p "$D"
	printf '#!/bin/sh\nexec %s/pod --root %s --runroot %s "$@"\n' "$BIN" "$ROOT" "$RUNROOT" >"$P"
	chmod 755 "$P"
	if command -v gpg >/dev/null; then
		export GNUPGHOME=$WORLD/gpg
		mkdir -m 700 "$GNUPGHOME"
		gpg --batch -q --passphrase '' --quick-gen-key me@example.org ed25519 sign never 2>/dev/null && gpg --export >"$D/key.gpg"
	fi
	while IFS='|' read -r id check; do
		need=
		case $id in
		*"# user") need=user id=${id%#*} ;;
		*"# key") need=key id=${id%#*} ;;
		*"# ") need=root id=${id%#*} ;;
		esac
		if [ "$need" = root ] && [ "$(id -u)" != 0 ]; then continue; fi
		if [ "$need" = user ] && [ "$(id -u)" = 0 ]; then continue; fi
		if [ "$need" = key ] && [ ! -s "$D/key.gpg" ]; then
			skip "$id" "no key of GnuPG"
			continue
		fi
		(eval "$check") >"$WORLD/row" 2>&1 </dev/null
		st=$?
		is "$id" "$st $([ $st = 0 ] || tail -n 1 "$WORLD/row" | cut -c1-150)" "0 "
	done < <(rows)
	[ ! -s "$D/key.gpg" ] || gpgconf --kill gpg-agent 2>/dev/null
}

registry_http_start
R=$REGISTRY_HTTP
put() { skopeo --insecure-policy copy -q --dest-tls-verify=false "$@" || not_ok "filling the registry: $*"; }
for form in gzip zstd tar; do layout "$WORLD/$form" x $form; done
ID=$(jq -r .config.digest "$WORLD/gzip/blobs/sha256/$(jq -r '.manifests[0].digest' "$WORLD/gzip/index.json" | cut -d: -f2)" | cut -d: -f2)
put "oci:$WORLD/gzip:x" "docker://$R/gz:1"
put "oci:$WORLD/zstd:x" "docker://$R/zst:1"
put "oci:$WORLD/tar:x" "docker://$R/tar:1"
put --format v2s2 "oci:$WORLD/gzip:x" "docker://$R/v2s2:1"
layout_index "$WORLD/idx" x
put --all "oci:$WORLD/idx:x" "docker://$R/multi:1"
put --all --format v2s2 "oci:$WORLD/idx:x" "docker://$R/dmulti:1"
busybox_image localhost/img >/dev/null || { not_ok "an image can be imported"; finish; }
check_rows
{
	declare -f rows check_rows layout_machine
	printf 'R=%q ID=%q; export HOME\n' "$R" "$ID"
	echo 'tar -C "$LIB_DIR/user-fs" --owner=0 --group=0 -c . | store import localhost/img >/dev/null; check_rows'
} | user_part
