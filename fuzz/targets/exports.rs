//! The calls of the C ABI with the bytes of a host in each charset, over a journal in memory and a gateway that answers
//! with what the input says. What a till is told has its proof, what is sent is what was asked for, and no payment is
//! sent twice.
//!
//! An input is a list of parts with a record separator (0x1e) between them. The first names the charset (`u`, `g`, `a`)
//! and the configuration (`0` to `3`). The others begin with a letter: a call and its request, or what a later request
//! to the gateway is answered with.
#![no_main]

use std::sync::Arc;
use std::time::Instant;

use encoding_rs::GB18030;
use libfuzzer_sys::fuzz_target;
use zvpos_core::api::Library;
use zvpos_core::config::{Charset, Config};
use zvpos_core::journal::{Backend, Journal, Location};
use zvpos_core::json::Value;
use zvpos_core::log::Log;
use zvpos_core::outcome::{Answer, Lang, Outcome};
use zvpos_core::text::{Expected, encode};
use zvpos_core::world::World;
use zvpos_fuzz::gateway::{Given, Scripted};
use zvpos_fuzz::journal::Memory;
use zvpos_fuzz::ledger::{self, Rules};
use zvpos_fuzz::tree::Tree;

const SEPARATOR: u8 = 0x1e;
const MOST_PARTS: usize = 24;

/// Beside the keys: held outcomes; reversals; strict answers that must be confirmed; the gateway's records as evidence.
const CONFIGS: [(&str, Rules); 4] = [
    (r#""on_unknown":"hold""#, Rules { strict: false, declined: &[] }),
    (
        r#""routes":{"reverse":{"action":"sandbox.consume-reverse","codes":{"already":["920002"],"not_found":["920001"]}}},
           "late_arrival_ms":300"#,
        Rules { strict: false, declined: &[] },
    ),
    (
        r#""routes":{"reverse":{"action":"sandbox.consume-reverse"}},"strict_answer":true,"confirm":true,
           "defaults":{"deviceSn":"T1","operatorName":"小王"},"codes":{"declined":["910001","DECLINED"]}"#,
        Rules { strict: true, declined: &["910001", "DECLINED"] },
    ),
    (
        r#""routes":{"balance_by_biz_id":{"action":"sandbox.balance","complete":true,"codes":{"not_found":["910010"]}}},
           "on_unknown":"hold","late_arrival_ms":300,"call_actions":["told.by-the-vendor"]"#,
        Rules { strict: false, declined: &[] },
    ),
];
/// The account's key.
const KEY: &str = "fake-open-key-for-test-only-0001";
const DEFAULTS: [&str; 2] = ["deviceSn", "operatorName"];

fuzz_target!(|input: &[u8]| {
    let mut parts = input.split(|byte| *byte == SEPARATOR);
    let (charset, number) = match parts.next() {
        Some([charset, number, ..]) => (*charset, usize::from(number.wrapping_sub(b'0')) % CONFIGS.len()),
        _ => return,
    };
    let charset = match charset {
        b'g' => Charset::Gbk,
        b'a' => Charset::Ascii,
        _ => Charset::Utf8,
    };
    let Some((settings, rules)) = CONFIGS.get(number) else { return };
    let mut till = Till::start(settings, *rules, charset);
    let parts: Vec<&[u8]> = parts.take(MOST_PARTS).collect();
    let is_request = |part: &&&[u8]| !matches!(part.first(), Some(b'=' | b'!'));
    till.says_its_key = parts
        .iter()
        .filter(is_request)
        .any(|part| part.windows(KEY.len()).any(|text| text == KEY.as_bytes()));
    for part in parts {
        let Some((letter, bytes)) = part.split_first() else { continue };
        till.act(*letter, bytes);
    }
    till.library.shut_down();
    ledger::check_journal(&till.journal, *rules, &till.world.posts());
});

/// One library and the host that calls it.
struct Till {
    library: Library,
    world: Arc<Scripted>,
    journal: Memory,
    rules: Rules,
    charset: Charset,
    /// A request itself holds the key: then a message may, too.
    says_its_key: bool,
}

impl Till {
    fn start(settings: &str, rules: Rules, charset: Charset) -> Till {
        let keys = format!(r#""openId":"fake-open-id","grantCode":"fake-grant-code","openKey":"{KEY}""#);
        let config = format!(
            r#"{{{keys},"endpoint":"https://gateway.test/api/v2","background":false,"lang":"en",{settings}}}"#
        );
        let value = Value::parse(&config).unwrap_or_else(|error| panic!("{config}: {error}"));
        let config = Config::read(&value).unwrap_or_else(|problems| panic!("{problems:?}"));
        let journal = Memory::default();
        let watched = journal.clone();
        let watch = Box::new(move |posts: &[_], body: &str| ledger::watch(&watched, rules, posts, body));
        let world = Arc::new(Scripted::new(watch));
        let opened = journal.clone();
        let open = move |_: Instant| {
            let place = Location::at("/in/memory".into());
            Ok((Arc::new(opened.clone()) as Arc<dyn Backend>, place))
        };
        let opened = Journal::open(open, world.now());
        let library = Library::over(Arc::<Scripted>::clone(&world), opened, Log::default(), config);
        Till { library, world, journal, rules, charset, says_its_key: false }
    }

    fn act(&self, letter: u8, bytes: &[u8]) {
        match letter {
            b'=' => self.world.push(Given::Answer { status: 200, body: bytes.to_vec() }),
            b'!' => self.world.push(Given::Answer { status: 502, body: bytes.to_vec() }),
            b'-' => self.world.push(Given::NotSent),
            b'~' => self.world.push(Given::Lost),
            b'w' => self.world.sleep(std::time::Duration::from_secs(bytes.len() as u64)),
            // What a host passes ends at the first NUL.
            _ => self.call(letter, bytes.split(|byte| *byte == 0).next().unwrap_or_default()),
        }
    }

    fn call(&self, letter: u8, bytes: &[u8]) {
        let expected = Expected { what: "request", charset: self.charset, lang: Lang::En };
        let text = match expected.decode_given(bytes) {
            Ok(text) => text,
            Err(answer) => return self.check_answer(&answer),
        };
        assert_eq!(Some(&*text), read_by_others(bytes, self.charset).as_deref());
        let before = self.world.posts().len();
        let request = Tree::read(&text);
        let may_be_null = Some(&*text).filter(|text| !text.is_empty());
        let answer = match letter {
            b'q' => self.library.quote(&text),
            b'c' => self.library.consume(&text),
            b'r' => self.library.reverse(&text),
            b'l' => self.library.look_up(&text),
            b'p' => self.library.pending(may_be_null),
            b'v' => self.library.recover(may_be_null),
            b'f' => self.library.confirm(&text),
            b's' => self.library.settle(&text),
            b'a' => {
                let (action, params) = text.split_once('\n').unwrap_or((&text, "{}"));
                self.library.call(action, params)
            }
            _ => return,
        };
        self.check_answer(&answer);
        self.check_posts(letter, before, request.as_ref());
        let posts = self.world.posts();
        ledger::check_journal(&self.journal, self.rules, &posts);
        let own = answer.biz_id().filter(|_| matches!(letter, b'c' | b'l' | b'f'));
        if let Some(own) = own {
            ledger::check_told(&self.journal, answer.outcome(), own);
        } else if letter == b'c' {
            assert!(!matches!(answer.outcome(), Outcome::Succeeded | Outcome::Declined | Outcome::Reversed));
        }
        if let Some(number) = answer.delivery() {
            self.library.delivered(number);
        }
    }

    /// What left during a call is what that call may send.
    fn check_posts(&self, letter: u8, before: usize, request: Option<&Tree>) {
        for post in self.world.posts().iter().skip(before) {
            let (action, _) = ledger::asked(&post.body);
            match (letter, action.as_str()) {
                (b'c', ledger::CONSUME) => {
                    let request = request.unwrap_or_else(|| panic!("no JSON was sent as {}", post.body));
                    ledger::check_sent(request, &DEFAULTS, &post.body);
                }
                (_, ledger::CONSUME) => panic!("a consume left in another call: {}", post.body),
                (b'c' | b'q' | b'l' | b'p' | b'f' | b's' | b'a', ledger::REVERSE) => {
                    panic!("a reversal left in another call: {}", post.body);
                }
                _ => {}
            }
        }
    }

    /// An answer is JSON of its own, and the same in the host's charset.
    fn check_answer(&self, answer: &Answer) {
        let json = answer.to_json();
        let tree = Tree::read(&json).unwrap_or_else(|| panic!("an answer is no JSON: {json}"));
        let told = tree.get("outcome").and_then(Tree::scalar);
        assert_eq!(told, Some(answer.outcome().as_str()));
        let bytes = encode(json.as_str().into(), self.charset);
        assert!(!bytes.contains(&0), "an answer ends at a NUL: {json}");
        let read = read_by_others(&bytes, self.charset).and_then(|text| Tree::read(&text));
        assert_eq!(read.as_ref(), Some(&tree), "in the host's charset");
        assert!(self.says_its_key || !answer.message().contains(KEY), "{json}");
    }
}

fn read_by_others(bytes: &[u8], charset: Charset) -> Option<std::borrow::Cow<'_, str>> {
    let marked = bytes.strip_prefix(b"\xef\xbb\xbf");
    match (charset, marked) {
        (Charset::Gbk, None) => GB18030.decode_without_bom_handling_and_without_replacement(bytes),
        _ => std::str::from_utf8(marked.unwrap_or(bytes)).ok().map(Into::into),
    }
}
