//! The machine: the library and whether it fits, the system and its C library, time zone, random numbers, open files.

mod binary;
pub(crate) mod system;
mod write_filter;

use std::time::Duration;

use zvpos_core::api::VERSION;
use zvpos_core::calendar::offset_minutes;
use zvpos_core::config::Config;

use crate::options::Options;
use crate::report::Line;
use crate::run::Run;
use crate::words::words;

/// Fewer open files than this may be too few for a till with its connections.
#[cfg(unix)]
const FILES_MIN: u64 = 256;

pub(crate) fn examine(run: &mut Run<'_>, options: &Options, config: Option<&Config>) {
    let bits = usize::BITS;
    let arch = std::env::consts::ARCH;
    run.say(
        Line::ok(
            "library",
            "",
            words!("zvpos {VERSION}，{bits} 位（{arch}）", "zvpos {VERSION}, {bits} bit ({arch})"),
        )
        .with("version", VERSION)
        .with("bits", bits),
    );
    let libc = libc(run);
    if let Some(path) = &options.library {
        binary::examine(run, path, libc.as_deref());
    }
    operating_system(run);
    write_filters(run);
    time_zone(run, config);
    random(run);
    #[cfg(unix)]
    open_files(run);
}

/// The C library of this process; returns its version if known.
fn libc(run: &mut Run<'_>) -> Option<String> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let found = run.within(Duration::from_secs(2), system::c_library).flatten();
    let (name, version) = found.unwrap_or_else(|| ("?".to_owned(), None));
    let shown = version.clone().unwrap_or_default();
    run.say(
        Line::ok("libc", "", words!("C 库：{name} {shown}", "C library: {name} {shown}"))
            .with("name", name)
            .with("version", shown),
    );
    version
}

fn operating_system(run: &mut Run<'_>) {
    let name = run.within(Duration::from_secs(3), system::name).flatten();
    let name = name.unwrap_or_else(|| std::env::consts::OS.to_owned());
    run.say(
        Line::ok("system", "", words!("操作系统：{name}", "operating system: {name}")).with("name", name),
    );
}

fn write_filters(run: &mut Run<'_>) {
    let Some(root) = std::env::var_os("SystemRoot").filter(|_| cfg!(windows)) else { return };
    let found = run.within(Duration::from_secs(5), move || write_filter::find(root.as_ref()));
    match found {
        None => run.out_of_time("write_filter", ""),
        Some(found) if found.is_empty() => run.say(Line::ok(
            "write_filter",
            "",
            words!("没有发现磁盘写保护或还原软件", "no write filter and no restoring software was found"),
        )),
        Some(found) => {
            let names = found.join(", ");
            run.say(
                Line::warning(
                    "write_filter",
                    "",
                    words!("装有磁盘写保护或还原软件：{names}", "a write filter or restoring software is installed: {names}"),
                    words!(
                        "把 journal 设在不受保护、重启后不还原的分区上；否则断电后交易日志会丢失",
                        "set journal to a drive that is not protected; else a restart loses the records of payments"
                    ),
                )
                .with("names", names),
            );
        }
    }
}

fn time_zone(run: &mut Run<'_>, config: Option<&Config>) {
    let Some(config) = config else { return };
    let Some(zone) = run.within(Duration::from_secs(4), system::utc_offset).flatten() else {
        return run.out_of_time("time_zone", "");
    };
    let set = config.business_days.offset_minutes;
    let sign = if set < 0 { '-' } else { '+' };
    let wanted = format!("{sign}{:02}:{:02}", set.abs() / 60, set.abs() % 60);
    run.say(if offset_minutes(&zone) == Some(set) {
        Line::ok("time_zone", "", words!("时区 {zone}，与 utc_offset 一致", "{zone}, as utc_offset says"))
    } else {
        Line::warning(
            "time_zone",
            "",
            words!("本机时区为 {zone}，而 utc_offset 为 {wanted}", "the machine is at {zone}, utc_offset says {wanted}"),
            words!(
                "把系统时区设为门店所在时区，或修改 utc_offset，否则日结对账的日期会错位",
                "set the machine's time zone to the store's, or utc_offset: else day-end lists are cut at the wrong hour"
            ),
        )
    });
}

fn random(run: &mut Run<'_>) {
    let got = run.within(Duration::from_secs(2), || getrandom::u64().is_ok());
    run.say(if got == Some(true) {
        Line::ok("random", "", words!("系统随机数可用", "the system gives random numbers"))
    } else {
        Line::failed(
            "random",
            "",
            words!("系统不提供随机数，请求无法签名", "the system gives no random numbers, so nothing can be signed"),
            words!(
                "检查 /dev/urandom 或系统加密服务；刚开机时稍等再试",
                "look at /dev/urandom or the system's cryptographic service; right after power-on wait a little"
            ),
        )
    });
}

#[cfg(unix)]
fn open_files(run: &mut Run<'_>) {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let shown = limit.map_or_else(|| "∞".to_owned(), |limit| limit.to_string());
    let found = words!("最多可打开 {shown} 个文件", "may open {shown} files");
    run.say(if limit.is_none_or(|limit| limit >= FILES_MIN) {
        Line::ok("open_files", "", found)
    } else {
        Line::warning(
            "open_files",
            "",
            found,
            words!(
                "把上限提高到 {FILES_MIN} 以上（ulimit -n）",
                "raise the limit to {FILES_MIN} or more (ulimit -n)"
            ),
        )
    });
}
