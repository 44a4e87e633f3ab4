//! Names of options in hints and warnings, which each program replaces by its own.

use std::fmt::Display;

use super::super::options::TableOptions;

/// Returns an option with a value, as a hint has it.
pub(super) fn named(option: &str, value: impl Display) -> String {
    // A value with a backtick cannot be found again.
    format!("`{option}={}`", value.to_string().replace('`', "'"))
}

/// Replaces the options that a hint or a [warning](crate::ReadReport::warnings) names. In both, an option of
/// [`TableOptions`] is `` `name` ``, and an option with a value is `` `name=value` ``. The name of the format of the
/// files is `format`. `rename` returns the text for the name and the value. Options with only a space between them are
/// separated by `separator`.
///
/// # Examples
///
/// ```
/// use bspm_data::hint::with_options;
///
/// let flag = |name: &str, value: Option<&str>| match value {
///     Some(value) => format!("--{name} '{value}'"),
///     None => format!("--{name}"),
/// };
/// let hint = "set the delimiter with `delimiter`, as in `format=csv` `delimiter=;`";
/// assert_eq!(
///     with_options(hint, " ", flag),
///     "set the delimiter with --delimiter, as in --format 'csv' --delimiter ';'"
/// );
/// ```
pub fn with_options(
    text: &str,
    separator: &str,
    rename: impl Fn(&str, Option<&str>) -> String,
) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    let mut follows_option = false;
    while let Some((before, after)) = rest.split_once('`') {
        let option = after.split_once('`').and_then(|(option, after)| {
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (option, None),
            };
            is_option(name).then(|| (rename(name, value), after))
        });
        match (follows_option && option.is_some(), before) {
            (true, " ") => replaced.push_str(separator),
            _ => replaced.push_str(before),
        }
        follows_option = option.is_some();
        rest = match option {
            Some((option, after)) => {
                replaced.push_str(&option);
                after
            }
            None => {
                replaced.push('`');
                after
            }
        };
    }
    replaced + rest
}

fn is_option(name: &str) -> bool {
    let mut options = TableOptions::option_uses().iter();
    name == "format" || options.any(|it| it.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_options_are_replaced() {
        let rename = |name: &str, value: Option<&str>| match value {
            Some(value) => format!("{name}=[{value}]"),
            None => name.to_uppercase(),
        };
        for (text, expected) in [
            ("`user` `item=a b`", "USER, item=[a b]"),
            ("`user` and `item`", "USER and ITEM"),
            ("`a=b` `user`", "`a=b` USER"),
            ("a ` `user`", "a ` USER"),
            ("`delimiter=``", "delimiter=[]`"),
            ("no option", "no option"),
            ("`format=", "`format="),
            ("`comment==`", "comment=[=]"),
        ] {
            assert_eq!(with_options(text, ", ", rename), expected, "{text:?}");
        }
        assert_eq!(named("user", "a`b"), "`user=a'b`");
    }
}
