//! The page of codes.

use std::fmt::Write;

use zvpos_core::outcome::codes::TABLE;

/// The page `docs/error-codes.md`.
pub(crate) fn page() -> String {
    let mut out = String::from(
        "# Codes\n\n\
         `code` in an answer is the gateway's own code as text, `0` for success, or one of the library's below. \
         A code of the library's is never reused for something else. Codes beginning with `ZV-W-` stand in \
         `warnings[]` beside an outcome that holds. This page is generated from the table in the sources.\n\n\
         | code | outcome | what it means | what to do |\n|---|---|---|---|\n",
    );
    for code in TABLE {
        let outcomes: Vec<String> =
            code.outcomes.iter().map(|outcome| format!("`{}`", outcome.as_str())).collect();
        let outcomes = if outcomes.is_empty() { "–".to_owned() } else { outcomes.join(", ") };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "| `{}` | {} | {} | {} |", code.text, outcomes, code.meaning, code.remedy);
    }
    out.push_str(
        "\n## Codes of the gateway\n\n\
         Seen in public integrations; the vendor's full list is not public.\n\n\
         | code | meaning | what the library makes of it in a consume |\n|---|---|---|\n\
         | `0` | success | `succeeded`, when every status and code of a whole answer says so |\n\
         | `110004` | signature refused | `declined`: known to come before any effect. With a clock that is shown to be off: signed again once |\n\
         | `100002` | bad parameters | `declined`: known to come before any effect |\n\
         | `110007` | nonce used before | `unknown`: the first request with that nonce may have been carried out |\n\
         | `100007` | empty or unsupported search | `declined` as a business refusal |\n",
    );
    out
}
