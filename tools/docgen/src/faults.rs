//! The page of the simulator's faults.

use zvpos_sandbox::faults::{ALIASES, BY_CONFIGURATION, Fault, Meets, Row, SELECTION};

/// The page `docs/faults.md`.
pub(crate) fn page() -> String {
    let mut out = format!("{TITLE}```text\n{SELECTION}```\n{COLUMNS}");
    for Row { name, amount, en, zh, till_sees, till_sees_zh, param, meets, .. } in
        Fault::ALL.iter().map(|fault| fault.row())
    {
        let number = param.map_or_else(String::new, |p| {
            format!("{} = {}: {}<br>{}", p.name, p.default, p.meaning, p.meaning_zh)
        });
        let amount = if meets == Meets::Handshake { "" } else { amount };
        let cells =
            format!("| `{name}` | {amount} | {number} | {en}<br>{zh} | {till_sees}<br>{till_sees_zh} |\n");
        out.push_str(&cells);
    }
    out.push_str("\n## Other names / 别名\n\n| name | means |\n|---|---|\n");
    out.extend(ALIASES.iter().map(|(alias, name)| format!("| `{alias}` | `{name}` |\n")));
    out.extend(["\n## Not by a server / 需在收银端配置\n\n```text", BY_CONFIGURATION, "```\n", CLOCK]);
    out
}

const TITLE: &str = "\
# Faults of the simulator / 模拟器的故障

Written from the sources by `make docs`; the simulator prints the same with `--faults`. Each is tested from the C ABI.
本页由 `make docs` 根据源代码生成；`--faults` 打印同样的内容。每一项都经过 C 接口测试。

";

const COLUMNS: &str = "
An unknown name is refused with the nearest known one.
按以下顺序选择故障：请求头 `X-Zv-Fault`、bizId 结尾的 `~名称` 或 `~名称:数值`、消费金额（见 amount 列）、管理接口
`POST /faults`、按比例随机发生（`--chaos` 或 `PUT /chaos`，种子和请求顺序相同则结果相同）。名称以 `reverse_` 开头的故障作用于
该笔交易的冲正，可与另一个故障同时写在 bizId 结尾。已开始的 `outage` 优先于一切。未知的故障名会被拒绝，并提示最接近的名称。

| name | amount | number | what happens | what a till should see of a consume<br>收银端对一笔扣款应得到的结果 |
|---|---|---|---|---|
";

const CLOCK: &str = "
## The clock / 时钟

`GET /clock` shows the simulator's time, `PUT /clock` moves it: `{\"advance_ms\": 86400000}`, `{\"offset_ms\": 0}`,
`{\"set\": \"2026-11-22T10:22:28+08:00\"}`, and `{\"freeze\": true}` stops it. Coupons expire by it, reversals become too
late, outages end, the ledger is written by it. The tills' clocks are thought to move with it: timestamps and `Date` stay
with the machine's time, so that a till signs as before. With `{\"till_follows\": false}` they go by the simulator's time,
and a till sees 110004 with a `Date` that shows how far it is off. Late answers, held requests and blocked ports last as
long by the machine's time. `POST /reset` brings the machine's time back.

`GET /clock` 显示模拟器时间，`PUT /clock` 调整时间，`freeze` 可使时间停住。优惠券过期、冲正时限、故障持续时间和流水时间
都以它为准。默认认为收银机的时钟随之移动：时间戳校验和 `Date` 仍按本机时间，收银程序照常签名；
`{\"till_follows\": false}` 时两者改按模拟器时间，收银程序会收到 110004，并可由 `Date` 得知时钟偏差。
应答迟到、请求滞留和端口阻塞的时长按本机时间计算。`POST /reset` 恢复本机时间。
";
