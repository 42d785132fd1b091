//! What Redis does in one step, as scripts. Every connection loads them when it is opened.
//!
//! Times are Redis' own (`TIME`), so that the clocks of relays need not agree.

use std::sync::OnceLock;

use redis::aio::ConnectionLike;
use redis::{Cmd, RedisResult, Script, ToRedisArgs};

/// A script, and the hash under which Redis knows it.
pub(super) struct StoredScript {
    code: &'static str,
    hash: OnceLock<String>,
}

impl StoredScript {
    const fn new(code: &'static str) -> Self {
        Self { code, hash: OnceLock::new() }
    }

    fn hash(&self) -> &str {
        self.hash.get_or_init(|| Script::new(self.code).get_hash().to_owned())
    }

    /// A call with these keys; arguments follow.
    pub(super) fn call(&self, keys: &[String]) -> Call {
        let mut cmd = redis::cmd("EVALSHA");
        cmd.arg(self.hash()).arg(keys.len()).arg(keys);
        Call(cmd)
    }
}

/// Stores batches of one source in its recent window and publishes them, unless the session was erased.
/// Keys: the mark of erasure, the window. Arguments: channel, life in seconds, most entries, then for each
/// batch its `through` and its message. An id that does not ascend is refused by the stream and skipped: the
/// window then has a hole, which its readers see.
pub(super) static SHARE: StoredScript = StoredScript::new(
    "if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end \
         for i = 4, #ARGV, 2 do \
           redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], ARGV[i] .. '-1', 'm', ARGV[i + 1]) \
           redis.call('PUBLISH', ARGV[1], ARGV[i + 1]) \
         end \
         redis.call('EXPIRE', KEYS[2], ARGV[2]) \
         return 1",
);

/// Stores who is connected to one relay, and answers who is to the others. Key: the session's presence.
/// Arguments: relay, its presence (empty for nobody), life in milliseconds, channel, what to say there
/// (empty for nothing). Answers relay, presence, relay, presence, …
pub(super) static PRESENT: StoredScript = StoredScript::new(
    "local t = redis.call('TIME') \
         local now = t[1] * 1000 + math.floor(t[2] / 1000) \
         if ARGV[2] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) \
         else \
           redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + ARGV[3]) .. ' ' .. ARGV[2]) \
           redis.call('PEXPIRE', KEYS[1], ARGV[3]) \
         end \
         if ARGV[5] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[5]) end \
         local all, others = redis.call('HGETALL', KEYS[1]), {} \
         for i = 1, #all, 2 do \
           local ends, presence = string.match(all[i + 1], '^(%d+) (.*)$') \
           if tonumber(ends) < now then redis.call('HDEL', KEYS[1], all[i]) \
           elseif all[i] ~= ARGV[1] then \
             others[#others + 1] = all[i] \
             others[#others + 1] = presence \
           end \
         end \
         return others",
);

/// Gives a claim to a source its position in the order of all claims, and announces the highest. Key: the
/// highest so far. Arguments: life in seconds, channel, session, source, the position it asks for (Unix
/// milliseconds), and `1` if it is newer than all others, whatever their relays' clocks say. Answers its position
/// and the highest.
pub(super) static CLAIM: StoredScript = StoredScript::new(
    "local top = tonumber(redis.call('GET', KEYS[1]) or 0) \
         local place = tonumber(ARGV[5]) \
         if ARGV[6] == '1' then place = math.max(place, top + 1) end \
         top = math.max(place, top) \
         redis.call('SET', KEYS[1], string.format('%.0f', top), 'EX', ARGV[1]) \
         redis.call('PUBLISH', ARGV[2], cjson.encode( \
           {type = 'claimed', session = ARGV[3], source = ARGV[4], at = top})) \
         return {place, top}",
);

/// Charges a bucket (`limits/bucket.rs` has the same arithmetic, in nanoseconds). Key: the bucket, which holds when
/// it is full again, in microseconds. Arguments: tokens, tokens a second. Answers what is missing until it is
/// full, in microseconds. A full bucket needs no key.
pub(super) static CHARGE: StoredScript = StoredScript::new(
    "local t = redis.call('TIME') \
         local now = t[1] * 1000000 + t[2] \
         local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) \
         full_at = full_at + math.floor(ARGV[1] * 1000000 / ARGV[2]) \
         local missing = full_at - now \
         if missing > 0 then \
           redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil(missing / 1000)) \
         end \
         return missing",
);

/// Makes all scripts known to Redis, in one round trip.
pub(super) async fn load(connection: &mut impl ConnectionLike) -> RedisResult<()> {
    let mut pipeline = redis::pipe();
    for script in [&SHARE, &PRESENT, &CLAIM, &CHARGE] {
        pipeline.cmd("SCRIPT").arg("LOAD").arg(script.code).ignore();
    }
    pipeline.query_async(connection).await
}

/// Arguments follow, then it is added to a pipeline.
pub(super) struct Call(Cmd);

impl Call {
    pub(super) fn arg(mut self, value: impl ToRedisArgs) -> Self {
        self.0.arg(value);
        self
    }

    pub(super) fn command(self) -> Cmd {
        self.0
    }
}
