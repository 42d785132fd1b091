//! What a test needs and this machine lacks: a failure in CI, and elsewhere a skip that names the test.

use std::io::Write as _;
use std::panic::Location;

/// Set if no test may be skipped; `.ci/run` sets it.
const CI: &str = "CI";

/// The test that calls this and then returns has been skipped: it says so bypassing the harness, which swallows the
/// output of passing tests. With `CI` set it fails instead.
#[track_caller]
pub fn skip(what: &str) {
    assert!(!nothing_may_be_left_out(), "{what}; with {CI} set nothing may be left out");
    leave_out(what);
}

/// The same wherever the tests run, for requirements that no package provides: rights, kinds of systems.
#[track_caller]
pub fn leave_out(what: &str) {
    let place = Location::caller();
    let thread = std::thread::current();
    // With one test at a time, the harness starts no threads and so gives no names.
    let name = thread.name().filter(|name| *name != "main").unwrap_or("a test");
    // The harness may be in the middle of a line.
    let _ = writeln!(std::io::stdout(), "\nskipped: {name} ({}:{}): {what}", place.file(), place.line());
}

/// Whether the user set this variable to say that the program is to count as missing.
pub(crate) fn told(variable: &str) -> bool {
    std::env::var_os(variable).is_some()
}

fn nothing_may_be_left_out() -> bool {
    std::env::var(CI).is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    #[test]
    #[ignore = "run by the test below"]
    fn lacks_something() {
        super::skip("a sextant is missing");
    }

    #[test]
    fn what_is_missing_fails_in_ci_and_is_named_elsewhere() {
        let run = |ci: &str| {
            let test = ["--exact", "missing::tests::lacks_something", "--ignored"];
            let program = std::env::current_exe().expect("a program");
            Command::new(program).args(test).env(super::CI, ci).output().expect("it runs")
        };
        for ci in ["", "false"] {
            let said = run(ci);
            let text = String::from_utf8_lossy(&said.stdout).into_owned();
            assert!(said.status.success(), "{text}");
            assert!(text.contains("\nskipped: ") && text.contains("): a sextant is missing\n"), "{text}");
        }
        let said = run("true");
        assert!(!said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    }
}
