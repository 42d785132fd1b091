//! How many connections the limit on file descriptors leaves room for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::{Config, is_postgres};

/// For the runtime, the listeners, logs, Redis, traces, and some to spare.
const OTHER_DESCRIPTORS: usize = 64;
/// A SQLite reader has the database, its log and the log's index open.
const DESCRIPTORS_PER_DATABASE_CONNECTION: usize = 3;
/// HTTP connections that take precedence over WebSockets if there is not room for all of both.
const FIRST_HTTP_CONNECTIONS: usize = 1_280;
/// Fewer are useless.
const MIN: usize = 4;

/// Raises the limit on file descriptors as far as the system allows, as shells and service managers often start with
/// 1,024, and lowers the limits on connections to what there is room for: beyond them the relay still answers, with 503.
pub(crate) fn fit(config: &mut Config) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let handles = if raised.is_ok() { maximum } else { current };
    let Some(handles) = handles.and_then(|handles| usize::try_from(handles).ok()) else { return };
    let database = match config.database_max_connections as usize {
        connections if is_postgres(&config.database_url) => connections,
        connections => connections * DESCRIPTORS_PER_DATABASE_CONNECTION,
    };
    let wanted = config.max_connections;
    let room = handles.saturating_sub(OTHER_DESCRIPTORS + database);
    (config.max_http_connections, config.max_connections) = share(room, config.max_http_connections, wanted);
    if config.max_connections < wanted {
        tracing::warn!(
            handles,
            sockets = config.max_connections,
            http = config.max_http_connections,
            "the system allows fewer handles than MIEN_MAX_CONNECTIONS needs, so the relay takes fewer connections and \
             answers others with 503; raise its limit (ulimit -n, LimitNOFILE=)"
        );
    }
}

/// Connections over HTTP and WebSockets, together no more than there is room for.
fn share(room: usize, http: usize, sockets: usize) -> (usize, usize) {
    let first = FIRST_HTTP_CONNECTIONS.min(room / 4);
    let http = http.min(room.saturating_sub(sockets).max(first)).max(MIN);
    (http, sockets.min(room.saturating_sub(http)).max(MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_shared_out() {
        for (room, expected) in [
            (1_000_000, (4_096, 10_000)),
            (12_000, (2_000, 10_000)),
            (11_280, (1_280, 10_000)),
            (11_000, (1_280, 9_720)),
            (885, (221, 664)),
            (100, (25, 75)),
            (0, (4, 4)),
        ] {
            assert_eq!(share(room, 4_096, 10_000), expected, "{room}");
        }
    }
}
