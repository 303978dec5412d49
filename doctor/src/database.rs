//! The journal as a database that several nodes share: whether it keeps what it acknowledges, who uses it, and what is in
//! it. Nothing is joined, made or changed.

mod lines;

use std::time::{Duration, Instant, SystemTime};

use zvpos_core::config::DatabaseSettings;
use zvpos_core::journal::JournalError;
use zvpos_journal_postgres::{NoSurvey, NodeSeen, Settings, Survey};

use crate::options::Options;
use crate::report::Line;
use crate::run::{Run, unix_ms};
use crate::words::words;

/// How long each question may take; reading every row has the time of the run.
const LIMIT: Duration = Duration::from_secs(6);

/// What a node's beats are watched for beyond the time between two of them.
const BEYOND: Duration = Duration::from_secs(1);

pub(crate) fn examine(run: &mut Run<'_>, options: &Options, database: &DatabaseSettings) {
    let Some(survey) = open(run, database) else { return };
    let mut look = Look { run, survey: Some(survey), about: database.schema.clone() };
    look.settings(database.allow_async);
    let is_there = look.contents(options.journal);
    if !is_there {
        return;
    }
    let began = (Instant::now(), look.ask("journal.nodes", LIMIT, Survey::nodes));
    look.clock();
    look.unsettled();
    look.twice();
    look.size();
    if let (began, Some(nodes)) = began {
        let until = began + database.lease.beat + BEYOND;
        let left = look.run.left().saturating_sub(LIMIT);
        std::thread::sleep(until.saturating_duration_since(Instant::now()).min(left));
        look.nodes(&nodes, began.elapsed());
    }
}

/// The connection, made as a node makes it.
fn open(run: &mut Run<'_>, database: &DatabaseSettings) -> Option<Survey> {
    let settings = Settings::configured(database);
    let about = database.schema.clone();
    match run.within(LIMIT, move || Survey::open(&settings, Instant::now() + LIMIT)) {
        None => run.out_of_time("journal.database", &about),
        Some(Ok(survey)) => {
            run.say(lines::reached(&about, &survey));
            return Some(survey);
        }
        Some(Err(NoSurvey::Unreachable(error))) => {
            let why = error.message;
            run.say(Line::failed(
                "journal.database",
                about,
                words!("不能使用：{why}", "cannot be used: {why}"),
                words!(
                    "检查数据库是否运行、地址与端口、防火墙、用户与密码；修好之前不能扣款",
                    "look whether the database runs, at the address and port, the firewall, the user and the password: until then nothing can be paid"
                ),
            ).with("code", error.code.text));
        }
        Some(Err(NoSurvey::Unfit(error))) => {
            let why = error.message;
            run.say(
                Line::failed(
                    "journal.settings",
                    about,
                    words!("服务器的设置不可用：{why}", "must not be used as it is set up: {why}"),
                    words!(
                        "按上面所说修改数据库的设置；修好之前 zv_init 拒绝这个数据库",
                        "set the database up as the message says; until then zv_init refuses it"
                    ),
                )
                .with("code", error.code.text),
            );
        }
    }
    None
}

/// A run with the connection, which is gone after a question that was not answered in its time.
struct Look<'l, 'r> {
    run: &'l mut Run<'r>,
    survey: Option<Survey>,
    about: String,
}

impl Look<'_, '_> {
    /// One question; what is wrong with its answer is said.
    fn ask<T: Send + 'static>(
        &mut self,
        check: &'static str,
        limit: Duration,
        question: impl FnOnce(&mut Survey) -> Result<T, JournalError> + Send + 'static,
    ) -> Option<T> {
        let mut survey = self.survey.take()?;
        let answered = self.run.within(limit, move || {
            let answer = question(&mut survey);
            (survey, answer)
        });
        match answered {
            None => self.run.out_of_time(check, &self.about),
            Some((survey, answer)) => {
                self.survey = Some(survey);
                match answer {
                    Ok(answer) => return Some(answer),
                    Err(error) => self.run.say(lines::unusable(check, &self.about, &error)),
                }
            }
        }
        None
    }

    fn settings(&mut self, allow_async: bool) {
        if let Some(facts) = self.ask("journal.settings", LIMIT, Survey::server) {
            self.run.say(lines::settings(&self.about, &facts, allow_async));
        }
    }

    /// Whether there is a journal that works.
    fn contents(&mut self, reads_all: bool) -> bool {
        const CHECK: &str = "journal.contents";
        let about = self.about.clone();
        let Some(journal) = self.ask(CHECK, LIMIT, Survey::journal) else { return false };
        let Some((format, id)) = journal else {
            self.run.say(Line::ok(
                CHECK,
                about,
                words!("还没有交易日志，首个节点启动时建立", "is not there yet; the first node makes it"),
            ));
            return false;
        };
        let line = if reads_all {
            let limit = self.run.left();
            let Some(rows) = self.ask(CHECK, limit, Survey::read_all) else { return true };
            lines::read(&about, format, &rows)
        } else {
            Line::ok(
                CHECK,
                about,
                words!(
                    "格式 {format}；未逐笔核对（加 --journal 核对每一笔的校验和）",
                    "format {format}; not every row was read (--journal compares every row with its checksum)"
                ),
            )
        };
        self.run.say(line.with("format", format).with("id", id));
        true
    }

    fn clock(&mut self) {
        let question = |survey: &mut Survey| {
            let before = unix_ms(SystemTime::now());
            let theirs = survey.unix_ms()?;
            Ok(theirs - i64::midpoint(before, unix_ms(SystemTime::now())))
        };
        if let Some(ahead) = self.ask("journal.clock", LIMIT, question) {
            let found = words!(
                "数据库的时钟比本机快 {ahead} 毫秒（仅供参考，不决定任何扣款）",
                "the database's clock is {ahead} ms ahead of this machine's (shown only: no payment depends on it)"
            );
            self.run.say(Line::ok("journal.clock", self.about.clone(), found).with("ahead_ms", ahead));
        }
    }

    fn unsettled(&mut self) {
        if let Some(open) = self.ask("journal.unsettled", LIMIT, Survey::unsettled) {
            self.run.say(lines::unsettled(&self.about, &open, unix_ms(SystemTime::now())));
        }
    }

    fn twice(&mut self) {
        let Some((count, some)) = self.ask("journal.twice", LIMIT, Survey::twice) else { return };
        let about = self.about.clone();
        let line = if count == 0 {
            Line::ok(
                "journal.twice",
                about,
                words!("没有两个账户共用的单号", "no bizId stands under two accounts"),
            )
        } else {
            let named = some.join(", ");
            Line::warning(
                "journal.twice",
                about,
                words!(
                    "{count} 个单号出现在多个账户下：{named}",
                    "bizIds under more than one account: {count} ({named})"
                ),
                words!(
                    "每个单号在整个连锁中只能使用一次：给收银机不同的前缀；重复的单号查询时无法判断是哪一笔",
                    "a bizId is used once in the whole chain: give each till a prefix of its own; a look-up cannot tell which sale is meant"
                ),
            )
        };
        self.run.say(line.with("count", count));
    }

    fn size(&mut self) {
        let Some((entries, bytes)) = self.ask("journal.size", LIMIT, Survey::size) else { return };
        let mebibytes = bytes / (1024 * 1024);
        let found = words!("{entries} 笔，占用 {mebibytes} MiB", "{entries} entries, {mebibytes} MiB");
        let line = Line::ok("journal.size", self.about.clone(), found);
        self.run.say(line.with("entries", entries).with("bytes", bytes));
    }

    /// A node that lives has said so while it was watched.
    fn nodes(&mut self, before: &[NodeSeen], watched: Duration) {
        let Some(nodes) = self.ask("journal.nodes", LIMIT, Survey::nodes) else { return };
        let Some(settler) = self.ask("journal.nodes", LIMIT, Survey::settler) else { return };
        for line in lines::of_nodes(&self.about, before, &nodes, settler.as_ref(), watched) {
            self.run.say(line);
        }
    }
}
