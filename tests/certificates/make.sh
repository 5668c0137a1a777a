#!/bin/sh
# Makes the certificates of the tests anew: a CA of ours, and servers below *.blog.example and on localhost.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/conf" <<CONF
[ca]
default_ca = tests
[tests]
database = $work/index
new_certs_dir = $work
policy = name
default_md = sha256
rand_serial = yes
unique_subject = no
[name]
commonName = supplied
CONF

# certificate NAME END KEY EXTENSIONS [how it is signed]
certificate() {
    name=$1 end=$2 key=$3 extensions=$4
    shift 4
    : > "$work/index"
    echo "$extensions" > "$work/extensions"
    openssl req -new -key "$key" -subj "/CN=$name" -out "$work/request"
    openssl ca -batch -notext -config "$work/conf" -in "$work/request" -extfile "$work/extensions" \
        -startdate 20200101000000Z -enddate "$end" -out "$name.pem" "$@" 2> /dev/null
}

openssl ecparam -name prime256v1 -genkey -noout > "$work/ca.key"
openssl ecparam -name prime256v1 -genkey -noout > server.key
blog="subjectAltName = DNS:*.blog.example"
certificate ca 21200101000000Z "$work/ca.key" "basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash" -selfsign -keyfile "$work/ca.key"
by_ca="-cert ca.pem -keyfile $work/ca.key"
from_ca="authorityKeyIdentifier = keyid"
certificate good 21200101000000Z server.key "$blog
$from_ca" $by_ca
certificate localhost 21200101000000Z server.key "subjectAltName = DNS:localhost
$from_ca" $by_ca
certificate expired 20200201000000Z server.key "$blog
$from_ca" $by_ca
certificate wrong-host 21200101000000Z server.key "subjectAltName = DNS:altro.example
$from_ca" $by_ca
certificate self-signed 21200101000000Z server.key "$blog" -selfsign -keyfile server.key
