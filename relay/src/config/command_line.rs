//! The command line apart from its settings: variables that are set and empty, and secrets that others can see.

use std::ffi::OsStr;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

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

/// Settings that are secrets, or may contain one, by their flag.
const SECRETS: [(&str, &str); 2] =
    [("token_secret", "MIEN_TOKEN_SECRET"), ("token_secret_previous", "MIEN_TOKEN_SECRET_PREVIOUS")];
const ADDRESSES: [(&str, &str); 3] = [
    ("database_url", "MIEN_DATABASE_URL"),
    ("redis_url", "MIEN_REDIS_URL"),
    ("otlp_endpoint", "MIEN_OTLP_ENDPOINT"),
];

/// Secrets among the arguments, which everyone on the machine can see.
pub fn secrets_in_arguments(matches: &ArgMatches) -> Vec<Warning> {
    let said = |id: &str| {
        let here = matches.value_source(id) == Some(ValueSource::CommandLine);
        here.then(|| matches.get_one::<String>(id)).flatten()
    };
    let secrets = SECRETS.into_iter().filter(|(id, _)| said(id).is_some());
    let addresses = ADDRESSES
        .into_iter()
        .filter(|(id, _)| said(id).is_some_and(|address| without_secrets(address) != *address));
    let warning = |(id, variable): (&str, &'static str)| Warning::SecretInArguments {
        flag: format!("--{}", id.replace('_', "-")),
        variable,
    };
    secrets.chain(addresses).map(warning).collect()
}
