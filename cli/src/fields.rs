//! A request from flags. The flags are generated from the library's own schema of the request, so that none is
//! missing, misspelled or described differently.

use std::marker::PhantomData;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use zvpos_core::gateway::CONSUME_REQUEST;
use zvpos_core::json::push_string;
use zvpos_core::schema::{Field, Kind, Schema};

use crate::exit::Failure;

/// A request whose fields become flags.
pub(crate) trait Table {
    /// The request's schema.
    fn schema() -> &'static Schema;

    /// Whether it starts a sale, so that its bizId may be generated.
    fn begins_a_sale() -> bool {
        std::ptr::eq(Self::schema(), &raw const CONSUME_REQUEST)
    }
}

/// The given fields of a request.
#[derive(Debug)]
pub(crate) struct Fields<T> {
    given: Vec<(&'static Field, Vec<String>)>,
    table: PhantomData<T>,
}

/// One member of the request: its name, and its value as JSON.
pub(crate) type Member = (&'static str, String);

impl<T: Table> Fields<T> {
    /// The flags as members of the request.
    pub(crate) fn members(&self) -> Result<Vec<Member>, Failure> {
        self.given.iter().map(|(field, values)| Ok((field.name, to_json(field, values)?))).collect()
    }

    /// The text given for a field.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let (_, values) = self.given.iter().find(|(field, _)| field.name == name)?;
        values.first().map(String::as_str)
    }

    /// Replaces the text of a field.
    pub(crate) fn set(&mut self, name: &str, text: String) {
        if let Some((_, values)) = self.given.iter_mut().find(|(field, _)| field.name == name) {
            *values = vec![text];
        }
    }
}

impl<T: Table> Args for Fields<T> {
    fn augment_args(command: Command) -> Command {
        let flags = flags::<T>().map(|field| {
            let several = matches!(field.kind, Kind::List(..));
            Arg::new(field.name)
                .long(flag(field))
                .value_name(value_name(field))
                .help(help::<T>(field))
                .help_heading("Request")
                .action(if several { ArgAction::Append } else { ArgAction::Set })
                // The library reports a negative amount, with everything else that is wrong.
                .allow_negative_numbers(true)
        });
        command.args(flags)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<T: Table> FromArgMatches for Fields<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = flags::<T>().filter_map(|field| {
            let values = matches.get_many::<String>(field.name)?;
            Some((field, values.cloned().collect()))
        });
        Ok(Fields { given: given.collect(), table: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The fields that may be flags: other users can read a command line, so no secret is one.
fn flags<T: Table>() -> impl Iterator<Item = &'static Field> {
    T::schema().fields.iter().filter(|field| !matches!(field.kind, Kind::Secret(_)))
}

/// The vendor's name; the entries of a list are given one by one, so its flag is singular.
fn flag(field: &Field) -> &'static str {
    match field.name {
        "couponsCardList" => "coupon",
        "items" => "item",
        name => name,
    }
}

fn value_name(field: &Field) -> &'static str {
    match &field.kind {
        Kind::List(Kind::Object(_), _) => "TRADE_MARK,NUM,PRICE",
        Kind::List(..) | Kind::Digits | Kind::Id | Kind::BizId => "ID",
        _ if field.name.ends_with("Id") || field.name.ends_with("_id") => "ID",
        _ if field.name == "account" => "NAME",
        Kind::Integer(..) | Kind::OneOf(_) => "NUMBER",
        Kind::Word(_) => "WORD",
        Kind::Money | Kind::Decimal => "YUAN",
        _ => "TEXT",
    }
}

fn help<T: Table>(field: &Field) -> String {
    match (&field.kind, field.name) {
        (Kind::List(Kind::Object(_), _), _) => format!("{}: one line of it, repeatable", field.doc),
        (Kind::List(..), _) => format!("{} (repeatable)", field.doc),
        (Kind::Word(words), _) => format!("{} ({})", field.doc, words.join(", ")),
        (_, "bizId") if T::begins_a_sale() => format!("{}; auto: a new one", field.doc),
        _ => field.doc.to_owned(),
    }
}

/// Scalars are passed as strings, as in the vendor's samples; the library converts and checks them.
fn to_json(field: &Field, values: &[String]) -> Result<String, Failure> {
    let mut out = String::new();
    match &field.kind {
        Kind::List(of, _) => {
            for (index, value) in values.iter().enumerate() {
                out.push(if index == 0 { '[' } else { ',' });
                match of {
                    Kind::Object(_) => push_item(&mut out, value)?,
                    _ => push_string(&mut out, value),
                }
            }
            out.push(']');
        }
        _ => push_string(&mut out, values.first().map_or("", String::as_str)),
    }
    Ok(out)
}

/// One line of the basket. Parsed from the right: a product's code may contain a comma, a number cannot.
fn push_item(out: &mut String, text: &str) -> Result<(), Failure> {
    let mut parts = text.rsplitn(3, ',');
    let (Some(price), Some(num), Some(mark)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Failure::invalid(format!(
            "--item {text:?} is not TRADE_MARK,NUM,PRICE such as 201909280011111,2,13.50"
        )));
    };
    for (opening, name, value) in [("{", "num", num), (",", "trade_mark", mark), (",", "price", price)] {
        out.push_str(opening);
        push_string(out, name);
        out.push(':');
        push_string(out, value);
    }
    out.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use zvpos_core::gateway::QUOTE_REQUEST;

    struct Consume;
    impl Table for Consume {
        fn schema() -> &'static Schema {
            &CONSUME_REQUEST
        }
    }
    struct Quote;
    impl Table for Quote {
        fn schema() -> &'static Schema {
            &QUOTE_REQUEST
        }
    }

    fn members<T: Table>(arguments: &[&str]) -> Result<Vec<Member>, Failure> {
        let command = Fields::<T>::augment_args(Command::new("zv").no_binary_name(true));
        Fields::<T>::from_arg_matches(&command.try_get_matches_from(arguments).unwrap()).unwrap().members()
    }

    #[test]
    fn flags_become_members_with_the_vendors_names() {
        let given = ["--bizId", "T1", "--coupon", "1", "--coupon", "2", "--amount", "-1", "--type", "1"];
        let found = members::<Consume>(&given).unwrap();
        assert_eq!(
            found,
            [
                ("bizId", r#""T1""#.to_owned()),
                ("couponsCardList", r#"["1","2"]"#.to_owned()),
                ("type", r#""1""#.to_owned()),
                ("amount", r#""-1""#.to_owned()),
            ]
        );
        let found = members::<Quote>(&["--item", "a,b,2,13.50", "--item", "c,1,1"]).unwrap();
        let items =
            r#"[{"num":"2","trade_mark":"a,b","price":"13.50"},{"num":"1","trade_mark":"c","price":"1"}]"#;
        assert_eq!(found, [("items", items.to_owned())]);
        assert!(members::<Quote>(&["--item", "a,1"]).is_err());
    }

    #[test]
    fn no_secret_is_a_flag() {
        let flags: Vec<&str> = flags::<Consume>().map(flag).collect();
        assert!(flags.contains(&"operatorId") && !flags.contains(&"payPassword"));
    }
}
