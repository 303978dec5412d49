//! The report as one HTML file without external scripts, fonts or images; light and dark; with both languages, one of
//! which is shown.

use std::fmt::Write as _;

use super::{Event, Member, Report, SaleReport, ScenarioReport};
use crate::gateway::{Record, Seen};
use crate::scenario::Group;
use crate::text::{Text, text};

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

pub(super) fn page(report: &Report) -> String {
    let verdict = if report.certified { "ok" } else { "bad" };
    let heading = both(&text("zvpos till certification", "zvpos 收银程序认证"));
    let mut out = String::with_capacity(256 * 1024);
    push(
        &mut out,
        format_args!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>zvpos certify</title><style>{STYLE}</style></head>\n\
         <body><header><h1>{heading}</h1><button id=\"language\" type=\"button\">中文</button></header>\n\
         <p class=\"verdict {verdict}\">{}</p>\n<dl><dt>{}</dt><dd><code>{}</code></dd><dt>zvpos</dt><dd>{}</dd>\
         <dt>{}</dt><dd>{}</dd></dl>\n",
            both(&report.verdict()),
            both(&text("Till", "收银程序")),
            escape(&report.till.join(" ")),
            escape(report.version),
            both(&text("Time", "时间")),
            zvpos_core::calendar::timestamp(i64::try_from(report.at_unix_s).unwrap_or_default() * 1000),
        ),
    );
    overview(&mut out, report);
    for group in Group::ALL {
        let own: Vec<_> = report.scenarios.iter().filter(|one| one.group == *group).collect();
        if !own.is_empty() {
            push(&mut out, format_args!("<h2>{}</h2>\n", both(&group.title())));
            for one in own {
                scenario(&mut out, one);
            }
        }
    }
    push(&mut out, format_args!("<script>{SCRIPT}</script></body></html>\n"));
    out
}

/// The failures by rule, each with its fix: an integrator reads this first.
fn overview(out: &mut String, report: &Report) {
    let rules = report.to_fix();
    if rules.is_empty() {
        return;
    }
    push(out, format_args!("<h2>{}</h2>\n<ul class=\"fixes\">\n", both(&text("What to fix", "需要修改"))));
    for (rule, ids) in rules {
        let links: Vec<String> = ids.iter().map(|id| format!("<a href=\"#{id}\">{id}</a>")).collect();
        push(
            out,
            format_args!(
                "<li><strong>{}</strong><br>{}<br><small>{}</small></li>\n",
                both(&rule.what()),
                both(&rule.remedy()),
                links.join(" ")
            ),
        );
    }
    out.push_str("</ul>\n");
}

fn scenario(out: &mut String, one: &ScenarioReport) {
    let (class, mark) = if one.passed { ("ok", "✓") } else { ("bad", "✗") };
    let open = if one.passed { "" } else { " open" };
    let chance = if one.by_chance {
        both(&text("(a random moment decides)", "（由随机时刻决定）"))
    } else {
        String::new()
    };
    push(
        out,
        format_args!(
            "<details id=\"{id}\" class=\"{class}\"{open}><summary><span class=\"mark\">{mark}</span> <code>{id}</code> {} \
             <small>{chance}</small></summary>\n",
            both(&one.title),
            id = one.id
        ),
    );
    for finding in &one.findings {
        let sale =
            finding.sale.as_ref().map_or_else(String::new, |sale| format!("<code>{}</code> ", escape(sale)));
        push(
            out,
            format_args!(
                "<div class=\"finding\"><strong>{sale}{}</strong><p>{}</p><p class=\"how\">{}</p></div>\n",
                both(&finding.what),
                both(&finding.seen),
                both(&finding.remedy)
            ),
        );
    }
    table(out, ("What was done and said", "过程"), &[], one.events.iter().map(event));
    table(
        out,
        ("The sales", "交易"),
        &[
            ("sale", "单号"),
            ("the till said", "收银机报告"),
            ("bizId", "bizId"),
            ("S at the gateway", "网关净扣款"),
            ("journal", "日志"),
        ],
        one.sales.iter().map(sale),
    );
    table(
        out,
        ("The member's money", "会员资产"),
        &[("member", "会员"), ("before", "之前"), ("after", "之后"), ("should be", "应为")],
        one.members.iter().map(member),
    );
    table(
        out,
        ("Requests at the gateway", "网关收到的请求"),
        &[
            ("#", "#"),
            ("operation", "操作"),
            ("bizId", "bizId"),
            ("fault", "故障"),
            ("code", "返回码"),
            ("what it did", "处理结果"),
        ],
        one.requests.iter().map(request),
    );
    table(
        out,
        ("The gateway's ledger", "网关账目"),
        &[("bizId", "bizId"), ("amount", "金额"), ("coupons", "优惠券"), ("entries", "记录"), ("S", "S")],
        one.ledger.iter().map(record),
    );
    if !one.stderr.is_empty() {
        push(out, format_args!("<h3>stderr</h3><pre>{}</pre>\n", escape(&one.stderr)));
    }
    out.push_str("</details>\n");
}

fn table(
    out: &mut String,
    (en, zh): (&str, &str),
    columns: &[(&str, &str)],
    rows: impl ExactSizeIterator<Item = Vec<String>>,
) {
    if rows.len() == 0 {
        return;
    }
    push(out, format_args!("<h3>{}</h3><div class=\"wide\"><table>", both(&text(en, zh))));
    if !columns.is_empty() {
        let heads = columns.iter().map(|(en, zh)| format!("<th>{}</th>", both(&text(*en, *zh))));
        push(out, format_args!("<tr>{}</tr>", heads.collect::<String>()));
    }
    for cells in rows {
        push(out, format_args!("<tr><td>{}</td></tr>", cells.join("</td><td>")));
    }
    out.push_str("</table></div>\n");
}

fn event(event: &Event) -> Vec<String> {
    let line = |at: &u64, arrow: &str, till: &u8, line: &str| {
        vec![at.to_string(), format!("{arrow} {till}"), format!("<code>{}</code>", escape(line))]
    };
    match event {
        Event::Did { at_ms, what } => {
            vec![at_ms.to_string(), String::new(), format!("<em>{}</em>", both(what))]
        }
        Event::ToTill { at_ms, till, line: text } => line(at_ms, "→", till, text),
        Event::FromTill { at_ms, till, line: text } => line(at_ms, "←", till, text),
    }
}

fn sale(sale: &SaleReport) -> Vec<String> {
    let said: Vec<&str> = sale.said.iter().map(|said| said.word()).collect();
    vec![
        escape(&format!("{}/{}", sale.till, sale.number)),
        escape(&said.join(" → ")),
        escape(&sale.biz_ids.join(" ")),
        sale.net.to_string(),
        escape(&sale.journal.join(" ")),
    ]
}

fn member(member: &Member) -> Vec<String> {
    let with = |yuan: &str, points: i64| format!("{yuan} / {points}");
    vec![
        escape(&member.customer_id),
        with(&member.before, member.points_before),
        with(&member.after, member.points_after),
        with(&member.expected, member.points_expected),
    ]
}

fn request(seen: &Seen) -> Vec<String> {
    let texts = [&seen.operation, &seen.biz_id, &seen.fault, &seen.code, &seen.explanation];
    [seen.number.to_string()].into_iter().chain(texts.map(|text| escape(text))).collect()
}

fn record(record: &Record) -> Vec<String> {
    vec![
        escape(&record.biz_id),
        escape(&record.amount),
        escape(&record.coupons.join(" ")),
        escape(&record.entries.join(" ")),
        record.net.to_string(),
    ]
}

/// Both languages; the style sheet shows one.
fn both(text: &Text) -> String {
    if text.en == text.zh {
        return escape(&text.en);
    }
    format!(
        "<span class=\"en\">{}</span><span class=\"zh\" lang=\"zh\">{}</span>",
        escape(&text.en),
        escape(&text.zh)
    )
}

/// The till's output is text, never markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

fn push(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_till_cannot_put_markup_into_the_report() {
        let event = Event::FromTill { at_ms: 1, till: 1, line: "<script>alert(\"1\")</script>".to_owned() };
        assert!(!super::event(&event).concat().contains("<script>"));
    }
}
