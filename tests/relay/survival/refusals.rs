//! What keeps the relay from starting: each case gives the reason and the remedy, and ends with a failure.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use mien_kit::ports::free_address;
use mien_kit::postgres;
use mien_kit::program::{run, run_as_nobody};
use mien_kit::relay::{Relay, SECRET};
use mien_servers::missing::leave_out;

/// Starts the relay with these settings, which must make it exit at once, and returns what it said.
async fn refusal(settings: &[(&str, &str)], folder: &Path) -> String {
    let Output { status, stdout, stderr } = run(&[], settings, folder).await;
    let said = String::from_utf8_lossy(&stderr).into_owned();
    assert!(!status.success(), "{settings:?} let it start");
    assert!(!String::from_utf8_lossy(&stdout).contains("listens"), "{settings:?}: it said that it listens");
    said
}

async fn check(settings: &[(&str, &str)], reason: &str, remedy: &str) {
    let folder = tempfile::tempdir().unwrap();
    let said = refusal(settings, folder.path()).await;
    assert!(said.contains(reason) && said.contains(remedy), "{settings:?}: {said}");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "{settings:?}: a relay that does not start leaves nothing behind");
}

#[tokio::test]
async fn open_mode_beyond_this_machine() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080"] {
        let settings = [("MIEN_AUTH", "open"), ("MIEN_LISTEN", address)];
        check(&settings, "lets anyone in", "listen on 127.0.0.1 or set MIEN_AUTH=token").await;
    }
}

#[tokio::test]
async fn a_secret_that_is_missing_or_weak() {
    let remedy = "openssl rand -hex 32";
    check(&[("MIEN_LISTEN", "0.0.0.0:0")], "MIEN_TOKEN_SECRET is missing", remedy).await;
    check(&[("MIEN_AUTH", "token")], "MIEN_TOKEN_SECRET is missing", remedy).await;
    check(&[("MIEN_AUTH", "token"), ("MIEN_TOKEN_SECRET", "")], "MIEN_TOKEN_SECRET is missing", remedy).await;
    let short = &SECRET[..31];
    check(&[("MIEN_TOKEN_SECRET", short)], "MIEN_TOKEN_SECRET has 31 bytes", "at least 32").await;
}

#[tokio::test]
async fn a_database_that_is_none() {
    let remedy = "MIEN_DATABASE_URL";
    check(&[("MIEN_DATABASE_URL", "mysql://localhost/mien")], "no database", remedy).await;
    check(&[("MIEN_DATABASE_URL", "sqlite::memory:")], "would lose samples", "name a file").await;
}

#[tokio::test]
async fn a_file_that_is_no_database_or_of_another_program_or_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mien.db"), "a text, whatever its name says, and longer than a header")
        .unwrap();
    let settings = [("MIEN_TOKEN_SECRET", SECRET)];
    let said = refusal(&settings, folder.path()).await;
    assert!(said.contains("no SQLite database") && said.contains("point MIEN_DATABASE_URL"), "{said}");

    let below_a_file = [("MIEN_TOKEN_SECRET", SECRET), ("MIEN_DATABASE_URL", "sqlite:mien.db/other/mien.db")];
    let said = refusal(&below_a_file, folder.path()).await;
    assert!(said.contains("its folder cannot be made"), "{said}");
}

/// Reading works, and only a write reveals the problem.
#[tokio::test]
async fn a_database_file_of_another_user() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("MIEN_TOKEN_SECRET", SECRET)];
    assert!(run(&["check"], &settings, folder.path()).await.status.success());
    let open_to_all =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    open_to_all(folder.path(), 0o777);
    open_to_all(&folder.path().join("mien.db"), 0o644);
    let Some(Output { status, stdout, stderr }) = run_as_nobody(&["check"], &settings, folder.path()).await
    else {
        return leave_out("only root can be somebody else");
    };
    let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    assert!(!status.success() && !said.contains("the store answers"), "{said}");
    assert!(said.contains("readonly database") && said.contains("can be written"), "{said}");
}

#[tokio::test]
async fn an_address_that_is_taken() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let said = refusal(&[("MIEN_LISTEN", &address), ("MIEN_TOKEN_SECRET", SECRET)], folder.path()).await;
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
}

#[tokio::test]
async fn a_postgres_that_is_not_there_or_newer() {
    fn over(url: &str) -> [(&str, &str); 2] {
        [("MIEN_DATABASE_URL", url), ("MIEN_TOKEN_SECRET", SECRET)]
    }
    let nowhere = format!("postgres://mien@{}/mien", free_address());
    check(&over(&nowhere), "cannot be reached", "start it or correct MIEN_DATABASE_URL").await;

    let Some(server) = postgres() else { return };
    let missing = server.url("mien_of_nobody");
    check(&over(&missing), "has no database mien_of_nobody", "createdb").await;

    let url = server.database();
    drop(Relay::start_over(&url, &[]).await);
    let newer = "INSERT INTO mien_migrations SELECT version + 1000, description, installed_on, success, checksum, \
                 execution_time FROM mien_migrations";
    server.sql(&url, newer);
    let reason = "a newer mien-relay wrote it";
    check(&over(&url), reason, "run that version or restore a backup").await;
}
