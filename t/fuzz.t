#!/bin/sh
# fuzz.t - the saved inputs of every fuzz target, without a fuzzer.
srcdir=${srcdir:-.} builddir=${builddir:-.}
n=0 failed=0
for target in caveat credential macaroon person project scan token upload; do
    n=$((n + 1))
    if said=$("$builddir/t/fuzz/replay_$target" "$srcdir/t/fuzz/corpus/$target" 2>&1); then
        echo "ok $n - fuzz_$target: $said"
    else
        echo "not ok $n - fuzz_$target"
        echo "$said" | sed 's/^/# /'
        failed=1
    fi
done
echo "1..$n"
exit $failed
