//! The conversation with a till: commands, lines, and its end.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Aborted, Continued, Session};
use crate::protocol::{self, Line, TillReport};
use crate::report::Event;
use crate::rule::{Finding, Rule};
use crate::scenario::{Moment, Step};
use crate::text::text;
use crate::till::{Output, Till};

impl Session<'_> {
    pub(super) fn start(&mut self, till: u8) -> Continued<()> {
        let stderr = self.folder.join("stderr.txt");
        let started = Till::start(self.options, &stderr).map_err(|why| self.certifier_failed(why))?;
        if let Some(place) = self.tills.get_mut(usize::from(till)) {
            *place = Some(started);
        }
        let folder = self.own_folder(till).display().to_string();
        let line = protocol::start(&format!("T{}", till + 1), &folder, &self.config);
        self.ask(till, &line)
    }

    pub(super) fn own_folder(&self, till: u8) -> PathBuf {
        self.folder.join(format!("till-{}", till + 1))
    }

    pub(super) fn kill(&mut self, moment: Moment) -> Continued<()> {
        match moment {
            Moment::Seen(operation, times) => self.until(&Step::Kill(moment), |session| {
                session.gateway.seen().iter().filter(|seen| seen.operation == operation).count() >= times
            })?,
            Moment::Taken(sale) => self.until(&Step::Kill(moment), |session| {
                // The till may have reported already that nothing was taken.
                session.net(sale) > 0 || session.has_ended(0)
            })?,
            Moment::After(ms) => thread::sleep(Duration::from_millis(ms)),
            Moment::Idle => {}
        }
        let Some(mut running) = self.tills.get_mut(0).and_then(Option::take) else { return Err(Aborted) };
        let (lines, gone) = running.kill();
        for line in lines {
            self.record_line(0, &line);
        }
        if let Some(open) = self.open.first_mut() {
            *open = 0;
        }
        if gone {
            return Ok(());
        }
        Err(self.abort(
            Rule::Protocol,
            text(
                "kill -9 ended a script, not the till that it had started: begin the till with exec",
                "kill -9 只结束了脚本，收银程序仍在运行：请在脚本中用 exec 启动",
            ),
        ))
    }

    /// Whether the till has done every command.
    pub(super) fn has_ended(&mut self, till: u8) -> bool {
        while let Some(Output::Line(line)) = self.till(till).map(|till| till.read_line(Instant::now())) {
            self.record_line(till, &line);
        }
        self.open_at(till) == 0
    }

    pub(super) fn stop(&mut self, till: u8) -> Continued<()> {
        self.ask(till, &protocol::stop())?;
        let Some(mut running) = self.tills.get_mut(usize::from(till)).and_then(Option::take) else {
            return Err(Aborted);
        };
        if running.wait_for_end() {
            return Ok(());
        }
        Err(self.abort(Rule::Silent, text("the till did not end after stop", "stop 之后收银程序没有结束")))
    }

    /// Sends a command to a till and waits until it is done.
    pub(super) fn ask(&mut self, till: u8, line: &Value) -> Continued<()> {
        self.tell(till, line)?;
        self.wait(till, 0)
    }

    pub(super) fn tell(&mut self, till: u8, line: &Value) -> Continued<()> {
        self.events.push(Event::ToTill { at_ms: self.at_ms(), till: till + 1, line: line.to_string() });
        if let Some(open) = self.open.get_mut(usize::from(till)) {
            *open += 1;
        }
        let running = self.tills.get_mut(usize::from(till)).and_then(Option::as_mut);
        if running.is_some_and(|running| running.say(line)) { Ok(()) } else { Err(self.gone(till)) }
    }

    /// Reads a till's lines until at most `left` commands are pending.
    pub(super) fn wait(&mut self, till: u8, left: usize) -> Continued<()> {
        let until = Instant::now() + self.options.time_limit;
        while self.open_at(till) > left {
            match self.till(till).map(|running| running.read_line(until)) {
                Some(Output::Line(line)) => self.record_line(till, &line),
                Some(Output::Silence) => return Err(self.silent(till)),
                Some(Output::End) | None => return Err(self.gone(till)),
            }
        }
        Ok(())
    }

    pub(super) fn record_line(&mut self, till: u8, line: &str) {
        let at_ms = self.at_ms();
        self.events.push(Event::FromTill { at_ms, till: till + 1, line: line.chars().take(4096).collect() });
        match Line::read(line) {
            Ok(Line::Sale(line)) => self.reports.push(TillReport { till, line }),
            Ok(Line::Done) => {
                if let Some(open) = self.open.get_mut(usize::from(till)) {
                    *open = open.saturating_sub(1);
                }
            }
            Ok(Line::Difference) => self.differences += 1,
            Ok(Line::Note) => {}
            Err(why) => {
                let begins: String = line.chars().take(80).collect();
                let about = text(
                    format!("a line that is none of the protocol's: {begins:?} {why}"),
                    format!("不符合协议的输出行：{begins:?} {why}"),
                );
                // One finding is enough.
                if !self.findings.iter().any(|finding| finding.rule == Rule::Protocol) {
                    self.findings.push(Finding::of(Rule::Protocol, None, about));
                }
            }
        }
    }

    pub(super) fn till(&self, till: u8) -> Option<&Till> {
        self.tills.get(usize::from(till)).and_then(Option::as_ref)
    }

    pub(super) fn open_at(&self, till: u8) -> usize {
        self.open.get(usize::from(till)).copied().unwrap_or_default()
    }

    pub(super) fn silent(&mut self, till: u8) -> Aborted {
        let seconds = self.options.time_limit.as_secs();
        self.drop_till(till);
        self.abort(
            Rule::Silent,
            text(format!("not done within {seconds} s; killed"), format!("{seconds} 秒内未完成，已结束进程")),
        )
    }

    pub(super) fn gone(&mut self, till: u8) -> Aborted {
        let running = self.tills.get_mut(usize::from(till)).and_then(Option::take);
        let how = running.map(|mut running| running.end()).unwrap_or_default();
        let about =
            text(format!("the till ended by itself: {}", how.en), format!("收银程序自行退出：{}", how.zh));
        self.abort(Rule::Died, about)
    }

    pub(super) fn drop_till(&mut self, till: u8) {
        if let Some(place) = self.tills.get_mut(usize::from(till)) {
            *place = None;
        }
    }
}
