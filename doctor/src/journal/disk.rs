//! The disk of the journal: its file system and free space.

use std::path::Path;
use std::time::Duration;

use zvpos_core::journal::network_kind;

use super::folder_of;
use crate::report::Line;
use crate::run::Run;
use crate::words::words;

/// Below this a day of sales may not fit.
const FREE_WARNING: u64 = 200 * 1024 * 1024;
/// Below this a commit may fail at any moment.
const FREE_FAILED: u64 = 4 * 1024 * 1024;
/// File systems whose contents are lost when the machine stops.
const MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// Returns whether flushes should be measured: a file system in memory has none.
pub(super) fn examine(run: &mut Run<'_>, journal: &Path) -> bool {
    let path = journal.to_owned();
    let asked = run.within(Duration::from_secs(3), move || {
        let folder = folder_of(&path).canonicalize().unwrap_or_else(|_| folder_of(&path).to_owned());
        (network_kind(&path), mount_of(&folder), fs4::available_space(&folder).ok())
    });
    let Some((network, mount, free)) = asked else {
        run.out_of_time("journal.disk", &journal.display().to_string());
        return false;
    };
    let folder = folder_of(journal).display().to_string();
    let kind = mount.as_ref().map_or_else(|| "?".to_owned(), |mount| mount.kind.clone());
    let in_memory = MEMORY.contains(&kind.as_str());
    run.say(line(&folder, network, &mount.unwrap_or_default()).with("file_system", kind));
    if let Some(free) = free {
        run.say(space(&folder, free).with("free_bytes", free));
    }
    !in_memory
}

/// One mount.
#[derive(Debug, Default, PartialEq, Eq)]
struct Mount {
    kind: String,
    options: String,
}

#[cfg(target_os = "linux")]
fn mount_of(folder: &Path) -> Option<Mount> {
    find_mount(&std::fs::read_to_string("/proc/self/mountinfo").ok()?, folder)
}

#[cfg(not(target_os = "linux"))]
fn mount_of(_: &Path) -> Option<Mount> {
    None
}

/// The last and longest mount point that contains the folder (proc(5), mountinfo).
#[cfg(any(target_os = "linux", test))]
fn find_mount(mountinfo: &str, folder: &Path) -> Option<Mount> {
    let mounts = mountinfo.lines().filter_map(|line| {
        let (mounted, device) = line.split_once(" - ")?;
        let mut mounted = mounted.split(' ');
        let point = mounted.nth(4)?.replace("\\040", " ");
        let mut device = device.split(' ');
        let kind = device.next()?.to_owned();
        let options = format!("{},{}", mounted.next()?, device.nth(1)?);
        folder.starts_with(&point).then_some((point.len(), Mount { kind, options }))
    });
    // Of equal mount points the later one covers the earlier.
    mounts.max_by_key(|(length, _)| *length).map(|(_, mount)| mount)
}

fn line(folder: &str, network: Option<&str>, mount: &Mount) -> Line {
    let kind = mount.kind.as_str();
    let remote = ["nfs", "nfs4", "cifs", "smb3", "9p", "afs", "ceph", "lustre", "glusterfs", "fuse.sshfs"];
    if let Some(network) = network.or_else(|| remote.into_iter().find(|remote| *remote == kind)) {
        return Line::failed(
            "journal.disk",
            folder,
            words!(
                "在网络文件系统上（{network}），zv_init 拒绝使用",
                "lies on a network file system ({network}); zv_init refuses it"
            ),
            words!("把 journal 设到本机硬盘", "set journal to a disk of this machine"),
        );
    }
    match kind {
        _ if MEMORY.contains(&kind) => Line::failed(
            "journal.disk",
            folder,
            words!(
                "在内存盘上（{kind}），断电或重启后交易日志全部丢失",
                "lies in memory ({kind}): a restart loses every record"
            ),
            words!("把 journal 设到硬盘分区", "set journal to a disk"),
        ),
        "overlay" | "overlayfs" | "aufs" | "unionfs" => Line::warning(
            "journal.disk",
            folder,
            words!(
                "在叠加层上（{kind}）：容器删除或系统还原后，交易日志会丢失",
                "lies on a layer ({kind}): gone when the container is removed or the system is set back"
            ),
            words!(
                "把 journal 设到不随容器或系统还原而消失的分区（挂载的卷）",
                "set journal to a volume that outlives the container or the layer"
            ),
        ),
        "vfat" | "msdos" | "exfat" | "fuseblk" => Line::warning(
            "journal.disk",
            folder,
            words!("文件系统 {kind} 断电时易损坏", "{kind} is easily damaged by a power cut"),
            words!(
                "改用 ext4、NTFS 等日志文件系统的分区",
                "use a drive with a journalling file system (ext4, NTFS)"
            ),
        ),
        _ if mount.options.split(',').any(|option| ["nobarrier", "barrier=0"].contains(&option)) => {
            Line::warning(
                "journal.disk",
                folder,
                words!(
                    "挂载时关闭了写屏障（nobarrier），落盘不可靠",
                    "is mounted without barriers (nobarrier): a flush does not reach the disk"
                ),
                words!("去掉挂载选项 nobarrier", "take nobarrier out of the mount's options"),
            )
        }
        "" => Line::ok("journal.disk", folder, words!("在本机磁盘上", "on a disk of this machine")),
        _ => Line::ok(
            "journal.disk",
            folder,
            words!("在本机磁盘上（{kind}）", "on a disk of this machine ({kind})"),
        ),
    }
}

fn space(folder: &str, free: u64) -> Line {
    let mib = free / (1024 * 1024);
    let found = words!("剩余 {mib} MiB", "{mib} MiB free");
    let remedy = words!(
        "清理磁盘；写满后不能扣款，只能询价",
        "free space: on a full disk nothing can be paid, only quoted"
    );
    match free {
        ..FREE_FAILED => Line::failed("journal.space", folder, found, remedy),
        FREE_FAILED..FREE_WARNING => Line::warning("journal.space", folder, found, remedy),
        _ => Line::ok("journal.space", folder, found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Status;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
23 22 0:5 / /data rw - tmpfs tmpfs rw,size=64k
24 22 0:6 / /data\\040two rw - overlay overlay rw
25 22 8:2 / /data rw,nosuid - xfs /dev/sda2 rw,nobarrier
";

    #[test]
    fn the_last_and_longest_mount_counts() {
        let kind = |folder: &str| find_mount(MOUNTS, Path::new(folder)).unwrap().kind;
        assert_eq!([kind("/var/lib"), kind("/data/x"), kind("/data two")], ["ext4", "xfs", "overlay"]);
        assert_eq!(kind("/database"), "ext4");
    }

    #[test]
    fn volatile_file_systems_are_reported() {
        let status = |kind: &str, options: &str| {
            line("/j", None, &Mount { kind: kind.into(), options: options.into() }).status
        };
        assert_eq!(status("ext4", "rw"), Status::Ok);
        assert_eq!(status("tmpfs", "rw"), Status::Failed);
        assert_eq!(status("overlay", "rw"), Status::Warning);
        assert_eq!(status("ext4", "rw,relatime,rw,nobarrier"), Status::Warning);
        assert_eq!(status("nfs4", "rw"), Status::Failed);
        assert_eq!(line("/j", Some("SMB"), &Mount::default()).status, Status::Failed);
    }

    #[test]
    fn low_disk_space_is_reported() {
        let of = |free| space("/j", free).status;
        assert_eq!([of(0), of(FREE_FAILED), of(FREE_WARNING)], [Status::Failed, Status::Warning, Status::Ok]);
    }
}
