//! Files for compose write `MIEN_RETENTION_DAYS=` where nothing is said.

use clap::{Args, Command};
use mien_relay::config::Settings;

use crate::program::Program;

/// Every variable that there is, so that a setting to come is tested, too.
fn variables() -> Vec<String> {
    let command = Settings::augment_args(Command::new("mien-relay"));
    let names = command.get_arguments().filter_map(|setting| setting.get_env()?.to_str());
    let names: Vec<String> = names.map(str::to_owned).collect();
    assert!(names.len() > 30, "{names:?}");
    names
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let program = Program::new();
    let expected = program.run(&["check"], &[]);
    assert!(expected.well, "{expected:?}");
    let names = variables();
    let refused: Vec<String> = names
        .iter()
        .map(|name| (name, program.run(&["check"], &[(name, "")])))
        .filter(|(_, said)| (said.well, &said.out) != (expected.well, &expected.out))
        .map(|(name, said)| format!("{name}: {}", said.err.lines().next().unwrap_or(&said.out)))
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    let all: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert_eq!(program.run(&["check"], &all).out, expected.out);
    // A flag that is given stands, beside an empty variable, too.
    let said = program.run(&["check", "--retention-days=7"], &all);
    assert_eq!(said.in_force("MIEN_RETENTION_DAYS"), "7");
}

#[test]
fn subcommands_take_them_so_as_well() {
    let program = Program::new();
    let said = program.run(&["token", "--user=alice"], &[("MIEN_LISTEN", ""), ("MIEN_RETENTION_DAYS", "")]);
    assert!(said.well && said.out.matches('.').count() == 2, "{said:?}");
}
