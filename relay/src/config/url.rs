//! URLs with credentials: whether their parts can be told apart, and how they are shown.

use sqlx::postgres::PgConnectOptions;

use super::origin::is_loopback;

/// Parameters in which a Postgres or Redis client expects a name or a path, so possibly an `@`.
const WITH_ANY_TEXT: [&str; 13] = [
    "user",
    "password",
    "dbname",
    "host",
    "options",
    "application_name",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
];
/// Parameters whose values are not secret.
const SHOWN: [&str; 16] = [
    "user",
    "dbname",
    "host",
    "hostaddr",
    "port",
    "application_name",
    "statement-cache-capacity",
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "protocol",
    "mode",
];
/// Further parameters that the Postgres client knows: sqlx 0.9.
const OF_POSTGRES: [&str; 5] = ["password", "options", "sslkey", "ssl-key", "sslmode"];

/// A URL, split in the same places as a client splits it.
struct Parts<'a> {
    scheme: &'a str,
    authority: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(address: &'a str) -> Option<Self> {
        let (scheme, rest) = address.split_once("://")?;
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (rest, fragment) = rest.split_once('#').map_or((rest, None), |(rest, end)| (rest, Some(end)));
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        Some(Self { scheme, authority, path, query, fragment })
    }

    /// Names and values, as they are written.
    fn parameters(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let pairs = self.query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty());
        pairs.map(|pair| pair.split_once('=').map_or((pair, None), |(name, value)| (name, Some(value))))
    }
}

/// Whether user, password and host can be told apart. A `/`, `?` or `#` in a password cuts the address: what comes before
/// is then taken for a host, and shown as one, and what comes after for a database or a parameter.
pub(super) fn can_be_told_apart(address: &str) -> bool {
    // Something that is not a URL at all is not refused for its credentials.
    let Some(parts) = Parts::of(address) else { return !address.contains('@') };
    let holds_no_login = |(name, value): (&str, Option<&str>)| {
        !name.contains('@') && value.is_none_or(|value| !value.contains('@') || WITH_ANY_TEXT.contains(&name))
    };
    // The only thing that a client recognises after `#`: for Redis it means that the certificate need not be valid.
    parts.fragment.is_none_or(|fragment| fragment == "insecure")
        && !parts.path.contains('@')
        && parts.parameters().all(holds_no_login)
}

/// A URL that may be shown.
pub(crate) fn without_secrets(address: &str) -> String {
    // A path may contain anything.
    if address.starts_with("sqlite:") {
        return address.to_owned();
    }
    let Some(parts) = Parts::of(address) else {
        return if address.contains('@') { "(hidden)".to_owned() } else { address.to_owned() };
    };
    let Parts { scheme, authority, path, .. } = parts;
    // A password may hold an `@`; a host cannot.
    let authority = match authority.rsplit_once('@') {
        Some((login, host)) => match login.split_once(':') {
            Some((user, _)) => format!("{user}:(hidden)@{host}"),
            None if scheme.starts_with("postgres") => authority.to_owned(),
            None => format!("(hidden)@{host}"),
        },
        None => authority.to_owned(),
    };
    let shown = parts.parameters().map(|(name, value)| match value {
        Some(value) if SHOWN.contains(&name) => format!("{name}={value}"),
        Some(_) => format!("{name}=(hidden)"),
        None => "(hidden)".to_owned(),
    });
    let query = shown.collect::<Vec<_>>().join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{scheme}://{authority}{path}{mark}{query}")
}

/// The host of a remote Postgres whose address does not say whether to encrypt. The client then encrypts only if the
/// server, or an attacker in between, offers it.
pub(super) fn without_a_word_on_encryption(address: &str) -> Option<String> {
    let says = |name: &str| matches!(name, "sslmode" | "ssl-mode");
    // For what the address leaves open, the client uses the environment variables of Postgres' own programs.
    let said = Parts::of(address)?.parameters().any(|(name, _)| says(name))
        || std::env::var_os("PGSSLMODE").is_some_and(|mode| !mode.is_empty());
    let options: PgConnectOptions = address.parse().ok()?;
    let host = options.get_host();
    let elsewhere = options.get_socket().is_none() && !host.starts_with('/') && !is_loopback(host);
    (elsewhere && !said).then(|| host.to_owned())
}

/// Parameters that the Postgres client ignores, such as misspelt ones.
pub(super) fn unknown_parameters(address: &str) -> Vec<String> {
    let known = |name: &str| {
        (SHOWN.contains(&name) && !matches!(name, "protocol" | "mode"))
            || OF_POSTGRES.contains(&name)
            || name.starts_with("options[")
            // Encoded, which is never needed, but the client decodes it.
            || name.contains('%')
    };
    let parameters = Parts::of(address).into_iter().flat_map(|parts| parts.parameters().collect::<Vec<_>>());
    parameters.map(|(name, _)| name).filter(|name| !known(name)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_holds_no_secret() {
        for (address, shown) in [
            ("sqlite:mien.db", "sqlite:mien.db"),
            ("sqlite://a:b@c.db?mode=ro", "sqlite://a:b@c.db?mode=ro"),
            ("postgres://anna@h/mien", "postgres://anna@h/mien"),
            ("postgres://anna:geheim@h:1/mien", "postgres://anna:(hidden)@h:1/mien"),
            ("postgres://anna:ge@heim@h/mien", "postgres://anna:(hidden)@h/mien"),
            (
                "postgres://h/mien?user=anna&password=geheim&sslmode=require",
                "postgres://h/mien?user=anna&password=(hidden)&sslmode=require",
            ),
            ("postgres://h/mien?%70assword=geheim", "postgres://h/mien?%70assword=(hidden)"),
            ("http://geheim@collector:4318", "http://(hidden)@collector:4318"),
            ("http://collector/v1/traces?api-key=geheim", "http://collector/v1/traces?api-key=(hidden)"),
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318"),
            ("anna:geheim@h", "(hidden)"),
        ] {
            assert_eq!(without_secrets(address), shown);
        }
    }

    #[test]
    fn what_cuts_an_address_is_found() {
        for whole in [
            "postgres://anna:geheim@h/mien",
            "postgres://anna:ge@heim@h/mien",
            "postgres://anna:ge%2Fheim@h/mien?sslmode=require",
            "postgres:///mien?host=/run/postgresql",
            "postgres://h?user=anna@tenant&password=a@b",
            "redis://:geheim@h:6379/1",
            "rediss://h/#insecure",
            "localhost:6379",
        ] {
            assert!(can_be_told_apart(whole), "{whole}");
        }
        for cut in [
            "postgres://anna:ge/heim@h/mien",
            "postgres://anna:12/heim@h/mien",
            "postgres://anna:ge?heim@h/mien",
            "postgres://anna:12?a=b@h/mien",
            "postgres://anna:ge#heim@h/mien",
            "postgres://anna:ge@12/heim@h/mien",
            "redis://:ge#heim@h",
            "postgres:anna:geheim@h/mien",
        ] {
            assert!(!can_be_told_apart(cut), "{cut}");
        }
    }
}
