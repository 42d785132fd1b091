//! `mien-relay backup`, while the relay is working.

use mien_kit::load::Load;
use mien_kit::program::run;
use mien_kit::relay::{Relay, SECRET};
use mien_shared::SessionId;

use crate::workload::Workload;

async fn export(relay: &Relay, id: SessionId, format: &str) -> Vec<u8> {
    let path = format!("/api/v1/sessions/{id}/export?format={format}");
    let answer = relay.api().call("GET", &path, None).await.expect("a whole export");
    assert_eq!(answer.status.as_u16(), 200);
    answer.body.to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_has_a_finished_session_byte_for_byte_and_what_was_acked_of_another() {
    let relay = Relay::start_over_sqlite().await;
    // One workload that is finished, and one that continues during the backup.
    let mut done = Workload::start(&relay, &[Load::FAST; 2], 0).await;
    done.acked_more(2_000).await;
    let id = done.id();
    done.finish(&relay).await;
    relay.api().complete(id).await;
    let mut going = Workload::start(&relay, &[Load::STEADY; 2], 1).await;
    going.acked_more(50).await;
    let before = [export(&relay, id, "csv").await, export(&relay, id, "json").await];
    let acked = going.sources[0].acked();

    let url = format!("sqlite:{}", relay.folder().join("mien.db").display());
    let settings = [("MIEN_DATABASE_URL", url.as_str()), ("MIEN_TOKEN_SECRET", SECRET)];
    let made = run(&["backup", "copy.db"], &settings, relay.folder()).await;
    let said = String::from_utf8_lossy(&[made.stdout, made.stderr].concat()).into_owned();
    let copy = relay.folder().join("copy.db");
    assert!(made.status.success() && said.contains("copy.db"), "{said}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(said.contains(&format!("{} bytes", copy.metadata().unwrap().len())), "{said}");
    let again = run(&["backup", "copy.db"], &settings, relay.folder()).await;
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && said.contains("is there already"), "{said}");
    going.acked_more(50).await;

    let restored = Relay::start_over(&format!("sqlite:{}", copy.display()), &[]).await;
    let after = [export(&restored, id, "csv").await, export(&restored, id, "json").await];
    assert!(before == after, "{} and {} bytes", before[1].len(), after[1].len());
    let stored = restored.api().stored(going.id()).await;
    assert!(stored.iter().filter(|one| one.source.as_str() == "source-0").count() as u64 >= acked);
    going.finish(&relay).await;
}

#[tokio::test]
async fn what_cannot_be_backed_up_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let refuse = async |url: &str, words: &str| {
        let settings = [("MIEN_DATABASE_URL", url), ("MIEN_TOKEN_SECRET", SECRET)];
        let made = run(&["backup", "copy.db"], &settings, folder.path()).await;
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        assert!(!made.status.success() && said.contains(words), "{said}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{url}");
    };
    refuse("sqlite:nowhere.db", "there is no database").await;
    refuse("postgres://mien@127.0.0.1:1/mien", "pg_dump").await;
}
