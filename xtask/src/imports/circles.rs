//! Cycles of a graph: its strongly connected components of more than one node (Tarjan 1972).

use std::collections::BTreeSet;

/// `arrows[from]` holds the nodes that each node points to. Cycles and their members are in ascending order.
pub(super) fn circles(arrows: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let mut search =
        Search { arrows, found: Vec::new(), visits: vec![None; arrows.len()], path: Vec::new(), visited: 0 };
    for node in 0..arrows.len() {
        if search.visits[node].is_none() {
            search.visit(node);
        }
    }
    search.found.sort();
    search.found
}

#[derive(Clone, Copy)]
struct Visit {
    order: usize,
    is_on_path: bool,
}

struct Search<'a> {
    arrows: &'a [BTreeSet<usize>],
    found: Vec<Vec<usize>>,
    visits: Vec<Option<Visit>>,
    path: Vec<usize>,
    visited: usize,
}

impl Search<'_> {
    /// Returns the earliest node on the path that can be reached from here.
    fn visit(&mut self, node: usize) -> usize {
        let order = self.visited;
        self.visited += 1;
        let mut low = order;
        let place = self.path.len();
        self.path.push(node);
        self.visits[node] = Some(Visit { order, is_on_path: true });
        for &next in &self.arrows[node] {
            match self.visits[next] {
                None => low = low.min(self.visit(next)),
                Some(visit) if visit.is_on_path => low = low.min(visit.order),
                Some(_) => {}
            }
        }
        if low == order {
            let mut circle = self.path.split_off(place);
            for &member in &circle {
                if let Some(visit) = &mut self.visits[member] {
                    visit.is_on_path = false;
                }
            }
            if circle.len() > 1 {
                circle.sort_unstable();
                self.found.push(circle);
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arrows: &[&[usize]], expected: &[&[usize]]) {
        let arrows: Vec<BTreeSet<usize>> = arrows.iter().map(|to| to.iter().copied().collect()).collect();
        assert_eq!(circles(&arrows), expected);
    }

    #[test]
    fn only_loops_of_two_and_more_are_circles() {
        check(&[], &[]);
        check(&[&[0, 1], &[2], &[]], &[]);
        check(&[&[1], &[2], &[0]], &[&[0, 1, 2]]);
        // Two cycles with an arrow between them, and one that comes back over a shared node.
        check(&[&[1], &[0, 2], &[3], &[2]], &[&[0, 1], &[2, 3]]);
        check(&[&[1, 2], &[0], &[0]], &[&[0, 1, 2]]);
        // Several paths to one node are not a cycle.
        check(&[&[1, 2], &[3], &[3], &[]], &[]);
    }
}
