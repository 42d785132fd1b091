//! The relay under a path, behind proxies as people run them: page, API and sockets work as they do at the root.
//!
//! Each proxy is tested both ways: passing the path on, and stripping it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mien_page_tests::api::assert_gapless;
use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::relay::{Relay, free_address};
use mien_page_tests::stage::{self, Stage};
use mien_page_tests::wait;
use mien_servers::missing::skip;
use tempfile::TempDir;

const SOME: u64 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Keeps,
    Strips,
}

/// A proxy's process, until it is dropped.
struct Proxy {
    process: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("proxy.log"));
            eprintln!("── the proxy said ──\n{}", log.unwrap_or_default());
        }
    }
}

impl Proxy {
    fn start(program: &str, arguments: &[&str], configuration: impl Fn(SocketAddr, &Path) -> String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = free_address();
        let file = folder.path().join("proxy.conf");
        fs::write(&file, configuration(address, folder.path())).expect("a configuration");
        let log = fs::File::create(folder.path().join("proxy.log")).expect("a log");
        let process = Command::new(program)
            .args(arguments)
            .arg(&file)
            // Debian's nginx and HAProxy are in folders that are only on root's path.
            .env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()))
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|fault| {
                panic!("{program} does not start ({fault}); `cargo xtask test` installs it")
            });
        let proxy = Self { process, address, folder };
        wait::until(program, || std::net::TcpStream::connect(address).ok());
        proxy
    }

    fn nginx(relay: SocketAddr, manner: Manner) -> Self {
        // With an address that ends in a slash, nginx replaces the location's own path with it.
        let to =
            if manner == Manner::Strips { format!("http://{relay}/") } else { format!("http://{relay}") };
        Self::start("nginx", &["-c"], move |address, folder| {
            let folder = folder.display();
            format!(
                "daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
                events {{}}
                http {{
                    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
                    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
                    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
                    server {{
                        listen {address};
                        location = / {{ return 200 'something else'; }}
                        location /mien/ {{
                            proxy_pass {to};
                            proxy_http_version 1.1;
                            proxy_set_header Host $http_host;
                            proxy_set_header Upgrade $http_upgrade;
                            proxy_set_header Connection $connection_upgrade;
                        }}
                    }}
                }}"
            )
        })
    }

    fn caddy(relay: SocketAddr, manner: Manner) -> Self {
        let handle = if manner == Manner::Strips { "handle_path" } else { "handle" };
        Self::start("caddy", &["run", "--adapter", "caddyfile", "--config"], move |address, _| {
            format!(
                "{{\n admin off\n auto_https off\n}}\n\
                http://{address} {{\n {handle} /mien/* {{\n  reverse_proxy {relay}\n }}\n respond \"something else\"\n}}\n"
            )
        })
    }

    fn haproxy(relay: SocketAddr, manner: Manner) -> Self {
        let strips = if manner == Manner::Strips { "http-request replace-path /mien(/.*) \\1" } else { "" };
        Self::start("haproxy", &["-db", "-f"], move |address, _| {
            format!(
                "defaults\n mode http\n timeout connect 5s\n timeout client 1m\n timeout server 1m\n timeout tunnel 1h\n\
                frontend all\n bind {address}\n use_backend mien if {{ path_beg /mien/ }}\n\
                \x20http-request return status 200 content-type text/plain string else unless {{ path_beg /mien/ }}\n\
                backend mien\n {strips}\n server relay {relay}\n"
            )
        })
    }

    fn url(&self) -> String {
        format!("http://{}/mien/", self.address)
    }
}

fn relay_under_a_path() -> Relay {
    Relay::start_with(&[("MIEN_BASE_PATH", "/mien")])
}

/// Set by `cargo xtask test` if a proxy is missing and cannot be installed.
#[track_caller]
fn without_proxies() -> bool {
    let absent = std::env::var_os("MIEN_WITHOUT_PROXIES").is_some();
    if absent {
        skip("a proxy is missing");
    }
    absent
}

/// A whole recording with a watcher, a reload, and navigation within the page.
#[track_caller]
fn works(start: fn(SocketAddr, Manner) -> Proxy) {
    if without_proxies() {
        return;
    }
    let stage = Stage::set();
    for manner in [Manner::Keeps, Manner::Strips] {
        let relay = relay_under_a_path();
        let proxy = start(relay.address(), manner);
        let browser = stage.browser();
        let page = browser.page();
        let session = stage::start_session(&page, &proxy.url());
        relay.api().wait_for_samples(session, SOME);
        let address = page.ask("location.pathname").expect("an address");
        assert_eq!(address, format!("/mien/session/{session}"), "{manner:?}");
        page.reload();
        assert_eq!(stage::live_session(&page), session, "{manner:?}");

        let link = stage::share_link(&page);
        assert!(link.starts_with(&format!("{}watch/{session}#", proxy.url())), "{manner:?}: {link}");
        let watcher = browser.page();
        watcher.goto(&link);
        watcher.wait_for(
            "a live view",
            "document.querySelector('[data-testid=link-state]')?.dataset.state === 'live'",
        );
        assert_eq!(
            watcher.ask("location.pathname + location.hash").expect("an address"),
            format!("/mien/watch/{session}")
        );
        watcher.close();

        stage::stop_session(&page);
        assert_gapless(&relay.api().samples(session));
        page.ask("document.querySelector('[data-testid=done] .brand').click()");
        page.wait_for_element("recording");
        assert_eq!(page.ask("location.pathname"), Some("/mien/".into()), "{manner:?}");
        page.ask("history.back()");
        page.wait_for_element("done");

        let elsewhere: Vec<String> = browser
            .traffic()
            .urls
            .into_iter()
            .filter(|url| !url.contains(&format!("://{}/mien/", proxy.address)))
            .collect();
        assert!(elsewhere.is_empty(), "{manner:?}: {elsewhere:?}");
    }
}

#[test]
fn under_a_path_behind_nginx() {
    works(Proxy::nginx);
}

#[test]
fn under_a_path_behind_caddy() {
    works(Proxy::caddy);
}

#[test]
fn under_a_path_behind_haproxy() {
    works(Proxy::haproxy);
}

/// What a user sees if the relay was not told about the path.
#[test]
fn a_page_whose_files_do_not_come_says_so() {
    if without_proxies() {
        return;
    }
    let relay = Relay::start();
    let proxy = Proxy::nginx(relay.address(), Manner::Strips);
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.goto(&proxy.url());
    wait::until_within(std::time::Duration::from_secs(10), "the page to say what is missing", || {
        let text = page.text();
        (text.contains("MIEN_BASE_PATH") && text.contains("files did not arrive")).then_some(())
    });
}
