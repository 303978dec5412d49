//! Both pages of the documentation describe exactly the existing checks.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use zvpos_doctor::CHECKS;

#[test]
fn each_check_has_its_part_in_both_languages() {
    for page in ["doctor.md", "doctor.zh-CN.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
        let text = std::fs::read_to_string(path).unwrap();
        let named = text.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
        let named: Vec<&str> = named.collect();
        assert_eq!(named, CHECKS, "{page}");
    }
}
