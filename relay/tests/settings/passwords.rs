//! A password in an address: wherever its special characters cut the address, no part of it is printed.

use crate::program::{Program, SECRET};

/// Parts that stand out wherever they appear.
const PARTS: [&str; 3] = ["geheim", PORT, "verborgen"];
/// Taken for a port, it must be a number, and may be among the digits of another.
const PORT: &str = "4711";

fn shows(text: &str, part: &str) -> bool {
    let is_of_a_number = |end: Option<char>| end.is_some_and(|end| end.is_ascii_digit() || end == '.');
    text.match_indices(part).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + part.len()..].chars().next());
        part != PORT || !(is_of_a_number(before) || is_of_a_number(after))
    })
}

#[track_caller]
fn hides(said: &crate::program::Said, address: &str) {
    for part in PARTS {
        assert!(!shows(&said.err, part) && !shows(&said.out, part), "{address}: {said:?}");
    }
}

/// Each of these is cut by `/`, `?` or `#`, so that a part of the password is taken for a host, a port, a database or a
/// parameter.
#[test]
fn a_password_that_must_be_encoded_is_refused_with_how_and_not_shown() {
    let program = Program::new();
    for (variable, scheme) in [
        ("MIEN_DATABASE_URL", "postgres"),
        ("MIEN_DATABASE_URL", "postgresql"),
        ("MIEN_REDIS_URL", "redis"),
        ("MIEN_REDIS_URL", "rediss"),
    ] {
        for login in [
            "anna:geheim/verborgen",
            "anna:geheim#verborgen",
            "anna:geheim?verborgen",
            "anna:4711/verborgen",
            "anna:4711#verborgen",
            "anna:4711?verborgen",
            "anna:4711?geheim=verborgen",
            "anna:geheim@verborgen/4711",
            "anna:geheim@verborgen#4711",
            "anna:geheim@verborgen?4711",
        ] {
            let address = format!("{scheme}://{login}@127.0.0.1:1/0");
            // Where nothing can be served, so that one that starts all the same ends.
            let settings = [
                (variable, address.as_str()),
                ("MIEN_TOKEN_SECRET", SECRET),
                ("MIEN_LOG", "trace"),
                ("MIEN_AUTH", "token"),
                ("MIEN_LISTEN", "192.0.2.1:1"),
            ];
            let said = program.run(&["check"], &settings);
            hides(&said, &address);
            said.is_refusal(&[variable, "%40", "%2F", "%23"]);
            hides(&program.run(&[], &settings), &address);
        }
    }
}

/// What can be read goes on being read, and is hidden as well.
#[test]
fn a_password_that_can_be_read_is_hidden_and_used() {
    let program = Program::new();
    for (variable, address) in [
        ("MIEN_DATABASE_URL", "postgres://anna:geheim@verborgen@127.0.0.1:1/mien"),
        ("MIEN_DATABASE_URL", "postgres://anna:geheim%2F%23%40verborgen@127.0.0.1:1/mien"),
        ("MIEN_DATABASE_URL", "postgres://anna@127.0.0.1:1/mien?password=geheim@verborgen"),
        ("MIEN_DATABASE_URL", "postgres://anna@127.0.0.1:1/mien?%70assword=geheim"),
        (
            "MIEN_DATABASE_URL",
            "postgres://127.0.0.1:1/mien?user=anna@example&password=geheim&sslmode=disable",
        ),
        ("MIEN_REDIS_URL", "redis://anna:geheim@verborgen@127.0.0.1:1/0"),
        ("MIEN_REDIS_URL", "redis://:geheim%2Fverborgen@127.0.0.1:1"),
    ] {
        let settings = [
            (variable, address),
            ("MIEN_TOKEN_SECRET", SECRET),
            ("MIEN_LOG", "trace"),
            ("MIEN_AUTH", "token"),
            ("MIEN_LISTEN", "192.0.2.1:1"),
        ];
        let said = program.run(&["check"], &settings);
        hides(&said, address);
        assert!(said.out.contains("127.0.0.1:1"), "{address}: {said:?}");
        let words = if variable == "MIEN_REDIS_URL" {
            "Redis does not answer"
        } else {
            "127.0.0.1:1 cannot be reached"
        };
        said.is_refusal(&[words]);
        hides(&program.run(&[], &settings), address);
    }
}
