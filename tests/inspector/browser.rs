//! A headless Chromium controlled through `browser.py`, and the few actions of a user on a page.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::support::{own_folder, root};

pub struct Browser {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    url: String,
}

impl Browser {
    /// Opens the page in a window of this size, with this preferred language, and waits until it shows something.
    pub fn open(url: &str, language: &str, size: (u32, u32)) -> Browser {
        let mut browser = Browser::begin(url, language, size);
        browser.until("document.querySelector('#link').dataset.state === 'live'");
        browser
    }

    /// The same without waiting.
    pub fn begin(url: &str, language: &str, size: (u32, u32)) -> Browser {
        let mut child = Command::new("python3")
            .arg(root().join("tests/inspector/browser.py"))
            .arg(own_folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3: install python3");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut browser = Browser { child, input, output, url: url.to_owned() };
        browser.resize(size);
        browser.order("language", &json!(language));
        browser.order("open", &json!(url));
        browser
    }

    fn order(&mut self, what: &str, value: &Value) -> Value {
        let line = json!({"do": what, "value": value});
        let said = writeln!(self.input.as_mut().unwrap(), "{line}");
        let mut answer = String::new();
        let read = self.output.read_line(&mut answer);
        // The reason is on stderr: mostly that chromium is missing.
        assert!(said.is_ok() && read.is_ok() && !answer.is_empty(), "the browser is gone, {line}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["error"].is_null(), "{line}: {}", answer["error"]);
        answer["value"].clone()
    }

    pub fn reload(&mut self) {
        let url = json!(self.url);
        self.order("open", &url);
        self.until("document.querySelector('#link').dataset.state === 'live'");
    }

    pub fn resize(&mut self, (width, height): (u32, u32)) {
        self.order("size", &json!([width, height, width < 600]));
    }

    /// `light` or `dark`.
    pub fn prefer(&mut self, scheme: &str) {
        self.order("scheme", &json!(scheme));
    }

    /// Clicks in the middle of the element.
    pub fn click(&mut self, selector: &str) {
        self.order("click", &json!(selector));
    }

    pub fn type_into(&mut self, selector: &str, text: &str) {
        self.click(selector);
        self.order("type", &json!(text));
    }

    pub fn press(&mut self, key: &str) {
        self.order("key", &json!(key));
    }

    /// Selects an option, as the keyboard would.
    pub fn choose(&mut self, selector: &str, value: &str) {
        let script = format!(
            "(() => {{ const list = document.querySelector({selector:?}); list.value = {value:?}; \
             list.dispatchEvent(new Event('input', {{bubbles: true}})); \
             list.dispatchEvent(new Event('change', {{bubbles: true}})); return list.value; }})()"
        );
        assert_eq!(self.ask(&script), value, "{selector} has no {value}");
    }

    /// The value of a script.
    pub fn ask(&mut self, script: &str) -> Value {
        self.order("eval", &json!(script))
    }

    /// Waits until a script returns true; fails after a timeout.
    pub fn until(&mut self, script: &str) {
        let value = self.order("until", &json!(script));
        let so = !matches!(value, Value::Null | Value::Bool(false));
        assert!(so, "not so: {script}\n{}", self.ask("document.body.innerText").as_str().unwrap_or_default());
    }

    /// The visible text of the element; empty if it is hidden.
    pub fn text(&mut self, selector: &str) -> String {
        let text = self.ask(&format!("document.querySelector({selector:?})?.innerText ?? ''"));
        text.as_str().unwrap().to_owned()
    }

    /// Waits until the element shows this text.
    pub fn reads(&mut self, selector: &str, text: &str) {
        self.until(&format!("document.querySelector({selector:?})?.innerText.includes({text:?})"));
    }

    pub fn picture(&mut self, path: &Path) {
        self.order("screenshot", &json!(path));
        assert!(std::fs::metadata(path).unwrap().len() > 1000, "{} is empty", path.display());
    }

    /// Checks that nothing was logged to the console, and that no server but the simulator was contacted.
    pub fn content(&mut self) {
        assert_eq!(self.order("complaints", &Value::Null), json!([]), "the browser complains");
        let requests = self.order("requests", &Value::Null);
        let requests: Vec<_> = requests.as_array().unwrap().iter().map(|url| url.as_str().unwrap()).collect();
        let own = |url: &str| url.starts_with(&self.url) || url.starts_with("data:");
        let foreign: Vec<_> = requests.iter().filter(|url| !own(url)).collect();
        assert!(requests.len() > 5 && foreign.is_empty(), "asked elsewhere: {foreign:?} of {requests:?}");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The process ends with its standard input.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
