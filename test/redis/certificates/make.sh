#!/bin/sh
# Makes the tests' certificates: an authority, a server's and a client's, valid from 2020 for 100 years. They protect
# nothing. To be run in this folder, with openssl 3; the authority's key is not kept.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: > "$work/index"
cat > "$work/openssl.cnf" <<CONFIG
[ca]
default_ca = tests
[tests]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = anything
copy_extensions = none
[anything]
commonName = supplied
[authority]
basicConstraints = critical, CA:true
[server]
subjectAltName = IP:127.0.0.1, DNS:localhost, DNS:redis.test
[client]
extendedKeyUsage = clientAuth
CONFIG
key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; }
request() { openssl req -new -config "$work/openssl.cnf" -key "$1" -subj "/CN=$2" -out "$work/request"; }
sign() {
  openssl ca -batch -notext -config "$work/openssl.cnf" -startdate 20200101000000Z -enddate 21200101000000Z \
    -keyfile "$work/ca.key" -in "$work/request" "$@"
}
printf '[req]\ndistinguished_name = empty\n[empty]\n' >> "$work/openssl.cnf"
key "$work/ca.key"
request "$work/ca.key" 'Waybill tests'
sign -selfsign -extensions authority -out ca.crt
for who in server client; do
  key $who.key
  request $who.key $who
  sign -cert ca.crt -extensions $who -out $who.crt
done
chmod 644 ./*.key
