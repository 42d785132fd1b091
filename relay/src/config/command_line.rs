//! The command line apart from its settings: variables that are set and empty, and secrets that others can see.

use std::ffi::OsStr;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::settings::{self, Kind, Setting};
use super::url::without_secrets;
use super::warnings::Warning;

/// Treats empty variables as unset. Compose files write `MIEN_RETENTION_DAYS=` for no value, from which clap would read
/// a number.
pub fn ignore_empty_variables(command: Command) -> Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let ignore = move |argument: Arg| match argument.get_env() {
        Some(name) if is_empty(name) => argument.env(None::<&'static str>),
        _ => argument,
    };
    command.mut_args(ignore).mut_subcommands(ignore_empty_variables)
}

/// Secrets among the arguments, which everyone on the machine can see.
pub fn secrets_in_arguments(matches: &ArgMatches) -> Vec<Warning> {
    let given = |setting: &&Setting| {
        let here = matches.value_source(setting.id) == Some(ValueSource::CommandLine);
        match setting.kind {
            Kind::Plain => false,
            Kind::Secret => here,
            Kind::Url => {
                let url = matches.get_one::<String>(setting.id);
                here && url.is_some_and(|url| without_secrets(url) != *url)
            }
        }
    };
    let warning = |setting: &Setting| Warning::SecretInArguments {
        flag: format!("--{}", setting.id.replace('_', "-")),
        variable: setting.variable,
    };
    settings::ALL.iter().filter(given).map(warning).collect()
}
