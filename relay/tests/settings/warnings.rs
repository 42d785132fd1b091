//! What the relay starts with and says aloud: settings that work and that few would want if they knew.

use crate::program::{Program, SECRET};

#[track_caller]
fn warns(said: &crate::program::Said, words: &[&str]) {
    let warned =
        said.err.lines().any(|line| line.contains("WARN") && words.iter().all(|word| line.contains(word)));
    assert!(warned, "{words:?}: {said:?}");
}

#[track_caller]
fn does_not_warn(said: &crate::program::Said) {
    assert!(!said.err.contains("WARN"), "{said:?}");
}

/// Everyone on the machine sees the arguments of every process.
#[test]
fn secrets_on_a_command_line() {
    let program = Program::new();
    let secret = format!("--token-secret={SECRET}");
    for arguments in [["check", secret.as_str()], [secret.as_str(), "check"]] {
        let said = program.run(&arguments, &[("MIEN_AUTH", "token")]);
        warns(&said, &["--token-secret", "MIEN_TOKEN_SECRET_FILE"]);
        assert!(said.well && !said.err.contains(SECRET), "{said:?}");
    }
    let previous = format!("--token-secret-previous={SECRET}");
    let token = [("MIEN_AUTH", "token"), ("MIEN_TOKEN_SECRET", SECRET)];
    warns(&program.run(&["check", &previous], &token), &["--token-secret-previous"]);
    let with_password = ["check", "--database-url=postgres://anna:geheim@127.0.0.1:1/mien"];
    let said = program.run(&with_password, &token);
    warns(&said, &["--database-url", "MIEN_DATABASE_URL_FILE"]);
    assert!(!said.err.contains("geheim"), "{said:?}");
    let said = program.run(&["check", "--redis-url=redis://:geheim@127.0.0.1:1"], &token);
    warns(&said, &["--redis-url", "MIEN_REDIS_URL_FILE"]);
    // Nothing to hide.
    let said = program.run(&["check", "--database-url=sqlite:other.db"], &token);
    does_not_warn(&said);
    assert!(said.well);
    does_not_warn(&program.run(&["check", "--redis-url=redis://127.0.0.1:1"], &token));
    does_not_warn(&program.run(&["check"], &token));
    // What is printed to standard output is the token alone.
    let said = program.run(&["token", "--user=alice", &secret], &[]);
    assert!(said.well && said.out.lines().count() == 1, "{said:?}");
}

#[test]
fn open_mode() {
    let program = Program::new();
    warns(&program.run(&["check"], &[]), &["MIEN_AUTH=open", "proxy", "MIEN_AUTH=token"]);
    does_not_warn(&program.run(&["check"], &[("MIEN_AUTH", "token"), ("MIEN_TOKEN_SECRET", SECRET)]));
}

#[test]
fn an_open_relay_for_pages_of_elsewhere_does_not_start() {
    let program = Program::new();
    for origin in
        ["https://mien.example", "http://10.0.0.1:8081", "http://localhost:3000,https://mien.example"]
    {
        for arguments in [&["check"][..], &[]] {
            let said = program.run(arguments, &[("MIEN_ALLOWED_ORIGINS", origin)]);
            said.is_refusal(&["MIEN_ALLOWED_ORIGINS", origin.rsplit(',').next().unwrap(), "MIEN_AUTH=token"]);
        }
    }
    let own = "http://localhost:3000,http://127.0.0.1:8081,http://[::1]:9,http://app.localhost";
    let said = program.run(&["check"], &[("MIEN_ALLOWED_ORIGINS", own)]);
    assert_eq!(said.in_force("MIEN_ALLOWED_ORIGINS"), own);
}

#[test]
fn an_origin_that_no_browser_sends_does_not_start() {
    let program = Program::new();
    let token = [("MIEN_AUTH", "token"), ("MIEN_TOKEN_SECRET", SECRET)];
    let with = |origin| [token[0], token[1], ("MIEN_ALLOWED_ORIGINS", origin)];
    for (origin, why) in [
        ("https://bücher.example", "xn--"),
        ("https://*.example.org", "for example https://example.org"),
        ("https://example.org/page", "for example https://example.org"),
        ("https://user@example.org", "for example https://example.org"),
        ("https://example.org:99999", "for example https://example.org"),
        ("http://127.1", "for example https://example.org"),
    ] {
        program.run(&["check"], &with(origin)).is_refusal(&["MIEN_ALLOWED_ORIGINS", origin, why]);
    }
    let said = program.run(&["check"], &with("HTTPS://Example.org:443/,"));
    assert_eq!(said.in_force("MIEN_ALLOWED_ORIGINS"), "https://example.org");
}

/// Postgres' client falls back to plain text where the server has no TLS, and whoever is between can have it so.
#[test]
fn a_database_elsewhere_without_a_word_on_encryption() {
    let program = Program::new();
    let token = ("MIEN_TOKEN_SECRET", SECRET);
    // Names of nobody (RFC 6761), and a port on which nobody listens: it is told before anything is tried.
    let at = |address, mode| {
        let variables = [("MIEN_DATABASE_URL", address), token, ("MIEN_AUTH", "token"), ("PGSSLMODE", mode)];
        program.run(&["check"], &variables)
    };
    let elsewhere = "postgres://anna:geheim@nowhere.invalid/mien";
    for said in [at(elsewhere, ""), at("postgresql://anna:geheim@nowhere.invalid?application_name=x", "")] {
        warns(&said, &["sslmode=verify-full", "MIEN_DATABASE_URL", "nowhere.invalid"]);
        assert!(!said.err.contains("geheim"), "{said:?}");
    }
    does_not_warn(&at(elsewhere, "require"));
    for sound in [
        "postgres://nowhere.invalid/mien?sslmode=disable",
        "postgres://localhost:1/mien",
        "postgres://127.0.0.1:1/mien",
        "postgres://[::1]:1/mien",
        "postgres:///mien?host=/nowhere",
        "postgres://%2Fnowhere/mien",
    ] {
        does_not_warn(&at(sound, ""));
    }
    warns(&at("postgres://127.0.0.1:1/mien?sslmod=verify-full", ""), &["sslmod", "MIEN_DATABASE_URL"]);
}
