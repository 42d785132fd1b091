//! System packages: always named, installed only if we are root.

use std::process::Command;

use anyhow::bail;

use crate::process;

/// What a user would type.
pub(crate) fn command(packages: &[&str]) -> String {
    format!("apt-get update && apt-get install -y --no-install-recommends {}", packages.join(" "))
}

/// A headless browser and its driver: the browser tests need both.
pub(crate) fn ensure_browser() -> anyhow::Result<()> {
    let packages: Vec<&str> = [("chromium", "chromium"), ("chromedriver", "chromium-driver")]
        .into_iter()
        .filter(|(program, _)| !process::on_path(program))
        .map(|(_, package)| package)
        .collect();
    ensure(&packages, "the browser tests")
}

/// WebKit's driver brings its own browser, which needs a display.
pub(crate) fn ensure_webkit() -> anyhow::Result<()> {
    let packages: Vec<&str> = [("WebKitWebDriver", "webkit2gtk-driver"), ("Xvfb", "xvfb")]
        .into_iter()
        .filter(|(program, _)| !process::on_path(program))
        .map(|(_, package)| package)
        .collect();
    ensure(&packages, "the tests in WebKit")
}

/// Debian keeps the Postgres programs off the path, so their folder is searched, too.
pub(crate) fn ensure_postgres() -> anyhow::Result<()> {
    let there = process::on_path("initdb") || std::path::Path::new("/usr/lib/postgresql").is_dir();
    ensure(if there { &[] } else { &["postgresql"] }, "the tests over Postgres")?;
    // Only some tests need it, and they do without it where we may not install it.
    let there = process::on_path("pgbouncer") || std::path::Path::new("/usr/sbin/pgbouncer").is_file();
    if !there && is_root() {
        ensure(&["pgbouncer"], "the tests through PgBouncer")?;
    }
    Ok(())
}

pub(crate) fn ensure_redis() -> anyhow::Result<()> {
    let there = process::on_path("redis-server") || process::on_path("valkey-server");
    ensure(if there { &[] } else { &["redis-server"] }, "the tests over Redis")
}

/// Proxies that people put in front of the relay. Debian keeps two of them where only root looks.
pub(crate) fn ensure_proxies() -> anyhow::Result<()> {
    let packages: Vec<&str> = ["nginx", "caddy", "haproxy"]
        .into_iter()
        .filter(|program| {
            !process::on_path(program) && !std::path::Path::new("/usr/sbin").join(program).is_file()
        })
        .collect();
    ensure(&packages, "the tests behind proxies")
}

/// npm, with any Node.js that runs it.
pub(crate) fn ensure_npm() -> anyhow::Result<()> {
    let packages: Vec<&str> = [("node", "nodejs"), ("npm", "npm")]
        .into_iter()
        .filter(|(program, _)| !process::on_path(program))
        .map(|(_, package)| package)
        .collect();
    ensure(&packages, "the tests of the npm package")
}

/// The C compiler for a static relay.
pub(crate) fn ensure_musl() -> anyhow::Result<()> {
    let there = process::on_path("musl-gcc");
    ensure(if there { &[] } else { &["musl-tools"] }, "static builds")
}

/// Debian packages separately what creates virtual environments.
pub(crate) fn ensure_python() -> anyhow::Result<()> {
    let there = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))";
    let there = process::on_path("python3") && process::quietly(Command::new("python3").args(["-c", there]));
    ensure(
        if there { &[] } else { &["python3", "python3-venv"] },
        "the contract's readers (Python 3.11 or later)",
    )
}

fn ensure(packages: &[&str], what: &str) -> anyhow::Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    if !(is_root() && process::on_path("apt-get")) {
        bail!("{what} need {}. Install: {}", packages.join(" and "), command(packages));
    }
    eprintln!("[setup] installing {} through apt-get", packages.join(" and "));
    // The package lists of a fresh image are empty or old: update once, and only if the first try fails.
    if install(packages).is_ok() {
        return Ok(());
    }
    process::succeed(Command::new("apt-get").args(["update", "-q"]))?;
    install(packages)
}

fn install(packages: &[&str]) -> anyhow::Result<()> {
    process::succeed(
        Command::new("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            // The servers are only needed as programs: the tests start their own.
            .env("RUNLEVEL", "1")
            .args(["install", "-y", "-q", "--no-install-recommends"])
            .args(packages),
    )
}

fn is_root() -> bool {
    process::text(Command::new("id").arg("-u")).is_some_and(|id| id == "0")
}
