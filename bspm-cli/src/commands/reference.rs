//! `bspm reference`: the files that are made from the flags and the tables of settings. The command is
//! hidden, because only `scripts/write-reference` and `scripts/build-tool` need it.

mod flags;
mod settings;

use std::fs;
use std::path::PathBuf;

use bspm::FilterConfig;
use clap::{Args, Command, ValueEnum};
use clap_complete::Shell;

use super::{Outcome, schema};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder for the files; it is created if it does not exist
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, mut command: Command) -> Outcome {
    let folder = |name: &str| -> Result<PathBuf, std::io::Error> {
        let folder = arguments.folder.join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    };
    let guide = folder("guide")?;
    fs::write(guide.join("flags.md"), flags::page(&command))?;
    fs::write(guide.join("settings.md"), settings::page())?;
    fs::write(guide.join("config.schema.json"), schema::text())?;
    let filters = folder("filters")?;
    for name in FilterConfig::NAMES {
        let table = settings::table_with_legend(name);
        fs::write(filters.join(format!("{name}.md")), table)?;
    }
    clap_mangen::generate_to(command.clone(), folder("man")?)?;
    let completions = folder("completions")?;
    for shell in Shell::value_variants() {
        clap_complete::generate_to(*shell, &mut command, "bspm", &completions)?;
    }
    Ok(())
}

/// The last line of a generated page, which readers do not see.
const MADE: &str = "<!-- made by scripts/write-reference -->";

/// Escapes the characters with a meaning in Markdown, except in code, and formats flags as code, because
/// rustdoc joins two hyphens.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    let mut in_code = false;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let is_part = |it: char| it.is_ascii_alphanumeric() || it == '-';
        let flag = rest
            .find(|it| !is_part(it))
            .map_or(rest, |end| &rest[..end]);
        if !in_code && flag.len() > 2 && flag.starts_with("--") {
            escaped.push_str(&format!("`{flag}`"));
            rest = &rest[flag.len()..];
            continue;
        }
        in_code ^= character == '`';
        let is_special = !in_code && "\\<>*_[]".contains(character);
        if is_special || character == '|' {
            escaped.push('\\');
        }
        escaped.push(if character == '\n' { ' ' } else { character });
        rest = &rest[character.len_utf8()..];
    }
    escaped
}
