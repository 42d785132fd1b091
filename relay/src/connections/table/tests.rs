//! Who goes for whom.

use std::collections::BTreeMap;

use clap::Parser;

use super::*;
use crate::config::{Config, Settings};
use crate::connections::Connections;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    settings: Settings,
}

const GRACE: Duration = Duration::from_secs(1);

/// A table, and what became of those in it.
struct Room {
    table: Table,
    links: BTreeMap<u64, Arc<Link>>,
    shared: Connections,
}

impl Room {
    fn new(all: usize, places: usize, per_address: usize) -> Self {
        let secret = format!("--token-secret={}", "s".repeat(32));
        let line = ["mien-relay", "--auth=token", &secret];
        let config = Config::resolve(CommandLine::parse_from(line).settings).unwrap();
        let table = Table::new(Limits { all, places, per_address, grace: GRACE });
        Self { table, links: BTreeMap::new(), shared: Connections::new(&config) }
    }

    fn enter(&mut self, id: u64, address: u8) -> &mut Self {
        self.enter_as(id, address, false)
    }

    fn enter_as(&mut self, id: u64, address: u8, trusted: bool) -> &mut Self {
        let link = Arc::new(Link::new(id, Arc::clone(&self.shared.0)));
        self.links.insert(id, Arc::clone(&link));
        self.table.enter(id, of(address), trusted, link);
        self
    }

    /// As much later as they have had time to ask.
    async fn later(&mut self) -> &mut Self {
        tokio::time::advance(GRACE).await;
        self
    }

    fn asked(&self) -> Vec<u64> {
        self.links.iter().filter(|(_, link)| link.should_go()).map(|(id, _)| *id).collect()
    }

    fn cut(&self) -> Vec<u64> {
        self.links.iter().filter(|(_, link)| link.is_cut()).map(|(id, _)| *id).collect()
    }
}

fn of(address: u8) -> IpAddr {
    [192, 0, 2, address].into()
}

#[tokio::test(start_paused = true)]
async fn the_oldest_of_a_full_address_goes_and_others_stay() {
    let mut room = Room::new(100, 100, 4);
    room.enter(0, 9);
    for id in 1..=4 {
        room.enter(id, 1);
    }
    assert_eq!(room.asked(), [0_u64; 0]);
    room.later().await.enter(5, 1);
    assert_eq!(room.asked(), [1]);
    // It had a request after all, so it stays, and the next goes.
    room.table.busy(1);
    assert_eq!(room.asked(), [0_u64; 0]);
    room.enter(6, 1);
    assert_eq!(room.asked(), [2, 3]);
    // A connection that was answered is younger than those that have waited since.
    room.table.wait(1);
    room.table.leave(2);
    room.table.leave(3);
    room.later().await.enter(7, 1);
    assert!(room.asked().contains(&4) && !room.asked().contains(&1), "{:?}", room.asked());
}

#[tokio::test(start_paused = true)]
async fn the_fullest_address_makes_room_for_all() {
    let mut room = Room::new(100, 8, 6);
    for id in 0..3 {
        room.enter(id, 1);
    }
    for id in 3..8 {
        room.enter(id, 2);
    }
    room.later().await.enter(8, 3);
    assert_eq!(room.asked(), [3]);
    room.table.leave(3);
    room.enter(9, 1);
    assert_eq!(room.asked(), [4]);
}

#[tokio::test(start_paused = true)]
async fn a_proxy_has_as_many_as_there_are_and_goes_last() {
    let mut room = Room::new(100, 8, 2);
    for id in 0..7 {
        room.enter_as(id, 1, true);
    }
    assert_eq!(room.asked(), [0_u64; 0]);
    room.enter(7, 2).later().await.enter_as(8, 1, true);
    assert_eq!(room.asked(), [7]);
    room.table.leave(7);
    room.enter_as(9, 1, true);
    assert_eq!(room.asked(), [0]);
}

#[tokio::test(start_paused = true)]
async fn where_all_are_busy_some_may_wait_all_the_same() {
    let mut room = Room::new(100, 100, 8);
    for id in 0..8 {
        room.enter(id, 1).table.busy(id);
    }
    room.enter(8, 1).enter(9, 1);
    assert_eq!(room.asked(), [0_u64; 0]);
    room.later().await.enter(10, 1);
    assert_eq!(room.asked(), [8]);
}

#[tokio::test(start_paused = true)]
async fn whoever_has_just_come_has_time_to_ask_while_there_is_any_place() {
    let mut room = Room::new(16, 8, 4);
    for id in 0..16 {
        room.enter(id, 1);
    }
    assert_eq!(room.asked(), [0_u64; 0]);
    room.enter(16, 2);
    assert_eq!(room.asked(), [0], "there is none left");
    room.later().await.enter(17, 1);
    assert!(room.asked().len() > 8 && !room.asked().contains(&16), "{:?}", room.asked());
}

#[tokio::test(start_paused = true)]
async fn at_the_very_end_those_without_a_request_under_way_are_cut() {
    let mut room = Room::new(3, 8, 8);
    for id in 0..3 {
        room.enter(id, 1).table.busy(id);
    }
    room.table.under_way(0, of(1));
    room.enter(3, 2);
    assert_eq!(room.cut(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_one_of_whoever_has_most_goes_for_one_with_little() {
    let mut room = Room::new(100, 100, 100);
    for id in 0..4 {
        room.enter(id, 1).table.busy(id);
        room.table.under_way(id, of(1));
    }
    room.table.displace_for(of(2));
    assert_eq!(room.cut(), [0_u64; 0], "none is slow");
    room.links[&2].is_blocked();
    room.table.displace_for(of(1));
    assert_eq!(room.cut(), [0_u64; 0], "not for more of the same");
    room.table.displace_for(of(2));
    assert_eq!(room.cut(), [2]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_of_those_who_left() {
    let mut room = Room::new(100, 4, 4);
    for id in 0..9 {
        room.enter(id, (id % 2) as u8);
    }
    room.table.busy(8);
    for id in 0..9 {
        room.table.leave(id);
        room.table.leave(id);
    }
    assert_eq!((room.table.waiting, room.table.asked, room.table.seats.len()), (0, 0, 0));
    assert!(room.table.addresses.is_empty());
}
