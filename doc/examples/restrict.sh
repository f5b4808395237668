#!/bin/sh
# restrict.sh CAVEAT... < TOKEN: prints the token with these caveats added, such as '[1004,1]'. The secret is
# in no argument of a program: hashing goes through pipes, the rest is done by the shell itself.
set -eu
hex() { od -An -v -tx1 | tr -d ' \n'; }
bytes() { fold -w2 | while read -r b || [ "$b" ]; do printf "\\$(printf %03o "0x$b")"; done; }
pad() { printf %s "$1" | fold -w2 | while read -r b || [ "$b" ]; do printf %02x $((0x$b ^ $2)); done; }
sha() { bytes | openssl dgst -sha256 -binary | hex; }
hmac() { # KEY (32 bytes) MESSAGE, both in hexadecimal
    key=$1$(printf %064d 0)
    inner=$({ pad "$key" 0x36; printf %s "$2"; } | sha)
    { pad "$key" 0x5c; printf %s "$inner"; } | sha
}
read -r token
token=$(printf %s "${token#pypi-}" | tr -d = | tr -- -_ +/)
while [ $((${#token} % 4)) -ne 0 ]; do token=$token=; done
raw=$(printf '%s\n' "$token" | openssl base64 -d -A | hex)
for caveat; do
    text=$(printf %s "$caveat" | hex) n=$((${#caveat}))
    size=$(printf %02x "$n")
    [ "$n" -lt 128 ] || size=$(printf %02x%02x $((n & 127 | 128)) $((n >> 7)))
    body=${raw%??????????????????????????????????????????????????????????????????????}
    raw=${body}02$size${text}00000620$(hmac "${raw#"${body}"??????}" "$text")
done
printf 'pypi-%s\n' "$(printf %s "$raw" | bytes | openssl base64 -A | tr -d = | tr +/ -_)"
