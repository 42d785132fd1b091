//! Secrets that are kept in files, as container engines and service managers hand them out.

use mien_relay::auth::TokenKey;

use crate::program::{Program, SECRET};

#[test]
fn a_secret_in_a_file_is_as_good_as_one_in_a_variable() {
    let program = Program::new();
    let key = TokenKey::new(SECRET.as_bytes());
    for end in ["", "\n", "\r\n", "\n\n"] {
        program.write("secret", format!("{SECRET}{end}"));
        let of_file = [("MIEN_TOKEN_SECRET_FILE", "secret"), ("MIEN_AUTH", "token")];
        let said = program.run(&["token", "--user=alice"], &of_file);
        assert!(said.well, "{said:?}");
        assert!(key.read(said.out.trim()).is_ok(), "{end:?}: it is of another secret");
    }
    program.write("database", "sqlite:other.db\n");
    program.write("redis", "redis://10.0.0.7:6380/2\n");
    let said =
        program.run(&["check"], &[("MIEN_DATABASE_URL_FILE", "database"), ("MIEN_RETENTION_DAYS", "3")]);
    assert_eq!(said.in_force("MIEN_DATABASE_URL"), "sqlite:other.db");
    let said = program.run(&["check"], &[("MIEN_REDIS_URL_FILE", "redis")]);
    assert!(said.out.contains("10.0.0.7:6380"), "{said:?}");
}

#[test]
fn a_file_that_cannot_serve_is_named_and_what_it_holds_is_not() {
    let program = Program::new();
    program.write("empty", "\n");
    program.write("short", "geheim\n");
    program.write("bytes", b"postgres://geheim\xff@h/mien");
    program.write("odd", "mysql://geheim@h/mien");
    std::fs::create_dir(program.path().join("folder")).unwrap();
    for name in ["MIEN_TOKEN_SECRET", "MIEN_DATABASE_URL", "MIEN_REDIS_URL"] {
        let file = format!("{name}_FILE");
        for (path, why) in [("nowhere", "No such file"), ("empty", "is empty"), ("folder", "directory")] {
            program.run(&["check"], &[(&file, path)]).is_refusal(&[&file, path, why]);
        }
        let twice = [(name, "redis://geheim"), (file.as_str(), "odd")];
        let said = program.run(&["check"], &twice);
        assert!(!said.is_refusal(&[name, &file, "both"]).contains("geheim"), "{said:?}");
    }
    for (name, path) in [
        ("MIEN_TOKEN_SECRET_FILE", "short"),
        ("MIEN_DATABASE_URL_FILE", "bytes"),
        ("MIEN_DATABASE_URL_FILE", "odd"),
        ("MIEN_REDIS_URL_FILE", "bytes"),
        ("MIEN_REDIS_URL_FILE", "odd"),
    ] {
        let said = program.run(&["check"], &[(name, path)]);
        let err = said.is_refusal(&[name.trim_end_matches("_FILE")]);
        assert!(!err.contains("geheim"), "{err}");
    }
}
