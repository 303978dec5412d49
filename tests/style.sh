#!/usr/bin/env bash
# Words that comments in Rust do not use, because plainer ones say the same: CONTRIBUTING.md, "Rules".
# A comment starts at the first `//` of a line that is not part of a URL.
set -euo pipefail
cd "$(dirname "$0")/.."

words="See the module's|mend(s|ed|ing)?|anew|[Ww]hoever|[Hh]eld against"
comment="(^|[^:])//.*(^|[^[:alnum:]_])($words)([^[:alnum:]_]|\$)"

# The pattern finds what it is for, and nothing else.
grep -qE "$comment" <<<"    let a = 1; // It is signed anew."
grep -qE "$comment" <<<"/// See the module's words."
if grep -E "$comment" <<<'let anew = "http://mend.example"; // mended_read renews it.'; then
    echo "tests/style.sh: the pattern finds too much" >&2
    exit 1
fi

if git grep -nE "$comment" -- '*.rs'; then
    echo "these comments need plainer words: CONTRIBUTING.md, \"Rules\"" >&2
    exit 1
fi
