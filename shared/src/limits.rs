//! Every limit that both ends or the documents name, once, with its reason.

use std::time::Duration;

/// Faces in one sample. More than a camera resolves well enough to judge.
pub const MAX_FACES: usize = 32;
/// Reasons for skipped time in one sample. Well over those that there are, as a client may know newer ones.
pub const MAX_SKIPPED: usize = 16;
/// Samples in one message: about eight seconds at 30 a second, so that catching up takes few round trips.
pub const MAX_BATCH: usize = 256;
/// Bytes of one WebSocket message; this size itself is still taken.
pub const MAX_MESSAGE_BYTES: usize = 131_072;
/// Bytes of a socket's first message, which comes before anybody is known: a token, and the place of every source that
/// a session may have. Of a watcher, which has nothing more to say, of every message.
pub const MAX_HELLO_BYTES: usize = 16 * 1024;
/// The largest integer that every JSON reader holds exactly: 2^53 − 1.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
/// How far the scores of a face may sum from 1.
pub const SCORE_SUM_TOLERANCE: f32 = 0.05;
/// Box coordinates are fractions of the frame; a face may hang over its edge by a whole frame.
pub const BOX_RANGE: std::ops::RangeInclusive<f32> = -1.0..=2.0;
pub const VALENCE_RANGE: std::ops::RangeInclusive<f32> = -1.0..=1.0;
/// Degrees by which a head may be turned about each of its axes.
pub const HEAD_RANGE: std::ops::RangeInclusive<f32> = -180.0..=180.0;
/// Degrees by which eyes may look aside.
pub const GAZE_RANGE: std::ops::RangeInclusive<f32> = -90.0..=90.0;

/// Characters of a source's name.
pub const MAX_SOURCE_CHARS: usize = 32;
/// Sources of one session: bounds what a summary lists and a hub holds.
pub const MAX_SOURCES: usize = 256;
/// Gaps of one source that a summary lists: the others come page by page.
pub const MAX_LISTED_GAPS: usize = 1_000;
/// Markers of one session: they are listed in one answer.
pub const MAX_MARKERS: usize = 1_000;
pub const MAX_TITLE_CHARS: usize = 200;
pub const MAX_PURPOSE_CHARS: usize = 500;
pub const MAX_LABEL_CHARS: usize = 500;
/// Long enough for a UUID or a trace id, short enough to log.
pub const MAX_REQUEST_ID_CHARS: usize = 64;
/// Bytes of a JSON request body.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Rows of one page of a list.
pub const MAX_PAGE: u32 = 1_000;
pub const DEFAULT_PAGE: u32 = 100;
/// Points a second, where a request for a series does not say.
pub const DEFAULT_RESOLUTION_MS: u64 = 1_000;
/// Points of one series answer: four a pixel on a wide screen.
pub const MAX_SERIES_POINTS: usize = 16_384;

/// Sockets that have not said hello, all together.
pub const MAX_PENDING_SOCKETS: usize = 512;
/// The same of one address. Who says hello at once needs a place for milliseconds, so thousands from one address take
/// turns.
pub const MAX_PENDING_SOCKETS_PER_ADDRESS: usize = 32;
/// For how long a socket without a hello surely keeps its place, though others wait for it: several round trips of a
/// slow line.
pub const PENDING_GRACE: Duration = Duration::from_secs(1);
/// Time for the first message of a socket.
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
pub const PING_EVERY: Duration = Duration::from_secs(25);
/// Silence of the peer that ends a connection.
pub const SILENCE: Duration = Duration::from_mins(1);
pub const HEADERS_TIMEOUT: Duration = Duration::from_secs(10);
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Unusable messages on one connection before it is ended with 4400.
pub const MAX_ERRORS: u32 = 10;
/// Samples sent past an unhonoured throttle before the connection is ended with 4429.
pub const MAX_PAST_THROTTLE: u64 = 5_000;

/// Bytes of the token secret (HS256 wants a key as long as its digest, RFC 7518 section 3.2).
pub const MIN_SECRET_BYTES: usize = 32;
/// Life of a capability token when the request names none.
pub const DEFAULT_TOKEN_TTL: Duration = Duration::from_hours(24);
/// The longest life that can be asked for, whatever a relay's settings say.
pub const MAX_TOKEN_TTL: Duration = Duration::from_hours(366 * 24);

/// How much before its `nbf` a token is believed: clocks of two machines are rarely closer.
pub const NOT_BEFORE_LEEWAY: Duration = Duration::from_secs(5);
/// Characters of the name of a token (`jti`): a UUID, or what an embedder calls it.
pub const MAX_TOKEN_ID_CHARS: usize = 128;
/// Tokens of one session that are revoked one by one: they are read with the session.
pub const MAX_REVOKED_TOKENS: usize = 1_000;

/// A sample stands for its expression until the next one of its source, at most this long: a camera that
/// stopped must not add hours to the last face it saw.
pub const MAX_HOLD_MS: u64 = 2_000;
