//! compose.yaml as it is, run with podman: two relays behind a proxy, with Postgres and Redis.
//!
//! Its definitions are read and run as they are; each key must be known here or is refused. Its secrets are made with
//! the commands in its own comment. What differs from production: the images, as no registry is used (`stand_ins.rs`),
//! the network numbers, and the port on this machine, so that nothing already in use is disturbed. The relay's image is
//! the one that `cargo xtask image` has built.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod definition;
mod engine;
mod stand_ins;

use std::net::SocketAddr;

use hyper::StatusCode;
use mien_kit::api::Api;
use mien_kit::load::Load;
use mien_kit::source::Source;
use mien_kit::stored::{assert_saw_all, assert_stored_once};
use mien_kit::until;
use mien_kit::watcher::{Pace, Watcher};

use self::definition::Definition;
use self::engine::Containers;

const RELAYS: [&str; 2] = ["relay-1", "relay-2"];
/// How many samples before, between and after the ends of relays.
const SOME: u64 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_relays_behind_a_proxy_serve_while_each_of_them_goes_and_comes() {
    let definition = Definition::read();
    let Some(containers) = Containers::start(&definition) else { return };
    for relay in RELAYS {
        until("a relay to be well", async || containers.runs(relay, &["/mien-relay", "health"])).await;
    }
    let proxy = containers.published("proxy");
    until("the proxy to know of a relay", async || Api::at(proxy).ready().await == Some(200)).await;
    assert_eq!(Api::at(proxy).status("/metrics").await, Some(404), "the proxy keeps them from strangers");
    assert_eq!(
        Api::at(proxy).call("POST", "/api/v1/sessions", None).await.unwrap().status,
        StatusCode::UNAUTHORIZED
    );

    let token = containers.says(RELAYS[0], &["/mien-relay", "token", "--user", "alice"]);
    let api = Api { address: proxy, token: Some(token) };
    let session = api.create_session().await;
    let id = session.session.id;
    let mut source = Source::start(proxy, id, "main", &session.tokens.ingest, Load::STEADY);
    // One at the proxy, and one at each relay: whichever relay the source is connected to, another one shows it, too.
    let own = RELAYS.map(|relay| SocketAddr::new(containers.address(relay), 8_080));
    let places = [proxy, own[0], own[1]];
    let mut watchers: Vec<Watcher> = places
        .into_iter()
        .map(|place| Watcher::start(place, id, &session.tokens.watch, Pace::Eager))
        .collect();
    see(&mut source, &mut watchers).await;

    for (place, relay) in RELAYS.into_iter().enumerate() {
        containers.stop(relay);
        watchers[place + 1].move_to(own[1 - place]);
        see(&mut source, &mut watchers).await;
        containers.start_again(relay);
        until("a relay to be well again", async || containers.runs(relay, &["/mien-relay", "health"])).await;
        // Only then may the other one stop: the proxy checks every two seconds.
        watchers[place + 1].move_to(own[place]);
        see(&mut source, &mut watchers).await;
    }

    let account = source.finish().await;
    for mut watcher in watchers {
        watcher.sees("main", account.made).await;
        assert_saw_all(&watcher.finish().await, std::slice::from_ref(&account));
    }
    assert_stored_once(&api, id, &[account]).await;
}

/// More is acked, and every watcher sees it.
async fn see(source: &mut Source, watchers: &mut [Watcher]) {
    source.acked_more(SOME).await;
    let acked = source.acked();
    for watcher in watchers {
        watcher.sees("main", acked).await;
    }
}
