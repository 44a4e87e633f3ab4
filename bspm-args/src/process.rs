//! Every setting of BSPM as a flag.

use bspm::BspmConfig;
use bspm::filters::{Setting, SettingKind};
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, Command, FromArgMatches};

/// Changes to a configuration; what is not given stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcessArguments {
    changes: Vec<(&'static str, String)>,
}

/// The flags that turn a process off, each with its help and the setting that does it.
const SWITCHES: [(&str, &str, &str); 2] = [
    ("no-sharpen", "Turn sharpening off", "sharpen_time"),
    ("no-idl", "Turn the ideal low-pass filter off", "factor_dim"),
];

/// Adds the flags that turn a process off; `silenced` names the settings that then must not be
/// given beside the one that does it.
pub fn with_switches(
    mut command: Command,
    silenced: impl Fn(&str) -> Vec<&'static str>,
) -> Command {
    for (flag, help, setting) in SWITCHES {
        command = command.arg(
            Arg::new(flag)
                .long(flag)
                .help(help)
                .action(ArgAction::SetTrue)
                .conflicts_with(setting)
                .conflicts_with_all(silenced(setting)),
        );
    }
    command
}

/// The settings whose processes such flags turn off.
pub fn switched_off(matches: &ArgMatches) -> impl Iterator<Item = &'static str> {
    SWITCHES
        .into_iter()
        .filter(|(flag, ..)| matches.get_flag(flag))
        .map(|(_, _, setting)| setting)
}

/// The name of the group that all these flags are in.
const GROUP: &str = "ProcessArguments";

/// The name of a setting as a flag.
pub fn flag(setting: &Setting<BspmConfig>) -> String {
    setting.name.replace('_', "-")
}

/// A flag for a setting.
pub fn argument(setting: &'static Setting<BspmConfig>) -> Arg {
    let value = match setting.kind {
        SettingKind::Number => "NUMBER",
        SettingKind::Count => "N",
        _ => "NAME",
    };
    Arg::new(setting.name)
        .long(flag(setting))
        .value_name(value)
        .help(setting.doc)
        .allow_negative_numbers(true)
        .action(ArgAction::Set)
}

impl ProcessArguments {
    /// Whether no flag was given.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// `base` with the changes, checked.
    ///
    /// # Errors
    ///
    /// [`bspm::Error::InvalidParameter`] for the first parameter outside its range.
    pub fn apply(&self, base: &BspmConfig) -> bspm::Result<BspmConfig> {
        let mut builder = base.to_builder();
        for is_switch in [true, false] {
            for (name, text) in &self.changes {
                if BspmConfig::setting(name)?.is_switch() == is_switch {
                    builder = builder.set(name, text)?;
                }
            }
        }
        builder.build()
    }
}

impl Args for ProcessArguments {
    fn augment_args(mut command: Command) -> Command {
        command = command.next_help_heading("Processes of BSPM");
        for setting in BspmConfig::SETTINGS {
            command = command.arg(argument(setting));
        }
        let names = || BspmConfig::SETTINGS.iter().map(|setting| setting.name);
        command = with_switches(command, |switch| match switch {
            "sharpen_time" => vec!["sharpen_solver", "sharpen_steps"],
            _ => vec!["beta", "idl_solver", "idl_time", "idl_steps"],
        });
        let flags = SWITCHES.iter().map(|switch| switch.0);
        command.group(
            ArgGroup::new(GROUP)
                .multiple(true)
                .args(names().chain(flags)),
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }

    fn group_id() -> Option<clap::Id> {
        Some(GROUP.into())
    }
}

impl FromArgMatches for ProcessArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut arguments = Self::default();
        arguments.update_from_arg_matches(matches)?;
        Ok(arguments)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in BspmConfig::SETTINGS {
            if let Some(text) = matches.get_one::<String>(setting.name) {
                self.changes.push((setting.name, text.clone()));
            }
        }
        let off = switched_off(matches).map(|setting| (setting, "off".into()));
        self.changes.extend(off);
        Ok(())
    }
}
