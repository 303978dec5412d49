#!/usr/bin/env bash
# Words that comments in Rust do not use, because plainer ones say the same: CONTRIBUTING.md, "Rules".
# A line is a comment from its first `//` that is not part of a URL.
set -euo pipefail
cd "$(dirname "$0")/.."

words="See the module's|mend(s|ed|ing)?|anew|[Ww]hoever|[Hh]eld against"
comment="(^|[^:])//.*(^|[^[:alnum:]_])($words)([^[:alnum:]_]|\$)"

# Not converted yet; a folder leaves this list when its comments are.
exceptions=(benches cli core doctor simulation src tests)

# The pattern finds what it is for, and nothing else.
grep -qE "$comment" <<<"    let a = 1; // It is signed anew."
grep -qE "$comment" <<<"/// See the module's words."
if grep -E "$comment" <<<'let anew = "http://mend.example"; // mended_read renews it.'; then
    echo "tests/style.sh: the pattern finds too much" >&2
    exit 1
fi

not=()
for folder in "${exceptions[@]}"; do
    not+=(":(exclude)$folder/*")
    if ! git grep -qE "$comment" -- "$folder/*.rs"; then
        echo "$folder has none of these words: take it off the list in tests/style.sh" >&2
        exit 1
    fi
done
if git grep -nE "$comment" -- '*.rs' "${not[@]}"; then
    echo "these comments need plainer words: CONTRIBUTING.md, \"Rules\"" >&2
    exit 1
fi
