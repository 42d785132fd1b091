//! Tokens that were revoked.

use std::collections::BTreeSet;

use mien_relay::store::{Revocation, Revoked};
use mien_shared::SessionId;

use crate::place::{Place, over_both};

over_both!(what_was_revoked_is_kept_with_its_session);

fn all(until_ms: i64, except: Option<&str>) -> Revocation {
    Revocation::All { until_ms, except: except.map(str::to_owned) }
}

pub(crate) async fn what_was_revoked_is_kept_with_its_session(place: &Place) {
    let stores = [place.open().await, place.open().await];
    let [id, other] = [
        stores[0].create_session("alice", "", "").await.unwrap().id,
        stores[0].create_session("alice", "", "").await.unwrap().id,
    ];
    let one = |name: &str| Revocation::One(name.to_owned());
    stores[0].revoke(id, &one("a")).await.unwrap().unwrap();
    stores[0].revoke(id, &one("a")).await.unwrap().unwrap();
    stores[0].revoke(id, &all(1_000, Some("first"))).await.unwrap().unwrap();
    // By a relay whose clock is behind: what was revoked stays so.
    let revoked = stores[0].revoke(id, &all(900, Some("second"))).await.unwrap().unwrap();
    let expected = Revoked {
        until_ms: Some(1_000),
        except: Some("second".to_owned()),
        ids: BTreeSet::from(["a".to_owned()]),
    };
    assert_eq!(revoked, expected);
    assert_eq!(stores[1].revoked(id).await.unwrap(), expected);
    assert_eq!(stores[1].revoked(other).await.unwrap(), Revoked::default());
    if place.url.starts_with("postgres") {
        assert_eq!(stores[1].recently_revoked().await.unwrap(), [(id, expected)]);
    }

    let nobody = SessionId(uuid::Uuid::now_v7());
    assert_eq!(stores[0].revoke(nobody, &one("a")).await.unwrap(), None);
    assert!(stores[0].delete_session(id).await.unwrap());
    assert_eq!(
        stores[1].revoked(id).await.unwrap(),
        Revoked::default(),
        "nothing is kept of what was erased"
    );
    assert_eq!(stores[0].revoke(id, &one("b")).await.unwrap(), None);
}
