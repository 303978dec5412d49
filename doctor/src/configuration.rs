//! The configuration: everything that `zv_init` would refuse, or else the settings in force.

use serde_json::Value as Json;
use zvpos_core::config::{Account, Config};
use zvpos_core::gateway::{Operation, Route};
use zvpos_core::json::Value;
use zvpos_core::payment::OnUnknown;

use crate::report::Line;
use crate::run::Run;
use crate::words::words;

/// Reads the configuration; `None` if `zv_init` would refuse it.
pub(crate) fn examine(run: &mut Run<'_>, text: &str) -> Option<Config> {
    let value = match Value::parse(text) {
        Ok(value) => value,
        Err(error) => {
            run.say(Line::failed(
                "config",
                "",
                words!("配置不是有效的 JSON：{error}", "the configuration is no JSON: {error}"),
                words!("改正该处，文件须为一个 JSON 对象", "correct that place; the file is one JSON object"),
            ));
            return None;
        }
    };
    let config = match Config::read(&value) {
        Ok(config) => config,
        Err(problems) => {
            for problem in problems {
                let why = problem.message;
                run.say(Line::failed(
                    "config",
                    problem.path,
                    // A problem never contains a secret's value.
                    words!("配置有误：{why}", "{why}").vouching_for(&why),
                    words!(
                        "按 docs/configuration.md 改正此项；改正之前 zv_init 不会启动",
                        "correct it by docs/configuration.md; until then zv_init does not start"
                    ),
                ));
            }
            return None;
        }
    };
    let count = config.accounts.len();
    run.say(Line::ok("config", "", words!("配置可用，共 {count} 个账户", "can be used; accounts: {count}")));
    blanks(run, text);
    warmth(run, &config);
    for account in &config.accounts {
        safety(run, account);
        plain_http(run, account);
    }
    Some(config)
}

/// A key that was copied with a blank or a line end is another key.
fn blanks(run: &mut Run<'_>, text: &str) {
    let Ok(json) = serde_json::from_str::<Json>(text) else { return };
    let named = json.get("accounts").and_then(Json::as_object).into_iter().flatten();
    let accounts =
        std::iter::once((String::new(), &json)).chain(named.map(|(n, a)| (format!("accounts.{n}."), a)));
    for (path, account) in accounts {
        for name in ["openId", "grantCode", "openKey"] {
            let value = account.get(name).and_then(Json::as_str).unwrap_or_default();
            if value.chars().any(|c| c.is_whitespace() || c.is_control() || !c.is_ascii()) {
                run.say(Line::failed(
                    "config.keys",
                    format!("{path}{name}"),
                    words!(
                        "含有空格、换行或全角字符",
                        "holds a blank, a line end or a character that is not ASCII"
                    ),
                    words!(
                        "重新从企迈后台复制，前后不要带空格",
                        "copy it again from the platform, without blanks around it"
                    ),
                ));
            }
        }
    }
}

/// Whether a payment that comes long after its quote finds an open connection.
fn warmth(run: &mut Run<'_>, config: &Config) {
    let seconds = config.warm.as_secs();
    let found = if seconds == 0 {
        words!(
            "查会员、可用券或询价之后不保持连接（由 warm_s、idle_ms 或 background 关闭）",
            "no connection is kept open after a look-up or a quote (warm_s, idle_ms or background)"
        )
    } else {
        words!(
            "查会员、可用券或询价之后 {seconds} 秒内保持一个未使用的连接（warm_s）",
            "an unused connection is kept open for {seconds} s after a look-up or a quote (warm_s)"
        )
    };
    run.say(Line::ok("config.warm", "", found).with("warm_s", seconds));
}

/// How a sale whose answer is lost is resolved.
fn safety(run: &mut Run<'_>, account: &Account) {
    let name = account.name.as_deref().unwrap_or_default();
    let has_route = account.route(Operation::Reverse).is_some();
    let line = match (account.on_unknown, has_route) {
        (OnUnknown::Reverse, _) => Line::ok(
            "config.safety",
            name,
            words!(
                "结果未知的扣款会自动冲正（on_unknown = reverse）",
                "an unknown outcome is undone by itself (on_unknown = reverse)"
            ),
        ),
        (OnUnknown::Hold, true) => Line::ok(
            "config.safety",
            name,
            words!(
                "结果未知的扣款不自动冲正，等待证实或人工处理（on_unknown = hold）",
                "an unknown outcome waits for proof or a person (on_unknown = hold)"
            ),
        ),
        (OnUnknown::Hold, false) => Line::warning(
            "config.safety",
            name,
            words!(
                "没有配置冲正路由，结果未知的扣款只能等待人工处理（on_unknown = hold）",
                "no reverse route: an unknown outcome waits for a person (on_unknown = hold)"
            ),
            words!(
                "向企迈索取冲正操作的 Action 与参数，填入 routes.reverse；账户开通 V3 的可填 \"v3\"",
                "ask the vendor for the action and params of its reversal and set routes.reverse; \"v3\" where the account has V3"
            ),
        ),
    };
    let line = line.with("environment", account.environment.as_str());
    run.say(line.with("on_unknown", if account.on_unknown == OnUnknown::Hold { "hold" } else { "reverse" }));
}

fn plain_http(run: &mut Run<'_>, account: &Account) {
    let name = account.name.as_deref().unwrap_or_default();
    let plain = Operation::ALL.into_iter().any(|o| account.route(o).is_some_and(Route::is_plain_http));
    if !plain {
        return;
    }
    run.say(Line::warning(
        "config.http",
        name,
        words!(
            "接口使用明文 http，途中可被查看和篡改",
            "requests go over plain http: they can be read and changed on their way"
        ),
        words!(
            "企迈提供 https 时，把 endpoint 改为 https 地址",
            "set an https endpoint where the vendor offers one"
        ),
    ));
    if account.password_over_http {
        run.say(Line::warning(
            "config.http",
            name,
            words!(
                "支付密码允许以明文 http 发送（password_over_http）",
                "payment passwords may leave over plain http (password_over_http)"
            ),
            words!("去掉 password_over_http，或改用 https", "take password_over_http out, or use https"),
        ));
    }
}
