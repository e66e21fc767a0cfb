# SPDX-License-Identifier: ISC
# Sourced after lib.sh.  tls_certificates DIR: an authority, ca.pem, and what it signed for 127.0.0.1 and localhost:
# server.pem and client.pem, each with its key.

tls_certificates() {
	mkdir -p "$1"
	(
		cd "$1" || exit
		openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2
		for n in server client; do
			openssl req -newkey rsa:2048 -nodes -keyout $n.key -out $n.csr -subj /CN=$n
			openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out $n.pem \
				-extfile <(echo subjectAltName=IP:127.0.0.1,DNS:localhost)
		done
	) >"$WORLD/openssl.log" 2>&1
}
