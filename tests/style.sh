#!/usr/bin/env bash
# Words that comments and pages do not use, because plainer ones say the same: CONTRIBUTING.md, "Rules".
# In Rust a comment starts at the first `//` of a line that is not part of a URL, and names in code are left alone; in
# every other file the words are looked for anywhere.
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

# The schema is stored in every journal as it is written there.
found=0
git grep -nE "$comment" -- '*.rs' && found=1
git grep -nwIE "$words" -- . ':!*.rs' ':!tests/style.sh' ':!core/src/journal/sqlite/schema.sql' && found=1
if [ "$found" = 1 ]; then
    echo "these lines need plainer words: CONTRIBUTING.md, \"Rules\"" >&2
    exit 1
fi
