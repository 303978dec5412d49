//! Write filters, software that restores a disk's old content at each start: data that is "written" is lost at the
//! next power cut. Detected by their drivers, whatever the system's language.

use std::path::Path;

/// Drivers, and the products that they belong to.
const DRIVERS: [(&str, &str); 7] = [
    ("ewf.sys", "Enhanced Write Filter (EWF)"),
    ("fbwf.sys", "File-Based Write Filter (FBWF)"),
    ("uwfvol.sys", "Unified Write Filter (UWF)"),
    ("uwfs.sys", "Unified Write Filter (UWF)"),
    ("uwfreg.sys", "Unified Write Filter (UWF)"),
    ("DeepFrz.sys", "Deep Freeze (冰点还原)"),
    ("diskpt.sys", "Shadow Defender (影子卫士)"),
];

/// The programs that control Microsoft's filters; they exist if the feature is installed.
const MANAGERS: [(&str, &str); 3] = [
    ("ewfmgr.exe", "Enhanced Write Filter (EWF)"),
    ("fbwfmgr.exe", "File-Based Write Filter (FBWF)"),
    ("uwfmgr.exe", "Unified Write Filter (UWF)"),
];

/// The filters that are installed in the system's folder. Installed does not mean enabled.
pub(super) fn find(system_root: &Path) -> Vec<String> {
    let system = system_root.join("System32");
    let drivers = DRIVERS.into_iter().map(|(file, name)| (system.join("drivers").join(file), name));
    let managers = MANAGERS.into_iter().map(|(file, name)| (system.join(file), name));
    let mut found: Vec<String> =
        drivers.chain(managers).filter(|(path, _)| path.exists()).map(|(_, name)| name.to_owned()).collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_known_by_its_files() {
        let root = std::env::temp_dir().join(format!("zvpos-filter-{}", std::process::id()));
        std::fs::create_dir_all(root.join("System32/drivers")).unwrap();
        assert_eq!(find(&root), Vec::<String>::new());
        for file in ["drivers/uwfvol.sys", "uwfmgr.exe", "drivers/ewf.sys"] {
            std::fs::write(root.join("System32").join(file), "").unwrap();
        }
        assert_eq!(find(&root), ["Enhanced Write Filter (EWF)", "Unified Write Filter (UWF)"]);
        std::fs::remove_dir_all(root).unwrap();
    }
}
