//! Runs the definitions with podman. Everything is gone when dropped, including networks, volumes and the image that
//! was made.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use mien_servers::missing::leave_out;
use tempfile::TempDir;

use crate::definition::{Definition, Service, filled, keys, texts};
use crate::stand_ins::{self, StandIn};

/// Nothing here takes a tenth of it.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two checks of a service's health.
const POLL: Duration = Duration::from_millis(200);
/// Limits that an unprivileged host allows.
const LIMITS: [&str; 2] = ["nofile=4096:4096", "nproc=4096:4096"];

pub(crate) struct Containers {
    /// Prefix of all names that are created.
    prefix: String,
    /// Keyed by service and network.
    addresses: BTreeMap<(String, String), Ipv4Addr>,
    networks: Vec<String>,
    volumes: Vec<String>,
    services: Vec<String>,
    image: String,
    folder: TempDir,
    /// The variables that `.env` would set.
    variables: BTreeMap<&'static str, String>,
    variable_path: String,
}

impl Containers {
    /// `None` if this machine cannot run them, which skips the test.
    #[track_caller]
    pub(crate) fn start(definition: &Definition) -> Option<Self> {
        if !podman(&["--version"]).is_ok_and(|said| said.status.success()) {
            leave_out("podman is missing; install it, for example with `apt-get install podman runc`");
            return None;
        }
        let programs = stand_ins::programs()?;
        if !done(&["image", "exists", "localhost/mien-relay"]) {
            leave_out("there is no image of the relay; `cargo xtask image` makes one");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let number = std::process::id();
        // Network numbers that compose.yaml does not use itself.
        let third = 100 + 3 * (number % 50) as u8;
        let prefix = format!("mien-test-{number}-");
        let image = format!("localhost/{prefix}machine");
        let archive = stand_ins::pack(folder.path());
        succeed(&["import", "--quiet", archive.to_str().unwrap(), &image]);
        definition.make_secrets(folder.path());
        let variables = BTreeMap::from([
            ("MIEN_FRONT_NETWORK", format!("172.30.{third}.0/24")),
            ("MIEN_PROXY_ADDRESS", format!("172.30.{third}.2")),
        ]);
        let mut containers = Self {
            prefix,
            addresses: BTreeMap::new(),
            networks: Vec::new(),
            volumes: Vec::new(),
            services: Vec::new(),
            image,
            folder,
            variables,
            variable_path: format!("{programs}:/image:/usr/sbin:/usr/bin"),
        };
        if let Err(why) = containers.make_networks(definition, third) {
            leave_out(&format!("podman makes no networks here: {why}"));
            return None;
        }
        for volume in definition.volumes() {
            let name = containers.named(volume);
            succeed(&["volume", "create", &name]);
            containers.volumes.push(name);
        }
        let services = definition.services();
        for service in &services {
            for (needed, condition) in service.needs() {
                let needed = services.iter().find(|one| one.name == needed).unwrap();
                containers.wait_for(needed, condition);
            }
            containers.run(service, definition);
        }
        Some(containers)
    }

    fn make_networks(&mut self, definition: &Definition, third: u8) -> Result<(), String> {
        for (place, (name, body)) in definition.networks().enumerate() {
            let full = self.named(name);
            let mut arguments = vec!["network", "create"];
            let mut subnet = format!("172.30.{}.0/24", third + place as u8);
            for key in keys(body) {
                match key {
                    "internal" if body[key].as_bool() == Some(true) => arguments.push("--internal"),
                    "ipam" => {
                        subnet = filled(body[key]["config"][0]["subnet"].as_str().unwrap(), &self.variables)
                    }
                    other => panic!("the network {name} has `{other}`, which this test does not know"),
                }
            }
            arguments.extend(["--subnet", &subnet, &full]);
            let said = podman(&arguments).map_err(|cause| cause.to_string())?;
            if !said.status.success() {
                return Err(String::from_utf8_lossy(&said.stderr).into_owned());
            }
            self.networks.push(full);
            // Addresses are assigned in advance: each container is told the names, as not every podman has a DNS
            // server.
            let base: Ipv4Addr = subnet.split('/').next().unwrap().parse().unwrap();
            for (host, service) in (10..).zip(definition.services()) {
                for (network, own) in service.networks() {
                    if network == name {
                        let own = own.map(|own| filled(&own, &self.variables).parse().unwrap());
                        let [a, b, c, _] = base.octets();
                        let address = own.unwrap_or(Ipv4Addr::new(a, b, c, host));
                        self.addresses.insert((service.name.to_owned(), name.to_owned()), address);
                    }
                }
            }
        }
        Ok(())
    }

    fn run(&mut self, service: &Service<'_>, definition: &Definition) {
        let name = self.named(service.name);
        let mut arguments: Vec<String> = ["run", "--detach", "--name", &name].map(str::to_owned).into();
        let mut add = |option: &str, value: &str| {
            // A switch has no value.
            arguments.extend([option, value].into_iter().filter(|part| !part.is_empty()).map(str::to_owned));
        };
        for limit in LIMITS {
            add("--ulimit", limit);
        }
        let mut command: Vec<String> = Vec::new();
        let mut stand_in = None;
        for key in keys(service.body) {
            let value = &service.body[key];
            match key {
                "image" => {
                    let StandIn { image, mounts, command: own } =
                        stand_ins::of(value.as_str().unwrap(), &self.image);
                    for mount in mounts {
                        add("--volume", &format!("{mount}:{mount}:ro"));
                    }
                    if !mounts.is_empty() {
                        add("--env", &format!("PATH={}", self.variable_path));
                    }
                    stand_in = Some(image);
                    if command.is_empty() {
                        command = own.iter().map(|part| (*part).to_owned()).collect();
                    }
                }
                "command" => command = texts(value).map(str::to_owned).collect(),
                "environment" => {
                    for (variable, value) in service.environment() {
                        add("--env", &format!("{variable}={}", filled(value, &self.variables)));
                    }
                }
                "secrets" => {
                    for secret in texts(value) {
                        let file = self.folder.path().join(definition.secret(secret));
                        add("--volume", &format!("{}:/run/secrets/{secret}:ro", file.display()));
                    }
                }
                "configs" => {
                    for (place, (content, target)) in service.configs().enumerate() {
                        let file = self.folder.path().join(format!("{}-config-{place}", service.name));
                        std::fs::write(&file, content).unwrap();
                        add("--volume", &format!("{}:{target}:ro", file.display()));
                    }
                }
                "volumes" => {
                    for volume in texts(value) {
                        add("--volume", &self.named(volume));
                    }
                }
                "networks" => {
                    for (network, _) in service.networks() {
                        let address = self.addresses[&(service.name.to_owned(), network.to_owned())];
                        // The same address after a restart, so that neighbours need not find out first.
                        let [a, b, c, d] = address.octets();
                        let place = format!("ip={address},mac=02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}");
                        add("--network", &format!("{}:{place}", self.named(network)));
                        for ((other, there), address) in &self.addresses {
                            if there == network && other != service.name {
                                add("--add-host", &format!("{other}:{address}"));
                            }
                        }
                    }
                }
                "ports" => {
                    for port in texts(value) {
                        let (address, rest) = port.split_once(':').unwrap();
                        let (_, inside) = rest.split_once(':').unwrap();
                        // Any free port of this machine.
                        add("--publish", &format!("{address}::{inside}"));
                    }
                }
                "mem_limit" => add("--memory", value.as_str().unwrap()),
                "shm_size" => add("--shm-size", value.as_str().unwrap()),
                "stop_grace_period" => add("--stop-timeout", value.as_str().unwrap().trim_end_matches('s')),
                "restart" => add("--restart", value.as_str().unwrap()),
                "read_only" if value.as_bool() == Some(true) => add("--read-only", ""),
                "cap_drop" => texts(value).for_each(|what| add("--cap-drop", what)),
                "security_opt" => {
                    texts(value).for_each(|what| add("--security-opt", what.trim_end_matches(":true")));
                }
                // See `wait_for`.
                "depends_on" | "healthcheck" => {}
                other => panic!("{} has `{other}`, which this test does not know", service.name),
            }
        }
        // Podman would leave the checks to systemd, which not every machine has.
        add("--no-healthcheck", &stand_in.expect("a service has an image"));
        arguments.extend(command);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.services.push(service.name.to_owned());
        succeed(&arguments);
    }

    /// Waits as compose does for a service that another one depends on.
    fn wait_for(&self, service: &Service<'_>, condition: &str) {
        match condition {
            "service_started" => {}
            "service_healthy" => {
                let test: Vec<&str> = texts(&service.body["healthcheck"]["test"]).collect();
                let ["CMD", check @ ..] = &test[..] else { panic!("{test:?}") };
                let deadline = Instant::now() + PATIENCE;
                while !self.runs(service.name, check) {
                    assert!(Instant::now() < deadline, "{} does not get well", service.name);
                    std::thread::sleep(POLL);
                }
            }
            other => panic!("`{other}` is a condition that this test does not know"),
        }
    }

    fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Whether this command succeeds in the service's container.
    pub(crate) fn runs(&self, service: &str, command: &[&str]) -> bool {
        done(&[&["exec", &self.named(service)], command].concat())
    }

    /// The output of this command there.
    pub(crate) fn says(&self, service: &str, command: &[&str]) -> String {
        succeed(&[&["exec", &self.named(service)], command].concat())
    }

    /// Its address on the network that it shares with the proxy.
    pub(crate) fn address(&self, service: &str) -> IpAddr {
        self.addresses[&(service.to_owned(), "front".to_owned())].into()
    }

    /// The address at which this machine reaches the one port that it publishes.
    pub(crate) fn published(&self, service: &str) -> SocketAddr {
        let said = succeed(&["port", &self.named(service)]);
        said.rsplit(' ').next().unwrap().parse().unwrap()
    }

    pub(crate) fn stop(&self, service: &str) {
        succeed(&["stop", &self.named(service)]);
    }

    pub(crate) fn start_again(&self, service: &str) {
        succeed(&["start", &self.named(service)]);
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        for service in &self.services {
            let name = self.named(service);
            if std::thread::panicking() {
                let log = podman(&["logs", "--tail", "40", &name]);
                let text = log.map(|said| [said.stdout, said.stderr].concat()).unwrap_or_default();
                eprintln!("── {service} said ──\n{}", String::from_utf8_lossy(&text));
            }
            done(&["rm", "--force", "--time", "0", &name]);
        }
        for network in &self.networks {
            done(&["network", "rm", "--force", network]);
        }
        for volume in &self.volumes {
            done(&["volume", "rm", "--force", volume]);
        }
        done(&["rmi", "--force", &self.image]);
    }
}

fn podman(arguments: &[&str]) -> std::io::Result<Output> {
    let mut command = Command::new("podman");
    // crun, podman's alternative, needs cgroups that nested containers lack.
    if Path::new("/usr/sbin/runc").is_file() || Path::new("/usr/bin/runc").is_file() {
        command.args(["--runtime", "runc"]);
    }
    command.args(arguments).output()
}

fn done(arguments: &[&str]) -> bool {
    podman(arguments).is_ok_and(|said| said.status.success())
}

fn succeed(arguments: &[&str]) -> String {
    let said = podman(arguments).unwrap();
    assert!(said.status.success(), "podman {arguments:?}: {}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}
