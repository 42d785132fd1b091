//! The committed documents, held against the code that they describe. `cargo xtask documents` renews them.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Command};
use mien_relay::config::Settings;
use mien_shared::problem::{CloseCode, Code};
use serde_json::Value;

use mien_in_process::Relay;

/// Set by the command that renews them.
const RENEW: &str = "MIEN_RENEW_DOCUMENTS";

#[tokio::test]
async fn the_contract_is_committed_as_it_is_served() {
    let relay = Relay::guarded().await;
    for name in ["openapi.json", "asyncapi.json"] {
        let document: Value = relay.get(&format!("/api/v1/{name}"), "").await.json();
        let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
        hold(&format!("shared/contract/{name}"), &text);
    }
}

#[tokio::test]
async fn the_protocol_s_tables_are_those_of_the_code() {
    let relay = Relay::guarded().await;
    let document: Value = relay.get("/api/v1/openapi.json", "").await.json();
    let metrics = relay.get("/metrics", "").await.text();
    let path = "docs/PROTOCOL.md";
    let mut text = std::fs::read_to_string(file(path)).unwrap();
    for (name, table) in [
        ("close codes", close_codes()),
        ("calls", calls(&document)),
        ("codes", codes()),
        ("settings", settings()),
        ("metrics", metrics_table(&metrics)),
    ] {
        let begin = format!("<!-- generated: {name} -->\n");
        let start = text.find(&begin).unwrap_or_else(|| panic!("{path} has no {name}")) + begin.len();
        let end = start + text[start..].find("<!-- end -->").unwrap_or_else(|| panic!("{name} does not end"));
        text.replace_range(start..end, &table);
    }
    hold(path, &text);
}

fn file(path: &str) -> PathBuf {
    // Cargo runs a test in its package's folder.
    PathBuf::from("..").join(path)
}

fn hold(path: &str, text: &str) {
    if std::env::var_os(RENEW).is_some() {
        std::fs::create_dir_all(file(path).parent().unwrap()).unwrap();
        std::fs::write(file(path), text).unwrap();
    }
    let committed = std::fs::read_to_string(file(path)).unwrap_or_default();
    let differs = committed.lines().zip(text.lines()).find(|(old, new)| old != new);
    assert!(
        committed == text,
        "{path} is not up to date, see {differs:?}; `cargo xtask documents` renews it"
    );
}

fn close_codes() -> String {
    let mut table = "| code | reason | try again with the same token |\n|---|---|---|\n".to_owned();
    for close in CloseCode::ALL {
        let again = if close.worth_retrying() { "yes" } else { "no" };
        let _ = writeln!(table, "| {} | {} | {again} |", close.code(), close.reason());
    }
    table
}

fn codes() -> String {
    let mut table = "| code | status | title |\n|---|---|---|\n".to_owned();
    for code in Code::ALL {
        let _ = writeln!(table, "| `{}` | {} | {} |", code.name(), code.status(), code.title());
    }
    table
}

fn calls(document: &Value) -> String {
    let mut table = "| call | does |\n|---|---|\n".to_owned();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let summary = operation["summary"].as_str().unwrap_or_default();
            let _ = writeln!(table, "| `{} {path}` | {summary} |", method.to_uppercase());
        }
    }
    table
}

fn settings() -> String {
    let command = Settings::augment_args(Command::new("mien-relay"));
    let mut table = "| variable | flag | default | meaning |\n|---|---|---|---|\n".to_owned();
    for setting in command.get_arguments() {
        let (Some(variable), Some(flag)) = (setting.get_env(), setting.get_long()) else { continue };
        let default: Vec<_> =
            setting.get_default_values().iter().map(|value| format!("`{}`", value.display())).collect();
        let help = setting.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
        let (variable, default) = (variable.display(), default.join(","));
        let _ = writeln!(table, "| `{variable}` | `--{flag}` | {default} | {help} |");
    }
    table
}

fn metrics_table(text: &str) -> String {
    let mut table = "| metric | type | labels | meaning |\n|---|---|---|---|\n".to_owned();
    let mut help = "";
    for line in text.lines() {
        if let Some(found) = line.strip_prefix("# HELP ") {
            help = found.split_once(' ').map_or("", |(_, help)| help);
        }
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|line| line.split_once(' ')) {
            // OpenMetrics names a counter's family without the ending that its samples have.
            let ending = if kind == "counter" { "_total" } else { "" };
            let labels = labels(text, name);
            let _ = writeln!(table, "| `{name}{ending}` | {kind} | {labels} | {help} |");
        }
    }
    table
}

/// Of the metric's series, but for the bounds of a histogram's buckets.
fn labels(text: &str, metric: &str) -> String {
    let series = text.lines().find_map(|line| {
        let (name, series) = line.split_once('{')?;
        let ending = name.strip_prefix(metric)?;
        ["", "_total", "_bucket"].contains(&ending).then_some(series)
    });
    let names = series.into_iter().flat_map(|series| series.split("\",")).filter_map(|label| {
        let (name, _) = label.split_once('=')?;
        (name != "le").then(|| format!("`{name}`"))
    });
    names.collect::<Vec<_>>().join(", ")
}
