//! What is printed, each row as soon as it is known.

/// What a ratio should be.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// It is shown only.
    None,
}

/// What comes before the rows.
pub(crate) fn head() {
    println!("\n| what | this | that | ratio | goal | |\n|---|---|---|---|---|---|");
}

/// Prints one row.
pub(crate) fn row(what: &str, [figure, other]: [String; 2], ratio: f64, goal: Goal) {
    // What is compared is what is shown.
    let ratio = (ratio * 100.0).round() / 100.0;
    let (goal, is_held) = match goal {
        Goal::AtMost(most) => (format!("≤ {most}"), Some(ratio <= most)),
        Goal::AtLeast(least) => (format!("≥ {least}"), Some(ratio >= least)),
        Goal::None => ("–".to_owned(), None),
    };
    let verdict = is_held.map_or("", |is_held| if is_held { "held" } else { "**missed**" });
    println!("| {what} | {figure} | {other} | {ratio:.2} | {goal} | {verdict} |");
}
