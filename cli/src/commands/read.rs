//! `zv call`: a read of the gateway.

use std::process::ExitCode;

use clap::Args;
use zvpos_core::json::push_string;

use super::calls::ask_with;
use crate::exit::Failure;
use crate::request;
use crate::settings::Common;

/// The arguments of `zv call`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// member_lookup, coupon_status, usable_coupons, balance_by_biz_id, a V2 Action, a V3 path, or an
    /// entry of call_actions in the configuration
    #[arg(value_name = "ACTION")]
    action: String,

    /// A parameter, sent as text (repeatable)
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Request")]
    param: Vec<String>,

    /// The parameters as JSON, - for standard input; --param overrides them
    #[arg(long, value_name = "FILE", help_heading = "Request")]
    request: Option<String>,

    #[command(flatten)]
    common: Common,
}

impl Arguments {
    /// Makes the call.
    pub(crate) fn run(self) -> ExitCode {
        let params = self
            .param
            .iter()
            .map(|text| named(text))
            .collect::<Result<Vec<_>, Failure>>()
            .and_then(|params| request::text(self.request.as_deref(), &params));
        let action = self.action;
        ask_with(&self.common, "waiting for the gateway", params, move |library, params| {
            library.call(&action, params)
        })
    }
}

/// A param of the command line: its name, and its value as JSON.
fn named(text: &str) -> Result<(&str, String), Failure> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
        Failure::invalid(format!("--param {text:?} is not NAME=VALUE, such as identifierNumber=M0001"))
    })?;
    let mut json = String::new();
    push_string(&mut json, value);
    Ok((name, json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_param_is_a_name_and_a_text() {
        assert_eq!(named("a=b=c").unwrap(), ("a", r#""b=c""#.to_owned()));
        assert!(named("a").is_err() && named("=b").is_err());
    }
}
