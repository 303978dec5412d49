//! The lines about a database.

use std::time::Duration;

use zvpos_core::journal::JournalError;
use zvpos_core::outcome::codes;
use zvpos_journal_postgres::{NodeSeen, Open, RowsRead, ServerFacts, Survey};

use crate::journal::contents::remedy_of_move;
use crate::report::Line;
use crate::words::words;

/// With unsettled sales older than this, something keeps them from being settled.
const OLD_MS: i64 = 10 * 60 * 1000;

pub(super) fn reached(about: &str, survey: &Survey) -> Line {
    let (is_verified, is_local) = (survey.is_verified, survey.is_local);
    let line = if is_verified {
        Line::ok(
            "journal.database",
            about,
            words!(
                "可以连接；已加密，并核对了服务器证书",
                "can be reached, encrypted, the server's certificate is verified"
            ),
        )
    } else if is_local {
        Line::ok(
            "journal.database",
            about,
            words!(
                "可以连接；不加密，但不离开本机",
                "can be reached, not encrypted, without leaving this machine"
            ),
        )
    } else {
        Line::warning(
            "journal.database",
            about,
            words!(
                "可以连接，但不加密：途中可被查看和篡改",
                "can be reached, not encrypted: it can be read and changed on its way"
            ),
            words!("把 sslmode 改为 verify-full", "set sslmode=verify-full"),
        )
    };
    line.with("tls", is_verified)
}

/// A journal, or an answer, that a node would refuse.
pub(super) fn unusable(check: &'static str, about: &str, error: &JournalError) -> Line {
    let (why, code) = (&error.message, error.code.text);
    let remedy = if let Some(remedy) = remedy_of_move(code) {
        remedy
    } else if code == codes::JOURNAL_DAMAGED.text {
        words!(
            "备份数据库，联系技术支持；不要删除",
            "keep a copy of the database and call support; delete nothing"
        )
    } else if code == codes::JOURNAL.text {
        words!("检查数据库的日志与用户的权限", "look at the database's log and the user's rights")
    } else {
        let remedy = error.code.remedy;
        words!("{remedy}", "{remedy}")
    };
    Line::failed(check, about, words!("不能使用（{code}）：{why}", "cannot be used ({code}): {why}"), remedy)
        .with("code", code)
}

pub(super) fn settings(about: &str, facts: &ServerFacts, allow_async: bool) -> Line {
    const CHECK: &str = "journal.settings";
    let shown = |setting: &Option<String>| setting.clone().unwrap_or_else(|| "–".to_owned());
    let (version, fsync, commit) =
        (facts.version.clone(), shown(&facts.fsync), shown(&facts.synchronous_commit));
    let (checksums, replicas, synchronous) =
        (shown(&facts.data_checksums), facts.replicas, facts.synchronous);
    let found = words!(
        "PostgreSQL {version} 主库；fsync = {fsync}，synchronous_commit = {commit}，data_checksums = {checksums}；从库 {replicas} 个，其中同步 {synchronous} 个",
        "PostgreSQL {version}, primary; fsync = {fsync}, synchronous_commit = {commit}, data_checksums = {checksums}; replicas: {replicas}, of them synchronous: {synchronous}"
    );
    let line = if facts.is_async && !allow_async {
        Line::warning(
            CHECK,
            about,
            found,
            words!(
                "设置同步从库（Patroni：synchronous_mode_strict），否则故障切换会丢失已确认的记录；没有自动切换时可设 journal_db.allow_async",
                "configure a synchronous replica (Patroni: synchronous_mode_strict): a failover may lose records that were acknowledged; where no failover is automatic set journal_db.allow_async"
            ),
        )
    } else if facts.data_checksums.as_deref() == Some("off") {
        Line::warning(
            CHECK,
            about,
            found,
            words!(
                "停库后运行 pg_checksums --enable：索引页损坏时才能被发现",
                "run pg_checksums --enable while the server is stopped: only then a damaged page of an index is seen"
            ),
        )
    } else {
        Line::ok(CHECK, about, found)
    };
    line.with("version", version).with("replicas", replicas).with("synchronous", synchronous)
}

pub(super) fn read(about: &str, format: i32, rows: &RowsRead) -> Line {
    const CHECK: &str = "journal.contents";
    let (whole, damaged) = (rows.whole, rows.damaged);
    let line = if damaged == 0 {
        Line::ok(
            CHECK,
            about,
            words!(
                "格式 {format}，共 {whole} 笔，校验和全部正确",
                "format {format}, {whole} entries, every one whole"
            ),
        )
    } else {
        let named = rows.words.join("; ");
        Line::failed(
            CHECK,
            about,
            words!(
                "损坏 {damaged} 笔，完整 {whole} 笔：{named}",
                "{damaged} entries are damaged, {whole} are whole: {named}"
            ),
            words!(
                "备份数据库，联系技术支持；不要修改，里面有未决的交易",
                "keep a copy of the database and call support; change nothing, open sales stand in it"
            ),
        )
    };
    line.with("whole", whole).with("damaged", damaged)
}

pub(super) fn unsettled(about: &str, open: &[Open], now: i64) -> Line {
    const CHECK: &str = "journal.unsettled";
    let count: i64 = open.iter().map(|open| open.count).sum();
    let stages: serde_json::Map<String, serde_json::Value> =
        open.iter().map(|open| (open.stage.clone(), open.count.into())).collect();
    let age = |open: &Open| (now - open.oldest_unix_ms).max(0);
    let minutes = |open: &Open| age(open) / 60_000;
    let line = if count == 0 {
        Line::ok(CHECK, about, words!("没有未决的交易", "nothing is unsettled"))
    } else {
        let zh: Vec<String> = open
            .iter()
            .map(|open| format!("{} {} 笔，最早 {} 分钟前", open.stage, open.count, minutes(open)))
            .collect();
        let en: Vec<String> = open
            .iter()
            .map(|open| format!("{} {}, the oldest {} min", open.stage, open.count, minutes(open)))
            .collect();
        let (zh, en) = (zh.join("；"), en.join("; "));
        let found = words!("有 {count} 笔交易未决：{zh}", "sales that are not settled: {count} ({en})");
        if open.iter().all(|open| age(open) < OLD_MS) {
            Line::ok(CHECK, about, found)
        } else {
            Line::warning(
                CHECK,
                about,
                found,
                words!(
                    "让节点保持运行，它会自动处理；`zv pending` 列出每一笔，无法自动处理的由人工用 `zv settle` 决定",
                    "let the nodes run: one of them settles; `zv pending` lists them, and a person settles the others with `zv settle`"
                ),
            )
        }
    };
    line.with("unsettled", count).with("stages", stages)
}

pub(super) fn of_nodes(
    about: &str,
    before: &[NodeSeen],
    nodes: &[NodeSeen],
    settler: Option<&(String, i64)>,
    watched: Duration,
) -> Vec<Line> {
    const CHECK: &str = "journal.nodes";
    let seconds = watched.as_secs();
    let mut lines = Vec::new();
    let mut alive = 0_u32;
    for node in nodes.iter().filter(|node| !node.dead) {
        let NodeSeen { owner, host, version, beat, .. } = node;
        let since = before.iter().find(|seen| seen.owner == *owner).map(|seen| seen.beat);
        let is_silent = since == Some(*beat);
        alive += u32::from(!is_silent);
        let role = if settler.is_some_and(|(name, _)| name == owner) {
            words!("，负责结算", ", it settles")
        } else {
            words!("", "")
        };
        let line = if is_silent {
            Line::warning(
                CHECK,
                owner.clone(),
                words!(
                    "节点 {host}（版本 {version}）在 {seconds} 秒内没有心跳，停在第 {beat} 次",
                    "the node on {host} (version {version}) has not said for {seconds} s that it lives; its last beat is {beat}"
                )
                .and(&role),
                words!(
                    "若该节点已停止，其它节点会在 lease_s 之后接手；否则检查它到数据库的网络",
                    "if it was stopped, another node takes over after lease_s; else look at its network to the database"
                ),
            )
        } else {
            Line::ok(
                CHECK,
                owner.clone(),
                words!(
                    "节点 {host}（版本 {version}）在运行，心跳第 {beat} 次",
                    "the node on {host} (version {version}) lives; its last beat is {beat}"
                )
                .and(&role),
            )
        };
        lines.push(line.with("host", host.as_str()).with("beat", *beat).with("lives", !is_silent));
    }
    let dead = nodes.iter().filter(|node| node.dead).count();
    let held = settler.and_then(|(name, _)| nodes.iter().find(|node| node.owner == *name && !node.dead));
    let term = settler.map_or(0, |(_, term)| *term);
    let found = words!(
        "{alive} 个节点在运行，{dead} 个已结束；结算角色第 {term} 任",
        "nodes that live: {alive}, that have ended: {dead}; the role of the settler is in its term {term}"
    );
    let line = if alive > 0 && held.is_none() {
        Line::warning(
            CHECK,
            about,
            found.and(&words!("，无人担任", ", nobody has it")),
            words!(
                "等待 lease_s 秒后再检查：运行中的节点会接任",
                "run the doctor again after lease_s: a node that lives takes it"
            ),
        )
    } else {
        Line::ok(CHECK, about, found)
    };
    lines.push(line.with("alive", alive).with("dead", dead).with("term", term));
    lines
}
