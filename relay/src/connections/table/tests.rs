//! Which connection closes for which.

use std::collections::BTreeMap;

use super::*;

const GRACE: Duration = Duration::from_secs(1);

/// A table, and what became of those in it.
struct Fixture {
    table: Table,
    connections: BTreeMap<u64, Arc<Connection>>,
}

impl Fixture {
    fn new(all: usize, places: usize, per_address: usize) -> Self {
        let table = Table::new(Limits { all, places, per_address, grace: GRACE });
        Self { table, connections: BTreeMap::new() }
    }

    fn enter(&mut self, id: u64, address: u8) -> &mut Self {
        self.enter_as(id, address, false)
    }

    fn enter_as(&mut self, id: u64, address: u8, trusted: bool) -> &mut Self {
        let connection = Arc::new(Connection::new(id));
        self.connections.insert(id, Arc::clone(&connection));
        self.table.enter(id, of(address), trusted, connection);
        self
    }

    /// Lets enough time pass that they could have sent a request.
    async fn later(&mut self) -> &mut Self {
        tokio::time::advance(GRACE).await;
        self
    }

    fn asked(&self) -> Vec<u64> {
        self.connections
            .iter()
            .filter(|(_, connection)| connection.should_close())
            .map(|(id, _)| *id)
            .collect()
    }

    fn cut(&self) -> Vec<u64> {
        self.connections.iter().filter(|(_, connection)| connection.is_cut()).map(|(id, _)| *id).collect()
    }
}

fn of(address: u8) -> IpAddr {
    [192, 0, 2, address].into()
}

#[tokio::test(start_paused = true)]
async fn the_oldest_of_a_full_address_goes_and_others_stay() {
    let mut fixture = Fixture::new(100, 100, 4);
    fixture.enter(0, 9);
    for id in 1..=4 {
        fixture.enter(id, 1);
    }
    assert_eq!(fixture.asked(), [0_u64; 0]);
    fixture.later().await.enter(5, 1);
    assert_eq!(fixture.asked(), [1]);
    // It had a request after all, so it stays, and the next goes.
    fixture.table.busy(1);
    assert_eq!(fixture.asked(), [0_u64; 0]);
    fixture.enter(6, 1);
    assert_eq!(fixture.asked(), [2, 3]);
    // A connection that was just answered counts as younger than those that have been waiting since before.
    fixture.table.wait(1);
    fixture.table.leave(2);
    fixture.table.leave(3);
    fixture.later().await.enter(7, 1);
    assert!(fixture.asked().contains(&4) && !fixture.asked().contains(&1), "{:?}", fixture.asked());
}

#[tokio::test(start_paused = true)]
async fn the_fullest_address_makes_room_for_all() {
    let mut fixture = Fixture::new(100, 8, 6);
    for id in 0..3 {
        fixture.enter(id, 1);
    }
    for id in 3..8 {
        fixture.enter(id, 2);
    }
    fixture.later().await.enter(8, 3);
    assert_eq!(fixture.asked(), [3]);
    fixture.table.leave(3);
    fixture.enter(9, 1);
    assert_eq!(fixture.asked(), [4]);
}

#[tokio::test(start_paused = true)]
async fn a_proxy_has_as_many_as_there_are_and_goes_last() {
    let mut fixture = Fixture::new(100, 8, 2);
    for id in 0..7 {
        fixture.enter_as(id, 1, true);
    }
    assert_eq!(fixture.asked(), [0_u64; 0]);
    fixture.enter(7, 2).later().await.enter_as(8, 1, true);
    assert_eq!(fixture.asked(), [7]);
    fixture.table.leave(7);
    fixture.enter_as(9, 1, true);
    assert_eq!(fixture.asked(), [0]);
}

#[tokio::test(start_paused = true)]
async fn where_all_are_busy_some_may_wait_all_the_same() {
    let mut fixture = Fixture::new(100, 100, 8);
    for id in 0..8 {
        fixture.enter(id, 1).table.busy(id);
    }
    fixture.enter(8, 1).enter(9, 1);
    assert_eq!(fixture.asked(), [0_u64; 0]);
    fixture.later().await.enter(10, 1);
    assert_eq!(fixture.asked(), [8]);
}

#[tokio::test(start_paused = true)]
async fn whoever_has_just_come_has_time_to_ask_while_there_is_any_place() {
    let mut fixture = Fixture::new(16, 8, 4);
    for id in 0..16 {
        fixture.enter(id, 1);
    }
    assert_eq!(fixture.asked(), [0_u64; 0]);
    fixture.enter(16, 2);
    assert_eq!(fixture.asked(), [0], "there is none left");
    fixture.later().await.enter(17, 1);
    assert!(fixture.asked().len() > 8 && !fixture.asked().contains(&16), "{:?}", fixture.asked());
}

#[tokio::test(start_paused = true)]
async fn at_the_very_end_those_without_a_request_under_way_are_cut() {
    let mut fixture = Fixture::new(3, 8, 8);
    for id in 0..3 {
        fixture.enter(id, 1).table.busy(id);
    }
    fixture.table.under_way(0, of(1));
    fixture.enter(3, 2);
    assert_eq!(fixture.cut(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_one_of_whoever_has_most_goes_for_one_with_little() {
    let mut fixture = Fixture::new(100, 100, 100);
    for id in 0..4 {
        fixture.enter(id, 1).table.busy(id);
        fixture.table.under_way(id, of(1));
    }
    fixture.table.displace_for(of(2));
    assert_eq!(fixture.cut(), [0_u64; 0], "none is slow");
    fixture.connections[&2].is_blocked();
    fixture.table.displace_for(of(1));
    assert_eq!(fixture.cut(), [0_u64; 0], "not for more of the same");
    fixture.table.displace_for(of(2));
    assert_eq!(fixture.cut(), [2]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_of_those_who_left() {
    let mut fixture = Fixture::new(100, 4, 4);
    for id in 0..9 {
        fixture.enter(id, (id % 2) as u8);
    }
    fixture.table.busy(8);
    for id in 0..9 {
        fixture.table.leave(id);
        fixture.table.leave(id);
    }
    assert_eq!((fixture.table.waiting, fixture.table.closing, fixture.table.entries.len()), (0, 0, 0));
    assert!(fixture.table.addresses.is_empty());
}
