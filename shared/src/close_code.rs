//! Close codes of the WebSockets.

/// Defines each close code once: variant, number, the reason text of the close frame (which the documents give as its
/// meaning), and whether connecting again with the same token can succeed.
macro_rules! close_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $reason:literal, $then:ident;)*) => {
        /// Why a WebSocket was closed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum CloseCode { $($(#[$doc])* $variant = $code,)* }

        impl CloseCode {
            pub const ALL: [Self; [$($code),*].len()] = [$(Self::$variant),*];

            /// The reason text of the close frame.
            pub const fn reason(self) -> &'static str {
                match self { $(Self::$variant => $reason,)* }
            }

            /// Whether connecting again with the same token can succeed: false where the answer would be the same.
            pub const fn worth_retrying(self) -> bool {
                match self { $(Self::$variant => matches!(Then::$then, Then::Retry),)* }
            }
        }
    };
}

/// What a client does after a close.
enum Then {
    /// Connect again with the same token.
    Retry,
    /// Stop: the answer would be the same.
    Stop,
}

close_codes! {
    Done = 1000, "done", Stop;
    /// The peer was silent for too long.
    Silent = 1001, "silent for too long", Retry;
    NotUtf8 = 1007, "text is not UTF-8", Stop;
    TooLarge = 1009, "message too large", Stop;
    Restarting = 1012, "relay restarting", Retry;
    AtCapacity = 1013, "at capacity", Retry;
    Malformed = 4400, "malformed", Stop;
    Unauthorized = 4401, "token missing, bad or expired", Stop;
    Forbidden = 4403, "token is for another session or role", Stop;
    SessionNotFound = 4404, "no such session", Stop;
    HelloTimeout = 4408, "no hello in time", Retry;
    Superseded = 4409, "a newer connection of this source took over", Stop;
    SessionEnded = 4410, "session completed or erased", Stop;
    /// A limit on how many, which waiting does not lift.
    QuotaExceeded = 4413, "quota used up", Stop;
    ThrottleIgnored = 4429, "sends on while throttled", Retry;
}

impl CloseCode {
    pub const fn code(self) -> u16 {
        self as u16
    }

    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|close| close.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_codes_read_back() {
        for close in CloseCode::ALL {
            assert_eq!(CloseCode::from_code(close.code()), Some(close));
        }
        assert_eq!(CloseCode::from_code(4999), None);
    }
}
