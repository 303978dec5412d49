//! The collector's page in a real browser: what a person sees, in both languages, and what nobody else may see.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(dead_code, unreachable_pub, missing_docs, reason = "shared with other tests")]

#[path = "../../tests/inspector/browser.rs"]
mod browser;
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use browser::Browser;
use serde_json::json;
use support::tills::{DAYS, Sale, Till};
use support::{Folder, now_ms, options, store};
use zvpos_collect::serve::{Options, Server};
use zvpos_collect::ship::{Settings, Shipper};
use zvpos_core::payment::Stage;

const DESK: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (375, 740);

/// A collector behind nothing, on a loopback address.
fn collector(folder: &Folder) -> Server {
    store(folder);
    Server::start(&Options { tls: None, ..options(folder.store()) }).unwrap()
}

const TOKEN: &str = "the admin's token";

fn has_token(folder: &Folder) {
    store(folder).set_admin(&zvpos_collect::digest::sha256(TOKEN)).unwrap();
}

/// The page, once the token was typed.
fn seen(folder: &Folder, server: &Server, language: &str) -> Browser {
    has_token(folder);
    let mut browser = Browser::begin(&url(server), language, DESK);
    browser.until("document.querySelector('#token-dialog').open");
    browser.type_into("#token", TOKEN);
    browser.click("#token-yes");
    browser.until("document.querySelector('#link').dataset.state === 'live'");
    browser
}

fn url(server: &Server) -> String {
    format!("http://{}/", server.address)
}

fn ship(folder: &Folder, server: &Server, till: &Till, name: &str, shop: &str) {
    let token = store(folder).enroll("连锁", name, shop, now_ms()).unwrap();
    let text = json!({"url": format!("http://{}", server.address), "token": token, "plain_members": true});
    let settings = Settings::read(&text.to_string()).unwrap();
    Shipper::new(&settings, &till.path, DAYS).unwrap().round().unwrap();
}

/// A moment in the present business day, so many hours after its beginning.
fn hour(hours: i64) -> i64 {
    let (from, _) = DAYS.span(DAYS.day_of(now_ms()));
    from + hours * 3_600_000
}

const EVIL: &str = "<img/src=x/onerror=alert(1)>";

/// Two shops with sales in three hours, a refund, two unsettled entries of another age, and a till that is silent.
fn a_day(folder: &Folder, server: &Server) {
    let till = Till::new(&folder.0, "T1");
    till.sell("T1-1", Stage::Succeeded, 2300, hour(4));
    till.sell("T1-2", Stage::Succeeded, 1050, hour(4));
    till.sell("T1-3", Stage::Succeeded, 400, hour(6));
    till.record(&Sale { returned: Some(hour(7)), ..Sale::new("T1-3", Stage::Reversed, 3, 400, hour(6)) });
    till.sell("T1-4", Stage::Unknown, 999, now_ms() - 3 * 86_400_000);
    ship(folder, server, &till, "T1", "人民路店");
    let other = Till::new(&folder.0, "T2");
    other.sell(EVIL, Stage::Reversing, 500, now_ms() - 1000);
    other.sell("T1-1", Stage::Declined, 2300, hour(4));
    ship(folder, server, &other, "T2", "S02");
    store(folder).enroll("连锁", "T3", "S02", now_ms()).unwrap();
}

#[test]
fn a_day_is_seen_and_closed() {
    let folder = Folder::new("page");
    let server = collector(&folder);
    a_day(&folder, &server);
    let mut browser = seen(&folder, &server, "en-US");
    browser.reads("[data-figure=sales]", "¥37.50");
    browser.reads("[data-figure=refunds]", "-¥4.00");
    browser.reads("[data-figure=net]", "¥33.50");
    browser.reads("#verdict", "Not clean: 2 entries are unsettled, 1 differences, the day is not over");
    // The charts, hour by hour and by age.
    let wall =
        |hours: i64| DAYS.wall(hour(hours))[11..13].trim_start_matches('0').parse::<i64>().unwrap_or(0);
    let bars = "[...document.querySelectorAll('#hours [data-hour]')].map((bar) => [+bar.dataset.hour, +bar.dataset.sales, +bar.dataset.sum])";
    assert_eq!(browser.ask(bars), json!([[wall(4), 2, 3350], [wall(6), 1, 400], [wall(7), 0, 0]]));
    let heights =
        "[...document.querySelectorAll('#hours rect.sales')].map((bar) => Math.round(bar.getBBox().height))";
    let heights = browser.ask(heights);
    assert!(heights[0].as_i64() > heights[1].as_i64() && heights[1].as_i64() > Some(5), "{heights}");
    let ages = "[...document.querySelectorAll('#ages [data-age]')].map((bar) => +bar.dataset.count)";
    assert_eq!(browser.ask(ages), json!([1, 0, 0, 1, 0]));
    // The lists.
    browser.reads("#unsettled", "T1-4");
    browser.reads("#unsettled", EVIL);
    browser.reads("#differences", "the same bizId is under several journals with different content");
    browser.reads("#silent", "was never heard of");
    browser.reads("#shops", "人民路店");
    assert_eq!(
        browser.ask("document.querySelectorAll('img:not(h1 img)').length"),
        0,
        "the bizId became an element"
    );
    // Everything is named in the other language, too.
    browser.click("#language");
    browser.reads("#verdict", "尚有问题：2 笔未结，1 处差异，营业日尚未结束");
    browser.reads("#unsettled", "冲正中");
    browser.reads("#silent", "从未上传");
    assert_eq!(browser.ask("document.documentElement.lang"), "zh-CN");
    let english = "[...document.querySelectorAll('h2, th, dt, svg text')].map((one) => one.textContent).filter((text) => /[A-Za-z]{3}/.test(text) && text !== 'bizId')";
    assert_eq!(browser.ask(english), json!([]));
    browser.reload();
    browser.reads("#shops", "门店");
    browser.click("#language");
    // Closing asks for a name, and for consent while something is open.
    browser.click("#close");
    browser.reads("#accept-words", "2 entries are unsettled");
    browser.type_into("#close-by", "王店长");
    browser.click("#close-yes");
    browser.reads("#trouble", "the day is not clean");
    browser.click("#close");
    browser.click("#accept");
    browser.click("#close-yes");
    browser.reads("#verdict", "Closed by 王店长");
    let closed = store(&folder).closing("连锁", DAYS.day_of(now_ms())).unwrap().unwrap();
    assert_eq!((closed.closed_by.as_str(), closed.clean), ("王店长", false));
    // Another day is empty.
    browser.ask("(() => { const day = document.querySelector('#day'); day.value = '2024-02-29'; day.dispatchEvent(new Event('change', {bubbles: true})); return 1; })()");
    browser.reads("#hours", "No sale on this day");
    // What the server has refused, the browser reports by itself; nothing else.
    let requests =
        browser.ask("performance.getEntriesByType('resource').map((one) => new URL(one.name).host)");
    let own = server.address.to_string();
    assert!(requests.as_array().unwrap().iter().all(|host| *host == json!(own)), "{requests}");
}

#[test]
fn it_fits_a_phone_and_the_night_and_every_control_has_a_name() {
    let folder = Folder::new("phone");
    let server = collector(&folder);
    a_day(&folder, &server);
    let mut browser = seen(&folder, &server, "zh-CN");
    browser.prefer("light");
    browser.reads("[data-figure=sales]", "¥37.50");
    browser.picture(&folder.0.join("collect.zh-CN.png"));
    let back = "getComputedStyle(document.body).backgroundColor";
    let light = browser.ask(back);
    browser.prefer("dark");
    assert_ne!(browser.ask(back), light, "the night is as bright as the day");
    browser.resize(PHONE);
    let wide = "[document.documentElement, ...document.querySelectorAll('main, .card')].filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.tagName + one.id)";
    assert_eq!(browser.ask(wide), json!([]), "it must be scrolled sideways");
    browser.picture(&folder.0.join("collect-phone.png"));
    if let Some(kept) = std::env::var_os("ZVPOS_SCREENSHOTS") {
        for name in ["collect.zh-CN.png", "collect-phone.png"] {
            std::fs::copy(folder.0.join(name), std::path::Path::new(&kept).join(name)).unwrap();
        }
    }
    let nameless = "[...document.querySelectorAll('button, input, select')].filter((one) => !one.labels?.length && !one.ariaLabel && !one.innerText.trim() && one.offsetParent).map((one) => one.outerHTML)";
    assert_eq!(browser.ask(nameless), json!([]));
    browser.content();
}

#[test]
fn with_a_token_the_page_asks_for_it() {
    let folder = Folder::new("admin");
    let server = collector(&folder);
    a_day(&folder, &server);
    has_token(&folder);
    let mut browser = Browser::begin(&url(&server), "en-US", DESK);
    browser.until("document.querySelector('#token-dialog').open");
    assert_eq!(browser.ask("document.querySelector('#content').hidden"), true);
    browser.type_into("#token", "another token");
    browser.click("#token-yes");
    browser.reads("#trouble", "the admin token is needed");
    browser.until("document.querySelector('#token-dialog').open");
    browser.type_into("#token", TOKEN);
    browser.click("#token-yes");
    browser.reads("[data-figure=sales]", "¥37.50");
    browser.until("document.querySelector('#link').dataset.state === 'live'");
}

fn asked(server: &Server, head: &str) -> String {
    let mut socket = TcpStream::connect(server.address).unwrap();
    let (head, body) = head.split_once("\r\n\r\n").unwrap_or((head, ""));
    write!(socket, "{head}\r\nConnection: close\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_page_loads_nothing_from_other_servers_and_shows_nothing_to_others() {
    let folder = Folder::new("policy");
    let server = collector(&folder);
    a_day(&folder, &server);
    for path in [
        "/",
        "/frame.css",
        "/language.js",
        "/collect.css",
        "/collect.svg",
        "/collect.js",
        "/charts.js",
        "/tables.js",
        "/words.js",
    ] {
        let file = asked(&server, &format!("GET {path} HTTP/1.1\r\nHost: anything"));
        assert!(
            file.starts_with("HTTP/1.1 200")
                && file.contains("default-src 'none'")
                && !file.contains("unsafe-"),
            "{path}"
        );
        assert!(
            file.contains("X-Content-Type-Options: nosniff") && file.contains("frame-ancestors 'none'"),
            "{path}"
        );
        let own = file.replace("http://www.w3.org/2000/svg", "");
        assert!(!own.contains("http://") && !own.contains("https://"), "{path} names another host");
        assert!(
            !own.contains("<script>") && !own.contains("innerHTML") && !own.contains(" style="),
            "{path}"
        );
    }
    has_token(&folder);
    let own = format!("Host: localhost\r\nAuthorization: Bearer {TOKEN}");
    let near = asked(&server, &format!("GET /v1/day HTTP/1.1\r\n{own}"));
    assert!(near.starts_with("HTTP/1.1 200") && near.contains("37.50"), "{near}");
    for path in ["/v1/day", "/v1/chains"] {
        let far = asked(&server, &format!("GET {path} HTTP/1.1\r\nHost: localhost"));
        assert!(far.starts_with("HTTP/1.1 401") && !far.contains("37.50"), "{far}");
    }
    let form = asked(
        &server,
        "POST /v1/close HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nContent-Length: 0",
    );
    assert!(form.starts_with("HTTP/1.1 403"), "{form}");
    assert!(
        asked(&server, &format!("GET /v1/day?day=2026-02-30 HTTP/1.1\r\n{own}")).starts_with("HTTP/1.1 400")
    );
}

/// A reverse proxy with its own defaults asks from this machine, with the collector's own address as the host.
#[test]
fn before_there_is_a_token_nobody_sees_or_closes_anything() {
    let folder = Folder::new("no-token");
    let server = collector(&folder);
    a_day(&folder, &server);
    let host = format!("Host: {}", server.address);
    let order = json!({"chain": "连锁", "day": "2024-02-29", "by": "x", "accept": "00000000"}).to_string();
    let close = format!(
        "POST /v1/close HTTP/1.1\r\n{host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{order}",
        order.len()
    );
    let heads = ["/v1/day", "/v1/chains"].map(|path| format!("GET {path} HTTP/1.1\r\n{host}"));
    for head in heads.iter().chain([&close]) {
        let refused = asked(&server, head);
        assert!(refused.starts_with("HTTP/1.1 403") && !refused.contains("37.50"), "{head}: {refused}");
        assert!(refused.contains("there is no admin token: run zv collect init"), "{refused}");
    }
    let day = DAYS.day_of(1_709_200_000_000);
    assert!(store(&folder).closing("连锁", day).unwrap().is_none());
}
