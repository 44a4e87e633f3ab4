//! The reference of the flags of all commands.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};

use super::{MADE, escaped};

/// An argument of a command, as in its help.
struct Entry {
    heading: String,
    /// The flag with its value, in code.
    flag: String,
    /// The flag without its value.
    name: String,
    meaning: String,
}

/// Returns the page of the guide: the commands, each with its own flags, and then the flags of several
/// commands.
pub(super) fn page(command: &Command) -> String {
    let mut command = command.clone();
    command.build();
    let mut commands: Vec<(String, &Command, Vec<Entry>)> = Vec::new();
    for command in visible(&command) {
        let name = command.get_name();
        let parts: Vec<&Command> = visible(command).collect();
        for part in &parts {
            let name = format!("{name} {}", part.get_name());
            commands.push((name, part, entries(part)));
        }
        if parts.is_empty() {
            commands.push((name.into(), command, entries(command)));
        }
    }
    // Where each flag with the same meaning is used, in the order of first use.
    let mut uses: Vec<(&Entry, Vec<&str>)> = Vec::new();
    let mut places = BTreeMap::new();
    for (name, _, entries) in &commands {
        for entry in entries {
            let key = (&entry.heading, &entry.flag, &entry.meaning);
            let place = *places.entry(key).or_insert(uses.len());
            if place == uses.len() {
                uses.push((entry, Vec::new()));
            }
            uses[place].1.push(name);
        }
    }
    let is_shared = |entry: &Entry| {
        let key = (&entry.heading, &entry.flag, &entry.meaning);
        uses[places[&key]].1.len() > 1
    };

    let mut page = String::from(
        "Every flag of the tool `bspm`.

`bspm COMMAND --help` prints the flags of a command. A flag of one command is in the section of the command. The flags
of several commands are in [the last section](#flags-of-several-commands), by their heading in the help. The settings
of filters, for `--set`, are in the chapter [`settings`](crate::guide::settings).

| command | purpose |
| --- | --- |
",
    );
    for (name, command, _) in &commands {
        let anchor = name.replace(' ', "-");
        let about = about(command);
        let _ = writeln!(page, "| [`{name}`](#bspm-{anchor}) | {about} |");
    }
    for (name, command, entries) in &commands {
        let (shared, own): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|it| is_shared(it));
        write_command(&mut page, name, command, &own, &shared);
    }
    write_shared(&mut page, &uses);
    let _ = writeln!(page, "\n{MADE}");
    page
}

/// Writes the section of a command: its usage, its own flags, the names of its shared flags, and examples.
fn write_command(
    page: &mut String,
    name: &str,
    command: &Command,
    own: &[&Entry],
    shared: &[&Entry],
) {
    let usage = Command::clone(command).render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let _ = write!(
        page,
        "\n# bspm {name}\n\n{}.\n\n```text\n{usage}\n```\n",
        about(command)
    );
    if !own.is_empty() {
        page.push_str("\n| argument | meaning |\n| --- | --- |\n");
    }
    for entry in own {
        let _ = writeln!(page, "| {} | {} |", entry.flag, entry.meaning);
    }
    let mut by_heading: Vec<(&str, Vec<&str>)> = Vec::new();
    for entry in shared {
        match by_heading.iter_mut().find(|it| it.0 == entry.heading) {
            Some((_, names)) => names.push(&entry.name),
            None => by_heading.push((&entry.heading, vec![&entry.name])),
        }
    }
    if !by_heading.is_empty() {
        page.push_str("\nFlags that other commands also have:\n\n");
    }
    for (heading, names) in by_heading {
        let _ = writeln!(page, "- {heading}: {}", names.join(", "));
    }
    if let Some(examples) = command.get_after_help() {
        let examples = examples.to_string();
        let lines = examples.lines().map(str::trim);
        let lines: Vec<&str> = lines
            .filter(|it| !it.is_empty() && *it != "Examples:")
            .collect();
        let _ = write!(page, "\n```text\n{}\n```\n", lines.join("\n"));
    }
}

/// Writes the flags of several commands, each with the commands that have it.
fn write_shared(page: &mut String, uses: &[(&Entry, Vec<&str>)]) {
    page.push_str("\n# Flags of several commands\n");
    let shared: Vec<&(&Entry, Vec<&str>)> = uses.iter().filter(|it| it.1.len() > 1).collect();
    let mut headings: Vec<&str> = Vec::new();
    for (entry, _) in &shared {
        if !headings.contains(&&*entry.heading) {
            headings.push(&entry.heading);
        }
    }
    for heading in headings {
        let _ = write!(
            page,
            "\n## {heading}\n\n| argument | meaning | commands |\n| --- | --- | --- |\n"
        );
        for (entry, commands) in shared.iter().filter(|it| it.0.heading == heading) {
            let commands = commands.join(", ");
            let _ = writeln!(page, "| {} | {} | {commands} |", entry.flag, entry.meaning);
        }
    }
}

/// The commands of a command that its help lists.
fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    let commands = command.get_subcommands();
    commands.filter(|it| !it.is_hide_set() && it.get_name() != "help")
}

fn about(command: &Command) -> String {
    command
        .get_about()
        .map_or_else(String::new, |it| escaped(&it.to_string()))
}

fn entries(command: &Command) -> Vec<Entry> {
    let arguments = command.get_arguments();
    let arguments = arguments.filter(|it| !it.is_hide_set() && it.get_id() != "help");
    arguments.map(entry).collect()
}

fn entry(argument: &Arg) -> Entry {
    let is_positional = argument.is_positional();
    let heading = argument.get_help_heading().unwrap_or(match is_positional {
        true => "Arguments",
        false => "Options",
    });
    let long = argument.get_long().map(|long| format!("--{long}"));
    let short = argument.get_short().map(|short| format!("-{short}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let has_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let values: Vec<String> = match (has_value, argument.get_value_names()) {
        (true, Some(names)) => names.iter().map(|name| format!("<{name}>")).collect(),
        _ => Vec::new(),
    };
    let values = values.join(" ");
    let flag = match is_positional {
        true => values.clone(),
        false => format!("{} {values}", names.join(", ")).trim().into(),
    };
    let help = argument.get_help().map(ToString::to_string);
    let mut meaning = escaped(&help.unwrap_or_default());
    let code = |values: Vec<String>| -> String {
        let values: Vec<String> = values.iter().map(|it| format!("`{it}`")).collect();
        values.join(", ")
    };
    let defaults = argument.get_default_values().iter();
    let defaults: Vec<String> = defaults.map(|it| it.to_string_lossy().into()).collect();
    if has_value && !defaults.is_empty() {
        let _ = write!(meaning, ". Default: {}", code(defaults));
    }
    let possible = argument.get_possible_values().into_iter();
    let possible = possible.filter(|it| !it.is_hide_set());
    let possible: Vec<String> = possible.map(|it| it.get_name().into()).collect();
    if has_value && !possible.is_empty() {
        let _ = write!(meaning, ". Values: {}", code(possible));
    }
    let name = names.last().unwrap_or(&values);
    Entry {
        heading: heading.into(),
        name: format!("`{name}`"),
        flag: format!("`{flag}`"),
        meaning,
    }
}
