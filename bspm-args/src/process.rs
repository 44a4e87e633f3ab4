//! The settings of BSPM as command-line flags.

use bspm::filters::{Setting, SettingKind};
use bspm::{BspmConfig, FilterConfig};
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, Command, FromArgMatches};

/// Changes to a configuration, given as flags. Settings without a flag keep their value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcessArguments {
    changes: Vec<(&'static str, String)>,
}

/// The flags that turn a process off: name, help, and the setting that is set to `off`.
const SWITCHES: [(&str, &str, &str); 2] = [
    ("no-sharpen", "Turn sharpening off", "sharpen_time"),
    ("no-idl", "Turn the ideal low-pass filter off", "factor_dim"),
];

/// Adds the flags that turn a process off. `silenced` returns the settings that conflict with such
/// a flag, in addition to the setting that it changes.
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

/// Returns the settings that the given flags turn off.
pub fn switched_off(matches: &ArgMatches) -> impl Iterator<Item = &'static str> {
    SWITCHES
        .into_iter()
        .filter(|(flag, ..)| matches.get_flag(flag))
        .map(|(_, _, setting)| setting)
}

/// The name of the argument group of these flags.
const GROUP: &str = "ProcessArguments";

/// Returns the name of the flag of a setting.
pub fn flag(setting: &Setting<BspmConfig>) -> String {
    setting.name.replace('_', "-")
}

/// Returns the flag of a setting.
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
    /// Returns whether no flag was given.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Applies the changes to `base` and checks the result.
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
        let config = builder.build()?;
        FilterConfig::from(config.clone()).check_used(&base.clone().into())?;
        Ok(config)
    }
}

impl Args for ProcessArguments {
    fn augment_args(mut command: Command) -> Command {
        command = command.next_help_heading("BSPM settings");
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
